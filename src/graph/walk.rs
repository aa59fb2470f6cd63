//! Walks over the tape: loops, never recursion, so that a chain of a million nodes is no problem.

use super::arena::Arena;
use super::node::NodeId;

/// A set of nodes of one arena, as a bit for each position.
#[derive(Clone)]
pub(crate) struct NodeSet(Vec<u64>);

impl NodeSet {
    /// The empty set, with room for the nodes of `arena`.
    pub fn new(arena: &Arena) -> Self {
        Self(vec![0; arena.order().len().div_ceil(64)])
    }

    /// Whether it was not there before.
    pub fn insert(&mut self, position: u32) -> bool {
        let (word, bit) = (&mut self.0[position as usize / 64], 1 << (position % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// The nodes that `roots` are computed from, themselves included, in topological order. `follow(user, k)` says
/// whether the k-th operand of a node belongs to it.
pub(crate) fn reach(
    arena: &Arena,
    roots: impl IntoIterator<Item = NodeId>,
    follow: impl Fn(NodeId, usize) -> bool,
) -> Vec<NodeId> {
    let mut seen = NodeSet::new(arena);
    let mut reached = Vec::new();
    let mut open: Vec<NodeId> = roots.into_iter().collect();
    while let Some(id) = open.pop() {
        let Some(node) = arena.get(id) else { continue };
        if seen.insert(node.position) {
            reached.push((node.position, id));
            let followed = node.inputs.iter().enumerate().filter(|&(k, _)| follow(id, k));
            open.extend(followed.map(|(_, &operand)| operand));
        }
    }
    reached.sort_unstable();
    reached.into_iter().map(|(_, id)| id).collect()
}
