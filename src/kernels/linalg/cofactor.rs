//! Cofactors, and their derivatives, without division by the determinant.
//!
//! `det(a + Σ tᵢ hᵢ + t g)` is a polynomial; its coefficient of `t₁ ⋯ tₖ t` is linear in `g`, so it is `Σ c g` with a matrix
//! `c` that the `hᵢ` give. For `k = 0` that is the matrix of cofactors, else a derivative of it.
//!
//! With `a = x s y`, where `s` is diagonal and `x`, `y` have determinants ±1, the coefficient is that of
//! `det(s + Σ tᵢ x⁻¹ hᵢ y⁻¹ + …)`, up to the sign. That one is a sum over the rows that the factors are taken from, the
//! columns in which they stand, and the products of the remaining diagonal.

use smallvec::SmallVec;

use super::{Entry, Triangle, add_scaled, swap_rows, transpose, triangular_solve, two_rows};

/// What [`cofactor`] works in, for so many `hᵢ`.
pub(crate) fn cofactor_scratch(n: usize, order: usize) -> usize {
    n * n * (order + 3) + 3 * n
}

/// The cofactors of `a`, or their derivative in these directions.
pub(crate) fn cofactor<T: Entry>(a: &[T], directions: &[&[T]], n: usize, out: &mut [T], work: &mut [T]) {
    if a.iter().any(|x| !x.is_finite()) {
        return out.fill(T::nan());
    }
    let (lu, work) = work.split_at_mut(n * n);
    let (sum, work) = work.split_at_mut(n * n);
    let (places, work) = work.split_at_mut(2 * n);
    let (diagonal, work) = work.split_at_mut(n);
    let (moved, spare) = work.split_at_mut(n * n * directions.len());
    lu.copy_from_slice(a);
    let sign = factorise(lu, n, places, diagonal);
    let place = |i: usize| places[i].to_usize().unwrap_or(0);
    let solve = |x: &mut [T], spare: &mut [T], transposed: bool| {
        let of = Triangle { lower: true, transposed, unit: true };
        triangular_solve(lu, n, of, x, n);
        transpose(x, n, n, spare);
        let of = Triangle { lower: false, transposed: !transposed, unit: true };
        triangular_solve(lu, n, of, spare, n);
        transpose(spare, n, n, x);
    };
    for (x, h) in moved.chunks_exact_mut((n * n).max(1)).zip(directions) {
        for i in 0..n {
            (0..n).for_each(|j| x[i * n + j] = h[place(i) * n + place(n + j)]);
        }
        solve(x, spare, false);
    }
    sum.fill(T::zero());
    let factors: SmallVec<[&[T]; 4]> = moved.chunks_exact((n * n).max(1)).collect();
    Mixed { diagonal, factors: &factors, n, sum: &mut *sum, rows: SmallVec::new() }.choose_rows();
    solve(sum, spare, true);
    for i in 0..n {
        (0..n).for_each(|j| out[place(i) * n + place(n + j)] = sign * sum[i * n + j]);
    }
}

/// `a = p l s u q`, with permutations `p` and `q`, a lower and an upper triangle with ones on the diagonal, both in `a`, and
/// a diagonal. The pivot is the largest entry that is left, so the triangles are far from singular, and what is zero of the
/// diagonal stands at its end. `places` say which row and which column of `a` has become each. Gives the sign of `p` and `q`.
fn factorise<T: Entry>(a: &mut [T], n: usize, places: &mut [T], diagonal: &mut [T]) -> T {
    let mut sign = T::one();
    for i in 0..n {
        (places[i], places[n + i]) = (T::of(i as f64), T::of(i as f64));
    }
    for k in 0..n {
        let left = (k..n).flat_map(|i| (k..n).map(move |j| (i, j)));
        let size = |(i, j): (usize, usize)| a[i * n + j].abs();
        let (row, column) = left.fold((k, k), |best, at| if size(at) > size(best) { at } else { best });
        if row != k {
            swap_rows(a, n, k, row);
            places.swap(k, row);
            sign = -sign;
        }
        if column != k {
            (0..n).for_each(|i| a.swap(i * n + k, i * n + column));
            places.swap(n + k, n + column);
            sign = -sign;
        }
        let pivot = a[k * n + k];
        diagonal[k] = pivot;
        // Then all that is left is zero, which triangles with ones alone make of zeros.
        if pivot == T::zero() {
            continue;
        }
        a[k * n + k + 1..(k + 1) * n].iter_mut().for_each(|x| *x /= pivot);
        for i in k + 1..n {
            let (upper, lower) = two_rows(a, n, k, i);
            let factor = -lower[k];
            add_scaled(&mut lower[k + 1..], factor, &upper[k + 1..]);
            lower[k] /= pivot;
        }
    }
    sign
}

/// The sum over all choices of different rows, one for each factor and one for the result, and over the permutations that
/// say in which of these columns each stands.
struct Mixed<'a, T> {
    diagonal: &'a [T],
    factors: &'a [&'a [T]],
    n: usize,
    sum: &'a mut [T],
    rows: SmallVec<[usize; 8]>,
}

impl<T: Entry> Mixed<'_, T> {
    fn choose_rows(&mut self) {
        if self.rows.len() > self.factors.len() {
            let others = (0..self.n).filter(|i| !self.rows.contains(i));
            let product = others.fold(T::one(), |product, i| product * self.diagonal[i]);
            if product != T::zero() {
                self.place(&mut self.rows.clone(), 0, product);
            }
            return;
        }
        for row in 0..self.n {
            if !self.rows.contains(&row) {
                self.rows.push(row);
                self.choose_rows();
                self.rows.pop();
            }
        }
    }

    /// Column number `k` and the later ones, of all permutations; each exchange changes the sign.
    fn place(&mut self, columns: &mut [usize], k: usize, product: T) {
        let row = self.rows[k];
        let Some(factor) = self.factors.get(k) else {
            self.sum[row * self.n + columns[k]] += product;
            return;
        };
        for other in k..columns.len() {
            columns.swap(k, other);
            let signed = if other == k { product } else { -product };
            self.place(columns, k + 1, signed * factor[row * self.n + columns[k]]);
            columns.swap(k, other);
        }
    }
}
