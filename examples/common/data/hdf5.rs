//! A folder of HDF5 files as the course hands them out.

use std::fmt;
use std::path::{Path, PathBuf};

use gradus::ndarray::{ArrayD, IxDyn};
use hdf5_pure::{DType, File};

use super::{Labelled, Pictures, Raw, labelled};
use crate::common::Error;
use crate::common::files::read;

/// The pictures of `train_catvnoncat.h5` and `test_catvnoncat.h5`, called by the names in `list_classes`.
pub fn pictures(folder: &Path) -> Result<Pictures, Error> {
    let train = H5::open(folder.join("train_catvnoncat.h5"))?;
    let test = H5::open(folder.join("test_catvnoncat.h5"))?;
    let names = ["train_set_x", "test_set_x"];
    let pictures = Pictures::new(folder, names, train.labelled("train_set")?, test.labelled("test_set")?)?;
    Ok(match train.classes()? {
        Some(classes) => Pictures { classes, ..pictures },
        None => pictures,
    })
}

/// An HDF5 file that is open.
struct H5 {
    path: PathBuf,
    file: File,
    /// The names of its data sets.
    names: Vec<String>,
}

impl H5 {
    fn open(path: PathBuf) -> Result<Self, Error> {
        match File::from_bytes(read(&path)?).and_then(|file| Ok((file.root().datasets()?, file))) {
            Ok((names, file)) => Ok(Self { path, file, names }),
            Err(error) => Err(Error::in_file(&path, format_args!("expected an HDF5 file: {error}"))),
        }
    }

    /// The pictures `set`_x with their labels `set`_y.
    fn labelled(&self, set: &str) -> Result<Labelled, Error> {
        let [x, y] = ["x", "y"].map(|end| format!("{set}_{end}"));
        if !self.names.contains(&x) || !self.names.contains(&y) {
            return Err(Error::in_file(
                &self.path,
                format_args!("expected {x} and {y}, found {:?}", self.names),
            ));
        }
        labelled(self.array(&x)?, self.array(&y)?)
    }

    /// The names of the classes 0 and 1, if the file has them.
    fn classes(&self) -> Result<Option<[String; 2]>, Error> {
        let name = "list_classes";
        if !self.names.iter().any(|found| found == name) {
            return Ok(None);
        }
        let names = self.file.dataset(name).and_then(|classes| classes.read_string());
        let names = names.map_err(|error| self.unreadable(name, error))?;
        let names = <[String; 2]>::try_from(names).map_err(|names| {
            Error::in_file(&self.path, format_args!("expected two names in {name}, found {names:?}"))
        })?;
        Ok(Some(names))
    }

    fn array(&self, name: &str) -> Result<Raw, Error> {
        let failed = |error| self.unreadable(name, error);
        let dataset = self.file.dataset(name).map_err(failed)?;
        let dtype = dataset.dtype().map_err(failed)?;
        if !is_number(&dtype) {
            return Err(self.unreadable(name, format_args!("expected integers or floats, found {dtype}")));
        }
        let shape = dataset.shape().map_err(failed)?;
        let shape: Vec<usize> = shape.into_iter().map(|n| n as usize).collect();
        let numbers = dataset.read::<f64>().map_err(failed)?;
        let numbers = ArrayD::from_shape_vec(IxDyn(&shape), numbers);
        let numbers = numbers.map_err(|error| self.unreadable(name, error))?;
        Raw::new(&self.path, name, numbers, dtype == DType::U8)
    }

    fn unreadable(&self, name: &str, error: impl fmt::Display) -> Error {
        Error::in_file(&self.path, format_args!("{name} cannot be read: {error}"))
    }
}

fn is_number(dtype: &DType) -> bool {
    use DType::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    matches!(dtype, F32 | F64 | I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64)
}
