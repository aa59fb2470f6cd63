//! Against plain loops, and against each other.

use super::*;

const JOINS: [Join; 4] = [Join::Sum, Join::Product, Join::Max, Join::Min];

fn numbers(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * 7919 + 13) % 1009) as f64 / 64.0 - 7.0).collect()
}

fn joined<T: Term>(join: Join) -> fn(T, T) -> T {
    match join {
        Join::Sum => sum::<T>,
        Join::Product => product::<T>,
        Join::Max => maximum::<T>,
        Join::Min => minimum::<T>,
    }
}

/// The order that the module promises, one number at a time.
fn promised<T: Term>(join: Join, x: &[T]) -> T {
    let f = joined(join);
    let block = |x: &[T]| {
        let width = match x.len() {
            ..=16 => 1,
            17..64 => 8,
            _ => 32,
        };
        let lane = |l: usize| x.iter().copied().skip(l).step_by(width).reduce(f);
        let mut lanes: Vec<T> = (0..width).filter_map(lane).collect();
        while lanes.len() > 1 {
            let (low, high) = lanes.split_at(lanes.len() / 2);
            lanes = low.iter().zip(high).map(|(&a, &b)| f(a, b)).collect();
        }
        lanes[0]
    };
    cascade(x.chunks(BLOCK).map(block), f).unwrap_or_default()
}

/// Parts joined in pairs, and pairs in pairs.
fn cascade<T: Copy>(parts: impl Iterator<Item = T>, join: impl Fn(T, T) -> T) -> Option<T> {
    // (number of parts, total)
    let mut stack: Vec<(usize, T)> = Vec::new();
    for part in parts {
        stack.push((1, part));
        while let [.., (m, a), (n, b)] = stack[..]
            && m == n
        {
            stack.truncate(stack.len() - 2);
            stack.push((m + n, join(a, b)));
        }
    }
    stack.into_iter().map(|(_, x)| x).rev().reduce(|small, large| join(large, small))
}

#[test]
fn lines_are_reduced_in_the_promised_order_at_every_level() {
    let x: Vec<f32> = numbers(5000).iter().map(|&x| x as f32 * 1.1).collect();
    for n in (1..200).chain([511, 512, 513, 543, 1024, 1025, 1600, 3583, 3584, 3585, 5000]) {
        for join in JOINS {
            for level in Level::available() {
                let found = total(level, join, &x[..n]).unwrap();
                assert_eq!(
                    found.to_bits(),
                    promised(join, &x[..n]).to_bits(),
                    "{join:?} of {n} at {level:?}"
                );
            }
        }
    }
    assert_eq!(total::<f64>(Level::detect(), Join::Sum, &[]), None);
}

#[test]
fn rows_are_lines() {
    let x: Vec<f64> = numbers(6000).iter().map(|x| x * 1.1).collect();
    for columns in [1, 2, 3, 10, 16, 17, 31, 64, 65, 128, 512, 600, 1024] {
        for rows_ in [1, 2, 7, 8, 9, 5000 / columns] {
            let x = &x[..(rows_ * columns).min(6000 / columns * columns)];
            for (join, level) in JOINS.into_iter().flat_map(|join| Level::available().map(move |l| (join, l)))
            {
                let mut out = vec![0.0; x.len() / columns];
                rows(level, join, x, columns, &mut out);
                for (x, out) in x.chunks(columns).zip(out) {
                    assert_eq!(out.to_bits(), promised(join, x).to_bits(), "{join:?} of {columns}");
                }
            }
        }
    }
}

#[test]
fn columns_are_cascades_of_runs() {
    for (m, columns) in [(1_usize, 2), (16, 3), (17, 130), (300, 70), (5000, 2), (4100, 129)] {
        let numbers: Vec<f32> = numbers(m * columns).iter().map(|&x| x as f32 * 1.1).collect();
        // Near 1, so that no product overflows.
        let factors: Vec<f32> = numbers.iter().map(|x| 1.0 + x / 1000.0).collect();
        for (join, level) in JOINS.into_iter().flat_map(|join| Level::available().map(move |l| (join, l))) {
            let x = if matches!(join, Join::Product) { &factors } else { &numbers };
            let mut whole = vec![0.0; columns];
            reduce(level, join, x, Middle { outer: 1, middle: m, inner: columns }, &mut whole);

            let f = joined(join);
            let runs = |c: usize| {
                x.chunks(RUN * columns)
                    .filter_map(move |run| run.iter().copied().skip(c).step_by(columns).reduce(f))
            };
            let expected: Vec<f32> = (0..columns).filter_map(|c| cascade(runs(c), f)).collect();
            assert_eq!(whole, expected, "{join:?} of ({m}, {columns}) at {level:?}");

            let plain = |c: usize| x.iter().skip(c).step_by(columns).map(|&x| f64::from(x));
            for (c, found) in whole.into_iter().enumerate() {
                match join {
                    Join::Sum => {
                        assert!((f64::from(found) - plain(c).sum::<f64>()).abs() < 1e-6 * 8.0 * m as f64)
                    }
                    Join::Product => {
                        let product = plain(c).product::<f64>();
                        assert!((f64::from(found) - product).abs() < 1e-7 * m as f64 * product);
                    }
                    Join::Max => assert_eq!(f64::from(found), plain(c).fold(f64::MIN, f64::max)),
                    Join::Min => assert_eq!(f64::from(found), plain(c).fold(f64::MAX, f64::min)),
                }
            }
        }
    }
}

#[test]
fn parts_of_a_line_have_its_total() {
    let x: Vec<f64> = numbers(30_000).iter().map(|x| x * 1.1).collect();
    let level = Level::detect();
    for n in [1_usize, 512, 5000, 29_999, 30_000] {
        for part in [BLOCK, 2 * BLOCK, 8 * BLOCK] {
            let totals: Vec<f64> = x[..n].chunks(part).map(|x| total(level, Join::Sum, x).unwrap()).collect();
            assert_eq!(
                parts(level, Join::Sum, &totals),
                total(level, Join::Sum, &x[..n]),
                "{n} in parts of {part}"
            );
        }
    }
}

#[test]
fn a_sum_in_pairs_is_as_accurate_along_every_axis() {
    let n = 100_003;
    let x: Vec<f32> = (0..n).map(|i| 0.1 + (i % 7) as f32 * 0.01).collect();
    let exact: f64 = x.iter().map(|&x| f64::from(x)).sum();
    let level = Level::detect();
    let mut line = [0.0];
    reduce(level, Join::Sum, &x, Middle { outer: 1, middle: n, inner: 1 }, &mut line);
    let twice: Vec<f32> = x.iter().flat_map(|&x| [x, x]).collect();
    let mut columns = [0.0; 2];
    reduce(level, Join::Sum, &twice, Middle { outer: 1, middle: n, inner: 2 }, &mut columns);
    for found in [line[0], columns[0], columns[1]] {
        assert!((f64::from(found) / exact - 1.0).abs() < 3e-7, "{found} for {exact}");
    }
}

#[test]
fn sums_are_those_of_a_plain_loop() {
    let level = Level::detect();
    for (outer, middle, inner) in
        [(1, 1, 1), (3, 0, 2), (0, 4, 5), (2, 37, 1), (2, 300, 70), (5, 129, 3), (1, 257, 1), (2, 3, 0)]
    {
        let x: Vec<i64> = (0..outer * middle * inner).map(|i| (i as i64 * 7 % 101) << 55).collect();
        let mut out = vec![-1; outer * inner];
        reduce(level, Join::Sum, &x, Middle { outer, middle, inner }, &mut out);
        for (i, found) in out.into_iter().enumerate() {
            let (o, i) = (i / inner, i % inner);
            let terms = (0..middle).map(|m| x[(o * middle + m) * inner + i]);
            assert_eq!(found, terms.fold(0, i64::wrapping_add));
        }
    }
}

#[test]
fn nan_is_the_largest_and_the_smallest_wherever_it_stands() {
    for n in [1, 5, 16, 40, 64, 100, 700] {
        for at in [0, n / 2, n - 1] {
            let mut x: Vec<f32> = numbers(n).iter().map(|&x| x as f32).collect();
            x[at] = f32::NAN;
            for level in Level::available() {
                for join in JOINS {
                    assert!(total(level, join, &x).unwrap().is_nan());
                    let mut out = [0.0; 2];
                    let twice: Vec<f32> = x.iter().flat_map(|&x| [x, 1.0]).collect();
                    reduce(level, join, &twice, Middle { outer: 1, middle: n, inner: 2 }, &mut out);
                    assert!(out[0].is_nan() && !out[1].is_nan());
                }
                let mut index = [-1];
                argmax(level, &x, Middle { outer: 1, middle: n, inner: 1 }, &mut index);
                assert_eq!(index[0], at as i64);
            }
        }
    }
}

#[test]
fn argmax_is_the_first_of_the_largest() {
    for (outer, middle, inner) in [(1, 1, 1), (2, 5, 1), (3, 130, 1), (2, 7, 3), (1, 200, 150), (0, 3, 1)] {
        let x: Vec<i64> = (0..outer * middle * inner).map(|i| (i as i64 * 31) % 17).collect();
        let nan: Vec<f64> = x.iter().map(|&x| if x == 16 { f64::NAN } else { x as f64 }).collect();
        let float: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        for level in Level::available() {
            let axis = Middle { outer, middle, inner };
            let mut out = [(); 3].map(|()| vec![-1; outer * inner]);
            argmax(level, &x, axis, &mut out[0]);
            argmax(level, &nan, axis, &mut out[1]);
            argmax(level, &float, axis, &mut out[2]);
            for i in 0..outer * inner {
                let terms = |m: usize| x[(i / inner * middle + m) * inner + i % inner];
                let first = (0..middle).rev().max_by_key(|&m| terms(m)).unwrap() as i64;
                assert_eq!(out.each_ref().map(|out| out[i]), [first; 3]);
            }
        }
    }
}
