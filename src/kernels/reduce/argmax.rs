//! Where the largest element is.

use super::{Kernel, Level, Middle, Term, line, maximum};

/// The index of the first largest element along the middle axis, or of the first NaN. There is at least one element.
pub(crate) fn argmax<T: Term>(level: Level, x: &[T], axis: Middle, out: &mut [i64]) {
    level.run(ArgMax { x, axis, out });
}

struct ArgMax<'a, T> {
    x: &'a [T],
    axis: Middle,
    out: &'a mut [i64],
}

impl<T: Term> Kernel for ArgMax<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Middle { middle, inner, .. } = self.axis;
        if self.out.is_empty() {
            return;
        }
        let parts = self.x.chunks_exact(middle * inner).zip(self.out.chunks_exact_mut(inner));
        if inner == 1 {
            parts.for_each(|(x, out)| out[0] = in_line(x));
        } else {
            parts.for_each(|(x, out)| in_columns(x, out));
        }
    }
}

/// First what the maximum is, then where: two passes that a loop can make side by side, unlike one.
#[inline(always)]
fn in_line<T: Term>(x: &[T]) -> i64 {
    const GROUP: usize = 64;
    let Some(best) = line::total(x, maximum) else { return 0 };
    // NaN is the maximum as soon as there is one.
    let wins = |x: T| (x == best) | is_nan(x);
    let holds = |group: &[T]| group.iter().fold(false, |any, &x| any | wins(x));
    let group = x.chunks(GROUP).position(holds).unwrap_or(0) * GROUP;
    let within = x[group..].iter().position(|&x| wins(x)).unwrap_or(0);
    (group + within) as i64
}

#[inline(always)]
fn is_nan<T: Term>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}

/// In tiles of columns, whose best terms and their rows stay in registers or close by.
#[inline(always)]
fn in_columns<T: Term>(x: &[T], out: &mut [i64]) {
    const TILE: usize = 16;
    let columns = out.len();
    let (tiles, rest) = out.as_chunks_mut::<TILE>();
    for (t, out) in tiles.iter_mut().enumerate() {
        tile::<T, TILE>(x, columns, t * TILE, out);
    }
    let done = columns - rest.len();
    for (c, out) in rest.as_chunks_mut::<1>().0.iter_mut().enumerate() {
        tile::<T, 1>(x, columns, done + c, out);
    }
}

#[inline(always)]
fn tile<T: Term, const W: usize>(x: &[T], columns: usize, first: usize, out: &mut [i64; W]) {
    let mut best: [T; W] = std::array::from_fn(|i| x[first..first + W][i]);
    *out = [0; W];
    for (m, row) in (1..).zip(x.chunks_exact(columns).skip(1)) {
        let row = &row[first..first + W];
        for ((best, index), &x) in best.iter_mut().zip(&mut *out).zip(row) {
            // What is larger, or NaN; nothing beats a NaN.
            #[allow(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN beats numbers")]
            let beats = !(x <= *best) & !is_nan(*best);
            *best = if beats { x } else { *best };
            *index = if beats { m } else { *index };
        }
    }
}
