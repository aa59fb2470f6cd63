//! Random numbers as a function of a key and a place: Threefry2x32 with 20 rounds.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011: a
//! counter-based generator, which passes all of TestU01's BigCrush (13 rounds do already). It is made of additions,
//! rotations and exclusive ors of 32-bit words alone, so a loop over it is vectorised, and it has no state: element
//! number `i` is what it is whoever computes it, when, and beside what. The functions that turn bits into numbers use
//! no fused instructions, so that they give the same bits on every machine.

use std::f64::consts::TAU;

use super::{Fast, FloatLanes, Kernel, Level};

/// 64 bits, as two words.
type Words = [u32; 2];

/// How far each of eight rounds rotates.
const ROTATIONS: [u32; 8] = [13, 15, 26, 6, 17, 29, 16, 24];

/// What the third word of the key is made with.
const PARITY: u32 = 0x1bd1_1bda;

/// A permutation of the 64-bit numbers for each key.
#[inline(always)]
fn threefry(key: Words, counter: Words) -> Words {
    let keys = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
    let mut x = [counter[0].wrapping_add(keys[0]), counter[1].wrapping_add(keys[1])];
    let mut injected = 0;
    while injected < 5 {
        let mut round = 0;
        while round < 4 {
            x[0] = x[0].wrapping_add(x[1]);
            x[1] = x[1].rotate_left(ROTATIONS[4 * (injected % 2) + round]) ^ x[0];
            round += 1;
        }
        injected += 1;
        x[0] = x[0].wrapping_add(keys[injected % 3]);
        x[1] = x[1].wrapping_add(keys[(injected + 1) % 3]).wrapping_add(injected as u32);
    }
    x
}

fn words(x: u64) -> Words {
    [x as u32, (x >> 32) as u32]
}

/// What the numbers of one draw are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(Words);

impl Key {
    /// The key of draw number `stream` at a step of the generator with this seed. For one seed all streams have
    /// different keys at any one step, and each stream has a different one at every step.
    pub fn new(seed: i64, stream: u32, step: i64) -> Self {
        Self(threefry(threefry(words(seed as u64), [stream, 0]), words(step as u64)))
    }

    /// 64 random bits for place `i`; there are two such numbers for every place.
    #[inline(always)]
    fn bits(self, i: u64, second: bool) -> Words {
        // A place is below 2⁶³: arrays have no more bytes than that.
        threefry(self.0, [i as u32, (i >> 32) as u32 | u32::from(second) << 31])
    }
}

/// A float that can be drawn.
pub(crate) trait Drawn: Copy + Default {
    /// Evenly distributed in [0, 1).
    fn uniform(key: Key, i: u64) -> Self;
    /// Normally distributed with mean 0 and variance 1, by the transform of G. E. P. Box and M. E. Muller, "A note on the
    /// generation of random normal deviates", 1958.
    fn normal(key: Key, i: u64) -> Self;
}

impl Drawn for f64 {
    #[inline(always)]
    fn uniform(key: Key, i: u64) -> Self {
        unit(key.bits(i, false))
    }

    #[inline(always)]
    fn normal(key: Key, i: u64) -> Self {
        let (radius, angle) = (1.0 - unit(key.bits(i, false)), unit(key.bits(i, true)));
        normal::<Fast<Self, false>>(Fast(radius), Fast(angle)).0
    }
}

impl Drawn for f32 {
    #[inline(always)]
    fn uniform(key: Key, i: u64) -> Self {
        (key.bits(i, false)[0] >> 8) as Self * (1.0 / (1 << 24) as Self)
    }

    #[inline(always)]
    fn normal(key: Key, i: u64) -> Self {
        let [first, second] = key.bits(i, false);
        // Never 0, and as fine near 0 as floats are, so that the tails are long.
        let radius = ((first >> 1) as Self + 0.5) * (1.0 / (1_u32 << 31) as Self);
        let angle = (second >> 8) as Self * (1.0 / (1 << 24) as Self);
        normal::<Fast<Self, false>>(Fast(radius), Fast(angle)).0
    }
}

/// The first 53 of the bits, as a fraction.
#[inline(always)]
fn unit([first, second]: Words) -> f64 {
    f64::from(first) * (1.0 / (1_u64 << 32) as f64) + f64::from(second >> 11) * (1.0 / (1_u64 << 53) as f64)
}

/// `√(-2 ln r) cos(2π a)` for `0 < r ≤ 1`.
#[inline(always)]
fn normal<L: FloatLanes>(r: L, a: L) -> L {
    (L::splat(-2.0) * r.ln()).sqrt() * (L::splat(TAU) * a).cos()
}

/// How the numbers of a draw are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Evenly in [0, 1).
    Uniform,
    /// Normally, with mean 0 and variance 1.
    Normal,
}

/// The numbers of a draw from place `first` on.
pub(crate) fn draw<T: Drawn>(
    level: Level,
    distribution: Distribution,
    key: Key,
    first: usize,
    out: &mut [T],
) {
    level.run(Draw { distribution, key, first: first as u64, out });
}

struct Draw<'a, T> {
    distribution: Distribution,
    key: Key,
    first: u64,
    out: &'a mut [T],
}

impl<T: Drawn> Kernel for Draw<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { distribution, key, first, out } = self;
        let each = out.iter_mut().zip(first..);
        match distribution {
            Distribution::Uniform => {
                for (x, i) in each {
                    *x = T::uniform(key, i);
                }
            }
            Distribution::Normal => {
                for (x, i) in each {
                    *x = T::normal(key, i);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the authors publish with Random123.
    #[test]
    fn the_published_answers() {
        assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry([u32::MAX; 2], [u32::MAX; 2]), [0x1cb9_96fc, 0xbb00_2be7]);
        let (key, counter) = ([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]);
        assert_eq!(threefry(key, counter), [0xc492_3a9c, 0x483d_f7a0]);
    }

    #[test]
    fn all_levels_give_the_same_bits() {
        let key = Key::new(-3, 7, 1 << 40);
        for distribution in [Distribution::Uniform, Distribution::Normal] {
            let at = |level| {
                let (mut double, mut single) = ([0.0_f64; 777], [0.0_f32; 777]);
                draw(level, distribution, key, (1 << 32) - 300, &mut double);
                draw(level, distribution, key, (1 << 32) - 300, &mut single);
                (double.map(f64::to_bits), single.map(f32::to_bits))
            };
            let mut all = Level::available().map(at);
            let first = all.next().unwrap();
            assert!(all.all(|other| other == first));
        }
    }

    #[test]
    fn single_precision_is_double_precision_cut_off() {
        let key = Key::new(5, 0, 0);
        for i in 0..1000 {
            let (double, single) = (f64::uniform(key, i), f32::uniform(key, i));
            assert_eq!((double * 16_777_216.0).floor() / 16_777_216.0, f64::from(single));
        }
    }

    #[test]
    fn the_ends_of_what_can_be_drawn() {
        assert_eq!(unit([0, 0]), 0.0);
        assert_eq!(unit([u32::MAX; 2]), 1.0 - f64::EPSILON / 2.0);
        for r in [1.0 - unit([0, 0]), 1.0 - unit([u32::MAX; 2])] {
            assert!(normal::<Fast<f64, false>>(Fast(r), Fast(0.3)).0.is_finite());
        }
    }
}
