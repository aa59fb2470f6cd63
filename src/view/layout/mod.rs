//! A layered layout: boxes in layers, each behind what it is made of, few crossings, long edges straight.
//!
//! The steps are those of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures",
//! 1981): a layer for every box ([`layers`]), an order within each layer with few crossings ([`order`]), and places that keep
//! the order and straighten the edges ([`place`]). An edge that passes layers has a cell in each of them, so that it
//! passes between boxes; all edges from one box share theirs. Everything here is measured along the flow ("depth") and across
//! it ("breadth"); whoever draws decides which of them is horizontal.

mod cells;
mod layers;
mod order;
mod place;

use self::cells::{Cells, Content};

/// A box.
pub(super) struct Item {
    /// Its size along the flow.
    pub depth: f64,
    /// Its size across the flow, with what is written beside its tail.
    pub breadth: f64,
    /// The straight piece behind it, along which there is room for a label.
    pub tail: f64,
}

/// An edge from an item to one that comes after it. The edges into an item stand in the order of its operands.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub from: usize,
    pub to: usize,
}

/// A point: how far along the flow, and where across it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub depth: f64,
    pub breadth: f64,
}

/// A piece of an edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    /// The item where the edge begins.
    pub item: usize,
    pub from: Point,
    pub to: Point,
    /// The item where the edge ends, if it does here.
    pub target: Option<usize>,
    /// Whether it runs in front of layers without a place of its own in them.
    pub skips: bool,
}

/// Where everything is.
pub(super) struct Layout {
    /// Where each item begins along the flow, and the middle of it across.
    pub items: Vec<Point>,
    pub strokes: Vec<Stroke>,
    /// The size of the whole.
    pub size: Point,
}

/// Between a layer and the next: at least, and at most, where the edges are steep.
const GAP: (f64, f64) = (26.0, 80.0);

impl Layout {
    /// Lays out items, of which each comes after those it has an edge from.
    pub fn new(items: &[Item], links: &[Link]) -> Self {
        let layers = layers::layers(items.len(), links);
        let mut cells = Cells::new(items, links, &layers);
        order::order(&mut cells);
        let breadths = place::place(&cells);
        Self::assemble(items, links, &layers, &cells, &breadths)
    }

    fn assemble(items: &[Item], links: &[Link], layers: &[usize], cells: &Cells, breadths: &[f64]) -> Self {
        let spans = spans(items, cells, breadths);
        let begin = |item: usize| {
            let span = &spans[layers[item]];
            span.start + (span.body - items[item].depth) / 2.0
        };
        let at = |cell: usize, depth: f64| Point { depth, breadth: breadths[cell] };
        // Where the edges leave the layer of a cell, and where they enter it.
        let leave = |cell: usize| at(cell, spans[cells.layer[cell]].end());
        let enter = |cell: usize, port: f64| match cells.content[cell] {
            Content::Item(item) => Point { depth: begin(item), breadth: breadths[cell] + port },
            Content::Pass(_) => at(cell, spans[cells.layer[cell]].start),
        };
        let mut strokes = Vec::new();
        let leaves = |item: usize| !cells.users[item].is_empty() || items[item].tail > 0.0;
        for item in (0..items.len()).filter(|&item| leaves(item)) {
            let from = at(item, begin(item) + items[item].depth);
            let to = leave(item);
            strokes.push(Stroke { item, from, to, target: None, skips: false });
        }
        for (cell, content) in cells.content.iter().enumerate() {
            let (item, is_pass) = match *content {
                Content::Item(item) => (item, false),
                Content::Pass(item) => (item, true),
            };
            if is_pass {
                let from = enter(cell, 0.0);
                strokes.push(Stroke { item, from, to: leave(cell), target: None, skips: false });
            }
            for &(user, port) in &cells.users[cell] {
                let target = match cells.content[user] {
                    Content::Item(target) => Some(target),
                    Content::Pass(_) => None,
                };
                let (from, end) = (leave(cell), enter(user, port));
                // Up to its layer as a curve, to its box straight.
                let border = Point { depth: spans[cells.layer[user]].start, ..end };
                let is_straight = end.depth > border.depth;
                let (to, curve_target) = if is_straight { (border, None) } else { (end, target) };
                strokes.push(Stroke { item, from, to, target: curve_target, skips: false });
                if is_straight {
                    strokes.push(Stroke { item, from: border, to: end, target, skips: false });
                }
            }
        }
        for &(link, port) in &cells.skipping {
            let Link { from, to } = links[link];
            let (from, to, target) = (leave(from), enter(to, port), Some(to));
            strokes.push(Stroke { item: links[link].from, from, to, target, skips: true });
        }
        let items = (0..items.len()).map(|item| at(item, begin(item))).collect();
        let depth = spans.last().map_or(0.0, Span::end);
        let breadth = (0..breadths.len()).map(|cell| breadths[cell] + cells.half[cell]).fold(0.0, f64::max);
        Self { items, strokes, size: Point { depth, breadth } }
    }
}

/// Where a layer lies along the flow: its boxes, and their tails behind them.
struct Span {
    start: f64,
    body: f64,
    tail: f64,
}

impl Span {
    fn end(&self) -> f64 {
        self.start + self.body + self.tail
    }
}

fn spans(items: &[Item], cells: &Cells, breadths: &[f64]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for layer in &cells.layers {
        let (mut body, mut tail, mut steepest) = (0.0_f64, 0.0_f64, 0.0_f64);
        for &cell in layer {
            if let Content::Item(item) = cells.content[cell] {
                body = body.max(items[item].depth);
                tail = tail.max(items[item].tail);
            }
            for &(operand, port) in &cells.operands[cell] {
                steepest = steepest.max((breadths[operand] - breadths[cell] - port).abs());
            }
        }
        let gap = (GAP.0 + 0.22 * steepest).min(GAP.1);
        let start = spans.last().map_or(0.0, |before| before.end() + gap);
        spans.push(Span { start, body, tail });
    }
    spans
}

#[cfg(test)]
mod tests;
