//! A network of four hidden units that tells points of the plane apart.

use gradus::optim::Sgd;
use gradus::{Graph, Var};

use super::{Parameters, Problem, cross_entropy, data};

type Parts<'g> = (Parameters<'g, f64>, [Var<'g>; 4], Box<dyn Fn() -> Var<'g> + 'g>);

/// 400 points in columns, `z = W₂ tanh(W₁ X + b₁) + b₂`, and the cross-entropy.
pub(super) fn network(g: &Graph) -> Parts<'_> {
    let x = g.input("X", data::uniform(&[2, 400], 1));
    let y = g.input("y", data::binary(&[1, 400], 2));
    let mut p = Parameters::of(g);
    let w1 = p.weight("W1", [4, 2], 10, 0.01);
    let b1 = p.zeros("b1", [4, 1]);
    let w2 = p.weight("W2", [1, 4], 11, 0.01);
    let b2 = p.zeros("b2", [1, 1]);

    let cost = move || {
        let a = (w1.dot(x) + b1).tanh();
        let z = w2.dot(a) + b2;
        cross_entropy(z, y)
    };
    (p, [w1, b1, w2, b2], Box::new(cost))
}

/// Gradient descent.
pub fn planar(g: &Graph) -> Problem<'_, f64, 1> {
    let (p, weights, cost) = network(g);
    Problem::new(p, move || {
        let cost = cost();
        (cost, Sgd::new(1.2).minimize(cost, weights))
    })
}
