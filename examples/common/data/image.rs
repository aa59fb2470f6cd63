//! Pictures of the user's own.

use std::io::Cursor;
use std::path::Path;

use gradus::ndarray::Array2;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb32FImage};

use super::Pictures;
use crate::common::Error;

impl Pictures {
    /// The picture in a PNG or JPEG file as a column (n, 1), converted as these pictures were: drawn on white, turned
    /// to grey if they are grey, stretched to their height and width, bytes divided by 255, in C order. `invert`
    /// swaps dark and bright first.
    ///
    /// # Errors
    /// If the file is no picture, or these are none: their shape is not (height, width) or (height, width, 3), or
    /// their numbers do not go from 0 to 1.
    pub fn convert(&self, path: &Path, invert: bool) -> Result<Array2<f64>, Error> {
        let (height, width, grey) = match *self.shape.as_slice() {
            [height, width] | [height, width, 1] => (height, width, true),
            [height, width, 3] => (height, width, false),
            ref other => {
                let text = format!(
                    "expected training pictures (h, w) or (h, w, 3) to convert it to, found {other:?}"
                );
                return Err(Error::in_file(path, text));
            }
        };
        if let Some(number) = self.train_x.iter().find(|x| !(0.0..=1.0).contains(*x)) {
            let text = format!("expected training pictures from 0 to 1 to convert it to, found {number}");
            return Err(Error::in_file(path, text));
        }
        let picture = on_white(&read(path)?, invert);
        let picture = picture.resize_exact(width as u32, height as u32, FilterType::Triangle);
        let bytes = if grey { picture.to_luma8().into_raw() } else { picture.to_rgb8().into_raw() };
        let numbers = bytes.into_iter().map(|byte| f64::from(byte) / 255.0).collect();
        Array2::from_shape_vec((height * width * if grey { 1 } else { 3 }, 1), numbers)
            .map_err(|error| Error::in_file(path, error))
    }
}

/// The picture, upright as the camera was held.
fn read(path: &Path) -> Result<DynamicImage, Error> {
    let bytes = std::fs::read(path);
    let bytes = bytes.map_err(|error| Error::in_file(path, format_args!("cannot read: {error}")))?;
    let decoded = || -> image::ImageResult<DynamicImage> {
        let mut decoder = ImageReader::new(Cursor::new(&bytes)).with_guessed_format()?.into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    decoded().map_err(|error| Error::in_file(path, format_args!("expected a PNG or JPEG picture: {error}")))
}

/// What is seen where the picture lies on white paper.
fn on_white(picture: &DynamicImage, invert: bool) -> DynamicImage {
    let rgba = picture.to_rgba32f();
    let mut seen = Rgb32FImage::new(rgba.width(), rgba.height());
    for (to, from) in seen.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, alpha] = from.0;
        to.0 = [r, g, b].map(|colour| {
            let colour = alpha * colour + (1.0 - alpha);
            if invert { 1.0 - colour } else { colour }
        });
    }
    DynamicImage::ImageRgb32F(seen)
}
