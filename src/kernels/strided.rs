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
    use super::gather;

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
