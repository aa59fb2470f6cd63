//! Updates by a product: `w - α (a · b)` is computed onto `w`, without the product ever lying in memory.

use super::life::{Stores, lives, reads};
use super::place::{Base, Place};
use super::schedule::{Act, Constant, Group, Schedule, Unit};
use crate::element::Literal;
use crate::ops::{Binary, Op};

/// Rewrites every group that only adds a multiple of a product to a parameter.
pub(super) fn accumulate(schedule: &mut Schedule, stores: &mut Stores) {
    let lives = lives(schedule, stores);
    let first_safe = schedule.first_safe();
    let mut gone = vec![false; schedule.units.len()];
    for (u, gone) in gone.iter_mut().enumerate() {
        let Unit::Group(group) = &schedule.units[u] else { continue };
        let Some((leaf, product, factor)) = step(group, schedule, stores) else { continue };
        let life = lives[product as usize];
        if life.last != u || life.born == usize::MAX || life.born < first_safe {
            continue;
        }
        let early =
            schedule.units[life.born..u].iter().flat_map(reads).any(|place| place.base == Base::Leaf(leaf));
        if early {
            continue;
        }
        let value = group.members[group.members.len() - 1].out;
        let Unit::Product(unit) = &mut schedule.units[life.born] else { continue };
        unit.onto = Some((leaf, factor));
        unit.to = value;
        *gone = true;
    }
    let mut gone = gone.into_iter();
    schedule.units.retain(|_| !gone.next().unwrap_or(false));
}

/// The parameter, the product and the factor, if a group is `w ± factor · product`, or `w - product`.
fn step(group: &Group, schedule: &Schedule, stores: &Stores) -> Option<(u32, u32, f64)> {
    let (last, first) = match &group.members[..] {
        [first, last] => (last, Some(first)),
        [last] => (last, None),
        _ => return None,
    };
    let leaf = *stores.0.get(&last.out)?;
    let Act::Map(Op::Binary(sign)) = &last.act else { return None };
    let sign = match sign {
        Binary::Sub => -1.0,
        Binary::Add => 1.0,
        _ => return None,
    };
    let [w, change] = &last.operands[..] else { return None };
    if w.base != Base::Leaf(leaf) || !w.is_packed() || !change.is_packed() {
        return None;
    }
    let Base::Value(changed) = change.base else { return None };
    let Some(first) = first else { return whole(change, schedule).then_some((leaf, changed, sign)) };
    let Act::Map(Op::Binary(Binary::Mul)) = &first.act else { return None };
    let [a, b] = &first.operands[..] else { return None };
    if first.out != changed {
        return None;
    }
    let (product, factor) = match (number(a, schedule), number(b, schedule)) {
        (None, Some(factor)) => (a, factor),
        (Some(factor), None) => (b, factor),
        _ => return None,
    };
    let Base::Value(value) = product.base else { return None };
    (product.is_packed() && whole(product, schedule)).then_some((leaf, value, sign * factor))
}

/// Whether a place is all of a value.
fn whole(place: &Place, schedule: &Schedule) -> bool {
    matches!(place.base, Base::Value(value) if schedule.values[value as usize].size == place.size())
}

fn number(place: &Place, schedule: &Schedule) -> Option<f64> {
    let Base::Value(value) = place.base else { return None };
    let Some(Constant::Number(literal)) = schedule.values[value as usize].constant else { return None };
    match literal {
        Literal::F32(_) | Literal::F64(_) => literal.as_f64(),
        _ => None,
    }
}
