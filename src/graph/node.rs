//! A node: an operation, its operands, and what is known of the result.

use smallvec::SmallVec;

use crate::element::DType;
use crate::error::Origin;
use crate::ops::Op;
use crate::shape::Shape;

slotmap::new_key_type! {
    /// The place of a node in its graph's arena. It stays invalid after the node has been freed.
    pub struct NodeId;
}

/// The operands of a node.
pub(crate) type Inputs = SmallVec<[NodeId; 2]>;

/// Element type and shape: what an operation must know of an operand before there is a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The element type.
    pub dtype: DType,
    /// The shape.
    pub shape: Shape,
}

/// One entry of the tape.
#[derive(Debug)]
pub(crate) struct Node {
    pub op: Op,
    pub inputs: Inputs,
    pub shape: Shape,
    /// The earliest node that has this shape whatever sizes are fed; the node itself, if it is the first.
    pub shape_root: NodeId,
    /// Where in the topological order it stands.
    pub position: u32,
    pub dtype: DType,
    /// Whether a derivation or a rewrite has recorded it, and nobody has written it.
    pub derived: bool,
    /// The hash of operation and operands, under which it is interned.
    pub hash: u64,
    pub origin: Origin,
    pub notes: Option<Box<Notes>>,
}

/// What only some nodes have: names, and further lines that wrote the same expression.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub names: SmallVec<[String; 1]>,
    pub origins: SmallVec<[Origin; 2]>,
}

/// How many lines a node remembers.
pub(crate) const ORIGINS: usize = 3;

impl Node {
    pub fn name(&self) -> Option<&str> {
        self.notes.as_ref()?.names.first().map(String::as_str)
    }

    pub fn add_name(&mut self, name: &str) {
        let names = &mut self.notes.get_or_insert_default().names;
        if !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }

    pub fn add_origin(&mut self, origin: Origin) {
        if origin == self.origin {
            return;
        }
        let others = &mut self.notes.get_or_insert_default().origins;
        if others.len() + 1 < ORIGINS && !others.contains(&origin) {
            others.push(origin);
        }
    }
}
