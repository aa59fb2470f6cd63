//! Optimisers: recipes for the updates of a program.
//!
//! An optimiser's state, such as a velocity or a moment, is made of parameters of the graph, with names like `w.adam.m`. It
//! is read, set and saved as any parameter is.

mod adam;
mod sgd;
mod state;

pub use self::adam::Adam;
pub use self::sgd::Sgd;
