//! `+ - * /`, negation, and `& | !` for masks: between handles, numbers and arrays, in both orders.
//!
//! A number beside floats is an `f64`, whatever floats they are, and is rounded once. There is no second set of
//! operators for `f32` numbers: with two candidates the compiler could not tell what `1.0 - a` is before it goes on
//! to `(1.0 - a).ln()`.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use ndarray::{ArrayBase, Data, Dimension};

use super::constant::IntoVar;
use super::{Binary, Logic};
use crate::element::{Element, Mask, Number, Real};
use crate::graph::Var;

/// `left op right`, where the handle is on the right.
#[track_caller]
fn reversed<'g, T: Number>(op: Binary, left: impl IntoVar<'g, T>, right: Var<'g, T>) -> Var<'g, T> {
    left.into_var(right.graph(), right.dtype_beside()).binary(op, right)
}

macro_rules! operator {
    ($Trait:ident, $method:ident, $Takes:ident) => {
        impl<'g, T: $Takes> $Trait for Var<'g, T> {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$Trait, other)
            }
        }

        impl<'g, T: Real> $Trait<f64> for Var<'g, T> {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: f64) -> Self {
                self.binary(Binary::$Trait, other)
            }
        }

        impl<'g, T: Real> $Trait<Var<'g, T>> for f64 {
            type Output = Var<'g, T>;
            #[track_caller]
            fn $method(self, other: Var<'g, T>) -> Var<'g, T> {
                reversed(Binary::$Trait, self, other)
            }
        }

        impl<'g, T: Element + $Takes, S: Data<Elem = T>, D: Dimension> $Trait<ArrayBase<S, D>>
            for Var<'g, T>
        {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: ArrayBase<S, D>) -> Self {
                self.binary(Binary::$Trait, other)
            }
        }

        impl<'g, T: Element + $Takes, S: Data<Elem = T>, D: Dimension> $Trait<&ArrayBase<S, D>>
            for Var<'g, T>
        {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: &ArrayBase<S, D>) -> Self {
                self.binary(Binary::$Trait, other)
            }
        }

        impl<'g, T: Element + $Takes, S: Data<Elem = T>, D: Dimension> $Trait<Var<'g, T>>
            for ArrayBase<S, D>
        {
            type Output = Var<'g, T>;
            #[track_caller]
            fn $method(self, other: Var<'g, T>) -> Var<'g, T> {
                reversed(Binary::$Trait, self, other)
            }
        }

        impl<'g, T: Element + $Takes, S: Data<Elem = T>, D: Dimension> $Trait<Var<'g, T>>
            for &ArrayBase<S, D>
        {
            type Output = Var<'g, T>;
            #[track_caller]
            fn $method(self, other: Var<'g, T>) -> Var<'g, T> {
                reversed(Binary::$Trait, self, other)
            }
        }
    };
    (@scalar $Trait:ident, $method:ident, $t:ty) => {
        impl<'g> $Trait<$t> for Var<'g, $t> {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: $t) -> Self {
                self.binary(Binary::$Trait, other)
            }
        }

        impl<'g> $Trait<Var<'g, $t>> for $t {
            type Output = Var<'g, $t>;
            #[track_caller]
            fn $method(self, other: Var<'g, $t>) -> Var<'g, $t> {
                reversed(Binary::$Trait, self, other)
            }
        }
    };
}
operator!(Add, add, Number);
operator!(Sub, sub, Number);
operator!(Mul, mul, Number);
operator!(Div, div, Real);
operator!(@scalar Add, add, i64);
operator!(@scalar Sub, sub, i64);
operator!(@scalar Mul, mul, i64);

impl<'g, T: Number> Neg for Var<'g, T> {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        self.negate()
    }
}

impl<'g, M: Mask> BitAnd for Var<'g, M> {
    type Output = Self;
    #[track_caller]
    fn bitand(self, other: Self) -> Self {
        self.logic(Logic::And, other)
    }
}

impl<'g, M: Mask> BitOr for Var<'g, M> {
    type Output = Self;
    #[track_caller]
    fn bitor(self, other: Self) -> Self {
        self.logic(Logic::Or, other)
    }
}

impl<'g, M: Mask> Not for Var<'g, M> {
    type Output = Self;
    #[track_caller]
    fn not(self) -> Self {
        self.inverted()
    }
}
