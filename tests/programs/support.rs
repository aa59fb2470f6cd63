//! Running an example as a user does, and the files that it is given.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use zip::write::SimpleFileOptions;

/// An example, which `cargo test` builds beside the tests.
pub fn program(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "`cargo test` builds the example, `cargo test --test` does not: cargo build --examples"
    );
    Command::new(path)
}

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
