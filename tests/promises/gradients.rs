//! Gradients as a course derives them by hand, higher orders in closed form, and what a gradient means.

use gradus::{Float, Graph, Var};
use ndarray::{Array1, Array2, ArrayD, Axis, arr0, array};

use crate::support::{Rng, assert_close};

const SHAPES: &[(usize, usize)] = &[(1, 1), (2, 5), (4, 1), (7, 3), (12, 209)];

fn matrix(rng: &mut Rng, rows: usize, columns: usize) -> Array2<f64> {
    rng.array(&[rows, columns], -1.0, 1.0).into_dimensionality().unwrap()
}

/// Targets of 0 and 1.
fn classes(rng: &mut Rng, m: usize) -> Array2<f64> {
    matrix(rng, 1, m).mapv(|y| if y > 0.0 { 1.0 } else { 0.0 })
}

/// `Σ z` along the examples, kept as a column.
fn sum_of_examples(z: &Array2<f64>) -> Array2<f64> {
    z.sum_axis(Axis(1)).insert_axis(Axis(1))
}

fn sigma(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn cross_entropy<'g, T: Float>(y: Var<'g, T>, a: Var<'g, T>) -> Var<'g, T> {
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean()
}

#[track_caller]
fn same(found: Var<'_>, expected: &Array2<f64>) {
    assert_close(&found.value().unwrap(), &expected.clone().into_dyn(), 1e-12);
}

#[test]
fn logistic_regression() {
    let mut rng = Rng(21);
    for &(n, m) in SHAPES {
        let (x, y) = (matrix(&mut rng, n, m), classes(&mut rng, m));
        let (w, b) = (matrix(&mut rng, n, 1), rng.uniform(-1.0, 1.0));
        let m = m as f64;

        // A = σ(wᵀX + b), dw = X (A - Y)ᵀ / m, db = Σ (A - Y) / m
        let a = (w.t().dot(&x) + b).mapv(sigma);
        let j = -(&y * &a.mapv(f64::ln) + (1.0 - &y) * (1.0 - &a).mapv(f64::ln)).sum() / m;
        let dw = x.dot(&(&a - &y).t()) / m;
        let db = (&a - &y).sum() / m;

        let g = Graph::new();
        let (x, y) = (g.input("x", x), g.input("y", y));
        let (w, b) = (g.param("w", w), g.param("b", b));
        let a = (w.t().dot(x) + b).sigmoid();
        let cost = cross_entropy(y, a);
        let (found_dw, found_db) = cost.grad((w, b));
        assert!((cost.item().unwrap() - j).abs() < 1e-12);
        same(found_dw, &dw);
        assert!((found_db.item().unwrap() - db).abs() < 1e-12);
        // And as a course writes the mean: 1/m Σ.
        let cost = -1.0 / x.size_of(1) * (y * a.ln() + (1.0 - y) * (1.0 - a).ln()).sum();
        same(cost.grad(w), &dw);
    }
}

#[test]
fn planar_data_with_one_hidden_layer() {
    let mut rng = Rng(22);
    for (n_h, examples) in [(4, 400), (1, 3), (5, 1), (20, 7)] {
        let (x, y) = (matrix(&mut rng, 2, examples), classes(&mut rng, examples));
        let (w1, b1) = (matrix(&mut rng, n_h, 2), matrix(&mut rng, n_h, 1));
        let (w2, b2) = (matrix(&mut rng, 1, n_h), matrix(&mut rng, 1, 1));
        let m = examples as f64;

        // Forward.
        let a1 = (w1.dot(&x) + &b1).mapv(f64::tanh);
        let a2 = (w2.dot(&a1) + &b2).mapv(sigma);
        // Backward.
        let dz2 = &a2 - &y;
        let dw2 = dz2.dot(&a1.t()) / m;
        let db2 = sum_of_examples(&dz2) / m;
        let dz1 = w2.t().dot(&dz2) * (1.0 - &a1 * &a1);
        let dw1 = dz1.dot(&x.t()) / m;
        let db1 = sum_of_examples(&dz1) / m;

        let g = Graph::new();
        let (x, y) = (g.input("X", x), g.input("Y", y));
        let (w1, b1) = (g.param("W1", w1), g.param("b1", b1));
        let (w2, b2) = (g.param("W2", w2), g.param("b2", b2));
        let z1 = w1.dot(x) + b1;
        let z2 = w2.dot(z1.tanh()) + b2;
        let cost = cross_entropy(y, z2.sigmoid());
        let [found_dw1, found_db1, found_dw2, found_db2] = cost.grad([w1, b1, w2, b2]);
        same(found_dw2, &dw2);
        same(found_db2, &db2);
        same(found_dw1, &dw1);
        same(found_db1, &db1);
        // The nodes in between as well; a course leaves the 1/m to the parameters.
        let [found_dz1, found_dz2] = (cost * x.size_of(1)).grad([z1, z2]);
        same(found_dz1, &dz1);
        same(found_dz2, &dz2);
    }
}

#[test]
fn a_network_of_any_depth() {
    let mut rng = Rng(23);
    for sizes in [&[12, 7, 5, 1][..], &[3, 1], &[5, 4, 3, 2, 1], &[2, 20, 1]] {
        let examples = 9;
        let (x, y) = (matrix(&mut rng, sizes[0], examples), classes(&mut rng, examples));
        let w: Vec<_> = sizes.windows(2).map(|n| matrix(&mut rng, n[1], n[0])).collect();
        let b: Vec<_> = sizes[1..].iter().map(|&n| matrix(&mut rng, n, 1)).collect();
        let (layers, m) = (w.len(), examples as f64);

        // Forward: relu, and σ at the end.
        let (mut a, mut z) = (vec![x.clone()], Vec::new());
        for l in 0..layers {
            let next = w[l].dot(&a[l]) + &b[l];
            a.push(next.mapv(|z| if l + 1 == layers { sigma(z) } else { z.max(0.0) }));
            z.push(next);
        }
        // Backward.
        let (mut dw, mut db) = (Vec::new(), Vec::new());
        let mut dz = &a[layers] - &y;
        for l in (0..layers).rev() {
            dw.push(dz.dot(&a[l].t()) / m);
            db.push(sum_of_examples(&dz) / m);
            if l > 0 {
                dz = w[l].t().dot(&dz) * z[l - 1].mapv(|z| if z > 0.0 { 1.0 } else { 0.0 });
            }
        }

        let g = Graph::new();
        let (x, y) = (g.input("X", x), g.input("Y", y));
        let parameters: Vec<_> = w
            .iter()
            .zip(&b)
            .enumerate()
            .map(|(l, (w, b))| [g.param(&format!("W{}", l + 1), w), g.param(&format!("b{}", l + 1), b)])
            .collect();
        let mut a = x;
        for (l, [w, b]) in parameters.iter().enumerate() {
            let z = w.dot(a) + *b;
            a = if l + 1 == layers { z.sigmoid() } else { z.relu() };
        }
        let gradients = cross_entropy(y, a).grad(&parameters);
        for ([found_dw, found_db], (dw, db)) in gradients.into_iter().rev().zip(dw.iter().zip(&db)) {
            same(found_dw, dw);
            same(found_db, db);
        }
    }
}

#[test]
fn a_variable_used_many_times() {
    let g = Graph::new();
    let x = g.input("x", array![0.5, -1.0, 2.0]);
    let mut sum = x;
    for k in 2..=20 {
        sum = sum + x.powi(k) / f64::from(k);
    }
    // d/dx Σ xᵏ/k = Σ xᵏ⁻¹
    let expected = array![0.5_f64, -1.0, 2.0].mapv(|x| (0..20).map(|k| x.powi(k)).sum());
    assert_close(&sum.sum().grad(x).value().unwrap(), &expected.into_dyn(), 1e-13);
    let y = (0..10).fold(x, |y, _| y + y);
    assert_eq!(y.sum().grad(x).value().unwrap(), array![1024.0, 1024.0, 1024.0].into_dyn());
    // As vector and as matrix, whole and summed, in one formula.
    let cost = x.dot(x) * x.sum() + x.max() * x.mean();
    let v = array![0.5, -1.0, 2.0];
    let (square, total) = (v.dot(&v), v.sum());
    let mut expected: Array1<f64> = 2.0 * &v * total + square + 2.0 / 3.0;
    expected[2] += total / 3.0;
    assert_close(&cost.grad(x).value().unwrap(), &expected.into_dyn(), 1e-14);
}

#[test]
fn a_gradient_asked_with_others_is_the_one_asked_alone() {
    for z in [0.0, 0.7, -3.0, 40.0, -40.0, 800.0, -800.0] {
        for y in [0.0, 1.0, 0.3] {
            let g = Graph::new();
            let (x, w) = (g.input("x", 1.0), g.param("w", z));
            let y = g.input("y", y);
            let z = w * x;
            let a = z.sigmoid();
            let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
            let alone = [cost.grad(a), cost.grad(z), cost.grad(w)].map(|d| d.item().unwrap().to_bits());
            for [i, j, k] in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
                let all = [a, z, w];
                let found = cost.grad([all[i], all[j], all[k]]).map(|d| d.item().unwrap().to_bits());
                assert_eq!(found, [alone[i], alone[j], alone[k]], "{i}, {j}, {k} at {z:?}");
            }
            // With respect to z it is right where it saturates, whoever else asks.
            let expected = 1.0 / (1.0 + (-z.item().unwrap()).exp()) - y.item().unwrap();
            let dz = cost.grad([a, z])[1].item().unwrap();
            assert!((dz - expected).abs() < 1e-15, "{dz}, not {expected}");
        }
    }
    // With respect to a: (a - y) / (a (1 - a)), as long as a is not rounded to a bound.
    let g = Graph::new();
    let (z, y) = (g.input("z", 1.5), g.input("y", 1.0));
    let a = z.sigmoid();
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
    assert!((cost.grad(a).item().unwrap() + 1.0 / sigma(1.5)).abs() < 1e-15);
}

#[test]
fn gradients_of_nodes_that_a_rewrite_would_take_away() {
    let g = Graph::new();
    let x = g.input("x", 0.5);
    let (e, more) = (x.exp(), 1.0 + x.exp());
    let y = more.ln() + (-(-e)) * 1.0;
    let [dx, de, dmore] = y.grad([x, e, more]);
    let found = [dx, de, dmore].map(|d| d.item().unwrap());
    let e = 0.5_f64.exp();
    for (found, expected) in found.into_iter().zip([sigma(0.5) + e, 1.0 / (1.0 + e) + 1.0, 1.0 / (1.0 + e)]) {
        assert!((found - expected).abs() < 1e-15, "{found}, not {expected}");
    }
    // Of itself it is 1.
    assert_eq!(y.grad(y).item().unwrap(), 1.0);
    assert_eq!(x.grad(x).item().unwrap(), 1.0);
}

#[test]
fn higher_orders_in_closed_form() {
    type Row = (&'static str, fn(Var<'_>) -> Var<'_>, fn(f64) -> [f64; 5]);
    let rows: &[Row] = &[
        (
            "a polynomial",
            |x| 2.0 * x.powi(5) - 3.0 * x.powi(3) + x - 7.0,
            |x| {
                [
                    2.0 * x.powi(5) - 3.0 * x.powi(3) + x - 7.0,
                    10.0 * x.powi(4) - 9.0 * x * x + 1.0,
                    40.0 * x.powi(3) - 18.0 * x,
                    120.0 * x * x - 18.0,
                    240.0 * x,
                ]
            },
        ),
        ("x·x·x·x", |x| x * x * x * x, |x| [x.powi(4), 4.0 * x.powi(3), 12.0 * x * x, 24.0 * x, 24.0]),
        ("sin", |x| x.sin(), |x| [x.sin(), x.cos(), -x.sin(), -x.cos(), x.sin()]),
        (
            "cos 2x",
            |x| (2.0 * x).cos(),
            |x| {
                let (s, c) = (2.0 * x).sin_cos();
                [c, -2.0 * s, -4.0 * c, 8.0 * s, 16.0 * c]
            },
        ),
        ("e^x", |x| x.exp(), |x| [x.exp(); 5]),
        ("ln", |x| x.ln(), |x| [x.ln(), 1.0 / x, -x.powi(-2), 2.0 * x.powi(-3), -6.0 * x.powi(-4)]),
        (
            "sqrt",
            |x| x.sqrt(),
            |x| {
                [
                    x.sqrt(),
                    0.5 * x.powf(-0.5),
                    -0.25 * x.powf(-1.5),
                    0.375 * x.powf(-2.5),
                    -0.9375 * x.powf(-3.5),
                ]
            },
        ),
        (
            "1/x",
            |x| 1.0 / x,
            |x| [1.0 / x, -x.powi(-2), 2.0 * x.powi(-3), -6.0 * x.powi(-4), 24.0 * x.powi(-5)],
        ),
        (
            "tanh",
            |x| x.tanh(),
            |x| {
                let t = x.tanh();
                let s = 1.0 - t * t;
                [t, s, -2.0 * t * s, s * (6.0 * t * t - 2.0), s * (16.0 * t - 24.0 * t.powi(3))]
            },
        ),
        (
            "sigmoid",
            |x| x.sigmoid(),
            |x| {
                let a = sigma(x);
                let s = a * (1.0 - a);
                [
                    a,
                    s,
                    s * (1.0 - 2.0 * a),
                    s * (1.0 - 6.0 * a + 6.0 * a * a),
                    s * (1.0 - 2.0 * a) * (1.0 - 12.0 * a + 12.0 * a * a),
                ]
            },
        ),
    ];
    for (name, f, orders) in rows {
        for at in [0.3, 0.9, 1.7] {
            let g = Graph::new();
            let x = g.input("x", at);
            let mut y = f(x);
            for (order, expected) in orders(at).into_iter().enumerate() {
                let found = y.item().unwrap();
                assert!(
                    (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                    "{name}, order {order} at {at}: {found}, not {expected}"
                );
                y = y.grad_or_zeros(x);
            }
        }
    }
}

#[test]
fn a_hessian_is_symmetric() {
    let mut rng = Rng(24);
    let n = 5;
    let g = Graph::new();
    let (x, a) = (g.input("x", rng.array(&[n], 0.5, 1.5)), g.input("a", rng.array(&[n, n], -1.0, 1.0)));
    let y = (a.dot(x)).tanh().dot(x.ln()) + (x.sum() * x.max()).sin() + x.dot(a).sigmoid().square().sum();
    let first = y.grad(x);
    let rows: Vec<Var<'_>> = (0..n)
        .map(|i| {
            let one = Array1::from_shape_fn(n, |j| f64::from(u8::from(i == j)));
            (first * one).sum().grad(x)
        })
        .collect();
    let mut program = g.compile(&rows, ()).unwrap();
    let rows = program.run().unwrap();
    for i in 0..n {
        for j in 0..i {
            let (one, other) = (rows[i][[j]], rows[j][[i]]);
            assert!((one - other).abs() < 1e-12 && one.abs() > 1e-6, "({i}, {j}): {one} and {other}");
        }
    }
}

#[test]
fn the_gradient_is_linear() {
    let mut rng = Rng(25);
    let g = Graph::new();
    let x = g.input("x", rng.array(&[3, 4], 0.5, 1.5));
    let (p, q) = ((x.ln() * x.sin()).sum(), x.dot(x.t()).tanh().mean());
    let both = (3.0 * p - 0.5 * q).grad(x).value().unwrap();
    let expected = 3.0 * p.grad(x).value().unwrap() - 0.5 * q.grad(x).value().unwrap();
    assert_close(&both, &expected, 1e-14);
    assert!(expected.iter().all(|d| d.abs() > 1e-6));
}

#[test]
fn zero_is_not_absent() {
    let g = Graph::new();
    let (x, y) = (g.input("x", array![1.0, 2.0]), g.input("y", array![[3.0, 4.0]]));
    // Through `stop_gradient` alone, and through what is flat: zero, in the operand's shape, and no error.
    let zeros = ArrayD::zeros(vec![2]);
    for cost in [x.stop_gradient().exp().sum(), x.sign().sum(), x.powi(0).sum(), (x.powf(0.0) * y).sum()] {
        assert_eq!(cost.grad(x).value().unwrap(), zeros, "{cost}");
    }
    // Beside another path it takes nothing away.
    assert_eq!((x * x.stop_gradient()).sum().grad(x).value().unwrap(), array![1.0, 2.0].into_dyn());
    // Zeros for the asking: of those alone that have no influence.
    let (dx, dy) = x.square().sum().grad_or_zeros((x, y));
    assert_eq!(
        (dx.value().unwrap(), dy.value().unwrap()),
        (array![2.0, 4.0].into_dyn(), ArrayD::zeros(vec![1, 2]))
    );
    // They follow the sizes that are fed, and have the operand's type.
    let batch = g.placeholder::<f32>("batch", [2]);
    let none = x.sum().grad_or_zeros(batch);
    let mut program = g.compile(none, ()).unwrap();
    assert_eq!(
        program.run_with(&[batch.feed(&array![1.0_f32, 2.0, 3.0])]).unwrap(),
        ArrayD::<f32>::zeros(vec![3])
    );
}

#[test]
fn a_stopped_gradient_is_no_rewrite_and_no_fold() {
    // A rule that looked through it would give another gradient.
    let g = Graph::new();
    let z = g.input("z", 0.5);
    let still = z.sigmoid().stop_gradient();
    assert_eq!(still.ln().grad(z).item().unwrap(), 0.0);
    assert_eq!((z * (1.0 - still)).grad(z).item().unwrap(), 1.0 - sigma(0.5));
    let two = g.constant(2.0).stop_gradient();
    assert_eq!((two * z).grad(z).item().unwrap(), 2.0);
}

#[test]
fn every_form_of_asking() {
    let g = Graph::new();
    let (a, b) = (g.input("a", 2.0), g.input("b", array![3.0_f32]));
    let cost = a * b.cast::<f64>().sum();
    let (da, [db, again]) = cost.grad((a, [b, b]));
    assert_eq!((da.item().unwrap(), db.item().unwrap(), again.item().unwrap()), (3.0, 2.0, 2.0));
    let list = vec![a, a];
    assert_eq!(cost.grad(&list).len(), 2);
    assert_eq!(cost.grad(&list[..1]).len(), 1);
    let ((), ()) = cost.grad(((), ()));
    let [] = cost.grad([] as [Var<'_>; 0]);
}

#[test]
fn one_gradient_serves_every_batch_size() {
    let mut rng = Rng(26);
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 1]);
    let (w, b) = (g.param("w", rng.array(&[1, 3], -1.0, 1.0)), g.param("b", arr0(0.3)));
    let y = (w.dot(x) + b).tanh();
    let mean = y.mean();
    let mut program = g.compile((mean.grad((w, b, x)), mean), ()).unwrap();
    let weights = w.value().unwrap().into_dimensionality::<ndarray::Ix2>().unwrap();
    // An axis recorded with size 1 is fed 209, and 1 again.
    for m in [1, 209, 4, 1] {
        let batch = matrix(&mut rng, 3, m);
        let ((dw, db, dx), mean) = program.run_with(&[x.feed(&batch)]).unwrap();
        let y = (weights.dot(&batch) + 0.3).mapv(f64::tanh);
        let dz = (1.0 - &y * &y) / m as f64;
        assert_close(&mean.to_owned(), &arr0(y.mean().unwrap()).into_dyn(), 1e-14);
        assert_close(&dw.to_owned(), &dz.dot(&batch.t()).into_dyn(), 1e-14);
        assert_close(&db.to_owned(), &arr0(dz.sum()).into_dyn(), 1e-14);
        assert_close(&dx.to_owned(), &weights.t().dot(&dz).into_dyn(), 1e-14);
    }
}
