//! A group as instructions on blocks, with registers in a thread's working memory.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::block::BlockOp;
use super::memory::Pool;
use super::place::{Base, Place};
use super::plan::Options;
use super::schedule::{Act, Group, LONG, Member, Span, ValueInfo, kernel_dtype};
use crate::element::DType;
use crate::kernels::{Domain, Home, LINE, Pair, Slot, Span as Reach};
use crate::ops::{Logic, Op, Unary};

/// What a loop is made of.
pub(super) struct Blocks {
    pub domain: Domain,
    pub code: Vec<(Vec<Slot>, Vec<Slot>, BlockOp)>,
    /// Bytes of working memory.
    pub scratch: usize,
    /// About how many elements are computed, over all instructions.
    pub effort: usize,
    /// Values that are left in parts, one for each block: the value and its reduction.
    pub totals: Vec<(u32, Act)>,
}

/// What the layout knows.
pub(super) struct Context<'a> {
    pub slot: &'a dyn Fn(Base, DType, usize, Reach) -> Slot,
    /// All of a place's memory, and which element of it is the first.
    pub region: &'a dyn Fn(&Place) -> (Slot, usize),
    pub info: &'a dyn Fn(u32) -> ValueInfo,
    /// Whether a value is read outside of its group.
    pub escapes: &'a dyn Fn(u32) -> bool,
    /// Whether a value overwrites a parameter, which may be read until the end of a block.
    pub stored: &'a dyn Fn(u32) -> bool,
    /// Where the parts of a total lie, in bytes.
    pub partials: &'a dyn Fn(u32) -> usize,
    pub options: Options,
}

/// An operand or a result before registers have places.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operand {
    Memory(Slot),
    Register(u32),
}

struct Register {
    dtype: DType,
    span: Reach,
}

/// Rows and columns of a group, and the rows of a block.
pub(super) fn domain(group: &Group, block: usize) -> Domain {
    let wide = group.members.iter().any(|member| member.operands.iter().any(|place| place.dtype.size() == 8));
    let elements = (block / if wide { 8 } else { 4 }).max(1);
    let columns = group.columns.unwrap_or(1);
    let rows = group.size / columns;
    // Of a long row, numbers for the row and lines for all rows are read where they are.
    let step = if columns >= LONG { 1 } else { elements / columns };
    Domain { rows, columns, step: step.clamp(1, rows.max(1)) }
}

/// A copy of a strided array in C order.
pub(super) fn pack(from: &Place, to: u32, at: &Context<'_>) -> Blocks {
    let size = from.size();
    let step = (16 * at.options.block / from.dtype.size()).clamp(1, size.max(1));
    let (region, first) = (at.region)(from);
    let op = BlockOp::load(from, first, false);
    let out = (at.slot)(Base::Value(to), from.dtype, 0, Reach::Full);
    let domain = Domain { rows: size, columns: 1, step };
    Blocks {
        domain,
        code: vec![(vec![region], vec![out], op)],
        scratch: 0,
        effort: 2 * size,
        totals: Vec::new(),
    }
}

pub(super) fn group(group: &Group, at: &Context<'_>) -> Blocks {
    let domain = domain(group, at.options.block);
    let mut builder = Builder {
        at,
        domain,
        columns: domain.columns,
        registers: Vec::new(),
        code: Vec::new(),
        homes: HashMap::new(),
        expanded: Vec::new(),
        loaded: Vec::new(),
        stores: Vec::new(),
        totals: Vec::new(),
    };
    for member in &group.members {
        builder.member(member);
    }
    builder.finish()
}

type Virtual = (Vec<Operand>, Vec<Operand>, BlockOp);

struct Builder<'a, 'c> {
    at: &'a Context<'c>,
    domain: Domain,
    columns: usize,
    registers: Vec<Register>,
    code: Vec<Virtual>,
    /// Where the group's own values are.
    homes: HashMap<u32, (Operand, Span)>,
    /// Values of rows, repeated along the columns.
    expanded: Vec<(Operand, Operand)>,
    loaded: Vec<(Place, Span, Operand)>,
    /// What is copied to memory at the end of the block.
    stores: Vec<(Operand, Slot)>,
    totals: Vec<(u32, Act)>,
}

impl Builder<'_, '_> {
    fn register(&mut self, dtype: DType, span: Span) -> Operand {
        let span = if span == Span::Full { Reach::Full } else { Reach::Row };
        self.registers.push(Register { dtype, span });
        Operand::Register(self.registers.len() as u32 - 1)
    }

    fn member(&mut self, member: &Member) {
        let dtype = (self.at.info)(member.out).dtype;
        match &member.act {
            Act::Map(op) => {
                let scalars = takes_scalars(op);
                let reads =
                    member.operands.iter().map(|place| self.operand(place, member.span, scalars)).collect();
                let out = self.out(member.out, dtype, member.span);
                if let Op::Random(random) = *op {
                    let (level, rows) = (self.at.options.level, member.span == Span::Row);
                    return self.code.push((reads, vec![out], BlockOp::Draw { random, level, rows }));
                }
                let dtypes: SmallVec<[DType; 3]> = member.operands.iter().map(|place| place.dtype).collect();
                let op = BlockOp::Map {
                    op: op.clone(),
                    dtype: kernel_dtype(op, &dtypes),
                    level: self.at.options.level,
                };
                self.code.push((reads, vec![out], op));
            }
            Act::Rows(fold, divisor) => {
                let x = self.operand(&member.operands[0], Span::Full, false);
                let out = self.out(member.out, dtype, Span::Row);
                let op =
                    BlockOp::Rows { fold: *fold, divisor: *divisor, dtype, level: self.at.options.level };
                self.code.push((vec![x], vec![out], op));
            }
            Act::Total(fold, divisor) => {
                let x = self.operand(&member.operands[0], Span::Full, false);
                let single = self.domain.blocks() <= 1;
                let slot = (self.at.slot)(Base::Value(member.out), dtype, 0, Reach::Block);
                let slot =
                    if single { slot } else { Slot { offset: (self.at.partials)(member.out), ..slot } };
                let divisor = if single { *divisor } else { None };
                let op = BlockOp::Total { fold: *fold, divisor, dtype, level: self.at.options.level };
                self.code.push((vec![x], vec![Operand::Memory(slot)], op));
                if !single {
                    self.totals.push((member.out, member.act.clone()));
                }
            }
        }
    }

    fn out(&mut self, value: u32, dtype: DType, span: Span) -> Operand {
        let reach = if span == Span::Full { Reach::Full } else { Reach::Row };
        let memory = (self.at.slot)(Base::Value(value), dtype, 0, reach);
        let operand = if (self.at.stored)(value) {
            let register = self.register(dtype, span);
            self.stores.push((register, memory));
            register
        } else if (self.at.escapes)(value) {
            Operand::Memory(memory)
        } else {
            self.register(dtype, span)
        };
        self.homes.insert(value, (operand, span));
        operand
    }

    /// The operand as a member of a span reads it; a single number stands for itself where `scalars` are taken.
    fn operand(&mut self, place: &Place, span: Span, scalars: bool) -> Operand {
        if let Base::Value(value) = place.base
            && let Some(&(home, own)) = self.homes.get(&value)
        {
            return if own == span || self.columns == 1 {
                home
            } else {
                self.expand(home, place.dtype, scalars)
            };
        }
        let memory = |offset: usize, reach| (self.at.slot)(place.base, place.dtype, offset, reach);
        let reach = if span == Span::Full { Reach::Full } else { Reach::Row };
        let one_row = self.domain.step == 1 && span == Span::Full && self.columns > 1;
        if place.is_single() && scalars {
            return Operand::Memory(memory(place.offset, Reach::Whole(1)));
        } else if place.is_packed() {
            return Operand::Memory(memory(place.offset, reach));
        } else if one_row && place.is_line(self.columns) {
            return Operand::Memory(memory(place.offset, Reach::Whole(self.columns)));
        }
        if span == Span::Full
            && self.columns > 1
            && let Some(rows) = place.rows(self.columns)
        {
            let row = self.operand(&rows, Span::Row, false);
            return self.expand(row, place.dtype, scalars);
        }
        if let Some((.., known)) = self.loaded.iter().find(|(known, s, _)| known == place && *s == span) {
            return *known;
        }
        let register = self.register(place.dtype, span);
        let (region, first) = (self.at.region)(place);
        let load = BlockOp::load(place, first, span == Span::Row);
        self.code.push((vec![Operand::Memory(region)], vec![register], load));
        self.loaded.push((place.clone(), span, register));
        register
    }

    /// The value of each row for all of its columns.
    fn expand(&mut self, row: Operand, dtype: DType, scalars: bool) -> Operand {
        if scalars && self.domain.step == 1 {
            return row;
        }
        if let Some((_, known)) = self.expanded.iter().find(|(known, _)| *known == row) {
            return *known;
        }
        let register = self.register(dtype, Span::Full);
        self.code.push((vec![row], vec![register], BlockOp::Expand { dtype }));
        self.expanded.push((row, register));
        register
    }

    /// Functions of the same operand that share what is costly are computed where the first of the two stands.
    fn join_pairs(&mut self) {
        let mut gone = vec![false; self.code.len()];
        for i in 0..self.code.len() {
            let Some(first) = unary(&self.code[i]) else { continue };
            let Some((pair, other)) = partner(first) else { continue };
            let later = (i + 1..self.code.len()).find(|&k| {
                !gone[k] && self.code[k].0 == self.code[i].0 && unary(&self.code[k]) == Some(other)
            });
            let (Some(k), false) = (later, gone[i]) else { continue };
            gone[k] = true;
            let second = self.code[k].1[0];
            let (_, writes, op) = &mut self.code[i];
            let BlockOp::Map { dtype, level, .. } = *op else { continue };
            // The functions have an order in their pair.
            writes.insert(usize::from(matches!(first, Unary::Sin | Unary::Softplus)), second);
            *op = BlockOp::Pair { pair, dtype, level };
        }
        self.drop_marked(gone);
    }

    /// Joins `σ(x)` and `σ(-x)` likewise.
    fn join_sigmoids(&mut self) {
        let mut gone = vec![false; self.code.len()];
        for i in 0..self.code.len() {
            let Some(negated) = self.operand_of(i, Unary::Sigmoid) else { continue };
            let Some(neg) = self.code.iter().position(|(_, writes, _)| writes[..] == [negated]) else {
                continue;
            };
            let Some(x) = self.operand_of(neg, Unary::Neg) else { continue };
            let of_x = |&k: &usize| !gone[k] && self.operand_of(k, Unary::Sigmoid) == Some(x);
            let Some(k) = (0..self.code.len()).find(of_x) else { continue };
            let (at, other) = (i.min(k), i.max(k));
            let results = [k, i].map(|place| self.code[place].1[0]);
            let BlockOp::Map { dtype, level, .. } = self.code[at].2 else { continue };
            self.code[at] =
                (vec![x], results.into(), BlockOp::Pair { pair: Pair::SigmoidBoth, dtype, level });
            gone[other] = true;
            let read = |(place, (reads, ..)): (usize, &Virtual)| !gone[place] && reads.contains(&negated);
            let stored = self.stores.iter().any(|(register, _)| *register == negated);
            gone[neg] = !self.code.iter().enumerate().any(read) && !stored;
        }
        self.drop_marked(gone);
    }

    /// What an instruction is this function of.
    fn operand_of(&self, instruction: usize, function: Unary) -> Option<Operand> {
        let instruction = &self.code[instruction];
        (unary(instruction) == Some(function)).then(|| instruction.0[0])
    }

    fn drop_marked(&mut self, gone: Vec<bool>) {
        let mut gone = gone.into_iter();
        self.code.retain(|_| !gone.next().unwrap_or(false));
    }

    /// Lets a new value be written where the old one stands, if nothing reads the old one then or later.
    fn write_at_once(&mut self, register: Operand, slot: Slot) -> bool {
        let writes = |(_, writes, _): &Virtual| writes.contains(&register);
        let Some(at) = self.code.iter().position(writes) else { return false };
        let old = |operand: &Operand| matches!(operand, Operand::Memory(other) if other.home == slot.home);
        if self.code[at..].iter().any(|(reads, ..)| reads.iter().any(old)) {
            return false;
        }
        for operand in
            self.code[at..].iter_mut().flat_map(|(reads, writes, _)| reads.iter_mut().chain(writes))
        {
            if *operand == register {
                *operand = Operand::Memory(slot);
            }
        }
        true
    }

    /// Gives every register a place, for as long as it is needed.
    fn finish(mut self) -> Blocks {
        if self.at.options.fuse {
            self.join_pairs();
            self.join_sigmoids();
        }
        for (register, slot) in std::mem::take(&mut self.stores) {
            if self.at.options.fuse && self.write_at_once(register, slot) {
                continue;
            }
            let copy = BlockOp::Copy { dtype: slot.dtype };
            self.code.push((vec![register], vec![Operand::Memory(slot)], copy));
        }
        let mut last = vec![0; self.registers.len()];
        for (i, (reads, writes, _)) in self.code.iter().enumerate() {
            for operand in reads.iter().chain(writes) {
                if let Operand::Register(register) = operand {
                    last[*register as usize] = i;
                }
            }
        }
        let mut dying: Vec<Vec<u32>> = vec![Vec::new(); self.code.len()];
        for (register, &last) in (0..).zip(&last) {
            dying[last].push(register);
        }
        let step = self.domain.step;
        let bytes = |register: &Register| {
            let elements = if register.span == Reach::Full { step * self.columns } else { step };
            (elements * register.dtype.size()).next_multiple_of(LINE)
        };
        let mut pool = Pool::default();
        let mut offsets: Vec<Option<usize>> = vec![None; self.registers.len()];
        let mut code = Vec::with_capacity(self.code.len());
        for (i, (reads, writes, op)) in self.code.into_iter().enumerate() {
            let mut place = |operand: &Operand| match operand {
                Operand::Memory(slot) => *slot,
                Operand::Register(r) => {
                    let register = &self.registers[*r as usize];
                    let offset = offsets[*r as usize].get_or_insert_with(|| pool.take(bytes(register)));
                    Slot { home: Home::Scratch, offset: *offset, dtype: register.dtype, span: register.span }
                }
            };
            let slots: (Vec<Slot>, Vec<Slot>) =
                (reads.iter().map(&mut place).collect(), writes.iter().map(&mut place).collect());
            for &r in &dying[i] {
                if let Some(offset) = offsets[r as usize] {
                    pool.give_back(offset, bytes(&self.registers[r as usize]));
                }
            }
            code.push((slots.0, slots.1, op));
        }
        let effort = code.len() * self.domain.rows * self.columns;
        Blocks { domain: self.domain, code, scratch: pool.length(), effort, totals: self.totals }
    }
}

/// The function of one number that an instruction is.
fn unary(instruction: &Virtual) -> Option<Unary> {
    match &instruction.2 {
        BlockOp::Map { op: Op::Unary(unary), dtype, .. } if dtype.is_float() => Some(*unary),
        _ => None,
    }
}

/// The function that a function is computed together with.
fn partner(unary: Unary) -> Option<(Pair, Unary)> {
    match unary {
        Unary::Sin => Some((Pair::SinCos, Unary::Cos)),
        Unary::Cos => Some((Pair::SinCos, Unary::Sin)),
        Unary::Softplus => Some((Pair::SoftplusSigmoid, Unary::Sigmoid)),
        Unary::Sigmoid => Some((Pair::SoftplusSigmoid, Unary::Softplus)),
        _ => None,
    }
}

/// Whether an operation takes a single number beside a block.
fn takes_scalars(op: &Op) -> bool {
    let logic = matches!(op, Op::Logic(Logic::Select | Logic::And | Logic::Or));
    logic || matches!(op, Op::Binary(_) | Op::Compare(_) | Op::Random(_))
}
