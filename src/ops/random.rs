//! Random numbers: a function of a generator's state, the number of the draw and the place in the array.

use super::constant::IntoVar;
use super::{Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site};
use crate::element::{DType, Dtype, Erased, Float, Literal, Real};
use crate::error::{Error, OrFail, fail};
use crate::graph::{Expr, Graph, Signature, Var};
use crate::kernels::{Distribution, Drawn, Key, Level, draw};
use crate::shape::{Shape, Sizes};

/// Random numbers, made by a [`Rng`] for the shape of an operand. The operands are the generator's state and what
/// the shape is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Random {
    /// How they are distributed.
    pub distribution: Distribution,
    /// `f32` or `f64`.
    pub dtype: DType,
    /// Which draw of its generator it is.
    pub stream: u32,
}

impl Random {
    /// The numbers from place `first` on.
    pub(crate) fn run<T: Drawn>(self, level: Level, state: [i64; 2], first: usize, out: &mut [T]) {
        let [seed, step] = state;
        draw(level, self.distribution, Key::new(seed, self.stream, step), first, out);
    }
}

impl Operation for Random {
    fn record(&self) -> Record {
        let (name, latex) = match self.distribution {
            Distribution::Uniform => ("random", r"\mathcal{U}\left(0, 1\right)"),
            Distribution::Normal => ("standard_normal", r"\mathcal{N}\left(0, 1\right)"),
        };
        Record { name, notation: Notation::Method, latex, derivative: "none", domain: Domain::NONE }
    }

    fn attributes(&self) -> Option<String> {
        Some(self.stream.to_string())
    }

    fn arity(&self) -> usize {
        2
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Random(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let op = self.record().name;
        if operands[0] != state_signature() {
            return Err(Box::new(move |operand| Error::Rank {
                op,
                expected: "the state of a generator, (2,) of i64",
                operand: Box::new(operand(0)),
            }));
        }
        if !self.dtype.is_float() {
            return Err(Box::new(move |operand| Error::DType {
                op,
                expected: "a float type to draw".to_owned(),
                operand: Box::new(operand(1)),
            }));
        }
        Ok(Signature { dtype: self.dtype, shape: operands[1].shape.clone() })
    }

    fn vjp<'g>(&self, _k: usize, _at: &Site<'_, 'g>) -> Cotangent<'g> {
        Cotangent::Undefined
    }

    fn reads(&self, k: usize) -> bool {
        k == 0
    }

    fn shape_giver(&self) -> Option<usize> {
        Some(1)
    }
}

fn state_signature() -> Signature {
    Signature { dtype: DType::I64, shape: Shape::from([2]) }
}

/// What the shape of a draw can be given by: `[3, 4]`, a [`Shape`], `()` for a single number, or a [`Var`], for its
/// shape, whatever that is when it runs.
pub trait ShapeLike<'g> {
    /// A node of the shape.
    #[doc(hidden)]
    fn like(self, graph: &'g Graph) -> Expr<'g>;
}

impl<'g, T: Dtype> ShapeLike<'g> for Var<'g, T> {
    fn like(self, _graph: &'g Graph) -> Expr<'g> {
        self.erase().shape_root()
    }
}

macro_rules! shape_like {
    ($([$($generics:tt)*] $t:ty)*) => {
        $(impl<'g, $($generics)*> ShapeLike<'g> for $t {
            #[track_caller]
            fn like(self, graph: &'g Graph) -> Expr<'g> {
                fixed(graph, self.into())
            }
        })*
    };
}
shape_like!([const N: usize] [usize; N] [] &[usize] [] Vec<usize> [] Shape);

impl<'g> ShapeLike<'g> for () {
    #[track_caller]
    fn like(self, graph: &'g Graph) -> Expr<'g> {
        fixed(graph, Shape::scalar())
    }
}

#[track_caller]
fn fixed(graph: &Graph, shape: Shape) -> Expr<'_> {
    let zero = graph.literal(Literal::rounded(0.0, DType::F64));
    if shape.ndim() == 0 { zero } else { zero.broadcast_to(Sizes::from(shape)) }
}

/// A generator of random numbers: Threefry2x32 with 20 rounds (J. K. Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC11, 2011), which passes all tests of BigCrush.
///
/// A draw is an expression. Its numbers are a function of the generator's seed, of which draw it is (the first, the
/// second, …), of how many runs there have been, and of the place in the array: the same on every machine, on any number
/// of threads, however the formula is fused or cut in blocks. Each run of a program that contains draws gives new
/// numbers; [`Var::value`] gives those of the next run, again and again.
///
/// The seed and the number of runs are a parameter of the graph, [`state`](Self::state): it is saved and restored with the
/// others, and two programs of a graph share it. A handle is `Copy`. A draw that is used twice, by a formula and by its
/// gradient, is the same numbers; two draws are never the same.
///
/// ```
/// # use gradus::prelude::*;
/// let g = Graph::new();
/// let rng = g.rng("rng", 42);
/// let (u, v) = (rng.random::<f64>([3]), rng.random::<f64>([3]));
/// assert_eq!(u.value()?, u.value()?);
/// assert_ne!(u.value()?, v.value()?);
///
/// let mut sample = g.compile(u, ())?;
/// let first = sample.run()?.to_owned();
/// assert_ne!(sample.run()?, first);
/// rng.reseed(42);
/// assert_eq!(sample.run()?, first);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rng<'g> {
    state: Var<'g, i64>,
}

impl Graph {
    /// A generator of random numbers. Its state is a parameter of this name.
    ///
    /// # Panics
    /// If another leaf of the graph has this name.
    #[track_caller]
    pub fn rng(&self, name: &str, seed: u64) -> Rng<'_> {
        let state = self.param(name, ndarray::arr1(&[seed as i64, 0]));
        // One more run, in the second place alone.
        self.add_generator(state.erase(), (state + state.index_along(0)).erase());
        Rng { state }
    }
}

impl<'g> Rng<'g> {
    /// The parameter that holds the seed and the number of runs, `[seed, runs]`.
    pub fn state(self) -> Var<'g, i64> {
        self.state
    }

    /// Begins anew with another seed, or with the same one: no run has been yet.
    ///
    /// # Panics
    /// If the generator is freed.
    #[track_caller]
    pub fn reseed(self, seed: u64) {
        self.state.set_value(ndarray::arr1(&[seed as i64, 0])).or_fail();
    }

    #[track_caller]
    fn draw<T: Dtype>(
        self,
        distribution: Distribution,
        dtype: DType,
        shape: impl ShapeLike<'g>,
    ) -> Var<'g, T> {
        let graph = self.state.graph();
        let like = shape.like(graph);
        let stream = graph.next_stream(self.state.erase());
        let op = Op::Random(Random { distribution, dtype, stream });
        graph.emit(op, [self.state.erase(), like]).retype()
    }

    /// Numbers evenly distributed in [0, 1), all multiples of 2⁻⁵³ (2⁻²⁴ for `f32`, which are those of `f64` cut off).
    ///
    /// The shape is a fixed one, or that of an expression: `rng.random::<f64>(x)` has the shape of `x` at every batch size.
    /// There is no derivative.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let u = g.rng("rng", 1).random::<f64>([1000]).value()?;
    /// assert!(u.iter().all(|u| (0.0..1.0).contains(u)));
    /// assert!((u.mean().unwrap() - 0.5).abs() < 0.03);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed.
    #[track_caller]
    #[must_use]
    pub fn random<T: Float>(self, shape: impl ShapeLike<'g>) -> Var<'g, T> {
        self.draw(Distribution::Uniform, T::DTYPE, shape)
    }

    /// `low + (high - low) u`, with `u` evenly distributed in [0, 1): evenly distributed between `low` and `high`, which may be
    /// numbers or expressions. The derivatives with respect to them are `1 - u` and `u`. Rounding may give `high` itself.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let rng = g.rng("rng", 1);
    /// let u: Var = rng.uniform(-2.0, 3.0, [1000]);
    /// assert!(u.value()?.iter().all(|u| (-2.0..=3.0).contains(u)));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed, or if `low` and `high` do not broadcast with the shape.
    #[track_caller]
    #[must_use]
    pub fn uniform<T: Float>(
        self,
        low: impl IntoVar<'g, T>,
        high: impl IntoVar<'g, T>,
        shape: impl ShapeLike<'g>,
    ) -> Var<'g, T> {
        let graph = self.state.graph();
        let (low, high) = (low.into_var(graph, T::DTYPE), high.into_var(graph, T::DTYPE));
        low + (high - low) * self.random(shape)
    }

    /// Numbers normally distributed with mean 0 and variance 1, by the transform of Box and Muller. They reach to ±8.57, in
    /// `f32` to ±6.66. There is no derivative.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let z = g.rng("rng", 1).standard_normal::<f64>([1000]).value()?;
    /// assert!(z.mean().unwrap().abs() < 0.1 && (z.std(0.0) - 1.0).abs() < 0.1);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed.
    #[track_caller]
    #[must_use]
    pub fn standard_normal<T: Float>(self, shape: impl ShapeLike<'g>) -> Var<'g, T> {
        self.draw(Distribution::Normal, T::DTYPE, shape)
    }

    /// `mean + std z`, with `z` a [`standard_normal`](Self::standard_normal): normally distributed. Mean and standard
    /// deviation may be numbers or expressions; the derivatives with respect to them are 1 and `z`, so the gradient of an
    /// expectation can be had from samples.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let (mean, std) = (g.param("mean", 3.0), g.param("std", 0.5));
    /// let x = g.rng("rng", 1).normal(mean, std, [1000]);
    /// let [by_mean, by_std] = x.mean().grad([mean, std]);
    /// assert!((by_mean.item()? - 1.0).abs() < 1e-12 && by_std.item()?.abs() < 0.1);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed, or if `mean` and `std` do not broadcast with the shape.
    #[track_caller]
    #[must_use]
    pub fn normal<T: Float>(
        self,
        mean: impl IntoVar<'g, T>,
        std: impl IntoVar<'g, T>,
        shape: impl ShapeLike<'g>,
    ) -> Var<'g, T> {
        let graph = self.state.graph();
        let (mean, std) = (mean.into_var(graph, T::DTYPE), std.into_var(graph, T::DTYPE));
        mean + std * self.standard_normal(shape)
    }

    /// A mask that holds with probability `p` at each place, by itself: `u < p`. `p` may be a number or an expression that
    /// broadcasts with the shape. There is no derivative.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let mask = g.rng("rng", 1).bernoulli(0.3, [1000]).value()?;
    /// let share = mask.iter().filter(|&&holds| holds).count() as f64 / 1000.0;
    /// assert!((share - 0.3).abs() < 0.05);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed, or if `p` does not broadcast with the shape.
    #[track_caller]
    #[must_use]
    pub fn bernoulli(self, p: impl IntoVar<'g, f64>, shape: impl ShapeLike<'g>) -> Var<'g, bool> {
        self.random::<f64>(shape).lt(p)
    }

    /// The numbers 0, 1, …, n - 1 in random order, along the last axis of the shape: each of the orders is as likely as the
    /// others. For several axes, every line has an order of its own. It is the order in which as many
    /// [`random`](Self::random) numbers are sorted. There is no derivative.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let rng = g.rng("rng", 1);
    /// let order = rng.permutation([10]);
    /// assert_eq!(order.sum().item()?, 45);
    /// let x = g.input("x", Array2::<f64>::ones((10, 3)));
    /// let shuffled = x.take(0, order);
    /// assert_eq!(shuffled.shape(), [10, 3]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed, or if the shape has no axis: "`argsort` got axis -1 of an array with 0 axes".
    #[track_caller]
    #[must_use]
    pub fn permutation(self, shape: impl ShapeLike<'g>) -> Var<'g, i64> {
        self.random::<f64>(shape).argsort(-1)
    }

    /// Integers evenly distributed from `low` on and below `high`: `low + ⌊(high - low) u⌋`. There is no derivative.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let dice = g.rng("rng", 1).integers(1, 7, [1000]).value()?;
    /// assert!((1..=6).all(|eyes| dice.iter().filter(|&&d| d == eyes).count() > 120));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed, or if `low` is not below `high`: "`integers` requires low < high, got 7 and 7".
    #[track_caller]
    #[must_use]
    pub fn integers(self, low: i64, high: i64, shape: impl ShapeLike<'g>) -> Var<'g, i64> {
        if low >= high {
            let requires = format!("low < high, got {low} and {high}");
            fail(&Error::Requires { op: "integers", requires });
        }
        let below = high as f64 - low as f64;
        (self.random::<f64>(shape) * below).cast::<i64>() + low
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// Dropout, as in training: each element is 0 with probability `rate`, and else divided by `1 - rate`, so that its
    /// expectation stays. Which elements are kept is drawn anew in every run; the gradient, of any order, keeps the same
    /// ones: it is `g / (1 - rate)` there and 0 elsewhere. What is dropped is 0 whatever it was, NaN too.
    ///
    /// With rate 0 it is the array itself, with rate 1 zeros. To predict, build the formula without it.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let rng = g.rng("rng", 1);
    /// let x = g.input("x", Array2::<f64>::ones((30, 40)));
    /// let y = x.dropout(0.25, rng);
    /// assert!(y.value()?.iter().all(|&y| y == 0.0 || y == 1.0 / 0.75));
    /// assert!((y.mean().item()? - 1.0).abs() < 0.05);
    /// assert_eq!(y.sum().grad(x).value()?, y.value()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the generator is freed or of another graph, or if the rate is not a probability: "`dropout` requires a rate from
    /// 0 to 1, got 1.5".
    #[track_caller]
    #[must_use]
    pub fn dropout(self, rate: f64, rng: Rng<'g>) -> Self {
        if !(0.0..=1.0).contains(&rate) {
            let requires = format!("a rate from 0 to 1, got {rate}");
            fail(&Error::Requires { op: "dropout", requires });
        }
        let u: Var<'g, Erased> = rng.draw(Distribution::Uniform, self.dtype(), self);
        if rate == 0.0 {
            return self;
        }
        u.ge(rate).retype::<T::Mask>().select(self / (1.0 - rate), 0.0)
    }
}
