//! Options that several examples have.

use clap::ValueEnum;
use gradus::{Program, VarList};

use super::Error;

/// The element type to compute in.
#[derive(Clone, Copy, ValueEnum)]
pub enum Precision {
    F32,
    F64,
}

/// A learning rate.
pub fn learning_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("a learning rate is a positive number".to_owned()),
    }
}

/// A number that is neither infinite nor NaN.
pub fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("expected a number".to_owned()),
    }
}

/// The program on as many threads as were asked for: by default one for each core.
pub fn on_threads<'g, L: VarList<'g>>(
    threads: Option<u16>,
    program: Program<'g, L>,
) -> Result<Program<'g, L>, Error> {
    Ok(match threads {
        Some(threads) => program.threads(threads.into())?,
        None => program,
    })
}
