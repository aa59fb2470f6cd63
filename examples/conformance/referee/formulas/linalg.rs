//! Linear algebra.

use gradus::Var;
use gradus::ops::Triangular;
use serde_json::Value;

use super::super::attributes::{Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "cholesky" => {
            let upper = a.has("lower") && !a.flag("lower")?;
            x.one(|x| if upper { x.cholesky().swapaxes(-1, -2) } else { x.cholesky() })?
        }
        "solve" => x.two(Var::solve)?,
        "triangular_solve" => {
            let triangle = triangle(a)?;
            x.two(|a, b| a.triangular_solve(b, triangle))?
        }
        "cho_solve" => {
            // Which triangle of the symmetric matrix is made is nothing that the solution depends on.
            a.flag("lower")?;
            x.two(|a, b| a.cholesky().cho_solve(b))?
        }
        "inv" => x.one(Var::inv)?,
        "det" => x.one(Var::det)?,
        "slogdet" => x.one(|x| x.slogdet().1)?,
        "logdet_spd" => x.one(Var::logdet_spd)?,
        "eigvalsh" => x.one(Var::eigvalsh)?,
        "svdvals" => x.one(Var::svdvals)?,
        "nuclear_norm" => x.one(Var::nuclear_norm)?,
        "matrix_power" => {
            let n = a.the_integer("n")?;
            x.one(|x| x.matrix_power(n))?
        }
        "expm" => x.one(Var::expm)?,
        "pinv" => x.one(Var::pinv)?,
        "lstsq" => x.two(Var::lstsq)?,
        "eigh" => {
            a.is("sign_rule", "largest absolute entry of every eigenvector positive")?;
            let [x] = x.exactly()?;
            let (values, vectors) = x.eigh();
            return Ok(Some(vec![values, vectors]));
        }
        "svd" => {
            a.is("sign_rule", "largest absolute entry of every column of U positive")?;
            if a.flag("full_matrices")? {
                return unsupported(
                    "the attribute `full_matrices` = true: what is beyond the rank is not determined",
                );
            }
            let [x] = x.exactly()?;
            let (u, s, v) = x.svd();
            return Ok(Some(vec![u, s, v]));
        }
        "qr" => {
            a.is("sign_rule", "diagonal of R positive")?;
            a.is("mode", "reduced")?;
            let [x] = x.exactly()?;
            let (q, r) = x.qr();
            return Ok(Some(vec![q, r]));
        }
        _ => return Ok(None),
    })
}

fn triangle(a: &Attributes<'_>) -> Result<Triangular> {
    let triangle = if a.flag("lower")? { Triangular::lower() } else { Triangular::upper() };
    let triangle = if a.flag("unit_diagonal")? { triangle.unit_diagonal() } else { triangle };
    let transposed = match a.get("trans") {
        None => false,
        Some(Value::Bool(transposed)) => *transposed,
        Some(Value::String(text)) if text == "N" => false,
        Some(Value::String(text)) if text == "T" || text == "C" => true,
        Some(_) => match a.integer("trans")? {
            Some(0) => false,
            Some(1 | 2) => true,
            _ => return unsupported("the attribute `trans` is not 0, 1 or 2"),
        },
    };
    Ok(if transposed { triangle.transposed() } else { triangle })
}
