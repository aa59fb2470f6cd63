//! The number that kernels compute on.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{erf, exp, log, pow, trig};
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
    ($t:ident, NEAR = $near:expr, $($name:ident = $f:path,)*; pairs: $($pair:ident = $both:path,)*) => {
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
            #[inline(always)]
            fn powf(self, p: Self) -> Self {
                Self(fast!(@powf $t)(self.0, p.0))
            }
        }
    };
    (@powf f32) => { pow::pow32::<FUSED> };
    (@powf f64) => { pow::pow64::<FUSED> };
    (@pow f32, $x:expr, $n:expr) => { Self(pow::pow_wide::<FUSED>(f64::from($x), f64::from($n)) as f32) };
    (@pow f64, $x:expr, $n:expr) => { Self(pow::pow64::<FUSED>($x, f64::from($n))) };
}

fast! {
    f32,
    NEAR = trig::NEAR32,
    sqrt = f32::sqrt,
    exp = exp::exp32::<FUSED>,
    exp_m1 = exp::exp_m1_32::<FUSED>,
    ln = log::ln32::<FUSED>,
    ln_1p = log::ln_1p_32::<FUSED>,
    tanh = exp::tanh32::<FUSED>,
    softplus = log::softplus32::<FUSED>,
    sigmoid = exp::sigmoid32::<FUSED>,
    erf = erf::erf32::<FUSED>,
    sin = trig::sin32::<FUSED>,
    cos = trig::cos32::<FUSED>,
    lone_sin = trig::lone_sin32::<FUSED>,
    lone_cos = trig::lone_cos32::<FUSED>,
    ; pairs:
    sin_cos = trig::sin_cos32::<FUSED>,
    lone_sin_cos = trig::lone_sin_cos32::<FUSED>,
    softplus_sigmoid = log::softplus_sigmoid32::<FUSED>,
    sigmoid_both = exp::sigmoid_both32::<FUSED>,
}

fast! {
    f64,
    NEAR = trig::NEAR64,
    sqrt = f64::sqrt,
    exp = exp::exp64::<FUSED>,
    exp_m1 = exp::exp_m1_64::<FUSED>,
    ln = log::ln64::<FUSED>,
    ln_1p = log::ln_1p_64::<FUSED>,
    tanh = exp::tanh64::<FUSED>,
    softplus = log::softplus64::<FUSED>,
    sigmoid = exp::sigmoid64::<FUSED>,
    erf = erf::erf64::<FUSED>,
    sin = trig::sin64::<FUSED>,
    cos = trig::cos64::<FUSED>,
    lone_sin = trig::lone_sin64::<FUSED>,
    lone_cos = trig::lone_cos64::<FUSED>,
    ; pairs:
    sin_cos = trig::sin_cos64::<FUSED>,
    lone_sin_cos = trig::lone_sin_cos64::<FUSED>,
    softplus_sigmoid = log::softplus_sigmoid64::<FUSED>,
    sigmoid_both = exp::sigmoid_both64::<FUSED>,
}
