//! Shared by the Rust programs: the inputs, the timing loop, and the JSON line.
use std::time::Instant;

/// Element `k` of the array with seed `s`, in [0, 1).
pub fn u(k: usize, s: f64) -> f64 {
    let v = ((k as f64) * 12.9898 + s * 78.233).sin() * 43758.5453;
    v - v.floor()
}
/// `n` values of seed `s`, each mapped by `f`.
pub fn fill<T>(n: usize, s: u32, f: impl Fn(f64) -> T) -> Vec<T> {
    (0..n).map(|k| f(u(k, s as f64))).collect()
}
pub fn weights32(n: usize, s: u32, scale: f64) -> Vec<f32> {
    fill(n, s, |u| ((u - 0.5) * 2.0 * scale) as f32)
}
pub fn weights64(n: usize, s: u32, scale: f64) -> Vec<f64> {
    fill(n, s, |u| (u - 0.5) * 2.0 * scale)
}

/// The inputs of every workload, in one place so that all peers agree.
pub mod data;

pub struct Args {
    pub workload: String,
    pub threads: usize,
    pub seconds: f64,
}

/// Ends the process as one that does not have this workload.
pub fn not_here(workload: &str) -> ! {
    eprintln!("there is no workload {workload:?} here");
    std::process::exit(2)
}

/// Parses `WORKLOAD --threads N --seconds S`, then re-executes itself pinned to N cores with
/// every thread-count variable set (BLAS libraries read theirs before `main`).
pub fn args(workloads: &[&str]) -> Args {
    use std::os::unix::process::CommandExt;
    let argv: Vec<String> = std::env::args().collect();
    let workload = argv.get(1).cloned().unwrap_or_default();
    if !workloads.contains(&workload.as_str()) {
        not_here(&workload);
    }
    let option = |name: &str| argv.iter().position(|a| a == name).map(|i| argv[i + 1].as_str());
    let threads: usize = option("--threads").map_or(1, |n| n.parse().unwrap());
    let seconds = option("--seconds").map_or(2.0, |s| s.parse().unwrap());
    if std::env::var_os("PEER_PINNED").is_none() {
        let mut c = std::process::Command::new("taskset");
        c.arg("-c").arg(if threads == 1 { "0".into() } else { format!("0-{}", threads - 1) });
        c.args(&argv).env("PEER_PINNED", "1");
        for v in ["RAYON", "MATMUL", "OPENBLAS", "BLIS", "MKL", "OMP", "CANDLE"] {
            c.env(format!("{v}_NUM_THREADS"), threads.to_string());
        }
        panic!("exec taskset: {}", c.exec());
    }
    Args { workload, threads, seconds }
}

pub fn peak_rss_mb() -> f64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    let l = s.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    l.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// (busy, stolen) CPU ticks of the whole machine and ticks of this process, since start.
fn ticks() -> [f64; 3] {
    let n = |s: &str, i: usize| s.split_whitespace().nth(i).unwrap().parse::<f64>().unwrap();
    let m = std::fs::read_to_string("/proc/stat").unwrap();
    let m = m.lines().next().unwrap();
    let p = std::fs::read_to_string("/proc/self/stat").unwrap();
    let p = p.rsplit(')').next().unwrap(); // field 3 onwards
    [[1, 2, 3, 6, 7].iter().map(|&i| n(m, i)).sum(), n(m, 8), n(p, 11) + n(p, 12)]
}

pub struct Peer<'a> {
    pub peer: &'a str,
    pub version: &'a str,
}

/// What a step returns: the loss, and for workloads without an update the sum of
/// squares of the first call's gradients, else 0.
pub type Out = (f64, f64);

/// What has been measured so far, over all episodes.
#[derive(Default)]
struct Acc {
    episodes: usize,
    samples: Vec<(usize, f64)>, // (step index in its episode, us per step)
    batch: usize,
    timed_s: f64,
    ticks: [f64; 3],
    first: Out,
    first_us: f64,
    loss10: f64,
    last: f64,
    done: bool,
}
static ACC: std::sync::Mutex<Option<Acc>> = std::sync::Mutex::new(None);

/// Calls `episode`, which builds a peer from the initial parameters and calls `bench`
/// once, until enough has been measured.
pub fn run(mut episode: impl FnMut()) {
    *ACC.lock().unwrap() = Some(Acc::default());
    while !ACC.lock().unwrap().as_ref().unwrap().done {
        episode();
    }
}

/// Steps per episode. All programs must be timed over the same stretch of training: after
/// some 500 steps mlp has overfitted, Adam's moments of dead units turn subnormal, and a
/// step takes 2.7 times as long, which would punish those that get there sooner.
fn limit(workload: &str) -> usize {
    match workload {
        "scalar3" | "chain1000" | "elementwise" => usize::MAX, // no update, no state
        _ => 400,
    }
}

/// One episode of timing `step(i)`; the first episode is warm-up (0.5 s at most). Prints
/// the JSON line when done. Cheap steps are timed in batches of at least 50 us so that
/// the clock itself does not show.
pub fn bench(p: &Peer, a: &Args, dtype: &str, mut step: impl FnMut(usize) -> Out) {
    let mut guard = ACC.lock().unwrap();
    let acc = guard.as_mut().expect("bench outside run");
    let limit = limit(&a.workload);
    let t = Instant::now();
    let first = step(0);
    let first_us = t.elapsed().as_secs_f64() * 1e6;
    let t = Instant::now();
    let mut i = 1;
    // The loss after 10 updates is compared between peers.
    while i <= 10 {
        let l = step(i).0;
        if acc.episodes == 0 && i == 10 {
            (acc.first, acc.first_us, acc.loss10) = (first, first_us, l);
        }
        i += 1;
    }
    acc.episodes += 1;
    if acc.episodes == 1 {
        while t.elapsed().as_secs_f64() < 0.5 && i < limit {
            step(i);
            i += 1;
        }
        let per = t.elapsed().as_secs_f64() / (i - 1) as f64;
        acc.batch = (50e-6 / per).ceil().max(1.0) as usize;
        return;
    }
    let enough = |acc: &Acc| {
        let slow = acc.samples.last().is_some_and(|s| s.1 > 2e5);
        let seconds = if slow { 3.0 * a.seconds } else { a.seconds };
        acc.timed_s > 10.0 * a.seconds || (acc.samples.len() >= 10 && acc.timed_s > seconds)
    };
    let before = ticks();
    let start = Instant::now();
    let timed0 = acc.timed_s;
    while i < limit && !enough(acc) {
        let b = Instant::now();
        for k in 0..acc.batch {
            acc.last = step(i + k).0;
        }
        acc.samples.push((i, b.elapsed().as_secs_f64() * 1e6 / acc.batch as f64));
        i += acc.batch;
        acc.timed_s = timed0 + start.elapsed().as_secs_f64();
    }
    let after = ticks();
    (0..3).for_each(|k| acc.ticks[k] += after[k] - before[k]);
    if enough(acc) {
        acc.done = true;
        print(p, a, dtype, acc);
    }
}

fn quantile(mut v: Vec<f64>, f: f64) -> f64 {
    v.sort_by(f64::total_cmp);
    v[((v.len() - 1) as f64 * f).round() as usize]
}

fn print(p: &Peer, a: &Args, dtype: &str, acc: &Acc) {
    let us: Vec<f64> = acc.samples.iter().map(|s| s.1).collect();
    let q = |f: f64| quantile(us.clone(), f);
    // Late against early steps of an episode; far from 1 means the workload itself changes.
    let end = acc.samples.iter().map(|s| s.0).max().unwrap();
    let part = |lo: usize, hi: usize| {
        let v: Vec<f64> = acc.samples.iter().filter(|s| s.0 >= lo && s.0 <= hi).map(|s| s.1).collect();
        if v.is_empty() { f64::NAN } else { quantile(v, 0.5) }
    };
    let drift = part(end - end / 4, end) / part(0, end / 4 + 11);
    // CPUs' worth of work by us, by others and stolen (100 ticks a second): a run with
    // much of the last two is not to be trusted.
    let [busy, stolen, own] = acc.ticks.map(|t| t / (acc.timed_s * 100.0));
    let f = [
        ("median_us", q(0.5)),
        ("min_us", q(0.0)),
        ("p90_us", q(0.9)),
        ("loss_first", acc.first.0),
        ("loss_10", acc.loss10),
        ("loss_last", acc.last),
        ("check", acc.first.1),
        ("peak_rss_mb", peak_rss_mb()),
        ("first_call_us", acc.first_us),
        ("drift", drift),
        ("own_cpus", own),
        ("other_cpus", (busy - own).max(0.0)),
        ("stolen_cpus", stolen),
    ];
    let f: String = f.iter().map(|(k, v)| format!(",\"{k}\":{v:.8e}")).collect();
    println!(
        "{{\"workload\":\"{}\",\"peer\":\"{}\",\"threads\":{},\"dtype\":\"{dtype}\",\"version\":\"{}\",\"iters\":{}{f}}}",
        a.workload,
        p.peer,
        a.threads,
        p.version,
        acc.samples.len() * acc.batch
    );
}
