//! What is allocated, counted: a binary of its own, because it replaces the allocator, and tests that take turns.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gradus::Graph;
use gradus::optim::Sgd;
use ndarray::{Array2, array};

/// The system's allocator, with a count of calls and of bytes in use.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn added(bytes: usize) {
    CALLS.fetch_add(1, Relaxed);
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
