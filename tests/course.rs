//! What a first course on neural networks derives by hand, beside what gradus derives.

use gradus::check::assert_derivation;
use gradus::ndarray::{ArrayD, IxDyn};
use gradus::prelude::*;

/// Numbers between -1 and 1 that look random.
fn numbers(shape: &[usize], seed: usize) -> ArrayD<f64> {
    let mut k = seed * 1000;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        k += 1;
        ((k as f64 * 12.9898).sin() * 43758.5453).fract()
    })
}

fn labels(m: usize, seed: usize) -> ArrayD<f64> {
    numbers(&[1, m], seed).mapv(|x| if x > 0.0 { 1.0 } else { 0.0 })
}

fn assert_equal(found: Var<'_>, by_hand: Var<'_>) {
    assert_eq!(found.shape(), by_hand.shape());
    let (found, by_hand) = (found.value().unwrap(), by_hand.value().unwrap());
    let size = by_hand.iter().fold(1e-300, |most: f64, x| most.max(x.abs()));
    for (f, h) in found.iter().zip(&by_hand) {
        assert!((f - h).abs() <= 1e-12 * size, "{f} is not {h}");
    }
}

fn cross_entropy<'g>(a: Var<'g>, y: Var<'g>) -> Var<'g> {
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean()
}

#[test]
fn logistic_regression() {
    for (n, m) in [(1, 1), (2, 3), (3, 7), (12, 40)] {
        let g = Graph::new();
        let x = g.input("X", numbers(&[n, m], 1));
        let y = g.input("Y", labels(m, 2));
        let w = g.param("w", numbers(&[n, 1], 3));
        let b = g.param("b", 0.3);

        let a = (w.t().dot(x) + b).sigmoid();
        let cost = cross_entropy(a, y);

        let m = y.size_of(1);
        let dw = x.dot((a - y).t()) / m;
        let db = (a - y).sum() / m;

        let [gw, gb] = cost.grad([w, b]);
        assert_equal(gw, dw);
        assert_equal(gb, db);
        assert_derivation(cost, w, dw);
        assert_derivation(cost, b, db);
    }
}

#[test]
fn a_mean_may_be_written_as_a_sum_over_m() {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[4, 6], 1)), g.input("Y", labels(6, 2)));
    let (w, b) = (g.param("w", numbers(&[4, 1], 3)), g.param("b", array![[0.1]]));
    let a = (w.t().dot(x) + b).sigmoid();
    let cost = -1.0 / y.size_of(1) * (y * a.ln() + (1.0 - y) * (1.0 - a).ln()).sum();
    assert!((cost.item().unwrap() - cross_entropy(a, y).item().unwrap()).abs() < 1e-15);
    assert_equal(cost.grad(w), x.dot((a - y).t()) / 6.0);
    assert_equal(cost.grad(b), (a - y).sum_keepdims([0, 1]) / 6.0);
}

#[test]
fn one_hidden_layer_with_tanh() {
    for (n_x, n_h, m) in [(2, 4, 5), (2, 1, 9), (3, 5, 1)] {
        let g = Graph::new();
        let x = g.input("X", numbers(&[n_x, m], 1));
        let y = g.input("Y", labels(m, 2));
        let (w1, b1) = (g.param("W1", numbers(&[n_h, n_x], 3)), g.param("b1", numbers(&[n_h, 1], 4)));
        let (w2, b2) = (g.param("W2", numbers(&[1, n_h], 5)), g.param("b2", numbers(&[1, 1], 6)));

        let z1 = w1.dot(x) + b1;
        let a1 = z1.tanh();
        let z2 = w2.dot(a1) + b2;
        let a2 = z2.sigmoid();
        let cost = cross_entropy(a2, y);

        let m = y.size_of(1);
        let dz2 = a2 - y;
        let dw2 = dz2.dot(a1.t()) / m;
        let db2 = dz2.sum_keepdims(1) / m;
        let dz1 = w2.t().dot(dz2) * (1.0 - a1.square());
        let dw1 = dz1.dot(x.t()) / m;
        let db1 = dz1.sum_keepdims(1) / m;

        let [gw1, gb1, gw2, gb2] = cost.grad([w1, b1, w2, b2]);
        assert_equal(gw1, dw1);
        assert_equal(gb1, db1);
        assert_equal(gw2, dw2);
        assert_equal(gb2, db2);
        assert_equal(cost.grad(z2) * m, dz2);
        assert_equal(cost.grad(z1) * m, dz1);
    }
}

#[test]
fn many_layers_with_relu() {
    for sizes in [&[3, 1][..], &[5, 4, 1], &[6, 5, 4, 3, 1]] {
        let m = 7;
        let g = Graph::new();
        let x = g.input("X", numbers(&[sizes[0], m], 1));
        let y = g.input("Y", labels(m, 2));
        let layers = sizes.len() - 1;
        let mut parameters = Vec::new();
        for l in 1..=layers {
            let w = g.param(&format!("W{l}"), numbers(&[sizes[l], sizes[l - 1]], 2 * l + 1));
            let b = g.param(&format!("b{l}"), numbers(&[sizes[l], 1], 2 * l + 2));
            parameters.push([w, b]);
        }

        // linear → relu, …, linear → sigmoid
        let (mut a, mut z) = (vec![x], Vec::new());
        for (l, [w, b]) in parameters.iter().enumerate() {
            z.push(w.dot(a[l]) + *b);
            a.push(if l + 1 < layers { z[l].relu() } else { z[l].sigmoid() });
        }
        let cost = cross_entropy(a[layers], y);
        let gradients = cost.grad(&parameters);

        // and backwards
        let m = y.size_of(1);
        let al = a[layers];
        let mut da = -(y / al - (1.0 - y) / (1.0 - al)) / m;
        for l in (0..layers).rev() {
            assert_equal(cost.grad(a[l + 1]), da);
            let slope = if l + 1 < layers { z[l].gt(0.0).cast() } else { al * (1.0 - al) };
            let dz = da * slope;
            let [w, _] = parameters[l];
            let [gw, gb] = gradients[l];
            assert_equal(gw, dz.dot(a[l].t()));
            assert_equal(gb, dz.sum_keepdims(1));
            da = w.t().dot(dz);
        }
    }
}

#[test]
fn the_first_computation_graph() {
    let g = Graph::new();
    let (a, b, c) = (g.input("a", 5.0), g.input("b", 3.0), g.input("c", 2.0));
    let u = b * c;
    let v = a + u;
    let j = 3.0 * v;
    assert_eq!(j.item().unwrap(), 33.0);
    let d = j.grad([v, u, a, b, c]).map(|d| d.item().unwrap());
    assert_eq!(d, [3.0, 3.0, 3.0, 6.0, 9.0]);
}

#[test]
fn after_three_updates_both_ways_agree() {
    let g = Graph::new();
    let x = g.input("X", numbers(&[3, 8], 1));
    let y = g.input("Y", labels(8, 2));
    let w = g.param("w", Array2::<f64>::zeros((3, 1)));
    let b = g.param("b", 0.0);
    let a = (w.t().dot(x) + b).sigmoid();
    let cost = cross_entropy(a, y);
    let mut derived = g.compile(cost, gradus::optim::Sgd::new(0.5).minimize(cost, (w, b))).unwrap();
    let dz = (a - y) / y.size_of(1);
    let by_hand = [w.assign(w - 0.5 * x.dot(dz.t())), b.assign(b - 0.5 * dz.sum())];
    let mut by_hand = g.compile(cost, by_hand).unwrap();

    let mut outcomes = [&mut derived, &mut by_hand].map(|program| {
        w.set_value(Array2::<f64>::zeros((3, 1))).unwrap();
        b.set_value(0.0).unwrap();
        let costs = [(); 3].map(|()| program.run().unwrap()[[]]);
        (costs, w.value().unwrap(), b.item().unwrap())
    });
    let [(c, w1, b1), (d, w2, b2)] = &mut outcomes;
    assert_eq!(c[0], std::f64::consts::LN_2);
    assert!(c.iter().zip(d).all(|(c, d)| (*c - *d).abs() < 1e-14));
    assert!(w1.iter().zip(w2).all(|(v, w)| (*v - *w).abs() < 1e-14) && (*b1 - *b2).abs() < 1e-14);
}

#[test]
fn higher_derivatives_have_closed_forms() {
    let g = Graph::new();
    let x = g.input("x", 0.7);
    let mut d = [x.sin(), x.exp(), x.powi(4), x.tanh()];
    let v: f64 = 0.7;
    let t = v.tanh();
    let expected = [
        [v.cos(), v.exp(), 4.0 * v.powi(3), 1.0 - t * t],
        [-v.sin(), v.exp(), 12.0 * v * v, -2.0 * t * (1.0 - t * t)],
        [-v.cos(), v.exp(), 24.0 * v, (1.0 - t * t) * (6.0 * t * t - 2.0)],
        [v.sin(), v.exp(), 24.0, (1.0 - t * t) * (16.0 * t - 24.0 * t.powi(3))],
    ];
    for row in expected {
        d = d.map(|d| d.grad(x));
        for (found, expected) in d.iter().zip(row) {
            assert!((found.item().unwrap() - expected).abs() < 1e-12 * (1.0 + expected.abs()));
        }
    }
}

#[test]
fn a_hessian_is_symmetric() {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[3, 6], 1)), g.input("Y", labels(6, 2)));
    let w = g.param("w", numbers(&[3, 1], 3));
    let a = w.t().dot(x).sigmoid();
    let gradient = cross_entropy(a, y).grad(w);
    let unit = |i: usize| ArrayD::from_shape_fn(IxDyn(&[3, 1]), |at| if at[0] == i { 1.0 } else { 0.0 });
    let rows: Vec<_> = (0..3).map(|i| (gradient * unit(i)).sum().grad(w).value().unwrap()).collect();
    // X diag(a (1 - a)) Xᵀ / m
    let closed = x.dot((x * (a * (1.0 - a))).t()) / 6.0;
    let closed = closed.value().unwrap();
    for i in 0..3 {
        for j in 0..3 {
            assert!((rows[i][[j, 0]] - rows[j][[i, 0]]).abs() < 1e-15);
            assert!((rows[i][[j, 0]] - closed[[i, j]]).abs() < 1e-14);
        }
    }
}
