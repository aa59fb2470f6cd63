//! Losses of predictions and targets of one shape.

use crate::element::Real;
use crate::graph::Var;
use crate::ops::{IntoVar, target_like};

/// What is made of the losses of all elements or examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// They stay as they are.
    None,
}

impl Reduction {
    #[track_caller]
    pub(super) fn of<'g, T: Real>(self, losses: Var<'g, T>) -> Var<'g, T> {
        match self {
            Self::Mean => losses.mean(),
            Self::Sum => losses.sum(),
            Self::None => losses,
        }
    }
}

/// The squared error `(x - target)²`. Derivative: `2 (x - target)`.
///
/// As in every loss of this kind both have the same shape: a target `(n,)` beside an `x` of shape `(n, 1)` would broadcast to all
/// pairs, which nobody means. Where it is meant, [`Var::broadcast_like`] says so.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let x = g.input("x", array![1.0, 5.0]);
/// assert_eq!(nn::mse(x, array![1.0, 2.0], Reduction::Sum).item()?, 9.0);
/// assert_eq!(nn::mse(x, array![1.0, 2.0], Reduction::None).value()?, array![0.0, 9.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`mse` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn mse<'g, T: Real>(x: Var<'g, T>, target: impl IntoVar<'g, T>, reduction: Reduction) -> Var<'g, T> {
    reduction.of((x - target_like("mse", x, target)).square())
}

/// The absolute error `|x - target|`. Derivative: the sign of the difference, 0 where there is none.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let x = g.input("x", array![1.0, 5.0]);
/// assert_eq!(nn::l1(x, array![1.0, 2.0], Reduction::Mean).item()?, 1.5);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`l1` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn l1<'g, T: Real>(x: Var<'g, T>, target: impl IntoVar<'g, T>, reduction: Reduction) -> Var<'g, T> {
    reduction.of((x - target_like("l1", x, target)).abs())
}

/// Huber's loss of the difference `d = x - target`: `d²/2` where `|d| ≤ delta`, else `delta (|d| - delta/2)`. Derivative: `d`
/// limited to `±delta`; the second one is 1 where `|d| ≤ delta`, else 0.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let x = g.input("x", array![0.5, -3.0]);
/// let losses = nn::huber(x, array![0.0, 0.0], 1.0, Reduction::None);
/// assert_eq!(losses.value()?, array![0.125, 2.5].into_dyn());
/// assert_eq!(losses.sum().grad(x).value()?, array![0.5, -1.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`huber` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn huber<'g, T: Real>(
    x: Var<'g, T>,
    target: impl IntoVar<'g, T>,
    delta: f64,
    reduction: Reduction,
) -> Var<'g, T> {
    let target = target_like("huber", x, target);
    reduction.of(bent(x - target, delta))
}

#[track_caller]
fn bent<'g, T: Real>(difference: Var<'g, T>, delta: f64) -> Var<'g, T> {
    let size = difference.abs();
    size.le(delta).select(difference.square() * 0.5, (size - delta * 0.5) * delta)
}

/// [`huber`] divided by `beta`: `d²/(2 beta)` where `|d| ≤ beta`, else `|d| - beta/2`; with `beta` 0 it is [`l1`]. PyTorch's
/// `smooth_l1_loss`.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let x = g.input("x", array![0.5, -3.0]);
/// assert_eq!(nn::smooth_l1(x, array![0.0, 0.0], 0.5, Reduction::Sum).item()?, 0.25 + 2.75);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`smooth_l1` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn smooth_l1<'g, T: Real>(
    x: Var<'g, T>,
    target: impl IntoVar<'g, T>,
    beta: f64,
    reduction: Reduction,
) -> Var<'g, T> {
    let difference = x - target_like("smooth_l1", x, target);
    reduction.of(if beta == 0.0 { difference.abs() } else { bent(difference, beta) / beta })
}

/// The hinge loss `max(0, 1 - y x)` of scores `x` and labels `y`, which are -1 or 1. Derivative: `-y` inside the margin, 0
/// outside, and half of it on the margin, as [`maximum`](Var::maximum) has it.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let x = g.input("x", array![0.5, 2.0]);
/// let losses = nn::hinge(x, array![-1.0, 1.0], Reduction::None);
/// assert_eq!(losses.value()?, array![1.5, 0.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`hinge` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn hinge<'g, T: Real>(x: Var<'g, T>, labels: impl IntoVar<'g, T>, reduction: Reduction) -> Var<'g, T> {
    let labels = target_like("hinge", x, labels);
    reduction.of((1.0 - labels * x).maximum(0.0))
}

/// The square of [`hinge`]: `max(0, 1 - y x)²`. Derivative: `-2 y max(0, 1 - y x)`.
///
/// # Panics
/// If the shapes differ: "`squared_hinge` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn squared_hinge<'g, T: Real>(
    x: Var<'g, T>,
    labels: impl IntoVar<'g, T>,
    reduction: Reduction,
) -> Var<'g, T> {
    let labels = target_like("squared_hinge", x, labels);
    reduction.of((1.0 - labels * x).maximum(0.0).square())
}

/// The binary cross-entropy of probabilities, `-(y ln a + (1 - y) ln(1 - a))`, where a term `0 · ln 0` is 0.
///
/// So a certain prediction that is right costs 0, with derivative -1 at `a = 1` and 1 at `a = 0`, and one that is wrong costs ∞.
/// (The formula written by hand is NaN for the former.) Derivatives: `(a - y) / (a (1 - a))`, and `ln(1 - a) - ln a` with
/// respect to the target, which is infinite for a certain prediction. Of `a = z.sigmoid()` it is rewritten to
/// [`bce_with_logits`] of `z`, and finite whatever `z` is.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let a = g.input("a", array![0.0, 1.0, 0.5]);
/// let losses = nn::bce(a, array![0.0, 1.0, 1.0], Reduction::None);
/// assert_eq!(losses.value()?, array![0.0, 0.0, 2_f64.ln()].into_dyn());
/// assert_eq!(losses.sum().grad(a).value()?, array![1.0, -1.0, -2.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`bce` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn bce<'g, T: Real>(a: Var<'g, T>, target: impl IntoVar<'g, T>, reduction: Reduction) -> Var<'g, T> {
    let target = target_like("bce", a, target);
    reduction.of(-(weighted_ln(target, a) + weighted_ln(1.0 - target, 1.0 - a)))
}

/// `weight · ln(p)`, and [`xlogy`](Var::xlogy) where that is `0 · ln 0`. It is the logarithm that is asked, since it is rewritten,
/// and finite, where `p` is a sigmoid that is rounded to 0.
#[track_caller]
fn weighted_ln<'g, T: Real>(weight: Var<'g, T>, p: Var<'g, T>) -> Var<'g, T> {
    let ln = p.ln();
    let nothing = weight.eq(0.0) & ln.eq(f64::NEG_INFINITY);
    nothing.select(weight.xlogy(p), weight * ln)
}

/// The binary cross-entropy of logits, `y softplus(-z) + (1 - y) softplus(z)`: [`bce`] of `σ(z)`, finite and accurate in both
/// tails for any logit. Derivatives: `σ(z) - y`, and `-z` with respect to the target.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let z = g.input("z", array![-1000.0, 1000.0]);
/// let cost = nn::bce_with_logits(z, array![1.0, 1.0], Reduction::Sum);
/// assert_eq!(cost.item()?, 1000.0);
/// assert_eq!(cost.grad(z).value()?, array![-1.0, 0.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`bce_with_logits` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn bce_with_logits<'g, T: Real>(
    z: Var<'g, T>,
    target: impl IntoVar<'g, T>,
    reduction: Reduction,
) -> Var<'g, T> {
    let target = target_like("bce_with_logits", z, target);
    reduction.of(target * (-z).softplus() + (1.0 - target) * z.softplus())
}

/// The Kullback-Leibler divergence `eᵗ (t - x)` of distributions that are given by their logarithms `x` and `t`, element by
/// element; an element whose target probability is 0 (`t` = -∞) counts as 0. PyTorch's `kl_div` with `log_target=True`. The
/// divergence is the [sum](Reduction::Sum); PyTorch's `batchmean` is that divided by the number of examples.
///
/// Derivatives: `-eᵗ`, and `eᵗ (t - x + 1)` with respect to the target.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{self, Reduction};
/// # let g = Graph::new();
/// let x = g.input("x", array![0.25_f64.ln(), 0.75_f64.ln()]);
/// let t = array![0.0, f64::NEG_INFINITY];
/// assert_eq!(nn::kl_div(x, t, Reduction::Sum).item()?, 4_f64.ln());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the shapes differ: "`kl_div` requires a target of shape (3, 1), got (3,)".
#[track_caller]
#[must_use]
pub fn kl_div<'g, T: Real>(x: Var<'g, T>, target: impl IntoVar<'g, T>, reduction: Reduction) -> Var<'g, T> {
    let target = target_like("kl_div", x, target);
    let impossible = target.eq(f64::NEG_INFINITY);
    reduction.of(impossible.select(0.0, target.exp() * (target - x)))
}
