//! Logarithms.
//!
//! `x = 2ᵉ m` with `m` between `√½` and `√2`, so that `f = m - 1` is 0 for `x = 1` and nothing cancels around it. In
//! double precision `ln m = 2 artanh s` with `s = f / (2 + f)`, evaluated as `f - (f²/2 - s (f²/2 + z P(z)))`,
//! `z = s²` (Tang's and fdlibm's arrangement: the rounding error of the quotient only enters at second order). In
//! single precision a polynomial in `f` is shorter than a division.

use super::exp::{decay32, decay64, sigmoid_of32, sigmoid_of64};
use super::{LN_2, LN_2_F32, fma, poly, through_f64};

const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
const SQRT_HALF_F32: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();

/// `e + 1023` and `m`, for a positive normal number.
#[inline(always)]
pub(super) fn split64(x: f64) -> (u64, f64) {
    let bits = x.to_bits().wrapping_add(1.0_f64.to_bits() - SQRT_HALF);
    (bits >> 52, f64::from_bits((bits & ((1 << 52) - 1)) + SQRT_HALF))
}

#[inline(always)]
fn split32(x: f32) -> (u32, f32) {
    let bits = x.to_bits().wrapping_add(1.0_f32.to_bits() - SQRT_HALF_F32);
    (bits >> 23, f32::from_bits((bits & ((1 << 23) - 1)) + SQRT_HALF_F32))
}

/// `e` as a float: `biased - bias`, by way of the bits of `2⁵² + biased`, as not every machine has the conversion.
#[inline(always)]
pub(super) fn exponent64(biased: u64, bias: f64) -> f64 {
    const LARGE: f64 = (1_u64 << 52) as f64;
    f64::from_bits(biased | LARGE.to_bits()) - (LARGE + bias)
}

/// `x` as a normal number, times `2⁵⁴` if it is not, with the bias of its exponent.
#[inline(always)]
pub(super) fn normal64(x: f64) -> (f64, f64) {
    let tiny = x < f64::MIN_POSITIVE;
    (if tiny { x * (1_u64 << 54) as f64 } else { x }, if tiny { 1077.0 } else { 1023.0 })
}

/// `ln(1 + f) + e ln 2` for `√½ ≤ 1 + f ≤ √2`. The polynomial leaves out 2⁻⁵⁹·⁵.
#[inline(always)]
fn sum64<const FUSED: bool>(e: f64, f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let half = 0.5 * f * f;
    let p = poly::<FUSED, _, _>(
        z,
        [
            0.666_666_666_666_673_5,
            0.399_999_999_994_093_47,
            0.285_714_287_436_887_37,
            0.222_221_984_286_983_1,
            0.181_835_723_693_006_88,
            0.153_138_318_641_625_55,
            0.147_982_605_295_108_6,
        ],
    );
    let correction = fma::<FUSED, _>(s, fma::<FUSED, _>(z, p, half), e * LN_2.1);
    fma::<FUSED, _>(e, LN_2.0, f - (half - correction))
}

/// The same in single precision. The polynomial leaves out 2⁻²⁷·³.
#[inline(always)]
fn sum32<const FUSED: bool>(e: f32, f: f32) -> f32 {
    let p = poly::<FUSED, _, _>(
        f,
        [
            0.333_333_3,
            -0.250_008_26,
            0.200_012_64,
            -0.166_232_3,
            0.142_008_38,
            -0.131_604_88,
            0.127_680_6,
            -0.076_416_515,
        ],
    );
    let square = f * f;
    let low = fma::<FUSED, _>(e, LN_2_F32.1, square * f * p);
    fma::<FUSED, _>(e, LN_2_F32.0, f + fma::<FUSED, _>(-0.5, square, low))
}

/// The natural logarithm; -∞ at 0, NaN below; subnormal arguments included.
#[inline(always)]
pub(super) fn ln64<const FUSED: bool>(x: f64) -> f64 {
    let (normal, bias) = normal64(x);
    let (biased, m) = split64(normal);
    let y = sum64::<FUSED>(exponent64(biased, bias), m - 1.0);
    let y = if x < f64::INFINITY { y } else { x };
    let pole = if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    if x > 0.0 { y } else { pole }
}

/// As for `f64`.
#[inline(always)]
pub(super) fn ln32<const FUSED: bool>(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let normal = if tiny { x * (1 << 25) as f32 } else { x };
    let (biased, m) = split32(normal);
    let e = biased as i32 as f32 - if tiny { 152.0 } else { 127.0 };
    let y = sum32::<FUSED>(e, m - 1.0);
    let y = if x < f32::INFINITY { y } else { x };
    let pole = if x == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    if x > 0.0 { y } else { pole }
}

/// `ln(1 + x)`: what rounding takes from `u = 1 + x` is added to `f = 2⁻ᵉ u - 1`, which makes `f = x` near 0.
#[inline(always)]
pub(super) fn ln_1p_64<const FUSED: bool>(x: f64) -> f64 {
    let u = 1.0 + x;
    let v = u - 1.0;
    let lost = (1.0 - (u - v)) + (x - v);
    let (biased, m) = split64(u);
    // 2¹⁻ᵉ stays in range for the largest exponent.
    let scale = f64::from_bits(2047_u64.wrapping_sub(biased) << 52);
    let f = fma::<FUSED, _>(0.5 * lost, scale, m - 1.0);
    let y = sum64::<FUSED>(exponent64(biased, 1023.0), f);
    let y = if x < f64::INFINITY { y.copysign(x) } else { x };
    let pole = if x == -1.0 { f64::NEG_INFINITY } else { f64::NAN };
    if x > -1.0 { y } else { pole }
}

/// As for `f64`.
#[inline(always)]
pub(super) fn ln_1p_32<const FUSED: bool>(x: f32) -> f32 {
    let u = 1.0 + x;
    let v = u - 1.0;
    let lost = (1.0 - (u - v)) + (x - v);
    let (biased, m) = split32(u);
    let scale = f32::from_bits(255_u32.wrapping_sub(biased) << 23);
    let f = fma::<FUSED, _>(0.5 * lost, scale, m - 1.0);
    let y = sum32::<FUSED>(biased as i32 as f32 - 127.0, f);
    let y = if x < f32::INFINITY { y.copysign(x) } else { x };
    let pole = if x == -1.0 { f32::NEG_INFINITY } else { f32::NAN };
    if x > -1.0 { y } else { pole }
}

// `ln(1 + eˣ) = max(x, 0) + ln(1 + z)` with `z = e^-|x|`, which neither overflows nor loses the left tail. As `z ≤ 1`, no
// power of 2 is taken out of the logarithm.

/// `ln(1 + eˣ)`.
#[inline(always)]
pub(super) fn softplus64<const FUSED: bool>(x: f64) -> f64 {
    softplus_of64::<FUSED>(x, decay64::<FUSED>(-x.abs()))
}

/// `ln(1 + eˣ)`.
#[inline(always)]
pub(super) fn softplus32<const FUSED: bool>(x: f32) -> f32 {
    softplus_of32::<FUSED>(x, decay32::<FUSED>(-x.abs()))
}

/// `ln(1 + eˣ)` and its derivative.
#[inline(always)]
pub(super) fn softplus_sigmoid64<const FUSED: bool>(x: f64) -> (f64, f64) {
    let z = decay64::<FUSED>(-x.abs());
    (softplus_of64::<FUSED>(x, z), sigmoid_of64(x, z))
}

/// `ln(1 + eˣ)` and its derivative.
#[inline(always)]
pub(super) fn softplus_sigmoid32<const FUSED: bool>(x: f32) -> (f32, f32) {
    let z = decay32::<FUSED>(-x.abs());
    (softplus_of32::<FUSED>(x, z), sigmoid_of32::<FUSED>(x, z))
}

/// `ln(1 + eˣ)` from `z = e^-|x|`, as `2 artanh s` with `s = z / (2 + z)`. The polynomial leaves out 2⁻⁵⁹·⁴.
#[inline(always)]
fn softplus_of64<const FUSED: bool>(x: f64, z: f64) -> f64 {
    let s = z / (2.0 + z);
    let half = 0.5 * z * z;
    let p = poly::<FUSED, _, _>(
        s * s,
        [
            0.666_666_666_666_663_1,
            0.400_000_000_001_564_1,
            0.285_714_285_479_173_5,
            0.222_222_239_674_952_8,
            0.181_817_439_600_326_98,
            0.153_865_598_931_712_84,
            0.133_009_663_798_075_8,
            0.121_061_933_071_004_21,
            0.083_394_470_393_436_5,
            0.170_200_898_314_498_58,
        ],
    );
    let tail = z - (half - s * fma::<FUSED, _>(s * s, p, half));
    (if x > 0.0 { x } else { 0.0 }) + tail
}

/// `ln(1 + eˣ)` from `z = e^-|x|`, as `z + z² P(z - ½)`: in single precision that is shorter than a quotient and its series. The
/// polynomial leaves out 2⁻²⁶·⁴ of the logarithm.
#[inline(always)]
fn softplus_of32<const FUSED: bool>(x: f32, z: f32) -> f32 {
    let p = poly::<FUSED, _, _>(
        z - 0.5,
        [
            -0.378_139_6,
            0.179_224_95,
            -0.093_228_93,
            0.051_082_22,
            -0.028_975_375,
            0.016_813_895,
            -0.009_620_709,
            0.005_720_947,
            -0.004_686_306_7,
            0.002_921_996,
        ],
    );
    if !FUSED {
        // One rounding for all three terms, as more of them would take the error beyond two units in the last place.
        let (larger, z, p) = (f64::from(if x > 0.0 { x } else { 0.0 }), f64::from(z), f64::from(p));
        return (larger + (z + z * z * p)) as f32;
    }
    // Of three terms the two that have the smaller sum are added first: it is rounded to a smaller unit.
    let (first, last) = if x > 0.0 { (x, z) } else { (z, 0.0) };
    fma::<FUSED, _>(z * z, p, first) + last
}

// The inverse hyperbolic functions are logarithms of `1 + t`, where `t` is found without cancellation. Beyond 2⁵⁴ the 1 is
// of no weight any more, and `t = 2x` might overflow.
const LARGE64: f64 = (1_u64 << 54) as f64;

/// `ln(1 + t)`, or `ln(2a)` for a large `a`.
#[inline(always)]
fn area64<const FUSED: bool>(a: f64, t: f64) -> f64 {
    let y = ln_1p_64::<FUSED>(if a > LARGE64 { a } else { t });
    if a > LARGE64 { y + std::f64::consts::LN_2 } else { y }
}

/// The inverse hyperbolic sine: `t = a + a²/(1 + √(1 + a²))` for `a = |x|`.
#[inline(always)]
pub(super) fn asinh64<const FUSED: bool>(x: f64) -> f64 {
    let a = x.abs();
    let t = a + a * (a / (1.0 + fma::<FUSED, _>(a, a, 1.0).sqrt()));
    area64::<FUSED>(a, t).copysign(x)
}

/// The inverse hyperbolic cosine, NaN below 1: `t = s + √(s(s + 2))` for `s = x - 1`.
#[inline(always)]
pub(super) fn acosh64<const FUSED: bool>(x: f64) -> f64 {
    let s = x - 1.0;
    let y = area64::<FUSED>(x, s + fma::<FUSED, _>(s, s, s + s).sqrt());
    if x >= 1.0 { y } else { f64::NAN }
}

/// The inverse hyperbolic tangent, ±∞ at ±1 and NaN beyond: half of `ln(1 + 2a/(1 - a))` for `a = |x|`.
#[inline(always)]
pub(super) fn atanh64<const FUSED: bool>(x: f64) -> f64 {
    let a = x.abs();
    (0.5 * ln_1p_64::<FUSED>((a + a) / (1.0 - a))).copysign(x)
}

/// `a ln b`, 0 for `a = 0` unless `b` is NaN.
#[inline(always)]
pub(super) fn xlogy64<const FUSED: bool>(a: f64, b: f64) -> f64 {
    let y = a * ln64::<FUSED>(b);
    if (a == 0.0) & !b.is_nan() { 0.0 } else { y }
}

/// In double precision, rounded once.
#[inline(always)]
pub(super) fn xlogy32<const FUSED: bool>(a: f32, b: f32) -> f32 {
    xlogy64::<FUSED>(f64::from(a), f64::from(b)) as f32
}

through_f64! {
    asinh32 = asinh64;
    acosh32 = acosh64;
    atanh32 = atanh64;
}
