//! What each operation means: one file per family, one record per operation.
//!
//! A record holds the operation's name and notation, its formula, its kernel body, its derivative rule and the
//! domain that tests sample. The rest of the crate reads records and never names an operation, but for the rewriter,
//! whose business that is.

/// The body of a kernel arm on integers, for records that take them.
macro_rules! integers {
    (Number, $run:expr) => {
        $run
    };
    (Real, $run:expr) => {
        unreachable!("this operation takes floats only")
    };
}

/// Whether a record takes integers.
macro_rules! is_number {
    (Number) => {
        true
    };
    (Real) => {
        false
    };
}

mod arrange;
mod binary;
mod compare;
mod composed;
mod constant;
mod contract;
mod custom;
mod gather;
mod images;
mod index;
mod indexing;
mod layout;
mod linalg;
mod logic;
mod matmul;
mod normalize;
mod norms;
mod operators;
mod order;
mod random;
mod reduce;
mod scan;
mod slice;
mod sliding;
mod sort;
mod statistics;
mod surrogate;
mod transposed;
mod unary;
mod whole;
mod window;

use std::fmt;

use crate::element::{DType, Literal};
use crate::error::{Error, Operand};
use crate::graph::{Expr, Leaf, NodeId, Signature};
use crate::shape::{Axes, Clash, Shape, broadcast};

pub use self::arrange::{Pad, stack};
pub use self::binary::Binary;
pub use self::compare::Compare;
pub(crate) use self::composed::target_like;
pub use self::constant::IntoVar;
pub use self::contract::einsum;
pub use self::custom::{Custom, CustomOp, CustomSite};
pub use self::gather::Gather;
pub use self::index::Index;
pub use self::layout::Layout;
pub(crate) use self::layout::expanded;
pub use self::linalg::{Linalg, Triangular};
pub use self::logic::Logic;
pub use self::matmul::MatMul;
pub use self::normalize::Normalize;
pub use self::order::Order;
pub use self::random::{Random, Rng, ShapeLike};
pub use self::reduce::{Fold, Reduce};
pub use self::scan::{Running, Scan};
pub use self::slice::{Slicing, concat};
pub use self::sliding::{Conv, PerAxis, Pool};
pub use self::sort::ArgSort;
pub use self::surrogate::Surrogate;
pub use self::transposed::ConvTranspose;
pub use self::unary::{Bounds, Unary};
pub(crate) use self::whole::Task;
pub use self::window::Window;
pub use crate::kernels::Distribution;
#[doc(hidden)]
pub use crate::kernels::Level;

/// What a node computes: a closed enum of families. Operands are in the node, attributes in the operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// An input, a parameter or a constant array.
    Leaf(Leaf),
    /// A number.
    #[doc(hidden)]
    Literal(Literal),
    /// A function of one number, at every element.
    Unary(Unary),
    /// A function of two numbers, at every pair of broadcast elements.
    Binary(Binary),
    /// A comparison, which gives a mask.
    Compare(Compare),
    /// What is done with masks, and conversions between element types.
    Logic(Logic),
    /// A result with fewer axes, or smaller ones.
    Reduce(Reduce),
    /// The same elements in another arrangement.
    Layout(Layout),
    /// Products of vectors and matrices.
    MatMul(MatMul),
    /// When something is computed.
    Order(Order),
    /// Probabilities and standard scores along axes.
    Normalize(Normalize),
    /// Indices as values.
    Index(Index),
    /// Parts of arrays, and arrays put together from parts.
    Slicing(Slicing),
    /// Elements at indices, and sums at indices.
    Gather(Gather),
    /// Running sums and products, and linear recurrences.
    Scan(Scan),
    /// The order along an axis.
    ArgSort(ArgSort),
    /// Windows that move over images.
    Window(Window),
    /// Factorisations of matrices, and what is made of them.
    Linalg(Linalg),
    /// Random numbers.
    Random(Random),
    /// A value with another derivative.
    Surrogate(Surrogate),
    /// An operation of the user's own.
    Custom(Custom),
}

/// What is written about an operation.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// The name of the method, or the sign of the operator.
    pub name: &'static str,
    /// How it is printed.
    pub notation: Notation,
    /// LaTeX, with `#1`, `#2`, … for the operands, `#*` for all of them, and `#n` for the attribute, without which the index
    /// in which it stands is left out.
    pub latex: &'static str,
    /// The derivative with its convention at kinks, as text.
    pub derivative: &'static str,
    /// Where tests sample its operands.
    pub domain: Domain,
}

impl Record {
    /// A method that is smooth between -2 and 2, where most are sampled.
    const fn method(name: &'static str, latex: &'static str, derivative: &'static str) -> Self {
        Self { name, notation: Notation::Method, latex, derivative, domain: Domain::within(-2.0, 2.0) }
    }
}

/// How an expression is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `x.name(…)`.
    Method,
    /// `-x`.
    Prefix,
    /// `a + b`, with how strongly it binds.
    Infix(u8),
}

/// An interval in which an operation is smooth, but for some points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Domain {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Points inside where there is no derivative, or where the derivative jumps. For a binary operation, the
    /// differences of its operands at which that is so.
    pub kinks: &'static [f64],
}

impl Domain {
    const fn within(low: f64, high: f64) -> Self {
        Self { low, high, kinks: &[] }
    }

    const fn except(self, kinks: &'static [f64]) -> Self {
        Self { kinks, ..self }
    }

    /// A domain for what has no float operands.
    const NONE: Self = Self::within(0.0, 0.0);
}

/// What a derivative rule says about an operand.
pub(crate) enum Cotangent<'g> {
    /// The cotangent, perhaps of the result's shape: the engine un-broadcasts.
    Of(Expr<'g>),
    /// The derivative is zero everywhere, or zero by the user's wish.
    Zero,
    /// There is no derivative.
    Undefined,
}

impl<'g> From<Expr<'g>> for Cotangent<'g> {
    fn from(cotangent: Expr<'g>) -> Self {
        Self::Of(cotangent)
    }
}

/// What a derivative rule may use: operands, result and the result's cotangent.
pub(crate) struct Site<'a, 'g> {
    pub inputs: &'a [Expr<'g>],
    pub result: Expr<'g>,
    pub cotangent: Expr<'g>,
}

/// A mistake in the use of an operation, which becomes an [`Error`] once the operands can be described.
pub(crate) type Fault = Box<dyn FnOnce(&dyn Fn(usize) -> Operand) -> Error>;

/// What every family implements.
pub(crate) trait Operation {
    fn record(&self) -> Record;
    /// Attributes as they are printed, between the operands of a method.
    fn attributes(&self) -> Option<String> {
        None
    }
    fn arity(&self) -> usize;
    /// The same operation with attributes counted from the start, for these operands.
    fn resolve(self, operands: &[Signature]) -> Result<Op, Fault>;
    /// Element type and shape of the result.
    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault>;
    /// The cotangent of operand `k`.
    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g>;
    /// Whether every element of the result depends on the elements of its own place alone.
    fn is_elementwise(&self) -> bool {
        false
    }
    /// Whether operands are stretched, so that the engine sums their cotangents over what was.
    fn stretches(&self) -> bool {
        self.is_elementwise()
    }
    /// The same value as an expression of simpler operations, which takes the operation's place when a program is
    /// compiled. The tape and derivatives keep the operation, and its own rule.
    fn lower<'g>(&self, _inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        None
    }
    /// Whether operand `k` is read for its values, not for its shape alone.
    fn reads(&self, _k: usize) -> bool {
        true
    }
    /// Whether a derivative flows to operand `k`: where it is read, unless a family says otherwise.
    fn derives(&self, k: usize) -> bool {
        self.reads(k)
    }
    /// The operand whose shape the result has, whatever it is.
    fn shape_giver(&self) -> Option<usize> {
        None
    }
    /// Whether it reads whole operands in C order, and [`run`](Self::run) computes it.
    fn is_whole(&self) -> bool {
        false
    }
    /// How many numbers of the result's element type [`run`](Self::run) works in.
    fn scratch_len(&self, _operands: &[Signature], _result: &Signature) -> usize {
        0
    }
    /// About how many floating-point operations [`run`](Self::run) does.
    fn flops(&self, operands: &[Signature], result: &Signature) -> usize {
        operands.iter().chain([result]).map(|operand| operand.shape.size()).max().unwrap_or(0)
    }
    /// Computes the result of an operation on whole operands.
    fn run(&self, _task: Task<'_>) {
        unreachable!("`{}` does not run on whole operands", self.record().name)
    }
    /// Whether a run may end here with an error, so that nothing may be overwritten before.
    fn can_fail(&self) -> bool {
        false
    }
    /// [`run`](Self::run), for operations that can fail: why they do.
    fn try_run(&self, task: Task<'_>) -> Result<(), String> {
        self.run(task);
        Ok(())
    }
}

/// `op => expression` for the family that `op` belongs to; leaves and literals are left to the second arm.
macro_rules! each_family {
    ($op:expr, $family:ident => $body:expr, _ => $leaf:expr) => {
        match $op {
            Op::Leaf(_) | Op::Literal(_) => $leaf,
            Op::Unary($family) => $body,
            Op::Binary($family) => $body,
            Op::Compare($family) => $body,
            Op::Logic($family) => $body,
            Op::Reduce($family) => $body,
            Op::Layout($family) => $body,
            Op::MatMul($family) => $body,
            Op::Order($family) => $body,
            Op::Normalize($family) => $body,
            Op::Index($family) => $body,
            Op::Slicing($family) => $body,
            Op::Gather($family) => $body,
            Op::Scan($family) => $body,
            Op::ArgSort($family) => $body,
            Op::Window($family) => $body,
            Op::Linalg($family) => $body,
            Op::Random($family) => $body,
            Op::Surrogate($family) => $body,
            Op::Custom($family) => $body,
        }
    };
}

impl Op {
    /// The record, unless it is a leaf or a literal.
    pub fn record(&self) -> Option<Record> {
        each_family!(self, family => Some(family.record()), _ => None)
    }

    /// The name by which errors speak of it.
    pub fn name(&self) -> &'static str {
        self.record().map_or("leaf", |record| record.name)
    }

    /// Whether it is an input, a parameter or a constant array.
    pub fn is_leaf(&self) -> bool {
        matches!(self, Self::Leaf(_))
    }

    /// A name for a node that has none.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Leaf(leaf) => leaf.kind.to_string(),
            Self::Literal(literal) => literal.to_string(),
            _ => self.name().to_owned(),
        }
    }

    pub(crate) fn attributes(&self) -> Option<String> {
        each_family!(self, family => family.attributes(), _ => None)
    }

    /// Checks the operands; gives the operation with its attributes resolved, and what the result is.
    pub(crate) fn check(self, operands: &[Signature]) -> Result<(Self, Signature), Fault> {
        let expected = self.arity();
        if operands.len() != expected {
            let (op, found) = (self.name(), operands.len());
            return Err(Box::new(move |_| Error::Arity { op, expected, found }));
        }
        let resolved = each_family!(self, family => family.resolve(operands)?, _ => self);
        let signature = resolved.infer(operands)?;
        Ok((resolved, signature))
    }

    fn arity(&self) -> usize {
        each_family!(self, family => family.arity(), _ => 0)
    }

    /// Element type and shape of the result. A leaf's are its own, which the operation does not know.
    pub(crate) fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        each_family!(self, family => family.infer(operands), _ => {
            let dtype = if let Self::Literal(literal) = self { literal.dtype() } else { DType::F64 };
            Ok(Signature { dtype, shape: Shape::scalar() })
        })
    }

    pub(crate) fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        each_family!(self, family => family.vjp(k, at), _ => Cotangent::Undefined)
    }

    pub(crate) fn is_whole(&self) -> bool {
        each_family!(self, family => family.is_whole(), _ => false)
    }

    pub(crate) fn scratch_len(&self, operands: &[Signature], result: &Signature) -> usize {
        each_family!(self, family => family.scratch_len(operands, result), _ => 0)
    }

    pub(crate) fn flops(&self, operands: &[Signature], result: &Signature) -> usize {
        each_family!(self, family => family.flops(operands, result), _ => 0)
    }

    pub(crate) fn can_fail(&self) -> bool {
        each_family!(self, family => family.can_fail(), _ => false)
    }

    pub(crate) fn try_run(&self, task: Task<'_>) -> Result<(), String> {
        each_family!(self, family => family.try_run(task), _ => unreachable!("a leaf does not run"))
    }

    pub(crate) fn is_elementwise(&self) -> bool {
        each_family!(self, family => family.is_elementwise(), _ => false)
    }

    pub(crate) fn stretches(&self) -> bool {
        each_family!(self, family => family.stretches(), _ => false)
    }

    pub(crate) fn lower<'g>(&self, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        each_family!(self, family => family.lower(inputs), _ => None)
    }

    pub(crate) fn reads(&self, k: usize) -> bool {
        each_family!(self, family => family.reads(k), _ => true)
    }

    pub(crate) fn derives(&self, k: usize) -> bool {
        each_family!(self, family => family.derives(k), _ => true)
    }

    /// The number that an elementwise operation makes of numbers; none where an operand is not known.
    pub(crate) fn evaluate(&self, level: Level, operands: &[Option<Literal>]) -> Option<Literal> {
        match (self, operands) {
            (Self::Unary(Unary::StopGradient), _) => None,
            (Self::Unary(unary), &[Some(x)]) => unary.evaluate(level, x),
            (Self::Binary(binary), &[Some(a), Some(b)]) => binary.evaluate(level, a, b),
            _ => None,
        }
    }

    /// The operand that has the result's shape at any sizes. `operand` gives rank and shape root of an operand.
    pub(crate) fn keeps_shape_of(&self, operand: impl Fn(usize) -> (usize, NodeId)) -> Option<usize> {
        if !self.is_elementwise() {
            return each_family!(self, family => family.shape_giver(), _ => None);
        }
        // A scalar operand never changes the shape; operands of one root have one shape.
        let mut arrays = (0..self.arity()).filter(|&k| operand(k).0 > 0);
        let first = arrays.next().unwrap_or(0);
        arrays.all(|k| operand(k).1 == operand(first).1).then_some(first)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}

/// The broadcast shape of two operands.
fn broadcast_operands(op: &'static str, operands: &[Signature], i: usize, j: usize) -> Result<Shape, Fault> {
    broadcast(&operands[i].shape, &operands[j].shape).map_err(|clash: Clash| -> Fault {
        Box::new(move |operand| Error::Broadcast { op, operands: Box::new([operand(i), operand(j)]), clash })
    })
}

/// The axis, if `axes` of operand `k` are exactly one.
fn one_axis(op: &'static str, axes: &Axes, k: usize) -> Result<usize, Fault> {
    let several = axes.clone();
    axes.single().ok_or_else(|| -> Fault {
        Box::new(move |operand| Error::OneAxis { op, axes: several, operand: Box::new(operand(k)) })
    })
}

/// Refuses operand `k` unless `fits` its element type.
fn require_dtype(
    op: &'static str,
    operands: &[Signature],
    k: usize,
    expected: &'static str,
    fits: impl Fn(DType) -> bool,
) -> Result<(), Fault> {
    if fits(operands[k].dtype) {
        return Ok(());
    }
    Err(Box::new(move |operand| Error::DType {
        op,
        expected: expected.to_owned(),
        operand: Box::new(operand(k)),
    }))
}

/// Refuses operands of two element types.
fn require_same_dtype(op: &'static str, operands: &[Signature], i: usize, j: usize) -> Result<(), Fault> {
    let expected = operands[i].dtype;
    if operands[j].dtype == expected {
        return Ok(());
    }
    Err(Box::new(move |operand| Error::DType {
        op,
        expected: format!("{expected} on both sides"),
        operand: Box::new(operand(j)),
    }))
}

/// Numbers whose bits tell them apart: attributes of operations.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attribute(u64);

impl Attribute {
    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<f64> for Attribute {
    fn from(value: f64) -> Self {
        Self(value.to_bits())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
