//! A picture of pixels.

use std::path::Path;

use crate::common::Error;
use crate::common::files::write_png;

/// Red, green and blue.
pub type Colour = [u8; 3];

/// A picture that is white where nothing is drawn.
pub struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, rgb: vec![255; width * height * 3] }
    }

    /// Fills a rectangle; what lies outside the picture is left out.
    pub fn fill(&mut self, [left, top]: [usize; 2], [width, height]: [usize; 2], colour: Colour) {
        for y in top..(top + height).min(self.height) {
            for x in left..(left + width).min(self.width) {
                let pixel = (y * self.width + x) * 3;
                self.rgb[pixel..pixel + 3].copy_from_slice(&colour);
            }
        }
    }

    /// Writes digits, and the few other characters that there are glyphs of, 12 × 14 pixels each.
    pub fn write(&mut self, text: &str, [left, top]: [usize; 2], colour: Colour) {
        for (i, glyph) in text.chars().map(glyph).enumerate() {
            for (row, bits) in glyph.iter().enumerate() {
                for column in (0..5).filter(|column| bits & (16 >> column) != 0) {
                    self.fill([left + 12 * i + 2 * column, top + 2 * row], [2, 2], colour);
                }
            }
        }
    }

    /// Saves it as a PNG file.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        write_png(path, self.width as u32, self.height as u32, &self.rgb)
    }
}

/// Seven lines of five dots.
fn glyph(c: char) -> [u8; 7] {
    match c {
        '0' => [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
        '1' => [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
        '2' => [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f],
        '3' => [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
        '4' => [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
        '5' => [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
        '6' => [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
        '7' => [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        '8' => [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
        '9' => [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
        'y' => [0x00, 0x00, 0x11, 0x11, 0x0f, 0x01, 0x0e],
        'a' => [0x00, 0x00, 0x0e, 0x01, 0x0f, 0x11, 0x0f],
        '=' => [0x00, 0x00, 0x1f, 0x00, 0x1f, 0x00, 0x00],
        '.' => [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c],
        '#' => [0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a],
        _ => [0; 7],
    }
}

/// Height, width and channels of a picture of this shape; of what is no picture, those of one row.
pub fn extent(shape: &[usize], length: usize) -> [usize; 3] {
    match *shape {
        [height, width] => [height, width, 1],
        [height, width, channels @ 1..=4] => [height, width, channels],
        _ => [1, length, 1],
    }
}
