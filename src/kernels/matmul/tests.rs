//! Against a plain triple loop: shapes around the sizes of tiles and blocks, all layouts, all levels, all threads.

use super::*;

/// A float that these tests can make and compare.
trait Number: Factor + std::fmt::Debug {
    fn near(x: f64) -> Self;
    fn bits(self) -> u64;
    fn wide(self) -> f64;
    const EPSILON: f64;
}

impl Number for f32 {
    fn near(x: f64) -> Self {
        x as f32
    }
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
    fn wide(self) -> f64 {
        self.into()
    }
    const EPSILON: f64 = Self::EPSILON as f64;
}

impl Number for f64 {
    fn near(x: f64) -> Self {
        x
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn wide(self) -> f64 {
        self
    }
    const EPSILON: f64 = Self::EPSILON;
}

/// Ways in which a matrix may lie in memory.
const LAYOUTS: usize = 6;

fn layout(way: usize, rows: usize, columns: usize) -> (usize, Layout) {
    let rows_first = Layout::by_rows(rows, columns);
    let columns_first = Layout::by_columns(rows, columns);
    let (r, c) = (rows as isize, columns as isize);
    let last = (rows * columns).saturating_sub(1);
    match way {
        0 => (rows * columns, rows_first),
        1 => (rows * columns, columns_first),
        // A gap between rows, and something before the first.
        2 => (rows * (columns + 3) + 5, Layout { offset: 5, row_stride: c + 3, ..rows_first }),
        // Every other column.
        3 => (2 * rows * columns, Layout { row_stride: 2 * c, column_stride: 2, ..rows_first }),
        // Rows and columns backwards.
        4 => (rows * columns, Layout { offset: last, row_stride: -c, column_stride: -1, ..rows_first }),
        // By columns, the columns backwards.
        _ => (
            rows * columns,
            Layout { offset: (rows * columns).saturating_sub(rows), column_stride: -r, ..columns_first },
        ),
    }
}

fn numbers<T: Number>(length: usize, seed: usize) -> Vec<T> {
    let number = |i: usize| ((i * 7919 + seed * 104_729 + i * i % 31) % 1009) as f64 / 504.5 - 1.0;
    (0..length).map(|i| T::near(number(i))).collect()
}

fn at<T: Copy>(data: &[T], layout: Layout, i: usize, j: usize) -> T {
    let index = layout.offset as isize + i as isize * layout.row_stride + j as isize * layout.column_stride;
    data[index as usize]
}

/// The plain product in `f64`, and the sum of the sizes of its terms.
fn plain<T: Number>(a: (&[T], Layout), b: (&[T], Layout), i: usize, j: usize) -> (f64, f64) {
    (0..a.1.columns).fold((0.0, 0.0), |(sum, size), p| {
        let term = at(a.0, a.1, i, p).wide() * at(b.0, b.1, p, j).wide();
        (sum + term, size + term.abs())
    })
}

/// Checks one product, and that what lies between the elements of the result stays as it is.
fn check<T: Number>(level: Level, [m, k, n]: [usize; 3], ways: [usize; 3], alpha: f64, beta: f64) {
    let (length, a_layout) = layout(ways[0], m, k);
    let a = numbers::<T>(length, 1);
    let (length, b_layout) = layout(ways[1], k, n);
    let b = numbers::<T>(length, 2);
    let (length, out_layout) = layout(ways[2], m, n);
    let old = numbers::<T>(length, 3);
    let mut out = old.clone();
    product_at(
        level,
        T::near(alpha),
        Matrix::new(&a, a_layout),
        Matrix::new(&b, b_layout),
        T::near(beta),
        MatrixMut::new(&mut out, out_layout),
        Threads::ONE,
    );
    let mut written = vec![false; length];
    for i in 0..m {
        for j in 0..n {
            let (sum, size) = plain((&a, a_layout), (&b, b_layout), i, j);
            let index = (out_layout.offset as isize
                + i as isize * out_layout.row_stride
                + j as isize * out_layout.column_stride) as usize;
            written[index] = true;
            let expected = alpha * sum + beta * old[index].wide();
            let bound = T::EPSILON
                * (4.0 + (k as f64).sqrt())
                * (alpha.abs() * size + old[index].wide().abs() + 1e-3);
            let error = (out[index].wide() - expected).abs();
            assert!(
                error <= bound,
                "{level:?} ({m}, {k}) · ({k}, {n}), layouts {ways:?}, at ({i}, {j}): {} for {expected}",
                out[index].wide()
            );
        }
    }
    for (index, _) in written.iter().enumerate().filter(|(_, written)| !**written) {
        assert_eq!(out[index].bits(), old[index].bits(), "written between the elements, at {index}");
    }
}

fn every_layout<T: Number>(shapes: &[[usize; 3]]) {
    for level in Level::available() {
        for (s, &shape) in shapes.iter().enumerate() {
            for way in 0..LAYOUTS * LAYOUTS * LAYOUTS {
                let ways = [way % LAYOUTS, way / LAYOUTS % LAYOUTS, way / LAYOUTS / LAYOUTS];
                let (alpha, beta) = [(1.0, 0.0), (1.0, 1.0), (-0.75, 0.5)][(s + way) % 3];
                check::<T>(level, shape, ways, alpha, beta);
            }
        }
    }
}

const SMALL_SHAPES: [[usize; 3]; 24] = [
    [1, 1, 1],
    [0, 3, 2],
    [2, 0, 3],
    [3, 2, 0],
    [1, 5, 3],
    [3, 5, 1],
    [1, 0, 1],
    [1, 40, 1],
    [2, 1, 19],
    [19, 1, 2],
    [4, 2, 40],
    [4, 40, 2],
    [3, 33, 3],
    [7, 18, 1],
    [1, 18, 7],
    [5, 17, 16],
    [13, 9, 33],
    [12, 31, 32],
    [11, 64, 31],
    [20, 30, 65],
    [25, 40, 17],
    [33, 50, 10],
    [10, 50, 35],
    [24, 24, 34],
];

#[test]
fn every_layout_gives_the_plain_product_f32() {
    every_layout::<f32>(&SMALL_SHAPES);
}

#[test]
fn every_layout_gives_the_plain_product_f64() {
    every_layout::<f64>(&SMALL_SHAPES);
}

#[test]
fn blocks_and_slices_give_the_plain_product() {
    // Around the length of a block, a long inner axis, many rows, many columns, and vectors that are cut.
    let shapes = [
        [13, 255, 40],
        [14, 256, 33],
        [20, 257, 70],
        [26, 600, 129],
        [151, 400, 140],
        [150, 400, 60],
        [20, 2500, 33],
        [9, 9000, 7],
        [3, 20_000, 2],
        [1, 20_000, 3],
        [5, 9001, 1],
        [700, 20, 30],
        [1100, 300, 5],
        [5, 30, 700],
        [300, 2, 70],
    ];
    for level in Level::available() {
        for (s, &shape) in shapes.iter().enumerate() {
            for (w, ways) in
                [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1], [2, 4, 3], [3, 5, 2]].into_iter().enumerate()
            {
                let (alpha, beta) = [(1.0, 0.0), (1.0, 1.0), (-0.75, 0.5)][(s + w) % 3];
                check::<f32>(level, shape, ways, alpha, beta);
                check::<f64>(level, shape, ways, alpha, beta);
            }
        }
    }
}

#[test]
fn operands_may_repeat_their_elements() {
    for [m, k, n] in [[3, 4, 5], [20, 300, 40], [1, 300, 20], [20, 300, 1], [4, 30, 3]] {
        for way in 0..4 {
            let (a, b) = (numbers::<f64>(m * k, 1), numbers::<f64>(k * n, 2));
            let (mut a_layout, mut b_layout) = (Layout::by_rows(m, k), Layout::by_rows(k, n));
            match way {
                0 => a_layout.row_stride = 0,
                1 => a_layout.column_stride = 0,
                2 => b_layout.row_stride = 0,
                _ => (b_layout.row_stride, b_layout.column_stride) = (0, 0),
            }
            let mut out = vec![0.0; m * n];
            let result = MatrixMut::new(&mut out, Layout::by_rows(m, n));
            product(1.0, Matrix::new(&a, a_layout), Matrix::new(&b, b_layout), 0.0, result, Threads::ONE);
            for i in 0..m {
                for j in 0..n {
                    let (sum, size) = plain((&a, a_layout), (&b, b_layout), i, j);
                    assert!((out[i * n + j] - sum).abs() <= 1e-14 * (size + 1.0));
                }
            }
        }
    }
}

/// Shapes that take every way of cutting.
const CUT: [[usize; 3]; 14] = [
    [130, 300, 170],
    [20, 3000, 50],
    [20, 12_288, 209],
    [20, 209, 3000],
    [700, 150, 12],
    [1200, 64, 96],
    [1, 30_000, 40],
    [40, 30_000, 1],
    [30_000, 40, 1],
    [1, 40, 30_000],
    [1, 300_000, 1],
    [400, 1, 600],
    [2, 2, 70_000],
    [5, 20, 7],
];

fn same_on_many_threads<T: Number>(pool: &rayon::ThreadPool) {
    for [m, k, n] in CUT {
        for ways in [[0, 0, 0], [1, 0, 0], [0, 1, 1]] {
            let (length, a_layout) = layout(ways[0], m, k);
            let a = numbers::<T>(length, 1);
            let (length, b_layout) = layout(ways[1], k, n);
            let b = numbers::<T>(length, 2);
            let (_, out_layout) = layout(ways[2], m, n);
            let run = |threads| {
                let mut out = numbers::<T>(m * n, 3);
                product(
                    T::near(0.5),
                    Matrix::new(&a, a_layout),
                    Matrix::new(&b, b_layout),
                    T::near(0.25),
                    MatrixMut::new(&mut out, out_layout),
                    threads,
                );
                out.into_iter().map(T::bits).collect::<Vec<_>>()
            };
            assert!(run(Threads::ONE) == pool.install(|| run(Threads::MANY)), "({m}, {k}) · ({k}, {n})");
        }
    }
}

#[test]
fn many_threads_give_the_same_bits() {
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        same_on_many_threads::<f32>(&pool);
        same_on_many_threads::<f64>(&pool);
    }
}

#[test]
fn not_a_number_goes_where_it_belongs() {
    for [m, k, n] in
        [[3, 5, 4], [20, 300, 40], [4, 40, 2], [1, 50, 30], [50, 30, 1], [20, 3000, 40], [4, 2, 40]]
    {
        let mut a = vec![0.0; m * k];
        let b = vec![1.0; k * n];
        a[(m - 1) * k + 1] = f64::INFINITY;
        let run = |a: &[f64], b: &[f64], alpha, beta, old| {
            let mut out = vec![old; m * n];
            let (a, b) = (Matrix::new(a, Layout::by_rows(m, k)), Matrix::new(b, Layout::by_rows(k, n)));
            product(alpha, a, b, beta, MatrixMut::new(&mut out, Layout::by_rows(m, n)), Threads::ONE);
            out
        };
        // The old result is not read where beta is zero, and one row is infinite.
        let out = run(&a, &b, 1.0, 0.0, f64::NAN);
        assert!(out[..(m - 1) * n].iter().all(|&x| x == 0.0));
        assert!(out[(m - 1) * n..].iter().all(|&x| x == f64::INFINITY));
        // 0 · ∞ is NaN, in the sum and in front of it.
        assert!(run(&a, &vec![0.0; k * n], 1.0, 0.0, 1.0)[(m - 1) * n..].iter().all(|x| x.is_nan()));
        assert!(run(&a, &b, 0.0, 1.0, 1.0)[(m - 1) * n..].iter().all(|x| x.is_nan()));
        // The old result is read where beta is not zero.
        assert!(run(&a, &b, 1.0, 1.0, f64::NAN).iter().all(|x| x.is_nan()));
    }
    let (mut out, none) = (vec![f64::NAN; 6], [0.0; 0]);
    let empty = Matrix::new(&none, Layout::by_rows(2, 0));
    product(
        1.0,
        empty,
        Matrix::new(&none, Layout::by_rows(0, 3)),
        0.0,
        MatrixMut::new(&mut out, Layout::by_rows(2, 3)),
        Threads::ONE,
    );
    assert_eq!(out, [0.0; 6]);
}

#[test]
fn long_sums_are_accurate() {
    // Terms of one sign: each rounding of a running sum counts.
    let k = 1 << 20;
    let a: Vec<f32> = numbers::<f32>(4 * k, 1).iter().map(|x| x.abs()).collect();
    let b: Vec<f32> = numbers::<f32>(4 * k, 2).iter().map(|x| x.abs()).collect();
    for (m, n) in [(1, 1), (4, 1), (1, 4), (4, 4)] {
        for by_columns in [false, true] {
            let way = if by_columns { Layout::by_columns } else { Layout::by_rows };
            let (a_layout, b_layout) = (way(m, k), way(k, n));
            let mut out = vec![0.0; m * n];
            let result = MatrixMut::new(&mut out, Layout::by_rows(m, n));
            product(1.0, Matrix::new(&a, a_layout), Matrix::new(&b, b_layout), 0.0, result, Threads::ONE);
            let (exact, _) = plain((&a, a_layout), (&b, b_layout), m - 1, n - 1);
            let error = (f64::from(out[m * n - 1]) / exact - 1.0).abs();
            assert!(error < 2e-6, "({m}, {k}) · ({k}, {n}): {error}");
        }
    }
}

#[test]
#[should_panic(expected = "reaches beyond its slice")]
fn a_matrix_lies_within_its_slice() {
    Matrix::new(&[1.0, 2.0, 3.0], Layout::by_rows(2, 2));
}

#[test]
#[should_panic(expected = "elements in one place")]
fn a_result_has_a_place_for_each_element() {
    MatrixMut::new(&mut [1.0, 2.0, 3.0, 4.0], Layout { row_stride: 0, ..Layout::by_rows(2, 2) });
}

#[test]
#[should_panic(expected = "(2, 2) · (1, 4) is not (2, 2)")]
fn shapes_must_match() {
    let x = [1.0, 2.0, 3.0, 4.0];
    let (a, b) = (Matrix::new(&x, Layout::by_rows(2, 2)), Matrix::new(&x, Layout::by_rows(1, 4)));
    product(1.0, a, b, 0.0, MatrixMut::new(&mut [0.0; 4], Layout::by_rows(2, 2)), Threads::ONE);
}
