//! Derivatives of single functions, as they stand in a course.

use gradus::check::assert_derivation;
use gradus::nn;
use gradus::prelude::*;

use crate::support::{assert_equal, cross_entropy, labels, numbers};

/// The derivative of Σ f(x) is f'(x).
fn assert_slope<'g>(x: Var<'g>, y: Var<'g>, slope: Var<'g>) {
    assert_equal(y.sum().grad(x), slope);
    assert_derivation(y.sum(), x, slope);
}

#[test]
fn activations() {
    for shape in [&[][..], &[5], &[3, 4], &[2, 3, 2]] {
        let g = Graph::new();
        let z = g.input("z", numbers(shape, 1) * 3.0);
        let [s, t] = [z.sigmoid(), z.tanh()];
        assert_slope(z, s, s * (1.0 - s));
        assert_slope(z, t, 1.0 - t.square());
        assert_slope(z, z.relu(), z.gt(0.0).cast());
        assert_slope(z, z.leaky_relu(0.01), z.gt(0.0).select(1.0 + 0.0 * z, 0.01));
        assert_slope(z, z.maximum(0.01 * z), z.gt(0.0).select(1.0 + 0.0 * z, 0.01));
        assert_slope(z, z.softplus(), s);
        // As they are written where only exp is known.
        assert_equal(s, 1.0 / (1.0 + (-z).exp()));
        assert_equal(t, (z.exp() - (-z).exp()) / (z.exp() + (-z).exp()));
        assert_equal((1.0 / (1.0 + (-z).exp())).sum().grad(z), s * (1.0 - s));
    }
}

#[test]
fn softmax_with_cross_entropy() {
    for (classes, m) in [(2, 1), (3, 5), (10, 7)] {
        let g = Graph::new();
        // Columns are examples; one class of each is right.
        let z = g.input("Z", numbers(&[classes, m], 1) * 2.0);
        let right: Vec<i64> = (0..m).map(|i| (i * 7 % classes) as i64).collect();
        let y = g.constant(ndarray::Array2::from_shape_fn((classes, m), |(k, i)| {
            if right[i] == k as i64 { 1.0 } else { 0.0 }
        }));
        let p = z.exp() / z.exp().sum_keepdims(0);
        assert_equal(p, z.softmax(0));
        let cost = -(y * p.ln()).sum() / m as f64;
        let dz = (p - y) / m as f64;
        assert_equal(cost.grad(z), dz);
        assert_derivation(cost, z, dz);
        assert_equal(-(y * z.log_softmax(0)).sum().grad(z) / m as f64, dz);
        // The Jacobian of one example: pₖ (δₖⱼ - pⱼ).
        let (one, q) = (z.slice(1, 0..1), p.slice(1, 0..1));
        let weights = g.constant(numbers(&[classes, 1], 3));
        let by_hand = q * (weights - (q * weights).sum());
        assert_equal((one.softmax(0) * weights).sum().grad(one), by_hand);
    }
}

#[test]
fn the_size_of_the_weights() {
    let g = Graph::new();
    let (x, y) = (g.input("X", numbers(&[3, 6], 1)), g.input("Y", labels(&[1, 6], 2)));
    let (w, b) = (g.param("W", numbers(&[1, 3], 3)), g.param("b", numbers(&[1, 1], 4)));
    let (lambda, m) = (0.7, y.size_of(1));
    let a = (w.dot(x) + b).sigmoid();
    let plain = cross_entropy(a, y);
    let cost = plain + lambda / (2.0 * m) * w.square().sum();
    let dz = (a - y) / m;
    assert_equal(cost.grad(w), dz.dot(x.t()) + lambda / m * w);
    assert_derivation(cost, w, dz.dot(x.t()) + lambda / m * w);
    assert_equal(cost.grad(b), dz.sum_keepdims(1));
    assert_equal((cost - plain).grad(w), lambda / m * w);
    // The same as weights that decay: W - α dW = (1 - α λ/m) W - α dW without the term.
    let rate = 0.1;
    assert_equal(w - rate * cost.grad(w), (1.0 - rate * lambda / m) * w - rate * plain.grad(w));
}

#[test]
fn losses_of_vectors() {
    for n in [1, 2, 5, 40] {
        let g = Graph::new();
        let yhat = g.input("yhat", numbers(&[n], 1));
        let y = g.input("y", labels(&[n], 2));
        let error = y - yhat;
        let l1 = error.abs().sum();
        assert_equal(l1, nn::l1(yhat, y, nn::Reduction::Sum));
        assert_equal(l1.grad(yhat), -error.sign());
        assert_derivation(l1, yhat, -error.sign());
        let l2 = error.square().sum();
        assert_equal(l2, error.dot(error));
        assert_equal(l2, nn::mse(yhat, y, nn::Reduction::Sum));
        assert_equal(l2.grad(yhat), -2.0 * error);
        assert_derivation(l2, yhat, -2.0 * error);
        let one = -(y * (0.5 + 0.4 * yhat).ln() + (1.0 - y) * (0.5 - 0.4 * yhat).ln()).sum();
        let p = 0.5 + 0.4 * yhat;
        assert_equal(one.grad(yhat), 0.4 * (p - y) / (p * (1.0 - p)));
    }
}

#[test]
fn lengths_and_rows_of_length_one() {
    for shape in [[1, 3], [2, 3], [4, 6]] {
        let g = Graph::new();
        let x = g.input("x", numbers(&shape, 1));
        // ‖x‖' = x / ‖x‖, of everything and of every row.
        let length = x.square().sum().sqrt();
        assert_equal(length, x.norm());
        assert_equal(length.grad(x), x / length);
        assert_derivation(x.norm(), x, x / length);
        let rows = x.norm_keepdims(1);
        assert_derivation(rows.sum(), x, x / rows);

        // u = x / ‖x‖ row by row: dx = (du - u Σ u du) / ‖x‖.
        let u = x / rows;
        let du = g.constant(numbers(&shape, 2));
        let by_hand = (du - u * (u * du).sum_keepdims(1)) / rows;
        assert_equal((u * du).sum().grad(x), by_hand);
        assert_derivation((u * du).sum(), x, by_hand);
        let lengths = u.norm_axis(1).value().unwrap();
        assert!(lengths.iter().all(|length| (length - 1.0).abs() < 1e-15));
    }
}
