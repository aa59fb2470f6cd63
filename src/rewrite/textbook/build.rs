//! Products and sums written down as expressions, in the shortest of their forms.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::algebra::{Arithmetic, Product, Terms, collected, extract, flattened, multiplied_out};
use crate::element::Literal;
use crate::graph::{Expr, NodeId};
use crate::ops::{Layout, Op, Unary};
use crate::shape::Axes;

/// One part of so many is written as a fraction.
const FRACTIONS: [f64; 4] = [2.0, 3.0, 4.0, 6.0];

/// Writes down expressions, and weighs them.
#[derive(Default)]
pub(super) struct Writer {
    weights: HashMap<NodeId, u32>,
}

impl Writer {
    /// The product of `like`'s element type: numbers first, then scalars, then names; one fraction.
    pub fn product<'g>(&mut self, product: &Product<'g>, like: Expr<'g>) -> Expr<'g> {
        let (mut above, below): (Vec<_>, Vec<_>) = product.factors.iter().partition(|(_, power)| *power > 0);
        above.sort_by_key(|&(e, _)| (e.ndim() > 0, self.weight(e) > 1));
        let powers = |factors: Vec<(Expr<'g>, i32)>| -> Vec<Expr<'g>> {
            factors.into_iter().map(|(e, power)| raised(e, power.abs())).collect()
        };
        let (mut above, mut below) = (powers(above), powers(below));
        let (mut coefficient, negative) = (tidy(product.coefficient.abs()), product.coefficient < 0.0);
        let fraction = FRACTIONS.into_iter().find(|n| coefficient == 1.0 / n);
        if let Some(n) = fraction.filter(|_| !(above.is_empty() && below.is_empty())) {
            below.insert(0, number(like, n));
            coefficient = 1.0;
        }
        match above.first_mut().filter(|_| coefficient == 1.0) {
            Some(first) if negative => *first = negated(*first),
            Some(_) => {}
            None => above.insert(0, number(like, if negative { -coefficient } else { coefficient })),
        }
        let fold = |factors: Vec<Expr<'g>>| factors.into_iter().reduce(|a, b| a * b);
        let above = fold(above).unwrap_or_else(|| number(like, 1.0));
        fold(below).map_or(above, |below| above / below)
    }

    /// The sum of terms: like terms are added, and what all have in common stands before them; nothing, if nothing is
    /// left.
    pub fn sum<'g>(&mut self, terms: Terms<'g>, like: Expr<'g>) -> Option<Expr<'g>> {
        let mut terms = collected(terms);
        let mut common = extract(&mut terms);
        if common.is_one() || terms.len() < 2 {
            return self.scaled(common, terms, like);
        }
        terms = collected(terms.into_iter().flat_map(flattened).collect());
        let further = extract(&mut terms);
        common.multiply(&further, 1);
        let out = multiplied_out(&terms).map(collected);
        let as_they_are = self.scaled(common.clone(), terms, like);
        let shorter = out.and_then(|mut terms| {
            let further = extract(&mut terms);
            common.multiply(&further, 1);
            self.scaled(common, terms, like)
        });
        match (as_they_are, shorter) {
            (Some(a), Some(b)) => Some(if self.weight(b) < self.weight(a) { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    /// A product with a sum.
    fn scaled<'g>(
        &mut self,
        mut common: Product<'g>,
        mut terms: Terms<'g>,
        like: Expr<'g>,
    ) -> Option<Expr<'g>> {
        if let [only] = &terms[..] {
            common.multiply(only, 1);
            return Some(self.product(&common, like));
        }
        let first = terms.iter().position(|term| term.coefficient > 0.0)?;
        terms[..=first].rotate_right(1);
        let mut sum: Option<Expr<'g>> = None;
        for mut term in terms {
            let negative = term.coefficient < 0.0;
            term.coefficient = if sum.is_some() { term.coefficient.abs() } else { term.coefficient };
            let term = self.product(&term, like);
            sum = Some(match sum {
                None => term,
                Some(sum) if negative => sum - term,
                Some(sum) => sum + term,
            });
        }
        common.times(sum?, 1);
        Some(self.product(&common, like))
    }

    /// How much there is to read: names, numbers and functions; signs are free.
    pub fn weight(&mut self, e: Expr<'_>) -> u32 {
        let mut open = vec![e];
        while let Some(&e) = open.last() {
            let inputs = read(e);
            let known = |input: &Expr<'_>| self.weights.get(&input.id()).copied();
            let missing: Vec<_> = inputs.iter().copied().filter(|input| known(input).is_none()).collect();
            if missing.is_empty() {
                let own = match Arithmetic::of(e) {
                    Some(Arithmetic::Number(_) | Arithmetic::Power(..)) | None => 1,
                    Some(_) => 0,
                };
                let sum = inputs.iter().filter_map(known).fold(own, u32::saturating_add);
                self.weights.insert(e.id(), sum);
                open.pop();
            } else {
                open.extend(missing);
            }
        }
        self.weights[&e.id()]
    }
}

/// The number without the rounding of a few products: 0.3 for 0.1 · 3.
fn tidy(number: f64) -> f64 {
    let round: f64 = format!("{number:.11e}").parse().unwrap_or(number);
    if (round - number).abs() <= 4.0 * f64::EPSILON * number.abs() { round } else { number }
}

/// The operands that are to be read.
fn read<'g>(e: Expr<'g>) -> SmallVec<[Expr<'g>; 3]> {
    let Some(op) = e.op().filter(|_| !e.is_named()) else { return SmallVec::new() };
    let inputs = e.inputs().into_iter().enumerate();
    inputs.filter(|&(k, _)| op.reads(k)).map(|(_, input)| input).collect()
}

pub(super) fn number<'g>(like: Expr<'g>, value: f64) -> Expr<'g> {
    like.graph().literal(Literal::rounded(value, like.dtype()))
}

/// A number without axes in the shape of `like`.
pub(super) fn stretched<'g>(scalar: Expr<'g>, like: Expr<'g>) -> Expr<'g> {
    let axes: Vec<usize> = (0..like.ndim()).collect();
    let op = Op::Layout(Layout::BroadcastLike { axes: Axes::from(&axes[..]) });
    like.graph().emit(op, [scalar, like])
}

fn raised(e: Expr<'_>, power: i32) -> Expr<'_> {
    match power {
        1 => e,
        2 => e.graph().emit(Op::Unary(Unary::Square), [e]),
        n => e.graph().emit(Op::Unary(Unary::Powi { n }), [e]),
    }
}

fn negated(e: Expr<'_>) -> Expr<'_> {
    match Arithmetic::of(e) {
        Some(Arithmetic::Sub(a, b)) => b - a,
        _ => -e,
    }
}
