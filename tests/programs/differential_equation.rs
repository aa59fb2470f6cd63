//! The differential equation: how near the network comes, what is printed and written.

use std::fs;
use std::path::Path;

use crate::support::{
    assert_complaint, assert_costs_depend_on_the_seed_alone, assert_help, costs, folder, printed,
};

const NAME: &str = "differential_equation";
const SMALL: &str = "--viscosity 0.2 --points 120 --hidden 8 --iterations 201 --steps 60";

fn small(out: &Path, more: &[&str]) -> String {
    let out = out.to_str().unwrap();
    let arguments: Vec<&str> = SMALL.split(' ').chain(["--out", out]).chain(more.iter().copied()).collect();
    printed(NAME, &arguments)
}

#[test]
fn a_small_network_comes_near_the_exact_solution() {
    let out = folder("differential-equation");
    let page = small(&out, &[]);
    // 3 · 8 + 9 · 8 + 9 weights.
    assert!(page.starts_with("A network of 105 weights. The equation is to hold at 120 points.\n"), "{page}");
    let error: f64 = page.lines().last().unwrap().strip_prefix("largest error: ").unwrap().parse().unwrap();
    assert!(error < 0.02, "{page}");

    let rows = costs(&out, "method,iteration,cost");
    let of = |method: &str| -> Vec<f64> {
        rows.iter().filter(|row| row[0] == method).map(|row| row[2].parse().unwrap()).collect()
    };
    let (adam, squares) = (of("Adam"), of("least squares"));
    assert_eq!((adam.len(), squares.len()), (9, 61));
    assert!(adam[8] < adam[0] && squares.is_sorted_by(|before, after| before >= after), "{rows:?}");
    assert!(squares[60] < 0.01 * adam[8], "{rows:?}");
    assert_eq!(rows.last().unwrap()[1], "261");
    for (file, holds) in
        [("field.svg", "residual"), ("profiles.svg", "t = 0.75"), ("learning_curve.svg", "least squares")]
    {
        assert!(fs::read_to_string(out.join(file)).unwrap().contains(holds), "{file}");
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn costs_depend_on_the_seed_and_not_on_the_number_of_threads() {
    assert_costs_depend_on_the_seed_alone(NAME, &["--iterations", "3", "--steps", "2", "--points", "400"]);
}

#[test]
fn what_cannot_be_done_is_said() {
    let out = folder("differential-equation-options");
    fs::write(out.join("file"), "").unwrap();
    for (arguments, status, expected) in [
        (
            "--viscosity 0",
            2,
            "invalid value '0' for '--viscosity <ν>': a viscosity is a number from 0.001 to 1",
        ),
        ("--points 0", 2, "invalid value '0' for '--points <M>': a size is an integer from 1 on"),
        ("--hidden -1", 2, "invalid value '-1' for '--hidden <N>': a size is an integer from 1 on"),
        (
            "--learning-rate nan",
            2,
            "invalid value 'nan' for '--learning-rate <α>': a learning rate is a positive number",
        ),
        (
            "--threads 0",
            2,
            "invalid value '0' for '--threads <N>': a number of threads is an integer from 1 to 256",
        ),
        (
            "--hidden 100 --points 7",
            1,
            "7 points and 10501 weights make matrices of 1e8 numbers, more than 2e7",
        ),
        ("--out file", 1, "file: expected a folder, found a file"),
        (
            "--learning-rate 1e200 --points 10 --hidden 4",
            1,
            "the cost is inf at iteration 1: most likely the learning rate is too large",
        ),
        (
            "--learning-rate 1e200 --points 10 --hidden 4 --iterations 1",
            1,
            "the cost is inf at iteration 1: most likely the learning rate is too large",
        ),
    ] {
        assert_complaint(NAME, &out, arguments, status, expected);
    }
    let written = costs(&out.join("target/differential_equation"), "method,iteration,cost");
    assert_eq!(written.len(), 1, "the cost before it was lost");
    assert_help(
        NAME,
        &[
            "--viscosity",
            "--points",
            "--hidden",
            "--iterations",
            "--learning-rate",
            "--steps",
            "--seed",
            "--threads",
            "--out",
        ],
    );
    fs::remove_dir_all(out).unwrap();
}
