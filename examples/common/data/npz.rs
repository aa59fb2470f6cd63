//! Archives of arrays in NumPy's format.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use gradus::ndarray::{ArrayD, IxDyn};
use npyz::{DType, Deserialize, NpyFile, Order, TypeChar, TypeStr};
use zip::ZipArchive;
use zip::result::ZipError;

use super::{Pictures, Raw, labelled};
use crate::common::Error;
use crate::common::files::unreadable;

/// How many bytes an array may have.
const LARGEST: u64 = 4 << 30;

/// The pictures `train_x` and `test_x` of an archive, labelled by `train_y` and `test_y`.
pub fn pictures(path: &Path) -> Result<Pictures, Error> {
    let mut archive = Npz::open(path)?;
    let mut read = |name| archive.array(name, "train_x, train_y, test_x and test_y");
    let train = labelled(read("train_x")?, read("train_y")?)?;
    let test = labelled(read("test_x")?, read("test_y")?)?;
    Pictures::new(path, ["train_x", "test_x"], train, test)
}

/// An archive (.npz) that is open.
pub struct Npz {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
}

impl Npz {
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Err(Error::in_file(path, "expected a NumPy archive (.npz), found a folder"));
        }
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        let zip = ZipArchive::new(BufReader::new(file))
            .map_err(|error| Error::in_file(path, format!("expected a NumPy archive (.npz): {error}")))?;
        Ok(Self { path: path.to_owned(), zip })
    }

    /// The names of its arrays, sorted.
    pub fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().flatten();
        let mut names: Vec<_> = names.map(|name| name.trim_end_matches(".npy").to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// An array of any shape and any type of numbers, all finite; `expected` says what all the arrays should have been.
    pub fn array(&mut self, name: &str, expected: &str) -> Result<Raw, Error> {
        let (path, found) = (self.path.clone(), self.names());
        let failed =
            |error: &dyn fmt::Display| Error::in_file(&path, format!("{name} cannot be read: {error}"));
        let entry = self.zip.by_name(&format!("{name}.npy")).map_err(|error| match error {
            ZipError::FileNotFound => Error::in_file(&path, format!("expected {expected}, found {found:?}")),
            other => failed(&other),
        })?;
        let mut bytes = Vec::new();
        entry.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        if bytes.len() as u64 > LARGEST {
            return Err(failed(&format!("it has more than {LARGEST} bytes")));
        }
        check_size(&bytes).map_err(|error| failed(&error))?;
        let file = NpyFile::new(Cursor::new(&bytes)).map_err(|error| failed(&error))?;
        let shape: Vec<usize> = file.shape().iter().map(|&n| n as usize).collect();
        let fortran = file.order() == Order::Fortran;
        let DType::Plain(dtype) = file.dtype() else {
            return Err(failed(&"expected numbers, found records"));
        };
        let bytes = dtype.type_char() == TypeChar::Uint && dtype.size_field() == 1;
        let Some(numbers) = numbers(file, &dtype) else {
            return Err(failed(&format!("expected integers or floats, found {dtype}")));
        };
        let numbers = numbers.map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => failed(&"it is cut off"),
            _ => failed(&error),
        })?;
        let numbers = if fortran {
            let reversed: Vec<usize> = shape.iter().rev().copied().collect();
            ArrayD::from_shape_vec(IxDyn(&reversed), numbers).map(|array| array.reversed_axes())
        } else {
            ArrayD::from_shape_vec(IxDyn(&shape), numbers)
        };
        let numbers = numbers.map_err(|error| failed(&error))?;
        Raw::new(&path, name, numbers, bytes)
    }
}

/// The elements of an array, if they are numbers.
fn numbers<R: Read>(file: NpyFile<R>, dtype: &TypeStr) -> Option<io::Result<Vec<f64>>> {
    fn read<R: Read, T: Deserialize>(file: NpyFile<R>, number: impl Fn(T) -> f64) -> io::Result<Vec<f64>> {
        Ok(file.into_vec::<T>()?.into_iter().map(number).collect())
    }
    Some(match (dtype.type_char(), dtype.size_field()) {
        (TypeChar::Float, 4) => read::<_, f32>(file, f64::from),
        (TypeChar::Float, 8) => file.into_vec(),
        (TypeChar::Uint, 1) => read::<_, u8>(file, f64::from),
        (TypeChar::Uint, 2) => read::<_, u16>(file, f64::from),
        (TypeChar::Uint, 4) => read::<_, u32>(file, f64::from),
        (TypeChar::Uint, 8) => read::<_, u64>(file, |x| x as f64),
        (TypeChar::Int, 1) => read::<_, i8>(file, f64::from),
        (TypeChar::Int, 2) => read::<_, i16>(file, f64::from),
        (TypeChar::Int, 4) => read::<_, i32>(file, f64::from),
        (TypeChar::Int, 8) => read::<_, i64>(file, |x| x as f64),
        (TypeChar::Bool, _) => read::<_, bool>(file, f64::from),
        _ => return None,
    })
}

/// Refuses a header that claims more elements than there are bytes, before anything is allocated for them.
fn check_size(npy: &[u8]) -> Result<(), String> {
    let header = String::from_utf8_lossy(&npy[..npy.len().min(4096)]);
    let shape = header.split_once("'shape':").and_then(|(_, rest)| rest.split_once('(')?.1.split_once(')'));
    let Some((shape, _)) = shape else { return Err("expected a NumPy array".to_owned()) };
    let sizes = shape.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok());
    let sizes: Option<Vec<usize>> = sizes.collect();
    let fits = sizes.is_some_and(|sizes| {
        // The other sizes of an empty array are multiplied as well, by whoever reads it.
        let size = sizes.iter().try_fold(1_usize, |size, &n| size.checked_mul(n.max(1)));
        size.is_some_and(|size| size <= npy.len() || sizes.contains(&0))
    });
    if !fits {
        return Err(format!("it claims the shape ({shape}), and has {} bytes", npy.len()));
    }
    Ok(())
}
