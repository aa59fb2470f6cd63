//! # Slips
//!
//! Whoever derives gradients by hand makes mistakes, and everybody makes the same ones. This page shows them: each is written
//! down as people write it, put before `check`, which says what is wrong with it, and written again as it should be.
//!
//! Two questions are asked. `derivation(cost, w, formula)`: is this formula the derivative of the cost with respect to `w`?
//! `equality(formula, reference)`: is this formula the same function as that one?
//!
//! `cargo run --release --example slips -- --help` lists the options.

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use common::page::Page;
use common::{Error, files, finish};
use gradus::check::{Failure, derivation, equality};
use gradus::nn::{Reduction, l1 as l1_loss};
use gradus::ops::{MatMul, Op};
use gradus::prelude::*;

/// Shows the mistakes that people make in gradients which they derive by hand, and what `check` says of each.
#[derive(Parser)]
struct Options {
    /// Only this slip; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(SLIPS.map(|slip| slip.name)), hide_possible_values = true)]
    only: Vec<String>,
    /// List the names of the slips, and end
    #[arg(long)]
    list: bool,
    /// The folder for slips.md, which holds the page that is printed
    #[arg(long, value_name = "DIR", default_value = "target/slips")]
    out: PathBuf,
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    if options.list {
        for slip in &SLIPS {
            println!("{:<16} {}", slip.name, slip.title);
        }
        return Ok(());
    }
    files::make_folder(&options.out)?;
    let mut page = Page::default();
    page.line("# Slips");
    page.text(
        "The mistakes that people make in gradients which they derive by hand, and in the programs around them: each as \
         people write it, what the check says of it, and the formula as it should be.",
    );
    let chosen = |slip: &&Slip| options.only.is_empty() || options.only.iter().any(|name| name == slip.name);
    for slip in SLIPS.iter().filter(chosen) {
        page.line(format_args!("## {}", slip.title));
        (slip.show)(&mut page)?;
    }
    print!("{page}");
    files::write(&options.out.join("slips.md"), page.to_string().as_bytes())
}

/// A mistake: its name, its title, and what shows it.
struct Slip {
    name: &'static str,
    title: &'static str,
    show: fn(&mut Page) -> Result<(), Error>,
}

const SLIPS: [Slip; 14] = [
    Slip { name: "sign", title: "A sign", show: sign },
    Slip { name: "missing-m", title: "A missing 1/m", show: missing_m },
    Slip { name: "transpose", title: "A transpose", show: transpose },
    Slip { name: "elementwise", title: "An elementwise product for a matrix product", show: elementwise },
    Slip { name: "tanh-twice", title: "tanh applied twice", show: tanh_twice },
    Slip { name: "slope", title: "g for g'", show: slope },
    Slip { name: "da-dz", title: "dA and dZ confused", show: da_dz },
    Slip { name: "db1-db2", title: "db1 written to db2", show: db1_db2 },
    Slip { name: "updated", title: "dW1 computed with the updated W2", show: updated },
    Slip { name: "bias", title: "A lost + b", show: bias },
    Slip { name: "softmax", title: "Softmax divided by Σx", show: softmax },
    Slip { name: "l1", title: "L1 without abs", show: l1 },
    Slip { name: "broadcast", title: "A (4, 1) minus a (4,)", show: broadcast },
    Slip { name: "picture", title: "A picture that is not divided by 255", show: picture },
];

// # Logistic regression
//
// Three examples of two features stand in the columns of X, their labels in Y. With A = σ(wᵀX + b) and the mean
// cross-entropy J, everything that one derives by hand comes down to the residual A - Y:
//
//     ∂J/∂w = 1/m X (A - Y)ᵀ        ∂J/∂b = 1/m Σ (A - Y)

struct Logistic<'g> {
    x: Var<'g>,
    y: Var<'g>,
    w: Var<'g>,
    b: Var<'g>,
    m: Var<'g>,
    a: Var<'g>,
    cost: Var<'g>,
}

fn logistic(g: &Graph) -> Logistic<'_> {
    let x = g.input("X", array![[1.0, 2.0, -1.0], [3.0, 0.5, -3.2]]);
    let y = g.input("Y", array![[1.0, 0.0, 1.0]]);
    let w = g.param("w", array![[0.3], [-0.2]]);
    let b = g.param("b", 0.1);
    let m = y.size_of(1).named("m");
    let a = (w.t().dot(x) + b).sigmoid().named("A");
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
    Logistic { x, y, w, b, m, a, cost }
}

fn sign(page: &mut Page) -> Result<(), Error> {
    page.text(
        "The residual is what the model says minus what is true. The other way round, every step of gradient descent \
         goes uphill.",
    );
    let g = Graph::new();
    let Logistic { x, y, w, b, m, a, cost } = logistic(&g);
    let wrong = x.dot((y - a).t()) / m;
    let right = x.dot((a - y).t()) / m;
    derivative(page, "dw", cost, w, [wrong, right])?;

    page.text("A sign inside a formula is found as well.");
    let wrong = (a + y).sum() / m;
    let right = (a - y).sum() / m;
    derivative(page, "db", cost, b, [wrong, right])
}

fn missing_m(page: &mut Page) -> Result<(), Error> {
    page.text(
        "The cost is a mean over m examples, and so is its gradient. Without the 1/m it points the right way, and is m \
         times too long: a learning rate that was good for 100 examples is far too large for 1000.",
    );
    let g = Graph::new();
    let Logistic { x, y, w, m, a, cost, .. } = logistic(&g);
    let wrong = x.dot((a - y).t());
    let right = x.dot((a - y).t()) / m;
    derivative(page, "dw", cost, w, [wrong, right])
}

fn transpose(page: &mut Page) -> Result<(), Error> {
    page.text(
        "In many books the examples are the rows of X, and the gradient is Xᵀ(A - Y). Here they are its columns. As a \
         rule the shapes do not fit, and the line itself says so when it is written:",
    );
    let g = Graph::new();
    let Logistic { x, y, a, .. } = logistic(&g);
    let refused = g.apply(Op::MatMul(MatMul::Dot), &[x.t().erase(), (a - y).erase()]);
    page.quote(refused.err().ok_or_else(|| Error::new("`X.t().dot(A - Y)` has not been refused"))?);

    page.text("With as many features as examples they do fit, and nobody notices.");
    let g = Graph::new();
    let x = g.input("X", array![[1.0, 2.0], [3.0, 0.5]]);
    let y = g.input("Y", array![[1.0, 0.0]]);
    let w = g.param("w", array![[0.3], [-0.2]]);
    let a = w.t().dot(x).sigmoid().named("A");
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
    let m = y.size_of(1).named("m");
    let wrong = x.t().dot((a - y).t()) / m;
    let right = x.dot((a - y).t()) / m;
    derivative(page, "dw", cost, w, [wrong, right])
}

fn elementwise(page: &mut Page) -> Result<(), Error> {
    page.text(
        "`*` is the elementwise product. A - Y is (1, m) and X is (n, m), so `X * (A - Y)` broadcasts: it has the right \
         numbers in it, before they are summed over the examples.",
    );
    let g = Graph::new();
    let Logistic { x, y, w, m, a, cost, .. } = logistic(&g);
    let wrong = x * (a - y) / m;
    let right = x.dot((a - y).t()) / m;
    derivative(page, "dw", cost, w, [wrong, right])
}

// # A network with one hidden layer
//
// Z1 = W1 X + b1, A1 = tanh(Z1), Z2 = W2 A1 + b2, A2 = σ(Z2), and the same cost. Backwards, from the last layer to the first:
//
//     dZ2 = 1/m (A2 - Y)      dW2 = dZ2 A1ᵀ      db2 = Σ dZ2      dA1 = W2ᵀ dZ2
//     dZ1 = dA1 * (1 - A1²)   dW1 = dZ1 Xᵀ       db1 = Σ dZ1
//
// where every d stands for the derivative of J with respect to what follows.

struct Network<'g> {
    x: Var<'g>,
    w1: Var<'g>,
    b1: Var<'g>,
    w2: Var<'g>,
    b2: Var<'g>,
    z1: Var<'g>,
    a1: Var<'g>,
    cost: Var<'g>,
    dz2: Var<'g>,
    da1: Var<'g>,
    dz1: Var<'g>,
}

fn network(g: &Graph) -> Network<'_> {
    let x = g.input("X", array![[1.0, 2.0, -1.0], [3.0, 0.5, -3.2]]);
    let y = g.input("Y", array![[1.0, 0.0, 1.0]]);
    let w1 = g.param("W1", array![[0.3, -0.2], [0.1, 0.4], [-0.5, 0.2], [0.7, 0.1]]);
    let b1 = g.param("b1", array![[0.1], [0.0], [-0.1], [0.2]]);
    let w2 = g.param("W2", array![[0.4, -0.6, 0.2, 0.9]]);
    let b2 = g.param("b2", array![[0.05]]);
    let z1 = (w1.dot(x) + b1).named("Z1");
    let a1 = z1.tanh().named("A1");
    let z2 = (w2.dot(a1) + b2).named("Z2");
    let a2 = z2.sigmoid().named("A2");
    let cost = -(y * a2.ln() + (1.0 - y) * (1.0 - a2).ln()).mean();

    let m = y.size_of(1).named("m");
    let dz2 = ((a2 - y) / m).named("dZ2");
    let da1 = w2.t().dot(dz2).named("dA1");
    let dz1 = (da1 * (1.0 - a1.square())).named("dZ1");
    Network { x, w1, b1, w2, b2, z1, a1, cost, dz2, da1, dz1 }
}

fn tanh_twice(page: &mut Page) -> Result<(), Error> {
    page.text(
        "The derivative of tanh(z) is 1 - tanh(z)², which is 1 - a² where a = tanh(z) is at hand. Both at once, \
         1 - tanh(a)², is the derivative at another place.",
    );
    let g = Graph::new();
    let Network { z1, a1, cost, da1, .. } = network(&g);
    let wrong = da1 * (1.0 - a1.tanh().square());
    let right = da1 * (1.0 - a1.square());
    derivative(page, "dZ1", cost, z1, [wrong, right])
}

fn slope(page: &mut Page) -> Result<(), Error> {
    page.text(
        "Backwards, dA1 is multiplied by g'(Z1), the slope of the activation; not by g(Z1), its value.",
    );
    let g = Graph::new();
    let Network { z1, a1, cost, da1, .. } = network(&g);
    let wrong = da1 * z1.tanh();
    let right = da1 * (1.0 - a1.square());
    derivative(page, "dZ1", cost, z1, [wrong, right])
}

fn da_dz(page: &mut Page) -> Result<(), Error> {
    page.text(
        "dA1 is the derivative with respect to what the activation gives, dZ1 with respect to what it is given: dA1 times \
         the slope. They have one shape.",
    );
    let g = Graph::new();
    let Network { b1, z1, cost, da1, dz1, .. } = network(&g);
    let wrong = da1;
    let right = dz1;
    derivative(page, "dZ1", cost, z1, [wrong, right])?;

    page.text("The same in a formula that goes on from there:");
    let wrong = da1.sum_keepdims(1);
    let right = dz1.sum_keepdims(1);
    derivative(page, "db1", cost, b1, [wrong, right])
}

fn db1_db2(page: &mut Page) -> Result<(), Error> {
    page.text("Copied from the line above, and the 1 was left as it was.");
    let g = Graph::new();
    let Network { b2, cost, dz2, dz1, .. } = network(&g);
    let wrong = dz1.sum_keepdims(1);
    let right = dz2.sum_keepdims(1);
    derivative(page, "db2", cost, b2, [wrong, right])
}

fn updated(page: &mut Page) -> Result<(), Error> {
    page.text(
        "A program that updates W2 as soon as dW2 is known computes dA1, and all that follows, from the new W2. The \
         gradient is that of the old one.",
    );
    let g = Graph::new();
    let Network { x, w1, w2, a1, cost, dz2, .. } = network(&g);
    let dw2 = dz2.dot(a1.t()).named("dW2");
    let w2_now = w2 - 1.2 * dw2;
    let wrong = (w2_now.t().dot(dz2) * (1.0 - a1.square())).dot(x.t());
    let right = (w2.t().dot(dz2) * (1.0 - a1.square())).dot(x.t());
    derivative(page, "dW1", cost, w1, [wrong, right])
}

// # Programs
//
// The formulas that follow are no gradients. Each is held against another one that is known to be right.

fn bias(page: &mut Page) -> Result<(), Error> {
    page.text(
        "Trained with its bias and asked without it, a model answers another question: it says 1/2 wherever X is zero.",
    );
    let g = Graph::new();
    let Logistic { x, w, b, .. } = logistic(&g);
    let wrong = w.t().dot(x).sigmoid();
    let right = (w.t().dot(x) + b).sigmoid();
    let reference = ((w * x).sum_keepdims(0) + b).sigmoid();
    function(page, "A", reference, [wrong, right])
}

fn softmax(page: &mut Page) -> Result<(), Error> {
    page.text(
        "Softmax divides eˣ by the sum of eˣ, row by row. Divided by the sum of x it does not sum to 1.",
    );
    let g = Graph::new();
    let x = g.input("x", array![[9.0, 2.0, 5.0, 0.0, 0.0], [7.0, 5.0, 0.0, 0.0, 0.0]]);
    let wrong = x.exp() / x.sum_keepdims(1);
    let right = x.exp() / x.exp().sum_keepdims(1);
    function(page, "softmax", x.softmax(1), [wrong, right])
}

fn l1(page: &mut Page) -> Result<(), Error> {
    page.text("L1 sums the sizes of the errors. Without abs those above and those below cancel.");
    let g = Graph::new();
    let yhat = g.input("yhat", array![0.9, 0.2, 0.1, 0.4, 0.9]);
    let y = g.input("y", array![1.0, 0.0, 0.0, 1.0, 1.0]);
    let wrong = (y - yhat).sum();
    let right = (y - yhat).abs().sum();
    function(page, "L1", l1_loss(yhat, y, Reduction::Sum), [wrong, right])
}

fn broadcast(page: &mut Page) -> Result<(), Error> {
    page.text(
        "A column minus a vector is a matrix: every prediction minus every label. Its mean is a number, as it should \
         be, and no line complains.",
    );
    let g = Graph::new();
    let yhat = g.input("yhat", array![[0.9], [0.2], [0.1], [0.4]]);
    let y = g.input("y", array![1.0, 0.0, 0.0, 1.0]);
    let wrong = (yhat - y).square().mean();
    let right = (yhat - y.reshape([4, 1])).square().mean();
    function(page, "J", yhat.mse(y.expand_dims(1)), [wrong, right])
}

fn picture(page: &mut Page) -> Result<(), Error> {
    page.text(
        "The pictures that the model has learned from were divided by 255. One's own picture has to be as well, or all \
         its pixels are out of range: the answer is a probability of nearly 0 or 1, whatever the picture shows.",
    );
    let g = Graph::new();
    let picture = g.input("picture", array![[231.0], [17.0], [255.0], [64.0]]);
    let w = g.param("w", array![[0.3], [-0.2], [-0.4], [0.6]]);
    let b = g.param("b", 0.1);
    let wrong = (w.t().dot(picture) + b).sigmoid();
    let right = (w.t().dot(picture / 255.0) + b).sigmoid();
    let reference = ((w * (picture / 255.0)).sum_keepdims(0) + b).sigmoid();
    function(page, "A", reference, [wrong, right])?;

    page.text("Put before the check by itself, the picture shows it as a number.");
    let wrong = picture;
    let right = picture * (1.0 / 255.0);
    function(page, "x", picture / 255.0, [wrong, right])
}

/// Two formulas for the derivative of `cost` with respect to `wrt`, of which the first is wrong.
fn derivative<'g>(
    page: &mut Page,
    name: &str,
    cost: Var<'g>,
    wrt: Var<'g>,
    formulas: [Var<'g>; 2],
) -> Result<(), Error> {
    let what = format!("the derivative with respect to `{}`", wrt.name().unwrap_or_default());
    compare(page, name, &what, formulas, |formula| derivation(cost, wrt, formula))
}

/// Two formulas for the function that `reference` is, of which the first is wrong.
fn function<'g>(
    page: &mut Page,
    name: &str,
    reference: Var<'g>,
    formulas: [Var<'g>; 2],
) -> Result<(), Error> {
    let what = format!("the same function as `{reference}`");
    compare(page, name, &what, formulas, |formula| equality(formula, reference))
}

fn compare<'g>(
    page: &mut Page,
    name: &str,
    what: &str,
    [wrong, right]: [Var<'g>; 2],
    check: impl Fn(Var<'g>) -> Result<(), Failure>,
) -> Result<(), Error> {
    let formula = wrong.name().unwrap_or_else(|| wrong.to_string());
    page.line(format_args!("Wrong: `{name} = {formula}`"));
    match check(wrong) {
        Err(Failure::Mismatch(report)) if !report.slips.is_empty() => page.quote(report),
        Err(other) => return Err(Error::new(format_args!("the slip in `{wrong}` has no name: {other}"))),
        Ok(()) => return Err(Error::new(format_args!("`{wrong}` has passed for {what}"))),
    }
    check(right).map_err(Error::new)?;
    page.line(format_args!("Right: `{name} = {right}`. This is {what}."));
    Ok(())
}
