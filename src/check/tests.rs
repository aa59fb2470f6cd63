//! Formulas that are wrong by chance: what a report says of them is true.

use super::edits::{Scene, all_names};
use super::mend::{mend, mended};
use super::places::Places;
use super::random::Random;
use super::report::report;
use crate::graph::Expr;
use crate::prelude::*;

/// A network with one hidden layer, and its cost with a term for the size of the weights; beside each variable its
/// derivative by hand.
fn network(g: &Graph) -> (Expr<'_>, Vec<(Expr<'_>, Expr<'_>)>) {
    let x = g.input("X", array![[1.0, 2.0, -1.0], [0.5, -0.3, 0.8]]);
    let y = g.input("Y", array![[1.0, 0.0, 1.0]]);
    let w1 = g.param("W1", array![[0.3, -0.2], [0.1, 0.4], [-0.5, 0.2], [0.7, 0.1]]);
    let b1 = g.param("b1", array![[0.1], [0.0], [-0.1], [0.2]]);
    let w2 = g.param("W2", array![[0.4, -0.6, 0.2, 0.9]]);
    let b2 = g.param("b2", array![[0.05]]);
    let z1 = (w1.dot(x) + b1).named("Z1");
    let a1 = z1.tanh().named("A1");
    let z2 = (w2.dot(a1) + b2).named("Z2");
    let a2 = z2.sigmoid().named("A2");
    let m = y.size_of(1);
    let cost = -(y * a2.ln() + (1.0 - y) * (1.0 - a2).ln()).mean()
        + 0.7 / (2.0 * m) * (w1.square().sum() + w2.square().sum());

    let dz2 = (a2 - y) / m;
    let dw2 = dz2.dot(a1.t()) + 0.7 / m * w2;
    let dz1 = w2.t().dot(dz2) * (1.0 - a1.square());
    let dw1 = dz1.dot(x.t()) + 0.7 / m * w1;
    let pairs =
        [(w1, dw1), (b1, dz1.sum_keepdims(1)), (w2, dw2), (b2, dz2.sum_keepdims(1)), (z1, dz1), (z2, dz2)];
    (cost.erase(), pairs.map(|(wrt, hand)| (wrt.erase(), hand.erase())).to_vec())
}

/// Every edit of a right formula makes one that may be wrong. What is said of those that are is true: with the change, they are
/// right at places at which it was not sought, too.
#[test]
fn changes_make_random_wrong_formulas_right() {
    let g = Graph::new();
    let (cost, pairs) = network(&g);
    let names = all_names(&g);
    let mut random = Random::new(3);
    let (mut wrong, mut unnamed) = (0, Vec::new());
    for (wrt, right) in pairs {
        let expected = cost.retype::<f64>().grad(wrt.retype::<f64>()).erase();
        let places = Places::new(&[&[right, expected, cost], &names[..]].concat()).unwrap();
        let elsewhere = Places::seeded(&[right, expected, cost], 11).unwrap();
        let scene = |hand| Scene::new(hand, cost, expected, names.clone(), &places);
        let right = scene(right);
        let edits: Vec<_> = right.edits(false).flatten().collect();
        for edit in edits.iter().filter(|_| random.number().abs() < 0.268) {
            let Some(hand) = mended(&right, edit).filter(|&hand| !places.agree(hand, expected)) else {
                continue;
            };
            wrong += 1;
            let wrong_scene = scene(hand);
            match mend(&wrong_scene, expected, &places, false) {
                Some((edit, far)) => {
                    let formula = mended(&wrong_scene, &edit).unwrap();
                    let right = elsewhere.agree(formula, expected) && elsewhere.agree_far(formula, expected);
                    assert!(far && right, "{hand}: {}", report(&wrong_scene, &edit));
                }
                None => unnamed.push(hand.to_string()),
            }
        }
    }
    assert!(wrong > 60 && unnamed.len() * 10 < wrong, "of {wrong} there is nothing to say of {unnamed:#?}");
}
