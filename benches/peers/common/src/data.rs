//! Inputs and initial parameters, as in ../python/workloads.py: data seed 1, labels or
//! targets seed 2 (a third array 3), weight matrix number l seed 10 + l, biases 0.
use crate::fill;

pub type Arr<T> = (Vec<usize>, Vec<T>);

pub trait Real: Copy {
    fn of(v: f64) -> Self;
}
impl Real for f32 {
    fn of(v: f64) -> f32 {
        v as f32
    }
}
impl Real for f64 {
    fn of(v: f64) -> f64 {
        v
    }
}

fn arr<T: Real>(shape: &[usize], seed: u32, f: impl Fn(f64) -> f64) -> Arr<T> {
    (shape.to_vec(), fill(shape.iter().product(), seed, |u| T::of(f(u))))
}
fn weight<T: Real>(shape: &[usize], seed: u32, scale: f64) -> Arr<T> {
    arr(shape, seed, |u| (u - 0.5) * 2.0 * scale)
}
fn zeros<T: Real>(shape: &[usize]) -> Arr<T> {
    (shape.to_vec(), vec![T::of(0.0); shape.iter().product()])
}
fn binary(u: f64) -> f64 {
    (u > 0.5) as u8 as f64
}

/// (parameters in order W1, b1, W2, b2, ..., data arrays); class labels as floats.
pub fn load<T: Real>(workload: &str) -> (Vec<Arr<T>>, Vec<Arr<T>>) {
    let classes = |u: f64| (u * 10.0).floor();
    let r = |n: usize| 1.0 / (n as f64).sqrt();
    match workload {
        "scalar3" => (vec![], vec![arr(&[1000, 3], 1, |u| u)]),
        "chain1000" => (vec![], vec![arr(&[1000], 1, |u| 1.0 + u), arr(&[1000], 2, |u| 0.5 + 0.1 * u)]),
        "logreg" => (
            vec![zeros(&[12288, 1]), zeros(&[1, 1])],
            vec![arr(&[12288, 209], 1, |u| u), arr(&[1, 209], 2, binary)],
        ),
        "planar" => (
            vec![weight(&[4, 2], 10, 0.01), zeros(&[4, 1]), weight(&[1, 4], 11, 0.01), zeros(&[1, 1])],
            vec![arr(&[2, 400], 1, |u| u), arr(&[1, 400], 2, binary)],
        ),
        "deep" => {
            let n = [12288, 20, 7, 5, 1];
            let p = (0..4)
                .flat_map(|l| [weight(&[n[l + 1], n[l]], 10 + l as u32, r(n[l])), zeros(&[n[l + 1], 1])]);
            (p.collect(), vec![arr(&[12288, 209], 1, |u| u), arr(&[1, 209], 2, binary)])
        }
        "mlp" => {
            let n = [784, 512, 256, 10];
            let p =
                (0..3).flat_map(|l| [weight(&[n[l], n[l + 1]], 10 + l as u32, r(n[l])), zeros(&[n[l + 1]])]);
            (p.collect(), vec![arr(&[128, 784], 1, |u| u), arr(&[128], 2, classes)])
        }
        "wide" => (
            vec![
                weight(&[1024, 4096], 10, 1.0 / 32.0),
                zeros(&[4096]),
                weight(&[4096, 1024], 11, 1.0 / 64.0),
                zeros(&[1024]),
            ],
            vec![arr(&[256, 1024], 1, |u| u), arr(&[256, 1024], 2, |u| u)],
        ),
        "elementwise" => ((1..4).map(|s| weight(&[1_000_000], s, 3.0)).collect(), vec![]),
        "conv" => (
            vec![
                weight(&[32, 1, 3, 3], 10, 1.0 / 3.0),
                zeros(&[32]),
                weight(&[64, 32, 3, 3], 11, r(288)),
                zeros(&[64]),
                weight(&[1600, 10], 12, 1.0 / 40.0),
                zeros(&[10]),
            ],
            vec![arr(&[32, 1, 28, 28], 1, |u| u), arr(&[32], 2, classes)],
        ),
        w => crate::not_here(w),
    }
}
