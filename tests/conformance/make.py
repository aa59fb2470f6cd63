"""Makes index.json and cases.bin beside this file, with JAX in float64.

    python3 tests/conformance/make.py [--only OP]

A case is a line in one of the files cases_*.py. Its outputs are those of `expr`; `vjp`, `second_x` and `second_c` are
JAX's derivatives of it, held here against central differences unless a case says that it stands at a kink.
"""

import json
import pathlib
import sys
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import scipy

jax.config.update("jax_enable_x64", True)

import cases_arrays
import cases_elementwise
import cases_linalg
import cases_models
from cases import CASES
from functions import NAMES

HERE = pathlib.Path(__file__).parent
STEP = 1e-5


class Bin:
    """The arrays, one behind the other."""

    def __init__(self):
        self.data = bytearray()

    def add(self, key, array):
        array = np.asarray(array, dtype="<f8", order="C")
        place = {"key": key, "shape": list(np.shape(array)), "offset": len(self.data)}
        self.data += array.tobytes()
        return place


def derivatives(f):
    """y, vjp, second_x and second_c of f at x, with the cotangents c and the directions k."""

    def several(*x):
        y = f(*x)
        return tuple(y) if isinstance(y, (tuple, list)) else (y,)

    def all_of(x, c, k):
        def vjp(*x):
            return jax.vjp(several, *x)[1](c)

        def along(*x):
            return sum(jnp.sum(ki * gi) for ki, gi in zip(k, vjp(*x), strict=True))

        second_x = jax.grad(along, argnums=tuple(range(len(x))))(*x)
        return several(*x), vjp(*x), second_x, jax.jvp(several, x, k)[1]

    return several, jax.jit(all_of)


def check(case, all_of, x, c, k, found):
    """Refuses derivatives that central differences do not give."""
    shifted = [all_of(tuple(xi + s * STEP * ki for xi, ki in zip(x, k)), c, k) for s in (1, -1)]
    for what, of, expected in (("second_c", 0, found[3]), ("second_x", 1, found[2])):
        for plus, minus, e in zip(shifted[0][of], shifted[1][of], expected):
            difference = (plus - minus) / (2 * STEP)
            scale = 1 + np.max(np.abs(e), initial=0.0)
            error = np.max(np.abs(difference - e), initial=0.0) / scale
            if not error < case["apart"]:
                raise ValueError(f"{what} is {e}, differences give {difference}")


def make(case, number, store):
    x = tuple(jnp.asarray(array) for array in case["x"])
    names = ", ".join(f"x{i}" for i in range(len(x)))
    f = eval(f"lambda {names}: {case['expr']}", dict(NAMES))
    several, all_of = derivatives(f)
    random = np.random.default_rng(zlib.crc32(case["name"].encode()))
    shapes = [y.shape for y in jax.eval_shape(several, *x)]
    c = tuple(jnp.asarray(random.uniform(-1, 1, shape)) for shape in shapes)
    k = tuple(jnp.asarray(random.uniform(-1, 1, array.shape)) for array in x)
    found = all_of(x, c, k)
    if "kink" not in case["tags"]:
        check(case, all_of, x, c, k, found)
    kinds = zip("xycgkst", (x, found[0], c, found[1], k, found[2], found[3]))
    fields = {"x": "inputs", "y": "outputs", "c": "cotangents", "g": "vjp", "k": "k", "s": "second_x", "t": "second_c"}
    made = {key: case[key] for key in ("name", "op", "expr", "attrs", "tags")}
    for letter, arrays in kinds:
        if letter in "gst" and not all(np.all(np.isfinite(array)) for array in arrays) and "wide" not in case["tags"]:
            raise ValueError(f"{fields[letter]} is not finite: {arrays}")
        places = [store.add(f"{number:04}_{letter}{i}", array) for i, array in enumerate(arrays)]
        made[fields[letter]] = places
    return made


def main():
    only = sys.argv[2:] if sys.argv[1:2] == ["--only"] else None
    chosen = [case for case in CASES if only is None or case["op"] in only]
    names = [case["name"] for case in CASES]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, twice
    store, made, wrong = Bin(), [], 0
    for number, case in enumerate(chosen):
        try:
            made.append(make(case, number, store))
        except Exception as error:
            wrong += 1
            print(f"{case['name']}: {type(error).__name__}: {error}", flush=True)
    if wrong > 0:
        raise SystemExit(f"{wrong} cases cannot be made")
    head = {
        "format": "every array is float64: little-endian in cases.bin, C order, from byte `offset`",
        "jax": jax.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": sys.version.split()[0],
        "count": len(made),
    }
    if only is None:
        lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in made)
        head = json.dumps(head, separators=(",", ":"))
        (HERE / "index.json").write_text(f'{head[:-1]},"cases":[\n{lines}\n]}}\n')
        (HERE / "cases.bin").write_bytes(store.data)


if __name__ == "__main__":
    main()
