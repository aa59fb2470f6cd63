//! Every derivative of a network that is derived by hand, and what becomes of its parameters.

use gradus::check::assert_derivation;
use gradus::ndarray::{Array2, ArrayD, Axis, Ix2};
use gradus::optim::Sgd;
use gradus::prelude::*;

use crate::support::{
    Activation, Backward, Network, assert_close, assert_equal, cross_entropy, labels, numbers, start,
};

/// Sizes of layers and numbers of examples: logistic regression, and deeper.
const LOGISTIC: [(&[usize], usize); 4] = [(&[1, 1], 1), (&[2, 1], 3), (&[3, 1], 7), (&[12, 1], 40)];
const TWO_LAYERS: [(&[usize], usize); 3] = [(&[2, 4, 1], 5), (&[2, 1, 1], 9), (&[3, 5, 1], 1)];
const DEEP: [(&[usize], usize); 3] = [(&[5, 4, 1], 7), (&[6, 5, 4, 3, 1], 7), (&[4, 6, 5, 2, 2, 1], 3)];

/// All models, each with its activation.
fn models() -> impl Iterator<Item = (&'static [usize], usize, Activation)> {
    let of = |activation| move |(sizes, m)| (sizes, m, activation);
    let tanh = LOGISTIC.into_iter().chain(TWO_LAYERS).map(of(Activation::Tanh));
    tanh.chain(DEEP.into_iter().chain(TWO_LAYERS).map(of(Activation::Relu)))
}

/// dA, dZ, dW and db of every layer.
fn assert_derived(sizes: &[usize], m: usize, activation: Activation) {
    let g = Graph::new();
    let network = Network::new(&g, sizes, activation, m);
    let layers = network.forward(network.x);
    let cost = cross_entropy(layers.a[sizes.len() - 1], network.y);
    let derived = cost.grad((&layers.a[1..], &layers.z, &network.parameters));
    for by_hand in [network.at_once(), network.one_by_one()] {
        let Backward { da, dz, dw, db } = by_hand;
        for l in 0..sizes.len() - 1 {
            assert_equal(derived.0[l], da[l]);
            assert_equal(derived.1[l], dz[l]);
            assert_equal(derived.2[l][0], dw[l]);
            assert_equal(derived.2[l][1], db[l]);
        }
    }
}

#[test]
fn every_layer_all_examples_at_once_and_one_by_one() {
    for (sizes, m, activation) in models() {
        assert_derived(sizes, m, activation);
    }
}

/// The last layer has a shorter derivative than the chain rule gives, which courses use: dZ = 1/m (A - Y).
#[test]
fn the_residual() {
    for (sizes, m, activation) in models() {
        let g = Graph::new();
        let network = Network::new(&g, sizes, activation, m);
        let layers = network.forward(network.x);
        let (a, z) = (layers.a[sizes.len() - 1], layers.z[sizes.len() - 2]);
        let dz = (a - network.y) / network.y.size_of(1);
        assert_equal(cross_entropy(a, network.y).grad(z), dz);
    }
}

/// A bias that is a number, as in logistic regression, where `db` is the sum over everything.
#[test]
fn logistic_regression_with_a_number_for_a_bias() {
    for (sizes, m) in LOGISTIC {
        let g = Graph::new();
        let (x, y) = (g.input("X", numbers(&[sizes[0], m], 1)), g.input("Y", labels(&[1, m], 2)));
        let (w, b) = (g.param("w", numbers(&[sizes[0], 1], 3)), g.param("b", 0.3));
        let a = (w.t().dot(x) + b).sigmoid();
        let cost = cross_entropy(a, y);
        let as_a_sum = -1.0 / y.size_of(1) * (y * a.ln() + (1.0 - y) * (1.0 - a).ln()).sum();
        assert_equal(cost, as_a_sum);

        let m = y.size_of(1);
        let by_hand = [x.dot((a - y).t()) / m, (a - y).sum() / m];
        for cost in [cost, as_a_sum] {
            let [dw, db] = cost.grad([w, b]);
            assert_equal(dw, by_hand[0]);
            assert_equal(db, by_hand[1]);
        }
        assert_derivation(cost, w, by_hand[0]);
        assert_derivation(cost, b, by_hand[1]);
    }
}

/// How many updates, and how far each goes.
const UPDATES: usize = 3;
const RATE: f64 = 0.5;

/// The program that a course writes: arrays, and no graph.
fn by_arrays(sizes: &[usize], m: usize, activation: Activation) -> (Vec<f64>, Vec<ArrayD<f64>>) {
    let two = |array: ArrayD<f64>| array.into_dimensionality::<Ix2>().unwrap();
    let (x, y) = (two(numbers(&[sizes[0], m], 1)), two(labels(&[1, m], 2)));
    let layers = sizes.len() - 1;
    let mut w: Vec<Array2<f64>> = (0..layers).map(|l| two(start(sizes, l)[0].clone())).collect();
    let mut b: Vec<Array2<f64>> = (0..layers).map(|l| two(start(sizes, l)[1].clone())).collect();
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let mut costs = Vec::new();
    for _ in 0..UPDATES {
        let mut a = vec![x.clone()];
        for l in 0..layers {
            let z = w[l].dot(&a[l]) + &b[l];
            a.push(match activation {
                _ if l + 1 == layers => z.mapv(sigmoid),
                Activation::Tanh => z.mapv(f64::tanh),
                Activation::Relu => z.mapv(|z| z.max(0.0)),
            });
        }
        let al = &a[layers];
        let loss = &y * &al.mapv(f64::ln) + (1.0 - &y) * (1.0 - al).mapv(f64::ln);
        costs.push(-loss.sum() / m as f64);
        let mut dz = (al - &y) / m as f64;
        for l in (0..layers).rev() {
            let (dw, db) = (dz.dot(&a[l].t()), dz.sum_axis(Axis(1)).insert_axis(Axis(1)));
            let slope = match activation {
                Activation::Tanh => 1.0 - &a[l] * &a[l],
                Activation::Relu => a[l].mapv(|a| if a > 0.0 { 1.0 } else { 0.0 }),
            };
            dz = w[l].t().dot(&dz) * slope;
            w[l] = &w[l] - RATE * dw;
            b[l] = &b[l] - RATE * db;
        }
    }
    let parameters = w.into_iter().zip(b).flat_map(|(w, b)| [w.into_dyn(), b.into_dyn()]);
    (costs, parameters.collect())
}

#[test]
fn after_three_updates_all_ways_agree() {
    for (sizes, m, activation) in models() {
        let g = Graph::new();
        let network = Network::new(&g, sizes, activation, m);
        let cost = cross_entropy(network.forward(network.x).a[sizes.len() - 1], network.y);
        let parameters: Vec<Var<'_>> = network.parameters.iter().flatten().copied().collect();
        let Backward { dw, db, .. } = network.at_once();
        let gradients = dw.iter().zip(&db).flat_map(|(dw, db)| [*dw, *db]);
        let by_hand: Vec<_> =
            parameters.iter().zip(gradients).map(|(&p, dp)| p.assign(p - RATE * dp)).collect();
        let programs = [
            g.compile(cost, Sgd::new(RATE).minimize(cost, &parameters)).unwrap(),
            g.compile(cost, by_hand).unwrap(),
        ];

        let (costs, expected) = by_arrays(sizes, m, activation);
        let first: Vec<ArrayD<f64>> = parameters.iter().map(|p| p.value().unwrap().into_owned()).collect();
        for mut program in programs {
            for (p, value) in parameters.iter().zip(&first) {
                p.set_value(value).unwrap();
            }
            for cost in &costs {
                assert!((program.run().unwrap()[[]] - cost).abs() < 1e-12 * cost);
            }
            for (p, expected) in parameters.iter().zip(&expected) {
                assert_close(&p.value().unwrap(), expected);
            }
        }
    }
}

/// As courses check gradients: all parameters in one vector, `(J(θ + ε) - J(θ - ε)) / 2ε` for each of its entries with ε = 1e-7,
/// and the distance from the gradient relative to the lengths of both, which is below 1e-7.
#[test]
fn gradient_checking() {
    const EPSILON: f64 = 1e-7;
    let g = Graph::new();
    let network = Network::new(&g, &[4, 5, 3, 1], Activation::Relu, 3);
    let cost = cross_entropy(network.forward(network.x).a[3], network.y);
    let mut program = g.compile(cost, ()).unwrap();
    let mut distance = |gradients: &[Var<'_>]| {
        let (mut difference, mut analytic, mut numeric) = (0.0, 0.0, 0.0);
        for (&p, gradient) in network.parameters.iter().flatten().zip(gradients) {
            let value = p.value().unwrap().into_owned();
            let gradient = gradient.value().unwrap();
            for (i, by_rule) in gradient.iter().enumerate() {
                let mut at = |step: f64| {
                    let mut moved = value.clone();
                    moved.as_slice_mut().unwrap()[i] += step;
                    p.set_value(moved).unwrap();
                    program.run().unwrap()[[]]
                };
                let slope = (at(EPSILON) - at(-EPSILON)) / (2.0 * EPSILON);
                difference += (slope - by_rule).powi(2);
                analytic += by_rule.powi(2);
                numeric += slope.powi(2);
            }
            p.set_value(value).unwrap();
        }
        f64::sqrt(difference) / (f64::sqrt(analytic) + f64::sqrt(numeric))
    };
    let Backward { dw, db, .. } = network.at_once();
    let by_hand: Vec<Var<'_>> = dw.iter().zip(&db).flat_map(|(dw, db)| [*dw, *db]).collect();
    let derived: Vec<Var<'_>> = cost.grad(&network.parameters).into_iter().flatten().collect();
    assert!(distance(&derived) < 1e-7);
    assert!(distance(&by_hand) < 1e-7);
    // A mistake in one of them is seen.
    let mut wrong = by_hand;
    wrong[2] = wrong[2] * 2.0;
    assert!(distance(&wrong) > 1e-3);
}
