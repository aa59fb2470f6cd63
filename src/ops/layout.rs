//! The same elements in another arrangement.

use super::reduce::axes_fault;
use super::{Cotangent, Fault, Op, Operation, Record, Site, one_axis};
use crate::element::Dtype;
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::ops::{Fold, Reduce};
use crate::shape::{Axes, Shape, Sizes, broadcast, stretches};

/// Another arrangement of the same elements. The operations whose name ends in `Like` take sizes from a second
/// operand, of which they read the shape alone: this is how gradients follow the batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// [`Var::transpose`]
    Transpose {
        /// Which axis of the operand stands at each place of the result.
        axes: Axes,
    },
    /// [`Var::reshape`]
    Reshape {
        /// The sizes, of which one may be -1.
        sizes: Sizes,
    },
    /// [`Var::reshape_like`]
    ReshapeLike,
    /// [`Var::expand_dims`]
    ExpandDims {
        /// Where the new axes stand in the result.
        axes: Axes,
    },
    /// [`Var::squeeze`]
    Squeeze {
        /// The axes of size 1 that go.
        axes: Axes,
    },
    /// [`Var::flatten`]
    Flatten {
        /// The axes that become one: neighbours, in order.
        axes: Axes,
    },
    /// [`Var::unflatten`]
    Unflatten {
        /// The axis.
        axis: Axes,
        /// The sizes that it is divided into, of which one may be -1.
        sizes: Sizes,
    },
    /// One axis becomes those axes of the second operand, with their sizes: what undoes [`Var::flatten`].
    UnflattenLike {
        /// The axes of the result, which are neighbours; the first of them is the operand's axis.
        axes: Axes,
    },
    /// [`Var::broadcast_to`]
    BroadcastTo {
        /// The sizes.
        sizes: Sizes,
    },
    /// [`Var::broadcast_like`], after new axes of size 1 are put in at these places: the transpose of a sum.
    BroadcastLike {
        /// The axes of the second operand that the first does not have.
        axes: Axes,
    },
    /// [`Var::sum_like`]: the sum over whatever axes a broadcast has stretched.
    SumLike,
}

impl Layout {
    const fn find(&self) -> Record {
        match self {
            Self::Transpose { .. } => Record::method("transpose", "{#1}^{T}", "the inverse transpose of g"),
            Self::Reshape { .. } => Record::method(
                "reshape",
                r"\operatorname{reshape}_{#n}\left(#1\right)",
                "g in the operand's shape",
            ),
            Self::ReshapeLike => Record::method(
                "reshape_like",
                r"\operatorname{reshape}_{#n}\left(#1\right)",
                "g in the operand's shape",
            ),
            Self::ExpandDims { .. } => Record::method("expand_dims", "#1", "g in the operand's shape"),
            Self::Squeeze { .. } => Record::method("squeeze", "#1", "g in the operand's shape"),
            Self::Flatten { .. } => Record::method(
                "flatten",
                r"\operatorname{flatten}_{#n}\left(#1\right)",
                "g in the operand's shape",
            ),
            Self::Unflatten { .. } => Record::method(
                "unflatten",
                r"\operatorname{reshape}_{#n}\left(#1\right)",
                "g in the operand's shape",
            ),
            Self::UnflattenLike { .. } => Record::method(
                "unflatten_like",
                r"\operatorname{reshape}_{#n}\left(#1\right)",
                "g in the operand's shape",
            ),
            Self::BroadcastTo { .. } => {
                Record::method("broadcast_to", "#1", "g summed over the stretched axes")
            }
            Self::BroadcastLike { .. } => {
                Record::method("broadcast_like", "#1", "g summed over the stretched axes")
            }
            Self::SumLike => {
                Record::method("sum_like", r"\sum_{#n} #1", "g broadcast to the operand's shape")
            }
        }
    }
}

impl Operation for Layout {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        match self {
            Self::Transpose { axes } => Some(format!("[{}]", join(axes))),
            Self::ExpandDims { axes } | Self::Squeeze { axes } | Self::UnflattenLike { axes } => {
                Some(axes.to_string())
            }
            Self::Flatten { axes } => Some(join(axes)),
            Self::Unflatten { axis, sizes } => Some(format!("{axis}, {sizes}")),
            Self::BroadcastLike { axes } if axes.count() > 0 => Some(axes.to_string()),
            Self::Reshape { sizes } | Self::BroadcastTo { sizes } => Some(sizes.to_string()),
            Self::ReshapeLike | Self::BroadcastLike { .. } | Self::SumLike => None,
        }
    }

    fn arity(&self) -> usize {
        match self {
            Self::ReshapeLike | Self::UnflattenLike { .. } | Self::BroadcastLike { .. } | Self::SumLike => 2,
            _ => 1,
        }
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let rank = operands[0].shape.ndim();
        Ok(Op::Layout(match self {
            Self::Transpose { axes } => match axes.resolve_permutation(rank) {
                Some(axes) => Self::Transpose { axes },
                None => {
                    return Err(Box::new(move |operand| Error::Permutation {
                        axes,
                        operand: Box::new(operand(0)),
                    }));
                }
            },
            Self::ExpandDims { axes } => {
                let rank = rank + axes.count();
                let axes = axes.resolve(rank).map_err(|fault| axes_fault("expand_dims", 0, fault))?;
                Self::ExpandDims { axes }
            }
            Self::Squeeze { axes } if axes.is_all() => {
                let shape = &operands[0].shape;
                let ones: Vec<usize> = (0..rank).filter(|&axis| shape[axis] == 1).collect();
                Self::Squeeze { axes: Axes::from(&ones[..]) }
            }
            Self::Squeeze { axes } => {
                let axes = axes.resolve(rank).map_err(|fault| axes_fault("squeeze", 0, fault))?;
                Self::Squeeze { axes }
            }
            Self::Flatten { axes } => {
                let axes = axes.span(rank).map_err(|fault| axes_fault("flatten", 0, fault))?;
                Self::Flatten { axes }
            }
            Self::Unflatten { axis, sizes } => {
                let axes = axis.resolve(rank).map_err(|fault| axes_fault("unflatten", 0, fault))?;
                Self::Unflatten { axis: one_axis("unflatten", &axes, 0)?.into(), sizes }
            }
            Self::UnflattenLike { axes } => {
                let rank = operands[1].shape.ndim();
                let axes = axes.span(rank).map_err(|fault| axes_fault("unflatten_like", 1, fault))?;
                Self::UnflattenLike { axes }
            }
            other => other,
        }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let Signature { dtype, shape } = &operands[0];
        let shape = match self {
            Self::Transpose { axes } => axes.iter().map(|axis| shape[axis]).collect(),
            Self::Reshape { sizes } => match sizes.resolve(shape.size()) {
                Some(shape) => shape,
                None => return Err(reshape_fault(sizes.clone())),
            },
            Self::ReshapeLike if shape.size() == operands[1].shape.size() => operands[1].shape.clone(),
            Self::ReshapeLike => return Err(reshape_fault(operands[1].shape.clone().into())),
            Self::ExpandDims { axes } => expanded(shape, axes),
            Self::Squeeze { axes } => match axes.iter().find(|&axis| shape[axis] != 1) {
                None => axes.reduced(shape, false),
                Some(_) => {
                    let (op, expected) = ("squeeze", "axes of size 1");
                    return Err(Box::new(move |operand| Error::Rank {
                        op,
                        expected,
                        operand: Box::new(operand(0)),
                    }));
                }
            },
            Self::Flatten { axes } => flattened(shape, axes),
            Self::Unflatten { axis, sizes } => {
                let at = axis.iter().next().unwrap_or_default();
                let Some(parts) = sizes.resolve(shape[at]) else {
                    let sizes = sizes.clone();
                    return Err(Box::new(move |operand| Error::Unflatten {
                        sizes,
                        axis: at,
                        operand: Box::new(operand(0)),
                    }));
                };
                shape[..at].iter().chain(&*parts).chain(&shape[at + 1..]).copied().collect()
            }
            Self::UnflattenLike { axes } => {
                let like = &operands[1].shape;
                let at = axes.iter().next().unwrap_or_default();
                let sizes = || axes.iter().map(|axis| like[axis]);
                if shape.get(at).copied() != Some(sizes().product()) {
                    return Err(reshape_fault(sizes().collect::<Shape>().into()));
                }
                shape[..at].iter().copied().chain(sizes()).chain(shape[at + 1..].iter().copied()).collect()
            }
            Self::BroadcastTo { sizes } => match sizes.fixed() {
                Some(target) if stretches(shape, &target) => target,
                _ => return Err(stretch_fault("broadcast_to", sizes.to_string())),
            },
            Self::BroadcastLike { axes } => {
                let target = &operands[1].shape;
                if axes.count() + shape.ndim() > target.ndim().max(shape.ndim())
                    || !stretches(&expanded(shape, axes), target)
                {
                    return Err(stretch_fault("broadcast_like", target.to_string()));
                }
                target.clone()
            }
            Self::SumLike => {
                let target = &operands[1].shape;
                if broadcast(target, shape).ok().as_ref() != Some(shape) {
                    let wanted = target.to_string();
                    return Err(Box::new(move |operand| Error::BroadcastTo {
                        op: "sum_like",
                        target: format!("(summed) {wanted}"),
                        operand: Box::new(operand(0)),
                    }));
                }
                target.clone()
            }
        };
        Ok(Signature { dtype: *dtype, shape })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (x, g) = (at.inputs[0], at.cotangent);
        match self {
            _ if k == 1 => Cotangent::Undefined,
            Self::Transpose { axes } => g.transpose_by(axes.inverse()).into(),
            Self::Reshape { .. }
            | Self::ReshapeLike
            | Self::ExpandDims { .. }
            | Self::Squeeze { .. }
            | Self::Flatten { .. }
            | Self::Unflatten { .. }
            | Self::UnflattenLike { .. } => g.reshape_like(x).into(),
            Self::BroadcastTo { .. } => g.sum_like(x).into(),
            Self::BroadcastLike { axes } => {
                let reduce = Reduce { fold: Fold::Sum, axes: axes.clone(), keepdims: false };
                let summed = if axes.count() == 0 { g } else { g.graph().emit(Op::Reduce(reduce), [g]) };
                summed.sum_like(x).into()
            }
            Self::SumLike => g.broadcast_like(x).into(),
        }
    }

    fn reads(&self, k: usize) -> bool {
        k == 0
    }

    fn shape_giver(&self) -> Option<usize> {
        match self {
            Self::ReshapeLike | Self::BroadcastLike { .. } | Self::SumLike => Some(1),
            _ => None,
        }
    }
}

fn join(axes: &Axes) -> String {
    axes.iter().map(|axis| axis.to_string()).collect::<Vec<_>>().join(", ")
}

/// `shape` with new axes of size 1 at these places of the result.
pub(crate) fn expanded(shape: &[usize], axes: &Axes) -> Shape {
    let mut old = shape.iter();
    let rank = shape.len() + axes.count();
    (0..rank).map(|axis| if axes.contains(axis) { 1 } else { old.next().copied().unwrap_or(1) }).collect()
}

/// `shape` with these neighbouring axes as one.
fn flattened(shape: &[usize], axes: &Axes) -> Shape {
    let (Some(first), Some(last)) = (axes.iter().next(), axes.iter().next_back()) else {
        return shape.into();
    };
    let one = shape[first..=last].iter().product();
    shape[..first].iter().copied().chain([one]).chain(shape[last + 1..].iter().copied()).collect()
}

fn reshape_fault(sizes: Sizes) -> Fault {
    Box::new(move |operand| Error::Reshape { sizes, operand: Box::new(operand(0)) })
}

fn stretch_fault(op: &'static str, target: String) -> Fault {
    Box::new(move |operand| Error::BroadcastTo { op, target, operand: Box::new(operand(0)) })
}

impl<'g, T: Dtype> Var<'g, T> {
    /// The axes in reverse order: the transpose of a matrix. A vector stays as it is. Nothing is copied.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::array![[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.t().shape(), [3, 1]);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn t(self) -> Self {
        self.transpose_by(Axes::ALL)
    }

    /// The axes in another order: `axes[i]` is the operand's axis that becomes the result's axis `i`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array3::<f64>::zeros((2, 3, 4)));
    /// assert_eq!(x.transpose([2, 0, 1]).shape(), [4, 2, 3]);
    /// ```
    ///
    /// # Panics
    /// If it is not each axis once: "`transpose` requires each of the 3 axes once, got [0, 0, 1]".
    #[track_caller]
    #[must_use]
    pub fn transpose(self, axes: impl Into<Axes>) -> Self {
        self.transpose_by(axes.into())
    }

    #[track_caller]
    fn transpose_by(self, axes: Axes) -> Self {
        self.layout(Layout::Transpose { axes })
    }

    /// The same elements, in C order, in another shape. One size may be -1: what is left.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let pictures = g.input("pictures", ndarray::Array4::<f64>::zeros((209, 64, 64, 3)));
    /// assert_eq!(pictures.reshape([209, -1]).t().shape(), [12288, 209]);
    /// ```
    ///
    /// # Panics
    /// If the number of elements differs: "`reshape` cannot make (4, -1) from (3, 3), which has 9 elements".
    #[track_caller]
    #[must_use]
    pub fn reshape(self, sizes: impl Into<Sizes>) -> Self {
        self.layout(Layout::Reshape { sizes: sizes.into() })
    }

    /// The same elements, in C order, in the shape of `like`.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    #[must_use]
    pub fn reshape_like<U: Dtype>(self, like: Var<'g, U>) -> Self {
        self.layout_like(Layout::ReshapeLike, like.erase())
    }

    /// New axes of size 1 at these places of the result.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::array![1.0, 2.0, 3.0]);
    /// assert_eq!(x.expand_dims(1).shape(), [3, 1]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    #[must_use]
    pub fn expand_dims(self, axes: impl Into<Axes>) -> Self {
        self.layout(Layout::ExpandDims { axes: axes.into() })
    }

    /// The same elements without these axes, which have size 1. With [`Axes::ALL`] it is without every axis that has size 1
    /// when the formula is written; a run in which one of them has another size is an error.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::array![[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.squeeze(0).shape(), [3]);
    /// assert_eq!(x.squeeze(gradus::Axes::ALL).shape(), [3]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range, is named twice, or has another size: "`squeeze` requires axes of size 1, got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn squeeze(self, axes: impl Into<Axes>) -> Self {
        self.layout(Layout::Squeeze { axes: axes.into() })
    }

    /// The same elements with the axes from the first to the last of these as one, in C order. It follows whatever
    /// sizes are fed; `[0, -1]` makes a vector, `[1, -1]` a matrix with a row for each example.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let pictures = g.input("pictures", ndarray::Array4::<f64>::zeros((32, 64, 5, 5)));
    /// assert_eq!(pictures.flatten([1, -1]).shape(), [32, 1600]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range.
    #[track_caller]
    #[must_use]
    pub fn flatten(self, axes: impl Into<Axes>) -> Self {
        self.layout(Layout::Flatten { axes: axes.into() })
    }

    /// One axis divided into several, in C order: PyTorch's `unflatten`. One size may be -1: what is left. The other axes
    /// follow whatever sizes are fed.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array3::<f64>::zeros((2, 7, 12)));
    /// assert_eq!(x.unflatten(-1, [4, -1]).shape(), [2, 7, 4, 3]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or its size is not the product: "`unflatten` cannot make (5, -1) from axis 2, which has
    /// size 12".
    #[track_caller]
    #[must_use]
    pub fn unflatten(self, axis: impl Into<Axes>, sizes: impl Into<Sizes>) -> Self {
        self.layout(Layout::Unflatten { axis: axis.into(), sizes: sizes.into() })
    }

    /// Axis number `axes[0]` as those axes of `like`, with their sizes.
    #[track_caller]
    pub(super) fn unflatten_like(self, axes: Axes, like: Expr<'g>) -> Self {
        self.layout_like(Layout::UnflattenLike { axes }, like)
    }

    /// The array stretched to a shape by NumPy's broadcast rule. Nothing is copied.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let b = g.input("b", ndarray::array![[1.0], [2.0]]);
    /// assert_eq!(b.broadcast_to([2, 5]).sum().item()?, 15.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If it does not stretch: "`broadcast_to` cannot stretch (2, 1) to (3, 5)".
    #[track_caller]
    #[must_use]
    pub fn broadcast_to(self, sizes: impl Into<Sizes>) -> Self {
        self.layout(Layout::BroadcastTo { sizes: sizes.into() })
    }

    /// The array stretched to the shape of `like`, whatever that is when it runs.
    ///
    /// # Panics
    /// If it does not stretch.
    #[track_caller]
    #[must_use]
    pub fn broadcast_like<U: Dtype>(self, like: Var<'g, U>) -> Self {
        self.layout_like(Layout::BroadcastLike { axes: Axes::none() }, like.erase())
    }

    /// The sum over the axes that a broadcast of `like` to this shape would stretch: a gradient of a broadcast
    /// operand.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let b = g.input("b", ndarray::array![[1.0], [2.0]]);
    /// let x = g.input("x", ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_like(b).value()?, ndarray::array![[3.0], [7.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `like` does not stretch to this shape.
    #[track_caller]
    #[must_use]
    pub fn sum_like<U: Dtype>(self, like: Var<'g, U>) -> Self {
        self.layout_like(Layout::SumLike, like.erase())
    }

    #[track_caller]
    fn layout(self, layout: Layout) -> Self {
        self.graph().emit(Op::Layout(layout), [self.erase()]).retype()
    }

    #[track_caller]
    fn layout_like(self, layout: Layout, like: Expr<'g>) -> Self {
        self.graph().emit(Op::Layout(layout), [self.erase(), like.shape_root()]).retype()
    }
}
