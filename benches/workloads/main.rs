//! The workloads on which gradus and other frameworks are measured side by side.
//!
//! `cargo bench --bench workloads -- NAME --threads N` runs one, and prints one line of JSON; without a name all run.
//! `docs/src/benchmarks.md` says what the workloads are, and how to compare.

mod measure;
mod models;
mod process;
mod steps;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use gradus::{Float, Graph, Result};

use self::measure::{Figures, measure};
use self::models::{Function, Problem};
use self::steps::{Calls, Read, Training};

/// Times one step of a workload, and prints one line of JSON.
#[derive(Parser)]
#[command(name = "workloads", version)]
struct Options {
    /// The workload; without one all run, in turn
    #[arg(value_enum)]
    workload: Option<Workload>,
    /// How many threads, and cores, to use
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// How long to time steps
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// Measure in this process, on whatever cores it has
    #[arg(long, hide = true)]
    here: bool,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("it is a number between 0 and 3600".into()),
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    Scalar3,
    Chain1000,
    Logreg,
    Planar,
    Deep,
    Mlp,
    Wide,
    Elementwise,
    Conv,
    Attention,
    Hvp,
    Hessian,
}

impl Workload {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The element type and the figures.
    fn run(self, seconds: f64) -> Result<(&'static str, Figures)> {
        let g = Graph::new();
        match self {
            Self::Scalar3 => function(&models::scalar3(&g), seconds),
            Self::Chain1000 => function(&models::chain1000(&g), seconds),
            Self::Logreg => problem(&g, &models::logreg(&g), Read::Loss, seconds),
            Self::Planar => problem(&g, &models::planar(&g), Read::Loss, seconds),
            Self::Deep => problem(&g, &models::deep(&g), Read::Loss, seconds),
            Self::Mlp => problem(&g, &models::mlp(&g), Read::Loss, seconds),
            Self::Wide => problem(&g, &models::wide(&g), Read::Loss, seconds),
            Self::Elementwise => problem(&g, &models::elementwise(&g), Read::Loss, seconds),
            Self::Conv => problem(&g, &models::conv(&g), Read::Loss, seconds),
            Self::Attention => problem(&g, &models::attention(&g), Read::Loss, seconds),
            Self::Hvp => problem(&g, &models::hvp(&g), Read::Norm, seconds),
            Self::Hessian => problem(&g, &models::hessian(&g), Read::Norm, seconds),
        }
    }
}

fn function<const A: usize, const N: usize>(
    function: &Function<'_, A, N>,
    seconds: f64,
) -> Result<(&'static str, Figures)> {
    Ok(("f64", measure(Calls::of(function), seconds)?))
}

fn problem<'g, T: Float, const N: usize>(
    g: &'g Graph,
    problem: &Problem<'g, T, N>,
    read: Read,
    seconds: f64,
) -> Result<(&'static str, Figures)> {
    let dtype = if size_of::<T>() == 4 { "f32" } else { "f64" };
    Ok((dtype, measure(Training::of(g, problem, read), seconds)?))
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.workload {
        Some(workload) if options.here => here(workload, &options),
        Some(workload) => elsewhere(workload, &options),
        None => Workload::value_variants().iter().try_for_each(|&workload| elsewhere(workload, &options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A process of its own, so that its memory and its first call are those of this workload.
fn elsewhere(workload: Workload, options: &Options) -> std::result::Result<(), String> {
    let arguments = [
        workload.name(),
        "--here".into(),
        format!("--threads={}", options.threads),
        format!("--seconds={}", options.seconds),
    ];
    process::again(&arguments, usize::from(options.threads))
        .map_err(|error| format!("{}: {error}", arguments[0]))
}

fn here(workload: Workload, options: &Options) -> std::result::Result<(), String> {
    // This thread is one of the pool's, so that nothing is handed over where there is but one.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.into()).use_current_thread();
    pool.build_global().map_err(|error| error.to_string())?;
    let (dtype, figures) = workload.run(options.seconds).map_err(|error| error.to_string())?;
    print(&workload.name(), dtype, options.threads, &figures);
    Ok(())
}

fn print(workload: &str, dtype: &str, threads: u16, figures: &Figures) {
    let Figures { median, min, p90, iterations, loss_first, loss_10, loss_last, first_call } = figures;
    let [loss_first, loss_10, loss_last] = [loss_first, loss_10, loss_last].map(|&loss| json(loss, None));
    let memory = json(process::peak_memory().map_or(f64::NAN, |bytes| bytes / f64::from(1 << 20)), Some(1));
    let version = env!("CARGO_PKG_VERSION");
    println!(
        "{{\"workload\": \"{workload}\", \"peer\": \"gradus\", \"threads\": {threads}, \"dtype\": \"{dtype}\", \
         \"median_us\": {median:.4}, \"min_us\": {min:.4}, \"p90_us\": {p90:.4}, \"iters\": {iterations}, \
         \"loss_first\": {loss_first}, \"loss_10\": {loss_10}, \"loss_last\": {loss_last}, \
         \"peak_rss_mb\": {memory}, \"first_call_us\": {first_call:.1}, \"version\": \"{version}\"}}"
    );
}

/// A number, which JSON has no other way to lack than `null`.
fn json(number: f64, digits: Option<usize>) -> String {
    match digits {
        _ if !number.is_finite() => "null".into(),
        Some(digits) => format!("{number:.digits$}"),
        None => number.to_string(),
    }
}
