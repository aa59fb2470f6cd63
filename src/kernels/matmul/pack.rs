//! Copies of parts of matrices, in the order in which tiles read them.

use super::factor::Factor;
use super::place::Place;
use super::tile::prefetch;
use crate::kernels::Kernel;

/// How many rows and columns are transposed at once.
pub(super) const SIDE: usize = 4;

/// Copies a matrix by columns: `out[j · height + i] = from[i, j]`, and zeros for rows from the last to `height`. A
/// matrix of several times `height` rows is copied as so many matrices, one after the other.
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
        let length = height * from.columns;
        if from.rows > height && from.row_stride == 1 {
            return side_by_side(from, height, out);
        }
        let out = &mut out[..length];
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
    // The widths of whole tiles.
    match height {
        32 if from.rows == 32 => return runs::<T, 32>(from, out),
        16 if from.rows == 16 => return runs::<T, 16>(from, out),
        12 if from.rows == 12 => return runs::<T, 12>(from, out),
        8 if from.rows == 8 => return runs::<T, 8>(from, out),
        _ => {}
    }
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

/// Several matrices whose columns follow each other in memory: all of the first columns, then all of the second ones.
#[inline(always)]
#[allow(unsafe_code, reason = "matrices are read in place")]
fn side_by_side<T: Factor>(from: Place<T>, height: usize, out: &mut [T]) {
    const AHEAD: usize = 12;
    let length = height * from.columns;
    let line = 64 / size_of::<T>();
    for j in 0..from.columns {
        for i in (0..from.rows).step_by(line) {
            // Columns lie far apart: nothing else would fetch them in time.
            prefetch(from.at(i, j + AHEAD));
        }
        for (first, out) in out.chunks_exact_mut(length).enumerate() {
            let (column, out) = (from.at(first * height, j), &mut out[j * height..(j + 1) * height]);
            if height == 12 {
                // SAFETY: a column of one of the matrices has twelve neighbours.
                let twelve = unsafe { column.cast::<[T; 12]>().read() };
                out.copy_from_slice(&twelve);
                continue;
            }
            for (i, out) in out.iter_mut().enumerate() {
                // SAFETY: within the matrix, whose rows are a multiple of the height.
                *out = unsafe { column.add(i).read() };
            }
        }
    }
}

/// Whole columns of so many neighbours.
#[inline(always)]
#[allow(unsafe_code, reason = "matrices are read in place")]
fn runs<T: Factor, const HEIGHT: usize>(from: Place<T>, out: &mut [T]) {
    let (columns, _) = out.as_chunks_mut::<HEIGHT>();
    for (j, column) in columns.iter_mut().enumerate() {
        // SAFETY: neighbours in a column of the matrix, which has as many rows.
        *column = unsafe { from.at(0, j).cast::<[T; HEIGHT]>().read() };
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
            // The rows after these: nothing else would fetch them in time.
            let ahead = from.at(i + SIDE + square % SIDE, square / SIDE * SIDE * SIDE);
            prefetch(ahead);
            prefetch(ahead.wrapping_byte_add(SIDE * SIDE * size_of::<T>() - 64));
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
