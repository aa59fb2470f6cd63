"""Windows, losses, normalisations, cells and whole costs."""

import numpy as np

from cases import apart, case, positive, seed, uniform


def label(*shapes):
    return ",".join("x".join(map(str, shape)) for shape in shapes)


seed("windows")
CONVS = [
    ((2, 3, 7), (4, 3, 3), (1,), ((0, 0),), (1,), 1),
    ((1, 4, 8), (6, 2, 3), (2,), ((2, 1),), (2,), 2),
    ((2, 3, 5), (3, 1, 2), (1,), ((1, 0),), (1,), 3),
    ((1, 1, 1), (1, 1, 1), (3,), ((0, 0),), (1,), 1),
    ((2, 2, 5, 6), (3, 2, 2, 3), (2, 1), ((1, 0), (1, 2)), (1, 1), 1),
    ((1, 4, 6, 5), (4, 2, 3, 2), (1, 2), ((0, 0), (2, 1)), (2, 3), 2),
    ((2, 2, 4, 4), (4, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
    ((1, 2, 7, 6), (2, 2, 3, 3), (3, 2), ((0, 0), (0, 0)), (1, 1), 1),
    ((1, 2, 3, 4, 3), (2, 2, 2, 2, 1), (1, 2, 1), ((0, 0), (0, 0), (0, 0)), (1, 1, 1), 1),
    ((2, 2, 4, 3, 3), (2, 1, 2, 1, 2), (2, 1, 1), ((1, 0), (0, 0), (0, 1)), (1, 1, 1), 2),
    ((1, 1, 5, 4, 3), (2, 1, 2, 2, 2), (1, 1, 1), ((0, 0), (0, 0), (1, 1)), (3, 2, 1), 1),
    ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2), (1, 1, 1), ((0, 0), (0, 0), (0, 0)), (1, 1, 1), 1),
]
for x, w, stride, pad, dilation, groups in CONVS:
    name = f"{label(x, w)}_s{stride}_p{pad}_d{dilation}_g{groups}".replace(" ", "")
    case(f"conv{len(stride)}d", name, f"conv(x0, x1, {stride}, {pad}, {dilation}, {groups})", uniform(*x), uniform(*w), stride=list(stride), pad=[list(p) for p in pad], dilation=list(dilation), groups=groups)
TRANSPOSED = [
    ((2, 3, 4), (3, 2, 3), (1,), (0,), (0,), (1,), 1),
    ((1, 4, 3), (4, 1, 2), (3,), (1,), (2,), (1,), 2),
    ((1, 2, 4), (2, 3, 3), (2,), (2,), (1,), (2,), 1),
    ((2, 3, 1), (3, 1, 1), (1,), (0,), (0,), (1,), 3),
    ((1, 2, 3, 2), (2, 3, 2, 3), (1, 1), (0, 0), (0, 0), (1, 1), 1),
    ((2, 4, 2, 3), (4, 1, 3, 2), (2, 3), (1, 0), (1, 2), (1, 1), 2),
    ((1, 1, 3, 3), (1, 2, 3, 3), (2, 1), (1, 1), (0, 0), (1, 2), 1),
    ((1, 2, 1, 1), (2, 1, 2, 2), (2, 2), (0, 1), (0, 1), (2, 1), 1),
]
for x, w, stride, pad, extra, dilation, groups in TRANSPOSED:
    name = f"{label(x, w)}_s{stride}_p{pad}_o{extra}_d{dilation}_g{groups}".replace(" ", "")
    expr = f"conv_transpose(x0, x1, {stride}, {pad}, {extra}, {dilation}, {groups})"
    case(f"conv_transpose{len(stride)}d", name, expr, uniform(*x), uniform(*w), stride=list(stride), pad=list(pad), output_padding=list(extra), dilation=list(dilation), groups=groups)
POOLS = [
    ((2, 2, 7), (2,), (2,), (0,)),
    ((1, 2, 6), (3,), (1,), (1,)),
    ((1, 1, 5), (5,), (1,), (0,)),
    ((2, 1, 8), (2,), (3,), (1,)),
    ((1, 2, 4, 6), (2, 2), (2, 2), (0, 0)),
    ((2, 1, 5, 5), (3, 2), (2, 1), (1, 1)),
    ((1, 1, 5, 4), (2, 3), (1, 2), (0, 1)),
    ((1, 3, 3, 3), (3, 3), (3, 3), (0, 0)),
    ((2, 1, 5, 7), (2, 2), (3, 3), (0, 0)),
]
for x, kernel, stride, pad in POOLS:
    name = f"{label(x)}_k{kernel}_s{stride}_p{pad}".replace(" ", "")
    attrs = {"kernel": list(kernel), "stride": list(stride), "pad": list(pad)}
    case(f"max_pool{len(kernel)}d", name, f"max_pool(x0, {kernel}, {stride}, {pad})", apart(*x), **attrs)
    for counted in (True, False):
        expr = f"avg_pool(x0, {kernel}, {stride}, {pad}" + (")" if counted else ", False)")
        case(f"avg_pool{len(kernel)}d", f"{name}_{counted}", expr, uniform(*x), **attrs, count_include_pad=counted)
case("max_pool2d", "ties", "max_pool(x0, (2, 2), (1, 1), (0, 0))", [[[[1.0, 1.0, 0.0], [1.0, 1.0, 2.0]]]], kernel=[2, 2], stride=[1, 1], pad=[0, 0], kink=True)
case("max_pool1d", "negative_padded", "max_pool(x0, (2,), (2,), (1,))", -positive(1, 1, 3), kernel=[2], stride=[2], pad=[1])
for shape in ((1, 1, 1, 1), (2, 2, 3, 5), (3, 1, 1, 4), (1, 4, 2, 2)):
    case("global_avg_pool", label(shape), "jnp.mean(x0, axis=(2, 3))", uniform(*shape))

seed("losses")
for labels, classes, reduction in (([2, 0, 1, 2], 3, "mean"), ([0], 1, "mean"), ([1, 1], 4, "sum"), ([0, 2, 1], 3, "none")):
    tail = "" if reduction == "mean" else f", '{reduction}'"
    case("cross_entropy", f"{labels}_{classes}_{reduction}".replace(" ", ""), f"cross_entropy(x0, {labels}{tail})", uniform(len(labels), classes), labels=labels, reduction=reduction)
case("cross_entropy", "far", "cross_entropy(x0, [0, 1])", [[1000.0, -1000.0], [1000.0, -1000.0]], labels=[0, 1], reduction="mean")
for labels, classes in (([0], 2), ([1, 1, 1], 2), ([3, 0], 4), ([0, 1, 2, 2, 1], 3)):
    n = len(labels)
    case("nll", f"{labels}_{classes}".replace(" ", ""), f"-jnp.mean(x0[jnp.arange({n}), jnp.asarray({labels})])", uniform(n, classes), labels=labels)
for shape in ((1,), (2, 3), (2, 1, 2), ()):
    name = label(shape) or "scalar"
    inside = lambda: uniform(*shape, low=0.1, high=0.9)
    case("kl_div", name, "jnp.sum(jnp.exp(x1) * (x1 - x0))", uniform(*shape), uniform(*shape))
    case("bce", name, "bce(x0, x1)", inside(), inside())
    case("bce_with_logits", name, "bce_logits(x0, x1)", uniform(*shape), inside(), reduction="mean")
    case("mse", name, "jnp.mean((x0 - x1)**2)", uniform(*shape), uniform(*shape))
    case("l2_sum", name, "jnp.sum((x1 - x0)**2)", uniform(*shape), uniform(*shape))
    case("l1_sum", name, "jnp.sum(jnp.abs(x1 - x0))", uniform(*shape), uniform(*shape))
    case("l1_mean", name, "jnp.mean(jnp.abs(x0 - x1))", uniform(*shape), uniform(*shape))
    case("huber", name, "jnp.mean(huber(x0 - x1, 0.8))", uniform(*shape), uniform(*shape), delta=0.8)
    case("hinge", name, "jnp.mean(jnp.maximum(0, 1 - x1 * x0))", uniform(*shape), np.sign(uniform(*shape)))
    case("squared_hinge", name, "jnp.mean(jnp.maximum(0, 1 - x1 * x0)**2)", uniform(*shape), np.sign(uniform(*shape)))
case("bce", "near_0_and_1", "bce(x0, x1)", [1e-6, 1 - 1e-6, 0.5], [0.0, 1.0, 1.0], apart=1e-3, kink=True)
for reduction in ("sum", "none"):
    case("bce_with_logits", reduction, f"bce_logits(x0, x1, '{reduction}')", uniform(2, 3), uniform(2, 3), reduction=reduction)
case("bce_with_logits", "far", "bce_logits(x0, x1)", [1000.0, -1000.0, 0.0, 1000.0], [1.0, 1.0, 0.5, 0.0], reduction="mean")
case("mse", "stretched", "jnp.mean((x0 - x1)**2)", uniform(2, 1, 3), uniform(4, 1))
case("l1_sum", "equal", "jnp.sum(absolute(x1 - x0))", [1.0, 2.0], [1.0, 3.0], kink=True)
for delta in (0.3, 1.0):
    case("huber", f"delta{delta}", f"jnp.mean(huber(x0 - x1, {delta}))", [0.0, 0.2, -3.0, 2.0], [0.0, 0.1, 1.0, 0.5], delta=delta)
for a in ((3,), (2, 3), (2, 2, 3), (4, 1)):
    case("cosine_similarity", label(a), "jnp.sum(x0*x1, -1) / (l2norm(x0, -1) * l2norm(x1, -1))", uniform(*a), uniform(*a), kink=a == (4, 1))
for name, mask, keep in (("all", [True, True], 0.5), ("none", [[False], [False]], 0.9), ("most", [[True, True, False]], 0.8), ("one", [[[True]]], 1.0)):
    case("dropout_mask", name, f"x0 * jnp.asarray({mask}) / {keep}", uniform(*np.shape(mask)), mask=mask, keep=keep)

seed("normalisations")
for shape, eps in (((3, 4), 1e-5), ((5,), 1e-3), ((2, 2, 2, 3), 1e-5), ((1, 6), 0.1)):
    n = shape[-1]
    case("layer_norm", f"{label(shape)}_{eps}", f"layer_norm(x0, x1, x2, {eps})", uniform(*shape), uniform(n), uniform(n), eps=eps, apart=1e-5)
    case("rms_norm", f"{label(shape)}_{eps}", f"x0 / jnp.sqrt(jnp.mean(x0**2, -1, keepdims=True) + {eps}) * x1", uniform(*shape), uniform(n), eps=eps, apart=1e-5)
for shape, eps in (((4, 3), 1e-5), ((3, 2, 4), 1e-3), ((2, 1, 2, 3), 1e-5), ((2, 2, 2, 1, 2), 0.1)):
    n = shape[1]
    case("batch_norm", f"{label(shape)}_{eps}", f"batch_norm(x0, x1, x2, {eps})", uniform(*shape), uniform(n), uniform(n), eps=eps, training=True, apart=1e-5)
for shape, groups, eps in (((2, 4), 2, 1e-3), ((1, 6, 2), 3, 1e-5), ((2, 3, 2, 2), 1, 1e-5), ((2, 2, 3), 2, 0.1)):
    n = shape[1]
    case("group_norm", f"{label(shape)}_g{groups}", f"group_norm(x0, x1, x2, {groups}, {eps})", uniform(*shape), uniform(n), uniform(n), groups=groups, eps=eps, apart=1e-5)
case("layer_norm", "equal", "layer_norm(x0, x1, x2, 0.01)", np.full((1, 3), 2.0), uniform(3), uniform(3), eps=0.01)

seed("networks")
for causal, q, k, v in ((False, (3, 4), (5, 4), (5, 2)), (True, (3, 2), (3, 2), (3, 3)), (False, (2, 2, 3), (2, 4, 3), (2, 4, 1)), (True, (1, 2, 2, 3), (1, 2, 2, 3), (1, 2, 2, 2)), (True, (1, 2), (1, 2), (1, 2))):
    case("attention", f"{causal}_{label(q, k, v)}", f"attention(x0, x1, x2, {causal})", uniform(*q), uniform(*k), uniform(*v), causal=causal)
for batch, n, h in ((1, 1, 1), (3, 2, 2), (2, 4, 3), (1, 3, 2)):
    case("lstm_cell", f"{batch}x{n}_h{h}", "lstm_cell(x0, x1, x2, x3, x4, x5)", uniform(batch, n), uniform(batch, h), uniform(batch, h), uniform(n, 4 * h), uniform(h, 4 * h), uniform(4 * h), gate_order="i f g o")
for steps, batch, n, h in ((1, 1, 1, 1), (3, 2, 2, 3), (7, 1, 2, 2), (2, 3, 1, 2)):
    case("rnn_tanh", f"{steps}x{batch}x{n}_h{h}", "rnn(x0, x1, x2, x3, x4)", uniform(steps, batch, n), uniform(batch, h), uniform(n, h), uniform(h, h), uniform(h))

seed("costs")
for a, b, c in (((3, 4), (4, 5), (3, 1)), ((2, 3), (3, 1), ()), ((1, 2), (2, 3), (3,)), ((2, 2, 3), (3, 2), (2,))):
    case("linear_fn", label(a, b, c), "x0 @ x1 + x2", uniform(*a), uniform(*b), uniform(*c))
for shapes in (((), (), ()), ((2,), (), (2,)), ((2, 1), (3,), (1, 1)), ((0,), (), (1,))):
    case("graph_J", label(*shapes), "3*(x0 + x1*x2)", *(uniform(*shape) for shape in shapes))
for n, m in ((1, 1), (4, 2), (2, 7), (3, 3)):
    y = lambda: (uniform(1, m) > 0).astype(float)
    case("logreg_cost", f"n{n}_m{m}", "bce(nn.sigmoid(x0.T @ x2 + x1), x3)", uniform(n, 1), uniform(), uniform(n, m), y())
    lam = 0.1 * n
    case("l2_regularised_cost", f"n{n}_m{m}", f"bce(nn.sigmoid(x0.T @ x1), x2) + {lam}/(2*{m}) * jnp.sum(x0**2)", uniform(n, 1), uniform(n, m), y(), lam=lam)
    h = n + 1
    case("tanh_net_cost", f"{n}-{h}-1_m{m}", "bce(nn.sigmoid(x2 @ jnp.tanh(x0 @ x4 + x1) + x3), x5)", uniform(h, n), uniform(h, 1), uniform(1, h), uniform(1, 1), uniform(n, m), y())
    case("relu_net_cost", f"{n}-{h}-2-1_m{m}", "bce(nn.sigmoid(x4 @ nn.relu(x2 @ nn.relu(x0 @ x6 + x1) + x3) + x5), x7)", uniform(h, n), uniform(h, 1), uniform(2, h), uniform(2, 1), uniform(1, 2), uniform(1, 1), uniform(n, m), y())
case("logreg_cost", "saturated", "bce(nn.sigmoid(x0.T @ x2 + x1), x3)", [[30.0]], 0.5, [[0.5, -0.3, 0.2]], [[1.0, 0.0, 1.0]])
for n in (2, 3, 4, 9):
    case("newton_step_like", f"{n}", "jnp.sum(100*(x0[1:] - x0[:-1]**2)**2 + (1 - x0[:-1])**2)", uniform(n))
for shape, repeat in (((), 1), ((2,), 10), ((2, 2), 30), ((0,), 5)):
    case("deep_chain", f"{label(shape)}_{repeat}", f"functools.reduce(lambda a, _: jnp.sin(a) + 0.1*a, range({repeat}), x0)", uniform(*shape), repeat=repeat, apart=1e-5)
for shape in ((), (2, 2), (0, 2), (5,)):
    case("fan_out", label(shape) or "scalar", "sum(x0**i for i in range(1, 11))", uniform(*shape, low=-0.9, high=0.9))
