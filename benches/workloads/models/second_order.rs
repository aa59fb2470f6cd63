//! Second derivatives.

use gradus::Graph;
use gradus::ndarray::ArrayD;

use super::planar::network;
use super::{Parameters, Problem, cross_entropy, data};

/// The Hessian of `planar`'s cost times a vector of ones.
pub fn hvp(g: &Graph) -> Problem<'_, f64, 4> {
    let (p, weights, cost) = network(g);
    let ones = weights.map(|w| g.constant(ArrayD::<f64>::ones(&*w.shape())));
    Problem::new(p, move || cost().hvp(weights, ones))
}

/// The Hessian of a logistic regression with 500 examples of 50 features, in rows.
pub fn hessian(g: &Graph) -> Problem<'_, f64, 1> {
    let x = g.input("X", data::uniform(&[500, 50], 1));
    let y = g.input("y", data::binary(&[500], 2));
    let mut p = Parameters::of(g);
    let w = p.weight("w", [50], 10, 0.1);

    Problem::new(p, move || {
        let cost = cross_entropy(x.dot(w), y);
        [cost.hessian(w)]
    })
}
