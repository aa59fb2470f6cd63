//! Files that are whole or not there: written beside their place and renamed.

use std::fmt;
use std::fs;
use std::path::Path;

use gradus::Float;
use gradus::ndarray::{ArrayD, ArrayViewD};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::Error;
use super::training::Costs;

/// Makes the folder if it is missing.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    if path.exists() && !path.is_dir() {
        return Err(Error::in_file(path, "expected a folder, found a file"));
    }
    fs::create_dir_all(path)
        .map_err(|error| Error::in_file(path, format!("cannot make this folder: {error}")))
}

/// All bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| unreadable(path, error))
}

/// A file of text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| unreadable(path, error))
}

/// The error of a file that cannot be opened or read.
pub fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::in_file(path, format_args!("cannot read: {error}"))
}

/// Writes the file beside its place, then renames it, so that it is never seen half-written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::in_file(path, format!("cannot write: {error}"));
    if path.exists() && !path.is_file() {
        return fs::write(path, bytes).map_err(failed); // a device, which must not be replaced
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // The file that could not be finished or moved is of no use to anybody.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// Saves named arrays in the safetensors format.
pub fn save_tensors<T: Float>(path: &Path, tensors: &[(&str, ArrayViewD<'_, T>)]) -> Result<(), Error> {
    let failed = |error| Error::in_file(path, format!("cannot be made: {error}"));
    let dtype = if T::DTYPE == gradus::DType::F32 { Dtype::F32 } else { Dtype::F64 };
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, array)| match dtype {
            Dtype::F32 => array.iter().flat_map(|x| (x.to_f64() as f32).to_le_bytes()).collect(),
            _ => array.iter().flat_map(|x| x.to_f64().to_le_bytes()).collect(),
        })
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, array), bytes)| {
        TensorView::new(dtype, array.shape().to_vec(), bytes).map(|view| (*name, view))
    });
    let views: Vec<_> = views.collect::<Result<_, _>>().map_err(failed)?;
    write(path, &serialize(views, None).map_err(failed)?)
}

/// Loads an array from a safetensors file and checks its shape and that it is finite.
pub fn load_tensor<T: Float>(path: &Path, name: &str, shape: &[usize]) -> Result<ArrayD<T>, Error> {
    let bytes = read(path)?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| Error::in_file(path, format!("expected a safetensors file: {error}")))?;
    let tensor = file.tensor(name).map_err(|_| {
        let mut names = file.names();
        names.sort_unstable();
        Error::in_file(path, format!("expected an array `{name}`, found {names:?}"))
    })?;
    let data: Vec<T> = match tensor.dtype() {
        Dtype::F32 => {
            let numbers = tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            numbers.map(|x| T::from_f64(x.into())).collect()
        }
        Dtype::F64 => tensor
            .data()
            .chunks_exact(8)
            .map(|b| T::from_f64(f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])))
            .collect(),
        other => {
            return Err(Error::in_file(path, format!("expected `{name}` as F32 or F64, found {other:?}")));
        }
    };
    let found = tensor.shape();
    if found != shape {
        let text = format!("expected `{name}` of shape {shape:?} for this data, found {found:?}");
        return Err(Error::in_file(path, text));
    }
    if let Some(x) = data.iter().find(|x| !x.to_f64().is_finite()) {
        return Err(Error::in_file(path, format!("expected finite numbers in `{name}`, found {x}")));
    }
    ArrayD::from_shape_vec(shape, data)
        .map_err(|error| Error::in_file(path, format!("`{name}` cannot be read: {error}")))
}

/// A PNG file of `width` × `height` pixels of 3 bytes.
pub fn write_png(path: &Path, width: u32, height: u32, rgb: &[u8]) -> Result<(), Error> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::in_file(path, format!("cannot be made: {error}")))?;
    write(path, &bytes)
}

/// `costs.csv`: one row for each cost, with 17 significant digits, behind what the `column` says of its training.
pub fn costs_csv(column: &str, trainings: &[(impl fmt::Display, &Costs)]) -> String {
    let mut csv = format!("{column},iteration,cost\n");
    for (training, costs) in trainings {
        for (iteration, cost) in *costs {
            csv.push_str(&format!("{training},{iteration},{cost:.16e}\n"));
        }
    }
    csv
}
