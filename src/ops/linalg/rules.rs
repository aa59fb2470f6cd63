//! The derivative rules of the family, and the expressions that they share.

use super::super::matmul::transposed;
use super::super::slice::{concat, part_like};
use super::{Linalg, Triangular};
use crate::element::{DType, Literal};
use crate::graph::Expr;
use crate::ops::Op;
use crate::shape::Axes;

/// One of these operations, on operands whose shapes fit.
#[track_caller]
pub(super) fn emit<'g, const N: usize>(op: Linalg, operands: [Expr<'g>; N]) -> Expr<'g> {
    operands[0].graph().emit(Op::Linalg(op), operands)
}

/// The mask of the diagonal of matrices of this shape.
#[track_caller]
fn is_diagonal(x: Expr<'_>) -> Expr<'_> {
    x.index_along(-2).eq(x.index_along(-1))
}

/// The identity, of the shape of these matrices.
#[track_caller]
pub(super) fn identity_like(x: Expr<'_>) -> Expr<'_> {
    let (graph, dtype) = (x.graph(), x.dtype());
    let [zero, one] = [Literal::rounded(0.0, dtype), Literal::rounded(1.0, dtype)];
    is_diagonal(x).select(graph.literal(one), graph.literal(zero))
}

/// The lower triangle, with zeros above.
fn lower(x: Expr<'_>) -> Expr<'_> {
    x.index_along(-1).le(x.index_along(-2)).select(x, 0.0)
}

/// The triangle below the diagonal, with zeros elsewhere.
fn strictly_lower(x: Expr<'_>) -> Expr<'_> {
    x.index_along(-1).lt(x.index_along(-2)).select(x, 0.0)
}

fn symmetric(x: Expr<'_>) -> Expr<'_> {
    (x + transposed(x)) * 0.5
}

/// What separates numbers of this size from those that differ by rounding alone: `8 ε` times the norm of `x`, a row.
fn rounding(x: Expr<'_>) -> Expr<'_> {
    let epsilon = if x.dtype() == DType::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    x.square().sum_keepdims(-1).sqrt() * (8.0 * epsilon)
}

/// `1 / x`, and 0 where `x` is at most `near`.
fn reciprocal<'g>(x: Expr<'g>, near: Expr<'g>) -> Expr<'g> {
    let far = x.abs().gt(near);
    far.select(far.select(x, 1.0).recip(), 0.0)
}

/// The axis of the rows.
fn rows(x: Expr<'_>) -> Axes {
    Axes::from(x.ndim() - 2)
}

/// `U`, the row `s`, and `V`, of which what [`Linalg::Svd`] makes of `a` consists. They are views.
#[track_caller]
pub(super) fn svd_parts<'g>(packed: Expr<'g>, a: Expr<'g>) -> [Expr<'g>; 3] {
    // Of these nobody reads more than the shape.
    let s = packed.sum_keepdims(-2);
    let parts = [a.sum_keepdims(-1) + s, s, transposed(a.sum_keepdims(-2)) + s];
    let axis = rows(packed);
    [
        part_like(packed, &axis, 0, &parts),
        part_like(packed, &axis, 1, &parts),
        part_like(packed, &axis, 2, &parts),
    ]
}

/// `Q` and `Rᵀ`, of which what [`Linalg::Qr`] makes of `a` consists. They are views.
#[track_caller]
pub(super) fn qr_parts<'g>(packed: Expr<'g>, a: Expr<'g>) -> [Expr<'g>; 2] {
    let parts = [a, transposed(a.sum_keepdims(-2)) + packed.sum_keepdims(-2)];
    let axis = rows(packed);
    [part_like(packed, &axis, 0, &parts), part_like(packed, &axis, 1, &parts)]
}

/// `L⁻ᵀ Φ(Lᵀ g) L⁻¹`, made symmetric; `Φ` takes the lower triangle and half of the diagonal.
pub(super) fn cholesky<'g>(l: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let inner = lower(transposed(l).matmul(lower(g)));
    let inner = is_diagonal(inner).select(inner * 0.5, inner);
    let solve = |b: Expr<'g>| emit(Linalg::TriangularSolve(Triangular::lower().transposed()), [l, b]);
    symmetric(solve(transposed(solve(inner))))
}

/// A system's cotangents: that of the right side, `a⁻ᵀ g`, and that of the matrix, `-(a⁻ᵀ g) xᵀ`.
pub(super) fn system<'g>(op: &Linalg, k: usize, inputs: &[Expr<'g>], x: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let (a, vector) = (inputs[0], inputs[1].ndim() == 1);
    let column = |x: Expr<'g>| if vector { x.expand_dims(-1) } else { x };
    let (inverse, is_transposed) = match *op {
        Linalg::TriangularSolve(of) => (Linalg::TriangularSolve(of.transposed()), of.is_transposed()),
        _ => {
            let transposed = *op == Linalg::Solve { transposed: true };
            (Linalg::Solve { transposed: !transposed }, transposed)
        }
    };
    let y = emit(inverse, [a, column(g)]);
    if k == 1 {
        return if vector { y.squeeze(-1) } else { y };
    }
    let (x, y) = if is_transposed { (y, column(x)) } else { (column(x), y) };
    let whole = -y.matmul(transposed(x));
    match *op {
        Linalg::TriangularSolve(of) => {
            let (i, j) = (whole.index_along(-2), whole.index_along(-1));
            let (below, above) = if of.is_lower() { (j, i) } else { (i, j) };
            let read = if of.has_unit_diagonal() { below.lt(above) } else { below.le(above) };
            read.select(whole, 0.0)
        }
        _ => whole,
    }
}

/// `-yᵀ g yᵀ`
pub(super) fn inverse<'g>(y: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let y = transposed(y);
    -y.matmul(g).matmul(y)
}

/// A number for each matrix, as matrices.
fn as_matrix(x: Expr<'_>) -> Expr<'_> {
    x.expand_dims([-2, -1])
}

/// `g` times the cofactors.
pub(super) fn det<'g>(a: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    as_matrix(g) * emit(Linalg::Cofactor { order: 0 }, [a])
}

/// The cofactors in one direction more, or in another one.
pub(super) fn cofactor<'g>(order: u32, k: usize, inputs: &[Expr<'g>], g: Expr<'g>) -> Expr<'g> {
    let mut operands = inputs.to_vec();
    let order = if k == 0 {
        operands.push(g);
        order + 1
    } else {
        operands[k] = g;
        order
    };
    let op = Op::Linalg(Linalg::Cofactor { order });
    g.graph().apply(op, &operands).expect("a derivative has the shapes of its operation")
}

/// `g a⁻ᵀ`
pub(super) fn log_det<'g>(a: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    as_matrix(g) * transposed(emit(Linalg::Inv, [a]))
}

/// `V diag(g) Vᵀ`
pub(super) fn eigvalsh<'g>(a: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let v = emit(Linalg::Eigh, [a]).slice(-2, 1..);
    symmetric((v * g.expand_dims(-2)).matmul(transposed(v)))
}

/// `V (diag(gw) + F ∘ Vᵀ gv) Vᵀ`, made symmetric, with `F = 1 / (wⱼ - wᵢ)`, and 0 where these are equal.
pub(super) fn eigh<'g>(y: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let (w, v) = (y.slice(-2, ..1), y.slice(-2, 1..));
    let apart = reciprocal(w - transposed(w), rounding(w));
    let turned = apart * transposed(v).matmul(g.slice(-2, 1..));
    let inner = is_diagonal(turned).select(g.slice(-2, ..1), turned);
    symmetric(v.matmul(inner).matmul(transposed(v)))
}

/// `U diag(g) Vᵀ`, without the singular values that are zero.
pub(super) fn svdvals<'g>(a: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let [u, s, v] = svd_parts(emit(Linalg::Svd, [a]), a);
    let g = s.gt(rounding(s)).select(g.expand_dims(-2), 0.0);
    (u * g).matmul(transposed(v))
}

/// With `F = 1 / (sⱼ² - sᵢ²)`, 0 where these are equal, `X = F ∘ (Uᵀ gu - guᵀ U)`, `Y = F ∘ (Vᵀ gv - gvᵀ V)`:
/// `U (X S + S Y + diag(gs)) Vᵀ + (1 - U Uᵀ) gu S⁻¹ Vᵀ + U S⁻¹ gvᵀ (1 - V Vᵀ)`.
pub(super) fn svd<'g>(a: Expr<'g>, y: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let ([u, s, v], [gu, gs, gv]) = (svd_parts(y, a), svd_parts(g, a));
    let (near, column) = (rounding(s), transposed(s));
    let apart = reciprocal(s - column, near) * reciprocal(s + column, near);
    let turn = |x: Expr<'g>, gx: Expr<'g>| {
        let along = transposed(x).matmul(gx);
        (along, apart * (along - transposed(along)))
    };
    let ((along_u, x), (along_v, y)) = (turn(u, gu), turn(v, gv));
    let inner = x * s + column * y;
    let inner = is_diagonal(inner).select(gs, inner);
    let inverse = reciprocal(s, near);
    let beside_u = (gu - u.matmul(along_u)) * inverse;
    let beside_v = (gv - v.matmul(along_v)) * inverse;
    (u.matmul(inner) + beside_u).matmul(transposed(v)) + u.matmul(transposed(beside_v))
}

/// `(gq + Q M) R⁻ᵀ`, with the symmetric `M` whose lower triangle is that of `R grᵀ - gqᵀ Q`.
pub(super) fn qr<'g>(a: Expr<'g>, y: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let ([q, l], [gq, gl]) = (qr_parts(y, a), qr_parts(g, a));
    let inner = transposed(l).matmul(lower(gl)) - transposed(gq).matmul(q);
    let inner = lower(inner) + transposed(strictly_lower(inner));
    let whole = gq + q.matmul(inner);
    let op = Linalg::TriangularSolve(Triangular::lower().transposed());
    transposed(emit(op, [l, transposed(whole)]))
}

/// `-Pᵀ g Pᵀ + (gᵀ - a P gᵀ) P Pᵀ + Pᵀ P (gᵀ - gᵀ P a)`: where the rank stays as it is (Golub and Pereyra, 1973).
pub(super) fn pinv<'g>(a: Expr<'g>, p: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let (pt, gt) = (transposed(p), transposed(g));
    let left = (gt - a.matmul(p.matmul(gt))).matmul(p).matmul(pt);
    let right = pt.matmul(p).matmul(gt - gt.matmul(p).matmul(a));
    left + right - pt.matmul(g).matmul(pt)
}

/// The derivative of `exp` at `aᵀ` in the direction `g`.
pub(super) fn expm<'g>(a: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    emit(Linalg::ExpmAlong, [transposed(a), g])
}

/// Of `y = D exp(a)[b]`, which is the upper right block of `exp(x)` for `x = (a b; 0 a)`: the derivative in `x` is that of `exp` at
/// `xᵀ` in the direction of `(0 g; 0 0)`, and `a` stands in both blocks on the diagonal. It is linear in `b`.
pub(super) fn expm_along<'g>(k: usize, inputs: &[Expr<'g>], y: Expr<'g>, g: Expr<'g>) -> Expr<'g> {
    let at = transposed(inputs[0]);
    if k == 1 {
        return emit(Linalg::ExpmAlong, [at, g]);
    }
    let [at, along] = [at, transposed(inputs[1])].map(|block| block.broadcast_like(y));
    let zeros = y.graph().literal(Literal::rounded(0.0, y.dtype())).broadcast_like(y);
    let blocks = |upper: [Expr<'g>; 2], lower: [Expr<'g>; 2]| {
        let rows = [upper, lower].map(|row| concat(&row, y.ndim() - 1));
        concat(&rows, y.ndim() - 2)
    };
    let whole =
        emit(Linalg::ExpmAlong, [blocks([at, zeros], [along, at]), blocks([zeros, g], [zeros, zeros])]);
    let [upper, lower] = [0, 1].map(|i| whole.split(-2, 2)[i].split(-1, 2)[i]);
    upper + lower
}
