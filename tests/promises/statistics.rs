//! Variance, deviation and norms: against JAX, over axes, where nothing spreads, mistakes.

use gradus::{Axes, Graph, Var};
use ndarray::{Array1, Array2, ArrayD, array};

use crate::support::{Referred, assert_close, check_references, panicked};

const INF: f64 = f64::INFINITY;

#[test]
fn statistics_are_jaxs() {
    let rows: &[Referred<'_>] = &[
        ("var", &[&[3, 4]], &|x| x[0].var(0.0)),
        ("var 1", &[&[3, 4]], &|x| x[0].var_axis(0, 1.0)),
        ("var -1, 2", &[&[2, 3, 4]], &|x| x[0].var_keepdims([-1, 0], 2.0)),
        ("std", &[&[3, 4]], &|x| x[0].std(0.0)),
        ("std 1", &[&[3, 4]], &|x| x[0].std_axis(-1, 1.0)),
        ("std kept", &[&[2, 3, 4]], &|x| x[0].std_keepdims([-1, 0], 0.0)),
        ("norm", &[&[3, 4]], &|x| x[0].norm()),
        ("norm 0", &[&[3, 4]], &|x| x[0].norm_axis(-2)),
        ("norm kept", &[&[2, 3, 4]], &|x| x[0].norm_keepdims([-1, 0])),
        ("norm of order 1", &[&[3, 4]], &|x| x[0].vector_norm_axis(0, 1.0)),
        ("norm of order 3", &[&[3, 4]], &|x| x[0].vector_norm_keepdims(1, 3.0).squeeze(1)),
        ("norm of order -2.5", &[&[3, 4]], &|x| x[0].vector_norm(-2.5)),
        ("norm of order inf", &[&[3, 4]], &|x| x[0].vector_norm_axis(-1, INF)),
        ("norm of order -inf", &[&[3, 4]], &|x| x[0].vector_norm_axis(0, -INF)),
        ("matrix norm 1", &[&[2, 3, 4]], &|x| x[0].matrix_norm(1.0)),
        ("matrix norm inf", &[&[2, 3, 4]], &|x| x[0].matrix_norm(INF)),
        ("matrix norm -1", &[&[2, 3, 4]], &|x| x[0].matrix_norm(-1.0)),
        ("matrix norm -inf", &[&[2, 3, 4]], &|x| x[0].matrix_norm(-INF)),
        ("normalize", &[&[4, 5]], &|x| x[0].normalize(1, 0.0)),
        ("normalize 0", &[&[4, 5]], &|x| x[0].normalize(-2, 1e-12)),
        ("cosine similarity", &[&[3, 4], &[3, 4]], &|x| x[0].cosine_similarity(x[1], -1, 0.0)),
        ("cosine similarity stretched", &[&[3, 4], &[4]], &|x| x[0].cosine_similarity(x[1], 0, 1e-8)),
        ("logsumexp", &[&[2, 3, 4]], &|x| x[0].logsumexp_keepdims([-1, 0])),
        ("max", &[&[2, 3, 4]], &|x| x[0].max_axis([-1, 0])),
        ("min", &[&[2, 3, 4]], &|x| x[0].min_keepdims([1, -3])),
        ("mean", &[&[2, 3, 4]], &|x| x[0].mean_axis([-1, 1])),
    ];
    check_references(81, rows);
}

/// Value, gradient, and the product of the Hessian with `v`, of a scalar formula.
fn orders<'g>(x: Var<'g>, y: Var<'g>, v: &Array1<f64>) -> (f64, ArrayD<f64>, ArrayD<f64>) {
    let gradient = y.grad(x);
    let product = (gradient * v).sum().grad_or_zeros(x);
    (y.item().unwrap(), gradient.value().unwrap(), product.value().unwrap())
}

#[test]
fn nothing_spreads() {
    let zeros = array![0.0, 0.0, 0.0].into_dyn();
    let v = array![1.0, -2.0, 3.0];
    let g = Graph::new();
    let x = g.input("x", array![0.0, 0.0, 0.0]);
    for y in [
        x.norm(),
        x.norm_keepdims(0).sum(),
        x.norm_axis(Axes::none()).sum(),
        x.square().sum().sqrt(),
        (x * x).sum().sqrt(),
        x.powi(2).sum_keepdims(0).sqrt().sum(),
        x.square().mean().sqrt(),
        (x.square().sum() / 3.0).sqrt(),
        (x.square().sum() / x.size_of(0)).sqrt(),
        x.std(0.0),
        x.std(1.0),
        x.std_axis(0, 1.0),
        x.var(0.0).sqrt(),
        x.vector_norm(1.0),
        x.vector_norm(2.0),
        x.vector_norm(3.0),
        3.0 * x.norm() * x.exp().sum(),
    ] {
        assert_eq!(orders(x, y, &v), (0.0, zeros.clone(), zeros.clone()), "{y}");
    }
    // Equal numbers, where a mean is subtracted: no difference is left.
    let x = g.input("equal", array![7.3, 7.3, 7.3]);
    for y in [x.std(0.0), x.std(1.0), (x - x.mean()).square().mean().sqrt()] {
        assert_eq!(orders(x, y, &v), (0.0, zeros.clone(), zeros.clone()), "{y}");
    }
    // The variance is smooth there: its Hessian is 2/n (1 - 1/n).
    let (value, gradient, product) = orders(x, x.var(0.0), &v);
    assert_eq!((value, gradient), (0.0, zeros));
    let mean = v.mean().unwrap();
    assert_close(&product, &v.mapv(|v| 2.0 / 3.0 * (v - mean)).into_dyn(), 1e-15);
    // A row of zeros beside one of numbers.
    let x = g.input("rows", array![[0.0, 0.0], [3.0, 4.0]]);
    let gradient = x.norm_axis(1).sum().grad(x);
    assert_close(&gradient.value().unwrap(), &array![[0.0, 0.0], [0.6, 0.8]].into_dyn(), 1e-15);
    let product = (gradient * array![[1.0, 1.0], [1.0, 1.0]]).sum().grad(x).value().unwrap();
    assert_close(&product, &array![[0.0, 0.0], [0.032, -0.024]].into_dyn(), 1e-15);
    // A single number has no sample deviation.
    let one = g.input("one", array![5.0_f64]);
    assert!(one.std(1.0).item().unwrap().is_nan() && one.var(1.0).item().unwrap().is_nan());
    assert!(one.var(2.0).item().unwrap().is_nan());
    let two = g.input("two", array![5.0, 6.0]);
    assert_eq!(two.var(3.0).item().unwrap(), INF);
}

#[test]
fn a_root_that_is_asked_for_is_a_root() {
    // The sum as a variable of its own is not looked into: the slope of a root at 0 is infinite.
    let g = Graph::new();
    let x = g.input("x", array![0.0, 0.0]);
    let sum = x.square().sum();
    assert_eq!(sum.sqrt().grad(sum).item().unwrap(), INF);
    // And a root of something else is as it was.
    assert_eq!(x.abs().sum().sqrt().grad(x).value().unwrap().len(), 2);
    let z = g.input("z", 0.0);
    assert_eq!(z.sqrt().grad(z).item().unwrap(), INF);
    let y = g.input("y", array![3.0, -4.0]);
    for (formula, expected) in
        [(y.square().sum().sqrt(), 5.0), (y.square().mean().sqrt(), 5.0 / 2_f64.sqrt())]
    {
        assert!((formula.item().unwrap() - expected).abs() < 1e-15);
    }
    assert!((y.square().sum() / -2.0).sqrt().item().unwrap().is_nan());
}

#[test]
fn special_numbers() {
    let g = Graph::new();
    let x = g.input("x", array![1e8 + 1.0, 1e8 + 2.0, 1e8 + 3.0]);
    assert_eq!(x.var(1.0).item().unwrap(), 1.0);
    assert_eq!(x.std(1.0).item().unwrap(), 1.0);
    let x = g.input("nan", array![1.0, f64::NAN]);
    for y in [x.norm(), x.std(0.0), x.var(0.0), x.vector_norm(0.0), x.vector_norm(INF), x.vector_norm(3.0)] {
        assert!(y.item().unwrap().is_nan(), "{y}");
        assert!(y.grad(x).value().unwrap()[[1]].is_nan() || y.to_string().contains("sign"), "{y}");
    }
    let x = g.input("ties", array![2.0, -2.0, 1.0]);
    let d = x.vector_norm(INF).grad(x).value().unwrap();
    assert_eq!(d, array![0.5, -0.5, 0.0].into_dyn());
    assert_eq!(x.vector_norm(0.0).grad(x).value().unwrap(), array![0.0, 0.0, 0.0].into_dyn());
    let x = g.input("columns", array![[1.0, -1.0], [1.0, 1.0]]);
    let d = x.matrix_norm(1.0).grad(x).value().unwrap();
    assert_eq!(d, array![[0.5, -0.5], [0.5, 0.5]].into_dyn());
    // A row of zeros has no direction.
    let x = g.input("zero", array![[0.0_f64, 0.0], [3.0, 4.0]]);
    let y = x.normalize(1, 0.0).value().unwrap();
    assert!(y[[0, 0]].is_nan() && y[[1, 0]] == 0.6);
    let y = x.normalize(1, 0.5);
    assert_eq!(y.slice(0, ..1).sum().grad(x).value().unwrap(), array![[2.0, 2.0], [0.0, 0.0]].into_dyn());
    let c = x.cosine_similarity(array![[1.0, 0.0], [1.0, 0.0]], 1, 1e-8);
    assert_eq!(c.value().unwrap(), array![0.0, 0.6].into_dyn());
    assert!(c.sum().grad(x).value().unwrap().iter().all(|d| d.is_finite()));
    let single = g.input("single", array![3.0_f32, 4.0]);
    assert_eq!(single.norm().item().unwrap(), 5.0);
    assert_eq!(single.std(0.0).item().unwrap(), 0.5);
}

#[test]
fn statistics_of_nothing() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 0)));
    assert_eq!(x.norm().item().unwrap(), 0.0);
    assert_eq!(x.norm_axis(1).value().unwrap(), array![0.0, 0.0].into_dyn());
    assert_eq!(x.vector_norm_axis(1, 3.0).value().unwrap(), array![0.0, 0.0].into_dyn());
    assert_eq!(x.std_axis(0, 0.0).shape(), [0]);
    assert!(x.var(0.0).item().unwrap().is_nan() && x.std(0.0).item().unwrap().is_nan());
    assert_eq!(x.norm().grad(x).value().unwrap().shape(), [2, 0]);
}

#[test]
fn batches_of_any_size() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3]);
    let y = x.std_axis(0, 1.0).sum() + x.norm_axis(1).sum() + x.var(0.0);
    let mut program = g.compile((y, y.grad(x)), ()).unwrap();
    for n in [2, 3, 7] {
        let values = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 3 + j) as f64 * 0.9).sin());
        let (found, gradient) = program.run_with(&[x.feed(&values)]).unwrap();
        let h = Graph::new();
        let x = h.input("x", &values);
        let y = x.std_axis(0, 1.0).sum() + x.norm_axis(1).sum() + x.var(0.0);
        assert!((found[[]] - y.item().unwrap()).abs() < 1e-14);
        assert_close(&gradient.to_owned(), &y.grad(x).value().unwrap(), 1e-14);
    }
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let (x, written) = (g.placeholder::<f64>("x", [2, 3]), line!());
    let at = |text: &str, line: u32| format!("{text}\n  operand: `x` (2, 3) from {}:{}", file!(), line);
    for (panic, text) in [
        (panicked(|| x.var_axis([0, -2], 1.0)), "`mean` got axis 0 twice"),
        (panicked(|| x.std_axis(2, 1.0)), "`size_of` got axis 2 of an array with 2 axes"),
        (panicked(|| x.norm_axis(-3)), "`norm` got axis -3 of an array with 2 axes"),
        (panicked(|| x.sum_axis([1, -1])), "`sum` got axis 1 twice"),
        (panicked(|| x.matrix_norm(3.0)), "`matrix_norm` requires an order of 1, -1, inf or -inf, got 3"),
    ] {
        assert_eq!(panic.text, at(text, written));
        assert_eq!(panic.file, file!());
    }
    let text = panicked(|| x.sum_axis(0).matrix_norm(1.0)).text;
    assert!(text.starts_with("`matrix_norm` requires (.., m, n), got (3,)"), "{text}");
    let text = panicked(|| x.slice(1, ..0).vector_norm(INF)).text;
    assert!(text.starts_with("`max` of no elements is not defined, got (2, 0)"), "{text}");
    assert_eq!(panicked(|| x.std(0.0).std_axis(0, 0.0)).line, line!());
}

#[test]
fn printed_as_written() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 12]);
    for (y, text) in [
        (x.norm(), "x.norm()"),
        (x.norm_axis(1), "x.norm_axis(1)"),
        (x.norm_keepdims(-1), "x.norm_keepdims(1)"),
        (x.unflatten(1, [3, -1]), "x.unflatten(1, (3, -1))"),
    ] {
        assert_eq!(y.to_string(), text);
    }
    let text = panicked(|| x.unflatten(-1, [5, -1])).text;
    assert!(text.starts_with("`unflatten` cannot make (5, -1) from axis 1, which has size 12"), "{text}");
    let text = panicked(|| x.unflatten(2, [5, -1])).text;
    assert!(text.starts_with("`unflatten` got axis 2 of an array with 2 axes"), "{text}");
    let jacobian = (x.unflatten(1, [3, -1]) * array![[1.0], [2.0], [3.0]]).jacobian(x);
    assert_eq!(jacobian.shape(), [2, 3, 4, 2, 12]);
}
