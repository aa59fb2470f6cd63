//! The workloads, each as a user would write it: leaves, then a formula, then what is asked of it.
//!
//! Leaves are made once; recording the formula is a closure, so that it can be timed, and done again. `docs/src/benchmarks.md`
//! says what each workload is.

mod attention;
mod conv;
mod data;
mod deep;
mod elementwise;
mod logreg;
mod mlp;
mod planar;
mod scalars;
mod second_order;
mod wide;

use gradus::ndarray::{Array0, ArrayD, ArrayViewD, arr0};
use gradus::{Float, Graph, Program, Result, Updates, Var};

pub use attention::attention;
pub use conv::conv;
pub use deep::deep;
pub use elementwise::elementwise;
pub use logreg::logreg;
pub use mlp::mlp;
pub use planar::planar;
pub use scalars::{chain1000, scalar3};
pub use second_order::{hessian, hvp};
pub use wide::wide;

/// The cross-entropy of probabilities `σ(z)` with labels `y` of 0 and 1, from the logits: `mean(softplus(z) - z y)`.
fn cross_entropy<'g, T: Float>(z: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    (z.softplus() - z * y).mean()
}

/// Parameters, with how to make their first values again.
pub struct Parameters<'g, T: Float> {
    graph: &'g Graph,
    all: Vec<(Var<'g, T>, Start<T>)>,
}

type Start<T> = Box<dyn Fn() -> ArrayD<T>>;

impl<'g, T: Float> Parameters<'g, T> {
    fn of(graph: &'g Graph) -> Self {
        Self { graph, all: Vec::new() }
    }

    fn add(&mut self, name: &str, start: impl Fn() -> ArrayD<T> + 'static) -> Var<'g, T> {
        let parameter = self.graph.param(name, start());
        self.all.push((parameter, Box::new(start)));
        parameter
    }

    fn weight<const D: usize>(&mut self, name: &str, shape: [usize; D], seed: u32, scale: f64) -> Var<'g, T> {
        self.add(name, move || data::weight(&shape, seed, scale))
    }

    fn full<const D: usize>(&mut self, name: &str, shape: [usize; D], value: f64) -> Var<'g, T> {
        self.add(name, move || ArrayD::from_elem(&shape[..], T::from_f64(value)))
    }

    fn zeros<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Var<'g, T> {
        self.full(name, shape, 0.0)
    }

    /// The handles, in order.
    pub fn handles(&self) -> Vec<Var<'g, T>> {
        self.all.iter().map(|(parameter, _)| *parameter).collect()
    }

    /// Gives all of them their first values.
    pub fn reset(&self) -> Result<()> {
        self.all.iter().try_for_each(|(parameter, start)| parameter.set_value(start()))
    }
}

/// A formula of fixed inputs: a model's cost, which the updates make smaller, or a cost with its derivatives.
pub struct Problem<'g, T: Float, const N: usize> {
    pub parameters: Parameters<'g, T>,
    formula: Box<dyn Fn() -> Recorded<'g, T, N> + 'g>,
}

/// What a program is asked for.
pub struct Recorded<'g, T: Float, const N: usize> {
    pub outputs: [Var<'g, T>; N],
    pub updates: Option<Updates<'g>>,
}

impl<'g, T: Float> From<(Var<'g, T>, Updates<'g>)> for Recorded<'g, T, 1> {
    fn from((cost, updates): (Var<'g, T>, Updates<'g>)) -> Self {
        Self { outputs: [cost], updates: Some(updates) }
    }
}

impl<'g, T: Float, const N: usize> From<[Var<'g, T>; N]> for Recorded<'g, T, N> {
    fn from(outputs: [Var<'g, T>; N]) -> Self {
        Self { outputs, updates: None }
    }
}

impl<'g, T: Float, const N: usize> Problem<'g, T, N> {
    fn new<R: Into<Recorded<'g, T, N>>>(parameters: Parameters<'g, T>, formula: impl Fn() -> R + 'g) -> Self {
        Self { parameters, formula: Box::new(move || formula().into()) }
    }

    /// Records the formula.
    pub fn record(&self) -> Recorded<'g, T, N> {
        (self.formula)()
    }
}

/// A formula of a few numbers, which are others in every call.
pub struct Function<'g, const A: usize, const N: usize> {
    pub arguments: [Var<'g, f64>; A],
    table: Vec<[f64; A]>,
    formula: Box<dyn Fn() -> [Var<'g, f64>; N] + 'g>,
}

impl<'g, const A: usize, const N: usize> Function<'g, A, N> {
    fn new(
        arguments: [Var<'g, f64>; A],
        table: Vec<[f64; A]>,
        formula: impl Fn() -> [Var<'g, f64>; N] + 'g,
    ) -> Self {
        Self { arguments, table, formula: Box::new(formula) }
    }

    /// Records the formula and compiles it.
    pub fn compile(&self) -> Result<Compiled<'_, 'g, A, N>> {
        let program = self.arguments[0].graph().compile((self.formula)(), ())?;
        Ok(Compiled { function: self, program, values: std::array::from_fn(|_| arr0(0.0)) })
    }
}

/// A function that can be called.
pub struct Compiled<'f, 'g, const A: usize, const N: usize> {
    function: &'f Function<'g, A, N>,
    program: Program<'g, [Var<'g, f64>; N]>,
    values: [Array0<f64>; A],
}

impl<const A: usize, const N: usize> Compiled<'_, '_, A, N> {
    /// The results for row `i` of the table, which is read in turns.
    pub fn call(&mut self, i: usize) -> Result<[f64; N]> {
        let Function { arguments, table, .. } = self.function;
        for (value, &number) in self.values.iter_mut().zip(&table[i % table.len()]) {
            value[()] = number;
        }
        let feeds: [_; A] = std::array::from_fn(|k| arguments[k].feed(&self.values[k]));
        Ok(self.program.run_with(&feeds)?.map(|result| number(&result)))
    }
}

/// The element of an array that has one.
pub fn number<T: Float>(array: &ArrayViewD<'_, T>) -> f64 {
    array.first().map_or(f64::NAN, |x| x.to_f64())
}
