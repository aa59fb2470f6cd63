//! The walk that every notation shares: what is written out, in which order, and what is bound to a name.

use hashbrown::{HashMap, HashSet};

use super::shown::{changes_nothing, operands, shown, size};
use crate::graph::{Expr, Graph, NodeId, reach};
use crate::ops::{Op, Record};

/// A subexpression that is used more than once is bound to a name from this many characters on.
const SHARED: usize = 24;
/// Any subexpression is, from this many on.
const LONG: usize = 160;

/// How subexpressions are written.
pub(super) trait Notation {
    /// A subexpression as it is written, with what its users must know of it.
    type Piece: Clone;
    /// A leaf or a named node.
    fn name(&self, name: &str) -> Self::Piece;
    /// What is not named: a number, or the kind of a leaf.
    fn label(&self, label: &str) -> Self::Piece;
    /// The `k`-th of the subexpressions that are bound to names.
    fn bound(&self, k: usize) -> Self::Piece;
    /// An operation on operands, of which those are left out that are not [shown](shown()).
    fn operation(&self, e: Expr<'_>, op: &Op, record: &Record, operands: &[Self::Piece]) -> Self::Piece;
    /// How many characters a reader sees.
    fn length(&self, piece: &Self::Piece) -> usize;
}

/// How far formulas are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// To leaves and named nodes, which stand for themselves.
    Names,
    /// To the leaves: the formulas of named nodes are lines too.
    Leaves,
}

/// The formula of a node that is not written out where it is used.
pub(super) struct Line<P> {
    pub id: NodeId,
    pub name: P,
    pub formula: P,
}

/// The formulas of `roots`, after those of everything that is bound to a name on the way, in topological order. Of a freed
/// root there is none.
pub(super) fn lines<N: Notation>(
    graph: &Graph,
    roots: &[NodeId],
    notation: &N,
    scope: Scope,
) -> Vec<Line<N::Piece>> {
    let arena = graph.arena();
    let ends: HashSet<NodeId> = roots.iter().copied().collect();
    let name = |id: NodeId| arena.get(id).and_then(|node| node.name());
    let stops = |id: NodeId| scope == Scope::Names && !ends.contains(&id) && name(id).is_some();
    let nodes = reach(&arena, roots.iter().copied(), |user, _| !stops(user));
    // How often each is written.
    let mut uses: HashMap<NodeId, usize> = ends.iter().map(|&id| (id, 1)).collect();
    for &id in nodes.iter().rev().filter(|id| !stops(**id)) {
        if uses.contains_key(&id) {
            operands(graph.handle(id)).for_each(|operand| *uses.entry(operand.id()).or_default() += 1);
        }
    }
    let mut pieces: HashMap<NodeId, N::Piece> = HashMap::new();
    let (mut lines, mut bound) = (Vec::new(), 0);
    for (id, uses) in nodes.into_iter().filter_map(|id| Some((id, *uses.get(&id)?))) {
        let Some(node) = arena.get(id) else { continue };
        let named = node.name().map(|name| notation.name(name));
        let formula = match &named {
            Some(name) if stops(id) || node.op.is_leaf() => name.clone(),
            _ => write(graph.handle(id), &node.op, notation, |e| pieces[&e.id()].clone()),
        };
        let length = notation.length(&formula);
        let written_out = !ends.contains(&id) && length <= LONG && (uses == 1 || length <= SHARED);
        let stands_alone = stops(id) || node.op.is_leaf() || named.is_none() && written_out;
        if stands_alone && !ends.contains(&id) {
            pieces.insert(id, formula);
            continue;
        }
        let name = named.unwrap_or_else(|| {
            bound += 1;
            notation.bound(bound)
        });
        pieces.insert(id, name.clone());
        lines.push(Line { id, name, formula });
    }
    lines
}

/// A node, in terms of its operands.
pub(super) fn write<'g, N: Notation>(
    e: Expr<'g>,
    op: &Op,
    notation: &N,
    operand: impl Fn(Expr<'g>) -> N::Piece,
) -> N::Piece {
    if let Some(size) = size(e, op) {
        return notation.label(&size.to_string());
    }
    if changes_nothing(e, op) {
        return shown(e, 0).map_or_else(|| notation.label(&op.label()), operand);
    }
    let operands: Vec<N::Piece> = operands(e).map(operand).collect();
    match op.record() {
        Some(record) => notation.operation(e, op, &record, &operands),
        None => notation.label(&op.label()),
    }
}
