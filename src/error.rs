//! One error type and its texts.

use std::fmt;
use std::panic::Location;

use crate::element::DType;
use crate::shape::{Axes, Clash, Cut, Shape, Sizes};

/// `Result` with gradus's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The line of the user's source that wrote a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(pub &'static Location<'static>);

impl Origin {
    /// The caller's line.
    #[track_caller]
    pub(crate) fn caller() -> Self {
        Self(Location::caller())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// A node as an error describes it. It prints as `` `w` (12288, 1) from src/main.rs:12 ``.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// Its name, or the operation that made it.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Its element type.
    pub dtype: DType,
    /// The line that wrote it.
    pub origin: Origin,
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} from {}", self.name, self.shape, self.origin)
    }
}

/// Everything that can go wrong.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// Two shapes do not broadcast.
    Broadcast {
        /// The operation.
        op: &'static str,
        /// The left and the right operand.
        operands: Box<[Operand; 2]>,
        /// The two sizes that differ.
        clash: Clash,
    },
    /// The inner sizes of a product differ.
    Dot {
        /// The operation.
        op: &'static str,
        /// The left and the right operand.
        operands: Box<[Operand; 2]>,
        /// The two sizes that differ.
        clash: Clash,
    },
    /// An operation is not defined for an operand of this rank.
    Rank {
        /// The operation.
        op: &'static str,
        /// The ranks that it takes.
        expected: &'static str,
        /// What it got.
        operand: Box<Operand>,
    },
    /// An operation is not defined for this element type.
    DType {
        /// The operation.
        op: &'static str,
        /// The element types that it takes.
        expected: String,
        /// What it got.
        operand: Box<Operand>,
    },
    /// An operation got another number of operands than it takes.
    Arity {
        /// The operation.
        op: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many it got.
        found: usize,
    },
    /// The second of two operands does not have the shape that the first asks for.
    Mismatch {
        /// The operation.
        op: &'static str,
        /// What would have been right.
        expected: String,
        /// The operands, the wrong one behind.
        operands: Box<[Operand; 2]>,
    },
    /// Several axes, or none, where one is asked for.
    OneAxis {
        /// The operation.
        op: &'static str,
        /// What it got.
        axes: Axes,
        /// The operand.
        operand: Box<Operand>,
    },
    /// A part of an axis that it does not have.
    Slice {
        /// The operation.
        op: &'static str,
        /// Which part.
        cut: Cut,
        /// Of which axis.
        axis: usize,
        /// The operand.
        operand: Box<Operand>,
    },
    /// An index among the values of a run that is not below the size of its axis, or is negative.
    IndexOutOfRange {
        /// The index.
        index: i64,
        /// The size that it has to be below.
        size: usize,
        /// The axis.
        axis: usize,
        /// The indices.
        indices: Box<Operand>,
        /// What they index.
        operand: Box<Operand>,
    },
    /// An axis that the operand does not have.
    AxisOutOfRange {
        /// The operation.
        op: &'static str,
        /// The axis as it was given.
        axis: i32,
        /// The operand.
        operand: Box<Operand>,
    },
    /// An axis that is named twice.
    AxisRepeated {
        /// The operation.
        op: &'static str,
        /// The axis, counted from the start.
        axis: i32,
        /// The operand.
        operand: Box<Operand>,
    },
    /// The axes of a transpose are no permutation of the operand's.
    Permutation {
        /// The axes.
        axes: Axes,
        /// The operand.
        operand: Box<Operand>,
    },
    /// A reshape that does not keep the number of elements.
    Reshape {
        /// The sizes that were asked for.
        sizes: Sizes,
        /// The operand.
        operand: Box<Operand>,
    },
    /// A shape that an operand does not stretch to.
    BroadcastTo {
        /// The operation.
        op: &'static str,
        /// The target.
        target: String,
        /// The operand.
        operand: Box<Operand>,
    },
    /// A maximum, minimum or argmax of nothing.
    EmptyReduction {
        /// The operation.
        op: &'static str,
        /// The operand.
        operand: Box<Operand>,
    },
    /// What an operation cannot do with these operands.
    Cannot {
        /// The operation.
        op: &'static str,
        /// What it cannot do, and why.
        what: String,
        /// The operands in question.
        operands: Vec<Operand>,
    },
    /// An attribute that an operation does not take for its operand.
    Attribute {
        /// The operation.
        op: &'static str,
        /// What it requires, and what it got.
        requires: String,
        /// The operand.
        operand: Box<Operand>,
    },
    /// Sizes that one axis cannot be divided into.
    Unflatten {
        /// The sizes that were asked for.
        sizes: Sizes,
        /// The axis.
        axis: usize,
        /// The operand.
        operand: Box<Operand>,
    },
    /// Windows that do not fit their operands.
    Window {
        /// The operation.
        op: &'static str,
        /// What it requires, and what it got.
        requires: String,
        /// The operands in question.
        operands: Vec<Operand>,
    },
    /// An operation of the user's own refuses its operands.
    Custom {
        /// The operation.
        op: &'static str,
        /// Why, in its own words.
        cause: String,
        /// The operands.
        operands: Vec<Operand>,
    },
    /// An operation of the user's own has no derivative rule.
    NoRule {
        /// The node.
        node: Box<Operand>,
        /// Its operand whose derivative was asked for, counted from 0.
        k: usize,
    },
    /// A derivative rule gives another shape than that of the operand.
    Rule {
        /// The node.
        node: Box<Operand>,
        /// The operand.
        operand: Box<Operand>,
        /// The shape that the rule gives.
        found: Shape,
    },
    /// In a run, an operation has no result for its operands.
    Failed {
        /// The node.
        node: Box<Operand>,
        /// Why.
        cause: String,
    },
    /// A program was run, or a leaf read or set, from inside an operation of a running program.
    Busy,
    /// An attribute that an operation does not take.
    Requires {
        /// The operation.
        op: &'static str,
        /// What it requires, and what it got.
        requires: String,
    },
    /// A handle of another graph.
    OtherGraph {
        /// The operation.
        op: &'static str,
    },
    /// A handle of a node that `Graph::truncate` has removed.
    Freed {
        /// What was about to be done with it.
        op: &'static str,
    },
    /// A name that another leaf has.
    NameTaken {
        /// The leaf that has it.
        leaf: Box<Operand>,
    },
    /// `grad` of something that is not a scalar.
    GradOfArray {
        /// The result.
        result: Box<Operand>,
    },
    /// A gradient of, or with respect to, something that is not a float.
    GradOfInteger {
        /// The result or operand.
        operand: Box<Operand>,
    },
    /// A gradient with respect to something that the result does not depend on.
    Unreachable {
        /// The result.
        result: Box<Operand>,
        /// The variable.
        target: Box<Operand>,
    },
    /// A gradient with respect to something that the result depends on only through an operation without a
    /// derivative.
    NoDerivative {
        /// The result.
        result: Box<Operand>,
        /// The variable.
        target: Box<Operand>,
        /// The node on the way that has no derivative.
        through: Box<Operand>,
    },
    /// A user of a leaf needs its value, and it has none.
    NotFed {
        /// The leaf.
        leaf: Box<Operand>,
    },
    /// A feed, or a new value, does not fit its leaf.
    FeedShape {
        /// The leaf.
        leaf: Box<Operand>,
        /// The sizes that fit, with `*` where any does.
        expected: String,
        /// The shape of the value.
        found: Shape,
    },
    /// A feed, or a new value, has another element type than its leaf.
    FeedDType {
        /// The leaf.
        leaf: Box<Operand>,
        /// The element type of the value.
        found: DType,
    },
    /// A feed for a name that no leaf of the graph has.
    UnknownName {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A feed, a value or an update for something that is not a leaf of the right kind.
    NotALeaf {
        /// What was about to be done.
        op: &'static str,
        /// What would have been right.
        expected: &'static str,
        /// The node.
        operand: Box<Operand>,
    },
    /// A leaf that is fed or updated twice in one run.
    Twice {
        /// What happened twice.
        op: &'static str,
        /// The leaf.
        leaf: Box<Operand>,
    },
    /// An update whose shape or element type is not that of its parameter.
    Update {
        /// The parameter.
        parameter: Box<Operand>,
        /// The expression for its new value.
        value: Box<Operand>,
    },
    /// A program cannot run on so many threads.
    Threads {
        /// How many were asked for.
        count: usize,
        /// Why.
        cause: String,
    },
    /// At the sizes of this run an operation of the formula is not defined.
    AtRun {
        /// The node, with its recorded shape.
        node: Box<Operand>,
        /// Why.
        cause: Box<Error>,
    },
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::AtRun { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broadcast { op, operands, clash } => {
                let [a, b] = &**operands;
                write!(f, "`{op}` cannot broadcast {} and {}: {clash}", a.shape, b.shape)?;
                write!(f, "\n  left:  {a}\n  right: {b}")
            }
            Self::Dot { op, operands, clash } => {
                let [a, b] = &**operands;
                write!(f, "`{op}` requires (.., k) · (k, ..), got {} and {}: {clash}", a.shape, b.shape)?;
                write!(f, "\n  left:  {a}\n  right: {b}")
            }
            Self::Rank { op, expected, operand } => {
                write!(f, "`{op}` requires {expected}, got {}\n  operand: {operand}", operand.shape)
            }
            Self::DType { op, expected, operand } => {
                write!(f, "`{op}` requires {expected}, got {}\n  operand: {operand}", operand.dtype)
            }
            Self::Arity { op, expected, found } => {
                write!(f, "`{op}` takes {expected} operands, got {found}")
            }
            Self::Mismatch { op, expected, operands } => {
                let [a, b] = &**operands;
                write!(f, "`{op}` requires {expected}, got {}", b.shape)?;
                write!(f, "\n  first:  {a}\n  second: {b}")
            }
            Self::OneAxis { op, axes, operand } => {
                write!(f, "`{op}` requires one axis, got {}\n  operand: {operand}", axes.list())
            }
            Self::Slice { op, cut, axis, operand } => {
                let size = operand.shape.get(*axis).copied().unwrap_or_default();
                write!(f, "`{op}` cannot take {cut} of axis {axis}, which has size {size}")?;
                write!(f, "\n  operand: {operand}")
            }
            Self::IndexOutOfRange { index, size, axis, indices, operand } => {
                write!(f, "index {index} is out of range for axis {axis} of size {size}")?;
                write!(f, "\n  indices: {indices}\n  operand: {operand}")
            }
            Self::AxisOutOfRange { op, axis, operand } => {
                let rank = operand.shape.ndim();
                write!(f, "`{op}` got axis {axis} of an array with {rank} axes\n  operand: {operand}")
            }
            Self::AxisRepeated { op, axis, operand } => {
                write!(f, "`{op}` got axis {axis} twice\n  operand: {operand}")
            }
            Self::Permutation { axes, operand } => {
                let rank = operand.shape.ndim();
                write!(f, "`transpose` requires each of the {rank} axes once, got {}", axes.list())?;
                write!(f, "\n  operand: {operand}")
            }
            Self::Reshape { sizes, operand } => {
                let (shape, n) = (&operand.shape, operand.shape.size());
                write!(f, "`reshape` cannot make {sizes} from {shape}, which has {n} elements")?;
                write!(f, "\n  operand: {operand}")
            }
            Self::BroadcastTo { op, target, operand } => {
                write!(f, "`{op}` cannot stretch {} to {target}\n  operand: {operand}", operand.shape)
            }
            Self::EmptyReduction { op, operand } => {
                write!(f, "`{op}` of no elements is not defined, got {}", operand.shape)?;
                write!(f, "\n  operand: {operand}")
            }
            Self::Cannot { op, what, operands } => {
                write!(f, "`{op}` cannot {what}")?;
                operands.iter().try_for_each(|operand| write!(f, "\n  operand: {operand}"))
            }
            Self::Attribute { op, requires, operand } => {
                write!(f, "`{op}` requires {requires}\n  operand: {operand}")
            }
            Self::Unflatten { sizes, axis, operand } => {
                let size = operand.shape.get(*axis).copied().unwrap_or_default();
                write!(f, "`unflatten` cannot make {sizes} from axis {axis}, which has size {size}")?;
                write!(f, "\n  operand: {operand}")
            }
            Self::Window { op, requires, operands } => {
                write!(f, "`{op}` requires {requires}")?;
                operands.iter().try_for_each(|operand| write!(f, "\n  operand: {operand}"))
            }
            Self::Custom { op, cause, operands } => {
                write!(f, "`{op}` {cause}")?;
                operands.iter().try_for_each(|operand| write!(f, "\n  operand: {operand}"))
            }
            Self::NoRule { node, k } => {
                write!(f, "`{}` has no derivative rule for its operand {k}\n  operation: {node}", node.name)?;
                write!(f, "\n  `stop_gradient` makes the operand a constant")
            }
            Self::Rule { node, operand, found } => {
                write!(f, "the derivative rule of `{}` gives shape {found} for an operand ", node.name)?;
                write!(f, "of shape {}\n  operation: {node}\n  operand:   {operand}", operand.shape)
            }
            Self::Failed { node, cause } => write!(f, "{node} failed: {cause}"),
            Self::Busy => f.write_str("a program of this graph is running"),
            Self::Requires { op, requires } => write!(f, "`{op}` requires {requires}"),
            Self::OtherGraph { op } => {
                write!(f, "`{op}` got a handle of another graph: all operands must be of one `Graph`")
            }
            Self::Freed { op } => {
                write!(f, "`{op}` got a handle of a freed node: `Graph::truncate` has removed it")
            }
            Self::NameTaken { leaf } => write!(f, "the name of a leaf must be unique, taken by {leaf}"),
            Self::GradOfArray { result } => {
                write!(f, "`grad` requires a scalar result, got {}: take a sum or a mean", result.shape)?;
                write!(f, "\n  result: {result}")
            }
            Self::GradOfInteger { operand } => {
                write!(f, "`grad` requires floats, got {}\n  operand: {operand}", operand.dtype)
            }
            Self::Unreachable { result, target } => {
                write!(f, "`grad`: the result does not depend on `{}`", target.name)?;
                write!(f, "\n  variable: {target}\n  result:   {result}")?;
                write!(f, "\n  `grad_or_zeros` gives zeros instead")
            }
            Self::NoDerivative { result, target, through } => {
                write!(f, "`grad`: the result depends on `{}` only through ", target.name)?;
                write!(f, "`{}`, which has no derivative", through.name)?;
                write!(f, "\n  variable: {target}\n  through:  {through}\n  result:   {result}")?;
                write!(f, "\n  `grad_or_zeros` gives zeros instead")
            }
            Self::NotFed { leaf } => {
                write!(f, "{leaf} has no value: feed it, or set one")
            }
            Self::FeedShape { leaf, expected, found } => {
                write!(f, "{leaf} takes arrays of shape {expected}, got {found}")
            }
            Self::FeedDType { leaf, found } => {
                write!(f, "{leaf} takes arrays of {}, got {found}", leaf.dtype)
            }
            Self::UnknownName { name, known } => {
                write!(f, "no input is called `{name}`; there ")?;
                match known.as_slice() {
                    [] => write!(f, "are none"),
                    [one] => write!(f, "is `{one}`"),
                    many => write!(f, "are `{}`", many.join("`, `")),
                }
            }
            Self::NotALeaf { op, expected, operand } => {
                write!(f, "`{op}` requires {expected}, got {operand}")
            }
            Self::Twice { op, leaf } => write!(f, "{leaf} is {op} twice"),
            Self::Update { parameter, value } => {
                write!(f, "an update must have the shape and element type of its parameter")?;
                let (p, v) = (parameter, value);
                write!(f, "\n  parameter: {p}, {}\n  new value: {v}, {}", p.dtype, v.dtype)
            }
            Self::Threads { count, cause } => write!(f, "cannot run on {count} threads: {cause}"),
            Self::AtRun { node, cause } => write!(f, "with the sizes of this run: {cause}\n  in {node}"),
        }
    }
}

/// Panics with the error's text at the caller's line: how operators and methods report a mistake in a formula.
#[cold]
#[track_caller]
#[inline(never)]
pub(crate) fn fail(error: &Error) -> ! {
    panic!("{error}")
}

/// `unwrap` with the error's own text.
pub(crate) trait OrFail<T> {
    /// The value.
    #[track_caller]
    fn or_fail(self) -> T;
}

impl<T> OrFail<T> for Result<T> {
    #[track_caller]
    fn or_fail(self) -> T {
        match self {
            Ok(value) => value,
            Err(error) => fail(&error),
        }
    }
}
