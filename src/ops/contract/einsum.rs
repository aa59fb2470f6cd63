//! Einstein's summation convention.

use super::plan::plan;
use super::spec::{Spec, name_of};
use super::{Label, Term, contracted};
use crate::element::Real;
use crate::error::{Error, Result, fail};
use crate::graph::{Expr, Var};
use crate::ops::arrange::{cannot, rank_of};

/// A sum of products over named axes, as NumPy's `einsum`.
///
/// For every operand the specification has a letter for each axis, and behind `->` the letters of the result:
/// `"ij,jk->ik"` is the product of matrices, `yᵢₖ = Σⱼ aᵢⱼ bⱼₖ`. What the result does not have is summed over. A letter that an operand
/// has twice is its diagonal. `...` stands for any axes, which broadcast. Without `->` the result has the axes of `...`, then the
/// letters that there are once, in the order of the alphabet, capitals first. Behind `->`, `...` may be left out: then its axes are
/// summed over too. An axis of size 1 stretches to the size that its letter has elsewhere.
///
/// Several operands are contracted two at a time, each time by one product of matrices on views; no array is made of all
/// products. For up to 8 operands the order is the one of the fewest products, beyond it the cheapest contraction is done first; it
/// depends on the sizes that are recorded.
///
/// Derivative: with respect to an operand, the contraction of the cotangent with the others.
///
/// ```
/// # use gradus::prelude::*;
/// use gradus::einsum;
/// # let g = Graph::new();
/// let a = g.input("a", array![[1.0, 2.0], [3.0, 4.0]]);
/// let b = g.input("b", array![[5.0, 6.0], [7.0, 8.0]]);
/// assert_eq!(einsum("ij,jk->ik", &[a, b]).value()?, array![[19.0, 22.0], [43.0, 50.0]].into_dyn());
/// assert_eq!(einsum("ii", &[a]).item()?, 5.0);
/// assert_eq!(einsum("ij,ij->j", &[a, b]).value()?, array![26.0, 44.0].into_dyn());
/// assert_eq!(einsum("ij,jk,kl->", &[a, b, a]).grad(b).value()?, array![[12.0, 28.0], [18.0, 42.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If the specification cannot be read, or does not fit the operands:
/// "`einsum` cannot read "ij,jk->il": no operand has the index `l` of the output"; if the sizes of an axis differ:
/// "`einsum` cannot contract "ij,jk->ik": index `j` has size 3 (operand 0, axis 1) and 4 (operand 1, axis 0)".
#[track_caller]
#[must_use]
pub fn einsum<'g, T: Real>(spec: &str, operands: &[Var<'g, T>]) -> Var<'g, T> {
    let Some(first) = operands.first() else {
        fail(&Error::Arity { op: OP, expected: 1, found: 0 });
    };
    let operands: Vec<Expr<'g>> = operands.iter().map(|operand| operand.erase()).collect();
    first.graph().compose(|| evaluated(spec, &operands)).retype()
}

const OP: &str = "einsum";

fn evaluated<'g>(spec: &str, operands: &[Expr<'g>]) -> Result<Expr<'g>> {
    if operands.iter().any(|operand| !std::ptr::eq(operand.graph(), operands[0].graph())) {
        return Err(Error::OtherGraph { op: OP });
    }
    let ranks: Vec<usize> = operands.iter().map(|&operand| rank_of(OP, operand)).collect::<Result<_>>()?;
    let read = match Spec::read(spec, &ranks) {
        Ok(read) => read,
        Err(why) => return cannot(OP, format!("read \"{spec}\": {why}"), operands),
    };
    check_types(operands)?;
    check_sizes(spec, &read, operands)?;
    let kept = |label: Label, others: &[Option<Term<'g>>]| {
        read.output.contains(&label) || others.iter().flatten().any(|other| other.has(label))
    };
    let mut terms: Vec<Option<Term<'g>>> =
        operands.iter().zip(&read.operands).map(|(&x, labels)| Some(diagonal(x, labels.clone()))).collect();
    for k in 0..terms.len() {
        if let Some(term) = terms[k].take() {
            terms[k] = Some(term.summed(|label| kept(label, &terms)));
        }
    }
    let labels: Vec<Vec<Label>> = terms.iter().flatten().map(|term| term.labels.clone()).collect();
    let size = |label| {
        let sizes = terms.iter().flatten().filter(|term| term.has(label)).map(|term| term.size(label));
        sizes.max().unwrap_or(1) as f64
    };
    for [i, j] in plan(&labels, &read.output, &size) {
        if let (Some(a), Some(b)) = (terms[i].take(), terms[j].take()) {
            let (a, b) = oriented(a, b, &read.output);
            let term = contracted(a, b, &read.output, &|label| kept(label, &terms));
            terms.push(Some(term));
        }
    }
    let last = terms.into_iter().flatten().next_back();
    Ok(last.map_or(operands[0], |term| term.ordered(&read.output)))
}

/// The two operands of a product in the order in which it has the columns of the result on its right, or a matrix on its left.
fn oriented<'g>(a: Term<'g>, b: Term<'g>, output: &[Label]) -> (Term<'g>, Term<'g>) {
    let (rows, columns) = (a.those(|label| !b.has(label)), b.those(|label| !a.has(label)));
    let last = output.iter().rev().find(|label| rows.contains(label) || columns.contains(label));
    let turned = !columns.is_empty() && (rows.is_empty() || last.is_some_and(|last| rows.contains(last)));
    if turned { (b, a) } else { (a, b) }
}

fn check_types(operands: &[Expr<'_>]) -> Result<()> {
    let expected = operands[0].dtype();
    let fits = |operand: &&Expr<'_>| operand.dtype() != expected || !expected.is_float();
    match operands.iter().find(fits) {
        None => Ok(()),
        Some(&other) => {
            let operand = Box::new(crate::ops::arrange::describe(other));
            Err(Error::DType { op: OP, expected: "floats of one type".to_owned(), operand })
        }
    }
}

/// Every index has one size, but for ones that stretch: an axis of size 1 in another operand.
fn check_sizes(spec: &str, read: &Spec, operands: &[Expr<'_>]) -> Result<()> {
    let mut seen: Vec<(Label, usize, usize, usize)> = Vec::new();
    for (k, (labels, operand)) in read.operands.iter().zip(operands).enumerate() {
        for (axis, (&label, &size)) in labels.iter().zip(operand.shape().iter()).enumerate() {
            let differs = |&&(other, of, _, length): &&(Label, usize, usize, usize)| {
                other == label && length != size && (of == k || length != 1 && size != 1)
            };
            if let Some(&(_, of, at, length)) = seen.iter().find(differs) {
                let what = format!(
                    "contract \"{spec}\": index {} has size {length} (operand {of}, axis {at}) and {size} (operand {k}, axis {axis})",
                    name_of(label)
                );
                let two = if of == k { vec![operands[k]] } else { vec![operands[of], operands[k]] };
                return cannot(OP, what, &two);
            }
            seen.push((label, k, axis, size));
        }
    }
    Ok(())
}

/// The array, in which axes that have one name are the diagonal of them.
fn diagonal(mut x: Expr<'_>, mut labels: Vec<Label>) -> Term<'_> {
    loop {
        let twice = |&j: &usize| labels[..j].contains(&labels[j]);
        let Some(j) = (0..labels.len()).find(twice) else { return Term { array: x, labels } };
        let label = labels.remove(j);
        let i = labels.iter().position(|&other| other == label).unwrap_or_default();
        labels.remove(i);
        labels.push(label);
        // Two axes that have one size here may be fed two, which is an error of the run.
        let sizes = x.index_along(0);
        x = x.broadcast_like(sizes + sizes.swapaxes(i, j)).diagonal(0, [i, j]);
    }
}
