//! Orders along an axis, and what is made of them.

use super::reduce::axes_fault;
use super::{Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, Task, one_axis, require_dtype};
use crate::element::{DType, Number, with_number};
use crate::error::{Error, fail};
use crate::graph::{Signature, Var};
use crate::kernels;
use crate::ops::gather::middle;
use crate::shape::{Axes, Cut};

/// The indices along an axis that put an array in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArgSort {
    /// The axis.
    pub axis: Axes,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl Operation for ArgSort {
    fn record(&self) -> Record {
        let latex = r"\operatorname{argsort}_{#n}\left(#1\right)";
        let domain = Domain::within(-2.0, 2.0);
        Record { name: "argsort", notation: Notation::Method, latex, derivative: "none", domain }
    }

    fn attributes(&self) -> Option<String> {
        let axis = &self.axis;
        Some(if self.descending { format!("{axis}, descending") } else { axis.to_string() })
    }

    fn arity(&self) -> usize {
        1
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let rank = operands[0].shape.ndim();
        let axis = self.axis.resolve(rank).map_err(|fault| axes_fault("argsort", 0, fault))?;
        Ok(Op::ArgSort(Self { axis: one_axis("argsort", &axis, 0)?.into(), ..self }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        require_dtype("argsort", operands, 0, "numbers", |dtype| dtype != DType::Bool)?;
        Ok(Signature { dtype: DType::I64, shape: operands[0].shape.clone() })
    }

    fn vjp<'g>(&self, _k: usize, _at: &Site<'_, 'g>) -> Cotangent<'g> {
        Cotangent::Undefined
    }

    fn shape_giver(&self) -> Option<usize> {
        Some(0)
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn scratch_len(&self, _operands: &[Signature], result: &Signature) -> usize {
        kernels::argsort_scratch(middle(&result.shape, self.axis.single().unwrap_or_default()))
    }

    fn flops(&self, _operands: &[Signature], result: &Signature) -> usize {
        let size = result.shape[self.axis.single().unwrap_or_default()];
        // As many comparisons as a number has digits, none of which is foreseen.
        32 * result.shape.size() * (size.max(2).ilog2() as usize)
    }

    fn run(&self, task: Task<'_>) {
        let of = middle(&task.result.shape, self.axis.single().unwrap_or_default());
        with_number!(task.operands[0].dtype, T => {
            let (x, threads) = (task.read::<T>(0), task.threads);
            let (out, scratch) = task.write::<i64>();
            kernels::argsort(of, self.descending, x, out, scratch, threads);
        }, _ => unreachable!("masks are refused when the formula is written"));
    }
}

impl<'g, T: Number> Var<'g, T> {
    /// The indices along an axis that put this array in ascending order: NumPy's stable `argsort`. Equal elements keep their
    /// order, and NaN comes last. There is no derivative.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![3.0, f64::NAN, 1.0, 3.0]);
    /// assert_eq!(x.argsort(0).value()?, array![2_i64, 0, 3, 1].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or is not one: "`argsort` requires one axis, got [0, 1]".
    #[track_caller]
    #[must_use]
    pub fn argsort(self, axis: impl Into<Axes>) -> Var<'g, T::Index> {
        self.order(axis.into(), false)
    }

    /// The indices along an axis that put this array in descending order. Equal elements keep their order, so this is not
    /// [`argsort`](Self::argsort) backwards, and NaN comes first.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![3.0, 1.0, 3.0]);
    /// assert_eq!(x.argsort_descending(0).value()?, array![0_i64, 2, 1].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`argsort`](Self::argsort).
    #[track_caller]
    #[must_use]
    pub fn argsort_descending(self, axis: impl Into<Axes>) -> Var<'g, T::Index> {
        self.order(axis.into(), true)
    }

    /// The elements along an axis in ascending order, NaN last: NumPy's `sort`.
    ///
    /// Derivative: the cotangent goes to where each element came from. Of equal elements the first counts as the smaller, so
    /// where there are ties it is the derivative on one side.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![3.0, 1.0, 2.0]);
    /// assert_eq!(x.sort(0).value()?, array![1.0, 2.0, 3.0].into_dyn());
    /// let weighted = (x.sort(0) * array![10.0, 20.0, 30.0]).sum();
    /// assert_eq!(weighted.grad(x).value()?, array![30.0, 10.0, 20.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`argsort`](Self::argsort).
    #[track_caller]
    #[must_use]
    pub fn sort(self, axis: impl Into<Axes>) -> Self {
        let axis = axis.into();
        self.along(axis.clone(), self.order(axis, false).erase())
    }

    /// The elements along an axis in descending order, NaN first. Derivative: as that of [`sort`](Self::sort).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[3.0, 1.0, 2.0]]);
    /// assert_eq!(x.sort_descending(-1).value()?, array![[3.0, 2.0, 1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`argsort`](Self::argsort).
    #[track_caller]
    #[must_use]
    pub fn sort_descending(self, axis: impl Into<Axes>) -> Self {
        let axis = axis.into();
        self.along(axis.clone(), self.order(axis, true).erase())
    }

    /// The `k` largest elements along an axis, the largest first, and their indices: PyTorch's `topk` and JAX's `top_k`. Of
    /// equal elements the one with the lower index comes first; NaN counts as the largest.
    ///
    /// Derivative of the values: the cotangent goes to where each came from.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 5.0, 2.0, 5.0]);
    /// let (values, indices) = x.topk(0, 3);
    /// assert_eq!(values.value()?, array![5.0, 5.0, 2.0].into_dyn());
    /// assert_eq!(indices.value()?, array![1_i64, 3, 2].into_dyn());
    /// assert_eq!(values.sum().grad(x).value()?, array![0.0, 1.0, 1.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are fewer elements: "`topk` cannot take ..5 of axis 0, which has size 4"; and as
    /// [`argsort`](Self::argsort).
    #[track_caller]
    #[must_use]
    pub fn topk(self, axis: impl Into<Axes>, k: usize) -> (Self, Var<'g, T::Index>) {
        let axis = axis.into();
        let order = self.order(axis.clone(), true);
        // The axis is one, as has been checked.
        let resolved = axis.resolve(self.ndim()).ok().and_then(|axes| axes.single());
        let at = resolved.unwrap_or_default();
        if k > self.shape()[at] {
            let cut = Cut::Range { start: 0, end: Some(k as isize), step: 1 };
            let operand = Box::new(self.graph().arena().describe(self.id()));
            fail(&Error::Slice { op: "topk", cut, axis: at, operand });
        }
        let indices = order.slice(at, ..k);
        (self.along(axis, indices.erase()), indices)
    }

    #[track_caller]
    fn order(self, axis: Axes, descending: bool) -> Var<'g, T::Index> {
        self.graph().emit(Op::ArgSort(ArgSort { axis, descending }), [self.erase()]).retype()
    }
}
