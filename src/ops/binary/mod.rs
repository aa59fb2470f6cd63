//! Functions of two numbers, at every pair of broadcast elements.

mod methods;

use super::constant::IntoVar;
use super::{
    Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, broadcast_operands, require_dtype,
    require_same_dtype,
};
use crate::element::{DType, Literal, Number};
use crate::graph::{Expr, Signature, Var};
use crate::kernels::{FloatElement, FloatLanes, Kernel, Lanes, Level, Wrapping, zip, zip_at};

/// Defines the family. A record is: the variant and what it takes (`Number`: integers too; `Real`: floats), its name
/// or sign, notation, LaTeX, derivative as text, the kernel body over lanes `L`, the derivative rules for both
/// operands in terms of operands `a` and `b`, result `y` and cotangent `g`, and the domain for tests.
macro_rules! binary {
    ($(
        $(#[$doc:meta])*
        $Variant:ident for $Takes:ident {
            name: $name:literal,
            notation: $notation:expr,
            latex: $latex:literal,
            derivative: $derivative:literal,
            kernel: |$ka:ident, $kb:ident| $kernel:expr,
            vjp: |$a:ident, $b:ident, $y:ident, $g:ident| [$left:expr, $right:expr $(,)?],
            domain: $domain:expr,
        }
    )*) => {
        /// A function of two numbers, at every pair of elements, with NumPy's broadcasting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Binary {
            $($(#[$doc])* $Variant,)*
        }

        impl Binary {
            /// One of each.
            pub const ALL: &[Self] = &[$(Self::$Variant),*];

            #[inline(always)]
            fn body<L: FloatLanes>(self, a: &[L::Element], b: &[L::Element], out: &mut [L::Element]) {
                match self {
                    $(Self::$Variant => zip(a, b, out, #[inline(always)] |a: L::Element, b: L::Element| {
                        let ($ka, $kb) = (L::of(a), L::of(b));
                        ($kernel).get()
                    }),)*
                }
            }

            /// The kernel on two floats, to the same bits, for a caller inside a [`Kernel`].
            #[inline(always)]
            pub(crate) fn scalar<L: FloatLanes>(self, a: L, b: L) -> L {
                match self {
                    $(Self::$Variant => {
                        let ($ka, $kb) = (a, b);
                        $kernel
                    })*
                }
            }

            /// The kernel on integers, for operations that take them; as [`run`](Self::run).
            pub(crate) fn run_integers(self, level: Level, a: &[i64], b: &[i64], out: &mut [i64]) {
                match self {
                    $(Self::$Variant => integers!($Takes, zip_at(level, a, b, out, #[inline(always)] |a: i64, b: i64| {
                        let ($ka, $kb) = (Wrapping(a), Wrapping(b));
                        ($kernel).0
                    })),)*
                }
            }

            fn takes_integers(self) -> bool {
                match self {
                    $(Self::$Variant => is_number!($Takes),)*
                }
            }

            fn rule<'g>(self, k: usize, a: Expr<'g>, b: Expr<'g>, y: Expr<'g>, g: Expr<'g>) -> Cotangent<'g> {
                match (self, k) {
                    $(
                        (Self::$Variant, 0) => {
                            let ($a, $b, $y, $g) = (a, b, y, g);
                            let _ = ($a, $b, $y, $g);
                            $left.into()
                        }
                        (Self::$Variant, _) => {
                            let ($a, $b, $y, $g) = (a, b, y, g);
                            let _ = ($a, $b, $y, $g);
                            $right.into()
                        }
                    )*
                }
            }

            const fn find(self) -> Record {
                match self {
                    $(Self::$Variant => Record {
                        name: $name,
                        notation: $notation,
                        latex: $latex,
                        derivative: $derivative,
                        domain: $domain,
                    },)*
                }
            }
        }
    };
}

impl Binary {
    /// The kernel on floats; an operand of one element stands for as many as there are.
    #[doc(hidden)]
    pub fn run<T: FloatElement>(self, level: Level, a: &[T], b: &[T], out: &mut [T]) {
        level.run(OnFloats { op: self, a, b, out });
    }

    /// The result for two floats.
    pub(crate) fn evaluate(self, level: Level, a: Literal, b: Literal) -> Option<Literal> {
        fn run<T: FloatElement + Default>(op: Binary, level: Level, a: T, b: T) -> T {
            let mut out = [T::default()];
            op.run(level, &[a], &[b], &mut out);
            out[0]
        }
        match (a, b) {
            (Literal::F32(a), Literal::F32(b)) => {
                Some(Literal::F32(run(self, level, f32::from_bits(a), f32::from_bits(b)).to_bits()))
            }
            (Literal::F64(a), Literal::F64(b)) => {
                Some(Literal::F64(run(self, level, f64::from_bits(a), f64::from_bits(b)).to_bits()))
            }
            _ => None,
        }
    }
}

struct OnFloats<'a, T> {
    op: Binary,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: FloatElement> Kernel for OnFloats<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        self.op.body::<T::Lanes<FUSED>>(self.a, self.b, self.out);
    }
}

binary! {
    /// `a + b`.
    Add for Number {
        name: "+",
        notation: Notation::Infix(1),
        latex: "#1 + #2",
        derivative: "1, 1",
        kernel: |a, b| a + b,
        vjp: |a, b, y, g| [g, g],
        domain: Domain::within(-2.0, 2.0),
    }

    /// `a - b`.
    Sub for Number {
        name: "-",
        notation: Notation::Infix(1),
        latex: "#1 - #2",
        derivative: "1, -1",
        kernel: |a, b| a - b,
        vjp: |a, b, y, g| [g, -g],
        domain: Domain::within(-2.0, 2.0),
    }

    /// `a · b`.
    Mul for Number {
        name: "*",
        notation: Notation::Infix(2),
        latex: r"#1 \odot #2",
        derivative: "b, a",
        kernel: |a, b| a * b,
        vjp: |a, b, y, g| [g * b, g * a],
        domain: Domain::within(-2.0, 2.0),
    }

    /// `a / b`.
    Div for Real {
        name: "/",
        notation: Notation::Infix(2),
        latex: r"\frac{#1}{#2}",
        derivative: "1/b, -a/b²",
        kernel: |a, b| a / b,
        vjp: |a, b, y, g| [g / b, -(g * (y / b))],
        domain: Domain::within(0.4, 2.0),
    }

    /// The larger of two, documented at [`Var::maximum`].
    Maximum for Number {
        name: "maximum",
        notation: Notation::Method,
        latex: r"\max\left(#1, #2\right)",
        derivative: "1 for the larger, 1/2 each at a tie",
        kernel: |a, b| a.maximum(b),
        vjp: |a, b, y, g| [share(a.gt(b), a.eq(b), g), share(b.gt(a), a.eq(b), g)],
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// The smaller of two, documented at [`Var::minimum`].
    Minimum for Number {
        name: "minimum",
        notation: Notation::Method,
        latex: r"\min\left(#1, #2\right)",
        derivative: "1 for the smaller, 1/2 each at a tie",
        kernel: |a, b| a.minimum(b),
        vjp: |a, b, y, g| [share(a.lt(b), a.eq(b), g), share(b.lt(a), a.eq(b), g)],
        domain: Domain::within(-2.0, 2.0).except(&[0.0]),
    }

    /// A power with a variable exponent, documented at [`Var::pow`].
    Pow for Real {
        name: "pow",
        notation: Notation::Method,
        latex: "{#1}^{#2}",
        derivative: "b aᵇ⁻¹, 0 for b = 0; aᵇ ln a, 0 for a = 0",
        kernel: |a, b| a.powf(b),
        vjp: |a, b, y, g| [
            match b.as_literal() {
                Some(0.0) => Cotangent::Zero,
                Some(p) => (g * (a.pow(p - 1.0) * p)).into(),
                // Only where the product would be NaN: elsewhere it is 0 by itself at b = 0, and varies with b.
                None => (b.eq(0.0) & !a.abs().gt(0.0)).select(0.0, g * (b * a.pow(b - 1.0))).into(),
            },
            (a.eq(0.0) & b.ge(0.0)).select(0.0, g * (y * a.ln())),
        ],
        domain: Domain::within(0.4, 2.0),
    }

    /// The angle of a point, documented at [`Var::atan2`].
    Atan2 for Real {
        name: "atan2",
        notation: Notation::Method,
        latex: r"\operatorname{atan2}\left(#1, #2\right)",
        derivative: "b/(a² + b²), -a/(a² + b²)",
        kernel: |a, b| a.atan2(b),
        vjp: |a, b, y, g| [g * (b / a.hypot(b)) / a.hypot(b), -(g * (a / a.hypot(b)) / a.hypot(b))],
        domain: Domain::within(0.4, 2.0),
    }

    /// The length of the hypotenuse, documented at [`Var::hypot`].
    Hypot for Real {
        name: "hypot",
        notation: Notation::Method,
        latex: r"\sqrt{{#1}^{2} + {#2}^{2}}",
        derivative: "a/y, b/y, 0 at y = 0",
        kernel: |a, b| a.hypot(b),
        vjp: |a, b, y, g| [g * a.direction(b), g * b.direction(a)],
        domain: Domain::within(0.4, 2.0),
    }

    /// The cosine of the angle of a point, documented at [`Var::direction`].
    Direction for Real {
        name: "direction",
        notation: Notation::Method,
        latex: r"\frac{#1}{\sqrt{{#1}^{2} + {#2}^{2}}}",
        derivative: "b²/(a² + b²)^(3/2), -ab/(a² + b²)^(3/2), 0 at the origin",
        kernel: |a, b| a.direction(b),
        // Products of the two coordinates: nothing cancels.
        vjp: |a, b, y, g| [turn(a, b, g * b.direction(a).square()), turn(a, b, -(g * (y * b.direction(a))))],
        domain: Domain::within(0.4, 2.0),
    }

    /// `a ln b`, documented at [`Var::xlogy`].
    Xlogy for Real {
        name: "xlogy",
        notation: Notation::Method,
        latex: r"#1 \ln\left(#2\right)",
        derivative: "ln b; a/b, 0 at a = b = 0",
        kernel: |a, b| a.xlogy(b),
        vjp: |a, b, y, g| [g * b.ln(), (a.eq(0.0) & b.eq(0.0)).select(0.0, g * (a / b))],
        domain: Domain::within(0.4, 2.0),
    }

    /// The remainder of a division that is rounded down, documented at [`Var::remainder`].
    Remainder for Real {
        name: "remainder",
        notation: Notation::Method,
        latex: r"#1 \bmod #2",
        derivative: "1, -⌊a/b⌋",
        kernel: |a, b| a.remainder(b),
        vjp: |a, b, y, g| [g, -(g * ((a - y) / b).round())],
        // The quotient is between 1/2 and 2, and whole where the operands are equal.
        domain: Domain::within(0.5, 1.0).except(&[0.0]),
    }

    /// The number with another's sign, documented at [`Var::copysign`].
    Copysign for Real {
        name: "copysign",
        notation: Notation::Method,
        latex: r"\operatorname{copysign}\left(#1, #2\right)",
        derivative: "sign(a) sign(b), 0 at a = 0; 0",
        kernel: |a, b| a.copysign(b),
        vjp: |a, b, y, g| [g * (a.sign() * one_like(b).copysign(b)), Cotangent::Zero],
        domain: Domain::within(0.4, 2.0),
    }
}

/// The cotangent over the length of a vector, 0 at the origin.
fn turn<'g>(a: Expr<'g>, b: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let length = a.hypot(b);
    length.eq(0.0).select(0.0, g / length)
}

/// The sign of 1, with which an operand's own becomes that of another.
fn one_like(x: Expr<'_>) -> Expr<'_> {
    x.graph().literal(Literal::rounded(1.0, x.dtype()))
}

/// The cotangent where an operand wins, half of it where both tie.
fn share<'g>(wins: Expr<'g>, ties: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    wins.select(g, ties.select(g * 0.5, 0.0))
}

impl Operation for Binary {
    fn record(&self) -> Record {
        self.find()
    }

    fn arity(&self) -> usize {
        2
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Binary(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let name = self.find().name;
        if self.takes_integers() {
            require_dtype(name, operands, 0, "numbers", |dtype| dtype != DType::Bool)?;
        } else {
            require_dtype(name, operands, 0, "floats", DType::is_float)?;
        }
        require_same_dtype(name, operands, 0, 1)?;
        Ok(Signature { dtype: operands[0].dtype, shape: broadcast_operands(name, operands, 0, 1)? })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        self.rule(k, at.inputs[0], at.inputs[1], at.result, at.cotangent)
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}

impl<'g, T: Number> Var<'g, T> {
    /// The larger of two, element by element, with NumPy's broadcasting; NaN where either is NaN. Derivative: 1 for
    /// the larger, 1/2 for each at a tie.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 3.0);
    /// assert_eq!(x.maximum(5.0).item()?, 5.0);
    /// assert_eq!(x.maximum(3.0).grad(x).item()?, 0.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast: "`maximum` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)".
    #[track_caller]
    #[must_use]
    pub fn maximum(self, other: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Maximum, other)
    }

    /// The smaller of two, element by element, with NumPy's broadcasting; NaN where either is NaN. Derivative: 1 for
    /// the smaller, 1/2 for each at a tie.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert_eq!(g.input("x", 3.0).minimum(5.0).item()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn minimum(self, other: impl IntoVar<'g, T>) -> Self {
        self.binary(Binary::Minimum, other)
    }

    #[track_caller]
    pub(in crate::ops) fn binary(self, op: Binary, other: impl IntoVar<'g, T>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside());
        self.graph().emit(Op::Binary(op), [self.erase(), other.erase()]).retype()
    }
}
