//! # A differential equation, solved by a network
//!
//! Burgers' equation describes a wave u(x, t) that overtakes itself: what is high moves fast, and catches up with what is low before
//! it, until friction keeps the front from breaking.
//!
//! ```text
//! u_t + u u_x = ν u_xx,       -1 ≤ x ≤ 1,  0 ≤ t ≤ 1
//! u(x, 0) = -sin πx,          u(-1, t) = u(1, t) = 0
//! ```
//!
//! A network N with two hidden layers takes a point (x, t) to a number. It is put into a form that is right at the beginning and at
//! both ends, whatever the weights are, and what is left of the equation is the residual r:
//!
//! ```text
//! N = W₃ tanh(W₂ tanh(W₁ (x t)ᵀ + b₁) + b₂) + b₃
//! u = -sin πx + t (1 - x²) N
//! r = u_t + u u_x - ν u_xx
//! J = 1/m Σ r²                over m points (x, t), which are drawn once
//! ```
//!
//! There are no data, no grid and no differences: the derivatives of u with respect to x and t are those that gradus derives. With
//! a column for each point, u[i] depends on x[i] alone, so the gradient of Σ u with respect to x holds u_x at every point. It is
//! an expression, so it can be differentiated again, for u_xx; and so can J, with respect to the weights.
//!
//! Adam comes near. Then the residuals are so close to straight in the weights that they may be taken for it: with
//! the derivatives D = ∂r/∂w the best step is the solution of a least squares problem, damped by μ
//! as long as it is not to be trusted (Levenberg, 1944; Marquardt, 1963; the rule for μ is that of Nielsen, 1999):
//!
//! ```text
//! w ← w - (Dᵀ D + μ I)⁻¹ Dᵀ r
//! ```
//!
//! For D every point gets weights of its own, all the same: then the gradient of Σ r with respect to them is D, row by row.
//!
//! The equation has an exact solution (Hopf, 1950; Cole, 1951), which the network does not see. It is what the result is compared with.
//!
//! `cargo run --release --example differential_equation -- --help` lists the options.

mod common;

use std::f64::consts::PI;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::options::{learning_rate, on_threads, size, threads};
use common::plot::{Axis, Chart, Colours, Heatmap, Legend, Scale, Series, Side, heatmaps};
use common::training::{Costs, Schedule, Trace, not_finite};
use common::{Error, files, finish};
use gradus::ndarray::{ArrayD, Axis as Along};
use gradus::optim::Adam;
use gradus::prelude::*;
use gradus::{Program, Rng, Update, concat};

/// Solves Burgers' equation by a network that knows the equation alone, and compares it with the exact solution.
#[derive(Parser)]
struct Options {
    /// ν, how strong the friction is: the smaller, the steeper the front
    #[arg(long, value_name = "ν", default_value_t = 0.05, value_parser = viscosity, allow_negative_numbers = true)]
    viscosity: f64,
    /// How many points the equation is to hold at
    #[arg(long, value_name = "M", default_value_t = 1000, value_parser = size, allow_negative_numbers = true)]
    points: usize,
    /// How many units each of the two hidden layers has
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = size, allow_negative_numbers = true)]
    hidden: usize,
    /// How many steps of Adam
    #[arg(long, value_name = "N", default_value_t = 500)]
    iterations: usize,
    /// The learning rate of Adam
    #[arg(long, value_name = "α", default_value_t = 0.005, value_parser = learning_rate, allow_negative_numbers = true)]
    learning_rate: f64,
    /// How many steps of least squares after that
    #[arg(long, value_name = "N", default_value_t = 150)]
    steps: usize,
    /// From which the points and the first weights are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to compute on; the numbers are the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<u16>,
    /// The folder for costs.csv, field.svg, profiles.svg and learning_curve.svg
    #[arg(long, value_name = "DIR", default_value = "target/differential_equation")]
    out: PathBuf,
}

fn viscosity(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(viscosity) if (0.001..=1.0).contains(&viscosity) => Ok(viscosity),
        _ => Err("a viscosity is a number from 0.001 to 1".to_owned()),
    }
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

/// How many numbers a matrix of least squares may have.
const MOST_NUMBERS: f64 = 2e7;

/// N: weights and biases of the layers in turn, and points in columns, (.., 2, m) → (.., 1, m).
fn network<'g>(weights: &[Var<'g>], points: Var<'g>) -> Var<'g> {
    let layers = weights.chunks(2).enumerate();
    layers.fold(points, |h, (i, layer)| {
        let h = if i == 0 { h } else { h.tanh() };
        layer[0].matmul(h) + layer[1]
    })
}

/// u, right at t = 0 and at x = ±1.
fn solution<'g>(weights: &[Var<'g>], x: Var<'g>, t: Var<'g>) -> Var<'g> {
    -(PI * x).sin() + t * (1.0 - x.square()) * network(weights, concat(&[x, t], -2))
}

/// r, of which the equation says that it is 0.
fn residual<'g>(u: Var<'g>, x: Var<'g>, t: Var<'g>, viscosity: f64) -> Var<'g> {
    let [u_x, u_t] = u.sum().grad([x, t]);
    let u_xx = u_x.sum().grad(x);
    u_t + u * u_x - viscosity * u_xx
}

fn run(options: &Options) -> Result<(), Error> {
    let &Options { points: m, hidden, viscosity, threads, .. } = options;
    let count = check_sizes(m, hidden)?;
    files::make_folder(&options.out)?;
    println!("A network of {count} weights. The equation is to hold at {m} points.");

    let g = Graph::new();
    let rng = g.rng("rng", options.seed);
    let x = g.input("x", rng.uniform::<f64>(-1.0, 1.0, [1, m]).value()?);
    let t = g.input("t", rng.random::<f64>([1, m]).value()?);
    let weights = first_weights(rng, hidden)?;

    let u = solution(&weights, x, t);
    let with_u = g.len();
    let r = residual(u, x, t, viscosity);
    let cost = r.square().mean();
    let with_cost = g.len();
    let updates = Adam::new(options.learning_rate).minimize(cost, &weights);
    println!("The tape has {with_u} nodes with u, {with_cost} with J, {} with a step of Adam.\n", g.len());

    let mut comparison = Comparison::new([x, t], viscosity, on_threads(threads, g.compile([u, r], ())?)?);
    println!("Adam, learning rate {}:", options.learning_rate);
    let mut step = on_threads(threads, g.compile([cost], updates)?)?;
    let start = Instant::now();
    let schedule = Schedule { iterations: options.iterations, every: 25 };
    let (Trace { costs: adam, .. }, ended) = schedule.run(&mut step, &[]);
    let seconds = start.elapsed().as_secs_f64();
    write_costs(&options.out, &[("Adam", &adam)])?;
    ended?;
    let adams_error = comparison.largest_error()?;
    println!("After {seconds:.1} s the largest error is {adams_error:.1e}.\n");

    println!("Least squares:");
    let damping = g.input("damping", 1.0);
    let (gain, updates) = least_squares(&weights, [x, t], viscosity, damping);
    let step = on_threads(threads, g.compile(gain, updates)?)?;
    let measure = on_threads(threads, g.compile(cost, ())?)?;
    let start = Instant::now();
    let squares = Fit { weights: &weights, damping, step, measure }.run(options.iterations, options.steps)?;
    let seconds = start.elapsed().as_secs_f64();
    let error = comparison.largest_error()?;
    println!("After {seconds:.1} s more the largest error is {error:.1e}.\n");

    write_costs(&options.out, &[("Adam", &adam), ("least squares", &squares)])?;
    comparison.field(&options.out.join("field.svg"))?;
    comparison.profiles(&options.out.join("profiles.svg"))?;
    println!("See costs.csv, learning_curve.svg, field.svg and profiles.svg in {}.\n", options.out.display());
    println!("largest error: {error:.2e}");
    Ok(())
}

/// How many weights there are, if the matrices of least squares are not too large.
fn check_sizes(points: usize, hidden: usize) -> Result<f64, Error> {
    let hidden = hidden as f64;
    let weights = hidden * (hidden + 5.0) + 1.0;
    let numbers = weights * weights.max(points as f64);
    if numbers > MOST_NUMBERS {
        return Err(Error::new(format_args!(
            "{points} points and {weights} weights make matrices of {numbers:.0e} numbers, more than {MOST_NUMBERS:.0e}"
        )));
    }
    Ok(weights)
}

/// W₁, b₁, W₂, b₂, W₃ and b₃: weights drawn so that what comes out of a layer is about as large as what comes in, biases 0.
fn first_weights(rng: Rng<'_>, hidden: usize) -> Result<Vec<Var<'_>>, Error> {
    let g = rng.state().graph();
    let mut weights = Vec::new();
    for (i, [n, k]) in [[2, hidden], [hidden, hidden], [hidden, 1]].into_iter().enumerate() {
        let w = rng.normal::<f64>(0.0, (n as f64).sqrt().recip(), [k, n]).value()?;
        weights.push(g.param(&format!("W{}", i + 1), w));
        weights.push(g.param(&format!("b{}", i + 1), Array2::<f64>::zeros((k, 1))));
    }
    Ok(weights)
}

/// One damped step of least squares in all weights, and by how much it lowers J if the residuals are straight.
fn least_squares<'g>(
    weights: &[Var<'g>],
    points: [Var<'g>; 2],
    viscosity: f64,
    damping: Var<'g>,
) -> (Var<'g>, Vec<Update<'g>>) {
    // Point i has weights of its own: (m, k, n) in place of (k, n).
    let [x, t] = points.map(|along| along.t().expand_dims(-1));
    let own = |w: &Var<'g>| w.broadcast_to([x.shape()[0], w.shape()[0], w.shape()[1]]);
    let own: Vec<Var<'g>> = weights.iter().map(own).collect();
    let r = residual(solution(&own, x, t), x, t, viscosity);
    let rows = r.sum().grad(&own).into_iter().map(|d| d.flatten([1, 2]));
    let d = concat(&rows.collect::<Vec<_>>(), 1);

    let (square, slope) = (d.t().dot(d), d.t().dot(r.ravel()));
    let step = (square + damping * square.eye_like(0)).cholesky().cho_solve(slope);
    let gain = step.dot(damping * step + slope) / r.size_of(0);
    let mut first = 0;
    let updates = weights.iter().map(|&w| {
        let end = first + w.shape().iter().product::<usize>() as isize;
        let part = step.slice(0, first..end).reshape_like(w);
        first = end;
        w.assign(w - part)
    });
    (gain, updates.collect())
}

/// Steps of least squares, with as much damping as they need.
struct Fit<'a, 'g> {
    weights: &'a [Var<'g>],
    damping: Var<'g>,
    step: Program<'g, Var<'g>>,
    measure: Program<'g, Var<'g>>,
}

impl Fit<'_, '_> {
    /// The costs before each step, which are counted from `first` on. A step that makes the cost larger, or no number, is taken
    /// back.
    fn run(mut self, first: usize, steps: usize) -> Result<Costs, Error> {
        let mut costs = Costs::new();
        let (mut damping, mut growth) = (1.0, 2.0);
        let mut cost = self.measure.run()?[[]];
        if !cost.is_finite() {
            return Err(not_finite(first, cost, "the learning rate is too large"));
        }
        println!("step   damping      cost");
        for i in 0..steps {
            if i % 10 == 0 {
                println!("{i:>4}   {damping:>7.1e}   {cost:.2e}");
            }
            costs.push((first + i, cost));
            let before: Vec<ArrayD<f64>> =
                self.weights.iter().map(|w| w.value()).collect::<Result<_, _>>()?;
            let gain = self.step.run_with(&[self.damping.feed(&arr0(damping))])?[[]];
            let after = self.measure.run()?[[]];
            if after < cost {
                // The closer to what was expected, the more the next step is trusted.
                let share = (cost - after) / gain;
                damping *= (1.0 - (2.0 * share - 1.0).powi(3)).clamp(1.0 / 3.0, 2.0);
                (cost, growth) = (after, 2.0);
                continue;
            }
            (damping, growth) = (damping * growth, 2.0 * growth);
            for (w, before) in self.weights.iter().zip(before) {
                w.set_value(before)?;
            }
        }
        costs.push((first + steps, cost));
        println!("{steps:>4}   {damping:>7.1e}   {cost:.2e}");
        Ok(costs)
    }
}

/// How many points the grid has along x and along t, on which solutions are compared.
const GRID: usize = 81;

/// The solution and the residual on a grid, x along the rows and t along the columns of the pictures, and the exact solution.
struct Comparison<'g> {
    points: [Var<'g>; 2],
    grid: [Array2<f64>; 2],
    exact: Array2<f64>,
    program: Program<'g, [Var<'g>; 2]>,
}

impl<'g> Comparison<'g> {
    fn new(points: [Var<'g>; 2], viscosity: f64, program: Program<'g, [Var<'g>; 2]>) -> Self {
        let place = |i: usize| i as f64 / (GRID - 1) as f64;
        let x = Array2::from_shape_fn((GRID, GRID), |(i, _)| 2.0 * place(i) - 1.0);
        let t = Array2::from_shape_fn((GRID, GRID), |(_, j)| place(j));
        let exact = Array2::from_shape_fn((GRID, GRID), |at| exact(x[at], t[at], viscosity));
        Self { points, grid: [x, t], exact, program }
    }

    /// The solution and the residual of the network.
    fn found(&mut self) -> Result<[Array2<f64>; 2], Error> {
        let row = |grid: &Array2<f64>| grid.flatten().insert_axis(Along(0)).into_owned();
        let [x, t] = [row(&self.grid[0]), row(&self.grid[1])];
        let found = self.program.run_with(&[self.points[0].feed(&x), self.points[1].feed(&t)])?;
        let [u, r] = found.map(|row| Array2::from_shape_vec((GRID, GRID), row.iter().copied().collect()));
        Ok([u.map_err(Error::new)?, r.map_err(Error::new)?])
    }

    fn largest_error(&mut self) -> Result<f64, Error> {
        let [u, _] = self.found()?;
        Ok(largest(&(u - &self.exact)))
    }

    /// u, its error and its residual over t and x.
    fn field(&mut self, path: &Path) -> Result<(), Error> {
        let [u, r] = self.found()?;
        let error = &u - &self.exact;
        let panels = [("u(x, t) of the network", &u), ("error", &error), ("residual", &r)];
        let panels = panels.map(|(title, values)| Heatmap {
            title: title.to_owned(),
            values: values.view(),
            x: Side { label: "t", range: 0.0..1.0 },
            y: Side { label: "x", range: -1.0..1.0 },
            colours: Colours::Diverging(largest(values)),
        });
        heatmaps(path, (500, 420), &panels)
    }

    /// u over x at five times, and what it should be.
    fn profiles(&mut self, path: &Path) -> Result<(), Error> {
        let [u, _] = self.found()?;
        let mut series = Vec::new();
        for (colour, column) in (0..GRID).step_by((GRID - 1) / 4).enumerate() {
            let over_x = |u: &Array2<f64>, step: usize| {
                let points = self.grid[0].column(0).to_vec().into_iter().zip(u.column(column).to_vec());
                points.step_by(step).collect()
            };
            let name = format!("t = {}", self.grid[1][[0, column]]);
            series.push(Series { name, points: over_x(&u, 1), colour, dots: false });
            let name = if column + 1 == GRID { "dots: exact" } else { "" }.to_owned();
            series.push(Series { name, points: over_x(&self.exact, 4), colour, dots: true });
        }
        Chart {
            title: "Burgers' equation: the network, and exact points",
            x: Axis { label: "x", scale: Scale::Linear },
            y: Axis { label: "u", scale: Scale::Linear },
            legend: Legend::UpperRight,
        }
        .write(path, &series)
    }
}

/// The exact solution, by the transform of Hopf and Cole: a mean of -sin πy over y = x - s √(4νt), with the weights
/// exp(-s² - cos(πy) / 2πν), as sums over many s.
fn exact(x: f64, t: f64, viscosity: f64) -> f64 {
    let steepness = (2.0 * PI * viscosity).recip();
    let far = 7.0 + (2.0 * steepness).sqrt();
    let (mut sum, mut weights) = (0.0, 0.0);
    for i in -400..=400 {
        let s = far * f64::from(i) / 400.0;
        let y = x - s * (4.0 * viscosity * t).sqrt();
        // 1 more in the exponent is a factor of both sums, and keeps them finite.
        let weight = (-s * s - (1.0 + (PI * y).cos()) * steepness).exp();
        sum -= (PI * y).sin() * weight;
        weights += weight;
    }
    sum / weights
}

fn largest(values: &Array2<f64>) -> f64 {
    values.iter().fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()))
}

/// The costs as a table, and against the steps, which are counted through.
fn write_costs(out: &Path, methods: &[(&str, &Costs)]) -> Result<(), Error> {
    files::write(&out.join("costs.csv"), files::costs_csv("method", methods).as_bytes())?;
    let series = methods.iter().enumerate().map(|(colour, (name, costs))| {
        let points = costs.iter().map(|&(step, cost)| (step as f64, cost)).collect();
        Series { name: (*name).to_owned(), points, colour, dots: false }
    });
    Chart {
        title: "Adam, then least squares",
        x: Axis { label: "step", scale: Scale::Linear },
        y: Axis { label: "mean square of the residual", scale: Scale::Logarithmic },
        legend: Legend::LowerLeft,
    }
    .write(&out.join("learning_curve.svg"), &series.collect::<Vec<_>>())
}
