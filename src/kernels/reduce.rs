//! Reductions of the middle axis of a C-ordered array of shape (outer, middle, inner).

/// How many terms are added one after another before sums are added in pairs.
const RUN: usize = 16;
/// How many columns are reduced together.
const COLUMNS: usize = 64;

/// The middle axis of a (outer, middle, inner) array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Middle {
    pub outer: usize,
    pub middle: usize,
    pub inner: usize,
}

/// Sums in pairs, so that the rounding error grows with the logarithm of the number of terms, along every axis.
/// The order of the additions depends on the sizes alone.
pub(crate) fn sum<T: Copy>(x: &[T], axis: Middle, out: &mut [T], zero: T, add: impl Fn(T, T) -> T + Copy) {
    let Middle { middle, inner, .. } = axis;
    if inner == 1 {
        for (o, out) in out.iter_mut().enumerate() {
            *out = sum_line(&x[o * middle..(o + 1) * middle], zero, add);
        }
        return;
    }
    for (o, out) in out.chunks_mut(inner.max(1)).enumerate() {
        let x = &x[o * middle * inner..(o + 1) * middle * inner];
        for (c, out) in out.chunks_mut(COLUMNS).enumerate() {
            let mut sums = [zero; COLUMNS];
            let rows = Rows { x, inner, first: c * COLUMNS, width: out.len() };
            rows.sum(0, middle, &mut sums, zero, add);
            out.copy_from_slice(&sums[..out.len()]);
        }
    }
}

/// The sum of a contiguous line: eight sums side by side over a run, then pairs of runs.
fn sum_line<T: Copy>(x: &[T], zero: T, add: impl Fn(T, T) -> T + Copy) -> T {
    const SIDE: usize = 8;
    if x.len() > SIDE * RUN {
        let half = (x.len() / 2).next_multiple_of(SIDE * RUN).min(x.len() - 1);
        let (left, right) = x.split_at(half);
        return add(sum_line(left, zero, add), sum_line(right, zero, add));
    }
    let mut sums = [zero; SIDE];
    let mut groups = x.chunks_exact(SIDE);
    for group in &mut groups {
        for (sum, &x) in sums.iter_mut().zip(group) {
            *sum = add(*sum, x);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let whole = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));
    groups.remainder().iter().fold(whole, |sum, &x| add(sum, x))
}

/// Some columns of a matrix.
struct Rows<'a, T> {
    x: &'a [T],
    inner: usize,
    first: usize,
    width: usize,
}

impl<T: Copy> Rows<'_, T> {
    fn sum(&self, from: usize, to: usize, sums: &mut [T; COLUMNS], zero: T, add: impl Fn(T, T) -> T + Copy) {
        if to - from > RUN {
            let half = from + (to - from) / 2;
            let mut right = [zero; COLUMNS];
            self.sum(from, half, sums, zero, add);
            self.sum(half, to, &mut right, zero, add);
            for (sum, &right) in sums.iter_mut().zip(&right) {
                *sum = add(*sum, right);
            }
            return;
        }
        for row in from..to {
            let start = row * self.inner + self.first;
            for (sum, &x) in sums.iter_mut().zip(&self.x[start..start + self.width]) {
                *sum = add(*sum, x);
            }
        }
    }
}

/// Reduces with an operation whose order does not matter, such as a maximum. There is at least one element.
pub(crate) fn fold<T: Copy>(x: &[T], axis: Middle, out: &mut [T], f: impl Fn(T, T) -> T) {
    let Middle { middle, inner, .. } = axis;
    for (o, out) in out.chunks_mut(inner.max(1)).enumerate() {
        let mut rows = x[o * middle * inner..(o + 1) * middle * inner].chunks(inner.max(1));
        if let Some(first) = rows.next() {
            out.copy_from_slice(first);
        }
        for row in rows {
            for (out, &x) in out.iter_mut().zip(row) {
                *out = f(*out, x);
            }
        }
    }
}

/// The index of the first element that `beats` every one before it.
pub(crate) fn argmax<T: Copy>(x: &[T], axis: Middle, out: &mut [i64], beats: impl Fn(T, T) -> bool) {
    let Middle { middle, inner, .. } = axis;
    for (o, out) in out.chunks_mut(inner.max(1)).enumerate() {
        let x = &x[o * middle * inner..(o + 1) * middle * inner];
        for (i, out) in out.iter_mut().enumerate() {
            let mut best = 0;
            for m in 1..middle {
                if beats(x[m * inner + i], x[best * inner + i]) {
                    best = m;
                }
            }
            *out = best as i64;
        }
    }
}

/// The sum of each row.
pub(crate) fn row_sums<T: super::FloatElement + std::ops::Add<Output = T> + Default>(
    _level: super::Level,
    x: &[T],
    columns: usize,
    out: &mut [T],
) {
    for (out, row) in out.iter_mut().zip(x.chunks_exact(columns)) {
        *out = sum_line(row, T::default(), |a, b| a + b);
    }
}

/// The largest of each row.
pub(crate) fn row_max<T: super::FloatElement>(_level: super::Level, x: &[T], columns: usize, out: &mut [T]) {
    use super::Lanes;
    for (out, row) in out.iter_mut().zip(x.chunks_exact(columns)) {
        *out = row
            .iter()
            .skip(1)
            .fold(row[0], |a, &b| T::Lanes::<false>::of(a).maximum(T::Lanes::<false>::of(b)).get());
    }
}

/// The smallest of each row.
pub(crate) fn row_min<T: super::FloatElement>(_level: super::Level, x: &[T], columns: usize, out: &mut [T]) {
    use super::Lanes;
    for (out, row) in out.iter_mut().zip(x.chunks_exact(columns)) {
        *out = row
            .iter()
            .skip(1)
            .fold(row[0], |a, &b| T::Lanes::<false>::of(a).minimum(T::Lanes::<false>::of(b)).get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_in_pairs_is_as_accurate_along_every_axis() {
        let n = 100_003;
        let x: Vec<f32> = (0..n).map(|i| 0.1 + (i % 7) as f32 * 0.01).collect();
        let exact: f64 = x.iter().map(|&x| f64::from(x)).sum();
        let mut line = [0.0];
        sum(&x, Middle { outer: 1, middle: n, inner: 1 }, &mut line, 0.0, |a, b| a + b);
        let twice: Vec<f32> = x.iter().flat_map(|&x| [x, x]).collect();
        let mut columns = [0.0; 2];
        sum(&twice, Middle { outer: 1, middle: n, inner: 2 }, &mut columns, 0.0, |a, b| a + b);
        for found in [line[0], columns[0], columns[1]] {
            assert!((f64::from(found) / exact - 1.0).abs() < 4e-7, "{found} for {exact}");
        }
    }

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        for (outer, middle, inner) in
            [(1, 1, 1), (3, 0, 2), (0, 4, 5), (2, 37, 1), (2, 300, 70), (5, 129, 3), (1, 257, 1)]
        {
            let x: Vec<i64> = (0..outer * middle * inner).map(|i| (i * 7 % 101) as i64).collect();
            let mut out = vec![-1; outer * inner];
            sum(&x, Middle { outer, middle, inner }, &mut out, 0, |a, b| a + b);
            for o in 0..outer {
                for i in 0..inner {
                    let plain: i64 = (0..middle).map(|m| x[(o * middle + m) * inner + i]).sum();
                    assert_eq!(out[o * inner + i], plain);
                }
            }
        }
    }
}
