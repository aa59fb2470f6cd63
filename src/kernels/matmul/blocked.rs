//! Large products, in blocks that stay in the caches.
//!
//! The inner axis is cut into blocks of [`depth`]. For each, the rows of `a` are copied once into the order in which
//! tiles read them, and stay in the second cache. The result is cut into parts for the threads; each copies its
//! columns of `b`, a few tiles wide, and goes through all of its rows with each of them, so that the columns stay in
//! the first cache. (The method is that of K. Goto and R. van de Geijn, *Anatomy of High-Performance Matrix
//! Multiplication*, ACM TOMS 34, 2008.)
//!
//! An element of the result is the same sum in the same order whatever part and tile it is in: cuts of rows and
//! columns do not change it. Cuts of the inner axis do, and depend on the shape alone.

use std::ops::Range;

use super::factor::{Factor, Purpose};
use super::pack::Pack;
use super::place::{Place, share};
use super::simd;
use super::tile::{Job, Size};
use crate::kernels::{Level, Shared, Threads};

/// How many bytes of a row of `a` make a block of the inner axis.
const DEPTH_BYTES: usize = 1536;
/// How many bytes of copied rows there are at most.
const ROW_BYTES: usize = 1 << 20;
/// How many tiles wide the columns are that a thread copies at once.
const TILES: usize = 4;
/// How many multiplications make a part that is worth a thread's while.
const PART: usize = 1 << 20;
/// How many parts there are at most.
const PARTS: usize = 16;
/// The fewest blocks in one of the parts that a long inner axis is cut into.
const BLOCKS: usize = 4;
/// The most such parts.
const SLICES: usize = 8;
/// Up to how many tiles high a part reads `b` where it lies: copying it pays when it is read more often.
const IN_PLACE: usize = 2;

/// The length of a block of the inner axis: so many rows of a panel of `b` leave room for a tile's `a` in the first cache.
const fn depth<T>() -> usize {
    DEPTH_BYTES / size_of::<T>()
}

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
        let slices = if k >= 8 * m.max(n) { (k / (BLOCKS * depth::<T>())).clamp(1, SLICES) } else { 1 };
        if slices > 1 {
            self.run_slices(slices.next_power_of_two(), threads);
        } else {
            self.run_rows(size, threads);
        }
    }

    /// A long inner axis, in parts with a sum each.
    fn run_slices(self, slices: usize, threads: Threads) {
        let (m, n) = (self.out.rows, self.out.columns);
        let blocks = self.a.columns.div_ceil(depth::<T>());
        T::with_scratch(Purpose::Sums, slices * m * n, |sums| {
            let shared = Shared::new(sums);
            threads.each(slices, |slice| {
                let range = share(blocks, slices, slice);
                let range = range.start * depth::<T>()..(range.end * depth::<T>()).min(self.a.columns);
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
        let most = (ROW_BYTES / size_of::<T>() / k.min(depth::<T>())).next_multiple_of(size.rows);
        let rounds = m.div_ceil(most);
        for rows in (0..rounds).map(|i| share(m, rounds, i)) {
            let heights = Heights::new(rows.len(), size.rows);
            // As many blocks at once as there is room for.
            let blocks = (ROW_BYTES / size_of::<T>() / (heights.padded() * k.min(depth::<T>()))).max(1);
            for first in (0..k).step_by(blocks * depth::<T>()) {
                let inner = first..(first + blocks * depth::<T>()).min(k);
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
        let (n, k) = (self.out.columns, self.a.columns);
        let padded = heights.padded();
        T::with_scratch(Purpose::Rows, padded * k, |copy| {
            self.copy_rows(heights, copy, threads);
            let copy = &*copy;
            let parts = (padded * n * k / PART).clamp(1, PARTS);
            let panels = n.div_ceil(size.columns);
            let across = parts.min(panels);
            let down = parts.div_ceil(across).min(heights.count);
            threads.each(across * down, |part| {
                let panels = share(panels, across, part % across);
                let tiles = share(heights.count, down, part / across);
                self.run_part(size, heights, copy, panels, tiles);
            });
        });
    }

    /// The copy holds, for each block of the inner axis, the tiles one below the other.
    fn copy_rows(self, heights: Heights, copy: &mut [T], threads: Threads) {
        let k = self.a.columns;
        let blocks = k.div_ceil(depth::<T>());
        let units = blocks * heights.count;
        let parts = (heights.padded() * k / (PART / 32)).clamp(1, PARTS.min(units));
        let shared = Shared::new(copy);
        threads.each(parts, |part| {
            for unit in share(units, parts, part) {
                let (block, tile) = (unit / heights.count, unit % heights.count);
                let inner = block * depth::<T>()..((block + 1) * depth::<T>()).min(k);
                let rows = heights.rows(tile);
                let start = heights.padded() * inner.start + rows.start * inner.len();
                let height = heights.height(tile);
                #[allow(unsafe_code, reason = "each tile has its own part of the copy")]
                // SAFETY: the parts of two tiles, or of two blocks, do not overlap.
                let out = unsafe { shared.part(start..start + height * inner.len()) };
                self.level.run(Pack { from: self.a.rows(rows).columns(inner), height, out });
            }
        });
    }

    /// Some panels (columns as wide as a tile) of the result, and some tiles in each of them.
    fn run_part(self, size: Size, heights: Heights, copy: &[T], panels: Range<usize>, tiles: Range<usize>) {
        let (n, k) = (self.out.columns, self.a.columns);
        let width = size.columns;
        let in_place = tiles.len() <= IN_PLACE && self.b.column_stride == 1;
        T::with_scratch(Purpose::Columns, TILES * width * depth::<T>(), |packed| {
            for first in (0..k).step_by(depth::<T>()) {
                let inner = first..(first + depth::<T>()).min(k);
                let b = self.b.rows(inner.clone());
                let block = Block {
                    product: &self,
                    heights,
                    tiles: tiles.clone(),
                    copy,
                    inner: inner.clone(),
                    copied: !in_place,
                };
                if in_place {
                    // Tiles go down the columns, but memory is read fastest in the order in which it lies.
                    let mut ahead = self.b.at(inner.end, 0).cast_const();
                    for panel in panels.clone() {
                        let columns = panel * width..((panel + 1) * width).min(n);
                        if columns.len() == width {
                            let b = b.columns(columns.clone());
                            ahead = block.run(b.start, b.row_stride, columns, ahead);
                        } else {
                            self.level.run(Pack {
                                from: b.columns(columns.clone()).t(),
                                height: width,
                                out: packed,
                            });
                            ahead = block.run(packed.as_ptr(), width as isize, columns, ahead);
                        }
                    }
                    continue;
                }
                for group in panels.clone().step_by(TILES) {
                    let group = group..(group + TILES).min(panels.end);
                    let columns = |panel: usize| panel * width..((panel + 1) * width).min(n);
                    let mut copies = packed.chunks_exact_mut(width * inner.len());
                    for (panel, out) in group.clone().zip(&mut copies) {
                        self.level.run(Pack { from: b.columns(columns(panel)).t(), height: width, out });
                    }
                    for (panel, b) in group.zip(packed.chunks_exact(width * inner.len())) {
                        block.run(b.as_ptr(), width as isize, columns(panel), b.as_ptr());
                    }
                }
            }
        });
    }
}

/// A block of the inner axis, of a part of the result.
struct Block<'a, T> {
    product: &'a Product<T>,
    heights: Heights,
    tiles: Range<usize>,
    copy: &'a [T],
    inner: Range<usize>,
    /// Whether `b` is a copy.
    copied: bool,
}

impl<T: Factor> Block<'_, T> {
    /// The tiles of one panel, whose rows of `b` are `stride` apart. What lies `ahead` is asked for meanwhile: returns
    /// what comes after that, or the same for a copy.
    fn run(&self, b: *const T, stride: isize, columns: Range<usize>, mut ahead: *const T) -> *const T {
        let Product { level, alpha, beta, out, .. } = *self.product;
        let depth = self.inner.len();
        let block = &self.copy[self.heights.padded() * self.inner.start..];
        for tile in self.tiles.clone() {
            let rows = self.heights.rows(tile);
            simd::run(
                level,
                Job {
                    depth,
                    a: block[rows.start * depth..].as_ptr(),
                    height: self.heights.height(tile),
                    b,
                    b_stride: stride,
                    alpha,
                    beta: if self.inner.start == 0 { beta } else { T::ONE },
                    out: out.at(rows.start, columns.start),
                    row_stride: out.row_stride,
                    column_stride: out.column_stride,
                    rows: rows.len(),
                    columns: columns.len(),
                    ahead,
                },
            );
            // A copy is in the cache already, and what lies behind it is not needed.
            if !self.copied {
                ahead = ahead.wrapping_byte_add(64 * depth);
            }
        }
        ahead
    }
}

/// How rows are cut into tiles: as evenly as tiles of an even height allow.
#[derive(Clone, Copy, Debug)]
struct Heights {
    rows: usize,
    most: usize,
    count: usize,
}

impl Heights {
    fn new(rows: usize, most: usize) -> Self {
        let even = rows.div_ceil(rows.div_ceil(most)).next_multiple_of(2);
        Self { rows, most: even, count: rows.div_ceil(even) }
    }

    fn rows(self, tile: usize) -> Range<usize> {
        tile * self.most..((tile + 1) * self.most).min(self.rows)
    }

    /// The height of a tile, with a row of zeros where the number of rows is odd.
    fn height(self, tile: usize) -> usize {
        self.rows(tile).len().next_multiple_of(2)
    }

    fn padded(self) -> usize {
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
