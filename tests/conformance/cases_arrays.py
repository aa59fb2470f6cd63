"""Reductions, what runs along an axis, products, arrangements and indices."""

import numpy as np

from cases import apart, case, positive, seed, uniform

REDUCTIONS = {
    "sum": "jnp.sum(x0, axis={axis}, keepdims={keep})",
    "mean": "jnp.mean(x0, axis={axis}, keepdims={keep})",
    "prod": "jnp.prod(x0, axis={axis}, keepdims={keep})",
    "max": "jnp.max(x0, axis={axis}, keepdims={keep})",
    "min": "jnp.min(x0, axis={axis}, keepdims={keep})",
    "var": "jnp.var(x0, axis={axis}, keepdims={keep})",
    "std": "jnp.std(x0, axis={axis}, keepdims={keep})",
    "logsumexp": "jsp.special.logsumexp(x0, axis={axis}, keepdims={keep})",
    "norm": "l2norm(x0, axis={axis}, keepdims={keep})",
}
PLACES = [
    ((2, 3, 4), -1, False),
    ((2, 3, 4), (0, 2), True),
    ((2, 3, 4), (-2,), False),
    ((2, 3), None, False),
    ((4, 1, 3), 1, True),
    ((3, 2), (), False),
    ((), None, False),
    ((37, 5), 0, False),
]
for op, expr in REDUCTIONS.items():
    seed(op)
    for shape, axis, keep in PLACES:
        size_of_one = shape in ((4, 1, 3), (), (3, 2))
        if op in ("std", "var") and size_of_one:
            continue
        x = apart(*shape) if op in ("max", "min") else uniform(*shape)
        attrs = {"axis": list(axis) if isinstance(axis, tuple) else axis, "keepdims": keep}
        label = f"{'x'.join(map(str, shape))}_axis{str(axis).replace(' ', '')}_{keep}"
        case(op, label, expr.format(axis=axis, keep=keep), x, kink=op == "norm" and axis == (), **attrs)

seed("reductions")
for op, expr in REDUCTIONS.items():
    if op in ("sum", "prod"):
        case(op, "0x3_axis0", expr.format(axis=0, keep=False), uniform(0, 3), axis=0, keepdims=False)
    if op != "mean":
        case(op, "2x0_axis0", expr.format(axis=0, keep=False), uniform(2, 0), axis=0, keepdims=False)
case("max", "ties", "jnp.max(x0, axis=1, keepdims=False)", [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], axis=1, keepdims=False, kink=True)
case("min", "ties", "jnp.min(x0, axis=None, keepdims=False)", [[1.0, 3.0], [1.0, 1.0]], axis=None, keepdims=False, kink=True)
zeros = [[2.0, 0.0, 3.0], [0.0, 1.5, 0.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]
case("prod", "zeros", "jnp.prod(x0, axis=1, keepdims=False)", zeros, axis=1, keepdims=False)
case("prod", "zeros_axis0", "jnp.prod(x0, axis=0, keepdims=True)", zeros, axis=0, keepdims=True)
for op in ("var", "std"):
    for ddof, axis, keep in ((1, 0, False), (1, None, True), (2, -1, False), (0, (0, 1), False)):
        attrs = {"axis": list(axis) if isinstance(axis, tuple) else axis, "keepdims": keep, "ddof": ddof}
        label = f"ddof{ddof}_axis{str(axis).replace(' ', '')}"
        case(op, label, f"jnp.{op}(x0, axis={axis}, keepdims={keep}, ddof={ddof})", uniform(3, 4), **attrs)
case("var", "equal", "jnp.var(x0, axis=0, keepdims=False)", np.full((3, 2), 0.7), axis=0, keepdims=False)
case("logsumexp", "far", "jsp.special.logsumexp(x0, axis=0, keepdims=False)", [[1000.0, -1000.0], [999.0, -1001.0]], axis=0, keepdims=False)
case("logsumexp", "-inf", "jsp.special.logsumexp(x0, axis=0, keepdims=False)", [-np.inf, 1.0, 2.0], axis=0, keepdims=False, kink=True)
case("norm", "at_0", "l2norm(x0, axis=1, keepdims=False)", [[0.0, 0.0], [3.0, 4.0]], axis=1, keepdims=False, kink=True)
for order, axis in ((1, 0), (2, -1), ("inf", 1)):
    spelled = "jnp.inf" if order == "inf" else order
    expr = f"jnp.linalg.norm(x0, ord={spelled}, axis={axis}, keepdims=False)"
    case("norm", f"ord_{order}", expr, apart(3, 4), ord=order, axis=axis, keepdims=False)
case("norm", "fro", "jnp.linalg.norm(x0, ord='fro', axis=(0, 1), keepdims=True)", uniform(3, 2), ord="fro", axis=[0, 1], keepdims=True)

for shape, axis in (((3, 4), 0), ((2, 3, 2), -1), ((5,), 0), ((2, 3, 2), 1)):
    case("normalize_rows", f"{'x'.join(map(str, shape))}_{axis}", f"x0 / l2norm(x0, axis={axis}, keepdims=True)", uniform(*shape), axis=axis)

for op in ("softmax", "log_softmax"):
    seed(op)
    for shape, axis in (((2, 3, 4), 1), ((2, 3), -1), ((4, 1), 1), ((0, 3), 1), ((7,), 0), ((3, 2), -2)):
        case(op, f"{'x'.join(map(str, shape))}_axis{axis}", f"nn.{op}(x0, axis={axis})", uniform(*shape), axis=axis)
    case(op, "far", f"nn.{op}(x0, axis=1)", [[1000.0, -1000.0, 999.0], [-1000.0, -1001.0, 0.0]], axis=1)
    case(op, "pair_of_axes", f"nn.{op}(x0, axis=(0, 2))", uniform(2, 2, 3), axis=[0, 2])

seed("along")
for shape, axis in (((3, 4), 1), ((2, 3, 2), -2), ((5,), 0), ((0, 2), 0), ((1, 3), 0)):
    label = f"{'x'.join(map(str, shape))}_axis{axis}"
    case("cumsum", label, f"jnp.cumsum(x0, axis={axis})", uniform(*shape), axis=axis, reverse=False)
    case("cumprod", label, f"jnp.cumprod(x0, axis={axis})", uniform(*shape), axis=axis)
    back = axis % len(shape)
    case("cumsum", label + "_reverse", f"lax.cumsum(x0, axis={back}, reverse=True)", uniform(*shape), axis=axis, reverse=True)
    case("sort", label, f"jnp.sort(x0, axis={axis})", apart(*shape), axis=axis)
case("cumprod", "reverse", "lax.cumprod(x0, axis=1, reverse=True)", uniform(2, 4), axis=1, reverse=True)
case("cumprod", "zeros", "jnp.cumprod(x0, axis=1)", zeros, axis=1)
case("cumprod", "zeros_long", "jnp.cumprod(x0, axis=0)", [2.0, 0.0, 3.0, 0.5, 0.0, 4.0, 1.0], axis=0)
case("sort", "ties", "jnp.sort(x0, axis=0)", [2.0, 1.0, 2.0, 1.0, 3.0], axis=0, kink=True)
for shape, k in (((2, 6), 1), ((2, 6), 6), ((5,), 2), ((2, 2, 4), 3), ((1, 1), 1)):
    case("topk", f"{'x'.join(map(str, shape))}_{k}", f"lax.top_k(x0, {k})[0]", apart(*shape), k=k)
for shape, offset in (((3, 3), 0), ((2, 4), -1), ((3, 4), 2), ((3, 2), 7), ((2, 3, 2), 0), ((1, 1), 0)):
    label = f"{'x'.join(map(str, shape))}_{offset}"
    case("trace", label, f"jnp.trace(x0, offset={offset})", uniform(*shape), offset=offset)
    if offset != 7:
        case("diag", label, f"jnp.diagonal(x0, offset={offset})", uniform(*shape), offset=offset)
for n, offset in ((3, 0), (2, 1), (1, -2)):
    case("diag", f"{n}_to_matrix_{offset}", f"jnp.diag(x0, {offset})", uniform(n), offset=offset)
for shape, k in (((3, 4), 0), ((3, 3), -1), ((2, 3, 2), 0), ((2, 2), 5), ((4, 2), -3), ((0, 3), 0)):
    label = f"{'x'.join(map(str, shape))}_{k}"
    case("tril", label, f"jnp.tril(x0, {k})", uniform(*shape), k=k)
    case("triu", label, f"jnp.triu(x0, {k})", uniform(*shape), k=k)

seed("products")
def products(op, expr, pairs, **attrs):
    for a, b in pairs:
        label = ",".join("x".join(map(str, shape)) for shape in (a, b)) + "".join(f"_{v}" for v in attrs.values())
        case(op, label.replace(" ", ""), expr, uniform(*a), uniform(*b), **attrs)

products("dot", "jnp.dot(x0, x1)", [((), ()), ((), (2, 3)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 3, 4), (4,)), ((2, 3), (4, 3, 2)), ((2, 1, 3), (2, 3, 2)), ((2, 0), (0, 3)), ((37, 41), (41, 5))])
products("matmul", "x0 @ x1", [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 1, 2, 3), (4, 3, 2)), ((1, 1), (1, 1)), ((2, 0), (0, 3)), ((0, 2, 3), (3, 2)), ((2, 2, 3), (3,))])
case("matmul", "gram_1x4", "x0 @ x0.T", uniform(1, 4))
products("outer", "jnp.outer(x0, x1)", [((3,), (2,)), ((2, 2), (2, 1)), ((), (3,)), ((0,), (3,))])
products("inner", "jnp.inner(x0, x1)", [((3,), (3,)), ((2, 2, 3), (3,)), ((3,), (4, 3)), ((), (2, 3)), ((2, 1, 3), (2, 3))])
products("kron", "jnp.kron(x0, x1)", [((3,), (2,)), ((1, 2), (3, 1)), ((2,), (2, 2)), ((), (2, 2)), ((2, 2, 1), (2, 3))])
products("vdot", "jnp.vdot(x0, x1)", [((3,), (3,)), ((), ()), ((2, 1, 2), (4,)), ((0,), (0,))])
products("cross", "jnp.cross(x0, x1)", [((3,), (3,)), ((2, 1, 3), (4, 3)), ((3,), (5, 3)), ((0, 3), (3,))])
case("cross", "plane", "jnp.cross(x0, x1)", uniform(2, 2), uniform(2, 2))
products("tensordot", "jnp.tensordot(x0, x1, axes=0)", [((2,), (3, 1))], axes=0)
products("tensordot", "jnp.tensordot(x0, x1, axes=1)", [((2, 3), (3, 4)), ((3,), (3,))], axes=1)
products("tensordot", "jnp.tensordot(x0, x1, axes=([0, 2], [1, 0]))", [((2, 3, 4), (4, 2, 3))], axes=[[0, 2], [1, 0]])
products("tensordot", "jnp.tensordot(x0, x1, axes=([-1], [0]))", [((2, 3), (3, 2))], axes=[[-1], [0]])
SPECS = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ii->i": [(3, 3)],
    "ii": [(3, 3)],
    "ij->": [(2, 3)],
    "bij,bjk->bik": [(2, 2, 3), (2, 3, 2)],
    "i,i": [(4,), (4,)],
    "i,j->ij": [(2,), (3,)],
    "ij,kj,lk->il": [(2, 3), (4, 3), (2, 4)],
    "...ij,...jk->...ik": [(2, 1, 2, 3), (4, 3, 2)],
    "ba": [(2, 3)],
    "iij,jk->ki": [(2, 2, 3), (3, 2)],
    "ij,ij->j": [(3, 2), (3, 2)],
    "a,ab,abc->c": [(2,), (2, 3), (2, 3, 2)],
    "i...->...": [(3, 2, 2)],
    "ij,jk,kl,lm->im": [(2, 5), (5, 1), (1, 4), (4, 2)],
    "ij,j->i": [(0, 3), (3,)],
    "bhqd,bhkd->bhqk": [(2, 2, 3, 2), (2, 2, 4, 2)],
}
for spec, shapes in SPECS.items():
    operands = ", ".join(f"x{i}" for i in range(len(shapes)))
    case("einsum", spec, f"jnp.einsum('{spec}', {operands})", *(uniform(*shape) for shape in shapes), spec=spec)

seed("arrange")
for shape, to in (((2, 3), [3, -1]), ((), [1, 1]), ((4,), [2, 1, 2]), ((2, 0), [0, 5]), ((1, 1), [])):
    case("reshape", f"{'x'.join(map(str, shape))}_to_{to}".replace(" ", ""), f"jnp.reshape(x0, {tuple(to)})", uniform(*shape), shape=to)
for shape in ((3, 2), (2, 2, 3), (1, 4), (3, 2, 1, 2)):
    case("flatten_T", "x".join(map(str, shape)), "x0.reshape(x0.shape[0], -1).T", uniform(*shape))
for shape, perm in (((2, 3), [1, 0]), ((2, 3, 1, 2), [3, 1, 0, 2]), ((2, 3, 4), [-1, 0, 1]), ((5,), [0]), ((0, 2), [1, 0])):
    case("transpose", f"{perm}".replace(" ", "") + "x".join(map(str, shape)), f"jnp.transpose(x0, {tuple(perm)})", uniform(*shape), perm=perm)
case("transpose", "reversed", "jnp.transpose(x0, None)", uniform(2, 3, 4), perm=None)
for shape, axes in (((2, 3), [0, 1]), ((2, 3, 4), [-1, -2]), ((2, 3, 1, 2), [1, 3]), ((2, 3), [1, 1])):
    case("swapaxes", f"{axes}".replace(" ", "") + "x".join(map(str, shape)), f"jnp.swapaxes(x0, {axes[0]}, {axes[1]})", uniform(*shape), axes=axes)
for src, dst in ((2, 0), (-1, 0), (1, -1), ([0, 1], [2, 0]), ([0, 2], [1, 0])):
    case("moveaxis", f"{src}_to_{dst}".replace(" ", ""), f"jnp.moveaxis(x0, {src}, {dst})", uniform(2, 3, 4), src=src, dst=dst)
for shape, to in (((), [2, 3]), ((3,), [2, 3]), ((2, 1, 1), [4, 2, 3, 1]), ((1, 3), [0, 3]), ((2, 3), [2, 3])):
    case("broadcast_to", f"{'x'.join(map(str, shape))}_to_{to}".replace(" ", ""), f"jnp.broadcast_to(x0, {tuple(to)})", uniform(*shape), shape=to)
for shape, axis in (((1, 3, 1), None), ((1, 3, 1), 0), ((2, 1), -1), ((1, 2, 1, 1), (0, -1)), ((1, 1), None)):
    attr = list(axis) if isinstance(axis, tuple) else axis
    case("squeeze", f"{'x'.join(map(str, shape))}_{axis}".replace(" ", ""), f"jnp.squeeze(x0, {axis})", uniform(*shape), axis=attr)
for axis in (0, -1, 2, (0, 3), (-1, 0)):
    attr = list(axis) if isinstance(axis, tuple) else axis
    case("expand_dims", f"{axis}".replace(" ", ""), f"jnp.expand_dims(x0, {axis})", uniform(2, 3), axis=attr)
for label, axis, shapes in (("rows", 0, [(2, 3), (1, 3)]), ("last", -1, [(2, 1, 2), (2, 1, 0), (2, 1, 3)]), ("one", 0, [(3,)]), ("flat", 0, [(2,), (3,), (1,), (4,)])):
    names = ", ".join(f"x{i}" for i in range(len(shapes)))
    case("concat", label, f"jnp.concatenate([{names}], axis={axis})", *(uniform(*shape) for shape in shapes), axis=axis)
for axis, shape, count in ((0, (2, 3), 2), (-1, (2, 3), 3), (2, (2, 3), 2), (0, (), 3), (-2, (2,), 2), (0, (3,), 1)):
    names = ", ".join(f"x{i}" for i in range(count))
    case("stack", f"{'x'.join(map(str, shape))}_{axis}_{count}", f"jnp.stack([{names}], axis={axis})", *(uniform(*shape) for _ in range(count)), axis=axis)
for at, shape, axis in (([2], (5,), 0), ([1, 1, 3], (4, 2), 0), ([0, 2], (2, 3), -1), ([3, 3], (3, 2), 0)):
    case("split", f"{at}_{axis}".replace(" ", ""), f"tuple(jnp.split(x0, {at}, axis={axis}))", uniform(*shape), axis=axis, at=at)
SLICES = {
    "x0[::-1]": ((4, 2), [[None, None, -1]]),
    "x0[-3:-1, 1::2]": ((5, 5), [[-3, -1, 1], [1, None, 2]]),
    "x0[3:0:-2, ::-1]": ((5, 3), [[3, 0, -2], [None, None, -1]]),
    "x0[2:2]": ((4,), [[2, 2, 1]]),
    "x0[1:100, -100:2]": ((3, 4), [[1, 100, 1], [-100, 2, 1]]),
    "x0[::3, :, 0:1]": ((4, 2, 3), [[None, None, 3], [None, None, None], [0, 1, None]]),
    "x0[-1:-4:-2]": ((5, 2), [[-1, -4, -2]]),
    "x0[4:1]": ((5,), [[4, 1, None]]),
}
for expr, (shape, index) in SLICES.items():
    case("slice", expr.replace(" ", ""), expr, uniform(*shape), index=index)
case("slice", "with_numbers", "x0[1, -1:, 0]", uniform(2, 3, 2), index=[1, [-1, None, 1], 0])

seed("indices")
for axis, indices, shape in ((0, [2, 0, 2], (3, 2)), (-1, [[0, -1], [1, 1]], (2, 3)), (1, [0], (2, 1, 2)), (0, [], (3, 2)), (0, 1, (3, 2))):
    case("take", f"axis{axis}_{indices}".replace(" ", ""), f"jnp.take(x0, jnp.asarray({indices}, dtype=int), axis={axis})", uniform(*shape), axis=axis, indices=indices)
case("take", "flat", "jnp.take(x0, jnp.asarray([5, 0, 5], dtype=int), axis=None)", uniform(2, 3), axis=None, indices=[5, 0, 5])
for axis, indices, shape in ((1, [[0, 0, 2], [1, 2, 1]], (2, 3)), (-1, [[1], [0]], (2, 3)), (0, [2, 2, 0, 1], (3,)), (0, [[[0, 1]], [[1, 1]]], (2, 1, 2)), (1, [[-1, 0], [-3, -1]], (2, 3))):
    case("take_along_axis", f"axis{axis}_{indices}".replace(" ", ""), f"jnp.take_along_axis(x0, jnp.asarray({indices}), axis={axis})", uniform(*shape), axis=axis, indices=indices)
for rows, cols, shape in (([0, 1, 1, 0], [2, 2, 0, 2], (2, 3)), ([1], [0], (2, 2)), ([-1, 0], [0, -1], (3, 2)), ([0, 0, 0], [1, 1, 1], (2, 2))):
    case("gather_nd", f"{rows}_{cols}".replace(" ", ""), f"x0[jnp.asarray({rows}), jnp.asarray({cols})]", uniform(*shape), rows=rows, cols=cols)
for label, mask in (("none", [[False, False]]), ("all", [[True], [True]]), ("some", [True, False, True, True]), ("3d", [[[True, False], [False, True]]])):
    case("mask_select", label, f"x0[np.asarray({mask})]", uniform(*np.shape(mask)), mask=mask)
for label, indices, shape in (("repeated", [1, 1, 1], (3, 2)), ("one", [0], (1, 4)), ("2x2x1", [[[0], [2]], [[2], [1]]], (3, 2)), ("number", 2, (3, 2)), ("negative", [-1, 0], (3, 2))):
    case("embedding", label, f"x0[jnp.asarray({indices})]", uniform(*shape), indices=indices)
for label, axis, indices, shape, update in (("rows", 0, [2, 0, 2], (3, 2), (3, 2)), ("columns", 1, [0, 0], (2, 3), (2, 2)), ("negative", 0, [-1, 0], (3,), (2,)), ("one", 0, [1], (2, 2), (1, 2)), ("last", -1, [2, 1, 2], (2, 3), (2, 3))):
    at = f"jnp.asarray({indices})"
    place = at if axis == 0 else f"..., {at}"
    case("scatter_add", label, f"x0.at[{place}].add(x1)", uniform(*shape), uniform(*update), axis=axis, indices=indices)
    if label != "columns":
        indices = sorted(set(indices))
        update = tuple(len(indices) if i == axis % len(shape) else n for i, n in enumerate(shape))
        place = f"jnp.asarray({indices})" if axis == 0 else f"..., jnp.asarray({indices})"
        case("scatter_set", label, f"x0.at[{place}].set(x1)", uniform(*shape), uniform(*update), axis=axis, indices=indices)
ASSIGNED = {"1:3": ((4,), (2,), [[1, 3, 1]]), "::-2": ((5, 2), (3, 2), [[None, None, -2]]), ":,1:2": ((2, 3), (2, 1), [[None, None, 1], [1, 2, 1]]), ":": ((2, 2), (2, 2), [[None, None, 1]]), "-2:,::3": ((3, 4), (2, 2), [[-2, None, 1], [None, None, 3]])}
for place, (shape, update, index) in ASSIGNED.items():
    case("slice_assign", place, f"x0.at[{place}].set(x1)", uniform(*shape), uniform(*update), index=index)
    case("slice_add", place, f"x0.at[{place}].add(x1)", uniform(*shape), uniform(*update), index=index)
for label, segments, num, shape in (("empty_segments", [3, 3, 0], 5, (3,)), ("one", [0, 0, 0, 0], 1, (4, 2)), ("apart", [2, 1, 0], 3, (3, 1, 2)), ("unsorted", [1, 0, 1, 0, 1], 2, (5, 3))):
    case("segment_sum", label, f"jax.ops.segment_sum(x0, jnp.asarray({segments}), num_segments={num})", uniform(*shape), segments=segments, num=num)
PADS = {
    "edge": ((3, 2), [[2, 1], [0, 3]]),
    "reflect": ((4, 3), [[2, 1], [0, 2]]),
    "wrap": ((3, 2), [[1, 2], [2, 0]]),
    "symmetric": ((3, 2), [[2, 1], [1, 2]]),
}
for mode, (shape, widths) in PADS.items():
    sides = tuple(map(tuple, widths))
    case("pad", mode, f"jnp.pad(x0, {sides}, mode='{mode}')", uniform(*shape), widths=widths, mode=mode)
case("pad", "zeros", "jnp.pad(x0, ((0, 0), (1, 2), (3, 0)), constant_values=0.0)", uniform(2, 1, 2), widths=[[0, 0], [1, 2], [3, 0]], mode="constant", value=0.0)
case("pad", "empty", "jnp.pad(x0, ((1, 1),), constant_values=-2.0)", uniform(0), widths=[[1, 1]], mode="constant", value=-2.0)
for axis, shape in ((0, (3, 2)), (None, (2, 3)), ([0, -1], (2, 3, 2)), (-1, (4,)), (1, (2, 0))):
    spelled = tuple(axis) if isinstance(axis, list) else axis
    case("flip", f"{axis}".replace(" ", ""), f"jnp.flip(x0, {spelled})", uniform(*shape), axis=axis)
for shift, axis, shape in ((1, 0, (4,)), (7, 1, (2, 3)), (-1, None, (2, 3)), ([1, -2], [0, 1], (3, 4)), (0, -1, (2, 2))):
    spelled = (tuple(shift), tuple(axis)) if isinstance(shift, list) else (shift, axis)
    case("roll", f"{shift}_{axis}".replace(" ", ""), f"jnp.roll(x0, {spelled[0]}, axis={spelled[1]})", uniform(*shape), shift=shift, axis=axis)
for reps, shape in (([3], (2,)), ([2], (2, 3)), ([2, 1, 2], (2, 3)), ([1, 1], (2, 2)), ([2, 2], (3,)), ([0], (2,))):
    case("tile", f"{reps}_{'x'.join(map(str, shape))}".replace(" ", ""), f"jnp.tile(x0, {tuple(reps)})", uniform(*shape), reps=reps)
for repeats, axis, shape in ((3, 0, (2, 2)), (2, -1, (2, 3)), (1, 1, (2, 2)), (2, None, (4,)), (2, 1, (2, 0))):
    case("repeat", f"{repeats}_{axis}_{'x'.join(map(str, shape))}", f"jnp.repeat(x0, {repeats}, axis={axis})", uniform(*shape), repeats=repeats, axis=axis)
case("repeat", "each", "jnp.repeat(x0, np.asarray([2, 0, 1]), axis=0, total_repeat_length=3)", uniform(3, 2), repeats=[2, 0, 1], axis=0)
for k, shape in ((2, (2, 3)), (3, (2, 3)), (-1, (3, 2)), (4, (2, 2)), (1, (2, 3, 2))):
    case("rot90", f"{k}_{'x'.join(map(str, shape))}", f"jnp.rot90(x0, {k})", uniform(*shape), k=k)
