//! Functions of numbers, at every element.

use gradus::Var;

use super::super::attributes::Attributes;
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
        "deep_chain" => {
            let repeat = a.the_integer::<usize>("repeat")?;
            x.one(|x| (0..repeat).fold(x, |y, _| y.sin() + 0.1 * y))?
        }
        "fan_out" => x.one(|x| (2..=10).fold(x, |sum, n| sum + x.powi(n)))?,
        _ => return Ok(None),
    })
}
