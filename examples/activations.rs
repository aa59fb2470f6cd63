//! # Activations
//!
//! What stands between the layers of a network is a function of one number, applied to every element: a = g(z). Its derivative
//! is what a gradient is multiplied by on the way back. So two things matter: its shape, and where it saturates, which is
//! where the derivative is nearly 0 and learning stops.
//!
//! ```text
//! sigmoid      1 / (1 + e⁻ᶻ)                leaky relu   z for z > 0, else 0.01 z
//! tanh         (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ)      elu          z for z > 0, else eᶻ - 1
//! relu         max(z, 0)                    softplus     ln(1 + eᶻ)
//! silu         z σ(z)                       gelu         z Φ(z)
//! ```
//!
//! No derivative is written here: each is derived, printed, and drawn beside its function. Then follow two reasons why these
//! functions matter. A chain of sigmoids has a derivative that vanishes with its length; and without a function between
//! them, layers collapse to one.
//!
//! `cargo run --release --example activations -- --help` lists the options.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::options;
use common::page::{heading, number, table};
use common::plot::{Axis, Chart, Curve, Facet, Legend, Scale, Series, facets};
use common::{Error, files, finish};
use gradus::prelude::*;

/// Shows activations and their derivatives: as formulas, as curves, where they saturate, and what they are for.
#[derive(Parser)]
struct Options {
    /// The slope of leaky relu on the left
    #[arg(long, value_name = "S", default_value_t = 0.01, value_parser = options::number, allow_negative_numbers = true)]
    slope: f64,
    /// A function is saturated where its derivative is smaller than this: between 1e-12 and 1
    #[arg(long, value_name = "D", default_value_t = 1e-3, value_parser = threshold, allow_negative_numbers = true)]
    threshold: f64,
    /// The seed of the random layers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The folder for activations.svg, chains.svg and layers.svg
    #[arg(long, value_name = "DIR", default_value = "target/activations")]
    out: PathBuf,
}

fn threshold(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(threshold) if (1e-12..1.0).contains(&threshold) => Ok(threshold),
        _ => Err("a threshold is a number from 1e-12 to below 1".to_owned()),
    }
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    files::make_folder(&options.out)?;
    println!("Activations: a = g(z), element by element");
    let activations = activations(options.slope);
    let studies: Vec<Study<'_>> =
        activations.iter().map(|g| Study::of(g, options.threshold)).collect::<Result<_, _>>()?;
    formulas(&studies);
    saturation(&studies, options.threshold);
    draw(&options.out.join("activations.svg"), studies)?;
    chains(&activations[..3], &options.out.join("chains.svg"))?;
    layers(options.seed, &options.out.join("layers.svg"))?;
    println!("\nSee activations.svg, chains.svg and layers.svg in {}.", options.out.display());
    Ok(())
}

/// A function of one number, as it is written in a formula.
struct Activation {
    name: &'static str,
    text: String,
    of: Box<dyn for<'g> Fn(Var<'g>) -> Var<'g>>,
}

fn activations(slope: f64) -> Vec<Activation> {
    fn new(
        name: &'static str,
        text: impl Into<String>,
        of: impl for<'g> Fn(Var<'g>) -> Var<'g> + 'static,
    ) -> Activation {
        Activation { name, text: text.into(), of: Box::new(of) }
    }
    vec![
        new("sigmoid", "1 / (1 + e⁻ᶻ)", |z| z.sigmoid()),
        new("tanh", "(eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ)", |z| z.tanh()),
        new("relu", "max(z, 0)", |z| z.relu()),
        new("leaky relu", format!("z for z > 0, else {slope} z"), move |z| z.leaky_relu(slope)),
        new("elu", "z for z > 0, else eᶻ - 1", |z| z.elu(1.0)),
        new("softplus", "ln(1 + eᶻ)", |z| z.softplus()),
        new("silu", "z σ(z)", |z| z.silu()),
        new("gelu", "z Φ(z)", |z| z.gelu()),
    ]
}

/// What is found out about an activation.
struct Study<'a> {
    activation: &'a Activation,
    formula: String,
    derivative: String,
    values: Vec<(f64, f64)>,
    /// With a gap where they jump.
    slopes: Vec<(f64, f64)>,
    /// Where the derivative stays below the threshold: from 0 to the left, and to the right.
    saturated: [Option<f64>; 2],
    /// The largest derivative among the points.
    largest: f64,
}

impl<'a> Study<'a> {
    fn of(activation: &'a Activation, threshold: f64) -> Result<Self, Error> {
        let [formula, derivative] = Self::formulas(activation);
        let g = Graph::new();
        let z = g.placeholder::<f64>("z", [1]);
        let a = (activation.of)(z);
        // The derivative of a sum by each of its terms is that of the term alone.
        let slope = a.sum().grad(z);

        let ticks = Array1::from_iter((-500..=500).map(|k| f64::from(k) / 100.0));
        let mut both = g.compile([a, slope], ())?;
        let [values, slopes] = both
            .run_with(&[z.feed(&ticks)])?
            .map(|row| ticks.iter().copied().zip(row.iter().copied()).collect::<Vec<_>>());
        let largest = slopes.iter().fold(0.0_f64, |most, point| most.max(point.1));

        let mut slope = g.compile(slope, ())?;
        let mut slopes_at = |at: &Array1<f64>| -> Result<Vec<f64>, Error> {
            Ok(slope.run_with(&[z.feed(at)])?.iter().copied().collect())
        };
        let saturated = [end(&mut slopes_at, -1.0, threshold)?, end(&mut slopes_at, 1.0, threshold)?];
        let slopes = with_gaps(&slopes);
        Ok(Self { activation, formula, derivative, values, slopes, saturated, largest })
    }

    /// The function and its derivative as formulas of one number, in which the function has the name `a`.
    fn formulas(activation: &Activation) -> [String; 2] {
        let g = Graph::new();
        let z = g.placeholder::<f64>("z", []);
        let a = (activation.of)(z);
        [a.to_string(), a.named("a").grad(z).to_string()]
    }
}

/// The points, with one that cannot be drawn between any two that are far from each other.
fn with_gaps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let near = |one: &(f64, f64), next: &(f64, f64)| (one.1 - next.1).abs() < 0.1;
    points.chunk_by(near).collect::<Vec<_>>().join(&(f64::NAN, f64::NAN))
}

/// The number beyond which, in this direction, slopes stay below the threshold: between two places of a grid to 100, and
/// then halved. Nothing, if they do not.
fn end(
    slopes: &mut impl FnMut(&Array1<f64>) -> Result<Vec<f64>, Error>,
    direction: f64,
    threshold: f64,
) -> Result<Option<f64>, Error> {
    let grid = Array1::from_iter((0..=10_000).map(|k| direction * f64::from(k) / 100.0));
    let Some(last) = slopes(&grid)?.iter().rposition(|slope| slope.abs() >= threshold) else {
        return Ok(Some(0.0));
    };
    let Some(&beyond) = grid.get(last + 1) else { return Ok(None) };
    let (mut inside, mut outside) = (grid[last], beyond);
    for _ in 0..40 {
        let middle = (inside + outside) / 2.0;
        let slope = slopes(&array![middle])?[0];
        if slope.abs() >= threshold {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    Ok(Some(outside))
}

fn formulas(studies: &[Study<'_>]) {
    heading("Functions, and the derivatives that gradus finds");
    println!("In a derivative, a is the value of the function.");
    for Study { activation: Activation { name, text, .. }, formula, derivative, .. } in studies {
        println!("\n{name:<12} {text}\n{:12} a     = {formula}", "");
        // A long formula has lines of its own for what stands in it more than once.
        let derivative = derivative.replace('\n', &format!("\n{:21}", ""));
        println!("{:12} da/dz = {derivative}", "");
    }
}

fn saturation(studies: &[Study<'_>], threshold: f64) {
    heading("Saturation");
    println!(
        "Where the derivative is smaller than {}, hardly anything of a gradient passes.\n",
        number(threshold)
    );
    let place = |end: Option<f64>, side: &str| match end {
        // Without a minus in front of 0.
        Some(z) => format!("{side} {:.4}", (z * 1e4).round() / 1e4 + 0.0),
        None => "never".to_owned(),
    };
    let rows: Vec<Vec<String>> = studies
        .iter()
        .map(|Study { activation, saturated: [left, right], largest, .. }| {
            vec![
                activation.name.to_owned(),
                place(*left, "z <"),
                place(*right, "z >"),
                format!("{largest:.4}"),
            ]
        })
        .collect();
    table("lrrr", &["", "on the left", "on the right", "largest derivative"], &rows);
}

fn draw(path: &Path, studies: Vec<Study<'_>>) -> Result<(), Error> {
    let facet = |study: Study<'_>| {
        let curve = |name: &str, points| Curve { name: name.to_owned(), points };
        let title = format!("{}: {}", study.activation.name, study.activation.text);
        Facet { title, curves: vec![curve("g(z)", study.values), curve("dg/dz", study.slopes)] }
    };
    let studied: Vec<Facet> = studies.into_iter().map(facet).collect();
    facets(path, 2, ("z", -5.0..5.0), ("", -1.2..3.0), &studied)
}

/// How long the longest chain is, and of which lengths the page tells.
const LONGEST: usize = 50;
const LENGTHS: [usize; 6] = [1, 2, 5, 10, 20, LONGEST];

/// In a deep network whose weights are 1 the derivative of the last activation by the first input is a product of as many
/// factors dg/dz. Those of sigmoid are at most 1/4.
fn chains(activations: &[Activation], path: &Path) -> Result<(), Error> {
    heading("Chains");
    println!("The derivative of g(g(…g(z)…)), n times g, by z at z = 1:\n");
    let mut columns: Vec<(&str, Vec<f64>)> = Vec::new();
    for activation in activations {
        columns.push((activation.name, chain(activation)?));
    }
    columns.push(("(1/4)^n", (1..=LONGEST as i32).map(|n| 0.25_f64.powi(n)).collect()));

    let head: Vec<&str> = std::iter::once("n").chain(columns.iter().map(|column| column.0)).collect();
    let row = |n: usize| {
        let cells = columns.iter().map(|(_, values)| brief(values[n - 1]));
        std::iter::once(n.to_string()).chain(cells).collect()
    };
    table(&"r".repeat(head.len()), &head, &LENGTHS.map(row));

    let numbered = |values: Vec<f64>| (1..=LONGEST).map(|n| n as f64).zip(values).collect();
    let series = columns.into_iter().enumerate().map(|(k, (name, values))| line(name, numbered(values), k));
    let chart = Chart {
        title: "The derivative of a chain of n activations at z = 1",
        x: Axis { label: "n", scale: Scale::Linear },
        y: Axis { label: "derivative", scale: Scale::Logarithmic },
        legend: Legend::LowerLeft,
    };
    chart.write(path, &series.collect::<Vec<_>>())
}

/// The derivatives at z = 1 of chains of one link, of two, and so on.
fn chain(activation: &Activation) -> Result<Vec<f64>, Error> {
    let g = Graph::new();
    let z = g.input("z", 1.0);
    let links = std::iter::successors(Some((activation.of)(z)), |&link| Some((activation.of)(link)));
    let derivatives: Vec<Var<'_>> = links.take(LONGEST).map(|link| link.grad(z)).collect();
    Ok(g.compile(derivatives, ())?.run()?.into_iter().map(|value| value[[]]).collect())
}

fn line(name: &str, points: Vec<(f64, f64)>, colour: usize) -> Series {
    Series { name: name.to_owned(), points, colour, dots: false }
}

/// A few digits, in the form that is shorter.
fn brief(x: f64) -> String {
    if x == 0.0 || (1e-2..1e4).contains(&x.abs()) { format!("{x:.4}") } else { format!("{x:.2e}") }
}

/// Two layers with g between them.
fn network<'g>(x: Var<'g>, [w1, b1, w2, b2]: [Var<'g>; 4], g: impl FnOnce(Var<'g>) -> Var<'g>) -> Var<'g> {
    w2.dot(g(w1.dot(x) + b1)) + b2
}

/// Without a function between them, two layers are one: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2).
fn layers(seed: u64, path: &Path) -> Result<(), Error> {
    heading("Layers without an activation are one layer");
    let g = Graph::new();
    let rng = g.rng("rng", seed);
    let random = |name: &str, shape: [usize; 2]| -> Result<Var<'_>, Error> {
        Ok(g.param(name, rng.standard_normal::<f64>(shape).value()?))
    };
    // 3 features of 5 examples, 4 hidden units, 2 results.
    let x = random("X", [3, 5])?;
    let [w1, b1] = [random("W1", [4, 3])?, random("b1", [4, 1])?];
    let [w2, b2] = [random("W2", [2, 4])?, random("b2", [2, 1])?];

    let [w, b] = [w2.dot(w1).named("W"), (w2.dot(b1) + b2).named("b")];
    println!("Y = W X + b with W = {w} and b = {b} is what two layers compute:\n");
    let one = w.dot(x) + b;
    let linear = network(x, [w1, b1, w2, b2], |z| z);
    let curved = network(x, [w1, b1, w2, b2], |z| z.tanh());
    for (name, y) in [("one layer", one), ("two layers", linear), ("with tanh", curved)] {
        println!("{name:<10}   Y = {y}");
    }
    println!("\nThe largest difference from the one layer, on random numbers:");
    for (name, y) in [("two layers", linear), ("with tanh", curved)] {
        println!("{name:<10}   {}", brief((y - one).abs().max().item()?));
    }
    let dy = g.placeholder::<f64>("dY", [2, 5]);
    println!("\ndX for a given dY. Of linear layers it does not contain X: there is one slope for all.");
    for (name, y) in [("two layers", linear), ("with tanh", curved)] {
        println!("{name:<10}   {}", y.vjp(dy, x).to_string().replace('\n', &format!("\n{:13}", "")));
    }
    draw_layers(seed, path)
}

/// A network with one input and one result, as a curve.
fn draw_layers(seed: u64, path: &Path) -> Result<(), Error> {
    let g = Graph::new();
    let rng = g.rng("rng", seed);
    let hidden = 8;
    let [w1, b1] = [[hidden, 1]; 2].map(|shape| rng.standard_normal::<f64>(shape));
    let w2 = rng.standard_normal::<f64>([1, hidden]);
    let b2 = rng.standard_normal::<f64>([1, 1]);
    let x = g.placeholder::<f64>("x", [1, 1]);
    type Function = fn(Var<'_>) -> Var<'_>;
    let functions: [(&str, Function); 3] =
        [("nothing between the layers", |z| z), ("tanh", |z| z.tanh()), ("relu", |z| z.relu())];
    let outputs = functions.map(|(_, function)| network(x, [w1, b1, w2, b2], function));

    let ticks = Array1::from_iter((-40..=40).map(|k| f64::from(k) / 10.0));
    let row = ticks.view().insert_axis(gradus::ndarray::Axis(0));
    let mut program = g.compile(outputs, ())?;
    let values = program.run_with(&[x.feed(&row)])?;
    let series: Vec<Series> = (0..functions.len())
        .map(|k| line(functions[k].0, ticks.iter().copied().zip(values[k].iter().copied()).collect(), k))
        .collect();
    let chart = Chart {
        title: "A network 1-8-1 with random weights",
        x: Axis { label: "x", scale: Scale::Linear },
        y: Axis { label: "y", scale: Scale::Linear },
        legend: Legend::UpperLeft,
    };
    chart.write(path, &series)
}
