//! Losses, and costs of whole models.

use gradus::Var;

use super::super::attributes::{Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "kl_div" => x.two(|x, y| (y.exp() * (y - x)).sum())?,
        "bce" => x.two(bce)?,
        "bce_with_logits" => {
            let [z, y] = x.exactly()?;
            reduced(z.softplus() - z * y, a)?
        }
        "mse" => x.two(|x, y| (x - y).square().mean())?,
        "l2_sum" => x.two(|x, y| (y - x).square().sum())?,
        "l1_sum" => x.two(|x, y| (y - x).abs().sum())?,
        "l1_mean" => x.two(|x, y| (x - y).abs().mean())?,
        "hinge" => x.two(|x, y| (1.0 - y * x).maximum(0.0).mean())?,
        "squared_hinge" => x.two(|x, y| (1.0 - y * x).maximum(0.0).square().mean())?,
        "logreg_cost" => {
            let [w, b, x, y] = x.exactly()?;
            bce((w.t().dot(x) + b).sigmoid(), y)
        }
        "l2_regularised_cost" => {
            let [w, x, y] = x.exactly()?;
            let examples = y.shape().size() as f64;
            bce(w.t().dot(x).sigmoid(), y) + a.the_number("lam")? / (2.0 * examples) * w.square().sum()
        }
        "tanh_net_cost" => {
            let [w1, b1, w2, b2, x, y] = x.exactly()?;
            bce((w2.dot((w1.dot(x) + b1).tanh()) + b2).sigmoid(), y)
        }
        "relu_net_cost" => {
            let [w1, b1, w2, b2, w3, b3, x, y] = x.exactly()?;
            let a2 = (w2.dot((w1.dot(x) + b1).relu()) + b2).relu();
            bce((w3.dot(a2) + b3).sigmoid(), y)
        }
        "newton_step_like" => x.one(|x| {
            let (here, next) = (x.slice(0, ..-1), x.slice(0, 1..));
            (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
        })?,
        _ => return Ok(None),
    })
}

/// The textbook's cross-entropy.
fn bce<'g>(a: Var<'g>, y: Var<'g>) -> Var<'g> {
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean()
}

/// The mean of losses, or what `reduction` says.
fn reduced<'g>(losses: Var<'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    Ok(match a.text("reduction")? {
        None | Some("mean") => losses.mean(),
        Some("sum") => losses.sum(),
        Some("none") => losses,
        Some(other) => {
            return unsupported(format!("the attribute `reduction` = \"{other}\" is not known here"));
        }
    })
}
