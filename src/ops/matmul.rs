//! Products of vectors and matrices.

use super::constant::IntoVar;
use super::{
    Binary, Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, require_dtype,
    require_same_dtype,
};
use crate::element::{DType, Real};
use crate::error::Error;
use crate::graph::{Signature, Var};
use crate::shape::{Clash, Shape};

/// A product of vectors and matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatMul {
    /// [`Var::dot`], for operands with one or two axes.
    Dot,
}

impl MatMul {
    const fn find(self) -> Record {
        match self {
            Self::Dot => Record {
                name: "dot",
                notation: Notation::Method,
                latex: r"#1 \, #2",
                derivative: "g · bᵀ, aᵀ · g",
                domain: Domain::within(-2.0, 2.0),
            },
        }
    }
}

impl Operation for MatMul {
    fn record(&self) -> Record {
        self.find()
    }

    fn arity(&self) -> usize {
        2
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        // With a scalar on either side NumPy's `dot` is an elementwise product.
        let scalar = operands.iter().any(|operand| operand.shape.ndim() == 0);
        Ok(if scalar { Op::Binary(Binary::Mul) } else { Op::MatMul(self) })
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.find().name;
        require_dtype(op, operands, 0, "floats", DType::is_float)?;
        require_same_dtype(op, operands, 0, 1)?;
        if let Some(k) = operands.iter().position(|operand| operand.shape.ndim() > 2) {
            let expected = "operands with at most 2 axes";
            return Err(Box::new(move |operand| Error::Rank { op, expected, operand: Box::new(operand(k)) }));
        }
        let (a, b) = (&operands[0].shape, &operands[1].shape);
        let inner = a.ndim() - 1;
        if a[inner] != b[0] {
            let clash = Clash { left: (inner, a[inner]), right: (0, b[0]) };
            return Err(Box::new(move |operand| Error::Dot {
                operands: Box::new([operand(0), operand(1)]),
                clash,
            }));
        }
        let shape: Shape = a[..inner].iter().chain(&b[1..]).copied().collect();
        Ok(Signature { dtype: operands[0].dtype, shape })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (a, b, g) = (at.inputs[0], at.inputs[1], at.cotangent);
        match (a.ndim(), b.ndim(), k) {
            (1, 1, 0) => (g * b).into(),
            (1, 1, _) => (g * a).into(),
            (2, 1, 0) => g.expand_dims(1).dot(b.expand_dims(0)).into(),
            (2, 1, _) => a.t().dot(g).into(),
            (1, _, 0) => b.dot(g).into(),
            (1, _, _) => a.expand_dims(1).dot(g.expand_dims(0)).into(),
            (_, _, 0) => g.dot(b.t()).into(),
            (_, _, _) => a.t().dot(g).into(),
        }
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// NumPy's `dot` for operands with up to two axes: the inner product of two vectors, the product of a matrix and
    /// a vector on either side, the matrix product, and with a scalar the elementwise product.
    ///
    /// `(m, k) · (k, n) → (m, n)`. Derivatives: `g · bᵀ` and `aᵀ · g`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let w = g.param("w", ndarray::array![[1.0], [2.0]]);
    /// let x = g.input("x", ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(w.t().dot(x).value()?, ndarray::array![[9.0, 12.0, 15.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the inner sizes differ:
    /// "`dot` requires (.., k) · (k, ..), got (3,) and (1, 3): 3 (axis 0) != 1 (axis 0)".
    #[track_caller]
    #[must_use]
    pub fn dot(self, other: impl IntoVar<'g, T>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside());
        self.graph().emit(Op::MatMul(MatMul::Dot), [self.erase(), other.erase()]).retype()
    }
}
