//! Scaled dot-product attention, alone and in several heads.

use super::Linear;
use crate::element::Real;
use crate::graph::{Expr, Var};

/// `softmax(q kᵀ / √d) v`, where `d` is the last size of `q` and `k`: [`Attention::new()`](Attention) with nothing more.
///
/// Shapes: `q` (.., m, d), `k` (.., n, d), `v` (.., n, e) → (.., m, e), with the axes before broadcast.
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let q = g.input("q", array![[0.0, 0.0]]);
/// let k = g.input("k", array![[1.0, 0.0], [0.0, 1.0]]);
/// let v = g.input("v", array![[2.0], [4.0]]);
/// assert_eq!(gradus::nn::attention(q, k, v).value()?, array![[3.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the sizes do not fit: "`dot` requires (.., k) · (k, ..), got (1, 2) and (3, 2): 2 (axis 1) != 3 (axis 0)"; if there are no
/// keys: "`softmax` of no elements is not defined, got (1, 0)".
#[track_caller]
#[must_use]
pub fn attention<'g, T: Real>(q: Var<'g, T>, k: Var<'g, T>, v: Var<'g, T>) -> Var<'g, T> {
    Attention::new().apply(q, k, v)
}

/// Who attends to what: to everything, unless told otherwise.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::Attention;
/// # let g = Graph::new();
/// let x = g.input("x", array![[1.0], [5.0], [0.0]]);
/// let zeros = g.constant(array![[0.0], [0.0], [0.0]]);
/// let y = Attention::new().causal().apply(zeros, zeros, x);   // the mean of what came so far
/// assert!((y.value()? - array![[1.0], [3.0], [2.0]]).iter().all(|d: &f64| d.abs() < 1e-15));
/// let y = Attention::new().mask(g.constant(array![true, true, false])).apply(zeros, zeros, x);
/// assert_eq!(y.value()?, array![[3.0], [3.0], [3.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attention<'g, T: Real = f64> {
    causal: bool,
    scale: Option<f64>,
    mask: Option<Expr<'g>>,
    bias: Option<Var<'g, T>>,
}

impl<T: Real> Default for Attention<'_, T> {
    fn default() -> Self {
        Self { causal: false, scale: None, mask: None, bias: None }
    }
}

impl<'g, T: Real> Attention<'g, T> {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Query number `i` attends to the keys up to number `i`, both counted from the first.
    #[must_use]
    pub fn causal(self) -> Self {
        Self { causal: true, ..self }
    }

    /// The scores are multiplied by this, instead of `1/√d`.
    #[must_use]
    pub fn scale(self, scale: f64) -> Self {
        Self { scale: Some(scale), ..self }
    }

    /// A query attends to the keys for which the mask holds; it broadcasts with the scores, (.., m, n). A query that attends to
    /// nothing gives 0, with the gradient 0.
    #[must_use]
    pub fn mask(self, mask: Var<'g, T::Mask>) -> Self {
        Self { mask: Some(mask.erase()), ..self }
    }

    /// This is added to the scores, with which it broadcasts: (.., m, n). A query whose scores are all -∞ by it gives NaN.
    #[must_use]
    pub fn bias(self, bias: Var<'g, T>) -> Self {
        Self { bias: Some(bias), ..self }
    }

    /// `softmax(q kᵀ / √d + bias) v` over the keys that the masks leave.
    ///
    /// Shapes: `q` (.., m, d), `k` (.., n, d), `v` (.., n, e) → (.., m, e), with the axes before broadcast.
    ///
    /// # Panics
    /// If the sizes do not fit, as [`matmul`](Var::matmul); if there are no keys; if mask or bias do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn apply(&self, q: Var<'g, T>, k: Var<'g, T>, v: Var<'g, T>) -> Var<'g, T> {
        self.weights(q, k).matmul(v)
    }

    /// `softmax(q kᵀ / √d + bias)` over the keys that the masks leave: how much each query attends to each key. The weights of a
    /// query sum to 1, or are all 0 if nothing is left for it.
    ///
    /// Shapes: `q` (.., m, d), `k` (.., n, d) → (.., m, n), with the axes before broadcast. Derivative: that of the formula.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::nn::Attention;
    /// # let g = Graph::new();
    /// let (q, k) = (g.constant(array![[0.0], [0.0]]), g.constant(array![[1.0], [2.0]]));
    /// assert_eq!(Attention::new().weights(q, k).value()?, array![[0.5, 0.5], [0.5, 0.5]].into_dyn());
    /// assert_eq!(Attention::new().causal().weights(q, k).value()?, array![[1.0, 0.0], [0.5, 0.5]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    #[track_caller]
    #[must_use]
    pub fn weights(&self, q: Var<'g, T>, k: Var<'g, T>) -> Var<'g, T> {
        let scores = q.matmul(transposed(k));
        let scores = match self.scale {
            Some(scale) => scores * scale,
            None => scores * q.size_of(-1).sqrt().recip(),
        };
        let scores = match self.bias {
            Some(bias) => scores + bias,
            None => scores,
        };
        self.shares(scores.erase()).retype()
    }

    /// The weights of the keys, for scores.
    #[track_caller]
    fn shares(&self, scores: Expr<'g>) -> Expr<'g> {
        let causal = match self.causal {
            true => Some(scores.index_along(-1).le(scores.index_along(-2))),
            false => None,
        };
        let Some(mask) = self.mask else {
            // The first key is left for every query.
            return masked(scores, causal).softmax(-1);
        };
        let keep = match causal {
            Some(causal) => mask & causal,
            None => mask,
        };
        // With all scores at -∞ the softmax would be NaN, and so would derivatives: there all of them stay, and then count 0.
        let any = keep.cast_to(scores.dtype()).max_keepdims(-1).gt(0.0);
        any.select(masked(scores, Some(keep | !any)).softmax(-1), 0.0)
    }
}

#[track_caller]
fn masked<'g>(scores: Expr<'g>, keep: Option<Expr<'g>>) -> Expr<'g> {
    match keep {
        Some(keep) => keep.select(scores, f64::NEG_INFINITY),
        None => scores,
    }
}

/// The last two axes exchanged; fewer are left for the product to refuse.
#[track_caller]
fn transposed<'g, T: Real>(x: Var<'g, T>) -> Var<'g, T> {
    swapped(x, 1, 2)
}

/// Two axes exchanged, which are counted from the end.
#[track_caller]
fn swapped<'g, T: Real>(x: Var<'g, T>, one: usize, other: usize) -> Var<'g, T> {
    let rank = x.ndim();
    if rank < one.max(other) {
        return x;
    }
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(rank - one, rank - other);
    x.transpose(&order[..])
}

/// Attention in several heads, each in a part of the width (Vaswani et al., "Attention Is All You Need", 2017).
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::nn::{Attention, Linear, MultiHeadAttention};
/// # use ndarray::{Array2, Array3};
/// # let g = Graph::new();
/// let x = g.input("x", Array3::<f64>::ones((2, 5, 8)));                 // (batch, places, width)
/// let layer = |name: &str| Linear::new(g.param(name, Array2::<f64>::eye(8)), None);
/// let heads = MultiHeadAttention {
///     query: layer("wq"),
///     key: layer("wk"),
///     value: layer("wv"),
///     output: layer("wo"),
///     heads: 4,
/// };
/// let y = heads.apply(x, x, x, &Attention::new().causal());
/// assert_eq!(y.shape(), [2, 5, 8]);
/// assert!((y.mean().item()? - 1.0).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MultiHeadAttention<'g, T: Real = f64> {
    /// What makes the queries.
    pub query: Linear<'g, T>,
    /// What makes the keys.
    pub key: Linear<'g, T>,
    /// What makes the values.
    pub value: Linear<'g, T>,
    /// What is made of the heads, which stand side by side.
    pub output: Linear<'g, T>,
    /// How many heads there are.
    pub heads: usize,
}

impl<'g, T: Real> MultiHeadAttention<'g, T> {
    /// The attention of each head, with queries from `q`, keys from `k` and values from `v`, all of them (.., places, width);
    /// three times the same for self-attention. Masks and biases broadcast with (.., heads, m, n).
    ///
    /// # Panics
    /// If the heads do not divide a width: "`unflatten` cannot make (3, -1) from axis 2, which has size 8"; if the sizes do not
    /// fit, as [`matmul`](Var::matmul).
    #[track_caller]
    #[must_use]
    pub fn apply(
        &self,
        q: Var<'g, T>,
        k: Var<'g, T>,
        v: Var<'g, T>,
        attention: &Attention<'g, T>,
    ) -> Var<'g, T> {
        let q = self.split(self.query.apply(q));
        let k = self.split(self.key.apply(k));
        let v = self.split(self.value.apply(v));
        // (.., heads, places, width / heads), and the heads side by side again.
        self.output.apply(swapped(attention.apply(q, k, v), 2, 3).flatten([-2, -1]))
    }

    /// How much each query attends to each key in each head, (.., heads, m, n), for queries from `q` (.., m, width) and keys from
    /// `k` (.., n, width): the weights with which [`apply`](Self::apply) adds up the values.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::nn::{Attention, Linear, MultiHeadAttention};
    /// # let g = Graph::new();
    /// let layer = Linear::new(g.constant(array![[1.0, 0.0], [0.0, 0.0]]), None);
    /// let heads = MultiHeadAttention { query: layer, key: layer, value: layer, output: layer, heads: 2 };
    /// let x = g.input("x", array![[0.0, 5.0], [3_f64.ln().sqrt(), 5.0]]);
    /// let weights = heads.weights(x, x, &Attention::new());
    /// let expected = array![[[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.5, 0.5]]];
    /// assert!((weights.value()? - expected).iter().all(|difference: &f64| difference.abs() < 1e-15));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    #[track_caller]
    #[must_use]
    pub fn weights(&self, q: Var<'g, T>, k: Var<'g, T>, attention: &Attention<'g, T>) -> Var<'g, T> {
        attention.weights(self.split(self.query.apply(q)), self.split(self.key.apply(k)))
    }

    /// (.., places, width) as (.., heads, places, width / heads).
    #[track_caller]
    fn split(&self, x: Var<'g, T>) -> Var<'g, T> {
        swapped(x.unflatten(-1, [self.heads as isize, -1]), 2, 3)
    }
}
