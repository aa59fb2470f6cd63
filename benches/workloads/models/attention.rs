//! A transformer's block.

use gradus::optim::Sgd;
use gradus::{Graph, Var};

use super::{Parameters, Problem, data};

const HEADS: usize = 4;
/// What layer norm adds to the variance.
const EPSILON: f64 = 1e-5;

/// `(examples, places, 128)` as `(examples, heads, places, 32)`.
fn heads(x: Var<'_, f32>) -> Var<'_, f32> {
    let [examples, places, width] = [0, 1, 2].map(|axis| x.shape()[axis]);
    x.reshape([examples, places, HEADS, width / HEADS]).transpose([0, 2, 1, 3])
}

/// `softmax(q kᵀ / √32) v` in each head, and the heads side by side again.
fn attend(qkv: Var<'_, f32>) -> Var<'_, f32> {
    let parts = qkv.split(-1, 3);
    let [q, k, v] = [0, 1, 2].map(|i| heads(parts[i]));
    let scale = 1.0 / (q.shape()[3] as f64).sqrt();
    let a = (q.matmul(k.transpose([0, 1, 3, 2])) * scale).softmax(-1).matmul(v);
    let [examples, _, places, width] = [0, 1, 2, 3].map(|axis| a.shape()[axis]);
    a.transpose([0, 2, 1, 3]).reshape([examples, places, HEADS * width])
}

/// 8 sequences of 64 places and 128 numbers: attention and a network of one hidden layer, both with layer norms before and
/// with residual connections; mean squared error, gradient descent.
pub fn attention(g: &Graph) -> Problem<'_, f32, 1> {
    let x = g.input("X", data::uniform(&[8, 64, 128], 1));
    let t = g.input("T", data::uniform(&[8, 64, 128], 2));
    let mut p = Parameters::of(g);
    let scale = 1.0 / 128_f64.sqrt();
    let g1 = p.full("g1", [128], 1.0);
    let h1 = p.zeros("h1", [128]);
    let wqkv = p.weight("Wqkv", [128, 384], 10, scale);
    let bqkv = p.zeros("bqkv", [384]);
    let wo = p.weight("Wo", [128, 128], 11, scale);
    let bo = p.zeros("bo", [128]);
    let g2 = p.full("g2", [128], 1.0);
    let h2 = p.zeros("h2", [128]);
    let w1 = p.weight("W1", [128, 512], 12, scale);
    let b1 = p.zeros("b1", [512]);
    let w2 = p.weight("W2", [512, 128], 13, 1.0 / 512_f64.sqrt());
    let b2 = p.zeros("b2", [128]);

    let weights = p.handles();
    Problem::new(p, move || {
        let a = attend((x.layer_norm(-1, EPSILON) * g1 + h1).matmul(wqkv) + bqkv);
        let r = x + a.matmul(wo) + bo;
        let normal = r.layer_norm(-1, EPSILON) * g2 + h2;
        let hidden = (normal.matmul(w1) + b1).gelu_tanh();
        let out = r + hidden.matmul(w2) + b2;
        let cost = (out - t).square().mean();
        (cost, Sgd::new(0.01).minimize(cost, &weights))
    })
}
