//! Which operands of an operation are shown: those that say what is computed, not what only gives a size.

use crate::graph::Expr;
use crate::ops::{Fold, Gather, Index, Layout, Logic, Notation, Op, Order, Reduce, Slicing};
use crate::shape::Axes;

/// Operand `k` as it is shown: without what changes nothing, and without a broadcast that the operator makes all the
/// same; nothing, if it only gives a size.
pub(super) fn shown(user: Expr<'_>, k: usize) -> Option<Expr<'_>> {
    let op = user.op()?;
    let named = match &op {
        Op::Reduce(_) => size(user, &op).is_none(),
        Op::Layout(Layout::SumLike) => k == 0 || summed(user).is_none(),
        Op::Surrogate(surrogate) => surrogate.shows(k),
        Op::Layout(_)
        | Op::Order(_)
        | Op::Random(_)
        | Op::Slicing(Slicing::Unslice { .. } | Slicing::Undiagonal { .. } | Slicing::PartLike { .. }) => {
            k == 0
        }
        Op::Gather(Gather::ScatterAdd(_) | Gather::ScatterAlong(_)) => k < 2,
        Op::Gather(Gather::Writers(_)) => k == 0,
        _ => true,
    };
    let inputs = user.inputs();
    let operand = plain(*inputs.get(k).filter(|_| named)?);
    let infix = op == Op::Logic(Logic::Select)
        || op.record().is_some_and(|record| matches!(record.notation, Notation::Infix(_)));
    let others = || inputs.iter().enumerate().filter(|&(other, _)| other != k);
    let stretched = infix && others().any(|(_, other)| other.shape() == user.shape());
    match operand.op() {
        Some(op) if stretched && operand.name().is_none() && is_implicit(operand, &op) => {
            Some(plain(operand.inputs()[0]))
        }
        _ => Some(operand),
    }
}

/// All operands that are shown, in order.
pub(super) fn operands<'g>(user: Expr<'g>) -> impl Iterator<Item = Expr<'g>> {
    (0..user.inputs().len()).filter_map(move |k| shown(user, k))
}

/// What is left of an expression without what changes nothing.
pub(super) fn plain(mut e: Expr<'_>) -> Expr<'_> {
    while e.name().is_none() && e.op().is_some_and(|op| changes_nothing(e, &op)) {
        e = e.inputs()[0];
    }
    e
}

/// Whether it gives an operand the shape that it has at recording.
pub(super) fn changes_nothing(e: Expr<'_>, op: &Op) -> bool {
    if *op == Op::Order(Order::After) {
        return true;
    }
    let takes_shape = match op {
        Op::Layout(Layout::SumLike | Layout::ReshapeLike) => true,
        Op::Layout(Layout::BroadcastLike { axes }) => axes.count() == 0,
        Op::Index(Index::Within(_) | Index::Counted(_)) => true,
        _ => false,
    };
    takes_shape && e.inputs()[0].shape() == e.shape()
}

/// The axes over which a `sum_like` sums, and whether they stay with size 1; nothing if some do and some do not.
pub(super) fn summed(sum: Expr<'_>) -> Option<(Axes, bool)> {
    let (from, to) = (sum.inputs()[0].shape(), sum.shape());
    let new = from.ndim() - to.ndim();
    let is_summed = |&axis: &usize| axis < new || from[axis] != to[axis - new];
    let axes: Vec<usize> = (0..from.ndim()).filter(is_summed).collect();
    let kept = new == 0;
    (kept || axes.len() == new).then(|| (Axes::from(&axes[..]), kept))
}

/// Whether it is a broadcast of a scalar or along leading axes, which operators make by themselves.
fn is_implicit(e: Expr<'_>, op: &Op) -> bool {
    match op {
        Op::Layout(Layout::BroadcastLike { axes }) => axes.count() == 0 || e.inputs()[0].ndim() == 0,
        _ => false,
    }
}

/// The number, if it is the size of something that has no name.
pub(super) fn size(e: Expr<'_>, op: &Op) -> Option<usize> {
    match op {
        Op::Reduce(Reduce { fold: Fold::Size, axes, .. }) if e.inputs()[0].name().is_none() => {
            let shape = e.inputs()[0].shape();
            Some(axes.iter().map(|axis| shape[axis]).product())
        }
        _ => None,
    }
}
