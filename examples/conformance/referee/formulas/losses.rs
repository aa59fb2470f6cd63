//! Losses, and costs of whole models.

use gradus::Var;
use gradus::nn::{self, Reduction};
use serde_json::Value;

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
        "kl_div" => kl_div(x, a)?,
        "bce" => paired(x, a, Reduction::Mean, nn::bce)?,
        "bce_with_logits" => paired(x, a, Reduction::Mean, nn::bce_with_logits)?,
        "mse" => paired(x, a, Reduction::Mean, nn::mse)?,
        "l2_sum" => paired(x, a, Reduction::Sum, nn::mse)?,
        "l1_sum" => paired(x, a, Reduction::Sum, nn::l1)?,
        "l1_mean" => paired(x, a, Reduction::Mean, nn::l1)?,
        "huber" => {
            let delta = a.the_number("delta")?;
            paired(x, a, Reduction::Mean, |x, y, reduction| nn::huber(x, y, delta, reduction))?
        }
        "hinge" => paired(x, a, Reduction::Mean, nn::hinge)?,
        "squared_hinge" => paired(x, a, Reduction::Mean, nn::squared_hinge)?,
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
        "tanh_net_cost" => network_cost(x, Var::tanh)?,
        "relu_net_cost" => network_cost(x, Var::relu)?,
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

/// A loss of two operands of one shape, to which those of a case are broadcast.
fn paired<'g>(
    x: Operands<'_, 'g>,
    a: &Attributes<'_>,
    default: Reduction,
    loss: impl FnOnce(Var<'g>, Var<'g>, Reduction) -> Var<'g>,
) -> Result<Var<'g>> {
    let reduction = reduction(a, default)?;
    x.two(|x, y| {
        let shape = (x - y).shape();
        let alike = |x: Var<'g>| if x.shape() == shape { x } else { x.broadcast_to(&shape[..]) };
        loss(alike(x), alike(y), reduction)
    })
}

/// PyTorch's `batchmean` is the sum divided by the number of examples.
fn kl_div<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    if a.get("reduction").and_then(Value::as_str) == Some("batchmean") {
        return x.two(|x, y| nn::kl_div(x, y, Reduction::Sum) / x.size_of(0));
    }
    paired(x, a, Reduction::Sum, nn::kl_div)
}

/// The cost of a network of any depth: a weight and a bias for each layer, then the examples in columns and their labels.
fn network_cost<'g>(x: Operands<'_, 'g>, activation: impl Fn(Var<'g>) -> Var<'g>) -> Result<Var<'g>> {
    let [layers @ .., examples, labels] = x.0 else { return unsupported("a network without examples") };
    let [first, others @ ..] = layers.as_chunks::<2>().0 else {
        return unsupported("a network without layers");
    };
    if layers.len() % 2 != 0 {
        return unsupported("a layer without a bias");
    }
    let layer = |[w, b]: [Var<'g>; 2], x| w.dot(x) + b;
    let logits = others.iter().fold(layer(*first, *examples), |z, &next| layer(next, activation(z)));
    Ok(bce(logits.sigmoid(), *labels))
}
