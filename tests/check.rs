//! The checker: what it lets pass, and what it must not.

use gradus::check::{Check, Failure, Slip, assert_derivation, assert_gradient, derivation, gradient};
use gradus::prelude::*;

/// `f`, with a derivative that is `times` the right one: the value of the part whose gradient is stopped makes up for
/// the rest.
fn off_by<'g>(f: Var<'g>, times: f64) -> Var<'g> {
    times * f - (times - 1.0) * f.stop_gradient()
}

#[test]
fn right_gradients_pass() {
    let g = Graph::new();
    let x = g.input("x", array![[0.3, -0.7, 1.1], [0.2, 0.5, -0.4]]);
    let w = g.param("w", array![[0.4, -0.3]]);
    let y = w.dot(x).tanh();
    let report = gradient(y, (x, w)).unwrap();
    assert_eq!(report.compared, 2);
    assert!(report.error < 1e-10, "{}", report.error);
    let report = Check::new().order(2).seed(5).gradient(y, [x, w]).unwrap();
    assert_eq!(report.compared, 4);
    assert_gradient(y, x);
    assert_eq!(g.len(), 4, "a check leaves nothing behind");
}

#[test]
fn a_rule_that_is_off_by_a_thousandth_is_found() {
    let g = Graph::new();
    let x = g.input("x", array![0.3, 0.7, 1.1]);
    let wrong = off_by(x.exp(), 1.001);
    let failure = gradient(wrong, x).unwrap_err();
    let Failure::Wrong(found) = &failure else { panic!("{failure}") };
    assert_eq!((found.operand.as_str(), found.order), ("x", 1));
    assert!((found.analytic / found.numeric - 1.001).abs() < 1e-6);
    assert!(failure.to_string().starts_with("wrong derivative with respect to `x`["), "{failure}");
    assert!(gradient(off_by(x.exp(), 0.999), x).is_err());
    assert!(gradient(off_by(x.exp(), 1.0), x).is_ok());
}

#[test]
fn the_wrong_element_is_named() {
    let g = Graph::new();
    let x = g.input("x", array![[0.3, 0.7], [1.1, 0.4], [0.9, 0.2]]);
    let only = array![[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]];
    let wrong = off_by(x.sin() * only.view(), 1.001) + x.sin() * (1.0 - only);
    match gradient(wrong, x).unwrap_err() {
        Failure::Wrong(found) => {
            assert_eq!(found.index, [1, 1]);
            assert!((found.analytic / found.numeric - 1.001).abs() < 1e-6);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_second_derivative_that_is_off_by_a_thousandth_is_found() {
    let g = Graph::new();
    let x = g.input("x", array![0.3, 0.7]);
    // The value and the slope are those of x³; the slope of the slope is 0.1 % too large:
    // f = x³ + 0.003 (x - x₀)² x₀, where x₀ is x with its gradient stopped.
    let fixed = x.stop_gradient();
    let wrong = x.powi(3) + 0.003 * (x - fixed).square() * fixed;
    assert!(Check::new().order(1).gradient(wrong, x).is_ok());
    let failure = Check::new().order(2).gradient(wrong, x).unwrap_err();
    let Failure::Wrong(found) = &failure else { panic!("{failure}") };
    assert_eq!(found.order, 2);
    assert!(failure.to_string().starts_with("wrong second derivative with respect to `x`["), "{failure}");
    assert!(Check::new().order(2).gradient(x.powi(3), x).is_ok());
}

#[test]
fn where_nothing_can_be_said_nothing_is() {
    let g = Graph::new();
    let single = g.input("single", array![0.5_f32]);
    assert_eq!(
        gradient(single.exp(), single).unwrap_err().to_string(),
        "a check compares in f64 only: `exp` is f32"
    );
    let far = g.input("far", array![30.0, 40.0]);
    assert_eq!(
        gradient(far.tanh(), far).unwrap_err().to_string(),
        "the derivative with respect to `far` is zero to rounding here, so that any small number would pass: choose \
         other values"
    );
    let x = g.input("x", array![0.5, 0.25]);
    assert_eq!(
        Check::new().order(2).gradient(x * 3.0, x).unwrap_err(),
        Failure::Flat { operand: "x".to_owned(), order: 2 }
    );
    assert_eq!(
        gradient((x - 1.0).ln(), x).unwrap_err().to_string(),
        "the derivative with respect to `x` is not finite here: choose other values"
    );
    assert!(
        gradient(x.exp().sin(), x.exp())
            .unwrap_err()
            .to_string()
            .starts_with("`check` requires an input or a parameter")
    );
    let unfed = g.placeholder::<f64>("unfed", [2]);
    assert!(gradient(unfed.sin(), unfed).unwrap_err().to_string().contains("has no value"));
    let lonely = g.input("lonely", 1.0);
    assert!(gradient(x.sin(), lonely).unwrap_err().to_string().contains("does not depend on `lonely`"));
}

/// Logistic regression of two features and three examples, at weights of zero, where many a wrong formula agrees.
struct Model<'g> {
    x: Var<'g>,
    y: Var<'g>,
    w: Var<'g>,
    b: Var<'g>,
    a: Var<'g>,
    cost: Var<'g>,
}

fn model(g: &Graph) -> Model<'_> {
    let x = g.input("x", array![[1.0, 2.0, -1.0], [3.0, 4.0, -3.2]]);
    let y = g.input("y", array![[1.0, 0.0, 1.0]]);
    let (w, b) = (g.param("w", array![[0.0], [0.0]]), g.param("b", 0.0));
    let a = (w.t().dot(x) + b).sigmoid();
    let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean();
    Model { x, y, w, b, a, cost }
}

#[test]
fn slips_are_named() {
    let g = Graph::new();
    let Model { x, y, w, b, a, cost } = model(&g);
    let dw = x.dot((a - y).t()) / 3.0;
    let not = "this is not the derivative with respect to ";
    let text = |variable: Var<'_>, hand: Var<'_>| derivation(cost, variable, hand).unwrap_err().to_string();
    assert_derivation(cost, w, dw);
    assert_eq!(text(w, x.dot((y - a).t()) / 3.0), format!("{not}`w`: it has the opposite sign"));
    assert_eq!(
        text(w, x.dot((a - y).t())),
        format!("{not}`w`: it is 3 times what it should be (1/m is missing: m = 3 is axis 1 of `x`)")
    );
    assert_eq!(
        text(w, dw / 3.0),
        format!(
            "{not}`w`: it is 1/3 of what it should be (it is divided by m once too often: m = 3 is axis 1 of `x`)"
        )
    );
    assert_eq!(text(w, dw * 1.5), format!("{not}`w`: it is 1.5 times what it should be"));
    assert_eq!(text(w, dw.t()), format!("{not}`w`: it is transposed"));
    assert_eq!(
        text(w, x.dot((y - a).t()).t()),
        format!(
            "{not}`w`: it is transposed, and it has the opposite sign, and it is 3 times what it should be (1/m is \
             missing: m = 3 is axis 1 of `x`)"
        )
    );
    assert_eq!(text(b, (a - y) / 3.0), format!("{not}`b`: it is not summed over its axis 1"));
    assert_eq!(
        text(w, dw.sum_keepdims(0)),
        format!("{not}`w`: it is summed over an axis that should stay, axis 0")
    );
    assert!(text(w, dw.reshape([1, 2, 1])).ends_with("(`reshape` is superfluous)"));
    assert!(text(w, dw.square()).ends_with("(`square` is superfluous)"));
    assert!(text(w, dw + 1e-6).ends_with("(`+ 0.000001` is superfluous)"));
    assert!(text(w, dw.square() + 1e-6).contains("none of the usual slips"));
    assert_eq!(
        text(w, dw.square().reshape([1, 2, 1])),
        format!("{not}`w`: its shape is [1, 2, 1] and should be [2, 1]")
    );
}

#[test]
fn a_formula_that_agrees_by_accident_is_found_out() {
    let g = Graph::new();
    let Model { x, y, w, a, cost, .. } = model(&g);
    // At w = 0, where a = 1/2, this is the gradient too.
    let accident = x.dot((0.5 - y).t()) / 3.0 + 0.0 * a.sum();
    assert!(derivation(cost, w, accident).is_err());
}

#[test]
fn a_kink_is_named() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 0.0, -2.0]);
    let (y, line) = (x.relu(), line!());
    let cost = (y * array![1.0, 2.0, 3.0]).sum();
    let hand = x.ge(0.0).cast::<f64>() * array![1.0, 2.0, 3.0];
    let failure = derivation(cost, x, hand).unwrap_err();
    let Failure::Mismatch(mismatch) = &failure else { panic!("{failure}") };
    assert!(matches!(&mismatch.slips[..], [Slip::Kink { op: "relu", index, .. }] if index == &[1]));
    assert_eq!(
        failure.to_string(),
        format!(
            "this is not the derivative with respect to `x`: it is right except at a kink: the operand of `relu` from \
             {}:{line} is at it at [1]",
            file!()
        )
    );
    assert_derivation(cost, x, x.gt(0.0).cast::<f64>() * array![1.0, 2.0, 3.0]);
}

#[test]
fn intermediate_variables_can_be_asked_about() {
    let g = Graph::new();
    let Model { y, a, cost, .. } = model(&g);
    assert_derivation(cost, a, -(y / a - (1.0 - y) / (1.0 - a)) / 3.0);
    assert!(derivation(cost, a, (a - y) / 3.0).is_err());
}

#[test]
#[should_panic(expected = "this is not the derivative with respect to `w`: it has the opposite sign")]
fn assertions_panic_with_the_report() {
    let g = Graph::new();
    let Model { x, y, w, a, cost, .. } = model(&g);
    assert_derivation(cost, w, x.dot((y - a).t()) / 3.0);
}
