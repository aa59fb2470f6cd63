//! Loops over elements.

use super::{FloatLanes, Kernel, Level};

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

/// `out[i] = f(a[i], b[i])`; an operand of one element stands for as many as there are.
#[inline(always)]
pub(crate) fn zip<A: Copy, B: Copy, C>(a: &[A], b: &[B], out: &mut [C], f: impl Fn(A, B) -> C) {
    match (a, b) {
        (&[a], &[b]) => out.iter_mut().for_each(|out| *out = f(a, b)),
        (&[a], _) => map(
            b,
            out,
            #[inline(always)]
            |b| f(a, b),
        ),
        (_, &[b]) => map(
            a,
            out,
            #[inline(always)]
            |a| f(a, b),
        ),
        _ => {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = f(a, b);
            }
        }
    }
}

/// `out[i] = if mask[i] { yes[i] } else { no[i] }`; an operand of one element stands for as many as there are.
pub(crate) fn select<T: Copy>(level: Level, mask: &[bool], yes: &[T], no: &[T], out: &mut [T]) {
    match (mask, yes, no) {
        (&[mask], _, _) => match if mask { yes } else { no } {
            &[value] => out.fill(value),
            values => out.copy_from_slice(values),
        },
        (_, &[yes], &[no]) => level.run(Select { mask, yes: One(yes), no: One(no), out }),
        (_, &[yes], _) => level.run(Select { mask, yes: One(yes), no, out }),
        (_, _, &[no]) => level.run(Select { mask, yes, no: One(no), out }),
        _ => level.run(Select { mask, yes, no, out }),
    }
}

/// One element that stands for many.
struct One<T>(T);

/// An element for every place.
trait Elements<T> {
    fn elements(self, count: usize) -> impl Iterator<Item = T>;
}

impl<T: Copy> Elements<T> for One<T> {
    #[inline(always)]
    fn elements(self, count: usize) -> impl Iterator<Item = T> {
        std::iter::repeat_n(self.0, count)
    }
}

impl<T: Copy> Elements<T> for &[T] {
    #[inline(always)]
    fn elements(self, count: usize) -> impl Iterator<Item = T> {
        self[..count].iter().copied()
    }
}

struct Select<'a, T, Y, N> {
    mask: &'a [bool],
    yes: Y,
    no: N,
    out: &'a mut [T],
}

impl<T: Copy, Y: Elements<T>, N: Elements<T>> Kernel for Select<'_, T, Y, N> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let count = self.out.len();
        let branches = self.yes.elements(count).zip(self.no.elements(count));
        for ((out, &mask), (yes, no)) in self.out.iter_mut().zip(self.mask).zip(branches) {
            *out = if mask { yes } else { no };
        }
    }
}

/// `out[i] = f(x[i])`, or `f(a[i], b[i])`, compiled for the level; an operand of one element stands for as many as there
/// are.
pub(crate) fn map_at<A: Copy, B>(level: Level, x: &[A], out: &mut [B], f: impl Fn(A) -> B) {
    level.run(Map { x, out, f });
}

/// As [`map_at`].
pub(crate) fn zip_at<A: Copy, B: Copy, C>(
    level: Level,
    a: &[A],
    b: &[B],
    out: &mut [C],
    f: impl Fn(A, B) -> C,
) {
    level.run(Zip { a, b, out, f });
}

struct Map<'a, A, B, F> {
    x: &'a [A],
    out: &'a mut [B],
    f: F,
}

impl<A: Copy, B, F: Fn(A) -> B> Kernel for Map<'_, A, B, F> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        map(self.x, self.out, self.f);
    }
}

struct Zip<'a, A, B, C, F> {
    a: &'a [A],
    b: &'a [B],
    out: &'a mut [C],
    f: F,
}

impl<A: Copy, B: Copy, C, F: Fn(A, B) -> C> Kernel for Zip<'_, A, B, C, F> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        zip(self.a, self.b, self.out, self.f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_element_stands_for_many() {
        for level in Level::available() {
            for n in [1, 2, 31, 100] {
                let mask: Vec<bool> = (0..n).map(|i| i % 3 == 0).collect();
                let a: Vec<i64> = (0..n as i64).collect();
                let b: Vec<i64> = (0..n as i64).map(|i| 1000 - i).collect();
                for (one_mask, one_yes, one_no) in (0..8).map(|k| (k & 1 > 0, k & 2 > 0, k & 4 > 0)) {
                    let first = |one: bool, x: usize| if one { 0 } else { x };
                    let length = |one: bool| if one { 1 } else { n };
                    let (mask, yes, no) =
                        (&mask[..length(one_mask)], &a[..length(one_yes)], &b[..length(one_no)]);
                    let mut out = vec![-1; n];
                    select(level, mask, yes, no, &mut out);
                    for (i, found) in out.iter().enumerate() {
                        let (yes, no) = (a[first(one_yes, i)], b[first(one_no, i)]);
                        assert_eq!(*found, if mask[first(one_mask, i)] { yes } else { no });
                    }
                    zip_at(level, yes, no, &mut out, |a, b| a * 3 - b);
                    for (i, found) in out.iter().enumerate() {
                        assert_eq!(*found, a[first(one_yes, i)] * 3 - b[first(one_no, i)]);
                    }
                }
            }
        }
    }
}
