//! Tables of short texts, as pictures.

use std::fmt::Write as _;
use std::path::Path;

use crate::common::Error;
use crate::common::files::write;

/// The size of a cell.
const CELL: (usize, usize) = (66, 24);
/// The space that the title and the names of the columns take above, and that around a table.
const HEAD: usize = 60;
const MARGIN: usize = 14;

/// A table with names for its rows and its columns.
pub struct Grid {
    pub title: String,
    pub names: Vec<String>,
    /// Row by row; an empty cell is none.
    pub cells: Vec<Vec<Option<String>>>,
}

/// Draws square tables as an SVG file, so many in a row: a green cell for a text, a red one for none.
pub fn grids(path: &Path, in_a_row: usize, grids: &[Grid]) -> Result<(), Error> {
    let most = grids.iter().map(|grid| grid.names.len()).max().unwrap_or_default();
    let (width, height) = ((most + 1) * CELL.0 + 2 * MARGIN, most * CELL.1 + HEAD + 2 * MARGIN);
    let (full_width, full_height) = (width * in_a_row, height * grids.len().div_ceil(in_a_row));
    let mut svg = format!(
        "<svg width=\"{full_width}\" height=\"{full_height}\" viewBox=\"0 0 {full_width} {full_height}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" text-anchor=\"middle\">\n\
         <rect width=\"{full_width}\" height=\"{full_height}\" fill=\"white\"/>\n"
    );
    for (i, grid) in grids.iter().enumerate() {
        let (left, top) = (i % in_a_row * width + MARGIN, i / in_a_row * height + MARGIN);
        draw(&mut svg, grid, left, top);
    }
    svg.push_str("</svg>\n");
    write(path, svg.as_bytes())
}

fn draw(svg: &mut String, grid: &Grid, left: usize, top: usize) {
    let n = grid.names.len();
    // The middle of a cell; the names stand in a row and a column of their own.
    let x = |column: usize| left + column * CELL.0 + CELL.0 / 2;
    let y = |row: usize| top + HEAD - CELL.1 / 2 + row * CELL.1 + 4;
    text(svg, left + (n + 1) * CELL.0 / 2, top + 18, 17, "black", &grid.title);
    for (k, name) in grid.names.iter().enumerate() {
        text(svg, x(k + 1), y(0), 12, "#555", name);
        text(svg, x(0), y(k + 1), 12, "#555", name);
        for (column, cell) in grid.cells[k].iter().enumerate() {
            let (fill, colour) = if cell.is_some() { ("#e3f1e3", "#123") } else { ("#f3cfc9", "#912") };
            let (corner_x, corner_y) = (left + (column + 1) * CELL.0, top + HEAD + k * CELL.1);
            let (width, height) = (CELL.0 - 2, CELL.1 - 2);
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<rect x=\"{corner_x}\" y=\"{corner_y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
            );
            text(svg, x(column + 1), y(k + 1), 12, colour, cell.as_deref().unwrap_or("–"));
        }
    }
}

fn text(svg: &mut String, x: usize, y: usize, size: usize, colour: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\">{text}</text>");
}
