//! The conventions at special points, as the book's page on kinks states them.

use gradus::ndarray::{ArrayD, arr0};
use gradus::prelude::*;

/// The value and the first derivatives of `f` at `x`.
fn derivatives<const N: usize>(x: f64, f: impl for<'g> Fn(Var<'g>) -> Var<'g>) -> [f64; N] {
    let g = Graph::new();
    let v = g.input("x", x);
    let mut y = f(v);
    let mut found = [0.0; N];
    for place in &mut found {
        *place = y.item().unwrap();
        y = y.grad_or_zeros(v);
    }
    found
}

#[test]
fn one_sided_slopes() {
    assert_eq!(derivatives(0.0, |x| x.relu()), [0.0, 0.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.abs()), [0.0, 0.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.leaky_relu(0.2)), [0.0, 0.2, 0.0]);
    assert_eq!(derivatives(2.0, |x| x.sign()), [1.0, 0.0]);
    assert_eq!(derivatives(1.0, |x| x.maximum(1.0)), [1.0, 0.5, 0.0]);
    assert_eq!(derivatives(1.0, |x| x.minimum(1.0)), [1.0, 0.5, 0.0]);
    assert_eq!(derivatives(1.0, |x| x.maximum(x)), [1.0, 1.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.sqrt()), [0.0, f64::INFINITY]);
    // relu and the maximum with 0 are two operations with two conventions, and stay so.
    assert_eq!(derivatives(0.0, |x| x.maximum(0.0)), [0.0, 0.5]);
}

#[test]
fn powers_at_zero() {
    assert_eq!(derivatives(0.0, |x| x.powi(0)), [1.0, 0.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powi(1)), [0.0, 1.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powi(2)), [0.0, 0.0, 2.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powi(3)), [0.0, 0.0, 0.0, 6.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powf(0.0)), [1.0, 0.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powf(1.0)), [0.0, 1.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powf(2.0)), [0.0, 0.0, 2.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powf(3.0)), [0.0, 0.0, 0.0, 6.0, 0.0]);
    assert_eq!(derivatives(-2.0, |x| x.powf(3.0)), [-8.0, 12.0, -12.0, 6.0, 0.0]);
    assert_eq!(derivatives(0.0, |x| x.powf(0.5)), [0.0, f64::INFINITY]);
    assert_eq!(derivatives(0.0, |x| x.square()), [0.0, 0.0, 2.0, 0.0]);
}

#[test]
fn ties_share_evenly() {
    let g = Graph::new();
    let x = g.input("x", array![[3.0, 1.0, 3.0], [2.0, 2.0, 2.0]]);
    assert_eq!(x.max().grad(x).value().unwrap(), array![[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]].into_dyn());
    let rows = x.max_axis(1).sum().grad(x).value().unwrap();
    let third = 1.0 / 3.0;
    assert_eq!(rows, array![[0.5, 0.0, 0.5], [third, third, third]].into_dyn());
    assert_eq!(
        x.min_keepdims(0).sum().grad(x).value().unwrap(),
        array![[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]].into_dyn()
    );
    let (a, b) = (g.input("a", array![1.0, 2.0]), g.input("b", array![1.0, 5.0]));
    let [da, db] = a.maximum(b).sum().grad([a, b]);
    assert_eq!(
        (da.value().unwrap(), db.value().unwrap()),
        (array![0.5, 0.0].into_dyn(), array![0.5, 1.0].into_dyn())
    );
}

#[test]
fn nan_propagates() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, f64::NAN, 0.0]);
    let nan_at_one = |e: Var<'_>| {
        e.value().unwrap().iter().map(|x| x.is_nan()).collect::<Vec<_>>() == [false, true, false]
    };
    for e in [
        x.maximum(1.0),
        x.minimum(0.5),
        1.0 - x,
        x.relu(),
        x.leaky_relu(0.1),
        x.abs(),
        x.sign(),
        x.sigmoid(),
        x.softplus(),
        x.tanh(),
    ] {
        assert!(nan_at_one(e), "{e}");
    }
    for e in [x.sum(), x.mean(), x.max(), x.min()] {
        assert!(e.item().unwrap().is_nan(), "{e}");
    }
    assert_eq!(x.argmax().item().unwrap(), 1);
    assert_eq!(x.lt(5.0).value().unwrap(), array![true, false, true].into_dyn());
    // No rule makes a number of it.
    assert!(((x - x) + x * 0.0 + x / x).sum().item().unwrap().is_nan());
    assert!((0.0 * g.input("infinite", f64::INFINITY)).item().unwrap().is_nan());
}

#[test]
fn the_branch_that_is_not_taken_is_silent() {
    // At x = 0 and below, the other branch is infinite or NaN, and so is its derivative.
    type Case = (&'static str, fn(Var<'_>) -> Var<'_>);
    let cases: [Case; 9] = [
        ("sqrt", |x| x.gt(0.0).select(x.sqrt(), 0.0)),
        ("ln", |x| x.gt(0.0).select(x.ln(), x * 2.0)),
        ("1/x", |x| x.gt(0.0).select(1.0 / x, 1.0)),
        ("the other way round", |x| x.le(0.0).select(0.0, x.sqrt().ln())),
        ("a chain", |x| x.gt(0.0).select((x.ln() * x.recip()).sqrt().sin(), x)),
        ("nested", |x| x.gt(0.0).select(x.lt(9.0).select(x.ln(), x), x.square())),
        ("negated", |x| -x.gt(0.0).select(-x.ln(), 3.0)),
        ("scaled", |x| 2.0 * x.gt(0.0).select(x.powf(0.5) * 3.0, 3.0)),
        ("used twice", |x| {
            let root = x.sqrt();
            x.gt(0.0).select(root + root * root, 3.0)
        }),
    ];
    for (what, f) in cases {
        let g = Graph::new();
        let x = g.input("x", array![-1.0, 0.0, 4.0]);
        let y = f(x);
        let slope = y.sum().grad(x);
        let slopes = slope.value().unwrap();
        assert!(y.value().unwrap().iter().chain(&slopes).all(|x| x.is_finite()), "{what}: {slopes}");
        let alone = g.input("alone", 4.0);
        assert!((f(alone).grad(alone).item().unwrap() - slopes[2]).abs() < 1e-12, "{what}");
        let second = slope.sum().grad_or_zeros(x).value().unwrap();
        assert!(second.iter().all(|x| x.is_finite()), "{what}, second derivative: {second}");
    }
    // The same with a branch that is broadcast.
    let g = Graph::new();
    let b = g.input("b", 0.0);
    let x = g.input("x", array![1.0, 2.0]);
    let y = x.lt(0.0).select(b.sqrt(), x);
    assert_eq!(y.sum().grad(b).item().unwrap(), 0.0);
}

/// The textbook cost of one example, as it is written.
fn textbook<'g, T: Float>(z: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    let a = z.sigmoid();
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
}

fn by_hand<'g, T: Float>(z: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    let a = 1.0 / (1.0 + (-z).exp());
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
}

fn from_exp<'g, T: Float>(z: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    (1.0 + z.exp()).ln() - y * z
}

fn cross_entropy<T: Float>(cost: impl for<'g> Fn(Var<'g, T>, Var<'g, T>) -> Var<'g, T>, accuracy: f64) {
    let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
    for z in [-1000.0, -40.0, -2.0, 0.0, 0.5, 40.0, 88.0, 1000.0] {
        for y in [0.0, 1.0, 0.3] {
            let g = Graph::new();
            let (zv, yv) = (g.input("z", arr0(T::from_f64(z))), g.input("y", arr0(T::from_f64(y))));
            let j = cost(zv, yv);
            let [dz, dy] = j.grad([zv, yv]);
            let (j, slope, dy) =
                (j.item().unwrap().to_f64(), dz.item().unwrap().to_f64(), dy.item().unwrap().to_f64());
            let expected = y * softplus(-z) + (1.0 - y) * softplus(z);
            let near = |a: f64, b: f64| (a - b).abs() <= accuracy * (1.0 + b.abs());
            assert!(near(j, expected), "cost at z = {z}, y = {y}: {j}, not {expected}");
            let sigmoid = 1.0 / (1.0 + (-z).exp());
            assert!(near(slope, sigmoid - y), "slope at z = {z}, y = {y}: {slope}");
            assert!(near(dy, -z), "slope in y at z = {z}, y = {y}: {dy}");
            let curvature = dz.grad(zv).item().unwrap().to_f64();
            assert!(near(curvature, sigmoid * (1.0 - sigmoid)), "curvature at z = {z}: {curvature}");
            if z == 0.0 && y != 0.3 {
                assert_eq!(slope, 0.5 - y);
            }
        }
    }
}

#[test]
fn cross_entropy_saturates_gracefully() {
    cross_entropy::<f64>(textbook, 1e-14);
    cross_entropy::<f32>(textbook, 1e-6);
    cross_entropy::<f64>(by_hand, 1e-14);
    cross_entropy::<f32>(by_hand, 1e-6);
    cross_entropy::<f64>(from_exp, 1e-13);
}

#[test]
fn saturated_functions_have_finite_derivatives() {
    for x in [-800.0, 800.0] {
        for f in [|x: Var<'_>| x.sigmoid(), |x: Var<'_>| x.tanh(), |x: Var<'_>| x.softplus()]
            as [fn(Var<'_>) -> Var<'_>; 3]
        {
            let found: [f64; 3] = derivatives(x, f);
            assert!(found.iter().all(|x| x.is_finite()), "{found:?}");
        }
    }
    // ln(σ(z)) in the tail, where σ(z) itself is 0.
    assert_eq!(derivatives(-1000.0, |z| z.sigmoid().ln()), [-1000.0, 1.0]);
    assert_eq!(derivatives(-1000.0, |z| z.exp().ln()), [-1000.0, 1.0]);
}

#[test]
fn a_variable_in_between_is_not_rewritten_away() {
    for z in [-1000.0, -3.0, 0.0, 3.0] {
        let g = Graph::new();
        let z = g.input("z", z);
        let y = g.input("y", 0.25);
        let a = z.sigmoid();
        let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
        let together = cost.grad([a, z]);
        let apart = [cost.grad(a), cost.grad(z)];
        for (one, other) in together.into_iter().zip(apart) {
            let (one, other) = (one.item().unwrap(), other.item().unwrap());
            assert!(one == other || (one.is_nan() && other.is_nan()), "{one} {other}");
        }
        let expected = a.item().unwrap();
        let da = -0.25 / expected + 0.75 / (1.0 - expected);
        assert!((together[0].item().unwrap() - da).abs() <= 1e-12 * da.abs() || da.is_infinite());
    }
}

#[test]
fn empty_arrays_are_legal() {
    let g = Graph::new();
    let x = g.input("x", ArrayD::<f64>::zeros(&[0, 3][..]));
    let w = g.param("w", Array2::<f64>::ones((3, 2)));
    let cost = x.dot(w).sigmoid().sum();
    assert_eq!(cost.item().unwrap(), 0.0);
    let [dx, dw] = cost.grad([x, w]);
    assert_eq!(dx.value().unwrap().shape(), [0, 3]);
    assert_eq!(dw.value().unwrap(), Array2::<f64>::zeros((3, 2)).into_dyn());
}
