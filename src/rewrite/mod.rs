//! The same formula, better: [rules](rules) as rows, applied on the way to a gradient or a program.
//!
//! The tape keeps what was written. A rewritten formula is built beside it, node by node in topological order, and
//! everything that is recorded meanwhile passes through the rules.

mod parts;
mod rules;
mod textbook;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use self::rules::Rule;
pub(crate) use self::textbook::as_in_textbooks;
use crate::element::Literal;
use crate::graph::{Expr, Graph, Inputs, NodeId, Reached, Rewrite};
use crate::kernels::Level;
use crate::ops::{Binary, Op, Unary};

/// Which rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// The same value, but for the last bits and the sign of a zero, and the same dependence on every node: what a
    /// derivative may be written with while it is being derived.
    Algebraic,
    /// A value that is right where the formula as written overflows or cancels.
    Stabilising,
    /// Operations that are made of simpler ones become these: for programs only, since derivatives have better rules.
    Lowering,
}

/// Applies the rules up to a tier. Nodes that are `opaque` are taken for variables: no rule looks inside.
pub(crate) struct Rewriter {
    tier: Tier,
    opaque: Vec<NodeId>,
    /// What was lowered, by what it became: rules go on to see it as it was written.
    lowered: RefCell<HashMap<NodeId, (Op, Inputs)>>,
    /// Whether an operation is being lowered. What it becomes is safe as it is written, and is not to become it again.
    lowering: Cell<bool>,
}

impl Rewriter {
    pub fn new(tier: Tier) -> Rc<Self> {
        Self::around(tier, Vec::new())
    }

    pub fn around(tier: Tier, opaque: Vec<NodeId>) -> Rc<Self> {
        Rc::new(Self { tier, opaque, lowered: RefCell::default(), lowering: Cell::new(false) })
    }
}

impl Rewriter {
    fn lower<'g>(&self, op: &Op, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        let outer = self.lowering.replace(true);
        let lowered = op.lower(inputs);
        self.lowering.set(outer);
        lowered
    }
}

impl Rewrite for Rewriter {
    fn rewrite<'g>(&self, graph: &'g Graph, op: &Op, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        if let Some(literal) = folded(op, inputs) {
            return Some(graph.literal(literal));
        }
        let site = Site { op, inputs, rewriter: self };
        let tier = if self.lowering.get() { Tier::Algebraic } else { self.tier };
        let applies = |rule: &&&Rule| rule.tier <= tier && rule.head.is(op);
        let better = rules::of(op).iter().filter(applies).find_map(|rule| (rule.apply)(&site));
        better.or_else(|| {
            let lowered = if self.tier >= Tier::Lowering { self.lower(op, inputs)? } else { return None };
            let written = (op.clone(), inputs.iter().map(|input| input.id()).collect());
            self.lowered.borrow_mut().insert(lowered.id(), written);
            Some(lowered)
        })
    }
}

/// The number that an elementwise operation makes of numbers.
fn folded(op: &Op, inputs: &[Expr<'_>]) -> Option<Literal> {
    let numbers = |k: usize| inputs[k].as_number();
    match op {
        Op::Unary(Unary::StopGradient) => None,
        Op::Unary(unary) => match numbers(0)? {
            Literal::F32(x) => Some(Literal::F32(
                run(|x, out| unary.run(Level::detect(), x, out), f32::from_bits(x)).to_bits(),
            )),
            Literal::F64(x) => Some(Literal::F64(
                run(|x, out| unary.run(Level::detect(), x, out), f64::from_bits(x)).to_bits(),
            )),
            _ => None,
        },
        Op::Binary(binary) => match (numbers(0)?, numbers(1)?) {
            (Literal::F32(a), Literal::F32(b)) => {
                let b = f32::from_bits(b);
                Some(Literal::F32(
                    run(|a, out| binary.run(Level::detect(), a, &[b], out), f32::from_bits(a)).to_bits(),
                ))
            }
            (Literal::F64(a), Literal::F64(b)) => {
                let b = f64::from_bits(b);
                Some(Literal::F64(
                    run(|a, out| binary.run(Level::detect(), a, &[b], out), f64::from_bits(a)).to_bits(),
                ))
            }
            _ => None,
        },
        _ => None,
    }
}

fn run<T: Copy>(kernel: impl Fn(&[T], &mut [T]), x: T) -> T {
    let mut out = [x];
    kernel(&[x], &mut out);
    out[0]
}

/// An operation that is about to be recorded, as a rule sees it.
pub(crate) struct Site<'a, 'g> {
    op: &'a Op,
    inputs: &'a [Expr<'g>],
    rewriter: &'a Rewriter,
}

impl<'g> Site<'_, 'g> {
    fn a(&self) -> Expr<'g> {
        self.inputs[0]
    }

    fn b(&self) -> Expr<'g> {
        self.inputs[1]
    }

    /// The operands of `e` if it is computed by an operation that `is` right, and may be looked into.
    fn operands<const N: usize>(&self, e: Expr<'g>, is: impl Fn(&Op) -> bool) -> Option<[Expr<'g>; N]> {
        if self.rewriter.opaque.contains(&e.id()) {
            return None;
        }
        let ids: [NodeId; N] = self.written(e, |op, inputs| is(op).then(|| inputs.try_into().ok()))??;
        Some(ids.map(|id| e.graph().handle(id)))
    }

    /// What `e` was written as, which may have been lowered since, as `read` sees it.
    fn written<R>(&self, e: Expr<'g>, read: impl FnOnce(&Op, &[NodeId]) -> Option<R>) -> Option<R> {
        if let Some((op, inputs)) = self.rewriter.lowered.borrow().get(&e.id()) {
            return read(op, inputs);
        }
        let arena = e.graph().arena();
        arena.get(e.id()).and_then(|node| read(&node.op, &node.inputs))
    }

    /// `x`, if `e` is `unary(x)`.
    fn under(&self, e: Expr<'g>, unary: Unary) -> Option<Expr<'g>> {
        self.operands(e, |op| *op == Op::Unary(unary)).map(|[x]| x)
    }

    /// `(a, b)`, if `e` is `a op b`.
    fn pair(&self, e: Expr<'g>, binary: Binary) -> Option<[Expr<'g>; 2]> {
        self.operands(e, |op| *op == Op::Binary(binary))
    }
}

/// The reached nodes, rewritten, by their places. A node on which no rule applies, and below it neither, is its own
/// image; an opaque one likewise.
pub(crate) fn rewrite(graph: &Graph, reached: &Reached, rewriter: &Rc<Rewriter>) -> Vec<NodeId> {
    let mut images: Vec<NodeId> = Vec::with_capacity(reached.nodes.len());
    graph.with_rewriter(Rc::clone(rewriter) as Rc<dyn Rewrite>, || {
        for &id in &reached.nodes {
            images.push(rewriter.image(graph, id, reached, &images));
        }
    });
    images
}

impl Rewriter {
    /// The image of a node, given those of its operands.
    fn image(&self, graph: &Graph, id: NodeId, reached: &Reached, images: &[NodeId]) -> NodeId {
        let arena = graph.arena();
        let Some(node) = arena.get(id) else { return id };
        if node.inputs.is_empty() || self.opaque.contains(&id) {
            return id;
        }
        let image = |&operand: &NodeId| {
            let place = reached.place_of(&arena, operand);
            graph.handle(place.map_or(operand, |place| images[place]))
        };
        let inputs: SmallVec<[Expr<'_>; 3]> = node.inputs.iter().map(image).collect();
        let changed = inputs.iter().zip(&node.inputs).any(|(input, &operand)| input.id() != operand);
        if !changed && !self.concerns(&node.op, &inputs) {
            return id;
        }
        let (op, origin) = (node.op.clone(), node.origin);
        drop(arena);
        let made = graph.with_origin(origin, || {
            if changed {
                let made = graph.apply(op, &inputs);
                Some(made.expect("a rewritten formula has the shapes of the formula"))
            } else {
                self.rewrite(graph, &op, &inputs)
            }
        });
        made.map_or(id, Expr::id)
    }

    /// Whether a rule may apply to such an operation.
    fn concerns(&self, op: &Op, inputs: &[Expr<'_>]) -> bool {
        let mut rules = rules::of(op).iter();
        rules.any(|rule| rule.tier <= self.tier)
            || inputs.iter().all(|input| input.as_number().is_some())
            || self.tier >= Tier::Lowering && !op.is_elementwise()
    }
}
