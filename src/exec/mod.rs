//! How a graph runs: reach, rewrite, plan, run.
//!
//! [`Program`] is the door; [`value`] goes through it for any node. [`code`] is the rewritten formula as a flat list, and
//! [`cache`] finds it again when a formula of the same [`structure`] is recorded anew.
//!
//! [`plan`] lays the list out for one set of leaf shapes. [`order`] says what is done when, [`schedule`] what is computed
//! together and what is only another view of something ([`place`]), [`accumulate`] which updates a product adds onto
//! its parameter, [`life`] which values overwrite theirs; [`memory`] gives every value its place in one buffer. A group becomes a loop over blocks ([`blocks`],
//! whose instructions are in [`block`]) or, if it is of numbers, flat code ([`scalars`]).
//!
//! For a run, [`bind`] finds the elements of each [`leaf`] or [`feed`] where they lie, [`step`] does the steps, and new
//! values of parameters are those that [`update`] asked for. [`report`] says what the steps are and how long they take.
//! [`plain`] computes the same without any of this, for the tests to compare with.

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
