//! Eigenvalues and eigenvectors of symmetric matrices.

use super::qr::reflection;
use super::{Entry, add_scaled, dot, is_flipped, rotate, scale_of, swap_rows, two_rows};

/// What [`eigh`] and [`eigvalsh`] work in.
pub(crate) fn eigh_scratch(n: usize) -> usize {
    2 * n * n + 4 * n
}

/// The eigenvalues of `(a + aᵀ) / 2` in ascending order, and below them the eigenvectors in columns, the entry of
/// largest absolute value in each positive.
pub(crate) fn eigh<T: Entry>(a: &[T], n: usize, out: &mut [T], work: &mut [T]) {
    let (values, vectors) = out.split_at_mut(n);
    let (rows, work) = work.split_at_mut(n * n);
    rows.fill(T::zero());
    rows.iter_mut().step_by(n + 1).for_each(|x| *x = T::one());
    if !diagonalise(a, n, values, rows, work) {
        return out.fill(T::nan());
    }
    for (j, row) in rows.chunks_exact(n.max(1)).enumerate() {
        let sign = if is_flipped(row.iter().copied()) { -T::one() } else { T::one() };
        for (i, &x) in row.iter().enumerate() {
            vectors[i * n + j] = sign * x;
        }
    }
}

/// The eigenvalues of `(a + aᵀ) / 2` in ascending order.
pub(crate) fn eigvalsh<T: Entry>(a: &[T], n: usize, out: &mut [T], work: &mut [T]) {
    if !diagonalise(a, n, out, &mut [], work) {
        out.fill(T::nan());
    }
}

/// Eigenvalues in ascending order. `vectors` has the identity, whose rows become the eigenvectors, or is empty. False if there
/// are none.
fn diagonalise<T: Entry>(a: &[T], n: usize, values: &mut [T], vectors: &mut [T], work: &mut [T]) -> bool {
    let Some(scale) = scale_of(a) else { return false };
    let (matrix, work) = work.split_at_mut(n * n);
    let (beside, work) = work.split_at_mut(n);
    let half = T::of(0.5);
    for i in 0..n {
        for j in 0..n {
            matrix[i * n + j] = half * (a[i * n + j] / scale) + half * (a[j * n + i] / scale);
        }
    }
    tridiagonalise(matrix, n, values, beside, work);
    let width = if vectors.is_empty() { 0 } else { n };
    if width > 0 {
        reflect(matrix, n, vectors, &work[..n]);
    }
    let found = iterate(values, beside, vectors, width);
    values.iter_mut().for_each(|x| *x *= scale);
    sort(values, vectors, width);
    found
}

/// Reflections from both sides leave the diagonal and the numbers beside it. The vectors of the reflections stay in the rows
/// of `a`, right of the diagonal, their factors in `work`.
fn tridiagonalise<T: Entry>(a: &mut [T], n: usize, diagonal: &mut [T], beside: &mut [T], work: &mut [T]) {
    let (factors, along) = work.split_at_mut(n);
    for k in 0..n {
        diagonal[k] = a[k * n + k];
        let (done, later) = a.split_at_mut((k + 1) * n);
        let v = &mut done[k * n + k + 1..];
        if v.is_empty() {
            break;
        }
        (factors[k], beside[k]) = reflection(v);
        let along = &mut along[..v.len()];
        for (p, row) in along.iter_mut().zip(later.chunks_exact(n)) {
            *p = factors[k] * dot(&row[k + 1..], v);
        }
        let twice = T::of(0.5) * factors[k] * dot(along, v);
        add_scaled(along, -twice, v);
        for (i, row) in later.chunks_exact_mut(n).enumerate() {
            add_scaled(&mut row[k + 1..], -v[i], along);
            add_scaled(&mut row[k + 1..], -along[i], v);
        }
    }
}

/// Applies the reflections of [`tridiagonalise`] to the identity, whose rows become their product's columns.
fn reflect<T: Entry>(a: &[T], n: usize, vectors: &mut [T], factors: &[T]) {
    for k in (0..n.saturating_sub(1)).rev() {
        let v = &a[k * n + k + 1..(k + 1) * n];
        for row in vectors[(k + 1) * n..].chunks_exact_mut(n) {
            let row = &mut row[k + 1..];
            let along = factors[k] * dot(row, v);
            add_scaled(row, -along, v);
        }
    }
}

/// The implicit QR algorithm with Wilkinson's shift (Golub and Van Loan, "Matrix Computations", section 8.3), on blocks
/// between numbers beside the diagonal that are zero but for rounding. False if it does not end.
fn iterate<T: Entry>(diagonal: &mut [T], beside: &mut [T], vectors: &mut [T], width: usize) -> bool {
    let (n, mut patience) = (diagonal.len(), 60 * diagonal.len());
    let mut last = n.saturating_sub(1);
    while last > 0 {
        let is_zero = |k: usize| {
            let near = T::epsilon() * (diagonal[k].abs() + diagonal[k + 1].abs());
            beside[k].abs() <= near.max(T::min_positive_value())
        };
        if is_zero(last - 1) {
            beside[last - 1] = T::zero();
            last -= 1;
            continue;
        }
        let first = (0..last).rev().find(|&k| is_zero(k)).map_or(0, |k| k + 1);
        if patience == 0 {
            return false;
        }
        patience -= 1;
        chase(diagonal, beside, vectors, width, first, last);
    }
    true
}

/// One step of the algorithm on the block from `first` to `last`.
fn chase<T: Entry>(d: &mut [T], e: &mut [T], vectors: &mut [T], width: usize, first: usize, last: usize) {
    let two = T::of(2.0);
    let off = e[last - 1];
    let apart = (d[last - 1] - d[last]) / two;
    let root = apart.hypot(off);
    let shift = d[last] - off * (off / (apart + if apart < T::zero() { -root } else { root }));
    let (mut x, mut z) = (d[first] - shift, e[first]);
    for k in first..last {
        let r = x.hypot(z);
        let (c, s) = if r > T::zero() { (x / r, z / r) } else { (T::one(), T::zero()) };
        if k > first {
            e[k - 1] = r;
        }
        let (a, b, next) = (d[k], e[k], d[k + 1]);
        // What one gains, the other loses.
        let gain = s * (s * (next - a) + two * c * b);
        (d[k], d[k + 1]) = (a + gain, next - gain);
        e[k] = c * s * (next - a) + (c - s) * (c + s) * b;
        if k + 1 < last {
            (x, z) = (e[k], s * e[k + 1]);
            e[k + 1] *= c;
        }
        let (one, other) = two_rows(vectors, width, k, k + 1);
        rotate(one, other, c, s);
    }
}

/// Ascending, each with its row.
fn sort<T: Entry>(values: &mut [T], vectors: &mut [T], width: usize) {
    for i in 0..values.len() {
        let least = (i..values.len()).fold(i, |best, j| if values[j] < values[best] { j } else { best });
        values.swap(i, least);
        swap_rows(vectors, width, i, least);
    }
}
