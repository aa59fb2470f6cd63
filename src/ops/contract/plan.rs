//! In which order several operands are contracted.
//!
//! The cost of a contraction is the number of products in it: that of the sizes of all axes that its two operands have. For up to
//! [`FEW`] operands the order of least total cost is found, by the cheapest order of every subset of them; beyond, the
//! cheapest next contraction is taken each time. Sizes are those that were recorded.

use super::Label;

/// Beyond so many operands the search for the best order takes too long.
const FEW: usize = 8;

/// Which two operands are contracted one after the other, by their numbers; the result of each contraction gets the next
/// number.
pub(super) fn plan(
    operands: &[Vec<Label>],
    output: &[Label],
    size: &dyn Fn(Label) -> f64,
) -> Vec<[usize; 2]> {
    if operands.len() <= FEW {
        Subsets { operands, output, size }.plan()
    } else {
        greedy(operands, output, size)
    }
}

/// The labels of either, each once.
fn union(a: &[Label], b: &[Label]) -> Vec<Label> {
    a.iter().chain(b.iter().filter(|label| !a.contains(label))).copied().collect()
}

fn product(labels: &[Label], size: &dyn Fn(Label) -> f64) -> f64 {
    labels.iter().map(|&label| size(label)).product()
}

struct Subsets<'a> {
    operands: &'a [Vec<Label>],
    output: &'a [Label],
    size: &'a dyn Fn(Label) -> f64,
}

impl Subsets<'_> {
    /// The axes that are left when a subset, which is a set of bits, has been contracted.
    fn labels(&self, subset: usize) -> Vec<Label> {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..self.operands.len()).partition(|k| subset & (1 << k) != 0);
        let needed = |label: &Label| {
            self.output.contains(label) || outside.iter().any(|&k| self.operands[k].contains(label))
        };
        let all = inside.iter().fold(Vec::new(), |all, &k| union(&all, &self.operands[k]));
        all.into_iter().filter(needed).collect()
    }

    fn plan(&self) -> Vec<[usize; 2]> {
        let all = (1_usize << self.operands.len()) - 1;
        let labels: Vec<Vec<Label>> = (0..=all).map(|subset| self.labels(subset)).collect();
        // For each subset its cost, and the part that is contracted on its own on the left.
        let mut best = vec![(0.0, 0); all + 1];
        for subset in 1..=all {
            if subset.is_power_of_two() {
                continue;
            }
            let mut least = (f64::INFINITY, 0);
            let first = 1 << subset.trailing_zeros();
            let mut left = (subset - 1) & subset;
            while left > 0 {
                let right = subset ^ left;
                if left & first != 0 {
                    let here = product(&union(&labels[left], &labels[right]), self.size);
                    let cost = best[left].0 + best[right].0 + here;
                    if cost <= least.0 {
                        least = (cost, left);
                    }
                }
                left = (left - 1) & subset;
            }
            best[subset] = least;
        }
        let mut steps = Vec::new();
        self.unfold(all, &best, &mut steps);
        steps
    }

    /// Appends the contractions of a subset; gives the number of its result. It goes as deep as there are operands.
    fn unfold(&self, subset: usize, best: &[(f64, usize)], steps: &mut Vec<[usize; 2]>) -> usize {
        if subset.is_power_of_two() {
            return subset.trailing_zeros() as usize;
        }
        let left = best[subset].1;
        let pair = [self.unfold(left, best, steps), self.unfold(subset ^ left, best, steps)];
        steps.push(pair);
        self.operands.len() + steps.len() - 1
    }
}

fn greedy(operands: &[Vec<Label>], output: &[Label], size: &dyn Fn(Label) -> f64) -> Vec<[usize; 2]> {
    let mut left: Vec<(usize, Vec<Label>)> = operands.iter().cloned().enumerate().collect();
    let mut steps = Vec::new();
    while left.len() > 1 {
        let cost = |i: usize, j: usize| product(&union(&left[i].1, &left[j].1), size);
        let pairs = (0..left.len()).flat_map(|i| (i + 1..left.len()).map(move |j| (i, j)));
        let cheapest = pairs.min_by(|&(i, j), &(k, l)| cost(i, j).total_cmp(&cost(k, l)));
        let Some((i, j)) = cheapest else { break };
        let (b, a) = (left.remove(j), left.remove(i));
        let needed =
            |label: &Label| output.contains(label) || left.iter().any(|(_, labels)| labels.contains(label));
        let result: Vec<Label> = union(&a.1, &b.1).into_iter().filter(needed).collect();
        steps.push([a.0, b.0]);
        left.push((operands.len() + steps.len() - 1, result));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(spec: &str) -> Vec<Vec<Label>> {
        spec.split(',').map(|operand| operand.chars().map(Label::from).collect()).collect()
    }

    #[test]
    fn a_chain_of_matrices_begins_at_the_narrow_end() {
        let size = |label: Label| if label == u32::from('d') { 1.0 } else { 100.0 };
        let output: Vec<Label> = "ad".chars().map(Label::from).collect();
        assert_eq!(plan(&labels("ab,bc,cd"), &output, &size), [[1, 2], [0, 3]]);
        let output: Vec<Label> = "da".chars().map(Label::from).collect();
        assert_eq!(plan(&labels("db,bc,ca"), &output, &size), [[0, 1], [3, 2]]);
    }

    #[test]
    fn many_operands_are_taken_as_they_are_cheapest() {
        let operands = labels("ab,bc,cd,de,ef,fg,gh,hi,ij,jk");
        let output: Vec<Label> = "ak".chars().map(Label::from).collect();
        let size = |label: Label| if label == u32::from('k') { 1.0 } else { 10.0 };
        let steps = plan(&operands, &output, &size);
        assert_eq!(steps.len(), 9);
        assert_eq!((steps[0], steps[1], steps[8]), ([8, 9], [7, 10], [0, 17]));
    }
}
