//! Gradient descent, and how the cost falls.

use gradus::{Feed, Float, Program, Var};

use super::Error;
use super::progress::Progress;

/// Costs by iteration, each before the update of its iteration.
pub type Costs = Vec<(usize, f64)>;

/// How long to train, and how often to keep the cost.
#[derive(Clone, Copy)]
pub struct Schedule {
    pub iterations: usize,
    /// The cost is kept and printed once in so many iterations, from the first on.
    pub every: usize,
}

/// A training that ended too early: the costs until then, and why.
pub struct Stopped {
    pub costs: Costs,
    pub why: Error,
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        stopped.why
    }
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
    ) -> Result<Costs, Stopped> {
        self.watch(step, feeds, |_, _| ())
    }

    /// As [`run`](Self::run), and shows every iteration with its cost.
    pub fn watch<'g, T: Float>(
        self,
        step: &mut Program<'g, [Var<'g, T>; 1]>,
        feeds: &[Feed<'_>],
        mut show: impl FnMut(usize, f64),
    ) -> Result<Costs, Stopped> {
        let mut costs = Costs::new();
        let progress = Progress::new(self.iterations);
        let ended = (0..self.iterations).try_for_each(|iteration| {
            let [cost] = step.run_with(feeds)?;
            let cost = cost[[]].to_f64();
            if !cost.is_finite() {
                return Err(not_finite(iteration, cost));
            }
            show(iteration, cost);
            if iteration % self.every == 0 {
                progress.line(format_args!("cost after iteration {iteration}: {cost:.6}"));
                costs.push((iteration, cost));
            }
            progress.step();
            Ok(())
        });
        progress.finish();
        match ended {
            Ok(()) => Ok(costs),
            Err(why) => Err(Stopped { costs, why }),
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
