//! Arrays indexed by arrays: what NumPy writes `x[indices]`, and what JAX writes `x.at[indices]`.

use super::constant::IntoVar;
use super::gather::Gather;
use super::{Index, Op};
use crate::element::{DType, Dtype, Element, Literal, Number};
use crate::error::{Error, Operand, fail};
use crate::graph::{Content, Expr, LeafKind, Var};
use crate::shape::{Axes, Shape, broadcast, stretches};

impl<'g, T: Dtype> Var<'g, T> {
    /// The elements, rows or slabs at these indices along an axis: NumPy's `take`, PyTorch's `index_select`. The indices have
    /// any number of axes, which stand in the place of the axis: of `(n, d)` along axis 0 with indices `(b, t)` it is
    /// `(b, t, d)`, and with a single index `(d,)`.
    ///
    /// A negative index counts from the end. One out of range is an error of the run,
    /// [`Error::IndexOutOfRange`](crate::Error::IndexOutOfRange), after which nothing has changed.
    ///
    /// Derivative: the cotangent is added where the indices point, once for each of equal ones; none with respect to the
    /// indices.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let y = x.take(0, [2, 0, -1]);
    /// assert_eq!(y.value()?, array![[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]].into_dyn());
    /// assert_eq!(y.sum().grad(x).value()?, array![[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]].into_dyn());
    /// assert_eq!(x.take(1, 0_i64).value()?, array![1.0, 3.0, 5.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or is not one: "`take` requires one axis, got [0, 1]".
    #[track_caller]
    #[must_use]
    pub fn take(self, axis: impl Into<Axes>, indices: impl IntoVar<'g, T::Index>) -> Self {
        let indices = indices.into_var(self.graph(), DType::I64);
        self.graph().emit(Op::Gather(Gather::Take(axis.into())), [self.erase(), indices.erase()]).retype()
    }

    /// The elements at the indices of each line: `y[.., k, ..] = x[.., indices[.., k, ..], ..]`. NumPy's `take_along_axis`,
    /// PyTorch's `gather`. The indices have as many axes as this array, any size along the axis, and broadcast with it along
    /// the others.
    ///
    /// Negative indices, indices out of range, derivative: as for [`take`](Self::take). For a single index in each line see
    /// [`pick`](Self::pick).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[5.0, 6.0, 7.0], [8.0, 9.0, 1.0]]);
    /// let y = x.take_along_axis(1, array![[2_i64, 2], [0, -1]]);
    /// assert_eq!(y.value()?, array![[7.0, 7.0], [8.0, 1.0]].into_dyn());
    /// assert_eq!(y.sum().grad(x).value()?, array![[0.0, 0.0, 2.0], [1.0, 0.0, 1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or is not one, or if the shapes do not broadcast along the others: "`take_along_axis`
    /// requires indices of shape (2, 3), but for axis 1, got (3, 1)".
    #[track_caller]
    #[must_use]
    pub fn take_along_axis(self, axis: impl Into<Axes>, indices: impl IntoVar<'g, T::Index>) -> Self {
        let indices = indices.into_var(self.graph(), DType::I64).erase();
        self.along(axis.into(), indices)
    }

    /// Each stretched to the other along all axes but one, then the elements at the indices.
    #[track_caller]
    pub(super) fn along(self, axis: Axes, indices: Expr<'g>) -> Self {
        let (mut x, mut indices) = (self.erase(), indices);
        let one = axis.resolve(x.ndim()).ok().and_then(|axes| axes.single());
        // What does not fit is refused by the operation.
        if let Some(one) = one.filter(|&one| x.ndim() == indices.ndim() && stretch(x, indices, one)) {
            // What has the size 1 along the axis leaves the other's as it is.
            let own = x.cast_to(DType::I64);
            let line = indices.sum_keepdims(one);
            indices = stretched(indices, indices + own.sum_keepdims(one));
            x = stretched(x, own + line);
        }
        self.graph().emit(Op::Gather(Gather::TakeAlong(axis)), [x, indices]).retype()
    }

    /// The elements at places that are given by an index array for each of the first axes: NumPy's `x[rows, columns]`,
    /// TensorFlow's `gather_nd`. The index arrays broadcast; the result has their shape, and behind it the axes for which there
    /// are none.
    ///
    /// Negative indices, indices out of range, derivative: as for [`take`](Self::take).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let y = x.gather_nd([array![0_i64, 1, 0], array![2_i64, -3, 2]]);
    /// assert_eq!(y.value()?, array![3.0, 4.0, 3.0].into_dyn());
    /// assert_eq!(y.sum().grad(x).value()?, array![[0.0, 0.0, 2.0], [1.0, 0.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there is no index array, or more than there are axes: "`gather_nd` got axis 2 of an array with 2 axes"; or if they do
    /// not broadcast: "`gather_nd` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)".
    #[track_caller]
    #[must_use]
    pub fn gather_nd<I: IntoVar<'g, T::Index>>(self, indices: impl IntoIterator<Item = I>) -> Self {
        const OP: &str = "gather_nd";
        let x = self.erase();
        let mut given: Vec<Expr<'g>> = Vec::new();
        for index in indices {
            given.push(index.into_var(self.graph(), DType::I64).erase());
        }
        let indices = given;
        let (count, rank) = (indices.len(), x.ndim());
        let Some(&first) = indices.first() else {
            fail(&Error::Arity { op: OP, expected: 2, found: 1 });
        };
        if count > rank {
            fail(&Error::AxisOutOfRange { op: OP, axis: rank as i32, operand: Box::new(describe(x)) });
        }
        if count == 1 {
            return self.take(0, first.retype::<T::Index>());
        }
        let mut place = counted(first, x, 0);
        for (axis, &index) in indices.iter().enumerate().skip(1) {
            if let Err(clash) = broadcast(&place.shape(), &index.shape()) {
                let operands = Box::new([describe(place), describe(index)]);
                fail(&Error::Broadcast { op: OP, operands, clash });
            }
            place = place * size(x, axis) + counted(index, x, axis);
        }
        let axes: Vec<usize> = (0..count).collect();
        x.flatten(&axes[..]).take(0, place).retype()
    }

    /// The elements where a mask holds, one behind the other in C order: NumPy's `x[mask]`, PyTorch's `masked_select`. A mask
    /// of the first axes alone selects rows or slabs. The mask is an array: how many elements there are is known when the
    /// formula is written. Of a mask that is computed it is not: there [`select`](Var::select) keeps the shape.
    ///
    /// What is selected are places; with other sizes fed they stay, and a place that is not there is an error of the run,
    /// [`Error::IndexOutOfRange`](crate::Error::IndexOutOfRange). Derivative: the cotangent at the places, 0 elsewhere.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.mask_select(array![[true, false], [true, true]]);
    /// assert_eq!(y.value()?, array![1.0, 3.0, 4.0].into_dyn());
    /// assert_eq!(y.sum().grad(x).value()?, array![[1.0, 0.0], [1.0, 1.0]].into_dyn());
    /// assert_eq!(x.mask_select(array![false, true]).value()?, array![[3.0, 4.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the mask is computed or fed: "`mask_select` requires a constant mask, whose count is the size of the result, got
    /// .."; or if its shape is not that of the first axes: "`mask_select` requires a mask of shape (2, 2) or of its first axes,
    /// got (3,)".
    #[track_caller]
    #[must_use]
    pub fn mask_select(self, mask: impl IntoVar<'g, T::Mask>) -> Self {
        const OP: &str = "mask_select";
        let (x, mask) = (self.erase(), mask.into_var(self.graph(), DType::Bool).erase());
        let (shape, own) = (mask.shape(), x.shape());
        if shape.is_empty() || shape.ndim() > own.ndim() || own[..shape.ndim()] != shape[..] {
            let expected = format!("a mask of shape {own} or of its first axes");
            fail(&Error::Mismatch { op: OP, expected, operands: Box::new([describe(x), describe(mask)]) });
        }
        let Some(places) = constant_places(mask) else {
            let expected = "a constant mask, whose count is the size of the result";
            fail(&Error::NotALeaf { op: OP, expected, operand: Box::new(describe(mask)) });
        };
        let mut indices: Vec<Var<'g, T::Index>> = Vec::new();
        for along in places {
            indices.push(self.graph().constant(along).retype());
        }
        self.gather_nd(indices)
    }
}

impl<'g, T: Number> Var<'g, T> {
    /// The rows of this table at these indices: [`take`](Self::take) along axis 0, as PyTorch's `embedding`. Of `(n, d)` with
    /// indices `(b, t)` it is `(b, t, d)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let table = g.param("table", array![[1.0, 2.0], [3.0, 4.0]]);
    /// let tokens = g.input("tokens", array![[1_i64, 1, 0]]);
    /// let y = table.embedding(tokens);
    /// assert_eq!(y.value()?, array![[[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]].into_dyn());
    /// assert_eq!(y.sum().grad(table).value()?, array![[1.0, 1.0], [2.0, 2.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the table is a scalar.
    #[track_caller]
    #[must_use]
    pub fn embedding(self, indices: impl IntoVar<'g, T::Index>) -> Self {
        self.take(0, indices)
    }

    /// This array with `updates` added at the indices along an axis: JAX's `x.at[indices].add(updates)`, NumPy's
    /// `np.add.at`, PyTorch's `index_add`. The updates have the shape of [`take(axis, indices)`](Self::take), or broadcast to
    /// it. Where several indices are equal, all their updates are added, in the order of the indices.
    ///
    /// Derivative: the cotangent for this array, and the cotangent at the indices for the updates. Negative indices and indices
    /// out of range: as for [`take`](Self::take).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0]);
    /// let y = x.scatter_add(0, [0, 0, -1], array![10.0, 20.0, 30.0]);
    /// assert_eq!(y.value()?, array![31.0, 2.0, 33.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or is not one, or if the updates do not stretch: "`scatter_add` requires updates that
    /// stretch to (2, 3), got (2, 2)".
    #[track_caller]
    #[must_use]
    pub fn scatter_add(
        self,
        axis: impl Into<Axes>,
        indices: impl IntoVar<'g, T::Index>,
        updates: impl IntoVar<'g, T>,
    ) -> Self {
        let axis = axis.into();
        let (indices, updates) = self.updates("scatter_add", &axis, indices, updates);
        self + scattered(updates, axis, indices, self.erase()).retype()
    }

    /// This array with `updates` in the place of what stands at the indices along an axis: JAX's `x.at[indices].set(updates)`,
    /// NumPy's `x[indices] = updates`. The updates have the shape of [`take(axis, indices)`](Self::take), or broadcast to it.
    /// Of several equal indices the last one in C order wins, as in NumPy.
    ///
    /// Derivative: the cotangent goes to what stands in the result: to this array where no index points, and to the update of
    /// the last of equal indices; the other updates get 0. Negative indices and indices out of range: as for
    /// [`take`](Self::take).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (x, u) = (g.input("x", array![1.0, 2.0, 3.0]), g.input("u", array![10.0, 20.0]));
    /// let y = x.scatter_set(0, [1, 1], u);
    /// assert_eq!(y.value()?, array![1.0, 20.0, 3.0].into_dyn());
    /// let [dx, du] = y.sum().grad([x, u]);
    /// assert_eq!(dx.value()?, array![1.0, 0.0, 1.0].into_dyn());
    /// assert_eq!(du.value()?, array![0.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`scatter_add`](Self::scatter_add).
    #[track_caller]
    #[must_use]
    pub fn scatter_set(
        self,
        axis: impl Into<Axes>,
        indices: impl IntoVar<'g, T::Index>,
        updates: impl IntoVar<'g, T>,
    ) -> Self {
        let axis = axis.into();
        let (indices, updates) = self.updates("scatter_set", &axis, indices, updates);
        let x = self.erase();
        let at = axis.resolve(x.ndim()).ok().and_then(|axes| axes.single()).unwrap_or_default();
        // One axis for all indices, so that the updates can stand behind the places.
        let updates = match indices.ndim() {
            0 => updates.expand_dims(at),
            1 => updates,
            rank => updates.flatten([at as i32, (at + rank - 1) as i32]),
        };
        let along = Axes::from(at);
        let writers = x.graph().emit(Op::Gather(Gather::Writers(along)), [indices, x.shape_root()]);
        super::concat(&[x, updates], at).take(at, writers).retype()
    }

    /// The updates stretched to the shape of what is at the indices.
    #[track_caller]
    fn updates(
        self,
        op: &'static str,
        axis: &Axes,
        indices: impl IntoVar<'g, T::Index>,
        updates: impl IntoVar<'g, T>,
    ) -> (Expr<'g>, Expr<'g>) {
        let indices = indices.into_var(self.graph(), DType::I64);
        let updates = updates.into_var(self.graph(), self.dtype_beside()).erase();
        let target = self.take(axis.clone(), indices).erase();
        if !stretches(&updates.shape(), &target.shape()) {
            let expected = format!("updates that stretch to {}", target.shape());
            let operands = Box::new([describe(self.erase()), describe(updates)]);
            fail(&Error::Mismatch { op, expected, operands });
        }
        (indices.erase(), stretched(updates, target))
    }

    /// The sums of the rows of each segment: row `i` is added to row `segments[i]` of the result, which has `count` rows; an
    /// empty segment is 0. JAX's and TensorFlow's `segment_sum`. The segments need not be sorted.
    ///
    /// Derivative: the cotangent of its segment for each row. A segment that is not below `count` is an error of the run,
    /// [`Error::IndexOutOfRange`](crate::Error::IndexOutOfRange); a negative one counts from the end.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let y = x.segment_sum([2, 0, 2], 3);
    /// assert_eq!(y.value()?, array![[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the segments are not one for each row: "`segment_sum` requires a segment for each of the first axes of (3, 2), got
    /// (2,)".
    #[track_caller]
    #[must_use]
    pub fn segment_sum(self, segments: impl IntoVar<'g, T::Index>, count: usize) -> Self {
        let (x, segments) = (self.erase(), segments.into_var(self.graph(), DType::I64).erase());
        let (shape, own, rank) = (segments.shape(), x.shape(), segments.ndim());
        if rank == 0 || rank > own.ndim() || own[..rank] != shape[..] {
            let expected = format!("a segment for each of the first axes of {own}");
            let operands = Box::new([describe(x), describe(segments)]);
            fail(&Error::Mismatch { op: "segment_sum", expected, operands });
        }
        let first: Vec<usize> = (0..rank).collect();
        let behind: Vec<usize> = (1..=own.ndim() - rank).collect();
        let rows = zeros(x, count);
        let rows = if behind.is_empty() { rows } else { rows.expand_dims(&behind[..]) };
        let like = rows + x.sum_axis(&first[..]).expand_dims(0);
        scattered(x, Axes::from(0), segments, like).retype()
    }
}

impl<'g> Var<'g, i64> {
    /// One in the place of each index among `count` zeros: of `(..)` it is `(.., count)`. An index that is negative or not
    /// below `count` is an error of the run, [`Error::IndexOutOfRange`](crate::Error::IndexOutOfRange).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let classes = g.input("classes", array![2_i64, 0]);
    /// assert_eq!(classes.one_hot::<f64>(3).value()?, array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn one_hot<T: Element>(self, count: usize) -> Var<'g, T> {
        let range = zeros(self.erase(), count);
        let index = self.erase().within(range, 0).expand_dims(-1);
        index.eq(range.index_along(0)).cast_to(T::DTYPE).retype()
    }
}

/// The sums of `updates` where the indices point, in the shape of `like`.
#[track_caller]
fn scattered<'g>(updates: Expr<'g>, axis: Axes, indices: Expr<'g>, like: Expr<'g>) -> Expr<'g> {
    let op = Op::Gather(Gather::ScatterAdd(axis));
    updates.graph().emit(op, [updates, indices, like.shape_root()])
}

/// Indices along an axis of `x`, checked, and counted from the start.
#[track_caller]
fn counted<'g>(indices: Expr<'g>, x: Expr<'g>, axis: usize) -> Expr<'g> {
    let op = Op::Index(Index::Counted(axis.into()));
    let checked = x.graph().emit(op, [indices, x.shape_root()]);
    let zero = x.graph().literal(Literal::I64(0));
    checked.lt(zero).select(checked + size(x, axis), checked)
}

/// The size of an axis as an index.
#[track_caller]
fn size(x: Expr<'_>, axis: usize) -> Expr<'_> {
    x.cast_to(DType::I64).size_of(axis).cast_to(DType::I64)
}

/// Whether two arrays with as many axes stretch to each other along all but one.
fn stretch(a: Expr<'_>, b: Expr<'_>, axis: usize) -> bool {
    let others = |shape: Shape| Axes::from(axis).reduced(&shape, true);
    broadcast(&others(a.shape()), &others(b.shape())).is_ok()
}

/// `count` zeros.
#[track_caller]
fn zeros(beside: Expr<'_>, count: usize) -> Expr<'_> {
    beside.graph().literal(Literal::rounded(0.0, beside.dtype())).broadcast_to([count])
}

/// `x` in the shape of `like`.
#[track_caller]
fn stretched<'g>(x: Expr<'g>, like: Expr<'g>) -> Expr<'g> {
    if x.shape_root().id() == like.shape_root().id() { x } else { x.broadcast_like(like) }
}

fn describe(e: Expr<'_>) -> Operand {
    e.graph().arena().describe(e.id())
}

/// For each axis of a constant mask the indices of the places where it holds, in C order.
fn constant_places(mask: Expr<'_>) -> Option<Vec<ndarray::Array1<i64>>> {
    mask.leaf().filter(|leaf| leaf.kind == LeafKind::Constant)?;
    let cell = mask.graph().leaves().cell(mask.id()).cloned()?;
    let content = cell.borrow();
    let Content::Value(value) = &*content else { return None };
    let holds = bool::array(value)?;
    let places = |axis: usize| {
        let held = holds.indexed_iter().filter(|&(_, &holds)| holds);
        held.map(|(place, _)| place[axis] as i64).collect()
    };
    Some((0..holds.ndim()).map(places).collect())
}
