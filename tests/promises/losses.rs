//! Losses: against JAX in every reduction, at saturation, mistakes.

use gradus::nn::{self, Reduction};
use gradus::{Float, Graph, Var};
use ndarray::{Array2, arr0, array};

use crate::support::{Formula, Referred, assert_close, check_references, panicked};

const INF: f64 = f64::INFINITY;

#[test]
fn losses_are_jaxs() {
    for (name, r) in [("mean", Reduction::Mean), ("sum", Reduction::Sum), ("none", Reduction::None)] {
        let two: &[&[usize]] = &[&[3, 4], &[3, 4]];
        let labels = array![2_i64, 0, 3];
        let many = array![[2_i64, 0, 3, 1], [1, 1, 0, 2]];
        let rows: &[(&str, &[&[usize]], Formula<'_>)] = &[
            ("mse", two, &|x| nn::mse(x[0], x[1], r)),
            ("l1", two, &|x| nn::l1(x[0], x[1], r)),
            ("huber", two, &|x| nn::huber(x[0], x[1], 0.7, r)),
            ("smooth_l1", two, &|x| nn::smooth_l1(x[0], x[1], 0.4, r)),
            ("hinge", two, &|x| nn::hinge(x[0], x[1], r)),
            ("squared_hinge", two, &|x| nn::squared_hinge(x[0], x[1], r)),
            ("bce", two, &|x| nn::bce(x[0].sigmoid(), x[1].sigmoid(), r)),
            ("bce of probabilities", two, &|x| nn::bce(0.5 + 0.2 * x[0], x[1], r)),
            ("bce_with_logits", two, &|x| nn::bce_with_logits(x[0], x[1], r)),
            ("kl_div", two, &|x| nn::kl_div(x[0], x[1], r)),
            ("nll", &[&[3, 4]], &|x| nn::nll(x[0], &labels, -1, r)),
            ("cross_entropy", &[&[3, 4]], &|x| nn::cross_entropy(x[0], &labels, -1, r)),
            ("cross_entropy along 0", &[&[4, 3]], &|x| nn::cross_entropy(x[0], &labels, 0, r)),
            ("cross_entropy along 1", &[&[2, 5, 4]], &|x| nn::cross_entropy(x[0], &many, 1, r)),
            ("cross_entropy smoothed", &[&[3, 4]], &|x| nn::cross_entropy_smoothed(x[0], &labels, 1, 0.1, r)),
            ("soft_cross_entropy", two, &|x| nn::soft_cross_entropy(x[0], x[1].softmax(0), 0, r)),
        ];
        for &(label, shapes, formula) in rows {
            let label = format!("{label} {name}");
            let row: Referred<'_> = (&label, shapes, formula);
            check_references(82, &[row]);
        }
    }
}

/// A loss of two numbers, its derivatives and its second derivatives: value, dx, dt, dxx, dxt, dtt.
fn orders(x: f64, t: f64, loss: impl for<'g> Fn(Var<'g>, Var<'g>) -> Var<'g>) -> [f64; 6] {
    let g = Graph::new();
    let (x, t) = (g.input("x", x), g.input("t", t));
    let y = loss(x, t);
    let [dx, dt] = y.grad([x, t]);
    let [dxx, dxt] = dx.grad_or_zeros([x, t]);
    let dtt = dt.grad_or_zeros(t);
    [y, dx, dt, dxx, dxt, dtt].map(|e| e.item().unwrap())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(z: f64) -> f64 {
    if z < 0.0 { z.exp() / (1.0 + z.exp()) } else { 1.0 / (1.0 + (-z).exp()) }
}

#[track_caller]
fn assert_orders(what: &str, found: [f64; 6], expected: [f64; 6]) {
    for (order, (found, expected)) in found.into_iter().zip(expected).enumerate() {
        let same = found == expected || (found - expected).abs() <= 4e-15 * expected.abs().max(1.0);
        assert!(same, "{what}: number {order} is {found}, not {expected}");
    }
}

#[test]
fn binary_cross_entropy_of_logits_of_any_size() {
    for z in [0.0, 0.5, -3.0, 40.0, -40.0, 800.0, -800.0, 1000.0, -1000.0] {
        for t in [0.0, 1.0, 0.25] {
            let expected = [
                t * softplus(-z) + (1.0 - t) * softplus(z),
                sigmoid(z) - t,
                -z,
                sigmoid(z) * sigmoid(-z),
                -1.0,
                0.0,
            ];
            let of_logits = orders(z, t, |z, t| nn::bce_with_logits(z, t, Reduction::Mean));
            assert_orders(&format!("logit {z}, target {t}"), of_logits, expected);
            let through = orders(z, t, |z, t| nn::bce(z.sigmoid(), t, Reduction::Sum));
            assert_orders(&format!("σ of {z}, target {t}"), through, expected);
        }
    }
}

#[test]
fn binary_cross_entropy_of_probabilities() {
    let bce = |a, t| orders(a, t, |a, t| nn::bce(a, t, Reduction::Mean));
    // Certain and right: only another target would be infinitely wrong.
    assert_eq!(bce(0.0, 0.0)[..4], [0.0, 1.0, INF, 1.0]);
    assert_eq!(bce(1.0, 1.0)[..4], [0.0, -1.0, -INF, 1.0]);
    // Certain and wrong.
    assert_eq!(bce(0.0, 1.0)[..2], [INF, -INF]);
    assert_eq!(bce(1.0, 0.0)[..2], [INF, INF]);
    // With respect to the target where only that is 0 or 1.
    for (a, t) in [(0.3, 0.0), (0.3, 1.0), (0.3, 0.6)] {
        let (ln, other) = (f64::ln(a), f64::ln_1p(-a));
        let expected = [
            -(t * ln + (1.0 - t) * other),
            (a - t) / (a * (1.0 - a)),
            other - ln,
            t / (a * a) + (1.0 - t) / ((1.0 - a) * (1.0 - a)),
            -1.0 / a - 1.0 / (1.0 - a),
            0.0,
        ];
        assert_orders(&format!("probability {a}, target {t}"), bce(a, t), expected);
    }
    assert!(bce(f64::NAN, 0.0)[0].is_nan() && bce(-0.5, 1.0)[0].is_nan());
}

#[test]
fn kinks_of_losses() {
    let r = Reduction::Mean;
    assert_eq!(orders(2.0, 2.0, |x, t| nn::l1(x, t, r)), [0.0; 6]);
    assert_eq!(orders(2.0, 2.0, |x, t| nn::mse(x, t, r)), [0.0, 0.0, 0.0, 2.0, -2.0, 2.0]);
    assert_eq!(orders(0.0, 0.0, |x, t| nn::huber(x, t, 1.0, r)), [0.0, 0.0, 0.0, 1.0, -1.0, 1.0]);
    assert_eq!(orders(1.5, 1.0, |x, t| nn::huber(x, t, 0.5, r)), [0.125, 0.5, -0.5, 1.0, -1.0, 1.0]);
    assert_eq!(orders(1e200, 0.0, |x, t| nn::huber(x, t, 0.5, r)), [5e199, 0.5, -0.5, 0.0, 0.0, 0.0]);
    assert_eq!(orders(-INF, 0.0, |x, t| nn::huber(x, t, 2.0, r))[..2], [INF, -2.0]);
    assert_eq!(orders(-3.0, 0.0, |x, t| nn::smooth_l1(x, t, 0.0, r)), [3.0, -1.0, 1.0, 0.0, 0.0, 0.0]);
    // On the margin half of it, as `maximum`; beyond it nothing.
    assert_eq!(orders(0.5, 2.0, |x, t| nn::hinge(x, t, r))[..3], [0.0, -1.0, -0.25]);
    assert_eq!(orders(0.5, 2.0, |x, t| nn::squared_hinge(x, t, r))[..3], [0.0, 0.0, 0.0]);
    assert_eq!(orders(3.0, 1.0, |x, t| nn::hinge(x, t, r)), [0.0; 6]);
    // An impossible class costs nothing where it is not predicted either.
    let kl = |x, t| orders(x, t, |x, t| nn::kl_div(x, t, r));
    assert_eq!(kl(-1.0, -INF), [0.0; 6]);
    assert_eq!(kl(-INF, -INF), [0.0; 6]);
    assert_eq!(kl(-INF, 0.0)[0], INF);
    assert_eq!(kl(-1000.0, 0.0)[..3], [1000.0, -1.0, 1001.0]);
}

#[test]
fn classes_of_logits_of_any_size() {
    let g = Graph::new();
    let x = g.input("x", array![[1000.0, -1000.0], [-1000.0, 1000.0]]);
    let each = nn::cross_entropy(x, array![1_i64, 1], -1, Reduction::None);
    assert_eq!(each.value().unwrap(), array![2000.0, 0.0].into_dyn());
    assert_eq!(each.sum().grad(x).value().unwrap(), array![[1.0, -1.0], [0.0, 0.0]].into_dyn());
    let smoothed = nn::cross_entropy_smoothed(x, array![0_i64, 1], 1, 0.5, Reduction::Sum);
    assert_eq!(smoothed.item().unwrap(), 1000.0);
    assert_eq!(smoothed.grad(x).value().unwrap(), array![[0.25, -0.25], [-0.25, 0.25]].into_dyn());
    let t = g.input("t", array![[0.0, 1.0], [0.0, 1.0]]);
    let soft = nn::soft_cross_entropy(x, t, 1, Reduction::Mean);
    assert_eq!(soft.item().unwrap(), 1000.0);
    assert_eq!(soft.grad(t).value().unwrap(), array![[0.0, 1000.0], [1000.0, 0.0]].into_dyn());
    // A masked logit whose target is 0.
    let x = g.input("masked", array![[0.0, -INF]]);
    let soft = nn::soft_cross_entropy(x, array![[1.0, 0.0]], 1, Reduction::Mean);
    assert_eq!(soft.item().unwrap(), 0.0);
    assert_eq!(soft.grad(x).value().unwrap(), array![[0.0, 0.0]].into_dyn());
    let error = nn::nll(x, array![2_i64], 1, Reduction::Mean).item().unwrap_err().to_string();
    assert!(error.starts_with("index 2 is out of range for axis 1 of size 2"), "{error}");
    let error = nn::cross_entropy(x.t(), array![-1_i64], 0, Reduction::Mean).item().unwrap_err().to_string();
    assert!(error.starts_with("index -1 is out of range for axis 1 of size 2"), "{error}");
}

fn check_single<T: Float>(tolerance: f64) {
    let g = Graph::new();
    let x = g.input("x", array![0.5, -2.0, 90.0].mapv(T::from_f64));
    let t = g.input("t", array![1.0, 0.0, 1.0].mapv(T::from_f64));
    let r = Reduction::Sum;
    for (loss, expected) in [
        (nn::mse(x, t, r), 0.25 + 4.0 + 7921.0),
        (nn::bce_with_logits(x, t, r), softplus(-0.5) + softplus(-2.0)),
        (nn::bce(x.sigmoid(), t, r), softplus(-0.5) + softplus(-2.0)),
        (nn::huber(x, t, 1.0, r), 0.125 + 1.5 + 88.5),
        (nn::squared_hinge(x, t, r), 0.25 + 1.0),
    ] {
        let found = loss.item().unwrap().to_f64();
        assert!((found - expected).abs() <= tolerance * expected, "{loss}: {found}, not {expected}");
    }
}

#[test]
fn of_either_float() {
    check_single::<f64>(1e-15);
    check_single::<f32>(1e-6);
}

#[test]
fn batches_of_any_size() {
    let g = Graph::new();
    let (z, t) = (g.placeholder::<f64>("z", [2, 3]), g.placeholder::<f64>("t", [2, 3]));
    let classes = g.placeholder::<i64>("classes", [3]);
    let cost = nn::bce_with_logits(z, t, Reduction::Mean)
        + nn::cross_entropy(z, classes, 0, Reduction::Mean)
        + nn::kl_div(z, t, Reduction::Mean);
    let mut program = g.compile((cost, cost.grad(z)), ()).unwrap();
    for n in [1, 4] {
        let zeros = Array2::zeros((2, n));
        let none = ndarray::Array1::zeros(n);
        let feeds = [z.feed(&zeros), t.feed(&zeros), classes.feed(&none)];
        let (cost, d) = program.run_with(&feeds).unwrap();
        assert!((cost[[]] - 2.0 * 2_f64.ln()).abs() < 1e-15);
        assert_close(
            &d.sum_axis(ndarray::Axis(0)),
            &arr0(0.5 / n as f64 - 1.0 / n as f64).broadcast(n).unwrap().to_owned().into_dyn(),
            1e-15,
        );
    }
}

#[test]
fn targets_of_another_shape() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 1]);
    let t = g.placeholder::<f64>("t", [3]);
    let r = Reduction::Mean;
    let losses: [(&str, &dyn Fn() -> _); 10] = [
        ("mse", &|| nn::mse(x, t, r)),
        ("l1", &|| nn::l1(x, t, r)),
        ("huber", &|| nn::huber(x, t, 1.0, r)),
        ("smooth_l1", &|| nn::smooth_l1(x, t, 1.0, r)),
        ("hinge", &|| nn::hinge(x, t, r)),
        ("squared_hinge", &|| nn::squared_hinge(x, t, r)),
        ("bce", &|| nn::bce(x, t, r)),
        ("bce_with_logits", &|| nn::bce_with_logits(x, t, r)),
        ("kl_div", &|| nn::kl_div(x, t, r)),
        ("soft_cross_entropy", &|| nn::soft_cross_entropy(x, t, 0, r)),
    ];
    for (name, loss) in losses {
        let panic = panicked(loss);
        let text =
            format!("`{name}` requires a target of shape (3, 1), got (3,)\n  first:  `x` (3, 1) from ");
        assert!(panic.text.starts_with(&text), "{}", panic.text);
        assert!(panic.file.ends_with("losses.rs"));
    }
    let panic = panicked(|| nn::cross_entropy(x, 0_i64, 2, r));
    assert_eq!((panic.line, panic.file.as_str()), (line!() - 1, file!()));
    let text = "`cross_entropy` got axis 2 of an array with 2 axes";
    assert!(panic.text.starts_with(text), "{}", panic.text);
    let text = panicked(|| nn::nll(x, array![0_i64], 1, r)).text;
    let expected = "`pick` requires indices of shape (3,), which the operand has without axis 1, got (1,)";
    assert!(text.starts_with(expected), "{text}");
}
