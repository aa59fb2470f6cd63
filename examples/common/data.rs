//! Pictures with labels: the digits that ship with the examples, and NumPy archives.

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use gradus::ndarray::{Array2, ArrayD, Axis, IxDyn};
use npyz::{DType, NpyFile, Order, TypeChar};
use zip::ZipArchive;

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

/// How many of the digits train.
const TRAIN_DIGITS: usize = 1437;
/// How many bytes an array in an archive may have.
const LARGEST: u64 = 4 << 30;
const DIGITS: &[u8] = include_bytes!("../data/digits.csv.gz");

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
    })
}

/// An archive with `train_x` (m, …), `train_y`, `test_x` and `test_y` (m) or (1, m). Pictures of bytes are divided by
/// 255; floats are taken as they are.
pub fn archive(path: &Path) -> Result<Pictures, Error> {
    let failed =
        |error: &dyn fmt::Display| Error::in_file(path, format!("expected a NumPy archive (.npz): {error}"));
    let file = File::open(path).map_err(|error| Error::in_file(path, format!("cannot read: {error}")))?;
    let mut zip = ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| failed(&error))?;
    let mut read = |name: &str| read_array(path, &mut zip, name);
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

/// An array from an archive: its numbers in C order, and whether they were bytes.
struct Raw {
    numbers: ArrayD<f64>,
    bytes: bool,
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

fn read_array(
    path: &Path,
    zip: &mut ZipArchive<impl Read + std::io::Seek>,
    name: &str,
) -> Result<Raw, Error> {
    let found: Vec<String> =
        zip.file_names().flatten().map(|name| name.trim_end_matches(".npy").to_owned()).collect();
    let failed = |error: &dyn fmt::Display| Error::in_file(path, format!("{name} cannot be read: {error}"));
    let entry = zip.by_name(&format!("{name}.npy")).map_err(|error| match error {
        zip::result::ZipError::FileNotFound => {
            let mut found = found.clone();
            found.sort_unstable();
            Error::in_file(path, format!("expected train_x, train_y, test_x and test_y, found {found:?}"))
        }
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
    let DType::Plain(dtype) = file.dtype() else { return Err(failed(&"expected numbers, found records")) };
    let numbers: std::io::Result<Vec<f64>> = match (dtype.type_char(), dtype.size_field()) {
        (TypeChar::Float, 4) => file.into_vec::<f32>().map(|v| v.into_iter().map(f64::from).collect()),
        (TypeChar::Float, 8) => file.into_vec::<f64>(),
        (TypeChar::Uint, 1) => file.into_vec::<u8>().map(|v| v.into_iter().map(f64::from).collect()),
        (TypeChar::Uint, 2) => file.into_vec::<u16>().map(|v| v.into_iter().map(f64::from).collect()),
        (TypeChar::Uint, 4) => file.into_vec::<u32>().map(|v| v.into_iter().map(f64::from).collect()),
        (TypeChar::Uint, 8) => file.into_vec::<u64>().map(|v| v.into_iter().map(|x| x as f64).collect()),
        (TypeChar::Int, 1) => file.into_vec::<i8>().map(|v| v.into_iter().map(f64::from).collect()),
        (TypeChar::Int, 2) => file.into_vec::<i16>().map(|v| v.into_iter().map(f64::from).collect()),
        (TypeChar::Int, 4) => file.into_vec::<i32>().map(|v| v.into_iter().map(f64::from).collect()),
        (TypeChar::Int, 8) => file.into_vec::<i64>().map(|v| v.into_iter().map(|x| x as f64).collect()),
        (TypeChar::Bool, _) => file.into_vec::<bool>().map(|v| v.into_iter().map(f64::from).collect()),
        _ => return Err(failed(&format!("expected integers or floats, found {dtype}"))),
    };
    let numbers = numbers.map_err(|error| failed(&error))?;
    let numbers = if fortran {
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        ArrayD::from_shape_vec(IxDyn(&reversed), numbers).map(|array| array.reversed_axes())
    } else {
        ArrayD::from_shape_vec(IxDyn(&shape), numbers)
    };
    let bytes = dtype.type_char() == TypeChar::Uint && dtype.size_field() == 1;
    Ok(Raw { numbers: numbers.map_err(|error| failed(&error))?, bytes })
}

/// Refuses a header that claims more elements than there are bytes, before anything is allocated for them.
fn check_size(npy: &[u8]) -> Result<(), String> {
    let header = String::from_utf8_lossy(&npy[..npy.len().min(4096)]);
    let shape = header.split_once("'shape':").and_then(|(_, rest)| rest.split_once('(')?.1.split_once(')'));
    let Some((shape, _)) = shape else { return Err("expected a NumPy array".to_owned()) };
    let mut size: usize = 1;
    for n in shape.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        let n: Option<usize> = n.parse().ok();
        let product = n.and_then(|n| size.checked_mul(n)).filter(|&size| size <= npy.len());
        size =
            product.ok_or_else(|| format!("it claims the shape ({shape}), and has {} bytes", npy.len()))?;
    }
    Ok(())
}
