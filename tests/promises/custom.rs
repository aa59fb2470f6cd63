//! Operations of a user's own.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gradus::check::{Check, Failure};
use gradus::ops::{Custom, CustomOp, CustomSite, Op};
use gradus::prelude::*;
use gradus::{Error, Graph, Shape, Var};
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis, Zip, array};

use crate::support::{Laid, Lie, Rng, Slope, assert_close, check_derivatives, panicked};

/// Distances of rows: `d[i, j] = Σ (a[i, k] - b[j, k])² · scale`.
#[derive(PartialEq)]
struct Distances {
    scale: f64,
    /// What the rule for the first operand is off by.
    wrong: f64,
}

const DISTANCES: Distances = Distances { scale: 0.5, wrong: 1.0 };

impl<T: Float> CustomOp<T> for Distances {
    fn name(&self) -> &'static str {
        "distances"
    }

    fn arity(&self) -> usize {
        2
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        match (&operands[0][..], &operands[1][..]) {
            (&[m, k], &[n, l]) if k == l => Ok(Shape::from([m, n])),
            _ => Err(format!("requires (m, k) and (n, k), got {} and {}", operands[0], operands[1])),
        }
    }

    fn forward(&self, x: &[ArrayViewD<'_, T>], mut d: ArrayViewMutD<'_, T>) -> Result<(), String> {
        for (i, a) in x[0].outer_iter().enumerate() {
            for (j, b) in x[1].outer_iter().enumerate() {
                let mut sum = 0.0;
                Zip::from(&a).and(&b).for_each(|a, b| sum += (a.to_f64() - b.to_f64()).powi(2));
                d[[i, j]] = T::from_f64(sum * self.scale);
            }
        }
        Ok(())
    }

    fn vjp<'g>(&self, k: usize, at: &CustomSite<'_, 'g, T>) -> Option<Var<'g, T>> {
        let ([a, b], g) = ([at.operands[0], at.operands[1]], 2.0 * self.scale * at.cotangent);
        Some(match k {
            0 => (a * g.sum_keepdims(1) - g.dot(b)) * self.wrong,
            _ => b * g.sum_axis(0).expand_dims(1) - g.t().dot(a),
        })
    }
}

/// The same of operations that the crate has.
fn distances<'g, T: Float>(a: Var<'g, T>, b: Var<'g, T>) -> Var<'g, T> {
    0.5 * (a.expand_dims(1) - b.expand_dims(0)).square().sum_axis(2)
}

/// Without a rule; fails where an element is negative, and panics where one is NaN.
#[derive(PartialEq)]
struct Root;

impl CustomOp for Root {
    fn name(&self) -> &'static str {
        "root"
    }
    fn forward(&self, x: &[ArrayViewD<'_, f64>], mut y: ArrayViewMutD<'_, f64>) -> Result<(), String> {
        if let Some(negative) = x[0].iter().find(|&&x| x < 0.0) {
            return Err(format!("{negative} has no root"));
        }
        assert!(!x[0].iter().any(|x| x.is_nan()), "a root of NaN");
        y.zip_mut_with(&x[0], |y, x| *y = x.sqrt());
        Ok(())
    }
}

#[test]
fn values_and_derivatives_of_every_order_are_those_of_the_formula() {
    let g = Graph::new();
    let (a, b) =
        (g.input("a", Rng(1).array(&[3, 2], -1.0, 1.0)), g.input("b", Rng(2).array(&[4, 2], -1.0, 1.0)));
    let derivatives = |d: Var<'_>| {
        let mut f = (d.sin() * d).sum();
        let mut all = vec![d.value().unwrap(), f.value().unwrap()];
        for _ in 0..3 {
            let (da, db) = f.grad((a, b));
            all.extend([da.value().unwrap(), db.value().unwrap()]);
            f = (da * a.cos()).sum() + (db * 0.7).sum();
        }
        let t = (g.constant(Rng(3).array(&[3, 2], -1.0, 1.0)), g.constant(Rng(4).array(&[4, 2], -1.0, 1.0)));
        all.push(d.jvp((a, b), t).value().unwrap());
        let (ha, hb) = d.square().sum().hvp((a, b), t);
        all.extend([ha.value().unwrap(), hb.value().unwrap()]);
        let (ja, jb) = d.jacobian((a, b));
        assert_eq!((&ja.shape()[..], &jb.shape()[..]), (&[3, 4, 3, 2][..], &[3, 4, 4, 2][..]));
        all.extend([ja.value().unwrap(), jb.value().unwrap()]);
        all.push(d.sin().sum().hessian(b).value().unwrap());
        all
    };
    let own = derivatives(g.custom(DISTANCES, &[a, b]));
    for (own, composed) in own.iter().zip(derivatives(distances(a, b))) {
        assert_close(own, &composed, 1e-12);
    }
}

#[test]
fn single_precision() {
    let g = Graph::new();
    let (a, b) = (g.input("a", array![[1.0_f32, 2.0]]), g.input("b", array![[0.5_f32, 0.0], [1.0, 1.0]]));
    let d = g.custom(DISTANCES, &[a, b]);
    assert_eq!(d.value().unwrap(), distances(a, b).value().unwrap());
    let gradients = |d: Var<'_, f32>| d.square().sum().grad([a, b]).map(|e| e.value().unwrap());
    assert_eq!(gradients(d), gradients(distances(a, b)));
}

#[test]
fn operands_lie_as_they_like() {
    for lie in Lie::ALL {
        let mut rng = Rng(5);
        let mut draw = || [[3, 2], [4, 2]].map(|shape| Laid::new(rng.array(&shape, -1.0, 1.0), lie)).into();
        check_derivatives("distances", Slope::Some, &mut draw, &|x| {
            x[0].graph().custom(DISTANCES, &[x[0], x[1]])
        });
    }
}

#[test]
fn one_graph_serves_every_size() {
    let g = Graph::new();
    let (a, b) =
        (g.input("a", Rng(1).array(&[3, 2], -1.0, 1.0)), g.param("b", Rng(2).array(&[4, 2], -1.0, 1.0)));
    let d = |own: bool| if own { g.custom(DISTANCES, &[a, b]) } else { distances(a, b) };
    let formulas = [true, false].map(|own| (d(own).exp() * d(own)).mean().checkpoint().grad([a, b]));
    let mut program = g.compile(formulas, ()).unwrap();
    for m in [3, 1, 7, 0] {
        let batch = Rng(m as u64).array(&[m, 2], -1.0, 1.0);
        let [own, composed] = program.run_with(&[a.feed(&batch)]).unwrap();
        for (own, composed) in own.iter().zip(&composed) {
            assert_close(&own.to_owned(), &composed.to_owned(), 1e-13);
        }
    }
    let narrow = ArrayD::<f64>::zeros(vec![3, 5]);
    let error = program.run_with(&[a.feed(&narrow)]).unwrap_err();
    assert!(matches!(error, Error::AtRun { .. }));
    let text = error.to_string();
    assert!(text.contains("`distances` requires (m, k) and (n, k), got (3, 5) and (4, 2)"), "{text}");
    let plain = g.compile(formulas[0], ()).unwrap().plain().run().unwrap().map(|view| view.to_owned());
    assert_eq!(plain[0].shape(), [3, 2]);
}

#[test]
fn rules_are_checked() {
    let operands = [Rng(1).array(&[3, 2], -1.0, 1.0), Rng(2).array(&[4, 2], -1.0, 1.0)];
    let check = Check::new().order(2);
    let report = check.operation(DISTANCES, &operands).unwrap();
    assert!(report.compared == 4 && report.error < 1e-8);
    let failure = check.operation(Distances { wrong: 1.001, ..DISTANCES }, &operands).unwrap_err();
    let Failure::Wrong(wrong) = failure else { panic!("{failure}") };
    assert_eq!((&wrong.operand[..], wrong.order), ("x0", 1));
    // A rule whose value is right, and whose derivative is not.
    let g = Graph::new();
    let x = g.input("x", array![0.5, -0.7]);
    assert!(Check::new().gradient(g.custom(Kinked, &[x]), x).is_ok());
    let failure = check.operation(Kinked, &[array![0.5, -0.7].into_dyn()]).unwrap_err();
    assert!(matches!(failure, Failure::Wrong(wrong) if wrong.order == 2));
    let failure = check.operation(DISTANCES, &operands[..1]).unwrap_err();
    assert_eq!(failure.to_string(), "`distances` takes 2 operands, got 1");
    let failure = check.operation(Root, &[array![0.5].into_dyn()]).unwrap_err();
    assert!(failure.to_string().starts_with("`root` has no derivative rule for its operand 0"));
}

/// `x²`, with a rule that is only right at first order.
#[derive(PartialEq)]
struct Kinked;

impl CustomOp for Kinked {
    fn name(&self) -> &'static str {
        "kinked"
    }
    fn forward(&self, x: &[ArrayViewD<'_, f64>], mut y: ArrayViewMutD<'_, f64>) -> Result<(), String> {
        y.assign(&x[0].mapv(|x| x * x));
        Ok(())
    }
    fn vjp<'g>(&self, _k: usize, at: &CustomSite<'_, 'g, f64>) -> Option<Var<'g>> {
        Some(2.0 * at.operands[0].stop_gradient() * at.cotangent)
    }
}

#[test]
fn without_a_rule_there_is_no_gradient_and_no_part_of_one() {
    let g = Graph::new();
    let x = g.input("x", array![4.0, 9.0]);
    let y = g.custom(Root, &[x]);
    assert_eq!(y.value().unwrap(), array![2.0, 3.0].into_dyn());
    let text = y.sum().try_grad(x).unwrap_err().to_string();
    let expected = "`root` has no derivative rule for its operand 0\n  operation: `root` (2,) from tests/promises/custom.rs:";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with("\n  `stop_gradient` makes the operand a constant"), "{text}");
    // On another way there is one, but half of a gradient is none.
    let both = (x * y).sum();
    for panic in [panicked(|| both.grad(x)), panicked(|| both.grad_or_zeros(x)), panicked(|| both.hvp(x, x))]
    {
        assert!(panic.text.starts_with("`root` has no derivative rule") && panic.file.ends_with("custom.rs"));
    }
    let constant = (x * g.custom(Root, &[x.stop_gradient()])).sum();
    assert_eq!(constant.grad(x).value().unwrap(), array![2.0, 3.0].into_dyn());
}

/// Its rule forgets that the operand was stretched.
#[derive(PartialEq)]
struct Spread;

impl CustomOp for Spread {
    fn name(&self) -> &'static str {
        "spread"
    }
    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        Ok(operands[0].iter().copied().chain([3]).collect())
    }
    fn forward(&self, x: &[ArrayViewD<'_, f64>], mut y: ArrayViewMutD<'_, f64>) -> Result<(), String> {
        let last = Axis(x[0].ndim());
        y.assign(&x[0].view().insert_axis(last));
        Ok(())
    }
    fn vjp<'g>(&self, _k: usize, at: &CustomSite<'_, 'g, f64>) -> Option<Var<'g>> {
        Some(at.cotangent)
    }
}

#[test]
fn a_rule_of_another_shape() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let y = g.custom(Spread, &[x]);
    assert_eq!(y.value().unwrap(), array![[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]].into_dyn());
    let text = y.sum().try_grad(x).unwrap_err().to_string();
    let expected = "the derivative rule of `spread` gives shape (2, 3) for an operand of shape (2,)\n  operation: `spread` (2, 3) from ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn after_a_failure_nothing_has_changed() {
    let g = Graph::new();
    let rng = g.rng("rng", 1);
    let x = g.input("x", array![4.0, 9.0]);
    let w = g.param("w", array![1.0, 2.0]);
    let noise = rng.random::<f64>([2]);
    let line = line!() + 1;
    let y = g.custom(Root, &[x]).named("the root");
    let updates = [w.assign(w + 1.0 + noise)];
    let (mut fast, mut plain) = (g.compile(y, updates).unwrap(), g.compile(y, updates).unwrap().plain());
    let state = || (w.value().unwrap(), rng.state().value().unwrap());
    let before = state();
    for (bad, cause) in [(-1.0, "-1 has no root"), (f64::NAN, "it panicked: a root of NaN")] {
        let batch = array![1.0, bad];
        let expected = format!("`the root` (2,) from tests/promises/custom.rs:{line} failed: {cause}");
        let quiet = || {
            [fast.run_with(&[x.feed(&batch)]).unwrap_err(), plain.run_with(&[x.feed(&batch)]).unwrap_err()]
        };
        for error in silently(quiet) {
            assert!(matches!(error, Error::Failed { .. }));
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(state(), before);
    }
    assert_eq!(fast.run().unwrap(), array![2.0, 3.0].into_dyn());
    assert_ne!(state(), before);
}

/// Runs `body` with no message for a panic that is caught inside.
fn silently<R>(body: impl FnOnce() -> R) -> R {
    let mut result = None;
    let _ = panicked(|| {
        result = Some(body());
        panic!("to be caught, as those inside");
    });
    result.unwrap()
}

thread_local! {
    static GRAPH: &'static Graph = Graph::leak();
    static FOUND: RefCell<Vec<Error>> = const { RefCell::new(Vec::new()) };
}

/// Runs and sets what it must not while it is running.
#[derive(PartialEq)]
struct Inside;

impl CustomOp for Inside {
    fn name(&self) -> &'static str {
        "inside"
    }
    fn forward(&self, x: &[ArrayViewD<'_, f64>], mut y: ArrayViewMutD<'_, f64>) -> Result<(), String> {
        let g = GRAPH.with(|g| *g);
        let w = g.find("w").unwrap().typed::<f64>().unwrap();
        let errors = [
            g.compile(w * 2.0, ()).unwrap().run().map(|_| ()).unwrap_err(),
            (w * 3.0).value().map(|_| ()).unwrap_err(),
            w.value().map(|_| ()).unwrap_err(),
            w.set_value(1.0).unwrap_err(),
        ];
        FOUND.with_borrow_mut(|found| found.extend(errors));
        // Another graph is nobody's business.
        let other = Graph::new();
        let z = other.input("z", x[0].to_owned());
        y.assign(&(z * 2.0).value().map_err(|error| error.to_string())?);
        Ok(())
    }
}

#[test]
fn a_program_cannot_be_run_from_inside_one() {
    let g = GRAPH.with(|g| *g);
    let w = g.param("w", 5.0);
    let mut program = g.compile(g.custom(Inside, &[w]), [w.assign(w + 1.0)]).unwrap().threads(1).unwrap();
    assert_eq!(program.run().unwrap()[[]], 10.0);
    assert_eq!(w.item().unwrap(), 6.0);
    FOUND.with_borrow(|found| {
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|error| *error == Error::Busy));
        assert_eq!(found[0].to_string(), "a program of this graph is running");
    });
}

/// Counts how often it runs; what is compared is its number.
struct Counted(u32, Arc<AtomicUsize>);

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl CustomOp for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }
    fn forward(&self, x: &[ArrayViewD<'_, f64>], mut y: ArrayViewMutD<'_, f64>) -> Result<(), String> {
        self.1.fetch_add(1, Ordering::Relaxed);
        y.assign(&(&x[0] * f64::from(self.0)));
        Ok(())
    }
}

#[test]
fn equal_operations_are_one_and_find_the_compiled_program() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = |k: u32| g.custom(Counted(k, Arc::clone(&count)), &[x]);
    assert_eq!((counted(2) + counted(2) + counted(3)).value().unwrap(), array![7.0, 14.0].into_dyn());
    assert_eq!(count.load(Ordering::Relaxed), 2);
    let shared = Arc::new(Counted(2, Arc::clone(&count)));
    assert_ne!(g.custom(Arc::clone(&shared), &[x]).value().unwrap()[[0]], 0.0);
    let before = g.compilations();
    let mark = g.mark();
    for _ in 0..5 {
        counted(9).value().unwrap();
        g.truncate(mark);
    }
    assert_eq!(g.compilations(), before + 1);
    let single = Custom::new::<f32, _>(DISTANCES);
    assert!(Custom::new::<f64, _>(DISTANCES) == Custom::new::<f64, _>(DISTANCES));
    assert!(single != Custom::new::<f64, _>(DISTANCES));
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let (a, b) = (g.input("a", array![[1.0, 2.0]]), g.input("b", array![[0.5, 0.0, 1.0]]));
    let panic = panicked(|| g.custom(DISTANCES, &[a, b]));
    let first = panic.text.lines().next().unwrap();
    assert_eq!(first, "`distances` requires (m, k) and (n, k), got (1, 2) and (1, 3)");
    assert!(panic.text.contains("\n  operand: `a` (1, 2) from") && panic.file.ends_with("custom.rs"));
    assert_eq!(panicked(|| g.custom(DISTANCES, &[a])).text, "`distances` takes 2 operands, got 1");
    let op = || Op::Custom(Custom::new::<f64, _>(DISTANCES));
    let text = g.apply(op(), &[a.erase(), b.cast::<f32>().erase()]).unwrap_err().to_string();
    assert!(text.starts_with("`distances` requires f64, got f32"), "{text}");
    assert_eq!(g.custom(DISTANCES, &[a, a + 1.0]).to_string(), "a.distances(a + 1)");
}

#[test]
fn functions_of_one_number() {
    let g = Graph::new();
    let x = g.input("x", array![0.3, -2.0, 5.0]);
    let asinh = x.mapv("asinh", f64::asinh, |x, _y, g| g / (1.0 + x.square()).sqrt());
    assert!(Check::new().order(2).gradient(asinh, x).unwrap().error < 1e-8);
    let cube = |x: f64| x * x * x;
    let twice = x.mapv("cube", cube, |x, _, g| 3.0 * g * x.square());
    assert_eq!(twice.value().unwrap()[[1]], -8.0);
    let third = (0..3).fold(twice.sum(), |f, _| f.grad(x).sum());
    assert_eq!(third.item().unwrap(), 18.0);
    let single = x.cast::<f32>().mapv("half", |x| x / 2.0, |_, _, g| 0.5 * g);
    assert_eq!(single.sum().grad(x).value().unwrap(), array![0.5, 0.5, 0.5].into_dyn());
}
