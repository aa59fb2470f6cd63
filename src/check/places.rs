//! Values of formulas at the present values of their leaves, at places nearby, and at places far away.

use std::ops::RangeInclusive;

use ndarray::ArrayD;

use super::random::Random;
use super::{Operand, index_of, operands};
use crate::error::Result;
use crate::exec::Feed;
use crate::graph::Expr;

/// Two formulas are one if they agree to this part of their size.
const TOLERANCE: f64 = 1e-9;
/// How many places there are near the present values and far from them,
const NEAR: usize = 3;
const FAR: usize = 3;
/// and how far away these are, relative to the values.
const STEP: f64 = 0.05;
const LEAP: f64 = 1.0;

/// The present values of some leaves, values nearby, and values far away.
pub(super) struct Places<'g> {
    pub operands: Vec<Operand<'g>>,
    values: Vec<Vec<ArrayD<f64>>>,
}

impl<'g> Places<'g> {
    /// Of the leaves that `roots` are computed from. The present values come first.
    pub fn new(roots: &[Expr<'g>]) -> Result<Self> {
        Self::seeded(roots, 7)
    }

    /// With other places.
    pub fn seeded(roots: &[Expr<'g>], seed: u64) -> Result<Self> {
        let operands = operands(roots)?;
        let mut random = Random::new(seed);
        let present = operands.iter().map(|operand| operand.value.clone()).collect();
        let mut values: Vec<Vec<ArrayD<f64>>> = vec![present];
        for place in 0..NEAR + FAR {
            let far = if place < NEAR { STEP } else { LEAP };
            values.push(operands.iter().map(|operand| moved(operand, far, &mut random)).collect());
        }
        Ok(Self { operands, values })
    }

    /// The values of expressions of f64 at the present values and nearby, place by place.
    pub fn run(&self, exprs: &[Expr<'g>]) -> Result<Vec<Vec<ArrayD<f64>>>> {
        self.run_at(exprs, 0..=NEAR)
    }

    /// The values at some of the places.
    pub fn run_at(
        &self,
        exprs: &[Expr<'g>],
        places: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Vec<ArrayD<f64>>>> {
        let Some(first) = exprs.first() else { return Ok(Vec::new()) };
        let typed: Vec<_> = exprs.iter().map(|e| e.retype::<f64>()).collect();
        let mut program = first.graph().compile_still(typed, &[])?;
        let mut found = Vec::new();
        for place in places {
            let operands = self.operands.iter().zip(&self.values[place]);
            let feeds: Vec<Feed<'_>> = operands.map(|(operand, value)| operand.feed(value)).collect();
            found.push(program.run_with(&feeds)?.iter().map(|view| view.to_owned()).collect());
        }
        Ok(found)
    }

    /// Whether two formulas agree nearby wherever the second is finite, which has to be at two places at least.
    pub fn agree(&self, hand: Expr<'g>, expected: Expr<'g>) -> bool {
        let finite = self.samples(hand, expected, 0..=NEAR);
        finite.len() > 1 && finite.iter().all(Sample::agrees)
    }

    /// Whether two formulas agree far away wherever the second is finite.
    pub fn agree_far(&self, hand: Expr<'g>, expected: Expr<'g>) -> bool {
        self.far(hand, expected).iter().all(Sample::agrees)
    }

    /// Two formulas far away, where the second is finite.
    pub fn far(&self, hand: Expr<'g>, expected: Expr<'g>) -> Vec<Sample> {
        self.samples(hand, expected, NEAR + 1..=NEAR + FAR)
    }

    fn samples(&self, hand: Expr<'g>, expected: Expr<'g>, places: RangeInclusive<usize>) -> Vec<Sample> {
        // A formula that does not run at one place may at another.
        let values = places.filter_map(|place| self.run_at(&[hand, expected], [place]).ok()?.pop());
        let samples = values.filter_map(|values| <[_; 2]>::try_from(values).ok());
        let samples = samples.map(|[hand, expected]| Sample { hand, expected });
        samples.filter(|sample| sample.expected.iter().all(|x| x.is_finite())).collect()
    }
}

fn moved(operand: &Operand<'_>, far: f64, random: &mut Random) -> ArrayD<f64> {
    operand.value.mapv(|x| x + far * (1.0 + x.abs()) * random.number())
}

/// A formula at one place, and what it should be there.
#[derive(Clone)]
pub(super) struct Sample {
    pub hand: ArrayD<f64>,
    pub expected: ArrayD<f64>,
}

impl Sample {
    /// Whether the formula is what it should be.
    pub fn agrees(&self) -> bool {
        self.hand.shape() == self.expected.shape() && self.off() <= TOLERANCE
    }

    /// The largest difference, relative to the largest entry.
    pub fn off(&self) -> f64 {
        let size = largest(&self.expected).max(f64::MIN_POSITIVE);
        let differences = self.hand.iter().zip(&self.expected).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, |most, d| if d.is_nan() { f64::INFINITY } else { f64::max(most, d) }) / size
    }

    /// Where they differ most, and both values there.
    pub fn worst(&self) -> (Vec<usize>, f64, f64) {
        let pairs = self.hand.iter().zip(&self.expected).enumerate();
        let worst = pairs.max_by(|(_, (a, b)), (_, (c, d))| (*a - *b).abs().total_cmp(&(*c - *d).abs()));
        worst.map_or((Vec::new(), f64::NAN, f64::NAN), |(flat, (&a, &b))| {
            (index_of(flat, self.hand.shape()), a, b)
        })
    }
}

pub(super) fn largest(array: &ArrayD<f64>) -> f64 {
    array.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}
