//! Lists of handles, as `grad` and `compile` take and give them.

use ndarray::ArrayViewD;

use super::var::{Expr, Var};
use crate::element::{Element, Packed};

/// One handle, an array, a slice or vector of handles of one element type, or a tuple of such lists. `grad` and
/// `compile` give results of the same form.
pub trait VarList<'g> {
    /// The list that owns its handles: arrays and tuples are their own, a slice becomes a vector.
    type Owned: VarList<'g, Owned = Self::Owned>;
    /// The same form with an array view in place of every handle.
    type Views<'a>;

    /// Appends the handles in order.
    #[doc(hidden)]
    fn push_to(&self, exprs: &mut Vec<Expr<'g>>);
    /// The same form with other nodes.
    #[doc(hidden)]
    fn rebuild(&self, exprs: &mut dyn Iterator<Item = Expr<'g>>) -> Self::Owned;
    /// The same form with values.
    #[doc(hidden)]
    fn views<'a>(&self, results: &mut impl FnMut() -> Packed<'a>) -> Self::Views<'a>;

    /// The handles in order.
    #[doc(hidden)]
    fn exprs(&self) -> Vec<Expr<'g>> {
        let mut exprs = Vec::new();
        self.push_to(&mut exprs);
        exprs
    }
}

impl<'g, T: Element> VarList<'g> for Var<'g, T> {
    type Owned = Self;
    type Views<'a> = ArrayViewD<'a, T>;
    fn push_to(&self, exprs: &mut Vec<Expr<'g>>) {
        exprs.push(self.erase());
    }
    fn rebuild(&self, exprs: &mut dyn Iterator<Item = Expr<'g>>) -> Self {
        exprs.next().map_or(*self, Var::retype)
    }
    #[inline]
    fn views<'a>(&self, results: &mut impl FnMut() -> Packed<'a>) -> ArrayViewD<'a, T> {
        results().view()
    }
}

impl<'g, L: VarList<'g>, const N: usize> VarList<'g> for [L; N] {
    type Owned = [L::Owned; N];
    type Views<'a> = [L::Views<'a>; N];
    fn push_to(&self, exprs: &mut Vec<Expr<'g>>) {
        self.iter().for_each(|list| list.push_to(exprs));
    }
    fn rebuild(&self, exprs: &mut dyn Iterator<Item = Expr<'g>>) -> Self::Owned {
        self.each_ref().map(|list| list.rebuild(exprs))
    }
    #[inline]
    fn views<'a>(&self, results: &mut impl FnMut() -> Packed<'a>) -> Self::Views<'a> {
        std::array::from_fn(|i| self[i].views(results))
    }
}

macro_rules! sequence {
    ($($sequence:ty)*) => {
        $(impl<'g, L: VarList<'g>> VarList<'g> for $sequence {
            type Owned = Vec<L::Owned>;
            type Views<'a> = Vec<L::Views<'a>>;
            fn push_to(&self, exprs: &mut Vec<Expr<'g>>) {
                self.iter().for_each(|list| list.push_to(exprs));
            }
            fn rebuild(&self, exprs: &mut dyn Iterator<Item = Expr<'g>>) -> Self::Owned {
                self.iter().map(|list| list.rebuild(exprs)).collect()
            }
            fn views<'a>(&self, results: &mut impl FnMut() -> Packed<'a>) -> Self::Views<'a> {
                self.iter().map(|list| list.views(results)).collect()
            }
        })*
    };
}
sequence!(Vec<L> &Vec<L> &[L]);

macro_rules! tuple {
    ($($L:ident $i:tt),*) => {
        impl<'g, $($L: VarList<'g>),*> VarList<'g> for ($($L,)*) {
            type Owned = ($($L::Owned,)*);
            type Views<'a> = ($($L::Views<'a>,)*);
            fn push_to(&self, _exprs: &mut Vec<Expr<'g>>) {
                $(self.$i.push_to(_exprs);)*
            }
            #[allow(clippy::unused_unit)]
            fn rebuild(&self, _exprs: &mut dyn Iterator<Item = Expr<'g>>) -> Self::Owned {
                ($(self.$i.rebuild(_exprs),)*)
            }
            #[allow(clippy::unused_unit)]
            fn views<'a>(&self, _results: &mut impl FnMut() -> Packed<'a>) -> Self::Views<'a> {
                ($(self.$i.views(_results),)*)
            }
        }
    };
}
tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
