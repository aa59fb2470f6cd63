"""Workload definitions shared by every Python program: inputs, initial parameters, optimiser.

Deterministic inputs.  Element k (flat row-major index from 0) of an array with seed s is
    u(s)[k] = frac(sin(k*12.9898 + s*78.233) * 43758.5453)      in f64, frac(x) = x - floor(x)
  data    = u                      weights = (u - 0.5) * 2 * scale          biases = 0
  labels  = 1.0 if u > 0.5 else 0.0   (binary)      or  floor(u * classes)   (integer)
Everything is computed in f64 and then rounded once to the workload's dtype.
Seeds: data 1, labels/targets 2 (a third data array: 3); weight matrix number l (from 0): 10 + l.

BCE is always taken from the logits, in its stable form mean(softplus(z) - z*y), which equals BCE(sigmoid(z), y);
dBCE/dz = (sigmoid(z) - y)/m also at z = 0, where logreg starts (max(z,0) + log1p(exp(-|z|)) is softplus, but
differentiating max and abs at 0 by convention gives another slope).  relu'(0) = 0.
SGD/GD:  p -= lr * g.
Adam:    m = .9m + .1g;  v = .999v + .001g^2;  p -= lr * (m/(1-.9^t)) / (sqrt(v/(1-.999^t)) + 1e-8), t from 1.

"Loss at step i" is the loss evaluated after i updates, so step 0 is at the initial parameters.
Timed training starts again from the initial parameters every 400 steps.  Without that, Adam's first moment of
weights whose gradient has become 0 decays into f32 denormals (0.9^t; mlp from about step 650), and peers that do not
flush denormals (numpy, torch; jax does) get 2-2.5x slower per step: the result would depend on the run's length.

name        dtype inputs (seed) and parameters (seed, scale)                         model, loss, update
scalar3     f64   table u(1) of shape (1000,3); call i takes row i%1000 as a,b,c      J = 3(a + b*c), dJ/d(a,b,c)
chain1000   f64   call i: x = 1 + u(1)[i%1000], y = .5 + .1*u(2)[i%1000]              v=x; 1000 times v = sin(v)*y + v*.5; v, dv/dx, dv/dy
logreg      f32   X(12288,209) 1, y(1,209) 2; w(12288,1)=0, b(1,1)=0                  z = w^T X + b; BCE; GD .005
planar      f64   X(2,400) 1, y(1,400) 2; W1(4,2) 10 .01, b1(4,1), W2(1,4) 11 .01, b2(1,1)
                                                                                     z = W2 tanh(W1 X + b1) + b2; BCE; GD 1.2
deep        f32   X(12288,209) 1, y(1,209) 2; Wl(n_l,n_{l-1}) 10+l 1/sqrt(n_{l-1}), bl(n_l,1), n=12288,20,7,5,1
                                                                                     Z = W A + b, relu x3, last is the logit; BCE; GD .0075
mlp         f32   X(128,784) 1, y(128) 2 floor(10u); Wl(in,out) 10+l 1/sqrt(in), bl(out), 784-512-256-10
                                                                                     A W + b, relu; softmax CE mean; Adam 1e-3
wide        f32   X(256,1024) 1, T(256,1024) 2; W1(1024,4096) 10 1/32, b1, W2(4096,1024) 11 1/64, b2
                                                                                     relu(X W1 + b1) W2 + b2; MSE mean over all entries; SGD .01
elementwise f32   x,y,z(1000000) 1,2,3, each (u-.5)*2*3                               mean(tanh(x)*sigmoid(y) + log1p(exp(-|z|)) + relu(z)); gradients, no update
conv        f32   X(32,1,28,28) 1, y(32) 2 floor(10u); K1(32,1,3,3) 10 1/3, c1(32), K2(64,32,3,3) 11 1/sqrt(288), c2(64),
                  W(1600,10) 12 1/40, b(10)                                           NCHW; valid cross-correlation, relu, maxpool 2x2/2 (floor), twice;
                                                                                     flatten NCHW order; linear; softmax CE; Adam 1e-3
attention   f32   X(8,64,128) 1, T(8,64,128) 2; g1(128)=1, h1(128)=0, Wqkv(128,384) 10 1/sqrt(128), bqkv(384),
                  Wo(128,128) 11 1/sqrt(128), bo(128), g2(128)=1, h2(128)=0, W1(128,512) 12 1/sqrt(128), b1(512),
                  W2(512,128) 13 1/sqrt(512), b2(128)
                  r = X + attn(LN(X;g1,h1)); out = r + gelu_tanh(LN(r;g2,h2) W1 + b1) W2 + b2; mean((out-T)^2); SGD .01
                  LN eps 1e-5, biased variance; [q|k|v] = last axis of 384 split in 3; heads: 128 -> (4,32);
                  softmax(q k^T / sqrt(32)) v, heads concatenated, then Wo, bo.  X is data: no gradient.
hvp         f64   planar at its initial parameters, vector = ones for every parameter  H v (list shaped like the parameters)
hessian     f64   X(500,50) 1, y(500) 2; w(50) 10 .1                                   BCE of z = X w; the 50x50 Hessian in w
"""
from types import SimpleNamespace as NS
import numpy as np

NAMES = ["scalar3", "chain1000", "logreg", "planar", "deep", "mlp", "wide", "elementwise", "conv",
         "attention", "hvp", "hessian"]
F64 = {"scalar3", "chain1000", "planar", "hvp", "hessian"}
TRAINED = {"logreg", "planar", "deep", "mlp", "wide", "conv", "attention"}
PEERS = ["numpy", "torch", "torch-compile", "jax"]
SKIP = {("conv", "numpy"), ("attention", "numpy"), ("hvp", "numpy")}
HEADS, RESTART = 4, 400


def u(seed, *shape):
    n, out = int(np.prod(shape)), np.empty(int(np.prod(shape)))
    for i in range(0, n, 1 << 16):  # in blocks, to keep the peak memory of the peer's own making
        k = np.arange(i, min(i + (1 << 16), n), dtype=np.float64)
        x = np.sin(k * 12.9898 + seed * 78.233) * 43758.5453
        out[i:i + k.size] = x - np.floor(x)
    return out.reshape(shape)


def weight(seed, scale, *shape):
    return (u(seed, *shape) - 0.5) * 2 * scale


def binary(seed, *shape):
    return (u(seed, *shape) > 0.5).astype(np.float64)


def classes(seed, n, c):
    return np.floor(u(seed, n) * c).astype(np.int64)


def load(name, dtype=None):
    """-> NS(name, dtype, params {name: array}, data (arrays), opt 'gd'|'adam'|None, lr)."""
    z, r = np.zeros, np.sqrt
    P, D, opt, lr = {}, (), None, 0.0
    if name == "scalar3":
        D = (u(1, 1000, 3),)
    elif name == "chain1000":
        D = (np.stack([1 + u(1, 1000), 0.5 + 0.1 * u(2, 1000)], 1),)
    elif name == "logreg":
        P = dict(w=z((12288, 1)), b=z((1, 1)))
        D, opt, lr = (u(1, 12288, 209), binary(2, 1, 209)), "gd", 0.005
    elif name in ("planar", "hvp"):
        P = dict(W1=weight(10, .01, 4, 2), b1=z((4, 1)), W2=weight(11, .01, 1, 4), b2=z((1, 1)))
        D, opt, lr = (u(1, 2, 400), binary(2, 1, 400)), "gd", 1.2
    elif name == "deep":
        n = [12288, 20, 7, 5, 1]
        for l in range(4):
            P[f"W{l+1}"], P[f"b{l+1}"] = weight(10 + l, 1 / r(n[l]), n[l + 1], n[l]), z((n[l + 1], 1))
        D, opt, lr = (u(1, 12288, 209), binary(2, 1, 209)), "gd", 0.0075
    elif name == "mlp":
        n = [784, 512, 256, 10]
        for l in range(3):
            P[f"W{l+1}"], P[f"b{l+1}"] = weight(10 + l, 1 / r(n[l]), n[l], n[l + 1]), z(n[l + 1])
        D, opt, lr = (u(1, 128, 784), classes(2, 128, 10)), "adam", 1e-3
    elif name == "wide":
        P = dict(W1=weight(10, 1 / 32, 1024, 4096), b1=z(4096), W2=weight(11, 1 / 64, 4096, 1024), b2=z(1024))
        D, opt, lr = (u(1, 256, 1024), u(2, 256, 1024)), "gd", 0.01
    elif name == "elementwise":
        P = dict(x=weight(1, 3, 10**6), y=weight(2, 3, 10**6), z=weight(3, 3, 10**6))
    elif name == "conv":
        P = dict(K1=weight(10, 1 / 3, 32, 1, 3, 3), c1=z(32), K2=weight(11, 1 / r(288), 64, 32, 3, 3), c2=z(64),
                 W=weight(12, 1 / 40, 1600, 10), b=z(10))
        D, opt, lr = (u(1, 32, 1, 28, 28), classes(2, 32, 10)), "adam", 1e-3
    elif name == "attention":
        s = 1 / r(128)
        P = dict(g1=np.ones(128), h1=z(128), Wqkv=weight(10, s, 128, 384), bqkv=z(384), Wo=weight(11, s, 128, 128),
                 bo=z(128), g2=np.ones(128), h2=z(128), W1=weight(12, s, 128, 512), b1=z(512),
                 W2=weight(13, 1 / r(512), 512, 128), b2=z(128))
        D, opt, lr = (u(1, 8, 64, 128), u(2, 8, 64, 128)), "gd", 0.01
    elif name == "hessian":
        P, D = dict(w=weight(10, .1, 50)), (u(1, 500, 50), binary(2, 500))
    else:
        raise SystemExit(f"unknown workload {name}")
    dt = np.dtype(dtype or (np.float64 if name in F64 else np.float32))
    cast = lambda a: np.ascontiguousarray(a if a.dtype.kind == "i" else a.astype(dt))
    return NS(name=name, dtype=dt, params={k: cast(v) for k, v in P.items()}, data=tuple(map(cast, D)),
              opt=None if name == "hvp" else opt, lr=lr)
