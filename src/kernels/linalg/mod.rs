//! Factorisations of matrices and what is made of them, one matrix at a time.
//!
//! Matrices lie in C order, results are written whole, and whatever a function works in is handed to it. Nothing is
//! refused: a matrix that has no such factorisation, and one with an infinite or NaN entry, gives infinities or NaN.

mod cholesky;
mod cofactor;
mod eigen;
mod expm;
mod lu;
mod qr;
mod svd;
mod triangular;

use ndarray::NdFloat;

pub(crate) use self::cholesky::cholesky;
pub(crate) use self::cofactor::{cofactor, cofactor_scratch};
pub(crate) use self::eigen::{eigh, eigh_scratch, eigvalsh};
pub(crate) use self::expm::{expm, expm_along, expm_along_scratch, expm_scratch};
pub(crate) use self::lu::{determinant, inverse, log_determinant, solve};
pub(crate) use self::qr::{qr, qr_scratch};
pub(crate) use self::svd::{pinv, pinv_scratch, svd, svd_scratch, svdvals};
pub(crate) use self::triangular::{Triangle, triangular_solve};
use super::matmul::{Factor, Layout, Matrix, MatrixMut, product_at};
use super::{Level, Shared, Threads};

/// What the entries of a matrix may be.
pub(crate) trait Entry: NdFloat + Factor {
    /// The nearest number of this type.
    fn of(value: f64) -> Self;
}

impl Entry for f32 {
    fn of(value: f64) -> Self {
        value as Self
    }
}

impl Entry for f64 {
    fn of(value: f64) -> Self {
        value
    }
}

/// How many multiplications make a part of a batch that other threads may take.
const PART: usize = 1 << 16;

/// In how many parts a batch is done, given about how many multiplications each of its matrices takes. Every part
/// works in memory of its own.
pub(crate) fn batch_parts(batch: usize, effort: usize) -> usize {
    let together = (PART / effort.max(1)).max(1);
    batch.div_ceil(together).clamp(1, 16)
}

/// Calls `run` for each of `batch` results of `size` numbers, in so many parts. Each is given its number, the result,
/// and the part's share of the scratch.
#[allow(unsafe_code, reason = "several threads write parts of one result")]
pub(crate) fn each_matrix<T: Send>(
    threads: Threads,
    (batch, parts): (usize, usize),
    size: usize,
    out: &mut [T],
    scratch: &mut [T],
    run: impl Fn(usize, &mut [T], &mut [T]) + Sync,
) {
    let (share, together) = (scratch.len() / parts, batch.div_ceil(parts));
    let (out, scratch) = (Shared::new(out), Shared::new(scratch));
    threads.each(parts, |part| {
        // SAFETY: every part has a share of its own.
        let work = unsafe { scratch.part(part * share..(part + 1) * share) };
        for i in part * together..batch.min((part + 1) * together) {
            // SAFETY: every matrix of the batch has a place of its own, and is in one part.
            run(i, unsafe { out.part(i * size..(i + 1) * size) }, work);
        }
    });
}

/// `Σ a b`, in eight sums side by side.
fn dot<T: Entry>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 8;
    let mut sums = [T::zero(); LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let rest = rest.fold(T::zero(), |sum, (&a, &b)| sum + a * b);
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + rest
}

/// `y += factor x`.
fn add_scaled<T: Entry>(y: &mut [T], factor: T, x: &[T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// `(x, y)` becomes `(c x + s y, c y - s x)`.
fn rotate<T: Entry>(x: &mut [T], y: &mut [T], c: T, s: T) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (c * *x + s * *y, c * *y - s * *x);
    }
}

/// Two different rows of a matrix, `i < j`.
fn two_rows<T>(a: &mut [T], columns: usize, i: usize, j: usize) -> (&mut [T], &mut [T]) {
    let (upper, lower) = a.split_at_mut(j * columns);
    (&mut upper[i * columns..(i + 1) * columns], &mut lower[..columns])
}

fn swap_rows<T>(a: &mut [T], columns: usize, i: usize, j: usize) {
    if i != j {
        let (x, y) = two_rows(a, columns, i.min(j), i.max(j));
        x.swap_with_slice(y);
    }
}

/// `out[j, i] = a[i, j]`
fn transpose<T: Entry>(a: &[T], rows: usize, columns: usize, out: &mut [T]) {
    for (i, row) in a.chunks_exact(columns.max(1)).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            out[j * rows + i] = x;
        }
    }
}

/// `out = a · b`, of square matrices.
fn product<T: Entry>(level: Level, n: usize, a: &[T], b: &[T], out: &mut [T]) {
    let square = Layout::by_rows(n, n);
    let (a, b, out) = (Matrix::new(a, square), Matrix::new(b, square), MatrixMut::new(out, square));
    product_at(level, T::ONE, a, b, T::ZERO, out, Threads::ONE);
}

/// The power of two by which to divide so that squares neither overflow nor vanish: near the largest absolute value; 1
/// where that is 0, none where an entry is not finite.
fn scale_of<T: Entry>(a: &[T]) -> Option<T> {
    let finite = a.iter().all(|x| x.is_finite());
    let largest = a.iter().fold(T::zero(), |largest, x| largest.max(x.abs()));
    // The largest finite numbers have no power of two above them.
    let power = || T::of(2.0).powf(largest.log2().floor()).max(T::min_positive_value());
    finite.then(|| if largest > T::zero() { power() } else { T::one() })
}

/// Where the largest absolute value of a column is: of those that are equal but for rounding the first, so that the
/// sign rule does not depend on rounding.
fn is_flipped<T: Entry>(column: impl Iterator<Item = T> + Clone) -> bool {
    let largest = column.clone().fold(T::zero(), |largest, x| largest.max(x.abs()));
    let near = largest * (T::one() - T::epsilon().sqrt());
    column.into_iter().find(|x| x.abs() >= near).is_some_and(|x| x < T::zero())
}
