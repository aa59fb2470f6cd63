//! How the elements of a leaf lie.

use crate::shape::{Shape, Strides};

/// The first element's place in the slice, and the strides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lie {
    pub shape: Shape,
    pub offset: usize,
    pub strides: Strides,
    /// Whether a run may overwrite it: the value that a parameter holds, without gaps.
    pub owned: bool,
    /// Whether it is in C order.
    pub packed: bool,
}

impl Lie {
    /// In C order.
    pub fn packed(shape: Shape) -> Self {
        Self { offset: 0, strides: shape.c_strides(), shape, owned: false, packed: true }
    }

    /// With these strides, of which negative ones count backwards.
    pub fn strided(shape: Shape, strides: &[isize]) -> Self {
        // The stride of an axis with a single element is never used, and may be anything.
        let mut lie = Self { offset: 0, strides: strides.into(), shape, owned: false, packed: true };
        let packed = lie.shape.c_strides();
        if lie.shape.size() == 0 {
            lie.strides = packed;
            return lie;
        }
        for (axis, &size) in lie.shape.iter().enumerate() {
            if size == 1 {
                lie.strides[axis] = packed[axis];
            } else if strides[axis] < 0 {
                lie.offset += (size - 1) * strides[axis].unsigned_abs();
            }
        }
        lie.packed = lie.strides == packed;
        lie
    }
}
