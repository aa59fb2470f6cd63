//! Matrix products.

use ndarray::{ArrayView2, ArrayViewMut2, LinalgScalar, ShapeBuilder, linalg::general_mat_mul};

/// A matrix that lies in memory by rows or by columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    pub data: &'a [T],
    pub rows: usize,
    pub columns: usize,
    /// Whether neighbours in a column, not in a row, are neighbours in memory.
    pub by_columns: bool,
}

impl<'a, T> Matrix<'a, T> {
    fn view(self) -> Option<ArrayView2<'a, T>> {
        let shape = (self.rows, self.columns).set_f(self.by_columns);
        ArrayView2::from_shape(shape, self.data).ok()
    }

    fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, by_columns: !self.by_columns, ..self }
    }

    /// Row `i` of a matrix that lies by rows.
    fn row(self, i: usize) -> &'a [T] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }
}

/// `out = a · b`, in C order.
pub(crate) fn dot<T: LinalgScalar>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) {
    let (m, n) = (a.rows, b.columns);
    if n == 1 {
        times_vector(a, b.data, out);
    } else if m == 1 {
        times_vector(b.t(), a.data, out);
    } else if let (Some(a), Some(b), Ok(mut out)) =
        (a.view(), b.view(), ArrayViewMut2::from_shape((m, n), out))
    {
        general_mat_mul(T::one(), &a, &b, T::zero(), &mut out);
    }
}

/// `out = a · x`, reading `a` once in the order in which it lies.
fn times_vector<T: LinalgScalar>(a: Matrix<'_, T>, x: &[T], out: &mut [T]) {
    if !a.by_columns {
        for (i, out) in out.iter_mut().enumerate() {
            *out = inner(a.row(i), x);
        }
        return;
    }
    let a = a.t();
    out.fill(T::zero());
    let mut rows = 0;
    while rows + 4 <= a.rows {
        let [p, q, r, s] = [0, 1, 2, 3].map(|i| a.row(rows + i));
        let [u, v, w, z] = [0, 1, 2, 3].map(|i| x[rows + i]);
        for (i, out) in out.iter_mut().enumerate() {
            *out = *out + ((u * p[i] + v * q[i]) + (w * r[i] + z * s[i]));
        }
        rows += 4;
    }
    for (row, &x) in x.iter().enumerate().skip(rows) {
        for (out, &a) in out.iter_mut().zip(a.row(row)) {
            *out = *out + x * a;
        }
    }
}

/// The inner product, sixteen sums side by side.
fn inner<T: LinalgScalar>(x: &[T], y: &[T]) -> T {
    const SIDE: usize = 16;
    let mut sums = [T::zero(); SIDE];
    let (mut xs, mut ys) = (x.chunks_exact(SIDE), y.chunks_exact(SIDE));
    for (x, y) in (&mut xs).zip(&mut ys) {
        for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
            *sum = *sum + x * y;
        }
    }
    let mut width = SIDE / 2;
    while width > 0 {
        for i in 0..width {
            sums[i] = sums[i] + sums[i + width];
        }
        width /= 2;
    }
    let rest = xs.remainder().iter().zip(ys.remainder());
    rest.fold(sums[0], |sum, (&x, &y)| sum + x * y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_gives_the_plain_product() {
        for (m, k, n) in
            [(1, 1, 1), (3, 5, 1), (1, 5, 3), (4, 33, 6), (2, 0, 3), (0, 2, 3), (7, 18, 1), (1, 18, 7)]
        {
            let a = |i: usize, j: usize| (i * 3 + j * 5) as f64 % 7.0 - 3.0;
            let b = |i: usize, j: usize| (i * 2 + j * 11) as f64 % 5.0 - 2.0;
            for (a_by_columns, b_by_columns) in [(false, false), (false, true), (true, false), (true, true)] {
                let fill =
                    |rows: usize, columns: usize, by_columns: bool, f: &dyn Fn(usize, usize) -> f64| {
                        let (outer, inner) = if by_columns { (columns, rows) } else { (rows, columns) };
                        let place = |o, i| if by_columns { f(i, o) } else { f(o, i) };
                        (0..outer).flat_map(|o| (0..inner).map(move |i| place(o, i))).collect::<Vec<_>>()
                    };
                let (x, y) = (fill(m, k, a_by_columns, &a), fill(k, n, b_by_columns, &b));
                let mut out = vec![9.0; m * n];
                dot(
                    Matrix { data: &x, rows: m, columns: k, by_columns: a_by_columns },
                    Matrix { data: &y, rows: k, columns: n, by_columns: b_by_columns },
                    &mut out,
                );
                for i in 0..m {
                    for j in 0..n {
                        let plain: f64 = (0..k).map(|p| a(i, p) * b(p, j)).sum();
                        assert_eq!(out[i * n + j], plain, "({m}, {k}) · ({k}, {n})");
                    }
                }
            }
        }
    }
}
