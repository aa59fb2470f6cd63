//! Large products, in blocks that stay in the caches.
//!
//! The inner axis is cut into blocks of [`DEPTH`]. For each, the rows of `a` are copied once into the order in which
//! tiles read them, and stay in the second cache. The result is cut into parts for the threads; each copies its
//! columns of `b`, as wide as a tile, and goes through all of its rows with them, so that the columns stay in the first
//! cache; the next columns are fetched and copied meanwhile. (The method is that of K. Goto and R. van de Geijn,
//! *Anatomy of High-Performance Matrix Multiplication*, ACM TOMS 34, 2008.)
//!
//! An element of the result is the same sum in the same order whatever part and tile it is in: cuts of rows and
//! columns do not change it. Cuts of the inner axis do, and depend on the shape alone.

use std::ops::Range;

use super::factor::{Factor, Purpose};
use super::pack::Pack;
use super::part::Part;
use super::place::{Place, share};
use super::tile::Size;
use crate::kernels::{Level, Shared, Threads};

/// The length of a block of the inner axis: so many rows of a panel of `b`, two vectors each, fill the first cache.
pub(super) const DEPTH: usize = 384;
/// How many bytes of copied rows there are at most.
const ROW_BYTES: usize = 1 << 20;
/// How many multiplications make a part that is worth a thread's while.
const PART: usize = 1 << 22;
/// How many copied numbers make one.
const COPIED: usize = 1 << 15;
/// How many parts there are at most.
const PARTS: usize = 16;
/// The fewest blocks in one of the parts that a long inner axis is cut into.
const BLOCKS: usize = 4;
/// The most such parts.
const SLICES: usize = 8;
/// How many tiles are copied side by side where neighbours in a column of `a` are neighbours in memory.
const SIDE_BY_SIDE: usize = 8;
/// Up to how many panels wide a result reads `a` where it lies, if its rows are no further apart than so many bytes:
/// rows at larger distances push each other out of the first cache.
const NARROW: usize = 4;
const NEAR_BYTES: usize = 2048;
/// Up to how many bytes, and how many rows, `b` is read where it lies, since it stays in the first cache.
const TINY_BYTES: usize = 1 << 14;
const SHALLOW: usize = 32;
/// Up to how many tiles high a part reads `b` where it lies: copying it pays when it is read more often.
const IN_PLACE: usize = 2;

/// `out = alpha · a · b + beta · out`, without empty axes.
#[derive(Clone, Copy)]
pub(super) struct Product<T> {
    pub level: Level,
    pub alpha: T,
    pub a: Place<T>,
    pub b: Place<T>,
    pub beta: T,
    pub out: Place<T>,
}

impl<T: Factor> Product<T> {
    /// The same, for the transposed result.
    pub fn t(self) -> Self {
        Self { a: self.b.t(), b: self.a.t(), out: self.out.t(), ..self }
    }

    /// How many tiles' worth of work it is.
    fn tiled(&self, size: Size) -> usize {
        self.out.rows.next_multiple_of(2) * self.out.columns.next_multiple_of(size.columns)
    }

    pub fn run(mut self, threads: Threads) {
        let size = Size::of::<T>(self.level);
        if self.out.column_stride.unsigned_abs() > self.out.row_stride.unsigned_abs() {
            self = self.t();
        }
        // A narrow result would leave most of a vector unused; it is better computed by columns.
        if self.t().tiled(size) * 5 < self.tiled(size) * 4 {
            self = self.t();
        }
        let (m, n, k) = (self.out.rows, self.out.columns, self.a.columns);
        let slices = if k >= 8 * m.max(n) { (k / (BLOCKS * DEPTH)).clamp(1, SLICES) } else { 1 };
        if slices > 1 {
            self.run_slices(slices.next_power_of_two(), threads);
        } else {
            self.run_rows(size, threads);
        }
    }

    /// A long inner axis, in parts with a sum each.
    fn run_slices(self, slices: usize, threads: Threads) {
        let (m, n) = (self.out.rows, self.out.columns);
        let blocks = self.a.columns.div_ceil(DEPTH);
        T::with_scratch(Purpose::Sums, slices * m * n, |sums| {
            let shared = Shared::new(sums);
            threads.each(slices, |slice| {
                let range = share(blocks, slices, slice);
                let range = range.start * DEPTH..(range.end * DEPTH).min(self.a.columns);
                #[allow(unsafe_code, reason = "each slice has its own sums")]
                // SAFETY: the parts of two slices do not overlap.
                let sum = unsafe { shared.part(slice * m * n..(slice + 1) * m * n) };
                let out =
                    Place { start: sum.as_mut_ptr(), row_stride: n as isize, column_stride: 1, ..self.out };
                let (a, b) = (self.a.columns(range.clone()), self.b.rows(range));
                Self { a, b, out, alpha: T::ONE, beta: T::ZERO, ..self }
                    .run_rows(Size::of::<T>(self.level), Threads::ONE);
            });
            add_slices(sums, slices, m * n);
            finish(self.alpha, &sums[..m * n], self.beta, self.out);
        });
    }

    fn run_rows(self, size: Size, threads: Threads) {
        let (m, k) = (self.out.rows, self.a.columns);
        let most = (ROW_BYTES / size_of::<T>() / k.min(DEPTH)).next_multiple_of(size.rows);
        let rounds = m.div_ceil(most);
        for rows in (0..rounds).map(|i| share(m, rounds, i)) {
            let heights = Heights::new(rows.len(), size.rows);
            // As many blocks at once as there is room for.
            let blocks = (ROW_BYTES / size_of::<T>() / (heights.padded() * k.min(DEPTH))).max(1);
            for first in (0..k).step_by(blocks * DEPTH) {
                let inner = first..(first + blocks * DEPTH).min(k);
                let part = Self {
                    a: self.a.rows(rows.clone()).columns(inner.clone()),
                    b: self.b.rows(inner),
                    out: self.out.rows(rows.clone()),
                    beta: if first == 0 { self.beta } else { T::ONE },
                    ..self
                };
                part.run_blocks(size, heights, threads);
            }
        }
    }

    /// Copies the rows of `a`, then goes through parts of the result.
    fn run_blocks(self, size: Size, heights: Heights, threads: Threads) {
        let k = self.a.columns;
        let padded = heights.padded();
        if self.reads_a_in_place(size) {
            return self.run_parts(size, heights, None, threads);
        }
        T::with_scratch(Purpose::Rows, padded * k, |copy| {
            self.copy_rows(heights, copy, threads);
            self.run_parts(size, heights, Some(copy), threads);
        });
    }

    /// Whether few panels read `a`, so that a copy would take longer than it saves.
    fn reads_a_in_place(&self, size: Size) -> bool {
        let Place { rows, row_stride, column_stride, .. } = self.a;
        let near = |stride: isize| stride.unsigned_abs() * size_of::<T>() <= NEAR_BYTES;
        let lies = column_stride == 1 && near(row_stride) || row_stride == 1 && near(column_stride);
        lies && rows.is_multiple_of(2) && self.out.columns <= NARROW * size.columns
    }

    fn run_parts(self, size: Size, heights: Heights, copy: Option<&[T]>, threads: Threads) {
        let (n, k) = (self.out.columns, self.a.columns);
        let parts = (heights.padded() * n * k / PART).clamp(1, PARTS);
        let panels = n.div_ceil(size.columns);
        let across = parts.min(panels);
        let down = parts.div_ceil(across).min(heights.count);
        threads.each(across * down, |part| {
            let panels = share(panels, across, part % across);
            let tiles = share(heights.count, down, part / across);
            self.run_part(size, heights, copy, panels, tiles);
        });
    }

    /// The copy holds, for each block of the inner axis, the tiles one below the other.
    fn copy_rows(self, heights: Heights, copy: &mut [T], threads: Threads) {
        let k = self.a.columns;
        let blocks = k.div_ceil(DEPTH);
        let together = if self.a.row_stride == 1 { SIDE_BY_SIDE } else { 1 };
        let groups = heights.count.div_ceil(together);
        let units = blocks * groups;
        let parts = (heights.padded() * k / COPIED).clamp(1, PARTS.min(units));
        let shared = Shared::new(copy);
        threads.each(parts, |part| {
            for unit in share(units, parts, part) {
                let (block, group) = (unit / groups, unit % groups);
                let inner = block * DEPTH..((block + 1) * DEPTH).min(k);
                let tiles = group * together..((group + 1) * together).min(heights.count);
                let rows = heights.rows(tiles.start).start..heights.rows(tiles.end - 1).end;
                let start = heights.padded() * inner.start + rows.start * inner.len();
                let length = rows.len().next_multiple_of(2) * inner.len();
                #[allow(unsafe_code, reason = "each group of tiles has its own part of the copy")]
                // SAFETY: the parts of two groups, or of two blocks, do not overlap.
                let out = unsafe { shared.part(start..start + length) };
                self.copy_tiles(heights, tiles, inner, out);
            }
        });
    }

    /// Tiles of one height side by side, since they lie so in memory, and a lower one at the end.
    fn copy_tiles(self, heights: Heights, tiles: Range<usize>, inner: Range<usize>, out: &mut [T]) {
        let rows = heights.rows(tiles.start).start..heights.rows(tiles.end - 1).end;
        let whole = rows.len() / heights.most * heights.most;
        let (tops, last) = out.split_at_mut(whole * inner.len());
        let from = self.a.rows(rows).columns(inner);
        if whole > 0 {
            self.level.run(Pack { from: from.rows(0..whole), height: heights.most, out: tops });
        }
        if whole < from.rows {
            let height = (from.rows - whole).next_multiple_of(2);
            self.level.run(Pack { from: from.rows(whole..from.rows), height, out: last });
        }
    }

    /// Some panels (columns as wide as a tile) of the result, and some tiles in each of them.
    fn run_part(
        self,
        size: Size,
        heights: Heights,
        copy: Option<&[T]>,
        panels: Range<usize>,
        tiles: Range<usize>,
    ) {
        let k = self.a.columns;
        let part = Part { product: self, width: size.columns, heights, copy, panels, tiles };
        let bytes = k * self.b.row_stride.unsigned_abs() * size_of::<T>();
        let stays = bytes <= TINY_BYTES || k <= SHALLOW;
        let in_place = self.b.column_stride == 1 && (part.tiles.len() <= IN_PLACE || stays);
        T::with_scratch(Purpose::Columns, 2 * size.columns * DEPTH, |packed| {
            let (packed, next) = packed.split_at_mut(size.columns * DEPTH);
            if in_place { part.run_in_place(packed) } else { part.run_copied(packed, next) }
        });
    }
}

/// How rows are cut into tiles: as evenly as tiles of an even height allow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heights {
    rows: usize,
    most: usize,
    count: usize,
}

impl Heights {
    fn new(rows: usize, most: usize) -> Self {
        let even = rows.div_ceil(rows.div_ceil(most)).next_multiple_of(2);
        Self { rows, most: even, count: rows.div_ceil(even) }
    }

    pub fn rows(self, tile: usize) -> Range<usize> {
        tile * self.most..((tile + 1) * self.most).min(self.rows)
    }

    /// The height of a tile, with a row of zeros where the number of rows is odd.
    pub fn height(self, tile: usize) -> usize {
        self.rows(tile).len().next_multiple_of(2)
    }

    pub fn padded(self) -> usize {
        self.rows.next_multiple_of(2)
    }
}

/// Adds sums in pairs: what belongs to slice 0 is the sum of all.
pub(super) fn add_slices<T: Factor>(sums: &mut [T], slices: usize, length: usize) {
    let mut step = 1;
    while step < slices {
        for slice in (0..slices - step).step_by(2 * step) {
            let (left, right) = sums.split_at_mut((slice + step) * length);
            for (left, &right) in left[slice * length..][..length].iter_mut().zip(&right[..length]) {
                *left = *left + right;
            }
        }
        step *= 2;
    }
}

/// `out = alpha · sums + beta · out`, for sums by rows.
#[allow(unsafe_code, reason = "the result may have any strides")]
pub(super) fn finish<T: Factor>(alpha: T, sums: &[T], beta: T, out: Place<T>) {
    for (i, sums) in sums.chunks_exact(out.columns).enumerate() {
        for (j, &sum) in sums.iter().enumerate() {
            let out = out.at(i, j);
            // SAFETY: an element of the result, which nobody else writes.
            unsafe { out.write(if beta == T::ZERO { alpha * sum } else { alpha * sum + beta * out.read() }) };
        }
    }
}
