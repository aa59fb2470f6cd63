//! Normalisations, attention and recurrent cells.

use gradus::Var;
use gradus::nn::{self, Attention};

use super::super::attributes::{Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "layer_norm" => {
            let (axes, eps) =
                (if a.has("axis") { a.axes("axis")? } else { (-1).into() }, a.the_number("eps")?);
            let (x, affine) = affine(x)?;
            nn::layer_norm(x, axes, affine, eps)
        }
        "rms_norm" => {
            let eps = a.the_number("eps")?;
            match x.0 {
                &[x] => nn::rms_norm(x, -1, None, eps),
                _ => x.two(|x, weight| nn::rms_norm(x, -1, weight, eps))?,
            }
        }
        "batch_norm" => batch_norm(x, a)?,
        "group_norm" => {
            let (groups, eps) = (a.the_integer("groups")?, a.the_number("eps")?);
            let (x, affine) = affine(x)?;
            nn::group_norm(x, groups, affine, eps)
        }
        "attention" => {
            let attention = if a.flag("causal")? { Attention::new().causal() } else { Attention::new() };
            let scale = a.number("scale")?;
            let mask = if a.has("mask") { Some(a.the_mask("mask")?) } else { None };
            x.three(|q, k, v| {
                let attention = scale.map_or(attention, |scale| attention.scale(scale));
                let attention = match mask {
                    Some(mask) => attention.mask(q.graph().constant(mask)),
                    None => attention,
                };
                attention.apply(q, k, v)
            })?
        }
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
    match x.exactly() {
        Ok([x, weight, bias, mean, variance]) => {
            Ok(nn::batch_norm_inference(x, [mean, variance], [weight, bias], eps))
        }
        Err(_) => unsupported("the attribute `training` = false without a mean and a variance"),
    }
}
