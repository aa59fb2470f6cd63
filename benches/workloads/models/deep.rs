//! Four layers on pictures in columns: flat products.

use gradus::Graph;
use gradus::optim::Sgd;

use super::{Parameters, Problem, cross_entropy, data};

/// `A ← relu(W A + b)` three times, then the logits `W A + b`; gradient descent.
pub fn deep(g: &Graph) -> Problem<'_, f32, 1> {
    let x = g.input("X", data::uniform(&[12288, 209], 1));
    let y = g.input("y", data::binary(&[1, 209], 2));
    let mut p = Parameters::of(g);
    let units: [usize; 5] = [12288, 20, 7, 5, 1];
    let layers = [1, 2, 3, 4].map(|l: usize| {
        let (rows, columns) = (units[l], units[l - 1]);
        let scale = 1.0 / (columns as f64).sqrt();
        let w = p.weight(&format!("W{l}"), [rows, columns], 9 + l as u32, scale);
        let b = p.zeros(&format!("b{l}"), [rows, 1]);
        [w, b]
    });

    let weights = p.handles();
    Problem::new(p, move || {
        let [hidden @ .., [w, b]] = layers;
        let a = hidden.iter().fold(x, |a, [w, b]| (w.dot(a) + *b).relu());
        let cost = cross_entropy(w.dot(a) + b, y);
        (cost, Sgd::new(0.0075).minimize(cost, &weights))
    })
}
