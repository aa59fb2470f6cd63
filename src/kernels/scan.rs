//! Scans: every element of a line is made of the one before it.
//!
//! An array is (outer, middle, inner) in C order; lines go along its middle axis, from the first element, or in reverse
//! from the last.

use super::gather::each_part;
use super::{Lanes, Middle, Term, Threads};

/// A direction along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Towards {
    End,
    Start,
}

/// `y_k = y_{k-1} + x_k`.
pub(crate) fn cumsum<T: Term + Send + Sync>(
    of: Middle,
    towards: Towards,
    x: &[T],
    out: &mut [T],
    threads: Threads,
) {
    let sum = |at: usize, _, before: T| (T::Lanes::of(before) + T::Lanes::of(x[at])).get();
    scan(of, towards, out, threads, |at| x[at], sum);
}

/// `y_k = y_{k-1} · x_k`.
pub(crate) fn cumprod<T: Term + Send + Sync>(
    of: Middle,
    towards: Towards,
    x: &[T],
    out: &mut [T],
    threads: Threads,
) {
    let product = |at: usize, _, before: T| (T::Lanes::of(before) * T::Lanes::of(x[at])).get();
    scan(of, towards, out, threads, |at| x[at], product);
}

/// `s_k = a_k · s_{k-1} + b_k`, or with `a_{k-1}` if that `leads`; the first is `b` itself.
pub(crate) fn recurrence<T: Term + Send + Sync>(
    of: Middle,
    towards: Towards,
    leads: bool,
    [a, b]: [&[T]; 2],
    out: &mut [T],
    threads: Threads,
) {
    let next = |at: usize, last: usize, before: T| {
        let a = T::Lanes::of(a[if leads { last } else { at }]);
        (a * T::Lanes::of(before) + T::Lanes::of(b[at])).get()
    };
    scan(of, towards, out, threads, |at| b[at], next);
}

/// Each line from its `first` element on, which is made of its place; the `next` of its place, that of the one before,
/// and the one before.
#[inline(always)]
fn scan<T: Copy + Send>(
    of: Middle,
    towards: Towards,
    out: &mut [T],
    threads: Threads,
    first: impl Fn(usize) -> T + Sync,
    next: impl Fn(usize, usize, T) -> T + Sync,
) {
    let Middle { outer, middle, inner } = of;
    let row = |step: usize| if towards == Towards::End { step } else { middle - 1 - step };
    each_part(outer, middle * inner, out, threads, |_, blocks, out| {
        for (o, out) in blocks.zip(out.chunks_exact_mut(middle * inner)) {
            let start = o * middle * inner;
            let head = row(0) * inner;
            for (to, at) in out[head..head + inner].iter_mut().zip(start + head..) {
                *to = first(at);
            }
            for step in 1..middle {
                let (from, to) = (row(step - 1) * inner, row(step) * inner);
                for i in 0..inner {
                    out[to + i] = next(start + to + i, start + from + i, out[from + i]);
                }
            }
        }
    });
}
