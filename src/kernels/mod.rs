//! Numbers only: slices in, slices out. Nothing here knows a graph.

mod lanes;
mod level;
mod map;
mod math;
mod matmul;
mod reduce;
mod strided;
#[allow(dead_code, reason = "until the steps run on several threads")]
mod threads;

pub(crate) use self::lanes::{FloatElement, FloatLanes, Lanes, Wrapping};
pub(crate) use self::level::{Kernel, Level};
pub(crate) use self::map::{map, map_near, select, zip};
pub(crate) use self::math::Fast;
pub(crate) use self::matmul::{Matrix, dot};
#[allow(unused_imports, reason = "for reductions at the end of a group of elementwise steps")]
pub(crate) use self::reduce::{BLOCK, Cascade, RUN, accumulate, total};
pub(crate) use self::reduce::{Join, Middle, Term, argmax, reduce, rows};
pub(crate) use self::strided::gather;
#[allow(unused_imports)]
pub(crate) use self::threads::{Shared, Threads};
