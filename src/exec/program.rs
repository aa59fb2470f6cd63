//! Programs: outputs and updates, compiled.

use std::sync::Arc;

use ndarray::IxDyn;
use rayon::{ThreadPool, ThreadPoolBuilder};
use smallvec::SmallVec;

use super::bind::{Bound, Given, are_numbers, bind, memory};
use super::cache::{Compiled, Loan, compiled};
use super::feed::{Feed, Target};
use super::leaf::Lie;
use super::plain::Plain;
use super::plan::{Options, Plan, ResultPlace};
use super::report::{Report, Timing};
use super::step::{Halt, OutOfRange, Step};
use super::update::{Update, Updates};
use crate::element::{DType, Element, Packed, Value, each_dtype, with_type};
use crate::error::{Error, Result};
use crate::graph::{Content, Expr, Graph, LeafCell, Node, NodeId, Reached, VarList, check_value};
use crate::kernels::{LeafMemory, Level, Memory, Threads};
use crate::ops::Op;
use crate::shape::Shape;

/// How many sets of leaf shapes a program keeps its plan for.
const PLANS: usize = 8;

/// Outputs and parameter updates, compiled to run many times.
///
/// A program reads the graph's leaves as they are when it runs, and writes the parameters it updates. Two programs
/// on one graph (train, predict) share its parameters.
pub struct Program<'g, L: VarList<'g>> {
    graph: &'g Graph,
    outputs: L::Owned,
    compiled: Loan,
    /// The leaves on the tape, in the order of the code.
    leaves: SmallVec<[BoundLeaf; 8]>,
    options: Options,
    threads: Pool,
    /// The results of the plain interpreter, if it runs instead.
    plain: Option<Vec<Value>>,
}

/// The threads that a program runs on.
#[derive(Clone)]
enum Pool {
    /// Those of the rayon pool that it is called in.
    Ambient,
    /// The caller's alone.
    One,
    /// Its own.
    Own(Arc<ThreadPool>),
}

impl Pool {
    /// The threads for a run, if it can use several.
    #[inline]
    fn for_plan(&self, parallel: bool) -> Option<&Self> {
        let many = parallel
            && match self {
                Self::Ambient => rayon::current_num_threads() > 1,
                Self::One => false,
                Self::Own(_) => true,
            };
        many.then_some(self)
    }

    fn run<R: Send>(&self, body: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::One => body(),
            Self::Ambient => rayon::scope(|_| body()),
            Self::Own(pool) => pool.install(body),
        }
    }
}

/// Runs the plan at the front.
#[inline]
fn run_plan<'m>(
    compiled: &mut Compiled,
    leaves: impl Iterator<Item = LeafMemory<'m>>,
    level: Level,
    pool: &Pool,
) -> Result<()> {
    let Compiled { code, plans, .. } = compiled;
    let plan = &mut plans[0];
    let memory = Memory::new(&mut plan.arena, leaves, &plan.extent);
    let run = run_steps(&plan.steps, &mut plan.timing, &memory, level, pool.for_plan(plan.parallel));
    run.or_else(|halt| {
        let shapes: Vec<Shape> = plan.leaves.iter().map(|lie| lie.shape.clone()).collect();
        let shapes = code.infer(&shapes)?;
        Err(match halt {
            Halt::OutOfRange(OutOfRange { index, instruction }) => {
                code.out_of_range(index, instruction as usize, &shapes)
            }
            Halt::Failed { cause, instruction } => code.failed(cause, instruction as usize, &shapes),
        })
    })
}

#[inline]
fn run_steps(
    steps: &[Step],
    timing: &mut Timing,
    memory: &Memory<'_>,
    level: Level,
    pool: Option<&Pool>,
) -> Result<(), Halt> {
    match pool {
        None => timing.run(steps.len(), |i| steps[i].run(memory, level, Threads::ONE)),
        Some(pool) => pool.run(|| timing.run(steps.len(), |i| steps[i].run(memory, level, Threads::MANY))),
    }
}

/// A leaf that the formula reads, and where its value is kept.
pub(super) struct BoundLeaf {
    pub id: NodeId,
    pub cell: LeafCell,
    /// Whether it may be overwritten in a run.
    pub updated: bool,
    /// Whether its value is read, not its shape alone.
    pub live: bool,
    /// What may be fed at any sizes: so many axes of this type.
    pub takes: Option<(usize, DType)>,
}

impl Graph {
    /// Compiles a program that computes `outputs` and then applies `updates`. Outputs are given as for
    /// [`grad`](crate::Var::grad): one handle, an array, a vector, or a tuple of mixed element types; `()` is none.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.input("x", array![1.0, 2.0]);
    /// let w = g.param("w", 3.0);
    /// let cost = (w * x).sum();
    /// let mut step = g.compile([cost], [w.assign(w - 0.1 * cost.grad(w))])?;
    /// let [c] = step.run()?;
    /// assert_eq!(c[[]], 9.0);
    /// assert!((w.item()? - 2.7).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a handle is freed or of another graph, if an update is not of a parameter, is given twice, or does not have
    /// its parameter's shape and element type.
    pub fn compile<'g, L: VarList<'g>>(
        &'g self,
        outputs: L,
        updates: impl Into<Updates<'g>>,
    ) -> Result<Program<'g, L>> {
        let mut updates = updates.into().0;
        self.advance(&outputs.exprs(), &mut updates);
        self.compile_still(outputs, &updates)
    }

    /// The updates of the generators of random numbers that a program draws from.
    fn advance<'g>(&'g self, outputs: &[Expr<'g>], updates: &mut Vec<Update<'g>>) {
        if !self.leaves().draw() {
            return;
        }
        let arena = self.arena();
        let roots = outputs.iter().copied().chain(updates.iter().map(|update| update.value));
        let reached = Reached::new(&arena, roots.map(|root| root.id()), |_, _, _| true);
        for node in reached.nodes.iter().filter_map(|&id| arena.get(id)) {
            let Op::Random(_) = node.op else { continue };
            let mut state = node.inputs[0];
            while let Some(Node { op: Op::Order(_), inputs, .. }) = arena.get(state) {
                state = inputs[0];
            }
            let known = updates.iter().any(|update| update.parameter.id() == state);
            if let Some(next) = self.leaves().advanced(state).filter(|_| !known) {
                updates.push(Update { parameter: self.handle(state), value: self.handle(next) });
            }
        }
    }

    /// A program that leaves the generators of random numbers as they are.
    pub(crate) fn compile_still<'g, L: VarList<'g>>(
        &'g self,
        outputs: L,
        updates: &[Update<'g>],
    ) -> Result<Program<'g, L>> {
        let exprs = outputs.exprs();
        let (compiled, ids) = compiled(self, &exprs, updates)?;
        let outputs = outputs.rebuild(&mut exprs.into_iter());
        let leaves = {
            let known = self.leaves();
            let sources = compiled.code.leaves.iter().zip(ids);
            let bound = sources.map(|(source, id)| BoundLeaf {
                id,
                cell: known.cell(id).cloned().unwrap_or_else(|| LeafCell::new(Content::Freed.into())),
                updated: source.updated,
                live: compiled.code.instructions[source.instruction as usize].live,
                takes: compiled.code.takes(source),
            });
            bound.collect()
        };
        Ok(Program {
            graph: self,
            outputs,
            compiled,
            leaves,
            options: Options::default(),
            threads: Pool::Ambient,
            plain: None,
        })
    }
}

impl<'g, L: VarList<'g>> Program<'g, L> {
    /// Runs with the values that the leaves have. The outputs are views, valid until the next run.
    ///
    /// # Errors
    /// As [`run_with`](Self::run_with).
    pub fn run(&mut self) -> Result<<L::Owned as VarList<'g>>::Views<'_>> {
        self.run_with(&[])
    }

    /// Runs with other values for some inputs, which are borrowed for this run and do not stay. Inputs may have
    /// other sizes than before, as a last, smaller batch has: the program lays itself out for them once, and keeps
    /// the layouts of the last eight sets of sizes.
    ///
    /// All updates are applied together at the end; every output is computed from the values before. After an error
    /// nothing has changed.
    ///
    /// # Errors
    /// - [`Error::NotFed`] if an input has neither a value nor a feed,
    /// - [`Error::UnknownName`], [`Error::NotALeaf`], [`Error::OtherGraph`], [`Error::Freed`] or [`Error::Twice`] for a
    ///   feed of something that is no input of this graph, or of the same twice,
    /// - [`Error::FeedShape`] or [`Error::FeedDType`] for a feed that does not fit,
    /// - [`Error::AtRun`] if an operation is not defined for the sizes of this run,
    /// - [`Error::IndexOutOfRange`] and [`Error::Failed`] if one is not for the values,
    /// - [`Error::Busy`] if it is called from inside an operation of a program of this graph.
    #[inline]
    pub fn run_with(&mut self, feeds: &[Feed<'_>]) -> Result<<L::Owned as VarList<'g>>::Views<'_>> {
        let _running = self.graph.enter()?;
        if self.plain.is_some() {
            return self.run_plain(feeds);
        }
        self.execute(feeds)?;
        let plan = &self.compiled.plans[0];
        let mut results = plan.outputs.iter();
        let mut next = || packed(plan, results.next().expect("there is a result for every output"));
        Ok(self.outputs.views(&mut next))
    }

    /// The bytes in which the last run kept everything that it computed, 0 before the first run.
    #[doc(hidden)]
    #[must_use]
    pub fn planned_bytes(&self) -> usize {
        self.compiled.plans.first().map_or(0, |plan| plan.extent.arena)
    }

    /// The same program by the plain interpreter, which plans nothing: what the tests hold every other way against.
    #[doc(hidden)]
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.plain = Some(Vec::new());
        self
    }

    /// The same program with or without fusion, in blocks of so many bytes of each value, with these instructions of
    /// the machine.
    #[doc(hidden)]
    #[must_use]
    pub fn with_options(mut self, fuse: bool, block: usize, level: Level) -> Self {
        self.options = Options { fuse, block, level };
        self.compiled.keep_out();
        self
    }

    /// The same program on so many threads: on the caller's alone for 1, else on a pool of its own. Without this it
    /// uses the rayon pool in which it is called, by default one thread for each core. Only steps that are long
    /// enough are shared out, and the results are the same bit for bit on any number of threads.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.input("x", Array2::<f64>::ones((1000, 300)));
    /// let mut program = g.compile(x.exp().sum(), ())?.threads(2)?;
    /// let two = program.run()?[[]];
    /// assert_eq!(g.compile(x.exp().sum(), ())?.threads(1)?.run()?[[]], two);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Threads`] for 0 threads, or if the system does not start them.
    pub fn threads(mut self, count: usize) -> Result<Self> {
        let failed = |cause: String| Error::Threads { count, cause };
        self.threads = match count {
            0 => return Err(failed("a program runs on one thread at least".to_owned())),
            1 => Pool::One,
            _ => {
                let pool = ThreadPoolBuilder::new().num_threads(count).build();
                Pool::Own(Arc::new(pool.map_err(|error| failed(error.to_string()))?))
            }
        };
        Ok(self)
    }

    /// The steps of the last run: what each computes, how much memory it touches, and how long it takes. It prints as
    /// a table, and [`Report::trace`] gives a timeline. Before the first run it is empty; [`plan`](Self::plan) tells what
    /// the first run will do.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.input("x", Array2::<f64>::ones((100, 300)));
    /// let mut program = g.compile((x.exp() * x).sum_axis(1), ())?;
    /// program.run()?;
    /// let report = program.report();
    /// assert_eq!(report.steps.len(), 1);        // one pass over the data
    /// assert_eq!(report.steps[0].bytes, 8 * (100 * 300 + 100));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn report(&self) -> Report {
        let Compiled { code, plans, .. } = &*self.compiled;
        plans.first().map_or_else(Report::default, |plan| Report::new(plan, code))
    }

    /// Lays the program out for these feeds, and the values that the other leaves have, without running it: the report
    /// says how much memory a run will take. A run with the same shapes then finds everything in its place.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.placeholder::<f64>("x", [1, 1]);
    /// let mut program = g.compile(x.dot(x.t()).tanh().sum(), ())?;
    /// let report = program.plan(&[x.feed(&Array2::zeros((100, 3)))])?;
    /// assert!(report.planned_bytes >= 8 * 100 * 100 && report.timed_runs == 0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run_with`](Self::run_with).
    pub fn plan(&mut self, feeds: &[Feed<'_>]) -> Result<Report> {
        let given = self.resolve(feeds)?;
        self.select_plan(&given)?;
        Ok(self.report())
    }

    fn execute(&mut self, feeds: &[Feed<'_>]) -> Result<()> {
        if !self.compiled.plans.is_empty() && are_numbers(&self.leaves, feeds, self.graph) {
            // Numbers lie in one way, so there is one plan.
            let numbers = feeds.iter().map(|feed| memory(feed.array));
            return run_plan(&mut self.compiled, numbers, self.options.level, &self.threads);
        }
        let given = self.resolve(feeds)?;
        self.select_plan(&given)?;
        {
            let mut bound: SmallVec<[Bound<'_>; 32]> =
                bind(&self.leaves, &given, &self.compiled.plans[0].extent);
            let leaves = bound.iter_mut().map(Bound::memory);
            run_plan(&mut self.compiled, leaves, self.options.level, &self.threads)?;
        }
        let plan = &self.compiled.plans[0];
        for (leaf, result) in &plan.copies {
            let new = packed(plan, result);
            let Content::Value(value) = &mut *self.leaves[*leaf as usize].cell.borrow_mut() else { continue };
            assign(value, new);
        }
        Ok(())
    }

    fn run_plain(&mut self, feeds: &[Feed<'_>]) -> Result<<L::Owned as VarList<'g>>::Views<'_>> {
        let given = self.resolve(feeds)?;
        self.check_leaves(&given)?;
        let code = &self.compiled.code;
        let shapes: Vec<Shape> = self.lies(&given).map(|lie| lie.shape).collect();
        let leaves = self.leaves.iter().zip(&given).map(|(leaf, given)| given.value(leaf));
        let plain = Plain::run(code, &shapes, leaves.collect(), self.options.level)?;
        for &(leaf, value) in &code.updates {
            let new = plain.value(value).clone();
            let Content::Value(old) = &mut *self.leaves[leaf as usize].cell.borrow_mut() else { continue };
            assign(old, new.packed());
        }
        let outputs = code.outputs.iter().map(|&output| plain.value(output).clone()).collect();
        let outputs: &Vec<Value> = self.plain.insert(outputs);
        let mut results = outputs.iter();
        let mut next = || results.next().expect("there is a result for every output").packed();
        Ok(self.outputs.views(&mut next))
    }

    /// What is given for every leaf: a feed, or the value that it holds.
    fn resolve<'f>(&self, feeds: &[Feed<'f>]) -> Result<SmallVec<[Given<'f>; 32]>> {
        let mut given: SmallVec<[Given<'f>; 32]> = SmallVec::from_elem(Given::Stored, self.leaves.len());
        for (i, feed) in feeds.iter().enumerate() {
            let id = self.target(feed)?;
            let fits = |leaf: &BoundLeaf| leaf.id == id;
            // Feeds mostly come in the order of the leaves.
            let place = if self.leaves.get(i).is_some_and(fits) {
                Some(i)
            } else {
                self.leaves.iter().position(fits)
            };
            let (shape, dtype) = (feed.array.shape(), feed.array.dtype());
            if place.is_none_or(|place| self.leaves[place].takes != Some((shape.len(), dtype))) {
                check_value(self.graph.handle(id), shape, dtype, "feed")?;
            }
            let twice = match place {
                Some(place) => {
                    matches!(std::mem::replace(&mut given[place], Given::Fed(feed.array)), Given::Fed(_))
                }
                None => feeds[..i].iter().any(|other| matches!(self.target(other), Ok(other) if other == id)),
            };
            if twice {
                return Err(Error::Twice { op: "fed", leaf: Box::new(self.graph.arena().describe(id)) });
            }
        }
        Ok(given)
    }

    fn target(&self, feed: &Feed<'_>) -> Result<NodeId> {
        match feed.target {
            Target::Node { graph, .. } if !std::ptr::eq(graph, self.graph) => {
                Err(Error::OtherGraph { op: "run_with" })
            }
            Target::Node { id, .. } => Ok(id),
            Target::Name(name) => self.graph.find(name).map(|leaf| leaf.id()).ok_or_else(|| {
                Error::UnknownName { name: name.to_owned(), known: self.graph.arena().leaf_names() }
            }),
        }
    }

    /// How the leaves lie that are given.
    fn lies(&self, given: &[Given<'_>]) -> impl Iterator<Item = Lie> {
        let code = &self.compiled.code;
        let shapes = code.leaves.iter().map(|leaf| &code.instructions[leaf.instruction as usize].shape);
        let leaves = self.leaves.iter().zip(given).zip(shapes);
        leaves.map(|((leaf, given), shape)| given.lie(leaf, shape))
    }

    /// Refuses leaves that are freed, or have no value where one is needed.
    fn check_leaves(&self, given: &[Given<'_>]) -> Result<()> {
        for (leaf, given) in self.leaves.iter().zip(given) {
            match (&*leaf.cell.borrow(), given) {
                (Content::Freed, _) => return Err(Error::Freed { op: "run" }),
                (Content::Empty, Given::Stored) if leaf.live => {
                    return Err(Error::NotFed { leaf: Box::new(self.graph.arena().describe(leaf.id)) });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Brings the plan for what is given to the front.
    fn select_plan(&mut self, given: &[Given<'_>]) -> Result<()> {
        self.check_leaves(given)?;
        let fits = |plan: &Plan| {
            let leaves = self.leaves.iter().zip(given).zip(&plan.leaves);
            leaves.into_iter().all(|((leaf, given), lie)| given.lies(leaf, lie))
        };
        match self.compiled.plans.iter().position(fits) {
            Some(0) => {}
            Some(i) => self.compiled.plans[..=i].rotate_right(1),
            None => {
                let lies = self.lies(given).collect();
                let plan = Plan::new(&self.compiled.code, lies, self.options)?;
                let plans = &mut self.compiled.plans;
                plans.truncate(PLANS - 1);
                plans.insert(0, plan);
            }
        }
        Ok(())
    }
}

#[inline]
fn packed<'a>(plan: &'a Plan, result: &'a ResultPlace) -> Packed<'a> {
    let size = result.shape.size();
    let elements = with_type!(result.dtype, T => T::erase(plan.arena.slice::<T>(result.offset, size)));
    Packed { elements, shape: &result.shape }
}

fn assign(value: &mut Value, new: Packed<'_>) {
    fn assign<T: Element>(old: &mut ndarray::ArcArray<T, IxDyn>, new: Packed<'_>) {
        old.assign(&new.view::<T>());
    }
    each_dtype!(value, Value(old) => assign(old, new));
}
