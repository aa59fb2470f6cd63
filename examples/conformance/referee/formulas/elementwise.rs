//! Functions of numbers, at every element.

use gradus::Var;
use serde_json::Map;

use super::super::attributes::{Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "add" => x.two(|a, b| a + b)?,
        "sub" => x.two(|a, b| a - b)?,
        "mul" => x.two(|a, b| a * b)?,
        "div" => x.two(|a, b| a / b)?,
        "pow" => x.two(Var::pow)?,
        "atan2" => x.two(Var::atan2)?,
        "maximum" => x.two(Var::maximum)?,
        "minimum" => x.two(Var::minimum)?,
        "powi" => {
            let n = a.the_integer("exponent")?;
            x.one(|x| x.powi(n))?
        }
        "powf" => {
            let p = a.the_number("exponent")?;
            x.one(|x| x.powf(p))?
        }
        "neg" => x.one(|x| -x)?,
        "exp" => x.one(Var::exp)?,
        "exp2" => x.one(Var::exp2)?,
        "ln" => x.one(Var::ln)?,
        "log2" => x.one(Var::log2)?,
        "log10" => x.one(Var::log10)?,
        "log1p" => x.one(Var::ln_1p)?,
        "expm1" => x.one(Var::exp_m1)?,
        "sqrt" => x.one(Var::sqrt)?,
        "rsqrt" => x.one(Var::rsqrt)?,
        "cbrt" => x.one(Var::cbrt)?,
        "square" => x.one(Var::square)?,
        "recip" => x.one(Var::recip)?,
        "abs" => x.one(Var::abs)?,
        "sign" => x.one(Var::sign)?,
        "floor" => x.one(Var::floor)?,
        "sin" => x.one(Var::sin)?,
        "cos" => x.one(Var::cos)?,
        "tan" => x.one(Var::tan)?,
        "tanh" => x.one(Var::tanh)?,
        "sinh" => x.one(Var::sinh)?,
        "cosh" => x.one(Var::cosh)?,
        "asin" => x.one(Var::asin)?,
        "acos" => x.one(Var::acos)?,
        "atan" => x.one(Var::atan)?,
        "asinh" => x.one(Var::asinh)?,
        "acosh" => x.one(Var::acosh)?,
        "atanh" => x.one(Var::atanh)?,
        "sigmoid" => x.one(Var::sigmoid)?,
        "log_sigmoid" => x.one(Var::log_sigmoid)?,
        "softplus" => x.one(Var::softplus)?,
        "softsign" => x.one(Var::softsign)?,
        "relu" => x.one(Var::relu)?,
        "leaky_relu" => {
            let slope = a.the_number("slope")?;
            x.one(|x| x.leaky_relu(slope))?
        }
        "elu" => {
            let alpha = a.number("alpha")?.unwrap_or(1.0);
            x.one(|x| x.elu(alpha))?
        }
        "gelu_tanh" => x.one(Var::gelu_tanh)?,
        "gelu_erf" => x.one(Var::gelu)?,
        "silu" => x.one(Var::silu)?,
        "erf" => x.one(Var::erf)?,
        "erfc" => x.one(Var::erfc)?,
        "lgamma" => x.one(Var::lgamma)?,
        "digamma" => x.one(Var::digamma)?,
        "clip" => {
            let (low, high) = (a.number("lo")?, a.number("hi")?);
            x.one(|x| x.clip(low, high))?
        }
        "where" => {
            let mask = a.the_mask("cond")?;
            x.two(|yes, no| yes.graph().constant(&mask).select(yes, no))?
        }
        "dropout_mask" => {
            let (mask, keep) = (a.the_mask("mask")?, a.the_number("keep")?);
            x.one(|x| x * mask.mapv(|kept| f64::from(u8::from(kept))) / keep)?
        }
        "graph_J" => x.three(|a, b, c| 3.0 * (a + b * c))?,
        "deep_chain" => deep_chain(x, a)?,
        "fan_out" => {
            let last = a.expression().split_once("range(1, ").and_then(|(_, rest)| rest.split_once(')'));
            let powers = last.map_or(Ok(11), |(end, _)| end.trim().parse());
            let Ok(powers @ 2..) = powers else { return unsupported("another range than one from 1") };
            x.one(|x| (2..powers).fold(x, |sum, n| sum + x.powi(n)))?
        }
        _ => return Ok(None),
    })
}

/// `a` replaced so many times by the sum that its formula has in front of the comma: of functions of it, and of multiples.
fn deep_chain<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let (repeat, [x]) = (a.the_integer::<usize>("repeat")?, x.exactly()?);
    let link = a.expression().split_once("a, _: ").and_then(|(_, rest)| rest.split_once(", range"));
    let link = link.map_or("jnp.sin(a) + 0.1*a", |(link, _)| link);
    let mut y = x;
    for _ in 0..repeat {
        let terms = link.split(" + ").map(|term| chain_term(term, y)).collect::<Result<Vec<_>>>()?;
        y = terms.into_iter().reduce(|sum, term| sum + term).unwrap_or(y);
    }
    Ok(y)
}

/// `a`, `0.1*a` or `jnp.sin(a)`.
fn chain_term<'g>(term: &str, y: Var<'g>) -> Result<Var<'g>> {
    let term: String = term.split_whitespace().collect();
    if let Some(factor) = term.strip_suffix("*a").and_then(|factor| factor.parse::<f64>().ok()) {
        return Ok(factor * y);
    }
    let name = term.strip_suffix("(a)").map(|name| name.rsplit('.').next().unwrap_or(name));
    let none = Map::new();
    match name.map(|name| build(name, Operands(&[y]), &Attributes::new(&none, ""))) {
        None if term == "a" => Ok(y),
        Some(Ok(Some(values))) => Ok(values[0]),
        _ => unsupported(format!("a chain of {term}")),
    }
}
