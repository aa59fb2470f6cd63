//! The order in which instructions are done: as they were recorded, but what only serves an update is done as soon as
//! it can be. So a gradient is used while it is in the cache, and its memory is free afterwards.

use super::code::Code;

/// An instruction, and the values that are final once it is done, so that their groups need not wait for more.
pub(super) struct Turn {
    pub instruction: u32,
    pub settles: Vec<u32>,
}

/// Whom an instruction serves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    /// Nobody yet.
    None,
    /// One update and nothing else.
    Update(u32),
    /// Several, or an output.
    Many,
}

/// Updates that share work, such as a moment and the step made of it, are done together.
struct Families(Vec<u32>);

impl Families {
    fn find(&mut self, mut update: u32) -> u32 {
        while self.0[update as usize] != update {
            self.0[update as usize] = self.0[self.0[update as usize] as usize];
            update = self.0[update as usize];
        }
        update
    }

    fn join(&mut self, a: u32, b: u32) -> u32 {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
        a.min(b)
    }
}

pub(super) fn order(code: &Code, early: bool) -> Vec<Turn> {
    let count = code.instructions.len();
    let turn = |instruction: u32| Turn { instruction, settles: Vec::new() };
    if !early || code.updates.is_empty() {
        return (0..count as u32).map(turn).collect();
    }
    let (service, mut families) = services(code);
    let family: Vec<Option<u32>> = service
        .into_iter()
        .map(|service| if let Service::Update(update) = service { Some(families.find(update)) } else { None })
        .collect();

    // What each family waits for: operands from outside, and whoever else reads what it overwrites.
    let mut waits = vec![0_usize; code.updates.len()];
    let mut wakes: Vec<Vec<u32>> = vec![Vec::new(); count];
    let mut wait = |family: u32, on: u32| {
        waits[family as usize] += 1;
        wakes[on as usize].push(family);
    };
    let mut overwritten: Vec<Option<u32>> = vec![None; count];
    for (update, &(leaf, _)) in (0..).zip(&code.updates) {
        overwritten[code.leaves[leaf as usize].instruction as usize] = Some(families.find(update));
    }
    for (i, instruction) in (0..).zip(&code.instructions) {
        for &input in &instruction.inputs {
            match (family[i as usize], family[input as usize]) {
                (Some(own), other) if other != Some(own) => wait(own, input),
                _ => {}
            }
            if let Some(writer) =
                overwritten[input as usize].filter(|&writer| family[i as usize] != Some(writer))
            {
                wait(writer, i);
            }
        }
    }
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); code.updates.len()];
    for (i, family) in (0..).zip(&family) {
        if let Some(family) = *family {
            members[family as usize].push(i);
        }
    }
    emit(code, &family, &mut families, waits, &wakes, &members)
}

fn emit(
    code: &Code,
    family: &[Option<u32>],
    families: &mut Families,
    mut waits: Vec<usize>,
    wakes: &[Vec<u32>],
    members: &[Vec<u32>],
) -> Vec<Turn> {
    let mut results: Vec<Vec<u32>> = vec![Vec::new(); code.updates.len()];
    for (update, &(_, value)) in (0..).zip(&code.updates) {
        results[families.find(update) as usize].push(value);
    }
    let mut turns = Vec::with_capacity(family.len());
    let mut ready: Vec<u32> = (0..waits.len() as u32).filter(|&f| waits[f as usize] == 0).collect();
    let mut done = vec![false; code.updates.len()];
    let finish = |family: u32, turns: &mut Vec<Turn>| {
        let from = turns.len();
        turns.extend(members[family as usize].iter().map(|&i| Turn { instruction: i, settles: Vec::new() }));
        if let Some(last) = turns[from..].last_mut() {
            last.settles.clone_from(&results[family as usize]);
        }
    };
    let mut next = 0;
    while next < family.len() || !ready.is_empty() {
        let first = turns.len();
        if let Some(family) = ready.pop() {
            done[family as usize] = true;
            finish(family, &mut turns);
        } else {
            if family[next].is_none() {
                turns.push(Turn { instruction: next as u32, settles: Vec::new() });
            }
            next += 1;
        }
        for turn in &turns[first..] {
            for &waiting in &wakes[turn.instruction as usize] {
                waits[waiting as usize] -= 1;
                if waits[waiting as usize] == 0 {
                    ready.push(waiting);
                }
            }
        }
    }
    // Families that wait for each other are done as they were recorded.
    for (i, family) in (0..).zip(family) {
        if family.is_some_and(|family| !done[family as usize]) {
            turns.push(Turn { instruction: i, settles: Vec::new() });
        }
    }
    turns
}

fn services(code: &Code) -> (Vec<Service>, Families) {
    let mut families = Families((0..code.updates.len() as u32).collect());
    let mut service = vec![Service::None; code.instructions.len()];
    for &output in &code.outputs {
        service[output as usize] = Service::Many;
    }
    let mut value_of: Vec<Option<u32>> = vec![None; code.instructions.len()];
    for (update, &(_, value)) in (0..).zip(&code.updates) {
        match value_of[value as usize] {
            Some(other) => _ = families.join(other, update),
            None => value_of[value as usize] = Some(update),
        }
    }
    for i in (0..code.instructions.len()).rev() {
        if let Some(update) = value_of[i] {
            service[i] = match service[i] {
                Service::None => Service::Update(update),
                Service::Update(other) => Service::Update(families.join(update, other)),
                Service::Many => Service::Many,
            };
        }
        let own = service[i];
        for &input in &code.instructions[i].inputs {
            let known = &mut service[input as usize];
            *known = match (*known, own) {
                (Service::None, own) => own,
                (known, Service::None) => known,
                (Service::Update(a), Service::Update(b)) if families.find(a) == families.find(b) => *known,
                _ => Service::Many,
            };
        }
    }
    for (service, instruction) in service.iter_mut().zip(&code.instructions) {
        if instruction.op.is_leaf() {
            *service = Service::Many;
        }
    }
    (service, families)
}
