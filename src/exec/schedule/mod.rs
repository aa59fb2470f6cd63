//! What is computed together, and what is only another view of something.
//!
//! Elementwise operations of as many elements, and reductions of their rows, are gathered in groups that run block by
//! block. A group stays open until one of its values is needed by something that reads it otherwise than it is computed;
//! so no open group ever depends on another.

mod again;
mod arrange;
mod reduce;
mod unit;

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use self::again::{FAR, is_cheap};
use self::reduce::COLUMNS;
pub(super) use self::reduce::segments;
pub(super) use self::unit::{
    Act, Bound, Constant, Group, Member, NewValue, Product, Span, Unit, kernel_dtype,
};
use super::code::{Code, Instruction};
use super::leaf::Lie;
use super::order::order;
use super::place::{Base, Place};
use super::plan::Options;
use crate::element::{DType, Literal};
use crate::graph::Signature;
use crate::kernels::Level;
use crate::ops::{Fold, Index, MatMul, Op, Reduce};
use crate::shape::Shape;

/// How many operations a group holds at most: its values in flight have to stay in the cache.
const GROUP: usize = 64;
/// The same for a group of numbers, which fit into the cache by the thousand.
const NUMBERS: usize = 1 << 14;

/// How long rows have to be for a loop to run over one at a time.
pub(super) const LONG: usize = 384;

#[derive(Clone, Copy, Debug)]
pub(super) struct ValueInfo {
    pub dtype: DType,
    pub size: usize,
    /// The open group it belongs to, and as what.
    group: Option<(u32, Span)>,
    pub constant: Option<Constant>,
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
    /// How cheap values were computed.
    recipes: HashMap<u32, (Op, SmallVec<[Place; 3]>)>,
    /// Values that groups compute.
    grouped: HashSet<u32>,
    /// Those of them that are read from memory anyhow.
    kept: HashSet<u32>,
    /// Values that were computed again.
    copies: HashMap<u32, u32>,
}

/// What is being laid out.
struct Source<'a> {
    code: &'a Code,
    shapes: &'a [Shape],
    places: Vec<Option<Place>>,
}

impl Source<'_> {
    fn signature(&self, instruction: u32) -> Signature {
        let at = instruction as usize;
        Signature { dtype: self.code.instructions[at].dtype, shape: self.shapes[at].clone() }
    }

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

    /// The first unit from which on nothing can fail: none before it may overwrite a leaf, since after an error
    /// nothing has changed.
    pub fn first_safe(&self) -> usize {
        let last = self.units.iter().rposition(|unit| match unit {
            Unit::Check { .. } => true,
            Unit::Whole { op, .. } => op.can_fail(),
            _ => false,
        });
        last.map_or(0, |last| last + 1)
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
            Op::Index(index @ (Index::Within(axis) | Index::Counted(axis))) => {
                let axis = axis.single().unwrap_or_default();
                let size = source.shapes[instruction.inputs[1] as usize][axis];
                let from_end = matches!(index, Index::Counted(_));
                self.check(operand(0), Bound { size, from_end }, at)
            }
            Op::Slicing(slicing) => self.slice(slicing, instruction, source, shape),
            Op::Random(_) => {
                let operands = [0, 1].iter().map(|&i| operand(0).element(i).stretched(shape)).collect();
                self.elementwise(instruction.op.clone(), operands, dtype, shape)
            }
            op if op.is_whole() => self.whole(at, source, shape),
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
        if size * dtype.size() >= FAR / 8 {
            self.grouped.insert(out);
        }
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
        let operands: SmallVec<[Place; 3]> = operands.into_iter().map(|p| self.again(p, shape)).collect();
        let (i, span) = self.home(&operands, shape);
        let group = &mut self.open[i].group;
        if group.columns.is_none() && span == Span::Full {
            let repeating = operands.iter().filter(|place| !place.is_single() && !place.is_packed());
            let columns = repeating.filter_map(Place::repeats).find(|&n| (LONG..=COLUMNS).contains(&n));
            group.columns = columns;
        }
        let far = shape.size() * dtype.size() >= FAR / 8;
        let kept = self.limit > 1 && span == Span::Full && far && is_cheap(&op);
        let recipe = kept.then(|| (op.clone(), operands.clone()));
        let out = self.append(i, Act::Map(op), span, operands, dtype);
        if let Some(recipe) = recipe {
            self.recipes.insert(out, recipe);
        }
        Place::packed(Base::Value(out), dtype, 0, shape.clone())
    }

    /// The group for an elementwise operation: that of its operands, if it can read them as they are computed.
    fn home(&mut self, operands: &[Place], shape: &Shape) -> (usize, Span) {
        let mut owners: SmallVec<[u32; 3]> =
            operands.iter().filter_map(|p| self.owner(p.base)).map(|owner| owner.0).collect();
        owners.sort_unstable();
        owners.dedup();
        // No open group depends on another, so the other owners can be closed before it.
        let fitting = |id: &u32| self.find(*id).is_some_and(|i| self.fits(i, operands, shape).is_some());
        let chosen = owners
            .iter()
            .copied()
            .filter(fitting)
            .max_by_key(|&id| self.find(id).map(|i| self.open[i].group.size));
        for owner in owners {
            if Some(owner) != chosen {
                self.flush(owner);
            }
        }
        if let Some(i) = chosen.and_then(|id| self.find(id))
            && let Some(span) = self.fits(i, operands, shape)
        {
            return (i, span);
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

    fn check(&mut self, place: Place, bound: Bound, instruction: u32) -> Place {
        let place = self.packed(place);
        self.settle(place.base);
        self.units.push(Unit::Check { from: place.clone(), bound, instruction });
        place
    }

    fn whole(&mut self, at: u32, source: &Source<'_>, shape: &Shape) -> Place {
        let instruction = &source.code.instructions[at as usize];
        let Instruction { op, inputs, dtype, .. } = instruction;
        let read = |k: usize| op.reads(k).then(|| source.operand(instruction, k));
        let mut operands: Vec<Option<Place>> = (0..inputs.len()).map(read).collect();
        for place in operands.iter_mut().flatten() {
            *place = self.packed(place.clone());
            self.settle(place.base);
        }
        let signature = |&input: &u32| source.signature(input);
        let signatures: Vec<Signature> = inputs.iter().map(signature).collect();
        let result = Signature { dtype: *dtype, shape: shape.clone() };
        let scratch = op.scratch_len(&signatures, &result);
        let to = self.value(*dtype, shape.size(), None);
        self.units.push(Unit::Whole {
            instruction: at,
            op: op.clone(),
            signatures,
            operands,
            result,
            scratch,
            to,
        });
        Place::packed(Base::Value(to), *dtype, 0, shape.clone())
    }
}
