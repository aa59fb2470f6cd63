//! The workloads as steps to be timed.

use std::hint::black_box;

use gradus::graph::Mark;
use gradus::{Float, Graph, Program, Result, Var};

use crate::measure::Steps;
use crate::models::{Compiled, Function, Problem, number};

/// A function of numbers; its value and its derivatives are read in every call.
pub struct Calls<'f, 'g, const A: usize, const N: usize> {
    function: &'f Function<'g, A, N>,
    compiled: Option<Compiled<'f, 'g, A, N>>,
}

impl<'f, 'g, const A: usize, const N: usize> Calls<'f, 'g, A, N> {
    pub fn of(function: &'f Function<'g, A, N>) -> Self {
        Self { function, compiled: None }
    }
}

impl<const A: usize, const N: usize> Steps for Calls<'_, '_, A, N> {
    fn prepare(&mut self) -> Result<()> {
        self.compiled = Some(self.function.compile()?);
        Ok(())
    }

    #[inline]
    fn step(&mut self, i: usize) -> Result<f64> {
        let results = match &mut self.compiled {
            Some(compiled) => black_box(compiled.call(i)?),
            None => [f64::NAN; N],
        };
        Ok(results[0])
    }

    fn restart(&mut self) -> Result<bool> {
        Ok(false)
    }
}

/// Training, or a cost with its derivatives.
pub struct Training<'p, 'g, T: Float, const N: usize> {
    graph: &'g Graph,
    problem: &'p Problem<'g, T, N>,
    program: Option<Program<'g, [Var<'g, T>; N]>>,
    /// The end of the leaves on the tape.
    leaves: Mark,
    trains: bool,
    read: Read,
    norm: f64,
}

/// What a step reports of its outputs.
#[derive(Clone, Copy)]
pub enum Read {
    /// The first output, which is the loss.
    Loss,
    /// The norm of all outputs, taken at the first step: they do not change.
    Norm,
}

impl<'p, 'g, T: Float, const N: usize> Training<'p, 'g, T, N> {
    pub fn of(graph: &'g Graph, problem: &'p Problem<'g, T, N>, read: Read) -> Self {
        Self { graph, problem, program: None, leaves: graph.mark(), trains: false, read, norm: f64::NAN }
    }
}

impl<T: Float, const N: usize> Steps for Training<'_, '_, T, N> {
    fn prepare(&mut self) -> Result<()> {
        let recorded = self.problem.record();
        self.trains = recorded.updates.is_some();
        self.program = Some(self.graph.compile(recorded.outputs, recorded.updates.unwrap_or_default())?);
        Ok(())
    }

    fn step(&mut self, i: usize) -> Result<f64> {
        let Some(program) = &mut self.program else { return Ok(f64::NAN) };
        let outputs = black_box(program.run()?);
        if let Read::Loss = self.read {
            return Ok(number(&outputs[0]));
        }
        if i == 0 {
            self.norm = outputs.iter().flatten().map(|x| x.to_f64().powi(2)).sum::<f64>().sqrt();
        }
        Ok(self.norm)
    }

    /// Parameters take their first values. What an optimiser remembers is on the tape behind the leaves: it goes, and
    /// the formula is recorded anew.
    fn restart(&mut self) -> Result<bool> {
        if self.trains {
            self.program = None;
            self.graph.truncate(self.leaves);
            self.problem.parameters.reset()?;
            self.prepare()?;
        }
        Ok(self.trains)
    }
}
