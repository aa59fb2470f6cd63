//! Arrangements of arrays: numbers from NumPy, derivatives, sizes that follow what is fed, errors.

use gradus::{Axes, Graph, Pad, Var, stack};
use ndarray::{Array1, Array2, ArrayD, IxDyn, array};

use crate::support::{Laid, Lie, Mistake, Rng, Slope, check_derivatives, check_mistakes, panicked};

/// A formula of one array.
pub type Arranged<'a> = &'a dyn for<'g> Fn(Var<'g>) -> Var<'g>;

/// Of the numbers 1, 2, 3, … in a shape: what a formula makes of them, as its shape and its numbers.
pub type Row<'a> = (&'a str, &'a [usize], Arranged<'a>, &'a [usize], &'a [i32]);

/// Checks the numbers, however the operand lies and however the formula is run, and the derivatives.
pub fn check_rows(rows: &[Row<'_>], flat: &[&str]) {
    let mut rng = Rng(71);
    for (k, &(label, shape, formula, result, numbers)) in rows.iter().enumerate() {
        let count = shape.iter().product::<usize>();
        let x = ArrayD::from_shape_vec(IxDyn(shape), (1..=count).map(|n| n as f64).collect()).unwrap();
        let expected: Vec<f64> = numbers.iter().map(|&n| f64::from(n)).collect();
        let expected = ArrayD::from_shape_vec(IxDyn(result), expected).unwrap();
        for lie in [Lie::C, Lie::Transposed, Lie::Reversed, Lie::Stepped] {
            let laid = Laid::new(x.clone(), lie);
            let g = Graph::new();
            let v = g.placeholder::<f64>("x", shape);
            let formulas = vec![formula(v), formula(v * 2.0)];
            assert_eq!(formulas[0].shape(), result, "{label}");
            for plain in [false, true] {
                let program = g.compile(formulas.clone(), ()).unwrap();
                let mut program = if plain { program.plain() } else { program };
                let view = laid.view();
                let found = program.run_with(&[v.feed(&view)]).unwrap();
                assert_eq!(found[0], expected, "{label}, {lie:?}");
                if !label.contains("number") && !label.starts_with("pad") {
                    assert_eq!(found[1], &expected * 2.0, "{label}, {lie:?}");
                }
            }
        }
        let slope = if flat.contains(&label) { Slope::Zero } else { Slope::Some };
        let lie = Lie::ALL[k % Lie::ALL.len()];
        check_derivatives(label, slope, || vec![Laid::new(rng.distinct(shape), lie)], &|x| formula(x[0]));
    }
}

#[test]
fn what_numpy_makes_of_an_array() {
    let rows: &[Row<'_>] = &[
        (
            "swapaxes",
            &[2, 3, 2],
            &|x| x.swapaxes(0, -1),
            &[2, 3, 2],
            &[1, 7, 3, 9, 5, 11, 2, 8, 4, 10, 6, 12],
        ),
        ("swapaxes of one", &[2, 3], &|x| x.swapaxes(1, 1), &[2, 3], &[1, 2, 3, 4, 5, 6]),
        ("moveaxis", &[2, 3, 2], &|x| x.moveaxis(0, 2), &[3, 2, 2], &[1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12]),
        (
            "moveaxis back",
            &[2, 3, 2],
            &|x| x.moveaxis(-1, 0),
            &[2, 2, 3],
            &[1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12],
        ),
        (
            "moveaxis of two",
            &[2, 3, 1, 2],
            &|x| x.moveaxis([3, 0], [0, 1]),
            &[2, 2, 3, 1],
            &[1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12],
        ),
        ("ravel", &[2, 3], &|x| x.ravel(), &[6], &[1, 2, 3, 4, 5, 6]),
        ("ravel of a scalar", &[], &|x| x.ravel(), &[1], &[1]),
        ("flatten_t", &[2, 2, 3], &|x| x.flatten_t(), &[6, 2], &[1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12]),
        ("flatten_t of a vector", &[3], &|x| x.flatten_t(), &[1, 3], &[1, 2, 3]),
        ("squeeze of all", &[1, 3, 1], &|x| x.squeeze(Axes::ALL), &[3], &[1, 2, 3]),
        ("reshape", &[2, 3], &|x| x.reshape([-1, 2]), &[3, 2], &[1, 2, 3, 4, 5, 6]),
        (
            "broadcast_to",
            &[3, 1],
            &|x| x.broadcast_to([2, 3, 2]),
            &[2, 3, 2],
            &[1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3],
        ),
        ("flip", &[3, 2], &|x| x.flip(1), &[3, 2], &[2, 1, 4, 3, 6, 5]),
        (
            "flip of two",
            &[2, 3, 2],
            &|x| x.flip([0, -1]),
            &[2, 3, 2],
            &[8, 7, 10, 9, 12, 11, 2, 1, 4, 3, 6, 5],
        ),
        ("flip of all", &[2, 3], &|x| x.flip(Axes::ALL), &[2, 3], &[6, 5, 4, 3, 2, 1]),
        ("roll", &[3, 4], &|x| x.roll(-2, 1), &[3, 4], &[3, 4, 1, 2, 7, 8, 5, 6, 11, 12, 9, 10]),
        ("roll on", &[3, 4], &|x| x.roll(1, 0), &[3, 4], &[9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("roll beyond", &[5], &|x| x.roll(12, 0), &[5], &[4, 5, 1, 2, 3]),
        ("roll beyond, back", &[5], &|x| x.roll(-13, -1), &[5], &[4, 5, 1, 2, 3]),
        ("roll all around", &[2, 3], &|x| x.roll(3, 1), &[2, 3], &[1, 2, 3, 4, 5, 6]),
        ("roll along two", &[2, 3], &|x| x.roll(1, [0, 1]), &[2, 3], &[6, 4, 5, 3, 1, 2]),
        (
            "roll, different shifts",
            &[3, 4],
            &|x| x.roll(1, 0).roll(-6, 1),
            &[3, 4],
            &[11, 12, 9, 10, 3, 4, 1, 2, 7, 8, 5, 6],
        ),
        ("roll_flat", &[2, 3], &|x| x.roll_flat(4), &[2, 3], &[3, 4, 5, 6, 1, 2]),
        ("roll_flat back", &[2, 3], &|x| x.roll_flat(-1), &[2, 3], &[2, 3, 4, 5, 6, 1]),
        ("rot90", &[2, 3], &|x| x.rot90(1, [0, 1]), &[3, 2], &[3, 6, 2, 5, 1, 4]),
        ("rot90 twice", &[2, 3], &|x| x.rot90(2, [0, 1]), &[2, 3], &[6, 5, 4, 3, 2, 1]),
        ("rot90 back", &[2, 3], &|x| x.rot90(-1, [0, 1]), &[3, 2], &[4, 1, 5, 2, 6, 3]),
        ("rot90 seven times", &[2, 3], &|x| x.rot90(7, [1, 0]), &[3, 2], &[3, 6, 2, 5, 1, 4]),
        (
            "rot90 in a plane",
            &[2, 2, 3],
            &|x| x.rot90(1, [-1, 0]),
            &[3, 2, 2],
            &[7, 1, 10, 4, 8, 2, 11, 5, 9, 3, 12, 6],
        ),
        (
            "pad",
            &[2, 3],
            &|x| x.pad(&[[0, 1], [2, 0]], Pad::Constant(5.0)),
            &[3, 5],
            &[5, 5, 1, 2, 3, 5, 5, 4, 5, 6, 5, 5, 5, 5, 5],
        ),
        (
            "pad of nothing",
            &[2, 0],
            &|x| x.pad(&[[1, 0], [1, 1]], Pad::Constant(7.0)),
            &[3, 2],
            &[7, 7, 7, 7, 7, 7],
        ),
        ("pad by nothing", &[2, 2], &|x| x.pad(&[[0, 0], [0, 0]], Pad::Edge), &[2, 2], &[1, 2, 3, 4]),
        (
            "pad edge",
            &[2, 2],
            &|x| x.pad(&[[1, 2], [0, 1]], Pad::Edge),
            &[5, 3],
            &[1, 2, 2, 1, 2, 2, 3, 4, 4, 3, 4, 4, 3, 4, 4],
        ),
        (
            "pad reflect",
            &[3, 4],
            &|x| x.pad(&[[1, 0], [2, 3]], Pad::Reflect),
            &[4, 9],
            &[
                7, 6, 5, 6, 7, 8, 7, 6, 5, 3, 2, 1, 2, 3, 4, 3, 2, 1, 7, 6, 5, 6, 7, 8, 7, 6, 5, 11, 10, 9,
                10, 11, 12, 11, 10, 9,
            ],
        ),
        (
            "pad reflect far",
            &[3],
            &|x| x.pad(&[[7, 5]], Pad::Reflect),
            &[15],
            &[2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2],
        ),
        ("pad reflect of two", &[2], &|x| x.pad(&[[3, 4]], Pad::Reflect), &[9], &[2, 1, 2, 1, 2, 1, 2, 1, 2]),
        (
            "pad reflect of one",
            &[1, 2],
            &|x| x.pad(&[[2, 1], [0, 0]], Pad::Reflect),
            &[4, 2],
            &[1, 2, 1, 2, 1, 2, 1, 2],
        ),
        (
            "pad symmetric",
            &[3, 4],
            &|x| x.pad(&[[1, 0], [2, 3]], Pad::Symmetric),
            &[4, 9],
            &[
                2, 1, 1, 2, 3, 4, 4, 3, 2, 2, 1, 1, 2, 3, 4, 4, 3, 2, 6, 5, 5, 6, 7, 8, 8, 7, 6, 10, 9, 9,
                10, 11, 12, 12, 11, 10,
            ],
        ),
        (
            "pad symmetric far",
            &[3],
            &|x| x.pad(&[[7, 5]], Pad::Symmetric),
            &[15],
            &[1, 1, 2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2],
        ),
        (
            "pad symmetric of two",
            &[2],
            &|x| x.pad(&[[3, 4]], Pad::Symmetric),
            &[9],
            &[2, 2, 1, 1, 2, 2, 1, 1, 2],
        ),
        (
            "pad symmetric of one",
            &[1, 2],
            &|x| x.pad(&[[2, 1], [0, 0]], Pad::Symmetric),
            &[4, 2],
            &[1, 2, 1, 2, 1, 2, 1, 2],
        ),
        (
            "pad wrap",
            &[3, 4],
            &|x| x.pad(&[[1, 0], [2, 3]], Pad::Wrap),
            &[4, 9],
            &[
                11, 12, 9, 10, 11, 12, 9, 10, 11, 3, 4, 1, 2, 3, 4, 1, 2, 3, 7, 8, 5, 6, 7, 8, 5, 6, 7, 11,
                12, 9, 10, 11, 12, 9, 10, 11,
            ],
        ),
        (
            "pad wrap far",
            &[3],
            &|x| x.pad(&[[7, 5]], Pad::Wrap),
            &[15],
            &[3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2],
        ),
        ("pad wrap of two", &[2], &|x| x.pad(&[[3, 4]], Pad::Wrap), &[9], &[2, 1, 2, 1, 2, 1, 2, 1, 2]),
        (
            "pad wrap of one",
            &[1, 2],
            &|x| x.pad(&[[2, 1], [0, 0]], Pad::Wrap),
            &[4, 2],
            &[1, 2, 1, 2, 1, 2, 1, 2],
        ),
        (
            "tile",
            &[2, 2],
            &|x| x.tile(&[2, 3]),
            &[4, 6],
            &[1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4],
        ),
        ("tile, fewer", &[2, 2], &|x| x.tile(&[2]), &[2, 4], &[1, 2, 1, 2, 3, 4, 3, 4]),
        ("tile, more", &[2], &|x| x.tile(&[2, 1, 2]), &[2, 1, 4], &[1, 2, 1, 2, 1, 2, 1, 2]),
        ("tile of a scalar", &[], &|x| x.tile(&[2, 2]), &[2, 2], &[1, 1, 1, 1]),
        ("tile, no times", &[2, 2], &|x| x.tile(&[0, 2]), &[0, 4], &[]),
        ("tile by nothing", &[2], &|x| x.tile(&[]), &[2], &[1, 2]),
        ("repeat", &[2, 3], &|x| x.repeat(2, 1), &[2, 6], &[1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]),
        (
            "repeat 0",
            &[2, 3],
            &|x| x.repeat(3, 0),
            &[6, 3],
            &[1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 4, 5, 6],
        ),
        ("repeat, no times", &[2, 3], &|x| x.repeat(0, -1), &[2, 0], &[]),
        ("repeat_flat", &[2, 2], &|x| x.repeat_flat(2), &[8], &[1, 1, 2, 2, 3, 3, 4, 4]),
        ("repeat_flat of a scalar", &[], &|x| x.repeat_flat(3), &[3], &[1, 1, 1]),
        ("repeat_each", &[2, 3], &|x| x.repeat_each(&[2, 0, 1], 1), &[2, 3], &[1, 1, 3, 4, 4, 6]),
    ];
    check_rows(rows, &[]);
}

#[test]
fn stacks() {
    let rows: &[(&str, &[usize], i32)] =
        &[("first", &[2, 3], 0), ("last", &[2, 3], -1), ("scalars", &[], 0), ("none", &[0, 2], 1)];
    let mut rng = Rng(72);
    for &(label, shape, axis) in rows {
        let arrays: Vec<ArrayD<f64>> = (0..3).map(|_| rng.distinct(shape)).collect();
        let g = Graph::new();
        let x: Vec<Var<'_>> = arrays.iter().map(|array| g.constant(array)).collect();
        let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
        let at = if axis < 0 { shape.len() } else { axis as usize };
        let expected = ndarray::stack(ndarray::Axis(at), &views).unwrap();
        assert_eq!(stack(&x, axis).value().unwrap(), expected, "{label}");
        let draw = || (0..3).map(|_| Laid::new(rng.distinct(shape), Lie::Transposed)).collect();
        check_derivatives(label, Slope::Some, draw, &|x| stack(x, axis));
    }
}

/// One formula, recorded at some sizes and fed others.
fn fed(
    recorded: &[usize],
    sizes: &[&[usize]],
    formula: Arranged<'_>,
    expected: &dyn Fn(&ArrayD<f64>) -> ArrayD<f64>,
) {
    let g = Graph::new();
    let v = g.placeholder::<f64>("x", recorded);
    let y = formula(v);
    let mut program = g.compile((y, y.square().sum().grad(v)), ()).unwrap();
    let mut rng = Rng(73);
    for &shape in sizes {
        let x = rng.distinct(shape);
        let (found, d) = program.run_with(&[v.feed(&x)]).unwrap();
        assert_eq!(found, expected(&x), "{recorded:?} fed {shape:?}");
        // Of a sum of squares, twice the element for each place where it stands.
        let total: f64 = found.iter().map(|y| 2.0 * y * y).sum();
        assert!((total - (&d * &x).sum()).abs() < 1e-9, "{recorded:?} fed {shape:?}");
    }
}

#[test]
fn other_sizes_are_fed() {
    let sizes: &[&[usize]] = &[&[2, 3], &[1, 5], &[4, 1], &[3, 7], &[0, 4], &[3, 0]];
    let map = |x: &ArrayD<f64>, shape: &[usize], from: &dyn Fn(usize, usize) -> Option<(usize, usize)>| {
        ArrayD::from_shape_fn(IxDyn(shape), |at| from(at[0], at[1]).map_or(0.0, |(i, j)| x[[i, j]]))
    };
    fed(&[2, 3], sizes, &|x| x.roll(4, 1), &|x| {
        let n = x.shape()[1];
        map(x, x.shape(), &|i, j| Some((i, (j + 4 * n - 4) % n)))
    });
    fed(&[2, 3], sizes, &|x| x.tile(&[2, 3]), &|x| {
        let (m, n) = (x.shape()[0], x.shape()[1]);
        map(x, &[2 * m, 3 * n], &|i, j| Some((i % m, j % n)))
    });
    fed(&[2, 3], sizes, &|x| x.repeat(3, 0), &|x| {
        map(x, &[3 * x.shape()[0], x.shape()[1]], &|i, j| Some((i / 3, j)))
    });
    fed(&[2, 3], sizes, &|x| x.pad(&[[1, 0], [0, 2]], Pad::Constant(0.0)), &|x| {
        let (m, n) = (x.shape()[0], x.shape()[1]);
        map(x, &[m + 1, n + 2], &|i, j| (i > 0 && j < n).then(|| (i - 1, j)))
    });
    let long: &[&[usize]] = &[&[2, 3], &[1, 5], &[4, 4]];
    fed(&[2, 3], long, &|x| x.pad(&[[0, 0], [2, 2]], Pad::Reflect), &|x| {
        let (m, n) = (x.shape()[0], x.shape()[1]);
        let mirrored = |j: usize| {
            let j = (j + 2 * (n - 1) - 2) % (2 * (n - 1));
            if j < n { j } else { 2 * (n - 1) - j }
        };
        map(x, &[m, n + 4], &|i, j| Some((i, mirrored(j))))
    });
    fed(&[2, 3], long, &|x| x.pad(&[[0, 0], [4, 0]], Pad::Wrap), &|x| {
        let (m, n) = (x.shape()[0], x.shape()[1]);
        map(x, &[m, n + 4], &|i, j| Some((i, (j + 4 * n - 4) % n)))
    });
    fed(&[2, 3], sizes, &|x| x.rot90(1, [0, 1]), &|x| {
        let (m, n) = (x.shape()[0], x.shape()[1]);
        map(x, &[n, m], &|i, j| Some((j, n - 1 - i)))
    });
}

#[test]
fn an_axis_that_is_too_short_is_an_error_of_the_run() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3]);
    let mut reflected = g.compile(x.pad(&[[2, 0]], Pad::Reflect), ()).unwrap();
    let error = reflected.run_with(&[x.feed(&array![1.0, 2.0])]).unwrap_err().to_string();
    assert!(error.starts_with("with the sizes of this run: `slice` cannot take"), "{error}");
    let one = g.placeholder::<f64>("one", [1]);
    let mut reflected = g.compile(one.pad(&[[2, 0]], Pad::Reflect), ()).unwrap();
    let error = reflected.run_with(&[one.feed(&array![1.0, 2.0])]).unwrap_err().to_string();
    assert!(error.starts_with("with the sizes of this run: `squeeze` requires axes of size 1"), "{error}");
}

#[test]
fn integers_masks_and_floats_of_four_bytes() {
    let g = Graph::new();
    let n = g.input("n", array![[1_i64, 2], [3, 4]]);
    assert_eq!(
        n.pad(&[[0, 1], [0, 0]], Pad::Constant(9.0)).value().unwrap(),
        array![[1, 2], [3, 4], [9, 9]].into_dyn()
    );
    assert_eq!(n.roll_flat(1).value().unwrap(), array![[4, 1], [2, 3]].into_dyn());
    let m = g.input("m", array![true, false]);
    assert_eq!(m.repeat(2, 0).value().unwrap(), array![true, true, false, false].into_dyn());
    assert!(m.diag(1).value().unwrap()[[0, 1]]);
    let x = g.input("x", array![1.5_f32, 2.5]);
    assert_eq!(x.pad(&[[1, 1]], Pad::Wrap).value().unwrap(), array![2.5_f32, 1.5, 2.5, 1.5].into_dyn());
    assert_eq!(stack(&[x, x * 2.0], 1).value().unwrap(), array![[1.5_f32, 3.0], [2.5, 5.0]].into_dyn());
}

#[test]
fn views_are_not_copied() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::ones((40, 30)));
    let y = x.swapaxes(0, 1).flip(0).moveaxis(0, 1).rot90(1, [0, 1]).diagonal(2, [0, 1]).sum();
    let bytes = g.compile(y, ()).unwrap().plan(&[]).unwrap().planned_bytes;
    assert!(bytes < 1000, "{bytes} bytes");
}

#[test]
fn the_gradient_of_a_roll_is_a_concatenation() {
    let g = Graph::new();
    let x = g.input("x", Array1::from_iter((1..=5).map(f64::from)));
    let y = x.roll(2, 0);
    let d = (y * array![1.0, 2.0, 3.0, 4.0, 5.0]).sum().grad(x);
    assert_eq!(d.value().unwrap(), array![3.0, 4.0, 5.0, 1.0, 2.0].into_dyn());
    assert!(d.to_string().contains("concat(["), "{d}");
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let (x, at) = (g.input("x", Array2::<f64>::zeros((2, 3))), line!());
    let (v, _) = (g.input("v", Array1::<f64>::zeros(3)), ());
    let empty = g.input("empty", Array2::<f64>::zeros((0, 3)));
    let operand = format!("\n  operand: `x` (2, 3) from {}:{at}", file!());
    let whole: &[Mistake<'_, '_>] = &[
        ("`swapaxes` got axis 2 of an array with 2 axes", &|| x.swapaxes(0, 2)),
        ("`swapaxes` requires one axis, got [0, 1]", &|| x.swapaxes([0, 1], 1)),
        ("`moveaxis` got axis -3 of an array with 2 axes", &|| x.moveaxis(-3, 0)),
        ("`moveaxis` got axis 1 twice", &|| x.moveaxis([1, -1], [0, 1])),
        ("`moveaxis` cannot move axes [0, 1] to [1]: 2 != 1", &|| x.moveaxis([0, 1], 1)),
        ("`flip` got axis 2 of an array with 2 axes", &|| x.flip(2)),
        ("`flip` got axis 0 twice", &|| x.flip([0, 0])),
        ("`roll` got axis 2 of an array with 2 axes", &|| x.roll(1, 2)),
        ("`rot90` cannot turn in the plane of axes [0]: it requires two", &|| x.rot90(1, 0)),
        ("`rot90` got axis 1 twice", &|| x.rot90(1, [1, -1])),
        ("`pad` cannot give 1 pairs of widths to the 2 axes of (2, 3)", &|| x.pad(&[[1, 1]], Pad::Edge)),
        ("`repeat` requires one axis, got [0, 1]", &|| x.repeat(2, [0, 1])),
        ("`repeat_each` cannot repeat axis 1 of (2, 3) by 2 counts", &|| x.repeat_each(&[1, 2], 1)),
        ("`stack` cannot make a new axis [3] among 3", &|| stack(&[x], 3)),
        ("`diagonal` cannot take axes [0]: it requires two, of rows and of columns", &|| x.diagonal(0, 0)),
        ("`diagonal` got axis 2 of an array with 2 axes", &|| x.diagonal(0, [0, 2])),
        ("`trace` cannot take axes [1]: it requires two, of rows and of columns", &|| x.trace(0, 1)),
        ("`slice_each` cannot take 3 axes of (2, 3), which has 2", &|| x.slice_each([gradus::Cut::ALL; 3])),
        ("`slice` cannot take 1..4 of axis 1, which has size 3", &|| x.slice_each(ndarray::s![.., 1..4])),
        ("`slice` cannot take ::0 of axis 0, which has size 2", &|| {
            x.slice_each([gradus::Cut::python(None, None, 0)])
        }),
    ];
    check_mistakes(file!(), whole, &operand);
    let begins: &[Mistake<'_, '_>] = &[
        ("`pad` cannot continue axis 0 of (0, 3), which is empty", &|| {
            empty.pad(&[[1, 0], [0, 0]], Pad::Wrap)
        }),
        ("`flatten_t` cannot make columns of a scalar", &|| g.constant(1.0).flatten_t()),
        ("`diag_embed` cannot make a diagonal of a scalar", &|| g.constant(1.0).diag_embed(0)),
        ("`diag` cannot tell the diagonal of (2, 3, 1): `diagonal` and `diag_embed` take more axes", &|| {
            x.expand_dims(-1).diag(0)
        }),
        ("`tril` cannot find a matrix in the last two axes of (3,)", &|| v.tril(0)),
        ("`eye_like` cannot find a matrix in the last two axes of (3,)", &|| v.eye_like(0)),
        ("`stack` requires arrays of one shape, (2, 3), got (3,)", &|| stack(&[x, v], 0)),
        ("`stack` takes 1 operands, got 0", &|| stack::<f64>(&[], 0)),
        ("`slice_assign` cannot stretch (3,) to (2, 2)", &|| x.slice_assign(ndarray::s![.., 1..], v)),
        ("`slice_add` cannot stretch (2, 3) to (3,)", &|| x.slice_add(ndarray::s![0], x)),
    ];
    check_mistakes(file!(), begins, "");
}

#[test]
fn a_handle_that_is_not_valid() {
    let (g, h) = (Graph::new(), Graph::new());
    let mark = g.mark();
    let (x, y) = (g.input("x", array![1.0, 2.0]), h.input("y", array![1.0, 2.0]));
    let other = panicked(|| stack(&[x, y], 0)).text;
    assert!(other.starts_with("`stack` got a handle of another graph"), "{other}");
    g.truncate(mark);
    let rows: &[Mistake<'_, '_>] = &[
        ("flip", &|| x.flip(0)),
        ("tile", &|| x.tile(&[2])),
        ("pad", &|| x.pad(&[[1, 1]], Pad::Edge)),
        ("ravel", &|| x.ravel()),
        ("diag", &|| x.diag(0)),
        ("slice_each", &|| x.slice_each([gradus::Cut::ALL])),
        ("stack", &|| stack(&[x], 0)),
    ];
    for &(op, freed) in rows {
        let text = panicked(freed).text;
        assert!(text.starts_with(&format!("`{op}` got a handle of a freed node")), "{text}");
    }
}
