//! What may stand beside a handle in a formula: numbers and ndarray arrays, which become constants.

use ndarray::{Array1, ArrayBase, Data, Dimension};

use crate::element::{DType, Dtype, Element, Literal, Real};
use crate::graph::{Graph, Var};

/// What can be an operand where another is a `Var<'g, T>`: a handle, a number or an array.
pub trait IntoVar<'g, T: Dtype> {
    /// The element type, unless that is for the other operands to say.
    #[doc(hidden)]
    fn known_dtype(&self) -> Option<DType>;
    /// The operand as a node; a number is rounded once to `dtype`.
    #[doc(hidden)]
    fn into_var(self, graph: &'g Graph, dtype: DType) -> Var<'g, T>;
}

impl<'g, T: Dtype> IntoVar<'g, T> for Var<'g, T> {
    fn known_dtype(&self) -> Option<DType> {
        (*self).known_dtype()
    }
    fn into_var(self, _graph: &'g Graph, _dtype: DType) -> Self {
        self
    }
}

impl<'g, T: Real> IntoVar<'g, T> for f64 {
    fn known_dtype(&self) -> Option<DType> {
        None
    }
    #[track_caller]
    fn into_var(self, graph: &'g Graph, dtype: DType) -> Var<'g, T> {
        graph.literal(Literal::rounded(self, dtype)).retype()
    }
}

macro_rules! scalar_into_var {
    ($($t:ty)*) => {
        $(impl<'g> IntoVar<'g, $t> for $t {
            fn known_dtype(&self) -> Option<DType> {
                Some(<$t>::DTYPE)
            }
            #[track_caller]
            fn into_var(self, graph: &'g Graph, _dtype: DType) -> Var<'g, $t> {
                graph.literal(self.literal()).retype()
            }
        })*
    };
}
scalar_into_var!(f32 i64 bool);

macro_rules! array_into_var {
    ($($array:ty)*) => {
        $(impl<'g, T: Element, S: Data<Elem = T>, D: Dimension> IntoVar<'g, T> for $array {
            fn known_dtype(&self) -> Option<DType> {
                Some(T::DTYPE)
            }
            #[track_caller]
            fn into_var(self, graph: &'g Graph, _dtype: DType) -> Var<'g, T> {
                graph.constant(self)
            }
        })*
    };
}
array_into_var!(ArrayBase<S, D> &ArrayBase<S, D>);

macro_rules! indices_into_var {
    ($(($($generics:tt)*) $list:ty)*) => {
        $(impl<'g, $($generics)*> IntoVar<'g, i64> for $list {
            fn known_dtype(&self) -> Option<DType> {
                Some(DType::I64)
            }
            #[track_caller]
            fn into_var(self, graph: &'g Graph, _dtype: DType) -> Var<'g, i64> {
                graph.constant(Array1::from_iter(self.iter().copied()))
            }
        })*
    };
}
indices_into_var!(() Vec<i64> () &[i64] (const N: usize) [i64; N]);
