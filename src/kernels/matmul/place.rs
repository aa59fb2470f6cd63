//! Where matrices lie in memory: with any distance between neighbours in a row and in a column.

use std::ops::Range;

/// A matrix that is read, in place: any strides, also negative ones and zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    layout: Layout,
}

/// A matrix that is written: no two of its elements share a place.
#[derive(Debug)]
pub(crate) struct MatrixMut<'a, T> {
    data: &'a mut [T],
    layout: Layout,
}

/// Element `(i, j)` of a matrix has index `offset + i · row_stride + j · column_stride` in its slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub offset: usize,
    pub rows: usize,
    pub columns: usize,
    pub row_stride: isize,
    pub column_stride: isize,
}

impl Layout {
    /// One row after another, without gaps.
    pub fn by_rows(rows: usize, columns: usize) -> Self {
        Self { offset: 0, rows, columns, row_stride: columns as isize, column_stride: 1 }
    }

    /// One column after another, without gaps.
    #[cfg(test)]
    pub fn by_columns(rows: usize, columns: usize) -> Self {
        Self::by_rows(columns, rows).t()
    }

    #[cfg(test)]
    fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// The axes, each with its size and stride.
    fn axes(self) -> [(usize, isize); 2] {
        [(self.rows, self.row_stride), (self.columns, self.column_stride)]
    }

    /// Whether `steps` copies, each `step` further, stay within a slice of a length.
    pub(super) fn fits(self, length: usize, steps: usize, step: isize) -> bool {
        if self.rows == 0 || self.columns == 0 || steps == 0 {
            return true;
        }
        let (mut low, mut high) = (self.offset as i128, self.offset as i128);
        for (size, stride) in self.axes().into_iter().chain([(steps, step)]) {
            let reach = (size as i128 - 1) * stride as i128;
            low += reach.min(0);
            high += reach.max(0);
        }
        low >= 0 && high < length as i128
    }

    /// Whether each of the elements of `steps` copies, each `step` further, has a place of its own. It may say no for
    /// interleaved layouts that nobody has.
    pub(super) fn is_injective(self, steps: usize, step: isize) -> bool {
        if self.rows == 0 || self.columns == 0 || steps == 0 {
            return true;
        }
        let [a, b] = self.axes();
        let mut axes = [a, b, (steps, step)].map(|(size, stride)| (stride.unsigned_abs(), size));
        axes.sort_unstable();
        let mut reach = 0;
        axes.iter().filter(|(_, size)| *size > 1).all(|&(stride, size)| {
            let free = stride > reach;
            reach += stride * (size - 1);
            free
        })
    }
}

impl<'a, T: Copy> Matrix<'a, T> {
    /// # Panics
    /// If an element lies outside of `data`.
    pub fn new(data: &'a [T], layout: Layout) -> Self {
        assert!(layout.fits(data.len(), 1, 0), "a matrix that reaches beyond its slice: {layout:?}");
        Self { data, layout }
    }

    pub(super) fn place(self) -> Place<T> {
        Place::new(self.data.as_ptr().cast_mut(), self.layout)
    }
}

impl<'a, T: Copy> MatrixMut<'a, T> {
    /// # Panics
    /// If an element lies outside of `data`, or two lie in one place.
    pub fn new(data: &'a mut [T], layout: Layout) -> Self {
        assert!(layout.fits(data.len(), 1, 0), "a matrix that reaches beyond its slice: {layout:?}");
        assert!(layout.is_injective(1, 0), "a result with elements in one place: {layout:?}");
        Self { data, layout }
    }

    pub(super) fn place(self) -> Place<T> {
        Place::new(self.data.as_mut_ptr(), self.layout)
    }
}

/// A matrix without its borrow, so that parts of one result can be written by several threads: whoever makes one
/// vouches that it lies in memory that may be read, or written, as long as it is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<T> {
    pub start: *mut T,
    pub rows: usize,
    pub columns: usize,
    pub row_stride: isize,
    pub column_stride: isize,
}

#[allow(unsafe_code, reason = "parts of one matrix are written by several threads")]
// SAFETY: it is no more than an address; each access to it says why it is sound.
unsafe impl<T: Send> Send for Place<T> {}
#[allow(unsafe_code, reason = "parts of one matrix are written by several threads")]
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Place<T> {}

impl<T: Copy> Place<T> {
    pub fn new(data: *mut T, layout: Layout) -> Self {
        Self {
            start: data.wrapping_add(layout.offset),
            rows: layout.rows,
            columns: layout.columns,
            row_stride: layout.row_stride,
            column_stride: layout.column_stride,
        }
    }

    #[inline(always)]
    pub fn t(self) -> Self {
        Self {
            start: self.start,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// Where element `(i, j)` lies.
    #[inline(always)]
    pub fn at(self, i: usize, j: usize) -> *mut T {
        let offset = i as isize * self.row_stride + j as isize * self.column_stride;
        self.start.wrapping_offset(offset)
    }

    /// Some of the rows.
    #[inline(always)]
    pub fn rows(self, range: Range<usize>) -> Self {
        Self { start: self.at(range.start, 0), rows: range.len(), ..self }
    }

    /// Some of the columns.
    #[inline(always)]
    pub fn columns(self, range: Range<usize>) -> Self {
        Self { start: self.at(0, range.start), columns: range.len(), ..self }
    }
}

/// The part with number `i` when `total` things are split into `parts`.
#[inline]
pub(super) fn share(total: usize, parts: usize, i: usize) -> Range<usize> {
    total * i / parts..total * (i + 1) / parts
}
