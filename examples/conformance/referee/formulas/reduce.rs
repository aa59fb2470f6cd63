//! Reductions, and what runs along axes.

use gradus::{Axes, Var};
use serde_json::Value;

use super::super::attributes::{self, Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "sum" => fold(x, a, Var::sum_axis, Var::sum_keepdims)?,
        "mean" => fold(x, a, Var::mean_axis, Var::mean_keepdims)?,
        "prod" => fold(x, a, Var::prod_axis, Var::prod_keepdims)?,
        "max" => fold(x, a, Var::max_axis, Var::max_keepdims)?,
        "min" => fold(x, a, Var::min_axis, Var::min_keepdims)?,
        "var" => {
            let ddof = a.number("ddof")?.unwrap_or(0.0);
            fold(x, a, |x, axes| x.var_axis(axes, ddof), |x, axes| x.var_keepdims(axes, ddof))?
        }
        "std" => {
            let ddof = a.number("ddof")?.unwrap_or(0.0);
            fold(x, a, |x, axes| x.std_axis(axes, ddof), |x, axes| x.std_keepdims(axes, ddof))?
        }
        "logsumexp" => fold(x, a, Var::logsumexp_axis, Var::logsumexp_keepdims)?,
        "norm" => norm(x, a)?,
        "normalize_rows" => along(x, a, |x, axes| x.normalize(axes, 0.0))?,
        // All elements where the axis is null.
        "softmax" if a.is_null("axis") => x.one(|x| x.softmax(Axes::ALL))?,
        "log_softmax" if a.is_null("axis") => x.one(|x| x.log_softmax(Axes::ALL))?,
        "softmax" => along(x, a, Var::softmax)?,
        "log_softmax" => along(x, a, Var::log_softmax)?,
        "cumsum" => running(x, a, Var::cumsum, Var::cumsum_reverse)?,
        "cumprod" => running(x, a, Var::cumprod, Var::cumprod_reverse)?,
        "sort" => {
            let (descending, line) = (a.flag("descending")?, a.is_null("axis"));
            along(x, a, |x, axis| {
                let (x, axis) = if line { (x.ravel(), Axes::from(0)) } else { (x, axis) };
                if descending { x.sort_descending(axis) } else { x.sort(axis) }
            })?
        }
        "topk" => {
            let k = a.the_integer("k")?;
            let smallest = a.has("largest") && !a.flag("largest")?;
            let axis = a.axis("axis")?.unwrap_or(-1);
            x.one(|x| if smallest { -(-x).topk(axis, k).0 } else { x.topk(axis, k).0 })?
        }
        "global_avg_pool" => x.one(Var::global_avg_pool)?,
        _ => return Ok(None),
    })
}

/// A reduction over `axis`, with or without `keepdims`.
fn fold<'g>(
    x: Operands<'_, 'g>,
    a: &Attributes<'_>,
    gone: impl FnOnce(Var<'g>, Axes) -> Var<'g>,
    kept: impl FnOnce(Var<'g>, Axes) -> Var<'g>,
) -> Result<Var<'g>> {
    let (axes, keepdims) = (a.axes("axis")?, a.flag("keepdims")?);
    x.one(|x| if keepdims { kept(x, axes) } else { gone(x, axes) })
}

/// What keeps the shape, along `axis`, or along the last one; along all where it is null.
fn along<'g>(
    x: Operands<'_, 'g>,
    a: &Attributes<'_>,
    f: impl FnOnce(Var<'g>, Axes) -> Var<'g>,
) -> Result<Var<'g>> {
    let axes = if a.has("axis") || a.is_null("axis") { a.axes("axis")? } else { Axes::from(-1) };
    x.one(|x| f(x, axes))
}

/// A running total along `axis`, from its start or, with `reverse`, from its end; without an axis, of all elements.
fn running<'g>(
    x: Operands<'_, 'g>,
    a: &Attributes<'_>,
    forward: impl FnOnce(Var<'g>, i32) -> Var<'g>,
    backward: impl FnOnce(Var<'g>, i32) -> Var<'g>,
) -> Result<Var<'g>> {
    let (axis, reverse) = (a.axis("axis")?, a.flag("reverse")?);
    x.one(|x| {
        let (x, axis) = axis.map_or_else(|| (x.ravel(), 0), |axis| (x, axis));
        if reverse { backward(x, axis) } else { forward(x, axis) }
    })
}

/// The Euclidean norm, or that of the order `ord`: of vectors along one axis, of matrices along two.
fn norm<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let euclidean = |x| fold(x, a, Var::norm_axis, Var::norm_keepdims);
    let Some(order) = a.get("ord").filter(|order| order.as_str() != Some("fro")) else { return euclidean(x) };
    let [operand] = x.exactly()?;
    let given = a.integers("axis")?;
    let axes = given.clone().unwrap_or_else(|| (0..operand.ndim() as i64).collect());
    match (attributes::number(order), axes.len()) {
        // Matrices have two axes; of any other number all elements are one vector. Without axes the order alone does not
        // tell which of the two it means: NumPy's function means matrices.
        (Some(order), rank) if rank != 2 || given.is_none() && !a.expression().contains("linalg.norm") => {
            fold(
                x,
                a,
                |x, axes| x.vector_norm_axis(axes, order),
                |x, axes| x.vector_norm_keepdims(axes, order),
            )
        }
        (order_of_matrix, 2) => matrix_norm(operand, order, order_of_matrix, &axes, a.flag("keepdims")?),
        _ => unsupported(format!("a norm of order {order} over {given:?}")),
    }
}

fn matrix_norm<'g>(
    x: Var<'g>,
    name: &Value,
    order: Option<f64>,
    axes: &[i64],
    keepdims: bool,
) -> Result<Var<'g>> {
    let matrices = x.moveaxis(attributes::axes(axes), [-2, -1]);
    let norm = match order {
        None if name.as_str() == Some("nuc") => matrices.nuclear_norm(),
        Some(2.0) => matrices.spectral_norm(),
        // Singular values are in descending order.
        Some(-2.0) => matrices.svdvals().min_axis(-1),
        Some(order) => matrices.matrix_norm(order),
        None => return unsupported(format!("a norm of order {name}")),
    };
    // Axes in ascending order, as those that come in are counted in the result.
    let rank = x.ndim() as i64;
    let mut places: Vec<i64> = axes.iter().map(|&axis| if axis < 0 { axis + rank } else { axis }).collect();
    places.sort_unstable();
    Ok(if keepdims { norm.expand_dims(attributes::axes(&places)) } else { norm })
}
