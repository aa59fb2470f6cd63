//! Gradient descent, and how the cost falls.

use gradus::{Feed, Float, Program, Var};

use super::Error;
use super::plot::Curve;
use super::progress::Progress;

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

impl Schedule {
    /// Runs a step, which gives the cost, again and again.
    ///
    /// # Errors
    /// If the cost is not finite any more, with the iteration and the likely cause.
    pub fn run<'g, T: Float>(
        self,
        step: &mut Program<'g, [Var<'g, T>; 1]>,
        feeds: &[Feed<'_>],
    ) -> Result<Costs, Error> {
        self.traced(String::new(), step, feeds).map(|(costs, _)| costs)
    }

    /// As [`run`](Self::run), with a curve of this name besides, of more costs than are kept.
    pub fn traced<'g, T: Float>(
        self,
        name: String,
        step: &mut Program<'g, [Var<'g, T>; 1]>,
        feeds: &[Feed<'_>],
    ) -> Result<(Costs, Curve), Error> {
        let (mut costs, mut points) = (Costs::new(), Vec::new());
        let between = self.iterations.div_ceil(POINTS);
        let progress = Progress::new(self.iterations);
        for iteration in 0..self.iterations {
            let [cost] = step.run_with(feeds)?;
            let cost = cost[[]].to_f64();
            if !cost.is_finite() {
                progress.finish();
                return Err(not_finite(iteration, cost, "the learning rate is too large"));
            }
            if iteration % self.every == 0 {
                progress.line(format_args!("cost after iteration {iteration}: {cost:.6}"));
                costs.push((iteration, cost));
            }
            if iteration % between == 0 {
                points.push((iteration as f64, cost));
            }
            progress.step();
        }
        progress.finish();
        Ok((costs, Curve { name, points }))
    }
}

/// The error of a cost that is infinite or NaN, with its likely cause, if it was not so from the beginning.
pub fn not_finite(iteration: usize, cost: f64, cause: &str) -> Error {
    let cause = match iteration {
        0 => "the initial parameters or the data are so large that it overflows",
        _ => cause,
    };
    Error::new(format_args!("the cost is {cost} at iteration {iteration}: most likely {cause}"))
}
