//! The tests, by what they promise. One binary, so that the crate is linked once.

mod accuracy;
mod errors;
mod gradients;
mod indices;
mod kinks;
mod normalize;
mod ops;
mod optimisers;
mod products;
mod programs;
mod rebuilt;
mod special_points;
mod support;
mod trees;
mod values;
mod ways;
mod windows;
