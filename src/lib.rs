//! Reverse-mode automatic differentiation on [ndarray].
//!
//! You write a model as a formula; it is recorded as a graph, its gradient is derived as another formula on the same
//! graph, and both run as a compiled program. Logistic regression, from the formula to the trained weights:
//!
//! ```
//! use gradus::optim::Sgd;
//! use gradus::prelude::*;
//!
//! // Two features of four examples, which stand in columns, and their labels.
//! let x_train = array![[0.0, 1.0, 3.0, 4.0], [1.0, 0.5, -1.0, 0.0]];
//! let y_train = array![[0.0, 0.0, 1.0, 1.0]];
//!
//! let g = Graph::new();
//! let x = g.input("x", x_train.view());               // (n_x, m), a leaf whose value can be replaced
//! let y = g.input("y", y_train.view());               // (1, m)
//! let w = g.param("w", Array2::<f64>::zeros((2, 1))); // a leaf that training updates
//! let b = g.param("b", 0.0);
//!
//! let a = (w.t().dot(x) + b).sigmoid();
//! let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
//! assert!((cost.item()? - 2_f64.ln()).abs() < 1e-15);
//!
//! let [dw, db] = cost.grad([w, b]);                   // expressions of the same graph
//! assert_eq!(dw.shape(), [2, 1]);
//! assert_eq!(db.item()?, 0.0);
//!
//! let mut step = g.compile([cost], Sgd::new(0.5).minimize(cost, [w, b]))?;
//! for _ in 0..1000 {
//!     let [_cost] = step.run()?;                      // forward, gradient, update
//! }
//! assert!(cost.item()? < 0.02);
//! assert!(b.item()? < -3.0);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Contents
//!
//! - [`Graph`]: the tape. [`Graph::input`], [`Graph::param`], [`Graph::constant`] make leaves, [`Graph::compile`] a
//!   program.
//! - [`Var`]: a handle to a node, with all operators and methods.
//! - [`Rng`]: random numbers. [`CustomOp`]: operations of your own; [`Var::with_gradient`]: gradients of your own.
//! - [`Program`]: outputs and updates, compiled to run many times.
//! - [`ops`]: what each operation means.
//! - [`nn`]: losses, normalisations, attention, recurrent cells.
//! - [`optim`]: recipes for updates.
//! - [`view`]: formulas as text and LaTeX, and drawings of their graphs.
//! - [`check`]: is a gradient right, and is a formula derived by hand?
//! - [`Error`]: everything that can go wrong.

pub mod check;
mod cut;
mod element;
mod error;
mod exec;
mod grad;
pub mod graph;
mod kernels;
pub mod nn;
pub mod ops;
pub mod optim;
mod rewrite;
mod shape;
pub mod view;

pub use cut::Region;
pub use element::{DType, Dtype, Element, Erased, Float, Mask, Number, Real};
pub use error::{Error, Operand, Origin, Result};
pub use exec::{Feed, Program, Report, StepReport, Update, Updates, feed};
pub use graph::{Expr, Graph, IntoArray, Leaf, LeafKind, Var, VarList};
pub use ndarray;
pub use ops::{CustomOp, CustomSite, Pad, Rng, ShapeLike, concat, einsum, stack};
pub use shape::{Axes, Clash, Cut, Shape, Sizes};

/// What most programs need.
pub mod prelude {
    pub use crate::{Float, Graph, Var};
    pub use ndarray::{self, Array0, Array1, Array2, arr0, array};
}

/// The README and the pages of the book, whose code is tested.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/src/introduction.md")]
    mod introduction {}
    #[doc = include_str!("../docs/src/first-gradient.md")]
    mod first_gradient {}
    #[doc = include_str!("../docs/src/textbook.md")]
    mod textbook {}
    #[doc = include_str!("../docs/src/views.md")]
    mod views {}
    #[doc = include_str!("../docs/src/checking.md")]
    mod checking {}
    #[doc = include_str!("../docs/src/higher-derivatives.md")]
    mod higher_derivatives {}
    #[doc = include_str!("../docs/src/random.md")]
    mod random {}
    #[doc = include_str!("../docs/src/custom-operations.md")]
    mod custom_operations {}
    #[doc = include_str!("../docs/src/running.md")]
    mod running {}
    #[doc = include_str!("../docs/src/kinks.md")]
    mod kinks {}
    #[doc = include_str!("../docs/src/special-points.md")]
    mod special_points {}
    #[doc = include_str!("../docs/src/adding-an-operation.md")]
    mod adding_an_operation {}
    #[doc = include_str!("../docs/src/design.md")]
    mod design {}
}
