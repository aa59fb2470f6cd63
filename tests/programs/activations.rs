//! Activations: what it prints and draws.

use std::fs;

use crate::support::{assert_complaint, assert_page, folder, printed, svg};

#[test]
fn the_page_is_the_expected_one() {
    let out = folder("activations");
    let page = printed("activations", &["--out", out.to_str().unwrap()]);
    assert_page("activations", &page, &out, |line| {
        line.starts_with("two layers   ") && line.ends_with("e-15")
    });

    let panels = svg(&out.join("activations.svg"));
    for name in ["sigmoid", "tanh", "relu", "leaky relu", "elu", "softplus", "silu", "gelu"] {
        assert!(panels.contains(&format!("\n{name}: ")), "{name}");
    }
    assert!(svg(&out.join("chains.svg")).contains("\nsigmoid\n"));
    assert!(svg(&out.join("layers.svg")).contains("\nnothing between the layers\n"));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn options_change_the_page() {
    let out = folder("activations-options");
    let o = out.to_str().unwrap();
    let page = printed("activations", &["--out", o, "--slope", "0.2", "--threshold", "0.25", "--seed", "2"]);
    assert!(page.contains("z for z > 0, else 0.2 z\n"), "{page}");
    assert!(page.contains("a     = z.leaky_relu(0.2)\n"), "{page}");
    let row = |name: &str| {
        let line = page.lines().find(|line| line.starts_with(name) && line.contains("z <")).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    // The largest derivative of a sigmoid is 1/4, at 0; that of tanh is 1/4 where tanh² is 3/4.
    let tanh = format!("{:.4}", 0.75_f64.sqrt().atanh());
    assert_eq!(row("sigmoid  "), ["sigmoid", "z < 0.0000", "z > 0.0000", "0.2500"]);
    assert_eq!(row("tanh  "), ["tanh", &format!("z < -{tanh}"), &format!("z > {tanh}"), "1.0000"]);
    assert_eq!(row("softplus  ")[1], format!("z < {:.4}", -(3_f64.ln())));
    assert_eq!(row("leaky relu  ")[1..3], ["z < 0.0000", "never"]);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn wrong_options_are_named() {
    let here = folder("activations-wrong");
    fs::write(here.join("file"), b"").unwrap();
    let threshold = |value: &str| {
        let what = "a threshold is a number from 1e-12 to below 1";
        format!("invalid value '{value}' for '--threshold <D>': {what}")
    };
    for (arguments, status, expected) in [
        ("--slope steep", 2, "invalid value 'steep' for '--slope <S>': expected a number"),
        ("--slope NaN", 2, "invalid value 'NaN' for '--slope <S>': expected a number"),
        ("--threshold 0", 2, &threshold("0")),
        ("--threshold 1", 2, &threshold("1")),
        ("--threshold -0.5", 2, &threshold("-0.5")),
        ("--seed x", 2, "invalid value 'x' for '--seed <N>': invalid digit found in string"),
        ("--out file", 1, "file: expected a folder, found a file"),
    ] {
        assert_complaint("activations", &here, arguments, status, expected);
    }
    fs::remove_dir_all(here).unwrap();
}
