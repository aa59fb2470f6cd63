//! Orthogonal columns and a triangle, by reflections.

use super::{Entry, add_scaled, dot, scale_of, transpose};

/// What [`qr`] works in.
pub(crate) fn qr_scratch(m: usize, n: usize) -> usize {
    2 * m * n + 2 * n
}

/// `a = Q R` of an `m × n` matrix with `m ≥ n`: `Q`, `m × n`, has orthonormal columns, and `R` is upper triangular with a
/// diagonal that is not negative. Written one below the other, `R` transposed.
pub(crate) fn qr<T: Entry>(a: &[T], m: usize, n: usize, out: &mut [T], work: &mut [T]) {
    let Some(scale) = scale_of(a) else { return out.fill(T::nan()) };
    // Columns of `a` and of `Q` are rows here, so that they lie together.
    let (columns, work) = work.split_at_mut(m * n);
    let (q, work) = work.split_at_mut(m * n);
    let (factors, diagonal) = work.split_at_mut(n);
    transpose(a, m, n, columns);
    columns.iter_mut().for_each(|x| *x /= scale);
    for j in 0..n {
        let (done, later) = columns.split_at_mut((j + 1) * m);
        let v = &mut done[j * m + j..];
        (factors[j], diagonal[j]) = reflection(v);
        for column in later.chunks_exact_mut(m) {
            let column = &mut column[j..];
            let along = factors[j] * dot(column, v);
            add_scaled(column, -along, v);
        }
    }
    q.fill(T::zero());
    for j in 0..n {
        q[j * m + j] = T::one();
    }
    for j in (0..n).rev() {
        let v = &columns[j * m + j..(j + 1) * m];
        for column in q[j * m..].chunks_exact_mut(m) {
            let column = &mut column[j..];
            let along = factors[j] * dot(column, v);
            add_scaled(column, -along, v);
        }
    }
    let sign = |j: usize| if diagonal[j] < T::zero() { -T::one() } else { T::one() };
    let (out_q, out_r) = out.split_at_mut(m * n);
    for (i, row) in out_q.chunks_exact_mut(n.max(1)).enumerate() {
        row.iter_mut().enumerate().for_each(|(j, x)| *x = sign(j) * q[j * m + i]);
    }
    for (j, row) in out_r.chunks_exact_mut(n.max(1)).enumerate() {
        row.fill(T::zero());
        for (i, x) in row[..j].iter_mut().enumerate() {
            *x = sign(i) * scale * columns[j * m + i];
        }
        row[j] = scale * diagonal[j].abs();
    }
}

/// Makes `x` the vector `v` of the reflection `1 - factor v vᵀ` that takes it to a multiple of the first axis; gives the
/// factor and that multiple.
pub(super) fn reflection<T: Entry>(x: &mut [T]) -> (T, T) {
    let norm = dot(x, x).sqrt();
    if norm == T::zero() {
        return (T::zero(), T::zero());
    }
    // Of the two reflections the one that does not subtract numbers that are nearly equal.
    let to = if x[0] > T::zero() { -norm } else { norm };
    x[0] -= to;
    (T::of(2.0) / dot(x, x), to)
}
