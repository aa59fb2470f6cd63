//! Feeds: values for one run, borrowed and read where they lie.

use ndarray::{ArrayBase, Data, Dimension};

use crate::element::{Element, View};
use crate::graph::{Graph, NodeId, Var};

/// A value for an input, or a parameter, for the time of one run.
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    pub(super) target: Target<'a>,
    pub(super) view: View<'a>,
}

#[derive(Clone, Debug)]
pub(super) enum Target<'a> {
    Node { graph: *const Graph, id: NodeId },
    Name(&'a str),
}

impl<T: Element> Var<'_, T> {
    /// `array` as this input's value for one run. It is borrowed, and read where it lies if its elements lie without gaps, in
    /// whatever order; else it is packed once per run.
    pub fn feed<'a, S: Data<Elem = T>, D: Dimension>(self, array: &'a ArrayBase<S, D>) -> Feed<'a> {
        let target = Target::Node { graph: self.graph(), id: self.id() };
        Feed { target, view: T::view(array.view().into_dyn()) }
    }
}

/// `array` as the value, for one run, of the input with this name.
///
/// ```
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let x = g.placeholder::<f64>("x", [2]);
/// let mut double = g.compile(2.0 * x, ())?;
/// assert_eq!(double.run_with(&[gradus::feed("x", &array![1.0, 2.0])])?, array![2.0, 4.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn feed<'a, T: Element, S: Data<Elem = T>, D: Dimension>(
    name: &'a str,
    array: &'a ArrayBase<S, D>,
) -> Feed<'a> {
    Feed { target: Target::Name(name), view: T::view(array.view().into_dyn()) }
}
