//! Examples with labels: pictures and measurements that ship with the examples, and files of the user's own.

mod breast_cancer;
mod csv;
mod digits;
mod npz;

use std::path::Path;

use gradus::ndarray::{Array2, ArrayD};

pub use self::breast_cancer::breast_cancer;
pub use self::csv::{Table, table};
pub use self::digits::digits;
pub use self::npz::{Npz, Raw};
use super::Error;

/// Examples for training and testing. A picture is a column of `x`; `y` holds a label for each column.
pub struct Pictures {
    pub train_x: Array2<f64>,
    pub train_y: Array2<f64>,
    pub test_x: Array2<f64>,
    pub test_y: Array2<f64>,
    /// Height, width and, for colours, 3.
    pub shape: Vec<usize>,
}

/// An archive with `train_x` (m, …), `train_y`, `test_x` and `test_y` (m) or (1, m). Pictures of bytes are divided by
/// 255; floats are taken as they are.
pub fn archive(path: &Path) -> Result<Pictures, Error> {
    let mut archive = Npz::open(path)?;
    let mut read = |name: &str| archive.array(name, "train_x, train_y, test_x and test_y");
    let (train_x, train_y) = (pictures(path, "train_x", read("train_x")?)?, read("train_y")?);
    let (test_x, test_y) = (pictures(path, "test_x", read("test_x")?)?, read("test_y")?);
    let shape = train_x.shape()[1..].to_vec();
    if test_x.shape()[1..] != shape {
        let (train, test) = (train_x.shape(), test_x.shape());
        let text = format!("expected pictures of one shape, found train_x {train:?} and test_x {test:?}");
        return Err(Error::in_file(path, text));
    }
    let train_y = labels(path, "train_y", train_y, train_x.shape()[0])?;
    let test_y = labels(path, "test_y", test_y, test_x.shape()[0])?;
    Ok(Pictures { train_x: columns(train_x), train_y, test_x: columns(test_x), test_y, shape })
}

/// Pictures (m, …), flattened in C order into columns (n, m).
fn columns(pictures: ArrayD<f64>) -> Array2<f64> {
    let m = pictures.shape()[0];
    let n: usize = pictures.shape()[1..].iter().product();
    Array2::from_shape_fn((n, m), {
        let flat: Vec<f64> = pictures.iter().copied().collect();
        move |(pixel, picture)| flat[picture * n + pixel]
    })
}

fn pictures(path: &Path, name: &str, raw: Raw) -> Result<ArrayD<f64>, Error> {
    let shape = raw.numbers.shape();
    if shape.len() < 2 || shape.contains(&0) {
        let text = format!("expected {name} of shape (m, …), m pictures, found {shape:?}");
        return Err(Error::in_file(path, text));
    }
    Ok(if raw.bytes { raw.numbers / 255.0 } else { raw.numbers })
}

fn labels(path: &Path, name: &str, raw: Raw, m: usize) -> Result<Array2<f64>, Error> {
    let shape = raw.numbers.shape().to_vec();
    if shape != [m] && shape != [1, m] {
        let text =
            format!("expected {name} of shape [{m}] or [1, {m}], a label for each picture, found {shape:?}");
        return Err(Error::in_file(path, text));
    }
    if let Some(other) = raw.numbers.iter().find(|&&label| label != 0.0 && label != 1.0) {
        return Err(Error::in_file(path, format!("expected labels 0 and 1 in {name}, found {other}")));
    }
    let numbers: Vec<f64> = raw.numbers.iter().copied().collect();
    Array2::from_shape_vec((1, m), numbers).map_err(|error| Error::in_file(path, error))
}
