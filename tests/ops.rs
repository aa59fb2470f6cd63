//! Every operation: its value against a plain loop, its derivatives against central differences at first and second
//! order, over shapes, axes, strides and element types. The operations are found from their records.

use gradus::check::Check;
use gradus::ndarray::{ArrayD, Axis, IxDyn, ShapeBuilder, Zip};
use gradus::ops::{Binary, Compare, Fold, Op, Reduce, Unary};
use gradus::prelude::*;
use gradus::{Axes, Expr};

/// Shapes that operations of one operand are tried on.
const SHAPES: &[&[usize]] = &[&[], &[1], &[5], &[2, 3], &[3, 1], &[2, 1, 4], &[0], &[2, 0, 3], &[600]];

/// Pairs of shapes that broadcast.
const PAIRS: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[3], &[3]),
    (&[], &[2, 3]),
    (&[2, 3], &[]),
    (&[2, 3], &[3]),
    (&[2, 1], &[1, 3]),
    (&[3, 1, 2], &[4, 1]),
    (&[1], &[5]),
    (&[0], &[1]),
    (&[2, 0], &[2, 1]),
    (&[30, 20], &[20]),
];

/// Numbers between `low` and `high` that keep away from `avoid`, in C or in Fortran order.
fn sample(seed: u64, shape: &[usize], low: f64, high: f64, avoid: &[f64], fortran: bool) -> ArrayD<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || loop {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = low + (high - low) * (state >> 11) as f64 / (1_u64 << 53) as f64;
        if avoid.iter().all(|kink| (x - kink).abs() > 0.05) {
            return x;
        }
    };
    ArrayD::from_shape_simple_fn(IxDyn(shape).set_f(fortran), &mut next)
}

/// An expression that bends wherever `out` does, and also where `out` is flat: a product with a smooth function of all
/// operands, so that no rule of zero can pass.
fn bent<'g>(out: Var<'g>, operands: &[Var<'g>]) -> Var<'g> {
    let smooth = operands.iter().map(|x| (*x + 0.3).sin().sum()).reduce(|a, b| a + b).unwrap();
    (1.0 + out + 0.5 * out.square()) * (smooth + 2.0)
}

fn check(what: &str, out: Var<'_>, operands: &[Var<'_>]) {
    if out.shape().size() == 0 {
        for (x, gradient) in operands.iter().zip(out.sum().grad_or_zeros(operands)) {
            assert_eq!(gradient.value().unwrap(), ArrayD::zeros(&*x.shape()), "{what}");
        }
        return;
    }
    for seed in [1, 2] {
        let verdict = Check::new().order(2).seed(seed).gradient(bent(out, operands), operands);
        let report = verdict.unwrap_or_else(|failure| panic!("{what}: {failure}"));
        let filled = operands.iter().filter(|x| x.shape().size() > 0).count();
        assert_eq!(report.compared, 2 * filled, "{what}");
    }
}

fn domain(op: &Op) -> (f64, f64, &'static [f64]) {
    let domain = op.record().unwrap().domain;
    (domain.low, domain.high, domain.kinks)
}

fn apply<'g>(g: &'g Graph, op: &Op, operands: &[Expr<'g>]) -> Var<'g> {
    g.apply(op.clone(), operands).unwrap().typed().unwrap()
}

#[test]
fn unary_derivatives() {
    // The derivative of `stop_gradient` is not that of its value; it has a test of its own.
    let smooth = |unary: &Unary| *unary != Unary::StopGradient;
    for unary in Unary::all(3, 1.7).into_iter().chain(Unary::all(-2, 0.4)).filter(smooth) {
        let op = Op::Unary(unary);
        let (low, high, kinks) = domain(&op);
        for &shape in SHAPES {
            for fortran in [false, true] {
                let g = Graph::new();
                let x = g.input("x", sample(3, shape, low, high, kinks, fortran));
                check(&format!("{op} {shape:?}"), apply(&g, &op, &[x.erase()]), &[x]);
                // Through a transpose and a broadcast the operand is read with other strides.
                let out = apply(&g, &op, &[x.t().expand_dims(0).erase()]);
                check(&format!("{op} transposed {shape:?}"), out, &[x]);
            }
        }
        let g = Graph::new();
        let x = g.input("x", sample(4, &[3, 1], low, high, kinks, false));
        let stretched = x.broadcast_to([2, 3, 4]);
        check(&format!("{op} stretched"), apply(&g, &op, &[stretched.erase()]), &[x]);
    }
}

#[test]
fn binary_derivatives() {
    for &binary in Binary::ALL {
        let op = Op::Binary(binary);
        let (low, high, kinks) = domain(&op);
        for &(left, right) in PAIRS {
            for fortran in [false, true] {
                let g = Graph::new();
                // The second operand sits between the grid points of the first, away from ties.
                let grid = |x: f64| if kinks.is_empty() { x } else { (x * 4.0).round() / 4.0 };
                let a = g.input("a", sample(5, left, low, high, &[], fortran).mapv(grid));
                let b = g.input("b", sample(6, right, low, high, &[], fortran).mapv(|x| grid(x) + 0.125));
                let out = apply(&g, &op, &[a.erase(), b.erase()]);
                check(&format!("{op} {left:?} {right:?}"), out, &[a, b]);
                let twice = apply(&g, &op, &[a.erase(), a.erase()]);
                if kinks.is_empty() {
                    check(&format!("{op} of one operand twice {left:?}"), twice, &[a]);
                }
            }
        }
        let g = Graph::new();
        let (a, b) = (
            g.input("a", sample(7, &[3, 4], low, high, &[], false)),
            g.input("b", sample(8, &[4, 3], 0.4, 2.0, &[], false)),
        );
        let (a, b) = (a + 0.25, b + 0.31);
        assert_eq!(apply(&g, &op, &[a.erase(), b.t().erase()]).shape(), [3, 4]);
    }
}

/// Every choice of axes of an array with this many axes.
fn axes(rank: usize) -> Vec<Axes> {
    let mut choices = vec![Axes::ALL, Axes::none()];
    choices.extend((0..rank).map(Axes::from));
    choices.extend((1..=rank as i32).map(|axis| Axes::from(-axis)));
    for a in 0..rank {
        choices.extend((0..rank).filter(|&b| b != a).map(|b| Axes::from([a, b])));
    }
    choices
}

#[test]
fn reduction_derivatives() {
    for &fold in Fold::ALL.iter().filter(|fold| **fold != Fold::ArgMax) {
        for shape in [&[][..], &[4], &[2, 3], &[3, 1, 2], &[2, 3, 2], &[2, 0]] {
            for axes in axes(shape.len()) {
                for keepdims in [false, true] {
                    let g = Graph::new();
                    // Distinct values, so that no maximum is tied.
                    let n: usize = shape.iter().product();
                    let values =
                        (0..n).map(|i| ((i * 7 + 3) % (n.max(1) * 2 + 1)) as f64 * 0.31 - 0.9).collect();
                    let x = g.input("x", ArrayD::from_shape_vec(shape, values).unwrap());
                    let op = Op::Reduce(Reduce { fold, axes: axes.clone(), keepdims });
                    for operand in [x, x.t()] {
                        match g.apply(op.clone(), &[operand.erase()]) {
                            Ok(out) if n > 0 => {
                                check(&format!("{op} {shape:?} {axes}"), out.typed().unwrap(), &[x]);
                            }
                            Ok(_) => {}
                            Err(error) => assert!(error.to_string().contains("of no elements"), "{error}"),
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn products_have_the_right_derivatives() {
    let pairs: &[(&[usize], &[usize])] = &[
        (&[], &[3]),
        (&[2, 3], &[]),
        (&[4], &[4]),
        (&[2, 3], &[3]),
        (&[2], &[2, 3]),
        (&[2, 3], &[3, 4]),
        (&[1, 3], &[3, 1]),
        (&[5, 1], &[1, 5]),
        (&[9, 40], &[40, 7]),
    ];
    for &(left, right) in pairs {
        for fortran in [false, true] {
            let g = Graph::new();
            let a = g.input("a", sample(1, left, -1.0, 1.0, &[], fortran));
            let b = g.input("b", sample(2, right, -1.0, 1.0, &[], false));
            check(&format!("dot {left:?} {right:?}"), a.dot(b), &[a, b]);
            if left.len() == 2 && right.len() == 2 {
                check(&format!("dot {left:?} {right:?} transposed"), b.t().dot(a.t()), &[a, b]);
                check(&format!("a aᵀ {left:?}"), a.dot(a.t()), &[a]);
            }
        }
    }
}

#[test]
fn arrangements_have_the_right_derivatives() {
    let g = Graph::new();
    let x = g.input("x", sample(1, &[2, 3, 4], -1.0, 1.0, &[], false));
    let b = g.input("b", sample(2, &[3, 1], -1.0, 1.0, &[], false));
    let like = g.input("like", sample(3, &[4, 6], -1.0, 1.0, &[], false));
    for (what, out) in [
        ("t", x.t()),
        ("transpose", x.transpose([1, 2, 0])),
        ("reshape", x.reshape([6, -1])),
        ("reshape of a transpose", x.transpose([2, 0, 1]).reshape([-1])),
        ("reshape_like", x.reshape_like(like)),
        ("expand_dims", x.expand_dims([0, -1])),
        ("sum_like", x.sum_like(b)),
    ] {
        check(what, out, &[x]);
    }
    check("broadcast_to", b.broadcast_to([2, 3, 4]), &[b]);
    check("broadcast_like", b.broadcast_like(x) * x, &[b, x]);
}

#[test]
fn choices_and_casts_have_the_right_derivatives() {
    let g = Graph::new();
    let x = g.input("x", sample(1, &[3, 4], -1.0, 1.0, &[0.0], false));
    let row = g.input("row", sample(2, &[4], -1.0, 1.0, &[], false));
    let mask = x.gt(0.0);
    check("select", mask.select(x.square(), row), &[x, row]);
    check("select of a number", mask.select(x.exp(), 2.0), &[x]);
    check("select, the other way round", mask.select(1.0, row), &[x, row]);
    check("select by a row", row.lt(0.0).select(x, -x), &[x, row]);
    let single = x.cast::<f32>();
    let back: Var<'_> = single.cast();
    assert_eq!(back.sum().grad(x).value().unwrap(), ArrayD::ones(IxDyn(&[3, 4])));
}

#[test]
fn values_of_unary_operations() {
    // The plain formula of each, in f64.
    fn plain(op: &str, x: f64) -> f64 {
        match op {
            "-" => -x,
            "abs" => x.abs(),
            "sign" => {
                if x > 0.0 {
                    1.0
                } else if x < 0.0 {
                    -1.0
                } else {
                    x
                }
            }
            "square" => x * x,
            "powi" => x.powi(3),
            "powf" => x.powf(1.7),
            "sqrt" => x.sqrt(),
            "recip" => 1.0 / x,
            "exp" => x.exp(),
            "exp_m1" => x.exp_m1(),
            "ln" => x.ln(),
            "ln_1p" => x.ln_1p(),
            "sin" => x.sin(),
            "cos" => x.cos(),
            "tanh" => x.tanh(),
            "sigmoid" => 1.0 / (1.0 + (-x).exp()),
            "softplus" => {
                if x > 30.0 {
                    x
                } else {
                    x.exp().ln_1p()
                }
            }
            "relu" => {
                if x > 0.0 {
                    x
                } else {
                    0.0
                }
            }
            "leaky_relu" => {
                if x > 0.0 {
                    x
                } else {
                    1.7 * x
                }
            }
            "stop_gradient" => x,
            other => panic!("`{other}` has no plain formula here: write one"),
        }
    }
    for unary in Unary::all(3, 1.7) {
        let op = Op::Unary(unary);
        let (low, high, kinks) = domain(&op);
        let values = sample(9, &[7, 101], low * 3.0 - 1.0, high * 5.0, kinks, false);
        let g = Graph::new();
        let found = apply(&g, &op, &[g.constant(&values).erase()]).value().unwrap();
        let single = g.apply(op.clone(), &[g.constant(values.mapv(|x| x as f32)).erase()]).unwrap();
        let single = single.typed::<f32>().unwrap().value().unwrap();
        for ((&x, &found), &single) in values.iter().zip(&found).zip(&single) {
            let expected = plain(op.name(), x);
            assert!(close(found, expected, 1e-14), "{op}({x}) = {found}, not {expected}");
            let expected = plain(op.name(), f64::from(x as f32));
            assert!(close(f64::from(single), expected, 1e-5), "{op}({x}_f32) = {single}, not {expected}");
        }
    }
}

fn close(found: f64, expected: f64, tolerance: f64) -> bool {
    found == expected
        || (found.is_nan() && expected.is_nan())
        || (found - expected).abs() <= tolerance * expected.abs().max(1e-3)
}

#[test]
fn values_of_binary_operations_and_comparisons() {
    for &(left, right) in PAIRS {
        let (a, b) = (sample(1, left, -2.0, 2.0, &[], false), sample(2, right, -2.0, 2.0, &[], true));
        let (a, b) = (a.mapv(|x| (x * 4.0).round() / 4.0), b.mapv(|x| (x * 4.0).round() / 4.0));
        let shape = (&a + &b).raw_dim();
        let (wide_a, wide_b) = (a.broadcast(shape.clone()).unwrap(), b.broadcast(shape).unwrap());
        let plain =
            |f: &dyn Fn(f64, f64) -> f64| Zip::from(&wide_a).and(&wide_b).map_collect(|&a, &b| f(a, b));
        let g = Graph::new();
        let (x, y) = (g.constant(&a), g.constant(&b));
        for (found, expected) in [
            (x + y, plain(&|a, b| a + b)),
            (x - y, plain(&|a, b| a - b)),
            (x * y, plain(&|a, b| a * b)),
            (x / y, plain(&|a, b| a / b)),
            (x.maximum(y), plain(&|a, b| a.max(b))),
            (x.minimum(y), plain(&|a, b| a.min(b))),
        ] {
            let found_value = found.value().unwrap();
            assert!(found_value.iter().zip(&expected).all(|(f, e)| close(*f, *e, 0.0)), "{found}");
            assert_eq!(found_value.shape(), expected.shape());
        }
        for &compare in Compare::ALL {
            let mask = g.apply(Op::Compare(compare), &[x.erase(), y.erase()]).unwrap();
            let mask = mask.typed::<bool>().unwrap().value().unwrap();
            let expected = Zip::from(&wide_a).and(&wide_b).map_collect(|a, b| match compare {
                Compare::Lt => a < b,
                Compare::Le => a <= b,
                Compare::Gt => a > b,
                Compare::Ge => a >= b,
                Compare::Eq => a == b,
                Compare::Ne => a != b,
            });
            assert_eq!(mask, expected, "{compare:?}");
        }
    }
}

#[test]
fn values_of_reductions() {
    let x = sample(1, &[3, 70, 5], -2.0, 2.0, &[], false);
    let g = Graph::new();
    for (v, x) in [(g.constant(&x), x.clone()), (g.constant(&x).t(), x.t().to_owned())] {
        for axis in 0..3 {
            let sum = v.sum_axis(axis).value().unwrap();
            assert!(sum.iter().zip(&x.sum_axis(Axis(axis))).all(|(a, b)| close(*a, *b, 1e-12)));
            let max = x.map_axis(Axis(axis), |lane| lane.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            assert_eq!(v.max_axis(axis).value().unwrap(), max);
            let min = x.map_axis(Axis(axis), |lane| lane.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(v.min_axis(axis).value().unwrap(), min);
            let first =
                |lane: gradus::ndarray::ArrayView1<'_, f64>, most: f64| lane.iter().position(|&x| x == most);
            let lanes = x.map_axis(Axis(axis), |lane| {
                first(lane, lane.iter().copied().fold(f64::NEG_INFINITY, f64::max)).unwrap() as i64
            });
            assert_eq!(v.argmax_axis(axis).value().unwrap(), lanes);
            let mean = x.mean_axis(Axis(axis)).unwrap();
            assert!(v.mean_axis(axis).value().unwrap().iter().zip(&mean).all(|(a, b)| close(*a, *b, 1e-12)));
        }
        let outer = v.argmax_axis([0, 2]).value().unwrap();
        for (j, &found) in outer.iter().enumerate() {
            let plane = x.index_axis(Axis(1), j);
            let most = plane.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(found as usize, plane.iter().position(|&x| x == most).unwrap());
        }
        let both = v.sum_axis([0, 2]).value().unwrap();
        let expected = x.sum_axis(Axis(2)).sum_axis(Axis(0));
        assert!(both.iter().zip(&expected).all(|(a, b)| close(*a, *b, 1e-12)));
    }
    let empty = g.constant(ArrayD::<f64>::zeros(IxDyn(&[2, 0])));
    assert_eq!(empty.sum().item().unwrap(), 0.0);
    assert!(empty.mean().item().unwrap().is_nan());
    assert_eq!(empty.max_axis(0).shape(), [0]);
}

#[test]
fn sums_are_as_accurate_as_pairs_of_pairs() {
    // 0.1 a million times: a running sum in f32 is off by 1 %, pairs by an ulp or two.
    let g = Graph::new();
    let x = g.constant(gradus::ndarray::Array2::from_elem((1000, 1000), 0.1_f32));
    for sum in [x.sum(), x.sum_axis(0).sum(), x.sum_axis(1).sum(), x.t().sum_axis(1).sum(), x.mean() * 1e6] {
        assert!((f64::from(sum.item().unwrap()) - 100_000.0).abs() < 0.05, "{}", sum.item().unwrap());
    }
}

#[test]
fn integers_wrap_and_masks_combine() {
    let g = Graph::new();
    let i = g.input("i", array![i64::MAX, -3, 0]);
    assert_eq!((i + 1).value().unwrap(), array![i64::MIN, -2, 1].into_dyn());
    assert_eq!(
        (2 * i - i * i.sign()).value().unwrap(),
        array![i64::MAX.wrapping_mul(2).wrapping_sub(i64::MAX), -9, 0].into_dyn()
    );
    assert_eq!((-i).abs().maximum(1).minimum(7).value().unwrap(), array![7, 3, 1].into_dyn());
    assert_eq!(i.argmax().item().unwrap(), 0);
    assert_eq!(i.max().item().unwrap(), i64::MAX);
    assert_eq!((i.sign() + array![1_i64, 1, 1]).value().unwrap(), array![2, 0, 1].into_dyn());
    let (p, q) = (i.gt(0), i.lt(0));
    assert_eq!((p | q).value().unwrap(), array![true, true, false].into_dyn());
    assert_eq!((!p & !q).value().unwrap(), array![false, false, true].into_dyn());
    assert_eq!(p.select(q, p.inverted()).value().unwrap(), array![false, true, true].into_dyn());
    assert_eq!(p.ne(q).value().unwrap(), array![true, true, false].into_dyn());
}

#[test]
fn casts_between_all_element_types() {
    let g = Graph::new();
    let x = g.constant(array![-1.5, 0.0, 2.7, f64::NAN, 1e300]);
    assert_eq!(x.cast::<i64>().value().unwrap(), array![-1, 0, 2, 0, i64::MAX].into_dyn());
    assert_eq!(x.cast::<bool>().value().unwrap(), array![true, false, true, true, true].into_dyn());
    assert_eq!(x.cast::<f32>().value().unwrap()[2], 2.7_f32);
    assert_eq!(x.cast::<f32>().value().unwrap()[4], f32::INFINITY);
    let mask = g.constant(array![true, false]);
    assert_eq!(mask.cast::<f32>().value().unwrap(), array![1.0_f32, 0.0].into_dyn());
    assert_eq!(mask.cast::<i64>().cast::<f64>().value().unwrap(), array![1.0, 0.0].into_dyn());
    assert_eq!(mask.cast::<bool>().value().unwrap(), array![true, false].into_dyn());
}

#[test]
fn arrays_and_numbers_stand_on_either_side() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let c = array![10.0, 20.0];
    let v = |e: Var<'_>| e.value().unwrap().into_raw_vec_and_offset().0;
    assert_eq!(v(x + &c), [11.0, 22.0]);
    assert_eq!(v(&c - x), [9.0, 18.0]);
    assert_eq!(v(c.clone() * x), [10.0, 40.0]);
    assert_eq!(v(x / c.view()), [0.1, 0.1]);
    assert_eq!(v(c.view() / x), [10.0, 10.0]);
    assert_eq!(v(3.0 - x), [2.0, 1.0]);
    assert_eq!(v(x.maximum(&c) + x.minimum(1.5)), [11.0, 21.5]);
    assert_eq!(x.dot(&c).item().unwrap(), 50.0);
    let y = g.input("y", array![1.0_f32, 2.0]);
    assert_eq!((1.0 - y).value().unwrap(), array![0.0_f32, -1.0].into_dyn());
    assert_eq!((1.0 - y * f64::from(2.0_f32)).value().unwrap(), array![-1.0_f32, -3.0].into_dyn());
}
