//! Normalisations, attention and recurrent cells.

use gradus::ndarray::Array1;
use gradus::nn::{self, Attention};
use gradus::{Axes, Var};

use super::super::attributes::{self, Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "layer_norm" => {
            let (axes, eps) = (normalised(a)?, a.the_number("eps")?);
            let (x, affine) = affine(x)?;
            nn::layer_norm(x, axes, affine, eps)
        }
        "rms_norm" => {
            let (axes, eps) = (normalised(a)?, a.the_number("eps")?);
            match x.0 {
                &[x] => nn::rms_norm(x, axes, None, eps),
                _ => x.two(|x, weight| nn::rms_norm(x, axes, weight, eps))?,
            }
        }
        "batch_norm" => batch_norm(x, a)?,
        "group_norm" => {
            let (groups, eps) = (a.the_integer("groups")?, a.the_number("eps")?);
            let (x, affine) = affine(x)?;
            nn::group_norm(x, groups, affine, eps)
        }
        "attention" => attention(x, a)?,
        "lstm_cell" => {
            a.is("gate_order", "i f g o")?;
            let [x, h, c, wx, wh, b] = x.exactly()?;
            return Ok(Some(nn::lstm_cell(x, [h, c], wx, wh, b).to_vec()));
        }
        "rnn_tanh" => {
            let [x, h, wx, wh, b] = x.exactly()?;
            nn::rnn_tanh(x, h, wx, wh, b).pop().unwrap_or(h)
        }
        _ => return Ok(None),
    })
}

/// What is normalised, and the weight and the bias if there are.
fn affine<'g>(x: Operands<'_, 'g>) -> Result<(Var<'g>, Option<[Var<'g>; 2]>)> {
    match x.0 {
        &[x] => Ok((x, None)),
        _ => x.exactly().map(|[x, weight, bias]| (x, Some([weight, bias]))),
    }
}

/// In training by the batch's own mean and variance, else by given ones.
fn batch_norm<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let eps = a.the_number("eps")?;
    if !a.has("training") || a.flag("training")? {
        let (x, affine) = affine(x)?;
        return Ok(nn::batch_norm(x, affine, eps).output);
    }
    let given = |key: &str| a.numbers(key);
    match (x.0, given("mean")?, given("var")?) {
        (&[x, weight, bias, mean, variance], None, None) => {
            Ok(nn::batch_norm_inference(x, [mean, variance], [weight, bias], eps))
        }
        (&[x, weight, bias], Some(mean), Some(variance)) => {
            let fixed = [mean, variance].map(|list| x.graph().constant(Array1::from(list)));
            Ok(nn::batch_norm_inference(x, fixed, [weight, bias], eps))
        }
        _ => unsupported("the attribute `training` = false without a mean and a variance"),
    }
}

/// The axes of `axis`, or as many of the last ones as `normalized_shape` has sizes, or the last one.
fn normalised(a: &Attributes<'_>) -> Result<Axes> {
    if a.has("axis") {
        return a.axes("axis");
    }
    let count = a.integers("normalized_shape")?.map_or(1, |sizes| sizes.len() as i64);
    Ok(attributes::axes(&(-count..0).collect::<Vec<_>>()))
}

/// Attention; with `heads`, and operands (batch, places, width), in so many equal parts of the width.
fn attention<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let attention = if a.flag("causal")? { Attention::new().causal() } else { Attention::new() };
    let attention = match a.number("scale")? {
        Some(scale) => attention.scale(scale),
        None => attention,
    };
    let mask = if a.has("mask") { Some(a.the_mask("mask")?) } else { None };
    let heads = if a.has("heads") { Some(a.the_integer::<usize>("heads")?) } else { None };
    // Operands of four axes have their heads apart.
    let heads = heads.filter(|_| x.0.iter().all(|x| matches!(x.ndim(), 2 | 3)));
    x.three(|q, k, v| {
        let attention = match mask {
            Some(mask) => attention.mask(q.graph().constant(mask)),
            None => attention,
        };
        let Some(heads) = heads else { return attention.apply(q, k, v) };
        let apart = |x: Var<'g>| x.unflatten(-1, [heads as isize, -1]).swapaxes(-2, -3);
        attention.apply(apart(q), apart(k), apart(v)).swapaxes(-2, -3).flatten([-2, -1])
    })
}
