//! Adam.

use super::state::{zeros, zeros_like};
use crate::element::{DType, Real};
use crate::error::Origin;
use crate::exec::{Update, Updates};
use crate::graph::{Expr, Signature, Var, VarList};
use crate::shape::Shape;

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1). With the gradient `g` of a
/// parameter `w`, in step `t = 1, 2, …`
///
/// ```text
/// m ← β₁ m + (1 - β₁) g                 v ← β₂ v + (1 - β₂) g²
/// w ← w - α (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
/// ```
///
/// with `α` given, `β₁ = 0.9`, `β₂ = 0.999` and `ε = 1e-8` unless they are set. `m` and `v` start at zero and are the parameters
/// `w.adam.m` and `w.adam.v`; the steps taken, an f64, are `adam.t`. A name that is taken gets a number.
///
/// What does not depend on the element is computed once in each step, in f64: with `c = 1 - β₁ᵗ` and `d = 1 - β₂ᵗ` the step is
/// `w - (α √d / c) m / (√v + ε √d)`.
///
/// # Small moments
///
/// The moments of a weight whose gradient has become zero decay, `m` by a tenth in each step, until they are subnormal
/// numbers, on which processors are many times slower. So a moment that falls to `λ` or below becomes 0
/// ([`hard_shrink`](Var::hard_shrink)): `λ = 1e-20 ε` for `m` and `1e-20 ε²` for `v` in f32, `1e-30 ε` and `1e-40 ε²` in f64. That
/// does not change what is trained:
///
/// - What is taken from `m` in one step is at most `λ` and decays as `m` does, so at any time less than `λ / (1 - β₁)` is missing
///   from `m / (1 - β₁ᵗ)`. It is divided by `ε` at least, so an update lacks less than `1e-20 α / (1 - β₁)`, `1e-19 α` for the
///   usual `β₁`: nothing, beside any weight that is not itself that small.
/// - Likewise less than `λ / (1 - β₂)` is missing from `v / (1 - β₂ᵗ)`, and less than `√(λ / (1 - β₂)) = 3e-9 ε` (3e-19 ε in f64)
///   from its root: beside `ε`, to which the root is added, that is less than half a unit in the last place.
///
/// With `ε = 0` there is no such bound, and nothing is taken away.
///
/// ```
/// use gradus::optim::Adam;
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let w = g.param("w", 5.0);
/// let cost = (w - 2.0).square();
/// let mut step = g.compile((), Adam::new(0.1).minimize(cost, w))?;
/// step.run()?;
/// assert!((w.item()? - 4.9).abs() < 1e-9); // the first step is α, whatever the gradient
/// for _ in 0..1000 {
///     step.run()?;
/// }
/// assert!((w.item()? - 2.0).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    learning_rate: f64,
    betas: [f64; 2],
    epsilon: f64,
}

/// What is the same for every element of a step.
struct Scalars<'g> {
    /// `α √d / c`.
    rate: Expr<'g>,
    /// `ε √d`.
    epsilon: Expr<'g>,
}

impl Adam {
    /// Adam with learning rate `α`.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, betas: [0.9, 0.999], epsilon: 1e-8 }
    }

    /// How much of the moments is kept in each step, at least 0 and below 1.
    #[must_use]
    pub fn betas(self, first: f64, second: f64) -> Self {
        Self { betas: [first, second], ..self }
    }

    /// What is added to the root of the second moment.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// The updates of one step for `cost` in each of `parameters`, and of the state. Each call makes a state of its own, which
    /// starts at zero.
    ///
    /// # Panics
    /// As [`grad`](Var::grad).
    #[track_caller]
    pub fn minimize<'g, T: Real, L: VarList<'g>>(self, cost: Var<'g, T>, parameters: L) -> Updates<'g> {
        let gradients = cost.grad(parameters.rebuild(&mut parameters.exprs().into_iter())).exprs();
        let origin = Origin::caller();
        let graph = cost.graph();
        let scalar = Signature { dtype: DType::F64, shape: Shape::scalar() };
        let count = zeros(cost.erase(), "adam.t", scalar, origin);
        let t = graph.with_origin(origin, || count + 1.0);
        let mut updates = vec![Update { parameter: count, value: t }];
        for (parameter, gradient) in parameters.exprs().into_iter().zip(gradients) {
            let (m, v) = (zeros_like(parameter, "adam.m", origin), zeros_like(parameter, "adam.v", origin));
            graph.with_origin(origin, || {
                let scalars = self.scalars(t, parameter.dtype());
                updates.extend(self.step(parameter, gradient, m, v, &scalars));
            });
        }
        updates.into()
    }

    /// `β^t` as `e^(t ln β)`, so that `1 - βᵗ` does not cancel.
    fn scalars<'g>(self, t: Expr<'g>, dtype: DType) -> Scalars<'g> {
        let rest =
            |beta: f64| if beta > 0.0 { -(t * beta.ln()).exp_m1() } else { t.graph().constant(1.0).erase() };
        let [c, d] = self.betas.map(rest);
        let root = d.sqrt();
        Scalars {
            rate: (root / c * self.learning_rate).cast_to(dtype),
            epsilon: (root * self.epsilon).cast_to(dtype),
        }
    }

    fn step<'g>(
        self,
        w: Expr<'g>,
        gradient: Expr<'g>,
        m: Expr<'g>,
        v: Expr<'g>,
        scalars: &Scalars<'g>,
    ) -> [Update<'g>; 3] {
        let [first, second] = self.betas;
        let [least_m, least_v] = match w.dtype() {
            DType::F32 => [1e-20 * self.epsilon, 1e-20 * self.epsilon.powi(2)],
            _ => [1e-30 * self.epsilon, 1e-40 * self.epsilon.powi(2)],
        };
        let shrunk =
            |moment: Expr<'g>, least: f64| if least > 0.0 { moment.hard_shrink(least) } else { moment };
        let new_m = shrunk(m * first + gradient * (1.0 - first), least_m);
        let new_v = shrunk(v * second + gradient.square() * (1.0 - second), least_v);
        let new_w = w - scalars.rate * new_m / (new_v.sqrt() + scalars.epsilon);
        [(w, new_w), (m, new_m), (v, new_v)].map(|(parameter, value)| Update { parameter, value })
    }
}
