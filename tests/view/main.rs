//! What a reader sees: formulas as LaTeX, and drawings of graphs.

mod balance;
mod drawing;
mod latex;
mod pictures;
mod svg;
