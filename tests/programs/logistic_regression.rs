//! Logistic regression: what it prints and writes.

use std::fs;
use std::process::Output;

use crate::bad_input::good;
use crate::support::{assert_help, folder, npy, text, write_large_pictures, write_npz};

fn run(arguments: &[&str]) -> Output {
    crate::support::run("logistic_regression", arguments)
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
    let data = folder("threads-data").join("data.npz");
    write_large_pictures(&data);
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
fn help_names_the_options() {
    assert_help(
        "logistic_regression",
        &[
            "--data",
            "--iterations",
            "--learning-rate",
            "--predict",
            "--invert",
            "--dtype",
            "--threads",
            "--out",
            "--save",
            "--load",
        ],
    );
}
