//! Functions that are defined by integrals.

records! { $ special
    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`. Derivative: `2/√π e^(-x²)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert!((x.erf().item()? - 0.842_700_792_949_714_9).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn erf => Erf for Real {
        notation: Notation::Method,
        latex: r"\operatorname{erf}\left(#1\right)",
        derivative: "2/√π e^(-x²)",
        kernel: |x| x.erf(),
        vjp: |x, y, g| g * ((-x.square()).exp() * std::f64::consts::FRAC_2_SQRT_PI),
        domain: Domain::within(-2.0, 2.0),
    }

    /// The complementary error function `1 - erf x`, to full relative accuracy in the right tail. Derivative: `-2/√π e^(-x²)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 10.0);
    /// assert!((x.erfc().item()? / 2.088_487_583_762_545e-45 - 1.0).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn erfc => Erfc for Real {
        notation: Notation::Method,
        latex: r"\operatorname{erfc}\left(#1\right)",
        derivative: "-2/√π e^(-x²)",
        kernel: |x| x.erfc(),
        vjp: |x, y, g| g * ((-x.square()).exp() * -std::f64::consts::FRAC_2_SQRT_PI),
        domain: Domain::within(-2.0, 2.0),
    }

    /// The inverse of the error function: ±∞ at ±1, NaN beyond. Derivative: `√π/2 e^(y²)`.
    ///
    /// `√2 · erf_inv(2p - 1)` is the quantile of the standard normal distribution.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.5);
    /// assert!((x.erf_inv().item()? - 0.476_936_276_204_469_9).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn erf_inv => ErfInv for Real {
        notation: Notation::Method,
        latex: r"\operatorname{erf}^{-1}\left(#1\right)",
        derivative: "√π/2 e^(y²)",
        kernel: |x| x.erf_inv(),
        vjp: |x, y, g| g * (y.square().exp() * std::f64::consts::FRAC_2_SQRT_PI.recip()),
        domain: Domain::within(-0.85, 0.85),
    }

    /// The distribution function `Φ(x) = erfc(-x/√2)/2` of the standard normal distribution, to full relative accuracy in the left
    /// tail. Derivative: the density `e^(-x²/2)/√(2π)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.ndtr().item()?, 0.5);
    /// x.set_value(-30.0)?;
    /// assert!((x.ndtr().item()? / 4.906_713_927_148_187e-198 - 1.0).abs() < 1e-13);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn ndtr => Ndtr for Real {
        notation: Notation::Method,
        latex: r"\Phi\left(#1\right)",
        derivative: "e^(-x²/2)/√(2π)",
        kernel: |x| x.ndtr(),
        vjp: |x, y, g| g * ((x.square() * -0.5).exp() * DENSITY),
        domain: Domain::within(-2.0, 2.0),
    }

    /// `ln |Γ(x)|`, of negative numbers too: +∞ at 0, -1, -2, … Derivative: [`digamma`](Self::digamma), and so on to any order.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 5.0);
    /// assert!((x.lgamma().item()? - 24_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn lgamma => Lgamma for Real {
        notation: Notation::Method,
        latex: r"\ln\left|\Gamma\left(#1\right)\right|",
        derivative: "ψ(x)",
        kernel: |x| x.lgamma(),
        vjp: |x, y, g| g * x.digamma(),
        domain: Domain::within(0.4, 3.0),
    }

    /// `ψ(x)`, the derivative of `ln |Γ(x)|`: ∓∞ at ±0, NaN at -1, -2, … Derivative: `polygamma(1)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert!((x.digamma().item()? + 0.577_215_664_901_532_9).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn digamma => Digamma for Real {
        notation: Notation::Method,
        latex: r"\psi\left(#1\right)",
        derivative: "ψ′(x)",
        kernel: |x| x.digamma(),
        vjp: |x, y, g| g * x.polygamma(1),
        domain: Domain::within(0.6, 3.0),
    }

    /// The derivative of order `n` of [`digamma`](Self::digamma), of negative numbers too: infinite at 0, -1, -2, … for `n ≥ 1`.
    /// Derivative: `polygamma(n + 1)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// let trigamma = std::f64::consts::PI.powi(2) / 6.0;
    /// assert!((x.polygamma(1).item()? - trigamma).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn polygamma => Polygamma { n: u32 as u32 } for Real {
        notation: Notation::Method,
        latex: r"\psi^{(#n)}\left(#1\right)",
        derivative: "ψ⁽ⁿ⁺¹⁾(x)",
        kernel: |x| x.polygamma(n),
        vjp: |x, y, g| g * x.polygamma(n.saturating_add(1)),
        domain: Domain::within(0.9, 3.0),
    }
}
