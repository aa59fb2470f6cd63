//! Losses of classifiers.

use super::Reduction;
use crate::element::Real;
use crate::error::{Error, fail};
use crate::graph::Var;
use crate::ops::{IntoVar, target_like};
use crate::shape::{Axes, resolve_axis};

/// The negative log-likelihood `-x` at the class, of log-probabilities `x` with the classes along `axis`: classes have the shape
/// of `x` without it, and so do the losses. Derivative: -1 at the class.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let x = g.input("x", array![[-1.0, -2.0], [-3.0, -4.0]]);
/// assert_eq!(nn::nll(x, array![1_i64, 0], 1, Reduction::Mean).item()?, 2.5);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes do not fit: "`pick` requires indices of shape (2,), which the operand has without axis 1, got (3,)". A class out
/// of range is an error of the run.
#[track_caller]
#[must_use]
pub fn nll<'g, T: Real>(
    x: Var<'g, T>,
    classes: impl IntoVar<'g, T::Index>,
    axis: impl Into<Axes>,
    reduction: Reduction,
) -> Var<'g, T> {
    reduction.of(-x.pick(axis, classes))
}

/// The cross-entropy `-ln softmax(x)` at the class, of logits `x` with the classes along `axis`: classes have the shape of `x`
/// without it, and so do the losses. PyTorch's `cross_entropy`, whose axis is 1. Derivative: `softmax(x) - onehot(class)`.
///
/// [`Var::cross_entropy`] and [`Var::cross_entropy_each`] are this along the last axis.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let logits = g.input("logits", array![[0.0, 1000.0], [0.0, -1000.0]]);
/// let losses = nn::cross_entropy(logits, array![1_i64, 1], 0, Reduction::None);
/// assert_eq!(losses.value()?, array![2_f64.ln(), 2000.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes do not fit: "`cross_entropy_each` requires indices of shape (2,), which the operand has without axis 1, got
/// (3,)". A class out of range is an error of the run.
#[track_caller]
#[must_use]
pub fn cross_entropy<'g, T: Real>(
    x: Var<'g, T>,
    classes: impl IntoVar<'g, T::Index>,
    axis: i32,
    reduction: Reduction,
) -> Var<'g, T> {
    reduction.of(last(x, axis).cross_entropy_each(classes))
}

/// [`cross_entropy`] with label smoothing: the target is `1 - smoothing` at the class, and `smoothing` in equal parts on all
/// classes. Derivative: `softmax(x)` minus that target.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let logits = g.input("logits", array![[2.0, 2.0]]);
/// let cost = nn::cross_entropy_smoothed(logits, array![0_i64], 1, 0.2, Reduction::Mean);
/// let d: f64 = cost.grad(logits).value()?[[0, 0]];
/// assert!((d + 0.4).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// As [`cross_entropy`].
#[track_caller]
#[must_use]
pub fn cross_entropy_smoothed<'g, T: Real>(
    x: Var<'g, T>,
    classes: impl IntoVar<'g, T::Index>,
    axis: i32,
    smoothing: f64,
    reduction: Reduction,
) -> Var<'g, T> {
    let x = last(x, axis);
    let sharp = x.cross_entropy_each(classes);
    let even = -x.log_softmax(-1).mean_axis(-1);
    reduction.of(sharp * (1.0 - smoothing) + even * smoothing)
}

/// The cross-entropy `-Σ t ln softmax(x)` with probabilities `t` as targets, over the classes along `axis`; a class whose target
/// is 0 counts as 0. Derivatives: `softmax(x) Σ t - t`, and `-ln softmax(x)` with respect to the target.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let logits = g.input("logits", array![[0.0, 0.0]]);
/// let cost = nn::soft_cross_entropy(logits, array![[0.25, 0.75]], 1, Reduction::Mean);
/// assert!((cost.item()? - 2_f64.ln()).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`soft_cross_entropy` requires a target of shape (2, 3), got (2,)".
#[track_caller]
#[must_use]
pub fn soft_cross_entropy<'g, T: Real>(
    x: Var<'g, T>,
    target: impl IntoVar<'g, T>,
    axis: i32,
    reduction: Reduction,
) -> Var<'g, T> {
    let target = target_like("soft_cross_entropy", x, target);
    let ln = x.log_softmax(axis);
    let impossible = target.eq(0.0) & ln.eq(f64::NEG_INFINITY);
    reduction.of(-(target * impossible.select(0.0, ln)).sum_axis(axis))
}

/// The same with `axis` last, and the others in their order.
#[track_caller]
fn last<'g, T: Real>(x: Var<'g, T>, axis: i32) -> Var<'g, T> {
    let rank = x.ndim();
    match resolve_axis(axis, rank) {
        Some(axis) if axis + 1 < rank => {
            let order: Vec<usize> = (0..rank).filter(|&other| other != axis).chain([axis]).collect();
            x.transpose(&order[..])
        }
        Some(_) => x,
        None => {
            let operand = Box::new(x.graph().arena().describe(x.id()));
            fail(&Error::AxisOutOfRange { op: "cross_entropy", axis, operand })
        }
    }
}
