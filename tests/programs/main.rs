//! The examples as a user runs them: what they print and write, and what they say of bad files and options.

mod activations;
mod computation_graph;
mod deep;
mod differential_equation;
mod helpers;
mod logistic_regression;
mod newton;
mod planar;
mod slips;
mod support;
mod transformer;
