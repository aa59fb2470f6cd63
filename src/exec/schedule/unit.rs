//! What the scheduler makes of a formula.

use std::fmt;

use smallvec::SmallVec;

use super::super::place::Place;
use crate::element::{DType, Literal};
use crate::graph::Signature;
use crate::kernels::Middle;
use crate::ops::{Fold, Logic, Op};
use crate::shape::Strides;

/// What a member of a group does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::exec) enum Act {
    /// An elementwise operation.
    Map(Op),
    /// A reduction of every row, divided by a count.
    Rows(Fold, Option<f64>),
    /// A reduction of all elements, divided by a count.
    Total(Fold, Option<f64>),
}

/// How many elements a member of a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exec) enum Span {
    /// One for every element of the group.
    Full,
    /// One for every row.
    Row,
    /// One, which is there when the group has run.
    After,
}

/// A step of a group.
#[derive(Debug)]
pub(in crate::exec) struct Member {
    pub act: Act,
    pub span: Span,
    /// The operands, stretched to the elements that the member reads.
    pub operands: SmallVec<[Place; 3]>,
    pub out: u32,
}

/// Members that run block by block.
#[derive(Debug)]
pub(in crate::exec) struct Group {
    pub size: usize,
    /// The length of rows, if there are any.
    pub columns: Option<usize>,
    pub members: Vec<Member>,
}

/// A product of matrices, or of batches of them: `(.., m, k) · (.., k, n)`.
#[derive(Debug)]
pub(in crate::exec) struct Product {
    pub a: Place,
    pub b: Place,
    pub dtype: DType,
    pub to: u32,
    /// Added, times this factor, to a leaf; else it stands for itself.
    pub onto: Option<(u32, f64)>,
}

/// What is done at one go.
#[derive(Debug)]
pub(in crate::exec) enum Unit {
    Group(Group),
    Pack {
        from: Place,
        to: u32,
    },
    Fold {
        fold: Fold,
        from: Place,
        axis: Middle,
        divisor: Option<f64>,
        to: u32,
    },
    Product(Product),
    /// Parts laid into an array, over zeros if they do not fill it.
    Assemble {
        parts: Vec<Part>,
        zeros: bool,
        dtype: DType,
        to: u32,
    },
    /// An operation on whole operands in C order; of some it needs the shape alone.
    Whole {
        instruction: u32,
        op: Op,
        signatures: Vec<Signature>,
        operands: Vec<Option<Place>>,
        result: Signature,
        scratch: usize,
        to: u32,
    },
    /// Refuses indices out of bounds.
    Check {
        from: Place,
        bound: Bound,
        instruction: u32,
    },
}

/// A part of an array, and where it goes among the packed elements of the whole.
#[derive(Debug)]
pub(in crate::exec) struct Part {
    pub from: Place,
    pub offset: usize,
    pub strides: Strides,
}

/// Which indices along an axis there are.
#[derive(Clone, Copy, Debug)]
pub(in crate::exec) struct Bound {
    pub size: usize,
    /// Whether negative ones count from the end.
    pub from_end: bool,
}

impl Bound {
    #[inline]
    pub fn holds(self, index: i64) -> bool {
        // A negative one is beyond any size as an unsigned number.
        (index as u64) < self.size as u64
            || self.from_end && index < 0 && index.unsigned_abs() <= self.size as u64
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, from_end } = self;
        if *from_end { write!(f, "-{size}..{size}") } else { write!(f, "0..{size}") }
    }
}

/// What a value is known to be before the run.
#[derive(Clone, Copy, Debug)]
pub(in crate::exec) enum Constant {
    /// A number.
    Number(Literal),
    /// 0, 1, 2, …
    Ramp,
}

/// The new value of a parameter.
#[derive(Debug)]
pub(in crate::exec) struct NewValue {
    pub leaf: u32,
    pub place: Place,
}

/// The element type that decides which kernel of an elementwise operation runs.
pub(in crate::exec) fn kernel_dtype(op: &Op, operands: &[DType]) -> DType {
    match op {
        Op::Logic(Logic::Select) => operands[1],
        _ => operands[0],
    }
}
