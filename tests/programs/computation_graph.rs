//! The computation graph: what it prints and draws.

use std::fs;

use crate::support::{assert_page, complaint, folder, refusal, run, svg, text};

/// Whether a line tells of a nudge so small that its quotient is wrong by rounding.
fn shows_rounding(line: &str) -> bool {
    let nudge = line.split_whitespace().next().and_then(|word| word.strip_prefix("1e-"));
    nudge.and_then(|exponent| exponent.parse().ok()).is_some_and(|exponent: u32| exponent >= 4)
}

#[test]
fn the_page_is_the_expected_one() {
    let out = folder("computation_graph");
    let done = run("computation_graph", &["--out", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_page("computation_graph", &text(&done.stdout), &out, shows_rounding);

    assert!(svg(&out.join("quotients.svg")).contains("\n(s(b+h) - s(b-h))/2h\n"));
    let graph = svg(&out.join("graph.svg"));
    let dot = fs::read_to_string(out.join("graph.dot")).unwrap();
    for text in ["u = b * c", "v = a + u", "J = 3 * v", "= 33", "∂J/∂c = 9"] {
        assert!(graph.contains(text) && dot.contains(text), "{text}");
    }
    assert!(dot.starts_with("digraph {\n") && dot.ends_with("}\n"), "{dot}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn other_numbers_have_other_derivatives() {
    let out = folder("computation_graph-numbers");
    let o = out.to_str().unwrap();
    let done = run("computation_graph", &["--out", o, "--a", "-1.5", "--b", "2e20", "--c", "0"]);
    let printed = text(&done.stdout);
    for line in [
        "b = 2e20",
        "u = b * c = 0",
        "J = 3 * v = -4.5",
        "dJ/db = 3 * c = 0",
        "dJ/dc = 3 * b = 6e20",
        "a   -1.5 -> -1.499   -4.5 -> -4.497",
        // Where the derivative is 0 the quotients are it, and have no error to draw.
        "1e-12      0.000000000000   0.0e0         0.000000000000   0.0e0",
    ] {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(printed.lines().any(|found| words(found).starts_with(&words(line))), "{line}: {printed}");
    }
    svg(&out.join("quotients.svg"));
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn wrong_options_are_named() {
    for (option, name, value) in
        [("--a", "A", "x"), ("--b", "B", "NaN"), ("--c", "C", "inf"), ("--a", "A", "")]
    {
        assert_eq!(
            refusal(&run("computation_graph", &[option, value])),
            format!("error: invalid value '{value}' for '{option} <{name}>': expected a number")
        );
    }
    let out = folder("computation_graph-wrong");
    let o = out.join("new");
    let done = run("computation_graph", &["--a", "1e308", "--b", "1e308", "--out", o.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(text(&done.stderr), "error: J is inf: a, b and c are too large\n");
    assert!(!o.exists(), "nothing is written");

    let file = out.join("file");
    fs::write(&file, b"").unwrap();
    let done = run("computation_graph", &["--out", file.to_str().unwrap()]);
    assert_eq!(complaint(&file, &done), "expected a folder, found a file");
    fs::remove_dir_all(out).unwrap();
}
