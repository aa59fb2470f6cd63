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

    /// Writes digits, and the few other characters that there are glyphs of, 8 × 14 pixels each.
    pub fn write(&mut self, text: &str, [left, top]: [usize; 2], colour: Colour) {
        for (i, glyph) in text.chars().map(glyph).enumerate() {
            for (row, bits) in glyph.iter().enumerate() {
                for column in (0..3).filter(|column| bits & (4 >> column) != 0) {
                    self.fill([left + 8 * i + 2 * column, top + 2 * row], [2, 2], colour);
                }
            }
        }
    }

    /// Saves it as a PNG file.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        write_png(path, self.width as u32, self.height as u32, &self.rgb)
    }
}

/// Seven lines of three dots.
fn glyph(c: char) -> [u8; 7] {
    match c {
        '0' => [7, 5, 5, 5, 7, 0, 0],
        '1' => [2, 6, 2, 2, 7, 0, 0],
        '2' => [7, 1, 7, 4, 7, 0, 0],
        '3' => [7, 1, 3, 1, 7, 0, 0],
        '4' => [5, 5, 7, 1, 1, 0, 0],
        '5' => [7, 4, 7, 1, 7, 0, 0],
        '6' => [7, 4, 7, 5, 7, 0, 0],
        '7' => [7, 1, 1, 2, 2, 0, 0],
        '8' => [7, 5, 7, 5, 7, 0, 0],
        '9' => [7, 5, 7, 1, 7, 0, 0],
        'y' => [0, 5, 5, 7, 1, 7, 0],
        'a' => [0, 3, 5, 5, 3, 0, 0],
        '=' => [0, 7, 0, 7, 0, 0, 0],
        '.' => [0, 0, 0, 0, 2, 0, 0],
        '#' => [5, 7, 5, 7, 5, 0, 0],
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
