//! Values that are computed again, where that takes less than to keep them in memory and to read them.

use super::Schedule;
use crate::exec::place::{Base, Place};
use crate::ops::{Binary, Logic, Op, Unary};
use crate::shape::Shape;

/// From how many bytes on a value that is read later may be computed again.
pub(super) const FAR: usize = 1 << 17;
/// Of how many cheap operations.
const AGAIN: usize = 6;

impl Schedule {
    /// A value of a group that has run, computed again where that takes less than to keep it in memory and read it.
    pub(super) fn again(&mut self, place: Place, shape: &Shape) -> Place {
        let Base::Value(value) = place.base else { return place };
        let far = place.size() * place.dtype.size() >= FAR && place.size() == shape.size();
        let whole = place.is_packed() && place.size() == self.values[value as usize].size;
        if !far || !whole || !self.recipes.contains_key(&value) || self.owner(place.base).is_some() {
            return place;
        }
        if let Some(&copy) = self.copies.get(&value)
            && self.owner(Base::Value(copy)).is_some()
        {
            return Place { base: Base::Value(copy), ..place };
        }
        if self.kept.contains(&value) || self.missing(value, &mut { AGAIN }).is_none_or(|missing| missing > 1)
        {
            self.kept.insert(value);
            return place;
        }
        let Some((op, operands)) = self.recipes.get(&value).cloned() else { return place };
        let copy = self.elementwise(op, operands, place.dtype, shape);
        if let Base::Value(copy) = copy.base {
            self.copies.insert(value, copy);
        }
        Place { base: copy.base, ..place }
    }

    /// How many values would have to be kept in memory so that this one can be computed again, within a budget of
    /// operations; nothing if it can't be.
    fn missing(&self, value: u32, budget: &mut usize) -> Option<usize> {
        let (_, operands) = self.recipes.get(&value)?;
        *budget = budget.checked_sub(1)?;
        let needed = operands.iter().filter_map(|place| match place.base {
            Base::Value(operand) => Some(operand),
            Base::Leaf(_) => None,
        });
        let size = self.values[value as usize].size;
        let absent = needed.filter(|operand| {
            let small = self.values[*operand as usize].size * 8 <= size;
            !small && self.grouped.contains(operand) && !self.kept.contains(operand)
        });
        Some(absent.map(|operand| self.missing(operand, budget).unwrap_or(1)).sum())
    }
}

/// Whether an operation costs no more than reading its result from memory.
pub(super) fn is_cheap(op: &Op) -> bool {
    match op {
        Op::Unary(unary) => matches!(
            unary,
            Unary::Neg
                | Unary::Abs
                | Unary::Square
                | Unary::Relu
                | Unary::Sign
                | Unary::Clip { .. }
                | Unary::HardShrink { .. }
        ),
        Op::Binary(binary) => matches!(
            binary,
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Maximum | Binary::Minimum | Binary::Copysign
        ),
        Op::Compare(_) => true,
        Op::Logic(logic) => !matches!(logic, Logic::Cast(_)),
        _ => false,
    }
}
