//! Shapes, the broadcast rule and axes: the only place that knows them.

use std::fmt;
use std::ops::Deref;

use ndarray::Axis;
use smallvec::SmallVec;

pub use crate::cut::Cut;
pub(crate) use crate::cut::{Run, diagonal_of};

/// The sizes of an array along its axes. It dereferences to `[usize]` and prints as NumPy prints it: `()`, `(3,)`,
/// `(3, 4)`.
///
/// ```
/// use gradus::Shape;
/// let shape = Shape::from([3, 4]);
/// assert_eq!(shape.to_string(), "(3, 4)");
/// assert_eq!(shape.size(), 12);
/// assert_eq!(shape, [3, 4]);
/// ```
#[derive(PartialEq, Eq, Hash, Default)]
pub struct Shape(SmallVec<[usize; 4]>);

/// Shapes are copied with every operand that is looked at, and few have more than four axes.
impl Clone for Shape {
    #[inline]
    fn clone(&self) -> Self {
        let mut few = [0; 4];
        match few.get_mut(..self.0.len()) {
            Some(sizes) => {
                sizes.copy_from_slice(&self.0);
                Self(SmallVec::from_buf_and_len(few, self.0.len()))
            }
            None => Self(SmallVec::from_slice(&self.0)),
        }
    }
}

impl Shape {
    /// The shape of a scalar, `()`.
    pub fn scalar() -> Self {
        Self::default()
    }

    /// How many elements an array of this shape holds: the product of the sizes, 1 for a scalar.
    pub fn size(&self) -> usize {
        self.iter().product()
    }

    /// How many axes there are.
    pub fn ndim(&self) -> usize {
        self.len()
    }

    /// Strides of an array of this shape in C order, in elements.
    pub(crate) fn c_strides(&self) -> Strides {
        let mut strides: Strides = smallvec::smallvec![1; self.len()];
        for axis in (1..self.len()).rev() {
            strides[axis - 1] = strides[axis] * self[axis].max(1) as isize;
        }
        strides
    }
}

/// Steps between neighbours along each axis, in elements.
pub(crate) type Strides = SmallVec<[isize; 4]>;

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        Self(SmallVec::from_slice(&sizes))
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Self(SmallVec::from_slice(sizes))
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Self(SmallVec::from_vec(sizes))
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        Self(sizes.into_iter().collect())
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        **self == other[..]
    }
}

impl PartialEq<&[usize]> for Shape {
    fn eq(&self, other: &&[usize]) -> bool {
        **self == **other
    }
}

impl PartialEq<Shape> for &[usize] {
    fn eq(&self, other: &Shape) -> bool {
        **self == **other
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_tuple(f, self.iter())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `(3, 4)`, with Python's comma after a single entry.
fn write_tuple(
    f: &mut fmt::Formatter<'_>,
    entries: impl ExactSizeIterator<Item = impl fmt::Display>,
) -> fmt::Result {
    let single = entries.len() == 1;
    f.write_str("(")?;
    for (i, entry) in entries.enumerate() {
        write!(f, "{}{entry}", if i == 0 { "" } else { ", " })?;
    }
    f.write_str(if single { ",)" } else { ")" })
}

/// Two sizes that ought to agree and do not: the axis and the size on the left, then on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clash {
    /// Axis and size of the left operand.
    pub left: (usize, usize),
    /// Axis and size of the right operand.
    pub right: (usize, usize),
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left: (i, m), right: (j, n) } = self;
        write!(f, "{m} (axis {i}) != {n} (axis {j})")
    }
}

/// NumPy's broadcast rule: shapes are aligned at their last axes, and a size of 1 stretches to the other's.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Result<Shape, Clash> {
    if a == b || b.is_empty() {
        return Ok(a.into());
    }
    if a.is_empty() {
        return Ok(b.into());
    }
    let rank = a.len().max(b.len());
    let aligned = |s: &[usize], axis: usize| (axis + s.len()).checked_sub(rank);
    (0..rank)
        .map(|axis| match (aligned(a, axis), aligned(b, axis)) {
            (Some(i), Some(j)) if a[i] != b[j] && a[i] != 1 && b[j] != 1 => {
                Err(Clash { left: (i, a[i]), right: (j, b[j]) })
            }
            (Some(i), Some(j)) => Ok(if a[i] == 1 { b[j] } else { a[i] }),
            (Some(i), None) => Ok(a[i]),
            (None, j) => Ok(b[j.unwrap_or_default()]),
        })
        .collect()
}

/// Whether an array of shape `from` may be broadcast to exactly `to`.
pub(crate) fn stretches(from: &[usize], to: &[usize]) -> bool {
    matches!(broadcast(from, to), Ok(shape) if *shape == *to)
}

/// Axes as a user gives them: all, or a list in which negative numbers count from the end. A recorded operation
/// holds them resolved: counted from the start, in ascending order.
///
/// Made from an integer, an array or slice of integers, or ndarray's `Axis`; [`Axes::ALL`] is every axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Axes(Option<Box<[i32]>>);

/// What is wrong with axes.
pub(crate) enum AxesFault {
    OutOfRange(i32),
    Repeated(i32),
}

impl Axes {
    /// Every axis of the operand.
    pub const ALL: Self = Self(None);

    /// No axis at all: a reduction over no axis leaves the array as it is.
    pub fn none() -> Self {
        Self(Some(Box::default()))
    }

    /// The axes of an array with `rank` axes, counted from the start and in ascending order.
    pub(crate) fn resolve(&self, rank: usize) -> Result<Self, AxesFault> {
        let Some(given) = &self.0 else {
            return Ok(Self(Some((0..rank as i32).collect())));
        };
        let mut axes = SmallVec::<[i32; 4]>::new();
        for &axis in given {
            axes.push(resolve_axis(axis, rank).ok_or(AxesFault::OutOfRange(axis))? as i32);
        }
        axes.sort_unstable();
        match axes.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(AxesFault::Repeated(pair[0])),
            None => Ok(Self(Some(axes.into_vec().into_boxed_slice()))),
        }
    }

    /// The axes of an array with `rank` axes, counted from the start, in the order in which they were given.
    pub(crate) fn in_order(&self, rank: usize) -> Result<Vec<usize>, AxesFault> {
        self.resolve(rank)?;
        let given = self.0.as_deref().unwrap_or_default().iter();
        Ok(match self.0 {
            Some(_) => given.filter_map(|&axis| resolve_axis(axis, rank)).collect(),
            None => (0..rank).collect(),
        })
    }

    /// Whether it is every axis, however many there are.
    pub(crate) fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// The axes as a permutation of `rank` axes, counted from the start; all of them means reversed.
    pub(crate) fn resolve_permutation(&self, rank: usize) -> Option<Self> {
        let Some(given) = &self.0 else {
            return Some(Self(Some((0..rank as i32).rev().collect())));
        };
        let axes: Option<Box<[i32]>> =
            given.iter().map(|&axis| resolve_axis(axis, rank).map(|axis| axis as i32)).collect();
        let axes = axes.filter(|axes| axes.len() == rank)?;
        (0..rank as i32).all(|axis| axes.contains(&axis)).then_some(Self(Some(axes)))
    }

    /// The permutation that undoes this one.
    pub(crate) fn inverse(&self) -> Self {
        let mut inverse = vec![0; self.iter().len()];
        for (to, from) in self.iter().enumerate() {
            inverse[from] = to as i32;
        }
        Self(Some(inverse.into_boxed_slice()))
    }

    /// The resolved axes.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator + Clone + '_ {
        self.0.as_deref().unwrap_or_default().iter().map(|&axis| axis as usize)
    }

    /// How many axes are named.
    pub(crate) fn count(&self) -> usize {
        self.iter().len()
    }

    /// The axes as they were given, in brackets also where there is one.
    pub(crate) fn list(&self) -> String {
        format!("{:?}", self.0.as_deref().unwrap_or_default())
    }

    /// Every axis from the first of these to the last, counted from the start.
    pub(crate) fn span(&self, rank: usize) -> Result<Self, AxesFault> {
        let Some(given) = &self.0 else { return self.resolve(rank) };
        let axes = given.iter().map(|&axis| resolve_axis(axis, rank).ok_or(AxesFault::OutOfRange(axis)));
        let axes: SmallVec<[usize; 4]> = axes.collect::<Result<_, _>>()?;
        match (axes.iter().min(), axes.iter().max()) {
            (Some(&first), Some(&last)) => Ok(Self(Some((first as i32..=last as i32).collect()))),
            _ => Ok(self.clone()),
        }
    }

    /// The axis, if it is exactly one.
    pub(crate) fn single(&self) -> Option<usize> {
        let mut axes = self.iter();
        axes.next().filter(|_| axes.len() == 0)
    }

    /// The axes, if they are exactly two.
    pub(crate) fn pair(&self) -> Option<[usize; 2]> {
        let mut axes = self.iter();
        let pair = [axes.next()?, axes.next()?];
        (axes.len() == 0).then_some(pair)
    }

    pub(crate) fn contains(&self, axis: usize) -> bool {
        self.iter().any(|a| a == axis)
    }

    /// The shape that is left of `shape`: without these axes, or with size 1 in their place.
    pub(crate) fn reduced(&self, shape: &[usize], keepdims: bool) -> Shape {
        let sizes = shape.iter().enumerate();
        if keepdims {
            sizes.map(|(axis, &n)| if self.contains(axis) { 1 } else { n }).collect()
        } else {
            sizes.filter(|&(axis, _)| !self.contains(axis)).map(|(_, &n)| n).collect()
        }
    }
}

/// The place of `axis` among `rank` axes, where a negative number counts from the end.
pub(crate) fn resolve_axis(axis: i32, rank: usize) -> Option<usize> {
    let rank = rank as i64;
    let axis = i64::from(axis);
    let resolved = if axis < 0 { axis + rank } else { axis };
    (0..rank).contains(&resolved).then_some(resolved as usize)
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None => Ok(()),
            Some([axis]) => write!(f, "{axis}"),
            Some(axes) => f.debug_list().entries(axes).finish(),
        }
    }
}

impl From<Axis> for Axes {
    fn from(axis: Axis) -> Self {
        Self::from(axis.0)
    }
}

/// Saturates: an axis beyond `i32` is out of range for every array anyhow.
fn axis_number<I: TryInto<i32>>(axis: I) -> i32 {
    axis.try_into().unwrap_or(i32::MAX)
}

/// Sizes as a user gives them to `reshape`, where one may be -1: "what is left".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sizes(pub(crate) Box<[i64]>);

impl Sizes {
    /// The shape that these sizes mean for an array of `size` elements.
    pub(crate) fn resolve(&self, size: usize) -> Option<Shape> {
        // Sizes whose product is beyond any array wrap around to nothing.
        let sizes = self.0.iter().filter(|&&n| n > 0);
        let known = sizes.copied().try_fold(1, i64::checked_mul)?;
        let known = if self.0.contains(&0) { 0 } else { known as usize };
        let free = self.0.iter().filter(|&&n| n < 0).count();
        if free > 1 || self.0.iter().any(|&n| n < -1) {
            return None;
        }
        let rest = size.checked_div(known).unwrap_or(0);
        let fits = if free == 1 { known > 0 && known * rest == size } else { known == size };
        fits.then(|| self.0.iter().map(|&n| if n < 0 { rest } else { n as usize }).collect())
    }

    /// The sizes as a shape, if none is left open.
    pub(crate) fn fixed(&self) -> Option<Shape> {
        self.0.iter().map(|&n| usize::try_from(n).ok()).collect()
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_tuple(f, self.0.iter())
    }
}

macro_rules! from_integers {
    ($($t:ty)*) => {
        $(impl From<$t> for Axes {
            fn from(axis: $t) -> Self {
                Self(Some(Box::new([axis_number(axis)])))
            }
        }
        impl<const N: usize> From<[$t; N]> for Axes {
            fn from(axes: [$t; N]) -> Self {
                Self::from(&axes[..])
            }
        }
        impl From<&[$t]> for Axes {
            fn from(axes: &[$t]) -> Self {
                Self(Some(axes.iter().map(|&axis| axis_number(axis)).collect()))
            }
        }
        impl<const N: usize> From<[$t; N]> for Sizes {
            fn from(sizes: [$t; N]) -> Self {
                Self::from(&sizes[..])
            }
        }
        impl From<&[$t]> for Sizes {
            fn from(sizes: &[$t]) -> Self {
                Self(sizes.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect())
            }
        })*
    };
}
from_integers!(i32 isize usize);

impl From<Shape> for Sizes {
    fn from(shape: Shape) -> Self {
        Self::from(&*shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcast_aligns_at_the_last_axis() {
        assert_eq!(broadcast(&[3, 1], &[4]).ok(), Some(Shape::from([3, 4])));
        assert_eq!(broadcast(&[], &[0, 2]).ok(), Some(Shape::from([0, 2])));
        assert_eq!(broadcast(&[1], &[0]).ok(), Some(Shape::from([0])));
        let clash = broadcast(&[3, 4], &[5]).unwrap_err();
        assert_eq!(clash.to_string(), "4 (axis 1) != 5 (axis 0)");
    }

    #[test]
    fn reshape_infers_one_size() {
        assert_eq!(Sizes::from([-1, 4]).resolve(12), Some(Shape::from([3, 4])));
        assert_eq!(Sizes::from([-1, 5]).resolve(12), None);
        assert_eq!(Sizes::from([-1, -1]).resolve(4), None);
        assert_eq!(Sizes::from([-1, 0]).resolve(0), None);
        assert_eq!(Sizes::from([0, 7]).resolve(0), Some(Shape::from([0, 7])));
    }

    #[test]
    fn axes_count_from_either_end() {
        let axes = Axes::from([-1, 0]).resolve(3).ok().unwrap();
        assert_eq!(axes.iter().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(axes.reduced(&[2, 3, 4], true), [1, 3, 1]);
        assert!(matches!(Axes::from([0, -2]).resolve(2), Err(AxesFault::Repeated(0))));
        assert!(matches!(Axes::from(2).resolve(2), Err(AxesFault::OutOfRange(2))));
    }
}
