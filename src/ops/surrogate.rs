//! A gradient of the user's own for an expression.

use hashbrown::HashMap;

use super::{Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site};
use crate::element::Real;
use crate::error::{Error, OrFail, fail};
use crate::graph::{Expr, LeafKind, NodeId, Reached, Signature, Var, VarList};
use crate::shape::Shape;

/// A value as it is, with another derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surrogate {
    /// [`Var::with_gradient`], with the operands `y`, `x₁ … xₙ`, `v`, `r₁ … rₙ`. Where the cotangent of the result is `g`, that
    /// of `xᵢ` is `rᵢ` with `g` in the place of `v`. The value is `y`, of which nothing else is read.
    Gradient {
        /// How many `x` there are.
        count: u32,
    },
    /// What stands for a cotangent of the second operand. The first is a leaf without a value that makes it different from
    /// all others.
    Stand,
}

impl Surrogate {
    /// Whether operand `k` is what the text of an expression names.
    pub(crate) fn shows(self, k: usize) -> bool {
        match self {
            Self::Gradient { count } => k <= count as usize,
            Self::Stand => k == 1,
        }
    }
}

impl Operation for Surrogate {
    fn record(&self) -> Record {
        let (name, derivative) = match self {
            Self::Gradient { .. } => ("with_gradient", "what the rule says"),
            Self::Stand => ("cotangent", "none"),
        };
        let latex = if *self == Self::Stand { r"\overline{#1}" } else { "#1" };
        Record { name, notation: Notation::Method, latex, derivative, domain: Domain::NONE }
    }

    fn arity(&self) -> usize {
        match self {
            Self::Gradient { count } => 2 + 2 * *count as usize,
            Self::Stand => 2,
        }
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Surrogate(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let Self::Gradient { count } = *self else { return Ok(operands[1].clone()) };
        let n = count as usize;
        for (like, other) in [(0, n + 1)].into_iter().chain((1..=n).map(|k| (k, n + 1 + k))) {
            if operands[like] != operands[other] {
                let Signature { dtype, shape } = operands[like].clone();
                return Err(Box::new(move |operand| Error::Mismatch {
                    op: "with_gradient",
                    expected: format!("a cotangent of shape {shape} and of {dtype}"),
                    operands: Box::new([operand(like), operand(other)]),
                }));
            }
        }
        Ok(operands[0].clone())
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        match *self {
            Self::Gradient { count } if self.derives(k) => {
                let stand = at.inputs[count as usize + 1];
                replaced(at.inputs[count as usize + 1 + k], stand, at.cotangent).into()
            }
            _ => Cotangent::Undefined,
        }
    }

    fn reads(&self, k: usize) -> bool {
        k == 0
    }

    fn derives(&self, k: usize) -> bool {
        matches!(*self, Self::Gradient { count } if (1..=count as usize).contains(&k))
    }

    fn shape_giver(&self) -> Option<usize> {
        Some(usize::from(*self == Self::Stand))
    }
}

/// `formula` with `to` in the place of `from`, which has the same shape and element type.
fn replaced<'g>(formula: Expr<'g>, from: Expr<'g>, to: Expr<'g>) -> Expr<'g> {
    let graph = formula.graph();
    let nodes = Reached::new(&graph.arena(), [formula.id()], |user, _, _| user != from.id()).nodes;
    let mut images: HashMap<NodeId, Expr<'g>> = HashMap::from([(from.id(), to)]);
    for e in nodes.into_iter().map(|id| graph.handle(id)).filter(|e| e.id() != from.id()) {
        let inputs = e.inputs();
        if let Some(op) = e.op().filter(|_| inputs.iter().any(|x| images.contains_key(&x.id()))) {
            let inputs: Vec<Expr<'g>> =
                inputs.iter().map(|x| images.get(&x.id()).copied().unwrap_or(*x)).collect();
            let image =
                graph.apply(op, &inputs).expect("the shapes are those of the rule as it was recorded");
            images.insert(e.id(), image);
        }
    }
    images.get(&formula.id()).copied().unwrap_or(formula)
}

impl<'g, T: Real> Var<'g, T> {
    /// This value, with a gradient of your own: where the cotangent of the result is `g`, those of `wrt` are what `rule`
    /// makes of `g`. With respect to everything else the result is a constant. The value stays as it is, and is
    /// computed as it would be without.
    ///
    /// `rule` is called once, with an expression that stands for the cotangent and has the shape of this. It gives an
    /// expression for each of `wrt`, of exactly its shape, in the form in which they were given: of the cotangent, the
    /// variables and anything else. So the rule can be differentiated itself, and gradients of every order follow from it.
    /// What `torch.autograd.Function` and `jax.custom_vjp` are for:
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![-1.2, 0.4, 2.6]);
    /// // Straight through: the value of a step, the gradient of the identity.
    /// let step = x.gt(0.0).select(1.0, 0.0 * x).with_gradient(x, |g| g);
    /// assert_eq!(step.value()?, array![0.0, 1.0, 1.0].into_dyn());
    /// assert_eq!((step * 3.0).sum().grad(x).value()?, array![3.0, 3.0, 3.0].into_dyn());
    /// // A reversed gradient, and a clipped one.
    /// let reversed = x.with_gradient(x, |g| -g);
    /// assert_eq!(reversed.sum().grad(x).value()?, array![-1.0, -1.0, -1.0].into_dyn());
    /// let clipped = x.with_gradient(x, |g| g.minimum(1.0).maximum(-1.0));
    /// assert_eq!(clipped.square().sum().grad(x).value()?, array![-1.0, 0.8, 1.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// A rule that is not linear in the cotangent, as that of the clipped gradient, has no forward mode: [`jvp`](Self::jvp)
    /// through it is an error.
    ///
    /// # Panics
    /// If a cotangent does not have the shape of its variable: "`with_gradient` requires a cotangent of shape (3,) and of
    /// f64, got (2,)"; if this or a variable is not a float; if a handle is freed or of another graph.
    #[track_caller]
    #[must_use]
    pub fn with_gradient<L: VarList<'g>>(self, wrt: L, rule: impl FnOnce(Self) -> L::Owned) -> Self {
        let (graph, y, variables) = (self.graph(), self.erase(), wrt.exprs());
        for e in [y].iter().chain(&variables) {
            match e.known_dtype() {
                None => fail(&Error::Freed { op: "with_gradient" }),
                Some(dtype) if !dtype.is_float() => {
                    fail(&Error::GradOfInteger { operand: Box::new(graph.arena().describe(e.id())) })
                }
                _ => {}
            }
        }
        let signature = Signature { dtype: y.dtype(), shape: Shape::scalar() };
        let leaf = graph.add_leaf(LeafKind::Input, None, signature, None, y.origin()).or_fail();
        let stand = graph.emit(Op::Surrogate(Surrogate::Stand), [leaf, y]);
        let shares = rule(stand.retype()).exprs();
        if shares.len() != variables.len() {
            let (expected, found) = (variables.len(), shares.len());
            fail(&Error::Arity { op: "with_gradient", expected, found });
        }
        let operands: Vec<Expr<'g>> = [y].into_iter().chain(variables).chain([stand]).chain(shares).collect();
        let count = (operands.len() / 2 - 1) as u32;
        graph.apply(Op::Surrogate(Surrogate::Gradient { count }), &operands).or_fail().retype()
    }
}
