//! Processes, cores and memory.

use std::fs::read_to_string;
use std::process::Command;

/// Runs this program again with other arguments, on as many cores as there are threads where `taskset` can see to that.
pub fn again(arguments: &[String], threads: usize) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let pinned = cores(threads).and_then(|cores| {
        Command::new("taskset").arg("-c").arg(cores).arg(&program).args(arguments).status().ok()
    });
    let status = match pinned {
        Some(status) => status,
        None => Command::new(&program).args(arguments).status().map_err(|error| error.to_string())?,
    };
    if status.success() { Ok(()) } else { Err(format!("the process that measures ended with {status}")) }
}

/// The first cores that this process may use, as `taskset` reads them.
fn cores(count: usize) -> Option<String> {
    let status = read_to_string("/proc/self/status").ok()?;
    let mut cores = Vec::new();
    for range in field(&status, "Cpus_allowed_list:")?.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?);
    }
    let first: Vec<String> = cores.iter().take(count).map(ToString::to_string).collect();
    Some(first.join(","))
}

/// The most memory that was resident at any time, in bytes, where the system tells.
pub fn peak_memory() -> Option<f64> {
    let status = read_to_string("/proc/self/status").ok()?;
    let kibibytes: f64 = field(&status, "VmHWM:")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}
