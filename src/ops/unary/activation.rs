//! What stands between the layers of a network.

records! { $ activation
    /// The logistic function `σ(x) = 1 / (1 + e⁻ˣ)`, accurate in both tails. Derivative: `σ(x) (1 - σ(x))`.
    ///
    /// `ln(σ(x))`, `1 - σ(x)` and `ln(1 - σ(x))` may be written as they stand: they are computed as
    /// `-softplus(-x)`, `σ(-x)` and `-softplus(x)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.sigmoid().item()?, 0.5);
    /// assert_eq!(x.sigmoid().grad(x).item()?, 0.25);
    /// x.set_value(-1000.0)?;
    /// assert_eq!(x.sigmoid().ln().item()?, -1000.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn sigmoid => Sigmoid for Real {
        notation: Notation::Method,
        latex: r"\sigma\left(#1\right)",
        derivative: "σ(x)(1 - σ(x))",
        kernel: |x| x.sigmoid(),
        vjp: |x, y, g| g * (y * (1.0 - y)),
        domain: Domain::within(-3.0, 3.0),
    }

    /// `ln(1 + eˣ)`, computed as `max(x, 0) + ln(1 + e^-|x|)`: no overflow, and accurate in the left tail.
    /// Derivative: `σ(x)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1000.0);
    /// assert_eq!(x.softplus().item()?, 1000.0);
    /// assert_eq!(x.softplus().grad(x).item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn softplus => Softplus for Real {
        notation: Notation::Method,
        latex: r"\operatorname{softplus}\left(#1\right)",
        derivative: "σ(x)",
        kernel: |x| x.softplus(),
        vjp: |x, y, g| g * x.sigmoid(),
        domain: Domain::within(-3.0, 3.0),
    }

    /// `x / (1 + |x|)`. Derivative: `1/(1 + |x|)²`; the second derivative jumps at 0, and is 0 there.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", -3.0);
    /// assert_eq!(x.softsign().item()?, -0.75);
    /// assert_eq!(x.softsign().grad(x).item()?, 0.0625);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn softsign => Softsign for Real {
        notation: Notation::Method,
        latex: r"\operatorname{softsign}\left(#1\right)",
        derivative: "1/(1 + |x|)²",
        kernel: |x| x / (L::splat(1.0) + x.abs()),
        vjp: |x, y, g| g * (1.0 + x.abs()).recip().square(),
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// `max(x, 0)`; NaN for NaN. Derivative: 1 for `x > 0`, else 0, also at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.relu().grad(x).item()?, 0.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn relu => Relu for Real {
        notation: Notation::Method,
        latex: r"\operatorname{relu}\left(#1\right)",
        derivative: "1 if x > 0 else 0",
        kernel: |x| x.maximum(L::splat(0.0)),
        vjp: |x, y, g| x.gt(0.0).select(g, 0.0),
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// `x` for `x > 0`, else `slope · x`. Derivative: 1 for `x > 0`, else `slope`, also at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.leaky_relu(0.01).grad(x).item()?, 0.01);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn leaky_relu => LeakyRelu { slope: f64 as Attribute } for Real {
        notation: Notation::Method,
        latex: r"\operatorname{leaky\_relu}_{#n}\left(#1\right)",
        derivative: "1 if x > 0 else slope",
        kernel: |x| L::select(L::splat(0.0).lt(x), x, x * L::splat(slope.get())),
        vjp: |x, y, g| x.gt(0.0).select(g, g * slope.get()),
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// `x` for `x > 0`, else `alpha (eˣ - 1)`. Derivative: 1 for `x > 0`, else `alpha eˣ`, also at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 0.0);
    /// assert_eq!(x.elu(0.5).grad(x).item()?, 0.5);
    /// x.set_value(-1000.0)?;
    /// assert_eq!(x.elu(0.5).item()?, -0.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn elu => Elu { alpha: f64 as Attribute } for Real {
        notation: Notation::Method,
        latex: r"\operatorname{elu}_{#n}\left(#1\right)",
        derivative: "1 if x > 0 else alpha eˣ",
        kernel: |x| L::select(L::splat(0.0).lt(x), x, x.exp_m1() * L::splat(alpha.get())),
        vjp: |x, y, g| x.gt(0.0).select(g, g * (x.exp() * alpha.get())),
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// `x` where `|x| > lambda`, else 0; NaN for NaN: PyTorch's `Hardshrink`. Derivative: 1 where `|x| > lambda`, else 0,
    /// also at the jump.
    ///
    /// With a small `lambda` it is what keeps a quantity that decays from becoming subnormal, on which processors are slow.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::array![-0.5, 0.25, 2.0]);
    /// assert_eq!(x.hard_shrink(0.25).value()?, ndarray::array![-0.5, 0.0, 2.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn hard_shrink => HardShrink { lambda: f64 as Attribute } for Real {
        notation: Notation::Method,
        latex: r"\operatorname{shrink}_{#n}\left(#1\right)",
        derivative: "1 if |x| > lambda else 0",
        kernel: |x| L::select(x.abs().le(L::splat(lambda.get())), L::splat(0.0), x),
        vjp: |x, y, g| x.abs().le(lambda.get()).select(0.0, g),
        // The jumps at the attributes that tests take.
        domain: Domain::within(-3.0, 3.0).except(&[-2.0, -1.5, -1.0, 1.0, 1.5, 2.0]),
    }
}
