//! Pictures of the user's own.

use std::fmt;
use std::io::Cursor;
use std::path::Path;

use gradus::ndarray::Array2;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageReader, ImageResult, Limits};

use super::Pictures;
use crate::common::{Error, files};

impl Pictures {
    /// The picture in a PNG or JPEG file as a column (n, 1), converted as these pictures were: drawn on white,
    /// stretched to their height and width (a pixel is the mean of what it covers), grey if they are grey, bytes
    /// divided by 255, in C order. `invert` swaps dark and bright.
    ///
    /// # Errors
    /// If the file is no picture, or these are none: their shape is not (height, width), (height, width, 1) or
    /// (height, width, 3), or they have numbers that are not from 0 to 1.
    pub fn convert(&self, path: &Path, invert: bool) -> Result<Array2<f64>, Error> {
        let (height, width, grey) = match self.shape[..] {
            [height, width] | [height, width, 1] => (height, width, true),
            [height, width, 3] => (height, width, false),
            ref other => {
                return Err(no_pictures(
                    path,
                    "of shape (h, w), (h, w, 1) or (h, w, 3)",
                    format_args!("{other:?}"),
                ));
            }
        };
        if let Some(number) = self.train_x.iter().find(|x| !(0.0..=1.0).contains(*x)) {
            return Err(no_pictures(path, "of numbers from 0 to 1", number));
        }
        let picture = read(path)?;
        let mut numbers = Vec::with_capacity(self.train_x.nrows());
        for row in 0..height {
            for column in 0..width {
                let [r, g, b] =
                    mean(&picture, (row, height), (column, width)).map(|x| if invert { 1.0 - x } else { x });
                match grey {
                    true => numbers.push(0.2126 * r + 0.7152 * g + 0.0722 * b),
                    false => numbers.extend([r, g, b]),
                }
            }
        }
        let bytes = numbers.into_iter().map(|x| (255.0 * x).round() / 255.0).collect();
        Array2::from_shape_vec((self.train_x.nrows(), 1), bytes).map_err(|error| Error::in_file(path, error))
    }
}

fn no_pictures(path: &Path, expected: &str, found: impl fmt::Display) -> Error {
    Error::in_file(
        path,
        format_args!("expected training pictures {expected} to convert it to, found {found}"),
    )
}

/// The picture, upright as the camera was held.
fn read(path: &Path) -> Result<DynamicImage, Error> {
    let bytes = files::read(path)?;
    let decode = || -> ImageResult<DynamicImage> {
        let mut decoder = ImageReader::new(Cursor::new(&bytes)).with_guessed_format()?.into_decoder()?;
        let orientation = decoder.orientation()?;
        // A file of a few bytes may claim to be vast.
        Limits::default().reserve(decoder.total_bytes())?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    decode().map_err(|error| Error::in_file(path, format_args!("expected a PNG or JPEG picture: {error}")))
}

/// The mean colour of what pixel `row` of `height` and `column` of `width` covers, as it is seen on white paper.
fn mean(picture: &DynamicImage, (row, height): (usize, usize), (column, width): (usize, usize)) -> [f64; 3] {
    let mut mean = [0.0; 3];
    for (y, share_y) in covered(row, height, picture.height()) {
        for (x, share_x) in covered(column, width, picture.width()) {
            let [r, g, b, alpha] = picture.get_pixel(x, y).0.map(|byte| f64::from(byte) / 255.0);
            for (mean, colour) in mean.iter_mut().zip([r, g, b]) {
                *mean += share_y * share_x * (alpha * colour + (1.0 - alpha));
            }
        }
    }
    mean
}

/// Which of `size` pixels in a row pixel `i` of `n` covers, each with its share.
fn covered(i: usize, n: usize, size: u32) -> impl Iterator<Item = (u32, f64)> {
    let [from, to] = [i, i + 1].map(|edge| (edge * size as usize) as f64 / n as f64);
    let share = move |pixel: u32| (to.min(f64::from(pixel) + 1.0) - from.max(f64::from(pixel))) / (to - from);
    (from as u32..to.ceil() as u32).map(move |pixel| (pixel, share(pixel)))
}
