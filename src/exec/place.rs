//! Where elements lie: a strided view of a leaf or of a value.

use crate::element::DType;
use crate::ops::expanded;
use crate::shape::{Axes, Cut, Run, Shape, Strides, diagonal_of};

/// What holds elements: a leaf, or a value that a unit computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Base {
    Leaf(u32),
    Value(u32),
}

/// A strided view of a base. Offset and strides count elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub base: Base,
    pub dtype: DType,
    pub offset: usize,
    pub shape: Shape,
    pub strides: Strides,
}

impl Place {
    pub fn packed(base: Base, dtype: DType, offset: usize, shape: Shape) -> Self {
        Self { base, dtype, offset, strides: shape.c_strides(), shape }
    }

    pub fn size(&self) -> usize {
        self.shape.size()
    }

    /// Whether the elements lie in C order without gaps.
    pub fn is_packed(&self) -> bool {
        self.shape.contains(&0) || follows(&self.shape, &self.strides)
    }

    /// Whether every element is the first one.
    pub fn is_single(&self) -> bool {
        still(&self.shape, &self.strides)
    }

    /// Whether there is one element for each row of `columns`, packed, the same for all columns.
    pub fn is_row(&self, columns: usize) -> bool {
        self.split(columns).is_some_and(|axis| {
            still(&self.shape[axis..], &self.strides[axis..])
                && follows(&self.shape[..axis], &self.strides[..axis])
        })
    }

    /// Whether each row of `columns` is the same line, packed.
    pub fn is_line(&self, columns: usize) -> bool {
        self.split(columns).is_some_and(|axis| {
            still(&self.shape[..axis], &self.strides[..axis])
                && follows(&self.shape[axis..], &self.strides[axis..])
        })
    }

    /// The length of the rows in which the same elements come again, or of the lines that are one element: rows that
    /// a loop had better run over.
    pub fn repeats(&self) -> Option<usize> {
        let axes = || self.shape.iter().zip(&self.strides).filter(|axis| *axis.0 != 1).rev();
        let (_, &last) = axes().next()?;
        let run = axes().take_while(|(_, stride)| (**stride == 0) == (last == 0));
        let columns = run.map(|(&size, _)| size).product();
        (last == 0 || self.is_line(columns)).then_some(columns)
    }

    /// The elements of which there is one for each row of `columns`, if all columns have the same.
    pub fn rows(&self, columns: usize) -> Option<Self> {
        let axis = self.split(columns)?;
        still(&self.shape[axis..], &self.strides[axis..]).then(|| Self {
            shape: self.shape[..axis].into(),
            strides: self.strides[..axis].into(),
            ..*self
        })
    }

    /// The first of the trailing axes that make up rows of `columns`.
    fn split(&self, columns: usize) -> Option<usize> {
        let mut product = 1;
        let mut axis = self.shape.ndim();
        while axis > 0 && product < columns {
            axis -= 1;
            product *= self.shape[axis];
        }
        (product == columns).then_some(axis)
    }

    pub fn stretched(&self, shape: &Shape) -> Self {
        let new = shape.ndim() - self.shape.ndim();
        let old = self.shape.iter().zip(&self.strides);
        let strides = std::iter::repeat_n(0, new)
            .chain(old.zip(&shape[new..]).map(|((&from, &stride), &to)| if from == to { stride } else { 0 }));
        Self { shape: shape.clone(), strides: strides.collect(), ..*self }
    }

    pub fn permuted(&self, axes: impl Iterator<Item = usize> + Clone) -> Self {
        let strides = axes.clone().map(|axis| self.strides[axis]).collect();
        Self { shape: axes.map(|axis| self.shape[axis]).collect(), strides, ..*self }
    }

    /// Element `i` along the only axis.
    pub fn element(&self, i: usize) -> Self {
        let one = self.cut(0, Run { first: i, step: 1, count: 1 });
        Self { shape: Shape::scalar(), strides: Strides::default(), ..one }
    }

    /// The elements from `first` on along an axis, `step` apart.
    pub fn cut(&self, axis: usize, run: Run) -> Self {
        let mut cut = self.clone();
        if self.size() > 0 {
            // Where there are no elements, strides lead nowhere.
            cut.offset = (cut.offset as isize + run.first as isize * cut.strides[axis]) as usize;
        }
        cut.strides[axis] *= run.step;
        cut.shape =
            cut.shape.iter().enumerate().map(|(k, &n)| if k == axis { run.count } else { n }).collect();
        cut
    }

    pub fn sliced(&self, axes: &Axes, cut: Cut) -> Self {
        axes.iter().fold(self.clone(), |place, axis| {
            let run = cut.of(place.shape[axis]).expect("a slice was checked when its shape was inferred");
            place.cut(axis, run)
        })
    }

    /// The diagonals of two axes, along a new last one.
    pub fn diagonal(&self, axes: &Axes, offset: isize) -> Self {
        let [i, j] = axes.pair().expect("a diagonal was checked when its shape was inferred");
        let (row, column, count) = diagonal_of(self.shape[i], self.shape[j], offset);
        let rest = || (0..self.shape.ndim()).filter(|&axis| !axes.contains(axis));
        let first = row as isize * self.strides[i] + column as isize * self.strides[j];
        Self {
            // Where there are no elements, strides lead nowhere.
            offset: if self.size() > 0 { (self.offset as isize + first) as usize } else { self.offset },
            shape: rest().map(|axis| self.shape[axis]).chain([count]).collect(),
            strides: rest()
                .map(|axis| self.strides[axis])
                .chain([self.strides[i] + self.strides[j]])
                .collect(),
            ..*self
        }
    }

    pub fn with_axes(&self, axes: &Axes) -> Self {
        let mut strides = self.strides.iter();
        let shape = expanded(&self.shape, axes);
        let strides = (0..shape.ndim())
            .map(|axis| if axes.contains(axis) { 0 } else { strides.next().copied().unwrap_or(0) })
            .collect();
        Self { shape, strides, ..*self }
    }

    /// The same elements in another shape, if they need not be moved: neighbouring axes are merged where they lie as
    /// one, and split where the new shape has several.
    pub fn reshaped(&self, shape: &Shape) -> Option<Self> {
        if self.is_packed() {
            return Some(Self { shape: shape.clone(), strides: shape.c_strides(), ..*self });
        }
        let old: Vec<(usize, isize)> =
            self.shape.iter().copied().zip(self.strides.iter().copied()).filter(|axis| axis.0 != 1).collect();
        let mut strides = shape.c_strides();
        let (mut i, mut j) = (0, 0);
        while i < old.len() {
            let (mut m, mut n) = (old[i].0, 1);
            let first = j;
            let mut end = i + 1;
            while m != n {
                if m < n {
                    let &(size, _) = old.get(end)?;
                    m *= size;
                    end += 1;
                } else {
                    n *= *shape.get(j)?;
                    j += 1;
                }
            }
            // The old axes i..end are the new ones first..j; they have to lie as one.
            for pair in old[i..end].windows(2) {
                if pair[0].1 != pair[1].1 * pair[1].0 as isize {
                    return None;
                }
            }
            let mut stride = old[end - 1].1;
            for axis in (first..j).rev() {
                strides[axis] = stride;
                stride *= shape[axis] as isize;
            }
            i = end;
        }
        Some(Self { shape: shape.clone(), strides, ..*self })
    }

    /// The lowest element that is read, how many lie between it and the highest, and where the first one is among
    /// them.
    pub fn range(&self) -> (usize, usize, usize) {
        if self.size() == 0 {
            return (self.offset, 0, 0);
        }
        let reach = |sign: isize| -> usize {
            let axes = self.shape.iter().zip(&self.strides).filter(|(_, stride)| **stride * sign > 0);
            axes.map(|(&size, &stride)| (size - 1) * stride.unsigned_abs()).sum()
        };
        let (below, above) = (reach(-1), reach(1));
        (self.offset - below, below + above + 1, below)
    }
}

/// Whether all elements are one.
fn still(shape: &[usize], strides: &[isize]) -> bool {
    shape.iter().zip(strides).all(|(&size, &stride)| size == 1 || stride == 0)
}

/// Whether strides are those of C order, but for axes with one element, where they mean nothing.
fn follows(shape: &[usize], strides: &[isize]) -> bool {
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(&size, &stride)| {
        let fits = size == 1 || stride == expected;
        expected *= size as isize;
        fits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(shape: &[usize], strides: &[isize]) -> Place {
        Place {
            base: Base::Leaf(0),
            dtype: DType::F64,
            offset: 0,
            shape: shape.into(),
            strides: strides.into(),
        }
    }

    #[test]
    fn a_reshape_is_a_view_where_elements_need_not_move() {
        let heads = place(&[8, 64, 128], &[64 * 384, 384, 1]).reshaped(&[8, 64, 4, 32].into()).unwrap();
        assert_eq!(heads.strides[..], [64 * 384, 384, 32, 1]);
        let rows = place(&[8, 64, 128], &[64 * 384, 384, 1]).reshaped(&[512, 128].into()).unwrap();
        assert_eq!(rows.strides[..], [384, 1]);
        assert!(place(&[4, 3], &[1, 4]).reshaped(&[12].into()).is_none());
        assert!(place(&[4, 3], &[1, 4]).reshaped(&[4, 1, 3].into()).is_some());
        assert!(place(&[2, 3], &[6, 1]).reshaped(&[3, 2].into()).is_none());
        assert_eq!(place(&[4, 1], &[0, 0]).reshaped(&[2, 2].into()).unwrap().strides[..], [0, 0]);
    }

    #[test]
    fn rows_and_lines() {
        assert!(place(&[4, 3], &[1, 0]).is_row(3));
        assert!(!place(&[4, 3], &[3, 1]).is_row(3));
        assert!(place(&[2, 2, 3], &[2, 1, 0]).is_row(3));
        assert!(place(&[4, 3], &[0, 1]).is_line(3));
        assert!(place(&[1, 3], &[7, 0]).is_row(3));
        assert!(!place(&[4, 3], &[1, 0]).is_row(2));
    }

    #[test]
    fn a_range_holds_what_is_read() {
        let mut reversed = place(&[3], &[-2]);
        reversed.offset = 10;
        assert_eq!(reversed.range(), (6, 5, 4));
    }
}
