//! Formulas for readers: as text, as LaTeX, and as drawings of their graphs.

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
