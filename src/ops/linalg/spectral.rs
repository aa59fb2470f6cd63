//! Eigenvalues, singular values, orthogonal factors, and what is made of them.

use super::super::matmul::transposed;
use super::Linalg;
use super::rules::{emit, qr_parts, svd_parts};
use crate::element::Real;
use crate::graph::Var;
use crate::ops::concat;

impl<'g, T: Real> Var<'g, T> {
    /// The last two axes exchanged: the transpose of each matrix of a batch.
    #[track_caller]
    pub(super) fn matrix_t(self) -> Self {
        transposed(self.erase()).retype()
    }

    /// The eigenvalues of `(A + Aᵀ) / 2` in ascending order, and its eigenvectors in columns: `(.., n, n)` gives `(.., n)` and
    /// `(.., n, n)`. Of each eigenvector and its opposite it is the one whose entry of largest absolute value is positive (of several
    /// that are equal, the first). NaN where an entry is not finite.
    ///
    /// Derivative: `V (diag(gw) + F ∘ Vᵀ gv) Vᵀ` made symmetric, with `F = 1 / (wⱼ - wᵢ)`. Where two eigenvalues are equal, but for rounding,
    /// their eigenvectors have no derivative, and the `F` of the pair is 0: the derivative of the values is right, and
    /// that of what depends on the space of the two eigenvectors alone has no part of turning within it.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[2.0, 0.0], [0.0, 1.0]]);
    /// let (values, vectors) = a.eigh();
    /// assert_eq!(values.value()?, array![1.0, 2.0].into_dyn());
    /// assert_eq!(vectors.value()?, array![[0.0, 1.0], [1.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`eigh` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn eigh(self) -> (Self, Self) {
        let packed: Self = emit(Linalg::Eigh, [self.erase()]).retype();
        (packed.slice(-2, ..1).squeeze(-2), packed.slice(-2, 1..))
    }

    /// The eigenvalues of `(A + Aᵀ) / 2` in ascending order: `(.., n, n)` gives `(.., n)`.
    ///
    /// Derivative: `V diag(g) Vᵀ`, with the eigenvectors `V` of [`eigh`](Self::eigh). Where eigenvalues are equal each gets the share of the
    /// vectors that were found.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[1.0_f64, 2.0], [2.0, 1.0]]);
    /// let values = a.eigvalsh().value()?;
    /// assert!((values[[0]] + 1.0).abs() < 1e-15 && (values[[1]] - 3.0).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`eigvalsh` requires square matrices (.., n, n), got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn eigvalsh(self) -> Self {
        emit(Linalg::Eigvalsh, [self.erase()]).retype()
    }

    /// The reduced singular value decomposition `A = U diag(s) Vᵀ`, as NumPy's with `full_matrices=False`: `(.., m, n)` gives `U`,
    /// `(.., m, k)`, `s`, `(.., k)`, in descending order, and `Vᵀ`, `(.., k, n)`, with `k = min(m, n)`. In each column of `U` the entry of
    /// largest absolute value is positive (of several that are equal, the first). NaN where an entry is not finite.
    ///
    /// Derivative: with `F = 1 / (sⱼ² - sᵢ²)`, `X = F ∘ (Uᵀ gu - guᵀ U)` and `Y = F ∘ (Vᵀ gv - gvᵀ V)` it is
    /// `U (X S + S Y + diag(gs)) Vᵀ + (1 - U Uᵀ) gu S⁻¹ Vᵀ + U S⁻¹ gvᵀ (1 - V Vᵀ)`. Where two singular values are equal, but for rounding, or one is
    /// zero, their vectors have no derivative, and what would be divided by zero is 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]]);
    /// let (u, s, vt) = a.svd();
    /// assert_eq!(s.value()?, array![3.0, 2.0].into_dyn());
    /// assert_eq!(u.value()?, array![[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]].into_dyn());
    /// assert_eq!(vt.value()?, array![[1.0, 0.0], [0.0, 1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`svd` requires matrices (.., m, n), got (3,)".
    #[track_caller]
    #[must_use]
    pub fn svd(self) -> (Self, Self, Self) {
        let packed = emit(Linalg::Svd, [self.erase()]);
        let [u, s, v] = svd_parts(packed, self.erase());
        (u.retype(), s.squeeze(-2).retype(), transposed(v).retype())
    }

    /// The singular values in descending order: `(.., m, n)` gives `(.., min(m, n))`.
    ///
    /// Derivative: `U diag(g) Vᵀ`, with the vectors of [`svd`](Self::svd); a singular value that is zero, but for rounding, has the derivative
    /// 0, as `|x|` at 0.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0, -2.0, 0.0], [3.0, 0.0, 0.0]]);
    /// assert_eq!(a.svdvals().value()?, array![3.0, 2.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`svdvals` requires matrices (.., m, n), got (3,)".
    #[track_caller]
    #[must_use]
    pub fn svdvals(self) -> Self {
        emit(Linalg::Svdvals, [self.erase()]).retype()
    }

    /// The sum of the singular values: `(.., m, n)` gives `(..)`. Derivative: `U Vᵀ`, without the singular values that are zero.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0, -2.0], [3.0, 0.0]]);
    /// assert_eq!(a.nuclear_norm().item()?, 5.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`svdvals`](Self::svdvals).
    #[track_caller]
    #[must_use]
    pub fn nuclear_norm(self) -> Self {
        self.svdvals().sum_axis(-1)
    }

    /// The largest singular value, NumPy's `norm(a, 2)` of a matrix: `(.., m, n)` gives `(..)`. Derivative: `u vᵀ` of its vectors; the
    /// mean of several that are equal.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0, -2.0], [3.0, 0.0]]);
    /// assert_eq!(a.spectral_norm().item()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`svdvals`](Self::svdvals), and if there is no singular value.
    #[track_caller]
    #[must_use]
    pub fn spectral_norm(self) -> Self {
        self.svdvals().max_axis(-1)
    }

    /// The reduced decomposition `A = Q R` into orthonormal columns and an upper triangle whose diagonal is positive: `(.., m, n)` gives
    /// `Q`, `(.., m, k)`, and `R`, `(.., k, n)`, with `k = min(m, n)`.
    ///
    /// Derivative: `(gq + Q M) R⁻ᵀ`, where `M` is symmetric and has the lower triangle of `R grᵀ - gqᵀ Q`; not defined, infinite or NaN, where
    /// the first `k` columns are dependent. Of a wide matrix the left part, which is square, is decomposed, and the rest of `R` is `Qᵀ` times
    /// the rest; then the number of rows is that of the recorded shape, and a run with another one is an error.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[0.0, -1.0], [2.0, 5.0]]);
    /// let (q, r) = a.qr();
    /// assert_eq!(q.value()?, array![[0.0, -1.0], [1.0, 0.0]].into_dyn());
    /// assert_eq!(r.value()?, array![[2.0, 5.0], [0.0, 1.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`qr` requires matrices with at least as many rows as columns, got (3,)".
    #[track_caller]
    #[must_use]
    pub fn qr(self) -> (Self, Self) {
        let a = self.erase();
        let rows = match self.shape()[..] {
            [.., m, n] if m < n => Some(m),
            _ => None,
        };
        let left = rows.map_or(a, |m| a.slice(-1, ..m));
        let packed = emit(Linalg::Qr { square: rows.is_some() }, [left]);
        let [q, l] = qr_parts(packed, left);
        let r = transposed(l);
        let r = rows.map_or(r, |m| {
            let rest = transposed(q).matmul(a.slice(-1, m..));
            concat(&[r, rest], a.ndim() - 1)
        });
        (q.retype(), r.retype())
    }

    /// The pseudo-inverse, `(.., m, n)` gives `(.., n, m)`: `V diag(1/s) Uᵀ` without the singular values that are at most `10 ε max(m, n)` times the
    /// largest, as JAX has it. It is `(Aᵀ A)⁻¹ Aᵀ` where the columns are independent, and `Aᵀ (A Aᵀ)⁻¹` where the rows are.
    ///
    /// Derivative, where the rank stays as it is: `-Pᵀ g Pᵀ + (1 - A P) gᵀ P Pᵀ + Pᵀ P gᵀ (1 - P A)`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[2.0, 0.0], [0.0, 0.0], [0.0, 4.0]]);
    /// assert_eq!(a.pinv().value()?, array![[0.5, 0.0, 0.0], [0.0, 0.0, 0.25]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// "`pinv` requires matrices (.., m, n), got (3,)".
    #[track_caller]
    #[must_use]
    pub fn pinv(self) -> Self {
        emit(Linalg::Pinv, [self.erase()]).retype()
    }
}
