//! What the values of a wrong formula show: that it is the right one, rearranged, with another sign or times a number.

use ndarray::{ArrayD, Axis};

use super::places::{Sample, largest};
use super::slip::{Size, Slip, rounded};
use super::{Operand, below, index_of};
use crate::element::DType;
use crate::error::Result;
use crate::graph::Expr;
use crate::ops::Op;

/// What was done to the right formula to get this one: an arrangement, then a sign, then a factor. A factor that is one of the
/// `numbers` is not explained by a size.
pub(super) fn diagnose(samples: &[Sample], operands: &[Operand<'_>], numbers: &[f64]) -> Vec<Slip> {
    for (slip, arranged) in arrangements(samples) {
        let Some(factor) = factor(&arranged) else { continue };
        let mut slips: Vec<Slip> = slip.into_iter().collect();
        let close = |x: f64, y: f64| (x / y - 1.0).abs() < 1e-7;
        if factor < 0.0 {
            slips.push(Slip::Sign);
        }
        let factor = factor.abs();
        if !close(factor, 1.0) {
            let explains = |m: f64| close(factor, m) || close(factor, 1.0 / m);
            let explained = !numbers.iter().any(|&number| explains(number));
            let size = sizes(operands).find(|size| explained && explains(size.m as f64));
            slips.push(Slip::Factor { factor: rounded(factor), size });
        }
        return slips;
    }
    Vec::new()
}

/// Sizes of the leaves with their axes, the last axes first: there the examples are, as a rule. Sizes that two axes of a
/// leaf have say nothing.
pub(super) fn sizes<'a>(operands: &'a [Operand<'_>]) -> impl Iterator<Item = Size> + 'a {
    operands.iter().flat_map(|operand| {
        let shape = operand.value.shape();
        let alone = move |m: usize| shape.iter().filter(|&&n| n == m).count() == 1;
        let axes = shape.iter().enumerate().rev().filter(move |&(_, &m)| m > 1 && alone(m));
        axes.map(|(axis, &m)| Size { leaf: operand.name.clone(), axis, m })
    })
}

/// The number by which the formula differs from the right one at every place, if there is one.
fn factor(samples: &[Sample]) -> Option<f64> {
    let mut common: Option<f64> = None;
    for Sample { hand, expected } in samples {
        if hand.shape() != expected.shape() {
            return None;
        }
        let size: f64 = expected.iter().map(|d| d * d).sum();
        let factor = hand.iter().zip(expected).map(|(h, d)| h * d).sum::<f64>() / size;
        let scaled = Sample { hand: hand.clone(), expected: expected * factor };
        // An entry that is zero at one place says nothing there.
        if size == 0.0 && largest(hand) == 0.0 {
            continue;
        }
        if !factor.is_finite() || factor == 0.0 || !scaled.agrees() {
            return None;
        }
        match common {
            Some(known) if (known / factor - 1.0).abs() > 1e-7 => return None,
            _ => common = Some(factor),
        }
    }
    common
}

/// The samples under each rearrangement that may have been forgotten, or made once too often.
fn arrangements(samples: &[Sample]) -> Vec<(Option<Slip>, Vec<Sample>)> {
    let change = |slip: Option<Slip>, f: &dyn Fn(&Sample) -> Sample| (slip, samples.iter().map(f).collect());
    let mut found = vec![change(None, &Sample::clone)];
    let (hand, expected) = (samples[0].hand.shape().to_vec(), samples[0].expected.shape().to_vec());
    if hand.len() == 2 && hand.iter().rev().eq(&expected) {
        let transposed = |s: &Sample| Sample { hand: s.hand.t().to_owned(), expected: s.expected.clone() };
        found.push(change(Some(Slip::Transposed), &transposed));
    }
    let same_size = |a: &ArrayD<f64>, b: &ArrayD<f64>| a.len() == b.len();
    for axis in 0..hand.len() {
        let summed = |s: &Sample| {
            let hand = s.hand.sum_axis(Axis(axis));
            let fits = same_size(&hand, &s.expected);
            let hand = if fits { reshaped(&hand, s.expected.shape()) } else { hand };
            Sample { hand, expected: s.expected.clone() }
        };
        if hand[axis] > 1 {
            found.push(change(Some(Slip::NotSummed { axis }), &summed));
        }
    }
    for axis in 0..expected.len() {
        let summed = |s: &Sample| {
            let expected = s.expected.sum_axis(Axis(axis));
            let fits = same_size(&expected, &s.hand);
            let expected = if fits { reshaped(&expected, s.hand.shape()) } else { expected };
            Sample { hand: s.hand.clone(), expected }
        };
        if expected[axis] > 1 {
            found.push(change(Some(Slip::SummedTooMuch { axis }), &summed));
        }
    }
    found
}

fn reshaped(array: &ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    array.to_shape(shape).map(|array| array.to_owned()).unwrap_or_else(|_| array.clone())
}

/// The first operation with a kink of which an operand is there at the present values.
pub(super) fn kink(roots: &[Expr<'_>]) -> Result<Option<Slip>> {
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
