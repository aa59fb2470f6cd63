//! Numbers only: slices in, slices out. Nothing here knows a graph.

mod lanes;
mod level;
mod map;
mod math;
mod matmul;
mod pairs;
mod reduce;
mod strided;
#[allow(dead_code, reason = "until the steps run on several threads")]
mod threads;

pub(crate) use self::lanes::{FloatElement, FloatLanes, Lanes, Wrapping};
pub(crate) use self::level::Kernel;
pub use self::level::Level;
pub(crate) use self::map::{map, map_at, map_near, select, zip, zip_at};
pub(crate) use self::math::Fast;
pub(crate) use self::matmul::{Matrix, dot};
#[allow(unused_imports, reason = "for groups of elementwise steps that hold both")]
pub(crate) use self::pairs::Pair;
#[allow(unused_imports, reason = "for reductions at the end of a group of elementwise steps")]
pub(crate) use self::reduce::{BLOCK, Cascade, RUN, Term, accumulate, rows, total};
pub(crate) use self::reduce::{Join, Middle, argmax, reduce};
pub(crate) use self::strided::gather;
#[allow(unused_imports)]
pub(crate) use self::threads::{Shared, Threads};
