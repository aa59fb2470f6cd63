//! How far the kernels are from the true values, at every level of the machine.
//!
//! A single precision result is judged by double precision, and a double precision result by [`double`]. Arguments go
//! through every exponent, both signs, all special values, and densely through where a function has its shape.

mod double;
mod functions;

use std::fmt::Debug;

use self::double::{Big, power};
use self::functions::{Apply, Function};
use crate::kernels::{FloatElement, Level};

/// What a function gives at every level, which must be the same bits wherever `a·b + c` is one instruction.
fn at_every_level<F: Function, T: FloatElement + Default>(x: &[T]) -> Vec<(Level, Vec<T>)> {
    let run = |level: Level| {
        let mut out = vec![T::default(); x.len()];
        level.run(Apply::<F, T>::new(x, &mut out));
        (level, out)
    };
    Level::available().map(run).collect()
}

/// A generator of bits (Steele, Lea and Flood, SplitMix).
struct Bits(u64);

impl Iterator for Bits {
    type Item = u64;
    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(z ^ (z >> 31))
    }
}

/// A worst case.
#[derive(Clone, Copy, Debug, Default)]
struct Worst {
    ulps: f64,
    /// Relative to `4e-16 (1 + condition number)`.
    relative: f64,
    at: f64,
}

/// Errors of `f32` over all patterns of bits, `stride` apart, in units in the last place.
fn sweep32<F: Function>(stride: usize) -> Worst {
    let mut worst = Worst::default();
    for start in (0..=u32::MAX).step_by(stride << 10) {
        let patterns = (start..=u32::MAX).step_by(stride).take(1 << 10);
        let mut x: Vec<f32> = patterns.map(f32::from_bits).collect();
        if start == 0 {
            x.extend(F::THRESHOLDS32.iter().flat_map(|t| [t.next_down(), *t, t.next_up()]));
            x.extend([0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN]);
        }
        let wide: Vec<f64> = x.iter().map(|&x| F::wide(x.into())).collect();
        for (level, out) in at_every_level::<F, f32>(&x) {
            for ((&x, &y), &true_value) in x.iter().zip(&out).zip(&wide) {
                let ulps = ulps32(y, true_value);
                assert!(
                    ulps <= F::ULPS32,
                    "{} of {x:e} at {level:?}: {y:e}, not {true_value:e}: {ulps} ulp",
                    F::NAME
                );
                if ulps > worst.ulps {
                    worst = Worst { ulps, at: x.into(), ..worst };
                }
            }
        }
    }
    worst
}

/// The distance in units in the last place of the true value; infinite where NaN, an infinity or the sign of 0 is wrong.
fn ulps32(y: f32, true_value: f64) -> f64 {
    let rounded = true_value as f32;
    if rounded.is_nan() || rounded.is_infinite() || rounded == 0.0 {
        let same = (rounded.is_nan() && y.is_nan()) || y.to_bits() == rounded.to_bits();
        // The largest number, or the smallest, is as good where it is as near.
        let near = !y.is_nan() && y.is_finite() && !rounded.is_nan() && true_value.is_finite();
        if same || !near {
            return if same { 0.0 } else { f64::INFINITY };
        }
    }
    let exponent = ((true_value.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    (f64::from(y) - true_value).abs() / power(exponent - 23)
}

/// Arguments of `f64`: all exponents, and densely where the function has its shape.
fn arguments64<F: Function>() -> Vec<f64> {
    let mut bits = Bits(1);
    let mut x = Vec::new();
    for exponent in 0..2047_u64 {
        for sign in [0, 1 << 63] {
            let mantissas = bits.by_ref().take(3).map(|mantissa| mantissa >> 12);
            x.extend(mantissas.map(|mantissa| f64::from_bits(sign | exponent << 52 | mantissa)));
        }
    }
    for &(low, high, count) in F::DENSE {
        x.extend(bits.by_ref().take(count).map(|b| low + (high - low) * ((b >> 11) as f64 / power(53))));
    }
    x.extend(F::THRESHOLDS64.iter().flat_map(|t| [t.next_down(), *t, t.next_up()]));
    x.extend([0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN, 5e-324, -5e-324]);
    x
}

fn sweep64<F: Function>() -> Worst {
    let x = arguments64::<F>();
    let truth: Vec<Option<Big>> = x.iter().map(|&x| F::precise(x)).collect();
    let mut worst = Worst::default();
    for (level, out) in at_every_level::<F, f64>(&x) {
        for ((&x, &y), truth) in x.iter().zip(&out).zip(&truth) {
            let Some(truth) = truth else {
                // A special value, which the standard library knows.
                let expected = F::wide(x);
                let same = (y.is_nan() && expected.is_nan()) || y.to_bits() == expected.to_bits();
                assert!(same, "{} of {x:e} at {level:?}: {y:e}, not {expected:e}", F::NAME);
                continue;
            };
            let (ulps, relative) = errors64(y, *truth);
            let allowed = 4e-16 * (1.0 + F::condition(x));
            assert!(
                ulps <= F::ULPS64 && (relative <= allowed || ulps <= 1.0),
                "{} of {x:e} at {level:?}: {y:e}, not {truth:?}: {ulps} ulp, {relative:e}",
                F::NAME
            );
            if ulps > worst.ulps {
                worst = Worst { ulps, at: x, ..worst };
            }
            worst.relative = worst.relative.max(relative / allowed);
        }
    }
    worst
}

/// The distance in units in the last place of the true value, and relative to it, 0 for subnormal values.
fn errors64(y: f64, truth: Big) -> (f64, f64) {
    let Big { value, exponent } = truth;
    let order = (value.high.abs().to_bits() >> 52) as i32 - 1023;
    if exponent + order >= 1024 || (y.is_infinite() && exponent + order == 1023) {
        // Overflow; at the edge, whatever rounds to infinity.
        let edge = value.high.abs() >= power(1024 - exponent - 1) * (2.0 - power(-53));
        return if y.is_infinite() && (edge || exponent + order >= 1024) && (y > 0.0) == (value.high > 0.0) {
            (0.0, 0.0)
        } else {
            (f64::INFINITY, f64::INFINITY)
        };
    }
    if exponent + order < -1080 {
        return (if y == 0.0 { 0.0 } else { f64::INFINITY }, 0.0);
    }
    let place = (order - 52).max(-1074 - exponent);
    let scaled =
        if exponent < -1000 { y * power(1000) * power(-exponent - 1000) } else { y * power(-exponent) };
    let error = ((scaled - value.high) - value.low).abs();
    let relative = if exponent + order < -1022 { 0.0 } else { error / value.high.abs() };
    // A power of 2 may be too small for a float of its own.
    let ulps = if place > -1022 {
        error / power(place)
    } else {
        error * power(500) / power((place + 500).max(-1074))
    };
    (ulps, relative)
}

macro_rules! sweeps {
    ($($name:ident)*) => {$(
        #[test]
        #[allow(non_snake_case)]
        fn $name() {
            let single = sweep32::<functions::$name>(STRIDE);
            let double = sweep64::<functions::$name>();
            println!(
                "{:10} f32 {:.3} ulp at {:e}, f64 {:.3} ulp at {:e}, {:.3} of the bound",
                stringify!($name), single.ulps, single.at, double.ulps, double.at, double.relative
            );
        }
    )*};
}

/// A prime, so that every exponent meets other mantissas.
const STRIDE: usize = 16_411;

sweeps! { Exp ExpM1 Ln Ln1p Tanh Sigmoid Softplus Erf Sin Cos Powi7 PowiMinus3 PowAbove1 PowMinus25 PowBelow1 }
