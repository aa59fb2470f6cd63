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

/// A generator of random numbers.
struct Generator {
    /// Its state after one more run.
    next: NodeId,
    /// How long the tape was at each draw.
    draws: Vec<u32>,
}

/// The current values of the leaves.
#[derive(Default)]
pub(crate) struct Leaves {
    cells: SparseSecondaryMap<NodeId, LeafCell, DefaultHashBuilder>,
    /// Generators of random numbers, by their states.
    generators: SparseSecondaryMap<NodeId, Generator, DefaultHashBuilder>,
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

    /// Makes a leaf the state of a generator; `next` is what becomes of it in a run.
    pub fn add_generator(&mut self, state: NodeId, next: NodeId) {
        self.generators.insert(state, Generator { next, draws: Vec::new() });
    }

    /// The number of the next draw from a generator, of which there is one for each draw that is on the tape.
    pub fn next_stream(&mut self, state: NodeId, length: usize) -> u32 {
        let Some(generator) = self.generators.get_mut(state) else { return 0 };
        generator.draws.push(length as u32);
        generator.draws.len() as u32 - 1
    }

    /// What a run makes of the state of a generator, if that is what the leaf is.
    pub fn advanced(&self, state: NodeId) -> Option<NodeId> {
        Some(self.generators.get(state)?.next)
    }

    /// Whether there are any generators.
    pub fn draw(&self) -> bool {
        !self.generators.is_empty()
    }

    /// Forgets the draws that are not on a tape of this length, so that a formula recorded again draws the same.
    pub fn rewind(&mut self, length: usize) {
        for generator in self.generators.values_mut() {
            let kept = generator.draws.partition_point(|&at| (at as usize) < length);
            generator.draws.truncate(kept);
        }
    }

    /// Removes a leaf.
    pub fn remove(&mut self, id: NodeId) {
        self.generators.remove(id);
        if let Some(cell) = self.cells.remove(id) {
            *cell.borrow_mut() = Content::Freed;
        }
    }
}
