//! Parts of an array, each among zeros, that are added up to the whole: what the gradient of a split or of a roll is.

use super::Site;
use crate::graph::{Expr, NodeId};
use crate::ops::{Binary, Op, Slicing};
use crate::shape::{Axes, Cut};

/// A part among zeros.
struct Part<'g> {
    part: Expr<'g>,
    division: Division,
    /// Between which ends it lies.
    ends: [isize; 2],
}

/// How an array is divided, whatever its size: what it is, and along which axis. Only parts of one division fit together.
#[derive(PartialEq)]
struct Division {
    whole: NodeId,
    axes: Axes,
    kind: Kind,
}

#[derive(PartialEq)]
enum Kind {
    Equal { count: usize },
    Rolled { shift: isize },
    At,
}

/// The ends of the axis itself.
const START: isize = isize::MIN;
const END: isize = isize::MAX;

impl<'g> Part<'g> {
    fn of(at: &Site<'_, 'g>, e: Expr<'g>) -> Option<Self> {
        let [part, like] = at.operands(e, |op| matches!(op, Op::Slicing(Slicing::Unslice { .. })))?;
        let Some(Op::Slicing(Slicing::Unslice { axes, cut })) = e.op() else { return None };
        axes.single()?;
        let (kind, ends) = match *cut {
            Cut::Part { index, count } => {
                let end = |k: usize| {
                    if k == 0 {
                        START
                    } else if k == count {
                        END
                    } else {
                        k as isize
                    }
                };
                (Kind::Equal { count }, [end(index), end(index + 1)])
            }
            Cut::Rolled { shift, wrapped: false } => (Kind::Rolled { shift }, [START, 0]),
            Cut::Rolled { shift, wrapped: true } => (Kind::Rolled { shift }, [0, END]),
            Cut::Clipped { start, end, step: 1 } => (Kind::At, [start.unwrap_or(START), end.unwrap_or(END)]),
            _ => return None,
        };
        Some(Self { part, division: Division { whole: like.id(), axes, kind }, ends })
    }
}

/// The concatenation of parts that are all there are.
pub(super) fn put_together<'g>(at: &Site<'_, 'g>) -> Option<Expr<'g>> {
    let mut parts = vec![Part::of(at, at.b())?];
    let mut rest = Some(at.a());
    while let Some(sum) = rest.take() {
        let mut one = sum;
        if let Some([others, last]) = at.pair(sum, Binary::Add) {
            (rest, one) = (Some(others), last);
        }
        let part = Part::of(at, one).filter(|part| part.division == parts[0].division)?;
        parts.push(part);
    }
    let axes = parts[0].division.axes.clone();
    Some(crate::ops::concat(&in_order(&parts)?, axes))
}

/// The parts as they stand one behind the other, if they are the whole.
fn in_order<'g>(parts: &[Part<'g>]) -> Option<Vec<Expr<'g>>> {
    let mut order = Vec::with_capacity(parts.len());
    let mut end = START;
    while end != END {
        let next = parts.iter().find(|part| part.ends[0] == end)?;
        // Places that are counted from one end, and do not go back, are in this order in an array of any size.
        let turns = end != START && next.ends[1] != END && (end < 0) != (next.ends[1] < 0);
        if next.ends[1] <= end || turns || order.len() == parts.len() {
            return None;
        }
        order.push(next.part);
        end = next.ends[1];
    }
    (order.len() == parts.len()).then_some(order)
}
