//! The graphs that the book draws.

use gradus::Error;
use gradus::prelude::*;
use gradus::view::Drawing;

/// Each picture, with the name of its file.
pub fn pictures() -> Result<[(&'static str, String); 3], Error> {
    Ok([
        ("computation_graph.svg", computation_graph()?),
        ("network.svg", network()?),
        ("gradients.svg", gradients()?),
    ])
}

/// J = 3 (a + b c), with the values and the derivatives of all steps.
fn computation_graph() -> Result<String, Error> {
    let g = Graph::new();
    let (a, b, c) = (g.input("a", 5.0), g.input("b", 3.0), g.input("c", 2.0));
    let u = (b * c).named("u");
    let v = (a + u).named("v");
    let j = (3.0 * v).named("J");
    Drawing::of(j).values().gradients(j).to_svg()
}

/// The cost of a network with a hidden layer of four, on 400 points of a plane.
fn network() -> Result<String, Error> {
    let g = Graph::new();
    let (cost, _) = two_layers(&g);
    Drawing::of(cost).collapsed().to_svg()
}

/// The same with its gradients, each a formula of the layer behind it.
fn gradients() -> Result<String, Error> {
    let g = Graph::new();
    let (cost, [z1, z2, w1, b1, w2, b2]) = two_layers(&g);
    let [dz1, dz2, dw1, db1, dw2, db2] = cost.grad([z1, z2, w1, b1, w2, b2]);
    dz1.named("dZ1");
    dz2.named("dZ2");
    let gradients = [dw1.named("dW1"), db1.named("db1"), dw2.named("dW2"), db2.named("db2")];
    Drawing::of((cost, gradients)).collapsed().to_svg()
}

/// The cost, and what its gradients are taken of: Z1, Z2, W1, b1, W2, b2.
fn two_layers(g: &Graph) -> (Var<'_>, [Var<'_>; 6]) {
    let x = g.placeholder::<f64>("X", [2, 400]);
    let y = g.placeholder::<f64>("Y", [1, 400]);
    let w1 = g.param("W1", Array2::<f64>::zeros((4, 2)));
    let b1 = g.param("b1", Array2::<f64>::zeros((4, 1)));
    let w2 = g.param("W2", Array2::<f64>::zeros((1, 4)));
    let b2 = g.param("b2", Array2::<f64>::zeros((1, 1)));
    let m = y.size_of(1).named("m");
    let z1 = (w1.dot(x) + b1).named("Z1");
    let a1 = z1.tanh().named("A1");
    let z2 = (w2.dot(a1) + b2).named("Z2");
    let a2 = z2.sigmoid().named("A2");
    let likelihood = y * a2.ln() + (1.0 - y) * (1.0 - a2).ln();
    let cost = (-likelihood.sum() / m).named("J");
    (cost, [z1, z2, w1, b1, w2, b2])
}
