//! Gradient descent.

use super::state::zeros_like;
use crate::element::{DType, Real};
use crate::error::Origin;
use crate::exec::{Update, Updates};
use crate::graph::{Var, VarList};

/// Gradient descent: `w ← w - α ∂cost/∂w`.
///
/// ```
/// use gradus::optim::Sgd;
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let w = g.param("w", 5.0);
/// let cost = (w - 2.0).square();
/// let mut step = g.compile((), Sgd::new(0.25).minimize(cost, w))?;
/// for _ in 0..60 {
///     step.run()?;
/// }
/// assert!((w.item()? - 2.0).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
}

impl Sgd {
    /// Gradient descent with learning rate `α`.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, momentum: 0.0 }
    }

    /// With momentum `μ`: `u ← μ u + ∂cost/∂w`, `w ← w - α u`, as PyTorch has it. The velocity `u` starts at zero; that of a
    /// parameter `w` is the parameter `w.sgd.velocity`.
    ///
    /// A velocity below 1e-30 (1e-200 for f64) becomes 0, so that it does not decay into subnormal numbers, on which
    /// processors are slow. All that is left out of a weight that way is less than `α 1e-30 / (1 - μ)` for each step.
    ///
    /// ```
    /// use gradus::optim::Sgd;
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let w = g.param("w", 1.0);
    /// let mut step = g.compile((), Sgd::new(0.5).momentum(0.5).minimize(3.0 * w, w))?;
    /// step.run()?;
    /// assert_eq!(w.item()?, 1.0 - 0.5 * 3.0);
    /// step.run()?;
    /// assert_eq!(w.item()?, -0.5 - 0.5 * (0.5 * 3.0 + 3.0));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// The updates that take one step down the gradient of `cost` in each of `parameters`.
    ///
    /// # Panics
    /// As [`grad`](Var::grad).
    #[track_caller]
    pub fn minimize<'g, T: Real, L: VarList<'g>>(self, cost: Var<'g, T>, parameters: L) -> Updates<'g> {
        let gradients = cost.grad(parameters.rebuild(&mut parameters.exprs().into_iter()));
        let gradients = gradients.exprs();
        let mut updates = Vec::with_capacity(gradients.len());
        let origin = Origin::caller();
        for (parameter, gradient) in parameters.exprs().into_iter().zip(gradients) {
            if self.momentum == 0.0 {
                let value = cost.graph().with_origin(origin, || parameter - gradient * self.learning_rate);
                updates.push(Update { parameter, value });
                continue;
            }
            let velocity = zeros_like(parameter, "sgd.velocity", origin);
            let least = if parameter.dtype() == DType::F32 { 1e-30 } else { 1e-200 };
            cost.graph().with_origin(origin, || {
                let moved = (velocity * self.momentum + gradient).hard_shrink(least);
                updates.push(Update { parameter: velocity, value: moved });
                updates.push(Update { parameter, value: parameter - moved * self.learning_rate });
            });
        }
        updates.into()
    }
}
