//! The cross product.

use crate::element::Number;
use crate::error::{Error, Result};
use crate::graph::{Expr, Var};
use crate::ops::arrange::{axis_of, cannot, describe, stack};
use crate::ops::constant::IntoVar;
use crate::shape::{Axes, broadcast};

const OP: &str = "cross";

/// The two or three components of vectors along an axis, and where it stands counted from the last.
fn components<'g>(x: Expr<'g>, axis: &Axes) -> Result<Vec<Expr<'g>>> {
    let axis = axis_of(OP, x, axis)?;
    let size = x.shape()[axis];
    if !(2..=3).contains(&size) {
        let what = format!("multiply vectors of {size} components, along axis {axis} of {}", x.shape());
        return cannot(OP, what, &[x]);
    }
    Ok(x.split(axis, size).into_iter().map(|component| component.squeeze(axis)).collect())
}

fn cross<'g>(x: Expr<'g>, y: Expr<'g>, axis: &Axes) -> Result<Expr<'g>> {
    if !std::ptr::eq(x.graph(), y.graph()) {
        return Err(Error::OtherGraph { op: OP });
    }
    let (a, b) = (components(x, axis)?, components(y, axis)?);
    if let Err(clash) = broadcast(&a[0].shape(), &b[0].shape()) {
        return Err(Error::Broadcast { op: OP, operands: Box::new([describe(a[0]), describe(b[0])]), clash });
    }
    Ok(match (&a[..], &b[..]) {
        (&[a0, a1], &[b0, b1]) => a0 * b1 - a1 * b0,
        // The third component of two is 0.
        (&[a0, a1], &[b0, b1, b2]) => stack(&[a1 * b2, -(a0 * b2), a0 * b1 - a1 * b0], place(&a, &b, axis)?),
        (&[a0, a1, a2], &[b0, b1]) => stack(&[-(a2 * b1), a2 * b0, a0 * b1 - a1 * b0], place(&a, &b, axis)?),
        (&[a0, a1, a2], &[b0, b1, b2]) => {
            let all = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0];
            stack(&all, place(&a, &b, axis)?)
        }
        _ => return cannot(OP, "multiply vectors of no components".to_owned(), &[x, y]),
    })
}

/// The axis among those of the result.
fn place(a: &[Expr<'_>], b: &[Expr<'_>], axis: &Axes) -> Result<usize> {
    let longer = if a[0].ndim() >= b[0].ndim() { a[0] } else { b[0] };
    axis_of(OP, longer.expand_dims(-1), axis)
}

impl<'g, T: Number> Var<'g, T> {
    /// The cross product of vectors of three or two components along an axis; the other axes broadcast, after the axis has been taken
    /// out of both. The third component of two is 0; of two vectors of two, the result is the third component of the product, without
    /// the axis: NumPy's `cross`.
    ///
    /// Derivatives: `b × g` and `g × a`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let a = g.input("a", array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    /// assert_eq!(a.cross(array![0.0, 1.0, 0.0], -1).value()?, array![[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]].into_dyn());
    /// assert_eq!(g.constant(array![1.0, 2.0]).cross(array![3.0, 4.0], 0).item()?, -2.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are other numbers of components: "`cross` cannot multiply vectors of 4 components, along axis 1 of (2, 4)";
    /// if the other axes do not broadcast.
    #[track_caller]
    #[must_use]
    pub fn cross(self, other: impl IntoVar<'g, T>, axis: impl Into<Axes>) -> Self {
        let other = other.into_var(self.graph(), self.dtype_beside()).erase();
        let axis = axis.into();
        self.graph().compose(|| cross(self.erase(), other, &axis)).retype()
    }
}
