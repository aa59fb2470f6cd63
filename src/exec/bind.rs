//! The leaves of a run: where the elements of each are, and how they lie.

use std::cell::{Ref, RefMut};

use smallvec::SmallVec;

use super::feed::{Array, Feed, Target};
use super::leaf::Lie;
use super::program::BoundLeaf;
use crate::element::{Element, Value, each_dtype};
use crate::graph::{Content, Graph};
use crate::kernels::{Extent, LeafMemory};
use crate::shape::Shape;

/// What a run takes for a leaf.
#[derive(Clone, Copy)]
pub(super) enum Given<'f> {
    /// An array from outside.
    Fed(&'f dyn Array),
    /// The value that the leaf holds.
    Stored,
}

impl Given<'_> {
    /// How the leaf lies; `recorded` is its shape where it has no value, and none is needed.
    pub fn lie(&self, leaf: &BoundLeaf, recorded: &Shape) -> Lie {
        let content = leaf.cell.borrow();
        let array: &dyn Array = match (self, &*content) {
            (Self::Fed(array), _) => *array,
            (Self::Stored, Content::Value(value)) => as_array(value),
            _ => return Lie::packed(recorded.clone()),
        };
        let owned = leaf.updated && matches!(self, Self::Stored) && array.memory().is_some();
        let lie = match array.memory() {
            Some(_) => Lie::strided(array.shape().into(), array.strides()),
            // What lies with gaps is packed for the run.
            None => Lie::packed(array.shape().into()),
        };
        Lie { owned, ..lie }
    }

    /// A copy of the leaf's elements in C order, if it has any.
    pub fn value(&self, leaf: &BoundLeaf) -> Option<Value> {
        match (self, &*leaf.cell.borrow()) {
            (Self::Fed(array), _) => Some(array.packed()),
            (Self::Stored, Content::Value(value)) => Some(as_array(value).packed()),
            _ => None,
        }
    }

    /// Whether the leaf lies so.
    #[inline]
    pub fn lies(&self, leaf: &BoundLeaf, lie: &Lie) -> bool {
        let content;
        let array: &dyn Array = match self {
            Self::Fed(array) => *array,
            Self::Stored => {
                content = leaf.cell.borrow();
                match &*content {
                    Content::Value(value) => as_array(value),
                    // Its shape is that at recording, whenever it has no value.
                    _ => return !lie.owned,
                }
            }
        };
        let (shape, strides) = (array.shape(), array.strides());
        let owned = leaf.updated && matches!(self, Self::Stored);
        if shape.is_empty() && lie.shape.is_empty() {
            return owned == lie.owned;
        }
        let same = *shape == *lie.shape && *strides == *lie.strides;
        // Strides may differ where they mean nothing.
        same && lie.packed && owned == lie.owned || *shape == *lie.shape && self.lie(leaf, &lie.shape) == *lie
    }
}

pub(super) fn as_array(value: &Value) -> &dyn Array {
    each_dtype!(value, Value(array) => array)
}

/// Whether the leaves are numbers and fed in their order: what most calls of a formula of numbers are.
#[inline]
pub(super) fn are_numbers(leaves: &[BoundLeaf], feeds: &[Feed<'_>], graph: *const Graph) -> bool {
    feeds.len() == leaves.len()
        && leaves.iter().zip(feeds).all(|(leaf, feed)| {
            let Target::Node { graph: other, id } = feed.target else { return false };
            id == leaf.id
                && std::ptr::eq(graph, other)
                && leaf.takes == Some((0, feed.array.dtype()))
                && feed.array.shape().is_empty()
                && !matches!(*leaf.cell.borrow(), Content::Freed)
        })
}

/// The elements of an array that lies without gaps; nothing of another.
#[inline]
pub(super) fn memory(array: &dyn Array) -> LeafMemory<'_> {
    array.memory().unwrap_or_else(|| LeafMemory::read::<f64>(&[]))
}

/// A leaf's elements, borrowed for a run.
pub(super) enum Bound<'a> {
    Fed(&'a dyn Array),
    Read(Ref<'a, Content>),
    Write(RefMut<'a, Content>),
    /// A copy of what lies with gaps.
    Packed(Box<Value>),
    /// A leaf of which only the shape matters.
    Nothing,
}

impl Bound<'_> {
    /// The elements in the order in which they lie.
    #[inline]
    pub fn memory(&mut self) -> LeafMemory<'_> {
        let nothing = LeafMemory::read::<f64>(&[]);
        match self {
            Self::Fed(array) => array.memory().unwrap_or(nothing),
            Self::Read(content) => match &**content {
                Content::Value(value) => as_array(value).memory().unwrap_or(nothing),
                _ => nothing,
            },
            Self::Packed(value) => as_array(value).memory().unwrap_or(nothing),
            Self::Write(content) => match &mut **content {
                Content::Value(value) => each_dtype!(value, Value(array) => write(array)),
                _ => nothing,
            },
            Self::Nothing => nothing,
        }
    }
}

fn write<T: Element>(array: &mut ndarray::ArcArray<T, ndarray::IxDyn>) -> LeafMemory<'_> {
    match array.as_slice_memory_order_mut() {
        Some(slice) => LeafMemory::write(slice),
        None => LeafMemory::read::<T>(&[]),
    }
}

/// Borrows every leaf.
#[inline]
pub(super) fn bind<'a>(
    leaves: &'a [BoundLeaf],
    given: &[Given<'a>],
    extent: &Extent,
) -> SmallVec<[Bound<'a>; 32]> {
    let each = leaves.iter().zip(given).zip(&extent.leaves);
    each.map(|((leaf, given), known)| {
        let packed =
            |array: &dyn Array| array.memory().is_none().then(|| Bound::Packed(Box::new(array.packed())));
        match given {
            Given::Fed(array) => packed(*array).unwrap_or(Bound::Fed(*array)),
            Given::Stored if known.written => Bound::Write(leaf.cell.borrow_mut()),
            Given::Stored => {
                let content = leaf.cell.borrow();
                match &*content {
                    Content::Value(value) => packed(as_array(value)).unwrap_or(Bound::Read(content)),
                    _ => Bound::Nothing,
                }
            }
        }
    })
    .collect()
}
