//! Gradient descent, and how the cost falls.

use std::fmt::Display;
use std::path::Path;

use gradus::{Feed, Float, Program, Var};

use super::plot::{Curve, curves};
use super::progress::Progress;
use super::{Error, files};

/// How many points a curve has at most.
const POINTS: usize = 500;

/// Costs by iteration, each before the update of its iteration.
pub type Costs = Vec<(usize, f64)>;

/// How long to train, and how often to keep the cost.
#[derive(Clone, Copy)]
pub struct Schedule {
    pub iterations: usize,
    /// The cost is kept and printed once in so many iterations, from the first on.
    pub every: usize,
}

/// How the cost fell.
#[derive(Default)]
pub struct Trace {
    pub costs: Costs,
    /// More costs than are kept, for a curve.
    points: Vec<(f64, f64)>,
}

impl Schedule {
    /// Runs a step, which gives the cost, again and again: how the cost fell, as far as it went, and how that ended.
    ///
    /// # Errors
    /// If the cost is not finite any more, with the iteration and the likely cause.
    pub fn run<'g, T: Float>(
        self,
        step: &mut Program<'g, [Var<'g, T>; 1]>,
        feeds: &[Feed<'_>],
    ) -> (Trace, Result<(), Error>) {
        let mut trace = Trace::default();
        let between = self.iterations.div_ceil(POINTS);
        let progress = Progress::new(self.iterations);
        let ended = (0..self.iterations).try_for_each(|iteration| {
            let [cost] = step.run_with(feeds)?;
            let cost = cost[[]].to_f64();
            if !cost.is_finite() {
                return Err(not_finite(iteration, cost, "the learning rate is too large"));
            }
            if iteration % self.every == 0 {
                progress.line(format_args!("cost after iteration {iteration}: {cost:.6}"));
                trace.costs.push((iteration, cost));
            }
            if iteration % between == 0 {
                trace.points.push((iteration as f64, cost));
            }
            progress.step();
            Ok(())
        });
        progress.finish();
        (trace, ended)
    }
}

/// The trainings of a program, one after the other, and what is written of them: `costs.csv` and `learning_curve.svg`.
pub struct Trainings<'a, V> {
    out: &'a Path,
    title: &'a str,
    column: &'a str,
    name: fn(&V) -> String,
    traces: Vec<(V, Trace)>,
}

impl<'a, V: Display> Trainings<'a, V> {
    /// None yet. The column of `costs.csv` holds a value that tells a training from the others; the learning curves have names.
    pub fn new(out: &'a Path, title: &'a str, column: &'a str, name: fn(&V) -> String) -> Self {
        Self { out, title, column, name, traces: Vec::new() }
    }

    /// Runs one more, and writes how all of them went, whether it ends well or not.
    pub fn run<'g, T: Float>(
        &mut self,
        value: V,
        schedule: Schedule,
        step: &mut Program<'g, [Var<'g, T>; 1]>,
        feeds: &[Feed<'_>],
    ) -> Result<(), Error> {
        let (trace, ended) = schedule.run(step, feeds);
        self.traces.push((value, trace));
        self.write()?;
        ended
    }

    fn write(&self) -> Result<(), Error> {
        let costs: Vec<_> = self.traces.iter().map(|(value, trace)| (value, &trace.costs)).collect();
        files::write(&self.out.join("costs.csv"), files::costs_csv(self.column, &costs).as_bytes())?;
        let curve =
            |(value, trace): &(V, Trace)| Curve { name: (self.name)(value), points: trace.points.clone() };
        let lines: Vec<Curve> = self.traces.iter().map(curve).collect();
        curves(&self.out.join("learning_curve.svg"), self.title, "iteration", "cost", &lines)
    }
}

/// How a curve is called that a learning rate tells from others.
pub fn rate_name(rate: &f64) -> String {
    format!("learning rate {rate}")
}

/// The error of a cost that is infinite or NaN, with its likely cause, if it was not so from the beginning.
pub fn not_finite(iteration: usize, cost: f64, cause: &str) -> Error {
    let cause = match iteration {
        0 => "the initial parameters or the data are so large that it overflows",
        _ => cause,
    };
    Error::new(format_args!("the cost is {cost} at iteration {iteration}: most likely {cause}"))
}
