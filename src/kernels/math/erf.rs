//! The error function, its complement, and the distribution function of the normal distribution.
//!
//! Below 1, `erf x = x + x S(x²)`. Above, `erf x = 1 - exp(-x² - u(x))`, where `u = -ln(e^(x²) erfc x)` is so smooth that a
//! polynomial does (an idea of N. Juffa's); what is left of its error is multiplied by `erfc x`, which is small.

use super::exp::{decay32, decay64, exp_sum64};
use super::pow::product;
use super::{fma, poly};

/// The polynomials leave out 2⁻⁵⁶ and 2⁻⁵⁷.
#[inline(always)]
pub(super) fn erf64<const FUSED: bool>(x: f64) -> f64 {
    let a = x.abs();
    // From 5.93 on it is 1.
    let a = if a > 6.0 { 6.0 } else { a };
    let z = a * a;
    let s = poly::<FUSED, _, _>(
        z,
        [
            0.128_379_167_095_512_56,
            -0.376_126_389_031_834_1,
            0.112_837_916_709_421_23,
            -0.026_866_170_643_087_082,
            0.005_223_977_607_706_533,
            -0.000_854_832_606_438_457_2,
            0.000_120_552_988_067_729_7,
            -1.492_482_799_493_474_8e-5,
            1.644_868_175_498_391_8e-6,
            -1.621_877_981_163_675e-7,
            1.376_643_093_588_019e-8,
            -7.884_469_376_713_647e-10,
        ],
    );
    let u = poly::<FUSED, _, _>(
        a - 3.5,
        [
            1.862_437_402_141_523_5,
            0.266_099_588_262_218_6,
            -0.033_246_945_535_266_546,
            0.005_225_659_152_953_057,
            -0.000_873_681_287_048_851_3,
            0.000_147_308_731_920_586_36,
            -2.438_385_973_963_254e-5,
            3.867_977_335_197_634_5e-6,
            -6.243_175_976_186_027e-7,
            5.235_622_390_204_446_6e-8,
            -1.095_477_060_099_658_1e-8,
            1.717_662_968_207_083_5e-8,
            1.674_061_773_758_512_8e-8,
            9.088_311_260_418_342e-9,
            3.143_872_252_974_019_7e-9,
            6.813_149_894_335_17e-10,
            8.743_619_080_512_178e-11,
            4.865_006_069_871_593e-12,
        ],
    );
    let y = if a < 1.0 { fma::<FUSED, _>(a, s, a) } else { 1.0 - decay64::<FUSED>(-(z + u)) };
    y.copysign(x)
}

/// The polynomials leave out 2⁻²⁹.
#[inline(always)]
pub(super) fn erf32<const FUSED: bool>(x: f32) -> f32 {
    let a = x.abs();
    // From 3.92 on it is 1.
    let a = if a > 4.0 { 4.0 } else { a };
    let z = a * a;
    let s = poly::<FUSED, _, _>(
        z,
        [
            0.128_379_17,
            -0.376_126_26,
            0.112_835_79,
            -0.026_853_347,
            0.005_187_162,
            -0.000_799_785_3,
            7.806_904e-5,
        ],
    );
    let u = poly::<FUSED, _, _>(
        a - 2.5,
        [
            1.556_817_8,
            0.352_693_47,
            -0.056_116_1,
            0.010_717_092,
            -0.002_456_263_6,
            0.000_157_666_9,
            -0.000_185_110_17,
        ],
    );
    let y = if a < 1.0 { fma::<FUSED, _>(a, s, a) } else { 1.0 - decay32::<FUSED>(-(z + u)) };
    y.copysign(x)
}

// The complementary error function is `t P(1 - 2t) e^(-x²)` with `t = k/(k + x)` for a positive `x`, so that all of the
// half-line is one short interval (an idea of M. Shepherd and J. Laframboise, Mathematics of Computation 36, 1981); and the
// square is found in two parts, as its rounding error would be multiplied by the exponential's condition number. Near 0 the
// series of the error function is closer. The distribution function of the normal distribution is the same with other
// constants, and no error comes from a division by √2.

/// `e^(-scale·a²)` for `a` up to 40.
#[inline(always)]
fn gauss64<const FUSED: bool>(a: f64, scale: f64) -> f64 {
    let square = product::<FUSED>(a, a);
    exp_sum64::<FUSED>(-scale * square.high, -scale * square.low)
}

/// From the left tail, which is at `-a`, and the difference from the middle near 0.
#[inline(always)]
fn sided(x: f64, tail: f64, whole: f64) -> f64 {
    if x > 0.0 { tail } else { whole - tail }
}

/// `1 - erf x`, to full relative accuracy in the tail. The polynomials leave out 2⁻⁵⁴ and 2⁻⁵⁸.
#[inline(always)]
pub(super) fn erfc64<const FUSED: bool>(x: f64) -> f64 {
    // From 27.3 on it is 0.
    let a = at_most(x.abs(), 28.0);
    let s = poly::<FUSED, _, _>(
        a * a,
        [
            0.128_379_167_095_512_56,
            -0.376_126_389_031_834_7,
            0.112_837_916_709_252_71,
            -0.026_866_170_632_859,
            0.005_223_977_372_525_996_5,
            -0.000_854_829_770_790_689_7,
            0.000_120_533_327_959_668_65,
            -1.484_578_789_042_172_4e-05,
            1.472_521_125_226_673_8e-06,
        ],
    );
    let t = 4.0 / (4.0 + a);
    let p = poly::<FUSED, _, _>(
        1.0 - (t + t),
        [
            0.273_998_915_250_122_77,
            -0.244_137_182_270_220_5,
            0.193_302_175_566_309_35,
            -0.135_213_457_828_309_2,
            0.082_712_896_969_497_71,
            -0.043_502_734_309_966_12,
            0.019_095_378_727_484_666,
            -0.006_592_513_335_385_047,
            0.001_528_013_911_575_468_5,
            -7.023_971_361_501_035e-05,
            -0.000_113_763_150_923_329_24,
            4.420_319_058_972_304e-05,
            -9.088_990_371_824_698e-07,
            -4.715_182_411_689_013e-06,
            1.173_966_118_529_841_4e-06,
            3.560_014_988_861_977e-07,
            -2.123_553_871_112_290_3e-07,
            -1.892_213_422_007_966_3e-08,
            3.216_803_786_700_566e-08,
            4.249_830_063_969_503_3e-10,
            -4.774_631_892_716_219e-09,
            -2.289_707_856_513_823_1e-10,
            5.670_280_790_320_471e-10,
            1.201_359_030_950_046_7e-10,
        ],
    );
    let far = sided(x, t * p * gauss64::<FUSED>(a, 1.0), 2.0);
    let near = 1.0 - fma::<FUSED, _>(a, s, a).copysign(x);
    if a < 0.5 { near } else { far }
}

/// In double precision, rounded once. The polynomial leaves out 2⁻³³.
#[inline(always)]
pub(super) fn erfc32<const FUSED: bool>(x: f32) -> f32 {
    let x = f64::from(x);
    // From 10.1 on it is 0.
    let a = at_most(x.abs(), 10.5);
    let t = 3.0 / (3.0 + a);
    let p = poly::<FUSED, _, _>(
        1.0 - (t + t),
        [
            0.358_002_302_352_626_5,
            -0.294_464_817_969_209_9,
            0.196_742_787_184_765_4,
            -0.103_489_074_215_714_59,
            0.039_842_557_053_478_8,
            -0.008_942_619_046_161_246,
            -0.000_403_987_598_418_338_23,
            0.001_012_752_211_704_543,
            -0.000_182_509_459_366_120_6,
            -9.640_035_980_119_997e-05,
            3.246_983_448_864_31e-05,
            1.411_939_390_485_929_9e-05,
            3.406_327_853_565_975e-07,
        ],
    );
    sided(x, t * p * decay64::<FUSED>(-(a * a)), 2.0) as f32
}

/// The distribution function of the standard normal distribution, to full relative accuracy in the left tail. The
/// polynomials leave out 2⁻⁵⁴ and 2⁻⁵².
#[inline(always)]
pub(super) fn ndtr64<const FUSED: bool>(x: f64) -> f64 {
    // From -38.5 on it is 0.
    let a = at_most(x.abs(), 39.0);
    let s = poly::<FUSED, _, _>(
        a * a,
        [
            0.398_942_280_401_432_7,
            -0.066_490_380_066_905_02,
            0.009_973_557_010_012_894,
            -0.001_187_328_214_999_612_4,
            0.000_115_434_682_559_490_72,
            -9.444_626_351_747_974e-06,
            6.658_652_311_785_242e-07,
            -4.101_456_854_647_47e-08,
            2.038_219_885_595_705_5e-09,
        ],
    );
    let t = 5.0 / (5.0 + a);
    let p = poly::<FUSED, _, _>(
        1.0 - (t + t),
        [
            0.153_838_609_950_012_58,
            -0.133_076_500_578_011_38,
            0.099_061_123_193_995_21,
            -0.062_706_631_334_257_5,
            0.033_004_073_234_081_43,
            -0.013_823_727_741_375_627,
            0.004_159_013_359_852_069,
            -0.000_598_675_352_373_748_6,
            -0.000_159_573_877_859_171_76,
            0.000_108_979_798_551_680_52,
            -1.187_516_147_177_824_7e-05,
            -9.952_491_233_740_314e-06,
            3.336_327_919_034_801e-06,
            7.959_609_798_658_179e-07,
            -5.541_440_827_024_478e-07,
            -6.691_477_037_543_634e-08,
            8.725_851_136_445_079e-08,
            8.035_592_578_294_747e-09,
            -1.402_844_126_392_185_3e-08,
            -1.711_139_325_650_926_6e-09,
            2.159_469_067_149_251_5e-09,
            4.441_697_243_546_297_5e-10,
            -2.321_772_896_760_618e-10,
            -7.632_360_706_008_479e-11,
        ],
    );
    let far = sided(-x, t * p * gauss64::<FUSED>(a, 0.5), 1.0);
    let near = 0.5 + x * s;
    if a < 0.7 { near } else { far }
}

/// In double precision, rounded once. The polynomial leaves out 2⁻³⁴.
#[inline(always)]
pub(super) fn ndtr32<const FUSED: bool>(x: f32) -> f32 {
    let x = f64::from(x);
    // From -14.2 on it is 0.
    let a = at_most(x.abs(), 15.0);
    let t = 4.0 / (4.0 + a);
    let p = poly::<FUSED, _, _>(
        1.0 - (t + t),
        [
            0.188_821_282_602_292_17,
            -0.151_974_160_567_433_2,
            0.096_784_350_348_979_88,
            -0.046_630_460_671_918_506,
            0.015_099_143_119_561_098,
            -0.001_885_102_674_804_254_6,
            -0.000_869_963_855_997_666_7,
            0.000_408_023_110_360_309_8,
            3.377_799_871_366_596e-05,
            -5.844_802_741_419_258e-05,
            -2.053_005_972_710_785_7e-06,
            8.682_698_749_135_26e-06,
            1.996_659_116_621_169_7e-06,
        ],
    );
    sided(-x, t * p * decay64::<FUSED>(-0.5 * (a * a)), 1.0) as f32
}

/// `x` if not above `high`, or NaN.
#[inline(always)]
fn at_most(x: f64, high: f64) -> f64 {
    if x > high { high } else { x }
}
