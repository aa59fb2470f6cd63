//! Functions of one number, at every element.

/// Records of one kind. They are kept as a macro of that name, which puts them behind those that it is given and hands
/// all of them on to the next kind, the last of which is [`unary`]: so that one enum is made of the records of all files.
macro_rules! records {
    ($d:tt $kind:ident $($records:tt)*) => {
        macro_rules! $kind {
            ([$d($d before:tt)*] $d next:ident $d($d rest:ident)*) => {
                $d next! { [$d($d before)* $($records)*] $d($d rest)* }
            };
        }
    };
}

#[macro_use]
mod algebra;
#[macro_use]
mod exponential;
#[macro_use]
mod angles;
#[macro_use]
mod hyperbolic;
#[macro_use]
mod rounding;
#[macro_use]
mod activation;
#[macro_use]
mod special;
mod bounds;

pub use self::bounds::Bounds;

use super::{Attribute, Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, require_dtype};
use crate::element::{DType, Literal, Number, Real};
use crate::graph::{Expr, Signature, Var};
use crate::kernels::{FloatElement, FloatLanes, Kernel, Lanes, Level, Wrapping, map, map_at, map_near};

/// Defines the family. A record is: the documented method, the variant with its attribute, what it takes (`Number`:
/// integers too; `Real`: floats), notation, LaTeX, derivative as text, the kernel body over lanes `L`, the derivative
/// rule in terms of operand `x`, result `y` and cotangent `g`, and the domain for tests. A kernel that holds for
/// `|x| ≤ FloatLanes::NEAR` only names another one, `lone`, for numbers alone: those beyond, and scalars.
macro_rules! unary {
    ([$(
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
    )*]) => {
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
    (u32, $integer:expr, $float:expr) => {
        $integer.unsigned_abs()
    };
    (f64, $integer:expr, $float:expr) => {
        $float
    };
    (Bounds, $integer:expr, $float:expr) => {
        Bounds::sample($integer, $float)
    };
}

/// `1/√(2π)`: the density of the standard normal distribution at 0.
const DENSITY: f64 = 0.5 * std::f64::consts::FRAC_1_SQRT_2 * std::f64::consts::FRAC_2_SQRT_PI;

algebra! { [] exponential angles hyperbolic rounding activation special unary }

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
