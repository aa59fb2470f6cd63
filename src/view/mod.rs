//! Formulas for readers.

mod text;
