//! The functions under test: their kernels, and their values in double precision and beyond.

use std::marker::PhantomData;

use super::double::{self, Big, Double};
use crate::kernels::{FloatElement, FloatLanes, Kernel, Lanes, map_near};

/// A function under test.
pub(super) trait Function {
    const NAME: &'static str;
    /// The largest error that is allowed, in units in the last place: of both types.
    const ULPS32: f64;
    const ULPS64: f64;
    /// Where something changes: bounds of overflow, of underflow, of polynomials.
    const THRESHOLDS32: &'static [f32];
    const THRESHOLDS64: &'static [f64];
    /// Intervals for dense arguments, and how many.
    const DENSE: &'static [(f64, f64, usize)];

    /// The kernel.
    fn kernel<L: FloatLanes>(x: L) -> L;
    /// The kernel beyond `NEAR`.
    fn far<L: FloatLanes>(x: L) -> L {
        Self::kernel(x)
    }
    /// To about a unit in the last place.
    fn wide(x: f64) -> f64;
    /// To about 100 bits, if it is finite, not 0 and within reach.
    fn precise(x: f64) -> Option<Big>;
    /// `|x f'(x) / f(x)|`.
    fn condition(x: f64) -> f64;
}

/// A function over a slice.
pub(super) struct Apply<'a, F, T> {
    x: &'a [T],
    out: &'a mut [T],
    function: PhantomData<F>,
}

impl<'a, F, T> Apply<'a, F, T> {
    pub fn new(x: &'a [T], out: &'a mut [T]) -> Self {
        Self { x, out, function: PhantomData }
    }
}

impl<F: Function, T: FloatElement> Kernel for Apply<'_, F, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        map_near::<T::Lanes<FUSED>>(
            self.x,
            self.out,
            #[inline(always)]
            |x| F::kernel(<T::Lanes<FUSED> as Lanes>::of(x)).get(),
            |x| F::far(<T::Lanes<FUSED> as Lanes>::of(x)).get(),
        );
    }
}

macro_rules! functions {
    ($($Name:ident {
        ulps: [$ulps32:expr, $ulps64:expr],
        kernel: |$k:ident| $kernel:expr,
        $(far: |$f:ident| $far:expr,)?
        wide: |$w:ident| $wide:expr,
        precise: |$p:ident| if $valid:expr => $precise:expr,
        condition: |$c:ident| $condition:expr,
        thresholds: [$($t32:expr),* ; $($t64:expr),*],
        dense: [$($dense:expr),*],
    })*) => {$(
        pub(super) struct $Name;

        impl Function for $Name {
            const NAME: &'static str = stringify!($Name);
            const ULPS32: f64 = $ulps32;
            const ULPS64: f64 = $ulps64;
            const THRESHOLDS32: &'static [f32] = &[$($t32),*];
            const THRESHOLDS64: &'static [f64] = &[$($t64),*];
            const DENSE: &'static [(f64, f64, usize)] = &[$($dense),*];
            #[inline(always)]
            fn kernel<L: FloatLanes>($k: L) -> L {
                $kernel
            }
            $(fn far<L: FloatLanes>($f: L) -> L {
                $far
            })?
            fn wide($w: f64) -> f64 {
                $wide
            }
            fn precise($p: f64) -> Option<Big> {
                if $valid { Some($precise.into()) } else { None }
            }
            fn condition($c: f64) -> f64 {
                $condition
            }
        }
    )*};
}

fn d(x: f64) -> Double {
    x.into()
}

functions! {
    Exp {
        ulps: [2.0, 2.0],
        kernel: |x| x.exp(),
        wide: |x| x.exp(),
        precise: |x| if x.abs() < 760.0 && x != 0.0 => double::exp(d(x)),
        condition: |x| x.abs(),
        thresholds: [88.722_84, -87.336_55, -103.972_08, -103.278_93; 709.782_712_893_384, -708.396_418_532_264_1, -745.133_219_101_941_1, -744.440_071_921_381_2],
        dense: [(-1.0, 1.0, 4000), (-40.0, 40.0, 4000), (-746.0, 710.0, 4000)],
    }
    ExpM1 {
        ulps: [2.0, 3.0],
        kernel: |x| x.exp_m1(),
        wide: |x| x.exp_m1(),
        precise: |x| if x.abs() < 760.0 && x != 0.0 => double::exp_m1(d(x)),
        condition: |x| if x.abs() > 40.0 { x.max(0.0) } else { (x * x.exp() / x.exp_m1()).abs() },
        thresholds: [88.722_84, -20.0, -17.328_68; 709.782_712_893_384, -37.429_947_750_237_05, -40.0],
        dense: [(-1.0, 1.0, 4000), (-41.0, 41.0, 4000), (-40.0, 710.0, 4000)],
    }
    Ln {
        ulps: [2.0, 2.0],
        kernel: |x| x.ln(),
        wide: |x| x.ln(),
        precise: |x| if x.is_finite() && x > 0.0 && x != 1.0 => double::ln(d(x)),
        condition: |x| 1.0 / x.ln().abs(),
        thresholds: [1.0, std::f32::consts::FRAC_1_SQRT_2, std::f32::consts::SQRT_2, f32::MIN_POSITIVE; 1.0, std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::SQRT_2, f64::MIN_POSITIVE],
        dense: [(0.5, 2.0, 4000), (0.99, 1.01, 4000), (0.0, 100.0, 4000)],
    }
    Ln1p {
        ulps: [2.0, 3.0],
        kernel: |x| x.ln_1p(),
        wide: |x| x.ln_1p(),
        precise: |x| if x.is_finite() && x != 0.0 && x > -1.0 => double::ln_1p(d(x)),
        condition: |x| (x / ((1.0 + x) * x.ln_1p())).abs(),
        thresholds: [-1.0, 1.0, 0.414_213_57, -0.292_893_23; -1.0, 1.0, 0.414_213_562_373_095_1, -0.292_893_218_813_452_4],
        dense: [(-1.0, 1.0, 6000), (-0.01, 0.01, 2000), (0.0, 100.0, 4000)],
    }
    Tanh {
        ulps: [2.0, 3.0],
        kernel: |x| x.tanh(),
        wide: |x| x.tanh(),
        precise: |x| if x.is_finite() && x != 0.0 => double::tanh(d(x)),
        condition: |x| if x.abs() > 20.0 { 0.0 } else { (x * (1.0 - x.tanh().powi(2)) / x.tanh()).abs() },
        thresholds: [0.6, -0.6, 9.010_913, 10.0; 0.625, 19.061_547_465_398_5, 20.0],
        dense: [(-1.0, 1.0, 6000), (-20.0, 20.0, 6000)],
    }
    Sigmoid {
        ulps: [2.0, 2.0],
        kernel: |x| x.sigmoid(),
        wide: |x| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) },
        precise: |x| if x.abs() < 760.0 => double::sigmoid(d(x)),
        condition: |x| if x > 0.0 { x * (-x).exp() } else { x.abs() },
        thresholds: [0.0, -87.336_55, -103.972_08, -103.278_93; -708.396_418_532_264_1, -745.133_219_101_941_1],
        dense: [(-1.0, 1.0, 4000), (-40.0, 40.0, 4000), (-746.0, 40.0, 4000)],
    }
    Softplus {
        ulps: [2.0, 3.0],
        kernel: |x| x.softplus(),
        wide: |x| if x.is_nan() { x } else { x.max(0.0) + (-x.abs()).exp().ln_1p() },
        precise: |x| if x.is_finite() && x > -760.0 => double::softplus(d(x)),
        condition: |x| if x < -30.0 { x.abs() } else { (x / (1.0 + (-x).exp()) / (x.max(0.0) + (-x.abs()).exp().ln_1p())).abs() },
        thresholds: [0.0, -87.336_55, -103.972_08, -103.278_93; -708.396_418_532_264_1, -745.133_219_101_941_1],
        dense: [(-1.0, 1.0, 4000), (-40.0, 40.0, 4000), (-746.0, 40.0, 4000)],
    }
    Erf {
        ulps: [2.0, 3.0],
        kernel: |x| x.erf(),
        wide: |x| libm::erf(x),
        precise: |x| if x.is_finite() && x != 0.0 => double::erf(d(x)),
        condition: |x| if x.abs() > 20.0 { 0.0 } else { (x * (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI / libm::erf(x)).abs() },
        thresholds: [1.0, -1.0, 3.919_206, 4.0; 1.0, -1.0, 5.921_587, 6.0],
        dense: [(-1.0, 1.0, 6000), (-6.5, 6.5, 6000)],
    }
    Sin {
        ulps: [2.0, 3.0],
        kernel: |x| x.sin(),
        far: |x| x.lone_sin(),
        wide: |x| x.sin(),
        precise: |x| if x != 0.0 && x.abs() <= 1_048_576.0 => double::sin(x, 0),
        condition: |x| (x / x.tan()).abs(),
        thresholds: [4_194_304.0, std::f32::consts::PI, std::f32::consts::FRAC_PI_2, 4_194_303.5, 3_141_592.8; 1_048_576.0, std::f64::consts::PI, std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_4, 355.0, 710.0, 1_042_780.389_8],
        dense: [(-1.0, 1.0, 4000), (-40.0, 40.0, 4000), (-1_048_576.0, 1_048_576.0, 4000)],
    }
    Cos {
        ulps: [2.0, 3.0],
        kernel: |x| x.cos(),
        far: |x| x.lone_cos(),
        wide: |x| x.cos(),
        precise: |x| if x.abs() <= 1_048_576.0 => double::sin(x, 1),
        condition: |x| (x * x.tan()).abs(),
        thresholds: [4_194_304.0, std::f32::consts::PI, std::f32::consts::FRAC_PI_2, 4_194_303.5, 3_141_592.8; 1_048_576.0, std::f64::consts::PI, std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_4, 355.0, 710.0, 1_042_780.389_8],
        dense: [(-1.0, 1.0, 4000), (-40.0, 40.0, 4000), (-1_048_576.0, 1_048_576.0, 4000)],
    }
    Powi7 {
        ulps: [2.0, 2.0],
        kernel: |x| x.powi(7),
        wide: |x| x.powf(7.0),
        precise: |x| if x != 0.0 && x.is_finite() => double::pow(x, 7.0),
        condition: |_x| 7.0,
        thresholds: [1.0, 319_557.97; 1.0, 1e44],
        dense: [(0.5, 2.0, 4000)],
    }
    PowiMinus3 {
        ulps: [2.0, 2.0],
        kernel: |x| x.powi(-3),
        wide: |x| x.powf(-3.0),
        precise: |x| if x != 0.0 && x.is_finite() => double::pow(x, -3.0),
        condition: |_x| 3.0,
        thresholds: [1.0; 1.0],
        dense: [(0.5, 2.0, 4000)],
    }
    PowAbove1 {
        ulps: [2.0, 2.0],
        kernel: |x| x.powf(L::splat(1.6875)),
        wide: |x| x.powf(1.6875),
        precise: |x| if x > 0.0 && x.is_finite() => double::pow(x, 1.6875),
        condition: |_x| 1.6875,
        thresholds: [1.0; 1.0],
        dense: [(0.5, 2.0, 4000), (0.0, 100.0, 4000)],
    }
    PowMinus25 {
        ulps: [2.0, 2.0],
        kernel: |x| x.powf(L::splat(-2.5)),
        wide: |x| x.powf(-2.5),
        precise: |x| if x > 0.0 && x.is_finite() => double::pow(x, -2.5),
        condition: |_x| 2.5,
        thresholds: [1.0; 1.0],
        dense: [(0.5, 2.0, 4000), (0.0, 100.0, 4000)],
    }
    PowBelow1 {
        ulps: [2.0, 2.0],
        kernel: |x| x.powf(L::splat(0.328_125)),
        wide: |x| x.powf(0.328_125),
        precise: |x| if x > 0.0 && x.is_finite() => double::pow(x, 0.328_125),
        condition: |_x| 0.328_125,
        thresholds: [1.0; 1.0],
        dense: [(0.5, 2.0, 4000), (0.0, 100.0, 4000)],
    }
}
