//! The layer that everything else is made of.

use crate::element::Real;
use crate::graph::Var;

/// `x · w + b`, with the features along the last axis of `x` and any axes before it: `(.., n)`, `(n, k)` and `(k,)` give
/// `(.., k)`. The bias may have any shape that broadcasts.
///
/// Derivatives: `g · wᵀ`, `xᵀ · g`, and `g` summed over what the bias was stretched to.
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let (x, w) = (g.input("x", array![[1.0, 2.0]]), g.param("w", array![[1.0], [10.0]]));
/// assert_eq!(gradus::nn::linear(x, w, g.param("b", array![0.5])).value()?, array![[21.5]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the inner sizes differ: "`dot` requires (.., k) · (k, ..), got (1, 2) and (3, 1): 2 (axis 1) != 3 (axis 0)"; if the
/// bias does not broadcast.
#[track_caller]
#[must_use]
pub fn linear<'g, T: Real>(x: Var<'g, T>, w: Var<'g, T>, b: Var<'g, T>) -> Var<'g, T> {
    x.matmul(w) + b
}

/// The weights of a [`linear`] layer, with or without a bias.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'g, T: Real = f64> {
    /// `(n, k)`.
    pub weight: Var<'g, T>,
    /// `(k,)`.
    pub bias: Option<Var<'g, T>>,
}

impl<'g, T: Real> Linear<'g, T> {
    /// A layer with these weights.
    pub fn new(weight: Var<'g, T>, bias: impl Into<Option<Var<'g, T>>>) -> Self {
        Self { weight, bias: bias.into() }
    }

    /// `x · weight + bias`.
    ///
    /// # Panics
    /// As [`linear`].
    #[track_caller]
    #[must_use]
    pub fn apply(&self, x: Var<'g, T>) -> Var<'g, T> {
        match self.bias {
            Some(bias) => linear(x, self.weight, bias),
            None => x.matmul(self.weight),
        }
    }
}
