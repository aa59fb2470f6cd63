//! Walks over the tape: loops, never recursion, so that a chain of a million nodes is no problem.

use super::arena::Arena;
use super::node::{Node, NodeId};

/// A set of nodes of one arena, as a bit for each position.
#[derive(Clone)]
pub(crate) struct NodeSet(Vec<u64>);

impl NodeSet {
    /// The empty set, with room for the nodes of `arena`.
    pub fn new(arena: &Arena) -> Self {
        Self::below(arena.order().len())
    }

    /// The empty set, with room for the first `length` nodes.
    fn below(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    /// Whether it was not there before.
    pub fn insert(&mut self, position: u32) -> bool {
        let (word, bit) = (&mut self.0[position as usize / 64], 1 << (position % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// The nodes that some nodes are computed from, themselves included, in topological order, and the place of each
/// among them.
pub(crate) struct Reached {
    pub nodes: Vec<NodeId>,
    set: NodeSet,
    /// How many of them stand before each word of the set.
    before: Vec<u32>,
}

impl Reached {
    /// What `roots` are computed from. `follow(id, node, k)` says whether the k-th operand of a node belongs to it.
    pub fn new(
        arena: &Arena,
        roots: impl IntoIterator<Item = NodeId>,
        follow: impl Fn(NodeId, &Node, usize) -> bool,
    ) -> Self {
        let roots: smallvec::SmallVec<[u32; 8]> =
            roots.into_iter().filter_map(|id| arena.position(id)).collect();
        let mut set = NodeSet::below(roots.iter().max().map_or(0, |&last| last as usize + 1));
        for position in roots {
            set.insert(position);
        }
        // Operands stand before their users: one pass from the end reaches everything.
        for word in (0..set.0.len()).rev() {
            let mut open = set.0[word];
            while open != 0 {
                let bit = open.ilog2();
                let id = arena.order()[word * 64 + bit as usize];
                let Some(node) = arena.get(id) else { break };
                for (k, &operand) in node.inputs.iter().enumerate() {
                    if follow(id, node, k)
                        && let Some(position) = arena.position(operand)
                    {
                        set.insert(position);
                    }
                }
                open = set.0[word] & ((1 << bit) - 1);
            }
        }
        Self::from_set(arena, set)
    }

    fn from_set(arena: &Arena, set: NodeSet) -> Self {
        let mut total = 0;
        let mut before = Vec::with_capacity(set.0.len());
        for word in &set.0 {
            before.push(total);
            total += word.count_ones();
        }
        let mut nodes = Vec::with_capacity(total as usize);
        for (word, &bits) in set.0.iter().enumerate() {
            let mut open = bits;
            while open != 0 {
                nodes.push(arena.order()[word * 64 + open.trailing_zeros() as usize]);
                open &= open - 1;
            }
        }
        Self { nodes, set, before }
    }

    /// The place of the node at a position, if it is among them.
    pub fn place(&self, position: u32) -> Option<usize> {
        let (word, bit) = (position as usize / 64, 1_u64 << (position % 64));
        let bits = *self.set.0.get(word)?;
        (bits & bit != 0).then(|| (self.before[word] + (bits & (bit - 1)).count_ones()) as usize)
    }

    /// The place of a node, if it is among them.
    pub fn place_of(&self, arena: &Arena, id: NodeId) -> Option<usize> {
        self.place(arena.position(id)?)
    }
}

/// The nodes that `roots` are computed from, themselves included, in topological order. `follow(user, k)` says
/// whether the k-th operand of a node belongs to it.
pub(crate) fn reach(
    arena: &Arena,
    roots: impl IntoIterator<Item = NodeId>,
    follow: impl Fn(NodeId, usize) -> bool,
) -> Vec<NodeId> {
    Reached::new(arena, roots, |id, _, k| follow(id, k)).nodes
}
