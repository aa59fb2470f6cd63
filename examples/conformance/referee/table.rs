//! The table of all operations, as a page of the book: from the records, and from what formulas are recorded as.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use gradus::ops::{Binary, Op, Record, Unary};
use gradus::{Graph, Var};

use super::Case;
use super::attributes::Attributes;
use super::formulas;

/// How the page begins.
const HEAD: &str = "\
# All operations

This page is generated from the records in `src/ops` and from the cases in `tests/conformance`, by

```text
cargo run --example conformance -- tests/conformance --table > docs/src/operations.md
```

and a test fails if it is not what that gives.
";

/// What there is of one family: its records by their names.
type Families = BTreeMap<String, BTreeMap<&'static str, Record>>;

/// The page.
pub fn page(cases: &[Case]) -> String {
    let mut families = Families::new();
    let mut composed = BTreeMap::new();
    for case in cases {
        let graph = Graph::new();
        let Some(outputs) = recorded(&graph, case) else { continue };
        let names = note(&graph, &mut families);
        if !names.contains(&*case.op) {
            // What is a record in one case may be none in another, as the product of two numbers.
            composed.entry(&*case.op).or_insert((&*case.expression, names));
        }
        // Derivatives are made of operations that nobody writes.
        let cost = outputs.into_iter().map(|y| y.sum()).reduce(|a, b| a + b);
        if let Some(cost) = cost {
            let x: Vec<Var<'_>> = leaves(&graph);
            let slopes = cost.grad_or_zeros(&x);
            let bend = slopes.iter().map(|g| g.square().sum()).reduce(|a, b| a + b);
            bend.map(|bend| bend.grad_or_zeros(&x));
            note(&graph, &mut families);
        }
    }
    note_elementwise(&mut families);
    note_others(&mut families);
    composed.retain(|op, _| families.values().all(|records| !records.contains_key(op)));
    print(&families, &composed)
}

/// The formula of a case; nothing if there is none.
fn recorded<'g>(graph: &'g Graph, case: &Case) -> Option<Vec<Var<'g>>> {
    let named = case.inputs.iter().enumerate();
    let x: Vec<Var<'g>> = named.map(|(i, array)| graph.input(&format!("x{i}"), array)).collect();
    formulas::build(&case.op, &x, &Attributes::new(&case.attributes, &case.expression)).ok()
}

fn leaves(graph: &Graph) -> Vec<Var<'_>> {
    let names = (0..).map_while(|i| graph.find(&format!("x{i}")));
    names.filter_map(|leaf| leaf.typed().ok()).collect()
}

/// Adds what stands on the tape; gives the names of it.
fn note(graph: &Graph, families: &mut Families) -> BTreeSet<&'static str> {
    let ops = graph.tape().into_iter().map(|(_, op, _)| op);
    ops.filter_map(|op| add(&op, families)).collect()
}

fn add(op: &Op, families: &mut Families) -> Option<&'static str> {
    let record = op.record()?;
    let debug = format!("{op:?}");
    let family = debug.split('(').next().unwrap_or_default().to_owned();
    families.entry(family).or_default().insert(record.name, record);
    Some(record.name)
}

fn note_elementwise(families: &mut Families) {
    for op in Unary::all(3, 0.5) {
        add(&Op::Unary(op), families);
    }
    for &op in Binary::ALL {
        add(&Op::Binary(op), families);
    }
}

/// What no case needs: masks, indices, and what has no derivative.
fn note_others(families: &mut Families) {
    let graph = Graph::new();
    let x = graph.input("x", gradus::ndarray::array![[1.0, 2.0]]);
    for mask in [x.lt(1.0), x.le(1.0), x.gt(1.0), x.ge(1.0), x.eq(1.0), x.ne(1.0)] {
        let _ = (mask & !mask, mask | !mask, mask.select(x, 0.0));
    }
    let _ = (x.argmax(), x.argsort(0), x.cast::<f32>(), x.checkpoint(), x.size_of(0), x.index_along(0));
    let rng = graph.rng("rng", 1);
    let _ = (
        rng.random::<f64>([2]),
        rng.standard_normal::<f64>([2]),
        rng.bernoulli(0.5, [2]),
        rng.integers(0, 3, [2]),
    );
    let _ = x.with_gradient(x, |g| 2.0 * g);
    note(&graph, families);
}

fn print(families: &Families, composed: &BTreeMap<&str, (&str, BTreeSet<&str>)>) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Primitives\n\nEach is a record, with a rule for its derivative: what the cotangent of the result is multiplied with.\n");
    for (family, records) in families {
        let _ = write!(page, "\n### {family}\n\n| operation | formula | derivative |\n|---|---|---|\n");
        for (name, record) in records {
            let formula = latex(record.latex);
            let derivative = record.derivative.replace('|', "\\|");
            let _ = writeln!(page, "| `{}` | {formula} | {derivative} |", name.replace('|', "\\|"));
        }
    }
    page.push_str("\n## Composed, or by another name\n\nThese are formulas of the primitives, and their derivatives follow. The formula is that of a case, in the notation of JAX.\n\n");
    page.push_str("| operation | for example | made of |\n|---|---|---|\n");
    for (op, (expression, names)) in composed {
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", name.replace('|', "\\|"))).collect();
        let expression = expression.replace('|', "\\|");
        let _ = writeln!(page, "| `{op}` | `{expression}` | {} |", names.join(", "));
    }
    page
}

/// A record's LaTeX as MathJax takes it out of a table of Markdown.
fn latex(template: &str) -> String {
    let mut text = template.to_owned();
    for (place, letter) in [("#1", "a"), ("#2", "b"), ("#3", "c"), ("#n", "n"), ("#*", r"a, b, \ldots")] {
        text = text.replace(place, letter);
    }
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '|' => escaped.push_str("\\vert "),
            '<' => escaped.push_str("\\lt "),
            '_' | '*' | '[' | ']' | '#' => escaped.extend(['\\', c]),
            // A backslash in front of a letter stays; in front of a sign Markdown would take it away.
            c if !c.is_alphanumeric() && escaped.ends_with('\\') => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    format!("\\\\({escaped}\\\\)")
}
