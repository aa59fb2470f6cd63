//! Updates: what a program does to its parameters after a run.

use crate::element::Element;
use crate::graph::{Expr, Var};

/// The new value of a parameter, as an expression of old ones.
#[derive(Clone, Copy, Debug)]
pub struct Update<'g> {
    pub(crate) parameter: Expr<'g>,
    pub(crate) value: Expr<'g>,
}

/// The updates of a program. They are applied together, after everything has been computed from the old values.
#[derive(Clone, Debug, Default)]
pub struct Updates<'g>(pub(crate) Vec<Update<'g>>);

impl<'g, T: Element> Var<'g, T> {
    /// The update that makes `value` the new value of this parameter whenever a program with it runs.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let n = g.param("n", 1.0);
    /// let mut double = g.compile((), [n.assign(n * 2.0)])?;
    /// for _ in 0..10 {
    ///     double.run()?;
    /// }
    /// assert_eq!(n.item()?, 1024.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn assign(self, value: Self) -> Update<'g> {
        Update { parameter: self.erase(), value: value.erase() }
    }
}

impl<'g> Updates<'g> {
    /// These updates and those.
    #[must_use]
    pub fn and(mut self, others: impl Into<Self>) -> Self {
        self.0.extend(others.into().0);
        self
    }
}

impl From<()> for Updates<'_> {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl<'g> From<Update<'g>> for Updates<'g> {
    fn from(update: Update<'g>) -> Self {
        Self(vec![update])
    }
}

impl<'g, const N: usize> From<[Update<'g>; N]> for Updates<'g> {
    fn from(updates: [Update<'g>; N]) -> Self {
        Self(updates.into())
    }
}

impl<'g> From<Vec<Update<'g>>> for Updates<'g> {
    fn from(updates: Vec<Update<'g>>) -> Self {
        Self(updates)
    }
}
