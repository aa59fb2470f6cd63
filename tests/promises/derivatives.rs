//! Derivatives beyond the gradient: high orders, Jacobians of any rank, products with them.

use gradus::prelude::*;
use gradus::{Graph, Var, concat};
use ndarray::{ArrayD, Axis, IxDyn, array};

use crate::support::{Rng, assert_close, difference};

fn value(x: Var<'_>) -> ArrayD<f64> {
    x.value().unwrap()
}

#[test]
fn derivatives_of_high_order_of_one_variable() {
    let at = 0.7_f64;
    let g = Graph::new();
    let x = g.input("x", at);
    let factorial = |n: usize| (1..=n).product::<usize>() as f64;
    let (sin, cos) = at.sin_cos();
    for n in 1..=6 {
        let sign = |n: usize| if n.is_multiple_of(2) { 1.0 } else { -1.0 };
        let falling = |p: f64| (0..n).map(|k| p - k as f64).product::<f64>();
        let known = [
            ("sin", x.sin(), [sin, cos, -sin, -cos][n % 4]),
            ("exp", (2.0 * x).exp(), 2_f64.powi(n as i32) * (2.0 * at).exp()),
            ("ln", x.ln(), -sign(n) * factorial(n - 1) / at.powi(n as i32)),
            ("recip", x.recip(), sign(n) * factorial(n) / at.powi(n as i32 + 1)),
            ("divided", 1.0 / (1.0 + x), sign(n) * factorial(n) / (1.0 + at).powi(n as i32 + 1)),
            ("powi", x.powi(5), falling(5.0) * at.powi(5 - n as i32)),
            ("powf", x.powf(2.5), falling(2.5) * at.powf(2.5 - n as f64)),
            ("sqrt", x.sqrt(), falling(0.5) * at.powf(0.5 - n as f64)),
            ("products", x * x * x * x, if n > 4 { 0.0 } else { falling(4.0) * at.powi(4 - n as i32) }),
        ];
        for (name, f, expected) in known {
            // What has become a constant has no gradient any more.
            let f = (0..n).fold(f, |f, _| f.grad_or_zeros(x));
            let found = f.item().unwrap();
            let error = (found - expected).abs() / (1.0 + expected.abs());
            assert!(error < 1e-11, "{name}, order {n}: {found}, not {expected}");
        }
    }
}

#[test]
fn each_order_is_the_slope_of_the_one_before() {
    let g = Graph::new();
    let x = g.input("x", 0.35);
    let softmax = concat(&[x.expand_dims(0), (x * x).expand_dims(0)], 0).softmax(0).slice(0, ..1).sum();
    let formulas: Vec<(&str, Var<'_>)> = vec![
        ("tanh", x.tanh()),
        ("sigmoid", x.sigmoid()),
        ("softplus", x.softplus()),
        ("gelu", x.gelu()),
        ("erf", x.erf()),
        ("pow", (1.0 + x).powf(-1.3) * x),
        ("softmax", softmax),
        ("logsumexp", concat(&[x.expand_dims(0), x.sin().expand_dims(0)], 0).logsumexp_axis(0)),
        (
            "layer norm",
            (x.expand_dims(0) * array![1.0, -0.5, 2.0]).sin().layer_norm(0, 0.1).slice(0, 1..2).sum(),
        ),
        ("textbook", -(0.3 * x.sigmoid().ln() + 0.7 * (1.0 - x.sigmoid()).ln())),
        ("checkpoint", (x.sin().checkpoint() * x).tanh().checkpoint().exp()),
    ];
    for (name, f) in formulas {
        let mut below = f;
        for order in 1..=4 {
            let next = below.grad(x);
            let mut program = g.compile(below, ()).unwrap();
            let mut at = |t: f64| program.run_with(&[x.feed(&arr0(0.35 + t))]).unwrap()[[]];
            let (found, expected) = (next.item().unwrap(), difference(&mut at, 0.004));
            let error = (found - expected).abs() / (1.0 + expected.abs());
            assert!(error < 1e-8, "{name}, order {order}: {found}, not {expected}");
            below = next;
        }
    }
}

/// The Jacobian by differences.
fn differences(y: Var<'_>, x: Var<'_>) -> ArrayD<f64> {
    let at = value(x);
    let mut program = x.graph().compile(y, ()).unwrap();
    let shape = y.shape();
    let mut jacobian = ArrayD::zeros(IxDyn(&[shape.size(), at.len()]));
    for k in 0..at.len() {
        let mut moved = |t: f64| {
            let mut x_at = at.as_standard_layout().into_owned();
            x_at.as_slice_mut().unwrap()[k] += t;
            program.run_with(&[x.feed(&x_at)]).unwrap().to_owned()
        };
        let (up, down) = (moved(1e-4), moved(-1e-4));
        let (far, low) = (moved(2e-4), moved(-2e-4));
        let slope = (8.0 * (up - down) - (far - low)) / 12e-4;
        jacobian.index_axis_mut(Axis(1), k).assign(&slope.flatten());
    }
    let shape: Vec<usize> = shape.iter().chain(at.shape()).copied().collect();
    jacobian.into_shape_with_order(shape).unwrap()
}

/// Formulas of a matrix, a vector and a number, with results of every rank.
fn formulas<'g>(a: Var<'g>, u: Var<'g>, s: Var<'g>) -> Vec<(&'static str, Var<'g>)> {
    let image = (a.dot(a.t()) * s).expand_dims([0, 1]);
    let kernel = (u.slice(0, ..2).expand_dims(1) * u.slice(0, 1..).expand_dims(0)).expand_dims([0, 1]);
    vec![
        ("number", (a.sin() * u).sum() * s),
        ("vector", (a.dot(u) * s).tanh()),
        ("matrix", (a * u + s).square()),
        ("stack of matrices", a.expand_dims(2) * (u * s).exp()),
        ("four axes", a.tanh().expand_dims([2, 3]) * a.expand_dims([0, 1]) * u * s),
        ("batched product", (a.expand_dims(0) * s).matmul(u.expand_dims([0, 2]))),
        ("convolution", image.conv2d(kernel)),
        ("pool", ((image + 0.1 * s).avg_pool2d(2, 1) * u.sum()).sin()),
        ("largest of windows", image.max_pool2d(2, 1) * u.sum()),
        ("softmax", (a * s).softmax(1) * u),
        ("cross-entropy", (a * u + s).cross_entropy_each(array![2_i64, 0])),
        ("picked", (a * u * s).pick(0, array![1_i64, 0, 1]).exp()),
        ("concatenation", concat(&[a * s * u, u.expand_dims(0), a.sin()], 0)),
        ("parts", (a * u).split(1, 3)[1].dot(s.expand_dims(0)).cos()),
        ("checkpoint", (a.dot(u).sin().checkpoint() * s).exp()),
        (
            "own gradient",
            (a * u * s).with_gradient((a, u, s), |g| (g * u * s, (g * a * s).sum_axis(0), (g * a * u).sum())),
        ),
        ("function of its own", (a * u).mapv("sinh", f64::sinh, |x, _, g| g * x.cosh_of()) * s),
    ]
}

trait CoshOf {
    fn cosh_of(self) -> Self;
}

impl CoshOf for Var<'_> {
    fn cosh_of(self) -> Self {
        0.5 * (self.exp() + (-self).exp())
    }
}

#[test]
fn jacobians_of_every_rank_with_respect_to_several_variables() {
    let g = Graph::new();
    let a = g.param("a", Rng(1).array(&[2, 3], -1.0, 1.0));
    let u = g.param("u", Rng(2).array(&[3], 0.5, 1.5));
    let s = g.param("s", 0.8);
    for (name, y) in formulas(a, u, s) {
        let (ja, ju, js) = y.jacobian((a, u, s));
        for (jacobian, x) in [(ja, a), (ju, u), (js, s)] {
            let shape: Vec<usize> = y.shape().iter().chain(&*x.shape()).copied().collect();
            assert_eq!(jacobian.shape()[..], shape, "{name}");
            assert_close(&value(jacobian), &differences(y, x), 1e-8);
        }
        // Products with it, from either side.
        let mut rng = Rng(3);
        let [da, du, ds] = [a, u, s].map(|x| g.constant(rng.array(&x.shape(), -1.0, 1.0)));
        let v = g.constant(rng.array(&y.shape(), -1.0, 1.0));
        let along = y.jvp((a, u, s), (da, du, ds));
        let (va, vu, vs) = y.vjp(v, (a, u, s));
        let (left, right) = ((v * along).sum(), (va * da).sum() + (vu * du).sum() + (vs * ds).sum());
        let (left, right) = (left.item().unwrap(), right.item().unwrap());
        assert!((left - right).abs() < 1e-12 * (1.0 + left.abs()), "{name}: {left} {right}");
        let summed = (ja * da).sum_axis([-2, -1]) + (ju * du).sum_axis(-1) + js * ds;
        assert_close(&value(along), &value(summed), 1e-12);
        // The derivative of a derivative, whichever way.
        let hessian = (y * v).sum().grad(a).jacobian(u);
        assert_close(&value(hessian), &differences(y.vjp(v, a), u), 1e-7);
    }
}

#[test]
fn what_has_no_batch_belongs_to_the_sizes_that_it_was_recorded_with() {
    let g = Graph::new();
    let x = g.input("x", array![0.1, 0.2, 0.3]);
    let y = x.mapv("double", |x| 2.0 * x, |_, _, g| 2.0 * g).sin();
    let free = (2.0 * x).sin().jacobian(x);
    let rows = y.jacobian(x);
    assert_close(&value(rows), &value(free), 1e-15);
    let through =
        x.sin().mapv("half", |x| 0.5 * x, |x, _, g| (g * x / x).mapv("same", |g| g, |_, _, h| h) * 0.5);
    assert_close(&value(through.jacobian(x)), &value((0.5 * x.sin()).jacobian(x)), 1e-15);
    let rows = through.jacobian(x);
    x.set_value(array![0.1, 0.2]).unwrap();
    assert_eq!(value(free).shape(), [2, 2]);
    let text = rows.value().unwrap_err().to_string();
    assert!(text.contains("`reshape` cannot make (3,) from (2,)"), "{text}");
}
