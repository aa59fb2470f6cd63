//! Elementary functions without branches, which the compiler can vectorise: those of gradus' own kernels, without what they do
//! for arguments that do not occur here (results or arguments that are subnormal, infinite or not a number).
//!
//! `F`: the machine has fused multiply-add. The coefficients are minimax fits; `src/kernels/math` of gradus says of what.

macro_rules! functions {
    ($module:ident, $t:ident, $bits:ident, BIAS = $bias:expr, MANTISSA = $mantissa:expr, LN_2 = $ln_2:expr, LOW = $low:expr,
     HIGH = $high:expr, EXP = $exp:expr, LN = ($f:ident, $e:ident) $ln:expr) => {
        pub mod $module {
            #![allow(dead_code, reason = "both types have all functions; not all are used")]

            #[inline(always)]
            fn fma<const F: bool>(a: $t, b: $t, c: $t) -> $t {
                if F { a.mul_add(b, c) } else { a * b + c }
            }

            #[inline(always)]
            fn poly<const F: bool, const N: usize>(x: $t, c: [$t; N]) -> $t {
                let mut sum = c[N - 1];
                for k in (0..N - 1).rev() {
                    sum = fma::<F>(sum, x, c[k]);
                }
                sum
            }

            const LN_2: ($t, $t) = $ln_2;

            /// `x = n ln 2 + r`: `eʳ - 1` and `2ⁿ`, which must be normal.
            #[inline(always)]
            fn reduce<const F: bool>(x: $t) -> ($t, $t) {
                const ROUND: $t = 1.5 * ((1 as $bits) << $mantissa) as $t + $bias as $t;
                let shifted = fma::<F>(x, std::$t::consts::LOG2_E, ROUND);
                let n = shifted - ROUND;
                let r = fma::<F>(-n, LN_2.1, fma::<F>(-n, LN_2.0, x));
                let q = poly::<F, _>(r, $exp);
                (fma::<F>(r * r, q, r), $t::from_bits(shifted.to_bits() << $mantissa))
            }

            #[inline(always)]
            pub fn exp<const F: bool>(x: $t) -> $t {
                let x = if x < $low { $low } else { x };
                let (em1, power) = reduce::<F>(if x > $high { $high } else { x });
                fma::<F>(em1, power, power)
            }

            /// Of a normal positive number.
            #[inline(always)]
            pub fn ln<const F: bool>(x: $t) -> $t {
                const SQRT_HALF: $bits = std::$t::consts::FRAC_1_SQRT_2.to_bits();
                const LARGE: $t = ((1 as $bits) << $mantissa) as $t;
                let bits = x.to_bits().wrapping_add((1.0 as $t).to_bits() - SQRT_HALF);
                let biased = $t::from_bits((bits >> $mantissa) | LARGE.to_bits());
                let $e = biased - (LARGE + $bias as $t);
                let $f = $t::from_bits((bits & ((1 << $mantissa) - 1)) + SQRT_HALF) - 1.0;
                $ln
            }

            #[inline(always)]
            pub fn sigmoid<const F: bool>(x: $t) -> $t {
                1.0 / (1.0 + exp::<F>(-x))
            }

            /// `tanh |x| = -u / (2 + u)` with `u = e^(-2|x|) - 1`.
            #[inline(always)]
            pub fn tanh<const F: bool>(x: $t) -> $t {
                let a = -2.0 * x.abs();
                let (em1, power) = reduce::<F>(if a < -40.0 { -40.0 } else { a });
                let u = fma::<F>(em1, power, power - 1.0);
                (u / (2.0 + u)).copysign(x)
            }
        }
    };
}

functions!(
    p64,
    f64,
    u64,
    BIAS = 1023,
    MANTISSA = 52,
    LN_2 = (0.693_147_180_559_890_3, 5.497_923_018_708_371e-14),
    LOW = -708.0,
    HIGH = 709.0,
    EXP = [
        0.500_000_000_000_000_7,
        0.166_666_666_666_666_96,
        0.041_666_666_666_560_6,
        0.008_333_333_333_297_716,
        0.001_388_888_893_630_230_8,
        0.000_198_412_699_536_326_02,
        2.480_150_025_287_451e-5,
        2.755_718_134_666_045_4e-6,
        2.762_779_944_910_753_6e-7,
        2.512_707_631_887_352e-8,
    ],
    LN = (f, e) {
        let s = f / (2.0 + f);
        let z = s * s;
        let half = 0.5 * f * f;
        let p = poly::<F, _>(z, [
            0.666_666_666_666_673_5,
            0.399_999_999_994_093_47,
            0.285_714_287_436_887_37,
            0.222_221_984_286_983_1,
            0.181_835_723_693_006_88,
            0.153_138_318_641_625_55,
            0.147_982_605_295_108_6,
        ]);
        fma::<F>(e, LN_2.0, f - (half - fma::<F>(s, fma::<F>(z, p, half), e * LN_2.1)))
    }
);

functions!(
    p32,
    f32,
    u32,
    BIAS = 127,
    MANTISSA = 23,
    LN_2 = (0.693_145_75, 1.428_606_8e-6),
    LOW = -87.0,
    HIGH = 88.0,
    EXP = [0.499_999_97, 0.166_665_39, 0.041_667_75, 0.008_367_131, 0.001_383_644_2],
    LN = (f, e) {
        let p = poly::<F, _>(f, [
            0.333_333_3,
            -0.250_008_26,
            0.200_012_64,
            -0.166_232_3,
            0.142_008_38,
            -0.131_604_88,
            0.127_680_6,
            -0.076_416_515,
        ]);
        let square = f * f;
        let low = fma::<F>(e, LN_2.1, square * f * p);
        fma::<F>(e, LN_2.0, f + fma::<F>(-0.5, square, low))
    }
);

#[cfg(test)]
mod tests {
    macro_rules! near_std {
        ($name:ident, $module:ident, $t:ident, $tolerance:expr) => {
            #[test]
            fn $name() {
                use super::$module::*;
                for k in -4000..=4000 {
                    let x = k as $t / 200.0;
                    let close = |a: $t, b: $t| assert!((a - b).abs() <= $tolerance * b.abs(), "{x}: {a} {b}");
                    close(exp::<true>(x), x.exp());
                    close(exp::<false>(x), x.exp());
                    close(tanh::<true>(x), x.tanh());
                    close(sigmoid::<true>(x), 1.0 / (1.0 + (-x).exp()));
                    close(ln::<true>(x.exp()), x.exp().ln());
                    close(ln::<false>(x.exp()), x.exp().ln());
                }
            }
        };
    }
    near_std!(f64_functions, p64, f64, 1e-15);
    near_std!(f32_functions, p32, f32, 4e-7);
}
