//! # Logistic regression on pictures
//!
//! A picture is a column `x` of n numbers. Logistic regression gives the probability that the answer to a question
//! about it is yes:
//!
//! ```text
//! a = σ(wᵀ x + b),        σ(z) = 1 / (1 + e⁻ᶻ)
//! ```
//!
//! With m pictures side by side, X is (n, m), the labels Y are (1, m), and the cost is the mean cross-entropy
//!
//! ```text
//! J = -1/m Σ (y ln a + (1 - y) ln(1 - a)).
//! ```
//!
//! Both are written below as they stand here. The gradient is not written at all: gradient descent asks for it.
//!
//! The trained model answers for pictures of your own, too. They come in all sizes and colours, so each is converted as
//! the training pictures were: drawn on white, stretched to their height and width, turned to grey if they are grey,
//! its bytes divided by 255, flattened row by row. The digits are bright on black: a dark digit on white paper needs
//! `--invert`.
//!
//! `cargo run --release --example logistic_regression -- --help` lists the options.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::accuracy::{accuracies, print_accuracies, print_rates, probabilities};
use common::data::{Pictures, open_or_digits};
use common::options::{Precision, learning_rate, on_threads, threads};
use common::plot::weights;
use common::training::{Schedule, Trainings, rate_name};
use common::{Error, files, finish};
use gradus::Program;
use gradus::ndarray::{Array1, ArrayD};
use gradus::optim::Sgd;
use gradus::prelude::*;

/// Trains logistic regression on pictures by gradient descent: the model and its cost are formulas, the gradient is
/// derived.
///
/// Without --data the pictures are the handwritten digits that ship with the examples, and the question is: is it a 3?
#[derive(Parser)]
struct Options {
    /// A NumPy archive (.npz) with train_x (m, …), uint8 (divided by 255) or float, train_y, test_x and test_y: 0 or 1,
    /// (m) or (1, m); or a folder with train_catvnoncat.h5 and test_catvnoncat.h5, if built with the feature hdf5
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// How many steps of gradient descent
    #[arg(long, value_name = "N", default_value_t = 2000)]
    iterations: usize,
    /// The learning rate; several give one curve each [default: 0.5 for the digits, 0.005 with --data]
    #[arg(long, value_name = "α", value_parser = learning_rate, allow_negative_numbers = true)]
    learning_rate: Vec<f64>,
    /// Also answer for this picture, PNG or JPEG, converted as the training pictures were; several are answered in
    /// turn, by the model of the first learning rate
    #[arg(long, value_name = "IMAGE")]
    predict: Vec<PathBuf>,
    /// Swap dark and bright in the pictures to predict: the digits are bright on black
    #[arg(long, requires = "predict")]
    invert: bool,
    /// The element type to compute in
    #[arg(long, value_enum, default_value_t = Precision::F64)]
    dtype: Precision,
    /// How many threads to compute on; the model is the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<u16>,
    /// The folder for costs.csv, learning_curve.svg, weights.png and model.safetensors
    #[arg(long, value_name = "DIR", default_value = "target/logistic_regression")]
    out: PathBuf,
    /// Also save the model of the first learning rate here
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Load a model instead of training, and report its accuracies
    #[arg(long, value_name = "FILE", conflicts_with_all = ["learning_rate", "iterations"])]
    load: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    finish(match options.dtype {
        Precision::F32 => run::<f32>(&options),
        Precision::F64 => run::<f64>(&options),
    })
}

fn run<T: Float>(options: &Options) -> Result<(), Error> {
    let (pictures, question) = open_or_digits(options.data.as_deref())?;
    let default_rate = if options.data.is_some() { 0.005 } else { 0.5 };
    let own = own_pictures(options, &pictures)?;
    println!("Question: {question}");
    let (m, tests) = (pictures.train_x.ncols(), pictures.test_x.ncols());
    println!("{m} pictures of shape {:?} train, {tests} test.\n", pictures.shape);

    let g = Graph::new();
    let model = model::<T>(&g, pictures.train_x.dim());
    model.print();
    let mut predict = on_threads(options.threads, g.compile(model.a, ())?)?;

    if let Some(path) = &options.load {
        model.load(path)?;
        println!("Loaded {}.\n", path.display());
        answer(&mut predict, model.x, &pictures, &own)?;
        print_accuracies(accuracies(&mut predict, model.x, &pictures)?);
        return Ok(());
    }

    // The cost is convex, so any start will do: every learning rate begins at zero.
    files::make_folder(&options.out)?;
    let rates = if options.learning_rate.is_empty() { &[default_rate][..] } else { &options.learning_rate };
    let schedule = Schedule { iterations: options.iterations, every: 100 };
    let [x, y] = [&pictures.train_x, &pictures.train_y].map(|array| array.mapv(T::from_f64));
    let feeds = [model.x.feed(&x), model.y.feed(&y)];
    let mut trainings = Trainings::new(&options.out, "Logistic regression", "learning_rate", rate_name);
    let mut results = Vec::new();
    for &rate in rates {
        model.reset()?;
        println!("Gradient descent, learning rate {rate}:");
        trainings.run(rate, schedule, &mut model.step(&g, rate, options)?, &feeds)?;
        println!();
        results.push((rate, accuracies(&mut predict, model.x, &pictures)?));
        if results.len() == 1 {
            model.save(options, &pictures.shape)?;
            answer(&mut predict, model.x, &pictures, &own)?;
        }
    }

    print_rates(&results);
    let out = options.out.display();
    println!("\nSee costs.csv, learning_curve.svg, weights.png and model.safetensors in {out}.\n");
    print_accuracies(results[0].1);
    Ok(())
}

/// The model as a formula.
struct Model<'g, T: Float> {
    x: Var<'g, T>,
    y: Var<'g, T>,
    w: Var<'g, T>,
    b: Var<'g, T>,
    a: Var<'g, T>,
    cost: Var<'g, T>,
}

fn model<T: Float>(g: &Graph, (n, m): (usize, usize)) -> Model<'_, T> {
    // The data are fed, so the graph knows of them by shape alone; `x` and `y` may stand for any number of pictures.
    let x = g.placeholder("x", [n, m]);
    let y = g.placeholder("y", [1, m]);
    let w = g.param("w", Array2::from_elem((n, 1), T::default()));
    let b = g.param("b", arr0(T::default()));

    // The model and its cost, as in the text above.
    let a = (w.t().dot(x) + b).sigmoid().named("a");
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();

    Model { x, y, w, b, a, cost }
}

impl<'g, T: Float> Model<'g, T> {
    fn print(&self) {
        let [dw, db] = self.cost.grad([self.w, self.b]);
        println!("a     = {}\ncost  = {}", self.a, self.cost);
        println!("∂J/∂w = {dw}\n∂J/∂b = {db}\n");
    }

    /// Gives the parameters their first values.
    fn reset(&self) -> Result<(), Error> {
        for parameter in [self.w, self.b] {
            parameter.set_value(ArrayD::from_elem(&parameter.shape()[..], T::default()))?;
        }
        Ok(())
    }

    /// A step of gradient descent: `w ← w - α ∂J/∂w` and `b ← b - α ∂J/∂b`.
    fn step(
        &self,
        g: &'g Graph,
        rate: f64,
        options: &Options,
    ) -> Result<Program<'g, [Var<'g, T>; 1]>, Error> {
        let descent = Sgd::new(rate).minimize(self.cost, [self.w, self.b]);
        on_threads(options.threads, g.compile([self.cost], descent)?)
    }

    fn load(&self, path: &Path) -> Result<(), Error> {
        for (name, parameter) in [("w", self.w), ("b", self.b)] {
            parameter.set_value(files::load_tensor::<T>(path, name, &parameter.shape())?)?;
        }
        Ok(())
    }

    /// Saves the model, and the picture of its weights.
    fn save(&self, options: &Options, shape: &[usize]) -> Result<(), Error> {
        let (w, b) = (self.w.value()?, self.b.value()?);
        let tensors = [("w", w.view()), ("b", b.view())];
        files::save_tensors(&options.out.join("model.safetensors"), &tensors)?;
        if let Some(path) = &options.save {
            files::save_tensors(path, &tensors)?;
        }
        let column: Array1<f64> = w.iter().map(|w| w.to_f64()).collect();
        weights(&options.out.join("weights.png"), column.view(), shape)
    }
}

/// The user's own pictures, each a column behind its path. They are read before the training: it would be a pity to
/// learn of a wrong path after it.
fn own_pictures<'a>(
    options: &'a Options,
    pictures: &Pictures,
) -> Result<Vec<(&'a Path, Array2<f64>)>, Error> {
    let column = |path: &'a PathBuf| Ok((path.as_path(), pictures.convert(path, options.invert)?));
    options.predict.iter().map(column).collect()
}

/// Prints the likelier class of each of the user's own pictures, with its probability.
fn answer<'g, T: Float>(
    predict: &mut Program<'g, Var<'g, T>>,
    x: Var<'g, T>,
    pictures: &Pictures,
    own: &[(&Path, Array2<f64>)],
) -> Result<(), Error> {
    for (path, column) in own {
        let a = probabilities(predict, x, column)?[[0, 0]];
        let [no, yes] = &pictures.classes;
        let (class, probability) = if a > 0.5 { (yes, a) } else { (no, 1.0 - a) };
        println!("{}: {class}, with probability {probability:.4}", path.display());
    }
    if !own.is_empty() {
        println!();
    }
    Ok(())
}
