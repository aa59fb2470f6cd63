//! # The referee of conformance
//!
//! Reads a folder of cases, each an operation on given inputs with known outputs and derivatives, builds every case with
//! gradus and compares. The folder's format is described in `tests/conformance/README.md`, beside the project's own cases:
//!
//! ```text
//! cargo run --release --example conformance -- tests/conformance
//! ```
//!
//! One line for each case that is not met, `FAIL <name> <what> <largest error>` or `UNSUPPORTED <name> <reason>`, and a
//! last line `N passed, N failed, N unsupported`. What each operation is in gradus stands in `referee/formulas`.

mod referee;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use referee::{Folder, Verdict, judge};

/// Compares gradus, in f64, with known values and derivatives of operations.
///
/// Compared are outputs, vjp, second_x (the Hessian of ⟨c, f⟩ times k) and second_c (the Jacobian times k), once with
/// every result read by itself and once from one compiled program that is fed. The largest error is that of
/// |a - b| / (1 + max|b|), which may be 1e-9, and 1e-7 for the second order of eigh, svd, qr and expm.
#[derive(Parser)]
struct Options {
    /// The folder with index.json and cases.bin
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only the cases of this operation; may be given several times
    #[arg(long, value_name = "NAME")]
    op: Vec<String>,
    /// Print the table of all operations, a page of the book, and judge nothing
    #[arg(long)]
    table: bool,
    /// Also a line for each case that is met, and what exactly is wrong with one that is not
    #[arg(long)]
    verbose: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::from(2)
        }
    }
}

/// Whether all cases are met.
fn run(options: &Options) -> Result<bool, String> {
    let cases = chosen(&options.folder, &options.op)?;
    if options.table {
        print!("{}", referee::table::page(&cases));
        return Ok(true);
    }
    let [mut passed, mut failed, mut unsupported] = [0; 3];
    for case in &cases {
        let verdict = judge(case);
        let count = match verdict {
            Verdict::Passed { .. } => &mut passed,
            Verdict::Failed { .. } => &mut failed,
            Verdict::Unsupported { .. } => &mut unsupported,
        };
        *count += 1;
        if options.verbose || !matches!(verdict, Verdict::Passed { .. }) {
            println!("{}", verdict.line(&case.name, options.verbose));
        }
    }
    println!("{passed} passed, {failed} failed, {unsupported} unsupported");
    Ok(failed + unsupported == 0)
}

fn chosen(folder: &Path, ops: &[String]) -> Result<Vec<referee::Case>, String> {
    let mut cases = Folder::read(folder).map_err(|error| error.to_string())?.cases;
    if let Some(op) = ops.iter().find(|&op| cases.iter().all(|case| case.op != *op)) {
        return Err(format!("{} has no case of the operation `{op}`", folder.display()));
    }
    cases.retain(|case| ops.is_empty() || ops.contains(&case.op));
    if cases.is_empty() {
        return Err(format!("{} has no cases", folder.display()));
    }
    Ok(cases)
}
