//! The tests, by what they promise. One binary, so that the crate is linked once.

mod arrange;
mod contractions;
mod errors;
mod gathers;
mod gradients;
mod indices;
mod kinks;
mod losses;
mod networks;
mod normalize;
mod ops;
mod optimisers;
mod parts;
mod products;
mod programs;
mod rebuilt;
mod scans;
mod sliding;
mod sorting;
mod statistics;
mod support;
mod trees;
mod values;
mod ways;
mod windows;
