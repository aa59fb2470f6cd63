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
    /// What will be read soon: a line is asked for with each row of `b`.
    pub ahead: *const T,
}

impl<T: Factor> Vectorised<T> for Job<T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        // The compiler drops the tiles that are too large for the registers.
        let most = if V::REGISTERS >= 32 { ROWS } else { HALF };
        match self.height {
            12 if most >= 12 => run::<T, V, 12>(&self),
            10 if most >= 10 => run::<T, V, 10>(&self),
            8 if most >= 8 => run::<T, V, 8>(&self),
            6 => run::<T, V, 6>(&self),
            4 => run::<T, V, 4>(&self),
            2 => run::<T, V, 2>(&self),
            height => unreachable!("a tile of {height} rows"),
        }
    }
}

/// One tile. Everything is a constant but the depth, and loops count to constants, so that the compiler unrolls them
/// and the sums stay in registers.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators are unrolled too late")]
#[allow(unsafe_code, reason = "tiles of one matrix are written by several threads")]
fn run<T: Factor, V: Vector<T>, const HEIGHT: usize>(job: &Job<T>) {
    let mut sums = [[V::splat(T::ZERO); VECTORS]; HEIGHT];
    let (mut a, mut b, mut ahead) = (job.a, job.b, job.ahead);
    if job.beta != T::ZERO {
        // The old result is needed at the end. Its rows lie far apart, so that nothing else would fetch it in time.
        for r in 0..HEIGHT {
            let out = job.out.wrapping_offset(r as isize * job.row_stride);
            prefetch(out);
            prefetch(out.wrapping_add(VECTORS * V::LANES - 1));
        }
    }
    for _ in 0..job.depth {
        prefetch(ahead);
        // SAFETY: for each of `depth` steps, `b` has a row as wide as the tile.
        let row = unsafe { [V::load(b), V::load(b.wrapping_add(V::LANES))] };
        for r in 0..HEIGHT {
            // SAFETY: for each of `depth` steps, `a` has `HEIGHT` factors.
            let factor = V::splat(unsafe { a.wrapping_add(r).read() });
            for v in 0..VECTORS {
                sums[r][v] = factor.mul_add(row[v], sums[r][v]);
            }
        }
        a = a.wrapping_add(HEIGHT);
        b = b.wrapping_offset(job.b_stride);
        ahead = ahead.wrapping_byte_add(64);
    }
    let alpha = V::splat(job.alpha);
    if job.rows == HEIGHT && job.columns == VECTORS * V::LANES && job.column_stride == 1 {
        let beta = V::splat(job.beta);
        for r in 0..HEIGHT {
            for v in 0..VECTORS {
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
            for v in 0..VECTORS {
                // SAFETY: there is room for `HEIGHT` rows of `VECTORS` vectors.
                unsafe { sums[r][v].store(copy.as_mut_ptr().add((r * VECTORS + v) * V::LANES)) };
            }
        }
        scatter::<T, V>(job, &copy, VECTORS * V::LANES);
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

/// Asks for a cache line. Any address is allowed.
#[inline(always)]
#[allow(unsafe_code, reason = "there is no safe way to ask for a cache line")]
fn prefetch<T>(line: *const T) {
    // SAFETY: a prefetch reads nothing that a program could notice.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}
