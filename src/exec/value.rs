//! The value of any node at any time, as in a notebook.

use ndarray::ArrayD;

use super::program::Program;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::graph::{Content, Var};

impl<'g, T: Element> Var<'g, T> {
    /// The value, computed now from the values of the leaves. It is computed anew at each call, by a program that the
    /// graph keeps for the next one; to compute many times without looking for it, [`compile`](crate::Graph::compile).
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0, 3.0]);
    /// assert_eq!((x * x).value()?, array![1.0, 4.0, 9.0].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// If an input that it depends on has no value, or has sizes for which an operation is not defined; if the node
    /// or a leaf is freed.
    pub fn value(self) -> Result<ArrayD<T>> {
        self.graph().at_rest()?;
        if let Some(cell) = self.graph().leaves().cell(self.id())
            && let Content::Value(value) = &*cell.borrow()
            && let Some(array) = T::array(value)
        {
            return Ok(array.to_owned());
        }
        let mut program: Program<'g, Self> = self.graph().compile_still(self, &[])?;
        Ok(program.run()?.to_owned())
    }

    /// The value of a node with a single element, as a number.
    ///
    /// # Errors
    /// As [`value`](Self::value), and if there is not exactly one element.
    pub fn item(self) -> Result<T> {
        let value = self.value()?;
        match value.iter().next() {
            Some(&only) if value.len() == 1 => Ok(only),
            _ => Err(Error::Rank {
                op: "item",
                expected: "a single element",
                operand: Box::new(self.graph().arena().describe(self.id())),
            }),
        }
    }
}
