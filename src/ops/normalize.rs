//! Probabilities and standard scores along axes, as primitives with rules of their own.
//!
//! Each is a composition, and runs as one: it is [lowered](super::Operation::lower) when a program is compiled. The rules
//! are closed forms because the derivative of the composition goes over the data more often: through the maximum and
//! the mean, whose terms cancel.

use super::constant::IntoVar;
use super::index::{is_at, require_indices};
use super::reduce::axes_fault;
use super::{Attribute, Cotangent, Fault, Op, Operation, Record, Site, require_dtype};
use crate::element::{DType, Real};
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::shape::Axes;

/// Probabilities and standard scores along axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Normalize {
    /// [`Var::softmax`]
    Softmax {
        /// The axes over which it sums to 1.
        axes: Axes,
    },
    /// [`Var::log_softmax`]
    LogSoftmax {
        /// The axes over which its exponential sums to 1.
        axes: Axes,
    },
    /// [`Var::layer_norm`]
    LayerNorm {
        /// The axes over which it has mean 0 and variance 1.
        axes: Axes,
        /// What is added to the variance.
        eps: Attribute,
    },
    /// [`Var::cross_entropy_each`], along the last axis.
    CrossEntropy,
}

/// The last axis.
fn last() -> Axes {
    Axes::from(-1)
}

impl Normalize {
    const fn find(&self) -> Record {
        match self {
            Self::Softmax { .. } => {
                Record::method("softmax", r"\operatorname{softmax}_{#n}\left(#1\right)", "y (g - Σ g y)")
            }
            Self::LogSoftmax { .. } => Record::method(
                "log_softmax",
                r"\ln\left(\operatorname{softmax}_{#n}\left(#1\right)\right)",
                "g - softmax(x) Σ g",
            ),
            Self::LayerNorm { .. } => Record::method(
                "layer_norm",
                r"\operatorname{layernorm}_{#n}\left(#1\right)",
                "(g - mean(g) - y mean(g y)) / √(var(x) + ε)",
            ),
            Self::CrossEntropy => Record::method(
                "cross_entropy_each",
                r"-\ln\left(\operatorname{softmax}\left(#1\right)_{[#2]}\right)",
                "g (softmax(x) - 1 at the class)",
            ),
        }
    }

    fn axes(&self) -> Axes {
        match self {
            Self::Softmax { axes } | Self::LogSoftmax { axes } | Self::LayerNorm { axes, .. } => axes.clone(),
            Self::CrossEntropy => last(),
        }
    }
}

impl Operation for Normalize {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        match self {
            Self::Softmax { axes } | Self::LogSoftmax { axes } => Some(axes.to_string()),
            Self::LayerNorm { axes, eps } => Some(format!("{axes}, {eps}")),
            Self::CrossEntropy => None,
        }
    }

    fn arity(&self) -> usize {
        if *self == Self::CrossEntropy { 2 } else { 1 }
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let op = self.find().name;
        let axes = self.axes().resolve(operands[0].shape.ndim()).map_err(|fault| axes_fault(op, 0, fault))?;
        Ok(Op::Normalize(match self {
            Self::Softmax { .. } => Self::Softmax { axes },
            Self::LogSoftmax { .. } => Self::LogSoftmax { axes },
            Self::LayerNorm { eps, .. } => Self::LayerNorm { axes, eps },
            Self::CrossEntropy => Self::CrossEntropy,
        }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.find().name;
        require_dtype(op, operands, 0, "floats", DType::is_float)?;
        let Signature { dtype, shape } = &operands[0];
        let axes = self.axes().resolve(shape.ndim()).map_err(|fault| axes_fault(op, 0, fault))?;
        if *self == Self::CrossEntropy {
            require_indices(op, operands, &axes)?;
        }
        let maximum = !matches!(self, Self::LayerNorm { .. });
        if maximum && axes.iter().any(|axis| shape[axis] == 0) {
            return Err(Box::new(move |operand| Error::EmptyReduction { op, operand: Box::new(operand(0)) }));
        }
        let shape = if *self == Self::CrossEntropy { axes.reduced(shape, false) } else { shape.clone() };
        Ok(Signature { dtype: *dtype, shape })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (x, y, g) = (at.inputs[0], at.result, at.cotangent);
        match self {
            _ if k == 1 => Cotangent::Undefined,
            Self::Softmax { axes } => (y * (g - (g * y).sum_keepdims(axes.clone()))).into(),
            Self::LogSoftmax { axes } => (g - x.softmax(axes.clone()) * g.sum_keepdims(axes.clone())).into(),
            Self::LayerNorm { axes, eps } => {
                let mean = |e: Expr<'g>| e.mean_keepdims(axes.clone());
                (Scores::of(x, axes, *eps).scale * (g - mean(g) - y * mean(g * y))).into()
            }
            Self::CrossEntropy => {
                let g = g.expand_dims(last());
                let probability = g * x.softmax(last());
                is_at(x, &last(), at.inputs[1]).select(probability - g, probability).into()
            }
        }
    }

    fn shape_giver(&self) -> Option<usize> {
        Some(usize::from(*self == Self::CrossEntropy))
    }

    fn lower<'g>(&self, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        let x = inputs[0];
        Some(match self {
            Self::Softmax { axes } => {
                let Shifted { exp, sum, .. } = Shifted::of(x, axes);
                exp / sum
            }
            Self::LogSoftmax { axes } => {
                let Shifted { shifted, sum, .. } = Shifted::of(x, axes);
                shifted - sum.ln()
            }
            Self::LayerNorm { axes, eps } => {
                let Scores { centred, scale } = Scores::of(x, axes, *eps);
                centred * scale
            }
            // The logarithm first: what is subtracted from it is 0 for the largest logit, so nothing cancels.
            Self::CrossEntropy => {
                let Shifted { maximum, sum, .. } = Shifted::of(x, &last());
                let picked = x.pick(last(), inputs[1]) - maximum.squeeze(last());
                sum.squeeze(last()).ln() - picked
            }
        })
    }
}

/// `e^(x - max x)` and its sum: what softmax, its logarithm and `logsumexp` have in common, so that they share it.
struct Shifted<'g> {
    maximum: Expr<'g>,
    shifted: Expr<'g>,
    exp: Expr<'g>,
    sum: Expr<'g>,
}

impl<'g> Shifted<'g> {
    fn of(x: Expr<'g>, axes: &Axes) -> Self {
        let maximum = x.max_keepdims(axes.clone());
        let shifted = x - maximum;
        let exp = shifted.exp();
        Self { maximum, shifted, exp, sum: exp.sum_keepdims(axes.clone()) }
    }
}

/// `ln Σ eˣ` for the compiler: `max x + ln Σ e^(x - max x)`, and the maximum itself where that is not finite.
pub(super) fn lowered_logsumexp<'g>(x: Expr<'g>, axes: &Axes, keepdims: bool) -> Expr<'g> {
    let Shifted { maximum, sum, .. } = Shifted::of(x, axes);
    let finite = maximum.abs().lt(f64::INFINITY);
    let y = finite.select(maximum + sum.ln(), maximum);
    if keepdims { y } else { y.squeeze(axes.clone()) }
}

/// `x - mean x`, and what it is multiplied by for a variance of 1.
struct Scores<'g> {
    centred: Expr<'g>,
    scale: Expr<'g>,
}

impl<'g> Scores<'g> {
    fn of(x: Expr<'g>, axes: &Axes, eps: Attribute) -> Self {
        let centred = x - x.mean_keepdims(axes.clone());
        let variance = centred.square().mean_keepdims(axes.clone());
        Self { centred, scale: (variance + eps.get()).sqrt().recip() }
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// `eˣ / Σ eˣ` over one or several axes: positive numbers that sum to 1 along them. Computed as
    /// `e^(x - max x) / Σ e^(x - max x)`, so it does not overflow. NaN where all are -∞, or one is +∞.
    ///
    /// Derivative: `y (g - Σ g y)`. `ln(softmax(x))` may be written as it stands: it is computed as
    /// [`log_softmax`](Self::log_softmax), and `eˣ / Σ eˣ` as this.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1000.0, 1000.0 + 3_f64.ln()]);
    /// let p = x.softmax(0).value()?;
    /// assert!((p[[0]] - 0.25).abs() < 1e-12 && (p[[1]] - 0.75).abs() < 1e-12);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice, or has no elements: "`softmax` of no elements is not defined, got (2, 0)".
    #[track_caller]
    #[must_use]
    pub fn softmax(self, axes: impl Into<Axes>) -> Self {
        self.emit_normalize(Normalize::Softmax { axes: axes.into() })
    }

    /// `x - ln Σ eˣ` over one or several axes: the logarithm of [`softmax`](Self::softmax), computed as
    /// `(x - max x) - ln Σ e^(x - max x)`, so it neither overflows nor becomes -∞ where a probability is too small for a
    /// float. Derivative: `g - softmax(x) Σ g`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![0.0, 1000.0]);
    /// assert_eq!(x.log_softmax(0).value()?, array![-1000.0, 0.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`softmax`](Self::softmax).
    #[track_caller]
    #[must_use]
    pub fn log_softmax(self, axes: impl Into<Axes>) -> Self {
        self.emit_normalize(Normalize::LogSoftmax { axes: axes.into() })
    }

    /// `(x - mean x) / √(var x + eps)` over one or several axes, with the biased variance `mean (x - mean x)²`: PyTorch's
    /// `layer_norm` before the gain and the bias, which are `* gamma + beta`. The variance is that of the differences from
    /// the mean, so a large mean costs no accuracy.
    ///
    /// Derivative: `(g - mean(g) - y mean(g y)) / √(var x + eps)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 3.0], [10.0, 10.0]]);
    /// assert_eq!(x.layer_norm(-1, 0.0).slice(0, ..1).value()?, array![[-1.0, 1.0]].into_dyn());
    /// assert_eq!(x.layer_norm(-1, 1e-5).slice(0, 1..).value()?, array![[0.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn layer_norm(self, axes: impl Into<Axes>, eps: f64) -> Self {
        self.emit_normalize(Normalize::LayerNorm { axes: axes.into(), eps: eps.into() })
    }

    /// The cross-entropy `-ln softmax(x)` at the class, for each example: logits `(.., n)` with the classes along the last
    /// axis and classes `(..)` give losses `(..)`. PyTorch's `cross_entropy` with `reduction='none'`.
    ///
    /// Derivative: `g (softmax(x) - onehot(class))`; none with respect to the classes. A class that is negative or not
    /// below `n` is an error of the run, [`Error::IndexOutOfRange`](crate::Error::IndexOutOfRange).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let logits = g.input("logits", array![[0.0, 0.0], [1000.0, -1000.0]]);
    /// let losses = logits.cross_entropy_each(array![0_i64, 1]);
    /// assert_eq!(losses.value()?, array![2_f64.ln(), 2000.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit: "`cross_entropy_each` requires indices of shape (2,), which the operand has without axis 1,
    /// got (3,)".
    #[track_caller]
    #[must_use]
    pub fn cross_entropy_each(self, classes: impl IntoVar<'g, T::Index>) -> Self {
        let classes = classes.into_var(self.graph(), DType::I64);
        let op = Op::Normalize(Normalize::CrossEntropy);
        self.graph().emit(op, [self.erase(), classes.erase()]).retype()
    }

    /// The mean over all examples of the cross-entropy [`cross_entropy_each`](Self::cross_entropy_each): the loss of a
    /// classifier, from logits `(.., n)` and classes `(..)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let logits = g.input("logits", array![[0.0, 0.0], [0.0, 0.0]]);
    /// let cost = logits.cross_entropy(array![0_i64, 1]);
    /// assert_eq!(cost.item()?, 2_f64.ln());
    /// assert_eq!(cost.grad(logits).value()?, array![[-0.25, 0.25], [0.25, -0.25]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`cross_entropy_each`](Self::cross_entropy_each).
    #[track_caller]
    #[must_use]
    pub fn cross_entropy(self, classes: impl IntoVar<'g, T::Index>) -> Self {
        self.cross_entropy_each(classes).mean()
    }

    #[track_caller]
    fn emit_normalize(self, op: Normalize) -> Self {
        self.graph().emit(Op::Normalize(op), [self.erase()]).retype()
    }
}
