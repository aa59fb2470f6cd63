//! # Deep networks
//!
//! A network of any number of layers: in each, what came from the layer before is multiplied by weights, shifted by biases
//! and bent by an activation,
//!
//! ```text
//! A₀  = X                             (n_0, m): m examples in columns
//! Z_l = W_l A_{l-1} + b_l             W_l (n_l, n_{l-1}),  b_l (n_l, 1)
//! A_l = relu(Z_l)                     for l = 1, …, L - 1
//! A_L = σ(Z_L)                        (1, m): the probability that the label is 1
//! ```
//!
//! The cost is the mean cross-entropy; with `--l2 λ` large weights cost something too:
//!
//! ```text
//! J = -1/m Σ (y ln a_L + (1 - y) ln(1 - a_L)) + λ/2m Σ_l ‖W_l‖².
//! ```
//!
//! All are written below as they stand here, the layers as a loop. Backpropagation is not written at all: gradient descent
//! asks for the gradient. What is printed of it is what the textbooks derive, from `A_L - Y` back to the first layer.
//!
//! `cargo run --release --example deep -- --help` lists the options. With the pictures of cats of a well-known course in
//! `catvnoncat.npz`, and its initial weights, which `examples/data/course_weights.py` writes, the runs that are published there are
//!
//! ```text
//! cargo run --release --example deep -- --data catvnoncat.npz --init target/course/deep_12288_7_1.npz --iterations 2500
//! cargo run --release --example deep -- --data catvnoncat.npz --init target/course/deep_12288_20_7_5_1.npz --iterations 2500
//! ```

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use common::accuracy::{accuracies, is_right, print_accuracies, print_rates, probabilities};
use common::activation::Activation;
use common::data::{Pictures, open_or_digits};
use common::init::Init;
use common::layers::{Layer, Layers};
use common::options::{Precision, l2_coefficient, learning_rate, on_threads, threads};
use common::page::table;
use common::plot::{Exhibit, gallery};
use common::training::{Schedule, Trainings, rate_name};
use common::{Error, files, finish};
use gradus::Program;
use gradus::optim::Sgd;
use gradus::prelude::*;

/// Trains a network of any number of layers on pictures: the model and its cost are formulas, the gradient is derived.
///
/// Without --data the pictures are the handwritten digits that ship with the examples, and the question is: is it a 3?
#[derive(Parser)]
struct Options {
    /// A NumPy archive (.npz) with train_x (m, …), uint8 (divided by 255) or float, train_y, test_x and test_y: 0 or 1,
    /// (m) or (1, m); or a folder with train_catvnoncat.h5 and test_catvnoncat.h5, if built with the feature hdf5
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// How many units each layer has, from the input to the output, with commas between them [default: n,20,7,5,1 for
    /// pictures of n numbers, or as --init FILE.npz has it]
    #[arg(long, value_name = "N,…,1")]
    layers: Option<Layers>,
    /// The activation of the hidden layers
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Activation::Relu)]
    activation: Activation,
    /// What the weights begin with: zeros, equal:C, normal:S (S is a standard deviation), xavier (normal:√(1/n) behind n
    /// units), he (normal:√(2/n)), or FILE.npz with W1 (n_1, n_0), b1, W2, b2, …
    #[arg(long, value_name = "INIT", default_value = "he")]
    init: Init,
    /// λ, the weight of Σ ‖W_l‖²/2m in the cost, summed over the layers
    #[arg(long, value_name = "λ", default_value_t = 0.0, value_parser = l2_coefficient, allow_negative_numbers = true)]
    l2: f64,
    /// How many steps of gradient descent
    #[arg(long, value_name = "N", default_value_t = 2500)]
    iterations: usize,
    /// The learning rate; several give one curve each [default: 0.1 for the digits, 0.0075 with --data]
    #[arg(long, value_name = "α", value_parser = learning_rate, allow_negative_numbers = true)]
    learning_rate: Vec<f64>,
    /// The element type to compute in
    #[arg(long, value_enum, default_value_t = Precision::F64)]
    dtype: Precision,
    /// The seed of the initial weights
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to compute on; the model is the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<u16>,
    /// The folder for costs.csv, learning_curve.svg and mislabelled.png
    #[arg(long, value_name = "DIR", default_value = "target/deep")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    finish(match options.dtype {
        Precision::F32 => run::<f32>(&options),
        Precision::F64 => run::<f64>(&options),
    })
}

/// The network as a formula.
struct Network<'g, T: Float> {
    x: Var<'g, T>,
    y: Var<'g, T>,
    parameters: Vec<[Var<'g, T>; 2]>,
    /// Z₁, …, Z_L
    z: Vec<Var<'g, T>>,
    /// A₀, …, A_L
    a: Vec<Var<'g, T>>,
    cost: Var<'g, T>,
}

fn network<'g, T: Float>(g: &'g Graph, start: &[Layer], m: usize, options: &Options) -> Network<'g, T> {
    // The data are fed, so the graph knows of them by shape alone; `X` and `Y` may stand for any number of examples.
    let x = g.placeholder("X", [start[0].w.ncols(), m]);
    let y = g.placeholder("Y", [1, m]);
    let parameter = |name: String, value: &Array2<f64>| g.param(&name, value.mapv(T::from_f64));
    let parameters: Vec<[Var<'g, T>; 2]> = (1..)
        .zip(start)
        .map(|(l, Layer { w, b })| [parameter(format!("W{l}"), w), parameter(format!("b{l}"), b)])
        .collect();

    // The model, layer by layer, as in the text above.
    let (last, mut z, mut a) = (parameters.len(), Vec::new(), vec![x]);
    for (l, &[w, b]) in (1..).zip(&parameters) {
        let z_l = (w.dot(a[l - 1]) + b).named(&format!("Z{l}"));
        let a_l = if l < last { options.activation.of(z_l) } else { z_l.sigmoid() };
        z.push(z_l);
        a.push(a_l.named(&format!("A{l}")));
    }

    // Its cost.
    let a_last = a[last];
    let mut cost = -(y * a_last.ln() + (1.0 - y) * (1.0 - a_last).ln()).mean();
    if options.l2 > 0.0 {
        let m = y.size_of(1);
        let squares = parameters.iter().map(|[w, _]| w.square().sum()).reduce(|sum, more| sum + more);
        cost = squares.map_or(cost, |squares| cost + options.l2 / (2.0 * m) * squares);
    }
    Network { x, y, parameters, z, a, cost }
}

impl<'g, T: Float> Network<'g, T> {
    fn print(&self) {
        for (l, (z, a)) in (1..).zip(self.z.iter().zip(&self.a[1..])) {
            println!("Z{l} = {z}\nA{l} = {a}");
        }
        println!("cost = {}\n", self.cost);
        println!("The derivatives of the cost, from the last layer to the first:");
        for l in (1..=self.z.len()).rev() {
            let (z, parameters) = (self.z[l - 1], self.parameters[l - 1]);
            let dz = self.cost.grad(z).named(&format!("dZ{l}"));
            let [dw, db] = self.cost.grad(parameters);
            println!("dZ{l} = {dz}\ndW{l} = {dw}\ndb{l} = {db}");
        }
        println!();
    }

    /// A step of gradient descent.
    fn step(
        &self,
        g: &'g Graph,
        rate: f64,
        options: &Options,
    ) -> Result<Program<'g, [Var<'g, T>; 1]>, Error> {
        let descent = Sgd::new(rate).minimize(self.cost, &self.parameters);
        on_threads(options.threads, g.compile([self.cost], descent)?)
    }

    /// Gives the parameters their first values.
    fn reset(&self, start: &[Layer]) -> Result<(), Error> {
        for ([w, b], first) in self.parameters.iter().zip(start) {
            w.set_value(first.w.mapv(T::from_f64))?;
            b.set_value(first.b.mapv(T::from_f64))?;
        }
        Ok(())
    }
}

fn run<T: Float>(options: &Options) -> Result<(), Error> {
    let (pictures, question) = open_or_digits(options.data.as_deref())?;
    let default_rate = if options.data.is_some() { 0.0075 } else { 0.1 };
    let m = pictures.train_x.ncols();
    let layers = layers(options, &pictures)?;
    let start = options.init.parameters(&layers, options.seed)?;
    files::make_folder(&options.out)?;
    println!("Question: {question}");
    println!("{m} pictures of shape {:?} train, {} test.", pictures.shape, pictures.test_x.ncols());
    println!("Layers of {layers} units; the weights begin as {}.\n", options.init);

    let g = Graph::new();
    let network = network::<T>(&g, &start, m, options);
    network.print();

    let rates = if options.learning_rate.is_empty() { &[default_rate][..] } else { &options.learning_rate };
    let schedule = Schedule { iterations: options.iterations, every: 100 };
    let [x, y] = [&pictures.train_x, &pictures.train_y].map(|array| array.mapv(T::from_f64));
    let feeds = [network.x.feed(&x), network.y.feed(&y)];
    let mut predict = on_threads(options.threads, g.compile(network.a[layers.0.len() - 1], ())?)?;
    let mut trainings = Trainings::new(&options.out, "A deep network", "learning_rate", rate_name);
    let mut results = Vec::new();
    for &rate in rates {
        network.reset(&start)?;
        println!("Gradient descent, learning rate {rate}:");
        trainings.run(rate, schedule, &mut network.step(&g, rate, options)?, &feeds)?;
        println!();
        results.push((rate, accuracies(&mut predict, network.x, &pictures)?));
        if results.len() == 1 {
            let answers = probabilities(&mut predict, network.x, &pictures.test_x)?;
            show_mislabelled(options, &pictures, &answers)?;
        }
    }

    print_rates(&results);
    println!("\nSee costs.csv, learning_curve.svg and mislabelled.png in {}.\n", options.out.display());
    print_accuracies(results[0].1);
    Ok(())
}

/// The layers that were asked for, if they fit the pictures and their labels.
fn layers(options: &Options, pictures: &Pictures) -> Result<Layers, Error> {
    let (n, m) = pictures.train_x.dim();
    let layers = match &options.layers {
        Some(layers) => layers.clone(),
        None => options.init.layers()?.unwrap_or_else(|| Layers(vec![n, 20, 7, 5, 1])),
    };
    let last = layers.0.len() - 1;
    for (l, [units, before]) in (1..).zip(layers.shapes()) {
        if l == 1 && before != n {
            let what = format!(
                "W1 of shape [{units}, {before}] does not fit X of shape [{n}, {m}]: {before} != {n}"
            );
            return Err(Error::new(format!("the layers {layers}, layer 1: {what}")));
        }
        if l == last && units != 1 {
            let what =
                format!("W{l} of shape [{units}, {before}] does not fit Y of shape [1, {m}]: {units} != 1");
            return Err(Error::new(format!("the layers {layers}, layer {l}: {what}")));
        }
    }
    Ok(layers)
}

/// How many of the mislabelled pictures are listed, and how many are drawn.
const LISTED: usize = 20;
const DRAWN: usize = 64;
/// The frames of the pictures whose label is 0 and whose label is 1.
const FRAMES: [[u8; 3]; 2] = [[214, 96, 20], [31, 119, 180]];

/// Lists the test pictures for which the answer is not the label, and draws them.
fn show_mislabelled(options: &Options, pictures: &Pictures, answers: &Array2<f64>) -> Result<(), Error> {
    let examples = answers.iter().zip(&pictures.test_y).enumerate();
    let wrong: Vec<_> = examples.filter(|&(_, (&a, &y))| !is_right(a, y)).collect();
    println!("{} of {} test pictures are mislabelled.", wrong.len(), answers.len());
    if !wrong.is_empty() {
        println!(
            "mislabelled.png shows them, framed in blue where the label is 1 and in orange where it is 0.\n"
        );
        let row =
            |(i, (a, y)): &(usize, (&f64, &f64))| vec![format!("#{i}"), y.to_string(), format!("{a:.4}")];
        let rows: Vec<_> = wrong.iter().take(LISTED).map(row).collect();
        table("rrr", &["picture", "label", "probability of label 1"], &rows);
    }
    if wrong.len() > LISTED {
        println!("… and {} more", wrong.len() - LISTED);
    }
    println!();

    let exhibit = |&(i, (&a, &y)): &(usize, (&f64, &f64))| Exhibit {
        pixels: pictures.test_x.column(i).to_vec(),
        frame: FRAMES[usize::from(y == 1.0)],
        caption: [format!("#{i}"), format!("y={y} a={a:.2}")],
    };
    let exhibits: Vec<Exhibit> = wrong.iter().take(DRAWN).map(exhibit).collect();
    gallery(&options.out.join("mislabelled.png"), &exhibits, &pictures.shape)
}
