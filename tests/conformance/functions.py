"""What the names in an `expr` mean that are not JAX's own."""

import functools

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
from jax import lax, nn


def absolute(x):
    """With the derivative 0 at 0, where `jnp.abs` has 1."""
    return jnp.where(x > 0, x, jnp.where(x < 0, -x, jnp.zeros_like(x)))


def softplus(x):
    return jnp.logaddexp(x, 0.0)


def leaky(x, slope):
    return jnp.where(x > 0, x, slope * x)


def elu(x, alpha):
    return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0.0, x)))


def clip(x, lo, hi):
    """With the derivative 1 at a bound, where `jnp.clip` has 1/2."""
    lo, hi = (-jnp.inf if lo is None else lo), (jnp.inf if hi is None else hi)
    return jnp.where(x < lo, lo, jnp.where(x > hi, hi, x))


def gelu_tanh(x):
    return 0.5 * x * (1 + jnp.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_erf(x):
    return 0.5 * x * (1 + lax.erf(x / np.sqrt(2.0)))


def l2norm(x, axis=None, keepdims=False):
    """The Euclidean norm, whose derivative at 0 is 0 at every order."""
    squares = jnp.sum(x * x, axis=axis, keepdims=keepdims)
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.0)), 0.0)


def conv(x, w, stride, pad, dilation, groups):
    return lax.conv_general_dilated(
        x, w, window_strides=stride, padding=pad, rhs_dilation=dilation, feature_group_count=groups
    )


def conv_transpose(x, w, stride, pad, output_padding, dilation, groups):
    """PyTorch's: `w` is (channels in, channels out / groups, size …)."""
    axes = tuple(range(2, w.ndim))
    inputs, outputs = w.shape[0], w.shape[1]
    w = jnp.flip(w, axes).reshape(groups, inputs // groups, *w.shape[1:])
    w = jnp.swapaxes(w, 1, 2).reshape(groups * outputs, inputs // groups, *w.shape[3:])
    reach = [d * (k - 1) for d, k in zip(dilation, w.shape[2:])]
    sides = tuple((r - p, r - p + o) for r, p, o in zip(reach, pad, output_padding))
    ones = (1,) * len(axes)
    return lax.conv_general_dilated(
        x,
        w,
        window_strides=ones,
        padding=sides,
        lhs_dilation=stride,
        rhs_dilation=dilation,
        feature_group_count=groups,
    )


def windows(x, kernel, stride, pad, filling):
    """Every window of the padded array, its elements along a last axis of their own."""
    x = jnp.pad(x, ((0, 0), (0, 0), *((p, p) for p in pad)), constant_values=filling)
    places = [range(0, n - k + 1, s) for n, k, s in zip(x.shape[2:], kernel, stride)]
    grids = [np.arange(k)[None, :] + np.array(list(p))[:, None] for k, p in zip(kernel, places)]
    if len(kernel) == 1:
        return x[:, :, grids[0]]
    gathered = x[:, :, grids[0][:, None, :, None], grids[1][None, :, None, :]]
    return gathered.reshape(*gathered.shape[:4], -1)


def max_pool(x, kernel, stride, pad):
    """Ties share evenly."""
    return jnp.max(windows(x, kernel, stride, pad, -jnp.inf), axis=-1)


def avg_pool(x, kernel, stride, pad, count_include_pad=True):
    if count_include_pad:
        return jnp.mean(windows(x, kernel, stride, pad, 0.0), axis=-1)
    inside = windows(jnp.ones_like(x), kernel, stride, pad, 0.0)
    return jnp.sum(windows(x, kernel, stride, pad, 0.0), axis=-1) / jnp.sum(inside, axis=-1)


def sym(a):
    return (a + jnp.swapaxes(a, -1, -2)) / 2


def largest_sign(v):
    """The sign of the entry of largest absolute value of every column."""
    place = jnp.argmax(jnp.abs(v), axis=-2, keepdims=True)
    return lax.stop_gradient(jnp.sign(jnp.take_along_axis(v, place, axis=-2)))


def eigh_signed(a):
    w, v = jnp.linalg.eigh(a)
    return w, v * largest_sign(v)


def svd_signed(a):
    u, s, vt = jnp.linalg.svd(a, full_matrices=False)
    sign = largest_sign(u)
    return u * sign, s, vt * jnp.swapaxes(sign, -1, -2)


def qr_signed(a):
    q, r = jnp.linalg.qr(a)
    sign = lax.stop_gradient(jnp.sign(jnp.diagonal(r, axis1=-2, axis2=-1)))
    return q * sign[..., None, :], r * sign[..., :, None]


def reduced(losses, reduction):
    return {"mean": jnp.mean, "sum": jnp.sum, "none": lambda x: x}[reduction](losses)


def cross_entropy(x, labels, reduction="mean"):
    picked = nn.log_softmax(x, axis=-1)[jnp.arange(len(labels)), jnp.asarray(labels)]
    return reduced(-picked, reduction)


def bce(a, y):
    return -jnp.mean(y * jnp.log(a) + (1 - y) * jnp.log(1 - a))


def bce_logits(z, y, reduction="mean"):
    return reduced(softplus(z) - z * y, reduction)


def huber(d, delta):
    a = jnp.abs(d)
    return jnp.where(a <= delta, 0.5 * d * d, delta * (a - 0.5 * delta))


def scores(x, axes, eps):
    mean = jnp.mean(x, axes, keepdims=True)
    variance = jnp.mean((x - mean) ** 2, axes, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + eps)


def layer_norm(x, weight, bias, eps):
    return scores(x, -1, eps) * weight + bias


def batch_norm(x, weight, bias, eps):
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    of_channels = (1, -1) + (1,) * (x.ndim - 2)
    return scores(x, axes, eps) * weight.reshape(of_channels) + bias.reshape(of_channels)


def group_norm(x, weight, bias, groups, eps):
    of_channels = (1, -1) + (1,) * (x.ndim - 2)
    y = scores(x.reshape(x.shape[0], groups, -1), -1, eps).reshape(x.shape)
    return y * weight.reshape(of_channels) + bias.reshape(of_channels)


def attention(q, k, v, causal):
    logits = q @ jnp.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    if causal:
        seen = jnp.tril(jnp.ones(logits.shape[-2:], dtype=bool))
        logits = jnp.where(seen, logits, -jnp.inf)
    return nn.softmax(logits, axis=-1) @ v


def lstm_cell(x, h, c, wx, wh, b):
    i, f, g, o = jnp.split(x @ wx + h @ wh + b, 4, axis=-1)
    c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
    return nn.sigmoid(o) * jnp.tanh(c), c


def rnn(x, h, wx, wh, b):
    for step in x:
        h = jnp.tanh(step @ wx + h @ wh + b)
    return h


NAMES = {name: value for name, value in globals().items() if not name.startswith("_")}
