//! One instruction on a block.

use std::ops::Div;

use crate::element::{DType, Float, with_float, with_type};
use crate::kernels::{self, Instruction, Join, Level, Operands, Pair, Term};
use crate::ops::{Fold, Logic, Op, Random};
use crate::shape::{Shape, Strides};

use super::place::Place;

/// What is done with the operands of a block.
#[derive(Debug)]
pub(super) enum BlockOp {
    /// An elementwise operation; the element type is that of its numbers.
    Map { op: Op, dtype: DType, level: Level },
    /// Two functions of one operand.
    Pair { pair: Pair, dtype: DType, level: Level },
    /// Reads a strided array, for each element or for each row.
    Load { dtype: DType, first: usize, shape: Shape, strides: Strides, rows: bool },
    /// The value of each row for all of its columns.
    Expand { dtype: DType },
    /// Random numbers, of one for each element or for each row.
    Draw { random: Random, level: Level, rows: bool },
    /// The same elements elsewhere.
    Copy { dtype: DType },
    /// A reduction of each row.
    Rows { fold: Fold, divisor: Option<f64>, dtype: DType, level: Level },
    /// A reduction of the block.
    Total { fold: Fold, divisor: Option<f64>, dtype: DType, level: Level },
}

impl BlockOp {
    /// Reads a place whose first element is number `first` of its memory.
    pub fn load(place: &Place, first: usize, rows: bool) -> Self {
        let Place { dtype, shape, strides, .. } = place.clone();
        Self::Load { dtype, first, shape, strides, rows }
    }
}

impl Instruction for BlockOp {
    #[inline]
    fn run(&self, at: Operands<'_>) {
        match self {
            Self::Map { op, dtype, level } => map(op, *dtype, *level, at),
            Self::Pair { pair, dtype, level } => with_float!(
                *dtype,
                T => {
                    let x = at.read::<T>(0);
                    let (first, second) = at.write_two();
                    pair.run(*level, x, first, second);
                },
                _ => unreachable!("pairs are of floats")
            ),
            Self::Load { dtype, first, shape, strides, rows } => with_type!(*dtype, T => {
                let window = at.window();
                let start = if *rows { window.first } else { window.first * window.columns };
                let from = at.read::<T>(0);
                kernels::gather(from, *first, shape, strides, start, at.write());
            }),
            Self::Expand { dtype } => with_type!(*dtype, T => {
                let columns = at.window().columns;
                let x = at.read::<T>(0);
                for (line, &x) in at.write::<T>().chunks_exact_mut(columns).zip(x) {
                    line.fill(x);
                }
            }),
            Self::Draw { random, level, rows } => with_float!(
                random.dtype,
                T => {
                    let window = at.window();
                    let first = if *rows { window.first } else { window.first * window.columns };
                    let state = [0, 1].map(|k| at.read::<i64>(k)[0]);
                    random.run::<T>(*level, state, first, at.write());
                },
                _ => unreachable!("only floats are drawn")
            ),
            Self::Copy { dtype } => with_type!(*dtype, T => {
                let x = at.read::<T>(0);
                at.write::<T>().copy_from_slice(x);
            }),
            Self::Rows { fold, divisor, dtype, level } => with_float!(
                *dtype,
                T => {
                    let columns = at.window().columns;
                    let x = at.read::<T>(0);
                    rows(*fold, *divisor, *level, columns, x, at.write());
                },
                _ => unreachable!("rows of integers are reduced apart")
            ),
            Self::Total { fold, divisor, dtype, level } => with_float!(
                *dtype,
                T => {
                    let x = at.read::<T>(0);
                    total(*fold, *divisor, *level, x, at.write());
                },
                _ => unreachable!("integers are reduced apart")
            ),
        }
    }
}

/// Reduces each row of `columns`.
fn rows<T: Float + Term + Div<Output = T>>(
    fold: Fold,
    divisor: Option<f64>,
    level: Level,
    columns: usize,
    x: &[T],
    out: &mut [T],
) {
    kernels::rows(level, join(fold), x, columns, out);
    divide(divisor, out);
}

/// Reduces everything; a sum of nothing is 0.
fn total<T: Float + Term + Div<Output = T>>(
    fold: Fold,
    divisor: Option<f64>,
    level: Level,
    x: &[T],
    out: &mut [T],
) {
    out[0] = kernels::total(level, join(fold), x).unwrap_or_default();
    divide(divisor, out);
}

/// What joins two terms of a reduction.
pub(super) fn join(fold: Fold) -> Join {
    match fold {
        Fold::Prod => Join::Product,
        Fold::Max => Join::Max,
        Fold::Min => Join::Min,
        _ => Join::Sum,
    }
}

/// Divides sums by a count, if they are to be means.
pub(super) fn divide<T: Float + Div<Output = T>>(divisor: Option<f64>, out: &mut [T]) {
    if let Some(divisor) = divisor {
        let divisor = T::from_f64(divisor);
        out.iter_mut().for_each(|mean| *mean = *mean / divisor);
    }
}

fn map(op: &Op, dtype: DType, level: Level, at: Operands<'_>) {
    match op {
        Op::Unary(unary) => with_float!(
            dtype,
            T => {
                let x = at.read::<T>(0);
                unary.run(level, x, at.write());
            },
            _ => {
                let x = at.read(0);
                unary.run_integers(level, x, at.write());
            }
        ),
        Op::Binary(binary) => with_float!(
            dtype,
            T => {
                let (a, b) = (at.read::<T>(0), at.read(1));
                binary.run(level, a, b, at.write());
            },
            _ => {
                let (a, b) = (at.read(0), at.read(1));
                binary.run_integers(level, a, b, at.write());
            }
        ),
        Op::Compare(compare) => match dtype {
            DType::F32 => {
                let (a, b) = (at.read::<f32>(0), at.read(1));
                compare.run(level, a, b, at.write());
            }
            DType::F64 => {
                let (a, b) = (at.read::<f64>(0), at.read(1));
                compare.run(level, a, b, at.write());
            }
            DType::I64 => {
                let (a, b) = (at.read(0), at.read(1));
                compare.run_integers(level, a, b, at.write());
            }
            DType::Bool => {
                let (a, b) = (at.read(0), at.read(1));
                compare.run_masks(level, a, b, at.write());
            }
        },
        Op::Logic(op) => logic(*op, dtype, level, at),
        other => unreachable!("`{other}` is not elementwise"),
    }
}

fn logic(op: Logic, dtype: DType, level: Level, at: Operands<'_>) {
    match op {
        Logic::And | Logic::Or => {
            let (a, b) = (at.read::<bool>(0), at.read::<bool>(1));
            match op {
                Logic::And => kernels::zip_at(level, a, b, at.write(), |a, b| a & b),
                _ => kernels::zip_at(level, a, b, at.write(), |a, b| a | b),
            }
        }
        Logic::Not => {
            let x = at.read::<bool>(0);
            kernels::map_at(level, x, at.write(), |a: bool| !a);
        }
        Logic::Select => with_type!(dtype, T => {
            let (mask, yes, no) = (at.read(0), at.read::<T>(1), at.read(2));
            kernels::select(level, mask, yes, no, at.write());
        }),
        Logic::Cast(to) => with_type!(dtype, T => with_type!(to, U => {
            let x = at.read::<T>(0);
            kernels::map_at(level, x, at.write(), <T as Convert<U>>::convert);
        })),
    }
}

/// Conversions between element types, as `cast` does them.
trait Convert<U> {
    fn convert(self) -> U;
}

macro_rules! convert {
    ($($from:ty => $($to:ty)*;)*) => {
        $($(impl Convert<$to> for $from {
            #[inline(always)]
            fn convert(self) -> $to {
                self as $to
            }
        })*
        impl Convert<bool> for $from {
            #[inline(always)]
            fn convert(self) -> bool {
                self != 0 as $from
            }
        }
        impl Convert<$from> for bool {
            #[inline(always)]
            fn convert(self) -> $from {
                u8::from(self) as $from
            }
        })*
    };
}
convert! {
    f32 => f32 f64 i64;
    f64 => f32 f64 i64;
    i64 => f32 f64 i64;
}

impl Convert<bool> for bool {
    fn convert(self) -> bool {
        self
    }
}
