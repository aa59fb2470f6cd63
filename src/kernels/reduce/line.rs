//! Lines of memory.

use super::cascade::Stack;
use super::{BLOCK, RUN};

/// All terms, `None` if there are none.
#[inline(always)]
pub(super) fn total<T: Copy>(x: &[T], join: impl Fn(T, T) -> T + Copy) -> Option<T> {
    let first = *x.first()?;
    if x.len() <= BLOCK {
        return Some(block(x, join));
    }
    let mut stack = Stack::new(first);
    for x in x.chunks(BLOCK) {
        stack.push(block(x, join), join);
    }
    stack.total(join)
}

/// The parts of a line, as [`total`] joins its blocks.
#[inline(always)]
pub(super) fn parts<T: Copy>(x: &[T], join: impl Fn(T, T) -> T + Copy) -> Option<T> {
    let mut stack = Stack::new(*x.first()?);
    x.iter().for_each(|&part| stack.push(part, join));
    stack.total(join)
}

/// Of up to [`BLOCK`] terms, and of at least one.
#[inline(always)]
fn block<T: Copy>(x: &[T], join: impl Fn(T, T) -> T + Copy) -> T {
    match x.len() {
        0..=RUN => run(x, join),
        17..64 => lanes::<T, 8>(x, join),
        _ => lanes::<T, 32>(x, join),
    }
}

/// From left to right.
#[inline(always)]
fn run<T: Copy>(x: &[T], join: impl Fn(T, T) -> T + Copy) -> T {
    x[1..].iter().fold(x[0], |sum, &x| join(sum, x))
}

/// In `W` lanes, for at least `W` terms.
#[inline(always)]
fn lanes<T: Copy, const W: usize>(x: &[T], join: impl Fn(T, T) -> T + Copy) -> T {
    let (groups, rest) = x.as_chunks::<W>();
    let mut sums = groups[0];
    for group in &groups[1..] {
        for (sum, &x) in sums.iter_mut().zip(group) {
            *sum = join(*sum, x);
        }
    }
    if !rest.is_empty() {
        // Behind the rest nothing is changed: without a branch, a lane is joined with itself and left as it was.
        let mut joined = sums;
        joined[..rest.len()].copy_from_slice(rest);
        for (i, (sum, &x)) in sums.iter_mut().zip(&joined).enumerate() {
            *sum = if i < rest.len() { join(*sum, x) } else { *sum };
        }
    }
    let mut half = W / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] = join(sums[i], sums[i + half]);
        }
        half /= 2;
    }
    sums[0]
}

/// Rows of a matrix, of `W` to [`BLOCK`] terms.
#[inline(always)]
pub(super) fn rows<T: Copy, const W: usize>(
    x: &[T],
    columns: usize,
    out: &mut [T],
    join: impl Fn(T, T) -> T + Copy,
) {
    for (x, out) in x.chunks_exact(columns).zip(out) {
        *out = lanes::<T, W>(x, join);
    }
}

/// Rows of up to [`RUN`] terms, several side by side: each waits for its sum at every term.
#[inline(always)]
pub(super) fn short_rows<T: Copy>(x: &[T], columns: usize, out: &mut [T], join: impl Fn(T, T) -> T + Copy) {
    const SIDE: usize = 8;
    let groups = x.chunks_exact(SIDE * columns);
    let (rest, done) = (groups.remainder(), out.len() / SIDE * SIDE);
    let (whole, last) = out.split_at_mut(done);
    for (x, out) in groups.zip(whole.chunks_exact_mut(SIDE)) {
        let rows: [&[T]; SIDE] = std::array::from_fn(|r| &x[r * columns..(r + 1) * columns]);
        let mut sums: [T; SIDE] = rows.map(|row| row[0]);
        for c in 1..columns {
            for (sum, row) in sums.iter_mut().zip(&rows) {
                *sum = join(*sum, row[c]);
            }
        }
        out.copy_from_slice(&sums);
    }
    for (x, out) in rest.chunks_exact(columns).zip(last) {
        *out = run(x, join);
    }
}
