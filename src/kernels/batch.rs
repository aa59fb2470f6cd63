//! Products of many matrices.

use super::{Factor, Layout, Level, Matrix, MatrixMut, Shared, Threads, product_at};

/// How many multiplications make a part that other threads may take.
const PART: usize = 1 << 16;

/// Writes `a · b`, packed, for each pair of matrices that begin so far behind the first ones.
#[allow(unsafe_code, reason = "several threads write parts of one result")]
pub(crate) fn products<T: Factor + Send + Sync>(
    level: Level,
    (a, first_a): (&[T], Layout),
    (b, first_b): (&[T], Layout),
    starts: &[(isize, isize)],
    out: &mut [T],
    threads: Threads,
) {
    let size = first_a.rows * first_b.columns;
    let behind =
        |layout: Layout, start: isize| Layout { offset: (layout.offset as isize + start) as usize, ..layout };
    let together = (PART / (size * first_a.columns).max(1)).clamp(1, starts.len().max(1));
    let out = Shared::new(out);
    threads.each(starts.len().div_ceil(together), |part| {
        let from = part * together;
        for (i, &(p, q)) in (from..).zip(&starts[from..starts.len().min(from + together)]) {
            // SAFETY: every entry of the batch has a part of its own.
            let to = unsafe { out.part(i * size..(i + 1) * size) };
            let (x, y) = (Matrix::new(a, behind(first_a, p)), Matrix::new(b, behind(first_b, q)));
            let to = MatrixMut::new(to, Layout::by_rows(first_a.rows, first_b.columns));
            product_at(level, T::ONE, x, y, T::ZERO, to, Threads::ONE);
        }
    });
}
