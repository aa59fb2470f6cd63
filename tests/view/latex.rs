//! Formulas as LaTeX.

use gradus::prelude::*;

use crate::balance::is_balanced;

fn check(formula: Var<'_>, expected: &str) {
    let latex = formula.to_latex();
    assert_eq!(latex, expected);
    assert!(is_balanced(&latex), "{latex}");
}

#[test]
fn logistic_regression() {
    let g = Graph::new();
    let x = g.input("X", array![[0.5, -1.0, 2.0], [1.0, 0.3, -0.7]]);
    let y = g.input("Y", array![[1.0, 0.0, 1.0]]);
    let w = g.param("w", Array2::<f64>::zeros((2, 1)));
    let b = g.param("b", 0.0);
    let lambda = g.param("lambda", 0.1);
    let m = x.size_of(1).named("m");
    let z = (w.t().dot(x) + b).named("Z");
    let a = z.sigmoid().named("A");
    let loss = y * a.ln() + (1.0 - y) * (1.0 - a).ln();
    let cost = (-loss.sum() / m).named("J");
    let terms = r"Y \odot \ln\left(A\right) + \left(1 - Y\right) \odot \ln\left(1 - A\right)";
    check(z, r"w^{T} \, X + b");
    check(a, r"\sigma\left(Z\right)");
    check(-loss.mean(), &format!(r"-\operatorname{{mean}}\left({terms}\right)"));
    check(cost, &format!(r"\frac{{-\sum \left({terms}\right)}}{{m}}"));
    let [dz, dw, db] = cost.grad([z, w, b]);
    check(dz, r"\frac{A - Y}{m}");
    check(dw, r"\frac{X \, \left(A - Y\right)^{T}}{m}");
    check(db, r"\frac{\sum \left(A - Y\right)}{m}");
    let penalty = lambda / (2.0 * m) * w.square().sum();
    check(penalty, r"\frac{\lambda}{2 \, m} \, \sum w^{2}");
    check(penalty.grad(w), r"\frac{\lambda \, w}{m}");
}

#[test]
fn parentheses_stand_where_they_are_needed() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    let (v, c) = (g.input("v", array![1.0, 2.0]), g.input("c", 2.0));
    check(x * (x + 1.0) * x, r"x \odot \left(x + 1\right) \odot x");
    check(x * (x * x), r"x \odot \left(x \odot x\right)");
    check(x - (x - 1.0), r"x - \left(x - 1\right)");
    check(x - (-x), r"x - \left(-x\right)");
    check(-(x + 1.0), r"-\left(x + 1\right)");
    check(-x * x, r"-x \odot x");
    check((-x).square(), r"\left(-x\right)^{2}");
    check(x.exp().square(), r"\left(e^{x}\right)^{2}");
    check(x.tanh().square(), r"\tanh\left(x\right)^{2}");
    check((x * x).dot(x + 1.0), r"\left(x \odot x\right) \, \left(x + 1\right)");
    check(x * x.dot(x), r"x \odot x \, x");
    check(x.dot(x.dot(x)), r"x \, \left(x \, x\right)");
    check(x * x.sum_axis(0), r"x \odot \sum_{0} x");
    check(x.sum_axis(0) * x, r"\left(\sum_{0} x\right) \odot x");
    check((x + 1.0).sum(), r"\sum \left(x + 1\right)");
    check(x.sum_axis(0).sum(), r"\sum \sum_{0} x");
    check(-x.sum() + c, r"-\sum x + c");
    check((x + 1.0) / (x - 1.0), r"\frac{x + 1}{x - 1}");
    check(c * v * -2.0, r"c \, v \, \left(-2\right)");
    check(v * 3.0, r"v \cdot 3");
    check(v * 1e-9, r"v \cdot 10^{-9}");
    check(v + 2.5e-12, r"v + 2.5 \cdot 10^{-12}");
    check(
        x.gt(0.0).select(x, 0.0).square(),
        r"\left(\begin{cases}x & \text{if } x > 0\\0 & \text{else}\end{cases}\right)^{2}",
    );
}

#[test]
fn one_dimensional_operands_are_columns() {
    let g = Graph::new();
    let a = g.input("M", array![[1.0, 2.0], [3.0, 4.0]]);
    let (u, v) = (g.input("u", array![1.0, 2.0]), g.input("v", array![3.0, 4.0]));
    check(u.dot(v), r"u^{T} \, v");
    check(v.dot(a.dot(v)), r"v^{T} \, \left(M \, v\right)");
    check(v.dot(a), r"M^{T} \, v");
    check(v.dot(a.dot(v)).grad(v), r"M \, v + M^{T} \, v");
    check(u.expand_dims(1).dot(v.expand_dims(0)), r"u \, v^{T}");
    check(a.solve(v), r"M^{-1} \, v");
}

#[test]
fn softmax_norms_and_axes() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 2.0, 4.0], [3.0, 4.0, 0.0]]);
    check(x.softmax(1), r"\operatorname{softmax}_{1}\left(x\right)");
    check(x.exp() / x.exp().sum_keepdims(1), r"\frac{e^{x}}{\sum_{1} e^{x}}");
    check(x.square().sum_axis(1).sqrt(), r"\sqrt{\sum_{1} x^{2}}");
    check(x.mean_axis(0), r"\operatorname{mean}_{0}\left(x\right)");
    check(x.norm(), r"\left\lVert x\right\rVert");
    check(x.norm_axis(1), r"\left\lVert x\right\rVert_{\text{axis }1}");
    check(x.logsumexp_axis(1), r"\ln\sum_{1} e^{x}");
    let p = x.softmax(1).named("p");
    let labels = g.input("t", array![0_i64, 2]);
    check(-p.ln().pick(1, labels).mean(), r"-\operatorname{mean}\left(\ln\left(p\right)_{[t]}\right)");
}

#[test]
fn long_formulas_are_bound_to_names() {
    let g = Graph::new();
    let x = g.input("x", array![1.0, 2.0]);
    let shared = (x.sin() + x.cos() + x.tan() + x.exp() + x.tanh()).sum();
    let sum = r"\sum \left(\sin\left(x\right) + \cos\left(x\right) + \tan\left(x\right) + e^{x} + \tanh\left(x\right)\right)";
    check(
        shared.exp() + shared.square(),
        &format!(
            "\\begin{{aligned}}\nv_{{1}} &= {sum} \\\\\n& e^{{v_{{1}}}} + v_{{1}}^{{2}}\n\\end{{aligned}}"
        ),
    );
    let mut deep = x;
    for _ in 0..2000 {
        deep = (deep.sin() + x) * deep;
    }
    let latex = deep.to_latex();
    assert!(is_balanced(&latex) && latex.lines().count() > 200);
}

#[test]
fn names_are_typeset_as_they_are_meant() {
    let names = [
        ("W1", "W_{1}"),
        ("W[12]", "W^{[12]}"),
        ("A[l]", "A^{[l]}"),
        ("n_h", "n_{h}"),
        ("x_train", r"x_{\mathrm{train}}"),
        ("a_b_1", "a_{b,1}"),
        ("lambda", r"\lambda"),
        ("λ2", r"\lambda_{2}"),
        ("theta_0", r"\theta_{0}"),
        ("dW1", r"\mathrm{d}W_{1}"),
        ("dZ[2]", r"\mathrm{d}Z^{[2]}"),
        ("cost", r"\mathrm{cost}"),
        ("x'", "x'"),
        ("learning rate", r"\text{learning rate}"),
        ("A&B", r"\text{A\&B}"),
        ("50%", r"\text{50\%}"),
        ("{x}", r"\text{\{x\}}"),
        (r"\alpha", r"\text{\textbackslash{}alpha}"),
        ("x^2", r"\text{x\textasciicircum{}2}"),
        ("#1", r"\text{\#1}"),
        ("b_", r"\text{b\_}"),
        ("", r"\text{}"),
    ];
    let g = Graph::new();
    for (name, expected) in names {
        let x = g.input(name, array![[1.0]]);
        check(x, expected);
        assert!(is_balanced(&(x.t().square() + x).to_latex()));
    }
    // What is a script already keeps its braces.
    check(g.input("W[1] ", array![[1.0]]).t(), r"\text{W[1] }^{T}");
    check(g.find("W[12]").unwrap().typed::<f64>().unwrap().t(), "{W^{[12]}}^{T}");
    check(g.find("x'").unwrap().typed::<f64>().unwrap().t(), "{x'}^{T}");
    check(g.find("W1").unwrap().typed::<f64>().unwrap().t(), "W_{1}^{T}");
}

#[test]
fn a_freed_formula_says_so() {
    let g = Graph::new();
    let mark = g.mark();
    let x = g.input("x", 1.0);
    g.truncate(mark);
    check(x, r"\text{freed}");
}
