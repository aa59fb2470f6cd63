//! Typed memory: one buffer per element type, and slices of leaves.

use crate::element::{DType, Element, Literal, View};
use crate::shape::{Shape, Strides};

/// One buffer for each element type.
#[derive(Default)]
pub(super) struct Buffers {
    f32: Vec<f32>,
    f64: Vec<f64>,
    i64: Vec<i64>,
    bool: Vec<bool>,
}

/// The elements of a leaf in the order in which they lie in memory.
#[derive(Clone, Copy)]
pub(super) enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I64(&'a [i64]),
    Bool(&'a [bool]),
}

/// An element type that buffers hold.
pub(super) trait Stored: Element {
    fn buffer(buffers: &Buffers) -> &Vec<Self>;
    fn buffer_mut(buffers: &mut Buffers) -> &mut Vec<Self>;
    fn slice<'a>(slice: Slice<'a>) -> &'a [Self];
}

macro_rules! stored {
    ($($t:ident $variant:ident)*) => {
        $(impl Stored for $t {
            fn buffer(buffers: &Buffers) -> &Vec<Self> {
                &buffers.$t
            }
            fn buffer_mut(buffers: &mut Buffers) -> &mut Vec<Self> {
                &mut buffers.$t
            }
            fn slice<'a>(slice: Slice<'a>) -> &'a [Self] {
                match slice {
                    Slice::$variant(slice) => slice,
                    _ => &[],
                }
            }
        })*
    };
}
stored!(f32 F32 f64 F64 i64 I64 bool Bool);

impl Buffers {
    /// Buffers of these sizes, by element type.
    pub fn new(size: impl Fn(DType) -> usize) -> Self {
        Self {
            f32: vec![0.0; size(DType::F32)],
            f64: vec![0.0; size(DType::F64)],
            i64: vec![0; size(DType::I64)],
            bool: vec![false; size(DType::Bool)],
        }
    }

    /// What all of them take.
    pub fn bytes(&self) -> usize {
        self.f32.len() * 4 + self.f64.len() * 8 + self.i64.len() * 8 + self.bool.len()
    }

    pub fn set(&mut self, offset: usize, literal: Literal) {
        match literal {
            Literal::F32(bits) => self.f32[offset] = f32::from_bits(bits),
            Literal::F64(bits) => self.f64[offset] = f64::from_bits(bits),
            Literal::I64(value) => self.i64[offset] = value,
            Literal::Bool(value) => self.bool[offset] = value,
        }
    }

    /// The elements from `offset` on, in C order of `shape`.
    pub fn view(&self, dtype: DType, offset: usize, shape: &Shape) -> View<'_> {
        fn view<'a, T: Stored>(buffers: &'a Buffers, offset: usize, shape: &Shape) -> View<'a> {
            let data = &T::buffer(buffers)[offset..offset + shape.size()];
            let view = ndarray::ArrayViewD::from_shape(&shape[..], data);
            T::view(view.expect("a slice of the shape's size has the shape"))
        }
        match dtype {
            DType::F32 => view::<f32>(self, offset, shape),
            DType::F64 => view::<f64>(self, offset, shape),
            DType::I64 => view::<i64>(self, offset, shape),
            DType::Bool => view::<bool>(self, offset, shape),
        }
    }
}

/// How a leaf's elements lie: the first element's place in the slice, and the strides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lie {
    pub shape: Shape,
    pub offset: usize,
    pub strides: Strides,
}

impl Lie {
    /// In C order.
    pub fn packed(shape: Shape) -> Self {
        Self { offset: 0, strides: shape.c_strides(), shape }
    }

    /// With these strides, of which negative ones count backwards.
    pub fn strided(shape: Shape, strides: &[isize]) -> Self {
        // The stride of an axis with a single element is never used, and may be anything.
        let mut lie = Self { offset: 0, strides: strides.into(), shape };
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
        lie
    }
}
