//! Special points of elementwise operations, as `docs/src/special-points.md` lists them: poles, ends of domains, powers at 0,
//! saturation, NaN, branches that are not taken, probabilities of 0 and 1.

use gradus::{Float, Graph, Var};
use ndarray::{Array1, array};

use crate::support::panicked;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// The derivatives of `f` at `at`, from the value (order 0) up to `N - 1`.
fn orders<const N: usize>(at: f64, f: impl for<'g> Fn(Var<'g>) -> Var<'g>) -> [f64; N] {
    let g = Graph::new();
    let x = g.input("x", at);
    let mut y = f(x);
    std::array::from_fn(|_| {
        let value = y.item().unwrap();
        y = y.grad_or_zeros(x);
        value
    })
}

/// The derivatives `∂ᵐ⁺ⁿf/∂aᵐ∂bⁿ` at a point.
fn partial(at: (f64, f64), [m, n]: [usize; 2], f: impl for<'g> Fn(Var<'g>, Var<'g>) -> Var<'g>) -> f64 {
    let g = Graph::new();
    let (a, b) = (g.input("a", at.0), g.input("b", at.1));
    let mut y = f(a, b);
    (0..m).for_each(|_| y = y.grad_or_zeros(a));
    (0..n).for_each(|_| y = y.grad_or_zeros(b));
    y.item().unwrap()
}

/// Equality in which NaN is NaN.
#[track_caller]
fn same<const N: usize>(found: [f64; N], expected: [f64; N]) {
    let equal = found.iter().zip(&expected).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
    assert!(equal, "{found:?}, not {expected:?}");
}

#[test]
fn ends_of_domains() {
    same(orders(0.0, |x| x.sqrt()), [0.0, INF]);
    same(orders(0.0, |x| x.rsqrt()), [INF, -INF]);
    same(orders(0.0, |x| x.cbrt()), [0.0, INF]);
    same(orders(0.0, |x| x.ln()), [-INF, INF, -INF]);
    same(orders(0.0, |x| x.log2()), [-INF, INF, -INF]);
    same(orders(0.0, |x| x.log10()), [-INF, INF, -INF]);
    same(orders(-1.0, |x| x.ln_1p()), [-INF, INF, -INF]);
    for end in [1.0, -1.0] {
        same(orders(end, |x| x.asin()), [std::f64::consts::FRAC_PI_2 * end, INF, INF * end]);
        same(
            orders(end, |x| x.acos()),
            [if end > 0.0 { 0.0 } else { std::f64::consts::PI }, -INF, -INF * end],
        );
        same(orders(end, |x| x.atanh()), [INF * end, INF, INF * end]);
        same(orders(end, |x| x.erf_inv()), [INF * end, INF, INF * end]);
    }
    same(orders(1.0, |x| x.acosh()), [0.0, INF, -INF]);
    type Row = (f64, fn(Var<'_>) -> Var<'_>);
    let outside: &[Row] = &[
        (-1.0, |x| x.sqrt()),
        (-1.0, |x| x.rsqrt()),
        (-1.0, |x| x.log2()),
        (-1.0, |x| x.log10()),
        (1.5, |x| x.asin()),
        (-1.5, |x| x.acos()),
        (0.5, |x| x.acosh()),
        (-1.5, |x| x.acosh()),
        (1.5, |x| x.atanh()),
        (-1.5, |x| x.erf_inv()),
    ];
    for &(at, f) in outside {
        same(orders(at, f), [NAN; 1]);
    }
}

#[test]
fn poles_of_the_gamma_function() {
    same(orders(0.0, |x| x.lgamma()), [INF, -INF, INF]);
    same(orders(-2.0, |x| x.lgamma()), [INF, NAN, INF]);
    same(orders(-0.0, |x| x.digamma()), [INF, INF, -INF]);
    same(orders(1.0, |x| x.lgamma()), [0.0, -0.577_215_664_901_532_9]);
    same(orders(2.0, |x| x.lgamma()), [0.0]);
    same(orders(INF, |x| x.lgamma()), [INF, INF, 0.0]);
    same(orders(NAN, |x| x.lgamma()), [NAN, NAN, NAN]);
}

#[test]
fn jumps_have_no_slope() {
    for at in [-1.0, -0.5, 0.0, 0.5, 2.0] {
        same(orders(at, |x| x.floor()), [at.floor(), 0.0, 0.0]);
        same(orders(at, |x| x.ceil()), [at.ceil(), 0.0, 0.0]);
        same(orders(at, |x| x.trunc()), [at.trunc(), 0.0, 0.0]);
        same(orders(at, |x| x.round()), [at.round_ties_even(), 0.0, 0.0]);
    }
    assert_eq!([0.5, 1.5, 2.5, -2.5].map(|at| orders::<1>(at, |x| x.round())[0]), [0.0, 2.0, 2.0, -2.0]);
}

#[test]
fn at_the_bounds_of_clip_it_is_the_number() {
    same(orders(-1.0, |x| x.clip(-1.0, 2.0)), [-1.0, 1.0, 0.0]);
    same(orders(2.0, |x| x.clip(-1.0, 2.0)), [2.0, 1.0, 0.0]);
    same(orders(2.5, |x| x.clip(-1.0, 2.0)), [2.0, 0.0, 0.0]);
    same(orders(-5.0, |x| x.clip(None, 2.0)), [-5.0, 1.0, 0.0]);
    same(orders(5.0, |x| x.clip(-1.0, None)), [5.0, 1.0, 0.0]);
    same(orders(5.0, |x| x.clip(None, None)), [5.0, 1.0, 0.0]);
    // As NumPy: the upper bound has the last word.
    same(orders(0.0, |x| x.clip(3.0, 2.0)), [2.0, 0.0]);
    assert!(orders::<1>(NAN, |x| x.clip(-1.0, 1.0))[0].is_nan());
    let g = Graph::new();
    let x = g.input("x", 0.5);
    assert_eq!(x.clip(-0.5, None).to_string(), "x.clip(-0.5, None)");
    assert_eq!(x.clip(-0.5, 2.0).to_string(), "x.clip(-0.5, 2)");
}

#[test]
fn kinks_of_activations() {
    same(orders(0.0, |x| x.elu(0.5)), [0.0, 0.5, 0.5]);
    same(orders(0.0, |x| x.elu(1.0)), [0.0, 1.0, 1.0]);
    same(orders(0.0, |x| x.softsign()), [0.0, 1.0, 0.0]);
    same(orders(0.0, |x| x.copysign(-1.0)), [-0.0, 0.0, 0.0]);
    same(orders(2.0, |x| x.copysign(-1.0)), [-2.0, -1.0, 0.0]);
    assert_eq!(partial((2.0, -3.0), [0, 1], |a, b| a.copysign(b)), 0.0);
}

#[test]
fn variable_powers_at_zero() {
    let pow: for<'g> fn(Var<'g>, Var<'g>) -> Var<'g> = |a, b| a.pow(b);
    // By the base, at every order up to the third: those of the polynomial.
    for (b, expected) in [
        (0.0, [1.0, 0.0, 0.0, 0.0]),
        (1.0, [0.0, 1.0, 0.0, 0.0]),
        (2.0, [0.0, 0.0, 2.0, 0.0]),
        (3.0, [0.0, 0.0, 0.0, 6.0]),
    ] {
        same([0, 1, 2, 3].map(|m| partial((0.0, b), [m, 0], pow)), expected);
        same(orders(0.0, |x| x.pow(b)), expected);
    }
    same([0, 1, 2].map(|m| partial((0.0, 1.5), [m, 0], pow)), [0.0, 0.0, INF]);
    same([0, 1].map(|m| partial((0.0, -1.0), [m, 0], pow)), [INF, -INF]);
    // By the exponent: the limit 0, and 0 at 0⁰ by convention.
    for b in [0.0, 0.5, 1.0, 2.0] {
        same([1, 2, 3].map(|n| partial((0.0, b), [0, n], pow)), [0.0; 3]);
    }
    assert_eq!(partial((0.0, 2.0), [1, 1], pow), 0.0);
    // ∂a aᵇ = b aᵇ⁻¹ is 0 at b = 0, but it does not stay so: ∂b ∂a aᵇ = 1/a there, whichever comes first.
    same([0, 1, 2, 3].map(|m| partial((4.0, 0.0), [m, 0], pow)), [1.0, 0.0, 0.0, 0.0]);
    same([0, 1, 2, 3].map(|m| partial((-2.0, 0.0), [m, 0], pow)), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(partial((4.0, 0.0), [1, 1], pow), 0.25);
    assert_eq!(partial((4.0, 0.0), [2, 1], pow), -0.0625);
    assert_eq!(partial((NAN, 0.0), [1, 0], pow), 0.0);
    // A negative base: the polynomial by the base, nothing by the exponent.
    same([0, 1, 2, 3].map(|m| partial((-2.0, 3.0), [m, 0], pow)), [-8.0, 12.0, -12.0, 6.0]);
    assert!(partial((-2.0, 3.0), [0, 1], pow).is_nan());
    assert!(partial((NAN, 2.0), [0, 0], pow).is_nan());
    assert_eq!(partial((NAN, 0.0), [0, 0], pow), 1.0);
}

#[test]
fn entropies_of_nothing() {
    let f: for<'g> fn(Var<'g>, Var<'g>) -> Var<'g> = |a, b| a.xlogy(b);
    let all = |a, b| [[0, 0], [1, 0], [0, 1]].map(|order| partial((a, b), order, f));
    same(all(0.0, 0.0), [0.0, -INF, 0.0]);
    same(all(0.0, 2.0), [0.0, 2_f64.ln(), 0.0]);
    same(all(0.0, -1.0), [0.0, NAN, -0.0]);
    same(all(0.0, INF), [0.0, INF, 0.0]);
    same(all(2.0, 0.0), [-INF, -INF, INF]);
    assert!(partial((0.0, NAN), [0, 0], f).is_nan());
    assert_eq!(partial((0.0, 2.0), [1, 1], f), 0.5);
    assert_eq!(partial((0.0, 2.0), [0, 2], f), 0.0);
    // With itself: x ln x, whose slope at 0 is -∞ as its limit; written with a product it is 0 · -∞.
    same(orders(0.0, |x| x.xlogy(x)), [0.0, -INF]);
    assert!(orders::<1>(0.0, |x| x * x.ln())[0].is_nan());
}

#[test]
fn lengths_and_angles_at_the_origin() {
    let hypot: for<'g> fn(Var<'g>, Var<'g>) -> Var<'g> = |a, b| a.hypot(b);
    same([[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]].map(|k| partial((0.0, 0.0), k, hypot)), [0.0; 6]);
    let large = 2_f64.powi(600);
    let at = |k| partial((3.0 * large, 4.0 * large), k, hypot);
    same([[0, 0], [1, 0]].map(at), [5.0 * large, 0.6]);
    assert!((at([2, 0]) * large - 0.128).abs() < 1e-16);
    assert_eq!(partial((INF, NAN), [0, 0], hypot), INF);
    assert!(partial((1.0, NAN), [0, 0], hypot).is_nan());
    let atan2: for<'g> fn(Var<'g>, Var<'g>) -> Var<'g> = |a, b| a.atan2(b);
    same([[0, 0], [1, 0], [0, 1]].map(|k| partial((0.0, 0.0), k, atan2)), [0.0, NAN, NAN]);
    let pi = std::f64::consts::PI;
    assert_eq!([(0.0, -1.0), (-0.0, -1.0), (0.0, 1.0)].map(|at| partial(at, [0, 0], atan2)), [pi, -pi, 0.0]);
    assert_eq!(partial((1e200, 1e200), [1, 0], atan2), 0.5 / 1e200);
}

#[test]
fn saturation_at_800() {
    for sign in [1.0, -1.0] {
        let at = 800.0 * sign;
        let right = if sign > 0.0 { 1.0 } else { 0.0 };
        same(orders(at, |x| x.sigmoid()), [right, 0.0, 0.0]);
        same(orders(at, |x| x.tanh()), [sign, 0.0, 0.0]);
        same(orders(at, |x| x.softplus()), [800.0 * right, right, 0.0]);
        same(orders(at, |x| x.log_sigmoid()), [800.0 * (right - 1.0), 1.0 - right, 0.0]);
        same(orders(at, |x| x.elu(0.5)), [if sign > 0.0 { at } else { -0.5 }, right, 0.0]);
        same(orders(at, |x| x.selu()).map(f64::abs).map(|y| f64::from(y > 0.0)), [1.0, right, 0.0]);
        same(orders(at, |x| x.gelu()), [at * right, right, 0.0]);
        same(orders(at, |x| x.gelu_tanh()), [at * right, right, 0.0]);
        same(orders(at, |x| x.silu()), [at * right, right, 0.0]);
        same(orders(at, |x| x.mish()), [at * right, right, 0.0]);
        same(orders(at, |x| x.erf()), [sign, 0.0, 0.0]);
        same(orders(at, |x| x.erfc()), [2.0 - 2.0 * right, 0.0, 0.0]);
        same(orders(at, |x| x.ndtr()), [right, 0.0, 0.0]);
    }
}

#[test]
fn nan_stays_nan() {
    type Row = (&'static str, fn(Var<'_>) -> Var<'_>);
    let rows: &[Row] = &[
        ("maximum", |x| x.maximum(1.0)),
        ("minimum", |x| x.minimum(1.0)),
        ("max", |x| gradus::concat(&[x.expand_dims(0), (x * 0.0 + 1.0).expand_dims(0)], 0).max()),
        ("relu", |x| x.relu()),
        ("leaky_relu", |x| x.leaky_relu(0.1)),
        ("elu", |x| x.elu(1.0)),
        ("abs", |x| x.abs()),
        ("sign", |x| x.sign()),
        ("floor", |x| x.floor()),
        ("round", |x| x.round()),
        ("exp2", |x| x.exp2()),
        ("log2", |x| x.log2()),
        ("log10", |x| x.log10()),
        ("cbrt", |x| x.cbrt()),
        ("rsqrt", |x| x.rsqrt()),
        ("tan", |x| x.tan()),
        ("asin", |x| x.asin()),
        ("acos", |x| x.acos()),
        ("atan", |x| x.atan()),
        ("sinh", |x| x.sinh()),
        ("cosh", |x| x.cosh()),
        ("asinh", |x| x.asinh()),
        ("acosh", |x| x.acosh()),
        ("atanh", |x| x.atanh()),
        ("softsign", |x| x.softsign()),
        ("erfc", |x| x.erfc()),
        ("erf_inv", |x| x.erf_inv()),
        ("ndtr", |x| x.ndtr()),
        ("digamma", |x| x.digamma()),
        ("polygamma", |x| x.polygamma(2)),
        ("remainder", |x| x.remainder(2.0)),
        ("atan2", |x| x.atan2(2.0)),
        ("copysign", |x| x.copysign(-2.0)),
        ("gelu", |x| x.gelu()),
        ("silu", |x| x.silu()),
        ("mish", |x| x.mish()),
    ];
    for (name, f) in rows {
        assert!(orders::<1>(NAN, f)[0].is_nan(), "{name}");
    }
}

#[test]
fn branches_that_are_not_taken() {
    type Row = (f64, fn(Var<'_>) -> Var<'_>, [f64; 3]);
    let rows: &[Row] = &[
        (0.0, |x| x.gt(0.0).select(x.sqrt(), 0.0), [0.0; 3]),
        (0.0, |x| x.gt(0.0).select(x.ln() * x, 0.0), [0.0; 3]),
        (0.0, |x| x.gt(0.0).select(1.0 / x, x * 2.0), [0.0, 2.0, 0.0]),
        (-2.0, |x| x.gt(0.0).select(x.powf(1.5), x.square()), [4.0, -4.0, 2.0]),
        (800.0, |x| x.gt(0.0).select(x, x.exp()), [800.0, 1.0, 0.0]),
        (800.0, |x| x.gt(0.0).select(x.square(), x.exp() - (-x).exp()), [640_000.0, 1600.0, 2.0]),
        (0.0, |x| x.eq(0.0).select(1.0, x.sin() / x), [1.0, 0.0, 0.0]),
        (0.0, |x| x.ne(0.0).select(x.lgamma() + x.cbrt(), x.exp()), [1.0; 3]),
        (2.0, |x| x.lt(1.0).select(x.atanh().acosh(), x), [2.0, 1.0, 0.0]),
        (0.0, |x| x.gt(0.0).select(x.xlogy(x).sqrt(), x.square()), [0.0, 0.0, 2.0]),
    ];
    for (k, &(at, f, expected)) in rows.iter().enumerate() {
        let found = orders(at, f);
        assert!(found == expected, "row {k}: {found:?}, not {expected:?}");
    }
}

#[test]
fn softmax_at_a_thousand_and_of_nothing() {
    let least = -INF;
    let value = |y: Var<'_>| y.value().unwrap().into_raw_vec_and_offset().0;
    let g = Graph::new();
    let x = g.input("x", array![1000.0, -1000.0, 0.0]);
    let c = array![1.0, 2.0, 5.0];
    assert_eq!(value(x.softmax(0)), [1.0, 0.0, 0.0]);
    assert_eq!(value((x.softmax(0) * &c).sum().grad(x)), [0.0; 3]);
    assert_eq!(value(x.log_softmax(0)), [0.0, -2000.0, -1000.0]);
    assert_eq!(value((x.log_softmax(0) * &c).sum().grad(x)), [-7.0, 2.0, 5.0]);
    assert_eq!(x.logsumexp().item().unwrap(), 1000.0);
    assert_eq!(value(x.logsumexp().grad(x)), [1.0, 0.0, 0.0]);
    assert_eq!(value((x.logsumexp().grad(x) * &c).sum().grad(x)), [0.0; 3]);
    // One of them -∞: it has no weight, and the others are as if it were not there.
    x.set_value(array![0.0, least, 0.0]).unwrap();
    assert_eq!(value(x.softmax(0)), [0.5, 0.0, 0.5]);
    assert_eq!(value((x.softmax(0) * &c).sum().grad(x)), [-1.0, 0.0, 1.0]);
    assert_eq!(value(x.log_softmax(0)), [-2_f64.ln(), least, -2_f64.ln()]);
    assert_eq!(x.logsumexp().item().unwrap(), 2_f64.ln());
    assert_eq!(value(x.logsumexp().grad(x)), [0.5, 0.0, 0.5]);
    // All of them.
    x.set_value(array![least, least, least]).unwrap();
    assert_eq!(x.logsumexp().item().unwrap(), least);
    assert!(value(x.softmax(0)).iter().chain(&value(x.log_softmax(0))).all(|y| y.is_nan()));
}

/// The cross-entropy of two classes as it is written, in f32 and f64: `T` is the type.
fn cross_entropy<'g, T: Float>(a: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
}

#[test]
fn cross_entropy_of_certain_probabilities() {
    let g = Graph::new();
    let (a, y) = (g.input("a", 0.5), g.input("y", 0.5));
    let written = cross_entropy(a, y);
    let guarded = -(y.xlogy(a) + (1.0 - y).xlogy(1.0 - a));
    // As written, 0 ln 0 is NaN; with xlogy it is 0, and so is the derivative with respect to the probability but for 1/a.
    for (p, t, value, slope) in
        [(0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 0.0, -1.0), (0.0, 1.0, INF, -INF), (1.0, 0.0, INF, INF)]
    {
        a.set_value(p).unwrap();
        y.set_value(t).unwrap();
        assert_eq!(guarded.item().unwrap(), value, "{p} {t}");
        assert_eq!(guarded.grad(a).item().unwrap(), slope, "{p} {t}");
        assert_eq!(written.item().unwrap().is_nan(), value == 0.0, "{p} {t}");
    }
    // With respect to the target it is the logarithm of the odds.
    a.set_value(0.25).unwrap();
    for t in [0.0, 0.5, 1.0] {
        y.set_value(t).unwrap();
        assert!((written.grad(y).item().unwrap() - 3_f64.ln()).abs() < 1e-15);
    }
    a.set_value(0.0).unwrap();
    assert_eq!(written.grad(y).item().unwrap(), INF);
    assert_eq!(guarded.grad(y).item().unwrap(), INF);
}

#[test]
fn cross_entropy_of_certain_logits() {
    let g = Graph::new();
    let (z, y) = (g.input("z", 0.0), g.input("y", 0.0));
    for cost in [cross_entropy(z.sigmoid(), y), z.softplus() - y * z] {
        for (logit, t, value, slope) in [
            (1000.0, 1.0, 0.0, 0.0),
            (1000.0, 0.0, 1000.0, 1.0),
            (-1000.0, 1.0, 1000.0, -1.0),
            (-1000.0, 0.0, 0.0, 0.0),
            (1000.0, 0.25, 750.0, 0.75),
        ] {
            z.set_value(logit).unwrap();
            y.set_value(t).unwrap();
            assert_eq!(cost.item().unwrap(), value, "{cost} {logit} {t}");
            assert_eq!(cost.grad(z).item().unwrap(), slope, "{cost} {logit} {t}");
            assert_eq!(cost.grad(z).grad(z).item().unwrap(), 0.0, "{cost} {logit} {t}");
            assert_eq!(cost.grad(y).item().unwrap(), -logit, "{cost} {logit} {t}");
            assert_eq!(cost.grad(y).grad(z).item().unwrap(), -1.0, "{cost} {logit} {t}");
        }
    }
}

#[test]
fn shapes_of_two_that_clash() {
    let g = Graph::new();
    let (a, b) = (g.input("a", Array1::<f64>::ones(3)), g.input("b", Array1::<f64>::ones(2)));
    for (name, f) in [
        ("pow", (|a, b| a.pow(b)) as for<'g> fn(Var<'g>, Var<'g>) -> Var<'g>),
        ("atan2", |a, b| a.atan2(b)),
        ("hypot", |a, b| a.hypot(b)),
        ("direction", |a, b| a.direction(b)),
        ("xlogy", |a, b| a.xlogy(b)),
        ("remainder", |a, b| a.remainder(b)),
        ("copysign", |a, b| a.copysign(b)),
    ] {
        let text = panicked(|| f(a, b)).text;
        assert!(text.starts_with(&format!("`{name}` cannot broadcast")), "{text}");
        assert!(text.contains("3 (axis 0) != 2 (axis 0)"), "{text}");
    }
}

#[test]
fn printed_as_they_are_written() {
    let g = Graph::new();
    let (a, b) = (g.input("a", 0.5), g.input("b", 0.25));
    for (formula, text) in [
        (a.pow(b), "a.pow(b)"),
        (a.atan2(b), "a.atan2(b)"),
        (a.hypot(b), "a.hypot(b)"),
        (a.xlogy(1.0 - b), "a.xlogy(1 - b)"),
        (a.polygamma(2), "a.polygamma(2)"),
        (a.elu(0.5), "a.elu(0.5)"),
        (a.log2().asinh(), "a.log2().asinh()"),
        (a.gelu(), "a * a.ndtr()"),
        (a.log_sigmoid(), "-(-a).softplus()"),
        (a.lgamma().grad(a), "a.digamma()"),
        (a.asin().grad(a), "(1 - a.square()).rsqrt()"),
    ] {
        assert_eq!(formula.to_string(), text);
    }
}
