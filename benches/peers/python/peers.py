#!/usr/bin/env python3
"""The Python programs that do the same work.  Workloads, seeds and scales: see the header of workloads.py.

  peers.py WORKLOAD PEER [--threads N] [--seconds S]   time one peer in this process, print one JSON line
  peers.py check [WORKLOAD...] [--peers P,P]   assert that the peers agree with the golden values (losses of steps 0..10)
  peers.py golden                              write ../../../tests/golden/WORKLOAD.json (jax, float64)

Timing: the first call (with any compilation) is first_call_us; 10 more steps give the losses; then a warm-up
of >= 0.5 s; then samples for about S seconds (at least 10 samples, at most 7 S).  A sample is one step, or for steps
under 20 us the mean of enough steps to last 20 us.  Each step is waited for; its results are not copied out.
peak_rss_mb is the high-water mark from the first call on; base_rss_mb is the resident size just before it
(interpreter, library, inputs, parameters).  first_call_us is a cold one (torch.compile's disk cache is disabled).
other_cpu: cores kept busy by anything else during the samples (other processes, hypervisor steal): should be ~0.
page_faults: minor faults per step, from memory that malloc gave back to the kernel; they make elementwise noisy.
loss_first/loss_10/loss_last: at steps 0, 10 and last_step (399, before training restarts, or the last one timed);
hvp and hessian give the L2 norm of their output instead.  Exit status 2: the peer does not have this workload.
"""
import argparse, json, os, resource, signal, statistics, subprocess, sys, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parents[2] / "tests" / "golden"
STEPS = (0, 1, 2, 5, 10)


def setup(threads):
    """Must come before numpy's BLAS, torch or jax start their threads."""
    os.sched_setaffinity(0, range(threads))
    for v in ("OMP", "OPENBLAS", "MKL"):
        os.environ[v + "_NUM_THREADS"] = str(threads)
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"


def build(workload, peer, threads):
    if peer == "numpy":
        import peer_numpy as m
    elif peer == "jax":
        import peer_jax as m
    else:
        import peer_torch as m
        m.torch.set_num_threads(threads)
    return m.make(load(workload), peer == "torch-compile"), m.version


def scalar(out):
    """The number reported as a step's loss."""
    import numpy as np
    loss, outs = out
    return float(loss) if loss is not None else float(np.sqrt(sum(np.sum(np.asarray(o) ** 2) for o in outs)))


def status(key):
    return next(int(l.split()[1]) / 1024 for l in open("/proc/self/status") if l.startswith(key + ":"))


def busy():
    """CPU seconds the machine has been busy or stolen from."""
    v = [int(x) for x in open("/proc/stat").readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) / os.sysconf("SC_CLK_TCK")


def bench(workload, peer, threads, seconds):
    cap = 7 * seconds
    run, version = build(workload, peer, threads)
    base = status("VmRSS")
    open("/proc/self/clear_refs", "w").write("5")  # restart the high-water mark
    now = time.perf_counter
    t = now()
    out = run(0)
    first = now() - t
    losses, i = [scalar(out)], 1
    for i in range(1, 11):
        losses.append(scalar(run(i)))
    n0, t0 = i, now()
    while now() - t0 < 0.5:
        i += 1
        run(i)
    inner = max(1, round(20e-6 * (i - n0) / (now() - t0)))
    faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    last, times, f0, b0, c0, t0 = None, [], faults(), busy(), time.process_time(), now()
    while (now() - t0 < seconds or len(times) < 10) and now() - t0 < cap:
        t = now()
        for _ in range(inner):
            i += 1
            out = run(i)
        times.append((now() - t) / inner * 1e6)
        if i % RESTART == RESTART - 1:
            last = out, i
    wall = now() - t0
    other = max(0, busy() - b0 - (time.process_time() - c0)) / wall
    out, i = last or (out, i)
    times.sort()
    r = lambda v: float(f"{v:.6g}")
    return dict(workload=workload, peer=peer, threads=threads, dtype="f64" if workload in F64 else "f32",
                median_us=r(statistics.median(times)), min_us=r(times[0]), p90_us=r(times[int(0.9 * (len(times) - 1))]),
                iters=len(times) * inner, loss_first=losses[0], loss_10=losses[10], loss_last=scalar(out), last_step=i % RESTART,
                first_call_us=r(first * 1e6), peak_rss_mb=round(status("VmHWM"), 1), base_rss_mb=round(base, 1),
                other_cpu=round(other, 2), page_faults=r((faults() - f0) / (len(times) * inner)), version=version)


def probe(workload, peer, threads):
    """For check: the losses of steps 0..10 and the arrays returned by step 0 (L2 norm and first 5 entries)."""
    import numpy as np
    run, version = build(workload, peer, threads)
    losses, outs = [], []
    for i in range(11):
        out = run(i)
        if i == 0:
            a = [np.asarray(o, dtype=np.float64).ravel() for o in out[1]]
            outs = [[float(np.linalg.norm(v)), *v[:5].tolist()] for v in a]
        losses.append(None if out[0] is None else float(out[0]))
    return dict(losses=losses, outs=outs)


def child(*args):
    """Run this script in a fresh process -> its JSON line."""
    p = subprocess.Popen([sys.executable, __file__, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, start_new_session=True)
    try:
        out, err = p.communicate(timeout=290)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)  # with the compilers it started
        p.communicate()
        return dict(error="no result within 290 s")
    if p.returncode:
        return dict(error=(err.strip().splitlines() or ["?"])[-1][:300] + f" (rc {p.returncode})")
    return json.loads(out.splitlines()[-1])


def golden():
    import jax, numpy as np, peer_jax
    jax.config.update("jax_enable_x64", True)
    flat = lambda a: dict(shape=list(np.shape(a)), l2=float(np.linalg.norm(np.ravel(a))), first5=np.ravel(a)[:5].tolist())
    GOLDEN.mkdir(exist_ok=True)
    for name in NAMES:
        w = load(name, np.float64)
        run, f = peer_jax.make(w), peer_jax.LOSS[name]
        p, d = w.params, w.data
        if name in ("scalar3", "chain1000"):
            p, d = tuple(w.data[0][0].tolist()), ()
        g = jax.grad(f)(p, *d)
        g = g if isinstance(g, dict) else dict(zip("abc" if name == "scalar3" else "xy", g))
        out = dict(workload=name, dtype="float64", source=f"jax {jax.__version__}")
        outs = [run(i) for i in range(11)]
        if outs[0][0] is None:
            out["loss"] = {"0": float(f(p, *d))}
            out[name] = dict(zip(p, map(flat, outs[0][1]))) if name == "hvp" else flat(outs[0][1][0])
        else:
            out["loss"] = {str(i): float(outs[i][0]) for i in STEPS}
            out["loss_all"] = [float(o[0]) for o in outs]
        out["grads"] = {k: flat(g[k]) for k in (w.params or g)}
        (GOLDEN / f"{name}.json").write_text(json.dumps(out, indent=1) + "\n")
        print(name, out["loss"])


def check(names, peers):
    bad = 0
    for name in names:
        g, tol = json.loads((GOLDEN / f"{name}.json").read_text()), 1e-9 if name in F64 else 1e-4
        want = list(g[name].values()) if name == "hvp" else [g[name]] if name == "hessian" else list(g["grads"].values())
        for peer in peers:
            if (name, peer) in SKIP:
                continue
            r = child(name, peer, "--threads", 2, "--probe")
            if "error" in r:
                print(f"ERROR {name:12s}{peer:14s}{r['error']}")
                bad += 1
                continue
            losses = [] if name in ("hvp", "hessian") else g["loss_all"]
            rel = [abs(a - b) / abs(b) for a, b in zip(r["losses"], losses)]
            for o, e in zip(r["outs"], want):  # norm, then entries relative to the largest of the five
                rel += [abs(o[0] - e["l2"]) / e["l2"]]
                rel += [abs(a - b) / max(map(abs, e["first5"])) for a, b in zip(o[1:], e["first5"])]
            ok = all(x < tol for x in rel) and len(r["outs"]) == (0 if name in TRAINED else len(want))
            bad += not ok
            print(f"{'ok   ' if ok else 'WRONG'} {name:12s}{peer:14s}max rel. difference {max(rel, default=0):.1e} (tolerance {tol:.0e})", flush=True)
    assert not bad, f"{bad} disagreements"


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("what", nargs="+")
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--seconds", type=float, default=2.0)
    a.add_argument("--peers", default="")
    a.add_argument("--probe", action="store_true", help=argparse.SUPPRESS)
    o = a.parse_args()
    cmd, rest = o.what[0], o.what[1:]
    if cmd != "check":
        setup(2 if cmd == "golden" else o.threads)
    from workloads import F64, NAMES, PEERS, RESTART, SKIP, TRAINED, load  # imports numpy, hence after setup
    if cmd == "golden":
        golden()
    elif cmd == "check":
        check(rest or NAMES, o.peers.split(",") if o.peers else PEERS)
    elif len(rest) != 1 or cmd not in NAMES or rest[0] not in PEERS or (cmd, rest[0]) in SKIP:
        print(f"there is no workload {' '.join(o.what)} here", file=sys.stderr)
        sys.exit(2)
    else:
        print(json.dumps(probe(cmd, rest[0], o.threads) if o.probe else bench(cmd, rest[0], o.threads, o.seconds)))
