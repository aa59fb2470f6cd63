//! Singular values and vectors, by rotations of columns (one-sided Jacobi).
//!
//! Slower than the way by a bidiagonal matrix, but short, and more accurate: small singular values of a matrix with
//! columns of very different sizes are right to all digits.

use super::{Entry, add_scaled, dot, is_flipped, rotate, scale_of, swap_rows, transpose, two_rows};

/// What [`svd`] and [`svdvals`] work in.
pub(crate) fn svd_scratch(m: usize, n: usize) -> usize {
    let k = m.min(n);
    m * n + k * k + k
}

/// `a = U diag(s) Vᵀ` of an `m × n` matrix: `U` with `min(m, n)` orthonormal columns, below it the singular values in
/// descending order as a row, and below them `V`. The entry of largest absolute value in each column of `U` is positive.
pub(crate) fn svd<T: Entry>(a: &[T], m: usize, n: usize, out: &mut [T], work: &mut [T]) {
    let k = m.min(n);
    let (long, short) = (m.max(n), k);
    let (rows, work) = work.split_at_mut(long * short);
    let (turned, sizes) = work.split_at_mut(k * k);
    turned.fill(T::zero());
    turned.iter_mut().step_by(k + 1).for_each(|x| *x = T::one());
    if !orthogonalise(a, m, n, rows, turned, sizes) {
        return out.fill(T::nan());
    }
    normalise(rows, long, &sizes[..k]);
    let (u, rest) = out.split_at_mut(m * k);
    let (s, v) = rest.split_at_mut(k);
    s.copy_from_slice(&sizes[..k]);
    let (left, right) = if m >= n { (&*rows, &*turned) } else { (&*turned, &*rows) };
    for j in 0..k {
        let (left, right) = (&left[j * m..(j + 1) * m], &right[j * n..(j + 1) * n]);
        let sign = if is_flipped(left.iter().copied()) { -T::one() } else { T::one() };
        left.iter().enumerate().for_each(|(i, &x)| u[i * k + j] = sign * x);
        right.iter().enumerate().for_each(|(i, &x)| v[i * k + j] = sign * x);
    }
}

/// The singular values in descending order.
pub(crate) fn svdvals<T: Entry>(a: &[T], m: usize, n: usize, out: &mut [T], work: &mut [T]) {
    if !orthogonalise(a, m, n, &mut work[..m * n], &mut [], out) {
        out.fill(T::nan());
    }
}

/// What [`pinv`] works in.
pub(crate) fn pinv_scratch(m: usize, n: usize) -> usize {
    svd_scratch(m, n) + (m + 1 + n) * m.min(n)
}

/// The pseudo-inverse, `n × m`: singular values of at most `10 ε max(m, n)` times the largest count as zero.
pub(crate) fn pinv<T: Entry>(a: &[T], m: usize, n: usize, out: &mut [T], work: &mut [T]) {
    let k = m.min(n);
    let (packed, work) = work.split_at_mut((m + 1 + n) * k);
    svd(a, m, n, packed, work);
    let (u, rest) = packed.split_at(m * k);
    let (s, v) = rest.split_at(k);
    let largest = s.first().copied().unwrap_or(T::zero());
    if largest.is_nan() {
        return out.fill(T::nan());
    }
    let near = T::of(10.0 * m.max(n) as f64) * T::epsilon() * largest;
    let kept = s.iter().take_while(|&&s| s > near).count();
    for (i, row) in out.chunks_exact_mut(m.max(1)).enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            let term = |l: usize| v[i * k + l] / s[l] * u[j * k + l];
            *x = (0..kept).fold(T::zero(), |sum, l| sum + term(l));
        }
    }
}

/// Copies the shorter axis of `a` to `rows`, and turns these until they are orthogonal, the longest first; does the same
/// to `turned`. `sizes` become their lengths; meanwhile they are the squares of these. False if an entry is not finite.
fn orthogonalise<T: Entry>(
    a: &[T],
    m: usize,
    n: usize,
    rows: &mut [T],
    turned: &mut [T],
    sizes: &mut [T],
) -> bool {
    const PATIENCE: usize = 60;
    let Some(scale) = scale_of(a) else { return false };
    let (long, k) = (m.max(n), m.min(n));
    if m >= n {
        transpose(a, m, n, rows);
    } else {
        rows.copy_from_slice(a);
    }
    rows.iter_mut().for_each(|x| *x /= scale);
    let width = if turned.is_empty() { 0 } else { k };
    for (size, row) in sizes.iter_mut().zip(rows.chunks_exact(long.max(1))) {
        *size = dot(row, row);
    }
    for _ in 0..PATIENCE {
        let mut still = true;
        for i in 0..k {
            for j in i + 1..k {
                still &= !turn((rows, long), (turned, width), sizes, i, j);
            }
        }
        if still {
            break;
        }
    }
    sizes[..k].iter_mut().for_each(|size| *size = size.sqrt() * scale);
    for i in 0..k {
        let largest = (i..k).fold(i, |best, j| if sizes[j] > sizes[best] { j } else { best });
        sizes.swap(i, largest);
        swap_rows(rows, long, i, largest);
        swap_rows(turned, width, i, largest);
    }
    true
}

/// Turns rows `i` and `j`, whose squares are among `squares`, so that they are orthogonal and the first is the longer one;
/// false if they are so already.
fn turn<T: Entry>(
    (rows, long): (&mut [T], usize),
    (turned, width): (&mut [T], usize),
    squares: &mut [T],
    i: usize,
    j: usize,
) -> bool {
    let (x, y) = two_rows(rows, long, i, j);
    let (xx, yy, xy) = (squares[i], squares[j], dot(x, y));
    let near = T::epsilon() * T::of(long as f64).sqrt();
    if xy.abs() <= near * xx.sqrt() * yy.sqrt() {
        return false;
    }
    let slope = (xx - yy) / (xy + xy);
    let root = T::one().hypot(slope);
    let mut tangent = T::one() / (slope.abs() + root);
    if slope < T::zero() {
        tangent = -tangent;
    }
    let c = T::one() / T::one().hypot(tangent);
    // Of the two rotations the one after which the first row is the longer one.
    let (c, s) = if xx >= yy { (c, c * tangent) } else { (c * tangent.abs(), -c * tangent.signum()) };
    rotate(x, y, c, s);
    (squares[i], squares[j]) = (dot(x, x), dot(y, y));
    let (x, y) = two_rows(turned, width, i, j);
    rotate(x, y, c, s);
    true
}

/// Makes the rows, of these lengths in descending order, unit vectors. Those of length zero, and those so short that only
/// rounding has given them a direction, become whatever is orthogonal to the others.
fn normalise<T: Entry>(rows: &mut [T], long: usize, sizes: &[T]) {
    let near = sizes.first().map_or(T::zero(), |&largest| largest * T::epsilon() * T::of(long as f64));
    for (i, &length) in sizes.iter().enumerate() {
        let (before, rest) = rows.split_at_mut(i * long);
        let row = &mut rest[..long];
        let size = dot(row, row).sqrt();
        if size > T::zero() {
            row.iter_mut().for_each(|x| *x /= size);
        }
        if length > near {
            continue;
        }
        // One of the axes is not near to the span of the others.
        let mut axes = 0..long;
        let mut is_straight = size > T::zero() && straighten(row, before, long);
        while let Some(axis) = axes.next().filter(|_| !is_straight) {
            row.fill(T::zero());
            row[axis] = T::one();
            is_straight = straighten(row, before, long);
        }
    }
}

/// Takes from a unit vector what others have of it, twice for the rounding of the first time, and makes it a unit vector
/// again; false if little is left.
fn straighten<T: Entry>(row: &mut [T], others: &[T], long: usize) -> bool {
    for _ in 0..2 {
        for other in others.chunks_exact(long) {
            let along = dot(row, other);
            add_scaled(row, -along, other);
        }
        let size = dot(row, row).sqrt();
        if size <= T::of(0.5 / (long as f64).sqrt()) {
            return false;
        }
        row.iter_mut().for_each(|x| *x /= size);
    }
    true
}
