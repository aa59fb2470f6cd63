//! # A computation graph
//!
//! The function
//!
//! ```text
//! J(a, b, c) = 3 (a + b c)
//! ```
//!
//! is computed in three steps, u = bc, v = a + u and J = 3v: a graph, whose values are found from the left to the right. Its
//! derivatives are found from the right to the left, by the chain rule:
//!
//! ```text
//! dJ/dv = 3,    dJ/du = dJ/dv · dv/du,    dJ/da = dJ/dv · dv/da,    dJ/db = dJ/du · du/db,    dJ/dc = dJ/du · du/dc.
//! ```
//!
//! Below, the three steps are written and the derivatives are not: gradus derives them, each as a formula. Then every number
//! of the graph is nudged a little, to see that the derivative says by how much J follows.
//!
//! `cargo run --release --example computation_graph -- --help` lists the options.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::options;
use common::page::{heading, number, rounded, table};
use common::plot::{Axis, Chart, Legend, Scale, Series};
use common::{Error, files, finish};
use gradus::prelude::*;
use gradus::view::Drawing;

/// Computes J = 3(a + bc) and its derivatives on a graph, and shows what a derivative is.
#[derive(Parser)]
struct Options {
    /// The value of a
    #[arg(long, default_value_t = 5.0, value_parser = options::number, allow_negative_numbers = true)]
    a: f64,
    /// The value of b
    #[arg(long, default_value_t = 3.0, value_parser = options::number, allow_negative_numbers = true)]
    b: f64,
    /// The value of c
    #[arg(long, default_value_t = 2.0, value_parser = options::number, allow_negative_numbers = true)]
    c: f64,
    /// The folder for graph.svg, graph.dot, graph.tex and quotients.svg
    #[arg(long, value_name = "DIR", default_value = "target/computation_graph")]
    out: PathBuf,
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

// The three steps, as functions: of numbers that stand on a graph.

fn u<'g>(b: Var<'g>, c: Var<'g>) -> Var<'g> {
    b * c
}

fn v<'g>(a: Var<'g>, u: Var<'g>) -> Var<'g> {
    a + u
}

fn j(v: Var<'_>) -> Var<'_> {
    3.0 * v
}

fn run(options: &Options) -> Result<(), Error> {
    let g = Graph::new();
    let [a, b, c] =
        [("a", options.a), ("b", options.b), ("c", options.c)].map(|(name, value)| g.param(name, value));
    let steps = Steps::of([a, b, c]);
    if !steps.j.item()?.is_finite() {
        return Err(Error::new(format_args!("J is {}: a, b and c are too large", steps.j.item()?)));
    }
    files::make_folder(&options.out)?;
    println!("J = 3 (a + b c), in three steps: u = b c, v = a + u, J = 3 v");

    values(&steps)?;
    let derivatives = derivatives(&steps)?;
    nudges(&g, &steps, derivatives)?;
    limit(&g, &steps, &options.out)?;
    write_graph(&steps, &options.out)?;

    println!("\nSee graph.svg, graph.dot, graph.tex and quotients.svg in {}.", options.out.display());
    Ok(())
}

/// The graph: three numbers, and three steps.
struct Steps<'g> {
    a: Var<'g>,
    b: Var<'g>,
    c: Var<'g>,
    u: Var<'g>,
    v: Var<'g>,
    j: Var<'g>,
}

impl<'g> Steps<'g> {
    fn of([a, b, c]: [Var<'g>; 3]) -> Self {
        let u = u(b, c).named("u");
        let v = v(a, u).named("v");
        let j = j(v).named("J");
        Self { a, b, c, u, v, j }
    }

    /// All that J depends on, the nearest first.
    fn variables(&self) -> [(&'static str, Var<'g>); 5] {
        [("v", self.v), ("u", self.u), ("a", self.a), ("b", self.b), ("c", self.c)]
    }

    /// J once more, for a number `h` that is added to one of the variables on the way, in their order.
    fn nudged(&self, h: Var<'g>) -> [Var<'g>; 5] {
        let Self { a, b, c, u: product, v: sum, .. } = *self;
        [j(sum + h), j(v(a, product + h)), j(v(a + h, product)), j(v(a, u(b + h, c))), j(v(a, u(b, c + h)))]
    }
}

fn values(steps: &Steps<'_>) -> Result<(), Error> {
    heading("Values, from the left to the right");
    for (name, leaf) in [("a", steps.a), ("b", steps.b), ("c", steps.c)] {
        println!("{name} = {}", number(leaf.item()?));
    }
    for (name, step) in [("u", steps.u), ("v", steps.v), ("J", steps.j)] {
        println!("{name} = {:<5} = {}", step.to_string(), number(step.item()?));
    }
    Ok(())
}

/// The derivatives of J by all variables are asked for at once. Each is an expression: it prints as a formula, and has a value.
fn derivatives(steps: &Steps<'_>) -> Result<[f64; 5], Error> {
    heading("Derivatives, from the right to the left");
    let variables = steps.variables();
    let formulas = steps.j.grad(variables.map(|(_, variable)| variable));
    let mut values = [0.0; 5];
    for (i, (name, _)) in variables.iter().enumerate() {
        values[i] = formulas[i].item()?;
        println!("dJ/d{name} = {:<5} = {}", formulas[i].to_string(), number(values[i]));
    }
    Ok(values)
}

/// J is a straight line in each variable by itself, so the quotient is the derivative however large the nudge.
fn nudges<'g>(g: &'g Graph, steps: &Steps<'g>, derivatives: [f64; 5]) -> Result<(), Error> {
    const H: f64 = 0.001;
    heading(&format!("What a derivative is: a nudge by {H}"));
    let before = steps.j.item()?;
    let mut rows = Vec::new();
    let after = steps.nudged(g.constant(H));
    for (((name, variable), after), derivative) in steps.variables().into_iter().zip(after).zip(derivatives) {
        let (value, after) = (variable.item()?, after.item()?);
        rows.push(vec![
            name.to_owned(),
            format!("{} -> {}", number(value), number(rounded(value + H))),
            format!("{} -> {}", number(before), number(rounded(after))),
            number(rounded((after - before) / H)),
            number(derivative),
        ]);
    }
    table("lrrrr", &["", "nudged", "J", "change of J / 0.001", "derivative"], &rows);
    println!("\nWhere a variable moves by h, J moves by h times the derivative.");
    Ok(())
}

/// The graph as a picture: in each box a step with its value, and the derivative of J by it. And the page's formulas, for a text
/// that is set by LaTeX.
fn write_graph(steps: &Steps<'_>, out: &Path) -> Result<(), Error> {
    let drawing = Drawing::of(steps.j).values().gradients(steps.j);
    files::write(&out.join("graph.svg"), drawing.to_svg()?.as_bytes())?;
    files::write(&out.join("graph.dot"), drawing.to_dot()?.as_bytes())?;

    let formulas = [("u", steps.u), ("v", steps.v), ("J", steps.j)];
    let lines = formulas.map(|(name, formula)| format!("  {name} &= {}", formula.to_latex()));
    let derivatives = steps.variables().map(|(name, variable)| {
        format!("  \\frac{{\\partial J}}{{\\partial {name}}} &= {}", steps.j.grad(variable).to_latex())
    });
    let lines = [&lines[..], &derivatives].concat().join(" \\\\\n");
    let document = format!("\\begin{{align*}}\n{lines}\n\\end{{align*}}\n");
    files::write(&out.join("graph.tex"), document.as_bytes())
}

/// What the quotients are for a nudge: their values, and how far they are from the derivative.
struct Quotient {
    h: f64,
    one_sided: f64,
    one_sided_error: f64,
    centred: f64,
    centred_error: f64,
}

/// For a function that is not straight the quotient has the derivative as its limit only. On the way to it the numbers of a
/// computer give out: with two values that agree in all digits but the last few, their difference has but those few.
fn limit<'g>(g: &'g Graph, steps: &Steps<'g>, out: &Path) -> Result<(), Error> {
    heading("The limit of the quotients, and rounding: s = sin(J/8)");
    let Steps { a, b, c, .. } = *steps;
    let h = g.input("h", 0.1);
    let s = |b: Var<'g>| (j(v(a, u(b, c))) / 8.0).sin();

    let derivative = (steps.j / 8.0).sin().grad(b);
    let one_sided = (s(b + h) - s(b)) / h;
    let centred = (s(b + h) - s(b - h)) / (2.0 * h);
    println!("ds/db = {derivative} = {:.12}\n", derivative.item()?);

    let outputs = [one_sided, (one_sided - derivative).abs(), centred, (centred - derivative).abs()];
    let mut program = g.compile(outputs, ())?;
    let mut quotients = Vec::new();
    for exponent in 1..=12 {
        let h_value = 10_f64.powi(-exponent);
        let [one_sided, one_sided_error, centred, centred_error] =
            program.run_with(&[h.feed(&arr0(h_value))])?.map(|value| value[[]]);
        quotients.push(Quotient { h: h_value, one_sided, one_sided_error, centred, centred_error });
    }
    let rows: Vec<Vec<String>> = quotients.iter().map(row).collect();
    table("lrrrr", &["h", "(s(b+h) - s(b))/h", "error", "(s(b+h) - s(b-h))/2h", "error"], &rows);

    let second = derivative.grad(b);
    println!("\nd²s/db² = {second} = {:.6}", second.item()?);
    println!(
        "Truncation: the one-sided error is h/2 times that, {:.4} h, for large h.",
        second.item()?.abs() / 2.0
    );
    println!(
        "Rounding: both errors grow as 1/h for small h: then the two values of s differ in their last digits only."
    );
    draw(&out.join("quotients.svg"), &quotients)
}

fn row(quotient: &Quotient) -> Vec<String> {
    let Quotient { h, one_sided, one_sided_error, centred, centred_error } = quotient;
    vec![
        format!("{h:.0e}"),
        format!("{one_sided:.12}"),
        format!("{one_sided_error:.1e}"),
        format!("{centred:.12}"),
        format!("{centred_error:.1e}"),
    ]
}

fn draw(path: &Path, quotients: &[Quotient]) -> Result<(), Error> {
    let line = |name: &str, colour: usize, error: fn(&Quotient) -> f64| Series {
        name: name.to_owned(),
        points: quotients.iter().map(|quotient| (quotient.h, error(quotient))).collect(),
        colour,
        dots: false,
    };
    let chart = Chart {
        title: "How far a quotient is from the derivative",
        x: Axis { label: "h", scale: Scale::Logarithmic },
        y: Axis { label: "error", scale: Scale::Logarithmic },
        legend: Legend::LowerLeft,
    };
    let series = [
        line("(s(b+h) - s(b))/h", 0, |quotient| quotient.one_sided_error),
        line("(s(b+h) - s(b-h))/2h", 1, |quotient| quotient.centred_error),
        line("1e-16/h", 2, |quotient| 1e-16 / quotient.h),
    ];
    chart.write(path, &series)
}
