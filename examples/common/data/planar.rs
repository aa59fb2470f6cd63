//! Points of the plane with labels.

use std::path::Path;

use gradus::ndarray::{Array2, Axis, Ix2};

use super::Npz;
use super::csv::{Table, parse};
use crate::common::Error;
use crate::common::files::read_text;

const FLOWER: &str = include_str!("../../data/planar.csv");

/// Points in the columns of `x` (2, m), and a label 0 or 1 for each, `y` (1, m).
pub struct Points {
    pub x: Array2<f64>,
    pub y: Array2<f64>,
}

/// The flower that ships with the examples.
pub fn flower() -> Result<Points, Error> {
    table(Path::new("examples/data/planar.csv"), FLOWER)
}

/// A NumPy archive (.npz) with `x` (2, m) and `y` (1, m) or (m), or else a table, as `planar.csv` is.
pub fn points(path: &Path) -> Result<Points, Error> {
    if path.extension().is_some_and(|extension| extension == "npz") {
        return archive(path);
    }
    let text = read_text(path)?;
    table(path, &text)
}

fn archive(path: &Path) -> Result<Points, Error> {
    let mut archive = Npz::open(path)?;
    let (x, y) = (archive.array("x", "x and y")?, archive.array("y", "x and y")?);
    let shape = x.numbers.shape().to_vec();
    let x = x.numbers.into_dimensionality::<Ix2>().ok().filter(|x| x.nrows() == 2 && x.ncols() > 0);
    let expected = || format!("expected x of shape (2, m), a column for each of m points, found {shape:?}");
    let x = x.ok_or_else(|| Error::in_file(path, expected()))?;
    let y = y.labels(x.ncols(), "point")?;
    Ok(Points { x, y })
}

/// Rows of x1, x2 and the label of a point, behind a header or none.
fn table(path: &Path, text: &str) -> Result<Points, Error> {
    let Table { x, y, .. } = parse(text, Some(3), 2).map_err(|what| Error::in_file(path, what))?;
    Ok(Points { x, y: y.insert_axis(Axis(0)) })
}
