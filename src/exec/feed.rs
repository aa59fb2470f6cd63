//! Feeds: values for one run, borrowed and read where they lie.

use std::fmt;

use ndarray::{ArrayBase, Data, Dimension};

use crate::element::{DType, Element, Value};
use crate::graph::{Graph, NodeId, Var};
use crate::kernels::LeafMemory;

/// A value for an input, or a parameter, for the time of one run.
#[derive(Clone, Copy)]
pub struct Feed<'a> {
    pub(super) target: Target<'a>,
    pub(super) array: &'a dyn Array,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    Node { graph: *const Graph, id: NodeId },
    Name(&'a str),
}

/// An array of any element type and rank, where it lies.
pub(super) trait Array {
    fn dtype(&self) -> DType;
    fn shape(&self) -> &[usize];
    fn strides(&self) -> &[isize];
    /// Its elements in the order in which they lie, if they lie without gaps.
    fn memory(&self) -> Option<LeafMemory<'_>>;
    /// A copy without gaps.
    fn packed(&self) -> Value;
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> Array for ArrayBase<S, D> {
    fn dtype(&self) -> DType {
        T::DTYPE
    }
    fn shape(&self) -> &[usize] {
        self.shape()
    }
    fn strides(&self) -> &[isize] {
        self.strides()
    }
    fn memory(&self) -> Option<LeafMemory<'_>> {
        match self.first() {
            Some(only) if self.ndim() == 0 => Some(LeafMemory::read(std::slice::from_ref(only))),
            _ => self.as_slice_memory_order().map(LeafMemory::read),
        }
    }
    fn packed(&self) -> Value {
        T::value(self.as_standard_layout().into_owned().into_dyn().into_shared())
    }
}

impl<T: Element> Var<'_, T> {
    /// `array` as this input's value for one run. It is borrowed, and read where it lies if its elements lie without gaps, in
    /// whatever order; else it is packed once per run.
    #[inline]
    pub fn feed<'a, S: Data<Elem = T>, D: Dimension>(self, array: &'a ArrayBase<S, D>) -> Feed<'a> {
        Feed { target: Target::Node { graph: self.graph(), id: self.id() }, array }
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
    Feed { target: Target::Name(name), array }
}

impl fmt::Debug for Feed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target: &dyn fmt::Debug = match &self.target {
            Target::Node { id, .. } => id,
            Target::Name(name) => name,
        };
        f.debug_struct("Feed").field("target", target).field("shape", &self.array.shape()).finish()
    }
}
