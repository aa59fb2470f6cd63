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

/// The costs that are kept, and a curve of more of them.
pub type Trace = (Costs, Curve);

/// A training that ended too early: its costs until then, and why.
pub struct Stopped {
    pub trace: Trace,
    pub why: Error,
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        stopped.why
    }
}

impl Schedule {
    /// Runs a step, which gives the cost, again and again. The curve gets this name.
    ///
    /// # Errors
    /// If the cost is not finite any more, with the iteration and the likely cause.
    pub fn traced<'g, T: Float>(
        self,
        name: String,
        step: &mut Program<'g, [Var<'g, T>; 1]>,
        feeds: &[Feed<'_>],
    ) -> Result<Trace, Stopped> {
        let (mut costs, mut points) = (Costs::new(), Vec::new());
        let between = self.iterations.div_ceil(POINTS);
        let progress = Progress::new(self.iterations);
        let ended = (0..self.iterations).try_for_each(|iteration| {
            let [cost] = step.run_with(feeds)?;
            let cost = cost[[]].to_f64();
            if !cost.is_finite() {
                return Err(not_finite(iteration, cost));
            }
            if iteration % self.every == 0 {
                progress.line(format_args!("cost after iteration {iteration}: {cost:.6}"));
                costs.push((iteration, cost));
            }
            if iteration % between == 0 {
                points.push((iteration as f64, cost));
            }
            progress.step();
            Ok(())
        });
        progress.finish();
        let trace = (costs, Curve { name, points });
        match ended {
            Ok(()) => Ok(trace),
            Err(why) => Err(Stopped { trace, why }),
        }
    }
}

fn not_finite(iteration: usize, cost: f64) -> Error {
    let cause = match iteration {
        0 => "the initial parameters or the data are so large that it overflows",
        _ => "the learning rate is too large",
    };
    Error::new(format_args!("the cost is {cost} at iteration {iteration}: most likely {cause}"))
}
