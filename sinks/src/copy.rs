//! PostgreSQL's binary COPY format, as much of it as our tables need.

use chrono::NaiveDate;
use dcmms_schemas::time::Moment;
use uuid::Uuid;

/// Bytes after which a buffer is sent: sqlx flushes each, so they must be large.
const BUFFER_BYTES: usize = 512 * 1024;
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: i16 = -1;
const NULL: i32 = -1;
/// PostgreSQL counts from 2000-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;
/// The first moment that a timestamptz can say, in its own count; what lies before becomes minus infinity. Its last lies beyond ours.
const MICROS_MIN: i64 = -211_813_488_000_000_000;

/// Rows of one table, encoded. Each row says its columns in the table's order.
#[derive(Debug)]
pub(crate) struct Rows {
    full: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    columns: i16,
    /// Columns still to come in the present row.
    missing: i16,
    rows: u64,
}

impl Rows {
    pub(crate) fn new(columns: i16) -> Rows {
        Rows { full: Vec::new(), buffer: HEADER.to_vec(), columns, missing: 0, rows: 0 }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Begins a row; the one before must be whole.
    pub(crate) fn row(&mut self) -> &mut Rows {
        assert_eq!(self.missing, 0, "a row lacks columns");
        if self.buffer.len() >= BUFFER_BYTES {
            let next = Vec::with_capacity(BUFFER_BYTES + 4096);
            self.full.push(std::mem::replace(&mut self.buffer, next));
        }
        self.buffer.extend_from_slice(&self.columns.to_be_bytes());
        self.missing = self.columns;
        self.rows += 1;
        self
    }

    /// The buffers to send, the last with the end mark.
    pub(crate) fn finish(mut self) -> Vec<Vec<u8>> {
        assert_eq!(self.missing, 0, "a row lacks columns");
        self.buffer.extend_from_slice(&END.to_be_bytes());
        self.full.push(self.buffer);
        self.full
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Rows {
        let length = i32::try_from(bytes.len()).expect("a field is shorter than 2 GiB");
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(bytes);
        self.missing -= 1;
        self
    }

    pub(crate) fn null(&mut self) -> &mut Rows {
        self.buffer.extend_from_slice(&NULL.to_be_bytes());
        self.missing -= 1;
        self
    }

    /// Writes the value, or null where there is none.
    pub(crate) fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Rows, T) -> &mut Rows) -> &mut Rows {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    pub(crate) fn int2(&mut self, value: i16) -> &mut Rows {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn int4(&mut self, value: i32) -> &mut Rows {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn int8(&mut self, value: i64) -> &mut Rows {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn float8(&mut self, value: f64) -> &mut Rows {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Rows {
        self.field(&[u8::from(value)])
    }

    pub(crate) fn uuid(&mut self, value: Uuid) -> &mut Rows {
        self.field(value.as_bytes())
    }

    /// PostgreSQL's text has no zero byte; one in what a device sent is shown as U+FFFD.
    pub(crate) fn text(&mut self, value: &str) -> &mut Rows {
        if value.contains('\0') { self.field(value.replace('\0', "\u{fffd}").as_bytes()) } else { self.field(value.as_bytes()) }
    }

    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> &mut Rows {
        const VERSION: char = '\u{1}';
        let text = serde_json::to_string(value).expect("our rows have string keys only, so they are JSON");
        // Like text; an escaped zero is the only way one can be written in JSON.
        let text = if text.contains("\\u0000") { text.replace("\\u0000", "\\ufffd") } else { text };
        self.field(format!("{VERSION}{text}").as_bytes())
    }

    pub(crate) fn timestamptz(&mut self, value: Moment) -> &mut Rows {
        let micros = match value.0.saturating_sub(EPOCH_MICROS) {
            _ if value == Moment::MAX => i64::MAX,
            ..MICROS_MIN => i64::MIN,
            micros => micros,
        };
        self.int8(micros)
    }

    pub(crate) fn date(&mut self, value: NaiveDate) -> &mut Rows {
        self.int4(value.to_epoch_days() - EPOCH_DAYS)
    }
}

#[cfg(test)]
mod tests;
