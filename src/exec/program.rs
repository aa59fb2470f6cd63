//! Programs: outputs and updates, compiled.

use ndarray::ArrayViewD;
use smallvec::SmallVec;

use super::buffers::{Lie, Slice};
use super::code::{Code, Source};
use super::feed::{Feed, Target};
use super::plan::{Plan, ResultPlace};
use super::update::Updates;
use crate::element::{Element, Value, View, each_dtype};
use crate::error::{Error, Result};
use crate::graph::{Graph, Leaves, NodeId, VarList, check_value};

/// How many sets of leaf shapes a program keeps its plan for.
const PLANS: usize = 8;

/// Outputs and parameter updates, compiled to run many times.
///
/// A program reads the graph's leaves as they are when it runs, and writes the parameters it updates. Two programs
/// on one graph (train, predict) share its parameters.
pub struct Program<'g, L: VarList<'g>> {
    graph: &'g Graph,
    outputs: L::Owned,
    code: Code,
    /// Most recently used first.
    plans: Vec<Plan>,
    fuse: bool,
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
        let exprs = outputs.exprs();
        let code = Code::compile(self, &exprs, &updates.into().0)?;
        let outputs = outputs.rebuild(&mut exprs.into_iter());
        Ok(Program { graph: self, outputs, code, plans: Vec::new(), fuse: true })
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
    /// - [`Error::AtRun`] if an operation is not defined for the sizes of this run.
    pub fn run_with(&mut self, feeds: &[Feed<'_>]) -> Result<<L::Owned as VarList<'g>>::Views<'_>> {
        self.execute(feeds)?;
        self.update();
        let plan = &self.plans[0];
        let count = self.code.outputs.len();
        let mut views = plan.results[..count].iter().map(|result| view(plan, result));
        Ok(self.outputs.views(&mut views))
    }

    /// The bytes of the buffers in which the last run kept everything that it computed, 0 before the first run.
    #[doc(hidden)]
    #[must_use]
    pub fn planned_bytes(&self) -> usize {
        self.plans.first().map_or(0, |plan| plan.buffers.bytes())
    }

    /// The same program without fusion: the tests' oracle, one operation after the other.
    #[doc(hidden)]
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.fuse = false;
        self.plans.clear();
        self
    }

    fn execute(&mut self, feeds: &[Feed<'_>]) -> Result<()> {
        let leaves = self.graph.leaves();
        let feeds = self.resolve(feeds)?;
        let views = self.views(&feeds, &leaves)?;
        // What lies with gaps is packed for this run.
        let packed: SmallVec<[Option<Value>; 8]> =
            views.iter().map(|view| view.as_ref().and_then(pack)).collect();
        let mut lies: SmallVec<[Lie; 8]> = SmallVec::new();
        let mut slices: SmallVec<[Slice<'_>; 8]> = SmallVec::new();
        for ((source, view), packed) in self.code.leaves.iter().zip(&views).zip(&packed) {
            let packed = packed.as_ref().map(Value::view);
            match packed.or_else(|| view.as_ref().map(View::reborrow)) {
                Some(view) => {
                    lies.push(lie(&view));
                    slices.push(slice(&view));
                }
                None => {
                    lies.push(Lie::packed(self.code.instructions[source.instruction as usize].shape.clone()));
                    slices.push(Slice::F64(&[]));
                }
            }
        }
        select_plan(&self.code, &mut self.plans, &lies, self.fuse)?;
        let plan = &mut self.plans[0];
        for step in &plan.steps {
            step.run(&slices, &mut plan.buffers);
        }
        Ok(())
    }

    /// The feeds by leaf.
    fn resolve<'f>(&self, feeds: &[Feed<'f>]) -> Result<SmallVec<[(NodeId, View<'f>); 4]>> {
        let op = "run_with";
        let mut resolved: SmallVec<[(NodeId, View<'f>); 4]> = SmallVec::new();
        for feed in feeds {
            let leaf = match feed.target {
                Target::Node { graph, .. } if !std::ptr::eq(graph, self.graph) => {
                    return Err(Error::OtherGraph { op });
                }
                Target::Node { id, .. } => self.graph.handle(id),
                Target::Name(name) => self.graph.find(name).ok_or_else(|| Error::UnknownName {
                    name: name.to_owned(),
                    known: self.graph.arena().leaf_names(),
                })?,
            };
            check_value(leaf, feed.view.shape(), feed.view.dtype(), "feed")?;
            if resolved.iter().any(|&(other, _)| other == leaf.id()) {
                let leaf = Box::new(self.graph.arena().describe(leaf.id()));
                return Err(Error::Twice { op: "fed", leaf });
            }
            resolved.push((leaf.id(), feed.view.clone()));
        }
        Ok(resolved)
    }

    /// The value of every leaf: what is fed, else what is stored; none where the shape at recording is enough.
    fn views<'a>(
        &self,
        feeds: &'a [(NodeId, View<'_>)],
        leaves: &'a Leaves,
    ) -> Result<SmallVec<[Option<View<'a>>; 8]>> {
        let arena = self.graph.arena();
        let value = |source: &Source| {
            let fed = feeds.iter().find(|(leaf, _)| *leaf == source.id).map(|(_, view)| view.reborrow());
            let view = fed.or_else(|| leaves.values.get(source.id).map(Value::view));
            if arena.get(source.id).is_none() {
                Err(Error::Freed { op: "run" })
            } else if view.is_none() && self.code.instructions[source.instruction as usize].live {
                Err(Error::NotFed { leaf: Box::new(arena.describe(source.id)) })
            } else {
                Ok(view)
            }
        };
        self.code.leaves.iter().map(value).collect()
    }

    fn update(&self) {
        let plan = &self.plans[0];
        let mut leaves = self.graph.leaves_mut();
        let results = &plan.results[self.code.outputs.len()..];
        for (&(leaf, _), result) in self.code.updates.iter().zip(results) {
            let Some(value) = leaves.values.get_mut(self.code.leaves[leaf as usize].id) else { continue };
            match (value, view(plan, result)) {
                (Value::F32(old), View::F32(new)) => old.assign(&new),
                (Value::F64(old), View::F64(new)) => old.assign(&new),
                (Value::I64(old), View::I64(new)) => old.assign(&new),
                (Value::Bool(old), View::Bool(new)) => old.assign(&new),
                _ => {}
            }
        }
    }
}

fn view<'a>(plan: &'a Plan, result: &ResultPlace) -> View<'a> {
    plan.buffers.view(result.dtype, result.offset, &result.shape)
}

/// Brings the plan for these leaves to the front.
fn select_plan(code: &Code, plans: &mut Vec<Plan>, leaves: &[Lie], fuse: bool) -> Result<()> {
    match plans.iter().position(|plan| plan.leaves == leaves) {
        Some(0) => {}
        Some(i) => plans[..=i].rotate_right(1),
        None => {
            let plan = Plan::new(code, leaves.to_vec(), fuse)?;
            plans.truncate(PLANS - 1);
            plans.insert(0, plan);
        }
    }
    Ok(())
}

/// A copy without gaps of an array that has some.
fn pack(view: &View<'_>) -> Option<Value> {
    fn pack<T: Element>(array: &ArrayViewD<'_, T>) -> Option<Value> {
        let gaps = array.as_slice_memory_order().is_none();
        gaps.then(|| T::value(array.as_standard_layout().into_owned().into_shared()))
    }
    each_dtype!(view, View(array) => pack(array))
}

fn lie(view: &View<'_>) -> Lie {
    each_dtype!(view, View(array) => Lie::strided(array.shape().into(), array.strides()))
}

fn slice<'a>(view: &View<'a>) -> Slice<'a> {
    match view {
        View::F32(array) => Slice::F32(array.to_slice_memory_order().unwrap_or_default()),
        View::F64(array) => Slice::F64(array.to_slice_memory_order().unwrap_or_default()),
        View::I64(array) => Slice::I64(array.to_slice_memory_order().unwrap_or_default()),
        View::Bool(array) => Slice::Bool(array.to_slice_memory_order().unwrap_or_default()),
    }
}
