//! What people do wrong, and how a report says it.

use std::fmt;

use crate::error::Origin;
use crate::shape::Shape;

/// How a formula differs from what it should be.
///
/// Those that hold a [`Change`] are mended by it: with this one change the formula is right.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Slip {
    /// It has the opposite sign.
    Sign,
    /// It is this many times what it should be.
    Factor {
        /// How many times.
        factor: f64,
        /// The size that explains it, if there is one.
        size: Option<Size>,
    },
    /// It is the transpose of what it should be.
    Transposed,
    /// It still has to be summed over this axis of its own.
    NotSummed {
        /// The axis.
        axis: usize,
    },
    /// It is summed over this axis of what it should be.
    SummedTooMuch {
        /// The axis.
        axis: usize,
    },
    /// It is right except where an operand is at a kink.
    Kink {
        /// The operation.
        op: &'static str,
        /// Its line.
        origin: Origin,
        /// The element that is at the kink.
        index: Vec<usize>,
    },
    /// It is the derivative with respect to another variable: `db1` for `db2`.
    OfAnother {
        /// The variable.
        name: String,
    },
    /// Two operands of as many elements broadcast to more: `(4, 1) - (4,)`, which is `(4, 4)`.
    Broadcast {
        /// The operation.
        op: &'static str,
        /// The shapes of its operands.
        operands: [Shape; 2],
        /// The shape of its result.
        result: Shape,
        /// Its line.
        origin: Origin,
        /// The operand that should have the shape of the other, and that shape.
        should: (String, Shape),
    },
    /// An operation should not be there: `tanh` in `1 - A1.tanh().square()`.
    Superfluous {
        /// The operation, and the other operand if it has two.
        what: String,
        /// What is right.
        change: Change,
    },
    /// A parameter is read after its update: `W2 - 0.1 * dW2` where `W2` should stand.
    Updated {
        /// The parameter.
        parameter: String,
        /// What is right.
        change: Change,
    },
    /// Something is missing: a function as in `Σx` for `Σeˣ`, a transpose, a term `+ b`, a factor.
    Missing {
        /// What is.
        what: String,
        /// The size that explains it, if it is one.
        size: Option<Size>,
        /// What is right.
        change: Change,
    },
    /// Something stands in the place of something else: `+` of `-`, `mean` of `sum`, `tanh` of `sigmoid`, `b1` of `b2`.
    InPlaceOf {
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
        /// What is right.
        change: Change,
    },
    /// An elementwise product stands in the place of a matrix product, or a matrix product in the place of an elementwise one.
    Product {
        /// Whether a matrix product is right.
        matrix: bool,
        /// What is right.
        change: Change,
    },
    /// The operands of an operation stand in the wrong order.
    Exchanged {
        /// What is right.
        change: Change,
    },
    /// A reduction goes over other axes than it should.
    Axis {
        /// What is right.
        change: Change,
    },
    /// A function stands in the place of its derivative: g for g'.
    NotDerived {
        /// The function.
        function: &'static str,
        /// What is right.
        change: Change,
    },
}

/// A size that explains a factor: m, the size of an axis of a leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// The leaf.
    pub leaf: String,
    /// The axis.
    pub axis: usize,
    /// Its size.
    pub m: usize,
}

/// One change at one place of a formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What stands there.
    pub found: String,
    /// The expression in which it stands, where `found` alone would not say which place is meant.
    pub within: Option<String>,
    /// The line that wrote it.
    pub origin: Origin,
    /// What should stand there.
    pub expected: String,
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign => f.write_str("it has the opposite sign"),
            Self::Factor { factor, size } => write_factor(f, *factor, size.as_ref()),
            Self::Transposed => f.write_str("it is transposed"),
            Self::NotSummed { axis } => write!(f, "it is not summed over its axis {axis}"),
            Self::SummedTooMuch { axis } => {
                write!(f, "it is summed over an axis that should stay, axis {axis}")
            }
            Self::Kink { op, origin, index } => write!(
                f,
                "it is right except at a kink: the operand of `{op}` from {origin} is at it at {index:?}"
            ),
            Self::OfAnother { name } => write!(f, "it is the derivative with respect to `{name}`"),
            Self::Broadcast { op, operands: [a, b], result, origin, should: (operand, shape) } => {
                write!(f, "`{op}` at {origin} broadcasts {a} and {b} to {result}: ")?;
                write!(f, "`{operand}` should have the shape {shape}")
            }
            Self::Superfluous { what, change } => write!(f, "{change} (`{what}` is superfluous)"),
            Self::Updated { parameter, change } => write!(f, "{change} (`{parameter}` is already updated)"),
            Self::Missing { what, size: Some(size), change } => {
                write!(f, "{change} (`{what}` is missing: {size})")
            }
            Self::Missing { what, size: None, change } => write!(f, "{change} (`{what}` is missing)"),
            Self::InPlaceOf { found, expected, change } => {
                write!(f, "{change} (`{found}` in the place of `{expected}`)")
            }
            Self::Product { matrix: true, change } => {
                write!(f, "{change} (an elementwise product in the place of a matrix product)")
            }
            Self::Product { matrix: false, change } => {
                write!(f, "{change} (a matrix product in the place of an elementwise product)")
            }
            Self::Exchanged { change } => write!(f, "{change} (the operands are exchanged)"),
            Self::Axis { change } => write!(f, "{change} (over the wrong axis)"),
            Self::NotDerived { function, change } => {
                write!(f, "{change} (`{function}` in the place of its derivative)")
            }
        }
    }
}

fn write_factor(f: &mut fmt::Formatter<'_>, factor: f64, size: Option<&Size>) -> fmt::Result {
    match rounded(factor.recip()) {
        part if part > 1.0 && part.fract() == 0.0 => write!(f, "it is 1/{part} of what it should be")?,
        _ => write!(f, "it is {} times what it should be", rounded(factor))?,
    }
    match size {
        Some(size) if factor > 1.0 => write!(f, " (1/m is missing: {size})"),
        Some(size) => write!(f, " (it is divided by m once too often: {size})"),
        None => Ok(()),
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m = {} is axis {} of `{}`", self.m, self.axis, self.leaf)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, within, origin, expected } = self;
        write!(f, "`{found}` ")?;
        if let Some(within) = within {
            write!(f, "in `{within}` ")?;
        }
        write!(f, "at {origin} should be `{expected}`")
    }
}

/// To ten digits, without the noise of rounding.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}
