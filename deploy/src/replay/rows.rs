//! The rows of one file: opened, told apart, made into readings or refused with a reason.

use super::{
    map::{FileMap, Map, Part, PointMap, Template, one_byte},
    time::TimeReader,
};
use anyhow::{Context, bail};
use csv::{ByteRecord, Reader, ReaderBuilder};
use dcmms_schemas::{reading::Quality, time::Moment};
use flate2::bufread::MultiGzDecoder;
use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};
use toml::Spanned;

/// Index of a point in [`Points`].
pub type PointIndex = u32;

/// Every point that the files speak of, numbered as they first appear.
#[derive(Debug, Default)]
pub struct Points {
    pub keys: Vec<String>,
    /// Which `[[files.points]]` made it: its file map and its place there.
    pub origins: Vec<(usize, usize)>,
    index: HashMap<String, PointIndex>,
}

impl Points {
    fn index(&mut self, key: &str, origin: (usize, usize)) -> PointIndex {
        if let Some(index) = self.index.get(key) {
            return *index;
        }
        let index = PointIndex::try_from(self.keys.len()).expect("fewer points than 2^32 fit into memory");
        self.keys.push(key.to_owned());
        self.origins.push(origin);
        self.index.insert(key.to_owned(), index);
        index
    }
}

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    pub point: PointIndex,
    pub value: f64,
    pub quality: Quality,
}

/// A row that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub at: Moment,
    pub line: u64,
    pub cells: Vec<Cell>,
}

/// A row or a cell that was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub line: u64,
    pub column: String,
    pub reason: String,
    pub text: String,
}

/// What the reader says of a line.
#[derive(Debug)]
pub struct Line {
    /// `None`: refused whole, or left out by a skip rule.
    pub row: Option<Row>,
    pub refused: Vec<Refused>,
    pub skipped: bool,
}

/// A file being read.
pub struct Rows<'m> {
    pub path: PathBuf,
    reader: Reader<Box<dyn Read>>,
    record: ByteRecord,
    time: TimeReader,
    time_column: usize,
    skips: Vec<(usize, &'m [String])>,
    missing: &'m [String],
    decimal_comma: bool,
    columns: Vec<Value<'m>>,
    names: Vec<String>,
    key: String,
}

/// A value column, its names resolved to places.
struct Value<'m> {
    map: &'m PointMap,
    origin: (usize, usize),
    column: usize,
    key: Vec<KeyPart>,
    quality: Option<(usize, &'m [String], &'m [String])>,
}

enum KeyPart {
    Text(String),
    Column(usize),
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("path", &self.path).field("names", &self.names).finish_non_exhaustive()
    }
}

impl<'m> Rows<'m> {
    /// Opens a file and finds the columns that its mapping names.
    pub fn open(path: &Path, map: &'m Map) -> anyhow::Result<Rows<'m>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = map.file(&name)?;
        let number = map.files.iter().position(|other| std::ptr::eq(other, file)).expect("the file map comes from this list");
        let mut reader = ReaderBuilder::new()
            .delimiter(one_byte(&file.delimiter).expect("the mapping was checked"))
            .comment(file.comment.as_ref().and_then(one_byte))
            .has_headers(file.columns.is_none())
            // A row with too many or too few cells is that row's fault, not the file's.
            .flexible(true)
            .from_reader(unpacked(path)?);
        let names = names(&mut reader, file).with_context(|| format!("read the header of {}", path.display()))?;
        let find = |column: &str, what: &str| match names.iter().position(|name| name == column) {
            Some(place) => Ok(place),
            None => bail!("{} has no column {column:?}, which the mapping names for {what}; it has {names:?}", path.display()),
        };
        let place = |column: &Spanned<String>, what: &str| find(column.get_ref(), what);
        let mut columns = Vec::new();
        for (place_in_map, point) in file.points.iter().enumerate() {
            let mut key = Vec::new();
            for part in Template::parse(point.point.get_ref()).expect("the mapping was checked").0 {
                key.push(match part {
                    Part::Text(text) => KeyPart::Text(text),
                    Part::Column(column) => KeyPart::Column(find(&column, "the key of a point")?),
                });
            }
            let quality = match &point.quality {
                Some(quality) => Some((place(&quality.column, "quality")?, quality.uncertain.as_slice(), quality.bad.as_slice())),
                None => None,
            };
            let column = place(&point.column, "a value")?;
            columns.push(Value { map: point, origin: (number, place_in_map), column, key, quality });
        }
        let mut skips = Vec::new();
        for skip in &file.skip {
            skips.push((place(&skip.column, "a skip rule")?, skip.equals.as_slice()));
        }
        Ok(Rows {
            time_column: place(&file.time.column, "the time")?,
            path: path.to_owned(),
            reader,
            record: ByteRecord::new(),
            time: TimeReader::new(&file.time),
            skips,
            missing: &file.missing,
            decimal_comma: file.decimal.get_ref() == ",",
            columns,
            names,
            key: String::new(),
        })
    }

    /// The next line, `None` at the end. Only a file that cannot be read at all is an error.
    pub fn next(&mut self, points: &mut Points) -> anyhow::Result<Option<Line>> {
        let more = self.reader.read_byte_record(&mut self.record);
        let more = more.with_context(|| format!("read {}; is the .gz whole?", self.path.display()))?;
        if !more {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        let text_of = |column: usize| self.record.get(column).map(|cell| String::from_utf8_lossy(cell).trim().to_owned());
        if self.skips.iter().any(|(column, values)| text_of(*column).is_some_and(|cell| values.contains(&cell))) {
            return Ok(Some(Line { row: None, refused: Vec::new(), skipped: true }));
        }
        let whole = || self.record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
        let refuse = |column: usize, reason: String| {
            let column = self.names.get(column).cloned().unwrap_or_default();
            Refused { line, column, reason, text: whole() }
        };
        if self.record.len() != self.names.len() {
            let reason = format!("{} cells where there are {} columns", self.record.len(), self.names.len());
            return Ok(Some(Line { row: None, refused: vec![refuse(usize::MAX, reason)], skipped: false }));
        }
        let time = &self.record[self.time_column];
        let at = std::str::from_utf8(time).map_err(|_| "the time is not UTF-8".to_owned()).and_then(|text| self.time.read(text));
        let at = match at {
            Ok(at) => at,
            Err(reason) => return Ok(Some(Line { row: None, refused: vec![refuse(self.time_column, reason)], skipped: false })),
        };
        let (mut cells, mut refused) = (Vec::with_capacity(self.columns.len()), Vec::new());
        for value in &self.columns {
            match value.read(&self.record, self.missing, self.decimal_comma, &mut self.key) {
                Ok(None) => {}
                Ok(Some((number, quality))) => {
                    cells.push(Cell { point: points.index(&self.key, value.origin), value: number, quality });
                }
                Err(reason) => refused.push(refuse(value.column, reason)),
            }
        }
        Ok(Some(Line { row: Some(Row { at, line, cells }), refused, skipped: false }))
    }
}

impl Value<'_> {
    /// The number of a cell and its point's key, `None` where the cell says nothing.
    fn read(
        &self,
        record: &ByteRecord,
        missing: &[String],
        decimal_comma: bool,
        key: &mut String,
    ) -> Result<Option<(f64, Quality)>, String> {
        let text = std::str::from_utf8(&record[self.column]).map_err(|_| "not UTF-8".to_owned())?.trim();
        if missing.iter().any(|nothing| nothing == text) {
            return Ok(None);
        }
        let number = number(text, decimal_comma)?;
        // Left alone when there is nothing to convert, so that the bits of the file arrive.
        let number = if self.map.scale == 1.0 && self.map.offset == 0.0 { number } else { number * self.map.scale + self.map.offset };
        if !number.is_finite() {
            return Err(format!("{text:?} is not finite"));
        }
        key.clear();
        for part in &self.key {
            match part {
                KeyPart::Text(text) => key.push_str(text),
                KeyPart::Column(column) => {
                    let cell = std::str::from_utf8(&record[*column]).map_err(|_| "the point's name is not UTF-8".to_owned())?.trim();
                    if cell.is_empty() {
                        return Err("the cell that names the point is empty".into());
                    }
                    key.push_str(cell);
                }
            }
        }
        let quality = self.quality.map_or(Quality::Good, |(column, uncertain, bad)| {
            let cell = String::from_utf8_lossy(&record[column]);
            let is = |words: &[String]| words.iter().any(|word| word == cell.trim());
            if is(bad) {
                Quality::Bad
            } else if is(uncertain) {
                Quality::Uncertain
            } else {
                Quality::Good
            }
        });
        Ok(Some((number, quality)))
    }
}

fn number(text: &str, decimal_comma: bool) -> Result<f64, String> {
    let read = if decimal_comma {
        // 1.234,5: points group thousands, the comma is decimal.
        text.replace('.', "").replace(',', ".").parse()
    } else {
        text.parse()
    };
    read.map_err(|_| format!("{text:?} is no number"))
}

/// The file's bytes, unpacked when they begin as gzip does, whatever the name says.
fn unpacked(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut bytes = BufReader::with_capacity(1 << 18, file);
    let packed = bytes.fill_buf().with_context(|| format!("read {}", path.display()))?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) })
}

/// The names of the columns; a byte order mark before the first is not part of it.
fn names(reader: &mut Reader<Box<dyn Read>>, file: &FileMap) -> anyhow::Result<Vec<String>> {
    if let Some(columns) = &file.columns {
        return Ok(columns.clone());
    }
    let header = reader.byte_headers()?;
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    if names.is_empty() {
        bail!("the file is empty");
    }
    Ok(names
        .into_iter()
        .enumerate()
        .map(|(place, name)| if place == 0 { name.trim_start_matches('\u{feff}').to_owned() } else { name })
        .collect())
}
