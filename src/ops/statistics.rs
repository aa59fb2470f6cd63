//! Variance and standard deviation, composed of means, sums and norms of the differences from the mean.

use super::reduce::{Fold, reduce};
use crate::element::Real;
use crate::graph::Var;
use crate::shape::Axes;

/// `n - ddof`, not below 0, as NumPy has it.
#[track_caller]
fn degrees<'g, T: Real>(x: Var<'g, T>, axes: &Axes, ddof: f64) -> Var<'g, T> {
    let n = x.size_of(axes.clone());
    if ddof == 0.0 { n } else { (n - ddof).maximum(0.0) }
}

/// `x - mean x`.
#[track_caller]
fn centred<'g, T: Real>(x: Var<'g, T>, axes: &Axes) -> Var<'g, T> {
    x - x.mean_keepdims(axes.clone())
}

#[track_caller]
fn variance<'g, T: Real>(x: Var<'g, T>, axes: Axes, ddof: f64, keepdims: bool) -> Var<'g, T> {
    let squares = centred(x, &axes).square();
    if ddof == 0.0 {
        return reduce(squares, Fold::Mean, axes, keepdims);
    }
    let n = degrees(x, &axes, ddof);
    reduce::<T, T>(squares, Fold::Sum, axes, keepdims) / n
}

#[track_caller]
fn deviation<'g, T: Real>(x: Var<'g, T>, axes: Axes, ddof: f64, keepdims: bool) -> Var<'g, T> {
    let n = degrees(x, &axes, ddof);
    reduce::<T, T>(centred(x, &axes), Fold::Norm, axes, keepdims) / n.sqrt()
}

impl<'g, T: Real> Var<'g, T> {
    /// The variance `Σ (x - mean x)² / (n - ddof)` over all elements: of a population with `ddof` 0 (NumPy's default), estimated
    /// from a sample with 1 (PyTorch's). Of the differences from the mean, so a large mean costs no accuracy. NaN of no
    /// elements, and of `ddof` elements that are equal; with fewer elements than `ddof` the divisor is 0, as in NumPy.
    ///
    /// Derivative: `2 (x - mean x) / (n - ddof)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 3.0, 5.0]);
    /// assert_eq!(x.var(1.0).item()?, 4.0);
    /// assert_eq!(x.var(1.0).grad(x).value()?, array![-2.0, 0.0, 2.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn var(self, ddof: f64) -> Self {
        variance(self, Axes::ALL, ddof, false)
    }

    /// [`var`](Self::var) over one or several axes, which the result does not have. Negative axes count from the end.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn var_axis(self, axes: impl Into<Axes>, ddof: f64) -> Self {
        variance(self, axes.into(), ddof, false)
    }

    /// [`var`](Self::var) over one or several axes, which stay with size 1 (NumPy's `keepdims=True`).
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn var_keepdims(self, axes: impl Into<Axes>, ddof: f64) -> Self {
        variance(self, axes.into(), ddof, true)
    }

    /// The standard deviation `√(Σ (x - mean x)² / (n - ddof))` over all elements: the root of [`var`](Self::var).
    ///
    /// Derivative: `(x - mean x) / ((n - ddof) std x)`, and 0 where all elements are equal, at every order: it is a
    /// [`norm`](Self::norm) of the differences from the mean.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 3.0, 5.0]);
    /// assert_eq!(x.std(1.0).item()?, 2.0);
    /// x.set_value(array![7.0, 7.0, 7.0])?;
    /// assert_eq!(x.std(1.0).grad(x).value()?, array![0.0, 0.0, 0.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn std(self, ddof: f64) -> Self {
        deviation(self, Axes::ALL, ddof, false)
    }

    /// [`std`](Self::std) over one or several axes, which the result does not have. Negative axes count from the end.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn std_axis(self, axes: impl Into<Axes>, ddof: f64) -> Self {
        deviation(self, axes.into(), ddof, false)
    }

    /// [`std`](Self::std) over one or several axes, which stay with size 1 (NumPy's `keepdims=True`).
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn std_keepdims(self, axes: impl Into<Axes>, ddof: f64) -> Self {
        deviation(self, axes.into(), ddof, true)
    }
}
