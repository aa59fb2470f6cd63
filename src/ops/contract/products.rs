//! NumPy's products of arrays of any rank.

use super::{Label, Term, contracted};
use crate::element::{Number, Real};
use crate::error::{Error, Result};
use crate::graph::{Expr, Var};
use crate::ops::arrange::{axes_of, cannot, describe, rank_of};
use crate::ops::constant::IntoVar;
use crate::ops::{MatMul, Op};
use crate::shape::{Axes, Clash};

/// The sum of products over pairs of axes: the other axes of `a`, then those of `b`.
fn paired<'g>(a: Expr<'g>, b: Expr<'g>, pairs: &[(usize, usize)]) -> Expr<'g> {
    let left: Vec<Label> = (0..a.ndim() as Label).collect();
    let label = |axis: usize| match pairs.iter().find(|pair| pair.1 == axis) {
        Some(&(of, _)) => of as Label,
        None => (a.ndim() + axis) as Label,
    };
    let right: Vec<Label> = (0..b.ndim()).map(label).collect();
    let summed = |label: Label| pairs.iter().any(|&(axis, _)| axis as Label == label);
    let (a, b) = (Term { array: a, labels: left }, Term { array: b, labels: right });
    contracted(a, b, &[], &|label| !summed(label)).array
}

/// The first pair of axes whose sizes differ.
fn clash(a: Expr<'_>, b: Expr<'_>, pairs: &[(usize, usize)]) -> Option<Clash> {
    let (left, right) = (a.shape(), b.shape());
    let differs = |&&(i, j): &&(usize, usize)| left[i] != right[j];
    pairs.iter().find(differs).map(|&(i, j)| Clash { left: (i, left[i]), right: (j, right[j]) })
}

/// NumPy's `dot`, where one operand has more than two axes.
pub(in crate::ops) fn dot<'g>(a: Expr<'g>, b: Expr<'g>) -> Result<Expr<'g>> {
    let (m, n) = (rank_of("dot", a)?, rank_of("dot", b)?);
    let graph = a.graph();
    if m == 0 || n == 0 || !std::ptr::eq(graph, b.graph()) {
        return graph.apply(Op::MatMul(MatMul::Dot), &[a, b]);
    }
    let pairs = [(m - 1, n.saturating_sub(2))];
    if let Some(clash) = clash(a, b, &pairs) {
        return Err(Error::Dot { op: "dot", operands: Box::new([describe(a), describe(b)]), clash });
    }
    if n <= 2 {
        return graph.apply(Op::MatMul(MatMul::MatMul), &[a, b]);
    }
    same_floats("dot", a, b)?;
    Ok(paired(a, b, &pairs))
}

/// Refuses operands that are no floats of one type, or of two graphs.
fn same_floats(op: &'static str, a: Expr<'_>, b: Expr<'_>) -> Result<()> {
    same_graph(op, a, b)?;
    let expected = "floats of one type".to_owned();
    let refused = |x| Err(Error::DType { op, expected, operand: Box::new(describe(x)) });
    match (a.dtype(), b.dtype()) {
        (left, _) if !left.is_float() => refused(a),
        (left, right) if left != right => refused(b),
        _ => Ok(()),
    }
}

fn same_graph(op: &'static str, a: Expr<'_>, b: Expr<'_>) -> Result<()> {
    if !std::ptr::eq(a.graph(), b.graph()) {
        return Err(Error::OtherGraph { op });
    }
    rank_of(op, a)?;
    rank_of(op, b).map(|_| ())
}

fn inner<'g>(a: Expr<'g>, b: Expr<'g>) -> Result<Expr<'g>> {
    same_floats("inner", a, b)?;
    if a.ndim() == 0 || b.ndim() == 0 {
        return Ok(a * b);
    }
    let pairs = [(a.ndim() - 1, b.ndim() - 1)];
    match clash(a, b, &pairs) {
        None => Ok(paired(a, b, &pairs)),
        Some(clash) => {
            let what = format!("sum over the last axes of {} and {}: {clash}", a.shape(), b.shape());
            cannot("inner", what, &[a, b])
        }
    }
}

fn tensordot<'g>(a: Expr<'g>, b: Expr<'g>, left: &Axes, right: &Axes) -> Result<Expr<'g>> {
    same_floats("tensordot", a, b)?;
    let (left, right) = (axes_of("tensordot", a, left)?, axes_of("tensordot", b, right)?);
    let pairs: Vec<(usize, usize)> = left.iter().copied().zip(right.iter().copied()).collect();
    let over = || format!("sum over axes {left:?} of {} and {right:?} of {}", a.shape(), b.shape());
    if left.len() != right.len() {
        let (m, n) = (left.len(), right.len());
        return cannot("tensordot", format!("{}: {m} != {n}", over()), &[a, b]);
    }
    match clash(a, b, &pairs) {
        None => Ok(paired(a, b, &pairs)),
        Some(clash) => cannot("tensordot", format!("{}: {clash}", over()), &[a, b]),
    }
}

fn kron<'g>(a: Expr<'g>, b: Expr<'g>) -> Expr<'g> {
    let rank = a.ndim().max(b.ndim());
    // Every axis of the result is an axis of the left operand, and within it one of the right.
    let beside = |x: Expr<'g>, other: usize| {
        let new = 0..rank - x.ndim();
        let front: Vec<usize> = new.flat_map(|axis| [2 * axis, 2 * axis + 1]).collect();
        let behind = (rank - x.ndim()..rank).map(|axis| 2 * axis + other);
        super::expanded(x, &front.into_iter().chain(behind).collect::<Vec<_>>())
    };
    (0..rank).fold(beside(a, 1) * beside(b, 0), |product, axis| product.flatten([axis, axis + 1]))
}

impl<'g, T: Real> Var<'g, T> {
    /// The sum of products over the last axis of both operands: NumPy's `inner`. The result has the other axes of this one, then the
    /// other axes of `other`; with a scalar it is the elementwise product.
    ///
    /// `(.., k), (.., k) → (.., ..)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.inner(array![[1.0, 1.0]]).value()?, array![[3.0], [7.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the last sizes differ: "`inner` cannot sum over the last axes of (2, 3) and (4,): 3 (axis 1) != 4 (axis 0)".
    #[track_caller]
    #[must_use]
    pub fn inner(self, other: impl IntoVar<'g, T>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside()).erase();
        self.graph().compose(|| inner(self.erase(), other)).retype()
    }

    /// The sum of products of all elements, in C order: NumPy's `vdot`. The shapes may differ as long as the numbers of elements
    /// agree.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.vdot(array![1.0, 0.0, 0.0, 2.0]).item()?, 9.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If they do not: "`vdot` cannot pair the elements of (2, 2) and (3,): 4 != 3".
    #[track_caller]
    #[must_use]
    pub fn vdot(self, other: impl IntoVar<'g, T>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside()).erase();
        let body = || {
            let (a, b) = (self.erase(), other);
            same_floats("vdot", a, b)?;
            let (m, n) = (a.shape().size(), b.shape().size());
            if m != n {
                let what = format!("pair the elements of {} and {}: {m} != {n}", a.shape(), b.shape());
                return cannot("vdot", what, &[a, b]);
            }
            Ok(a.ravel().matmul(b.ravel()))
        };
        self.graph().compose(body).retype()
    }

    /// The sum of products over the last `count` axes of this array and the first `count` of `other`, in order: NumPy's `tensordot`
    /// with a number. With 0 it is the product of every element with every other.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", ndarray::Array3::<f64>::ones((2, 3, 4)));
    /// let b = g.input("b", ndarray::Array3::<f64>::ones((3, 4, 5)));
    /// assert_eq!(a.tensordot(b, 2).shape(), [2, 5]);
    /// assert_eq!(a.tensordot(b, 2).max().item()?, 12.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If an operand has fewer axes, or sizes differ:
    /// "`tensordot` cannot sum over axes \[1\] of (2, 3) and \[0\] of (4, 5): 3 (axis 1) != 4 (axis 0)".
    #[track_caller]
    #[must_use]
    pub fn tensordot(self, other: impl IntoVar<'g, T>, count: usize) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside()).erase();
        let body = || {
            let (a, b) = (self.erase(), other);
            same_graph("tensordot", a, b)?;
            if count > a.ndim().min(b.ndim()) {
                let what = format!("sum over {count} axes of {} and {}", a.shape(), b.shape());
                return cannot("tensordot", what, &[a, b]);
            }
            let left: Vec<usize> = (a.ndim() - count..a.ndim()).collect();
            let right: Vec<usize> = (0..count).collect();
            tensordot(a, b, &Axes::from(&left[..]), &Axes::from(&right[..]))
        };
        self.graph().compose(body).retype()
    }

    /// The sum of products over pairs of axes, `axes[i]` of this array with `others[i]` of `other`: NumPy's `tensordot` with two lists.
    /// The result has the other axes of this array, then the other axes of `other`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", ndarray::Array3::<f64>::ones((2, 3, 4)));
    /// let b = g.input("b", ndarray::Array2::<f64>::ones((4, 2)));
    /// assert_eq!(a.tensordot_axes(b, [2, 0], [0, 1]).shape(), [3]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice, if there are not as many on both sides, or if sizes differ.
    #[track_caller]
    #[must_use]
    pub fn tensordot_axes(
        self,
        other: impl IntoVar<'g, T>,
        axes: impl Into<Axes>,
        others: impl Into<Axes>,
    ) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside()).erase();
        let (axes, others) = (axes.into(), others.into());
        self.graph().compose(|| tensordot(self.erase(), other, &axes, &others)).retype()
    }
}

impl<'g, T: Number> Var<'g, T> {
    /// The product of every element with every element of `other`, as a matrix: NumPy's `outer`. Both are taken as vectors, in C
    /// order.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![1.0, 2.0]);
    /// assert_eq!(a.outer(array![3.0, 4.0, 5.0]).value()?, array![[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn outer(self, other: impl IntoVar<'g, T>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside()).erase();
        let body = || {
            same_graph("outer", self.erase(), other)?;
            Ok(self.erase().ravel().expand_dims(1) * other.ravel().expand_dims(0))
        };
        self.graph().compose(body).retype()
    }

    /// The Kronecker product: the array with every element replaced by its product with `other`. Where the ranks differ, the
    /// smaller one gets axes of size 1 in front.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[1.0, 2.0]]);
    /// let b = array![[1.0, 0.0], [0.0, 1.0]];
    /// assert_eq!(a.kron(b).value()?, array![[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 2.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn kron(self, other: impl IntoVar<'g, T>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside()).erase();
        let body = || {
            same_graph("kron", self.erase(), other)?;
            Ok(kron(self.erase(), other))
        };
        self.graph().compose(body).retype()
    }
}
