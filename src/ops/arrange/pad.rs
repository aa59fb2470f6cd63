//! More elements at the ends of axes.

use ndarray::Slice;

use super::repeat::{filled, only};
use super::{cannot, composed, rank_of, stretched};
use crate::element::{Literal, Number};
use crate::error::Result;
use crate::graph::{Expr, Var};
use crate::ops::concat;

/// What [`Var::pad`] puts at the ends of an axis; the names are NumPy's. Of `1 2 3`, three more on either side are:
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pad {
    /// A number: `0 0 0 1 2 3 0 0 0`.
    Constant(f64),
    /// The outermost element: `1 1 1 1 2 3 3 3 3`.
    Edge,
    /// The elements mirrored at the outermost one: `2 3 2 1 2 3 2 1 2`.
    Reflect,
    /// The elements mirrored at the end of the axis: `3 2 1 1 2 3 3 2 1`.
    Symmetric,
    /// The axis again and again: `1 2 3 1 2 3 1 2 3`.
    Wrap,
}

impl<'g, T: Number> Var<'g, T> {
    /// The array with more elements at the ends of its axes: `widths[i]` are how many before axis `i` and behind it.
    ///
    /// As in NumPy, widths may be larger than the axis: mirrored and wrapped elements then come again and again. An axis of one
    /// element has nothing to be mirrored, and [`Pad::Reflect`] repeats it. Axes follow what is fed; a run in which
    /// an axis is too short for what was recorded is an error.
    ///
    /// Derivative: every element gets the cotangents of all places where it stands.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::Pad;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.pad(&[[0, 0], [1, 2]], Pad::Constant(9.0)).value()?, array![[9.0, 1.0, 2.0, 3.0, 9.0, 9.0]].into_dyn());
    /// assert_eq!(x.pad(&[[0, 0], [2, 1]], Pad::Reflect).value()?, array![[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there is not one pair of widths for each axis: "`pad` cannot give 1 pairs of widths to the 2 axes of (1, 3)";
    /// if an axis without elements is to be continued: "`pad` cannot continue axis 0 of (0, 3), which is empty".
    #[track_caller]
    #[must_use]
    pub fn pad(self, widths: &[[usize; 2]], mode: Pad) -> Self {
        composed(self, |x| {
            let rank = rank_of("pad", x)?;
            if rank != widths.len() {
                let pairs = widths.len();
                let what = format!("give {pairs} pairs of widths to the {rank} axes of {}", x.shape());
                return cannot("pad", what, &[x]);
            }
            (0..).zip(widths).try_fold(x, |x, (axis, &widths)| padded(x, axis, widths, mode))
        })
    }
}

fn padded<'g>(x: Expr<'g>, axis: usize, [before, after]: [usize; 2], mode: Pad) -> Result<Expr<'g>> {
    if before == 0 && after == 0 {
        return Ok(x);
    }
    let size = x.shape()[axis];
    if size == 0 && !matches!(mode, Pad::Constant(_)) {
        return cannot("pad", format!("continue axis {axis} of {}, which is empty", x.shape()), &[x]);
    }
    let part = |step: isize, range: Slice| x.slice(axis, Slice { step, ..range });
    let (all, first, last) = (Slice::from(..), Slice::from(..-1), Slice::from(1..));
    // What comes next on either side, and what behind that, in turn.
    let ends = match mode {
        Pad::Constant(value) => {
            let number = x.graph().literal(Literal::rounded(value, x.dtype()));
            [before, after].map(|width| (width > 0).then(|| filled(x, number, axis, width)))
        }
        Pad::Reflect if size == 1 => edges(only(x, axis), axis, [before, after]),
        Pad::Edge => edges(x, axis, [before, after]),
        Pad::Wrap => [front(&[x], axis, before), back(&[x], axis, after)],
        Pad::Symmetric => {
            let turns = [part(-1, all), x];
            [front(&turns, axis, before), back(&turns, axis, after)]
        }
        Pad::Reflect => [
            front(&[part(-1, last), part(1, first)], axis, before),
            back(&[part(-1, first), part(1, last)], axis, after),
        ],
    };
    let [before, after] = ends;
    let parts: Vec<Expr<'g>> = [before, Some(x), after].into_iter().flatten().collect();
    Ok(concat(&parts, axis))
}

fn edges<'g>(x: Expr<'g>, axis: usize, [before, after]: [usize; 2]) -> [Option<Expr<'g>>; 2] {
    let end = |width, range: Slice| (width > 0).then(|| stretched(x.slice(axis, range), &[(axis, width)]));
    [end(before, Slice::from(..1)), end(after, Slice::from(-1..))]
}

/// The last `width` elements of what stands before an axis: these pieces in turn, the first of them nearest to it.
fn front<'g>(pieces: &[Expr<'g>], axis: usize, width: usize) -> Option<Expr<'g>> {
    let mut turns = turns(pieces, axis, width)?;
    turns.reverse();
    Some(joined(&turns, axis).slice(axis, Slice::new(-(width as isize), None, 1)))
}

/// The first `width` elements of what stands behind an axis.
fn back<'g>(pieces: &[Expr<'g>], axis: usize, width: usize) -> Option<Expr<'g>> {
    Some(joined(&turns(pieces, axis, width)?, axis).slice(axis, Slice::new(0, Some(width as isize), 1)))
}

/// As many pieces as `width` elements take.
fn turns<'g>(pieces: &[Expr<'g>], axis: usize, width: usize) -> Option<Vec<Expr<'g>>> {
    let count = width.div_ceil(pieces[0].shape()[axis]);
    (count > 0).then(|| pieces.iter().copied().cycle().take(count).collect())
}

fn joined<'g>(pieces: &[Expr<'g>], axis: usize) -> Expr<'g> {
    if let [one] = pieces { *one } else { concat(pieces, axis) }
}
