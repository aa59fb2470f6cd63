//! Two formulas for one function.

use super::Failure;
use super::compare::{Question, compare};
use crate::element::Real;
use crate::graph::Var;

/// Asks whether `formula` is the same function of its leaves as `reference`.
///
/// Both are computed at the present values of the leaves and at places nearby; a formula that is another function is held against the
/// slips that people make, as by [`derivation`](super::derivation).
///
/// ```
/// use gradus::check::equality;
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let x = g.input("x", array![0.5, -1.0, 2.0]);
/// let softmax = x.exp() / x.exp().sum();
/// assert!(equality(softmax, x.softmax(0)).is_ok());
/// let report = equality(x.exp() / x.sum(), x.softmax(0)).unwrap_err().to_string();
/// assert!(report.starts_with("this is not the same function as `x.softmax(0)`: `x` in `x.sum()` at "), "{report}");
/// assert!(report.ends_with(" should be `x.exp()` (`exp` is missing)"), "{report}");
/// ```
///
/// # Errors
/// - [`Failure::Mismatch`] if it is not, with what is wrong about it,
/// - [`Failure::NotF64`] for f32, [`Failure::NotFinite`] where the reference is NaN or infinite,
/// - [`Failure::Error`] as [`value`](Var::value).
pub fn equality<'g, T: Real>(formula: Var<'g, T>, reference: Var<'g, T>) -> Result<(), Failure> {
    compare(formula.erase(), Question::Reference(reference.erase()))
}

/// Asserts that `formula` is the same function of its leaves as `reference`.
///
/// # Panics
/// With the text of the [`Failure`].
#[track_caller]
pub fn assert_equality<'g, T: Real>(formula: Var<'g, T>, reference: Var<'g, T>) {
    if let Err(failure) = equality(formula, reference) {
        panic!("{failure}");
    }
}
