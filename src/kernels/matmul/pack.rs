//! Copies of parts of matrices, in the order in which tiles read them.

use super::factor::Factor;
use super::place::Place;
use crate::kernels::Kernel;

/// How many rows and columns are transposed at once.
pub(super) const SIDE: usize = 4;

/// Copies a matrix by columns: `out[j · height + i] = from[i, j]`, and zeros for rows from the last to `height`.
pub(super) struct Pack<'a, T> {
    pub from: Place<T>,
    pub height: usize,
    pub out: &'a mut [T],
}

impl<T: Factor> Kernel for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { from, height, out } = self;
        let out = &mut out[..height * from.columns];
        if from.row_stride == 1 {
            columns(from, height, out);
        } else if from.column_stride == 1 {
            rows(from, height, out);
        } else {
            each(from, 0, height, out);
        }
    }
}

/// Neighbours in a column are neighbours in memory.
#[inline(always)]
#[allow(unsafe_code, reason = "matrices are read in place")]
fn columns<T: Factor>(from: Place<T>, height: usize, out: &mut [T]) {
    const RUN: usize = 8;
    let whole = from.rows / RUN * RUN;
    for (j, out) in out.chunks_exact_mut(height).enumerate() {
        for i in (0..whole).step_by(RUN) {
            // SAFETY: neighbours in a column of the matrix, and within this column of the copy.
            unsafe {
                out.as_mut_ptr().add(i).cast::<[T; RUN]>().write(from.at(i, j).cast::<[T; RUN]>().read())
            };
        }
        for (i, out) in out.iter_mut().enumerate().skip(whole) {
            // SAFETY: within the matrix.
            *out = if i < from.rows { unsafe { from.at(i, j).read() } } else { T::ZERO };
        }
    }
}

/// Neighbours in a row are neighbours in memory: the copy is a transpose, done by small squares.
#[inline(always)]
#[allow(unsafe_code, reason = "matrices are read in place")]
fn rows<T: Factor>(from: Place<T>, height: usize, out: &mut [T]) {
    let squares = from.columns / SIDE;
    let whole = from.rows / SIDE * SIDE;
    for i in (0..whole).step_by(SIDE) {
        for square in 0..squares {
            let j = square * SIDE;
            // Loops and no closures, which would be compiled apart.
            let mut rows = [[T::ZERO; SIDE]; SIDE];
            for (r, row) in rows.iter_mut().enumerate() {
                // SAFETY: the square lies within the matrix, and its rows are neighbours.
                *row = unsafe { from.at(i + r, j).cast::<[T; SIDE]>().read() };
            }
            let columns = T::transpose(rows);
            for (c, column) in columns.iter().enumerate() {
                let start = (j + c) * height + i;
                // SAFETY: `i` and three more rows are below `height`, and column `j + c` is one of the copy's.
                unsafe { out.as_mut_ptr().add(start).cast::<[T; SIDE]>().write(*column) };
            }
        }
    }
    let rest = from.columns(squares * SIDE..from.columns);
    each(rest.rows(0..whole), 0, height, &mut out[squares * SIDE * height..]);
    each(from.rows(whole..from.rows), whole, height, out);
}

/// One by one, from row `first` of the copy on.
#[inline(always)]
#[allow(unsafe_code, reason = "matrices are read in place")]
fn each<T: Factor>(from: Place<T>, first: usize, height: usize, out: &mut [T]) {
    for (j, out) in out.chunks_exact_mut(height).enumerate().take(from.columns) {
        for (i, out) in out[first..].iter_mut().enumerate() {
            // SAFETY: within the matrix.
            *out = if i < from.rows { unsafe { from.at(i, j).read() } } else { T::ZERO };
        }
    }
}
