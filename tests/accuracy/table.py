"""Values and derivatives of the scalar functions, to more digits than a double has: makes `table.csv`.

Run with Python 3 and mpmath 1.4.1: `python3 table.py > table.csv`. A row is

    function,attribute,x,value,rest,first,second,c0,c1,c2

`value + rest` is the value to about 70 bits, `first` and `second` are derivatives, and `c0`, `c1`, `c2` the condition numbers
|x f'/f|, |x f''/f'| and |x f'''/f''|. A derivative that is no finite number is empty.
"""

import random
import struct

import mpmath as mp

mp.mp.prec = 2400
one, two, three, half = mp.mpf(1), mp.mpf(2), mp.mpf(3), mp.mpf(1) / 2


def power(p):
    p = mp.mpf(p)

    def f(x):
        out, c, q = [], mp.mpf(1), p
        for _ in range(4):
            out.append(c * root_power(x, q) if c else mp.mpf(0))
            c, q = c * q, q - 1
        return out

    return f


def root_power(x, q):
    if x >= 0 or q == int(q):
        return mp.power(x, int(q)) if q == int(q) else mp.power(x, q)
    return mp.nan


def cbrt(x):
    a = abs(x)
    s = mp.sign(x)
    y = mp.cbrt(a)
    return [s * y, y / (3 * a), -2 * s * y / (9 * a * a), 10 * y / (27 * a * a * a)]


def log(base):
    c = 1 / mp.log(base)
    return lambda x: [c * mp.log(x), c / x, -c / x**2, 2 * c / x**3]


def tan(x):
    t = mp.tan(x)
    q = 1 + t * t
    return [t, q, 2 * t * q, 2 * q * (1 + 3 * t * t)]


def asin(x):
    s = mp.sqrt(1 - x * x)
    return [mp.asin(x), 1 / s, x / s**3, (1 + 2 * x * x) / s**5]


def acos(x):
    return [mp.acos(x)] + [-d for d in asin(x)[1:]]


def atan(x):
    q = 1 + x * x
    return [mp.atan(x), 1 / q, -2 * x / q**2, (6 * x * x - 2) / q**3]


def tanh(x):
    t = mp.tanh(x)
    q = mp.sech(x) ** 2
    return [t, q, -2 * t * q, q * (6 * t * t - 2)]


def asinh(x):
    r = mp.sqrt(1 + x * x)
    return [mp.asinh(x), 1 / r, -x / r**3, (2 * x * x - 1) / r**5]


def acosh(x):
    r = mp.sqrt(x * x - 1)
    return [mp.acosh(x), 1 / r, -x / r**3, (2 * x * x + 1) / r**5]


def atanh(x):
    q = 1 - x * x
    return [mp.atanh(x), 1 / q, 2 * x / q**2, (2 + 6 * x * x) / q**3]


def sigmoid(x):
    s, r = 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))
    return [s, s * r, s * r * (r - s), s * r * (1 - 6 * s * r)]


def softplus(x):
    return [mp.log1p(mp.exp(x))] + sigmoid(x)[:3]


def log_sigmoid(x):
    f = softplus(-x)
    return [-f[0], f[1], -f[2], f[3]]


def softsign(x):
    q, s = 1 + abs(x), mp.sign(x)
    return [x / q, 1 / q**2, -2 * s / q**3, 6 / q**4]


def elu(alpha):
    alpha = mp.mpf(alpha)
    return lambda x: [x, one, mp.mpf(0), mp.mpf(0)] if x > 0 else [alpha * mp.expm1(x)] + [alpha * mp.exp(x)] * 3


def chain(f, u):
    """Of f(u(x)), from the derivatives of both."""
    return [
        f[0],
        f[1] * u[1],
        f[2] * u[1] ** 2 + f[1] * u[2],
        f[3] * u[1] ** 3 + 3 * f[2] * u[1] * u[2] + f[1] * u[3],
    ]


def times(x, f):
    """Of x f(x)."""
    return [x * f[0], f[0] + x * f[1], 2 * f[1] + x * f[2], 3 * f[2] + x * f[3]]


def gelu_tanh(x):
    a, b = 2 * mp.sqrt(2 / mp.pi), mp.mpf(0.044715)
    u = [a * (x + b * x**3), a * (1 + 3 * b * x * x), a * 6 * b * x, a * 6 * b]
    return times(x, chain(sigmoid(u[0]), u))


def mish(x):
    u = softplus(x)
    return times(x, chain(tanh(u[0]), u))


def erf(x):
    d = 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)
    return [mp.erf(x), d, -2 * x * d, (4 * x * x - 2) * d]


def erfc(x):
    return [mp.erfc(x)] + [-d for d in erf(x)[1:]]


def ndtr(x):
    d = mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)
    return [mp.erfc(-x / mp.sqrt(2)) / 2, d, -x * d, (x * x - 1) * d]


def erf_inv(x):
    if x == 0:
        y = mp.mpf(0)
    elif abs(x) < mp.mpf(10) ** -30:
        y = x * mp.sqrt(mp.pi) / 2
    else:
        with mp.workprec(300):
            c = 1 - abs(x)
            y = mp.mpf(0.9) * mp.sqrt(-mp.log(c)) if c < half else mp.mpf(0.4)
            for _ in range(80):
                step = (mp.erfc(y) - c) / (2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
                y += step / (1 + y * step)
                if abs(step) < mp.mpf(10) ** -60:
                    break
            y *= mp.sign(x)
    d = mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return [y, d, 2 * y * d**2, d**3 * (2 + 8 * y * y)]


def gammas(order):
    """From the derivative of ln |Γ| of this order on."""

    def f(x):
        with mp.workprec(400):
            first = [mp.re(mp.loggamma(x))] if order == 0 else []
            low = max(order - 1, 0)
            return first + [mp.re(mp.psi(k, x)) for k in range(low, low + 4 - len(first))]

    return f


def hypot(b):
    b = mp.mpf(b)

    def f(x):
        r = mp.sqrt(x * x + b * b)
        return [r, x / r, b * b / r**3, -3 * b * b * x / r**5]

    return f


def direction(b):
    b = mp.mpf(b)

    def f(x):
        r = mp.sqrt(x * x + b * b)
        return [x / r, b * b / r**3, -3 * x * b * b / r**5, b * b * (12 * x * x - 3 * b * b) / r**7]

    return f


def atan2_y(b):
    b = mp.mpf(b)

    def f(y):
        q = y * y + b * b
        return [mp.atan2(y, b), b / q, -2 * b * y / q**2, b * (6 * y * y - 2 * b * b) / q**3]

    return f


def atan2_x(a):
    a = mp.mpf(a)

    def f(x):
        q = x * x + a * a
        return [mp.atan2(a, x), -a / q, 2 * a * x / q**2, a * (2 * a * a - 6 * x * x) / q**3]

    return f


def exponent(a):
    a = mp.mpf(a)
    l = mp.log(a)
    return lambda x: [mp.power(a, x) * l**k for k in range(4)]


def xlogy_a(b):
    l = mp.log(mp.mpf(b))
    return lambda x: [x * l, l, mp.mpf(0), mp.mpf(0)]


def xlogy_b(a):
    a = mp.mpf(a)
    return lambda x: [a * mp.log(x), a / x, -a / x**2, 2 * a / x**3]


def constant(f):
    return lambda attribute: f


ALL, POSITIVE, UNIT, ABOVE, ABOVE_MINUS = "all", "positive", "unit", "above 1", "above -1"
GAMMA = "gamma"
E = lambda x: [mp.exp(x)] * 4
FUNCTIONS = [
    ("exp", [0], constant(E), (-745, 709)),
    ("exp2", [0], constant(lambda x: [mp.power(2, x) * mp.log(2) ** k for k in range(4)]), (-1074, 1023)),
    ("exp_m1", [0], constant(lambda x: [mp.expm1(x)] + [mp.exp(x)] * 3), (-745, 709)),
    ("ln", [0], constant(log(mp.e)), POSITIVE),
    ("log2", [0], constant(log(2)), POSITIVE),
    ("log10", [0], constant(log(10)), POSITIVE),
    ("ln_1p", [0], constant(lambda x: [mp.log1p(x), 1 / (1 + x), -1 / (1 + x) ** 2, 2 / (1 + x) ** 3]), ABOVE_MINUS),
    ("sqrt", [0], constant(power(0.5)), POSITIVE),
    ("rsqrt", [0], constant(power(-0.5)), POSITIVE),
    ("cbrt", [0], constant(cbrt), ALL),
    ("square", [0], constant(power(2)), ALL),
    ("recip", [0], constant(power(-1)), ALL),
    ("powi", [3, -2], power, ALL),
    ("powf", [1.5, -0.75], power, POSITIVE),
    ("sin", [0], constant(lambda x: [mp.sin(x), mp.cos(x), -mp.sin(x), -mp.cos(x)]), (-1000, 1000)),
    ("cos", [0], constant(lambda x: [mp.cos(x), -mp.sin(x), -mp.cos(x), mp.sin(x)]), (-1000, 1000)),
    ("tan", [0], constant(tan), (-1000, 1000)),
    ("asin", [0], constant(asin), UNIT),
    ("acos", [0], constant(acos), UNIT),
    ("atan", [0], constant(atan), ALL),
    ("sinh", [0], constant(lambda x: [mp.sinh(x), mp.cosh(x)] * 2), (-710, 710)),
    ("cosh", [0], constant(lambda x: [mp.cosh(x), mp.sinh(x)] * 2), (-710, 710)),
    ("tanh", [0], constant(tanh), (-400, 400)),
    ("asinh", [0], constant(asinh), ALL),
    ("acosh", [0], constant(acosh), ABOVE),
    ("atanh", [0], constant(atanh), UNIT),
    ("sigmoid", [0], constant(sigmoid), (-745, 745)),
    ("softplus", [0], constant(softplus), (-745, 745)),
    ("log_sigmoid", [0], constant(log_sigmoid), (-745, 745)),
    ("softsign", [0], constant(softsign), ALL),
    ("elu", [0.75], elu, (-745, 745)),
    ("silu", [0], constant(lambda x: times(x, sigmoid(x))), (-745, 745)),
    ("mish", [0], constant(mish), (-745, 745)),
    ("gelu", [0], constant(lambda x: times(x, ndtr(x))), (-38, 38)),
    ("gelu_tanh", [0], constant(gelu_tanh), (-21, 21)),
    ("erf", [0], constant(erf), (-27, 27)),
    ("erfc", [0], constant(erfc), (-27, 27)),
    ("erf_inv", [0], constant(erf_inv), UNIT),
    ("ndtr", [0], constant(ndtr), (-38, 38)),
    ("lgamma", [0], constant(gammas(0)), GAMMA),
    ("digamma", [0], constant(gammas(1)), GAMMA),
    ("polygamma", [1, 2, 5], lambda n: gammas(n + 1), GAMMA),
    ("pow_base", [2.5, -3], power, POSITIVE),
    ("pow_exponent", [2.5, 0.01], exponent, (-300, 300)),
    ("hypot", [3], hypot, ALL),
    ("direction", [3], direction, ALL),
    ("atan2_y", [3, -0.5], atan2_y, ALL),
    ("atan2_x", [3, -0.5], atan2_x, ALL),
    ("xlogy_a", [2.5], xlogy_a, ALL),
    ("xlogy_b", [-1.25], xlogy_b, POSITIVE),
]


def narrow(x):
    """The nearest number in single precision."""
    return struct.unpack("f", struct.pack("f", x))[0]


def rounded(domain, x):
    """In single precision, if it stays inside of the domain and away from its ends."""
    small = narrow(x) if 1e-37 < abs(x) < 3e38 else 0
    ends = {UNIT: abs(small) >= 1, ABOVE: small <= 1, ABOVE_MINUS: small <= -1}
    return x if small == 0 or ends.get(domain, False) else small


def arguments(domain, draw):
    orders = [10.0**k for k in (-300, -150, -37, -20, -9, -4, -2)]
    large = [10.0**k for k in (1, 2, 5, 9, 17, 30, 80, 100, 160, 300)]
    near = [draw.uniform(0.05, 3) for _ in range(6)]
    if domain == GAMMA:
        both = [x for x in orders[1:] + near] + [draw.uniform(3, 30) for _ in range(4)]
        left = [draw.uniform(-6, 0) for _ in range(8)] + [-20.3, -90.75, -150.4]
        return both + large[:7] + left + [1.4616321449683622, 1.0, 2.0, 0.99999, 2.00001, 9.999, 10.001]
    if domain == UNIT:
        inside = [x for x in orders + [draw.uniform(0.02, 1) for _ in range(8)]]
        inside += [1 - 10.0**k for k in (-3, -5, -7)] + [1 - 2.0**-53, 0.5, 0.70710678]
        return inside + [-x for x in inside[::2]]
    if domain == ABOVE:
        return [1 + 10.0**k for k in (-15, -10, -6, -3, -1)] + [1 + x for x in near] + large
    if domain == ABOVE_MINUS:
        return orders + [-x for x in orders] + near + [-1 + 10.0**k for k in (-10, -5, -3)] + [-0.5, -0.75] + large
    if domain == POSITIVE:
        return orders + near + large + [1 + 1e-6, 1 - 1e-6]
    if domain == ALL:
        x = orders + near + large
        return x + [-x for x in x[::2]]
    low, high = domain
    x = orders + near + [-x for x in orders[::2] + near]
    size = max(abs(low), abs(high))
    for scale in (5, 20, 40, 100, 1000):
        if scale / 3 < size:
            x += [draw.uniform(max(low, -scale), min(high, scale)) for _ in range(5)]
    return x + [low * 0.999, high * 0.999]


def text(x):
    if not mp.isfinite(x):
        return ""
    if x == 0:
        return "0"
    if abs(x) > mp.mpf(2) ** 1024 * (1 - mp.mpf(2) ** -54):
        return "inf" if x > 0 else "-inf"
    if abs(x) < mp.mpf(2) ** -1022:
        return "1e-310" if x > 0 else "-1e-310"
    return repr(float(x))


def condition(x, f, d):
    if not (mp.isfinite(f) and mp.isfinite(d)) or f == 0:
        return "0"
    return "%.2g" % min(float(abs(x * d / f)), 1e300)


def main():
    for name, attributes, make, domain in FUNCTIONS:
        for attribute in attributes:
            draw = random.Random(name + str(attribute))
            f = make(attribute)
            for x in arguments(domain, draw):
                x = rounded(domain, x)
                d = f(mp.mpf(x))
                value = text(d[0])
                rest = "0"
                if value not in ("", "inf", "-inf") and not value.endswith("1e-310"):
                    rest = "%.3g" % float(d[0] - mp.mpf(float(value)))
                cells = [name, repr(attribute), repr(x), value, rest, text(d[1]), text(d[2])]
                print(",".join(cells + [condition(mp.mpf(x), d[k], d[k + 1]) for k in range(3)]), flush=True)


main()
