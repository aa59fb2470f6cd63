//! Handles to nodes.

use std::fmt;
use std::marker::PhantomData;

use super::node::{Node, NodeId};
use super::{Content, Graph, Leaf};
use crate::element::{DType, Dtype, Element, Erased, Literal};
use crate::error::{Error, Origin, Result, fail};
use crate::ops::Op;
use crate::shape::Shape;
use crate::{IntoArray, LeafKind};

/// A handle to a node of a [`Graph`]: an expression.
///
/// It is `Copy` and 16 bytes, so it is used as a number is: `x * x + 1.0`. All operators work between handles,
/// numbers and ndarray arrays, which become constants. An `f64` literal is rounded once to `T`. A mistake, such as two shapes that
/// do not broadcast, panics at the line that wrote it.
pub struct Var<'g, T: Dtype = f64> {
    graph: &'g Graph,
    id: NodeId,
    element: PhantomData<T>,
}

/// A handle whose element type only the node knows: what derivative rules are written with.
pub type Expr<'g> = Var<'g, Erased>;

impl<T: Dtype> Clone for Var<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Dtype> Copy for Var<'_, T> {}

impl<'g, T: Dtype> Var<'g, T> {
    pub(crate) fn new(graph: &'g Graph, id: NodeId) -> Self {
        Self { graph, id, element: PhantomData }
    }

    /// The graph it is recorded on.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    pub(crate) fn id(self) -> NodeId {
        self.id
    }

    /// The same node under another type, which the caller vouches for.
    pub(crate) fn retype<U: Dtype>(self) -> Var<'g, U> {
        Var::new(self.graph, self.id)
    }

    /// The same node, its element type forgotten.
    pub fn erase(self) -> Expr<'g> {
        self.retype()
    }

    /// The same node with its element type known to the compiler.
    ///
    /// # Errors
    /// If the node has another element type, or is freed.
    pub fn typed<U: Element>(self) -> Result<Var<'g, U>> {
        let found = self.look(|node| node.dtype).ok_or(Error::Freed { op: "typed" })?;
        if found == U::DTYPE {
            return Ok(self.retype());
        }
        let operand = Box::new(self.graph.arena().describe(self.id));
        Err(Error::DType { op: "typed", expected: U::DTYPE.to_string(), operand })
    }

    /// The shape, as far as it was known when the node was recorded: a run that is fed other sizes gives results of
    /// other sizes.
    ///
    /// # Panics
    /// If the node is freed.
    #[track_caller]
    pub fn shape(self) -> Shape {
        self.node("shape", |node| node.shape.clone())
    }

    /// How many axes it has.
    ///
    /// # Panics
    /// If the node is freed.
    #[track_caller]
    pub fn ndim(self) -> usize {
        self.node("ndim", |node| node.shape.ndim())
    }

    /// The element type.
    ///
    /// # Panics
    /// If the node is freed.
    #[track_caller]
    pub fn dtype(self) -> DType {
        self.node("dtype", |node| node.dtype)
    }

    /// The line that wrote it.
    ///
    /// # Panics
    /// If the node is freed.
    #[track_caller]
    pub fn origin(self) -> Origin {
        self.node("origin", |node| node.origin)
    }

    /// Every line that wrote this expression, up to three.
    ///
    /// # Panics
    /// If the node is freed.
    #[track_caller]
    pub fn origins(self) -> Vec<Origin> {
        self.node("origins", |node| {
            let others = node.notes.iter().flat_map(|notes| &notes.origins);
            std::iter::once(&node.origin).chain(others).copied().collect()
        })
    }

    /// Its name, if it has one.
    ///
    /// # Panics
    /// If the node is freed.
    #[track_caller]
    pub fn name(self) -> Option<String> {
        self.node("name", |node| node.name().map(str::to_owned))
    }

    /// Whether a derivation has recorded it, and nobody has written it.
    pub(crate) fn is_derived(self) -> bool {
        self.look(|node| node.derived).unwrap_or(false)
    }

    pub(crate) fn is_named(self) -> bool {
        self.look(|node| node.name().is_some()).unwrap_or(false)
    }

    /// Gives the node a name, by which formulas are printed and errors speak of it. A node that has one keeps it
    /// and knows the new one as well.
    ///
    /// # Panics
    /// If the node is freed.
    #[track_caller]
    pub fn named(self, name: &str) -> Self {
        match self.graph.arena_mut().get_mut(self.id) {
            Some(node) => node.add_name(name),
            None => fail(&Error::Freed { op: "named" }),
        }
        self
    }

    /// Whether it is computed by such an operation; a freed node is not.
    pub(crate) fn is(self, such: impl FnOnce(&Op) -> bool) -> bool {
        self.look(|node| such(&node.op)).unwrap_or(false)
    }

    /// What it computes.
    pub(crate) fn op(self) -> Option<Op> {
        self.look(|node| node.op.clone())
    }

    pub(crate) fn inputs(self) -> smallvec::SmallVec<[Expr<'g>; 3]> {
        let arena = self.graph.arena();
        let inputs = arena.get(self.id).into_iter().flat_map(|node| &node.inputs);
        inputs.map(|&id| self.graph.handle(id)).collect()
    }

    /// The element type that a number beside it is rounded to. A freed node has none; whatever is recorded of it
    /// next is refused under its own name.
    pub(crate) fn dtype_beside(self) -> DType {
        self.known_dtype().or(T::STATIC).unwrap_or(DType::F64)
    }

    /// The element type, unless the node is freed.
    pub(crate) fn known_dtype(self) -> Option<DType> {
        self.look(|node| node.dtype)
    }

    /// The earliest node that has this shape at any sizes; a freed node itself, for the operation to refuse.
    pub(crate) fn shape_root(self) -> Self {
        Self::new(self.graph, self.look(|node| node.shape_root).unwrap_or(self.id))
    }

    /// What leaf it is, if it is one.
    pub(crate) fn leaf(self) -> Option<Leaf> {
        self.look(|node| if let Op::Leaf(leaf) = node.op { Some(leaf) } else { None })?
    }

    pub(crate) fn look<R>(self, read: impl FnOnce(&Node) -> R) -> Option<R> {
        self.graph.arena().get(self.id).map(read)
    }

    #[track_caller]
    fn node<R>(self, op: &'static str, read: impl FnOnce(&Node) -> R) -> R {
        match self.look(read) {
            Some(result) => result,
            None => fail(&Error::Freed { op }),
        }
    }
}

impl<T: Element> Var<'_, T> {
    /// Replaces the value of an input or a parameter. An input may get other sizes than it had, but not another
    /// number of axes; a parameter keeps its shape.
    ///
    /// # Errors
    /// If the shape does not fit, if it is not an input or a parameter, or if a program is running.
    pub fn set_value<A: IntoArray<Elem = T>>(self, value: A) -> Result<()> {
        self.graph.at_rest()?;
        let value = value.into_array();
        check_value(self.erase(), value.shape(), T::DTYPE, "set_value")?;
        if let Some(cell) = self.graph.leaves().cell(self.id) {
            *cell.borrow_mut() = Content::Value(T::value(value));
        }
        Ok(())
    }
}

impl Expr<'_> {
    /// The number that was written here, if it is a float.
    pub(crate) fn as_literal(self) -> Option<f64> {
        self.as_number()?.as_f64()
    }

    /// The number that was written here.
    pub(crate) fn as_number(self) -> Option<Literal> {
        self.look(|node| if let Op::Literal(literal) = node.op { Some(literal) } else { None })?
    }
}

/// Whether `leaf` takes a value of this shape and element type.
pub(crate) fn check_value(leaf: Expr<'_>, shape: &[usize], dtype: DType, op: &'static str) -> Result<()> {
    let arena = leaf.graph.arena();
    let node = arena.get(leaf.id).ok_or(Error::Freed { op })?;
    let describe = || Box::new(arena.describe(leaf.id));
    let free = match node.op {
        Op::Leaf(Leaf { kind: LeafKind::Input, .. }) => true,
        Op::Leaf(Leaf { kind: LeafKind::Parameter, .. }) => false,
        _ => {
            let expected = "an input or a parameter";
            return Err(Error::NotALeaf { op, expected, operand: describe() });
        }
    };
    if dtype != node.dtype {
        return Err(Error::FeedDType { leaf: describe(), found: dtype });
    }
    let fits = if free { shape.len() == node.shape.ndim() } else { *shape == *node.shape };
    if fits {
        return Ok(());
    }
    let expected = if free {
        format!(
            "({}{})",
            vec!["*"; node.shape.ndim()].join(", "),
            if node.shape.ndim() == 1 { "," } else { "" }
        )
    } else {
        node.shape.to_string()
    };
    Err(Error::FeedShape { leaf: describe(), expected, found: shape.into() })
}

impl<T: Dtype> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arena = self.graph.arena();
        match arena.get(self.id) {
            Some(_) => write!(f, "Var({})", arena.describe(self.id)),
            None => f.write_str("Var(freed)"),
        }
    }
}
