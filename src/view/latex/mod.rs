//! An expression as LaTeX.

mod name;
mod template;

use std::borrow::Cow;

use self::name::{escaped, name, number};
use super::formula::{Bodies, Notation, Scope, lines};
use super::shown::summed;
use crate::element::Dtype;
use crate::graph::{Expr, Var};
use crate::ops::{Binary, Layout, Linalg, MatMul, Notation as Sign, Op, Record, Reduce};
use crate::rewrite::as_in_textbooks;

impl<T: Dtype> Var<'_, T> {
    /// The formula in LaTeX, for math mode, without dollars around it. What is printed, and by which names, is as in the
    /// [text](Var#impl-Display-for-Var<'_,+T>): a derivative as a textbook writes it, named nodes by their names, and
    /// what is long or shared bound to names in lines of their own, as an `aligned` environment.
    ///
    /// Names are typeset as they are meant: `W1` as `W_{1}`, `n_h` as `n_{h}`, `dW2` as `\mathrm{d}W_{2}`, `lambda` as
    /// `\lambda`, `cost` as `\mathrm{cost}`. A one-dimensional operand of a product is a column. Axes stand at the sums
    /// over them as indices; a sum over all has none. What only puts sizes of 1 in or out, or repeats elements, is left
    /// out.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let (x, w, b) = (g.input("X", array![[1.0, 2.0]]), g.param("W1", array![[3.0]]), g.param("b1", 0.5));
    /// let a = (w.t().dot(x) + b).sigmoid();
    /// assert_eq!(a.to_latex(), r"\sigma\left(W_{1}^{T} \, X + b_{1}\right)");
    /// assert_eq!(a.named("a").sum().grad(b).to_latex(), r"\sum a \odot \left(1 - a\right)");
    /// ```
    pub fn to_latex(self) -> String {
        let root = self.erase();
        as_in_textbooks(&[root], |roots| {
            match lines(&[roots[0]], &Latex, &Bodies::default(), Scope::Names).split_last() {
                None => r"\text{freed}".to_owned(),
                Some((result, [])) => result.formula.text.clone(),
                Some((result, bound)) => {
                    let line = |(name, formula): (&str, &str)| format!("{name} &= {formula} \\\\\n");
                    let lines: String =
                        bound.iter().map(|bound| line((&bound.name.text, &bound.formula.text))).collect();
                    format!("\\begin{{aligned}}\n{lines}& {}\n\\end{{aligned}}", result.formula.text)
                }
            }
        })
    }
}

/// The notation of textbooks.
pub(super) struct Latex;

/// How strongly the outermost sign of a formula binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Logic,
    Comparison,
    Sum,
    /// A sum or product of elements, which reaches to the end.
    Big,
    /// Elementwise.
    Product,
    /// Matrices or numbers beside each other.
    Adjacent,
    /// A fraction, or something with an exponent or an index.
    Script,
    Atom,
}

/// The LaTeX of a subexpression.
#[derive(Clone)]
pub(super) struct Piece {
    text: String,
    binding: Binding,
}

impl Piece {
    fn new(text: impl Into<String>, binding: Binding) -> Self {
        Self { text: text.into(), binding }
    }
}

impl Notation for Latex {
    type Piece = Piece;

    fn name(&self, text: &str) -> Piece {
        Piece::new(name(text), Binding::Atom)
    }

    fn label(&self, label: &str) -> Piece {
        let text = number(label).unwrap_or_else(|| format!(r"\text{{{}}}", escaped(label)));
        let binding = if text.contains(r"\cdot") || text.starts_with('-') {
            Binding::Adjacent
        } else if text.contains('^') {
            Binding::Script
        } else {
            Binding::Atom
        };
        Piece::new(text, binding)
    }

    fn bound(&self, k: usize) -> Piece {
        Piece::new(format!("v_{{{k}}}"), Binding::Atom)
    }

    fn operation(&self, e: Expr<'_>, op: &Op, record: &Record, operands: &[Piece]) -> Piece {
        let template = template(e, op, record, operands);
        let attributes = attributes(e, op);
        template::fill(&template, binding(op, record, &template), attributes.as_deref(), operands)
    }

    /// Commands count as one character, and braces as none.
    fn length(&self, piece: &Piece) -> usize {
        let (mut length, mut command) = (0, false);
        for c in piece.text.chars() {
            let is_sign = !command && !matches!(c, '{' | '}' | '_' | '^' | ' ');
            length += usize::from(is_sign || c == '\\');
            command = c == '\\' || command && c.is_alphabetic();
        }
        length
    }
}

/// The record's LaTeX, or what is more usual for these operands.
fn template(e: Expr<'_>, op: &Op, record: &Record, operands: &[Piece]) -> Cow<'static, str> {
    let inputs = e.inputs();
    let rank = |k: usize| inputs[k].ndim();
    let usual = match op {
        Op::Binary(Binary::Mul) if rank(0) == 0 || rank(1) == 0 => {
            let digit = operands.get(1).is_some_and(|right| {
                right.binding > Binding::Adjacent && right.text.starts_with(|c: char| c.is_ascii_digit())
            });
            if digit { r"#1 \cdot #2" } else { r"#1 \, #2" }
        }
        Op::MatMul(MatMul::Dot) => match (rank(0), rank(1)) {
            (1, 1) => r"{#1}^{T} \, #2",
            (1, 2) => r"{#2}^{T} \, #1",
            _ => record.latex,
        },
        Op::Layout(Layout::Transpose { axes }) => {
            let order: Vec<usize> = axes.iter().collect();
            let last_two = order.len() >= 2 && {
                let mut swapped: Vec<usize> = (0..order.len()).collect();
                swapped.swap(order.len() - 2, order.len() - 1);
                swapped == order
            };
            let reversed = order.iter().rev().copied().eq(0..order.len());
            if last_two || reversed { record.latex } else { r"\operatorname{transpose}_{#n}\left(#1\right)" }
        }
        Op::Linalg(Linalg::Solve { transposed: true }) => r"{#1}^{-T} \, #2",
        // A row of what is a column.
        Op::Layout(Layout::ExpandDims { axes }) if rank(0) == 1 && axes.single() == Some(0) => "{#1}^{T}",
        Op::Custom(_) => return format!(r"\operatorname{{{}}}\left(#*\right)", escaped(record.name)).into(),
        _ => record.latex,
    };
    usual.into()
}

/// What stands for `#n`; nothing if that, and the index that it is, is left out.
fn attributes(e: Expr<'_>, op: &Op) -> Option<String> {
    let listed = |axes: &crate::Axes| axes.iter().map(|axis| axis.to_string()).collect::<Vec<_>>().join(", ");
    match op {
        Op::Reduce(Reduce { axes, .. }) => (axes.count() < e.inputs()[0].ndim()).then(|| listed(axes)),
        Op::Layout(Layout::SumLike) => {
            let (axes, _) = summed(e)?;
            (axes.count() < e.inputs()[0].ndim()).then(|| listed(&axes))
        }
        Op::Layout(Layout::Transpose { axes }) => Some(listed(axes)),
        Op::Layout(Layout::ReshapeLike | Layout::UnflattenLike { .. }) => Some(e.shape().to_string()),
        _ => {
            let text = op.attributes()?;
            let is_plain = || text.chars().all(|c| c.is_ascii_digit() || " ,.-()[]".contains(c));
            let written = || if is_plain() { text.clone() } else { format!(r"\text{{{}}}", escaped(&text)) };
            Some(number(&text).unwrap_or_else(written))
        }
    }
}

/// How strongly a filled template binds, as its own signs say.
fn binding(op: &Op, record: &Record, template: &str) -> Binding {
    let starts = |begins: &[&str]| begins.iter().any(|begin| template.starts_with(begin));
    match (op, record.notation) {
        (Op::Compare(_), _) => Binding::Comparison,
        (_, Sign::Infix(0)) => Binding::Logic,
        (_, Sign::Infix(1)) => Binding::Sum,
        _ if starts(&[r"\begin"]) => Binding::Logic,
        _ if starts(&["-"]) => Binding::Adjacent,
        _ if starts(&[r"\sum", r"\prod", r"\ln\sum"]) => Binding::Big,
        _ if starts(&[r"\frac"]) => Binding::Script,
        _ if template.contains(r"\odot") || template.contains(r"\star") || template.contains(r"\bmod") => {
            Binding::Product
        }
        _ if template.contains(r"\,") || template.contains(r"\cdot") || starts(&["#1 "]) => Binding::Adjacent,
        _ if starts(&["{#1}", "e^", "2^", r"\neg", r"\operatorname{D}e^"]) => Binding::Script,
        _ => Binding::Atom,
    }
}
