//! A formula that was derived by hand against the derived gradient, and how it differs.

use std::fmt;

use ndarray::{ArrayD, Axis};

use super::random::Random;
use super::{Failure, Operand, below, index_of, operands};
use crate::element::{DType, Real};
use crate::error::{Error, Origin, Result};
use crate::exec::Feed;
use crate::graph::{Expr, Var};
use crate::ops::Op;

/// Two formulas are one if they agree to this part of their size.
const TOLERANCE: f64 = 1e-9;
/// At how many places near the present values the formulas are compared.
const PLACES: usize = 3;

/// How a formula differs from the derivative.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Slip {
    /// It has the opposite sign.
    Sign,
    /// It is this many times the derivative.
    Factor {
        /// How many times.
        factor: f64,
        /// The size that explains it, if there is one: leaf, axis and size.
        size: Option<(String, usize, usize)>,
    },
    /// It is the transpose of the derivative.
    Transposed,
    /// It still has to be summed over this axis of its own.
    NotSummed {
        /// The axis.
        axis: usize,
    },
    /// It is the derivative, summed over this axis of the derivative, where it should not be.
    SummedTooMuch {
        /// The axis.
        axis: usize,
    },
    /// It is right except where an operand is at a kink.
    Kink {
        /// The operation.
        op: &'static str,
        /// Its line.
        origin: Origin,
        /// The element that is at the kink.
        index: Vec<usize>,
    },
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign => f.write_str("it has the opposite sign"),
            Self::Factor { factor, size } => {
                write!(f, "it is {} times the derivative", short(*factor))?;
                match size {
                    Some((leaf, axis, m)) => {
                        let slip = if factor.abs() > 1.0 {
                            "1/m is missing"
                        } else {
                            "it is divided by m once too often"
                        };
                        write!(f, " ({slip}: m = {m} is axis {axis} of `{leaf}`)")
                    }
                    None => Ok(()),
                }
            }
            Self::Transposed => f.write_str("it is transposed"),
            Self::NotSummed { axis } => write!(f, "it is not summed over its axis {axis}"),
            Self::SummedTooMuch { axis } => {
                write!(f, "it is summed over axis {axis}, which the derivative keeps")
            }
            Self::Kink { op, origin, index } => {
                write!(
                    f,
                    "it is right except at a kink: the operand of `{op}` from {origin} is at it at {index:?}"
                )
            }
        }
    }
}

/// To ten digits, without the noise of rounding.
fn short(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}

/// A formula that is not the derivative.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The variable.
    pub target: String,
    /// What was done wrong; empty if it is none of the usual slips.
    pub slips: Vec<Slip>,
    /// Shapes of the formula and of the derivative.
    pub shapes: [Vec<usize>; 2],
    /// Where they differ most, with the values of formula and derivative, if their shapes are one.
    pub worst: Option<(Vec<usize>, f64, f64)>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is not the derivative with respect to `{}`: ", self.target)?;
        if !self.slips.is_empty() {
            let slips: Vec<String> = self.slips.iter().map(Slip::to_string).collect();
            return f.write_str(&slips.join(", and "));
        }
        let [hand, derived] = &self.shapes;
        match &self.worst {
            Some((index, by_hand, by_rules)) => {
                write!(f, "at {index:?} it is {by_hand:e}, and the derivative is {by_rules:e}; ")?;
                f.write_str("the difference is none of the usual slips")
            }
            None => write!(f, "its shape is {hand:?}, and the derivative's is {derived:?}"),
        }
    }
}

/// Asks whether `hand` is the derivative of `cost` with respect to `wrt`, a variable or any expression in between.
///
/// Both are computed at the present values of the leaves and at places nearby, so that formulas which agree only by accident (with
/// all weights zero, say) are told apart.
///
/// # Errors
/// - [`Failure::Mismatch`] if it is not, with what is wrong about it,
/// - [`Failure::NotF64`] for f32, [`Failure::NotFinite`] where the derivative is NaN or infinite,
/// - [`Failure::Error`] as [`try_grad`](Var::try_grad) and [`value`](Var::value).
pub fn derivation<'g, T: Real>(cost: Var<'g, T>, wrt: Var<'g, T>, hand: Var<'g, T>) -> Result<(), Failure> {
    let graph = cost.graph();
    let mark = graph.mark();
    let verdict = compare(cost.erase(), wrt.erase(), hand.erase());
    graph.truncate(mark);
    verdict
}

/// Asserts that `hand` is the derivative of `cost` with respect to `wrt`.
///
/// # Panics
/// With the text of the [`Failure`].
#[track_caller]
pub fn assert_derivation<'g, T: Real>(cost: Var<'g, T>, wrt: Var<'g, T>, hand: Var<'g, T>) {
    if let Err(failure) = derivation(cost, wrt, hand) {
        panic!("{failure}");
    }
}

fn compare<'g>(cost: Expr<'g>, wrt: Expr<'g>, hand: Expr<'g>) -> Result<(), Failure> {
    for e in [cost, wrt, hand] {
        if e.op().is_none() {
            return Err(Error::Freed { op: "check" }.into());
        }
        if e.dtype() != DType::F64 {
            let name = e.graph().arena().describe(e.id()).name;
            return Err(Failure::NotF64 { name, dtype: e.dtype() });
        }
    }
    let graph = cost.graph();
    let target = graph.arena().describe(wrt.id()).name;
    let derived = cost.retype::<f64>().try_grad(wrt.retype::<f64>())?;
    let operands = operands(&[hand, derived.erase(), cost])?;
    let mut program = graph.compile_still((hand.retype::<f64>(), derived), &[])?;
    let mut random = Random::new(7);
    let mut samples = Vec::new();
    for place in 0..=PLACES {
        let values: Vec<ArrayD<f64>> =
            operands.iter().map(|operand| moved(operand, place, &mut random)).collect();
        let feeds: Vec<Feed<'_>> =
            operands.iter().zip(&values).map(|(operand, value)| operand.feed(value)).collect();
        let (by_hand, by_rules) = program.run_with(&feeds)?;
        let sample = Sample { hand: by_hand.to_owned(), derived: by_rules.to_owned() };
        if sample.derived.iter().all(|x| x.is_finite()) {
            samples.push(sample);
        } else if place == 0 {
            return Err(Failure::NotFinite { what: format!("the derivative with respect to `{target}`") });
        }
    }
    let shapes = [samples[0].hand.shape().to_vec(), samples[0].derived.shape().to_vec()];
    let fits = |samples: &[Sample]| samples.iter().all(|sample| sample.off() <= TOLERANCE);
    if shapes[0] == shapes[1] && fits(&samples) {
        return Ok(());
    }
    let (here, nearby) = samples.split_at(1);
    let kink = if shapes[0] == shapes[1] && !nearby.is_empty() && fits(nearby) {
        kink(&[cost, hand])?
    } else {
        None
    };
    let slips = match kink {
        Some(kink) => vec![kink],
        None => diagnose(&samples, &operands),
    };
    let worst = (shapes[0] == shapes[1])
        .then(|| samples.iter().max_by(|a, b| a.off().total_cmp(&b.off())).unwrap_or(&here[0]).worst());
    Err(Failure::Mismatch(Box::new(Mismatch { target, slips, shapes, worst })))
}

/// The present value, and values nearby.
fn moved(operand: &Operand<'_>, place: usize, random: &mut Random) -> ArrayD<f64> {
    let mut value = operand.value.clone();
    if place > 0 {
        value.mapv_inplace(|x| x + 0.05 * (1.0 + x.abs()) * random.number());
    }
    value
}

/// Both formulas at one place.
#[derive(Clone)]
struct Sample {
    hand: ArrayD<f64>,
    derived: ArrayD<f64>,
}

impl Sample {
    /// The largest difference, relative to the largest entry.
    fn off(&self) -> f64 {
        let size = largest(&self.derived).max(f64::MIN_POSITIVE);
        let differences = self.hand.iter().zip(&self.derived).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, |most, d| if d.is_nan() { f64::INFINITY } else { f64::max(most, d) }) / size
    }

    fn worst(&self) -> (Vec<usize>, f64, f64) {
        let pairs = self.hand.iter().zip(&self.derived).enumerate();
        let worst = pairs.max_by(|(_, (a, b)), (_, (c, d))| (*a - *b).abs().total_cmp(&(*c - *d).abs()));
        worst.map_or((Vec::new(), f64::NAN, f64::NAN), |(flat, (&a, &b))| {
            (index_of(flat, self.hand.shape()), a, b)
        })
    }
}

fn largest(array: &ArrayD<f64>) -> f64 {
    array.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}

/// What was done to the derivative to get the formula: an arrangement, then a sign, then a factor.
fn diagnose(samples: &[Sample], operands: &[Operand<'_>]) -> Vec<Slip> {
    for (slip, arranged) in arrangements(samples) {
        let Some(factor) = factor(&arranged) else { continue };
        let mut slips: Vec<Slip> = slip.into_iter().collect();
        let close = |x: f64, y: f64| (x / y - 1.0).abs() < 1e-7;
        if factor < 0.0 {
            slips.push(Slip::Sign);
        }
        if !close(factor.abs(), 1.0) {
            let size = sizes(operands).find(|&(_, _, m)| {
                m > 1 && (close(factor.abs(), m as f64) || close(factor.abs(), 1.0 / m as f64))
            });
            slips.push(Slip::Factor { factor: factor.abs(), size });
        }
        return slips;
    }
    Vec::new()
}

/// Sizes of the leaves, the last axes first: there the examples are, as a rule.
fn sizes(operands: &[Operand<'_>]) -> impl Iterator<Item = (String, usize, usize)> {
    let axes = operands.iter().flat_map(|operand| {
        operand.value.shape().iter().enumerate().rev().map(|(axis, &m)| (operand.name.clone(), axis, m))
    });
    axes.collect::<Vec<_>>().into_iter()
}

/// The number by which the formula differs from the derivative at every place, if there is one.
fn factor(samples: &[Sample]) -> Option<f64> {
    let mut common: Option<f64> = None;
    for Sample { hand, derived } in samples {
        if hand.shape() != derived.shape() {
            return None;
        }
        let size: f64 = derived.iter().map(|d| d * d).sum();
        let factor = hand.iter().zip(derived).map(|(h, d)| h * d).sum::<f64>() / size;
        let scaled = Sample { hand: hand.clone(), derived: derived * factor };
        // An entry that is zero at one place says nothing there.
        if size == 0.0 && largest(hand) == 0.0 {
            continue;
        }
        if !factor.is_finite() || factor == 0.0 || scaled.off() > TOLERANCE {
            return None;
        }
        match common {
            Some(known) if (known / factor - 1.0).abs() > 1e-7 => return None,
            _ => common = Some(factor),
        }
    }
    common
}

/// The samples under each rearrangement that could have been forgotten, or done once too often.
fn arrangements(samples: &[Sample]) -> Vec<(Option<Slip>, Vec<Sample>)> {
    let change = |slip: Option<Slip>, f: &dyn Fn(&Sample) -> Sample| (slip, samples.iter().map(f).collect());
    let mut found = vec![change(None, &Sample::clone)];
    let (hand, derived) = (samples[0].hand.shape().to_vec(), samples[0].derived.shape().to_vec());
    if hand.len() == 2 && hand.iter().rev().eq(&derived) {
        let transposed = |s: &Sample| Sample { hand: s.hand.t().to_owned(), derived: s.derived.clone() };
        found.push(change(Some(Slip::Transposed), &transposed));
    }
    let same_size = |a: &ArrayD<f64>, b: &ArrayD<f64>| a.len() == b.len();
    for axis in 0..hand.len() {
        let summed = |s: &Sample| {
            let hand = s.hand.sum_axis(Axis(axis));
            let fits = same_size(&hand, &s.derived);
            let hand = if fits { reshaped(&hand, s.derived.shape()) } else { hand };
            Sample { hand, derived: s.derived.clone() }
        };
        if hand[axis] > 1 {
            found.push(change(Some(Slip::NotSummed { axis }), &summed));
        }
    }
    for axis in 0..derived.len() {
        let summed = |s: &Sample| {
            let derived = s.derived.sum_axis(Axis(axis));
            let fits = same_size(&derived, &s.hand);
            let derived = if fits { reshaped(&derived, s.hand.shape()) } else { derived };
            Sample { hand: s.hand.clone(), derived }
        };
        if derived[axis] > 1 {
            found.push(change(Some(Slip::SummedTooMuch { axis }), &summed));
        }
    }
    found
}

fn reshaped(array: &ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    array.to_shape(shape).map(|array| array.to_owned()).unwrap_or_else(|_| array.clone())
}

/// The first operation with a kink of which an operand is there at the present values.
fn kink(roots: &[Expr<'_>]) -> Result<Option<Slip>> {
    for id in below(roots) {
        let e = roots[0].graph().handle(id);
        let Some(record) = e.op().and_then(|op| op.record()) else { continue };
        let kinks = record.domain.kinks;
        let at = match e.op() {
            Some(Op::Unary(_)) if !kinks.is_empty() => e.inputs()[0],
            Some(Op::Binary(_)) if !kinks.is_empty() => e.inputs()[0] - e.inputs()[1],
            _ => continue,
        };
        if at.dtype() != DType::F64 {
            continue;
        }
        let value = at.retype::<f64>().value()?;
        if let Some(flat) = value.iter().position(|x| kinks.contains(x)) {
            let index = index_of(flat, value.shape());
            return Ok(Some(Slip::Kink { op: record.name, origin: e.origin(), index }));
        }
    }
    Ok(None)
}
