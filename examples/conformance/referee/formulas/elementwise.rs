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
        "ln" => x.one(Var::ln)?,
        "log1p" => x.one(Var::ln_1p)?,
        "expm1" => x.one(Var::exp_m1)?,
        "sqrt" => x.one(Var::sqrt)?,
        "square" => x.one(Var::square)?,
        "recip" => x.one(Var::recip)?,
        "abs" => x.one(Var::abs)?,
        "sign" => x.one(Var::sign)?,
        "sin" => x.one(Var::sin)?,
        "cos" => x.one(Var::cos)?,
        "tanh" => x.one(Var::tanh)?,
        "sigmoid" => x.one(Var::sigmoid)?,
        "softplus" => x.one(Var::softplus)?,
        "softsign" => x.one(|x| x / (1.0 + x.abs()))?,
        "relu" => x.one(Var::relu)?,
        "leaky_relu" => {
            let slope = a.the_number("slope")?;
            x.one(|x| x.leaky_relu(slope))?
        }
        "gelu_tanh" => x.one(Var::gelu_tanh)?,
        "gelu_erf" => x.one(Var::gelu)?,
        "silu" => x.one(|x| x * x.sigmoid())?,
        "erf" => x.one(Var::erf)?,
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
