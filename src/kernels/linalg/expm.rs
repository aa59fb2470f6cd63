//! The exponential of a matrix.

use super::{Entry, Level, product, solve};

/// What [`expm`] works in.
pub(crate) fn expm_scratch(n: usize) -> usize {
    7 * n * n
}

/// What [`expm_along`] works in.
pub(crate) fn expm_along_scratch(n: usize) -> usize {
    2 * (2 * n) * (2 * n) + expm_scratch(2 * n)
}

/// The derivative of the exponential at `a` in the direction `g`: the upper right block of the exponential of `(a g; 0 a)`. It is
/// linear in `g`, which is taken at norm 1, so that large directions cost no accuracy.
pub(crate) fn expm_along<T: Entry>(level: Level, a: &[T], g: &[T], n: usize, out: &mut [T], work: &mut [T]) {
    let norm = g.iter().fold(T::zero(), |sum, &g| sum + g * g).sqrt();
    let norm = if norm > T::zero() && norm.is_finite() { norm } else { T::of(1.0) };
    let wide = 2 * n;
    let (blocks, work) = work.split_at_mut(wide * wide);
    let (whole, work) = work.split_at_mut(wide * wide);
    blocks.fill(T::zero());
    for i in 0..n {
        let row = i * n..(i + 1) * n;
        blocks[i * wide..][..n].copy_from_slice(&a[row.clone()]);
        blocks[i * wide + n..][..n].iter_mut().zip(&g[row.clone()]).for_each(|(to, &g)| *to = g / norm);
        blocks[(n + i) * wide + n..][..n].copy_from_slice(&a[row]);
    }
    expm(level, blocks, wide, whole, work);
    for (i, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
        out.iter_mut().zip(&whole[i * wide + n..]).for_each(|(out, &y)| *out = y * norm);
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
pub(crate) fn expm<T: Entry>(level: Level, a: &[T], n: usize, out: &mut [T], work: &mut [T]) {
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
