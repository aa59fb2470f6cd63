//! Another operation, one more, or one less.

use super::{Found, Place, Reason, Scene, has_slope};
use crate::check::words::sign;
use crate::graph::Expr;
use crate::ops::{Binary, MatMul, Op, Unary};

/// An operand in the place of the result: `A1` for `A1.tanh()`.
pub(super) fn superfluous<'g>(_: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    for operand in place.e.inputs() {
        if operand.as_number().is_none() {
            found.add(place, operand, Reason::Superfluous);
        }
    }
}

/// `-` for `+`, `/` for `*`, and operands in the other order.
pub(super) fn operators<'g>(_: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    let (Some(op), inputs) = (place.e.op(), place.e.inputs()) else { return };
    let others: &[Binary] = match op {
        Op::Binary(Binary::Add) => &[Binary::Sub],
        Op::Binary(Binary::Sub) => &[Binary::Add],
        Op::Binary(Binary::Mul) => &[Binary::Div, Binary::Add],
        Op::Binary(Binary::Div) => &[Binary::Mul],
        Op::MatMul(MatMul::Dot) => &[],
        _ => return,
    };
    for other in others.iter().map(|&other| Op::Binary(other)) {
        let reason = Reason::in_place_of(sign(&op), sign(&other));
        found.apply(place, other, &inputs, reason);
    }
    if !matches!(op, Op::Binary(Binary::Add | Binary::Mul)) {
        found.apply(place, op, &[inputs[1], inputs[0]], Reason::Exchanged);
    }
}

/// g' for g.
pub(super) fn slopes<'g>(_: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    if let Some(slope) = slope(place.e) {
        found.add(place, slope, Reason::NotDerived);
    }
}

/// The derivative of a function of one number, as an expression of the function's shape.
pub(super) fn slope(e: Expr<'_>) -> Option<Expr<'_>> {
    match e.op() {
        Some(Op::Unary(unary)) if has_slope(unary) => {
            let (y, x) = (e.retype::<f64>(), e.inputs()[0].retype::<f64>());
            Some(y.sum().try_grad(x).ok()?.erase())
        }
        _ => None,
    }
}

/// A function more, or another function.
pub(super) fn functions<'g>(scene: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    let e = place.e;
    let present = match e.op() {
        Some(Op::Unary(unary)) => Some(unary),
        _ => None,
    };
    for &function in &scene.functions {
        let (name, op) = (sign(&Op::Unary(function)), Op::Unary(function));
        found.apply(place, op.clone(), &[e], Reason::missing(&name));
        if let Some(present) = present.filter(|&present| has_slope(present) && function != Unary::Neg) {
            let reason = Reason::in_place_of(sign(&Op::Unary(present)), name);
            found.apply(place, op, &[e.inputs()[0]], reason);
        }
    }
    found.add(place, 1.0 - e, Reason::missing("1 -"));
}
