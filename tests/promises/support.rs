//! What the tests share: samples, arrays that lie in memory in every way, and finite differences.

use std::cell::RefCell;
use std::sync::Once;

use gradus::ops::{Domain, Unary};
use gradus::{Graph, Program, Var};
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};

/// Numbers that look random and are the same in every run (splitmix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn array(&mut self, shape: &[usize], low: f64, high: f64) -> ArrayD<f64> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || self.uniform(low, high))
    }

    /// Numbers from `domain`, away from its ends and its kinks.
    pub fn sample(&mut self, shape: &[usize], domain: Domain) -> ArrayD<f64> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            loop {
                let x = self.uniform(domain.low + MARGIN, domain.high - MARGIN);
                if domain.kinks.iter().all(|kink| (x - kink).abs() > MARGIN) {
                    return x;
                }
            }
        })
    }

    /// Numbers in -2 to 2 in random order, no two of them close.
    pub fn distinct(&mut self, shape: &[usize]) -> ArrayD<f64> {
        let n: usize = shape.iter().product();
        let step = 4.0 / n.max(1) as f64;
        let mut numbers: Vec<f64> =
            (0..n).map(|i| -2.0 + step * (i as f64 + 0.5 + self.uniform(-0.2, 0.2))).collect();
        for i in (1..n).rev() {
            numbers.swap(i, self.below(i + 1));
        }
        ArrayD::from_shape_vec(IxDyn(shape), numbers).unwrap()
    }
}

/// How far samples stay from kinks: much further than a finite difference reaches.
pub const MARGIN: f64 = 0.04;

/// How an array lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lie {
    /// In C order.
    C,
    /// In Fortran order.
    Transposed,
    /// With a negative stride along the last axis.
    Reversed,
    /// With gaps along the last axis, in which there is NaN.
    Stepped,
    /// The first entry of the first axis again and again, with stride 0.
    Broadcast,
}

impl Lie {
    pub const ALL: [Self; 5] = [Self::C, Self::Transposed, Self::Reversed, Self::Stepped, Self::Broadcast];
}

/// An array that lies in memory in some way.
pub struct Laid {
    storage: ArrayD<f64>,
    shape: Vec<usize>,
    pub lie: Lie,
}

impl Laid {
    pub fn new(array: ArrayD<f64>, lie: Lie) -> Self {
        let shape = array.shape().to_vec();
        let lie = if shape.is_empty() || array.is_empty() { Lie::C } else { lie };
        let last = Axis(shape.len().saturating_sub(1));
        let storage = match lie {
            Lie::C => array,
            Lie::Transposed => array.t().as_standard_layout().into_owned(),
            Lie::Reversed => {
                let mut reversed = array;
                reversed.invert_axis(last);
                reversed.as_standard_layout().into_owned()
            }
            Lie::Stepped => {
                let mut wide = shape.clone();
                wide[last.0] *= 2;
                let mut storage = ArrayD::from_elem(wide, f64::NAN);
                storage.slice_axis_mut(last, Slice::new(0, None, 2)).assign(&array);
                storage
            }
            Lie::Broadcast => array.slice_axis(Axis(0), Slice::from(0..1)).to_owned(),
        };
        Self { storage, shape, lie }
    }

    pub fn view(&self) -> ArrayViewD<'_, f64> {
        let last = Axis(self.shape.len().saturating_sub(1));
        match self.lie {
            Lie::C => self.storage.view(),
            Lie::Transposed => self.storage.t(),
            Lie::Reversed => self.storage.slice_axis(last, Slice::new(0, None, -1)),
            Lie::Stepped => self.storage.slice_axis(last, Slice::new(0, None, 2)),
            Lie::Broadcast => self.storage.broadcast(self.shape.clone()).unwrap(),
        }
    }
}

/// The derivative at 0, by central differences with three steps, twice extrapolated.
pub fn difference(mut f: impl FnMut(f64) -> f64, step: f64) -> f64 {
    let mut central = |h: f64| (f(h) - f(-h)) / (2.0 * h);
    let [a, b, c] = [step, step / 2.0, step / 4.0].map(&mut central);
    let (ab, bc) = ((4.0 * b - a) / 3.0, (4.0 * c - b) / 3.0);
    (16.0 * bc - ab) / 15.0
}

/// Every unary operation, with several attributes.
pub fn unaries() -> Vec<Unary> {
    let mut all = Vec::new();
    for (integer, float) in [(3, 1.5), (-2, -0.7), (1, 1.0), (2, 2.0), (0, 0.0)] {
        for op in Unary::all(integer, float) {
            if !all.contains(&op) {
                all.push(op);
            }
        }
    }
    all
}

/// How far differences of the tables reach.
const STEP: f64 = 0.004;

/// A formula of some arrays.
pub type Formula<'a> = &'a dyn for<'g> Fn(&[Var<'g>]) -> Var<'g>;

/// What to expect of the derivative of a formula alone.
#[derive(Clone, Copy, PartialEq)]
pub enum Slope {
    /// It is zero.
    Zero,
    /// It is not: a sample where it is would prove nothing.
    Some,
}

/// Compares first and second derivatives of `formula` with differences, in random directions and with random
/// cotangents. The arrays are fed as they lie; the differences are taken in C order.
///
/// What is differentiated is `Σ c·f(x) · (1 + Σ d·sin(x + 0.3))`, which is not flat at the second order where `f` is
/// piecewise linear, nor at the first where `f` is piecewise constant.
///
/// What `draw` gives may happen to be flat, as relu is of a negative number: then it has to draw again.
pub fn check_derivatives(
    label: &str,
    slope: Slope,
    mut draw: impl FnMut() -> Vec<Laid>,
    formula: Formula<'_>,
) {
    let mut rng = Rng(label.bytes().fold(1, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())));
    let steep = (0..20).any(|_| compare_derivatives(label, &draw(), slope, formula, &mut rng));
    assert!(steep, "{label}: every sample is flat, which proves nothing");
}

/// Compares in one direction; false where that is too flat to prove anything.
fn compare_derivatives(
    label: &str,
    arrays: &[Laid],
    slope: Slope,
    formula: Formula<'_>,
    rng: &mut Rng,
) -> bool {
    let g = Graph::new();
    let x: Vec<Var<'_>> = arrays
        .iter()
        .enumerate()
        .map(|(i, array)| g.placeholder(&format!("x{i}"), array.view().shape()))
        .collect();
    let y = formula(&x);
    let f = (y * g.constant(rng.array(&y.shape(), -1.0, 1.0))).sum();
    let bend = x.iter().fold(g.constant(1.0), |sum, x| {
        sum + ((*x + 0.3).sin() * g.constant(rng.array(&x.shape(), -1.0, 1.0))).sum()
    });
    let curved = f * bend;

    let mut direction = || -> Vec<ArrayD<f64>> {
        x.iter().map(|x| rng.array(&x.shape(), 0.5, 1.0) * sign_like(rng, &x.shape())).collect()
    };
    let (v, w) = (direction(), direction());
    let first = along(&curved.grad(&x), &x, &v);
    let second = along(&first.grad(&x), &x, &w);
    let alone = along(&f.grad_or_zeros(&x), &x, &v);
    let mut program = g.compile(vec![f, curved, first, second, alone], ()).unwrap();

    let views: Vec<_> = arrays.iter().map(Laid::view).collect();
    let [_, value, first, second, alone] = run(&mut program, &x, &views);
    let mut at = |t: f64, direction: &[ArrayD<f64>], output: usize| {
        let moved: Vec<_> = views.iter().zip(direction).map(|(x, v)| x + &(v * t)).collect();
        let moved: Vec<_> = moved.iter().map(|array| array.view()).collect();
        run(&mut program, &x, &moved)[output]
    };
    let lies: Vec<Lie> = arrays.iter().map(|array| array.lie).collect();
    let shapes: Vec<_> = views.iter().map(|view| view.shape().to_vec()).collect();
    let compare = |order: &str, found: f64, expected: f64| {
        let scale = 1.0 + value.abs() + expected.abs();
        let error = (found - expected).abs() / scale;
        assert!(
            error < 1e-8,
            "{label} {shapes:?} {lies:?}: {order}: {found} where differences give {expected}"
        );
    };
    compare("the first derivative", first, difference(|t| at(t, &v, 1), STEP));
    compare("the second derivative", second, difference(|t| at(t, &w, 2), STEP));
    compare("the derivative alone", alone, difference(|t| at(t, &v, 0), STEP));
    let empty = y.shape().size() == 0 || views.iter().all(|view| view.is_empty());
    match slope {
        Slope::Zero => {
            assert_eq!(alone, 0.0, "{label} has a derivative");
            true
        }
        Slope::Some => empty || (alone.abs() > 0.01 && second.abs() > 0.01),
    }
}

fn sign_like(rng: &mut Rng, shape: &[usize]) -> ArrayD<f64> {
    ArrayD::from_shape_simple_fn(IxDyn(shape), || if rng.below(2) == 0 { 1.0 } else { -1.0 })
}

/// `Σ gradient · direction`, after a look at the gradients' shapes.
pub fn along<'g>(gradients: &[Var<'g>], x: &[Var<'g>], direction: &[ArrayD<f64>]) -> Var<'g> {
    let g = x[0].graph();
    let terms = gradients.iter().zip(x).zip(direction);
    terms.fold(g.constant(0.0), |sum, ((gradient, x), v)| {
        assert_eq!(gradient.shape(), x.shape());
        sum + (*gradient * g.constant(v)).sum()
    })
}

fn run<'g>(
    program: &mut Program<'g, Vec<Var<'g>>>,
    x: &[Var<'g>],
    views: &[ArrayViewD<'_, f64>],
) -> [f64; 5] {
    let feeds: Vec<_> = x.iter().zip(views).map(|(x, view)| x.feed(view)).collect();
    let outputs = program.run_with(&feeds).unwrap();
    std::array::from_fn(|i| outputs[i][[]])
}

/// `a` and `b` as close as `tolerance`, relative to the larger of `b` and 1; infinities and NaN alike.
#[track_caller]
pub fn assert_close(a: &ArrayD<f64>, b: &ArrayD<f64>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape());
    for (i, (&a, &b)) in a.iter().zip(b).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan());
        assert!(same || (a - b).abs() <= tolerance * b.abs().max(1.0), "element {i}: {a}, not {b}");
    }
}

/// A panic: its text, and the line it points to.
#[derive(Debug)]
pub struct Panicked {
    pub text: String,
    pub file: String,
    pub line: u32,
}

thread_local! {
    /// The panic of this thread, while one is expected.
    static EXPECTED: RefCell<Option<Option<Panicked>>> = const { RefCell::new(None) };
}

/// Runs `body`, which panics.
#[track_caller]
pub fn panicked<R>(body: impl FnOnce() -> R) -> Panicked {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let kept = EXPECTED.with_borrow_mut(|expected| match expected {
                Some(panic) => {
                    let payload = info.payload();
                    let text = payload.downcast_ref::<String>().cloned();
                    let text = text.or(payload.downcast_ref::<&str>().map(|text| text.to_string()));
                    let at = info.location().unwrap();
                    *panic = Some(Panicked {
                        text: text.unwrap_or_default(),
                        file: at.file().to_owned(),
                        line: at.line(),
                    });
                    true
                }
                None => false,
            });
            if !kept {
                others(info);
            }
        }));
    });
    EXPECTED.set(Some(None));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_ok();
    let panic = EXPECTED.take().flatten();
    assert!(!ended, "no panic where one was due");
    panic.expect("a panic has a location")
}

/// How the text of a panic begins, and a formula that panics with it.
pub type Mistake<'a, 'g> = (&'a str, &'a dyn Fn() -> Var<'g>);

/// Checks the texts, each followed by `ending`, and that they point to a line of `file`.
pub fn check_mistakes(file: &str, rows: &[Mistake<'_, '_>], ending: &str) {
    for &(text, wrong) in rows {
        let panic = panicked(wrong);
        assert!(panic.text.starts_with(&format!("{text}{ending}")), "{}\nnot {text}{ending}", panic.text);
        assert_eq!(panic.file, file, "{text}");
    }
}

/// How a property is tested: on so many cases, the same ones each time, so that a failure is found again. With
/// `PROPTEST_RNG_SEED` and `PROPTEST_CASES` others are tried, and more.
pub fn cases(cases: u32) -> ProptestConfig {
    let mut config =
        ProptestConfig { max_global_rejects: 20_000, failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}

/// A formula with reference numbers: its label there, the shapes of its operands, and it.
pub type Referred<'a> = (&'a str, &'a [&'a [usize]], Formula<'a>);

/// The numbers that `tests/references/networks.py` gave for a label: `S = Σ c·y`, its derivative along `v`, and the second.
fn reference(label: &str) -> [f64; 3] {
    let lines = include_str!("../references/networks.txt").lines();
    let mut numbers = lines.filter_map(|line| line.split_once(" | "));
    let (_, numbers) = numbers.find(|(name, _)| *name == label).unwrap_or_else(|| panic!("no `{label}`"));
    let numbers: Vec<f64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// Compares formulas with their reference numbers, and with differences at other operands, laid in memory in several ways.
pub fn check_references(seed: u64, rows: &[Referred<'_>]) {
    let mut rng = Rng(seed);
    for (label, shapes, formula) in rows {
        let fill = |shape: &[usize], f: &dyn Fn(f64) -> f64| {
            let n = shape.iter().product();
            ArrayD::from_shape_vec(IxDyn(shape), (0..n).map(|i: usize| f(i as f64)).collect()).unwrap()
        };
        let g = Graph::new();
        let operands: Vec<Var<'_>> = (0..)
            .zip(*shapes)
            .map(|(k, shape)| {
                g.input(&format!("x{k}"), fill(shape, &|i| (0.9 * i + 1.7 * f64::from(k) + 0.3).sin()))
            })
            .collect();
        let directions: Vec<ArrayD<f64>> = (0..)
            .zip(*shapes)
            .map(|(k, shape)| fill(shape, &|i| (1.1 * i + 0.6 * f64::from(k) + 0.4).cos()))
            .collect();
        let y = formula(&operands);
        let value = (y * g.constant(fill(&y.shape(), &|i| (0.7 * i + 0.2).cos()))).sum();
        let first = along(&value.grad(&operands), &operands, &directions);
        let second = along(&first.grad_or_zeros(&operands), &operands, &directions);
        let expected = reference(label);
        for (order, (found, expected)) in [value, first, second].into_iter().zip(expected).enumerate() {
            let found = found.item().unwrap();
            let error = (found - expected).abs() / (1.0 + expected.abs());
            assert!(error < 1e-12, "{label}: order {order}: {found}, JAX has {expected}");
        }
        for lie in [Lie::C, Lie::Transposed, Lie::Stepped] {
            let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            check_derivatives(label, Slope::Some, draw, *formula);
        }
    }
}
