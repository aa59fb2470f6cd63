//! Something else in the place of a name, and something more beside an expression.

use super::operations::slope;
use super::{Found, Place, Reason, Scene, Site};
use crate::check::words::name_or_formula;
use crate::graph::Expr;
use crate::ops::{Binary, Op};
use crate::shape::broadcast;

/// Another name: `b1` for `b2`.
pub(super) fn names<'g>(scene: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    let Some(name) = place.e.name() else { return };
    for &other in scene.names.iter().filter(|other| other.ndim() == place.e.ndim()) {
        let reason = Reason::Name { found: name.clone(), expected: name_or_formula(other) };
        found.add(place, other, reason);
    }
}

/// A number more as divisor or factor.
pub(super) fn scales<'g>(scene: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    if place.e.as_number().is_some() {
        return;
    }
    for (number, size) in &scene.scales {
        let reason = |sign| Reason::Missing { what: format!("{sign} {number}"), size: size.clone() };
        found.add(place, place.e / *number, reason("/"));
        found.add(place, place.e * *number, reason("*"));
    }
}

/// A name more as summand: `+ b`; beside the formula as a whole also a number of times a name.
pub(super) fn terms<'g>(scene: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    if place.site == Site::Everywhere && place.e.id() == scene.hand.id() {
        for &(times, name) in &scene.lacks {
            beside(place, if times < 0.0 { Binary::Sub } else { Binary::Add }, times.abs() * name, found);
        }
    }
    for &other in scene.names.iter().filter(|&&other| stretches_to(other, place.e)) {
        beside(place, Binary::Add, other, found);
        beside(place, Binary::Sub, other, found);
    }
}

/// A name, or the derivative of a function, more as factor.
pub(super) fn factors<'g>(scene: &Scene<'g>, place: Place<'g>, found: &mut Found<'g>) {
    for slope in scene.activations.iter().filter_map(|&y| slope(y)) {
        if slope.shape() == place.e.shape() {
            beside(place, Binary::Mul, slope, found);
        }
    }
    for &other in scene.names.iter().filter(|&&other| stretches_to(other, place.e)) {
        beside(place, Binary::Mul, other, found);
        beside(place, Binary::Div, other, found);
    }
}

fn beside<'g>(place: Place<'g>, op: Binary, other: Expr<'g>, found: &mut Found<'g>) {
    let text = name_or_formula(other);
    let sum = op != Binary::Add && matches!(other.op(), Some(Op::Binary(Binary::Add | Binary::Sub)));
    let text = if sum && other.name().is_none() { format!("({text})") } else { text };
    let op = Op::Binary(op);
    let what = format!("{} {text}", op.name());
    found.apply(place, op, &[place.e, other], Reason::missing(what));
}

/// Whether `e` beside `other` does not change the other's shape.
fn stretches_to(e: Expr<'_>, other: Expr<'_>) -> bool {
    broadcast(&e.shape(), &other.shape()).is_ok_and(|shape| shape == other.shape())
}
