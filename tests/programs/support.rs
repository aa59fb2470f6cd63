//! Running an example as a user does, and the files that it is given.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use zip::write::SimpleFileOptions;

pub use crate::program::program;

/// A folder of this test's own.
pub fn folder(test: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gradus-{}-{test}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn run(name: &str, arguments: &[&str]) -> Output {
    program(name).args(arguments).output().unwrap()
}

/// A file in NumPy's format, version 1.0.
pub fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The bytes of an archive in NumPy's format.
pub fn npz(compressed: bool, entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let method = if compressed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive
            .start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(method))
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub fn write_npz(path: &Path, compressed: bool, entries: &[(&str, Vec<u8>)]) {
    fs::write(path, npz(compressed, entries)).unwrap();
}

/// Named arrays of an archive.
pub type Entries = Vec<(&'static str, Vec<u8>)>;

/// The entries with another array of this name, or without it.
pub fn with(mut entries: Entries, name: &'static str, array: &Option<Vec<u8>>) -> Entries {
    entries.retain(|(entry, _)| *entry != name);
    entries.extend(array.clone().map(|array| (name, array)));
    entries
}

/// An archive of pictures so large that products are shared out among threads: 200 to train, 20 to test.
pub fn write_large_pictures(path: &Path) {
    let pixels: Vec<u8> = (0..220 * 6400_u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let labels: Vec<u8> = (0..220).map(|i| u8::from(i % 3 == 0)).collect();
    let entries = [
        ("train_x", npy("|u1", false, "(200, 80, 80)", &pixels[..200 * 6400])),
        ("train_y", npy("|u1", false, "(200,)", &labels[..200])),
        ("test_x", npy("|u1", false, "(20, 80, 80)", &pixels[200 * 6400..])),
        ("test_y", npy("|u1", false, "(20,)", &labels[200..])),
    ];
    write_npz(path, false, &entries);
}

/// The bytes of numbers of 64 bits.
pub fn numbers(all: &[f64]) -> Vec<u8> {
    all.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// An example that is run in `folder` ends with this status, and says this on standard error, apart from a hint at
/// `--help`.
#[track_caller]
pub fn assert_complaint(name: &str, folder: &Path, arguments: &str, status: i32, expected: &str) {
    let done = program(name).args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    let stderr = text(&done.stderr);
    let said = stderr.split("\n\n").next().unwrap_or_default();
    assert_eq!(said.trim_end(), format!("error: {expected}"), "{name} {arguments}");
    assert_eq!(done.status.code(), Some(status), "{name} {arguments}");
}

/// The one line on standard error, behind `error: FILE: `.
pub fn complaint(path: &Path, done: &Output) -> String {
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let line = text(&done.stderr);
    let start = format!("error: {}: ", path.display());
    line.strip_prefix(&start).unwrap_or_else(|| panic!("{line}")).trim_end().to_owned()
}

/// What an example prints when all is well.
pub fn printed(name: &str, arguments: &[&str]) -> String {
    let done = run(name, arguments);
    assert!(done.status.success(), "{}", text(&done.stderr));
    text(&done.stdout)
}

/// The help of an example names all of its options.
#[track_caller]
pub fn assert_help(name: &str, options: &[&str]) {
    let help = printed(name, &["--help"]);
    for option in options {
        assert!(help.contains(option), "{option}");
    }
}

/// The rows of `costs.csv` below this header.
pub fn costs(out: &Path, header: &str) -> Vec<Vec<String>> {
    let table = fs::read_to_string(out.join("costs.csv")).unwrap();
    let (first, rows) = table.split_once('\n').unwrap();
    assert_eq!(first, header);
    rows.lines().map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

/// An example writes the same `costs.csv` with these options on any number of threads, and another one from another seed.
#[track_caller]
pub fn assert_costs_depend_on_the_seed_alone(name: &str, options: &[&str]) {
    let table = |threads: &str, seed: &str| {
        let out = folder(&format!("{name}-{threads}-{seed}"));
        let o = out.to_str().unwrap();
        printed(name, &[options, &["--threads", threads, "--seed", seed, "--out", o]].concat());
        let costs = fs::read(out.join("costs.csv")).unwrap();
        fs::remove_dir_all(out).unwrap();
        costs
    };
    let one = table("1", "1");
    assert!(one == table("2", "1"), "{name}: another number of threads");
    assert!(one != table("1", "2"), "{name}: another seed");
}

/// Holds what a program printed against `golden/pages/NAME.txt`, which is what it prints with `--out OUT`, line by line; the numbers
/// of the lines of its source are left out. On lines that show rounding numbers may differ by a thousandth.
pub fn assert_page(name: &str, printed: &str, out: &Path, shows_rounding: impl Fn(&str) -> bool) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/pages/{name}.txt"));
    let golden = fs::read_to_string(&path).unwrap();
    let printed = printed.replace(out.to_str().unwrap(), "OUT");
    assert_eq!(printed.lines().count(), golden.lines().count(), "{printed}");
    for (line, expected) in printed.lines().zip(golden.lines()) {
        if shows_rounding(expected) {
            assert!(nearly(line, expected), "{line}\nis not about\n{expected}");
        } else {
            assert_eq!(without_place(line, name), without_place(expected, name));
        }
    }
}

/// Whether two lines have the same words, and numbers that differ by no more than a thousandth.
fn nearly(line: &str, expected: &str) -> bool {
    let same = |(word, expected): (&str, &str)| match (word.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(number), Ok(expected)) => (number - expected).abs() < 1e-3,
        _ => word == expected,
    };
    line.split_whitespace().count() == expected.split_whitespace().count()
        && line.split_whitespace().zip(expected.split_whitespace()).all(same)
}

/// The line without the number of a line of the program's source at its end.
fn without_place<'a>(line: &'a str, name: &str) -> &'a str {
    let source = format!("{name}.rs:");
    line.find(&source).map_or(line, |at| &line[..at + source.len()])
}

/// Reads an SVG file, and sees that it is one: its tags are closed in order, and there is something in it.
pub fn svg(path: &Path) -> String {
    let svg = fs::read_to_string(path).unwrap();
    assert!(svg.trim_start().starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{}", path.display());
    let mut open = Vec::new();
    let mut tags = 0;
    for part in svg.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        tags += 1;
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name), "{}", path.display()),
            (false, true) => {}
            (false, false) => open.push(name),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty() && tags > 10, "{}", path.display());
    svg
}
