//! Numbers only: slices in, slices out. Nothing here knows a graph.

mod lanes;
mod level;
mod math;
mod matmul;
mod reduce;
mod strided;
#[allow(dead_code, reason = "until the steps run on several threads")]
mod threads;
mod window;

pub(crate) use self::lanes::{FloatElement, FloatLanes, Lanes, Wrapping};
pub(crate) use self::level::{Kernel, Level};
pub(crate) use self::matmul::{Matrix, dot};
pub(crate) use self::reduce::{Middle, argmax, fold, sum};
pub(crate) use self::strided::gather;
#[allow(unused_imports)]
pub(crate) use self::threads::{Shared, Threads};
pub(crate) use self::window::{
    Convolution, Divisor, Pooling, WindowElement, avg_pool, avg_unpool, conv, conv_input, conv_input_scratch,
    conv_scratch, conv_weight, conv_weight_scratch, max_gather, max_pool, max_unpool,
};

/// `out[i] = f(x[i])`.
#[inline(always)]
pub(crate) fn map<A: Copy, B>(x: &[A], out: &mut [B], f: impl Fn(A) -> B) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(x);
    }
}

/// As [`map`], for a function `near` of numbers up to [`FloatLanes::NEAR`] only: what lies beyond is left to `far`.
///
/// A branch inside the loop would keep it from being vectorised. So a run of elements is computed without looking,
/// and its far ones again, one by one, if there are any.
#[inline(always)]
pub(crate) fn map_near<L: FloatLanes>(
    x: &[L::Element],
    out: &mut [L::Element],
    near: impl Fn(L::Element) -> L::Element,
    far: impl Fn(L::Element) -> L::Element,
) {
    const RUN: usize = 256;
    for (x, out) in x.chunks(RUN).zip(out.chunks_mut(RUN)) {
        map(x, out, &near);
        if x.iter().fold(false, |any, &x| any | is_far::<L>(x)) {
            for (out, &x) in out.iter_mut().zip(x).filter(|(_, x)| is_far::<L>(**x)) {
                *out = far(x);
            }
        }
    }
}

#[inline(always)]
fn is_far<L: FloatLanes>(x: L::Element) -> bool {
    !L::of(x).abs().le(L::splat(L::NEAR))
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
