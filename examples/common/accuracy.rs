//! How often a network is right.

use gradus::ndarray::{Array2, Axis};
use gradus::{Float, Program, Var};

use super::Error;
use super::data::Pictures;
use super::page::table;

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

/// The accuracies on the training and on the test pictures, in percent.
pub fn accuracies<'g, T: Float>(
    predict: &mut Program<'g, Var<'g, T>>,
    x: Var<'g, T>,
    pictures: &Pictures,
) -> Result<[f64; 2], Error> {
    let train = probabilities(predict, x, &pictures.train_x)?;
    let test = probabilities(predict, x, &pictures.test_x)?;
    Ok([accuracy(&train, &pictures.train_y), accuracy(&test, &pictures.test_y)])
}

/// A table of learning rates, each with its accuracies on the training and on the test pictures.
pub fn print_rates(results: &[(f64, [f64; 2])]) {
    let row = |(rate, [train, test]): &(f64, [f64; 2])| {
        vec![rate.to_string(), format!("{train:.2} %"), format!("{test:.2} %")]
    };
    let rows: Vec<_> = results.iter().map(row).collect();
    table("rrr", &["learning rate", "train accuracy", "test accuracy"], &rows);
}

/// The last lines of a program that trains and tests.
pub fn print_accuracies([train, test]: [f64; 2]) {
    println!("train accuracy: {train:.2} %\ntest accuracy: {test:.2} %");
}
