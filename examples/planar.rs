//! # A network with one hidden layer
//!
//! The points of a flower lie in the plane, its petals labelled 0 and 1 in turn. No line tells them apart, so logistic
//! regression fails. A hidden layer of n_h units between does better:
//!
//! ```text
//! Z₁ = W₁ X + b₁,     A₁ = tanh(Z₁)       W₁ (n_h, 2),  b₁ (n_h, 1)
//! Z₂ = W₂ A₁ + b₂,    A₂ = σ(Z₂)          W₂ (1, n_h),  b₂ (1, 1)
//! ```
//!
//! The m points are the columns of X (2, m), the labels Y are (1, m), and the cost is the mean cross-entropy
//!
//! ```text
//! J = -1/m Σ (y ln a₂ + (1 - y) ln(1 - a₂)).
//! ```
//!
//! All are written below as they stand here. The gradient is not written at all: gradient descent asks for it.
//!
//! What the hidden units learn depends on where they begin. If all of them begin alike, they stay alike for ever, as the
//! last section of what it prints shows. And what they can learn depends on how many they are:
//!
//! `cargo run --release --example planar -- --hidden 1 2 3 4 5 20 50`
//!
//! `-- --help` lists the options. `examples/data/course_weights.py` writes the initial weights of a well-known course, with which
//! `--init target/course/planar_4.npz` has the costs that are published there: 0.693048 at first, 0.288083 after 1000 iterations,
//! 0.217504 after 7000, 0.218607 after 9000. (Shortly before 8000 the learning rate of 1.2 is too large for a while, and rounding
//! errors grow: from there on the third to fifth digits depend on the order in which sums are taken.)

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use common::accuracy::{accuracy, probabilities};
use common::activation::Activation;
use common::data::{Points, flower, points};
use common::init::Init;
use common::layers::{Layer, Layers};
use common::options::{learning_rate, on_threads, threads};
use common::page::{heading, table};
use common::plot::{Panel, Plane, boundaries};
use common::training::{Schedule, Trainings};
use common::{Error, files, finish};
use gradus::optim::Sgd;
use gradus::prelude::*;
use gradus::{Feed, Program};

/// Trains a network with one hidden layer to tell points of the plane apart: the model and its cost are formulas, the
/// gradient is derived.
///
/// Without --data the points are those of a flower that ships with the examples. The last line is the accuracy of the last
/// network.
#[derive(Parser)]
struct Options {
    /// A table of x1,x2,label with labels 0 and 1, behind a header or none; or a NumPy archive with x (2, m) and y, (m) or (1, m)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// How many hidden units; several give a network each [default: 4, or as many as --init FILE.npz has]
    #[arg(long, value_name = "N", num_args = 1.., value_parser = clap::value_parser!(u16).range(1..=10_000))]
    hidden: Vec<u16>,
    /// The activation of the hidden units
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Activation::Tanh)]
    activation: Activation,
    /// What the weights begin with: zeros, equal:C, normal:S (S is a standard deviation), xavier (normal:√(1/n) behind n
    /// units), he (normal:√(2/n)), or FILE.npz with W1 (n_h, 2), b1, W2, b2
    #[arg(long, value_name = "INIT", default_value = "normal:0.01")]
    init: Init,
    /// How many steps of gradient descent
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    iterations: usize,
    /// The learning rate
    #[arg(long, value_name = "α", default_value_t = 1.2, value_parser = learning_rate, allow_negative_numbers = true)]
    learning_rate: f64,
    /// The seed of the initial weights
    #[arg(long, value_name = "N", default_value_t = 2)]
    seed: u64,
    /// How many threads to compute on; the model is the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<u16>,
    /// The folder for costs.csv, learning_curve.svg and decision_boundary.svg
    #[arg(long, value_name = "DIR", default_value = "target/planar")]
    out: PathBuf,
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

/// The network as a formula, and its gradient.
struct Network<'g> {
    x: Var<'g>,
    y: Var<'g>,
    w1: Var<'g>,
    z: [Var<'g>; 2],
    a1: Var<'g>,
    a2: Var<'g>,
    cost: Var<'g>,
    parameters: [Var<'g>; 4],
}

fn network<'g>(g: &'g Graph, [first, second]: &[Layer; 2], m: usize, activation: Activation) -> Network<'g> {
    // The points are fed, so the graph knows of them by shape alone; `X` and `Y` may stand for any number of points.
    let x = g.placeholder("X", [2, m]);
    let y = g.placeholder("Y", [1, m]);
    let w1 = g.param("W1", first.w.view());
    let b1 = g.param("b1", first.b.view());
    let w2 = g.param("W2", second.w.view());
    let b2 = g.param("b2", second.b.view());

    // The model and its cost, as in the text above.
    let z1 = (w1.dot(x) + b1).named("Z1");
    let a1 = activation.of(z1).named("A1");
    let z2 = (w2.dot(a1) + b2).named("Z2");
    let a2 = z2.sigmoid().named("A2");
    let cost = -(y * a2.ln() + (1.0 - y) * (1.0 - a2).ln()).mean();

    Network { x, y, w1, z: [z1, z2], a1, a2, cost, parameters: [w1, b1, w2, b2] }
}

impl<'g> Network<'g> {
    fn print(&self) {
        let [z1, z2] = self.z;
        println!("Z1 = {z1}\nA1 = {}\nZ2 = {z2}\nA2 = {}\ncost = {}\n", self.a1, self.a2, self.cost);
        println!("The derivatives of the cost, from the last layer to the first:");
        let [w1, b1, w2, b2] = self.parameters;
        for (l, z, parameters) in [(2, z2, [w2, b2]), (1, z1, [w1, b1])] {
            let dz = self.cost.grad(z).named(&format!("dZ{l}"));
            let [dw, db] = self.cost.grad(parameters);
            println!("dZ{l} = {dz}\ndW{l} = {dw}\ndb{l} = {db}");
        }
        println!();
    }

    /// A step of gradient descent.
    fn step(&self, g: &'g Graph, options: &Options) -> Result<Program<'g, [Var<'g>; 1]>, Error> {
        let descent = Sgd::new(options.learning_rate).minimize(self.cost, self.parameters);
        on_threads(options.threads, g.compile([self.cost], descent)?)
    }

    fn feeds<'a>(&self, points: &'a Points) -> [Feed<'a>; 2]
    where
        'g: 'a,
    {
        [self.x.feed(&points.x), self.y.feed(&points.y)]
    }

    /// How far the rows of W₁ are apart, where they are farthest.
    fn spread(&self) -> Result<f64, Error> {
        Ok((self.w1.max_axis(0) - self.w1.min_axis(0)).max().item()?)
    }
}

/// What became of a network.
struct Outcome {
    hidden: usize,
    summary: Summary,
    probabilities: Array2<f64>,
}

/// Cost, accuracy, and how far the rows of W₁ are apart.
struct Summary {
    cost: f64,
    accuracy: f64,
    spread: f64,
}

fn run(options: &Options) -> Result<(), Error> {
    let points = match &options.data {
        Some(path) => points(path)?,
        None => flower()?,
    };
    let sizes = sizes(options)?;
    let starts: Vec<_> =
        sizes.iter().map(|&hidden| start(&options.init, hidden, options.seed)).collect::<Result<_, _>>()?;
    let plane = Plane::around(&points, sizes.len())?;
    files::make_folder(&options.out)?;
    let m = points.x.ncols();
    println!("{m} points of the plane, labelled 0 and 1.\n");
    network(&Graph::new(), &starts[0], m, options.activation).print();

    let title = "A network with one hidden layer";
    let mut trainings = Trainings::new(&options.out, title, "hidden", |&hidden| units(hidden));
    let results: Vec<Outcome> = starts
        .iter()
        .map(|start| train(options, &points, start, &plane, &mut trainings))
        .collect::<Result<_, _>>()?;
    write_boundaries(options, &points, &plane, &results)?;

    print_table("hidden units", results.iter().map(|result| (result.hidden.to_string(), &result.summary)));
    starts_alike(options, &points)?;
    println!("See costs.csv, learning_curve.svg and decision_boundary.svg in {}.\n", options.out.display());
    if let Some(Outcome { summary, .. }) = results.last() {
        println!("accuracy: {:.2} %", summary.accuracy);
    }
    Ok(())
}

/// The numbers of hidden units that were asked for.
fn sizes(options: &Options) -> Result<Vec<usize>, Error> {
    if !options.hidden.is_empty() {
        return Ok(options.hidden.iter().map(|&hidden| hidden.into()).collect());
    }
    let of_file = options.init.layers()?.map(|layers| layers.0[1]);
    Ok(vec![of_file.unwrap_or(4)])
}

/// What the parameters of a network begin with.
fn start(init: &Init, hidden: usize, seed: u64) -> Result<[Layer; 2], Error> {
    let layers = init.parameters(&Layers(vec![2, hidden, 1]), seed)?;
    layers.try_into().map_err(|_| Error::new("expected two layers"))
}

fn train(
    options: &Options,
    points: &Points,
    start: &[Layer; 2],
    plane: &Plane,
    trainings: &mut Trainings<'_, usize>,
) -> Result<Outcome, Error> {
    let hidden = start[0].w.nrows();
    println!("Gradient descent, {}, learning rate {}:", units(hidden), options.learning_rate);
    let g = Graph::new();
    let network = network(&g, start, points.x.ncols(), options.activation);
    let mut step = network.step(&g, options)?;

    let schedule = Schedule { iterations: options.iterations, every: 1000 };
    trainings.run(hidden, schedule, &mut step, &network.feeds(points))?;
    println!();

    let mut predict = on_threads(options.threads, g.compile(network.a2, ())?)?;
    let probabilities = probabilities(&mut predict, network.x, &plane.middles())?;
    Ok(Outcome { hidden, summary: summary(&g, &network, options, points)?, probabilities })
}

fn summary<'g>(
    g: &'g Graph,
    network: &Network<'g>,
    options: &Options,
    points: &Points,
) -> Result<Summary, Error> {
    let mut evaluate = on_threads(options.threads, g.compile([network.a2, network.cost], ())?)?;
    let [a2, cost] = evaluate.run_with(&network.feeds(points))?;
    Ok(Summary { cost: cost[[]], accuracy: accuracy(&a2, &points.y), spread: network.spread()? })
}

/// Units that begin alike have gradients alike, so they stay alike: however many there are, the network is one of a
/// single hidden unit. With zeros and tanh it is not even that: W₂ = 0 keeps W₁ at 0, and A₁ = 0 keeps W₂ there.
fn starts_alike(options: &Options, points: &Points) -> Result<(), Error> {
    let (hidden, iterations) = (4, options.iterations.min(1000));
    heading("Why the weights begin at random");
    println!("{}, after {}:\n", units(hidden), count(iterations, "iteration"));
    let outcome = |init: &Init| {
        let g = Graph::new();
        let start = start(init, hidden, options.seed)?;
        let network = network(&g, &start, points.x.ncols(), options.activation);
        let mut step = network.step(&g, options)?;
        for _ in 0..iterations {
            step.run_with(&network.feeds(points))?;
        }
        Ok((init.to_string(), summary(&g, &network, options, points)?))
    };
    let inits = [Init::Zeros, Init::Equal(0.3), Init::Normal(0.01)];
    let outcomes: Vec<_> = inits.iter().map(outcome).collect::<Result<_, Error>>()?;
    print_table("weights begin as", outcomes.iter().map(|(init, summary)| (init.clone(), summary)));
    println!("\nRows that begin alike stay alike, to the last bit: all hidden units are one.\n");
    Ok(())
}

fn print_table<'a>(what: &str, outcomes: impl Iterator<Item = (String, &'a Summary)>) {
    let row = |(what, &Summary { cost, accuracy, spread })| {
        let spread = if spread == 0.0 { "0".to_owned() } else { format!("{spread:.3e}") };
        vec![what, format!("{cost:.6}"), format!("{accuracy:.2} %"), spread]
    };
    let rows: Vec<_> = outcomes.map(row).collect();
    table("rrrr", &[what, "cost", "accuracy", "spread of W1's rows"], &rows);
}

fn units(hidden: usize) -> String {
    count(hidden, "hidden unit")
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn write_boundaries(
    options: &Options,
    points: &Points,
    plane: &Plane,
    results: &[Outcome],
) -> Result<(), Error> {
    let panel = |outcome: &Outcome| Panel {
        title: format!("{}: {:.2} %", units(outcome.hidden), outcome.summary.accuracy),
        probabilities: outcome.probabilities.clone(),
    };
    let panels: Vec<Panel> = results.iter().map(panel).collect();
    boundaries(&options.out.join("decision_boundary.svg"), plane, points, &panels)
}
