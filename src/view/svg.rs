//! A drawing as an SVG picture.

use std::fmt::Write;

use super::graph::{Kind, Picture, Vertex};
use super::layout::{Item, Layout, Link, Point, Stroke};
use crate::graph::LeafKind;

/// Size of the letters in boxes and on edges.
const TEXT: f64 = 13.0;
const SMALL: f64 = 11.0;
/// Width of a letter of a monospaced font, for size 1: none that is usual is wider.
const LETTER: f64 = 0.615;
/// From line to line.
const LINE: f64 = 18.0;
/// Between a text and its box, and between the whole and the border of the picture.
const PADDING: (f64, f64) = (10.0, 7.0);
const MARGIN: f64 = 16.0;
/// A picture that is wider flows downwards, if that is narrower.
const WIDE: f64 = 900.0;
/// What is larger is shown smaller: programs refuse larger pictures.
const LARGEST: f64 = 16000.0;

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Leaf(LeafKind::Input) => "input",
        Kind::Leaf(LeafKind::Parameter) => "parameter",
        Kind::Leaf(LeafKind::Constant) => "constant",
        Kind::Operation => "operation",
        Kind::Derivative => "derivative",
    }
}

/// Which way the data flows.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Right,
    Down,
}

pub(super) fn write(picture: &Picture<'_>) -> String {
    let right = Canvas::new(picture, Flow::Right);
    if right.width() <= WIDE {
        return right.draw();
    }
    let down = Canvas::new(picture, Flow::Down);
    if down.width() < right.width() { down.draw() } else { right.draw() }
}

/// A picture laid out.
struct Canvas<'a> {
    picture: &'a Picture<'a>,
    flow: Flow,
    layout: Layout,
    /// Which vertices have users.
    used: Vec<bool>,
    legend: Vec<Kind>,
}

/// Width and height of a box.
fn size(vertex: &Vertex<'_>) -> (f64, f64) {
    let width = vertex.label.iter().map(|line| width(line, TEXT)).fold(0.0, f64::max);
    (width.max(TEXT) + 2.0 * PADDING.0, LINE * vertex.label.len().max(1) as f64 + 2.0 * PADDING.1 - 4.0)
}

/// About as wide as a text is, rather more. Letters of East Asia and pictures take two places.
fn width(text: &str, size: f64) -> f64 {
    let places: f64 = text
        .chars()
        .map(|c| if c >= '\u{1100}' && !('\u{1e00}'..'\u{2e80}').contains(&c) { 2.0 } else { 1.0 })
        .sum();
    places * LETTER * size
}

impl<'a> Canvas<'a> {
    fn new(picture: &'a Picture<'a>, flow: Flow) -> Self {
        let mut used = vec![false; picture.vertices.len()];
        picture.edges.iter().for_each(|&(from, _)| used[from] = true);
        let items = picture.vertices.iter().zip(&used).map(|(vertex, &used)| {
            let (w, h) = size(vertex);
            let label = vertex.shape.as_deref().map_or(0.0, |shape| width(shape, SMALL) + 12.0);
            let tail = used || vertex.is_result;
            match flow {
                Flow::Right => {
                    Item { depth: w, breadth: h.max(34.0), tail: if tail { label.max(8.0) } else { 0.0 } }
                }
                Flow::Down => {
                    Item { depth: h, breadth: w.max(2.0 * label), tail: if tail { 18.0 } else { 0.0 } }
                }
            }
        });
        let items: Vec<Item> = items.collect();
        let links: Vec<Link> = picture.edges.iter().map(|&(from, to)| Link { from, to }).collect();
        let kinds = [
            Kind::Leaf(LeafKind::Input),
            Kind::Leaf(LeafKind::Parameter),
            Kind::Leaf(LeafKind::Constant),
            Kind::Operation,
            Kind::Derivative,
        ];
        let legend =
            kinds.into_iter().filter(|&kind| picture.vertices.iter().any(|vertex| vertex.kind == kind));
        Self { picture, flow, layout: Layout::new(&items, &links), used, legend: legend.collect() }
    }

    fn width(&self) -> f64 {
        self.at(self.layout.size).0
    }

    /// Where a point of the layout is in the picture, without the margin.
    fn at(&self, point: Point) -> (f64, f64) {
        match self.flow {
            Flow::Right => (point.depth, point.breadth),
            Flow::Down => (point.breadth, point.depth),
        }
    }

    fn draw(&self) -> String {
        let (width, height) = self.at(self.layout.size);
        let legend: f64 = self.legend.iter().map(|&kind| legend_width(kind)).sum();
        let width = (width.max(legend) + 2.0 * MARGIN).ceil();
        let height = (height + 2.0 * MARGIN + LEGEND).ceil();
        let scale = (LARGEST / width.max(height)).min(1.0);
        let (shown_width, shown_height) = ((width * scale).ceil(), (height * scale).ceil());
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{shown_width}\" height=\"{shown_height}\" \
             font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"{TEXT}\">\n\
             <title>{}</title>\n\
             <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
             <path d=\"M0 0.5 L7.5 4 L0 7.5 Z\" fill=\"#475569\"/></marker></defs>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
            escaped(&self.title())
        );
        let _ = writeln!(svg, "<g fill=\"none\" stroke=\"#475569\" stroke-width=\"1.1\">");
        self.layout.strokes.iter().for_each(|stroke| self.stroke(&mut svg, stroke));
        svg += "</g>\n";
        for (place, vertex) in self.picture.vertices.iter().enumerate() {
            self.vertex(&mut svg, place, vertex);
        }
        self.draw_legend(&mut svg, height - MARGIN);
        svg + "</svg>\n"
    }

    fn title(&self) -> String {
        let results = self.picture.vertices.iter().filter(|vertex| vertex.is_result);
        let names: Vec<&str> = results.map(|vertex| vertex.label[0].as_str()).collect();
        format!("Computation graph: {}", names.join("; "))
    }

    fn stroke(&self, svg: &mut String, stroke: &Stroke) {
        let ((x1, y1), (x2, y2)) = (self.at(stroke.from), self.at(stroke.to));
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|x| (x + MARGIN) as f32);
        let path = match self.flow {
            _ if (x1 - x2).abs() < 0.5 || (y1 - y2).abs() < 0.5 => {
                format!("M{x1:.1} {y1:.1} L{x2:.1} {y2:.1}")
            }
            Flow::Right => {
                let middle = (x1 + x2) / 2.0;
                format!("M{x1:.1} {y1:.1} C{middle:.1} {y1:.1} {middle:.1} {y2:.1} {x2:.1} {y2:.1}")
            }
            Flow::Down => {
                let middle = (y1 + y2) / 2.0;
                format!("M{x1:.1} {y1:.1} C{x1:.1} {middle:.1} {x2:.1} {middle:.1} {x2:.1} {y2:.1}")
            }
        };
        // Where no edge leaves a result, the result does.
        let is_end = stroke.target.is_some() || !self.used[stroke.item];
        let _ = writeln!(
            svg,
            "<path d=\"{path}\"{}{}/>",
            if is_end { " marker-end=\"url(#arrow)\"" } else { "" },
            if stroke.skips { " stroke-opacity=\"0.35\"" } else { "" }
        );
    }

    fn vertex(&self, svg: &mut String, place: usize, vertex: &Vertex<'_>) {
        let point = self.layout.items[place];
        let (w, h) = size(vertex);
        let (x, y) = self.at(point);
        let (x, y) = match self.flow {
            Flow::Right => (x + MARGIN, y + MARGIN - h / 2.0),
            Flow::Down => (x + MARGIN - w / 2.0, y + MARGIN),
        };
        let (fill, line) = vertex.kind.colours();
        let radius = if matches!(vertex.kind, Kind::Leaf(_)) { 12.0 } else { 3.0 };
        let border = if vertex.is_result { 2.5 } else { 1.2 };
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{radius}\" fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"{border}\"/>"
        );
        for (k, text) in vertex.label.iter().enumerate() {
            let (x, y) = (x + w / 2.0, y + PADDING.1 - 2.0 + LINE * (k as f64 + 0.5) + 0.35 * TEXT);
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" xml:space=\"preserve\">{}</text>",
                escaped(text)
            );
        }
        let leaves = self.used[place] || vertex.is_result;
        if let Some(shape) = vertex.shape.as_deref().filter(|_| leaves) {
            let (x, y) = match self.flow {
                Flow::Right => (x + w + 6.0, y + h / 2.0 - 4.0),
                Flow::Down => (x + w / 2.0 + 7.0, y + h + 13.0),
            };
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{SMALL}\" fill=\"#475569\">{}</text>",
                escaped(shape)
            );
        }
    }

    fn draw_legend(&self, svg: &mut String, y: f64) {
        let mut x = MARGIN;
        for &kind in &self.legend {
            let (fill, line) = kind.colours();
            let radius = if matches!(kind, Kind::Leaf(_)) { 5.0 } else { 2.0 };
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"16\" height=\"12\" rx=\"{radius}\" fill=\"{fill}\" stroke=\"{line}\"/>\
                 <text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{SMALL}\" fill=\"#475569\">{}</text>",
                y - 10.0,
                x + 22.0,
                word(kind)
            );
            x += legend_width(kind);
        }
    }
}

/// The height of the legend, with the space above.
const LEGEND: f64 = 34.0;

fn legend_width(kind: Kind) -> f64 {
    width(word(kind), SMALL) + 42.0
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
