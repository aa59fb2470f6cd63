//! A formula that was derived by hand against the derived gradient.

use super::Failure;
use super::compare::{Question, compare};
use crate::element::Real;
use crate::graph::Var;

/// Asks whether `hand` is the derivative of `cost` with respect to `wrt`, a variable or any expression in between.
///
/// Both are computed at the present values of the leaves and at places nearby, so that formulas which agree only by accident (with
/// all weights zero, say) are told apart. A formula that is not the derivative is held against the slips that people make: first
/// as a whole, with another sign, times a number, transposed, as the derivative with respect to something else; then by
/// small changes at one place, of which one that makes it right is reported.
///
/// ```
/// use gradus::check::derivation;
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let (w, x) = (g.param("w", array![[0.1, -0.2]]), g.input("x", array![[1.0, -1.0], [0.5, 2.0]]));
/// let a = w.dot(x).tanh().named("a");
/// let dz = (1.0 - a.tanh().square()).named("dz");
/// let report = derivation(a.sum(), w, dz.dot(x.t())).unwrap_err().to_string();
/// assert!(report.ends_with("should be `a` (`tanh` is superfluous)"), "{report}");
/// ```
///
/// # Errors
/// - [`Failure::Mismatch`] if it is not, with what is wrong about it,
/// - [`Failure::NotF64`] for f32, [`Failure::NotFinite`] where the derivative is NaN or infinite,
/// - [`Failure::Error`] as [`try_grad`](Var::try_grad) and [`value`](Var::value).
pub fn derivation<'g, T: Real>(cost: Var<'g, T>, wrt: Var<'g, T>, hand: Var<'g, T>) -> Result<(), Failure> {
    compare(hand.erase(), Question::Derivative { cost: cost.erase(), wrt: wrt.erase() })
}

/// Asserts that `hand` is the derivative of `cost` with respect to `wrt`.
///
/// # Panics
/// With the text of the [`Failure`].
#[track_caller]
pub fn assert_derivation<'g, T: Real>(cost: Var<'g, T>, wrt: Var<'g, T>, hand: Var<'g, T>) {
    if let Err(failure) = derivation(cost, wrt, hand) {
        panic!("{failure}");
    }
}
