//! The walk that every notation shares: what is written out, in which order, and what is bound to a name.

use hashbrown::{HashMap, HashSet};

use super::shown::{changes_nothing, operands, plain, shown, size};
use crate::graph::{Expr, NodeId};
use crate::ops::{Op, Record};

/// A subexpression that is used more than once is bound to a name from this many characters on.
const SHARED: usize = 24;

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

impl Scope {
    /// From how many characters on any subexpression is bound to a name.
    const fn long(self) -> usize {
        match self {
            Self::Names => 160,
            Self::Leaves => 80,
        }
    }
}

/// Which formulas nodes are shown with, where that is not their own.
#[derive(Default)]
pub(super) struct Bodies<'g>(HashMap<NodeId, Expr<'g>>);

impl<'g> Bodies<'g> {
    /// Each of `nodes` with the formula beside it.
    pub fn new(nodes: &[Expr<'g>], formulas: &[Expr<'g>]) -> Self {
        let others = nodes.iter().zip(formulas).filter(|(node, formula)| node.id() != formula.id());
        Self(others.map(|(node, &formula)| (node.id(), plain(formula))).collect())
    }

    fn body(&self, e: Expr<'g>) -> Expr<'g> {
        self.0.get(&e.id()).copied().unwrap_or(e)
    }

    /// The node that a node is only another name of.
    fn alias(&self, e: Expr<'g>) -> Option<Expr<'g>> {
        let body = self.body(e);
        (body.id() != e.id() && (body.is_named() || body.leaf().is_some())).then_some(body)
    }

    /// What is shown of the operands.
    pub fn operands(&self, e: Expr<'g>) -> Vec<Expr<'g>> {
        match self.alias(e) {
            Some(other) => vec![other],
            None => operands(self.body(e)).collect(),
        }
    }

    /// A node in terms of its operands.
    pub fn write<N: Notation>(
        &self,
        e: Expr<'g>,
        notation: &N,
        operand: impl Fn(Expr<'g>) -> N::Piece,
    ) -> N::Piece {
        match self.alias(e) {
            Some(other) => operand(other),
            None => write(self.body(e), notation, operand),
        }
    }

    /// All nodes that are shown of `roots`, operands before their users. `stops` says of which the operands are not.
    pub fn in_order(&self, roots: &[Expr<'g>], stops: impl Fn(Expr<'g>) -> bool) -> Vec<Expr<'g>> {
        let mut found = Vec::new();
        let mut seen: HashSet<NodeId> = HashSet::new();
        let mut open: Vec<(Expr<'g>, std::vec::IntoIter<Expr<'g>>)> = Vec::new();
        let enter = |e: Expr<'g>| (e, if stops(e) { Vec::new() } else { self.operands(e) }.into_iter());
        for &root in roots {
            if seen.insert(root.id()) {
                open.push(enter(root));
            }
            while let Some((e, operands)) = open.last_mut() {
                match operands.next() {
                    Some(operand) if seen.insert(operand.id()) => open.push(enter(operand)),
                    Some(_) => {}
                    None => {
                        found.push(*e);
                        open.pop();
                    }
                }
            }
        }
        if self.0.is_empty() {
            found.sort_by_cached_key(|e| e.graph().arena().position(e.id()));
        }
        found
    }
}

/// The formula of a node that is not written out where it is used.
pub(super) struct Line<'g, P> {
    pub node: Expr<'g>,
    pub name: P,
    pub formula: P,
}

/// The formulas of `roots`, after those of everything that is bound to a name on the way. Of a freed root there is none.
pub(super) fn lines<'g, N: Notation>(
    roots: &[Expr<'g>],
    notation: &N,
    bodies: &Bodies<'g>,
    scope: Scope,
) -> Vec<Line<'g, N::Piece>> {
    let ends: HashSet<NodeId> = roots.iter().map(|root| root.id()).collect();
    let stops = |e: Expr<'g>| scope == Scope::Names && !ends.contains(&e.id()) && e.is_named();
    let nodes = bodies.in_order(roots, stops);
    // How often each is written.
    let mut uses: HashMap<NodeId, usize> = HashMap::new();
    for &e in nodes.iter().filter(|e| !stops(**e)) {
        bodies.operands(e).into_iter().for_each(|operand| *uses.entry(operand.id()).or_default() += 1);
    }
    let mut pieces: HashMap<NodeId, N::Piece> = HashMap::new();
    let (mut lines, mut bound) = (Vec::new(), 0);
    for node in nodes.into_iter().filter(|e| e.op().is_some()) {
        let is_end = ends.contains(&node.id());
        let name = node.look(|node| node.name().map(|name| notation.name(name))).flatten();
        let stands_for_itself = stops(node) || node.leaf().is_some();
        let formula = match &name {
            Some(name) if stands_for_itself => name.clone(),
            _ => bodies.write(node, notation, |e| pieces[&e.id()].clone()),
        };
        let length = notation.length(&formula);
        let is_short =
            length <= scope.long() && (length <= SHARED || uses.get(&node.id()).is_none_or(|&n| n < 2));
        if !is_end && (stands_for_itself || name.is_none() && is_short) {
            pieces.insert(node.id(), formula);
            continue;
        }
        let name = name.unwrap_or_else(|| {
            bound += 1;
            notation.bound(bound)
        });
        pieces.insert(node.id(), name.clone());
        lines.push(Line { node, name, formula });
    }
    lines
}

/// A node, in terms of its operands.
fn write<'g, N: Notation>(e: Expr<'g>, notation: &N, operand: impl Fn(Expr<'g>) -> N::Piece) -> N::Piece {
    let Some(op) = e.op() else { return notation.label("freed") };
    if let Some(size) = size(e, &op) {
        return notation.label(&size.to_string());
    }
    if changes_nothing(e, &op) {
        return shown(e, 0).map_or_else(|| notation.label(&op.label()), operand);
    }
    match op.record() {
        Some(record) => {
            let operands: Vec<N::Piece> = operands(e).map(operand).collect();
            notation.operation(e, &op, &record, &operands)
        }
        None => notation.label(&op.label()),
    }
}
