//! One wide hidden layer: big products.

use gradus::Graph;
use gradus::optim::Sgd;

use super::{Parameters, Problem, data};

/// 256 examples in rows, `relu(X W₁ + b₁) W₂ + b₂` against targets, mean squared error, gradient descent.
pub fn wide(g: &Graph) -> Problem<'_, f32, 1> {
    let x = g.input("X", data::uniform(&[256, 1024], 1));
    let t = g.input("T", data::uniform(&[256, 1024], 2));
    let mut p = Parameters::of(g);
    let w1 = p.weight("W1", [1024, 4096], 10, 1.0 / 32.0);
    let b1 = p.zeros("b1", [4096]);
    let w2 = p.weight("W2", [4096, 1024], 11, 1.0 / 64.0);
    let b2 = p.zeros("b2", [1024]);

    Problem::new(p, move || {
        let out = (x.dot(w1) + b1).relu().dot(w2) + b2;
        let cost = (out - t).square().mean();
        (cost, Sgd::new(0.01).minimize(cost, [w1, b1, w2, b2]))
    })
}
