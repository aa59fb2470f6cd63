//! The methods of functions of two numbers, which broadcast as NumPy does.

use super::Binary;
use crate::element::Real;
use crate::graph::Var;
use crate::ops::constant::IntoVar;

impl<'g, T: Real> Var<'g, T> {
    /// `aᵇ` with a variable exponent, as IEEE `pow`: NaN for a negative `a` unless `b` is whole, and `a⁰ = 1`. For a fixed
    /// exponent see [`powi`](Self::powi) and [`powf`](Self::powf).
    ///
    /// Derivative: `b aᵇ⁻¹`, zero for `b = 0`, also at `a = 0`; and `aᵇ ln a`, zero for `a = 0` and `b ≥ 0`. With respect to `b` it is
    /// NaN for a negative `a`, where there is a power for whole `b` only.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (a, b) = (g.input("a", 2.0), g.input("b", 3.0));
    /// assert_eq!(a.pow(b).item()?, 8.0);
    /// let [da, db] = a.pow(b).grad([a, b]);
    /// assert_eq!((da.item()?, db.item()?), (12.0, 8.0 * 2_f64.ln()));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast: "`pow` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)".
    #[track_caller]
    #[must_use]
    pub fn pow(self, exponent: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Pow, exponent)
    }

    /// The angle of the point `(x, self)` in radians, from -π to π: so `y.atan2(x)`, as in NumPy. Derivative: `x/(x² + y²)` and
    /// `-y/(x² + y²)`, without overflow; NaN at the origin, where there is none, not even from one side.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (y, x) = (g.input("y", 0.0), g.input("x", -2.0));
    /// assert_eq!(y.atan2(x).item()?, std::f64::consts::PI);
    /// assert_eq!(y.atan2(x).grad(y).item()?, -0.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn atan2(self, x: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Atan2, x)
    }

    /// `√(a² + b²)`, without overflow; infinite where either is. Derivative: `a/y` and `b/y`, both 0 at the origin.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (a, b) = (g.input("a", 3.0), g.input("b", 4.0));
    /// assert_eq!(a.hypot(b).item()?, 5.0);
    /// assert_eq!(a.hypot(b).grad(a).item()?, 0.6);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn hypot(self, other: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Hypot, other)
    }

    /// `a/√(a² + b²)`, 0 at the origin: the first coordinate of the unit vector along `(a, b)`, which is the derivative of
    /// [`hypot`](Self::hypot). Derivative: `b²/(a² + b²)^(3/2)` and `-ab/(a² + b²)^(3/2)`, both 0 at the origin; in which nothing
    /// cancels, as it would in the derivative of the quotient.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (a, b) = (g.input("a", 3.0), g.input("b", 4.0));
    /// assert_eq!(a.direction(b).item()?, 0.6);
    /// assert!((a.direction(b).grad(a).item()? - 0.128).abs() < 1e-16);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn direction(self, other: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Direction, other)
    }

    /// `a ln b`, where `0 ln b = 0` for every `b` but NaN: what an entropy is made of. Derivative: `ln b`, so -∞ at `b = 0`; and
    /// `a/b`, 0 at `a = b = 0`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (a, b) = (g.input("a", 0.0), g.input("b", 0.0));
    /// assert_eq!(a.xlogy(b).item()?, 0.0);
    /// assert_eq!(a.xlogy(b).grad(b).item()?, 0.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn xlogy(self, other: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Xlogy, other)
    }

    /// `a - b ⌊a/b⌋`, computed exactly: what is left of a division that is rounded down, with the sign of `b`. It is NumPy's
    /// `remainder`; Rust's `%` has the sign of `a`. Derivative: 1 and `-⌊a/b⌋`, also at the jumps.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (a, b) = (g.input("a", -1.0), g.input("b", 3.0));
    /// assert_eq!(a.remainder(b).item()?, 2.0);
    /// assert_eq!(a.remainder(b).grad(b).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn remainder(self, divisor: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Remainder, divisor)
    }

    /// `|a|` with the sign of `b`, also of -0. Derivative: 1 or -1 with respect to `a`, 0 at `a = 0`; zero with respect to `b`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", 3.0);
    /// assert_eq!(a.copysign(-0.0).item()?, -3.0);
    /// assert_eq!(a.copysign(-0.0).grad(a).item()?, -1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn copysign(self, sign: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Copysign, sign)
    }
}
