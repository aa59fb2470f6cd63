//! The transformer: what it learns, prints and writes.

use std::fs;

use crate::support::{
    assert_complaint, assert_costs_depend_on_the_seed_alone, assert_help, costs, folder, printed,
};

const NAME: &str = "transformer";

/// Pairs of sequences: what is given, and what is made of it.
fn examples(page: &str) -> Vec<[Vec<i64>; 2]> {
    let below = page.lines().skip_while(|line| !line.starts_with("new sequence")).skip(1);
    let symbols = |text: &str| text.split_whitespace().map_while(|symbol| symbol.parse().ok()).collect();
    let pair = |line: &str| line.split_once("    ").map(|(given, made)| [symbols(given), symbols(made)]);
    below.map_while(pair).collect()
}

#[test]
fn short_sequences_are_learned() {
    let out = folder("transformer");
    let o = out.to_str().unwrap();
    for task in ["reverse", "sort"] {
        let small =
            "--length 3 --symbols 4 --width 16 --layers 1 --batch 32 --iterations 241 --learning-rate 0.01";
        let mut arguments: Vec<&str> = small.split(' ').collect();
        arguments.extend(["--task", task, "--out", o]);
        let page = printed(NAME, &arguments);
        let share = page.lines().last().unwrap().strip_prefix("symbols right: ").unwrap();
        let share: f64 = share.strip_suffix(" %").unwrap().parse().unwrap();
        assert!(share >= 99.0, "{page}");

        let examples = examples(&page);
        assert_eq!(examples.len(), 5, "{page}");
        for [mut given, made] in examples {
            match task {
                "reverse" => given.reverse(),
                _ => given.sort_unstable(),
            }
            // One of them may be wrong, and then says so.
            assert!(given == made || page.contains("  wrong"), "{page}");
        }
        let rows = costs(&out, "learning_rate,iteration,cost");
        assert_eq!(rows.len(), 13);
        assert!(rows[12][2].parse::<f64>().unwrap() < 0.1, "{rows:?}");
        assert!(fs::read_to_string(out.join("learning_curve.svg")).unwrap().contains(task));
        assert!(fs::read_to_string(out.join("attention.svg")).unwrap().contains("layer 1, head 2"));
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn costs_depend_on_the_seed_and_not_on_the_number_of_threads() {
    assert_costs_depend_on_the_seed_alone(NAME, &["--iterations", "3", "--layers", "1"]);
}

#[test]
fn what_cannot_be_done_is_said() {
    let out = folder("transformer-options");
    fs::write(out.join("file"), "").unwrap();
    for (arguments, status, expected) in [
        ("--width 32 --heads 5", 1, "5 heads cannot share a width of 32: it is not a multiple"),
        ("--heads 0", 2, "invalid value '0' for '--heads <N>': a size is an integer from 1 on"),
        ("--length -3", 2, "invalid value '-3' for '--length <L>': a size is an integer from 1 on"),
        ("--width 1.5", 2, "invalid value '1.5' for '--width <D>': a size is an integer from 1 on"),
        (
            "--learning-rate 0",
            2,
            "invalid value '0' for '--learning-rate <α>': a learning rate is a positive number",
        ),
        ("--task copy", 2, "invalid value 'copy' for '--task <TASK>'\n  [possible values: reverse, sort]"),
        (
            "--threads 0",
            2,
            "invalid value '0' for '--threads <N>': a number of threads is an integer from 1 to 256",
        ),
        ("--width 40000 --length 400", 1, "these sizes make about 3e11 numbers, which are more than 5e8"),
        ("--out file", 1, "file: expected a folder, found a file"),
        (
            "--learning-rate 1e38 --width 8 --batch 4",
            1,
            "the cost is NaN at iteration 1: most likely the learning rate is too large",
        ),
    ] {
        assert_complaint(NAME, &out, arguments, status, expected);
    }
    let written = costs(&out.join("target/transformer"), "learning_rate,iteration,cost");
    assert_eq!(written.len(), 1, "the cost before it was lost");
    assert_help(
        NAME,
        &[
            "--task",
            "--length",
            "--symbols",
            "--width",
            "--heads",
            "--layers",
            "--batch",
            "--iterations",
            "--learning-rate",
            "--seed",
            "--threads",
            "--out",
        ],
    );
    fs::remove_dir_all(out).unwrap();
}
