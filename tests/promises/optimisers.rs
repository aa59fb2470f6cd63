//! Optimisers against plain loops, and their state.

use gradus::optim::{Adam, Sgd};
use gradus::{Float, Graph, Var};
use ndarray::{Array1, Array2, array};

use crate::support::Rng;

/// Adam as the paper has it, of one number.
struct Plain {
    m: f64,
    v: f64,
    t: i32,
}

impl Plain {
    fn step(&mut self, w: f64, g: f64, [rate, b1, b2, eps]: [f64; 4]) -> f64 {
        self.t += 1;
        self.m = b1 * self.m + (1.0 - b1) * g;
        self.v = b2 * self.v + (1.0 - b2) * g * g;
        let (m, v) = (self.m / (1.0 - b1.powi(self.t)), self.v / (1.0 - b2.powi(self.t)));
        w - rate * m / (v.sqrt() + eps)
    }
}

#[test]
fn adam_is_the_papers() {
    for settings in [[0.001, 0.9, 0.999, 1e-8], [0.05, 0.5, 0.9, 1e-3], [0.02, 0.0, 0.99, 0.0]] {
        let [rate, b1, b2, eps] = settings;
        let g = Graph::new();
        let w = g.param("w", array![3.0, -1.0, 0.5]);
        let cost = (w.powi(4) - w).sum();
        let updates = Adam::new(rate).betas(b1, b2).epsilon(eps).minimize(cost, w);
        let mut program = g.compile((), updates).unwrap();
        let mut plain: Vec<(f64, Plain)> =
            [3.0, -1.0, 0.5].iter().map(|&w| (w, Plain { m: 0.0, v: 0.0, t: 0 })).collect();
        for step in 0..100 {
            program.run().unwrap();
            let found = w.value().unwrap();
            for ((w, state), found) in plain.iter_mut().zip(&found) {
                *w = state.step(*w, 4.0 * w.powi(3) - 1.0, settings);
                assert!(
                    (found - *w).abs() < 1e-9 * f64::max(1.0, w.abs()),
                    "{settings:?}, step {step}: {found}, not {w}"
                );
            }
        }
    }
}

#[test]
fn the_state_is_parameters_with_names() {
    let g = Graph::new();
    let (w, b) = (g.param("w", array![1.0_f32, 2.0]), g.param("b", 0.5));
    let cost = (w.cast::<f64>() * b).sum();
    let (first, line) = (Adam::new(0.1).minimize(cost, (w, b)), line!());
    let mut program = g.compile((), first).unwrap();
    program.run().unwrap();
    program.run().unwrap();
    let state = |name: &str| g.find(name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(state("adam.t").typed::<f64>().unwrap().item().unwrap(), 2.0);
    assert_eq!(state("w.adam.m").shape(), [2]);
    let v = state("b.adam.v").typed::<f64>().unwrap().item().unwrap();
    assert!((v - (0.001 * 0.999 * 9.0 + 0.001 * 2.8_f64.powi(2))).abs() < 1e-6, "{v}");
    assert_eq!(state("w.adam.v").origin().to_string(), format!("{}:{line}", file!()));
    // Another optimiser of the same parameter has a state of its own.
    let _ = Adam::new(0.1).minimize(cost, w);
    assert!(g.find("w.adam.m.2").is_some() && g.find("adam.t.2").is_some());
    let _ = Sgd::new(0.1).momentum(0.9).minimize(cost, w);
    assert!(g.find("w.sgd.velocity").is_some());
}

#[test]
fn momentum_is_pytorchs() {
    let g = Graph::new();
    let w = g.param("w", array![3.0, -1.0]);
    let cost = w.square().sum();
    let mut program = g.compile((), Sgd::new(0.1).momentum(0.8).minimize(cost, w)).unwrap();
    let (mut plain, mut velocity) = (array![3.0, -1.0], Array1::<f64>::zeros(2));
    for _ in 0..50 {
        program.run().unwrap();
        velocity = velocity * 0.8 + &plain * 2.0;
        plain = plain - &velocity * 0.1;
        assert!((w.value().unwrap() - &plain).iter().all(|d| d.abs() < 1e-14));
    }
}

fn check_no_subnormals<T: Float>(updates: impl for<'g> Fn(Var<'g, T>, Var<'g, T>) -> gradus::Updates<'g>) {
    let g = Graph::new();
    let w = g.param("w", array![1.0, -2.0, 1e-3].mapv(T::from_f64));
    let on = g.input("on", ndarray::arr0(T::from_f64(1.0)));
    let mut program = g.compile((), updates((w.square() * on).sum(), w)).unwrap();
    for _ in 0..20 {
        program.run().unwrap();
    }
    on.set_value(ndarray::arr0(T::from_f64(0.0))).unwrap();
    let tiny = if T::DTYPE == gradus::DType::F32 { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE };
    let names = ["w.adam.m", "w.adam.v", "w.sgd.velocity"];
    let states: Vec<Var<'_, T>> = names.iter().filter_map(|name| g.find(name)?.typed().ok()).collect();
    assert!(!states.is_empty());
    let mut trained = None;
    for step in 0..8_000 {
        program.run().unwrap();
        if step % 50 == 0 {
            for state in &states {
                for x in state.value().unwrap().iter().map(|x| x.to_f64()) {
                    assert!(x == 0.0 || x.abs() >= tiny, "step {step}: {x:e} in {state:?}");
                }
            }
        }
        if step == 2_000 {
            trained = Some(w.value().unwrap());
        }
    }
    // And what was left out would not have been seen.
    assert_eq!(trained.unwrap(), w.value().unwrap());
}

#[test]
fn moments_do_not_become_subnormal() {
    check_no_subnormals::<f32>(|cost, w| Adam::new(0.01).minimize(cost, w));
    check_no_subnormals::<f32>(|cost, w| Adam::new(0.01).betas(0.9, 0.9).minimize(cost, w));
    check_no_subnormals::<f64>(|cost, w| Adam::new(0.01).betas(0.9, 0.9).minimize(cost, w));
    check_no_subnormals::<f64>(|cost, w| Adam::new(0.01).minimize(cost, w));
    check_no_subnormals::<f32>(|cost, w| Sgd::new(0.01).momentum(0.9).minimize(cost, w));
}

#[test]
fn shrinking_changes_no_bit_of_what_is_trained() {
    // The same recipe without it, written out.
    let g = Graph::new();
    let start = array![1.0_f32, -2.0, 1e-3];
    let (w, u) = (g.param("w", &start), g.param("u", &start));
    let (m, v, t) =
        (g.param("m", Array1::<f32>::zeros(3)), g.param("v", Array1::<f32>::zeros(3)), g.param("t", 0.0));
    let on = g.input("on", ndarray::arr0(1.0_f32));
    let with = Adam::new(0.01).minimize(w.square().sum() * on, w);
    let d = (u.square().sum() * on).grad(u);
    let (m1, v1, t1) = (m * 0.9 + d * (1.0 - 0.9), v * 0.999 + d.square() * (1.0 - 0.999), t + 1.0);
    let (c, root) = (-(t1 * 0.9_f64.ln()).exp_m1(), (-(t1 * 0.999_f64.ln()).exp_m1()).sqrt());
    let (rate, eps) = ((root / c * 0.01).cast::<f32>(), (root * 1e-8).cast::<f32>());
    let u1 = u - rate * m1 / (v1.sqrt() + eps);
    let without = [u.assign(u1), m.assign(m1), v.assign(v1)];
    let both = with.and(without).and(t.assign(t1));
    let mut program = g.compile((), both).unwrap();
    for step in 0..1500 {
        program.run().unwrap();
        if step == 100 {
            on.set_value(ndarray::arr0(0.0)).unwrap();
        }
        assert_eq!(w.value().unwrap(), u.value().unwrap(), "step {step}");
    }
    let left = m.value().unwrap();
    assert!(left.iter().any(|m| m.is_subnormal()), "without it the moments decay: {left}");
}

/// A network of one hidden layer, its cross-entropy and Adam, written out by hand.
struct ByHand {
    weights: [Array2<f64>; 2],
    biases: [Array1<f64>; 2],
    moments: Vec<(Array1<f64>, Array1<f64>)>,
    t: i32,
}

impl ByHand {
    fn step(&mut self, x: &Array2<f64>, classes: &Array1<i64>, rate: f64) -> f64 {
        let m = x.nrows();
        let z1 = x.dot(&self.weights[0]) + &self.biases[0];
        let a1 = z1.mapv(|z| z.max(0.0));
        let z2 = a1.dot(&self.weights[1]) + &self.biases[1];
        let mut d2 = Array2::zeros(z2.raw_dim());
        let mut cost = 0.0;
        for i in 0..m {
            let exp = z2.row(i).mapv(f64::exp);
            let p = &exp / exp.sum();
            let class = classes[i] as usize;
            cost -= p[class].ln() / m as f64;
            d2.row_mut(i).assign(&(&p / m as f64));
            d2[[i, class]] -= 1.0 / m as f64;
        }
        let d1 = d2.dot(&self.weights[1].t()) * z1.mapv(|z| f64::from(u8::from(z > 0.0)));
        let flat = |d: Array2<f64>| Array1::from_iter(d);
        let gradients = [
            flat(x.t().dot(&d1)),
            d1.sum_axis(ndarray::Axis(0)),
            flat(a1.t().dot(&d2)),
            d2.sum_axis(ndarray::Axis(0)),
        ];
        self.t += 1;
        let (c, d) = (1.0 - 0.9_f64.powi(self.t), 1.0 - 0.999_f64.powi(self.t));
        for (k, g) in gradients.iter().enumerate() {
            let (first, second) = &mut self.moments[k];
            *first = &*first * 0.9 + g * 0.1;
            *second = &*second * 0.999 + g * g * 0.001;
            let by = (&*first / c) / ((&*second / d).mapv(f64::sqrt) + 1e-8) * rate;
            match k {
                0 | 2 => self.weights[k / 2].iter_mut().zip(&by).for_each(|(w, by)| *w -= by),
                _ => self.biases[k / 2].iter_mut().zip(&by).for_each(|(b, by)| *b -= by),
            }
        }
        cost
    }
}

#[test]
fn a_small_classifier_trains_as_a_loop_by_hand() {
    let (m, n, hidden, out) = (16, 7, 5, 3);
    let mut rng = Rng(61);
    let mut matrix = |rows, columns| rng.array(&[rows, columns], -1.0, 1.0).into_dimensionality().unwrap();
    let (x_train, w1, w2): (Array2<f64>, Array2<f64>, Array2<f64>) =
        (matrix(m, n), matrix(n, hidden), matrix(hidden, out));
    let y_train = Array1::from_shape_fn(m, |i| (i * 7 % out) as i64);
    let mut plain = ByHand {
        weights: [w1.clone(), w2.clone()],
        biases: [Array1::zeros(hidden), Array1::zeros(out)],
        moments: [n * hidden, hidden, hidden * out, out].map(|n| (Array1::zeros(n), Array1::zeros(n))).into(),
        t: 0,
    };
    let g = Graph::new();
    let (x, y) = (g.input("x", &x_train), g.input("y", &y_train));
    let (w1, b1) = (g.param("w1", w1), g.param("b1", Array1::<f64>::zeros(hidden)));
    let (w2, b2) = (g.param("w2", w2), g.param("b2", Array1::<f64>::zeros(out)));
    let logits = (x.matmul(w1) + b1).relu().matmul(w2) + b2;
    let cost = logits.cross_entropy(y);
    let mut program = g.compile([cost], Adam::new(0.01).minimize(cost, [w1, b1, w2, b2])).unwrap();
    let mut last = f64::INFINITY;
    for step in 0..300 {
        let expected = plain.step(&x_train, &y_train, 0.01);
        let [found] = program.run().unwrap();
        last = found[[]];
        assert!((last - expected).abs() < 1e-10 * expected.max(1.0), "step {step}: {last}, not {expected}");
    }
    assert!(last < 1.0, "{last}");
}
