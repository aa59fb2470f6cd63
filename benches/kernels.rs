//! Kernels on arrays that lie in the first cache: `cargo bench --bench kernels`, or with the part of a name behind `--`.
//!
//! The kernels are private. Functions of one number are reached at every level of instructions through the hidden
//! [`Unary::run`]; everything else through compiled programs, whose own cost of about a microsecond per run is part of
//! the figure. Criterion's `thrpt` counts elements: 4 Gelem/s are 0.25 ns an element.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus::Float;
use gradus::ops::{Level, Unary};
use gradus::prelude::*;

/// How many elements a block of a kernel holds here.
const BLOCK: usize = 512;
/// How many elements an array of a program holds.
const ARRAY: usize = 4096;

fn numbers<T: Float>(n: usize) -> Vec<T> {
    (0..n).map(|i| T::from_f64((i as f64 * 0.37).sin().abs() * 3.0 + 0.001)).collect()
}

fn unary(c: &mut Criterion) {
    let (single, double) = (numbers::<f32>(BLOCK), numbers::<f64>(BLOCK));
    let (mut single_out, mut double_out) = (vec![0.0_f32; BLOCK], vec![0.0_f64; BLOCK]);
    for level in Level::available() {
        let mut group = c.benchmark_group(format!("unary {level:?}"));
        group.throughput(Throughput::Elements(BLOCK as u64));
        for op in Unary::all(7, 1.7) {
            let name = gradus::ops::Op::Unary(op).name();
            group.bench_function(format!("{name} f32"), |b| {
                b.iter(|| op.run(level, black_box(&single), black_box(&mut single_out)));
            });
            group.bench_function(format!("{name} f64"), |b| {
                b.iter(|| op.run(level, black_box(&double), black_box(&mut double_out)));
            });
        }
    }
}

/// Times runs of the program of some formulas over `ARRAY` numbers in rows of `columns`.
fn program<T: Float>(
    c: &mut Criterion,
    name: &str,
    columns: usize,
    formula: impl for<'g> Fn(Var<'g, T>) -> Vec<Var<'g, T>>,
) where
    ndarray::ArrayD<T>: Clone,
{
    let g = Graph::new();
    let shape = [ARRAY / columns, columns];
    let x = ndarray::Array::from_shape_vec(shape, numbers::<T>(ARRAY / columns * columns));
    let x = g.input("x", x.expect("as many numbers as the shape holds"));
    let mut program = g.compile(formula(x), ()).expect("the formula compiles");
    let mut group = c.benchmark_group("programs");
    group.throughput(Throughput::Elements(ARRAY as u64));
    group.bench_function(format!("{name} {}", T::DTYPE), |b| {
        b.iter(|| drop(black_box(program.run().unwrap())))
    });
}

fn both<T: Float>(c: &mut Criterion)
where
    ndarray::ArrayD<T>: Clone,
{
    program::<T>(c, "sin, cos", ARRAY, |x| vec![x.sin().sum(), x.cos().sum()]);
    program::<T>(c, "softplus, sigmoid", ARRAY, |x| vec![x.softplus().sum(), x.sigmoid().sum()]);
    program::<T>(c, "sum", ARRAY, |x| vec![x.sum()]);
    program::<T>(c, "max", ARRAY, |x| vec![x.max()]);
    for columns in [10, 64, 128] {
        program::<T>(c, &format!("sum of rows of {columns}"), columns, |x| vec![x.sum_axis(1)]);
        program::<T>(c, &format!("max of rows of {columns}"), columns, |x| vec![x.max_axis(1)]);
        program::<T>(c, &format!("sum of columns of {columns}"), columns, |x| vec![x.sum_axis(0)]);
    }
    program::<T>(c, "select", ARRAY, |x| vec![x.gt(1.0).select(x, 0.0)]);
}

fn programs(c: &mut Criterion) {
    both::<f32>(c);
    both::<f64>(c);
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
}

criterion_group! { name = kernels; config = short(); targets = unary, programs }
criterion_main!(kernels);
