//! `autograd-peer WORKLOAD --threads N`: the graph is built once and evaluated per step,
//! which is this crate's fastest use (its examples rebuild it per step).
use ag::ndarray::{ArrayD, IxDyn};
use ag::optimizers::{Adam, SGD};
use ag::prelude::*;
use ag::tensor_ops as T;
use autograd as ag;
use common::{Args, Peer, bench, data};

type Ten<'g, F> = ag::Tensor<'g, F>;

fn arr<F>(a: data::Arr<F>) -> ArrayD<F> {
    ArrayD::from_shape_vec(IxDyn(&a.0), a.1).unwrap()
}

fn main() {
    let a = common::args(&["scalar3", "chain1000", "logreg", "planar", "deep", "mlp", "wide", "elementwise"]);
    common::run(|| match a.workload.as_str() {
        "scalar3" | "chain1000" => scalars(&a),
        "planar" => train::<f64>(&a, "f64"),
        _ => train::<f32>(&a, "f32"),
    });
}
const P: Peer = Peer { peer: "autograd", version: "2.0.0-rc3" };

fn scalars(a: &Args) {
    let (_, d) = data::load::<f64>(&a.workload);
    let chain = a.workload == "chain1000";
    ag::run::<f64, _, _>(|c| {
        let v: Vec<Ten<f64>> = ["a", "b", "c"].iter().map(|n| c.placeholder(n, &[])).collect();
        let n = if chain { 2 } else { 3 };
        let j = if chain {
            (0..1000).fold(v[0], |x, _| T::sin(x) * v[1] + x * 0.5)
        } else {
            (v[0] + v[1] * v[2]) * 3.0
        };
        let g = T::grad(&[j], &v[..n]);
        bench(&P, a, "f64", |i| {
            let vals: Vec<_> = (0..n)
                .map(|k| {
                    ag::ndarray::arr0(if chain { d[k].1[i % 1000] } else { d[0].1[i % 1000 * 3 + k] })
                        .into_dyn()
                })
                .collect();
            let mut ev = c.evaluator();
            let mut e = ev.push(j).extend(&g);
            for k in 0..n {
                e = e.feed(v[k], vals[k].view());
            }
            let r: Vec<f64> = e.run().into_iter().map(|x| x.unwrap()[IxDyn(&[])]).collect();
            (r[0], r[1..].iter().map(|g| g * g).sum())
        });
    });
}

fn train<F: ag::Float + data::Real + Into<f64>>(a: &Args, dtype: &str) {
    let w = a.workload.as_str();
    let (params, data) = data::load::<F>(w);
    let f = |v: f64| F::of(v);
    let mut env = ag::VariableEnvironment::<F>::new();
    let ids: Vec<_> = params
        .into_iter()
        // Row biases as (1, n): this crate broadcasts only between equal ranks.
        .map(|(s, v)| env.set(arr((if s.len() == 1 && w != "elementwise" { vec![1, s[0]] } else { s }, v))))
        .collect();
    let adam = Adam::new(
        f(1e-3),
        f(1e-8),
        f(0.9),
        f(0.999),
        env.default_namespace().current_var_ids(),
        &mut env,
        "adam",
    );
    let d: Vec<_> = data
        .into_iter()
        .map(|a| if w == "mlp" && a.0.len() == 1 { arr((vec![128, 1], a.1)) } else { arr(a) })
        .collect();
    env.run(|c| {
        let v: Vec<Ten<F>> = ids.iter().map(|&i| c.variable(i)).collect();
        let x = c.placeholder("x", &[-1, -1]);
        let y = c.placeholder("y", &[-1, -1]);
        let k = v.len() / 2;
        let loss = match w {
            "elementwise" => {
                let e = T::exp(T::neg(T::abs(v[2])));
                T::mean_all(T::tanh(v[0]) * T::sigmoid(v[1]) + T::ln(e + f(1.0)) + T::relu(v[2]))
            }
            "logreg" => {
                T::mean_all(T::sigmoid_cross_entropy(T::matmul(T::transpose(v[0], &[1, 0]), x) + v[1], y))
            }
            "planar" | "deep" => {
                let mut h = x;
                for l in 0..k {
                    h = T::matmul(v[2 * l], h) + v[2 * l + 1];
                    if l + 1 < k {
                        h = if w == "planar" { T::tanh(h) } else { T::relu(h) };
                    }
                }
                T::mean_all(T::sigmoid_cross_entropy(h, y))
            }
            _ => {
                let mut h = x;
                for l in 0..k {
                    h = T::matmul(h, v[2 * l]) + v[2 * l + 1];
                    if l + 1 < k {
                        h = T::relu(h);
                    }
                }
                if w == "mlp" {
                    T::mean_all(T::sparse_softmax_cross_entropy(h, y))
                } else {
                    T::mean_all(T::square(h - y))
                }
            }
        };
        let g = T::grad(&[loss], &v);
        let lr = match w {
            "logreg" => 0.005,
            "planar" => 1.2,
            "deep" => 0.0075,
            _ => 0.01,
        };
        let outs = match w {
            "elementwise" => g,
            "mlp" => adam.compute_updates(&v, &g, c),
            _ => SGD::new(f(lr)).compute_updates(&v, &g, c),
        };
        bench(&P, a, dtype, |i| {
            let mut ev = c.evaluator();
            let mut e = ev.push(loss).extend(&outs);
            if let [xd, yd] = &d[..] {
                e = e.feed(x, xd.view()).feed(y, yd.view());
            }
            let r = e.run();
            let l: f64 = r[0].as_ref().unwrap().iter().next().copied().unwrap().into();
            let check = if w == "elementwise" && i == 0 {
                r[1..]
                    .iter()
                    .map(|g| g.as_ref().unwrap().iter().map(|&v| v.into().powi(2)).sum::<f64>())
                    .sum()
            } else {
                0.0
            };
            (l, check)
        });
    });
}
