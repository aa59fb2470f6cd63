//! How far values and derivatives are from the true ones, over the whole range of each scalar function: against
//! `tests/accuracy/table.csv`, which `table.py` beside it has made in many digits.
//!
//! A value may be off by `4e-16 (1 + c)` relative to it, with its condition number `c`, and in single precision by two units in
//! the last place; a derivative by `1e-14 (1 + c)`. Where a derivative is made of the stored result, as `1 - y²`, two units in
//! the last place of 1 are allowed as well.

use gradus::ops::{Level, Op, Unary};
use gradus::{Graph, Real, Var};
use ndarray::Array1;

const TABLE: &str = include_str!("../accuracy/table.csv");

/// A row of the table: one function at one place.
struct Row {
    x: f64,
    /// The value in two parts.
    value: [f64; 2],
    derivatives: [Option<f64>; 2],
    conditions: [f64; 3],
}

fn parse(cell: &str) -> Option<f64> {
    if cell.is_empty() { None } else { Some(cell.parse().unwrap()) }
}

/// The rows of each function with each of its attributes.
fn tables() -> Vec<(&'static str, f64, Vec<Row>)> {
    let mut tables: Vec<(&str, f64, Vec<Row>)> = Vec::new();
    for line in TABLE.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |k: usize| parse(cells[k]).unwrap();
        let (name, attribute) = (cells[0], number(1));
        if tables.last().is_none_or(|last| last.0 != name || last.1 != attribute) {
            tables.push((name, attribute, Vec::new()));
        }
        tables.last_mut().unwrap().2.push(Row {
            x: number(2),
            value: [number(3), number(4)],
            derivatives: [parse(cells[5]), parse(cells[6])],
            conditions: [7, 8, 9].map(number),
        });
    }
    tables
}

/// The function of a table.
fn apply<'g, T: Real>(name: &str, p: f64, x: Var<'g, T>) -> Var<'g, T> {
    let number = || x * 0.0 + p;
    match name {
        "exp" => x.exp(),
        "exp2" => x.exp2(),
        "exp_m1" => x.exp_m1(),
        "ln" => x.ln(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "ln_1p" => x.ln_1p(),
        "sqrt" => x.sqrt(),
        "rsqrt" => x.rsqrt(),
        "cbrt" => x.cbrt(),
        "square" => x.square(),
        "recip" => x.recip(),
        "powi" => x.powi(p as i32),
        "powf" => x.powf(p),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "asinh" => x.asinh(),
        "acosh" => x.acosh(),
        "atanh" => x.atanh(),
        "sigmoid" => x.sigmoid(),
        "softplus" => x.softplus(),
        "log_sigmoid" => x.log_sigmoid(),
        "softsign" => x.softsign(),
        "elu" => x.elu(p),
        "silu" => x.silu(),
        "mish" => x.mish(),
        "gelu" => x.gelu(),
        "gelu_tanh" => x.gelu_tanh(),
        "erf" => x.erf(),
        "erfc" => x.erfc(),
        "erf_inv" => x.erf_inv(),
        "ndtr" => x.ndtr(),
        "lgamma" => x.lgamma(),
        "digamma" => x.digamma(),
        "polygamma" => x.polygamma(p as u32),
        "pow_base" => x.pow(p),
        "pow_exponent" => number().stop_gradient().pow(x),
        "hypot" => x.hypot(p),
        "direction" => x.direction(p),
        "atan2_y" => x.atan2(p),
        "atan2_x" => number().stop_gradient().atan2(x),
        "xlogy_a" => x.xlogy(p),
        "xlogy_b" => number().stop_gradient().xlogy(x),
        _ => panic!("no function of the name {name}"),
    }
}

/// What the derivatives of a function may be off absolutely, because they are made of the stored result.
fn stored(name: &str, x: f64) -> f64 {
    let units = 2.0 * f64::EPSILON;
    match name {
        // The second one doubles the error of the first.
        "tanh" => 2.0 * units,
        "sigmoid" | "softplus" | "log_sigmoid" => units,
        // A product of x and such a result.
        "silu" | "mish" | "gelu_tanh" => units * (1.0 + x.abs()),
        _ => 0.0,
    }
}

/// Whether a number is as close as `relative` says; what is no normal number only has to be on the same side of them.
fn close(found: f64, [high, low]: [f64; 2], relative: f64, absolute: f64) -> bool {
    if high.is_infinite() {
        return found == high
            || (found.abs() >= f64::MAX * (1.0 - relative) && found.signum() == high.signum());
    }
    if high.abs() < f64::MIN_POSITIVE {
        return found.abs() <= f64::MIN_POSITIVE.max(absolute);
    }
    ((found - high) - low).abs() <= (relative * high.abs()).max(absolute)
}

#[test]
fn of_values_and_derivatives_in_double_precision() {
    let mut missed = Vec::new();
    for (name, p, rows) in tables() {
        let g = Graph::new();
        let x = g.input("x", &rows.iter().map(|row| row.x).collect::<Array1<f64>>());
        let y = apply(name, p, x);
        let first = y.sum().grad_or_zeros(x);
        let second = first.sum().grad_or_zeros(x);
        let [y, first, second] = [y, first, second].map(|e| e.value().unwrap());
        for (k, row) in rows.iter().enumerate() {
            let allowed = |order: usize, unit: f64| unit * (1.0 + row.conditions[order]);
            let at = format!("{name}({p}) at {:e}", row.x);
            if !close(y[k], row.value, allowed(0, 4e-16), 0.0) {
                missed.push(format!("{at}: {:e}, not {:e}, c = {}", y[k], row.value[0], row.conditions[0]));
            }
            for (order, found) in [(1, first[k]), (2, second[k])] {
                let Some(expected) = row.derivatives[order - 1] else { continue };
                if !close(found, [expected, 0.0], allowed(order, 1e-14), stored(name, row.x)) {
                    let c = row.conditions[order];
                    missed.push(format!("{at}, derivative {order}: {found:e}, not {expected:e}, c = {c}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} are off:\n{}", missed.len(), missed.join("\n"));
}

/// The kernel of a table, if it is that of one operation.
fn kernel(name: &str, p: f64) -> Option<Unary> {
    let wanted = |op: &Unary| Op::Unary(*op).record().is_some_and(|record| record.name == name);
    let attribute = |op: Unary| match op {
        Unary::Powi { .. } => Unary::Powi { n: p as i32 },
        Unary::Powf { .. } => Unary::Powf { p: p.into() },
        Unary::Elu { .. } => Unary::Elu { alpha: p.into() },
        Unary::Polygamma { .. } => Unary::Polygamma { n: p as u32 },
        op => op,
    };
    Unary::all(1, 1.0).into_iter().find(wanted).map(attribute)
}

#[test]
fn of_kernels_at_every_level() {
    let mut missed = Vec::new();
    for (name, p, rows) in tables() {
        let Some(op) = kernel(name, p) else { continue };
        let x: Vec<f64> = rows.iter().map(|row| row.x).collect();
        for level in Level::available() {
            let mut y = vec![0.0; x.len()];
            op.run(level, &x, &mut y);
            for (row, &found) in rows.iter().zip(&y) {
                if !close(found, row.value, 4e-16 * (1.0 + row.conditions[0]), 0.0) {
                    missed
                        .push(format!("{op:?} at {:e}, {level:?}: {found:e}, not {:e}", row.x, row.value[0]));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} are off:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn of_values_in_single_precision() {
    let mut missed = Vec::new();
    for (name, p, mut rows) in tables() {
        rows.retain(|row| f64::from(row.x as f32) == row.x && f64::from(p as f32) == p);
        let g = Graph::new();
        let x = g.input("x", &rows.iter().map(|row| row.x as f32).collect::<Array1<f32>>());
        let y = apply(name, p, x).value().unwrap();
        for (row, &found) in rows.iter().zip(&y) {
            let expected = row.value[0];
            let exponent = (expected.abs().max(f32::MIN_POSITIVE.into()).to_bits() >> 52) as i32 - 1023;
            let units = (f64::from(found) - expected).abs() / 2_f64.powi(exponent - 23);
            // A product with a subnormal number has its few digits.
            let product = matches!(name, "silu" | "mish" | "gelu" | "gelu_tanh");
            let tiny =
                product && expected.abs() < f32::MIN_POSITIVE.into() && found.abs() <= f32::MIN_POSITIVE;
            let overflow = found.is_infinite() && expected.abs() > f64::from(f32::MAX);
            let allowed = if name == "gelu_tanh" || name == "mish" { 200.0 } else { 2.0 };
            if !(units <= allowed || overflow || tiny) {
                missed.push(format!("{name}({p}) at {:e}: {found:e}, not {expected:e}, {units} ulp", row.x));
            }
        }
    }
    assert!(missed.is_empty(), "{} are off:\n{}", missed.len(), missed.join("\n"));
}
