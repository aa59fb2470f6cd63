//! `handcoded WORKLOAD --threads N [--seconds S]`: what a careful expert writes by hand. Gradients on paper, preallocated
//! buffers, fused loops, the fastest GEMM there is in Rust, polynomials that vectorise for the elementary functions,
//! and rayon over blocks where there are threads.
use common::{Args, Peer, bench, data};
use ndarray::prelude::*;
use rayon::prelude::*;

mod poly;

const P: Peer = Peer { peer: "handcoded", version: "gemm 0.19.0 x86-v4" };

/// `f` compiled for AVX-512, AVX2+FMA and the baseline, chosen at run time.
macro_rules! simd {
    (fn $name:ident<F>($($a:ident: $t:ty),*) $(-> $r:ty)? $body:block) => {
        fn $name($($a: $t),*) $(-> $r)? {
            #[inline(always)]
            fn body<const F: bool>($($a: $t),*) $(-> $r)? $body
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
            fn v4($($a: $t),*) $(-> $r)? { body::<true>($($a),*) }
            #[target_feature(enable = "avx2,fma")]
            fn v3($($a: $t),*) $(-> $r)? { body::<true>($($a),*) }
            unsafe {
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") { v4($($a),*) }
                else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") { v3($($a),*) }
                else { body::<false>($($a),*) }
            }
        }
    };
}

fn main() {
    let a = common::args(&["scalar3", "chain1000", "logreg", "planar", "deep", "mlp", "wide", "elementwise"]);
    rayon::ThreadPoolBuilder::new().num_threads(a.threads).use_current_thread().build_global().unwrap();
    common::run(|| match a.workload.as_str() {
        "scalar3" => scalar3(&a),
        "chain1000" => chain1000(&a),
        "logreg" => logreg(&a),
        "planar" => planar(&a),
        "deep" => deep(&a),
        "mlp" | "wide" => rows(&a),
        _ => elementwise(&a),
    });
}

fn scalar3(a: &Args) {
    let d = &data::load::<f64>("scalar3").1[0].1;
    bench(&P, a, "f64", |i| {
        let [x, y, z] = std::hint::black_box([d[i % 1000 * 3], d[i % 1000 * 3 + 1], d[i % 1000 * 3 + 2]]);
        let (j, g) = std::hint::black_box((3.0 * (x + y * z), [3.0, 3.0 * z, 3.0 * y]));
        (j, g[0] * g[0] + g[1] * g[1] + g[2] * g[2])
    });
}

/// Forward mode along the chain: no tape, one sincos per iteration.
fn chain1000(a: &Args) {
    let (_, d) = data::load::<f64>("chain1000");
    bench(&P, a, "f64", |i| {
        let (mut v, y) = (d[0].1[i % 1000], d[1].1[i % 1000]);
        let (mut dx, mut dy) = (1.0, 0.0);
        for _ in 0..1000 {
            let (s, c) = v.sin_cos();
            let k = c * y + 0.5;
            dx *= k;
            dy = dy * k + s;
            v = s * y + v * 0.5;
        }
        (v, dx * dx + dy * dy)
    });
}

simd!(
    fn bce32<F>(z: &mut [f32], y: &[f32]) -> f32 {
        // z becomes dloss/dz; returns the mean loss.
        use poly::p32::*;
        let n = 1.0 / z.len() as f32;
        let mut l = 0.0;
        for (z, &y) in z.iter_mut().zip(y) {
            let e = exp::<F>(-z.abs());
            l += z.max(0.0) - *z * y + ln::<F>(1.0 + e);
            *z = ((if *z >= 0.0 { 1.0 } else { e }) / (1.0 + e) - y) * n;
        }
        l * n
    }
);

fn logreg(a: &Args) {
    let (mut p, mut d) = data::load::<f32>("logreg");
    let (mut w, mut b) = (arr(&mut p[0]), 0f32);
    let (x, y) = (arr(&mut d[0]), &d[1].1);
    let (mut z, mut g) = (Array2::<f32>::zeros((y.len(), 1)), Array2::<f32>::zeros(w.dim()));
    bench(&P, a, "f32", |_| {
        mm(z.view_mut(), x.t(), w.view(), a.threads);
        z += b;
        let l = bce32(flat(&mut z), y);
        mm(g.view_mut(), x.view(), z.view(), a.threads);
        gd(&mut w, &mut g, 0.005);
        b -= 0.005 * z.sum();
        (l as f64, 0.0)
    });
}

simd!(
    fn planar_step<F>(q: &mut [f64; 17], x: &[f64], y: &[f64], h: &mut [f64], z: &mut [f64]) -> f64 {
        // q = W1 (4x2), b1 (4), W2 (4), b2; h = the 4 hidden rows.
        use poly::p64::*;
        let n = y.len();
        let (x0, x1) = x.split_at(n);
        let inv = 1.0 / n as f64;
        z.fill(q[16]);
        for (k, h) in h.chunks_exact_mut(n).enumerate() {
            let (a, b, c, v) = (q[2 * k], q[2 * k + 1], q[8 + k], q[12 + k]);
            for j in 0..n {
                h[j] = tanh::<F>(a * x0[j] + b * x1[j] + c);
                z[j] += v * h[j];
            }
        }
        let mut l = [0.0; 8];
        let mut gb = [0.0; 8];
        for (z, y) in z.chunks_exact_mut(8).zip(y.chunks_exact(8)) {
            for k in 0..8 {
                let e = exp::<F>(-z[k].abs());
                l[k] += z[k].max(0.0) - z[k] * y[k] + ln::<F>(1.0 + e);
                z[k] = ((if z[k] >= 0.0 { 1.0 } else { e }) / (1.0 + e) - y[k]) * inv;
                gb[k] += z[k];
            }
        }
        for (k, h) in h.chunks_exact(n).enumerate() {
            let mut s = [[0.0f64; 8]; 4]; // dv, da, db, dc
            let v = q[12 + k];
            for j in (0..n).step_by(8) {
                let (h, z, x0, x1) = (&h[j..j + 8], &z[j..j + 8], &x0[j..j + 8], &x1[j..j + 8]);
                for i in 0..8 {
                    let d = z[i] * v * (1.0 - h[i] * h[i]);
                    s[0][i] += z[i] * h[i];
                    s[1][i] += d * x0[i];
                    s[2][i] += d * x1[i];
                    s[3][i] += d;
                }
            }
            let g = s.map(|s| s.iter().sum::<f64>());
            q[12 + k] -= 1.2 * g[0];
            q[2 * k] -= 1.2 * g[1];
            q[2 * k + 1] -= 1.2 * g[2];
            q[8 + k] -= 1.2 * g[3];
        }
        q[16] -= 1.2 * gb.iter().sum::<f64>();
        l.iter().sum::<f64>() * inv
    }
);

fn planar(a: &Args) {
    let (p, d) = data::load::<f64>("planar");
    let mut q = [0.0; 17];
    q[..8].copy_from_slice(&p[0].1);
    q[12..16].copy_from_slice(&p[2].1);
    let (mut h, mut z) = (vec![0.0; 1600], vec![0.0; 400]);
    bench(&P, a, "f64", |_| (planar_step(&mut q, &d[0].1, &d[1].1, &mut h, &mut z), 0.0));
}

/// c = x y. Threads split the longest dimension by hand: measured better on these shapes
/// than the library's own splitting, which loses on skinny ones.
fn mm(c: ArrayViewMut2<f32>, x: ArrayView2<f32>, y: ArrayView2<f32>, th: usize) {
    let (m, k, n) = (x.nrows(), x.ncols(), y.ncols());
    if th == 1 || m * n * k < 500_000 {
        return serial(c, x, y);
    }
    let half = |len: usize| (len / 2).next_multiple_of(16).min(len);
    if k > 8 * m.max(n) {
        let ((x0, x1), (y0, y1)) = (x.split_at(Axis(1), half(k)), y.split_at(Axis(0), half(k)));
        let (mut c, mut d) = (c, Array2::<f32>::zeros((m, n)));
        rayon::join(|| mm(c.view_mut(), x0, y0, th / 2), || mm(d.view_mut(), x1, y1, th / 2));
        c += &d;
    } else if n > m {
        let ((c0, c1), (y0, y1)) = (c.split_at(Axis(1), half(n)), y.split_at(Axis(1), half(n)));
        rayon::join(|| mm(c0, x, y0, th / 2), || mm(c1, x, y1, th / 2));
    } else {
        let ((c0, c1), (x0, x1)) = (c.split_at(Axis(0), half(m)), x.split_at(Axis(0), half(m)));
        rayon::join(|| mm(c0, x0, y, th / 2), || mm(c1, x1, y, th / 2));
    }
}
fn serial(mut c: ArrayViewMut2<f32>, x: ArrayView2<f32>, y: ArrayView2<f32>) {
    let (s, a, b) = (c.strides().to_vec(), x.strides(), y.strides());
    // SAFETY: pointers and strides are those of views with matching shapes.
    unsafe {
        gemm::gemm(
            x.nrows(),
            y.ncols(),
            x.ncols(),
            c.as_mut_ptr(),
            s[1],
            s[0],
            false,
            x.as_ptr(),
            a[1],
            a[0],
            y.as_ptr(),
            b[1],
            b[0],
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        )
    }
}
/// The values without a copy, which would show in the peak memory.
fn arr(a: &mut data::Arr<f32>) -> Array2<f32> {
    let (r, c) = if a.0.len() == 1 { (1, a.0[0]) } else { (a.0[0], a.0[1]) };
    Array2::from_shape_vec((r, c), std::mem::take(&mut a.1)).unwrap()
}
fn flat(a: &mut Array2<f32>) -> &mut [f32] {
    a.as_slice_mut().unwrap()
}

/// GD in place; large arrays split over the threads.
fn gd(p: &mut Array2<f32>, g: &mut Array2<f32>, lr: f32) {
    flat(p).par_chunks_mut(1 << 18).zip(flat(g).par_chunks(1 << 18)).for_each(|(p, g)| gd_block(p, g, lr));
}
simd!(
    fn gd_block<F>(p: &mut [f32], g: &[f32], lr: f32) {
        p.iter_mut().zip(g).for_each(|(p, g)| *p -= lr * g);
    }
);
simd!(
    fn adam_block<F>(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], c1: f32, c2: f32) {
        for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            *p -= c1 * *m / ((*v).sqrt() * c2 + 1e-8);
        }
    }
);

fn deep(a: &Args) {
    let (mut p, mut d) = data::load::<f32>("deep");
    let mut p: Vec<_> = p.iter_mut().map(arr).collect();
    let (x, y) = (arr(&mut d[0]), &d[1].1);
    let m = y.len();
    let mut g: Vec<_> = p.iter().map(|p| Array2::<f32>::zeros(p.dim())).collect();
    let mut h: Vec<_> = (0..4).map(|l| Array2::<f32>::zeros((p[2 * l].nrows(), m))).collect();
    let mut dh: Vec<_> = h.clone();
    bench(&P, a, "f32", |_| {
        for l in 0..4 {
            let (prev, rest) = h.split_at_mut(l);
            mm(
                rest[0].view_mut(),
                p[2 * l].view(),
                if l == 0 { x.view() } else { prev[l - 1].view() },
                a.threads,
            );
            for (mut r, &b) in rest[0].rows_mut().into_iter().zip(&p[2 * l + 1]) {
                let r = r.as_slice_mut().unwrap();
                if l < 3 {
                    r.iter_mut().for_each(|v| *v = (*v + b).max(0.0))
                } else {
                    r.iter_mut().for_each(|v| *v += b)
                }
            }
        }
        dh[3].assign(&h[3]);
        let l = bce32(flat(&mut dh[3]), y);
        for l in (0..4).rev() {
            mm(g[2 * l].view_mut(), dh[l].view(), if l == 0 { x.t() } else { h[l - 1].t() }, a.threads);
            g[2 * l + 1].iter_mut().zip(dh[l].rows()).for_each(|(g, r)| *g = r.sum());
            if l > 0 {
                let (lo, hi) = dh.split_at_mut(l);
                mm(lo[l - 1].view_mut(), p[2 * l].t(), hi[0].view(), a.threads);
                lo[l - 1].zip_mut_with(&h[l - 1], |d, &h| {
                    if h <= 0.0 {
                        *d = 0.0
                    }
                });
            }
        }
        p.iter_mut().zip(&mut g).for_each(|(p, g)| gd(p, g, 0.0075));
        (l as f64, 0.0)
    });
}

simd!(
    fn bias_relu<F>(z: &mut [f32], b: &[f32], relu: bool) {
        for z in z.chunks_exact_mut(b.len()) {
            if relu {
                z.iter_mut().zip(b).for_each(|(z, b)| *z = (*z + b).max(0.0));
            } else {
                z.iter_mut().zip(b).for_each(|(z, b)| *z += b);
            }
        }
    }
);
simd!(
    fn relu_mask<F>(d: &mut [f32], h: &[f32]) {
        d.iter_mut().zip(h).for_each(|(d, &h)| *d = if h > 0.0 { *d } else { 0.0 });
    }
);
simd!(
    fn col_sum<F>(s: &mut [f32], d: &[f32]) {
        s.fill(0.0);
        for d in d.chunks_exact(s.len()) {
            s.iter_mut().zip(d).for_each(|(s, d)| *s += d);
        }
    }
);
simd!(
    fn softmax_ce<F>(z: &mut [f32], y: &[f32]) -> f32 {
        let (n, c) = (y.len(), z.len() / y.len());
        let mut l = 0.0;
        for (z, &y) in z.chunks_exact_mut(c).zip(y) {
            let mx = z.iter().copied().fold(f32::MIN, f32::max);
            l += mx - z[y as usize];
            z.iter_mut().for_each(|z| *z = poly::p32::exp::<F>(*z - mx));
            let s: f32 = z.iter().sum();
            l += s.ln();
            let k = 1.0 / (s * n as f32);
            z.iter_mut().for_each(|z| *z *= k);
            z[y as usize] -= 1.0 / n as f32;
        }
        l / n as f32
    }
);
simd!(
    fn mse<F>(z: &mut [f32], t: &[f32]) -> f32 {
        let k = 2.0 / z.len() as f32;
        let mut s = [0f32; 32];
        for (z, t) in z.chunks_exact_mut(32).zip(t.chunks_exact(32)) {
            for i in 0..32 {
                let d = z[i] - t[i];
                s[i] += d * d;
                z[i] = d * k;
            }
        }
        s.iter().sum::<f32>() * 0.5 * k
    }
);

/// mlp (softmax CE, Adam) and wide (MSE, SGD): examples in rows.
fn rows(a: &Args) {
    let mlp = a.workload == "mlp";
    let (mut p, mut d) = data::load::<f32>(&a.workload);
    let mut p: Vec<_> = p.iter_mut().map(arr).collect();
    let (x, y) = (arr(&mut d[0]), &d[1].1);
    let k = p.len() / 2;
    let zeros =
        |p: &Vec<Array2<f32>>| -> Vec<_> { p.iter().map(|p| Array2::<f32>::zeros(p.dim())).collect() };
    let mut g = zeros(&p);
    let (mut m, mut v) = if mlp { (zeros(&p), zeros(&p)) } else { (vec![], vec![]) };
    let mut h: Vec<_> = (0..k).map(|l| Array2::<f32>::zeros((x.nrows(), p[2 * l].ncols()))).collect();
    let mut dh = h.clone();
    let mut t = 0;
    bench(&P, a, "f32", |_| {
        for l in 0..k {
            let (prev, rest) = h.split_at_mut(l);
            mm(
                rest[0].view_mut(),
                if l == 0 { x.view() } else { prev[l - 1].view() },
                p[2 * l].view(),
                a.threads,
            );
            bias_relu(flat(&mut rest[0]), p[2 * l + 1].as_slice().unwrap(), l + 1 < k);
        }
        dh[k - 1].assign(&h[k - 1]);
        let dz = flat(&mut dh[k - 1]);
        let loss = if mlp { softmax_ce(dz, y) } else { mse(dz, y) };
        for l in (0..k).rev() {
            mm(g[2 * l].view_mut(), if l == 0 { x.t() } else { h[l - 1].t() }, dh[l].view(), a.threads);
            col_sum(flat(&mut g[2 * l + 1]), dh[l].as_slice().unwrap());
            if l > 0 {
                let (lo, hi) = dh.split_at_mut(l);
                mm(lo[l - 1].view_mut(), hi[0].view(), p[2 * l].t(), a.threads);
                relu_mask(flat(&mut lo[l - 1]), h[l - 1].as_slice().unwrap());
            }
        }
        t += 1;
        if mlp {
            let c1 = (1e-3 / (1.0 - 0.9f64.powi(t))) as f32;
            let c2 = (1.0 / (1.0 - 0.999f64.powi(t)).sqrt()) as f32;
            for i in 0..p.len() {
                let ck = 1 << 16;
                flat(&mut p[i])
                    .par_chunks_mut(ck)
                    .zip(flat(&mut g[i]).par_chunks(ck))
                    .zip(flat(&mut m[i]).par_chunks_mut(ck))
                    .zip(flat(&mut v[i]).par_chunks_mut(ck))
                    .for_each(|(((p, g), m), v)| adam_block(p, g, m, v, c1, c2));
            }
        } else {
            p.iter_mut().zip(&mut g).for_each(|(p, g)| gd(p, g, 0.01));
        }
        (loss as f64, 0.0)
    });
}

// Separate slice parameters: the compiler then knows they do not overlap and vectorises.
simd!(
    fn ew_xy<F>(x: &[f32], y: &[f32], gx: &mut [f32], gy: &mut [f32], l: &mut [f32], inv: f32) {
        use poly::p32::*;
        for ((((x, y), gx), gy), l) in x.iter().zip(y).zip(gx).zip(gy).zip(l) {
            let (t, s) = (tanh::<F>(*x), sigmoid::<F>(*y));
            *l = t * s;
            *gx = (1.0 - t * t) * s * inv;
            *gy = t * s * (1.0 - s) * inv;
        }
    }
);
simd!(
    fn ew_z<F>(z: &[f32], gz: &mut [f32], l: &mut [f32], inv: f32) {
        use poly::p32::*;
        for ((&z, gz), l) in z.iter().zip(gz).zip(l) {
            let e = exp::<F>(-z.abs());
            let pos = if z > 0.0 { 1.0 } else { 0.0 };
            *l += ln::<F>(1.0 + e) + z * pos;
            *gz = (pos - (e / (1.0 + e)).copysign(z)) * inv;
        }
    }
);
simd!(
    fn sum32<F>(v: &[f32]) -> f64 {
        let c = v.chunks_exact(32);
        let tail: f32 = c.remainder().iter().sum();
        let mut s = [0f32; 32];
        c.for_each(|c| s.iter_mut().zip(c).for_each(|(s, c)| *s += c));
        s.iter().map(|&s| s as f64).sum::<f64>() + tail as f64
    }
);
fn ew_block(i: [&[f32]; 3], o: [&mut [f32]; 3], inv: f32) -> f64 {
    let [gx, gy, gz] = o;
    let mut l = [0f32; 2048];
    let l = &mut l[..gx.len()];
    ew_xy(i[0], i[1], gx, gy, l, inv);
    ew_z(i[2], gz, l, inv);
    sum32(l)
}

fn elementwise(a: &Args) {
    let (p, _) = data::load::<f32>("elementwise");
    let n = p[0].1.len();
    let mut g: Vec<Vec<f32>> = vec![vec![0.0; n]; 3];
    const B: usize = 2048;
    bench(&P, a, "f32", |i| {
        let [gx, gy, gz] = &mut g[..] else { unreachable!() };
        let l: f64 = (gx.par_chunks_mut(B), gy.par_chunks_mut(B), gz.par_chunks_mut(B))
            .into_par_iter()
            .zip((p[0].1.par_chunks(B), p[1].1.par_chunks(B), p[2].1.par_chunks(B)).into_par_iter())
            .with_min_len(32)
            .map(|((gx, gy, gz), (x, y, z))| ew_block([x, y, z], [gx, gy, gz], 1.0 / n as f32))
            .sum();
        let check = if i == 0 { g.iter().flatten().map(|&v| (v as f64).powi(2)).sum() } else { 0.0 };
        (l / n as f64, check)
    });
}
