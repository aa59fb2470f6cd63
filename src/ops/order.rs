//! What says when something is computed, and changes no value.

use super::{Cotangent, Fault, Op, Operation, Record, Site};
use crate::element::Dtype;
use crate::graph::{Expr, Signature, Var};

/// A value as it is, and when it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// [`Var::checkpoint`]
    Checkpoint,
    /// The first operand, to be read once the second has been computed: what is recomputed for the backward pass
    /// reads its operands through it. So it is another node than the original, which no rule can join with it, and
    /// it does not run before the backward pass has come to it.
    After,
}

impl Order {
    const fn find(self) -> Record {
        match self {
            Self::Checkpoint => Record::method("checkpoint", "#1", "1"),
            Self::After => Record::method("after", "#1", "1"),
        }
    }
}

impl Operation for Order {
    fn record(&self) -> Record {
        self.find()
    }

    fn arity(&self) -> usize {
        match self {
            Self::Checkpoint => 1,
            Self::After => 2,
        }
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Order(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        Ok(operands[0].clone())
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        if k == 0 { at.cotangent.into() } else { Cotangent::Zero }
    }

    fn reads(&self, k: usize) -> bool {
        k == 0
    }

    fn shape_giver(&self) -> Option<usize> {
        Some(0)
    }
}

impl<'g, T: Dtype> Var<'g, T> {
    /// This value, marked: of what lies between it and the marks before it, nothing is kept for the backward pass.
    /// Where a gradient needs a value from there, it is computed a second time, from the marked values and the
    /// leaves on which it rests.
    ///
    /// Training keeps every intermediate value that a derivative rule reads, from the forward pass to the backward
    /// pass: memory in proportion to the depth `n` of a model. With a mark after every `√n` layers, `√n` marked
    /// values are kept, and `√n` more while one segment runs backwards; the price is one more forward pass at most.
    /// What a segment needs and should be kept all the same is marked too. Values, gradients and gradients of
    /// gradients are those without the mark; only, no rewriting rule looks through one, so put it where a layer ends
    /// and not inside a formula that belongs together, as `ln` and `sigmoid` of a cost do.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let (x, w) = (g.input("x", array![0.5, -0.5]), g.param("w", array![[0.3, 0.1], [-0.2, 0.7]]));
    /// let layers = |marked: bool| {
    ///     (0..9).fold(x, |h, layer| {
    ///         let h = w.dot(h).tanh();
    ///         if marked && layer % 3 == 2 { h.checkpoint() } else { h }
    ///     })
    /// };
    /// let (plain, marked) = (layers(false).sum(), layers(true).sum());
    /// assert_eq!(plain.grad(w).value()?, marked.grad(w).value()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn checkpoint(self) -> Self {
        self.graph().emit(Op::Order(Order::Checkpoint), [self.erase()]).retype()
    }
}

impl<'g> Expr<'g> {
    /// This value, not before `other` has been computed.
    #[track_caller]
    pub(crate) fn after(self, other: Self) -> Self {
        self.graph().emit(Op::Order(Order::After), [self, other])
    }
}
