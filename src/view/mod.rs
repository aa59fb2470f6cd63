//! Formulas for readers: as text, as LaTeX, and as drawings of their graphs.
//!
//! Text is what `Display` of a [`Var`](crate::Var) gives, LaTeX what [`Var::to_latex`](crate::Var::to_latex) gives, and a
//! [`Drawing`] is a picture of the graph. All name what has a name, leave out what changes nothing, and show derivatives in
//! the form of textbooks.
//!
//! ```
//! use gradus::prelude::*;
//! use gradus::view::Drawing;
//! let g = Graph::new();
//! let (x, w) = (g.input("x", array![1.0, 2.0]), g.param("w", array![3.0, 4.0]));
//! let a = x.dot(w).sigmoid().named("a");
//! assert_eq!(a.to_string(), "x.dot(w).sigmoid()");
//! assert_eq!(a.to_latex(), r"\sigma\left(x^{T} \, w\right)");
//! assert_eq!(a.grad(w).to_latex(), r"a \, \left(1 - a\right) \, x");
//! assert!(Drawing::of((a, a.grad(w))).to_svg()?.ends_with("</svg>\n"));
//! # Ok::<(), gradus::Error>(())
//! ```

mod dot;
mod drawing;
mod formula;
mod graph;
mod latex;
mod layout;
mod shown;
mod svg;
mod text;
mod values;

pub use self::drawing::Drawing;
