//! What a first course on neural networks derives by hand, beside what gradus derives.

mod functions;
mod networks;
mod support;
mod textbook;

use gradus::ndarray::{ArrayD, IxDyn};
use gradus::prelude::*;
use support::{cross_entropy, labels, numbers};

#[test]
fn the_first_computation_graph() {
    let g = Graph::new();
    let (a, b, c) = (g.input("a", 5.0), g.input("b", 3.0), g.input("c", 2.0));
    let u = b * c;
    let v = a + u;
    let j = 3.0 * v;
    assert_eq!(j.item().unwrap(), 33.0);
    let d = j.grad([v, u, a, b, c]).map(|d| d.item().unwrap());
    assert_eq!(d, [3.0, 3.0, 3.0, 6.0, 9.0]);
}

#[test]
fn higher_derivatives_have_closed_forms() {
    let g = Graph::new();
    let x = g.input("x", 0.7);
    let mut d = [x.sin(), x.exp(), x.powi(4), x.tanh()];
    let v: f64 = 0.7;
    let t = v.tanh();
    let expected = [
        [v.cos(), v.exp(), 4.0 * v.powi(3), 1.0 - t * t],
        [-v.sin(), v.exp(), 12.0 * v * v, -2.0 * t * (1.0 - t * t)],
        [-v.cos(), v.exp(), 24.0 * v, (1.0 - t * t) * (6.0 * t * t - 2.0)],
        [v.sin(), v.exp(), 24.0, (1.0 - t * t) * (16.0 * t - 24.0 * t.powi(3))],
    ];
    for row in expected {
        d = d.map(|d| d.grad(x));
        for (found, expected) in d.iter().zip(row) {
            assert!((found.item().unwrap() - expected).abs() < 1e-12 * (1.0 + expected.abs()));
        }
    }
}

#[test]
fn a_hessian_is_symmetric() {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[3, 6], 1)), g.input("Y", labels(&[1, 6], 2)));
    let w = g.param("w", numbers(&[3, 1], 3));
    let a = w.t().dot(x).sigmoid();
    let gradient = cross_entropy(a, y).grad(w);
    let unit = |i: usize| ArrayD::from_shape_fn(IxDyn(&[3, 1]), |at| if at[0] == i { 1.0 } else { 0.0 });
    let rows: Vec<_> = (0..3).map(|i| (gradient * unit(i)).sum().grad(w).value().unwrap()).collect();
    // X diag(a (1 - a)) Xᵀ / m
    let closed = x.dot((x * (a * (1.0 - a))).t()) / 6.0;
    let closed = closed.value().unwrap();
    for i in 0..3 {
        for j in 0..3 {
            assert!((rows[i][[j, 0]] - rows[j][[i, 0]]).abs() < 1e-15);
            assert!((rows[i][[j, 0]] - closed[[i, j]]).abs() < 1e-14);
        }
    }
}
