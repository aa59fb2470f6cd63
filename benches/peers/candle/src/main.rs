//! `candle-peer WORKLOAD --threads N`: `Var`s, candle_nn losses and optimisers, CPU device.
use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW, SGD};
use candle_nn::{loss, ops};
use common::{Args, Peer, bench, data};

const CPU: Device = Device::Cpu;

fn t(a: &data::Arr<f64>, d: DType) -> Tensor {
    Tensor::from_slice(&a.1, a.0.as_slice(), &CPU).unwrap().to_dtype(d).unwrap()
}
fn val(t: &Tensor) -> f64 {
    t.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap()
}

fn main() {
    let a = common::args(&[
        "scalar3",
        "chain1000",
        "logreg",
        "planar",
        "deep",
        "mlp",
        "wide",
        "elementwise",
        "conv",
    ]);
    let peer = if cfg!(feature = "mkl") { "candle-mkl" } else { "candle" };
    common::run(|| run(&a, &Peer { peer, version: "0.11.1" }).unwrap());
}

fn run(a: &Args, p: &Peer) -> Result<()> {
    let w = a.workload.as_str();
    let f64_ = ["scalar3", "chain1000", "planar"].contains(&w);
    let (dt, name) = if f64_ { (DType::F64, "f64") } else { (DType::F32, "f32") };
    let (params, data) = data::load::<f64>(w);
    let scalar = |v: f64| Var::new(v, &CPU).unwrap();
    match w {
        "scalar3" => {
            let d = &data[0].1;
            bench(p, a, name, |i| {
                let r = &d[i % 1000 * 3..][..3];
                let v = [scalar(r[0]), scalar(r[1]), scalar(r[2])];
                let f = || -> Result<Tensor> {
                    ((v[0].as_tensor() + (v[1].as_tensor() * v[2].as_tensor())?)? * 3.0)?.contiguous()
                };
                let j = f().unwrap();
                let g = j.backward().unwrap();
                (val(&j), v.iter().map(|v| val(g.get(v).unwrap()).powi(2)).sum())
            });
            return Ok(());
        }
        "chain1000" => {
            bench(p, a, name, |i| {
                let (x, y) = (scalar(data[0].1[i % 1000]), scalar(data[1].1[i % 1000]));
                let step = |v: Tensor| -> Result<Tensor> { (v.sin()? * y.as_tensor())? + (v * 0.5)? };
                let v = (0..1000).fold(x.as_tensor().clone(), |v, _| step(v).unwrap());
                let g = v.backward().unwrap();
                (val(&v), val(g.get(&x).unwrap()).powi(2) + val(g.get(&y).unwrap()).powi(2))
            });
            return Ok(());
        }
        _ => {}
    }
    let v: Vec<Var> = params.iter().map(|q| Var::from_tensor(&t(q, dt)).unwrap()).collect();
    if w == "elementwise" {
        let f = || -> Result<Tensor> {
            let e = v[2].abs()?.neg()?.exp()?;
            let s = (v[0].tanh()? * ops::sigmoid(&v[1])?)?;
            // candle has no log1p
            ((s + (e + 1.0)?.log()?)? + v[2].relu()?)?.mean_all()
        };
        bench(p, a, name, |i| {
            let l = f().unwrap();
            let g = l.backward().unwrap();
            let gs: Vec<_> = v.iter().map(|v| g.get(v).unwrap()).collect();
            let check = if i == 0 {
                gs.iter().map(|g| val(&(*g * 1e3).unwrap().sqr().unwrap().sum_all().unwrap()) * 1e-6).sum()
            } else {
                0.0
            };
            (val(&l), check)
        });
        return Ok(());
    }
    let x = t(&data[0], dt);
    let y = t(&data[1], dt);
    let yi = y.to_dtype(DType::U32)?;
    let vs = v.clone();
    let dense =
        |h: &Tensor, l: usize| -> Result<Tensor> { h.matmul(&v[2 * l])?.broadcast_add(&v[2 * l + 1]) };
    let f = || -> Result<Tensor> {
        let mut h = x.clone();
        match w {
            "logreg" => {
                loss::binary_cross_entropy_with_logit(&v[0].t()?.matmul(&x)?.broadcast_add(&v[1])?, &y)
            }
            "planar" | "deep" => {
                for l in 0..v.len() / 2 {
                    h = v[2 * l].matmul(&h)?.broadcast_add(&v[2 * l + 1])?;
                    if l + 1 < v.len() / 2 {
                        h = if f64_ { h.tanh()? } else { h.relu()? };
                    }
                }
                loss::binary_cross_entropy_with_logit(&h, &y)
            }
            "mlp" => loss::cross_entropy(&dense(&dense(&dense(&h, 0)?.relu()?, 1)?.relu()?, 2)?, &yi),
            "wide" => loss::mse(&dense(&dense(&h, 0)?.relu()?, 1)?, &y),
            _ => {
                for l in 0..2 {
                    let b = v[2 * l + 1].reshape((1, (), 1, 1))?;
                    h = h.conv2d(&v[2 * l], 0, 1, 1, 1)?.broadcast_add(&b)?.relu()?.max_pool2d(2)?;
                }
                loss::cross_entropy(&dense(&h.flatten_from(D::Minus(3))?, 2)?, &yi)
            }
        }
    };
    let adam = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() };
    let lr = match w {
        "logreg" => 0.005,
        "planar" => 1.2,
        "deep" => 0.0075,
        _ => 0.01,
    };
    let mut step: Box<dyn FnMut(&Tensor) -> Result<()>> = match w {
        "mlp" | "conv" => {
            let mut o = AdamW::new(vs, adam)?;
            Box::new(move |l| o.backward_step(l))
        }
        _ => {
            let mut o = SGD::new(vs, lr)?;
            Box::new(move |l| o.backward_step(l))
        }
    };
    bench(p, a, name, |_| {
        let l = f().unwrap();
        step(&l).unwrap();
        (val(&l), 0.0)
    });
    Ok(())
}
