//! Scalars stand outside of what is linear.

use super::algebra::Product;
use super::build::{Writer, stretched};
use super::conventions;
use crate::graph::Expr;
use crate::ops::{Fold, Logic, Op, Reduce, Slicing};

/// The operands in which an operation is linear, each by itself.
fn linear(op: &Op, inputs: &[Expr<'_>]) -> &'static [usize] {
    let is_zero = |k: usize| inputs[k].as_literal() == Some(0.0);
    match op {
        Op::MatMul(_) => &[0, 1],
        Op::Reduce(Reduce { fold: Fold::Sum | Fold::Mean, .. }) | Op::Layout(_) => &[0],
        Op::Slicing(Slicing::Slice { .. } | Slicing::Unslice { .. }) => &[0],
        Op::Logic(Logic::Select) if is_zero(2) => &[1],
        Op::Logic(Logic::Select) if is_zero(1) => &[2],
        _ => &[],
    }
}

/// `c · op(x)` for `op(c · x)`.
pub(super) fn pulled_out<'g>(
    op: &Op,
    inputs: &[Expr<'g>],
    e: Expr<'g>,
    writer: &mut Writer,
) -> Option<Expr<'g>> {
    let mut outside = Product::number(1.0);
    let mut inside = inputs.to_vec();
    for &k in linear(op, inputs) {
        let (scalars, rest) = Product::of(inputs[k]).split();
        // Only a `select` stretches what it chooses from.
        let stretches = *op == Op::Logic(Logic::Select);
        if scalars.is_one() || rest.factors.is_empty() && !stretches {
            continue;
        }
        let bare = writer.product(&rest, inputs[k]);
        if bare.shape() == inputs[k].shape() || stretches {
            outside.multiply(&scalars, 1);
            inside[k] = bare;
        }
    }
    if outside.is_one() {
        return None;
    }
    let bare = e.graph().apply(op.clone(), &inside).ok()?;
    outside.multiply(&Product::of(conventions::sum_over_classes(bare).unwrap_or(bare)), 1);
    let image = writer.product(&outside, e);
    let image = if image.ndim() == 0 && e.ndim() > 0 { stretched(image, e) } else { image };
    (image.shape() == e.shape()).then_some(image)
}
