//! Columns of a matrix in C order.

use super::RUN;
use super::cascade::DEPTH;

/// How many columns have their waiting runs together.
const TILE: usize = 256;

/// `out[c]` for every column.
#[inline(always)]
pub(super) fn columns<T: Copy>(x: &[T], rows: usize, out: &mut [T], join: impl Fn(T, T) -> T + Copy) {
    let columns = out.len();
    for (t, out) in out.chunks_mut(TILE).enumerate() {
        let matrix = Matrix { x, columns, first: t * TILE };
        match rows.div_ceil(RUN) {
            ..=1 => matrix.run(0, rows, out, join),
            // Waiting runs take memory, which has to be filled.
            2..8 => matrix.tile::<3>(rows, out, join),
            8..512 => matrix.tile::<9>(rows, out, join),
            _ => matrix.tile::<DEPTH>(rows, out, join),
        }
    }
}

/// A matrix from one of its columns on.
#[derive(Clone, Copy)]
struct Matrix<'a, T> {
    x: &'a [T],
    columns: usize,
    first: usize,
}

impl<T: Copy> Matrix<'_, T> {
    /// A tile of columns: runs, joined in pairs, for less than `2^D` runs.
    #[inline(always)]
    fn tile<const D: usize>(self, rows: usize, out: &mut [T], join: impl Fn(T, T) -> T + Copy) {
        let mut waiting = [[self.x[0]; TILE]; D];
        let mut depth = 0;
        for (count, from) in (0..rows).step_by(RUN).enumerate() {
            self.run(from, rows.min(from + RUN), out, join);
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

    /// Some rows, from the top: in pieces of so few columns that their sums stay in registers.
    #[inline(always)]
    fn run(self, from: usize, to: usize, out: &mut [T], join: impl Fn(T, T) -> T + Copy) {
        let mut done = 0;
        done += self.pieces::<64>(from, to, done, out, join);
        done += self.pieces::<16>(from, to, done, out, join);
        done += self.pieces::<4>(from, to, done, out, join);
        self.pieces::<1>(from, to, done, out, join);
    }

    /// As many pieces of `W` columns as there are behind those that are done; gives the number of columns.
    #[inline(always)]
    fn pieces<const W: usize>(
        self,
        from: usize,
        to: usize,
        done: usize,
        out: &mut [T],
        join: impl Fn(T, T) -> T + Copy,
    ) -> usize {
        let (pieces, _) = out[done..].as_chunks_mut::<W>();
        let count = pieces.len() * W;
        for (k, out) in pieces.iter_mut().enumerate() {
            let mut lines = self.x[from * self.columns..to * self.columns].chunks_exact(self.columns);
            let start = self.first + done + k * W;
            let piece = |line: &[T]| -> [T; W] { std::array::from_fn(|i| line[start..start + W][i]) };
            let Some(mut sums) = lines.next().map(piece) else { continue };
            for line in lines {
                for (sum, &x) in sums.iter_mut().zip(&line[start..start + W]) {
                    *sum = join(*sum, x);
                }
            }
            *out = sums;
        }
        count
    }
}

/// `sums[i]` becomes `larger[i]` joined with `sums[i]`.
#[inline(always)]
fn under<T: Copy>(larger: &[T], sums: &mut [T], join: impl Fn(T, T) -> T) {
    for (sum, &larger) in sums.iter_mut().zip(larger) {
        *sum = join(larger, *sum);
    }
}
