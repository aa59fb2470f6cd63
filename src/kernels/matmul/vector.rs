//! A matrix times a vector: the matrix is read once, in the order in which it lies.

use std::ops::Range;

use super::blocked::{add_slices, finish};
use super::factor::{Factor, Purpose};
use super::place::{Place, share};
use super::simd::{self, Vector, Vectorised};
use super::tile::update;
use crate::kernels::{Level, Shared, Threads};

/// How many elements of the matrix make a part that is worth a thread's while.
const PART: usize = 1 << 16;
/// How many parts there are at most.
const PARTS: usize = 16;
/// The longest inner axis that is summed by one part.
const LENGTH: usize = 4096;
/// After how many terms a running sum is added to the whole.
const RUN: usize = 512;
/// How many rows are summed side by side, and how many vectors of sums there are for each.
const ROWS: usize = 4;
const VECTORS: usize = 2;
/// How many elements of the result are kept at hand while columns are added to them, and how many columns at once.
const CHUNK: usize = 256;
const COLUMNS: usize = 8;
/// Parts are ranges of so many rows.
const GROUP: usize = 16;

/// `out = alpha · a · x + beta · out`, where `x` and `out` have one column.
#[derive(Clone, Copy)]
pub(super) struct TimesVector<T> {
    pub alpha: T,
    pub a: Place<T>,
    pub x: Place<T>,
    pub beta: T,
    pub out: Place<T>,
}

impl<T: Factor> TimesVector<T> {
    pub fn run(self, level: Level, threads: Threads) {
        let k = self.x.rows;
        if self.x.row_stride == 1 || k == 1 {
            return self.run_slices(level, threads);
        }
        T::with_scratch(Purpose::Vector, k, |copy| {
            for (p, copy) in copy.iter_mut().enumerate() {
                #[allow(unsafe_code, reason = "matrices are read in place")]
                // SAFETY: within the vector.
                let x = unsafe { self.x.at(p, 0).read() };
                *copy = x;
            }
            let x = Place { start: copy.as_mut_ptr(), row_stride: 1, ..self.x };
            Self { x, ..self }.run_slices(level, threads);
        });
    }

    /// A long inner axis is cut by its length alone, and the sums of its parts are added in pairs.
    fn run_slices(self, level: Level, threads: Threads) {
        let (m, k) = (self.out.rows, self.x.rows);
        let slices = k.div_ceil(LENGTH).next_power_of_two().min(PARTS);
        if slices == 1 {
            return self.run_rows(level, threads);
        }
        T::with_scratch(Purpose::Sums, slices * m, |sums| {
            let parts = (m * k / PART).clamp(1, slices);
            let down = (m * k / PART).clamp(1, PARTS).div_ceil(parts).min(m.div_ceil(CHUNK));
            let shared = Shared::new(sums);
            threads.each(parts * down, |part| {
                let rows = share(m, down, part / parts);
                for slice in share(slices, parts, part % parts) {
                    let range = share(k, slices, slice);
                    #[allow(unsafe_code, reason = "each part has its own sums")]
                    // SAFETY: the sums of two slices, or of two ranges of rows, do not overlap.
                    let sums = unsafe { shared.part(slice * m + rows.start..slice * m + rows.end) };
                    let out = Place { start: sums.as_mut_ptr(), rows: rows.len(), row_stride: 1, ..self.out };
                    let (a, x) = (self.a.rows(rows.clone()).columns(range.clone()), self.x.rows(range));
                    simd::run(level, Self { alpha: T::ONE, a, x, beta: T::ZERO, out });
                }
            });
            add_slices(sums, slices, m);
            finish(self.alpha, &sums[..m], self.beta, Place { columns: 1, ..self.out });
        });
    }

    fn run_rows(self, level: Level, threads: Threads) {
        let m = self.out.rows;
        // Which rows are computed together does not matter to their sums; whole groups are faster.
        let groups = m.div_ceil(GROUP);
        let parts = (m * self.x.rows / PART).clamp(1, PARTS.min(groups));
        threads.each(parts, |part| {
            let range = share(groups, parts, part);
            let rows = range.start * GROUP..(range.end * GROUP).min(m);
            simd::run(level, Self { a: self.a.rows(rows.clone()), out: self.out.rows(rows), ..self });
        });
    }
}

impl<T: Factor> Vectorised<T> for TimesVector<T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        if self.a.column_stride == 1 || self.a.columns == 1 && self.a.row_stride != 1 {
            self.by_rows::<V>();
        } else if self.a.row_stride == 1 || self.a.rows == 1 {
            self.by_columns::<V>();
        } else {
            self.plain::<V>();
        }
    }
}

#[allow(unsafe_code, reason = "matrices are read and written in place")]
#[allow(clippy::needless_range_loop, reason = "iterators are unrolled too late")]
impl<T: Factor> TimesVector<T> {
    /// `out[i] = alpha · sum + beta · out[i]`.
    #[inline(always)]
    fn write<V: Vector<T>>(&self, i: usize, sum: T) {
        // SAFETY: an element of the result, which nobody else writes.
        unsafe { update::<T, V>(self.alpha, sum, self.beta, self.out.at(i, 0)) };
    }

    /// Neighbours in a row are neighbours in memory.
    #[inline(always)]
    fn by_rows<V: Vector<T>>(self) {
        let (m, k) = (self.a.rows, self.a.columns);
        let row = |i: usize| self.a.at(i, 0).cast_const();
        let whole = m / ROWS * ROWS;
        for i in (0..whole).step_by(ROWS) {
            // SAFETY: `x` has been made contiguous, and a row of `a` is `k` neighbours within the matrix.
            let sums = unsafe { inner::<T, V, ROWS>(std::array::from_fn(|r| row(i + r)), self.x.start, k) };
            for (r, &sum) in sums.iter().enumerate() {
                self.write::<V>(i + r, sum);
            }
        }
        for i in whole..m {
            // SAFETY: as above.
            let [sum] = unsafe { inner::<T, V, 1>([row(i)], self.x.start, k) };
            self.write::<V>(i, sum);
        }
    }

    /// Neighbours in a column are neighbours in memory.
    #[inline(always)]
    fn by_columns<V: Vector<T>>(self) {
        let (m, k) = (self.a.rows, self.a.columns);
        for first in (0..m).step_by(CHUNK) {
            let rows = first..(first + CHUNK).min(m);
            let mut whole = [T::ZERO; CHUNK];
            let whole = &mut whole[..rows.len()];
            self.add_columns::<V>(first, 0..k.min(RUN), whole);
            for start in (RUN..k).step_by(RUN) {
                let mut sums = [T::ZERO; CHUNK];
                let sums = &mut sums[..rows.len()];
                self.add_columns::<V>(first, start..(start + RUN).min(k), sums);
                for (whole, &sum) in whole.iter_mut().zip(&*sums) {
                    *whole = *whole + sum;
                }
            }
            for (i, &sum) in rows.zip(&*whole) {
                self.write::<V>(i, sum);
            }
        }
    }

    /// `sums += a[first.., columns] · x[columns]`.
    #[inline(always)]
    fn add_columns<V: Vector<T>>(&self, first: usize, columns: Range<usize>, sums: &mut [T]) {
        let whole = columns.start + columns.len() / COLUMNS * COLUMNS;
        for j in (columns.start..whole).step_by(COLUMNS) {
            self.add_some::<V, COLUMNS>(first, j, sums);
        }
        for j in whole..columns.end {
            self.add_some::<V, 1>(first, j, sums);
        }
    }

    /// The same for some columns from `j` on.
    #[inline(always)]
    fn add_some<V: Vector<T>, const COUNT: usize>(&self, first: usize, j: usize, sums: &mut [T]) {
        let columns: [*const T; COUNT] = std::array::from_fn(|c| self.a.at(first, j + c).cast_const());
        // SAFETY: `x` has been made contiguous.
        let x: [T; COUNT] = unsafe { self.x.start.add(j).cast::<[T; COUNT]>().read() };
        // A loop, not `map`: its closures would be compiled without the vectors' instructions.
        let mut vectors = [V::splat(T::ZERO); COUNT];
        for c in 0..COUNT {
            vectors[c] = V::splat(x[c]);
        }
        let whole = sums.len() / V::LANES * V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            // SAFETY: as many neighbours in each column, within the matrix, as there are sums.
            unsafe {
                let place = sums.as_mut_ptr().add(i);
                let mut sum = V::load(place);
                for c in 0..COUNT {
                    sum = vectors[c].mul_add(V::load(columns[c].add(i)), sum);
                }
                sum.store(place);
            }
        }
        for (i, sum) in sums.iter_mut().enumerate().skip(whole) {
            for (&x, column) in x.iter().zip(columns) {
                // SAFETY: as above.
                *sum = simd::mul_add::<T, V>(x, unsafe { column.add(i).read() }, *sum);
            }
        }
    }

    /// Any strides.
    #[inline(always)]
    fn plain<V: Vector<T>>(self) {
        for i in 0..self.a.rows {
            let mut whole = T::ZERO;
            for start in (0..self.a.columns).step_by(RUN) {
                let mut sum = T::ZERO;
                for j in start..(start + RUN).min(self.a.columns) {
                    // SAFETY: within the matrix and the vector.
                    let (a, x) = unsafe { (self.a.at(i, j).read(), self.x.start.add(j).read()) };
                    sum = simd::mul_add::<T, V>(a, x, sum);
                }
                whole = if start == 0 { sum } else { whole + sum };
            }
            self.write::<V>(i, whole);
        }
    }
}

/// The inner products of some rows with one vector, both of length `k`.
///
/// # Safety
/// The rows and the vector are `k` neighbours each.
#[inline(always)]
#[allow(unsafe_code, reason = "matrices are read in place")]
#[allow(clippy::needless_range_loop, reason = "iterators are unrolled too late")]
unsafe fn inner<T: Factor, V: Vector<T>, const COUNT: usize>(
    rows: [*const T; COUNT],
    x: *const T,
    k: usize,
) -> [T; COUNT] {
    let mut sums = [[V::splat(T::ZERO); VECTORS]; COUNT];
    let mut p = 0;
    // SAFETY: below `k`.
    unsafe {
        while p + VECTORS * V::LANES <= k {
            for v in 0..VECTORS {
                let x = V::load(x.add(p + v * V::LANES));
                for r in 0..COUNT {
                    sums[r][v] = x.mul_add(V::load(rows[r].add(p + v * V::LANES)), sums[r][v]);
                }
            }
            p += VECTORS * V::LANES;
        }
        if p + V::LANES <= k {
            let x = V::load(x.add(p));
            for r in 0..COUNT {
                sums[r][0] = x.mul_add(V::load(rows[r].add(p)), sums[r][0]);
            }
            p += V::LANES;
        }
        let mut totals = [T::ZERO; COUNT];
        for r in 0..COUNT {
            totals[r] = sums[r][0].add(sums[r][1]).sum();
        }
        while p < k {
            for r in 0..COUNT {
                totals[r] = simd::mul_add::<T, V>(rows[r].add(p).read(), x.add(p).read(), totals[r]);
            }
            p += 1;
        }
        totals
    }
}
