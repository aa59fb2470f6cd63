//! Networks of any depth: what they print and write.

use std::fs;
use std::path::Path;

use crate::bad_input::{floats, good};
use crate::support::{
    Entries, assert_complaint, costs, folder, npy, numbers, with, write_large_pictures, write_npz,
};

fn printed(arguments: &[&str]) -> String {
    crate::support::printed("deep", arguments)
}

const HEADER: &str = "learning_rate,iteration,cost";

/// Numbers between -1/2 and 1/2 for the network 64-6-3-1.
fn weights() -> Entries {
    let mut k = 0_u32;
    let mut array = |shape: [u32; 2]| {
        let size = shape[0] * shape[1];
        let all: Vec<f64> =
            (k..k + size).map(|k| f64::from(k.wrapping_mul(7919) % 1009) / 1009.0 - 0.5).collect();
        k += size;
        npy("<f8", false, &format!("({}, {})", shape[0], shape[1]), &numbers(&all))
    };
    vec![
        ("W1", array([6, 64])),
        ("b1", array([6, 1])),
        ("W2", array([3, 6])),
        ("b2", array([3, 1])),
        ("W3", array([1, 3])),
        ("b3", array([1, 1])),
    ]
}

fn png_size(path: &Path) -> [u32; 2] {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[1..4], b"PNG");
    [16, 20].map(|at| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()))
}

#[test]
fn the_digits_are_learned_as_by_numpy() {
    // What a NumPy program with hand-derived gradients has.
    for (arguments, expected, train, test) in [
        ("--activation relu", [0.5730253303003237, 0.07758210021986642], "98.54", "95.83"),
        ("--activation tanh --l2 5", [0.6232198658648817, 0.11788244062416581], "98.82", "95.83"),
    ] {
        let out = folder("deep-digits");
        let start = out.join("start.npz");
        write_npz(&start, true, &weights());
        let mut all = vec!["--init", start.to_str().unwrap(), "--out", out.to_str().unwrap()];
        all.extend(["--iterations", "101", "--learning-rate", "0.5"].into_iter().chain(arguments.split(' ')));
        let page = printed(&all);
        assert!(page.contains("\nA3 = Z3.sigmoid()\n"), "{page}");
        assert!(page.contains(&format!("\ncost after iteration 100: {:.6}\n", expected[1])), "{page}");
        assert!(page.ends_with(&format!("\ntrain accuracy: {train} %\ntest accuracy: {test} %\n")), "{page}");

        let found = costs(&out, HEADER);
        assert_eq!(found.len(), 2);
        for (row, (i, expected)) in found.iter().zip(["0", "100"].iter().zip(expected)) {
            assert_eq!(row[..2], ["0.5", i]);
            let cost: f64 = row[2].parse().unwrap();
            assert!((cost - expected).abs() < 1e-12, "{cost} is not {expected}");
        }
        assert!(fs::read_to_string(out.join("learning_curve.svg")).unwrap().contains("learning rate 0.5"));
        fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn mislabelled_pictures_are_listed_and_drawn() {
    let out = folder("deep-mislabelled");
    let o = out.to_str().unwrap();
    let png = out.join("mislabelled.png");
    // What answers one half everywhere says 0, and is wrong about every 3 of the test.
    let page = printed(&["--init", "zeros", "--iterations", "0", "--out", o]);
    assert!(page.contains("\n37 of 360 test pictures are mislabelled.\n"), "{page}");
    let listed = page.lines().filter(|line| line.trim_start().starts_with('#'));
    assert!(listed.clone().all(|row| row.contains("      1                   0.5000")), "{page}");
    assert_eq!(listed.count(), 20);
    assert!(page.contains("\n… and 17 more\n"), "{page}");
    assert!(page.ends_with("\ntrain accuracy: 89.84 %\ntest accuracy: 89.72 %\n"), "{page}");
    // Five rows of eight.
    assert_eq!(png_size(&png), [14 + 8 * 150, 14 + 5 * 192]);

    // Where nothing is wrong, nothing is drawn.
    let data = out.join("data.npz");
    write_npz(&data, true, &good());
    let d = data.to_str().unwrap();
    let page = printed(&[
        "--data",
        d,
        "--layers",
        "4,3,1",
        "--iterations",
        "300",
        "--learning-rate",
        "1",
        "--out",
        o,
    ]);
    assert!(page.contains("\n0 of 2 test pictures are mislabelled.\n"), "{page}");
    assert!(page.ends_with("\ntrain accuracy: 100.00 %\ntest accuracy: 100.00 %\n"), "{page}");
    assert_eq!(png_size(&png), [14 + 150, 14 + 192]);

    // Rows of numbers are drawn too.
    let flat = with(good(), "train_x", &Some(npy("|u1", false, "(6, 4)", &[9; 24])));
    let flat = with(flat, "test_x", &Some(npy("|u1", false, "(2, 4)", &[9; 8])));
    write_npz(&data, true, &flat);
    printed(&["--data", d, "--layers", "4,1", "--iterations", "1", "--init", "equal:1", "--out", o]);
    assert_eq!(png_size(&png)[0], 14 + 150);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn costs_are_the_same_at_every_run_and_on_any_number_of_threads() {
    let out = folder("deep-threads");
    let data = out.join("data.npz");
    write_large_pictures(&data);
    let (d, o) = (data.to_str().unwrap(), out.to_str().unwrap());
    for dtype in ["f32", "f64"] {
        let files = ["1", "2", "3", "1"].map(|threads| {
            printed(&["--data", d, "--threads", threads, "--dtype", dtype, "--iterations", "3", "--out", o]);
            ["costs.csv", "mislabelled.png"].map(|file| fs::read(out.join(file)).unwrap())
        });
        assert!(files.iter().all(|other| *other == files[0]), "{dtype}");
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn what_begins_at_random_depends_on_the_seed_alone() {
    let out = folder("deep-seeds");
    let o = out.to_str().unwrap();
    let costs = |seed: &str, init: &str| {
        printed(&["--seed", seed, "--init", init, "--iterations", "1", "--out", o]);
        costs(&out, HEADER)
    };
    for init in ["he", "xavier", "normal:0.1"] {
        assert_eq!(costs("7", init), costs("7", init));
        assert_ne!(costs("7", init), costs("8", init));
    }
    assert_ne!(costs("7", "he"), costs("7", "xavier"));
    assert_eq!(costs("7", "equal:0.1"), costs("8", "equal:0.1"));
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_cost_that_is_not_finite_ends_the_run_and_leaves_files_whole() {
    let out = folder("deep-diverging");
    write_npz(&out.join("data.npz"), true, &good());
    let arguments = "--data data.npz --iterations 150 --learning-rate 0.1 --learning-rate 1e300 --out .";
    let expected = "the cost is NaN at iteration 1: most likely the learning rate is too large";
    assert_complaint("deep", &out, arguments, 1, expected);
    // What the first learning rate gave is there, whole, and the cost of the second until then.
    let rows = costs(&out, HEADER);
    assert_eq!(rows.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["0", "100", "0"]);
    assert_eq!(rows[0][2], rows[2][2], "both begin alike");
    assert!(fs::read_to_string(out.join("learning_curve.svg")).unwrap().ends_with("</svg>\n"));
    png_size(&out.join("mislabelled.png"));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4, "nothing half-written is left");
    fs::remove_dir_all(out).unwrap();
}

/// Options, and what is said of them.
const BAD_OPTIONS: &[(&str, &str)] = &[
    ("--layers 64", "invalid value '64' for '--layers <N,…,1>': {layers}"),
    ("--layers 64,0,1", "invalid value '64,0,1' for '--layers <N,…,1>': {layers}"),
    ("--layers 64,,1", "invalid value '64,,1' for '--layers <N,…,1>': {layers}"),
    ("--layers 64x20x1", "invalid value '64x20x1' for '--layers <N,…,1>': {layers}"),
    ("--layers 64,-5,1", "invalid value '64,-5,1' for '--layers <N,…,1>': {layers}"),
    (
        "--layers 64,99999999999999999999,1",
        "invalid value '64,99999999999999999999,1' for '--layers <N,…,1>': {layers}",
    ),
    (
        "--activation softplus",
        "invalid value 'softplus' for '--activation <NAME>'\n  [possible values: sigmoid, tanh, relu, leaky-relu, linear]",
    ),
    (
        "--init random",
        "invalid value 'random' for '--init <INIT>': expected zeros, equal:C, normal:S, xavier, he or FILE.npz",
    ),
    ("--l2 -0.1", "invalid value '-0.1' for '--l2 <λ>': an L2 coefficient is a number of at least 0"),
    ("--l2 inf", "invalid value 'inf' for '--l2 <λ>': an L2 coefficient is a number of at least 0"),
    (
        "--learning-rate 0",
        "invalid value '0' for '--learning-rate <α>': a learning rate is a positive number",
    ),
    (
        "--learning-rate -1",
        "invalid value '-1' for '--learning-rate <α>': a learning rate is a positive number",
    ),
    (
        "--learning-rate nan",
        "invalid value 'nan' for '--learning-rate <α>': a learning rate is a positive number",
    ),
    ("--iterations 1.5", "invalid value '1.5' for '--iterations <N>': invalid digit found in string"),
    ("--dtype f16", "invalid value 'f16' for '--dtype <DTYPE>'\n  [possible values: f32, f64]"),
    ("--seed -1", "unexpected argument '-1' found"),
    ("--threads 0", "invalid value '0' for '--threads <N>': a number of threads is an integer from 1 to 256"),
];

#[test]
fn bad_options_are_named() {
    let out = folder("deep-options");
    let layers =
        "layers are their numbers of units from the input to the output, at least 1 each, as 12288,20,7,5,1";
    for (arguments, expected) in BAD_OPTIONS {
        assert_complaint("deep", &out, arguments, 2, &expected.replace("{layers}", layers));
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "nothing is written");
    fs::remove_dir_all(out).unwrap();
}

/// Arguments in a folder with `data.npz` and `weights.npz`, and what is said of them.
const BAD_ARGUMENTS: &[(&str, &str)] = &[
    (
        "--layers 12288,7,1",
        "the layers 12288,7,1, layer 1: W1 of shape [7, 12288] does not fit X of shape [64, 1437]: 12288 != 64",
    ),
    (
        "--layers 64,5,2",
        "the layers 64,5,2, layer 2: W2 of shape [2, 5] does not fit Y of shape [1, 1437]: 2 != 1",
    ),
    (
        "--data data.npz --init weights.npz",
        "the layers 64,6,3,1, layer 1: W1 of shape [6, 64] does not fit X of shape [4, 6]: 64 != 4",
    ),
    (
        "--init weights.npz --layers 64,6,4,1",
        "weights.npz: layer 2: expected W2 of shape [4, 6] for the layers 64,6,4,1, found [3, 6]",
    ),
    (
        "--init weights.npz --layers 64,6,1",
        r#"weights.npz: expected W1, b1, W2, b2 for the layers 64,6,1, found ["W1", "W2", "W3", "b1", "b2", "b3"]"#,
    ),
    (
        "--init weights.npz --layers 64,6,3,1,1",
        r#"weights.npz: expected W1, b1, W2, b2, W3, b3, W4, b4 for the layers 64,6,3,1,1, found ["W1", "W2", "W3", "b1", "b2", "b3"]"#,
    ),
    (
        "--layers 64,10000000,1",
        "the layers 64,10000000,1 have more than 134217728 weights, the most that are taken",
    ),
    (
        "--layers 64,4294967296,4294967296,1",
        "the layers 64,4294967296,4294967296,1 have more than 134217728 weights, the most that are taken",
    ),
    ("--data missing.npz", "missing.npz: cannot read: No such file or directory (os error 2)"),
    ("--init missing.npz", "missing.npz: cannot read: No such file or directory (os error 2)"),
    ("--out data.npz", "data.npz: expected a folder, found a file"),
    (
        "--init equal:1e300 --layers 64,3,1",
        "the cost is NaN at iteration 0: most likely the initial parameters or the data are so large that it overflows",
    ),
];

#[test]
fn layers_data_and_weights_that_do_not_fit_are_named() {
    let out = folder("deep-fit");
    write_npz(&out.join("data.npz"), true, &good());
    write_npz(&out.join("weights.npz"), true, &weights());
    for (arguments, expected) in BAD_ARGUMENTS {
        assert_complaint("deep", &out, arguments, 1, expected);
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
#[cfg(not(feature = "hdf5"))]
fn folders_without_the_feature_are_named() {
    let out = folder("deep-folders");
    fs::create_dir(out.join("cats")).unwrap();
    let expected = "cats: to read a folder of HDF5 files, build the example with `--features hdf5`";
    assert_complaint("deep", &out, "--data cats", 1, expected);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn bad_archives_are_named() {
    let out = folder("deep-archives");
    let mut not_finite = vec![0.0; 6];
    not_finite[5] = f64::NAN;
    for (name, array, expected) in [
        (
            "b3",
            None,
            r#"expected W1, b1, W2, b2, W3, b3 for the layers 64,6,3,1, found ["W1", "W2", "W3", "b1", "b2"]"#,
        ),
        (
            "b1",
            Some(floats("(5,)", &[0.0; 5])),
            "layer 1: expected b1 of shape [6, 1] or [6] for the layers 64,6,3,1, found [5]",
        ),
        ("b1", Some(floats("(6,)", &not_finite)), "expected finite numbers in b1, found NaN at [5]"),
        (
            "W3",
            Some(floats("(3, 1)", &[0.0; 3])),
            "layer 3: W3 of shape [3, 1] does not fit W2 of shape [3, 6]: 1 != 3",
        ),
        (
            "W2",
            Some(npy("<c16", false, "(3, 6)", &[0; 288])),
            "W2 cannot be read: expected integers or floats, found <c16",
        ),
    ] {
        write_npz(&out.join("weights.npz"), true, &with(weights(), name, &array));
        assert_complaint("deep", &out, "--init weights.npz", 1, &format!("weights.npz: {expected}"));
    }
    for (name, array, expected) in [
        (
            "test_y",
            None,
            r#"expected train_x, train_y, test_x and test_y, found ["test_x", "train_x", "train_y"]"#,
        ),
        (
            "train_y",
            Some(floats("(6,)", &[0.0, 1.0, -1.0, 0.0, 1.0, 1.0])),
            "expected labels 0 and 1 in train_y, found -1",
        ),
        (
            "train_x",
            Some(floats("(6, 1)", &not_finite)),
            "expected finite numbers in train_x, found NaN at [5, 0]",
        ),
    ] {
        write_npz(&out.join("data.npz"), true, &with(good(), name, &array));
        assert_complaint("deep", &out, "--data data.npz", 1, &format!("data.npz: {expected}"));
    }
    fs::remove_dir_all(out).unwrap();
}
