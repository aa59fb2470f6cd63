//! The innermost loop of large products: a tile of the result, kept in registers.
//!
//! A tile has up to twelve rows and two vectors of columns: 24 sums in registers of their own, which is enough for
//! two multiply-adds in each cycle, with 14 loads among 24 of them.

use super::factor::Factor;
use super::simd::{self, Vector, Vectorised};
use crate::kernels::Level;

/// How many vectors of columns a tile has.
const VECTORS: usize = 2;
/// How many rows a tile has at most where there are 32 vector registers, and where there are 16.
const ROWS: usize = 12;
const HALF: usize = 6;

/// The size of the largest tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub rows: usize,
    pub columns: usize,
}

impl Size {
    /// As many sums as the registers of a level hold, and what they are made of.
    pub fn of<T>(level: Level) -> Self {
        let wide = level.vector_bytes() == 64 || cfg!(target_arch = "aarch64");
        Self { rows: if wide { ROWS } else { HALF }, columns: VECTORS * simd::lanes::<T>(level) }
    }
}

/// `out = alpha · a · b + beta · out` for a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<T> {
    /// The length of the inner axis.
    pub depth: usize,
    /// The factors of one row of `b`, one for each of `height` rows, then those of the next row.
    pub a: *const T,
    /// From one row to the next.
    pub a_row: isize,
    /// From the factors for one row of `b` to those for the next.
    pub a_step: isize,
    pub height: usize,
    /// The first row of `b`, as many columns as the tile is wide.
    pub b: *const T,
    /// From one row of `b` to the next.
    pub b_stride: isize,
    pub alpha: T,
    /// Where it is zero, `out` is not read.
    pub beta: T,
    pub out: *mut T,
    pub row_stride: isize,
    pub column_stride: isize,
    /// How many rows and columns there are to write.
    pub rows: usize,
    pub columns: usize,
    /// What will be read soon.
    pub ahead: Ahead<T>,
}

/// Memory that will be read soon: runs of neighbours, which a tile asks for while it computes, evenly over its steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<T> {
    /// The first run.
    pub start: *const T,
    /// From one run to the next.
    pub step: isize,
    pub runs: usize,
    /// How many neighbours a run has.
    pub length: usize,
}

impl<T> Ahead<T> {
    /// Nothing: a line that is in the cache anyway.
    pub fn nothing(at: *const T) -> Self {
        Self { start: at, step: 0, runs: 1, length: 1 }
    }
}

impl<T: Factor> Vectorised<T> for Job<T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        // The compiler drops the tiles that are too large for the registers.
        let most = if V::REGISTERS >= 32 { ROWS } else { HALF };
        match self.height {
            12 if most >= 12 => wide_or_narrow::<T, V, 12>(&self),
            10 if most >= 10 => wide_or_narrow::<T, V, 10>(&self),
            8 if most >= 8 => wide_or_narrow::<T, V, 8>(&self),
            6 => wide_or_narrow::<T, V, 6>(&self),
            4 => wide_or_narrow::<T, V, 4>(&self),
            2 => wide_or_narrow::<T, V, 2>(&self),
            height => unreachable!("a tile of {height} rows"),
        }
    }
}

/// A tile at the edge may need only one vector of columns. The factors of a step are mostly neighbours.
#[inline(always)]
fn wide_or_narrow<T: Factor, V: Vector<T>, const HEIGHT: usize>(job: &Job<T>) {
    match (job.columns > V::LANES, job.a_row == 1) {
        (true, true) => run::<T, V, HEIGHT, VECTORS, true>(job),
        (true, false) => run::<T, V, HEIGHT, VECTORS, false>(job),
        (false, true) => run::<T, V, HEIGHT, 1, true>(job),
        (false, false) => run::<T, V, HEIGHT, 1, false>(job),
    }
}

/// One tile. Everything is a constant but the depth, and loops count to constants, so that the compiler unrolls them
/// and the sums stay in registers.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators are unrolled too late")]
#[allow(unsafe_code, reason = "tiles of one matrix are written by several threads")]
fn run<T: Factor, V: Vector<T>, const HEIGHT: usize, const WIDTH: usize, const PACKED: bool>(job: &Job<T>) {
    let a_row = if PACKED { 1 } else { job.a_row };
    let mut sums = [[V::splat(T::ZERO); WIDTH]; HEIGHT];
    let (mut a, mut b, mut ahead) = (job.a, job.b, job.ahead.start);
    let pace = (job.depth / job.ahead.runs.max(HEIGHT)).max(1);
    let (middle, last) = (job.ahead.length / 2, job.ahead.length.saturating_sub(1));
    let (mut left, mut run) = (job.depth, 0);
    while left > 0 {
        if run < job.ahead.runs {
            prefetch(ahead);
            prefetch(ahead.wrapping_add(middle));
            prefetch(ahead.wrapping_add(last));
            ahead = ahead.wrapping_offset(job.ahead.step);
        }
        if run < HEIGHT {
            // The result is needed at the end. Its rows lie far apart, so that nothing else would fetch it in time.
            let out = job.out.wrapping_offset(run as isize * job.row_stride);
            prefetch_near(out);
            prefetch_near(out.wrapping_add(WIDTH * V::LANES / 2));
            prefetch_near(out.wrapping_add(WIDTH * V::LANES - 1));
        }
        run += 1;
        let steps = pace.min(left);
        left -= steps;
        for _ in 0..steps {
            let mut row = [V::splat(T::ZERO); WIDTH];
            for v in 0..WIDTH {
                // SAFETY: for each of `depth` steps, `b` has a row as wide as the tile.
                row[v] = unsafe { V::load(b.wrapping_add(v * V::LANES)) };
            }
            for r in 0..HEIGHT {
                // SAFETY: for each of `depth` steps, `a` has `HEIGHT` factors.
                let factor = V::splat(unsafe { a.wrapping_offset(r as isize * a_row).read() });
                for v in 0..WIDTH {
                    sums[r][v] = factor.mul_add(row[v], sums[r][v]);
                }
            }
            a = a.wrapping_offset(job.a_step);
            b = b.wrapping_offset(job.b_stride);
        }
    }
    let alpha = V::splat(job.alpha);
    if job.rows == HEIGHT && job.columns == WIDTH * V::LANES && job.column_stride == 1 {
        let beta = V::splat(job.beta);
        for r in 0..HEIGHT {
            for v in 0..WIDTH {
                let out = job.out.wrapping_offset(r as isize * job.row_stride).wrapping_add(v * V::LANES);
                // SAFETY: the result has `rows` rows of `columns` neighbours, which nobody else writes.
                unsafe {
                    let new = if job.beta == T::ZERO {
                        alpha.mul(sums[r][v])
                    } else {
                        alpha.mul_add(sums[r][v], beta.mul(V::load(out)))
                    };
                    new.store(out);
                }
            }
        }
    } else {
        let mut copy = [T::ZERO; ROWS * VECTORS * 16];
        for r in 0..HEIGHT {
            for v in 0..WIDTH {
                // SAFETY: there is room for `HEIGHT` rows of `WIDTH` vectors.
                unsafe { sums[r][v].store(copy.as_mut_ptr().add((r * WIDTH + v) * V::LANES)) };
            }
        }
        scatter::<T, V>(job, &copy, WIDTH * V::LANES);
    }
}

/// The same for a tile at the edge, or whose columns are not neighbours.
#[inline(always)]
#[allow(unsafe_code, reason = "tiles of one matrix are written by several threads")]
fn scatter<T: Factor, V: Vector<T>>(job: &Job<T>, sums: &[T], width: usize) {
    for (r, sums) in sums.chunks_exact(width).take(job.rows).enumerate() {
        let out = job.out.wrapping_offset(r as isize * job.row_stride);
        for (c, &sum) in sums[..job.columns].iter().enumerate() {
            let out = out.wrapping_offset(c as isize * job.column_stride);
            // SAFETY: the result has `rows` rows and `columns` columns, which nobody else writes.
            unsafe { update::<T, V>(job.alpha, sum, job.beta, out) };
        }
    }
}

/// `out = alpha · sum + beta · out`, rounded as vectors do it.
///
/// # Safety
/// `out` can be written, and read where `beta` is not zero.
#[inline(always)]
#[allow(unsafe_code, reason = "tiles of one matrix are written by several threads")]
pub(super) unsafe fn update<T: Factor, V: Vector<T>>(alpha: T, sum: T, beta: T, out: *mut T) {
    // SAFETY: the caller says so.
    unsafe {
        out.write(if beta == T::ZERO {
            alpha * sum
        } else {
            simd::mul_add::<T, V>(alpha, sum, beta * out.read())
        });
    }
}

/// Asks for a cache line to be written or read at once. Any address is allowed.
#[inline(always)]
#[allow(unsafe_code, reason = "there is no safe way to ask for a cache line")]
fn prefetch_near<T>(line: *const T) {
    // SAFETY: a prefetch reads nothing that a program could notice.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_ET0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Asks for a cache line. Any address is allowed.
#[inline(always)]
#[allow(unsafe_code, reason = "there is no safe way to ask for a cache line")]
pub(super) fn prefetch<T>(line: *const T) {
    // SAFETY: a prefetch reads nothing that a program could notice.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}
