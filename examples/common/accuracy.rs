//! How often a network is right.

use gradus::ndarray::{Array2, Axis};
use gradus::{Float, Program, Var};

use super::Error;

/// How many columns are answered at once.
const BATCH: usize = 4096;

/// What a network answers to the columns of `x`: the probability of the label 1 for each, (1, m).
pub fn probabilities<'g, T: Float>(
    predict: &mut Program<'g, Var<'g, T>>,
    x: Var<'g, T>,
    columns: &Array2<f64>,
) -> Result<Array2<f64>, Error> {
    let mut answers = Vec::new();
    for batch in columns.axis_chunks_iter(Axis(1), BATCH) {
        let batch = batch.mapv(T::from_f64);
        answers.extend(predict.run_with(&[x.feed(&batch)])?.iter().map(|a| a.to_f64()));
    }
    Array2::from_shape_vec((1, answers.len()), answers).map_err(Error::new)
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
