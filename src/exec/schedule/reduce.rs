//! Reductions: of the rows of a group, of all that it computes, or apart.

use smallvec::SmallVec;

use super::unit::{Act, Span, Unit};
use super::{OpenGroup, Schedule};
use crate::element::DType;
use crate::exec::place::{Base, Place};
use crate::kernels::Middle;
use crate::ops::Fold;
use crate::shape::{Axes, Shape};

/// How long the rows of a group may be: several have to stay in the cache.
pub(super) const COLUMNS: usize = 4096;

impl Schedule {
    /// A packed value; the shape is for the caller to say.
    pub(super) fn reduce(&mut self, fold: Fold, mut place: Place, axes: &Axes, dtype: DType) -> Place {
        let reduced = |axis: usize| axes.contains(axis);
        let count: usize = axes.iter().map(|axis| place.shape[axis]).product();
        let mut segments = segments(&place.shape, reduced);
        let scattered = segments.iter().filter(|segment| segment.1).count() > 1;
        if fold == Fold::ArgMax && scattered {
            // An index counts over all reduced axes, so they have to lie together.
            let axes = (0..place.shape.ndim()).filter(|&axis| !reduced(axis)).chain(axes.iter());
            let kept = place.size() / count.max(1);
            segments = vec![(kept, false), (count, true)];
            place = self.pack(place.permuted(axes.collect::<Vec<_>>().into_iter()));
        }
        if !segments.iter().any(|segment| segment.1) {
            segments.push((1, true));
        }
        while let Some(last) = segments.iter().rposition(|segment| segment.1) {
            let (middle, _) = segments.remove(last);
            let product = |segments: &[(usize, bool)]| segments.iter().map(|segment| segment.0).product();
            let axis =
                Middle { outer: product(&segments[..last]), middle, inner: product(&segments[last..]) };
            let done = !segments.iter().any(|segment| segment.1);
            let divisor = (fold == Fold::Mean && done).then_some(count as f64);
            place = self.reduce_axis(fold, divisor, place, axis, dtype);
        }
        place
    }

    /// Reduces one axis.
    fn reduce_axis(
        &mut self,
        fold: Fold,
        divisor: Option<f64>,
        place: Place,
        axis: Middle,
        dtype: DType,
    ) -> Place {
        let Middle { outer, middle, inner } = axis;
        let joins = matches!(fold, Fold::Sum | Fold::Mean | Fold::Prod | Fold::Max | Fold::Min);
        let blockwise = joins && dtype.is_float();
        if blockwise && inner == 1 && middle > 1 {
            if middle <= COLUMNS {
                return self.reduce_rows(Act::Rows(fold, divisor), Span::Row, middle, place, dtype);
            } else if outer == 1 {
                return self.reduce_rows(Act::Total(fold, divisor), Span::After, middle, place, dtype);
            }
        }
        let from = self.packed(place);
        self.settle(from.base);
        let to = self.value(dtype, outer * inner, None);
        self.units.push(Unit::Fold { fold, from, axis, divisor, to });
        Place::packed(Base::Value(to), dtype, 0, Shape::from([outer * inner]))
    }

    /// A reduction as a member of a group.
    fn reduce_rows(&mut self, act: Act, span: Span, columns: usize, place: Place, dtype: DType) -> Place {
        let fits = |open: &OpenGroup| {
            open.group.size == place.size()
                && (span == Span::After || open.group.columns.is_none_or(|known| known == columns))
        };
        let i = match self.owner(place.base) {
            Some((owner, Span::Full)) if place.is_packed() => {
                self.find(owner).filter(|&i| fits(&self.open[i]))
            }
            Some(_) => None,
            None => self.open.iter().position(|open| open.shape == place.shape && fits(open)),
        };
        if i.is_none() {
            self.settle(place.base);
        }
        let i = i.unwrap_or_else(|| self.open(&place.shape));
        if span == Span::Row {
            self.open[i].group.columns = Some(columns);
        }
        let out = self.append(i, act, span, SmallVec::from_iter([place]), dtype);
        let size = self.values[out as usize].size;
        Place::packed(Base::Value(out), dtype, 0, Shape::from([size]))
    }
}

/// Sizes of neighbouring axes that are both reduced or both kept, multiplied; axes of size 1 do not count.
pub(in crate::exec) fn segments(shape: &[usize], reduced: impl Fn(usize) -> bool) -> Vec<(usize, bool)> {
    let mut segments: Vec<(usize, bool)> = Vec::new();
    for (axis, &size) in shape.iter().enumerate().filter(|&(_, &size)| size != 1) {
        match segments.last_mut() {
            Some((last, kind)) if *kind == reduced(axis) => *last *= size,
            _ => segments.push((size, reduced(axis))),
        }
    }
    segments
}
