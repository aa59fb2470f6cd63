//! A classifier with two hidden layers, examples in rows: products, and Adam.

use gradus::Graph;
use gradus::optim::Adam;

use super::{Parameters, Problem, data};

/// 128 pictures of 28 × 28 pixels, 784-512-256-10 units, softmax cross-entropy.
pub fn mlp(g: &Graph) -> Problem<'_, f32, 1> {
    let x = g.input("X", data::uniform(&[128, 784], 1));
    let classes = g.input("y", data::classes(128, 2, 10));
    let mut p = Parameters::of(g);
    let units: [usize; 4] = [784, 512, 256, 10];
    let layers = [1, 2, 3].map(|l: usize| {
        let (rows, columns) = (units[l - 1], units[l]);
        let scale = 1.0 / (rows as f64).sqrt();
        let w = p.weight(&format!("W{l}"), [rows, columns], 9 + l as u32, scale);
        let b = p.zeros(&format!("b{l}"), [columns]);
        [w, b]
    });

    Problem::new(p, move || {
        let [[w1, b1], [w2, b2], [w3, b3]] = layers;
        let a = (x.dot(w1) + b1).relu();
        let a = (a.dot(w2) + b2).relu();
        let cost = (a.dot(w3) + b3).cross_entropy(classes);
        (cost, Adam::new(1e-3).minimize(cost, layers))
    })
}
