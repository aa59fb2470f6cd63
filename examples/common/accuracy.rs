//! How often a network is right.

use gradus::ndarray::{Array2, Ix2};
use gradus::{Float, Program, Var};

use super::Error;

/// What a network answers to the columns of `x`: the probability of the label 1 for each.
pub fn probabilities<'g, T: Float>(
    predict: &mut Program<'g, Var<'g, T>>,
    x: Var<'g, T>,
    columns: &Array2<f64>,
) -> Result<Array2<f64>, Error> {
    let columns = columns.mapv(T::from_f64);
    let answers = predict.run_with(&[x.feed(&columns)])?;
    answers.mapv(T::to_f64).into_dimensionality::<Ix2>().map_err(Error::new)
}

/// Whether the answer, 1 above one half and else 0, is the label.
pub fn is_right(probability: f64, label: f64) -> bool {
    (probability > 0.5) == (label == 1.0)
}

/// The share of answers that are right, in percent.
pub fn accuracy<'a>(probabilities: impl IntoIterator<Item = &'a f64>, labels: &Array2<f64>) -> f64 {
    let right = probabilities.into_iter().zip(labels).filter(|&(&a, &y)| is_right(a, y)).count();
    100.0 * right as f64 / labels.len() as f64
}

/// The last lines of a program that trains and tests.
pub fn print_accuracies(train: f64, test: f64) {
    println!("train accuracy: {train:.2} %\ntest accuracy: {test:.2} %");
}
