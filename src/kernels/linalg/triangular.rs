//! Systems with a triangular matrix.

use super::{Entry, add_scaled};

/// Which triangle of a matrix is read, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Triangle {
    pub lower: bool,
    /// The matrix of the system is the transpose of the triangle.
    pub transposed: bool,
    /// The diagonal is not read, and is 1.
    pub unit: bool,
}

/// Solves `a x = b` for `k` right sides, which lie in `x` and become the solution.
pub(crate) fn triangular_solve<T: Entry>(a: &[T], n: usize, of: Triangle, x: &mut [T], k: usize) {
    let entry = |i: usize, j: usize| if of.transposed { a[j * n + i] } else { a[i * n + j] };
    let forward = of.lower != of.transposed;
    for step in 0..n {
        let i = if forward { step } else { n - 1 - step };
        let (before, rest) = x.split_at_mut(i * k);
        let (row, after) = rest.split_at_mut(k);
        let (known, first) = if forward { (&*before, 0) } else { (&*after, i + 1) };
        for (j, solved) in (first..).zip(known.chunks_exact(k.max(1))) {
            add_scaled(row, -entry(i, j), solved);
        }
        if !of.unit {
            row.iter_mut().for_each(|x| *x /= entry(i, i));
        }
    }
}
