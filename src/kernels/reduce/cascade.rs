//! Joining in pairs, and pairs in pairs, as parts arrive.
//!
//! What is waiting for its partner lies on a stack, the larger below: after `n` parts, one for each bit that is set in `n`.

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
