//! The product that convolutions consist of: a few rows, a few packs of columns, held in registers.

use std::marker::PhantomData;

use super::pack::{Pack, Scalar};
use crate::kernels::{Kernel, Level};

/// At most how many columns a block has.
const COLUMNS: usize = 32;

/// Four nested loops, the last one innermost: how many turns each takes, and how far a turn goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub sizes: [usize; 4],
    pub steps: [usize; 4],
}

impl Walk {
    /// A single loop.
    pub fn line(size: usize, step: usize) -> Self {
        Self { sizes: [1, 1, 1, size], steps: [0, 0, 0, step] }
    }

    /// How many turns there are.
    pub fn count(&self) -> usize {
        self.sizes.iter().product()
    }

    /// How far the last turn is from the first.
    fn reach(&self) -> usize {
        self.sizes.iter().zip(&self.steps).map(|(size, step)| (size - 1) * step).sum()
    }

    /// The next turn after the one that is counted by `at` and lies at `offset`.
    #[inline(always)]
    fn next(&self, at: &mut [usize; 4], offset: &mut usize) {
        for axis in (0..4).rev() {
            at[axis] += 1;
            *offset += self.steps[axis];
            if at[axis] < self.sizes[axis] {
                return;
            }
            *offset -= self.steps[axis] * at[axis];
            at[axis] = 0;
        }
    }
}

/// A product `Σₖ a[row + walk(k)] · b[k]` for some rows and for columns side by side; `b` is read in order.
#[derive(Clone, Copy)]
pub(super) struct Product<'a, T> {
    pub a: &'a [T],
    pub walk: Walk,
    pub b: &'a [T],
    /// From one `k` to the next in `b`.
    pub b_step: usize,
}

impl<T: Scalar> Product<'_, T> {
    /// The rows that begin at `rows` in `a`, times the first columns.
    ///
    /// The loops over rows and packs count places on purpose: this is what the compiler keeps in registers.
    #[inline(always)]
    #[allow(unsafe_code, reason = "a check of bounds at every number would cost as much as the product")]
    #[allow(clippy::needless_range_loop, reason = "see above")]
    fn block<P: Pack<T>, const ROWS: usize, const PACKS: usize, const FUSED: bool>(
        &self,
        rows: &[usize; ROWS],
    ) -> [[P; PACKS]; ROWS] {
        let lanes = P::LANES;
        let mut sums = [[P::zero(); PACKS]; ROWS];
        let count = self.walk.count();
        if count == 0 {
            return sums;
        }
        let reach = self.walk.reach();
        assert!(rows.iter().all(|row| row + reach < self.a.len()));
        assert!((count - 1) * self.b_step + PACKS * lanes <= self.b.len());
        let Walk { sizes: [n0, n1, n2, n3], steps: [s0, s1, s2, s3] } = self.walk;
        let mut at_b = 0;
        for (i0, i1) in (0..n0).flat_map(|i0| (0..n1).map(move |i1| (i0, i1))) {
            for i2 in 0..n2 {
                let start = i0 * s0 + i1 * s1 + i2 * s2;
                for i3 in 0..n3 {
                    let offset = start + i3 * s3;
                    // SAFETY: `at_b` is at most the last one that is asserted above.
                    let b = unsafe { self.b.get_unchecked(at_b..at_b + PACKS * lanes) };
                    let mut packs = [P::zero(); PACKS];
                    for p in 0..PACKS {
                        packs[p] = P::load(&b[p * lanes..]);
                    }
                    for r in 0..ROWS {
                        // SAFETY: `offset` is at most `reach`, with which every row is within `a`.
                        let x = unsafe { *self.a.get_unchecked(rows[r] + offset) };
                        for p in 0..PACKS {
                            sums[r][p] = sums[r][p].add_product::<FUSED>(x, packs[p]);
                        }
                    }
                    at_b += self.b_step;
                }
            }
        }
        sums
    }
}

/// A product of many rows, written or added to `to`.
pub(super) struct Multiply<'a, T> {
    pub product: Product<'a, T>,
    /// Where rows begin in `a`.
    pub rows: Walk,
    pub to: &'a mut [T],
    /// Where their results begin in `to`.
    pub targets: Walk,
    /// How many columns are wanted, at most `columns(..)`.
    pub live: usize,
    /// Whether they are added to what stands there.
    pub add: bool,
}

/// How many columns are computed together.
pub(super) fn columns<T: Scalar>(level: Level, wanted: usize) -> usize {
    let wide = level.vector_bytes() == 64 && wanted > T::LANES;
    if wide { 2 * T::LANES } else { T::LANES }
}

/// At most how many columns there are, the last ones unused, if they are computed some together.
pub(super) fn columns_bound<T: Scalar>(wanted: usize) -> usize {
    wanted.next_multiple_of(2 * T::LANES)
}

impl<T: Scalar> Multiply<'_, T> {
    /// Runs on blocks of as many rows as the registers hold. `columns` is what [`columns`] says.
    pub fn run(self, level: Level, columns: usize) {
        match level.vector_bytes() {
            64 if columns > T::LANES => level.run(Blocks::<'_, T, T::Wide, 8, 4, 2>::new(self)),
            64 => level.run(Blocks::<'_, T, T::Wide, 12, 4, 1>::new(self)),
            32 => level.run(Blocks::<'_, T, T::Half, 6, 2, 2>::new(self)),
            _ => level.run(Blocks::<'_, T, T::Quarter, 3, 1, 4>::new(self)),
        }
    }
}

/// Blocks of `ROWS` rows, or of `FEW` where that is enough for what is left, and of `PACKS` packs.
struct Blocks<'a, T, P, const ROWS: usize, const FEW: usize, const PACKS: usize> {
    work: Multiply<'a, T>,
    pack: PhantomData<P>,
}

impl<'a, T, P, const ROWS: usize, const FEW: usize, const PACKS: usize> Blocks<'a, T, P, ROWS, FEW, PACKS> {
    fn new(work: Multiply<'a, T>) -> Self {
        Self { work, pack: PhantomData }
    }
}

impl<T: Scalar, P: Pack<T>, const ROWS: usize, const FEW: usize, const PACKS: usize> Kernel
    for Blocks<'_, T, P, ROWS, FEW, PACKS>
{
    type Output = ();
    const REGISTERS: usize = P::LANES * size_of::<T>();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let mut work = self.work;
        let total = work.rows.count();
        let (mut rows, mut targets) = (Odometer::new(work.rows), Odometer::new(work.targets));
        let mut done = 0;
        while done < total {
            let left = total - done;
            if left <= FEW {
                work.block::<P, FEW, PACKS, FUSED>(&mut rows, &mut targets, left);
                return;
            }
            let now = left.min(ROWS);
            work.block::<P, ROWS, PACKS, FUSED>(&mut rows, &mut targets, now);
            done += now;
        }
    }
}

/// Where a walk is.
struct Odometer {
    walk: Walk,
    at: [usize; 4],
    offset: usize,
}

impl Odometer {
    fn new(walk: Walk) -> Self {
        Self { walk, at: [0; 4], offset: 0 }
    }

    /// The offsets of the next `count` turns; the first one stands in for those that are not wanted.
    #[inline(always)]
    fn take<const N: usize>(&mut self, count: usize) -> [usize; N] {
        let mut offsets = [self.offset; N];
        let [.., inner] = self.walk.sizes;
        if count == N && self.at[3] + N < inner {
            let step = self.walk.steps[3];
            for (i, offset) in offsets.iter_mut().enumerate() {
                *offset += i * step;
            }
            self.at[3] += N;
            self.offset += N * step;
            return offsets;
        }
        for offset in &mut offsets[..count] {
            *offset = self.offset;
            self.walk.next(&mut self.at, &mut self.offset);
        }
        offsets
    }
}

impl<T: Scalar> Multiply<'_, T> {
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "see below")]
    fn block<P: Pack<T>, const ROWS: usize, const PACKS: usize, const FUSED: bool>(
        &mut self,
        rows: &mut Odometer,
        targets: &mut Odometer,
        count: usize,
    ) {
        let lanes = P::LANES;
        let sums = self.product.block::<P, ROWS, PACKS, FUSED>(&rows.take(count));
        let targets: [usize; ROWS] = targets.take(count);
        // Every row is named by a constant: an index that varies would move the sums from registers to memory.
        for r in 0..ROWS {
            if r < count {
                let to = &mut self.to[targets[r]..targets[r] + self.live];
                if self.live == PACKS * lanes {
                    for p in 0..PACKS {
                        let to = &mut to[p * lanes..(p + 1) * lanes];
                        let sum = sums[r][p];
                        let sum = if self.add { P::load(to).plus(sum) } else { sum };
                        sum.store(to);
                    }
                } else {
                    let mut line = [T::default(); COLUMNS];
                    for p in 0..PACKS {
                        sums[r][p].store(&mut line[p * lanes..(p + 1) * lanes]);
                    }
                    finish(to, &line, self.add);
                }
            }
        }
    }
}

/// Writes, or adds, the first numbers of a line.
#[inline(never)]
fn finish<T: Scalar>(to: &mut [T], line: &[T; COLUMNS], add: bool) {
    for (to, &sum) in to.iter_mut().zip(line) {
        *to = if add { *to + sum } else { sum };
    }
}
