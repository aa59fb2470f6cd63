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

    /// The node that computes `op` of `inputs`, if there is one.
    pub fn find(&self, op: &Op, inputs: &[NodeId]) -> Option<NodeId> {
        let same = |id: &NodeId| self.nodes[*id].op == *op && *self.nodes[*id].inputs == *inputs;
        self.interned.find(self.hash(op, inputs), same).copied()
    }

    /// Appends a node that `find` did not find.
    pub fn push(&mut self, draft: Draft) -> NodeId {
        let Draft { op, inputs, signature, origin } = draft;
        let position = u32::try_from(self.order.len()).expect("a graph holds at most 2³² nodes");
        let hash = self.hash(&op, &inputs);
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
            origin,
            notes: None,
        });
        self.order.push(id);
        let Self { nodes, interned, hasher, .. } = self;
        interned.insert_unique(hash, id, |&id| {
            let node = &nodes[id];
            hasher.hash_one((&node.op, &*node.inputs))
        });
        id
    }

    /// Removes every node from `length` on and says which.
    pub fn truncate(&mut self, length: usize) -> impl Iterator<Item = NodeId> + '_ {
        let freed = self.order.split_off(length.min(self.order.len()));
        for &id in &freed {
            let node = &self.nodes[id];
            let hash = self.hash(&node.op, &node.inputs);
            if let Ok(entry) = self.interned.find_entry(hash, |&other| other == id) {
                entry.remove();
            }
            if node.op.is_leaf()
                && let Some(name) = node.name()
            {
                self.leaf_names.remove(name);
            }
        }
        freed.into_iter().inspect(|&id| {
            self.nodes.remove(id);
        })
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

    fn hash(&self, op: &Op, inputs: &[NodeId]) -> u64 {
        self.hasher.hash_one((op, inputs))
    }
}
