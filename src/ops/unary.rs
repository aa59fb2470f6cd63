//! Functions of one number, at every element.

use super::{Attribute, Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, require_dtype};
use crate::element::{DType, Literal, Number, Real};
use crate::graph::{Expr, Signature, Var};
use crate::kernels::{FloatElement, FloatLanes, Kernel, Lanes, Level, Wrapping, map, map_at, map_near};

/// Defines the family. A record is: the documented method, the variant with its attribute, what it takes (`Number`:
/// integers too; `Real`: floats), notation, LaTeX, derivative as text, the kernel body over lanes `L`, the derivative
/// rule in terms of operand `x`, result `y` and cotangent `g`, and the domain for tests. A kernel that holds for
/// `|x| ≤ FloatLanes::NEAR` only names another one, `lone`, for numbers alone: those beyond, and scalars.
macro_rules! unary {
    ($(
        $(#[$doc:meta])*
        $vis:vis fn $method:ident => $Variant:ident $({ $attribute:ident: $given:ident as $kept:ident })? for $Takes:ident {
            $(name: $name:literal,)?
            notation: $notation:expr,
            latex: $latex:literal,
            derivative: $derivative:literal,
            kernel: |$kx:ident| $kernel:expr,
            $(lone: |$fx:ident| $lone:expr,)?
            vjp: |$x:ident, $y:ident, $g:ident| $vjp:expr,
            domain: $domain:expr,
        }
    )*) => {
        /// A function of one number, at every element. Each variant is documented at the method of its name on
        /// [`Var`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Unary {
            $(
                #[doc = concat!("`Var::", stringify!($method), "`.")]
                $Variant $({
                    /// The attribute.
                    $attribute: $kept
                })?,
            )*
        }

        impl Unary {
            /// One of each, with attributes from the given numbers where there is one.
            pub fn all(integer: i32, float: f64) -> Vec<Self> {
                let _ = (integer, float);
                vec![$(Self::$Variant $({ $attribute: pick!($given, integer, float).into() })?,)*]
            }

            #[inline(always)]
            fn body<L: FloatLanes>(self, x: &[L::Element], out: &mut [L::Element]) {
                match self {
                    $(Self::$Variant $({ $attribute })? => {
                        run!(L, x, out, |$kx| $kernel $(, |$fx| $lone)?);
                    })*
                }
            }

            /// The kernel on one float, to the same bits, for a caller inside a [`Kernel`].
            #[inline(always)]
            pub(crate) fn scalar<L: FloatLanes>(self, x: L) -> L {
                match self {
                    $(Self::$Variant $({ $attribute })? => scalar!(x, |$kx| $kernel $(, |$fx| $lone)?),)*
                }
            }

            /// The kernel on integers, for operations that take them.
            pub(crate) fn run_integers(self, level: Level, x: &[i64], out: &mut [i64]) {
                #[allow(dead_code, reason = "a kernel without literals does not name its lanes")]
                type L = Wrapping;
                match self {
                    $(Self::$Variant $({ $attribute: _ })? => {
                        integers!($Takes, map_at(level, x, out, #[inline(always)] |x: i64| { let $kx = Wrapping(x); ($kernel).0 }))
                    })*
                }
            }

            fn takes_integers(self) -> bool {
                match self {
                    $(Self::$Variant $({ $attribute: _ })? => is_number!($Takes),)*
                }
            }

            fn rule<'g>(self, x: Expr<'g>, y: Expr<'g>, g: Expr<'g>) -> Cotangent<'g> {
                match self {
                    $(Self::$Variant $({ $attribute })? => {
                        let ($x, $y, $g) = (x, y, g);
                        let _ = ($x, $y, $g);
                        $vjp.into()
                    })*
                }
            }

            fn attribute(self) -> Option<String> {
                match self {
                    $(Self::$Variant $({ $attribute })? => None $(.or(Some($attribute.to_string())))?,)*
                }
            }

            const fn find(self) -> Record {
                match self {
                    $(Self::$Variant $({ $attribute: _ })? => Record {
                        name: name!($method $($name)?),
                        notation: $notation,
                        latex: $latex,
                        derivative: $derivative,
                        domain: $domain,
                    },)*
                }
            }
        }

        $(impl<'g, T: $Takes> Var<'g, T> {
            $(#[$doc])*
            #[track_caller]
            #[must_use]
            $vis fn $method(self $(, $attribute: $given)?) -> Self {
                let op = Unary::$Variant $({ $attribute: $attribute.into() })?;
                self.graph().emit(Op::Unary(op), [self.erase()]).retype()
            }
        })*
    };
}

impl Unary {
    /// The kernel on floats. Public for the benchmarks of kernels alone.
    #[doc(hidden)]
    pub fn run<T: FloatElement>(self, level: Level, x: &[T], out: &mut [T]) {
        level.run(OnFloats { op: self, x, out });
    }

    /// The result for a float.
    pub(crate) fn evaluate(self, level: Level, x: Literal) -> Option<Literal> {
        fn run<T: FloatElement + Default>(op: Unary, level: Level, x: T) -> T {
            let mut out = [T::default()];
            op.run(level, &[x], &mut out);
            out[0]
        }
        match x {
            Literal::F32(x) => Some(Literal::F32(run(self, level, f32::from_bits(x)).to_bits())),
            Literal::F64(x) => Some(Literal::F64(run(self, level, f64::from_bits(x)).to_bits())),
            _ => None,
        }
    }
}

struct OnFloats<'a, T> {
    op: Unary,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: FloatElement> Kernel for OnFloats<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        self.op.body::<T::Lanes<FUSED>>(self.x, self.out);
    }
}

/// The kernel over a slice, with another one for what lies beyond [`FloatLanes::NEAR`] if the record has it.
macro_rules! run {
    ($L:ident, $x:ident, $out:ident, |$kx:ident| $kernel:expr) => {
        map(
            $x,
            $out,
            #[inline(always)]
            |x: $L::Element| {
                let $kx = $L::of(x);
                ($kernel).get()
            },
        )
    };
    ($L:ident, $x:ident, $out:ident, |$kx:ident| $kernel:expr, |$fx:ident| $far:expr) => {
        map_near::<$L>(
            $x,
            $out,
            #[inline(always)]
            |x: $L::Element| {
                let $kx = $L::of(x);
                ($kernel).get()
            },
            |x: $L::Element| {
                let $fx = $L::of(x);
                ($far).get()
            },
        )
    };
}

/// The kernel of a number alone, if the record has one.
macro_rules! scalar {
    ($x:ident, |$kx:ident| $kernel:expr) => {{
        let $kx = $x;
        $kernel
    }};
    ($x:ident, |$kx:ident| $kernel:expr, |$lx:ident| $lone:expr) => {{
        let $lx = $x;
        $lone
    }};
}

/// The name that a record gives, else the method's.
macro_rules! name {
    ($method:ident) => {
        stringify!($method)
    };
    ($method:ident $name:literal) => {
        $name
    };
}

/// The given number of the attribute's type.
macro_rules! pick {
    (i32, $integer:expr, $float:expr) => {
        $integer
    };
    (f64, $integer:expr, $float:expr) => {
        $float
    };
}

unary! {
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

impl Operation for Unary {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        self.attribute()
    }

    fn arity(&self) -> usize {
        1
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Unary(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        if self.takes_integers() {
            require_dtype(self.find().name, operands, 0, "numbers", |dtype| dtype != DType::Bool)?;
        } else {
            require_dtype(self.find().name, operands, 0, "floats", DType::is_float)?;
        }
        Ok(operands[0].clone())
    }

    fn vjp<'g>(&self, _k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        self.rule(at.inputs[0], at.result, at.cotangent)
    }

    fn derives(&self, _k: usize) -> bool {
        *self != Self::StopGradient
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}
