//! A part of a large product: panels of columns, and the tiles in each of them.

use std::ops::Range;

use super::blocked::{DEPTH, Heights, Product};
use super::factor::Factor;
use super::pack::Pack;
use super::place::Place;
use super::simd;
use super::tile::{Ahead, Job};

/// A part of the result.
pub(super) struct Part<'a, T> {
    pub product: Product<T>,
    /// How many columns a panel has.
    pub width: usize,
    pub heights: Heights,
    /// The rows of `a`, unless they are read where they lie.
    pub copy: Option<&'a [T]>,
    pub panels: Range<usize>,
    pub tiles: Range<usize>,
}

/// A panel, in a block of the inner axis.
#[derive(Clone)]
struct Panel {
    inner: Range<usize>,
    columns: Range<usize>,
}

impl<T: Factor> Part<'_, T> {
    /// All panels of a block of the inner axis, then all of the next.
    fn panel(&self, i: usize) -> Option<Panel> {
        let (n, k) = (self.product.out.columns, self.product.a.columns);
        let (block, panel) = (i / self.panels.len(), self.panels.start + i % self.panels.len());
        let inner = block * DEPTH..((block + 1) * DEPTH).min(k);
        let columns = panel * self.width..((panel + 1) * self.width).min(n);
        (inner.start < k).then_some(Panel { inner, columns })
    }

    fn b(&self, panel: &Panel) -> Place<T> {
        self.product.b.rows(panel.inner.clone()).columns(panel.columns.clone())
    }

    /// Tiles go down the columns, but memory is read fastest in the order in which it lies.
    pub fn run_in_place(&self, packed: &mut [T]) {
        let line = 64 / size_of::<T>();
        let mut block = usize::MAX;
        let mut start = self.product.b.start.cast_const();
        for panel in (0..).map_while(|i| self.panel(i)) {
            let b = self.b(&panel);
            if panel.inner.start != block {
                block = panel.inner.start;
                start = self.product.b.at(panel.inner.end, 0).cast_const();
            }
            let whole = panel.columns.len() == self.width;
            if !whole {
                self.product.level.run(Pack { from: b.t(), height: self.width, out: packed });
            }
            let (b, stride) = if whole {
                (b.start.cast_const(), b.row_stride)
            } else {
                (packed.as_ptr(), self.width as isize)
            };
            for tile in self.tiles.clone() {
                let runs = panel.inner.len();
                self.tile(tile, &panel, b, stride, Ahead { start, step: line as isize, runs, length: 1 });
                start = start.wrapping_add(line * runs);
            }
        }
    }

    /// While the tiles of one panel are computed, the next one is fetched and copied, a few rows with each tile.
    pub fn run_copied<'a>(&self, mut packed: &'a mut [T], mut next: &'a mut [T]) {
        let level = self.product.level;
        if let Some(first) = self.panel(0) {
            level.run(Pack { from: self.b(&first).t(), height: self.width, out: packed });
        }
        for (i, panel) in (0..).map_while(|i| self.panel(i)).enumerate() {
            let after = self.panel(i + 1);
            for (t, tile) in self.tiles.clone().enumerate() {
                let b = packed.as_ptr();
                let Some(from) = after.as_ref().map(|after| self.piece(after, t)) else {
                    self.tile(tile, &panel, b, self.width as isize, Ahead::nothing(b));
                    continue;
                };
                let (rows, from) = from;
                let ahead = if from.column_stride == 1 {
                    Ahead { start: from.start, step: from.row_stride, runs: from.rows, length: from.columns }
                } else {
                    Ahead {
                        start: from.start,
                        step: from.column_stride,
                        runs: from.columns,
                        length: from.rows,
                    }
                };
                self.tile(tile, &panel, b, self.width as isize, ahead);
                if !rows.is_empty() {
                    let out = &mut next[rows.start * self.width..rows.end * self.width];
                    level.run(Pack { from: from.t(), height: self.width, out });
                }
            }
            std::mem::swap(&mut packed, &mut next);
        }
    }

    /// The rows of a panel that are copied with tile `t`, and where they lie.
    fn piece(&self, panel: &Panel, t: usize) -> (Range<usize>, Place<T>) {
        let b = self.b(panel);
        let mut rows = b.rows.div_ceil(self.tiles.len());
        if b.column_stride != 1 {
            // Neighbours are copied a line at a time.
            rows = rows.next_multiple_of(64 / size_of::<T>());
        }
        let rows = (t * rows).min(b.rows)..((t + 1) * rows).min(b.rows);
        (rows.clone(), b.rows(rows))
    }

    /// A tile of a panel, whose rows of `b` are `stride` apart.
    fn tile(&self, tile: usize, panel: &Panel, b: *const T, stride: isize, ahead: Ahead<T>) {
        let Product { level, alpha, beta, out, .. } = self.product;
        let depth = panel.inner.len();
        let (rows, height) = (self.heights.rows(tile), self.heights.height(tile));
        let a = self.product.a;
        let (a, a_row, a_step) = match self.copy {
            Some(copy) => {
                let start = self.heights.padded() * panel.inner.start + rows.start * depth;
                (copy[start..].as_ptr(), 1, height as isize)
            }
            None => (a.at(rows.start, panel.inner.start).cast_const(), a.row_stride, a.column_stride),
        };
        let job = Job {
            depth,
            a,
            a_row,
            a_step,
            height,
            b,
            b_stride: stride,
            alpha,
            beta: if panel.inner.start == 0 { beta } else { T::ONE },
            out: out.at(rows.start, panel.columns.start),
            row_stride: out.row_stride,
            column_stride: out.column_stride,
            rows: rows.len(),
            columns: panel.columns.len(),
            ahead,
        };
        simd::run(level, job);
    }
}
