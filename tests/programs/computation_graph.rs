//! The computation graph: what it prints and draws.

use std::fs;

use crate::support::{assert_complaint, assert_page, folder, printed, svg};

/// Whether a line tells of a nudge so small that its quotient is wrong by rounding.
fn shows_rounding(line: &str) -> bool {
    let nudge = line.split_whitespace().next().and_then(|word| word.strip_prefix("1e-"));
    nudge.and_then(|exponent| exponent.parse().ok()).is_some_and(|exponent: u32| exponent >= 4)
}

#[test]
fn the_page_is_the_expected_one() {
    let out = folder("computation_graph");
    let page = printed("computation_graph", &["--out", out.to_str().unwrap()]);
    assert_page("computation_graph", &page, &out, shows_rounding);

    assert!(svg(&out.join("quotients.svg")).contains("\n(s(b+h) - s(b-h))/2h\n"));
    let graph = svg(&out.join("graph.svg"));
    let dot = fs::read_to_string(out.join("graph.dot")).unwrap();
    for text in ["u = b * c", "v = a + u", "J = 3 * v", "= 33", "∂J/∂c = 9"] {
        assert!(graph.contains(text) && dot.contains(text), "{text}");
    }
    assert!(dot.starts_with("digraph {\n") && dot.ends_with("}\n"), "{dot}");
    let latex = fs::read_to_string(out.join("graph.tex")).unwrap();
    assert!(
        latex.starts_with("\\begin{align*}\n  u &= b \\, c \\\\\n  v &= a + u \\\\\n  J &= 3 \\, v \\\\\n"),
        "{latex}"
    );
    assert!(latex.ends_with("  \\frac{\\partial J}{\\partial c} &= 3 \\, b\n\\end{align*}\n"), "{latex}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn other_numbers_have_other_derivatives() {
    let out = folder("computation_graph-numbers");
    let o = out.to_str().unwrap();
    let page = printed("computation_graph", &["--out", o, "--a", "-1.5", "--b", "2e20", "--c", "0"]);
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
        assert!(page.lines().any(|found| words(found).starts_with(&words(line))), "{line}: {page}");
    }
    svg(&out.join("quotients.svg"));
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn wrong_options_are_named() {
    let here = folder("computation_graph-wrong");
    fs::write(here.join("file"), b"").unwrap();
    for (arguments, status, expected) in [
        ("--a x", 2, "invalid value 'x' for '--a <A>': expected a number"),
        ("--b NaN", 2, "invalid value 'NaN' for '--b <B>': expected a number"),
        ("--c inf", 2, "invalid value 'inf' for '--c <C>': expected a number"),
        ("--a=", 2, "invalid value '' for '--a <A>': expected a number"),
        ("--d 1", 2, "unexpected argument '--d' found"),
        ("--out new --a 1e308 --b 1e308", 1, "J is inf: a, b and c are too large"),
        ("--out file", 1, "file: expected a folder, found a file"),
    ] {
        assert_complaint("computation_graph", &here, arguments, status, expected);
    }
    assert!(!here.join("new").exists(), "nothing is written");
    fs::remove_dir_all(here).unwrap();
}
