//! Activations: what it prints and draws.

use std::fs;

use crate::support::{assert_page, complaint, folder, refusal, run, svg, text};

#[test]
fn the_page_is_the_expected_one() {
    let out = folder("activations");
    let done = run("activations", &["--out", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_page("activations", &text(&done.stdout), &out, |line| {
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
    let done = run("activations", &["--out", o, "--slope", "0.2", "--threshold", "0.25", "--seed", "2"]);
    let printed = text(&done.stdout);
    assert!(printed.contains("z for z > 0, else 0.2 z\n"), "{printed}");
    assert!(printed.contains("a     = z.leaky_relu(0.2)\n"), "{printed}");
    let row = |name: &str| {
        let line = printed.lines().find(|line| line.starts_with(name) && line.contains("z <")).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    // The largest derivative of a sigmoid is 1/4, at 0; that of tanh is 1/4 where tanh² is 3/4.
    let tanh = format!("{:.4}", 0.75_f64.sqrt().atanh());
    assert_eq!(row("tanh  "), ["tanh", &format!("z < -{tanh}"), &format!("z > {tanh}"), "1.0000"]);
    assert_eq!(row("softplus  ")[1], format!("z < {:.4}", -(3_f64.ln())));
    assert_eq!(row("leaky relu  ")[1..3], ["z < 0.0000", "never"]);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn wrong_options_are_named() {
    for (option, value, expected) in [
        ("--slope", "steep", "expected a number"),
        ("--slope", "NaN", "expected a number"),
        ("--threshold", "0", "a threshold is a number from 1e-12 to below 1"),
        ("--threshold", "1", "a threshold is a number from 1e-12 to below 1"),
        ("--threshold", "-0.5", "a threshold is a number from 1e-12 to below 1"),
        ("--seed", "x", "invalid digit found in string"),
    ] {
        let value_name = [("--slope", "S"), ("--threshold", "D"), ("--seed", "N")];
        let value_name = value_name.iter().find(|(name, _)| *name == option).unwrap().1;
        assert_eq!(
            refusal(&run("activations", &[option, value])),
            format!("error: invalid value '{value}' for '{option} <{value_name}>': {expected}")
        );
    }
    let out = folder("activations-file");
    let file = out.join("file");
    fs::write(&file, b"").unwrap();
    let done = run("activations", &["--out", file.to_str().unwrap()]);
    assert_eq!(complaint(&file, &done), "expected a folder, found a file");
    assert_eq!(text(&done.stdout), "");
    fs::remove_dir_all(out).unwrap();
}
