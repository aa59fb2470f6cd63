//! The Cholesky factor.

use super::{Entry, dot};

/// The lower triangular `L` with `L Lᵀ = (a + aᵀ) / 2` and a positive diagonal; NaN where there is none.
pub(crate) fn cholesky<T: Entry>(a: &[T], n: usize, out: &mut [T]) {
    let half = T::of(0.5);
    for i in 0..n {
        for j in 0..i {
            let entry = half * a[i * n + j] + half * a[j * n + i];
            let above = dot(&out[i * n..i * n + j], &out[j * n..j * n + j]);
            out[i * n + j] = (entry - above) / out[j * n + j];
        }
        let row = &out[i * n..i * n + i];
        let square = a[i * n + i] - dot(row, row);
        // An infinite entry has no factor either.
        if !(square > T::zero() && square < T::infinity()) {
            out.fill(T::nan());
            return;
        }
        out[i * n + i] = square.sqrt();
        out[i * n + i + 1..(i + 1) * n].fill(T::zero());
    }
}
