//! Arrangements, which are views where they can be; parts of arrays; products.

use smallvec::SmallVec;

use super::unit::{Constant, Part, Product, Unit};
use super::{Schedule, Source};
use crate::element::DType;
use crate::exec::code::Instruction;
use crate::exec::place::{Base, Place};
use crate::ops::{Binary, Fold, Layout, Op, Slicing};
use crate::shape::{Axes, Run, Shape};

impl Schedule {
    pub(super) fn arrange(&mut self, layout: &Layout, place: Place, shape: &Shape) -> Place {
        match layout {
            Layout::Transpose { axes } => place.permuted(axes.iter()),
            Layout::Reshape { .. }
            | Layout::ReshapeLike
            | Layout::ExpandDims { .. }
            | Layout::Squeeze { .. }
            | Layout::Flatten { .. }
            | Layout::Unflatten { .. }
            | Layout::UnflattenLike { .. } => place.reshaped(shape).unwrap_or_else(|| {
                let place = self.pack(place);
                Place::packed(place.base, place.dtype, place.offset, shape.clone())
            }),
            Layout::BroadcastTo { .. } => place.stretched(shape),
            Layout::BroadcastLike { axes } => place.with_axes(axes).stretched(shape),
            Layout::SumLike => {
                let new = place.shape.ndim() - shape.ndim();
                let stretched = |axis: usize| axis < new || shape[axis - new] != place.shape[axis];
                let axes: Vec<usize> = (0..place.shape.ndim()).filter(|&axis| stretched(axis)).collect();
                if axes.is_empty() {
                    return place;
                }
                let dtype = place.dtype;
                let sums = self.reduce(Fold::Sum, place, &Axes::from(&axes[..]), dtype);
                Place { strides: shape.c_strides(), shape: shape.clone(), ..sums }
            }
        }
    }

    pub(super) fn multiply_batch(&mut self, a: &Place, b: &Place, shape: &Shape) -> Place {
        self.settle(a.base);
        self.settle(b.base);
        let batch = &shape[..shape.ndim() - 2];
        let whole = |place: &Place| {
            let matrix = &place.shape[place.shape.ndim() - 2..];
            place.stretched(&batch.iter().chain(matrix).copied().collect())
        };
        let (a, b, dtype) = (whole(a), whole(b), a.dtype);
        let to = self.value(dtype, shape.size(), None);
        self.units.push(Unit::Product(Product { a, b, dtype, to, onto: None }));
        Place::packed(Base::Value(to), dtype, 0, shape.clone())
    }

    /// The index along an axis: a line of them, stretched.
    pub(super) fn ramp(&mut self, axis: &Axes, shape: &Shape) -> Place {
        let axis = axis.single().unwrap_or_default();
        let value = self.value(DType::I64, shape[axis], None);
        self.values[value as usize].constant = Some(Constant::Ramp);
        let strides = (0..shape.ndim()).map(|k| isize::from(k == axis)).collect();
        Place { base: Base::Value(value), dtype: DType::I64, offset: 0, shape: shape.clone(), strides }
    }

    pub(super) fn slice(
        &mut self,
        slicing: &Slicing,
        instruction: &Instruction,
        source: &Source<'_>,
        shape: &Shape,
    ) -> Place {
        let operand = |k: usize| source.operand(instruction, k);
        let whole = Place::packed(Base::Leaf(0), instruction.dtype, 0, shape.clone());
        match slicing {
            Slicing::Slice { axes, cut } => operand(0).sliced(axes, **cut),
            Slicing::Unslice { axes, cut } => {
                self.assemble(vec![(operand(0), whole.sliced(axes, **cut))], true, shape)
            }
            Slicing::Diagonal { axes, offset } => operand(0).diagonal(axes, *offset),
            Slicing::Undiagonal { axes, offset } => {
                self.assemble(vec![(operand(0), whole.diagonal(axes, *offset))], true, shape)
            }
            Slicing::Concat { axis, .. } => {
                let (axis, runs) = runs(axis, &instruction.inputs, source.shapes);
                let parts = runs.into_iter().enumerate().map(|(k, run)| (operand(k), whole.cut(axis, run)));
                self.assemble(parts.collect(), false, shape)
            }
            Slicing::PartLike { axis, index, .. } => {
                let (axis, runs) = runs(axis, &instruction.inputs[1..], source.shapes);
                operand(0).cut(axis, runs[*index as usize])
            }
        }
    }

    fn assemble(&mut self, parts: Vec<(Place, Place)>, zeros: bool, shape: &Shape) -> Place {
        let dtype = parts.first().map_or(DType::F64, |(from, _)| from.dtype);
        let mut laid = Vec::with_capacity(parts.len());
        for (from, to) in parts {
            let from = self.packed(from);
            self.settle(from.base);
            laid.push(Part { from, offset: to.offset, strides: to.strides });
        }
        let to = self.value(dtype, shape.size(), None);
        self.units.push(Unit::Assemble { parts: laid, zeros, dtype, to });
        Place::packed(Base::Value(to), dtype, 0, shape.clone())
    }

    pub(super) fn multiply(&mut self, a: Place, b: Place, shape: &Shape) -> Place {
        let dtype = a.dtype;
        let matrix = |place: Place, axis: usize| {
            if place.shape.ndim() == 1 { place.with_axes(&Axes::from(axis)) } else { place }
        };
        let (a, b) = (matrix(a, 0), matrix(b, 1));
        let whole = Shape::from([a.shape[0], b.shape[1]]);
        if a.shape[1] == 1 {
            // An outer product is an elementwise one.
            let operands = SmallVec::from_iter([a.stretched(&whole), b.stretched(&whole)]);
            let place = self.elementwise(Op::Binary(Binary::Mul), operands, dtype, &whole);
            return Place { strides: shape.c_strides(), shape: shape.clone(), ..place };
        }
        self.settle(a.base);
        self.settle(b.base);
        let to = self.value(dtype, shape.size(), None);
        self.units.push(Unit::Product(Product { a, b, dtype, to, onto: None }));
        Place::packed(Base::Value(to), dtype, 0, shape.clone())
    }
}

/// The axis, and where each of these instructions stands along it if they stand one behind the other.
fn runs(axis: &Axes, inputs: &[u32], shapes: &[Shape]) -> (usize, Vec<Run>) {
    let axis = axis.single().unwrap_or_default();
    let mut end = 0;
    let runs = inputs.iter().map(|&input| {
        let (first, count) = (end, shapes[input as usize][axis]);
        end += count;
        Run { first, step: 1, count }
    });
    (axis, runs.collect())
}
