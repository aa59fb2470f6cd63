//! Formulas for readers.

mod formula;
mod shown;
mod text;
