//! Joining in pairs, and pairs in pairs, as parts arrive.
//!
//! What is waiting for its partner lies on a stack, the larger below: after `n` parts, one for each bit that is set in `n`.

use super::{Join, Level, Term, under};

/// How deep a stack may get: for `2³²` parts.
pub(super) const DEPTH: usize = 33;

/// A stack of numbers.
pub(super) struct Stack<T> {
    waiting: [T; DEPTH],
    depth: usize,
    count: usize,
}

impl<T: Copy> Stack<T> {
    /// An empty one; `any` is never read.
    #[inline(always)]
    pub fn new(any: T) -> Self {
        Self { waiting: [any; DEPTH], depth: 0, count: 0 }
    }

    #[inline(always)]
    pub fn push(&mut self, part: T, join: impl Fn(T, T) -> T) {
        let mut part = part;
        for _ in 0..self.count.trailing_ones() {
            self.depth -= 1;
            part = join(self.waiting[self.depth], part);
        }
        self.waiting[self.depth] = part;
        self.depth += 1;
        self.count += 1;
    }

    /// Everything, from the smallest to the largest.
    #[inline(always)]
    pub fn total(self, join: impl Fn(T, T) -> T) -> Option<T> {
        let (last, larger) = self.waiting[..self.depth].split_last()?;
        Some(larger.iter().rev().fold(*last, |sum, &larger| join(larger, sum)))
    }
}

/// A stack of lines of one width, in memory that the caller has: [`Cascade::room`] says how much.
///
/// A line may be one number, the total of a part of a line; or the columns of a run of rows.
#[allow(dead_code, reason = "for reductions at the end of a group of elementwise steps")]
pub(crate) struct Cascade<'a, T> {
    waiting: &'a mut [T],
    width: usize,
    count: usize,
}

#[allow(dead_code, reason = "for reductions at the end of a group of elementwise steps")]
impl<'a, T: Term> Cascade<'a, T> {
    /// How many numbers it keeps for this many parts.
    pub fn room(parts: usize, width: usize) -> usize {
        (usize::BITS - parts.leading_zeros()) as usize * width
    }

    /// An empty one.
    pub fn new(waiting: &'a mut [T], width: usize) -> Self {
        Self { waiting, width, count: 0 }
    }

    /// The next part. It is overwritten.
    pub fn push(&mut self, level: Level, join: Join, part: &mut [T]) {
        let mut depth = self.count.count_ones() as usize;
        for _ in 0..self.count.trailing_ones() {
            depth -= 1;
            let larger = &self.waiting[depth * self.width..(depth + 1) * self.width];
            under(level, join, larger, part);
        }
        self.waiting[depth * self.width..(depth + 1) * self.width].copy_from_slice(part);
        self.count += 1;
    }

    /// Everything that was pushed, at least one part.
    pub fn total(self, level: Level, join: Join, out: &mut [T]) {
        let depth = self.count.count_ones() as usize;
        let mut lines = self.waiting[..depth * self.width].chunks_exact(self.width).rev();
        if let Some(last) = lines.next() {
            out.copy_from_slice(last);
        }
        for larger in lines {
            under(level, join, larger, out);
        }
    }
}
