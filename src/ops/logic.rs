//! What is done with masks, and conversions between element types.

use super::constant::IntoVar;
use super::{
    Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, broadcast_operands, require_dtype,
    require_same_dtype,
};
use crate::element::{DType, Dtype, Element, Mask};
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::shape::broadcast;

/// What is done with masks, and conversions between element types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Logic {
    /// [`Var::and`], or `a & b`.
    And,
    /// [`Var::or`], or `a | b`.
    Or,
    /// [`Var::inverted`], or `!a`.
    Not,
    /// [`Var::select`], with the operands mask, yes, no.
    Select,
    /// [`Var::cast`].
    Cast(DType),
}

impl Logic {
    const fn find(self) -> Record {
        match self {
            Self::And => record("&", Notation::Infix(0), r"#1 \wedge #2", "none"),
            Self::Or => record("|", Notation::Infix(0), r"#1 \vee #2", "none"),
            Self::Not => record("!", Notation::Prefix, r"\neg #1", "none"),
            Self::Select => Record {
                domain: Domain::within(-2.0, 2.0),
                ..record(
                    "select",
                    Notation::Method,
                    r"\begin{cases}#2 & \text{if } #1\\#3 & \text{else}\end{cases}",
                    "g where the mask holds, and where it does not",
                )
            },
            Self::Cast(_) => Record {
                domain: Domain::within(-2.0, 2.0),
                ..record("cast", Notation::Method, "#1", "1 between floats, else none")
            },
        }
    }
}

const fn record(
    name: &'static str,
    notation: Notation,
    latex: &'static str,
    derivative: &'static str,
) -> Record {
    Record { name, notation, latex, derivative, domain: Domain::NONE }
}

impl Operation for Logic {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        match self {
            Self::Cast(dtype) => Some(dtype.to_string()),
            _ => None,
        }
    }

    fn arity(&self) -> usize {
        match self {
            Self::Not | Self::Cast(_) => 1,
            Self::And | Self::Or => 2,
            Self::Select => 3,
        }
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Logic(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let name = self.find().name;
        let is_mask = |dtype| dtype == DType::Bool;
        match *self {
            Self::Cast(dtype) => Ok(Signature { dtype, shape: operands[0].shape.clone() }),
            Self::Not => {
                require_dtype(name, operands, 0, "masks", is_mask)?;
                Ok(operands[0].clone())
            }
            Self::And | Self::Or => {
                require_dtype(name, operands, 0, "masks", is_mask)?;
                require_dtype(name, operands, 1, "masks", is_mask)?;
                Ok(Signature { dtype: DType::Bool, shape: broadcast_operands(name, operands, 0, 1)? })
            }
            Self::Select => {
                require_dtype(name, operands, 0, "a mask", is_mask)?;
                require_same_dtype(name, operands, 1, 2)?;
                let branches = broadcast_operands(name, operands, 1, 2)?;
                let shape = broadcast(&operands[0].shape, &branches).map_err(|clash| -> Fault {
                    Box::new(move |operand| Error::Broadcast {
                        op: name,
                        // The branch that has the size the mask does not stretch to.
                        operands: Box::new([operand(0), {
                            let (yes, no) = (operand(1), operand(2));
                            if yes.shape.ndim() >= no.shape.ndim() { yes } else { no }
                        }]),
                        clash,
                    })
                })?;
                Ok(Signature { dtype: operands[1].dtype, shape })
            }
        }
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let g = at.cotangent;
        match (self, k) {
            (Self::Select, 1) => at.inputs[0].select(g, 0.0).into(),
            (Self::Select, 2) => at.inputs[0].select(0.0, g).into(),
            (Self::Cast(to), _) if to.is_float() && at.inputs[0].dtype().is_float() => {
                g.cast_to(at.inputs[0].dtype()).into()
            }
            _ => Cotangent::Undefined,
        }
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}

impl<'g, M: Mask> Var<'g, M> {
    /// The mask `a ∧ b`, also written `a & b`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", 1.0);
    /// assert!((x.gt(0.0) & x.lt(2.0)).item()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn and(self, other: impl IntoVar<'g, M>) -> Self {
        self.logic(Logic::And, other)
    }

    /// The mask `a ∨ b`, also written `a | b`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn or(self, other: impl IntoVar<'g, M>) -> Self {
        self.logic(Logic::Or, other)
    }

    /// The mask `¬a`, also written `!a`.
    #[track_caller]
    #[must_use]
    pub fn inverted(self) -> Self {
        self.graph().emit(Op::Logic(Logic::Not), [self.erase()]).retype()
    }

    /// `yes` where the mask holds, `no` elsewhere, all three broadcast. One of the two may be a number or an array.
    ///
    /// Derivative: the cotangent goes to the branch that was taken. A branch that was not taken may be infinite or
    /// NaN, and may have such a derivative: as long as only elementwise operations lie between it and a variable,
    /// nothing of it reaches the gradient.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", -1.0);
    /// let y = x.gt(0.0).select(x.sqrt(), 0.0);
    /// assert_eq!(y.item()?, 0.0);
    /// assert_eq!(y.grad(x).item()?, 0.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast, or if the branches have two element types.
    #[track_caller]
    #[must_use]
    pub fn select<T: Dtype>(self, yes: impl IntoVar<'g, T>, no: impl IntoVar<'g, T>) -> Var<'g, T> {
        let dtype = yes.known_dtype().or(no.known_dtype()).or(T::STATIC).unwrap_or(DType::F64);
        let (yes, no) = (yes.into_var(self.graph(), dtype), no.into_var(self.graph(), dtype));
        self.graph().emit(Op::Logic(Logic::Select), [self.erase(), yes.erase(), no.erase()]).retype()
    }

    #[track_caller]
    pub(super) fn logic(self, op: Logic, other: impl IntoVar<'g, M>) -> Self {
        let other = other.into_var(self.graph(), DType::Bool);
        self.graph().emit(Op::Logic(op), [self.erase(), other.erase()]).retype()
    }
}

impl<'g, T: Dtype> Var<'g, T> {
    /// The same numbers as another element type: floats are rounded, or truncated towards zero to integers
    /// (saturating, NaN to 0); masks become 0 and 1; a number becomes the mask of its being non-zero.
    ///
    /// Derivative: between floats the cotangent is cast back; else there is none.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::array![0.2, 0.7]);
    /// assert_eq!(x.gt(0.5).cast::<f64>().mean().item()?, 0.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn cast<U: Element>(self) -> Var<'g, U> {
        self.erase().cast_to(U::DTYPE).retype()
    }
}

impl Expr<'_> {
    #[track_caller]
    pub(crate) fn cast_to(self, dtype: DType) -> Self {
        self.graph().emit(Op::Logic(Logic::Cast(dtype)), [self])
    }
}
