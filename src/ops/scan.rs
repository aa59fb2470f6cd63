//! Scans along an axis: running sums and products, and linear recurrences.

use super::constant::IntoVar;
use super::reduce::axes_fault;
use super::slice::part_like;
use super::{
    Cotangent, Fault, Op, Operation, Record, Site, Task, one_axis, require_dtype, require_same_dtype,
};
use crate::element::{DType, Literal, Number, with_number};
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::kernels::{self, Towards};
use crate::ops::concat;
use crate::ops::gather::middle;
use crate::shape::Axes;

/// What a scan makes of an element and of what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Running {
    /// [`Var::cumsum`]
    Sum,
    /// [`Var::cumprod`]
    Product,
    /// [`Var::recurrence`] `s_k = a_k · s_{k-1} + b_k`, with the operands `b` and `a`.
    Recurrence {
        /// Whether the coefficient is `a_{k-1}`: the derivative of a recurrence in the other direction.
        leads: bool,
    },
}

/// A scan along an axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    /// What is made of each element.
    pub running: Running,
    /// The axis.
    pub axis: Axes,
    /// Whether it runs from the last element to the first.
    pub reverse: bool,
}

impl Running {
    const fn find(self) -> Record {
        match self {
            Self::Sum => Record::method(
                "cumsum",
                r"\operatorname{cumsum}_{#n}\left(#1\right)",
                "the sum of g in reverse",
            ),
            Self::Product => Record::method(
                "cumprod",
                r"\operatorname{cumprod}_{#n}\left(#1\right)",
                "y before, times the recurrence of g in reverse with the x behind",
            ),
            Self::Recurrence { leads: false } => Record::method(
                "recurrence",
                r"\operatorname{recurrence}_{#n}\left(#1, #2\right)",
                "r, the recurrence of g in reverse with the a behind; r times the s before",
            ),
            Self::Recurrence { leads: true } => Record::method(
                "recurrence_leading",
                r"\operatorname{recurrence}_{#n}^{\prime}\left(#1, #2\right)",
                "r, the recurrence of g in reverse; s times the r behind",
            ),
        }
    }
}

impl Operation for Scan {
    fn record(&self) -> Record {
        self.running.find()
    }

    fn attributes(&self) -> Option<String> {
        let axis = &self.axis;
        Some(if self.reverse { format!("{axis}, reverse") } else { axis.to_string() })
    }

    fn arity(&self) -> usize {
        if matches!(self.running, Running::Recurrence { .. }) { 2 } else { 1 }
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let op = self.running.find().name;
        let axis = self.axis.resolve(operands[0].shape.ndim()).map_err(|fault| axes_fault(op, 0, fault))?;
        Ok(Op::Scan(Self { axis: one_axis(op, &axis, 0)?.into(), ..self }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.running.find().name;
        require_dtype(op, operands, 0, "numbers", |dtype| dtype != DType::Bool)?;
        if let [b, a] = operands {
            require_same_dtype(op, operands, 0, 1)?;
            if a.shape != b.shape {
                let expected = format!("coefficients of shape {}", b.shape);
                return Err(Box::new(move |operand| Error::Mismatch {
                    op,
                    expected,
                    operands: Box::new([operand(0), operand(1)]),
                }));
            }
        }
        Ok(operands[0].clone())
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (x, y, g) = (at.inputs[0], at.result, at.cotangent);
        let Self { reverse, ref axis, .. } = *self;
        match self.running {
            Running::Sum => self.back(Running::Sum, &[g]).into(),
            Running::Product => {
                let behind = self.back(Running::Recurrence { leads: true }, &[g, x]);
                (shifted(y, axis, reverse, 1.0) * behind).into()
            }
            Running::Recurrence { leads } => {
                let r = self.back(Running::Recurrence { leads: !leads }, &[g, at.inputs[1]]);
                match (k, leads) {
                    (0, _) => r.into(),
                    (_, false) => (r * shifted(y, axis, reverse, 0.0)).into(),
                    (_, true) => (shifted(r, axis, !reverse, 0.0) * y).into(),
                }
            }
        }
    }

    fn shape_giver(&self) -> Option<usize> {
        Some(0)
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn flops(&self, _operands: &[Signature], result: &Signature) -> usize {
        // Each element waits for the one before it.
        4 * result.shape.size()
    }

    fn run(&self, task: Task<'_>) {
        let of = middle(&task.result.shape, self.axis.single().unwrap_or_default());
        let towards = if self.reverse { Towards::Start } else { Towards::End };
        with_number!(task.result.dtype, T => {
            let (x, a, threads) = (task.read::<T>(0), (self.arity() > 1).then(|| task.read::<T>(1)), task.threads);
            let out = task.write::<T>().0;
            match self.running {
                Running::Sum => kernels::cumsum(of, towards, x, out, threads),
                Running::Product => kernels::cumprod(of, towards, x, out, threads),
                Running::Recurrence { leads } => {
                    kernels::recurrence(of, towards, leads, [a.unwrap_or_default(), x], out, threads);
                }
            }
        }, _ => unreachable!("masks are refused when the formula is written"));
    }
}

impl Scan {
    /// A scan the other way along the axis.
    #[track_caller]
    fn back<'g>(&self, running: Running, operands: &[Expr<'g>]) -> Expr<'g> {
        let scan = Self { running, axis: self.axis.clone(), reverse: !self.reverse };
        let made = operands[0].graph().apply(Op::Scan(scan), operands);
        made.expect("a derivative has the shapes of its operation")
    }
}

/// What stands before each element along an axis, or in reverse behind it; `fill` for the first.
#[track_caller]
fn shifted<'g>(x: Expr<'g>, axis: &Axes, reverse: bool, fill: f64) -> Expr<'g> {
    let fill = x.graph().literal(Literal::rounded(fill, x.dtype()));
    // A line of one element, also where x has none.
    let first = fill.broadcast_like(x.sum_keepdims(axis.clone()));
    let parts = if reverse { [first, x] } else { [x, first] };
    let longer = if reverse { [x, first] } else { [first, x] };
    part_like(concat(&longer, axis.clone()), axis, usize::from(reverse), &parts)
}

/// For each element the product of the others that share its place along the axes that are kept: those before it times
/// those behind it, so nothing is divided by.
#[track_caller]
pub(super) fn others<'g>(x: Expr<'g>, axes: &Axes) -> Expr<'g> {
    if axes.count() == 1 {
        let side =
            |reverse: bool| shifted(x.scan(Running::Product, axes.clone(), reverse), axes, reverse, 1.0);
        return side(false) * side(true);
    }
    // Several axes become one, behind the others.
    let kept = (0..x.ndim()).filter(|&axis| !axes.contains(axis));
    let order: Vec<usize> = kept.chain(axes.iter()).collect();
    let order = Axes::from(&order[..]);
    let behind: Vec<usize> = (x.ndim() - axes.count()..x.ndim()).collect();
    let moved = x.transpose(order.clone());
    let line = Axes::from(behind[0]);
    let flat = others(moved.flatten(&behind[..]), &line);
    flat.unflatten_like(Axes::from(&behind[..]), moved).transpose(order.inverse())
}

impl<'g, T: Number> Var<'g, T> {
    /// The running sum `y_k = Σ_{j ≤ k} x_j` along an axis: NumPy's `cumsum`. Same shape. Integers wrap around.
    ///
    /// Derivative: the running sum of the cotangent from the end. The terms are added one after another, so the error of
    /// the last element grows with the number of them, as NumPy's does.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0]);
    /// assert_eq!(x.cumsum(0).value()?, array![1.0, 3.0, 6.0].into_dyn());
    /// assert_eq!(x.cumsum(0).sum().grad(x).value()?, array![3.0, 2.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or is not one: "`cumsum` requires one axis, got [0, 1]". For the running sum of all
    /// elements in C order, `reshape([-1])` comes first.
    #[track_caller]
    #[must_use]
    pub fn cumsum(self, axis: impl Into<Axes>) -> Self {
        self.scan(Running::Sum, axis.into(), false)
    }

    /// [`cumsum`](Self::cumsum) from the end: `y_k = Σ_{j ≥ k} x_j`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0]);
    /// assert_eq!(x.cumsum_reverse(0).value()?, array![6.0, 5.0, 3.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`cumsum`](Self::cumsum).
    #[track_caller]
    #[must_use]
    pub fn cumsum_reverse(self, axis: impl Into<Axes>) -> Self {
        self.scan(Running::Sum, axis.into(), true)
    }

    /// The running product `y_k = Π_{j ≤ k} x_j` along an axis: NumPy's `cumprod`. Same shape. Integers wrap around.
    ///
    /// Derivative: `y_{k-1} · r_k` with the recurrence `r_k = g_k + x_{k+1} · r_{k+1}` from the end. There is no division
    /// in it, so it is right where elements are zero, at every order.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![2.0, 0.0, 3.0]);
    /// assert_eq!(x.cumprod(0).value()?, array![2.0, 0.0, 0.0].into_dyn());
    /// assert_eq!(x.cumprod(0).sum().grad(x).value()?, array![1.0, 8.0, 0.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or is not one.
    #[track_caller]
    #[must_use]
    pub fn cumprod(self, axis: impl Into<Axes>) -> Self {
        self.scan(Running::Product, axis.into(), false)
    }

    /// [`cumprod`](Self::cumprod) from the end: `y_k = Π_{j ≥ k} x_j`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![2.0, 5.0, 3.0]);
    /// assert_eq!(x.cumprod_reverse(0).value()?, array![30.0, 15.0, 3.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`cumprod`](Self::cumprod).
    #[track_caller]
    #[must_use]
    pub fn cumprod_reverse(self, axis: impl Into<Axes>) -> Self {
        self.scan(Running::Product, axis.into(), true)
    }

    /// The linear recurrence `s_k = a_k · s_{k-1} + b_k` along an axis, where this is `b`, and `s_0 = b_0`: a decaying
    /// average, a linear state space, a discounted sum. `a` has this array's shape, or broadcasts to it.
    ///
    /// Derivative: `r_k = g_k + a_{k+1} · r_{k+1}` from the end with respect to `b`, and `r_k · s_{k-1}` with respect to `a`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let b = g.input("b", array![1.0, 0.0, 4.0]);
    /// let s = b.recurrence(0, array![0.5, 0.5, 0.5]);
    /// assert_eq!(s.value()?, array![1.0, 0.5, 4.25].into_dyn());
    /// assert_eq!(s.sum().grad(b).value()?, array![1.75, 1.5, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or is not one, or if `a` does not stretch to this array's shape.
    #[track_caller]
    #[must_use]
    pub fn recurrence(self, axis: impl Into<Axes>, a: impl IntoVar<'g, T>) -> Self {
        self.recur(a, axis.into(), false)
    }

    /// [`recurrence`](Self::recurrence) from the end: `s_k = a_k · s_{k+1} + b_k`. With a constant `a` it is the discounted
    /// sum of rewards.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let rewards = g.input("rewards", array![1.0, 0.0, 4.0]);
    /// assert_eq!(rewards.recurrence_reverse(0, 0.5).value()?, array![2.0, 2.0, 4.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`recurrence`](Self::recurrence).
    #[track_caller]
    #[must_use]
    pub fn recurrence_reverse(self, axis: impl Into<Axes>, a: impl IntoVar<'g, T>) -> Self {
        self.recur(a, axis.into(), true)
    }

    #[track_caller]
    fn recur(self, a: impl IntoVar<'g, T>, axis: Axes, reverse: bool) -> Self {
        let a = a.into_var(self.graph(), self.dtype_beside()).broadcast_like(self);
        let scan = Scan { running: Running::Recurrence { leads: false }, axis, reverse };
        self.graph().emit(Op::Scan(scan), [self.erase(), a.erase()]).retype()
    }

    #[track_caller]
    fn scan(self, running: Running, axis: Axes, reverse: bool) -> Self {
        self.graph().emit(Op::Scan(Scan { running, axis, reverse }), [self.erase()]).retype()
    }
}
