//! Elements at indices, and their transposes: what is added where indices point.
//!
//! An array is (outer, middle, inner) in C order, and indices count along its middle axis; negative ones from its end.
//! They have been checked to be of that axis. Where several indices point to one element, its terms are added in the order
//! of the indices, on any number of threads.

use std::ops::Range;

use super::{Lanes, Middle, Shared, Term, Threads};

/// How many parts work is split into, at most.
const PARTS: usize = 64;
/// How many columns a part has, at least.
const COLUMNS: usize = 64;

/// The place of an index along an axis of this size.
#[inline(always)]
fn place(index: i64, size: usize) -> usize {
    (if index < 0 { index.wrapping_add(size as i64) } else { index }) as usize
}

/// Calls `part` with rows, of which `out` has so many of this size, and the elements of `out` in them.
pub(super) fn each_part<T: Send>(
    rows: usize,
    size: usize,
    out: &mut [T],
    threads: Threads,
    part: impl Fn(usize, Range<usize>, &mut [T]) + Sync,
) {
    if rows * size == 0 {
        return;
    }
    let parts = rows.min(PARTS);
    let out = Shared::new(out);
    threads.each(parts, |i| {
        let rows = i * rows / parts..(i + 1) * rows / parts;
        // SAFETY: no two parts have a row in common.
        #[allow(unsafe_code, reason = "see above")]
        let out = unsafe { out.part(rows.start * size..rows.end * size) };
        part(i, rows, out);
    });
}

/// In how many parts [`each_part`] splits so many rows.
pub(crate) fn parts_of(rows: usize) -> usize {
    rows.min(PARTS)
}

/// `out[o, j, i] = x[o, indices[j], i]`.
pub(crate) fn take<T: Copy + Send + Sync>(
    of: Middle,
    x: &[T],
    indices: &[i64],
    out: &mut [T],
    threads: Threads,
) {
    let Middle { outer, middle, inner } = of;
    each_part(outer * indices.len(), inner, out, threads, |_, rows, out| {
        let (mut o, mut j) = (rows.start / indices.len(), rows.start % indices.len());
        for to in out.chunks_exact_mut(inner) {
            let from = (o * middle + place(indices[j], middle)) * inner;
            match to {
                [to] => *to = x[from],
                _ => to.copy_from_slice(&x[from..from + inner]),
            }
            j += 1;
            if j == indices.len() {
                (o, j) = (o + 1, 0);
            }
        }
    });
}

/// `out[o, indices[j], i] += updates[o, j, i]` for every `j`, onto zeros.
pub(crate) fn scatter_add<T: Term + Send + Sync>(
    of: Middle,
    updates: &[T],
    indices: &[i64],
    out: &mut [T],
    threads: Threads,
) {
    let Middle { outer, middle, inner } = of;
    let columns = (inner / COLUMNS).clamp(1, PARTS);
    let out = Shared::new(out);
    threads.each(outer * columns, |part| {
        let (o, c) = (part / columns, part % columns);
        let (first, last) = (c * inner / columns, (c + 1) * inner / columns);
        let row = |k: usize| {
            let start = (o * middle + k) * inner;
            // SAFETY: no two parts have an outer index and a column in common, and a part has one row at a time.
            #[allow(unsafe_code, reason = "see above")]
            unsafe {
                out.part(start + first..start + last)
            }
        };
        (0..middle).for_each(|k| row(k).fill(T::default()));
        for (j, &index) in indices.iter().enumerate() {
            let start = (o * indices.len() + j) * inner;
            let terms = &updates[start + first..start + last];
            let sums = row(place(index, middle));
            sums.iter_mut().zip(terms).for_each(|(sum, &term)| *sum = add(*sum, term));
        }
    });
}

/// `out[o, j, i] = x[o, indices[o, j, i], i]`, with `count` indices `j`.
pub(crate) fn take_along<T: Copy + Send + Sync>(
    of: Middle,
    count: usize,
    x: &[T],
    indices: &[i64],
    out: &mut [T],
    threads: Threads,
) {
    let Middle { outer, middle, inner } = of;
    each_part(outer * count, inner, out, threads, |_, rows, out| {
        let indices = indices[rows.start * inner..rows.end * inner].chunks_exact(inner);
        for ((row, to), indices) in rows.zip(out.chunks_exact_mut(inner)).zip(indices) {
            let x = &x[row / count * middle * inner..][..middle * inner];
            for (i, (to, &index)) in to.iter_mut().zip(indices).enumerate() {
                *to = x[place(index, middle) * inner + i];
            }
        }
    });
}

/// `out[o, indices[o, j, i], i] += updates[o, j, i]` for each of `count` indices `j`, onto zeros.
pub(crate) fn scatter_along<T: Term + Send + Sync>(
    of: Middle,
    count: usize,
    updates: &[T],
    indices: &[i64],
    out: &mut [T],
    threads: Threads,
) {
    let Middle { outer, middle, inner } = of;
    each_part(outer, middle * inner, out, threads, |_, blocks, out| {
        out.fill(T::default());
        for (o, out) in blocks.zip(out.chunks_exact_mut(middle * inner)) {
            let rows = o * count * inner..(o + 1) * count * inner;
            let terms = updates[rows.clone()].chunks_exact(inner).zip(indices[rows].chunks_exact(inner));
            for (terms, indices) in terms {
                for (i, (&term, &index)) in terms.iter().zip(indices).enumerate() {
                    let sum = &mut out[place(index, middle) * inner + i];
                    *sum = add(*sum, term);
                }
            }
        }
    });
}

/// What stands at each place of an axis after the last of the indices that point to it has been written: the place's own
/// number, or the number of places and that of the index.
pub(crate) fn writers(indices: &[i64], out: &mut [i64]) {
    let size = out.len();
    out.iter_mut().zip(0..).for_each(|(writer, k)| *writer = k);
    for (&index, j) in indices.iter().zip(size as i64..) {
        out[place(index, size)] = j;
    }
}

#[inline(always)]
fn add<T: Term>(a: T, b: T) -> T {
    (T::Lanes::of(a) + T::Lanes::of(b)).get()
}
