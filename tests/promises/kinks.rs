//! Where there is no derivative, or no finite number: the conventions, NaN, branches not taken, saturation.

use gradus::{Float, Graph, Var};
use ndarray::{ArrayD, arr0, array};

use crate::support::assert_close;

/// The derivatives of `f` at `at`, from the value (order 0) up to `N - 1`.
fn orders<const N: usize>(at: f64, f: impl for<'g> Fn(Var<'g>) -> Var<'g>) -> [f64; N] {
    let g = Graph::new();
    let x = g.input("x", at);
    let mut y = f(x);
    std::array::from_fn(|_| {
        let value = y.item().unwrap();
        y = y.grad_or_zeros(x);
        value
    })
}

#[test]
fn elementwise_conventions() {
    assert_eq!(orders(0.0, |x| x.relu()), [0.0, 0.0, 0.0]);
    assert_eq!(orders(-0.0, |x| x.relu()), [0.0, 0.0, 0.0]);
    assert_eq!(orders(f64::MIN_POSITIVE, |x| x.relu()), [f64::MIN_POSITIVE, 1.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.abs()), [0.0, 0.0, 0.0]);
    assert_eq!(orders(-3.0, |x| x.abs()), [3.0, -1.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.leaky_relu(0.125)), [0.0, 0.125, 0.0]);
    assert_eq!(orders(2.0, |x| x.leaky_relu(0.125)), [2.0, 1.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.sign()), [0.0, 0.0]);
    assert_eq!(orders(-2.0, |x| x.sign()), [-1.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.sqrt()), [0.0, f64::INFINITY]);
    assert_eq!(orders(0.0, |x| x.ln()), [f64::NEG_INFINITY, f64::INFINITY]);
    assert_eq!(orders(0.0, |x| x.recip()), [f64::INFINITY, f64::NEG_INFINITY]);
}

#[test]
fn a_power_varies_with_an_exponent_of_zero() {
    // ∂²(aᵇ)/∂a∂b = aᵇ⁻¹ (1 + b ln a), which is 1/a at b = 0, in either order.
    let g = Graph::new();
    let (a, b) = (g.input("a", array![0.5, 2.0, 1.0]), g.input("b", array![0.0, 0.0, 0.0]));
    let [da, db] = a.pow(b).sum().grad([a, b]);
    assert_eq!(da.value().unwrap(), array![0.0, 0.0, 0.0].into_dyn());
    assert_eq!(da.sum().grad(b).value().unwrap(), array![2.0, 0.5, 1.0].into_dyn());
    assert_eq!(db.sum().grad(a).value().unwrap(), array![2.0, 0.5, 1.0].into_dyn());
    // a⁰ = 1 for every a, also where aᵇ⁻¹ is not finite.
    let (a, b) = (g.input("c", array![0.0, f64::NAN, f64::INFINITY]), g.input("d", array![0.0, 0.0, 0.0]));
    assert_eq!(a.pow(b).sum().grad(a).value().unwrap(), array![0.0, 0.0, 0.0].into_dyn());
}

#[test]
fn powers_at_zero() {
    // x⁰ = 1 everywhere, with derivative 0; every order of an integer power is a finite number.
    assert_eq!(orders(0.0, |x| x.powi(0)), [1.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powi(1)), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powi(2)), [0.0, 0.0, 2.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powi(3)), [0.0, 0.0, 0.0, 6.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powf(0.0)), [1.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powf(1.0)), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powf(2.0)), [0.0, 0.0, 2.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powf(3.0)), [0.0, 0.0, 0.0, 6.0, 0.0]);
    assert_eq!(orders(0.0, |x| x.powf(1.5)), [0.0, 0.0, f64::INFINITY]);
    assert_eq!(orders(0.0, |x| x.powf(0.5)), [0.0, f64::INFINITY]);
    // A negative base with a whole exponent is no reason for NaN.
    assert_eq!(orders(-2.0, |x| x.powf(3.0)), [-8.0, 12.0, -12.0, 6.0, 0.0]);
    assert_eq!(orders(-2.0, |x| x.powi(-1)), [-0.5, -0.25, -0.25]);
    assert_eq!(orders(1.0, |x| x.powi(i32::MIN)), [1.0, f64::from(i32::MIN)]);
    assert_eq!(orders(f64::NAN, |x| x.powi(0)), [1.0, 0.0]);
}

#[test]
fn a_shrunk_number_has_no_slope() {
    assert_eq!(orders(0.5, |x| x.hard_shrink(0.5)), [0.0, 0.0, 0.0]);
    assert_eq!(orders(-0.5, |x| x.hard_shrink(0.5)), [0.0, 0.0]);
    assert_eq!(orders(0.75, |x| x.hard_shrink(0.5)), [0.75, 1.0, 0.0]);
    assert_eq!(orders(-0.75, |x| x.hard_shrink(0.5)), [-0.75, 1.0, 0.0]);
    assert!(orders::<1>(f64::NAN, |x| x.hard_shrink(0.5))[0].is_nan());
}

#[test]
fn probabilities_of_nothing() {
    let least = f64::NEG_INFINITY;
    let g = Graph::new();
    let x = g.input("x", array![least, least]);
    let all_nan = |y: Var<'_>| y.value().unwrap().iter().all(|y| y.is_nan());
    for y in [x.softmax(0), x.log_softmax(0)] {
        assert!(all_nan(y) && all_nan((y * array![1.0, 2.0]).sum().grad(x)), "{y}");
    }
    assert_eq!(x.logsumexp().item().unwrap(), least);
    assert!(all_nan(x.logsumexp().grad(x)));
    x.set_value(array![f64::INFINITY, 0.0]).unwrap();
    assert!(all_nan(x.softmax(0)) && all_nan(x.log_softmax(0)));
    // Equal numbers have no spread; what is left is the root of eps.
    x.set_value(array![3.0, 3.0]).unwrap();
    let d = (x.layer_norm(0, 0.25) * array![1.0, 0.0]).sum().grad(x);
    assert_eq!(d.value().unwrap(), array![1.0, -1.0].into_dyn());
}

#[test]
fn ties_of_two_share() {
    let g = Graph::new();
    let (x, y) = (g.input("x", array![1.0, 2.0, 3.0]), g.input("y", array![2.0, 2.0, 2.0]));
    let c = array![3.0, 5.0, 7.0];
    let [dx, dy] = (x.maximum(y) * &c).sum().grad([x, y]);
    assert_eq!(dx.value().unwrap(), array![0.0, 2.5, 7.0].into_dyn());
    assert_eq!(dy.value().unwrap(), array![3.0, 2.5, 0.0].into_dyn());
    let [dx, dy] = (x.minimum(y) * &c).sum().grad([x, y]);
    assert_eq!(dx.value().unwrap(), array![3.0, 2.5, 0.0].into_dyn());
    assert_eq!(dy.value().unwrap(), array![0.0, 2.5, 7.0].into_dyn());
    // With itself it is a tie everywhere, and the halves add up.
    assert_eq!(x.maximum(x).sum().grad(x).value().unwrap(), array![1.0, 1.0, 1.0].into_dyn());
    // maximum(x, 0) is not relu.
    assert_eq!(orders(0.0, |x| x.maximum(0.0)), [0.0, 0.5, 0.0]);
    assert_eq!(orders(0.0, |x| x.maximum(0.0) + x.relu()), [0.0, 0.5]);
}

#[test]
fn ties_of_a_reduction_share_evenly() {
    let g = Graph::new();
    let x = g.input("x", array![[3.0, 1.0, 3.0], [2.0, 2.0, 2.0]]);
    let c = array![10.0, 6.0];
    let found = (x.max_axis(1) * &c).sum().grad(x);
    assert_eq!(found.value().unwrap(), array![[5.0, 0.0, 5.0], [2.0, 2.0, 2.0]].into_dyn());
    let found = (x.min_axis(1) * &c).sum().grad(x);
    assert_eq!(found.value().unwrap(), array![[0.0, 10.0, 0.0], [2.0, 2.0, 2.0]].into_dyn());
    let found = x.max().grad(x);
    assert_eq!(found.value().unwrap(), array![[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]].into_dyn());
    // The mass is 1 however the axes are written.
    for y in [x.max_axis([0, 1]), x.max_keepdims([1, 0]).sum(), x.max_axis(0).max(), x.max_axis(-1).max()] {
        assert_eq!(y.grad(x).value().unwrap().sum(), 1.0);
    }
    // Over no axis every element is its own maximum.
    let none = x.max_axis(gradus::Axes::none()).sum().grad(x);
    assert_eq!(none.value().unwrap(), ArrayD::ones(vec![2, 3]));
}

#[test]
fn nan_comes_through() {
    let g = Graph::new();
    let x = g.input("x", array![f64::NAN, 1.0]);
    let scalars: Vec<Var<'_>> = vec![
        x.sum(),
        x.mean(),
        x.max(),
        x.min(),
        x.dot(x),
        x.dot(array![1.0, 0.0]),
        x.dot(array![0.0, 1.0]),
        (x * 0.0).sum(),
        (x - x).sum(),
        (x / x).sum(),
        (0.0 * x + 1.0).sum(),
        x.sum_like(g.constant(0.0)),
    ];
    for y in scalars {
        assert!(y.item().unwrap().is_nan(), "{y}");
    }
    let arrays: Vec<Var<'_>> = vec![
        x.relu(),
        x.leaky_relu(0.1),
        x.abs(),
        x.sign(),
        x.sigmoid(),
        x.softplus(),
        x.tanh(),
        x.exp(),
        x.ln(),
        x.sqrt(),
        x.maximum(1.0),
        x.minimum(1.0),
        g.constant(1.0).maximum(x),
        g.constant(1.0).minimum(x),
        x.powi(2),
        x.square(),
        x.recip(),
        x.exp().ln(),
        (1.0 + x.exp()).ln(),
        x.sigmoid().ln(),
        1.0 - x.sigmoid(),
        x.exp() - 1.0,
        x + 0.0,
        x * 1.0,
        x.stop_gradient(),
        x.cast::<f32>().cast::<f64>(),
    ];
    for y in arrays {
        let value = y.value().unwrap();
        assert!(value[[0]].is_nan() && !value[[1]].is_nan(), "{y}: {value}");
    }
    // The gradient of a product with NaN is NaN, too.
    let y = g.input("y", array![2.0, 2.0]);
    assert!((x * y).sum().grad(y).value().unwrap()[[0]].is_nan());
    // inf - inf and 0 · inf are NaN, and no rewrite may call them 0.
    let infinite = g.input("infinite", f64::INFINITY);
    for y in [infinite - infinite, infinite * 0.0, infinite / infinite, 0.0 * infinite] {
        assert!(y.item().unwrap().is_nan(), "{y}");
    }
}

/// Gradients of `formula` at `at`, which have to be `expected`.
#[track_caller]
fn check_branch(at: &[f64], expected: &[f64], formula: impl for<'g> Fn(Var<'g>) -> Var<'g>) {
    let g = Graph::new();
    let x = g.input("x", ndarray::Array1::from(at.to_vec()));
    let cost = formula(x).sum();
    let (value, gradient) = (cost.item().unwrap(), cost.grad(x));
    assert!(value.is_finite(), "{cost}: {value}");
    let found = gradient.value().unwrap();
    let expected = ndarray::Array1::from(expected.to_vec()).into_dyn();
    assert!(found.iter().all(|d| d.is_finite()), "{cost}: {found} from {gradient}");
    assert_close(&found, &expected, 1e-15);
}

#[test]
fn a_branch_that_is_not_taken_leaves_no_trace() {
    check_branch(&[4.0, -1.0, 0.0], &[0.25, 0.0, 0.0], |x| x.gt(0.0).select(x.sqrt(), 0.0));
    check_branch(&[4.0, -1.0, 0.0], &[0.25, 0.0, 0.0], |x| x.le(0.0).select(0.0, x.sqrt()));
    check_branch(&[4.0, -1.0, 0.0], &[0.25, 1.0, 1.0], |x| x.gt(0.0).select(x.ln(), x));
    check_branch(&[4.0, 0.0], &[-0.0625, 0.0], |x| x.ne(0.0).select(1.0 / x, 0.0));
    check_branch(&[4.0, 0.0], &[-0.0625, 0.0], |x| x.ne(0.0).select(x.recip(), 0.0));
    check_branch(&[4.0, 0.0], &[-0.0625, 0.0], |x| x.ne(0.0).select(x.powi(-1), 0.0));
    check_branch(&[1.0, 1000.0], &[1_f64.exp(), 0.0], |x| x.lt(10.0).select(x.exp(), 0.0));
    check_branch(&[2.0, 0.0], &[0.0, 0.0], |x| x.ne(0.0).select(x / x, 1.0));
}

#[test]
fn a_chain_in_a_branch_that_is_not_taken() {
    check_branch(&[4.0, -1.0, 0.0], &[0.5, 0.0, 0.0], |x| x.gt(0.0).select(2.0 * x.sqrt(), 0.0));
    check_branch(&[4.0, 0.0], &[-0.25 / 2.0 / 4.0 / 1.0, 0.0], |x| {
        x.gt(0.0).select(1.0 / x.sqrt() * 0.5 * 4.0 / 2.0, 0.0) * 0.5
    });
    check_branch(&[4.0, -1.0], &[0.125 / 2.0, 0.0], |x| x.gt(0.0).select(x.sqrt().ln(), 0.0) * 0.5);
    check_branch(&[4.0, -1.0], &[-0.25, 0.0], |x| -x.gt(0.0).select(x.sqrt(), 0.0));
    check_branch(&[4.0, -1.0], &[0.5, 0.0], |x| x.gt(0.0).select(x.sqrt(), 0.0).square() * 0.5);
    check_branch(&[4.0, -1.0], &[0.25, 0.0], |x| x.gt(0.0).select(x.sqrt().maximum(0.5), 0.0));
    check_branch(&[4.0, -1.0], &[0.25, 0.0], |x| x.gt(0.0).select(x.sqrt().abs(), 0.0));
    check_branch(&[4.0, -1.0], &[0.25, 0.0], |x| x.gt(0.0).select(x.sqrt().relu(), 0.0));
    check_branch(&[1.0, -1.0], &[1.0, 0.0], |x| x.gt(0.0).select(x * x.ln(), 0.0));
    check_branch(&[1.0, 0.0], &[1.0, 0.0], |x| x.gt(0.0).select(x * x.ln(), 0.0));
}

#[test]
fn branches_that_stretch() {
    // A scalar that stretches into a branch: nothing of it is taken.
    let g = Graph::new();
    let (x, y) = (g.input("x", -1.0), g.input("y", array![1.0, 2.0, 3.0]));
    let none = g.constant(array![false, false, false]);
    let cost = none.select(x.sqrt(), y).sum();
    let (dx, dy) = cost.grad((x, y));
    assert_eq!((dx.item().unwrap(), dy.value().unwrap()), (0.0, array![1.0, 1.0, 1.0].into_dyn()));
    // A column that stretches along a row, taken at some places.
    let column = g.input("column", array![[4.0], [-1.0]]);
    let mask = g.constant(array![[true, false, true], [false, false, false]]);
    let cost = (mask.select(column.sqrt(), 1.0) * array![[1.0, 2.0, 4.0]]).sum();
    assert_eq!(cost.grad(column).value().unwrap(), array![[1.25], [0.0]].into_dyn());
    // A mask that stretches.
    let row = g.constant(array![[true], [false]]);
    let z = g.input("z", array![[4.0, 16.0], [-1.0, 0.0]]);
    let cost = row.select(z.sqrt(), z).sum();
    assert_eq!(cost.grad(z).value().unwrap(), array![[0.25, 0.125], [1.0, 1.0]].into_dyn());
}

#[test]
fn selections_within_selections() {
    // Inside both, in either arm, and with the inner one not taken where the outer is.
    check_branch(&[4.0, -1.0, 16.0], &[0.25, 0.0, 0.0], |x| {
        x.lt(10.0).select(x.gt(0.0).select(x.sqrt(), 0.0), 0.0)
    });
    check_branch(&[4.0, -1.0, 16.0], &[0.25, 0.0, 0.0], |x| {
        x.gt(0.0).select(x.lt(10.0).select(x.sqrt(), 0.0), 0.0)
    });
    check_branch(&[4.0, -1.0, 16.0], &[0.25, 1.0, 0.0], |x| {
        x.gt(10.0).select(0.0, x.gt(0.0).select(x.sqrt(), x))
    });
    check_branch(&[4.0, -1.0, 0.0], &[-0.25 * 0.25, 0.0, 0.0], |x| {
        x.gt(-5.0).select(x.gt(-3.0).select(x.gt(0.0).select(x.recip(), 0.0), 1.0), 2.0)
    });
    check_branch(&[4.0, -1.0, 16.0], &[0.5, 0.0, 0.0], |x| {
        x.lt(10.0).select(2.0 * x.gt(0.0).select(x.sqrt(), 0.0), 0.0)
    });
}

#[test]
fn two_selections_of_one_branch() {
    // The cotangent of √x is then a sum of two selections, of which each is zero where the mask is false.
    check_branch(&[4.0, -1.0], &[1.0, 0.0], |x| {
        let (mask, root) = (x.gt(0.0), x.sqrt());
        mask.select(root, 0.0) + mask.select(3.0 * root, 1.0)
    });
}

#[test]
fn branches_under_different_masks_share_an_operand() {
    check_branch(&[4.0, 16.0, -1.0], &[0.25, 0.5, 0.0], |x| {
        let root = x.sqrt();
        x.gt(0.0).select(root, 0.0) + x.gt(10.0).select(3.0 * root, 0.0) + x.lt(0.0).select(0.0, 0.0 * root)
    });
    check_branch(&[4.0, 16.0, -1.0], &[0.0, 0.125, 0.0], |x| {
        let root = x.sqrt();
        x.le(10.0).select(0.0, root.square() / root) + x.gt(0.0).select(root, 0.0)
            - x.gt(0.0).select(root, 0.0)
    });
}

#[test]
fn a_long_chain_of_kinks_has_a_gradient_as_long() {
    let nodes = |length: usize| {
        let g = Graph::new();
        let x = g.input("x", array![1.0, -1.0]);
        let y = (0..length).fold(x, |y, i| (y * (1.0 + i as f64 / 1e3)).relu() + y);
        let before = g.len();
        let gradient = y.sum().grad(x).value().unwrap();
        assert!(gradient[[0]] > 1.0 && gradient[[1]] == 1.0, "{gradient}");
        g.len() - before
    };
    let chain = |length: usize| {
        let g = Graph::new();
        let x = g.input("x", array![1.0, -1.0]);
        let y = (0..length).fold(x, |y, i| (y * (1.0 + i as f64 / 1e3)).leaky_relu(0.5).relu());
        let before = g.len();
        assert!(y.sum().grad(x).value().unwrap()[[0]] > 1.0);
        g.len() - before
    };
    for (what, grown) in [
        ("residual", nodes(200) as f64 / nodes(100) as f64),
        ("chain", chain(200) as f64 / chain(100) as f64),
    ] {
        assert!(grown < 2.2, "{what}: twice the formula has a gradient {grown} times as long");
    }
}

#[test]
fn the_second_derivative_of_a_selection() {
    let g = Graph::new();
    let x = g.input("x", array![4.0, -1.0, 0.0]);
    let first = x.gt(0.0).select(x.sqrt(), x.square()).sum().grad(x);
    let second = first.sum().grad(x);
    assert_eq!(first.value().unwrap(), array![0.25, -2.0, 0.0].into_dyn());
    assert_eq!(second.value().unwrap(), array![-0.03125, 2.0, 2.0].into_dyn());
}

/// The textbook's cost of one example.
fn cross_entropy<'g, T: Float>(y: Var<'g, T>, a: Var<'g, T>) -> Var<'g, T> {
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
}

/// `ln(1 + eˣ)`, for a reference.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(z: f64) -> f64 {
    if z < 0.0 { z.exp() / (1.0 + z.exp()) } else { 1.0 / (1.0 + (-z).exp()) }
}

/// The textbook's cost at `z` and `y`, its gradients and its second derivative, in whatever spelling of σ.
fn check_cross_entropy<T: Float + PartialOrd>(
    spelling: &str,
    unit: f64,
    sigma: impl for<'g> Fn(Var<'g, T>) -> Var<'g, T>,
) {
    for z in [0.0, 1.0, -2.5, 40.0, -40.0, 90.0, -90.0, 1000.0, -1000.0] {
        for y in [0.0, 1.0, 0.3] {
            let g = Graph::new();
            let (zs, ys) = (g.input("z", arr0(T::from_f64(z))), g.input("y", arr0(T::from_f64(y))));
            let y = ys.item().unwrap().to_f64();
            let cost = cross_entropy(ys, sigma(zs));
            let [dz, dy] = cost.grad([zs, ys]);
            let mut program = g.compile([cost, dz, dy, dz.grad(zs)], ()).unwrap();
            let found = program.run().unwrap().map(|value| value[[]].to_f64());
            let expected =
                [y * softplus(-z) + (1.0 - y) * softplus(z), sigmoid(z) - y, -z, sigmoid(z) * sigmoid(-z)];
            for ((found, expected), what) in found.into_iter().zip(expected).zip(["cost", "dz", "dy", "d²z"])
            {
                let error = (found - expected).abs();
                assert!(
                    error <= 8.0 * unit * expected.abs().max(1.0),
                    "{spelling}, z = {z}, y = {y}: {what} = {found}, not {expected}"
                );
            }
            // The tail of the cost is not lost: where the example is right, the cost is e^-|z|.
            if (y == 1.0 && z > 0.0) || (y == 0.0 && z < 0.0) {
                let tail = softplus(-z.abs());
                let tail = T::from_f64(tail).to_f64();
                let error = (found[0] - tail).abs();
                assert!(
                    error <= 1e3 * unit * tail,
                    "{spelling}, z = {z}, y = {y}: cost = {:e}, not {tail:e}",
                    found[0]
                );
            }
            // With a soft target (1 - y)/2 - y/2 is rounded once more.
            if z == 0.0 && (y == 0.0 || y == 1.0) {
                assert_eq!(found[1], 0.5 - y, "{spelling}: exactly");
            }
        }
    }
}

#[test]
fn the_textbook_cost_has_the_right_value_and_gradient() {
    check_cross_entropy::<f64>("z.sigmoid()", f64::EPSILON, |z| z.sigmoid());
    check_cross_entropy::<f32>("z.sigmoid()", f32::EPSILON.into(), |z| z.sigmoid());
}

fn by_recip<T: Float>(z: Var<'_, T>) -> Var<'_, T> {
    (1.0 + (-z).exp()).recip()
}

#[test]
fn the_sigmoid_may_be_spelled_by_hand() {
    check_cross_entropy::<f64>("1 / (1 + e^-z)", f64::EPSILON, |z| 1.0 / (1.0 + (-z).exp()));
    check_cross_entropy::<f64>("1 / (e^-z + 1)", f64::EPSILON, |z| 1.0 / ((-z).exp() + 1.0));
    check_cross_entropy::<f64>("(1 + e^-z).recip()", f64::EPSILON, by_recip);
    check_cross_entropy::<f32>("(1 + e^-z).recip()", f32::EPSILON.into(), by_recip);
    check_cross_entropy::<f64>("e^z / (1 + e^z)", f64::EPSILON, |z| z.exp() / (1.0 + z.exp()));
    check_cross_entropy::<f64>("e^z / (e^z + 1)", f64::EPSILON, |z| z.exp() / (z.exp() + 1.0));
}

#[test]
fn formulas_that_saturate_as_written() {
    type Row = (&'static str, fn(Var<'_>) -> Var<'_>, fn(f64) -> f64, fn(f64) -> f64);
    let rows: &[Row] = &[
        ("ln(1 + e^z)", |z| (1.0 + z.exp()).ln(), softplus, sigmoid),
        ("ln(e^z + 1)", |z| (z.exp() + 1.0).ln(), softplus, sigmoid),
        ("ln_1p(e^z)", |z| z.exp().ln_1p(), softplus, sigmoid),
        ("ln(σ(z))", |z| z.sigmoid().ln(), |z| -softplus(-z), |z| sigmoid(-z)),
        ("ln(1 - σ(z))", |z| (1.0 - z.sigmoid()).ln(), |z| -softplus(z), |z| -sigmoid(z)),
        ("ln(1 / (1 + e^-z))", |z| (1.0 / (1.0 + (-z).exp())).ln(), |z| -softplus(-z), |z| sigmoid(-z)),
        ("ln(e^z)", |z| z.exp().ln(), |z| z, |_| 1.0),
        ("1 - σ(z)", |z| 1.0 - z.sigmoid(), |z| sigmoid(-z), |z| -sigmoid(z) * sigmoid(-z)),
        ("1 - (1 - σ(z))", |z| 1.0 - (1.0 - z.sigmoid()), sigmoid, |z| sigmoid(z) * sigmoid(-z)),
    ];
    for (name, formula, value, slope) in rows {
        for z in [0.0, 1.0, -1.0, 36.0, -36.0, 100.0, -100.0, 700.0, -700.0, 1000.0, -1000.0] {
            let g = Graph::new();
            let x = g.input("z", z);
            let y = formula(x);
            let (found, d) = (y.item().unwrap(), y.grad(x).item().unwrap());
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs() + f64::MIN_POSITIVE;
            assert!(close(found, value(z)), "{name} at {z}: {found:e}, not {:e}", value(z));
            assert!(close(d, slope(z)), "d {name} at {z}: {d:e}, not {:e}", slope(z));
        }
    }
    // Near zero: where 1 + x would forget x.
    for x in [1e-17, -1e-17, 1e-9] {
        let g = Graph::new();
        let v = g.input("x", x);
        for (y, expected) in
            [((1.0 + v).ln(), x.ln_1p()), ((1.0 - v).ln(), (-x).ln_1p()), (v.exp() - 1.0, x.exp_m1())]
        {
            let found = y.item().unwrap();
            assert!((found / expected - 1.0).abs() < 1e-15, "{y} at {x}: {found}");
        }
    }
}

#[test]
fn products_at_zeros_are_polynomials() {
    // x³ in one product, and x² (2x) = 2x³ as the last of the running ones.
    assert_eq!(orders(0.0, |x| (x * array![1.0, 1.0, 1.0]).prod()), [0.0, 0.0, 0.0, 6.0, 0.0]);
    assert_eq!(orders(0.0, |x| (x * array![1.0, 1.0, 2.0]).cumprod(0).sum()), [0.0, 1.0, 2.0, 12.0, 0.0]);
    assert_eq!(orders(0.0, |x| (x * array![1.0, 0.0, 2.0]).prod()), [0.0, 0.0, 0.0, 0.0]);
    assert_eq!(orders(-2.0, |x| (x * array![1.0, 0.5]).cumprod_reverse(0).sum()), [1.0, -1.5, 1.0, 0.0]);
}

#[test]
fn equal_elements_in_order() {
    let g = Graph::new();
    let (x, c) = (g.input("x", array![2.0, 2.0]), array![1.0, 10.0]);
    let slopes =
        |y: Var<'_>| (y * &c).sum().grad(g.find("x").unwrap().typed::<f64>().unwrap()).value().unwrap();
    assert_eq!(slopes(x.sort(0)), c.clone().into_dyn());
    assert_eq!(slopes(x.sort_descending(0)), c.clone().into_dyn());
    assert_eq!(slopes(x.topk(0, 2).0), c.clone().into_dyn());
    // The last update stands, and it alone has a derivative.
    let set = (g.input("z", array![0.0]).scatter_set(0, [0, 0], x) * 3.0).sum();
    assert_eq!(set.grad(x).value().unwrap(), array![0.0, 3.0].into_dyn());
}
