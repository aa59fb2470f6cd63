//! Values that the backward pass computes a second time: those behind a [`checkpoint`](crate::Var::checkpoint).

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::graph::{Expr, Node, NodeId, Reached};
use crate::ops::{Op, Order};

/// The nodes between one mark and the marks and leaves before it, as copies for the backward pass.
///
/// A copy is computed from the marked values and leaves once the cotangent of the mark is there, which
/// [`Order::After`] says; so it is another node than the original, and the original is not kept for it. Derivative
/// rules read copies in the place of originals, and nothing else in the sweep changes: neither which cotangents are
/// added nor in which order.
#[derive(Default)]
pub(super) struct Recomputed<'g> {
    copies: HashMap<NodeId, Expr<'g>>,
}

impl<'g> Recomputed<'g> {
    /// Copies what lies before `mark`, if it is one. `cotangent` is its cotangent.
    pub fn enter(&mut self, mark: Expr<'g>, cotangent: Expr<'g>) {
        if !is_mark(mark) {
            return;
        }
        let graph = mark.graph();
        let follow = |user, node: &Node, k| {
            (user == mark.id() || node.op != Op::Order(Order::Checkpoint)) && node.op.reads(k)
        };
        let nodes = Reached::new(&graph.arena(), [mark.id()], follow).nodes;
        let mut here: HashMap<NodeId, Expr<'g>> = HashMap::with_capacity(nodes.len());
        for e in nodes.into_iter().map(|id| graph.handle(id)).filter(|e| e.id() != mark.id()) {
            let Some(op) = e.op() else { continue };
            let copy = graph.with_origin(e.origin(), || match op {
                Op::Literal(_) => e,
                op if op.is_leaf() || is_mark(e) => e.after(cotangent),
                op => *self.copies.entry(e.id()).or_insert_with(|| copied(e, op, &here)),
            });
            here.insert(e.id(), copy);
        }
    }

    /// Operands and result of `y` as its derivative rule reads them.
    pub fn site(&self, y: Expr<'g>, inputs: &[Expr<'g>]) -> (SmallVec<[Expr<'g>; 3]>, Expr<'g>) {
        match self.copies.get(&y.id()) {
            Some(&copy) => {
                let copied = |input: &Expr<'g>| self.copies.get(&input.id()).copied().unwrap_or(*input);
                (inputs.iter().map(copied).collect(), copy)
            }
            None => (inputs.into(), y),
        }
    }
}

/// The operation of `e` on the copies of what it reads.
fn copied<'g>(e: Expr<'g>, op: Op, copies: &HashMap<NodeId, Expr<'g>>) -> Expr<'g> {
    let graph = e.graph();
    let inputs = e.inputs();
    let each = inputs.iter().enumerate();
    let inputs: SmallVec<[Expr<'g>; 3]> =
        each.map(|(k, input)| if op.reads(k) { copies[&input.id()] } else { *input }).collect();
    let copy = graph.apply(op, &inputs).expect("a copy has the shapes of the original");
    // It has the shape of the original whatever is fed, and rules are to know that.
    let root = e.shape_root().id();
    let mut arena = graph.arena_mut();
    let newer = arena.get(root).map(|node| node.position);
    if let Some(node) = arena.get_mut(copy.id()).filter(|node| Some(node.position) > newer) {
        node.shape_root = root;
    }
    drop(arena);
    copy
}

fn is_mark(e: Expr<'_>) -> bool {
    e.is(|op| *op == Op::Order(Order::Checkpoint))
}
