//! Matrix products.

use ndarray::LinalgScalar;

use super::Threads;

/// A matrix that is read, in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    layout: Layout,
}

/// A matrix that is written.
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
    fn at(self, i: usize, j: usize) -> usize {
        (self.offset as isize + i as isize * self.row_stride + j as isize * self.column_stride) as usize
    }
}

impl<'a, T> Matrix<'a, T> {
    pub fn new(data: &'a [T], layout: Layout) -> Self {
        Self { data, layout }
    }
}
impl<'a, T> MatrixMut<'a, T> {
    pub fn new(data: &'a mut [T], layout: Layout) -> Self {
        Self { data, layout }
    }
}

pub(crate) trait Factor: LinalgScalar + PartialEq {}
impl Factor for f32 {}
impl Factor for f64 {}

pub(crate) fn product<T: Factor>(
    alpha: T,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    beta: T,
    out: MatrixMut<'_, T>,
    _threads: Threads,
) {
    for i in 0..out.layout.rows {
        for j in 0..out.layout.columns {
            let mut sum = T::zero();
            for k in 0..a.layout.columns {
                sum = sum + a.data[a.layout.at(i, k)] * b.data[b.layout.at(k, j)];
            }
            let o = &mut out.data[out.layout.at(i, j)];
            *o = alpha * sum + if beta == T::zero() { T::zero() } else { beta * *o };
        }
    }
}
