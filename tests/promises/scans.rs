//! Running sums and products, recurrences and products: values, derivatives, zeros, empty arrays.

use gradus::{Axes, Graph, Var};
use ndarray::{Array2, ArrayD, Axis, IxDyn, array};

use crate::support::{
    Formula, Laid, Lie, Panicked, Rng, Slope, assert_close, check_derivatives, difference, panicked,
};

#[test]
fn derivatives_along_every_axis() {
    let rows: &[(&str, &[&[usize]], Formula<'_>)] = &[
        ("cumsum", &[&[5]], &|x| x[0].cumsum(0)),
        ("cumsum 0", &[&[3, 4]], &|x| x[0].cumsum(0)),
        ("cumsum -1", &[&[3, 4]], &|x| x[0].cumsum(-1)),
        ("cumsum in the middle", &[&[2, 3, 2]], &|x| x[0].cumsum(1)),
        ("cumsum in reverse", &[&[2, 3, 2]], &|x| x[0].cumsum_reverse(1)),
        ("cumsum of one", &[&[3, 1]], &|x| x[0].cumsum(1)),
        ("cumsum of nothing", &[&[0, 3]], &|x| x[0].cumsum(0)),
        ("cumprod", &[&[5]], &|x| x[0].cumprod(0)),
        ("cumprod 0", &[&[3, 4]], &|x| x[0].cumprod(0)),
        ("cumprod -1", &[&[3, 4]], &|x| x[0].cumprod(-1)),
        ("cumprod in the middle, in reverse", &[&[2, 3, 2]], &|x| x[0].cumprod_reverse(1)),
        ("cumprod of one", &[&[3, 1]], &|x| x[0].cumprod(1)),
        ("cumprod of nothing", &[&[3, 0]], &|x| x[0].cumprod(1)),
        ("cumprod of a cumsum", &[&[4]], &|x| x[0].cumsum(0).cumprod_reverse(0)),
        ("recurrence", &[&[5], &[5]], &|x| x[0].recurrence(0, x[1])),
        ("recurrence 0", &[&[4, 2], &[4, 2]], &|x| x[0].recurrence(0, x[1])),
        ("recurrence in reverse", &[&[2, 4], &[2, 4]], &|x| x[0].recurrence_reverse(1, x[1])),
        ("recurrence with one coefficient", &[&[2, 4], &[]], &|x| x[0].recurrence(1, x[1])),
        ("recurrence of one", &[&[2, 1], &[2, 1]], &|x| x[0].recurrence(1, x[1]) * x[1]),
        ("recurrence of nothing", &[&[0], &[0]], &|x| x[0].recurrence_reverse(0, x[1])),
        ("recurrence of itself", &[&[4]], &|x| x[0].recurrence(0, x[0])),
        ("prod of nothing", &[&[0, 2]], &|x| x[0].prod_axis(0) + x[0].sum_axis(0)),
    ];
    let mut rng = Rng(71);
    for (label, shapes, formula) in rows {
        for lie in Lie::ALL {
            let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            check_derivatives(label, Slope::Some, draw, *formula);
        }
    }
}

/// Numbers of which some are zero, anywhere.
fn with_zeros(rng: &mut Rng, shape: &[usize], zeros: usize) -> ArrayD<f64> {
    let mut x = rng.distinct(shape);
    while x.iter().filter(|&&x| x == 0.0).count() < zeros {
        let place = rng.below(x.len());
        x.iter_mut().skip(place).take(1).for_each(|x| *x = 0.0);
    }
    x
}

#[test]
fn products_with_zeros_have_their_derivatives_to_the_second_order() {
    let rows: &[(&str, &[usize], Formula<'_>)] = &[
        ("prod", &[5], &|x| x[0].prod()),
        ("prod of all", &[3, 2], &|x| x[0].prod_keepdims(Axes::ALL)),
        ("prod 0", &[3, 3], &|x| x[0].prod_axis(0)),
        ("prod -1, kept", &[3, 3], &|x| x[0].prod_keepdims(-1)),
        ("prod [0, 2]", &[2, 3, 2], &|x| x[0].prod_axis([0, 2])),
        ("prod [1, 2]", &[2, 2, 2], &|x| x[0].prod_axis([2, 1])),
        ("prod of no axis", &[3], &|x| x[0].prod_axis(Axes::none()) * x[0]),
        ("prod of a scalar", &[], &|x| x[0].prod() * x[0]),
        ("cumprod", &[5], &|x| x[0].cumprod(0)),
        ("cumprod in reverse", &[5], &|x| x[0].cumprod_reverse(0)),
        ("cumprod 0", &[3, 3], &|x| x[0].cumprod(0)),
    ];
    let mut rng = Rng(72);
    for &(label, shape, formula) in rows {
        for zeros in (0..=3).filter(|&zeros| zeros == 0 || !shape.is_empty()) {
            for _ in 0..4 {
                let x = with_zeros(&mut rng, shape, zeros);
                // Three zeros leave nothing of the product of a line, at the second order neither.
                if zeros == 3 && matches!(label, "prod" | "prod of all") {
                    assert_flat(&x, formula);
                }
                compare_each(label, &x, formula);
            }
        }
    }
}

fn assert_flat(x: &ArrayD<f64>, formula: Formula<'_>) {
    let g = Graph::new();
    let x = g.input("x", x);
    let y = formula(&[x]).sum();
    assert_eq!(y.item().unwrap(), 0.0);
    assert!(y.grad(x).value().unwrap().iter().all(|&d| d == 0.0));
    assert!(y.hessian(x).value().unwrap().iter().all(|&d| d == 0.0));
}

/// Compares each first and second derivative with differences, also where zero is right: products with two zeros are flat.
fn compare_each(label: &str, values: &ArrayD<f64>, formula: Formula<'_>) {
    let mut rng = Rng(73);
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", values.shape());
    let y = formula(&[x]);
    let cost = (y * g.constant(rng.array(&y.shape(), 0.5, 1.0))).sum();
    let d = cost.grad(x);
    let v = rng.array(&x.shape(), 0.5, 1.0);
    let dd = (d * g.constant(&v)).sum().grad(x);
    let mut program = g.compile((cost, d, dd), ()).unwrap();
    let (d, dd) = {
        let (_, d, dd) = program.run_with(&[x.feed(values)]).unwrap();
        (d.to_owned(), dd.to_owned())
    };
    let mut at = |direction: &ArrayD<f64>, t: f64| {
        let (cost, d, _) = program.run_with(&[x.feed(&(values + &(direction * t)))]).unwrap();
        (cost[[]], d.to_owned())
    };
    for (i, (&d, &dd)) in d.iter().zip(&dd).enumerate() {
        let mut unit = ArrayD::zeros(values.raw_dim());
        unit.iter_mut().skip(i).take(1).for_each(|e| *e = 1.0);
        // A product is a polynomial, of which extrapolated differences are exact.
        let slope = difference(|t| at(&unit, t).0, 0.5);
        let bend = difference(|t| (at(&unit, t).1 * &v).sum(), 0.5);
        assert!((d - slope).abs() < 1e-10, "{label} {values}: {d}, not {slope}");
        assert!((dd - bend).abs() < 1e-10, "{label} {values}: {dd}, not {bend}");
    }
}

#[test]
fn gradients_of_products_with_zeros_in_numbers() {
    let g = Graph::new();
    let gradient = |x: ndarray::Array1<f64>| {
        let x = g.constant(x);
        (x.prod().grad(x).value().unwrap(), x.prod().hessian(x).value().unwrap())
    };
    let (one, _) = gradient(array![2.0, 0.0, 3.0, 5.0]);
    assert_eq!(one, array![0.0, 30.0, 0.0, 0.0].into_dyn());
    let (two, hessian) = gradient(array![2.0, 0.0, 3.0, 0.0]);
    assert_eq!(two, array![0.0, 0.0, 0.0, 0.0].into_dyn());
    let mut expected = Array2::zeros((4, 4));
    (expected[[1, 3]], expected[[3, 1]]) = (6.0, 6.0);
    assert_eq!(hessian, expected.into_dyn());
    let (three, hessian) = gradient(array![0.0, 0.0, 3.0, 0.0]);
    assert!(three.iter().chain(&hessian).all(|&d| d == 0.0));
    let x = g.constant(array![2.0, 0.0, 3.0, 0.0, 5.0]);
    let d = (x.cumprod(0) * array![1.0, 10.0, 100.0, 1000.0, 1e4]).sum().grad(x).value().unwrap();
    assert_eq!(d, array![1.0, 620.0, 0.0, 0.0, 0.0].into_dyn());
}

#[test]
fn values_are_those_of_plain_loops() {
    let mut rng = Rng(74);
    for shape in [&[6][..], &[3, 4], &[2, 3, 4], &[1, 5], &[300, 3], &[2, 500], &[2, 0], &[0, 2]] {
        for axis in 0..shape.len() {
            for lie in Lie::ALL {
                let laid = Laid::new(rng.distinct(shape), lie);
                let values = laid.view().to_owned();
                let g = Graph::new();
                let x = g.placeholder::<f64>("x", shape);
                let outputs = vec![
                    x.cumsum(axis),
                    x.cumsum_reverse(axis),
                    x.cumprod(axis),
                    x.cumprod_reverse(axis),
                    x.recurrence(axis, x * 0.5),
                    x.recurrence_reverse(axis, x * 0.5),
                ];
                let mut program = g.compile(outputs, ()).unwrap();
                let found = program.run_with(&[x.feed(&laid.view())]).unwrap();
                let steps: [fn(f64, f64) -> f64; 3] = [|s, x| s + x, |s, x| s * x, |s, x| 0.5 * x * s + x];
                for (k, found) in found.iter().enumerate() {
                    let expected = scanned(&values, axis, k % 2 == 1, steps[k / 2]);
                    assert_close(&found.to_owned(), &expected, 1e-14);
                }
            }
        }
    }
}

fn scanned(x: &ArrayD<f64>, axis: usize, reverse: bool, step: fn(f64, f64) -> f64) -> ArrayD<f64> {
    let mut y = x.clone();
    for mut line in y.lanes_mut(Axis(axis)) {
        if reverse {
            line.invert_axis(Axis(0));
        }
        for k in 1..line.len() {
            line[k] = step(line[k - 1], line[k]);
        }
    }
    y
}

#[test]
fn integers_and_floats_of_32_bits() {
    let g = Graph::new();
    let n = g.input("n", array![[1_i64, 2, 3], [4, 5, i64::MAX]]);
    assert_eq!(n.cumsum(1).value().unwrap(), array![[1, 3, 6], [4, 9, i64::MIN + 8]].into_dyn());
    assert_eq!(n.prod_axis(0).value().unwrap(), array![4_i64, 10, i64::MAX.wrapping_mul(3)].into_dyn());
    assert_eq!(n.cumprod_reverse(0).value().unwrap()[[0, 1]], 10);
    let empty = g.input("empty", Array2::<i64>::zeros((2, 0)));
    assert_eq!(empty.prod_axis(1).value().unwrap(), array![1_i64, 1].into_dyn());
    let x = g.input("x", array![1.5_f32, -2.0, 0.5]);
    assert_eq!(x.cumprod(0).value().unwrap(), array![1.5_f32, -3.0, -1.5].into_dyn());
    assert_eq!(x.prod().grad(x).value().unwrap(), array![-1.0_f32, 0.75, -3.0].into_dyn());
    let none = g.input("none", Array2::<f64>::zeros((0, 2)));
    assert_eq!(none.prod().item().unwrap(), 1.0);
    assert_eq!(none.prod_axis(0).value().unwrap(), array![1.0, 1.0].into_dyn());
    assert_eq!(none.prod_axis(1).value().unwrap().shape(), [0]);
    assert_eq!(none.prod().grad(none).value().unwrap().shape(), [0, 2]);
}

#[test]
fn nan_goes_on_and_stays_behind() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, f64::NAN, 2.0]);
    let sums = x.cumsum(0).value().unwrap();
    assert!(sums[[0]] == 1.0 && sums[[1]].is_nan() && sums[[2]].is_nan());
    let products = x.cumprod_reverse(0).value().unwrap();
    assert!(products[[2]] == 2.0 && products[[1]].is_nan() && products[[0]].is_nan());
    // The coefficient of the first element is not read.
    let a = array![f64::INFINITY, 0.5, 0.5];
    let b = g.input("b", array![0.0, 1.0, 1.0]);
    assert_eq!(b.recurrence(0, &a).value().unwrap(), array![0.0, 1.0, 1.5].into_dyn());
    assert_eq!(b.recurrence(0, &a).sum().grad(b).value().unwrap(), array![1.75, 1.5, 1.0].into_dyn());
}

#[test]
fn sizes_follow_what_is_fed() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 2]);
    let cost = (x.cumprod(0) + x.cumsum(1)).sum() + x.prod_axis([0, 1]);
    let mut program = g.compile((cost, cost.grad(x)), ()).unwrap();
    for n in [3, 1, 5, 0] {
        let values = ArrayD::from_shape_fn(IxDyn(&[n, 2]), |at| (1 + at[0] + 2 * at[1]) as f64 / 3.0);
        let (_, d) = program.run_with(&[x.feed(&values)]).unwrap();
        let d = d.to_owned();
        for (at, &d) in d.indexed_iter() {
            let mut moved = |t: f64| {
                let mut values = values.clone();
                values[&at] += t;
                let (cost, _) = program.run_with(&[x.feed(&values)]).unwrap();
                cost[[]]
            };
            let slope = moved(0.5) - moved(-0.5);
            assert!((d - slope).abs() < 1e-9 * (1.0 + d.abs()), "{d}, not {slope}");
        }
    }
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 3)));
    let check = |panic: Panicked, text: &str| {
        assert!(panic.text.starts_with(text), "{}\nnot\n{text}", panic.text);
        assert!(panic.file.ends_with("scans.rs"), "{}", panic.file);
    };
    check(panicked(|| x.cumsum([0, 1])), "`cumsum` requires one axis, got [0, 1]");
    check(panicked(|| x.cumprod(2)), "`cumprod` got axis 2 of an array with 2 axes");
    check(panicked(|| g.constant(1.0).cumsum(0)), "`cumsum` got axis 0 of an array with 0 axes");
    check(panicked(|| x.prod_axis([0, -2])), "`prod` got axis 0 twice");
    let a: Var<'_> = g.input("a", array![1.0, 2.0]);
    check(panicked(|| x.recurrence(0, a)), "`broadcast_like` cannot stretch (2,) to (2, 3)");
}
