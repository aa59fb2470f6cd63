//! What an edit that makes a formula right says about it.

use super::Slip;
use super::edits::{Edit, Reason, Scene, Site};
use super::slip::Change;
use super::words::{formula, is_infix, name_or_formula, origin, sign};
use crate::graph::{LeafKind, NodeId};
use crate::ops::{Binary, Op};

/// The slip that an edit mends.
pub(super) fn report<'g>(scene: &Scene<'g>, edit: &Edit<'g>) -> Slip {
    let e = edit.place.e;
    let name = || e.op().map_or("", |op| op.name());
    let change = change(scene, edit);
    match edit.reason.clone() {
        Reason::Broadcast { operand } => {
            let inputs = e.inputs();
            Slip::Broadcast {
                op: name(),
                operands: [inputs[0].shape(), inputs[1].shape()],
                result: e.shape(),
                origin: change.origin,
                should: (name_or_formula(inputs[operand]), inputs[1 - operand].shape()),
            }
        }
        Reason::Superfluous => match updated(edit) {
            Some(parameter) => Slip::Updated { parameter, change },
            None => Slip::Superfluous { what: superfluous(edit), change },
        },
        Reason::Product => Slip::Product { matrix: edit.with.is(|op| matches!(op, Op::MatMul(_))), change },
        Reason::Exchanged => Slip::Exchanged { change },
        Reason::Axis => Slip::Axis { change },
        Reason::Missing { what, size } => Slip::Missing { what, size, change },
        Reason::InPlaceOf { found, expected } | Reason::Name { found, expected } => {
            Slip::InPlaceOf { found, expected, change }
        }
        Reason::NotDerived => Slip::NotDerived { function: name(), change },
    }
}

/// The parameter, if the edit puts one in the place of its update.
fn updated(edit: &Edit<'_>) -> Option<String> {
    let leaf = edit.with.leaf().filter(|leaf| leaf.kind == LeafKind::Parameter);
    let is_update = edit.place.e.is(|op| *op == Op::Binary(Binary::Sub)) && is_first(edit);
    leaf.filter(|_| is_update).and_then(|_| edit.with.name())
}

fn is_first(edit: &Edit<'_>) -> bool {
    edit.place.e.inputs()[0].id() == edit.with.id()
}

/// What an operand in the place of the result leaves out.
fn superfluous(edit: &Edit<'_>) -> String {
    let (e, inputs) = (edit.place.e, edit.place.e.inputs());
    let Some(op) = e.op() else { return String::new() };
    let sign = sign(&op);
    match (is_infix(&op), is_first(edit)) {
        (true, true) => format!("{sign} {}", name_or_formula(inputs[1])),
        (true, false) => format!("{} {sign}", name_or_formula(inputs[0])),
        (false, _) => sign,
    }
}

fn change<'g>(scene: &Scene<'g>, edit: &Edit<'g>) -> Change {
    let (graph, e) = (scene.hand.graph(), edit.place.e);
    // Where the formula has been written before, the last line that wrote it is the one that is meant.
    let beside = scene.hand.origins().pop().unwrap_or(scene.hand.origin());
    let handle = |id: NodeId| graph.handle(id);
    let users = || {
        scene.own.iter().map(|&id| handle(id)).filter(|user| user.inputs().iter().any(|x| x.id() == e.id()))
    };
    let user = match edit.place.site {
        Site::Operand { user, .. } => Some(handle(user)),
        Site::Inner { user, k, .. } => handle(user).inputs().get(k).copied(),
        Site::Everywhere => users().next(),
    };
    // What the formula writes itself, and not for other uses, stands at a line of its own.
    let alone = edit.place.site != Site::Everywhere;
    let own = scene.own.contains(&e.id()) && !e.is(Op::is_leaf) && !(alone && users().count() > 1);
    let of_operation = own && edit.reason.is_of_operation();
    let within = user.filter(|_| alone && !of_operation && !(own && e.name().is_none()));
    let written = within.or(user.filter(|_| !own)).unwrap_or(e);
    Change {
        found: if of_operation { formula(e) } else { name_or_formula(e) },
        within: within.map(formula),
        origin: origin(written, beside),
        expected: if edit.reason.is_of_name() { name_or_formula(edit.with) } else { formula(edit.with) },
    }
}
