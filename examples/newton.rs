//! # Newton's method on logistic regression
//!
//! The cost of logistic regression has one minimum, and is smooth and convex around it. With a column for each of m
//! examples, X is (n, m), the last row of it ones, so that the last weight is the bias; y holds a label 0 or 1 for each:
//!
//! ```text
//! a = σ(wᵀ X)
//! J = -1/m Σ (y ln a + (1 - y) ln(1 - a)) + λ/2 ‖w‖²
//! ```
//!
//! Gradient descent knows the slope of J alone. It goes down a little, again and again:
//!
//! ```text
//! w ← w - α ∂J/∂w
//! ```
//!
//! Newton's method knows the curvature too, the Hessian H = ∂²J/∂w², an (n, n) matrix. It goes to where the parabola that
//! touches J at w has its minimum:
//!
//! ```text
//! w ← w - H⁻¹ ∂J/∂w
//! ```
//!
//! Near the minimum the parabola is so good that the gradient that is left after a step is about the *square* of the one
//! before: 10⁻², 10⁻⁴, 10⁻⁸, 10⁻¹⁶. Neither the gradient nor the Hessian is written below: both are asked for. The whole
//! step, with the solution of its system of equations, is one program.
//!
//! H says more. Around the minimum the likelihood of the weights is that of a normal distribution with covariance
//! (m H)⁻¹, so the roots of its diagonal are the standard errors of the weights: how far the data can tell them.
//!
//! `cargo run --release --example newton -- --help` lists the options.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use common::data::{Table, breast_cancer, table};
use common::options::{l2_coefficient, learning_rate, on_threads, threads};
use common::plot::{Axis, Chart, Estimate, Legend, Scale, Series, estimates};
use common::training::not_finite;
use common::{Error, files, finish};
use gradus::ndarray::{ArrayD, Axis as Along, concatenate};
use gradus::optim::Sgd;
use gradus::prelude::*;
use gradus::{Feed, Program};

/// Trains logistic regression by Newton's method, and by gradient descent to compare: the gradient and the Hessian are
/// derived.
///
/// Without --data the examples are 569 tumours with 30 measurements each, and the question is: is it benign?
#[derive(Parser)]
struct Options {
    /// Numbers separated by commas, a row for each example, the label last: 0 or 1. A first line that is no row of
    /// numbers names the columns
    #[arg(long, value_name = "FILE.csv")]
    data: Option<PathBuf>,
    /// λ, the weight of ‖w‖²/2 in the cost
    #[arg(long, value_name = "λ", default_value_t = 0.001, value_parser = l2_coefficient, allow_negative_numbers = true)]
    l2: f64,
    /// Both methods stop when the norm of the gradient is not above this
    #[arg(long, value_name = "ε", default_value = "1e-12", value_parser = tolerance, allow_negative_numbers = true)]
    tolerance: f64,
    /// How many steps of Newton's method at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    steps: usize,
    /// How many steps of gradient descent at most
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    iterations: usize,
    /// The learning rate of gradient descent [default: 1/L, where L is the largest curvature of the cost]
    #[arg(long, value_name = "α", value_parser = learning_rate, allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Which examples test, a fifth of all: they are drawn from this
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to compute on; the numbers are the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<u16>,
    /// The folder for costs.csv, convergence.svg and weights.svg
    #[arg(long, value_name = "DIR", default_value = "target/newton")]
    out: PathBuf,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(tolerance) if tolerance.is_finite() && tolerance >= 0.0 => Ok(tolerance),
        _ => Err("a tolerance is a number of at least 0".to_owned()),
    }
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    let (data, question) = match &options.data {
        Some(path) => (enough(path, table(path, 2)?)?, format!("the labels of {}", path.display())),
        None => (breast_cancer()?, "is this tumour benign?".to_owned()),
    };
    let [train, test] = split(&data, options.seed)?;
    let (n, m) = train.x.dim();
    println!("Question: {question}");
    println!("{m} examples of {} numbers train, {} test.\n", n - 1, test.y.len());

    let g = Graph::new();
    let x = g.placeholder::<f64>("X", [n, m]);
    let y = g.placeholder::<f64>("y", [m]);
    let w = g.param("w", Array1::<f64>::zeros(n));

    // The model and its cost, as in the text above.
    let a = w.dot(x).sigmoid().named("a");
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean() + 0.5 * options.l2 * w.square().sum();

    let dw = cost.grad(w);
    let h = cost.hessian(w);
    println!("J     = {cost}\n∂J/∂w = {dw}\n");

    files::make_folder(&options.out)?;
    let feeds = [x.feed(&train.x), y.feed(&train.y)];
    let outputs = ([cost, dw.norm()], w);

    // At w = 0 every a is 1/2, where a (1 - a) is largest: nowhere is the cost more curved than there.
    let largest = g.compile(h.eigvalsh().max(), ())?.run_with(&feeds)?[[]];

    println!("Newton's method:");
    let step = on_threads(options.threads, g.compile(outputs, [w.assign(w - h.solve(dw))])?)?;
    let newton = descend(step, &feeds, options.steps, options.tolerance)?;
    print_squares(&newton);
    write_ways(&options.out, &[("Newton's method", &newton)])?;
    newton.check("the Hessian is singular, which a larger --l2 prevents")?;

    let rate = options.learning_rate.unwrap_or(1.0 / largest);
    println!("\nGradient descent, learning rate {rate:.4}:");
    w.set_value(Array1::<f64>::zeros(n))?;
    let step = on_threads(options.threads, g.compile(outputs, Sgd::new(rate).minimize(cost, w))?)?;
    let descent = descend(step, &feeds, options.iterations, options.tolerance)?;
    print_some(&descent);
    let both = [("Newton's method", &newton), ("gradient descent", &descent)];
    write_ways(&options.out, &both)?;
    descent.check("the learning rate is too large")?;
    print_comparison(&both);

    w.set_value(newton.end)?;
    let mut errors = g.compile((h * y.size_of(0)).inv().diag(0).sqrt(), ())?;
    let errors = errors.run_with(&feeds)?;
    weights(&options.out.join("weights.svg"), &data.names(), w.value()?.iter().zip(&errors))?;
    println!("\nSee costs.csv, convergence.svg and weights.svg in {}.\n", options.out.display());

    let mut accuracy = g.compile(100.0 * (a - y).abs().lt(0.5).cast::<f64>().mean(), ())?;
    println!("train accuracy: {:.2} %", accuracy.run_with(&feeds)?[[]]);
    println!("test accuracy: {:.2} %", accuracy.run_with(&[x.feed(&test.x), y.feed(&test.y)])?[[]]);
    Ok(())
}

/// Examples as the model takes them: numbers of mean 0 and deviation 1, and a last row of ones.
struct Examples {
    x: Array2<f64>,
    y: Array1<f64>,
}

/// The data, if they can be divided.
fn enough(path: &Path, data: Table) -> Result<Table, Error> {
    match data.y.len() {
        0..5 => Err(Error::in_file(path, format!("expected at least 5 examples, found {}", data.y.len()))),
        _ => Ok(data),
    }
}

/// Four fifths of the examples to train and one to test, in random order.
fn split(data: &Table, seed: u64) -> Result<[Examples; 2], Error> {
    let m = data.y.len();
    let order = Graph::new().rng("order", seed).permutation([m]).value()?;
    let order: Vec<usize> = order.iter().map(|&i| i as usize).collect();
    let (test, train) = order.split_at(m / 5);

    // Those that test are scaled as the others are, for a model knows nothing of their mean and deviation.
    let known = data.x.select(Along(1), train);
    let mean = known.mean_axis(Along(1)).unwrap_or_default().insert_axis(Along(1));
    let deviation = known.std_axis(Along(1), 0.0).insert_axis(Along(1));
    let deviation = deviation.mapv(|deviation| if deviation > 0.0 { deviation } else { 1.0 });
    let examples = |which: &[usize]| {
        let scaled = (data.x.select(Along(1), which) - &mean) / &deviation;
        let x = concatenate![Along(0), scaled, Array2::ones((1, which.len()))];
        Examples { x, y: data.y.select(Along(0), which) }
    };
    Ok([examples(train), examples(test)])
}

/// The way that a method went: costs and norms of the gradient, from before the first step on.
struct Descent {
    places: Vec<[f64; 2]>,
    time: Duration,
    /// The weights at the last place.
    end: ArrayD<f64>,
    /// The cost that came after it, if that was infinite or NaN.
    lost: Option<f64>,
}

impl Descent {
    /// The number of the last step.
    fn last(&self) -> usize {
        self.places.len().saturating_sub(1)
    }

    fn check(&self, cause: &str) -> Result<(), Error> {
        self.lost.map_or(Ok(()), |cost| Err(not_finite(self.places.len(), cost, cause)))
    }
}

/// Takes steps until the norm of the gradient is not above the tolerance, at most `steps` of them.
fn descend<'g>(
    mut step: Program<'g, ([Var<'g>; 2], Var<'g>)>,
    feeds: &[Feed<'_>],
    steps: usize,
    tolerance: f64,
) -> Result<Descent, Error> {
    let mut places = Vec::new();
    let start = Instant::now();
    loop {
        // All of them are from before the step.
        let ([cost, norm], w) = step.run_with(feeds)?;
        let (cost, norm) = (cost[[]], norm[[]]);
        let lost = Some(cost).filter(|cost| !cost.is_finite());
        if lost.is_none() {
            places.push([cost, norm]);
        }
        if lost.is_some() || norm <= tolerance || places.len() > steps {
            return Ok(Descent { places, time: start.elapsed(), end: w.to_owned(), lost });
        }
    }
}

/// Each step, with its gradient beside the square of the one before.
fn print_squares(newton: &Descent) {
    println!("step               cost   norm of the gradient   divided by the square of the last");
    let mut last: Option<f64> = None;
    for (step, &[cost, norm]) in newton.places.iter().enumerate() {
        let ratio = last.map_or(String::new(), |last| format!("{:>33.2e}", norm / last.powi(2)));
        println!("{}", format!("{step:>4}   {cost:.14}   {norm:>20.2e}   {ratio}").trim_end());
        last = Some(norm);
    }
}

/// The steps 0, 1, 10, 100, …, and the last one.
fn print_some(descent: &Descent) {
    println!("  step               cost   norm of the gradient");
    for (step, [cost, norm]) in descent.places.iter().enumerate() {
        let is_power = step == 0 || 10_usize.pow(step.ilog10()) == step;
        if is_power || step == descent.last() {
            println!("{step:>6}   {cost:.14}   {norm:>20.2e}");
        }
    }
}

fn print_comparison(ways: &[(&str, &Descent)]) {
    println!("\nmethod                steps   norm of the gradient         time   time of a step");
    for (method, descent) in ways {
        let (steps, time) = (descent.last(), descent.time.as_secs_f64());
        let (norm, each) = (descent.places[steps][1], 1e6 * time / descent.places.len() as f64);
        println!("{method:<16} {steps:>10}   {norm:>20.1e}   {:>7.1} ms   {each:>11.1} µs", 1e3 * time);
    }
}

fn write_ways(out: &Path, ways: &[(&str, &Descent)]) -> Result<(), Error> {
    files::write(&out.join("costs.csv"), costs_csv(ways).as_bytes())?;
    convergence(&out.join("convergence.svg"), ways)
}

/// Every step of Newton's method; of gradient descent every hundredth, and the last one.
fn costs_csv(ways: &[(&str, &Descent)]) -> String {
    let mut csv = String::from("method,iteration,cost,gradient_norm\n");
    for ((_, descent), (method, every)) in ways.iter().zip([("newton", 1), ("gradient_descent", 100)]) {
        for (iteration, [cost, norm]) in descent.places.iter().enumerate() {
            if iteration % every == 0 || iteration == descent.last() {
                csv.push_str(&format!("{method},{iteration},{cost:.16e},{norm:.16e}\n"));
            }
        }
    }
    csv
}

/// The norm of the gradient against the step, both on axes of powers of ten.
fn convergence(path: &Path, ways: &[(&str, &Descent)]) -> Result<(), Error> {
    let series = ways.iter().enumerate().map(|(colour, (method, descent))| {
        // A point where the step has grown by a hundredth is as good as all of them.
        let mut next = 1.0;
        let norms = descent.places.iter().enumerate().map(|(step, place)| (step as f64 + 1.0, place[1]));
        let points = norms.filter(|&(run, _)| {
            let shown = run >= next;
            next = if shown { run * 1.01 } else { next };
            shown
        });
        Series { name: (*method).to_owned(), points: points.collect(), colour, dots: false }
    });
    Chart {
        title: "Newton's method and gradient descent",
        x: Axis { label: "gradients computed", scale: Scale::Logarithmic },
        y: Axis { label: "norm of the gradient", scale: Scale::Logarithmic },
        legend: Legend::LowerLeft,
    }
    .write(path, &series.collect::<Vec<_>>())
}

/// The weights with their standard errors, from the largest to the smallest one, without the bias.
fn weights<'a>(
    path: &Path,
    names: &[String],
    numbers: impl Iterator<Item = (&'a f64, &'a f64)>,
) -> Result<(), Error> {
    let rows = names.iter().zip(numbers);
    let rows = rows.map(|(name, (&value, &error))| Estimate { name: name.clone(), value, error });
    let mut rows: Vec<Estimate> = rows.collect();
    rows.sort_by(|one, other| other.value.total_cmp(&one.value));
    estimates(path, "Weights and what the data leave open", "weight ± 2 standard errors", &rows)
}
