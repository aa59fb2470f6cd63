//! x
use crate::element::Real;
use crate::graph::Var;
/// x
pub fn einsum<'g, T: Real>(_spec: &str, operands: &[Var<'g, T>]) -> Var<'g, T> {
    operands[0]
}
