//! The numbers that every program starts from, so that losses can be compared between frameworks.
//!
//! Element k, in row-major order, of the array with seed s is made of `u = frac(43758.5453 sin(12.9898 k + 78.233 s))`,
//! computed in double precision and rounded once.

use gradus::Float;
use gradus::ndarray::{Array1, ArrayD, IxDyn};

fn u(k: usize, seed: u32) -> f64 {
    let v = (k as f64 * 12.9898 + f64::from(seed) * 78.233).sin() * 43758.5453;
    v - v.floor()
}

fn array<T>(shape: &[usize], seed: u32, value: impl Fn(f64) -> T) -> ArrayD<T> {
    let count = shape.iter().product();
    let flat: Array1<T> = (0..count).map(|k| value(u(k, seed))).collect();
    flat.into_shape_with_order(IxDyn(shape)).expect("the shape has as many elements")
}

/// Data: `u` itself, between 0 and 1.
pub fn uniform<T: Float>(shape: &[usize], seed: u32) -> ArrayD<T> {
    array(shape, seed, T::from_f64)
}

/// Weights: between ±scale.
pub fn weight<T: Float>(shape: &[usize], seed: u32, scale: f64) -> ArrayD<T> {
    array(shape, seed, |u| T::from_f64((u - 0.5) * 2.0 * scale))
}

/// Labels: 1 where `u > 1/2`, else 0.
pub fn binary<T: Float>(shape: &[usize], seed: u32) -> ArrayD<T> {
    array(shape, seed, |u| T::from_f64(if u > 0.5 { 1.0 } else { 0.0 }))
}

/// Labels: classes from 0 to below `count`.
pub fn classes(examples: usize, seed: u32, count: usize) -> ArrayD<i64> {
    array(&[examples], seed, |u| (u * count as f64).floor() as i64)
}
