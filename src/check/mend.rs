//! The search for one small change that makes a formula right.

use hashbrown::HashMap;
use ndarray::ArrayD;

use super::edits::{Edit, Scene, Site};
use super::places::{Places, Sample};
use super::report::report;
use crate::graph::{Expr, NodeId};

/// How many mended formulas are computed by one program.
const TOGETHER: usize = 24;

/// The most plausible edit that makes the formula right, and whether it is right with it far away, too, which is preferred: of
/// the most telling kind the edit with the shortest report.
pub(super) fn mend<'g>(
    scene: &Scene<'g>,
    expected: Expr<'g>,
    places: &Places<'g>,
    telling: bool,
) -> Option<(Edit<'g>, bool)> {
    let [nearby] = &places.run_at(&[expected], [1]).ok()?[..] else { return None };
    let mut only_nearby = None;
    for edits in scene.edits(telling) {
        let candidates = edits.iter().filter_map(|edit| Some((edit, mended(scene, edit)?)));
        let candidates: Vec<(&Edit<'g>, Expr<'g>)> =
            candidates.filter(|(_, formula)| formula.shape() == expected.shape()).collect();
        let likely = likely(&candidates, places, &nearby[0]);
        let right = likely.into_iter().filter(|(_, formula)| places.agree(*formula, expected));
        let right = right.map(|(edit, formula)| (edit, places.agree_far(formula, expected)));
        let length = |edit| report(scene, edit).to_string().chars().count();
        match right.min_by_key(|&(edit, far)| (!far, edit.is_unlikely(), length(edit))) {
            Some((edit, true)) => return Some((edit.clone(), true)),
            nearby => only_nearby = only_nearby.or(nearby.map(|(edit, far)| (edit.clone(), far))),
        }
    }
    only_nearby
}

/// The formula with one place edited, if it can be written down.
pub(super) fn mended<'g>(scene: &Scene<'g>, edit: &Edit<'g>) -> Option<Expr<'g>> {
    let graph = scene.hand.graph();
    let everywhere = edit.place.site == Site::Everywhere;
    let mut images: HashMap<NodeId, Expr<'g>> = HashMap::new();
    if everywhere {
        images.insert(edit.place.e.id(), edit.with);
    }
    for &id in scene.own.iter().filter(|&&id| !everywhere || id != edit.place.e.id()) {
        let e = graph.handle(id);
        let mut inputs = e.inputs();
        let mut changed = false;
        for (k, input) in inputs.iter_mut().enumerate() {
            let image = match edit.place.site {
                Site::Operand { user, k: at } if (user, at) == (id, k) => Some(edit.with),
                Site::Inner { user, k: at, j } if (user, at) == (id, k) => {
                    Some(with_operand(*input, j, edit.with)?)
                }
                _ => images.get(&input.id()).copied(),
            };
            if let Some(image) = image {
                (*input, changed) = (image, true);
            }
        }
        if changed {
            images.insert(id, graph.apply(e.op()?, &inputs).ok()?);
        }
    }
    images.get(&scene.hand.id()).copied()
}

/// `e` with another operand `j`, if that can be written down.
fn with_operand<'g>(e: Expr<'g>, j: usize, operand: Expr<'g>) -> Option<Expr<'g>> {
    let mut inputs = e.inputs();
    *inputs.get_mut(j)? = operand;
    e.graph().apply(e.op()?, &inputs).ok()
}

/// The candidates that are right at one place near the present values.
fn likely<'a, 'g>(
    candidates: &[(&'a Edit<'g>, Expr<'g>)],
    places: &Places<'g>,
    expected: &ArrayD<f64>,
) -> Vec<(&'a Edit<'g>, Expr<'g>)> {
    let mut likely = Vec::new();
    for together in candidates.chunks(TOGETHER) {
        let formulas: Vec<Expr<'g>> = together.iter().map(|(_, formula)| *formula).collect();
        let values = match places.run_at(&formulas, [1]) {
            Ok(values) => values.into_iter().flatten().map(Some).collect(),
            // One that does not run hides the others.
            Err(_) => formulas.iter().map(|&formula| alone(formula, places)).collect::<Vec<_>>(),
        };
        for (&candidate, hand) in together.iter().zip(values) {
            if hand.is_some_and(|hand| Sample { hand, expected: expected.clone() }.agrees()) {
                likely.push(candidate);
            }
        }
    }
    likely
}

fn alone<'g>(formula: Expr<'g>, places: &Places<'g>) -> Option<ArrayD<f64>> {
    places.run_at(&[formula], [1]).ok()?.pop()?.pop()
}
