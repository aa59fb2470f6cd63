//! Pools: the maximum or the mean of each window, and their transposes.
//!
//! Every plane (a channel of an image) is for itself, so the work is split by planes. Windows are visited one by one;
//! but windows of 2 × 2 side by side, the common case, some at a time.

use std::ops::Range;

use super::four::{MaxOfFour, ShareAmongFour, UnpoolFour};
use super::pack::Scalar;
use crate::kernels::{Level, Shared, Threads};

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
    pub(super) fn places(&self) -> usize {
        self.output.iter().product()
    }

    pub(super) fn pixels(&self) -> usize {
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
pub(super) fn larger<T: Scalar>(a: T, b: T) -> T {
    if (a > b) | (a != a) { a } else { b }
}

/// What an element of a window that is not its maximum gets: nothing, or NaN where the maximum is.
#[inline(always)]
#[allow(clippy::eq_op, reason = "only a NaN is not itself")]
pub(super) fn nothing<T: Scalar>(max: T) -> T {
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
