//! Small changes of a formula at one place, kind by kind.

mod operands;
mod operations;
mod shapes;

use hashbrown::{HashMap, HashSet};

use super::diagnosis::sizes;
use super::places::Places;
use super::slip::{Size, rounded};
use super::{below, movable};
use crate::element::DType;
use crate::graph::{Content, Expr, Graph, LeafKind, NodeId, reach};
use crate::ops::{Op, Unary};

/// How many nodes of a formula may be wrong: those next to its end,
const NODES: usize = 120;
/// how many places are tried among them,
const PLACES: usize = 100;
/// how many names in each of them,
const NAMES: usize = 40;
/// how many functions and numbers,
const FEW: usize = 12;
/// how many edits of one kind,
const EDITS: usize = 3000;
/// and how many elements may be computed for all of them: fewer edits of a large formula.
const WORK: usize = 600_000_000;
/// What a node costs beside its elements.
const NODE: usize = 1000;

/// Where in a formula something stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Site {
    /// Wherever this node is used.
    Everywhere,
    /// As operand `k` of `user` alone.
    Operand { user: NodeId, k: usize },
    /// As operand `j` of an expression that is taken for right, where this is operand `k` of `user`.
    Inner { user: NodeId, k: usize, j: usize },
}

/// A subexpression that may be wrong.
#[derive(Clone, Copy)]
pub(super) struct Place<'g> {
    pub e: Expr<'g>,
    pub site: Site,
}

/// Another expression at a place, and what that would say of the one that stands there.
#[derive(Clone)]
pub(super) struct Edit<'g> {
    pub place: Place<'g>,
    pub with: Expr<'g>,
    pub reason: Reason,
}

impl Edit<'_> {
    /// Whether another edit of its kind would be preferred if both are right: data are divided by 255, weights are not.
    pub fn is_unlikely(&self) -> bool {
        let is_input = self.place.e.leaf().is_some_and(|leaf| leaf.kind == LeafKind::Input);
        matches!(self.reason, Reason::Missing { .. }) && !is_input
    }
}

/// What was done wrong, if an edit is right.
#[derive(Clone)]
pub(super) enum Reason {
    Broadcast { operand: usize },
    Superfluous,
    Product,
    Exchanged,
    Axis,
    Missing { what: String, size: Option<Size> },
    InPlaceOf { found: String, expected: String },
    Name { found: String, expected: String },
    NotDerived,
}

impl Reason {
    pub fn missing(what: impl Into<String>) -> Self {
        Self::Missing { what: what.into(), size: None }
    }

    /// Whether it speaks of the operation at the place, not of the operand that stands there.
    pub fn is_of_operation(&self) -> bool {
        !matches!(self, Self::Missing { .. } | Self::Name { .. } | Self::NotDerived)
    }

    /// Whether something that was there before is put in the place.
    pub fn is_of_name(&self) -> bool {
        matches!(self, Self::Superfluous | Self::Name { .. })
    }

    pub fn in_place_of(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InPlaceOf { found: found.into(), expected: expected.into() }
    }
}

/// The edits of one kind at a place.
type Kind = for<'g> fn(&Scene<'g>, Place<'g>, &mut Found<'g>);

/// All kinds, the most telling first. The first of them also explain what values alone show: that something is not summed, say.
const KINDS: [Kind; 12] = [
    shapes::broadcasts,
    shapes::products,
    shapes::axes,
    operations::superfluous,
    shapes::transposes,
    operations::operators,
    operations::slopes,
    operations::functions,
    operands::names,
    operands::scales,
    operands::terms,
    operands::factors,
];
const TELLING: usize = 3;

/// A wrong formula, and what it may be mended with.
pub(super) struct Scene<'g> {
    pub hand: Expr<'g>,
    /// The nodes of the formula that are not taken for right, in order.
    pub own: Vec<NodeId>,
    places: Vec<Place<'g>>,
    /// Leaves and named expressions.
    pub names: Vec<Expr<'g>>,
    /// Functions that may be missing.
    functions: Vec<Unary>,
    /// Numbers by which something may have to be divided or multiplied, and the size that each is.
    scales: Vec<(f64, Option<Size>)>,
    /// Functions of one number in what is taken for right.
    activations: Vec<Expr<'g>>,
    /// How many times a name the formula as a whole lacks.
    lacks: Vec<(f64, Expr<'g>)>,
    /// How many edits of one kind are tried.
    edits: usize,
}

impl<'g> Scene<'g> {
    /// `given` is taken for right, and `expected` is what `hand` should be.
    pub fn new(
        hand: Expr<'g>,
        given: Expr<'g>,
        expected: Expr<'g>,
        names: Vec<Expr<'g>>,
        places: &Places<'g>,
    ) -> Self {
        let graph = hand.graph();
        let arena = graph.arena();
        let all = |root: Expr<'g>| reach(&arena, [root.id()], |_, _| true);
        let right: HashSet<NodeId> = all(given).into_iter().collect();
        let nodes = all(hand);
        let work: usize = nodes.iter().filter_map(|&id| arena.get(id)).map(|n| n.shape.size() + NODE).sum();
        let own: Vec<NodeId> = nodes.into_iter().filter(|id| !right.contains(id)).collect();
        let own = own[own.len().saturating_sub(NODES)..].to_vec();
        let known: Vec<Expr<'g>> =
            all(given).into_iter().chain(all(expected)).map(|id| graph.handle(id)).collect();
        drop(arena);
        let is_unary = |e: &Expr<'g>| matches!(e.op(), Some(Op::Unary(unary)) if has_slope(unary));
        Self {
            hand,
            places: places_of(hand, &own),
            own,
            lacks: lacks(hand, expected, &names, places),
            names,
            functions: functions(&known),
            scales: scales(&known, places),
            activations: known.iter().copied().filter(is_unary).take(FEW).collect(),
            edits: EDITS.min(WORK / work),
        }
    }

    /// All edits, kind by kind; only the telling kinds, if `telling`.
    pub fn edits(&self, telling: bool) -> impl Iterator<Item = Vec<Edit<'g>>> + '_ {
        let kinds = if telling { &KINDS[..TELLING] } else { &KINDS[..] };
        kinds.iter().map(|kind| {
            let mut found = Found { edits: Vec::new(), most: self.edits };
            for &place in &self.places {
                kind(self, place, &mut found);
            }
            found.edits
        })
    }
}

/// The edits that have been found.
pub(super) struct Found<'g> {
    edits: Vec<Edit<'g>>,
    most: usize,
}

impl<'g> Found<'g> {
    fn add(&mut self, place: Place<'g>, with: Expr<'g>, reason: Reason) {
        if self.edits.len() < self.most && with.id() != place.e.id() && with.known_dtype() == Some(DType::F64)
        {
            self.edits.push(Edit { place, with, reason });
        }
    }

    /// `op` of `operands`, if that can be written down.
    fn apply(&mut self, place: Place<'g>, op: Op, operands: &[Expr<'g>], reason: Reason) {
        if let Ok(with) = place.e.graph().apply(op, operands) {
            self.add(place, with, reason);
        }
    }
}

/// Every subexpression of f64 that is not taken for right, or stands in one that is not; and operands of those that are.
fn places_of<'g>(hand: Expr<'g>, own: &[NodeId]) -> Vec<Place<'g>> {
    let graph = hand.graph();
    let mut uses: HashMap<NodeId, Vec<Site>> = HashMap::new();
    let mut order = Vec::new();
    for &user in own {
        for (k, operand) in graph.handle(user).inputs().into_iter().enumerate() {
            let sites = uses.entry(operand.id()).or_insert_with(|| {
                order.push(operand);
                Vec::new()
            });
            sites.push(Site::Operand { user, k });
        }
    }
    let mut places = vec![Place { e: hand, site: Site::Everywhere }];
    for e in order.into_iter().rev() {
        let sites = &uses[&e.id()];
        if sites.len() > 1 {
            places.push(Place { e, site: Site::Everywhere });
        }
        places.extend(sites.iter().map(|&site| Place { e, site }));
        if !own.contains(&e.id()) {
            places.extend(sites.iter().flat_map(|&site| inner(e, site)));
        }
    }
    places.retain(|place| place.e.known_dtype() == Some(DType::F64));
    places.truncate(PLACES);
    places
}

/// The operands of `e`, which stands at `site`.
fn inner<'g>(e: Expr<'g>, site: Site) -> Vec<Place<'g>> {
    let Site::Operand { user, k } = site else { return Vec::new() };
    let operands = e.inputs().into_iter().enumerate();
    operands.map(|(j, e)| Place { e, site: Site::Inner { user, k, j } }).collect()
}

/// The leaves and named expressions of f64 on the tape.
pub(super) fn all_names(graph: &Graph) -> Vec<Expr<'_>> {
    let order = graph.arena().order().to_vec();
    named(graph, &order)
}

/// The leaves and named expressions of f64 that `roots` are computed from.
pub(super) fn names<'g>(roots: &[Expr<'g>]) -> Vec<Expr<'g>> {
    let Some(graph) = roots.first().map(|root| root.graph()) else { return Vec::new() };
    named(graph, &below(roots))
}

/// Those nodes of f64 that have a name, and a value that varies, the last of them first.
fn named<'g>(graph: &'g Graph, nodes: &[NodeId]) -> Vec<Expr<'g>> {
    let exprs = nodes.iter().rev().map(|&id| graph.handle(id));
    let named = exprs.filter(|e| e.known_dtype() == Some(DType::F64) && e.name().is_some());
    named.filter(|&e| varies(e)).take(NAMES).collect()
}

/// Whether it depends on leaves that can be moved, of which none is without a value.
fn varies(e: Expr<'_>) -> bool {
    let mut leaves = movable(&[e]).into_iter();
    let valued = |leaf: Expr<'_>| {
        let leaves = leaf.graph().leaves();
        leaves.cell(leaf.id()).is_some_and(|cell| matches!(*cell.borrow(), Content::Value(_)))
    };
    leaves.len() > 0 && leaves.all(valued)
}

fn has_slope(unary: Unary) -> bool {
    !matches!(unary, Unary::Neg | Unary::StopGradient)
}

/// The functions that people forget, and those that occur in `known`.
fn functions(known: &[Expr<'_>]) -> Vec<Unary> {
    let mut functions = vec![Unary::Exp, Unary::Ln, Unary::Abs, Unary::Square, Unary::Sqrt, Unary::Neg];
    for e in known {
        if let Some(Op::Unary(unary)) = e.op()
            && unary != Unary::StopGradient
            && functions.len() < FEW
            && !functions.contains(&unary)
        {
            functions.push(unary);
        }
    }
    functions
}

/// The numbers in a formula, without their signs.
pub(super) fn literals(root: Expr<'_>) -> Vec<f64> {
    let nodes = below(&[root]).into_iter().map(|id| root.graph().handle(id));
    nodes.filter_map(|e| e.as_literal()).map(f64::abs).collect()
}

/// The numbers that occur in `known`, the sizes of the leaves, and 2.
fn scales(known: &[Expr<'_>], places: &Places<'_>) -> Vec<(f64, Option<Size>)> {
    let mut scales: Vec<(f64, Option<Size>)> = Vec::new();
    let numbers = known.iter().filter_map(|e| e.as_literal()).map(|number| (number.abs(), None));
    let sizes = sizes(&places.operands).map(|size| (size.m as f64, Some(size)));
    for (number, size) in numbers.chain(sizes).chain([(2.0, None)]) {
        let new = scales.iter().all(|(other, _)| *other != number);
        if new && number.is_finite() && number != 0.0 && number != 1.0 && scales.len() < FEW {
            scales.push((number, size));
        }
    }
    scales
}

/// How many times each name would have to be added to the formula, by its values near the present ones.
fn lacks<'g>(
    hand: Expr<'g>,
    expected: Expr<'g>,
    names: &[Expr<'g>],
    places: &Places<'g>,
) -> Vec<(f64, Expr<'g>)> {
    let alike: Vec<Expr<'g>> =
        names.iter().copied().filter(|name| name.shape() == expected.shape()).collect();
    let exprs: Vec<Expr<'g>> = [hand, expected].into_iter().chain(alike.iter().copied()).collect();
    let values = places.run_at(&exprs, [1]).ok().and_then(|mut values| values.pop());
    let Some([hand, expected, alike_values @ ..]) = values.as_deref() else { return Vec::new() };
    if hand.shape() != expected.shape() {
        return Vec::new();
    }
    let lacking = expected - hand;
    let times = alike_values.iter().map(|value| rounded((&lacking * value).sum() / (value * value).sum()));
    times.zip(alike).filter(|(times, _)| times.is_finite() && *times != 0.0).collect()
}
