//! Elementary functions that a compiler can vectorise: no branches, no tables, no calls. Those of `special` have all three.
//!
//! [`Fast`] is the number that kernels compute on: an `f32` or `f64` whose functions are polynomials after an exact
//! reduction of the argument. A choice is made between values, `if c { a } else { b }`, which becomes a blend. A loop
//! over a slice of them, compiled by [`Level::run`](super::Level::run), handles a vector register at a time.
//!
//! The polynomials are minimax fits, computed with Remez' exchange algorithm in 220 bits; their coefficients were
//! rounded one by one, each time refitting those that remain. Each names its interval and the bound of what it
//! leaves out, relative to the function's value. Errors in units in the last place are those of the whole function,
//! as measured by the tests, for all levels.

mod erf;
mod exp;
mod fast;
mod log;
mod pow;
mod special;
#[cfg(test)]
mod tests;
mod trig;

pub use self::fast::Fast;

use std::ops::{Add, Mul};

/// `f32` and `f64`, for what is the same in both.
trait Scalar: Copy + Add<Output = Self> + Mul<Output = Self> {
    /// `self·b + c`, rounded once; slow on a machine without such an instruction.
    fn mul_add(self, b: Self, c: Self) -> Self;
}

impl Scalar for f32 {
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }
}

impl Scalar for f64 {
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }
}

/// `a·b + c`, rounded once if `FUSED`, else twice.
#[inline(always)]
fn fma<const FUSED: bool, T: Scalar>(a: T, b: T, c: T) -> T {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `c[0] + c[1]·x + c[2]·x² + …`: even powers and odd ones side by side, each by Horner's rule in `x²`, as a processor
/// has more than one multiplier and waits for every one of them.
#[inline(always)]
fn poly<const FUSED: bool, T: Scalar, const N: usize>(x: T, c: [T; N]) -> T {
    let square = x * x;
    let (mut last, mut before) = (c[N - 1], c[N - 2]);
    let mut k = N - 2;
    while k >= 2 {
        k -= 2;
        last = fma::<FUSED, T>(last, square, c[k + 1]);
        before = fma::<FUSED, T>(before, square, c[k]);
    }
    if k == 0 {
        fma::<FUSED, T>(last, x, before)
    } else {
        fma::<FUSED, T>(fma::<FUSED, T>(last, x, before), x, c[0])
    }
}

/// `ln 2`, in a part so short that its product with any exponent is exact, and the rest.
const LN_2: (f64, f64) = (0.693_147_180_559_890_3, 5.497_923_018_708_371e-14);
/// The same in single precision.
const LN_2_F32: (f32, f32) = (0.693_145_75, 1.428_606_8e-6);

/// In single precision by way of double precision, rounded once: for functions that are no shorter there.
macro_rules! through_f64 {
    ($($narrow:ident = $wide:ident;)*) => {$(
        /// In double precision, rounded once.
        #[inline(always)]
        pub(super) fn $narrow<const FUSED: bool>(x: f32) -> f32 {
            $wide::<FUSED>(f64::from(x)) as f32
        }
    )*};
}
use through_f64;
