//! Formulas in the words of a report: short, on one line.

use crate::error::Origin;
use crate::graph::{Expr, LeafKind, Signature};
use crate::ops::{Layout, Notation, Op};

/// A formula is printed whole up to this many characters,
const WHOLE: usize = 80;
/// and an operand of a longer one up to this many.
const OPERAND: usize = 32;
/// What stands for an operand that is longer.
const LONGER: &str = "…";

/// The name, or else the formula.
pub(super) fn name_or_formula(e: Expr<'_>) -> String {
    e.name().unwrap_or_else(|| formula(e))
}

/// The formula, in which long operands are left out if it is long.
pub(super) fn formula(e: Expr<'_>) -> String {
    let whole = e.to_string();
    if fits(&whole, WHOLE) {
        return whole;
    }
    let operands = e.inputs();
    let shown = operands.iter().map(|&operand| match name_or_whole(operand) {
        Some(_) => Some(operand),
        None => stand_in(operand),
    });
    let shown: Option<Vec<Expr<'_>>> = shown.collect();
    let abridged = shown.and_then(|shown| e.graph().apply(e.op()?, &shown).ok());
    match abridged.map(|e| e.to_string()).filter(|text| fits(text, WHOLE)) {
        Some(text) => text,
        None => e.op().map_or_else(String::new, |op| sign(&op)),
    }
}

fn name_or_whole(e: Expr<'_>) -> Option<String> {
    e.name().or_else(|| Some(e.to_string()).filter(|text| fits(text, OPERAND)))
}

fn fits(text: &str, length: usize) -> bool {
    text.chars().count() <= length && !text.contains('\n')
}

/// A leaf that prints as an operand which is left out.
fn stand_in(e: Expr<'_>) -> Option<Expr<'_>> {
    let signature = Signature { dtype: e.dtype(), shape: e.shape() };
    let leaf = e.graph().add_leaf(LeafKind::Constant, None, signature, None, e.origin()).ok()?;
    Some(leaf.named(LONGER))
}

/// How a user speaks of an operation: by its sign, or by the name of the method.
pub(super) fn sign(op: &Op) -> String {
    match op {
        Op::Layout(Layout::Transpose { axes }) if axes.count() == 2 => ".t()".to_owned(),
        _ => op.name().to_owned(),
    }
}

/// Whether it is written between its operands.
pub(super) fn is_infix(op: &Op) -> bool {
    op.record().is_some_and(|record| matches!(record.notation, Notation::Infix(_)))
}

/// Of the lines that wrote an expression the one next to the line `beside`.
pub(super) fn origin(e: Expr<'_>, beside: Origin) -> Origin {
    let origins = e.origins().into_iter();
    let here = origins.filter(|origin| origin.0.file() == beside.0.file());
    here.min_by_key(|origin| origin.0.line().abs_diff(beside.0.line())).unwrap_or(e.origin())
}
