//! Bad input: what a program says of it, and how it ends. One row for each mistake.
//!
//! ```text
//! given("planar", "--data points.csv").file("points.csv", "1,2,1\n").ends(1, "points.csv: line 1: …");
//! ```

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::ImageFormat;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::support::{Entries, assert_complaint, folder, npy, npz, numbers, program, text};

/// A program with its arguments, parted at spaces, and the files that lie in the folder in which it is run.
pub struct Given {
    program: &'static str,
    arguments: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
}

pub fn given(program: &'static str, arguments: &'static str) -> Given {
    Given { program, arguments, files: Vec::new() }
}

impl Given {
    /// A file, which may lie in a folder: `a/b.h5`.
    pub fn file(mut self, name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name, bytes.into()));
        self
    }

    /// The archive `data.npz` with these arrays.
    pub fn archive(self, entries: &[(&str, Vec<u8>)]) -> Self {
        self.file("data.npz", npz(true, entries))
    }

    /// The archive `data.npz` of [good pictures](good), but for one array.
    pub fn pictures(self, name: &str, array: Vec<u8>) -> Self {
        let mut entries = good();
        entries.iter_mut().find(|(entry, _)| *entry == name).unwrap().1 = array;
        self.archive(&entries)
    }

    /// Ends with this status, 2 for wrong options and else 1, says this behind `error: `, and writes nothing.
    #[track_caller]
    pub fn ends(self, status: i32, text: &str) {
        static ROWS: AtomicUsize = AtomicUsize::new(0);
        let here = folder(&format!("bad-{}", ROWS.fetch_add(1, Ordering::Relaxed)));
        self.files.iter().for_each(|(name, bytes)| write(&here.join(name), bytes));
        let before = fs::read_dir(&here).unwrap().count();
        assert_complaint(self.program, &here, self.arguments, status, text);
        assert_eq!(fs::read_dir(&here).unwrap().count(), before, "{} is as before", here.display());
        fs::remove_dir_all(here).unwrap();
    }
}

/// Writes a file, in a folder that may be new.
fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Six pictures of 2×2 bytes for training, bright ones labelled 1, and two for testing.
pub fn good() -> Entries {
    let bright = |i: u8| if i.is_multiple_of(2) { 200 + i } else { 20 + i };
    let train: Vec<u8> = (0..24).map(|k| bright(k / 4)).collect();
    let labels: Vec<u8> = (0..6_i64).flat_map(|i| (1 - i % 2).to_le_bytes()).collect();
    vec![
        ("train_x", bytes("(6, 2, 2)", &train)),
        ("train_y", npy("<i8", false, "(1, 6)", &labels)),
        ("test_x", bytes("(2, 2, 2)", &train[..8])),
        ("test_y", bytes("(2,)", &[1, 0])),
    ]
}

/// An array of bytes.
pub fn bytes(shape: &str, all: &[u8]) -> Vec<u8> {
    npy("|u1", false, shape, all)
}

/// An array of numbers of 64 bits.
pub fn floats(shape: &str, all: &[f64]) -> Vec<u8> {
    npy("<f8", false, shape, &numbers(all))
}

/// A model as `--save` writes it.
pub fn model(w: &[f64], b: &[f64]) -> Vec<u8> {
    tensors(&[("w", Dtype::F64, vec![w.len(), 1], numbers(w)), ("b", Dtype::F64, vec![], numbers(b))])
}

fn tensors(arrays: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let view =
        |dtype: &Dtype, shape: &Vec<usize>, bytes| TensorView::new(*dtype, shape.clone(), bytes).unwrap();
    let views = arrays.iter().map(|(name, dtype, shape, bytes)| (*name, view(dtype, shape, bytes)));
    safetensors::serialize(views, None).unwrap()
}

/// A black picture.
fn picture(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image::GrayImage::new(9, 7).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG file that claims a hundred thousand pixels in each direction, and has none.
fn vast() -> Vec<u8> {
    let side = 100_000_u32.to_be_bytes();
    let header = chunk(b"IHDR", &[&side[..], &side, &[8, 0, 0, 0, 0]].concat());
    [b"\x89PNG\r\n\x1a\n", &header[..], &chunk(b"IDAT", &[]), &chunk(b"IEND", &[])].concat()
}

/// A part of a PNG file: its length, name, data and checksum.
fn chunk(name: &[u8], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(name);
    sum.update(data);
    [&(data.len() as u32).to_be_bytes()[..], name, data, &sum.sum().to_be_bytes()].concat()
}

/// What is said of a file that is not there.
pub const MISSING: &str = "cannot read: No such file or directory (os error 2)";

fn logistic(arguments: &'static str) -> Given {
    given("logistic_regression", arguments)
}

#[test]
fn options_of_logistic_regression() {
    let positive = "a learning rate is a positive number";
    let rate = |value: &str| format!("invalid value '{value}' for '--learning-rate <α>': {positive}");
    logistic("--learning-rate 0").ends(2, &rate("0"));
    logistic("--learning-rate -1").ends(2, &rate("-1"));
    logistic("--learning-rate inf").ends(2, &rate("inf"));
    logistic("--learning-rate fast").ends(2, &rate("fast"));
    logistic("--iterations many")
        .ends(2, "invalid value 'many' for '--iterations <N>': invalid digit found in string");
    logistic("--iterations -1").ends(2, "unexpected argument '-1' found");
    logistic("--threads 0")
        .ends(2, "invalid value '0' for '--threads <N>': a number of threads is an integer from 1 to 256");
    logistic("--dtype f16")
        .ends(2, "invalid value 'f16' for '--dtype <DTYPE>'\n  [possible values: f32, f64]");
    logistic("--data").ends(2, "a value is required for '--data <PATH>' but none was supplied");
    logistic("--predict").ends(2, "a value is required for '--predict <IMAGE>' but none was supplied");
    logistic("--invert").ends(2, "the following required arguments were not provided:\n  --predict <IMAGE>");
    logistic("--flavour").ends(2, "unexpected argument '--flavour' found");
    let both = "the argument '--load <FILE>' cannot be used with '--learning-rate <α>'";
    logistic("--load m --learning-rate 1").ends(2, both);
    logistic("--iterations 1 --out file").file("file", "").ends(1, "file: expected a folder, found a file");
}

/// A program that is given an archive of pictures.
fn data() -> Given {
    logistic("--data data.npz --iterations 1")
}

/// What is said of an archive of good pictures, but for one array.
#[track_caller]
fn array(name: &str, array: Vec<u8>, what: &str) {
    data().pictures(name, array).ends(1, &format!("data.npz: {what}"));
}

#[test]
fn archives_of_pictures() {
    data().ends(1, &format!("data.npz: {MISSING}"));
    let no_archive = "data.npz: expected a NumPy archive (.npz): invalid Zip archive: Could not find EOCD";
    data().file("data.npz", "").ends(1, no_archive);
    data().file("data.npz", "a,b\n1,2\n").ends(1, no_archive);
    let whole = npz(true, &good());
    data().file("data.npz", &whole[..whole.len() / 2]).ends(1, no_archive);
    let names = r#"expected train_x, train_y, test_x and test_y, found ["test_x", "train_x", "train_y"]"#;
    data().archive(&good()[..3]).ends(1, &format!("data.npz: {names}"));
}

#[test]
fn arrays_of_pictures() {
    array("train_x", bytes("(24,)", &[0; 24]), "expected train_x of shape (m, …), m pictures, found [24]");
    array("train_x", bytes("(0, 4)", &[]), "expected train_x of shape (m, …), m pictures, found [0, 4]");
    let shapes = "expected pictures of one shape, found train_x [6, 3] and test_x [2, 2, 2]";
    array("train_x", bytes("(6, 3)", &[0; 18]), shapes);
    let five = "expected train_y of shape [6] or [1, 6], a label for each picture, found [5]";
    array("train_y", bytes("(5,)", &[0; 5]), five);
    let column = "expected test_y of shape [2] or [1, 2], a label for each picture, found [2, 1]";
    array("test_y", bytes("(2, 1)", &[0; 2]), column);
    array("train_y", bytes("(6,)", &[0, 1, 2, 0, 0, 0]), "expected labels 0 and 1 in train_y, found 2");
    array("test_y", floats("(2,)", &[0.5, 1.0]), "expected labels 0 and 1 in test_y, found 0.5");
    let nan = floats("(2, 2, 2)", &[0.0, 0.0, 0.0, 0.0, 0.0, f64::NAN, 0.0, 0.0]);
    array("test_x", nan, "expected finite numbers in test_x, found NaN at [1, 0, 1]");
    let infinite = floats("(2,)", &[0.0, f64::NEG_INFINITY]);
    array("test_y", infinite, "expected finite numbers in test_y, found -inf at [1]");
    let strings = npy("<U4", false, "(2,)", &[0; 32]);
    array("test_x", strings, "test_x cannot be read: expected integers or floats, found <U4");
    array("test_x", b"no array".to_vec(), "test_x cannot be read: expected a NumPy array");
    let few = bytes("(6, 2, 2)", &[0; 20]);
    array("train_x", few, "train_x cannot be read: it is cut off");
    let claim = bytes("(9999999999, 9999999999)", &[0; 24]);
    let huge = "it claims the shape (9999999999, 9999999999), and has 152 bytes";
    array("train_x", claim, &format!("train_x cannot be read: {huge}"));
    let claim = bytes("(0, 9223372036854775807, 9223372036854775807)", &[]);
    let empty = "it claims the shape (0, 9223372036854775807, 9223372036854775807), and has 128 bytes";
    array("train_x", claim, &format!("train_x cannot be read: {empty}"));
}

/// What is said of a model.
#[track_caller]
fn load(bytes: &[u8], what: &str) {
    let load = logistic("--load model.safetensors").file("model.safetensors", bytes);
    load.ends(1, &format!("model.safetensors: {what}"));
}

#[test]
fn models() {
    logistic("--load model.safetensors").ends(1, &format!("model.safetensors: {MISSING}"));
    let whole = model(&[0.0; 64], &[0.0]);
    load(b"", "expected a safetensors file: header too small");
    load(b"12345678 no such header", "expected a safetensors file: header too large");
    load(&tensors(&[("W", Dtype::U8, vec![1], vec![0])]), r#"expected an array `w`, found ["W"]"#);
    load(&tensors(&[("w", Dtype::U8, vec![1], vec![0])]), "expected `w` as F32 or F64, found U8");
    load(
        &whole[..whole.len() - 1],
        "expected a safetensors file: incomplete metadata, file not fully covered",
    );
    load(&model(&[0.0; 4], &[0.0]), "expected `w` of shape [64, 1] for this data, found [4, 1]");
    load(&model(&[f64::NAN; 64], &[0.0]), "expected finite numbers in `w`, found NaN");
    load(&model(&[0.0; 64], &[f64::INFINITY]), "expected finite numbers in `b`, found inf");
}

/// What is said of a picture to predict.
#[track_caller]
fn predict(bytes: &[u8], what: &str) {
    let predict = logistic("--predict my.png --iterations 1").file("my.png", bytes);
    predict.ends(1, &format!("my.png: expected a PNG or JPEG picture: {what}"));
}

#[test]
fn pictures_to_predict() {
    logistic("--predict my.png").ends(1, &format!("my.png: {MISSING}"));
    let folder = "my.png: cannot read: Is a directory (os error 21)";
    logistic("--predict my.png").file("my.png/file", "").ends(1, folder);
    predict(b"", "The image format could not be determined");
    predict(b"a,b\n", "The image format could not be determined");
    predict(b"GIF89a", "The image format Gif is not supported");
    predict(&picture(ImageFormat::Png)[..40], "unexpected end of file");
    predict(&vast(), "Memory limit exceeded");
    let cut = "Format error decoding Jpeg: I/O errors Not enough bytes, expected 2 but found 0";
    predict(b"\xff\xd8\xff\xe0", cut);

    let given = || logistic("--data data.npz --predict my.png").file("my.png", picture(ImageFormat::Png));
    let two_channels = [
        ("train_x", bytes("(1, 2, 2, 2)", &[0; 8])),
        ("train_y", bytes("(1,)", &[0])),
        ("test_x", bytes("(1, 2, 2, 2)", &[0; 8])),
        ("test_y", bytes("(1,)", &[0])),
    ];
    let shapes = "expected training pictures of shape (h, w), (h, w, 1) or (h, w, 3) to convert it to";
    given().archive(&two_channels).ends(1, &format!("my.png: {shapes}, found [2, 2, 2]"));
    let range = "my.png: expected training pictures of numbers from 0 to 1 to convert it to, found 255";
    given().pictures("train_x", floats("(6, 2, 2)", &[255.0; 24])).ends(1, range);
}

#[test]
#[cfg(not(feature = "hdf5"))]
fn folders_without_the_feature() {
    let folder = logistic("--data pictures").file("pictures/train_catvnoncat.h5", "");
    folder.ends(1, "pictures: to read a folder of HDF5 files, build the example with `--features hdf5`");
}

/// Cut off anywhere, or with any byte changed, a file is an error or data, never a panic: the file `name`, which was
/// `whole`, in a folder with `others`, which a program is given with these arguments.
pub fn broken(name: &str, whole: &[u8], others: &[(&str, Vec<u8>)], arguments: &[&str]) {
    let here = folder(&format!("broken-{}", name.replace('/', "-")));
    others.iter().for_each(|(name, bytes)| write(&here.join(name), bytes));
    for step in 0..40 {
        let (place, mut bytes) = (whole.len() * step / 40, whole.to_vec());
        match step % 2 {
            0 => bytes.truncate(place),
            _ => bytes[place] ^= 0x55,
        }
        write(&here.join(name), &bytes);
        let done = program("logistic_regression").args(arguments).current_dir(&here).output().unwrap();
        let said = text(&done.stderr);
        assert!(matches!(done.status.code(), Some(0 | 1)) && !said.contains("panicked"), "{step}: {said}");
    }
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn broken_files() {
    let (data, model) = (npz(true, &good()), model(&[0.0; 4], &[0.0]));
    broken("data.npz", &data, &[], &["--data", "data.npz", "--iterations", "1"]);
    let load = ["--data", "data.npz", "--load", "model.safetensors", "--predict", "picture"];
    let [png, jpeg] = [ImageFormat::Png, ImageFormat::Jpeg].map(picture);
    broken("model.safetensors", &model, &[("data.npz", data.clone()), ("picture", png.clone())], &load);
    for picture in [png, jpeg] {
        let others = [("data.npz", data.clone()), ("model.safetensors", model.clone())];
        broken("picture", &picture, &others, &load);
    }
}

/// The learning rates that are through keep their costs, and so does the one that fails, up to there.
#[test]
fn a_cost_that_is_not_finite() {
    let here = folder("not-finite");
    let mut entries = good();
    let huge: Vec<f64> = (0..24).map(|k| if k / 4 % 2 == 0 { 1e150 } else { 1e149 }).collect();
    entries[0].1 = floats("(6, 2, 2)", &huge);
    fs::write(here.join("data.npz"), npz(true, &entries)).unwrap();
    let says = "the cost is NaN at iteration 1: most likely the learning rate is too large";
    let arguments = "--data data.npz --out out --iterations 101 --learning-rate 0.001 --learning-rate 1e10";
    assert_complaint("logistic_regression", &here, arguments, 1, says);
    let costs = fs::read_to_string(here.join("out/costs.csv")).unwrap();
    let rows: Vec<&str> = costs.lines().map(|row| row.rsplit_once(',').unwrap().0).collect();
    assert_eq!(rows, ["learning_rate,iteration", "0.001,0", "0.001,100", "10000000000,0"]);
    let curves = fs::read_to_string(here.join("out/learning_curve.svg")).unwrap();
    assert!(curves.contains("learning rate 0.001") && curves.ends_with("</svg>\n"), "{curves}");
    let mut files: Vec<_> =
        fs::read_dir(here.join("out")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["costs.csv", "learning_curve.svg", "model.safetensors", "weights.png"]);

    let cause = "most likely the initial parameters or the data are so large that it overflows";
    let says = format!("the cost is NaN at iteration 0: {cause}");
    assert_complaint("logistic_regression", &here, "--data data.npz --dtype f32", 1, &says);
    fs::remove_dir_all(here).unwrap();
}
