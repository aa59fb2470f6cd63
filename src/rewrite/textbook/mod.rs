//! The same formula as a textbook writes it, in exact arithmetic: what a derivative is printed as.
//!
//! A derivative is recorded in the form that is best computed: `y · σ(-z)`, say, keeps digits that `y · (1 - a)` loses.
//! For a reader both are one. So what the chain rule has recorded, and only that, is simplified on the way to the
//! paper: products of sums are multiplied out where this makes them shorter, like terms are added, factors that
//! all terms have stand before them, scalars stand outside of matrix products and sums, and there is one fraction.

mod algebra;
mod build;
mod conventions;
mod linear;

use std::rc::Rc;

use hashbrown::HashMap;

use self::algebra::{Arithmetic, MOST, Product, Terms, addends, expanded, multiplied_out};
use self::build::{Writer, number};
use crate::element::Real;
use crate::graph::{Expr, Graph, NodeId, Rewrite, Var, reach};
use crate::ops::{Layout, Logic, Op, Unary};

/// A formula with more nodes is left as it is: nobody reads it.
const LONGEST: usize = 10_000;

impl<T: Real> Var<'_, T> {
    /// The same function, written as a textbook does. It is the form in which a derivative is printed, as an expression.
    ///
    /// Only what a derivation has recorded is changed, not what the caller wrote, and names are not looked into. The two
    /// are equal in exact arithmetic, at the sizes of this moment and wherever all intermediate results are finite; in
    /// floating point the recorded form is the more accurate one, so compute with that.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (z, y) = (g.input("Z", array![0.5, -40.0]), g.input("Y", array![1.0, 0.0]));
    /// let a = z.sigmoid().named("A");
    /// let cost = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).sum();
    /// let dz = cost.grad(z);
    /// assert_eq!(dz.to_string(), "A - Y");
    /// let difference = dz.value()? - dz.simplify().value()?;
    /// assert!(difference.iter().all(|d: &f64| d.abs() < 1e-16));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn simplify(self) -> Self {
        textbook(self.erase()).retype()
    }
}

/// Gives `read` the formula in the form of textbooks; the tape stays as it is.
pub(crate) fn as_in_textbooks<'g, R>(roots: &[Expr<'g>], read: impl FnOnce(&[Expr<'g>]) -> R) -> R {
    let Some(first) = roots.first() else { return read(roots) };
    let graph = first.graph();
    let mark = graph.mark();
    let simplified: Vec<_> = roots.iter().map(|&root| textbook(root)).collect();
    let result = read(&simplified);
    graph.truncate(mark);
    result
}

/// What is shorter now may be shorter still: simplified again and again, a few times.
fn textbook(root: Expr<'_>) -> Expr<'_> {
    let mut best = pass(root);
    let mut writer = Writer::default();
    for _ in 0..3 {
        let next = pass(best);
        if writer.weight(next) >= writer.weight(best) {
            break;
        }
        best = next;
    }
    best
}

fn pass(root: Expr<'_>) -> Expr<'_> {
    let graph = root.graph();
    let names = names(graph);
    let named = |id: NodeId| {
        let e = graph.handle(id);
        if e.is_named() { Some(e) } else { names.get(&id).copied() }
            .filter(|e| e.id() != root.id() && id != root.id())
    };
    let nodes = reach(&graph.arena(), [root.id()], |user, _| named(user).is_none());
    if nodes.len() > LONGEST || !nodes.iter().any(|&id| graph.handle(id).is_derived()) {
        return root;
    }
    let mut simplifier =
        Simplifier { images: HashMap::new(), terms: HashMap::new(), writer: Writer::default() };
    let as_built: Rc<dyn Rewrite> = Rc::new(AsBuilt);
    for id in nodes {
        let e = graph.handle(id);
        let (image, terms) = graph.with_origin(e.origin(), || {
            if let Some(named) = named(id) {
                (named, vec![Product::atom(named)])
            } else if e.is_derived() {
                graph.with_rewriter(Rc::clone(&as_built), || simplifier.derived(e))
            } else {
                simplifier.written(e)
            }
        });
        simplifier.images.insert(id, image);
        simplifier.terms.insert(id, Rc::new(terms));
    }
    simplifier.images[&root.id()]
}

/// The derivatives with a name that only give the shape that they have anyhow, by what they give it to: for a reader they
/// are one.
fn names(graph: &Graph) -> HashMap<NodeId, Expr<'_>> {
    let order = graph.arena().order().to_vec();
    let derivatives = order.into_iter().map(|id| graph.handle(id)).filter(|e| e.is_named() && e.is_derived());
    let mut names = HashMap::new();
    for named in derivatives {
        let mut e = named;
        while let Some(x) = e.op().filter(gives_shape).map(|_| e.inputs()[0]) {
            if x.shape() != e.shape() || x.is_named() {
                break;
            }
            names.insert(x.id(), named);
            e = x;
        }
    }
    names
}

/// What is built here is as it should be, and written by nobody.
struct AsBuilt;

impl Rewrite for AsBuilt {
    fn rewrite<'g>(&self, _: &'g Graph, _: &Op, _: &[Expr<'g>]) -> Option<Expr<'g>> {
        None
    }
}

/// Whether it gives its first operand the shape of the second.
fn gives_shape(op: &Op) -> bool {
    matches!(op, Op::Layout(Layout::SumLike | Layout::ReshapeLike | Layout::BroadcastLike { .. }))
}

struct Simplifier<'g> {
    images: HashMap<NodeId, Expr<'g>>,
    /// Every node as a sum, multiplied out.
    terms: HashMap<NodeId, Rc<Terms<'g>>>,
    writer: Writer,
}

impl<'g> Simplifier<'g> {
    /// What takes the place of a node that was derived, and its terms.
    fn derived(&mut self, e: Expr<'g>) -> (Expr<'g>, Terms<'g>) {
        let Some(op) = e.op() else { return (e, vec![Product::atom(e)]) };
        let inputs = e.inputs();
        let images = self.images_of(&inputs);
        if gives_shape(&op) && images[0].shape() == e.shape() {
            return (images[0], self.terms[&inputs[0].id()].to_vec());
        }
        let plain = e.graph().apply(op.clone(), &images).unwrap_or(e);
        if let Some(arithmetic) = Arithmetic::under(e) {
            let terms = self.terms_of(&arithmetic, plain);
            return (self.shortest(plain, [addends(plain, 1.0), terms.clone()]), terms);
        }
        let better = match &op {
            Op::Unary(Unary::Sigmoid) => conventions::complement(plain),
            Op::Reduce(_) => conventions::sum_over_classes(plain),
            Op::Logic(Logic::Select) => {
                conventions::everywhere_else(plain).or_else(|| self.difference(plain))
            }
            _ => None,
        };
        let pulled = || linear::pulled_out(&op, &images, plain, &mut self.writer);
        let image = better.or_else(pulled).unwrap_or(plain);
        (image, addends(image, 1.0))
    }

    /// A node that somebody wrote, of what its operands have become, and its terms.
    fn written(&self, e: Expr<'g>) -> (Expr<'g>, Terms<'g>) {
        let Some(op) = e.op() else { return (e, vec![Product::atom(e)]) };
        let inputs = e.inputs();
        let images = self.images_of(&inputs);
        let changed = inputs.iter().zip(&images).any(|(input, image)| input.id() != image.id());
        let known = if changed { e.graph().known(&op, &images) } else { Some(e) };
        let image = known.or_else(|| e.graph().apply(op, &images).ok()).unwrap_or(e);
        let terms = match Arithmetic::under(e) {
            Some(arithmetic) => self.terms_of(&arithmetic, image),
            None => vec![Product::atom(image)],
        };
        (image, terms)
    }

    fn images_of(&self, inputs: &[Expr<'g>]) -> Vec<Expr<'g>> {
        inputs.iter().map(|input| self.images[&input.id()]).collect()
    }

    /// The terms of a node, from those of its operands.
    fn terms_of(&self, arithmetic: &Arithmetic<'g>, plain: Expr<'g>) -> Terms<'g> {
        let terms = |e: &Expr<'g>| Rc::clone(&self.terms[&e.id()]);
        let signed = |e: &Expr<'g>, sign: f64| -> Terms<'g> {
            terms(e).iter().cloned().map(|term| term.scaled(sign)).collect()
        };
        let found = match arithmetic {
            Arithmetic::Add(a, b) => Some([signed(a, 1.0), signed(b, 1.0)].concat()),
            Arithmetic::Sub(a, b) => Some([signed(a, 1.0), signed(b, -1.0)].concat()),
            Arithmetic::Neg(a) => Some(signed(a, -1.0)),
            Arithmetic::Mul(a, b) => expanded(&terms(a), &terms(b)),
            Arithmetic::Div(a, b) => {
                let below = match &terms(b)[..] {
                    [only] => only.raised(-1),
                    _ => Product::of(self.images[&b.id()]).raised(-1),
                };
                expanded(&terms(a), &vec![below])
            }
            Arithmetic::Stretched(a) => self.terms.get(&a.id()).map(|terms| terms.to_vec()),
            Arithmetic::Power(a, n) => match &terms(a)[..] {
                [only] => Some(vec![only.raised(*n)]),
                _ => None,
            },
            Arithmetic::Number(x) => Some(vec![Product::number(*x)]),
        };
        let fits =
            |terms: &Terms<'g>| terms.len() <= MOST && terms.iter().all(|term| term.coefficient.is_finite());
        found.filter(fits).unwrap_or_else(|| vec![Product::of(plain)])
    }

    /// The first of these sums, or a later one that is shorter.
    fn shortest(&mut self, e: Expr<'g>, forms: [Terms<'g>; 2]) -> Expr<'g> {
        let mut best = None;
        for terms in forms {
            let fits = |form: &Expr<'g>| form.shape() == e.shape() && form.dtype() == e.dtype();
            let Some(form) = self.writer.sum(terms, e).filter(fits) else { continue };
            best = match best {
                Some(best) if self.writer.weight(form) >= self.writer.weight(best) => Some(best),
                _ => Some(form),
            };
        }
        best.unwrap_or(e)
    }

    /// `b + select(m, a - b, 0)` for `select(m, a, b)`, where that is shorter.
    fn difference(&mut self, select: Expr<'g>) -> Option<Expr<'g>> {
        let [mask, a, b] = select.inputs().into_inner().ok()?;
        let difference = [addends(a, 1.0), addends(b, -1.0)].concat();
        let difference = self.writer.sum(multiplied_out(&difference).unwrap_or(difference), select)?;
        let [one, zero] = [1.0, 0.0].map(|value| number(select, value));
        let mut chosen = Product::of(difference);
        chosen.times(select.graph().emit(Op::Logic(Logic::Select), [mask, one, zero]), 1);
        let sum = self.writer.sum([addends(b, 1.0), vec![chosen]].concat(), select)?;
        let shorter = self.writer.weight(sum) < self.writer.weight(select);
        (shorter && sum.shape() == select.shape()).then_some(sum)
    }
}
