//! A drawing in the language of Graphviz.

use std::fmt::Write;

use super::graph::{Kind, Picture, Vertex};

pub(super) fn write(picture: &Picture<'_>) -> String {
    let mut dot = String::from(
        "digraph {\n  rankdir=LR;\n  node [fontname=\"monospace\", fontsize=11];\n  edge [fontname=\"monospace\", fontsize=9];\n",
    );
    for (place, vertex) in picture.vertices.iter().enumerate() {
        let _ = writeln!(dot, "  n{place} [{}, label={}];", style(vertex), quoted(&vertex.label));
    }
    for &(from, to) in &picture.edges {
        let label = picture.vertices[from].shape.as_slice();
        let label = if label.is_empty() { String::new() } else { format!(" [label={}]", quoted(label)) };
        let _ = writeln!(dot, "  n{from} -> n{to}{label};");
    }
    dot + "}\n"
}

fn style(vertex: &Vertex<'_>) -> String {
    let (fill, line) = vertex.kind.colours();
    let leaf = matches!(vertex.kind, Kind::Leaf(_));
    let (style, width) =
        (if leaf { "filled,rounded" } else { "filled" }, if vertex.is_result { 2.5 } else { 1.0 });
    format!("shape=box, style=\"{style}\", fillcolor=\"{fill}\", color=\"{line}\", penwidth={width}")
}

/// A string of Graphviz with these lines.
fn quoted(lines: &[String]) -> String {
    let lines: Vec<String> =
        lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}
