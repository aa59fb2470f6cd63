//! What an edit that makes a formula right says about it.

use super::Slip;
use super::edits::{Edit, Reason, Scene, Site};
use super::slip::Change;
use super::words::{formula, is_infix, name_or_formula, origin, sign};
use crate::graph::{Expr, LeafKind};
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
    let beside = scene.hand.origin();
    let own = scene.own.contains(&e.id());
    let users = || scene.own.iter().filter(|&&id| graph.handle(id).inputs().iter().any(|x| x.id() == e.id()));
    let user = match edit.place.site {
        Site::Operand { user, .. } => Some(graph.handle(user)),
        Site::Everywhere => users().next().map(|&id| graph.handle(id)),
    };
    // What the formula itself writes once stands at a line of its own.
    let once = own && !e.is(Op::is_leaf) && users().count() < 2;
    let found = if once && edit.reason.is_of_operation() { formula(e) } else { name_or_formula(e) };
    let only_there = matches!(edit.place.site, Site::Operand { .. }) && !(once && e.name().is_none());
    let within = user.filter(|_| only_there && !(once && edit.reason.is_of_operation()));
    let written: Expr<'g> = if once { e } else { user.unwrap_or(e) };
    Change {
        found,
        within: within.map(formula),
        origin: origin(within.unwrap_or(written), beside),
        expected: name_or_formula(edit.with),
    }
}
