"""Functions of numbers, at every element."""

import numpy as np

from cases import apart, case, positive, seed, uniform

# The function, an interval, and points at which it is easily wrong.
UNARY = {
    "neg": ("-x0", -2, 2, [-0.0, 0.0, 1e300, -1e-300]),
    "exp": ("jnp.exp(x0)", -2, 2, [-700.0, -30.0, 0.0, 1e-9, 5.0]),
    "exp2": ("jnp.exp2(x0)", -2, 2, [-1000.0, -30.0, 0.0, 0.5, 6.0]),
    "ln": ("jnp.log(x0)", 0.2, 3, [1e-2, 0.5, 1.0, 1.0 + 1e-9, 1e3]),
    "log2": ("jnp.log2(x0)", 0.2, 3, [1e-2, 0.5, 1.0, 8.0, 1e3]),
    "log10": ("jnp.log10(x0)", 0.2, 3, [1e-2, 0.1, 1.0, 1e3, 2.0]),
    "log1p": ("jnp.log1p(x0)", -0.8, 3, [-0.99, -1e-10, 0.0, 1e-10, 1e3]),
    "expm1": ("jnp.expm1(x0)", -2, 2, [-40.0, -1e-10, 0.0, 1e-10, 3.0]),
    "sqrt": ("jnp.sqrt(x0)", 0.2, 3, [1e-2, 0.25, 1.0, 4.0, 1e8]),
    "rsqrt": ("lax.rsqrt(x0)", 0.2, 3, [1e-1, 0.25, 1.0, 4.0, 1e8]),
    "cbrt": ("jnp.cbrt(x0)", 0.3, 3, [-8.0, -0.125, 0.2, 1.0, 27.0]),
    "square": ("jnp.square(x0)", -2, 2, [-3.0, 0.0, -0.0, 1e-5, 1e3]),
    "recip": ("1.0 / x0", 0.4, 3, [-0.3, 1.0, 10.0, -1e3, 0.5]),
    "abs": ("jnp.abs(x0)", 0.2, 2, [-2.0, 0.0, 0.5, -0.0, 3.0]),
    "sign": ("jnp.sign(x0)", 0.2, 2, [-2.0, 0.0, 0.5, -0.0, 3.0]),
    "floor": ("jnp.floor(x0)", 0.2, 0.8, [-1.5, -0.2, 0.7, 2.3, -3.0]),
    "sin": ("jnp.sin(x0)", -2, 2, [-10.0, 0.0, 1e-9, 100.0, np.pi]),
    "cos": ("jnp.cos(x0)", -2, 2, [-10.0, 0.0, 1e-9, 100.0, np.pi / 2]),
    "tan": ("jnp.tan(x0)", -1, 1, [-10.0, 0.0, 1e-9, 100.0, np.pi]),
    "tanh": ("jnp.tanh(x0)", -2, 2, [-30.0, -1e-9, 0.0, 0.5, 30.0]),
    "sinh": ("jnp.sinh(x0)", -2, 2, [-5.0, -1e-9, 0.0, 0.5, 4.0]),
    "cosh": ("jnp.cosh(x0)", -2, 2, [-5.0, -1e-9, 0.0, 0.5, 4.0]),
    "asin": ("jnp.arcsin(x0)", -0.9, 0.9, [-0.95, -1e-9, 0.0, 0.5, 0.9]),
    "acos": ("jnp.arccos(x0)", -0.9, 0.9, [-0.95, -1e-9, 0.0, 0.5, 0.9]),
    "atan": ("jnp.arctan(x0)", -2, 2, [-1e5, -1e-9, 0.0, 1.0, 50.0]),
    "asinh": ("jnp.arcsinh(x0)", -2, 2, [-1e4, -1e-9, 0.0, 1.0, 50.0]),
    "acosh": ("jnp.arccosh(x0)", 1.3, 4, [1.1, 1.5, 2.0, 50.0, 1e4]),
    "atanh": ("jnp.arctanh(x0)", -0.9, 0.9, [-0.95, -1e-9, 0.0, 0.5, 0.9]),
    "sigmoid": ("nn.sigmoid(x0)", -2, 2, [-700.0, -40.0, 0.0, 1.0, 40.0]),
    "log_sigmoid": ("nn.log_sigmoid(x0)", -2, 2, [-700.0, -40.0, 0.0, 1.0, 40.0]),
    "softplus": ("softplus(x0)", -2, 2, [-700.0, -40.0, 0.0, 1.0, 800.0]),
    "softsign": ("x0 / (1 + jnp.abs(x0))", 0.1, 2, [-100.0, -1.0, 0.0, 0.5, 1e6]),
    "relu": ("nn.relu(x0)", 0.1, 2, [-2.0, 0.0, 0.5, -0.0, 3.0]),
    "gelu_tanh": ("gelu_tanh(x0)", -2, 2, [-30.0, -3.0, 0.0, 1.0, 30.0]),
    "gelu_erf": ("gelu_erf(x0)", -2, 2, [-30.0, -3.0, 0.0, 1.0, 30.0]),
    "silu": ("x0 * nn.sigmoid(x0)", -2, 2, [-300.0, -30.0, 0.0, 1.0, 300.0]),
    "erf": ("lax.erf(x0)", -2, 2, [-6.0, -1e-9, 0.0, 0.5, 6.0]),
    "erfc": ("lax.erfc(x0)", -2, 2, [-5.0, -1e-9, 0.0, 2.0, 10.0]),
    "lgamma": ("lax.lgamma(x0)", 0.3, 4, [0.1, 1.0, 2.0, 30.0, 1e3]),
    "digamma": ("lax.digamma(x0)", 0.5, 4, [0.3, 1.0, 1.4616, 30.0, 1e3]),
}
KINKED = ("abs", "sign", "relu", "softsign", "floor")
EVEN = ("cbrt", "recip", "abs", "sign", "softsign", "relu")

for op, (expr, low, high, special) in UNARY.items():
    seed(op)
    signs = -1.0 if op in EVEN else 1.0
    case(op, "scalar", expr, uniform(low=low, high=high))
    case(op, "2x1x3", expr, uniform(2, 1, 3, low=low, high=high) * signs)
    case(op, "0x3", expr, uniform(0, 3, low=low, high=high))
    # `jnp.abs` has the derivative 1 at 0.
    case(op, "special", expr.replace("jnp.abs", "absolute"), special, kink=op in KINKED or op in ("neg", "sin", "cos", "atan", "asinh", "lgamma"))
    case(op, "4x37", expr, uniform(4, 37, low=low, high=high))

seed("attributes")
case("lgamma", "negative", "lax.lgamma(x0)", [-0.5, -1.3, -2.7], kink=True)
for n in (0, 1, 2, 3, 4, 7):
    case("powi", f"{n}_at_0", f"lax.integer_pow(x0, {n})", [[0.0, -1.5, 2.0]], exponent=n)
for n in (-1, -2, -3):
    case("powi", f"{n}", f"lax.integer_pow(x0, {n})", [0.5, -1.5, 2.0], exponent=n)
for p in (0.5, -0.5, 2.5, 1.0, 0.0, -1.0, 1 / 3):
    case("powf", f"{p:.3}", f"x0 ** {p}", positive(3, 1, 2), exponent=p)
for p in (2.0, 3.0):
    case("powf", f"{p}_of_any", f"x0 ** {p}", [-1.5, 0.0, 2.0], exponent=p)
case("powf", "empty", "x0 ** 1.5", positive(0), exponent=1.5)
for slope in (0.01, 0.3, 0.0, 1.0):
    case("leaky_relu", f"{slope}", f"leaky(x0, {slope})", [[-2.0, 0.5], [3.0, -1e-3]], slope=slope)
case("leaky_relu", "at_0", "leaky(x0, 0.2)", [0.0, -0.0, 1.0], slope=0.2, kink=True)
for alpha in (1.0, 0.5, 2.0):
    case("elu", f"{alpha}", f"elu(x0, {alpha})", [[-2.0, 0.5], [3.0, -0.1]], alpha=alpha)
case("elu", "far", "elu(x0, 1.0)", [-700.0, -40.0, 700.0], alpha=1.0)
case("elu", "empty", "elu(x0, 1.0)", uniform(2, 0), alpha=1.0)
x = [[-2.0, -0.3], [0.2, 1.7]]
for lo, hi in ((-0.5, 0.5), (None, 0.5), (0.0, None), (-9.0, 9.0)):
    case("clip", f"{lo},{hi}", f"clip(x0, {lo}, {hi})", x, lo=lo, hi=hi)
case("clip", "at_a_bound", "clip(x0, -0.5, 0.5)", [-0.5, 0.5, 0.6, 0.4], lo=-0.5, hi=0.5, kink=True)
case("clip", "empty", "clip(x0, -0.5, 0.5)", uniform(0, 2), lo=-0.5, hi=0.5)

# Two operands: shapes that broadcast.
SHAPES = [((), (2, 3)), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3)), ((1,), (1, 1)), ((2, 3), (2, 3)), ((5, 1), (1, 7))]
BINARY = {
    "add": "x0 + x1",
    "sub": "x0 - x1",
    "mul": "x0 * x1",
    "div": "x0 / x1",
    "pow": "x0 ** x1",
    "atan2": "jnp.arctan2(x0, x1)",
    "maximum": "jnp.maximum(x0, x1)",
    "minimum": "jnp.minimum(x0, x1)",
}
for op, expr in BINARY.items():
    seed(op)
    for a, b in SHAPES:
        label = "x".join(map(str, a)) + "," + "x".join(map(str, b))
        first = positive(*a) if op == "pow" else uniform(*a)
        second = positive(*b) if op in ("div", "atan2") else uniform(*b)
        case(op, label, expr, first, second)
for op, expr in (("maximum", "jnp.maximum(x0, x1)"), ("minimum", "jnp.minimum(x0, x1)")):
    case(op, "ties", expr, [[1.0, 2.0, 3.0]], [[1.0], [2.0]], kink=True)
case("div", "negative", "x0 / x1", uniform(3), [-2.0, 0.5, -0.3])
case("atan2", "quadrants", "jnp.arctan2(x0, x1)", [1.0, 1.0, -1.0, -1.0, 0.0, 0.0], [2.0, -2.0, 2.0, -2.0, 1.0, -1.0], kink=True)
case("sub", "scalars", "x0 - x1", 2.0, 3.0)

case("where", "cond_2x1", "jnp.where(jnp.asarray([[True], [False]]), x0, x1)", uniform(3), uniform(), cond=[[True], [False]])
case("where", "all", "jnp.where(jnp.asarray([True, True]), x0, x1)", uniform(4, 2), uniform(1, 2), cond=[True, True])
case("where", "none", "jnp.where(jnp.asarray([False, False]), x0, x1)", uniform(2), uniform(2), cond=[False, False])
case("where", "scalar_cond", "jnp.where(jnp.asarray(True), x0, x1)", uniform(2, 1), uniform(3), cond=True)
case("where", "not_taken", "jnp.where(jnp.asarray([True, False]), x0, x1)", [1.0, np.inf], [np.nan, 2.0], cond=[True, False], kink=True)
case("where", "empty", "jnp.where(jnp.asarray([True, False]), x0, x1)", uniform(0, 2), uniform(2), cond=[True, False])
