//! The number that kernels compute on.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{erf, exp, log, pow, special, trig};
use crate::kernels::{FloatLanes, Lanes};

/// An `f32` or `f64` with functions that the compiler can vectorise; `FUSED` where `a·b + c` is one instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fast<T, const FUSED: bool>(pub T);

macro_rules! operator {
    ($($trait:ident $method:ident)*) => {
        $(impl<T: $trait<Output = T>, const FUSED: bool> $trait for Fast<T, FUSED> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        })*
    };
}
operator!(Add add Sub sub Mul mul Div div);

impl<T: Neg<Output = T>, const FUSED: bool> Neg for Fast<T, FUSED> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

macro_rules! fast {
    ($t:ident, NEAR = $near:expr, $($name:ident = $f:path,)*; pairs: $($pair:ident = $both:path,)*; two: $($two:ident = $of_two:path,)*; polygamma = $polygamma:path,) => {
        impl<const FUSED: bool> Lanes for Fast<$t, FUSED> {
            type Element = $t;
            type Mask = bool;
            #[inline(always)]
            fn of(element: $t) -> Self {
                Self(element)
            }
            #[inline(always)]
            fn get(self) -> $t {
                self.0
            }
            #[inline(always)]
            fn splat(value: f64) -> Self {
                Self(value as $t)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.abs())
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

        impl<const FUSED: bool> FloatLanes for Fast<$t, FUSED> {
            const NEAR: f64 = $near as f64;
            $(#[inline(always)]
            fn $name(self) -> Self {
                Self($f(self.0))
            })*
            $(#[inline(always)]
            fn $pair(self) -> (Self, Self) {
                let (a, b) = $both(self.0);
                (Self(a), Self(b))
            })*
            $(#[inline(always)]
            fn $two(self, other: Self) -> Self {
                Self($of_two(self.0, other.0))
            })*
            #[inline(always)]
            fn polygamma(self, n: u32) -> Self {
                Self($polygamma(n, self.0))
            }
            #[inline(always)]
            fn powi(self, n: i32) -> Self {
                let x = self;
                match n {
                    -2 => Self(1.0) / (x * x),
                    -1 => Self(1.0) / x,
                    0 => Self(1.0),
                    1 => x,
                    2 => x * x,
                    3 => x * x * x,
                    4 => (x * x) * (x * x),
                    _ => fast!(@pow $t, self.0, n),
                }
            }
        }
    };
    (@pow f32, $x:expr, $n:expr) => { Self(pow::pow_wide::<FUSED>(f64::from($x), f64::from($n)) as f32) };
    (@pow f64, $x:expr, $n:expr) => { Self(pow::pow64::<FUSED>($x, f64::from($n))) };
}

fast! {
    f32,
    NEAR = trig::NEAR32,
    sqrt = f32::sqrt,
    exp = exp::exp32::<FUSED>,
    cbrt = special::cbrt32,
    floor = f32::floor,
    ceil = f32::ceil,
    round = f32::round_ties_even,
    trunc = f32::trunc,
    exp2 = exp::exp2_32::<FUSED>,
    exp_m1 = exp::exp_m1_32::<FUSED>,
    log2 = pow::log2_32::<FUSED>,
    log10 = pow::log10_32::<FUSED>,
    sinh = exp::sinh32::<FUSED>,
    cosh = exp::cosh32::<FUSED>,
    asinh = log::asinh32::<FUSED>,
    acosh = log::acosh32::<FUSED>,
    atanh = log::atanh32::<FUSED>,
    asin = special::asin32,
    acos = special::acos32,
    atan = special::atan32,
    erfc = erf::erfc32::<FUSED>,
    ndtr = erf::ndtr32::<FUSED>,
    erf_inv = special::erf_inv32,
    lgamma = special::lgamma32,
    digamma = special::digamma32,
    ln = log::ln32::<FUSED>,
    ln_1p = log::ln_1p_32::<FUSED>,
    tanh = exp::tanh32::<FUSED>,
    softplus = log::softplus32::<FUSED>,
    sigmoid = exp::sigmoid32::<FUSED>,
    erf = erf::erf32::<FUSED>,
    sin = trig::sin32::<FUSED>,
    cos = trig::cos32::<FUSED>,
    tan = trig::tan32::<FUSED>,
    lone_tan = trig::lone_tan32::<FUSED>,
    lone_sin = trig::lone_sin32::<FUSED>,
    lone_cos = trig::lone_cos32::<FUSED>,
    ; pairs:
    sin_cos = trig::sin_cos32::<FUSED>,
    lone_sin_cos = trig::lone_sin_cos32::<FUSED>,
    softplus_sigmoid = log::softplus_sigmoid32::<FUSED>,
    sigmoid_both = exp::sigmoid_both32::<FUSED>,
    ; two:
    powf = pow::pow32::<FUSED>,
    atan2 = special::atan2_32,
    hypot = pow::hypot32::<FUSED>,
    direction = pow::direction32::<FUSED>,
    xlogy = log::xlogy32::<FUSED>,
    remainder = special::remainder32,
    copysign = f32::copysign,
    ; polygamma = special::polygamma32,
}

fast! {
    f64,
    NEAR = trig::NEAR64,
    sqrt = f64::sqrt,
    exp = exp::exp64::<FUSED>,
    cbrt = libm::cbrt,
    floor = f64::floor,
    ceil = f64::ceil,
    round = f64::round_ties_even,
    trunc = f64::trunc,
    exp2 = exp::exp2_64::<FUSED>,
    exp_m1 = exp::exp_m1_64::<FUSED>,
    log2 = pow::log2_64::<FUSED>,
    log10 = pow::log10_64::<FUSED>,
    sinh = exp::sinh64::<FUSED>,
    cosh = exp::cosh64::<FUSED>,
    asinh = log::asinh64::<FUSED>,
    acosh = log::acosh64::<FUSED>,
    atanh = log::atanh64::<FUSED>,
    asin = libm::asin,
    acos = libm::acos,
    atan = libm::atan,
    erfc = erf::erfc64::<FUSED>,
    ndtr = erf::ndtr64::<FUSED>,
    erf_inv = special::erf_inv64,
    lgamma = libm::lgamma,
    digamma = special::digamma64,
    ln = log::ln64::<FUSED>,
    ln_1p = log::ln_1p_64::<FUSED>,
    tanh = exp::tanh64::<FUSED>,
    softplus = log::softplus64::<FUSED>,
    sigmoid = exp::sigmoid64::<FUSED>,
    erf = erf::erf64::<FUSED>,
    sin = trig::sin64::<FUSED>,
    cos = trig::cos64::<FUSED>,
    tan = trig::tan64::<FUSED>,
    lone_tan = trig::lone_tan64::<FUSED>,
    lone_sin = trig::lone_sin64::<FUSED>,
    lone_cos = trig::lone_cos64::<FUSED>,
    ; pairs:
    sin_cos = trig::sin_cos64::<FUSED>,
    lone_sin_cos = trig::lone_sin_cos64::<FUSED>,
    softplus_sigmoid = log::softplus_sigmoid64::<FUSED>,
    sigmoid_both = exp::sigmoid_both64::<FUSED>,
    ; two:
    powf = pow::pow64::<FUSED>,
    atan2 = special::atan2_64,
    hypot = pow::hypot64::<FUSED>,
    direction = pow::direction64::<FUSED>,
    xlogy = log::xlogy64::<FUSED>,
    remainder = special::remainder64,
    copysign = f64::copysign,
    ; polygamma = special::polygamma64,
}
