//! Prints what was measured.

use crate::{arguments::Arguments, produce::Produced, watch::Watched};

pub(crate) fn print(arguments: &Arguments, produced: &Produced, watched: &Watched) {
    let rate = produced.messages as f64 / produced.seconds;
    println!("\nload: {} points, JSON, one reading per message, {} s", arguments.points, arguments.seconds);
    println!(
        "produced      {:>12} readings, {rate:.0}/s, {:.0} MB; schedule missed by at most {} ms",
        produced.messages,
        produced.bytes as f64 / 1e6,
        produced.behind_ms_max
    );
    println!(
        "accounted for {:>12} s after the last one; {} missing; {} commits",
        format!("{:.1}", watched.drained_s),
        watched.missing,
        watched.commits
    );
    line("alarms", &watched.alarms_ms, 1_000);
    line("latest values", &watched.latest_ms, 2_000);
    line("1-minute rows", &watched.minutes_ms, 6_000);
    if watched.alarms_missing > 0 {
        println!("alarms not seen: {}", watched.alarms_missing);
    }
}

fn line(name: &str, ages_ms: &[i64], goal_ms: i64) {
    let mut sorted = ages_ms.to_vec();
    sorted.sort_unstable();
    let Some(last) = sorted.len().checked_sub(1) else {
        println!("{name:<14} nothing seen");
        return;
    };
    let at = |share: f64| sorted[(last as f64 * share) as usize];
    let verdict = if at(0.95) < goal_ms { "met" } else { "MISSED" };
    println!(
        "{name:<14} produce to committed row, ms: p50 {} p95 {} p99 {} max {} ({} seen; p95 < {goal_ms}: {verdict})",
        at(0.5),
        at(0.95),
        at(0.99),
        sorted[last],
        sorted.len()
    );
}
