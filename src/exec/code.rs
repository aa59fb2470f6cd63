//! The rewritten formula as a flat list, apart from the graph it came from.

use hashbrown::HashSet;
use smallvec::SmallVec;

use super::update::Update;
use crate::element::DType;
use crate::error::{Error, Operand, Origin, Result};
use crate::graph::{Arena, Expr, Graph, LeafKind, Mark, NodeId, Reached, Signature};
use crate::ops::{Index, Op};
use crate::rewrite::{Rewriter, Tier, rewrite};
use crate::shape::Shape;

/// One operation of the formula.
pub(super) struct Instruction {
    pub op: Op,
    /// Places of the operands in the list.
    pub inputs: SmallVec<[u32; 2]>,
    pub dtype: DType,
    /// The shape at recording.
    pub shape: Shape,
    pub name: Option<Box<str>>,
    pub origin: Origin,
    /// Whether its value is needed, not its shape alone.
    pub live: bool,
}

/// A leaf that the formula reads.
pub(super) struct Source {
    /// Its place among the nodes that the formula reaches: a formula recorded again has other leaves at these places.
    pub place: u32,
    pub instruction: u32,
    /// Whether it is a parameter that gets a new value.
    pub updated: bool,
}

/// The formula: operands before their users.
pub(super) struct Code {
    pub instructions: Vec<Instruction>,
    pub leaves: Vec<Source>,
    pub outputs: Vec<u32>,
    /// Which leaf gets which value.
    pub updates: Vec<(u32, u32)>,
}

impl Code {
    /// The formula of `outputs` and `updates`, of which everything is reached, rewritten.
    pub fn new(graph: &Graph, reached: &Reached, outputs: &[Expr<'_>], updates: &[Update<'_>]) -> Self {
        // What the rewriting records is needed only until it is listed.
        let _scratch = Scratch { graph, mark: graph.mark() };
        let images = rewrite(graph, reached, &Rewriter::new(Tier::Lowering));
        let arena = graph.arena();
        let image = |e: Expr<'_>| reached.place_of(&arena, e.id()).map_or(e.id(), |place| images[place]);
        let results = outputs.iter().copied().chain(updates.iter().map(|update| update.value)).map(image);
        let parameters = updates.iter().map(|update| update.parameter.id());
        let needed = Reached::new(&arena, results.clone().chain(parameters.clone()), |_, _, _| true);
        let mut list = List::new(&arena, &needed, reached);
        for (source, &image) in images.iter().enumerate() {
            list.add(source, image);
        }
        let leaf_of = |id: NodeId| {
            let instruction = list.place(id)?;
            list.leaves.binary_search_by_key(&instruction, |leaf| leaf.instruction).ok()
        };
        let mut places = results.filter_map(|id| list.place(id));
        let outputs = places.by_ref().take(outputs.len()).collect();
        let parameters = parameters.filter_map(|id| leaf_of(id).map(|leaf| leaf as u32));
        let updates: Vec<_> = parameters.zip(places).collect();
        let List { instructions, mut leaves, .. } = list;
        updates.iter().for_each(|&(leaf, _)| leaves[leaf as usize].updated = true);
        let mut code = Self { instructions, leaves, outputs, updates };
        code.mark_live();
        code
    }

    /// Finds out which values are needed.
    fn mark_live(&mut self) {
        let updates = self.updates.iter().map(|&(_, value)| value);
        let parameters = self.updates.iter().map(|&(leaf, _)| self.leaves[leaf as usize].instruction);
        for root in self.outputs.iter().copied().chain(updates).chain(parameters) {
            self.instructions[root as usize].live = true;
        }
        for i in (0..self.instructions.len()).rev() {
            let (before, rest) = self.instructions.split_at_mut(i);
            let Instruction { op, inputs, live: true, .. } = &rest[0] else { continue };
            for (k, &input) in inputs.iter().enumerate() {
                before[input as usize].live |= op.reads(k);
            }
        }
    }

    /// Element type and shape of everything, for these shapes of the leaves.
    pub fn infer(&self, leaves: &[Shape]) -> Result<Vec<Shape>> {
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.instructions.len());
        let mut leaves = leaves.iter();
        for instruction in &self.instructions {
            let operands: SmallVec<[Signature; 3]> = instruction
                .inputs
                .iter()
                .map(|&k| {
                    let dtype = self.instructions[k as usize].dtype;
                    Signature { dtype, shape: shapes[k as usize].clone() }
                })
                .collect();
            let shape = match &instruction.op {
                Op::Leaf(_) => leaves.next().cloned().unwrap_or_default(),
                op => match op.infer(&operands) {
                    Ok(signature) => signature.shape,
                    Err(fault) => {
                        let operand = |k: usize| {
                            let k = instruction.inputs[k] as usize;
                            self.describe(k, shapes[k].clone())
                        };
                        let cause = Box::new(fault(&operand));
                        let node = Box::new(self.describe(shapes.len(), instruction.shape.clone()));
                        return Err(Error::AtRun { node, cause });
                    }
                },
            };
            shapes.push(shape);
        }
        for &(leaf, value) in &self.updates {
            let parameter = self.leaves[leaf as usize].instruction as usize;
            let value = value as usize;
            if shapes[parameter] != shapes[value] {
                let operand = |k: usize| Box::new(self.describe(k, shapes[k].clone()));
                let cause = Error::Update { parameter: operand(parameter), value: operand(value) };
                let node = Box::new(self.describe(value, self.instructions[value].shape.clone()));
                return Err(Error::AtRun { node, cause: Box::new(cause) });
            }
        }
        Ok(shapes)
    }

    /// The error of an index among the values, checked at instruction `node`.
    pub fn out_of_range(&self, index: i64, node: usize, shapes: &[Shape]) -> Error {
        let Instruction { op, inputs, .. } = &self.instructions[node];
        let axis = match op {
            Op::Index(Index::Within(axis) | Index::Counted(axis)) => axis.single().unwrap_or_default(),
            _ => 0,
        };
        let [indices, operand] = [0, 1].map(|k| {
            let k = inputs[k] as usize;
            Box::new(self.describe(k, shapes[k].clone()))
        });
        let size = operand.shape.get(axis).copied().unwrap_or_default();
        Error::IndexOutOfRange { index, size, axis, indices, operand }
    }

    /// The error of an operation that has no result, at instruction `node`.
    pub fn failed(&self, cause: String, node: usize, shapes: &[Shape]) -> Error {
        Error::Failed { node: Box::new(self.describe(node, shapes[node].clone())), cause }
    }

    /// The number of axes and the element type of an input; a parameter takes one shape alone.
    pub fn takes(&self, source: &Source) -> Option<(usize, DType)> {
        let Instruction { op, dtype, shape, .. } = &self.instructions[source.instruction as usize];
        let input = matches!(op, Op::Leaf(leaf) if leaf.kind == LeafKind::Input);
        input.then_some((shape.ndim(), *dtype))
    }

    fn describe(&self, k: usize, shape: Shape) -> Operand {
        let instruction = &self.instructions[k];
        let name = instruction.name.as_ref().map_or_else(|| instruction.op.label(), |name| name.to_string());
        Operand { name, shape, dtype: instruction.dtype, origin: instruction.origin }
    }
}

/// Removes from the tape what was recorded since, also when a panic comes between.
struct Scratch<'g> {
    graph: &'g Graph,
    mark: Mark,
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        self.graph.truncate(self.mark);
    }
}

/// The list in the making. Every node stands where the formula as it was written has what it came from, so that the
/// order in which a formula was written is the order in which it is computed.
struct List<'a> {
    arena: &'a Arena,
    /// The nodes to be listed.
    needed: &'a Reached,
    /// The nodes of the formula as it was written.
    reached: &'a Reached,
    /// Where the needed nodes stand in the list.
    places: Vec<Option<u32>>,
    instructions: Vec<Instruction>,
    leaves: Vec<Source>,
    open: Vec<NodeId>,
}

impl<'a> List<'a> {
    fn new(arena: &'a Arena, needed: &'a Reached, reached: &'a Reached) -> Self {
        Self {
            arena,
            needed,
            reached,
            places: vec![None; needed.nodes.len()],
            instructions: Vec::with_capacity(needed.nodes.len()),
            leaves: Vec::new(),
            open: Vec::new(),
        }
    }

    fn place(&self, id: NodeId) -> Option<u32> {
        self.places[self.needed.place_of(self.arena, id)?]
    }

    /// Lists the image of the node at place `source`, and what it is computed from.
    fn add(&mut self, source: usize, image: NodeId) {
        if self.needed.place_of(self.arena, image).is_none() {
            return;
        }
        let Some(written) = self.arena.get(self.reached.nodes[source]) else { return };
        self.open.push(image);
        while let Some(&id) = self.open.last() {
            let before = self.open.len();
            let inputs = self.arena.get(id).map_or(&[][..], |node| &node.inputs);
            if self.place(id).is_none() {
                let (arena, needed, places) = (self.arena, self.needed, &self.places);
                let listed = |input| needed.place_of(arena, input).is_none_or(|at| places[at].is_some());
                self.open.extend(inputs.iter().rev().copied().filter(|&input| !listed(input)));
                if self.open.len() > before {
                    continue;
                }
                self.list(id, written.origin);
            }
            self.open.pop();
        }
        if let (Some(name), Some(place)) = (written.name(), self.place(image)) {
            self.instructions[place as usize].name.get_or_insert_with(|| name.into());
        }
    }

    /// Lists one node; `origin` is its line if rewriting has made it.
    fn list(&mut self, id: NodeId, origin: Origin) {
        let (Some(node), Some(at)) = (self.arena.get(id), self.needed.place_of(self.arena, id)) else {
            return;
        };
        let place = self.instructions.len() as u32;
        self.places[at] = Some(place);
        let written = self.reached.place(node.position);
        if let (true, Some(place_in_source)) = (node.op.is_leaf(), written) {
            self.leaves.push(Source { place: place_in_source as u32, instruction: place, updated: false });
        }
        self.instructions.push(Instruction {
            op: node.op.clone(),
            inputs: node.inputs.iter().filter_map(|&input| self.place(input)).collect(),
            dtype: node.dtype,
            shape: node.shape.clone(),
            name: None,
            origin: if written.is_some() { node.origin } else { origin },
            live: false,
        });
    }
}

pub(super) fn check(graph: &Graph, outputs: &[Expr<'_>], updates: &[Update<'_>]) -> Result<()> {
    let op = "compile";
    let arena = graph.arena();
    let both = updates.iter().flat_map(|update| [update.parameter, update.value]);
    for e in outputs.iter().copied().chain(both) {
        if !std::ptr::eq(e.graph(), graph) {
            return Err(Error::OtherGraph { op });
        }
        if arena.get(e.id()).is_none() {
            return Err(Error::Freed { op });
        }
    }
    let mut updated = HashSet::with_capacity(updates.len());
    for &Update { parameter, value } in updates {
        let describe = |e: Expr<'_>| Box::new(arena.describe(e.id()));
        if parameter.leaf().is_none_or(|leaf| leaf.kind != LeafKind::Parameter) {
            let (op, expected) = ("assign", "a parameter");
            return Err(Error::NotALeaf { op, expected, operand: describe(parameter) });
        }
        if !updated.insert(parameter.id()) {
            return Err(Error::Twice { op: "updated", leaf: describe(parameter) });
        }
        if arena.signature(parameter.id()) != arena.signature(value.id()) {
            return Err(Error::Update { parameter: describe(parameter), value: describe(value) });
        }
    }
    Ok(())
}
