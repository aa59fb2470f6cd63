//! Steps, and how they run.
//!
//! A step reads slices of leaves and of buffers and writes one slice of a buffer. Reading and writing one buffer at
//! once takes no `unsafe`: the buffer is split around what is written, and whatever is read lies before or behind it.

use std::ops::Range;

use smallvec::SmallVec;

use super::buffers::{Buffers, Slice, Stored};
use crate::element::DType;
use crate::kernels::{self, FloatElement, Lanes, Level, Matrix, Middle, Threads, WindowElement, Wrapping};
use crate::ops::{Fold, Logic, Op};
use crate::shape::{Shape, Strides};

/// How many elements a block holds.
pub(super) const BLOCK: usize = 512;

/// Where a slice begins, in a leaf or in the buffer of its element type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub leaf: Option<u32>,
    pub offset: usize,
    /// Whether it goes along with the block, or is a block itself.
    pub moves: bool,
}

/// A strided array.
pub(super) struct Strided {
    pub slot: Slot,
    pub first: usize,
    pub shape: Shape,
    pub strides: Strides,
}

/// What has to be gathered before a group can read it.
pub(super) struct Load {
    pub from: Strided,
    pub dtype: DType,
    pub to: Slot,
    /// Whether it is the same for all blocks.
    pub once: bool,
}

/// One operation on a block.
pub(super) struct BlockOp {
    pub op: Op,
    pub dtype: DType,
    pub inputs: SmallVec<[Slot; 3]>,
    pub out: Slot,
}

/// Elementwise operations, done block by block.
pub(super) struct Group {
    pub size: usize,
    pub loads: Vec<Load>,
    pub ops: Vec<BlockOp>,
}

pub(super) struct MatrixSlot {
    pub slot: Slot,
    pub rows: usize,
    pub columns: usize,
    pub by_columns: bool,
}

pub(super) enum Step {
    Group(Group),
    Pack {
        from: Strided,
        dtype: DType,
        to: Slot,
        size: usize,
    },
    Fold {
        fold: Fold,
        dtype: DType,
        from: Slot,
        axis: Middle,
        divisor: Option<f64>,
        to: Slot,
    },
    Dot {
        a: MatrixSlot,
        b: MatrixSlot,
        dtype: DType,
        to: Slot,
    },
    Whole {
        op: Op,
        shapes: Vec<Shape>,
        /// Where each operand lies and how long it is, unless its shape is enough.
        operands: Vec<Option<(Slot, usize)>>,
        dtype: DType,
        to: Slot,
        size: usize,
        scratch: usize,
    },
}

/// `with_type!(dtype, T => expression)`.
macro_rules! with_type {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::F32 => {
                type $T = f32;
                $body
            }
            DType::F64 => {
                type $T = f64;
                $body
            }
            DType::I64 => {
                type $T = i64;
                $body
            }
            DType::Bool => {
                type $T = bool;
                $body
            }
        }
    };
}

/// The same for floats, with another arm for integers and masks.
macro_rules! with_float {
    ($dtype:expr, $T:ident => $body:expr, _ => $other:expr) => {
        match $dtype {
            DType::F32 => {
                type $T = f32;
                $body
            }
            DType::F64 => {
                type $T = f64;
                $body
            }
            DType::I64 | DType::Bool => $other,
        }
    };
}

/// What a step reads from: the leaves, and one buffer but for the part that is being written.
struct Reader<'a, T> {
    leaves: &'a [Slice<'a>],
    before: &'a [T],
    behind: &'a [T],
    /// Where `behind` begins.
    end: usize,
}

impl<'a, T: Stored> Reader<'a, T> {
    fn read(&self, slot: Slot, start: usize, length: usize) -> &'a [T] {
        let from = slot.offset + if slot.moves { start } else { 0 };
        match slot.leaf {
            Some(leaf) => &T::slice(self.leaves[leaf as usize])[from..from + length],
            None if from + length <= self.before.len() => &self.before[from..from + length],
            None => &self.behind[from - self.end..from - self.end + length],
        }
    }

    /// Everything from a slot on: for strided reads.
    fn read_from(&self, slot: Slot) -> &'a [T] {
        match slot.leaf {
            Some(leaf) => T::slice(self.leaves[leaf as usize]),
            None if slot.offset < self.before.len() => &self.before[slot.offset..],
            None => &self.behind[slot.offset - self.end..],
        }
    }
}

/// Writes `out` of the buffer of `T`, reading from that buffer and the leaves.
fn within<T: Stored>(
    leaves: &[Slice<'_>],
    buffers: &mut Buffers,
    out: Range<usize>,
    run: impl FnOnce(Reader<'_, T>, &mut [T]),
) {
    let (before, rest) = T::buffer_mut(buffers).split_at_mut(out.start);
    let (written, behind) = rest.split_at_mut(out.len());
    run(Reader { leaves, before, behind, end: out.end }, written);
}

/// Writes `out` of the buffer of `U`, reading from the buffer of another type `T` and the leaves.
fn across<T: Stored, U: Stored>(
    leaves: &[Slice<'_>],
    buffers: &mut Buffers,
    out: Range<usize>,
    run: impl FnOnce(Reader<'_, T>, &mut [U]),
) {
    let mut written = std::mem::take(U::buffer_mut(buffers));
    let reader = Reader { leaves, before: T::buffer(buffers), behind: &[], end: usize::MAX };
    run(reader, &mut written[out]);
    *U::buffer_mut(buffers) = written;
}

impl Step {
    pub fn run(&self, leaves: &[Slice<'_>], buffers: &mut Buffers) {
        match self {
            Self::Group(group) => group.run(leaves, buffers),
            Self::Pack { from, dtype, to, size } => {
                with_type!(*dtype, T => gather::<T>(from, to.offset..to.offset + size, 0, leaves, buffers))
            }
            Self::Fold { fold: Fold::ArgMax, dtype, from, axis, to, .. } => {
                argmax(*dtype, *from, *axis, *to, leaves, buffers);
            }
            Self::Fold { fold, dtype, from, axis, divisor, to } => with_float!(
                *dtype,
                T => {
                    let out = to.offset..to.offset + axis.outer * axis.inner;
                    within::<T>(leaves, buffers, out, |reader, out| {
                        let x = reader.read(*from, 0, axis.outer * axis.middle * axis.inner);
                        match fold {
                            Fold::Max => kernels::fold(x, *axis, out, maximum),
                            Fold::Min => kernels::fold(x, *axis, out, minimum),
                            _ => kernels::sum(x, *axis, out, 0.0, |a, b| a + b),
                        }
                        if let Some(divisor) = divisor {
                            out.iter_mut().for_each(|mean| *mean /= *divisor as T);
                        }
                    })
                },
                _ => fold_integers(*fold, *from, *axis, *to, leaves, buffers)
            ),
            Self::Dot { a, b, dtype, to } => with_float!(
                *dtype,
                T => {
                    let out = to.offset..to.offset + a.rows * b.columns;
                    within::<T>(leaves, buffers, out, |reader, out| {
                        let [a, b] = [a, b].map(|m| Matrix {
                            data: reader.read(m.slot, 0, m.rows * m.columns),
                            rows: m.rows,
                            columns: m.columns,
                            by_columns: m.by_columns,
                        });
                        kernels::dot(a, b, out);
                    })
                },
                _ => unreachable!("`dot` takes floats only")
            ),
            Self::Whole { op, shapes, operands, dtype, to, size, scratch } => {
                // It is lent to this step, so that the buffers can be read meanwhile.
                let mut own = std::mem::take(&mut buffers.scratch);
                match dtype {
                    DType::F32 => {
                        let own = &mut own.f32[..*scratch];
                        whole::<f32>(op, shapes, operands, *to, *size, own, leaves, buffers);
                    }
                    _ => {
                        let own = &mut own.f64[..*scratch];
                        whole::<f64>(op, shapes, operands, *to, *size, own, leaves, buffers);
                    }
                }
                buffers.scratch = own;
            }
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "the fields of a step")]
fn whole<T: Stored + WindowElement>(
    op: &Op,
    shapes: &[Shape],
    operands: &[Option<(Slot, usize)>],
    to: Slot,
    size: usize,
    scratch: &mut [T],
    leaves: &[Slice<'_>],
    buffers: &mut Buffers,
) {
    within::<T>(leaves, buffers, to.offset..to.offset + size, |reader, out| {
        let read = |operand: &Option<(Slot, usize)>| match *operand {
            Some((slot, length)) => reader.read(slot, 0, length),
            None => &[],
        };
        let operands: SmallVec<[&[T]; 3]> = operands.iter().map(read).collect();
        op.run_whole(shapes, &operands, out, scratch, Threads::ONE);
    });
}

fn maximum<T: FloatElement>(a: T, b: T) -> T {
    T::Lanes::<false>::of(a).maximum(T::Lanes::<false>::of(b)).get()
}

fn minimum<T: FloatElement>(a: T, b: T) -> T {
    T::Lanes::<false>::of(a).minimum(T::Lanes::<false>::of(b)).get()
}

fn gather<T: Stored>(
    from: &Strided,
    out: Range<usize>,
    start: usize,
    leaves: &[Slice<'_>],
    buffers: &mut Buffers,
) {
    if out.is_empty() {
        return;
    }
    within::<T>(leaves, buffers, out, |reader, out| {
        kernels::gather(reader.read_from(from.slot), from.first, &from.shape, &from.strides, start, out);
    });
}

fn argmax(dtype: DType, from: Slot, axis: Middle, to: Slot, leaves: &[Slice<'_>], buffers: &mut Buffers) {
    let out = to.offset..to.offset + axis.outer * axis.inner;
    let length = axis.outer * axis.middle * axis.inner;
    with_float!(
        dtype,
        T => across::<T, i64>(leaves, buffers, out, |reader, out| {
            // A NaN beats every number, and the first NaN is not beaten.
            let beats = |x: T, best: T| x > best || (x.is_nan() && !best.is_nan());
            kernels::argmax(reader.read(from, 0, length), axis, out, beats);
        }),
        _ => within::<i64>(leaves, buffers, out, |reader, out| {
            kernels::argmax(reader.read(from, 0, length), axis, out, |x, best| x > best);
        })
    );
}

fn fold_integers(
    fold: Fold,
    from: Slot,
    axis: Middle,
    to: Slot,
    leaves: &[Slice<'_>],
    buffers: &mut Buffers,
) {
    let out = to.offset..to.offset + axis.outer * axis.inner;
    within::<i64>(leaves, buffers, out, |reader, out| {
        let x = reader.read(from, 0, axis.outer * axis.middle * axis.inner);
        match fold {
            Fold::Max => kernels::fold(x, axis, out, i64::max),
            Fold::Min => kernels::fold(x, axis, out, i64::min),
            _ => kernels::sum(x, axis, out, 0, |a, b| (Wrapping(a) + Wrapping(b)).0),
        }
    });
}

impl Group {
    fn run(&self, leaves: &[Slice<'_>], buffers: &mut Buffers) {
        let load = |load: &Load, start: usize, length: usize, buffers: &mut Buffers| {
            let out = load.to.offset..load.to.offset + length;
            with_type!(load.dtype, T => gather::<T>(&load.from, out, start, leaves, buffers));
        };
        for once in self.loads.iter().filter(|load| load.once) {
            load(once, 0, self.size.min(BLOCK), buffers);
        }
        for start in (0..self.size).step_by(BLOCK) {
            let length = BLOCK.min(self.size - start);
            for each in self.loads.iter().filter(|load| !load.once) {
                load(each, start, length, buffers);
            }
            for op in &self.ops {
                op.run(start, length, leaves, buffers);
            }
        }
    }
}

impl BlockOp {
    fn run(&self, start: usize, length: usize, leaves: &[Slice<'_>], buffers: &mut Buffers) {
        let first = self.out.offset + if self.out.moves { start } else { 0 };
        let out = first..first + length;
        let slot = |k: usize| self.inputs[k];
        match &self.op {
            Op::Unary(unary) => with_float!(
                self.dtype,
                T => within::<T>(leaves, buffers, out, |from, out| unary.run(Level::detect(), from.read(slot(0), start, length), out)),
                _ => within::<i64>(leaves, buffers, out, |from, out| {
                    unary.run_integers(from.read(slot(0), start, length), out);
                })
            ),
            Op::Binary(binary) => with_float!(
                self.dtype,
                T => within::<T>(leaves, buffers, out, |from, out| {
                    binary.run(Level::detect(), from.read(slot(0), start, length), from.read(slot(1), start, length), out);
                }),
                _ => within::<i64>(leaves, buffers, out, |from, out| {
                    binary.run_integers(from.read(slot(0), start, length), from.read(slot(1), start, length), out);
                })
            ),
            Op::Compare(compare) => match self.dtype {
                DType::F32 => across::<f32, bool>(leaves, buffers, out, |from, out| {
                    compare.run(
                        Level::detect(),
                        from.read(slot(0), start, length),
                        from.read(slot(1), start, length),
                        out,
                    );
                }),
                DType::F64 => across::<f64, bool>(leaves, buffers, out, |from, out| {
                    compare.run(
                        Level::detect(),
                        from.read(slot(0), start, length),
                        from.read(slot(1), start, length),
                        out,
                    );
                }),
                DType::I64 => across::<i64, bool>(leaves, buffers, out, |from, out| {
                    compare.run_integers(
                        from.read(slot(0), start, length),
                        from.read(slot(1), start, length),
                        out,
                    );
                }),
                DType::Bool => within::<bool>(leaves, buffers, out, |from, out| {
                    compare.run_masks(
                        from.read(slot(0), start, length),
                        from.read(slot(1), start, length),
                        out,
                    );
                }),
            },
            Op::Logic(logic) => self.logic(*logic, start, out, leaves, buffers),
            other => unreachable!("`{other}` is not elementwise"),
        }
    }

    fn logic(
        &self,
        logic: Logic,
        start: usize,
        out: Range<usize>,
        leaves: &[Slice<'_>],
        buffers: &mut Buffers,
    ) {
        let length = out.len();
        let slot = |k: usize| self.inputs[k];
        match logic {
            Logic::And | Logic::Or => within::<bool>(leaves, buffers, out, |from, out| {
                let (a, b) = (from.read(slot(0), start, length), from.read(slot(1), start, length));
                match logic {
                    Logic::And => kernels::zip(a, b, out, |a, b| a & b),
                    _ => kernels::zip(a, b, out, |a, b| a | b),
                }
            }),
            Logic::Not => within::<bool>(leaves, buffers, out, |from, out| {
                kernels::map(from.read(slot(0), start, length), out, |a: bool| !a);
            }),
            Logic::Select if self.dtype == DType::Bool => {
                within::<bool>(leaves, buffers, out, |from, out| {
                    let [mask, yes, no] = [0, 1, 2].map(|k| from.read(slot(k), start, length));
                    kernels::select(mask, yes, no, out);
                })
            }
            Logic::Select => with_type!(self.dtype, T => {
                let masks = std::mem::take(bool::buffer_mut(buffers));
                let reader = Reader { leaves, before: &masks, behind: &[], end: usize::MAX };
                let mask = reader.read(slot(0), start, length);
                within::<T>(leaves, buffers, out, |from, out| {
                    kernels::select(mask, from.read(slot(1), start, length), from.read(slot(2), start, length), out);
                });
                *bool::buffer_mut(buffers) = masks;
            }),
            Logic::Cast(to) => with_type!(self.dtype, T => with_type!(to, U => {
                if self.dtype == to {
                    within::<T>(leaves, buffers, out, |from, out| {
                        out.copy_from_slice(from.read(slot(0), start, length));
                    });
                } else {
                    across::<T, U>(leaves, buffers, out, |from, out| {
                        kernels::map(from.read(slot(0), start, length), out, <T as Convert<U>>::convert);
                    });
                }
            })),
        }
    }
}

/// Conversions between element types, as `cast` does them.
trait Convert<U> {
    fn convert(self) -> U;
}

macro_rules! convert {
    ($($from:ty => $($to:ty)*;)*) => {
        $($(impl Convert<$to> for $from {
            fn convert(self) -> $to {
                self as $to
            }
        })*
        impl Convert<bool> for $from {
            fn convert(self) -> bool {
                self != 0 as $from
            }
        }
        impl Convert<$from> for bool {
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
