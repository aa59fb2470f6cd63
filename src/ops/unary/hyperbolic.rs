//! Hyperbolic functions and their inverses.

records! { $ hyperbolic
    /// The hyperbolic sine, accurate near 0. Derivative: `cosh x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1e-20);
    /// assert_eq!(x.sinh().item()?, 1e-20);
    /// assert_eq!(x.sinh().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn sinh => Sinh for Real {
        notation: Notation::Method,
        latex: r"\sinh\left(#1\right)",
        derivative: "cosh x",
        kernel: |x| x.sinh(),
        vjp: |x, y, g| g * x.cosh(),
        domain: Domain::within(-2.0, 2.0),
    }

    /// The hyperbolic cosine. Derivative: `sinh x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.cosh().item()?, 1.0);
    /// assert_eq!(x.cosh().grad(x).item()?, 0.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn cosh => Cosh for Real {
        notation: Notation::Method,
        latex: r"\cosh\left(#1\right)",
        derivative: "sinh x",
        kernel: |x| x.cosh(),
        vjp: |x, y, g| g * x.sinh(),
        domain: Domain::within(-2.0, 2.0),
    }

    /// The hyperbolic tangent. Derivative: `1 - tanh² x`, from the stored result.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.tanh().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn tanh => Tanh for Real {
        notation: Notation::Method,
        latex: r"\tanh\left(#1\right)",
        derivative: "1 - tanh² x",
        kernel: |x| x.tanh(),
        vjp: |x, y, g| g * (1.0 - y.square()),
        domain: Domain::within(-2.0, 2.0),
    }

    /// The inverse hyperbolic sine, accurate near 0 and for large numbers. Derivative: `1/√(1 + x²)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1e-20);
    /// assert_eq!(x.asinh().item()?, 1e-20);
    /// assert_eq!(x.asinh().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn asinh => Asinh for Real {
        notation: Notation::Method,
        latex: r"\operatorname{arsinh}\left(#1\right)",
        derivative: "1/√(1 + x²)",
        kernel: |x| x.asinh(),
        vjp: |x, y, g| g / x.hypot(1.0),
        domain: Domain::within(-2.0, 2.0),
    }

    /// The inverse hyperbolic cosine, accurate near 1: NaN below. Derivative: `1/√(x² - 1)`, so infinite at 1; as a product of two
    /// roots, so that nothing overflows and nothing cancels.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert_eq!(x.acosh().item()?, 0.0);
    /// assert_eq!(x.acosh().grad(x).item()?, f64::INFINITY);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn acosh => Acosh for Real {
        notation: Notation::Method,
        latex: r"\operatorname{arcosh}\left(#1\right)",
        derivative: "1/√(x² - 1), ∞ at 1",
        kernel: |x| x.acosh(),
        vjp: |x, y, g| g * ((x - 1.0).rsqrt() * (x + 1.0).rsqrt()),
        domain: Domain::within(1.3, 3.0),
    }

    /// The inverse hyperbolic tangent, accurate near 0: ±∞ at ±1, NaN beyond. Derivative: `1/(1 - x²)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1e-20);
    /// assert_eq!(x.atanh().item()?, 1e-20);
    /// assert_eq!(x.atanh().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn atanh => Atanh for Real {
        notation: Notation::Method,
        latex: r"\operatorname{artanh}\left(#1\right)",
        derivative: "1/(1 - x²), ∞ at ±1",
        kernel: |x| x.atanh(),
        vjp: |x, y, g| g / (1.0 - x.square()),
        domain: Domain::within(-0.8, 0.8),
    }
}
