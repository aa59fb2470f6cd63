//! Leaves: what a formula starts from, and the values they hold.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

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

/// What a leaf holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Its value.
    Value(Value),
    /// Nothing yet: a placeholder.
    Empty,
    /// Nothing any more: `Graph::truncate` has removed the leaf.
    Freed,
}

/// A leaf's value, shared by the graph and the programs that read or update it.
pub(crate) type LeafCell = Rc<RefCell<Content>>;

/// The current values of the leaves.
#[derive(Default)]
pub(crate) struct Leaves {
    cells: SparseSecondaryMap<NodeId, LeafCell, DefaultHashBuilder>,
    created: u32,
}

impl Leaves {
    /// A new leaf.
    pub fn create(&mut self, kind: LeafKind) -> Leaf {
        self.created += 1;
        Leaf { kind, serial: self.created }
    }

    /// Gives a leaf its first value, if it has one.
    pub fn insert(&mut self, id: NodeId, value: Option<Value>) {
        let content = value.map_or(Content::Empty, Content::Value);
        self.cells.insert(id, Rc::new(RefCell::new(content)));
    }

    /// Where a leaf's value is kept.
    pub fn cell(&self, id: NodeId) -> Option<&LeafCell> {
        self.cells.get(id)
    }

    /// Removes a leaf.
    pub fn remove(&mut self, id: NodeId) {
        if let Some(cell) = self.cells.remove(id) {
            *cell.borrow_mut() = Content::Freed;
        }
    }
}
