//! Work in parts, on the threads there are.
//!
//! How work is split depends on shapes alone, never on the number of threads: so every sum is taken in the same order,
//! and results are the same bit for bit on one thread and on many.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Whether parts may run side by side, on the rayon pool that the caller is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Threads(bool);

impl Threads {
    /// One part after the other, on this thread.
    pub const ONE: Self = Self(false);
    /// Side by side.
    pub const MANY: Self = Self(true);

    /// Calls `part` for each of `0..parts`.
    pub fn each(self, parts: usize, part: impl Fn(usize) + Sync) {
        if self.0 && parts > 1 {
            (0..parts).into_par_iter().for_each(&part);
        } else {
            (0..parts).for_each(&part);
        }
    }
}

/// A slice of which several threads write parts that do not overlap.
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    length: usize,
    slice: PhantomData<&'a mut [T]>,
}

#[allow(unsafe_code, reason = "parts of one slice are written by several threads")]
// SAFETY: it is used through `part` alone, whose callers never let two parts overlap.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// The slice, borrowed as long as its parts are.
    pub fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), slice: PhantomData }
    }

    /// A part to write to.
    ///
    /// # Safety
    /// No two parts that live at the same time overlap.
    ///
    /// # Panics
    /// If the range is not within the slice.
    #[allow(unsafe_code, reason = "parts of one slice are written by several threads")]
    #[allow(clippy::mut_from_ref, reason = "the caller vouches that parts do not overlap")]
    pub unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: within the slice, as asserted; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
