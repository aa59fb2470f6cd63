//! Which elements are taken of an axis, and of an array.

use std::fmt;

use ndarray::{Dimension, SliceInfo, SliceInfoElem};
use smallvec::SmallVec;

/// Which elements are taken along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// From `start` to `end`, which is excluded, or to the end of the axis; negative numbers count from its end. Every
    /// `step`-th element; with a negative step the range is read from its last element backwards. An axis that does not
    /// have the range is an error.
    Range {
        /// The first element.
        start: isize,
        /// The end, if it is not the axis's own.
        end: Option<isize>,
        /// How far apart two neighbours are.
        step: isize,
    },
    /// Python's `start:end:step`: from `start` in steps to `end`, which is excluded; with a negative step `start` lies behind
    /// `end`. What lies beyond the axis is left out.
    Clipped {
        /// The first element, if it is not the axis's own.
        start: Option<isize>,
        /// The end, if it is not the axis's own.
        end: Option<isize>,
        /// How far apart two neighbours are.
        step: isize,
    },
    /// Part number `index` of `count` equal parts.
    Part {
        /// Which part.
        index: usize,
        /// Of how many.
        count: usize,
    },
    /// One of the two parts that change places where elements move on by `shift`, and those beyond the end come in again
    /// at the start.
    Rolled {
        /// How far elements move.
        shift: isize,
        /// Whether it is the part that comes in again, or the rest.
        wrapped: bool,
    },
}

/// Where the elements of a cut lie along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub first: usize,
    pub step: isize,
    pub count: usize,
}

impl Cut {
    /// Every element.
    pub const ALL: Self = Self::Range { start: 0, end: None, step: 1 };

    /// Python's `start:end:step`, whose ends may be missing.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::Cut;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![0.0, 1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.slice_each([Cut::python(3, None, -2)]).value()?, array![3.0, 1.0].into_dyn());
    /// assert_eq!(x.slice_each([Cut::python(-2, 100, 1)]).value()?, array![3.0, 4.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn python(start: impl Into<Option<isize>>, end: impl Into<Option<isize>>, step: isize) -> Self {
        Self::Clipped { start: start.into(), end: end.into(), step }
    }

    /// The elements along an axis of this size; nothing if the axis does not have them.
    pub(crate) fn of(self, size: usize) -> Option<Run> {
        match self {
            Self::Range { start, end, step } => {
                let from_start = |place: isize| {
                    let place = if place < 0 { place.checked_add_unsigned(size)? } else { place };
                    usize::try_from(place).ok().filter(|&place| place <= size)
                };
                let (start, end) = (from_start(start)?, end.map_or(Some(size), from_start)?);
                let apart = Some(step.unsigned_abs()).filter(|&apart| apart > 0)?;
                let count = end.saturating_sub(start).div_ceil(apart);
                let first = if step > 0 { start } else { end.saturating_sub(1) };
                Some(Run { first: if count == 0 { 0 } else { first }, step, count })
            }
            Self::Clipped { start, end, step } => clipped(start, end, step, size),
            Self::Part { index, count } => {
                let length = size.checked_div(count).filter(|length| length * count == size)?;
                (index < count).then_some(Run { first: index * length, step: 1, count: length })
            }
            Self::Rolled { shift, wrapped } => {
                let again = shift.checked_rem_euclid(size as isize).unwrap_or(0) as usize;
                let (first, count) = if wrapped { (size - again, again) } else { (0, size - again) };
                Some(Run { first: if count == 0 { 0 } else { first }, step: 1, count })
            }
        }
    }

    /// Whether it is every element in order, of an axis of any size.
    pub(crate) fn is_all(self) -> bool {
        match self {
            Self::Range { start, end, step } => (start, end, step) == (0, None, 1),
            Self::Clipped { start, end, step } => (start.unwrap_or(0), end, step) == (0, None, 1),
            Self::Part { count, .. } => count == 1,
            Self::Rolled { .. } => false,
        }
    }
}

/// Python's rule: negative places count from the end, places beyond are the nearest there are.
fn clipped(start: Option<isize>, end: Option<isize>, step: isize, size: usize) -> Option<Run> {
    let apart = Some(step.unsigned_abs()).filter(|&apart| apart > 0)?;
    let size = size as isize;
    // The places before the first element that is met, and behind the last.
    let (lowest, highest) = if step > 0 { (0, size) } else { (-1, size - 1) };
    let place = |given: Option<isize>, open: isize| match given {
        None => open,
        Some(given) if given < 0 => given.saturating_add(size).clamp(lowest, highest),
        Some(given) => given.clamp(lowest, highest),
    };
    let (first, last) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let (start, end) = (place(start, first), place(end, last));
    let length = if step > 0 { end - start } else { start - end };
    let count = usize::try_from(length).unwrap_or(0).div_ceil(apart);
    Some(Run { first: if count == 0 { 0 } else { start as usize }, step, count })
}

/// Where a diagonal lies in a matrix: the row and the column of its first element, and how many there are. The offset is how
/// far it lies to the right of the one that begins in the corner.
pub(crate) fn diagonal_of(rows: usize, columns: usize, offset: isize) -> (usize, usize, usize) {
    let (row, column) = (offset.min(0).unsigned_abs(), offset.max(0).unsigned_abs());
    let count = rows.saturating_sub(row).min(columns.saturating_sub(column));
    if count == 0 { (0, 0, 0) } else { (row, column, count) }
}

impl From<ndarray::Slice> for Cut {
    fn from(ndarray::Slice { start, end, step }: ndarray::Slice) -> Self {
        Self::Range { start, end, step }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = |place: Option<isize>| place.map_or_else(String::new, |place| place.to_string());
        match *self {
            Self::Range { start, end, step } => {
                let start = if start == 0 { String::new() } else { start.to_string() };
                write!(f, "{start}..{}", open(end))?;
                if step == 1 { Ok(()) } else { write!(f, ";{step}") }
            }
            Self::Clipped { start, end, step } => {
                write!(f, "{}:{}", open(start), open(end))?;
                if step == 1 { Ok(()) } else { write!(f, ":{step}") }
            }
            Self::Part { index, count } => write!(f, "part {index} of {count}"),
            Self::Rolled { shift, wrapped: true } => write!(f, "what a roll by {shift} wraps around"),
            Self::Rolled { shift, wrapped: false } => write!(f, "what a roll by {shift} moves on"),
        }
    }
}

/// A part of an array, axis by axis: what [`Var::slice_each`](crate::Var::slice_each) takes.
///
/// Made from ndarray's `s![…]`, in which a number takes away its axis and `NewAxis` puts one in, or from [`Cut`]s. Axes that
/// are not named are whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(pub(crate) SmallVec<[Piece; 4]>);

/// What a region says of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A cut of an axis.
    Cut(Cut),
    /// One element of an axis, which goes.
    Index(isize),
    /// A new axis.
    New,
}

impl From<&[Cut]> for Region {
    fn from(cuts: &[Cut]) -> Self {
        Self(cuts.iter().map(|&cut| Piece::Cut(cut)).collect())
    }
}

impl<const N: usize> From<[Cut; N]> for Region {
    fn from(cuts: [Cut; N]) -> Self {
        Self::from(&cuts[..])
    }
}

impl From<Vec<Cut>> for Region {
    fn from(cuts: Vec<Cut>) -> Self {
        Self::from(&cuts[..])
    }
}

impl<S: AsRef<[SliceInfoElem]>, From: Dimension, To: Dimension> std::convert::From<SliceInfo<S, From, To>>
    for Region
{
    fn from(info: SliceInfo<S, From, To>) -> Self {
        let elements: &[SliceInfoElem] = info.as_ref();
        let pieces = elements.iter().map(|&element| match element {
            SliceInfoElem::Slice { start, end, step } => Piece::Cut(Cut::Range { start, end, step }),
            SliceInfoElem::Index(index) => Piece::Index(index),
            SliceInfoElem::NewAxis => Piece::New,
        });
        Self(pieces.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_follow_the_size() {
        let cut = |start, end, step, size| Cut::Range { start, end, step }.of(size);
        let run = |first, step, count| Some(Run { first, step, count });
        assert_eq!(cut(1, Some(3), 1, 5), run(1, 1, 2));
        assert_eq!(cut(1, None, 2, 6), run(1, 2, 3));
        assert_eq!(cut(0, None, -2, 6), run(5, -2, 3));
        assert_eq!(cut(-3, Some(-1), -1, 5), run(3, -1, 2));
        assert_eq!(cut(4, Some(2), 1, 5), run(0, 1, 0));
        assert_eq!(cut(0, None, -1, 0), run(0, -1, 0));
        assert_eq!(cut(0, Some(6), 1, 5), None);
        assert_eq!(cut(-6, None, 1, 5), None);
        assert_eq!(cut(0, None, 0, 5), None);
        assert_eq!(Cut::Part { index: 2, count: 3 }.of(12), run(8, 1, 4));
        assert_eq!(Cut::Part { index: 0, count: 3 }.of(10), None);
    }

    #[test]
    fn pythons_slices() {
        let cut = |start, end, step, size| Cut::Clipped { start, end, step }.of(size);
        let run = |first, step, count| Some(Run { first, step, count });
        assert_eq!(cut(Some(1), Some(3), 1, 5), run(1, 1, 2));
        assert_eq!(cut(None, None, -2, 6), run(5, -2, 3));
        assert_eq!(cut(Some(3), None, -1, 5), run(3, -1, 4));
        assert_eq!(cut(Some(3), Some(0), -1, 5), run(3, -1, 3));
        assert_eq!(cut(Some(-1), Some(-4), -2, 5), run(4, -2, 2));
        assert_eq!(cut(Some(9), Some(-9), -1, 5), run(4, -1, 5));
        assert_eq!(cut(Some(-9), Some(9), 3, 5), run(0, 3, 2));
        assert_eq!(cut(Some(3), Some(1), 1, 5), run(0, 1, 0));
        assert_eq!(cut(None, Some(-1), -1, 5), run(0, -1, 0));
        assert_eq!(cut(None, None, -1, 0), run(0, -1, 0));
        assert_eq!(cut(None, None, 0, 5), None);
    }

    #[test]
    fn diagonals_of_matrices() {
        assert_eq!(diagonal_of(3, 4, 0), (0, 0, 3));
        assert_eq!(diagonal_of(3, 4, 2), (0, 2, 2));
        assert_eq!(diagonal_of(3, 4, -1), (1, 0, 2));
        assert_eq!(diagonal_of(3, 4, 4), (0, 0, 0));
        assert_eq!(diagonal_of(0, 4, isize::MIN), (0, 0, 0));
    }

    #[test]
    fn what_a_roll_moves() {
        let cut = |shift, wrapped, size| Cut::Rolled { shift, wrapped }.of(size);
        let run = |first, count| Some(Run { first, step: 1, count });
        assert_eq!((cut(2, true, 5), cut(2, false, 5)), (run(3, 2), run(0, 3)));
        assert_eq!((cut(-1, true, 5), cut(-1, false, 5)), (run(1, 4), run(0, 1)));
        assert_eq!((cut(12, true, 5), cut(-5, true, 5)), (run(3, 2), run(0, 0)));
        assert_eq!((cut(3, true, 0), cut(3, false, 0)), (run(0, 0), run(0, 0)));
    }
}
