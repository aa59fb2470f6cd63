//! The floats that matrices hold, and the memory that their products need meanwhile.

use std::cell::RefCell;
use std::ops::{Add, Mul};

use super::pack::SIDE;
use super::simd::{self, Vector};

/// What a matrix that can be multiplied holds.
pub(crate) trait Factor:
    Copy + PartialEq + Add<Output = Self> + Mul<Output = Self> + Send + Sync + 'static
{
    const ZERO: Self;
    const ONE: Self;

    /// `self · by + plus`, in one instruction where there is one.
    fn mul_add<const FUSED: bool>(self, by: Self, plus: Self) -> Self;

    /// Rows as columns.
    fn transpose(rows: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE];

    /// Vector registers of 64 bytes, of 32, and of 16.
    type Wide: Vector<Self>;
    type Half: Vector<Self>;
    type Narrow: Vector<Self>;

    /// Lends the calling thread's memory for a purpose.
    fn with_scratch<R>(purpose: Purpose, length: usize, run: impl FnOnce(&mut [Self]) -> R) -> R;
}

/// What memory is lent for: each thread keeps one piece for each, so that products in a loop allocate only once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The rows of `a`, in the order in which tiles read them.
    Rows,
    /// Some columns of `b`, likewise.
    Columns,
    /// Sums over parts of the inner axis.
    Sums,
    /// A vector without its gaps.
    Vector,
}

/// So aligned that no vector is read across a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line<T>([T; Line::<()>::LENGTH]);

impl Line<()> {
    const LENGTH: usize = 16;
}

macro_rules! factor {
    ($t:ty, $wide:ident, $half:ident, $narrow:ident, $transpose:path) => {
        impl Factor for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline(always)]
            fn mul_add<const FUSED: bool>(self, by: Self, plus: Self) -> Self {
                if FUSED { self.mul_add(by, plus) } else { self * by + plus }
            }

            #[inline(always)]
            fn transpose(rows: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
                $transpose(rows)
            }

            type Wide = simd::$wide;
            type Half = simd::$half;
            type Narrow = simd::$narrow;

            #[allow(unsafe_code, reason = "aligned lines are lent as plain numbers")]
            fn with_scratch<R>(purpose: Purpose, length: usize, run: impl FnOnce(&mut [Self]) -> R) -> R {
                thread_local! {
                    static SCRATCH: [RefCell<Vec<Line<$t>>>; 4] = const { [const { RefCell::new(Vec::new()) }; 4] };
                }
                // It is taken out while it is lent: a thread that waits for others may begin another product.
                let mut lines = SCRATCH.with(|scratch| scratch[purpose as usize].take());
                let count = length.div_ceil(Line::LENGTH);
                if lines.len() < count {
                    lines.resize(count, Line([0.0; Line::LENGTH]));
                }
                // SAFETY: a line is its numbers and nothing else, and there are at least `length` of them.
                let numbers = unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), length) };
                let result = run(numbers);
                SCRATCH.with(|scratch| scratch[purpose as usize].replace(lines));
                result
            }
        }
    };
}
factor!(f32, F32x16, F32x8, F32x4, simd::transpose_f32);
factor!(f64, F64x8, F64x4, F64x2, simd::transpose_f64);
