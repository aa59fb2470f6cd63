//! Numbers only: slices in, slices out. Nothing here knows a graph, and all `unsafe` of the crate is here.
//!
//! - [`memory`]: the buffer of a plan, and instructions that say beforehand which bytes they touch.
//! - [`level`]: which instructions of the machine a loop is compiled for; [`lanes`]: what the body of a loop may use.
//! - [`map`]: elementwise loops; [`pairs`]: two functions in one; [`math`]: the elementary functions.
//! - [`random`]: numbers that are drawn.
//! - [`reduce`]: sums, products, maxima and minima, in an order of their own.
//! - [`matmul`]: products of matrices; [`batch`]: of many of them; [`window`]: convolutions and pools.
//! - [`linalg`]: factorisations of matrices, and what is made of them.
//! - [`gather`]: elements at indices, and what is added at indices; [`scan`]: running sums and products; [`sort`]: orders.
//! - [`strided`]: arrays that do not lie in C order, copied from and to.
//! - [`threads`]: work in parts, on the threads there are.

mod batch;
mod gather;
mod lanes;
mod level;
mod linalg;
mod map;
mod math;
mod matmul;
mod memory;
mod pairs;
mod random;
mod reduce;
mod scan;
mod sort;
mod strided;
mod threads;
mod window;

pub(crate) use self::batch::products;
pub(crate) use self::gather::{scatter_add, scatter_along, take, take_along, writers};
pub(crate) use self::lanes::{FloatElement, FloatLanes, Lanes, Wrapping};
pub(crate) use self::level::Kernel;
pub use self::level::Level;
pub(crate) use self::linalg::{
    Entry, Triangle, batch_parts, cholesky, cofactor, cofactor_scratch, determinant, each_matrix, eigh,
    eigh_scratch, eigvalsh, expm, expm_along, expm_along_scratch, expm_scratch, inverse, log_determinant,
    pinv, pinv_scratch, qr, qr_scratch, solve, svd, svd_scratch, svdvals, triangular_solve,
};
pub(crate) use self::map::{map, map_at, map_near, select, zip, zip_at};
pub(crate) use self::math::Fast;
pub(crate) use self::matmul::{Factor, Layout, Matrix, MatrixMut, product_at};
pub(crate) use self::memory::{
    Arena, Call, Domain, Extent, Home, Instruction, LINE, LeafExtent, LeafMemory, Loop, Memory, Operands,
    Slot, Span, with_registers,
};
pub(crate) use self::pairs::Pair;
pub use self::random::Distribution;
pub(crate) use self::random::{Drawn, Key, draw};
pub(crate) use self::reduce::{Join, Middle, Term, argmax, parts, reduce, rows, total};
pub(crate) use self::scan::{Towards, cumprod, cumsum, recurrence};
pub(crate) use self::sort::{argsort, argsort_scratch};
pub(crate) use self::strided::{gather, scatter};
pub(crate) use self::threads::{Shared, Threads};
pub(crate) use self::window::{
    Convolution, Divisor, Pooling, WindowElement, avg_pool, avg_unpool, conv, conv_input, conv_input_scratch,
    conv_scratch, conv_weight, conv_weight_scratch, max_gather, max_pool, max_unpool,
};
