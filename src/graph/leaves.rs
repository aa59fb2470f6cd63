//! Leaves: what a formula starts from, and the values they hold.

use std::fmt;

use hashbrown::DefaultHashBuilder;
use slotmap::SparseSecondaryMap;

use super::node::NodeId;
use crate::element::Value;

/// What a leaf is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeafKind {
    /// Fed from outside: its sizes are free, its rank is not.
    Input,
    /// Updated by programs: its sizes are fixed.
    Parameter,
    /// A value that never changes.
    Constant,
}

impl fmt::Display for LeafKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Parameter => "parameter",
            Self::Constant => "constant",
        })
    }
}

/// A leaf as an operation: every leaf is a node of its own, told from others by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// What it is for.
    pub kind: LeafKind,
    pub(crate) serial: u32,
}

/// The current values of the leaves; a placeholder has none until one is set.
#[derive(Default)]
pub(crate) struct Leaves {
    pub values: SparseSecondaryMap<NodeId, Value, DefaultHashBuilder>,
    pub created: u32,
}

impl Leaves {
    /// A new leaf.
    pub fn create(&mut self, kind: LeafKind) -> Leaf {
        self.created += 1;
        Leaf { kind, serial: self.created }
    }
}
