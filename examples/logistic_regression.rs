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
//! `cargo run --release --example logistic_regression -- --help` lists the options.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::data::{Pictures, digits, open};
use common::options::{Precision, learning_rate, on_threads};
use common::plot::{Curve, curves, weights};
use common::training::{Costs, Schedule};
use common::{Error, files, finish};
use gradus::Program;
use gradus::ndarray::Axis;
use gradus::optim::Sgd;
use gradus::prelude::*;

/// Trains logistic regression on pictures by gradient descent: the model and its cost are formulas, the gradient is
/// derived.
///
/// Without --data the pictures are the handwritten digits that ship with the examples, and the question is: is it a 3?
#[derive(Parser)]
struct Options {
    /// A NumPy archive with train_x (m, …), uint8 (divided by 255) or float, train_y, test_x and test_y: 0 or 1, (m)
    /// or (1, m)
    #[arg(long, value_name = "FILE.npz")]
    data: Option<PathBuf>,
    /// How many steps of gradient descent
    #[arg(long, value_name = "N", default_value_t = 2000)]
    iterations: usize,
    /// The learning rate; several give one curve each [default: 0.5 for the digits, 0.005 with --data]
    #[arg(long, value_name = "A", value_parser = learning_rate, allow_negative_numbers = true)]
    learning_rate: Vec<f64>,
    /// The element type to compute in
    #[arg(long, value_enum, default_value_t = Precision::F64)]
    dtype: Precision,
    /// How many threads to compute on; the model is the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
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
    let (pictures, question, default_rate) = match &options.data {
        Some(path) => (open(path)?, format!("the labels of {}", path.display()), 0.005),
        None => (digits(|class| class == 3)?, "is this handwritten digit a 3?".to_owned(), 0.5),
    };
    let (n, m) = pictures.train_x.dim();
    println!("Question: {question}");
    println!("{m} pictures of shape {:?} train, {} test.\n", pictures.shape, pictures.test_x.ncols());

    // The data are fed, so the graph knows of them by shape alone; `x` and `y` may stand for any number of pictures.
    let g = Graph::new();
    let x = g.placeholder::<T>("x", [n, m]);
    let y = g.placeholder::<T>("y", [1, m]);
    let w = g.param("w", Array2::from_elem((n, 1), T::default()));
    let b = g.param("b", arr0(T::default()));

    // The model and its cost, as in the text above.
    let z = w.t().dot(x) + b;
    let a = z.sigmoid().named("a");
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();

    let [dw, db] = cost.grad([w, b]);
    println!("a     = {a}\ncost  = {cost}");
    println!("∂J/∂w = {dw}\n∂J/∂b = {db}\n");

    let [train_x, train_y] = [&pictures.train_x, &pictures.train_y].map(|array| array.mapv(T::from_f64));
    let feeds = [x.feed(&train_x), y.feed(&train_y)];
    let mut predict = on_threads(options.threads, g.compile(a, ())?)?;

    if let Some(path) = &options.load {
        w.set_value(files::load_tensor::<T>(path, "w", &[n, 1])?)?;
        b.set_value(files::load_tensor::<T>(path, "b", &[])?)?;
        println!("Loaded {}.", path.display());
        let (train, test) = accuracies(&mut predict, x, &pictures)?;
        print_accuracies(train, test);
        return Ok(());
    }
    files::make_folder(&options.out)?;

    let rates =
        if options.learning_rate.is_empty() { vec![default_rate] } else { options.learning_rate.clone() };
    let schedule = Schedule { iterations: options.iterations, every: 100 };
    let mut results = Vec::new();
    for (i, &rate) in rates.iter().enumerate() {
        w.set_value(Array2::from_elem((n, 1), T::default()))?;
        b.set_value(arr0(T::default()))?;
        println!("Gradient descent, learning rate {rate}:");
        let mut step =
            on_threads(options.threads, g.compile([cost], Sgd::new(rate).minimize(cost, [w, b]))?)?;
        let costs = schedule.run(&mut step, &feeds)?;
        let (train, test) = accuracies(&mut predict, x, &pictures)?;
        results.push((rate, costs, train, test));
        if i == 0 {
            save(options, &pictures, w, b)?;
        }
    }

    write_curves(&options.out, &results)?;
    println!("\nlearning rate   train accuracy   test accuracy");
    for (rate, _, train, test) in &results {
        println!("{rate:>13}   {train:>12.2} %   {test:>11.2} %");
    }
    println!(
        "\nSee costs.csv, learning_curve.svg, weights.png and model.safetensors in {}.\n",
        options.out.display()
    );
    let (_, _, train, test) = results[0];
    print_accuracies(train, test);
    Ok(())
}

/// The share of pictures that are classified right, in percent, of the training and of the test pictures.
fn accuracies<'g, T: Float>(
    predict: &mut Program<'g, Var<'g, T>>,
    x: Var<'g, T>,
    pictures: &Pictures,
) -> Result<(f64, f64), Error> {
    let mut accuracy = |pixels: &Array2<f64>, labels: &Array2<f64>| -> Result<f64, Error> {
        let pixels = pixels.mapv(T::from_f64);
        let answers = predict.run_with(&[x.feed(&pixels)])?;
        let right = answers.iter().zip(labels).filter(|&(a, &y)| (a.to_f64() > 0.5) == (y == 1.0)).count();
        Ok(100.0 * right as f64 / labels.len() as f64)
    };
    Ok((accuracy(&pictures.train_x, &pictures.train_y)?, accuracy(&pictures.test_x, &pictures.test_y)?))
}

fn print_accuracies(train: f64, test: f64) {
    println!("train accuracy: {train:.2} %\ntest accuracy: {test:.2} %");
}

/// The model, and the picture of its weights.
fn save<T: Float>(options: &Options, pictures: &Pictures, w: Var<'_, T>, b: Var<'_, T>) -> Result<(), Error> {
    let (w, b) = (w.value()?, b.value()?);
    let tensors = [("w", w.view()), ("b", b.view())];
    files::save_tensors(&options.out.join("model.safetensors"), &tensors)?;
    if let Some(path) = &options.save {
        files::save_tensors(path, &tensors)?;
    }
    let column = w.mapv(T::to_f64);
    let column = column.index_axis(Axis(1), 0);
    let column = column.to_shape(column.len()).map_err(|error| Error::in_file(&options.out, error))?;
    weights(&options.out.join("weights.png"), column.view(), &pictures.shape)
}

/// What a training gave: learning rate, costs by iteration, accuracies.
type Training = (f64, Costs, f64, f64);

fn write_curves(out: &Path, results: &[Training]) -> Result<(), Error> {
    let costs: Vec<_> = results.iter().map(|(rate, costs, _, _)| (*rate, costs.clone())).collect();
    files::write(&out.join("costs.csv"), files::costs_csv(&costs).as_bytes())?;
    let lines: Vec<Curve> = costs
        .iter()
        .map(|(rate, costs)| Curve {
            name: format!("learning rate {rate}"),
            points: costs.iter().map(|&(iteration, cost)| (iteration as f64, cost)).collect(),
        })
        .collect();
    curves(&out.join("learning_curve.svg"), "Logistic regression", "iteration", "cost", &lines)
}
