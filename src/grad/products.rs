//! Products with a Jacobian or a Hessian, which is never there itself.

use super::{Derivative, derive_from, found, jacobian::stand_in, zeros_like};
use crate::element::Real;
use crate::error::{Error, OrFail, Result};
use crate::graph::{Expr, Var, VarList, reach};
use crate::ops::IntoVar;

impl<'g, T: Real> Var<'g, T> {
    /// The product of a cotangent with the Jacobian, `vᵀ · ∂y/∂x` for each `x` of `wrt`: the gradient of `(v * y).sum()`
    /// where `v` is held constant. `v` has the shape of this, or one that stretches to it, and each result that of
    /// its `x`. It costs what a gradient does, whatever the sizes.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0]);
    /// let v = g.input("v", array![1.0, 0.0, -1.0]);
    /// assert_eq!(x.square().vjp(v, x).value()?, array![2.0, 0.0, -6.0].into_dyn());
    /// assert_eq!(x.square().vjp(1.0, x).value()?, array![2.0, 4.0, 6.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the text of [`try_vjp`](Self::try_vjp)'s error.
    #[track_caller]
    pub fn vjp<L: VarList<'g>>(self, cotangent: impl IntoVar<'g, T>, wrt: L) -> L::Owned {
        self.try_vjp(cotangent, wrt).or_fail()
    }

    /// [`vjp`](Self::vjp), with mistakes as errors.
    ///
    /// # Errors
    /// As [`try_grad`](Self::try_grad), but for [`Error::GradOfArray`]; and [`Error::BroadcastTo`] if the cotangent
    /// does not stretch to the shape of this.
    #[track_caller]
    pub fn try_vjp<L: VarList<'g>>(self, cotangent: impl IntoVar<'g, T>, wrt: L) -> Result<L::Owned> {
        let (y, targets) = (self.erase(), wrt.exprs());
        let cotangent = cotangent.into_var(self.graph(), self.dtype_beside()).erase();
        let cotangent = stretched("vjp", cotangent, y)?;
        let derivatives = derive_from(y, Some(cotangent), &targets)?;
        let each = targets.iter().zip(derivatives);
        let found =
            each.map(|(&x, derivative)| Ok(found(y, x, derivative)?.unwrap_or_else(|| zeros_like(x))));
        let found: Vec<_> = found.collect::<Result<_>>()?;
        Ok(wrt.rebuild(&mut found.into_iter()))
    }

    /// The product of the Jacobian with tangents, `Σ ∂y/∂x · t` over `wrt` and `tangents`: how this changes when each
    /// `x` moves along its `t`. The result has the shape of this, and each `t` that of its `x` or one that stretches
    /// to it. The tangents are held constant.
    ///
    /// It is derived by differentiating twice: `vᵀ · ∂y/∂x · t` is linear in `v`, and its gradient in `v` is the
    /// product. So it costs about what a gradient does, and far less than a [`jacobian`](Self::jacobian). A variable
    /// on which this does not depend, or through operations without a derivative alone, adds nothing.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let (x, t) = (g.input("x", array![1.0, 2.0, 3.0]), g.input("t", array![1.0, 0.0, -1.0]));
    /// assert_eq!(x.square().jvp(x, t).value()?, array![2.0, 0.0, -6.0].into_dyn());
    /// assert_eq!(x.square().sum().jvp(x, t).item()?, -4.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the text of [`try_jvp`](Self::try_jvp)'s error.
    #[track_caller]
    #[must_use]
    pub fn jvp<L: VarList<'g>, V: VarList<'g>>(self, wrt: L, tangents: V) -> Self {
        self.try_jvp(wrt, tangents).or_fail()
    }

    /// [`jvp`](Self::jvp), with mistakes as errors.
    ///
    /// # Errors
    /// - [`Error::Arity`] if there are not as many tangents as variables,
    /// - [`Error::BroadcastTo`] if a tangent does not stretch to the shape of its variable,
    /// - [`Error::Requires`] if a rule on the way, of a user's own, is not linear in its cotangent,
    /// - [`Error::GradOfInteger`], [`Error::OtherGraph`] and [`Error::Freed`] as [`try_grad`](Self::try_grad).
    #[track_caller]
    pub fn try_jvp<L: VarList<'g>, V: VarList<'g>>(self, wrt: L, tangents: V) -> Result<Self> {
        let (y, targets) = (self.erase(), wrt.exprs());
        let tangents = directions("jvp", &targets, &tangents.exprs())?;
        self.known_dtype().ok_or(Error::Freed { op: "jvp" })?;
        let v = stand_in(y);
        let derivatives = derive_from(y, Some(v), &targets)?;
        let product = inner_product(y, derivatives, &tangents);
        let Some(product) = product else { return Ok(zeros_like(y).retype()) };
        let derivative = derive_from(product, None, &[v])?.pop();
        let Some(Derivative::Of(tangent)) = derivative else { return Ok(zeros_like(y).retype()) };
        let graph = y.graph();
        let reads = |user, k| graph.handle(user).op().is_some_and(|op| op.reads(k));
        if reach(&graph.arena(), [tangent.id()], reads).contains(&v.id()) {
            let requires = "derivative rules that are linear in the cotangent".to_owned();
            return Err(Error::Requires { op: "jvp", requires });
        }
        Ok(tangent.retype())
    }

    /// The product of this scalar's Hessian with a vector, `H · v`, for a vector that is a list shaped like the
    /// parameters: `[Σⱼ ∂²f/∂pᵢ∂pⱼ · vⱼ]`, each of the shape of its `pᵢ`. Each `v` has its parameter's shape or one
    /// that stretches to it, and is held constant.
    ///
    /// It is the gradient of the inner product of the gradient with `v`, and costs about two gradients, whatever the
    /// number of parameters: what Newton's method with conjugate gradients, and the largest eigenvalue of a Hessian,
    /// are computed with. A part of the gradient that does not depend on the parameters, or only through an
    /// operation without a derivative, such as the mask of a [`relu`](Self::relu), adds zero.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let (x, y) = (g.param("x", array![1.0, 2.0]), g.param("y", 3.0));
    /// let f = y * x.square().sum(); // H = [[2y, 0, 2x₁], [0, 2y, 2x₂], [2x₁, 2x₂, 0]]
    /// let [u, v] = [g.input("u", array![1.0, 0.0]), g.input("v", 10.0)];
    /// let [hx, hy] = f.hvp([x, y], [u, v]);
    /// assert_eq!(hx.value()?, array![26.0, 40.0].into_dyn());
    /// assert_eq!(hy.item()?, 2.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the text of [`try_hvp`](Self::try_hvp)'s error.
    #[track_caller]
    pub fn hvp<L: VarList<'g>, V: VarList<'g>>(self, params: L, vectors: V) -> L::Owned {
        self.try_hvp(params, vectors).or_fail()
    }

    /// [`hvp`](Self::hvp), with mistakes as errors.
    ///
    /// # Errors
    /// Those of [`try_grad`](Self::try_grad) for the gradient, [`Error::Arity`] if there are not as many vectors as
    /// parameters, and [`Error::BroadcastTo`] if a vector does not stretch to its parameter's shape.
    #[track_caller]
    pub fn try_hvp<L: VarList<'g>, V: VarList<'g>>(self, params: L, vectors: V) -> Result<L::Owned> {
        let (cost, targets) = (self.erase(), params.exprs());
        let vectors = directions("hvp", &targets, &vectors.exprs())?;
        let derivatives = derive_from(cost, None, &targets)?;
        let settled = targets.iter().zip(derivatives).map(|(&target, derivative)| {
            Ok(found(cost, target, derivative)?.map_or(Derivative::Zero, Derivative::Of))
        });
        let gradient = settled.collect::<Result<Vec<_>>>()?;
        let product = inner_product(cost, gradient, &vectors);
        let second = match product {
            Some(product) => derive_from(product, None, &targets)?,
            None => Vec::new(),
        };
        let mut second = second.into_iter();
        let each = targets.iter().map(|&target| match second.next() {
            Some(Derivative::Of(e)) => e,
            _ => zeros_like(target),
        });
        Ok(params.rebuild(&mut each.collect::<Vec<_>>().into_iter()))
    }
}

/// `Σ (gᵢ · vᵢ).sum()` over the derivatives that there are.
fn inner_product<'g>(
    result: Expr<'g>,
    derivatives: Vec<Derivative<'g>>,
    vectors: &[Expr<'g>],
) -> Option<Expr<'g>> {
    let (graph, dtype) = (result.graph(), result.dtype());
    graph.with_origin(result.origin(), || {
        let terms = derivatives.into_iter().zip(vectors).filter_map(|(derivative, &v)| match derivative {
            // With the shape of `g` by construction, so that `v` itself is the cotangent of `g`.
            Derivative::Of(g) => Some(g * if g.ndim() == 0 { v } else { v.sum_like(g) }),
            _ => None,
        });
        let sums = terms.map(|term| {
            let sum = if term.ndim() == 0 { term } else { term.sum() };
            if sum.dtype() == dtype { sum } else { sum.cast_to(dtype) }
        });
        sums.reduce(|a, b| a + b)
    })
}

/// A vector for each target, in its shape, and held constant.
#[track_caller]
fn directions<'g>(op: &'static str, targets: &[Expr<'g>], vectors: &[Expr<'g>]) -> Result<Vec<Expr<'g>>> {
    if targets.len() != vectors.len() {
        return Err(Error::Arity { op, expected: targets.len(), found: vectors.len() });
    }
    let depends = |v: Expr<'g>| {
        let nodes = reach(&v.graph().arena(), [v.id()], |_, _| true);
        targets.iter().any(|x| nodes.contains(&x.id()))
    };
    let constant = |v: Expr<'g>| if depends(v) { v.stop_gradient() } else { v };
    targets.iter().zip(vectors).map(|(&x, &v)| Ok(constant(stretched(op, v, x)?))).collect()
}

/// `e` in the shape of `like`.
#[track_caller]
fn stretched<'g>(op: &'static str, e: Expr<'g>, like: Expr<'g>) -> Result<Expr<'g>> {
    let graph = like.graph();
    if !std::ptr::eq(e.graph(), graph) {
        return Err(Error::OtherGraph { op });
    }
    let known = e.known_dtype().is_some() && like.known_dtype().is_some();
    if !known {
        return Err(Error::Freed { op });
    }
    if e.shape() == like.shape() {
        return Ok(e);
    }
    if !crate::shape::stretches(&e.shape(), &like.shape()) {
        let operand = Box::new(graph.arena().describe(e.id()));
        return Err(Error::BroadcastTo { op, target: like.shape().to_string(), operand });
    }
    Ok(e.broadcast_like(like))
}
