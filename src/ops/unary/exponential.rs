//! Exponentials and logarithms.

records! { $ exponential
    /// `eˣ`. Derivative: itself.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert!((x.exp().item()? - std::f64::consts::E).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn exp => Exp for Real {
        notation: Notation::Method,
        latex: "e^{#1}",
        derivative: "eˣ",
        kernel: |x| x.exp(),
        vjp: |x, y, g| g * y,
        domain: Domain::within(-2.0, 2.0),
    }

    /// `2ˣ`, exact for whole `x`. Derivative: `2ˣ ln 2`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 10.0);
    /// assert_eq!(x.exp2().item()?, 1024.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn exp2 => Exp2 for Real {
        notation: Notation::Method,
        latex: "2^{#1}",
        derivative: "2ˣ ln 2",
        kernel: |x| x.exp2(),
        vjp: |x, y, g| g * (y * std::f64::consts::LN_2),
        domain: Domain::within(-2.0, 2.0),
    }

    /// `eˣ - 1`, accurate near 0. Derivative: `eˣ`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", 1e-20).exp_m1().item()?, 1e-20);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn exp_m1 => ExpM1 for Real {
        notation: Notation::Method,
        latex: r"\operatorname{expm1}\left(#1\right)",
        derivative: "eˣ",
        kernel: |x| x.exp_m1(),
        vjp: |x, y, g| g * x.exp(),
        domain: Domain::within(-2.0, 2.0),
    }

    /// The natural logarithm: -∞ at 0, NaN below. Derivative: `1/x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 4.0);
    /// assert_eq!(x.ln().grad(x).item()?, 0.25);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn ln => Ln for Real {
        notation: Notation::Method,
        latex: r"\ln\left(#1\right)",
        derivative: "1/x",
        kernel: |x| x.ln(),
        vjp: |x, y, g| g / x,
        domain: Domain::within(0.3, 3.0),
    }

    /// The logarithm to base 2, exact for its powers: -∞ at 0, NaN below. Derivative: `1/(x ln 2)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 8.0);
    /// assert_eq!(x.log2().item()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn log2 => Log2 for Real {
        notation: Notation::Method,
        latex: r"\log_{2}\left(#1\right)",
        derivative: "1/(x ln 2)",
        kernel: |x| x.log2(),
        vjp: |x, y, g| (g / x) * std::f64::consts::LOG2_E,
        domain: Domain::within(0.3, 3.0),
    }

    /// The logarithm to base 10, exact for its powers: -∞ at 0, NaN below. Derivative: `1/(x ln 10)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1000.0);
    /// assert_eq!(x.log10().item()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn log10 => Log10 for Real {
        notation: Notation::Method,
        latex: r"\log_{10}\left(#1\right)",
        derivative: "1/(x ln 10)",
        kernel: |x| x.log10(),
        vjp: |x, y, g| (g / x) * std::f64::consts::LOG10_E,
        domain: Domain::within(0.3, 3.0),
    }

    /// `ln(1 + x)`, accurate near 0. Derivative: `1/(1 + x)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", 1e-20).ln_1p().item()?, 1e-20);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn ln_1p => Ln1p for Real {
        notation: Notation::Method,
        latex: r"\ln\left(1 + #1\right)",
        derivative: "1/(1 + x)",
        kernel: |x| x.ln_1p(),
        vjp: |x, y, g| g / (1.0 + x),
        domain: Domain::within(-0.6, 2.0),
    }
}
