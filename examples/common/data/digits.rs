//! The handwritten digits that ship with the examples.

use std::io::Read;
use std::path::Path;

use gradus::ndarray::{Array2, Axis};

use super::{Pictures, columns};
use crate::common::Error;

/// How many of the digits train.
const TRAIN_DIGITS: usize = 1437;
const DIGITS: &[u8] = include_bytes!("../../data/digits.csv.gz");

/// The digits, 8×8 grey levels divided by 16, labelled 1 where `is_one` holds of the class.
pub fn digits(is_one: impl Fn(u8) -> bool) -> Result<Pictures, Error> {
    let path = Path::new("examples/data/digits.csv.gz");
    let mut text = String::new();
    let unpacked = flate2::read::GzDecoder::new(DIGITS).read_to_string(&mut text);
    unpacked.map_err(|error| Error::in_file(path, format!("cannot be unpacked: {error}")))?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        let numbers: Result<Vec<f64>, _> = line.split(',').map(str::parse).collect();
        let numbers = numbers.ok().filter(|numbers| numbers.len() == 65);
        let numbers =
            numbers.ok_or_else(|| Error::in_file(path, format!("expected 65 numbers in line {}", i + 1)))?;
        pixels.extend(numbers[..64].iter().map(|grey| grey / 16.0));
        labels.push(if is_one(numbers[64] as u8) { 1.0 } else { 0.0 });
    }
    let m = labels.len();
    let x = Array2::from_shape_vec((m, 64), pixels).map_err(|error| Error::in_file(path, error))?;
    let y = Array2::from_shape_vec((1, m), labels).map_err(|error| Error::in_file(path, error))?;
    let (train_x, test_x) = x.view().split_at(Axis(0), TRAIN_DIGITS);
    let (train_y, test_y) = y.view().split_at(Axis(1), TRAIN_DIGITS);
    Ok(Pictures {
        train_x: columns(train_x.into_dyn().to_owned()),
        train_y: train_y.to_owned(),
        test_x: columns(test_x.into_dyn().to_owned()),
        test_y: test_y.to_owned(),
        shape: vec![8, 8],
        classes: ["no", "yes"].map(str::to_owned),
    })
}
