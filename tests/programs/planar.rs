//! The network with one hidden layer: what it prints and writes.

use std::fs;

use crate::bad_input::floats;
use crate::support::{Entries, assert_complaint, costs, folder, npy, numbers, with, write_npz};

fn printed(arguments: &[&str]) -> String {
    crate::support::printed("planar", arguments)
}

const HEADER: &str = "hidden,iteration,cost";

/// Four points, two of each label.
const POINTS: &str = "x1,x2,label\n1,2,1\n-1,0.5,0\n 0.25 , -3e-1, 1\n2,-1,0\n";

/// W1, b1, W2 and b2 for two hidden units.
fn weights() -> Entries {
    vec![
        ("W1", npy("<f8", false, "(2, 2)", &numbers(&[0.1, -0.2, 0.3, 0.4]))),
        ("b1", npy("<f8", false, "(2, 1)", &numbers(&[0.0, 0.1]))),
        ("W2", npy("<f8", false, "(1, 2)", &numbers(&[0.5, -0.6]))),
        ("b2", npy("<f8", false, "(1, 1)", &numbers(&[0.2]))),
    ]
}

#[test]
fn the_flower_is_learned_as_by_numpy() {
    // NumPy's `RandomState(2).randn(4, 2) * 0.01`, then `randn(1, 4) * 0.01`; biases of either shape.
    let w1 = [
        -0.004167578474054706,
        -0.0005626682722632948,
        -0.02136196095668454,
        0.016402708084049887,
        -0.017934355851948632,
        -0.00841747365656204,
        0.005028814171580428,
        -0.012452880866072316,
    ];
    let w2 = [-0.010579522188623389, -0.009090076149268494, 0.005514540445464244, 0.022922080128149575];
    let out = folder("planar-flower");
    let start = out.join("start.npz");
    write_npz(
        &start,
        true,
        &[
            ("W1", npy("<f8", false, "(4, 2)", &numbers(&w1))),
            ("b1", npy("<f8", false, "(4, 1)", &numbers(&[0.0; 4]))),
            ("W2", npy("<f8", false, "(1, 4)", &numbers(&w2))),
            ("b2", npy("<f8", false, "(1,)", &numbers(&[0.0]))),
        ],
    );
    let (s, o) = (start.to_str().unwrap(), out.to_str().unwrap());
    let page = printed(&["--init", s, "--iterations", "1001", "--out", o]);
    assert!(page.contains("\nA1 = Z1.tanh()\n"), "{page}");
    assert!(page.contains("\ndZ1 = W2.t().dot(dZ2) * (1 - A1.square())\ndW1 = dZ1.dot(X.t())\n"), "{page}");
    assert!(page.contains("cost after iteration 0: 0.693048\n"), "{page}");
    assert!(page.contains("cost after iteration 1000: 0.288083\n"), "{page}");
    assert!(page.ends_with("\naccuracy: 89.25 %\n"), "{page}");

    // What a NumPy program with hand-derived gradients has.
    let found = costs(&out, HEADER);
    assert_eq!(found.len(), 2);
    for (row, (i, expected)) in found.iter().zip([("0", 0.6930480201239823), ("1000", 0.28808329356901846)]) {
        assert_eq!(row[..2], ["4", i]);
        let cost: f64 = row[2].parse().unwrap();
        assert!((cost - expected).abs() < 1e-12, "{cost} is not {expected}");
    }
    let boundary = fs::read_to_string(out.join("decision_boundary.svg")).unwrap();
    assert_eq!(boundary.matches("<circle").count(), 400 + 2, "each point, and two in the legend");
    assert!(boundary.contains("4 hidden units: 89.25 %"));
    assert!(fs::read_to_string(out.join("learning_curve.svg")).unwrap().contains("4 hidden units"));
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn units_that_begin_alike_stay_alike() {
    let out = folder("planar-alike");
    let o = out.to_str().unwrap();
    let spreads = |init: &str| -> Vec<String> {
        let page =
            printed(&["--init", init, "--hidden", "2", "3", "5", "17", "--iterations", "60", "--out", o]);
        let rows = page.lines().skip_while(|line| !line.starts_with("hidden units")).skip(1).take(4);
        rows.map(|row| row.split_whitespace().last().unwrap().to_owned()).collect()
    };
    for init in ["zeros", "equal:0.3", "equal:-1"] {
        assert_eq!(spreads(init), ["0"; 4], "{init}");
    }
    assert!(spreads("normal:0.01").iter().all(|spread| spread.parse::<f64>().unwrap() > 1e-3));

    let page = printed(&["--iterations", "60", "--out", o]);
    let row = |init: &str| page.lines().find(|line| line.trim_start().starts_with(init)).unwrap();
    assert!(row("zeros ").ends_with(" 0") && row("equal:0.3 ").ends_with(" 0"), "{page}");
    assert!(row("zeros ").contains(" 0.693147 ") && row("zeros ").contains(" 50.00 % "), "{page}");
    assert!(!row("normal:0.01 ").ends_with(" 0"), "{page}");
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn several_sizes_share_a_table_and_a_picture() {
    let out = folder("planar-sizes");
    let o = out.to_str().unwrap();
    let arguments =
        ["--hidden", "1", "3", "--hidden", "6", "--iterations", "101", "--activation", "relu", "--out", o];
    let page = printed(&arguments);
    let table: Vec<&str> =
        page.lines().skip_while(|line| !line.starts_with("hidden units")).skip(1).take(3).collect();
    for (row, hidden) in table.iter().zip(["1", "3", "6"]) {
        assert_eq!(row.split_whitespace().next(), Some(hidden), "{page}");
    }
    let last = page.lines().last().unwrap().strip_prefix("accuracy: ").unwrap();
    assert!(table[2].contains(last), "{page}");

    let rows: Vec<Vec<String>> = costs(&out, HEADER);
    assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["1", "3", "6"]);
    let boundary = fs::read_to_string(out.join("decision_boundary.svg")).unwrap();
    for title in ["1 hidden unit: ", "3 hidden units: ", "6 hidden units: "] {
        assert!(boundary.contains(title), "{title}");
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_table_and_an_archive_are_the_same_points() {
    let out = folder("planar-data");
    let (table, archive) = (out.join("points.csv"), out.join("points.npz"));
    fs::write(&table, POINTS.replace('\n', "\r\n")).unwrap();
    let x = numbers(&[1.0, -1.0, 0.25, 2.0, 2.0, 0.5, -0.3, -1.0]);
    let [table_costs, archive_costs] = [("(4,)", &table), ("(1, 4)", &archive)].map(|(shape, data)| {
        let points = [("x", npy("<f8", false, "(2, 4)", &x)), ("y", npy("|u1", false, shape, &[1, 0, 1, 0]))];
        write_npz(&archive, true, &points);
        printed(&["--data", data.to_str().unwrap(), "--iterations", "20", "--out", out.to_str().unwrap()]);
        fs::read_to_string(out.join("costs.csv")).unwrap()
    });
    assert_eq!(table_costs, archive_costs);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn costs_are_the_same_on_any_number_of_threads() {
    // So many points that elementwise passes and products are shared out.
    let out = folder("planar-threads");
    let data = out.join("points.csv");
    let point = |k: u32| {
        let number = |k: u32| f64::from(k.wrapping_mul(2_654_435_761) >> 16) / 32768.0 - 1.0;
        format!(
            "{},{},{}\n",
            number(2 * k),
            number(2 * k + 1),
            u8::from(number(2 * k) * number(2 * k + 1) > 0.0)
        )
    };
    fs::write(&data, format!("x1,x2,label\n{}", (0..20_000).map(point).collect::<String>())).unwrap();
    let (d, o) = (data.to_str().unwrap(), out.to_str().unwrap());
    let files = ["1", "2", "3", "1"].map(|threads| {
        printed(&[
            "--data",
            d,
            "--hidden",
            "20",
            "--init",
            "xavier",
            "--iterations",
            "4",
            "--threads",
            threads,
            "--out",
            o,
        ]);
        ["costs.csv", "learning_curve.svg"].map(|file| fs::read(out.join(file)).unwrap())
    });
    assert!(files.iter().all(|other| *other == files[0]));
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn no_iterations_leave_the_network_as_it_begins() {
    let out = folder("planar-none");
    let o = out.to_str().unwrap();
    let page = printed(&["--iterations", "0", "--init", "zeros", "--out", o]);
    assert!(page.ends_with("\naccuracy: 50.00 %\n"), "{page}");
    assert_eq!(fs::read_to_string(out.join("costs.csv")).unwrap(), "hidden,iteration,cost\n");
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_cost_that_is_not_finite_ends_the_run_and_leaves_files_whole() {
    let out = folder("planar-diverging");
    fs::write(out.join("points.csv"), POINTS).unwrap();
    let o = out.to_str().unwrap();
    printed(&["--data", out.join("points.csv").to_str().unwrap(), "--iterations", "3", "--out", o]);
    let boundary = || fs::read(out.join("decision_boundary.svg")).unwrap();
    let before = boundary();
    let arguments = "--data points.csv --learning-rate 1e308 --activation linear --out .";
    let expected = "the cost is NaN at iteration 1: most likely the learning rate is too large";
    assert_complaint("planar", &out, arguments, 1, expected);
    // The cost until then is written, and what was there before is whole.
    let rows = costs(&out, HEADER);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][..2], ["4", "0"]);
    assert!(fs::read_to_string(out.join("learning_curve.svg")).unwrap().ends_with("</svg>\n"));
    assert_eq!(boundary(), before);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4, "nothing half-written is left");
    fs::remove_dir_all(out).unwrap();
}

/// Arguments, and what is said of them.
const BAD_OPTIONS: &[(&str, &str)] = &[
    ("--hidden 0", "invalid value '0' for '--hidden <N>...': 0 is not in 1..=10000"),
    ("--hidden 10001", "invalid value '10001' for '--hidden <N>...': 10001 is not in 1..=10000"),
    ("--hidden", "a value is required for '--hidden <N>...' but none was supplied"),
    (
        "--activation cosine",
        "invalid value 'cosine' for '--activation <NAME>'\n  [possible values: sigmoid, tanh, relu, leaky-relu, linear]",
    ),
    (
        "--init ones",
        "invalid value 'ones' for '--init <INIT>': expected zeros, equal:C, normal:S, xavier, he or FILE.npz",
    ),
    ("--init equal:nan", "invalid value 'equal:nan' for '--init <INIT>': C of equal:C is a number"),
    (
        "--init normal:-1",
        "invalid value 'normal:-1' for '--init <INIT>': S of normal:S, a standard deviation, is a number of at least 0",
    ),
    (
        "--learning-rate 0",
        "invalid value '0' for '--learning-rate <α>': a learning rate is a positive number",
    ),
    (
        "--learning-rate -1.2",
        "invalid value '-1.2' for '--learning-rate <α>': a learning rate is a positive number",
    ),
    ("--iterations -1", "unexpected argument '-1' found"),
    ("--seed x", "invalid value 'x' for '--seed <N>': invalid digit found in string"),
    ("--threads 0", "invalid value '0' for '--threads <N>': a number of threads is an integer from 1 to 256"),
    ("--layers 2,4,1", "unexpected argument '--layers' found"),
];

/// Tables of points, and what is said of them.
const BAD_TABLES: &[(&str, &str)] = &[
    ("", "expected rows of numbers with a label, found none"),
    ("x1,x2,label\n", "expected rows of numbers with a label, found none"),
    ("x1,x2,label\n1,2,1\n1,2\n", "line 3: expected 3 numbers, found 2"),
    ("x1,x2,x3,label\n1,2,3,1\n", "line 2: expected 3 numbers, found 4"),
    ("1,2,1\n\n1\n", "line 3: expected 3 numbers, found 1"),
    ("x1,x2,label\n1,up,1\n", "line 2, column 2: expected a number, found \"up\""),
    ("x1,x2,label\n1,2,1\ninf,2,1\n", "line 3, column 1: expected a finite number, found inf"),
    ("x1,x2,label\n1,2,nan\n", "line 2, column 3: expected a finite number, found NaN"),
    ("x1,x2,label\n1,2,2\n", "line 2, column 3: expected a label from 0 to 1, found 2"),
];

#[test]
fn bad_options_are_named() {
    let out = folder("planar-options");
    for (arguments, expected) in BAD_OPTIONS {
        assert_complaint("planar", &out, arguments, 2, expected);
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "nothing is written");
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn bad_tables_are_named() {
    let out = folder("planar-tables");
    for (table, expected) in BAD_TABLES {
        fs::write(out.join("points.csv"), table).unwrap();
        assert_complaint("planar", &out, "--data points.csv", 1, &format!("points.csv: {expected}"));
    }
    fs::write(out.join("points.csv"), b"x1,x2,label\n1,\xff,1\n").unwrap();
    assert_complaint(
        "planar",
        &out,
        "--data points.csv",
        1,
        "points.csv: cannot read: stream did not contain valid UTF-8",
    );
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn bad_archives_are_named() {
    let out = folder("planar-archives");
    let good = [("x", floats("(2, 2)", &[1.0, 2.0, 3.0, 4.0])), ("y", floats("(2,)", &[0.0, 1.0]))];
    let bad_points: &[(&str, Option<Vec<u8>>, &str)] = &[
        ("y", None, r#"expected x and y, found ["x"]"#),
        (
            "x",
            Some(floats("(4, 1)", &[0.0; 4])),
            "expected x of shape (2, m), a column for each of m points, found [4, 1]",
        ),
        (
            "x",
            Some(floats("(2, 0)", &[])),
            "expected x of shape (2, m), a column for each of m points, found [2, 0]",
        ),
        (
            "x",
            Some(floats("(2, 2)", &[0.0, 1.0, f64::NAN, 2.0])),
            "expected finite numbers in x, found NaN at [1, 0]",
        ),
        (
            "y",
            Some(floats("(3,)", &[0.0; 3])),
            "expected y of shape [2] or [1, 2], a label for each point, found [3]",
        ),
        ("y", Some(floats("(2,)", &[0.5, 0.0])), "expected labels 0 and 1 in y, found 0.5"),
    ];
    for (name, array, expected) in bad_points {
        write_npz(&out.join("points.npz"), true, &with(good.to_vec(), name, array));
        assert_complaint("planar", &out, "--data points.npz", 1, &format!("points.npz: {expected}"));
    }

    let bad_weights: &[(&str, Option<Vec<u8>>, &str)] = &[
        ("b2", None, r#"expected W1, b1, W2, b2 for the layers 2,2,1, found ["W1", "W2", "b1"]"#),
        ("W1", None, r#"expected W1, b1, found ["W2", "b1", "b2"]"#),
        ("W1", Some(floats("(4,)", &[0.0; 4])), "expected W1 of shape (n_1, n_0), found [4]"),
        ("W1", Some(floats("(0, 2)", &[])), "layer 1: W1 of shape [0, 2] is empty"),
        (
            "W1",
            Some(floats("(2, 3)", &[0.0; 6])),
            "layer 1: expected W1 of shape [2, 2] for the layers 2,2,1, found [2, 3]",
        ),
        (
            "b1",
            Some(floats("(1, 2)", &[0.0; 2])),
            "layer 1: expected b1 of shape [2, 1] or [2] for the layers 2,2,1, found [1, 2]",
        ),
        (
            "W2",
            Some(floats("(2, 2)", &[0.0; 4])),
            "layer 2: expected W2 of shape [1, 2] for the layers 2,2,1, found [2, 2]",
        ),
        (
            "W2",
            Some(floats("(1, 2)", &[0.0, f64::INFINITY])),
            "expected finite numbers in W2, found inf at [0, 1]",
        ),
        (
            "W3",
            Some(floats("(1, 1)", &[0.0])),
            r#"expected W1, b1, W2, b2 for the layers 2,2,1, found ["W1", "W2", "W3", "b1", "b2"]"#,
        ),
    ];
    for (name, array, expected) in bad_weights {
        write_npz(&out.join("weights.npz"), true, &with(weights(), name, array));
        assert_complaint("planar", &out, "--init weights.npz", 1, &format!("weights.npz: {expected}"));
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn files_that_do_not_fit_are_named() {
    let out = folder("planar-files");
    write_npz(&out.join("weights.npz"), true, &weights());
    fs::write(out.join("file"), b"").unwrap();
    fs::create_dir(out.join("folder.npz")).unwrap();
    fs::write(out.join("far.csv"), "x1,x2,label\n-1e308,0,1\n1e308,0,0\n").unwrap();
    fs::write(out.join("points.csv"), POINTS).unwrap();
    for (arguments, expected) in [
        ("--data missing.csv", "missing.csv: cannot read: No such file or directory (os error 2)"),
        ("--data missing.npz", "missing.npz: cannot read: No such file or directory (os error 2)"),
        ("--init folder.npz", "folder.npz: expected a NumPy archive (.npz), found a folder"),
        ("--init missing.npz", "missing.npz: cannot read: No such file or directory (os error 2)"),
        (
            "--init weights.npz --hidden 2 3",
            "weights.npz: layer 1: expected W1 of shape [3, 2] for the layers 2,3,1, found [2, 2]",
        ),
        ("--out file", "file: expected a folder, found a file"),
        ("--data far.csv", "points from -1e308 to 1e308 are too far apart to be drawn"),
        (
            "--data points.csv --activation linear --init equal:1e300",
            "the cost is NaN at iteration 0: most likely the initial parameters or the data are so large that it overflows",
        ),
    ] {
        assert_complaint("planar", &out, arguments, 1, expected);
    }
    fs::remove_dir_all(out).unwrap();
}
