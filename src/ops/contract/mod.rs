//! Sums of products over named axes: what `tensordot`, `inner`, `dot` and `einsum` come to.
//!
//! An operand is an array whose axes have names, which are numbers here. Two operands are contracted by one product of matrices: the
//! axes that both have and the result keeps are its batch, those that both have and the result does not keep are
//! summed over, and the others are rows and columns. What stands on either side of the product is a view of the
//! operand where its axes allow it, and no array is made that is larger than the result.

mod cross;
mod einsum;
mod plan;
mod products;
mod spec;

pub use self::einsum::einsum;
pub(super) use self::products::dot;
use super::arrange::permuted;
use crate::graph::Expr;

/// The name of an axis.
type Label = u32;

/// An array whose axes have names, no two the same.
#[derive(Clone)]
struct Term<'g> {
    array: Expr<'g>,
    labels: Vec<Label>,
}

impl<'g> Term<'g> {
    fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }

    fn axis(&self, label: Label) -> usize {
        self.labels.iter().position(|&own| own == label).unwrap_or_default()
    }

    fn size(&self, label: Label) -> usize {
        self.array.shape()[self.axis(label)]
    }

    /// The labels for which this holds, in the order of the axes.
    fn those(&self, such: impl Fn(Label) -> bool) -> Vec<Label> {
        self.labels.iter().copied().filter(|&label| such(label)).collect()
    }

    /// The sum over the axes that are not kept.
    fn summed(self, keep: impl Fn(Label) -> bool) -> Self {
        let labels = self.those(&keep);
        if labels.len() == self.labels.len() {
            return self;
        }
        let gone: Vec<usize> = (0..self.labels.len()).filter(|&axis| !keep(self.labels[axis])).collect();
        Self { array: self.array.sum_axis(&gone[..]), labels }
    }

    /// The array with its axes in this order, of which it has every one.
    fn ordered(&self, labels: &[Label]) -> Expr<'g> {
        let order: Vec<usize> = labels.iter().map(|&label| self.axis(label)).collect();
        permuted(self.array, &order)
    }

    /// The array with its axes in this order, and one of size 1 for each that it does not have.
    fn among(&self, labels: &[Label]) -> Expr<'g> {
        let own: Vec<Label> = labels.iter().copied().filter(|&label| self.has(label)).collect();
        let new: Vec<usize> = (0..labels.len()).filter(|&axis| !self.has(labels[axis])).collect();
        expanded(self.ordered(&own), &new)
    }
}

fn expanded<'g>(x: Expr<'g>, new: &[usize]) -> Expr<'g> {
    if new.is_empty() { x } else { x.expand_dims(new) }
}

/// These neighbouring axes as one.
fn merged(x: Expr<'_>, first: usize, count: usize) -> Expr<'_> {
    if count < 2 { x } else { x.flatten([first, first + count - 1]) }
}

/// The axis as these neighbouring axes of `like`, of which it is the first.
fn unmerged<'g>(x: Expr<'g>, first: usize, count: usize, like: Expr<'g>) -> Expr<'g> {
    if count < 2 { x } else { x.unflatten_like((first..first + count).collect::<Vec<_>>()[..].into(), like) }
}

/// The product of two terms, summed over every axis that is not kept. An axis that both have has one size, or size 1 on one side.
/// The axes of the result are in an order that costs nothing, and that is as close to the wanted one as this allows.
fn contracted<'g>(
    mut a: Term<'g>,
    mut b: Term<'g>,
    wanted: &[Label],
    keep: &dyn Fn(Label) -> bool,
) -> Term<'g> {
    // An element that stands for a whole axis is a factor of its sum.
    let single = a.those(|label| b.has(label) && !keep(label) && a.size(label) != b.size(label));
    for label in single {
        let one = if a.size(label) == 1 { &mut a } else { &mut b };
        let axis = one.axis(label);
        one.array = one.array.squeeze(axis);
        one.labels.remove(axis);
    }
    let (left, right) = (a.labels.clone(), b.labels.clone());
    let a = a.summed(|label| keep(label) || right.contains(&label));
    let b = b.summed(|label| keep(label) || left.contains(&label));

    let place = |label: &Label| wanted.iter().position(|other| other == label);
    let mut groups = Groups {
        batch: a.those(|label| b.has(label) && keep(label)),
        summed: a.those(|label| !keep(label)),
        rows: a.those(|label| !b.has(label)),
        columns: b.those(|label| !a.has(label)),
    };
    groups.batch.sort_by_key(place);
    let mut labels = [&groups.batch[..], &groups.rows, &groups.columns].concat();
    let array = if groups.summed.is_empty() {
        labels.sort_by_key(place);
        a.among(&labels) * b.among(&labels)
    } else if groups.rows.is_empty() && groups.columns.is_empty() {
        groups.inner(&a, &b)
    } else {
        groups.product(&a, &b)
    };
    Term { array, labels }
}

/// The axes of two operands, by what becomes of them.
struct Groups {
    /// Both have them, and the result.
    batch: Vec<Label>,
    /// Both have them.
    summed: Vec<Label>,
    /// The left operand has them, and the result.
    rows: Vec<Label>,
    /// The right operand has them, and the result.
    columns: Vec<Label>,
}

impl Groups {
    /// The inner products of what is summed, for each place of the batch.
    fn inner<'g>(&self, a: &Term<'g>, b: &Term<'g>) -> Expr<'g> {
        let (batch, summed) = (self.batch.len(), self.summed.len());
        let order = [&self.batch[..], &self.summed].concat();
        let (a, b) = (a.ordered(&order), b.ordered(&order));
        if batch == 0 {
            return merged(a, 0, summed).matmul(merged(b, 0, summed));
        }
        (a * b).sum_axis(&(batch..batch + summed).collect::<Vec<_>>()[..])
    }

    /// `(batch, rows, summed) · (batch, summed, columns)`, where each of the three last is one axis meanwhile.
    fn product<'g>(&self, a: &Term<'g>, b: &Term<'g>) -> Expr<'g> {
        let (batch, rows) = (self.batch.len(), self.rows.len());
        let (summed, columns) = (self.summed.len(), self.columns.len());
        let left = a.ordered(&[&self.batch[..], &self.rows, &self.summed].concat());
        let right = b.ordered(&[&self.batch[..], &self.summed, &self.columns].concat());
        let right = merged(right, batch, summed);
        let x = merged(merged(left, batch + rows, summed), batch, rows);
        let y = merged(right, batch + 1, columns);
        // A vector stays one where there is no batch; in a batch it is a matrix.
        let matrix = |x: Expr<'g>, axes: usize, at: usize| {
            if axes == 0 && batch > 0 { x.expand_dims(at) } else { x }
        };
        let product = matrix(x, rows, batch).matmul(matrix(y, columns, batch + 1));
        let product = match (batch > 0, rows, columns) {
            (true, 0, _) => product.squeeze(batch),
            (true, _, 0) => product.squeeze(batch + 1),
            _ => product,
        };
        // The columns first, so that the rows stand where they stand on the left.
        if rows == 0 {
            let like = if batch + 1 < right.ndim() { without(right, batch) } else { right };
            return unmerged(product, batch, columns, like);
        }
        unmerged(unmerged(product, batch + 1, columns, right), batch, rows, left)
    }
}

/// An array of which the shape alone is read: that of `x` without an axis.
fn without(x: Expr<'_>, axis: usize) -> Expr<'_> {
    x.index_along(0).sum_axis(axis)
}
