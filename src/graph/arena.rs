//! The tape: nodes in a slotmap, in topological order, equal expressions stored once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use slotmap::SlotMap;

use super::node::{Inputs, Node, NodeId, Signature};
use crate::error::{Operand, Origin};
use crate::ops::Op;

/// The nodes of a graph. `order` is the order of recording, in which every operand comes before its users; slotmap
/// itself reuses slots, so its own order means nothing.
#[derive(Default)]
pub(crate) struct Arena {
    nodes: SlotMap<NodeId, Node>,
    order: Vec<NodeId>,
    interned: HashTable<NodeId>,
    hasher: DefaultHashBuilder,
    leaf_names: HashMap<String, NodeId>,
}

/// What is known of a node before it is stored.
pub(crate) struct Draft {
    pub op: Op,
    pub inputs: Inputs,
    pub signature: Signature,
    pub origin: Origin,
    pub derived: bool,
}

impl Arena {
    pub fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    pub fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id)
    }

    pub fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// Where in the order of recording a node stands.
    pub fn position(&self, id: NodeId) -> Option<u32> {
        self.nodes.get(id).map(|node| node.position)
    }

    /// The node that computes `op` of `inputs`, if there is one; `hash` is theirs.
    pub fn find(&self, hash: u64, op: &Op, inputs: &[NodeId]) -> Option<NodeId> {
        let same = |id: &NodeId| {
            let node = &self.nodes[*id];
            node.op == *op && *node.inputs == *inputs
        };
        self.interned.find(hash, same).copied()
    }

    /// Appends a node that `find` did not find under this hash.
    pub fn push(&mut self, hash: u64, draft: Draft) -> NodeId {
        let Draft { op, inputs, signature, origin, derived } = draft;
        let position = u32::try_from(self.order.len()).expect("a graph holds at most 2³² nodes");
        let operand = |k: usize| &self.nodes[inputs[k]];
        let shape_root = op.keeps_shape_of(|k| (operand(k).shape.ndim(), operand(k).shape_root));
        let shape_root = shape_root.map(|k| operand(k).shape_root);
        let id = self.nodes.insert_with_key(|id| Node {
            op,
            inputs,
            shape: signature.shape,
            shape_root: shape_root.unwrap_or(id),
            position,
            dtype: signature.dtype,
            derived,
            hash,
            origin,
            notes: None,
        });
        self.order.push(id);
        let nodes = &self.nodes;
        self.interned.insert_unique(hash, id, |&id| nodes[id].hash);
        id
    }

    /// Removes every node from `length` on, and tells `freed` of every leaf among them.
    pub fn truncate(&mut self, length: usize, mut freed: impl FnMut(NodeId)) {
        for id in self.order.drain(length.min(self.order.len())..) {
            let Some(node) = self.nodes.remove(id) else { continue };
            if let Ok(entry) = self.interned.find_entry(node.hash, |&other| other == id) {
                entry.remove();
            }
            if node.op.is_leaf() {
                if let Some(name) = node.name() {
                    self.leaf_names.remove(name);
                }
                freed(id);
            }
        }
    }

    pub fn leaf_named(&self, name: &str) -> Option<NodeId> {
        self.leaf_names.get(name).copied()
    }

    pub fn name_leaf(&mut self, id: NodeId, name: &str) {
        self.leaf_names.insert(name.to_owned(), id);
    }

    pub fn leaf_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.leaf_names.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    pub fn signature(&self, id: NodeId) -> Option<Signature> {
        let node = self.get(id)?;
        Some(Signature { dtype: node.dtype, shape: node.shape.clone() })
    }

    /// The node as an error describes it.
    pub fn describe(&self, id: NodeId) -> Operand {
        let node = &self.nodes[id];
        let name = node.name().map_or_else(|| node.op.label(), str::to_owned);
        Operand { name, shape: node.shape.clone(), dtype: node.dtype, origin: node.origin }
    }

    /// The hash under which a node is interned.
    pub fn hash(&self, op: &Op, inputs: &[NodeId]) -> u64 {
        self.hasher.hash_one((op, inputs))
    }
}
