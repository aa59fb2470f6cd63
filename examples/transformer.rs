//! # A transformer that reverses or sorts
//!
//! A sequence of L symbols goes in, and L symbols come out: the same in reverse, or in order. The network is told neither; it
//! sees sequences with their answers. A symbol is a row of a table of d numbers, to which a row for its place is added:
//!
//! ```text
//! h = E[tokens] + P                                    (batch, L, d)
//! ```
//!
//! Each layer first lets every place look at all places. In a head, a place asks with a query what the others offer with their
//! keys, and takes their values in these proportions (Vaswani et al., "Attention Is All You Need", 2017):
//!
//! ```text
//! A = softmax(q kᵀ / √d_head),      q = x Wq,  k = x Wk,  v = x Wv,      x = norm(h)
//! h ← h + (A v, of all heads side by side) Wo
//! h ← h + W₂ gelu(W₁ norm(h))                          each place for itself
//! ```
//!
//! The logits are a linear layer of norm(h), one for each symbol, and the cost is the mean cross-entropy of the right ones.
//! The batches are drawn by the program that trains, anew in every step, so it never sees a sequence twice (of L = 12 digits there
//! are 10¹²), and what it is tested with is new to it.
//!
//! What a head has learned can be looked at: A is a table of what each place of the output looked at. To reverse, place i has
//! to look at place L - 1 - i, so somewhere the other diagonal has to appear.
//!
//! `cargo run --release --example transformer -- --help` lists the options.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use common::options::{learning_rate, on_threads, size, threads};
use common::plot::{Axis, Chart, Colours, Heatmap, Legend, Scale, Series, Side, heatmaps};
use common::training::{Costs, Schedule, Trace};
use common::{Error, files, finish};
use gradus::ndarray::{ArrayViewD, Axis as Along, Ix2};
use gradus::nn::{self, Attention, Linear, MultiHeadAttention};
use gradus::optim::Adam;
use gradus::prelude::*;
use gradus::{Rng, Var};

/// Trains a small transformer to reverse or to sort sequences, and shows what its heads look at.
#[derive(Parser)]
struct Options {
    /// What is to be learned
    #[arg(long, value_enum, default_value_t = Task::Reverse)]
    task: Task,
    /// How many symbols a sequence has
    #[arg(long, value_name = "L", default_value_t = 12, value_parser = size, allow_negative_numbers = true)]
    length: usize,
    /// How many symbols there are
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = size, allow_negative_numbers = true)]
    symbols: usize,
    /// How many numbers stand for a symbol at its place, d: a multiple of the heads
    #[arg(long, value_name = "D", default_value_t = 32, value_parser = size, allow_negative_numbers = true)]
    width: usize,
    /// How many heads a layer has
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = size, allow_negative_numbers = true)]
    heads: usize,
    /// How many layers there are
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = size, allow_negative_numbers = true)]
    layers: usize,
    /// How many sequences a step sees
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = size, allow_negative_numbers = true)]
    batch: usize,
    /// How many steps of Adam
    #[arg(long, value_name = "N", default_value_t = 600)]
    iterations: usize,
    /// The learning rate
    #[arg(long, value_name = "α", default_value_t = 0.003, value_parser = learning_rate, allow_negative_numbers = true)]
    learning_rate: f64,
    /// From which the first weights and all sequences are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to compute on; the numbers are the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<u16>,
    /// The folder for costs.csv, learning_curve.svg and attention.svg
    #[arg(long, value_name = "DIR", default_value = "target/transformer")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Task {
    Reverse,
    Sort,
}

impl Task {
    /// The right answers to sequences, (batch, L).
    fn answers<'g>(self, tokens: Var<'g, i64>) -> Var<'g, i64> {
        match self {
            Self::Reverse => tokens.flip(1),
            Self::Sort => tokens.sort(1),
        }
    }
}

fn main() -> ExitCode {
    finish(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    check_sizes(options)?;
    files::make_folder(&options.out)?;
    let g = Graph::new();
    let mut weights = Weights { graph: &g, rng: g.rng("initial", options.seed), all: Vec::new() };
    let model = Transformer::new(options, &mut weights)?;

    // Everything that a step needs is drawn, computed and updated by one program.
    let rng = g.rng("sequences", options.seed);
    let sequences = |count: usize| rng.integers(0, options.symbols as i64, [count, options.length]);
    let tokens = sequences(options.batch);
    let (logits, _) = model.apply(tokens);
    let cost = logits.cross_entropy(options.task.answers(tokens));
    let numbers: usize = weights.all.iter().map(|weight| weight.shape().iter().product::<usize>()).sum();
    println!("{numbers} weights in {} arrays, {} nodes.", weights.all.len(), g.len());
    let updates = Adam::new(options.learning_rate).minimize(cost, &weights.all);
    println!("{} nodes with the gradient and the updates of Adam.\n", g.len());

    let mut step = on_threads(options.threads, g.compile([cost], updates)?)?;
    let schedule = Schedule { iterations: options.iterations, every: 20 };
    let (Trace { costs, .. }, ended) = schedule.run(&mut step, &[]);
    let out = &options.out;
    let table = files::costs_csv("learning_rate", &[(options.learning_rate, &costs)]);
    files::write(&out.join("costs.csv"), table.as_bytes())?;
    learning_curve(&out.join("learning_curve.svg"), options.task, &costs)?;
    ended?;

    let tokens = sequences(TESTS);
    let (logits, attention) = model.apply(tokens);
    let (found, right) = (logits.argmax_axis(-1), options.task.answers(tokens));
    let is_right = found.eq(right).cast::<f64>();
    let shares = [is_right.min_axis(-1).mean(), is_right.mean()];
    let mut test = on_threads(options.threads, g.compile(([tokens, found, right], attention, shares), ())?)?;
    let (sequences, attention, [whole, each]) = test.run()?;
    print_examples(&sequences, options.length);

    draw_attention(&out.join("attention.svg"), &attention)?;
    println!("\nSee costs.csv, learning_curve.svg and attention.svg in {}.\n", out.display());
    println!("whole sequences right: {:.2} %", 100.0 * whole[[]]);
    println!("symbols right: {:.2} %", 100.0 * each[[]]);
    Ok(())
}

/// The first five sequences, and what is made of them.
fn print_examples([given, found, right]: &[ArrayViewD<'_, i64>; 3], length: usize) {
    let row = |symbols: &ArrayViewD<'_, i64>, i| {
        symbols.index_axis(Along(0), i).iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
    };
    let width = "new sequence".len().max(2 * length - 1);
    println!("\n{:<1$}    what is made of it", "new sequence", width);
    for i in 0..5 {
        let [given, found, right] = [given, found, right].map(|symbols| row(symbols, i));
        let wrong = if found == right { "" } else { "    wrong" };
        println!("{given:<width$}    {found}{wrong}");
    }
}

/// How many numbers all arrays of a step may have: two gigabytes of them.
const MOST_NUMBERS: f64 = 5e8;
/// How many sequences test.
const TESTS: usize = 1000;

/// Refuses heads that do not divide the width, and sizes that no memory holds.
fn check_sizes(options: &Options) -> Result<(), Error> {
    let &Options { length, symbols, width, heads, layers, batch, .. } = options;
    if width % heads != 0 {
        return Err(Error::new(format_args!(
            "{heads} heads cannot share a width of {width}: it is not a multiple"
        )));
    }
    let [length, symbols, width, heads, layers, batch] =
        [length, symbols, width, heads, layers, batch.max(TESTS)].map(|size| size as f64);
    let each_place = symbols + layers * (8.0 * width + heads * length);
    let numbers = width * (symbols + length + 8.0 * layers * width) + batch * length * each_place;
    if numbers > MOST_NUMBERS {
        let text =
            format!("these sizes make about {numbers:.0e} numbers, which are more than {MOST_NUMBERS:.0e}");
        return Err(Error::new(text));
    }
    Ok(())
}

/// Makes the weights, and keeps a list of them for the optimiser.
struct Weights<'g> {
    graph: &'g Graph,
    rng: Rng<'g>,
    all: Vec<Var<'g, f32>>,
}

impl<'g> Weights<'g> {
    /// Normally distributed with this deviation.
    fn normal(&mut self, name: &str, shape: [usize; 2], deviation: f64) -> Result<Var<'g, f32>, Error> {
        let value = self.rng.normal(0.0, deviation, shape).value()?;
        Ok(self.keep(self.graph.param(name, value)))
    }

    fn full(&mut self, name: &str, count: usize, value: f32) -> Var<'g, f32> {
        self.keep(self.graph.param(name, Array1::from_elem(count, value)))
    }

    /// A layer of n numbers for k, with results about as large as what comes in.
    fn linear(&mut self, name: &str, [n, k]: [usize; 2]) -> Result<Linear<'g, f32>, Error> {
        let weight = self.normal(&format!("{name}.W"), [n, k], (n as f64).sqrt().recip())?;
        Ok(Linear::new(weight, self.full(&format!("{name}.b"), k, 0.0)))
    }

    fn norm(&mut self, name: &str, n: usize) -> [Var<'g, f32>; 2] {
        [self.full(&format!("{name}.gain"), n, 1.0), self.full(&format!("{name}.bias"), n, 0.0)]
    }

    fn keep(&mut self, weight: Var<'g, f32>) -> Var<'g, f32> {
        self.all.push(weight);
        weight
    }
}

struct Transformer<'g> {
    symbols: Var<'g, f32>,
    places: Var<'g, f32>,
    layers: Vec<Layer<'g>>,
    norm: [Var<'g, f32>; 2],
    output: Linear<'g, f32>,
}

struct Layer<'g> {
    norms: [[Var<'g, f32>; 2]; 2],
    heads: MultiHeadAttention<'g, f32>,
    widen: Linear<'g, f32>,
    narrow: Linear<'g, f32>,
}

impl<'g> Transformer<'g> {
    fn new(options: &Options, weights: &mut Weights<'g>) -> Result<Self, Error> {
        let &Options { length, symbols, width: d, .. } = options;
        Ok(Self {
            symbols: weights.normal("symbols", [symbols, d], 1.0)?,
            places: weights.normal("places", [length, d], 1.0)?,
            layers: (1..=options.layers)
                .map(|i| Layer::new(i, options, weights))
                .collect::<Result<_, _>>()?,
            norm: weights.norm("norm", d),
            output: weights.linear("output", [d, symbols])?,
        })
    }

    /// Logits (batch, L, symbols), and the attention of each layer (batch, heads, L, L), of sequences (batch, L).
    fn apply(&self, tokens: Var<'g, i64>) -> (Var<'g, f32>, Vec<Var<'g, f32>>) {
        let mut h = self.symbols.embedding(tokens) + self.places;
        let mut attention = Vec::new();
        for layer in &self.layers {
            let [first, second] = layer.norms;
            let x = norm(h, first);
            h = h + layer.heads.apply(x, x, x, &Attention::new());
            h = h + layer.narrow.apply(layer.widen.apply(norm(h, second)).gelu());
            attention.push(layer.heads.weights(x, x, &Attention::new()));
        }
        (self.output.apply(norm(h, self.norm)), attention)
    }
}

impl<'g> Layer<'g> {
    fn new(i: usize, options: &Options, weights: &mut Weights<'g>) -> Result<Self, Error> {
        let d = options.width;
        let mut linear = |name: &str, shape| weights.linear(&format!("{name}{i}"), shape);
        let [query, key, value, output] = [
            linear("query", [d, d])?,
            linear("key", [d, d])?,
            linear("value", [d, d])?,
            linear("together", [d, d])?,
        ];
        let (widen, narrow) = (linear("widen", [d, 2 * d])?, linear("narrow", [2 * d, d])?);
        let norms = ["before", "between"].map(|name| weights.norm(&format!("{name}{i}"), d));
        Ok(Self {
            norms,
            heads: MultiHeadAttention { query, key, value, output, heads: options.heads },
            widen,
            narrow,
        })
    }
}

fn norm<'g>(x: Var<'g, f32>, gain_and_bias: [Var<'g, f32>; 2]) -> Var<'g, f32> {
    nn::layer_norm(x, -1, gain_and_bias, 1e-5)
}

fn learning_curve(path: &Path, task: Task, costs: &Costs) -> Result<(), Error> {
    let points = costs.iter().map(|&(iteration, cost)| (iteration as f64, cost)).collect();
    Chart {
        title: match task {
            Task::Reverse => "A transformer learns to reverse",
            Task::Sort => "A transformer learns to sort",
        },
        x: Axis { label: "iteration", scale: Scale::Linear },
        y: Axis { label: "cost", scale: Scale::Logarithmic },
        legend: Legend::UpperRight,
    }
    .write(path, &[Series { name: String::new(), points, colour: 0, dots: false }])
}

/// A field for each head, of the first sequence: in the row of a place of the output, what it looked at.
fn draw_attention(path: &Path, layers: &[ArrayViewD<'_, f32>]) -> Result<(), Error> {
    let mut heads = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        for (k, head) in layer.index_axis(Along(0), 0).outer_iter().enumerate() {
            let head = head.mapv(f64::from).into_dimensionality::<Ix2>();
            heads.push((format!("layer {}, head {}", i + 1, k + 1), head.map_err(Error::new)?));
        }
    }
    let panels = heads.iter().map(|(title, weights)| {
        let length = weights.nrows() as f64;
        Heatmap {
            title: title.clone(),
            values: weights.view(),
            x: Side { label: "place that is looked at", range: 0.5..length + 0.5 },
            y: Side { label: "place that looks", range: length + 0.5..0.5 },
            colours: Colours::Sequential(1.0),
        }
    });
    heatmaps(path, (380, 340), &panels.collect::<Vec<_>>())
}
