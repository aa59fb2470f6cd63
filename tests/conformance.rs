//! The project's own cases of every operation, judged by the referee that anyone can run, and the referee itself: that it
//! finds what is wrong.

#[path = "../examples/conformance/referee/mod.rs"]
mod referee;

#[path = "programs/program.rs"]
mod program;

#[path = "conformance/latex.rs"]
mod latex;
#[path = "conformance/notation.rs"]
mod notation;
#[path = "conformance/records.rs"]
mod records;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gradus::Graph;
use gradus::ndarray::{ArrayD, IxDyn, arr0, array};
use program::program;
use referee::attributes::Attributes;
use referee::formulas;
use referee::judge::difference;
use referee::{Case, Folder, Verdict, judge};
use serde_json::{Map, Value, json};

/// The own cases, which `conformance/make.py` has made.
fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

#[test]
fn every_case_is_met() {
    let cases = Folder::read(&own()).unwrap().cases;
    let (next, lines) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = judge(case);
                    if !matches!(verdict, Verdict::Passed { .. }) {
                        lines.lock().unwrap().push(verdict.line(&case.name, true));
                    }
                }
            });
        }
    });
    let lines = lines.into_inner().unwrap();
    assert!(lines.is_empty(), "{} of {} cases:\n{}", lines.len(), cases.len(), lines.join("\n"));
}

#[test]
fn every_operation_has_four_cases_and_all_attributes_are_used() {
    let cases = Folder::read(&own()).unwrap().cases;
    let mut count = HashMap::<&str, usize>::new();
    for case in &cases {
        *count.entry(&case.op).or_default() += 1;
    }
    let few: Vec<_> = count.iter().filter(|&(_, &n)| n < 4).collect();
    assert!(few.is_empty(), "{few:?}");
    assert_eq!(count.len(), 169);
    let bytes: u64 =
        ["index.json", "cases.bin"].iter().map(|file| own().join(file).metadata().unwrap().len()).sum();
    assert!(bytes < 2_000_000, "{bytes} bytes");
}

#[test]
fn the_table_of_operations_is_current() {
    let cases = Folder::read(&own()).unwrap().cases;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/operations.md");
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == referee::table::page(&cases),
        "stale: cargo run --example conformance -- tests/conformance --table > docs/src/operations.md"
    );
}

#[test]
fn the_diff_that_adds_an_operation_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/src/adding-an-operation.md")).unwrap();
    let diff = page.split("```diff\n").nth(1).and_then(|rest| rest.split("\n```\n").next()).unwrap();
    let file = diff.lines().find_map(|line| line.strip_prefix("+++ b/")).unwrap();
    let added: Vec<&str> = diff.lines().skip(3).filter_map(|line| line.strip_prefix('+')).collect();
    let source = std::fs::read_to_string(root.join(file)).unwrap();
    assert!(added.len() > 10 && added.len() < 25, "{} lines", added.len());
    assert!(source.contains(&added.join("\n")), "{file} has not these lines:\n{}", added.join("\n"));
}

/// `x²` at -1 and 3, as it should be.
fn square() -> Case {
    let [x, c, k] = [array![-1.0, 3.0], array![0.5, -2.0], array![2.0, 1.0]].map(|array| array.into_dyn());
    Case {
        name: "any name".to_owned(),
        op: "square".to_owned(),
        expression: "x0 * x0".to_owned(),
        attributes: Map::new(),
        outputs: vec![&x * &x],
        vjp: vec![2.0 * &c * &x],
        second_x: vec![2.0 * &c * &k],
        second_c: vec![2.0 * &x * &k],
        inputs: vec![x],
        cotangents: vec![c],
        directions: vec![k],
    }
}

fn with(change: impl FnOnce(&mut Case)) -> Verdict {
    let mut case = square();
    change(&mut case);
    judge(&case)
}

#[track_caller]
fn assert_fails(verdict: &Verdict, what: &str, error: f64) {
    match verdict {
        Verdict::Failed { what: found, error: found_error, .. } => {
            assert_eq!(found, what);
            let same = (found_error - error).abs() < 1e-3 * error.abs() || *found_error == error;
            assert!(same, "{found_error}, not {error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_right_passes() {
    assert_eq!(judge(&square()), Verdict::Passed { error: 0.0 });
}

#[test]
fn a_wrong_number_fails() {
    // Relative to 1 and the largest number expected: 9, 12, 4 and 6.
    assert_fails(&with(|case| case.outputs[0][0] += 2e-8), "outputs", 2e-8 / 10.0);
    assert_fails(&with(|case| case.vjp[0][1] *= 1.001), "vjp", 0.012 / 13.012);
    assert_fails(&with(|case| case.second_x[0][1] = 4.0), "second_x", 8.0 / 5.0);
    assert_fails(&with(|case| case.second_c[0][0] += 1e-7), "second_c", 1e-7 / 7.0);
    // What lies within the tolerance passes.
    let verdict = with(|case| case.outputs[0][0] += 5e-9);
    assert!(matches!(verdict, Verdict::Passed { error } if error > 4e-10), "{verdict:?}");
}

#[test]
fn the_first_thing_that_is_wrong_is_named() {
    let verdict = with(|case| {
        case.second_c[0][0] = 1e9;
        case.vjp[0][0] = 5.0;
    });
    assert_fails(&verdict, "vjp", 6.0 / 13.0);
    assert_eq!(verdict.line("square/1", false), "FAIL square/1 vjp 4.615e-1");
    assert!(verdict.line("square/1", true).contains("number 0: element 0 is -1e0, not 5e0"), "{verdict:?}");
}

#[test]
fn nan_and_infinities_are_met_by_themselves_alone() {
    let nan = f64::NAN;
    let inf = f64::INFINITY;
    for (found, expected, met) in [
        (nan, nan, true),
        (inf, inf, true),
        (-inf, -inf, true),
        (0.0, -0.0, true),
        (nan, 1.0, false),
        (1.0, nan, false),
        (inf, -inf, false),
        (inf, nan, false),
        (1e300, inf, false),
        (inf, 1e300, false),
    ] {
        let (error, _) = difference(&arr0(found).into_dyn(), &arr0(expected).into_dyn());
        assert_eq!(error == 0.0, met, "{found} for {expected}");
        assert!(met || error == inf);
    }
    // An infinity beside it makes no error smaller.
    let (error, _) = difference(&array![inf, 1.5].into_dyn(), &array![inf, 1.0].into_dyn());
    assert_eq!(error, 0.25);
    assert_fails(&with(|case| case.outputs[0][1] = nan), "outputs", inf);
    assert_fails(&with(|case| case.second_x[0][1] = inf), "second_x", inf);
}

#[test]
fn a_wrong_shape_fails() {
    let verdict = with(|case| {
        for list in [&mut case.outputs, &mut case.cotangents, &mut case.second_c] {
            list[0] = list[0].clone().insert_axis(gradus::ndarray::Axis(0));
        }
    });
    assert_fails(&verdict, "outputs", f64::INFINITY);
    let shape = |shape: &[usize]| ArrayD::<f64>::zeros(IxDyn(shape));
    assert_eq!(difference(&shape(&[2, 0]), &shape(&[0, 2])).0, f64::INFINITY);
    assert_eq!(difference(&shape(&[1]), &shape(&[])).0, f64::INFINITY);
    assert_eq!(difference(&shape(&[0]), &shape(&[0])).0, 0.0);
    // Another number of results.
    let verdict = with(|case| {
        for list in [&mut case.outputs, &mut case.cotangents, &mut case.second_c] {
            let again = list[0].clone();
            list.push(again);
        }
    });
    assert_fails(&verdict, "outputs", f64::INFINITY);
}

#[test]
fn a_formula_that_is_refused_fails() {
    let verdict = with(|case| {
        case.op = "add".to_owned();
        let other = array![1.0, 2.0, 3.0].into_dyn();
        for list in [&mut case.inputs, &mut case.directions, &mut case.vjp, &mut case.second_x] {
            list.push(other.clone());
        }
    });
    assert_fails(&verdict, "formula", f64::INFINITY);
    assert!(verdict.line("add/1", true).contains("`+` cannot broadcast (2,) and (3,)"), "{verdict:?}");
}

#[test]
fn what_is_not_known_is_unsupported() {
    let reason = |verdict: Verdict| verdict.line("case", false);
    assert_eq!(
        reason(with(|case| case.op = "squared".to_owned())),
        "UNSUPPORTED case there is no operation `squared`"
    );
    let attribute = |key: &str, value: Value| {
        with(|case| {
            case.attributes.insert(key.to_owned(), value);
        })
    };
    assert_eq!(
        reason(attribute("scale", json!(2))),
        "UNSUPPORTED case the attribute `scale` = 2 is not known here"
    );
    assert_eq!(attribute("note", json!("for readers")), Verdict::Passed { error: 0.0 });
    let verdict = with(|case| case.op = "powi".to_owned());
    assert_eq!(reason(verdict), "UNSUPPORTED case the attribute `exponent` is missing");
    let verdict = with(|case| {
        case.op = "powi".to_owned();
        case.attributes.insert("exponent".to_owned(), json!(2.5));
    });
    assert_eq!(reason(verdict), "UNSUPPORTED case the attribute `exponent` = 2.5 is not an integer");
    let verdict = with(|case| case.op = "add".to_owned());
    assert_eq!(reason(verdict), "UNSUPPORTED case 2 operands are known here, not 1");
}

#[test]
fn attributes_mean_what_they_mean_in_numpy() {
    let graph = Graph::new();
    let x = graph.input("x", array![[3.0, 1.0], [2.0, 4.0]]);
    let row = array![[3.0, 1.0, 2.0, 4.0]];
    for (op, attributes, expected) in [
        ("sort", json!({"axis": null}), array![[1.0, 2.0, 3.0, 4.0]]),
        ("sort", json!({}), array![[1.0, 3.0, 2.0, 4.0]]),
        ("topk", json!({"k": 1, "axis": 0, "largest": false}), array![[2.0, 1.0]]),
        ("concat", json!({"axis": null}), row.clone()),
        ("split", json!({"axis": 0, "at": 1}), row.clone()),
        ("split", json!({"axis": 1, "indices_or_sections": [0]}), row.clone()),
        ("slice", json!({"index": ["...", null, 1]}), array![[1.0, 4.0]]),
        ("slice", json!({"index": [-1, null, [null, null, -1]]}), array![[4.0, 2.0]]),
        ("pad", json!({"widths": [[0, 0]], "mode": "edge"}), row.clone()),
        ("pad", json!({"widths": 0, "constant_values": 7}), row.clone()),
        (
            "pad",
            json!({"widths": [0, 1], "mode": "wrap"}),
            array![[3.0, 1.0, 3.0, 2.0, 4.0, 2.0, 3.0, 1.0, 3.0]],
        ),
        ("take_along_axis", json!({"axis": null, "indices": [3, -4]}), array![[4.0, 3.0]]),
        ("gather_nd", json!({"indices": [[0, 1], [1, 0]]}), array![[1.0, 2.0]]),
        ("mask_select", json!({"mask": true}), row.clone()),
        ("segment_sum", json!({"segments": [5, 1], "num": 2}), array![[0.0, 0.0, 2.0, 4.0]]),
        ("norm", json!({"ord": "inf", "axis": [1]}), array![[3.0, 4.0]]),
        ("einsum", json!({"spec": "ij,kj->ik"}), array![[10.0, 10.0, 10.0, 20.0]]),
    ] {
        let attributes = attributes.as_object().unwrap();
        let read = Attributes::new(attributes, "");
        let results = formulas::build(op, &[x], &read).unwrap();
        read.all_read().unwrap();
        let found = results.iter().flat_map(|y| y.value().unwrap());
        assert_eq!(found.collect::<Vec<f64>>(), expected.into_raw_vec_and_offset().0, "{op} {attributes:?}");
    }
}

#[test]
fn the_name_of_a_case_means_nothing() {
    let mut case = square();
    case.name = "exp/5".to_owned();
    assert_eq!(judge(&case), Verdict::Passed { error: 0.0 });
}

/// A folder of one case, of which a part can be another.
fn index(change: impl FnOnce(&mut Value)) -> String {
    let place = |offset: usize| json!([{"key": "k", "shape": [2], "offset": offset}]);
    let case = json!({
        "name": "square/2", "op": "square", "attrs": {}, "inputs": place(0), "outputs": place(16),
        "cotangents": place(32), "vjp": place(48), "k": place(64), "second_x": place(80), "second_c": place(96),
    });
    let mut index = json!({"count": 1, "cases": [case]});
    change(&mut index);
    index.to_string()
}

fn bytes() -> Vec<u8> {
    let Case { inputs, outputs, cotangents, vjp, directions, second_x, second_c, .. } = square();
    let lists = [inputs, outputs, cotangents, vjp, directions, second_x, second_c];
    lists.iter().flat_map(|list| list[0].iter().flat_map(|x| x.to_le_bytes())).collect()
}

#[test]
fn folders_are_read_and_bad_ones_refused() {
    let cases = Folder::parse(&index(|_| ()), &bytes()).unwrap().cases;
    assert_eq!(judge(&cases[0]), Verdict::Passed { error: 0.0 });

    let refused = |change: fn(&mut Value)| Folder::parse(&index(change), &bytes()).err().unwrap().to_string();
    let cut = Folder::parse(&index(|_| ()), &bytes()[..100]).err().unwrap();
    assert_eq!(
        cut.to_string(),
        "case square/2: second_c: an array of shape [2] at byte 96 ends behind the 100 bytes of cases.bin"
    );
    assert_eq!(refused(|index| index["count"] = json!(2)), "index.json has 1 cases where `count` is 2");
    assert_eq!(refused(|index| index["cases"] = json!(3)), "index.json has no list `cases`");
    assert_eq!(refused(|index| index["cases"][0]["op"] = json!(3)), "case square/2: `op` is not a text");
    assert_eq!(refused(|index| index["cases"][0]["k"] = json!(null)), "case square/2: `k` is not a list");
    assert_eq!(
        refused(|index| index["cases"][0]["k"] = json!([])),
        "case square/2: `k` has the shapes [], and `inputs` [[2]]"
    );
    let huge = refused(|index| index["cases"][0]["vjp"][0]["shape"] = json!([1_u64 << 62, 8]));
    assert!(huge.contains("ends behind the 112 bytes"), "{huge}");
    let negative = refused(|index| index["cases"][0]["vjp"][0]["shape"] = json!([-1]));
    assert_eq!(negative, "case square/2: vjp: an array has no `shape` of whole numbers");
    let text = Folder::parse("{", &[]).err().unwrap().to_string();
    assert!(text.starts_with("index.json is not JSON: "), "{text}");
}

#[test]
fn numbers_that_json_does_not_have_are_read() {
    let text = index(|index| {
        index["cases"][0]["attrs"] = json!({"note": "NaN, \\\"Infinity\\\" ∞", "value": 0, "axis": [1]});
    });
    let text = text.replace("\"value\":0", "\"value\":-Infinity").replace("[1]", "[Infinity,NaN]");
    let case = &Folder::parse(&text, &bytes()).unwrap().cases[0];
    assert_eq!(case.attributes["note"], json!("NaN, \\\"Infinity\\\" ∞"));
    assert_eq!(case.attributes["value"], json!("-Infinity"));
    assert_eq!(case.attributes["axis"], json!(["Infinity", "NaN"]));
}

fn run(arguments: &[&str]) -> Output {
    program("conformance").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder of this test's own, with these contents.
fn folder(test: &str, index: &str, bin: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gradus-conformance-{}-{test}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("index.json"), index).unwrap();
    std::fs::write(path.join("cases.bin"), bin).unwrap();
    path
}

#[test]
fn the_program_says_what_it_found() {
    let good = folder("good", &index(|_| ()), &bytes());
    let good = good.to_str().unwrap();
    let output = run(&[good]);
    assert_eq!(
        (output.status.code(), &*text(&output.stdout)),
        (Some(0), "1 passed, 0 failed, 0 unsupported\n")
    );
    let output = run(&[good, "--verbose", "--op", "square"]);
    assert_eq!(text(&output.stdout), "PASS square/2 0.0e0\n1 passed, 0 failed, 0 unsupported\n");
    let output = run(&[good, "--op", "cube"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).ends_with("has no case of the operation `cube`\n"));

    let mut wrong = bytes();
    wrong[16..24].copy_from_slice(&2.0_f64.to_le_bytes());
    let wrong = folder("wrong", &index(|_| ()), &wrong);
    let output = run(&[wrong.to_str().unwrap()]);
    let expected = "FAIL square/2 outputs 1.000e-1\n0 passed, 1 failed, 0 unsupported\n";
    assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(1), expected));

    let unknown = folder("unknown", &index(|index| index["cases"][0]["op"] = json!("cube")), &bytes());
    let output = run(&[unknown.to_str().unwrap()]);
    let expected = "UNSUPPORTED square/2 there is no operation `cube`\n0 passed, 0 failed, 1 unsupported\n";
    assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(1), expected));

    let empty = folder("empty", r#"{"cases": []}"#, &[]);
    let output = run(&[empty.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).ends_with("has no cases\n"));
    let output = run(&["no/such/folder"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).starts_with("error: no/such/folder/index.json: "),
        "{}",
        text(&output.stderr)
    );
    assert!(text(&run(&["--help"]).stdout).contains("|a - b| / (1 + max|b|)"));
}
