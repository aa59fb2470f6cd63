//! Where the cells of each layer stand across the flow.

use super::cells::Cells;

/// Between neighbours.
const SPACE: f64 = 14.0;
/// How often all layers are placed anew.
const SWEEPS: usize = 14;
/// How often lines are straightened.
const ROUNDS: usize = 3;

/// Places that keep the order and the distances, near those at which edges are straight: layer by layer, forwards and
/// backwards, the least squares of the distances from the neighbours' places.
pub(super) fn place(cells: &Cells) -> Vec<f64> {
    let mut places = vec![0.0; cells.content.len()];
    for layer in &cells.layers {
        let width: f64 = layer.iter().map(|&cell| 2.0 * cells.half[cell] + SPACE).sum();
        let mut at = -width / 2.0;
        for &cell in layer {
            places[cell] = at + cells.half[cell];
            at += 2.0 * cells.half[cell] + SPACE;
        }
    }
    let count = cells.layers.len();
    for sweep in 0..SWEEPS {
        let side = match sweep {
            _ if sweep + 4 >= SWEEPS => Side::Both,
            _ if sweep % 2 == 0 => Side::Operands,
            _ => Side::Users,
        };
        for step in 0..count {
            let layer = if sweep % 2 == 0 { step } else { count - 1 - step };
            settle(cells, &cells.layers[layer], side, &mut places);
        }
    }
    for _ in 0..ROUNDS {
        straighten(cells, &mut places);
    }
    let least = (0..places.len()).map(|cell| places[cell] - cells.half[cell]).fold(f64::INFINITY, f64::min);
    places.iter_mut().for_each(|place| *place -= least);
    places
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Operands,
    Users,
    Both,
}

/// How much an edge wants to be straight.
fn weight(cells: &Cells, a: usize, b: usize) -> f64 {
    match (cells.is_pass(a), cells.is_pass(b)) {
        (true, true) => 8.0,
        (false, false) => 1.0,
        _ => 2.0,
    }
}

/// Where a cell would stand for its edges to be straight, and how much that counts.
fn wish(cells: &Cells, cell: usize, side: Side, places: &[f64]) -> Option<(f64, f64)> {
    let (mut sum, mut total) = (0.0, 0.0);
    let mut add = |other: usize, place: f64| {
        let weight = weight(cells, cell, other);
        sum += weight * place;
        total += weight;
    };
    if side != Side::Users {
        cells.operands[cell].iter().for_each(|&(other, port)| add(other, places[other] - port));
    }
    if side != Side::Operands {
        cells.users[cell].iter().for_each(|&(other, port)| add(other, places[other] + port));
    }
    (total > 0.0).then(|| (sum / total, total))
}

/// The places of a layer nearest to the wishes. With the distances taken away, they must not descend: wherever wishes do,
/// neighbours are pooled at their mean.
fn settle(cells: &Cells, layer: &[usize], side: Side, places: &mut [f64]) {
    struct Pool {
        place: f64,
        weight: f64,
        count: usize,
    }
    let mut pools: Vec<Pool> = Vec::new();
    let mut offsets: Vec<f64> = Vec::with_capacity(layer.len());
    for (i, &cell) in layer.iter().enumerate() {
        let offset = match offsets.last() {
            None => 0.0,
            Some(before) => before + cells.half[layer[i - 1]] + SPACE + cells.half[cell],
        };
        offsets.push(offset);
        let wish = wish(cells, cell, side, places).or_else(|| wish(cells, cell, Side::Both, places));
        let (place, weight) = wish.unwrap_or((places[cell], 1e-3));
        let mut pool = Pool { place: place - offset, weight, count: 1 };
        while let Some(before) = pools.pop_if(|before| before.place > pool.place) {
            let weight = before.weight + pool.weight;
            let place = (before.place * before.weight + pool.place * pool.weight) / weight;
            pool = Pool { place, weight, count: before.count + pool.count };
        }
        pools.push(pool);
    }
    let pooled = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.place, pool.count));
    for ((&cell, offset), place) in layer.iter().zip(offsets).zip(pooled) {
        places[cell] = place + offset;
    }
}

/// The cell behind this one that should stand at the same place: where an edge goes on, or the only user of a cell that is
/// its only operand.
fn next(cells: &Cells, cell: usize) -> Option<usize> {
    let users = &cells.users[cell];
    let on = users.iter().map(|&(user, _)| user).find(|&user| cells.is_pass(cell) && cells.is_pass(user));
    on.or_else(|| match users[..] {
        [(user, _)] if cells.operands[user].len() == 1 => Some(user),
        _ => None,
    })
}

/// Gives lines of cells one place as far as there is room between their neighbours.
fn straighten(cells: &Cells, places: &mut [f64]) {
    let next: Vec<Option<usize>> = (0..places.len()).map(|cell| next(cells, cell)).collect();
    let mut is_first = vec![true; places.len()];
    next.iter().flatten().for_each(|&cell| is_first[cell] = false);
    let mut neighbours = vec![(None, None); places.len()];
    for layer in &cells.layers {
        for pair in layer.windows(2) {
            neighbours[pair[0]].1 = Some(pair[1]);
            neighbours[pair[1]].0 = Some(pair[0]);
        }
    }
    for first in (0..places.len()).filter(|&cell| is_first[cell]) {
        let mut line: Vec<usize> = Vec::new();
        let mut room = (f64::NEG_INFINITY, f64::INFINITY);
        let mut at = Some(first);
        while let Some(cell) = at {
            let apart = |other: usize| cells.half[other] + SPACE + cells.half[cell];
            let (before, behind) = neighbours[cell];
            let least = before.map_or(f64::NEG_INFINITY, |other| places[other] + apart(other));
            let most = behind.map_or(f64::INFINITY, |other| places[other] - apart(other));
            let both = (room.0.max(least), room.1.min(most));
            if both.0 <= both.1 {
                room = both;
            } else {
                set(&line, room, places);
                line.clear();
                room = (least.min(places[cell]), most.max(places[cell]));
            }
            line.push(cell);
            at = next[cell];
        }
        set(&line, room, places);
    }
}

/// Puts a line at the mean of its places, as far as there is room.
fn set(line: &[usize], room: (f64, f64), places: &mut [f64]) {
    let mean = line.iter().map(|&cell| places[cell]).sum::<f64>() / line.len().max(1) as f64;
    let place = mean.max(room.0).min(room.1);
    line.iter().for_each(|&cell| places[cell] = place);
}
