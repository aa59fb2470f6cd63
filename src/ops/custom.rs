//! Operations of the user's own.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn};
use smallvec::SmallVec;

use super::{Cotangent, Domain, Fault, Notation, Op, Operation, Record, Site, Task, require_dtype};
use crate::element::{DType, Float};
use crate::error::{Error, OrFail};
use crate::graph::{Expr, Graph, Signature, Var};
use crate::shape::Shape;

/// An operation of your own, on arrays of `T`: what [`Graph::custom`] takes.
///
/// Values of it are compared with `==` (derive `PartialEq`): equal operations of equal operands are one node, and a formula
/// that is recorded again finds its compiled program. So the result has to be a function of the operands and of what is
/// compared alone.
///
/// ```
/// use gradus::ops::{CustomOp, CustomSite};
/// use gradus::prelude::*;
/// use ndarray::{ArrayViewD, ArrayViewMutD};
///
/// /// `x³`
/// #[derive(PartialEq)]
/// struct Cube;
///
/// impl<T: Float> CustomOp<T> for Cube {
///     fn name(&self) -> &'static str {
///         "cube"
///     }
///     fn forward(&self, x: &[ArrayViewD<'_, T>], mut y: ArrayViewMutD<'_, T>) -> Result<(), String> {
///         y.zip_mut_with(&x[0], |y, &x| *y = T::from_f64(x.to_f64().powi(3)));
///         Ok(())
///     }
///     fn vjp<'g>(&self, _k: usize, at: &CustomSite<'_, 'g, T>) -> Option<Var<'g, T>> {
///         Some(3.0 * at.operands[0].square() * at.cotangent)
///     }
/// }
///
/// let g = Graph::new();
/// let x = g.input("x", array![1.0, 2.0]);
/// let y = g.custom(Cube, &[x]);
/// assert_eq!(y.value()?, array![1.0, 8.0].into_dyn());
/// assert_eq!(y.sum().grad(x).value()?, array![3.0, 12.0].into_dyn());
/// assert_eq!(y.sum().grad(x).sum().grad(x).value()?, array![6.0, 12.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait CustomOp<T: Float = f64>: PartialEq + Send + Sync + 'static {
    /// The name by which it is printed, and by which errors speak of it.
    fn name(&self) -> &'static str;

    /// How many operands it takes; 1 unless you say otherwise.
    fn arity(&self) -> usize {
        1
    }

    /// The shape of the result for operands of these shapes, of which there are as many as it takes. It is asked when the
    /// formula is recorded, and again for the sizes that a program is run with. Unless you say otherwise, the operands
    /// have one shape, and so has the result.
    ///
    /// # Errors
    /// What the shapes would have to be, as a text: [`Error::Custom`].
    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        match operands.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => Ok(first.clone()),
            Some(_) => Err("requires operands of one shape".to_owned()),
            None => Ok(Shape::scalar()),
        }
    }

    /// Computes the result, which holds zeros before, from the operands. All lie in C order.
    ///
    /// It may run on any thread. No program of the graph can run meanwhile: [`Error::Busy`].
    ///
    /// # Errors
    /// Why there is no result for these values, as a text: it becomes the error of the run, [`Error::Failed`], and nothing
    /// has changed. So does a panic.
    fn forward(&self, operands: &[ArrayViewD<'_, T>], result: ArrayViewMutD<'_, T>) -> Result<(), String>;

    /// The derivative: the cotangent of operand `k`, given that of the result, as an expression in exactly the operand's
    /// shape. Where an operand was stretched to the result's shape, sum over it with [`sum_like`](Var::sum_like). The rule is
    /// an expression, and is differentiated itself for higher derivatives. Take sizes from operands, so that the rule
    /// holds for every batch size.
    ///
    /// None, which is so unless you say otherwise: there is no rule, and a gradient that comes here is refused with
    /// [`Error::NoRule`]. Where the derivative is zero, say so with zeros.
    fn vjp<'g>(&self, k: usize, at: &CustomSite<'_, 'g, T>) -> Option<Var<'g, T>> {
        let _ = (k, at);
        None
    }
}

/// An operation that is shared is the operation.
impl<T: Float, C: CustomOp<T>> CustomOp<T> for Arc<C> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn arity(&self) -> usize {
        (**self).arity()
    }
    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        (**self).shape(operands)
    }
    fn forward(&self, operands: &[ArrayViewD<'_, T>], result: ArrayViewMutD<'_, T>) -> Result<(), String> {
        (**self).forward(operands, result)
    }
    fn vjp<'g>(&self, k: usize, at: &CustomSite<'_, 'g, T>) -> Option<Var<'g, T>> {
        (**self).vjp(k, at)
    }
}

/// What the derivative rule of a [`CustomOp`] may use.
#[derive(Clone, Copy, Debug)]
pub struct CustomSite<'a, 'g, T: Float> {
    /// The operands.
    pub operands: &'a [Var<'g, T>],
    /// The result.
    pub result: Var<'g, T>,
    /// The cotangent of the result.
    pub cotangent: Var<'g, T>,
}

/// A [`CustomOp`] as a node holds it.
#[derive(Clone)]
pub struct Custom(Arc<dyn Held>);

impl Custom {
    /// For [`Graph::apply`], which returns mistakes; [`Graph::custom`] is shorter.
    pub fn new<T: Float, C: CustomOp<T>>(op: C) -> Self {
        Self(Arc::new(Holder { op, element: PhantomData }))
    }
}

/// A `CustomOp` of any type.
trait Held: Send + Sync {
    fn name(&self) -> &'static str;
    fn arity(&self) -> usize;
    fn dtype(&self) -> DType;
    fn shape(&self, operands: &[Shape]) -> Result<Shape, String>;
    fn forward(&self, task: Task<'_>) -> Result<(), String>;
    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Option<Expr<'g>>;
    fn is(&self, other: &dyn Any) -> bool;
    fn as_any(&self) -> &dyn Any;
}

struct Holder<T, C> {
    op: C,
    element: PhantomData<fn() -> T>,
}

impl<T: Float, C: CustomOp<T>> Held for Holder<T, C> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn arity(&self) -> usize {
        self.op.arity()
    }

    fn dtype(&self) -> DType {
        T::DTYPE
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        self.op.shape(operands)
    }

    fn forward(&self, task: Task<'_>) -> Result<(), String> {
        let view = |k: usize| {
            let view = ArrayViewD::from_shape(IxDyn(&task.operands[k].shape), task.read::<T>(k));
            view.expect("an operand has as many elements as its shape says")
        };
        let operands: SmallVec<[ArrayViewD<'_, T>; 4]> = (0..task.operands.len()).map(view).collect();
        let shape = IxDyn(&task.result.shape);
        let (result, _) = task.write::<T>();
        result.fill(T::default());
        let result = ArrayViewMutD::from_shape(shape, result);
        let result = result.expect("a result has as many elements as its shape says");
        self.op.forward(&operands, result)
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Option<Expr<'g>> {
        let operands: SmallVec<[Var<'g, T>; 4]> = at.inputs.iter().map(|x| x.retype()).collect();
        let (result, cotangent) = (at.result.retype(), at.cotangent.retype());
        Some(self.op.vjp(k, &CustomSite { operands: &operands, result, cotangent })?.erase())
    }

    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| other.op == self.op)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.is(other.0.as_any())
    }
}

impl Eq for Custom {}

impl Hash for Custom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.name(), self.0.dtype()).hash(state);
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custom({}, {})", self.0.name(), self.0.dtype())
    }
}

impl Operation for Custom {
    fn record(&self) -> Record {
        Record {
            name: self.0.name(),
            notation: Notation::Method,
            latex: r"\operatorname{custom}\left(#*\right)",
            derivative: "a rule of its own",
            domain: Domain::NONE,
        }
    }

    fn arity(&self) -> usize {
        self.0.arity()
    }

    fn resolve(self, _operands: &[Signature]) -> Result<Op, Fault> {
        Ok(Op::Custom(self))
    }

    fn infer(&self, operands: &[Signature]) -> Result<Signature, Fault> {
        let (op, dtype) = (self.0.name(), self.0.dtype());
        let expected = if dtype == DType::F32 { "f32" } else { "f64" };
        for k in 0..operands.len() {
            require_dtype(op, operands, k, expected, |found| found == dtype)?;
        }
        let shapes: SmallVec<[Shape; 4]> = operands.iter().map(|operand| operand.shape.clone()).collect();
        match self.0.shape(&shapes) {
            Ok(shape) => Ok(Signature { dtype, shape }),
            Err(cause) => {
                let count = operands.len();
                Err(Box::new(move |operand| Error::Custom {
                    op,
                    cause,
                    operands: (0..count).map(operand).collect(),
                }))
            }
        }
    }

    fn vjp<'g>(&self, k: usize, at: &Site<'_, 'g>) -> Cotangent<'g> {
        self.0.vjp(k, at).map_or(Cotangent::Undefined, Cotangent::Of)
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn try_run(&self, task: Task<'_>) -> Result<(), String> {
        let run = catch_unwind(AssertUnwindSafe(|| self.0.forward(task)));
        run.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied());
            Err(format!("it panicked: {}", text.unwrap_or("with no text")))
        })
    }
}

impl Graph {
    /// Records an operation of your own. [`CustomOp`] says what it is made of, and has an example.
    ///
    /// # Panics
    /// If the number of operands is wrong, or if the operation refuses their shapes: "`cube` requires operands of one shape".
    #[track_caller]
    pub fn custom<'g, T: Float>(&'g self, op: impl CustomOp<T>, operands: &[Var<'g, T>]) -> Var<'g, T> {
        let operands: SmallVec<[Expr<'g>; 4]> = operands.iter().map(|x| x.erase()).collect();
        self.apply(Op::Custom(Custom::new(op)), &operands).or_fail().retype()
    }
}

/// A function of one number with its derivative: [`Var::mapv`].
struct Map<T: Float> {
    name: &'static str,
    function: fn(T) -> T,
    rule: MapRule<T>,
}

/// The cotangent of `x`, from `x`, the result and its cotangent.
type MapRule<T> = for<'g> fn(Var<'g, T>, Var<'g, T>, Var<'g, T>) -> Var<'g, T>;

impl<T: Float> PartialEq for Map<T> {
    fn eq(&self, other: &Self) -> bool {
        // Functions at one address do the same; that others may do so too costs no more than a compilation.
        self.name == other.name
            && std::ptr::fn_addr_eq(self.function, other.function)
            && std::ptr::fn_addr_eq(self.rule, other.rule)
    }
}

impl<T: Float> CustomOp<T> for Map<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn forward(&self, x: &[ArrayViewD<'_, T>], mut y: ArrayViewMutD<'_, T>) -> Result<(), String> {
        y.zip_mut_with(&x[0], |y, &x| *y = (self.function)(x));
        Ok(())
    }

    fn vjp<'g>(&self, _k: usize, at: &CustomSite<'_, 'g, T>) -> Option<Var<'g, T>> {
        Some((self.rule)(at.operands[0], at.result, at.cotangent))
    }
}

impl<'g, T: Float> Var<'g, T> {
    /// A function of your own of every element, with its derivative: `rule` gives the cotangent of `x` from `x`, the
    /// result `y` and its cotangent `g`, as an expression. Neither may capture anything; for what does, there is
    /// [`CustomOp`]. It is not fused with what stands beside it, as the operations of the crate are.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![0.0, 1.0]);
    /// let y = x.mapv("asinh", f64::asinh, |x, _y, g| g / (1.0 + x.square()).sqrt());
    /// assert_eq!(y.value()?, array![0.0, 1_f64.asinh()].into_dyn());
    /// assert_eq!(y.sum().grad(x).value()?, array![1.0, 1.0 / 2_f64.sqrt()].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn mapv(
        self,
        name: &'static str,
        function: fn(T) -> T,
        rule: for<'r> fn(Var<'r, T>, Var<'r, T>, Var<'r, T>) -> Var<'r, T>,
    ) -> Self {
        self.graph().custom(Map { name, function, rule }, &[self])
    }
}
