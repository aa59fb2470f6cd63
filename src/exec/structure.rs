//! What two recordings have in common if one compiled program serves both.

use std::hash::{BuildHasher, Hash, Hasher};

use super::update::Update;
use crate::error::Origin;
use crate::graph::{Arena, Expr, Node, NodeId, Reached};
use crate::ops::Op;

/// A recorded formula but for the identity of its nodes: what every node computes of which others, the kinds, element
/// types and recorded shapes of its leaves, the names and lines by which errors speak, and which nodes are outputs
/// and updates. Literals count by their bits.
pub(super) struct Structure {
    hash: u64,
    words: Vec<u64>,
    ops: Vec<Op>,
    /// Names, by the places of the nodes.
    names: Vec<(usize, Box<str>)>,
}

/// A structure that has not been copied from the tape yet: enough to look for an equal one.
pub(super) struct Sketch<'a> {
    arena: &'a Arena,
    nodes: &'a [NodeId],
    hash: u64,
    words: Vec<u64>,
}

impl<'a> Sketch<'a> {
    pub fn new(
        arena: &'a Arena,
        reached: &'a Reached,
        outputs: &[Expr<'_>],
        updates: &[Update<'_>],
        hasher: &impl BuildHasher,
    ) -> Self {
        let place = |id: NodeId| reached.place_of(arena, id).map_or(u64::MAX, |place| place as u64);
        let mut hasher = hasher.build_hasher();
        let mut words = Vec::with_capacity(4 * reached.nodes.len() + 16);
        words.extend([outputs.len() as u64, updates.len() as u64]);
        words.extend(outputs.iter().map(|e| place(e.id())));
        words.extend(updates.iter().flat_map(|u| [u.parameter, u.value]).map(|e| place(e.id())));
        for node in reached.nodes.iter().filter_map(|&id| arena.get(id)) {
            words.push(line(node.origin));
            words.push(head(node));
            if node.op.is_leaf() {
                words.extend(node.shape.iter().map(|&size| size as u64));
            } else {
                node.op.hash(&mut hasher);
                words.extend(node.inputs.iter().map(|&input| place(input)));
            }
            if let Some(name) = node.name() {
                name.hash(&mut hasher);
            }
        }
        words.hash(&mut hasher);
        Self { arena, nodes: &reached.nodes, hash: hasher.finish(), words }
    }

    /// Whether it is the same in everything, not by its hash alone.
    pub fn is(&self, other: &Structure) -> bool {
        let same = |(node, op): (&Node, &Op)| {
            // Leaves differ in their serial numbers; what counts of them is among the words.
            node.op == *op || node.op.is_leaf() && op.is_leaf()
        };
        let name = |place: usize| self.arena.get(self.nodes[place]).and_then(Node::name);
        self.hash == other.hash
            && self.words == other.words
            && self.nodes.len() == other.ops.len()
            && self.listed().zip(&other.ops).all(same)
            && other.names.iter().all(|(place, known)| name(*place) == Some(known))
    }

    /// A copy that outlives the nodes.
    pub fn keep(self) -> Structure {
        let names =
            self.listed().enumerate().filter_map(|(i, node)| Some((i, node.name()?.into()))).collect();
        let ops = self.listed().map(|node| node.op.clone()).collect();
        Structure { hash: self.hash, words: self.words, ops, names }
    }

    fn listed(&self) -> impl Iterator<Item = &'a Node> {
        let arena = self.arena;
        self.nodes.iter().filter_map(move |&id| arena.get(id))
    }
}

impl Structure {
    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>() + self.ops.len() * size_of::<Op>()
    }
}

/// A number for a line of source: two numbers for one line are possible, and only mean that nothing is found.
fn line(origin: Origin) -> u64 {
    std::ptr::from_ref(origin.0).addr() as u64
}

/// Everything about a node that is small: how many operands or axes follow, its element type, what leaf it is, and
/// whether it has a name.
fn head(node: &Node) -> u64 {
    let (kind, follow) = match &node.op {
        Op::Leaf(leaf) => (1 + leaf.kind as u64, node.shape.ndim()),
        _ => (0, node.inputs.len()),
    };
    (follow as u64) << 8 | (node.dtype as u64) << 4 | kind << 1 | u64::from(node.name().is_some())
}
