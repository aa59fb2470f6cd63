//! Points of the plane with labels.

use std::fs;
use std::path::Path;

use gradus::ndarray::{Array2, Ix2};

use super::Npz;
use crate::common::Error;

const FLOWER: &str = include_str!("../../data/planar.csv");
const HEADER: &str = "x1,x2,label";

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
    let text =
        fs::read_to_string(path).map_err(|error| Error::in_file(path, format!("cannot read: {error}")))?;
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

/// A header, then x1, x2 and the label of each point.
fn table(path: &Path, text: &str) -> Result<Points, Error> {
    let mut lines = text.lines().zip(1..);
    let header = lines.next().map_or("", |(header, _)| header.trim());
    if header != HEADER {
        return Err(Error::in_file(path, format!("line 1: expected the header {HEADER}, found `{header}`")));
    }
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (line, number) in lines {
        let [x1, x2, label] =
            row(line).map_err(|what| Error::in_file(path, format!("line {number}: {what}")))?;
        x.push([x1, x2]);
        y.push(label);
    }
    if x.is_empty() {
        return Err(Error::in_file(path, "expected points behind the header, found none"));
    }
    let m = x.len();
    let x = Array2::from_shape_fn((2, m), |(axis, point)| x[point][axis]);
    let y = Array2::from_shape_vec((1, m), y).map_err(|error| Error::in_file(path, error))?;
    Ok(Points { x, y })
}

fn row(line: &str) -> Result<[f64; 3], String> {
    let columns: Vec<&str> = line.split(',').map(str::trim).collect();
    let &[x1, x2, label] = columns.as_slice() else {
        return Err(format!("expected 3 columns, {HEADER}, found {}", columns.len()));
    };
    let number = |name: &str, text: &str| {
        let number = text.parse().ok().filter(|x: &f64| x.is_finite());
        number.ok_or_else(|| format!("expected a finite number as {name}, found `{text}`"))
    };
    let label = match number("label", label)? {
        known @ (0.0 | 1.0) => known,
        _ => return Err(format!("expected 0 or 1 as label, found `{label}`")),
    };
    Ok([number("x1", x1)?, number("x2", x2)?, label])
}
