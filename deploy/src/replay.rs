//! `dcmms replay`: CSV of any shape into Kafka, by event time.

pub mod map;
pub mod merge;
pub mod plan;
pub mod rows;
pub mod time;

use crate::telemetry::{Outgoing, Producer, wait_until};
use anyhow::{Context, bail};
use chrono::Utc;
use dcmms_schemas::time::{MILLISECOND, Moment, SECOND};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use map::Map;
use merge::{Merged, Survey};
use rows::{Points, Refused, Rows};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Streams CSV files into Kafka as if their machines spoke now.
///
/// What the columns mean is said in a TOML file; deploy/samples/README.md explains it with two examples.
///   dcmms replay gen.csv.gz weather.csv.gz --map solar.toml              # as fast as Kafka takes it
///   dcmms replay T1.csv.gz --map wind.toml --speed 1000                  # 1,000 seconds per second
///   dcmms replay T1.csv.gz --map wind.toml --speed 1 --shift-to now      # the first row happens now
///   dcmms replay T1.csv.gz --map wind.toml --dry-run --rejects bad.csv   # what would be sent, what is wrong
/// Rows that cannot be read are counted, named with their line and reason, and stop nothing.
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct ReplayArgs {
    /// CSV files, also .gz; several are merged by event time.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The mapping.
    #[arg(long, value_name = "MAP.toml")]
    pub map: PathBuf,
    /// Seconds of the files per second, or `max`.
    #[arg(long, default_value = "max")]
    pub speed: Speed,
    /// `now`: at speed 1 the first row happens now, else the last.
    #[arg(long, value_name = "now")]
    pub shift_to: Option<ShiftTo>,
    /// Only the first so many rows.
    #[arg(long)]
    pub rows_max: Option<u64>,
    /// Reads, checks and counts, and sends nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Writes what was refused to a CSV: file, line, column, reason, row.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

/// How fast the files' time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Max,
    Times(f64),
}

impl std::str::FromStr for Speed {
    type Err = String;
    fn from_str(text: &str) -> Result<Speed, String> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Speed::Max),
            Ok(times) if times > 0.0 && times.is_finite() => Ok(Speed::Times(times)),
            _ => Err("write a number above 0, or max".into()),
        }
    }
}

/// Where the files' time is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ShiftTo {
    Now,
}

/// What was found and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub rows: u64,
    pub readings: u64,
    pub skipped: u64,
    pub refused: u64,
    pub points: usize,
}

/// All files surveyed: what they hold, before anything is sent.
#[derive(Debug)]
pub struct Surveyed {
    pub map: Map,
    pub points: Points,
    pub surveys: Vec<(PathBuf, Survey)>,
    pub summary: Summary,
    /// The first refusals, for a person; all of them are in the rejects file.
    pub examples: Vec<(PathBuf, Refused)>,
}

/// How many refusals are shown at the end.
const EXAMPLES_MAX: usize = 10;

/// Reads mapping and files to their ends.
pub fn surveyed(args: &ReplayArgs) -> anyhow::Result<Surveyed> {
    let map = Map::read(&args.map)?;
    let mut rejects = args.rejects.as_deref().map(RejectsFile::create).transpose()?;
    let mut found = Surveyed { map, points: Points::default(), surveys: Vec::new(), summary: Summary::default(), examples: Vec::new() };
    let bar = spinner("reading the files");
    for path in &args.files {
        let mut rows = Rows::open(path, &found.map)?;
        let (examples, rejects) = (&mut found.examples, &mut rejects);
        let survey = merge::survey(&mut rows, &mut found.points, |refused| {
            if let Some(rejects) = rejects {
                rejects.put(path, &refused)?;
            }
            if examples.len() < EXAMPLES_MAX {
                examples.push((path.clone(), refused));
            }
            Ok(())
        })?;
        found.summary.rows += survey.rows;
        found.summary.readings += survey.readings;
        found.summary.skipped += survey.skipped;
        found.summary.refused += survey.refused;
        bar.set_message(format!("{} rows", HumanCount(found.summary.rows)));
        found.surveys.push((path.clone(), survey));
    }
    bar.finish_and_clear();
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    found.summary.points = found.points.keys.len();
    Ok(found)
}

impl Surveyed {
    /// By how many microseconds the files' time is moved. Whole milliseconds, as the wire carries them.
    pub fn shift_us(&self, args: &ReplayArgs, now: Moment) -> i64 {
        let first = self.surveys.iter().filter_map(|(_, survey)| survey.first).min();
        let last = self.surveys.iter().filter_map(|(_, survey)| survey.last).max();
        let anchor = if args.speed == Speed::Times(1.0) { first } else { last };
        match (args.shift_to, anchor) {
            (Some(ShiftTo::Now), Some(anchor)) => (now.0 - anchor).div_euclid(MILLISECOND) * MILLISECOND,
            _ => 0,
        }
    }

    /// Sends every row in order of time. Answers rows and readings sent; `stop` ends it early and loses nothing that was sent.
    pub fn send(
        &mut self,
        args: &ReplayArgs,
        shift_us: i64,
        producer: &mut Producer,
        stopped: &dyn Fn() -> bool,
    ) -> anyhow::Result<(u64, u64)> {
        let mut files = Vec::new();
        for (path, survey) in &self.surveys {
            files.push((Rows::open(path, &self.map)?, survey.clone()));
        }
        let mut merged = Merged::new(files, &mut self.points)?;
        let bar = rows_bar(args.rows_max.map_or(self.summary.rows, |max| max.min(self.summary.rows)));
        let (mut rows, mut readings, mut buffer) = (0, 0, Vec::with_capacity(256));
        let (started, mut first) = (Instant::now(), None);
        while let Some(row) = merged.next(&mut self.points)? {
            if args.rows_max.is_some_and(|max| rows >= max) {
                break;
            }
            let first = *first.get_or_insert(row.at);
            let due = due(args.speed, row.at.0 - first.0);
            // Readings do not wait in the producer while we wait for the next moment.
            if !due.is_zero() {
                producer.poll()?;
            }
            if !wait_until(started + due, stopped) {
                break;
            }
            for cell in &row.cells {
                let point = self.points.keys[cell.point as usize].as_str();
                buffer.clear();
                Outgoing { point, at: row.at.plus(shift_us), value: cell.value, quality: cell.quality }.json(&mut buffer);
                producer.send(point, &buffer)?;
            }
            rows += 1;
            readings += row.cells.len() as u64;
            bar.inc(1);
        }
        producer.flush()?;
        bar.finish_and_clear();
        Ok((rows, readings))
    }

    /// Says what was found, for a person.
    pub fn report(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for (path, survey) in &self.surveys {
            let moment = |at: Option<i64>| at.map_or("nothing".into(), |at| Moment(at).to_string());
            let order = if survey.sorted { "in order" } else { "sorted in memory" };
            let _ = writeln!(
                text,
                "{}: {} rows, {} readings, {} refused, {} skipped, {} to {}, {order}",
                path.display(),
                HumanCount(survey.rows),
                HumanCount(survey.readings),
                HumanCount(survey.refused),
                HumanCount(survey.skipped),
                moment(survey.first),
                moment(survey.last),
            );
        }
        for (path, refused) in &self.examples {
            let _ = writeln!(text, "refused: {} line {} column {:?}: {}", path.display(), refused.line, refused.column, refused.reason);
        }
        text
    }
}

/// When a row is due after the start.
fn due(speed: Speed, since_first_us: i64) -> Duration {
    match speed {
        Speed::Max => Duration::ZERO,
        Speed::Times(times) => Duration::from_secs_f64((since_first_us.max(0) as f64 / SECOND as f64 / times).min(1e9)),
    }
}

/// What was refused, as a CSV.
struct RejectsFile {
    out: csv::Writer<std::fs::File>,
}

impl RejectsFile {
    fn create(path: &Path) -> anyhow::Result<RejectsFile> {
        let file = std::fs::File::create(path).with_context(|| format!("create {}", path.display()))?;
        let mut out = csv::Writer::from_writer(file);
        out.write_record(["file", "line", "column", "reason", "row"])?;
        Ok(RejectsFile { out })
    }

    fn put(&mut self, path: &Path, refused: &Refused) -> anyhow::Result<()> {
        let line = refused.line.to_string();
        let file = path.to_string_lossy();
        self.out.write_record([file.as_ref(), &line, &refused.column, &refused.reason, &refused.text]).context("write the rejects")
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.out.flush().context("write the rejects")
    }
}

fn spinner(what: &'static str) -> ProgressBar {
    let bar =
        ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {prefix}: {msg}").expect("the template is sound"));
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn rows_bar(rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {human_pos} of {human_len} rows, {per_sec}, {eta} left");
    ProgressBar::new(rows).with_style(style.expect("the template is sound"))
}

/// The moment now, for `--shift-to now`.
pub fn now() -> Moment {
    Moment::from(Utc::now())
}

/// Refuses files that hold nothing at all, which is a wrong file or a wrong mapping.
pub fn check_not_empty(summary: &Summary) -> anyhow::Result<()> {
    if summary.readings == 0 {
        bail!("no reading was found: {} rows were refused, {} skipped; look at --rejects FILE", summary.refused, summary.skipped);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
