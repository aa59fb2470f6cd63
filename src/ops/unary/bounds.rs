//! The bounds of `clip`.

use std::fmt;

use crate::element::Real;
use crate::graph::{Expr, Var};
use crate::kernels::FloatLanes;
use crate::ops::Attribute;

/// A lower bound, an upper one, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    low: Option<Attribute>,
    high: Option<Attribute>,
}

impl Bounds {
    /// From `low` to `high`, both included.
    pub fn new(low: impl Into<Option<f64>>, high: impl Into<Option<f64>>) -> Self {
        Self { low: low.into().map(Attribute::from), high: high.into().map(Attribute::from) }
    }

    /// The lower bound.
    pub fn low(self) -> Option<f64> {
        self.low.map(Attribute::get)
    }

    /// The upper bound.
    pub fn high(self) -> Option<f64> {
        self.high.map(Attribute::get)
    }

    /// Bounds of every kind, from the numbers that tests take for attributes.
    pub(super) fn sample(integer: i32, float: f64) -> Self {
        let size = if float == 0.0 { 1.5 } else { float.abs() };
        match integer.rem_euclid(3) {
            0 => Self::new(-size, size),
            1 => Self::new(None, size),
            _ => Self::new(-size, None),
        }
    }

    #[inline(always)]
    pub(super) fn apply<L: FloatLanes>(self, x: L) -> L {
        let x = match self.low {
            Some(low) => x.maximum(L::splat(low.get())),
            None => x,
        };
        match self.high {
            Some(high) => x.minimum(L::splat(high.get())),
            None => x,
        }
    }

    /// Where `x` is within them.
    pub(super) fn hold(self, x: Expr<'_>) -> Expr<'_> {
        let above = self.low.map(|low| x.ge(low.get()));
        let below = self.high.map(|high| x.le(high.get()));
        match (above, below) {
            (Some(above), Some(below)) => above & below,
            (Some(one), None) | (None, Some(one)) => one,
            // Only NaN is not.
            (None, None) => x.eq(x),
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write = |bound: Option<Attribute>| bound.map_or("None".to_owned(), |bound| bound.to_string());
        write!(f, "{}, {}", write(self.low), write(self.high))
    }
}

impl<T: Real> Var<'_, T> {
    /// `x` between bounds, of which one may be `None`: `min(max(x, low), high)`, so `high` where `low > high`; NaN for NaN.
    /// Derivative: 1 within the bounds and at them, else 0, as PyTorch's.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![-2.0, -0.5, 0.25, 3.0]);
    /// assert_eq!(x.clip(-0.5, 1.0).value()?, array![-0.5, -0.5, 0.25, 1.0].into_dyn());
    /// assert_eq!(x.clip(-0.5, None).sum().grad(x).value()?, array![0.0, 1.0, 1.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn clip(self, low: impl Into<Option<f64>>, high: impl Into<Option<f64>>) -> Self {
        self.bounded(Bounds::new(low, high))
    }
}
