//! How a graph runs: reach, rewrite, plan, run.
//!
//! [`Program`] is the door. [`code`] is the rewritten formula as a flat list; [`plan`] lays it out for one set of
//! leaf shapes: [`schedule`] decides what is computed together and what is only another view of something,
//! [`memory`] gives every value its place in one buffer per element type, and [`step`] runs the result. [`plain`] computes
//! the same without any of this, for the tests to compare with.

mod accumulate;
mod bind;
mod block;
mod blocks;
mod cache;
mod code;
mod feed;
mod leaf;
mod life;
mod memory;
mod order;
mod place;
mod plain;
mod plan;
mod program;
mod report;
mod scalars;
mod schedule;
mod step;
mod structure;
mod update;
mod value;

pub use self::feed::{Feed, feed};
pub use self::program::Program;
pub use self::report::{Report, StepReport};
pub use self::update::{Update, Updates};
