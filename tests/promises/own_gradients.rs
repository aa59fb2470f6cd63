//! Gradients of a user's own for composed expressions.

use gradus::check::Check;
use gradus::prelude::*;
use gradus::{Graph, Var};
use ndarray::{ArrayD, array};

use crate::support::{Rng, assert_close, panicked};

fn value(x: Var<'_>) -> ArrayD<f64> {
    x.value().unwrap()
}

#[test]
fn a_right_rule_changes_no_derivative_of_any_order() {
    let g = Graph::new();
    let x = g.input("x", Rng(1).array(&[2, 3], -1.0, 1.0));
    let w = g.param("w", Rng(2).array(&[3], 0.5, 1.5));
    let plain = (x * w).sin();
    let own = plain.with_gradient((x, w), |g| (g * w * (x * w).cos(), (g * x * (x * w).cos()).sum_axis(0)));
    let derivatives = |y: Var<'_>| {
        let mut f = (y * y).sum();
        let mut all = vec![value(f)];
        for k in 0..4 {
            let (dx, dw) = f.grad((x, w));
            all.extend([value(dx), value(dw)]);
            f = (dx * (0.3 + f64::from(k))).sum() + (dw * w).sum();
        }
        all
    };
    for (own, plain) in derivatives(own).iter().zip(derivatives(plain)) {
        assert_close(own, &plain, 1e-12);
    }
    let report = Check::new().order(2).gradient(own.square(), (x, w)).unwrap();
    assert!(report.compared == 4 && report.error < 1e-8);
}

#[test]
fn the_rule_is_what_counts_at_every_order() {
    let g = Graph::new();
    let x = g.input("x", array![0.5, -2.0]);
    // Of the value x², the rule says 10 g sin x.
    let y = (x * x).with_gradient(x, |g| 10.0 * g * x.sin());
    assert_eq!(value(y), array![0.25, 4.0].into_dyn());
    let first = (3.0 * y).sum().grad(x);
    assert_close(&value(first), &value(30.0 * x.sin()), 1e-14);
    let second = first.sum().grad(x);
    assert_close(&value(second), &value(30.0 * x.cos()), 1e-14);
    assert_close(&value(second.sum().grad(x)), &value(-30.0 * x.sin()), 1e-14);
    // Through what follows the value, and what it is made of.
    let chain = (y * y).sum().grad(x);
    assert_close(&value(chain), &value(2.0 * x * x * 10.0 * x.sin()), 1e-13);
    let inner = (2.0 * x).square().with_gradient(2.0 * x, |g| g);
    assert_eq!(value(inner.sum().grad(x)), array![2.0, 2.0].into_dyn());
    assert_eq!(value(y.jvp(x, g.constant(array![1.0, 2.0]))), value(10.0 * x.sin() * array![1.0, 2.0]));
    assert_close(&value(y.sum().hvp(x, x)), &value(10.0 * x.cos() * x), 1e-14);
    assert_close(&value(y.jacobian(x)).sum_axis(ndarray::Axis(0)), &value(10.0 * x.sin()), 1e-14);
}

#[test]
fn everything_else_is_a_constant() {
    let g = Graph::new();
    let (x, w) = (g.input("x", 2.0), g.param("w", 3.0));
    let y = (x * w).with_gradient(x, |g| 7.0 * g);
    assert_eq!(y.grad(x).item().unwrap(), 7.0);
    let text = y.try_grad(w).unwrap_err().to_string();
    assert!(text.starts_with(
        "`grad`: the result depends on `w` only through `with_gradient`, which has no derivative"
    ));
    assert_eq!(y.grad_or_zeros(w).item().unwrap(), 0.0);
    assert_eq!((y * w).grad(w).item().unwrap(), 6.0);
    // A rule for a variable that the value does not depend on.
    let other = x.square().with_gradient(w, |g| g * x);
    assert_eq!(other.grad(w).item().unwrap(), 2.0);
    let nothing = x.square().with_gradient((), |_| ());
    assert!(nothing.try_grad(x).is_err());
}

#[test]
fn rules_within_rules() {
    let g = Graph::new();
    let x = g.input("x", array![0.3, 0.9]);
    // The gradient is -g, and the gradient of that with respect to g is 5.
    let y = x.exp().with_gradient(x, |g| (-g).with_gradient(g, |h| 5.0 * h));
    assert_eq!(value(y.sum().grad(x)), array![-1.0, -1.0].into_dyn());
    let twice = y.with_gradient(x, |g| y.vjp(2.0 * g, x));
    assert_eq!(value(twice.sum().grad(x)), array![-2.0, -2.0].into_dyn());
    let v = g.input("v", array![1.0, 1.0]);
    assert_eq!(value(y.vjp(v, x).sum().grad(v)), array![5.0, 5.0].into_dyn());
    assert_eq!(value(twice.vjp(v, x).sum().grad(v)), array![10.0, 10.0].into_dyn());
}

#[test]
fn a_rule_follows_the_sizes_that_are_fed_and_runs_under_a_checkpoint() {
    let g = Graph::new();
    let x = g.input("x", array![[0.3, 0.9]]);
    let w = g.param("w", array![[1.0, 0.5], [0.2, -0.3]]);
    let layers = |marked: bool| {
        (0..4).fold(x, |h, k| {
            let h = h.dot(w).tanh();
            let h = h.with_gradient(h, |g| g / (1.0 + (g * g).sum_keepdims(1)).sqrt());
            if marked && k % 2 == 1 { h.checkpoint() } else { h }
        })
    };
    let (plain, marked) = (layers(false).sum().grad(w), layers(true).sum().grad(w));
    assert_eq!(value(plain), value(marked));
    x.set_value(Rng(3).array(&[5, 2], -1.0, 1.0)).unwrap();
    let before = value(layers(false).sum().grad(w));
    assert_eq!(value(plain), before);
    assert_eq!(value(marked), before);
}

#[test]
fn the_value_is_computed_as_it_would_be_without() {
    let g = Graph::new();
    let z = g.input("z", array![-800.0, 3.0]);
    // The stabilised value, though a gradient of its own stands between.
    let y = z.sigmoid().with_gradient(z, |g| g).ln();
    assert_eq!(value(y), value(-(-z).softplus()));
    let program = g.compile(y.sum(), ()).unwrap();
    drop(program);
    assert_eq!(y.to_string(), "z.sigmoid().with_gradient(z).ln()");
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0, 3.0]);
    let n = g.input("n", array![1_i64]);
    let panic = panicked(|| x.sin().with_gradient(x, |g| g.slice(0, ..2)));
    let first = panic.text.lines().next().unwrap();
    assert_eq!(first, "`with_gradient` requires a cotangent of shape (3,) and of f64, got (2,)");
    assert!(panic.file.ends_with("own_gradients.rs"));
    let text = panicked(|| n.cast::<f64>().with_gradient(n, |g| g.cast())).text;
    assert!(text.starts_with("`grad` requires floats, got i64"), "{text}");
    let mut stolen = None;
    let _ = x.with_gradient(x, |g| *stolen.insert(g));
    let text = stolen.unwrap().value().unwrap_err().to_string();
    assert!(text.contains("has no value"), "{text}");
    let clipped = x.with_gradient(x, |g| g.minimum(1.0));
    let text = clipped.square().try_jvp(x, x).unwrap_err().to_string();
    assert_eq!(text, "`jvp` requires derivative rules that are linear in the cotangent");
}
