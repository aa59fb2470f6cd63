//! Numbers only: slices in, slices out. Nothing here knows a graph.

mod lanes;
mod matmul;
mod reduce;
mod strided;

pub(crate) use self::lanes::{FloatLanes, Lanes, Wrapping};
pub(crate) use self::matmul::{Matrix, dot};
pub(crate) use self::reduce::{Middle, argmax, fold, sum};
pub(crate) use self::strided::gather;

/// `out[i] = f(x[i])`.
#[inline(always)]
pub(crate) fn map<A: Copy, B>(x: &[A], out: &mut [B], f: impl Fn(A) -> B) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(x);
    }
}

/// `out[i] = f(a[i], b[i])`.
#[inline(always)]
pub(crate) fn zip<A: Copy, B: Copy, C>(a: &[A], b: &[B], out: &mut [C], f: impl Fn(A, B) -> C) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = f(a, b);
    }
}

/// `out[i] = if mask[i] { yes[i] } else { no[i] }`.
#[inline(always)]
pub(crate) fn select<T: Copy>(mask: &[bool], yes: &[T], no: &[T], out: &mut [T]) {
    for (((out, &mask), &yes), &no) in out.iter_mut().zip(mask).zip(yes).zip(no) {
        *out = if mask { yes } else { no };
    }
}
