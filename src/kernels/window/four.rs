//! Maximum pools whose windows are 2 × 2, side by side: some windows at a time.

use super::pack::Scalar;
use super::pool::{Pooling, larger, nothing};
use crate::kernels::Kernel;

/// Runs `$body` for chunks of a row of `$count` places, `$at` being the first and `$N` how many. The last chunk of a
/// size overlaps the one before, which does no harm where a result does not depend on what stood there.
macro_rules! in_chunks {
    ($count:expr, |$at:ident, $N:ident| $body:expr) => {{
        let count = $count;
        if count >= 8 {
            const $N: usize = 8;
            for i in 0..count.div_ceil($N) {
                let $at = (i * $N).min(count - $N);
                $body
            }
        } else if count >= 4 {
            const $N: usize = 4;
            for i in 0..count.div_ceil($N) {
                let $at = (i * $N).min(count - $N);
                $body
            }
        } else {
            const $N: usize = 1;
            for $at in 0..count {
                $body
            }
        }
    }};
}

/// Two rows of some neighbouring windows of 2 × 2.
#[inline(always)]
fn two_rows<T>(x: &[T], width: usize, row: usize, at: usize, n: usize) -> [&[T]; 2] {
    let start = 2 * row * width + 2 * at;
    [&x[start..start + 2 * n], &x[start + width..start + width + 2 * n]]
}

/// The maximum of every window.
pub(super) struct MaxOfFour<'a, T> {
    pub of: &'a Pooling,
    pub x: &'a [T],
    pub out: &'a mut [T],
}

impl<T: Scalar> Kernel for MaxOfFour<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { of, x, out } = self;
        let ([_, _, width], [_, rows, columns]) = (of.input, of.output);
        let planes = x.chunks_exact(of.pixels().max(1)).zip(out.chunks_exact_mut(of.places().max(1)));
        for (x, out) in planes {
            for row in 0..rows {
                let out = &mut out[row * columns..(row + 1) * columns];
                in_chunks!(columns, |at, N| {
                    let [top, bottom] = two_rows(x, width, row, at, N);
                    let out = &mut out[at..at + N];
                    let max = max_of_four::<T, { 2 * N }>(top, bottom);
                    for i in 0..N {
                        out[i] = max[2 * i];
                    }
                });
            }
        }
    }
}

/// Each window's `g`, shared by its elements that are its maximum.
pub(super) struct UnpoolFour<'a, T> {
    pub of: &'a Pooling,
    pub g: &'a [T],
    pub x: &'a [T],
    pub out: &'a mut [T],
}

impl<T: ShareAmongFour> Kernel for UnpoolFour<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { of, g, x, out } = self;
        let ([_, height, width], [_, rows, columns]) = (of.input, of.output);
        let whole = height == 2 * rows && width == 2 * columns;
        let pixels = of.pixels().max(1);
        let planes = g.chunks_exact(of.places().max(1)).zip(x.chunks_exact(pixels));
        for ((g, x), out) in planes.zip(out.chunks_exact_mut(pixels)) {
            if !whole {
                out.fill(T::default());
            }
            for row in 0..rows {
                let g = &g[row * columns..(row + 1) * columns];
                let (upper, lower) = out[2 * row * width..2 * (row + 1) * width].split_at_mut(width);
                in_chunks!(columns, |at, N| {
                    let [top, bottom] = two_rows(x, width, row, at, N);
                    let g = &g[at..at + N];
                    let (upper, lower) = (&mut upper[2 * at..2 * (at + N)], &mut lower[2 * at..2 * (at + N)]);
                    if N < 4 {
                        share_among_four(g, [top, bottom], [upper, lower]);
                    } else {
                        for i in (0..N).step_by(4) {
                            let two = 2 * i..2 * i + 8;
                            let out = [&mut upper[two.clone()], &mut lower[two.clone()]];
                            T::share::<FUSED>(&g[i..i + 4], [&top[two.clone()], &bottom[two]], out);
                        }
                    }
                });
            }
        }
    }
}

/// The maximum of each window, in the place of both of its columns.
#[inline(always)]
fn max_of_four<T: Scalar, const N: usize>(top: &[T], bottom: &[T]) -> [T; N] {
    let (top, bottom) = (&top[..N], &bottom[..N]);
    let mut max = [T::default(); N];
    for i in 0..N {
        max[i] = larger(top[i], bottom[i]);
    }
    let other = beside(&max);
    for i in 0..N {
        max[i] = larger(max[i], other[i]);
    }
    max
}

/// Every element's neighbour in its window.
#[inline(always)]
fn beside<T: Copy, const N: usize>(x: &[T; N]) -> [T; N] {
    let mut other = *x;
    for i in 0..N {
        other[i] = x[i ^ 1];
    }
    other
}

/// Each window's `g`, shared by its elements that are its maximum: for some windows of 2 × 2 side by side.
#[inline(always)]
fn share_among_four<T: Scalar>(g: &[T], [top, bottom]: [&[T]; 2], [upper, lower]: [&mut [T]; 2]) {
    for (i, &g) in g.iter().enumerate() {
        let x = [top[2 * i], top[2 * i + 1], bottom[2 * i], bottom[2 * i + 1]];
        let max = larger(larger(x[0], x[1]), larger(x[2], x[3]));
        let ties = x.iter().filter(|x| **x == max).count();
        let (share, nothing) = (g / T::count(ties), nothing(max));
        let [a, b, c, d] = x.map(|x| if x == max { share } else { nothing });
        (upper[2 * i], upper[2 * i + 1], lower[2 * i], lower[2 * i + 1]) = (a, b, c, d);
    }
}

/// [`share_among_four`] for four windows.
pub(crate) trait ShareAmongFour: Scalar {
    #[inline(always)]
    fn share<const FUSED: bool>(g: &[Self], x: [&[Self]; 2], out: [&mut [Self]; 2]) {
        share_among_four(g, x, out);
    }
}

impl ShareAmongFour for f64 {}

impl ShareAmongFour for f32 {
    #[inline(always)]
    #[allow(unsafe_code, reason = "the compiler does not find the shuffles by itself")]
    fn share<const FUSED: bool>(g: &[Self], x: [&[Self]; 2], out: [&mut [Self]; 2]) {
        #[cfg(target_arch = "x86_64")]
        if FUSED {
            let [top, bottom] = x.map(|x| x.first_chunk::<8>());
            let [upper, lower] = out.map(|out| out.first_chunk_mut::<8>());
            if let (Some(g), Some(top), Some(bottom), Some(upper), Some(lower)) =
                (g.first_chunk::<4>(), top, bottom, upper, lower)
            {
                // SAFETY: every level of this architecture that has a fused product has AVX.
                unsafe { share_avx(g, [top, bottom], [upper, lower]) };
            }
            return;
        }
        share_among_four(g, x, out);
    }
}

/// Both columns of a window compute the same, but for what they write.
///
/// # Safety
/// The machine has AVX.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code, reason = "intrinsics")]
unsafe fn share_avx(g: &[f32; 4], x: [&[f32; 8]; 2], out: [&mut [f32; 8]; 2]) {
    use std::arch::x86_64::*;
    // SAFETY: the machine has AVX, and the arrays are as long as what is read and written.
    unsafe {
        let larger = |a: __m256, b: __m256| {
            let first = _mm256_or_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a));
            _mm256_blendv_ps(b, a, first)
        };
        let beside = |a: __m256| _mm256_permute_ps::<0b10_11_00_01>(a);
        let (top, bottom) = (_mm256_loadu_ps(x[0].as_ptr()), _mm256_loadu_ps(x[1].as_ptr()));
        let column = larger(top, bottom);
        let max = larger(column, beside(column));
        let ties = [_mm256_cmp_ps::<_CMP_EQ_OQ>(top, max), _mm256_cmp_ps::<_CMP_EQ_OQ>(bottom, max)];
        let one = _mm256_set1_ps(1.0);
        let count = _mm256_add_ps(_mm256_and_ps(ties[0], one), _mm256_and_ps(ties[1], one));
        let g = _mm_loadu_ps(g.as_ptr());
        let g = _mm256_set_m128(_mm_unpackhi_ps(g, g), _mm_unpacklo_ps(g, g));
        let share = _mm256_div_ps(g, _mm256_add_ps(count, beside(count)));
        let nothing = _mm256_and_ps(_mm256_cmp_ps::<_CMP_UNORD_Q>(max, max), _mm256_set1_ps(f32::NAN));
        let [upper, lower] = out;
        _mm256_storeu_ps(upper.as_mut_ptr(), _mm256_blendv_ps(nothing, share, ties[0]));
        _mm256_storeu_ps(lower.as_mut_ptr(), _mm256_blendv_ps(nothing, share, ties[1]));
    }
}
