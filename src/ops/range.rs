//! Counting.

use super::{Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, reduce::axes_fault};
use crate::element::{DType, Dtype};
use crate::graph::{Signature, Var};
use crate::shape::{Axes, Shape};

/// `0, 1, …` as many as the operand has along an axis; see [`Var::range_of`]. Reads the shape alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The axis, one.
    pub axis: Axes,
}

impl Operation for Range {
    fn record(&self) -> Record {
        Record {
            name: "range_of",
            notation: Notation::Method,
            latex: r"\left(0, 1, \dots\right)",
            derivative: "0",
            domain: Domain::NONE,
        }
    }

    fn attributes(&self) -> Option<String> {
        Some(self.axis.to_string())
    }

    fn arity(&self) -> usize {
        1
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let rank = operands[0].shape.ndim();
        let axis = self.axis.resolve(rank).map_err(|fault| axes_fault("range_of", 0, fault))?;
        Ok(Op::Range(Self { axis }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let count = self.axis.iter().map(|axis| operands[0].shape[axis]).product();
        Ok(Signature { dtype: DType::I64, shape: Shape::from([count]) })
    }

    fn vjp<'g>(&self, _k: usize, _at: &Site<'_, 'g>) -> Cotangent<'g> {
        Cotangent::Zero
    }

    fn reads(&self, _k: usize) -> bool {
        false
    }
}

impl<'g, T: Dtype> Var<'g, T> {
    /// The integers from 0 up, as many as there are elements along `axis` (along several axes, as many as their
    /// sizes' product): it follows the batch that is fed. With it masks of a form are written, such as an identity
    /// matrix or a triangle.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let (i, j) = (x.range_of(0), x.range_of(1));
    /// let triangle = i.expand_dims(1).ge(j).select(x, 0.0);
    /// assert_eq!(j.value()?, array![0_i64, 1, 2].into_dyn());
    /// assert_eq!(triangle.value()?, array![[1.0, 0.0, 0.0], [4.0, 5.0, 0.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn range_of(self, axis: impl Into<Axes>) -> Var<'g, T::Index> {
        self.graph().emit(Op::Range(Range { axis: axis.into() }), [self.erase()]).retype()
    }
}
