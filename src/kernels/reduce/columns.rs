//! Columns of a matrix in C order.

use super::RUN;
use super::cascade::DEPTH;

/// How many columns are reduced together.
const TILE: usize = 128;

/// `out[c]` for every column.
#[inline(always)]
pub(super) fn columns<T: Copy>(x: &[T], rows: usize, out: &mut [T], join: impl Fn(T, T) -> T + Copy) {
    let columns = out.len();
    for (t, out) in out.chunks_mut(TILE).enumerate() {
        let first = t * TILE;
        if rows <= RUN {
            run(x, columns, first, 0..rows, out, join);
        } else if rows <= RUN << 8 {
            tile::<T, 9>(x, columns, first, rows, out, join);
        } else {
            tile::<T, DEPTH>(x, columns, first, rows, out, join);
        }
    }
}

/// A tile of columns: runs, joined in pairs, for less than `2^D` runs.
#[inline(always)]
fn tile<T: Copy, const D: usize>(
    x: &[T],
    columns: usize,
    first: usize,
    rows: usize,
    out: &mut [T],
    join: impl Fn(T, T) -> T + Copy,
) {
    let mut waiting = [[x[0]; TILE]; D];
    let mut depth = 0;
    for (count, from) in (0..rows).step_by(RUN).enumerate() {
        run(x, columns, first, from..rows.min(from + RUN), out, join);
        for _ in 0..count.trailing_ones() {
            depth -= 1;
            under(&waiting[depth], out, join);
        }
        waiting[depth][..out.len()].copy_from_slice(out);
        depth += 1;
    }
    out.copy_from_slice(&waiting[depth - 1][..out.len()]);
    for larger in waiting[..depth - 1].iter().rev() {
        under(larger, out, join);
    }
}

/// `sums[i]` becomes `larger[i]` joined with `sums[i]`.
#[inline(always)]
pub(super) fn under<T: Copy>(larger: &[T], sums: &mut [T], join: impl Fn(T, T) -> T) {
    for (sum, &larger) in sums.iter_mut().zip(larger) {
        *sum = join(larger, *sum);
    }
}

/// Some rows, from the top.
#[inline(always)]
fn run<T: Copy>(
    x: &[T],
    columns: usize,
    first: usize,
    rows: std::ops::Range<usize>,
    out: &mut [T],
    join: impl Fn(T, T) -> T,
) {
    let row = |r: usize| &x[r * columns + first..r * columns + first + out.len()];
    let start = row(rows.start);
    let mut sums = [start[0]; TILE];
    sums[..start.len()].copy_from_slice(start);
    for r in rows.start + 1..rows.end {
        for (sum, &x) in sums.iter_mut().zip(row(r)) {
            *sum = join(*sum, x);
        }
    }
    out.copy_from_slice(&sums[..out.len()]);
}

/// Rows of the width of `sums`, joined to it from the top.
#[inline(always)]
pub(super) fn accumulate<T: Copy>(x: &[T], sums: &mut [T], join: impl Fn(T, T) -> T) {
    for row in x.chunks_exact(sums.len().max(1)) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum = join(*sum, x);
        }
    }
}
