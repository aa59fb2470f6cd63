//! Trigonometric functions and their inverses.

records! { $ angles
    /// Sine of an angle in radians. Derivative: `cos x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.sin().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn sin => Sin for Real {
        notation: Notation::Method,
        latex: r"\sin\left(#1\right)",
        derivative: "cos x",
        kernel: |x| x.sin(),
        lone: |x| x.lone_sin(),
        vjp: |x, y, g| g * x.cos(),
        domain: Domain::within(-2.0, 2.0),
    }

    /// Cosine of an angle in radians. Derivative: `-sin x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", 0.0).cos().item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn cos => Cos for Real {
        notation: Notation::Method,
        latex: r"\cos\left(#1\right)",
        derivative: "-sin x",
        kernel: |x| x.cos(),
        lone: |x| x.lone_cos(),
        vjp: |x, y, g| -(g * x.sin()),
        domain: Domain::within(-2.0, 2.0),
    }

    /// Tangent of an angle in radians. Derivative: `1 + tan² x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.tan().item()?, 0.0);
    /// assert_eq!(x.tan().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn tan => Tan for Real {
        notation: Notation::Method,
        latex: r"\tan\left(#1\right)",
        derivative: "1 + tan² x",
        kernel: |x| x.tan(),
        lone: |x| x.lone_tan(),
        vjp: |x, y, g| g * (1.0 + y.square()),
        domain: Domain::within(-1.1, 1.1),
    }

    /// The inverse sine, in radians: NaN for `|x| > 1`. Derivative: `1/√(1 - x²)`, so infinite at ±1.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert_eq!(x.asin().item()?, std::f64::consts::FRAC_PI_2);
    /// assert_eq!(x.asin().grad(x).item()?, f64::INFINITY);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn asin => Asin for Real {
        notation: Notation::Method,
        latex: r"\arcsin\left(#1\right)",
        derivative: "1/√(1 - x²), ∞ at ±1",
        kernel: |x| x.asin(),
        vjp: |x, y, g| g * (1.0 - x.square()).rsqrt(),
        domain: Domain::within(-0.85, 0.85),
    }

    /// The inverse cosine, in radians: NaN for `|x| > 1`. Derivative: `-1/√(1 - x²)`, so infinite at ±1.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.acos().item()?, std::f64::consts::FRAC_PI_2);
    /// assert_eq!(x.acos().grad(x).item()?, -1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn acos => Acos for Real {
        notation: Notation::Method,
        latex: r"\arccos\left(#1\right)",
        derivative: "-1/√(1 - x²), -∞ at ±1",
        kernel: |x| x.acos(),
        vjp: |x, y, g| -(g * (1.0 - x.square()).rsqrt()),
        domain: Domain::within(-0.85, 0.85),
    }

    /// The inverse tangent, in radians. Derivative: `1/(1 + x²)`, as the square of `1/√(1 + x²)`, so that the square of a large
    /// `x` does not overflow.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert_eq!(x.atan().item()?, std::f64::consts::FRAC_PI_4);
    /// assert!((x.atan().grad(x).item()? - 0.5).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn atan => Atan for Real {
        notation: Notation::Method,
        latex: r"\arctan\left(#1\right)",
        derivative: "1/(1 + x²)",
        kernel: |x| x.atan(),
        vjp: |x, y, g| g * x.hypot(1.0).recip().square(),
        domain: Domain::within(-2.0, 2.0),
    }
}
