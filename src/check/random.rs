//! Directions to look in: reproducible, and never close to zero.

use ndarray::ArrayD;

/// SplitMix64: G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", 2014.
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of either sign between 0.25 and 1 in size.
    pub fn number(&mut self) -> f64 {
        let bits = self.next();
        let size = 0.25 + 0.75 * (bits >> 11) as f64 / (1_u64 << 53) as f64;
        if bits & 1 == 0 { size } else { -size }
    }

    pub fn array(&mut self, shape: &[usize]) -> ArrayD<f64> {
        ArrayD::from_shape_simple_fn(shape, || self.number())
    }
}
