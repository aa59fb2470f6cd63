//! The rewritten formula as a flat list, apart from the graph it came from.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::update::Update;
use crate::element::DType;
use crate::error::{Error, Operand, Origin, Result};
use crate::graph::{Expr, Graph, LeafKind, NodeId, Signature, reach};
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
    pub id: NodeId,
    pub instruction: u32,
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
    pub fn compile(graph: &Graph, outputs: &[Expr<'_>], updates: &[Update<'_>]) -> Result<Self> {
        check(graph, outputs, updates)?;
        let values = updates.iter().map(|update| update.value);
        let parameters = updates.iter().map(|update| update.parameter);
        let roots: Vec<NodeId> =
            outputs.iter().copied().chain(values).chain(parameters).map(|e| e.id()).collect();

        let inner = Graph::new();
        let origins = std::cell::RefCell::new(HashMap::new());
        let image = rewrite(graph, &roots, &inner, Rewriter::new(Tier::Lowering), |leaf| {
            let copy = copy_leaf(leaf, &inner);
            origins.borrow_mut().insert(copy.id(), leaf.id());
            copy
        });
        for (&id, copy) in &image {
            if let Some(name) = graph.handle(id).name() {
                copy.named(&name);
            }
        }

        let roots: Vec<NodeId> = roots.iter().map(|id| image[id].id()).collect();
        let arena = inner.arena();
        let all = reach(&arena, roots.iter().copied(), |_, _| true);
        let reads = |user, k| arena.get(user).is_some_and(|node| node.op.reads(k));
        let live = reach(&arena, roots.iter().copied(), reads);
        let live: hashbrown::HashSet<NodeId> = live.into_iter().collect();
        let mut place: HashMap<NodeId, u32> = HashMap::with_capacity(all.len());
        let mut leaves = Vec::new();
        let mut instructions = Vec::with_capacity(all.len());
        for (i, id) in (0..).zip(all) {
            let Some(node) = arena.get(id) else { continue };
            place.insert(id, i);
            if node.op.is_leaf() {
                leaves.push(Source { id: origins.borrow()[&id], instruction: i });
            }
            instructions.push(Instruction {
                op: node.op.clone(),
                inputs: node.inputs.iter().map(|input| place[input]).collect(),
                dtype: node.dtype,
                shape: node.shape.clone(),
                name: node.name().map(Into::into),
                origin: node.origin,
                live: live.contains(&id),
            });
        }
        let mut roots = roots.iter().map(|id| place[id]);
        let outputs: Vec<u32> = roots.by_ref().take(outputs.len()).collect();
        let values: Vec<u32> = roots.by_ref().take(updates.len()).collect();
        let leaf_of = |instruction| leaves.iter().position(|leaf| leaf.instruction == instruction);
        let parameters = roots.filter_map(|instruction| leaf_of(instruction).map(|leaf| leaf as u32));
        let updates = parameters.zip(values).collect();
        Ok(Self { instructions, leaves, outputs, updates })
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
            Op::Index(Index::Within(axis)) => axis.single().unwrap_or_default(),
            _ => 0,
        };
        let [indices, operand] = [0, 1].map(|k| {
            let k = inputs[k] as usize;
            Box::new(self.describe(k, shapes[k].clone()))
        });
        let size = operand.shape.get(axis).copied().unwrap_or_default();
        Error::IndexOutOfRange { index, size, axis, indices, operand }
    }

    fn describe(&self, k: usize, shape: Shape) -> Operand {
        let instruction = &self.instructions[k];
        let name = instruction.name.as_ref().map_or_else(|| instruction.op.label(), |name| name.to_string());
        Operand { name, shape, dtype: instruction.dtype, origin: instruction.origin }
    }
}

fn copy_leaf<'t>(leaf: Expr<'_>, target: &'t Graph) -> Expr<'t> {
    let kind = leaf.leaf().map_or(LeafKind::Constant, |leaf| leaf.kind);
    let signature = Signature { dtype: leaf.dtype(), shape: leaf.shape() };
    let copy = target.add_leaf(kind, None, signature, None, leaf.origin());
    copy.expect("a leaf without a name takes no name")
}

fn check(graph: &Graph, outputs: &[Expr<'_>], updates: &[Update<'_>]) -> Result<()> {
    let op = "compile";
    let both = updates.iter().flat_map(|update| [update.parameter, update.value]);
    for e in outputs.iter().copied().chain(both) {
        if !std::ptr::eq(e.graph(), graph) {
            return Err(Error::OtherGraph { op });
        }
        if e.op().is_none() {
            return Err(Error::Freed { op });
        }
    }
    let arena = graph.arena();
    for (i, Update { parameter, value }) in updates.iter().enumerate() {
        let describe = |e: &Expr<'_>| Box::new(arena.describe(e.id()));
        if parameter.leaf().is_none_or(|leaf| leaf.kind != LeafKind::Parameter) {
            let (op, expected) = ("assign", "a parameter");
            return Err(Error::NotALeaf { op, expected, operand: describe(parameter) });
        }
        if updates[..i].iter().any(|other| other.parameter.id() == parameter.id()) {
            return Err(Error::Twice { op: "updated", leaf: describe(parameter) });
        }
        if parameter.shape() != value.shape() || parameter.dtype() != value.dtype() {
            return Err(Error::Update { parameter: describe(parameter), value: describe(value) });
        }
    }
    Ok(())
}
