//! Norms of any order, and what is divided by them. The Euclidean norm is a [reduction](super::Fold::Norm).

use super::IntoVar;
use super::reduce::{Fold, reduce};
use crate::element::Real;
use crate::error::{Error, fail};
use crate::graph::Var;
use crate::shape::Axes;

#[track_caller]
fn vector_norm<'g, T: Real>(x: Var<'g, T>, ord: f64, axes: Axes, keepdims: bool) -> Var<'g, T> {
    match ord {
        2.0 => reduce(x, Fold::Norm, axes, keepdims),
        1.0 => reduce(x.abs(), Fold::Sum, axes, keepdims),
        0.0 => reduce(x.sign().square(), Fold::Sum, axes, keepdims),
        f64::INFINITY => reduce(x.abs(), Fold::Max, axes, keepdims),
        f64::NEG_INFINITY => reduce(x.abs(), Fold::Min, axes, keepdims),
        _ => {
            let powers: Var<'g, T> = reduce(x.abs().powf(ord), Fold::Sum, axes, keepdims);
            let root = powers.powf(ord.recip());
            // The slope of the root is infinite at 0, where that of a norm is taken to be 0.
            if ord > 0.0 { powers.eq(0.0).select(0.0, root) } else { root }
        }
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// The norm of order `ord` of all elements, `(Σ |x|^p)^(1/p)`: NumPy's `linalg.vector_norm`. Of order 2 it is
    /// [`norm`](Self::norm), of order 1 the sum of absolute values, of order ∞ and -∞ the largest and the smallest of them, of
    /// order 0 how many elements are not 0.
    ///
    /// Derivative: 0 where the norm is 0. Of order 1 that of [`abs`](Self::abs), so 0 at 0; of order ±∞ shared evenly by ties;
    /// of order 0 zero. Of an order below 1 it is infinite where an element is 0, and the second one of an order between 1 and
    /// 2 is not defined there.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![3.0, -4.0, 0.0]);
    /// assert_eq!(x.vector_norm(1.0).item()?, 7.0);
    /// assert_eq!(x.vector_norm(f64::INFINITY).item()?, 4.0);
    /// assert_eq!(x.vector_norm(0.0).item()?, 2.0);
    /// assert!((x.vector_norm(3.0).item()? - 91_f64.cbrt()).abs() < 1e-14);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// Of order ±∞ if there are no elements: "`max` of no elements is not defined, got (0,)".
    #[track_caller]
    #[must_use]
    pub fn vector_norm(self, ord: f64) -> Self {
        vector_norm(self, ord, Axes::ALL, false)
    }

    /// [`vector_norm`](Self::vector_norm) over one or several axes, which the result does not have.
    ///
    /// # Panics
    /// As [`vector_norm`](Self::vector_norm), and if an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn vector_norm_axis(self, axes: impl Into<Axes>, ord: f64) -> Self {
        vector_norm(self, ord, axes.into(), false)
    }

    /// [`vector_norm`](Self::vector_norm) over one or several axes, which stay with size 1.
    ///
    /// # Panics
    /// As [`vector_norm`](Self::vector_norm), and if an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn vector_norm_keepdims(self, axes: impl Into<Axes>, ord: f64) -> Self {
        vector_norm(self, ord, axes.into(), true)
    }

    /// The norm of the matrices in the last two axes that the vector norms of order 1 or ∞ induce: of order 1 the largest sum of
    /// absolute values of a column, of order ∞ that of a row, of order -1 and -∞ the smallest. The Frobenius norm is
    /// [`norm_axis([-2, -1])`](Self::norm_axis).
    ///
    /// `(.., m, n) → (..)`. Derivative: the sign of the elements of that column or row, shared evenly by ties.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, -5.0], [2.0, 3.0]]);
    /// assert_eq!(x.matrix_norm(1.0).item()?, 8.0);
    /// assert_eq!(x.matrix_norm(f64::INFINITY).item()?, 6.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// - If there are fewer than two axes: "`matrix_norm` requires (.., m, n), got (3,)",
    /// - for another order: "`matrix_norm` requires an order of 1, -1, inf or -inf, got 3",
    /// - if there are no elements.
    #[track_caller]
    #[must_use]
    pub fn matrix_norm(self, ord: f64) -> Self {
        if self.ndim() < 2 {
            let operand = Box::new(self.graph().arena().describe(self.id()));
            fail(&Error::Rank { op: "matrix_norm", expected: "(.., m, n)", operand });
        }
        let rows = || self.abs().sum_axis(-1);
        let columns = || self.abs().sum_axis(-2);
        match ord {
            1.0 => columns().max_axis(-1),
            -1.0 => columns().min_axis(-1),
            f64::INFINITY => rows().max_axis(-1),
            f64::NEG_INFINITY => rows().min_axis(-1),
            _ => {
                let requires = format!("an order of 1, -1, inf or -inf, got {ord}");
                let operand = Box::new(self.graph().arena().describe(self.id()));
                fail(&Error::Attribute { op: "matrix_norm", requires, operand })
            }
        }
    }

    /// `x / max(‖x‖, eps)` with the Euclidean norm over one or several axes: of length 1 along them. PyTorch's `normalize`.
    ///
    /// With `eps` 0 it is `x / ‖x‖`, which is NaN where all are 0; with a positive one it is 0 there, with derivative `1/eps`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[3.0, 4.0], [0.0, 0.0]]);
    /// assert_eq!(x.normalize(-1, 1e-12).value()?, array![[0.6, 0.8], [0.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn normalize(self, axes: impl Into<Axes>, eps: f64) -> Self {
        self / at_least(self.norm_keepdims(axes), eps)
    }

    /// The cosine of the angle between this and `other`, `Σ x y / max(‖x‖ ‖y‖, eps)` over one or several axes, which the result
    /// does not have: PyTorch's `cosine_similarity`. The operands broadcast.
    ///
    /// With `eps` 0 it is NaN where one of the two is 0; with a positive one it is 0 there.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![3.0, 4.0]);
    /// assert_eq!(x.cosine_similarity(array![0.0, 2.0], -1, 1e-8).item()?, 0.8);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast, or an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn cosine_similarity(self, other: impl IntoVar<'g, T>, axes: impl Into<Axes>, eps: f64) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside());
        let product = self * other;
        // Both norms over the axes of the product, of which an operand may have fewer.
        let (x, y) = (self.broadcast_like(product), other.broadcast_like(product));
        let axes = axes.into();
        let lengths = x.norm_axis(axes.clone()) * y.norm_axis(axes.clone());
        product.sum_axis(axes) / at_least(lengths, eps)
    }
}

#[track_caller]
fn at_least<'g, T: Real>(length: Var<'g, T>, eps: f64) -> Var<'g, T> {
    if eps == 0.0 { length } else { length.maximum(eps) }
}
