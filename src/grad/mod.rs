//! Derivatives: the chain rule, backwards over the tape.
//!
//! One loop over the nodes in reverse topological order. At each node the record's rule says what the result's
//! cotangent means for an operand; the loop adds what several users of a node have to say, and sums over whatever a
//! broadcast has stretched. No rule thinks about either. Everything it builds is recorded on the same tape, so a
//! gradient can be read, printed, compiled and differentiated again.

mod batch;
mod jacobian;
mod products;
mod reach;
mod recompute;

use hashbrown::HashMap;
use smallvec::SmallVec;

use self::reach::explain;
use self::recompute::Recomputed;
use crate::element::{Literal, Real};
use crate::error::{Error, Operand, OrFail, Result, fail};
use crate::graph::{Expr, Graph, NodeId, Reached, Var, VarList};
use crate::ops::{Binary, Cotangent, Layout, Logic, Op, Site};
use crate::rewrite::{Rewriter, Tier, rewrite};

/// What is known of the derivative with respect to one variable.
pub(crate) enum Derivative<'g> {
    /// Its expression.
    Of(Expr<'g>),
    /// It is zero: every path passes an operation whose derivative is zero, or `stop_gradient`.
    Zero,
    /// Every path passes an operation that has no derivative: this one.
    Undefined(NodeId),
    /// There is no path.
    Unreachable,
}

impl<'g, T: Real> Var<'g, T> {
    /// The gradient of this scalar with respect to each of `wrt`, as expressions of the same graph and of exactly
    /// the operands' shapes. `grad(w)`, `grad([w, b])`, `grad((w, b))` and `grad(&vec)` give results of the form
    /// they are asked in.
    ///
    /// The variables may be leaves or any nodes in between. The derivation runs on the rewritten expression, so that
    /// the textbook formula of a cost has the right gradient where it saturates.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let (a, b, c) = (g.input("a", 5.0), g.input("b", 3.0), g.input("c", 2.0));
    /// let j = 3.0 * (a + b * c);
    /// let [da, db, dc] = j.grad([a, b, c]);
    /// assert_eq!((da.item()?, db.item()?, dc.item()?), (3.0, 6.0, 9.0));
    /// assert_eq!(db.grad(c).item()?, 3.0); // of the gradient again
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the text of [`try_grad`](Self::try_grad)'s error.
    #[track_caller]
    pub fn grad<L: VarList<'g>>(self, wrt: L) -> L::Owned {
        self.try_grad(wrt).or_fail()
    }

    /// [`grad`](Self::grad), with mistakes as errors.
    ///
    /// # Errors
    /// - [`Error::GradOfArray`] if this is not a scalar,
    /// - [`Error::GradOfInteger`] if this or a variable is not a float,
    /// - [`Error::Unreachable`] if this does not depend on a variable,
    /// - [`Error::NoDerivative`] if it does only through an operation without a derivative,
    /// - [`Error::OtherGraph`] and [`Error::Freed`] for handles that are not of this graph.
    ///
    /// A variable on which this depends through [`stop_gradient`](Self::stop_gradient) alone has the gradient zero;
    /// that is no error.
    pub fn try_grad<L: VarList<'g>>(self, wrt: L) -> Result<L::Owned> {
        let (result, targets) = (self.erase(), wrt.exprs());
        let derivatives = derive(result, &targets)?;
        let found = targets.iter().zip(derivatives).map(|(&target, derivative)| {
            Ok(found(result, target, derivative)?.unwrap_or_else(|| zeros_like(target)))
        });
        let found: Vec<_> = found.collect::<Result<_>>()?;
        Ok(wrt.rebuild(&mut found.into_iter()))
    }

    /// [`grad`](Self::grad), with zeros for the variables that have no influence, or none with a derivative.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let (x, y) = (g.input("x", 5.0), g.input("y", 3.0));
    /// let [dx, dy] = (x * x).grad_or_zeros([x, y]);
    /// assert_eq!((dx.item()?, dy.item()?), (10.0, 0.0));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`grad`](Self::grad) for everything else.
    #[track_caller]
    pub fn grad_or_zeros<L: VarList<'g>>(self, wrt: L) -> L::Owned {
        let targets = wrt.exprs();
        match derive(self.erase(), &targets) {
            Err(error) => fail(&error),
            Ok(derivatives) => {
                let found = targets.iter().zip(derivatives).map(|(&target, derivative)| match derivative {
                    Derivative::Of(e) => e,
                    _ => zeros_like(target),
                });
                wrt.rebuild(&mut found.collect::<Vec<_>>().into_iter())
            }
        }
    }
}

/// The expression of a derivative, if it is not zero.
fn found<'g>(result: Expr<'g>, target: Expr<'g>, derivative: Derivative<'g>) -> Result<Option<Expr<'g>>> {
    let describe = |id| Box::new(result.graph().arena().describe(id));
    let (from, to) = (result.id(), target.id());
    match derivative {
        Derivative::Of(e) => Ok(Some(e)),
        Derivative::Zero => Ok(None),
        Derivative::Unreachable => Err(Error::Unreachable { result: describe(from), target: describe(to) }),
        Derivative::Undefined(through) => Err(Error::NoDerivative {
            result: describe(from),
            target: describe(to),
            through: describe(through),
        }),
    }
}

fn zeros_like(target: Expr<'_>) -> Expr<'_> {
    let graph = target.graph();
    graph.with_origin(target.origin(), || {
        let zero = graph.literal(Literal::rounded(0.0, target.dtype()));
        if target.ndim() == 0 { zero } else { zero.broadcast_like(target) }
    })
}

/// The derivative of `result` with respect to each of `targets`.
pub(crate) fn derive<'g>(result: Expr<'g>, targets: &[Expr<'g>]) -> Result<Vec<Derivative<'g>>> {
    derive_from(result, None, targets)
}

/// The cotangent of each of `targets` for a cotangent of `result`, which for a scalar may be left out: 1.
fn derive_from<'g>(
    result: Expr<'g>,
    cotangent: Option<Expr<'g>>,
    targets: &[Expr<'g>],
) -> Result<Vec<Derivative<'g>>> {
    check(result, cotangent, targets)?;
    let mut found: HashMap<NodeId, Expr<'g>> = HashMap::new();
    // A variable in between is opaque to the rewriter, which might take it away; but only for its own derivative.
    let inner: Vec<NodeId> = targets.iter().filter(|t| t.leaf().is_none()).map(|t| t.id()).collect();
    let plain = rewritten(result, &[]);
    if inner.is_empty() || rewritten(result, &inner).id() == plain.id() {
        sweep(plain, cotangent, targets, &inner, &mut found)?;
    } else {
        let leaves: Vec<_> = targets.iter().copied().filter(|t| t.leaf().is_some()).collect();
        sweep(plain, cotangent, &leaves, &[], &mut found)?;
        for &target in targets.iter().filter(|t| inner.contains(&t.id())) {
            let opaque = [target.id()];
            sweep(rewritten(result, &opaque), cotangent, &[target], &opaque, &mut found)?;
        }
    }
    Ok(targets
        .iter()
        .map(|&target| match found.get(&target.id()) {
            Some(&e) => Derivative::Of(e),
            None => explain(result, target),
        })
        .collect())
}

fn check(result: Expr<'_>, cotangent: Option<Expr<'_>>, targets: &[Expr<'_>]) -> Result<()> {
    let graph = result.graph();
    let op = "grad";
    if targets.iter().chain(&cotangent).any(|target| !std::ptr::eq(target.graph(), graph)) {
        return Err(Error::OtherGraph { op });
    }
    let arena = graph.arena();
    for e in [result].iter().chain(targets).chain(&cotangent) {
        let node = arena.get(e.id()).ok_or(Error::Freed { op })?;
        if !node.dtype.is_float() {
            return Err(Error::GradOfInteger { operand: Box::new(arena.describe(e.id())) });
        }
    }
    match arena.get(result.id()) {
        Some(node) if node.shape.ndim() > 0 && cotangent.is_none() => {
            Err(Error::GradOfArray { result: Box::new(arena.describe(result.id())) })
        }
        _ => Ok(()),
    }
}

fn rewritten<'g>(result: Expr<'g>, opaque: &[NodeId]) -> Expr<'g> {
    let graph = result.graph();
    let reached = Reached::new(&graph.arena(), [result.id()], |user, _, _| !opaque.contains(&user));
    let images = rewrite(graph, &reached, &Rewriter::around(Tier::Stabilising, opaque.to_vec()));
    images.last().map_or(result, |&image| graph.handle(image))
}

/// The chain rule: cotangents from `result` down to `targets`, added to `found`.
fn sweep<'g>(
    result: Expr<'g>,
    seed: Option<Expr<'g>>,
    targets: &[Expr<'g>],
    opaque: &[NodeId],
    found: &mut HashMap<NodeId, Expr<'g>>,
) -> Result<()> {
    let graph = result.graph();
    let reached = Reached::new(&graph.arena(), [result.id()], |_, _, _| true);
    let active = depending(graph, &reached, targets);
    let places: SmallVec<[_; 8]> =
        targets.iter().map(|target| reached.place_of(&graph.arena(), target.id())).collect();
    let mut cotangents: Vec<Option<Expr<'g>>> = vec![None; reached.nodes.len()];
    let mut recomputed = Recomputed::default();
    let opaque = opaque.iter().copied().chain(seed.map(|seed| seed.id())).collect();
    graph.with_rewriter(Rewriter::around(Tier::Algebraic, opaque), || -> Result<()> {
        let one =
            || graph.with_origin(result.origin(), || graph.literal(Literal::rounded(1.0, result.dtype())));
        cotangents[reached.nodes.len() - 1] = Some(seed.unwrap_or_else(one));
        for (place, &id) in reached.nodes.iter().enumerate().rev() {
            if let Some(cotangent) = cotangents[place].filter(|_| active[place]) {
                let y = graph.handle(id);
                let of = |x: Expr<'g>| reached.place_of(&graph.arena(), x.id()).filter(|&x| active[x]);
                recomputed.enter(y, cotangent);
                graph.with_origin(y.origin(), || step(y, &recomputed, cotangent, of, &mut cotangents))?;
            }
        }
        Ok(())
    })?;
    for (target, place) in targets.iter().zip(places) {
        if let Some(cotangent) = place.and_then(|place| cotangents[place]) {
            found.insert(target.id(), cotangent);
        }
    }
    Ok(())
}

/// Which of the nodes depend on a target, targets included.
fn depending(graph: &Graph, reached: &Reached, targets: &[Expr<'_>]) -> Vec<bool> {
    let arena = graph.arena();
    let place = |id| reached.place_of(&arena, id);
    let mut active = vec![false; reached.nodes.len()];
    for target in targets.iter().filter_map(|target| place(target.id())) {
        active[target] = true;
    }
    for (user, node) in reached.nodes.iter().enumerate().filter_map(|(i, &id)| Some((i, arena.get(id)?))) {
        let mut inputs = node.inputs.iter().enumerate();
        active[user] |=
            inputs.any(|(k, &input)| node.op.derives(k) && place(input).is_some_and(|x| active[x]));
    }
    active
}

/// One node: its cotangent passed on to those of its operands that `active` gives a place.
fn step<'g>(
    y: Expr<'g>,
    recomputed: &Recomputed<'g>,
    cotangent: Expr<'g>,
    active: impl Fn(Expr<'g>) -> Option<usize>,
    cotangents: &mut [Option<Expr<'g>>],
) -> Result<()> {
    let Some(op) = y.op() else { return Ok(()) };
    let inputs = y.inputs();
    let guard = if op.is_elementwise() { Guard::of(cotangent) } else { None };
    let (operands, result) = recomputed.site(y, &inputs);
    let site =
        Site { inputs: &operands, result, cotangent: guard.as_ref().map_or(cotangent, |guard| guard.inner) };
    for (k, &x) in inputs.iter().enumerate() {
        let Some(place) = active(x).filter(|_| op.derives(k) && x.dtype().is_float()) else { continue };
        let share = match op.vjp(k, &site) {
            Cotangent::Of(share) => share,
            // That a rule is missing says nothing about the derivative.
            Cotangent::Undefined if matches!(op, Op::Custom(_)) => {
                return Err(Error::NoRule { node: described(y), k });
            }
            _ => continue,
        };
        let share = guard.as_ref().map_or(share, |guard| guard.around(share));
        // Nothing is recorded where the shapes are one by construction.
        let same = share.shape_root().id() == x.shape_root().id();
        let share = if op.stretches() && !same { share.sum_like(x) } else { share };
        if !same && share.shape() != x.shape() {
            return Err(Error::Rule { node: described(y), operand: described(x), found: share.shape() });
        }
        let sum = cotangents[place].map_or(share, |sum| sum + share);
        cotangents[place] = Some(sum);
    }
    Ok(())
}

/// A node as an error describes it.
fn described(e: Expr<'_>) -> Box<Operand> {
    Box::new(e.graph().arena().describe(e.id()))
}

/// A cotangent that is zero where a branch of a formula was not taken: a `select` with zeros, several of them one in
/// the other, or a sum of such. There the rule's own factor may be infinite or NaN, so it is applied to what was
/// selected, and the selects to its result.
struct Guard<'g> {
    mask: Expr<'g>,
    inner: Expr<'g>,
    /// The side on which the zeros are not.
    when: bool,
}

impl<'g> Guard<'g> {
    fn of(cotangent: Expr<'g>) -> Option<Self> {
        // A sum over what was broadcast may as well be taken after an elementwise rule.
        let summed = cotangent.is(|op| *op == Op::Layout(Layout::SumLike)).then(|| cotangent.inputs()[0]);
        let whole = summed.filter(|&summed| selection(summed).is_some()).unwrap_or(cotangent);
        let Some((mut mask, mut when, mut inner)) = selection(whole) else {
            return Some(Self { mask: support(cotangent)?, inner: cotangent, when: true });
        };
        // One mask for all of them: a chain of selects stays as long as it is.
        while let Some((next, side, rest)) = selection(inner) {
            mask = where_it_is(mask, when) & where_it_is(next, side);
            (when, inner) = (true, rest);
        }
        Some(Self { mask, inner, when })
    }

    fn around(&self, share: Expr<'g>) -> Expr<'g> {
        if self.when { self.mask.select(share, 0.0) } else { self.mask.select(0.0, share) }
    }
}

fn where_it_is(mask: Expr<'_>, when: bool) -> Expr<'_> {
    if when { mask } else { mask.inverted() }
}

/// The mask, the side that is not zero, and what stands there, of a `select` with zeros.
fn selection<'g>(e: Expr<'g>) -> Option<(Expr<'g>, bool, Expr<'g>)> {
    if !e.is(|op| *op == Op::Logic(Logic::Select)) {
        return None;
    }
    let [mask, yes, no]: [Expr<'g>; 3] = e.inputs().into_inner().ok()?;
    if no.as_literal() == Some(0.0) {
        Some((mask, true, yes))
    } else if yes.as_literal() == Some(0.0) {
        Some((mask, false, no))
    } else {
        None
    }
}

/// How many branches that share an operand are looked at: a sum may be as long as the tape.
const BRANCHES: usize = 16;

/// Where a sum of selects with zeros may be other than zero: several branches that share an operand.
fn support(sum: Expr<'_>) -> Option<Expr<'_>> {
    let adds = |e: Expr<'_>| e.is(|op| *op == Op::Binary(Binary::Add));
    if !adds(sum) {
        return None;
    }
    let mut open: SmallVec<[Expr<'_>; 4]> = sum.inputs().into_iter().collect();
    let mut masks: SmallVec<[Expr<'_>; 4]> = SmallVec::new();
    let mut terms = 0;
    while let Some(e) = open.pop() {
        if adds(e) {
            open.extend(e.inputs());
            terms += 1;
            if terms > BRANCHES {
                return None;
            }
        } else {
            let (mask, when, _) = selection(e)?;
            let mask = where_it_is(mask, when);
            if masks.iter().all(|other| other.id() != mask.id()) {
                masks.push(mask);
            }
        }
    }
    masks.into_iter().reduce(|a, b| a | b)
}
