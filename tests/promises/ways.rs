//! Random formulas run in every way there is, against the plain interpreter: fused or not, in blocks of all sizes, with
//! all instructions of the machine, on several threads, with operands that lie in memory in all ways.

use gradus::ops::{Level, Pool};
use gradus::{Axes, Cut, Graph, Pad, Program, Var, concat};
use ndarray::{Array2, ArrayD, IxDyn, Slice};
use proptest::prelude::*;

use crate::support::{Laid, Lie, Rng, cases};

/// One step of a formula: which operation, and of which earlier results.
type Step = (u8, u8, u8, u8);

/// How many elements a result has at most.
const LARGEST: usize = 20_000;

/// Up to how many terms are summed in one way whatever the size of blocks.
const LONG: usize = 4096;

/// A result, and what is known of its rounding.
#[derive(Clone, Copy)]
struct Node<'g> {
    x: Var<'g>,
    /// Whether it depends on a product of matrices, whose sums the plain interpreter takes in another order.
    product: bool,
    /// Whether it depends on a sum whose order depends on the size of blocks.
    long: bool,
}

impl<'g> Node<'g> {
    fn map(self, f: impl FnOnce(Var<'g>) -> Var<'g>) -> Self {
        Self { x: f(self.x), ..self }
    }

    fn with(self, other: Self, f: impl FnOnce(Var<'g>, Var<'g>) -> Var<'g>) -> Self {
        let (product, long) = (self.product || other.product, self.long || other.long);
        Self { x: f(self.x, other.x), product, long }
    }

    fn multiplied(self, f: impl FnOnce(Var<'g>) -> Var<'g>) -> Self {
        Self { x: f(self.x), product: true, ..self }
    }

    /// With sums over so many terms.
    fn summed(self, terms: usize, f: impl FnOnce(Var<'g>) -> Var<'g>) -> Self {
        Self { x: f(self.x), long: self.long || terms > LONG, ..self }
    }

    /// Whether every way to run gives the same bits, so that a comparison is decided in the same way.
    fn is_exact(self) -> bool {
        !self.product && !self.long
    }

    fn shape(self) -> Vec<usize> {
        self.x.shape().to_vec()
    }
}

/// Every result stays small: what can grow is bent.
fn unary(which: u8, x: Var<'_>) -> Var<'_> {
    match which % 16 {
        0 => x.sin(),
        1 => x.cos(),
        2 => x.sin() * x.cos(),
        3 => x.tanh(),
        4 => x.sigmoid() - 0.5 * x.softplus(),
        5 => x.tanh().square(),
        6 => -x,
        7 => x.tanh().exp(),
        8 => (1.0 + x.square()).ln(),
        9 => x.sigmoid().ln().sin(),
        10 => x.erf(),
        11 => 1.0 / (1.5 + x.square()),
        12 => x.gelu().tanh(),
        13 => (1.0 + x.square()).sqrt().sin(),
        14 => x.cast::<f32>().tanh().cast(),
        _ => x.tanh().powi(3) - x.tanh().exp_m1(),
    }
}

/// Operations with a kink or a jump, away from where formulas have exact zeros.
fn decided<'g>(which: u8, x: Var<'g>, y: Var<'g>) -> Var<'g> {
    let (u, v) = (x - 0.1234, y + 0.0321);
    match which % 8 {
        0 => u.relu() + v,
        1 => u.abs() - v,
        2 => u.leaky_relu(0.1) * 0.5 + v,
        3 => u.gt(v).select(x, y),
        4 => (u.lt(0.0) & v.ge(0.25)).select(x.cast::<f32>(), y.cast::<f32>()).cast(),
        5 => (x * 3.7).cast::<i64>().cast::<f64>() * 0.25 + (!u.gt(0.0)).cast::<f64>() + y * 0.5,
        6 => u.maximum(v),
        _ => u.minimum(v) + x.gt(0.5).cast::<i64>().cast::<f64>(),
    }
}

fn reduce<'g>(which: u8, node: Node<'g>, axes: Axes, terms: usize) -> Node<'g> {
    let keep = which & 8 != 0;
    let exact = node.is_exact() && terms > 0;
    node.summed(terms, |x| match which % 8 {
        0 | 1 if keep => x.sum_keepdims(axes).sin(),
        0 | 1 => x.sum_axis(axes).sin(),
        2 | 3 if keep => x.mean_keepdims(axes),
        4 if exact && keep => x.max_keepdims(axes),
        4 if exact => x.max_axis(axes),
        5 if exact => x.min_axis(axes),
        6 if exact => (x * 3.0).cast::<i64>().sum_axis(axes).cast::<f64>().sin(),
        7 if terms > 0 => x.logsumexp_axis(axes).tanh(),
        _ if terms == 0 => x.sum_axis(axes),
        _ => x.mean_axis(axes),
    })
}

/// Rearranges, cuts and joins.
fn arrange<'g>(which: u8, node: Node<'g>) -> Node<'g> {
    let shape = node.shape();
    let rank = shape.len();
    let axis = usize::from(which >> 4) % rank.max(1);
    let size = shape.get(axis).copied().unwrap_or(1) as isize;
    let double = 2 * shape.iter().product::<usize>() <= LARGEST;
    let wide = rank > 0 && double && size > 0;
    node.map(|x| match which % 20 {
        0 => x.t(),
        1 => x.reshape([-1]),
        2 => x.expand_dims(axis),
        3 if rank > 0 => x.slice(axis, Slice::new(0, None, -1)),
        4 if size > 2 => x.slice(axis, Slice::new(1, None, 2)),
        5 if size > 2 => x.slice(axis, Slice::new(-2, None, -1)),
        6 if size > 2 => x.slice(axis, Slice::new(0, Some(-1), -2)),
        7 if double && rank > 0 => concat(&[x, x.tanh()], axis),
        8 if double && size > 1 => concat(&[x.slice(axis, 1..), x.slice(axis, ..1), x], axis),
        9 if double => {
            let stretched = [&[2], &shape[..]].concat();
            x.expand_dims(0).broadcast_to(gradus::Shape::from(&stretched[..]))
        }
        10 if rank > 1 => x.t().reshape([-1]).sin(),
        11 if rank > 0 => x.roll(size / 2 + 1, axis),
        12 if rank > 1 => x.diagonal(1 - size / 2, [axis, (axis + 1) % rank]),
        13 if rank > 1 => x.diagonal(0, [0, 1]).undiagonal(0, [0, 1], x).tanh() + x,
        14 if rank > 1 => x.tril(size / 2),
        15 if wide => x.repeat(2, axis),
        16 if wide => x.tile(&[2]).cos(),
        17 if wide && size > 2 && rank == 1 => x.pad(&[[1, 2]], Pad::Reflect),
        18 if size > 2 => x.slice_add([Cut::python(None, None, -2)], 0.5),
        19 if rank == 1 && shape[0] < 100 => x.diag(-1),
        _ => x.t().tanh(),
    })
}

/// What is done along one axis, with products, and in windows.
fn structured<'g>(which: u8, node: Node<'g>) -> Node<'g> {
    let shape = node.shape();
    let rank = shape.len();
    let axis = usize::from(which >> 4) % rank.max(1);
    let size = shape.get(axis).copied().unwrap_or(0);
    let last = shape.last().copied().unwrap_or(0);
    let square = |n: usize| n * n <= LARGEST && n > 0;
    match which % 12 {
        0 if size > 0 => node.summed(size, |x| x.softmax(axis)),
        1 if size > 0 => node.summed(size, |x| x.log_softmax(axis).sin()),
        2 if size > 0 => node.summed(size, |x| x.layer_norm(axis, 1e-2).tanh()),
        3 if rank == 2 && square(shape[1]) => node.multiplied(|x| (x.t().dot(x) * 0.1).sin()),
        4 if rank == 2 && square(shape[0]) => node.multiplied(|x| x.dot(x.t()).tanh()),
        5 if rank == 3 && shape[0] * shape[1] * shape[1] <= LARGEST => {
            node.multiplied(|x| x.matmul(x.transpose([0, 2, 1])).tanh())
        }
        6 if rank == 1 => node.multiplied(|x| x.dot(x.sin()).tanh()),
        7 if rank == 2 && shape[0] > 2 && shape[1] > 2 && node.is_exact() => {
            let [h, w] = [shape[0] as i32, shape[1] as i32];
            node.map(|x| x.reshape([1, 1, h, w]).max_pool2d(2, 1).squeeze([0, 1]))
        }
        8 if rank == 2 && shape[0] > 2 && shape[1] > 2 => {
            let [h, w] = [shape[0] as i32, shape[1] as i32];
            let filter = Array2::from_shape_fn((2, 3), |(i, j)| 0.3 - 0.2 * i as f64 + 0.1 * j as f64);
            let filter = node.x.graph().constant(filter).reshape([1, 1, 2, 3]);
            node.map(|x| x.reshape([1, 1, h, w]).conv2d(filter).squeeze([0, 1]))
        }
        9 if rank == 2 && shape[0] > 2 && shape[1] > 2 => {
            let [h, w] = [shape[0] as i32, shape[1] as i32];
            let pool = Pool::new([2, 2]).stride([2, 1]).padding(1);
            node.map(|x| x.reshape([1, 1, h, w]).avg_pool(pool).squeeze([0, 1]))
        }
        10 if size > 0 && node.is_exact() => {
            node.map(|x| x.pick(axis, x.argmax_axis(axis)) - x.pick(axis, (-x).argmax_axis(axis)))
        }
        11 if size > 0 => node.map(|x| {
            let index = x.index_along(axis);
            index.lt(last as i64 / 2).select(x, index.cast::<f64>().sin())
        }),
        _ => node.map(|x| x.tanh()),
    }
}

/// Records the formula: all its results.
fn build<'g>(leaves: &[Var<'g>], steps: &[Step]) -> Vec<Node<'g>> {
    let mut nodes: Vec<Node<'g>> = leaves.iter().map(|&x| Node { x, product: false, long: false }).collect();
    for &(code, which, i, j) in steps {
        let n = nodes.len();
        let near = |i: u8| if i < 150 { n - 1 - usize::from(i) % n.min(3) } else { usize::from(i) % n };
        let (a, b) = (nodes[near(i)], nodes[near(j)]);
        let fits = broadcast(&a.shape(), &b.shape())
            .is_some_and(|shape| shape.iter().product::<usize>() <= LARGEST && shape.len() < 5);
        let rank = a.shape().len();
        nodes.push(match code % 16 {
            0..=2 => a.map(|x| unary(which, x)),
            3..=5 if fits => a.with(b, |x, y| match which % 4 {
                0 => x + y,
                1 => (x - y) * 0.7,
                2 => (x * y).tanh(),
                _ => x / (1.5 + y.square()),
            }),
            6 | 7 if fits && a.is_exact() && b.is_exact() => a.with(b, |x, y| decided(which, x, y)),
            8..=10 if rank > 0 => {
                let axis = usize::from(j) % rank;
                let two = [axis, (axis + 1) % rank];
                let axes = if rank > 1 && which & 16 != 0 { Axes::from(two) } else { Axes::from(axis) };
                let axes = if which & 96 == 96 { Axes::ALL } else { axes };
                let terms = match (which & 96 == 96, rank > 1 && which & 16 != 0) {
                    (true, _) => a.shape().iter().product(),
                    (_, true) => a.shape()[two[0]] * a.shape()[two[1]],
                    _ => a.shape()[axis],
                };
                reduce(which, a, axes, terms)
            }
            11 | 12 if rank < 4 => arrange(which, a),
            13..=15 => structured(which, a),
            _ => a.map(|x| x.tanh()),
        });
    }
    nodes
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

/// Shapes that broadcast with each other, of all kinds.
const SHAPES: &[&[&[usize]]] = &[
    &[&[2, 3], &[3], &[2, 1], &[]],
    &[&[5, 7], &[7], &[5, 1], &[1, 1]],
    &[&[2, 5, 3], &[5, 3], &[3], &[2, 1, 1]],
    &[&[2, 3, 5, 4], &[5, 1], &[4], &[3, 1, 1]],
    &[&[17, 19], &[19], &[17, 1], &[]],
    &[&[1], &[], &[1, 1], &[3]],
    &[&[3, 0], &[0], &[3, 1], &[]],
    &[&[0], &[1], &[], &[0]],
    &[&[37, 129], &[129], &[37, 1], &[]],
    &[&[6, 400], &[400], &[6, 1], &[1]],
    &[&[1, 5000], &[5000], &[1, 1], &[]],
    &[&[3, 1030], &[1030], &[3, 1], &[3, 1030]],
];

/// The results of a run, and the parameters after it.
fn run<'g>(
    mut program: Program<'g, Vec<Var<'g>>>,
    leaves: &[Var<'g>],
    feeds: &[Laid],
    parameters: &[(Var<'g>, ArrayD<f64>)],
) -> Vec<ArrayD<f64>> {
    let views: Vec<_> = feeds.iter().map(Laid::view).collect();
    let feeds: Vec<_> = leaves.iter().zip(&views).map(|(x, view)| x.feed(view)).collect();
    let mut results: Vec<ArrayD<f64>> = Vec::new();
    for round in 0..2 {
        if round == 0 {
            for (parameter, value) in parameters {
                parameter.set_value(value.clone()).unwrap();
            }
        }
        results.extend(program.run_with(&feeds).unwrap().iter().map(|view| view.to_owned()));
        results.extend(parameters.iter().map(|(parameter, _)| parameter.value().unwrap()));
    }
    results
}

/// The first result that differs: by a bit, or by more than rounding if `tolerance` is not 0.
fn difference(a: &[ArrayD<f64>], b: &[ArrayD<f64>], tolerance: f64) -> Option<usize> {
    let same = |a: &ArrayD<f64>, b: &ArrayD<f64>| {
        let scale = b.iter().filter(|x| x.is_finite()).fold(1.0, |scale: f64, x| scale.max(x.abs()));
        let near = |(a, b): (&f64, &f64)| {
            let close = tolerance > 0.0 && ((a - b).abs() <= tolerance * scale || a == b);
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan() || close
        };
        a.shape() == b.shape() && a.iter().zip(b).all(near)
    };
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).position(|(a, b)| !same(a, b))
}

proptest! {
    #![proptest_config(cases(1400))]

    #[test]
    fn every_way_to_run_gives_the_same_numbers(
        family in 0..SHAPES.len(),
        count in 1..4_usize,
        steps in prop::collection::vec(any::<Step>(), 1..14),
        lies in prop::collection::vec(0..5_usize, 4),
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let g = Graph::new();
        let shapes = &SHAPES[family][..=count];
        let inputs: Vec<Var<'_>> = shapes[..count]
            .iter()
            .zip(["x", "y", "z"])
            .map(|(shape, name)| g.placeholder(name, *shape))
            .collect();
        let feeds: Vec<Laid> = shapes[..count]
            .iter()
            .zip(&lies)
            .map(|(shape, &lie)| Laid::new(rng.array(shape, -1.5, 1.5), Lie::ALL[lie]))
            .collect();
        let w = rng.array(shapes[count], -1.5, 1.5);
        let p = g.param("p", w.clone());
        let m = g.param("m", ArrayD::from_elem(IxDyn(shapes[count]), 0.25));
        let leaves = [&inputs[..], &[p]].concat();
        let nodes = build(&leaves, &steps);
        let (last, earlier) = (nodes[nodes.len() - 1], nodes[nodes.len() / 2]);
        let cost = (last.x + 0.3).sin().sum() * 0.1 + earlier.x.tanh().sum() * 0.01;
        let gradients = cost.grad_or_zeros(&leaves);
        let dp = gradients[count].tanh();
        // The moment and the parameter that it moves, as an optimiser does.
        let moment = 0.9 * m + 0.1 * dp;
        let updates = [m.assign(moment), p.assign(p - 0.1 * moment / (1.0 + dp.square().sqrt()))];
        let outputs = [&[last.x, earlier.x, cost][..], &gradients[..]].concat();

        let product = nodes.iter().any(|node| node.product);
        let long = nodes.iter().any(|node| node.x.shape().size() > LONG || node.long);
        let single = steps.iter().any(|step| step.0 % 16 < 8);
        let rounding = if single { 1e-3 } else { 1e-9 };
        let compile = || g.compile(outputs.clone(), updates).unwrap();
        let parameters = [(p, w), (m, ArrayD::from_elem(IxDyn(shapes[count]), 0.25))];
        let numbers = |program| run(program, &inputs, &feeds, &parameters);

        let mut fused: Vec<(Level, Vec<ArrayD<f64>>)> = Vec::new();
        for level in Level::available() {
            let plain = numbers(compile().with_options(true, 4096, level).plain());
            for fuse in [true, false] {
                let found = numbers(compile().with_options(fuse, 4096, level));
                let tolerance = if product || long && fuse { rounding } else { 0.0 };
                let wrong = difference(&found, &plain, tolerance);
                prop_assert!(wrong.is_none(), "{level:?}, fuse {fuse}: result {} of {}: {:?}, not {:?}",
                    wrong.unwrap(), last.x, found[wrong.unwrap()], plain[wrong.unwrap()]);
                if fuse {
                    fused.push((level, found));
                }
            }
        }
        let (best, first) = &fused[0];
        // Levels with the same instructions for `a·b + c` give the same bits, but for products.
        for (level, found) in fused[1..].iter().filter(|(level, _)| level.vector_bytes() == 32) {
            let wrong = difference(found, first, if product { rounding } else { 0.0 });
            prop_assert!(wrong.is_none(), "{level:?}: result {} of {}", wrong.unwrap(), last.x);
        }
        for block in [64, 256, 1 << 14, 1 << 20] {
            let found = numbers(compile().with_options(true, block, *best));
            let wrong = difference(&found, first, if long { rounding } else { 0.0 });
            prop_assert!(wrong.is_none(), "blocks of {block}: result {} of {}: {:?}, not {:?}",
                wrong.unwrap(), last.x, found[wrong.unwrap()], first[wrong.unwrap()]);
        }
        for threads in [1, 2, 3] {
            let found = numbers(compile().threads(threads).unwrap());
            let wrong = difference(&found, first, 0.0);
            prop_assert!(wrong.is_none(), "{threads} threads: result {} of {}", wrong.unwrap(), last.x);
        }
    }
}
