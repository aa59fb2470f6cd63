//! Helpers: what it prints and writes, beside what NumPy computes. `golden/numpy/make.py` has made what is expected.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{assert_complaint, assert_page, folder, run, svg, text};

fn numpy(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/numpy").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A line of comma-separated values, of which some are quoted.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

#[test]
fn the_page_is_the_expected_one() {
    let out = folder("helpers");
    let done = run("helpers", &["--out", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(text(&done.stderr), "", "panics that are caught are not told of");
    assert_page("helpers", &text(&done.stdout), &out, |_| false);

    let picture = svg(&out.join("shapes.svg"));
    assert_eq!(picture.matches("<rect x=").count(), 4 * 81);
    assert_eq!(picture.matches(">–<").count(), 157);
    values_are_those_of_numpy(&fs::read_to_string(out.join("values.csv")).unwrap());
    shapes_are_those_of_numpy(&fs::read_to_string(out.join("shapes.csv")).unwrap());
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3);
    fs::remove_dir_all(out).unwrap();
}

fn values_are_those_of_numpy(csv: &str) {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let [name, element, value] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let elements = values.entry(name).or_default();
        assert_eq!(element, elements.len().to_string());
        elements.push(value.parse().unwrap());
    }
    let expected = numpy("helpers.json");
    let expected = expected["values"].as_object().unwrap();
    assert!(values.keys().copied().eq(expected.keys().map(String::as_str)), "{:?}", values.keys());
    for (name, found) in values {
        let expected = expected[name]["data"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(expected) {
            let expected = expected.as_f64().unwrap();
            // 1 - s is rounded in NumPy, and computed without a difference here.
            assert!(
                (found - expected).abs() <= 4e-16 * expected.abs().max(1.0),
                "{name}: {found} is not {expected}"
            );
        }
    }
}

fn shapes_are_those_of_numpy(csv: &str) {
    let expected = numpy("shapes.json");
    let expected = expected["cases"].as_array().unwrap();
    assert_eq!(csv.lines().count(), expected.len() + 1);
    let tuple = |value: &Value| {
        let sizes: Vec<String> = value.as_array().unwrap().iter().map(Value::to_string).collect();
        if sizes.len() == 1 { format!("({},)", sizes[0]) } else { format!("({})", sizes.join(", ")) }
    };
    for (line, case) in csv.lines().skip(1).zip(expected) {
        let row = fields(line);
        let [op, left, right, gradus, numpy] = &row[..] else { panic!("{line}") };
        assert_eq!(
            [op, left, right],
            [case["op"].as_str().unwrap(), &tuple(&case["left"]), &tuple(&case["right"])]
        );
        match case["error"].as_str() {
            None => assert!(*gradus == tuple(&case["shape"]) && numpy == gradus, "{line}"),
            Some(error) => {
                // Of matrices and vectors `matmul` is `dot`, and is spoken of as such.
                let names = [op.as_str(), if op == "matmul" { "dot" } else { op }];
                assert!(names.iter().any(|name| gradus.starts_with(&format!("`{name}` "))), "{line}");
                assert_eq!(numpy, error);
            }
        }
    }
}

#[test]
fn wrong_options_are_named() {
    let here = folder("helpers-wrong");
    fs::write(here.join("file"), b"").unwrap();
    assert_complaint("helpers", &here, "--size 3", 2, "unexpected argument '--size' found");
    assert_complaint("helpers", &here, "--out file", 1, "file: expected a folder, found a file");
    fs::remove_dir_all(here).unwrap();
}
