//! Formulas that have names: compositions whose derivative, as the chain rule gives it, is as short as one by hand.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::constant::IntoVar;
use crate::element::Real;
use crate::error::{Error, fail};
use crate::graph::Var;

/// The coefficient of `x³` in the approximation of gelu (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).
const CUBE: f64 = 0.044715;

impl<'g, T: Real> Var<'g, T> {
    /// `x Φ(x) = x/2 (1 + erf(x/√2))`, where `Φ` is the normal distribution function: the Gaussian error linear unit.
    /// Derivative: `Φ(x) + x φ(x)`, with the normal density `φ`.
    ///
    /// It is a composition, so that the value and the derivative share `Φ`. At -∞ it is NaN, as PyTorch's.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert!((x.gelu().item()? - 0.841_344_746_068_542_9).abs() < 1e-15);
    /// assert_eq!(g.input("y", 0.0).gelu().grad(g.find("y").unwrap().typed::<f64>()?).item()?, 0.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn gelu(self) -> Self {
        self * 0.5 * (1.0 + (self * FRAC_1_SQRT_2).erf())
    }

    /// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`: the approximation of [`gelu`](Self::gelu) that GPT-2 uses, PyTorch's
    /// `gelu(approximate='tanh')`. It differs from `gelu` by less than 5e-4.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert!((x.gelu_tanh().item()? - 0.841_191_990_608_276_4).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn gelu_tanh(self) -> Self {
        // √(2/π) x + √(2/π) 0.044715 x³, with two products less.
        let scale = FRAC_1_SQRT_2 * FRAC_2_SQRT_PI;
        let inner = self * (scale + self.square() * (scale * CUBE));
        self * 0.5 * (1.0 + inner.tanh())
    }

    /// The mean squared error `mean (x - target)²` over all elements. Derivative: `2/n (x - target)`.
    ///
    /// Both have the same shape: a target `(n,)` beside an `x` of shape `(n, 1)` would broadcast to all pairs, which
    /// nobody means.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 5.0]);
    /// assert_eq!(x.mse(array![1.0, 2.0]).item()?, 4.5);
    /// assert_eq!(x.mse(array![1.0, 2.0]).grad(x).value()?, array![0.0, 3.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes differ: "`mse` requires a target of shape (3, 1), got (3,)".
    #[track_caller]
    #[must_use]
    pub fn mse(self, target: impl IntoVar<'g, T>) -> Self {
        (self - target_like("mse", self, target)).square().mean()
    }
}

/// The target as a node, if it has the shape of `x`.
#[track_caller]
pub(crate) fn target_like<'g, T: Real>(
    op: &'static str,
    x: Var<'g, T>,
    target: impl IntoVar<'g, T>,
) -> Var<'g, T> {
    let target = target.into_var(x.graph(), x.dtype_beside());
    let (shape, other) = (x.shape(), target.shape());
    if shape != other {
        let arena = x.graph().arena();
        let operands = [arena.describe(x.id()), arena.describe(target.id())];
        drop(arena);
        let expected = format!("a target of shape {shape}");
        fail(&Error::Mismatch { op, expected, operands: Box::new(operands) });
    }
    target
}
