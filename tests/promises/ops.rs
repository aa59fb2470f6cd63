//! Every operation's derivative, at first and second order, against differences: over shapes, broadcasts, strides
//! and axes. The operations are taken from their lists, so a new one is found here by itself.

use gradus::ops::{Binary, Fold, Op, Reduce, Unary};
use gradus::{Axes, Var};
use ndarray::{Array2, ArrayD, IxDyn, arr0, array};

use crate::support::{
    Formula, Laid, Lie, MARGIN, Rng, Slope, assert_close, check_derivatives, panicked, unaries,
};

/// One shape of each kind.
const SHAPES: &[&[usize]] =
    &[&[], &[1], &[5], &[2, 3], &[2, 3, 4], &[1, 4], &[4, 1], &[3, 1, 2], &[0], &[2, 0], &[0, 3]];

/// Pairs of shapes that broadcast.
const PAIRS: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[], &[3]),
    (&[3], &[]),
    (&[1], &[4]),
    (&[2, 3], &[2, 3]),
    (&[2, 3], &[3]),
    (&[3], &[2, 3]),
    (&[2, 3], &[2, 1]),
    (&[2, 1], &[1, 3]),
    (&[1, 3], &[2, 1]),
    (&[2, 3, 2], &[3, 1]),
    (&[3, 1], &[2, 3, 2]),
    (&[2, 1, 3], &[1, 2, 1]),
    (&[0, 3], &[3]),
    (&[1], &[0]),
    (&[2, 1], &[2, 0]),
];

/// How two operands lie.
const LIES: &[(Lie, Lie)] = &[
    (Lie::C, Lie::C),
    (Lie::Transposed, Lie::Reversed),
    (Lie::Stepped, Lie::Broadcast),
    (Lie::Broadcast, Lie::Transposed),
    (Lie::Reversed, Lie::Stepped),
];

fn unary(op: Unary) -> impl for<'g> Fn(&[Var<'g>]) -> Var<'g> {
    move |x| x[0].graph().apply(Op::Unary(op), &[x[0].erase()]).unwrap().typed().unwrap()
}

fn binary<'g>(op: Binary, a: Var<'g>, b: Var<'g>) -> Var<'g> {
    a.graph().apply(Op::Binary(op), &[a.erase(), b.erase()]).unwrap().typed().unwrap()
}

/// What is piecewise constant.
fn slope(op: Unary) -> Slope {
    let constant = match op {
        Unary::Powi { n } => n == 0,
        Unary::Powf { p } => p.get() == 0.0,
        _ => Op::Unary(op).record().unwrap().derivative.starts_with('0'),
    };
    if constant { Slope::Zero } else { Slope::Some }
}

#[test]
fn unary_operations() {
    let mut rng = Rng(1);
    for op in unaries().into_iter().filter(|op| *op != Unary::StopGradient) {
        let domain = Op::Unary(op).record().unwrap().domain;
        for shape in SHAPES {
            for lie in Lie::ALL {
                let draw = || vec![Laid::new(rng.sample(shape, domain), lie)];
                check_derivatives(&format!("{op:?}"), slope(op), draw, &unary(op));
            }
        }
    }
}

#[test]
fn an_array_of_many_blocks() {
    let mut rng = Rng(2);
    for op in [Unary::Tanh, Unary::Relu, Unary::Softplus] {
        for lie in Lie::ALL {
            let domain = Op::Unary(op).record().unwrap().domain;
            let draw = || vec![Laid::new(rng.sample(&[5, 1031], domain), lie)];
            check_derivatives(&format!("{op:?}"), Slope::Some, draw, &unary(op));
        }
    }
}

#[test]
fn the_checker_sees_a_rule_that_is_a_thousandth_off() {
    // The value of x³ with a derivative of 1.001 · 3x²: as a wrong rule would give it.
    fn wrong<'g>(x: &[Var<'g>]) -> Var<'g> {
        let (x, still) = (x[0], x[0].stop_gradient());
        still.powi(3) + 1.001 * (x.powi(3) - still.powi(3))
    }
    // And with a second derivative that is off by as much, where the first is right.
    fn curved<'g>(x: &[Var<'g>]) -> Var<'g> {
        let (x, still) = (x[0], x[0].stop_gradient());
        let off = x - still;
        x.powi(3) + 0.003 * still * off.square()
    }
    for formula in [&wrong as Formula<'_>, &curved as Formula<'_>] {
        let check = || {
            let draw = || vec![Laid::new(array![0.7, 1.2, -0.9].into_dyn(), Lie::C)];
            check_derivatives("wrong", Slope::Some, draw, formula);
        };
        let refused = panicked(check).text;
        assert!(refused.contains("derivative"), "{refused}");
    }
}

#[test]
fn binary_operations() {
    let mut rng = Rng(3);
    for &op in Binary::ALL {
        let domain = Op::Binary(op).record().unwrap().domain;
        for (left, right) in PAIRS {
            for &(a, b) in LIES {
                let draw = || loop {
                    let mut draw = |shape| rng.array(shape, domain.low + MARGIN, domain.high - MARGIN);
                    let x = vec![Laid::new(draw(left), a), Laid::new(draw(right), b)];
                    let apart = &x[0].view() - &x[1].view();
                    // Both operands move, so they have to be twice as far apart.
                    let near = |d: &f64| domain.kinks.iter().any(|kink| (d - kink).abs() < 2.0 * MARGIN);
                    if !apart.iter().any(near) {
                        break x;
                    }
                };
                check_derivatives(&format!("{op:?}"), Slope::Some, draw, &|x| binary(op, x[0], x[1]));
            }
        }
    }
}

#[test]
fn the_same_variable_on_both_sides() {
    let mut rng = Rng(4);
    for &op in Binary::ALL {
        let domain = Op::Binary(op).record().unwrap().domain;
        if domain.kinks.contains(&0.0) {
            continue; // a tie everywhere: among the kinks
        }
        let draw = || vec![Laid::new(rng.sample(&[2, 3], domain), Lie::Transposed)];
        // x op x is constant for some; x op 2x is for none.
        check_derivatives(&format!("x {op:?} x"), Slope::Some, draw, &|x| {
            binary(op, x[0], x[0]) + binary(op, x[0].square(), x[0])
        });
    }
}

/// Every list of axes of an array with `rank` axes that is worth a test.
fn axes(rank: i32) -> Vec<Axes> {
    let mut lists = vec![Axes::ALL, Axes::none()];
    lists.extend((-rank..rank).map(Axes::from));
    for first in 0..rank {
        lists.extend(
            (0..rank).filter(|&second| second != first).map(|second| Axes::from([first, second - rank])),
        );
    }
    lists
}

#[test]
fn reductions() {
    let mut rng = Rng(5);
    for &fold in Fold::ALL {
        if matches!(fold, Fold::ArgMax | Fold::Size) {
            continue; // no derivative: among the values and the errors
        }
        for shape in [&[][..], &[1], &[5], &[3, 4], &[1, 4], &[2, 3, 4], &[3, 1, 2]] {
            for axes in axes(shape.len() as i32) {
                for keepdims in [false, true] {
                    for lie in Lie::ALL {
                        if lie == Lie::Broadcast && matches!(fold, Fold::Max | Fold::Min) {
                            continue; // ties everywhere
                        }
                        let op = Op::Reduce(Reduce { fold, axes: axes.clone(), keepdims });
                        let label = format!("{op:?}");
                        // The norm of a single number has a kink at 0.
                        let gap = if fold == Fold::Norm { 0.3 } else { 0.0 };
                        let away = |x: f64| x + gap * x.signum();
                        let draw = || vec![Laid::new(rng.distinct(shape).mapv(away), lie)];
                        check_derivatives(&label, Slope::Some, draw, &|x| {
                            x[0].graph().apply(op.clone(), &[x[0].erase()]).unwrap().typed().unwrap()
                        });
                    }
                }
            }
        }
    }
}

#[test]
fn reductions_of_nothing() {
    for shape in [&[0][..], &[2, 0], &[0, 3], &[2, 0, 3]] {
        for axes in axes(shape.len() as i32) {
            for keepdims in [false, true] {
                let op = Op::Reduce(Reduce { fold: Fold::Sum, axes: axes.clone(), keepdims });
                let draw = || vec![Laid::new(ArrayD::zeros(shape), Lie::C)];
                check_derivatives(&format!("{op:?}"), Slope::Some, draw, &|x| {
                    x[0].graph().apply(op.clone(), &[x[0].erase()]).unwrap().typed().unwrap()
                });
            }
        }
    }
}

type Row<'a> = (&'a str, &'a [&'a [usize]], Formula<'a>);

fn check_rows(seed: u64, rows: &[Row<'_>]) {
    let mut rng = Rng(seed);
    for (label, shapes, formula) in rows {
        for lie in Lie::ALL {
            let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            check_derivatives(label, Slope::Some, draw, *formula);
        }
    }
}

#[test]
fn arrangements() {
    let rows: &[Row<'_>] = &[
        ("t", &[&[]], &|x| x[0].t()),
        ("t", &[&[4]], &|x| x[0].t()),
        ("t", &[&[2, 3]], &|x| x[0].t()),
        ("t", &[&[2, 3, 4]], &|x| x[0].t()),
        ("transpose [2, 0, 1]", &[&[2, 3, 4]], &|x| x[0].transpose([2, 0, 1])),
        ("transpose [-2, 0, -1]", &[&[2, 3, 4]], &|x| x[0].transpose([-2, 0, -1])),
        ("transpose twice", &[&[2, 3, 4]], &|x| x[0].transpose([1, 2, 0]).square().transpose([1, 0, 2])),
        ("reshape", &[&[2, 6]], &|x| x[0].reshape([3, 4])),
        ("reshape -1", &[&[2, 3, 4]], &|x| x[0].reshape([4, -1])),
        ("reshape [-1]", &[&[2, 3]], &|x| x[0].reshape([-1])),
        ("reshape to a scalar", &[&[1, 1]], &|x| x[0].reshape([0_usize; 0])),
        ("reshape of a scalar", &[&[]], &|x| x[0].reshape([1, -1])),
        ("reshape of a transpose", &[&[2, 6]], &|x| x[0].t().reshape([3, 4])),
        ("reshape of nothing", &[&[0, 3]], &|x| x[0].reshape([5, 0])),
        ("reshape_like", &[&[2, 6], &[4, 3]], &|x| x[0].reshape_like(x[1]) * x[1]),
        ("expand_dims 0", &[&[2, 3]], &|x| x[0].expand_dims(0)),
        ("expand_dims 1", &[&[2, 3]], &|x| x[0].expand_dims(1)),
        ("expand_dims -1", &[&[2, 3]], &|x| x[0].expand_dims(-1)),
        ("expand_dims [0, 2, -1]", &[&[2, 3]], &|x| x[0].expand_dims([0, 2, -1])),
        ("expand_dims of a scalar", &[&[]], &|x| x[0].expand_dims([0, 1])),
        ("broadcast_to", &[&[2, 1]], &|x| x[0].broadcast_to([2, 5])),
        ("broadcast_to with new axes", &[&[3]], &|x| x[0].broadcast_to([4, 2, 3])),
        ("broadcast_to of a scalar", &[&[]], &|x| x[0].broadcast_to([2, 3])),
        ("broadcast_to itself", &[&[2, 3]], &|x| x[0].broadcast_to([2, 3])),
        ("broadcast_to nothing", &[&[1, 3]], &|x| x[0].broadcast_to([0, 3])),
        ("broadcast_like", &[&[2, 1], &[3, 2, 4]], &|x| x[0].broadcast_like(x[1]) * x[1]),
        ("broadcast_like itself", &[&[2, 3]], &|x| x[0].broadcast_like(x[0])),
        ("sum_like", &[&[3, 2, 4], &[2, 1]], &|x| x[0].sum_like(x[1]) * x[1]),
        ("sum_like a scalar", &[&[2, 3], &[]], &|x| x[0].sum_like(x[1]) * x[1]),
        ("sum_like itself", &[&[2, 3]], &|x| x[0].sum_like(x[0])),
        ("sum_like nothing", &[&[0, 3], &[3]], &|x| x[0].sum_like(x[1]) + x[1]),
    ];
    check_rows(6, rows);
}

#[test]
fn products() {
    let rows: &[Row<'_>] = &[
        ("() . ()", &[&[], &[]], &|x| x[0].dot(x[1])),
        ("() . (n)", &[&[], &[3]], &|x| x[0].dot(x[1])),
        ("(n) . ()", &[&[3], &[]], &|x| x[0].dot(x[1])),
        ("() . (m, n)", &[&[], &[2, 3]], &|x| x[0].dot(x[1])),
        ("(m, n) . ()", &[&[2, 3], &[]], &|x| x[0].dot(x[1])),
        ("(k) . (k)", &[&[4], &[4]], &|x| x[0].dot(x[1])),
        ("(k) . (k), long", &[&[37], &[37]], &|x| x[0].dot(x[1])),
        ("(m, k) . (k)", &[&[2, 4], &[4]], &|x| x[0].dot(x[1])),
        ("(k) . (k, n)", &[&[4], &[4, 3]], &|x| x[0].dot(x[1])),
        ("(m, k) . (k, n)", &[&[2, 4], &[4, 3]], &|x| x[0].dot(x[1])),
        ("(m, 1) . (1, n)", &[&[2, 1], &[1, 3]], &|x| x[0].dot(x[1])),
        ("(1, k) . (k, 1)", &[&[1, 4], &[4, 1]], &|x| x[0].dot(x[1])),
        ("(m, k) . (k, 1)", &[&[3, 4], &[4, 1]], &|x| x[0].dot(x[1])),
        ("(1, k) . (k, n)", &[&[1, 4], &[4, 3]], &|x| x[0].dot(x[1])),
        ("larger", &[&[9, 17], &[17, 8]], &|x| x[0].dot(x[1])),
        ("aT . b", &[&[4, 2], &[4, 3]], &|x| x[0].t().dot(x[1])),
        ("a . bT", &[&[2, 4], &[3, 4]], &|x| x[0].dot(x[1].t())),
        ("aT . bT", &[&[4, 2], &[3, 4]], &|x| x[0].t().dot(x[1].t())),
        ("a . aT", &[&[2, 4]], &|x| x[0].dot(x[0].t())),
        ("a . a", &[&[3, 3]], &|x| x[0].dot(x[0])),
        ("x . x", &[&[4]], &|x| x[0].dot(x[0])),
        ("x . a . x", &[&[3], &[3, 3]], &|x| x[0].dot(x[1]).dot(x[0])),
        ("no rows", &[&[0, 4], &[4, 3]], &|x| x[0].dot(x[1])),
        ("no inner size", &[&[2, 0], &[0, 3]], &|x| x[0].dot(x[1])),
        ("broadcast . dot", &[&[4], &[4, 3]], &|x| x[0].broadcast_to([2, 4]).dot(x[1])),
        ("a product of stretched results", &[&[2, 4], &[4]], &|x| (x[0].dot(x[1]) + x[0].t()).dot(x[0])),
    ];
    check_rows(7, rows);
}

#[test]
fn selections() {
    let mask = array![[true, false, true], [false, false, true]];
    let row = array![true, false, true];
    let one = arr0(true);
    let rows: &[Row<'_>] = &[
        ("both", &[&[2, 3], &[2, 3]], &|x| x[0].graph().constant(&mask).select(x[0], x[1])),
        ("a row", &[&[2, 3], &[3]], &|x| x[0].graph().constant(&mask).select(x[0], x[1])),
        ("a column and a scalar", &[&[2, 1], &[]], &|x| x[0].graph().constant(&mask).select(x[0], x[1])),
        ("a mask that stretches", &[&[2, 3], &[2, 1]], &|x| x[0].graph().constant(&row).select(x[0], x[1])),
        ("a mask of one", &[&[2, 3], &[2, 3]], &|x| x[0].graph().constant(&one).select(x[0], x[1])),
        ("numbers", &[&[2, 3]], &|x| {
            let mask = x[0].graph().constant(&mask);
            mask.select(x[0], 1.5) + mask.select(-2.0, x[0].square())
        }),
        ("by its own value", &[&[2, 3]], &|x| x[0].gt(0.0).select(x[0].square(), x[0].sin())),
    ];
    check_rows(8, rows);
}

#[test]
fn a_stopped_gradient_is_that_of_a_constant() {
    let mut rng = Rng(9);
    for shape in SHAPES {
        let values = rng.array(shape, -2.0, 2.0);
        let g = gradus::Graph::new();
        let x = g.input("x", &values);
        let stopped = (x.sin() * x.exp().stop_gradient()).sum().grad(x);
        let expected = values.mapv(f64::cos) * values.mapv(f64::exp);
        assert_close(&stopped.value().unwrap(), &expected, 1e-15);
        // d/dx of cos x · stop(eˣ) again.
        let expected = -values.mapv(f64::sin) * values.mapv(f64::exp);
        assert_close(&stopped.sum().grad(x).value().unwrap(), &expected, 1e-15);
    }
}

#[test]
fn a_cast_between_floats_carries_the_cotangent_back() {
    let g = gradus::Graph::new();
    let x = g.input("x", array![0.5, -1.25, 3.0]);
    let c = array![0.1_f32, 0.2, 0.3];
    let y = x.cast::<f32>();
    let down = (y * y * &c).sum().grad(y);
    let through = (y * y * &c).sum().cast::<f64>().grad(x);
    let expected: Vec<f32> = vec![2.0 * 0.5 * 0.1, 2.0 * -1.25 * 0.2, 2.0 * 3.0 * 0.3];
    for (i, &expected) in expected.iter().enumerate() {
        let (down, through) = (down.value().unwrap()[[i]], through.value().unwrap()[[i]]);
        assert!((down - expected).abs() <= 2e-7, "{down}, not {expected}");
        assert_eq!(through, f64::from(down));
    }
    let z = g.input("z", array![1.5_f32, -2.0]);
    let up = (z.cast::<f64>().powi(3)).sum().cast::<f32>().grad(z);
    assert_eq!(up.value().unwrap(), array![6.75_f32, 12.0].into_dyn());
}

#[test]
fn gradients_of_mixed_precision_have_their_operands_types() {
    let g = gradus::Graph::new();
    let (a, b) = (g.input("a", Array2::<f32>::ones((2, 3))), g.input("b", Array2::<f64>::ones((3, 1))));
    let cost = a.cast::<f64>().dot(b).square().sum();
    let (da, db) = cost.grad((a, b));
    assert_eq!(da.value().unwrap(), ArrayD::from_elem(IxDyn(&[2, 3]), 6.0_f32));
    assert_eq!(db.value().unwrap(), ArrayD::from_elem(IxDyn(&[3, 1]), 12.0_f64));
}
