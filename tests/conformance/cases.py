"""How cases are written down."""

import zlib

import numpy as np

CASES = []
RANDOM = np.random.default_rng(0)


def case(op, label, expr, *x, kink=False, wide=False, apart=2e-6, **attrs):
    """A case of `op`. With `kink` it is not held against differences; with `wide` it may have results that are not finite.

    `apart`: how far derivatives and central differences may lie apart."""
    tags = [tag for tag, is_so in (("kink", kink), ("wide", wide)) if is_so]
    arrays = [np.asarray(array, dtype=float) for array in x]
    CASES.append(
        {"name": f"{op}/{label}", "op": op, "expr": expr, "attrs": attrs, "tags": tags, "x": arrays, "apart": apart}
    )


def seed(name):
    """Numbers from here on are those of `name`, whatever stands before."""
    global RANDOM
    RANDOM = np.random.default_rng(zlib.crc32(name.encode()))


def uniform(*shape, low=-1.5, high=1.5):
    return RANDOM.uniform(low, high, shape)


def positive(*shape):
    return uniform(*shape, low=0.3, high=2.0)


def apart(*shape):
    """Numbers that lie apart from each other, from 0 and from integers, in random order."""
    count = int(np.prod(shape))
    return (RANDOM.permutation(count) * 0.37 - 0.37 * count / 2 + 0.13).reshape(shape)


def spd(*shape):
    """Symmetric positive definite matrices, not quite symmetric."""
    a = uniform(*shape)
    return a @ np.swapaxes(a, -1, -2) + 1.5 * np.eye(shape[-1]) + 0.1 * uniform(*shape)


def regular(*shape):
    """Matrices that are far from singular ones."""
    return uniform(*shape) * 0.5 + np.diag(np.arange(shape[-1]) * 0.7 + 1.5)
