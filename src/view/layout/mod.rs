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
        let places = Places { items, layers, cells, breadths, spans: &spans };
        let mut strokes = places.tails();
        strokes.extend((0..cells.content.len()).flat_map(|cell| places.onwards(cell)));
        strokes.extend(cells.skipping.iter().map(|&(link, port)| places.past_layers(links[link], port)));
        let items = (0..items.len()).map(|item| places.at(item, places.begin(item))).collect();
        let depth = spans.last().map_or(0.0, Span::end);
        let breadth = (0..breadths.len()).map(|cell| breadths[cell] + cells.half[cell]).fold(0.0, f64::max);
        Self { items, strokes, size: Point { depth, breadth } }
    }
}

/// Where cells are along the flow and across it.
struct Places<'a> {
    items: &'a [Item],
    layers: &'a [usize],
    cells: &'a Cells,
    breadths: &'a [f64],
    spans: &'a [Span],
}

impl Places<'_> {
    fn at(&self, cell: usize, depth: f64) -> Point {
        Point { depth, breadth: self.breadths[cell] }
    }

    /// Where an item begins: in the middle of its layer.
    fn begin(&self, item: usize) -> f64 {
        let span = &self.spans[self.layers[item]];
        span.start + (span.body - self.items[item].depth) / 2.0
    }

    /// Where the edges leave the layer of a cell.
    fn leave(&self, cell: usize) -> Point {
        self.at(cell, self.spans[self.cells.layer[cell]].end())
    }

    /// Where an edge enters a cell.
    fn enter(&self, cell: usize, port: f64) -> Point {
        match self.cells.content[cell] {
            Content::Item(item) => Point { depth: self.begin(item), breadth: self.breadths[cell] + port },
            Content::Pass(_) => self.at(cell, self.spans[self.cells.layer[cell]].start),
        }
    }

    /// From the items to the ends of their layers.
    fn tails(&self) -> Vec<Stroke> {
        let leaves = |&item: &usize| !self.cells.users[item].is_empty() || self.items[item].tail > 0.0;
        let tail = |item| Stroke {
            item,
            from: self.at(item, self.begin(item) + self.items[item].depth),
            to: self.leave(item),
            target: None,
            skips: false,
        };
        (0..self.items.len()).filter(leaves).map(tail).collect()
    }

    /// Through the layer of a cell, if edges pass there, and from it to the next.
    fn onwards(&self, cell: usize) -> Vec<Stroke> {
        let (item, is_pass) = match self.cells.content[cell] {
            Content::Item(item) => (item, false),
            Content::Pass(item) => (item, true),
        };
        let mut strokes = Vec::new();
        let mut draw = |from, to, target| strokes.push(Stroke { item, from, to, target, skips: false });
        if is_pass {
            draw(self.enter(cell, 0.0), self.leave(cell), None);
        }
        for &(user, port) in &self.cells.users[cell] {
            let target = match self.cells.content[user] {
                Content::Item(target) => Some(target),
                Content::Pass(_) => None,
            };
            let (from, end) = (self.leave(cell), self.enter(user, port));
            // Up to its layer as a curve, to its box straight.
            let border = Point { depth: self.spans[self.cells.layer[user]].start, ..end };
            if end.depth > border.depth {
                draw(from, border, None);
                draw(border, end, target);
            } else {
                draw(from, end, target);
            }
        }
        strokes
    }

    /// An edge in front of the layers that it passes.
    fn past_layers(&self, Link { from, to }: Link, port: f64) -> Stroke {
        Stroke { item: from, from: self.leave(from), to: self.enter(to, port), target: Some(to), skips: true }
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
