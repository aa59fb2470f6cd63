//! Sine and cosine.
//!
//! The argument is reduced by a multiple `n` of `π/2` or `π` that is subtracted in parts, each so short that its product
//! with `n` is exact (Cody and Waite, 1980). So the parts bound the argument: beyond it the result is NaN here, and
//! [`map_near`](crate::kernels::map_near) asks the standard library.

use super::{fma, poly};

/// The largest argument in double precision, `2²⁰`: `n` has 20 bits, and a part of `π/2` 33.
pub(super) const NEAR64: f64 = 1_048_576.0;
/// The largest argument in single precision, `2²²`: `2n` has 22 bits, and a part of `π` 31.
pub(super) const NEAR32: f32 = 4_194_304.0;

const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
/// `π/2` in 33 + 33 + 53 bits.
const HALF_PI: (f64, f64, f64) =
    (1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21);
/// `π` in 31 + 53 bits.
const PI: (f64, f64) = (3.141_592_653_468_251_2, 1.215_420_101_301_238_4e-10);

/// The largest argument of which no multiple of `π/2` is taken, in double precision, or of `π`, in single precision.
const FIRST64: f64 = 0.78;
const FIRST32: f32 = 1.5;

/// `x - n π/2`, and bits whose lowest are `n`.
#[inline(always)]
fn reduce64<const FUSED: bool>(x: f64) -> (f64, u64) {
    let shifted = fma::<FUSED, _>(x, std::f64::consts::FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FUSED, _>(-n, HALF_PI.0, x);
    let r = fma::<FUSED, _>(-n, HALF_PI.2, fma::<FUSED, _>(-n, HALF_PI.1, r));
    (r, shifted.to_bits())
}

/// `sin r` for `|r| ≤ π/4`. The polynomial leaves out 2⁻⁵⁷·⁹.
#[inline(always)]
fn first_sin64<const FUSED: bool>(r: f64) -> f64 {
    let z = r * r;
    let s = poly::<FUSED, _, _>(
        z,
        [
            -0.166_666_666_666_666_3,
            0.008_333_333_333_321_84,
            -0.000_198_412_698_293_585_33,
            2.755_731_353_851_764_7e-6,
            -2.505_073_438_996_901e-8,
            1.589_543_333_793_309e-10,
        ],
    );
    fma::<FUSED, _>(r * z, s, r)
}

/// `cos r` for `|r| ≤ π/4`. The polynomial leaves out 2⁻⁶³·⁹.
#[inline(always)]
fn first_cos64<const FUSED: bool>(r: f64) -> f64 {
    let z = r * r;
    let c = poly::<FUSED, _, _>(
        z,
        [
            0.041_666_666_666_666_595,
            -0.001_388_888_888_887_332_5,
            2.480_158_728_898_367_5e-5,
            -2.755_731_421_007_162e-7,
            2.087_570_427_025_098_4e-9,
            -1.135_866_327_891_483_6e-11,
        ],
    );
    let half = 0.5 * z;
    let most = 1.0 - half;
    most + fma::<FUSED, _>(z * z, c, (1.0 - most) - half)
}

/// The sine after `turns` quarters, from sine and cosine before; NaN for `|x| > 2²⁰`.
#[inline(always)]
fn turned64(x: f64, sin: f64, cos: f64, turns: u64) -> f64 {
    let y = if turns & 1 == 0 { sin } else { cos };
    let y = f64::from_bits(y.to_bits() ^ ((turns >> 1) << 63));
    if x.abs() <= NEAR64 { y } else { f64::NAN }
}

/// Sine and cosine for `|x| ≤ 2²⁰`.
#[inline(always)]
pub(super) fn sin_cos64<const FUSED: bool>(x: f64) -> (f64, f64) {
    let (r, turns) = reduce64::<FUSED>(x);
    let (sin, cos) = (first_sin64::<FUSED>(r), first_cos64::<FUSED>(r));
    let y = turned64(x, sin, cos, turns);
    // For the sign of -0.
    (if x == 0.0 { x } else { y }, turned64(x, sin, cos, turns.wrapping_add(1)))
}

/// Sine for `|x| ≤ 2²⁰`.
#[inline(always)]
pub(super) fn sin64<const FUSED: bool>(x: f64) -> f64 {
    sin_cos64::<FUSED>(x).0
}

/// Cosine for `|x| ≤ 2²⁰`.
#[inline(always)]
pub(super) fn cos64<const FUSED: bool>(x: f64) -> f64 {
    sin_cos64::<FUSED>(x).1
}

/// Sine and cosine of any angle, with branches, which cost a single number less time than what they leave out.
#[inline(always)]
pub(super) fn lone_sin_cos64<const FUSED: bool>(x: f64) -> (f64, f64) {
    if x.abs() < FIRST64 && x != 0.0 {
        (first_sin64::<FUSED>(x), first_cos64::<FUSED>(x))
    } else if x.abs() <= NEAR64 {
        sin_cos64::<FUSED>(x)
    } else {
        x.sin_cos()
    }
}

/// As [`lone_sin_cos64`].
#[inline(always)]
pub(super) fn lone_sin64<const FUSED: bool>(x: f64) -> f64 {
    if x.abs() < FIRST64 && x != 0.0 {
        first_sin64::<FUSED>(x)
    } else if x.abs() <= NEAR64 {
        sin64::<FUSED>(x)
    } else {
        x.sin()
    }
}

/// As [`lone_sin_cos64`].
#[inline(always)]
pub(super) fn lone_cos64<const FUSED: bool>(x: f64) -> f64 {
    if x.abs() < FIRST64 {
        first_cos64::<FUSED>(x)
    } else if x.abs() <= NEAR64 {
        cos64::<FUSED>(x)
    } else {
        x.cos()
    }
}

/// Tangent of the angle `x`, from what is left of it and the number of quarters.
#[inline(always)]
fn tan_of<const FUSED: bool>(x: f64, r: f64, turns: u64) -> f64 {
    let (sin, cos) = (first_sin64::<FUSED>(r), first_cos64::<FUSED>(r));
    let (above, below) = if turns & 1 == 0 { (sin, cos) } else { (-cos, sin) };
    // For the sign of -0.
    if x == 0.0 { x } else { above / below }
}

/// Tangent for `|x| ≤ 2²⁰`.
#[inline(always)]
pub(super) fn tan64<const FUSED: bool>(x: f64) -> f64 {
    let (r, turns) = reduce64::<FUSED>(x);
    let y = tan_of::<FUSED>(x, r, turns);
    if x.abs() <= NEAR64 { y } else { f64::NAN }
}

/// As [`lone_sin_cos64`].
#[inline(always)]
pub(super) fn lone_tan64<const FUSED: bool>(x: f64) -> f64 {
    if x.abs() <= NEAR64 { tan64::<FUSED>(x) } else { x.tan() }
}

/// `sin r` for `|r| ≤ π/2`. The polynomial leaves out 2⁻³⁵.
#[inline(always)]
fn sin_of_half_turn<const FUSED: bool>(r: f64) -> f64 {
    let z = r * r;
    let s = poly::<FUSED, _, _>(
        z,
        [
            -0.166_666_666_259_419_95,
            0.008_333_331_099_535_516,
            -0.000_198_408_669_890_446,
            2.752_532_012_869_629_7e-6,
            -2.388_774_975_616_724e-8,
        ],
    );
    fma::<FUSED, _>(r * z, s, r)
}

/// Sine for `|x| ≤ 2²²`, in double precision: the sine of `r = x - n π`, negated if `n` is odd.
#[inline(always)]
pub(super) fn sin32<const FUSED: bool>(x: f32) -> f32 {
    let wide = f64::from(x);
    let shifted = fma::<FUSED, _>(wide, std::f64::consts::FRAC_1_PI, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FUSED, _>(-n, PI.1, fma::<FUSED, _>(-n, PI.0, wide));
    let y = sin_of_half_turn::<FUSED>(r);
    let y = f64::from_bits(y.to_bits() ^ (shifted.to_bits() << 63)) as f32;
    let y = if x == 0.0 { x } else { y };
    if x.abs() <= NEAR32 { y } else { f32::NAN }
}

/// Cosine for `|x| ≤ 2²²`: the sine of `r = x - (n + ½) π`, negated if `n` is even.
#[inline(always)]
pub(super) fn cos32<const FUSED: bool>(x: f32) -> f32 {
    let wide = f64::from(x);
    let shifted = fma::<FUSED, _>(wide, std::f64::consts::FRAC_1_PI, -0.5) + ROUND;
    let n = (shifted - ROUND) + 0.5;
    let r = fma::<FUSED, _>(-n, PI.1, fma::<FUSED, _>(-n, PI.0, wide));
    let y = sin_of_half_turn::<FUSED>(r);
    let y = f64::from_bits(y.to_bits() ^ (!shifted.to_bits() << 63)) as f32;
    if x.abs() <= NEAR32 { y } else { f32::NAN }
}

/// As [`lone_sin_cos64`].
#[inline(always)]
pub(super) fn lone_sin32<const FUSED: bool>(x: f32) -> f32 {
    if x.abs() < FIRST32 && x != 0.0 {
        sin_of_half_turn::<FUSED>(f64::from(x)) as f32
    } else if x.abs() <= NEAR32 {
        sin32::<FUSED>(x)
    } else {
        x.sin()
    }
}

/// As [`lone_sin_cos64`].
#[inline(always)]
pub(super) fn lone_cos32<const FUSED: bool>(x: f32) -> f32 {
    if x.abs() <= NEAR32 { cos32::<FUSED>(x) } else { x.cos() }
}

/// Sine and cosine for `|x| ≤ 2²²`.
#[inline(always)]
pub(super) fn sin_cos32<const FUSED: bool>(x: f32) -> (f32, f32) {
    (sin32::<FUSED>(x), cos32::<FUSED>(x))
}

/// As [`lone_sin_cos64`].
#[inline(always)]
pub(super) fn lone_sin_cos32<const FUSED: bool>(x: f32) -> (f32, f32) {
    (lone_sin32::<FUSED>(x), lone_cos32::<FUSED>(x))
}

/// Tangent for `|x| ≤ 2²²`, in double precision: half of the parts of `π` times a number of 22 bits.
#[inline(always)]
pub(super) fn tan32<const FUSED: bool>(x: f32) -> f32 {
    let wide = f64::from(x);
    let shifted = fma::<FUSED, _>(wide, std::f64::consts::FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FUSED, _>(-n, 0.5 * PI.1, fma::<FUSED, _>(-n, 0.5 * PI.0, wide));
    let y = tan_of::<FUSED>(wide, r, shifted.to_bits()) as f32;
    if x.abs() <= NEAR32 { y } else { f32::NAN }
}

/// As [`lone_sin_cos64`].
#[inline(always)]
pub(super) fn lone_tan32<const FUSED: bool>(x: f32) -> f32 {
    if x.abs() <= NEAR32 { tan32::<FUSED>(x) } else { f64::from(x).tan() as f32 }
}
