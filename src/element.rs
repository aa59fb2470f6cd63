//! Element types: what an array on the tape may hold, and what the compiler may know of it.

use std::fmt;

use ndarray::{ArcArray, ArrayViewD, IxDyn};

/// The element type of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// Indices and classes.
    I64,
    /// Masks.
    Bool,
}

impl DType {
    /// Whether a derivative can be taken with respect to it.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 | Self::I64 => 8,
            Self::Bool => 1,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::I64 => "i64",
            Self::Bool => "bool",
        })
    }
}

mod sealed {
    pub trait Sealed {}
}

/// What the `T` of a `Var<'g, T>` may be: an element type, or [`Erased`].
pub trait Dtype: sealed::Sealed + Copy + fmt::Debug + 'static {
    /// The type of a comparison's result: `bool`, or [`Erased`].
    type Mask: Mask;
    /// The type of an index: `i64`, or [`Erased`].
    type Index: Dtype;
    /// The tag at run time, if the compiler knows it.
    #[doc(hidden)]
    const STATIC: Option<DType>;
}

/// What can be added and multiplied: `f32`, `f64`, `i64`, or [`Erased`].
pub trait Number: Dtype {}

/// What has square roots and logarithms: `f32`, `f64`, or [`Erased`].
pub trait Real: Number {}

/// A mask: `bool`, or [`Erased`].
pub trait Mask: Dtype {}

/// A type of array elements: `f32`, `f64`, `i64` or `bool`.
pub trait Element:
    Dtype<Mask = bool, Index = i64> + fmt::Display + Default + PartialEq + Send + Sync
{
    /// Its tag at run time.
    const DTYPE: DType;

    #[doc(hidden)]
    fn value(array: ArcArray<Self, IxDyn>) -> Value;
    #[doc(hidden)]
    fn array(value: &Value) -> Option<&ArcArray<Self, IxDyn>>;
    #[doc(hidden)]
    fn elements(elements: Elements<'_>) -> Option<&[Self]>;
    #[doc(hidden)]
    fn erase(elements: &[Self]) -> Elements<'_>;
    #[doc(hidden)]
    fn literal(self) -> Literal;
}

/// The floats, `f32` and `f64`: what a model is generic over.
///
/// ```
/// use gradus::prelude::*;
/// fn swish<'g, T: Float>(x: Var<'g, T>) -> Var<'g, T> {
///     x * x.sigmoid()
/// }
/// let g = Graph::new();
/// assert_eq!(swish(g.constant(ndarray::arr0(0.0_f32))).item()?, 0.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Float: Element + Real {
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number as an `f64`.
    fn to_f64(self) -> f64;
}

/// An element type that only the node knows. `Var<'g, Erased>` is [`Expr`](crate::Expr), the handle that derivative
/// rules are written with.
#[derive(Clone, Copy, Debug)]
pub enum Erased {}

impl sealed::Sealed for Erased {}
impl Dtype for Erased {
    type Mask = Self;
    type Index = Self;
    const STATIC: Option<DType> = None;
}
impl Number for Erased {}
impl Real for Erased {}
impl Mask for Erased {}

/// An owned array of any element type.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub enum Value {
    F32(ArcArray<f32, IxDyn>),
    F64(ArcArray<f64, IxDyn>),
    I64(ArcArray<i64, IxDyn>),
    Bool(ArcArray<bool, IxDyn>),
}

/// Elements in C order, and the shape of the array that they are.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Packed<'a> {
    pub(crate) elements: Elements<'a>,
    pub(crate) shape: &'a [usize],
}

/// Elements of any type.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum Elements<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I64(&'a [i64]),
    Bool(&'a [bool]),
}

impl<'a> Packed<'a> {
    /// The array, of the type that the elements have.
    #[inline]
    pub(crate) fn view<T: Element>(self) -> ArrayViewD<'a, T> {
        let elements = T::elements(self.elements).expect("a result is read as what it is");
        match (self.shape, elements) {
            ([], [number]) => ndarray::aview0(number).into_dyn(),
            (shape, elements) => {
                ArrayViewD::from_shape(shape, elements).expect("a slice of the shape's size has the shape")
            }
        }
    }
}

/// `with_float!(dtype, T => expression, _ => other)`: the expression for floats, the other for integers and masks.
macro_rules! with_float {
    ($dtype:expr, $T:ident => $body:expr, _ => $other:expr) => {
        match $dtype {
            DType::F32 => {
                type $T = f32;
                $body
            }
            DType::F64 => {
                type $T = f64;
                $body
            }
            DType::I64 | DType::Bool => $other,
        }
    };
}

/// The same for floats and integers, with another arm for masks.
macro_rules! with_number {
    ($dtype:expr, $T:ident => $body:expr, _ => $other:expr) => {
        match $dtype {
            DType::I64 => {
                type $T = i64;
                $body
            }
            dtype => crate::element::with_float!(dtype, $T => $body, _ => $other),
        }
    };
}

/// The same for every type.
macro_rules! with_type {
    ($dtype:expr, $T:ident => $body:expr) => {{
        crate::element::with_number!($dtype, $T => $body, _ => {
            type $T = bool;
            $body
        })
    }};
}

/// `each_dtype!(value, Value(array) => expression)` evaluates the expression for whichever array it holds.
macro_rules! each_dtype {
    ($value:expr, $kind:ident($array:ident) => $body:expr) => {
        match $value {
            $kind::F32($array) => $body,
            $kind::F64($array) => $body,
            $kind::I64($array) => $body,
            $kind::Bool($array) => $body,
        }
    };
}
pub(crate) use {each_dtype, with_float, with_number, with_type};

impl Value {
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::F64(_) => DType::F64,
            Self::I64(_) => DType::I64,
            Self::Bool(_) => DType::Bool,
        }
    }

    pub(crate) fn shape(&self) -> &[usize] {
        each_dtype!(self, Value(array) => array.shape())
    }

    /// The elements of an array that lies in C order.
    pub(crate) fn packed(&self) -> Packed<'_> {
        fn elements<T: Element>(array: &ArcArray<T, IxDyn>) -> Elements<'_> {
            T::erase(array.as_slice().expect("the array lies in C order"))
        }
        Packed { elements: each_dtype!(self, Value(array) => elements(array)), shape: self.shape() }
    }
}

/// A single number in a formula, equal to another if its bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(hidden)]
pub enum Literal {
    F32(u32),
    F64(u64),
    I64(i64),
    Bool(bool),
}

impl Literal {
    /// `value`, rounded once to `dtype`.
    pub(crate) fn rounded(value: f64, dtype: DType) -> Self {
        match dtype {
            DType::F32 => (value as f32).literal(),
            DType::F64 => value.literal(),
            DType::I64 => (value as i64).literal(),
            DType::Bool => (value != 0.0).literal(),
        }
    }

    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::F64(_) => DType::F64,
            Self::I64(_) => DType::I64,
            Self::Bool(_) => DType::Bool,
        }
    }

    /// The number, if it is a float.
    pub(crate) fn as_f64(self) -> Option<f64> {
        match self {
            Self::F32(bits) => Some(f64::from(f32::from_bits(bits))),
            Self::F64(bits) => Some(f64::from_bits(bits)),
            Self::I64(_) | Self::Bool(_) => None,
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::F32(bits) => write!(f, "{}", f32::from_bits(bits)),
            Self::F64(bits) => write!(f, "{}", f64::from_bits(bits)),
            Self::I64(value) => write!(f, "{value}"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

macro_rules! element {
    ($t:ty, $variant:ident, |$x:ident| $bits:expr) => {
        impl sealed::Sealed for $t {}
        impl Dtype for $t {
            type Mask = bool;
            type Index = i64;
            const STATIC: Option<DType> = Some(DType::$variant);
        }
        impl Element for $t {
            const DTYPE: DType = DType::$variant;
            fn value(array: ArcArray<Self, IxDyn>) -> Value {
                Value::$variant(array)
            }
            fn array(value: &Value) -> Option<&ArcArray<Self, IxDyn>> {
                match value {
                    Value::$variant(array) => Some(array),
                    _ => None,
                }
            }
            #[inline]
            fn elements(elements: Elements<'_>) -> Option<&[Self]> {
                match elements {
                    Elements::$variant(elements) => Some(elements),
                    _ => None,
                }
            }
            #[inline]
            fn erase(elements: &[Self]) -> Elements<'_> {
                Elements::$variant(elements)
            }
            fn literal(self) -> Literal {
                let $x = self;
                Literal::$variant($bits)
            }
        }
    };
}
element!(f32, F32, |x| x.to_bits());
element!(f64, F64, |x| x.to_bits());
element!(i64, I64, |x| x);
element!(bool, Bool, |x| x);

impl Number for f32 {}
impl Number for f64 {}
impl Number for i64 {}
impl Real for f32 {}
impl Real for f64 {}
impl Mask for bool {}

impl Float for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
}
