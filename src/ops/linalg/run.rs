//! How the operations of the family run on a batch of matrices.

use super::{Linalg, Task};
use crate::element::Element;
use crate::graph::Signature;
use crate::kernels::{self, Entry, Triangle};
use crate::shape::Shape;

/// How a batch is worked through: a function of the shapes.
pub(super) struct Layout {
    /// How many matrices there are.
    pub batch: usize,
    /// In how many parts they are worked through, each in memory of its own.
    parts: usize,
    /// The numbers that all parts work in.
    pub scratch: usize,
    /// About how many multiplications one matrix takes.
    pub effort: usize,
}

/// Rows and columns of the matrices of a shape; a vector is a column.
fn sizes(shape: &Shape) -> [usize; 2] {
    match shape[..] {
        [.., m, n] => [m, n],
        [n] => [n, 1],
        [] => [1, 1],
    }
}

impl Linalg {
    /// How many of the axes of the result are those of the batch.
    fn batch_axes(self, operands: &[Signature], result: &Signature) -> usize {
        match self {
            Self::Det | Self::LogAbsDet | Self::DetSign => result.shape.ndim(),
            Self::Eigvalsh | Self::Svdvals => result.shape.ndim() - 1,
            _ if self.is_system() && operands[1].shape.ndim() == 1 => result.shape.ndim() - 1,
            _ => result.shape.ndim() - 2,
        }
    }

    /// What one matrix takes: numbers to work in, and multiplications.
    fn needs(self, operands: &[Signature]) -> (usize, usize) {
        let [m, n] = sizes(&operands[0].shape);
        let (cube, k) = (n * n * n, m.min(n));
        match self {
            Self::Cholesky => (0, cube / 3),
            Self::TriangularSolve(_) => (0, n * n * sizes(&operands[1].shape)[1]),
            Self::Solve { .. } => (n * n, n * n * (n / 3 + 2 * sizes(&operands[1].shape)[1])),
            Self::Inv => (n * n, cube),
            Self::Det | Self::LogAbsDet | Self::DetSign => (n * n, cube / 3),
            Self::Cofactor { order } => {
                let order = order as usize;
                // An estimate, which has to stay a number that can be added to others.
                let choices = n.saturating_pow(order as u32 + 1).min(1 << 30);
                (kernels::cofactor_scratch(n, order), (2 + order) * cube + choices)
            }
            Self::Eigvalsh => (kernels::eigh_scratch(n), 2 * cube),
            Self::Eigh => (kernels::eigh_scratch(n), 9 * cube),
            Self::Svdvals => (kernels::svd_scratch(m, n), 20 * m * n * k),
            Self::Svd => (kernels::svd_scratch(m, n), 30 * m * n * k),
            Self::Qr { .. } => (kernels::qr_scratch(m, n), 4 * m * n * n),
            Self::Expm => (kernels::expm_scratch(n), 10 * cube),
            Self::ExpmAlong => (kernels::expm_along_scratch(n), 80 * cube),
            Self::Pinv => (kernels::pinv_scratch(m, n), 30 * m * n * k),
        }
    }

    pub(super) fn layout(self, operands: &[Signature], result: &Signature) -> Layout {
        let batch = result.shape[..self.batch_axes(operands, result)].iter().product();
        let (work, effort) = self.needs(operands);
        let parts = kernels::batch_parts(batch, effort);
        Layout { batch, parts, scratch: work * parts, effort }
    }

    /// As [`Operation::run`](super::Operation::run), for this type.
    pub(super) fn compute<T: Entry + Element>(self, task: Task<'_>) {
        let Task { level, threads, operands, result, .. } = task;
        let Layout { batch, parts, .. } = self.layout(operands, result);
        let axes = self.batch_axes(operands, result);
        let size = result.shape[axes..].iter().product();
        let reads = task.read_all::<T>();
        let operand = |k: usize, i: usize| {
            let shape = &operands[k].shape;
            let size = sizes(shape).iter().product::<usize>();
            let before = &shape[..shape.ndim().saturating_sub(2)];
            let at = size * stretched(before, &result.shape[..axes], i);
            &reads[k][at..at + size]
        };
        let [m, n] = sizes(&operands[0].shape);
        let (out, scratch) = task.write::<T>();
        kernels::each_matrix(threads, (batch, parts), size, out, scratch, |i, out, work| {
            let a = operand(0, i);
            match self {
                Self::Cholesky => kernels::cholesky(a, n, out),
                Self::TriangularSolve(of) => {
                    let of = Triangle { lower: of.lower, transposed: of.transposed, unit: of.unit };
                    out.copy_from_slice(operand(1, i));
                    kernels::triangular_solve(a, n, of, out, sizes(&operands[1].shape)[1]);
                }
                Self::Solve { transposed } => {
                    out.copy_from_slice(operand(1, i));
                    kernels::solve(a, n, transposed, out, sizes(&operands[1].shape)[1], work);
                }
                Self::Inv => kernels::inverse(a, n, out, work),
                Self::Det => out[0] = kernels::determinant(a, n, work),
                Self::Cofactor { .. } => {
                    let directions: smallvec::SmallVec<[&[T]; 4]> =
                        (1..operands.len()).map(|k| operand(k, i)).collect();
                    kernels::cofactor(a, &directions, n, out, work);
                }
                Self::LogAbsDet => out[0] = kernels::log_determinant(a, n, work).ln,
                Self::DetSign => out[0] = kernels::log_determinant(a, n, work).sign,
                Self::Eigvalsh => kernels::eigvalsh(a, n, out, work),
                Self::Eigh => kernels::eigh(a, n, out, work),
                Self::Svdvals => kernels::svdvals(a, m, n, out, work),
                Self::Svd => kernels::svd(a, m, n, out, work),
                Self::Qr { .. } => kernels::qr(a, m, n, out, work),
                Self::Expm => kernels::expm(level, a, n, out, work),
                Self::ExpmAlong => kernels::expm_along(level, a, operand(1, i), n, out, work),
                Self::Pinv => kernels::pinv(a, m, n, out, work),
            }
        });
    }
}

/// Which matrix of an operand with these axes before the matrix is entry number `i` of the broadcast batch.
fn stretched(axes: &[usize], batch: &[usize], mut i: usize) -> usize {
    let (mut at, mut step) = (0, 1);
    for (back, &size) in batch.iter().rev().enumerate() {
        let own = if back < axes.len() { axes[axes.len() - 1 - back] } else { 1 };
        if own > 1 {
            at += (i % size) * step;
        }
        (i, step) = (i / size, step * own);
    }
    at
}
