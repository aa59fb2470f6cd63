//! Sizes of a convolution, where its elements lie, and how its images are split.

use super::block::Walk;
use super::pack::Scalar;
use super::transpose::transpose;
use crate::kernels::Level;

/// Sizes of a convolution. There are three spatial axes, of which those that are missing have size 1 and come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Convolution {
    pub images: usize,
    pub groups: usize,
    /// Channels of the input in each group.
    pub inputs: usize,
    /// Channels of the output in each group.
    pub outputs: usize,
    pub input: [usize; 3],
    pub window: [usize; 3],
    pub output: [usize; 3],
    pub stride: [usize; 3],
    pub dilation: [usize; 3],
    /// Padding in front of the input.
    pub before: [usize; 3],
}

/// How many parts there are at most.
pub(super) const PARTS: usize = 16;
/// About how many elements of images are copied at a time: what stays in the second cache.
const NEAR: usize = 1 << 14;
/// About how many elements the sums of all parts may have together.
pub(super) const SUMS: usize = 1 << 20;

/// How the images are split: into parts, and these into chunks that are copied at a time.
#[derive(Clone, Copy)]
pub(super) struct Split {
    pub images: usize,
    pub parts: usize,
    pub chunk: usize,
}

impl Split {
    pub(super) fn new(images: usize, per_image: usize, parts: usize) -> Self {
        let chunk = (NEAR / per_image.max(1)).clamp(1, images.div_ceil(8).max(1));
        Self { images, parts: images.div_ceil(chunk).min(parts), chunk }
    }

    /// The chunks of a part: the first image and how many.
    pub(super) fn chunks(self, part: usize) -> impl Iterator<Item = (usize, usize)> {
        let chunks = self.images.div_ceil(self.chunk);
        let (from, to) = (part * chunks / self.parts, (part + 1) * chunks / self.parts);
        (from..to).map(move |i| (i * self.chunk, self.chunk.min(self.images - i * self.chunk)))
    }
}

fn product(sizes: [usize; 3]) -> usize {
    sizes.iter().product()
}

impl Convolution {
    /// The sizes of an image with its padding, as far as windows reach.
    pub(super) fn padded(&self) -> [usize; 3] {
        std::array::from_fn(|a| {
            let reached =
                (self.output[a].max(1) - 1) * self.stride[a] + (self.window[a] - 1) * self.dilation[a] + 1;
            reached.max(self.before[a] + self.input[a])
        })
    }

    /// Elements of one padded image of one group.
    pub(super) fn area(&self) -> usize {
        product(self.padded()) * self.inputs
    }

    pub(super) fn places(&self) -> usize {
        product(self.output)
    }

    pub(super) fn pixels(&self) -> usize {
        product(self.input)
    }

    pub(super) fn taps(&self) -> usize {
        product(self.window)
    }

    /// From one element of a padded image to the next along each axis.
    fn pixel_steps(&self) -> [usize; 3] {
        let [_, height, width] = self.padded();
        [height * width * self.inputs, width * self.inputs, self.inputs]
    }

    /// The first element of every window, in `images` padded images.
    pub(super) fn place_walk(&self, images: usize) -> Walk {
        let [s0, s1, s2] = self.pixel_steps();
        let [t0, t1, t2] = self.stride;
        let [n0, n1, n2] = self.output;
        if n0 == 1 {
            return Walk { sizes: [1, images, n1, n2], steps: [0, self.area(), s1 * t1, s2 * t2] };
        }
        Walk { sizes: [images, n0, n1, n2], steps: [self.area(), s0 * t0, s1 * t1, s2 * t2] }
    }

    /// The elements of a window.
    pub(super) fn window_walk(&self) -> Walk {
        let steps = self.pixel_steps();
        let [s0, s1, s2] = std::array::from_fn(|a| steps[a] * self.dilation[a]);
        let [n0, n1, n2] = self.window;
        if self.dilation[2] == 1 || n2 == 1 {
            return Walk { sizes: [1, n0, n1, n2 * self.inputs], steps: [0, s0, s1, 1] };
        }
        Walk { sizes: [n0, n1, n2, self.inputs], steps: [s0, s1, s2, 1] }
    }

    /// Where element `tap` of a window lies.
    pub(super) fn tap_offset(&self, tap: usize) -> usize {
        let steps = self.pixel_steps();
        let [_, n1, n2] = self.window;
        let at = [tap / (n1 * n2), tap / n2 % n1, tap % n2];
        (0..3).map(|a| at[a] * self.dilation[a] * steps[a]).sum()
    }

    /// A group of an image of `x`, padded and with channels last.
    pub(super) fn load<T: Scalar>(&self, level: Level, x: &[T], to: &mut [T]) {
        let pixels = self.pixels();
        if self.padded() == self.input {
            transpose(level, [self.inputs, pixels], x, pixels, to, self.inputs);
            return;
        }
        to.fill(T::default());
        let [_, _, width] = self.input;
        self.rows(|row, start| {
            transpose(level, [self.inputs, width], &x[row..], pixels, &mut to[start..], self.inputs);
        });
    }

    /// The inverse of [`load`](Self::load): what lies in the padding is dropped.
    pub(super) fn unload<T: Scalar>(&self, level: Level, from: &[T], x: &mut [T]) {
        let pixels = self.pixels();
        if self.padded() == self.input {
            transpose(level, [pixels, self.inputs], from, self.inputs, x, pixels);
            return;
        }
        let [_, _, width] = self.input;
        self.rows(|row, start| {
            transpose(level, [width, self.inputs], &from[start..], self.inputs, &mut x[row..], pixels);
        });
    }

    /// Every row of an image: where it lies in the first channel, and where in the padded image.
    fn rows(&self, mut row: impl FnMut(usize, usize)) {
        let [depth, height, width] = self.input;
        let [s0, s1, s2] = self.pixel_steps();
        let [b0, b1, b2] = self.before;
        if self.pixels() == 0 {
            return;
        }
        for d in 0..depth {
            for h in 0..height {
                row((d * height + h) * width, (b0 + d) * s0 + (b1 + h) * s1 + b2 * s2);
            }
        }
    }
}
