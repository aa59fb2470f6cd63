//! The exact text of every mistake, and the line it is reported at.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use gradus::ndarray::{Array1, Array3};
use gradus::prelude::*;
use gradus::{Axes, feed};

static HOOK: Mutex<()> = Mutex::new(());

/// The text of the panic of `body`, and the file and line that it names.
fn panic_of<R>(body: impl FnOnce() -> R) -> (String, String) {
    let _one_at_a_time = HOOK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = std::sync::Arc::new(Mutex::new(String::new()));
    let before = std::panic::take_hook();
    let seen = place.clone();
    std::panic::set_hook(Box::new(move |info| {
        if let Some(location) = info.location() {
            *seen.lock().unwrap() = format!("{}:{}", location.file(), location.line());
        }
    }));
    let caught = catch_unwind(AssertUnwindSafe(|| drop(body())));
    std::panic::set_hook(before);
    let payload = caught.expect_err("this ought to panic");
    let text = payload.downcast_ref::<String>().expect("a text").clone();
    let place = place.lock().unwrap().clone();
    (text, place)
}

/// `tests/errors.rs:line`.
fn at(line: u32) -> String {
    format!("{}:{line}", file!())
}

#[test]
fn operands_that_do_not_broadcast_name_both_shapes_and_lines() {
    let g = Graph::new();
    let (a, la) = (g.input("a", Array2::<f64>::zeros((3, 4))), at(line!()));
    let (b, lb) = (a.sum_axis(0).reshape([2, 2]), at(line!()));
    let ((found, place), line) = (panic_of(|| a + b), at(line!()));
    assert_eq!(
        found,
        format!(
            "`+` cannot broadcast (3, 4) and (2, 2): 3 (axis 0) != 2 (axis 0)\n  left:  `a` (3, 4) from {la}\n  \
             right: `reshape` (2, 2) from {lb}"
        )
    );
    assert_eq!(place, line);
}

#[test]
fn methods_and_operators_are_reported_at_the_users_line() {
    let g = Graph::new();
    let a = g.input("a", array![1.0, 2.0]);
    let b = g.input("b", array![1.0, 2.0, 3.0]);
    let here = line!();
    let places = [
        panic_of(|| a - b).1,
        panic_of(|| a.maximum(b)).1,
        panic_of(|| a.lt(b)).1,
        panic_of(|| a.gt(0.0).select(a, b)).1,
        panic_of(|| a.dot(b)).1,
        panic_of(|| a.sum_axis(1)).1,
        panic_of(|| a.reshape([3])).1,
        panic_of(|| a.grad(b)).1,
        panic_of(|| a * array![1.0, 2.0, 3.0]).1,
        panic_of(|| array![1.0, 2.0, 3.0] / a).1,
        panic_of(|| g.input("a", 1.0)).1,
        panic_of(|| gradus::optim::Sgd::new(1.0).minimize(a, b)).1,
    ];
    for (i, place) in places.into_iter().enumerate() {
        assert_eq!(place, at(here + 2 + i as u32));
    }
}

#[test]
fn misaligned_products() {
    let cases: [(&[usize], &[usize], &str); 5] = [
        (&[3], &[1, 3], "(3,) and (1, 3): 3 (axis 0) != 1 (axis 0)"),
        (&[3], &[2, 3], "(3,) and (2, 3): 3 (axis 0) != 2 (axis 0)"),
        (&[1, 3], &[2, 3], "(1, 3) and (2, 3): 3 (axis 1) != 2 (axis 0)"),
        (&[2, 3], &[1, 3], "(2, 3) and (1, 3): 3 (axis 1) != 1 (axis 0)"),
        (&[4], &[5], "(4,) and (5,): 4 (axis 0) != 5 (axis 0)"),
    ];
    for (left, right, what) in cases {
        let g = Graph::new();
        let zeros = |shape: &[usize]| gradus::ndarray::ArrayD::<f64>::zeros(shape);
        let (a, b) = (g.input("a", zeros(left)), g.input("b", zeros(right)));
        let line = at(line!() - 1);
        let (a_shape, b_shape) = (a.shape(), b.shape());
        let (text, _) = panic_of(|| a.dot(b));
        assert_eq!(
            text,
            format!(
                "`dot` requires (.., k) · (k, ..), got {what}\n  left:  `a` {a_shape} from {line}\n  \
                 right: `b` {b_shape} from {line}"
            )
        );
    }
    let g = Graph::new();
    let x = g.input("x", Array3::<f64>::zeros((2, 2, 2)));
    let line = at(line!() - 1);
    assert_eq!(
        panic_of(|| x.dot(x)).0,
        format!(
            "`dot` requires operands with at most 2 axes, got (2, 2, 2)\n  operand: `x` (2, 2, 2) from {line}"
        )
    );
}

#[test]
fn axes_and_sizes_that_do_not_fit() {
    let g = Graph::new();
    let (x, line) = (g.input("x", Array3::<f64>::zeros((3, 3, 1))), at(line!()));
    let operand = format!("\n  operand: `x` (3, 3, 1) from {line}");
    for (text, expected) in [
        (panic_of(|| x.sum_axis(3)).0, "`sum` got axis 3 of an array with 3 axes"),
        (panic_of(|| x.mean_axis(-4)).0, "`mean` got axis -4 of an array with 3 axes"),
        (panic_of(|| x.max_keepdims([0, -3])).0, "`max` got axis 0 twice"),
        (panic_of(|| x.size_of(7_usize)).0, "`size_of` got axis 7 of an array with 3 axes"),
        (panic_of(|| x.expand_dims(5)).0, "`expand_dims` got axis 5 of an array with 3 axes"),
        (
            panic_of(|| x.transpose([0, 0, 1])).0,
            "`transpose` requires each of the 3 axes once, got [[0, 0, 1]]",
        ),
        (
            panic_of(|| x.reshape([4, -1])).0,
            "`reshape` cannot make (4, -1) from (3, 3, 1), which has 9 elements",
        ),
        (
            panic_of(|| x.reshape([-1, -1])).0,
            "`reshape` cannot make (-1, -1) from (3, 3, 1), which has 9 elements",
        ),
        (
            panic_of(|| x.reshape([2, 4])).0,
            "`reshape` cannot make (2, 4) from (3, 3, 1), which has 9 elements",
        ),
        (panic_of(|| x.broadcast_to([3, 4, 2])).0, "`broadcast_to` cannot stretch (3, 3, 1) to (3, 4, 2)"),
    ] {
        assert_eq!(text, format!("{expected}{operand}"));
    }
    let (empty, line) = (g.input("empty", Array1::<f64>::zeros(0)), at(line!()));
    assert_eq!(
        panic_of(|| empty.max()).0,
        format!("`max` of no elements is not defined, got (0,)\n  operand: `empty` (0,) from {line}")
    );
    assert_eq!(Axes::ALL.to_string(), "");
}

#[test]
fn handles_of_another_graph_and_freed_ones() {
    let (g, other) = (Graph::new(), Graph::new());
    let (x, y) = (g.input("x", 1.0), other.input("y", 1.0));
    let text = "`+` got a handle of another graph: all operands must be of one `Graph`";
    assert_eq!(panic_of(|| x + y).0, text);
    assert_eq!(
        g.apply(gradus::ops::Op::Binary(gradus::ops::Binary::Add), &[x.erase(), y.erase()])
            .unwrap_err()
            .to_string(),
        text
    );
    assert!(panic_of(|| x.grad(y)).0.starts_with("`grad` got a handle of another graph"));
    assert!(
        g.compile(y, ()).err().unwrap().to_string().starts_with("`compile` got a handle of another graph")
    );

    let mark = g.mark();
    let freed = x + 1.0;
    let named = g.input("named", 2.0);
    g.truncate(mark);
    let text = |op: &str| format!("`{op}` got a handle of a freed node: `Graph::truncate` has removed it");
    assert_eq!(panic_of(|| freed * 2.0).0, text("*"));
    assert_eq!(panic_of(|| freed.sum()).0, text("sum"));
    assert_eq!(panic_of(|| freed.shape()).0, text("shape"));
    assert_eq!(panic_of(|| freed.named("f")).0, text("named"));
    assert_eq!(panic_of(|| x.grad(freed)).0, text("grad"));
    assert_eq!(freed.value().unwrap_err().to_string(), text("compile"));
    assert_eq!(named.set_value(1.0).unwrap_err().to_string(), text("set_value"));
    assert_eq!(format!("{freed}"), "freed");
    // The slot is used again, and the old handle still knows that it is not meant.
    let again = x + 1.0;
    assert_eq!(again.item().unwrap(), 2.0);
    assert!(freed.value().is_err());
    g.input("named", 3.0);
}

#[test]
fn gradients_that_cannot_be_taken() {
    let g = Graph::new();
    let (x, x_line) = (g.input("x", array![1.0, 2.0]), at(line!()));
    let (lonely, lonely_line) = (g.input("lonely", 1.0), at(line!()));
    let (i, i_line) = (g.input("i", array![1_i64, 2]), at(line!()));
    let (y, y_line) = ((x * x).sum(), at(line!()));
    let (z, z_line) = (x * 2.0, at(line!()));
    assert_eq!(
        panic_of(|| z.grad(x)).0,
        format!(
            "`grad` requires a scalar result, got (2,): take a sum or a mean\n  result: `*` (2,) from {z_line}"
        )
    );
    assert_eq!(
        panic_of(|| y.grad(i)).0,
        format!("`grad` requires floats, got i64\n  operand: `i` (2,) from {i_line}")
    );
    assert_eq!(
        panic_of(|| y.grad([x, lonely])).0,
        format!(
            "`grad`: the result does not depend on `lonely`\n  variable: `lonely` () from {lonely_line}\n  \
             result:   `sum` () from {y_line}\n  `grad_or_zeros` gives zeros instead"
        )
    );
    let (mask, mask_line) = (x.gt(1.5), at(line!()));
    let (count, count_line) = (mask.cast::<f64>().sum(), at(line!()));
    assert_eq!(
        panic_of(|| count.grad(x)).0,
        format!(
            "`grad`: the result depends on `x` only through `cast`, which has no derivative\n  \
             variable: `x` (2,) from {x_line}\n  through:  `cast` (2,) from {count_line}\n  \
             result:   `sum` () from {count_line}\n  `grad_or_zeros` gives zeros instead"
        )
    );
    assert!(!mask_line.is_empty());
    // Zero is none of these.
    assert_eq!(x.stop_gradient().sum().grad(x).value().unwrap(), array![0.0, 0.0].into_dyn());
    assert_eq!(x.sign().sum().grad(x).value().unwrap(), array![0.0, 0.0].into_dyn());
    assert_eq!(count.grad_or_zeros(x).value().unwrap(), array![0.0, 0.0].into_dyn());
    assert_eq!(y.grad_or_zeros(lonely).item().unwrap(), 0.0);
    // Looking for the reason leaves nothing behind.
    let before = g.len();
    assert!(y.try_grad(lonely).is_err());
    assert_eq!(g.len(), before);
}

#[test]
fn feeds_that_do_not_fit() {
    let g = Graph::new();
    let (x, x_line) = (g.placeholder::<f64>("x", [2, 3]), at(line!()));
    let (w, w_line) = (g.param("w", Array2::<f64>::zeros((2, 1))), at(line!()));
    let (mut p, p_line) = (g.compile((x * w).sum(), ()).unwrap(), at(line!()));
    let good = Array2::<f64>::ones((2, 3));
    let mut error = |feeds: &[gradus::Feed<'_>]| p.run_with(feeds).unwrap_err().to_string();
    assert_eq!(error(&[]), format!("`x` (2, 3) from {x_line} has no value: feed it, or set one"));
    assert_eq!(
        error(&[x.feed(&Array1::<f64>::zeros(3))]),
        format!("`x` (2, 3) from {x_line} takes arrays of shape (*, *), got (3,)")
    );
    assert_eq!(
        error(&[feed("x", &Array2::<f32>::zeros((2, 3)))]),
        format!("`x` (2, 3) from {x_line} takes arrays of f64, got f32")
    );
    assert_eq!(error(&[feed("z", &good)]), "no input is called `z`; there are `w`, `x`");
    assert_eq!(error(&[x.feed(&good), feed("x", &good)]), format!("`x` (2, 3) from {x_line} is fed twice"));
    assert_eq!(
        error(&[x.feed(&good), w.feed(&good)]),
        format!("`w` (2, 1) from {w_line} takes arrays of shape (2, 1), got (2, 3)")
    );
    let other = Graph::new();
    let foreign = other.placeholder::<f64>("x", [2, 3]);
    assert!(error(&[foreign.feed(&good)]).starts_with("`run_with` got a handle of another graph"));
    let z = x + w;
    assert!(error(&[z.feed(&good)]).starts_with("`feed` requires an input or a parameter, got `+` (2, 3)"));
    // Sizes that were free to differ, and do not go together.
    let wide = Array2::<f64>::ones((5, 3));
    let text = error(&[x.feed(&wide)]);
    assert!(
        text.starts_with(
            "with the sizes of this run: `*` cannot broadcast (5, 3) and (2, 1): 5 (axis 0) != 2 (axis 0)"
        ),
        "{text}"
    );
    assert!(text.ends_with(&format!("\n  in `*` (2, 3) from {p_line}")), "{text}");
    // A NaN is a number like any other.
    let mut nan = good.clone();
    nan[(0, 0)] = f64::NAN;
    w.set_value(array![[1.0], [1.0]]).unwrap();
    assert!(p.run_with(&[x.feed(&nan)]).unwrap()[[]].is_nan());
    assert_eq!(p.run_with(&[x.feed(&good)]).unwrap()[[]], 6.0);
}

#[test]
fn leaves_and_updates_that_do_not_fit() {
    let g = Graph::new();
    let (x, x_line) = (g.input("x", array![1.0, 2.0]), at(line!()));
    let (w, w_line) = (g.param("w", array![1.0, 2.0]), at(line!()));
    assert_eq!(
        panic_of(|| g.param("x", 1.0)).0,
        format!("the name of a leaf must be unique, taken by `x` (2,) from {x_line}")
    );
    assert_eq!(
        w.set_value(array![1.0]).unwrap_err().to_string(),
        format!("`w` (2,) from {w_line} takes arrays of shape (2,), got (1,)")
    );
    assert!(x.set_value(array![1.0]).is_ok());
    assert!((x + w).set_value(array![1.0]).is_err());
    let error = |updates: Vec<gradus::Update<'_>>| g.compile((), updates).err().unwrap().to_string();
    assert_eq!(
        error(vec![x.assign(x)]),
        format!("`assign` requires a parameter, got `x` (2,) from {x_line}")
    );
    assert_eq!(
        error(vec![w.assign(w + 1.0), w.assign(w)]),
        format!("`w` (2,) from {w_line} is updated twice")
    );
    let (total, line) = (w.sum(), at(line!()));
    assert_eq!(
        error(vec![w.assign(total)]),
        format!(
            "an update must have the shape and element type of its parameter\n  \
             parameter: `w` (2,) from {w_line}, f64\n  new value: `sum` () from {line}, f64"
        )
    );
    assert!(
        (x * w).item().unwrap_err().to_string().starts_with("`item` requires a single element, got (2,)")
    );
}

#[test]
fn element_types_that_do_not_fit() {
    use gradus::ops::{Binary, Logic, Op};
    let g = Graph::new();
    let (x, line) = (g.input("x", array![1.0, 2.0]), at(line!()));
    let single = x.cast::<f32>();
    let error = |op: Op, operands: &[gradus::Expr<'_>]| g.apply(op, operands).unwrap_err().to_string();
    assert!(
        error(Op::Binary(Binary::Mul), &[x.erase(), single.erase()])
            .starts_with("`*` requires f64 on both sides, got f32\n")
    );
    assert_eq!(
        error(Op::Logic(Logic::Not), &[x.erase()]),
        format!("`!` requires masks, got f64\n  operand: `x` (2,) from {line}")
    );
    assert_eq!(error(Op::Binary(Binary::Mul), &[x.erase()]), "`*` takes 2 operands, got 1");
    assert!(
        x.gt(0.0)
            .erase()
            .typed::<f64>()
            .unwrap_err()
            .to_string()
            .starts_with("`typed` requires f64, got bool")
    );
}
