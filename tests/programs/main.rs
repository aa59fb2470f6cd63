//! The examples as a user runs them: what they print and write, and what they say of bad files and options.

mod logistic_regression;
mod slips;
mod support;
