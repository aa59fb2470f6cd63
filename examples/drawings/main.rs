//! # Drawings of graphs
//!
//! Draws a computation graph with its values and derivatives, and a network with one hidden layer, collapsed by name: without
//! and with the gradients of its cost. These are the pictures of the book:
//!
//! ```sh
//! cargo run --example drawings -- --out docs/src/pictures
//! ```

#[path = "../common/mod.rs"]
mod common;
mod pictures;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use common::{Error, files, finish};

/// Draws the graphs of the book.
#[derive(Parser)]
struct Options {
    /// The folder for computation_graph.svg, network.svg and gradients.svg
    #[arg(long, value_name = "DIR", default_value = "target/drawings")]
    out: PathBuf,
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    files::make_folder(&options.out)?;
    for (name, svg) in pictures::pictures()? {
        let path = options.out.join(name);
        files::write(&path, svg.as_bytes())?;
        println!("{}", path.display());
    }
    Ok(())
}
