//! Windows that move over images: convolutions and pools.

mod block;
mod conv;
mod four;
mod pack;
mod pool;
mod sizes;
mod transpose;

pub(crate) use self::conv::{
    conv, conv_input, conv_input_scratch, conv_scratch, conv_weight, conv_weight_scratch,
};
pub(crate) use self::four::ShareAmongFour as WindowElement;
pub(crate) use self::pool::{Divisor, Pooling, avg_pool, avg_unpool, max_gather, max_pool, max_unpool};
pub(crate) use self::sizes::Convolution;

#[cfg(test)]
mod tests {
    use super::pack::Scalar;
    use super::*;
    use crate::kernels::{Level, Threads};

    /// Small whole numbers, whose sums are exact in any order.
    fn whole<T: Scalar>(n: usize, seed: usize) -> Vec<T> {
        let number = |i: usize| T::count((i * 7919 + seed) % 1013 % 7);
        (0..n).map(number).collect()
    }

    /// Numbers whose sums depend on the order.
    fn thirds<T: Scalar>(n: usize, seed: usize) -> Vec<T> {
        whole::<T>(n, seed).into_iter().map(|x| (x + T::count(1)) / T::count(3)).collect()
    }

    fn sizes() -> Vec<Convolution> {
        let with = |images, groups, inputs, outputs, input, window| {
            let output = std::array::from_fn(|a: usize| {
                let (input, window): ([usize; 3], [usize; 3]) = (input, window);
                input[a] - window[a] + 1
            });
            let (stride, dilation, before) = ([1; 3], [1; 3], [0; 3]);
            Convolution { images, groups, inputs, outputs, input, window, output, stride, dilation, before }
        };
        let padded = Convolution {
            output: [1, 4, 5],
            before: [0, 1, 1],
            stride: [1, 2, 2],
            ..with(3, 1, 5, 40, [1, 8, 9], [1, 3, 3])
        };
        vec![
            with(37, 1, 1, 9, [1, 6, 7], [1, 3, 3]),
            with(19, 1, 32, 64, [1, 13, 13], [1, 3, 3]),
            with(5, 2, 17, 33, [1, 5, 6], [1, 2, 3]),
            with(4, 1, 3, 16, [3, 4, 5], [2, 2, 2]),
            padded,
        ]
    }

    type Run<T> = fn(Level, &Convolution, [&[T]; 2], &mut [T], &mut [T], Threads);

    /// The three products, with their operands' lengths and their scratch.
    fn products<T: Scalar>(of: &Convolution) -> [(Run<T>, [usize; 2], usize, usize); 3] {
        let product = |sizes: [usize; 3]| sizes.iter().product::<usize>();
        let x = of.images * of.groups * of.inputs * product(of.input);
        let w = of.groups * of.outputs * of.inputs * product(of.window);
        let y = of.images * of.groups * of.outputs * product(of.output);
        [
            (conv::<T>, [x, w], y, conv_scratch::<T>(of)),
            (conv_input::<T>, [y, w], x, conv_input_scratch::<T>(of)),
            (conv_weight::<T>, [x, y], w, conv_weight_scratch::<T>(of)),
        ]
    }

    fn check<T: Scalar + std::fmt::Debug>() {
        for of in sizes() {
            for (run, [a, b], out, scratch) in products::<T>(&of) {
                let result = |level, threads, a: &[T], b: &[T]| {
                    // What stood in the memory before does not matter.
                    let (mut out, mut scratch) = (vec![T::NAN; out], vec![T::NAN; scratch]);
                    run(level, &of, [a, b], &mut out, &mut scratch, threads);
                    out
                };
                let (x, y) = (thirds(a, 1), thirds(b, 2));
                let one = result(Level::detect(), Threads::ONE, &x, &y);
                assert_eq!(one, result(Level::detect(), Threads::MANY, &x, &y), "{of:?}");
                let (x, y) = (whole(a, 3), whole(b, 4));
                let best = result(Level::detect(), Threads::ONE, &x, &y);
                for level in Level::available() {
                    assert_eq!(best, result(level, Threads::MANY, &x, &y), "{level:?} {of:?}");
                }
            }
        }
    }

    #[test]
    fn convolutions_are_the_same_on_many_threads_and_at_every_level() {
        check::<f32>();
        check::<f64>();
    }

    fn check_pools<T: WindowElement + std::fmt::Debug>() {
        for (input, output, window, stride) in
            [([1, 9, 11], [1, 4, 5], 2, 2), ([1, 8, 34], [1, 4, 17], 2, 2), ([1, 7, 7], [1, 3, 3], 3, 2)]
        {
            let of = Pooling {
                planes: 70,
                input,
                window: [1, window, window],
                output,
                stride: [1, stride, stride],
                before: [0; 3],
            };
            let [pixels, places] = [input, output].map(|sizes| 70 * sizes.iter().product::<usize>());
            let (x, g) = (whole::<T>(pixels, 5), thirds::<T>(places, 6));
            let run = |level, threads| {
                let (mut max, mut shares) = (vec![T::NAN; places], vec![T::NAN; pixels]);
                max_pool(level, &of, &x, &mut max, threads);
                max_unpool(level, &of, [&g, &x], &mut shares, threads);
                (max, shares)
            };
            for level in Level::available() {
                assert_eq!(run(level, Threads::ONE), run(Level::detect(), Threads::MANY), "{level:?} {of:?}");
            }
        }
    }

    #[test]
    fn pools_are_the_same_on_many_threads_and_at_every_level() {
        check_pools::<f32>();
        check_pools::<f64>();
    }
}
