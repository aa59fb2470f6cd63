//! Second derivatives and recomputation.

use gradus::prelude::*;
use gradus::{Graph, Var};
use ndarray::{ArrayD, Axis};

/// The inputs of the workloads: `frac(sin(12.9898 k + 78.233 seed) · 43758.5453)`.
fn data(seed: usize, shape: &[usize]) -> ArrayD<f64> {
    let count: usize = shape.iter().product();
    let numbers = (0..count).map(|k| {
        let u = (k as f64 * 12.9898 + seed as f64 * 78.233).sin() * 43758.5453;
        u - u.floor()
    });
    ArrayD::from_shape_vec(shape, numbers.collect()).unwrap()
}

fn weights(seed: usize, shape: &[usize], scale: f64) -> ArrayD<f64> {
    data(seed, shape).mapv(|u| (u - 0.5) * 2.0 * scale)
}

fn labels(seed: usize, shape: &[usize]) -> ArrayD<f64> {
    data(seed, shape).mapv(|u| f64::from(u8::from(u > 0.5)))
}

fn close(found: &ArrayD<f64>, expected: &ArrayD<f64>, tolerance: f64) {
    assert_eq!(found.shape(), expected.shape());
    let error = (found - expected).mapv(f64::abs).into_iter().fold(0.0, f64::max);
    assert!(error <= tolerance, "{error} > {tolerance}\n{found}\n{expected}");
}

fn norm(a: &ArrayD<f64>) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The Jacobian by central differences.
fn differences(y: Var<'_>, x: Var<'_>) -> ArrayD<f64> {
    let at = x.value().unwrap();
    let now = y.value().unwrap();
    let shape: Vec<usize> = now.shape().iter().chain(at.shape()).copied().collect();
    let columns: Vec<ArrayD<f64>> = (0..at.len())
        .map(|i| {
            let h = 1e-5;
            let moved = |step: f64| {
                let mut to = at.clone();
                to.as_slice_mut().unwrap()[i] += step;
                x.set_value(to).unwrap();
                y.value().unwrap()
            };
            (moved(h) - moved(-h)) / (2.0 * h)
        })
        .collect();
    x.set_value(at).unwrap();
    let columns: Vec<_> =
        columns.iter().map(|c| c.view().into_shape_with_order(now.len()).unwrap()).collect();
    let columns: Vec<_> = columns.iter().map(|c| c.view()).collect();
    let stacked = ndarray::stack(Axis(1), &columns).unwrap();
    stacked.as_standard_layout().into_owned().into_shape_with_order(shape).unwrap()
}

#[test]
fn the_hessian_of_logistic_regression() {
    let g = Graph::new();
    let x = g.input("X", data(1, &[500, 50]));
    let y = g.input("y", labels(2, &[500]));
    let w = g.param("w", weights(10, &[50], 0.1));
    let z = x.dot(w);
    let cost = (z.softplus() - z * y).mean();
    let h = cost.hessian(w);
    // What one would write by hand, with one product.
    assert_eq!(h.to_string(), "(X.t() * X.dot(w).sigmoid() * (1 - X.dot(w).sigmoid())).dot(X) / 500");
    assert!((cost.item().unwrap() - 0.703944589490539).abs() < 1e-14);
    let found = h.value().unwrap();
    assert!((norm(&found) - 3.0267763736929387).abs() < 1e-13);
    let first = [
        0.08178214855454524,
        0.0649298566157449,
        0.05682413688934303,
        0.05864627397025965,
        0.06228105601417823,
    ];
    for (found, expected) in found.iter().zip(first) {
        assert!((found - expected).abs() < 1e-15, "{found} {expected}");
    }
}

#[test]
fn the_product_of_planar_with_ones() {
    let g = Graph::new();
    let x = g.input("X", data(1, &[2, 400]));
    let y = g.input("y", labels(2, &[1, 400]));
    let w1 = g.param("W1", weights(10, &[4, 2], 0.01));
    let b1 = g.param("b1", Array2::<f64>::zeros((4, 1)));
    let w2 = g.param("W2", weights(11, &[1, 4], 0.01));
    let b2 = g.param("b2", Array2::<f64>::zeros((1, 1)));
    let z = w2.dot((w1.dot(x) + b1).tanh()) + b2;
    let cost = (z.softplus() - z * y).mean();
    let params = [w1, b1, w2, b2];
    let ones = params.map(|p| g.constant(ArrayD::<f64>::ones(&p.shape()[..])));
    let product = cost.hvp(params, ones);
    // Forward, gradient and their derivatives, with the rewritten formulas beside those as written.
    assert!(g.len() < 120, "{} nodes", g.len());
    let golden: [(f64, &[f64]); 4] = [
        (0.05711938494142322, &[-0.018033294638041018, -0.020449666091558644, -0.020023684765077276]),
        (0.05577776926418794, &[-0.02608783551487943, -0.02997383457091702, -0.02893233801219289]),
        (0.1335398842471803, &[-0.06615111358706798, -0.0653516005044586, -0.06862437221916759]),
        (0.2499862988543164, &[0.2499862988543164]),
    ];
    for (p, (l2, first)) in product.iter().zip(golden) {
        let found = p.value().unwrap();
        assert!((norm(&found) - l2).abs() < 1e-14);
        for (found, expected) in found.iter().zip(first) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }
}

/// The Jacobian of each formula of one variable against differences.
#[test]
fn jacobians_are_those_of_differences() {
    let g = Graph::new();
    let x = g.param("x", weights(1, &[3, 4], 1.0));
    let a = g.input("a", weights(2, &[5, 3], 1.0));
    let b = g.input("b", weights(3, &[4, 2], 1.0));
    let u = g.input("u", weights(4, &[4], 1.0));
    let v = g.input("v", weights(5, &[3], 1.0));
    let c = g.input("c", weights(6, &[2, 3, 4], 1.0));
    let all: Vec<(&str, Var<'_>)> = vec![
        ("elementwise", x.tanh()),
        ("itself", x),
        ("negated", -x),
        ("stretched in front", x * c),
        ("stretched behind", x.expand_dims(2) * u),
        ("left", a.dot(x)),
        ("right", x.dot(b)),
        ("both", a.dot(x).tanh().dot(b)),
        ("matrix, vector", x.dot(u).sin()),
        ("vector, matrix", v.dot(x).sin()),
        ("itself twice", x.t().dot(x)),
        ("outer", x.dot(u).expand_dims(1).dot(u.expand_dims(0))),
        ("vector of vectors", x.dot(u).dot(v).expand_dims(0)),
        ("sums", x.square().sum_axis(0)),
        ("sums kept", x / x.exp().sum_keepdims(1)),
        ("means", x.square().mean_axis(1)),
        ("maximum", x.max_axis(0) * u),
        ("transposed", x.t().sin().dot(v)),
        ("turned", c.transpose([2, 0, 1]).tanh() * x.t().expand_dims(1)),
        ("reshaped", x.reshape([2, -1]).tanh()),
        ("stretched", x.broadcast_to([2, 3, 4]).sin()),
        ("stretched like", x.sum_axis(0).broadcast_like(c) * c),
        ("selected", x.gt(0.0).select(x.square(), x.exp())),
        ("selected, zero", x.gt(0.0).select(x.square(), 0.0)),
        ("divided", u / (2.0 + x)),
        ("minimum", x.minimum(u).square()),
        ("cast", x.cast::<f32>().cast::<f64>() * x),
    ];
    for (name, y) in all {
        let found = y.jacobian(x).value().unwrap();
        let expected = differences(y, x);
        assert_eq!(found.shape(), expected.shape(), "{name}");
        // Differences of what is rounded to f32 are rough.
        close(&found, &expected, if name == "cast" { 1e-2 } else { 1e-8 });
    }
}

/// Layers of a product and a tanh, with a mark after every `every` of them.
fn layers<'g>(x: Var<'g>, weights: &[Var<'g>], every: usize) -> Var<'g> {
    weights.iter().enumerate().fold(x, |h, (layer, w)| {
        let h = w.dot(h).tanh();
        if every > 0 && (layer + 1) % every == 0 { h.checkpoint() } else { h }
    })
}

fn marked(e: Var<'_>, mark: bool) -> Var<'_> {
    if mark { e.checkpoint() } else { e }
}

/// A formula with a mark after every so many layers, or with none for 0.
type Model<'a, 'g> = Box<dyn Fn(usize) -> Var<'g> + 'a>;

#[test]
fn a_checkpoint_changes_no_bit() {
    let g = Graph::new();
    let x = g.input("x", weights(1, &[6, 5], 1.0));
    let u = g.input("u", weights(2, &[5], 1.0));
    let one = g.param("w", weights(3, &[6, 6], 0.6));
    let each: Vec<Var<'_>> =
        (0..9).map(|l| g.param(&format!("w{l}"), weights(10 + l, &[6, 6], 0.6))).collect();
    let models: [(&str, Model<'_, '_>); 4] = [
        ("own weights", Box::new(|every| layers(x, &each, every).square().mean())),
        ("shared weights", Box::new(|every| layers(x, &[one; 9], every).square().mean())),
        ("shared values", {
            let each = &each;
            Box::new(move |every| {
                let mark = |e| marked(e, every > 0);
                let gate = (x * u).sigmoid();
                let a = mark((each[0].dot(x) * gate).tanh());
                let b = mark((each[1].dot(a) * gate + a).exp());
                (b * gate + a).mean() + b.max_axis(0).sum()
            })
        }),
        ("branches", {
            let each = &each;
            Box::new(move |every| {
                let mark = |e| marked(e, every > 0);
                let h = each[0].dot(x);
                let a = mark(h.gt(0.1).select(h.sqrt(), h * 0.3));
                mark((each[1].dot(a) - a.mean_keepdims(0)).relu().square()).sum()
            })
        }),
    ];
    for (name, model) in &models {
        let plain = model(0);
        let mut params = vec![x, one];
        params.extend(&each);
        let ones: Vec<Var<'_>> =
            params.iter().map(|p| g.constant(ArrayD::<f64>::ones(&p.shape()[..]))).collect();
        let expected = plain.grad_or_zeros(&params);
        for every in [1, 2, 3, 4, 9] {
            let marked = model(every);
            assert_eq!(marked.value().unwrap(), plain.value().unwrap(), "{name}");
            for (found, expected) in marked.grad_or_zeros(&params).iter().zip(&expected) {
                assert_eq!(found.value().unwrap(), expected.value().unwrap(), "{name}, every {every}");
            }
        }
        if *name != "branches" {
            let reached = [x];
            let second = plain.hvp(reached, &ones[..1]);
            let marked = model(3).hvp(reached, &ones[..1]);
            close(&marked[0].value().unwrap(), &second[0].value().unwrap(), 1e-14);
            assert!(norm(&second[0].value().unwrap()) > 1e-6, "{name}");
        }
    }
}

#[test]
fn checkpoints_save_memory() {
    let g = Graph::new();
    let x = g.input("x", weights(1, &[16, 64], 1.0));
    let all: Vec<Var<'_>> =
        (0..64).map(|l| g.param(&format!("w{l}"), weights(10 + l, &[16, 16], 0.4))).collect();
    let bytes = |every: usize| {
        let cost = layers(x, &all, every).square().mean();
        let gradients: Vec<Var<'_>> = cost.grad(&all);
        // Each gradient is used up at once, as an update uses it.
        let sizes: Vec<Var<'_>> = gradients.iter().map(|g| g.square().sum()).collect();
        let mut program = g.compile(sizes, ()).unwrap();
        program.run().unwrap();
        program.planned_bytes()
    };
    let (plain, marked) = (bytes(0), bytes(8));
    let layer = 16 * 64 * 8;
    assert!(plain > 64 * layer);
    assert!(marked < 28 * layer);
}

#[test]
fn sizes_are_free_after_recording() {
    let g = Graph::new();
    let x = g.input("x", weights(1, &[7, 3], 1.0));
    let y = g.input("y", labels(2, &[7]));
    let u = g.input("u", weights(3, &[2, 3], 1.0));
    let w = g.param("w", weights(4, &[3], 1.0));
    let m = g.param("m", weights(5, &[3, 2], 1.0));
    let z = x.dot(w);
    let hessian = (z.softplus() - z * y).mean().hessian(w);
    let by_inputs = (x.dot(m).tanh() * x.sum_keepdims(1)).jacobian(x);
    let by_matrix = x.dot(m).tanh().dot(u).jacobian(m);
    for (rows, columns) in [(7, 3), (4, 3), (1, 3), (9, 3)] {
        x.set_value(weights(rows, &[rows, columns], 1.0)).unwrap();
        y.set_value(labels(rows + 1, &[rows])).unwrap();
        let a = z.sigmoid();
        let by_hand = (x.t() * (a * (1.0 - a))).dot(x) / y.size_of(0);
        close(&hessian.value().unwrap(), &by_hand.value().unwrap(), 1e-15);
        let values = x.dot(m).tanh() * x.sum_keepdims(1);
        assert_eq!(by_inputs.value().unwrap().shape(), [rows, 2, rows, columns]);
        close(&by_inputs.value().unwrap(), &differences(values, x), 1e-8);
        close(&by_matrix.value().unwrap(), &differences(x.dot(m).tanh().dot(u), m), 1e-8);
    }
}

#[test]
fn hessians_are_those_of_differences() {
    let g = Graph::new();
    let x = g.input("x", weights(1, &[4, 6], 1.0));
    let y = g.input("y", labels(2, &[1, 6]));
    let w = g.param("w", weights(3, &[4, 1], 1.0));
    let m = g.param("m", weights(4, &[3, 4], 1.0));
    let v = g.param("v", weights(5, &[1, 3], 1.0));
    let s = g.param("s", weights(6, &[], 1.0));
    let a = w.t().dot(x).sigmoid();
    let cross_entropy = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
    let z = v.dot(m.dot(x).tanh()) + s;
    let network = (z.softplus() - z * y).mean();
    let kinks = m.gt(0.0).select(m.exp() * m, m.square() * s).sum_axis(0).square().sum();
    let softmax = (m.exp() / m.exp().sum_keepdims(0)).ln().dot(x).square().mean();
    for (cost, p) in [
        (cross_entropy, w),
        (network, m),
        (network, v),
        (network, s),
        (kinks, m),
        (kinks, s),
        (softmax, m),
        ((x * w).max_axis(0).square().sum(), w),
    ] {
        let hessian = cost.hessian(p).value().unwrap();
        close(&hessian, &differences(cost.grad(p), p), 1e-7);
        let n = p.shape().size();
        let square = hessian.into_shape_with_order((n, n)).unwrap();
        assert!((&square - &square.t()).iter().all(|d| d.abs() < 1e-12));
        // A product with a vector is that of the matrix, from either side.
        let direction = weights(9, &p.shape(), 1.0);
        let t = g.constant(direction.clone());
        let flat = direction.into_shape_with_order(n).unwrap();
        let expected = square.dot(&flat).into_dyn().into_shape_with_order(&p.shape()[..]).unwrap();
        close(&cost.hvp(p, t).value().unwrap(), &expected, 1e-12);
        close(&cost.grad(p).jvp(p, t).value().unwrap(), &expected, 1e-12);
        close(&cost.grad(p).vjp(t, p).value().unwrap(), &expected, 1e-12);
    }
}

#[test]
fn second_derivatives_that_are_zero() {
    let g = Graph::new();
    let (x, w) = (g.input("x", weights(1, &[5], 1.0)), g.param("w", weights(2, &[5], 1.0)));
    let ones = g.constant(Array1::<f64>::ones(5));
    let zero = ArrayD::<f64>::zeros(vec![5, 5]);
    let line = w.dot(x);
    assert_eq!(line.hessian(w).value().unwrap(), zero);
    assert_eq!(line.hvp(w, ones).value().unwrap(), ArrayD::<f64>::zeros(vec![5]));
    assert_eq!(w.relu().sum().hessian(w).value().unwrap(), zero);
    let [hw, hx] = line.hvp([w, x], [ones, ones]);
    assert_eq!((hw.value().unwrap(), hx.value().unwrap()), (ones.value().unwrap(), ones.value().unwrap()));
    assert!(line.try_hessian(g.param("other", 1.0).broadcast_like(w)).is_err());
    assert!(line.try_hvp([w, x], [ones]).is_err());
    let wrong = g.constant(Array1::<f64>::ones(3));
    let text = line.try_hvp(w, wrong).unwrap_err().to_string();
    assert!(text.starts_with("`hvp` cannot stretch (3,) to (5,)"), "{text}");
    assert!(x.try_jacobian(w).is_err());
    assert_eq!(w.stop_gradient().jacobian(w).value().unwrap(), zero);
    // The vector is held constant.
    assert_eq!((w * w).sum().hvp(w, w).value().unwrap(), (2.0 * w).value().unwrap());
}

/// A zero of the identity matrix does not meet an infinite factor.
#[test]
fn nan_stays_in_its_rows() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, f64::NAN], [2.0, 3.0]]);
    let w = g.param("w", array![0.0, 4.0]);
    let j = w.sqrt().jacobian(w).value().unwrap();
    assert_eq!(j, array![[f64::INFINITY, 0.0], [0.0, 0.25]].into_dyn());
    let j = x.dot(w).jacobian(w).value().unwrap();
    assert!(j[[0, 1]].is_nan() && j[[0, 0]] == 1.0 && j[[1, 0]] == 2.0 && j[[1, 1]] == 3.0);
}

#[test]
fn third_derivatives() {
    let g = Graph::new();
    let x = g.param("x", array![0.4, -0.7, 1.1]);
    let m = g.input("m", weights(3, &[2, 3], 1.0));
    let cubes = (x * x * x).sum().hessian(x).jacobian(x).value().unwrap();
    for ((i, j, k), &d) in cubes.into_dimensionality::<ndarray::Ix3>().unwrap().indexed_iter() {
        assert_eq!(d, if i == j && j == k { 6.0 } else { 0.0 });
    }
    let hessian = m.dot(x).sigmoid().mean().hessian(x);
    close(&hessian.jacobian(x).value().unwrap(), &differences(hessian, x), 1e-8);
    let matrix = m.dot(x.expand_dims(1).dot(x.expand_dims(0)).sin());
    let jacobian = matrix.jacobian(m);
    close(&jacobian.jacobian(x).value().unwrap(), &differences(jacobian, x), 1e-8);
}

#[test]
fn jacobians_of_scalars_of_nothing_and_of_single_precision() {
    let g = Graph::new();
    let (s, x) = (g.param("s", 2.0), g.input("x", array![1.0, 2.0]));
    assert_eq!(s.exp().jacobian(s).item().unwrap(), 2_f64.exp());
    assert_eq!((s * x).jacobian(s).value().unwrap(), x.value().unwrap());
    assert_eq!((s * x).sum().jacobian(x).value().unwrap(), array![2.0, 2.0].into_dyn());
    assert_eq!((s * s * s).hessian(s).item().unwrap(), 12.0);
    let [ds, dx] = (s * x.square()).jacobian([s, x]);
    assert_eq!(ds.value().unwrap(), array![1.0, 4.0].into_dyn());
    assert_eq!(dx.value().unwrap(), array![[4.0, 0.0], [0.0, 8.0]].into_dyn());
    let (jacobian, product) = (x.dot(x.expand_dims(1)).jacobian(x), x.square().jvp(x, x));
    x.set_value(Array1::<f64>::zeros(0)).unwrap();
    assert_eq!((jacobian.value().unwrap().shape(), product.value().unwrap().len()), (&[1, 0][..], 0));
    let y = g.input("y", array![0.5_f32, -0.25]);
    let (j, h) = (y.tanh().jacobian(y), y.square().sum().hessian(y));
    let slope = 1.0 - 0.5_f32.tanh().powi(2);
    assert!((j.value().unwrap()[[0, 0]] - slope).abs() < 1e-6);
    assert_eq!(h.value().unwrap(), array![[2.0_f32, 0.0], [0.0, 2.0]].into_dyn());
    // Two element types in one list.
    let cost = s * y.cast::<f64>().square().sum();
    let (hs, hy) = cost.hvp((s, y), (g.constant(arr0(1.0)), g.constant(array![1.0_f32, 0.0])));
    assert_eq!(hs.item().unwrap(), 1.0);
    assert_eq!(hy.value().unwrap(), array![5.0_f32, -0.5].into_dyn());
}

#[test]
fn marks_are_printed_and_their_copies_as_what_they_copy() {
    let g = Graph::new();
    let (x, w) = (g.input("x", array![0.5, -0.5]), g.param("w", array![[0.3, 0.1], [-0.2, 0.7]]));
    let y = w.dot(x).tanh().checkpoint();
    assert_eq!(y.to_string(), "w.dot(x).tanh().checkpoint()");
    assert_eq!(y.sum().grad(x).to_string(), "w.t().dot(1 - w.dot(x).tanh().square())");
    assert_eq!(y.sum().grad(x).to_string(), w.dot(x).tanh().sum().grad(x).to_string());
}
