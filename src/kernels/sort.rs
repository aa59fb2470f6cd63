//! The order of numbers along an axis.

use std::cmp::Ordering;

use super::gather::{each_part, parts_of};
use super::{Middle, Shared, Threads};

/// How many numbers [`argsort`] works in.
pub(crate) fn argsort_scratch(of: Middle) -> usize {
    if of.inner == 1 { 0 } else { parts_of(of.outer) * of.middle }
}

/// The indices along the middle axis of an (outer, middle, inner) array that put it in order: NaN above all numbers, and
/// equal ones as they stood.
pub(crate) fn argsort<T: Copy + PartialOrd + Sync>(
    of: Middle,
    descending: bool,
    x: &[T],
    out: &mut [i64],
    scratch: &mut [i64],
    threads: Threads,
) {
    let Middle { outer, middle, inner } = of;
    let scratch = Shared::new(scratch);
    each_part(outer, middle * inner, out, threads, |part, blocks, out| {
        for (o, out) in blocks.zip(out.chunks_exact_mut(middle * inner)) {
            let x = &x[o * middle * inner..(o + 1) * middle * inner];
            if inner == 1 {
                sort(out, descending, |i| x[i]);
                continue;
            }
            // SAFETY: every part has its own.
            #[allow(unsafe_code, reason = "see above")]
            let line = unsafe { scratch.part(part * middle..(part + 1) * middle) };
            for i in 0..inner {
                sort(line, descending, |k| x[k * inner + i]);
                out[i..].iter_mut().step_by(inner).zip(&*line).for_each(|(to, &index)| *to = index);
            }
        }
    });
}

/// Equal elements are told apart by their indices: so no two are the same to the sort, and it need not be a stable one, which
/// would allocate.
#[inline(always)]
fn sort<T: Copy + PartialOrd>(indices: &mut [i64], descending: bool, x: impl Fn(usize) -> T) {
    indices.iter_mut().zip(0..).for_each(|(index, k)| *index = k);
    indices.sort_unstable_by(|&i, &j| {
        let order = compare(x(i as usize), x(j as usize));
        (if descending { order.reverse() } else { order }).then(i.cmp(&j))
    });
}

/// NaN is above all numbers.
#[inline(always)]
#[allow(clippy::eq_op, reason = "only a NaN is not itself")]
fn compare<T: PartialOrd>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| (a != a).cmp(&(b != b)))
}
