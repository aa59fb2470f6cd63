//! The order of the cells in each layer.

use super::cells::Cells;

/// How often all layers are put in order, forwards and backwards.
const SWEEPS: usize = 12;
/// After how many sweeps without fewer crossings no more are tried.
const PATIENCE: usize = 4;

/// Puts the cells of every layer in an order in which few edges cross: each to the mean place of its neighbours in the layer
/// before, then in the layer behind, again and again; the best order counts.
pub(super) fn order(cells: &mut Cells) {
    let mut place = vec![0.0; cells.content.len()];
    let mut best = (crossings(cells, &mut place), cells.layers.clone());
    let mut idle = 0;
    for sweep in 0..SWEEPS {
        if best.0 == 0 || idle == PATIENCE {
            break;
        }
        let forwards = sweep % 2 == 0;
        let count = cells.layers.len();
        number_all(cells, &mut place);
        for step in 1..count {
            let layer = if forwards { step } else { count - 1 - step };
            sort(cells, layer, forwards, &mut place);
        }
        exchange(cells, &mut place);
        let found = crossings(cells, &mut place);
        idle += 1;
        if found < best.0 {
            best = (found, cells.layers.clone());
            idle = 0;
        }
    }
    cells.layers = best.1;
}

fn number(layer: &[usize], place: &mut [f64]) {
    layer.iter().enumerate().for_each(|(i, &cell)| place[cell] = i as f64);
}

fn number_all(cells: &Cells, place: &mut [f64]) {
    cells.layers.iter().for_each(|layer| number(layer, place));
}

/// By the mean place of the operands, or of the users. Cells without any stay where they are.
fn sort(cells: &mut Cells, layer: usize, forwards: bool, place: &mut [f64]) {
    let mut row = std::mem::take(&mut cells.layers[layer]);
    let mean = |cell: usize| {
        let near = if forwards { &cells.operands[cell] } else { &cells.users[cell] };
        // Where several edges end on one cell, the order of their ends decides between equals.
        let sum: f64 =
            near.iter().map(|&(other, port)| place[other] + if forwards { 0.0 } else { 1e-4 * port }).sum();
        (!near.is_empty()).then(|| sum / near.len() as f64)
    };
    let means: Vec<Option<f64>> = row.iter().map(|&cell| mean(cell)).collect();
    let mut moved: Vec<(f64, usize)> =
        row.iter().zip(&means).filter_map(|(&cell, &mean)| Some((mean?, cell))).collect();
    moved.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut moved = moved.into_iter();
    for (at, mean) in row.iter_mut().zip(means) {
        if mean.is_some()
            && let Some((_, cell)) = moved.next()
        {
            *at = cell;
        }
    }
    number(&row, place);
    cells.layers[layer] = row;
}

/// Exchanges neighbours wherever that makes fewer crossings.
fn exchange(cells: &mut Cells, place: &mut [f64]) {
    for layer in 0..cells.layers.len() {
        let mut row = std::mem::take(&mut cells.layers[layer]);
        for i in 1..row.len() {
            let (a, b) = (row[i - 1], row[i]);
            let between = |a: usize, b: usize| {
                inversions(&cells.operands[a], &cells.operands[b], |(cell, _)| place[cell])
                    + inversions(&cells.users[a], &cells.users[b], |(cell, port)| place[cell] + 1e-4 * port)
            };
            if between(b, a) < between(a, b) {
                row.swap(i - 1, i);
                (place[a], place[b]) = (place[b], place[a]);
            }
        }
        cells.layers[layer] = row;
    }
}

/// How many of the first come behind how many of the second.
fn inversions(a: &[(usize, f64)], b: &[(usize, f64)], place: impl Fn((usize, f64)) -> f64) -> usize {
    // Cells with many edges are few, and are not worth it.
    if a.len() * b.len() > 64 {
        return 0;
    }
    a.iter().map(|&a| b.iter().filter(|&&b| place(a) > place(b)).count()).sum()
}

/// How many edges cross in all.
fn crossings(cells: &Cells, place: &mut [f64]) -> usize {
    number_all(cells, place);
    cells.layers.iter().map(|layer| crossings_behind(cells, layer, place)).sum()
}

/// How many edges from a layer cross: the pairs whose ends are in another order than their beginnings, counted with a
/// binary indexed tree.
fn crossings_behind(cells: &Cells, layer: &[usize], place: &[f64]) -> usize {
    let mut ends: Vec<f64> = Vec::new();
    for &cell in layer {
        let mut of_cell: Vec<f64> =
            cells.users[cell].iter().map(|&(user, port)| place[user] + 1e-4 * port).collect();
        of_cell.sort_by(f64::total_cmp);
        ends.extend(of_cell);
    }
    let mut sorted = ends.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let mut tree = vec![0_usize; sorted.len() + 1];
    let mut total = 0;
    for (before, end) in ends.iter().enumerate() {
        let rank = sorted.partition_point(|other| other < end) + 1;
        let (mut not_behind, mut i) = (0, rank);
        while i > 0 {
            not_behind += tree[i];
            i &= i - 1;
        }
        total += before - not_behind;
        i = rank;
        while i < tree.len() {
            tree[i] += 1;
            i += i & i.wrapping_neg();
        }
    }
    total
}
