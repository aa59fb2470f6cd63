//! Builds a case with gradus, twice, and compares what it gives with what it should give.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use gradus::ndarray::{ArrayD, ShapeBuilder};
use gradus::{Error, Graph, Var};

use super::attributes::{Attributes, Reason};
use super::folder::Case;
use super::formulas;

/// How a case ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Passed {
        /// The largest error, as [`Failed`](Self::Failed) has it.
        error: f64,
    },
    Failed {
        /// The first thing that is not met: `formula`, `outputs`, `vjp`, `second_x` or `second_c`.
        what: String,
        /// The largest `|a - b| / (1 + max|b|)`; infinite where there is nothing to subtract.
        error: f64,
        /// What is wrong, in words.
        why: String,
    },
    Unsupported {
        reason: String,
    },
}

impl Verdict {
    /// The line about a case of this name; with `verbose` it may go on in a second one.
    pub fn line(&self, name: &str, verbose: bool) -> String {
        match self {
            Self::Passed { error } => format!("PASS {name} {error:.1e}"),
            Self::Failed { what, error, why } if verbose => {
                format!("FAIL {name} {what} {error:.3e}\n    {}", why.replace('\n', "\n    "))
            }
            Self::Failed { what, error, .. } => format!("FAIL {name} {what} {error:.3e}"),
            Self::Unsupported { reason } => format!("UNSUPPORTED {name} {reason}"),
        }
    }
}

/// What is compared, in this order.
const PARTS: [&str; 4] = ["outputs", "vjp", "second_x", "second_c"];

/// Second derivatives of these are compared at a wider tolerance.
const WIDE: [&str; 4] = ["eigh", "svd", "qr", "expm"];

const NARROW_TOLERANCE: f64 = 1e-9;
const WIDE_TOLERANCE: f64 = 1e-7;

/// Judges a case by its operation and attributes, not by its name: once with every result read by itself, and once with
/// all results from one compiled program, whose leaves are fed, with their elements in column-major order.
pub fn judge(case: &Case) -> Verdict {
    let mut largest = 0.0;
    for way in [Way::Read, Way::Compiled] {
        match run(case, way) {
            Ok(found) => match compare(case, &found) {
                Ok(error) => largest = error.max(largest),
                Err(failed) => return failed.into_verdict(way),
            },
            Err(Stop::Unsupported(Reason(reason))) => return Verdict::Unsupported { reason },
            Err(Stop::Failed(failed)) => return failed.into_verdict(way),
        }
    }
    Verdict::Passed { error: largest }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Read,
    Compiled,
}

struct Failed {
    what: &'static str,
    error: f64,
    why: String,
}

enum Stop {
    Unsupported(Reason),
    Failed(Failed),
}

impl Failed {
    fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, error: f64::INFINITY, why: why.into() }
    }

    fn into_verdict(self, way: Way) -> Verdict {
        let way = if way == Way::Compiled { ":compiled" } else { "" };
        Verdict::Failed { what: format!("{}{way}", self.what), error: self.error, why: self.why }
    }
}

/// What stands in each of the [`PARTS`].
type Found = [Vec<ArrayD<f64>>; 4];

/// The results of a case; what it panics with is its result too.
fn run(case: &Case, way: Way) -> Result<Found, Stop> {
    let stage = Cell::new("formula");
    let run = || match way {
        Way::Read => read(case, &stage),
        Way::Compiled => compiled(case, &stage),
    };
    match caught(run) {
        Ok(result) => result,
        Err(text) => Err(Stop::Failed(Failed::new(stage.get(), text))),
    }
}

/// Every result by itself.
fn read(case: &Case, stage: &Cell<&'static str>) -> Result<Found, Stop> {
    let graph = Graph::new();
    let leaf = |name: String, array: &ArrayD<f64>| graph.input(&name, array);
    let parts = record(case, stage, leaf)?;
    let mut found = Found::default();
    for ((what, part), found) in PARTS.into_iter().zip(parts).zip(&mut found) {
        let values = part.into_iter().map(|var| var.value().map_err(|error| refused(what, &error)));
        *found = values.collect::<Result<_, _>>()?;
    }
    Ok(found)
}

/// All results from one program, which knows of its operands by their shapes alone.
fn compiled(case: &Case, stage: &Cell<&'static str>) -> Result<Found, Stop> {
    let graph = Graph::new();
    let leaves = RefCell::new(Vec::new());
    let leaf = |name: String, array: &ArrayD<f64>| {
        let leaf = graph.placeholder::<f64>(&name, array.shape());
        leaves.borrow_mut().push((leaf, columns_first(array)));
        leaf
    };
    let parts = record(case, stage, leaf)?;
    stage.set(PARTS[0]);
    let lengths = parts.each_ref().map(Vec::len);
    let program = graph.compile(parts.concat(), ());
    let mut program = program.map_err(|error| refused(PARTS[0], &error))?;
    let leaves = leaves.into_inner();
    // What no result depends on needs no value, but may have one.
    let feeds: Vec<_> = leaves.iter().map(|(leaf, array)| leaf.feed(array)).collect();
    let views = program.run_with(&feeds).map_err(|error| refused(PARTS[0], &error))?;
    let mut views = views.into_iter().map(|view| view.to_owned());
    Ok(lengths.map(|length| views.by_ref().take(length).collect()))
}

fn refused(what: &'static str, error: &Error) -> Stop {
    Stop::Failed(Failed::new(what, error.to_string()))
}

/// The same array, with the first axis running fastest in memory.
fn columns_first(array: &ArrayD<f64>) -> ArrayD<f64> {
    let mut other = ArrayD::zeros(array.raw_dim().f());
    other.assign(array);
    other
}

/// The formula and its derivatives, as expressions.
fn record<'g>(
    case: &Case,
    stage: &Cell<&'static str>,
    leaf: impl Fn(String, &ArrayD<f64>) -> Var<'g>,
) -> Result<[Vec<Var<'g>>; 4], Stop> {
    let leaves = |letter: &str, arrays: &[ArrayD<f64>]| -> Vec<Var<'g>> {
        arrays.iter().enumerate().map(|(i, array)| leaf(format!("{letter}{i}"), array)).collect()
    };
    let x = leaves("x", &case.inputs);
    let attributes = Attributes::new(&case.attributes, &case.expression);
    let y = formulas::build(&case.op, &x, &attributes).and_then(|y| attributes.all_read().map(|()| y));
    let y = y.map_err(Stop::Unsupported)?;
    if y.len() != case.outputs.len() {
        let why = format!("{} results, not {}", y.len(), case.outputs.len());
        return Err(Stop::Failed(Failed::new(PARTS[0], why)));
    }
    for (i, (y, expected)) in y.iter().zip(&case.outputs).enumerate() {
        if *y.shape() != *expected.shape() {
            let why = format!("output {i} has the shape {}, not {:?}", y.shape(), expected.shape());
            return Err(Stop::Failed(Failed::new(PARTS[0], why)));
        }
    }
    let (c, k) = (leaves("c", &case.cotangents), leaves("k", &case.directions));

    stage.set(PARTS[1]);
    let cost = y.iter().zip(&c).map(|(&y, &c)| (y * c).sum()).reduce(|a, b| a + b);
    let cost = cost.expect("a case has an output");
    let gradients = match (&y[..], &c[..]) {
        ([y], [c]) => y.try_vjp(*c, &x),
        _ => cost.try_grad(&x),
    };
    let gradients = gradients.map_err(|error| refused(PARTS[1], &error))?;

    stage.set(PARTS[2]);
    let second_x = cost.try_hvp(&x, &k).map_err(|error| refused(PARTS[2], &error))?;

    stage.set(PARTS[3]);
    let products = y.iter().map(|y| y.try_jvp(&x, &k).map_err(|error| refused(PARTS[3], &error)));
    let second_c = products.collect::<Result<_, _>>()?;

    stage.set("values");
    Ok([y, gradients, second_x, second_c])
}

fn compare(case: &Case, found: &Found) -> Result<f64, Failed> {
    let expected = [&case.outputs, &case.vjp, &case.second_x, &case.second_c];
    let mut largest = 0.0_f64;
    for ((what, found), expected) in PARTS.into_iter().zip(found).zip(expected) {
        let second = what.starts_with("second");
        let wide = second && WIDE.contains(&&*case.op);
        let tolerance = if wide { WIDE_TOLERANCE } else { NARROW_TOLERANCE };
        let mut worst = Failed { what, error: 0.0, why: String::new() };
        if found.len() != expected.len() {
            return Err(Failed::new(what, format!("{} results, not {}", found.len(), expected.len())));
        }
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let (error, why) = difference(found, expected);
            if error > worst.error {
                worst = Failed { error, why: format!("number {i}: {why}"), ..worst };
            }
        }
        if worst.error > tolerance {
            return Err(worst);
        }
        largest = largest.max(worst.error);
    }
    Ok(largest)
}

/// The largest error, relative to 1 and the largest finite expected number, and where it is. NaN is met by NaN alone,
/// and an infinity by the same one.
pub fn difference(found: &ArrayD<f64>, expected: &ArrayD<f64>) -> (f64, String) {
    if found.shape() != expected.shape() {
        return (f64::INFINITY, format!("the shape {:?}, not {:?}", found.shape(), expected.shape()));
    }
    let finite = expected.iter().filter(|b| b.is_finite());
    let scale = 1.0 + finite.fold(0.0_f64, |most, b| most.max(b.abs()));
    let mut worst = (0.0, String::new());
    for (place, (&a, &b)) in found.iter().zip(expected).enumerate() {
        let met = a == b || (a.is_nan() && b.is_nan());
        let error = if met {
            0.0
        } else if a.is_finite() && b.is_finite() {
            ((a - b) / scale).abs()
        } else {
            f64::INFINITY
        };
        if error > worst.0 {
            worst = (error, format!("element {place} is {a:e}, not {b:e}"));
        }
    }
    worst
}

thread_local! {
    /// The text of this thread's panic, while one is caught here.
    static TEXT: RefCell<Option<String>> = const { RefCell::new(None) };
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// What `body` gives, or the text with which it panics; nothing is printed.
fn caught<R>(body: impl FnOnce() -> R) -> Result<R, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                return others(info);
            }
            let payload = info.payload();
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or(payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            TEXT.set(Some(text.unwrap_or_else(|| "a panic without a text".to_owned())));
        }));
    });
    let before = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(before);
    result.map_err(|_| TEXT.take().unwrap_or_default())
}
