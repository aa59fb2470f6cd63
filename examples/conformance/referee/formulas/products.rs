//! Products of vectors, matrices and tensors.

use gradus::Var;

use super::super::attributes::Attributes;
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, _a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        // Of one operand, the Gram matrix of its rows.
        "matmul" if x.0.len() == 1 => x.one(|x| x.matmul(x.t()))?,
        "matmul" => x.two(Var::matmul)?,
        "linear_fn" => x.three(|x, w, b| x.matmul(w) + b)?,
        _ => return Ok(None),
    })
}
