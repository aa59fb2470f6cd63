//! Weights as a picture.

use std::path::Path;

use gradus::ndarray::ArrayView1;

use super::canvas::{Canvas, Colour, extent};
use super::diverging;
use crate::common::Error;

const EDGE: Colour = [180, 180, 180];

/// Draws weights as a picture of this shape: red where a bright pixel speaks for the answer yes, blue where it speaks
/// against it, white where it does not matter; one panel for each colour of the picture. Weights that are no
/// picture are drawn as one row.
pub fn weights(path: &Path, weights: ArrayView1<'_, f64>, shape: &[usize]) -> Result<(), Error> {
    let [height, width, channels] = extent(shape, weights.len());
    let scale = (320 / height.max(width)).max(1);
    let (gap, frame) = (8, 8);
    let full_width = channels * width * scale + (channels - 1) * gap + 2 * frame;
    let mut canvas = Canvas::new(full_width, height * scale + 2 * frame);
    let most = weights.iter().fold(f64::MIN_POSITIVE, |most, w| most.max(w.abs()));
    for channel in 0..channels {
        // A thin edge: the weights of the outer pixels are often white.
        let left = frame + channel * (width * scale + gap);
        canvas.fill([left - 1, frame - 1], [width * scale + 2, height * scale + 2], EDGE);
    }
    for (i, &weight) in weights.iter().enumerate() {
        let (y, x, channel) = (i / channels / width, i / channels % width, i % channels);
        let left = frame + channel * (width * scale + gap) + x * scale;
        canvas.fill([left, frame + y * scale], [scale, scale], diverging(weight / most));
    }
    canvas.save(path)
}
