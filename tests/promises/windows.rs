//! Convolutions and pools: values against plain loops, derivatives, conventions, mistakes.

use gradus::ops::{Conv, Op, Pool, Window};
use gradus::{Error, Float, Graph, Var};
use ndarray::{Array4, Array5, ArrayD, IxDyn, arr0, array};

use crate::support::{Laid, Lie, Rng, Slope, assert_close, check_derivatives, panicked};

/// A convolution: shapes, and how it slides along each axis.
struct Case {
    x: &'static [usize],
    w: &'static [usize],
    stride: &'static [usize],
    padding: &'static [(usize, usize)],
    dilation: &'static [usize],
    groups: usize,
}

impl Case {
    const fn plain(x: &'static [usize], w: &'static [usize]) -> Self {
        Self { x, w, stride: &[1], padding: &[(0, 0)], dilation: &[1], groups: 1 }
    }

    fn axes(&self) -> usize {
        self.x.len() - 2
    }

    fn conv(&self) -> Conv {
        let conv = Conv::new().groups(self.groups);
        let conv = match *self.stride {
            [s] => conv.stride(s),
            [s, t] => conv.stride([s, t]),
            _ => conv.stride([self.stride[0], self.stride[1], self.stride[2]]),
        };
        let conv = match *self.padding {
            [p] => conv.padding_sides([p]),
            [p, q] => conv.padding_sides([p, q]),
            _ => conv.padding_sides([self.padding[0], self.padding[1], self.padding[2]]),
        };
        match *self.dilation {
            [d] => conv.dilation(d),
            [d, e] => conv.dilation([d, e]),
            _ => conv.dilation([self.dilation[0], self.dilation[1], self.dilation[2]]),
        }
    }

    /// The formula, one sum after the other.
    fn expected(&self, x: &ArrayD<f64>, w: &ArrayD<f64>) -> ArrayD<f64> {
        let (x, w) = (five(x), five(w));
        let [stride, dilation] = [self.stride, self.dilation].map(|all| three(all, self.axes(), 1));
        let padding = three(self.padding, self.axes(), (0, 0));
        let out: [usize; 3] = std::array::from_fn(|a| {
            let padded = x.shape()[2 + a] + padding[a].0 + padding[a].1;
            (padded - dilation[a] * (w.shape()[2 + a] - 1) - 1) / stride[a] + 1
        });
        let (inputs, outputs) = (w.shape()[1], w.shape()[0] / self.groups);
        let y =
            Array5::from_shape_fn((x.shape()[0], w.shape()[0], out[0], out[1], out[2]), |(n, o, i, j, k)| {
                let mut sum = 0.0;
                for ((c, d, h, v), w) in w.index_axis(ndarray::Axis(0), o).indexed_iter() {
                    let at = [(i, d), (j, h), (k, v)];
                    let at: [Option<usize>; 3] = std::array::from_fn(|a| {
                        (at[a].0 * stride[a] + at[a].1 * dilation[a]).checked_sub(padding[a].0)
                    });
                    if let [Some(d), Some(h), Some(v)] = at {
                        sum += w * x.get((n, o / outputs * inputs + c, d, h, v)).unwrap_or(&0.0);
                    }
                }
                sum
            });
        let shape: Vec<usize> = [&y.shape()[..2], &y.shape()[5 - self.axes()..]].concat();
        y.into_shape_with_order(IxDyn(&shape)).unwrap()
    }
}

/// One for each of three axes, of which the first ones may be missing.
fn three<T: Copy>(given: &[T], axes: usize, missing: T) -> [T; 3] {
    std::array::from_fn(|a| match a.checked_sub(3 - axes) {
        None => missing,
        Some(a) => given[a % given.len()],
    })
}

/// With three spatial axes.
fn five(x: &ArrayD<f64>) -> Array5<f64> {
    let s = x.shape();
    let [a, b, c] = three(&s[2..], s.len() - 2, 1);
    x.clone().into_shape_with_order((s[0], s[1], a, b, c)).unwrap()
}

const CASES: &[Case] = &[
    Case::plain(&[2, 3, 5, 6], &[4, 3, 2, 3]),
    Case::plain(&[1, 1, 1, 1], &[1, 1, 1, 1]),
    Case::plain(&[3, 2, 4, 4], &[1, 2, 4, 4]),
    Case::plain(&[2, 3, 7], &[5, 3, 3]),
    Case::plain(&[2, 2, 4, 3, 5], &[3, 2, 2, 3, 2]),
    Case { padding: &[(1, 1)], ..Case::plain(&[2, 3, 4, 5], &[2, 3, 3, 3]) },
    Case { padding: &[(0, 2), (3, 1)], ..Case::plain(&[1, 2, 4, 3], &[3, 2, 3, 2]) },
    Case { stride: &[2], ..Case::plain(&[2, 2, 7, 8], &[3, 2, 3, 3]) },
    Case { stride: &[3, 1], padding: &[(1, 1)], ..Case::plain(&[2, 2, 7, 5], &[3, 2, 2, 3]) },
    Case { stride: &[3], ..Case::plain(&[2, 1, 8, 9], &[2, 1, 2, 2]) },
    Case { dilation: &[2], ..Case::plain(&[2, 2, 6, 7], &[2, 2, 3, 2]) },
    Case { dilation: &[1, 3], padding: &[(1, 0), (2, 2)], ..Case::plain(&[1, 2, 4, 5], &[2, 2, 2, 3]) },
    Case { groups: 2, ..Case::plain(&[2, 4, 4, 4], &[6, 2, 3, 3]) },
    Case { groups: 3, stride: &[2], padding: &[(1, 1)], ..Case::plain(&[2, 3, 5, 5], &[3, 1, 3, 3]) },
    Case {
        stride: &[2],
        padding: &[(1, 2)],
        dilation: &[3],
        groups: 2,
        ..Case::plain(&[2, 4, 9], &[2, 2, 3])
    },
    Case {
        stride: &[1, 2, 1],
        padding: &[(1, 0), (0, 1), (1, 1)],
        dilation: &[1, 1, 2],
        groups: 1,
        ..Case::plain(&[2, 2, 3, 4, 5], &[2, 2, 2, 2, 3])
    },
];

/// Sizes beside those of the registers: one more, one less, several blocks.
const LARGE: &[Case] = &[
    Case::plain(&[9, 1, 12, 11], &[33, 1, 3, 3]),
    Case::plain(&[5, 17, 9, 10], &[31, 17, 3, 2]),
    Case::plain(&[33, 32, 6, 5], &[16, 32, 2, 2]),
    Case { padding: &[(1, 1)], ..Case::plain(&[2, 15, 13, 13], &[65, 15, 3, 3]) },
    Case { stride: &[2], padding: &[(1, 1)], ..Case::plain(&[3, 9, 15, 16], &[24, 9, 3, 3]) },
    Case { groups: 2, dilation: &[2], ..Case::plain(&[2, 34, 9, 9], &[36, 17, 3, 3]) },
    Case::plain(&[1, 3, 70, 67], &[8, 3, 5, 5]),
    Case::plain(&[130, 2, 3, 3], &[3, 2, 2, 2]),
];

/// The values of a convolution and of its two gradients for a random cotangent.
fn all_three<T: Float>(case: &Case, x: &ArrayD<f64>, w: &ArrayD<f64>, c: &ArrayD<f64>) -> [ArrayD<f64>; 3] {
    let g = Graph::new();
    let cast = |array: &ArrayD<f64>| array.mapv(T::from_f64);
    let (x, w) = (g.input("x", cast(x)), g.input("w", cast(w)));
    let y = x.conv(w, case.conv());
    let [dx, dw] = (y * g.constant(cast(c))).sum().grad([x, w]);
    [y, dx, dw].map(|e| e.value().unwrap().mapv(T::to_f64))
}

#[test]
fn convolutions_are_those_of_plain_loops() {
    let mut rng = Rng(71);
    for case in CASES.iter().chain(LARGE) {
        let (x, w) = (rng.array(case.x, -1.0, 1.0), rng.array(case.w, -1.0, 1.0));
        let y = case.expected(&x, &w);
        let c = rng.array(y.shape(), -1.0, 1.0);
        let [found, dx, dw] = all_three::<f64>(case, &x, &w, &c);
        assert_close(&found, &y, 1e-13);
        // It is linear in each operand: ⟨c, conv(v, w)⟩ = ⟨dx, v⟩, and ⟨c, conv(x, v)⟩ = ⟨dw, v⟩.
        let (v, u) = (rng.array(case.x, -1.0, 1.0), rng.array(case.w, -1.0, 1.0));
        for (gradient, direction, expected) in
            [(&dx, &v, case.expected(&v, &w)), (&dw, &u, case.expected(&x, &u))]
        {
            let (left, right) = ((gradient * direction).sum(), (&c * &expected).sum());
            assert!(
                (left - right).abs() < 1e-12 * (1.0 + y.len() as f64),
                "{:?}: {left}, not {right}",
                case.x
            );
        }
        let single = all_three::<f32>(case, &x, &w, &c);
        for (single, double) in single.iter().zip([found, dx, dw]) {
            let scale = double.iter().fold(1.0_f64, |max, x| max.max(x.abs()));
            assert_close(&(single / scale), &(double / scale), 1e-5);
        }
    }
}

#[test]
fn gradients_of_convolutions_element_by_element() {
    // Every element, where a sum would hide a place: the derivative with respect to one is the convolution of it.
    let mut rng = Rng(72);
    for case in CASES.iter().filter(|case| case.x.iter().product::<usize>() < 120) {
        let (x, w) = (rng.array(case.x, -1.0, 1.0), rng.array(case.w, -1.0, 1.0));
        let c = rng.array(case.expected(&x, &w).shape(), -1.0, 1.0);
        let [_, dx, dw] = all_three::<f64>(case, &x, &w, &c);
        let unit = |shape: &[usize], i: usize| {
            let mut unit = ArrayD::zeros(shape);
            unit.as_slice_mut().unwrap()[i] = 1.0;
            unit
        };
        for (i, dx) in dx.iter().enumerate() {
            assert!((dx - (&c * &case.expected(&unit(case.x, i), &w)).sum()).abs() < 1e-12);
        }
        for (i, dw) in dw.iter().enumerate() {
            assert!((dw - (&c * &case.expected(&x, &unit(case.w, i))).sum()).abs() < 1e-12);
        }
    }
}

/// An operation that has no method.
fn recorded<'g, const N: usize>(window: Window, operands: [Var<'g>; N]) -> Var<'g> {
    let graph = operands[0].graph();
    graph.apply(Op::Window(window), &operands.map(Var::erase)).unwrap().typed().unwrap()
}

#[test]
fn derivatives_of_convolutions() {
    let mut rng = Rng(73);
    for (i, case) in CASES.iter().enumerate() {
        for lie in [Lie::C, Lie::Transposed, Lie::Stepped] {
            let draw = || [case.x, case.w].map(|s| Laid::new(rng.array(s, -1.0, 1.0), lie)).into();
            check_derivatives(&format!("conv {i}"), Slope::Some, draw, &|x| x[0].conv(x[1], case.conv()));
        }
        // Of the transposes, which are linear in what they read: of all three operands, one for its shape alone.
        let y = case.expected(&ArrayD::zeros(case.x), &ArrayD::zeros(case.w));
        let conv = Box::new(case.conv());
        let draw = || [y.shape(), case.w].map(|s| Laid::new(rng.array(s, -1.0, 1.0), Lie::C)).into();
        check_derivatives(&format!("conv_input {i}"), Slope::Some, draw, &|x| {
            let like = x[0].graph().constant(ArrayD::<f64>::zeros(case.x));
            recorded(Window::ConvInput(conv.clone()), [x[0], x[1], like])
        });
        let draw = || [case.x, y.shape()].map(|s| Laid::new(rng.array(s, -1.0, 1.0), Lie::C)).into();
        check_derivatives(&format!("conv_weight {i}"), Slope::Some, draw, &|x| {
            let like = x[0].graph().constant(ArrayD::<f64>::zeros(case.w));
            recorded(Window::ConvWeight(conv.clone()), [x[0], x[1], like])
        });
    }
}

#[test]
fn one_operand_on_both_sides_of_a_convolution() {
    let mut rng = Rng(74);
    let draw = || vec![Laid::new(rng.array(&[3, 3, 2, 2], -1.0, 1.0), Lie::C)];
    check_derivatives("x ⋆ x", Slope::Some, draw, &|x| x[0].conv(x[0], Conv::new().padding(1)));
}

/// The shape of an image, a pool, and its window, stride and padding.
type PoolCase = (&'static [usize], Pool, [usize; 2], [usize; 2], [(usize, usize); 2]);

fn pools() -> Vec<PoolCase> {
    let none = [(0, 0); 2];
    vec![
        (&[2, 3, 4, 6], Pool::new(2), [2, 2], [2, 2], none),
        (&[2, 3, 5, 7], Pool::new(2), [2, 2], [2, 2], none),
        (&[1, 2, 3, 9], Pool::new([2, 2]), [2, 2], [2, 2], none),
        (&[1, 2, 5, 34], Pool::new(2), [2, 2], [2, 2], none),
        (&[2, 2, 5, 7], Pool::new(3).stride(1), [3, 3], [1, 1], none),
        (&[2, 2, 7, 6], Pool::new(3).stride(2), [3, 3], [2, 2], none),
        (&[1, 3, 7, 8], Pool::new([2, 3]).stride([3, 1]), [2, 3], [3, 1], none),
        (&[2, 2, 5, 5], Pool::new(3).stride(2).padding(1), [3, 3], [2, 2], [(1, 1); 2]),
        (&[2, 1, 4, 5], Pool::new(2).padding_sides([(0, 1), (1, 0)]), [2, 2], [2, 2], [(0, 1), (1, 0)]),
        (&[1, 2, 1, 1], Pool::new(1), [1, 1], [1, 1], none),
    ]
}

/// Every window of an image: the elements that lie inside, by place.
fn windows(
    x: &Array4<f64>,
    size: [usize; 2],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
) -> Array4<Vec<f64>> {
    let (n, c, h, w) = x.dim();
    let out = |a: usize, n: usize| (n + padding[a].0 + padding[a].1 - size[a]) / stride[a] + 1;
    Array4::from_shape_fn((n, c, out(0, h), out(1, w)), |(n, c, i, j)| {
        let mut inside = Vec::new();
        for k in 0..size[0] {
            for l in 0..size[1] {
                let row = (i * stride[0] + k).checked_sub(padding[0].0);
                let column = (j * stride[1] + l).checked_sub(padding[1].0);
                if let (Some(row), Some(column)) = (row, column) {
                    inside.extend(x.get((n, c, row, column)));
                }
            }
        }
        inside
    })
}

#[test]
fn pools_are_those_of_plain_loops() {
    let mut rng = Rng(75);
    for (shape, pool, size, stride, padding) in pools() {
        let values = rng.array(shape, -1.0, -0.1); // negative: a zero of the padding would win
        let windows = windows(&values.clone().into_dimensionality().unwrap(), size, stride, padding);
        let g = Graph::new();
        let x = g.input("x", &values);
        let max = windows.map(|window| window.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        assert_eq!(x.max_pool(pool.clone()).value().unwrap(), max.into_dyn());
        let area = (size[0] * size[1]) as f64;
        let mean = windows.map(|window| window.iter().sum::<f64>() / area).into_dyn();
        assert_close(&x.avg_pool(pool.clone()).value().unwrap(), &mean, 1e-15);
        let mean = windows.map(|window| window.iter().sum::<f64>() / window.len() as f64).into_dyn();
        let found = x.avg_pool(pool.clone().count_include_pad(false)).value().unwrap();
        assert_close(&found, &mean, 1e-15);

        // In f32 as well, with its own kernels.
        let y = g.input("y", values.mapv(|x| x as f32));
        let max = windows.map(|window| window.iter().map(|&x| x as f32).fold(f32::NEG_INFINITY, f32::max));
        assert_eq!(y.max_pool(pool.clone()).value().unwrap(), max.clone().into_dyn());
        let c = rng.array(max.shape(), -1.0, 1.0);
        let expected = (x.max_pool(pool.clone()) * &c).sum().grad(x).value().unwrap();
        let found = (y.max_pool(pool) * c.mapv(|c| c as f32)).sum().grad(y).value().unwrap();
        assert_close(&found.mapv(f64::from), &expected, 1e-6);
    }
}

#[test]
fn pools_along_one_and_three_axes() {
    let g = Graph::new();
    let x = g.input("x", array![[[1.0, 4.0, 2.0, 8.0, 5.0]]]);
    assert_eq!(x.max_pool(Pool::new(2)).value().unwrap(), array![[[4.0, 8.0]]].into_dyn());
    assert_eq!(x.avg_pool(Pool::new(2)).value().unwrap(), array![[[2.5, 5.0]]].into_dyn());
    let cube =
        g.input("cube", Array5::from_shape_fn((1, 1, 2, 2, 4), |(_, _, i, j, k)| (8 * i + 4 * j + k) as f64));
    assert_eq!(cube.max_pool(Pool::new(2)).value().unwrap().as_slice(), Some(&[13.0, 15.0][..]));
    assert_eq!(cube.avg_pool(Pool::new(2)).value().unwrap().as_slice(), Some(&[6.5, 8.5][..]));
    let sum = cube.avg_pool(Pool::new([1, 2, 2])).square().sum().grad(cube).value().unwrap();
    assert_eq!(sum.as_slice().unwrap()[..4], [1.25, 1.25, 2.25, 2.25]);
}

#[test]
fn derivatives_of_pools() {
    let mut rng = Rng(76);
    for (i, (shape, pool, ..)) in pools().into_iter().enumerate() {
        if shape.iter().product::<usize>() > 90 {
            continue; // the numbers would be too close for differences
        }
        for lie in [Lie::C, Lie::Reversed] {
            let draw = || vec![Laid::new(rng.distinct(shape), lie)];
            let label = format!("max_pool {i}");
            check_derivatives(&label, Slope::Some, draw, &|x| x[0].max_pool(pool.clone()));
        }
        for counts in [true, false] {
            let draw = || vec![Laid::new(rng.array(shape, -1.0, 1.0), Lie::Transposed)];
            let pool = pool.clone().count_include_pad(counts);
            check_derivatives(&format!("avg_pool {i}"), Slope::Some, draw, &|x| x[0].avg_pool(pool.clone()));
        }
        // Products of what is pooled have second derivatives that gather at the maxima.
        let draw =
            || vec![Laid::new(rng.distinct(shape), Lie::C), Laid::new(rng.array(shape, 0.5, 1.0), Lie::C)];
        check_derivatives(&format!("max_pool {i} of squares"), Slope::Some, draw, &|x| {
            x[0].max_pool(pool.clone()).powi(3) * x[1].avg_pool(pool.clone())
        });
    }
}

#[test]
fn the_transposes_of_a_maximum_pool_are_transposes() {
    let mut rng = Rng(77);
    for (shape, pool, ..) in pools() {
        let g = Graph::new();
        // Few values, so that there are ties.
        let x = g.constant(rng.array(shape, 0.0, 3.0).mapv(f64::floor));
        let y = x.max_pool(pool.clone());
        let h = g.input("h", rng.array(shape, -1.0, 1.0));
        let c = g.input("c", rng.array(&y.shape(), -1.0, 1.0));
        let apply = |window: Window, operand| recorded(window, [operand, x]);
        let pool = Box::new(pool);
        let (down, up) = (Window::MaxGather(pool.clone()), Window::MaxUnpool(pool));
        let left = (apply(down.clone(), h) * c).sum();
        let right = (apply(up.clone(), c) * h).sum();
        assert!((left.item().unwrap() - right.item().unwrap()).abs() < 1e-12);
        // And so are their gradients.
        let [dh, dc] = left.grad([h, c]);
        assert_close(&dh.value().unwrap(), &apply(up, c).value().unwrap(), 1e-14);
        assert_close(&dc.value().unwrap(), &apply(down, h).value().unwrap(), 1e-14);
        assert_eq!(right.grad(h).value().unwrap(), dh.value().unwrap());
        assert_eq!(right.grad(c).value().unwrap(), dc.value().unwrap());
    }
}

/// An image with one channel.
fn image<const N: usize, const M: usize>(rows: [[f64; M]; N]) -> ArrayD<f64> {
    Array4::from_shape_fn((1, 1, N, M), |(_, _, i, j)| rows[i][j]).into_dyn()
}

#[test]
fn ties_in_a_window_share_evenly() {
    let g = Graph::new();
    let x = g.input("x", image([[3.0, 3.0, 1.0, 2.0], [0.0, 3.0, 2.0, 2.0]]));
    let y = x.max_pool2d(2, 2) * image([[6.0, 12.0]]);
    let expected = image([[2.0, 2.0, 0.0, 4.0], [0.0, 2.0, 4.0, 4.0]]);
    assert_eq!(y.sum().grad(x).value().unwrap(), expected);
    // Windows that overlap add up, ties in each shared by themselves.
    let y = x.max_pool(Pool::new(2).stride(1)) * image([[6.0, 12.0, 30.0]]);
    let expected = image([[2.0, 8.0, 0.0, 10.0], [0.0, 8.0, 10.0, 10.0]]);
    assert_eq!(y.sum().grad(x).value().unwrap(), expected);
    // What lies in the padding is no tie of anything, not even of -∞.
    let x = g.input("low", image([[f64::NEG_INFINITY, f64::NEG_INFINITY]]));
    let y = x.max_pool(Pool::new([2, 1]).stride([2, 1]).padding_sides([(1, 0), (0, 0)]));
    assert_eq!(y.value().unwrap(), image([[f64::NEG_INFINITY, f64::NEG_INFINITY]]));
    assert_eq!(y.sum().grad(x).value().unwrap(), image([[1.0, 1.0]]));
    // An infinite cotangent stays with its window.
    let x = g.input("pair", image([[1.0, 2.0, 4.0, 3.0], [0.0, 0.0, 0.0, 0.0]]));
    let y = x.max_pool2d(2, 2) * image([[f64::INFINITY, 1.0]]);
    let expected = image([[0.0, f64::INFINITY, 1.0, 0.0], [0.0; 4]]);
    assert_eq!(y.sum().grad(x).value().unwrap(), expected);
}

#[test]
fn nan_in_a_window_comes_through() {
    let nan = f64::NAN;
    let g = Graph::new();
    let rows = [[nan, 3.0, 1.0, 2.0], [0.0, 3.0, 2.0, nan], [9.0, 8.0, 7.0, 6.0], [1.0, 2.0, 3.0, 4.0]];
    let x = g.input("x", image(rows));
    let single = g.input("single", image(rows).mapv(|x| x as f32));
    let expected = image([[nan, nan], [9.0, 7.0]]);
    assert_close(&x.max_pool2d(2, 2).value().unwrap(), &expected, 0.0);
    assert_close(&single.max_pool2d(2, 2).value().unwrap().mapv(f64::from), &expected, 0.0);
    assert_close(
        &x.max_pool(Pool::new([2, 2]).padding_sides([(0, 1), (0, 0)])).value().unwrap(),
        &expected,
        0.0,
    );
    assert_close(&x.avg_pool2d(2, 2).value().unwrap(), &image([[nan, nan], [5.0, 5.0]]), 0.0);
    let expected = image([[nan; 4], [nan; 4], [1.0, 0.0, 1.0, 0.0], [0.0; 4]]);
    assert_close(&x.max_pool2d(2, 2).sum().grad(x).value().unwrap(), &expected, 0.0);
    let found = single.max_pool2d(2, 2).sum().grad(single).value().unwrap();
    assert_close(&found.mapv(f64::from), &expected, 0.0);
    // A NaN of a convolution reaches the windows that see it, and no other.
    let y = x.conv2d(Array4::<f64>::zeros((1, 1, 2, 2))).value().unwrap();
    assert_close(&y, &image([[nan, 0.0, nan], [0.0, 0.0, nan], [0.0, 0.0, 0.0]]), 0.0);
}

#[test]
fn a_batch_of_nothing() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 2, 6, 6]);
    let w = g.input("w", Array4::from_elem((4, 2, 3, 3), 1.0));
    let y = x.conv2d(w).relu().max_pool2d(2, 2);
    let [dx, dw] = y.sum().grad([x, w]);
    let da = x.avg_pool2d(3, 1).sum().grad(x);
    let mut program = g.compile((y, dx, dw, da), ()).unwrap();
    for n in [3, 0, 5, 1] {
        let (y, dx, dw, da) = program.run_with(&[x.feed(&Array4::<f64>::ones((n, 2, 6, 6)))]).unwrap();
        assert_eq!(y, ArrayD::from_elem(IxDyn(&[n, 4, 2, 2]), 18.0));
        assert_eq!((dx.shape(), da.shape()), (&[n, 2, 6, 6][..], &[n, 2, 6, 6][..]));
        assert_eq!(dx.sum(), 4.0 * 18.0 * (n * 4) as f64);
        assert!((da.sum() - (n * 2 * 16) as f64).abs() < 1e-10);
        assert_eq!(dw, ArrayD::from_elem(IxDyn(&[4, 2, 3, 3]), (4 * n) as f64));
    }
}

#[test]
fn maximum_and_relu_change_places() {
    // Positive, negative, zero and tied maxima, also after relu; the values and both derivatives as they are without
    // the rule, which `stop_gradient` in between keeps away.
    let rows = [
        [1.0, 1.0, -1.0, -2.0, 0.0, 0.0, 0.0, -1.0],
        [1.0, 0.5, -1.0, -1.0, 0.0, 0.0, -0.0, 2.0],
        [-3.0, 4.0, 5.0, -5.0, -1.0, 0.0, 7.0, 7.0],
        [4.0, 4.0, 5.0, 5.0, -1.0, -2.0, 7.0, f64::MIN_POSITIVE],
    ];
    let c = image([[1.0, 2.0, 3.0, 5.0], [7.0, 11.0, 13.0, 17.0]]);
    let g = Graph::new();
    let x = g.input("x", image(rows));
    let r = x.relu();
    let y = r.max_pool2d(2, 2);
    // The chain rule by hand, on the formula as it is written: `r` is a variable of its own there.
    let apart = g.input("r", image(rows).mapv(|x| x.max(0.0)));
    let pooled = apart.max_pool2d(2, 2);
    assert_eq!(y.value().unwrap(), pooled.value().unwrap());
    for weight in [g.constant(&c), y.square() * &c] {
        let found = (y * weight.stop_gradient()).sum().grad(x).value().unwrap();
        let by_hand = (pooled * weight.value().unwrap()).sum().grad(apart).value().unwrap();
        let expected = ndarray::Zip::from(&by_hand)
            .and(&image(rows))
            .map_collect(|&d, &x| if x > 0.0 { d } else { 0.0 });
        assert_eq!(found, expected);
    }
    // Second order: of y³, whose first derivative depends on x.
    let first = (y.powi(3) * &c).sum().grad(x);
    let v = g.constant(Rng(78).array(&[1, 1, 4, 8], -1.0, 1.0));
    let found = (first * v).sum().grad(x).value().unwrap();
    let first = (pooled.powi(3) * &c).sum().grad(apart);
    let mask = x.gt(0.0).cast::<f64>();
    let by_hand = (first * (v * mask).value().unwrap()).sum().grad(apart).value().unwrap();
    let expected = by_hand * mask.value().unwrap();
    assert_close(&found, &expected, 1e-14);
    // The rule did apply: the gradient no longer mentions the relu of the whole image.
    let formula = (y * &c).sum().grad(x).to_string();
    assert!(formula.contains("x.max_pool(2)") && !formula.contains("x.relu()"), "{formula}");
    // The gradient of the relu itself is that of a variable.
    let dr = (y * &c).sum().grad(r).value().unwrap();
    assert_eq!(dr, (pooled * &c).sum().grad(apart).value().unwrap());
}

#[test]
fn a_network_of_convolutions_has_the_gradient_of_differences() {
    let mut rng = Rng(79);
    let shapes: [&[usize]; 4] = [&[2, 1, 10, 10], &[3, 1, 3, 3], &[3, 1, 1], &[4, 3, 2, 2]];
    let draw = || shapes.iter().map(|s| Laid::new(rng.array(s, -1.0, 1.0), Lie::C)).collect();
    check_derivatives("network", Slope::Some, draw, &|x| {
        let hidden = (x[0].conv2d(x[1]) + x[2]).tanh().avg_pool2d(2, 2);
        hidden.conv2d(x[3]).softplus().reshape([2, -1]).sum_axis(1)
    });
}

#[test]
fn formulas_are_printed_with_how_they_slide() {
    let g = Graph::new();
    let (x, w) = (g.placeholder::<f64>("x", [2, 4, 8, 8]), g.placeholder::<f64>("w", [6, 2, 3, 3]));
    assert_eq!(x.avg_pool(Pool::new(2)).to_string(), "x.avg_pool(2)");
    let pool = Pool::new([3, 2]).stride(1).padding_sides([(0, 1), (1, 1)]).count_include_pad(false);
    assert_eq!(
        x.avg_pool(pool).to_string(),
        "x.avg_pool([3, 2], stride 1, padding [(0, 1), (1, 1)], count_include_pad false)"
    );
    let conv = Conv::new().stride([2, 1]).padding(1).dilation(2).groups(2);
    assert_eq!(x.conv(w, conv).to_string(), "x.conv(w, stride [2, 1], padding 1, dilation 2, groups 2)");
    let narrow = g.placeholder::<f64>("k", [6, 4, 3, 3]);
    assert_eq!(x.conv2d(narrow).to_string(), "x.conv(k)");
}

/// `fails! { formula => "text" }`: the formula panics with this text, and the panic points to its line.
macro_rules! fails {
    ($body:expr => $($text:tt)+) => {{
        let line = line!();
        let panic = panicked(|| $body);
        assert_eq!(panic.text, format!($($text)+));
        assert_eq!((panic.file.as_str(), panic.line), (file!(), line), "{}", panic.text);
    }};
}

#[test]
fn windows_that_do_not_fit() {
    let here = |line| format!("{}:{line}", file!());
    let g = Graph::new();
    let (x, at) = (g.placeholder::<f64>("x", [2, 3, 5, 5]), here(line!()));
    let (w, to) = (g.placeholder::<f64>("w", [4, 2, 3, 3]), here(line!()));
    let (v, tv) = (g.placeholder::<f64>("v", [4, 3, 3, 7]), here(line!()));
    let (m, tm) = (g.placeholder::<f64>("m", [3, 3]), here(line!()));
    let (z, tz) = (g.placeholder::<f64>("z", [4, 3, 0, 1]), here(line!()));
    let (line3, tl) = (g.placeholder::<f64>("line", [4, 3, 3]), here(line!()));
    let (operand, both) = (format!("\n  operand: `x` (2, 3, 5, 5) from {at}"), |other: &str| {
        format!("\n  operand: `x` (2, 3, 5, 5) from {at}\n  operand: {other}")
    });
    let xw = both(&format!("`w` (4, 2, 3, 3) from {to}"));
    let rank = "(batch, channels, ..) with 1 to 3 spatial axes, got (3, 3)";
    fails! { m.conv2d(w) => "`conv` requires {rank}\n  operand: `m` (3, 3) from {tm}" }
    fails! { m.max_pool2d(2, 2) => "`max_pool` requires {rank}\n  operand: `m` (3, 3) from {tm}" }
    let xm = both(&format!("`m` (3, 3) from {tm}"));
    fails! { x.conv2d(m) => "`conv` requires weights with as many axes as the input, got (2, 3, 5, 5) and (3, 3){xm}" }
    let channels = "(batch, c, ..) and (outputs, c / groups, ..), got (2, 3, 5, 5) and (4, 2, 3, 3): 3";
    fails! { x.conv2d(w) => "`conv` requires {channels} / 1 != 2{xw}" }
    fails! { x.conv(w, Conv::new().groups(2)) => "`conv` requires {channels} / 2 != 2{xw}" }
    let groups = "outputs that are divided by the 3 groups, got 4";
    let (narrow, tn) = (g.placeholder::<f64>("narrow", [4, 1, 3, 3]), here(line!()));
    let xn = both(&format!("`narrow` (4, 1, 3, 3) from {tn}"));
    fails! { x.conv(narrow, Conv::new().groups(3)) => "`conv` requires {groups}{xn}" }
    fails! { x.conv(w, Conv::new().groups(0)) => "`conv` requires at least 1 group, got 0{operand}" }
    let xv = both(&format!("`v` (4, 3, 3, 7) from {tv}"));
    let within = "windows within the padded input, got";
    fails! { x.conv2d(v) => "`conv` requires {within} 7 in 5 (axis 3){xv}" }
    fails! { x.conv(v, Conv::new().padding(1).dilation(2)) => "`conv` requires {within} 13 in 7 (axis 3){xv}" }
    let xz = both(&format!("`z` (4, 3, 0, 1) from {tz}"));
    fails! { x.conv2d(z) => "`conv` requires windows of at least 1, got 0 (axis 2){xz}" }
    fails! { x.conv(v, Conv::new().stride(0)) => "`conv` requires a stride of at least 1, got 0{operand}" }
    fails! { x.conv(v, Conv::new().dilation([1, 0])) => "`conv` requires a dilation of at least 1, got 0{operand}" }
    let three = "one stride or one for each of the 2 spatial axes, got [1, 2, 3]";
    fails! { x.conv(v, Conv::new().stride([1, 2, 3])) => "`conv` requires {three}{operand}" }
    let two = format!(
        "one stride or one for each of the 1 spatial axes, got [1, 1]\n  operand: `line` (4, 3, 3) from {tl}"
    );
    fails! { line3.conv2d(line3) => "`conv` requires {two}" }

    fails! { x.max_pool2d(6, 1) => "`max_pool` requires {within} 6 in 5 (axis 2){operand}" }
    fails! { x.avg_pool(Pool::new([2, 9])) => "`avg_pool` requires {within} 9 in 5 (axis 3){operand}" }
    let less = "less padding than the window, got 2 for 2 (axis 3)";
    fails! { x.max_pool(Pool::new(2).padding_sides([(1, 1), (0, 2)])) => "`max_pool` requires {less}{operand}" }
    fails! { x.avg_pool(Pool::new(0)) => "`avg_pool` requires a window of at least 1, got 0{operand}" }
    let one = format!(
        "at least 1 element along every spatial axis, got 0 (axis 2)\n  operand: `z` (4, 3, 0, 1) from {tz}"
    );
    fails! { z.max_pool(Pool::new(2).padding(1)) => "`max_pool` requires {one}" }
    let (n, tn) = (g.placeholder::<f32>("n", [4, 3, 3, 3]), here(line!()));
    let mixed =
        g.apply(Op::Window(Window::Conv(Box::new(Conv::new()))), &[x.erase(), n.erase()]).unwrap_err();
    assert_eq!(
        mixed.to_string(),
        format!("`conv` requires f64 on both sides, got f32\n  operand: `n` (4, 3, 3, 3) from {tn}")
    );
}

#[test]
fn transposes_take_cotangents_of_the_right_shape() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3, 5, 5]);
    let w = g.placeholder::<f64>("w", [4, 3, 3, 3]);
    let apply = |window: Window, operands: &[Var<'_>]| {
        let operands: Vec<_> = operands.iter().map(|e| e.erase()).collect();
        x.graph().apply(Op::Window(window), &operands).unwrap_err().to_string()
    };
    let conv = Box::new(Conv::new());
    let text = apply(Window::ConvInput(conv.clone()), &[x, w, x]);
    let expected = "`conv_input` requires a cotangent of shape (2, 4, 3, 3), got (2, 3, 5, 5)";
    assert_eq!(text.lines().next(), Some(expected));
    let text = apply(Window::ConvWeight(conv), &[x, w, w]);
    let expected = "`conv_weight` requires a cotangent of shape (2, 4, 3, 3), got (4, 3, 3, 3)";
    assert_eq!(text.lines().next(), Some(expected));
    let pool = Box::new(Pool::new(2));
    let text = apply(Window::MaxGather(pool.clone()), &[w, x]);
    assert_eq!(
        text.lines().next(),
        Some("`max_gather` requires a cotangent of shape (2, 3, 5, 5), got (4, 3, 3, 3)")
    );
    let text = apply(Window::AvgUnpool(pool), &[x, x]);
    assert_eq!(
        text.lines().next(),
        Some("`avg_unpool` requires a cotangent of shape (2, 3, 2, 2), got (2, 3, 5, 5)")
    );
}

#[test]
fn sizes_that_do_not_fit_when_it_runs() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3, 5, 5]);
    let y = x.conv2d(Array4::<f64>::ones((1, 3, 4, 4))).sum();
    let mut program = g.compile([y], ()).unwrap();
    let [sum] = program.run_with(&[x.feed(&Array4::<f64>::ones((1, 3, 4, 6)))]).unwrap();
    assert_eq!(sum, arr0(3.0 * 48.0).into_dyn());
    let error = program.run_with(&[x.feed(&Array4::<f64>::ones((1, 3, 3, 6)))]).unwrap_err();
    assert!(matches!(error, Error::AtRun { .. }), "{error}");
    assert!(error.to_string().contains("windows within the padded input, got 4 in 3 (axis 2)"), "{error}");
}
