//! How long steps take.

use std::time::{Duration, Instant};

use gradus::Result;

/// Training starts again from the initial parameters after this many steps. Adam's moments of units that have died would
/// decay into subnormal numbers, and what was measured would depend on how long it was measured.
const EPISODE: usize = 400;
/// Steps below this are timed in batches, which the clock does not disturb.
const SHORT: Duration = Duration::from_micros(10);
const BATCH: usize = 1000;
const FEWEST_SAMPLES: usize = 10;
const WARM_UP: Duration = Duration::from_millis(500);

/// Work that is done again and again.
pub trait Steps {
    /// Records and compiles what the steps run.
    fn prepare(&mut self) -> Result<()>;
    /// Step `i`: the loss before its update, or another number that sums up its results.
    fn step(&mut self, i: usize) -> Result<f64>;
    /// Makes the next step the first one again; false if steps change nothing, so that there is no need.
    fn restart(&mut self) -> Result<bool>;
}

/// What was measured. Times are of one step, in microseconds.
pub struct Figures {
    pub median: f64,
    pub min: f64,
    pub p90: f64,
    pub iterations: usize,
    pub loss_first: f64,
    pub loss_10: f64,
    /// Of the last step before training starts again, or of the last that was timed.
    pub loss_last: f64,
    /// From the formula to its first result.
    pub first_call: f64,
}

/// Steps, and where in their episode they are.
struct Run<S> {
    steps: S,
    /// The next step.
    i: usize,
    loss: f64,
    loss_at_end: Option<f64>,
}

impl<S: Steps> Run<S> {
    fn step(&mut self) -> Result<()> {
        self.loss = self.steps.step(self.i)?;
        self.i += 1;
        Ok(())
    }

    /// The time that the next `count` steps take, without what it takes to start again. The first step after that
    /// is not counted: the program lays itself out in it.
    fn time(&mut self, mut count: usize) -> Result<Duration> {
        let mut time = Duration::ZERO;
        while count > 0 {
            if self.i >= EPISODE && self.i.is_multiple_of(EPISODE) && self.steps.restart()? {
                self.loss_at_end = Some(self.loss);
                self.i = 0;
                self.step()?;
            }
            let now = count.min(EPISODE - self.i % EPISODE);
            let start = Instant::now();
            for _ in 0..now {
                self.step()?;
            }
            time += start.elapsed();
            count -= now;
        }
        Ok(time)
    }
}

/// Prepares, runs the first steps, warms up, then times steps for `seconds`.
pub fn measure(mut steps: impl Steps, seconds: f64) -> Result<Figures> {
    let start = Instant::now();
    steps.prepare()?;
    let loss_first = steps.step(0)?;
    let first_call = microseconds(start.elapsed());

    let mut run = Run { steps, i: 1, loss: loss_first, loss_at_end: None };
    run.time(10)?;
    let loss_10 = run.loss;

    let limit = Duration::from_secs_f64(seconds);
    let (mut fastest, mut spent) = (Duration::MAX, Duration::ZERO);
    while spent < WARM_UP.min(limit) {
        let step = run.time(1)?;
        fastest = fastest.min(step);
        spent += step;
    }
    let batch = if fastest < SHORT { BATCH } else { 1 };

    let (mut samples, mut spent) = (Vec::new(), Duration::ZERO);
    while spent < limit || samples.len() < FEWEST_SAMPLES {
        let sample = run.time(batch)?;
        spent += sample;
        samples.push(microseconds(sample) / batch as f64);
    }
    samples.sort_by(f64::total_cmp);
    let quantile = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
    Ok(Figures {
        median: quantile(0.5),
        min: quantile(0.0),
        p90: quantile(0.9),
        iterations: samples.len() * batch,
        loss_first,
        loss_10,
        loss_last: run.loss_at_end.unwrap_or(run.loss),
        first_call,
    })
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
