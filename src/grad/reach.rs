//! Why a variable got no cotangent: zero, undefined and unreachable are three different things.

use super::Derivative;
use crate::graph::{Expr, NodeId, NodeSet};
use crate::ops::{Cotangent, Site};

/// What the paths from `result` to `target` are, given that no cotangent came through. Only asked when something is
/// amiss, so it may ask every rule on the way; what the rules record is removed again.
pub(super) fn explain<'g>(result: Expr<'g>, target: Expr<'g>) -> Derivative<'g> {
    let graph = result.graph();
    let mark = graph.mark();
    let sound = search(result, target, false);
    let any = if sound.is_some() { None } else { search(result, target, true) };
    graph.truncate(mark);
    match (sound, any) {
        (Some(_), _) => Derivative::Zero,
        (None, Some(Some(through))) => Derivative::Undefined(through),
        _ => Derivative::Unreachable,
    }
}

/// Looks for a path from `result` to `target`; with `broken` ones, says where the first of them has no derivative.
fn search<'g>(result: Expr<'g>, target: Expr<'g>, broken: bool) -> Option<Option<NodeId>> {
    let graph = result.graph();
    let mut seen = NodeSet::new(&graph.arena());
    let mut open = vec![(result, None)];
    while let Some((y, gap)) = open.pop() {
        if y.id() == target.id() {
            return Some(gap);
        }
        let position = graph.arena().get(y.id()).map(|node| node.position);
        let Some(op) = y.op().filter(|_| position.is_some_and(|position| seen.insert(position))) else {
            continue;
        };
        let inputs = y.inputs();
        let site = Site { inputs: &inputs, result: y, cotangent: y };
        for (k, &x) in inputs.iter().enumerate().filter(|&(k, _)| op.reads(k) || op.derives(k)) {
            // What the rule records is thrown away, so that no node may keep the line of the rule.
            let undefined = || matches!(op.vjp(k, &site), Cotangent::Undefined);
            let floats = y.dtype().is_float() && x.dtype().is_float();
            let smooth = floats && !graph.with_origin(y.origin(), undefined);
            if smooth {
                open.push((x, gap));
            } else if broken {
                open.push((x, gap.or(Some(y.id()))));
            }
        }
    }
    None
}
