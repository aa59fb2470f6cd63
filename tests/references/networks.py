"""Reference numbers for tests/promises/{statistics,losses,networks,windows}.rs, from JAX in float64.

Run as `python3 tests/references/networks.py > tests/references/networks.txt`; JAX 0.10.2 was used. For every row it prints the
label and three numbers: the value S = sum c*y, its derivative along v, and its second derivative along v, where operand k has the
elements sin(0.9 i + 1.7 k + 0.3), c is cos(0.7 i + 0.2), and v is cos(1.1 i + 0.6 k + 0.4), counted in C order.
"""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

jax.config.update("jax_enable_x64", True)


def fill(shape, f):
    n = int(np.prod(shape)) if shape else 1
    return f(np.arange(n, dtype=np.float64)).reshape(shape)


def operand(k, shape):
    return jnp.asarray(fill(shape, lambda i: np.sin(0.9 * i + 1.7 * k + 0.3)))


def direction(k, shape):
    return jnp.asarray(fill(shape, lambda i: np.cos(1.1 * i + 0.6 * k + 0.4)))


def weights(shape):
    return jnp.asarray(fill(shape, lambda i: np.cos(0.7 * i + 0.2)))


def row(label, shapes, f):
    x = [operand(k, s) for k, s in enumerate(shapes)]
    v = [direction(k, s) for k, s in enumerate(shapes)]

    def total(t):
        y = f(*[a + t * b for a, b in zip(x, v)])
        return jnp.sum(weights(y.shape) * y)

    first = jax.grad(total)
    numbers = (total(0.0), first(0.0), jax.grad(first)(0.0))
    print(label, "|", *(repr(float(n)) for n in numbers))


def norm(x, axis=None, keepdims=False):
    return jnp.sqrt(jnp.sum(x * x, axis=axis, keepdims=keepdims))


def reduced(losses, how):
    return {"mean": jnp.mean, "sum": jnp.sum, "none": lambda x: x}[how](losses)


def huber(d, delta):
    return jnp.where(jnp.abs(d) <= delta, 0.5 * d * d, delta * (jnp.abs(d) - 0.5 * delta))


def statistics():
    row("var", [(3, 4)], lambda x: jnp.var(x))
    row("var 1", [(3, 4)], lambda x: jnp.var(x, axis=0, ddof=1))
    row("var -1, 2", [(2, 3, 4)], lambda x: jnp.var(x, axis=(0, 2), ddof=2, keepdims=True))
    row("std", [(3, 4)], lambda x: jnp.std(x))
    row("std 1", [(3, 4)], lambda x: jnp.std(x, axis=-1, ddof=1))
    row("std kept", [(2, 3, 4)], lambda x: jnp.std(x, axis=(-1, 0), keepdims=True))
    row("norm", [(3, 4)], lambda x: norm(x))
    row("norm 0", [(3, 4)], lambda x: norm(x, 0))
    row("norm kept", [(2, 3, 4)], lambda x: norm(x, (0, -1), True))
    row("norm of order 1", [(3, 4)], lambda x: jnp.sum(jnp.abs(x), axis=0))
    row("norm of order 3", [(3, 4)], lambda x: jnp.sum(jnp.abs(x) ** 3, axis=1) ** (1 / 3))
    row("norm of order -2.5", [(3, 4)], lambda x: jnp.sum(jnp.abs(x) ** -2.5) ** (-1 / 2.5))
    row("norm of order inf", [(3, 4)], lambda x: jnp.linalg.norm(x, ord=jnp.inf, axis=1))
    row("norm of order -inf", [(3, 4)], lambda x: jnp.linalg.norm(x, ord=-jnp.inf, axis=0))
    row("matrix norm 1", [(2, 3, 4)], lambda x: jnp.linalg.norm(x, ord=1, axis=(-2, -1)))
    row("matrix norm inf", [(2, 3, 4)], lambda x: jnp.linalg.norm(x, ord=jnp.inf, axis=(-2, -1)))
    row("matrix norm -1", [(2, 3, 4)], lambda x: jnp.linalg.norm(x, ord=-1, axis=(-2, -1)))
    row("matrix norm -inf", [(2, 3, 4)], lambda x: jnp.linalg.norm(x, ord=-jnp.inf, axis=(-2, -1)))
    row("normalize", [(4, 5)], lambda x: x / norm(x, 1, True))
    row("normalize 0", [(4, 5)], lambda x: x / norm(x, 0, True))
    row("cosine similarity", [(3, 4), (3, 4)], lambda x, y: jnp.sum(x * y, -1) / (norm(x, -1) * norm(y, -1)))
    row("cosine similarity stretched", [(3, 4), (4,)],
        lambda x, y: jnp.sum(x * y, 0) / (norm(x, 0) * norm(jnp.broadcast_to(y, (3, 4)), 0)))
    row("logsumexp", [(2, 3, 4)], lambda x: jax.scipy.special.logsumexp(x, axis=(0, -1), keepdims=True))
    row("max", [(2, 3, 4)], lambda x: jnp.max(x, axis=(-1, 0)))
    row("min", [(2, 3, 4)], lambda x: jnp.min(x, axis=(-3, 1), keepdims=True))
    row("mean", [(2, 3, 4)], lambda x: jnp.mean(x, axis=(1, -1)))


def losses():
    one = [(3, 4), (3, 4)]
    p = lambda x: nn.sigmoid(x)
    for how in ("mean", "sum", "none"):
        row(f"mse {how}", one, lambda x, t: reduced((x - t) ** 2, how))
        row(f"l1 {how}", one, lambda x, t: reduced(jnp.abs(x - t), how))
        row(f"huber {how}", one, lambda x, t: reduced(huber(x - t, 0.7), how))
        row(f"smooth_l1 {how}", one, lambda x, t: reduced(huber(x - t, 0.4) / 0.4, how))
        row(f"hinge {how}", one, lambda x, t: reduced(jnp.maximum(0, 1 - t * x), how))
        row(f"squared_hinge {how}", one, lambda x, t: reduced(jnp.maximum(0, 1 - t * x) ** 2, how))
        row(f"bce {how}", one,
            lambda x, t: reduced(-(p(t) * jnp.log(p(x)) + (1 - p(t)) * jnp.log(1 - p(x))), how))
        row(f"bce of probabilities {how}", one,
            lambda x, t: reduced(-(t * jnp.log(0.5 + 0.2 * x) + (1 - t) * jnp.log(0.5 - 0.2 * x)), how))
        row(f"bce_with_logits {how}", one,
            lambda x, t: reduced(t * nn.softplus(-x) + (1 - t) * nn.softplus(x), how))
        row(f"kl_div {how}", one, lambda x, t: reduced(jnp.exp(t) * (t - x), how))
        labels = jnp.asarray([2, 0, 3])
        row(f"nll {how}", [(3, 4)], lambda x: reduced(-x[jnp.arange(3), labels], how))
        ce = lambda x: -jnp.take_along_axis(nn.log_softmax(x, -1), labels[:, None], -1)[:, 0]
        row(f"cross_entropy {how}", [(3, 4)], lambda x: reduced(ce(x), how))
        row(f"cross_entropy along 0 {how}", [(4, 3)], lambda x: reduced(ce(x.T), how))
        many = jnp.asarray([[2, 0, 3, 1], [1, 1, 0, 2]])
        along = lambda x: -jnp.take_along_axis(nn.log_softmax(x, 1), many[:, None, :], 1)[:, 0, :]
        row(f"cross_entropy along 1 {how}", [(2, 5, 4)], lambda x: reduced(along(x), how))
        row(f"cross_entropy smoothed {how}", [(3, 4)],
            lambda x: reduced(0.9 * ce(x) - 0.1 * jnp.mean(nn.log_softmax(x, -1), -1), how))
        row(f"soft_cross_entropy {how}", [(3, 4), (3, 4)],
            lambda x, t: reduced(-jnp.sum(nn.softmax(t, 0) * nn.log_softmax(x, 0), 0), how))


def standard(x, axis, eps):
    mean = jnp.mean(x, axis=axis, keepdims=True)
    return (x - mean) / jnp.sqrt(jnp.var(x, axis=axis, keepdims=True) + eps)


def channels(p, x):
    return p.reshape((1, -1) + (1,) * (x.ndim - 2))


def attention(q, k, v, keep=None, bias=0.0, scale=None):
    scores = q @ jnp.swapaxes(k, -1, -2) * (scale or 1 / np.sqrt(q.shape[-1])) + bias
    if keep is not None:
        scores = jnp.where(keep, scores, -jnp.inf)
    return nn.softmax(scores, -1) @ v


def heads(x, h):
    return jnp.swapaxes(x.reshape(x.shape[:-1] + (h, -1)), -2, -3)


def multi(x, wq, wk, wv, wo, b, h):
    a = attention(heads(x @ wq, h), heads(x @ wk, h), heads(x @ wv, h), jnp.tril(jnp.ones((3, 3), bool)))
    a = jnp.swapaxes(a, -2, -3)
    return a.reshape(a.shape[:-2] + (-1,)) @ wo + b


def rnn(x, h, wx, wh, b):
    for now in x:
        h = jnp.tanh(now @ wx + h @ wh + b)
    return h


def gru(x, h, wx, wh, bx, bh):
    i, j = jnp.split(x @ wx + bx, 3, -1), jnp.split(h @ wh + bh, 3, -1)
    r, z = nn.sigmoid(i[0] + j[0]), nn.sigmoid(i[1] + j[1])
    return (1 - z) * jnp.tanh(i[2] + r * j[2]) + z * h


def lstm(x, h, c, wx, wh, b):
    i, f, g, o = jnp.split(x @ wx + h @ wh + b, 4, -1)
    c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
    return jnp.concatenate((nn.sigmoid(o) * jnp.tanh(c), c))


def networks():
    row("layer_norm", [(2, 3, 4), (4,), (4,)], lambda x, a, b: standard(x, -1, 1e-5) * a + b)
    row("layer_norm of two axes", [(2, 3, 4), (3, 4), (3, 4)], lambda x, a, b: standard(x, (1, 2), 1e-2) * a + b)
    row("rms_norm", [(3, 4), (4,)], lambda x, a: x / jnp.sqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6) * a)
    batch = lambda x, a, b: standard(x, tuple(i for i in range(x.ndim) if i != 1), 1e-5) * channels(a, x) + channels(b, x)
    row("batch_norm", [(2, 3, 2, 2), (3,), (3,)], batch)
    row("batch_norm of rows", [(5, 3), (3,), (3,)], batch)
    row("batch_norm_inference", [(2, 3, 4), (3,), (3,), (3,), (3,)],
        lambda x, m, v, a, b: (x - channels(m, x)) / jnp.sqrt(channels(v * v, x) + 1e-3) * channels(a, x) + channels(b, x))
    group = lambda x, g: standard(x.reshape((x.shape[0], g, -1)), -1, 1e-5).reshape(x.shape)
    row("group_norm", [(2, 4, 3), (4,), (4,)], lambda x, a, b: group(x, 2) * channels(a, x) + channels(b, x))
    row("group_norm of rows", [(3, 6)], lambda x: group(x, 2))
    row("instance_norm", [(2, 3, 2, 3), (3,), (3,)], lambda x, a, b: standard(x, (2, 3), 1e-5) * channels(a, x) + channels(b, x))
    row("linear", [(2, 3, 4), (4, 5), (5,)], lambda x, w, b: x @ w + b)
    row("attention", [(3, 4), (5, 4), (5, 2)], attention)
    row("attention in batches", [(2, 1, 3, 4), (3, 5, 4), (3, 5, 2)], attention)
    row("causal attention", [(2, 3, 4), (2, 3, 4), (2, 3, 2)],
        lambda q, k, v: attention(q, k, v, jnp.tril(jnp.ones((3, 3), bool))))
    row("causal attention, more keys", [(3, 4), (5, 4), (5, 2)],
        lambda q, k, v: attention(q, k, v, jnp.tril(jnp.ones((3, 5), bool))))
    keep = jnp.asarray([[True, False, True], [True, True, False]])
    row("masked attention", [(2, 4), (3, 4), (3, 2), (2, 3)], lambda q, k, v, b: attention(q, k, v, keep, b, 0.3))
    row("multi-head attention", [(2, 3, 4), (4, 6), (4, 6), (4, 4), (4, 5), (5,)],
        lambda *a: multi(*a, 2))
    row("rnn_tanh", [(4, 2, 3), (2, 2), (3, 2), (2, 2), (2,)], rnn)
    row("gru_cell", [(2, 3), (2, 2), (3, 6), (2, 6), (6,), (6,)], gru)
    row("lstm_cell", [(2, 3), (2, 2), (2, 2), (3, 8), (2, 8), (8,)], lstm)


def conv(x, w, stride, pad, dilation, groups):
    return lax.conv_general_dilated(x, w, stride, pad, rhs_dilation=dilation, feature_group_count=groups)


def conv_transpose(x, w, stride, pad, longer, dilation, groups):
    """By dilating the input, with the weights turned and their channels exchanged in each group."""
    n = x.ndim - 2
    c, o = w.shape[0] // groups, w.shape[1]
    turned = jnp.flip(w, axis=tuple(range(2, 2 + n))).reshape((groups, c, o) + w.shape[2:])
    turned = jnp.swapaxes(turned, 1, 2).reshape((groups * o, c) + w.shape[2:])
    reach = [dilation[a] * (w.shape[2 + a] - 1) for a in range(n)]
    sides = [(reach[a] - pad[a], reach[a] - pad[a] + longer[a]) for a in range(n)]
    return lax.conv_general_dilated(
        x, turned, (1,) * n, sides, lhs_dilation=stride, rhs_dilation=dilation, feature_group_count=groups)


def pool(x, start, join, kernel, stride, pad):
    sides = ((0, 0), (0, 0)) + tuple(pad)
    return lax.reduce_window(x, start, join, (1, 1) + kernel, (1, 1) + stride, sides)


def max_pool(x, kernel, stride, pad):
    return pool(x, -jnp.inf, lax.max, kernel, stride, pad)


def avg_pool(x, kernel, stride, pad, inside=False):
    ones = pool(jnp.ones_like(x), 0.0, lax.add, kernel, stride, pad) if inside else float(np.prod(kernel))
    return pool(x, 0.0, lax.add, kernel, stride, pad) / ones


def windows():
    row("conv1d", [(2, 4, 9), (6, 2, 3)], lambda x, w: conv(x, w, (2,), ((1, 2),), (3,), 2))
    row("conv2d", [(2, 3, 5, 6), (4, 3, 2, 3)], lambda x, w: conv(x, w, (2, 1), ((0, 1), (2, 1)), (1, 2), 1))
    row("conv2d in groups", [(1, 4, 4, 5), (6, 2, 3, 2)], lambda x, w: conv(x, w, (1, 2), ((1, 1), (0, 2)), (1, 1), 2))
    row("conv3d", [(1, 4, 3, 4, 5), (2, 2, 2, 1, 3)],
        lambda x, w: conv(x, w, (1, 2, 1), ((1, 0), (0, 0), (0, 2)), (1, 1, 2), 2))
    row("conv_transpose1d", [(2, 3, 4), (3, 2, 3)], lambda x, w: conv_transpose(x, w, (2,), (1,), (1,), (1,), 1))
    row("conv_transpose1d longer than the padding", [(2, 2, 4), (2, 1, 2)],
        lambda x, w: conv_transpose(x, w, (3,), (0,), (2,), (1,), 1))
    row("conv_transpose1d dilated", [(1, 2, 4), (2, 2, 3)],
        lambda x, w: conv_transpose(x, w, (1,), (1,), (2,), (3,), 1))
    row("conv_transpose2d", [(1, 2, 3, 3), (2, 3, 3, 2)],
        lambda x, w: conv_transpose(x, w, (2, 2), (0, 0), (0, 0), (1, 1), 1))
    row("conv_transpose2d in groups", [(2, 4, 3, 2), (4, 3, 2, 3)],
        lambda x, w: conv_transpose(x, w, (2, 3), (1, 0), (0, 1), (2, 1), 2))
    row("conv_transpose3d", [(1, 2, 2, 3, 2), (2, 2, 2, 2, 3)],
        lambda x, w: conv_transpose(x, w, (1, 2, 3), (0, 1, 2), (0, 1, 2), (1, 2, 1), 1))
    row("max_pool1d", [(2, 2, 7)], lambda x: max_pool(x, (3,), (2,), ((1, 1),)))
    row("max_pool2d", [(1, 2, 5, 4)], lambda x: max_pool(x, (3, 2), (2, 1), ((1, 1), (0, 1))))
    row("max_pool3d", [(1, 2, 3, 4, 5)], lambda x: max_pool(x, (2, 2, 3), (1, 2, 2), ((0, 0), (1, 1), (0, 1))))
    row("avg_pool1d", [(2, 2, 7)], lambda x: avg_pool(x, (3,), (2,), ((1, 1),)))
    row("avg_pool2d inside", [(1, 2, 5, 4)], lambda x: avg_pool(x, (3, 2), (2, 1), ((1, 1), (0, 1)), True))
    row("avg_pool3d", [(1, 2, 3, 4, 5)], lambda x: avg_pool(x, (2, 2, 3), (1, 2, 2), ((0, 0), (1, 1), (0, 1))))
    row("global_avg_pool", [(2, 3, 2, 4)], lambda x: jnp.mean(x, axis=(2, 3)))


if __name__ == "__main__":
    statistics()
    losses()
    networks()
    windows()
