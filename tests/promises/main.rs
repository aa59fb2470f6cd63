//! The tests, by what they promise. One binary, so that the crate is linked once.

mod errors;
mod gradients;
mod indices;
mod kinks;
mod linalg;
mod normalize;
mod ops;
mod optimisers;
mod products;
mod programs;
mod rebuilt;
mod support;
mod trees;
mod values;
mod ways;
mod windows;
