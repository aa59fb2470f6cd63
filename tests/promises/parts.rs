//! Diagonals, triangles and parts along several axes: numbers from NumPy, derivatives, sizes that follow what is fed.

use gradus::{Cut, Graph};
use ndarray::{Array2, ArrayD, NewAxis, array, s};

use crate::arrange::{Row, check_rows};
use crate::support::{Formula, Laid, Lie, Rng, Slope, check_derivatives};

#[test]
fn what_numpy_makes_of_an_array() {
    let rows: &[Row<'_>] = &[
        ("diagonal 0", &[3, 4], &|x| x.diagonal(0, [0, 1]), &[3], &[1, 6, 11]),
        ("diagonal 1", &[3, 4], &|x| x.diagonal(1, [0, 1]), &[3], &[2, 7, 12]),
        ("diagonal -1", &[3, 4], &|x| x.diagonal(-1, [0, 1]), &[2], &[5, 10]),
        ("diagonal 3", &[3, 4], &|x| x.diagonal(3, [0, 1]), &[1], &[4]),
        ("diagonal -5", &[3, 4], &|x| x.diagonal(-5, [0, 1]), &[0], &[]),
        ("diagonal, tall", &[4, 2], &|x| x.diagonal(-1, [0, 1]), &[2], &[3, 6]),
        ("diagonal of the first axes", &[2, 3, 2], &|x| x.diagonal(0, [0, 1]), &[2, 2], &[1, 9, 2, 10]),
        ("diagonal of the last axes", &[2, 2, 3], &|x| x.diagonal(1, [-2, -1]), &[2, 2], &[2, 6, 8, 12]),
        ("diagonal, columns first", &[3, 2, 3], &|x| x.diagonal(1, [2, 0]), &[2, 2], &[7, 14, 10, 17]),
        ("diag of a matrix", &[3, 2], &|x| x.diag(-1), &[2], &[3, 6]),
        ("diag of a vector", &[3], &|x| x.diag(0), &[3, 3], &[1, 0, 0, 0, 2, 0, 0, 0, 3]),
        (
            "diag of a vector, above",
            &[2],
            &|x| x.diag(2),
            &[4, 4],
            &[0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        ("diag of a vector, below", &[2], &|x| x.diag(-1), &[3, 3], &[0, 0, 0, 1, 0, 0, 0, 2, 0]),
        ("diag_embed", &[2, 2], &|x| x.diag_embed(0), &[2, 2, 2], &[1, 0, 0, 2, 3, 0, 0, 4]),
        (
            "diag_embed above",
            &[2, 2],
            &|x| x.diag_embed(1),
            &[2, 3, 3],
            &[0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0],
        ),
        ("diag_embed of nothing", &[2, 0], &|x| x.diag_embed(-2), &[2, 2, 2], &[0, 0, 0, 0, 0, 0, 0, 0]),
        (
            "diagflat",
            &[2, 2],
            &|x| x.diagflat(-1),
            &[5, 5],
            &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 4, 0],
        ),
        ("trace", &[2, 4], &|x| x.trace(1, [0, 1]), &[], &[9]),
        ("trace, far", &[2, 4], &|x| x.trace(-7, [0, 1]), &[], &[0]),
        ("trace of a batch", &[2, 2, 3], &|x| x.trace(0, [-2, -1]), &[2], &[6, 18]),
        ("trace of the first axes", &[2, 3, 2], &|x| x.trace(-1, [0, 1]), &[2], &[7, 8]),
        ("tril 0", &[3, 4], &|x| x.tril(0), &[3, 4], &[1, 0, 0, 0, 5, 6, 0, 0, 9, 10, 11, 0]),
        ("triu 0", &[4, 3], &|x| x.triu(0), &[4, 3], &[1, 2, 3, 0, 5, 6, 0, 0, 9, 0, 0, 0]),
        ("tril 1", &[3, 4], &|x| x.tril(1), &[3, 4], &[1, 2, 0, 0, 5, 6, 7, 0, 9, 10, 11, 12]),
        ("triu 1", &[4, 3], &|x| x.triu(1), &[4, 3], &[0, 2, 3, 0, 0, 6, 0, 0, 0, 0, 0, 0]),
        ("tril -2", &[3, 4], &|x| x.tril(-2), &[3, 4], &[0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0]),
        ("triu -2", &[4, 3], &|x| x.triu(-2), &[4, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 11, 12]),
        ("tril 7", &[3, 4], &|x| x.tril(7), &[3, 4], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        ("triu 7", &[4, 3], &|x| x.triu(7), &[4, 3], &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("tril of a batch", &[2, 2, 3], &|x| x.tril(-1), &[2, 2, 3], &[0, 0, 0, 4, 0, 0, 0, 0, 0, 10, 0, 0]),
        ("triu of a batch", &[2, 2, 3], &|x| x.triu(0), &[2, 2, 3], &[1, 2, 3, 0, 5, 6, 7, 8, 9, 0, 11, 12]),
        (
            "slice_each",
            &[4, 5],
            &|x| x.slice_each([Cut::python(1, 3, 1), Cut::python(None, None, 2)]),
            &[2, 3],
            &[6, 8, 10, 11, 13, 15],
        ),
        (
            "slice_each back",
            &[4, 5],
            &|x| x.slice_each([Cut::python(None, 0, -2), Cut::python(-2, None, -1)]),
            &[2, 4],
            &[19, 18, 17, 16, 9, 8, 7, 6],
        ),
        (
            "slice_each clipped",
            &[4, 3],
            &|x| x.slice_each([Cut::python(-9, 9, 3), Cut::python(9, 0, -1)]),
            &[2, 2],
            &[3, 2, 12, 11],
        ),
        ("slice_each of none", &[4, 3], &|x| x.slice_each([Cut::python(3, 1, 1)]), &[0, 3], &[]),
        ("slice_each of an entry", &[3, 4], &|x| x.slice_each(s![1, ..]), &[4], &[5, 6, 7, 8]),
        ("slice_each of the last", &[3, 4], &|x| x.slice_each(s![.., -1]), &[3], &[4, 8, 12]),
        ("slice_each with a new axis", &[3, 4], &|x| x.slice_each(s![1..;2, NewAxis, 2]), &[1, 1], &[7]),
        (
            "slice_assign a number",
            &[3, 4],
            &|x| x.slice_assign(s![1.., ..;2], 9.0),
            &[3, 4],
            &[1, 2, 3, 4, 9, 6, 9, 8, 9, 10, 9, 12],
        ),
        (
            "slice_add a number",
            &[3, 4],
            &|x| x.slice_add([Cut::python(None, None, -2), Cut::python(1, 2, 1)], 9.0),
            &[3, 4],
            &[1, 11, 3, 4, 5, 6, 7, 8, 9, 19, 11, 12],
        ),
        ("split_at", &[2, 6], &|x| x.split_at(1, &[1, 4])[1], &[2, 3], &[2, 3, 4, 8, 9, 10]),
        ("split_at the end", &[2, 6], &|x| x.split_at(-1, &[1, 4])[2], &[2, 2], &[5, 6, 11, 12]),
        ("split_at beyond", &[4], &|x| x.split_at(0, &[3, 9])[1], &[1], &[4]),
        ("split_at, back", &[5], &|x| x.split_at(0, &[-3, -1])[1], &[2], &[3, 4]),
    ];
    check_rows(rows, &["trace, far", "triu 7"]);
}

#[test]
fn derivatives_of_two_operands() {
    let whole = [Cut::ALL];
    let python = [Cut::python(1, 3, 1), Cut::python(None, None, -2)];
    let rows: &[(&str, &[&[usize]], Formula<'_>)] = &[
        ("slice_assign", &[&[4, 4], &[2, 2]], &move |x| x[0].slice_assign(python, x[1])),
        ("slice_assign, stretched", &[&[4, 4], &[2]], &move |x| x[0].slice_assign(python, x[1])),
        ("slice_assign of a row", &[&[4, 3], &[3]], &|x| x[0].slice_assign(s![-1, ..], x[1])),
        ("slice_assign with a new axis", &[&[4, 3], &[2, 1]], &|x| {
            x[0].slice_assign(s![1..3, NewAxis, 0], x[1])
        }),
        ("slice_assign of all", &[&[2, 2], &[2, 2]], &move |x| x[0].slice_assign(whole, x[1]) + x[0]),
        ("slice_assign of itself", &[&[4, 2]], &|x| x[0].slice_assign(s![..2, ..], x[0].slice(0, 2..))),
        ("slice_add", &[&[4, 2], &[2, 2]], &|x| x[0].slice_add(s![1..3, ..], x[1])),
        ("slice_add, stretched", &[&[4, 4], &[]], &move |x| x[0].slice_add(python, x[1])),
        ("slice_add to nothing", &[&[3, 2], &[1, 2]], &|x| x[0].slice_add(s![3.., ..], x[1]) + x[1]),
        ("undiagonal", &[&[2], &[3, 4]], &|x| x[0].undiagonal(-1, [0, 1], x[1]) * x[1]),
        ("split_at", &[&[2, 6]], &|x| {
            let parts = x[0].split_at(1, &[1, 4]);
            parts[0] * parts[1] + parts[2].sum_axis(1).expand_dims(1)
        }),
        ("a matrix times its diagonal", &[&[3, 3]], &|x| x[0].diag(0).diag(0).dot(x[0])),
    ];
    let mut rng = Rng(74);
    for (label, shapes, formula) in rows {
        for lie in [Lie::C, Lie::Transposed, Lie::Stepped] {
            let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            check_derivatives(label, Slope::Some, draw, *formula);
        }
    }
}

#[test]
fn diagonals_follow_what_is_fed() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3]);
    let y = g.placeholder::<f64>("y", [2]);
    let outputs = (x.diagonal(1, [0, 1]), x.trace(1, [0, 1]).grad(x), x.tril(0), x.eye_like(0), y.diag(-1));
    let mut program = g.compile(outputs, ()).unwrap();
    let plain = |m: usize, n: usize, such: &dyn Fn(usize, usize) -> bool| {
        Array2::from_shape_fn((m, n), |(i, j)| f64::from(u8::from(such(i, j)))).into_dyn()
    };
    for (m, n) in [(2, 3), (4, 2), (1, 1), (0, 3), (5, 5)] {
        let ones = ArrayD::ones(vec![m, n]);
        let line = ArrayD::ones(vec![n]);
        let (diagonal, d, lower, eye, matrix) = program.run_with(&[x.feed(&ones), y.feed(&line)]).unwrap();
        assert_eq!(diagonal.shape(), [m.min(n.saturating_sub(1))]);
        assert_eq!(d, plain(m, n, &|i, j| j == i + 1));
        assert_eq!(lower, plain(m, n, &|i, j| j <= i));
        assert_eq!(eye, plain(m, n, &|i, j| j == i));
        assert_eq!(matrix, plain(n + 1, n + 1, &|i, j| i == j + 1));
    }
}

#[test]
fn what_is_left_out_may_be_anything() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let g = Graph::new();
    let x = g.input("x", array![[1.0, inf], [nan, 2.0]]);
    assert_eq!(x.tril(0).triu(0).value().unwrap(), array![[1.0, 0.0], [0.0, 2.0]].into_dyn());
    let d = x.tril(0).triu(0).square().sum().grad(x);
    assert_eq!(d.value().unwrap(), array![[2.0, 0.0], [0.0, 4.0]].into_dyn());
    let replaced = x.slice_assign(s![0, 1], 3.0).slice_assign(s![1, 0], 4.0);
    assert_eq!(replaced.value().unwrap(), array![[1.0, 3.0], [4.0, 2.0]].into_dyn());
    let d = replaced.square().sum().grad(x);
    assert_eq!(d.value().unwrap(), array![[2.0, 0.0], [0.0, 4.0]].into_dyn());
}

#[test]
fn a_jacobian_of_diagonals_is_one_batch() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]]);
    let jacobian = x.diagonal(0, [0, 1]).square().jacobian(x);
    let expected = array![[[2.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 8.0]]];
    assert_eq!(jacobian.value().unwrap(), expected.into_dyn());
    let v = g.input("v", array![1.0, 2.0]);
    let hessian = v.diag(1).square().sum().hessian(v);
    assert_eq!(hessian.value().unwrap(), array![[2.0, 0.0], [0.0, 2.0]].into_dyn());
}

#[test]
fn the_gradient_of_a_split_is_a_concatenation() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [5]);
    for (positions, joined) in [
        (&[1, 3][..], true),
        (&[-3, -1], true),
        (&[2], true),
        (&[3, 1], false),
        (&[2, -1], false),
        (&[], false),
    ] {
        let parts = x.split_at(0, positions);
        let y = parts.iter().fold(g.constant(0.0), |sum, part| sum + part.powi(3).sum());
        let d = y.grad(x);
        assert_eq!(d.to_string().contains("concat(["), joined, "{positions:?}: {d}");
        let mut program = g.compile(d, ()).unwrap();
        for n in [5, 2, 0] {
            let numbers = ndarray::Array1::from_iter((0..n).map(f64::from)).into_dyn();
            // How many parts an element is in.
            let mut count = numbers.mapv(|_| 0.0);
            let place = |k: isize| (if k < 0 { k + n as isize } else { k }).clamp(0, n as isize);
            let ends: Vec<isize> = positions.iter().map(|&k| place(k)).collect();
            let starts = std::iter::once(0).chain(ends.iter().copied());
            for (start, end) in starts.zip(ends.iter().copied().chain([n as isize])) {
                (start..end).for_each(|k| count[k as usize] += 1.0);
            }
            let found = program.run_with(&[x.feed(&numbers)]).unwrap();
            assert_eq!(found, &numbers * &numbers * 3.0 * &count, "{positions:?} of {n}");
        }
    }
}

#[test]
fn printed_as_written() {
    let g = Graph::new();
    let x = g.input("x", Array2::<f64>::zeros((2, 3)));
    for (y, text) in [
        (x.diagonal(1, [0, 1]), "x.diagonal(1, [0, 1])"),
        (x.diagonal(1, [0, 1]).sum().grad(x), "1.broadcast_to((2,)).undiagonal(1, [0, 1])"),
        (x.trace(0, [0, 1]), "x.diagonal(0, [0, 1]).sum()"),
        (x.slice_each(s![1, ..;2]), "x.slice(0, 1..2).slice(1, ..;2).squeeze(0)"),
        (x.slice_each([Cut::python(1, None, -1)]), "x.slice(0, 1::-1)"),
        (x.swapaxes(0, 1), "x.t()"),
        (x.flip(1), "x.slice(1, ..;-1)"),
    ] {
        assert_eq!(y.to_string(), text);
    }
}
