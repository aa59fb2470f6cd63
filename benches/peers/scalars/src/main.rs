//! `scalar-peers scalar3|chain1000 --threads 1 --peer reverse|autodiff|num-dual`
use autodiff::{F1, Float};
use common::{Peer, bench, data};
use nalgebra::{SVector, vector};
use num_dual::{DualNum, DualSVec64, gradient};
use reverse::Gradient;

fn main() {
    let a = common::args(&["scalar3", "chain1000"]);
    let peer = std::env::args().skip_while(|a| a != "--peer").nth(1).expect("--peer");
    let (_, d) = data::load::<f64>(&a.workload);
    let r3 = |i: usize| [d[0].1[i % 1000 * 3], d[0].1[i % 1000 * 3 + 1], d[0].1[i % 1000 * 3 + 2]];
    let r2 = |i: usize| [d[0].1[i % 1000], d[1].1[i % 1000]];
    let scalar3 = a.workload == "scalar3";
    let p = |v| Peer { peer: &peer, version: v };
    common::run(|| match peer.as_str() {
        "reverse" => bench(&p("0.2.2"), &a, "f64", |i| {
            let tape = reverse::Tape::new();
            let (j, v) = if scalar3 {
                let v = tape.add_vars(&r3(i));
                ((v[0] + v[1] * v[2]) * 3.0, v)
            } else {
                let v = tape.add_vars(&r2(i));
                ((0..1000).fold(v[0], |x, _| x.sin() * v[1] + x * 0.5), v)
            };
            let g = j.grad();
            (j.val(), g.wrt(&v).iter().map(|g| g * g).sum())
        }),
        "autodiff" => bench(&p("0.7.0"), &a, "f64", |i| {
            // Forward mode: one pass per input.
            let f = |v: &[F1]| {
                if scalar3 {
                    (v[0] + v[1] * v[2]) * 3.0
                } else {
                    (0..1000).fold(v[0], |x, _| x.sin() * v[1] + x * 0.5)
                }
            };
            let x: &[f64] = if scalar3 { &r3(i) } else { &r2(i) };
            let value = std::cell::Cell::new(0.0);
            let g = autodiff::grad(
                |v| {
                    let r = f(v);
                    value.set(r.value());
                    r
                },
                x,
            );
            (value.get(), g.iter().map(|g| g * g).sum())
        }),
        "num-dual" => bench(&p("0.15.1"), &a, "f64", |i| {
            if scalar3 {
                let [x, y, z] = r3(i);
                let (j, g) =
                    gradient(|v: SVector<DualSVec64<3>, 3>| (v[0] + v[1] * v[2]) * 3.0, &vector![x, y, z]);
                (j, g.norm_squared())
            } else {
                let [x, y] = r2(i);
                let (j, g) = gradient(
                    |v: SVector<DualSVec64<2>, 2>| (0..1000).fold(v[0], |x, _| x.sin() * v[1] + x * 0.5),
                    &vector![x, y],
                );
                (j, g.norm_squared())
            }
        }),
        p => panic!("unknown {p}"),
    });
}
