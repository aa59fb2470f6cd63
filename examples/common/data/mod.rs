//! Examples with labels: pictures, points and measurements that ship with the programs, and files of the user's own.

mod breast_cancer;
mod csv;
mod digits;
#[cfg(feature = "hdf5")]
mod hdf5;
mod image;
mod npz;
mod planar;
mod raw;

use std::path::Path;

use gradus::ndarray::{Array2, ArrayD};

pub use self::breast_cancer::breast_cancer;
pub use self::csv::{Table, table};
pub use self::digits::digits;
pub use self::npz::Npz;
pub use self::planar::{Points, flower, points};
pub use self::raw::Raw;
use super::Error;

/// Examples for training and testing. A picture is a column of `x`; `y` holds a label for each column.
pub struct Pictures {
    pub train_x: Array2<f64>,
    pub train_y: Array2<f64>,
    pub test_x: Array2<f64>,
    pub test_y: Array2<f64>,
    /// Height, width and, for colours, 3.
    pub shape: Vec<usize>,
    /// What the labels 0 and 1 are called.
    pub classes: [String; 2],
}

/// Opens whatever holds pictures: an archive (.npz) with `train_x` (m, …), `train_y`, `test_x` and `test_y`, (m) or
/// (1, m); or a folder with `train_catvnoncat.h5` and `test_catvnoncat.h5`, if the feature `hdf5` is on. Pictures of
/// bytes are divided by 255; floats are taken as they are.
pub fn open(path: &Path) -> Result<Pictures, Error> {
    if path.is_dir() { open_folder(path) } else { npz::pictures(path) }
}

/// What [`open`] finds at `path`, or else the digits; with the question that the labels answer.
pub fn open_or_digits(path: Option<&Path>) -> Result<(Pictures, String), Error> {
    let Some(path) = path else {
        return Ok((digits(|class| class == 3)?, "is this handwritten digit a 3?".to_owned()));
    };
    let pictures = open(path)?;
    let [no, yes] = &pictures.classes;
    let question = format!("the labels of {}, {no} or {yes}?", path.display());
    Ok((pictures, question))
}

#[cfg(feature = "hdf5")]
use self::hdf5::pictures as open_folder;

#[cfg(not(feature = "hdf5"))]
fn open_folder(path: &Path) -> Result<Pictures, Error> {
    Err(Error::in_file(path, "to read a folder of HDF5 files, build the example with `--features hdf5`"))
}

/// Pictures (m, …) with their m labels.
type Labelled = (ArrayD<f64>, Array2<f64>);

fn labelled(x: Raw, y: Raw) -> Result<Labelled, Error> {
    let pictures = x.pictures()?;
    let labels = y.labels(pictures.shape()[0], "picture")?;
    Ok((pictures, labels))
}

impl Pictures {
    /// The pictures of the file or folder at `path`, with the names of its two arrays of pictures.
    fn new(path: &Path, names: [&str; 2], train: Labelled, test: Labelled) -> Result<Self, Error> {
        let ((train_x, train_y), (test_x, test_y)) = (train, test);
        let shape = train_x.shape()[1..].to_vec();
        if test_x.shape()[1..] != shape {
            let ([train, test], found, other) = (names, train_x.shape(), test_x.shape());
            let text =
                format!("expected pictures of one shape, found {train} {found:?} and {test} {other:?}");
            return Err(Error::in_file(path, text));
        }
        let classes = ["no", "yes"].map(str::to_owned);
        Ok(Self { train_x: columns(train_x), train_y, test_x: columns(test_x), test_y, shape, classes })
    }
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
