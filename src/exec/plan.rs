//! The formula laid out for one set of leaf shapes: every unit as a step, every value at its place.

use hashbrown::HashMap;

use super::buffers::{Buffers, Lie};
use super::code::Code;
use super::memory::Pool;
use super::schedule::{Base, Member, Place, Schedule, Unit, ValueInfo, kernel_dtype};
use super::step::{BLOCK, BlockOp, Group, Load, MatrixSlot, Slot, Step, Strided};
use crate::element::{DType, Literal};
use crate::error::Result;
use crate::shape::Shape;

/// A result of a run, packed in a buffer.
pub(super) struct ResultPlace {
    pub dtype: DType,
    pub offset: usize,
    pub shape: Shape,
}

/// Steps, and the memory that they run in.
pub(super) struct Plan {
    pub leaves: Vec<Lie>,
    pub steps: Vec<Step>,
    pub buffers: Buffers,
    /// Outputs, then the new values of updated parameters.
    pub results: Vec<ResultPlace>,
}

impl Plan {
    pub fn new(code: &Code, leaves: Vec<Lie>, fuse: bool) -> Result<Self> {
        let leaf_shapes: Vec<Shape> = leaves.iter().map(|lie| lie.shape.clone()).collect();
        let shapes = code.infer(&leaf_shapes)?;
        let schedule = Schedule::new(code, &shapes, &leaves, fuse);
        Ok(Layouter::new(&schedule).lay_out(leaves))
    }
}

/// When a value is computed and when it is last read, by unit.
#[derive(Clone, Copy)]
struct Life {
    born: usize,
    last: usize,
    /// Whether anything outside its own unit reads it.
    escapes: bool,
}

struct Layouter<'a> {
    schedule: &'a Schedule,
    lives: Vec<Life>,
    pools: HashMap<DType, Pool>,
    /// Where values that escape lie.
    offsets: Vec<usize>,
    /// Blocks that groups work in, after the values: by element type, how many.
    registers: HashMap<DType, usize>,
}

impl<'a> Layouter<'a> {
    fn new(schedule: &'a Schedule) -> Self {
        Self {
            schedule,
            lives: lives(schedule),
            pools: HashMap::new(),
            offsets: vec![0; schedule.values.len()],
            registers: HashMap::new(),
        }
    }

    fn info(&self, value: u32) -> ValueInfo {
        self.schedule.values[value as usize]
    }

    fn lay_out(mut self, leaves: Vec<Lie>) -> Plan {
        for &(value, literal) in &self.schedule.constants {
            self.offsets[value as usize] = self.pool(literal.dtype()).take(1);
        }
        for &(value, size) in &self.schedule.ranges {
            self.offsets[value as usize] = self.pool(DType::I64).take(size);
        }
        let mut dying: Vec<Vec<u32>> = vec![Vec::new(); self.schedule.units.len()];
        for (value, life) in self.lives.iter().enumerate() {
            if life.escapes && life.born != usize::MAX && life.last < dying.len() {
                dying[life.last].push(value as u32);
            }
        }
        for (u, unit) in self.schedule.units.iter().enumerate() {
            for value in outs(unit) {
                if self.lives[value as usize].escapes {
                    let ValueInfo { dtype, size, .. } = self.info(value);
                    self.offsets[value as usize] = self.pool(dtype).take(size);
                }
            }
            for &value in &dying[u] {
                let ValueInfo { dtype, size, .. } = self.info(value);
                let offset = self.offsets[value as usize];
                self.pool(dtype).give_back(offset, size);
            }
        }
        let mut steps: Vec<Step> = Vec::with_capacity(self.schedule.units.len());
        for unit in &self.schedule.units {
            let step = self.step(unit);
            steps.push(step);
        }
        let length = |dtype| self.pools.get(&dtype).map_or(0, Pool::length);
        let registers = |dtype| self.registers.get(&dtype).map_or(0, |n| n * BLOCK);
        let mut buffers = Buffers::new(|dtype| length(dtype) + registers(dtype));
        for &(value, literal) in &self.schedule.constants {
            buffers.set(self.offsets[value as usize], literal);
        }
        for &(value, size) in &self.schedule.ranges {
            for i in 0..size {
                buffers.set(self.offsets[value as usize] + i, Literal::I64(i as i64));
            }
        }
        let results = self.schedule.results.iter().map(|place| ResultPlace {
            dtype: place.dtype,
            offset: self.slot(place.base, place.offset, false).offset,
            shape: place.shape.clone(),
        });
        let results = results.collect();
        Plan { leaves, steps, buffers, results }
    }

    fn pool(&mut self, dtype: DType) -> &mut Pool {
        self.pools.entry(dtype).or_default()
    }

    fn slot(&self, base: Base, offset: usize, moves: bool) -> Slot {
        match base {
            Base::Leaf(leaf) => Slot { leaf: Some(leaf), offset, moves },
            Base::Value(value) => Slot { leaf: None, offset: self.offsets[value as usize] + offset, moves },
        }
    }

    fn step(&mut self, unit: &Unit) -> Step {
        match unit {
            Unit::Group { shape, members } => Step::Group(self.group(shape, members)),
            Unit::Pack { from, to } => Step::Pack {
                from: self.strided(from),
                dtype: from.dtype,
                to: self.slot(Base::Value(*to), 0, false),
                size: from.shape.size(),
            },
            &Unit::Fold { fold, from, offset, dtype, axis, divisor, to } => Step::Fold {
                fold,
                dtype,
                from: self.slot(from, offset, false),
                axis,
                divisor,
                to: self.slot(Base::Value(to), 0, false),
            },
            Unit::Dot { a, b, dtype, to } => {
                let [a, b] = [a, b].map(|m| MatrixSlot {
                    slot: self.slot(m.base, m.offset, false),
                    rows: m.rows,
                    columns: m.columns,
                    by_columns: m.by_columns,
                });
                Step::Dot { a, b, dtype: *dtype, to: self.slot(Base::Value(*to), 0, false) }
            }
        }
    }

    fn strided(&self, place: &Place) -> Strided {
        Strided {
            slot: self.slot(place.base, 0, false),
            first: place.offset,
            shape: place.shape.clone(),
            strides: place.strides.clone(),
        }
    }

    fn group(&mut self, shape: &Shape, members: &[Member]) -> Group {
        let size = shape.size();
        let mut last_use: HashMap<u32, usize> = HashMap::new();
        for (i, member) in members.iter().enumerate() {
            for place in &member.operands {
                if let Base::Value(value) = place.base {
                    last_use.insert(value, i);
                }
            }
        }
        let mut files = Files { starts: self.register_starts(), ..Files::default() };
        let mut loads: Vec<Load> = Vec::new();
        let mut loaded: Vec<(Place, Slot)> = Vec::new();
        let mut homes: HashMap<u32, Slot> = HashMap::new();
        let mut ops = Vec::with_capacity(members.len());
        for (i, member) in members.iter().enumerate() {
            let mut inputs = smallvec::SmallVec::new();
            for place in &member.operands {
                let own = if let Base::Value(value) = place.base { homes.get(&value).copied() } else { None };
                inputs.push(if let Some(home) = own {
                    home
                } else if place.is_packed() {
                    self.slot(place.base, place.offset, true)
                } else if let Some((_, slot)) = loaded.iter().find(|(known, _)| known == place) {
                    *slot
                } else {
                    let slot = files.fresh(place.dtype);
                    let once = place.is_single();
                    loads.push(Load { from: self.strided(place), dtype: place.dtype, to: slot, once });
                    loaded.push((place.clone(), slot));
                    slot
                });
            }
            let ValueInfo { dtype, .. } = self.info(member.out);
            let out = if self.lives[member.out as usize].escapes {
                self.slot(Base::Value(member.out), 0, true)
            } else {
                files.take(dtype)
            };
            homes.insert(member.out, out);
            for place in &member.operands {
                if let Base::Value(value) = place.base
                    && last_use.get(&value) == Some(&i)
                    && !self.lives[value as usize].escapes
                    && let Some(home) = homes.get(&value)
                {
                    last_use.remove(&value);
                    files.give_back(place.dtype, *home);
                }
            }
            let dtype = kernel_dtype(&member.op, &member.operands);
            ops.push(BlockOp { op: member.op.clone(), dtype, inputs, out });
        }
        for (dtype, used) in files.used {
            let registers = self.registers.entry(dtype).or_default();
            *registers = used.max(*registers);
        }
        Group { size, loads, ops }
    }

    fn register_starts(&self) -> HashMap<DType, usize> {
        self.pools.iter().map(|(&dtype, pool)| (dtype, pool.length())).collect()
    }
}

/// Blocks to work in, by element type.
#[derive(Default)]
struct Files {
    starts: HashMap<DType, usize>,
    free: HashMap<DType, Vec<usize>>,
    used: HashMap<DType, usize>,
}

impl Files {
    /// A block that is free.
    fn take(&mut self, dtype: DType) -> Slot {
        match self.free.entry(dtype).or_default().pop() {
            Some(register) => self.slot(dtype, register),
            None => self.fresh(dtype),
        }
    }

    /// A block that nothing else in the group uses: what is loaded is loaded before the first operation.
    fn fresh(&mut self, dtype: DType) -> Slot {
        let used = self.used.entry(dtype).or_default();
        *used += 1;
        let register = *used - 1;
        self.slot(dtype, register)
    }

    fn slot(&self, dtype: DType, register: usize) -> Slot {
        let start = self.starts.get(&dtype).copied().unwrap_or(0);
        Slot { leaf: None, offset: start + register * BLOCK, moves: false }
    }

    fn give_back(&mut self, dtype: DType, slot: Slot) {
        let start = self.starts.get(&dtype).copied().unwrap_or(0);
        self.free.entry(dtype).or_default().push((slot.offset - start) / BLOCK);
    }
}

fn outs(unit: &Unit) -> impl Iterator<Item = u32> + '_ {
    let (members, single) = match unit {
        Unit::Group { members, .. } => (&members[..], None),
        Unit::Pack { to, .. } | Unit::Fold { to, .. } | Unit::Dot { to, .. } => (&[][..], Some(*to)),
    };
    members.iter().map(|member| member.out).chain(single)
}

fn reads(unit: &Unit) -> Vec<Base> {
    match unit {
        Unit::Group { members, .. } => {
            members.iter().flat_map(|member| &member.operands).map(|place| place.base).collect()
        }
        Unit::Pack { from, .. } => vec![from.base],
        Unit::Fold { from, .. } => vec![*from],
        Unit::Dot { a, b, .. } => vec![a.base, b.base],
    }
}

fn lives(schedule: &Schedule) -> Vec<Life> {
    let never = Life { born: usize::MAX, last: 0, escapes: false };
    let mut lives = vec![never; schedule.values.len()];
    for (u, unit) in schedule.units.iter().enumerate() {
        for value in outs(unit) {
            // Only a group can keep a value to itself, in a block.
            let escapes = !matches!(unit, Unit::Group { .. });
            lives[value as usize] = Life { born: u, last: u, escapes };
        }
        for base in reads(unit) {
            if let Base::Value(value) = base {
                let life = &mut lives[value as usize];
                life.last = u;
                life.escapes |= life.born != u;
            }
        }
    }
    for place in &schedule.results {
        if let Base::Value(value) = place.base {
            let life = &mut lives[value as usize];
            life.last = usize::MAX;
            life.escapes = true;
        }
    }
    lives
}
