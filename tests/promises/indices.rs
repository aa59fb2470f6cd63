//! Slices, concatenations and indices: values against ndarray, derivatives, sizes that follow what is fed, errors of a run.

use gradus::optim::{Adam, Sgd};
use gradus::{Error, Graph, concat};
use ndarray::{Array1, Array2, ArrayD, Axis, Slice, array, s};

use crate::support::{Formula, Laid, Lie, Rng, Slope, check_derivatives, panicked};

const RANGES: &[Slice] = &[
    Slice { start: 0, end: None, step: 1 },
    Slice { start: 1, end: Some(3), step: 1 },
    Slice { start: -2, end: None, step: 1 },
    Slice { start: 0, end: Some(-1), step: 2 },
    Slice { start: 1, end: None, step: 3 },
    Slice { start: 0, end: None, step: -1 },
    Slice { start: 0, end: Some(4), step: -2 },
    Slice { start: 1, end: Some(-1), step: -3 },
    Slice { start: 2, end: Some(2), step: 1 },
    Slice { start: 3, end: Some(1), step: 1 },
    Slice { start: 5, end: None, step: -1 },
    Slice { start: 0, end: Some(1), step: 7 },
];

#[test]
fn slices_are_ndarrays() {
    let mut rng = Rng(41);
    for lie in Lie::ALL {
        let laid = Laid::new(rng.distinct(&[5, 5, 5]), lie);
        let values = laid.view().to_owned();
        for axis in 0..3 {
            for &range in RANGES {
                let g = Graph::new();
                let x = g.placeholder::<f64>("x", [5, 5, 5]);
                let plain = values.slice_axis(Axis(axis), range);
                let y = x.slice(axis, range);
                assert_eq!(y.shape(), plain.shape());
                let twice = y.t().slice(0, Slice::new(0, None, -1)).exp();
                let computed = (x * 2.0).slice(axis, range);
                let mut program = g.compile((y, twice, computed), ()).unwrap();
                let (y, twice, computed) = program.run_with(&[x.feed(&laid.view())]).unwrap();
                assert_eq!(y, plain, "{axis} {range:?} {lie:?}");
                assert_eq!(computed, &plain * 2.0);
                let expected = plain.t().slice_axis(Axis(0), Slice::new(0, None, -1)).mapv(f64::exp);
                assert!((&twice - &expected).iter().all(|d| d.abs() < 1e-14));
            }
        }
    }
}

#[test]
fn derivatives_of_parts() {
    let backwards = Slice::new(0, None, -2);
    let rows: &[(&str, &[&[usize]], Formula<'_>)] = &[
        ("slice", &[&[4, 3]], &|x| x[0].slice(0, 1..3)),
        ("slice backwards", &[&[3, 5]], &move |x| x[0].slice(1, backwards)),
        ("slice along two axes", &[&[4, 3, 4]], &|x| x[0].slice([0, -1], 1..)),
        ("a slice of a slice", &[&[6]], &|x| x[0].slice(0, 1..).slice(0, ..-2)),
        ("a slice that is empty", &[&[4, 3]], &|x| x[0].slice(0, 2..2)),
        ("overlapping slices", &[&[5]], &|x| x[0].slice(0, 1..).square() + x[0].slice(0, ..-1)),
        ("unslice", &[&[2, 2], &[4, 2]], &|x| x[0].unslice(0, 1..3, x[1]) * x[1]),
        ("unslice backwards", &[&[3], &[5]], &move |x| x[0].unslice(0, backwards, x[1]) + x[1]),
        ("concat", &[&[2, 3], &[1, 3], &[4, 3]], &|x| concat(x, 0)),
        ("concat -1", &[&[2, 3], &[2, 1]], &|x| concat(x, -1).square()),
        ("concat of nothing", &[&[2, 3], &[2, 0]], &|x| concat(x, 1)),
        ("concat of itself", &[&[2, 3]], &|x| concat(&[x[0], x[0].exp(), x[0]], 1)),
        ("concat with what was cast", &[&[2, 3]], &|x| {
            concat(&[x[0], x[0].gt(0.1).slice(0, ..1).cast()], 0).sin()
        }),
        ("concat of one", &[&[2, 3]], &|x| concat(x, 0)),
        ("split", &[&[2, 6]], &|x| {
            let parts = x[0].split(1, 3);
            parts[0] * parts[1] + parts[2].sin()
        }),
        ("split, one part", &[&[4, 2]], &|x| x[0].split(0, 2)[1]),
        ("squeeze", &[&[2, 1, 3, 1]], &|x| x[0].squeeze([1, -1])),
        ("flatten", &[&[2, 3, 4]], &|x| x[0].flatten([1, -1])),
        ("flatten the middle", &[&[2, 3, 2, 2]], &|x| x[0].t().flatten([1, 2])),
        ("flatten one", &[&[2, 3]], &|x| x[0].flatten([1, -1])),
        ("pick", &[&[2, 3]], &|x| x[0].pick(1, array![2_i64, 0])),
        ("pick 0", &[&[2, 3]], &|x| x[0].pick(0, array![1_i64, 0, 1])),
        ("pick of a vector", &[&[4]], &|x| x[0].pick(0, 3_i64)),
        ("pick the largest", &[&[3, 4]], &|x| x[0].pick(1, x[0].argmax_axis(1))),
    ];
    let mut rng = Rng(42);
    for (label, shapes, formula) in rows {
        for lie in Lie::ALL {
            if lie == Lie::Broadcast && label.contains("largest") {
                continue; // ties
            }
            let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            check_derivatives(label, Slope::Some, draw, *formula);
        }
    }
}

#[test]
fn the_gradient_of_a_split_is_a_concatenation() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]);
    let parts = x.split(-1, 3);
    let cost = (parts[0] * parts[1] * parts[2]).sum();
    let d = cost.grad(x);
    assert!(d.to_string().contains("concat(["), "{d}");
    assert_eq!(d.value().unwrap(), array![[15.0, 24.0, 5.0, 12.0, 3.0, 8.0]].into_dyn());
    // Two of three parts leave zeros.
    let d = (parts[0] * parts[2]).sum().grad(x).value().unwrap();
    assert_eq!(d, array![[5.0, 6.0, 0.0, 0.0, 1.0, 2.0]].into_dyn());
}

#[test]
fn integers_and_masks_are_sliced_too() {
    let g = Graph::new();
    let n = g.input("n", array![[1_i64, 2, 3], [4, 5, 6]]);
    assert_eq!(n.slice(1, 1..).value().unwrap(), array![[2, 3], [5, 6]].into_dyn());
    assert_eq!(concat(&[n, n * 10], 0).value().unwrap().row_sums(), [6, 15, 60, 150]);
    let m = g.input("m", array![true, false, false]);
    assert_eq!(
        concat(&[m.slice(0, 1..), m], 0).value().unwrap(),
        array![false, false, true, false, false].into_dyn()
    );
    assert_eq!(n.pick(0, array![0_i64, 1, 0]).value().unwrap(), array![1_i64, 5, 3].into_dyn());
}

trait RowSums {
    fn row_sums(&self) -> Vec<i64>;
}

impl RowSums for ArrayD<i64> {
    fn row_sums(&self) -> Vec<i64> {
        self.outer_iter().map(|row| row.sum()).collect()
    }
}

#[test]
fn an_index_along_an_axis() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3]);
    let rows = x.index_along(0);
    assert_eq!(rows.shape(), [2, 3]);
    // It reads the shape alone, so nothing has to be fed, and follows what is.
    assert_eq!(rows.value().unwrap(), array![[0_i64, 0, 0], [1, 1, 1]].into_dyn());
    let mut program = g.compile((x.index_along(1), (x.index_along(0) + 1).sum()), ()).unwrap();
    let (columns, sum) = program.run_with(&[x.feed(&Array2::zeros((1, 4)))]).unwrap();
    assert_eq!((columns, sum[[]]), (array![[0_i64, 1, 2, 3]].into_dyn().view(), 4));
    let line = g.input("line", array![5.0, 6.0]).index_along(0);
    assert_eq!(line.value().unwrap(), array![0_i64, 1].into_dyn());
}

#[test]
fn open_ends_and_parts_follow_the_fed_size() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [4, 2]);
    let rest = x.slice(0, 1..);
    let parts = x.split(0, 2);
    let joined = concat(&[parts[1], rest], 0);
    let cost = (joined * joined).sum();
    let mut program = g.compile((rest.sum(), parts[1] - parts[0], cost.grad(x)), ()).unwrap();
    for n in [2, 6, 4] {
        let values = Array2::from_shape_fn((n, 2), |(i, j)| (i * 2 + j) as f64);
        let (rest, difference, d) = program.run_with(&[x.feed(&values)]).unwrap();
        assert_eq!(rest[[]], values.slice(s![1.., ..]).sum());
        assert!(difference.iter().all(|&d| d == n as f64), "{difference}");
        let times = |i: usize| f64::from(u8::from(i > 0) + u8::from(i >= n / 2));
        let expected = Array2::from_shape_fn((n, 2), |(i, j)| 2.0 * times(i) * values[[i, j]]);
        assert_eq!(d, expected.into_dyn());
    }
    let error = program.run_with(&[x.feed(&Array2::zeros((3, 2)))]).map(drop).unwrap_err().to_string();
    let expected = "with the sizes of this run: `slice` cannot take part 0 of 2 of axis 0, which has size 3";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn an_index_out_of_range_is_an_error_of_the_run() {
    let g = Graph::new();
    let w = g.param("w", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let classes = g.input("classes", array![0_i64, 1]);
    let cost = w.cross_entropy(classes);
    let picked = w.pick(1, classes);
    let update = || w.assign(w - cost.grad(w));
    let programs =
        [g.compile(cost, update()), g.compile(picked.sum(), update()), g.compile(w.sum(), update())];
    let before = w.value().unwrap();
    for mut program in programs.map(Result::unwrap) {
        for wrong in [3, -1, i64::MIN, i64::MAX] {
            let error = program.run_with(&[classes.feed(&array![2_i64, wrong])]).map(drop).unwrap_err();
            let Error::IndexOutOfRange { index, size, axis, indices, operand } = &error else {
                panic!("{error}")
            };
            assert_eq!((*index, *size, *axis), (wrong, 3, 1));
            assert_eq!((indices.name.as_str(), operand.name.as_str()), ("classes", "w"));
            let text = format!(
                "index {wrong} is out of range for axis 1 of size 3\n  indices: `classes` (2,) from "
            );
            assert!(error.to_string().starts_with(&text), "{error}");
            assert_eq!(w.value().unwrap(), before, "after an error nothing has changed");
        }
    }
    // A gradient alone is no way around the check, nor is the size of the run.
    let gradient = cost.grad(w);
    classes.set_value(array![0_i64, 3]).unwrap();
    assert!(matches!(gradient.value(), Err(Error::IndexOutOfRange { .. })));
    let x = g.placeholder::<f64>("x", [2, 9]);
    let mut program = g.compile(x.pick(1, classes), ()).unwrap();
    assert!(program.run_with(&[x.feed(&Array2::zeros((2, 4)))]).is_ok());
    assert!(program.run_with(&[x.feed(&Array2::zeros((2, 3)))]).is_err());
    // And of no examples there is no index.
    classes.set_value(Array1::zeros(0)).unwrap();
    assert_eq!(program.run_with(&[x.feed(&Array2::zeros((0, 4)))]).unwrap().len(), 0);
}

#[test]
fn indices_have_no_derivative() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 2.0]]);
    let index = x.gt(1.5).cast::<i64>().sum_axis(1);
    assert_eq!(x.pick(1, index).sum().grad(x).value().unwrap(), array![[0.0, 1.0]].into_dyn());
    let y = g.input("y", array![[3.0, 4.0]]);
    let error = y.pick(1, index).sum().try_grad(x).unwrap_err();
    assert!(matches!(error, Error::NoDerivative { .. }), "{error}");
    let along = x.index_along(1).cast::<f64>().sum();
    assert!(matches!(along.try_grad(x), Err(Error::Unreachable { .. })));
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((3, 6)));
    let check = |panic: crate::support::Panicked, text: &str| {
        assert!(panic.text.starts_with(text), "{}\nnot\n{text}", panic.text);
        assert!(panic.file.ends_with("indices.rs"), "{}", panic.file);
    };
    check(
        panicked(|| x.slice(0, 1..4)),
        "`slice` cannot take 1..4 of axis 0, which has size 3\n  operand: `x` (3, 6)",
    );
    check(panicked(|| x.slice(1, -7..)), "`slice` cannot take -7.. of axis 1, which has size 6");
    check(
        panicked(|| x.slice(0, Slice { start: 0, end: None, step: 0 })),
        "`slice` cannot take ..;0 of axis 0",
    );
    check(panicked(|| x.slice(2, ..)), "`slice` got axis 2 of an array with 2 axes");
    check(panicked(|| x.split(1, 4)), "`slice` cannot take part 0 of 4 of axis 1, which has size 6");
    check(panicked(|| x.squeeze(0)), "`squeeze` requires axes of size 1, got (3, 6)");
    check(panicked(|| x.pick([0, 1], array![1_i64])), "`pick` requires one axis, got [0, 1]");
    check(
        panicked(|| x.pick(1, array![[1_i64]])),
        "`pick` requires indices of shape (3,), which the operand has without axis 1, got (1, 1)",
    );
    check(
        panicked(|| concat(&[x, x.t()], 0)),
        "`concat` cannot broadcast (3, 6) and (6, 3): 6 (axis 1) != 3 (axis 1)",
    );
    check(
        panicked(|| concat(&[x, x.sum_axis(0)], 0)),
        "`concat` requires arrays with the same number of axes, got (6,)",
    );
    check(panicked(|| concat::<f64>(&[], 0)), "`concat` takes 1 operands, got 0");
    check(panicked(|| concat(&[x], 2)), "`concat` got axis 2 of an array with 2 axes");
    check(
        panicked(|| x.unslice(0, ..2, x)),
        "`unslice` requires the part (2, 6) of the first operand, got (3, 6)",
    );
}

/// The parameters and the cost after some runs of a step whose classes are fed or computed, with wrong ones in between.
fn after_errors(computed: bool, adam: bool, wrong: &[i64]) -> (Vec<u64>, usize) {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 2.0], [0.5, -1.0], [0.3, 0.4]]);
    let w = g.param("w", array![[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]);
    let b = g.param("b", array![0.1, 0.2, 0.3]);
    let raw = g.placeholder::<i64>("raw", [3]);
    // The place of what is marked among five, of which only three are classes.
    let marks = raw.expand_dims(1).eq(g.constant(array![0_i64, 1, 2, 3, 4])).cast::<f64>();
    let classes = if computed { marks.argmax_axis(1) } else { raw };
    let cost = (x.dot(w) + b).tanh().cross_entropy(classes);
    let updates = match adam {
        true => Adam::new(0.01).minimize(cost, [w, b]),
        false => Sgd::new(0.1).momentum(0.9).minimize(cost, [w, b]),
    };
    let mut step = g.compile(cost, updates).unwrap();
    let bits = || {
        let values = [w, b].map(|p| p.value().unwrap());
        values.iter().flat_map(|value| value.iter().map(|x: &f64| x.to_bits())).collect::<Vec<_>>()
    };
    let mut errors = 0;
    for round in 0..6 {
        step.run_with(&[raw.feed(&array![0_i64, 2, round % 3])]).unwrap();
        for &wrong in wrong {
            let before = bits();
            let result = step.run_with(&[raw.feed(&array![0_i64, 1, wrong])]).map(drop);
            assert!(matches!(result, Err(Error::IndexOutOfRange { .. })), "{result:?}");
            assert_eq!(bits(), before, "after an error nothing has changed");
            errors += 1;
        }
    }
    (bits(), errors)
}

#[test]
fn a_step_that_fails_changes_neither_parameters_nor_moments() {
    for computed in [false, true] {
        for adam in [false, true] {
            let (with, errors) = after_errors(computed, adam, &[3, 4]);
            let (without, none) = after_errors(computed, adam, &[]);
            assert_eq!((errors, none), (12, 0));
            assert_eq!(with, without, "moments are as if the failed steps had not been");
        }
    }
}
