//! Random expressions: rewriting, fusing and planning change no value, and gradients are right.

use gradus::check::Check;
use gradus::ndarray::{ArrayD, IxDyn};
use gradus::prelude::*;
use proptest::prelude::*;

/// One step of building an expression: which operation, of which of the values so far.
type Step = (u8, usize, usize);

/// A stack of expressions, each built of earlier ones; all smooth and bounded, so that differences resolve them.
fn grow<'g>(leaves: &[Var<'g>], steps: &[Step]) -> Vec<Var<'g>> {
    let mut values = leaves.to_vec();
    for &(op, i, j) in steps {
        let (a, b) = (values[i % values.len()], values[j % values.len()]);
        let fits = gradus_broadcasts(&a.shape(), &b.shape());
        let new = match op % 22 {
            0 if fits => a + b,
            1 if fits => a * b,
            2 if fits => a - b,
            3 if fits => a / (b.square() + 1.5),
            4 => a.tanh(),
            5 => a.sigmoid(),
            6 => a.softplus(),
            7 => a.sin(),
            8 => a.cos() + a,
            9 => a.t(),
            10 => a.reshape([-1]),
            11 => a.mean_keepdims(gradus::Axes::ALL) + a,
            12 if a.ndim() > 0 => a.sum_axis(-1) * 0.3,
            13 if a.ndim() > 0 => a.mean_axis(0),
            14 => a.sigmoid().ln(),
            15 => 1.0 - a.sigmoid(),
            16 => (a.tanh().exp() + 1.0).ln(),
            17 => (a.square() + 0.5).sqrt(),
            18 if a.ndim() == 2 && b.ndim() == 2 && a.shape()[1] == b.shape()[0] => 0.4 * a.dot(b),
            19 if a.ndim() == 2 => 0.4 * a.dot(a.t()),
            20 => -(-a) * 0.7,
            21 if fits => a.gt(b).cast::<f64>() + a,
            _ => a * 0.9,
        };
        values.push(new);
    }
    values
}

fn gradus_broadcasts(a: &[usize], b: &[usize]) -> bool {
    a.iter().rev().zip(b.iter().rev()).all(|(a, b)| a == b || *a == 1 || *b == 1)
}

fn array(shape: &[usize], numbers: &mut impl Iterator<Item = f64>) -> ArrayD<f64> {
    ArrayD::from_shape_simple_fn(IxDyn(shape), || numbers.next().unwrap_or(0.5))
}

fn shapes() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let size = prop_oneof![1 => Just(0_usize), 3 => Just(1), 4 => 2..5_usize, 1 => 20..40_usize];
    prop::collection::vec(prop::collection::vec(size, 0..4), 1..4)
}

fn numbers() -> impl Iterator<Item = f64> {
    (1..).map(|k| ((f64::from(k) * 12.9898).sin() * 43758.5453).fract())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Fused groups and single operations give the same bits, for values and for gradients.
    #[test]
    fn fusion_changes_nothing(shapes in shapes(), steps in prop::collection::vec(any::<Step>(), 1..16)) {
        let g = Graph::new();
        let mut numbers = numbers();
        let leaves: Vec<_> =
            shapes.iter().enumerate().map(|(i, s)| g.input(&format!("x{i}"), array(s, &mut numbers))).collect();
        let values = grow(&leaves, &steps);
        let last = values[values.len() - 1];
        let gradients = last.sum().grad_or_zeros(&leaves);
        let mut fused = g.compile((values.clone(), gradients.clone()), ()).unwrap();
        let mut plain = g.compile((values.clone(), gradients), ()).unwrap().plain();
        let ((v, d), (w, e)) = (fused.run().unwrap(), plain.run().unwrap());
        for (a, b) in v.iter().chain(&d).zip(w.iter().chain(&e)) {
            prop_assert_eq!(a.shape(), b.shape());
            prop_assert!(a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
        // Each value by itself, compiled apart, is the same.
        for (e, v) in values.iter().zip(&v) {
            prop_assert_eq!(&*e.shape(), v.shape());
            let alone = e.value().unwrap();
            prop_assert!(alone.iter().zip(v).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs().max(1.0) || a.is_nan() && b.is_nan()));
        }
        for (x, d) in leaves.iter().zip(&d) {
            prop_assert_eq!(&*x.shape(), d.shape());
        }
    }

    /// The gradient of a random expression is what differences say.
    #[test]
    fn gradients_are_right(shapes in shapes(), steps in prop::collection::vec(any::<Step>(), 1..13)) {
        let g = Graph::new();
        let mut numbers = numbers();
        let leaves: Vec<_> =
            shapes.iter().enumerate().map(|(i, s)| g.input(&format!("x{i}"), array(s, &mut numbers))).collect();
        let filled: Vec<_> = leaves.iter().copied().filter(|x| x.shape().size() > 0).collect();
        // Comparisons jump; all else is smooth.
        let smooth: Vec<Step> = steps.into_iter().filter(|step| step.0 % 22 != 21).collect();
        let values = grow(&leaves, &smooth);
        let last = values[values.len() - 1];
        prop_assume!(last.shape().size() > 0 && last.value().unwrap().iter().all(|x| x.abs() < 1e4));
        let bend = filled.iter().map(|x| (*x + 0.3).sin().sum()).reduce(|a, b| a + b);
        if let Some(bend) = bend {
            let y = (1.0 + last + 0.1 * last.square()) * (bend + 2.0);
            let report = Check::new().tolerance(1e-6).gradient(y, &filled);
            prop_assert!(report.is_ok(), "{}", report.unwrap_err());
        }
    }

    /// The broadcast rule is ndarray's.
    #[test]
    fn broadcasting_is_ndarrays(shapes in shapes(), other in shapes()) {
        let g = Graph::new();
        let (a, b) = (&shapes[0], &other[0]);
        let zeros = |s: &[usize]| g.constant(ArrayD::<f64>::zeros(s));
        let add = gradus::ops::Op::Binary(gradus::ops::Binary::Add);
        let sum = g.apply(add, &[zeros(a).erase(), zeros(b).erase()]);
        prop_assert_eq!(sum.is_ok(), gradus_broadcasts(a, b));
        if let Ok(sum) = sum {
            let shape = sum.shape();
            prop_assert!(ArrayD::<f64>::zeros(&a[..]).broadcast(&*shape).is_some());
            prop_assert!(ArrayD::<f64>::zeros(&b[..]).broadcast(&*shape).is_some());
            prop_assert_eq!(shape.ndim(), a.len().max(b.len()));
        }
    }
}
