//! The same elements several times, and arrays on top of each other.

use super::axes::raveled;
use super::{axis_of, cannot, composed, describe, rank_of, sizes_like, stretched};
use crate::element::Dtype;
use crate::error::{Error, Result, fail};
use crate::graph::{Expr, Var};
use crate::ops::concat;
use crate::shape::Axes;

/// The arrays along a new axis: NumPy's `stack`. They have one shape; `axis` is that of the result.
///
/// Derivative: each gets its part of the cotangent.
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let (a, b) = (g.input("a", array![1.0, 2.0]), g.input("b", array![3.0, 4.0]));
/// assert_eq!(gradus::stack(&[a, b], 0).value()?, array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
/// assert_eq!(gradus::stack(&[a, b], -1).value()?, array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If there are no arrays, if their shapes or element types differ, or if the axis is out of range:
/// "`stack` requires arrays of one shape, (2,), got (3,)".
#[track_caller]
#[must_use]
pub fn stack<'g, T: Dtype>(arrays: &[Var<'g, T>], axis: impl Into<Axes>) -> Var<'g, T> {
    let axis = axis.into();
    let Some(first) = arrays.first() else {
        fail(&Error::Arity { op: "stack", expected: 1, found: 0 });
    };
    let arrays: Vec<Expr<'g>> = arrays.iter().map(|array| array.erase()).collect();
    first.graph().compose(|| stacked(&arrays, &axis)).retype()
}

fn stacked<'g>(arrays: &[Expr<'g>], axis: &Axes) -> Result<Expr<'g>> {
    let first = arrays[0];
    for &other in arrays {
        if !std::ptr::eq(other.graph(), first.graph()) {
            return Err(Error::OtherGraph { op: "stack" });
        }
        rank_of("stack", other)?;
        if other.shape() != first.shape() {
            let operands = Box::new([describe(first), describe(other)]);
            let expected = format!("arrays of one shape, {}", first.shape());
            return Err(Error::Mismatch { op: "stack", expected, operands });
        }
        if other.dtype() != first.dtype() {
            let expected = format!("arrays of {}", first.dtype());
            return Err(Error::DType { op: "stack", expected, operand: Box::new(describe(other)) });
        }
    }
    let rank = first.ndim() + 1;
    match axis.in_order(rank).as_deref() {
        Ok(&[axis]) => {
            let arrays: Vec<Expr<'g>> = arrays.iter().map(|array| array.expand_dims(axis)).collect();
            Ok(concat(&arrays, axis))
        }
        _ => cannot("stack", format!("make a new axis {} among {rank}", axis.list()), &[first]),
    }
}

/// The array with `reps[i]` copies of axis `i`, which are either the elements (`along`) or the whole axis again and again.
fn copies<'g>(x: Expr<'g>, reps: &[usize], each: bool) -> Expr<'g> {
    let many: Vec<usize> = (0..reps.len()).filter(|&axis| reps[axis] != 1).collect();
    if many.is_empty() {
        return x;
    }
    // Every axis that comes several times gets a new one beside it, along which it is stretched.
    let beside = |k: usize| many[k] + k + usize::from(each);
    let new: Vec<usize> = (0..many.len()).map(beside).collect();
    let sizes: Vec<(usize, usize)> = new.iter().zip(&many).map(|(&new, &axis)| (new, reps[axis])).collect();
    let wide = stretched(x.expand_dims(&new[..]), &sizes);
    many.iter().fold(wide, |wide, &axis| wide.flatten([axis, axis + 1]))
}

impl<'g, T: Dtype> Var<'g, T> {
    /// The array again and again: `reps[i]` times along axis `i`. As in NumPy the shorter of shape and `reps` gets ones in front.
    ///
    /// Derivative: the cotangents of all copies, added up.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0]);
    /// assert_eq!(x.tile(&[2]).value()?, array![1.0, 2.0, 1.0, 2.0].into_dyn());
    /// assert_eq!(x.tile(&[2, 1]).value()?, array![[1.0, 2.0], [1.0, 2.0]].into_dyn());
    /// assert_eq!(x.tile(&[3]).sum().grad(x).value()?, array![3.0, 3.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn tile(self, reps: &[usize]) -> Self {
        composed(self, |x| {
            let rank = rank_of("tile", x)?;
            let new: Vec<usize> = (0..reps.len().saturating_sub(rank)).collect();
            let x = if new.is_empty() { x } else { x.expand_dims(&new[..]) };
            let mut all = vec![1; rank.saturating_sub(reps.len())];
            all.extend(reps);
            Ok(copies(x, &all, false))
        })
    }

    /// Every element `count` times along an axis.
    ///
    /// Derivative: the cotangents of the copies, added up.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0]]);
    /// assert_eq!(x.repeat(2, 1).value()?, array![[1.0, 1.0, 2.0, 2.0]].into_dyn());
    /// assert_eq!(x.repeat(2, 0).value()?, array![[1.0, 2.0], [1.0, 2.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or if there are several.
    #[track_caller]
    #[must_use]
    pub fn repeat(self, count: usize, axis: impl Into<Axes>) -> Self {
        let axis = axis.into();
        composed(self, |x| {
            let mut reps = vec![1; rank_of("repeat", x)?];
            reps[axis_of("repeat", x, &axis)?] = count;
            Ok(copies(x, &reps, true))
        })
    }

    /// Every element `count` times, in a vector: NumPy's `repeat` without an axis.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0], [2.0]]);
    /// assert_eq!(x.repeat_flat(2).value()?, array![1.0, 1.0, 2.0, 2.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn repeat_flat(self, count: usize) -> Self {
        composed(self, |x| rank_of("repeat_flat", x).map(|_| copies(raveled(x), &[count], true)))
    }

    /// Element `i` of an axis `counts[i]` times. The axis has as many elements as there are counts.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0]);
    /// assert_eq!(x.repeat_each(&[2, 0, 1], 0).value()?, array![1.0, 1.0, 3.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the size differs: "`repeat_each` cannot repeat axis 0 of (3,) by 2 counts".
    #[track_caller]
    #[must_use]
    pub fn repeat_each(self, counts: &[usize], axis: impl Into<Axes>) -> Self {
        let axis = axis.into();
        composed(self, |x| {
            let axis = axis_of("repeat_each", x, &axis)?;
            if x.shape()[axis] != counts.len() {
                let what = format!("repeat axis {axis} of {} by {} counts", x.shape(), counts.len());
                return cannot("repeat_each", what, &[x]);
            }
            let parts = x.split(axis, counts.len()).into_iter().zip(counts);
            let copies = |(part, &count): (Expr<'g>, &usize)| stretched(only(part, axis), &[(axis, count)]);
            let parts: Vec<Expr<'g>> = parts.map(copies).collect();
            Ok(if parts.is_empty() { x } else { concat(&parts, axis) })
        })
    }
}

/// The array, whose axis has size 1 also when something else is fed, which would else be an error of the run.
pub(super) fn only(x: Expr<'_>, axis: usize) -> Expr<'_> {
    x.squeeze(axis).expand_dims(axis)
}

/// An array of one number, with the sizes of `x` but for one axis. Of `x` the shape alone is read, and nothing is computed.
pub(super) fn filled<'g>(x: Expr<'g>, number: Expr<'g>, axis: usize, size: usize) -> Expr<'g> {
    number.broadcast_like(sizes_like(x.index_along(0).sum_keepdims(axis), &[(axis, size)]))
}
