//! The measurements of tumours that ship with the examples.

use std::path::Path;

use super::csv::{Table, parse};
use crate::common::Error;

const TUMOURS: &str = include_str!("../../data/breast_cancer.csv");

/// What is measured of the nuclei in a picture: for each of these the mean, its
/// standard error, and the mean of the three largest.
const MEASURED: [&str; 10] = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
];

/// 569 tumours, 30 numbers of each, labelled 0 for a malignant and 1 for a benign one.
pub fn breast_cancer() -> Result<Table, Error> {
    let path = Path::new("examples/data/breast_cancer.csv");
    let table = parse(TUMOURS, None, 2).map_err(|what| Error::in_file(path, what))?;
    let kinds = [("mean ", ""), ("", " error"), ("worst ", "")];
    let names = kinds.map(|(before, after)| MEASURED.map(|measured| format!("{before}{measured}{after}")));
    Ok(Table { header: names.into_iter().flatten().collect(), ..table })
}
