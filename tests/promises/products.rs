//! `matmul`: NumPy's rule for every pair of ranks, derivatives, strides, sizes that follow what is fed.

use gradus::Graph;
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, IxDyn};

use crate::support::{Formula, Laid, Lie, Rng, Slope, assert_close, check_derivatives, panicked};

/// Pairs of shapes, and the shape of the product.
const SHAPES: &[(&[usize], &[usize], &[usize])] = &[
    (&[3], &[3], &[]),
    (&[2, 3], &[3, 4], &[2, 4]),
    (&[2, 3, 4], &[2, 4, 2], &[2, 3, 2]),
    (&[2, 3, 4], &[4, 2], &[2, 3, 2]),
    (&[2, 3, 4], &[4], &[2, 3]),
    (&[3, 4], &[2, 4, 2], &[2, 3, 2]),
    (&[4], &[2, 4, 3], &[2, 3]),
    (&[4], &[2, 2, 4, 3], &[2, 2, 3]),
    (&[2, 1, 3, 4], &[3, 4, 2], &[2, 3, 3, 2]),
    (&[1, 3, 4], &[2, 4, 1], &[2, 3, 1]),
    (&[2, 1, 4], &[1, 4, 3], &[2, 1, 3]),
    (&[2, 2, 3, 4], &[4, 2], &[2, 2, 3, 2]),
    (&[0, 3, 4], &[4, 2], &[0, 3, 2]),
    (&[2, 3, 0], &[2, 0, 2], &[2, 3, 2]),
    (&[2, 0, 4], &[4, 2], &[2, 0, 2]),
    (&[2, 0, 4], &[2, 4, 3], &[2, 0, 3]),
    (&[2, 1, 1], &[2, 1, 1], &[2, 1, 1]),
    (&[2, 3], &[3], &[2]),
    (&[3], &[3, 2], &[2]),
    (&[0], &[0], &[]),
    (&[0], &[0, 2], &[2]),
    (&[2, 0], &[0], &[2]),
    (&[3], &[2, 3, 0], &[2, 0]),
    (&[2, 1, 2, 3], &[3], &[2, 1, 2]),
];

/// As NumPy's documentation says it.
fn plain_matmul(a: &ArrayViewD<'_, f64>, b: &ArrayViewD<'_, f64>, shape: &[usize]) -> ArrayD<f64> {
    let (row, column) = (a.ndim() == 1, b.ndim() == 1);
    let a = if row { a.view().insert_axis(Axis(0)) } else { a.view() };
    let b = if column { b.view().insert_axis(Axis(1)) } else { b.view() };
    let mut full = shape.to_vec();
    if column {
        full.push(1);
    }
    if row {
        full.insert(full.len() - 1, 1);
    }
    let rank = full.len();
    let (m, n, k) = (full[rank - 2], full[rank - 1], a.shape()[a.ndim() - 1]);
    let batch = &full[..rank - 2];
    let whole = |last: [usize; 2]| batch.iter().copied().chain(last).collect::<Vec<_>>();
    let (a, b) = (a.broadcast(whole([m, k])).unwrap(), b.broadcast(whole([k, n])).unwrap());
    let y = ArrayD::from_shape_fn(IxDyn(&full), |at| {
        let at = at.as_array_view().to_vec();
        let (lead, i, j) = (&at[..rank - 2], at[rank - 2], at[rank - 1]);
        let place = |last: [usize; 2]| lead.iter().copied().chain(last).collect::<Vec<_>>();
        (0..k).map(|p| a[&place([i, p])[..]] * b[&place([p, j])[..]]).sum()
    });
    y.into_shape_with_order(IxDyn(shape)).unwrap()
}

#[test]
fn every_pair_of_ranks_and_strides() {
    let mut rng = Rng(51);
    for &(left, right, shape) in SHAPES {
        for a_lie in Lie::ALL {
            for b_lie in Lie::ALL {
                let (a, b) = (Laid::new(rng.distinct(left), a_lie), Laid::new(rng.distinct(right), b_lie));
                let g = Graph::new();
                let (x, y) = (g.placeholder::<f64>("x", left), g.placeholder::<f64>("y", right));
                let product = x.matmul(y);
                assert_eq!(product.shape(), shape);
                let mut program = g.compile((product, (x * 2.0).matmul(y.sin())), ()).unwrap();
                let (found, computed) = program.run_with(&[x.feed(&a.view()), y.feed(&b.view())]).unwrap();
                let expected = plain_matmul(&a.view(), &b.view(), shape);
                assert_close(&found.to_owned(), &expected, 1e-14);
                let (a, b) = (&a.view() * 2.0, b.view().mapv(f64::sin));
                assert_close(&computed.to_owned(), &plain_matmul(&a.view(), &b.view(), shape), 1e-14);
            }
        }
    }
}

/// `(2, 3, 4)` as two heads of two numbers, for each of three places.
fn heads(x: gradus::Var<'_>) -> gradus::Var<'_> {
    x.reshape([2, 3, 2, 2]).transpose([0, 2, 1, 3])
}

#[test]
fn derivatives() {
    let mut rng = Rng(52);
    for &(left, right, _) in SHAPES {
        for (a, b) in [(Lie::C, Lie::C), (Lie::Transposed, Lie::Broadcast), (Lie::Stepped, Lie::Reversed)] {
            let draw = || vec![Laid::new(rng.distinct(left), a), Laid::new(rng.distinct(right), b)];
            check_derivatives(&format!("{left:?} {right:?}"), Slope::Some, draw, &|x| x[0].matmul(x[1]));
        }
    }
    let rows: &[(&str, &[&[usize]], Formula<'_>)] = &[
        ("with itself", &[&[2, 3, 3]], &|x| x[0].matmul(x[0])),
        ("q kT v", &[&[2, 3, 4], &[2, 3, 4]], &|x| {
            x[0].matmul(x[1].transpose([0, 2, 1])).softmax(-1).matmul(x[1].square())
        }),
        ("heads", &[&[2, 3, 12]], &|x| {
            let parts = x[0].split(-1, 3);
            let weights = heads(parts[0]).matmul(heads(parts[1]).transpose([0, 1, 3, 2])).softmax(-1);
            weights.matmul(heads(parts[2])).transpose([0, 2, 1, 3]).flatten([2, 3])
        }),
    ];
    for (label, shapes, formula) in rows {
        let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), Lie::C)).collect();
        check_derivatives(label, Slope::Some, draw, *formula);
    }
}

#[test]
fn a_batch_of_another_size() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3, 4]);
    let w = g.param("w", ArrayD::ones(vec![4, 5]).into_dimensionality::<ndarray::Ix2>().unwrap());
    let y = x.matmul(w);
    let scores = y.matmul(y.transpose([0, 2, 1]));
    let mut program = g.compile((scores, scores.sum().grad(w)), ()).unwrap();
    for (n, m) in [(1, 3), (5, 2), (0, 3), (2, 7)] {
        let (scores, d) = program.run_with(&[x.feed(&ArrayD::ones(vec![n, m, 4]))]).unwrap();
        assert_eq!(scores.shape(), [n, m, m]);
        assert!(scores.iter().all(|&s| s == 80.0));
        assert!(d.iter().all(|&d| d == 8.0 * (n * m * m) as f64), "{d}");
    }
}

#[test]
fn a_shared_matrix_is_one_product() {
    let g = Graph::new();
    let x = g.input("x", ArrayD::<f64>::ones(vec![2, 3, 4]));
    let w = g.param("w", ArrayD::<f64>::ones(vec![4, 5]));
    let d = x.matmul(w).sum().grad(w);
    assert!(d.to_string().contains("flatten([0, 1]).t().dot("), "{d}");
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let a = g.input("a", ArrayD::<f64>::ones(vec![2, 3, 4]));
    let b = g.input("b", ArrayD::<f64>::ones(vec![3, 5]));
    let c = g.input("c", ArrayD::<f64>::ones(vec![3, 4, 2]));
    let text = |panic: crate::support::Panicked| panic.text;
    let inner = text(panicked(|| a.matmul(b)));
    let expected = "`matmul` requires (.., k) · (k, ..), got (2, 3, 4) and (3, 5): 4 (axis 2) != 3 (axis 0)\n  left:  `a`";
    assert!(inner.starts_with(expected), "{inner}");
    let outer = text(panicked(|| a.matmul(c)));
    let expected = "`matmul` cannot broadcast (2, 3, 4) and (3, 4, 2): 2 (axis 0) != 3 (axis 0)";
    assert!(outer.starts_with(expected), "{outer}");
    let scalar = text(panicked(|| a.matmul(2.0)));
    assert!(scalar.starts_with("`matmul` requires operands with at least 1 axis, got ()"), "{scalar}");
}
