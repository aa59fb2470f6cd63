//! Steps, and how they run.

use smallvec::SmallVec;

use super::block::{BlockOp, divide, join};
use super::scalars::Scalars;
use super::schedule::Bound;
use crate::element::{DType, Float, with_float, with_type};
use crate::graph::Signature;
use crate::kernels::{
    self, Call, Factor, Layout, Level, Loop, Matrix, MatrixMut, Memory, Middle, Operands, Threads,
};
use crate::ops::{Fold, Op, Task};
use crate::shape::{Shape, Strides};

/// What a step does.
pub(super) enum Work {
    Loop(Loop<BlockOp>),
    Scalars {
        call: Call,
        code: Scalars,
    },
    /// Brings the parts of a total together.
    Parts {
        call: Call,
        fold: Fold,
        dtype: DType,
        divisor: Option<f64>,
    },
    Fold {
        call: Call,
        fold: Fold,
        dtype: DType,
        axis: Middle,
        divisor: Option<f64>,
    },
    /// Products of matrices, or what is added to a single one: so many times the product.
    Product {
        call: Call,
        a: Layout,
        b: Layout,
        batch: Vec<(isize, isize)>,
        dtype: DType,
        onto: Option<f64>,
    },
    /// Parts laid into an array.
    Assemble {
        call: Call,
        parts: Vec<Target>,
        zeros: bool,
        dtype: DType,
    },
    /// An operation on whole operands, of which those that are read say so.
    Whole {
        call: Call,
        instruction: u32,
        op: Op,
        signatures: Vec<Signature>,
        reads: Vec<bool>,
        result: Signature,
    },
    /// Refuses indices out of bounds.
    Check {
        call: Call,
        bound: Bound,
        instruction: u32,
    },
}

/// Where a part goes in a packed array.
pub(super) struct Target {
    pub shape: Shape,
    pub offset: usize,
    pub strides: Strides,
}

/// An index out of range, found by this instruction.
pub(super) struct OutOfRange {
    pub index: i64,
    pub instruction: u32,
}

/// Why a run ended early.
pub(super) enum Halt {
    OutOfRange(OutOfRange),
    /// The operation of an instruction has no result.
    Failed {
        cause: String,
        instruction: u32,
    },
}

/// One step of a run.
pub(super) struct Step {
    pub work: Work,
    /// The unit that it belongs to.
    pub unit: usize,
    /// About how many elements are computed.
    pub effort: usize,
}

/// How many elements a step has to compute for other threads to be worth waking.
const WORTH_THREADS: usize = 1 << 18;

impl Step {
    /// Whether it is long enough for other threads to be woken.
    pub fn is_worth_threads(&self) -> bool {
        self.effort >= WORTH_THREADS
    }

    #[inline]
    pub fn run(&self, memory: &Memory<'_>, level: Level, threads: Threads) -> Result<(), Halt> {
        let threads = if self.is_worth_threads() { threads } else { Threads::ONE };
        match &self.work {
            Work::Loop(blocks) => blocks.run(memory, threads),
            Work::Scalars { call, code } => code.run(&call.at(memory)),
            Work::Parts { call, fold, dtype, divisor } => with_float!(
                *dtype,
                T => {
                    let at = call.at(memory);
                    let x = at.read::<T>(0);
                    let out = at.write();
                    out[0] = kernels::parts(level, join(*fold), x).unwrap_or_default();
                    divide(*divisor, out);
                },
                _ => unreachable!("integers are reduced apart")
            ),
            Work::Fold { call, fold, dtype, axis, divisor } => {
                run_fold(*fold, *dtype, *axis, *divisor, level, call.at(memory));
            }
            Work::Product { call, a, b, batch, dtype, onto } => with_float!(
                *dtype,
                T => multiply::<T>(level, *a, *b, batch, *onto, call.at(memory), threads),
                _ => unreachable!("products take floats only")
            ),
            Work::Assemble { call, parts, zeros, dtype } => with_type!(*dtype, T => {
                let at = call.at(memory);
                let from: SmallVec<[&[T]; 4]> = (0..parts.len()).map(|k| at.read(k)).collect();
                let out = at.write();
                if *zeros {
                    out.fill(T::default());
                }
                for (from, part) in from.into_iter().zip(parts) {
                    kernels::scatter(from, &part.shape, &part.strides, part.offset, out);
                }
            }),
            Work::Whole { call, instruction, op, signatures, reads, result } => {
                let at = call.at(memory);
                let task = Task { level, threads, operands: signatures, result, reads, at };
                op.try_run(task).map_err(|cause| Halt::Failed { cause, instruction: *instruction })?;
            }
            &Work::Check { ref call, bound, instruction } => {
                let indices = call.at(memory).read(0);
                if let Some(&index) = indices.iter().find(|&&index| !bound.holds(index)) {
                    return Err(Halt::OutOfRange(OutOfRange { index, instruction }));
                }
            }
        }
        Ok(())
    }
}

fn multiply<T: Float + Factor + Send + Sync>(
    level: Level,
    a: Layout,
    b: Layout,
    batch: &[(isize, isize)],
    onto: Option<f64>,
    at: Operands<'_>,
    threads: Threads,
) {
    let (x, y) = (at.read::<T>(0), at.read::<T>(1));
    if let (None, [_, _, ..] | []) = (onto, batch) {
        return kernels::products(level, (x, a), (y, b), batch, at.write(), threads);
    }
    let (alpha, beta) = onto.map_or((1.0, 0.0), |factor| (factor, 1.0));
    let out = MatrixMut::new(at.write(), Layout::by_rows(a.rows, b.columns));
    let (x, y) = (Matrix::new(x, a), Matrix::new(y, b));
    kernels::product_at(level, T::from_f64(alpha), x, y, T::from_f64(beta), out, threads);
}

pub(super) fn run_fold(
    fold: Fold,
    dtype: DType,
    axis: Middle,
    divisor: Option<f64>,
    level: Level,
    at: Operands<'_>,
) {
    with_float!(
        dtype,
        T => {
            let x = at.read::<T>(0);
            if fold == Fold::ArgMax {
                return kernels::argmax(level, x, axis, at.write());
            }
            let out = at.write();
            kernels::reduce(level, join(fold), x, axis, out);
            divide(divisor, out);
        },
        _ => {
            let x = at.read::<i64>(0);
            match fold {
                Fold::ArgMax => kernels::argmax(level, x, axis, at.write()),
                _ => kernels::reduce(level, join(fold), x, axis, at.write()),
            }
        }
    );
}
