//! The engine alone, without broker and database, against a plain hand-written loop on the same readings.
//!
//! `cargo run --release --bin engine [readings] [rounds]` (default 5,000,000 and 3). The job is one that
//! other engines were measured at: JSON lines of 20,000 points, one-minute windows of each with count, extremes, mean
//! and deviation, repeats counted. All kinds of run take turns, so that a busy machine slows all of them alike, and
//! every answer is checked against the loop's, row by row.

mod answer;
mod input;
mod machine;
mod ours;
mod plain;

use ours::Job;
use std::time::Instant;

/// One kind of run.
#[derive(Clone, Copy)]
enum Kind {
    Plain { threads: usize },
    Ours { workers: usize, job: Job },
}

const KINDS: [(&str, Kind); 7] = [
    ("plain loop, 1 thread", Kind::Plain { threads: 1 }),
    ("plain loop, 2 threads", Kind::Plain { threads: 2 }),
    ("engine, repeats counted, 1 worker", Kind::Ours { workers: 1, job: Job::Repeats }),
    ("engine, repeats counted, 2 workers", Kind::Ours { workers: 2, job: Job::Repeats }),
    ("engine, dedupe, 1 worker", Kind::Ours { workers: 1, job: Job::Dedupe }),
    ("engine, dedupe, 2 workers", Kind::Ours { workers: 2, job: Job::Dedupe }),
    ("engine, dedupe, alarms, scores, history, all rows in turn, 2 workers", Kind::Ours { workers: 2, job: Job::Everything }),
];

/// What one run cost.
#[derive(Clone, Copy)]
struct Cost {
    wall_s: f64,
    cpu_s: f64,
    rss_mib: u64,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let readings = arguments.next().map_or(5_000_000, |count| count.parse().expect("a number of readings"));
    let rounds = arguments.next().map_or(3, |count| count.parse().expect("a number of rounds"));
    let only = arguments.next();
    let input = input::generate(readings);
    println!("{}", machine::describe());
    println!("{readings} readings of {} points, {} MB of JSON, {} ticks", input::POINTS, input.bytes() / 1_000_000, input.ticks.len());
    let kinds: Vec<_> = KINDS.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| name.contains(only.as_str()))).collect();
    let wanted = plain::run(&input, 1);
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); kinds.len()];
    for _ in 0..rounds {
        for ((name, kind), costs) in kinds.iter().zip(&mut costs) {
            let (rows, cost) = measured(*kind, &input);
            let repeats_count = !matches!(kind, Kind::Ours { job: Job::Dedupe | Job::Everything, .. });
            answer::check(name, &wanted, &rows, repeats_count);
            costs.push(cost);
        }
    }
    report(&kinds.iter().map(|(name, _)| *name).collect::<Vec<_>>(), &costs, readings);
}

fn measured(kind: Kind, input: &input::Input) -> (answer::Rows, Cost) {
    match kind {
        Kind::Plain { threads } => {
            let (start, cpu) = (Instant::now(), machine::cpu_s());
            let rows = plain::run(input, threads);
            (rows, cost(start, cpu))
        }
        Kind::Ours { workers, job } => {
            let run = ours::run(input, workers, job);
            (run.rows, Cost { wall_s: run.wall_s, cpu_s: run.cpu_s, rss_mib: run.rss_mib })
        }
    }
}

fn cost(start: Instant, cpu: f64) -> Cost {
    Cost { wall_s: start.elapsed().as_secs_f64(), cpu_s: machine::cpu_s() - cpu, rss_mib: machine::rss_mib() }
}

fn report(names: &[&str], costs: &[Vec<Cost>], readings: usize) {
    println!("{:<72} {:>7} {:>7} {:>8} {:>9} {:>8}", "medians", "wall s", "CPU s", "M/s", "M/CPU s", "RSS MiB");
    for (name, costs) in names.iter().zip(costs) {
        let (wall, cpu) = (median(costs, |cost| cost.wall_s), median(costs, |cost| cost.cpu_s));
        let millions = readings as f64 / 1e6;
        let rss = costs.iter().map(|cost| cost.rss_mib).max().unwrap_or(0);
        println!("{name:<72} {wall:>7.2} {cpu:>7.2} {:>8.2} {:>9.2} {rss:>8}", millions / wall, millions / cpu);
    }
    let find = |wanted: &str| names.iter().position(|name| *name == wanted).map(|index| &costs[index]);
    for (threads, workers) in [("1 thread", "1 worker"), ("2 threads", "2 workers")] {
        for job in ["repeats counted", "dedupe"] {
            if let (Some(plain), Some(ours)) = (find(&format!("plain loop, {threads}")), find(&format!("engine, {job}, {workers}"))) {
                let wall = median(plain, |cost| cost.wall_s) / median(ours, |cost| cost.wall_s);
                let cpu = median(plain, |cost| cost.cpu_s) / median(ours, |cost| cost.cpu_s);
                println!("engine over plain loop, {job}, {threads}: {wall:.2} by wall, {cpu:.2} by CPU (goal 0.4, hoped for 0.6)");
            }
        }
    }
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
