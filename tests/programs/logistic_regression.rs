//! Logistic regression: what it prints and writes.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::{complaint, folder, npy, text, write_npz};

fn run(arguments: &[&str]) -> Output {
    crate::support::run("logistic_regression", arguments)
}

/// Six pictures of 2×2 bytes for training, bright ones labelled 1, and two for testing.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    let bright = |i: u8| if i.is_multiple_of(2) { 200 + i } else { 20 + i };
    let train: Vec<u8> = (0..24).map(|k| bright(k / 4)).collect();
    let labels: Vec<u8> = (0..6_i64).flat_map(|i| (1 - i % 2).to_le_bytes()).collect();
    vec![
        ("train_x", npy("|u1", false, "(6, 2, 2)", &train)),
        ("train_y", npy("<i8", false, "(1, 6)", &labels)),
        ("test_x", npy("|u1", false, "(2, 2, 2)", &train[..8])),
        ("test_y", npy("|u1", false, "(2,)", &[1, 0])),
    ]
}

#[test]
fn the_digits_are_learned() {
    let out = folder("digits");
    let o = out.to_str().unwrap();
    let saved = out.join("saved.safetensors");
    let s = saved.to_str().unwrap();
    let arguments =
        ["--iterations", "201", "--learning-rate", "0.5", "--learning-rate", "0.1", "--out", o, "--save", s];
    let run1 = run(&arguments);
    assert!(run1.status.success(), "{}", text(&run1.stderr));
    let printed = text(&run1.stdout);
    assert!(printed.contains("a     = (w.t().dot(x) + b).sigmoid()\n"), "{printed}");
    assert!(printed.contains("cost after iteration 0: 0.693147\n"), "{printed}");
    let last: Vec<&str> = printed.lines().rev().take(2).collect();
    assert!(last[0].starts_with("test accuracy: 9") && last[0].ends_with(" %"), "{printed}");
    assert!(last[1].starts_with("train accuracy: 9"), "{printed}");

    let costs = fs::read_to_string(out.join("costs.csv")).unwrap();
    let rows: Vec<&str> = costs.lines().collect();
    assert_eq!(rows[0], "learning_rate,iteration,cost");
    assert_eq!(rows[1], "0.5,0,6.9314718055994529e-1");
    assert!(rows[3].starts_with("0.5,200,") && rows[4].starts_with("0.1,0,") && rows.len() == 7, "{costs}");
    assert!(fs::read_to_string(out.join("learning_curve.svg")).unwrap().contains("learning rate 0.1"));
    assert_eq!(&fs::read(out.join("weights.png")).unwrap()[1..4], b"PNG");
    assert_eq!(fs::read(&saved).unwrap(), fs::read(out.join("model.safetensors")).unwrap());

    // The same numbers at every run, and the same answers from the saved model.
    let before = costs;
    run(&arguments);
    assert_eq!(fs::read_to_string(out.join("costs.csv")).unwrap(), before);
    let loaded = text(&run(&["--load", s]).stdout);
    assert!(loaded.ends_with(&format!("{}\n{}\n", last[1], last[0])), "{loaded}");
    // Nothing half-written is left.
    let left = fs::read_dir(&out)
        .unwrap()
        .filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().contains("part"));
    assert_eq!(left.count(), 0);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn the_model_is_the_same_on_any_number_of_threads() {
    // Pictures so large that products are shared out.
    let data = folder("threads-data").join("data.npz");
    let pixels: Vec<u8> = (0..220 * 6400_u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let labels: Vec<u8> = (0..220).map(|i| u8::from(i % 3 == 0)).collect();
    let entries = [
        ("train_x", npy("|u1", false, "(200, 80, 80)", &pixels[..200 * 6400])),
        ("train_y", npy("|u1", false, "(200,)", &labels[..200])),
        ("test_x", npy("|u1", false, "(20, 80, 80)", &pixels[200 * 6400..])),
        ("test_y", npy("|u1", false, "(20,)", &labels[200..])),
    ];
    write_npz(&data, false, &entries);
    let d = data.to_str().unwrap();
    for dtype in ["f32", "f64"] {
        let models = ["1", "2", "3"].map(|threads| {
            let out = folder(&format!("threads-{dtype}-{threads}"));
            let o = out.to_str().unwrap();
            let done =
                run(&["--data", d, "--threads", threads, "--dtype", dtype, "--iterations", "21", "--out", o]);
            assert!(done.status.success(), "{}", text(&done.stderr));
            let files = ["model.safetensors", "costs.csv"].map(|file| fs::read(out.join(file)).unwrap());
            fs::remove_dir_all(out).unwrap();
            files
        });
        assert!(models[0] == models[1] && models[1] == models[2], "{dtype}");
    }
    fs::remove_dir_all(data.parent().unwrap()).unwrap();
}

#[test]
fn archives_of_all_kinds_are_read() {
    let out = folder("kinds");
    let path = out.join("data.npz");
    let (p, o) = (path.to_str().unwrap(), out.to_str().unwrap());
    let mut floats = good();
    let pixels: Vec<f64> = (0..24).map(|k| if k / 4 % 2 == 0 { 0.8 } else { 0.1 }).collect();
    let little: Vec<u8> = pixels.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect();
    floats[0].1 = npy("<f4", false, "(6, 2, 2)", &little);
    let mut columns = good();
    // In Fortran order the picture number runs fastest.
    let fortran: Vec<u8> = (0..24).flat_map(|k| pixels[k % 6 * 4].to_be_bytes()).collect();
    columns[0].1 = npy(">f8", true, "(6, 2, 2)", &fortran);
    for (entries, compressed) in [(good(), false), (good(), true), (floats, true), (columns, false)] {
        write_npz(&path, compressed, &entries);
        for dtype in ["f32", "f64"] {
            let done = run(&[
                "--data",
                p,
                "--out",
                o,
                "--iterations",
                "300",
                "--learning-rate",
                "5",
                "--dtype",
                dtype,
            ]);
            let printed = text(&done.stdout);
            assert!(
                printed.ends_with("train accuracy: 100.00 %\ntest accuracy: 100.00 %\n"),
                "{printed}{}",
                text(&done.stderr)
            );
        }
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_saturated_run_stays_finite() {
    let out = folder("saturated");
    let path = out.join("data.npz");
    write_npz(&path, true, &good());
    let (p, o) = (path.to_str().unwrap(), out.to_str().unwrap());
    let done = run(&["--data", p, "--out", o, "--iterations", "1001", "--learning-rate", "100000"]);
    assert!(done.status.success());
    let costs = fs::read_to_string(out.join("costs.csv")).unwrap();
    for row in costs.lines().skip(1) {
        let cost: f64 = row.rsplit(',').next().unwrap().parse().unwrap();
        assert!(cost.is_finite(), "{costs}");
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn bad_files_are_named() {
    let out = folder("bad");
    let o = out.join("out");
    let path = out.join("data.npz");
    let tell = |path: &Path| {
        complaint(
            path,
            &run(&["--data", path.to_str().unwrap(), "--out", o.to_str().unwrap(), "--iterations", "1"]),
        )
    };
    assert!(tell(&out.join("missing.npz")).starts_with("cannot read: No such file"));
    fs::write(&path, b"").unwrap();
    assert!(tell(&path).starts_with("expected a NumPy archive (.npz): "));
    fs::write(&path, b"learning_rate,iteration,cost\n").unwrap();
    assert!(tell(&path).starts_with("expected a NumPy archive (.npz): "));

    let with = |name: &str, bytes: Vec<u8>| {
        let mut entries = good();
        entries.iter_mut().find(|(entry, _)| *entry == name).unwrap().1 = bytes;
        write_npz(&path, true, &entries);
        tell(&path)
    };
    write_npz(&path, true, &good()[..3]);
    assert_eq!(
        tell(&path),
        r#"expected train_x, train_y, test_x and test_y, found ["test_x", "train_x", "train_y"]"#
    );
    for (name, bytes, expected) in [
        (
            "train_x",
            npy("|u1", false, "(24,)", &[0; 24]),
            "expected train_x of shape (m, …), m pictures, found [24]",
        ),
        (
            "train_x",
            npy("|u1", false, "(0, 4)", &[]),
            "expected train_x of shape (m, …), m pictures, found [0, 4]",
        ),
        (
            "train_x",
            npy("|u1", false, "(6, 3)", &[0; 18]),
            "expected pictures of one shape, found train_x [6, 3] and test_x [2, 2, 2]",
        ),
        (
            "train_y",
            npy("|u1", false, "(5,)", &[0; 5]),
            "expected train_y of shape [6] or [1, 6], a label for each picture, found [5]",
        ),
        (
            "test_y",
            npy("|u1", false, "(2, 1)", &[0; 2]),
            "expected test_y of shape [2] or [1, 2], a label for each picture, found [2, 1]",
        ),
        (
            "train_y",
            npy("|u1", false, "(6,)", &[0, 1, 2, 0, 0, 0]),
            "expected labels 0 and 1 in train_y, found 2",
        ),
        (
            "test_x",
            npy("<U4", false, "(2,)", &[0; 32]),
            "test_x cannot be read: expected integers or floats, found <U4",
        ),
        ("test_x", b"nothing of the kind".to_vec(), "test_x cannot be read: expected a NumPy array"),
        (
            "train_x",
            npy("|u1", false, "(9999999999, 9999999999)", &[0; 24]),
            "train_x cannot be read: it claims the shape (9999999999, 9999999999), and has 152 bytes",
        ),
    ] {
        assert_eq!(with(name, bytes), expected);
    }
    assert!(
        with("train_x", npy("|u1", false, "(6, 2, 2)", &[0; 20])).starts_with("train_x cannot be read: ")
    );
    assert!(!o.exists(), "nothing is written before the data are read");
    // Cut off anywhere, or with any byte changed, a file is an error or data, never a panic.
    write_npz(&path, true, &good());
    let whole = fs::read(&path).unwrap();
    let broken = out.join("broken.npz");
    for step in 0..40 {
        let mut bytes = whole.clone();
        if step % 2 == 0 {
            bytes.truncate(whole.len() * step / 40);
        } else {
            bytes[whole.len() * step / 40] ^= 0x55;
        }
        fs::write(&broken, bytes).unwrap();
        let done =
            run(&["--data", broken.to_str().unwrap(), "--out", o.to_str().unwrap(), "--iterations", "1"]);
        assert!(matches!(done.status.code(), Some(0 | 1)), "{step}: {}", text(&done.stderr));
        assert!(!text(&done.stderr).contains("panicked"), "{}", text(&done.stderr));
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn bad_models_and_folders_are_named() {
    let out = folder("models");
    let model = out.join("model.safetensors");
    let load = |path: &Path| complaint(path, &run(&["--load", path.to_str().unwrap()]));
    assert!(load(&model).starts_with("cannot read: No such file"));
    fs::write(&model, b"12345678 no such header").unwrap();
    assert!(load(&model).starts_with("expected a safetensors file: "));
    // A model of other pictures.
    let data = out.join("data.npz");
    write_npz(&data, false, &good());
    let (d, o) = (data.to_str().unwrap(), out.to_str().unwrap());
    assert!(run(&["--data", d, "--out", o, "--iterations", "1"]).status.success());
    assert_eq!(load(&model), "expected `w` of shape [64, 1] for this data, found [4, 1]");
    // A folder that is a file.
    let file = out.join("file");
    fs::write(&file, b"").unwrap();
    let done = run(&["--iterations", "1", "--out", file.to_str().unwrap()]);
    assert_eq!(complaint(&file, &done), "expected a folder, found a file");
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn wrong_options_end_with_2() {
    for (arguments, expected) in [
        (&["--learning-rate", "-1"][..], "a learning rate is a positive number"),
        (&["--learning-rate", "fast"], "a learning rate is a positive number"),
        (&["--learning-rate", "inf"], "a learning rate is a positive number"),
        (&["--iterations", "many"], "invalid digit found in string"),
        (&["--threads", "0"], "0 is not in 1..=65535"),
        (&["--dtype", "f16"], "[possible values: f32, f64]"),
        (&["--flavour"], "unexpected argument '--flavour'"),
        (&["--load", "m", "--learning-rate", "1"], "cannot be used with"),
    ] {
        let done = run(arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(text(&done.stderr).contains(expected), "{}", text(&done.stderr));
    }
    let help = run(&["--help"]);
    assert!(help.status.success());
    for option in
        ["--data", "--iterations", "--learning-rate", "--dtype", "--threads", "--out", "--save", "--load"]
    {
        assert!(text(&help.stdout).contains(option), "{option}");
    }
}
