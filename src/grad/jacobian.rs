//! Jacobians and Hessians, as expressions.

use super::batch::Batching;
use super::{Derivative, derive_from, found, zeros_like};
use crate::element::{DType, Literal, Real};
#[cfg(doc)]
use crate::error::Error;
use crate::error::{OrFail, Result};
use crate::graph::{Expr, LeafKind, Signature, Var, VarList};
use crate::rewrite::{Rewriter, Tier};
use crate::shape::Shape;

impl<'g, T: Real> Var<'g, T> {
    /// The Jacobian: the derivative of every element of this with respect to every element of each of `wrt`, as
    /// expressions of the same graph. `J[i…, j…] = ∂y[i…]/∂x[j…]`, in shape `y.shape() + x.shape()`; of a scalar it is
    /// the [gradient](Self::grad).
    ///
    /// One backward sweep is recorded, for all elements of this at once: every array on the way has one more axis,
    /// in front, as long as this has elements, and a matrix product becomes one larger product. So it costs, in time
    /// and memory, about as many gradients as this has elements, in big pieces. Where an operation on the way does
    /// not work on such a batch, the Jacobian is put together of one sweep per element, and is then defined for the
    /// sizes alone that this has at recording; else sizes are as free as everywhere.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let (a, x) = (g.input("a", array![[1.0, 2.0], [3.0, 4.0]]), g.input("x", array![0.5, -1.0]));
    /// assert_eq!(a.dot(x).jacobian(x).value()?, a.value()?);
    /// assert_eq!(x.square().jacobian(x).value()?, array![[1.0, 0.0], [0.0, -2.0]].into_dyn());
    /// assert_eq!(a.dot(x).jacobian(a).shape(), [2, 2, 2]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the text of [`try_jacobian`](Self::try_jacobian)'s error.
    #[track_caller]
    pub fn jacobian<L: VarList<'g>>(self, wrt: L) -> L::Owned {
        self.try_jacobian(wrt).or_fail()
    }

    /// [`jacobian`](Self::jacobian), with mistakes as errors.
    ///
    /// # Errors
    /// As [`try_grad`](Self::try_grad), but for [`Error::GradOfArray`].
    pub fn try_jacobian<L: VarList<'g>>(self, wrt: L) -> Result<L::Owned> {
        let jacobians = jacobians(self.erase(), &wrt.exprs(), Absent::IsAnError)?;
        Ok(wrt.rebuild(&mut jacobians.into_iter()))
    }

    /// The Hessian of this scalar with respect to `x`: the Jacobian of its gradient, `H[i…, j…] = ∂²f/∂x[i…]∂x[j…]`,
    /// in shape `x.shape() + x.shape()`, as an expression. A matrix product in the formula of the gradient becomes
    /// one product of matrices for all rows together, and none where a row has a single element: the Hessian of the
    /// logistic loss of `X·w` is recorded as `(Xᵀ ⊙ d) · X`.
    ///
    /// Where the gradient does not depend on `x`, or only through an operation without a derivative, such as the
    /// mask of a [`relu`](Self::relu), the Hessian is zero. The block of two variables is
    /// `cost.grad(a).jacobian(b)`. For the product with a vector alone, [`hvp`](Self::hvp) is much cheaper.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let a = g.input("a", array![[2.0, 1.0], [1.0, 3.0]]);
    /// let x = g.input("x", array![1.0, -1.0]);
    /// let cost = 0.5 * x.dot(a.dot(x));
    /// assert_eq!(cost.hessian(x).value()?, a.value()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the text of [`try_hessian`](Self::try_hessian)'s error.
    #[track_caller]
    #[must_use]
    pub fn hessian(self, x: Self) -> Self {
        self.try_hessian(x).or_fail()
    }

    /// [`hessian`](Self::hessian), with mistakes as errors.
    ///
    /// # Errors
    /// Those of [`try_grad`](Self::try_grad).
    pub fn try_hessian(self, x: Self) -> Result<Self> {
        let (cost, x) = (self.erase(), x.erase());
        let derivative = derive_from(cost, None, &[x])?.pop().unwrap_or(Derivative::Zero);
        let gradient = found(cost, x, derivative)?.unwrap_or_else(|| zeros_like(x));
        let jacobians = jacobians(gradient, &[x], Absent::IsZero)?;
        Ok(jacobians[0].retype())
    }
}

/// What becomes of a derivative that does not exist or is not reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    IsAnError,
    IsZero,
}

fn jacobians<'g>(y: Expr<'g>, targets: &[Expr<'g>], absent: Absent) -> Result<Vec<Expr<'g>>> {
    let seed = if y.known_dtype().is_some() && y.ndim() > 0 { Some(stand_in(y)) } else { None };
    let derivatives = derive_from(y, seed, targets)?;
    let settled = targets.iter().zip(derivatives).map(|(&x, derivative)| match derivative {
        Derivative::Of(formula) => Ok(Some(formula)),
        _ if absent == Absent::IsZero => Ok(None),
        derivative => found(y, x, derivative),
    });
    let formulas: Vec<Option<Expr<'g>>> = settled.collect::<Result<_>>()?;
    let graph = y.graph();
    graph.with_origin(y.origin(), || {
        let Some(v) = seed else {
            let each = targets.iter().zip(formulas);
            return Ok(each.map(|(&x, found)| found.unwrap_or_else(|| zeros_of(y, x))).collect());
        };
        let rows = graph.with_rewriter(Rewriter::around(Tier::Algebraic, vec![v.id()]), || {
            let mut batching = Batching::new(y, v);
            let each = targets.iter().zip(&formulas).map(|(&x, formula)| match *formula {
                Some(formula) => batching.rows(formula).map(|rows| shaped(rows, y, x)),
                None => Some(zeros_of(y, x)),
            });
            each.collect::<Option<Vec<_>>>()
        });
        rows.map_or_else(|| row_by_row(y, targets), Ok)
    })
}

/// A node that stands for the cotangent of `y`: as any expression it has a shape, and sizes as free as those of `y`,
/// but nothing is ever read of it.
pub(super) fn stand_in(y: Expr<'_>) -> Expr<'_> {
    let signature = Signature { dtype: y.dtype(), shape: Shape::scalar() };
    let leaf = y.graph().add_leaf(LeafKind::Input, None, signature, None, y.origin());
    y.graph().with_origin(y.origin(), || leaf.or_fail().broadcast_like(y))
}

/// `(B,)` + the shape of `x`, as the shape of `y` + that of `x`.
fn shaped<'g>(rows: Expr<'g>, y: Expr<'g>, x: Expr<'g>) -> Expr<'g> {
    if y.ndim() == 1 { rows } else { rows.reshape_like(joined(y, x)) }
}

/// An expression whose shape is that of `y` + that of `x`. Nobody reads more of it than the shape.
fn joined<'g>(y: Expr<'g>, x: Expr<'g>) -> Expr<'g> {
    let behind: Vec<usize> = (y.ndim()..y.ndim() + x.ndim()).collect();
    y.cast_to(DType::I64).expand_dims(&behind[..]) + x.cast_to(DType::I64)
}

fn zeros_of<'g>(y: Expr<'g>, x: Expr<'g>) -> Expr<'g> {
    let zero = y.graph().literal(Literal::rounded(0.0, x.dtype()));
    if y.ndim() + x.ndim() == 0 { zero } else { zero.broadcast_like(joined(y, x)) }
}

/// The Jacobians by one sweep for each element of `y`, of which there have to be as many as there are now.
fn row_by_row<'g>(y: Expr<'g>, targets: &[Expr<'g>]) -> Result<Vec<Expr<'g>>> {
    let count = y.shape().size();
    let range = y.reshape([count]).index_along(0);
    let mut jacobians: Vec<Option<Expr<'g>>> = vec![None; targets.len()];
    for i in 0..count {
        let here = range.eq(y.graph().literal(Literal::I64(i as i64)));
        let unit = here.cast_to(y.dtype()).reshape_like(y);
        let derivatives = derive_from(y, Some(unit), targets)?;
        for ((&x, rows), derivative) in targets.iter().zip(&mut jacobians).zip(derivatives) {
            let Derivative::Of(row) = derivative else { continue };
            let others = rows.unwrap_or_else(|| y.graph().literal(Literal::rounded(0.0, x.dtype())));
            let behind: Vec<usize> = (1..=x.ndim()).collect();
            *rows = Some(here.expand_dims(&behind[..]).select(row, others));
        }
    }
    let each = targets.iter().zip(jacobians);
    Ok(each.map(|(&x, rows)| rows.map_or_else(|| zeros_of(y, x), |rows| shaped(rows, y, x))).collect())
}

#[cfg(test)]
mod tests {
    use super::row_by_row;
    use crate::ops::concat;
    use crate::prelude::*;

    #[test]
    fn row_by_row_is_the_same_at_the_recorded_sizes() {
        let g = Graph::new();
        let x = g.input("x", array![[0.3, -0.2, 1.0], [0.7, 0.1, -0.4]]);
        let w = g.param("w", array![[0.5, 1.5], [-1.0, 2.0], [0.2, -0.6]]);
        let b = g.param("b", 0.1);
        let y = (x.dot(w) + b).tanh() * x.sum_keepdims(1);
        let rows = row_by_row(y.erase(), &[w.erase(), b.erase()]).unwrap();
        let (dw, db) = y.jacobian((w, b));
        for (rows, jacobian) in rows.into_iter().zip([dw, db]) {
            let (rows, jacobian) = (rows.typed::<f64>().unwrap().value().unwrap(), jacobian.value().unwrap());
            assert_eq!(rows.shape(), jacobian.shape());
            assert!((rows - jacobian).iter().all(|d| d.abs() < 1e-15));
        }
        x.set_value(Array2::<f64>::ones((4, 3))).unwrap();
        assert!(dw.value().is_ok());
        let rows = row_by_row(y.erase(), &[w.erase()]).unwrap()[0].typed::<f64>().unwrap();
        let text = rows.value().unwrap_err().to_string();
        assert!(text.contains("`reshape` cannot make (4,)"), "{text}");
    }

    /// What slices, gathers, normalises and multiplies batches, of a matrix with 3 columns and any number of rows.
    fn along_axes<'g>(kind: usize, x: Var<'g>, a: Var<'g>, u: Var<'g>) -> Var<'g> {
        let x = x.tanh();
        let stack = x.expand_dims(0);
        match kind {
            0 => x.slice(0, 1..).square(),
            1 => x.slice(1, ndarray::Slice::new(0, None, -2)) * x.slice(1, ..2),
            2 => concat(&[x.sin(), x.sum_keepdims(0), a], 0),
            3 => x.split(1, 3)[1].squeeze(1).exp(),
            4 => x.softmax(1),
            5 => x.log_softmax([0, 1]),
            6 => x.layer_norm(1, 1e-3),
            7 => x.flatten([0, -1]).sin(),
            8 => stack.matmul(a).sin(),
            9 => stack.matmul(x.t()).squeeze(0),
            10 => a.expand_dims(0).matmul(x.slice(0, ..2).t()).sin(),
            11 => concat(&[stack, stack * 2.0], 0).matmul(x.t().expand_dims(0)),
            12 => concat(&[stack, stack.cos()], 0).matmul(u * x.sum()),
            13 => u.matmul(concat(&[stack, -stack], 0).transpose([0, 2, 1])),
            14 => x.take(1, [2, 2, 0]).sin() * x.gather_nd([[1, 0], [2, -1]]).sum(),
            15 => x.sin().sort(0) * x,
            16 => x.square().scatter_add(0, [1, 1, -1], x.take(1, [0, 1]).t().sum_keepdims(0).sum_axis(1)),
            17 => x.scatter_set(1, [1, 1], x.slice(1, ..2).cos()),
            18 => x.square().cumsum(0) * x.exp().cumsum_reverse(1),
            19 => x.cumprod(1) + x.cumprod_reverse(0),
            20 => x.prod_axis(1) + x.prod(),
            21 => x.sin().recurrence(0, x),
            22 => x.sin().recurrence_reverse(1, x.cos()).segment_sum(x.argmax_axis(1), 3),
            _ => x.sum_axis(0).matmul(x.t().expand_dims(0) * 0.5),
        }
    }

    #[test]
    fn batches_through_operations_along_axes_follow_the_sizes_that_are_fed() {
        let fed = Array2::from_shape_fn((4, 3), |(i, j)| ((3 * i + j) as f64).sin());
        for kind in 0..24 {
            let g = Graph::new();
            let a = g.param("a", array![[0.5, -0.3, 0.1], [0.2, 0.8, -0.6], [-0.7, 0.4, 0.9]]);
            let u = g.param("u", array![0.7, -1.1, 0.4]);
            let x = g.input("x", array![[0.3, -0.2, 1.0], [0.7, 0.11, -0.4]]);
            let free = along_axes(kind, x, a, u).jacobian(x);
            x.set_value(&fed).unwrap();
            let other = g.input("other", &fed);
            let y = along_axes(kind, other, a, u);
            let rows = row_by_row(y.erase(), &[other.erase()]).unwrap()[0].typed::<f64>().unwrap();
            let (found, expected) = (free.value().unwrap(), rows.value().unwrap());
            assert_eq!(found.shape(), expected.shape(), "{kind}");
            let apart = (found - &expected).iter().fold(0.0, |apart: f64, d| apart.max(d.abs()));
            assert!(apart < 1e-14 && expected.iter().any(|d| d.abs() > 0.01), "{kind}: {apart}");
        }
    }

    /// One of several formulas that make a matrix with 3 rows and columns of another.
    fn formula<'g>(kind: usize, e: Var<'g>, a: Var<'g>, u: Var<'g>) -> Var<'g> {
        match kind {
            0 => e.tanh() - e,
            1 => e.t(),
            2 => e.dot(a),
            3 => a.dot(e),
            4 => e * u,
            5 => u.expand_dims(1) * -e,
            6 => e - e.mean_keepdims(0),
            7 => e / (2.0 + e.square()).sum_keepdims(1),
            8 => e.reshape([-1]).sin().reshape([3, 3]),
            9 => e.gt(0.1).select(e.sin(), e * 0.5),
            10 => e.max_axis(1).expand_dims(0) + e,
            11 => e.dot(e.t()) * 0.3,
            12 => e.sum_axis(0).expand_dims(0).broadcast_like(e) * 0.2,
            13 => e.dot(u).expand_dims(1).dot(u.expand_dims(0)),
            _ => u.dot(e).expand_dims(0) * a,
        }
    }

    #[test]
    fn random_formulas_by_batches_are_those_row_by_row() {
        let g = Graph::new();
        let x = g.input("x", array![[0.3, -0.2, 1.0], [0.7, 0.11, -0.4], [-0.9, 0.6, 0.25]]);
        let a = g.input("a", array![[0.5, -0.3, 0.1], [0.2, 0.8, -0.6], [-0.7, 0.4, 0.9]]);
        let u = g.param("u", array![0.7, -1.1, 0.4]);
        let mut state = 1_u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for _ in 0..150 {
            let kinds: Vec<usize> = (0..4).map(|_| below(15)).collect();
            let e = kinds.iter().fold(x, |e, &kind| formula(kind, e, a, u));
            let y = [e, e.sum_axis(0), e.dot(u), e.reshape([-1]), e.expand_dims(0)][below(5)];
            let Ok(jacobian) = y.try_jacobian(x) else { continue };
            let rows = row_by_row(y.erase(), &[x.erase()]).unwrap()[0].typed::<f64>().unwrap();
            let (found, expected) = (jacobian.value().unwrap(), rows.value().unwrap());
            assert_eq!(found.shape(), expected.shape(), "{kinds:?}");
            let size = expected.iter().fold(1.0, |size: f64, d| size.max(d.abs()));
            let apart = (found - expected).iter().fold(0.0, |apart: f64, d| apart.max(d.abs()));
            assert!(apart <= 1e-13 * size, "{kinds:?}: {apart}");
        }
    }
}
