//! Every operation that is recorded for a case or its derivatives, in f32 against f64.

use std::collections::HashMap;

use gradus::ndarray::ArrayD;
use gradus::ops::{Logic, Op};
use gradus::{DType, Expr, Graph, Var};

use crate::referee::attributes::Attributes;
use crate::referee::judge::difference;
use crate::referee::{Case, Folder, formulas};

/// How often an operation of one name is tried.
const TIMES: usize = 8;

/// An operand: what stands there, with floats rounded to f32.
enum Operand {
    Float(ArrayD<f32>),
    Integer(ArrayD<i64>),
    Mask(ArrayD<bool>),
}

impl Operand {
    fn of(x: Expr<'_>) -> Self {
        match x.dtype() {
            DType::F64 => Self::Float(x.typed::<f64>().unwrap().value().unwrap().mapv(|x| x as f32)),
            DType::F32 => Self::Float(x.typed::<f32>().unwrap().value().unwrap()),
            DType::I64 => Self::Integer(x.typed::<i64>().unwrap().value().unwrap()),
            DType::Bool => Self::Mask(x.typed::<bool>().unwrap().value().unwrap()),
        }
    }

    /// As a leaf of f32 or of f64.
    fn leaf<'g>(&self, graph: &'g Graph, name: &str, wide: bool) -> Expr<'g> {
        match self {
            Self::Float(x) if wide => graph.input(name, x.mapv(f64::from)).erase(),
            Self::Float(x) => graph.input(name, x).erase(),
            Self::Integer(x) => graph.input(name, x).erase(),
            Self::Mask(x) => graph.input(name, x).erase(),
        }
    }
}

/// The result in f64; of masks and integers there is nothing to compare but the numbers themselves.
fn result(op: &Op, operands: &[Operand], wide: bool) -> Option<ArrayD<f64>> {
    let graph = Graph::new();
    let leaves: Vec<Expr<'_>> =
        operands.iter().enumerate().map(|(i, x)| x.leaf(&graph, &format!("x{i}"), wide)).collect();
    let op = match op {
        Op::Logic(Logic::Cast(DType::F64)) if !wide => Op::Logic(Logic::Cast(DType::F32)),
        op => op.clone(),
    };
    let y = graph.apply(op, &leaves).unwrap();
    Some(match y.dtype() {
        DType::F64 => y.typed::<f64>().unwrap().value().unwrap(),
        DType::F32 => y.typed::<f32>().unwrap().value().unwrap().mapv(f64::from),
        DType::I64 => y.typed::<i64>().unwrap().value().unwrap().mapv(|x| x as f64),
        _ => return None,
    })
}

/// How far f32 may be off, relative to 1 and the largest number: what a few roundings make, and for factorisations what they
/// are multiplied with there.
fn tolerance(op: &Op) -> f64 {
    if format!("{op:?}").starts_with("Linalg") { 2e-3 } else { 4e-6 }
}

/// Records the case with its first and second derivatives.
fn record(graph: &Graph, case: &Case) {
    let named = case.inputs.iter().enumerate();
    let x: Vec<Var<'_>> = named.map(|(i, array)| graph.input(&format!("x{i}"), array)).collect();
    let y = formulas::build(&case.op, &x, &Attributes::new(&case.attributes, &case.expression))
        .expect("the formula is known");
    let weighted = y.into_iter().zip(&case.cotangents).map(|(y, c)| (y * c).sum());
    let cost = weighted.reduce(|a, b| a + b).expect("a case has an output");
    let slopes = cost.grad_or_zeros(&x).into_iter().zip(&case.directions).map(|(g, k)| (g * k).sum());
    slopes.reduce(|a, b| a + b).expect("a case has an input").grad_or_zeros(&x);
}

#[test]
fn every_record_is_the_same_in_f32_and_f64() {
    let cases = Folder::read(&super::own()).unwrap().cases;
    let mut tried = HashMap::<&'static str, usize>::new();
    let (mut wrong, mut largest) = (Vec::new(), 0.0_f64);
    for case in cases.iter().filter(|case| !case.inputs.iter().any(|x| x.iter().any(|x| x.abs() > 1e6))) {
        let graph = Graph::new();
        record(&graph, case);
        for (_, op, inputs) in graph.tape() {
            let Some(record) = op.record() else { continue };
            let times = tried.entry(record.name).or_default();
            if *times == TIMES {
                continue;
            }
            *times += 1;
            let operands: Vec<Operand> = inputs.iter().map(|&x| Operand::of(x)).collect();
            let (Some(narrow), Some(wide)) = (result(&op, &operands, false), result(&op, &operands, true))
            else {
                continue;
            };
            // What f32 cannot hold is infinite there.
            let wide =
                wide.mapv(|x| if x.abs() > f64::from(f32::MAX) { x.signum() * f64::INFINITY } else { x });
            let (error, why) = difference(&narrow, &wide);
            largest = largest.max(error);
            if error > tolerance(&op) {
                wrong.push(format!("{op:?} of {}: {error:.1e}, {why}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are off:\n{}", wrong.len(), wrong.join("\n"));
    // There is rounding, or nothing was computed in f32.
    assert!(largest > 1e-7, "{largest}");
    assert!(tried.len() > 100, "{} records: {tried:?}", tried.len());
}

/// What a formula records stands in the reader's file, however many operations it is made of.
#[test]
fn no_node_comes_from_a_line_of_the_library() {
    let library = |origin: &gradus::Origin| origin.to_string().starts_with("src");
    let mut wrong = std::collections::BTreeSet::new();
    for case in Folder::read(&super::own()).unwrap().cases {
        let graph = Graph::new();
        let inputs = case.inputs.iter().enumerate();
        let x: Vec<Var<'_>> = inputs.map(|(i, x)| graph.input(&format!("x{i}"), x.clone())).collect();
        let attributes = Attributes::new(&case.attributes, &case.expression);
        let y = formulas::build(&case.op, &x, &attributes).unwrap();
        let cost = y.iter().map(|y| y.sum()).reduce(|a, b| a + b).unwrap();
        let first = cost.grad_or_zeros(&x).iter().map(|d| d.sum()).reduce(|a, b| a + b).unwrap();
        let _ = first.grad_or_zeros(&x);
        for (e, ..) in graph.tape() {
            let lines = e.origins().into_iter().filter(library);
            wrong.extend(lines.map(|line| format!("{}: {line}", case.op)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
