//! What is computed together, and what is only another view of something.
//!
//! Elementwise operations of one shape are gathered in groups that run block by block. A group stays open until one
//! of its values is needed by something that reads it whole; so no open group ever depends on another.

use smallvec::SmallVec;

use super::buffers::Lie;
use super::code::{Code, Instruction};
use crate::element::{DType, Literal};
use crate::kernels::Middle;
use crate::ops::{Fold, Index, Layout, Logic, MatMul, Op, Reduce, Slicing, expanded};
use crate::shape::{Axes, Cut, Run, Shape, Strides};

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

    /// The elements from `first` on along an axis, `step` apart.
    fn cut(&self, axis: usize, run: Run) -> Self {
        let mut cut = self.clone();
        cut.offset = (cut.offset as isize + run.first as isize * cut.strides[axis]) as usize;
        cut.strides[axis] *= run.step;
        cut.shape =
            cut.shape.iter().enumerate().map(|(k, &n)| if k == axis { run.count } else { n }).collect();
        cut
    }

    fn sliced(&self, axes: &Axes, cut: Cut) -> Self {
        axes.iter().fold(self.clone(), |place, axis| {
            let run = cut.of(place.shape[axis]).expect("a slice was checked when its shape was inferred");
            place.cut(axis, run)
        })
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
    Group {
        shape: Shape,
        members: Vec<Member>,
    },
    Pack {
        from: Place,
        to: u32,
    },
    Fold {
        fold: Fold,
        from: Base,
        offset: usize,
        dtype: DType,
        axis: Middle,
        divisor: Option<f64>,
        to: u32,
    },
    /// One product for each entry of `batch`, which says how far behind the first its matrices begin.
    Dot {
        a: MatrixPlace,
        b: MatrixPlace,
        batch: Box<[(usize, usize)]>,
        dtype: DType,
        to: u32,
    },
    /// Parts laid into an array, over zeros if they do not fill it.
    Assemble {
        parts: Vec<(Place, Target)>,
        zeros: bool,
        size: usize,
        dtype: DType,
        to: u32,
    },
    /// Refuses indices that are not below `bound`. `node` is the instruction.
    Check {
        from: Base,
        offset: usize,
        size: usize,
        bound: usize,
        node: usize,
    },
}

/// Where a part goes in a packed array.
#[derive(Clone)]
pub(super) struct Target {
    pub offset: usize,
    pub strides: Strides,
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
    /// Values 0, 1, 2, … of these lengths.
    pub ramps: Vec<(u32, usize)>,
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
            Op::MatMul(MatMul::Dot) => self.multiply(operand(0), operand(1), shape),
            Op::MatMul(MatMul::MatMul) => self.multiply_batch(operand(0), operand(1), shape),
            Op::Index(Index::Along(axis)) => self.ramp(axis, shape),
            Op::Index(Index::Within(axis)) => {
                let axis = axis.single().unwrap_or_default();
                self.check(operand(0), shapes[inputs[1] as usize][axis], places.len())
            }
            Op::Slicing(Slicing::Slice { axes, cut }) => operand(0).sliced(axes, **cut),
            Op::Slicing(Slicing::Unslice { axes, cut }) => {
                let whole = Place::packed(Base::Leaf(0), *dtype, 0, shape.clone());
                self.assemble(vec![(operand(0), whole.sliced(axes, **cut))], true, shape)
            }
            Op::Slicing(Slicing::Concat { axis, .. }) => {
                let whole = Place::packed(Base::Leaf(0), *dtype, 0, shape.clone());
                let (axis, runs) = runs(axis, inputs, shapes);
                let parts = runs.into_iter().enumerate().map(|(k, run)| (operand(k), whole.cut(axis, run)));
                self.assemble(parts.collect(), false, shape)
            }
            Op::Slicing(Slicing::PartLike { axis, index, .. }) => {
                let (axis, runs) = runs(axis, &inputs[1..], shapes);
                operand(0).cut(axis, runs[*index as usize])
            }
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
            | Layout::ExpandDims { .. }
            | Layout::Squeeze { .. }
            | Layout::Flatten { .. }
            | Layout::UnflattenLike { .. } => {
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
        self.units.push(Unit::Dot { a, b, batch: Box::new([(0, 0)]), dtype, to });
        Place::packed(Base::Value(to), dtype, 0, shape.clone())
    }

    /// One product for each entry of the broadcast leading axes.
    fn multiply_batch(&mut self, a: Place, b: Place, shape: &Shape) -> Place {
        let dtype = a.dtype;
        let (batch, matrix) = shape.split_at(shape.ndim() - 2);
        let inner = b.shape[b.shape.ndim() - 2];
        let (a, a_starts) = self.matrices(a, batch, [matrix[0], inner]);
        let (b, b_starts) = self.matrices(b, batch, [inner, matrix[1]]);
        let batch = a_starts.into_iter().zip(b_starts).collect();
        let to = self.value(dtype, shape.size(), None);
        self.units.push(Unit::Dot { a, b, batch, dtype, to });
        Place::packed(Base::Value(to), dtype, 0, shape.clone())
    }

    /// The first matrix of a batch, and where all of them begin behind it.
    fn matrices(
        &mut self,
        place: Place,
        batch: &[usize],
        [rows, columns]: [usize; 2],
    ) -> (MatrixPlace, Vec<usize>) {
        let rank = place.shape.ndim();
        let last = |place: &Place| (place.strides[rank - 2], place.strides[rank - 1]);
        let by_columns = |place: &Place| rows != 1 && last(place) == (1, rows as isize);
        let by_rows = |place: &Place| last(place) == (columns as isize, 1);
        let forward = place.strides.iter().all(|&stride| stride >= 0);
        let place = if forward && (by_columns(&place) || by_rows(&place)) { place } else { self.pack(place) };
        self.settle(place.base);
        let by_columns = !by_rows(&place) && by_columns(&place);
        let first = MatrixPlace { base: place.base, offset: place.offset, rows, columns, by_columns };
        let whole: Shape = batch.iter().copied().chain([rows, columns]).collect();
        let strides = place.stretched(&whole).strides;
        if rows * columns == 0 {
            return (first, vec![0; batch.iter().product()]);
        }
        let mut starts = vec![0];
        for (&size, &stride) in batch.iter().zip(&strides) {
            let entries = |start: usize| (0..size).map(move |i| start + i * stride as usize);
            starts = starts.into_iter().flat_map(entries).collect();
        }
        (first, starts)
    }

    /// The index along an axis: a line of them, stretched.
    fn ramp(&mut self, axis: &Axes, shape: &Shape) -> Place {
        let axis = axis.single().unwrap_or_default();
        let value = self.value(DType::I64, shape[axis], None);
        self.ramps.push((value, shape[axis]));
        let strides = (0..shape.ndim()).map(|k| isize::from(k == axis)).collect();
        Place { base: Base::Value(value), dtype: DType::I64, offset: 0, shape: shape.clone(), strides }
    }

    fn check(&mut self, place: Place, bound: usize, node: usize) -> Place {
        let place = self.packed(place);
        self.settle(place.base);
        let (from, offset, size) = (place.base, place.offset, place.shape.size());
        self.units.push(Unit::Check { from, offset, size, bound, node });
        place
    }

    fn assemble(&mut self, parts: Vec<(Place, Place)>, zeros: bool, shape: &Shape) -> Place {
        let dtype = parts.first().map_or(DType::F64, |(from, _)| from.dtype);
        let mut laid = Vec::with_capacity(parts.len());
        for (from, to) in parts {
            let from = self.packed(from);
            self.settle(from.base);
            laid.push((from, Target { offset: to.offset, strides: to.strides }));
        }
        let to = self.value(dtype, shape.size(), None);
        self.units.push(Unit::Assemble { parts: laid, zeros, size: shape.size(), dtype, to });
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
