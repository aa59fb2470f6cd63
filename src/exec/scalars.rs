//! Formulas of numbers: groups with a single element run as a flat code on registers, in which an operation costs about
//! as much as it would in compiled code.

use std::marker::PhantomData;

use hashbrown::HashMap;

use super::blocks::Context;
use super::place::Base;
use super::schedule::{Act, Group};
use crate::element::{DType, Float};
use crate::kernels::{
    FloatElement, FloatLanes, Kernel, Lanes, Level, Operands, Slot, Span as Reach, with_registers,
};
use crate::ops::{Binary, Op, Unary};

/// What one instruction does with its registers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Add,
    Sub,
    Mul,
    /// `a·b + c`, rounded twice as it would be in two instructions.
    MulAdd,
    /// `a·b + c·d`, likewise.
    MulAddMul,
    /// The sine, and the cosine in the second result.
    SinCos,
    Unary(u16),
    Binary(Binary),
}

#[derive(Clone, Copy, Debug)]
struct Code {
    kind: Kind,
    operands: [u32; 4],
    outs: [u32; 2],
}

/// The code of a group, with what it reads and writes.
#[derive(Debug)]
pub(super) struct Scalars {
    dtype: DType,
    code: Vec<Code>,
    unary: Vec<Unary>,
    /// The registers that operands are read into, in their order.
    loads: Vec<u32>,
    /// The registers that results are written from, in their order.
    stores: Vec<u32>,
    registers: usize,
    level: Level,
}

/// The code for a group, and its reads and writes, if it is of numbers of one float type.
pub(super) fn scalars(group: &Group, at: &Context<'_>) -> Option<(Scalars, Vec<Slot>, Vec<Slot>)> {
    let dtype = (at.info)(group.members.first()?.out).dtype;
    let plain = group.size == 1 && dtype.is_float() && at.options.fuse;
    let each = |member: &super::schedule::Member| {
        let floats = matches!(member.act, Act::Map(Op::Unary(_) | Op::Binary(_)));
        floats && (at.info)(member.out).dtype == dtype && !(at.stored)(member.out)
    };
    if !plain || !group.members.iter().all(each) {
        return None;
    }
    let mut builder = Builder::default();
    let (mut reads, mut writes, mut stores) = (Vec::new(), Vec::new(), Vec::new());
    let mut loaded: HashMap<(Base, usize), u32> = HashMap::new();
    for member in &group.members {
        let mut operands = [0; 4];
        for (operand, place) in operands.iter_mut().zip(&member.operands) {
            let own = if let Base::Value(value) = place.base { builder.values.get(&value) } else { None };
            *operand = match own {
                Some(&register) => register,
                None => *loaded.entry((place.base, place.offset)).or_insert_with(|| {
                    reads.push((at.slot)(place.base, dtype, place.offset, Reach::Whole(1)));
                    let register = builder.fresh();
                    builder.loads.push(register);
                    register
                }),
            };
        }
        let Act::Map(op) = &member.act else { continue };
        let out = builder.push(op, operands);
        builder.values.insert(member.out, out);
        if (at.escapes)(member.out) {
            writes.push((at.slot)(Base::Value(member.out), dtype, 0, Reach::Whole(1)));
            stores.push(out);
        }
    }
    Some((builder.finish(dtype, stores, at.options.level), reads, writes))
}

#[derive(Default)]
struct Builder {
    code: Vec<Code>,
    unary: Vec<Unary>,
    loads: Vec<u32>,
    values: HashMap<u32, u32>,
    registers: u32,
}

impl Builder {
    fn fresh(&mut self) -> u32 {
        self.registers += 1;
        self.registers - 1
    }

    fn push(&mut self, op: &Op, operands: [u32; 4]) -> u32 {
        let out = self.fresh();
        let kind = match op {
            Op::Binary(Binary::Add) => Kind::Add,
            Op::Binary(Binary::Sub) => Kind::Sub,
            Op::Binary(Binary::Mul) => Kind::Mul,
            Op::Binary(binary) => Kind::Binary(*binary),
            Op::Unary(unary) => {
                let known = self.unary.iter().position(|known| known == unary).unwrap_or_else(|| {
                    self.unary.push(*unary);
                    self.unary.len() - 1
                });
                Kind::Unary(known as u16)
            }
            _ => unreachable!("only functions of numbers are scalar code"),
        };
        self.code.push(Code { kind, operands, outs: [out, NOWHERE] });
        out
    }

    fn finish(mut self, dtype: DType, stores: Vec<u32>, level: Level) -> Scalars {
        let mut uses = vec![0_u32; self.registers as usize];
        for code in &self.code {
            code.reads().for_each(|register| uses[register as usize] += 1);
        }
        stores.iter().for_each(|&register| uses[register as usize] += 2);
        self.join_products(&uses);
        self.join_angles();
        let registers = allocate(&mut self.code, &mut self.loads, self.registers as usize, stores);
        Scalars {
            dtype,
            code: self.code,
            unary: self.unary,
            loads: self.loads,
            stores: registers.1,
            registers: registers.0,
            level,
        }
    }

    /// Products that are only added to something become one instruction with the sum.
    fn join_products(&mut self, uses: &[u32]) {
        let mut product: Vec<Option<usize>> = vec![None; uses.len()];
        let mut gone = vec![false; self.code.len()];
        for i in 0..self.code.len() {
            let Code { kind, operands: [a, b, ..], outs } = self.code[i];
            if kind == Kind::Mul && uses[outs[0] as usize] == 1 {
                product[outs[0] as usize] = Some(i);
            } else if kind == Kind::Add {
                let (p, q) = (product[a as usize], product[b as usize]);
                let factors = |k: usize| (self.code[k].operands[0], self.code[k].operands[1]);
                let (kind, operands) = match (p, q) {
                    (Some(p), Some(q)) if p != q => {
                        (gone[p], gone[q]) = (true, true);
                        let ((a, b), (c, d)) = (factors(p), factors(q));
                        (Kind::MulAddMul, [a, b, c, d])
                    }
                    (Some(p), _) => {
                        gone[p] = true;
                        (Kind::MulAdd, [factors(p).0, factors(p).1, b, 0])
                    }
                    (_, Some(q)) => {
                        gone[q] = true;
                        (Kind::MulAdd, [factors(q).0, factors(q).1, a, 0])
                    }
                    _ => continue,
                };
                self.code[i] = Code { kind, operands, outs };
            }
        }
        let mut gone = gone.into_iter();
        self.code.retain(|_| !gone.next().unwrap_or(false));
    }

    /// The sine and the cosine of one angle are computed together, where the first of the two stands.
    fn join_angles(&mut self) {
        let which = |unary: Unary| self.unary.iter().position(|known| *known == unary);
        let (Some(sin), Some(cos)) = (which(Unary::Sin), which(Unary::Cos)) else { return };
        let mut first: HashMap<u32, usize> = HashMap::new();
        let mut gone = vec![false; self.code.len()];
        for (i, gone) in gone.iter_mut().enumerate() {
            let Code { kind, operands, outs } = self.code[i];
            if kind != Kind::Unary(sin as u16) && kind != Kind::Unary(cos as u16) {
                continue;
            }
            match first.get(&operands[0]) {
                Some(&k) if self.code[k].kind != kind && self.code[k].kind != Kind::SinCos => {
                    let other = self.code[k].outs[0];
                    let sine_first = kind == Kind::Unary(cos as u16);
                    let outs = if sine_first { [other, outs[0]] } else { [outs[0], other] };
                    self.code[k] = Code { kind: Kind::SinCos, operands, outs };
                    *gone = true;
                }
                Some(_) => {}
                None => _ = first.insert(operands[0], i),
            }
        }
        let mut gone = gone.into_iter();
        self.code.retain(|_| !gone.next().unwrap_or(false));
    }
}

/// No register.
const NOWHERE: u32 = u32::MAX;

impl Code {
    fn reads(&self) -> impl Iterator<Item = u32> + '_ {
        let count = match self.kind {
            Kind::Unary(_) | Kind::SinCos => 1,
            Kind::Add | Kind::Sub | Kind::Mul | Kind::Binary(_) => 2,
            Kind::MulAdd => 3,
            Kind::MulAddMul => 4,
        };
        self.operands[..count].iter().copied()
    }
}

/// Lets values share registers whose lives do not overlap; gives the number of registers, and those of the results.
fn allocate(code: &mut [Code], loads: &mut [u32], values: usize, mut stores: Vec<u32>) -> (usize, Vec<u32>) {
    let mut last = vec![0; values];
    for (i, code) in code.iter().enumerate() {
        code.reads().for_each(|value| last[value as usize] = i);
    }
    stores.iter().for_each(|&value| last[value as usize] = usize::MAX);
    let mut home = vec![NOWHERE; values];
    let mut free: Vec<u32> = Vec::new();
    let mut count = 0;
    let mut take = |free: &mut Vec<u32>| {
        free.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        })
    };
    for load in loads {
        home[*load as usize] = take(&mut free);
        *load = home[*load as usize];
    }
    for (i, code) in code.iter_mut().enumerate() {
        let reads: smallvec::SmallVec<[u32; 4]> = code.reads().collect();
        for (k, &value) in reads.iter().enumerate() {
            code.operands[k] = home[value as usize];
            if last[value as usize] == i && !reads[..k].contains(&value) {
                free.push(home[value as usize]);
            }
        }
        for out in code.outs.iter_mut().filter(|out| **out != NOWHERE) {
            home[*out as usize] = take(&mut free);
            *out = home[*out as usize];
        }
    }
    stores.iter_mut().for_each(|store| *store = home[*store as usize]);
    (count as usize, stores)
}

impl Scalars {
    #[inline]
    pub fn run(&self, at: &Operands<'_>) {
        match self.dtype {
            DType::F32 => with_registers(self.registers, |registers| self.run_as::<f32>(at, registers)),
            _ => with_registers(self.registers, |registers| self.run_as::<f64>(at, registers)),
        }
    }

    #[inline]
    fn run_as<T: Float + FloatElement>(&self, at: &Operands<'_>, registers: &mut [T]) {
        for (k, &register) in self.loads.iter().enumerate() {
            registers[register as usize] = at.read(k)[0];
        }
        self.level.run(Machine { scalars: self, registers, float: PhantomData });
        for (k, &register) in self.stores.iter().enumerate() {
            at.store(k, registers[register as usize]);
        }
    }

    /// How many instructions there are.
    pub fn len(&self) -> usize {
        self.code.len()
    }
}

struct Machine<'a, T> {
    scalars: &'a Scalars,
    registers: &'a mut [T],
    float: PhantomData<T>,
}

impl<T: FloatElement> Kernel for Machine<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let r = self.registers;
        for code in &self.scalars.code {
            let [a, b, c, d] = code.operands;
            let of = |register: u32| T::Lanes::<FUSED>::of(r[register as usize]);
            let y = match code.kind {
                Kind::Add => of(a) + of(b),
                Kind::Sub => of(a) - of(b),
                Kind::Mul => of(a) * of(b),
                Kind::MulAdd => of(a) * of(b) + of(c),
                Kind::MulAddMul => of(a) * of(b) + of(c) * of(d),
                Kind::SinCos => {
                    let (sin, cos) = of(a).lone_sin_cos();
                    r[code.outs[1] as usize] = cos.get();
                    sin
                }
                Kind::Unary(k) => self.scalars.unary[usize::from(k)].scalar(of(a)),
                Kind::Binary(binary) => binary.scalar(of(a), of(b)),
            };
            r[code.outs[0] as usize] = y.get();
        }
    }
}
