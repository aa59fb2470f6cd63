//! The tests, by what they promise. One binary, so that the crate is linked once.

mod ops;
mod support;
