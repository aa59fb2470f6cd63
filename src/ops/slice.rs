//! Parts of arrays, and arrays put together from parts.

use super::reduce::axes_fault;
use super::{Cotangent, Fault, Op, Operation, Record, Site, one_axis, require_same_dtype};
use crate::element::{Dtype, Literal};
use crate::error::{Error, OrFail, fail};
use crate::graph::{Expr, Signature, Var};
use crate::shape::{Axes, Clash, Cut, Shape, diagonal_of};

/// Parts of arrays, and arrays put together from parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Slicing {
    /// [`Var::slice`]
    Slice {
        /// The axes along which it is taken.
        axes: Axes,
        /// Which elements.
        cut: Box<Cut>,
    },
    /// [`Var::unslice`]: the first operand where the slice of the second lies, zeros elsewhere. Of the second it reads
    /// the shape alone.
    Unslice {
        /// The axes along which the slice is taken.
        axes: Axes,
        /// Which elements.
        cut: Box<Cut>,
    },
    /// [`Var::diagonal`]
    Diagonal {
        /// The two axes of the matrices: of their rows, and of their columns.
        axes: Axes,
        /// How far to the right of the corner the diagonal begins.
        offset: isize,
    },
    /// [`Var::undiagonal`]: the first operand where the diagonal of the second lies, zeros elsewhere. Of the second it
    /// reads the shape alone.
    Undiagonal {
        /// The two axes of the matrices: of their rows, and of their columns.
        axes: Axes,
        /// How far to the right of the corner the diagonal begins.
        offset: isize,
    },
    /// [`concat()`]
    Concat {
        /// The axis along which the operands follow each other.
        axis: Axes,
        /// How many they are.
        count: u32,
    },
    /// The part of the first operand that stands where one of the others stands in their concatenation. Of these it
    /// reads the shapes alone.
    PartLike {
        /// The axis along which they follow each other.
        axis: Axes,
        /// Which of them.
        index: u32,
        /// How many they are.
        count: u32,
    },
}

impl Slicing {
    const fn find(&self) -> Record {
        match self {
            Self::Slice { .. } => Record::method("slice", "{#1}_{[#n]}", "g among zeros"),
            Self::Unslice { .. } => {
                Record::method("unslice", r"\operatorname{unslice}_{[#n]}\left(#1\right)", "the slice of g")
            }
            Self::Diagonal { .. } => {
                Record::method("diagonal", r"\operatorname{diag}\left(#1\right)", "g among zeros")
            }
            Self::Undiagonal { .. } => {
                Record::method("undiagonal", r"\operatorname{diag}\left(#1\right)", "the diagonal of g")
            }
            Self::Concat { .. } => Record::method("concat", r"\left[#*\right]", "the parts of g"),
            Self::PartLike { .. } => Record::method("part_like", "{#1}_{[#n]}", "g among zeros"),
        }
    }
}

impl Operation for Slicing {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        Some(match self {
            Self::Slice { axes, cut } | Self::Unslice { axes, cut } => format!("{axes}, {cut}"),
            Self::Diagonal { axes, offset } | Self::Undiagonal { axes, offset } => {
                format!("{offset}, {axes}")
            }
            Self::Concat { axis, .. } => axis.to_string(),
            Self::PartLike { axis, index, count } => format!("{axis}, {index} of {count}"),
        })
    }

    fn arity(&self) -> usize {
        match self {
            Self::Slice { .. } | Self::Diagonal { .. } => 1,
            Self::Unslice { .. } | Self::Undiagonal { .. } => 2,
            Self::Concat { count, .. } => *count as usize,
            Self::PartLike { count, .. } => 1 + *count as usize,
        }
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let op = self.find().name;
        let resolve = |axes: Axes, k: usize| {
            let rank = operands.get(k).map_or(0, |operand| operand.shape.ndim());
            axes.resolve(rank).map_err(|fault| axes_fault(op, k, fault))
        };
        Ok(Op::Slicing(match self {
            Self::Slice { axes, cut } => Self::Slice { axes: resolve(axes, 0)?, cut },
            Self::Unslice { axes, cut } => Self::Unslice { axes: resolve(axes, 1)?, cut },
            Self::Diagonal { axes, offset } => {
                Self::Diagonal { axes: two_axes(op, &axes, operands, 0)?, offset }
            }
            Self::Undiagonal { axes, offset } => {
                Self::Undiagonal { axes: two_axes(op, &axes, operands, 1)?, offset }
            }
            Self::Concat { axis, count } => {
                Self::Concat { axis: one_axis(op, &resolve(axis, 0)?, 0)?.into(), count }
            }
            part @ Self::PartLike { .. } => part,
        }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let shape = match self {
            Self::Slice { axes, cut } => sliced("slice", 0, &operands[0].shape, axes, **cut)?,
            Self::Unslice { axes, cut } => {
                let part = sliced("unslice", 1, &operands[1].shape, axes, **cut)?;
                whole("unslice", part, operands)?
            }
            Self::Diagonal { axes, offset } => diagonal(&operands[0].shape, axes, *offset),
            Self::Undiagonal { axes, offset } => {
                whole("undiagonal", diagonal(&operands[1].shape, axes, *offset), operands)?
            }
            Self::Concat { axis, .. } => {
                (1..operands.len()).try_for_each(|k| require_same_dtype("concat", operands, 0, k))?;
                concatenated(operands, axis)?
            }
            Self::PartLike { axis, index, .. } => {
                let whole = concatenated(&operands[1..], axis)?;
                if whole != operands[0].shape {
                    return Err(Box::new(move |operand| Error::Mismatch {
                        op: "part_like",
                        expected: format!("the concatenation {whole}"),
                        operands: Box::new([operand(1), operand(0)]),
                    }));
                }
                operands[1 + *index as usize].shape.clone()
            }
        };
        Ok(Signature { dtype: operands[0].dtype, shape })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let g = at.cotangent;
        match self {
            Self::Slice { axes, cut } => g.unslice_by(axes.clone(), **cut, at.inputs[0]).into(),
            Self::Unslice { axes, cut } if k == 0 => g.slice_by(axes.clone(), **cut).into(),
            Self::Diagonal { axes, offset } => g.undiagonal(*offset, axes.clone(), at.inputs[0]).into(),
            Self::Undiagonal { axes, offset } if k == 0 => g.diagonal(*offset, axes.clone()).into(),
            Self::Unslice { .. } | Self::Undiagonal { .. } => Cotangent::Undefined,
            Self::Concat { axis, .. } => part_like(g, axis, k, at.inputs).into(),
            Self::PartLike { axis, index, .. } if k == 0 => {
                let zeros = |part: &Expr<'g>| {
                    g.graph().literal(Literal::rounded(0.0, g.dtype())).broadcast_like(*part)
                };
                let mut parts: Vec<Expr<'g>> = at.inputs[1..].iter().map(zeros).collect();
                parts[*index as usize] = g;
                concat(&parts, axis.clone()).into()
            }
            Self::PartLike { .. } => Cotangent::Undefined,
        }
    }

    fn reads(&self, k: usize) -> bool {
        k == 0 || !matches!(self, Self::Unslice { .. } | Self::Undiagonal { .. } | Self::PartLike { .. })
    }

    fn shape_giver(&self) -> Option<usize> {
        match self {
            Self::Unslice { .. } | Self::Undiagonal { .. } => Some(1),
            Self::PartLike { index, .. } => Some(1 + *index as usize),
            _ => None,
        }
    }
}

/// The shape of a slice.
fn sliced(op: &'static str, k: usize, shape: &Shape, axes: &Axes, cut: Cut) -> Result<Shape, Fault> {
    let sizes = shape.iter().enumerate();
    let sizes = sizes.map(|(axis, &size)| match (axes.contains(axis), cut.of(size)) {
        (false, _) => Ok(size),
        (true, Some(run)) => Ok(run.count),
        (true, None) => Err(axis),
    });
    sizes.collect::<Result<Shape, usize>>().map_err(|axis| -> Fault {
        Box::new(move |operand| Error::Slice { op, cut, axis, operand: Box::new(operand(k)) })
    })
}

/// The shape of the second operand, if the first has that of the part of it where it is to stand.
fn whole(op: &'static str, part: Shape, operands: &[Signature]) -> Result<Shape, Fault> {
    if part == operands[0].shape {
        return Ok(operands[1].shape.clone());
    }
    Err(Box::new(move |operand| Error::Mismatch {
        op,
        expected: format!("the part {part} of the first operand"),
        operands: Box::new([operand(1), operand(0)]),
    }))
}

/// The axes of rows and columns, counted from the start, in the order in which they were given.
fn two_axes(op: &'static str, axes: &Axes, operands: &[Signature], k: usize) -> Result<Axes, Fault> {
    let resolved = axes.in_order(operands[k].shape.ndim()).map_err(|fault| axes_fault(op, k, fault))?;
    let given = axes.list();
    if resolved.len() == 2 {
        return Ok(Axes::from(&resolved[..]));
    }
    Err(Box::new(move |operand| Error::Cannot {
        op,
        what: format!("take axes {given}: it requires two, of rows and of columns"),
        operands: vec![operand(k)],
    }))
}

/// The shape of the diagonals, which lie along the last axis.
fn diagonal(shape: &Shape, axes: &Axes, offset: isize) -> Shape {
    let count = axes.pair().map_or(0, |[i, j]| diagonal_of(shape[i], shape[j], offset).2);
    axes.reduced(shape, false).iter().copied().chain([count]).collect()
}

/// The shape of arrays of these shapes one behind the other.
fn concatenated(operands: &[Signature], axis: &Axes) -> Result<Shape, Fault> {
    let axis = axis.single().unwrap_or_default();
    let first = &operands[0].shape;
    for (k, Signature { shape, .. }) in operands.iter().enumerate().skip(1) {
        if shape.ndim() != first.ndim() {
            let expected = "arrays with the same number of axes".to_owned();
            return Err(Box::new(move |operand| Error::Mismatch {
                op: "concat",
                expected,
                operands: Box::new([operand(0), operand(k)]),
            }));
        }
        if let Some(other) = (0..first.ndim()).find(|&other| other != axis && shape[other] != first[other]) {
            let clash = Clash { left: (other, first[other]), right: (other, shape[other]) };
            return Err(Box::new(move |operand| Error::Broadcast {
                op: "concat",
                operands: Box::new([operand(0), operand(k)]),
                clash,
            }));
        }
    }
    let mut sizes: Vec<usize> = first.to_vec();
    sizes[axis] = operands.iter().map(|operand| operand.shape[axis]).sum();
    Ok(sizes.into())
}

/// The part of `whole` that stands where operand number `index` stands in the concatenation of `parts`.
#[track_caller]
pub(super) fn part_like<'g>(whole: Expr<'g>, axis: &Axes, index: usize, parts: &[Expr<'g>]) -> Expr<'g> {
    let op =
        Op::Slicing(Slicing::PartLike { axis: axis.clone(), index: index as u32, count: parts.len() as u32 });
    let operands: Vec<Expr<'g>> =
        [whole].into_iter().chain(parts.iter().map(|part| part.shape_root())).collect();
    whole.graph().apply(op, &operands).or_fail()
}

/// The arrays one behind the other along an axis: NumPy's `concatenate`. Along the other axes they have the same sizes.
///
/// Derivative: each gets its part of the cotangent.
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let (a, b) = (g.input("a", array![[1.0, 2.0]]), g.input("b", array![[3.0, 4.0], [5.0, 6.0]]));
/// assert_eq!(gradus::concat(&[a, b], 0).value()?, array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If there are no arrays, if they differ in the number of axes, the element type or another size, or if the axis is
/// out of range: "`concat` got axis 2 of an array with 2 axes".
#[track_caller]
#[must_use]
pub fn concat<'g, T: Dtype>(arrays: &[Var<'g, T>], axis: impl Into<Axes>) -> Var<'g, T> {
    let op = Slicing::Concat { axis: axis.into(), count: arrays.len() as u32 };
    let Some(first) = arrays.first() else {
        fail(&Error::Arity { op: "concat", expected: 1, found: 0 });
    };
    let operands: Vec<Expr<'g>> = arrays.iter().map(|array| array.erase()).collect();
    first.graph().apply(Op::Slicing(op), &operands).or_fail().retype()
}

impl<'g, T: Dtype> Var<'g, T> {
    /// The elements of a range along an axis, as ndarray's [`slice_axis`](ndarray::ArrayRef::slice_axis): `1..3`, `2..`,
    /// `..-1`, or an [`ndarray::Slice`] with a step. Negative numbers count from the end. With a negative step the range is
    /// read backwards, from its last element. Nothing is copied. With several axes it is the same range along each.
    ///
    /// An open end is the end of whatever is fed. Derivative: the cotangent among zeros.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice(1, 1..).value()?, array![[2.0, 3.0], [5.0, 6.0]].into_dyn());
    /// let backwards = ndarray::Slice::new(0, None, -1);
    /// assert_eq!(x.slice(1, backwards).value()?, array![[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]].into_dyn());
    /// assert_eq!(x.slice(0, ..1).sum().grad(x).value()?, array![[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis does not have the range, or the step is 0: "`slice` cannot take 1..4 of axis 0, which has size 3".
    #[track_caller]
    #[must_use]
    pub fn slice(self, axes: impl Into<Axes>, range: impl Into<ndarray::Slice>) -> Self {
        self.slice_by(axes.into(), range.into().into())
    }

    /// This array where the slice of `like` lies, and zeros elsewhere: the gradient of a [`slice`](Self::slice), and
    /// padding.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (x, like) = (g.input("x", array![5.0, 6.0]), g.input("like", array![0.0, 0.0, 0.0, 0.0]));
    /// assert_eq!(x.unslice(0, 1..3, like).value()?, array![0.0, 5.0, 6.0, 0.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the slice of `like` has another shape.
    #[track_caller]
    #[must_use]
    pub fn unslice<U: Dtype>(
        self,
        axes: impl Into<Axes>,
        range: impl Into<ndarray::Slice>,
        like: Var<'g, U>,
    ) -> Self {
        self.erase().unslice_by(axes.into(), range.into().into(), like.erase()).retype()
    }

    /// `count` equal parts along an axis, one behind the other: NumPy's `split`. Nothing is copied. The parts follow the
    /// size that is fed.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let qkv = g.input("qkv", array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]);
    /// let [q, _k, v] = qkv.split(-1, 3)[..] else { unreachable!() };
    /// assert_eq!((q + v).value()?, array![[6.0, 8.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the size is not a multiple of `count`: "`slice` cannot take part 0 of 4 of axis 1, which has size 6".
    #[track_caller]
    #[must_use]
    pub fn split(self, axis: impl Into<Axes>, count: usize) -> Vec<Self> {
        let axis = axis.into();
        let mut parts = Vec::with_capacity(count);
        for index in 0..count {
            parts.push(self.slice_by(axis.clone(), Cut::Part { index, count }));
        }
        parts
    }

    /// The diagonals of the matrices in two axes, of rows and of columns, along a new last axis: NumPy's `diagonal`. With a
    /// positive offset the diagonal begins so far to the right of the corner, with a negative one so far below; beyond the matrix
    /// it is empty. Nothing is copied.
    ///
    /// Derivative: the cotangent on the diagonal, 0 elsewhere.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.diagonal(0, [0, 1]).value()?, array![1.0, 5.0].into_dyn());
    /// assert_eq!(x.diagonal(1, [0, 1]).value()?, array![2.0, 6.0].into_dyn());
    /// assert_eq!(x.diagonal(1, [1, 0]).value()?, array![4.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If they are not two axes of the array: "`diagonal` cannot take axes \[0\]: it requires two, of rows and of columns".
    #[track_caller]
    #[must_use]
    pub fn diagonal(self, offset: isize, axes: impl Into<Axes>) -> Self {
        let op = Slicing::Diagonal { axes: axes.into(), offset };
        self.graph().emit(Op::Slicing(op), [self.erase()]).retype()
    }

    /// This array where the [`diagonal`](Self::diagonal) of `like` lies, and zeros elsewhere.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (x, like) = (g.input("x", array![5.0, 6.0]), g.input("like", array![[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]));
    /// assert_eq!(x.undiagonal(1, [0, 1], like).value()?, array![[0.0, 5.0, 0.0], [0.0, 0.0, 6.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the diagonal of `like` has another shape.
    #[track_caller]
    #[must_use]
    pub fn undiagonal<U: Dtype>(self, offset: isize, axes: impl Into<Axes>, like: Var<'g, U>) -> Self {
        let op = Slicing::Undiagonal { axes: axes.into(), offset };
        self.graph().emit(Op::Slicing(op), [self.erase(), like.erase().shape_root()]).retype()
    }

    #[track_caller]
    fn slice_by(self, axes: Axes, cut: Cut) -> Self {
        self.graph().emit(Op::Slicing(Slicing::Slice { axes, cut: cut.into() }), [self.erase()]).retype()
    }
}

impl<'g> Expr<'g> {
    #[track_caller]
    fn unslice_by(self, axes: Axes, cut: Cut, like: Self) -> Self {
        self.graph().emit(Op::Slicing(Slicing::Unslice { axes, cut: cut.into() }), [self, like.shape_root()])
    }
}
