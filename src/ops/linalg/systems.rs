//! Systems of equations, inverses, determinants and powers.

use super::rules::{emit, identity_like};
use super::{Linalg, Triangular};
use crate::element::Real;
use crate::error::{Error, fail};
use crate::graph::{Expr, Var};
use crate::ops::IntoVar;

/// Right sides as columns: a vector is one of them.
#[track_caller]
fn columns<'g, T: Real>(b: Var<'g, T>) -> Var<'g, T> {
    if b.ndim() == 1 { b.expand_dims(-1) } else { b }
}

/// Solutions in the form of their right sides.
#[track_caller]
fn in_form_of<'g, T: Real>(b: Var<'g, T>, solutions: Var<'g, T>) -> Var<'g, T> {
    if b.ndim() == 1 { solutions.squeeze(-1) } else { solutions }
}

/// Refuses what is not square, for operations that are made of others.
#[track_caller]
fn require_square(op: &'static str, x: Expr<'_>) {
    if !matches!(x.shape()[..], [.., m, n] if m == n) {
        let operand = Box::new(x.graph().arena().describe(x.id()));
        fail(&Error::Rank { op, expected: "square matrices (.., n, n)", operand });
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// The Cholesky factor of `(A + Aᵀ) / 2`: the lower triangular `L` with a positive diagonal for which it is `L Lᵀ`, of
    /// square matrices `(.., n, n)`. All of it is NaN where there is none, that is where the matrix is not positive
    /// definite, as in JAX.
    ///
    /// Derivative: `L⁻ᵀ Φ(Lᵀ g) L⁻¹` made symmetric, where `Φ` takes the lower triangle and half of the diagonal: the matrix is made
    /// symmetric first, so its gradient is symmetric.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[4.0, 2.0], [2.0, 5.0]]);
    /// assert_eq!(a.cholesky().value()?, array![[2.0, 0.0], [1.0, 2.0]].into_dyn());
    /// let indefinite = g.input("indefinite", array![[1.0_f64, 2.0], [2.0, 1.0]]);
    /// assert!(indefinite.cholesky().value()?.iter().all(|x| x.is_nan()));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`cholesky` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn cholesky(self) -> Self {
        emit(Linalg::Cholesky, [self.erase()]).retype()
    }

    /// The solution `x` of `A x = b` for a triangular `A`, of which the other triangle is not read: SciPy's
    /// `solve_triangular`. With [`transposed`](Triangular::transposed) that of `Aᵀ x = b`.
    ///
    /// `(.., n, n)` and `(.., n, k)` give `(.., n, k)`, with the axes before broadcast; a vector `(n,)` gives `(.., n)`. A
    /// zero on the diagonal gives infinities and NaN.
    ///
    /// Derivatives: `-(A⁻ᵀ g) xᵀ` in the triangle that is read and 0 elsewhere, `A⁻ᵀ g`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::Triangular;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[2.0, 9.0], [1.0, 4.0]]);
    /// let x = a.triangular_solve(array![2.0, 5.0], Triangular::lower());
    /// assert_eq!(x.value()?, array![1.0, 1.0].into_dyn());
    /// let x = a.triangular_solve(array![2.0, 4.0], Triangular::lower().transposed());
    /// assert_eq!(x.value()?, array![0.5, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`solve`](Self::solve).
    #[track_caller]
    #[must_use]
    pub fn triangular_solve(self, b: impl IntoVar<'g, T>, of: Triangular) -> Self {
        let b = b.into_var(self.graph(), self.dtype_beside());
        emit(Linalg::TriangularSolve(of), [self.erase(), b.erase()]).retype()
    }

    /// The solution `x` of `L Lᵀ x = b` for a Cholesky factor `L`, by two triangular systems: `a.cholesky().cho_solve(b)` is the
    /// solution of `A x = b` for a symmetric positive definite `A`. Shapes as for [`solve`](Self::solve).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[4.0, 2.0], [2.0, 5.0]]);
    /// let x = a.cholesky().cho_solve(array![6.0, 7.0]);
    /// assert_eq!(x.value()?, array![1.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`solve`](Self::solve).
    #[track_caller]
    #[must_use]
    pub fn cho_solve(self, b: impl IntoVar<'g, T>) -> Self {
        let b = b.into_var(self.graph(), self.dtype_beside());
        let lower = Triangular::lower();
        let half = self.triangular_solve(columns(b), lower);
        in_form_of(b, self.triangular_solve(half, lower.transposed()))
    }

    /// The solution `x` of `A x = b`, by elimination with pivots: NumPy's `linalg.solve`.
    ///
    /// `(.., n, n)` and `(.., n, k)` give `(.., n, k)`, with the axes before broadcast; a vector `(n,)` gives `(.., n)`. A
    /// singular matrix gives infinities or NaN, as in JAX.
    ///
    /// Derivatives: `-(A⁻ᵀ g) xᵀ`, `A⁻ᵀ g`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0, 2.0], [1.0, 1.0]]);
    /// let b = g.input("b", array![2.0, 3.0]);
    /// let x = a.solve(b);
    /// assert_eq!(x.value()?, array![2.0, 1.0].into_dyn());
    /// assert_eq!(x.sum().grad(b).value()?, array![0.0, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// - "`solve` requires square matrices (.., n, n), got (2, 3)",
    /// - "`solve` requires a right side (3,) or (.., 3, k), got (2,)",
    /// - if the axes before do not broadcast: "`solve` cannot broadcast (2, 3, 3) and (4, 3, 1): 2 (axis 0) != 4 (axis 0)".
    #[track_caller]
    #[must_use]
    pub fn solve(self, b: impl IntoVar<'g, T>) -> Self {
        let b = b.into_var(self.graph(), self.dtype_beside());
        emit(Linalg::Solve { transposed: false }, [self.erase(), b.erase()]).retype()
    }

    /// The `x` for which `|A x - b|` is least, and the shortest of them if there are several: NumPy's `linalg.lstsq`, without
    /// what else that returns. By [`qr`](Self::qr) where `A` has at least as many rows as columns, whose columns then have to be
    /// independent; else by [`pinv`](Self::pinv).
    ///
    /// `(.., m, n)` and `(.., m, k)` give `(.., n, k)`; a vector `(m,)` gives `(.., n)`. Derivative: that of the formula.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// // The line 1 + 2 t through four points.
    /// let a = g.input("a", array![[1.0_f64, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]);
    /// let x = a.lstsq(array![1.0, 3.0, 5.0, 7.0]).value()?;
    /// assert!((x[[0]] - 1.0).abs() < 1e-14 && (x[[1]] - 2.0).abs() < 1e-14);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// Whether there are fewer rows than columns is decided when the formula is written: other sizes that are fed must agree.
    ///
    /// # Panics
    /// If the shapes do not fit, as [`qr`](Self::qr) and [`matmul`](Self::matmul).
    #[track_caller]
    #[must_use]
    pub fn lstsq(self, b: impl IntoVar<'g, T>) -> Self {
        let b = b.into_var(self.graph(), self.dtype_beside());
        let shape = self.shape();
        if matches!(shape[..], [.., m, n] if m < n) {
            return in_form_of(b, self.pinv().matmul(columns(b)));
        }
        let (q, r) = self.qr();
        let right = q.matrix_t().matmul(columns(b));
        in_form_of(b, r.triangular_solve(right, Triangular::upper()))
    }

    /// The inverse of square matrices `(.., n, n)`. A singular matrix gives infinities or NaN, as in JAX.
    /// Derivative: `-A⁻ᵀ g A⁻ᵀ`.
    ///
    /// For `A⁻¹ b` [`solve`](Self::solve) is faster and more accurate.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[2.0, 1.0], [0.0, 4.0]]);
    /// assert_eq!(a.inv().value()?, array![[0.5, -0.125], [0.0, 0.25]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`inv` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn inv(self) -> Self {
        emit(Linalg::Inv, [self.erase()]).retype()
    }

    /// The determinant of square matrices: `(.., n, n)` gives `(..)`. It is 1 for a matrix without rows.
    ///
    /// Derivative: `g` times the cofactors. These, and their derivatives, are computed without dividing by the determinant, so
    /// every derivative is right for singular matrices too.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[1.0, 2.0], [2.0, 4.0]]);
    /// assert_eq!(a.det().item()?, 0.0);
    /// assert_eq!(a.det().grad(a).value()?, array![[4.0, -2.0], [-2.0, 1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`det` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn det(self) -> Self {
        emit(Linalg::Det, [self.erase()]).retype()
    }

    /// The sign of the determinant (-1, 0 or 1), and `ln |det A|`, which neither overflows nor underflows; -∞ for a singular
    /// matrix. `(.., n, n)` gives `(..)` twice.
    ///
    /// Derivatives: 0, `A⁻ᵀ`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0, 2.0], [1.0, 0.0]]);
    /// let (sign, ln) = a.slogdet();
    /// assert_eq!((sign.item()?, ln.item()?), (-1.0, 2_f64.ln()));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`slogdet` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn slogdet(self) -> (Self, Self) {
        let x = self.erase();
        require_square("slogdet", x);
        (emit(Linalg::DetSign, [x]).retype(), emit(Linalg::LogAbsDet, [x]).retype())
    }

    /// `ln det` of symmetric positive definite matrices, from their [`cholesky`](Self::cholesky) factor: `2 Σ ln Lᵢᵢ`. NaN where a matrix
    /// is not positive definite.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[4.0, 2.0], [2.0, 5.0]]);
    /// assert!((a.logdet_spd().item()? - 16_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`logdet_spd` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn logdet_spd(self) -> Self {
        let x = self.erase();
        require_square("logdet_spd", x);
        let l = x.cholesky();
        let diagonal = l.index_along(-2).eq(l.index_along(-1)).select(l, 0.0).sum_axis(-1);
        (diagonal.ln().sum_axis(-1) * 2.0).retype()
    }

    /// `Aⁿ` of square matrices `(.., k, k)`, by repeated squaring: the identity for `n = 0`, whatever `A` is, and the power of the
    /// inverse for a negative `n`.
    ///
    /// Derivative: that of the product.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let fibonacci = g.input("a", array![[1.0, 1.0], [1.0, 0.0]]);
    /// assert_eq!(fibonacci.matrix_power(10).value()?, array![[89.0, 55.0], [55.0, 34.0]].into_dyn());
    /// assert_eq!(fibonacci.matrix_power(-1).value()?, array![[0.0, 1.0], [1.0, -1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`matrix_power` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn matrix_power(self, n: i32) -> Self {
        let x = self.erase();
        require_square("matrix_power", x);
        if n == 0 {
            // The matrix is never selected, but the power depends on it: its gradient is zero, not absent.
            let never = x.index_along(-1).lt(0.0);
            return never.select(x, identity_like(x)).retype();
        }
        let mut square = if n < 0 { x.inv() } else { x };
        let (mut power, mut rest) = (None, n.unsigned_abs());
        while rest > 0 {
            if rest % 2 == 1 {
                power = Some(match power {
                    Some(power) => Expr::matmul(power, square),
                    None => square,
                });
            }
            rest /= 2;
            if rest > 0 {
                square = square.matmul(square);
            }
        }
        power.unwrap_or(x).retype()
    }

    /// The exponential of square matrices `(.., n, n)`, `1 + A + A² / 2 + …`: a Padé approximant of `A / 2ˢ`, squared `s` times.
    /// NaN where an entry is not finite.
    ///
    /// Derivative: that of `exp` at `Aᵀ` in the direction `g`, which is the upper right block of the exponential of
    /// `(Aᵀ g; 0 Aᵀ)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0_f64, -1.0], [1.0, 0.0]]);
    /// let turn = (a * std::f64::consts::PI).expm().value()?;
    /// assert!((turn[[0, 0]] + 1.0).abs() < 1e-14 && turn[[0, 1]].abs() < 1e-14);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`expm` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn expm(self) -> Self {
        emit(Linalg::Expm, [self.erase()]).retype()
    }
}
