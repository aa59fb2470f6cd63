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
use super::sizes::{Convolution, PARTS, SUMS, Split};
use super::transpose::transpose;
use crate::kernels::{Level, Shared, Threads};

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
    pack_weights(of, w, n, [of.outputs, of.inputs], |output, input| output * of.inputs + input, weights);
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

/// The weights by group, panel of `n` of `lanes` channels, element of the window, and channel of the other side, of which
/// there are `depth`; `at` is the place of a pair of channels in a group.
fn pack_weights<T: Scalar>(
    of: &Convolution,
    w: &[T],
    n: usize,
    [lanes, depth]: [usize; 2],
    at: impl Fn(usize, usize) -> usize,
    to: &mut [T],
) {
    let (taps, panels) = (of.taps(), lanes.div_ceil(n));
    let lines = to.chunks_exact_mut(n).take(of.groups * panels * taps * depth);
    for (i, line) in lines.enumerate() {
        let (d, tap, panel) = (i % depth, i / depth % taps, i / depth / taps % panels);
        let first = i / depth / taps / panels * lanes * depth;
        for (lane, to) in (panel * n..).zip(line) {
            *to = if lane < lanes { w[(first + at(lane, d)) * taps + tap] } else { T::default() };
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
    pack_weights(of, w, n, [of.inputs, of.outputs], |input, output| output * of.inputs + input, weights);
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
