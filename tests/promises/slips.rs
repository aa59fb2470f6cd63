//! Reports on wrong formulas that are right but for one change: their exact texts.

use gradus::check::{Failure, Slip, assert_derivation, assert_equality, derivation, equality};
use gradus::prelude::*;

/// A network with one hidden layer, with derivatives by hand.
struct Network<'g> {
    x: Var<'g>,
    y: Var<'g>,
    w1: Var<'g>,
    b1: Var<'g>,
    w2: Var<'g>,
    b2: Var<'g>,
    z1: Var<'g>,
    a1: Var<'g>,
    z2: Var<'g>,
    a2: Var<'g>,
    m: Var<'g>,
    cost: Var<'g>,
    dz2: Var<'g>,
    da1: Var<'g>,
    dz1: Var<'g>,
}

fn network(g: &Graph) -> Network<'_> {
    let x = g.input("X", array![[1.0, 2.0, -1.0], [0.5, -0.3, 0.8]]);
    let y = g.input("Y", array![[1.0, 0.0, 1.0]]);
    let w1 = g.param("W1", array![[0.3, -0.2], [0.1, 0.4], [-0.5, 0.2], [0.7, 0.1]]);
    let b1 = g.param("b1", array![[0.1], [0.0], [-0.1], [0.2]]);
    let w2 = g.param("W2", array![[0.4, -0.6, 0.2, 0.9]]);
    let b2 = g.param("b2", array![[0.05]]);
    let z1 = (w1.dot(x) + b1).named("Z1");
    let a1 = z1.tanh().named("A1");
    let z2 = (w2.dot(a1) + b2).named("Z2");
    let a2 = z2.sigmoid().named("A2");
    let m = y.size_of(1).named("m");
    let cost = -(y * a2.ln() + (1.0 - y) * (1.0 - a2).ln()).mean();
    let dz2 = ((a2 - y) / m).named("dZ2");
    let da1 = w2.t().dot(dz2).named("dA1");
    let dz1 = (da1 * (1.0 - a1.square())).named("dZ1");
    Network { x, y, w1, b1, w2, b2, z1, a1, z2, a2, m, cost, dz2, da1, dz1 }
}

/// The one slip that a failed check names, and its text with `LINE` for the line in this file.
fn named(found: Result<(), Failure>, line: u32) -> (Slip, String) {
    let Err(Failure::Mismatch(mismatch)) = found else { panic!("{found:?}") };
    let [slip] = &mismatch.slips[..] else { panic!("{mismatch}") };
    let whole = mismatch.to_string();
    assert!(whole.ends_with(&format!(": {slip}")), "{whole}");
    (slip.clone(), slip.to_string().replace(&format!("{}:{line}", file!()), "LINE"))
}

#[track_caller]
fn assert_named(found: Result<(), Failure>, line: u32, text: &str) {
    assert_eq!(named(found, line).1, text);
}

#[test]
fn right_formulas_pass() {
    let g = Graph::new();
    let n = network(&g);
    let two = (n.z1.exp() - (-n.z1).exp()) / (n.z1.exp() + (-n.z1).exp());
    let equal = [(n.a1, two), (n.a2, n.a2), (n.x, n.x.t().t()), (n.x.relu(), n.x.maximum(0.0))];
    let derivatives = [
        (n.z2, n.dz2),
        (n.b2, n.dz2.sum_keepdims(1)),
        (n.w2, n.dz2.dot(n.a1.t())),
        (n.a1, n.da1),
        (n.z1, n.dz1),
        (n.w1, (n.da1 - n.da1 * n.a1 * n.a1).dot(n.x.t())),
    ];
    let wrong = derivatives.map(|(variable, hand)| (variable, hand * 1.001));
    let before = g.len();
    for (formula, reference) in equal {
        assert_equality(formula, reference);
    }
    for (variable, hand) in derivatives {
        assert_derivation(n.cost, variable, hand);
    }
    for (variable, hand) in wrong {
        assert!(derivation(n.cost, variable, hand).is_err());
    }
    assert!(equality(n.a1, n.z1).is_err());
    assert_eq!(g.len(), before, "a check leaves nothing behind");
}

#[test]
fn derivative_with_respect_to_another_variable() {
    let g = Graph::new();
    let n = network(&g);
    let db1 = n.dz1.sum_keepdims(1);
    let (slip, text) = named(derivation(n.cost, n.b2, db1), 0);
    assert_eq!(slip, Slip::OfAnother { name: "b1".to_owned() });
    assert_eq!(text, "it is the derivative with respect to `b1`");
    assert_named(derivation(n.cost, n.z1, n.da1), 0, "it is the derivative with respect to `A1`");
    // Times another number it is no longer that.
    let (_, text) = named(derivation(n.cost, n.z1, n.da1 * 1.5 * (1.0 - n.a1.square())), 0);
    assert_eq!(text, "it is 1.5 times what it should be");
}

#[test]
fn superfluous_operations() {
    let g = Graph::new();
    let n = network(&g);
    let (wrong, line) = (n.da1 * (1.0 - n.a1.tanh().square()), line!());
    let (slip, text) = named(derivation(n.cost, n.z1, wrong), line);
    let Slip::Superfluous { what, change } = slip else { panic!("{text}") };
    assert_eq!((&what[..], &change.found[..], &change.expected[..]), ("tanh", "A1.tanh()", "A1"));
    assert_eq!((change.within, change.origin.0.line()), (None, line));
    assert_eq!(text, "`A1.tanh()` at LINE should be `A1` (`tanh` is superfluous)");

    let (wrong, line) = (n.dz2.dot(n.a1.t()) + n.w2, line!());
    assert_named(
        derivation(n.cost, n.w2, wrong),
        line,
        "`dZ2.dot(A1.t()) + W2` at LINE should be `dZ2.dot(A1.t())` (`+ W2` is superfluous)",
    );
    let square = g.input("S", array![[1.0, 2.0], [0.5, -0.3]]);
    let (wrong, line) = (square.t().dot(n.x), line!());
    assert_named(
        equality(wrong, square.dot(n.x)),
        line,
        "`S.t()` at LINE should be `S` (`.t()` is superfluous)",
    );
}

#[test]
fn parameters_that_are_already_updated() {
    let g = Graph::new();
    let n = network(&g);
    let dw2 = n.dz2.dot(n.a1.t()).named("dW2");
    let (now, line) = (n.w2 - 0.5 * dw2, line!());
    let wrong = (now.t().dot(n.dz2) * (1.0 - n.a1.square())).dot(n.x.t());
    let (slip, text) = named(derivation(n.cost, n.w1, wrong), line);
    assert!(matches!(slip, Slip::Updated { parameter, .. } if parameter == "W2"));
    assert_eq!(text, "`W2 - 0.5 * dW2` at LINE should be `W2` (`W2` is already updated)");
}

#[test]
fn products_of_the_other_kind() {
    let g = Graph::new();
    let n = network(&g);
    let (wrong, line) = (n.dz2 * n.a1, line!());
    assert_named(
        derivation(n.cost, n.w2, wrong),
        line,
        "`dZ2 * A1` at LINE should be `dZ2.dot(A1.t())` (an elementwise product in the place of a matrix product)",
    );
    let square = g.input("S", array![[1.0, 2.0], [0.5, -0.3]]);
    let other = g.input("T", array![[0.3, 1.2], [-0.5, 0.7]]);
    let (wrong, line) = ((square.dot(other) + 1.0).sin(), line!());
    let (slip, text) = named(equality(wrong, (square * other + 1.0).sin()), line);
    assert!(matches!(slip, Slip::Product { matrix: false, .. }));
    assert_eq!(
        text,
        "`S.dot(T)` at LINE should be `S * T` (a matrix product in the place of an elementwise product)"
    );
}

#[test]
fn operands_in_the_wrong_order_and_missing_transposes() {
    let g = Graph::new();
    let square = g.input("S", array![[1.0, 2.0], [0.5, -0.3]]);
    let other = g.input("T", array![[0.3, 1.2], [-0.5, 0.7]]);
    let (wrong, line) = (other.dot(square).sin(), line!());
    assert_named(
        equality(wrong, square.dot(other).sin()),
        line,
        "`T.dot(S)` at LINE should be `S.dot(T)` (the operands are exchanged)",
    );
    let (wrong, line) = ((other / square).exp(), line!());
    assert_named(
        equality(wrong, (square / other).exp()),
        line,
        "`T / S` at LINE should be `S / T` (the operands are exchanged)",
    );
    let (wrong, line) = (square.dot(other).sin(), line!());
    assert_named(
        equality(wrong, square.t().dot(other).sin()),
        line,
        "`S` in `S.dot(T)` at LINE should be `S.t()` (`.t()` is missing)",
    );
}

#[test]
fn one_thing_in_the_place_of_another() {
    let g = Graph::new();
    let n = network(&g);
    let (wrong, line) = (n.da1 * (1.0 + n.a1.square()), line!());
    let (slip, text) = named(derivation(n.cost, n.z1, wrong), line);
    let Slip::InPlaceOf { found, expected, .. } = slip else { panic!("{text}") };
    assert_eq!((&found[..], &expected[..]), ("+", "-"));
    assert_eq!(text, "`1 + A1.square()` at LINE should be `1 - A1.square()` (`+` in the place of `-`)");

    let (wrong, line) = (n.z1.sigmoid(), line!());
    assert_named(
        equality(wrong, n.a1),
        line,
        "`Z1.sigmoid()` at LINE should be `Z1.tanh()` (`sigmoid` in the place of `tanh`)",
    );
    let (wrong, line) = ((n.x.sum_keepdims(1) / n.x).exp(), line!());
    assert_named(
        equality(wrong, (n.x.mean_keepdims(1) / n.x).exp()),
        line,
        "`X.sum_keepdims(1)` at LINE should be `X.mean_keepdims(1)` (`sum` in the place of `mean`)",
    );
    let (wrong, line) = (n.da1.sum_keepdims(1), line!());
    assert_named(
        derivation(n.cost, n.b1, wrong),
        line,
        "`dA1` in `dA1.sum_keepdims(1)` at LINE should be `dZ1` (`dA1` in the place of `dZ1`)",
    );
    let c1 = g.param("c1", array![[0.5]]);
    let (wrong, line) = ((n.w2.dot(n.a1) + c1).sigmoid(), line!());
    assert_named(
        equality(wrong, n.a2),
        line,
        "`c1` in `W2.dot(A1) + c1` at LINE should be `b2` (`c1` in the place of `b2`)",
    );
}

#[test]
fn functions_in_the_place_of_their_derivatives() {
    let g = Graph::new();
    let n = network(&g);
    let (wrong, line) = (n.da1 * n.z1.tanh(), line!());
    let (slip, text) = named(derivation(n.cost, n.z1, wrong), line);
    assert!(matches!(slip, Slip::NotDerived { function: "tanh", .. }));
    assert_eq!(
        text,
        "`A1` in `dA1 * A1` at LINE should be `1 - A1.square()` (`tanh` in the place of its derivative)"
    );
}

#[test]
fn reductions_over_the_wrong_axis() {
    let g = Graph::new();
    let n = network(&g);
    let (wrong, line) = (n.dz1.sum_keepdims(0), line!());
    let (slip, text) = named(derivation(n.cost, n.b1, wrong), line);
    assert!(matches!(slip, Slip::Axis { .. }));
    assert_eq!(text, "`dZ1.sum_keepdims(0)` at LINE should be `dZ1.sum_keepdims(1)` (over the wrong axis)");
    let (wrong, line) = (n.x / n.x.norm_keepdims(0), line!());
    assert_named(
        equality(wrong, n.x / n.x.norm_keepdims(1)),
        line,
        "`X.norm_keepdims(0)` at LINE should be `X.norm_keepdims(1)` (over the wrong axis)",
    );
}

#[test]
fn missing_functions() {
    let g = Graph::new();
    let n = network(&g);
    let x = g.input("x", array![[9.0, 2.0, 5.0], [7.0, 5.0, 0.5]]);
    let (wrong, line) = (x.exp() / x.sum_keepdims(1), line!());
    let (slip, text) = named(equality(wrong, x.softmax(1)), line);
    let Slip::Missing { what, size: None, change } = slip else { panic!("{text}") };
    assert_eq!((&what[..], change.within.as_deref()), ("exp", Some("x.sum_keepdims(1)")));
    assert_eq!(text, "`x` in `x.sum_keepdims(1)` at LINE should be `x.exp()` (`exp` is missing)");

    let (wrong, line) = ((n.y - n.a2).sum(), line!());
    assert_named(
        equality(wrong, (n.y - n.a2).abs().sum()),
        line,
        "`Y - A2` in `(Y - A2).sum()` at LINE should be `(Y - A2).abs()` (`abs` is missing)",
    );
    let (wrong, line) = (n.da1 * (1.0 - n.a1), line!());
    assert_named(
        derivation(n.cost, n.z1, wrong),
        line,
        "`A1` in `1 - A1` at LINE should be `A1.square()` (`square` is missing)",
    );
    let (wrong, line) = (n.y * n.a2.ln() + (1.0 - n.y) * n.a2.ln(), line!());
    assert_named(
        equality(wrong, n.y * n.a2.ln() + (1.0 - n.y) * (1.0 - n.a2).ln()),
        line,
        "`A2` in `A2.ln()` at LINE should be `1 - A2` (`1 -` is missing)",
    );
}

/// Where all differences are negative, a missing `abs` looks like a sign: the report looks further than these values.
#[test]
fn accidents_of_the_present_values() {
    let g = Graph::new();
    let yhat = g.input("yhat", array![0.4, 0.2, 0.3]);
    let y = g.input("y", array![0.0, 0.0, 0.0]);
    let (wrong, line) = ((y - yhat).sum(), line!());
    assert_named(
        equality(wrong, (yhat - y).abs().sum()),
        line,
        "`y - yhat` at LINE should be `(y - yhat).abs()` (`abs` is missing)",
    );
    let x = g.input("x", array![-0.4, -0.2, -0.3]);
    // Where nothing holds further away, what holds nearby is said.
    assert_eq!(
        equality(x.maximum(-5.0).abs(), x.minimum(0.0)).unwrap_err().to_string(),
        "this is not the same function as `x.minimum(0)`: it has the opposite sign"
    );
}

#[test]
fn missing_terms_and_factors() {
    let g = Graph::new();
    let n = network(&g);
    let (wrong, line) = (n.w2.dot(n.a1).sigmoid(), line!());
    assert_named(
        equality(wrong, n.a2),
        line,
        "`W2.dot(A1)` in `W2.dot(A1).sigmoid()` at LINE should be `W2.dot(A1) + b2` (`+ b2` is missing)",
    );
    // The same when it is a derivative that goes wrong by it.
    let (wrong, line) = ((n.w2.dot(n.a1).sigmoid() - n.y) / n.m, line!());
    assert_named(
        derivation(n.cost, n.z2, wrong),
        line,
        "`W2.dot(A1)` in `W2.dot(A1).sigmoid()` at LINE should be `W2.dot(A1) + b2` (`+ b2` is missing)",
    );
    let cost = n.cost + 0.7 / (2.0 * n.m) * n.w2.square().sum();
    let (wrong, line) = (n.dz2.dot(n.a1.t()), line!());
    assert_named(
        derivation(cost, n.w2, wrong),
        line,
        "`dZ2.dot(A1.t())` at LINE should be `dZ2.dot(A1.t()) + 0.2333333333 * W2` (`+ 0.2333333333 * W2` is missing)",
    );
    let da1 = n.w2.t().dot(n.dz2);
    let (wrong, line) = (da1.dot(n.x.t()).tanh(), line!());
    assert_named(
        equality(wrong, n.dz1.dot(n.x.t()).tanh()),
        line,
        "`dA1` in `dA1.dot(X.t())` at LINE should be `dZ1` (`dA1` in the place of `dZ1`)",
    );
}

#[test]
fn missing_scales() {
    let g = Graph::new();
    let n = network(&g);
    let cost = n.cost + 0.7 / (2.0 * n.m) * n.w2.square().sum();
    let (wrong, line) = (n.dz2.dot(n.a1.t()) + 0.7 * n.w2, line!());
    let (slip, text) = named(derivation(cost, n.w2, wrong), line);
    let Slip::Missing { what, size: Some(size), .. } = slip else { panic!("{text}") };
    assert_eq!((&what[..], &size.leaf[..], size.axis, size.m), ("/ 3", "X", 1, 3));
    assert_eq!(
        text,
        "`0.7 * W2` at LINE should be `0.7 * W2 / 3` (`/ 3` is missing: m = 3 is axis 1 of `X`)"
    );
    let picture = g.input("picture", array![[231.0], [17.0]]);
    let (wrong, line) = ((n.w1.dot(picture) + n.b1).tanh(), line!());
    assert_named(
        equality(wrong, (n.w1.dot(picture / 255.0) + n.b1).tanh()),
        line,
        "`picture` in `W1.dot(picture)` at LINE should be `picture / 255` (`/ 255` is missing)",
    );
    assert_eq!(
        equality(picture, picture / 255.0).unwrap_err().to_string(),
        "this is not the same function as `picture / 255`: it is 255 times what it should be"
    );
    assert_eq!(
        equality(n.x / 255.0, n.x).unwrap_err().to_string(),
        "this is not the same function as `X`: it is 1/255 of what it should be"
    );
}

#[test]
fn broadcasts_to_all_pairs() {
    let g = Graph::new();
    let yhat = g.input("yhat", array![[0.9], [0.2], [0.1], [0.4]]);
    let y = g.input("y", array![1.0, 0.0, 0.0, 1.0]);
    let (wrong, line) = ((yhat - y).square().mean(), line!());
    let (slip, text) = named(equality(wrong, yhat.mse(y.expand_dims(1))), line);
    let Slip::Broadcast { op: "-", operands, result, should, .. } = slip else { panic!("{text}") };
    assert_eq!((operands, result), ([[4, 1].into(), [4].into()], [4, 4].into()));
    assert_eq!(should, ("y".to_owned(), [4, 1].into()));
    assert_eq!(text, "`-` at LINE broadcasts (4, 1) and (4,) to (4, 4): `y` should have the shape (4, 1)");
}

#[test]
fn where_no_change_makes_it_right_none_is_named() {
    let g = Graph::new();
    let x = g.input("x", array![0.5, -1.0, 2.0]);
    let text = |wrong: Var<'_>, right: Var<'_>| equality(wrong, right).unwrap_err().to_string();
    assert!(
        text((x.cos() * 1.1 + x.tanh()).exp(), x.sin())
            .ends_with("; the difference is none of the usual slips")
    );
    assert_eq!(
        text(x.sum_axis(0).exp(), (x * x).exp()),
        "this is not the same function as `(x * x).exp()`: its shape is [] and should be [3]"
    );
}

/// Sizes that could be another number, or another axis, explain nothing.
#[test]
fn where_a_size_may_be_chance_it_is_not_named() {
    let g = Graph::new();
    let x = g.input("x", array![0.5, -1.0, 2.0]);
    let cost = 3.0 * x.square().sum();
    assert_eq!(
        derivation(cost, x, 2.0 * x).unwrap_err().to_string(),
        "this is not the derivative with respect to `x`: it is 1/3 of what it should be"
    );
    assert_eq!(
        derivation(x.square().mean(), x, 2.0 * x).unwrap_err().to_string(),
        "this is not the derivative with respect to `x`: it is 3 times what it should be (1/m is missing: m = 3 is axis \
         0 of `x`)"
    );
    let square = g.input("S", array![[1.0, 2.0], [0.5, -0.3]]);
    assert_eq!(
        derivation(square.square().sum() / square.size_of(0), square, 2.0 * square).unwrap_err().to_string(),
        "this is not the derivative with respect to `S`: it is 2 times what it should be"
    );
}

#[test]
fn what_cannot_be_compared() {
    let g = Graph::new();
    let single = g.input("single", array![0.5_f32]);
    assert_eq!(
        equality(single.exp(), single).unwrap_err().to_string(),
        "a check compares in f64 only: `exp` is f32"
    );
    let x = g.input("x", array![0.5, -1.0]);
    assert_eq!(
        equality(x, x.ln()).unwrap_err().to_string(),
        "`x.ln()` is not finite here: choose other values"
    );
    assert!(equality(x, g.placeholder("unfed", [2])).unwrap_err().to_string().contains("has no value"));
}

#[test]
fn long_formulas() {
    let g = Graph::new();
    let x = g.input("x", 0.3);
    let chain = (0..500).fold(x, |y, _| (y + 0.01).sin());
    // The slip is found at the end of a formula; what is not found does not take forever.
    let (wrong, line) = (chain.exp() + x.tanh(), line!());
    assert_named(
        equality(wrong, chain.exp() - x.tanh()),
        line,
        "`… + x.tanh()` at LINE should be `… - x.tanh()` (`+` in the place of `-`)",
    );
    assert!(equality(chain, x.exp()).unwrap_err().to_string().ends_with("none of the usual slips"));
}

#[test]
fn what_rounds_as_the_textbook_does_is_right() {
    for size in [20.0, 40.0, 400.0] {
        let g = Graph::new();
        let (z, y) = (g.input("z", array![[size, -size]]), g.input("y", array![[1.0, 0.0]]));
        let a = z.sigmoid();
        let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
        assert_derivation(cost, z, (a - y) / 2.0);
        for wrong in [(y - a) / 2.0, a - y, (a + y) / 2.0, 0.0 * z] {
            assert!(derivation(cost, z, wrong).is_err(), "{wrong} at {size}");
        }
    }
}

#[test]
fn a_number_of_the_derivative_is_not_taken_for_a_size() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 2.0, 3.0]]);
    assert_named(derivation(x.powi(3).sum(), x, x.square()), 0, "it is 1/3 of what it should be");
    let missing = "it is 3 times what it should be (1/m is missing: m = 3 is axis 1 of `x`)";
    assert_named(derivation(x.square().mean(), x, 2.0 * x), 0, missing);
}

#[test]
fn formulas_of_two_graphs_cannot_be_compared() {
    let graphs = [Graph::new(), Graph::new()];
    let [x, y] = [&graphs[0], &graphs[1]].map(|g| g.input("x", array![0.5]));
    let text = "`check` got a handle of another graph: all operands must be of one `Graph`";
    for found in [equality(x, y), derivation(x.sum(), x, y), derivation(x.sum(), y, x)] {
        assert_eq!(found.unwrap_err().to_string(), text);
    }
}
