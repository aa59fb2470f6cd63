#!/usr/bin/env python3
"""Times gradus and the programs beside it on the same work, in turn, and prints Markdown tables of what they took.

  table.py                                       everything that is installed, one thread and two
  table.py --workloads planar,mlp --peers handcoded,jax --threads 1 --seconds 1 --rounds 3

A round runs every program once, in a process of its own on cores of its own, so that whatever else the machine does
hits all of them. A figure is the median over the rounds; the factor behind it is the median over the rounds of the
program's time by gradus' time in the same round. Rust programs are built first (each alone: what does not build is
reported, and left out). Python programs need the packages of python/requirements.txt, in the interpreter that
--python names. It needs Python 3.9 or later and nothing else.
"""
import argparse, json, os, statistics, subprocess, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORKLOADS = ["scalar3", "chain1000", "planar", "logreg", "deep", "mlp", "wide", "elementwise", "conv", "attention", "hvp", "hessian"]
# Name -> (package of the workspace here, further arguments).
RUST = {
    "handcoded": ("handcoded", []),
    "burn": ("burn-peer", ["--backend", "flex"]),
    "candle": ("candle-peer", []),
    "autograd": ("autograd-peer", []),
    "reverse": ("scalar-peers", ["--peer", "reverse"]),
    "autodiff": ("scalar-peers", ["--peer", "autodiff"]),
    "num-dual": ("scalar-peers", ["--peer", "num-dual"]),
}
# Name -> the module that has to be there.
PYTHON = {"numpy": "numpy", "torch": "torch", "torch-compile": "torch", "jax": "jax"}
PEERS = ["gradus", *RUST, *PYTHON]


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def environment():
    """Without the settings that only an old OpenBLAS needs, and that slow a new one down."""
    drop = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    return {name: value for name, value in os.environ.items() if name not in drop}


def build(arguments, where):
    """The program that cargo builds, or why there is none."""
    p = subprocess.run(["cargo", *arguments, "--message-format=json-render-diagnostics"], cwd=where, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        lines = [line for line in p.stderr.splitlines() if line.startswith("error")] or p.stderr.splitlines() or ["?"]
        return None, lines[0]
    messages = [json.loads(line) for line in p.stdout.splitlines() if line.startswith("{")]
    return [m["executable"] for m in messages if m.get("executable")][-1], None


def commands(peers, python):
    """Name -> the beginning of its command, and name -> why it is missing."""
    found, missing, built = {}, {}, {}
    for peer in peers:
        if peer in PYTHON:
            has = [python, "-c", f"import {PYTHON[peer]}"]
            try:
                done = subprocess.run(has, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                error = None if done.returncode == 0 else f"{python} has no working {PYTHON[peer]}"
            except OSError as e:
                error = str(e)
            command = [python, HERE / "python" / "peers.py", "{workload}", peer]
        else:
            package, more = RUST.get(peer, ("gradus", []))
            if package not in built:
                say(f"building {package}")
                bench = ["bench", "--bench", "workloads", "--no-run"]
                release = ["build", "--release", "-p", package]
                built[package] = build(bench, ROOT) if peer == "gradus" else build(release, HERE)
            program, error = built[package]
            command = [program, "{workload}", *more]
        if error:
            missing[peer] = error
        else:
            found[peer] = command
    return found, missing


def run(command, workload, threads, seconds):
    """What the program printed; None if it does not have this workload; a text if it failed."""
    command = [str(part).replace("{workload}", workload) for part in command]
    command += ["--threads", str(threads), "--seconds", str(seconds)]
    try:
        p = subprocess.run(command, env=environment(), text=True, timeout=600, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except (subprocess.TimeoutExpired, OSError) as e:
        return str(e)
    if p.returncode == 2:
        return None
    if p.returncode:
        return (p.stderr.strip().splitlines() or ["?"])[-1][:200] + f" (exit status {p.returncode})"
    return json.loads(p.stdout.splitlines()[-1])


def measure(found, o):
    """(workload, threads, peer) -> its results, one a round."""
    rows, failures = {}, {}
    for workload in o.workloads:
        for threads in o.threads:
            for round in range(o.rounds):
                for peer, command in found.items():
                    if (workload, threads, peer) in failures or (round and (workload, threads, peer) not in rows):
                        continue
                    result = run(command, workload, threads, o.seconds)
                    if isinstance(result, str):
                        failures[workload, threads, peer] = result
                    elif result:
                        rows.setdefault((workload, threads, peer), []).append(result)
                        say(f"{workload}, {threads} threads, round {round + 1}: {peer} {result['median_us']:.4g} us")
    return rows, failures


def wrong(rows):
    """Programs whose loss after ten steps is not gradus': they have done other work."""
    for (workload, threads, peer), results in rows.items():
        ours = rows.get((workload, threads, "gradus"))
        if ours and abs(results[0]["loss_10"] - ours[0]["loss_10"]) > 1e-3 * abs(ours[0]["loss_10"]):
            yield f"{workload}, {threads} threads: {peer} has the loss {results[0]['loss_10']:.6g} after ten steps, gradus {ours[0]['loss_10']:.6g}"


def number(v):
    return f"{v:,.0f}" if v >= 1000 else f"{v:.3g}"


def table(title, key, scale, rows, peers, threads, workloads):
    """One line a workload, one column a program."""
    peers = [p for p in peers if any((w, threads, p) in rows for w in workloads)]
    print(f"\n{title}, {threads} thread{'s' if threads > 1 else ''}\n")
    print("| workload | " + " | ".join(peers) + " |")
    print("|---|" + "--:|" * len(peers))
    for workload in workloads:
        cells = []
        for peer in peers:
            results = rows.get((workload, threads, peer))
            if not results:
                cells.append("–")
                continue
            values = [result[key] * scale for result in results if result.get(key) is not None]
            cell = number(statistics.median(values)) if values else "–"
            ours = [r[key] * scale for r in rows.get((workload, threads, "gradus"), []) if r.get(key)]
            if peer != "gradus" and values and ours:
                cell += f" (×{number(statistics.median(v / u for v, u in zip(values, ours)))})"
            cells.append(cell)
        if any(cell != "–" for cell in cells):
            print(f"| {workload} | " + " | ".join(cells) + " |")


def report(rows, failures, missing, o):
    cpu = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        cpu = names[0] if names else cpu
    versions = {peer: results[0]["version"] for (_, _, peer), results in rows.items()}
    print(f"{cpu}, {os.cpu_count()} cores; {o.rounds} rounds of {o.seconds:g} s. "
          + ", ".join(f"{peer} {version}" for peer, version in versions.items()) + ".")
    for threads in o.threads:
        table("Time of a step in microseconds", "median_us", 1.0, rows, o.peers, threads, o.workloads)
        table("First call in milliseconds", "first_call_us", 1e-3, rows, o.peers, threads, o.workloads)
        table("Peak memory in MB", "peak_rss_mb", 1.0, rows, o.peers, threads, o.workloads)
    notes = [f"{peer} is missing: {why}" for peer, why in missing.items()]
    notes += [f"{w}, {t} threads: {p} failed: {why}" for (w, t, p), why in failures.items()]
    notes += wrong(rows)
    if notes:
        print("\n" + "\n".join(f"- {note}" for note in notes))


def names(known):
    def parse(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(known)}")
        return chosen
    return parse


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--workloads", type=names(WORKLOADS), default=WORKLOADS, metavar="W,W")
    a.add_argument("--peers", type=names(PEERS), default=PEERS, metavar="P,P", help="gradus is always one of them")
    a.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2], metavar="N,N")
    a.add_argument("--seconds", type=float, default=1.0, help="for each program in each round")
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--python", default=sys.executable, help="the interpreter of the Python programs")
    a.add_argument("--json", type=Path, help="also write every result to this file")
    o = a.parse_args()
    o.peers = ["gradus"] + [peer for peer in o.peers if peer != "gradus"]
    found, missing = commands(o.peers, o.python)
    rows, failures = measure(found, o)
    report(rows, failures, missing, o)
    if o.json:
        o.json.write_text(json.dumps([result for results in rows.values() for result in results], indent=1) + "\n")


if __name__ == "__main__":
    main()
