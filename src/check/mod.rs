//! Checking gradients: for our tests, and for users' own formulas.
//!
//! Three questions can be asked, each as a function that returns a `Result` and as an assertion for tests:
//!
//! - [`gradient`] and [`assert_gradient`]: is the derivative of an expression right? It is compared with central
//!   differences, in a random direction and with a random cotangent, at first and second order.
//! - [`derivation`] and [`assert_derivation`]: is a formula that was derived by hand the gradient? If it is not, the
//!   answer says how it differs, where the difference is one of the slips that people make.
//! - [`equality`] and [`assert_equality`]: is a formula the same function as another? If it is not, the answer is of
//!   the same kind.
//!
//! ```
//! use gradus::prelude::*;
//! use gradus::check::{assert_gradient, derivation};
//! let g = Graph::new();
//! let x = g.input("x", array![[1.0, 2.0, -1.0], [0.5, -0.3, 0.8]]);
//! let y = g.input("y", array![[1.0, 0.0, 1.0]]);
//! let w = g.param("w", array![[0.1], [-0.2]]);
//! let a = w.t().dot(x).sigmoid();
//! let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
//!
//! assert_gradient(cost, w);
//! let m = y.size_of(1);
//! assert!(derivation(cost, w, x.dot((a - y).t()) / m).is_ok());
//! let slip = derivation(cost, w, x.dot((a - y).t())).unwrap_err();
//! assert_eq!(
//!     slip.to_string(),
//!     "this is not the derivative with respect to `w`: it is 3 times what it should be (1/m is missing: m = 3 is \
//!      axis 1 of `x`)"
//! );
//! ```

mod compare;
mod derivation;
mod diagnosis;
mod differences;
mod edits;
mod equality;
mod mend;
mod mismatch;
mod places;
mod random;
mod report;
mod slip;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

use ndarray::ArrayD;

pub use self::derivation::{assert_derivation, derivation};
pub use self::differences::{Check, Report, Wrong, assert_gradient, gradient};
pub use self::equality::{assert_equality, equality};
pub use self::mismatch::{Expected, Mismatch};
pub use self::slip::{Change, Size, Slip};
use crate::element::DType;
use crate::error::{Error, Result};
use crate::exec::Feed;
use crate::graph::{Expr, LeafKind, NodeId, reach};
use crate::ops::Op;

/// Why a check did not pass.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The derivative differs from central differences.
    Wrong(Box<Wrong>),
    /// A formula is not what it should be.
    Mismatch(Box<Mismatch>),
    /// In other element types a difference says nothing.
    NotF64 {
        /// The operand, or the expression.
        name: String,
        /// Its element type.
        dtype: DType,
    },
    /// The derivative is so small that a rule that gives zero would pass.
    Flat {
        /// The operand.
        operand: String,
        /// 1 for the gradient, 2 for the gradient of the gradient.
        order: u8,
    },
    /// A value or a derivative is NaN or infinite, so that nothing can be compared.
    NotFinite {
        /// What is.
        what: String,
    },
    /// The check could not be made.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(wrong) => wrong.fmt(f),
            Self::Mismatch(mismatch) => mismatch.fmt(f),
            Self::NotF64 { name, dtype } => {
                write!(f, "a check compares in f64 only: `{name}` is {dtype}")
            }
            Self::Flat { operand, order } => {
                let derivative = if *order == 1 { "derivative" } else { "second derivative" };
                write!(f, "the {derivative} with respect to `{operand}` is zero to rounding here, ")?;
                f.write_str("so that any small number would pass: choose other values")
            }
            Self::NotFinite { what } => write!(f, "{what} is not finite here: choose other values"),
            Self::Error(error) => error.fmt(f),
        }
    }
}

/// A leaf and its present value.
struct Operand<'g> {
    leaf: Expr<'g>,
    name: String,
    value: ArrayD<f64>,
}

impl<'g> Operand<'g> {
    fn read(leaf: Expr<'g>) -> Result<Self> {
        let operand = leaf.graph().arena().describe(leaf.id());
        if leaf.leaf().is_none_or(|leaf| leaf.kind == LeafKind::Constant) {
            let expected = "an input or a parameter";
            return Err(Error::NotALeaf { op: "check", expected, operand: Box::new(operand) });
        }
        Ok(Self { leaf, name: operand.name, value: leaf.retype::<f64>().value()? })
    }

    fn feed<'a>(&self, value: &'a ArrayD<f64>) -> Feed<'a> {
        self.leaf.retype::<f64>().feed(value)
    }
}

/// The inputs and parameters of f64 that `roots` are computed from, with their values.
fn operands<'g>(roots: &[Expr<'g>]) -> Result<Vec<Operand<'g>>> {
    movable(roots).into_iter().map(Operand::read).collect()
}

/// The inputs and parameters of f64 that `roots` are computed from.
fn movable<'g>(roots: &[Expr<'g>]) -> Vec<Expr<'g>> {
    let Some(graph) = roots.first().map(|root| root.graph()) else { return Vec::new() };
    let below = below(roots).into_iter().map(|id| graph.handle(id));
    let moves = |e: &Expr<'g>| e.leaf().is_some_and(|leaf| leaf.kind != LeafKind::Constant);
    below.filter(|e| moves(e) && e.dtype() == DType::F64).collect()
}

/// Every node whose value `roots` depend on.
fn below(roots: &[Expr<'_>]) -> Vec<NodeId> {
    let Some(graph) = roots.first().map(|root| root.graph()) else { return Vec::new() };
    let arena = graph.arena();
    let reads = |user, k| arena.get(user).is_some_and(|node| Op::reads(&node.op, k));
    reach(&arena, roots.iter().map(|root| root.id()), reads)
}

/// The place of element number `flat` in an array of this shape.
fn index_of(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (place, &size) in index.iter_mut().zip(shape).rev() {
        *place = flat % size.max(1);
        flat /= size.max(1);
    }
    index
}
