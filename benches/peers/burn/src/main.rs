//! `burn-peer WORKLOAD --threads N --backend flex|ndarray`: modules, losses and
//! optimisers from burn, as its book teaches.
use burn::module::{Module, Param};
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::optim::{AdamConfig, GradientsParams, SgdConfig};
use burn::tensor::activation::{log_sigmoid, relu, sigmoid, tanh};
use burn::tensor::module::{conv2d, linear, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use common::{Args, Peer, bench, data};

#[derive(Module, Debug)]
struct Net {
    m: Vec<Param<Tensor<2>>>,
    v: Vec<Param<Tensor<1>>>,
    k: Vec<Param<Tensor<4>>>,
}

fn t<const D: usize>(a: &data::Arr<f64>, f64_: bool, dev: &Device) -> Tensor<D> {
    let d = TensorData::new(a.1.clone(), a.0.clone());
    Tensor::from_data(d, (dev, if f64_ { DType::F64 } else { DType::F32 }))
}
fn ints<const D: usize>(a: &data::Arr<f64>, dev: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(a.1.iter().map(|&v| v as i64).collect::<Vec<_>>(), a.0.clone()), dev)
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
    let be = std::env::args().skip_while(|a| a != "--backend").nth(1).unwrap_or("flex".into());
    #[allow(deprecated)]
    let dev = match be.as_str() {
        "ndarray" => Device::ndarray(),
        _ => Device::flex(),
    };
    let dev = dev.autodiff();
    common::run(|| {
        run(
            &a,
            &Peer {
                peer: &format!("burn-{be}{}", if cfg!(feature = "v4") { "-v4" } else { "" }),
                version: "0.22.1",
            },
            dev.clone(),
        )
    });
}

fn run(a: &Args, p: &Peer, dev: Device) {
    let w = a.workload.as_str();
    let f64_ = ["scalar3", "chain1000", "planar"].contains(&w);
    let (params, data) = data::load::<f64>(w);
    let scalar =
        |v: f64| Tensor::<1>::from_data(TensorData::new(vec![v], [1]), (&dev, DType::F64)).require_grad();
    let grad = |t: &Tensor<1>, g: &burn::tensor::Gradients| t.grad(g).unwrap().into_scalar::<f64>();
    match w {
        "scalar3" => {
            let d = &data[0].1;
            return bench(p, a, "f64", |i| {
                let r = &d[i % 1000 * 3..][..3];
                let (x, y, z) = (scalar(r[0]), scalar(r[1]), scalar(r[2]));
                let j = (x.clone() + y.clone() * z.clone()) * 3.0;
                let g = j.backward();
                (j.into_scalar::<f64>(), grad(&x, &g).powi(2) + grad(&y, &g).powi(2) + grad(&z, &g).powi(2))
            });
        }
        "chain1000" => {
            return bench(p, a, "f64", |i| {
                let (x, y) = (scalar(data[0].1[i % 1000]), scalar(data[1].1[i % 1000]));
                let v = (0..1000).fold(x.clone(), |v, _| v.clone().sin() * y.clone() + v * 0.5);
                let g = v.backward();
                (v.into_scalar::<f64>(), grad(&x, &g).powi(2) + grad(&y, &g).powi(2))
            });
        }
        "elementwise" => {
            let q: Vec<Tensor<1>> = params.iter().map(|a| t(a, false, &dev).require_grad()).collect();
            return bench(p, a, "f32", |i| {
                let (x, y, z) = (q[0].clone(), q[1].clone(), q[2].clone());
                let l = (tanh(x) * sigmoid(y) + z.clone().abs().neg().exp().log1p() + relu(z)).mean();
                let g = l.backward();
                let gs: Vec<_> = q.iter().map(|t| t.grad(&g).unwrap()).collect();
                let check = if i == 0 {
                    gs.iter()
                        .map(|g| (g.clone() * 1e3).powi_scalar(2).sum().into_scalar::<f32>() as f64 * 1e-6)
                        .sum()
                } else {
                    0.0
                };
                (l.into_scalar::<f32>() as f64, check)
            });
        }
        _ => {}
    }
    let mut net = Net { m: vec![], v: vec![], k: vec![] };
    for q in &params {
        match q.0.len() {
            1 => net.v.push(Param::from_tensor(t(q, f64_, &dev))),
            2 => net.m.push(Param::from_tensor(t(q, f64_, &dev))),
            _ => net.k.push(Param::from_tensor(t(q, f64_, &dev))),
        }
    }
    let pdev = &dev;
    let bce = BinaryCrossEntropyLossConfig::new().with_logits(true).init(pdev);
    let ce = CrossEntropyLossConfig::new().init(pdev);
    // Data needs no gradient, but burn asks that it live on the same (autodiff) device.
    let x2 = |w: &str| if w == "conv" { None } else { Some(t::<2>(&data[0], f64_, pdev)) };
    let x = x2(w);
    let xx = || x.clone().unwrap();
    let loss: Box<dyn Fn(&Net) -> Tensor<1>> = match w {
        "logreg" => {
            let y = ints::<2>(&data[1], pdev);
            Box::new(move |n| bce.forward(n.m[0].val().transpose().matmul(xx()) + n.m[1].val(), y.clone()))
        }
        "planar" | "deep" => {
            let y = ints::<2>(&data[1], pdev);
            // burn's BCE turns int targets into the device's default f32, which it then
            // refuses to mix with f64 logits: planar writes the same formula out.
            let yf = t::<2>(&data[1], f64_, pdev);
            Box::new(move |n| {
                let mut h = xx();
                for (l, wb) in n.m.chunks(2).enumerate() {
                    h = wb[0].val().matmul(h) + wb[1].val();
                    if l + 1 < n.m.len() / 2 {
                        h = if f64_ { tanh(h) } else { relu(h) };
                    }
                }
                if f64_ {
                    return ((yf.clone().neg() + 1.0) * h.clone() - log_sigmoid(h)).mean();
                }
                bce.forward(h, y.clone())
            })
        }
        "mlp" | "wide" => {
            let mlp = w == "mlp";
            let yi = mlp.then(|| ints::<1>(&data[1], pdev));
            let yf = (!mlp).then(|| t::<2>(&data[1], false, pdev));
            Box::new(move |n| {
                let mut h = xx();
                for l in 0..n.m.len() {
                    h = linear(h, n.m[l].val(), Some(n.v[l].val()));
                    if l + 1 < n.m.len() {
                        h = relu(h);
                    }
                }
                match &yi {
                    Some(y) => ce.forward(h, y.clone()),
                    None => MseLoss::new().forward(h, yf.clone().unwrap(), Reduction::Mean),
                }
            })
        }
        "conv" => {
            let x = t::<4>(&data[0], false, pdev);
            let y = ints::<1>(&data[1], pdev);
            Box::new(move |n| {
                let mut h = x.clone();
                for l in 0..2 {
                    h = conv2d(
                        h,
                        n.k[l].val(),
                        Some(n.v[l].val()),
                        ConvOptions::new([1, 1], [0, 0], [1, 1], 1),
                    );
                    h = max_pool2d(relu(h), MaxPoolOptions::new([2, 2]));
                }
                ce.forward(linear(h.flatten::<2>(1, 3), n.m[0].val(), Some(n.v[2].val())), y.clone())
            })
        }
        w => panic!("unknown {w}"),
    };
    let (mut opt, lr) = match w {
        "mlp" | "conv" => (AdamConfig::new().with_epsilon(1e-8).init(), 1e-3),
        "logreg" => (SgdConfig::new().init(), 0.005),
        "planar" => (SgdConfig::new().init(), 1.2),
        "deep" => (SgdConfig::new().init(), 0.0075),
        _ => (SgdConfig::new().init(), 0.01),
    };
    let mut net = Some(net);
    bench(p, a, if f64_ { "f64" } else { "f32" }, |_| {
        let n = net.take().unwrap();
        let l = loss(&n);
        let g = GradientsParams::from_grads(l.backward(), &n);
        net = Some(opt.step(lr, n, g));
        (l.into_scalar::<f64>(), 0.0)
    });
}
