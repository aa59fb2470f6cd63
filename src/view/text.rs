//! An expression as text, in the notation in which a user writes it.

use std::fmt;

use hashbrown::HashMap;

use crate::element::Dtype;
use crate::graph::{Expr, NodeId, Var, reach};
use crate::ops::{ArgSort, Fold, Gather, Index, Layout, Logic, Notation, Op, Order, Reduce, Scan, Slicing};
use crate::rewrite::as_in_textbooks;
use crate::shape::Axes;

/// A subexpression that is used more than once is bound to a name from this many characters on.
const SHARED: usize = 24;
/// Any subexpression is, from this many on.
const LONG: usize = 160;

/// How strongly the outermost sign of a text binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Infix(u8),
    Prefix,
    Method,
}

/// The text of a subexpression.
#[derive(Clone)]
struct Piece {
    text: String,
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
        if root.op().is_none() {
            return f.write_str("freed");
        }
        as_in_textbooks(&[root], |roots| print(roots[0], f))
    }
}

fn print(root: Expr<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let graph = root.graph();
    let arena = graph.arena();
    let named = |id: NodeId| id != root.id() && arena.get(id).is_some_and(|node| node.name().is_some());
    let nodes = reach(&arena, [root.id()], |user, _| !named(user));
    // How often each is printed.
    let mut uses: HashMap<NodeId, usize> = HashMap::from([(root.id(), 1)]);
    for &id in nodes.iter().rev().filter(|id| !named(**id)) {
        if uses.contains_key(&id) {
            let e = graph.handle(id);
            (0..e.inputs().len()).filter_map(|k| printed(e, k)).for_each(|operand| {
                *uses.entry(operand.id()).or_default() += 1;
            });
        }
    }
    let mut pieces: HashMap<NodeId, Piece> = HashMap::new();
    let mut bound = 0;
    for (id, uses) in nodes.into_iter().filter_map(|id| Some((id, *uses.get(&id)?))) {
        let Some(node) = arena.get(id) else { continue };
        let e = graph.handle(id);
        let piece = match node.name() {
            Some(name) if named(id) || node.op.is_leaf() => Piece::atom(name),
            _ => piece(e, &node.op, |k| Some(pieces[&printed(e, k)?.id()].clone())),
        };
        let length = piece.text.chars().count();
        let bind = id != root.id() && (length > LONG || uses > 1 && length > SHARED);
        let piece = if bind {
            bound += 1;
            writeln!(f, "let v{bound} = {};", piece.text)?;
            Piece::atom(format!("v{bound}"))
        } else {
            piece
        };
        pieces.insert(id, piece);
    }
    f.write_str(&pieces[&root.id()].text)
}

/// Operand `k` as it is printed: without what changes nothing, and without a broadcast that the operator makes all the
/// same; nothing, if the text does not name it.
fn printed(user: Expr<'_>, k: usize) -> Option<Expr<'_>> {
    let op = user.op()?;
    let named = match &op {
        Op::Reduce(_) => !is_number(user, &op),
        Op::Layout(Layout::SumLike) => k == 0 || stretched(user).is_none(),
        Op::Surrogate(surrogate) => surrogate.shows(k),
        Op::Layout(_)
        | Op::Order(_)
        | Op::Random(_)
        | Op::Slicing(Slicing::Unslice { .. } | Slicing::Undiagonal { .. } | Slicing::PartLike { .. }) => {
            k == 0
        }
        Op::Gather(Gather::ScatterAdd(_) | Gather::ScatterAlong(_)) => k < 2,
        Op::Gather(Gather::Writers(_)) => k == 0,
        _ => true,
    };
    let inputs = user.inputs();
    let operand = plain(*inputs.get(k).filter(|_| named)?);
    let infix = op == Op::Logic(Logic::Select)
        || op.record().is_some_and(|record| matches!(record.notation, Notation::Infix(_)));
    let others = || inputs.iter().enumerate().filter(|&(other, _)| other != k);
    let stretched = infix && others().any(|(_, other)| other.shape() == user.shape());
    match operand.op() {
        Some(op) if stretched && operand.name().is_none() && is_implicit(operand, &op) => {
            Some(plain(operand.inputs()[0]))
        }
        _ => Some(operand),
    }
}

/// What is left of an expression without what changes nothing.
fn plain(mut e: Expr<'_>) -> Expr<'_> {
    while e.name().is_none() && e.op().is_some_and(|op| changes_nothing(e, &op)) {
        e = e.inputs()[0];
    }
    e
}

/// Whether it gives an operand the shape that it has at recording.
fn changes_nothing(e: Expr<'_>, op: &Op) -> bool {
    if *op == Op::Order(Order::After) {
        return true;
    }
    let takes_shape = match op {
        Op::Layout(Layout::SumLike | Layout::ReshapeLike) => true,
        Op::Layout(Layout::BroadcastLike { axes }) => axes.count() == 0,
        Op::Index(Index::Within(_) | Index::Counted(_)) => true,
        _ => false,
    };
    takes_shape && e.inputs()[0].shape() == e.shape()
}

/// The axes over which a `sum_like` sums, and whether they stay with size 1; nothing if some do and some do not.
fn stretched(sum: Expr<'_>) -> Option<(Axes, bool)> {
    let (from, to) = (sum.inputs()[0].shape(), sum.shape());
    let new = from.ndim() - to.ndim();
    let is_summed = |&axis: &usize| axis < new || from[axis] != to[axis - new];
    let axes: Vec<usize> = (0..from.ndim()).filter(is_summed).collect();
    let kept = new == 0;
    (kept || axes.len() == new).then(|| (Axes::from(&axes[..]), kept))
}

/// Whether it is a broadcast of a scalar or along leading axes, which operators make by themselves.
fn is_implicit(e: Expr<'_>, op: &Op) -> bool {
    match op {
        Op::Layout(Layout::BroadcastLike { axes }) => axes.count() == 0 || e.inputs()[0].ndim() == 0,
        _ => false,
    }
}

/// Whether it is the size of something that has no name.
fn is_number(e: Expr<'_>, op: &Op) -> bool {
    matches!(op, Op::Reduce(Reduce { fold: Fold::Size, .. })) && e.inputs()[0].name().is_none()
}

fn piece(e: Expr<'_>, op: &Op, operand: impl Fn(usize) -> Option<Piece>) -> Piece {
    if let Op::Reduce(Reduce { axes, .. }) = op
        && is_number(e, op)
    {
        let shape = e.inputs()[0].shape();
        return Piece::atom(axes.iter().map(|axis| shape[axis]).product::<usize>().to_string());
    }
    let operands: Vec<Piece> = (0..e.inputs().len()).filter_map(operand).collect();
    let (Some(record), Some((first, rest))) = (op.record(), operands.split_first()) else {
        let label = op.label();
        let binding = if label.starts_with('-') { Binding::Prefix } else { Binding::Method };
        return Piece { text: label, binding };
    };
    match record.notation {
        _ if changes_nothing(e, op) => first.clone(),
        Notation::Prefix => {
            Piece { text: format!("{}{}", record.name, first.at(Binding::Prefix)), binding: Binding::Prefix }
        }
        Notation::Infix(strength) => {
            let binding = Binding::Infix(strength);
            let right: String = rest.iter().map(|right| right.above(binding)).collect();
            Piece { text: format!("{} {} {right}", first.at(binding), record.name), binding }
        }
        Notation::Method => {
            let (name, attributes) = method(e, op, record.name);
            let rest = rest.iter().map(|piece| piece.text.clone());
            if let Op::Slicing(Slicing::Concat { axis, .. }) = op {
                let parts: Vec<String> = std::iter::once(first.text.clone()).chain(rest).collect();
                return Piece::atom(format!("concat([{}], {axis})", parts.join(", ")));
            }
            let arguments: Vec<String> = match op {
                Op::Index(_) | Op::Gather(_) | Op::Scan(_) => attributes.into_iter().chain(rest).collect(),
                _ => rest.chain(attributes).collect(),
            };
            Piece::atom(format!("{}.{name}({})", first.at(Binding::Method), arguments.join(", ")))
        }
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
        Op::Layout(Layout::SumLike) => match stretched(e) {
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
