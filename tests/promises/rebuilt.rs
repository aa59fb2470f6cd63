//! A formula that is recorded again finds what was compiled for it, and nothing else does.

use std::time::{Duration, Instant};

use gradus::optim::Sgd;
use gradus::prelude::*;
use gradus::{Error, Expr};
use ndarray::{Array2, array};

/// A small network, differentiated, and its step run once.
fn step<'g>(g: &'g Graph, x: Var<'g>, w: Var<'g>, b: Var<'g>) -> f64 {
    let cost = ((w.dot(x) + b).sigmoid() - 0.25).square().mean();
    let mut step = g.compile([cost], Sgd::new(0.5).minimize(cost, [w, b])).unwrap();
    let [cost] = step.run().unwrap();
    cost[[]]
}

#[test]
fn a_graph_rebuilt_in_every_step_is_compiled_once() {
    let train = |rebuild: bool| -> Vec<f64> {
        let g = Graph::new();
        let x = g.input("x", array![[1.0, -2.0, 0.5], [0.25, 1.0, 3.0]]);
        let (w, b) = (g.param("w", array![[0.1, -0.2]]), g.param("b", array![[0.0]]));
        let mark = g.mark();
        let mut costs = Vec::new();
        for _ in 0..20 {
            costs.push(step(&g, x, w, b));
            if rebuild {
                g.truncate(mark);
            }
        }
        assert_eq!(g.compilations(), 1);
        costs
    };
    let costs = train(true);
    assert!(costs[19] < 0.5 * costs[0], "{costs:?}");
    assert_eq!(costs, train(false));
}

#[test]
fn leaves_may_be_rebuilt_too_and_have_their_new_values() {
    let g = Graph::new();
    let w = g.param("w", array![2.0, 3.0]);
    let mark = g.mark();
    for i in 0..10 {
        let x = g.input("x", array![f64::from(i), 1.0]);
        let y = (w * x).sum() + g.constant(array![f64::from(i), 0.0]).sum();
        assert_eq!(y.item().unwrap(), 3.0 * f64::from(i) + 3.0);
        let mut double = g.compile(y, [w.assign(w * 1.0)]).unwrap();
        assert_eq!(double.run_with(&[x.feed(&array![0.0, 0.0])]).unwrap()[[]], f64::from(i));
        drop(double);
        g.truncate(mark);
    }
    assert_eq!(g.compilations(), 2);
}

#[test]
fn values_read_again_are_compiled_once() {
    let g = Graph::new();
    let x = g.input("x", 3.0);
    let y = x.square() + 1.0;
    for i in 0..10 {
        x.set_value(f64::from(i)).unwrap();
        assert_eq!(y.item().unwrap(), f64::from(i * i + 1));
    }
    assert_eq!(g.compilations(), 1);
}

/// A formula of two variables.
type Formula<'a> = &'a dyn for<'g> Fn(Var<'g>, Var<'g>) -> Var<'g>;

/// Records one formula after the other in place of the first, on one line, and gives the value of each.
fn values(formulas: &[Formula<'_>]) -> Vec<Vec<f64>> {
    let g = Graph::new();
    let (x, y) = (g.input("x", array![[1.0, 2.0], [3.0, 5.0]]), g.input("y", array![[7.0, 1.5], [2.0, 4.0]]));
    let mark = g.mark();
    let mut values = Vec::new();
    for formula in formulas {
        let value = formula(x, y).value().unwrap();
        values.push(value.iter().copied().collect());
        g.truncate(mark);
    }
    assert_eq!(g.compilations(), formulas.len());
    values
}

#[test]
fn attributes_literals_and_the_order_of_operands_tell_formulas_apart() {
    fn along<'g>(x: Var<'g>, axis: i32) -> Var<'g> {
        x.sum_axis(axis)
    }
    fn plus<'g>(x: Var<'g>, number: f64) -> Var<'g> {
        x + number
    }
    fn minus<'g>(a: Var<'g>, b: Var<'g>) -> Var<'g> {
        a - b
    }
    assert_eq!(values(&[&|x, _| along(x, 0), &|x, _| along(x, 1)]), [[4.0, 7.0], [3.0, 8.0]]);
    let sums =
        values(&[&|x, _| plus(x, 0.5), &|x, _| plus(x, 0.25), &|x, _| plus(x, -0.0), &|x, _| plus(x, 0.0)]);
    assert_eq!(sums[0], [1.5, 2.5, 3.5, 5.5]);
    assert_eq!(sums[1], [1.25, 2.25, 3.25, 5.25]);
    let differences = values(&[&|x, y| minus(x, y), &|x, y| minus(y, x), &|x, _| minus(x, x)]);
    assert_eq!(differences[0], [-6.0, 0.5, 1.0, 1.0]);
    assert_eq!(differences[1], [6.0, -0.5, -1.0, -1.0]);
    assert_eq!(differences[2], [0.0; 4]);
}

#[test]
fn element_types_kinds_and_shapes_of_leaves_tell_formulas_apart() {
    let g = Graph::new();
    let mark = g.mark();
    fn compile<'g>(e: Expr<'g>) -> f64 {
        let twice = e.graph().apply(gradus::ops::Op::Binary(gradus::ops::Binary::Add), &[e, e]).unwrap();
        match twice.dtype() {
            gradus::DType::F32 => f64::from(twice.typed::<f32>().unwrap().value().unwrap().sum()),
            gradus::DType::I64 => twice.typed::<i64>().unwrap().value().unwrap().sum() as f64,
            _ => twice.typed::<f64>().unwrap().value().unwrap().sum(),
        }
    }
    let leaves: [&dyn for<'g> Fn(&'g Graph) -> Expr<'g>; 6] = [
        &|g| g.input("x", array![1.0, 2.0]).erase(),
        &|g| g.input("x", array![1.0_f32, 2.0]).erase(),
        &|g| g.input("x", array![1_i64, 2]).erase(),
        &|g| g.input("x", array![[1.0, 2.0]]).erase(),
        &|g| g.input("x", array![1.0, 1.0, 1.0]).erase(),
        &|g| g.param("x", array![1.0, 2.0]).erase(),
    ];
    for (i, leaf) in leaves.iter().enumerate() {
        assert_eq!(compile(leaf(&g)), 6.0);
        assert_eq!(g.compilations(), i + 1);
        g.truncate(mark);
    }
}

#[test]
fn outputs_and_updates_tell_programs_apart() {
    let g = Graph::new();
    let (v, w) = (g.param("v", 1.0), g.param("w", 2.0));
    let (sum, product) = (v + w, v * w);
    let compile = |outputs: [Var<'_>; 2]| {
        let mut program = g.compile(outputs, ()).unwrap();
        let [a, b] = program.run().unwrap();
        [a[[]], b[[]]]
    };
    assert_eq!(compile([sum, product]), [3.0, 2.0]);
    assert_eq!(compile([product, sum]), [2.0, 3.0]);
    assert_eq!(compile([sum, sum]), [3.0, 3.0]);
    assert_eq!(g.compilations(), 3);
    g.compile((), [v.assign(sum)]).unwrap().run().unwrap();
    assert_eq!((v.item().unwrap(), w.item().unwrap()), (3.0, 2.0));
    g.compile((), [w.assign(sum)]).unwrap().run().unwrap();
    assert_eq!((v.item().unwrap(), w.item().unwrap()), (3.0, 5.0));
    g.compile((), [w.assign(sum), v.assign(product)]).unwrap().run().unwrap();
    assert_eq!((v.item().unwrap(), w.item().unwrap()), (15.0, 8.0));
    g.compile((), [v.assign(product), w.assign(sum)]).unwrap().run().unwrap();
    assert_eq!((v.item().unwrap(), w.item().unwrap()), (120.0, 23.0));
    assert_eq!(g.compilations(), 7);
}

#[test]
fn two_living_programs_of_one_structure_share_no_memory() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let y = x.square() * 0.5;
    let mut programs = [(); 2].map(|()| g.compile(y, ()).unwrap());
    let [first, second] = &mut programs;
    let before = first.run().unwrap();
    let other = second.run_with(&[x.feed(&array![6.0, 4.0])]).unwrap();
    assert_eq!(other, array![18.0, 8.0].into_dyn());
    assert_eq!(before, array![0.5, 2.0].into_dyn());
    assert_eq!(g.compilations(), 2);
    drop(programs);
    let _both = [(); 2].map(|()| g.compile(y, ()).unwrap());
    assert_eq!(g.compilations(), 2);
}

#[test]
fn errors_name_the_line_and_the_name_of_this_recording() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let mark = g.mark();
    let line = |named: bool| {
        let y = if named { (x + array![1.0, 2.0]).named("y") } else { x + array![1.0, 2.0] };
        let origin = y.origin();
        x.set_value(array![1.0, 2.0, 3.0]).unwrap();
        let error = y.value().unwrap_err();
        x.set_value(array![1.0, 2.0]).unwrap();
        g.truncate(mark);
        let Error::AtRun { node, .. } = error else { panic!("{error}") };
        assert_eq!(node.origin, origin);
        node.name
    };
    for _ in 0..2 {
        assert_eq!(line(false), "+");
        assert_eq!(line(true), "y");
    }
    assert_eq!(g.compilations(), 2);
}

#[test]
fn a_program_with_options_leaves_nothing_for_others() {
    let g = Graph::new();
    let x = g.input("x", 2.0);
    let y = x.exp().ln();
    let program = g.compile(y, ()).unwrap().with_options(false, 64, gradus::ops::Level::detect());
    assert_eq!({ program }.run().unwrap()[[]], 2.0);
    assert_eq!(y.item().unwrap(), 2.0);
    assert_eq!(g.compilations(), 2);
}

#[test]
fn the_latest_thirty_two_are_kept() {
    let g = Graph::new();
    let x = g.input("x", 1.0);
    let mark = g.mark();
    let read = |number: usize| {
        assert_eq!((x + number as f64).item().unwrap(), number as f64 + 1.0);
        g.truncate(mark);
        g.compilations()
    };
    assert_eq!((0..100).map(read).last(), Some(100));
    assert_eq!((68..100).map(read).last(), Some(100));
    assert_eq!(read(67), 101);
}

#[test]
fn compiling_leaves_the_tape_as_it_was() {
    let g = Graph::new();
    let (x, w) = (g.input("x", array![[1.0, -2.0]]), g.param("w", array![[0.5], [3.0]]));
    let a = x.dot(w).sigmoid();
    let cost = -(a.ln() + (1.0 - a).ln()).mean();
    let updates = Sgd::new(0.1).minimize(cost, w);
    let length = g.len();
    let mut step = g.compile([cost], updates).unwrap();
    step.run().unwrap();
    assert_eq!(g.len(), length);
    assert_eq!(g.compilations(), 1);
}

/// How long it takes to compile a formula of so many nodes.
fn compile_time(nodes: usize) -> Duration {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::ones((2, 2)));
    let mut y = x;
    while g.len() < nodes {
        y = (y * x).tanh() + 0.5;
    }
    let start = Instant::now();
    let _program = g.compile(y, ()).unwrap();
    start.elapsed()
}

#[test]
fn compiling_grows_linearly() {
    let (mut short, mut long) = (Duration::MAX, Duration::MAX);
    // The shortest of at least five times, and of more where the machine has something else to do.
    for round in 0..40 {
        short = short.min(compile_time(20_000));
        long = long.min(compile_time(80_000));
        if round >= 4 && long < 8 * short {
            return;
        }
    }
    panic!("20,000 nodes in {short:?}, 80,000 in {long:?}");
}
