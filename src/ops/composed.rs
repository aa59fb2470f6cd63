//! Formulas that have names: compositions whose derivative, as the chain rule gives it, is as short as one by hand.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::constant::IntoVar;
use crate::element::Real;
use crate::error::{Error, fail};
use crate::graph::Var;

/// The coefficient of `x³` in the approximation of gelu (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).
const CUBE: f64 = 0.044715;

/// The constants of selu, to 17 digits of the solution of its fixed-point equations.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

impl<'g, T: Real> Var<'g, T> {
    /// `ln σ(x) = -softplus(-x)`, accurate in both tails. Derivative: `σ(-x)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", -1000.0);
    /// assert_eq!(x.log_sigmoid().item()?, -1000.0);
    /// assert_eq!(x.log_sigmoid().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn log_sigmoid(self) -> Self {
        -(-self).softplus()
    }

    /// `x σ(x)`: the sigmoid linear unit, also called swish. Derivative: `σ(x) + x σ(x)(1 - σ(x))`. At -∞ it is NaN, as PyTorch's.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.silu().item()?, 0.0);
    /// assert_eq!(x.silu().grad(x).item()?, 0.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn silu(self) -> Self {
        self * self.sigmoid()
    }

    /// `x tanh(softplus(x))`. At -∞ it is NaN, as PyTorch's.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.mish().item()?, 0.0);
    /// assert!((x.mish().grad(x).item()? - 0.6).abs() < 1e-15); // tanh(ln 2)
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn mish(self) -> Self {
        self * self.softplus().tanh()
    }

    /// `λ elu(x, α)` with the two constants for which layer after layer keeps mean 0 and variance 1 (Klambauer et al.,
    /// "Self-Normalizing Neural Networks", 2017). Derivative: `λ` for `x > 0`, else `λ α eˣ`, also at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert_eq!(x.selu().item()?, 1.0507009873554805);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn selu(self) -> Self {
        self.elu(SELU_ALPHA) * SELU_SCALE
    }

    /// `x Φ(x)`, where [`Φ`](Self::ndtr) is the normal distribution function: the Gaussian error linear unit. Derivative:
    /// `Φ(x) + x φ(x)`, with the normal density `φ`. At -∞ it is NaN, as PyTorch's.
    ///
    /// It is a composition, so that the value and the derivative share `Φ`, which is accurate in its tail.
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
        self * self.ndtr()
    }

    /// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`: the approximation of [`gelu`](Self::gelu) that GPT-2 uses, PyTorch's
    /// `gelu(approximate='tanh')`. It differs from `gelu` by less than 5e-4.
    ///
    /// It is computed as `x σ(2 √(2/π) (x + 0.044715 x³))`, which is the same and loses nothing in the left tail.
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
        // 2 √(2/π) x + 2 √(2/π) 0.044715 x³, with two products less.
        let scale = 2.0 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI;
        self * (self * (scale + self.square() * (scale * CUBE))).sigmoid()
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
