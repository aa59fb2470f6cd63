//! What an expression is: the tape, its nodes and the handles to them.

mod arena;
mod leaves;
mod list;
mod node;
mod var;
mod walk;

use std::any::Any;
use std::cell::{Cell, OnceCell, Ref, RefCell, RefMut};
use std::fmt;
use std::rc::Rc;

use ndarray::{ArcArray, ArrayBase, Data, Dimension, IxDyn};
use smallvec::SmallVec;

pub(crate) use self::arena::{Arena, Draft};
pub(crate) use self::leaves::{Content, LeafCell, Leaves};
pub use self::leaves::{Leaf, LeafKind};
pub use self::list::VarList;
pub(crate) use self::node::{Inputs, Node};
pub use self::node::{NodeId, Signature};
pub(crate) use self::var::check_value;
pub use self::var::{Expr, Var};
pub(crate) use self::walk::{NodeSet, Reached, reach};
use crate::element::{Element, Literal, Value};
use crate::error::{Error, OrFail, Origin, Result};
use crate::ops::Op;
use crate::shape::Shape;

/// The tape on which formulas are recorded.
///
/// A graph holds expressions, in an order in which every operand comes before its users, and the current values of
/// its leaves. Handles to its nodes ([`Var`]) borrow it. Equal expressions are one node, so writing a subexpression
/// twice costs nothing.
///
/// ```
/// use gradus::prelude::*;
/// let g = Graph::new();
/// let x = g.input("x", 3.0);
/// let y = x * x + 1.0;
/// assert_eq!(y.item()?, 10.0);
/// assert_eq!(y.grad(x).item()?, 6.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Default)]
pub struct Graph {
    arena: RefCell<Arena>,
    leaves: RefCell<Leaves>,
    origin: Cell<Option<Origin>>,
    rewriter: RefCell<Option<Rc<dyn Rewrite>>>,
    kept: OnceCell<Rc<dyn Any>>,
    running: Cell<bool>,
}

/// What stands between a formula and the tape while a formula is being rewritten: it may give another expression of
/// the same value for `op` of `inputs`.
pub(crate) trait Rewrite {
    fn rewrite<'g>(&self, graph: &'g Graph, op: &Op, inputs: &[Expr<'g>]) -> Option<Expr<'g>>;
}

/// A point on the tape, to [truncate](Graph::truncate) it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(usize);

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty graph that lives as long as the program, for handles that have to outlive a scope, as in the cells
    /// of a notebook. Its memory is never given back.
    pub fn leak() -> &'static Self {
        Box::leak(Box::default())
    }

    /// A leaf that is fed from outside, with a first value. Its sizes are free: another number of examples may be
    /// set or fed later. Views are copied once; arrays are moved.
    ///
    /// # Panics
    /// If another leaf of the graph has this name.
    #[track_caller]
    pub fn input<A: IntoArray>(&self, name: &str, value: A) -> Var<'_, A::Elem> {
        let value = value.into_array();
        let shape = value.shape().into();
        self.leaf(LeafKind::Input, Some(name), shape, Some(value))
    }

    /// An input that is declared by its shape alone, for data that is only ever fed: nothing is allocated. The sizes
    /// are those that formulas are checked with; what is fed may have others.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.placeholder::<f64>("x", [12288, 209]);
    /// let mut norm = g.compile(x.square().sum(), ())?;
    /// let batch = ndarray::Array2::<f64>::ones((12288, 3));
    /// assert_eq!(norm.run_with(&[x.feed(&batch)])?[[]], 36864.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If another leaf of the graph has this name.
    #[track_caller]
    pub fn placeholder<T: Element>(&self, name: &str, shape: impl Into<Shape>) -> Var<'_, T> {
        self.leaf(LeafKind::Input, Some(name), shape.into(), None)
    }

    /// A leaf that training updates. Its sizes are fixed.
    ///
    /// # Panics
    /// If another leaf of the graph has this name.
    #[track_caller]
    pub fn param<A: IntoArray>(&self, name: &str, value: A) -> Var<'_, A::Elem> {
        let value = value.into_array();
        let shape = value.shape().into();
        self.leaf(LeafKind::Parameter, Some(name), shape, Some(value))
    }

    /// A value that never changes. Equal scalars are one node; arrays are told apart by identity.
    #[track_caller]
    pub fn constant<A: IntoArray>(&self, value: A) -> Var<'_, A::Elem> {
        let value = value.into_array();
        match value.first() {
            Some(&only) if value.ndim() == 0 => self.literal(only.literal()).retype(),
            _ => {
                let shape = value.shape().into();
                self.leaf(LeafKind::Constant, None, shape, Some(value))
            }
        }
    }

    /// The leaf with this name.
    pub fn find(&self, name: &str) -> Option<Expr<'_>> {
        self.arena().leaf_named(name).map(|id| self.handle(id))
    }

    /// How many nodes the tape holds.
    pub fn len(&self) -> usize {
        self.arena().order().len()
    }

    /// Whether nothing is recorded yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every node of the tape, with what it computes of which operands.
    #[doc(hidden)]
    pub fn tape(&self) -> Vec<(Expr<'_>, Op, Vec<Expr<'_>>)> {
        let order = self.arena().order().to_vec();
        let nodes = order.into_iter().map(|id| self.handle(id));
        nodes.filter_map(|node| Some((node, node.op()?, node.inputs().to_vec()))).collect()
    }

    /// The present end of the tape.
    pub fn mark(&self) -> Mark {
        Mark(self.len())
    }

    /// Removes everything recorded since `mark`, leaves and their values included. A graph that is built again in
    /// every step stays small this way. Handles to what was removed are invalid from then on, and using one is an
    /// error that says so.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// let g = Graph::new();
    /// let x = g.input("x", 2.0);
    /// let mark = g.mark();
    /// for _ in 0..1000 {
    ///     assert_eq!(x.exp().ln().item()?, 2.0);
    ///     g.truncate(mark);
    /// }
    /// assert_eq!(g.len(), 1);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn truncate(&self, mark: Mark) {
        let mut arena = self.arena.borrow_mut();
        let mut leaves = self.leaves.borrow_mut();
        arena.truncate(mark.0, |leaf| leaves.remove(leaf));
        leaves.rewind(mark.0);
    }

    /// Records `op` of `inputs`: the one door that returns a mistake instead of panicking. Operators and methods go
    /// through it and panic with the error's text at the caller's line.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::ops::{Binary, Op};
    /// let g = Graph::new();
    /// let a = g.constant(ndarray::array![1.0, 2.0, 3.0]);
    /// let b = g.constant(ndarray::array![1.0, 2.0]);
    /// let error = g.apply(Op::Binary(Binary::Add), &[a.erase(), b.erase()]).unwrap_err();
    /// assert!(error.to_string().starts_with("`+` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)"));
    /// ```
    ///
    /// # Errors
    /// If the operands are of another graph or freed, or if their shapes or element types do not fit the operation.
    #[track_caller]
    pub fn apply<'g>(&'g self, op: Op, inputs: &[Expr<'g>]) -> Result<Expr<'g>> {
        self.record(op, inputs, Origin::caller())
    }

    /// `apply` for operators and methods.
    #[track_caller]
    pub(crate) fn emit<'g, const N: usize>(&'g self, op: Op, inputs: [Expr<'g>; N]) -> Expr<'g> {
        self.record(op, &inputs, Origin::caller()).or_fail()
    }

    fn record<'g>(&'g self, op: Op, inputs: &[Expr<'g>], origin: Origin) -> Result<Expr<'g>> {
        if inputs.iter().any(|e| !std::ptr::eq(e.graph(), self)) {
            return Err(Error::OtherGraph { op: op.name() });
        }
        let (op, signature) = self.check(op, inputs)?;
        let rewriter = self.rewriter.borrow().clone();
        let derived = rewriter.is_some();
        if let Some(better) = rewriter.and_then(|rewriter| rewriter.rewrite(self, &op, inputs)) {
            return Ok(better);
        }
        let ids = match inputs {
            [] => Inputs::new(),
            [a] => Inputs::from_slice(&[a.id()]),
            [a, b] => Inputs::from_buf([a.id(), b.id()]),
            _ => inputs.iter().map(|e| e.id()).collect(),
        };
        let inherited = self.origin.get();
        let mut arena = self.arena.borrow_mut();
        let hash = arena.hash(&op, &ids);
        let id = match arena.find(hash, &op, &ids) {
            Some(id) => {
                if let Some(node) = arena.get_mut(id) {
                    node.derived &= derived;
                    if inherited.is_none() {
                        node.add_origin(origin);
                    }
                }
                id
            }
            None => {
                let origin = inherited.unwrap_or(origin);
                arena.push(hash, Draft { op, inputs: ids, signature, origin, derived })
            }
        };
        Ok(self.handle(id))
    }

    /// The operation with its attributes resolved for these operands, and what the result is.
    fn check(&self, op: Op, inputs: &[Expr<'_>]) -> Result<(Op, Signature)> {
        let arena = self.arena();
        let mut operands: SmallVec<[Signature; 3]> = SmallVec::new();
        for input in inputs {
            match arena.signature(input.id()) {
                Some(signature) => operands.push(signature),
                None => return Err(Error::Freed { op: op.name() }),
            }
        }
        op.check(&operands).map_err(|fault| fault(&|k| arena.describe(inputs[k].id())))
    }

    /// The node that computes `op` of `inputs`, if it is recorded.
    pub(crate) fn known<'g>(&'g self, op: &Op, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        let ids: Inputs = inputs.iter().map(|e| e.id()).collect();
        let arena = self.arena();
        arena.find(arena.hash(op, &ids), op, &ids).map(|id| self.handle(id))
    }

    /// A number in a formula.
    #[track_caller]
    pub(crate) fn literal(&self, literal: Literal) -> Expr<'_> {
        self.emit(Op::Literal(literal), [])
    }

    #[track_caller]
    fn leaf<T: Element>(
        &self,
        kind: LeafKind,
        name: Option<&str>,
        shape: Shape,
        value: Option<ArcArray<T, IxDyn>>,
    ) -> Var<'_, T> {
        let origin = Origin::caller();
        self.add_leaf(kind, name, Signature { dtype: T::DTYPE, shape }, value.map(T::value), origin)
            .or_fail()
            .retype()
    }

    pub(crate) fn add_leaf(
        &self,
        kind: LeafKind,
        name: Option<&str>,
        signature: Signature,
        value: Option<Value>,
        origin: Origin,
    ) -> Result<Expr<'_>> {
        let mut arena = self.arena.borrow_mut();
        if let Some(taken) = name.and_then(|name| arena.leaf_named(name)) {
            return Err(Error::NameTaken { leaf: Box::new(arena.describe(taken)) });
        }
        let mut leaves = self.leaves.borrow_mut();
        let op = Op::Leaf(leaves.create(kind));
        let hash = arena.hash(&op, &[]);
        let id = arena.push(hash, Draft { op, inputs: Inputs::new(), signature, origin, derived: false });
        if let Some(name) = name {
            arena.name_leaf(id, name);
            if let Some(node) = arena.get_mut(id) {
                node.add_name(name);
            }
        }
        leaves.insert(id, value);
        Ok(self.handle(id))
    }

    pub(crate) fn handle(&self, id: NodeId) -> Expr<'_> {
        Var::new(self, id)
    }

    pub(crate) fn arena(&self) -> Ref<'_, Arena> {
        self.arena.borrow()
    }

    pub(crate) fn arena_mut(&self) -> RefMut<'_, Arena> {
        self.arena.borrow_mut()
    }

    pub(crate) fn leaves(&self) -> Ref<'_, Leaves> {
        self.leaves.borrow()
    }

    /// Makes a leaf the state of a generator of random numbers; `next` is what becomes of it in a run.
    pub(crate) fn add_generator(&self, state: Expr<'_>, next: Expr<'_>) {
        self.leaves.borrow_mut().add_generator(state.id(), next.id());
    }

    /// The number of the next draw from a generator.
    pub(crate) fn next_stream(&self, state: Expr<'_>) -> u32 {
        self.leaves.borrow_mut().next_stream(state.id(), self.len())
    }

    /// Until what it gives is dropped, a program of this graph is running, and no other can.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Running<'_>> {
        self.at_rest()?;
        self.running.set(true);
        Ok(Running(self))
    }

    /// Refuses what cannot be done while a program is running.
    #[inline]
    pub(crate) fn at_rest(&self) -> Result<()> {
        if self.running.get() { Err(Error::Busy) } else { Ok(()) }
    }

    /// What the executor keeps with the graph, whatever that is.
    pub(crate) fn kept<T: Default + 'static>(&self) -> Rc<T> {
        let kept = self.kept.get_or_init(|| Rc::new(T::default()));
        Rc::clone(kept).downcast().unwrap_or_default()
    }

    /// Runs `body`, which records an operation that is composed of others: to the caller its nodes come from one line, and its
    /// mistakes panic there.
    #[track_caller]
    pub(crate) fn compose<R>(&self, body: impl FnOnce() -> Result<R>) -> R {
        let origin = self.origin.get().unwrap_or(Origin::caller());
        self.with_origin(origin, body).or_fail()
    }

    /// Runs `body`, in which every node recorded gets this origin.
    pub(crate) fn with_origin<R>(&self, origin: Origin, body: impl FnOnce() -> R) -> R {
        let _restore = Restore { graph: self, origin: self.origin.replace(Some(origin)), rewriter: None };
        body()
    }

    /// Runs `body`, in which everything recorded passes through `rewriter`.
    pub(crate) fn with_rewriter<R>(&self, rewriter: Rc<dyn Rewrite>, body: impl FnOnce() -> R) -> R {
        let before = self.rewriter.replace(Some(rewriter));
        let _restore = Restore { graph: self, origin: self.origin.get(), rewriter: Some(before) };
        body()
    }
}

/// A program is running.
pub(crate) struct Running<'g>(&'g Graph);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(false);
    }
}

/// Puts back what a scope has changed, also when the scope panics.
struct Restore<'g> {
    graph: &'g Graph,
    origin: Option<Origin>,
    rewriter: Option<Option<Rc<dyn Rewrite>>>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.graph.origin.set(self.origin);
        if let Some(rewriter) = self.rewriter.take() {
            *self.graph.rewriter.borrow_mut() = rewriter;
        }
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arena = self.arena();
        let names = arena.leaf_names();
        f.debug_struct("Graph").field("nodes", &arena.order().len()).field("leaves", &names).finish()
    }
}

/// What a leaf's value can be made of: an ndarray array, a view, a reference to an array, or a number (`f64`, `i64`
/// or `bool`, so that a literal needs no suffix; an `f32` scalar is `arr0(x)`).
pub trait IntoArray {
    /// The element type.
    type Elem: Element;
    /// The array; moved if it is owned, else copied.
    fn into_array(self) -> ArcArray<Self::Elem, IxDyn>;
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> IntoArray for ArrayBase<S, D> {
    type Elem = T;
    fn into_array(self) -> ArcArray<T, IxDyn> {
        self.into_owned().into_dyn().into_shared()
    }
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> IntoArray for &ArrayBase<S, D> {
    type Elem = T;
    fn into_array(self) -> ArcArray<T, IxDyn> {
        self.to_owned().into_dyn().into_shared()
    }
}

macro_rules! scalar_into_array {
    ($($t:ty)*) => {
        $(impl IntoArray for $t {
            type Elem = $t;
            fn into_array(self) -> ArcArray<$t, IxDyn> {
                ndarray::arr0(self).into_dyn().into_shared()
            }
        })*
    };
}
scalar_into_array!(f64 i64 bool);
