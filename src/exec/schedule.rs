//! What is computed together, and what is only another view of something.
//!
//! Elementwise operations of as many elements, and reductions of their rows, are gathered in groups that run block by
//! block. A group stays open until one of its values is needed by something that reads it otherwise than it is computed;
//! so no open group ever depends on another.

use smallvec::SmallVec;

use super::code::{Code, Instruction};
use super::leaf::Lie;
use super::order::order;
use super::place::{Base, Place};
use super::plan::Options;
use crate::element::{DType, Literal};
use crate::kernels::{Level, Middle};
use crate::ops::{Binary, Fold, Index, Layout, Logic, MatMul, Op, Reduce, Slicing};
use crate::shape::{Axes, Run, Shape, Strides};

/// How many operations a group holds at most: its values in flight have to stay in the cache.
const GROUP: usize = 64;
/// The same for a group of numbers, which fit into the cache by the thousand.
const NUMBERS: usize = 1 << 14;
/// How long the rows of a group may be: several have to stay in the cache.
const COLUMNS: usize = 4096;

/// How long rows have to be for a loop to run over one at a time.
pub(super) const LONG: usize = 384;

/// What a member of a group does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// An elementwise operation.
    Map(Op),
    /// A reduction of every row, divided by a count.
    Rows(Fold, Option<f64>),
    /// A reduction of all elements, divided by a count.
    Total(Fold, Option<f64>),
}

/// How many elements a member of a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// One for every element of the group.
    Full,
    /// One for every row.
    Row,
    /// One, which is there when the group has run.
    After,
}

/// A step of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub act: Act,
    pub span: Span,
    /// The operands, stretched to the elements that the member reads.
    pub operands: SmallVec<[Place; 3]>,
    pub out: u32,
}

/// Members that run block by block.
#[derive(Debug)]
pub(super) struct Group {
    pub size: usize,
    /// The length of rows, if there are any.
    pub columns: Option<usize>,
    pub members: Vec<Member>,
}

/// A product of matrices, or of batches of them: `(.., m, k) · (.., k, n)`.
#[derive(Debug)]
pub(super) struct Product {
    pub a: Place,
    pub b: Place,
    pub dtype: DType,
    pub to: u32,
    /// Added, times this factor, to a leaf; else it stands for itself.
    pub onto: Option<(u32, f64)>,
}

/// What is done at one go.
#[derive(Debug)]
pub(super) enum Unit {
    Group(Group),
    Pack {
        from: Place,
        to: u32,
    },
    Fold {
        fold: Fold,
        from: Place,
        axis: Middle,
        divisor: Option<f64>,
        to: u32,
    },
    Product(Product),
    /// Parts laid into an array, over zeros if they do not fill it.
    Assemble {
        parts: Vec<Part>,
        zeros: bool,
        dtype: DType,
        to: u32,
    },
    /// An operation on whole operands in C order; of some it needs the shape alone.
    Whole {
        op: Op,
        shapes: Vec<Shape>,
        operands: Vec<Option<Place>>,
        dtype: DType,
        scratch: usize,
        to: u32,
    },
    /// Refuses indices that are not below `bound`.
    Check {
        from: Place,
        bound: usize,
        instruction: u32,
    },
}

/// A part of an array, and where it goes among the packed elements of the whole.
#[derive(Debug)]
pub(super) struct Part {
    pub from: Place,
    pub offset: usize,
    pub strides: Strides,
}

/// What a value is known to be before the run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Constant {
    /// A number.
    Number(Literal),
    /// 0, 1, 2, …
    Ramp,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ValueInfo {
    pub dtype: DType,
    pub size: usize,
    /// The open group it belongs to, and as what.
    group: Option<(u32, Span)>,
    pub constant: Option<Constant>,
}

/// The new value of a parameter.
#[derive(Debug)]
pub(super) struct NewValue {
    pub leaf: u32,
    pub place: Place,
}

struct OpenGroup {
    id: u32,
    shape: Shape,
    group: Group,
}

/// The units in the order in which they run.
#[derive(Default)]
pub(super) struct Schedule {
    pub units: Vec<Unit>,
    pub values: Vec<ValueInfo>,
    /// Packed places of the outputs.
    pub outputs: Vec<Place>,
    pub updates: Vec<NewValue>,
    open: Vec<OpenGroup>,
    groups: u32,
    limit: usize,
    limit_of_numbers: usize,
    /// The instructions of the machine that numbers are computed with.
    level: Level,
}

/// What is being laid out.
struct Source<'a> {
    code: &'a Code,
    shapes: &'a [Shape],
    places: Vec<Option<Place>>,
}

impl Source<'_> {
    fn place(&self, instruction: u32) -> Place {
        let place = self.places[instruction as usize].clone();
        place.expect("an operand that is read has been computed")
    }

    fn operand(&self, instruction: &Instruction, k: usize) -> Place {
        self.place(instruction.inputs[k])
    }
}

impl Schedule {
    pub fn new(code: &Code, shapes: &[Shape], leaves: &[Lie], options: Options) -> Self {
        let Options { fuse, level, .. } = options;
        let (limit, limit_of_numbers) = if fuse { (GROUP, NUMBERS) } else { (1, 1) };
        let mut schedule = Self { limit, limit_of_numbers, level, ..Self::default() };
        let mut source = Source { code, shapes, places: vec![None; shapes.len()] };
        for (i, (source_leaf, lie)) in code.leaves.iter().zip(leaves).enumerate() {
            let at = source_leaf.instruction as usize;
            source.places[at] = Some(Place {
                base: Base::Leaf(i as u32),
                dtype: code.instructions[at].dtype,
                offset: lie.offset,
                shape: shapes[at].clone(),
                strides: lie.strides.clone(),
            });
        }
        // Outputs that are leaves show their values from before any update.
        let mut outputs: Vec<Option<Place>> = vec![None; code.outputs.len()];
        for (output, &at) in outputs.iter_mut().zip(&code.outputs) {
            if code.instructions[at as usize].op.is_leaf() {
                *output = Some(schedule.pack(source.place(at)));
            }
        }
        for step in order(code, fuse) {
            schedule.visit(step.instruction, &mut source);
            for &value in &step.settles {
                let base = source.place(value).base;
                schedule.settle(base);
            }
        }
        for (output, &at) in outputs.into_iter().zip(&code.outputs) {
            let place = match output {
                Some(place) => place,
                None => schedule.result(source.place(at)),
            };
            schedule.outputs.push(place);
        }
        for &(leaf, value) in &code.updates {
            let place = schedule.result(source.place(value));
            schedule.updates.push(NewValue { leaf, place });
        }
        while let Some(group) = schedule.open.first() {
            let id = group.id;
            schedule.flush(id);
        }
        schedule
    }

    /// A place that lies packed in the buffer.
    fn result(&mut self, place: Place) -> Place {
        match place.base {
            Base::Leaf(_) => self.pack(place),
            Base::Value(_) => self.packed(place),
        }
    }

    fn visit(&mut self, at: u32, source: &mut Source<'_>) {
        let instruction = &source.code.instructions[at as usize];
        if !instruction.live || instruction.op.is_leaf() {
            return;
        }
        let shape = &source.shapes[at as usize];
        let dtype = instruction.dtype;
        let operand = |k: usize| source.operand(instruction, k);
        let place = match &instruction.op {
            Op::Literal(literal) => self.constant(*literal, shape),
            // When it is computed, the order in which instructions are listed says.
            Op::Order(_) => operand(0),
            Op::Layout(layout) => self.arrange(layout, operand(0), shape),
            Op::Reduce(Reduce { fold: Fold::Size, axes, .. }) => {
                let operand = &source.shapes[instruction.inputs[0] as usize];
                let count: usize = axes.iter().map(|axis| operand[axis]).product();
                self.constant(Literal::rounded(count as f64, dtype), shape)
            }
            Op::Reduce(Reduce { fold, axes, .. }) => {
                let place = self.reduce(*fold, operand(0), axes, dtype);
                Place { strides: shape.c_strides(), shape: shape.clone(), ..place }
            }
            Op::MatMul(MatMul::Dot) => self.multiply(operand(0), operand(1), shape),
            Op::MatMul(MatMul::MatMul) => self.multiply_batch(&operand(0), &operand(1), shape),
            Op::Index(Index::Along(axis)) => self.ramp(axis, shape),
            Op::Index(Index::Within(axis)) => {
                let axis = axis.single().unwrap_or_default();
                self.check(operand(0), source.shapes[instruction.inputs[1] as usize][axis], at)
            }
            Op::Slicing(slicing) => self.slice(slicing, instruction, source, shape),
            Op::Window(_) => self.whole(instruction, source, shape),
            op => {
                let operands = (0..instruction.inputs.len()).map(|k| operand(k).stretched(shape)).collect();
                self.elementwise(op.clone(), operands, dtype, shape)
            }
        };
        source.places[at as usize] = Some(place);
    }

    fn value(&mut self, dtype: DType, size: usize, group: Option<(u32, Span)>) -> u32 {
        self.values.push(ValueInfo { dtype, size, group, constant: None });
        self.values.len() as u32 - 1
    }

    fn constant(&mut self, literal: Literal, shape: &Shape) -> Place {
        let value = self.value(literal.dtype(), 1, None);
        self.values[value as usize].constant = Some(Constant::Number(literal));
        Place::packed(Base::Value(value), literal.dtype(), 0, Shape::scalar()).stretched(shape)
    }

    fn as_number(&self, place: &Place) -> Option<Literal> {
        let Base::Value(value) = place.base else { return None };
        match self.values[value as usize].constant {
            Some(Constant::Number(literal)) if place.is_single() => Some(literal),
            _ => None,
        }
    }

    fn owner(&self, base: Base) -> Option<(u32, Span)> {
        match base {
            Base::Value(value) => self.values[value as usize].group,
            Base::Leaf(_) => None,
        }
    }

    /// Closes the group that a value belongs to, so that it can be read in any way.
    fn settle(&mut self, base: Base) {
        if let Some((group, _)) = self.owner(base) {
            self.flush(group);
        }
    }

    fn flush(&mut self, id: u32) {
        if let Some(i) = self.open.iter().position(|group| group.id == id) {
            let OpenGroup { group, .. } = self.open.remove(i);
            for member in &group.members {
                self.values[member.out as usize].group = None;
            }
            self.units.push(Unit::Group(group));
        }
    }

    fn find(&self, id: u32) -> Option<usize> {
        self.open.iter().position(|group| group.id == id)
    }

    fn open(&mut self, shape: &Shape) -> usize {
        self.groups += 1;
        let group = Group { size: shape.size(), columns: None, members: Vec::new() };
        self.open.push(OpenGroup { id: self.groups, shape: shape.clone(), group });
        self.open.len() - 1
    }

    fn append(
        &mut self,
        i: usize,
        act: Act,
        span: Span,
        operands: SmallVec<[Place; 3]>,
        dtype: DType,
    ) -> u32 {
        let OpenGroup { id, group, .. } = &self.open[i];
        let id = *id;
        let size = match span {
            Span::Full => group.size,
            Span::Row => group.size / group.columns.unwrap_or(1),
            Span::After => 1,
        };
        let out = self.value(dtype, size, Some((id, span)));
        let group = &mut self.open[i].group;
        group.members.push(Member { act, span, operands, out });
        if group.members.len() >= if group.size == 1 { self.limit_of_numbers } else { self.limit } {
            self.flush(id);
        }
        out
    }

    fn elementwise(&mut self, op: Op, operands: SmallVec<[Place; 3]>, dtype: DType, shape: &Shape) -> Place {
        let numbers: SmallVec<[Option<Literal>; 3]> = operands.iter().map(|p| self.as_number(p)).collect();
        if let Some(literal) = op.evaluate(self.level, &numbers) {
            return self.constant(literal, shape);
        }
        let (i, span) = self.home(&operands, shape);
        let group = &mut self.open[i].group;
        if group.columns.is_none() && span == Span::Full {
            let repeating = operands.iter().filter(|place| !place.is_single() && !place.is_packed());
            let columns = repeating.filter_map(Place::repeats).find(|&n| (LONG..=COLUMNS).contains(&n));
            group.columns = columns;
        }
        let out = self.append(i, Act::Map(op), span, operands, dtype);
        Place::packed(Base::Value(out), dtype, 0, shape.clone())
    }

    /// The group for an elementwise operation: that of its operands, if it can read them as they are computed.
    fn home(&mut self, operands: &[Place], shape: &Shape) -> (usize, Span) {
        let mut owners: SmallVec<[u32; 3]> =
            operands.iter().filter_map(|p| self.owner(p.base)).map(|o| o.0).collect();
        owners.dedup();
        if let [only] = owners[..]
            && let Some(i) = self.find(only)
            && let Some(span) = self.fits(i, operands, shape)
        {
            return (i, span);
        }
        for owner in owners {
            self.flush(owner);
        }
        let i = self.open.iter().position(|group| group.shape == *shape);
        (i.unwrap_or_else(|| self.open(shape)), Span::Full)
    }

    /// As what an operation of this shape can be a member of a group that has computed some of its operands.
    fn fits(&self, i: usize, operands: &[Place], shape: &Shape) -> Option<Span> {
        let OpenGroup { id, group, .. } = &self.open[i];
        let readable = |wanted: Span| {
            operands.iter().all(|place| match self.owner(place.base) {
                Some((owner, span)) if owner == *id => match (wanted, span) {
                    (Span::Full, Span::Full) | (Span::Row, Span::Row) => place.is_packed(),
                    (Span::Full, Span::Row) => group.columns.is_some_and(|columns| place.is_row(columns)),
                    _ => false,
                },
                _ => true,
            })
        };
        let size = shape.size();
        if size == group.size && readable(Span::Full) {
            return Some(Span::Full);
        }
        let rows = group.columns.map(|columns| group.size / columns);
        (rows == Some(size) && readable(Span::Row)).then_some(Span::Row)
    }

    fn pack(&mut self, from: Place) -> Place {
        self.settle(from.base);
        let to = self.value(from.dtype, from.size(), None);
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

    /// A packed value; the shape is for the caller to say.
    fn reduce(&mut self, fold: Fold, mut place: Place, axes: &Axes, dtype: DType) -> Place {
        let reduced = |axis: usize| axes.contains(axis);
        let count: usize = axes.iter().map(|axis| place.shape[axis]).product();
        let mut segments = segments(&place.shape, reduced);
        let scattered = segments.iter().filter(|segment| segment.1).count() > 1;
        if fold == Fold::ArgMax && scattered {
            // An index counts over all reduced axes, so they have to lie together.
            let axes = (0..place.shape.ndim()).filter(|&axis| !reduced(axis)).chain(axes.iter());
            let kept = place.size() / count.max(1);
            segments = vec![(kept, false), (count, true)];
            place = self.pack(place.permuted(axes.collect::<Vec<_>>().into_iter()));
        }
        if !segments.iter().any(|segment| segment.1) {
            segments.push((1, true));
        }
        while let Some(last) = segments.iter().rposition(|segment| segment.1) {
            let (middle, _) = segments.remove(last);
            let product = |segments: &[(usize, bool)]| segments.iter().map(|segment| segment.0).product();
            let axis =
                Middle { outer: product(&segments[..last]), middle, inner: product(&segments[last..]) };
            let done = !segments.iter().any(|segment| segment.1);
            let divisor = (fold == Fold::Mean && done).then_some(count as f64);
            place = self.reduce_axis(fold, divisor, place, axis, dtype);
        }
        place
    }

    /// Reduces one axis.
    fn reduce_axis(
        &mut self,
        fold: Fold,
        divisor: Option<f64>,
        place: Place,
        axis: Middle,
        dtype: DType,
    ) -> Place {
        let Middle { outer, middle, inner } = axis;
        let blockwise = matches!(fold, Fold::Sum | Fold::Mean | Fold::Max | Fold::Min) && dtype.is_float();
        if blockwise && inner == 1 && middle > 1 {
            if middle <= COLUMNS {
                return self.reduce_rows(Act::Rows(fold, divisor), Span::Row, middle, place, dtype);
            } else if outer == 1 {
                return self.reduce_rows(Act::Total(fold, divisor), Span::After, middle, place, dtype);
            }
        }
        let from = self.packed(place);
        self.settle(from.base);
        let to = self.value(dtype, outer * inner, None);
        self.units.push(Unit::Fold { fold, from, axis, divisor, to });
        Place::packed(Base::Value(to), dtype, 0, Shape::from([outer * inner]))
    }

    /// A reduction as a member of a group.
    fn reduce_rows(&mut self, act: Act, span: Span, columns: usize, place: Place, dtype: DType) -> Place {
        let fits = |open: &OpenGroup| {
            open.group.size == place.size()
                && (span == Span::After || open.group.columns.is_none_or(|known| known == columns))
        };
        let i = match self.owner(place.base) {
            Some((owner, Span::Full)) if place.is_packed() => {
                self.find(owner).filter(|&i| fits(&self.open[i]))
            }
            Some(_) => None,
            None => self.open.iter().position(|open| open.shape == place.shape && fits(open)),
        };
        if i.is_none() {
            self.settle(place.base);
        }
        let i = i.unwrap_or_else(|| self.open(&place.shape));
        if span == Span::Row {
            self.open[i].group.columns = Some(columns);
        }
        let out = self.append(i, act, span, SmallVec::from_iter([place]), dtype);
        let size = self.values[out as usize].size;
        Place::packed(Base::Value(out), dtype, 0, Shape::from([size]))
    }

    fn multiply_batch(&mut self, a: &Place, b: &Place, shape: &Shape) -> Place {
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
    fn ramp(&mut self, axis: &Axes, shape: &Shape) -> Place {
        let axis = axis.single().unwrap_or_default();
        let value = self.value(DType::I64, shape[axis], None);
        self.values[value as usize].constant = Some(Constant::Ramp);
        let strides = (0..shape.ndim()).map(|k| isize::from(k == axis)).collect();
        Place { base: Base::Value(value), dtype: DType::I64, offset: 0, shape: shape.clone(), strides }
    }

    fn check(&mut self, place: Place, bound: usize, instruction: u32) -> Place {
        let place = self.packed(place);
        self.settle(place.base);
        self.units.push(Unit::Check { from: place.clone(), bound, instruction });
        place
    }

    fn slice(
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

    fn whole(&mut self, instruction: &Instruction, source: &Source<'_>, shape: &Shape) -> Place {
        let Instruction { op, inputs, dtype, .. } = instruction;
        let read = |k: usize| op.reads(k).then(|| source.operand(instruction, k));
        let mut operands: Vec<Option<Place>> = (0..inputs.len()).map(read).collect();
        for place in operands.iter_mut().flatten() {
            *place = self.packed(place.clone());
            self.settle(place.base);
        }
        let shapes: Vec<Shape> = inputs.iter().map(|&input| source.shapes[input as usize].clone()).collect();
        let scratch = op.scratch_len(*dtype, &shapes);
        let to = self.value(*dtype, shape.size(), None);
        self.units.push(Unit::Whole { op: op.clone(), shapes, operands, dtype: *dtype, scratch, to });
        Place::packed(Base::Value(to), *dtype, 0, shape.clone())
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

    fn multiply(&mut self, a: Place, b: Place, shape: &Shape) -> Place {
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

/// Sizes of neighbouring axes that are both reduced or both kept, multiplied; axes of size 1 do not count.
pub(super) fn segments(shape: &[usize], reduced: impl Fn(usize) -> bool) -> Vec<(usize, bool)> {
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
pub(super) fn kernel_dtype(op: &Op, operands: &[DType]) -> DType {
    match op {
        Op::Logic(Logic::Select) => operands[1],
        _ => operands[0],
    }
}
