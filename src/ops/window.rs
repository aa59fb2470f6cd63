//! Windows that move over images: convolutions, pools, and their transposes.

use super::sliding::{Conv, Pool};
use super::transposed::ConvTranspose;
use super::{Cotangent, Fault, Op, Operation, Record, Site, Task, require_dtype, require_same_dtype};
use crate::element::{DType, Element, with_float};
use crate::error::Error;
use crate::graph::{Expr, Signature};
use crate::kernels::{self, Convolution, Divisor, Pooling, WindowElement};
use crate::shape::Shape;

/// An operation on windows of images (batch, channels, ..) with 1 to 3 spatial axes.
///
/// Those that are named after an operand, or `un..`, are the transposes of others, by which derivatives are expressed;
/// they take the operand whose shape they restore as their last one. So every order of derivative exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// [`Var::conv`](crate::Var::conv) of an input and weights.
    Conv(Box<Conv>),
    /// The gradient of the input of a convolution: of a cotangent, the weights, and the input for its shape.
    ConvInput(Box<Conv>),
    /// The gradient of the weights of a convolution: of the input, a cotangent, and the weights for their shape.
    ConvWeight(Box<Conv>),
    /// [`Var::conv_transpose`](crate::Var::conv_transpose) of an input and weights.
    ConvTranspose(Box<ConvTranspose>),
    /// [`Var::max_pool`](crate::Var::max_pool)
    MaxPool(Box<Pool>),
    /// The gradient of a maximum pool: of a cotangent and the input.
    MaxUnpool(Box<Pool>),
    /// The mean over the elements that are their window's maximum: of values, and the input that is compared.
    MaxGather(Box<Pool>),
    /// [`Var::avg_pool`](crate::Var::avg_pool)
    AvgPool(Box<Pool>),
    /// The gradient of a mean pool: of a cotangent, and the input for its shape.
    AvgUnpool(Box<Pool>),
}

impl Window {
    const fn find(&self) -> Record {
        match self {
            Self::Conv(_) => Record::method("conv", r"#2 \star #1", "conv_input(g, w), conv_weight(x, g)"),
            Self::ConvInput(_) => {
                Record::method("conv_input", r"#2 \star^{T} #1", "conv(h, w), conv_weight(h, g), none")
            }
            Self::ConvWeight(_) => {
                Record::method("conv_weight", r"#2 \star_{w}^{T} #1", "conv_input(g, h), conv(x, h), none")
            }
            Self::ConvTranspose(_) => {
                Record::method("conv_transpose", r"#2 \star^{T} #1", "conv(g, w), conv_weight(g, x)")
            }
            Self::MaxPool(_) => Record::method(
                "max_pool",
                r"\operatorname{maxpool}_{#n}\left(#1\right)",
                "1 at the maximum of each window, shared evenly by ties",
            ),
            Self::MaxUnpool(_) => Record::method(
                "max_unpool",
                r"\operatorname{maxpool}_{#n}^{T}\left(#1, #2\right)",
                "max_gather(h, x), 0",
            ),
            Self::MaxGather(_) => Record::method(
                "max_gather",
                r"\operatorname{maxgather}_{#n}\left(#1, #2\right)",
                "max_unpool(g, x), 0",
            ),
            Self::AvgPool(_) => Record::method(
                "avg_pool",
                r"\operatorname{avgpool}_{#n}\left(#1\right)",
                "1/n for each of a window's n elements",
            ),
            Self::AvgUnpool(_) => Record::method(
                "avg_unpool",
                r"\operatorname{avgpool}_{#n}^{T}\left(#1\right)",
                "avg_pool(h), none",
            ),
        }
    }

    /// The operands that stand for the input and the weights, or for the input alone.
    fn roles(&self) -> &'static [usize] {
        match self {
            Self::Conv(_) | Self::ConvTranspose(_) => &[0, 1],
            Self::ConvInput(_) => &[2, 1],
            Self::ConvWeight(_) => &[0, 2],
            Self::MaxPool(_) | Self::AvgPool(_) => &[0],
            Self::MaxUnpool(_) | Self::AvgUnpool(_) | Self::MaxGather(_) => &[1],
        }
    }

    /// The operand that has to have the shape of the output, or of the input.
    fn cotangent(&self) -> Option<usize> {
        match self {
            Self::Conv(_) | Self::ConvTranspose(_) | Self::MaxPool(_) | Self::AvgPool(_) => None,
            Self::ConvInput(_) | Self::MaxUnpool(_) | Self::AvgUnpool(_) | Self::MaxGather(_) => Some(0),
            Self::ConvWeight(_) => Some(1),
        }
    }

    /// The shape of what a convolution or a pool makes of these shapes.
    fn output(&self, shapes: &[&Shape]) -> Result<Shape, String> {
        match self {
            Self::Conv(conv) | Self::ConvInput(conv) | Self::ConvWeight(conv) => {
                let sizes = conv.sizes(shapes[0], shapes[1])?;
                let channels = sizes.groups * sizes.outputs;
                let spatial = &sizes.output[3 - (shapes[0].ndim() - 2)..];
                Ok([shapes[0][0], channels].iter().chain(spatial).copied().collect())
            }
            Self::ConvTranspose(conv) => conv.output(shapes[0], shapes[1]),
            Self::MaxPool(pool)
            | Self::MaxUnpool(pool)
            | Self::MaxGather(pool)
            | Self::AvgPool(pool)
            | Self::AvgUnpool(pool) => {
                let sizes = pool.sizes(shapes[0])?;
                let spatial = &sizes.output[3 - (shapes[0].ndim() - 2)..];
                Ok(shapes[0][..2].iter().chain(spatial).copied().collect())
            }
        }
    }

    fn convolution(&self, conv: &Conv, operands: &[Signature]) -> Convolution {
        let [x, w] = [0, 1].map(|i| &operands[self.roles()[i]].shape);
        conv.sizes(x, w).expect("the shapes have been checked")
    }

    fn pooling(&self, pool: &Pool, operands: &[Signature]) -> Pooling {
        pool.sizes(&operands[self.roles()[0]].shape).expect("the shapes have been checked")
    }

    /// As [`Operation::scratch_len`], for this type.
    fn scratch<T: WindowElement>(&self, operands: &[Signature]) -> usize {
        match self {
            Self::Conv(conv) => kernels::conv_scratch::<T>(&self.convolution(conv, operands)),
            Self::ConvInput(conv) => kernels::conv_input_scratch::<T>(&self.convolution(conv, operands)),
            Self::ConvWeight(conv) => kernels::conv_weight_scratch::<T>(&self.convolution(conv, operands)),
            Self::ConvTranspose(conv) => kernels::conv_input_scratch::<T>(&conv.convolution(operands)),
            _ => 0,
        }
    }

    /// As [`Operation::run`], for this type.
    fn compute<T: WindowElement + Element>(&self, task: Task<'_>) {
        let Task { level, threads, operands, .. } = task;
        let reads = task.read_all::<T>();
        let (out, scratch) = task.write::<T>();
        let divisor = |pool: &Pool| if pool.counts_padding() { Divisor::Window } else { Divisor::Inside };
        match self {
            Self::Conv(conv) => {
                let of = self.convolution(conv, operands);
                kernels::conv(level, &of, [reads[0], reads[1]], out, scratch, threads);
            }
            Self::ConvInput(conv) => {
                let of = self.convolution(conv, operands);
                kernels::conv_input(level, &of, [reads[0], reads[1]], out, scratch, threads);
            }
            Self::ConvWeight(conv) => {
                let of = self.convolution(conv, operands);
                kernels::conv_weight(level, &of, [reads[0], reads[1]], out, scratch, threads);
            }
            Self::ConvTranspose(conv) => {
                let of = conv.convolution(operands);
                kernels::conv_input(level, &of, [reads[0], reads[1]], out, scratch, threads);
            }
            Self::MaxPool(pool) => {
                kernels::max_pool(level, &self.pooling(pool, operands), reads[0], out, threads);
            }
            Self::MaxUnpool(pool) => {
                let of = self.pooling(pool, operands);
                kernels::max_unpool(level, &of, [reads[0], reads[1]], out, threads);
            }
            Self::MaxGather(pool) => {
                kernels::max_gather(&self.pooling(pool, operands), [reads[0], reads[1]], out, threads);
            }
            Self::AvgPool(pool) => {
                kernels::avg_pool(&self.pooling(pool, operands), divisor(pool), reads[0], out, threads);
            }
            Self::AvgUnpool(pool) => {
                kernels::avg_unpool(&self.pooling(pool, operands), divisor(pool), reads[0], out, threads);
            }
        }
    }
}

impl Operation for Window {
    fn record(&self) -> Record {
        self.find()
    }

    fn attributes(&self) -> Option<String> {
        match self {
            Self::Conv(conv) | Self::ConvInput(conv) | Self::ConvWeight(conv) => conv.attributes(),
            Self::ConvTranspose(conv) => conv.attributes(),
            Self::MaxPool(pool)
            | Self::MaxUnpool(pool)
            | Self::MaxGather(pool)
            | Self::AvgPool(pool)
            | Self::AvgUnpool(pool) => Some(pool.attributes()),
        }
    }

    fn arity(&self) -> usize {
        match self {
            Self::MaxPool(_) | Self::AvgPool(_) => 1,
            Self::Conv(_)
            | Self::ConvTranspose(_)
            | Self::MaxUnpool(_)
            | Self::MaxGather(_)
            | Self::AvgUnpool(_) => 2,
            Self::ConvInput(_) | Self::ConvWeight(_) => 3,
        }
    }

    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault> {
        let (op, input) = (self.find().name, self.roles()[0]);
        let axes = operands[input].shape.ndim();
        if !(3..=5).contains(&axes) {
            let expected = "(batch, channels, ..) with 1 to 3 spatial axes";
            return Err(Box::new(move |operand| Error::Rank {
                op,
                expected,
                operand: Box::new(operand(input)),
            }));
        }
        let fault = |requires: String| window_fault(op, requires, vec![input]);
        let conv = |conv: Box<Conv>| conv.resolve(axes - 2).map(Box::new).map_err(fault);
        let pool = |pool: Box<Pool>| pool.resolve(axes - 2).map(Box::new).map_err(fault);
        Ok(Op::Window(match self {
            Self::Conv(given) => Self::Conv(conv(given)?),
            Self::ConvInput(given) => Self::ConvInput(conv(given)?),
            Self::ConvWeight(given) => Self::ConvWeight(conv(given)?),
            Self::ConvTranspose(given) => {
                Self::ConvTranspose(given.resolve(axes - 2).map(Box::new).map_err(fault)?)
            }
            Self::MaxPool(given) => Self::MaxPool(pool(given)?),
            Self::MaxUnpool(given) => Self::MaxUnpool(pool(given)?),
            Self::MaxGather(given) => Self::MaxGather(pool(given)?),
            Self::AvgPool(given) => Self::AvgPool(pool(given)?),
            Self::AvgUnpool(given) => Self::AvgUnpool(pool(given)?),
        }))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.find().name;
        require_dtype(op, operands, 0, "floats", DType::is_float)?;
        for k in 1..self.arity() {
            require_same_dtype(op, operands, 0, k)?;
        }
        let shapes: Vec<&Shape> = self.roles().iter().map(|&k| &operands[k].shape).collect();
        let roles = self.roles().to_vec();
        let output = self.output(&shapes).map_err(|requires| window_fault(op, requires, roles))?;
        if let Some(k) = self.cotangent() {
            let expected = if matches!(self, Self::MaxGather(_)) { shapes[0] } else { &output };
            let found = &operands[k].shape;
            if found != expected {
                let requires = format!("a cotangent of shape {expected}, got {found}");
                return Err(window_fault(op, requires, (0..self.arity()).collect()));
            }
        }
        let shape = self.shape_giver().map_or(output, |k| operands[k].shape.clone());
        Ok(Signature { dtype: operands[0].dtype, shape })
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        let (first, g) = (at.inputs[0], at.cotangent);
        let second = || at.inputs[1];
        let emit = |window: Self, operands: &[Expr<'g>]| -> Cotangent<'g> {
            let made = g.graph().apply(Op::Window(window), operands);
            made.expect("a derivative has the shapes of its operation").into()
        };
        let shape = |k: usize| at.inputs[k].shape_root();
        match (self, k) {
            (Self::Conv(c), 0) => emit(Self::ConvInput(c.clone()), &[g, second(), shape(0)]),
            (Self::Conv(c), _) => emit(Self::ConvWeight(c.clone()), &[first, g, shape(1)]),
            (Self::ConvInput(c), 0) => emit(Self::Conv(c.clone()), &[g, second()]),
            (Self::ConvInput(c), 1) => emit(Self::ConvWeight(c.clone()), &[g, first, shape(1)]),
            (Self::ConvWeight(c), 0) => emit(Self::ConvInput(c.clone()), &[second(), g, shape(0)]),
            (Self::ConvWeight(c), 1) => emit(Self::Conv(c.clone()), &[first, g]),
            (Self::ConvInput(_) | Self::ConvWeight(_), _) => Cotangent::Undefined,
            (Self::ConvTranspose(c), 0) => emit(Self::Conv(c.transpose().into()), &[g, second()]),
            (Self::ConvTranspose(c), _) => {
                emit(Self::ConvWeight(c.transpose().into()), &[g, first, shape(1)])
            }
            (Self::MaxPool(p), _) => emit(Self::MaxUnpool(p.clone()), &[g, first]),
            (Self::MaxUnpool(p), 0) => emit(Self::MaxGather(p.clone()), &[g, second()]),
            (Self::MaxGather(p), 0) => emit(Self::MaxUnpool(p.clone()), &[g, second()]),
            // Which element is the maximum is piecewise constant.
            (Self::MaxUnpool(_) | Self::MaxGather(_), _) => Cotangent::Zero,
            (Self::AvgPool(p), _) => emit(Self::AvgUnpool(p.clone()), &[g, shape(0)]),
            (Self::AvgUnpool(p), 0) => emit(Self::AvgPool(p.clone()), &[g]),
            (Self::AvgUnpool(_), _) => Cotangent::Undefined,
        }
    }

    fn reads(&self, k: usize) -> bool {
        match self {
            Self::ConvInput(_) | Self::ConvWeight(_) => k < 2,
            Self::AvgUnpool(_) => k < 1,
            _ => true,
        }
    }

    fn shape_giver(&self) -> Option<usize> {
        match self {
            Self::ConvInput(_) | Self::ConvWeight(_) => Some(2),
            Self::MaxUnpool(_) | Self::AvgUnpool(_) => Some(1),
            _ => None,
        }
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn scratch_len(&self, operands: &[Signature], result: &Signature) -> usize {
        match result.dtype {
            DType::F32 => self.scratch::<f32>(operands),
            _ => self.scratch::<f64>(operands),
        }
    }

    fn flops(&self, operands: &[Signature], result: &Signature) -> usize {
        let convolution = |values: &Shape, weights: usize| {
            let weights = &operands[weights].shape;
            2 * values.size() * weights.iter().skip(1).product::<usize>()
        };
        match self {
            Self::Conv(_) => convolution(&result.shape, 1),
            Self::ConvInput(_) | Self::ConvTranspose(_) => convolution(&operands[0].shape, 1),
            Self::ConvWeight(_) => convolution(&operands[1].shape, 2),
            _ => operands[0].shape.size().max(result.shape.size()),
        }
    }

    fn run(&self, task: Task<'_>) {
        with_float!(
            task.result.dtype,
            T => self.compute::<T>(task),
            _ => unreachable!("windows take floats only")
        );
    }
}

fn window_fault(op: &'static str, requires: String, operands: Vec<usize>) -> Fault {
    Box::new(move |operand| Error::Window {
        op,
        requires,
        operands: operands.into_iter().map(operand).collect(),
    })
}
