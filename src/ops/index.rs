//! Indices as values: where an element stands, and what stands at an index.

use super::constant::IntoVar;
use super::reduce::axes_fault;
use super::{Cotangent, Fault, Op, Operation, Record, Site, one_axis, require_dtype};
use crate::element::{DType, Dtype, Number};
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::shape::Axes;

/// Indices as values. Each variant holds its axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Index {
    /// [`Var::index_along`]. Reads the shape alone.
    Along(Axes),
    /// [`Var::within`]. Of its second operand it reads the shape alone.
    Within(Axes),
    /// The same with negative indices, which count from the end of the axis: what an operation that takes such reads.
    Counted(Axes),
    /// [`Var::pick`]
    Pick(Axes),
}

impl Index {
    const fn find(&self) -> Record {
        match self {
            Self::Along(_) => {
                Record::method("index_along", r"\operatorname{index}_{#n}\left(#1\right)", "none")
            }
            Self::Within(_) => Record::method("within", "#1", "none"),
            Self::Counted(_) => Record::method("counted", "#1", "none"),
            Self::Pick(_) => Record::method("pick", "{#1}_{[#2]}", "g at the index, 0 elsewhere"),
        }
    }

    fn axis(&self) -> &Axes {
        let (Self::Along(axis) | Self::Within(axis) | Self::Counted(axis) | Self::Pick(axis)) = self;
        axis
    }
}

impl Operation for Index {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        Some(self.axis().to_string())
    }

    fn arity(&self) -> usize {
        match self {
            Self::Along(_) => 1,
            Self::Within(_) | Self::Counted(_) | Self::Pick(_) => 2,
        }
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let op = self.find().name;
        let k = usize::from(matches!(self, Self::Within(_) | Self::Counted(_)));
        let axis = self.axis().resolve(operands[k].shape.ndim()).map_err(|fault| axes_fault(op, k, fault))?;
        let axis = Axes::from(one_axis(op, &axis, k)?);
        Ok(Op::Index(match self {
            Self::Along(_) => Self::Along(axis),
            Self::Within(_) => Self::Within(axis),
            Self::Counted(_) => Self::Counted(axis),
            Self::Pick(_) => Self::Pick(axis),
        }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.find().name;
        let is_index = |dtype| dtype == DType::I64;
        match self {
            Self::Along(_) => Ok(Signature { dtype: DType::I64, shape: operands[0].shape.clone() }),
            Self::Within(_) | Self::Counted(_) => {
                require_dtype(op, operands, 0, "indices (i64)", is_index)?;
                Ok(operands[0].clone())
            }
            Self::Pick(axis) => {
                require_dtype(op, operands, 0, "numbers", |dtype| dtype != DType::Bool)?;
                require_indices(op, operands, axis)?;
                Ok(Signature { dtype: operands[0].dtype, shape: operands[1].shape.clone() })
            }
        }
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        match self {
            Self::Pick(axis) if k == 0 => {
                let (x, indices, g) = (at.inputs[0], at.inputs[1], at.cotangent);
                let g = g.expand_dims(axis.clone());
                is_at(x, axis, indices).select(g, 0.0).into()
            }
            _ => Cotangent::Undefined,
        }
    }

    fn reads(&self, k: usize) -> bool {
        match self {
            Self::Along(_) => false,
            Self::Within(_) | Self::Counted(_) => k == 0,
            Self::Pick(_) => true,
        }
    }

    fn shape_giver(&self) -> Option<usize> {
        match self {
            Self::Along(_) | Self::Within(_) | Self::Counted(_) => Some(0),
            Self::Pick(_) => Some(1),
        }
    }

    /// `Σ select(index = i, x, 0)`, in which only what is selected counts.
    fn lower<'g>(&self, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        let Self::Pick(axis) = self else { return None };
        let x = inputs[0];
        Some(is_at(x, axis, inputs[1]).select(x, 0.0).sum_axis(axis.clone()))
    }
}

/// The mask of `x`'s shape that holds where the place along `axis` is the one that `indices` say, which are checked.
pub(super) fn is_at<'g>(x: Expr<'g>, axis: &Axes, indices: Expr<'g>) -> Expr<'g> {
    x.index_along(axis.clone()).eq(indices.within(x, axis.clone()).expand_dims(axis.clone()))
}

/// Refuses operand 1 unless it holds indices, and has the shape of operand 0 without `axis`.
pub(super) fn require_indices(op: &'static str, operands: &[Signature], axis: &Axes) -> Result<(), Fault> {
    require_dtype(op, operands, 1, "indices (i64)", |dtype| dtype == DType::I64)?;
    let shape = axis.reduced(&operands[0].shape, false);
    if operands[1].shape == shape {
        return Ok(());
    }
    let axis = axis.to_string();
    Err(Box::new(move |operand| Error::Mismatch {
        op,
        expected: format!("indices of shape {shape}, which the operand has without axis {axis}"),
        operands: Box::new([operand(0), operand(1)]),
    }))
}

impl<'g, T: Dtype> Var<'g, T> {
    /// The index along an axis, at every place of this array's shape: 0, 1, 2, … along the axis, the same along the
    /// others. It reads the shape alone and costs no memory.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[5.0, 6.0, 7.0], [8.0, 9.0, 1.0]]);
    /// assert_eq!(x.index_along(1).value()?, array![[0_i64, 1, 2], [0, 1, 2]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    #[must_use]
    pub fn index_along(self, axis: impl Into<Axes>) -> Var<'g, T::Index> {
        self.graph().emit(Op::Index(Index::Along(axis.into())), [self.erase().shape_root()]).retype()
    }

    /// The same indices, checked in every run to be indices along an axis of `x`: not negative, and below its size.
    /// [`pick`](Self::pick) and [`cross_entropy`](Self::cross_entropy) do so by themselves.
    ///
    /// A run with an index out of range is [`Error::IndexOutOfRange`](crate::Error::IndexOutOfRange), and changes nothing.
    ///
    /// # Panics
    /// If these are no indices, or the axis is out of range.
    #[track_caller]
    #[must_use]
    pub fn within<U: Dtype>(self, x: Var<'g, U>, axis: impl Into<Axes>) -> Self {
        let op = Op::Index(Index::Within(axis.into()));
        self.graph().emit(op, [self.erase(), x.erase().shape_root()]).retype()
    }
}

impl<'g, T: Number> Var<'g, T> {
    /// The elements at these indices along an axis. The indices have this array's shape without the axis, and so has the
    /// result: NumPy's `take_along_axis`, PyTorch's `gather`, for a single index in each line.
    ///
    /// Derivative: the cotangent at the index, 0 elsewhere; none with respect to the indices. An index that is negative or
    /// not below the size of the axis is an error of the run, [`Error::IndexOutOfRange`](crate::Error::IndexOutOfRange).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[5.0, 6.0, 7.0], [8.0, 9.0, 1.0]]);
    /// let classes = g.input("classes", array![2_i64, 0]);
    /// assert_eq!(x.pick(1, classes).value()?, array![7.0, 8.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit: "`pick` requires indices of shape (2,), which the operand has without axis 1, got (3,)".
    #[track_caller]
    #[must_use]
    pub fn pick(self, axis: impl Into<Axes>, indices: impl IntoVar<'g, T::Index>) -> Self {
        let indices = indices.into_var(self.graph(), DType::I64);
        self.graph().emit(Op::Index(Index::Pick(axis.into())), [self.erase(), indices.erase()]).retype()
    }
}
