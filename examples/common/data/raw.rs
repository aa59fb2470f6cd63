//! Arrays as files hold them.

use std::path::{Path, PathBuf};

use gradus::ndarray::{Array2, ArrayD, Dimension};

use crate::common::Error;

/// An array from a file: finite numbers in C order.
pub struct Raw {
    pub numbers: ArrayD<f64>,
    /// Whether the file holds bytes.
    pub bytes: bool,
    path: PathBuf,
    name: String,
}

impl Raw {
    /// The array `name` of the file at `path`.
    ///
    /// # Errors
    /// If a number is NaN or infinite, with its index.
    pub fn new(path: &Path, name: &str, numbers: ArrayD<f64>, bytes: bool) -> Result<Self, Error> {
        let raw = Self { numbers, bytes, path: path.to_owned(), name: name.to_owned() };
        match raw.numbers.indexed_iter().find(|(_, number)| !number.is_finite()) {
            Some((index, number)) => Err(raw.error(format_args!(
                "expected finite numbers in {name}, found {number} at {:?}",
                index.slice()
            ))),
            None => Ok(raw),
        }
    }

    /// Pictures (m, …): bytes are divided by 255, other numbers are taken as they are.
    pub fn pictures(self) -> Result<ArrayD<f64>, Error> {
        let shape = self.numbers.shape();
        if shape.len() < 2 || shape.contains(&0) {
            let name = &self.name;
            return Err(
                self.error(format_args!("expected {name} of shape (m, …), m pictures, found {shape:?}"))
            );
        }
        Ok(if self.bytes { self.numbers / 255.0 } else { self.numbers })
    }

    /// A label, 0 or 1, for each of m pictures or whatever they are `of`, as a row.
    pub fn labels(self, m: usize, of: &str) -> Result<Array2<f64>, Error> {
        let (name, shape) = (&self.name, self.numbers.shape());
        if shape != [m] && shape != [1, m] {
            let expected = format_args!("expected {name} of shape [{m}] or [1, {m}], a label for each {of}");
            return Err(self.error(format_args!("{expected}, found {shape:?}")));
        }
        if let Some(other) = self.numbers.iter().find(|&&label| label != 0.0 && label != 1.0) {
            return Err(self.error(format_args!("expected labels 0 and 1 in {name}, found {other}")));
        }
        Array2::from_shape_vec((1, m), self.numbers.iter().copied().collect())
            .map_err(|error| self.error(error))
    }

    fn error(&self, what: impl std::fmt::Display) -> Error {
        Error::in_file(&self.path, what)
    }
}
