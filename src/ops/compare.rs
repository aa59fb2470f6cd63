//! Comparisons, which give masks.

use super::constant::IntoVar;
use super::{
    Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, broadcast_operands, require_same_dtype,
};
use crate::element::{DType, Dtype};
use crate::graph::{Signature, Var};
use crate::kernels::{FloatElement, FloatLanes, Kernel, Lanes, Level, Wrapping, zip, zip_at};

/// Defines the family. A record is: the documented method, the variant, the sign, and the kernel body over lanes.
macro_rules! compare {
    ($(
        $(#[$doc:meta])*
        fn $method:ident => $Variant:ident {
            latex: $latex:literal,
            kernel: |$a:ident, $b:ident| $kernel:expr,
            masks: |$p:ident, $q:ident| $on_masks:expr,
        }
    )*) => {
        /// A comparison, element by element, with NumPy's broadcasting. There is no derivative.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Compare {
            $(#[doc = concat!("[`Var::", stringify!($method), "`]")] $Variant,)*
        }

        impl Compare {
            /// One of each.
            pub const ALL: &[Self] = &[$(Self::$Variant),*];

            #[inline(always)]
            fn body<L: FloatLanes>(self, a: &[L::Element], b: &[L::Element], out: &mut [bool]) {
                match self {
                    $(Self::$Variant => zip(a, b, out, #[inline(always)] |a: L::Element, b: L::Element| {
                        let ($a, $b) = (L::of(a), L::of(b));
                        $kernel
                    }),)*
                }
            }

            /// The kernel on integers; as [`run`](Self::run).
            pub(crate) fn run_integers(self, level: Level, a: &[i64], b: &[i64], out: &mut [bool]) {
                match self {
                    $(Self::$Variant => zip_at(level, a, b, out, #[inline(always)] |a: i64, b: i64| {
                        let ($a, $b) = (Wrapping(a), Wrapping(b));
                        $kernel
                    }),)*
                }
            }

            /// The kernel on masks; as [`run`](Self::run).
            pub(crate) fn run_masks(self, level: Level, a: &[bool], b: &[bool], out: &mut [bool]) {
                match self {
                    $(Self::$Variant => zip_at(level, a, b, out, #[inline(always)] |$p: bool, $q: bool| $on_masks),)*
                }
            }

            const fn find(self) -> Record {
                match self {
                    $(Self::$Variant => Record {
                        name: stringify!($method),
                        notation: Notation::Method,
                        latex: $latex,
                        derivative: "none",
                        domain: Domain::NONE,
                    },)*
                }
            }
        }

        impl<'g, T: Dtype> Var<'g, T> {
            $($(#[$doc])*
            /// Broadcasts as NumPy does; false where either side is NaN, but for `ne`.
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            #[must_use]
            pub fn $method(self, other: impl IntoVar<'g, T>) -> Var<'g, T::Mask> {
                let other = other.into_var(self.graph(), self.dtype_beside());
                self.graph().emit(Op::Compare(Compare::$Variant), [self.erase(), other.erase()]).retype()
            })*
        }
    };
}

impl Compare {
    /// The kernel on floats; an operand of one element stands for as many as there are.
    #[doc(hidden)]
    pub fn run<T: FloatElement>(self, level: Level, a: &[T], b: &[T], out: &mut [bool]) {
        level.run(OnFloats { op: self, a, b, out });
    }
}

struct OnFloats<'a, T> {
    op: Compare,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [bool],
}

impl<T: FloatElement> Kernel for OnFloats<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        self.op.body::<T::Lanes<FUSED>>(self.a, self.b, self.out);
    }
}

compare! {
    /// The mask `a < b`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert!(g.input("x", 1.0).lt(2.0).item()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn lt => Lt {
        latex: "#1 < #2",
        kernel: |a, b| a.lt(b),
        masks: |a, b| !a & b,
    }

    /// The mask `a <= b`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert!(g.input("x", 2.0).le(2.0).item()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn le => Le {
        latex: r"#1 \le #2",
        kernel: |a, b| a.le(b),
        masks: |a, b| a <= b,
    }

    /// The mask `a > b`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert!(!g.input("x", 1.0).gt(2.0).item()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn gt => Gt {
        latex: "#1 > #2",
        kernel: |a, b| b.lt(a),
        masks: |a, b| a & !b,
    }

    /// The mask `a >= b`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert!(g.input("x", 2.0).ge(2.0).item()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn ge => Ge {
        latex: r"#1 \ge #2",
        kernel: |a, b| b.le(a),
        masks: |a, b| a >= b,
    }

    /// The mask `a == b`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// assert!(g.input("x", 2_i64).eq(2).item()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn eq => Eq {
        latex: "#1 = #2",
        kernel: |a, b| a.eq(b),
        masks: |a, b| a == b,
    }

    /// The mask `a != b`, true where either side is NaN.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", f64::NAN);
    /// assert!(x.ne(x).item()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn ne => Ne {
        latex: r"#1 \ne #2",
        kernel: |a, b| !a.eq(b),
        masks: |a, b| a != b,
    }
}

impl Operation for Compare {
    fn record(&self) -> Record {
        self.find()
    }

    fn arity(&self) -> usize {
        2
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Compare(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let name = self.find().name;
        require_same_dtype(name, operands, 0, 1)?;
        Ok(Signature { dtype: DType::Bool, shape: broadcast_operands(name, operands, 0, 1)? })
    }

    fn vjp<'g>(&self, _k: usize, _at: &Site<'_, 'g>) -> Cotangent<'g> {
        Cotangent::Undefined
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}
