//! Sums of products, as they are collected and written down.

use smallvec::SmallVec;

use crate::graph::Expr;
use crate::ops::{Binary, Layout, Op, Unary};

/// A product has at most so many factors, and a sum so many terms; what has more is taken as it is.
pub(super) const MOST: usize = 24;

/// A number times powers of expressions, in the order in which they are met.
#[derive(Clone, Debug)]
pub(super) struct Product<'g> {
    pub coefficient: f64,
    pub factors: SmallVec<[(Expr<'g>, i32); 4]>,
}

impl<'g> Product<'g> {
    pub fn number(coefficient: f64) -> Self {
        Self { coefficient, factors: SmallVec::new() }
    }

    pub fn atom(e: Expr<'g>) -> Self {
        Self { coefficient: 1.0, factors: SmallVec::from_iter([(e, 1)]) }
    }

    /// What `e` is a product of. A name is not looked into.
    pub fn of(e: Expr<'g>) -> Self {
        let mut product = Self::number(1.0);
        let mut open: SmallVec<[(Expr<'g>, i32); 8]> = SmallVec::from_iter([(e, 1)]);
        while let Some((e, power)) = open.pop() {
            match Arithmetic::of(e) {
                _ if open.len() + product.factors.len() > MOST => product.times(e, power),
                Some(Arithmetic::Mul(a, b)) => open.extend([(b, power), (a, power)]),
                Some(Arithmetic::Div(a, b)) => open.extend([(b, -power), (a, power)]),
                Some(Arithmetic::Neg(a)) => {
                    product.coefficient *= if power % 2 == 0 { 1.0 } else { -1.0 };
                    open.push((a, power));
                }
                Some(Arithmetic::Power(a, n)) if power.saturating_mul(n).abs() < 100 => {
                    open.push((a, power * n));
                }
                Some(Arithmetic::Stretched(a)) => open.push((a, power)),
                Some(Arithmetic::Number(x)) if x != 0.0 || power > 0 => product.coefficient *= x.powi(power),
                Some(Arithmetic::Sub(a, b)) => match opposite(e, a, b) {
                    Some(written) => {
                        product.coefficient *= if power % 2 == 0 { 1.0 } else { -1.0 };
                        product.times(written, power);
                    }
                    None => product.times(e, power),
                },
                _ => product.times(e, power),
            }
        }
        product
    }

    pub fn times(&mut self, e: Expr<'g>, power: i32) {
        match self.factors.iter_mut().find(|(factor, _)| factor.id() == e.id()) {
            Some((_, known)) => *known += power,
            None => self.factors.push((e, power)),
        }
        self.factors.retain(|(_, power)| *power != 0);
    }

    pub fn multiply(&mut self, other: &Self, power: i32) {
        self.coefficient *= other.coefficient.powi(power);
        for &(e, n) in &other.factors {
            self.times(e, n * power);
        }
    }

    pub fn raised(&self, power: i32) -> Self {
        let mut raised = Self::number(1.0);
        raised.multiply(self, power);
        raised
    }

    pub fn scaled(mut self, times: f64) -> Self {
        self.coefficient *= times;
        self
    }

    pub fn is_one(&self) -> bool {
        self.coefficient == 1.0 && self.factors.is_empty()
    }

    fn power_of(&self, e: Expr<'g>) -> i32 {
        self.factors.iter().find(|(factor, _)| factor.id() == e.id()).map_or(0, |&(_, power)| power)
    }

    fn is_like(&self, other: &Self) -> bool {
        self.factors.len() == other.factors.len()
            && self.factors.iter().all(|&(e, power)| other.power_of(e) == power)
    }

    /// Its numbers without axes, and the rest.
    pub fn split(self) -> (Self, Self) {
        let (mut scalars, mut rest) = (Self::number(self.coefficient), Self::number(1.0));
        for (e, power) in self.factors {
            let part = if e.ndim() == 0 { &mut scalars } else { &mut rest };
            part.factors.push((e, power));
        }
        (scalars, rest)
    }
}

/// `b - a`, if a user has written that, for a derived `a - b`.
fn opposite<'g>(e: Expr<'g>, a: Expr<'g>, b: Expr<'g>) -> Option<Expr<'g>> {
    let other = e.graph().known(&Op::Binary(Binary::Sub), &[b, a])?;
    (e.is_derived() && !other.is_derived()).then_some(other)
}

/// An expression of which algebra knows the meaning.
pub(super) enum Arithmetic<'g> {
    Add(Expr<'g>, Expr<'g>),
    Sub(Expr<'g>, Expr<'g>),
    Mul(Expr<'g>, Expr<'g>),
    Div(Expr<'g>, Expr<'g>),
    Neg(Expr<'g>),
    Power(Expr<'g>, i32),
    Number(f64),
    /// A number without axes that is stretched, as operators do by themselves.
    Stretched(Expr<'g>),
}

impl<'g> Arithmetic<'g> {
    /// What stands behind a name, and what is not arithmetic, is nothing of the kind.
    pub fn of(e: Expr<'g>) -> Option<Self> {
        if e.is_named() { None } else { Self::under(e) }
    }

    /// The same for what has a name, too.
    pub fn under(e: Expr<'g>) -> Option<Self> {
        let inputs = e.inputs();
        Some(match e.op().filter(|_| e.dtype().is_float())? {
            Op::Literal(literal) => Self::Number(literal.as_f64().filter(|x| x.is_finite())?),
            Op::Binary(Binary::Add) => Self::Add(inputs[0], inputs[1]),
            Op::Binary(Binary::Sub) => Self::Sub(inputs[0], inputs[1]),
            Op::Binary(Binary::Mul) => Self::Mul(inputs[0], inputs[1]),
            Op::Binary(Binary::Div) => Self::Div(inputs[0], inputs[1]),
            Op::Unary(Unary::Neg) => Self::Neg(inputs[0]),
            Op::Unary(Unary::Square) => Self::Power(inputs[0], 2),
            Op::Unary(Unary::Recip) => Self::Power(inputs[0], -1),
            Op::Unary(Unary::Powi { n }) if n != 0 => Self::Power(inputs[0], n),
            Op::Layout(layout) => Self::Stretched(scalar_under(layout, inputs[0])?),
            _ => return None,
        })
    }
}

/// The number without axes of which an arrangement is made.
fn scalar_under(mut layout: Layout, mut e: Expr<'_>) -> Option<Expr<'_>> {
    while layout != Layout::SumLike {
        match e.op() {
            _ if e.ndim() == 0 => return Some(e),
            Some(Op::Layout(under)) if !e.is_named() => (layout, e) = (under, e.inputs()[0]),
            _ => return None,
        }
    }
    None
}

/// Terms of a sum.
pub(super) type Terms<'g> = Vec<Product<'g>>;

/// The terms of `e`, whose products are left as they are. A name is not looked into.
pub(super) fn addends<'g>(e: Expr<'g>, sign: f64) -> Terms<'g> {
    let mut terms = Terms::new();
    let mut open: SmallVec<[(Expr<'g>, f64); 8]> = SmallVec::from_iter([(e, sign)]);
    while let Some((e, sign)) = open.pop() {
        match Arithmetic::of(e) {
            Some(Arithmetic::Add(a, b)) if open.len() + terms.len() < MOST => {
                open.extend([(b, sign), (a, sign)]);
            }
            Some(Arithmetic::Sub(a, b)) if open.len() + terms.len() < MOST => {
                open.extend([(b, -sign), (a, sign)]);
            }
            Some(Arithmetic::Neg(a)) => open.push((a, -sign)),
            _ => {
                terms.push(Product::of(e).scaled(sign));
            }
        }
    }
    terms
}

/// The terms of a product of sums, if they are not too many.
pub(super) fn expanded<'g>(a: &Terms<'g>, b: &Terms<'g>) -> Option<Terms<'g>> {
    if a.len() * b.len() > MOST {
        return None;
    }
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
    Some(
        pairs
            .map(|(a, b)| {
                let mut product = a.clone();
                product.multiply(b, 1);
                product
            })
            .collect(),
    )
}

/// What was a factor may be a term with terms of its own.
pub(super) fn flattened(term: Product<'_>) -> Terms<'_> {
    match term.factors[..] {
        [(e, 1)] => addends(e, 1.0).into_iter().map(|inner| inner.scaled(term.coefficient)).collect(),
        _ => vec![term],
    }
}

/// Like terms added; those that cancel are gone.
pub(super) fn collected(terms: Terms<'_>) -> Terms<'_> {
    let mut sums = Terms::new();
    for term in terms {
        match sums.iter_mut().find(|sum| sum.is_like(&term)) {
            Some(sum) => sum.coefficient += term.coefficient,
            None => sums.push(term),
        }
    }
    sums.retain(|sum| sum.coefficient != 0.0);
    sums
}

/// Takes out of all terms what they have in common: factors, a number, and the sign if all have one.
pub(super) fn extract<'g>(terms: &mut Terms<'g>) -> Product<'g> {
    let mut common = Product::number(1.0);
    let Some((first, rest)) = terms.split_first().filter(|(_, rest)| !rest.is_empty()) else { return common };
    for &(e, power) in &first.factors {
        let powers = || rest.iter().map(|term| term.power_of(e)).chain([power]);
        let shared = if power > 0 { powers().min() } else { powers().max() };
        if let Some(shared) = shared.filter(|shared| shared.signum() == power.signum()) {
            common.factors.push((e, shared));
        }
    }
    let size = first.coefficient.abs();
    common.coefficient = if rest.iter().all(|term| term.coefficient.abs() == size) { size } else { 1.0 };
    if terms.iter().all(|term| term.coefficient < 0.0) {
        common.coefficient = -common.coefficient;
    }
    for term in terms {
        term.coefficient /= common.coefficient;
        for &(e, power) in &common.factors {
            term.times(e, -power);
        }
    }
    common
}

/// The terms with sums among their factors multiplied out; nothing, if there are none, or too many.
pub(super) fn multiplied_out<'g>(terms: &Terms<'g>) -> Option<Terms<'g>> {
    let (mut out, mut any) = (Terms::new(), false);
    for term in terms {
        let mut products = vec![Product::number(term.coefficient)];
        for &(e, power) in &term.factors {
            let sum = if (1..=2).contains(&power) { addends(e, 1.0) } else { Terms::new() };
            if sum.len() > 1 {
                any = true;
                for _ in 0..power {
                    products = expanded(&products, &sum)?;
                }
            } else {
                products.iter_mut().for_each(|product| product.times(e, power));
            }
        }
        out.extend(products);
    }
    (any && out.len() <= MOST).then_some(out)
}
