//! Signs, powers and roots.

records! { $ algebra
    pub(crate) fn negate => Neg for Number {
        name: "-",
        notation: Notation::Prefix,
        latex: "-#1",
        derivative: "-1",
        kernel: |x| -x,
        vjp: |x, y, g| -g,
        domain: Domain::within(-2.0, 2.0),
    }

    /// `|x|`. Derivative: `sign(x)`, so 0 at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", -3.0);
    /// assert_eq!(x.abs().item()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn abs => Abs for Number {
        notation: Notation::Method,
        latex: r"\left|#1\right|",
        derivative: "sign(x), 0 at 0",
        kernel: |x| x.abs(),
        vjp: |x, y, g| g * x.sign(),
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// -1, 0 or 1; NaN for NaN. Derivative: zero.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", -0.5).sign().item()?, -1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn sign => Sign for Number {
        notation: Notation::Method,
        latex: r"\operatorname{sign}\left(#1\right)",
        derivative: "0",
        kernel: |x| x.sign(),
        vjp: |x, y, g| Cotangent::Zero,
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// `x²`. Derivative: `2x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 3.0);
    /// assert_eq!(x.square().item()?, 9.0);
    /// assert_eq!(x.square().grad(x).item()?, 6.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn square => Square for Number {
        notation: Notation::Method,
        latex: "{#1}^{2}",
        derivative: "2x",
        kernel: |x| x * x,
        vjp: |x, y, g| g * (x * 2.0),
        domain: Domain::within(-2.0, 2.0),
    }

    /// `xⁿ` for an integer `n`, with `x⁰ = 1` everywhere. Derivative: `n xⁿ⁻¹`; zero for `n = 0`, also at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", -2.0);
    /// assert_eq!(x.powi(3).item()?, -8.0);
    /// assert_eq!(x.powi(-1).grad(x).item()?, -0.25);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn powi => Powi { n: i32 as i32 } for Real {
        notation: Notation::Method,
        latex: "{#1}^{#n}",
        derivative: "n xⁿ⁻¹, 0 for n = 0",
        kernel: |x| x.powi(n),
        vjp: |x, y, g| match n {
            0 => Cotangent::Zero,
            // i32::MIN - 1 would wrap; the power itself is what the next lower one rounds to.
            _ => (g * (x.powi(n.saturating_sub(1)) * f64::from(n))).into(),
        },
        domain: Domain::within(0.3, 2.0),
    }

    /// `xᵖ` for a fixed real `p`, as IEEE `pow`: NaN for a negative `x` unless `p` is an integer, and `x⁰ = 1`.
    /// Derivative: `p xᵖ⁻¹`; zero for `p = 0`, also at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 4.0);
    /// assert_eq!(x.powf(1.5).item()?, 8.0);
    /// assert_eq!(x.powf(1.5).grad(x).item()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn powf => Powf { p: f64 as Attribute } for Real {
        notation: Notation::Method,
        latex: "{#1}^{#n}",
        derivative: "p xᵖ⁻¹, 0 for p = 0",
        kernel: |x| x.powf(L::splat(p.get())),
        vjp: |x, y, g| match p.get() {
            0.0 => Cotangent::Zero,
            p => (g * (x.powf(p - 1.0) * p)).into(),
        },
        domain: Domain::within(0.3, 2.0),
    }

    /// `√x`, NaN for negative `x`. Derivative: `1 / (2√x)`, so infinite at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 4.0);
    /// assert_eq!(x.sqrt().grad(x).item()?, 0.25);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn sqrt => Sqrt for Real {
        notation: Notation::Method,
        latex: r"\sqrt{#1}",
        derivative: "1/(2√x), ∞ at 0",
        kernel: |x| x.sqrt(),
        vjp: |x, y, g| g / (y * 2.0),
        domain: Domain::within(0.3, 3.0),
    }

    /// `1/√x`: infinite at 0, NaN for negative `x`. Derivative: `-1/(2 x √x)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 4.0);
    /// assert_eq!(x.rsqrt().item()?, 0.5);
    /// assert_eq!(x.rsqrt().grad(x).item()?, -0.0625);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn rsqrt => Rsqrt for Real {
        notation: Notation::Method,
        latex: r"\frac{1}{\sqrt{#1}}",
        derivative: "-1/(2x√x), -∞ at 0",
        kernel: |x| L::splat(1.0) / x.sqrt(),
        vjp: |x, y, g| g * (y.powi(3) * -0.5),
        domain: Domain::within(0.4, 3.0),
    }

    /// The cube root, of negative numbers too. Derivative: `1/(3 ∛x²)`, so infinite at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", -8.0);
    /// assert_eq!(x.cbrt().item()?, -2.0);
    /// assert_eq!(x.cbrt().grad(x).item()?, 1.0 / 12.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn cbrt => Cbrt for Real {
        notation: Notation::Method,
        latex: r"\sqrt[3]{#1}",
        derivative: "1/(3∛x²), ∞ at 0",
        kernel: |x| x.cbrt(),
        vjp: |x, y, g| g / (y.square() * 3.0),
        domain: Domain::within(0.4, 3.0),
    }

    /// `1/x`. Derivative: `-1/x²`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 4.0);
    /// assert_eq!(x.recip().item()?, 0.25);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn recip => Recip for Real {
        notation: Notation::Method,
        latex: r"\frac{1}{#1}",
        derivative: "-1/x²",
        kernel: |x| L::splat(1.0) / x,
        vjp: |x, y, g| -(g * y.square()),
        domain: Domain::within(0.4, 2.0),
    }
}
