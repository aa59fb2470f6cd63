//! Linear algebra: factorisations against their definitions, derivatives against differences, conventions, errors.

use gradus::ops::Triangular;
use gradus::{Graph, Var};
use ndarray::{Array2, ArrayD, Axis, IxDyn, array};

use crate::support::{Formula, Laid, Lie, Rng, Slope, assert_close, check_derivatives, panicked};

/// Matrices with entries up to `size`, and a diagonal that is added to.
fn with_diagonal(rng: &mut Rng, shape: &[usize], size: f64, diagonal: impl Fn(usize) -> f64) -> ArrayD<f64> {
    let mut a = rng.array(shape, -size, size);
    let rows = shape[shape.len() - 2];
    for (i, mut row) in a.lanes_mut(Axis(shape.len() - 1)).into_iter().enumerate() {
        if let Some(x) = row.get_mut(i % rows) {
            *x += diagonal(i % rows);
        }
    }
    a
}

/// Far from singular, with a determinant of either sign.
fn regular(rng: &mut Rng, shape: &[usize]) -> ArrayD<f64> {
    with_diagonal(rng, shape, 1.0, |i| if i % 2 == 0 { 3.0 } else { -2.5 })
}

/// Positive definite when made symmetric.
fn positive(rng: &mut Rng, shape: &[usize]) -> ArrayD<f64> {
    let n = shape[shape.len() - 1] as f64;
    with_diagonal(rng, shape, 1.0, |i| 1.0 + n + 0.3 * i as f64)
}

/// With eigenvalues and singular values that are far from each other.
fn spread(rng: &mut Rng, shape: &[usize]) -> ArrayD<f64> {
    with_diagonal(rng, shape, 0.6, |i| 1.5 + 2.5 * i as f64)
}

type Draw = fn(&mut Rng, &[usize]) -> ArrayD<f64>;

fn check_rows(rows: &[(&str, Draw, &[usize], Formula<'_>)]) {
    let mut rng = Rng(5);
    for &(label, draw, shape, formula) in rows {
        for lie in [Lie::C, Lie::Transposed, Lie::Reversed, Lie::Stepped] {
            check_derivatives(label, Slope::Some, || vec![Laid::new(draw(&mut rng, shape), lie)], formula);
        }
    }
}

#[test]
fn derivatives_of_one_operand() {
    check_rows(&[
        ("cholesky 1x1", positive, &[1, 1], &|x| x[0].cholesky()),
        ("cholesky", positive, &[3, 3], &|x| x[0].cholesky()),
        ("cholesky, batch", positive, &[2, 3, 3], &|x| x[0].cholesky()),
        ("inv", regular, &[3, 3], &|x| x[0].inv()),
        ("inv, batch", regular, &[2, 1, 2, 2], &|x| x[0].inv()),
        ("det", regular, &[3, 3], &|x| x[0].det()),
        ("det 4", regular, &[4, 4], &|x| x[0].det() * 0.05),
        ("det, batch", regular, &[2, 2, 2], &|x| x[0].det()),
        ("ln |det|", regular, &[3, 3], &|x| x[0].slogdet().1),
        ("ln det of a positive definite", positive, &[3, 3], &|x| x[0].logdet_spd()),
        ("eigvalsh", spread, &[4, 4], &|x| x[0].eigvalsh()),
        ("eigvalsh, batch", spread, &[2, 3, 3], &|x| x[0].eigvalsh()),
        ("eigh, values", spread, &[3, 3], &|x| x[0].eigh().0),
        ("eigh, vectors", spread, &[3, 3], &|x| x[0].eigh().1),
        ("eigh, both", spread, &[2, 3, 3], &|x| {
            let (w, v) = x[0].eigh();
            v * w.expand_dims(-2) + v
        }),
        ("svdvals, tall", spread, &[4, 2], &|x| x[0].svdvals()),
        ("svdvals, wide", spread, &[2, 2, 3], &|x| x[0].svdvals()),
        ("nuclear_norm", spread, &[3, 2], &|x| x[0].nuclear_norm()),
        ("spectral_norm", spread, &[3, 2], &|x| x[0].spectral_norm()),
        ("svd, u tall", spread, &[4, 2], &|x| x[0].svd().0),
        ("svd, u wide", spread, &[2, 4], &|x| x[0].svd().0),
        ("svd, v tall", spread, &[4, 2], &|x| x[0].svd().2),
        ("svd, v wide", spread, &[2, 4], &|x| x[0].svd().2),
        ("svd, square", spread, &[2, 3, 3], &|x| {
            let (u, s, vt) = x[0].svd();
            u * s.expand_dims(-2) + vt.sin()
        }),
        ("qr, q", regular, &[4, 3], &|x| x[0].qr().0),
        ("qr, r", regular, &[4, 3], &|x| x[0].qr().1),
        ("qr, square", regular, &[2, 3, 3], &|x| x[0].qr().0 + x[0].qr().1),
        ("qr, q wide", regular, &[2, 3], &|x| x[0].qr().0),
        ("qr, r wide", regular, &[2, 2, 4], &|x| x[0].qr().1),
        ("matrix_power 1", regular, &[3, 3], &|x| x[0].matrix_power(1)),
        ("matrix_power 5", regular, &[2, 2], &|x| x[0].matrix_power(5) * 0.01),
        ("matrix_power -2", regular, &[2, 3, 3], &|x| x[0].matrix_power(-2)),
        ("expm", regular, &[3, 3], &|x| (x[0] * 0.3).expm()),
        ("expm, batch", regular, &[2, 2, 2], &|x| (x[0] * 0.3).expm()),
        ("pinv, tall", regular, &[4, 2], &|x| x[0].pinv()),
        ("pinv, wide", regular, &[2, 2, 3], &|x| x[0].pinv()),
        ("pinv, of constant rank", regular, &[4, 2], &|x| x[0].slice(-2, ..3).matmul(x[0].t()).pinv()),
    ]);
}

#[test]
fn derivatives_of_systems() {
    let mut rng = Rng(6);
    let rows: &[(&str, &[usize], &[usize], Formula<'_>)] = &[
        ("solve, vector", &[3, 3], &[3], &|x| x[0].solve(x[1])),
        ("solve, matrix", &[3, 3], &[3, 2], &|x| x[0].solve(x[1])),
        ("solve, batch", &[2, 3, 3], &[2, 3, 2], &|x| x[0].solve(x[1])),
        ("solve, batch and one vector", &[2, 3, 3], &[3], &|x| x[0].solve(x[1])),
        ("solve, broadcast", &[2, 1, 2, 2], &[3, 2, 1], &|x| x[0].solve(x[1])),
        ("solve, itself", &[3, 3], &[3, 3], &|x| x[0].solve(x[0] + x[1])),
        ("triangular_solve, lower", &[3, 3], &[3, 2], &|x| x[0].triangular_solve(x[1], Triangular::lower())),
        ("triangular_solve, upper", &[3, 3], &[3], &|x| x[0].triangular_solve(x[1], Triangular::upper())),
        ("triangular_solve, transposed", &[2, 3, 3], &[3], &|x| {
            x[0].triangular_solve(x[1], Triangular::lower().transposed())
        }),
        ("triangular_solve, unit", &[3, 3], &[2, 3, 1], &|x| {
            x[0].triangular_solve(x[1], Triangular::upper().unit_diagonal().transposed())
        }),
        ("cho_solve", &[3, 3], &[3, 2], &|x| x[0].cholesky().cho_solve(x[1])),
        ("cho_solve, vector", &[2, 3, 3], &[3], &|x| x[0].cholesky().cho_solve(x[1])),
        ("lstsq, vector", &[5, 2], &[5], &|x| x[0].lstsq(x[1])),
        ("lstsq, matrix", &[2, 4, 3], &[4, 2], &|x| x[0].lstsq(x[1])),
        ("lstsq, wide", &[2, 4], &[2], &|x| x[0].lstsq(x[1])),
    ];
    for &(label, a, b, formula) in rows {
        for lie in [Lie::C, Lie::Transposed, Lie::Broadcast] {
            let mut draw = || {
                let b = rng.array(b, -1.0, 1.0);
                vec![Laid::new(positive(&mut rng, a), Lie::C), Laid::new(b, lie)]
            };
            check_derivatives(label, Slope::Some, &mut draw, formula);
        }
    }
}
