//! Random numbers: how they are distributed, that they are the same in every way to run, and when they change.

use gradus::check::Check;
use gradus::ops::{Level, Rng};
use gradus::optim::Sgd;
use gradus::prelude::*;
use gradus::{Graph, Program, Shape, Var};
use ndarray::{ArrayD, Axis};

use crate::support::panicked;

/// The statistic χ² of counts that are all expected to be as large, in standard deviations from its mean.
fn chi_square(counts: &[usize]) -> f64 {
    let expected = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    let sum: f64 = counts.iter().map(|&count| (count as f64 - expected).powi(2) / expected).sum();
    let degrees = counts.len() as f64 - 1.0;
    (sum - degrees) / (2.0 * degrees).sqrt()
}

/// How many of the numbers in [0, 1) are in each of so many parts.
fn counts(numbers: impl IntoIterator<Item = f64>, parts: usize) -> Vec<usize> {
    let mut counts = vec![0; parts];
    numbers.into_iter().for_each(|u| counts[(u * parts as f64) as usize] += 1);
    counts
}

/// Correlation of two samples, in standard deviations from 0.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (p, q) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(&a, &b)| f(a - p, b - q)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt() * n.sqrt()
}

/// Seed and number of runs.
fn held(rng: Rng<'_>) -> Vec<i64> {
    rng.state().value().unwrap().into_raw_vec_and_offset().0
}

const MANY: usize = 100_000;

#[test]
fn uniform_numbers_are_uniform_and_independent() {
    let g = Graph::new();
    let rng = g.rng("rng", 1);
    let (u, v) = (rng.random::<f64>([MANY]), rng.random::<f64>([MANY]));
    let mut both = g.compile([u, v], ()).unwrap();
    let [u, v] = both.run().unwrap().map(|view| view.iter().copied().collect::<Vec<f64>>());
    let [w, _] = both.run().unwrap().map(|view| view.iter().copied().collect::<Vec<f64>>());
    let other = Graph::new().rng("rng", 2).random::<f64>([MANY]).value().unwrap().into_raw_vec_and_offset().0;
    for sample in [&u, &v, &w, &other] {
        let moment = |k: i32| sample.iter().map(|u| u.powi(k)).sum::<f64>() / MANY as f64;
        for k in 1..=4 {
            let (mean, variance) =
                (1.0 / f64::from(k + 1), 1.0 / f64::from(2 * k + 1) - 1.0 / f64::from(k + 1).powi(2));
            let off = (moment(k) - mean) / (variance / MANY as f64).sqrt();
            assert!(off.abs() < 4.0, "moment {k}: {off}");
        }
        let off = chi_square(&counts(sample.iter().copied(), 1000));
        assert!(off.abs() < 4.0, "{off}");
        // The last bits too.
        let low = sample.iter().map(|u| (u * (1_u64 << 40) as f64).fract());
        assert!(chi_square(&counts(low, 512)).abs() < 4.0);
        // Pairs of neighbours in the unit square.
        let pairs = sample.chunks_exact(2).map(|pair| ((pair[0] * 30.0).floor() + pair[1]) / 30.0);
        assert!(chi_square(&counts(pairs, 900)).abs() < 4.0);
    }
    let pairs = [(&u, &v), (&u, &w), (&v, &w), (&u, &other)];
    assert!(pairs.iter().all(|(a, b)| correlation(a, b).abs() < 4.0));
    for lag in [1, 2, 3, 7, 64, 512] {
        assert!(correlation(&u[lag..], &u[..MANY - lag]).abs() < 4.0, "lag {lag}");
    }
}

#[test]
fn normal_numbers_are_normal() {
    let g = Graph::new();
    let rng = g.rng("rng", 3);
    let double = rng.standard_normal::<f64>([MANY]);
    let single = rng.standard_normal::<f32>([MANY]).cast::<f64>();
    for z in [double, single] {
        let phi = (0.5 * (1.0 + (z * 0.5_f64.sqrt()).erf())).value().unwrap();
        let z = z.value().unwrap().into_raw_vec_and_offset().0;
        let moment = |k: i32| z.iter().map(|z| z.powi(k)).sum::<f64>() / MANY as f64;
        // Mean and variance of the powers of a normal number.
        for (k, mean, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let off = (moment(k) - mean) / (variance / MANY as f64).sqrt();
            assert!(off.abs() < 4.0, "moment {k}: {off}");
        }
        assert!(chi_square(&counts(phi.iter().copied(), 500)).abs() < 4.0);
        let tail = z.iter().filter(|z| z.abs() > 3.0).count() as f64 - 0.002_699_8 * MANY as f64;
        assert!(tail.abs() < 4.0 * (0.0027 * MANY as f64).sqrt(), "{tail}");
        assert!(correlation(&z[1..], &z[..MANY - 1]).abs() < 4.0);
    }
}

#[test]
fn masks_and_integers_are_as_frequent_as_they_should_be() {
    let g = Graph::new();
    let rng = g.rng("rng", 4);
    for p in [0.0, 0.001, 0.3, 0.5, 0.99, 1.0] {
        let mask = rng.bernoulli(p, [MANY]).value().unwrap();
        let off = mask.iter().filter(|&&holds| holds).count() as f64 - p * MANY as f64;
        assert!(off.abs() <= 4.0 * (p * (1.0 - p) * MANY as f64).sqrt(), "{p}: {off}");
    }
    let p = g.constant(ndarray::array![0.0, 0.25, 1.0]);
    let shares = rng.bernoulli(p, [MANY / 10, 3]).cast::<f64>().mean_axis(0).value().unwrap();
    assert!(shares[0] == 0.0 && (shares[1] - 0.25).abs() < 0.02 && shares[2] == 1.0);
    for (low, high) in [(0, 1), (-3, 4), (5, 105), (-(1 << 40), 1 << 40)] {
        let drawn = rng.integers(low, high, [MANY]).value().unwrap();
        assert!(drawn.iter().all(|&i| low <= i && i < high));
        let parts = (high - low).min(100) as usize;
        let share = |&i: &i64| ((i - low) as f64 + 0.5) / (high - low) as f64;
        let counts = counts(drawn.iter().map(share), parts);
        assert!(parts == 1 || chi_square(&counts).abs() < 4.0);
    }
}

#[test]
fn permutations_are_permutations_and_each_is_as_likely() {
    let g = Graph::new();
    let rng = g.rng("rng", 6);
    let orders = rng.permutation([24_000, 4]).value().unwrap();
    let mut seen = std::collections::BTreeMap::new();
    for order in orders.outer_iter() {
        let order: Vec<i64> = order.iter().copied().collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
        *seen.entry(order).or_insert(0) += 1;
    }
    let counts: Vec<usize> = seen.into_values().collect();
    assert!(counts.len() == 24 && chi_square(&counts).abs() < 4.0, "{counts:?}");
    let x = g.input("x", ndarray::Array1::from_iter((0..50).map(f64::from)));
    let mut shuffle = g.compile(x.take(0, rng.permutation(x)), ()).unwrap();
    let (first, second) = (shuffle.run().unwrap().to_owned(), shuffle.run().unwrap().to_owned());
    assert!(first != second && first.sum() == 1225.0);
    let batch = array_of(7);
    assert_eq!(shuffle.run_with(&[x.feed(&batch)]).unwrap().sum(), 21.0);
}

fn array_of(n: usize) -> ndarray::Array1<f64> {
    (0..n).map(|i| i as f64).collect()
}

/// What is drawn must not change from release to release.
#[test]
fn the_numbers_of_a_seed_are_these() {
    let g = Graph::new();
    let rng = g.rng("rng", 2026);
    let u = rng.random::<f64>([4]).value().unwrap();
    let z = rng.standard_normal::<f64>([4]).value().unwrap();
    let w = rng.standard_normal::<f32>([2]).value().unwrap();
    assert_eq!(
        u.as_slice().unwrap(),
        [0.9232381278879938, 0.9069376564100097, 0.24676399224212953, 0.0596577956840626]
    );
    assert_eq!(
        z.as_slice().unwrap(),
        [-0.8523828861180125, -0.11105213085608602, -1.8037170633480188, 0.8743276643061114]
    );
    assert_eq!(w.as_slice().unwrap(), [-0.6397819, -0.21770684]);
}

/// A formula with draws of several sizes, as members of groups, of rows and of totals.
fn formula<'g>(g: &'g Graph, rng: Rng<'g>) -> [Var<'g>; 5] {
    let x = g.input("x", ndarray::Array2::from_shape_fn((37, 29), |(i, j)| (i * 29 + j) as f64 * 1e-3));
    let rows = x.sum_keepdims(1);
    let noise = rng.normal(rows * 0.1, 0.5, x);
    let kept = (x * noise).dropout(0.4, rng);
    let sparse = kept + rng.bernoulli(0.5, rows).select(rows, 0.0);
    let total = sparse.sum() + rng.random::<f64>(());
    let outer = rng.uniform(-1.0, total, [29, 5]);
    [kept, sparse, total, x.dot(outer).t() + rng.random::<f64>([5, 37]), rng.random::<f32>(x.t()).cast()]
}

fn runs<'g>(mut program: Program<'g, [Var<'g>; 5]>, rng: Rng<'g>) -> Vec<Vec<u64>> {
    rng.reseed(11);
    let mut all = Vec::new();
    for _ in 0..3 {
        all.extend(program.run().unwrap().map(|view| view.iter().map(|x| x.to_bits()).collect()));
    }
    all
}

#[test]
fn draws_are_the_same_in_every_way_to_run() {
    let g = Graph::new();
    let rng = g.rng("rng", 11);
    let formula = formula(&g, rng);
    let compile = || g.compile(formula, ()).unwrap();
    let expected = runs(compile(), rng);
    assert_ne!(expected[0], expected[5]);
    let draws = |found: &[Vec<u64>]| [found[0].clone(), found[4].clone(), found[9].clone()];
    // Products and functions differ in their last bits from level to level; what is drawn does not.
    let plain = runs(compile().plain(), rng);
    assert_eq!(draws(&plain), draws(&expected));
    for threads in [1, 2, 3] {
        assert_eq!(runs(compile().threads(threads).unwrap(), rng), expected);
    }
    for level in Level::available() {
        for block in [8, 64, 200, 4096, 1 << 20] {
            for fuse in [true, false] {
                let found = runs(compile().with_options(fuse, block, level), rng);
                assert_eq!(draws(&found), draws(&expected), "{fuse} {block} {level:?}");
            }
        }
    }
}

#[test]
fn large_draws_are_the_same_on_any_number_of_threads() {
    let g = Graph::new();
    let rng = g.rng("rng", 5);
    let z = rng.standard_normal::<f32>([1000, 1100]);
    let mut one = g.compile(z, ()).unwrap().threads(1).unwrap();
    let mut three = g.compile(z, ()).unwrap().threads(3).unwrap();
    let first = one.run().unwrap().to_owned();
    rng.reseed(5);
    assert_eq!(three.run().unwrap(), first);
}

#[test]
fn numbers_go_by_their_place_in_c_order() {
    let draw = |shape: &[usize]| {
        let g = Graph::new();
        let flat = g.rng("rng", 8).random::<f64>(Shape::from(shape)).value().unwrap();
        flat.into_raw_vec_and_offset().0
    };
    let line = draw(&[60]);
    assert_eq!(draw(&[3, 4, 5]), line);
    assert_eq!(draw(&[7]), line[..7]);
    assert_eq!(draw(&[]), line[..1]);
    assert_eq!(draw(&[3, 0]), []);
}

#[test]
fn every_run_advances_the_state_once() {
    let g = Graph::new();
    let rng = g.rng("rng", 7);
    let state = || held(rng);
    let x = g.input("x", ndarray::array![1.0, 2.0]);
    let w = g.param("w", 1.0);
    let draws = [rng.random::<f64>([2]), rng.random(x), rng.standard_normal([3])];
    let noisy = (w * x * draws[1]).sum();
    assert_eq!(state(), [7, 0]);
    draws.iter().for_each(|draw| _ = draw.value().unwrap());
    let gradient = noisy.grad(w).item().unwrap();
    assert_eq!(noisy.item().unwrap(), gradient);
    assert_eq!(state(), [7, 0], "a value is that of the next run");

    let mut all = g.compile(draws, ()).unwrap();
    let values: Vec<ArrayD<f64>> = draws.iter().map(|draw| draw.value().unwrap()).collect();
    assert_eq!(all.run().unwrap().map(|view| view.to_owned()).to_vec(), values);
    assert_eq!(state(), [7, 1]);
    assert_ne!(draws[0].value().unwrap(), values[0]);
    // Another program goes on where the first one is.
    let mut step = g.compile(noisy, Sgd::new(0.1).minimize(noisy, w)).unwrap();
    for runs in 2..5 {
        step.run().unwrap();
        assert_eq!(state(), [7, runs]);
    }
    // What draws nothing leaves it alone, and so does a failure.
    g.compile([x.sum(), rng.state().cast::<f64>().sum()], ()).unwrap().run().unwrap();
    let p = g.placeholder::<f64>("p", []);
    let mut unfed = g.compile(p + draws[0], ()).unwrap();
    assert!(unfed.run().is_err());
    assert_eq!(state(), [7, 4]);
    // An update of the state by hand is the one that counts.
    let mut back = g.compile(draws[0], [rng.state().assign(rng.state() - rng.state())]).unwrap();
    back.run().unwrap();
    assert_eq!(state(), [0, 0]);
}

#[test]
fn a_state_that_is_restored_repeats_what_followed() {
    let g = Graph::new();
    let rng = g.rng("rng", 9);
    let mut program = g.compile(rng.random::<f64>([5]), ()).unwrap();
    program.run().unwrap();
    let saved = rng.state().value().unwrap();
    let next: Vec<ArrayD<f64>> = (0..3).map(|_| program.run().unwrap().to_owned()).collect();
    rng.state().set_value(saved.clone()).unwrap();
    assert!(next.iter().all(|next| program.run().unwrap() == *next));
    // In another graph with the same formula too, whatever its seed was.
    let h = Graph::new();
    let other = h.rng("rng", 1);
    let mut program = h.compile(other.random::<f64>([5]), ()).unwrap();
    other.state().set_value(saved).unwrap();
    assert!(next.iter().all(|next| program.run().unwrap() == *next));
}

#[test]
fn a_formula_recorded_in_every_step_draws_on_and_is_compiled_once() {
    let g = Graph::new();
    let rng = g.rng("rng", 12);
    let w = g.param("w", ndarray::array![1.0, 2.0, 3.0]);
    let fixed = rng.random::<f64>([3]);
    let mark = g.mark();
    let mut seen: Vec<ArrayD<f64>> = Vec::new();
    for _ in 0..10 {
        let y = (w * 2.0).dropout(0.5, rng) + rng.standard_normal(w) * fixed;
        let mut program = g.compile(y, ()).unwrap();
        let value = program.run().unwrap().to_owned();
        assert!(!seen.contains(&value));
        seen.push(value);
        drop(program);
        g.truncate(mark);
    }
    assert_eq!(g.compilations(), 1);
    // The same numbers as those of a graph that stays.
    let h = Graph::new();
    let rng = h.rng("rng", 12);
    let w = h.param("w", ndarray::array![1.0, 2.0, 3.0]);
    let fixed = rng.random::<f64>([3]);
    let y = (w * 2.0).dropout(0.5, rng) + rng.standard_normal(w) * fixed;
    let mut program = h.compile(y, ()).unwrap();
    assert!(seen.iter().all(|seen| program.run().unwrap() == *seen));
}

#[test]
fn generators_with_another_seed_find_the_compiled_program() {
    let g = Graph::new();
    let mark = g.mark();
    for seed in 0..4 {
        let rng = g.rng("rng", seed);
        g.compile(rng.random::<f64>([3]), ()).unwrap().run().unwrap();
        g.truncate(mark);
    }
    assert_eq!(g.compilations(), 1);
}

#[test]
fn dropout_keeps_the_same_elements_in_every_derivative() {
    let g = Graph::new();
    let rng = g.rng("rng", 13);
    let x = g.input("x", ndarray::Array2::from_shape_fn((6, 7), |(i, j)| 0.1 + (i * 7 + j) as f64 * 0.05));
    let y = (x * x * x).dropout(0.3, rng);
    let scale = y / (x * x * x);
    let first = y.sum().grad(x);
    let second = first.sum().grad(x);
    let product = y.sum().hvp(x, g.constant(2.0));
    let forward = y.jvp(x, g.constant(1.0));
    let mut program = g.compile(
        [scale, first / (3.0 * x * x), second / (6.0 * x), product / (12.0 * x), forward / (3.0 * x * x)],
        (),
    );
    for _ in 0..3 {
        let [scale, others @ ..] = program.as_mut().unwrap().run().unwrap();
        assert!(scale.iter().any(|&s| s == 0.0) && scale.iter().any(|&s| (s - 1.0 / 0.7).abs() < 1e-12));
        for other in others {
            assert!(other.iter().zip(&scale).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }
    let report = Check::new().order(2).gradient(y, x).unwrap();
    assert!(report.error < 1e-8);
    assert_eq!(held(rng), [13, 3], "a check advances nothing");
}

#[test]
fn a_checkpoint_draws_the_same_again() {
    let gradient = |marked: bool| {
        let g = Graph::new();
        let rng = g.rng("rng", 14);
        let x = g.input("x", ndarray::Array2::<f64>::from_elem((20, 30), 0.4));
        let w = g.param("w", ndarray::Array2::<f64>::from_elem((20, 20), 0.1));
        let h = (0..4).fold(x, |h, layer| {
            let h = w.dot(h).tanh().dropout(0.5, rng);
            if marked && layer % 2 == 1 { h.checkpoint() } else { h }
        });
        let cost = h.square().sum();
        let mut step = g.compile([cost.grad(w)], [w.assign(w - 0.01 * cost.grad(w))]).unwrap();
        let mut gradients = Vec::new();
        for _ in 0..3 {
            gradients.push(step.run().unwrap()[0].to_owned());
        }
        assert_eq!(held(rng), [14, 3]);
        gradients
    };
    let (plain, marked) = (gradient(false), gradient(true));
    assert!(plain.iter().all(|dw| dw.iter().any(|&d| d != 0.0)));
    assert_eq!(plain, marked);
}

#[test]
fn dropout_at_both_ends() {
    let g = Graph::new();
    let rng = g.rng("rng", 15);
    let x = g.input("x", ndarray::array![1.0, f64::NAN, f64::INFINITY, -2.0]);
    assert_eq!(
        x.dropout(0.0, rng).slice(0, 2..).value().unwrap(),
        ndarray::array![f64::INFINITY, -2.0].into_dyn()
    );
    let none = x.dropout(1.0, rng);
    assert_eq!(none.value().unwrap(), ndarray::Array1::<f64>::zeros(4).into_dyn());
    assert_eq!(none.sum().grad(x).value().unwrap(), ndarray::Array1::<f64>::zeros(4).into_dyn());
    let single = g.input("s", ndarray::Array1::<f32>::ones(1000)).dropout(0.25, rng);
    assert!(single.value().unwrap().iter().all(|&y| y == 0.0 || y == 1.0 / 0.75));
}

#[test]
fn draws_follow_the_sizes_that_are_fed() {
    let g = Graph::new();
    let rng = g.rng("rng", 16);
    let x = g.input("x", ndarray::Array2::<f64>::ones((2, 3)));
    let mut program =
        g.compile([x.dropout(0.5, rng), rng.normal(x.sum_axis(0), 1.0, x.sum_axis(0))], ()).unwrap();
    program.run().unwrap();
    let batch = ndarray::Array2::<f64>::ones((50, 4));
    let [dropped, sums] = program.run_with(&[x.feed(&batch)]).unwrap();
    assert_eq!((dropped.shape(), sums.shape()), (&[50, 4][..], &[4][..]));
    assert!(dropped.sum_axis(Axis(0)).iter().all(|&sum| sum > 20.0 && sum < 80.0));
}

#[test]
fn gradients_flow_through_what_a_draw_is_made_of() {
    let g = Graph::new();
    let rng = g.rng("rng", 17);
    let (low, high) = (g.param("low", ndarray::array![-1.0, 0.5]), g.param("high", 2.0));
    let (mean, std) = (g.param("mean", 0.3), g.param("std", ndarray::array![0.5, 1.5]));
    let y = rng.uniform(low, high, [10, 2]) * rng.normal(mean, std, [10, 2]).sin();
    let report = Check::new().order(2).gradient(y, (low, high, mean, std)).unwrap();
    assert!(report.error < 1e-8);
    let error = rng.random::<f64>(low).sum().try_grad(low).unwrap_err();
    assert!(error.to_string().starts_with("`grad`: the result does not depend on `low`"), "{error}");
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let rng = g.rng("rng", 1);
    let x = g.input("x", ndarray::array![1.0, 2.0]);
    assert_eq!(panicked(|| x.dropout(1.5, rng)).text, "`dropout` requires a rate from 0 to 1, got 1.5");
    assert_eq!(panicked(|| x.dropout(f64::NAN, rng)).text, "`dropout` requires a rate from 0 to 1, got NaN");
    let panic = panicked(|| rng.integers(7, 7, ()));
    assert_eq!(panic.text, "`integers` requires low < high, got 7 and 7");
    assert!(panic.file.ends_with("random.rs"));
    let panic = panicked(|| rng.bernoulli(x, [3]));
    assert!(panic.text.starts_with("`lt` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)"));
    let panic = panicked(|| rng.permutation(()));
    assert!(panic.text.starts_with("`argsort` got axis -1 of an array with 0 axes"), "{}", panic.text);
    let panic = panicked(|| g.rng("x", 1));
    assert!(panic.text.starts_with("the name of a leaf must be unique, taken by `x`"));
    let h = Graph::new();
    let other = h.rng("rng", 1);
    assert!(panicked(|| x.dropout(0.5, other)).text.starts_with("`random` got a handle of another graph"));
    let mark = g.mark();
    let lost = g.rng("lost", 1);
    g.truncate(mark);
    assert!(panicked(|| lost.random::<f64>([2])).text.starts_with("`random` got a handle of a freed node"));
    assert!(panicked(|| lost.reseed(2)).text.starts_with("`set_value` got a handle of a freed node"));
    // Those of `bernoulli` and `permutation` were the first: a draw counts also where its use was refused.
    assert_eq!(rng.random::<f64>(x).to_string(), "rng.random(2)");
}
