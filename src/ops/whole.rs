//! Operations that run on whole operands: what they are given.

use smallvec::SmallVec;

use crate::element::Element;
use crate::graph::Signature;
use crate::kernels::{Level, Operands, Threads};

/// Whole operands in C order, and room for the result.
pub(crate) struct Task<'a> {
    pub level: Level,
    pub threads: Threads,
    pub operands: &'a [Signature],
    pub result: &'a Signature,
    /// Which of the operands can be read; the others give their shape alone.
    pub reads: &'a [bool],
    /// Those that can be read, the result, and what the operation works in.
    pub at: Operands<'a>,
}

impl<'a> Task<'a> {
    /// Operand `k`, empty if it gives its shape alone.
    pub fn read<T: Element>(&self, k: usize) -> &'a [T] {
        let before = self.reads[..k].iter().filter(|&&read| read).count();
        if self.reads[k] { self.at.read(before) } else { &[] }
    }

    /// All operands, if they are of one type.
    pub fn read_all<T: Element>(&self) -> SmallVec<[&'a [T]; 4]> {
        (0..self.operands.len()).map(|k| self.read(k)).collect()
    }

    /// The result, and what the operation works in; both may hold anything before.
    pub fn write<T: Element>(self) -> (&'a mut [T], &'a mut [T]) {
        self.at.write_two()
    }
}
