//! Matrix products.
//!
//! `out = alpha · a · b + beta · out` for operands with any strides, read in place. How it is computed depends on
//! shapes and strides alone, so that it is the same bit for bit on one thread and on many.

mod blocked;
mod factor;
mod pack;
mod part;
mod place;
mod simd;
mod small;
#[cfg(test)]
mod tests;
mod tile;
mod vector;

use self::blocked::Product;
pub(crate) use self::factor::Factor;
use self::place::Place;
pub(crate) use self::place::{Layout, Matrix, MatrixMut};
use self::small::Small;
use self::vector::TimesVector;
use super::{Level, Threads};

/// Up to how many multiplications a product is small, and one of long inner products, which needs no copies.
const SMALL: usize = 1 << 14;
const INNER: usize = 1 << 16;
/// How long such inner products are, and how long a sum without a second level may be.
const LONG: usize = 128;
const LONGEST: usize = 512;
/// Up to how many of them a product is small whose operands have no neighbours in memory.
const TINY: usize = 1 << 10;
/// The inner axis up to which a product is bound by writing its result.
const OUTER: usize = 2;
/// How many elements of a result make a part that is worth a thread's while, and how many parts there are at most.
const PART: usize = 1 << 16;
const PARTS: usize = 16;

/// `out = alpha · a · b + beta · out`. Where `beta` is zero, `out` is not read: it may hold NaN.
///
/// # Panics
/// If the shapes do not match.
pub(crate) fn product_at<T: Factor>(
    level: Level,
    alpha: T,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    beta: T,
    out: MatrixMut<'_, T>,
    threads: Threads,
) {
    let whole = Whole { level, alpha, a: a.place(), b: b.place(), beta, out: out.place() };
    whole.assert_shapes();
    whole.run(threads);
}

/// [`product_at`] the best level.
#[cfg(test)]
fn product<T: Factor>(
    alpha: T,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    beta: T,
    out: MatrixMut<'_, T>,
    threads: Threads,
) {
    product_at(Level::detect(), alpha, a, b, beta, out, threads);
}

/// The operands of a product.
#[derive(Clone, Copy)]
struct Whole<T> {
    level: Level,
    alpha: T,
    a: Place<T>,
    b: Place<T>,
    beta: T,
    out: Place<T>,
}

impl<T: Factor> Whole<T> {
    fn assert_shapes(&self) {
        let Self { a, b, out, .. } = self;
        let matches = a.columns == b.rows && a.rows == out.rows && b.columns == out.columns;
        assert!(
            matches,
            "({}, {}) · ({}, {}) is not ({}, {})",
            a.rows, a.columns, b.rows, b.columns, out.rows, out.columns
        );
    }

    /// How many multiplications it takes.
    fn work(&self) -> usize {
        self.out.rows.saturating_mul(self.out.columns).saturating_mul(self.a.columns)
    }

    fn run(self, threads: Threads) {
        let Self { level, alpha, a, b, beta, out } = self;
        if out.rows == 0 || out.columns == 0 {
            return;
        }
        if a.columns == 0 {
            return self.scale();
        }
        let mut small = Small { alpha, a, b, beta, out };
        if !small.is_by_rows() && small.t().is_by_rows() {
            small = small.t();
        }
        let (work, k) = (self.work(), a.columns);
        if small.is_by_rows() && work <= SMALL && k <= LONGEST {
            return simd::run(level, small);
        }
        if out.columns == 1 {
            return TimesVector { alpha, a, x: b, beta, out }.run(level, threads);
        }
        if out.rows == 1 {
            return TimesVector { alpha, a: b.t(), x: a.t(), beta, out: out.t() }.run(level, threads);
        }
        if k <= OUTER && small.is_by_rows() {
            return run_outer(small, level, threads);
        }
        let inner = small.is_inner() && (work <= SMALL || k >= LONG && work <= INNER) && k <= LONGEST;
        if work <= TINY || inner {
            simd::run(level, small);
        } else {
            Product { level, alpha, a, b, beta, out }.run(threads);
        }
    }

    /// Without an inner axis, `out = beta · out`.
    fn scale(self) {
        for i in 0..self.out.rows {
            for j in 0..self.out.columns {
                let out = self.out.at(i, j);
                #[allow(unsafe_code, reason = "matrices are written in place")]
                // SAFETY: an element of the result, which nobody else writes.
                unsafe {
                    out.write(if self.beta == T::ZERO { T::ZERO } else { self.beta * out.read() });
                }
            }
        }
    }
}

/// A product with a short inner axis, by rows of the result.
fn run_outer<T: Factor>(whole: Small<T>, level: Level, threads: Threads) {
    let (m, n) = (whole.out.rows, whole.out.columns);
    let parts = (m * n / PART).clamp(1, PARTS);
    let down = parts.min(m);
    let across = parts.div_ceil(down).min(n);
    threads.each(down * across, |part| {
        let (rows, columns) = (place::share(m, down, part / across), place::share(n, across, part % across));
        let part = Small {
            a: whole.a.rows(rows.clone()),
            b: whole.b.columns(columns.clone()),
            out: whole.out.rows(rows).columns(columns),
            ..whole
        };
        simd::run(level, part);
    });
}
