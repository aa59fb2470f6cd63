//! What the examples share: data, networks, pictures, files, and how a program reports what went wrong.

#![allow(dead_code, unused_imports, reason = "each example uses some of it")]

pub mod accuracy;
pub mod activation;
pub mod data;
pub mod files;
pub mod init;
pub mod layers;
pub mod options;
pub mod page;
pub mod plot;
pub mod progress;
pub mod training;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// Something that is wrong with a file or an option, as one line for the user.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    /// What is wrong.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }

    /// What is wrong with the file at `path`.
    pub fn in_file(path: &Path, what: impl fmt::Display) -> Self {
        Self(format!("{}: {what}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<gradus::Error> for Error {
    fn from(error: gradus::Error) -> Self {
        Self(error.to_string())
    }
}

/// Ends the program: 0, or the error on standard error and 1. (Wrong options end it with 2 before it begins.)
pub fn finish(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
