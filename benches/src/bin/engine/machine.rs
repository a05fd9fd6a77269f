//! What the benchmark ran on and what it took of it, as Linux tells.

use std::fs::read_to_string;

/// Processor seconds that this process has used so far, in all its threads.
pub(crate) fn cpu_s() -> f64 {
    // Fields 14 and 15 of /proc/self/stat, in ticks of which a second has 100 on every Linux that we run on. The name in
    // parentheses may hold spaces, so counting begins behind it.
    let stat = read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Memory in use now.
pub(crate) fn rss_mib() -> u64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// The machine and how busy others keep it: figures from a busy one are to be read as ratios.
pub(crate) fn describe() -> String {
    let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("").trim_start_matches(['\t', ' ', ':']);
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {cores} cores, load before the start {}", load.split(' ').next().unwrap_or("?"))
}
