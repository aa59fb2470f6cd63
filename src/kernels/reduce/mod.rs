//! Reductions: sums, products, maxima and minima of lines, rows and columns.
//!
//! The order of a reduction is part of its meaning: it follows from the number of terms alone, whatever the instructions of
//! the machine and the number of threads.
//!
//! - A line of up to [`RUN`] terms is taken from left to right.
//! - A longer one, up to [`BLOCK`] terms, in 8 lanes, from 64 terms on in 32: term `i` goes to lane `i` modulo the lanes.
//!   Lanes are joined in halves: lane `i` with lane `i + 16`, then `i + 8`, and so on.
//! - Beyond, blocks are joined in pairs, and pairs in pairs: a cascade. What is left over at the end is joined from the
//!   smallest to the largest.
//! - Columns are taken in runs of [`RUN`] rows from the top, and the runs joined in a cascade.
//!
//! So no sum adds more than 16 numbers one after another, and its rounding error grows with the logarithm of the number of
//! terms (Higham, The accuracy of floating point summation, 1993).

mod argmax;
mod cascade;
mod columns;
mod line;

use super::{Fast, Kernel, Lanes, Level, Wrapping};

pub(crate) use self::argmax::argmax;

/// How many terms are joined one after another.
const RUN: usize = 16;
/// How many terms of a line are joined before blocks are.
const BLOCK: usize = 512;

/// The middle axis of a (outer, middle, inner) array in C order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Middle {
    pub outer: usize,
    pub middle: usize,
    pub inner: usize,
}

/// What joins two terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// `a + b`; integers wrap around.
    Sum,
    /// `a · b`; integers wrap around.
    Product,
    /// The larger; NaN where either is NaN.
    Max,
    /// The smaller; NaN where either is NaN.
    Min,
}

impl Join {
    /// What is made of no terms: 0, and of a product 1.
    fn of_nothing<T: Term>(self) -> T {
        if self == Self::Product { T::Lanes::splat(1.0).get() } else { T::default() }
    }
}

/// What can be reduced.
pub(crate) trait Term: Copy + Default + PartialOrd {
    /// What computes on it.
    type Lanes: Lanes<Element = Self>;
}

impl Term for f32 {
    type Lanes = Fast<Self, false>;
}

impl Term for f64 {
    type Lanes = Fast<Self, false>;
}

impl Term for i64 {
    type Lanes = Wrapping;
}

#[inline(always)]
fn sum<T: Term>(a: T, b: T) -> T {
    (T::Lanes::of(a) + T::Lanes::of(b)).get()
}

#[inline(always)]
fn product<T: Term>(a: T, b: T) -> T {
    (T::Lanes::of(a) * T::Lanes::of(b)).get()
}

#[inline(always)]
fn maximum<T: Term>(a: T, b: T) -> T {
    T::Lanes::of(a).maximum(T::Lanes::of(b)).get()
}

#[inline(always)]
fn minimum<T: Term>(a: T, b: T) -> T {
    T::Lanes::of(a).minimum(T::Lanes::of(b)).get()
}

/// A loop that needs to know how terms are joined.
trait Reduction<T> {
    type Output;
    fn run(self, join: impl Fn(T, T) -> T + Copy) -> Self::Output;
}

struct Joined<R>(Join, R);

/// Compiles a loop for every way to join, at every level.
macro_rules! reduction {
    ($Name:ident) => {
        impl<T: Term> Kernel for Joined<$Name<'_, T>> {
            type Output = <$Name<'static, T> as Reduction<T>>::Output;
            #[inline(always)]
            fn run<const FUSED: bool>(self) -> Self::Output {
                match self.0 {
                    Join::Sum => self.1.run(sum),
                    Join::Product => self.1.run(product),
                    Join::Max => self.1.run(maximum),
                    Join::Min => self.1.run(minimum),
                }
            }
        }
    };
}

/// All terms of a line or a block; `None` if there are none.
struct Total<'a, T>(&'a [T]);

impl<T: Copy> Reduction<T> for Total<'_, T> {
    type Output = Option<T>;
    #[inline(always)]
    fn run(self, join: impl Fn(T, T) -> T + Copy) -> Option<T> {
        line::total(self.0, join)
    }
}
reduction!(Total);

/// The parts of a line.
struct Parts<'a, T>(&'a [T]);

impl<T: Copy> Reduction<T> for Parts<'_, T> {
    type Output = Option<T>;
    #[inline(always)]
    fn run(self, join: impl Fn(T, T) -> T + Copy) -> Option<T> {
        line::parts(self.0, join)
    }
}
reduction!(Parts);

/// The rows of a matrix, each by itself: of up to [`RUN`] terms.
struct ShortRows<'a, T>(Rows<'a, T>);

/// The same, of 17 to 63 terms.
struct MiddleRows<'a, T>(Rows<'a, T>);

/// The same, of 64 terms to [`BLOCK`].
struct LongRows<'a, T>(Rows<'a, T>);

struct Rows<'a, T> {
    x: &'a [T],
    columns: usize,
    out: &'a mut [T],
}

impl<T: Copy> Reduction<T> for ShortRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self, join: impl Fn(T, T) -> T + Copy) {
        line::short_rows(self.0.x, self.0.columns, self.0.out, join);
    }
}
reduction!(ShortRows);

impl<T: Copy> Reduction<T> for MiddleRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self, join: impl Fn(T, T) -> T + Copy) {
        line::rows::<T, 8>(self.0.x, self.0.columns, self.0.out, join);
    }
}
reduction!(MiddleRows);

impl<T: Copy> Reduction<T> for LongRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self, join: impl Fn(T, T) -> T + Copy) {
        line::rows::<T, 32>(self.0.x, self.0.columns, self.0.out, join);
    }
}
reduction!(LongRows);

/// The columns of a matrix with at least one row.
struct Columns<'a, T> {
    x: &'a [T],
    rows: usize,
    out: &'a mut [T],
}

impl<T: Copy> Reduction<T> for Columns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self, join: impl Fn(T, T) -> T + Copy) {
        columns::columns(self.x, self.rows, self.out, join);
    }
}
reduction!(Columns);

/// The total of a line whose parts have these totals: to the same bits as [`total`] of the line, if there are `BLOCK · 2ᵏ`
/// terms in each part but the last.
pub(crate) fn parts<T: Term>(level: Level, join: Join, x: &[T]) -> Option<T> {
    level.run(Joined(join, Parts(x)))
}

/// All terms of a line or a block; `None` if there are none.
pub(crate) fn total<T: Term>(level: Level, join: Join, x: &[T]) -> Option<T> {
    level.run(Joined(join, Total(x)))
}

/// `out[r]` is the reduction of row `r`; there is at least one column.
pub(crate) fn rows<T: Term>(level: Level, join: Join, x: &[T], columns: usize, out: &mut [T]) {
    let rows = Rows { x, columns, out };
    match columns {
        1 => rows.out.copy_from_slice(x),
        0 | 2..=RUN => level.run(Joined(join, ShortRows(rows))),
        17..64 => level.run(Joined(join, MiddleRows(rows))),
        64..=BLOCK => level.run(Joined(join, LongRows(rows))),
        _ => {
            for (x, out) in x.chunks_exact(columns).zip(rows.out) {
                *out = level.run(Joined(join, Total(x))).unwrap_or_default();
            }
        }
    }
}

/// Reduces the middle axis. The sum of no terms is 0, their product 1; of the others there is at least one.
pub(crate) fn reduce<T: Term>(level: Level, join: Join, x: &[T], axis: Middle, out: &mut [T]) {
    let Middle { middle, inner, .. } = axis;
    if middle == 0 || out.is_empty() {
        out.fill(join.of_nothing());
    } else if inner == 1 {
        rows(level, join, x, middle, out);
    } else {
        for (x, out) in x.chunks_exact(middle * inner).zip(out.chunks_exact_mut(inner)) {
            level.run(Joined(join, Columns { x, rows: middle, out }));
        }
    }
}

#[cfg(test)]
mod tests;
