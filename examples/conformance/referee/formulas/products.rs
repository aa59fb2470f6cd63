//! Products of vectors, matrices and tensors.

use gradus::{Var, einsum};
use serde_json::Value;

use super::super::attributes::{Attributes, Result, axes, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "matmul" => matmul(x, a)?,
        "linear_fn" => x.three(|x, w, b| x.matmul(w) + b)?,
        "dot" => x.two(Var::dot)?,
        "outer" => x.two(Var::outer)?,
        "inner" => x.two(Var::inner)?,
        "vdot" => x.two(Var::vdot)?,
        "kron" => x.two(Var::kron)?,
        "cross" => {
            let axis = a.axis("axis")?.unwrap_or(-1);
            x.two(|a, b| a.cross(b, axis))?
        }
        "tensordot" => tensordot(x, a)?,
        "einsum" => match a.text("spec")? {
            Some(spec) => einsum(spec, x.0),
            None => return unsupported("the attribute `spec` is missing"),
        },
        _ => return Ok(None),
    })
}

/// The product as the formula says which operands are transposed, which no attribute does; of one operand else the Gram matrix of
/// its rows.
fn matmul<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let factor = |text: &str| {
        let (name, transposed) =
            text.trim().strip_suffix(".T").map_or((text.trim(), false), |name| (name, true));
        let x = *x.0.get(name.strip_prefix('x')?.parse::<usize>().ok()?)?;
        Some(if transposed { x.t() } else { x })
    };
    let factors: Option<Vec<Var<'g>>> = a.expression().split('@').map(factor).collect();
    match factors.into_iter().flatten().reduce(|a, b| a.matmul(b)) {
        Some(product) => Ok(product),
        None if x.0.len() == 1 => x.one(|x| x.matmul(x.swapaxes(-1, -2))),
        None => x.two(Var::matmul),
    }
}

/// Over so many axes, or over those that are named for each operand.
fn tensordot<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let list = |value: &Value| match value {
        Value::Array(list) => list.iter().map(Value::as_i64).collect(),
        one => Some(vec![one.as_i64()?]),
    };
    match a.get("axes") {
        Some(Value::Array(pair)) => {
            match &pair.iter().map(list).collect::<Option<Vec<_>>>().unwrap_or_default()[..] {
                [first, second] => x.two(|a, b| a.tensordot_axes(b, axes(first), axes(second))),
                _ => unsupported("the attribute `axes` is not a pair of lists of axes"),
            }
        }
        Some(_) => {
            let count = a.the_integer("axes")?;
            x.two(|a, b| a.tensordot(b, count))
        }
        None => x.two(|a, b| a.tensordot(b, 2)),
    }
}
