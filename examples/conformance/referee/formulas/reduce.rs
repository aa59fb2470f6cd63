//! Reductions, and what runs along axes.

use gradus::{Axes, Var};

use super::super::attributes::{Attributes, Result};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "sum" => fold(x, a, Var::sum_axis, Var::sum_keepdims)?,
        "mean" => fold(x, a, Var::mean_axis, Var::mean_keepdims)?,
        "max" => fold(x, a, Var::max_axis, Var::max_keepdims)?,
        "min" => fold(x, a, Var::min_axis, Var::min_keepdims)?,
        "logsumexp" => fold(x, a, Var::logsumexp_axis, Var::logsumexp_keepdims)?,
        "softmax" => along(x, a, -1, Var::softmax)?,
        "log_softmax" => along(x, a, -1, Var::log_softmax)?,
        "global_avg_pool" => x.one(|x| x.mean_axis(spatial(x)))?,
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

/// What keeps the shape, along `axis`.
fn along<'g>(
    x: Operands<'_, 'g>,
    a: &Attributes<'_>,
    default: i32,
    f: impl FnOnce(Var<'g>, Axes) -> Var<'g>,
) -> Result<Var<'g>> {
    let axes = if a.has("axis") { a.axes("axis")? } else { Axes::from(default) };
    x.one(|x| f(x, axes))
}

/// Every axis behind those of examples and channels.
fn spatial(x: Var<'_>) -> Axes {
    let axes: Vec<usize> = (2..x.ndim()).collect();
    Axes::from(&axes[..])
}
