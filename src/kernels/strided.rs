//! Reading arrays that do not lie in C order.

/// Copies the elements `start..start + out.len()`, counted in C order of `shape`, of the strided array that begins at
/// `data[offset]`.
pub(crate) fn gather<T: Copy>(
    data: &[T],
    offset: usize,
    shape: &[usize],
    strides: &[isize],
    start: usize,
    out: &mut [T],
) {
    let Some((&columns, rows)) = shape.split_last() else {
        out.fill(data[offset]);
        return;
    };
    if out.is_empty() {
        return;
    }
    let step = strides[rows.len()];
    let (mut row, mut column) = (start / columns, start % columns);
    let mut out = out;
    while !out.is_empty() {
        let length = (columns - column).min(out.len());
        let (now, later) = out.split_at_mut(length);
        let first = base(rows, strides, row) + offset as isize + column as isize * step;
        copy_line(data, first, step, now);
        out = later;
        column = 0;
        row += 1;
    }
}

/// The elements of `from`, in C order of `shape`, written to the strided places of `out` that begin at `offset`.
pub(crate) fn scatter<T: Copy>(from: &[T], shape: &[usize], strides: &[isize], offset: usize, out: &mut [T]) {
    let Some((&columns, rows)) = shape.split_last() else {
        out[offset] = from[0];
        return;
    };
    if from.is_empty() {
        return;
    }
    let step = strides[rows.len()];
    for (row, line) in from.chunks_exact(columns).enumerate() {
        let first = base(rows, strides, row) + offset as isize;
        if step == 1 {
            out[first as usize..first as usize + columns].copy_from_slice(line);
        } else {
            for (i, &x) in line.iter().enumerate() {
                out[(first + i as isize * step) as usize] = x;
            }
        }
    }
}

/// Where row number `row` of an array of rows begins, relative to its first element.
fn base(rows: &[usize], strides: &[isize], mut row: usize) -> isize {
    let mut base = 0;
    for (&size, &stride) in rows.iter().zip(strides).rev() {
        base += (row % size) as isize * stride;
        row /= size;
    }
    base
}

fn copy_line<T: Copy>(data: &[T], first: isize, step: isize, out: &mut [T]) {
    match step {
        1 => out.copy_from_slice(&data[first as usize..first as usize + out.len()]),
        0 => out.fill(data[first as usize]),
        _ => {
            for (i, out) in out.iter_mut().enumerate() {
                *out = data[(first + i as isize * step) as usize];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{gather, scatter};

    #[test]
    fn scatter_undoes_gather() {
        let mut out = [0; 12];
        scatter(&[1, 2, 3, 4], &[2, 2], &[4, -2], 7, &mut out);
        assert_eq!(out, [0, 0, 0, 0, 0, 2, 0, 1, 0, 4, 0, 3]);
        let mut back = [0; 4];
        gather(&out, 7, &[2, 2], &[4, -2], 0, &mut back);
        assert_eq!(back, [1, 2, 3, 4]);
    }

    #[test]
    fn gathers_any_part_of_a_transpose() {
        let data: Vec<usize> = (0..12).collect();
        let whole: Vec<usize> = (0..4).flat_map(|i| (0..3).map(move |j| j * 4 + i)).collect();
        for start in 0..12 {
            for end in start..=12 {
                let mut out = vec![99; end - start];
                gather(&data, 0, &[4, 3], &[1, 4], start, &mut out);
                assert_eq!(out, whole[start..end]);
            }
        }
    }

    #[test]
    fn gathers_backwards_and_repeats() {
        let data = [1, 2, 3];
        let mut out = [0; 6];
        gather(&data, 2, &[3, 2], &[-1, 0], 0, &mut out);
        assert_eq!(out, [3, 3, 2, 2, 1, 1]);
    }
}
