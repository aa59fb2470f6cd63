//! The formula laid out for one set of leaf shapes: every unit as steps, every value at its place in one buffer.

use hashbrown::HashMap;

use super::accumulate::accumulate;
use super::blocks::{self, Blocks};
use super::code::Code;
use super::leaf::Lie;
use super::life::{Life, Stores, lives, outs};
use super::memory::Pool;
use super::place::{Base, Place};
use super::report::Timing;
use super::scalars::{Scalars, scalars};
use super::schedule::{Act, Constant, Group, Product, Schedule, Span, Unit};
use super::step::{Step, Target, Work};
use crate::element::{DType, Literal};
use crate::error::Result;
use crate::kernels::{Arena, Call, Extent, Home, LINE, Layout, LeafExtent, Level, Loop, Slot, Span as Reach};
use crate::shape::Shape;

/// How a plan is made and run. The tests try all; users get the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Whether operations are done together.
    pub fuse: bool,
    /// Bytes of a value that a block holds.
    pub block: usize,
    /// The instructions of the machine that kernels use.
    pub level: Level,
}

impl Default for Options {
    fn default() -> Self {
        Self { fuse: true, block: 4096, level: Level::detect() }
    }
}

/// A result of a run, packed in the buffer.
pub(super) struct ResultPlace {
    pub dtype: DType,
    /// In bytes.
    pub offset: usize,
    pub shape: Shape,
}

/// Steps, and the memory that they run in.
pub(super) struct Plan {
    pub leaves: Vec<Lie>,
    pub steps: Vec<Step>,
    /// Whether any step is worth several threads.
    pub parallel: bool,
    pub arena: Arena,
    pub extent: Extent,
    pub outputs: Vec<ResultPlace>,
    /// New values of parameters that are copied at the end, by leaf.
    pub copies: Vec<(u32, ResultPlace)>,
    /// What the steps compute.
    pub schedule: Schedule,
    pub timing: Timing,
}

impl Plan {
    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.arena.bytes() + self.steps.len() * size_of::<Step>()
    }

    pub fn new(code: &Code, leaves: Vec<Lie>, options: Options) -> Result<Self> {
        let leaf_shapes: Vec<Shape> = leaves.iter().map(|lie| lie.shape.clone()).collect();
        let shapes = code.infer(&leaf_shapes)?;
        let mut schedule = Schedule::new(code, &shapes, &leaves, options);
        let mut stores = if options.fuse { Stores::find(&schedule, &leaves) } else { Stores::default() };
        if options.fuse {
            accumulate(&mut schedule, &mut stores);
        }
        let plan = Layouter::new(&schedule, &stores, code, options).lay_out(leaves);
        Ok(Self { schedule, ..plan })
    }
}

/// What a unit is run as, before the size of working memory is known.
enum Prepared {
    Loop(Blocks),
    Scalars(Scalars, Vec<Slot>, Vec<Slot>),
    Nothing,
}

impl Prepared {
    fn scratch(&self) -> usize {
        if let Self::Loop(blocks) = self { blocks.scratch } else { 0 }
    }
}

struct Layouter<'a> {
    schedule: &'a Schedule,
    stores: &'a Stores,
    code: &'a Code,
    options: Options,
    lives: Vec<Life>,
    pool: Pool,
    /// Where values that escape lie, in bytes.
    offsets: Vec<usize>,
    /// Where totals are kept in parts, one for each block, and where an operation keeps what it needs meanwhile: in bytes.
    partials: HashMap<u32, usize>,
}

impl<'a> Layouter<'a> {
    fn new(schedule: &'a Schedule, stores: &'a Stores, code: &'a Code, options: Options) -> Self {
        Self {
            schedule,
            stores,
            code,
            options,
            lives: lives(schedule, stores),
            pool: Pool::default(),
            offsets: vec![0; schedule.values.len()],
            partials: HashMap::new(),
        }
    }

    fn bytes(&self, value: u32) -> usize {
        let info = self.schedule.values[value as usize];
        (info.size * info.dtype.size()).next_multiple_of(LINE)
    }

    fn lay_out(mut self, leaves: Vec<Lie>) -> Plan {
        self.place_values();
        let prepared: Vec<Prepared> = self.schedule.units.iter().map(|unit| self.prepare(unit)).collect();
        let written = self.written(leaves.len());
        let extent = Extent {
            arena: self.pool.length(),
            scratch: prepared.iter().map(Prepared::scratch).max().unwrap_or(0),
            leaves: leaves
                .iter()
                .zip(&self.code.leaves)
                .zip(written)
                .map(|((lie, source), written)| {
                    let instruction = &self.code.instructions[source.instruction as usize];
                    // Of some only the shape is needed.
                    let length = if instruction.live { length(lie) } else { 0 };
                    LeafExtent { dtype: instruction.dtype, length, written }
                })
                .collect(),
        };
        let mut steps: Vec<Step> = Vec::with_capacity(self.schedule.units.len());
        for (u, (unit, prepared)) in self.schedule.units.iter().zip(prepared).enumerate() {
            self.steps(u, unit, prepared, &extent, &mut steps);
        }
        let mut arena = Arena::new(extent.arena);
        for (value, info) in self.schedule.values.iter().enumerate() {
            match info.constant {
                Some(Constant::Number(literal)) => set(&mut arena, self.offsets[value], literal),
                Some(Constant::Ramp) => (0..info.size).for_each(|i| {
                    arena.set(self.offsets[value] + i * size_of::<i64>(), i as i64);
                }),
                None => {}
            }
        }
        let outputs = self.schedule.outputs.iter().map(|place| self.result(place)).collect();
        let stored =
            |place: &Place| matches!(place.base, Base::Value(value) if self.stores.0.contains_key(&value));
        let copied = self.schedule.updates.iter().filter(|update| !stored(&update.place));
        let copies = copied.map(|update| (update.leaf, self.result(&update.place))).collect();
        let parallel = steps.iter().any(Step::is_worth_threads);
        let (schedule, timing) = (Schedule::default(), Timing::default());
        Plan { leaves, steps, parallel, arena, extent, outputs, copies, schedule, timing }
    }

    fn result(&self, place: &Place) -> ResultPlace {
        let Base::Value(value) = place.base else { unreachable!("results lie in the buffer") };
        let offset = self.offsets[value as usize] + place.offset * place.dtype.size();
        ResultPlace { dtype: place.dtype, offset, shape: place.shape.clone() }
    }

    /// Which leaves are overwritten.
    fn written(&self, leaves: usize) -> Vec<bool> {
        let mut written = vec![false; leaves];
        for &leaf in self.stores.0.values() {
            written[leaf as usize] = true;
        }
        written
    }

    /// A place for every value, for as long as it is needed.
    fn place_values(&mut self) {
        let units = self.schedule.units.len();
        for (value, info) in self.schedule.values.iter().enumerate() {
            if info.constant.is_some() {
                let bytes = self.bytes(value as u32);
                self.offsets[value] = self.pool.take(bytes);
            }
        }
        let mut dying: Vec<Vec<u32>> = vec![Vec::new(); units];
        for (value, life) in self.lives.iter().enumerate() {
            if life.escapes && life.born < units && life.last < units {
                dying[life.last].push(value as u32);
            }
        }
        for (u, unit) in self.schedule.units.iter().enumerate() {
            for value in outs(unit) {
                if self.lives[value as usize].escapes {
                    let bytes = self.bytes(value);
                    self.offsets[value as usize] = self.pool.take(bytes);
                }
            }
            let parts = self.take_parts(unit);
            parts.into_iter().for_each(|(offset, bytes)| self.pool.give_back(offset, bytes));
            for &value in &dying[u] {
                let (offset, bytes) = (self.offsets[value as usize], self.bytes(value));
                self.pool.give_back(offset, bytes);
            }
        }
    }

    /// Places for the parts of totals, which are needed until the unit is done.
    fn take_parts(&mut self, unit: &Unit) -> Vec<(usize, usize)> {
        let group = match unit {
            Unit::Group(group) => group,
            Unit::Whole { result, scratch, to, .. } => {
                let bytes = (scratch * result.dtype.size()).next_multiple_of(LINE);
                let offset = self.pool.take(bytes);
                self.partials.insert(*to, offset);
                return vec![(offset, bytes)];
            }
            _ => return Vec::new(),
        };
        let blocks = blocks::domain(group, self.options.block).blocks();
        let totals = group.members.iter().filter(|member| blocks > 1 && member.span == Span::After);
        totals
            .map(|member| {
                let size = self.schedule.values[member.out as usize].dtype.size();
                let bytes = (blocks * size).next_multiple_of(LINE);
                let offset = self.pool.take(bytes);
                self.partials.insert(member.out, offset);
                (offset, bytes)
            })
            .collect()
    }

    /// What lies at an operand's place, all of it: the lowest element, and the number of elements up to the highest.
    fn region(&self, place: &Place) -> (Slot, usize) {
        let (low, length, first) = place.range();
        let slot = self.slot(place.base, place.dtype, low, Reach::Whole(length));
        (slot, first)
    }

    fn slot(&self, base: Base, dtype: DType, element: usize, span: Reach) -> Slot {
        let offset = element * dtype.size();
        match base {
            Base::Leaf(leaf) => Slot { home: Home::Leaf(leaf), offset, dtype, span },
            Base::Value(value) => match self.stores.0.get(&value) {
                Some(&leaf) => Slot { home: Home::Leaf(leaf), offset, dtype, span },
                None => {
                    Slot { home: Home::Arena, offset: self.offsets[value as usize] + offset, dtype, span }
                }
            },
        }
    }

    fn whole(&self, value: u32) -> Slot {
        let info = self.schedule.values[value as usize];
        self.slot(Base::Value(value), info.dtype, 0, Reach::Whole(info.size))
    }

    fn prepare(&self, unit: &Unit) -> Prepared {
        let at = blocks::Context {
            slot: &|base, dtype, element, span| self.slot(base, dtype, element, span),
            region: &|place| self.region(place),
            info: &|value| self.schedule.values[value as usize],
            escapes: &|value| self.lives[value as usize].escapes,
            stored: &|value| self.stores.0.contains_key(&value),
            partials: &|value| self.partials[&value],
            options: self.options,
        };
        match unit {
            Unit::Group(group) => match scalars(group, &at) {
                Some((code, reads, writes)) => Prepared::Scalars(code, reads, writes),
                None => Prepared::Loop(blocks::group(group, &at)),
            },
            Unit::Pack { from, to } => Prepared::Loop(blocks::pack(from, *to, &at)),
            _ => Prepared::Nothing,
        }
    }

    fn steps(&self, u: usize, unit: &Unit, prepared: Prepared, extent: &Extent, steps: &mut Vec<Step>) {
        match unit {
            Unit::Group(Group { .. }) | Unit::Pack { .. } => {
                let blocks = match prepared {
                    Prepared::Loop(blocks) => blocks,
                    Prepared::Scalars(code, reads, writes) => {
                        let effort = code.len();
                        let work = Work::Scalars { call: Call::new(&reads, &writes, extent), code };
                        return steps.push(Step { work, unit: u, effort });
                    }
                    Prepared::Nothing => return,
                };
                let parts = blocks.domain.blocks();
                let work = Work::Loop(Loop::new(blocks.domain, blocks.code, extent));
                steps.push(Step { work, unit: u, effort: blocks.effort });
                for (value, act) in blocks.totals {
                    steps.push(self.parts(u, value, &act, parts, extent));
                }
            }
            Unit::Fold { fold, from, axis, divisor, to } => {
                let slot = self.slot(from.base, from.dtype, from.offset, Reach::Whole(from.size()));
                let call = Call::new(&[slot], &[self.whole(*to)], extent);
                let work =
                    Work::Fold { call, fold: *fold, dtype: from.dtype, axis: *axis, divisor: *divisor };
                steps.push(Step { work, unit: u, effort: from.size() });
            }
            Unit::Product(product) => steps.push(self.product(u, product, extent)),
            Unit::Assemble { parts, zeros, dtype, to } => {
                let whole = |place: &Place| {
                    self.slot(place.base, place.dtype, place.offset, Reach::Whole(place.size()))
                };
                let reads: Vec<Slot> = parts.iter().map(|part| whole(&part.from)).collect();
                let call = Call::new(&reads, &[self.whole(*to)], extent);
                let parts: Vec<Target> = parts
                    .iter()
                    .map(|part| Target {
                        shape: part.from.shape.clone(),
                        offset: part.offset,
                        strides: part.strides.clone(),
                    })
                    .collect();
                let effort = self.schedule.values[*to as usize].size;
                steps.push(Step {
                    work: Work::Assemble { call, parts, zeros: *zeros, dtype: *dtype },
                    unit: u,
                    effort,
                });
            }
            Unit::Whole { instruction, op, signatures, operands, result, scratch, to } => {
                let read = |place: &Place| {
                    self.slot(place.base, place.dtype, place.offset, Reach::Whole(place.size()))
                };
                let reads: Vec<Slot> = operands.iter().flatten().map(read).collect();
                let own = Slot {
                    home: Home::Arena,
                    offset: self.partials[to],
                    dtype: result.dtype,
                    span: Reach::Whole(*scratch),
                };
                let work = Work::Whole {
                    call: Call::new(&reads, &[self.whole(*to), own], extent),
                    instruction: *instruction,
                    op: op.clone(),
                    signatures: signatures.clone(),
                    reads: operands.iter().map(Option::is_some).collect(),
                    result: result.clone(),
                };
                steps.push(Step { work, unit: u, effort: op.flops(signatures, result) / 8 });
            }
            Unit::Check { from, bound, instruction } => {
                let slot = self.slot(from.base, from.dtype, from.offset, Reach::Whole(from.size()));
                let call = Call::new(&[slot], &[], extent);
                let work = Work::Check { call, bound: *bound, instruction: *instruction };
                steps.push(Step { work, unit: u, effort: from.size() });
            }
        }
    }

    /// Brings the parts of a total together.
    fn parts(&self, u: usize, value: u32, act: &Act, parts: usize, extent: &Extent) -> Step {
        let dtype = self.schedule.values[value as usize].dtype;
        let (fold, divisor) = match *act {
            Act::Total(fold, divisor) => (fold, divisor),
            _ => unreachable!("only totals come in parts"),
        };
        let from =
            Slot { home: Home::Arena, offset: self.partials[&value], dtype, span: Reach::Whole(parts) };
        let call = Call::new(&[from], &[self.whole(value)], extent);
        Step { work: Work::Parts { call, fold, dtype, divisor }, unit: u, effort: parts }
    }

    fn matrix(&self, place: &Place) -> (Slot, Layout) {
        let (slot, offset) = self.region(place);
        let first = place.shape.ndim() - 2;
        let ([rows, columns], [row_stride, column_stride]) =
            ([0, 1].map(|k| place.shape[first + k]), [0, 1].map(|k| place.strides[first + k]));
        (slot, Layout { offset, rows, columns, row_stride, column_stride })
    }

    fn product(&self, u: usize, product: &Product, extent: &Extent) -> Step {
        let Product { a, b, dtype, to, onto } = product;
        let ((x, p), (y, q)) = (self.matrix(a), self.matrix(b));
        let batch: Vec<(isize, isize)> = starts(a).into_iter().zip(starts(b)).collect();
        let effort = batch.len() * p.rows * p.columns * q.columns / 8;
        let call = Call::new(&[x, y], &[self.whole(*to)], extent);
        let onto = onto.map(|(_, factor)| factor);
        Step { work: Work::Product { call, a: p, b: q, batch, dtype: *dtype, onto }, unit: u, effort }
    }
}

/// How far behind the first one each matrix of a batch begins.
fn starts(place: &Place) -> Vec<isize> {
    let batch = place.shape.ndim() - 2;
    let mut starts = vec![0];
    for (&size, &stride) in place.shape[..batch].iter().zip(&place.strides) {
        let entries = |start: isize| (0..size as isize).map(move |i| start + i * stride);
        starts = starts.into_iter().flat_map(entries).collect();
    }
    starts
}

/// How many elements of a leaf's memory its lie reaches over.
fn length(lie: &Lie) -> usize {
    if lie.shape.contains(&0) {
        return 0;
    }
    let axes = lie.shape.iter().zip(&lie.strides);
    axes.map(|(&size, &stride)| (size - 1) * stride.unsigned_abs()).sum::<usize>() + 1
}

fn set(arena: &mut Arena, offset: usize, literal: Literal) {
    match literal {
        Literal::F32(bits) => arena.set(offset, f32::from_bits(bits)),
        Literal::F64(bits) => arena.set(offset, f64::from_bits(bits)),
        Literal::I64(value) => arena.set(offset, value),
        Literal::Bool(value) => arena.set(offset, value),
    }
}
