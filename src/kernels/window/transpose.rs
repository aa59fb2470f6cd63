//! Matrices written by columns that were read by rows: channels last, and back.

use super::pack::Scalar;
use crate::kernels::{Kernel, Level};

/// The side of the squares that are transposed in registers.
const SIDE: usize = 8;

/// `to[c · to_step + r] = from[r · from_step + c]`.
pub(super) fn transpose<T: Scalar>(
    level: Level,
    [rows, columns]: [usize; 2],
    from: &[T],
    from_step: usize,
    to: &mut [T],
    to_step: usize,
) {
    if rows == 1 && to_step == 1 {
        to[..columns].copy_from_slice(&from[..columns]);
    } else if columns == 1 && from_step == 1 {
        to[..rows].copy_from_slice(&from[..rows]);
    } else {
        level.run(Transpose { rows, columns, from, from_step, to, to_step });
    }
}

struct Transpose<'a, T> {
    rows: usize,
    columns: usize,
    from: &'a [T],
    from_step: usize,
    to: &'a mut [T],
    to_step: usize,
}

impl<T: Scalar> Kernel for Transpose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { rows, columns, from, from_step, to, to_step } = self;
        let (whole_rows, whole_columns) = (rows / SIDE * SIDE, columns / SIDE * SIDE);
        // Along the longer side, so that what is read and written lies near what was before.
        let along_rows = rows > columns;
        let (outer, inner) =
            if along_rows { (whole_rows, whole_columns) } else { (whole_columns, whole_rows) };
        for i in (0..outer).step_by(SIDE) {
            for j in (0..inner).step_by(SIDE) {
                let (r, c) = if along_rows { (i, j) } else { (j, i) };
                let to = &mut to[c * to_step + r..];
                T::turn::<FUSED>(&from[r * from_step + c..], from_step, to, to_step);
            }
        }
        for r in 0..rows {
            for c in if r < whole_rows { whole_columns } else { 0 }..columns {
                to[c * to_step + r] = from[r * from_step + c];
            }
        }
    }
}

/// The transpose of one square.
pub(crate) trait Turn: Copy {
    /// `to[c · to_step + r] = from[r · from_step + c]` for `r` and `c` below [`SIDE`].
    #[inline(always)]
    fn turn<const FUSED: bool>(from: &[Self], from_step: usize, to: &mut [Self], to_step: usize) {
        for c in 0..SIDE {
            let to = &mut to[c * to_step..c * to_step + SIDE];
            for (r, to) in to.iter_mut().enumerate() {
                *to = from[r * from_step + c];
            }
        }
    }
}

impl Turn for f64 {}

impl Turn for f32 {
    #[inline(always)]
    #[allow(unsafe_code, reason = "the compiler does not find the shuffles by itself")]
    fn turn<const FUSED: bool>(from: &[Self], from_step: usize, to: &mut [Self], to_step: usize) {
        assert!((SIDE - 1) * from_step + SIDE <= from.len() && (SIDE - 1) * to_step + SIDE <= to.len());
        #[cfg(target_arch = "x86_64")]
        if FUSED {
            // SAFETY: the squares are within the slices, as asserted, and every level of this architecture that has
            // a fused product has AVX.
            unsafe { turn_avx(from.as_ptr(), from_step, to.as_mut_ptr(), to_step) };
            return;
        }
        for r in 0..SIDE {
            for c in 0..SIDE {
                to[c * to_step + r] = from[r * from_step + c];
            }
        }
    }
}

/// Rows `r` and `r + 4` share a register, so that two rounds of shuffles within its halves are enough.
///
/// # Safety
/// The machine has AVX; both squares may be read, or written.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code, reason = "intrinsics")]
unsafe fn turn_avx(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
    use std::arch::x86_64::*;
    for half in [0, 4] {
        // SAFETY: four numbers of each of eight rows are read, and four rows of eight are written: half the square.
        unsafe {
            let pair = |r: usize| {
                let row = |r: usize| _mm_loadu_ps(from.add(r * from_step + half));
                _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(row(r)), row(r + 4))
            };
            let (a, b, c, d) = (pair(0), pair(1), pair(2), pair(3));
            let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
            _mm256_storeu_ps(to.add(half * to_step), _mm256_shuffle_ps::<0x44>(ab, cd));
            _mm256_storeu_ps(to.add((half + 1) * to_step), _mm256_shuffle_ps::<0xee>(ab, cd));
            let (ab, cd) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
            _mm256_storeu_ps(to.add((half + 2) * to_step), _mm256_shuffle_ps::<0x44>(ab, cd));
            _mm256_storeu_ps(to.add((half + 3) * to_step), _mm256_shuffle_ps::<0xee>(ab, cd));
        }
    }
}
