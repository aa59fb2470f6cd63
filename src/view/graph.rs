//! What a drawing shows: boxes with labels, and edges.

use hashbrown::{HashMap, HashSet};

use super::formula::{Notation, Scope, lines, write};
use super::shown::{operands, plain, size};
use super::text::{Text, head};
use crate::element::DType;
use crate::graph::{Expr, LeafKind, NodeId, reach};

/// What has a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Leaves, named nodes, and what a text binds to a name.
    Names,
    /// Leaves and operations.
    Operations,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Leaf(LeafKind),
    /// An operation that the first result is computed from.
    Operation,
    /// One that only other results are computed from.
    Further,
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

/// How many characters a line of a label has, about.
const LINE: usize = 36;
/// How many lines of a formula are shown.
const LINES: usize = 3;

impl<'g> Picture<'g> {
    pub fn new(results: &[Expr<'g>], detail: Detail) -> Self {
        let Some(first) = results.first() else { return Self { vertices: Vec::new(), edges: Vec::new() } };
        let results: Vec<Expr<'g>> = results.iter().map(|&result| plain(result)).collect();
        let roots: Vec<NodeId> = results.iter().map(|result| result.id()).collect();
        let formulas = match detail {
            Detail::Names => by_name(first.graph().handle(roots[0]), &roots),
            Detail::Operations => each(&results),
        };
        let main: HashSet<NodeId> =
            reach(&first.graph().arena(), [roots[0]], |_, _| true).into_iter().collect();
        let roots: HashSet<NodeId> = roots.into_iter().collect();
        let vertex = |Formula { node, name, text }: Formula<'g>| {
            let kind = match node.leaf() {
                Some(leaf) => Kind::Leaf(leaf.kind),
                None if main.contains(&node.id()) => Kind::Operation,
                None => Kind::Further,
            };
            let text = match &name {
                Some(name) if *name != text => format!("{name} = {text}"),
                _ => text,
            };
            Vertex {
                node,
                kind,
                is_result: roots.contains(&node.id()),
                name,
                label: wrapped(&text),
                shape: flow(node),
            }
        };
        let vertices: Vec<Vertex<'g>> = formulas.into_iter().map(vertex).collect();
        let edges = edges(&vertices);
        Self { vertices, edges }
    }
}

/// A node and what stands in its box.
struct Formula<'g> {
    node: Expr<'g>,
    name: Option<String>,
    text: String,
}

/// The leaves, and the formulas that a text of all results would have as lines.
fn by_name<'g>(any: Expr<'g>, roots: &[NodeId]) -> Vec<Formula<'g>> {
    let graph = any.graph();
    let mut formulas: Vec<Formula<'g>> = Vec::new();
    let lines = lines(graph, roots, &Text, Scope::Leaves);
    let mut seen: HashSet<NodeId> = lines.iter().map(|line| line.id).collect();
    let starts: Vec<Expr<'g>> = lines.iter().map(|line| graph.handle(line.id)).collect();
    for line in lines {
        let node = graph.handle(line.id);
        // A number that only gives a name to an unnamed result is not used anywhere.
        let name = node.name().or_else(|| (!roots.contains(&line.id)).then(|| line.name.text.clone()));
        formulas.push(Formula { node, name, text: line.formula.text });
    }
    // Leaves are not lines, but boxes.
    let mut open = starts;
    while let Some(e) = open.pop() {
        for operand in operands(e) {
            if seen.insert(operand.id()) {
                match operand.leaf() {
                    Some(_) => formulas.push(leaf(operand)),
                    None => open.push(operand),
                }
            }
        }
    }
    in_order(formulas)
}

fn leaf(e: Expr<'_>) -> Formula<'_> {
    let name = e.name();
    let text = name.clone().or_else(|| Some(e.op()?.label())).unwrap_or_default();
    Formula { node: e, name, text }
}

/// Every operation that is shown, in terms of the names of its operands.
fn each<'g>(results: &[Expr<'g>]) -> Vec<Formula<'g>> {
    let mut formulas = Vec::new();
    let mut seen: HashSet<NodeId> = results.iter().map(|result| result.id()).collect();
    let mut open = results.to_vec();
    while let Some(e) = open.pop() {
        formulas.push(if e.leaf().is_some() {
            leaf(e)
        } else {
            Formula { node: e, name: e.name(), text: operation(e) }
        });
        open.extend(operands(e).filter(|operand| !is_number(*operand) && seen.insert(operand.id())));
    }
    in_order(formulas)
}

fn in_order(mut formulas: Vec<Formula<'_>>) -> Vec<Formula<'_>> {
    formulas.sort_by_cached_key(|formula| formula.node.graph().arena().position(formula.node.id()));
    formulas
}

/// Whether it is written into the boxes of its users.
fn is_number(e: Expr<'_>) -> bool {
    e.as_number().is_some() || e.op().is_some_and(|op| e.name().is_none() && size(e, &op).is_some())
}

/// What stands for an operand that has no name.
const OPERAND: &str = "·";

/// An operation in terms of names and numbers, with dots for the other operands; by itself, if there are no others.
fn operation(e: Expr<'_>) -> String {
    let Some(op) = e.op() else { return String::new() };
    let says = |operand: Expr<'_>| operand.name().is_some() || is_number(operand);
    match op.record() {
        Some(record) if !operands(e).any(says) => head(e, &op, &record),
        _ => {
            let piece = |operand: Expr<'_>| match operand.name() {
                Some(name) => Text.name(&name),
                None if is_number(operand) => operand.op().map_or_else(
                    || Text.label(OPERAND),
                    |op| match size(operand, &op) {
                        Some(size) => Text.label(&size.to_string()),
                        None => Text.label(&op.label()),
                    },
                ),
                None => Text.label(OPERAND),
            };
            write(e, &op, &Text, piece).text
        }
    }
}

/// From each vertex to those whose formulas name it.
fn edges(vertices: &[Vertex<'_>]) -> Vec<(usize, usize)> {
    let places: HashMap<NodeId, usize> =
        vertices.iter().enumerate().map(|(place, vertex)| (vertex.node.id(), place)).collect();
    let mut edges = Vec::new();
    for (to, vertex) in vertices.iter().enumerate() {
        let mut seen: HashSet<NodeId> = HashSet::new();
        // From the last to the first, so that the first is looked at next.
        let reversed =
            |e: Expr<'_>| operands(e).map(|operand| operand.id()).collect::<Vec<_>>().into_iter().rev();
        let mut open: Vec<NodeId> = reversed(vertex.node).collect();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match places.get(&id) {
                Some(&from) => edges.push((from, to)),
                None => open.extend(reversed(vertex.node.graph().handle(id))),
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

/// In lines, of which the last ends with dots if there is more.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for words in text.lines() {
        let mut line = String::new();
        for word in words.split(' ') {
            let mut word: Vec<char> = word.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            if !line.is_empty() && line.chars().count() + 1 + word.len() > LINE {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            while word.len() > LINE {
                lines.push(word.drain(..LINE).collect());
            }
            line.extend(word);
        }
        lines.push(line);
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines[LINES - 1].push_str(" …");
    }
    lines
}
