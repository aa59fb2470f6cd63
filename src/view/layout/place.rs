//! Where the cells of each layer stand across the flow.

use super::cells::Cells;

/// Between neighbours.
const SPACE: f64 = 14.0;
/// How often all layers are placed anew.
const SWEEPS: usize = 14;

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
