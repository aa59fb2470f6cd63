//! Powers.
//!
//! `|x|ᵖ = exp(p ln |x|)`. An exponent of up to 745 multiplies the relative error of the logarithm, so in double
//! precision the logarithm and the product are sums of two floats, of about 2⁻⁶⁵ (Dekker 1971; Muller et al., Handbook
//! of Floating-Point Arithmetic). In single precision double precision is more than enough.

use super::exp::{clamp, exp_sum64, powers64};
use super::log::{exponent64, ln64, normal64, split64};
use super::{LN_2, fma, poly};

/// A number as `high + low`, where `low` is below the last place of `high`.
#[derive(Clone, Copy)]
pub(super) struct Double {
    pub high: f64,
    pub low: f64,
}

/// `a + b`, exactly, for `|a| ≥ |b|` or `a = 0`.
#[inline(always)]
fn sum(a: f64, b: f64) -> Double {
    let high = a + b;
    Double { high, low: b - (high - a) }
}

/// `x` in two parts of half the bits.
#[inline(always)]
fn halves(x: f64) -> (f64, f64) {
    let c = x * ((1 << 27) + 1) as f64;
    let high = c - (c - x);
    (high, x - high)
}

/// `a·b`, exactly: with Veltkamp's splitting where there is no fused multiplication.
#[inline(always)]
pub(super) fn product<const FUSED: bool>(a: f64, b: f64) -> Double {
    let high = a * b;
    if FUSED {
        return Double { high, low: a.mul_add(b, -high) };
    }
    let ((a1, a0), (b1, b0)) = (halves(a), halves(b));
    Double { high, low: a0 * b0 - (((high - a1 * b1) - a0 * b1) - a1 * b0) }
}

/// `a·b` for sums.
#[inline(always)]
fn product2<const FUSED: bool>(a: Double, b: Double) -> Double {
    let p = product::<FUSED>(a.high, b.high);
    Double { high: p.high, low: p.low + fma::<FUSED, _>(a.high, b.low, a.low * b.high) }
}

/// `ln x` for a positive number: `ln m = s (2 + z (2/3 + z P(z)))` with `s = (m - 1)/(m + 1)`, `z = s²`, all but `z P(z)` in
/// sums. The polynomial leaves out 2⁻⁶⁶.
#[inline(always)]
fn ln_sum<const FUSED: bool>(x: f64) -> Double {
    let (normal, bias) = normal64(x);
    let (biased, m) = split64(normal);
    let e = exponent64(biased, bias);

    let f = m - 1.0;
    let below = m + 1.0;
    let below_low = m - (below - 1.0);
    let inverse = 1.0 / below;
    let high = f * inverse;
    let times = product::<FUSED>(high, below);
    let rest = ((f - times.high) - times.low) - high * below_low;
    let s = Double { high, low: rest * inverse };

    let z = product2::<FUSED>(s, s);
    let p = poly::<FUSED, _, _>(
        z.high,
        [
            0.400_000_000_000_022_7,
            0.285_714_285_700_912_23,
            0.222_222_225_214_802,
            0.181_817_842_254_582_17,
            0.153_867_640_883_446_15,
            0.132_566_553_743_962_67,
            0.131_978_794_249_001_94,
        ],
    );
    const TWO_THIRDS: (f64, f64) = (0.666_666_666_666_666_6, 3.700_743_415_417_188e-17);
    let t = sum(TWO_THIRDS.0, z.high * p);
    let t = product2::<FUSED>(z, Double { high: t.high, low: t.low + TWO_THIRDS.1 });
    let v = sum(2.0, t.high);
    let l = product2::<FUSED>(s, Double { high: v.high, low: v.low + t.low });

    let y = sum(e * LN_2.0, l.high);
    sum(y.high, y.low + fma::<FUSED, _>(e, LN_2.1, l.low))
}

/// The logarithm to another base: `ln x · factor`, both in sums, so that those of the base's powers are exact.
#[inline(always)]
fn log64<const FUSED: bool>(x: f64, factor: Double) -> f64 {
    let l = product2::<FUSED>(ln_sum::<FUSED>(x), factor);
    let y = l.high + l.low;
    let y = if x < f64::INFINITY { y } else { x };
    let pole = if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    if x > 0.0 { y } else { pole }
}

/// The logarithm to base 2, below 1 ulp.
#[inline(always)]
pub(super) fn log2_64<const FUSED: bool>(x: f64) -> f64 {
    log64::<FUSED>(x, Double { high: std::f64::consts::LOG2_E, low: LOG2_E_LOW })
}

/// The logarithm to base 10, below 1 ulp.
#[inline(always)]
pub(super) fn log10_64<const FUSED: bool>(x: f64) -> f64 {
    log64::<FUSED>(x, Double { high: std::f64::consts::LOG10_E, low: LOG10_E_LOW })
}

/// What the constants of the standard library leave out.
const LOG2_E_LOW: f64 = 2.0355273740931033e-17;
const LOG10_E_LOW: f64 = 1.098319650216765e-17;

/// Whether a positive number has no fraction.
#[inline(always)]
fn is_integer(a: f64) -> bool {
    const LARGE: f64 = (1_u64 << 52) as f64;
    (a >= LARGE) | ((a + LARGE) - LARGE == a)
}

/// `xᵖ` from `|x|ᵖ`, with all of IEEE 754's exceptions: a pole or zero at 0 and ∞, the sign of a negative base for odd `p`,
/// NaN for it if `p` is no integer, and 1 for `p = 0` or `x = 1`, whatever the other.
#[inline(always)]
fn with_exceptions(x: f64, p: f64, power: f64) -> f64 {
    let a = x.abs();
    let integer = is_integer(p.abs());
    let odd = integer & !is_integer(0.5 * p.abs());

    let (at_zero, at_infinity) = if p > 0.0 { (0.0, f64::INFINITY) } else { (f64::INFINITY, 0.0) };
    let y = if a == 0.0 { at_zero } else { power };
    let y = if a == f64::INFINITY { at_infinity } else { y };
    let y = if (x < 0.0) & !integer & (a < f64::INFINITY) { f64::NAN } else { y };
    let y = if odd { y.copysign(x) } else { y };
    let y = if x.is_nan() | p.is_nan() { f64::NAN } else { y };
    if (p == 0.0) | (x == 1.0) { 1.0 } else { y }
}

/// Beyond this exponent every power but that of 1 has over- or underflowed already.
const HUGE: f64 = (1_u128 << 64) as f64;

/// `xᵖ`, below 1.2 ulp.
#[inline(always)]
pub(super) fn pow64<const FUSED: bool>(x: f64, p: f64) -> f64 {
    let l = ln_sum::<FUSED>(x.abs());
    let bounded = clamp(p, -HUGE, HUGE);
    let y = product::<FUSED>(bounded, l.high);
    // Beyond the range of the exponential the low part may be as large as its argument.
    let low = if y.high.abs() > 800.0 { 0.0 } else { fma::<FUSED, _>(bounded, l.low, y.low) };
    let power = exp_sum64::<FUSED>(y.high, low);
    with_exceptions(x, p, power)
}

/// `xᵖ`, rounded from double precision.
#[inline(always)]
pub(super) fn pow32<const FUSED: bool>(x: f32, p: f32) -> f32 {
    pow_wide::<FUSED>(f64::from(x), f64::from(p)) as f32
}

/// `xᵖ` to 2⁻³⁰ or better where the result is within the range of an `f32`. The polynomials leave out 2⁻³⁷·⁶ and
/// 2⁻³⁴.
#[inline(always)]
pub(super) fn pow_wide<const FUSED: bool>(x: f64, p: f64) -> f64 {
    let (biased, m) = split64(x.abs());
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let series = poly::<FUSED, _, _>(
        z,
        [
            0.666_666_666_758_462_4,
            0.399_999_956_046_897_03,
            0.285_721_111_436_256_95,
            0.221_760_992_397_495_9,
            0.195_855_268_367_904_2,
        ],
    );
    let ln = fma::<FUSED, _>(
        exponent64(biased, 1023.0),
        std::f64::consts::LN_2,
        fma::<FUSED, _>(s * z, series, 2.0 * s),
    );

    const ROUND: f64 = 1.5 * (1_u64 << 52) as f64 + 2046.0;
    let y = clamp(clamp(p, -HUGE, HUGE) * ln, -160.0, 160.0);
    let shifted = fma::<FUSED, _>(y, std::f64::consts::LOG2_E, ROUND);
    let r = fma::<FUSED, _>(-(shifted - ROUND), std::f64::consts::LN_2, y);
    let q = poly::<FUSED, _, _>(
        r,
        [
            0.500_000_006_783_956_2,
            0.166_666_638_225_715_5,
            0.041_666_285_946_634_275,
            0.008_333_675_266_052_023,
            0.001_394_603_323_369_779_9,
            0.000_198_139_938_137_370_29,
        ],
    );
    let (a, b) = powers64(shifted.to_bits());
    with_exceptions(x, p, (1.0 + fma::<FUSED, _>(r * r, q, r)) * a * b)
}

/// The logarithm to base 2: here a product in double precision is close enough.
#[inline(always)]
pub(super) fn log2_32<const FUSED: bool>(x: f32) -> f32 {
    (ln64::<FUSED>(f64::from(x)) * std::f64::consts::LOG2_E) as f32
}

/// The logarithm to base 10.
#[inline(always)]
pub(super) fn log10_32<const FUSED: bool>(x: f32) -> f32 {
    (ln64::<FUSED>(f64::from(x)) * std::f64::consts::LOG10_E) as f32
}

/// `√(a² + b²)` as `m √(1 + (n/m)²)` with the larger and the smaller of the two; infinite where either is.
#[inline(always)]
pub(super) fn hypot64<const FUSED: bool>(a: f64, b: f64) -> f64 {
    let (a, b) = (a.abs(), b.abs());
    let (larger, smaller) = if a > b { (a, b) } else { (b, a) };
    let ratio = smaller / larger;
    let y = larger * fma::<FUSED, _>(ratio, ratio, 1.0).sqrt();
    let y = if larger == 0.0 { smaller } else { y };
    if (a == f64::INFINITY) | (b == f64::INFINITY) { f64::INFINITY } else { y }
}

/// `√(a² + b²)` in double precision, where nothing overflows.
#[inline(always)]
pub(super) fn hypot32<const FUSED: bool>(a: f32, b: f32) -> f32 {
    let (wide_a, wide_b) = (f64::from(a), f64::from(b));
    let y = fma::<FUSED, _>(wide_a, wide_a, wide_b * wide_b).sqrt() as f32;
    if (a.abs() == f32::INFINITY) | (b.abs() == f32::INFINITY) { f32::INFINITY } else { y }
}

/// `a / √(a² + b²)`, 0 at the origin.
#[inline(always)]
pub(super) fn direction64<const FUSED: bool>(a: f64, b: f64) -> f64 {
    let y = a / hypot64::<FUSED>(a, b);
    if (a == 0.0) & !b.is_nan() { 0.0 } else { y }
}

/// In double precision, rounded once.
#[inline(always)]
pub(super) fn direction32<const FUSED: bool>(a: f32, b: f32) -> f32 {
    direction64::<FUSED>(f64::from(a), f64::from(b)) as f32
}
