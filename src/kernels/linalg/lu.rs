//! Elimination with pivots: systems, inverses, determinants.

use super::{Entry, Triangle, add_scaled, swap_rows, transpose, triangular_solve, two_rows};

/// Makes `a` upper triangular by adding multiples of rows to rows below, the largest entry of a column being its pivot;
/// does the same to `k` right sides. Gives the sign of the exchanges of rows.
fn eliminate<T: Entry>(a: &mut [T], n: usize, b: &mut [T], k: usize) -> T {
    let mut sign = T::one();
    for column in 0..n {
        let size = |row: usize| a[row * n + column].abs();
        let pivot = (column + 1..n).fold(column, |best, row| if size(row) > size(best) { row } else { best });
        if pivot != column {
            swap_rows(a, n, column, pivot);
            swap_rows(b, k, column, pivot);
            sign = -sign;
        }
        let pivot = a[column * n + column];
        // Then the whole column is zero, and there is nothing to eliminate.
        if pivot == T::zero() {
            continue;
        }
        for row in column + 1..n {
            let (upper, lower) = two_rows(a, n, column, row);
            let factor = -lower[column] / pivot;
            if factor != T::zero() {
                add_scaled(&mut lower[column + 1..], factor, &upper[column + 1..]);
                let (upper, lower) = two_rows(b, k, column, row);
                add_scaled(lower, factor, upper);
            }
        }
    }
    sign
}

/// Solves `a x = b`, or `aᵀ x = b`, for `k` right sides, which lie in `x` and become the solution. Works in `n²` numbers.
pub(crate) fn solve<T: Entry>(a: &[T], n: usize, transposed: bool, x: &mut [T], k: usize, work: &mut [T]) {
    let work = &mut work[..n * n];
    if transposed {
        transpose(a, n, n, work);
    } else {
        work.copy_from_slice(a);
    }
    eliminate(work, n, x, k);
    triangular_solve(work, n, Triangle { lower: false, transposed: false, unit: false }, x, k);
}

/// The inverse. Works in `n²` numbers.
pub(crate) fn inverse<T: Entry>(a: &[T], n: usize, out: &mut [T], work: &mut [T]) {
    out.fill(T::zero());
    out.iter_mut().step_by(n + 1).for_each(|x| *x = T::one());
    solve(a, n, false, out, n, work);
}

/// The determinant. Works in `n²` numbers.
pub(crate) fn determinant<T: Entry>(a: &[T], n: usize, work: &mut [T]) -> T {
    let work = &mut work[..n * n];
    work.copy_from_slice(a);
    let sign = eliminate(work, n, &mut [], 0);
    work.iter().step_by(n + 1).fold(sign, |product, &x| product * x)
}

/// A determinant that neither overflows nor underflows.
pub(crate) struct LogDet<T> {
    /// -1, 0 or 1.
    pub sign: T,
    /// `ln |det a|`
    pub ln: T,
}

/// Sign and logarithm of the determinant. Works in `n²` numbers.
pub(crate) fn log_determinant<T: Entry>(a: &[T], n: usize, work: &mut [T]) -> LogDet<T> {
    let work = &mut work[..n * n];
    work.copy_from_slice(a);
    let sign = eliminate(work, n, &mut [], 0);
    let pivots = work.iter().step_by(n + 1);
    pivots.fold(LogDet { sign, ln: T::zero() }, |LogDet { sign, ln }, &x| {
        let own = if x == T::zero() { x } else { x.signum() };
        LogDet { sign: sign * own, ln: ln + x.abs().ln() }
    })
}
