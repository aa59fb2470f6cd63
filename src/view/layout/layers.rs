//! In which layer each item stands.

use super::Link;

/// How often items are moved to where their edges are shorter.
const PASSES: usize = 4;

/// A layer for each item: as early as its operands allow, but where more edges leave it than enter it, as late as its
/// users allow.
pub(super) fn layers(count: usize, links: &[Link]) -> Vec<usize> {
    let mut operands = vec![Vec::new(); count];
    let mut users = vec![Vec::new(); count];
    for link in links {
        operands[link.to].push(link.from);
        users[link.from].push(link.to);
    }
    let mut layers = vec![0; count];
    for item in 0..count {
        layers[item] = operands[item].iter().map(|&operand| layers[operand] + 1).max().unwrap_or(0);
    }
    for _ in 0..PASSES {
        let before = layers.clone();
        for item in (0..count).rev() {
            if let Some(next) = users[item].iter().map(|&user| layers[user]).min()
                && operands[item].len() <= 1
                && users[item].len() >= operands[item].len()
            {
                layers[item] = next - 1;
            }
        }
        if layers == before {
            break;
        }
    }
    let first = layers.iter().copied().min().unwrap_or(0);
    layers.iter_mut().for_each(|layer| *layer -= first);
    layers
}
