//! Formulas for readers: as text, and as drawings of their graphs.

mod dot;
mod drawing;
mod formula;
mod graph;
mod layout;
mod shown;
mod svg;
mod text;
mod values;

pub use self::drawing::Drawing;
