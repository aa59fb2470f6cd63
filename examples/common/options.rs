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

/// What large weights cost.
pub fn l2_coefficient(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(l2) if l2.is_finite() && l2 >= 0.0 => Ok(l2),
        _ => Err("an L2 coefficient is a number of at least 0".to_owned()),
    }
}

/// A size: how many there are of something.
pub fn size(text: &str) -> Result<usize, String> {
    match text.parse::<u32>() {
        Ok(size) if size > 0 => Ok(size as usize),
        _ => Err("a size is an integer from 1 on".to_owned()),
    }
}

/// A number that is neither infinite nor NaN.
pub fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("expected a number".to_owned()),
    }
}

/// A number of threads.
pub fn threads(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(threads @ 1..=256) => Ok(threads),
        _ => Err("a number of threads is an integer from 1 to 256".to_owned()),
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
