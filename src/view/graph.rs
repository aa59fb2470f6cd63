//! What a drawing shows: boxes with labels, and edges.

use hashbrown::{HashMap, HashSet};

use super::formula::{Bodies, Notation, Scope, lines};
use super::text::{Piece, Text, head};
use crate::element::DType;
use crate::graph::{Expr, LeafKind, NodeId};

/// What has a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Leaves, named nodes, and what a text binds to a name.
    Names,
    /// Leaves and operations.
    Operations,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Leaf(LeafKind),
    /// What a user has written.
    Operation,
    /// What a derivation has.
    Derivative,
}

impl Kind {
    /// Fill and border of such a box.
    pub const fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Leaf(LeafKind::Input) => ("#dbeafe", "#2563eb"),
            Self::Leaf(LeafKind::Parameter) => ("#fef3c7", "#b45309"),
            Self::Leaf(LeafKind::Constant) => ("#f1f5f9", "#64748b"),
            Self::Operation => ("#ffffff", "#334155"),
            Self::Derivative => ("#f5e8ff", "#7e22ce"),
        }
    }
}

/// A box.
pub(super) struct Vertex<'g> {
    pub node: Expr<'g>,
    pub kind: Kind,
    pub is_result: bool,
    /// The name, if it has one.
    pub name: Option<String>,
    /// Lines: the formula, and what has been added.
    pub label: Vec<String>,
    /// The shape of what flows out, unless it is a number.
    pub shape: Option<String>,
}

/// A graph as it is drawn.
pub(super) struct Picture<'g> {
    /// Every vertex stands behind those that it has an edge from.
    pub vertices: Vec<Vertex<'g>>,
    /// From where to where; those to one vertex in the order of its operands.
    pub edges: Vec<(usize, usize)>,
}

/// A node and what stands in its box.
struct Formula<'g> {
    node: Expr<'g>,
    name: Option<String>,
    text: String,
}

impl<'g> Picture<'g> {
    pub fn new(results: &[Expr<'g>], bodies: &Bodies<'g>, detail: Detail) -> Self {
        let ends: HashSet<NodeId> = results.iter().map(|result| result.id()).collect();
        let formulas = match detail {
            Detail::Names => by_name(results, bodies, &ends),
            Detail::Operations => each(results, bodies, &ends),
        };
        let vertex = |Formula { node, name, text }: Formula<'g>| {
            let kind = match node.leaf() {
                Some(leaf) => Kind::Leaf(leaf.kind),
                None if node.is_derived() => Kind::Derivative,
                None => Kind::Operation,
            };
            let text = match &name {
                Some(name) if *name != text => format!("{name} = {text}"),
                _ => text,
            };
            let (is_result, label, shape) = (ends.contains(&node.id()), wrapped(&text), flow(node));
            Vertex { node, kind, is_result, name, label, shape }
        };
        let vertices: Vec<Vertex<'g>> = formulas.into_iter().map(vertex).collect();
        let edges = edges(&vertices, bodies);
        Self { vertices, edges }
    }
}

/// The leaves, and the formulas that a text of all results would have as lines.
fn by_name<'g>(results: &[Expr<'g>], bodies: &Bodies<'g>, ends: &HashSet<NodeId>) -> Vec<Formula<'g>> {
    let lines = lines(results, &Text, bodies, Scope::Leaves);
    let nodes = bodies.in_order(results, |_| false);
    let leaves = nodes.into_iter().filter(|e| e.leaf().is_some() && !ends.contains(&e.id())).map(leaf);
    let formulas = lines.into_iter().map(|line| {
        // Nobody calls a result without a name by the one that it is bound to.
        let name = line.node.name().or_else(|| (!ends.contains(&line.node.id())).then_some(line.name.text));
        Formula { node: line.node, name, text: line.formula.text }
    });
    leaves.chain(formulas).collect()
}

fn leaf(e: Expr<'_>) -> Formula<'_> {
    let name = e.name();
    let text = name.clone().or_else(|| Some(e.op()?.label())).unwrap_or_default();
    Formula { node: e, name, text }
}

/// What stands for an operand that has no name.
const OPERAND: &str = "·";

/// Every operation that is shown, in terms of names and numbers, with dots for the other operands; by itself, if there are no
/// others. What is made of numbers alone is written into the boxes of its users.
fn each<'g>(results: &[Expr<'g>], bodies: &Bodies<'g>, ends: &HashSet<NodeId>) -> Vec<Formula<'g>> {
    let mut numbers: HashMap<NodeId, Piece> = HashMap::new();
    let mut formulas = Vec::new();
    for node in bodies.in_order(results, |_| false) {
        let (name, operands) = (node.name(), bodies.operands(node));
        if node.leaf().is_some() {
            formulas.push(leaf(node));
            continue;
        }
        let piece = |e: Expr<'g>| match (e.name(), numbers.get(&e.id())) {
            (Some(name), _) => Text.name(&name),
            (None, Some(number)) => number.clone(),
            (None, None) => Text.label(OPERAND),
        };
        let formula = bodies.write(node, &Text, piece);
        if name.is_none()
            && !ends.contains(&node.id())
            && operands.iter().all(|e| numbers.contains_key(&e.id()))
        {
            numbers.insert(node.id(), formula);
            continue;
        }
        let says = |e: &Expr<'g>| e.is_named() || numbers.contains_key(&e.id());
        let alone = name.is_none() && !operands.is_empty() && !operands.iter().any(says);
        let text = if alone { head(node) } else { formula.text };
        formulas.push(Formula { node, name, text });
    }
    formulas
}

/// To each vertex from those that its formula is made of.
fn edges<'g>(vertices: &[Vertex<'g>], bodies: &Bodies<'g>) -> Vec<(usize, usize)> {
    let ids = vertices.iter().map(|vertex| vertex.node.id());
    let places: HashMap<NodeId, usize> = ids.zip(0..).collect();
    let mut edges = Vec::new();
    for (to, vertex) in vertices.iter().enumerate() {
        let mut seen: HashSet<NodeId> = HashSet::new();
        // The first operand is looked at next, with all that is in it.
        let reversed = |e: Expr<'g>| bodies.operands(e).into_iter().rev();
        let mut open: Vec<Expr<'g>> = reversed(vertex.node).collect();
        while let Some(e) = open.pop() {
            if seen.insert(e.id()) {
                match places.get(&e.id()) {
                    Some(&from) => edges.push((from, to)),
                    None => open.extend(reversed(e)),
                }
            }
        }
    }
    edges
}

/// The shape, and the element type of what is not a float, unless it is one float.
fn flow(e: Expr<'_>) -> Option<String> {
    let (shape, dtype) = (e.shape(), e.dtype());
    match dtype {
        DType::F32 | DType::F64 if shape.ndim() == 0 => None,
        DType::F32 | DType::F64 => Some(shape.to_string()),
        _ if shape.ndim() == 0 => Some(dtype.to_string()),
        _ => Some(format!("{shape} {dtype}")),
    }
}

/// How many characters a line of a label has at most.
const LINE: usize = 40;
/// How many lines of a formula are shown.
const LINES: usize = 4;

/// In lines of about one length, of which the last ends with dots if there is more.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.lines() {
        let length = part.chars().count().max(1);
        let limit = (length.div_ceil(length.div_ceil(LINE)) + 4).min(LINE);
        let mut line: Vec<char> = Vec::new();
        for word in part.split(' ') {
            if !line.is_empty() {
                let fits = line.len() + 1 + word.chars().count() <= limit;
                if fits { line.push(' ') } else { lines.push(line.drain(..).collect()) }
            }
            line.extend(word.chars().map(|c| if c.is_control() { ' ' } else { c }));
            while line.len() > LINE {
                lines.push(line.drain(..LINE).collect());
            }
        }
        lines.push(line.into_iter().collect());
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines[LINES - 1].push_str(" …");
    }
    lines
}
