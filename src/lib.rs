//! Reverse-mode automatic differentiation on ndarray.

pub mod check;
mod element;
mod error;
mod exec;
mod grad;
pub mod graph;
mod kernels;
pub mod ops;
pub mod optim;
mod rewrite;
mod shape;
mod view;

pub use element::{DType, Dtype, Element, Erased, Float, Mask, Number, Real};
pub use error::{Error, Operand, Origin, Result};
pub use exec::{Feed, Program, Update, Updates, feed};
pub use graph::{Expr, Graph, IntoArray, Leaf, LeafKind, Var, VarList};
pub use ndarray;
pub use shape::{Axes, Clash, Shape, Sizes};

/// What most programs need.
pub mod prelude {
    pub use crate::{Float, Graph, Var};
    pub use ndarray::{self, Array0, Array1, Array2, arr0, array};
}
