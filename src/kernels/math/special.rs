//! Functions that are computed one number at a time, with branches: those whose series depend on where the argument lies.
//!
//! The inverse trigonometric functions, the cube root, `ln |Γ|` and the remainder are those of the crate `libm`, which are
//! the same on every machine; the rest is written here.

use std::f64::consts::PI;

/// Numbers in single precision are computed on in double precision, and rounded once.
macro_rules! narrow {
    ($($narrow:ident = $wide:path;)*) => {$(
        #[inline(never)]
        pub(super) fn $narrow(x: f32) -> f32 {
            $wide(f64::from(x)) as f32
        }
    )*};
}
narrow! {
    cbrt32 = libm::cbrt;
    asin32 = libm::asin;
    acos32 = libm::acos;
    atan32 = libm::atan;
    lgamma32 = libm::lgamma;
    digamma32 = digamma64;
    erf_inv32 = erf_inv64;
}

/// `c[0] + c[1]·x + c[2]·x² + …`
fn horner(x: f64, c: &[f64]) -> f64 {
    c.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// `cot πx` for a number that has a fraction.
fn cot_pi(x: f64) -> f64 {
    let r = x - x.round();
    if r.abs() == 0.5 { 0.0 } else { 1.0 / libm::tan(PI * r) }
}

/// The derivative of `ln |Γ|`: -∞ at 0, +∞ at -0, NaN at the other poles.
///
/// Between 1 and 2 it is a polynomial times the distance from the root, in which nothing cancels. From there the recurrence
/// `ψ(x + 1) = ψ(x) + 1/x` leads down to 0 and up to 10, and Stirling's series on; negative numbers are reflected.
#[inline(never)]
pub(super) fn digamma64(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY.copysign(-x);
    }
    if x < 0.0 {
        return if x == x.trunc() { f64::NAN } else { digamma64(1.0 - x) - PI * cot_pi(x) };
    }
    if x < 1.0 {
        return around_root(x + 1.0) - 1.0 / x;
    }
    if x <= 10.0 {
        let steps = (x.ceil() - 2.0).max(0.0);
        let sum: f64 = (1..=steps as i32).map(|k| 1.0 / (x - f64::from(k))).sum();
        return sum + around_root(x - steps);
    }
    let inverse = 1.0 / x;
    libm::log(x) - inverse * (0.5 + inverse * horner(inverse * inverse, &STIRLING))
}

/// `B₂ₖ / 2k` for k = 1, 2, …
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32_760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
];

/// `ψ(x)` between 1 and 2. The polynomial leaves out 2⁻⁵⁴.
fn around_root(x: f64) -> f64 {
    /// The positive root of `ψ`, in two parts.
    const ROOT: (f64, f64) = (1.461_632_144_968_362_2, 9.549_995_429_965_697e-17);
    const P: [f64; 23] = [
        0.951_055_876_031_832_8,
        -0.423_627_421_281_460_6,
        0.240_542_484_240_786_97,
        -0.148_404_923_053_880_92,
        0.094_988_724_452_890_39,
        -0.061_922_133_275_488_31,
        0.040_760_833_940_846_085,
        -0.026_975_796_659_787_055,
        0.017_907_248_317_313_294,
        -0.011_908_220_105_959_716,
        0.007_927_021_796_868_154,
        -0.005_279_937_255_532_708,
        0.003_518_106_563_802_472,
        -0.002_345_494_739_738_083_3,
        0.001_563_369_631_365_350_4,
        -0.001_036_458_481_731_283_9,
        0.000_690_925_576_128_298_6,
        -0.000_485_950_392_200_362_54,
        0.000_323_959_454_013_451_96,
        -0.000_144_806_433_680_616_14,
        9.653_646_261_410_062e-05,
        -0.000_178_218_854_885_592_3,
        0.000_118_812_329_085_103_35,
    ];
    ((x - ROOT.0) - ROOT.1) * horner(x - 1.5, &P)
}

/// The derivative of order `n` of `ψ`; for `n ≥ 1` infinite at the poles.
///
/// For a positive number `(-1)ⁿ⁺¹ n! Σ (x + k)^-(n+1)`: some terms of the sum, and Euler's and Maclaurin's formula for the
/// rest. All terms have one sign. Negative numbers are reflected; the derivatives of the cotangent are polynomials of it,
/// whose coefficients have one sign as well.
#[inline(never)]
pub(super) fn polygamma64(n: u32, x: f64) -> f64 {
    if n == 0 {
        return digamma64(x);
    }
    let sign = if n.is_multiple_of(2) { 1.0 } else { -1.0 };
    if x <= 0.0 && x == x.trunc() {
        return if x.is_finite() { -sign * f64::INFINITY } else { f64::NAN };
    }
    if x < 0.0 {
        return sign * polygamma64(n, 1.0 - x) - cot_derivative(n, x);
    }
    -sign * scaled_zeta(n, x)
}

/// `B₂ₖ / (2k)!` for k = 1, 2, …
const BERNOULLI: [f64; 12] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
    1.0 / 74_724_249_600.0,
    -3617.0 / 10_670_622_842_880_000.0,
    43_867.0 / 5_109_094_217_170_944_000.0,
    -174_611.0 / 802_857_662_698_291_200_000.0,
    77_683.0 / 14_101_100_039_391_805_440_000.0,
    -236_364_091.0 / 1_693_824_136_731_743_669_452_800_000.0,
];

/// `n! Σ (x + k)^-(n+1)` for a positive number.
fn scaled_zeta(n: u32, x: f64) -> f64 {
    let order = f64::from(n);
    let factorial: f64 = (1..=n).map(f64::from).product();
    let (mut sum, mut w) = (0.0, x);
    while w < order + 12.0 {
        sum += libm::pow(w, -order - 1.0);
        w += 1.0;
    }
    let inverse = 1.0 / w;
    // The terms' factors: s, s(s+1)(s+2)/w², … with s = n + 1.
    let (mut rising, mut rest) = (order + 1.0, 0.0);
    for (b, step) in BERNOULLI.iter().zip((2_u32..).step_by(2)) {
        rest += b * rising;
        let s = order + f64::from(step);
        rising *= s * inverse * ((s + 1.0) * inverse);
    }
    let tail = 1.0 / order + inverse * (0.5 + inverse * rest);
    factorial * (sum + libm::pow(w, -order) * tail)
}

/// `π dⁿ/dxⁿ cot πx = πⁿ⁺¹ Pₙ(cot πx)` with `P₀(c) = c` and `Pₙ₊₁(c) = -(1 + c²) Pₙ'(c)`.
fn cot_derivative(n: u32, x: f64) -> f64 {
    let mut p = vec![0.0, 1.0];
    for _ in 0..n {
        let slope: Vec<f64> = p.iter().zip(0_u32..).skip(1).map(|(p, k)| -f64::from(k) * p).collect();
        p = vec![0.0; slope.len() + 2];
        for (k, s) in slope.iter().enumerate() {
            p[k] += s;
            p[k + 2] += s;
        }
    }
    libm::pow(PI, f64::from(n) + 1.0) * horner(cot_pi(x), &p)
}

#[inline(never)]
pub(super) fn polygamma32(n: u32, x: f32) -> f32 {
    polygamma64(n, f64::from(x)) as f32
}

/// The inverse of the error function, ±∞ at ±1 and NaN beyond.
///
/// `x P(x²)` in the middle; outside of it `x Q(w)` with `w = -ln(1 - x²)`, or `x R(√w)`, as the function itself is about `√w` there (an
/// idea of M. Giles, GPU Computing Gems, 2011). The polynomials leave out 2⁻⁵⁰ or less.
#[inline(never)]
pub(super) fn erf_inv64(x: f64) -> f64 {
    const MIDDLE: [f64; 22] = [
        0.886_226_925_452_758,
        0.232_013_666_534_654_94,
        0.127_556_175_305_455_32,
        0.086_552_129_259_685_82,
        0.064_959_616_525_215_37,
        0.051_731_332_191_384_84,
        0.042_835_342_545_783_93,
        0.036_492_635_370_034_3,
        0.031_309_069_402_761_04,
        0.032_059_893_628_277_22,
        -0.008_685_614_482_176_298,
        0.239_891_008_396_490_22,
        -1.081_299_137_362_37,
        4.433_062_903_879_243,
        -13.944_659_618_182_724,
        34.702_821_155_133_385,
        -66.904_618_677_124_26,
        98.318_300_562_635_34,
        -106.390_305_926_533_51,
        80.208_351_505_355_85,
        -37.732_687_147_637_115,
        8.436_334_049_049_133,
    ];
    const SIDE: [f64; 23] = [
        1.742_829_922_065_944,
        0.235_358_409_207_879_07,
        -0.006_717_066_587_673_058,
        -0.000_481_283_463_323_369_73,
        0.000_158_562_315_018_985_02,
        -1.579_845_365_842_484e-05,
        -3.823_684_568_536_704_7e-07,
        3.216_821_869_647_790_4e-07,
        -3.687_230_573_617_355_5e-08,
        -7.043_940_164_553_72e-10,
        7.447_502_923_813_434e-10,
        -8.611_764_084_086_598e-11,
        -1.920_402_523_686_998_6e-12,
        1.800_032_561_556_347e-12,
        -2.033_436_161_442_398e-13,
        -5.698_342_597_808_008_5e-15,
        4.470_617_060_034_922e-15,
        -4.902_968_052_497_034e-16,
        -1.981_666_996_377_700_7e-17,
        1.185_649_604_311_227_4e-17,
        -9.358_300_008_853_834e-19,
        -1.074_672_124_298_357_8e-19,
        1.735_824_433_690_836_8e-20,
    ];
    const FAR: [f64; 18] = [
        3.083_885_610_492_220_8,
        1.005_258_967_694_164_6,
        0.005_370_914_553_573_593,
        -0.003_751_208_508_030_541,
        0.002_491_442_096_997_990_8,
        -0.001_688_275_544_526_559_2,
        0.000_953_289_361_855_246_1,
        -0.000_355_037_648_957_822_53,
        2.403_128_637_707_369_4e-05,
        6.828_561_398_530_996e-05,
        -4.731_918_736_935_821_4e-05,
        1.247_274_014_474_272_4e-05,
        2.926_477_731_423_985_4e-06,
        -4.008_956_966_932_278e-06,
        1.497_191_022_600_222e-06,
        1.325_075_947_797_746_3e-08,
        -2.697_313_682_066_162e-07,
        9.284_332_225_420_571e-08,
    ];
    const LAST: [f64; 17] = [
        4.900_421_051_443_64,
        1.010_285_017_597_756_5,
        -0.000_169_858_091_484_790_1,
        -0.000_200_312_005_991_074_7,
        7.124_031_504_618_645e-05,
        -1.837_454_495_898_177_7e-05,
        4.193_858_544_647_826e-06,
        -9.070_354_216_083_459e-07,
        2.015_916_816_798_366_4e-07,
        -5.508_576_982_359_18e-08,
        2.190_475_129_863_894_6e-08,
        -1.094_253_110_698_375e-08,
        5.663_473_726_098_339e-09,
        -2.890_867_401_094_416e-09,
        1.187_619_549_458_4e-09,
        -2.517_622_866_652_299e-10,
        5.180_570_547_264_763e-12,
    ];
    if x * x <= 0.5 {
        return x * horner(x * x, &MIDDLE);
    }
    let w = -libm::log((1.0 - x) * (1.0 + x));
    let y = if w <= 6.25 {
        horner(w - 3.5, &SIDE)
    } else if w <= 16.0 {
        horner(w.sqrt() - 3.25, &FAR)
    } else {
        horner(w.sqrt() - 5.05, &LAST)
    };
    if x.abs() == 1.0 { f64::INFINITY.copysign(x) } else { x * y }
}

/// The angle of the point `(x, y)`.
#[inline(never)]
pub(super) fn atan2_64(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

#[inline(never)]
pub(super) fn atan2_32(y: f32, x: f32) -> f32 {
    libm::atan2(f64::from(y), f64::from(x)) as f32
}

/// The remainder of a division that is rounded down: it has the sign of the divisor.
macro_rules! remainder {
    ($($name:ident = $truncated:path: $t:ty;)*) => {$(
        #[inline(never)]
        pub(super) fn $name(a: $t, b: $t) -> $t {
            let r = $truncated(a, b);
            if r == 0.0 {
                r.copysign(b)
            } else if (r < 0.0) == (b < 0.0) {
                r
            } else {
                r + b
            }
        }
    )*};
}
remainder! {
    remainder64 = libm::fmod: f64;
    remainder32 = libm::fmodf: f32;
}
