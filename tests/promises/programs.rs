//! Programs: updates together, feeds, sizes, element types, freed leaves; and the tape: sharing, names, lines, length.

use gradus::optim::Sgd;
use gradus::{Error, Graph, Updates, Var, feed};
use ndarray::{Array1, Array2, ArrayD, Axis, arr0, array, s};

use crate::support::{Laid, Lie, Rng, assert_close};

#[test]
fn updates_are_applied_together() {
    let g = Graph::new();
    let (a, b) = (g.param("a", array![1.0, 2.0]), g.param("b", array![10.0, 20.0]));
    let mut swap = g.compile((a, a + b), [a.assign(b), b.assign(a)]).unwrap();
    for (left, right) in [(array![1.0, 2.0], array![10.0, 20.0]), (array![10.0, 20.0], array![1.0, 2.0])] {
        assert_eq!((a.value().unwrap(), b.value().unwrap()), (left.clone().into_dyn(), right.into_dyn()));
        // Outputs are of the values before.
        let (before, sum) = swap.run().unwrap();
        assert_eq!((before, sum), (left.view().into_dyn(), array![11.0, 22.0].view().into_dyn()));
    }
    // Fibonacci: each new value of both old ones.
    let (p, q) = (g.param("p", 0_i64), g.param("q", 1_i64));
    let mut next = g.compile((), Updates::from([p.assign(q)]).and(q.assign(p + q))).unwrap();
    for _ in 0..50 {
        next.run().unwrap();
    }
    assert_eq!(p.item().unwrap(), 12_586_269_025);
    // A transpose of itself, which cannot be done in place.
    let m = g.param("m", array![[1.0, 2.0], [3.0, 4.0]]);
    g.compile((), m.assign(m.t())).unwrap().run().unwrap();
    assert_eq!(m.value().unwrap(), array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
}

#[test]
fn after_an_error_nothing_has_changed() {
    let g = Graph::new();
    let (a, b) = (g.param("a", 1.0), g.param("b", 2.0));
    let x = g.placeholder::<f64>("x", [3]);
    let mut program = g.compile((), [a.assign(a + 1.0), b.assign(x.max())]).unwrap();
    let error = program.run_with(&[x.feed(&Array1::zeros(0))]).map(drop).unwrap_err();
    assert!(matches!(error, Error::AtRun { .. }), "{error}");
    assert!(matches!(program.run().unwrap_err(), Error::NotFed { .. }));
    assert_eq!((a.item().unwrap(), b.item().unwrap()), (1.0, 2.0));
    program.run_with(&[x.feed(&array![5.0, 7.0])]).unwrap();
    assert_eq!((a.item().unwrap(), b.item().unwrap()), (2.0, 7.0));
}

#[test]
fn a_last_smaller_batch() {
    let mut rng = Rng(31);
    let (data, targets) = (rng.array(&[4, 70], -1.0, 1.0), rng.array(&[1, 70], -1.0, 1.0));
    let g = Graph::new();
    let (x, y) = (g.placeholder::<f64>("x", [4, 32]), g.placeholder::<f64>("y", [1, 32]));
    let w = g.param("w", Array2::<f64>::zeros((4, 1)));
    let cost = (w.t().dot(x) - y).square().mean();
    let mut step = g.compile(cost, Sgd::new(0.1).minimize(cost, w)).unwrap();
    let mut plain = Array2::<f64>::zeros((4, 1));
    for _ in 0..20 {
        for start in [0, 32, 64] {
            let batch = |all: &ArrayD<f64>| {
                let end = (start + 32).min(70);
                all.slice_axis(Axis(1), (start..end).into())
                    .to_owned()
                    .into_dimensionality::<ndarray::Ix2>()
                    .unwrap()
            };
            let (x_batch, y_batch) = (batch(&data), batch(&targets));
            let found = step.run_with(&[x.feed(&x_batch), y.feed(&y_batch)]).unwrap()[[]];
            let error = plain.t().dot(&x_batch) - &y_batch;
            assert!((found - (&error * &error).mean().unwrap()).abs() < 1e-12);
            plain = &plain - 0.1 * 2.0 / x_batch.ncols() as f64 * x_batch.dot(&error.t());
            assert_close(&w.value().unwrap(), &plain.clone().into_dyn(), 1e-12);
        }
    }
}

#[test]
fn more_sizes_than_a_program_remembers() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [1]);
    let mut program = g.compile((x.sum(), x * 2.0), ()).unwrap();
    for n in (0..30).chain((0..30).rev()).chain([7, 3, 7, 29, 0]) {
        let array = Array1::from_iter((0..n).map(f64::from));
        let (sum, double) = program.run_with(&[x.feed(&array)]).unwrap();
        assert_eq!(sum[[]], f64::from(n * (n - 1).max(0) / 2));
        assert_eq!(double, (2.0 * &array).into_dyn());
    }
}

#[test]
fn outputs_of_mixed_types() {
    let g = Graph::new();
    let x = g.input("x", array![1.0_f64, -2.0, 3.0]);
    let y = g.input("y", array![0.5_f32]);
    let outputs = ((x.gt(0.0), x.argmax()), [y * y, y], vec![x.sum()], x, g.constant(4.0), ());
    let mut program = g.compile(outputs, ()).unwrap();
    for _ in 0..2 {
        let ((mask, best), [square, same], sum, itself, four, ()) = program.run().unwrap();
        assert_eq!(mask, array![true, false, true].into_dyn());
        assert_eq!(best[[]], 2_i64);
        assert_eq!((square[[0]], same[[0]]), (0.25_f32, 0.5_f32));
        assert_eq!((sum[0][[]], four[[]]), (2.0, 4.0));
        assert_eq!(itself, array![1.0, -2.0, 3.0].into_dyn());
    }
    // The same node more than once, and views of one another.
    let z = x * 3.0;
    let mut program = g.compile([z, z, z.reshape([3, 1]), z.expand_dims(0).t()], ()).unwrap();
    let [one, two, column, other] = program.run().unwrap();
    assert_eq!(one, two);
    assert_eq!(column.shape(), [3, 1]);
    assert_eq!(column, other);
}

#[test]
fn programs_share_parameters() {
    let g = Graph::new();
    let (x, w) = (g.input("x", array![1.0, 2.0]), g.param("w", array![0.5_f64, 0.5]));
    let y = (w * x).sum();
    let cost = (y - 4.0).square();
    let mut train = g.compile(cost, Sgd::new(0.05).minimize(cost, w)).unwrap();
    let mut predict = g.compile(y, ()).unwrap();
    let mut last = f64::INFINITY;
    for _ in 0..20 {
        let now = train.run().unwrap()[[]];
        assert!(now < last);
        last = now;
        let w = w.value().unwrap();
        assert!((predict.run().unwrap()[[]] - (w[[0]] + 2.0 * w[[1]])).abs() < 1e-15);
    }
    // A parameter that is set from outside is seen by both.
    w.set_value(array![4.0, 0.0]).unwrap();
    assert_eq!((predict.run().unwrap()[[]], train.run().unwrap()[[]]), (4.0, 0.0));
    // An input that is set stays; one that is fed does not.
    let mut at = |x: Var<'_>, fed: f64| {
        predict.run_with(&[feed("x", &array![fed, 0.0])]).map(|y| y[[]]).unwrap()
            + 0.0 * x.sum().item().unwrap()
    };
    assert_eq!(at(x, 10.0), 40.0);
    assert_eq!(predict.run().unwrap()[[]], 4.0);
    x.set_value(array![2.0, 0.0]).unwrap();
    assert_eq!(predict.run().unwrap()[[]], 8.0);
}

#[test]
fn a_fed_parameter_does_not_stay() {
    let g = Graph::new();
    let w = g.param("w", array![1.0, 2.0]);
    let mut double = g.compile(w * 2.0, ()).unwrap();
    assert_eq!(double.run_with(&[w.feed(&array![5.0, 6.0])]).unwrap(), array![10.0, 12.0].into_dyn());
    assert_eq!(double.run().unwrap(), array![2.0, 4.0].into_dyn());
    // With an update, the fed value is the old one.
    let mut step = g.compile(w, w.assign(w + 1.0)).unwrap();
    assert_eq!(step.run_with(&[w.feed(&array![5.0, 6.0])]).unwrap(), array![5.0, 6.0].into_dyn());
    assert_eq!(w.value().unwrap(), array![6.0, 7.0].into_dyn());
}

#[test]
fn feeds_are_read_as_they_lie() {
    let mut rng = Rng(32);
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 4]);
    // Elementwise, reduced along both axes, in a product from both sides, rearranged, and itself.
    let outputs = (
        x.exp() + 1.0,
        x.sum_axis(0),
        x.sum_axis(1),
        x.dot(x.t()),
        x.t().dot(x),
        (x.reshape([2, -1]), x.t(), x),
    );
    let mut program = g.compile(outputs, ()).unwrap();
    // One program, each lie after each other: a plan for one must not be used for another.
    for (lie, next) in Lie::ALL.into_iter().flat_map(|lie| Lie::ALL.map(|next| (lie, next))) {
        for lie in [lie, next] {
            for shape in [[3, 4], [2, 1], [1, 2]] {
                let laid = Laid::new(rng.array(&shape, -1.0, 1.0), lie);
                let a = laid.view().to_owned().into_dimensionality::<ndarray::Ix2>().unwrap();
                let result = program.run_with(&[x.feed(&laid.view())]).unwrap();
                let (exp, columns, rows, outer, inner, (flat, turned, itself)) = result;
                assert_close(&exp.to_owned(), &(a.mapv(f64::exp) + 1.0).into_dyn(), 1e-14);
                assert_close(&columns.to_owned(), &a.sum_axis(Axis(0)).into_dyn(), 1e-14);
                assert_close(&rows.to_owned(), &a.sum_axis(Axis(1)).into_dyn(), 1e-14);
                assert_close(&outer.to_owned(), &a.dot(&a.t()).into_dyn(), 1e-14);
                assert_close(&inner.to_owned(), &a.t().dot(&a).into_dyn(), 1e-14);
                assert_eq!(flat, a.to_shape((2, a.len() / 2)).unwrap().into_dyn());
                assert_eq!((turned, itself), (a.t().into_dyn(), a.view().into_dyn()));
            }
        }
    }
    // Values that are set, too.
    let y = g.input("y", array![[1.0_f64, 2.0], [3.0, 4.0]].reversed_axes());
    assert_eq!((y * 1.0).value().unwrap(), array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
    y.set_value(array![[1.0, 2.0, 9.0], [3.0, 4.0, 9.0]].slice(s![.., ..2;-1])).unwrap();
    assert_eq!((y * 1.0).value().unwrap(), array![[2.0, 1.0], [4.0, 3.0]].into_dyn());
}

#[test]
fn a_freed_leaf_stops_its_programs() {
    let g = Graph::new();
    let x = g.input("x", 1.0);
    let mark = g.mark();
    let y = g.input("y", 2.0);
    let z = x * 3.0;
    let mut with_leaf = g.compile(x * y, ()).unwrap();
    let mut without = g.compile(z, ()).unwrap();
    let w = g.param("w", 5.0);
    let mut update = g.compile((), w.assign(w * x)).unwrap();
    g.truncate(mark);
    // Leaves of the same names are others.
    let _ = (g.input("y", 2.0), g.param("w", 5.0));
    assert_eq!(with_leaf.run().map(drop).unwrap_err(), Error::Freed { op: "run" });
    assert_eq!(update.run().map(drop).unwrap_err(), Error::Freed { op: "run" });
    // What was only in between, a program has taken along.
    assert_eq!(without.run().unwrap()[[]], 3.0);
}

#[test]
fn the_same_numbers_in_every_run() {
    let mut rng = Rng(33);
    let g = Graph::new();
    let x = g.input("x", rng.array(&[37, 129], -1.0, 1.0));
    let cost = (x.dot(x.t()).tanh().mean() + x.exp().sum_axis(0).ln().sum()).square();
    let bits = || {
        let mut program = g.compile((cost, cost.grad(x)), ()).unwrap();
        (0..3)
            .map(|_| {
                let (cost, dx) = program.run().unwrap();
                (cost[[]].to_bits(), dx.iter().map(|d| d.to_bits()).collect::<Vec<_>>())
            })
            .collect::<Vec<_>>()
    };
    let runs = [bits(), bits()].concat();
    assert!(runs.iter().all(|run| *run == runs[0]));
}

#[test]
fn equal_expressions_are_one_node() {
    let g = Graph::new();
    let (x, y) = (g.input("x", array![1.0, 2.0]), g.input("y", array![3.0, 4.0]));
    let mark = g.len();
    let _ = x * x;
    assert_eq!(g.len(), mark + 1);
    let _ = x * x;
    assert_eq!(g.len(), mark + 1);
    let _ = x * y; // and its operands the other way round are another
    let _ = y * x;
    assert_eq!(g.len(), mark + 3);
    let once = |record: &dyn Fn()| {
        record();
        let length = g.len();
        record();
        assert_eq!(g.len(), length);
    };
    once(&|| _ = x.sum_axis(0));
    once(&|| _ = x.powi(3) + x.powf(3.0));
    once(&|| _ = 2.0 * x + 2.0);
    once(&|| _ = x.sum_axis(-1)); // as sum_axis(0)
    once(&|| _ = x.reshape([2, 1]).dot(y.expand_dims(0)));
    once(&|| _ = (x * y).sum().grad([x, y]));
    once(&|| _ = x.gt(0.0).select(x, y).cast::<f32>());
    // Attributes and zeros are told apart by their bits; leaves and arrays by identity.
    let (zero, minus_zero) = (g.constant(0.0), g.constant(-0.0));
    let length = g.len();
    let _ = (x.leaky_relu(0.1), x.leaky_relu(0.2), x + zero, x + minus_zero);
    assert_eq!(g.len(), length + 4);
    let _ = (g.constant(array![1.0]), g.constant(array![1.0]));
    assert_eq!(g.len(), length + 6);
}

#[test]
fn names() {
    let g = Graph::new();
    let (x, line) = (g.input("x", 1.0), line!());
    let y = (x + 1.0).named("y");
    assert_eq!((x.name(), y.name(), (x * 2.0).name()), (Some("x".into()), Some("y".into()), None));
    // A node keeps the first; the second is no leaf's name, so it may be one.
    assert_eq!((x + 1.0).named("again").name(), Some("y".into()));
    assert_eq!(y.exp().to_string(), "y.exp()");
    assert_eq!(g.input("y", 2.0).item().unwrap(), 2.0);
    assert_eq!(g.find("x").map(|x| x.shape()), Some(x.shape()));
    assert!(g.find("again").is_none());
    assert_eq!(format!("{x:?}"), format!("Var(`x` () from {}:{line})", file!()));
}

#[test]
fn lines() {
    let g = Graph::new();
    let here = |e: Var<'_>| (e.origin().0.file(), e.origin().0.line());
    let (x, first) = (g.input("x", array![1.0, 2.0]), line!());
    assert_eq!(here(x), (file!(), first));
    let (y, second) = (x * x, line!());
    let (again, third) = (x * x, line!());
    let (_, fourth) = (x * x, line!());
    let _ = x * x;
    assert_eq!(here(again), (file!(), second));
    // A node remembers three of them.
    assert_eq!(y.origins().iter().map(|at| at.0.line()).collect::<Vec<_>>(), [second, third, fourth]);
    // A gradient's node has the line of the node that it is the derivative of.
    let (z, exp) = (x.exp(), line!());
    let (cost, sum) = (z.sum(), line!());
    let gradient = cost.grad(x);
    assert!([exp, sum].contains(&here(gradient).1), "{:?}", here(gradient));
}

#[test]
fn lines_are_the_users() {
    // Whatever a method records inside, its nodes have a line of the user's.
    let g = Graph::new();
    let (x, w) = (g.input("x", array![1.0, 2.0]), g.param("w", array![1.0, 2.0]));
    let cost = (w * x).sigmoid().ln().sum();
    let of = |e: Var<'_>| e.origin().0.file();
    assert_eq!(of(cost.grad(w)), file!());
    assert_eq!(of(x.stop_gradient().sum().grad(x)), file!());
    assert_eq!(of(x.sum().grad_or_zeros(w)), file!());
    assert_eq!(of(x.sum().grad(x)), file!());
    let y = g.placeholder::<f64>("y", [2]);
    let cost = (w * y.sum_axis(0)).sum() + y.dot(w);
    let mut step = g.compile((), Sgd::new(0.1).minimize(cost, w)).unwrap();
    let error = step.run_with(&[y.feed(&array![1.0, 2.0, 3.0])]).map(drop).unwrap_err().to_string();
    assert!(!error.contains("from src/"), "{error}");
    let minimize = Sgd::new(0.1).minimize(w.square().sum(), w);
    assert!(!format!("{minimize:?}").contains("from src/"), "{minimize:?}");
}

/// Runs `body` in a thread with a stack of a few pages.
fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 * 1024).spawn(body).unwrap().join().unwrap();
}

#[test]
fn a_chain_of_a_million_nodes() {
    on_a_small_stack(|| {
        let g = Graph::new();
        let x = g.input("x", 0.5);
        // A step that neither grows nor shrinks, so that the derivative at the end is still a number of size 1.
        let y = (0..350_000).fold(x, |y, _| y + 1e-6 * y.sin());
        assert!(g.len() > 1_000_000, "{}", g.len());
        let gradient = y.grad(x);
        let mut program = g.compile((y, gradient), ()).unwrap();
        let (value, slope) = program.run().unwrap();
        // The same loop with numbers.
        let (v, d) =
            (0..350_000).fold((0.5_f64, 1.0_f64), |(v, d), _| (v + 1e-6 * v.sin(), d + 1e-6 * v.cos() * d));
        assert!((value[[]] - v).abs() < 1e-10 && v > 0.6, "{value}, not {v}");
        assert!((slope[[]] - d).abs() < 1e-9 && d > 1.2, "{slope}, not {d}");
        drop(program);
        drop(g);
    });
}

#[test]
fn deep_formulas_print_and_fail_on_a_small_stack() {
    on_a_small_stack(|| {
        let g = Graph::new();
        let x = g.input("x", array![0.5]);
        let y = (0..20_000).fold(x, |y, _| y.sin());
        assert!(y.to_string().ends_with(".sin()"));
        // Sharing is printed with names: as a tree this one would have 2³⁰ leaves.
        let z = (0..30).fold(x, |z, _| z * z + z);
        assert!(z.to_string().len() < 10_000);
        let w = g.input("w", 1.0);
        assert!(matches!(y.sum().try_grad(w), Err(Error::Unreachable { .. })));
        let flat = (0..20_000).fold(x.gt(0.0).cast::<f64>(), |y, _| y.sin());
        assert!(matches!(flat.sum().try_grad(x), Err(Error::NoDerivative { .. })));
        g.truncate(g.mark());
    });
}

#[test]
fn a_scalar_is_fed_as_an_array_of_no_axes() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", []);
    let mut program = g.compile(x.exp(), ()).unwrap();
    assert_eq!(program.run_with(&[x.feed(&arr0(0.0))]).unwrap()[[]], 1.0);
}
