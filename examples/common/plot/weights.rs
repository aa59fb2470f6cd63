//! Weights as a picture.

use std::path::Path;

use gradus::ndarray::ArrayView1;

use crate::common::Error;
use crate::common::files::write_png;

/// Draws weights as a picture of this shape: red where a bright pixel speaks for the answer yes, blue where it speaks
/// against it, white where it does not matter; one panel for each colour of the picture. Weights that are no
/// picture are drawn as one row.
pub fn weights(path: &Path, weights: ArrayView1<'_, f64>, shape: &[usize]) -> Result<(), Error> {
    let (height, width, channels) = match *shape {
        [height, width] => (height, width, 1),
        [height, width, channels @ 1..=4] => (height, width, channels),
        _ => (1, weights.len(), 1),
    };
    let scale = (320 / height.max(width)).max(1);
    let (gap, frame) = (8, 8);
    let full_width = channels * width * scale + (channels - 1) * gap + 2 * frame;
    let full_height = height * scale + 2 * frame;
    let most = weights.iter().fold(f64::MIN_POSITIVE, |most, w| most.max(w.abs()));
    let mut rgb = vec![255; full_width * full_height * 3];
    for channel in 0..channels {
        let left = frame + channel * (width * scale + gap);
        for y in 0..height * scale {
            for x in 0..width * scale {
                let weight = weights[((y / scale) * width + x / scale) * channels + channel];
                let pixel = ((frame + y) * full_width + left + x) * 3;
                rgb[pixel..pixel + 3].copy_from_slice(&diverging(weight / most));
            }
        }
    }
    write_png(path, full_width as u32, full_height as u32, &rgb)
}

/// Blue at -1, white at 0, red at 1.
fn diverging(x: f64) -> [u8; 3] {
    let end = if x < 0.0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
    end.map(|end: f64| (255.0 + (end - 255.0) * x.abs().min(1.0)).round() as u8)
}
