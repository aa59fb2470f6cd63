//! Every mistake, with its exact text, at the line that made it.

use gradus::ops::{Binary, Fold, MatMul, Op, Reduce, Unary};
use gradus::optim::Sgd;
use gradus::{Axes, Error, Graph, feed};
use ndarray::{Array1, Array2, arr0, array};

use crate::support::panicked;

/// `fails! { formula => "text" }`: the formula panics with this text, and the panic points to its line.
macro_rules! fails {
    ($body:expr => $($text:tt)+) => {{
        let line = line!();
        let panic = panicked(|| $body);
        assert_eq!(panic.text, format!($($text)+));
        assert_eq!((panic.file.as_str(), panic.line), (file!(), line), "{}", panic.text);
    }};
}

/// A place in this file as errors print it.
fn here(line: u32) -> String {
    format!("{}:{line}", file!())
}

#[test]
fn operands_that_do_not_broadcast() {
    let g = Graph::new();
    let (x, at) = (g.input("x", array![1.0, 2.0, 3.0]), here(line!()));
    let (y, to) = (g.input("y", array![[1.0, 2.0], [3.0, 4.0]]), here(line!()));
    let lines = format!("\n  left:  `x` (3,) from {at}\n  right: `y` (2, 2) from {to}");
    let clash = format!("cannot broadcast (3,) and (2, 2): 3 (axis 0) != 2 (axis 1){lines}");
    fails! { x + y => "`+` {clash}" }
    fails! { x - y => "`-` {clash}" }
    fails! { x * y => "`*` {clash}" }
    fails! { x / y => "`/` {clash}" }
    fails! { x.maximum(y) => "`maximum` {clash}" }
    fails! { x.minimum(y) => "`minimum` {clash}" }
    fails! { x.lt(y) => "`lt` {clash}" }
    fails! { x.le(y) => "`le` {clash}" }
    fails! { x.gt(y) => "`gt` {clash}" }
    fails! { x.ge(y) => "`ge` {clash}" }
    fails! { x.eq(y) => "`eq` {clash}" }
    fails! { x.ne(y) => "`ne` {clash}" }
    let (mask, at) = (g.input("mask", array![true, false, true]), here(line!()));
    let (other, to2) = (g.input("other", array![true, false]), here(line!()));
    let masks = format!("\n  left:  `mask` (3,) from {at}\n  right: `other` (2,) from {to2}");
    fails! { mask & other => "`&` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0){masks}" }
    fails! { mask | other => "`|` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0){masks}" }
    let branch = format!("\n  left:  `mask` (3,) from {at}\n  right: `y` (2, 2) from {to}");
    fails! { mask.select(y, 0.0) => "`select` cannot broadcast (3,) and (2, 2): 3 (axis 0) != 2 (axis 1){branch}" }
    fails! { mask.select(1.0, y) => "`select` cannot broadcast (3,) and (2, 2): 3 (axis 0) != 2 (axis 1){branch}" }
}

#[test]
fn an_operand_without_a_name_is_called_by_its_operation() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0, 3.0]);
    let (y, at) = (x.exp(), here(line!()));
    let (z, to) = (array![1.0, 2.0] * g.constant(1.0), here(line!()));
    let lines = format!("\n  left:  `exp` (3,) from {at}\n  right: `*` (2,) from {to}");
    fails! { y + z => "`+` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0){lines}" }
    z.named("weights");
    let lines = format!("\n  left:  `exp` (3,) from {at}\n  right: `weights` (2,) from {to}");
    fails! { y + z => "`+` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0){lines}" }
}

#[test]
fn arrays_and_references_on_either_side_point_to_the_line() {
    let g = Graph::new();
    let (x, at) = (g.input("x", array![1.0, 2.0, 3.0]), here(line!()));
    let two = array![1.0, 2.0];
    let here = |line| format!("{}:{line}", file!());
    let right = format!("\n  left:  `x` (3,) from {at}\n  right: `constant` (2,) from ");
    let text = "cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)";
    fails! { x + two.clone() => "`+` {text}{right}{}", here(line!()) }
    fails! { x - &two => "`-` {text}{right}{}", here(line!()) }
    fails! { x * two.view() => "`*` {text}{right}{}", here(line!()) }
    fails! { x / &two => "`/` {text}{right}{}", here(line!()) }
    fails! { x.maximum(&two) => "`maximum` {text}{right}{}", here(line!()) }
    fails! { x.lt(&two) => "`lt` {text}{right}{}", here(line!()) }
    let left = |line| format!("\n  left:  `constant` (2,) from {}\n  right: `x` (3,) from {at}", here(line));
    let text = "cannot broadcast (2,) and (3,): 2 (axis 0) != 3 (axis 0)";
    fails! { two.clone() + x => "`+` {text}{}", left(line!()) }
    fails! { &two - x => "`-` {text}{}", left(line!()) }
    fails! { two.view() * x => "`*` {text}{}", left(line!()) }
    fails! { &two / x => "`/` {text}{}", left(line!()) }
}

#[test]
fn misaligned_products() {
    let g = Graph::new();
    let (v, at_v) = (g.input("v", Array1::<f64>::zeros(3)), here(line!()));
    let (a, at_a) = (g.input("a", Array2::<f64>::zeros((1, 3))), here(line!()));
    let (b, at_b) = (g.input("b", Array2::<f64>::zeros((2, 3))), here(line!()));
    let (left_v, left_a) =
        (format!("\n  left:  `v` (3,) from {at_v}"), format!("\n  left:  `a` (1, 3) from {at_a}"));
    let left_b = format!("\n  left:  `b` (2, 3) from {at_b}");
    let (right_a, right_b) =
        (format!("\n  right: `a` (1, 3) from {at_a}"), format!("\n  right: `b` (2, 3) from {at_b}"));
    let rule = "`dot` requires (.., k) · (k, ..), got";
    fails! { v.dot(a) => "{rule} (3,) and (1, 3): 3 (axis 0) != 1 (axis 0){left_v}{right_a}" }
    fails! { v.dot(b) => "{rule} (3,) and (2, 3): 3 (axis 0) != 2 (axis 0){left_v}{right_b}" }
    fails! { a.dot(b) => "{rule} (1, 3) and (2, 3): 3 (axis 1) != 2 (axis 0){left_a}{right_b}" }
    fails! { b.dot(a) => "{rule} (2, 3) and (1, 3): 3 (axis 1) != 1 (axis 0){left_b}{right_a}" }
    let (c, at) = (g.input("c", ndarray::Array3::<f64>::zeros((2, 3, 3))), here(line!()));
    let (left_c, right_c) =
        (format!("\n  left:  `c` (2, 3, 3) from {at}"), format!("\n  right: `c` (2, 3, 3) from {at}"));
    fails! { c.dot(b) => "{rule} (2, 3, 3) and (2, 3): 3 (axis 2) != 2 (axis 0){left_c}{right_b}" }
    fails! { b.t().dot(c) => "{rule} (3, 2) and (2, 3, 3): 2 (axis 1) != 3 (axis 1)\n  left:  `transpose` (3, 2) from {}{right_c}", here(line!()) }
}

#[test]
fn axes() {
    let g = Graph::new();
    let (x, at) = (g.input("x", Array2::<f64>::zeros((2, 3))), here(line!()));
    let operand = format!("\n  operand: `x` (2, 3) from {at}");
    fails! { x.sum_axis(2) => "`sum` got axis 2 of an array with 2 axes{operand}" }
    fails! { x.sum_axis(-3) => "`sum` got axis -3 of an array with 2 axes{operand}" }
    fails! { x.sum_keepdims([0, 5]) => "`sum` got axis 5 of an array with 2 axes{operand}" }
    fails! { x.mean_axis(2) => "`mean` got axis 2 of an array with 2 axes{operand}" }
    fails! { x.max_keepdims(7) => "`max` got axis 7 of an array with 2 axes{operand}" }
    fails! { x.min_axis(ndarray::Axis(2)) => "`min` got axis 2 of an array with 2 axes{operand}" }
    fails! { x.argmax_axis(usize::MAX) => "`argmax` got axis 2147483647 of an array with 2 axes{operand}" }
    fails! { x.size_of(2) => "`size_of` got axis 2 of an array with 2 axes{operand}" }
    fails! { x.sum_axis([1, 1]) => "`sum` got axis 1 twice{operand}" }
    fails! { x.sum_axis([0, -2]) => "`sum` got axis 0 twice{operand}" }
    fails! { x.mean_keepdims([1, 0, -1]) => "`mean` got axis 1 twice{operand}" }
    fails! { x.expand_dims([0, 0]) => "`expand_dims` got axis 0 twice{operand}" }
    fails! { x.transpose([0, 0]) => "`transpose` requires each of the 2 axes once, got [0, 0]{operand}" }
}

#[test]
fn arrangements_that_do_not_fit() {
    let g = Graph::new();
    let (x, at) = (g.input("x", Array2::<f64>::zeros((2, 3))), here(line!()));
    let operand = format!("\n  operand: `x` (2, 3) from {at}");
    fails! { x.reshape([4, -1]) => "`reshape` cannot make (4, -1) from (2, 3), which has 6 elements{operand}" }
    fails! { x.reshape([5]) => "`reshape` cannot make (5,) from (2, 3), which has 6 elements{operand}" }
    fails! { x.reshape([-1, -1]) => "`reshape` cannot make (-1, -1) from (2, 3), which has 6 elements{operand}" }
    fails! { x.reshape([-2, 3]) => "`reshape` cannot make (-2, 3) from (2, 3), which has 6 elements{operand}" }
    fails! { x.reshape_like(g.constant(array![1.0])) => "`reshape` cannot make (1,) from (2, 3), which has 6 elements{operand}" }
    fails! { x.broadcast_to([3, 3]) => "`broadcast_to` cannot stretch (2, 3) to (3, 3){operand}" }
    fails! { x.broadcast_to([3]) => "`broadcast_to` cannot stretch (2, 3) to (3,){operand}" }
    fails! { x.broadcast_like(g.constant(array![1.0])) => "`broadcast_like` cannot stretch (2, 3) to (1,){operand}" }
    fails! { x.sum_like(g.constant(array![1.0, 2.0])) => "`sum_like` cannot stretch (2, 3) to (summed) (2,){operand}" }
    let (y, at) = (g.input("y", ndarray::Array3::<f64>::zeros((2, 3, 4))), here(line!()));
    let operand = format!("\n  operand: `y` (2, 3, 4) from {at}");
    fails! { y.transpose([0, 1]) => "`transpose` requires each of the 3 axes once, got [0, 1]{operand}" }
    fails! { y.transpose([0, 0, 1]) => "`transpose` requires each of the 3 axes once, got [0, 0, 1]{operand}" }
    fails! { y.transpose([0, 1, 3]) => "`transpose` requires each of the 3 axes once, got [0, 1, 3]{operand}" }
    fails! { y.transpose(1) => "`transpose` requires each of the 3 axes once, got [1]{operand}" }
}

#[test]
fn sizes_beyond_any_array_do_not_fit_either() {
    let g = Graph::new();
    let x = g.input("x", Array1::<f64>::zeros(0));
    // Their product wraps around to 0.
    let panic = panicked(|| x.reshape([1_usize << 32, 1 << 32]));
    assert!(
        panic.text.starts_with("`reshape` cannot make (4294967296, 4294967296) from (0,)"),
        "{}",
        panic.text
    );
    assert_eq!(panic.file, file!());
}

#[test]
fn a_handle_of_another_graph() {
    let (g, h) = (Graph::new(), Graph::new());
    let (x, y) = (g.input("x", 1.0), h.input("y", 1.0));
    let (a, b) = (g.input("a", array![1.0]), h.input("b", array![1.0]));
    let (m, n) = (g.input("m", true), h.input("n", true));
    let text = "got a handle of another graph: all operands must be of one `Graph`";
    fails! { x + y => "`+` {text}" }
    fails! { y * x => "`*` {text}" }
    fails! { x.maximum(y) => "`maximum` {text}" }
    fails! { x.lt(y) => "`lt` {text}" }
    fails! { a.dot(b) => "`dot` {text}" }
    fails! { m & n => "`&` {text}" }
    fails! { m.select(x, y) => "`select` {text}" }
    fails! { a.reshape_like(b) => "`reshape_like` {text}" }
    fails! { a.sum_like(b) => "`sum_like` {text}" }
    fails! { x.square().grad(y) => "`grad` {text}" }
    fails! { x.square().grad_or_zeros([x, y]) => "`grad` {text}" }
    let other =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::OtherGraph { .. })), "{result:?}");
    other(x.square().try_grad(y).map(drop));
    other(g.compile(y, ()).map(drop));
    other(g.compile([x, y], ()).map(drop));
    let p = h.param("p", 1.0);
    other(g.compile((), p.assign(p * 2.0)).map(drop));
    other(g.compile(x, ()).unwrap().run_with(&[y.feed(&arr0(2.0))]).map(drop));
    other(g.apply(Op::Binary(Binary::Add), &[x.erase(), y.erase()]).map(drop));
}

#[test]
fn a_handle_of_a_freed_node() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let mark = g.mark();
    let y = x.exp();
    let leaf = g.input("leaf", 1.0);
    let mask = x.gt(0.0);
    let result = y.sum();
    g.truncate(mark);
    let text = "got a handle of a freed node: `Graph::truncate` has removed it";
    fails! { x + y => "`+` {text}" }
    fails! { y + x => "`+` {text}" }
    fails! { y * 2.0 => "`*` {text}" }
    fails! { 2.0 * y => "`*` {text}" }
    fails! { -y => "`-` {text}" }
    fails! { y.exp() => "`exp` {text}" }
    fails! { y.lt(0.0) => "`lt` {text}" }
    fails! { y.dot(x) => "`dot` {text}" }
    fails! { x.dot(y) => "`dot` {text}" }
    fails! { y.sum() => "`sum` {text}" }
    fails! { y.t() => "`transpose` {text}" }
    fails! { mask.select(x, 0.0) => "`select` {text}" }
    fails! { x.gt(1.0).select(y, 0.0) => "`select` {text}" }
    fails! { y.cast::<f32>() => "`cast` {text}" }
    fails! { x.reshape_like(y) => "`reshape_like` {text}" }
    fails! { x.sum_like(y) => "`sum_like` {text}" }
    fails! { y.broadcast_like(x) => "`broadcast_like` {text}" }
    fails! { x.sum().grad(y) => "`grad` {text}" }
    fails! { result.grad(x) => "`grad` {text}" }
    fails! { y.shape() => "`shape` {text}" }
    fails! { y.dtype() => "`dtype` {text}" }
    fails! { y.ndim() => "`ndim` {text}" }
    fails! { y.name() => "`name` {text}" }
    fails! { y.origin() => "`origin` {text}" }
    fails! { y.named("y") => "`named` {text}" }
    let freed = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Freed { .. })), "{result:?}");
    freed(y.value().map(drop));
    freed(leaf.value().map(drop));
    freed(leaf.set_value(2.0));
    freed(g.compile(y, ()).map(drop));
    freed(y.erase().typed::<f64>().map(drop));
    freed(result.try_grad(x).map(drop));
    freed(g.compile(x, ()).unwrap().run_with(&[leaf.feed(&arr0(1.0))]).map(drop));
    assert_eq!((format!("{y:?}"), y.to_string()), ("Var(freed)".to_owned(), "freed".to_owned()));
    // A new node in the old one's slot is another node, and the name is free again.
    let (again, _) = (g.input("leaf", 3.0), x.exp());
    freed(y.value().map(drop));
    assert_eq!(again.item().unwrap(), 3.0);
}

#[test]
fn a_feed_that_does_not_fit() {
    let g = Graph::new();
    let (x, at) = (g.placeholder::<f64>("x", [2, 3]), here(line!()));
    let (w, to) = (g.param("w", array![1.0, 2.0, 3.0]), here(line!()));
    let c = g.constant(array![1.0, 2.0, 3.0]);
    let mut program = g.compile((x * w * c).sum(), ()).unwrap();
    let good = Array2::<f64>::ones((2, 3));
    let text =
        |result: Result<ndarray::ArrayViewD<'_, f64>, Error>| result.map(drop).unwrap_err().to_string();

    assert_eq!(text(program.run()), format!("`x` (2, 3) from {at} has no value: feed it, or set one"));
    let flat = array![1.0, 2.0, 3.0];
    let expected = format!("`x` (2, 3) from {at} takes arrays of shape (*, *), got (3,)");
    assert_eq!(text(program.run_with(&[x.feed(&flat)])), expected);
    assert_eq!(text(program.run_with(&[feed("x", &flat)])), expected);
    let short = array![1.0];
    let expected = format!("`w` (3,) from {to} takes arrays of shape (3,), got (1,)");
    assert_eq!(text(program.run_with(&[x.feed(&good), w.feed(&short)])), expected);
    let narrow = Array2::<f32>::ones((2, 3));
    let expected = format!("`x` (2, 3) from {at} takes arrays of f64, got f32");
    assert_eq!(text(program.run_with(&[feed("x", &narrow)])), expected);
    let expected = "no input is called `X`; there are `w`, `x`";
    assert_eq!(text(program.run_with(&[feed("X", &good)])), expected);
    let expected = format!("`x` (2, 3) from {at} is fed twice");
    assert_eq!(text(program.run_with(&[x.feed(&good), feed("x", &good)])), expected);
    assert!(
        text(program.run_with(&[c.feed(&flat)]))
            .starts_with("`feed` requires an input or a parameter, got `constant` (3,)")
    );
    assert!(
        text(program.run_with(&[(x * w).feed(&good)]))
            .starts_with("`feed` requires an input or a parameter, got `*` (2, 3)")
    );
    // Other sizes are fine as such, but not where they meet the parameter's.
    let wide = Array2::<f64>::ones((2, 4));
    let found = text(program.run_with(&[x.feed(&wide)]));
    assert!(
        found.starts_with(
            "with the sizes of this run: `*` cannot broadcast (2, 4) and (3,): 4 (axis 1) != 3 (axis 0)"
        ),
        "{found}"
    );
    assert!(found.contains(&format!("left:  `x` (2, 4) from {at}")), "{found}");
    // And after all that it runs.
    assert_eq!(program.run_with(&[x.feed(&good)]).unwrap()[[]], 28.0);

    let one = Graph::new();
    let mut program = one.compile(one.input("a", 1.0), ()).unwrap();
    assert_eq!(text(program.run_with(&[feed("b", &arr0(1.0))])), "no input is called `b`; there is `a`");
    let none = Graph::new();
    let mut program = none.compile(none.constant(1.0), ()).unwrap();
    assert_eq!(text(program.run_with(&[feed("b", &arr0(1.0))])), "no input is called `b`; there are none");
}

#[test]
fn a_value_that_does_not_fit() {
    let g = Graph::new();
    let (x, at) = (g.input("x", array![1.0]), here(line!()));
    let (w, to) = (g.param("w", array![1.0]), here(line!()));
    let text = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(text(x.set_value(1.0)), format!("`x` (1,) from {at} takes arrays of shape (*,), got ()"));
    assert_eq!(
        text(w.set_value(array![1.0, 2.0])),
        format!("`w` (1,) from {to} takes arrays of shape (1,), got (2,)")
    );
    assert!(
        text((x * w).set_value(array![1.0]))
            .starts_with("`set_value` requires an input or a parameter, got `*` (1,)")
    );
    x.set_value(array![1.0, 2.0]).unwrap();
    assert_eq!(x.value().unwrap().len(), 2);
    let p = g.placeholder::<f64>("p", [2]);
    assert!(text(p.value().map(drop)).ends_with("has no value: feed it, or set one"));
    assert!(text(p.exp().value().map(drop)).ends_with("has no value: feed it, or set one"));
    // Where its shape is enough, its value is not missed.
    assert_eq!(p.size_of(0).item().unwrap(), 2.0);
    let y = g.input("y", array![1.0, 2.0]);
    assert!(text(y.item().map(drop)).starts_with("`item` requires a single element, got (2,)"));
    assert!(text(y.erase().typed::<f32>().map(drop)).starts_with("`typed` requires f32, got f64"));
}

#[test]
fn nan_may_be_fed() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2]);
    let w = g.param("w", array![1.0, 1.0]);
    let cost = (x * w).sum();
    let mut step = g.compile(cost, Sgd::new(1.0).minimize(cost, w)).unwrap();
    assert!(step.run_with(&[x.feed(&array![f64::NAN, 2.0])]).unwrap()[[]].is_nan());
    let trained = w.value().unwrap();
    assert!(trained[[0]].is_nan() && trained[[1]] == -1.0, "{trained}");
}

#[test]
fn gradients_that_are_not_defined() {
    let g = Graph::new();
    let (x, at_x) = (g.input("x", array![1.0, 2.0]), here(line!()));
    let (z, at_z) = (g.input("z", 2.0), here(line!()));
    let (y, at_y) = (x * x, here(line!()));
    let hint = "`grad_or_zeros` gives zeros instead";
    fails! { y.grad(x) => "`grad` requires a scalar result, got (2,): take a sum or a mean\n  result: `*` (2,) from {at_y}" }
    let (cost, at) = (y.sum(), here(line!()));
    fails! { cost.grad(z) => "`grad`: the result does not depend on `z`\n  variable: `z` () from {at_z}\n  result:   `sum` () from {at}\n  {hint}" }
    fails! { cost.grad([x.sum(), z]) => "`grad`: the result does not depend on `sum`\n  variable: `sum` () from {at_sum}\n  result:   `sum` () from {at}\n  {hint}", at_sum = here(line!()) }
    let (mask, at_mask) = (x.gt(1.0), here(line!()));
    let (count, at) = (mask.cast::<f64>().sum(), here(line!()));
    let _ = at_mask;
    fails! { count.grad(x) => "`grad`: the result depends on `x` only through `cast`, which has no derivative\n  variable: `x` (2,) from {at_x}\n  through:  `cast` (2,) from {at}\n  result:   `sum` () from {at}\n  {hint}" }
    let (best, at) = (x.argmax().cast::<f64>(), here(line!()));
    fails! { best.grad(x) => "`grad`: the result depends on `x` only through `cast`, which has no derivative\n  variable: `x` (2,) from {at_x}\n  through:  `cast` () from {at}\n  result:   `cast` () from {at}\n  {hint}" }
    // Through a size alone is not at all.
    assert!(matches!(x.size_of(0).try_grad(x), Err(Error::Unreachable { .. })));
    let (n, at) = (g.input("n", 3_i64), here(line!()));
    let error = g.input("f", 1.0).try_grad(n).unwrap_err();
    assert_eq!(error.to_string(), format!("`grad` requires floats, got i64\n  operand: `n` () from {at}"));
    // Each of them is zero for the asking.
    let (dx, dz) = count.grad_or_zeros((x, z));
    assert_eq!((dx.value().unwrap(), dz.item().unwrap()), (array![0.0, 0.0].into_dyn(), 0.0));
}

#[test]
fn names_of_leaves_are_unique() {
    let g = Graph::new();
    let at = here(line!() + 1);
    let _ = g.input("x", 1.0);
    let text = format!("the name of a leaf must be unique, taken by `x` () from {at}");
    fails! { g.input("x", 2.0) => "{text}" }
    fails! { g.param("x", 2.0) => "{text}" }
    fails! { g.placeholder::<f32>("x", [2]) => "{text}" }
    assert_eq!(g.len(), 1);
}

#[test]
fn updates_that_do_not_fit() {
    let g = Graph::new();
    let (w, at_w) = (g.param("w", array![1.0_f64, 2.0]), here(line!()));
    let (x, at_x) = (g.input("x", array![1.0, 2.0]), here(line!()));
    let text = |update: gradus::Updates<'_>| g.compile((), update).map(drop).unwrap_err().to_string();
    assert_eq!(text(x.assign(w).into()), format!("`assign` requires a parameter, got `x` (2,) from {at_x}"));
    assert!(text((w * 2.0).assign(w).into()).starts_with("`assign` requires a parameter, got `*` (2,)"));
    let (sum, at_sum) = (w.sum(), here(line!()));
    let expected = format!(
        "an update must have the shape and element type of its parameter\n  parameter: `w` (2,) from {at_w}, f64\n  new value: `sum` () from {at_sum}, f64"
    );
    assert_eq!(text(w.assign(sum).into()), expected);
    assert_eq!(text([w.assign(w), w.assign(x)].into()), format!("`w` (2,) from {at_w} is updated twice"));
}

#[test]
fn an_update_whose_size_follows_a_feed() {
    let g = Graph::new();
    let w = g.param("w", array![1.0, 2.0]);
    let x = g.placeholder::<f64>("x", [2]);
    let mut program = g.compile(w.sum(), w.assign(x)).unwrap();
    for wrong in [array![1.0, 2.0, 3.0], array![7.0], array![]] {
        let result = program.run_with(&[x.feed(&wrong)]).map(drop);
        let text = result.unwrap_err().to_string();
        let expected =
            "with the sizes of this run: an update must have the shape and element type of its parameter";
        assert!(text.starts_with(expected), "{} elements for two: {text}", wrong.len());
        assert_eq!(w.value().unwrap(), array![1.0, 2.0].into_dyn(), "after an error nothing has changed");
    }
    program.run_with(&[x.feed(&array![3.0, 4.0])]).unwrap();
    assert_eq!(w.value().unwrap(), array![3.0, 4.0].into_dyn());
}

#[test]
fn reductions_of_nothing() {
    let g = Graph::new();
    let (x, at) = (g.input("x", Array2::<f64>::zeros((2, 0))), here(line!()));
    let operand = format!("got (2, 0)\n  operand: `x` (2, 0) from {at}");
    fails! { x.max() => "`max` of no elements is not defined, {operand}" }
    fails! { x.max_axis(1) => "`max` of no elements is not defined, {operand}" }
    fails! { x.min() => "`min` of no elements is not defined, {operand}" }
    fails! { x.argmax_keepdims(-1) => "`argmax` of no elements is not defined, {operand}" }
    // And when it is fed.
    let (y, to) = (g.placeholder::<f64>("y", [3]), here(line!()));
    let (top, line) = (y.max(), here(line!()));
    let error = g.compile(top, ()).unwrap().run_with(&[y.feed(&Array1::zeros(0))]).map(drop).unwrap_err();
    let expected = format!(
        "with the sizes of this run: `max` of no elements is not defined, got (0,)\n  operand: `y` (0,) from {to}\n  in `max` () from {line}"
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn element_types() {
    let g = Graph::new();
    let (n, at) = (g.input("n", array![1_i64, 2]), here(line!()));
    let (x, at_x) = (g.input("x", array![1.0, 2.0]), here(line!()));
    let (m, at_m) = (g.input("m", array![true, false]), here(line!()));
    let text = |op: Op, operands: &[gradus::Expr<'_>]| g.apply(op, operands).unwrap_err().to_string();
    let (ne, xe, me) = (n.erase(), x.erase(), m.erase());
    let integers = format!("got i64\n  operand: `n` (2,) from {at}");
    assert_eq!(text(Op::Unary(Unary::Exp), &[ne]), format!("`exp` requires floats, {integers}"));
    assert_eq!(text(Op::Binary(Binary::Div), &[ne, ne]), format!("`/` requires floats, {integers}"));
    assert_eq!(text(Op::MatMul(MatMul::Dot), &[ne, ne]), format!("`dot` requires floats, {integers}"));
    assert_eq!(
        text(Op::Binary(Binary::Add), &[xe, ne]),
        format!("`+` requires f64 on both sides, {integers}")
    );
    let masks = format!("got bool\n  operand: `m` (2,) from {at_m}");
    assert_eq!(text(Op::Binary(Binary::Add), &[me, me]), format!("`+` requires numbers, {masks}"));
    let sum = |fold| Op::Reduce(Reduce { fold, axes: Axes::ALL, keepdims: false });
    assert_eq!(text(sum(Fold::Sum), &[me]), format!("`sum` requires numbers, {masks}"));
    assert_eq!(text(sum(Fold::Mean), &[ne]), format!("`mean` requires floats, {integers}"));
    let floats = format!("got f64\n  operand: `x` (2,) from {at_x}");
    assert_eq!(text(Op::Logic(gradus::ops::Logic::Not), &[xe]), format!("`!` requires masks, {floats}"));
    assert_eq!(
        text(Op::Logic(gradus::ops::Logic::Select), &[xe, xe, xe]),
        format!("`select` requires a mask, {floats}")
    );
    assert_eq!(text(Op::Unary(Unary::Exp), &[xe, xe]), "`exp` takes 1 operands, got 2");
}

#[test]
fn a_mistake_records_nothing() {
    let g = Graph::new();
    let (x, y) = (g.input("x", array![1.0_f64, 2.0]), g.input("y", array![1.0, 2.0, 3.0]));
    let before = g.len();
    let _ = panicked(|| x + y);
    let _ = panicked(|| x.sum_axis(1));
    let _ = panicked(|| x.reshape([3]));
    assert_eq!(g.len(), before);
    // And the graph goes on working.
    assert_eq!((x * 2.0).sum().item().unwrap(), 6.0);
}

#[test]
fn sgd_points_to_the_line() {
    let g = Graph::new();
    let (w, v) = (g.param("w", 1.0), g.param("v", 1.0));
    let cost = w.square();
    let panic = panicked(|| Sgd::new(0.1).minimize(cost, v));
    let line = line!() - 1;
    assert!(panic.text.starts_with("`grad`: the result does not depend on `v`"), "{}", panic.text);
    assert_eq!((panic.file.as_str(), panic.line), (file!(), line));
}
