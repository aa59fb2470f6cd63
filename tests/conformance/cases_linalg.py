"""Linear algebra."""

import numpy as np

from cases import case, regular, seed, spd, uniform


def label(shape):
    return "x".join(map(str, shape))


seed("decompositions")
for shape in ((1, 1), (3, 3), (2, 2, 2), (5, 5)):
    batch = len(shape) > 2
    diagonal = "jnp.diagonal(jnp.linalg.cholesky(sym(x0)), axis1=-2, axis2=-1)"
    case("cholesky", label(shape), "jnp.linalg.cholesky(sym(x0))", spd(*shape), lower=True)
    case("logdet_spd", label(shape), f"2*jnp.sum(jnp.log({diagonal}), axis=-1)", spd(*shape))
    case("eigvalsh", label(shape), "jnp.linalg.eigvalsh(sym(x0))", spd(*shape))
    case("eigh", label(shape), "eigh_signed(sym(x0))", spd(*shape), sign_rule="largest absolute entry of every eigenvector positive")
    case("inv", label(shape), "jnp.linalg.inv(x0)", regular(*shape))
    case("det", label(shape), "jnp.linalg.det(x0)", regular(*shape))
    case("slogdet", label(shape), "jnp.linalg.slogdet(x0)[1]", -regular(*shape))
    case("expm", label(shape), "jsp.linalg.expm(x0)", uniform(*shape))
    case("svdvals", label(shape), "jnp.linalg.svd(x0, compute_uv=False)", regular(*shape))
case("cholesky", "upper", "jnp.swapaxes(jnp.linalg.cholesky(sym(x0)), -1, -2)", spd(3, 3), lower=False)
case("det", "singular", "jnp.linalg.det(x0)", [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.5, 1.0, 3.0]], kink=True)
case("det", "negative", "jnp.linalg.det(x0)", [[0.0, 2.0], [3.0, 1.0]])
case("expm", "large", "jsp.linalg.expm(x0)", 4 * uniform(3, 3))
case("expm", "nilpotent", "jsp.linalg.expm(x0)", [[0.0, 1.0, 2.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
for shape in ((2, 5), (4, 3), (2, 4, 2)):
    case("svdvals", label(shape), "jnp.linalg.svd(x0, compute_uv=False)", uniform(*shape))
rule = "largest absolute entry of every column of U positive"
for shape in ((3, 3), (5, 2), (3, 1), (2, 4, 2)):
    case("svd", label(shape), "svd_signed(x0)", regular(3, 3) if shape == (3, 3) else uniform(*shape), sign_rule=rule, full_matrices=False)
for shape in ((2, 2), (4, 2), (5, 3), (1, 1)):
    case("qr", label(shape), "qr_signed(x0)", uniform(*shape) + 2 * np.eye(*shape), sign_rule="diagonal of R positive", mode="reduced")
case("qr", "2x3x2", "qr_signed(x0)", uniform(2, 3, 2) + np.eye(3, 2), sign_rule="diagonal of R positive", mode="reduced")
for shape in ((2, 2), (2, 4), (4, 3), (3, 1)):
    case("nuclear_norm", label(shape), "jnp.sum(jnp.linalg.svd(x0, compute_uv=False))", uniform(*shape))

seed("systems")
for a, b in (((1, 1), (1,)), ((3, 3), (3, 2)), ((2, 2), (2, 1)), ((2, 3, 3), (2, 3, 2)), ((4, 4), (4,))):
    name = f"{label(a)},{label(b)}"
    case("solve", name, "jnp.linalg.solve(x0, x1)", regular(*a), uniform(*b))
    if len(a) == 2:
        case("cho_solve", name, "jsp.linalg.cho_solve((jnp.linalg.cholesky(sym(x0)), True), x1)", spd(*a), uniform(*b))
for lower, trans, unit in ((True, 0, False), (True, 1, False), (False, 1, True), (True, 0, True), (False, 0, False)):
    for b in ((3,), (3, 2)):
        expr = f"jsp.linalg.solve_triangular(x0, x1, lower={lower}, trans={trans}, unit_diagonal={unit})"
        case("triangular_solve", f"{lower}_{trans}_{unit}_{label(b)}", expr, regular(3, 3), uniform(*b), lower=lower, trans=trans, unit_diagonal=unit)
for n in (0, 2, 3, 5, -1, -2):
    case("matrix_power", f"{n}", f"jnp.linalg.matrix_power(x0, {n})", regular(3, 3) / 2, n=n)
case("matrix_power", "batch", "jnp.linalg.matrix_power(x0, 3)", uniform(2, 2, 2), n=3)
for shape in ((3, 3), (5, 2), (4, 1), (6, 3)):
    x = regular(*shape) if shape == (3, 3) else uniform(*shape)
    case("pinv", label(shape), "jnp.linalg.solve(x0.T @ x0, x0.T)", x)
    case("lstsq", label(shape), "jnp.linalg.solve(x0.T @ x0, x0.T @ x1)", x, uniform(shape[0]))
case("lstsq", "several", "jnp.linalg.solve(x0.T @ x0, x0.T @ x1)", uniform(5, 2), uniform(5, 3))
