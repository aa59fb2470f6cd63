//! The gallery of slips: each is named.

use std::fs;
use std::path::Path;

use crate::support::{folder, run, text};

const NAMES: [&str; 14] = [
    "sign",
    "missing-m",
    "transpose",
    "elementwise",
    "tanh-twice",
    "slope",
    "da-dz",
    "db1-db2",
    "updated",
    "bias",
    "softmax",
    "l1",
    "broadcast",
    "picture",
];

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The page with `…` for the numbers of lines, and those numbers.
fn without_lines(page: &str) -> (String, Vec<usize>) {
    let mut parts = page.split("examples/slips.rs:");
    let mut plain = parts.next().unwrap().to_owned();
    let mut lines = Vec::new();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap();
        lines.push(part[..end].parse().unwrap());
        plain += &format!("examples/slips.rs:…{}", &part[end..]);
    }
    (plain, lines)
}

#[test]
fn every_slip_is_named() {
    let out = folder("slips");
    let done = run("slips", &["--out", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let page = fs::read_to_string(out.join("slips.md")).unwrap();
    assert_eq!(text(&done.stdout), page);
    let (page, lines) = without_lines(&page);
    assert_eq!(page, repository("tests/golden/slips.md"));

    // The lines are those on which the wrong formulas stand.
    let source = repository("examples/slips.rs");
    let source: Vec<&str> = source.lines().collect();
    assert_eq!(lines.len(), 14);
    for line in lines {
        let written = source[line - 1].trim_start();
        let wrong = ["let wrong = ", "let w2_now = ", "let refused = "];
        assert!(wrong.iter().any(|start| written.starts_with(start)), "line {line}: {written}");
    }
}

#[test]
fn one_slip_alone() {
    let out = folder("one-slip");
    let o = out.to_str().unwrap();
    let page = text(&run("slips", &["--only", "db1-db2", "--only", "missing-m", "--out", o]).stdout);
    let titles: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(titles, ["# Slips", "## A missing 1/m", "## db1 written to db2"]);
    assert_eq!(fs::read_to_string(out.join("slips.md")).unwrap(), page);

    let list = text(&run("slips", &["--list"]).stdout);
    let names: Vec<&str> = list.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, NAMES);
    assert!(list.contains("db1-db2          db1 written to db2\n"), "{list}");
}

#[test]
fn options_that_cannot_be() {
    let done = run("slips", &["--only", "signs"]);
    assert_eq!(done.status.code(), Some(2));
    let expected = format!(
        "error: invalid value 'signs' for '--only <NAME>'\n  [possible values: {}]\n\nFor more information, try '--help'.\n",
        NAMES.join(", ")
    );
    assert_eq!(text(&done.stderr), expected);

    let file = folder("slips-file").join("taken");
    fs::write(&file, "").unwrap();
    let done = run("slips", &["--out", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(text(&done.stderr), format!("error: {}: expected a folder, found a file\n", file.display()));
    assert!(done.stdout.is_empty());
}
