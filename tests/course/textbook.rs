//! A printed derivative is the textbook's: `golden/textbook.txt` holds what is printed, and each line is also what the
//! formula of the textbook, written by hand, prints and gives.

use std::fmt::Write;
use std::path::Path;

use gradus::nn::{self, Reduction};
use gradus::prelude::*;

use crate::support::{assert_equal, numbers};

/// The page, as it grows.
#[derive(Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        writeln!(self.0, "{gap}{text}").unwrap();
    }

    /// A derivative, which prints and gives what the textbook's formula does.
    #[track_caller]
    fn line(&mut self, what: &str, derived: Var<'_>, textbook: Var<'_>) {
        let printed = derived.to_string();
        assert_eq!(printed, textbook.to_string(), "{what}");
        assert_eq!(derived.simplify().to_string(), printed, "{what}, simplified twice");
        assert_equal(derived, textbook);
        assert_equal(derived.simplify(), textbook);
        writeln!(self.0, "{what} = {printed}").unwrap();
    }
}

fn cross_entropy<'g>(a: Var<'g>, y: Var<'g>, m: Var<'g>) -> Var<'g> {
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).sum() / m
}

fn scalars(page: &mut Page) {
    let g = Graph::new();
    let (a, b, c) = (g.input("a", 5.0), g.input("b", 3.0), g.input("c", 2.0));
    let x = g.input("x", 0.7);
    page.heading("J = 3 * (a + b * c)");
    let j = 3.0 * (a + b * c);
    page.line("∂J/∂a", j.grad(a), g.constant(3.0));
    page.line("∂J/∂b", j.grad(b), 3.0 * c);
    page.line("∂J/∂c", j.grad(c), 3.0 * b);
    page.heading("powers, products, quotients, chains");
    page.line("d/dx x³", x.powi(3).grad(x), 3.0 * x.square());
    page.line("d²/dx² x³", x.powi(3).grad(x).grad(x), 6.0 * x);
    page.line("d/dx √x", x.sqrt().grad(x), 1.0 / (2.0 * x.sqrt()));
    page.line("d/dx 1/x", (1.0 / x).grad(x), -1.0 / x.square());
    page.line("d/db a/b", (a / b).grad(b), -a / b.square());
    page.line("d/dx sin(x²)", x.square().sin().grad(x), 2.0 * x * x.square().cos());
    page.line("d/dx x·e⁻ˣ", (x * (-x).exp()).grad(x), (-x).exp() * (1.0 - x));
    page.line("d/dx e^(-x²/2)", (-x.square() / 2.0).exp().grad(x), -x * (-x.square() / 2.0).exp());
    page.line("d/dx sin(3x/10)", (x * 3.0 * 0.1).sin().grad(x), 0.3 * (x * 3.0 * 0.1).cos());
    page.line("d/dx xˣ", x.pow(x).grad(x), x * x.pow(x - 1.0) + x.pow(x) * x.ln());
    page.heading("activations: a = sigmoid(x), t = tanh(x)");
    let (s, t) = (x.sigmoid().named("s"), x.tanh().named("t"));
    page.line("ds/dx", s.grad(x), s * (1.0 - s));
    page.line("d²s/dx²", s.grad(x).grad(x), s * (1.0 - s) * (1.0 - 2.0 * s));
    let cubic = 1.0 - 6.0 * s + 6.0 * s.square();
    page.line("d³s/dx³", s.grad(x).grad(x).grad(x), s * (1.0 - s) * cubic);
    page.line("dt/dx", t.grad(x), 1.0 - t.square());
    page.line("d²t/dx²", t.grad(x).grad(x), -2.0 * t * (1.0 - t.square()));
    page.line("d/dx ln(1 + eˣ)", (1.0 + x.exp()).ln().grad(x), x.sigmoid());
    let z = g.input("Z", numbers(&[4, 5], 1));
    let d = g.input("dA", numbers(&[4, 5], 2));
    page.line("relu: dZ", (z.relu() * d).sum().grad(z), z.gt(0.0).select(d, 0.0));
    page.line("leaky relu: dZ", (z.leaky_relu(0.01) * d).sum().grad(z), z.gt(0.0).select(d, 0.01 * d));
}

fn least_squares(page: &mut Page) {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[3, 5], 1)), g.input("Y", numbers(&[1, 5], 2)));
    let (w, lambda) = (g.param("w", numbers(&[3, 1], 3)), g.input("lambda", 0.3));
    let m = y.size_of(1).named("m");
    page.heading("least squares: J = Σ (wᵀX - Y)² / 2m");
    let r = (w.t().dot(x) - y).named("R");
    page.line("∂J/∂w", (r.square().sum() / (2.0 * m)).grad(w), x.dot(r.t()) / m);
    let ridge = r.square().sum() / (2.0 * m) + lambda / (2.0 * m) * w.square().sum();
    page.line("with L2, ∂J/∂w", ridge.grad(w), (lambda * w + x.dot(r.t())) / m);
    page.line("L1 loss, ∂J/∂R", r.abs().sum().grad(r), r.sign());
    page.heading("norms and forms");
    let (v, u) = (g.input("v", numbers(&[3], 4)), g.input("u", numbers(&[3], 5)));
    let a = g.param("A", numbers(&[3, 3], 6));
    page.line("d‖v‖/dv", v.square().sum().sqrt().grad(v), v / v.norm());
    page.line("d(vᵀAv)/dv", v.dot(a.dot(v)).grad(v), a.dot(v) + a.t().dot(v));
    page.line("d(vᵀAu)/dA", v.dot(a.dot(u)).grad(a), v.expand_dims(1).dot(u.expand_dims(0)));
    let cosine = v.dot(u) / (v.norm() * u.norm());
    let by_hand = (u - v.dot(u) * v / v.norm().square()) / (v.norm() * u.norm());
    page.line("d cos(v, u)/dv", cosine.grad(v), by_hand);
}

fn logistic_regression(page: &mut Page) {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[3, 5], 1)), g.input("Y", array![[1.0, 0.0, 0.0, 1.0, 1.0]]));
    let (w, b) = (g.param("w", numbers(&[3, 1], 3)), g.param("b", 0.1));
    let m = y.size_of(1).named("m");
    page.heading("logistic regression: A = sigmoid(Z), Z = wᵀX + b, J the cross-entropy");
    let z = (w.t().dot(x) + b).named("Z");
    let a = z.sigmoid().named("A");
    let j = cross_entropy(a, y, m);
    page.line("∂J/∂A", j.grad(a), ((1.0 - y) / (1.0 - a) - y / a) / m);
    page.line("∂J/∂Z", j.grad(z), (a - y) / m);
    page.line("∂J/∂w", j.grad(w), x.dot((a - y).t()) / m);
    page.line("∂J/∂b", j.grad(b), (a - y).sum() / m);
    let v = g.input("v", numbers(&[3, 1], 4));
    let hessian = x.dot((a * v.t().dot(x) * (1.0 - a)).t()) / m;
    page.line("∂²J/∂w² · v", (j.grad(w) * v).sum().grad(w), hessian);
}

fn network(page: &mut Page) {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[3, 5], 1)), g.input("Y", array![[1.0, 0.0, 0.0, 1.0, 1.0]]));
    let (w1, b1) = (g.param("W1", numbers(&[4, 3], 3)), g.param("b1", numbers(&[4, 1], 4)));
    let (w2, b2) = (g.param("W2", numbers(&[1, 4], 5)), g.param("b2", numbers(&[1, 1], 6)));
    let lambda = g.input("lambda", 0.3);
    let m = y.size_of(1).named("m");
    page.heading("one hidden layer with tanh, the derivatives under their names");
    let z1 = (w1.dot(x) + b1).named("Z1");
    let a1 = z1.tanh().named("A1");
    let z2 = (w2.dot(a1) + b2).named("Z2");
    let a2 = z2.sigmoid().named("A2");
    let j = cross_entropy(a2, y, m);
    page.line("dW1, without names", j.grad(w1), {
        (w2.t().dot(a2 - y) * (1.0 - a1.square())).dot(x.t()) / m
    });
    let dz2 = j.grad(z2).named("dZ2");
    page.line("dZ2", dz2, (a2 - y) / m);
    page.line("dW2", j.grad(w2), dz2.dot(a1.t()));
    page.line("db2", j.grad(b2), dz2.sum_keepdims(1));
    let da1 = j.grad(a1).named("dA1");
    page.line("dA1", da1, w2.t().dot(dz2));
    let dz1 = j.grad(z1).named("dZ1");
    page.line("dZ1", dz1, da1 * (1.0 - a1.square()));
    page.line("dW1", j.grad(w1), dz1.dot(x.t()));
    page.line("db1", j.grad(b1), dz1.sum_keepdims(1));
    let penalty = lambda / (2.0 * m) * (w1.square().sum() + w2.square().sum());
    page.line("the L2 term, dW1", penalty.grad(w1), lambda * w1 / m);
    page.line("with L2, dW2", (j + penalty).grad(w2), lambda * w2 / m + dz2.dot(a1.t()));
}

fn relu_layers(page: &mut Page) {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[3, 5], 1)), g.input("Y", array![[1.0, 0.0, 0.0, 1.0, 1.0]]));
    let (w1, b1) = (g.param("W1", numbers(&[4, 3], 3)), g.param("b1", numbers(&[4, 1], 4)));
    let (w2, b2) = (g.param("W2", numbers(&[2, 4], 5)), g.param("b2", numbers(&[2, 1], 6)));
    let w3 = g.param("W3", numbers(&[1, 2], 7));
    let m = y.size_of(1).named("m");
    page.heading("layers of relu");
    let z1 = (w1.dot(x) + b1).named("Z1");
    let a1 = z1.relu().named("A1");
    let z2 = (w2.dot(a1) + b2).named("Z2");
    let z3 = w3.dot(z2.relu()).named("Z3");
    let j = cross_entropy(z3.sigmoid().named("A3"), y, m);
    let dz3 = j.grad(z3).named("dZ3");
    let dz2 = j.grad(z2).named("dZ2");
    page.line("dZ2", dz2, z2.gt(0.0).select(w3.t().dot(dz3), 0.0));
    page.line("dW2", j.grad(w2), dz2.dot(a1.t()));
    let dz1 = j.grad(z1).named("dZ1");
    page.line("dZ1", dz1, z1.gt(0.0).select(w2.t().dot(dz2), 0.0));
    page.line("dW1", j.grad(w1), dz1.dot(x.t()));
    page.line("db1", j.grad(b1), dz1.sum_keepdims(1));
}

fn softmax(page: &mut Page) {
    let g = Graph::new();
    let z = g.input("Z", numbers(&[4, 5], 1));
    let classes = g.input("classes", array![3_i64, 0, 1, 3, 2]);
    let y = classes.one_hot(4).t().named("Y");
    let m = z.size_of(1).named("m");
    page.heading("softmax: P = softmax(Z) over the classes, Y one-hot");
    let p = z.softmax(0).named("P");
    page.line("∂J/∂Z", (-(y * p.ln()).sum() / m).grad(z), (p - y) / m);
    let target = g.input("T", numbers(&[4, 5], 2));
    let by_hand = (p * target.sum_keepdims(0) - target) / m;
    page.line("∂J/∂Z, targets T that need not sum to 1", (-(target * p.ln()).sum() / m).grad(z), by_hand);
    page.line("d/dZ ln Σ eᶻ", z.exp().sum().ln().grad(z), z.softmax([0, 1]));
    let logits = g.input("logits", numbers(&[5, 4], 3));
    let q = logits.softmax(1).named("P");
    let cost = nn::cross_entropy(logits, classes, 1, Reduction::Mean);
    let chosen = logits.index_along(1).eq(classes.expand_dims(1)).select(1.0, 0.0);
    page.line("of class numbers", cost.grad(logits), (q - chosen) / 5.0);
}

#[test]
fn printed_derivatives_are_the_textbook_s() {
    let mut page = Page::default();
    for part in [scalars, least_squares, logistic_regression, network, relu_layers, softmax] {
        part(&mut page);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/textbook.txt");
    let golden = std::fs::read_to_string(path).unwrap();
    assert!(page.0 == golden, "tests/golden/textbook.txt should be:\n{}", page.0);
}
