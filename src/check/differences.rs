//! The derivative of an expression against central differences.

use std::fmt;

use ndarray::ArrayD;

use super::random::Random;
use super::{Failure, Operand, index_of};
use crate::element::{DType, Real};
use crate::error::{Error, Origin, Result};
use crate::exec::Program;
use crate::graph::{Expr, Graph, Var, VarList};
use crate::ops::{Custom, CustomOp, Op};

/// How many elements of an operand are looked at one by one to find a wrong one.
const ELEMENTS: usize = 10_000;
/// A derivative is flat if it is below this part of what the size of the function would let one expect.
const FLAT: f64 = 1e-9;

/// A check of derivatives against central differences, with its settings.
///
/// ```
/// use gradus::check::Check;
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let x = g.input("x", array![0.3, 0.7]);
/// let report = Check::new().order(2).gradient(x.tanh(), x)?;
/// assert!(report.error < 1e-9);
/// # Ok::<(), gradus::check::Failure>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Check {
    order: u8,
    seed: u64,
    tolerance: f64,
}

impl Default for Check {
    fn default() -> Self {
        Self { order: 1, seed: 1, tolerance: 1e-7 }
    }
}

/// What a check that has passed has seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// How many derivatives were compared: one for each operand and order.
    pub compared: usize,
    /// The largest difference, relative to the size of what was compared.
    pub error: f64,
}

/// A derivative that differs from central differences.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// The operand.
    pub operand: String,
    /// 1 for the gradient, 2 for the gradient of the gradient.
    pub order: u8,
    /// The element of the operand whose derivative is furthest off.
    pub index: Vec<usize>,
    /// The derivative with respect to this element as the rules have it.
    pub analytic: f64,
    /// The same by central differences.
    pub numeric: f64,
    /// The line that wrote the expression.
    pub origin: Origin,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operand, order, index, analytic, numeric, origin } = self;
        let derivative = if *order == 1 { "derivative" } else { "second derivative" };
        write!(
            f,
            "wrong {derivative} with respect to `{operand}`{index:?} of the expression from {origin}: "
        )?;
        write!(f, "{analytic:e} by the rules, {numeric:e} by central differences")
    }
}

/// Compares the gradient of `y` with respect to `wrt`, leaves with values, with central differences: see [`Check`].
///
/// # Errors
/// As [`Check::gradient`].
pub fn gradient<'g, T: Real, L: VarList<'g>>(y: Var<'g, T>, wrt: L) -> Result<Report, Failure> {
    Check::new().gradient(y, wrt)
}

/// Asserts that the gradient of `y` with respect to `wrt` is right, at first order.
///
/// # Panics
/// With the text of the [`Failure`].
#[track_caller]
pub fn assert_gradient<'g, T: Real, L: VarList<'g>>(y: Var<'g, T>, wrt: L) {
    if let Err(failure) = gradient(y, wrt) {
        panic!("{failure}");
    }
}

impl Check {
    /// First order, seed 1, tolerance 1e-7.
    pub fn new() -> Self {
        Self::default()
    }

    /// 1 for the gradient alone, 2 for the gradient and its gradient.
    #[must_use]
    pub fn order(self, order: u8) -> Self {
        Self { order, ..self }
    }

    /// What directions and cotangents are drawn with.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// How far off a derivative may be, relative to the sum of the sizes of its terms.
    #[must_use]
    pub fn tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Compares the derivative of `Σ c·y`, for a random `c`, along a random direction of each operand with central
    /// differences, extrapolated twice (Romberg). `y` may have any shape; the operands are leaves. What is recorded
    /// for it is removed from the graph again.
    ///
    /// # Errors
    /// - [`Failure::Wrong`] if they differ, with the element that is furthest off,
    /// - [`Failure::NotF64`], [`Failure::Flat`], [`Failure::NotFinite`] where nothing can be said,
    /// - [`Failure::Error`] for operands that are no leaves or have no values, and as
    ///   [`try_grad`](Var::try_grad).
    pub fn gradient<'g, T: Real, L: VarList<'g>>(self, y: Var<'g, T>, wrt: L) -> Result<Report, Failure> {
        let graph = y.graph();
        let mark = graph.mark();
        let report = self.run(y.erase(), &wrt.exprs());
        graph.truncate(mark);
        report
    }

    /// Compares the derivative rule of an operation of your own with differences, at these operands and in the way of
    /// [`gradient`](Self::gradient). What is differentiated is `f(x) · (1 + Σ d·sin(x + 0.3))`, with a random `d`, so that the
    /// second order says something of a linear operation too.
    ///
    /// ```
    /// use gradus::check::Check;
    /// use gradus::ops::{CustomOp, CustomSite};
    /// use gradus::prelude::*;
    /// use ndarray::{ArrayViewD, ArrayViewMutD};
    ///
    /// #[derive(PartialEq)]
    /// struct Scale(f64);
    ///
    /// impl CustomOp for Scale {
    ///     fn name(&self) -> &'static str {
    ///         "scale"
    ///     }
    ///     fn forward(&self, x: &[ArrayViewD<'_, f64>], mut y: ArrayViewMutD<'_, f64>) -> Result<(), String> {
    ///         y.assign(&(&x[0] * self.0));
    ///         Ok(())
    ///     }
    ///     fn vjp<'g>(&self, _k: usize, at: &CustomSite<'_, 'g, f64>) -> Option<Var<'g>> {
    ///         Some(self.0 * at.cotangent)
    ///     }
    /// }
    ///
    /// let report = Check::new().order(2).operation(Scale(3.0), &[array![0.4, -1.1].into_dyn()])?;
    /// assert!(report.error < 1e-8);
    /// # Ok::<(), gradus::check::Failure>(())
    /// ```
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and if the operation refuses the operands.
    pub fn operation(self, op: impl CustomOp, operands: &[ArrayD<f64>]) -> Result<Report, Failure> {
        let graph = Graph::new();
        let named = operands.iter().enumerate();
        let x: Vec<Var<'_>> = named.map(|(k, value)| graph.input(&format!("x{k}"), value)).collect();
        let erased: Vec<Expr<'_>> = x.iter().map(|x| x.erase()).collect();
        let y: Var<'_> = graph.apply(Op::Custom(Custom::new(op)), &erased)?.retype();
        let mut random = Random::new(self.seed ^ 1);
        let bend = x
            .iter()
            .fold(graph.constant(1.0), |sum, x| sum + ((*x + 0.3).sin() * random.array(&x.shape())).sum());
        self.run((y * bend).erase(), &erased)
    }

    fn run(self, y: Expr<'_>, wrt: &[Expr<'_>]) -> Result<Report, Failure> {
        for e in [y].iter().chain(wrt) {
            if e.op().is_none() {
                return Err(Error::Freed { op: "check" }.into());
            }
            if e.dtype() != DType::F64 {
                let name = e.graph().arena().describe(e.id()).name;
                return Err(Failure::NotF64 { name, dtype: e.dtype() });
            }
        }
        let graph = y.graph();
        let operands = wrt.iter().copied().map(Operand::read).collect::<Result<Vec<_>>>()?;
        let mut random = Random::new(self.seed);
        let y: Var<'_> = y.retype();
        let value = y.value()?;
        let mut scalar = (y * random.array(value.shape())).sum();
        let mut report = Report { compared: 0, error: 0.0 };
        for order in 1..=self.order {
            // A second derivative that is zero by construction is flat, which `compare` says.
            let gradients = match order {
                1 => scalar.try_grad(leaves(&operands))?,
                _ => scalar.grad_or_zeros(leaves(&operands)),
            };
            self.compare(order, y.origin(), scalar, &gradients, &operands, &mut random, &mut report)?;
            let along = gradients.iter().zip(&operands);
            let terms = along.map(|(&g, operand)| (g * random.array(operand.value.shape())).sum());
            scalar = terms.fold(graph.constant(0.0), |sum, term| sum + term);
        }
        Ok(report)
    }

    #[allow(clippy::too_many_arguments)]
    fn compare<'g>(
        self,
        order: u8,
        origin: Origin,
        scalar: Var<'g>,
        gradients: &[Var<'g>],
        operands: &[Operand<'g>],
        random: &mut Random,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let graph = scalar.graph();
        let mut analytic = graph.compile_still(gradients.to_vec(), &[])?;
        let analytic: Vec<ArrayD<f64>> = analytic.run()?.into_iter().map(|view| view.to_owned()).collect();
        let mut function = Function { program: graph.compile_still(scalar, &[])? };
        for (operand, gradient) in
            operands.iter().zip(&analytic).filter(|(operand, _)| !operand.value.is_empty())
        {
            let direction = random.array(operand.value.shape());
            let by_rules: f64 = (gradient * &direction).sum();
            let size: f64 = (gradient * &direction).iter().map(|term| term.abs()).sum();
            let (by_differences, height) = function.slope(operand, &direction)?;
            if !by_rules.is_finite() || !by_differences.is_finite() {
                return Err(Failure::NotFinite {
                    what: format!("the derivative with respect to `{}`", operand.name),
                });
            }
            let reach = operand.value.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
            if size.max(by_differences.abs()) <= FLAT * height / reach {
                return Err(Failure::Flat { operand: operand.name.clone(), order });
            }
            let error = (by_rules - by_differences).abs() / size.max(by_differences.abs());
            if error > self.tolerance {
                let (index, analytic, numeric) = function.worst(operand, gradient)?;
                let operand = operand.name.clone();
                return Err(Failure::Wrong(Box::new(Wrong {
                    operand,
                    order,
                    index,
                    analytic,
                    numeric,
                    origin,
                })));
            }
            report.compared += 1;
            report.error = report.error.max(error);
        }
        Ok(())
    }
}

fn leaves<'g>(operands: &[Operand<'g>]) -> Vec<Var<'g>> {
    operands.iter().map(|operand| operand.leaf.retype()).collect()
}

/// A scalar as a function of its leaves.
struct Function<'g> {
    program: Program<'g, Var<'g>>,
}

impl<'g> Function<'g> {
    fn at(&mut self, operand: &Operand<'g>, value: &ArrayD<f64>) -> Result<f64> {
        let view = self.program.run_with(&[operand.feed(value)])?;
        Ok(view.iter().copied().next().unwrap_or(f64::NAN))
    }

    /// The slope along `direction`, and how high the function is.
    fn slope(&mut self, operand: &Operand<'g>, direction: &ArrayD<f64>) -> Result<(f64, f64)> {
        let mut slopes = [0.0; 3];
        let mut height = 0.0_f64;
        let mut step = 4e-3;
        for slope in &mut slopes {
            let up = self.at(operand, &(&operand.value + &(direction * step)))?;
            let down = self.at(operand, &(&operand.value - &(direction * step)))?;
            *slope = (up - down) / (2.0 * step);
            height = height.max(up.abs()).max(down.abs());
            step /= 2.0;
        }
        let [a, b, c] = slopes;
        let (ab, bc) = ((4.0 * b - a) / 3.0, (4.0 * c - b) / 3.0);
        Ok(((16.0 * bc - ab) / 15.0, height))
    }

    /// The element whose derivative is furthest off: its place, the derivative by the rules and by differences.
    fn worst(&mut self, operand: &Operand<'g>, gradient: &ArrayD<f64>) -> Result<(Vec<usize>, f64, f64)> {
        let shape = operand.value.shape().to_vec();
        let mut worst = (vec![0; shape.len()], f64::NAN, f64::NAN);
        let mut most = -1.0;
        for (flat, &analytic) in gradient.iter().enumerate().take(ELEMENTS) {
            let index = index_of(flat, &shape);
            let mut direction = ArrayD::zeros(&shape[..]);
            direction[&index[..]] = 1.0;
            let (numeric, _) = self.slope(operand, &direction)?;
            if (analytic - numeric).abs() > most {
                most = (analytic - numeric).abs();
                worst = (index, analytic, numeric);
            }
        }
        Ok(worst)
    }
}
