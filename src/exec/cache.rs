//! Compiled programs that nobody uses at the moment, kept with their graph: a formula that is recorded again, in every
//! step of a loop, finds what was compiled for it before.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::{Rc, Weak};

use hashbrown::DefaultHashBuilder;
use smallvec::SmallVec;

use super::code::{Code, Instruction, check};
use super::plan::Plan;
use super::structure::{Sketch, Structure};
use super::update::Update;
use crate::error::Result;
use crate::graph::{Expr, Graph, NodeId, Reached};

/// How many idle programs a graph keeps.
const IDLE: usize = 32;

/// How many bytes they may take together. What takes more runs for so long that compiling it does not count.
const BYTES: usize = 64 << 20;

/// The idle programs of a graph.
#[derive(Default)]
pub(super) struct Cache {
    /// Those given back last are at the end.
    idle: Vec<Compiled>,
    bytes: usize,
    compilations: usize,
    hasher: DefaultHashBuilder,
}

/// A formula compiled, and laid out for the sets of leaf shapes that it has seen.
pub(super) struct Compiled {
    pub code: Code,
    /// Most recently used first.
    pub plans: Vec<Plan>,
    structure: Structure,
}

impl Compiled {
    /// About how many bytes it takes.
    fn bytes(&self) -> usize {
        let code = self.code.instructions.len() * size_of::<Instruction>();
        code + self.structure.bytes() + self.plans.iter().map(Plan::bytes).sum::<usize>()
    }
}

impl Cache {
    /// Takes out an idle program of this structure.
    fn take(&mut self, sketch: &Sketch<'_>) -> Option<Compiled> {
        let found = self.idle.iter().rposition(|compiled| sketch.is(&compiled.structure))?;
        let compiled = self.idle.remove(found);
        self.bytes -= compiled.bytes();
        Some(compiled)
    }

    /// Takes a program back, and lets the oldest go that there is no room for.
    fn give_back(&mut self, compiled: Compiled) {
        self.bytes += compiled.bytes();
        self.idle.push(compiled);
        while self.idle.len() > IDLE || self.bytes > BYTES {
            let oldest = self.idle.remove(0);
            self.bytes -= oldest.bytes();
        }
    }
}

/// A compiled formula in use by one program; it goes back to the graph's cache when the program is dropped.
pub(super) struct Loan {
    /// Always there until the drop.
    compiled: Option<Compiled>,
    home: Weak<RefCell<Cache>>,
}

impl Loan {
    /// Forgets the plans, and where it came from: it will be laid out in a way that is no other program's.
    pub fn keep_out(&mut self) {
        self.plans.clear();
        self.home = Weak::new();
    }
}

impl Deref for Loan {
    type Target = Compiled;
    fn deref(&self) -> &Compiled {
        self.compiled.as_ref().expect("a loan is returned only when it is dropped")
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut Compiled {
        self.compiled.as_mut().expect("a loan is returned only when it is dropped")
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let (Some(compiled), Some(home)) = (self.compiled.take(), self.home.upgrade()) {
            home.borrow_mut().give_back(compiled);
        }
    }
}

/// The leaves of a compiled formula on the tape, in the order of the code.
pub(super) type LeafIds = SmallVec<[NodeId; 8]>;

/// The formula compiled, now or before, and its leaves.
pub(super) fn compiled(
    graph: &Graph,
    outputs: &[Expr<'_>],
    updates: &[Update<'_>],
) -> Result<(Loan, LeafIds)> {
    check(graph, outputs, updates)?;
    let home = graph.kept::<RefCell<Cache>>();
    let values = updates.iter().flat_map(|update| [update.value, update.parameter]);
    let roots = outputs.iter().copied().chain(values).map(|e| e.id());
    let reached = Reached::new(&graph.arena(), roots, |_, _, _| true);
    let found = {
        let arena = graph.arena();
        let mut cache = home.borrow_mut();
        let sketch = Sketch::new(&arena, &reached, outputs, updates, &cache.hasher);
        match cache.take(&sketch) {
            Some(compiled) => Ok(compiled),
            None => {
                cache.compilations += 1;
                Err(sketch.keep())
            }
        }
    };
    let compiled = found.unwrap_or_else(|structure| {
        let code = Code::new(graph, &reached, outputs, updates);
        Compiled { code, plans: Vec::new(), structure }
    });
    let leaves = compiled.code.leaves.iter().map(|leaf| reached.nodes[leaf.place as usize]).collect();
    Ok((Loan { compiled: Some(compiled), home: Rc::downgrade(&home) }, leaves))
}

impl Graph {
    /// How often something was compiled anew on this graph, rather than found again.
    #[doc(hidden)]
    pub fn compilations(&self) -> usize {
        self.kept::<RefCell<Cache>>().borrow().compilations
    }
}
