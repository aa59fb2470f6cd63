//! Pools: the maximum or the mean of each window, and their transposes.
//!
//! Every plane (a channel of an image) is for itself, so the work is split by planes. Windows are visited one by one;
//! but windows of 2 × 2 side by side, the common case, some at a time.

use std::ops::Range;

use super::pack::Scalar;
use crate::kernels::{Kernel, Level, Shared, Threads};

/// Sizes of a pool. There are three spatial axes, of which those that are missing have size 1 and come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pooling {
    pub planes: usize,
    pub input: [usize; 3],
    pub window: [usize; 3],
    pub output: [usize; 3],
    pub stride: [usize; 3],
    /// Padding in front of the input.
    pub before: [usize; 3],
}

/// What a window's elements are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Divisor {
    /// How many there are, padding included.
    Window,
    /// How many of them lie in the input.
    Inside,
}

/// How many parts the planes are split into, at most.
const PARTS: usize = 64;

impl Pooling {
    fn places(&self) -> usize {
        self.output.iter().product()
    }

    fn pixels(&self) -> usize {
        self.input.iter().product()
    }

    /// Whether windows are 2 × 2, side by side, without padding.
    fn is_two_by_two(&self) -> bool {
        self.window == [1, 2, 2] && self.stride[1..] == [2, 2] && self.before == [0; 3] && self.input[0] == 1
    }

    /// Calls `part` with planes and the elements of `out` in them, `size` for each.
    fn each_part<T: Send>(
        &self,
        size: usize,
        out: &mut [T],
        threads: Threads,
        part: impl Fn(Range<usize>, &mut [T]) + Sync,
    ) {
        let parts = self.planes.min(PARTS);
        let out = Shared::new(out);
        threads.each(parts, |i| {
            let planes = i * self.planes / parts..(i + 1) * self.planes / parts;
            // SAFETY: no two parts have a plane in common.
            #[allow(unsafe_code, reason = "see above")]
            let out = unsafe { out.part(planes.start * size..planes.end * size) };
            part(planes, out);
        });
    }

    /// The part of a window that lies in the input, along one axis.
    #[inline(always)]
    fn range(&self, axis: usize, place: usize) -> Range<usize> {
        let start = place * self.stride[axis];
        let end = (start + self.window[axis]).saturating_sub(self.before[axis]).min(self.input[axis]);
        start.saturating_sub(self.before[axis]).min(end)..end
    }

    /// Every window of a plane, in order.
    #[inline(always)]
    fn windows(&self, mut visit: impl FnMut(usize, &Window)) {
        let [n0, n1, n2] = self.output;
        for i0 in 0..n0 {
            for i1 in 0..n1 {
                let mut window =
                    Window { ranges: [self.range(0, i0), self.range(1, i1), 0..0], of: self.input };
                for i2 in 0..n2 {
                    window.ranges[2] = self.range(2, i2);
                    visit((i0 * n1 + i1) * n2 + i2, &window);
                }
            }
        }
    }
}

/// The elements of a window that lie in the input.
struct Window {
    ranges: [Range<usize>; 3],
    of: [usize; 3],
}

impl Window {
    #[inline(always)]
    fn each(&self, mut visit: impl FnMut(usize)) {
        let [depths, heights, widths] = &self.ranges;
        for d in depths.clone() {
            for h in heights.clone() {
                let row = (d * self.of[1] + h) * self.of[2];
                (row + widths.start..row + widths.end).for_each(&mut visit);
            }
        }
    }

    fn count(&self) -> usize {
        self.ranges.iter().map(|range| range.len()).product()
    }

    /// The largest element, NaN if one is NaN.
    #[inline(always)]
    fn max<T: Scalar>(&self, x: &[T]) -> T {
        let mut max = T::LOWEST;
        self.each(|i| max = larger(max, x[i]));
        max
    }

    /// How many elements are `max`.
    #[inline(always)]
    fn ties<T: Scalar>(&self, x: &[T], max: T) -> T {
        let mut ties = 0;
        self.each(|i| ties += usize::from(x[i] == max));
        T::count(ties)
    }
}

/// The larger of two; NaN where either is NaN.
#[inline(always)]
#[allow(clippy::eq_op, reason = "only a NaN is not itself")]
fn larger<T: Scalar>(a: T, b: T) -> T {
    if (a > b) | (a != a) { a } else { b }
}

/// What an element of a window that is not its maximum gets: nothing, or NaN where the maximum is.
#[inline(always)]
#[allow(clippy::eq_op, reason = "only a NaN is not itself")]
fn nothing<T: Scalar>(max: T) -> T {
    if max == max { T::default() } else { T::NAN }
}

/// The maximum of every window, NaN if an element is NaN.
pub(crate) fn max_pool<T: Scalar>(level: Level, of: &Pooling, x: &[T], out: &mut [T], threads: Threads) {
    let (pixels, places) = (of.pixels(), of.places());
    of.each_part(places, out, threads, |planes, out| {
        let x = &x[planes.start * pixels..planes.end * pixels];
        if of.is_two_by_two() {
            level.run(MaxOfFour { of, x, out });
            return;
        }
        for (x, out) in x.chunks_exact(pixels.max(1)).zip(out.chunks_exact_mut(places.max(1))) {
            of.windows(|place, window| out[place] = window.max(x));
        }
    });
}

/// The transpose of [`max_pool`] at `x`: each window's `g`, shared evenly by the elements that are its maximum, and NaN
/// for all of them if one is NaN.
pub(crate) fn max_unpool<T: ShareAmongFour>(
    level: Level,
    of: &Pooling,
    [g, x]: [&[T]; 2],
    out: &mut [T],
    threads: Threads,
) {
    let (pixels, places) = (of.pixels(), of.places());
    of.each_part(pixels, out, threads, |planes, out| {
        let (g, x) =
            (&g[planes.start * places..planes.end * places], &x[planes.start * pixels..planes.end * pixels]);
        if of.is_two_by_two() {
            level.run(UnpoolFour { of, g, x, out });
            return;
        }
        out.fill(T::default());
        for ((g, x), out) in g
            .chunks_exact(places.max(1))
            .zip(x.chunks_exact(pixels.max(1)))
            .zip(out.chunks_exact_mut(pixels.max(1)))
        {
            of.windows(|place, window| {
                let max = window.max(x);
                let share = g[place] / window.ties(x, max);
                window.each(|i| out[i] = out[i] + if x[i] == max { share } else { nothing(max) });
            });
        }
    });
}

/// The transpose of [`max_unpool`] in its first operand: the mean of `h` over the elements of each window that are the
/// maximum of `x`; NaN if one of `x` is.
pub(crate) fn max_gather<T: Scalar>(of: &Pooling, [h, x]: [&[T]; 2], out: &mut [T], threads: Threads) {
    let (pixels, places) = (of.pixels(), of.places());
    of.each_part(places, out, threads, |planes, out| {
        let range = planes.start * pixels..planes.end * pixels;
        let planes = h[range.clone()].chunks_exact(pixels.max(1)).zip(x[range].chunks_exact(pixels.max(1)));
        for ((h, x), out) in planes.zip(out.chunks_exact_mut(places.max(1))) {
            of.windows(|place, window| {
                let max = window.max(x);
                let mut sum = nothing(max);
                window.each(|i| {
                    if x[i] == max {
                        sum = sum + h[i];
                    }
                });
                out[place] = sum / window.ties(x, max);
            });
        }
    });
}

impl Divisor {
    #[inline(always)]
    fn of<T: Scalar>(self, pooling: &Pooling, window: &Window) -> T {
        T::count(match self {
            Self::Window => pooling.window.iter().product(),
            Self::Inside => window.count(),
        })
    }
}

/// The mean of every window.
pub(crate) fn avg_pool<T: Scalar>(of: &Pooling, divisor: Divisor, x: &[T], out: &mut [T], threads: Threads) {
    let (pixels, places) = (of.pixels(), of.places());
    of.each_part(places, out, threads, |planes, out| {
        let x = &x[planes.start * pixels..planes.end * pixels];
        for (x, out) in x.chunks_exact(pixels.max(1)).zip(out.chunks_exact_mut(places.max(1))) {
            of.windows(|place, window| {
                let mut sum = T::default();
                window.each(|i| sum = sum + x[i]);
                out[place] = sum / divisor.of(of, window);
            });
        }
    });
}

/// The transpose of [`avg_pool`]: each window's `g`, shared evenly by its elements.
pub(crate) fn avg_unpool<T: Scalar>(
    of: &Pooling,
    divisor: Divisor,
    g: &[T],
    out: &mut [T],
    threads: Threads,
) {
    let (pixels, places) = (of.pixels(), of.places());
    of.each_part(pixels, out, threads, |planes, out| {
        out.fill(T::default());
        let g = &g[planes.start * places..planes.end * places];
        for (g, out) in g.chunks_exact(places.max(1)).zip(out.chunks_exact_mut(pixels.max(1))) {
            of.windows(|place, window| {
                let share = g[place] / divisor.of(of, window);
                window.each(|i| out[i] = out[i] + share);
            });
        }
    });
}

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

struct MaxOfFour<'a, T> {
    of: &'a Pooling,
    x: &'a [T],
    out: &'a mut [T],
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

struct UnpoolFour<'a, T> {
    of: &'a Pooling,
    g: &'a [T],
    x: &'a [T],
    out: &'a mut [T],
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
