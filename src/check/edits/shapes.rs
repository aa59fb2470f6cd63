//! Other products, transposes and reductions.

use super::{Found, Place, Reason, Scene};
use crate::graph::Expr;
use crate::ops::{Binary, Fold, Layout, MatMul, Op, Reduce};
use crate::shape::Axes;

/// Two operands of as many elements that broadcast to more of them: one gets the shape of the other.
pub(super) fn broadcasts<'g>(_: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    let (Some(op @ Op::Binary(_)), inputs) = (place.e.op(), place.e.inputs()) else { return };
    let [a, b] = [inputs[0], inputs[1]];
    let size = a.shape().size();
    if size != b.shape().size() || size == place.e.shape().size() {
        return;
    }
    let like =
        |x: Expr<'g>, other: Expr<'g>| place.e.graph().apply(Op::Layout(Layout::ReshapeLike), &[x, other]);
    if let Ok(b) = like(b, a) {
        found.apply(place, op.clone(), &[a, b], Reason::Broadcast { operand: 1 });
    }
    if let Ok(a) = like(a, b) {
        found.apply(place, op, &[a, b], Reason::Broadcast { operand: 0 });
    }
}

/// A matrix product for an elementwise one, in every arrangement, and the other way round.
pub(super) fn products<'g>(_: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    let other = match place.e.op() {
        Some(Op::Binary(Binary::Mul)) => Op::MatMul(MatMul::Dot),
        Some(Op::MatMul(MatMul::Dot)) => Op::Binary(Binary::Mul),
        _ => return,
    };
    let inputs = place.e.inputs();
    let [a, b] = [inputs[0], inputs[1]];
    if a.ndim() == 0 || b.ndim() == 0 {
        return;
    }
    let mut pairs = vec![[a, b]];
    if let (Some(at), Some(bt)) = (transposed(a), transposed(b)) {
        pairs.extend([[a, bt], [at, b], [b, a], [bt, a], [b, at]]);
    }
    for pair in pairs {
        found.apply(place, other.clone(), &pair, Reason::Product);
    }
}

/// A transpose more.
pub(super) fn transposes<'g>(_: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    if let Some(transposed) = transposed(place.e) {
        found.add(place, transposed, Reason::missing(".t()"));
    }
}

/// A matrix transposed; a transpose that is already there is taken off by another edit.
fn transposed(e: Expr<'_>) -> Option<Expr<'_>> {
    (e.ndim() == 2).then(|| match e.op() {
        Some(Op::Layout(Layout::Transpose { .. })) => e.inputs()[0],
        _ => e.t(),
    })
}

/// Other axes, the mean for the sum and the other way round, and a sum more.
pub(super) fn axes<'g>(_: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    let e = place.e;
    if let Some(Op::Reduce(reduce)) = e.op() {
        let operand = e.inputs()[0];
        let reduces = |axes: &Axes| axes.iter().any(|axis| operand.shape()[axis] > 1);
        for axes in choices(operand.ndim()).filter(|axes| *axes != reduce.axes && reduces(axes)) {
            let other = Op::Reduce(Reduce { axes, ..reduce.clone() });
            found.apply(place, other, &[operand], Reason::Axis);
        }
        let other = match reduce.fold {
            Fold::Sum => Fold::Mean,
            Fold::Mean => Fold::Sum,
            _ => return,
        };
        let reason = Reason::in_place_of(reduce.fold.name(), other.name());
        found.apply(place, Op::Reduce(Reduce { fold: other, ..reduce }), &[operand], reason);
    }
}

/// Every axis by itself, and all together.
fn choices(rank: usize) -> impl Iterator<Item = Axes> {
    let all: Vec<usize> = (0..rank).collect();
    let single = all.clone().into_iter().map(Axes::from);
    single.chain((rank > 1).then(|| Axes::from(&all[..])))
}
