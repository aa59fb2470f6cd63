//! The tests, by what they promise. One binary, so that the crate is linked once.

mod custom;
mod derivatives;
mod errors;
mod gradients;
mod indices;
mod kinks;
mod normalize;
mod ops;
mod optimisers;
mod own_gradients;
mod products;
mod programs;
mod random;
mod rebuilt;
mod support;
mod trees;
mod values;
mod ways;
mod windows;
