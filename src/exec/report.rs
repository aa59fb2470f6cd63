//! What a program does, step by step, and how long it takes.

use std::fmt::{self, Write as _};
use std::time::{Duration, Instant};

use super::code::Code;
use super::life::{outs, reads};
use super::place::{Base, Place};
use super::plan::Plan;
use super::schedule::{Act, Constant, Group, Schedule, Unit};
use crate::shape::Shape;

/// The steps of a program for the leaf shapes of its last run: what each computes, how much memory it touches, how
/// many operations it does, and how long it took in the runs that were timed.
///
/// It prints as a table. See [`Program::report`](super::Program::report).
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The steps in the order in which they run.
    pub steps: Vec<StepReport>,
    /// Bytes of the buffer in which all values lie, planned before the run: the peak beside the leaves.
    pub planned_bytes: usize,
    /// Bytes that each thread works in.
    pub thread_bytes: usize,
    /// Bytes of the leaves that are read or updated.
    pub leaf_bytes: usize,
    /// How many runs were timed.
    pub timed_runs: u64,
}

/// One step of a [`Report`].
#[derive(Clone, Debug)]
pub struct StepReport {
    /// What is computed, as a formula.
    pub formula: String,
    /// The shapes of what is read and of what is written.
    pub shapes: String,
    /// Bytes that are read from memory and written to it.
    pub bytes: usize,
    /// Floating-point operations; an elementary function counts as one.
    pub flops: usize,
    /// The time of one run: the mean over those that were timed.
    pub time: Duration,
    /// When it began in the last timed run.
    start: Duration,
    /// How long it took in that run.
    last: Duration,
}

/// Times of the steps. A run is timed now and then, so that timing costs nothing that could be measured.
#[derive(Default)]
pub(super) struct Timing {
    runs: u64,
    timed: u64,
    steps: Vec<StepTime>,
}

#[derive(Clone, Copy, Default)]
struct StepTime {
    total: Duration,
    start: Duration,
    last: Duration,
}

/// Every how many runs one is timed, after the first ones.
const EVERY: u64 = 64;

impl Timing {
    /// Runs `each` for every step, and times it if it is this run's turn.
    #[inline]
    pub fn run<E>(&mut self, steps: usize, each: impl Fn(usize) -> Result<(), E>) -> Result<(), E> {
        self.runs += 1;
        // The first run finds nothing in the cache.
        if !(2..10).contains(&self.runs) && !self.runs.is_multiple_of(EVERY) {
            return (0..steps).try_for_each(each);
        }
        self.timed += 1;
        self.steps.resize(steps, StepTime::default());
        let begin = Instant::now();
        let mut start = Duration::ZERO;
        for (i, time) in self.steps.iter_mut().enumerate() {
            each(i)?;
            let end = begin.elapsed();
            *time = StepTime { total: time.total + (end - start), start, last: end - start };
            start = end;
        }
        Ok(())
    }
}

impl Report {
    pub(super) fn new(plan: &Plan, code: &Code) -> Self {
        let names = Names { code, schedule: &plan.schedule };
        let step = |(i, step): (usize, &super::step::Step)| {
            let unit = &plan.schedule.units[step.unit];
            let time = plan.timing.steps.get(i).copied().unwrap_or_default();
            StepReport {
                formula: names.formula(unit),
                shapes: names.shapes(unit),
                bytes: names.bytes(unit),
                flops: names.flops(unit),
                time: time.total / u32::try_from(plan.timing.timed.max(1)).unwrap_or(u32::MAX),
                start: time.start,
                last: time.last,
            }
        };
        Self {
            steps: plan.steps.iter().enumerate().map(step).collect(),
            planned_bytes: plan.extent.arena,
            thread_bytes: plan.extent.scratch,
            leaf_bytes: plan.extent.leaves.iter().map(|leaf| leaf.length * leaf.dtype.size()).sum(),
            timed_runs: plan.timing.timed,
        }
    }

    /// The time of all steps.
    pub fn time(&self) -> Duration {
        self.steps.iter().map(|step| step.time).sum()
    }

    /// The last timed run in the JSON format of Chrome's tracing, which Perfetto and `chrome://tracing` show.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0]);
    /// let mut program = g.compile(x.exp().sum(), ())?;
    /// program.run()?;
    /// program.run()?;
    /// let trace = program.report().trace();
    /// assert!(trace.starts_with("[{\"name\":\"") && trace.ends_with("}]"));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn trace(&self) -> String {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let events: Vec<String> = self
            .steps
            .iter()
            .map(|step| {
                format!(
                    "{{\"name\":{},\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":{:.3},\"dur\":{:.3},\"args\":{{\"shapes\":{},\
                     \"bytes\":{},\"flops\":{}}}}}",
                    quoted(&step.formula),
                    micros(step.start),
                    micros(step.last),
                    quoted(&step.shapes),
                    step.bytes,
                    step.flops,
                )
            })
            .collect();
        format!("[{}]", events.join(","))
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if u32::from(c) < 32 => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// How much of a formula a table shows.
const WIDTH: usize = 100;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>10} {:>6} {:>10} {:>10}  formula, shapes", "time/µs", "share", "kB", "kflop")?;
        let all = self.time().as_secs_f64().max(1e-12);
        for step in &self.steps {
            let time = step.time.as_secs_f64();
            let mut formula: String = step.formula.chars().take(WIDTH).collect();
            if formula.len() < step.formula.len() {
                formula.push('…');
            }
            let (kilobytes, kiloflops) = (step.bytes as f64 / 1e3, step.flops as f64 / 1e3);
            write!(
                f,
                "{:>10.2} {:>5.1}% {kilobytes:>10.1} {kiloflops:>10.1}",
                time * 1e6,
                100.0 * time / all
            )?;
            writeln!(f, "  {formula}  {}", step.shapes)?;
        }
        writeln!(f, "{:>10.2} µs in all, the mean of {} timed runs", all * 1e6, self.timed_runs)?;
        write!(
            f,
            "planned: {:.1} kB for values, {:.1} kB for each thread; leaves: {:.1} kB",
            self.planned_bytes as f64 / 1e3,
            self.thread_bytes as f64 / 1e3,
            self.leaf_bytes as f64 / 1e3
        )
    }
}

/// How what a plan computes is called.
struct Names<'a> {
    code: &'a Code,
    schedule: &'a Schedule,
}

impl Names<'_> {
    fn base(&self, base: Base) -> String {
        match base {
            Base::Leaf(leaf) => {
                let source = &self.code.leaves[leaf as usize];
                let instruction = &self.code.instructions[source.instruction as usize];
                instruction.name.as_deref().map_or_else(|| format!("constant{leaf}"), str::to_owned)
            }
            Base::Value(value) => match self.schedule.values[value as usize].constant {
                Some(Constant::Number(literal)) => literal.to_string(),
                Some(Constant::Ramp) => "index".to_owned(),
                None => format!("t{value}"),
            },
        }
    }

    fn formula(&self, unit: &Unit) -> String {
        match unit {
            Unit::Group(group) => self.group(group),
            Unit::Pack { from, to } => format!("t{to} = copy({})", self.base(from.base)),
            Unit::Assemble { parts, to, .. } => {
                let parts: Vec<String> = parts.iter().map(|part| self.base(part.from.base)).collect();
                format!("t{to} = place({})", parts.join(", "))
            }
            Unit::Whole { op, operands, to, .. } => {
                let operands: Vec<String> =
                    operands.iter().flatten().map(|place| self.base(place.base)).collect();
                format!("t{to} = {}({})", op.name(), operands.join(", "))
            }
            Unit::Check { from, bound, .. } => format!("check({} in {bound})", self.base(from.base)),
            Unit::Fold { fold, from, to, .. } => format!("t{to} = {}({})", fold.name(), self.base(from.base)),
            Unit::Product(product) => {
                let (a, b) = (self.base(product.a.base), self.base(product.b.base));
                match product.onto {
                    None => format!("t{} = {a} · {b}", product.to),
                    Some((leaf, factor)) => format!("{} += {factor} {a} · {b}", self.base(Base::Leaf(leaf))),
                }
            }
        }
    }

    /// Every member that is read more than once or leaves the group has a name; the others stand where they are read.
    fn group(&self, group: &Group) -> String {
        let mut text: hashbrown::HashMap<u32, String> = hashbrown::HashMap::new();
        let uses = |value: u32| {
            let operands = group.members.iter().flat_map(|member| &member.operands);
            operands.filter(|place| place.base == Base::Value(value)).count()
        };
        let mut lines = Vec::new();
        for member in &group.members {
            let operands: Vec<String> = member
                .operands
                .iter()
                .map(|place| match place.base {
                    Base::Value(value) => text.get(&value).cloned().unwrap_or_else(|| self.base(place.base)),
                    base => self.base(base),
                })
                .collect();
            let name = match &member.act {
                Act::Map(op) => op.name(),
                Act::Rows(fold, _) | Act::Total(fold, _) => fold.name(),
            };
            let call = format!("{name}({})", operands.join(", "));
            if uses(member.out) == 1 {
                text.insert(member.out, call);
            } else {
                lines.push(format!("t{} = {call}", member.out));
            }
        }
        lines.join("; ")
    }

    fn shapes(&self, unit: &Unit) -> String {
        let mut shapes: Vec<String> = Vec::new();
        for place in self.memory(unit) {
            let shape = place.shape.to_string();
            if shapes.last() != Some(&shape) {
                shapes.push(shape);
            }
        }
        match unit {
            Unit::Product(product) => {
                let (a, b) = (&product.a.shape, &product.b.shape);
                format!("{a} · {b}")
            }
            _ => shapes.join(", "),
        }
    }

    /// What is read from memory: not from the unit itself, and no numbers.
    fn memory<'u>(&self, unit: &'u Unit) -> Vec<&'u Place> {
        let own: Vec<u32> = outs(unit).collect();
        let mut places = reads(unit);
        places.retain(|place| match place.base {
            Base::Leaf(_) => true,
            Base::Value(value) => {
                !own.contains(&value) && self.schedule.values[value as usize].constant.is_none()
            }
        });
        places.dedup_by(|a, b| a.base == b.base && a.shape == b.shape);
        places
    }

    fn bytes(&self, unit: &Unit) -> usize {
        let read: usize = self.memory(unit).iter().map(|place| distinct(place) * place.dtype.size()).sum();
        let shown = |value: &u32| match unit {
            Unit::Group(_) => self.leaves_group(*value, unit),
            _ => true,
        };
        let bytes = |value: u32| {
            let info = self.schedule.values[value as usize];
            info.size * info.dtype.size()
        };
        read + outs(unit).filter(shown).map(bytes).sum::<usize>()
    }

    fn leaves_group(&self, value: u32, unit: &Unit) -> bool {
        let is = |place: &Place| place.base == Base::Value(value);
        let others = self.schedule.units.iter().filter(|other| !std::ptr::eq(*other, unit));
        self.schedule.outputs.iter().any(is)
            || self.schedule.updates.iter().any(|update| is(&update.place))
            || others.flat_map(reads).any(is)
    }

    fn flops(&self, unit: &Unit) -> usize {
        match unit {
            Unit::Group(group) => {
                group.members.iter().map(|member| member.operands.first().map_or(0, Place::size)).sum()
            }
            Unit::Whole { op, signatures, result, .. } => op.flops(signatures, result),
            Unit::Pack { .. } | Unit::Assemble { .. } | Unit::Check { .. } => 0,
            Unit::Fold { from, .. } => from.size(),
            Unit::Product(product) => {
                let inner = product.a.shape.last().copied().unwrap_or(1);
                2 * product.a.size() * product.b.size() / inner.max(1)
            }
        }
    }
}

/// How many elements a place reads at least once.
fn distinct(place: &Place) -> usize {
    let axes = place.shape.iter().zip(&place.strides);
    axes.filter(|(_, stride)| **stride != 0).map(|(&size, _)| size).collect::<Shape>().size()
}
