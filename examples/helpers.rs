//! # Helpers
//!
//! The first exercises of a course on neural networks are small functions on arrays. Each of them is a formula:
//!
//! ```text
//! sigmoid          σ(x) = 1 / (1 + e⁻ˣ),   σ'(x) = σ(x) (1 - σ(x))
//! image2vector     (height, width, 3) → (height · width · 3, 1)
//! normalised rows  x / ‖x‖, row by row
//! softmax          eˣⁱ / Σ eˣʲ, row by row
//! L1, L2           Σ |ŷ - y|,   Σ (ŷ - y)²
//! ```
//!
//! Then follows what such a course tells of NumPy's arrays: which shapes go together, and which surprise. All operations take
//! shapes as NumPy's do, and refuse what NumPy refuses, but when the formula is written, before any number is computed.
//!
//! `cargo run --release --example helpers -- --help` lists the options.

mod common;

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::page::{heading, table};
use common::plot::{Grid, grids};
use common::{Error, files, finish};
use gradus::Shape;
use gradus::ndarray::{Array3, ArrayD};
use gradus::ops::{MatMul, Op};
use gradus::prelude::*;
use serde_json::Value;

/// What NumPy makes of pairs of shapes.
const NUMPY: &str = include_str!("../tests/golden/numpy/shapes.json");

/// Computes the first exercises of a course as formulas, and compares shapes and errors with NumPy's.
#[derive(Parser)]
struct Options {
    /// The folder for values.csv, shapes.csv and shapes.svg
    #[arg(long, value_name = "DIR", default_value = "target/helpers")]
    out: PathBuf,
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    files::make_folder(&options.out)?;
    println!("Small functions on arrays, and which shapes go together");
    let mut shown = Values::default();
    functions(&mut shown)?;
    losses(&mut shown)?;
    products(&mut shown)?;
    ranks(&mut shown)?;
    files::write(&options.out.join("values.csv"), shown.csv().as_bytes())?;

    let cases = cases()?;
    shapes(&cases);
    refusals(&cases);
    files::write(&options.out.join("shapes.csv"), shapes_csv(&cases).as_bytes())?;
    draw(&options.out.join("shapes.svg"), &cases)?;
    println!("\nSee values.csv, shapes.csv and shapes.svg in {}.", options.out.display());
    Ok(())
}

/// What is printed as a formula with its value, and kept for a file.
#[derive(Default)]
struct Values {
    all: Vec<(&'static str, ArrayD<f64>)>,
}

impl Values {
    fn show(&mut self, name: &'static str, formula: Var<'_>) -> Result<(), Error> {
        let value = formula.value()?;
        println!("\n{name} = {formula}, of shape {}\n{}", formula.shape(), numbers(&value));
        self.all.push((name, value));
        Ok(())
    }

    /// One row for each element, with 17 significant digits.
    fn csv(&self) -> String {
        let rows = self.all.iter().flat_map(|(name, value)| {
            value.iter().enumerate().map(move |(element, x)| format!("{name},{element},{x:.16e}\n"))
        });
        std::iter::once("name,element,value\n".to_owned()).chain(rows).collect()
    }
}

/// An array with as many digits as its elements need, at most 8. A column of more than three lies down.
fn numbers(value: &ArrayD<f64>) -> String {
    let exact = |x: f64, digits: usize| (x * 10_f64.powi(digits as i32)).fract().abs() < 1e-6;
    let digits = (0..8).find(|&digits| value.iter().all(|&x| exact(x, digits))).unwrap_or(8);
    match value.shape() {
        &[rows, 1] if rows > 3 => format!("{:.digits$} transposed", value.t()),
        _ => format!("{value:.digits$}"),
    }
}

fn functions(shown: &mut Values) -> Result<(), Error> {
    let g = Graph::new();
    heading("Sigmoid and its derivative");
    let x = g.input("x", array![1.0, 2.0, 3.0]);
    let s = x.sigmoid();
    shown.show("sigmoid of 3", g.constant(3.0).sigmoid())?;
    shown.show("sigmoid", s)?;
    // The derivative of a sum by each of its terms is that of the term alone.
    shown.show("sigmoid derivative", s.named("s").sum().grad(x))?;

    heading("A picture as a column");
    let pixels = Array3::from_shape_fn((3, 3, 2), |(i, j, k)| (6 * i + 2 * j + k) as f64 / 20.0);
    let image = g.input("image", pixels);
    shown.show("image2vector", image.reshape([-1, 1]))?;

    heading("Rows of length 1");
    let rows = g.input("rows", array![[0.0, 3.0, 4.0], [1.0, 6.0, 4.0]]);
    // A norm that keeps its axis is a column, which a matrix is divided by row by row.
    shown.show("row norms", rows.norm_keepdims(1))?;
    shown.show("normalised rows", rows / rows.norm_keepdims(1))?;
    shown.show("Frobenius norm", rows.norm())?;

    heading("Softmax, row by row");
    let scores = g.input("scores", array![[9.0, 2.0, 5.0, 0.0, 0.0], [7.0, 5.0, 0.0, 0.0, 0.0]]);
    shown.show("softmax", scores.softmax(1))?;
    let powers = scores.exp();
    shown.show("softmax in full", powers / powers.sum_keepdims(1))
}

fn losses(shown: &mut Values) -> Result<(), Error> {
    heading("Losses and norms");
    let g = Graph::new();
    let yhat = g.input("yhat", array![0.9, 0.2, 0.1, 0.4, 0.9]);
    let y = g.input("y", array![1.0, 0.0, 0.0, 1.0, 1.0]);
    let [l1, l2] = [(yhat - y).abs().sum(), (yhat - y).square().sum()];
    shown.show("L1", l1)?;
    shown.show("L1 derivative", l1.grad(yhat))?;
    shown.show("L2", l2)?;
    shown.show("L2 derivative", l2.grad(yhat))?;
    shown.show("norm 1", (yhat - y).vector_norm(1.0))?;
    shown.show("norm 2", (yhat - y).norm())?;
    shown.show("norm inf", (yhat - y).vector_norm(f64::INFINITY))
}

/// Two vectors can be multiplied in three ways.
fn products(shown: &mut Values) -> Result<(), Error> {
    heading("Products of two vectors");
    let g = Graph::new();
    let x1 = array![9.0, 2.0, 5.0, 0.0, 0.0, 7.0, 5.0, 0.0, 0.0, 0.0, 9.0, 2.0, 5.0, 0.0, 0.0];
    let x2 = array![9.0, 2.0, 2.0, 9.0, 0.0, 9.0, 2.0, 5.0, 0.0, 0.0, 9.0, 2.0, 5.0, 0.0, 0.0];
    let (x1, x2) = (g.input("x1", x1), g.input("x2", x2));
    shown.show("dot", x1.dot(x2))?;
    shown.show("product", x1 * x2)?;
    shown.show("outer", x1.outer(x2))
}

/// An array of shape (5,) is neither a row nor a column.
fn ranks(shown: &mut Values) -> Result<(), Error> {
    heading("Arrays of one axis");
    let g = Graph::new();
    let flat = g.input("flat", array![1.0, 2.0, 3.0, 4.0, 5.0]);
    let column = g.input("column", array![[1.0], [2.0], [3.0], [4.0], [5.0]]);
    println!(
        "The transpose of an array of shape {} has shape {}: it is no column.",
        flat.shape(),
        flat.t().shape()
    );
    println!("So a product that looks like a matrix is a number:");
    shown.show("flat dot flat", flat.dot(flat.t()))?;
    shown.show("column dot row", column.dot(column.t()))?;
    println!("\nAnd beside a column it is stretched to a matrix, which nobody meant:");
    shown.show("column minus flat", column - flat)?;
    println!("\nA loss refuses that:\n");
    println!("{}", recorded(|| column.mse(flat).shape()).err().unwrap_or_default());
    println!("\nWhat it should be, it is after a reshape:");
    shown.show("column minus column", column - flat.reshape([5, 1]))
}

/// What becomes of a formula: its shape, or the text of its refusal. Operators and methods panic with it, at the line that wrote
/// the formula; a panic is caught here in order to print it.
fn recorded(formula: impl FnOnce() -> Shape) -> Result<Shape, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(AssertUnwindSafe(formula));
    panic::set_hook(hook);
    outcome.map_err(|text| text.downcast_ref::<String>().cloned().unwrap_or_default())
}

/// An operation on two shapes, and what becomes of it.
struct Case {
    op: String,
    left: Shape,
    right: Shape,
    gradus: Result<Shape, String>,
    numpy: Result<Shape, String>,
}

impl Case {
    /// One for an entry of the file.
    fn read(entry: &Value) -> Option<Self> {
        let shape = |value: &Value| -> Option<Shape> {
            value.as_array()?.iter().map(|size| size.as_u64().map(|size| size as usize)).collect()
        };
        let (op, left, right) =
            (entry["op"].as_str()?.to_owned(), shape(&entry["left"])?, shape(&entry["right"])?);
        let numpy = match entry["error"].as_str() {
            Some(text) => Err(text.to_owned()),
            None => Ok(shape(&entry["shape"])?),
        };
        let gradus = outcome(&op, &left, &right)?;
        Some(Self { op, left, right, gradus, numpy })
    }

    /// Whether both give one shape, or none.
    fn agrees(&self) -> bool {
        self.gradus.as_ref().ok() == self.numpy.as_ref().ok()
    }
}

/// What gradus makes of two shapes, in one line.
fn outcome(op: &str, left: &Shape, right: &Shape) -> Option<Result<Shape, String>> {
    let g = Graph::new();
    let (a, b) = (g.placeholder::<f64>("a", left.clone()), g.placeholder::<f64>("b", right.clone()));
    let recorded = match op {
        "+" => recorded(|| (a + b).shape()),
        "dot" => recorded(|| a.dot(b).shape()),
        "matmul" => recorded(|| a.matmul(b).shape()),
        "inner" => recorded(|| a.inner(b).shape()),
        _ => return None,
    };
    Some(recorded.map_err(|text| text.lines().next().unwrap_or_default().to_owned()))
}

fn cases() -> Result<Vec<Case>, Error> {
    let file: Value = serde_json::from_str(NUMPY).map_err(Error::new)?;
    let entries = file["cases"].as_array().into_iter().flatten();
    let cases: Option<Vec<Case>> = entries.map(Case::read).collect();
    cases.ok_or_else(|| Error::new("the table of shapes cannot be read"))
}

/// The operations, in the order of the cases.
fn operations(cases: &[Case]) -> Vec<&str> {
    let mut operations: Vec<&str> = cases.iter().map(|case| case.op.as_str()).collect();
    operations.dedup();
    operations
}

/// The cases of an operation, as a square of all shapes with all shapes.
fn square(cases: &[Case], op: &str) -> Grid {
    let of: Vec<&Case> = cases.iter().filter(|case| case.op == op).collect();
    let rows: Vec<&[&Case]> = of.chunk_by(|one, next| one.left == next.left).collect();
    let cell = |case: &&Case| case.gradus.as_ref().ok().map(brief);
    Grid {
        title: if op == "+" { "a + b, and all other operators".to_owned() } else { format!("a.{op}(b)") },
        names: rows.iter().map(|row| brief(&row[0].left)).collect(),
        cells: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    }
}

/// A shape without blanks.
fn brief(shape: &Shape) -> String {
    shape.to_string().replace(' ', "")
}

fn shapes(cases: &[Case]) {
    heading("Which shapes go together");
    println!("A row for the shape of a, a column for that of b, and the shape of the result; - is refused.");
    for op in operations(cases) {
        let Grid { title, names, cells } = square(cases, op);
        println!("\n{title}:\n");
        let head: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
        let rows: Vec<Vec<String>> = names
            .iter()
            .zip(cells)
            .map(|(name, cells)| {
                let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
                std::iter::once(name.clone()).chain(cells).collect()
            })
            .collect();
        table(&"l".repeat(head.len()), &head, &rows);
    }
    let refused = cases.iter().filter(|case| case.gradus.is_err()).count();
    println!("\nThat is {} cases, of which {refused} are refused.", cases.len());
    let others: Vec<&Case> = cases.iter().filter(|case| !case.agrees()).collect();
    match others.len() {
        0 => println!("NumPy gives the same shapes, and refuses the same."),
        count => println!("NumPy differs in {count} of them:"),
    }
    for Case { op, left, right, gradus, numpy } in others {
        println!("{left} {op} {right}: gradus {gradus:?}, NumPy {numpy:?}");
    }
    println!(
        "What differs: a refusal comes when the formula is written, not when it is computed; element types are not mixed"
    );
    println!(
        "(f32 with f64, or integers with floats, do not compile); and products of matrices are for floats."
    );
}

/// How it is said: for each shape on the left the first one on the right that does not go with it.
fn refusals(cases: &[Case]) {
    heading("How a refusal reads");
    let g = Graph::new();
    let a = g.input("a", array![1.0, 2.0, 3.0]);
    let b = g.input("b", array![[1.0, 2.0, 3.0]]);
    println!(
        "`Graph::apply` returns it, operators and methods panic with it. It names the operands and their lines:\n"
    );
    if let Err(error) = g.apply(Op::MatMul(MatMul::Dot), &[a.erase(), b.erase()]) {
        println!("{error}");
    }
    println!("\nThe first lines of some, beside NumPy's; all are in shapes.csv.");
    for op in ["+", "dot"] {
        let mut last = None;
        println!();
        for case in cases.iter().filter(|case| case.op == op) {
            if let (Err(gradus), Err(numpy)) = (&case.gradus, &case.numpy)
                && last.replace(&case.left) != Some(&case.left)
            {
                println!("gradus  {gradus}\nNumPy   {numpy}");
            }
        }
    }
}

fn shapes_csv(cases: &[Case]) -> String {
    let text = |outcome: &Result<Shape, String>| match outcome {
        Ok(shape) => shape.to_string(),
        Err(text) => text.clone(),
    };
    let rows = cases.iter().map(|Case { op, left, right, gradus, numpy }| {
        format!("{op},\"{left}\",\"{right}\",\"{}\",\"{}\"\n", text(gradus), text(numpy))
    });
    std::iter::once("operation,left,right,gradus,numpy\n".to_owned()).chain(rows).collect()
}

fn draw(path: &Path, cases: &[Case]) -> Result<(), Error> {
    let squares: Vec<Grid> = operations(cases).into_iter().map(|op| square(cases, op)).collect();
    grids(path, 2, &squares)
}
