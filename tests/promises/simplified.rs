//! The printed form of a derivative is the derivative.

use gradus::{Graph, Var};
use proptest::prelude::*;

use crate::support::{Rng, along, cases};
use crate::trees::{Step, build, cost, differs, leaf_shapes, plain};

proptest! {
    #![proptest_config(cases(400))]

    /// Of random formulas, to second order: the same shape and the same value.
    #[test]
    fn derivatives_simplified_are_the_derivatives(
        shapes in leaf_shapes(),
        steps in prop::collection::vec(any::<Step>(), 1..11),
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let arrays: Vec<_> = shapes.iter().map(|shape| rng.array(shape, -1.5, 1.5)).collect();
        let directions: Vec<_> = shapes.iter().map(|shape| rng.array(shape, -1.0, 1.0)).collect();
        let mut tamed = Vec::new();
        build(&plain(&arrays), &steps, |_, result| {
            tamed.push(result.array.iter().any(|x| x.abs() > 2.5));
            tamed[tamed.len() - 1]
        });
        let g = Graph::new();
        let x: Vec<Var<'_>> = arrays.iter().zip(["p", "q", "r"]).map(|(x, name)| g.input(name, x)).collect();
        let scalar = cost(build(&x, &steps, |place, _| tamed[place]));
        let first = scalar.grad_or_zeros(&x);
        let second = along(&first, &x, &directions).grad_or_zeros(&x);
        for derivative in first.into_iter().chain(second) {
            let nodes = g.len();
            let printed = derivative.to_string();
            prop_assert_eq!(g.len(), nodes, "printing {} records nothing", printed);
            let simple = derivative.simplify();
            let (value, expected) = (simple.value().unwrap(), derivative.value().unwrap());
            let finite = expected.iter().all(|x| x.is_finite());
            prop_assert!(!finite || !differs(&value, &expected, 1e-9), "{} is {}, not {}", simple, value, expected);
        }
    }
}

#[test]
fn what_a_user_wrote_is_printed_as_it_is_written() {
    let g = Graph::new();
    let (a, y, m) = (g.input("A", 0.3), g.input("Y", 1.0), g.input("m", 4.0));
    let written = 1.0 / m * (1.0 - y) * a - 1.0 / m * y * (1.0 - a);
    assert_eq!(written.to_string(), "1 / m * (1 - Y) * A - 1 / m * Y * (1 - A)");
    assert_eq!(written.simplify().to_string(), written.to_string());
    assert_eq!((a * a + a * a).to_string(), "A * A + A * A");
    // Of a derivative, too.
    let s = g.input("S", 0.5);
    let slope = s.square().grad(s);
    assert_eq!((slope * 2.0 + slope * 3.0).to_string(), "2 * S * 2 + 2 * S * 3");
    // The same node from a derivation, first, and then by hand.
    let z = g.input("Z", 0.5);
    let derivative = (z * z * z).grad(z);
    assert_eq!(derivative.to_string(), "3 * Z.square()");
    let by_hand = z * z + z * (z + z);
    assert_eq!(by_hand.to_string(), "Z * Z + Z * (Z + Z)");
}

#[test]
fn a_long_derivative_is_printed_in_little_time() {
    let g = Graph::new();
    let x = g.input("x", 0.5);
    let mut y = x;
    for _ in 0..2000 {
        y = (y * 0.99 + 0.01).sin() * x;
    }
    let began = std::time::Instant::now();
    let printed = y.grad(x).to_string();
    assert!(printed.lines().count() > 100);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
