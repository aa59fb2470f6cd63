//! Products of arrays of any rank: values against sums as a reader would write them, derivatives, other sizes, errors.

use gradus::{Graph, Var, einsum};
use ndarray::{ArrayD, IxDyn, array};

use crate::support::{
    Formula, Laid, Lie, Mistake, Rng, Slope, assert_close, check_derivatives, check_mistakes, panicked,
};

/// The sum of products over all values of all indices, one by one. Every axis has a letter; one of size 1 stretches.
fn plain_einsum(spec: &str, operands: &[ArrayD<f64>]) -> ArrayD<f64> {
    let (inputs, output) = spec.split_once("->").unwrap();
    let inputs: Vec<Vec<char>> = inputs.split(',').map(|part| part.chars().collect()).collect();
    let mut letters: Vec<(char, usize)> = Vec::new();
    for (labels, operand) in inputs.iter().zip(operands) {
        for (&letter, &size) in labels.iter().zip(operand.shape()) {
            match letters.iter_mut().find(|seen| seen.0 == letter) {
                Some(seen) => seen.1 = if seen.1 == 1 { size } else { seen.1 },
                None => letters.push((letter, size)),
            }
        }
    }
    let place = |letter: char| letters.iter().position(|seen| seen.0 == letter).unwrap();
    let shape: Vec<usize> = output.chars().map(|letter| letters[place(letter)].1).collect();
    let mut sums = ArrayD::zeros(shape);
    for at in ndarray::indices(letters.iter().map(|letter| letter.1).collect::<Vec<_>>()) {
        let mut product = 1.0;
        for (labels, operand) in inputs.iter().zip(operands) {
            let index = labels.iter().zip(operand.shape());
            let index: Vec<usize> =
                index.map(|(&letter, &size)| if size == 1 { 0 } else { at[place(letter)] }).collect();
            product *= operand[&index[..]];
        }
        let to: Vec<usize> = output.chars().map(|letter| at[place(letter)]).collect();
        sums[&to[..]] += product;
    }
    sums
}

/// A specification, what it says in letters alone, and shapes of operands.
type Row<'a> = (&'a str, &'a str, &'a [&'a [usize]]);

const ROWS: &[Row<'_>] = &[
    ("ij->ji", "ij->ji", &[&[2, 3]]),
    ("ij->", "ij->", &[&[2, 3]]),
    ("ijk->kj", "ijk->kj", &[&[2, 3, 4]]),
    ("ba", "ba->ab", &[&[2, 3]]),
    ("ii->i", "ii->i", &[&[3, 3]]),
    ("ii", "ii->", &[&[3, 3]]),
    ("iji->j", "iji->j", &[&[3, 2, 3]]),
    ("iijj->ji", "iijj->ji", &[&[2, 2, 3, 3]]),
    ("iii->i", "iii->i", &[&[2, 2, 2]]),
    ("...ii->...", "abii->ab", &[&[2, 3, 2, 2]]),
    ("i...->...", "iab->ab", &[&[2, 3, 2]]),
    ("...->...", "ab->ab", &[&[2, 3]]),
    ("", "->", &[&[]]),
    ("ij,jk->ik", "ij,jk->ik", &[&[2, 3], &[3, 4]]),
    ("ij,jk", "ij,jk->ik", &[&[2, 3], &[3, 4]]),
    ("ij,kj->ki", "ij,kj->ki", &[&[2, 3], &[4, 3]]),
    ("ij,j->i", "ij,j->i", &[&[2, 3], &[3]]),
    ("j,jk->k", "j,jk->k", &[&[3], &[3, 2]]),
    ("i,i->", "i,i->", &[&[3], &[3]]),
    ("i,j->ji", "i,j->ji", &[&[3], &[2]]),
    ("ij,ij->ij", "ij,ij->ij", &[&[2, 3], &[2, 3]]),
    ("ij,ji->", "ij,ji->", &[&[2, 3], &[3, 2]]),
    ("ij,ij->j", "ij,ij->j", &[&[2, 3], &[2, 3]]),
    ("bij,bjk->bik", "bij,bjk->bik", &[&[2, 3, 4], &[2, 4, 2]]),
    ("bij,bkj->kbi", "bij,bkj->kbi", &[&[2, 3, 4], &[2, 3, 4]]),
    ("bij,bj->bi", "bij,bj->bi", &[&[2, 3, 4], &[2, 4]]),
    ("bj,bjk->kb", "bj,bjk->kb", &[&[2, 3], &[2, 3, 4]]),
    ("bij,jk->bik", "bij,jk->bik", &[&[2, 3, 4], &[4, 2]]),
    ("abij,acjk->acbik", "abij,acjk->acbik", &[&[2, 2, 3, 2], &[2, 3, 2, 2]]),
    ("ijkl,klmn->mnij", "ijkl,klmn->mnij", &[&[2, 2, 3, 2], &[3, 2, 2, 3]]),
    ("ijkl,ljm->imk", "ijkl,ljm->imk", &[&[2, 3, 2, 2], &[2, 3, 2]]),
    ("kl,klmn->mn", "kl,klmn->mn", &[&[3, 2], &[3, 2, 2, 3]]),
    ("bkl,bklmn->nbm", "bkl,bklmn->nbm", &[&[2, 3, 2], &[2, 3, 2, 2, 3]]),
    ("...ij,...jk->...ik", "abij,bjk->abik", &[&[2, 3, 2, 3], &[3, 3, 2]]),
    ("...ij,...jk", "aij,ajk->aik", &[&[2, 2, 3], &[1, 3, 2]]),
    ("i...,i...->...i", "iab,ib->abi", &[&[2, 3, 2], &[2, 2]]),
    ("...i,...i", "abi,bi->ab", &[&[2, 3, 2], &[3, 2]]),
    ("...i->i", "abi->i", &[&[2, 3, 2]]),
    ("ij,jk->ik", "ij,jk->ik", &[&[2, 1], &[3, 2]]),
    ("ij,jk->ik", "ij,jk->ik", &[&[2, 3], &[1, 2]]),
    ("bij,bjk->bik", "bij,bjk->bik", &[&[1, 2, 3], &[3, 3, 2]]),
    ("ij,ij->ij", "ij,ij->ij", &[&[2, 1], &[1, 3]]),
    ("ij,ik->jk", "ij,ik->jk", &[&[2, 3], &[2, 2]]),
    ("ijk,l->il", "ijk,l->il", &[&[2, 3, 2], &[2]]),
    ("ij,->ij", "ij,->ij", &[&[2, 3], &[]]),
    (" i j , j k -> k i ", "ij,jk->ki", &[&[2, 3], &[3, 2]]),
    ("ij,jk,kl->il", "ij,jk,kl->il", &[&[2, 3], &[3, 2], &[2, 4]]),
    ("ij,jk,kl", "ij,jk,kl->il", &[&[2, 3], &[3, 2], &[2, 4]]),
    ("i,ij,j->", "i,ij,j->", &[&[2], &[2, 3], &[3]]),
    ("bi,bj,bk->ijk", "bi,bj,bk->ijk", &[&[2, 3], &[2, 2], &[2, 3]]),
    ("ij,ij,ij->ij", "ij,ij,ij->ij", &[&[2, 3], &[1, 3], &[2, 1]]),
    ("ii,ij,jj->i", "ii,ij,jj->i", &[&[2, 2], &[2, 3], &[3, 3]]),
    ("ab,bc,cd,de,ef->af", "ab,bc,cd,de,ef->af", &[&[2, 3], &[3, 1], &[1, 2], &[2, 3], &[3, 2]]),
    (
        "a,a,a,a,a,a,a,a,ab->b",
        "a,a,a,a,a,a,a,a,ab->b",
        &[&[2], &[2], &[2], &[2], &[2], &[2], &[2], &[2], &[2, 3]],
    ),
    ("ij,jk->ik", "ij,jk->ik", &[&[2, 0], &[0, 3]]),
    ("ij,jk->ik", "ij,jk->ik", &[&[0, 3], &[3, 2]]),
    ("bij,bjk->bik", "bij,bjk->bik", &[&[0, 2, 3], &[0, 3, 2]]),
    ("ii->i", "ii->i", &[&[0, 0]]),
];

#[test]
fn einsum_is_the_sum_over_all_indices() {
    let mut rng = Rng(81);
    for &(spec, letters, shapes) in ROWS {
        for (k, lie) in Lie::ALL.into_iter().enumerate() {
            let laid: Vec<Laid> = shapes
                .iter()
                .enumerate()
                .map(|(i, shape)| {
                    Laid::new(rng.distinct(shape), if i % 2 == 0 { lie } else { Lie::ALL[4 - k] })
                })
                .collect();
            let g = Graph::new();
            let x: Vec<Var<'_>> =
                shapes.iter().enumerate().map(|(i, shape)| g.placeholder(&format!("x{i}"), *shape)).collect();
            let y = einsum(spec, &x);
            let views: Vec<_> = laid.iter().map(Laid::view).collect();
            let expected =
                plain_einsum(letters, &views.iter().map(|view| view.to_owned()).collect::<Vec<_>>());
            assert_eq!(y.shape(), expected.shape(), "{spec} {shapes:?}");
            let feeds: Vec<_> = x.iter().zip(&views).map(|(x, view)| x.feed(view)).collect();
            for plain in [false, true] {
                let program = g.compile(y, ()).unwrap();
                let mut program = if plain { program.plain() } else { program };
                assert_close(&program.run_with(&feeds).unwrap().to_owned(), &expected, 1e-14);
            }
        }
    }
}

#[test]
fn derivatives_of_einsum() {
    let mut rng = Rng(82);
    for (k, &(spec, _, shapes)) in ROWS.iter().enumerate() {
        let lie = Lie::ALL[k % Lie::ALL.len()];
        let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
        check_derivatives(&format!("{spec} {shapes:?}"), Slope::Some, draw, &|x| einsum(spec, x));
    }
    let itself: Formula<'_> = &|x| einsum("ij,jk,ik->i", &[x[0], x[0], x[0].sin()]);
    check_derivatives("with itself", Slope::Some, || vec![Laid::new(rng.distinct(&[3, 3]), Lie::C)], itself);
}

/// Operands by their shapes, what einsum says of the product, and a formula of it.
type Product<'a> = (&'a str, &'a [&'a [usize]], &'a str, Formula<'a>);

#[test]
fn products_of_all_ranks() {
    let rows: &[Product<'_>] = &[
        ("dot: 3 and 1", &[&[2, 3, 4], &[4]], "ijk,k->ij", &|x| x[0].dot(x[1])),
        ("dot: 1 and 3", &[&[3], &[2, 3, 4]], "j,ijk->ik", &|x| x[0].dot(x[1])),
        ("dot: 3 and 2", &[&[2, 3, 4], &[4, 2]], "ijk,kl->ijl", &|x| x[0].dot(x[1])),
        ("dot: 2 and 3", &[&[2, 3], &[2, 3, 4]], "ij,kjl->ikl", &|x| x[0].dot(x[1])),
        ("dot: 3 and 3", &[&[2, 3, 2], &[3, 2, 2]], "ijk,lkm->ijlm", &|x| x[0].dot(x[1])),
        ("dot: 4 and 3", &[&[2, 1, 2, 3], &[2, 3, 2]], "ijkl,mln->ijkmn", &|x| x[0].dot(x[1])),
        ("dot: a number", &[&[], &[2, 1, 3]], ",ijk->ijk", &|x| x[0].dot(x[1])),
        ("dot of nothing", &[&[2, 1, 0], &[3, 0, 2]], "ijk,lkm->ijlm", &|x| x[0].dot(x[1])),
        ("outer", &[&[2], &[3]], "i,j->ij", &|x| x[0].outer(x[1])),
        ("inner: vectors", &[&[3], &[3]], "i,i->", &|x| x[0].inner(x[1])),
        ("inner: matrices", &[&[2, 3], &[4, 3]], "ik,jk->ij", &|x| x[0].inner(x[1])),
        ("inner: 3 and 1", &[&[2, 2, 3], &[3]], "ijk,k->ij", &|x| x[0].inner(x[1])),
        ("inner: 1 and 3", &[&[3], &[2, 2, 3]], "k,ijk->ij", &|x| x[0].inner(x[1])),
        ("inner: a number", &[&[2, 3], &[]], "ij,->ij", &|x| x[0].inner(x[1])),
        ("vdot", &[&[2, 3], &[2, 3]], "ij,ij->", &|x| x[0].vdot(x[1])),
        ("tensordot 0", &[&[2, 3], &[2]], "ij,k->ijk", &|x| x[0].tensordot(x[1], 0)),
        ("tensordot 1", &[&[2, 3], &[3, 2, 2]], "ij,jkl->ikl", &|x| x[0].tensordot(x[1], 1)),
        ("tensordot 2", &[&[2, 3, 4], &[3, 4, 5]], "ijk,jkl->il", &|x| x[0].tensordot(x[1], 2)),
        ("tensordot of all", &[&[2, 3], &[2, 3]], "ij,ij->", &|x| x[0].tensordot(x[1], 2)),
        ("tensordot_axes", &[&[2, 3, 4], &[4, 2, 2]], "ijk,kil->jl", &|x| {
            x[0].tensordot_axes(x[1], [2, 0], [0, 1])
        }),
        ("tensordot_axes, one", &[&[2, 3, 2], &[2, 3]], "ijk,lj->ikl", &|x| x[0].tensordot_axes(x[1], 1, -1)),
        ("tensordot_axes, crossed", &[&[2, 3, 2], &[3, 2, 2]], "ijk,jil->kl", &|x| {
            x[0].tensordot_axes(x[1], [0, 1], [1, 0])
        }),
    ];
    let mut rng = Rng(83);
    for &(label, shapes, spec, formula) in rows {
        for lie in Lie::ALL {
            let laid: Vec<Laid> = shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            let g = Graph::new();
            let views: Vec<_> = laid.iter().map(Laid::view).collect();
            let x: Vec<Var<'_>> = views.iter().map(|view| g.constant(view)).collect();
            let expected = plain_einsum(spec, &views.iter().map(|view| view.to_owned()).collect::<Vec<_>>());
            let y = formula(&x);
            assert_eq!(y.shape(), expected.shape(), "{label}");
            assert_close(&y.value().unwrap(), &expected, 1e-14);
        }
        let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), Lie::Transposed)).collect();
        check_derivatives(label, Slope::Some, draw, formula);
    }
}

fn numbers(shape: &[usize], first: f64) -> ArrayD<f64> {
    let mut next = first - 1.0;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        next += 1.0;
        next
    })
}

/// Of the numbers from 1 and from 2 on in two shapes: what NumPy's `kron`, `cross`, `outer` and `vdot` make of them.
type Pair<'a> = (&'a str, [&'a [usize]; 2], Formula<'a>, &'a [usize], &'a [i32]);

#[test]
fn what_numpy_makes_of_two_arrays() {
    let rows: &[Pair<'_>] = &[
        (
            "kron",
            [&[2, 2], &[2, 3]],
            &|x| x[0].kron(x[1]),
            &[4, 6],
            &[2, 3, 4, 4, 6, 8, 5, 6, 7, 10, 12, 14, 6, 9, 12, 8, 12, 16, 15, 18, 21, 20, 24, 28],
        ),
        ("kron of vectors", [&[2], &[3]], &|x| x[0].kron(x[1]), &[6], &[2, 3, 4, 4, 6, 8]),
        ("kron: 1 and 2", [&[2], &[2, 2]], &|x| x[0].kron(x[1]), &[2, 4], &[2, 3, 4, 6, 4, 5, 8, 10]),
        ("kron: 3 and 1", [&[2, 1, 2], &[2]], &|x| x[0].kron(x[1]), &[2, 1, 4], &[2, 3, 4, 6, 6, 9, 8, 12]),
        ("kron: a number", [&[], &[2, 2]], &|x| x[0].kron(x[1]), &[2, 2], &[2, 3, 4, 5]),
        (
            "outer of matrices",
            [&[2, 2], &[3]],
            &|x| x[0].outer(x[1]),
            &[4, 3],
            &[2, 3, 4, 4, 6, 8, 6, 9, 12, 8, 12, 16],
        ),
        ("outer: a number", [&[], &[2]], &|x| x[0].outer(x[1]), &[1, 2], &[2, 3]),
        ("vdot of two shapes", [&[2, 3], &[3, 2]], &|x| x[0].vdot(x[1]), &[], &[112]),
        ("cross", [&[2, 3], &[2, 3]], &|x| x[0].cross(x[1], -1), &[2, 3], &[-1, 2, -1, -1, 2, -1]),
        ("cross of vectors", [&[3], &[3]], &|x| x[0].cross(x[1].square(), 0), &[3], &[5, -4, 1]),
        (
            "cross, broadcast",
            [&[2, 3], &[3]],
            &|x| x[0].cross(x[1].square(), -1),
            &[2, 3],
            &[5, -4, 1, 26, -40, 16],
        ),
        (
            "cross, first axis",
            [&[3, 2], &[3, 2]],
            &|x| x[0].cross(x[1].square(), 0),
            &[3, 2],
            &[28, 46, -16, -44, 4, 14],
        ),
        (
            "cross, first axis, broadcast",
            [&[3, 2, 2], &[3, 2]],
            &|x| x[0].cross(x[1].square(), 0),
            &[3, 2, 2],
            &[36, 44, 76, 92, 0, -8, -64, -88, -4, -4, 20, 28],
        ),
        (
            "cross, middle axis",
            [&[2, 3, 2], &[2, 3, 1]],
            &|x| x[0].cross(x[1].square(), 1),
            &[2, 3, 2],
            &[3, 10, 4, -8, -3, 2, 45, 58, -68, -92, 27, 38],
        ),
        ("cross: 2 and 2", [&[2, 2], &[2]], &|x| x[0].cross(x[1].square(), -1), &[2], &[1, 11]),
        ("cross: 2 and 3", [&[2, 2], &[2, 3]], &|x| x[0].cross(x[1], -1), &[2, 3], &[8, -4, -1, 28, -21, -2]),
        (
            "cross: 3 and 2",
            [&[3, 2], &[2, 2]],
            &|x| x[0].cross(x[1], 0),
            &[3, 2],
            &[-20, -30, 10, 18, -2, -2],
        ),
    ];
    let mut rng = Rng(84);
    for &(label, shapes, formula, shape, expected) in rows {
        let g = Graph::new();
        let x = [g.constant(numbers(shapes[0], 1.0)), g.constant(numbers(shapes[1], 2.0))];
        let expected: Vec<f64> = expected.iter().map(|&n| f64::from(n)).collect();
        let expected = ArrayD::from_shape_vec(IxDyn(shape), expected).unwrap();
        assert_eq!(formula(&x).value().unwrap(), expected, "{label}");
        for lie in [Lie::C, Lie::Transposed, Lie::Reversed] {
            let draw = || shapes.iter().map(|shape| Laid::new(rng.distinct(shape), lie)).collect();
            check_derivatives(label, Slope::Some, draw, formula);
        }
    }
}

#[test]
fn other_sizes_are_fed() {
    let g = Graph::new();
    let (x, y) = (g.placeholder::<f64>("x", [2, 3, 4]), g.placeholder::<f64>("y", [2, 4, 5]));
    let w = g.placeholder::<f64>("w", [5]);
    let formulas = [
        einsum("bij,bjk->kbi", &[x, y]),
        einsum("bij,bjk,k->b", &[x, y, w]),
        x.tensordot_axes(y, [0, 2], [0, 1]),
        x.dot(y),
        x.kron(w),
    ];
    let specs = ["bij,bjk->kbi", "bij,bjk,k->b", "bij,bjk->ik", "bij,cjk->bick"];
    let gradients = formulas.map(|y| y.square().sum().grad(x));
    let mut program = g.compile((formulas, gradients), ()).unwrap();
    let mut rng = Rng(85);
    for (b, i, j, k) in [(2, 3, 4, 5), (1, 1, 1, 1), (3, 1, 2, 4), (0, 2, 3, 1), (2, 2, 0, 3)] {
        let arrays = [rng.distinct(&[b, i, j]), rng.distinct(&[b, j, k]), rng.distinct(&[k])];
        let feeds = [x.feed(&arrays[0]), y.feed(&arrays[1]), w.feed(&arrays[2])];
        let (found, gradients) = program.run_with(&feeds).unwrap();
        for (spec, found) in specs.into_iter().zip(&found) {
            let operands = &arrays[..spec.matches(',').count() + 1];
            assert_close(&found.to_owned(), &plain_einsum(spec, operands), 1e-13);
        }
        assert_eq!(found[4].shape(), [b, i, j * k]);
        for (d, y) in gradients.iter().zip(&found) {
            // Linear in x: the derivative of the square along x is twice the square.
            let total = 2.0 * y.mapv(|y| y * y).sum();
            assert!(((d * &arrays[0]).sum() - total).abs() <= 1e-12 * total.max(1.0));
        }
    }
}

#[test]
fn sizes_that_clash_in_a_run() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 3]);
    let mut trace = g.compile(einsum("ii", &[x]), ()).unwrap();
    let error = trace.run_with(&[x.feed(&ArrayD::ones(vec![3, 4]))]).unwrap_err().to_string();
    assert!(
        error.starts_with("with the sizes of this run: `+` cannot broadcast (3, 4) and (4, 3)"),
        "{error}"
    );
    let (a, b) = (g.placeholder::<f64>("a", [3, 1]), g.placeholder::<f64>("b", [3, 1]));
    let mut cross = g.compile(a.cross(b, 0), ()).unwrap();
    let six = ArrayD::ones(vec![6, 1]);
    let error = cross.run_with(&[a.feed(&six), b.feed(&six)]).unwrap_err().to_string();
    assert!(error.starts_with("with the sizes of this run: `squeeze` requires axes of size 1"), "{error}");
}

#[test]
fn a_chain_is_contracted_from_the_narrow_end() {
    let g = Graph::new();
    let a = g.placeholder::<f64>("a", [50, 40]);
    let (b, c) = (g.placeholder::<f64>("b", [40, 30]), g.placeholder::<f64>("c", [30]));
    assert_eq!(einsum("ij,jk,k->i", &[a, b, c]).to_string(), "a.dot(b.dot(c))");
    assert_eq!(einsum("k,jk,ij->i", &[c, b, a]).to_string(), "a.dot(b.dot(c))");
    let d = g.placeholder::<f64>("d", [30, 40]);
    assert_eq!(einsum("kj,ij->ik", &[d, a]).to_string(), "a.dot(d.t())");
    // What is summed over alone is summed first.
    assert_eq!(einsum("ij,jk->i", &[a, b]).to_string(), "a.dot(b.sum_axis(1))");
    // A matrix product is one, and its gradient too.
    let y = einsum("ij,jk->ik", &[a, b]);
    assert_eq!(y.to_string(), "a.dot(b)");
    assert_eq!((y * y.stop_gradient()).sum().grad(a).to_string(), "a.dot(b).stop_gradient().dot(b.t())");
}

#[test]
fn floats_of_four_bytes_and_integers() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0_f32, 2.0], [3.0, 4.0]]);
    assert_eq!(
        einsum("ij,kj->ik", &[x, x]).value().unwrap(),
        array![[5.0_f32, 11.0], [11.0, 25.0]].into_dyn()
    );
    let n = g.input("n", array![1_i64, 2]);
    assert_eq!(n.outer(n).value().unwrap(), array![[1_i64, 2], [2, 4]].into_dyn());
    assert_eq!(n.kron(n).value().unwrap(), array![1_i64, 2, 2, 4].into_dyn());
}

#[test]
fn mistakes_of_einsum() {
    let g = Graph::new();
    let (a, at_a) = (g.input("a", ArrayD::<f64>::ones(vec![2, 3])), line!());
    let (b, at_b) = (g.input("b", ArrayD::<f64>::ones(vec![4, 5])), line!());
    let one = format!("\n  operand: `a` (2, 3) from {}:{at_a}", file!());
    let two = format!("{one}\n  operand: `b` (4, 5) from {}:{at_b}", file!());
    let rows: &[(&str, bool, &str)] = &[
        ("ij->ik", false, "read \"ij->ik\": no operand has the index `k` of the output"),
        ("ij->ii", false, "read \"ij->ii\": the output has the index `i` twice"),
        ("i1->i", false, "read \"i1->i\": `1` is no index"),
        ("ij->i->j", false, "read \"ij->i->j\": `-` is no index"),
        ("ij-i", false, "read \"ij-i\": `-` is no index"),
        ("i..->i", false, "read \"i..->i\": `.` is no index"),
        ("...i...->i", false, "read \"...i...->i\": there is more than one `...` in a row of indices"),
        ("ij->......", false, "read \"ij->......\": there is more than one `...` in a row of indices"),
        ("ij,jk->ik", false, "read \"ij,jk->ik\": it is for 2 operands, not for 1"),
        ("ij->ij", true, "read \"ij->ij\": it is for 1 operands, not for 2"),
        ("ijk->i", false, "read \"ijk->i\": it names 3 axes of operand 0, which has 2"),
        ("i->i", false, "read \"i->i\": it names 1 axes of operand 0, which has 2"),
        ("ij...k->i", false, "read \"ij...k->i\": it names at least 3 axes of operand 0, which has 2"),
        (
            "ii->i",
            false,
            "contract \"ii->i\": index `i` has size 2 (operand 0, axis 0) and 3 (operand 0, axis 1)",
        ),
        (
            "ij,jk->ik",
            true,
            "contract \"ij,jk->ik\": index `j` has size 3 (operand 0, axis 1) and 4 (operand 1, axis 0)",
        ),
        (
            "...,i...->i...",
            true,
            "contract \"...,i...->i...\": index number -1 of `...` has size 3 (operand 0, axis 1) and 5 (operand 1, axis 1)",
        ),
    ];
    for &(spec, both, text) in rows {
        let operands: &[Var<'_>] = if both { &[a, b] } else { &[a] };
        let panic = panicked(|| einsum(spec, operands));
        assert_eq!(panic.text, format!("`einsum` cannot {text}{}", if both { &two } else { &one }));
        assert!(panic.file.ends_with("contractions.rs"), "{}", panic.file);
    }
    assert_eq!(panicked(|| einsum::<f64>("", &[])).text, "`einsum` takes 1 operands, got 0");
    let h = Graph::new();
    let other = panicked(|| einsum("i,i", &[a.slice_each(ndarray::s![0, ..]), h.constant(array![1.0])])).text;
    assert!(other.starts_with("`einsum` got a handle of another graph"), "{other}");
}

#[test]
fn mistakes_of_products() {
    let g = Graph::new();
    let a = g.input("a", ArrayD::<f64>::ones(vec![2, 3]));
    let b = g.input("b", ArrayD::<f64>::ones(vec![4, 5]));
    let rows: &[Mistake<'_, '_>] = &[
        (
            "`inner` cannot sum over the last axes of (2, 3) and (4, 5): 3 (axis 1) != 5 (axis 1)\n  operand: `a`",
            &|| a.inner(b),
        ),
        ("`vdot` cannot pair the elements of (2, 3) and (4, 5): 6 != 20", &|| a.vdot(b)),
        (
            "`tensordot` cannot sum over axes [1] of (2, 3) and [0] of (4, 5): 3 (axis 1) != 4 (axis 0)",
            &|| a.tensordot(b, 1),
        ),
        ("`tensordot` cannot sum over 3 axes of (2, 3) and (4, 5)", &|| a.tensordot(b, 3)),
        ("`tensordot` cannot sum over axes [0, 1] of (2, 3) and [0] of (4, 5): 2 != 1", &|| {
            a.tensordot_axes(b, [0, 1], 0)
        }),
        ("`tensordot` got axis 2 of an array with 2 axes", &|| a.tensordot_axes(b, 2, 0)),
        ("`tensordot` got axis 0 twice", &|| a.tensordot_axes(b, [0, 0], [0, 1])),
        ("`cross` cannot multiply vectors of 5 components, along axis 1 of (4, 5)", &|| a.cross(b, 1)),
        ("`cross` cannot broadcast (3,) and (2,): 3 (axis 0) != 2 (axis 0)", &|| {
            a.cross(a.reshape([3, 2]).t().slice(1, ..2), 0)
        }),
        ("`cross` got axis 2 of an array with 2 axes", &|| a.cross(b, 2)),
    ];
    check_mistakes(file!(), rows, "");
}
