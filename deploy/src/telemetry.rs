//! Readings on their way out: how one is written, and where it can go.

mod producer;

pub use producer::{Gate, Producer};

use anyhow::Context;
use dcmms_schemas::{
    reading::Quality,
    time::{MILLISECOND, Moment},
};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::{Duration, Instant},
};

/// One reading, ready to be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outgoing<'a> {
    pub point: &'a str,
    pub at: Moment,
    pub value: f64,
    pub quality: Quality,
}

impl Outgoing<'_> {
    /// Appends the reading as the JSON of the telemetry topic. The value is printed with the fewest digits that
    /// read back as the same 64 bits; a moment between milliseconds is written as RFC 3339.
    pub fn json(&self, out: &mut Vec<u8>) {
        debug_assert!(self.value.is_finite(), "JSON has no word for it");
        out.extend_from_slice(b"{\"point\":");
        serde_json::to_writer(&mut *out, self.point).expect("a string is written to memory");
        if self.at.0 % MILLISECOND == 0 {
            write!(out, ",\"ts\":{}", self.at.millis()).expect("written to memory");
        } else {
            write!(out, ",\"ts\":\"{}\"", self.at).expect("written to memory");
        }
        out.extend_from_slice(b",\"value\":");
        serde_json::to_writer(&mut *out, &self.value).expect("a number is written to memory");
        if self.quality != Quality::Good {
            write!(out, ",\"quality\":\"{}\"", self.quality.name()).expect("written to memory");
        }
        out.push(b'}');
    }
}

/// Waits on this thread until a moment of the clock, in slices so that a stop is heard; false when it was.
pub fn wait_until(due: Instant, stopped: &dyn Fn() -> bool) -> bool {
    loop {
        if stopped() {
            return false;
        }
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::park_timeout(left.min(SLICE));
    }
}

/// How late a stop may be heard.
const SLICE: Duration = Duration::from_millis(100);

/// The shapes of a file of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One JSON reading per line.
    Lines,
    /// `point,ts,value,quality` with the time in milliseconds.
    Csv,
}

/// A file of readings, NDJSON or CSV by its name, compressed when it ends in `.gz`; `-` is the standard output.
pub struct ReadingsFile {
    out: Box<dyn Closing + Send>,
    shape: Shape,
    buffer: Vec<u8>,
}

/// A writer that says whether its last bytes arrived.
trait Closing: Write {
    fn close(self: Box<Self>) -> std::io::Result<()>;
}

impl<W: Write> Closing for BufWriter<W> {
    fn close(mut self: Box<Self>) -> std::io::Result<()> {
        self.flush()
    }
}

impl<W: Write> Closing for flate2::write::GzEncoder<W> {
    fn close(self: Box<Self>) -> std::io::Result<()> {
        (*self).finish()?.flush()
    }
}

impl std::fmt::Debug for ReadingsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadingsFile").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl ReadingsFile {
    pub fn create(path: &Path) -> anyhow::Result<ReadingsFile> {
        let name = path.to_string_lossy();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let shape = if plain.ends_with(".csv") { Shape::Csv } else { Shape::Lines };
        let file: Box<dyn Closing + Send> = if name == "-" {
            Box::new(BufWriter::new(std::io::stdout()))
        } else {
            let file = File::create(path).with_context(|| format!("create {name}; does its folder exist?"))?;
            if plain.len() < name.len() {
                // No name and no time in the header, so that the same readings are the same bytes.
                Box::new(flate2::GzBuilder::new().mtime(0).write(BufWriter::new(file), flate2::Compression::new(6)))
            } else {
                Box::new(BufWriter::new(file))
            }
        };
        let mut readings = ReadingsFile { out: file, shape, buffer: Vec::with_capacity(256) };
        if shape == Shape::Csv {
            readings.out.write_all(b"point,ts,value,quality\n").with_context(|| format!("write {name}"))?;
        }
        Ok(readings)
    }

    pub fn put(&mut self, reading: &Outgoing<'_>) -> anyhow::Result<()> {
        self.buffer.clear();
        match self.shape {
            Shape::Lines => {
                reading.json(&mut self.buffer);
                self.buffer.push(b'\n');
            }
            Shape::Csv => {
                write!(self.buffer, "{},{},", reading.point, reading.at.millis())?;
                serde_json::to_writer(&mut self.buffer, &reading.value)?;
                writeln!(self.buffer, ",{}", reading.quality.name())?;
            }
        }
        self.out.write_all(&self.buffer).context("write readings")
    }

    pub fn finish(self) -> anyhow::Result<()> {
        self.out.close().context("write the last readings")
    }
}

#[cfg(test)]
mod tests;
