//! Results with fewer axes, or smaller ones.

use super::normalize::lowered_logsumexp;
use super::scan::others;
use super::{Cotangent, Fault, Op, Operation, Record, Site, require_dtype};
use crate::element::{DType, Dtype, Number, Real};
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::ops::Layout;
use crate::shape::{Axes, AxesFault, Shape};

/// What a reduction makes of the elements along its axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// [`Var::sum`]
    Sum,
    /// [`Var::mean`]
    Mean,
    /// [`Var::prod`]
    Prod,
    /// [`Var::max`]
    Max,
    /// [`Var::min`]
    Min,
    /// [`Var::argmax`]
    ArgMax,
    /// [`Var::logsumexp`]
    LogSumExp,
    /// [`Var::norm`]
    Norm,
    /// [`Var::size_of`]: how many there are. Reads the shape alone.
    Size,
}

/// A reduction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// What is made of the elements.
    pub fold: Fold,
    /// The axes that are reduced.
    pub axes: Axes,
    /// Whether they stay, with size 1.
    pub keepdims: bool,
}

impl Fold {
    /// One of each.
    pub const ALL: &[Self] = &[
        Self::Sum,
        Self::Mean,
        Self::Prod,
        Self::Max,
        Self::Min,
        Self::ArgMax,
        Self::LogSumExp,
        Self::Norm,
        Self::Size,
    ];

    /// The name by which errors and reports speak of it.
    pub(crate) const fn name(self) -> &'static str {
        self.find().name
    }

    const fn find(self) -> Record {
        match self {
            Self::Sum => Record::method("sum", r"\sum_{#n} #1", "1"),
            Self::Mean => Record::method("mean", r"\operatorname{mean}_{#n}\left(#1\right)", "1/n"),
            Self::Prod => Record::method("prod", r"\prod_{#n} #1", "the product of the others"),
            Self::Max => {
                Record::method("max", r"\max_{#n}\left(#1\right)", "1 at the maximum, shared evenly by ties")
            }
            Self::Min => {
                Record::method("min", r"\min_{#n}\left(#1\right)", "1 at the minimum, shared evenly by ties")
            }
            Self::ArgMax => Record::method("argmax", r"\operatorname{argmax}_{#n}\left(#1\right)", "none"),
            Self::LogSumExp => Record::method("logsumexp", r"\ln\sum_{#n} e^{#1}", "softmax(x)"),
            Self::Norm => {
                Record::method("norm", r"\left\lVert #1\right\rVert_{\text{axis }#n}", "x/‖x‖, 0 at 0")
            }
            Self::Size => Record::method("size_of", r"\operatorname{size}_{#n}\left(#1\right)", "0"),
        }
    }
}

/// The mistake of naming an axis that is not there, or twice.
pub(super) fn axes_fault(op: &'static str, k: usize, fault: AxesFault) -> Fault {
    Box::new(move |operand| {
        let operand = Box::new(operand(k));
        match fault {
            AxesFault::OutOfRange(axis) => Error::AxisOutOfRange { op, axis, operand },
            AxesFault::Repeated(axis) => Error::AxisRepeated { op, axis, operand },
        }
    })
}

impl Operation for Reduce {
    fn record(&self) -> Record {
        self.fold.find()
    }

    fn attributes(&self) -> Option<String> {
        let axes = self.axes.to_string();
        Some(if self.keepdims { format!("{axes}, keepdims") } else { axes })
    }

    fn arity(&self) -> usize {
        1
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let rank = operands[0].shape.ndim();
        let axes = self.axes.resolve(rank).map_err(|fault| axes_fault(self.fold.find().name, 0, fault))?;
        Ok(Op::Reduce(Self { axes, ..self }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.fold.find().name;
        let Signature { dtype, shape } = &operands[0];
        let dtype = match self.fold {
            Fold::Mean | Fold::LogSumExp | Fold::Norm => {
                require_dtype(op, operands, 0, "floats", DType::is_float)?;
                *dtype
            }
            Fold::ArgMax => DType::I64,
            Fold::Size if dtype.is_float() => *dtype,
            Fold::Size => DType::F64,
            Fold::Sum | Fold::Prod | Fold::Max | Fold::Min => *dtype,
        };
        if self.fold != Fold::Size {
            require_dtype(op, operands, 0, "numbers", |dtype| dtype != DType::Bool)?;
        }
        let empty = self.axes.iter().any(|axis| shape[axis] == 0);
        if empty && matches!(self.fold, Fold::Max | Fold::Min | Fold::ArgMax | Fold::LogSumExp) {
            return Err(Box::new(move |operand| Error::EmptyReduction { op, operand: Box::new(operand(0)) }));
        }
        let shape = match self.fold {
            Fold::Size => Shape::scalar(),
            _ => self.axes.reduced(shape, self.keepdims),
        };
        Ok(Signature { dtype, shape })
    }

    fn vjp<'g>(&self, _k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (x, y, g) = (at.inputs[0], at.result, at.cotangent);
        let spread = |reduced: Expr<'g>| {
            let axes = if self.keepdims { Axes::none() } else { self.axes.clone() };
            x.graph().emit(Op::Layout(Layout::BroadcastLike { axes }), [reduced, x])
        };
        match self.fold {
            Fold::Sum => spread(g).into(),
            Fold::Mean => spread(g / x.size_of(self.axes.clone())).into(),
            // Of no axis it is the operand.
            Fold::Prod if self.axes.count() == 0 => g.into(),
            Fold::Prod => (spread(g) * others(x, &self.axes)).into(),
            Fold::Max | Fold::Min => {
                let ties = x.eq(spread(y)).cast_to(x.dtype());
                let count = reduce(ties, Fold::Sum, self.axes.clone(), self.keepdims);
                (spread(g / count) * ties).into()
            }
            Fold::LogSumExp => (spread(g) * x.softmax(self.axes.clone())).into(),
            Fold::Norm => (spread(y.eq(0.0).select(0.0, g / y)) * x).into(),
            Fold::ArgMax => Cotangent::Undefined,
            Fold::Size => Cotangent::Zero,
        }
    }

    fn reads(&self, _k: usize) -> bool {
        self.fold != Fold::Size
    }

    fn lower<'g>(&self, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        let (x, axes, keepdims) = (inputs[0], &self.axes, self.keepdims);
        match self.fold {
            Fold::LogSumExp => Some(lowered_logsumexp(x, axes, keepdims)),
            Fold::Norm => {
                let squares: Expr<'g> = reduce(x.square(), Fold::Sum, axes.clone(), keepdims);
                Some(squares.sqrt())
            }
            _ => None,
        }
    }
}

#[track_caller]
pub(super) fn reduce<'g, T: Dtype, U: Dtype>(
    x: Var<'g, T>,
    fold: Fold,
    axes: Axes,
    keepdims: bool,
) -> Var<'g, U> {
    x.graph().emit(Op::Reduce(Reduce { fold, axes, keepdims }), [x.erase()]).retype()
}

/// The three methods of a reduction: over all axes, over some, and over some that stay with size 1.
macro_rules! reduction {
    ($(
        $fold:ident for $Takes:ident: $all:ident, $some:ident, $kept:ident => $Result:ty
        { $(#[$doc:meta])* }
    )*) => {
        $(impl<'g, T: $Takes> Var<'g, T> {
            $(#[$doc])*
            #[track_caller]
            #[must_use]
            pub fn $all(self) -> Var<'g, $Result> {
                reduce(self, Fold::$fold, Axes::ALL, false)
            }

            #[doc = concat!("[`", stringify!($all), "`](Self::", stringify!($all), ") over one or several axes, ")]
            /// which the result does not have. Negative axes count from the end.
            ///
            /// # Panics
            /// If an axis is out of range or named twice.
            #[track_caller]
            #[must_use]
            pub fn $some(self, axes: impl Into<Axes>) -> Var<'g, $Result> {
                reduce(self, Fold::$fold, axes.into(), false)
            }

            #[doc = concat!("[`", stringify!($all), "`](Self::", stringify!($all), ") over one or several axes, ")]
            /// which stay with size 1 (NumPy's `keepdims=True`), so that the result broadcasts with the operand.
            ///
            /// # Panics
            /// If an axis is out of range or named twice.
            #[track_caller]
            #[must_use]
            pub fn $kept(self, axes: impl Into<Axes>) -> Var<'g, $Result> {
                reduce(self, Fold::$fold, axes.into(), true)
            }
        })*
    };
}

reduction! {
    Sum for Number: sum, sum_axis, sum_keepdims => T {
        /// The sum of all elements, 0 if there are none. Derivative: 1 for each.
        ///
        /// The error of a float sum grows with the logarithm of the number of elements, as NumPy's does along
        /// contiguous memory: it is summed pairwise, along every axis. Integers wrap around.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
        /// assert_eq!(x.sum().item()?, 10.0);
        /// assert_eq!(x.sum_axis(0).value()?, ndarray::array![4.0, 6.0].into_dyn());
        /// assert_eq!(x.sum_keepdims(-1).shape(), [2, 1]);
        /// # Ok::<(), gradus::Error>(())
        /// ```
    }
    Mean for Real: mean, mean_axis, mean_keepdims => T {
        /// The arithmetic mean, NaN of no elements. Derivative: `1/n` for each of the `n` elements.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![1.0, 2.0, 6.0, 7.0]);
        /// assert_eq!(x.mean().item()?, 4.0);
        /// assert_eq!(x.mean().grad(x).value()?, ndarray::array![0.25, 0.25, 0.25, 0.25].into_dyn());
        /// # Ok::<(), gradus::Error>(())
        /// ```
    }
    Prod for Number: prod, prod_axis, prod_keepdims => T {
        /// The product of all elements, 1 if there are none. Derivative: the product of the others, which is made of running
        /// products from both ends and needs no division: it is right where elements are zero, at every order.
        ///
        /// Integers wrap around.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![2.0, 0.0, 3.0]);
        /// assert_eq!(x.prod().item()?, 0.0);
        /// assert_eq!(x.prod().grad(x).value()?, ndarray::array![0.0, 6.0, 0.0].into_dyn());
        /// # Ok::<(), gradus::Error>(())
        /// ```
    }
    Max for Number: max, max_axis, max_keepdims => T {
        /// The largest element, NaN if one is NaN. Derivative: 1 at the maximum, shared evenly by ties.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![3.0, 1.0, 3.0]);
        /// assert_eq!(x.max().item()?, 3.0);
        /// assert_eq!(x.max().grad(x).value()?, ndarray::array![0.5, 0.0, 0.5].into_dyn());
        /// # Ok::<(), gradus::Error>(())
        /// ```
        ///
        /// # Panics
        /// If there are no elements: "`max` of no elements is not defined, got (0,)".
    }
    Min for Number: min, min_axis, min_keepdims => T {
        /// The smallest element, NaN if one is NaN. Derivative: 1 at the minimum, shared evenly by ties.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![3.0, 1.0, 2.0]);
        /// assert_eq!(x.min().item()?, 1.0);
        /// # Ok::<(), gradus::Error>(())
        /// ```
        ///
        /// # Panics
        /// If there are no elements.
    }
    LogSumExp for Real: logsumexp, logsumexp_axis, logsumexp_keepdims => T {
        /// `ln Σ eˣ`, computed as `max x + ln Σ e^(x - max x)`: it does not overflow. -∞ where all are -∞, +∞ where one is.
        /// Derivative: `softmax(x)`.
        ///
        /// `ln(Σ eˣ)` may be written as it stands: it is computed as this.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![1000.0, 1000.0]);
        /// assert_eq!(x.logsumexp().item()?, 1000.0 + 2_f64.ln());
        /// assert_eq!(x.logsumexp().grad(x).value()?, ndarray::array![0.5, 0.5].into_dyn());
        /// # Ok::<(), gradus::Error>(())
        /// ```
        ///
        /// # Panics
        /// If there are no elements: "`logsumexp` of no elements is not defined, got (0,)".
    }
    Norm for Real: norm, norm_axis, norm_keepdims => T {
        /// The length `√Σ x²`: the Euclidean norm of a vector, the Frobenius norm of a matrix; 0 of no elements. Other norms are
        /// [`vector_norm`](Self::vector_norm) and [`matrix_norm`](Self::matrix_norm).
        ///
        /// Derivative: `x / ‖x‖`, and 0 where the norm is 0, at every order. `√Σ x²` may be written as it stands: it is taken for
        /// this. Squares that overflow make it infinite, and squares that underflow make it 0, as in NumPy.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![3.0, -4.0]);
        /// assert_eq!(x.norm().item()?, 5.0);
        /// x.set_value(ndarray::array![0.0, -4.0])?;
        /// assert_eq!(x.norm().grad(x).value()?, ndarray::array![0.0, -1.0].into_dyn());
        /// x.set_value(ndarray::array![0.0, 0.0])?;
        /// assert_eq!(x.square().sum().sqrt().grad(x).value()?, ndarray::array![0.0, 0.0].into_dyn());
        /// # Ok::<(), gradus::Error>(())
        /// ```
    }
    ArgMax for Number: argmax, argmax_axis, argmax_keepdims => T::Index {
        /// The index of the largest element, counted in C order over the reduced axes; the first of several, and the first NaN if
        /// there is one. There is no derivative.
        ///
        /// ```
        /// # use gradus::prelude::*;
        /// # let g = Graph::new();
        /// let x = g.input("x", ndarray::array![[1.0_f64, 9.0], [8.0, 2.0]]);
        /// assert_eq!(x.argmax().item()?, 1);
        /// assert_eq!(x.argmax_axis(0).value()?, ndarray::array![1_i64, 0].into_dyn());
        /// # Ok::<(), gradus::Error>(())
        /// ```
        ///
        /// # Panics
        /// If there are no elements.
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// How many elements there are along these axes, as a number in the formula: it follows the batch that is fed.
    /// With it a mean can be written as the course writes it, `1/m Σ`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array2::<f64>::zeros((3, 5)));
    /// let m = x.size_of(1);
    /// assert_eq!(m.item()?, 5.0);
    /// x.set_value(ndarray::Array2::<f64>::zeros((3, 2)))?;
    /// assert_eq!(m.item()?, 2.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn size_of(self, axes: impl Into<Axes>) -> Self {
        reduce(self, Fold::Size, axes.into(), false)
    }
}
