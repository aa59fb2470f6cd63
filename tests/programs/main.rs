//! The examples as a user runs them: what they print and write, and what they say of bad files and options.

mod bad_input;
mod deep;
#[cfg(feature = "hdf5")]
mod hdf5;
mod logistic_regression;
mod planar;
mod support;
