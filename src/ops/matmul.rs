//! Products of vectors and matrices.

use super::constant::IntoVar;
use super::contract;
use super::{
    Binary, Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, require_dtype,
    require_same_dtype,
};
use crate::element::{DType, Real};
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::shape::{Axes, Clash, Shape, broadcast};

/// A product of vectors and matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatMul {
    /// [`Var::dot`], for operands with one or two axes.
    Dot,
    /// [`Var::matmul`], where at least one operand has more than two axes.
    MatMul,
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
            Self::MatMul => Record {
                name: "matmul",
                notation: Notation::Method,
                latex: r"#1 \, #2",
                derivative: "g · bᵀ, aᵀ · g, summed over the stretched axes",
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
        let (a, b) = (operands[0].shape.ndim(), operands[1].shape.ndim());
        Ok(match self {
            // With a scalar on either side NumPy's `dot` is an elementwise product.
            Self::Dot if a == 0 || b == 0 => Op::Binary(Binary::Mul),
            // Where nothing is stretched the two are one.
            Self::MatMul if (1..=2).contains(&a) && (1..=2).contains(&b) => Op::MatMul(Self::Dot),
            _ => Op::MatMul(self),
        })
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.find().name;
        require_dtype(op, operands, 0, "floats", DType::is_float)?;
        require_same_dtype(op, operands, 0, 1)?;
        let (expected, fits): (_, fn(usize) -> bool) = match self {
            Self::Dot => ("operands with at most 2 axes", |rank| rank <= 2),
            Self::MatMul => ("operands with at least 1 axis", |rank| rank > 0),
        };
        if let Some(k) = operands.iter().position(|operand| !fits(operand.shape.ndim())) {
            return Err(Box::new(move |operand| Error::Rank { op, expected, operand: Box::new(operand(k)) }));
        }
        let (a, b) = (&operands[0].shape, &operands[1].shape);
        // The axes of `b` that are summed over, and before which its other ones stand.
        let (left, right) = (a.ndim() - 1, b.ndim().saturating_sub(2));
        if a[left] != b[right] {
            let clash = Clash { left: (left, a[left]), right: (right, b[right]) };
            return Err(Box::new(move |operand| Error::Dot {
                op,
                operands: Box::new([operand(0), operand(1)]),
                clash,
            }));
        }
        let (rows, columns) = (&a[left.saturating_sub(1)..left], &b[(right + 1).min(b.ndim())..]);
        let batch = broadcast(&a[..left.saturating_sub(1)], &b[..right]).map_err(|clash| -> Fault {
            Box::new(move |operand| Error::Broadcast {
                op,
                operands: Box::new([operand(0), operand(1)]),
                clash,
            })
        })?;
        let shape: Shape = batch.iter().chain(rows).chain(columns).copied().collect();
        Ok(Signature { dtype: operands[0].dtype, shape })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (a, b, g) = (at.inputs[0], at.inputs[1], at.cotangent);
        if *self == Self::MatMul {
            return batched(k, a, b, g).into();
        }
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

    fn stretches(&self) -> bool {
        *self == Self::MatMul
    }

    /// A batch of matrices times one matrix or vector is one product, of all their rows.
    fn lower<'g>(&self, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        if *self == Self::Dot {
            return None;
        }
        let (a, b) = (inputs[0], inputs[1]);
        match (a.ndim(), b.ndim()) {
            (_, 1 | 2) => {
                let rows = a.ndim() as i32 - 1;
                let axes: Vec<i32> = (0..rows).collect();
                Some(rows_of(a).dot(b).unflatten_like(Axes::from(&axes[..]), a))
            }
            (1, _) => Some(a.expand_dims(0).matmul(b).squeeze(-2)),
            _ => None,
        }
    }
}

/// The cotangent of an operand of a stretched product. What stretching has repeated the engine sums.
fn batched<'g>(k: usize, a: Expr<'g>, b: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    match (a.ndim(), b.ndim(), k) {
        (_, 1, 0) => g.expand_dims(-1) * b,
        (_, 1, _) => rows_of(a).t().dot(g.flatten([0, -1])),
        (_, 2, 0) => g.matmul(b.t()),
        (_, 2, _) => rows_of(a).t().dot(rows_of(g)),
        (1, _, 0) => b.matmul(g.expand_dims(-1)).squeeze(-1),
        (1, _, _) => a.expand_dims(1) * g.expand_dims(-2),
        (_, _, 0) => g.matmul(transposed(b)),
        _ => transposed(a).matmul(g),
    }
}

/// The last two axes exchanged.
#[track_caller]
pub(super) fn transposed(x: Expr<'_>) -> Expr<'_> {
    let rank = x.ndim() as i32;
    let axes: Vec<i32> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
    x.transpose(Axes::from(&axes[..]))
}

/// All axes but the last as one: a matrix.
fn rows_of(x: Expr<'_>) -> Expr<'_> {
    x.flatten([0, -2])
}

impl<'g, T: Real> Var<'g, T> {
    /// NumPy's `dot`: the inner product of two vectors, the product of a matrix and a vector on either side, the matrix
    /// product, and with a scalar the elementwise product. With more axes it is the sum of products over the last axis of this
    /// array and the last but one of `other`, or its only one: for all others, those of this array and then those of `other`.
    /// ([`matmul`](Self::matmul) broadcasts them.)
    ///
    /// `(.., m, k) · (.., k, n) → (.., m, .., n)`. Derivatives: `g · bᵀ` and `aᵀ · g`.
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
        let (a, b) = (self.erase(), other.erase());
        let rank = |x: Expr<'g>| x.look(|node| node.shape.ndim()).unwrap_or_default();
        if rank(a).max(rank(b)) > 2 {
            return self.graph().compose(|| contract::dot(a, b)).retype();
        }
        self.graph().emit(Op::MatMul(MatMul::Dot), [a, b]).retype()
    }

    /// NumPy's `matmul`: the product of the matrices in the last two axes, with the axes before them broadcast. A vector
    /// on the left is a row, a vector on the right a column, and the result does not have that axis. For operands with one
    /// or two axes it is [`dot`](Self::dot).
    ///
    /// `(.., m, k) · (.., k, n) → (.., m, n)`. Derivatives: `g · bᵀ` and `aᵀ · g`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let q = g.input("q", ndarray::Array4::<f64>::ones((8, 4, 64, 32)));
    /// let scores = q.matmul(q.transpose([0, 1, 3, 2]));
    /// assert_eq!(scores.shape(), [8, 4, 64, 64]);
    /// assert_eq!(scores.max().item()?, 32.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the inner sizes differ: "`matmul` requires (.., k) · (k, ..), got (2, 3, 4) and (3, 5): 4 (axis 2) != 3 (axis 0)";
    /// if the axes before do not broadcast; if an operand is a scalar.
    #[track_caller]
    #[must_use]
    pub fn matmul(self, other: impl IntoVar<'g, T>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside());
        self.graph().emit(Op::MatMul(MatMul::MatMul), [self.erase(), other.erase()]).retype()
    }
}
