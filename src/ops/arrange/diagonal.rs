//! Diagonals and triangles of matrices.

use super::axes::raveled;
use super::repeat::filled;
use super::{axes_of, cannot, composed, rank_of};
use crate::element::{Dtype, Literal, Number};
use crate::error::Result;
use crate::graph::{Expr, Var};
use crate::ops::concat;
use crate::shape::Axes;

/// Matrices whose diagonals are the last axis, with zeros elsewhere.
fn embedded(x: Expr<'_>, offset: isize) -> Expr<'_> {
    // Sizes of the matrices: those of the diagonals, and as many more as the offset says. Nobody reads more of them.
    let (mut line, axis) = (x.index_along(-1), x.ndim() - 1);
    if offset != 0 {
        let zero = x.graph().literal(Literal::I64(0));
        line = concat(&[line, filled(x, zero, axis, offset.unsigned_abs())], axis);
    }
    x.undiagonal(offset, [-2, -1], line.expand_dims(-1) + line.expand_dims(-2))
}

/// How far to the right of the diagonal an element of the last two axes stands is not more than `k`.
fn below<'g>(op: &'static str, x: Expr<'g>, k: isize) -> Result<Expr<'g>> {
    let (row, column) = places(op, x, k)?;
    Ok(column.le(row))
}

/// For each element of the last two axes: the column in which diagonal number `k` meets its row, and its own.
fn places<'g>(op: &'static str, x: Expr<'g>, k: isize) -> Result<(Expr<'g>, Expr<'g>)> {
    if rank_of(op, x)? < 2 {
        return cannot(op, format!("find a matrix in the last two axes of {}", x.shape()), &[x]);
    }
    let row = x.index_along(-2);
    let k = x.graph().literal(Literal::I64(k as i64));
    Ok((row + k, x.index_along(-1)))
}

impl<'g, T: Dtype> Var<'g, T> {
    /// The diagonal of a matrix, or the matrix with a vector on its diagonal: NumPy's `diag`. See [`diagonal`](Self::diagonal)
    /// for the offset, and for more axes; [`diag_embed`](Self::diag_embed) is for more vectors.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.diag(-1).value()?, array![3.0].into_dyn());
    /// assert_eq!(x.diag(0).diag(0).value()?, array![[1.0, 0.0], [0.0, 4.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If it is neither: "`diag` cannot tell the diagonal of (2, 3, 4): `diagonal` and `diag_embed` take more axes".
    #[track_caller]
    #[must_use]
    pub fn diag(self, offset: isize) -> Self {
        composed(self, |x| match rank_of("diag", x)? {
            1 => Ok(embedded(x, offset)),
            2 => Ok(x.diagonal(offset, [0, 1])),
            _ => {
                let why = "`diagonal` and `diag_embed` take more axes";
                cannot("diag", format!("tell the diagonal of {}: {why}", x.shape()), &[x])
            }
        })
    }

    /// Matrices in the last two axes, with this array's last axis on their diagonal and zeros elsewhere: PyTorch's `diag_embed`.
    /// They have as many rows and columns as it takes.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.diag_embed(0).value()?, array![[[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 4.0]]].into_dyn());
    /// assert_eq!(x.diag_embed(1).shape(), [2, 3, 3]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If it is a scalar.
    #[track_caller]
    #[must_use]
    pub fn diag_embed(self, offset: isize) -> Self {
        composed(self, |x| match rank_of("diag_embed", x)? {
            0 => cannot("diag_embed", "make a diagonal of a scalar".to_owned(), &[x]),
            _ => Ok(embedded(x, offset)),
        })
    }

    /// The matrix with all elements on its diagonal, in C order: NumPy's `diagflat`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", 3.0).diagflat(1).value()?, array![[0.0, 3.0], [0.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn diagflat(self, offset: isize) -> Self {
        composed(self, |x| rank_of("diagflat", x).map(|_| embedded(raveled(x), offset)))
    }

    /// The elements on diagonal `k` of the matrices in the last two axes and below it, zeros above. What is above may be infinite
    /// or NaN.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.tril(0).value()?, array![[1.0, 0.0, 0.0], [4.0, 5.0, 0.0]].into_dyn());
    /// assert_eq!(x.tril(-1).sum().item()?, 4.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes: "`tril` cannot find a matrix in the last two axes of (3,)".
    #[track_caller]
    #[must_use]
    pub fn tril(self, k: isize) -> Self {
        composed(self, |x| Ok(below("tril", x, k)?.select(x, zero(x))))
    }

    /// The elements on diagonal `k` of the matrices in the last two axes and above it, zeros below. What is below may be infinite
    /// or NaN.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.triu(1).value()?, array![[0.0, 2.0, 3.0], [0.0, 0.0, 6.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    #[must_use]
    pub fn triu(self, k: isize) -> Self {
        composed(self, |x| Ok(below("triu", x, k.saturating_sub(1))?.select(zero(x), x)))
    }
}

fn zero(x: Expr<'_>) -> Expr<'_> {
    x.graph().literal(Literal::rounded(0.0, x.dtype()))
}

impl<'g, T: Number> Var<'g, T> {
    /// The sum of a diagonal of the matrices in two axes, which the result does not have: NumPy's `trace`. The matrices need not
    /// be square. See [`diagonal`](Self::diagonal) for the offset and the axes.
    ///
    /// Derivative: the cotangent on the diagonal, 0 elsewhere.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.trace(0, [0, 1]).item()?, 6.0);
    /// assert_eq!(x.trace(1, [0, 1]).grad(x).value()?, array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If they are not two axes of the array: "`trace` cannot take axes \[0\]: it requires two, of rows and of columns".
    #[track_caller]
    #[must_use]
    pub fn trace(self, offset: isize, axes: impl Into<Axes>) -> Self {
        let axes = axes.into();
        composed(self, |x| match axes_of("trace", x, &axes)?[..] {
            [i, j] => Ok(x.diagonal(offset, [i, j]).sum_axis(-1)),
            _ => {
                let why = "it requires two, of rows and of columns";
                cannot("trace", format!("take axes {}: {why}", axes.list()), &[x])
            }
        })
    }

    /// Ones on diagonal `k` of the matrices in the last two axes, zeros elsewhere, in the shape of this array: of it the shape alone
    /// is read. An identity matrix that follows whatever is fed.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[7.0, 8.0, 9.0], [7.0, 8.0, 9.0]]);
    /// assert_eq!(x.eye_like(0).value()?, array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    #[must_use]
    pub fn eye_like(self, k: isize) -> Self {
        composed(self, |x| {
            let (diagonal, column) = places("eye_like", x, k)?;
            Ok(diagonal.eq(column).cast_to(x.dtype()))
        })
    }
}
