//! What is allocated, counted: a binary of its own, because it replaces the allocator, and tests that take turns.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gradus::optim::{Adam, Sgd};
use gradus::{Graph, Var};
use ndarray::{Array1, Array2, Array4, array};

/// The system's allocator, with a count of calls and of bytes in use.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The calls of this thread alone.
    static OWN: Cell<usize> = const { Cell::new(0) };
}

fn added(bytes: usize) {
    CALLS.fetch_add(1, Relaxed);
    OWN.set(OWN.get() + 1);
    let now = BYTES.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        added(layout.size());
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        added(layout.size());
        // SAFETY: the caller keeps `alloc_zeroed`'s contract.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        added(size);
        BYTES.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time: the counts are the process's.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes() -> usize {
    BYTES.load(Relaxed)
}

/// What the test harness itself may allocate meanwhile, for the threads of tests that wait for their turn.
const SLACK: usize = 64 * 1024;

#[test]
fn a_hundred_thousand_runs_allocate_nothing() {
    let _alone = alone();
    let g = Graph::new();
    let (x, y) = (g.input("x", Array2::<f64>::ones((3, 8))), g.input("y", Array2::<f64>::ones((1, 8))));
    let (w, b) = (g.param("w", Array2::<f64>::zeros((3, 1))), g.param("b", 0.0));
    let a = (w.t().dot(x) + b).sigmoid();
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
    let mut step = g.compile([cost], Sgd::new(0.005).minimize(cost, [w, b])).unwrap();
    let batches = [Array2::<f64>::ones((3, 8)), Array2::<f64>::ones((3, 8))];
    let mut run = |n: usize| {
        for i in 0..n {
            let [cost] = step.run_with(&[x.feed(&batches[i % 2])]).unwrap();
            assert!(cost[[]].is_finite());
        }
    };
    run(10);
    let (calls, before) = (CALLS.load(Relaxed), bytes());
    run(100_000);
    let (calls, grown) = (CALLS.load(Relaxed) - calls, bytes().saturating_sub(before));
    assert!(grown < SLACK, "{grown} bytes more in use after 100000 runs");
    assert!(calls < 1000, "{calls} allocations in 100000 runs");
}

#[test]
fn a_hundred_thousand_graphs_in_one_stay_small() {
    let _alone = alone();
    let g = Graph::new();
    let w = g.param("w", array![0.5, -0.5]);
    let mark = g.mark();
    let rebuild = |n: usize| {
        for i in 0..n {
            let x = g.input("x", array![1.0, (i % 10) as f64]);
            let cost = ((w * x).sum() - 1.0).square();
            let gradient = cost.grad(w).named("dw");
            w.set_value(w.value().unwrap() - 0.001 * gradient.value().unwrap()).unwrap();
            g.truncate(mark);
        }
    };
    rebuild(1000);
    let before = bytes();
    rebuild(100_000);
    let grown = bytes().saturating_sub(before);
    assert!(grown < SLACK, "{grown} bytes more in use after 100000 graphs");
    assert_eq!(g.len(), 1);
}

#[test]
fn many_batch_sizes_keep_few_plans() {
    let _alone = alone();
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [4, 1]);
    let mut program = g.compile(x.dot(x.t()).tanh().sum(), ()).unwrap();
    let mut sizes = |from: usize, to: usize| {
        for n in from..to {
            program.run_with(&[x.feed(&Array2::ones((4, 64 + n % 100)))]).unwrap();
        }
    };
    sizes(0, 200);
    let before = bytes();
    sizes(200, 2000);
    let grown = bytes().saturating_sub(before);
    assert!(grown < SLACK, "{grown} bytes more in use after 1800 sizes");
}

#[test]
fn everything_is_given_back() {
    let _alone = alone();
    let make = || {
        let g = Graph::new();
        let x = g.input("x", Array2::<f64>::ones((30, 40)));
        let w = g.param("w", Array2::<f64>::ones((40, 10)));
        let cost = x.dot(w).tanh().mean();
        let mut step = g.compile(cost, Sgd::new(0.1).minimize(cost, w)).unwrap();
        step.run().unwrap();
        let _ = cost.grad(x).sum().grad(w);
    };
    make();
    let before = bytes();
    (0..100).for_each(|_| make());
    let grown = bytes().saturating_sub(before);
    assert!(grown < SLACK, "{grown} bytes more in use after 100 graphs");
}

#[test]
fn a_million_nodes_with_their_gradient_fit_in_a_gigabyte() {
    let _alone = alone();
    let before = bytes();
    PEAK.store(before, Relaxed);
    let g = Graph::new();
    let x = g.input("x", 0.5);
    let y = (0..500_000).fold(x, |y, i| (y * (1.0 + f64::from(i % 7) * 1e-7)).sin());
    let _ = y.grad(x);
    let (nodes, held, peak) = (g.len(), bytes() - before, PEAK.load(Relaxed) - before);
    assert!(nodes > 2_000_000, "{nodes}");
    assert!(peak < 1 << 30, "{} MB at the peak, {} bytes a node held", peak >> 20, held / nodes);
}

/// A convolution, a pool, a layer and a softmax, trained with Adam on batches that are fed; outputs are views.
#[test]
fn a_training_step_allocates_nothing() {
    let _alone = alone();
    let g = Graph::new();
    let wave = |i: usize| (i as f64 * 0.7).sin();
    let image =
        |seed: usize| Array4::from_shape_fn((16, 1, 8, 8), |(n, _, i, j)| wave(seed + 64 * n + 8 * i + j));
    let batches = [(image(0), array_of_classes(0)), (image(9), array_of_classes(1))];
    let x = g.placeholder::<f64>("x", [16, 1, 8, 8]);
    let classes = g.placeholder::<i64>("classes", [16]);
    let filters =
        g.param("filters", Array4::from_shape_fn((4, 1, 3, 3), |(o, _, i, j)| wave(9 * o + 3 * i + j)));
    let w = g.param("w", Array2::from_shape_fn((36, 5), |(i, j)| 0.1 * wave(5 * i + j)));
    let b = g.param("b", Array1::<f64>::zeros(5));
    let pooled = x.conv2d(filters).relu().max_pool2d(2, 2);
    let scores = pooled.flatten([1, 2, 3]).dot(w) + b;
    let cost = scores.cross_entropy(classes);
    let updates = Adam::new(0.01).minimize(cost, [filters, w, b]);
    let mut step = g.compile((cost, [scores, pooled]), updates).unwrap().threads(1).unwrap();
    let mut run = |n: usize| {
        for i in 0..n {
            let (x_batch, class_batch) = &batches[i % 2];
            let feeds = [x.feed(x_batch), classes.feed(class_batch)];
            let (cost, [scores, pooled]) = step.run_with(&feeds).unwrap();
            assert!(cost[[]].is_finite() && scores.shape() == [16, 5] && pooled.shape() == [16, 4, 3, 3]);
        }
    };
    run(10);
    let before = OWN.get();
    run(1000);
    assert_eq!(OWN.get() - before, 0, "allocations in 1000 steps");
}

fn array_of_classes(seed: usize) -> Array1<i64> {
    Array1::from_shape_fn(16, |i| ((3 * i + seed) % 5) as i64)
}

/// Layers of products and elementwise functions, perhaps with a mark behind every fifth.
fn layers<'g>(g: &'g Graph, width: usize, marks: bool) -> (Var<'g>, Vec<Var<'g>>) {
    let mut h = g.input("x", Array2::from_elem((64, width), 0.1));
    let mut weights = Vec::new();
    for layer in 0..50 {
        let w = g.param(&format!("w{layer}"), Array2::from_elem((width, width), 0.01));
        h = (h.dot(w) + 0.1).tanh() * 1.1;
        weights.push(w);
        if marks && layer % 5 == 4 {
            h = h.checkpoint();
        }
    }
    (h, weights)
}

#[test]
fn fifty_layers_take_the_memory_of_two() {
    let _alone = alone();
    let g = Graph::new();
    let (h, _) = layers(&g, 128, false);
    let mut program = g.compile(h.sum(), ()).unwrap();
    // Known before the run, and kept to.
    let planned = program.plan(&[]).unwrap().planned_bytes;
    let layer = 64 * 128 * size_of::<f64>();
    assert!((layer..=2 * layer + 4096).contains(&planned), "{planned} bytes for layers of {layer}");
    program.run().unwrap();
    assert_eq!(program.report().planned_bytes, planned);
}

#[test]
fn marks_lower_the_memory_that_a_gradient_takes() {
    let _alone = alone();
    let planned = |marks: bool| {
        let g = Graph::new();
        let (h, weights) = layers(&g, 32, marks);
        let cost = h.square().mean();
        let mut step = g.compile(cost, Sgd::new(0.1).minimize(cost, &weights)).unwrap();
        step.plan(&[]).unwrap().planned_bytes
    };
    let (all, marked) = (planned(false), planned(true));
    let layer = 64 * 32 * size_of::<f64>();
    assert!(all >= 50 * layer, "{all} bytes for 50 layers of {layer}");
    assert!(marked < all / 2, "{marked} bytes with marks, {all} without");
}
