//! Elements at indices and sums at indices: values against plain loops, derivatives, repeated, negative and wrong indices.

use gradus::{Error, Graph, Var};
use ndarray::{Array1, Array2, Array3, ArrayD, Axis, IxDyn, array};

use crate::support::{Formula, Laid, Lie, Panicked, Rng, Slope, assert_close, check_derivatives, panicked};

const NO_INDICES: [i64; 0] = [];

#[test]
fn derivatives_of_what_is_at_indices() {
    let rows: &[(&str, &[&[usize]], Formula<'_>)] = &[
        ("take", &[&[4]], &|x| x[0].take(0, [2, 0, 2, -1])),
        ("take of one", &[&[4, 3]], &|x| x[0].take(1, 2_i64)),
        ("take 0", &[&[4, 3]], &|x| x[0].take(0, array![[0_i64, 1], [1, -1]])),
        ("take 1", &[&[2, 4, 3]], &|x| x[0].take(1, [3, 3, 0])),
        ("take -1", &[&[2, 4]], &|x| x[0].take(-1, [-4, 3, 1, 1, 0])),
        ("take of a take", &[&[5, 2]], &|x| x[0].take(0, [4, 1, 0, 1]).take(0, [1, 1, 3]).take(1, [1])),
        ("take nothing", &[&[4, 3]], &|x| x[0].take(0, NO_INDICES)),
        ("take of nothing", &[&[0, 3]], &|x| x[0].take(1, [2, 2])),
        ("take by its own value", &[&[3, 4]], &|x| x[0].take(1, x[0].argmax_axis(1))),
        ("take_along_axis 0", &[&[3, 4]], &|x| x[0].take_along_axis(0, array![[0_i64, 2, 1, 2]])),
        ("take_along_axis 1", &[&[2, 3]], &|x| {
            x[0].take_along_axis(1, array![[0_i64, 0, -1, 2], [1, 1, 1, 0]])
        }),
        ("take_along_axis, stretched", &[&[1, 3, 2]], &|x| {
            x[0].take_along_axis(1, Array3::from_shape_fn((4, 2, 1), |(i, j, _)| (i + j) as i64 % 3))
        }),
        ("take_along_axis, a column", &[&[3, 4]], &|x| x[0].take_along_axis(1, array![[1_i64], [0], [3]])),
        ("take_along_axis of nothing", &[&[0, 4]], &|x| {
            x[0].take_along_axis(1, Array2::<i64>::zeros((0, 2)))
        }),
        ("gather_nd", &[&[3, 4]], &|x| x[0].gather_nd([[0, 2, 0], [1, -1, 1]])),
        ("gather_nd, rows", &[&[3, 4, 2]], &|x| x[0].gather_nd([array![[0_i64], [2]], array![[1_i64, 1]]])),
        ("gather_nd, slabs", &[&[3, 2, 2]], &|x| x[0].gather_nd([[2, 0, 2, 1]])),
        ("gather_nd, all", &[&[2, 3, 2]], &|x| {
            x[0].gather_nd([array![0_i64, 1], array![-3_i64, 2], array![1_i64, 1]])
        }),
        ("mask_select", &[&[2, 3]], &|x| x[0].mask_select(array![[true, false, true], [false, false, true]])),
        ("mask_select, rows", &[&[3, 2]], &|x| x[0].mask_select(array![true, false, true])),
        ("mask_select, none", &[&[3]], &|x| x[0].mask_select(array![false, false, false])),
        ("embedding", &[&[5, 3]], &|x| x[0].embedding(array![[0_i64, 4], [4, 2]])),
        ("scatter_add", &[&[4], &[4]], &|x| x[0].scatter_add(0, [1, 1, 0, 3], x[1])),
        ("scatter_add 1", &[&[2, 4], &[2, 3]], &|x| x[0].scatter_add(1, [-1, 0, -1], x[1])),
        ("scatter_add of rows", &[&[4, 3], &[2, 2, 3]], &|x| {
            x[0].scatter_add(0, array![[0_i64, 0], [3, 0]], x[1])
        }),
        ("scatter_add of one", &[&[4, 3], &[3]], &|x| x[0].scatter_add(0, -1_i64, x[1])),
        ("scatter_add, stretched", &[&[4, 3], &[2, 1]], &|x| x[0].scatter_add(0, [1, 1], x[1])),
        ("scatter_add of nothing", &[&[4, 3], &[0, 3]], &|x| x[0].scatter_add(0, NO_INDICES, x[1])),
        ("scatter_set", &[&[3, 4], &[2, 4]], &|x| x[0].scatter_set(0, [2, 0], x[1])),
        ("scatter_set, repeated", &[&[3, 4], &[3, 4]], &|x| x[0].scatter_set(0, [2, 0, -1], x[1])),
        ("scatter_set 1", &[&[2, 4], &[2, 2, 2]], &|x| x[0].scatter_set(1, array![[1_i64, 0], [1, 3]], x[1])),
        ("scatter_set of one", &[&[2, 4], &[2]], &|x| x[0].scatter_set(-1, 1_i64, x[1])),
        ("scatter_set, stretched", &[&[4, 2], &[]], &|x| x[0].scatter_set(0, [1, 1, 2], x[1])),
        ("scatter_set of nothing", &[&[4], &[0]], &|x| x[0].scatter_set(0, NO_INDICES, x[1])),
        ("segment_sum", &[&[5, 2]], &|x| x[0].segment_sum([0, 2, 0, 1, 2], 4)),
        ("segment_sum of numbers", &[&[4]], &|x| x[0].segment_sum([1, 1, 0, 1], 2)),
        ("segment_sum of pairs", &[&[2, 3, 2]], &|x| x[0].segment_sum(array![[0_i64, 1, 0], [1, 1, 1]], 2)),
        ("segment_sum of nothing", &[&[0, 2]], &|x| x[0].segment_sum(NO_INDICES, 3)),
    ];
    let mut rng = Rng(61);
    for (label, shapes, formula) in rows {
        for lie in Lie::ALL {
            if lie == Lie::Broadcast && label.contains("own value") {
                continue; // ties
            }
            let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            check_derivatives(label, Slope::Some, draw, *formula);
        }
    }
}

/// Indices of an axis, half of them counted from its end.
fn indices(rng: &mut Rng, shape: &[usize], size: usize) -> ArrayD<i64> {
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        let index = rng.below(size) as i64;
        if rng.below(2) == 0 { index } else { index - size as i64 }
    })
}

fn place(index: i64, size: usize) -> usize {
    index.rem_euclid(size as i64) as usize
}

#[test]
fn values_are_those_of_plain_loops() {
    let mut rng = Rng(62);
    for shape in [&[5][..], &[3, 4], &[2, 3, 4], &[4, 1, 2, 3], &[3, 200], &[300, 2]] {
        for axis in 0..shape.len() {
            for lie in Lie::ALL {
                let laid = Laid::new(rng.distinct(shape), lie);
                let x = laid.view();
                let n = shape[axis];
                let index = indices(&mut rng, &[7], n);
                let places: Vec<usize> = index.iter().map(|&index| place(index, n)).collect();
                let mut like = shape.to_vec();
                like[axis] = 6;
                let along = indices(&mut rng, &like, n);

                let g = Graph::new();
                let v = g.placeholder::<f64>("x", shape);
                let i = g.input("i", &index);
                let updates = v.take(axis, i).square() + 1.0;
                let outputs = (
                    v.take(axis, i),
                    v.take_along_axis(axis, &along),
                    v.scatter_add(axis, i, updates),
                    v.scatter_set(axis, i, updates),
                );
                let mut program = g.compile(outputs, ()).unwrap();
                let (taken, lines, added, set) = program.run_with(&[v.feed(&x)]).unwrap();

                let rows = x.select(Axis(axis), &places);
                assert_eq!(taken, rows);
                let expected = ArrayD::from_shape_fn(IxDyn(&like), |at| {
                    let mut from = at.clone();
                    from[axis] = place(along[&at], n);
                    x[from]
                });
                assert_eq!(lines, expected);
                let (mut sums, mut last) = (x.to_owned(), x.to_owned());
                for (&to, row) in places.iter().zip(rows.axis_iter(Axis(axis))) {
                    let update = row.mapv(|x| x * x + 1.0);
                    let mut sum = sums.index_axis_mut(Axis(axis), to);
                    sum += &update;
                    last.index_axis_mut(Axis(axis), to).assign(&update);
                }
                assert_close(&added.to_owned(), &sums, 1e-15);
                assert_eq!(set, last);
            }
        }
    }
}

#[test]
fn numbers_of_numpy() {
    let g = Graph::new();
    let x = g.input("x", Array2::from_shape_fn((3, 4), |(i, j)| (4 * i + j) as f64));
    let check = |y: Var<'_>, expected: ArrayD<f64>| assert_eq!(y.value().unwrap(), expected, "{y}");
    check(x.take(1, [3, 3, 0]), array![[3.0, 3.0, 0.0], [7.0, 7.0, 4.0], [11.0, 11.0, 8.0]].into_dyn());
    check(x.gather_nd([[0, 2, 0], [1, 3, 1]]), array![1.0, 11.0, 1.0].into_dyn());
    check(x.take_along_axis(0, array![[0_i64, 2, 1, 2]]), array![[0.0, 9.0, 6.0, 11.0]].into_dyn());
    let mask = array![[true, false, true, false], [false, false, false, true], [false, true, false, false]];
    check(x.mask_select(mask), array![0.0, 2.0, 7.0, 9.0].into_dyn());
    let y = g.input("y", array![10.0, 20.0, 30.0]);
    check(y.scatter_add(0, [0, 0, 2], array![1.0, 2.0, 3.0]), array![13.0, 20.0, 33.0].into_dyn());
    check(y.scatter_set(0, [0, 0, 2], array![1.0, 2.0, 3.0]), array![2.0, 20.0, 3.0].into_dyn());
    check(y.segment_sum([1, 1, 3], 4), array![0.0, 30.0, 0.0, 30.0].into_dyn());
    let i = g.input("i", array![[0_i64, 2], [1, 1]]);
    let hot = array![[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]];
    check(i.one_hot(3), hot.into_dyn());
}

#[test]
fn of_every_element_type() {
    let g = Graph::new();
    let n = g.input("n", array![[1_i64, 2, 3], [4, 5, 6]]);
    assert_eq!(n.take(1, [2, -3]).value().unwrap(), array![[3_i64, 1], [6, 4]].into_dyn());
    assert_eq!(n.scatter_add(0, [1, 1], n).value().unwrap(), array![[1_i64, 2, 3], [9, 12, 15]].into_dyn());
    assert_eq!(n.scatter_set(1, [0], array![[7_i64], [8]]).value().unwrap().sum(), 31);
    let m = g.input("m", array![true, false, false]);
    assert_eq!(m.take(0, [0, 1, 0]).value().unwrap(), array![true, false, true].into_dyn());
    assert_eq!(m.take_along_axis(0, [2, 0]).value().unwrap(), array![false, true].into_dyn());
    let x = g.input("x", array![0.5_f32, 1.5, 2.5]);
    let y = x.take(0, [1, 1, 2]).square().sum();
    assert_eq!(y.grad(x).value().unwrap(), array![0.0_f32, 6.0, 5.0].into_dyn());
    assert!(g.input("i", array![1_i64, 0]).one_hot::<bool>(2).value().unwrap()[[0, 1]]);
}

#[test]
fn indices_and_sizes_follow_what_is_fed() {
    let g = Graph::new();
    let table = g.placeholder::<f64>("table", [4, 2]);
    let index = g.placeholder::<i64>("index", [3]);
    let rows = table.take(0, index);
    let d = (rows * rows).sum().grad(table);
    let set = table.scatter_set(0, index, rows * 2.0);
    let sums = rows.segment_sum(index.within(table, 0), 7);
    let mut program = g.compile((rows, d, set, sums), ()).unwrap();
    for (n, given) in [(4, vec![0_i64, 3, 3]), (6, vec![5, 1]), (2, vec![0, 0, 0, 1]), (3, vec![])] {
        let values = Array2::from_shape_fn((n, 2), |(i, j)| 1.0 + (2 * i + j) as f64);
        let index_values = Array1::from(given.clone());
        let feeds = [table.feed(&values), index.feed(&index_values)];
        let (rows, d, set, sums) = program.run_with(&feeds).unwrap();
        assert_eq!((rows.shape(), sums.shape()), (&[given.len(), 2][..], &[7, 2][..]));
        for i in 0..n {
            let times = given.iter().filter(|&&index| index == i as i64).count() as f64;
            for j in 0..2 {
                let x = values[[i, j]];
                assert_eq!(d[[i, j]], 2.0 * x * times);
                assert_eq!(set[[i, j]], if times > 0.0 { 2.0 * x } else { x });
                assert_eq!(sums[[i, j]], times * x);
            }
        }
    }
}

#[test]
fn an_index_out_of_range_is_an_error_of_the_run() {
    let g = Graph::new();
    let w = g.param("w", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let index = g.input("index", array![0_i64, 1]);
    let square = g.input("square", array![[0_i64, 1], [0, 1]]);
    let formulas = [
        w.take(1, index).sum(),
        w.take(1, index).square().sum().grad(w).sum(),
        w.take_along_axis(1, index.expand_dims(0)).sum(),
        w.scatter_add(1, index, 1.0).sum(),
        w.scatter_set(1, index, 1.0).sum(),
        w.t().segment_sum(array![0_i64, 1, 2].into_dyn(), 3).gather_nd([index, index.stop_at(1)]).sum(),
    ];
    let before = w.value().unwrap();
    for formula in formulas {
        let mut program = g.compile(formula, w.assign(w * 0.5)).unwrap();
        for wrong in [3, -4, i64::MIN, i64::MAX] {
            let error = program.run_with(&[index.feed(&array![2_i64, wrong])]).map(drop).unwrap_err();
            let Error::IndexOutOfRange { index, size, .. } = &error else { panic!("{error}") };
            assert_eq!((*index, *size), (wrong, 3), "{formula}");
            assert_eq!(w.value().unwrap(), before, "after an error nothing has changed");
        }
        assert!(program.run_with(&[index.feed(&array![2_i64, -3])]).is_ok());
        w.set_value(before.clone()).unwrap();
    }
    let error = w.take(1, square + 3).value().unwrap_err().to_string();
    let text = "index 3 is out of range for axis 1 of size 3\n  indices: `+` (2, 2) from ";
    assert!(error.starts_with(text), "{error}");
    assert!(error.contains("\n  operand: `w` (2, 3) from "), "{error}");
    let empty = g.input("empty", Array1::<f64>::zeros(0));
    assert!(matches!(empty.take(0, [0]).value(), Err(Error::IndexOutOfRange { index: 0, size: 0, .. })));
    assert!(matches!(index.one_hot::<f64>(1).value(), Err(Error::IndexOutOfRange { index: 1, size: 1, .. })));
    assert!(matches!(empty.segment_sum(NO_INDICES, 0).value(), Ok(sums) if sums.is_empty()));
}

trait StopAt {
    fn stop_at(self, last: i64) -> Self;
}

impl StopAt for Var<'_, i64> {
    /// At most `last`, so that only one of two index arrays is wrong.
    fn stop_at(self, last: i64) -> Self {
        self.gt(last).or(self.lt(0_i64)).select(last, self)
    }
}

#[test]
fn a_gradient_goes_to_the_update_that_is_seen() {
    let g = Graph::new();
    let (x, u) = (g.input("x", array![1.0, 2.0, 3.0]), g.input("u", array![4.0, 5.0, 6.0]));
    let weights = array![10.0, 20.0, 30.0];
    let y = (x.scatter_set(0, [2, 0, 2], u) * &weights).sum();
    let (dx, du) = y.grad((x, u));
    assert_eq!(dx.value().unwrap(), array![0.0, 20.0, 0.0].into_dyn());
    assert_eq!(du.value().unwrap(), array![0.0, 10.0, 30.0].into_dyn());
}

#[test]
fn jacobians_through_indices() {
    let rows: &[(&str, Formula<'_>)] = &[
        ("take", &|x| x[0].square().take(1, [1, 1, -1])),
        ("take_along_axis", &|x| x[0].sin().take_along_axis(0, array![[1_i64, 0, 0], [0, 0, 1]])),
        ("scatter_add", &|x| x[0].scatter_add(1, [0, 0, 2], x[0].exp())),
        ("scatter_set", &|x| x[0].scatter_set(0, [1], x[0].take(0, [0]).square())),
        ("mask_select", &|x| x[0].square().mask_select(array![[true, false, true], [false, true, true]])),
        ("gather_nd", &|x| x[0].cos().gather_nd([[0, 1, 0, 1], [2, 2, 2, 0]])),
        ("segment_sum", &|x| x[0].square().segment_sum([1, 1], 3)),
        ("sort", &|x| x[0].sin().sort(1) * x[0]),
        ("topk", &|x| x[0].square().topk(0, 1).0),
        ("cumsum", &|x| x[0].square().cumsum_reverse(1)),
        ("cumprod", &|x| x[0].cumprod(1)),
        ("prod", &|x| x[0].prod_axis(1) * x[0].prod()),
        ("recurrence", &|x| x[0].sin().recurrence(1, x[0])),
        ("recurrence in reverse", &|x| x[0].sin().recurrence_reverse(0, x[0].cos())),
    ];
    for (label, formula) in rows {
        let g = Graph::new();
        let x = g.input("x", array![[0.5, -1.2, 0.8], [1.1, 0.3, -0.7]]);
        let y = formula(&[x]);
        let (jacobian, count) = (y.jacobian(x).value().unwrap(), y.shape().size());
        let flat = jacobian.to_shape((count, 6)).unwrap();
        for i in 0..count {
            let row = y.reshape([-1]).take(0, i as i64).grad_or_zeros(x).value().unwrap();
            assert_close(&flat.row(i).to_owned().into_dyn(), &row.flatten().to_owned().into_dyn(), 1e-14);
        }
        let cost = (y.square() * 0.3).sum() + y.sin().sum();
        let hessian = cost.hessian(x).value().unwrap();
        assert!(hessian.iter().any(|d| d.abs() > 0.01), "{label}");
        let gradient = cost.grad(x);
        for i in 0..6 {
            let row = gradient.reshape([-1]).take(0, i).grad_or_zeros(x).value().unwrap();
            let found = hessian.to_shape((6, 6)).unwrap().row(i as usize).to_owned();
            assert_close(&found.into_dyn(), &row.flatten().to_owned().into_dyn(), 1e-13);
        }
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let mut rng = Rng(63);
    // So large that several threads are woken for each.
    let x = rng.array(&[900, 700], -1.0, 1.0);
    let index = indices(&mut rng, &[1000], 900);
    let run = |threads: usize| {
        let g = Graph::new();
        let v = g.input("x", &x);
        let rows = v.take(0, &index);
        let outputs = vec![
            v.scatter_add(0, &index, rows),
            v.sort(0),
            v.sort(1),
            v.cumsum(1),
            v.cumprod_reverse(0),
            v.take_along_axis(1, v.argsort(1)).cumsum(0).sum().grad(v),
        ];
        let mut program = g.compile(outputs, ()).unwrap().threads(threads).unwrap();
        let outputs = program.run().unwrap();
        outputs.iter().map(|y| y.iter().map(|x| x.to_bits()).collect()).collect::<Vec<Vec<u64>>>()
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn printed_as_written() {
    let g = Graph::new();
    let (x, i) = (g.input("x", Array2::<f64>::zeros((2, 3))), g.input("i", array![0_i64, 1]));
    let ones = (x.take(-1, i) * 2.0).sum().grad(x);
    for (text, expected) in [
        (x.take(-1, i).to_string(), "x.take(1, i)"),
        (x.take_along_axis(0, x.argsort(0)).to_string(), "x.take_along_axis(0, x.argsort(0))"),
        (x.topk(1, 2).1.to_string(), "x.argsort_descending(1).slice(1, ..2)"),
        (x.cumsum(0).to_string(), "x.cumsum(0)"),
        (x.cumprod_reverse(-1).to_string(), "x.cumprod_reverse(1)"),
        (x.recurrence(0, x).to_string(), "x.recurrence(0, x)"),
        (x.prod_axis(0).to_string(), "x.prod_axis(0)"),
        (ones.to_string(), "(1.broadcast_to((2, 2)) * 2).scatter(1, i)"),
    ] {
        assert_eq!(text, expected);
    }
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 3)));
    let check = |panic: Panicked, text: &str| {
        assert!(panic.text.starts_with(text), "{}\nnot\n{text}", panic.text);
        assert!(panic.file.ends_with("gathers.rs"), "{}", panic.file);
    };
    check(panicked(|| x.take(2, [0])), "`take` got axis 2 of an array with 2 axes");
    check(panicked(|| x.take([0, 1], [0])), "`take` requires one axis, got [0, 1]");
    check(panicked(|| g.constant(1.0).take(0, [0])), "`take` got axis 0 of an array with 0 axes");
    let along = "`take_along_axis` requires indices of shape (2, 3), but for axis 1, got ";
    check(panicked(|| x.take_along_axis(1, [0, 1])), &format!("{along}(2,)"));
    check(panicked(|| x.take_along_axis(1, Array2::<i64>::zeros((3, 1)))), &format!("{along}(3, 1)"));
    check(
        panicked(|| x.gather_nd([[0], [0], [0]])),
        "`gather_nd` got axis 2 of an array with 2 axes\n  operand: `x` (2, 3)",
    );
    check(panicked(|| x.gather_nd::<[i64; 1]>([])), "`gather_nd` takes 2 operands, got 1");
    check(
        panicked(|| x.gather_nd([vec![0, 1, 0], vec![0, 1]])),
        "`gather_nd` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)",
    );
    check(
        panicked(|| x.mask_select(x.gt(0.0))),
        "`mask_select` requires a constant mask, whose count is the size of the result, got `gt` (2, 3)",
    );
    check(
        panicked(|| x.mask_select(array![true, false, true])),
        "`mask_select` requires a mask of shape (2, 3) or of its first axes, got (3,)",
    );
    check(
        panicked(|| x.scatter_add(0, [0, 1], array![1.0, 2.0])),
        "`scatter_add` requires updates that stretch to (2, 3), got (2,)",
    );
    check(
        panicked(|| x.scatter_set(1, [0], array![1.0, 2.0])),
        "`scatter_set` requires updates that stretch to (2, 1), got (2,)",
    );
    check(
        panicked(|| x.segment_sum([0, 1, 0], 3)),
        "`segment_sum` requires a segment for each of the first axes of (2, 3), got (3,)",
    );
}
