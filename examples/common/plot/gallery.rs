//! Pictures side by side.

use std::path::Path;

use super::canvas::{Canvas, Colour, extent};
use crate::common::Error;

/// How large a picture is drawn, and what lies around it, in pixels.
const SIDE: usize = 128;
const LEAST: usize = 16;
const FRAME: usize = 4;
const GAP: usize = 14;
const CAPTION: usize = 42;
const COLUMNS: usize = 8;

/// A picture of numbers from 0 to 1, row by row, with what is said of it.
pub struct Exhibit {
    pub pixels: Vec<f64>,
    pub frame: Colour,
    /// Two lines, of what the canvas can write.
    pub caption: [String; 2],
}

/// Draws pictures of this shape in rows of eight. What is no picture is drawn as one row of pixels.
pub fn gallery(path: &Path, exhibits: &[Exhibit], shape: &[usize]) -> Result<(), Error> {
    let length = exhibits.first().map_or(1, |exhibit| exhibit.pixels.len());
    let size @ [height, width, _] = extent(shape, length);
    let longer = height.max(width);
    let side = if longer < SIDE { SIDE / longer * longer } else { SIDE };
    let drawn = [height, width].map(|n| (n * side / longer).max(LEAST));
    let tile = [drawn[1].max(SIDE) + 2 * FRAME + GAP, drawn[0] + 2 * FRAME + GAP + CAPTION];

    let columns = exhibits.len().clamp(1, COLUMNS);
    let rows = exhibits.len().div_ceil(columns).max(1);
    let mut canvas = Canvas::new(GAP + columns * tile[0], GAP + rows * tile[1]);
    for (i, exhibit) in exhibits.iter().enumerate() {
        let corner = [GAP + i % columns * tile[0], GAP + i / columns * tile[1]];
        draw(&mut canvas, exhibit, size, drawn, corner);
    }
    canvas.save(path)
}

fn draw(canvas: &mut Canvas, exhibit: &Exhibit, size: [usize; 3], drawn: [usize; 2], corner: [usize; 2]) {
    let [height, width, channels] = size;
    let [left, top] = corner;
    canvas.fill(corner, [drawn[1] + 2 * FRAME, drawn[0] + 2 * FRAME], exhibit.frame);
    for y in 0..drawn[0] {
        for x in 0..drawn[1] {
            let first = (y * height / drawn[0] * width + x * width / drawn[1]) * channels;
            let level =
                |channel: usize| (255.0 * exhibit.pixels[first + channel].clamp(0.0, 1.0)).round() as u8;
            let colour = if channels < 3 { [level(0); 3] } else { [0, 1, 2].map(level) };
            canvas.fill([left + FRAME + x, top + FRAME + y], [1, 1], colour);
        }
    }
    for (line, text) in exhibit.caption.iter().enumerate() {
        canvas.write(text, [left, top + drawn[0] + 2 * FRAME + 6 + 20 * line], [40, 40, 40]);
    }
}
