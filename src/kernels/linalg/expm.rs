//! The exponential of a matrix.

use super::{Entry, Level, product, scale_of, solve};

/// What [`expm_along`] works in, for so many directions.
pub(crate) fn expm_scratch(n: usize, order: u32) -> usize {
    let blocks = if order == 0 { 7 } else { 9 << (2 * order) };
    blocks * n * n
}

/// `eᵃ`, or its derivative in these directions: the upper right block of the exponential of the block matrix `(a h; 0 a)`, and so
/// on. It is linear in each direction, which is taken at size 1, so that a large one costs no accuracy.
pub(crate) fn expm_along<T: Entry>(
    level: Level,
    a: &[T],
    directions: &[&[T]],
    n: usize,
    out: &mut [T],
    work: &mut [T],
) {
    if directions.is_empty() {
        return expm(level, a, n, out, work);
    }
    let scales = || directions.iter().map(|h| scale_of(h));
    let Some(scale) = scales().try_fold(T::one(), |all, scale| Some(all * scale?)) else {
        return out.fill(T::nan());
    };
    let side = n << directions.len();
    let (blocks, work) = work.split_at_mut(side * side);
    let (whole, work) = work.split_at_mut(side * side);
    blocks.fill(T::zero());
    for block in 0..1 << directions.len() {
        copy_block(a, T::one(), n, blocks, side, [block, block]);
        for (k, (h, scale)) in
            directions.iter().zip(scales()).enumerate().filter(|(k, _)| block >> k & 1 == 0)
        {
            copy_block(h, scale.unwrap_or(T::one()), n, blocks, side, [block, block | 1 << k]);
        }
    }
    expm(level, blocks, side, whole, work);
    for (i, row) in out.chunks_exact_mut(n.max(1)).enumerate() {
        let from = &whole[(i + 1) * side - n..(i + 1) * side];
        row.iter_mut().zip(from).for_each(|(out, &x)| *out = x * scale);
    }
}

/// Writes `x / scale` where a block of a matrix stands.
fn copy_block<T: Entry>(x: &[T], scale: T, n: usize, out: &mut [T], side: usize, [row, column]: [usize; 2]) {
    for (i, x) in x.chunks_exact(n.max(1)).enumerate() {
        let at = (row * n + i) * side + column * n;
        out[at..at + n].iter_mut().zip(x).for_each(|(out, &x)| *out = x / scale);
    }
}

/// The coefficients of the numerator of the Padé approximant of degree 13, divided by the first; and the norm up to which it is
/// exact in double precision (Higham, "The scaling and squaring method for the matrix exponential revisited", 2005).
const DEGREE: usize = 13;
const NORM: f64 = 5.371920351148152;

fn coefficients() -> [f64; DEGREE + 1] {
    let mut b = [1.0; DEGREE + 1];
    for j in 1..=DEGREE {
        let (above, below) = (DEGREE + 1 - j, (2 * DEGREE + 1 - j) * j);
        b[j] = b[j - 1] * above as f64 / below as f64;
    }
    b
}

/// `eᵃ`, by a Padé approximant of `a / 2ˢ`, squared `s` times.
fn expm<T: Entry>(level: Level, a: &[T], n: usize, out: &mut [T], work: &mut [T]) {
    let size = n * n;
    let column = |j: usize| (0..n).fold(T::zero(), |sum, i| sum + a[i * n + j].abs());
    let norm = (0..n).fold(T::zero(), |norm, j| norm.max(column(j)));
    if a.iter().any(|x| x.is_nan()) || !norm.is_finite() {
        return out.fill(T::nan());
    }
    let squarings = (norm / T::of(NORM)).log2().ceil().max(T::zero());
    let scale = T::of(2.0).powf(-squarings);
    let b = coefficients().map(T::of);
    let (x, work) = work.split_at_mut(size);
    let (x2, work) = work.split_at_mut(size);
    let (x4, work) = work.split_at_mut(size);
    let (x6, work) = work.split_at_mut(size);
    let (odd, work) = work.split_at_mut(size);
    let (even, work) = work.split_at_mut(size);
    let spare = &mut work[..size];
    x.iter_mut().zip(a).for_each(|(x, &a)| *x = a * scale);
    product(level, n, x, x, x2);
    product(level, n, x2, x2, x4);
    product(level, n, x4, x2, x6);
    // Σ bᵢ xⁱ from `first` on in steps of two: the last three terms and x⁶ times the other ones.
    let mut series = |first: usize, out: &mut [T]| {
        let terms = |from: usize, i: usize| b[from] * x2[i] + b[from + 2] * x4[i] + b[from + 4] * x6[i];
        spare.iter_mut().enumerate().for_each(|(i, s)| *s = terms(first + 8, i));
        product(level, n, x6, spare, out);
        out.iter_mut().enumerate().for_each(|(i, s)| *s += terms(first + 2, i));
        out.iter_mut().step_by(n + 1).for_each(|s| *s += b[first]);
    };
    series(0, even);
    series(1, out);
    product(level, n, x, out, odd);
    // The denominator is the numerator with the odd terms subtracted.
    for i in 0..size {
        (out[i], spare[i]) = (even[i] + odd[i], even[i] - odd[i]);
    }
    solve(spare, n, false, out, n, x);
    for _ in 0..squarings.to_usize().unwrap_or(0) {
        spare.copy_from_slice(out);
        product(level, n, spare, spare, out);
    }
}
