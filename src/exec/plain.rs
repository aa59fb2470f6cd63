//! The plain interpreter: one instruction after the other, each value in an array of its own in C order. Nothing is planned,
//! fused, overwritten or shared out among threads. It shares with the other way to run the kernels of elementwise
//! operations, of reductions and of windows alone: it is there to judge the rest.

use ndarray::{ArrayD, ArrayView2, ArrayViewD, Axis, Dimension, IxDyn, Slice, concatenate};

use super::bind::as_array;
use super::block::BlockOp;
use super::code::{Code, Instruction};
use super::schedule::{Bound, kernel_dtype, segments};
use super::step::run_fold;
use crate::element::{DType, Element, Float, Literal, Value, each_dtype, with_float, with_type};
use crate::error::Result;
use crate::graph::Signature;
use crate::kernels::{
    Arena, Call, Extent, Home, Instruction as _, LeafExtent, LeafMemory, Level, Memory, Middle, Operands,
    Slot, Span, Threads,
};
use crate::ops::{Fold, Index, Layout, Op, Reduce, Slicing, Task, expanded};
use crate::shape::{Axes, Run, Shape, diagonal_of};

/// The values of all instructions that have one.
pub(super) struct Plain<'a> {
    code: &'a Code,
    shapes: Vec<Shape>,
    values: Vec<Option<Value>>,
    level: Level,
}

impl<'a> Plain<'a> {
    /// Computes everything from the leaves.
    pub fn run(code: &'a Code, sizes: &[Shape], leaves: Vec<Option<Value>>, level: Level) -> Result<Self> {
        let shapes = code.infer(sizes)?;
        let mut this = Self { code, values: vec![None; shapes.len()], shapes, level };
        for (leaf, value) in code.leaves.iter().zip(leaves) {
            this.values[leaf.instruction as usize] = value;
        }
        for (i, instruction) in code.instructions.iter().enumerate() {
            if instruction.live && !instruction.op.is_leaf() {
                let value = this.compute(i, instruction)?;
                let (found, expected) = (&value, (instruction.dtype, &this.shapes[i][..]));
                assert_eq!((found.dtype(), found.shape()), expected, "the value of `{}`", instruction.op);
                this.values[i] = Some(value);
            }
        }
        Ok(this)
    }

    /// The value of an instruction that is needed.
    pub fn value(&self, instruction: u32) -> &Value {
        let value = self.values[instruction as usize].as_ref();
        value.expect("what is needed has been computed")
    }

    fn compute(&self, i: usize, instruction: &Instruction) -> Result<Value> {
        let Instruction { op, inputs, dtype, .. } = instruction;
        let operand = |k: usize| self.value(inputs[k]);
        let shape = &self.shapes[i];
        Ok(match op {
            Op::Literal(literal) => filled(*literal, shape),
            Op::Order(_) => operand(0).clone(),
            Op::Layout(layout) => self.arrange(layout, operand(0), shape),
            Op::Reduce(Reduce { fold: Fold::Size, axes, .. }) => {
                let count: usize = axes.iter().map(|axis| self.shapes[inputs[0] as usize][axis]).product();
                filled(Literal::rounded(count as f64, *dtype), shape)
            }
            Op::Reduce(Reduce { fold, axes, .. }) => self.reduce(*fold, operand(0), axes, *dtype, shape),
            Op::MatMul(_) => with_float!(
                *dtype,
                T => multiply::<T>(operand(0), operand(1), shape),
                _ => unreachable!("products take floats only")
            ),
            Op::Index(Index::Along(axis)) => {
                let axis = axis.single().unwrap_or_default();
                pack(ArrayD::from_shape_fn(&shape[..], |at| at[axis] as i64).view())
            }
            Op::Index(_) => self.check(i, operand(0))?,
            Op::Slicing(slicing) => self.slice(slicing, instruction, shape),
            Op::Random(random) => {
                let state = i64::array(operand(0)).expect("a state is of integers");
                let state = [0, 1].map(|i| pack(state.slice_axis(Axis(0), Slice::from(i..=i))));
                let draw = BlockOp::Draw { random: *random, level: self.level, rows: false };
                apply(&state, *dtype, shape, |at| draw.run(at))
            }
            op if op.is_whole() => self.whole(i, shape)?,
            op => {
                let operands: Vec<Value> = (0..inputs.len()).map(|k| stretched(operand(k), shape)).collect();
                let dtypes = operands.iter().map(|value| value.dtype()).collect::<Vec<_>>();
                let map =
                    BlockOp::Map { op: op.clone(), dtype: kernel_dtype(op, &dtypes), level: self.level };
                apply(&operands, *dtype, shape, |at| map.run(at))
            }
        })
    }

    fn arrange(&self, layout: &Layout, x: &Value, shape: &Shape) -> Value {
        match layout {
            Layout::Transpose { axes } => each_dtype!(x, Value(x) => {
                pack(x.view().permuted_axes(axes.iter().collect::<Vec<_>>()))
            }),
            Layout::BroadcastTo { .. } => stretched(x, shape),
            Layout::BroadcastLike { axes } => stretched(&reshaped(x, &expanded(x.shape(), axes)), shape),
            Layout::SumLike => {
                let (view, new) = (x, x.shape().len() - shape.ndim());
                let stretched = |axis: &usize| *axis < new || shape[axis - new] != view.shape()[*axis];
                let axes: Vec<usize> = (0..view.shape().len()).filter(stretched).collect();
                self.reduce(Fold::Sum, x, &Axes::from(&axes[..]), view.dtype(), shape)
            }
            _ => reshaped(x, shape),
        }
    }

    /// Neighbouring axes at a time, from the last.
    fn reduce(&self, fold: Fold, x: &Value, axes: &Axes, dtype: DType, shape: &Shape) -> Value {
        let sizes = x.shape().to_vec();
        let count: usize = axes.iter().map(|axis| sizes[axis]).product();
        let mut x = x.clone();
        let mut segments = segments(&sizes, |axis| axes.contains(axis));
        if fold == Fold::ArgMax {
            // An index counts over all reduced axes, so they have to lie together.
            let order = (0..sizes.len()).filter(|&axis| !axes.contains(axis)).chain(axes.iter());
            x = each_dtype!(&x, Value(x) => pack(x.view().permuted_axes(order.collect::<Vec<_>>())));
            segments = vec![(shape.size(), false), (count, true)];
        } else if !segments.iter().any(|segment| segment.1) {
            segments.push((1, true));
        }
        while let Some(last) = segments.iter().rposition(|segment| segment.1) {
            let (middle, _) = segments.remove(last);
            let product = |segments: &[(usize, bool)]| segments.iter().map(|segment| segment.0).product();
            let axis =
                Middle { outer: product(&segments[..last]), middle, inner: product(&segments[last..]) };
            let done = !segments.iter().any(|segment| segment.1);
            let divisor = (fold == Fold::Mean && done).then_some(count as f64);
            let from = x.dtype();
            let size = Shape::from([axis.outer * axis.inner]);
            x = apply(&[x], dtype, &size, |at| run_fold(fold, from, axis, divisor, self.level, at));
        }
        reshaped(&x, shape)
    }

    /// The indices, if they are below the size of an axis.
    fn check(&self, i: usize, indices: &Value) -> Result<Value> {
        let Instruction { op: Op::Index(op @ (Index::Within(axis) | Index::Counted(axis))), inputs, .. } =
            &self.code.instructions[i]
        else {
            unreachable!("other operations with indices are lowered");
        };
        let size = self.shapes[inputs[1] as usize][axis.single().unwrap_or_default()];
        let bound = Bound { size, from_end: matches!(op, Index::Counted(_)) };
        let array = i64::array(indices).expect("indices are of one type");
        match array.iter().find(|&&index| !bound.holds(index)) {
            Some(&index) => Err(self.code.out_of_range(index, i, &self.shapes)),
            None => Ok(indices.clone()),
        }
    }

    fn slice(&self, slicing: &Slicing, instruction: &Instruction, shape: &Shape) -> Value {
        let operand = |k: usize| self.value(instruction.inputs[k]);
        match slicing {
            Slicing::Slice { axes, cut } => each_dtype!(operand(0), Value(x) => {
                let mut part = x.to_owned();
                for axis in axes.iter() {
                    let run = cut.of(part.shape()[axis]).expect("the slice is one of the axis");
                    part = part.select(Axis(axis), &places(run));
                }
                pack(part.view())
            }),
            Slicing::Unslice { axes, cut } => each_dtype!(operand(0), Value(part) => {
                let all = |axis: usize| Run { first: 0, step: 1, count: shape[axis] };
                let cut = |axis: usize| cut.of(shape[axis]).expect("the slice is one of the axis");
                let at = |axis: usize| places(if axes.contains(axis) { cut(axis) } else { all(axis) });
                let places: Vec<Vec<usize>> = (0..shape.ndim()).map(at).collect();
                let mut whole = ArrayD::default(&shape[..]);
                for (from, &x) in part.indexed_iter() {
                    let to: Vec<usize> = (0..shape.ndim()).map(|axis| places[axis][from[axis]]).collect();
                    whole[&to[..]] = x;
                }
                pack(whole.view())
            }),
            Slicing::Diagonal { axes, offset } => each_dtype!(operand(0), Value(x) => {
                let place = on_diagonal(x.shape(), axes, *offset);
                pack(ArrayD::from_shape_fn(&shape[..], |at| x[&place(at.slice())[..]]).view())
            }),
            Slicing::Undiagonal { axes, offset } => each_dtype!(operand(0), Value(diagonal) => {
                let place = on_diagonal(shape, axes, *offset);
                let mut whole = ArrayD::default(&shape[..]);
                diagonal.indexed_iter().for_each(|(at, &x)| whole[&place(at.slice())[..]] = x);
                pack(whole.view())
            }),
            Slicing::Concat { axis, count } => with_type!(instruction.dtype, T => {
                let parts: Vec<ArrayViewD<'_, T>> =
                    (0..*count as usize).map(|k| view::<T>(operand(k))).collect();
                let whole = concatenate(Axis(axis.single().unwrap_or_default()), &parts);
                pack(whole.expect("the shapes have been checked").view())
            }),
            Slicing::PartLike { axis, index, .. } => each_dtype!(operand(0), Value(x) => {
                let axis = axis.single().unwrap_or_default();
                let size = |k: usize| self.shapes[instruction.inputs[1 + k] as usize][axis];
                let first = (0..*index as usize).map(size).sum();
                let run = Run { first, step: 1, count: size(*index as usize) };
                pack(x.select(Axis(axis), &places(run)).view())
            }),
        }
    }

    fn whole(&self, i: usize, shape: &Shape) -> Result<Value> {
        let Instruction { op, inputs, dtype, .. } = &self.code.instructions[i];
        let signature = |&input: &u32| Signature {
            dtype: self.code.instructions[input as usize].dtype,
            shape: self.shapes[input as usize].clone(),
        };
        let operands: Vec<Signature> = inputs.iter().map(signature).collect();
        let result = Signature { dtype: *dtype, shape: shape.clone() };
        let reads: Vec<bool> = (0..inputs.len()).map(|k| op.reads(k)).collect();
        let read = (0..inputs.len()).filter(|&k| reads[k]);
        let values: Vec<Value> = read.map(|k| self.value(inputs[k]).clone()).collect();
        let scratch = op.scratch_len(&operands, &result);
        let mut outcome = Ok(());
        let value = apply_in(&values, *dtype, shape, scratch, |at| {
            let (operands, result, reads) = (&operands[..], &result, &reads[..]);
            outcome =
                op.try_run(Task { level: self.level, threads: Threads::ONE, operands, result, reads, at });
        });
        outcome.map_err(|cause| self.code.failed(cause, i, &self.shapes))?;
        Ok(value)
    }
}

/// A copy in C order.
fn pack<T: Element>(view: ArrayViewD<'_, T>) -> Value {
    T::value(view.as_standard_layout().into_owned().into_shared())
}

fn view<T: Element>(value: &Value) -> ArrayViewD<'_, T> {
    T::array(value).expect("operands have the element type of the result").view()
}

fn filled(literal: Literal, shape: &Shape) -> Value {
    let shape = IxDyn(shape);
    match literal {
        Literal::F32(bits) => pack(ArrayD::from_elem(shape, f32::from_bits(bits)).view()),
        Literal::F64(bits) => pack(ArrayD::from_elem(shape, f64::from_bits(bits)).view()),
        Literal::I64(value) => pack(ArrayD::from_elem(shape, value).view()),
        Literal::Bool(value) => pack(ArrayD::from_elem(shape, value).view()),
    }
}

fn stretched(x: &Value, shape: &Shape) -> Value {
    let shape = IxDyn(shape);
    each_dtype!(x, Value(x) => pack(x.broadcast(shape).expect("the shapes have been checked")))
}

fn reshaped(x: &Value, shape: &Shape) -> Value {
    each_dtype!(x, Value(x) => {
        pack(x.view().into_shape_with_order(&shape[..]).expect("the shapes have been checked"))
    })
}

/// The numbers of the elements that a cut takes.
fn places(run: Run) -> Vec<usize> {
    (0..run.count as isize).map(|i| (run.first as isize + i * run.step) as usize).collect()
}

/// Where an element of the diagonals stands in the matrices of this shape.
fn on_diagonal(whole: &[usize], axes: &Axes, offset: isize) -> impl Fn(&[usize]) -> Vec<usize> {
    let [i, j] = axes.pair().expect("a diagonal has two axes");
    let (row, column, _) = diagonal_of(whole[i], whole[j], offset);
    let rank = whole.len();
    move |at| {
        let (along, mut rest) = (at[at.len() - 1], at.iter());
        let mut place = |axis| match axis {
            _ if axis == i => row + along,
            _ if axis == j => column + along,
            _ => *rest.next().expect("every other axis has its place"),
        };
        (0..rank).map(&mut place).collect()
    }
}

/// A kernel's result on packed operands.
fn apply(operands: &[Value], dtype: DType, shape: &Shape, kernel: impl FnOnce(Operands<'_>)) -> Value {
    apply_in(operands, dtype, shape, 0, kernel)
}

/// The same of a kernel that works in so many numbers of the result's type.
fn apply_in(
    operands: &[Value],
    dtype: DType,
    shape: &Shape,
    scratch: usize,
    kernel: impl FnOnce(Operands<'_>),
) -> Value {
    let mut leaves: Vec<LeafExtent> = operands
        .iter()
        .map(|operand| {
            let view = operand;
            LeafExtent { dtype: view.dtype(), length: view.shape().iter().product(), written: false }
        })
        .collect();
    leaves.extend([shape.size(), scratch].map(|length| LeafExtent { dtype, length, written: true }));
    let slots: Vec<Slot> = (0..)
        .zip(&leaves)
        .map(|(k, leaf)| {
            let (home, span) = (Home::Leaf(k), Span::Whole(leaf.length));
            Slot { home, offset: 0, dtype: leaf.dtype, span }
        })
        .collect();
    let extent = Extent { arena: 0, scratch: 0, leaves };
    let (reads, writes) = slots.split_at(operands.len());
    let call = Call::new(reads, writes, &extent);
    with_type!(dtype, T => {
        let mut out = ArrayD::<T>::default(&shape[..]);
        let mut scratch = vec![T::default(); scratch];
        let result = LeafMemory::write(out.as_slice_mut().expect("a new array is packed"));
        let scratch = LeafMemory::write(&mut scratch);
        let read = operands.iter().map(|operand| as_array(operand).memory().expect("operands are packed"));
        kernel(call.at(&Memory::new(&mut Arena::new(0), read.chain([result, scratch]), &extent)));
        T::value(out.into_shared())
    })
}

/// Products of matrices, entry by entry, each sum from left to right.
fn multiply<T: Float + std::ops::Add<Output = T> + std::ops::Mul<Output = T>>(
    a: &Value,
    b: &Value,
    shape: &Shape,
) -> Value {
    let (a, b) = (view::<T>(a), view::<T>(b));
    let a = if a.ndim() == 1 { a.insert_axis(Axis(0)) } else { a };
    let b = if b.ndim() == 1 { b.insert_axis(Axis(1)) } else { b };
    let (rows, columns) = (a.shape()[a.ndim() - 2], b.shape()[b.ndim() - 1]);
    let batch = &shape[..shape.ndim() - if a.ndim().max(b.ndim()) > 2 { 2 } else { shape.ndim() }];
    let batches = batch.iter().product();
    let all = |x: &ArrayViewD<'_, T>| {
        let matrix = &x.shape()[x.ndim() - 2..];
        let whole = x.broadcast([batch, matrix].concat()).expect("the shapes have been checked");
        let flat = (batches, matrix[0], matrix[1]);
        whole.to_shape(flat).expect("as many elements").into_owned()
    };
    let (a, b) = (all(&a), all(&b));
    let mut out = Vec::with_capacity(shape.size());
    for (a, b) in a.outer_iter().zip(b.outer_iter()) {
        out.extend((0..rows * columns).map(|at| entry(a, b, at / columns, at % columns)));
    }
    pack(ArrayD::from_shape_vec(&shape[..], out).expect("as many elements as the shape says").view())
}

fn entry<T: Float + std::ops::Add<Output = T> + std::ops::Mul<Output = T>>(
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    i: usize,
    j: usize,
) -> T {
    (0..a.ncols()).fold(T::default(), |sum, k| sum + a[[i, k]] * b[[k, j]])
}
