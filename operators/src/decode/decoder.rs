//! Decoding without the dataflow around it: chunks in, columns and books out.

use super::{
    DecodeOptions, arrow,
    directory::Directory,
    json,
    reading::{Fault, Parsed, quoted},
    scan,
};
use crate::{
    chunk::{Chunk, Format, Message},
    columns::Columns,
    seen::Seen,
};
use dcmms_schemas::{
    books::Books,
    domain::Event,
    outcome::{Outcome, Unknown},
    reading::{Reason, Reject},
    time::Moment,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Knows the points and turns messages into columns for the workers that own them.
#[derive(Debug)]
pub(crate) struct Decoder {
    directory: Directory,
    options: DecodeOptions,
    peers: u32,
    scratch: Vec<u8>,
}

/// What the messages of one tick came to.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) columns: Vec<Columns>,
    books: BTreeMap<u16, Books>,
    unknown: FxHashMap<String, Unknown>,
    rejects: Vec<Reject>,
}

/// Where the readings of a message go while it is decoded.
struct Desk<'a> {
    directory: &'a Directory,
    sheet: &'a mut Sheet,
    columns: Vec<Columns>,
    books: Books,
    source: u16,
    /// The greatest moment that a reading may have.
    horizon: Moment,
    unknown_max: usize,
    greatest: Moment,
}

impl Decoder {
    pub(crate) fn new(options: DecodeOptions, peers: usize) -> Decoder {
        let peers = u32::try_from(peers).expect("workers are few");
        Decoder { directory: Directory::new(), options, peers, scratch: Vec::new() }
    }

    pub(crate) fn told(&mut self, events: &[std::sync::Arc<Event>]) {
        for event in events {
            self.directory.apply(event);
        }
        self.directory.settle();
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.options.seen
    }

    /// Decodes a tick's chunks in the order of (source, offset), whatever the order in which they came.
    pub(crate) fn chunks(&mut self, chunks: &mut [Chunk], clock: Moment) -> Sheet {
        chunks.sort_by_key(|chunk| (chunk.source, chunk.offsets.first().copied()));
        let mut sheet = Sheet::default();
        for chunk in chunks {
            self.chunk(chunk, clock, &mut sheet);
        }
        sheet
    }

    fn chunk(&mut self, chunk: &Chunk, clock: Moment, sheet: &mut Sheet) {
        let Some(order) = chunk.offsets.first().copied() else { return };
        let room = chunk.len() / self.peers as usize + 16;
        let mut desk = Desk {
            directory: &self.directory,
            sheet,
            columns: (0..self.peers).map(|worker| Columns::with_capacity(worker, chunk.source, order, room)).collect(),
            books: Books::default(),
            source: chunk.source,
            horizon: clock.plus(self.options.future_max),
            unknown_max: self.options.unknown_max,
            greatest: Moment::MIN,
        };
        for message in chunk.iter() {
            desk.message(message, &mut self.scratch);
        }
        if desk.greatest > Moment::MIN {
            self.options.seen.raise(chunk.source, desk.greatest);
        }
        let Desk { columns, books, .. } = desk;
        sheet.books.entry(chunk.source).or_default().add(&books);
        sheet.columns.extend(columns.into_iter().filter(|columns| !columns.is_empty()));
    }
}

impl Desk<'_> {
    #[inline]
    fn message(&mut self, message: Message<'_>, scratch: &mut Vec<u8>) {
        self.books.messages += 1;
        if message.format == Format::Arrow {
            return self.arrow(message);
        }
        if let Some(parsed) = scan::message(message.bytes) {
            self.books.decoded += 1;
            return self.reading(message.offset, 0, Ok(parsed), || message.bytes.to_vec());
        }
        if let Some(readings) = scan::array(message.bytes) {
            self.books.decoded += 1;
            for (index, (parsed, bytes)) in readings.into_iter().enumerate() {
                self.reading(message.offset, index as u32, Ok(parsed), || bytes.to_vec());
            }
            return;
        }
        self.unusual(message, scratch);
    }

    #[inline(never)]
    fn unusual(&mut self, message: Message<'_>, scratch: &mut Vec<u8>) {
        match json::message(message.bytes, scratch) {
            Err(detail) => self.unreadable(message, detail),
            Ok(elements) => {
                self.books.decoded += 1;
                for (index, (answer, bytes)) in elements.into_iter().enumerate() {
                    self.reading(message.offset, index as u32, answer, || bytes.to_vec());
                }
            }
        }
    }

    #[inline(never)]
    fn arrow(&mut self, message: Message<'_>) {
        // Counted as decoded first: a stream that turns out to be unreadable gives no row.
        let answer = arrow::message(message.bytes, |index, answer, json| self.reading(message.offset, index, answer, json));
        match answer {
            Ok(()) => self.books.decoded += 1,
            Err(detail) => self.unreadable(message, detail),
        }
    }

    fn unreadable(&mut self, message: Message<'_>, detail: String) {
        self.books.unreadable += 1;
        self.sheet.rejects.push(Reject {
            reason: Reason::Unreadable,
            detail,
            source: self.source,
            offset: message.offset,
            index: None,
            point: None,
            format: message.format,
            bytes: message.bytes.to_vec(),
        });
    }

    /// Takes a reading whose point is known and whose time and value have a place; refuses the others.
    #[inline]
    fn reading(&mut self, offset: i64, index: u32, answer: Result<Parsed<'_>, Fault>, bytes: impl Fn() -> Vec<u8>) {
        self.books.readings += 1;
        let parsed = match answer {
            Ok(parsed) => parsed,
            Err(fault) => return self.refuse(offset, index, fault, bytes()),
        };
        let known = self.directory.find(&parsed.key);
        if let Some(entry) = known
            && parsed.at <= self.horizon
            && entry.quantum.steps(parsed.value).is_some()
        {
            self.greatest = self.greatest.max(parsed.at);
            let worker = if self.columns.len() == 1 { 0 } else { entry.number as usize % self.columns.len() };
            return self.columns[worker].push(entry.number, parsed.at, parsed.value, parsed.flags, parsed.seq);
        }
        let fault = self.fault(&parsed, known.is_some());
        self.refuse(offset, index, fault, bytes());
    }

    /// What is wrong with a reading that could be read: its time, then its name, then its value.
    #[inline(never)]
    fn fault(&mut self, parsed: &Parsed<'_>, known: bool) -> Fault {
        let key = String::from_utf8_lossy(&parsed.key).into_owned();
        let (reason, detail) = if parsed.at > self.horizon {
            (Reason::Future, format!("ts {} is beyond {}, the latest allowed now", parsed.at, self.horizon))
        } else if known {
            (Reason::OutOfResolution, format!("value {} is beyond 2^53 steps of the point's resolution", parsed.value))
        } else {
            self.unknown(&key, parsed.at);
            (Reason::UnknownPoint, format!("no point has the key {}", quoted(&key)))
        };
        Fault { reason, detail, point: Some(key) }
    }

    /// Counts a reading of an unknown point; once a tick has met its share of names, the others are counted together.
    fn unknown(&mut self, key: &str, at: Moment) {
        let full = self.sheet.unknown.len() >= self.unknown_max && !self.sheet.unknown.contains_key(key);
        let key = if full { Unknown::OTHERS } else { key };
        match self.sheet.unknown.get_mut(key) {
            Some(unknown) => {
                unknown.readings += 1;
                unknown.first = unknown.first.min(at);
                unknown.last = unknown.last.max(at);
            }
            None => {
                let unknown = Unknown { key: key.to_owned(), readings: 1, first: at, last: at };
                self.sheet.unknown.insert(key.to_owned(), unknown);
            }
        }
    }

    #[inline(never)]
    fn refuse(&mut self, offset: i64, index: u32, fault: Fault, bytes: Vec<u8>) {
        self.books.rejected += 1;
        let Fault { reason, detail, point } = fault;
        let (source, index, format) = (self.source, Some(index), Format::Json);
        self.sheet.rejects.push(Reject { reason, detail, source, offset, index, point, format, bytes });
    }
}

impl Sheet {
    /// Everything but the columns.
    pub(crate) fn outcome(&mut self) -> Outcome {
        let mut unknown: Vec<Unknown> = std::mem::take(&mut self.unknown).into_values().collect();
        unknown.sort_by(|left, right| left.key.cmp(&right.key));
        Outcome {
            books: std::mem::take(&mut self.books).into_iter().filter(|(_, books)| !books.is_zero()).collect(),
            unknown,
            rejects: std::mem::take(&mut self.rejects),
            ..Outcome::default()
        }
    }
}

#[cfg(test)]
mod tests;
