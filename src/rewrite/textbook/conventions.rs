//! What a textbook says in other words than a derivation: the activation that is known, conventions at single points,
//! ones and zeros.

use super::algebra::Arithmetic;
use super::build::{number, stretched};
use crate::graph::Expr;
use crate::ops::{Binary, Compare, Fold, Index, Layout, Logic, Op, Reduce, Unary};
use crate::shape::Axes;

/// `1 - σ(z)` for `σ(-z)`, where σ(z) is on the tape.
pub(super) fn complement<'g>(sigmoid: Expr<'g>) -> Option<Expr<'g>> {
    let graph = sigmoid.graph();
    let z = match Arithmetic::of(sigmoid.inputs()[0])? {
        Arithmetic::Neg(z) => z,
        Arithmetic::Sub(b, a) => graph.known(&Op::Binary(Binary::Sub), &[a, b])?,
        _ => return None,
    };
    let known = graph.known(&Op::Unary(Unary::Sigmoid), &[z])?;
    Some(number(sigmoid, 1.0) - known)
}

/// `x` for `select(a = 0, 0, x)`, by which a rule says what holds at a single point.
pub(super) fn everywhere_else<'g>(select: Expr<'g>) -> Option<Expr<'g>> {
    let inputs = select.inputs();
    let [mask, at, elsewhere] = inputs[..] else { return None };
    let stands = at.as_literal() == Some(0.0) && elsewhere.shape() == select.shape();
    (stands && is_at_zero(mask)).then_some(elsewhere)
}

/// Whether a derived mask holds at most where something is 0.
fn is_at_zero(mask: Expr<'_>) -> bool {
    let mut open = vec![mask];
    while let Some(mask) = open.pop() {
        match mask.op() {
            Some(Op::Logic(Logic::And)) if mask.is_derived() => open.extend(mask.inputs()),
            Some(Op::Compare(Compare::Eq)) if mask.is_derived() => {
                let inputs = mask.inputs();
                if inputs[1].as_literal() == Some(0.0) && inputs[0].dtype().is_float() {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// The sum over the classes of what is 1 at one class and 0 at the others, or `c` there: 1, or `c`.
pub(super) fn sum_over_classes<'g>(sum: Expr<'g>) -> Option<Expr<'g>> {
    let Op::Reduce(Reduce { fold: Fold::Sum, axes, .. }) = sum.op()? else { return None };
    let summed = sum.inputs()[0];
    let axis = axes.single()?;
    let (indicator, axis) = untransposed(summed, axis);
    let inputs = indicator.inputs();
    let (mask, value) = match indicator.op()? {
        Op::Logic(Logic::Cast(_)) => (inputs[0], number(sum, 1.0)),
        Op::Logic(Logic::Select) if inputs[2].as_literal() == Some(0.0) => (inputs[0], inputs[1]),
        _ => return None,
    };
    let value = match Arithmetic::of(value) {
        Some(Arithmetic::Stretched(scalar)) => scalar,
        _ => value,
    };
    (value.ndim() == 0 && picks_one(mask, axis)).then(|| stretched(value, sum))
}

/// What is transposed, and which of its axes this is.
fn untransposed(mut e: Expr<'_>, mut axis: usize) -> (Expr<'_>, usize) {
    while let Some(Op::Layout(Layout::Transpose { axes })) = e.op() {
        axis = axes.iter().nth(axis).unwrap_or(axis);
        e = e.inputs()[0];
    }
    (e, axis)
}

/// Whether a mask holds at exactly one place along an axis: that of a checked index.
fn picks_one(mask: Expr<'_>, axis: usize) -> bool {
    let inputs = mask.inputs();
    if mask.op() != Some(Op::Compare(Compare::Eq)) {
        return false;
    }
    let from_end = mask.ndim() - axis;
    let along = |e: Expr<'_>| {
        let is_along = |along: &Axes| along.single().is_some_and(|along| e.ndim() - along == from_end);
        matches!(e.op(), Some(Op::Index(Index::Along(axes))) if is_along(&axes))
    };
    let index = |e: Expr<'_>| {
        let is_new = |axes: &Axes| axes.single().is_some_and(|new| e.ndim() - new == from_end);
        matches!(e.op(), Some(Op::Layout(Layout::ExpandDims { axes })) if is_new(&axes))
            && matches!(e.inputs()[0].op(), Some(Op::Index(Index::Within(_))))
    };
    along(inputs[0]) && index(inputs[1]) || along(inputs[1]) && index(inputs[0])
}
