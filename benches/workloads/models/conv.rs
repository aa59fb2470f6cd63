//! A small convolutional network.

use gradus::optim::Adam;
use gradus::{Graph, Var};

use super::{Parameters, Problem, data};

/// Valid cross-correlation, bias, relu, and the largest of every 2 × 2.
fn block<'g>(x: Var<'g, f32>, k: Var<'g, f32>, c: Var<'g, f32>) -> Var<'g, f32> {
    (x.conv2d(k) + c.reshape([-1, 1, 1])).relu().max_pool2d(2, 2)
}

/// 32 pictures of 28 × 28 pixels (examples, channels, rows, columns): two blocks, a linear layer, softmax cross-entropy.
pub fn conv(g: &Graph) -> Problem<'_, f32, 1> {
    let x = g.input("X", data::uniform(&[32, 1, 28, 28], 1));
    let classes = g.input("y", data::classes(32, 2, 10));
    let mut p = Parameters::of(g);
    let k1 = p.weight("K1", [32, 1, 3, 3], 10, 1.0 / 3.0);
    let c1 = p.zeros("c1", [32]);
    let k2 = p.weight("K2", [64, 32, 3, 3], 11, 1.0 / 288_f64.sqrt());
    let c2 = p.zeros("c2", [64]);
    let w = p.weight("W", [1600, 10], 12, 1.0 / 40.0);
    let b = p.zeros("b", [10]);

    Problem::new(p, move || {
        let a = block(block(x, k1, c1), k2, c2);
        let logits = a.reshape([-1, 1600]).dot(w) + b;
        let cost = logits.cross_entropy(classes);
        (cost, Adam::new(1e-3).minimize(cost, [k1, c1, k2, c2, w, b]))
    })
}
