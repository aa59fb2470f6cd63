//! Functions that share what is costly, two of them in one pass.

use super::{FloatElement, FloatLanes, Kernel, Lanes, Level};

/// Two functions of one number that are computed together, to the same bits as one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// `sin x` and `cos x`: one reduction of the angle.
    SinCos,
    /// `ln(1 + eˣ)` and its derivative: one exponential.
    SoftplusSigmoid,
    /// `σ(x)` and `σ(-x)`: one exponential.
    SigmoidBoth,
}

impl Pair {
    /// Both functions of a slice.
    pub fn run<T: FloatElement>(self, level: Level, x: &[T], first: &mut [T], second: &mut [T]) {
        level.run(OnFloats { pair: self, x, first, second });
    }
}

struct OnFloats<'a, T> {
    pair: Pair,
    x: &'a [T],
    first: &'a mut [T],
    second: &'a mut [T],
}

impl<T: FloatElement> Kernel for OnFloats<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        type L<T, const FUSED: bool> = <T as FloatElement>::Lanes<FUSED>;
        let Self { pair, x, first, second } = self;
        match pair {
            Pair::SinCos => {
                map_both(
                    x,
                    first,
                    second,
                    #[inline(always)]
                    |x| L::<T, FUSED>::of(x).sin_cos(),
                );
                far::<L<T, FUSED>>(x, first, second);
            }
            Pair::SoftplusSigmoid => {
                map_both(
                    x,
                    first,
                    second,
                    #[inline(always)]
                    |x| L::<T, FUSED>::of(x).softplus_sigmoid(),
                );
            }
            Pair::SigmoidBoth => {
                map_both(
                    x,
                    first,
                    second,
                    #[inline(always)]
                    |x| L::<T, FUSED>::of(x).sigmoid_both(),
                );
            }
        }
    }
}

#[inline(always)]
fn map_both<L: Lanes>(
    x: &[L::Element],
    first: &mut [L::Element],
    second: &mut [L::Element],
    f: impl Fn(L::Element) -> (L, L),
) {
    for ((first, second), &x) in first.iter_mut().zip(second).zip(x) {
        let (a, b) = f(x);
        (*first, *second) = (a.get(), b.get());
    }
}

/// Angles beyond [`FloatLanes::NEAR`], one by one.
#[inline(always)]
fn far<L: FloatLanes>(x: &[L::Element], first: &mut [L::Element], second: &mut [L::Element]) {
    let is_far = |x: L::Element| !L::of(x).abs().le(L::splat(L::NEAR));
    if x.iter().fold(false, |any, &x| any | is_far(x)) {
        for ((first, second), &x) in first.iter_mut().zip(second).zip(x).filter(|(_, x)| is_far(**x)) {
            let (a, b) = L::of(x).lone_sin_cos();
            (*first, *second) = (a.get(), b.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The single functions, on numbers alone.
    struct Alone<'a, T>(&'a [T]);

    impl<T: FloatElement> Kernel for Alone<'_, T> {
        type Output = Vec<[T; 12]>;
        #[inline(always)]
        fn run<const FUSED: bool>(self) -> Self::Output {
            let both = |x: &T| {
                let x = <T::Lanes<FUSED> as Lanes>::of(*x);
                let (sin, cos) = x.lone_sin_cos();
                let (softplus, sigmoid) = x.softplus_sigmoid();
                let sin_cos = [x.lone_sin(), x.lone_cos(), sin, cos];
                let one_exponential = [x.softplus(), x.sigmoid(), softplus, sigmoid];
                let (above, below) = x.sigmoid_both();
                let both = [x.sigmoid(), (-x).sigmoid(), above, below];
                let all = [sin_cos, one_exponential, both].concat();
                std::array::from_fn(|i| all[i].get())
            };
            self.0.iter().map(both).collect()
        }
    }

    fn pairs_have_the_bits_of<T: FloatElement + Default + std::fmt::Debug>(x: &[T], bits: impl Fn(T) -> u64) {
        for level in Level::available() {
            let alone = level.run(Alone(x));
            for (pair, at) in [(Pair::SinCos, 0), (Pair::SoftplusSigmoid, 4), (Pair::SigmoidBoth, 8)] {
                let mut out = [(); 2].map(|()| vec![T::default(); x.len()]);
                let [first, second] = &mut out;
                pair.run(level, x, first, second);
                for (i, alone) in alone.iter().enumerate() {
                    let both = [out[0][i], out[1][i]].map(&bits);
                    let [a, b, c, d] = [0, 1, 2, 3].map(|k| bits(alone[at + k]));
                    assert!([a, b] == both && [c, d] == both, "{pair:?} of {:?} at {level:?}", x[i]);
                }
            }
        }
    }

    #[test]
    fn pairs_have_the_bits_of_single_functions() {
        let wide =
            |i: i32| f64::from(i) * 1.000_37_f64.powi(i % 20_000) * if i % 2 == 0 { 1e-5 } else { -1e-3 };
        let mut x: Vec<f64> = (0..40_000).map(wide).collect();
        x.extend([0.0, -0.0, 0.78, 0.79, 1.5, 1e6, 2e6, 1e300, f64::INFINITY, f64::NEG_INFINITY, 5e-324]);
        pairs_have_the_bits_of(&x, f64::to_bits);
        let single: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        pairs_have_the_bits_of(&single, |x| u64::from(x.to_bits()));
    }
}
