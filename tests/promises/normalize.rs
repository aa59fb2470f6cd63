//! Softmax and its relatives: values at every size of number, derivatives over axes and strides, spellings by hand.

use gradus::{Float, Graph, Var};
use ndarray::{Array2, ArrayD, array};

use crate::support::{Formula, Laid, Lie, Rng, Slope, assert_close, check_derivatives, panicked};

const INF: f64 = f64::INFINITY;

/// Softmax of one line, as a reader would do it.
fn plain_softmax(line: &[f64]) -> Vec<f64> {
    let top = line.iter().copied().fold(-INF, f64::max);
    let exp: Vec<f64> = line.iter().map(|x| (x - top).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.iter().map(|e| e / sum).collect()
}

fn value(line: &[f64], formula: impl for<'h> Fn(Var<'h>) -> Var<'h>) -> Vec<f64> {
    let g = Graph::new();
    let x = g.input("x", ndarray::Array1::from(line.to_vec()));
    formula(x).value().unwrap().into_raw_vec_and_offset().0
}

#[test]
fn derivatives_over_every_axis() {
    let rows: &[(&str, &[usize], Formula<'_>)] = &[
        ("softmax of a vector", &[5], &|x| x[0].softmax(0)),
        ("softmax 0", &[3, 4], &|x| x[0].softmax(0)),
        ("softmax -1", &[3, 4], &|x| x[0].softmax(-1)),
        ("softmax [0, 2]", &[2, 3, 2], &|x| x[0].softmax([0, 2])),
        ("softmax of no axis", &[3], &|x| x[0].softmax(gradus::Axes::none()) * x[0]),
        ("softmax of no rows", &[0, 3], &|x| x[0].softmax(1)),
        ("log_softmax of a vector", &[5], &|x| x[0].log_softmax(0)),
        ("log_softmax 0", &[3, 4], &|x| x[0].log_softmax(0)),
        ("log_softmax 1", &[3, 4], &|x| x[0].log_softmax(1)),
        ("log_softmax [1, 2]", &[2, 3, 2], &|x| x[0].log_softmax([1, 2])),
        ("layer_norm", &[3, 4], &|x| x[0].layer_norm(-1, 1e-5)),
        ("layer_norm 0", &[5, 2], &|x| x[0].layer_norm(0, 0.1)),
        ("layer_norm [1, 2]", &[2, 3, 2], &|x| x[0].layer_norm([1, 2], 1e-3)),
        ("logsumexp twice", &[2, 3, 4], &|x| x[0].logsumexp_axis(1).logsumexp_axis(-1)),
        ("gelu", &[3, 4], &|x| x[0].gelu()),
        ("gelu_tanh", &[3, 4], &|x| x[0].gelu_tanh()),
        ("mse", &[3, 4], &|x| x[0].mse(x[0].sin())),
        ("cross_entropy", &[3, 4], &|x| x[0].cross_entropy(array![1_i64, 3, 0])),
        ("cross_entropy of one", &[4], &|x| x[0].cross_entropy(2_i64)),
        ("cross_entropy_each", &[2, 3, 4], &|x| x[0].cross_entropy_each(array![[1_i64, 3, 0], [2, 2, 1]])),
        ("cross_entropy_each of no rows", &[0, 4], &|x| {
            x[0].cross_entropy_each(ndarray::Array1::<i64>::zeros(0))
        }),
        ("a softmax of itself", &[3, 4], &|x| (x[0] + x[0].softmax(1).log_softmax(0)).softmax(0)),
    ];
    let mut rng = Rng(31);
    for &(label, shape, formula) in rows {
        for lie in Lie::ALL {
            // A stretched first axis makes lines of equal numbers, where a softmax over it is flat.
            if lie != Lie::Broadcast {
                check_derivatives(label, Slope::Some, || vec![Laid::new(rng.distinct(shape), lie)], formula);
            }
        }
    }
}

#[test]
fn softmax_of_numbers_of_any_size() {
    for line in
        [vec![1.0, 2.0, 3.0], vec![1000.0, 1001.0, 999.0], vec![-1000.0, 0.0, 1000.0], vec![-1e300, 1e300]]
    {
        let p = plain_softmax(&line);
        for (found, expected) in value(&line, |x| x.softmax(0)).iter().zip(&p) {
            assert!((found - expected).abs() <= 4e-16 * expected, "{line:?}: {found}, not {expected}");
        }
    }
    assert_eq!(value(&[0.0, 1000.0, -1000.0], |x| x.log_softmax(0)), [-1000.0, 0.0, -2000.0]);
    // The hand that does not shift overflows, and is rewritten.
    for by_hand in [
        value(&[1000.0, 1000.0], |x| x.exp() / x.exp().sum_keepdims(0)),
        value(&[1000.0, 1000.0], |x| {
            let e = (x - x.max_keepdims(0)).exp();
            e / e.sum_keepdims(0)
        }),
    ] {
        assert_eq!(by_hand, [0.5, 0.5]);
    }
}

#[test]
fn infinities_are_scipys_and_pytorchs() {
    let nan = |found: &[f64]| found.iter().all(|x| x.is_nan());
    // One that is impossible.
    assert_eq!(value(&[-INF, 0.0, 0.0], |x| x.softmax(0)), [0.0, 0.5, 0.5]);
    assert_eq!(value(&[-INF, 0.0], |x| x.log_softmax(0)), [-INF, 0.0]);
    assert_eq!(value(&[-INF, 0.0, 0.0], |x| x.logsumexp()), [2_f64.ln()]);
    // All of them.
    assert!(nan(&value(&[-INF, -INF], |x| x.softmax(0))));
    assert!(nan(&value(&[-INF, -INF], |x| x.log_softmax(0))));
    assert_eq!(value(&[-INF, -INF], |x| x.logsumexp()), [-INF]);
    // One that is certain.
    assert!(nan(&value(&[INF, INF], |x| x.softmax(0))));
    assert_eq!(value(&[INF, 0.0], |x| x.logsumexp()), [INF]);
    assert_eq!(value(&[INF, -INF], |x| x.logsumexp_keepdims(0)), [INF]);
    // NaN comes through.
    assert!(nan(&value(&[f64::NAN, 0.0], |x| x.softmax(0))));
    assert!(nan(&value(&[f64::NAN, INF], |x| x.logsumexp())));
    // The gradient of a masked softmax is finite.
    let g = Graph::new();
    let x = g.input("x", array![-INF, 0.0, 1.0]);
    let c = array![3.0, 2.0, 1.0];
    for y in [(x.softmax(0) * &c).sum(), x.logsumexp(), x.slice(0, 1..).log_softmax(0).sum()] {
        let d = y.grad(x).value().unwrap();
        assert!(d[[0]] == 0.0 && d.iter().all(|d| d.is_finite()), "{y}: {d}");
    }
}

fn check_logsumexp<T: Float>(large: f64) {
    let g = Graph::new();
    let numbers = array![large, large, -large].mapv(T::from_f64);
    let x = g.input("x", &numbers);
    let expected = T::from_f64(large + 2_f64.ln());
    let spellings: Vec<Var<'_, T>> = vec![
        x.logsumexp(),
        x.exp().sum().ln(),
        x.exp().sum_axis(0).ln(),
        x.logsumexp_keepdims(0).sum(),
        x.exp().sum_keepdims(0).ln().sum(),
        x.max() + (x - x.max_keepdims(0)).exp().sum().ln(),
    ];
    for y in spellings {
        let found = y.item().unwrap();
        assert!((found.to_f64() - expected.to_f64()).abs() < 1e-4, "{y}: {found}");
        let d = y.grad(x).value().unwrap();
        assert!((d[[0]].to_f64() - 0.5).abs() < 1e-6 && d[[2]].to_f64() == 0.0, "{y}: {d}");
    }
}

#[test]
fn the_logarithm_of_a_sum_of_exponentials() {
    check_logsumexp::<f64>(1000.0);
    check_logsumexp::<f32>(100.0);
}

#[test]
fn the_logarithm_of_a_softmax_is_rewritten() {
    let g = Graph::new();
    let x = g.input("x", array![[0.0, 1000.0], [-1000.0, 0.0]]);
    for y in [x.softmax(1).ln(), (x.exp() / x.exp().sum_keepdims(1)).ln()] {
        assert_eq!(y.value().unwrap(), array![[-1000.0, 0.0], [-1000.0, 0.0]].into_dyn(), "{y}");
        let d = y.slice(1, ..1).sum().grad(x).value().unwrap();
        assert_eq!(d, array![[1.0, -1.0], [1.0, -1.0]].into_dyn(), "{y}");
    }
    // A target in between is never rewritten away.
    let p = x.softmax(1);
    let d = p.ln().sum().grad(p).value().unwrap();
    assert_eq!(d[[0, 1]], 1.0);
    assert_eq!(d[[0, 0]], INF);
}

#[test]
fn cross_entropy_is_that_of_the_textbook() {
    let mut rng = Rng(32);
    let logits: Array2<f64> = rng.array(&[6, 5], -3.0, 3.0).into_dimensionality().unwrap();
    let classes = array![0_i64, 4, 2, 2, 1, 3];
    let g = Graph::new();
    let z = g.input("z", &logits);
    let losses: Vec<f64> = logits
        .outer_iter()
        .zip(&classes)
        .map(|(line, &class)| -plain_softmax(&line.to_vec())[class as usize].ln())
        .collect();
    let found = z.cross_entropy_each(&classes);
    assert_close(&found.value().unwrap(), &ArrayD::from_shape_vec(vec![6], losses.clone()).unwrap(), 1e-15);
    let mean = losses.iter().sum::<f64>() / 6.0;
    assert!((z.cross_entropy(&classes).item().unwrap() - mean).abs() < 1e-15);
    // d = (softmax - onehot) / m.
    let mut expected = Array2::from_shape_fn((6, 5), |(i, j)| plain_softmax(&logits.row(i).to_vec())[j]);
    for (i, &class) in classes.iter().enumerate() {
        expected[[i, class as usize]] -= 1.0;
    }
    let d = z.cross_entropy(&classes).grad(z).value().unwrap();
    assert_close(&d, &(expected / 6.0).into_dyn(), 1e-15);
    // Other spellings.
    let nll = -z.softmax(-1).ln().pick(-1, &classes);
    assert_close(&nll.value().unwrap(), &found.value().unwrap(), 1e-15);
    let by_hand = z.logsumexp_axis(-1) - z.pick(-1, &classes);
    assert_close(&by_hand.mean().grad(z).value().unwrap(), &d, 1e-15);
    // Of a certain class nothing is lost beside large logits.
    let sure = g.input("sure", array![[1e6_f64, 1e6 - 40.0]]);
    let loss = sure.cross_entropy(array![0_i64]).item().unwrap();
    assert!(loss.abs() < 1e-15, "{loss}");
    let wrong = g.input("wrong", array![[1000.0_f32, -1000.0]]);
    assert_eq!(wrong.cross_entropy(array![1_i64]).item().unwrap(), 2000.0);
    assert_eq!(
        wrong.cross_entropy(array![1_i64]).grad(wrong).value().unwrap(),
        array![[1.0_f32, -1.0]].into_dyn()
    );
}

#[test]
fn a_batch_of_another_size() {
    let g = Graph::new();
    let z = g.placeholder::<f64>("z", [2, 3]);
    let classes = g.placeholder::<i64>("classes", [2]);
    let cost = z.cross_entropy(classes) + z.layer_norm(-1, 1e-5).square().mean();
    let mut program = g.compile((cost, cost.grad(z)), ()).unwrap();
    for n in [1, 2, 5] {
        let zeros = Array2::zeros((n, 3));
        let (cost, d) =
            program.run_with(&[z.feed(&zeros), classes.feed(&ndarray::Array1::zeros(n))]).unwrap();
        assert!((cost[[]] - 3_f64.ln()).abs() < 1e-15);
        assert_eq!(d.shape(), [n, 3]);
    }
}

#[test]
fn layer_norm_of_numbers_far_from_zero() {
    let g = Graph::new();
    let x = g.input("x", array![[1e8, 1e8 + 2.0], [-1.0, 1.0]]);
    assert_eq!(x.layer_norm(1, 0.0).value().unwrap(), array![[-1.0, 1.0], [-1.0, 1.0]].into_dyn());
    let y = x.layer_norm(-1, 3.0);
    assert_eq!(y.value().unwrap(), array![[-0.5, 0.5], [-0.5, 0.5]].into_dyn());
    // A line of equal numbers is all zeros, with a finite gradient, as long as eps is positive.
    let flat = g.input("flat", array![[7.0, 7.0, 7.0]]);
    let y = flat.layer_norm(1, 1e-5);
    assert_eq!(y.value().unwrap(), array![[0.0, 0.0, 0.0]].into_dyn());
    let d = (y * array![1.0, 2.0, 3.0]).sum().grad(flat).value().unwrap();
    assert!((d[[0, 2]] - 1.0 / 1e-5_f64.sqrt()).abs() < 1e-9 && d[[0, 1]].abs() < 1e-9, "{d}");
}

#[test]
fn gelu_is_x_times_the_normal_distribution() {
    let g = Graph::new();
    for x in [-6.0, -1.0, -0.1, 0.0, 0.3, 2.0, 40.0] {
        let v = g.constant(x);
        let phi = 0.5 * libm::erfc(-x / 2_f64.sqrt());
        assert!((v.gelu().item().unwrap() - x * phi).abs() <= 1e-15 * f64::max(1.0, x.abs()));
        assert!((v.gelu_tanh().item().unwrap() - x * phi).abs() < 5e-4);
    }
    let x = g.input("x", 0.0);
    assert_eq!((x.gelu().grad(x).item().unwrap(), x.gelu_tanh().grad(x).item().unwrap()), (0.5, 0.5));
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 0)));

    assert!(
        panicked(|| x.softmax(1)).text.starts_with("`softmax` of no elements is not defined, got (2, 0)")
    );
    assert!(
        panicked(|| x.log_softmax(2)).text.starts_with("`log_softmax` got axis 2 of an array with 2 axes")
    );
    assert!(panicked(|| x.layer_norm([0, 0], 0.1)).text.starts_with("`layer_norm` got axis 0 twice"));
    assert!(
        panicked(|| x.logsumexp()).text.starts_with("`logsumexp` of no elements is not defined, got (2, 0)")
    );
    let z = g.input("z", Array2::<f64>::zeros((2, 3)));
    let panic = panicked(|| z.cross_entropy(array![0_i64, 1, 2]));
    assert_eq!(panic.line, line!() - 1);
    let expected =
        "`cross_entropy_each` requires indices of shape (2,), which the operand has without axis 1, got (3,)";
    assert!(panic.text.starts_with(expected), "{}", panic.text);
    let panic = panicked(|| z.slice(1, ..1).mse(array![1.0, 2.0]));
    assert_eq!(panic.line, line!() - 1);
    assert!(panic.text.starts_with("`mse` requires a target of shape (2, 1), got (2,)"), "{}", panic.text);
    let scalar = panicked(|| g.constant(1.0).cross_entropy(0_i64)).text;
    assert!(scalar.starts_with("`cross_entropy_each` got axis -1 of an array with 0 axes"), "{scalar}");
}

#[test]
fn printed_as_written() {
    let g = Graph::new();
    let (x, c) = (g.input("x", Array2::<f64>::zeros((2, 3))), g.input("c", array![0_i64, 1]));
    for (y, text) in [
        (x.softmax(-1), "x.softmax(1)"),
        (x.log_softmax(0), "x.log_softmax(0)"),
        (x.layer_norm(-1, 1e-5), "x.layer_norm(1, 0.00001)"),
        (x.logsumexp(), "x.logsumexp()"),
        (x.logsumexp_axis(1), "x.logsumexp_axis(1)"),
        (x.cross_entropy(c), "x.cross_entropy_each(c).mean()"),
        (x.pick(1, c), "x.pick(1, c)"),
        (gradus::concat(&[x, x.exp()], 1), "concat([x, x.exp()], 1)"),
        (x.slice(0, 1..), "x.slice(0, 1..)"),
    ] {
        assert_eq!(y.to_string(), text);
    }
}
