//! The exponential function and what is made of it.
//!
//! `eˣ = 2ⁿ eʳ` with `n = round(x / ln 2)`, so `|r| ≤ ln 2 / 2`; `r` is found with a two-part `ln 2` (Cody and Waite,
//! Software Manual for the Elementary Functions, 1980). Then `eʳ - 1 = r + r² q(r)`. Rounding adds a number so large
//! that no place is left for a fraction; its lowest bits are then `n`, and shifted into an exponent they are `2ⁿ`. As
//! `2ⁿ` itself may be out of range where `2ⁿ eʳ` is not, it is applied as two factors of about `2^(n/2)`.

use super::{LN_2, LN_2_F32, fma, poly, through_f64};

/// What remains of an argument: `x = n ln 2 + r`.
#[derive(Clone, Copy)]
struct Reduced<T, B> {
    /// `eʳ - 1`.
    em1: T,
    /// The lowest bits are `n` plus the offset that was asked for.
    n: B,
}

/// What may be added to any number without a trace, and without an instruction: +0 would change -0.
const NO_TAIL: f64 = -0.0;

/// Of `x + tail`, for `|x| < 1100` and a tail far below.
#[inline(always)]
fn reduce64_sum<const FUSED: bool>(x: f64, tail: f64, offset: f64) -> Reduced<f64, u64> {
    let round = 1.5 * (1_u64 << 52) as f64 + offset;
    let shifted = fma::<FUSED, _>(x, std::f64::consts::LOG2_E, round);
    let n = shifted - round;
    let r = fma::<FUSED, _>(-n, LN_2.1, fma::<FUSED, _>(-n, LN_2.0, x) + tail);
    Reduced { em1: small_exp_m1_64::<FUSED>(r), n: shifted.to_bits() }
}

/// `eʳ - 1` for `|r| ≤ ln 2 / 2`. The polynomial leaves out 2⁻⁵⁵·⁴.
#[inline(always)]
fn small_exp_m1_64<const FUSED: bool>(r: f64) -> f64 {
    let q = poly::<FUSED, _, _>(
        r,
        [
            0.500_000_000_000_000_7,
            0.166_666_666_666_666_96,
            0.041_666_666_666_560_6,
            0.008_333_333_333_297_716,
            0.001_388_888_893_630_230_8,
            0.000_198_412_699_536_326_02,
            2.480_150_025_287_451e-5,
            2.755_718_134_666_045_4e-6,
            2.762_779_944_910_753_6e-7,
            2.512_707_631_887_352e-8,
        ],
    );
    fma::<FUSED, _>(r * r, q, r)
}

/// For `|x| < 1100`.
#[inline(always)]
fn reduce64<const FUSED: bool>(x: f64, offset: f64) -> Reduced<f64, u64> {
    reduce64_sum::<FUSED>(x, NO_TAIL, offset)
}

/// For `|x| < 120`. The polynomial leaves out 2⁻²⁶ of `eʳ - 1`.
#[inline(always)]
fn reduce32<const FUSED: bool>(x: f32, offset: f32) -> Reduced<f32, u32> {
    let round = 1.5 * (1_u32 << 23) as f32 + offset;
    let shifted = fma::<FUSED, _>(x, std::f32::consts::LOG2_E, round);
    let n = shifted - round;
    let r = fma::<FUSED, _>(-n, LN_2_F32.1, fma::<FUSED, _>(-n, LN_2_F32.0, x));
    let q =
        poly::<FUSED, _, _>(r, [0.499_999_97, 0.166_665_39, 0.041_667_75, 0.008_367_131, 0.001_383_644_2]);
    Reduced { em1: fma::<FUSED, _>(r * r, q, r), n: shifted.to_bits() }
}

/// The bias of the exponent, and twice it: the offsets that make one factor of `2ⁿ`, and two.
const BIAS: f64 = 1023.0;
const TWICE: f64 = 2046.0;
const BIAS_F32: f32 = 127.0;
const TWICE_F32: f32 = 254.0;

/// The two factors of `2ⁿ`.
#[inline(always)]
pub(super) fn powers64(n: u64) -> (f64, f64) {
    (f64::from_bits((n >> 1) << 52), f64::from_bits((n - (n >> 1)) << 52))
}

#[inline(always)]
fn powers32(n: u32) -> (f32, f32) {
    (f32::from_bits((n >> 1) << 23), f32::from_bits((n - (n >> 1)) << 23))
}

/// `x` within bounds, or NaN.
#[inline(always)]
pub(super) fn clamp<T: Copy + PartialOrd>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `x` if not below `low`, or NaN.
#[inline(always)]
fn at_least<T: Copy + PartialOrd>(x: T, low: T) -> T {
    if x < low { low } else { x }
}

/// `eˣ` for `x ≤ 0`: as `n ≤ 0`, a constant takes the place of the second factor of `2ⁿ`.
#[inline(always)]
pub(super) fn decay64<const FUSED: bool>(x: f64) -> f64 {
    let reduced = reduce64::<FUSED>(at_least(x, -746.0), BIAS + 64.0);
    let power = f64::from_bits(reduced.n << 52);
    fma::<FUSED, _>(reduced.em1, power, power) * (0.5 / (1_u64 << 63) as f64)
}

/// `eˣ` for `x ≤ 0`.
#[inline(always)]
pub(super) fn decay32<const FUSED: bool>(x: f32) -> f32 {
    let reduced = reduce32::<FUSED>(at_least(x, -104.0), BIAS_F32 + 64.0);
    let power = f32::from_bits(reduced.n << 23);
    fma::<FUSED, _>(reduced.em1, power, power) * (0.5 / (1_u64 << 63) as f32)
}

/// `exp(x + tail)`, for a tail that is far below `x`.
#[inline(always)]
pub(super) fn exp_sum64<const FUSED: bool>(x: f64, tail: f64) -> f64 {
    let reduced = reduce64_sum::<FUSED>(clamp(x, -746.0, 710.0), tail, TWICE);
    let (a, b) = powers64(reduced.n);
    fma::<FUSED, _>(reduced.em1, a, a) * b
}

/// `eˣ`, below 1.2 ulp; subnormal results included.
#[inline(always)]
pub(super) fn exp64<const FUSED: bool>(x: f64) -> f64 {
    exp_sum64::<FUSED>(x, NO_TAIL)
}

/// `2ˣ`: here the whole part is split off exactly.
#[inline(always)]
pub(super) fn exp2_64<const FUSED: bool>(x: f64) -> f64 {
    const ROUND: f64 = 1.5 * (1_u64 << 52) as f64 + TWICE;
    let x = clamp(x, -1080.0, 1025.0);
    let shifted = x + ROUND;
    let em1 = small_exp_m1_64::<FUSED>((x - (shifted - ROUND)) * std::f64::consts::LN_2);
    let (a, b) = powers64(shifted.to_bits());
    fma::<FUSED, _>(em1, a, a) * b
}

/// `eˣ`, below 1.2 ulp; subnormal results included.
#[inline(always)]
pub(super) fn exp32<const FUSED: bool>(x: f32) -> f32 {
    let reduced = reduce32::<FUSED>(clamp(x, -104.0, 89.0), TWICE_F32);
    let (a, b) = powers32(reduced.n);
    fma::<FUSED, _>(reduced.em1, a, a) * b
}

/// `eˣ - 1 = ((eʳ - 1) a + (a - 1/b)) b` where `2ⁿ = a b`.
#[inline(always)]
pub(super) fn exp_m1_64<const FUSED: bool>(x: f64) -> f64 {
    // Below -40 it is -1, and 1/b stays in range.
    let reduced = reduce64::<FUSED>(clamp(x, -40.0, 710.0), TWICE);
    let (a, b) = powers64(reduced.n);
    let inverse = f64::from_bits((2046 + (reduced.n >> 1)).wrapping_sub(reduced.n) << 52);
    (fma::<FUSED, _>(reduced.em1, a, a - inverse) * b).copysign(x)
}

/// As for `f64`.
#[inline(always)]
pub(super) fn exp_m1_32<const FUSED: bool>(x: f32) -> f32 {
    let reduced = reduce32::<FUSED>(clamp(x, -20.0, 89.0), TWICE_F32);
    let (a, b) = powers32(reduced.n);
    let inverse = f32::from_bits((254 + (reduced.n >> 1)).wrapping_sub(reduced.n) << 23);
    (fma::<FUSED, _>(reduced.em1, a, a - inverse) * b).copysign(x)
}

/// `1 / (1 + e⁻ˣ)` as `z / (1 + z)` with `z = eˣ` for a negative `x`, so to full relative accuracy in both tails; from
/// `z = e^-|x|`.
#[inline(always)]
pub(super) fn sigmoid_of64(x: f64, z: f64) -> f64 {
    (if x < 0.0 { z } else { 1.0 }) / (1.0 + z)
}

/// The same, with one step towards the quotient by the sum before it was rounded: without it the error is up to 2.4
/// units in the last place.
#[inline(always)]
pub(super) fn sigmoid_of32<const FUSED: bool>(x: f32, z: f32) -> f32 {
    let sum = 1.0 + z;
    let lost = z - (sum - 1.0);
    let y = (if x < 0.0 { z } else { 1.0 }) / sum;
    fma::<FUSED, _>(-y, lost, y)
}

/// The logistic function.
#[inline(always)]
pub(super) fn sigmoid64<const FUSED: bool>(x: f64) -> f64 {
    sigmoid_of64(x, decay64::<FUSED>(-x.abs()))
}

/// The logistic function.
#[inline(always)]
pub(super) fn sigmoid32<const FUSED: bool>(x: f32) -> f32 {
    sigmoid_of32::<FUSED>(x, decay32::<FUSED>(-x.abs()))
}

/// The logistic function of `x` and of `-x`.
#[inline(always)]
pub(super) fn sigmoid_both64<const FUSED: bool>(x: f64) -> (f64, f64) {
    let z = decay64::<FUSED>(-x.abs());
    (sigmoid_of64(x, z), sigmoid_of64(-x, z))
}

/// The logistic function of `x` and of `-x`.
#[inline(always)]
pub(super) fn sigmoid_both32<const FUSED: bool>(x: f32) -> (f32, f32) {
    let z = decay32::<FUSED>(-x.abs());
    (sigmoid_of32::<FUSED>(x, z), sigmoid_of32::<FUSED>(-x, z))
}

/// `eᵃ/2` and `(eᵃ - 1)/2` for `a ≥ 0`, neither of which overflows before the hyperbolic functions do: the factor ½ is taken
/// out of `2ⁿ`.
#[inline(always)]
fn halves64<const FUSED: bool>(a: f64) -> (f64, f64) {
    let Reduced { em1, n } = reduce64::<FUSED>(clamp(a, 0.0, 711.0), TWICE - 1.0);
    let (a, b) = powers64(n);
    let inverse = f64::from_bits((2046 + (n >> 1)).wrapping_sub(n) << 52);
    (fma::<FUSED, _>(em1, a, a) * b, fma::<FUSED, _>(em1, a, a - 0.5 * inverse) * b)
}

/// The hyperbolic sine, as `v + v / (1 + 2v)` with `v = (e^|x| - 1)/2`.
#[inline(always)]
pub(super) fn sinh64<const FUSED: bool>(x: f64) -> f64 {
    let v = halves64::<FUSED>(x.abs()).1;
    let y = if v < f64::INFINITY { v + v / (1.0 + 2.0 * v) } else { v };
    y.copysign(x)
}

/// The hyperbolic cosine, as `h + 1/(4h)` with `h = e^|x|/2`: at 0 the errors of the two terms cancel.
#[inline(always)]
pub(super) fn cosh64<const FUSED: bool>(x: f64) -> f64 {
    let h = halves64::<FUSED>(x.abs()).0;
    h + 0.25 / h
}

/// `tanh |x| = -u / (2 + u)` with `u = e^(-2|x|) - 1`, in which nothing overflows; from 0.6 on `1 - 2w / (1 + w)` with `w = 1 + u`,
/// whose error is half of one unit in the last place and a little more: it is doubled by the derivative `1 - y²`.
#[inline(always)]
pub(super) fn tanh64<const FUSED: bool>(x: f64) -> f64 {
    let a = x.abs();
    // From 20 on it is 1. As `n` is small and negative, `2ⁿ` takes one factor.
    let reduced = reduce64::<FUSED>(at_least(-2.0 * a, -40.0), BIAS);
    let power = f64::from_bits(reduced.n << 52);
    let u = fma::<FUSED, _>(reduced.em1, power, power - 1.0);
    let w = fma::<FUSED, _>(reduced.em1, power, power);
    let quotient = (if a < 0.6 { -u } else { w + w }) / (2.0 + u);
    (if a < 0.6 { quotient } else { 1.0 - quotient }).copysign(x)
}

/// `1 - 2w / (1 + w)` with `w = e^(-2|x|)`; below 0.6, where the subtraction would lose digits, a polynomial. It leaves out
/// 2⁻²⁸·⁴.
#[inline(always)]
pub(super) fn tanh32<const FUSED: bool>(x: f32) -> f32 {
    let a = x.abs();
    let reduced = reduce32::<FUSED>(at_least(-2.0 * a, -20.0), BIAS_F32);
    let power = f32::from_bits(reduced.n << 23);
    let w = fma::<FUSED, _>(reduced.em1, power, power);
    let large = 1.0 - (w + w) / (1.0 + w);
    let z = a * a;
    let p =
        poly::<FUSED, _, _>(z, [-0.333_333, 0.133_319_36, -0.053_784_717, 0.020_798_625, -0.005_897_966_7]);
    let small = fma::<FUSED, _>(z * a, p, a);
    (if a < 0.6 { small } else { large }).copysign(x)
}

through_f64! {
    exp2_32 = exp2_64;
    sinh32 = sinh64;
    cosh32 = cosh64;
}
