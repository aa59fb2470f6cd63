//! Arrangements that are made of simpler ones: of views where that is possible, else of a concatenation.
//!
//! Sizes are taken from the operands, so that one formula serves whatever is fed. Where an arrangement needs an array of some
//! sizes, and nothing of it but the sizes, it is an expression of indices that nobody reads and that is never computed.

mod axes;
mod diagonal;
mod pad;
mod part;
mod repeat;

use super::reduce::axes_fault;
use super::{Layout, Op};
use crate::element::{Dtype, Literal};
use crate::error::{Error, Operand, Result};
use crate::graph::{Expr, Var};
use crate::shape::{Axes, AxesFault, Sizes};

pub use self::pad::Pad;
pub use self::repeat::stack;

/// The operand as an error describes it.
pub(super) fn describe(x: Expr<'_>) -> Operand {
    x.graph().arena().describe(x.id())
}

/// What `op` cannot do with `x`.
pub(super) fn cannot<R>(op: &'static str, what: String, operands: &[Expr<'_>]) -> Result<R> {
    Err(Error::Cannot { op, what, operands: operands.iter().map(|&x| describe(x)).collect() })
}

fn fault_of(op: &'static str, x: Expr<'_>, fault: AxesFault) -> Error {
    axes_fault(op, 0, fault)(&|_| describe(x))
}

/// How many axes `x` has, unless it is freed.
pub(super) fn rank_of(op: &'static str, x: Expr<'_>) -> Result<usize> {
    x.look(|node| node.shape.ndim()).ok_or(Error::Freed { op })
}

/// The axes of `x`, counted from the start, in the order in which they were given.
pub(super) fn axes_of(op: &'static str, x: Expr<'_>, axes: &Axes) -> Result<Vec<usize>> {
    axes.in_order(rank_of(op, x)?).map_err(|fault| fault_of(op, x, fault))
}

/// The one axis of `x` that `axes` is.
pub(super) fn axis_of(op: &'static str, x: Expr<'_>, axes: &Axes) -> Result<usize> {
    match axes_of(op, x, axes)?[..] {
        [axis] => Ok(axis),
        _ => Err(Error::OneAxis { op, axes: axes.clone(), operand: Box::new(describe(x)) }),
    }
}

/// The axes of `x` in this order.
pub(super) fn permuted<'g>(x: Expr<'g>, order: &[usize]) -> Expr<'g> {
    if order.is_sorted() { x } else { x.transpose(order) }
}

/// An array of indices of which the sizes alone are read: those of `x` with this one along an axis that has size 1 in `x`.
/// Where `x` is stretched along several axes, `sizes` names each.
fn sizes_like<'g>(x: Expr<'g>, sizes: &[(usize, usize)]) -> Expr<'g> {
    let mut long = vec![1; x.ndim()];
    sizes.iter().for_each(|&(axis, size)| long[axis] = size);
    let stretched = x.graph().literal(Literal::I64(0)).broadcast_to(Sizes::from(&long[..]));
    if x.ndim() == 0 { stretched } else { stretched + x.index_along(0) }
}

/// `x`, stretched to these sizes along axes that have size 1.
fn stretched<'g>(x: Expr<'g>, sizes: &[(usize, usize)]) -> Expr<'g> {
    if sizes.is_empty() { x } else { x.broadcast_like(sizes_like(x, sizes)) }
}

/// A formula that has a value of one element type, whatever it was written with.
#[track_caller]
fn composed<'g, T: Dtype>(x: Var<'g, T>, body: impl FnOnce(Expr<'g>) -> Result<Expr<'g>>) -> Var<'g, T> {
    x.graph().compose(|| body(x.erase())).retype()
}

/// The layout, or what is wrong with it.
fn layout<'g>(x: Expr<'g>, layout: Layout) -> Result<Expr<'g>> {
    x.graph().apply(Op::Layout(layout), &[x])
}
