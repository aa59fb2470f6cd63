//! What the body of an elementwise kernel may use: [`Lanes`] for every number, [`FloatLanes`] for floats.
//!
//! A kernel body is one formula, `|x| L::splat(1.0) / (L::splat(1.0) + (-x).exp())`, generic over the pack of
//! numbers it runs on. It must not branch: a choice is a [`Lanes::select`].

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::math::Fast;

/// A number, or a pack of numbers of one type that are computed on together.
pub trait Lanes:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// What a slice of them holds.
    type Element: Copy;
    /// The result of a comparison.
    type Mask: Copy;

    /// The lanes of an element.
    fn of(element: Self::Element) -> Self;
    /// The element in the lanes.
    fn get(self) -> Self::Element;

    /// The literal `value` in every lane, rounded once to the element type.
    fn splat(value: f64) -> Self;
    /// `|x|`.
    fn abs(self) -> Self;
    /// `self < other`, false where either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`, false where either is NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `self == other`, false where either is NaN.
    fn eq(self, other: Self) -> Self::Mask;
    /// `if mask { yes } else { no }`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The larger of two; NaN where either is NaN.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        // Where `other` is NaN it is not below `self`, and taken.
        let larger = Self::select(other.lt(self), self, other);
        Self::select(self.eq(self), larger, self)
    }

    /// The smaller of two; NaN where either is NaN.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        let smaller = Self::select(self.lt(other), self, other);
        Self::select(self.eq(self), smaller, self)
    }

    /// -1, 0 or 1; NaN for NaN.
    #[inline(always)]
    fn sign(self) -> Self {
        let zero = Self::splat(0.0);
        let negative = Self::select(self.lt(zero), Self::splat(-1.0), self);
        Self::select(zero.lt(self), Self::splat(1.0), negative)
    }
}

/// A float that kernels compute on.
pub trait FloatElement: Copy {
    /// What a kernel body sees of it; `FUSED` where `a·b + c` is one instruction.
    type Lanes<const FUSED: bool>: FloatLanes<Element = Self>;
}

impl FloatElement for f32 {
    type Lanes<const FUSED: bool> = Fast<Self, FUSED>;
}

impl FloatElement for f64 {
    type Lanes<const FUSED: bool> = Fast<Self, FUSED>;
}

/// What only floats have.
pub trait FloatLanes: Lanes<Mask = bool> + Div<Output = Self> {
    /// The largest angle for `sin` and `cos`.
    const NEAR: f64;

    /// `√x`.
    fn sqrt(self) -> Self;
    /// The cube root.
    fn cbrt(self) -> Self;
    /// The largest whole number that is not above.
    fn floor(self) -> Self;
    /// The smallest whole number that is not below.
    fn ceil(self) -> Self;
    /// The nearest whole number, of two the even one.
    fn round(self) -> Self;
    /// The whole number towards 0.
    fn trunc(self) -> Self;
    /// `eˣ`.
    fn exp(self) -> Self;
    /// `2ˣ`.
    fn exp2(self) -> Self;
    /// `eˣ - 1`, accurate near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The logarithm to base 2.
    fn log2(self) -> Self;
    /// The logarithm to base 10.
    fn log10(self) -> Self;
    /// `ln(1 + x)`, accurate near 0.
    fn ln_1p(self) -> Self;
    /// Sine of an angle in radians; NaN for `|x| > NEAR`.
    fn sin(self) -> Self;
    /// Cosine of an angle in radians; NaN for `|x| > NEAR`.
    fn cos(self) -> Self;
    /// Sine and cosine at once, the same bits as one by one; NaN for `|x| > NEAR`.
    fn sin_cos(self) -> (Self, Self);
    /// Sine of any angle, with branches: for a number that is computed on alone.
    fn lone_sin(self) -> Self;
    /// Cosine of any angle, likewise.
    fn lone_cos(self) -> Self;
    /// Both, likewise.
    fn lone_sin_cos(self) -> (Self, Self);
    /// Tangent of an angle in radians; NaN for `|x| > NEAR`.
    fn tan(self) -> Self;
    /// Tangent of any angle, as [`lone_sin`](Self::lone_sin).
    fn lone_tan(self) -> Self;
    /// Inverse sine.
    fn asin(self) -> Self;
    /// Inverse cosine.
    fn acos(self) -> Self;
    /// Inverse tangent.
    fn atan(self) -> Self;
    /// Hyperbolic sine.
    fn sinh(self) -> Self;
    /// Hyperbolic cosine.
    fn cosh(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// Inverse hyperbolic cosine.
    fn acosh(self) -> Self;
    /// Inverse hyperbolic tangent.
    fn atanh(self) -> Self;
    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`.
    fn erf(self) -> Self;
    /// `1 - erf x`, accurate in the tail.
    fn erfc(self) -> Self;
    /// The inverse of the error function.
    fn erf_inv(self) -> Self;
    /// The distribution function of the standard normal distribution, accurate in the tail.
    fn ndtr(self) -> Self;
    /// `ln |Γ(x)|`.
    fn lgamma(self) -> Self;
    /// Its derivative.
    fn digamma(self) -> Self;
    /// The derivative of that, of order `n`.
    fn polygamma(self, n: u32) -> Self;
    /// `xⁿ` by repeated multiplication.
    fn powi(self, n: i32) -> Self;
    /// `xᵖ`.
    fn powf(self, p: Self) -> Self;
    /// The angle of the point `(x, self)`.
    fn atan2(self, x: Self) -> Self;
    /// `√(a² + b²)` without overflow.
    fn hypot(self, other: Self) -> Self;
    /// `a / √(a² + b²)`, 0 at the origin.
    fn direction(self, other: Self) -> Self;
    /// `a ln b`, 0 for `a = 0`.
    fn xlogy(self, other: Self) -> Self;
    /// The remainder of a division that is rounded down.
    fn remainder(self, other: Self) -> Self;
    /// The number with another's sign.
    fn copysign(self, sign: Self) -> Self;

    /// `ln(1 + eˣ)`, accurate in both tails.
    fn softplus(self) -> Self;

    /// `1 / (1 + e⁻ˣ)`, accurate in both tails.
    fn sigmoid(self) -> Self;
    /// Both at once, the same bits as one by one.
    fn softplus_sigmoid(self) -> (Self, Self);
    fn sigmoid_both(self) -> (Self, Self);
}

/// Integers wrap around, as NumPy's do. They are added by bits, so the operators of the trait need a wrapper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wrapping(pub i64);

macro_rules! wrapping_operator {
    ($($trait:ident $method:ident $wrapping:ident)*) => {
        $(impl $trait for Wrapping {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$wrapping(other.0))
            }
        })*
    };
}
wrapping_operator!(Add add wrapping_add Sub sub wrapping_sub Mul mul wrapping_mul);

impl Neg for Wrapping {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.wrapping_neg())
    }
}

impl Lanes for Wrapping {
    type Element = i64;
    type Mask = bool;
    #[inline(always)]
    fn of(element: i64) -> Self {
        Self(element)
    }
    #[inline(always)]
    fn get(self) -> i64 {
        self.0
    }
    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self(value as i64)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.wrapping_abs())
    }
    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self.0 < other.0
    }
    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self.0 <= other.0
    }
    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self.0 == other.0
    }
    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
}
