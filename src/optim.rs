//! Optimisers: recipes for the updates of a program.

use crate::element::Real;
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
}

impl Sgd {
    /// Gradient descent with learning rate `α`.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate }
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
        cost.graph().with_origin(Origin::caller(), || {
            for (parameter, gradient) in parameters.exprs().into_iter().zip(gradients) {
                let value = parameter - gradient * self.learning_rate;
                updates.push(Update { parameter, value });
            }
        });
        updates.into()
    }
}
