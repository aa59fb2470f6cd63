//! The examples as a user runs them: what they print and write, and what they say of bad files and options.

mod activations;
mod bad_input;
mod computation_graph;
mod deep;
mod differential_equation;
#[cfg(feature = "hdf5")]
mod hdf5;
mod helpers;
mod logistic_regression;
mod newton;
mod own_pictures;
mod planar;
mod program;
mod slips;
mod support;
mod transformer;
