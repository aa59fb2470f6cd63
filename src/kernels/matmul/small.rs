//! Small products, where any preparation would take longer than the product.

use super::factor::Factor;
use super::place::Place;
use super::simd::{self, Vector, Vectorised};
use super::tile::update;

/// How many rows of the result are computed together, and how many vectors of columns, or columns.
const ROWS: usize = 4;
const COLUMNS: usize = 2;
/// The shortest inner products that are worth a sum over the lanes of a vector.
const LENGTH: usize = 16;

/// `out = alpha · a · b + beta · out`, without copies.
#[derive(Clone, Copy)]
pub(super) struct Small<T> {
    pub alpha: T,
    pub a: Place<T>,
    pub b: Place<T>,
    pub beta: T,
    pub out: Place<T>,
}

impl<T: Factor> Vectorised<T> for Small<T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        if self.is_by_rows() {
            self.by_rows::<V>();
        } else if self.is_inner() {
            self.by_inner_products::<V>();
        } else {
            self.plain::<V>(0);
        }
    }
}

#[allow(unsafe_code, reason = "matrices are read and written in place")]
#[allow(clippy::needless_range_loop, reason = "iterators are unrolled too late")]
impl<T: Factor> Small<T> {
    /// The same, for the transposed result.
    pub fn t(self) -> Self {
        Self { a: self.b.t(), b: self.a.t(), out: self.out.t(), ..self }
    }

    /// Whether rows of the result are sums of rows of `b`, and they lie in memory as such.
    pub fn is_by_rows(&self) -> bool {
        self.b.column_stride == 1 && self.out.column_stride == 1
    }

    /// Whether the elements of the result are inner products of vectors that lie in memory as such.
    pub fn is_inner(&self) -> bool {
        self.a.column_stride == 1 && self.b.row_stride == 1 && self.a.columns >= LENGTH
    }

    #[inline(always)]
    fn by_rows<V: Vector<T>>(self) {
        let (m, n) = (self.out.rows, self.out.columns);
        let whole = m / ROWS * ROWS;
        let mut j = 0;
        while j + COLUMNS * V::LANES <= n {
            for i in (0..whole).step_by(ROWS) {
                self.tile::<V, ROWS, COLUMNS>(i, j);
            }
            for i in whole..m {
                self.tile::<V, 1, COLUMNS>(i, j);
            }
            j += COLUMNS * V::LANES;
        }
        if j + V::LANES <= n {
            for i in 0..m {
                self.tile::<V, 1, 1>(i, j);
            }
            j += V::LANES;
        }
        self.plain::<V>(j);
    }

    /// Some rows of the result, some vectors of columns in each.
    #[inline(always)]
    fn tile<V: Vector<T>, const HEIGHT: usize, const WIDTH: usize>(&self, i: usize, j: usize) {
        let mut sums = [[V::splat(T::ZERO); WIDTH]; HEIGHT];
        for p in 0..self.a.columns {
            for w in 0..WIDTH {
                // SAFETY: neighbours in row `p` of `b`.
                let row = unsafe { V::load(self.b.at(p, j + w * V::LANES)) };
                for r in 0..HEIGHT {
                    // SAFETY: an element of `a`.
                    let factor = V::splat(unsafe { self.a.at(i + r, p).read() });
                    sums[r][w] = factor.mul_add(row, sums[r][w]);
                }
            }
        }
        let (alpha, beta) = (V::splat(self.alpha), V::splat(self.beta));
        for r in 0..HEIGHT {
            for w in 0..WIDTH {
                let out = self.out.at(i + r, j + w * V::LANES);
                // SAFETY: neighbours in a row of the result, which nobody else writes.
                unsafe {
                    let new = if self.beta == T::ZERO {
                        alpha.mul(sums[r][w])
                    } else {
                        alpha.mul_add(sums[r][w], beta.mul(V::load(out)))
                    };
                    new.store(out);
                }
            }
        }
    }

    #[inline(always)]
    fn by_inner_products<V: Vector<T>>(self) {
        let (m, n) = (self.out.rows, self.out.columns);
        for i in (0..m).step_by(ROWS) {
            for j in (0..n).step_by(COLUMNS) {
                // At the edge, the last row or column is computed again, and written once.
                let sums = self.inner::<V>(
                    std::array::from_fn(|r| self.a.at((i + r).min(m - 1), 0).cast_const()),
                    std::array::from_fn(|c| self.b.at(0, (j + c).min(n - 1)).cast_const()),
                );
                for (r, sums) in sums.iter().enumerate().take(m - i) {
                    for (c, &sum) in sums.iter().enumerate().take(n - j) {
                        // SAFETY: an element of the result, which nobody else writes.
                        unsafe { update::<T, V>(self.alpha, sum, self.beta, self.out.at(i + r, j + c)) };
                    }
                }
            }
        }
    }

    /// The inner products of some rows with some columns, in each of which neighbours are neighbours in memory.
    #[inline(always)]
    fn inner<V: Vector<T>>(
        &self,
        rows: [*const T; ROWS],
        columns: [*const T; COLUMNS],
    ) -> [[T; COLUMNS]; ROWS] {
        let k = self.a.columns;
        let whole = k / V::LANES * V::LANES;
        let mut sums = [[V::splat(T::ZERO); COLUMNS]; ROWS];
        for p in (0..whole).step_by(V::LANES) {
            // SAFETY: below the length of the rows and columns.
            let loaded = unsafe { [V::load(columns[0].add(p)), V::load(columns[1].add(p))] };
            for r in 0..ROWS {
                // SAFETY: as above.
                let row = unsafe { V::load(rows[r].add(p)) };
                for c in 0..COLUMNS {
                    sums[r][c] = row.mul_add(loaded[c], sums[r][c]);
                }
            }
        }
        let mut totals = [[T::ZERO; COLUMNS]; ROWS];
        for r in 0..ROWS {
            for c in 0..COLUMNS {
                let mut total = sums[r][c].sum();
                for p in whole..k {
                    // SAFETY: as above.
                    let (a, b) = unsafe { (rows[r].add(p).read(), columns[c].add(p).read()) };
                    total = simd::mul_add::<T, V>(a, b, total);
                }
                totals[r][c] = total;
            }
        }
        totals
    }

    /// Any strides, element by element, from a column on.
    #[inline(always)]
    fn plain<V: Vector<T>>(&self, first: usize) {
        for i in 0..self.out.rows {
            for j in first..self.out.columns {
                let mut sum = T::ZERO;
                for p in 0..self.a.columns {
                    // SAFETY: within the matrices.
                    let (a, b) = unsafe { (self.a.at(i, p).read(), self.b.at(p, j).read()) };
                    sum = simd::mul_add::<T, V>(a, b, sum);
                }
                // SAFETY: an element of the result, which nobody else writes.
                unsafe { update::<T, V>(self.alpha, sum, self.beta, self.out.at(i, j)) };
            }
        }
    }
}
