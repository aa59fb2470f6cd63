//! Newton's method: how it converges, what it prints and writes.

use std::fs;
use std::path::Path;

use crate::support::{
    assert_complaint, assert_costs_depend_on_the_seed_alone, assert_help, complaint, costs, folder, printed,
    run,
};

const NAME: &str = "newton";

/// Costs and norms of the gradient of a method.
fn places(out: &Path, method: &str) -> Vec<[f64; 2]> {
    let rows = costs(out, "method,iteration,cost,gradient_norm");
    let rows = rows.iter().filter(|row| row[0] == method);
    rows.map(|row| [row[2].parse().unwrap(), row[3].parse().unwrap()]).collect()
}

#[test]
fn the_gradient_is_squared_in_every_step() {
    let out = folder("newton");
    let o = out.to_str().unwrap();
    let page = printed(NAME, &["--iterations", "300", "--out", o]);
    assert!(page.contains("456 examples of 30 numbers train, 113 test.\n"), "{page}");
    let newton = places(&out, "newton");
    assert!(newton.len() < 15, "{page}");
    assert!((newton[0][0] - 2_f64.ln()).abs() < 1e-15);
    // From the last step but three on, down to the last, which rounding ends.
    let norms: Vec<f64> = newton.iter().map(|place| place[1]).collect();
    let [.., first, second, third, last] = norms[..] else { panic!("{page}") };
    let factor = second / first.powi(2);
    let same = third / second.powi(2) / factor;
    assert!(first < 0.01 && (0.5..2.0).contains(&same) && last < 1e-14, "{norms:?}");

    // Gradient descent goes to the same place, and is nowhere near it after as much time.
    let descent = places(&out, "gradient_descent");
    assert_eq!(descent.len(), 4);
    assert_eq!(descent[0], newton[0]);
    assert!(descent.is_sorted_by(|before, after| before[0] > after[0]), "{descent:?}");
    let [.., [lowest, _]] = newton[..] else { panic!("{page}") };
    assert!(descent.iter().all(|&[cost, norm]| cost > lowest && norm > 1e-3), "{descent:?}");

    let last: Vec<&str> = page.lines().rev().take(2).collect();
    assert!(last[1].starts_with("train accuracy: 9") && last[0].starts_with("test accuracy: 9"), "{page}");
    assert!(fs::read_to_string(out.join("convergence.svg")).unwrap().contains("gradient descent"));
    assert!(fs::read_to_string(out.join("weights.svg")).unwrap().contains("worst texture"));
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn both_methods_end_where_the_cost_is_least() {
    let out = folder("newton-both");
    let o = out.to_str().unwrap();
    // So much weight on ‖w‖² that gradient descent is fast.
    printed(NAME, &["--l2", "1", "--tolerance", "1e-9", "--out", o]);
    let [newton, descent] = ["newton", "gradient_descent"].map(|method| places(&out, method));
    let [[cost, norm], [other, other_norm]] = [newton.last(), descent.last()].map(|place| *place.unwrap());
    assert!(norm <= 1e-9 && other_norm <= 1e-9, "{newton:?} {descent:?}");
    assert!((cost - other).abs() < 1e-15, "{cost} {other}");
    assert!(newton.len() < 10, "{newton:?}");
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn no_step_leaves_the_weights_as_they_were() {
    let out = folder("newton-none");
    let page = printed(NAME, &["--steps", "0", "--iterations", "0", "--out", out.to_str().unwrap()]);
    // Every probability is 1/2, which is no answer.
    assert!(page.ends_with("\ntrain accuracy: 0.00 %\ntest accuracy: 0.00 %\n"), "{page}");
    assert_eq!(costs(&out, "method,iteration,cost,gradient_norm").len(), 2);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn costs_depend_on_the_seed_and_not_on_the_number_of_threads() {
    assert_costs_depend_on_the_seed_alone(NAME, &["--iterations", "101"]);
}

#[test]
fn tables_of_ones_own_are_read() {
    let out = folder("newton-own");
    let (path, o) = (out.join("data.csv"), out.join("out"));
    // The names of the columns, or none; a column that is always the same.
    let rows: String =
        (0..40).map(|i| format!("{}, 7, {}\n\n", i % 10, u8::from(i % 10 > 4 || i % 20 == 3))).collect();
    // What editors and spreadsheets put before it is no part of it.
    for header in ["", "\u{feff}", "height,constant,tall\n", "\u{feff}\r\nheight,constant,tall\r\n"] {
        fs::write(&path, format!("{header}{rows}")).unwrap();
        let page = printed(NAME, &["--data", path.to_str().unwrap(), "--out", o.to_str().unwrap()]);
        assert!(page.contains("32 examples of 2 numbers train, 8 test.\n"), "{page}");
        let picture = fs::read_to_string(o.join("weights.svg")).unwrap();
        let name = if header.contains("height") { "\nheight\n" } else { "\nx1\n" };
        assert!(picture.contains(name), "{name}");
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn bad_tables_are_named() {
    let out = folder("newton-bad");
    let (path, o) = (out.join("data.csv"), out.join("out"));
    let tell =
        || complaint(&path, &run(NAME, &["--data", path.to_str().unwrap(), "--out", o.to_str().unwrap()]));
    assert!(tell().starts_with("cannot read: No such file"));
    fs::write(&path, b"1,\xff,0\n").unwrap();
    assert_eq!(tell(), "cannot read: stream did not contain valid UTF-8");
    for (table, expected) in [
        ("", "expected rows of numbers with a label, found none"),
        ("length,label\n", "expected rows of numbers with a label, found none"),
        ("length,label\n1,0\n2,x\n", "line 3, column 2: expected a number, found \"x\""),
        ("length,label\n1,0\n,1\n", "line 3, column 1: expected a number, found \"\""),
        ("1,0\n\n2,0\nnan,1\n", "line 4, column 1: expected a finite number, found NaN"),
        ("1,2,0\n1e999,2,0\n", "line 2, column 1: expected a finite number, found inf"),
        ("1,2,0\n1,0\n", "line 2: expected 3 numbers, found 2"),
        ("1\n0\n", "line 1: expected numbers and a label, found one number"),
        ("1,2,1\n1,2,2\n", "line 2, column 3: expected a label from 0 to 1, found 2"),
        ("1,2,0.5\n", "line 1, column 3: expected a label from 0 to 1, found 0.5"),
        ("1,2,-1\n", "line 1, column 3: expected a label from 0 to 1, found -1"),
        ("1,0\n2,1\n3,0\n4,1\n", "expected at least 5 examples, found 4"),
    ] {
        fs::write(&path, table).unwrap();
        assert_eq!(tell(), expected);
    }
    assert!(!o.exists(), "nothing is written before the data are read");
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn what_cannot_be_done_is_said() {
    let out = folder("newton-options");
    fs::write(out.join("file"), "").unwrap();
    // The second column is always the same, so the cost does not depend on its weight.
    fs::write(out.join("flat.csv"), "1,7,0\n2,7,1\n3,7,0\n4,7,1\n5,7,0\n6,7,1\n").unwrap();
    let positive = "invalid value '-1' for '--learning-rate <α>': a learning rate is a positive number";
    let l2 = "invalid value '-1' for '--l2 <λ>': an L2 coefficient is a number of at least 0";
    for (arguments, status, expected) in [
        ("--learning-rate -1", 2, positive),
        ("--l2 -1", 2, l2),
        (
            "--tolerance nan",
            2,
            "invalid value 'nan' for '--tolerance <ε>': a tolerance is a number of at least 0",
        ),
        (
            "--threads 0",
            2,
            "invalid value '0' for '--threads <N>': a number of threads is an integer from 1 to 256",
        ),
        ("--out file", 1, "file: expected a folder, found a file"),
        (
            "--data flat.csv --l2 0",
            1,
            "the cost is NaN at iteration 1: most likely the Hessian is singular, which a larger --l2 prevents",
        ),
        (
            "--learning-rate 1e200",
            1,
            "the cost is inf at iteration 1: most likely the learning rate is too large",
        ),
    ] {
        assert_complaint(NAME, &out, arguments, status, expected);
    }
    // The last of them went all of the way of Newton's method, and one step of the other.
    let [newton, descent] =
        ["newton", "gradient_descent"].map(|method| places(&out.join("target/newton"), method));
    assert!(newton.len() > 5 && descent.len() == 1, "{newton:?} {descent:?}");
    assert_help(
        NAME,
        &[
            "--data",
            "--l2",
            "--tolerance",
            "--steps",
            "--iterations",
            "--learning-rate",
            "--seed",
            "--threads",
            "--out",
        ],
    );
    fs::remove_dir_all(out).unwrap();
}
