//! Orders: values with ties and NaN, derivatives, sizes, mistakes.

use gradus::{Error, Graph};
use ndarray::{Array2, ArrayD, Axis, array};

use crate::support::{Formula, Laid, Lie, Panicked, Rng, Slope, check_derivatives, panicked};

#[test]
fn derivatives_along_every_axis() {
    let rows: &[(&str, &[usize], Formula<'_>)] = &[
        ("sort", &[5], &|x| x[0].sort(0)),
        ("sort 0", &[3, 4], &|x| x[0].sort(0)),
        ("sort -1", &[3, 4], &|x| x[0].sort(-1)),
        ("sort in the middle", &[2, 3, 2], &|x| x[0].sort(1)),
        ("sort_descending", &[3, 4], &|x| x[0].sort_descending(1)),
        ("sort of one", &[3, 1], &|x| x[0].sort(1)),
        ("sort of nothing", &[0, 3], &|x| x[0].sort(1)),
        ("sort of no length", &[3, 0], &|x| x[0].sort(1)),
        ("sort of a square", &[4], &|x| (x[0].square() + x[0]).sort(0)),
        ("topk", &[2, 6], &|x| x[0].topk(-1, 3).0),
        ("topk 0", &[4, 3], &|x| x[0].topk(0, 2).0),
        ("topk of all", &[4], &|x| x[0].topk(0, 4).0),
        ("topk of none", &[4], &|x| x[0].topk(0, 0).0),
    ];
    let mut rng = Rng(81);
    for &(label, shape, formula) in rows {
        for lie in Lie::ALL {
            if lie != Lie::Broadcast {
                // That would be ties everywhere.
                check_derivatives(label, Slope::Some, || vec![Laid::new(rng.distinct(shape), lie)], formula);
            }
        }
    }
}

#[test]
fn values_are_those_of_a_stable_sort() {
    let mut rng = Rng(82);
    for shape in [&[6][..], &[3, 4], &[2, 3, 4], &[60, 3], &[3, 70], &[2, 0], &[0, 2], &[20, 7, 2]] {
        for axis in 0..shape.len() {
            for lie in Lie::ALL {
                // Few different numbers, so that many are equal.
                let numbers = rng.array(shape, -3.0, 3.0).mapv(f64::round);
                let laid = Laid::new(numbers, lie);
                let x = laid.view();
                let g = Graph::new();
                let v = g.placeholder::<f64>("x", shape);
                let k = shape[axis].min(3);
                let (top, at) = v.topk(axis, k);
                let outputs = (v.sort(axis), v.argsort(axis), v.argsort_descending(axis), top, at);
                let mut program = g.compile(outputs, ()).unwrap();
                let (sorted, order, descending, top, at) = program.run_with(&[v.feed(&x)]).unwrap();
                let lines = |y: &ndarray::ArrayViewD<'_, f64>| -> Vec<Vec<f64>> {
                    y.lanes(Axis(axis)).into_iter().map(|line| line.to_vec()).collect()
                };
                let indices = |y: &ndarray::ArrayViewD<'_, i64>| -> Vec<Vec<i64>> {
                    y.lanes(Axis(axis)).into_iter().map(|line| line.to_vec()).collect()
                };
                for (i, line) in lines(&x.view()).iter().enumerate() {
                    let mut up: Vec<i64> = (0..line.len() as i64).collect();
                    up.sort_by(|&i, &j| line[i as usize].partial_cmp(&line[j as usize]).unwrap());
                    let mut down: Vec<i64> = (0..line.len() as i64).collect();
                    down.sort_by(|&i, &j| line[j as usize].partial_cmp(&line[i as usize]).unwrap());
                    let values =
                        |order: &[i64]| -> Vec<f64> { order.iter().map(|&i| line[i as usize]).collect() };
                    assert_eq!(lines(&sorted)[i], values(&up));
                    assert_eq!(indices(&order)[i], up, "{line:?}");
                    assert_eq!(indices(&descending)[i], down, "{line:?}");
                    assert_eq!(lines(&top)[i], values(&down[..k]));
                    assert_eq!(indices(&at)[i], down[..k]);
                }
            }
        }
    }
}

#[test]
fn ties_keep_their_order_and_nan_is_the_largest() {
    let g = Graph::new();
    let nan = f64::NAN;
    let x = g.input("x", array![2.0, nan, -1.0, 2.0, f64::INFINITY, nan, -0.0, 0.0]);
    assert_eq!(x.argsort(0).value().unwrap(), array![2_i64, 6, 7, 0, 3, 4, 1, 5].into_dyn());
    assert_eq!(x.argsort_descending(0).value().unwrap(), array![1_i64, 5, 4, 0, 3, 6, 7, 2].into_dyn());
    let sorted = x.sort(0).value().unwrap();
    assert!(sorted[[6]].is_nan() && sorted[[7]].is_nan());
    assert_eq!(sorted.iter().take(6).copied().collect::<Vec<_>>(), [-1.0, 0.0, 0.0, 2.0, 2.0, f64::INFINITY]);
    assert_eq!(x.topk(0, 3).1.value().unwrap(), array![1_i64, 5, 4].into_dyn());
    // The first of equal elements counts as the smaller one.
    let y = g.input("y", array![1.0, 3.0, 3.0]);
    let d = (y.sort(0) * array![1.0, 10.0, 100.0]).sum().grad(y).value().unwrap();
    assert_eq!(d, array![1.0, 10.0, 100.0].into_dyn());
    assert_eq!(y.topk(0, 1).0.sum().grad(y).value().unwrap(), array![0.0, 1.0, 0.0].into_dyn());
}

#[test]
fn integers_and_floats_of_32_bits() {
    let g = Graph::new();
    let n = g.input("n", array![[3_i64, -1, 2], [i64::MIN, i64::MAX, 0]]);
    assert_eq!(n.sort(1).value().unwrap(), array![[-1, 2, 3], [i64::MIN, 0, i64::MAX]].into_dyn());
    assert_eq!(n.argsort(0).value().unwrap(), array![[1_i64, 0, 1], [0, 1, 0]].into_dyn());
    let x = g.input("x", array![0.5_f32, -0.5, 0.25]);
    let (values, indices) = x.topk(-1, 2);
    assert_eq!(values.value().unwrap(), array![0.5_f32, 0.25].into_dyn());
    assert_eq!(indices.value().unwrap(), array![0_i64, 2].into_dyn());
    assert_eq!(values.square().sum().grad(x).value().unwrap(), array![1.0_f32, 0.0, 0.5].into_dyn());
}

#[test]
fn sizes_follow_what_is_fed() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [4, 2]);
    let (sorted, top) = (x.sort(0), x.topk(0, 2).0);
    let d = (sorted * x).sum().grad(x);
    let mut program = g.compile((sorted, top, d), ()).unwrap();
    let mut rng = Rng(83);
    for n in [4, 7, 2] {
        let values = rng.distinct(&[n, 2]);
        let (sorted, top, d) = program.run_with(&[x.feed(&values)]).unwrap();
        assert!(sorted.lanes(Axis(0)).into_iter().all(|line| line.to_vec().is_sorted()));
        assert_eq!((top.shape(), d.shape()), (&[2, 2][..], &[n, 2][..]));
        assert_eq!(top.row_at(0), sorted.row_at(n - 1));
    }
    let error = program.run_with(&[x.feed(&Array2::zeros((1, 2)))]).map(drop).unwrap_err();
    let text = "with the sizes of this run: `slice` cannot take ..2 of axis 0, which has size 1";
    assert!(error.to_string().starts_with(text), "{error}");
}

trait RowAt {
    fn row_at(&self, i: usize) -> ArrayD<f64>;
}

impl RowAt for ndarray::ArrayViewD<'_, f64> {
    fn row_at(&self, i: usize) -> ArrayD<f64> {
        self.index_axis(Axis(0), i).to_owned()
    }
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 3)));
    let check = |panic: Panicked, text: &str| {
        assert!(panic.text.starts_with(text), "{}\nnot\n{text}", panic.text);
        assert!(panic.file.ends_with("sorting.rs"), "{}", panic.file);
    };
    check(panicked(|| x.sort([0, 1])), "`argsort` requires one axis, got [0, 1]");
    check(panicked(|| x.argsort(2)), "`argsort` got axis 2 of an array with 2 axes");
    check(
        panicked(|| x.topk(1, 4)),
        "`topk` cannot take ..4 of axis 1, which has size 3\n  operand: `x` (2, 3)",
    );
    check(panicked(|| x.topk(-3, 1)), "`argsort` got axis -3 of an array with 2 axes");
    let error = x.argsort(0).cast::<f64>().sum().try_grad(x).unwrap_err();
    assert!(matches!(error, Error::NoDerivative { .. }), "{error}");
}
