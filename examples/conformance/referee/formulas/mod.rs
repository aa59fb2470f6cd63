//! What each operation is in gradus: its name on the left, its formula on the right, in one file for each family.

mod arrange;
mod elementwise;
mod index;
mod linalg;
mod losses;
mod networks;
mod products;
mod reduce;
mod windows;

use gradus::Var;

use super::attributes::{Attributes, Result, unsupported};

/// What a family says: the results, or nothing if the operation is not of this family.
type Built<'g> = Result<Option<Vec<Var<'g>>>>;

/// The operands of a case.
#[derive(Clone, Copy)]
pub struct Operands<'a, 'g>(&'a [Var<'g>]);

/// A family of operations.
type Family = for<'g> fn(&str, Operands<'_, 'g>, &Attributes<'_>) -> Built<'g>;

const FAMILIES: [Family; 9] = [
    elementwise::build,
    reduce::build,
    products::build,
    arrange::build,
    index::build,
    windows::build,
    linalg::build,
    losses::build,
    networks::build,
];

/// The results of operation `op` on `x`.
///
/// # Errors
/// If there is no such operation, or an attribute means something that is not known here.
pub fn build<'g>(op: &str, x: &[Var<'g>], attributes: &Attributes<'_>) -> Result<Vec<Var<'g>>> {
    for family in FAMILIES {
        if let Some(results) = family(op, Operands(x), attributes)? {
            return Ok(results);
        }
    }
    unsupported(format!("there is no operation `{op}`"))
}

impl<'g> Operands<'_, 'g> {
    /// All of them, as there are so many.
    fn exactly<const N: usize>(self) -> Result<[Var<'g>; N]> {
        let found = self.0.len();
        self.0.try_into().or_else(|_| unsupported(format!("{N} operands are known here, not {found}")))
    }

    fn one(self, f: impl FnOnce(Var<'g>) -> Var<'g>) -> Result<Var<'g>> {
        let [x] = self.exactly()?;
        Ok(f(x))
    }

    fn two(self, f: impl FnOnce(Var<'g>, Var<'g>) -> Var<'g>) -> Result<Var<'g>> {
        let [a, b] = self.exactly()?;
        Ok(f(a, b))
    }

    fn three(self, f: impl FnOnce(Var<'g>, Var<'g>, Var<'g>) -> Var<'g>) -> Result<Var<'g>> {
        let [a, b, c] = self.exactly()?;
        Ok(f(a, b, c))
    }
}

/// One result.
fn one<'g>(y: Var<'g>) -> Built<'g> {
    Ok(Some(vec![y]))
}
