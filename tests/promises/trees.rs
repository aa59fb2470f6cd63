//! Random formulas: their values against ndarray, their gradients against differences, fused against plain runs.

use gradus::ops::Level;
use gradus::{Axes, Graph, Program, Var};
use ndarray::{ArrayD, Axis, Zip};
use proptest::prelude::*;

use crate::support::{Rng, along, cases, difference};

/// How many steps a deep formula has.
const DEPTH: usize = 30;

/// How much each leaf adds to a deep formula by itself.
const REACH: f64 = 0.01;

/// One step of a formula: which operation, and of which earlier results.
pub type Step = (u8, u8, u8);

/// How far differences reach here: a deep formula amplifies the step.
const STEP: f64 = 2e-4;

/// How far from a kink a value has to be for an operation that has one.
const APART: f64 = 0.02;

/// What a formula needs of whatever computes it.
pub trait Number: Clone {
    fn shape(&self) -> Vec<usize>;
    fn unary(&self, name: &'static str) -> Self;
    fn binary(&self, name: &'static str, other: &Self) -> Self;
    fn select(&self, yes: &Self, no: &Self) -> Self;
    fn reduce(&self, name: &'static str, axis: usize, keepdims: bool) -> Self;
    fn t(&self) -> Self;
    fn flat(&self) -> Self;
    fn dot(&self, other: &Self) -> Self;
    fn scaled(&self, by: f64) -> Self;
}

impl Number for Var<'_> {
    fn shape(&self) -> Vec<usize> {
        (*self).shape().to_vec()
    }
    fn unary(&self, name: &'static str) -> Self {
        match name {
            "sin" => self.sin(),
            "cos" => self.cos(),
            "tanh" => self.tanh(),
            "sigmoid" => self.sigmoid(),
            "softplus" => self.softplus(),
            "square" => self.square(),
            "neg" => -*self,
            "exp" => self.exp(),
            "1 + exp" => 1.0 + self.exp(),
            "ln(1 + square)" => (1.0 + self.square()).ln(),
            "ln(sigmoid)" => self.sigmoid().ln(),
            "1 - sigmoid" => 1.0 - self.sigmoid(),
            "1 / (1 + exp)" => 1.0 / (1.0 + self.exp()),
            "ln(1 - sigmoid)" => (1.0 - self.sigmoid()).ln(),
            "exp - 1" => self.exp() - 1.0,
            "-(-x) + 0" => -(-*self) + 0.0,
            "sqrt(1 + square)" => (1.0 + self.square()).sqrt(),
            "relu" => self.relu(),
            "abs" => self.abs(),
            "leaky_relu" => self.leaky_relu(0.1),
            _ => unreachable!("{name}"),
        }
    }
    fn binary(&self, name: &'static str, other: &Self) -> Self {
        match name {
            "+" => *self + *other,
            "-" => *self - *other,
            "*" => *self * *other,
            "/" => *self / (1.5 + other.square()),
            "maximum" => self.maximum(*other),
            "minimum" => self.minimum(*other),
            _ => unreachable!("{name}"),
        }
    }
    fn select(&self, yes: &Self, no: &Self) -> Self {
        self.gt(0.0).select(*yes, *no)
    }
    fn reduce(&self, name: &'static str, axis: usize, keepdims: bool) -> Self {
        let axes = Axes::from(axis);
        match (name, keepdims) {
            ("sum", false) => self.sum_axis(axes),
            ("sum", true) => self.sum_keepdims(axes),
            ("mean", false) => self.mean_axis(axes),
            ("mean", true) => self.mean_keepdims(axes),
            ("max", false) => self.max_axis(axes),
            ("max", true) => self.max_keepdims(axes),
            _ => unreachable!("{name}"),
        }
    }
    fn t(&self) -> Self {
        (*self).t()
    }
    fn flat(&self) -> Self {
        self.reshape([-1])
    }
    fn dot(&self, other: &Self) -> Self {
        (*self).dot(*other)
    }
    fn scaled(&self, by: f64) -> Self {
        *self * by
    }
}

/// The same on arrays, one loop an operation. It knows how close it came to a kink.
#[derive(Clone)]
pub struct Plain {
    pub array: ArrayD<f64>,
    nearest: f64,
}

impl Plain {
    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { array: self.array.mapv(f), nearest: self.nearest }
    }

    fn kink_at_zero(&self, f: impl Fn(f64) -> f64) -> Self {
        let nearest = self.array.iter().fold(self.nearest, |nearest, x| nearest.min(x.abs()));
        Self { array: self.array.mapv(f), nearest }
    }

    fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let shape = broadcast(self.array.shape(), other.array.shape()).unwrap();
        let a = self.array.broadcast(shape.clone()).unwrap();
        let b = other.array.broadcast(shape).unwrap();
        let array = Zip::from(&a).and(&b).map_collect(|&a, &b| f(a, b));
        Self { array, nearest: self.nearest.min(other.nearest) }
    }
}

fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |s: &[usize], axis: usize| if axis + s.len() < rank { 1 } else { s[axis + s.len() - rank] };
    (0..rank)
        .map(|axis| match (size(a, axis), size(b, axis)) {
            (1, n) | (n, 1) => Some(n),
            (m, n) => (m == n).then_some(m),
        })
        .collect()
}

impl Number for Plain {
    fn shape(&self) -> Vec<usize> {
        self.array.shape().to_vec()
    }
    fn unary(&self, name: &'static str) -> Self {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        match name {
            "sin" => self.map(f64::sin),
            "cos" => self.map(f64::cos),
            "tanh" => self.map(f64::tanh),
            "sigmoid" => self.map(sigmoid),
            "softplus" => self.map(|x| x.exp().ln_1p()),
            "square" => self.map(|x| x * x),
            "neg" => self.map(|x| -x),
            "exp" => self.map(f64::exp),
            "1 + exp" => self.map(|x| 1.0 + x.exp()),
            "ln(1 + square)" => self.map(|x| (1.0 + x * x).ln()),
            "ln(sigmoid)" => self.map(|x| sigmoid(x).ln()),
            "1 - sigmoid" => self.map(|x| 1.0 - sigmoid(x)),
            "1 / (1 + exp)" => self.map(|x| 1.0 / (1.0 + x.exp())),
            "ln(1 - sigmoid)" => self.map(|x| (1.0 - sigmoid(x)).ln()),
            "exp - 1" => self.map(|x| x.exp() - 1.0),
            "-(-x) + 0" => self.map(|x| -(-x) + 0.0),
            "sqrt(1 + square)" => self.map(|x| (1.0 + x * x).sqrt()),
            "relu" => self.kink_at_zero(|x| x.max(0.0)),
            "abs" => self.kink_at_zero(f64::abs),
            "leaky_relu" => self.kink_at_zero(|x| if x > 0.0 { x } else { 0.1 * x }),
            _ => unreachable!("{name}"),
        }
    }
    fn binary(&self, name: &'static str, other: &Self) -> Self {
        let kink = |f: fn(f64, f64) -> f64| {
            let mut result = self.zip(other, f);
            let apart = self.zip(other, |a, b| (a - b).abs());
            result.nearest = apart.array.iter().fold(result.nearest, |nearest, &d| nearest.min(d));
            result
        };
        match name {
            "+" => self.zip(other, |a, b| a + b),
            "-" => self.zip(other, |a, b| a - b),
            "*" => self.zip(other, |a, b| a * b),
            "/" => self.zip(other, |a, b| a / (1.5 + b * b)),
            "maximum" => kink(f64::max),
            "minimum" => kink(f64::min),
            _ => unreachable!("{name}"),
        }
    }
    fn select(&self, yes: &Self, no: &Self) -> Self {
        let mask = self.kink_at_zero(|x| f64::from(u8::from(x > 0.0)));
        let chosen = mask.zip(yes, |m, yes| if m == 1.0 { yes } else { 0.0 });
        let other = mask.zip(no, |m, no| if m == 1.0 { 0.0 } else { no });
        chosen.zip(&other, |a, b| a + b)
    }
    fn reduce(&self, name: &'static str, axis: usize, keepdims: bool) -> Self {
        let axis = Axis(axis);
        let mut nearest = self.nearest;
        let lanes = |f: &dyn Fn(&[f64]) -> f64| self.array.map_axis(axis, |lane| f(&lane.to_vec()));
        let array = match name {
            "sum" => lanes(&|lane| lane.iter().sum()),
            "mean" => lanes(&|lane| lane.iter().sum::<f64>() / lane.len() as f64),
            "max" => {
                for lane in self.array.lanes(axis) {
                    let mut lane = lane.to_vec();
                    lane.sort_by(f64::total_cmp);
                    nearest = lane.windows(2).last().map_or(nearest, |top| nearest.min(top[1] - top[0]));
                }
                lanes(&|lane| lane.iter().copied().fold(f64::NEG_INFINITY, f64::max))
            }
            _ => unreachable!("{name}"),
        };
        Self { array: if keepdims { array.insert_axis(axis) } else { array }, nearest }
    }
    fn t(&self) -> Self {
        Self { array: self.array.t().to_owned(), nearest: self.nearest }
    }
    fn flat(&self) -> Self {
        let n = self.array.len();
        Self { array: self.array.to_shape(n).unwrap().into_owned().into_dyn(), nearest: self.nearest }
    }
    fn dot(&self, other: &Self) -> Self {
        let (m, k, n) = (self.array.shape()[0], self.array.shape()[1], other.array.shape()[1]);
        let array = ArrayD::from_shape_fn(vec![m, n], |at| {
            (0..k).map(|p| self.array[[at[0], p]] * other.array[[p, at[1]]]).sum::<f64>()
        });
        Self { array, nearest: self.nearest.min(other.nearest) }
    }
    fn scaled(&self, by: f64) -> Self {
        self.map(|x| x * by)
    }
}

const UNARY: &[&str] = &[
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "softplus",
    "square",
    "neg",
    "exp",
    "1 + exp",
    "ln(1 + square)",
    "ln(sigmoid)",
    "1 - sigmoid",
    "1 / (1 + exp)",
    "ln(1 - sigmoid)",
    "exp - 1",
    "-(-x) + 0",
    "sqrt(1 + square)",
    "relu",
    "abs",
    "leaky_relu",
];
const BINARY: &[&str] = &["+", "-", "*", "/", "maximum", "minimum"];
const REDUCE: &[&str] = &["sum", "mean", "max"];

/// Arrays as leaves of a naive evaluation.
pub fn plain(arrays: &[ArrayD<f64>]) -> Vec<Plain> {
    arrays.iter().map(|array| Plain { array: array.clone(), nearest: f64::INFINITY }).collect()
}

/// Builds the formula; every result is kept small, so that it stays well conditioned. `tame` says whether a result
/// has to be, which only values know: it is decided once, on `Plain`, and done again as recorded.
pub fn build<N: Number>(leaves: &[N], steps: &[Step], mut tame: impl FnMut(usize, &N) -> bool) -> N {
    let mut results = leaves.to_vec();
    // Mostly of the last results, so that the formula is deep.
    let pick = |results: &[N], i: u8| {
        let n = results.len();
        results[if i < 160 { n - 1 - usize::from(i) % n.min(2) } else { usize::from(i) % n }].clone()
    };
    for (place, &(code, i, j)) in steps.iter().enumerate() {
        let (a, b) = (pick(&results, i), pick(&results, j.rotate_left(3)));
        let fits =
            broadcast(&a.shape(), &b.shape()).is_some_and(|shape| shape.iter().product::<usize>() <= 64);
        let (rank, which) = (a.shape().len(), usize::from(code / 8));
        let result = match code % 8 {
            0..=2 => a.unary(UNARY[(which + usize::from(j) * 7) % UNARY.len()]),
            3 | 4 if fits => a.binary(BINARY[which % BINARY.len()], &b),
            5 if fits => a.select(&a.unary("sin"), &b),
            6 if rank > 0 => a.reduce(REDUCE[which % REDUCE.len()], usize::from(j) % rank, code & 0x40 != 0),
            7 if rank == 2 && which % 2 == 0 => a.t().dot(&a).scaled(0.3),
            7 if rank == 2 => a.t(),
            7 if rank > 2 => a.flat(),
            _ => a.unary("tanh"),
        };
        let result = if tame(place, &result) { result.unary("tanh") } else { result };
        results.push(result);
    }
    results.pop().unwrap()
}

/// The formula as a number: the mean of a bent result.
pub fn cost<N: Number>(result: N) -> N {
    let mut y = result.unary("sin");
    while let Some(last) = y.shape().len().checked_sub(1) {
        y = y.reduce("mean", last, false);
    }
    y
}

pub fn leaf_shapes() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let shape = prop_oneof![
        Just(vec![]),
        Just(vec![3]),
        Just(vec![1, 3]),
        Just(vec![2, 1]),
        Just(vec![2, 3]),
        Just(vec![2, 2, 3]),
        Just(vec![2, 1, 1]),
        Just(vec![1]),
    ];
    prop::collection::vec(shape, 1..4)
}

fn sums(steps: &[Step]) -> bool {
    steps.iter().any(|(code, ..)| code % 8 >= 6)
}

type Evaluate<'a, 'g> = &'a mut Program<'g, Vec<Var<'g>>>;

fn run<'g>(program: Evaluate<'_, 'g>, x: &[Var<'g>], arrays: &[ArrayD<f64>]) -> Vec<ArrayD<f64>> {
    let feeds: Vec<_> = x.iter().zip(arrays).map(|(x, array)| x.feed(array)).collect();
    program.run_with(&feeds).unwrap().iter().map(|view| view.to_owned()).collect()
}

/// Where `a` and `b` differ by more than `tolerance`.
pub fn differs(a: &ArrayD<f64>, b: &ArrayD<f64>, tolerance: f64) -> bool {
    a.shape() != b.shape() || Zip::from(a).and(b).any(|a, b| (a - b).abs() > tolerance * b.abs().max(1.0))
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn random_formulas(
        shapes in leaf_shapes(),
        steps in prop::collection::vec(any::<Step>(), 1..13),
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let arrays: Vec<_> = shapes.iter().map(|shape| rng.array(shape, -1.5, 1.5)).collect();
        let directions: Vec<_> = shapes.iter().map(|shape| rng.array(shape, -1.0, 1.0)).collect();
        let mut tamed = Vec::new();
        let value = build(&plain(&arrays), &steps, |_, result| {
            let tame = result.array.iter().any(|x| x.abs() > 2.5);
            tamed.push(tame);
            tame
        });

        let g = Graph::new();
        let names = ["p", "q", "r"];
        let x: Vec<Var<'_>> =
            shapes.iter().zip(names).map(|(shape, name)| g.placeholder(name, &shape[..])).collect();
        let y = build(&x, &steps, |place, _| tamed[place]);
        let scalar = cost(y);
        let gradients = scalar.grad_or_zeros(&x);
        let first = along(&gradients, &x, &directions);
        let second = first.grad_or_zeros(&x);
        let second_along = along(&second, &x, &directions);

        // Shared nodes: written again, the formula is the same node, and so is its gradient.
        let nodes = g.len();
        let again = cost(build(&x, &steps, |place, _| tamed[place]));
        let same = again.grad_or_zeros(&x);
        let recorded = (g.len() - nodes, format!("{again:?}") == format!("{scalar:?}"));
        prop_assert_eq!(recorded, (0, true), "{} written twice is another node", again);
        prop_assert_eq!(format!("{same:?}"), format!("{gradients:?}"));

        let mut outputs = vec![y, scalar, first, second_along];
        outputs.extend(&gradients);
        let mut program = g.compile(outputs.clone(), ()).unwrap();
        let mut unfused = g.compile(outputs.clone(), ()).unwrap().with_options(false, 4096, Level::detect());
        let mut oracle = g.compile(outputs, ()).unwrap().plain();
        let found = run(&mut program, &x, &arrays);
        let unfused = run(&mut unfused, &x, &arrays);
        let plain_run = run(&mut oracle, &x, &arrays);

        // Values are those of a naive evaluation, whatever was shared, rewritten and fused.
        prop_assert!(!differs(&found[0], &value.array, 1e-11), "{}: {}, not {}", y, found[0], value.array);
        // Fused and unfused are one kernel in another order of loops; only products the plain interpreter sums otherwise.
        for ((fused, unfused), plain) in found.iter().zip(&unfused).zip(&plain_run) {
            let bits = fused.iter().zip(unfused).all(|(a, b)| a.to_bits() == b.to_bits());
            prop_assert!(bits, "{}: {} fused, {} not", y, fused, unfused);
            prop_assert!(!differs(fused, plain, 1e-11), "{}: {} fused, {} plain", y, fused, plain);
        }

        // Derivatives, unless a kink is near.
        prop_assume!(value.nearest > APART);
        let moved = |t: f64| -> Vec<ArrayD<f64>> {
            arrays.iter().zip(&directions).map(|(x, v)| x + &(v * t)).collect()
        };
        let decided = |t: f64| build(&plain(&moved(t)), &steps, |place, _| tamed[place]).nearest > APART / 4.0;
        prop_assume!(decided(STEP) && decided(-STEP));
        let naive = difference(
            |t| cost(build(&plain(&moved(t)), &steps, |place, _| tamed[place])).array[[]],
            STEP,
        );
        let slope = found[2][[]];
        prop_assert!((slope - naive).abs() < 1e-8 * (1.0 + naive.abs()), "{}: {} where differences give {}", scalar, slope, naive);
        let bend = difference(|t| run(&mut program, &x, &moved(t))[2][[]], STEP);
        let curvature = found[3][[]];
        prop_assert!((curvature - bend).abs() < 1e-6 * (1.0 + bend.abs()), "{}: second order {} where differences give {}", scalar, curvature, bend);
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// `⟨u, J v⟩` in three ways: forward, backward and by differences of a naive evaluation, of formulas of depth 30.
    #[test]
    fn forward_backward_and_differences_agree(
        shapes in leaf_shapes(),
        steps in prop::collection::vec(any::<Step>(), DEPTH),
        seed: u64,
    ) {
        // The first operand of every step is the last result.
        let steps: Vec<Step> = steps.into_iter().map(|(code, i, j)| (code, i % 80 * 2, j)).collect();
        let mut rng = Rng(seed);
        let arrays: Vec<_> = shapes.iter().map(|shape| rng.array(shape, -1.5, 1.5)).collect();
        let v: Vec<_> = shapes.iter().map(|shape| rng.array(shape, -1.0, 1.0)).collect();
        let mut tamed = Vec::new();
        let value = build(&plain(&arrays), &steps, |_, result| {
            let tame = result.array.iter().any(|x| x.abs() > 2.5);
            tamed.push(tame);
            tame
        });
        prop_assume!(value.nearest > APART);
        let u = rng.array(value.array.shape(), -1.0, 1.0);

        // Differences, at two steps: how far they lie apart says how far they can be trusted.
        let moved = |t: f64| -> Vec<ArrayD<f64>> { arrays.iter().zip(&v).map(|(x, v)| x + &(v * t)).collect() };
        let naive = |t: f64| build(&plain(&moved(t)), &steps, |place, _| tamed[place]);
        prop_assume!([STEP, -STEP].into_iter().all(|t| naive(t).nearest > APART / 4.0));
        let product = |t: f64| {
            let leaves = moved(t).iter().map(|array| array.sum()).sum::<f64>();
            (&naive(t).array * &u).sum() + REACH * leaves * u.sum()
        };
        let [wide, narrow] = [STEP, STEP / 3.0].map(|step| difference(product, step));
        let doubt = (wide - narrow).abs();
        prop_assume!(doubt < 1e-5 * (1.0 + narrow.abs()));

        let g = Graph::new();
        let names = ["p", "q", "r"];
        let x: Vec<Var<'_>> = shapes.iter().zip(names).map(|(s, name)| g.placeholder(name, &s[..])).collect();
        // Every leaf is reached, whatever the steps have chosen.
        let leaves = x.iter().map(|x| x.sum()).reduce(|a, b| a + b).unwrap();
        let y = build(&x, &steps, |place, _| tamed[place]) + REACH * leaves;
        prop_assert!(g.len() > x.len() + DEPTH, "every step is a node");
        let constants: Vec<Var<'_>> = v.iter().map(|v| g.constant(v)).collect();
        let forward = (y.jvp(&x, &constants) * &u).sum();
        let backward = along(&y.vjp(&u, &x), &x, &v);
        let mut program = g.compile(vec![forward, backward], ()).unwrap();
        let found = run(&mut program, &x, &arrays);
        let (forward, backward) = (found[0][[]], found[1][[]]);
        let close = |a: f64, b: f64, tolerance: f64| (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()));
        prop_assert!(close(forward, backward, 1e-11), "{}: {} forward, {} backward", y, forward, backward);
        let tolerance = 1e-8 + 10.0 * doubt;
        prop_assert!(close(forward, narrow, tolerance), "{}: {} where differences give {}", y, forward, narrow);
        prop_assert!(close(backward, narrow, tolerance), "{}: {} where differences give {}", y, backward, narrow);
    }
}

#[test]
fn the_random_formulas_are_worth_their_name() {
    // Deep, of many shapes, with sums and without, few of them flat: or the test above would prove little.
    let mut rng = Rng(5);
    let (mut sloped, mut summed, mut shapes) = (0, 0, std::collections::HashSet::new());
    for _ in 0..200 {
        let steps: Vec<Step> =
            (0..12).map(|_| (rng.next() as u8, rng.next() as u8, rng.next() as u8)).collect();
        let g = Graph::new();
        let x = vec![g.input("p", rng.array(&[2, 3], -1.5, 1.5)), g.input("q", rng.array(&[3], -1.5, 1.5))];
        let y = build(&x, &steps, |_, _| false);
        shapes.insert(y.shape().to_vec());
        summed += usize::from(sums(&steps));
        let d = cost(y).grad_or_zeros(&x);
        sloped += usize::from(d.iter().any(|d| d.value().unwrap().iter().any(|d| d.abs() > 1e-3)));
    }
    assert!(
        sloped > 150 && summed > 100 && summed < 200 && shapes.len() > 5,
        "{sloped}, {summed}, {shapes:?}"
    );
}
