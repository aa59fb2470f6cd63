//! Linear algebra: factorisations against their definitions, derivatives against differences, conventions, errors.

use gradus::ops::Triangular;
use gradus::{Float, Graph, Var};
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix2, array};

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

fn matrix(a: &ArrayD<f64>) -> ArrayView2<'_, f64> {
    a.view().into_dimensionality::<Ix2>().unwrap()
}

/// How far two matrices are from each other.
fn distance(a: &Array2<f64>, b: ArrayView2<'_, f64>) -> f64 {
    (a - &b).iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// At least the norm of a matrix, however large its entries are.
fn norm(a: ArrayView2<'_, f64>) -> f64 {
    a.iter().fold(0.0_f64, |largest, x| largest.max(x.abs())) * (a.len() as f64).sqrt()
}

fn is_orthonormal(a: ArrayView2<'_, f64>, columns: usize) -> bool {
    distance(&a.t().dot(&a), Array2::eye(columns).view()) < 1e-13
}

/// In each column the entry of largest absolute value is positive.
fn assert_signs(a: ArrayView2<'_, f64>) {
    for column in a.columns() {
        let largest = column.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let first = column.iter().find(|x| x.abs() > largest * (1.0 - 1e-9));
        assert!(first.is_none_or(|&x| x > 0.0), "{column}");
    }
}

/// Matrices with large and small entries, of any rank, with equal rows, in whole numbers, triangular, zero.
fn odd_matrices(m: usize, n: usize, rng: &mut Rng) -> Vec<Array2<f64>> {
    let mut random = |size: f64| rng.array(&[m, n], -size, size).into_dimensionality::<Ix2>().unwrap();
    let dense = random(1.0);
    let graded = Array2::from_shape_fn((m, n), |(i, j)| dense[[i, j]] * 0.01_f64.powi((i + j) as i32));
    let whole = random(1.9).mapv(f64::trunc);
    let rank_one = Array2::from_shape_fn((m, n), |(i, j)| dense[[i, 0]] * (j as f64 - 0.5));
    let triangle = Array2::from_shape_fn((m, n), |(i, j)| if i > j { dense[[i, j]] } else { 0.0 });
    let diagonal = Array2::from_shape_fn((m, n), |(i, j)| if i == j { -((i / 2) as f64) } else { 0.0 });
    let (huge, tiny) = (dense.mapv(|x| x * 1e200), dense.mapv(|x| x * 1e-200));
    vec![
        dense,
        graded,
        whole,
        rank_one,
        triangle,
        diagonal,
        Array2::zeros((m, n)),
        Array2::ones((m, n)),
        huge,
        tiny,
    ]
}

#[test]
fn decompositions_are_what_they_say() {
    let mut rng = Rng(11);
    for (m, n) in [(1, 1), (2, 2), (3, 3), (4, 2), (2, 4), (1, 5), (5, 1), (9, 9), (20, 7), (7, 20), (33, 33)]
    {
        for a in odd_matrices(m, n, &mut rng) {
            let (k, near) = (m.min(n), 1e-14 * norm(a.view()) * (m * n) as f64);
            let g = Graph::new();
            let x = g.constant(&a);
            let (u, s, vt) = x.svd();
            let [u, s, vt] = [u, s, vt].map(|x| x.value().unwrap());
            let (u, vt) = (matrix(&u), matrix(&vt));
            let back = u.dot(&Array2::from_diag(&s.view().into_dimensionality().unwrap())).dot(&vt);
            assert!(distance(&back, a.view()) <= near, "svd of {a}");
            assert!(is_orthonormal(u, k) && is_orthonormal(vt.t(), k), "svd of {a}: {u} {vt}");
            assert!(s.iter().zip(s.iter().skip(1)).all(|(a, b)| a >= b) && s.iter().all(|&s| s >= 0.0));
            assert_signs(u);
            assert_close(&x.svdvals().value().unwrap(), &s, near);

            let (q, r) = x.qr();
            let (q, r) = (q.value().unwrap(), r.value().unwrap());
            let (q, r) = (matrix(&q), matrix(&r));
            assert_eq!((q.dim(), r.dim()), ((m, k), (k, n)));
            assert!(distance(&q.dot(&r), a.view()) <= near, "qr of {a}: {q} {r}");
            assert!(is_orthonormal(q, k), "qr of {a}: {q}");
            assert!(r.indexed_iter().all(|((i, j), &x)| i < j || if i == j { x >= 0.0 } else { x == 0.0 }));

            let p = x.pinv().value().unwrap();
            let p = matrix(&p);
            let largest = norm(p) * norm(a.view());
            assert!(distance(&a.dot(&p).dot(&a), a.view()) <= near * (1.0 + largest), "pinv of {a}");
            if m == n {
                check_eigen(&a);
            }
        }
    }
}

fn check_eigen(a: &Array2<f64>) {
    let n = a.nrows();
    let symmetric = (a + &a.t()) / 2.0;
    let near = 1e-14 * norm(a.view()) * n as f64;
    let g = Graph::new();
    let x = g.constant(a);
    let (w, v) = x.eigh();
    let (w, v) = (w.value().unwrap(), v.value().unwrap());
    let v = matrix(&v);
    let back = v.dot(&Array2::from_diag(&w.view().into_dimensionality().unwrap())).dot(&v.t());
    assert!(distance(&back, symmetric.view()) <= near, "eigh of {a}");
    assert!(is_orthonormal(v, n), "eigh of {a}: {v}");
    assert!(w.iter().zip(w.iter().skip(1)).all(|(a, b)| a <= b));
    assert_signs(v);
    assert_close(&x.eigvalsh().value().unwrap(), &w, near);
}

#[test]
fn small_singular_values_of_columns_of_different_sizes_are_right() {
    let g = Graph::new();
    let a = g.constant(array![[1.0, 1e-20], [1.0, -1e-20]]);
    let s = a.svdvals().value().unwrap();
    assert!((s[[1]] / (2_f64.sqrt() * 1e-20) - 1.0).abs() < 1e-15, "{s}");
}

#[test]
fn systems_of_many_equations() {
    let mut rng = Rng(12);
    for n in [1, 5, 40, 97] {
        let a = with_diagonal(&mut rng, &[2, n, n], 1.0, |_| 3.0);
        let b = rng.array(&[2, n, 3], -1.0, 1.0);
        let g = Graph::new();
        let (x, y) = (g.constant(&a), g.constant(&b));
        let norm = (n * n) as f64;
        assert_close(&x.matmul(x.solve(y)).value().unwrap(), &b, 1e-13 * norm);
        let identity = g.constant(Array2::<f64>::eye(n));
        assert_close(
            &(x.matmul(x.inv()) - identity + 1.0).value().unwrap(),
            &ArrayD::ones(vec![2, n, n]),
            1e-13 * norm,
        );
        let spd = x.matmul(x.transpose([0, 2, 1]));
        let l = spd.cholesky();
        let back = l.matmul(l.transpose([0, 2, 1])) / spd;
        assert_close(&back.value().unwrap(), &ArrayD::ones(vec![2, n, n]), 1e-11);
        assert_close(&spd.matmul(l.cho_solve(y)).value().unwrap(), &b, 1e-10 * norm);
        let (sign, ln) = x.slogdet();
        assert_close(&spd.logdet_spd().value().unwrap(), &(ln * 2.0).value().unwrap(), 1e-11);
        let det = (sign * ln.exp()).value().unwrap();
        assert_close(&(x.det() / g.constant(&det)).value().unwrap(), &ArrayD::ones(vec![2]), 1e-10);
        // Over more parts than one, on several threads, a batch is what its matrices are.
        for i in 0..2_isize {
            let one = x.slice(0, i..=i).squeeze(0);
            let of = |y: Var<'_>| y.slice(0, i..=i).squeeze(0).value().unwrap();
            assert_eq!(one.inv().value().unwrap(), of(x.inv()));
            assert_eq!(one.svd().0.value().unwrap(), of(x.svd().0));
        }
    }
}

/// The determinant, along the first row.
fn laplace(a: &Array2<f64>) -> f64 {
    let n = a.nrows();
    let minor = |j: usize| {
        let columns: Vec<usize> = (0..n).filter(|&other| other != j).collect();
        a.slice(ndarray::s![1.., ..]).select(Axis(1), &columns)
    };
    let sign = |j: usize| if j.is_multiple_of(2) { 1.0 } else { -1.0 };
    if n == 0 { 1.0 } else { (0..n).map(|j| sign(j) * a[[0, j]] * laplace(&minor(j))).sum() }
}

/// The derivative of the determinant in several directions, which is linear in each row: the sum over all ways of taking a
/// different row from each direction.
fn det_along(a: &Array2<f64>, directions: &[Array2<f64>], taken: &[usize]) -> f64 {
    let Some((h, rest)) = directions.split_first() else { return laplace(a) };
    let rows = (0..a.nrows()).filter(|row| !taken.contains(row));
    let with = |row: usize| {
        let mut a = a.clone();
        a.row_mut(row).assign(&h.row(row));
        det_along(&a, rest, &[taken, &[row]].concat())
    };
    rows.map(with).sum()
}

#[test]
fn determinants_of_singular_matrices_have_derivatives_of_every_order() {
    let factor =
        |r: usize| Rng(13 + r as u64).array(&[4, r], -1.0, 1.0).into_dimensionality::<Ix2>().unwrap();
    let other = |r: usize| Array2::from_shape_fn((r, 4), |(i, j)| ((i * 5 + j * 3) % 7) as f64 - 2.5);
    let of_rank = (0..=4).map(|r| factor(r).dot(&other(r)));
    for a in
        of_rank.chain([array![[0.0, 0.0], [0.0, 3.0]], array![[2.0]], array![[0.0]], Array2::zeros((0, 0))])
    {
        let n = a.nrows();
        let mut rng = Rng(n as u64);
        let directions: Vec<Array2<f64>> =
            (0..5).map(|_| rng.array(&[n, n], -1.0, 1.0).into_dimensionality().unwrap()).collect();
        let g = Graph::new();
        let x = g.input("x", &a);
        let mut y = x.det();
        for order in 0..=directions.len() {
            let (found, expected) = (y.item().unwrap(), det_along(&a, &directions[..order], &[]));
            assert!((found - expected).abs() < 1e-12, "{a}, order {order}: {found}, not {expected}");
            if let Some(h) = directions.get(order) {
                y = (y.grad(x) * g.constant(h)).sum();
            }
        }
    }
    // A large one, of which a product of pivots would overflow.
    let g = Graph::new();
    let x = g.constant(Array2::<f64>::eye(40) * 1e200);
    assert_eq!(x.slogdet().0.item().unwrap(), 1.0);
    assert!((x.slogdet().1.item().unwrap() / (40.0 * 200.0 * std::f64::consts::LN_10) - 1.0).abs() < 1e-15);
}

#[test]
fn what_has_no_factorisation() {
    let nan = |y: Var<'_>| y.value().unwrap().iter().all(|x| x.is_nan());
    let g = Graph::new();
    let indefinite = g.constant(array![[1.0, 2.0], [2.0, 1.0]]);
    assert!(nan(indefinite.cholesky()) && nan(indefinite.logdet_spd()));
    assert!(nan(g.constant(array![[0.0]]).cholesky()));
    // Of a batch the others are what they are.
    let batch = g.constant(array![[[1.0, 2.0], [2.0, 1.0]], [[4.0, 2.0], [2.0, 5.0]]]);
    assert_eq!(batch.cholesky().slice(0, 1..).value().unwrap(), array![[[2.0, 0.0], [1.0, 2.0]]].into_dyn());
    let singular = g.constant(array![[1.0, 2.0], [2.0, 4.0]]);
    assert!(singular.inv().value().unwrap().iter().all(|x: &f64| !x.is_finite()));
    assert!(singular.solve(array![1.0, 0.0]).value().unwrap().iter().all(|x: &f64| !x.is_finite()));
    assert_eq!(singular.det().item().unwrap(), 0.0);
    assert_eq!(singular.slogdet().0.item().unwrap(), 0.0);
    assert_eq!(singular.slogdet().1.item().unwrap(), -f64::INFINITY);
    for bad in [f64::NAN, f64::INFINITY] {
        let a = g.constant(array![[1.0, bad], [bad, 1.0]]);
        let (w, v) = a.eigh();
        let (u, s, vt) = a.svd();
        let (q, r) = a.qr();
        for y in [a.cholesky(), w, v, a.eigvalsh(), u, s, vt, a.svdvals(), q, r, a.pinv(), a.expm()] {
            assert!(nan(y), "{y}");
        }
    }
}

#[test]
fn equal_eigenvalues_and_zero_singular_values() {
    let g = Graph::new();
    let x = g.input("x", array![[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 5.0]]);
    let c = g.constant(Rng(4).array(&[3, 3], -1.0, 1.0));
    let (w, v) = x.eigh();
    assert_eq!(w.sum().grad(x).value().unwrap(), Array2::<f64>::eye(3).into_dyn());
    assert_eq!(w.square().sum().grad(x).value().unwrap(), x.value().unwrap() * 2.0);
    let d = (v * c).sum().grad(x).value().unwrap();
    assert!(d.iter().all(|d| d.is_finite()) && d[[0, 1]] == 0.0 && d[[0, 2]] != 0.0, "{d}");
    // The same seen from a basis in which rounding separates the two.
    let turn = Rng(5).array(&[3, 3], -1.0, 1.0);
    let q = g.constant(turn).qr().0;
    let turned = g.input("turned", q.matmul(x).matmul(q.t()).value().unwrap());
    let d = (turned.eigh().1 * c).sum().grad(turned).value().unwrap();
    assert!(d.iter().all(|d| d.abs() < 10.0), "{d}");
    // A rank of one: the smallest subgradient of the nuclear norm.
    let x = g.input("y", array![[3.0, 0.0], [0.0, 0.0], [4.0, 0.0]]);
    let d = x.nuclear_norm().grad(x).value().unwrap();
    assert_close(&d, &array![[0.6, 0.0], [0.0, 0.0], [0.8, 0.0]].into_dyn(), 1e-15);
    let (u, s, vt) = x.svd();
    for y in [u.sum(), s.sum(), vt.sum()] {
        assert!(y.grad(x).value().unwrap().iter().all(|d| d.is_finite()));
    }
    // A zero matrix has no direction.
    let x = g.input("z", Array2::<f64>::zeros((2, 2)));
    for y in [x.nuclear_norm(), x.spectral_norm(), x.eigh().1.sum(), x.pinv().sum()] {
        assert_eq!(y.grad(x).value().unwrap(), Array2::<f64>::zeros((2, 2)).into_dyn(), "{y}");
    }
}

#[test]
fn matrices_without_rows_and_batches_without_matrices() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((0, 0)));
    assert_eq!(x.det().item().unwrap(), 1.0);
    assert_eq!(x.slogdet().0.item().unwrap(), 1.0);
    assert_eq!(x.logdet_spd().item().unwrap(), 0.0);
    assert_eq!(x.nuclear_norm().item().unwrap(), 0.0);
    let tall = g.input("tall", Array2::<f64>::zeros((3, 0)));
    let (wide, none) = (tall.t(), g.input("none", ndarray::Array3::<f64>::zeros((0, 2, 2))));
    for (label, x, y, shape) in [
        ("inv", x, x.inv(), &[0, 0][..]),
        ("cholesky", x, x.cholesky(), &[0, 0]),
        ("eigvalsh", x, x.eigvalsh(), &[0]),
        ("eigh", x, x.eigh().1, &[0, 0]),
        ("expm", x, x.expm(), &[0, 0]),
        ("qr", x, x.qr().1, &[0, 0]),
        ("solve", x, x.solve(Array2::<f64>::zeros((0, 2))), &[0, 2]),
        ("power", x, x.matrix_power(3), &[0, 0]),
        ("u", tall, tall.svd().0, &[3, 0]),
        ("v", wide, wide.svd().2, &[0, 3]),
        ("q", tall, tall.qr().0, &[3, 0]),
        ("r", wide, wide.qr().1, &[0, 3]),
        ("pinv", tall, tall.pinv(), &[0, 3]),
        ("lstsq", tall, tall.lstsq(array![1.0, 2.0, 3.0]), &[0]),
        ("no matrices", none, none.inv(), &[0, 2, 2]),
        ("no determinants", none, none.det(), &[0]),
        ("no decompositions", none, none.svd().0, &[0, 2, 2]),
    ] {
        assert_eq!(y.value().unwrap().shape(), shape, "{label}");
        assert_eq!(y.sum().grad(x).value().unwrap().shape(), &x.shape()[..], "{label}");
    }
}

#[test]
fn powers_and_exponentials() {
    let g = Graph::new();
    let a = g.input("a", array![[f64::NAN, 2.0], [3.0, 4.0]]);
    assert_eq!(a.matrix_power(0).value().unwrap(), Array2::<f64>::eye(2).into_dyn());
    assert_eq!(a.matrix_power(0).sum().grad(a).value().unwrap(), Array2::<f64>::zeros((2, 2)).into_dyn());
    a.set_value(array![[1.0, 2.0], [3.0, 4.0]]).unwrap();
    let product = a.dot(a).dot(a).dot(a).dot(a).dot(a).dot(a);
    assert_eq!(a.matrix_power(7).value().unwrap(), product.value().unwrap());
    assert_close(&a.matrix_power(-7).value().unwrap(), &product.inv().value().unwrap(), 1e-9);
    // The exponential of a nilpotent matrix is a polynomial, and that of a diagonal one known.
    let nilpotent = g.constant(array![[0.0, 1.0, 2.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]);
    let expected = array![[1.0, 1.0, 3.5], [0.0, 1.0, 3.0], [0.0, 0.0, 1.0]].into_dyn();
    assert_close(&nilpotent.expm().value().unwrap(), &expected, 1e-15);
    let diagonal = g.constant(array![[-700.0, 0.0], [0.0, 300.0]]).expm().value().unwrap();
    assert!((diagonal[[1, 1]] / 300_f64.exp() - 1.0).abs() < 1e-12);
    assert!((diagonal[[0, 0]] / (-700_f64).exp() - 1.0).abs() < 1e-10, "{diagonal}");
    assert_eq!((a * 0.0).expm().value().unwrap(), Array2::<f64>::eye(2).into_dyn());
    // A large cotangent costs no accuracy.
    let small = (a * 0.1).expm();
    let (one, large) = (small.sum().grad(a), (small * 1e9).sum().grad(a));
    assert_close(&(large / 1e9).value().unwrap(), &one.value().unwrap(), 1e-15);
    // Forward mode transposes the rule, whatever the cotangent is.
    let direction = g.constant(Rng(61).array(&[2, 2], -1.0, 1.0));
    let forward = small.jvp(a, direction).sum().value().unwrap();
    assert_close(&forward, &(one * direction).sum().value().unwrap(), 1e-14);
}

fn of_type<T: Float>(near: f64) {
    let rng = &mut Rng(21);
    let g = Graph::new();
    let a = positive(rng, &[2, 4, 4]);
    let (x, y) = (g.input("x", a.mapv(T::from_f64)), g.input("y", &a));
    fn all<'g, T: gradus::Real>(x: Var<'g, T>) -> Vec<Var<'g, T>> {
        let ((w, v), (u, s, vt), (q, r)) = (x.eigh(), x.svd(), x.qr());
        let b = x.slice(-1, ..2);
        vec![
            x.cholesky(),
            x.triangular_solve(b, Triangular::upper()),
            x.solve(b),
            x.inv(),
            x.det() * 1e-3,
            x.slogdet().1,
            x.eigvalsh(),
            w,
            v,
            u,
            s,
            vt,
            x.svdvals(),
            q,
            r,
            (x * 0.1).expm(),
            b.pinv(),
            b.lstsq(b),
            x.matrix_power(-2),
        ]
    }
    for (single, double) in all(x).into_iter().zip(all(y)) {
        let value = |a: ArrayD<T>| a.mapv(T::to_f64);
        assert_close(&value(single.value().unwrap()), &double.value().unwrap(), near);
        let (single, double) = (single.sin().sum().grad(x), double.sin().sum().grad(y));
        assert_close(&value(single.value().unwrap()), &double.value().unwrap(), 30.0 * near);
    }
}

#[test]
fn single_precision_is_double_precision_rounded() {
    of_type::<f64>(0.0);
    of_type::<f32>(2e-5);
}

#[test]
fn jacobians_know_all_rows_at_once() {
    let mut rng = Rng(31);
    let g = Graph::new();
    let x = g.input("x", spread(&mut rng, &[3, 3]));
    let b = g.constant(rng.array(&[3, 2], -1.0, 1.0));
    for y in [
        x.solve(b),
        x.solve(array![1.0, 2.0, 3.0]),
        x.inv(),
        x.cholesky(),
        x.det().expand_dims(0),
        x.eigh().1,
        x.svd().2,
        x.qr().0,
        x.expm(),
        x.pinv(),
        x.triangular_solve(b, Triangular::lower()),
        x.inv().det().expand_dims(0) * x.slogdet().1,
    ] {
        let jacobian = y.jacobian(x).value().unwrap();
        let flat = y.reshape([-1]);
        let count = flat.shape()[0];
        let jacobian = jacobian.to_shape((count, 3, 3)).unwrap();
        for i in 0..count as isize {
            let row = flat.slice(0, i..=i).sum().grad(x).value().unwrap();
            assert_close(&jacobian.index_axis(Axis(0), i as usize).to_owned().into_dyn(), &row, 1e-12);
        }
    }
}

#[test]
fn a_run_at_other_sizes() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::ones((3, 2)));
    let (u, s, vt) = x.svd();
    let back = (u * s.expand_dims(0)).matmul(vt);
    let loss = (u.sum() + vt.sin().sum() + x.qr().0.sum()).grad(x);
    let mut rng = Rng(41);
    for shape in [[4, 2], [5, 5], [3, 1]] {
        let a = spread(&mut rng, &shape);
        x.set_value(a.clone()).unwrap();
        assert_close(&back.value().unwrap(), &a, 1e-14);
        assert_eq!(loss.value().unwrap().shape(), shape);
    }
    // Whether a matrix is wide is decided when `qr` is recorded.
    x.set_value(Array2::<f64>::ones((2, 3))).unwrap();
    let error = x.qr().0.value().unwrap_err().to_string();
    let text = "`qr` requires matrices with at least as many rows as columns, got (2, 3)";
    assert!(error.contains(text), "{error}");
    let wide = g.input("wide", Array2::<f64>::ones((2, 3)));
    let q = wide.qr().0;
    wide.set_value(Array2::<f64>::ones((4, 3))).unwrap();
    let error = q.value().unwrap_err().to_string();
    assert!(error.contains("`qr` requires square matrices (.., n, n), got (4, 2)"), "{error}");
}

/// The beginning of a text, and what panics with it.
type Mistake<'a> = (&'a str, &'a dyn Fn(Var<'_>));

#[test]
fn mistakes_are_named() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 3)));
    let square = g.input("square", Array2::<f64>::zeros((3, 3)));
    let vector = g.input("vector", ndarray::Array1::<f64>::zeros(3));
    let batch = g.input("batch", ndarray::Array3::<f64>::zeros((2, 3, 3)));
    let starts = |text: &str, body: &dyn Fn()| {
        let panic = panicked(body);
        assert_eq!(panic.text.lines().next(), Some(text));
        assert!(panic.file.ends_with("linalg.rs"), "{panic:?}");
    };
    let unary: [Mistake<'_>; 11] = [
        ("cholesky", &|x| _ = x.cholesky()),
        ("inv", &|x| _ = x.inv()),
        ("det", &|x| _ = x.det()),
        ("slogdet", &|x| _ = x.slogdet()),
        ("eigh", &|x| _ = x.eigh()),
        ("eigvalsh", &|x| _ = x.eigvalsh()),
        ("expm", &|x| _ = x.expm()),
        ("matrix_power", &|x| _ = x.matrix_power(1)),
        ("solve", &|x| _ = x.solve(array![1.0, 2.0])),
        ("triangular_solve", &|x| _ = x.triangular_solve(array![1.0, 2.0], Triangular::lower())),
        ("logdet_spd", &|x| _ = x.logdet_spd()),
    ];
    for (name, op) in unary {
        starts(&format!("`{name}` requires square matrices (.., n, n), got (2, 3)"), &|| op(x));
        starts(&format!("`{name}` requires square matrices (.., n, n), got (3,)"), &|| op(vector));
    }
    let others: [Mistake<'_>; 5] = [
        ("`svd` requires matrices (.., m, n)", &|x| _ = x.svd()),
        ("`svdvals` requires matrices (.., m, n)", &|x| _ = x.svdvals()),
        ("`pinv` requires matrices (.., m, n)", &|x| _ = x.pinv()),
        ("`qr` requires matrices with at least as many rows as columns", &|x| _ = x.qr()),
        ("`svdvals` requires matrices (.., m, n)", &|x| _ = x.nuclear_norm()),
    ];
    for (text, op) in others {
        starts(&format!("{text}, got (3,)"), &|| op(vector));
    }
    let text = "`solve` requires a right side (3,) or (.., 3, k), got (2,)";
    starts(text, &|| _ = square.solve(array![1.0, 2.0]));
    let text = "`solve` requires a right side (3,) or (.., 3, k), got (2, 3)";
    starts(text, &|| _ = square.solve(x));
    let text = "`triangular_solve` requires a right side (3,) or (.., 3, k), got ()";
    starts(text, &|| _ = square.triangular_solve(1.0, Triangular::upper()));
    let text = "`solve` cannot broadcast (2, 3, 3) and (4, 3, 1): 2 (axis 0) != 4 (axis 0)";
    starts(text, &|| _ = batch.solve(ndarray::Array3::<f64>::zeros((4, 3, 1))));
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let g = Graph::new();
    let x = g.input("x", spread(&mut Rng(51), &[300, 6, 6]));
    let b = x.slice(-1, ..2);
    let y = vec![x.eigh().1, x.svd().0, x.qr().0, x.inv(), x.solve(b), x.expm(), b.pinv()];
    let loss = y.iter().fold(x.det().sum(), |sum, y| sum + y.sin().sum());
    let outputs: Vec<Var<'_>> = y.into_iter().chain([loss.grad(x)]).collect();
    let bits = |threads: usize| -> Vec<Vec<u64>> {
        let mut program = g.compile(outputs.clone(), ()).unwrap().threads(threads).unwrap();
        let found = program.run().unwrap();
        found.iter().map(|y| y.iter().map(|x| x.to_bits()).collect()).collect()
    };
    let one = bits(1);
    assert!(one.iter().flatten().all(|&x| f64::from_bits(x).is_finite()));
    for threads in [2, 5] {
        assert_eq!(bits(threads), one, "{threads} threads");
    }
}
