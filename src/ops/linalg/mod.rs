//! Linear algebra: systems, determinants, factorisations, functions of matrices.
//!
//! The matrices stand in the last two axes; what stands before is a batch. An operation with several results, such as
//! eigenvalues and eigenvectors, is one node whose result is packed into one array, of which they are views; so its
//! derivative is one rule on the packed cotangent.

mod rules;
mod run;
mod spectral;
mod systems;

use super::{Cotangent, Fault, Op, Operation, Record, Site, Task, require_dtype, require_same_dtype};
use crate::element::{DType, with_float};
use crate::error::Error;
use crate::graph::Signature;
use crate::shape::{Shape, broadcast};

/// An operation on the matrices in the last two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Linalg {
    /// [`Var::cholesky`](crate::Var::cholesky)
    Cholesky,
    /// [`Var::triangular_solve`](crate::Var::triangular_solve)
    TriangularSolve(Triangular),
    /// [`Var::solve`](crate::Var::solve)
    Solve {
        /// The matrix of the system is the transpose of the operand.
        transposed: bool,
    },
    /// [`Var::inv`](crate::Var::inv)
    Inv,
    /// [`Var::det`](crate::Var::det)
    Det,
    /// The derivative of the determinant of the first operand in the directions of the others, as the matrix of its own
    /// derivative: without directions, the cofactors. It is linear in each direction.
    Cofactor {
        /// How many directions there are.
        order: u32,
    },
    /// `ln |det a|`, of [`Var::slogdet`](crate::Var::slogdet)
    LogAbsDet,
    /// The sign of the determinant, of [`Var::slogdet`](crate::Var::slogdet)
    DetSign,
    /// [`Var::eigvalsh`](crate::Var::eigvalsh)
    Eigvalsh,
    /// [`Var::eigh`](crate::Var::eigh): the values as a row, above the vectors.
    Eigh,
    /// [`Var::svdvals`](crate::Var::svdvals)
    Svdvals,
    /// [`Var::svd`](crate::Var::svd): `U`, the values as a row, and `V`, one below the other.
    Svd,
    /// [`Var::qr`](crate::Var::qr) of matrices that are not wide: `Q` and `Rᵀ`, one below the other.
    Qr {
        /// They have to be square: the left part of a wide matrix.
        square: bool,
    },
    /// [`Var::expm`](crate::Var::expm)
    Expm,
    /// The derivative of the exponential at the first operand in the direction of the second, in which it is linear.
    ExpmAlong,
    /// [`Var::pinv`](crate::Var::pinv)
    Pinv,
}

/// Which triangle of a matrix [`Var::triangular_solve`](crate::Var::triangular_solve) reads, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Triangular {
    lower: bool,
    transposed: bool,
    unit: bool,
}

impl Triangular {
    /// The lower triangle.
    pub const fn lower() -> Self {
        Self { lower: true, transposed: false, unit: false }
    }

    /// The upper triangle.
    pub const fn upper() -> Self {
        Self { lower: false, ..Self::lower() }
    }

    /// The transpose of what it was.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// The diagonal is taken to be 1, and not read.
    #[must_use]
    pub const fn unit_diagonal(self) -> Self {
        Self { unit: true, ..self }
    }

    /// Whether the lower triangle is read.
    pub const fn is_lower(self) -> bool {
        self.lower
    }

    /// Whether the matrix of the system is the transpose of the triangle.
    pub const fn is_transposed(self) -> bool {
        self.transposed
    }

    /// Whether the diagonal is taken to be 1.
    pub const fn has_unit_diagonal(self) -> bool {
        self.unit
    }
}

impl Linalg {
    const fn find(self) -> Record {
        match self {
            Self::Cholesky => Record::method(
                "cholesky",
                r"\operatorname{chol}\left(#1\right)",
                "L⁻ᵀ Φ(Lᵀ g) L⁻¹ made symmetric; Φ: lower triangle, half of the diagonal",
            ),
            Self::TriangularSolve(_) => Record::method(
                "triangular_solve",
                r"{#1}_{[#n]}^{-1} \, #2",
                "-(a⁻ᵀ g) xᵀ in the triangle, 0 elsewhere; a⁻ᵀ g",
            ),
            Self::Solve { .. } => Record::method("solve", r"{#1}^{-1} \, #2", "-(a⁻ᵀ g) xᵀ, a⁻ᵀ g"),
            Self::Inv => Record::method("inv", "{#1}^{-1}", "-a⁻ᵀ g a⁻ᵀ"),
            Self::Det => Record::method("det", r"\det\left(#1\right)", "g times the cofactors"),
            Self::Cofactor { .. } => {
                Record::method("cofactor", r"\operatorname{cof}\left(#*\right)", "cofactor(a, .., g)")
            }
            Self::LogAbsDet => Record::method("ln_abs_det", r"\ln\left|\det\left(#1\right)\right|", "g a⁻ᵀ"),
            Self::DetSign => {
                Record::method("det_sign", r"\operatorname{sign}\left(\det\left(#1\right)\right)", "0")
            }
            Self::Eigvalsh => Record::method("eigvalsh", r"\lambda\left(#1\right)", "V diag(g) Vᵀ"),
            Self::Eigh => Record::method(
                "eigh",
                r"\operatorname{eigh}\left(#1\right)",
                "V (diag(gw) + F ∘ Vᵀ gv) Vᵀ made symmetric; F = 1/(wⱼ - wᵢ), 0 for equal ones",
            ),
            Self::Svdvals => {
                Record::method("svdvals", r"\sigma\left(#1\right)", "U diag(g) Vᵀ, without zeros of s")
            }
            Self::Svd => Record::method(
                "svd",
                r"\operatorname{svd}\left(#1\right)",
                "U (X S + S Y + diag(gs)) Vᵀ + (1 - U Uᵀ) gu S⁻¹ Vᵀ + U S⁻¹ gvᵀ (1 - V Vᵀ)",
            ),
            Self::Qr { .. } => Record::method(
                "qr",
                r"\operatorname{qr}\left(#1\right)",
                "(gq + Q M) R⁻ᵀ; M symmetric, its lower triangle that of R grᵀ - gqᵀ Q",
            ),
            Self::Expm => Record::method("expm", "e^{#1}", "the derivative of exp at aᵀ in the direction g"),
            Self::ExpmAlong => Record::method(
                "expm_along",
                r"\operatorname{D}e^{#1}\left[#2\right]",
                "the diagonal blocks, added, of expm_along((aᵀ 0; bᵀ aᵀ), (0 g; 0 0)); expm_along(aᵀ, g)",
            ),
            Self::Pinv => Record::method(
                "pinv",
                "{#1}^{+}",
                "-Pᵀ g Pᵀ + (1 - a P) gᵀ P Pᵀ + Pᵀ P gᵀ (1 - P a), of constant rank",
            ),
        }
    }

    fn is_system(self) -> bool {
        matches!(self, Self::TriangularSolve(_) | Self::Solve { .. })
    }

    /// The shapes of matrices that it takes.
    fn expected(self) -> (&'static str, fn(usize, usize) -> bool) {
        match self {
            Self::Svdvals | Self::Svd | Self::Pinv => ("matrices (.., m, n)", |_, _| true),
            Self::Qr { square: false } => ("matrices with at least as many rows as columns", |m, n| m >= n),
            _ => ("square matrices (.., n, n)", |m, n| m == n),
        }
    }
}

impl Operation for Linalg {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        match self {
            Self::TriangularSolve(Triangular { lower, transposed, unit }) => {
                let mut text = if *lower { "lower" } else { "upper" }.to_owned();
                text += if *transposed { ", transposed" } else { "" };
                text += if *unit { ", unit diagonal" } else { "" };
                Some(text)
            }
            Self::Solve { transposed: true } => Some("transposed".to_owned()),
            _ => None,
        }
    }

    fn arity(&self) -> usize {
        match self {
            Self::TriangularSolve(_) | Self::Solve { .. } | Self::ExpmAlong => 2,
            Self::Cofactor { order } => 1 + *order as usize,
            _ => 1,
        }
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Linalg(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.find().name;
        require_dtype(op, operands, 0, "floats", DType::is_float)?;
        (1..operands.len()).try_for_each(|k| require_same_dtype(op, operands, 0, k))?;
        let (expected, fits) = self.expected();
        let shape = &operands[0].shape;
        let (batch, m, n) = match &shape[..] {
            [batch @ .., m, n] if fits(*m, *n) => (batch, *m, *n),
            _ => {
                return Err(Box::new(move |operand| Error::Rank {
                    op,
                    expected,
                    operand: Box::new(operand(0)),
                }));
            }
        };
        let k = m.min(n);
        let with = |sizes: &[usize]| batch.iter().chain(sizes).copied().collect();
        let shape: Shape = match self {
            Self::TriangularSolve(_) | Self::Solve { .. } => solution(op, operands, batch, n)?,
            Self::Cofactor { .. } | Self::ExpmAlong => {
                (1..operands.len()).try_fold(shape.clone(), |all, k| {
                    broadcast(&all, &operands[k].shape).map_err(|clash| -> Fault {
                        Box::new(move |operand| Error::Broadcast {
                            op,
                            operands: Box::new([operand(0), operand(k)]),
                            clash,
                        })
                    })
                })?
            }
            Self::Cholesky | Self::Inv | Self::Expm => shape.clone(),
            Self::Det | Self::LogAbsDet | Self::DetSign => with(&[]),
            Self::Eigvalsh | Self::Svdvals => with(&[k]),
            Self::Eigh => with(&[n + 1, n]),
            Self::Svd => with(&[m + 1 + n, k]),
            Self::Qr { .. } => with(&[m + n, n]),
            Self::Pinv => with(&[n, m]),
        };
        Ok(Signature { dtype: operands[0].dtype, shape })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (a, y, g) = (at.inputs[0], at.result, at.cotangent);
        match self {
            Self::Cholesky => rules::cholesky(y, g),
            Self::TriangularSolve(_) | Self::Solve { .. } => rules::system(self, k, at.inputs, y, g),
            Self::Inv => rules::inverse(y, g),
            Self::Det => rules::det(a, g),
            Self::Cofactor { order } => rules::cofactor(*order, k, at.inputs, g),
            Self::LogAbsDet => rules::log_det(a, g),
            Self::DetSign => return Cotangent::Zero,
            Self::Eigvalsh => rules::eigvalsh(a, g),
            Self::Eigh => rules::eigh(y, g),
            Self::Svdvals => rules::svdvals(a, g),
            Self::Svd => rules::svd(a, y, g),
            Self::Qr { .. } => rules::qr(a, y, g),
            Self::Expm => rules::expm(a, g),
            Self::ExpmAlong => rules::expm_along(k, at.inputs, y, g),
            Self::Pinv => rules::pinv(a, y, g),
        }
        .into()
    }

    fn stretches(&self) -> bool {
        self.is_system() || matches!(self, Self::Cofactor { .. } | Self::ExpmAlong)
    }

    fn shape_giver(&self) -> Option<usize> {
        matches!(self, Self::Cholesky | Self::Inv | Self::Expm).then_some(0)
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn scratch_len(&self, operands: &[Signature], result: &Signature) -> usize {
        self.layout(operands, result).scratch
    }

    fn flops(&self, operands: &[Signature], result: &Signature) -> usize {
        let layout = self.layout(operands, result);
        2 * layout.batch * layout.effort
    }

    fn run(&self, task: Task<'_>) {
        with_float!(
            task.result.dtype,
            T => self.compute::<T>(task),
            _ => unreachable!("matrices are of floats")
        );
    }
}

/// The shape of the solution of systems of `n` equations: a vector of one vector, else matrices.
fn solution(op: &'static str, operands: &[Signature], batch: &[usize], n: usize) -> Result<Shape, Fault> {
    let right = &operands[1].shape;
    let (others, sizes) = right.split_at(right.ndim().saturating_sub(2));
    if sizes.first() != Some(&n) {
        return Err(Box::new(move |operand| Error::Mismatch {
            op,
            expected: format!("a right side ({n},) or (.., {n}, k)"),
            operands: Box::new([operand(0), operand(1)]),
        }));
    }
    let batch = broadcast(batch, others).map_err(|clash| -> Fault {
        Box::new(move |operand| Error::Broadcast { op, operands: Box::new([operand(0), operand(1)]), clash })
    })?;
    Ok(batch.iter().chain(sizes).copied().collect())
}
