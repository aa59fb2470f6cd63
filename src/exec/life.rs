//! When values are computed and when they are last read, and which of them overwrite a parameter.

use hashbrown::HashMap;

use super::leaf::Lie;
use super::place::{Base, Place};
use super::schedule::{Schedule, Span, Unit};

/// Values that are written to the parameter whose new value they are, and nowhere else.
#[derive(Default)]
pub(super) struct Stores(pub HashMap<u32, u32>);

impl Stores {
    /// A value may overwrite its parameter if nothing reads the old one later, and nothing else the new one.
    pub fn find(schedule: &Schedule, leaves: &[Lie]) -> Self {
        let lives = lives(schedule, &Self::default());
        let mut last_read = vec![0; leaves.len()];
        for (u, unit) in schedule.units.iter().enumerate() {
            for place in reads(unit) {
                if let Base::Leaf(leaf) = place.base {
                    last_read[leaf as usize] = u;
                }
            }
        }
        let first_safe = schedule.first_safe();
        let mut found = HashMap::new();
        for update in &schedule.updates {
            let Base::Value(value) = update.place.base else { continue };
            let lie = &leaves[update.leaf as usize];
            let shown = schedule.outputs.iter().any(|place| place.base == Base::Value(value));
            let again =
                schedule.updates.iter().filter(|other| other.place.base == Base::Value(value)).count() > 1;
            let life = lives[value as usize];
            let late = life.born >= first_safe && last_read[update.leaf as usize] <= life.born;
            if shown || again || life.read_outside || !late {
                continue;
            }
            let Some(Unit::Group(group)) = schedule.units.get(life.born) else { continue };
            let Some(member) = group.members.iter().find(|member| member.out == value) else { continue };
            let mut operands = group
                .members
                .iter()
                .flat_map(|member| member.operands.iter().map(move |place| (place, member.span)));
            let beside = operands.all(|(place, span)| {
                place.base != Base::Leaf(update.leaf) || (place.is_packed() && span == member.span)
            });
            if member.span != Span::After && beside && lie.owned && lie.packed {
                found.insert(value, update.leaf);
            }
        }
        Self(found)
    }
}

/// When a value is computed and when it is last read, by unit.
#[derive(Clone, Copy)]
pub(super) struct Life {
    pub born: usize,
    pub last: usize,
    /// Whether anything outside its own unit reads it.
    pub read_outside: bool,
    /// Whether it needs a place in the buffer.
    pub escapes: bool,
}

pub(super) fn outs(unit: &Unit) -> impl Iterator<Item = u32> + '_ {
    let (members, single) = match unit {
        Unit::Group(group) => (&group.members[..], None),
        Unit::Pack { to, .. }
        | Unit::Fold { to, .. }
        | Unit::Assemble { to, .. }
        | Unit::Whole { to, .. } => (&[][..], Some(*to)),
        Unit::Check { .. } => (&[][..], None),
        Unit::Product(product) => (&[][..], Some(product.to)),
    };
    members.iter().map(|member| member.out).chain(single)
}

pub(super) fn reads(unit: &Unit) -> Vec<&Place> {
    match unit {
        Unit::Group(group) => group.members.iter().flat_map(|member| &member.operands).collect(),
        Unit::Pack { from, .. } | Unit::Fold { from, .. } | Unit::Check { from, .. } => vec![from],
        Unit::Whole { operands, .. } => operands.iter().flatten().collect(),
        Unit::Assemble { parts, .. } => parts.iter().map(|part| &part.from).collect(),
        Unit::Product(product) => vec![&product.a, &product.b],
    }
}

pub(super) fn lives(schedule: &Schedule, stores: &Stores) -> Vec<Life> {
    let never = Life { born: usize::MAX, last: 0, read_outside: false, escapes: false };
    let mut lives = vec![never; schedule.values.len()];
    for (u, unit) in schedule.units.iter().enumerate() {
        for value in outs(unit) {
            // Only a group can keep a value to itself, in a block.
            let escapes = !matches!(unit, Unit::Group(_)) && !stores.0.contains_key(&value);
            lives[value as usize] = Life { born: u, last: u, read_outside: false, escapes };
        }
        for place in reads(unit) {
            if let Base::Value(value) = place.base {
                let life = &mut lives[value as usize];
                life.last = u;
                life.read_outside |= life.born != u;
                life.escapes |= life.born != u;
            }
        }
        if let Unit::Group(group) = unit {
            for member in group.members.iter().filter(|member| member.span == Span::After) {
                lives[member.out as usize].escapes = true;
            }
        }
    }
    let updates = schedule.updates.iter().map(|update| &update.place);
    for place in schedule.outputs.iter().chain(updates) {
        match place.base {
            Base::Value(value) if !stores.0.contains_key(&value) => {
                let life = &mut lives[value as usize];
                life.last = usize::MAX;
                life.escapes = true;
            }
            _ => {}
        }
    }
    lives
}
