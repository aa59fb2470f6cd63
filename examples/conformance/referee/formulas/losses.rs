//! Losses, and costs of whole models.

use gradus::Var;
use gradus::ndarray::ArrayD;
use gradus::nn::{self, Reduction};

use super::super::attributes::{Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "cross_entropy" if x.0.len() == 2 => {
            let reduction = reduction(a, Reduction::Mean)?;
            x.two(|x, target| nn::soft_cross_entropy(x, target, -1, reduction))?
        }
        "cross_entropy" => {
            let (labels, reduction) = (a.the_indices("labels")?, reduction(a, Reduction::Mean)?);
            match a.number("label_smoothing")? {
                Some(smoothing) => {
                    x.one(|x| nn::cross_entropy_smoothed(x, labels, -1, smoothing, reduction))?
                }
                None => x.one(|x| nn::cross_entropy(x, labels, -1, reduction))?,
            }
        }
        "nll" => {
            let (labels, reduction) = (a.the_indices("labels")?, reduction(a, Reduction::Mean)?);
            x.one(|x| nn::nll(x, labels, -1, reduction))?
        }
        "kl_div" => {
            let reduction = reduction(a, Reduction::Sum)?;
            x.two(|x, y| nn::kl_div(x, y, reduction))?
        }
        "bce" => {
            let reduction = reduction(a, Reduction::Mean)?;
            x.two(|x, y| nn::bce(x, y, reduction))?
        }
        "bce_with_logits" => {
            let reduction = reduction(a, Reduction::Mean)?;
            x.two(|z, y| nn::bce_with_logits(z, y, reduction))?
        }
        // These broadcast, as nn's do not.
        "mse" => {
            let reduction = reduction(a, Reduction::Mean)?;
            x.two(|x, y| nn::mse(x - y, zeros(x - y), reduction))?
        }
        "l2_sum" => x.two(|x, y| (y - x).square().sum())?,
        "l1_sum" => x.two(|x, y| nn::l1(y - x, zeros(y - x), Reduction::Sum))?,
        "l1_mean" => x.two(|x, y| nn::l1(x - y, zeros(x - y), Reduction::Mean))?,
        "huber" => {
            let (delta, reduction) = (a.the_number("delta")?, reduction(a, Reduction::Mean)?);
            x.two(|x, y| nn::huber(x - y, zeros(x - y), delta, reduction))?
        }
        "hinge" => x.two(|x, y| nn::hinge(x, y, Reduction::Mean))?,
        "squared_hinge" => x.two(|x, y| nn::squared_hinge(x, y, Reduction::Mean))?,
        "cosine_similarity" => {
            let (axis, eps) = (a.axis("axis")?.unwrap_or(-1), a.number("eps")?.unwrap_or(0.0));
            x.two(|x, y| x.cosine_similarity(y, axis, eps))?
        }
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

/// What is done with the losses of all examples.
fn reduction(a: &Attributes<'_>, default: Reduction) -> Result<Reduction> {
    Ok(match a.text("reduction")? {
        None => default,
        Some("mean") => Reduction::Mean,
        Some("sum") => Reduction::Sum,
        Some("none") => Reduction::None,
        Some(other) => {
            return unsupported(format!("the attribute `reduction` = \"{other}\" is not known here"));
        }
    })
}

/// As many as `x` has elements, in its shape.
fn zeros(x: Var<'_>) -> ArrayD<f64> {
    ArrayD::zeros(&x.shape()[..])
}
