//! Windows that move over images: convolutions, pools, and their transposes.

use super::sliding::{Conv, Pool};
use super::{
    Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, Task, require_dtype, require_same_dtype,
};
use crate::element::{DType, Element, Real, with_float};
use crate::error::Error;
use crate::graph::{Expr, Signature, Var};
use crate::kernels::{self, Convolution, Divisor, Pooling, WindowElement};
use crate::ops::IntoVar;
use crate::shape::Shape;

/// An operation on windows of images (batch, channels, ..) with 1 to 3 spatial axes.
///
/// Those that are named after an operand, or `un..`, are the transposes of others, by which derivatives are expressed;
/// they take the operand whose shape they restore as their last one. So every order of derivative exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// [`Var::conv`] of an input and weights.
    Conv(Box<Conv>),
    /// The gradient of the input of a convolution: of a cotangent, the weights, and the input for its shape.
    ConvInput(Box<Conv>),
    /// The gradient of the weights of a convolution: of the input, a cotangent, and the weights for their shape.
    ConvWeight(Box<Conv>),
    /// [`Var::max_pool`]
    MaxPool(Box<Pool>),
    /// The gradient of a maximum pool: of a cotangent and the input.
    MaxUnpool(Box<Pool>),
    /// The mean over the elements that are their window's maximum: of values, and the input that is compared.
    MaxGather(Box<Pool>),
    /// [`Var::avg_pool`]
    AvgPool(Box<Pool>),
    /// The gradient of a mean pool: of a cotangent, and the input for its shape.
    AvgUnpool(Box<Pool>),
}

impl Window {
    const fn find(&self) -> Record {
        const fn record(name: &'static str, latex: &'static str, derivative: &'static str) -> Record {
            let domain = Domain::within(-2.0, 2.0);
            Record { name, notation: Notation::Method, latex, derivative, domain }
        }
        match self {
            Self::Conv(_) => record("conv", r"#2 \star #1", "conv_input(g, w), conv_weight(x, g)"),
            Self::ConvInput(_) => {
                record("conv_input", r"#2 \star^{T} #1", "conv(h, w), conv_weight(h, g), none")
            }
            Self::ConvWeight(_) => {
                record("conv_weight", r"#2 \star_{w}^{T} #1", "conv_input(g, h), conv(x, h), none")
            }
            Self::MaxPool(_) => record(
                "max_pool",
                r"\operatorname{maxpool}_{#n}\left(#1\right)",
                "1 at the maximum of each window, shared evenly by ties",
            ),
            Self::MaxUnpool(_) => record(
                "max_unpool",
                r"\operatorname{maxpool}_{#n}^{T}\left(#1, #2\right)",
                "max_gather(h, x), 0",
            ),
            Self::MaxGather(_) => record(
                "max_gather",
                r"\operatorname{maxgather}_{#n}\left(#1, #2\right)",
                "max_unpool(g, x), 0",
            ),
            Self::AvgPool(_) => record(
                "avg_pool",
                r"\operatorname{avgpool}_{#n}\left(#1\right)",
                "1/n for each of a window's n elements",
            ),
            Self::AvgUnpool(_) => {
                record("avg_unpool", r"\operatorname{avgpool}_{#n}^{T}\left(#1\right)", "avg_pool(h), none")
            }
        }
    }

    /// The operands that stand for the input and the weights, or for the input alone.
    fn roles(&self) -> &'static [usize] {
        match self {
            Self::Conv(_) => &[0, 1],
            Self::ConvInput(_) => &[2, 1],
            Self::ConvWeight(_) => &[0, 2],
            Self::MaxPool(_) | Self::AvgPool(_) => &[0],
            Self::MaxUnpool(_) | Self::AvgUnpool(_) | Self::MaxGather(_) => &[1],
        }
    }

    /// The operand that has to have the shape of the output, or of the input.
    fn cotangent(&self) -> Option<usize> {
        match self {
            Self::Conv(_) | Self::MaxPool(_) | Self::AvgPool(_) => None,
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
            Self::Conv(_) | Self::MaxUnpool(_) | Self::MaxGather(_) | Self::AvgUnpool(_) => 2,
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
            Self::ConvInput(_) => convolution(&operands[0].shape, 1),
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

impl<'g, T: Real> Var<'g, T> {
    /// The convolution of images with `w`, as networks understand it: the cross-correlation
    ///
    /// `y[n, o, p] = Σ_{c, k} x[n, c, p · stride + k · dilation - padding] · w[o, c, k]`,
    ///
    /// where `p` and `k` have 1, 2 or 3 spatial axes, and what lies in the padding is zero.
    ///
    /// Shapes: `x` (batch, channels, ..), `w` (outputs, channels / groups, ..) → (batch, outputs, ..), with
    /// `⌊(size + padding - dilation · (window - 1) - 1) / stride⌋ + 1` along each spatial axis. With several groups
    /// the first outputs see only the first channels, and so on.
    ///
    /// Derivatives: with respect to `x`, each element of the cotangent times the weights, added where the window was; with
    /// respect to `w`, the correlation of `x` with the cotangent.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::Conv;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array::from_iter((1..=9).map(f64::from)).to_shape((1, 1, 3, 3)).unwrap());
    /// let w = g.param("w", ndarray::Array4::<f64>::ones((1, 1, 2, 2)));
    /// let y = x.conv(w, Conv::new().stride(2).padding(1));
    /// assert_eq!(y.value()?.iter().copied().collect::<Vec<_>>(), [1.0, 5.0, 11.0, 28.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// - If the operands do not have 1 to 3 spatial axes: "`conv` requires (batch, channels, ..) with 1 to 3 spatial
    ///   axes, got (3, 3)",
    /// - if the channels do not fit: "`conv` requires (batch, c, ..) and (outputs, c / groups, ..), got (2, 3, 5, 5) and
    ///   (4, 2, 3, 3): 3 / 1 != 2",
    /// - if a window does not fit into the padded input: "`conv` requires windows within the padded input, got 3 in 2
    ///   (axis 2)".
    #[track_caller]
    #[must_use]
    pub fn conv(self, w: impl IntoVar<'g, T>, conv: Conv) -> Self {
        let w = w.into_var(self.graph(), self.dtype_beside());
        self.graph().emit(Op::Window(Window::Conv(Box::new(conv))), [self.erase(), w.erase()]).retype()
    }

    /// [`conv`](Self::conv) of images (batch, channels, height, width) with stride 1 and without padding.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array4::<f64>::ones((32, 1, 28, 28)));
    /// let w = g.param("w", ndarray::Array4::<f64>::ones((8, 1, 3, 3)));
    /// assert_eq!(x.conv2d(w).shape(), [32, 8, 26, 26]);
    /// assert_eq!(x.conv2d(w).mean().item()?, 9.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`conv`](Self::conv), and if there are not two spatial axes.
    #[track_caller]
    #[must_use]
    pub fn conv2d(self, w: impl IntoVar<'g, T>) -> Self {
        self.conv(w, Conv::new().stride([1, 1]))
    }

    /// The maximum of each window of each channel: `y[n, c, p] = max_k x[n, c, p · stride + k - padding]`, where what
    /// lies in the padding does not count. NaN if an element of the window is.
    ///
    /// Shapes: (batch, channels, ..) → (batch, channels, ..), with `⌊(size + padding - window) / stride⌋ + 1` along
    /// each of the 1 to 3 spatial axes: windows that would reach beyond are left out.
    ///
    /// Derivative: the cotangent of a window goes to its maximum, shared evenly by ties, as for
    /// [`max`](Self::max); an element in several windows gets their sum. It is NaN for all elements of a window with
    /// a NaN. PyTorch gives everything to the first of several equal elements.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::Pool;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 3.0, 2.0, 3.0, 3.0].to_shape((1, 1, 5)).unwrap());
    /// let y = x.max_pool(Pool::new(3).stride(2));
    /// assert_eq!(y.value()?.as_slice(), Some(&[3.0, 3.0][..]));
    /// assert_eq!(y.sum().grad(x).value()?.as_slice(), Some(&[0.0, 1.0, 0.0, 0.5, 0.5][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// - If there are not 1 to 3 spatial axes,
    /// - if a window does not fit: "`max_pool` requires windows within the padded input, got 3 in 2 (axis 2)",
    /// - if a window could lie in the padding alone: "`max_pool` requires less padding than the window, got 2 for 2
    ///   (axis 2)".
    #[track_caller]
    #[must_use]
    pub fn max_pool(self, pool: Pool) -> Self {
        self.graph().emit(Op::Window(Window::MaxPool(Box::new(pool))), [self.erase()]).retype()
    }

    /// [`max_pool`](Self::max_pool) of images (batch, channels, height, width) with square windows.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]].to_shape((1, 1, 2, 2)).unwrap());
    /// assert_eq!(x.max_pool2d(2, 2).item()?, 4.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool), and if there are not two spatial axes.
    #[track_caller]
    #[must_use]
    pub fn max_pool2d(self, size: usize, stride: usize) -> Self {
        self.max_pool(Pool::new([size, size]).stride([stride, stride]))
    }

    /// The mean of each window of each channel. What lies in the padding counts as zeros, as in PyTorch; with
    /// [`Pool::count_include_pad(false)`](Pool::count_include_pad) it does not count.
    ///
    /// Shapes: as for [`max_pool`](Self::max_pool). Derivative: `1/n` for each of the `n` elements that count.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::Pool;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 3.0, 2.0].to_shape((1, 1, 3)).unwrap());
    /// let y = x.avg_pool(Pool::new(2).padding(1));
    /// assert_eq!(y.value()?.as_slice(), Some(&[0.5, 2.5][..]));
    /// let y = x.avg_pool(Pool::new(2).padding(1).count_include_pad(false));
    /// assert_eq!(y.value()?.as_slice(), Some(&[1.0, 2.5][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool).
    #[track_caller]
    #[must_use]
    pub fn avg_pool(self, pool: Pool) -> Self {
        self.graph().emit(Op::Window(Window::AvgPool(Box::new(pool))), [self.erase()]).retype()
    }

    /// [`avg_pool`](Self::avg_pool) of images (batch, channels, height, width) with square windows.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]].to_shape((1, 1, 2, 2)).unwrap());
    /// assert_eq!(x.avg_pool2d(2, 2).item()?, 2.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool), and if there are not two spatial axes.
    #[track_caller]
    #[must_use]
    pub fn avg_pool2d(self, size: usize, stride: usize) -> Self {
        self.avg_pool(Pool::new([size, size]).stride([stride, stride]))
    }
}
