//! Elementary functions to about 100 bits, in sums of two floats: what the kernels are measured against.
//!
//! Nothing here is taken from the kernels: exponentials, sines and the error function are Taylor series, logarithms are
//! found by one step of Newton's method from the standard library's, and the tests at the end compare values with those of
//! mpmath 1.3.0, computed in 400 bits.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `high + low`, with `low` below the last place of `high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Double {
    pub high: f64,
    pub low: f64,
}

/// `a + b` for any two, exactly (Knuth).
fn two_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let v = high - a;
    Double { high, low: (a - (high - v)) + (b - v) }
}

/// `high + low`, for `|high| ≥ |low|`.
fn normalised(high: f64, low: f64) -> Double {
    let sum = high + low;
    Double { high: sum, low: low - (sum - high) }
}

const fn double(high: f64, low: f64) -> Double {
    Double { high, low }
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Add for Double {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let high = two_sum(self.high, other.high);
        let low = two_sum(self.low, other.low);
        let sum = normalised(high.high, high.low + low.high);
        normalised(sum.high, sum.low + low.low)
    }
}

impl Neg for Double {
    type Output = Self;
    fn neg(self) -> Self {
        double(-self.high, -self.low)
    }
}

impl Sub for Double {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let high = self.high * other.high;
        let low = self.high.mul_add(other.high, -high);
        normalised(high, low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for Double {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * first.into();
        let second = rest.high / other.high;
        let rest = rest - other * second.into();
        normalised(first, second) + (rest.high / other.high).into()
    }
}

impl Double {
    /// Times a power of 2.
    fn scaled(self, power: f64) -> Self {
        double(self.high * power, self.low * power)
    }
}

/// `value · 2^exponent`, so that nothing over- or underflows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Big {
    pub value: Double,
    pub exponent: i32,
}

impl From<Double> for Big {
    fn from(value: Double) -> Self {
        Self { value, exponent: 0 }
    }
}

/// `2ⁿ`, for any `n` that gives a float, subnormal or not.
pub(super) fn power(n: i32) -> f64 {
    if n < -1022 { f64::from_bits(1 << (n + 1074).max(0)) } else { f64::from_bits(((n + 1023) as u64) << 52) }
}

/// Below, the square of a number is nothing beside the number, and its low parts may be subnormal.
const TINY: f64 = 1e-20;
const LN_2: Double = double(std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);

/// `eʳ - 1` for `|r| < 0.6`: a Taylor series of `r/64`, doubled six times.
fn small_exp_m1(r: Double) -> Double {
    let r = r.scaled(1.0 / 64.0);
    let (mut term, mut sum) = (r, r);
    for k in 2..14 {
        term = term * r / f64::from(k).into();
        sum = sum + term;
    }
    (0..6).fold(sum, |sum, _| sum * (sum + 2.0.into()))
}

/// Beyond 2000 that of 2000.
pub(super) fn exp(x: Double) -> Big {
    let x = if x.high.abs() > 2000.0 { 2000_f64.copysign(x.high).into() } else { x };
    let n = (x.high / LN_2.high).round();
    let r = x - LN_2 * n.into();
    Big { value: small_exp_m1(r) + 1.0.into(), exponent: n as i32 }
}

pub(super) fn exp_m1(x: Double) -> Big {
    if x.high.abs() < TINY {
        return double(x.high, 0.5 * x.high * x.high).into();
    }
    if x.high.abs() < 0.5 {
        return small_exp_m1(x).into();
    }
    let Big { value, exponent } = exp(x);
    if exponent > 200 {
        return Big { value, exponent };
    }
    (value.scaled(power(exponent.max(-200))) - 1.0.into()).into()
}

/// `ln(1 + z)` for small `z`, as `2 artanh s` with `s = z / (2 + z)`.
fn small_ln_1p(z: Double) -> Double {
    let s = z / (z + 2.0.into());
    let square = s * s;
    let (mut term, mut sum) = (s, s);
    for k in (3..40).step_by(2) {
        term = term * square;
        sum = sum + term / f64::from(k).into();
    }
    sum.scaled(2.0)
}

/// For a positive number.
pub(super) fn ln(x: Double) -> Double {
    if x.high < f64::MIN_POSITIVE {
        return ln(x.scaled(power(54))) - LN_2 * 54.0.into();
    }
    let exponent = ((x.high.to_bits() >> 52) as i32) - 1023;
    let exponent = if x.high > power(exponent) * 1.5 { exponent + 1 } else { exponent };
    let half = exponent / 2;
    let m = x.scaled(power(-half)).scaled(power(half - exponent));
    let e = LN_2 * f64::from(exponent).into();
    let above = m - 1.0.into();
    if above.high.abs() < 0.01 {
        return e + small_ln_1p(above);
    }
    let y = Double::from(m.high.ln());
    let Big { value, exponent } = exp(-y);
    let t = m * value.scaled(power(exponent)) - 1.0.into();
    e + (y + (t - (t * t).scaled(0.5)))
}

pub(super) fn ln_1p(z: Double) -> Double {
    match z.high.abs() {
        TINY.. if z.high.abs() < 0.01 => small_ln_1p(z),
        TINY.. => ln(z + 1.0.into()),
        _ => double(z.high, z.low - 0.5 * z.high * z.high),
    }
}

pub(super) fn tanh(x: Double) -> Double {
    if x.high.abs() < TINY {
        return x;
    }
    if x.high.abs() > 40.0 {
        return x.high.signum().into();
    }
    let u = exp_m1(x.scaled(-2.0)).value;
    -u / (u + 2.0.into())
}

pub(super) fn sigmoid(x: Double) -> Big {
    if x.high < -100.0 {
        return exp(x);
    }
    let Big { value, exponent } = exp(-x);
    let z = if exponent < -200 { 0.0.into() } else { value.scaled(power(exponent)) };
    (Double::from(1.0) / (z + 1.0.into())).into()
}

pub(super) fn softplus(x: Double) -> Big {
    let z = exp(if x.high > 0.0 { -x } else { x });
    if z.exponent < -200 {
        return if x.high > 0.0 { x.into() } else { z };
    }
    let tail = ln_1p(z.value.scaled(power(z.exponent)));
    (if x.high > 0.0 { x + tail } else { tail }).into()
}

/// `2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!`, whose terms are all positive.
pub(super) fn erf(x: Double) -> Big {
    const FACTOR: Double = double(std::f64::consts::FRAC_2_SQRT_PI, 1.533_545_961_316_588e-17);
    if x.high.abs() > 7.0 {
        return Double::from(x.high.signum()).into();
    }
    if x.high.abs() < TINY {
        return Big { value: FACTOR * x.scaled(power(600)), exponent: -600 };
    }
    let square = x * x;
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while term.high.abs() > 1e-34 * sum.high.abs() {
        k += 2.0;
        term = term * square.scaled(2.0) / Double::from(k);
        sum = sum + term;
    }
    let Big { value, exponent } = exp(-square);
    (FACTOR * sum * value.scaled(power(exponent))).into()
}

/// `x - n π/2` for the nearest `n`, and `n`, for `|x| ≤ 2²⁰`.
fn quarters(x: f64) -> (Double, i64) {
    /// `π/2` in 33 + 33 + 33 + 53 bits.
    const PARTS: [f64; 4] = [
        1.570_796_326_734_125_6,
        6.077_100_506_303_966e-11,
        2.022_266_248_711_166_5e-21,
        8.478_427_660_368_9e-32,
    ];
    let n = (x * std::f64::consts::FRAC_2_PI).round();
    (PARTS.iter().fold(x.into(), |r, part| r - Double::from(n) * (*part).into()), n as i64)
}

/// The Taylor series of sine from `x`, or of cosine from 1.
fn alternating(square: Double, first: Double, mut k: f64) -> Double {
    let (mut term, mut sum) = (first, first);
    while term.high.abs() > 1e-34 * sum.high.abs() {
        term = -term * square / Double::from((k + 1.0) * (k + 2.0));
        k += 2.0;
        sum = sum + term;
    }
    sum
}

/// `sin(x + quarter π/2)` for `|x| ≤ 2²⁰`.
pub(super) fn sin(x: f64, quarter: i64) -> Double {
    let (r, n) = quarters(x);
    let turns = n + quarter;
    let y = match turns & 1 {
        0 => alternating(r * r, r, 1.0),
        _ => alternating(r * r, 1.0.into(), 0.0),
    };
    if turns & 2 == 0 { y } else { -y }
}

/// `xᵖ` for a positive `x`, or an odd integer `p`.
pub(super) fn pow(x: f64, p: f64) -> Big {
    let Big { value, exponent } = exp(ln(x.abs().into()) * p.into());
    Big { value: if x < 0.0 { -value } else { value }, exponent }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of mpmath: `mp.prec = 400; y = f(mpf(x)); float(y), float(y - mpf(float(y)))`.
    #[test]
    fn values_are_those_of_mpmath() {
        let value = |b: Big| b.value.scaled(power(b.exponent));
        for (name, found, high, low) in [
            ("exp", value(exp(Double::from(0.7))), 2.013_752_707_470_476_6, -2.005_824_354_976_479_3e-16),
            ("exp", value(exp(Double::from(-20.3))), 1.526_940_159_126_608_7e-9, -9.350_718_630_790_655e-26),
            (
                "exp_m1",
                value(exp_m1(Double::from(0.001))),
                0.001_000_500_166_708_341_7,
                2.598_544_094_203_749e-20,
            ),
            (
                "exp_m1",
                value(exp_m1(Double::from(-3.25))),
                -0.961_225_792_168_278,
                -1.967_333_982_653_750_2e-17,
            ),
            ("ln", ln(Double::from(0.3)), -1.203_972_804_325_936_1, 8.935_521_583_403_776e-17),
            ("ln", ln(Double::from(1.001)), 0.000_999_500_333_083_423_2, -6.782_451_268_011_377e-20),
            ("ln", ln(Double::from(1e200)), 460.517_018_598_809_16, -2.212_910_927_262_947_3e-14),
            ("ln_1p", ln_1p(Double::from(1e-09)), 9.999_999_995e-10, 7.493_897_403_823_754e-26),
            ("ln_1p", ln_1p(Double::from(4.5)), 1.704_748_092_238_425_3, -3.752_658_681_826_342_4e-17),
            ("tanh", tanh(Double::from(0.001)), 0.000_999_999_666_666_8, 1.780_061_379_916_655_7e-20),
            ("tanh", tanh(Double::from(2.5)), 0.986_614_298_151_430_3, -2.452_923_878_817_287_4e-17),
            (
                "sigmoid",
                value(sigmoid(Double::from(-50.5))),
                1.169_845_917_706_196_4e-22,
                2.683_713_306_143_324_3e-39,
            ),
            (
                "sigmoid",
                value(sigmoid(Double::from(1.25))),
                0.777_299_861_174_691_2,
                -3.978_306_200_575_455e-17,
            ),
            (
                "softplus",
                value(softplus(Double::from(-50.5))),
                1.169_845_917_706_196_4e-22,
                2.683_720_148_840_680_2e-39,
            ),
            (
                "softplus",
                value(softplus(Double::from(1.25))),
                1.501_929_081_345_373,
                -6.266_350_454_761_789e-17,
            ),
            ("erf", value(erf(Double::from(0.01))), 0.011_283_415_555_849_618, -6.832_062_095_663_143e-19),
            ("erf", value(erf(Double::from(0.9))), 0.796_908_212_422_832_2, -2.319_317_803_562_879_4e-17),
            ("erf", value(erf(Double::from(4.5))), 0.999_999_999_803_383_9, 1.261_472_797_505_494_7e-17),
            ("sin", sin(0.6, 0), 0.564_642_473_395_035_4, -3.250_035_902_583_34e-17),
            ("cos", sin(0.6, 1), 0.825_335_614_909_678_3, -1.807_661_302_569_968e-17),
            ("sin", sin(355.0, 0), -3.014_435_335_948_845e-5, 1.301_264_399_104_634_7e-21),
            ("cos", sin(355.0, 1), -0.999_999_999_545_659, 1.057_461_284_664_352_1e-17),
            ("sin", sin(1e6, 0), -0.349_993_502_171_292_94, -1.595_284_880_932_396_8e-17),
            ("cos", sin(1e6, 1), 0.936_752_127_533_144_7, 4.637_088_260_214_747e-17),
            ("pow", value(pow(0.3, -7.7)), 10_621.022_739_459_675, 2.061_108_562_419_657_6e-14),
            ("pow", value(pow(1.5, 300.25)), 7.437_047_091_715_138e52, -4.502_955_218_461_514e36),
        ] {
            let error = ((found.high - high) + (found.low - low)) / high;
            assert!(error.abs() < 1e-29, "{name}: {found:?}, off by {error:e}");
        }
    }
}
