//! What every operation computes, against one-loop references: f64 against the formula, f32 against f64.

use gradus::ops::{Binary, Bounds, Compare, Fold, Op, Reduce, Unary};
use gradus::{Axes, Error, Graph, Var};
use ndarray::{Array1, Array2, ArrayD, Axis, IxDyn, arr0, array};
use proptest::prelude::*;

use crate::support::{Laid, Lie, Rng, assert_close, cases, unaries};

/// Ordinary numbers, and the others.
const NUMBERS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    0.1,
    2.0,
    -3.0,
    1e-8,
    -1e-8,
    1e-20,
    0.3,
    4.7,
    -7.2,
    12.0,
    -20.0,
    30.0,
    -36.5,
    37.5,
    40.0,
    -40.0,
    88.0,
    -87.0,
    100.0,
    -100.0,
    700.0,
    -700.0,
    1000.0,
    -1000.0,
    1e10,
    -1e10,
    1e30,
    -1e30,
    1e300,
    -1e300,
    1e-30,
    1e-300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// A unary operation as anyone would write it. There is no wildcard: a new operation needs a line.
fn plain_unary(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sign if x.is_nan() => x,
        Unary::Sign => f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
        Unary::Square => x * x,
        Unary::Powi { n } if n >= 0 => (0..n).fold(1.0, |product, _| product * x),
        Unary::Powi { n } => 1.0 / (0..-n).fold(1.0, |product, _| product * x),
        Unary::Powf { p } => x.powf(p.get()),
        Unary::Sqrt => x.sqrt(),
        Unary::Recip => 1.0 / x,
        Unary::Exp => x.exp(),
        Unary::ExpM1 => x.exp_m1(),
        Unary::Ln => x.ln(),
        Unary::Ln1p => x.ln_1p(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tanh => x.tanh(),
        Unary::Erf => libm::erf(x),
        Unary::Erfc => libm::erfc(x),
        Unary::ErfInv => plain_erf_inv(x),
        Unary::Ndtr if x.abs() < 40.0 => {
            // The tail multiplies what rounding takes from x/√2, so it is given back at first order.
            let z = -x / std::f64::consts::SQRT_2;
            let lost = (z.mul_add(-std::f64::consts::SQRT_2, -x) + z * 9.667_293_313_452_913e-17)
                / std::f64::consts::SQRT_2;
            let slope = std::f64::consts::FRAC_2_SQRT_PI * (-z * z).exp();
            0.5 * (libm::erfc(z) - slope * lost)
        }
        Unary::Ndtr => 0.5 * libm::erfc(-x),
        Unary::Lgamma => libm::lgamma(x),
        Unary::Digamma => plain_polygamma(0, x),
        Unary::Polygamma { n } => plain_polygamma(n, x),
        Unary::Rsqrt => 1.0 / x.sqrt(),
        Unary::Cbrt => x.cbrt(),
        Unary::Exp2 => x.exp2(),
        Unary::Log2 => x.log2(),
        Unary::Log10 => x.log10(),
        Unary::Tan => x.tan(),
        Unary::Asin => x.asin(),
        Unary::Acos => x.acos(),
        Unary::Atan => x.atan(),
        Unary::Sinh => x.sinh(),
        Unary::Cosh => x.cosh(),
        Unary::Asinh => libm::asinh(x),
        Unary::Acosh => libm::acosh(x),
        Unary::Atanh => libm::atanh(x),
        Unary::Floor => x.floor(),
        Unary::Ceil => x.ceil(),
        Unary::Round => x.round_ties_even(),
        Unary::Trunc => x.trunc(),
        Unary::Softsign => x / (1.0 + x.abs()),
        Unary::Elu { alpha } if x <= 0.0 => alpha.get() * x.exp_m1(),
        Unary::Elu { .. } => x,
        Unary::Clip { .. } if x.is_nan() => x,
        Unary::Clip { bounds } => {
            x.max(bounds.low().unwrap_or(f64::NEG_INFINITY)).min(bounds.high().unwrap_or(f64::INFINITY))
        }
        // From the side on which nothing overflows.
        Unary::Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
        Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Unary::Softplus if x > 0.0 => x + (-x).exp().ln_1p(),
        Unary::Softplus => x.exp().ln_1p(),
        Unary::Relu if x <= 0.0 => 0.0,
        Unary::Relu => x,
        Unary::LeakyRelu { slope } if x <= 0.0 => slope.get() * x,
        Unary::LeakyRelu { .. } => x,
        Unary::HardShrink { lambda } if x.abs() <= lambda.get() => 0.0,
        Unary::HardShrink { .. } => x,
        Unary::StopGradient => x,
    }
}

/// Derivatives of `ln |Γ|` by the recurrence, and Stirling's series from 30 on.
fn plain_polygamma(n: u32, x: f64) -> f64 {
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let sign = if n.is_multiple_of(2) { -1.0 } else { 1.0 };
    if x <= 0.0 && x == x.trunc() {
        return match n {
            0 if x == 0.0 => -1.0 / x,
            0 => f64::NAN,
            _ if x.is_infinite() => f64::NAN,
            _ => sign * f64::INFINITY,
        };
    }
    let steps = (30.0 - x).ceil().max(0.0) as u32;
    let term = |k: u32| factorial(n) / (x + f64::from(k)).powi(n as i32 + 1);
    let near: f64 = (0..steps).rev().map(term).sum();
    let w = x + f64::from(steps);
    let first = if n == 0 { -w.ln() } else { factorial(n - 1) / w.powi(n as i32) };
    let bernoulli = [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0];
    let rest: f64 = bernoulli
        .iter()
        .zip((2..).step_by(2))
        .map(|(b, k)| b * factorial(k + n - 1) / factorial(k) / w.powi((k + n) as i32))
        .sum();
    sign * (near + (rest + factorial(n) / (2.0 * w.powi(n as i32 + 1)) + first))
}

/// The number at which the error function is `y`, by halving an interval.
fn plain_erf_inv(y: f64) -> f64 {
    if y.is_nan() || y.abs() > 1.0 {
        return f64::NAN;
    }
    if y.abs() == 1.0 || y == 0.0 {
        return y / (1.0 - y.abs());
    }
    let (mut low, mut high) = (0.0, 7.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle == low || middle == high {
            return f64::copysign(middle, y);
        }
        if libm::erf(middle) < y.abs() { low = middle } else { high = middle }
    }
}

/// Whether it is as close as its terms, next to the root of a sum.
fn near_root(op: Unary, found: f64, expected: f64, unit: f64) -> bool {
    matches!(op, Unary::Digamma | Unary::Polygamma { .. }) && (found - expected).abs() < 64.0 * unit
}

/// Whether one operation in f64 and one rounding is the operation in f32, and the operation is exact but for one rounding.
fn is_rounded_once(op: Binary) -> bool {
    !matches!(op, Binary::Pow | Binary::Atan2 | Binary::Hypot | Binary::Direction | Binary::Xlogy)
}

fn plain_binary(op: Binary, a: f64, b: f64) -> f64 {
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Pow => a.powf(b),
        Binary::Atan2 => a.atan2(b),
        Binary::Hypot => a.hypot(b),
        Binary::Direction if a == 0.0 && !b.is_nan() => 0.0,
        Binary::Direction => a / a.hypot(b),
        Binary::Xlogy if a == 0.0 && !b.is_nan() => 0.0,
        Binary::Xlogy => a * b.ln(),
        Binary::Copysign => a.copysign(b),
        Binary::Remainder if a.is_finite() && b.is_infinite() && a != 0.0 => {
            if (a < 0.0) == (b < 0.0) {
                a
            } else {
                b
            }
        }
        Binary::Remainder if (a % b > 0.0 && b < 0.0) || (a % b < 0.0 && b > 0.0) => a % b + b,
        Binary::Remainder => a % b,
        _ if a.is_nan() || b.is_nan() => f64::NAN,
        Binary::Maximum if a > b => a,
        Binary::Minimum if a < b => a,
        Binary::Maximum | Binary::Minimum => b,
    }
}

fn plain_compare(op: Compare, a: f64, b: f64) -> bool {
    match op {
        Compare::Lt => a < b,
        Compare::Le => a <= b,
        Compare::Gt => a > b,
        Compare::Ge => a >= b,
        Compare::Eq => a == b,
        Compare::Ne => a != b,
    }
}

/// Whether `found` is `expected` to a few units in the last place; `unit` is the spacing at 1, `tiny` the least normal
/// number.
fn agrees(found: f64, expected: f64, unit: f64, tiny: f64) -> bool {
    let same = found == expected || (found.is_nan() && expected.is_nan());
    same || (found - expected).abs() <= 8.0 * unit * expected.abs() + tiny
}

fn apply<'g, T: gradus::Element>(op: Op, inputs: &[Var<'g, T>]) -> Var<'g, T> {
    let erased: Vec<_> = inputs.iter().map(|x| x.erase()).collect();
    inputs[0].graph().apply(op, &erased).unwrap().typed().unwrap()
}

#[test]
fn unary_operations() {
    let g = Graph::new();
    let (x, y) = (Array1::from(NUMBERS.to_vec()), Array1::from(NUMBERS.to_vec()).mapv(|x| x as f32));
    let (wide, narrow) = (g.input("x", &x), g.input("y", &y));
    for op in unaries() {
        let found = apply(Op::Unary(op), &[wide]).value().unwrap();
        for (&x, &found) in x.iter().zip(&found) {
            let expected = plain_unary(op, x);
            assert!(
                agrees(found, expected, f64::EPSILON, f64::MIN_POSITIVE)
                    || near_root(op, found, expected, f64::EPSILON),
                "{op:?} of {x}: {found}, not {expected}"
            );
        }
        let found = apply(Op::Unary(op), &[narrow]).value().unwrap();
        for (&y, &found) in y.iter().zip(&found) {
            // The formula in f64, with attributes as f32 has them, rounded once.
            let op = match op {
                Unary::Powf { p } => Unary::Powf { p: f64::from(p.get() as f32).into() },
                Unary::HardShrink { lambda } => {
                    Unary::HardShrink { lambda: f64::from(lambda.get() as f32).into() }
                }
                Unary::LeakyRelu { slope } => {
                    Unary::LeakyRelu { slope: f64::from(slope.get() as f32).into() }
                }
                Unary::Elu { alpha } => Unary::Elu { alpha: f64::from(alpha.get() as f32).into() },
                Unary::Clip { bounds } => {
                    let narrow = |bound: Option<f64>| bound.map(|bound| f64::from(bound as f32));
                    Unary::Clip { bounds: Bounds::new(narrow(bounds.low()), narrow(bounds.high())) }
                }
                op => op,
            };
            let expected = f64::from(plain_unary(op, f64::from(y)) as f32);
            assert!(
                agrees(found.into(), expected, f32::EPSILON.into(), f32::MIN_POSITIVE.into()),
                "{op:?} of {y}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn accuracy_where_it_is_lost_easily() {
    let g = Graph::new();
    let x = g.input("x", 0.0);
    let rows: &[(Var<'_>, f64, f64)] = &[
        (x.exp_m1(), 1e-17, 1e-17),
        (x.ln_1p(), 1e-17, 1e-17),
        (x.softplus(), -50.0, 1.928_749_847_963_917_8e-22),
        (x.softplus(), -700.0, 9.859_676_543_759_77e-305),
        (x.softplus(), 800.0, 800.0),
        (x.sigmoid(), -50.0, 1.928_749_847_963_917_8e-22),
        (x.sigmoid(), -700.0, 9.859_676_543_759_77e-305),
        (x.tanh(), 1e-12, 1e-12),
        (x.tanh(), 30.0, 1.0),
    ];
    for &(y, at, expected) in rows {
        x.set_value(at).unwrap();
        let found = y.item().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-14, "{y} at {at}: {found}, not {expected}");
    }
}

#[test]
fn binary_operations_and_comparisons() {
    let g = Graph::new();
    let n = NUMBERS.len();
    let (a, b) = (Array1::from(NUMBERS.to_vec()), Array1::from(NUMBERS.to_vec()));
    let (x, y) = (g.input("a", a.to_shape((n, 1)).unwrap()), g.input("b", &b));
    let (u, v) = (x.cast::<f32>(), y.cast::<f32>());
    for &op in Binary::ALL {
        let wide = apply(Op::Binary(op), &[x, y]).value().unwrap();
        let narrow = apply(Op::Binary(op), &[u, v]).value().unwrap();
        for (i, &a) in a.iter().enumerate() {
            for (j, &b) in b.iter().enumerate() {
                let expected = plain_binary(op, a, b);
                let found = wide[[i, j]];
                let same = found == expected || (found.is_nan() && expected.is_nan());
                let close = !is_rounded_once(op) && agrees(found, expected, f64::EPSILON, f64::MIN_POSITIVE);
                assert!(same || close, "{a} {op:?} {b}: {found}, not {expected}");
                // One operation in f64 and one rounding is the operation in f32.
                let expected = plain_binary(op, (a as f32).into(), (b as f32).into()) as f32;
                let found = narrow[[i, j]];
                let same = found == expected || (found.is_nan() && expected.is_nan());
                let close = !is_rounded_once(op)
                    && agrees(found.into(), expected.into(), f32::EPSILON.into(), f32::MIN_POSITIVE.into());
                assert!(same || close, "{a} {op:?} {b} in f32: {found}, not {expected}");
            }
        }
    }
    for &op in Compare::ALL {
        let wide = g.apply(Op::Compare(op), &[x.erase(), y.erase()]).unwrap().typed::<bool>().unwrap();
        let narrow = g.apply(Op::Compare(op), &[u.erase(), v.erase()]).unwrap().typed::<bool>().unwrap();
        let (wide, narrow) = (wide.value().unwrap(), narrow.value().unwrap());
        for (i, &a) in a.iter().enumerate() {
            for (j, &b) in b.iter().enumerate() {
                assert_eq!(wide[[i, j]], plain_compare(op, a, b), "{a} {op:?} {b}");
                let (a, b) = (f64::from(a as f32), f64::from(b as f32));
                assert_eq!(narrow[[i, j]], plain_compare(op, a, b), "{a} {op:?} {b} in f32");
            }
        }
    }
}

/// A formula, and what plain Rust says of one pair of elements.
type Row<'g, T, E> = (Var<'g, T>, fn(E, E) -> T);

#[test]
fn integers_wrap_around() {
    let g = Graph::new();
    let numbers = array![0_i64, 1, -1, 7, -9, 1 << 40, i64::MAX, i64::MIN];
    let n = numbers.len();
    let (x, y) = (g.input("x", numbers.to_shape((n, 1)).unwrap()), g.input("y", &numbers));
    // Widens a formula of `x` alone to the shape of the table.
    let zero = y - y;
    let table: &[Row<'_, i64, i64>] = &[
        (x + y, i64::wrapping_add),
        (x - y, i64::wrapping_sub),
        (x * y, i64::wrapping_mul),
        (x.maximum(y), Ord::max),
        (x.minimum(y), Ord::min),
        (-x + zero, |a, _| a.wrapping_neg()),
        (x.abs() + zero, |a, _| a.wrapping_abs()),
        (x.sign() + zero, |a, _| a.signum()),
        (x.square() + zero, |a, _| a.wrapping_mul(a)),
        (x + 3 - y, |a, b| a.wrapping_add(3).wrapping_sub(b)),
    ];
    for (formula, plain) in table {
        let found = formula.value().unwrap();
        for ((i, j), found) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).zip(&found) {
            let (a, b) = (numbers[i], numbers[j]);
            assert_eq!(*found, plain(a, b), "{formula} with {a} and {b}");
        }
    }
    let total = numbers.iter().fold(0_i64, |sum, &x| sum.wrapping_add(x));
    assert_eq!(y.sum().item().unwrap(), total);
    assert_eq!(y.max().item().unwrap(), i64::MAX);
    assert_eq!(y.min().item().unwrap(), i64::MIN);
    assert_eq!(y.argmax().item().unwrap(), 6);
    let masks: &[Row<'_, bool, i64>] = &[
        (x.lt(y), |a, b| i64::lt(&a, &b)),
        (x.le(y), |a, b| i64::le(&a, &b)),
        (x.gt(y), |a, b| i64::gt(&a, &b)),
        (x.ge(y), |a, b| i64::ge(&a, &b)),
        (x.eq(y), |a, b| i64::eq(&a, &b)),
        (x.ne(y), |a, b| i64::ne(&a, &b)),
    ];
    for (mask, plain) in masks {
        let found = mask.value().unwrap();
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            assert_eq!(found[[i, j]], plain(numbers[i], numbers[j]), "{mask}");
        }
    }
}

#[test]
fn masks() {
    let g = Graph::new();
    let (a, b) = (array![[false], [true]], array![false, true]);
    let (p, q) = (g.input("p", &a), g.input("q", &b));
    let table: &[Row<'_, bool, bool>] = &[
        (p & q, |a, b| a && b),
        (p | q, |a, b| a || b),
        (p.and(q), |a, b| a && b),
        (p.or(q), |a, b| a || b),
        (!p | !q, |a, b| !a || !b),
        (p.inverted() & q, |a, b| !a && b),
        (p.and(true) | q.and(false), |a, _| a),
        (p.lt(q), |a, b| !a & b),
        (p.le(q), |a, b| a <= b),
        (p.gt(q), |a, b| a & !b),
        (p.ge(q), |a, b| a >= b),
        (p.eq(q), |a, b| a == b),
        (p.ne(q), |a, b| a != b),
        (p.select(q, true), |a, b| !a || b),
    ];
    for (mask, plain) in table {
        let found = mask.value().unwrap();
        for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            assert_eq!(found[[i, j]], plain(a[[i, 0]], b[j]), "{mask}");
        }
    }
}

#[test]
fn casts_between_all_types() {
    let g = Graph::new();
    let floats = array![0.0, -0.0, 0.5, -1.5, 1e10, 3.999, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300];
    let x = g.input("x", &floats);
    assert_eq!(x.cast::<i64>().value().unwrap(), floats.mapv(|x| x as i64).into_dyn());
    assert_eq!(x.cast::<bool>().value().unwrap(), floats.mapv(|x| x != 0.0).into_dyn());
    let narrow = x.cast::<f32>().value().unwrap();
    for (&found, &x) in narrow.iter().zip(&floats) {
        assert!(found == x as f32 || (found.is_nan() && x.is_nan()), "{x} became {found}");
    }
    let small = array![0.1_f32, -2.75, f32::INFINITY, 0.0];
    let y = g.input("y", &small);
    assert_eq!(y.cast::<f64>().value().unwrap(), small.mapv(f64::from).into_dyn());
    assert_eq!(y.cast::<i64>().value().unwrap(), small.mapv(|x| x as i64).into_dyn());
    assert_eq!(y.cast::<bool>().value().unwrap(), small.mapv(|x| x != 0.0).into_dyn());
    assert_eq!(y.cast::<f32>().value().unwrap(), small.into_dyn());
    let integers = array![0_i64, 5, -7, i64::MAX, i64::MIN, (1 << 53) + 1];
    let n = g.input("n", &integers);
    assert_eq!(n.cast::<f64>().value().unwrap(), integers.mapv(|n| n as f64).into_dyn());
    assert_eq!(n.cast::<f32>().value().unwrap(), integers.mapv(|n| n as f32).into_dyn());
    assert_eq!(n.cast::<bool>().value().unwrap(), integers.mapv(|n| n != 0).into_dyn());
    assert_eq!(n.cast::<i64>().value().unwrap(), integers.into_dyn());
    let masks = array![true, false];
    let m = g.input("m", &masks);
    assert_eq!(m.cast::<f64>().value().unwrap(), array![1.0, 0.0].into_dyn());
    assert_eq!(m.cast::<f32>().value().unwrap(), array![1.0_f32, 0.0].into_dyn());
    assert_eq!(m.cast::<i64>().value().unwrap(), array![1_i64, 0].into_dyn());
    assert_eq!(m.cast::<bool>().value().unwrap(), masks.into_dyn());
}

/// What a reduction makes of the elements along its axes, in C order.
fn plain_fold(fold: Fold, line: &[f64]) -> f64 {
    let best = |better: fn(f64, f64) -> bool| {
        line.iter().copied().reduce(|a, b| if a.is_nan() || better(a, b) { a } else { b }).unwrap()
    };
    match fold {
        Fold::Sum => line.iter().sum(),
        Fold::Prod => line.iter().product(),
        Fold::Mean => line.iter().sum::<f64>() / line.len() as f64,
        Fold::Max => best(|a, b| a >= b),
        Fold::Min => best(|a, b| a <= b),
        Fold::ArgMax => {
            let nan = line.iter().position(|x| x.is_nan());
            let top = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            nan.or(line.iter().position(|&x| x == top)).unwrap() as f64
        }
        Fold::LogSumExp => line.iter().map(|x| x.exp()).sum::<f64>().ln(),
        Fold::Norm => line.iter().map(|x| x * x).sum::<f64>().sqrt(),
        Fold::Size => line.len() as f64,
    }
}

/// The same over axes of an array, axis by axis as a reader would do it.
fn plain_reduction(fold: Fold, x: &ArrayD<f64>, axes: &[usize], keepdims: bool) -> ArrayD<f64> {
    let rest: Vec<usize> = (0..x.ndim()).filter(|axis| !axes.contains(axis)).collect();
    let order: Vec<usize> = rest.iter().chain(axes).copied().collect();
    let (outer, inner): (usize, usize) = (
        rest.iter().map(|&axis| x.shape()[axis]).product(),
        axes.iter().map(|&axis| x.shape()[axis]).product(),
    );
    let lines = x.view().permuted_axes(order).as_standard_layout().into_owned();
    let lines = lines.into_shape_with_order((outer, inner)).unwrap();
    let results: Vec<f64> = lines.outer_iter().map(|line| plain_fold(fold, &line.to_vec())).collect();
    let shape: Vec<usize> = if keepdims {
        x.shape().iter().enumerate().map(|(axis, &n)| if axes.contains(&axis) { 1 } else { n }).collect()
    } else {
        rest.iter().map(|&axis| x.shape()[axis]).collect()
    };
    ArrayD::from_shape_vec(shape, results).unwrap()
}

#[test]
fn reductions_over_every_set_of_axes() {
    let mut rng = Rng(11);
    for shape in [&[][..], &[1], &[7], &[3, 4], &[2, 3, 4], &[1, 5], &[2, 1, 3, 2], &[40, 3], &[3, 200]] {
        for lie in Lie::ALL {
            let x = Laid::new(rng.distinct(shape), lie);
            let values = x.view().to_owned();
            for subset in 0..1 << shape.len() {
                let axes: Vec<usize> = (0..shape.len()).filter(|axis| subset >> axis & 1 == 1).collect();
                // Given from the end, and in another order.
                let given: Vec<i32> =
                    axes.iter().rev().map(|&axis| axis as i32 - shape.len() as i32).collect();
                for (keepdims, &fold) in
                    [false, true].into_iter().flat_map(|k| Fold::ALL.iter().map(move |f| (k, f)))
                {
                    let g = Graph::new();
                    let input = g.placeholder::<f64>("x", shape);
                    let op = Op::Reduce(Reduce { fold, axes: Axes::from(&given[..]), keepdims });
                    let y = g.apply(op, &[input.erase()]).unwrap();
                    let y = if fold == Fold::ArgMax {
                        y.typed::<i64>().unwrap().cast()
                    } else {
                        y.typed().unwrap()
                    };
                    let mut program = g.compile(y, ()).unwrap();
                    let found = program.run_with(&[input.feed(&x.view())]).unwrap().to_owned();
                    let expected = if fold == Fold::Size {
                        arr0(axes.iter().map(|&axis| shape[axis]).product::<usize>() as f64).into_dyn()
                    } else {
                        plain_reduction(fold, &values, &axes, keepdims)
                    };
                    assert_close(&found, &expected, 1e-13);
                }
            }
        }
    }
}

#[test]
fn reductions_of_nothing() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 0)));
    assert_eq!(x.sum().item().unwrap(), 0.0);
    assert_eq!(x.sum_axis(1).value().unwrap(), array![0.0, 0.0].into_dyn());
    assert_eq!(x.sum_axis(0).value().unwrap().shape(), [0]);
    assert!(x.mean().item().unwrap().is_nan());
    assert!(x.mean_axis(1).value().unwrap().iter().all(|mean| mean.is_nan()));
    assert_eq!(x.mean_axis(1).shape(), [2]);
    assert_eq!(x.max_axis(0).value().unwrap().shape(), [0]);
    assert_eq!(x.argmax_axis(0).value().unwrap().shape(), [0]);
    assert_eq!((x.size_of(0).item().unwrap(), x.size_of([0, 1]).item().unwrap()), (2.0, 0.0));
}

#[test]
fn ties_and_nan_in_argmax() {
    let g = Graph::new();
    let nan = f64::NAN;
    let least = f64::NEG_INFINITY;
    let x = g.input("x", array![[1.0, 3.0, 3.0], [nan, 5.0, nan], [-0.0, 0.0, -1.0], [least, least, least]]);
    assert_eq!(x.argmax_axis(1).value().unwrap(), array![1_i64, 0, 0, 0].into_dyn());
    assert_eq!(x.argmax_axis(0).value().unwrap(), array![1_i64, 1, 1].into_dyn());
    assert_eq!(x.argmax().item().unwrap(), 3);
    assert_eq!(x.argmax_keepdims(-1).shape(), [4, 1]);
    assert_eq!(x.argmax_axis(Axes::none()).value().unwrap(), ArrayD::<i64>::zeros(IxDyn(&[4, 3])));
}

#[test]
fn sums_of_many_small_numbers_stay_accurate() {
    let n = 1_000_000;
    let g = Graph::new();
    let x = g.placeholder::<f32>("x", [n]);
    let mut program = g.compile((x.sum(), x.mean()), ()).unwrap();
    let tenths = Array1::from_elem(n, 0.1_f32);
    let (sum, mean) = program.run_with(&[x.feed(&tenths)]).unwrap();
    // One after the other they sum to 100958.
    assert!((f64::from(sum[[]]) / (f64::from(0.1_f32) * n as f64) - 1.0).abs() < 1e-6, "{sum}");
    assert!((f64::from(mean[[]]) / f64::from(0.1_f32) - 1.0).abs() < 1e-6, "{mean}");
}

#[test]
fn arrangements() {
    let mut rng = Rng(12);
    let values = rng.array(&[2, 3, 4], -1.0, 1.0);
    for lie in [Lie::C, Lie::Transposed, Lie::Reversed, Lie::Stepped] {
        let laid = Laid::new(values.clone(), lie);
        let g = Graph::new();
        let x = g.placeholder::<f64>("x", [2, 3, 4]);
        let reshaped = |shape: &[usize]| values.to_shape(shape).unwrap().into_owned();
        let rows: Vec<(Var<'_>, ArrayD<f64>)> = vec![
            (x.t(), values.t().to_owned()),
            (x.transpose([1, 2, 0]), values.view().permuted_axes(vec![1, 2, 0]).to_owned()),
            (x.transpose([-1, 0, 1]), values.view().permuted_axes(vec![2, 0, 1]).to_owned()),
            (x.transpose([0, 1, 2]), values.clone()),
            (x.reshape([6, 4]), reshaped(&[6, 4])),
            (x.reshape([-1]), reshaped(&[24])),
            (x.reshape([4, -1, 3]), reshaped(&[4, 2, 3])),
            (x.reshape([2, 3, 4]), values.clone()),
            (x.t().reshape([24]), values.t().to_shape(24).unwrap().into_dyn().into_owned()),
            (x.t().reshape([2, -1]).t(), values.t().to_shape((2, 12)).unwrap().t().into_dyn().to_owned()),
            (x.expand_dims(0), reshaped(&[1, 2, 3, 4])),
            (x.expand_dims(-1), reshaped(&[2, 3, 4, 1])),
            (x.expand_dims([1, 3]), reshaped(&[2, 1, 3, 1, 4])),
            (x.broadcast_to([5, 2, 3, 4]), values.broadcast(vec![5, 2, 3, 4]).unwrap().to_owned()),
            (x.t().broadcast_to([2, 4, 3, 2]), values.t().broadcast(vec![2, 4, 3, 2]).unwrap().to_owned()),
            (x.sum_like(g.constant(array![[0.0], [0.0], [0.0]])), {
                values.sum_axis(Axis(0)).sum_axis(Axis(1)).to_shape((3, 1)).unwrap().into_dyn().into_owned()
            }),
            (x.reshape_like(g.constant(Array2::<f64>::zeros((8, 3)))), reshaped(&[8, 3])),
            (x.sum_axis(0).broadcast_like(x), {
                values.sum_axis(Axis(0)).broadcast(vec![2, 3, 4]).unwrap().to_owned()
            }),
        ];
        let (formulas, expected): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let mut program = g.compile(&formulas, ()).unwrap();
        let found = program.run_with(&[x.feed(&laid.view())]).unwrap();
        for ((formula, found), expected) in formulas.iter().zip(&found).zip(&expected) {
            assert_eq!(formula.shape(), expected.shape(), "{formula}");
            assert_close(&found.to_owned(), expected, 1e-15);
        }
    }
}

fn plain_dot(a: &ArrayD<f64>, b: &ArrayD<f64>) -> ArrayD<f64> {
    let inner = a.ndim() - 1;
    let (left, right) = (&a.shape()[..inner], &b.shape()[1..]);
    let (m, k, n) = (left.iter().product::<usize>(), b.shape()[0], right.iter().product::<usize>());
    let (a, b) = (a.to_shape((m, k)).unwrap(), b.to_shape((k, n)).unwrap());
    let product = Array2::from_shape_fn((m, n), |(i, j)| (0..k).map(|p| a[[i, p]] * b[[p, j]]).sum::<f64>());
    let shape: Vec<usize> = left.iter().chain(right).copied().collect();
    product.into_dyn().to_shape(shape).unwrap().into_owned()
}

#[test]
fn products_of_all_ranks_and_strides() {
    let mut rng = Rng(13);
    let shapes: &[(&[usize], &[usize])] = &[
        (&[4], &[4]),
        (&[0], &[0]),
        (&[50], &[50]),
        (&[2, 4], &[4]),
        (&[4], &[4, 3]),
        (&[2, 4], &[4, 3]),
        (&[1, 4], &[4, 1]),
        (&[5, 1], &[1, 3]),
        (&[1, 1], &[1, 1]),
        (&[3, 0], &[0, 2]),
        (&[0, 3], &[3, 2]),
        (&[17, 33], &[33, 19]),
        (&[70, 65], &[65, 1]),
        (&[1, 65], &[65, 70]),
    ];
    for (left, right) in shapes {
        for (lie, other) in Lie::ALL.into_iter().flat_map(|lie| Lie::ALL.map(|other| (lie, other))) {
            let a = Laid::new(rng.array(left, -1.0, 1.0), lie);
            let b = Laid::new(rng.array(right, -1.0, 1.0), other);
            let g = Graph::new();
            let (x, y) = (g.placeholder::<f64>("x", *left), g.placeholder::<f64>("y", *right));
            let product = x.dot(y);
            let computed = (x * 2.0).dot(y + 1.0);
            // A vector's transpose is itself, so the order of a mixed product cannot be turned round.
            let turned = left.len() == right.len();
            let third = if turned { y.t().dot(x.t()) } else { product };
            let mut program = g.compile([product, computed, third], ()).unwrap();
            let [plain, computed, transposed] =
                program.run_with(&[x.feed(&a.view()), y.feed(&b.view())]).unwrap();
            let (a, b) = (a.view().to_owned(), b.view().to_owned());
            let expected = plain_dot(&a, &b);
            assert_close(&plain.to_owned(), &expected, 1e-13);
            assert_close(&computed.to_owned(), &plain_dot(&(&a * 2.0), &(&b + 1.0)), 1e-13);
            let expected = if turned { expected.t().to_owned() } else { expected };
            assert_close(&transposed.to_owned(), &expected, 1e-13);
        }
    }
    let g = Graph::new();
    let (s, v) = (g.input("s", 3.0), g.input("v", array![[1.0, 2.0]]));
    assert_eq!(s.dot(v).value().unwrap(), array![[3.0, 6.0]].into_dyn());
    assert_eq!(v.dot(s).value().unwrap(), array![[3.0, 6.0]].into_dyn());
    assert_eq!(s.dot(s).item().unwrap(), 9.0);
}

#[test]
fn selections_take_the_branch_that_the_mask_says() {
    let g = Graph::new();
    let mask = g.constant(array![[true], [false]]);
    let (row, column) = (g.constant(array![1.0, 2.0, 3.0]), g.constant(array![[10.0], [20.0]]));
    let expected = array![[1.0, 2.0, 3.0], [20.0, 20.0, 20.0]].into_dyn();
    assert_eq!(mask.select(row, column).value().unwrap(), expected);
    assert_eq!(mask.select(f64::NAN, row).value().unwrap().slice(ndarray::s![1, ..]), array![1.0, 2.0, 3.0]);
    assert_eq!(mask.select(7_i64, -7).value().unwrap(), array![[7_i64], [-7]].into_dyn());
    assert_eq!(mask.select(1.5_f32, array![0.5_f32]).value().unwrap(), array![[1.5_f32], [0.5]].into_dyn());
}

#[test]
fn literals_are_rounded_once_to_the_element_type() {
    let g = Graph::new();
    let x = g.input("x", array![1.0_f32, 3.0]);
    let expected = array![1.0_f32 - 0.1, 3.0 - 0.1].into_dyn();
    assert_eq!((x - 0.1_f64).value().unwrap(), expected);
    assert_eq!((0.1_f64 + x).value().unwrap(), array![0.1_f32 + 1.0, 0.1 + 3.0].into_dyn());
}

/// Two shapes that broadcast: a common shape, with axes of either side set to 1 or left off.
fn broadcastable() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let axis = (0_usize..4, prop::bool::weighted(0.3), prop::bool::weighted(0.3));
    (prop::collection::vec(axis, 0..5), 0_usize..5, 0_usize..5).prop_map(|(axes, a, b)| {
        let side = |keep: usize, one: &dyn Fn(&(usize, bool, bool)) -> bool| {
            let from = axes.len() - keep.min(axes.len());
            axes[from..].iter().map(|axis| if one(axis) { 1 } else { axis.0 }).collect()
        };
        // One side has all the axes.
        let (a, b) = if a >= b { (5, b) } else { (a, 5) };
        (side(a, &|axis| axis.1), side(b, &|axis| axis.2))
    })
}

/// NumPy's rule, by hand.
fn plain_broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |s: &[usize], axis: usize| if axis + s.len() < rank { 1 } else { s[axis + s.len() - rank] };
    let sizes = (0..rank).map(|axis| match (size(a, axis), size(b, axis)) {
        (1, n) | (n, 1) => Some(n),
        (m, n) => (m == n).then_some(m),
    });
    sizes.collect()
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn broadcasting_is_ndarrays((a, b) in broadcastable(), seed: u64) {
        let shape = plain_broadcast(&a, &b).unwrap();
        let mut rng = Rng(seed);
        let (x, y) = (rng.array(&a, -1.0, 1.0), rng.array(&b, -1.0, 1.0));
        let g = Graph::new();
        let (p, q) = (g.input("x", &x), g.input("y", &y));
        let (stretched, other) = (x.broadcast(shape.clone()).unwrap(), y.broadcast(shape.clone()).unwrap());
        let difference = p - q;
        prop_assert_eq!(&*difference.shape(), &shape[..]);
        prop_assert_eq!(difference.value().unwrap(), &stretched - &other);
        prop_assert_eq!(p.broadcast_to(&shape[..]).value().unwrap(), stretched.view());
        prop_assert_eq!(p.broadcast_like(difference).value().unwrap(), stretched.view());
        prop_assert_eq!(p.gt(q).value().unwrap(), ndarray::Zip::from(&stretched).and(&other).map_collect(|x, y| x > y));
        // The gradient of a sum of products: what was stretched is summed over again.
        let [dp, dq] = (p * q).sum().grad([p, q]);
        let back = |g: ndarray::ArrayViewD<'_, f64>, to: &[usize]| {
            let mut sum = g.to_owned();
            while sum.ndim() > to.len() {
                sum = sum.sum_axis(Axis(0));
            }
            for (axis, &n) in to.iter().enumerate() {
                if n == 1 {
                    sum = sum.sum_axis(Axis(axis)).insert_axis(Axis(axis));
                }
            }
            sum
        };
        assert_close(&dp.value().unwrap(), &back(other, &a), 1e-13);
        assert_close(&dq.value().unwrap(), &back(stretched, &b), 1e-13);
    }

    #[test]
    fn shapes_clash_where_the_rule_says(
        a in prop::collection::vec(0_usize..4, 0..4),
        b in prop::collection::vec(0_usize..4, 0..4),
    ) {
        let g = Graph::new();
        let (p, q) = (g.placeholder::<f64>("x", a.clone()), g.placeholder::<f64>("y", b.clone()));
        let result = g.apply(Op::Binary(Binary::Add), &[p.erase(), q.erase()]);
        match plain_broadcast(&a, &b) {
            Some(shape) => prop_assert_eq!(&*result.unwrap().shape(), &shape[..]),
            None => {
                let clash = matches!(result.unwrap_err(), Error::Broadcast { clash, .. }
                    if clash.left.1 != clash.right.1
                        && a[clash.left.0] == clash.left.1
                        && b[clash.right.0] == clash.right.1);
                prop_assert!(clash);
            }
        }
    }
}
