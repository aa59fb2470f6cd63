//! Parts of arrays along several axes at once, and arrays with a part replaced.

use super::{axis_of, cannot, composed, describe, layout, rank_of};
use crate::cut::{Piece, Region};
use crate::element::{Dtype, Literal, Number};
use crate::error::{Error, Result};
use crate::graph::{Expr, Var};
use crate::ops::constant::IntoVar;
use crate::ops::{Layout, Op, Slicing};
use crate::shape::{Axes, Cut};

/// A part of an array: how it was cut out, and what it is.
struct Part<'g> {
    /// What was cut along which axis, and how.
    cuts: Vec<(Expr<'g>, usize, Cut)>,
    /// What is left, with the axes of the whole.
    cut: Expr<'g>,
    /// The axes that go since one element of them was named.
    gone: Vec<usize>,
    /// The axes that come in, in the result.
    new: Vec<usize>,
}

impl<'g> Part<'g> {
    fn of(op: &'static str, x: Expr<'g>, region: &Region) -> Result<Self> {
        let rank = rank_of(op, x)?;
        let named = region.0.iter().filter(|piece| **piece != Piece::New).count();
        if named > rank {
            return cannot(op, format!("take {named} axes of {}, which has {rank}", x.shape()), &[x]);
        }
        let mut part = Self { cuts: Vec::new(), cut: x, gone: Vec::new(), new: Vec::new() };
        let (mut axis, mut place) = (0, 0);
        for &piece in &region.0 {
            match piece {
                Piece::New => part.new.push(place),
                Piece::Index(index) => {
                    part.take(axis, one(index))?;
                    part.gone.push(axis);
                }
                Piece::Cut(cut) => part.take(axis, cut)?,
            }
            axis += usize::from(piece != Piece::New);
            place += usize::from(!matches!(piece, Piece::Index(_)));
        }
        Ok(part)
    }

    fn take(&mut self, axis: usize, cut: Cut) -> Result<()> {
        if !cut.is_all() {
            self.cuts.push((self.cut, axis, cut));
            let op = Slicing::Slice { axes: axis.into(), cut: cut.into() };
            self.cut = self.cut.graph().apply(Op::Slicing(op), &[self.cut])?;
        }
        Ok(())
    }

    /// The part as the region says it.
    fn result(&self) -> Result<Expr<'g>> {
        let mut part = self.cut;
        if !self.gone.is_empty() {
            part = layout(part, Layout::Squeeze { axes: Axes::from(&self.gone[..]) })?;
        }
        if !self.new.is_empty() {
            part = layout(part, Layout::ExpandDims { axes: Axes::from(&self.new[..]) })?;
        }
        Ok(part)
    }

    /// `y`, stretched to the part, where that lies in the whole, and zeros elsewhere.
    fn put(&self, op: &'static str, y: Expr<'g>) -> Result<Expr<'g>> {
        let like = self.result()?;
        let stretched = y
            .graph()
            .apply(Op::Layout(Layout::BroadcastLike { axes: Axes::none() }), &[y, like.shape_root()]);
        let mut y = match stretched {
            Err(Error::BroadcastTo { target, .. }) => {
                return Err(Error::BroadcastTo { op, target, operand: Box::new(describe(y)) });
            }
            other => other?,
        };
        if !self.new.is_empty() {
            y = layout(y, Layout::Squeeze { axes: Axes::from(&self.new[..]) })?;
        }
        if !self.gone.is_empty() {
            y = layout(y, Layout::ExpandDims { axes: Axes::from(&self.gone[..]) })?;
        }
        self.cuts.iter().rev().try_fold(y, |y, &(whole, axis, cut)| {
            let op = Slicing::Unslice { axes: axis.into(), cut: cut.into() };
            y.graph().apply(Op::Slicing(op), &[y, whole.shape_root()])
        })
    }
}

/// A single element.
fn one(index: isize) -> Cut {
    Cut::Range { start: index, end: Some(index + 1).filter(|&end| end != 0), step: 1 }
}

impl<'g, T: Dtype> Var<'g, T> {
    /// A part of the array along several axes at once: ndarray's `s![…]`, or a [`Cut`] for each of the first axes. Nothing is
    /// copied. As in ndarray a number takes its axis away, `NewAxis` puts one in, and a negative step reads the range
    /// from its last element backwards; [`Cut::python`] is Python's slice.
    ///
    /// Derivative: the cotangent among zeros.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::Cut;
    /// use ndarray::s;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice_each(s![.., ..;2]).value()?, array![[1.0, 3.0], [4.0, 6.0]].into_dyn());
    /// assert_eq!(x.slice_each(s![1, 1..]).value()?, array![5.0, 6.0].into_dyn());
    /// let turned = [Cut::ALL, Cut::python(None, 0, -1)];
    /// assert_eq!(x.slice_each(turned).value()?, array![[3.0, 2.0], [6.0, 5.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are not so many axes: "`slice_each` cannot take 3 axes of (2, 3), which has 2"; if an axis does not have the range:
    /// "`slice` cannot take 1..4 of axis 1, which has size 3".
    #[track_caller]
    #[must_use]
    pub fn slice_each(self, region: impl Into<Region>) -> Self {
        let region = region.into();
        composed(self, |x| Part::of("slice_each", x, &region)?.result())
    }

    /// The array with a part replaced by `y`, which is stretched to it: `x[region] = y`, as a new array. The part is that of
    /// [`slice_each`](Self::slice_each).
    ///
    /// Derivative: of the array, the cotangent outside of the part, 0 in it; of `y`, the part of the cotangent.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use ndarray::s;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let y = g.input("y", array![9.0, 8.0]);
    /// let z = x.slice_assign(s![0, ..2], y);
    /// assert_eq!(z.value()?, array![[9.0, 8.0, 3.0], [4.0, 5.0, 6.0]].into_dyn());
    /// assert_eq!(z.sum().grad(x).value()?, array![[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]].into_dyn());
    /// assert_eq!(z.sum().grad(y).value()?, array![1.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`slice_each`](Self::slice_each), and if `y` does not stretch to the part:
    /// "`slice_assign` cannot stretch (3,) to (2,)".
    #[track_caller]
    #[must_use]
    pub fn slice_assign(self, region: impl Into<Region>, y: impl IntoVar<'g, T>) -> Self {
        let region = region.into();
        let y = y.into_var(self.graph(), self.dtype_beside()).erase();
        composed(self, |x| {
            let part = Part::of("slice_assign", x, &region)?;
            let replaced = part.put("slice_assign", y)?;
            let yes = x.graph().literal(Literal::Bool(true));
            let choice = [part.put("slice_assign", yes)?, replaced, x];
            x.graph().apply(Op::Logic(crate::ops::Logic::Select), &choice)
        })
    }

    /// The part of an array between positions of an axis, which are counted as Python does: from `0` to the first, from there to the
    /// second, and so on to the end. NumPy's `split` at positions; [`split`](Self::split) makes equal parts. Nothing is copied.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0, 4.0]);
    /// let parts = x.split_at(0, &[1, 3]);
    /// assert_eq!(parts[1].value()?, array![2.0, 3.0].into_dyn());
    /// assert_eq!(parts[2].value()?, array![4.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or if there are several.
    #[track_caller]
    #[must_use]
    pub fn split_at(self, axis: impl Into<Axes>, positions: &[isize]) -> Vec<Self> {
        let axis = axis.into();
        let parts = self.graph().compose(|| {
            let x = self.erase();
            let axis = axis_of("split_at", x, &axis)?;
            let starts = std::iter::once(None).chain(positions.iter().copied().map(Some));
            let ends = positions.iter().copied().map(Some).chain([None]);
            let part = |(start, end)| {
                let cut = Cut::Clipped { start, end, step: 1 }.into();
                x.graph().apply(Op::Slicing(Slicing::Slice { axes: axis.into(), cut }), &[x])
            };
            starts.zip(ends).map(part).collect::<Result<Vec<Expr<'g>>>>()
        });
        parts.into_iter().map(Var::retype).collect()
    }
}

impl<'g, T: Number> Var<'g, T> {
    /// The array with `y` added to a part of it, to which `y` is stretched: `x[region] += y`, as a new array. The part is that
    /// of [`slice_each`](Self::slice_each).
    ///
    /// Derivative: of the array, the cotangent; of `y`, the part of the cotangent.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use ndarray::s;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice_add(s![.., 1], 10.0).value()?, array![[1.0, 12.0, 3.0], [4.0, 15.0, 6.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`slice_assign`](Self::slice_assign).
    #[track_caller]
    #[must_use]
    pub fn slice_add(self, region: impl Into<Region>, y: impl IntoVar<'g, T>) -> Self {
        let region = region.into();
        let y = y.into_var(self.graph(), self.dtype_beside()).erase();
        composed(self, |x| Ok(x + Part::of("slice_add", x, &region)?.put("slice_add", y)?))
    }
}
