//! The tests, by what they promise. One binary, so that the crate is linked once.

mod errors;
mod gradients;
mod kinks;
mod ops;
mod programs;
mod support;
mod trees;
mod values;
mod windows;
