//! Convolutions and their two transposes.
//!
//! Images are copied some at a time with their channels last and their padding around them; then every element of a
//! window is a fixed distance from its place, and a convolution is a matrix product whose rows overlap in memory:
//! nothing is repeated, as it is where windows are laid out as columns. All three operations are such products, over
//! other loops (see [`Multiply`]): the result is the sum over the windows, the gradient of the input is added place by
//! place for each element of the windows, and the gradient of the weights is the sum over the places.
//!
//! The work is split by images into parts whose number depends on the sizes alone.

use super::block::{Multiply, Product, Walk, columns, columns_bound};
use super::pack::Scalar;
use super::transpose::transpose;
use crate::kernels::{Level, Shared, Threads};

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
const PARTS: usize = 16;
/// About how many elements of images are copied at a time: what stays in the second cache.
const NEAR: usize = 1 << 14;
/// About how many elements the sums of all parts may have together.
const SUMS: usize = 1 << 20;

/// How the images are split: into parts, and these into chunks that are copied at a time.
#[derive(Clone, Copy)]
struct Split {
    images: usize,
    parts: usize,
    chunk: usize,
}

impl Split {
    fn new(images: usize, per_image: usize, parts: usize) -> Self {
        let chunk = (NEAR / per_image.max(1)).clamp(1, images.div_ceil(8).max(1));
        Self { images, parts: images.div_ceil(chunk).min(parts), chunk }
    }

    /// The chunks of a part: the first image and how many.
    fn chunks(self, part: usize) -> impl Iterator<Item = (usize, usize)> {
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
    fn padded(&self) -> [usize; 3] {
        std::array::from_fn(|a| {
            let reached =
                (self.output[a].max(1) - 1) * self.stride[a] + (self.window[a] - 1) * self.dilation[a] + 1;
            reached.max(self.before[a] + self.input[a])
        })
    }

    /// Elements of one padded image of one group.
    fn area(&self) -> usize {
        product(self.padded()) * self.inputs
    }

    fn places(&self) -> usize {
        product(self.output)
    }

    fn pixels(&self) -> usize {
        product(self.input)
    }

    fn taps(&self) -> usize {
        product(self.window)
    }

    /// From one element of a padded image to the next along each axis.
    fn pixel_steps(&self) -> [usize; 3] {
        let [_, height, width] = self.padded();
        [height * width * self.inputs, width * self.inputs, self.inputs]
    }

    /// The first element of every window, in `images` padded images.
    fn place_walk(&self, images: usize) -> Walk {
        let [s0, s1, s2] = self.pixel_steps();
        let [t0, t1, t2] = self.stride;
        let [n0, n1, n2] = self.output;
        if n0 == 1 {
            return Walk { sizes: [1, images, n1, n2], steps: [0, self.area(), s1 * t1, s2 * t2] };
        }
        Walk { sizes: [images, n0, n1, n2], steps: [self.area(), s0 * t0, s1 * t1, s2 * t2] }
    }

    /// The elements of a window.
    fn window_walk(&self) -> Walk {
        let steps = self.pixel_steps();
        let [s0, s1, s2] = std::array::from_fn(|a| steps[a] * self.dilation[a]);
        let [n0, n1, n2] = self.window;
        if self.dilation[2] == 1 || n2 == 1 {
            return Walk { sizes: [1, n0, n1, n2 * self.inputs], steps: [0, s0, s1, 1] };
        }
        Walk { sizes: [n0, n1, n2, self.inputs], steps: [s0, s1, s2, 1] }
    }

    /// Where element `tap` of a window lies.
    fn tap_offset(&self, tap: usize) -> usize {
        let steps = self.pixel_steps();
        let [_, n1, n2] = self.window;
        let at = [tap / (n1 * n2), tap / n2 % n1, tap % n2];
        (0..3).map(|a| at[a] * self.dilation[a] * steps[a]).sum()
    }

    /// A group of an image of `x`, padded and with channels last.
    fn load<T: Scalar>(&self, level: Level, x: &[T], to: &mut [T]) {
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
    fn unload<T: Scalar>(&self, level: Level, from: &[T], x: &mut [T]) {
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

/// Sizes of areas are rounded up to whole pairs of wide registers, so that one that begins on a cache line is followed
/// by another that does.
fn rounded<T: Scalar>(size: usize) -> usize {
    columns_bound::<T>(size)
}

/// As much of the scratch as is asked for, from a cache line on: it is longer by [`Scalar::LANES`].
fn aligned<T: Scalar>(scratch: &mut [T], size: usize) -> &mut [T] {
    let skipped = scratch.as_ptr().align_offset(64).min(T::LANES);
    &mut scratch[skipped..skipped + size]
}

/// Numbers that [`conv`] works in.
pub(crate) fn conv_scratch<T: Scalar>(of: &Convolution) -> usize {
    let (split, part) = conv_split::<T>(of);
    of.groups * of.taps() * of.inputs * columns_bound::<T>(of.outputs) + split.parts * part + T::LANES
}

fn conv_split<T: Scalar>(of: &Convolution) -> (Split, usize) {
    let per_image = of.area() + of.places() * columns_bound::<T>(1);
    let split = Split::new(of.images, per_image, PARTS);
    (split, rounded::<T>(split.chunk * of.area()) + split.chunk * of.places() * columns_bound::<T>(1))
}

/// The cross-correlation of `x` (images, groups · inputs, ..) with `w` (groups · outputs, inputs, ..), all in C order.
pub(crate) fn conv<T: Scalar>(
    level: Level,
    of: &Convolution,
    [x, w]: [&[T]; 2],
    out: &mut [T],
    scratch: &mut [T],
    threads: Threads,
) {
    let (split, part_size) = conv_split::<T>(of);
    let n = columns::<T>(level, of.outputs);
    let (panels, depth) = (of.outputs.div_ceil(n), of.taps() * of.inputs);
    let scratch = aligned(scratch, conv_scratch::<T>(of) - T::LANES);
    let (weights, areas) = scratch.split_at_mut(of.groups * depth * columns_bound::<T>(of.outputs));
    pack_for_output(of, w, n, weights);
    let (places, channels) = (of.places(), of.groups * of.outputs);
    let (weights, areas, out) = (&*weights, Shared::new(areas), Shared::new(out));
    threads.each(split.parts, |part| {
        // SAFETY: every part has an area of its own.
        #[allow(unsafe_code, reason = "see above")]
        let area = unsafe { areas.part(part * part_size..(part + 1) * part_size) };
        let (images, tile) = area.split_at_mut(rounded::<T>(split.chunk * of.area()));
        for (first, count) in split.chunks(part) {
            let range = first * channels * places..(first + count) * channels * places;
            // SAFETY: no two parts have an image in common.
            #[allow(unsafe_code, reason = "see above")]
            let out = unsafe { out.part(range) };
            for group in 0..of.groups {
                load_images(level, of, x, first, count, group, images);
                for panel in 0..panels {
                    let start = (group * panels + panel) * depth * n;
                    let b = &weights[start..start + depth * n];
                    let product = Product { a: images, walk: of.window_walk(), b, b_step: n };
                    let rows = of.place_walk(count);
                    let targets = Walk::line(count * places, n);
                    Multiply { product, rows, to: &mut *tile, targets, live: n, add: false }.run(level, n);
                    let live = n.min(of.outputs - panel * n);
                    for image in 0..count {
                        let channel = image * channels + group * of.outputs + panel * n;
                        let to = &mut out[channel * places..(channel + live) * places];
                        transpose(level, [places, live], &tile[image * places * n..], n, to, places);
                    }
                }
            }
        }
    });
}

/// Some images' group, padded and with channels last.
fn load_images<T: Scalar>(
    level: Level,
    of: &Convolution,
    x: &[T],
    first: usize,
    count: usize,
    group: usize,
    to: &mut [T],
) {
    let size = of.inputs * of.pixels();
    for (image, to) in to.chunks_exact_mut(of.area().max(1)).take(count).enumerate() {
        let start = ((first + image) * of.groups + group) * size;
        of.load(level, &x[start..start + size], to);
    }
}

/// Some cotangents' group with channels last, of `wide` channels each, of which the last ones are zero.
fn load_cotangents<T: Scalar>(
    level: Level,
    of: &Convolution,
    g: &[T],
    [first, count, group]: [usize; 3],
    wide: usize,
    to: &mut [T],
) {
    let size = of.outputs * of.places();
    for (image, to) in to.chunks_exact_mut((of.places() * wide).max(1)).take(count).enumerate() {
        let start = ((first + image) * of.groups + group) * size;
        if wide > of.outputs {
            to.fill(T::default());
        }
        transpose(level, [of.outputs, of.places()], &g[start..start + size], of.places(), to, wide);
    }
}

/// The weights by group, panel of `n` outputs, element of the window, input and output.
fn pack_for_output<T: Scalar>(of: &Convolution, w: &[T], n: usize, to: &mut [T]) {
    let (taps, panels) = (of.taps(), of.outputs.div_ceil(n));
    let lines = to.chunks_exact_mut(n).take(of.groups * panels * taps * of.inputs);
    for (i, line) in lines.enumerate() {
        let (input, tap) = (i % of.inputs, i / of.inputs % taps);
        let (panel, group) = (i / of.inputs / taps % panels, i / of.inputs / taps / panels);
        for (lane, to) in line.iter_mut().enumerate() {
            let output = panel * n + lane;
            let at = ((group * of.outputs + output) * of.inputs + input) * taps + tap;
            *to = if output < of.outputs { w[at] } else { T::default() };
        }
    }
}

/// The weights by group, panel of `n` inputs, element of the window, output and input.
fn pack_for_input<T: Scalar>(of: &Convolution, w: &[T], n: usize, to: &mut [T]) {
    let (taps, panels) = (of.taps(), of.inputs.div_ceil(n));
    let lines = to.chunks_exact_mut(n).take(of.groups * panels * taps * of.outputs);
    for (i, line) in lines.enumerate() {
        let (output, tap) = (i % of.outputs, i / of.outputs % taps);
        let (panel, group) = (i / of.outputs / taps % panels, i / of.outputs / taps / panels);
        for (lane, to) in line.iter_mut().enumerate() {
            let input = panel * n + lane;
            let at = ((group * of.outputs + output) * of.inputs + input) * taps + tap;
            *to = if input < of.inputs { w[at] } else { T::default() };
        }
    }
}

/// Numbers that [`conv_input`] works in.
pub(crate) fn conv_input_scratch<T: Scalar>(of: &Convolution) -> usize {
    let (split, part) = conv_input_split::<T>(of);
    of.groups * of.taps() * of.outputs * columns_bound::<T>(of.inputs) + split.parts * part + T::LANES
}

fn conv_input_split<T: Scalar>(of: &Convolution) -> (Split, usize) {
    let per_image = of.area() + of.places() * of.outputs;
    let split = Split::new(of.images, per_image, PARTS);
    let part = rounded::<T>(split.chunk * of.area()) + rounded::<T>(split.chunk * of.places() * of.outputs);
    (split, part)
}

/// The transpose of [`conv`] in its first operand: the gradient of the input from the cotangent `g` of the output.
pub(crate) fn conv_input<T: Scalar>(
    level: Level,
    of: &Convolution,
    [g, w]: [&[T]; 2],
    out: &mut [T],
    scratch: &mut [T],
    threads: Threads,
) {
    let (split, part_size) = conv_input_split::<T>(of);
    let n = columns::<T>(level, of.inputs);
    let (panels, depth) = (of.inputs.div_ceil(n), of.taps() * of.outputs);
    let scratch = aligned(scratch, conv_input_scratch::<T>(of) - T::LANES);
    let (weights, areas) = scratch.split_at_mut(of.groups * depth * columns_bound::<T>(of.inputs));
    pack_for_input(of, w, n, weights);
    let size = of.inputs * of.pixels();
    let (weights, areas, out) = (&*weights, Shared::new(areas), Shared::new(out));
    threads.each(split.parts, |part| {
        // SAFETY: every part has an area of its own.
        #[allow(unsafe_code, reason = "see above")]
        let area = unsafe { areas.part(part * part_size..(part + 1) * part_size) };
        let (images, cotangents) = area.split_at_mut(rounded::<T>(split.chunk * of.area()));
        for (first, count) in split.chunks(part) {
            let range = first * of.groups * size..(first + count) * of.groups * size;
            // SAFETY: no two parts have an image in common.
            #[allow(unsafe_code, reason = "see above")]
            let out = unsafe { out.part(range) };
            for group in 0..of.groups {
                load_cotangents(level, of, g, [first, count, group], of.outputs, cotangents);
                images.fill(T::default());
                for (panel, tap) in (0..panels).flat_map(|panel| (0..of.taps()).map(move |tap| (panel, tap)))
                {
                    let start = ((group * panels + panel) * of.taps() + tap) * of.outputs * n;
                    let b = &weights[start..start + of.outputs * n];
                    let walk = Walk::line(of.outputs, 1);
                    let product = Product { a: cotangents, walk, b, b_step: n };
                    let rows = Walk::line(count * of.places(), of.outputs);
                    let live = n.min(of.inputs - panel * n);
                    let to = &mut images[of.tap_offset(tap) + panel * n..];
                    let targets = of.place_walk(count);
                    Multiply { product, rows, to, targets, live, add: true }.run(level, n);
                }
                for (image, from) in images.chunks_exact(of.area().max(1)).take(count).enumerate() {
                    let start = (image * of.groups + group) * size;
                    of.unload(level, from, &mut out[start..start + size]);
                }
            }
        }
    });
}

/// Numbers that [`conv_weight`] works in.
pub(crate) fn conv_weight_scratch<T: Scalar>(of: &Convolution) -> usize {
    let (split, part) = conv_weight_split::<T>(of);
    split.parts * (part + sums_size::<T>(of)) + T::LANES
}

/// The sums of one part.
fn sums_size<T: Scalar>(of: &Convolution) -> usize {
    of.groups * of.taps() * of.inputs * columns_bound::<T>(of.outputs)
}

fn conv_weight_split<T: Scalar>(of: &Convolution) -> (Split, usize) {
    let per_image = of.area() + of.places() * columns_bound::<T>(of.outputs);
    let parts = (SUMS / sums_size::<T>(of).max(1)).clamp(1, PARTS);
    let split = Split::new(of.images, per_image, parts);
    let cotangents = split.chunk * of.places() * columns_bound::<T>(of.outputs);
    (split, rounded::<T>(split.chunk * of.area()) + cotangents)
}

/// The transpose of [`conv`] in its second operand: the gradient of the weights from the cotangent `g` of the output.
pub(crate) fn conv_weight<T: Scalar>(
    level: Level,
    of: &Convolution,
    [x, g]: [&[T]; 2],
    out: &mut [T],
    scratch: &mut [T],
    threads: Threads,
) {
    let (split, part_size) = conv_weight_split::<T>(of);
    if split.parts == 0 {
        out.fill(T::default());
        return;
    }
    let n = columns::<T>(level, of.outputs);
    let (panels, depth) = (of.outputs.div_ceil(n), of.taps() * of.inputs);
    let wide = panels * n;
    let sums_size = sums_size::<T>(of);
    let scratch = aligned(scratch, conv_weight_scratch::<T>(of) - T::LANES);
    let (sums, areas) = scratch.split_at_mut(split.parts * sums_size);
    let (shared, areas) = (Shared::new(sums), Shared::new(areas));
    threads.each(split.parts, |part| {
        // SAFETY: every part has an area and sums of its own.
        #[allow(unsafe_code, reason = "see above")]
        let (area, sums) = unsafe {
            let area = areas.part(part * part_size..(part + 1) * part_size);
            (area, shared.part(part * sums_size..(part + 1) * sums_size))
        };
        let (images, cotangents) = area.split_at_mut(rounded::<T>(split.chunk * of.area()));
        for (chunk, (first, count)) in split.chunks(part).enumerate() {
            for group in 0..of.groups {
                load_images(level, of, x, first, count, group, images);
                load_cotangents(level, of, g, [first, count, group], wide, cotangents);
                for panel in 0..panels {
                    let b = &cotangents[panel * n..count * of.places() * wide];
                    let product = Product { a: images, walk: of.place_walk(count), b, b_step: wide };
                    let start = (group * panels + panel) * depth * n;
                    let to = &mut sums[start..start + depth * n];
                    let (rows, targets) = (of.window_walk(), Walk::line(depth, n));
                    Multiply { product, rows, to, targets, live: n, add: chunk > 0 }.run(level, n);
                }
            }
        }
    });
    add_parts(sums, sums_size, split.parts);
    unpack_sums(of, n, sums, out);
}

/// Adds the sums of all parts to those of the first, in order.
fn add_parts<T: Scalar>(sums: &mut [T], size: usize, parts: usize) {
    let (first, others) = sums.split_at_mut(size);
    for other in others.chunks_exact(size.max(1)).take(parts.saturating_sub(1)) {
        for (sum, &other) in first.iter_mut().zip(other) {
            *sum = *sum + other;
        }
    }
}

/// From sums by group, panel of `n` outputs, element of the window, input and output.
fn unpack_sums<T: Scalar>(of: &Convolution, n: usize, sums: &[T], out: &mut [T]) {
    let (taps, panels) = (of.taps(), of.outputs.div_ceil(n));
    for (i, out) in out.chunks_exact_mut(taps.max(1)).enumerate() {
        let (input, output) = (i % of.inputs, i / of.inputs % of.outputs);
        let panel = i / of.inputs / of.outputs * panels + output / n;
        for (tap, out) in out.iter_mut().enumerate() {
            *out = sums[((panel * taps + tap) * of.inputs + input) * n + output % n];
        }
    }
}
