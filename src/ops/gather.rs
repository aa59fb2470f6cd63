//! Elements at indices, and sums at indices: each is the derivative of the other.
//!
//! An index may be negative: it counts from the end of its axis. Indices out of range are found in every run before anything
//! is written, by [`Index::Counted`], of which these operations read their indices once they are lowered.

use super::reduce::axes_fault;
use super::{Cotangent, Fault, Op, Operation, Record, Site, Task, one_axis, require_dtype};
use crate::element::{DType, Element, with_number, with_type};
use crate::error::Error;
use crate::graph::{Expr, Signature};
use crate::kernels::{self, Middle, Term};
use crate::ops::Index;
use crate::shape::{Axes, Shape};

/// Elements at indices, and sums at indices. Each variant holds its axis, and reads indices as its second operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Gather {
    /// [`Var::take`](crate::Var::take)
    Take(Axes),
    /// `y[.., i, ..] = Σ x[.., j, ..]` over the indices `j` that are `i`, in the shape of the third operand, of which it
    /// reads no more. The axes of the indices stand in the place of the axis.
    ScatterAdd(Axes),
    /// [`Var::take_along_axis`](crate::Var::take_along_axis), with the same sizes along the other axes.
    TakeAlong(Axes),
    /// The sums of the first operand at the indices, line by line, in the shape of the third operand, of which it reads no
    /// more.
    ScatterAlong(Axes),
    /// For each place along the axis of the second operand, of which it reads the shape alone: the number of the last of the
    /// indices that point to it, counted behind the places; its own number where none does.
    Writers(Axes),
}

impl Gather {
    const fn find(&self) -> Record {
        match self {
            Self::Take(_) => Record::method("take", "{#1}_{[#2]}", "g added at the indices"),
            Self::ScatterAdd(_) => {
                Record::method("scatter", r"\operatorname{scatter}_{#2}\left(#1\right)", "g at the indices")
            }
            Self::TakeAlong(_) => Record::method("take_along_axis", "{#1}_{[#2]}", "g added at the indices"),
            Self::ScatterAlong(_) => Record::method(
                "scatter_along_axis",
                r"\operatorname{scatter}_{#2}\left(#1\right)",
                "g at the indices",
            ),
            Self::Writers(_) => Record::method("writers", r"\operatorname{writers}\left(#1\right)", "none"),
        }
    }

    fn axis(&self) -> &Axes {
        let (Self::Take(axis)
        | Self::ScatterAdd(axis)
        | Self::TakeAlong(axis)
        | Self::ScatterAlong(axis)
        | Self::Writers(axis)) = self;
        axis
    }

    fn with_axis(&self, axis: Axes) -> Self {
        match self {
            Self::Take(_) => Self::Take(axis),
            Self::ScatterAdd(_) => Self::ScatterAdd(axis),
            Self::TakeAlong(_) => Self::TakeAlong(axis),
            Self::ScatterAlong(_) => Self::ScatterAlong(axis),
            Self::Writers(_) => Self::Writers(axis),
        }
    }

    /// The operand that has the axis.
    fn indexed(&self) -> usize {
        match self {
            Self::Take(_) | Self::TakeAlong(_) => 0,
            Self::Writers(_) => 1,
            Self::ScatterAdd(_) | Self::ScatterAlong(_) => 2,
        }
    }

    /// The operand that has the indices.
    fn indices(&self) -> usize {
        usize::from(!matches!(self, Self::Writers(_)))
    }

    /// The operation with its axis `by` axes further behind, for operands that have so many more in front.
    pub(crate) fn shifted(&self, by: usize) -> Self {
        self.with_axis(Axes::from(self.axis().single().unwrap_or_default() + by))
    }
}

impl Operation for Gather {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        Some(self.axis().to_string())
    }

    fn arity(&self) -> usize {
        match self {
            Self::Take(_) | Self::TakeAlong(_) | Self::Writers(_) => 2,
            Self::ScatterAdd(_) | Self::ScatterAlong(_) => 3,
        }
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let (op, k) = (self.find().name, self.indexed());
        let axis = self.axis().resolve(operands[k].shape.ndim()).map_err(|fault| axes_fault(op, k, fault))?;
        Ok(Op::Gather(self.with_axis(one_axis(op, &axis, k)?.into())))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.find().name;
        let axis = self.axis().single().unwrap_or_default();
        require_dtype(op, operands, self.indices(), "indices (i64)", |dtype| dtype == DType::I64)?;
        let (of, indices) = (&operands[self.indexed()].shape, &operands[self.indices()].shape);
        let taken = match self {
            Self::Take(_) | Self::ScatterAdd(_) => replaced(of, axis, indices),
            Self::TakeAlong(_) | Self::ScatterAlong(_) => along(op, self.indexed(), operands, axis)?,
            Self::Writers(_) => Shape::from([of[axis]]),
        };
        if !matches!(self, Self::ScatterAdd(_) | Self::ScatterAlong(_)) {
            let dtype = if matches!(self, Self::Writers(_)) { DType::I64 } else { operands[0].dtype };
            return Ok(Signature { dtype, shape: taken });
        }
        require_dtype(op, operands, 0, "numbers", |dtype| dtype != DType::Bool)?;
        if operands[0].shape != taken {
            return Err(Box::new(move |operand| Error::Mismatch {
                op,
                expected: format!("an operand of shape {taken}"),
                operands: Box::new([operand(1), operand(0)]),
            }));
        }
        Ok(Signature { dtype: operands[0].dtype, shape: of.clone() })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        if k > 0 {
            return Cotangent::Undefined;
        }
        let (x, indices, g) = (at.inputs[0], at.inputs[1], at.cotangent);
        let axis = self.axis().clone();
        let emit = |gather: Self| g.graph().emit(Op::Gather(gather), [g, indices]);
        let onto = |gather: Self| g.graph().emit(Op::Gather(gather), [g, indices, x.shape_root()]);
        match self {
            Self::Take(_) => onto(Self::ScatterAdd(axis)).into(),
            Self::ScatterAdd(_) => emit(Self::Take(axis)).into(),
            Self::TakeAlong(_) => onto(Self::ScatterAlong(axis)).into(),
            Self::ScatterAlong(_) => emit(Self::TakeAlong(axis)).into(),
            Self::Writers(_) => Cotangent::Undefined,
        }
    }

    fn reads(&self, k: usize) -> bool {
        k != self.indexed() || matches!(self, Self::Take(_) | Self::TakeAlong(_))
    }

    fn shape_giver(&self) -> Option<usize> {
        match self {
            Self::Take(_) | Self::Writers(_) => None,
            Self::TakeAlong(_) => Some(1),
            Self::ScatterAdd(_) | Self::ScatterAlong(_) => Some(2),
        }
    }

    /// The same of checked indices.
    fn lower<'g>(&self, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        let (at, of) = (self.indices(), inputs[self.indexed()].shape_root());
        let check = Op::Index(Index::Counted(self.axis().clone()));
        let indices = inputs[at];
        if indices.is(|op| *op == check) && indices.inputs()[1].id() == of.id() {
            return None;
        }
        let mut checked = inputs.to_vec();
        checked[at] = of.graph().emit(check, [indices, of]);
        of.graph().apply(Op::Gather(self.clone()), &checked).ok()
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn flops(&self, operands: &[Signature], result: &Signature) -> usize {
        // What is copied costs more than what is computed on.
        4 * result.shape.size().max(operands[0].shape.size())
    }

    fn run(&self, task: Task<'_>) {
        let axis = self.axis().single().unwrap_or_default();
        let indices = task.read::<i64>(self.indices());
        match self {
            Self::Writers(_) => kernels::writers(indices, task.write::<i64>().0),
            Self::Take(_) | Self::TakeAlong(_) => {
                with_type!(task.result.dtype, T => self.take::<T>(axis, indices, task));
            }
            Self::ScatterAdd(_) | Self::ScatterAlong(_) => {
                with_number!(task.result.dtype, T => self.scatter::<T>(axis, indices, task), _ => unreachable!("masks are refused when the formula is written"));
            }
        }
    }
}

impl Gather {
    fn take<T: Element>(&self, axis: usize, indices: &[i64], task: Task<'_>) {
        let of = middle(&task.operands[0].shape, axis);
        let (threads, count) = (task.threads, task.result.shape.get(axis).copied());
        let (x, out) = (task.read::<T>(0), task.write::<T>().0);
        match self {
            Self::Take(_) => kernels::take(of, x, indices, out, threads),
            _ => kernels::take_along(of, count.unwrap_or_default(), x, indices, out, threads),
        }
    }

    fn scatter<T: Element + Term>(&self, axis: usize, indices: &[i64], task: Task<'_>) {
        let of = middle(&task.result.shape, axis);
        let (threads, count) = (task.threads, task.operands[1].shape.get(axis).copied());
        let (x, out) = (task.read::<T>(0), task.write::<T>().0);
        match self {
            Self::ScatterAdd(_) => kernels::scatter_add(of, x, indices, out, threads),
            _ => kernels::scatter_along(of, count.unwrap_or_default(), x, indices, out, threads),
        }
    }
}

/// An array seen along one of its axes.
pub(super) fn middle(shape: &Shape, axis: usize) -> Middle {
    let (outer, inner) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
    Middle { outer, middle: shape[axis], inner }
}

/// `shape` with the axes of `indices` in the place of one axis.
fn replaced(shape: &Shape, axis: usize, indices: &Shape) -> Shape {
    shape[..axis].iter().chain(indices.iter()).chain(&shape[axis + 1..]).copied().collect()
}

/// The shape of the indices, which is that of operand `k` but along the axis.
fn along(op: &'static str, k: usize, operands: &[Signature], axis: usize) -> Result<Shape, Fault> {
    let (of, indices) = (&operands[k].shape, &operands[1].shape);
    let others = |shape: &Shape| -> Shape { replaced(shape, axis, &Shape::scalar()) };
    if of.ndim() == indices.ndim() && others(of) == others(indices) {
        return Ok(indices.clone());
    }
    let expected = format!("indices of shape {of}, but for axis {axis}");
    Err(Box::new(move |operand| Error::Mismatch {
        op,
        expected,
        operands: Box::new([operand(k), operand(1)]),
    }))
}
