//! The LaTeX of every operation that there is a case of, and of every one that derivatives are made of.

use std::collections::HashMap;

use gradus::ops::{Binary, Op, Unary};
use gradus::{Expr, Graph, Var};

use crate::referee::attributes::Attributes;
use crate::referee::{Folder, formulas};

/// How many formulas of one operation are looked at.
const OFTEN: usize = 3;

#[path = "../view/balance.rs"]
mod balance;

/// Refuses what LaTeX would: braces without their ends, and places that no operand has taken.
fn check(node: Expr<'_>, op: &Op) {
    let latex = node.to_latex();
    assert!(balance::is_balanced(&latex), "`{op}`: {latex}");
    assert!(!latex.is_empty() && !latex.contains(['#', '\u{0}']), "`{op}`: {latex}");
    assert!(!latex.contains("_{}") && !latex.contains("_{[]}") && !latex.contains("^{}"), "`{op}`: {latex}");
}

#[test]
fn every_operation_is_typeset() {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for case in &Folder::read(&super::own()).unwrap().cases {
        let graph = Graph::new();
        let named = case.inputs.iter().enumerate();
        let x: Vec<Var<'_>> = named.map(|(i, array)| graph.input(&format!("x{i}"), array)).collect();
        let attributes = Attributes::new(&case.attributes, &case.expression);
        let Ok(outputs) = formulas::build(&case.op, &x, &attributes) else { continue };
        if let Some(cost) = outputs.into_iter().map(|y| y.sum()).reduce(|a, b| a + b) {
            cost.grad_or_zeros(&x);
        }
        for (node, op, _) in graph.tape() {
            let count = seen.entry(op.name().to_owned()).or_default();
            *count += 1;
            if *count <= OFTEN {
                check(node, &op);
            }
        }
    }
    assert!(seen.len() > 80, "{} operations", seen.len());
}

#[test]
fn every_elementwise_operation_is_typeset() {
    let graph = Graph::new();
    let [a, b] = ["a", "b"].map(|name| graph.input(name, 0.5).erase());
    let unaries = Unary::all(3, 0.5).into_iter().chain(Unary::all(-2, -1e-8)).map(Op::Unary);
    for (op, operands) in
        unaries.map(|op| (op, vec![a])).chain(Binary::ALL.iter().map(|&op| (Op::Binary(op), vec![a, b])))
    {
        let node = graph.apply(op.clone(), &operands).unwrap();
        check(node, &op);
        let square = graph.apply(Op::Binary(Binary::Mul), &[node, node]).unwrap();
        check(square, &op);
    }
}
