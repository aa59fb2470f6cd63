//! What is computed together, and what is only another view of something.
//!
//! Elementwise operations of one shape are gathered in groups that run block by block. A group stays open until one
//! of its values is needed by something that reads it whole; so no open group ever depends on another.

use smallvec::SmallVec;

use super::buffers::Lie;
use super::code::{Code, Instruction};
use crate::element::{DType, Literal};
use crate::kernels::Middle;
use crate::ops::{Fold, Layout, Logic, Op, Reduce, expanded};
use crate::shape::{Axes, Shape, Strides};

/// How many operations a group holds at most: its values in flight have to stay in the cache.
const GROUP: usize = 64;

/// What holds elements: a leaf, or a value that a unit computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Base {
    Leaf(u32),
    Value(u32),
}

/// A strided view of a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub base: Base,
    pub dtype: DType,
    pub offset: usize,
    pub shape: Shape,
    pub strides: Strides,
}

impl Place {
    fn packed(base: Base, dtype: DType, offset: usize, shape: Shape) -> Self {
        Self { base, dtype, offset, strides: shape.c_strides(), shape }
    }

    /// Whether the elements lie in C order without gaps.
    pub fn is_packed(&self) -> bool {
        let mut strides = self.shape.c_strides();
        for (axis, &size) in self.shape.iter().enumerate() {
            if size == 1 {
                strides[axis] = self.strides[axis];
            }
        }
        self.shape.size() == 0 || strides == self.strides
    }

    /// Whether every element is the first one.
    pub fn is_single(&self) -> bool {
        self.shape.iter().zip(&self.strides).all(|(&size, &stride)| size == 1 || stride == 0)
    }

    fn stretched(&self, shape: &Shape) -> Self {
        let new = shape.ndim() - self.shape.ndim();
        let old = self.shape.iter().zip(&self.strides);
        let strides = std::iter::repeat_n(0, new)
            .chain(old.zip(&shape[new..]).map(|((&from, &stride), &to)| if from == to { stride } else { 0 }));
        Self { shape: shape.clone(), strides: strides.collect(), ..*self }
    }

    fn permuted(&self, axes: impl Iterator<Item = usize> + Clone) -> Self {
        let strides = axes.clone().map(|axis| self.strides[axis]).collect();
        Self { shape: axes.map(|axis| self.shape[axis]).collect(), strides, ..*self }
    }

    fn with_axes(&self, axes: &Axes) -> Self {
        let mut strides = self.strides.iter();
        let shape = expanded(&self.shape, axes);
        let strides = (0..shape.ndim())
            .map(|axis| if axes.contains(axis) { 0 } else { strides.next().copied().unwrap_or(0) })
            .collect();
        Self { shape, strides, ..*self }
    }
}

/// An elementwise operation in a group.
pub(super) struct Member {
    pub op: Op,
    /// The operands, stretched to the group's shape.
    pub operands: SmallVec<[Place; 3]>,
    pub out: u32,
}

/// A matrix in memory.
#[derive(Clone, Copy)]
pub(super) struct MatrixPlace {
    pub base: Base,
    pub offset: usize,
    pub rows: usize,
    pub columns: usize,
    pub by_columns: bool,
}

/// What is done at one go.
pub(super) enum Unit {
    Group { shape: Shape, members: Vec<Member> },
    Pack { from: Place, to: u32 },
    Fold { fold: Fold, from: Base, offset: usize, dtype: DType, axis: Middle, divisor: Option<f64>, to: u32 },
    Dot { a: MatrixPlace, b: MatrixPlace, dtype: DType, to: u32 },
}

#[derive(Clone, Copy)]
pub(super) struct ValueInfo {
    pub dtype: DType,
    pub size: usize,
    /// The open group it belongs to.
    group: Option<u32>,
}

struct OpenGroup {
    id: u32,
    shape: Shape,
    members: Vec<Member>,
}

/// The units in the order in which they run.
#[derive(Default)]
pub(super) struct Schedule {
    pub units: Vec<Unit>,
    pub values: Vec<ValueInfo>,
    pub constants: Vec<(u32, Literal)>,
    /// `0, 1, …`, and how many.
    pub ranges: Vec<(u32, usize)>,
    /// Packed places of the outputs, then of the updates' new values.
    pub results: Vec<Place>,
    open: Vec<OpenGroup>,
    groups: u32,
}

impl Schedule {
    pub fn new(code: &Code, shapes: &[Shape], leaves: &[Lie], fuse: bool) -> Self {
        let mut schedule = Self::default();
        let limit = if fuse { GROUP } else { 1 };
        let mut places: Vec<Option<Place>> = Vec::with_capacity(shapes.len());
        let mut leaf = 0;
        for (instruction, shape) in code.instructions.iter().zip(shapes) {
            let place = if instruction.op.is_leaf() {
                let Lie { offset, strides, .. } = leaves[leaf as usize].clone();
                leaf += 1;
                let base = Base::Leaf(leaf - 1);
                Some(Place { base, dtype: instruction.dtype, offset, shape: shape.clone(), strides })
            } else if instruction.live {
                Some(schedule.visit(instruction, shape, &places, shapes, limit))
            } else {
                None
            };
            places.push(place);
        }
        let updates = code.updates.iter().map(|&(_, value)| value);
        for result in code.outputs.iter().copied().chain(updates) {
            if let Some(place) = places[result as usize].clone() {
                let place = match place.base {
                    Base::Leaf(_) => schedule.pack(place),
                    Base::Value(_) => schedule.packed(place),
                };
                schedule.results.push(place);
            }
        }
        while let Some(group) = schedule.open.first() {
            let id = group.id;
            schedule.flush(id);
        }
        schedule
    }

    fn visit(
        &mut self,
        instruction: &Instruction,
        shape: &Shape,
        places: &[Option<Place>],
        shapes: &[Shape],
        limit: usize,
    ) -> Place {
        let Instruction { op, inputs, dtype, .. } = instruction;
        let operand = |k: usize| -> Place {
            let place = places[inputs[k] as usize].clone();
            place.expect("an operand that is read has been computed")
        };
        match op {
            Op::Literal(literal) => self.constant(*literal),
            // The order in which instructions are listed is the order in which units are made.
            Op::Order(_) => operand(0),
            Op::Range(_) => {
                let value = self.value(*dtype, shape.size(), None);
                self.ranges.push((value, shape.size()));
                Place::packed(Base::Value(value), *dtype, 0, shape.clone())
            }
            Op::Layout(layout) => self.arrange(layout, operand(0), shape),
            Op::Reduce(Reduce { fold: Fold::Size, axes, .. }) => {
                let operand = &shapes[inputs[0] as usize];
                let count: usize = axes.iter().map(|axis| operand[axis]).product();
                self.constant(Literal::rounded(count as f64, *dtype))
            }
            Op::Reduce(Reduce { fold, axes, .. }) => {
                let place = self.reduce(*fold, operand(0), axes, *dtype);
                Place { strides: shape.c_strides(), shape: shape.clone(), ..place }
            }
            Op::MatMul(_) => self.multiply(operand(0), operand(1), shape),
            _ => {
                let operands = (0..inputs.len()).map(|k| operand(k).stretched(shape)).collect();
                self.elementwise(op.clone(), operands, *dtype, shape, limit)
            }
        }
    }

    fn value(&mut self, dtype: DType, size: usize, group: Option<u32>) -> u32 {
        self.values.push(ValueInfo { dtype, size, group });
        self.values.len() as u32 - 1
    }

    fn constant(&mut self, literal: Literal) -> Place {
        let value = self.value(literal.dtype(), 1, None);
        self.constants.push((value, literal));
        Place::packed(Base::Value(value), literal.dtype(), 0, Shape::scalar())
    }

    /// Closes the group that a value belongs to, so that it can be read whole.
    fn settle(&mut self, base: Base) {
        if let Base::Value(value) = base
            && let Some(group) = self.values[value as usize].group
        {
            self.flush(group);
        }
    }

    fn flush(&mut self, id: u32) {
        if let Some(i) = self.open.iter().position(|group| group.id == id) {
            let OpenGroup { shape, members, .. } = self.open.remove(i);
            for member in &members {
                self.values[member.out as usize].group = None;
            }
            self.units.push(Unit::Group { shape, members });
        }
    }

    fn elementwise(
        &mut self,
        op: Op,
        operands: SmallVec<[Place; 3]>,
        dtype: DType,
        shape: &Shape,
        limit: usize,
    ) -> Place {
        for place in &operands {
            let Base::Value(value) = place.base else { continue };
            let Some(owner) = self.values[value as usize].group else { continue };
            // In its own group a value can be read only at the place that is being computed.
            let own = self.open.iter().any(|group| group.id == owner && group.shape == *shape);
            if !own || !place.is_packed() {
                self.flush(owner);
            }
        }
        let i = self.open.iter().position(|group| group.shape == *shape).unwrap_or_else(|| {
            self.groups += 1;
            self.open.push(OpenGroup { id: self.groups, shape: shape.clone(), members: Vec::new() });
            self.open.len() - 1
        });
        let id = self.open[i].id;
        let out = self.value(dtype, shape.size(), Some(id));
        self.open[i].members.push(Member { op, operands, out });
        if self.open[i].members.len() >= limit {
            self.flush(id);
        }
        Place::packed(Base::Value(out), dtype, 0, shape.clone())
    }

    fn pack(&mut self, from: Place) -> Place {
        self.settle(from.base);
        let to = self.value(from.dtype, from.shape.size(), None);
        let place = Place::packed(Base::Value(to), from.dtype, 0, from.shape.clone());
        self.units.push(Unit::Pack { from, to });
        place
    }

    fn packed(&mut self, place: Place) -> Place {
        if place.is_packed() { place } else { self.pack(place) }
    }

    fn arrange(&mut self, layout: &Layout, place: Place, shape: &Shape) -> Place {
        match layout {
            Layout::Transpose { axes } => place.permuted(axes.iter()),
            Layout::Reshape { .. }
            | Layout::ReshapeLike
            | Layout::Merge { .. }
            | Layout::ExpandDims { .. } => {
                let place = self.packed(place);
                Place::packed(place.base, place.dtype, place.offset, shape.clone())
            }
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

    /// A packed value; the shape is for the caller to say.
    fn reduce(&mut self, fold: Fold, place: Place, axes: &Axes, dtype: DType) -> Place {
        let reduced = |axis: usize| axes.contains(axis);
        let count: usize = axes.iter().map(|axis| place.shape[axis]).product();
        let divisor = (fold == Fold::Mean).then_some(count as f64);
        let mut segments = segments(&place.shape, reduced);
        let scattered = segments.iter().filter(|segment| segment.1).count() > 1;
        let mut place = if fold == Fold::ArgMax && scattered {
            // An index counts over all reduced axes, so they have to lie together.
            let axes = (0..place.shape.ndim()).filter(|&axis| !reduced(axis)).chain(axes.iter());
            let kept = place.shape.size() / count.max(1);
            segments = vec![(kept, false), (count, true)];
            self.pack(place.permuted(axes.collect::<Vec<_>>().into_iter()))
        } else {
            self.packed(place)
        };
        self.settle(place.base);
        if !segments.iter().any(|segment| segment.1) {
            segments.push((1, true));
        }
        while let Some(last) = segments.iter().rposition(|segment| segment.1) {
            let product = |segments: &[(usize, bool)]| segments.iter().map(|segment| segment.0).product();
            let axis = Middle {
                outer: product(&segments[..last]),
                middle: segments[last].0,
                inner: product(&segments[last + 1..]),
            };
            segments.remove(last);
            let done = !segments.iter().any(|segment| segment.1);
            let to = self.value(dtype, axis.outer * axis.inner, None);
            let divisor = divisor.filter(|_| done);
            self.units.push(Unit::Fold {
                fold,
                from: place.base,
                offset: place.offset,
                dtype: place.dtype,
                axis,
                divisor,
                to,
            });
            place = Place::packed(Base::Value(to), dtype, 0, Shape::from([axis.outer * axis.inner]));
        }
        place
    }

    fn multiply(&mut self, a: Place, b: Place, shape: &Shape) -> Place {
        let dtype = a.dtype;
        let inner = b.shape[0];
        let rows = if a.shape.ndim() == 2 { a.shape[0] } else { 1 };
        let columns = if b.shape.ndim() == 2 { b.shape[1] } else { 1 };
        let a = self.matrix(a, rows, inner);
        let b = self.matrix(b, inner, columns);
        let to = self.value(dtype, shape.size(), None);
        self.units.push(Unit::Dot { a, b, dtype, to });
        Place::packed(Base::Value(to), dtype, 0, shape.clone())
    }

    /// The place as a matrix that lies by rows or by columns.
    fn matrix(&mut self, place: Place, rows: usize, columns: usize) -> MatrixPlace {
        let reversed = place.permuted((0..place.shape.ndim()).rev());
        let by_columns = !place.is_packed() && reversed.is_packed();
        let place = if by_columns { place } else { self.packed(place) };
        self.settle(place.base);
        MatrixPlace { base: place.base, offset: place.offset, rows, columns, by_columns }
    }
}

/// Sizes of neighbouring axes that are both reduced or both kept, multiplied; axes of size 1 do not count.
fn segments(shape: &[usize], reduced: impl Fn(usize) -> bool) -> Vec<(usize, bool)> {
    let mut segments: Vec<(usize, bool)> = Vec::new();
    for (axis, &size) in shape.iter().enumerate().filter(|&(_, &size)| size != 1) {
        match segments.last_mut() {
            Some((last, kind)) if *kind == reduced(axis) => *last *= size,
            _ => segments.push((size, reduced(axis))),
        }
    }
    segments
}

/// The element type that decides which kernel of an elementwise operation runs.
pub(super) fn kernel_dtype(op: &Op, operands: &[Place]) -> DType {
    match op {
        Op::Logic(Logic::Select) => operands[1].dtype,
        _ => operands[0].dtype,
    }
}
