//! Programs and tapes: updates, batches, long chains, and memory that stays flat.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicIsize, Ordering};

use gradus::ndarray::{Array1, ArrayD, Axis, s};
use gradus::optim::Sgd;
use gradus::prelude::*;

/// How many bytes are allocated now.
static BYTES: AtomicIsize = AtomicIsize::new(0);
/// Tests that count bytes run alone.
static ALONE: Mutex<()> = Mutex::new(());

struct Counting;

#[allow(unsafe_code)]
// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller vouches.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[test]
fn updates_see_old_values_only() {
    let _alone = alone();
    let g = Graph::new();
    let (a, b) = (g.param("a", 1.0), g.param("b", 2.0));
    let mut swap = g.compile([a, b, a + b], [a.assign(b), b.assign(a)]).unwrap();
    for (x, y) in [(1.0, 2.0), (2.0, 1.0), (1.0, 2.0)] {
        let [p, q, sum] = swap.run().unwrap();
        assert_eq!((p[[]], q[[]], sum[[]]), (x, y, 3.0));
    }
    assert_eq!((a.item().unwrap(), b.item().unwrap()), (2.0, 1.0));
}

#[test]
fn an_error_changes_nothing() {
    let _alone = alone();
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3]);
    let w = g.param("w", array![1.0, 2.0, 3.0]);
    let mut step = g.compile((), w.assign(w + x)).unwrap();
    assert!(step.run().is_err());
    assert!(step.run_with(&[x.feed(&array![1.0, 2.0])]).is_err());
    assert_eq!(w.value().unwrap(), array![1.0, 2.0, 3.0].into_dyn());
    step.run_with(&[x.feed(&array![1.0])]).unwrap();
    assert_eq!(w.value().unwrap(), array![2.0, 3.0, 4.0].into_dyn());
}

#[test]
fn a_last_smaller_batch_needs_no_other_program() {
    let _alone = alone();
    let data = Array2::from_shape_fn((3, 10), |(i, j)| (i * 10 + j) as f64 * 0.1 - 1.0);
    let target = Array2::from_shape_fn((1, 10), |(_, j)| (j % 2) as f64);
    let train = |feed: &dyn Fn(usize, usize) -> (Array2<f64>, Array2<f64>), ends: &[(usize, usize)]| {
        let g = Graph::new();
        // Recorded with a single example: nothing may keep that size.
        let (x, y) = (g.placeholder::<f64>("x", [3, 1]), g.placeholder::<f64>("y", [1, 1]));
        let (w, b) = (g.param("w", array![[0.1], [0.2], [0.3]]), g.param("b", array![[0.5]]));
        let a = (w.t().dot(x) + b).sigmoid();
        let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
        let mut step = g.compile(cost, Sgd::new(0.3).minimize(cost, [w, b])).unwrap();
        let mut costs = Vec::new();
        for &(from, to) in ends {
            let (p, q) = feed(from, to);
            costs.push(step.run_with(&[x.feed(&p), y.feed(&q)]).unwrap()[[]]);
        }
        (costs, w.value().unwrap(), b.value().unwrap())
    };
    let slice = |from: usize, to: usize| {
        (data.slice(s![.., from..to]).to_owned(), target.slice(s![.., from..to]).to_owned())
    };
    let (costs, w, b) = train(&slice, &[(0, 4), (4, 8), (8, 10), (0, 4), (4, 8), (8, 10), (9, 10)]);
    // The same by hand.
    let mut v = Array1::from(vec![0.1, 0.2, 0.3]);
    let mut c = 0.5;
    for (i, (from, to)) in [(0, 4), (4, 8), (8, 10), (0, 4), (4, 8), (8, 10), (9, 10)].into_iter().enumerate()
    {
        let (p, q) = slice(from, to);
        let z = v.dot(&p) + c;
        let a = z.mapv(|z| 1.0 / (1.0 + (-z).exp()));
        let q = q.index_axis(Axis(0), 0).to_owned();
        let cost = -(&q * &a.mapv(f64::ln) + (1.0 - &q) * a.mapv(|a| (1.0 - a).ln())).mean().unwrap();
        assert!((cost - costs[i]).abs() < 1e-14);
        let dz = (&a - &q) / (to - from) as f64;
        v = v - 0.3 * p.dot(&dz);
        c -= 0.3 * dz.sum();
    }
    assert!(w.iter().zip(&v).all(|(w, v)| (w - v).abs() < 1e-14) && (b[[0, 0]] - c).abs() < 1e-14);
}

#[test]
fn outputs_of_several_element_types() {
    let _alone = alone();
    let g = Graph::new();
    let x = g.input("x", array![[0.5_f32, 2.0], [3.0, -1.0]]);
    let wide = x.cast::<f64>();
    let mut p = g.compile((x.sum(), wide.t(), x.gt(1.0), (x.argmax_axis(1), vec![x, x * 2.0])), ()).unwrap();
    let (sum, t, mask, (best, list)) = p.run().unwrap();
    assert_eq!(sum[[]], 4.5);
    assert_eq!(t, array![[0.5, 3.0], [2.0, -1.0]].into_dyn());
    assert_eq!(mask, array![[false, true], [true, false]].into_dyn());
    assert_eq!(best, array![1_i64, 0].into_dyn());
    assert_eq!(list[1], array![[1.0_f32, 4.0], [6.0, -2.0]].into_dyn());
    assert!(g.compile((), ()).unwrap().run().is_ok());
}

#[test]
fn programs_share_parameters_and_feeds_do_not_stay() {
    let _alone = alone();
    let g = Graph::new();
    let x = g.input("x", 1.0);
    let w = g.param("w", 2.0);
    let mut train = g.compile((), w.assign(w * 2.0)).unwrap();
    let mut predict = g.compile(w * x, ()).unwrap();
    train.run().unwrap();
    assert_eq!(predict.run().unwrap()[[]], 4.0);
    assert_eq!(predict.run_with(&[x.feed(&arr0(10.0)), w.feed(&arr0(0.5))]).unwrap()[[]], 5.0);
    assert_eq!(predict.run().unwrap()[[]], 4.0);
    w.set_value(7.0).unwrap();
    assert_eq!(predict.run().unwrap()[[]], 7.0);
}

#[test]
fn feeds_are_read_whatever_their_strides() {
    let _alone = alone();
    let base = ArrayD::from_shape_fn(&[4, 6][..], |at| (at[0] * 6 + at[1]) as f64);
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 3]);
    let w = g.input("w", Array2::from_shape_fn((2, 3), |(i, j)| (i + 2 * j) as f64));
    let mut p =
        g.compile((x * 2.0 + x.t().t(), x.sum_axis(0), x.sum_axis(1), w.dot(x), x.t().exp()), ()).unwrap();
    let column = array![[1.0], [2.0], [3.0]];
    for view in [
        base.slice(s![..3, ..3]),
        base.slice(s![1..;1, ..;2]),
        base.slice(s![..;-1, ..]).slice_move(s![..3, ..3]),
        base.slice(s![1.., ..;-2]),
        base.slice(s![..3, ..3]).reversed_axes(),
        column.broadcast((3, 4)).unwrap(),
        base.slice(s![..3, ..0]),
    ] {
        let (a, b, c, d, e) = p.run_with(&[x.feed(&view)]).unwrap();
        assert_eq!(a, (&view * 3.0).into_dyn());
        assert_eq!(b, view.sum_axis(Axis(0)).into_dyn());
        assert_eq!(c, view.sum_axis(Axis(1)).into_dyn());
        let weights = Array2::from_shape_fn((2, 3), |(i, j)| (i + 2 * j) as f64);
        assert_eq!(d, weights.dot(&view).into_dyn());
        assert_eq!(e, view.t().mapv(f64::exp).into_dyn());
    }
}

#[test]
fn freed_leaves_are_noticed() {
    let _alone = alone();
    let g = Graph::new();
    let mark = g.mark();
    let x = g.input("x", 1.0);
    let mut p = g.compile(x * 2.0, ()).unwrap();
    assert_eq!(p.run().unwrap()[[]], 2.0);
    g.truncate(mark);
    let text = p.run().unwrap_err().to_string();
    assert_eq!(text, "`run` got a handle of a freed node: `Graph::truncate` has removed it");
}

#[test]
fn equal_expressions_are_one_node() {
    let _alone = alone();
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let first = (x * x + 1.0).exp();
    let nodes = g.len();
    let second = (x * x + 1.0).exp();
    assert_eq!(g.len(), nodes);
    assert_eq!(first.origins().len(), 2);
    assert_eq!(second.origin(), first.origin());
    assert!((x * 2.0).origin() != first.origin());
    first.named("e").named("f");
    assert_eq!(second.name().as_deref(), Some("e"));
    assert_eq!((second + 1.0).to_string(), "e + 1");
    let leaked: &'static Graph = Graph::leak();
    let handle: Var<'static> = leaked.input("x", 2.0);
    assert_eq!(handle.square().item().unwrap(), 4.0);
    assert_eq!(std::mem::size_of_val(&handle), 16);
}

#[test]
fn a_hundred_thousand_runs_do_not_leak() {
    let _alone = alone();
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [4]);
    let w = g.param("w", array![0.1, 0.2, 0.3, 0.4]);
    let cost = (w * x).tanh().square().sum();
    let mut step = g.compile(cost, Sgd::new(1e-3).minimize(cost, w)).unwrap();
    let batches = [array![1.0, 2.0, 3.0, 4.0], array![-1.0, 0.5, 0.0, 1.0]];
    let mut run = |times: usize| {
        for i in 0..times {
            step.run_with(&[x.feed(&batches[i % 2])]).unwrap();
        }
        BYTES.load(Ordering::Relaxed)
    };
    let before = run(100);
    let after = run(100_000);
    assert!((after - before).abs() < 1024, "{before} bytes became {after}");
}

#[test]
fn a_hundred_thousand_rebuilt_graphs_do_not_grow() {
    let _alone = alone();
    let g = Graph::new();
    let w = g.param("w", 0.5);
    let mark = g.mark();
    let build = |times: usize| {
        for i in 0..times {
            let x = g.input("x", i as f64 * 1e-6);
            let slope = (w * x).sin().grad(w).named("slope");
            if i % 1000 == 0 {
                assert!(slope.item().unwrap().is_finite());
            }
            g.truncate(mark);
        }
        BYTES.load(Ordering::Relaxed)
    };
    let before = build(1000);
    let after = build(100_000);
    assert!((after - before).abs() < 4096, "{before} bytes became {after}");
    assert_eq!(g.len(), 1);
}

#[test]
fn a_chain_of_a_million_nodes() {
    let _alone = alone();
    // A stack on which no recursion over the chain could live.
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let thread = small.spawn(|| {
        let before = BYTES.load(Ordering::Relaxed);
        let g = Graph::new();
        let x = g.input("x", 0.5);
        let mut v = x;
        for _ in 0..500_000 {
            v = v.sin() + x;
        }
        let slope = v.grad(x);
        let tape = BYTES.load(Ordering::Relaxed) - before;
        assert!(g.len() > 1_000_000);
        assert!(tape < 1_000_000_000, "the tape takes {tape} bytes");
        let mut p = g.compile([v, slope], ()).unwrap();
        let [v, slope] = p.run().unwrap();
        // The chain has a fixed point v = sin(v) + x, at which the slope is 1 / (1 - cos v).
        let (v, slope) = (v[[]], slope[[]]);
        assert!((v.sin() + 0.5 - v).abs() < 1e-12);
        assert!((slope - 1.0 / (1.0 - v.cos())).abs() < 1e-9);
        (g.len(), tape)
    });
    let (nodes, tape) = thread.unwrap().join().unwrap();
    println!("{nodes} nodes, {} bytes each", tape as usize / nodes);
}
