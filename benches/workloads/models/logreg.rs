//! Logistic regression.

use gradus::Graph;
use gradus::optim::Sgd;

use super::{Parameters, Problem, cross_entropy, data};

/// 209 pictures of 64 × 64 pixels in three colours, as columns: `z = wᵀ X + b`, gradient descent.
pub fn logreg(g: &Graph) -> Problem<'_, f32, 1> {
    let x = g.input("X", data::uniform(&[12288, 209], 1));
    let y = g.input("y", data::binary(&[1, 209], 2));
    let mut p = Parameters::of(g);
    let w = p.zeros("w", [12288, 1]);
    let b = p.zeros("b", [1, 1]);

    Problem::new(p, move || {
        let z = w.t().dot(x) + b;
        let cost = cross_entropy(z, y);
        (cost, Sgd::new(0.005).minimize(cost, [w, b]))
    })
}
