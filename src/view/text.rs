//! An expression as text, in the notation in which a user writes it.

use std::fmt;

use hashbrown::HashMap;

use crate::element::Dtype;
use crate::graph::{Expr, NodeId, Var, reach};
use crate::ops::{Layout, Logic, Notation, Op, Reduce};

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
/// long, or shared and not short, is bound to a name in a line of its own. What does nothing at the recorded shapes (a
/// [`sum_like`](Var::sum_like) where nothing was broadcast) is left out.
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
        let graph = self.graph();
        let arena = graph.arena();
        let named = |id: NodeId| id != root.id() && arena.get(id).is_some_and(|node| node.name().is_some());
        let nodes = reach(&arena, [root.id()], |user, k| {
            !named(user) && arena.get(user).is_some_and(|node| shown(graph.handle(user), &node.op, k))
        });
        let mut uses: HashMap<NodeId, usize> = HashMap::new();
        for &id in &nodes {
            if let Some(node) = arena.get(id).filter(|_| !named(id)) {
                node.inputs.iter().for_each(|&input| *uses.entry(input).or_default() += 1);
            }
        }
        let mut pieces: HashMap<NodeId, Piece> = HashMap::new();
        let mut bound = 0;
        for id in nodes {
            let Some(node) = arena.get(id) else { continue };
            let piece = match node.name() {
                Some(name) if id != root.id() || node.op.is_leaf() => Piece::atom(name),
                _ => piece(graph.handle(id), &node.op, |k| pieces[&node.inputs[k]].clone()),
            };
            let length = piece.text.chars().count();
            let shared = uses.get(&id).is_some_and(|&uses| uses > 1) && length > SHARED;
            let piece = if id != root.id() && (shared || length > LONG) {
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
}

/// Whether operand `k` appears in the text.
fn shown(e: Expr<'_>, op: &Op, k: usize) -> bool {
    k == 0 || !changes_nothing(e, op)
}

/// Whether it gives an operand the shape that it has at recording.
fn changes_nothing(e: Expr<'_>, op: &Op) -> bool {
    let takes_shape = match op {
        Op::Layout(Layout::SumLike | Layout::ReshapeLike) => true,
        Op::Layout(Layout::BroadcastLike { axes }) => axes.count() == 0,
        _ => false,
    };
    takes_shape && e.inputs()[0].shape() == e.shape()
}

fn piece(e: Expr<'_>, op: &Op, operand: impl Fn(usize) -> Piece) -> Piece {
    if changes_nothing(e, op) {
        return operand(0);
    }
    let Some(record) = op.record() else {
        let label = op.label();
        let binding = if label.starts_with('-') { Binding::Prefix } else { Binding::Method };
        return Piece { text: label, binding };
    };
    match record.notation {
        Notation::Prefix => Piece {
            text: format!("{}{}", record.name, operand(0).at(Binding::Prefix)),
            binding: Binding::Prefix,
        },
        Notation::Infix(strength) => {
            let binding = Binding::Infix(strength);
            let (left, right) = (operand(0).at(binding), operand(1).above(binding));
            Piece { text: format!("{left} {} {right}", record.name), binding }
        }
        Notation::Method => {
            let rest = (1..e.inputs().len()).map(|k| operand(k).text);
            let (name, attributes) = method(e, op, record.name);
            let arguments: Vec<String> = rest.chain(attributes).collect();
            Piece::atom(format!("{}.{name}({})", operand(0).at(Binding::Method), arguments.join(", ")))
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
        Op::Layout(Layout::Transpose { axes }) if axes.iter().rev().eq(0..axes.count()) => {
            ("t".to_owned(), None)
        }
        Op::Logic(Logic::Cast(dtype)) => (format!("cast::<{dtype}>"), None),
        _ => (name.to_owned(), op.attributes()),
    }
}
