//! Cells with a state, and how they run over time.

use crate::element::Real;
use crate::graph::Var;

/// `tanh(x · wx + h · wh + b)`: the next state of Elman's network. `x` is (batch, n), `h` (batch, k), `wx` (n, k), `wh` (k, k),
/// `b` (k,).
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let (x, h) = (g.input("x", array![[1.0]]), g.input("h", array![[2.0]]));
/// let (wx, wh) = (g.param("wx", array![[0.5]]), g.param("wh", array![[-0.25]]));
/// assert_eq!(gradus::nn::rnn_cell(x, h, wx, wh, g.param("b", array![0.0])).value()?, array![[0.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the sizes do not fit, as [`matmul`](Var::matmul) and [`+`](std::ops::Add).
#[track_caller]
#[must_use]
pub fn rnn_cell<'g, T: Real>(
    x: Var<'g, T>,
    h: Var<'g, T>,
    wx: Var<'g, T>,
    wh: Var<'g, T>,
    b: Var<'g, T>,
) -> Var<'g, T> {
    (x.matmul(wx) + h.matmul(wh) + b).tanh()
}

/// The next state of a gated recurrent unit, as PyTorch has it: with the gates reset, update, new in this order in
/// `i = x · wx + bx` and `j = h · wh + bh`,
///
/// `r = σ(iᵣ + jᵣ)`, `z = σ(i_z + j_z)`, `n = tanh(iₙ + r jₙ)`, and the state is `(1 - z) n + z h`.
///
/// `x` is (batch, n), `h` (batch, k), `wx` (n, 3k), `wh` (k, 3k), `bx` and `bh` (3k,).
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let (x, h) = (g.input("x", array![[1.0]]), g.input("h", array![[2.0]]));
/// let w = g.param("w", array![[0.0, 0.0, 0.0]]);
/// let b = g.param("b", array![0.0, 0.0, 0.0]);
/// assert_eq!(gradus::nn::gru_cell(x, h, w, w, b, b).value()?, array![[1.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the sizes do not fit, as [`matmul`](Var::matmul) and [`split`](Var::split).
#[track_caller]
#[must_use]
pub fn gru_cell<'g, T: Real>(
    x: Var<'g, T>,
    h: Var<'g, T>,
    wx: Var<'g, T>,
    wh: Var<'g, T>,
    bx: Var<'g, T>,
    bh: Var<'g, T>,
) -> Var<'g, T> {
    let (from_x, from_h) = ((x.matmul(wx) + bx).split(-1, 3), (h.matmul(wh) + bh).split(-1, 3));
    let reset = (from_x[0] + from_h[0]).sigmoid();
    let update = (from_x[1] + from_h[1]).sigmoid();
    let new = (from_x[2] + reset * from_h[2]).tanh();
    (1.0 - update) * new + update * h
}

/// The next output and state `[h, c]` of a long short-term memory: with the gates input, forget, cell, output in this order in
/// `x · wx + h · wh + b`,
///
/// `c' = σ(f) c + σ(i) tanh(g)` and `h' = σ(o) tanh(c')`.
///
/// `x` is (batch, n), `h` and `c` (batch, k), `wx` (n, 4k), `wh` (k, 4k), `b` (4k,).
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let (x, h, c) = (g.input("x", array![[1.0]]), g.input("h", array![[0.0]]), g.input("c", array![[2.0]]));
/// let w = g.param("w", array![[0.0, 0.0, 0.0, 0.0]]);
/// let b = g.param("b", array![0.0, 0.0, 0.0, 0.0]);
/// let [h, c] = gradus::nn::lstm_cell(x, [h, c], w, w, b);
/// assert_eq!(c.item()?, 1.0);
/// assert_eq!(h.item()?, 0.5 * 1_f64.tanh());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the sizes do not fit, as [`matmul`](Var::matmul) and [`split`](Var::split).
#[track_caller]
#[must_use]
pub fn lstm_cell<'g, T: Real>(
    x: Var<'g, T>,
    [h, c]: [Var<'g, T>; 2],
    wx: Var<'g, T>,
    wh: Var<'g, T>,
    b: Var<'g, T>,
) -> [Var<'g, T>; 2] {
    let gates = (x.matmul(wx) + h.matmul(wh) + b).split(-1, 4);
    let c = gates[1].sigmoid() * c + gates[0].sigmoid() * gates[2].tanh();
    [gates[3].sigmoid() * c.tanh(), c]
}

/// The states that `cell` goes through, from `state` along the first axis of `x`, (time, ..): one for each time, the last one
/// last. The number of times is that with which `x` was recorded; the other sizes are free.
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let x = g.input("x", array![1.0, 2.0, 3.0]);
/// let sums = gradus::nn::unroll(x, g.constant(10.0), |x, sum| sum + x);
/// assert_eq!(sums[2].item()?, 16.0);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If `x` has no axis. A run with another number of times is an error of the run.
#[track_caller]
#[must_use]
pub fn unroll<'g, T: Real, S: Clone>(
    x: Var<'g, T>,
    state: S,
    mut cell: impl FnMut(Var<'g, T>, S) -> S,
) -> Vec<S> {
    let times = x.shape().first().copied().unwrap_or(1);
    let mut states = Vec::with_capacity(times);
    let mut state = state;
    for now in x.split(0, times) {
        state = cell(now.squeeze(0), state);
        states.push(state.clone());
    }
    states
}

/// The states of [`rnn_cell`] from `h` along the first axis of `x`, (time, batch, n): [unrolled](unroll).
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let (x, h) = (g.input("x", array![[[1.0]], [[2.0]]]), g.input("h", array![[0.0]]));
/// let (w, b) = (g.param("w", array![[1.0]]), g.param("b", array![0.0]));
/// let states = gradus::nn::rnn_tanh(x, h, w, w, b);
/// assert!((states[1].item()? - (2.0 + 1_f64.tanh()).tanh()).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// As [`rnn_cell`].
#[track_caller]
#[must_use]
pub fn rnn_tanh<'g, T: Real>(
    x: Var<'g, T>,
    h: Var<'g, T>,
    wx: Var<'g, T>,
    wh: Var<'g, T>,
    b: Var<'g, T>,
) -> Vec<Var<'g, T>> {
    let times = x.shape().first().copied().unwrap_or(1);
    let mut states: Vec<Var<'g, T>> = Vec::with_capacity(times);
    // A loop, not a closure, so that a mistake is reported at the caller's line.
    for now in x.split(0, times) {
        let before = states.last().copied().unwrap_or(h);
        states.push(rnn_cell(now.squeeze(0), before, wx, wh, b));
    }
    states
}
