//! Rounding and bounds, and the barrier for derivatives.

records! { $ rounding
    /// The largest whole number that is not above `x`. Derivative: zero, also at the jumps.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", -0.5).floor().item()?, -1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn floor => Floor for Real {
        notation: Notation::Method,
        latex: r"\left\lfloor #1\right\rfloor",
        derivative: "0",
        kernel: |x| x.floor(),
        vjp: |x, y, g| Cotangent::Zero,
        domain: Domain::within(-2.0, 2.0).except(&[-2.0, -1.0, 0.0, 1.0, 2.0]),
    }

    /// The smallest whole number that is not below `x`. Derivative: zero, also at the jumps.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", 0.5).ceil().item()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn ceil => Ceil for Real {
        notation: Notation::Method,
        latex: r"\left\lceil #1\right\rceil",
        derivative: "0",
        kernel: |x| x.ceil(),
        vjp: |x, y, g| Cotangent::Zero,
        domain: Domain::within(-2.0, 2.0).except(&[-2.0, -1.0, 0.0, 1.0, 2.0]),
    }

    /// The nearest whole number, of two the even one, as in NumPy. Derivative: zero, also at the jumps.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", 2.5).round().item()?, 2.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn round => Round for Real {
        notation: Notation::Method,
        latex: r"\operatorname{round}\left(#1\right)",
        derivative: "0",
        kernel: |x| x.round(),
        vjp: |x, y, g| Cotangent::Zero,
        domain: Domain::within(-2.0, 2.0).except(&[-1.5, -0.5, 0.5, 1.5]),
    }

    /// The whole number between `x` and 0 that is next to `x`. Derivative: zero, also at the jumps.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", -1.5).trunc().item()?, -1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn trunc => Trunc for Real {
        notation: Notation::Method,
        latex: r"\operatorname{trunc}\left(#1\right)",
        derivative: "0",
        kernel: |x| x.trunc(),
        vjp: |x, y, g| Cotangent::Zero,
        domain: Domain::within(-2.0, 2.0).except(&[-2.0, -1.0, 0.0, 1.0, 2.0]),
    }

    /// `x` between bounds.
    pub(crate) fn bounded => Clip { bounds: Bounds as Bounds } for Real {
        name: "clip",
        notation: Notation::Method,
        latex: r"\operatorname{clip}_{#n}\left(#1\right)",
        derivative: "1 within the bounds and at them, else 0",
        kernel: |x| bounds.apply(x),
        vjp: |x, y, g| bounds.hold(x).select(g, 0.0),
        domain: Domain::within(-3.0, 3.0).except(&[-2.0, -1.5, -1.0, -0.7, 0.7, 1.0, 1.5, 2.0]),
    }

    /// The same value, through which no derivative passes: gradients take it for a constant. A variable that the
    /// result depends on through it alone has the gradient zero.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 3.0);
    /// assert_eq!((x * x.stop_gradient()).grad(x).item()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn stop_gradient => StopGradient for Number {
        notation: Notation::Method,
        latex: r"\operatorname{stop}\left(#1\right)",
        derivative: "0 by request",
        kernel: |x| x,
        vjp: |x, y, g| Cotangent::Zero,
        domain: Domain::within(-2.0, 2.0),
    }
}
