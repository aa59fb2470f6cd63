//! The same elements with their axes, or the order along them, changed.

use ndarray::Slice;

use super::{axes_of, axis_of, cannot, composed, permuted, rank_of};
use crate::element::Dtype;
use crate::error::Result;
use crate::graph::{Expr, Var};
use crate::ops::{Op, Slicing, concat};
use crate::shape::{Axes, Cut};

/// The elements in reverse order along these axes.
fn flipped<'g>(x: Expr<'g>, axes: &[usize]) -> Expr<'g> {
    if axes.is_empty() { x } else { x.slice(axes, Slice::new(0, None, -1)) }
}

fn swapped<'g>(x: Expr<'g>, i: usize, j: usize) -> Expr<'g> {
    let mut order: Vec<usize> = (0..x.ndim()).collect();
    order.swap(i, j);
    permuted(x, &order)
}

fn rolled<'g>(x: Expr<'g>, shift: isize, axis: usize) -> Result<Expr<'g>> {
    if shift == 0 {
        return Ok(x);
    }
    let part = |wrapped| {
        let cut = Box::new(Cut::Rolled { shift, wrapped });
        x.graph().apply(Op::Slicing(Slicing::Slice { axes: axis.into(), cut }), &[x])
    };
    Ok(concat(&[part(true)?, part(false)?], axis))
}

/// All axes as one.
pub(super) fn raveled(x: Expr<'_>) -> Expr<'_> {
    match x.ndim() {
        0 => x.expand_dims(0),
        1 => x,
        _ => x.flatten([0, -1]),
    }
}

/// Where the axes go: the order of the operand's axes in the result.
fn moved(x: Expr<'_>, from: &Axes, to: &Axes) -> Result<Vec<usize>> {
    let (from, to) = (axes_of("moveaxis", x, from)?, axes_of("moveaxis", x, to)?);
    if from.len() != to.len() {
        let (m, n) = (from.len(), to.len());
        return cannot("moveaxis", format!("move axes {from:?} to {to:?}: {m} != {n}"), &[x]);
    }
    let mut rest = (0..x.ndim()).filter(|axis| !from.contains(axis));
    let mut order = vec![0; x.ndim()];
    for (axis, place) in order.iter_mut().enumerate() {
        *place = match to.iter().position(|&to| to == axis) {
            Some(k) => from[k],
            None => rest.next().unwrap_or_default(),
        };
    }
    Ok(order)
}

impl<'g, T: Dtype> Var<'g, T> {
    /// Two axes exchanged. Nothing is copied.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array3::<f64>::zeros((2, 3, 4)));
    /// assert_eq!(x.swapaxes(0, -1).shape(), [4, 3, 2]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range: "`swapaxes` got axis 3 of an array with 3 axes".
    #[track_caller]
    #[must_use]
    pub fn swapaxes(self, first: impl Into<Axes>, second: impl Into<Axes>) -> Self {
        let (first, second) = (first.into(), second.into());
        composed(self, |x| Ok(swapped(x, axis_of("swapaxes", x, &first)?, axis_of("swapaxes", x, &second)?)))
    }

    /// Some axes moved to other places; the others stay in their order. Axis `from[i]` of the operand becomes axis `to[i]` of
    /// the result. Nothing is copied.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array3::<f64>::zeros((2, 3, 4)));
    /// assert_eq!(x.moveaxis(0, -1).shape(), [3, 4, 2]);
    /// assert_eq!(x.moveaxis([0, 1], [2, 0]).shape(), [3, 4, 2]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice, or if there are not as many on both sides:
    /// "`moveaxis` cannot move axes \[0, 1\] to \[2\]: 2 != 1".
    #[track_caller]
    #[must_use]
    pub fn moveaxis(self, from: impl Into<Axes>, to: impl Into<Axes>) -> Self {
        let (from, to) = (from.into(), to.into());
        composed(self, |x| Ok(permuted(x, &moved(x, &from, &to)?)))
    }

    /// All elements as a vector, in C order. A scalar becomes a vector of one element.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.ravel().value()?, array![1.0, 2.0, 3.0, 4.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn ravel(self) -> Self {
        composed(self, |x| rank_of("ravel", x).map(|_| raveled(x)))
    }

    /// A column for each entry of the first axis, in which its elements stand in C order: `x.reshape([m, -1]).t()`, as a batch
    /// of pictures becomes the matrix that a dense layer takes.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let pictures = g.input("pictures", ndarray::Array4::<f64>::zeros((209, 64, 64, 3)));
    /// assert_eq!(pictures.flatten_t().shape(), [12288, 209]);
    /// ```
    ///
    /// # Panics
    /// If it is a scalar: "`flatten_t` cannot make columns of a scalar".
    #[track_caller]
    #[must_use]
    pub fn flatten_t(self) -> Self {
        composed(self, |x| match rank_of("flatten_t", x)? {
            0 => cannot("flatten_t", "make columns of a scalar".to_owned(), &[x]),
            1 => Ok(x.expand_dims(0)),
            _ => Ok(x.flatten([1, -1]).t()),
        })
    }

    /// The elements in reverse order along these axes; [`Axes::ALL`] is every axis. Nothing is copied.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.flip(1).value()?, array![[2.0, 1.0], [4.0, 3.0]].into_dyn());
    /// assert_eq!(x.flip(gradus::Axes::ALL).value()?, array![[4.0, 3.0], [2.0, 1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn flip(self, axes: impl Into<Axes>) -> Self {
        let axes = axes.into();
        composed(self, |x| Ok(flipped(x, &axes_of("flip", x, &axes)?)))
    }

    /// The elements moved on by `shift` places along these axes; those beyond the end come in again at the start. The shift may
    /// be negative, and larger than the axis. For different shifts along several axes, one roll follows another.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.roll(1, 0).value()?, array![4.0, 1.0, 2.0, 3.0].into_dyn());
    /// assert_eq!(x.roll(-5, 0).value()?, array![2.0, 3.0, 4.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn roll(self, shift: isize, axes: impl Into<Axes>) -> Self {
        let axes = axes.into();
        composed(self, |x| {
            axes_of("roll", x, &axes)?.into_iter().try_fold(x, |x, axis| rolled(x, shift, axis))
        })
    }

    /// [`roll`](Self::roll) of all elements as one line, in C order: NumPy's `roll` without an axis.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.roll_flat(1).value()?, array![[4.0, 1.0], [2.0, 3.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn roll_flat(self, shift: isize) -> Self {
        composed(self, |x| {
            rank_of("roll_flat", x)?;
            Ok(rolled(raveled(x), shift, 0)?.reshape_like(x))
        })
    }

    /// The array turned by `k` right angles in the plane of two axes, from the first towards the second. With `[0, 1]` a matrix
    /// turns to the left. Nothing is copied.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.rot90(1, [0, 1]).value()?, array![[2.0, 4.0], [1.0, 3.0]].into_dyn());
    /// assert_eq!(x.rot90(-1, [0, 1]).value()?, array![[3.0, 1.0], [4.0, 2.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If they are not two axes of the array: "`rot90` cannot turn in the plane of axes \[0\]: it requires two".
    #[track_caller]
    #[must_use]
    pub fn rot90(self, k: isize, axes: impl Into<Axes>) -> Self {
        let axes = axes.into();
        composed(self, |x| {
            let [i, j] = axes_of("rot90", x, &axes)?[..] else {
                let what = format!("turn in the plane of axes {}: it requires two", axes.list());
                return cannot("rot90", what, &[x]);
            };
            Ok(match k.rem_euclid(4) {
                0 => x,
                1 => swapped(flipped(x, &[j]), i, j),
                2 => flipped(x, &[i, j]),
                _ => flipped(swapped(x, i, j), &[j]),
            })
        })
    }
}
