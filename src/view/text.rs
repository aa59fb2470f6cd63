//! An expression as text, in the notation in which a user writes it.

use std::fmt;

use super::formula::{Bodies, Notation, Scope, lines};
use super::shown::summed;
use crate::element::Dtype;
use crate::graph::{Expr, Var};
use crate::ops::{ArgSort, Layout, Logic, Notation as Sign, Op, Record, Reduce, Scan, Slicing};
use crate::rewrite::as_in_textbooks;

/// Prints the formula as it would be written, with leaves and named nodes by their names. A subexpression that is
/// long, or shared and not short, is bound to a name in a line of its own.
///
/// A derivative is printed as a textbook writes it, which [`simplify`](Var::simplify) says more of; what a caller wrote is
/// printed as it is written.
///
/// What takes its sizes from elsewhere is printed as it is at the recorded sizes: a [`sum_like`](Var::sum_like) where
/// nothing was broadcast is left out, and so is a broadcast that an operator makes anyhow; the size of something that
/// has no name is printed as a number.
///
/// ```
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let (x, w, b) = (g.input("x", array![[1.0, 2.0]]), g.param("w", array![[3.0]]), g.param("b", 0.5));
/// assert_eq!((w.t().dot(x) + b).sigmoid().to_string(), "(w.t().dot(x) + b).sigmoid()");
/// assert_eq!(x.tanh().sum().grad(x).to_string(), "1 - x.tanh().square()");
/// ```
impl<T: Dtype> fmt::Display for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.erase();
        as_in_textbooks(&[root], |roots| {
            match lines(&[roots[0]], &Text, &Bodies::default(), Scope::Names).split_last() {
                None => f.write_str("freed"),
                Some((result, bound)) => {
                    for line in bound {
                        writeln!(f, "let {} = {};", line.name.text, line.formula.text)?;
                    }
                    f.write_str(&result.formula.text)
                }
            }
        })
    }
}

/// The notation in which a user writes.
pub(super) struct Text;

/// How strongly the outermost sign of a text binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Infix(u8),
    Prefix,
    Method,
}

/// The text of a subexpression.
#[derive(Clone)]
pub(super) struct Piece {
    pub text: String,
    binding: Binding,
}

impl Piece {
    fn atom(text: impl Into<String>) -> Self {
        Self { text: text.into(), binding: Binding::Method }
    }

    /// In parentheses, unless it binds as strongly as `least`.
    fn at(&self, least: Binding) -> String {
        if self.binding >= least { self.text.clone() } else { format!("({})", self.text) }
    }

    /// In parentheses, unless it binds more strongly than `bound`.
    fn above(&self, bound: Binding) -> String {
        if self.binding > bound { self.text.clone() } else { format!("({})", self.text) }
    }
}

impl Notation for Text {
    type Piece = Piece;

    fn name(&self, name: &str) -> Piece {
        Piece::atom(name)
    }

    fn label(&self, label: &str) -> Piece {
        let binding = if label.starts_with('-') { Binding::Prefix } else { Binding::Method };
        Piece { text: label.to_owned(), binding }
    }

    fn bound(&self, k: usize) -> Piece {
        Piece::atom(format!("v{k}"))
    }

    fn operation(&self, e: Expr<'_>, op: &Op, record: &Record, operands: &[Piece]) -> Piece {
        let Some((first, rest)) = operands.split_first() else { return self.label(record.name) };
        match record.notation {
            Sign::Prefix => {
                let text = format!("{}{}", record.name, first.at(Binding::Prefix));
                Piece { text, binding: Binding::Prefix }
            }
            Sign::Infix(strength) => {
                let binding = Binding::Infix(strength);
                let right: String = rest.iter().map(|right| right.above(binding)).collect();
                Piece { text: format!("{} {} {right}", first.at(binding), record.name), binding }
            }
            Sign::Method => {
                let (name, attributes) = method(e, op, record.name);
                let rest = rest.iter().map(|piece| piece.text.clone());
                if let Op::Slicing(Slicing::Concat { axis, .. }) = op {
                    let parts: Vec<String> = std::iter::once(first.text.clone()).chain(rest).collect();
                    return Piece::atom(format!("concat([{}], {axis})", parts.join(", ")));
                }
                let arguments: Vec<String> = match op {
                    Op::Index(_) | Op::Gather(_) | Op::Scan(_) => {
                        attributes.into_iter().chain(rest).collect()
                    }
                    _ => rest.chain(attributes).collect(),
                };
                Piece::atom(format!("{}.{name}({})", first.at(Binding::Method), arguments.join(", ")))
            }
        }
    }

    fn length(&self, piece: &Piece) -> usize {
        piece.text.chars().count()
    }
}

/// The method and its arguments behind the operands.
fn method(e: Expr<'_>, op: &Op, name: &str) -> (String, Option<String>) {
    match op {
        Op::Reduce(Reduce { axes, keepdims, .. }) => {
            let all = axes.count() == e.inputs()[0].ndim();
            match (all, keepdims) {
                _ if name == "size_of" => (name.to_owned(), Some(axes.to_string())),
                (true, false) => (name.to_owned(), None),
                (_, false) => (format!("{name}_axis"), Some(axes.to_string())),
                (_, true) => (format!("{name}_keepdims"), Some(axes.to_string())),
            }
        }
        Op::Layout(Layout::SumLike) if e.ndim() == 0 => ("sum".to_owned(), None),
        Op::Layout(Layout::SumLike) => match summed(e) {
            Some((axes, true)) => ("sum_keepdims".to_owned(), Some(axes.to_string())),
            Some((axes, false)) => ("sum_axis".to_owned(), Some(axes.to_string())),
            None => (name.to_owned(), None),
        },
        Op::Layout(Layout::BroadcastLike { .. }) => ("broadcast_to".to_owned(), Some(e.shape().to_string())),
        Op::Layout(Layout::ReshapeLike | Layout::UnflattenLike { .. }) => {
            ("reshape".to_owned(), Some(e.shape().to_string()))
        }
        Op::Layout(Layout::Transpose { axes }) if axes.iter().rev().eq(0..axes.count()) => {
            ("t".to_owned(), None)
        }
        Op::Layout(Layout::Flatten { .. }) => {
            (name.to_owned(), Some(format!("[{}]", op.attributes().unwrap_or_default())))
        }
        Op::Logic(Logic::Cast(dtype)) => (format!("cast::<{dtype}>"), None),
        Op::Scan(Scan { axis, reverse: true, .. }) => (format!("{name}_reverse"), Some(axis.to_string())),
        Op::ArgSort(ArgSort { axis, descending: true }) => {
            (format!("{name}_descending"), Some(axis.to_string()))
        }
        _ => (name.to_owned(), op.attributes()),
    }
}

/// An operation without its operands: its sign, or its method with the arguments that are no operands.
pub(super) fn head(e: Expr<'_>) -> String {
    let Some((op, record)) = e.op().and_then(|op| Some((op.clone(), op.record()?))) else {
        return String::new();
    };
    match (record.notation, method(e, &op, record.name)) {
        (Sign::Method, (name, Some(attributes))) => format!("{name}({attributes})"),
        (_, (name, _)) => name,
    }
}
