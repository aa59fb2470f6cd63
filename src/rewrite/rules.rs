//! The rules. Each is a row: what it says, when it applies, and what it builds with the operators of a formula.
//!
//! What no rule may do: hide a NaN (`x · 0 → 0`, `x - x → 0`, `x / x → 1`), join two operations with different
//! conventions at a kink, look through `stop_gradient`, depend on a size, or lose accuracy in a tail.

use std::mem::{Discriminant, discriminant};
use std::sync::LazyLock;

use hashbrown::HashMap;

use super::{Site, Tier, parts};
use crate::graph::Expr;
use crate::ops::{Binary, Fold, Layout, Logic, MatMul, Normalize, Op, Reduce, Surrogate, Unary, Window};
use crate::shape::Axes;

/// One rewriting rule.
pub(super) struct Rule {
    /// What it says, for a reader.
    #[allow(dead_code, reason = "the rule in words")]
    pub says: &'static str,
    pub tier: Tier,
    pub head: Head,
    pub apply: for<'g> fn(&Site<'_, 'g>) -> Option<Expr<'g>>,
}

/// The operation at the top of a rule's pattern.
pub(super) enum Head {
    Unary(Unary),
    Binary(Binary),
    Fold(Fold),
    Layout(fn(&Layout) -> bool),
    Cast,
    MaxPool,
    Surrogate,
}

impl Head {
    fn key(&self) -> Key {
        match self {
            Self::Unary(op) => Key::Unary(discriminant(op)),
            Self::Binary(op) => Key::Binary(*op),
            Self::Fold(fold) => Key::Fold(*fold),
            Self::Layout(_) => Key::Layout,
            Self::Cast => Key::Logic,
            Self::MaxPool => Key::Window,
            Self::Surrogate => Key::Surrogate,
        }
    }

    pub fn is(&self, op: &Op) -> bool {
        match (self, op) {
            (Self::Unary(head), Op::Unary(op)) => discriminant(head) == discriminant(op),
            (Self::Binary(head), Op::Binary(op)) => head == op,
            (Self::Fold(head), Op::Reduce(op)) => *head == op.fold,
            (Self::Layout(is), Op::Layout(op)) => is(op),
            (Self::Cast, Op::Logic(Logic::Cast(_)))
            | (Self::MaxPool, Op::Window(Window::MaxPool(_)))
            | (Self::Surrogate, Op::Surrogate(Surrogate::Gradient { .. })) => true,
            _ => false,
        }
    }
}

/// The rules whose head an operation may be, in the order in which they are tried.
pub(super) fn of(op: &Op) -> &'static [&'static Rule] {
    static TABLE: LazyLock<HashMap<Key, Vec<&'static Rule>>> = LazyLock::new(|| {
        let mut table: HashMap<Key, Vec<&'static Rule>> = HashMap::new();
        for rule in RULES {
            table.entry(rule.head.key()).or_default().push(rule);
        }
        table
    });
    TABLE.get(&Key::of(op)).map_or(&[], Vec::as_slice)
}

/// What the table is ordered by: the operation, or its family.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Unary(Discriminant<Unary>),
    Binary(Binary),
    Fold(Fold),
    Layout,
    Logic,
    Window,
    Surrogate,
    Other,
}

impl Key {
    fn of(op: &Op) -> Self {
        match op {
            Op::Unary(op) => Self::Unary(discriminant(op)),
            Op::Binary(op) => Self::Binary(*op),
            Op::Reduce(op) => Self::Fold(op.fold),
            Op::Layout(_) => Self::Layout,
            Op::Logic(_) => Self::Logic,
            Op::Window(_) => Self::Window,
            Op::Surrogate(_) => Self::Surrogate,
            _ => Self::Other,
        }
    }
}

const fn algebraic(
    says: &'static str,
    head: Head,
    apply: for<'g> fn(&Site<'_, 'g>) -> Option<Expr<'g>>,
) -> Rule {
    Rule { says, tier: Tier::Algebraic, head, apply }
}

const fn stabilising(
    says: &'static str,
    head: Head,
    apply: for<'g> fn(&Site<'_, 'g>) -> Option<Expr<'g>>,
) -> Rule {
    Rule { says, tier: Tier::Stabilising, head, apply }
}

/// `x`, if `literal` is the number `value` and the other operand is `x`: a number never changes a shape.
fn beside<'g>(x: Expr<'g>, literal: Expr<'g>, value: f64) -> Option<Expr<'g>> {
    (literal.as_literal() == Some(value)).then_some(x)
}

/// `x`, if `e` is `1 + x` or `x + 1`.
fn one_more<'g>(at: &Site<'_, 'g>, e: Expr<'g>) -> Option<Expr<'g>> {
    let [a, b] = at.pair(e, Binary::Add)?;
    beside(b, a, 1.0).or_else(|| beside(a, b, 1.0))
}

/// The table, in the order in which the rules are tried.
pub(super) static RULES: &[Rule] = &[
    // Signs.
    algebraic("-(-x) = x", Head::Unary(Unary::Neg), |at| at.under(at.a(), Unary::Neg)),
    algebraic("-(a - b) = b - a", Head::Unary(Unary::Neg), |at| {
        let [a, b] = at.pair(at.a(), Binary::Sub)?;
        Some(b - a)
    }),
    algebraic("(-a) · b = -(a · b)", Head::Binary(Binary::Mul), |at| {
        Some(-(at.under(at.a(), Unary::Neg)? * at.b()))
    }),
    algebraic("a · (-b) = -(a · b)", Head::Binary(Binary::Mul), |at| {
        Some(-(at.a() * at.under(at.b(), Unary::Neg)?))
    }),
    algebraic("(-a) / b = -(a / b)", Head::Binary(Binary::Div), |at| {
        Some(-(at.under(at.a(), Unary::Neg)? / at.b()))
    }),
    algebraic("a / (-b) = -(a / b)", Head::Binary(Binary::Div), |at| {
        Some(-(at.a() / at.under(at.b(), Unary::Neg)?))
    }),
    algebraic("a + (-b) = a - b", Head::Binary(Binary::Add), |at| {
        Some(at.a() - at.under(at.b(), Unary::Neg)?)
    }),
    algebraic("(-a) + b = b - a", Head::Binary(Binary::Add), |at| {
        Some(at.b() - at.under(at.a(), Unary::Neg)?)
    }),
    algebraic("a - (-b) = a + b", Head::Binary(Binary::Sub), |at| {
        Some(at.a() + at.under(at.b(), Unary::Neg)?)
    }),
    algebraic("(-a) - b = -(a + b)", Head::Binary(Binary::Sub), |at| {
        Some(-(at.under(at.a(), Unary::Neg)? + at.b()))
    }),
    algebraic("sum(-x) = -sum(x)", Head::Fold(Fold::Sum), negated_fold),
    algebraic("mean(-x) = -mean(x)", Head::Fold(Fold::Mean), negated_fold),
    algebraic(
        "sum_like(-x) = -sum_like(x)",
        Head::Layout(|op| matches!(op, Layout::SumLike)),
        negated_layout,
    ),
    algebraic(
        "broadcast_like(-x) = -broadcast_like(x)",
        Head::Layout(|op| matches!(op, Layout::BroadcastLike { .. })),
        negated_layout,
    ),
    // Neutral elements.
    algebraic("select(m, p, 0) + select(m, q, 0) = select(m, p + q, 0)", Head::Binary(Binary::Add), |at| {
        let selects = |op: &Op| *op == Op::Logic(Logic::Select);
        let ([m, p, s], [n, q, t]) = (at.operands(at.a(), selects)?, at.operands(at.b(), selects)?);
        let zeros = |a: Expr<'_>, b: Expr<'_>| a.as_literal() == Some(0.0) && b.as_literal() == Some(0.0);
        match m.id() == n.id() {
            true if zeros(s, t) => Some(m.select(p + q, s)),
            true if zeros(p, q) => Some(m.select(p, s + t)),
            _ => None,
        }
    }),
    algebraic("x + 0 = 0 + x = x", Head::Binary(Binary::Add), |at| {
        beside(at.a(), at.b(), 0.0).or_else(|| beside(at.b(), at.a(), 0.0))
    }),
    algebraic("x - 0 = x", Head::Binary(Binary::Sub), |at| beside(at.a(), at.b(), 0.0)),
    algebraic("x · 1 = 1 · x = x", Head::Binary(Binary::Mul), |at| {
        beside(at.a(), at.b(), 1.0).or_else(|| beside(at.b(), at.a(), 1.0))
    }),
    algebraic("x / 1 = x", Head::Binary(Binary::Div), |at| beside(at.a(), at.b(), 1.0)),
    // Arrangements.
    algebraic(
        "a transpose that changes nothing",
        Head::Layout(|op| matches!(op, Layout::Transpose { .. })),
        |at| {
            let Op::Layout(Layout::Transpose { axes }) = at.op else { return None };
            axes.iter().enumerate().all(|(to, from)| to == from).then(|| at.a())
        },
    ),
    algebraic(
        "a transpose of a transpose",
        Head::Layout(|op| matches!(op, Layout::Transpose { .. })),
        |at| {
            let Op::Layout(Layout::Transpose { axes: outer }) = at.op else { return None };
            let [x] = at.operands(at.a(), |op| matches!(op, Op::Layout(Layout::Transpose { .. })))?;
            let Some(Op::Layout(Layout::Transpose { axes: inner })) = at.a().op() else { return None };
            let inner: Vec<usize> = inner.iter().collect();
            let axes: Vec<usize> = outer.iter().map(|axis| inner[axis]).collect();
            Some(x.transpose(Axes::from(&axes[..])))
        },
    ),
    algebraic("(a · bᵀ)ᵀ = b · aᵀ", Head::Layout(|op| matches!(op, Layout::Transpose { .. })), |at| {
        let [a, b] = at.operands(at.a(), |op| matches!(op, Op::MatMul(MatMul::Dot)))?;
        let matrices = a.ndim() == 2 && b.ndim() == 2;
        let transposed =
            |e| at.operands::<1>(e, |op| matches!(op, Op::Layout(Layout::Transpose { .. }))).is_some();
        (matrices && (transposed(a) || transposed(b))).then(|| b.t().dot(a.t()))
    }),
    algebraic("the shape that it has anyhow", Head::Layout(takes_shape), |at| {
        let scalars = at.a().ndim() == 0 && at.b().ndim() == 0;
        (scalars || at.a().shape_root().id() == at.b().shape_root().id()).then(|| at.a())
    }),
    algebraic("a + broadcast(b) = a + b", Head::Binary(Binary::Add), |at| implicit(at, |a, b| a + b)),
    algebraic("a - broadcast(b) = a - b", Head::Binary(Binary::Sub), |at| implicit(at, |a, b| a - b)),
    algebraic("a · broadcast(b) = a · b", Head::Binary(Binary::Mul), |at| implicit(at, |a, b| a * b)),
    algebraic("a / broadcast(b) = a / b", Head::Binary(Binary::Div), |at| implicit(at, |a, b| a / b)),
    algebraic(
        "reshape_like(reshape(x), l) = reshape_like(x, l)",
        Head::Layout(|op| *op == Layout::ReshapeLike),
        |at| {
            let reshapes = |op: &Op| {
                matches!(
                    op,
                    Op::Layout(
                        Layout::Reshape { .. }
                            | Layout::ExpandDims { .. }
                            | Layout::Squeeze { .. }
                            | Layout::Flatten { .. }
                            | Layout::Unflatten { .. }
                    )
                )
            };
            let [x] = at.operands(at.a(), reshapes)?;
            Some(x.reshape_like(at.b()))
        },
    ),
    algebraic("a cast to the type that it has", Head::Cast, |at| {
        let Op::Logic(Logic::Cast(dtype)) = at.op else { return None };
        (at.a().dtype() == *dtype).then(|| at.a())
    }),
    // Parts.
    algebraic(
        "the parts among zeros, added, are their concatenation",
        Head::Binary(Binary::Add),
        parts::put_together,
    ),
    // Where the maximum is positive, it and its ties are the same before relu and after. Where it is not, relu' is 0 for
    // every element of the window on one side, and for the maximum on the other.
    algebraic("max_pool(relu(x)) = relu(max_pool(x))", Head::MaxPool, |at| {
        let x = at.under(at.a(), Unary::Relu)?;
        Some(x.graph().emit(at.op.clone(), [x]).relu())
    }),
    // A program has no derivatives any more.
    Rule {
        says: "a value with another gradient is the value",
        tier: Tier::Lowering,
        head: Head::Surrogate,
        apply: |at| Some(at.a()),
    },
    // Saturation.
    stabilising("ln(σ(z)) = -softplus(-z)", Head::Unary(Unary::Ln), |at| {
        Some(-(-at.under(at.a(), Unary::Sigmoid)?).softplus())
    }),
    stabilising("ln(softmax(x)) = log_softmax(x)", Head::Unary(Unary::Ln), |at| {
        let [x] = at.operands(at.a(), |op| matches!(op, Op::Normalize(Normalize::Softmax { .. })))?;
        at.written(at.a(), |op, _| match op {
            Op::Normalize(Normalize::Softmax { axes }) => Some(axes.clone()),
            _ => None,
        })
        .map(|axes| x.log_softmax(axes))
    }),
    stabilising("ln(Σ eˣ) = logsumexp(x)", Head::Unary(Unary::Ln), |at| {
        let (exp, axes, keepdims) = sum(at, at.a())?;
        let x = at.under(exp, Unary::Exp)?;
        if unshifted(at, x, &axes).is_some() {
            return None;
        }
        Some(if keepdims { x.logsumexp_keepdims(axes) } else { x.logsumexp_axis(axes) })
    }),
    stabilising("eˣ / Σ eˣ = softmax(x)", Head::Binary(Binary::Div), |at| {
        let (exp, axes, keepdims) = sum(at, at.b())?;
        let x = at.under(at.a(), Unary::Exp).filter(|_| keepdims && exp.id() == at.a().id())?;
        Some(unshifted(at, x, &axes).unwrap_or(x).softmax(axes))
    }),
    stabilising("ln(eˣ) = x", Head::Unary(Unary::Ln), |at| at.under(at.a(), Unary::Exp)),
    stabilising("ln(1 + x) = ln_1p(x)", Head::Unary(Unary::Ln), |at| Some(one_more(at, at.a())?.ln_1p())),
    stabilising("ln(1 - x) = ln_1p(-x)", Head::Unary(Unary::Ln), |at| {
        let [one, x] = at.pair(at.a(), Binary::Sub)?;
        Some((-beside(x, one, 1.0)?).ln_1p())
    }),
    stabilising("ln_1p(eˣ) = softplus(x)", Head::Unary(Unary::Ln1p), |at| {
        Some(at.under(at.a(), Unary::Exp)?.softplus())
    }),
    stabilising("1 - σ(z) = σ(-z)", Head::Binary(Binary::Sub), |at| {
        let z = at.under(at.b(), Unary::Sigmoid)?;
        Some((-beside(z, at.a(), 1.0)?).sigmoid())
    }),
    // The root alone has an infinite slope at 0, where that of the squares is 0.
    stabilising("√(Σ x²) = ‖x‖", Head::Unary(Unary::Sqrt), |at| length(at, at.a(), Fold::Sum)),
    stabilising("√(mean x²) = ‖x‖ / √n", Head::Unary(Unary::Sqrt), |at| {
        let length = length(at, at.a(), Fold::Mean)?;
        let [x] = at.operands(at.a(), |op| matches!(op, Op::Reduce(_)))?;
        match at.a().op()? {
            Op::Reduce(Reduce { axes, .. }) => Some(length / x.size_of(axes).sqrt()),
            _ => None,
        }
    }),
    stabilising("√(Σ x² / n) = ‖x‖ / √n", Head::Unary(Unary::Sqrt), |at| {
        let [squares, n] = at.pair(at.a(), Binary::Div)?;
        let counts = n.as_literal().is_some_and(|n| n > 0.0)
            || n.is(|op| matches!(op, Op::Reduce(Reduce { fold: Fold::Size, .. })));
        let length = length(at, squares, Fold::Sum).filter(|_| counts)?;
        Some(length / n.sqrt())
    }),
    stabilising("eˣ - 1 = exp_m1(x)", Head::Binary(Binary::Sub), |at| {
        let x = at.under(at.a(), Unary::Exp)?;
        Some(beside(x, at.b(), 1.0)?.exp_m1())
    }),
    stabilising("1 / (1 + eˣ) = σ(-x)", Head::Binary(Binary::Div), |at| {
        let x = at.under(one_more(at, at.b())?, Unary::Exp)?;
        Some((-beside(x, at.a(), 1.0)?).sigmoid())
    }),
    stabilising("recip(1 + eˣ) = σ(-x)", Head::Unary(Unary::Recip), |at| {
        Some((-at.under(one_more(at, at.a())?, Unary::Exp)?).sigmoid())
    }),
    stabilising("eˣ / (1 + eˣ) = σ(x)", Head::Binary(Binary::Div), |at| {
        let above = at.under(at.a(), Unary::Exp)?;
        let below = at.under(one_more(at, at.b())?, Unary::Exp)?;
        (above.id() == below.id()).then(|| above.sigmoid())
    }),
];

/// The axes of a sum that `e` is, and what is summed; with `keepdims` only of one that keeps them.
fn sum<'g>(at: &Site<'_, 'g>, e: Expr<'g>) -> Option<(Expr<'g>, Axes, bool)> {
    let [x] = at.operands(e, |op| matches!(op, Op::Reduce(Reduce { fold: Fold::Sum, .. })))?;
    match e.op()? {
        Op::Reduce(Reduce { axes, keepdims, .. }) => Some((x, axes, keepdims)),
        _ => None,
    }
}

/// The norm of `x`, if `e` is a sum or a mean of `x²`.
fn length<'g>(at: &Site<'_, 'g>, e: Expr<'g>, of: Fold) -> Option<Expr<'g>> {
    let [squares] = at.operands(e, |op| matches!(op, Op::Reduce(Reduce { fold, .. }) if *fold == of))?;
    let product = || at.pair(squares, Binary::Mul).filter(|[a, b]| a.id() == b.id()).map(|[x, _]| x);
    let x = at
        .under(squares, Unary::Square)
        .or_else(|| at.under(squares, Unary::Powi { n: 2 }))
        .or_else(product)?;
    match e.op()? {
        Op::Reduce(Reduce { axes, keepdims, .. }) => {
            let norm = Reduce { fold: Fold::Norm, axes, keepdims };
            Some(x.graph().emit(Op::Reduce(norm), [x]))
        }
        _ => None,
    }
}

/// `x`, if `e` is `x - max x` over these axes: what a careful hand takes before the exponential.
fn unshifted<'g>(at: &Site<'_, 'g>, e: Expr<'g>, axes: &Axes) -> Option<Expr<'g>> {
    let [x, maximum] = at.pair(e, Binary::Sub)?;
    let maximum = at.under(maximum, Unary::StopGradient).unwrap_or(maximum);
    let is_maximum = |op: &Op| matches!(op, Op::Reduce(Reduce { fold: Fold::Max, axes: over, keepdims: true }) if over == axes);
    let [of] = at.operands(maximum, is_maximum)?;
    (of.id() == x.id()).then_some(x)
}

/// Whether it gives its first operand the shape of the second without new axes.
fn takes_shape(op: &Layout) -> bool {
    match op {
        Layout::ReshapeLike | Layout::SumLike => true,
        Layout::BroadcastLike { axes } => axes.count() == 0,
        _ => false,
    }
}

fn negated_fold<'g>(at: &Site<'_, 'g>) -> Option<Expr<'g>> {
    let Op::Reduce(Reduce { fold, axes, keepdims }) = at.op else { return None };
    let x = at.under(at.a(), Unary::Neg)?;
    let reduce = Reduce { fold: *fold, axes: axes.clone(), keepdims: *keepdims };
    Some(-x.graph().emit(Op::Reduce(reduce), [x]))
}

fn negated_layout<'g>(at: &Site<'_, 'g>) -> Option<Expr<'g>> {
    let x = at.under(at.a(), Unary::Neg)?;
    Some(-x.graph().emit(at.op.clone(), [x, at.b()]))
}

/// An operand that is stretched to the shape which the other one has by construction need not be: the operation
/// stretches it.
fn implicit<'g>(at: &Site<'_, 'g>, op: fn(Expr<'g>, Expr<'g>) -> Expr<'g>) -> Option<Expr<'g>> {
    let unstretched = |e: Expr<'g>, other: Expr<'g>| {
        let stretches = |op: &Op| matches!(op, Op::Layout(Layout::BroadcastLike { .. }));
        let [x, like] = at.operands(e, stretches)?;
        // New axes in front are where an operation puts them by itself.
        let in_front = x.ndim() == 0
            || matches!(e.op(), Some(Op::Layout(Layout::BroadcastLike { axes })) if axes.count() == 0);
        (in_front && like.shape_root().id() == other.shape_root().id()).then_some(x)
    };
    let (a, b) = (at.a(), at.b());
    unstretched(a, b).map(|a| op(a, b)).or_else(|| unstretched(b, a).map(|b| op(a, b)))
}
