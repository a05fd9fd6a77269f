//! Several files as one stream by event time.

use super::rows::{Points, Refused, Row, Rows};
use anyhow::bail;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Unsorted files are sorted in memory, up to this many rows; larger ones are refused with what to do.
pub const SORTED_ROWS_MAX: usize = 20_000_000;

/// What a first pass found in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub rows: u64,
    pub readings: u64,
    pub skipped: u64,
    pub refused: u64,
    pub sorted: bool,
    pub first: Option<i64>,
    pub last: Option<i64>,
}

/// Reads a file once to the end: its points, its span, whether it is in order. Every refusal goes to `refused`.
pub fn survey(rows: &mut Rows<'_>, points: &mut Points, mut refused: impl FnMut(Refused) -> anyhow::Result<()>) -> anyhow::Result<Survey> {
    let mut survey = Survey { sorted: true, ..Survey::default() };
    let mut before = i64::MIN;
    while let Some(line) = rows.next(points)? {
        survey.skipped += u64::from(line.skipped);
        survey.refused += line.refused.len() as u64;
        for refusal in line.refused {
            refused(refusal)?;
        }
        let Some(row) = line.row else { continue };
        survey.rows += 1;
        survey.readings += row.cells.len() as u64;
        survey.sorted &= row.at.0 >= before;
        before = row.at.0;
        survey.first = Some(survey.first.map_or(row.at.0, |first| first.min(row.at.0)));
        survey.last = Some(survey.last.map_or(row.at.0, |last| last.max(row.at.0)));
    }
    Ok(survey)
}

/// One file's rows in order.
enum Ordered<'m> {
    Streamed(Box<Rows<'m>>),
    Sorted(std::vec::IntoIter<Row>),
}

impl Ordered<'_> {
    fn next(&mut self, points: &mut Points) -> anyhow::Result<Option<Row>> {
        match self {
            Ordered::Sorted(rows) => Ok(rows.next()),
            Ordered::Streamed(rows) => {
                while let Some(line) = rows.next(points)? {
                    // What was refused or left out was said by the survey.
                    if let Some(row) = line.row {
                        return Ok(Some(row));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// A row waiting in the heap; the earliest is on top, of equal ones the first file's first line.
struct Waiting {
    file: usize,
    row: Row,
}

impl Waiting {
    fn place(&self) -> (i64, usize, u64) {
        (self.row.at.0, self.file, self.row.line)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        self.place() == other.place()
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

/// All files' rows by event time.
pub struct Merged<'m> {
    files: Vec<Ordered<'m>>,
    heap: BinaryHeap<Reverse<Waiting>>,
}

impl std::fmt::Debug for Merged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merged").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl<'m> Merged<'m> {
    /// Takes freshly opened files with what their survey said.
    pub fn new(files: Vec<(Rows<'m>, Survey)>, points: &mut Points) -> anyhow::Result<Merged<'m>> {
        let mut ordered = Vec::new();
        for (mut rows, survey) in files {
            if survey.sorted {
                ordered.push(Ordered::Streamed(Box::new(rows)));
                continue;
            }
            if survey.rows > SORTED_ROWS_MAX as u64 {
                let path = rows.path.display();
                bail!(
                    "{path} is not in order of time and too long ({} rows) to be sorted in memory; sort it first, such as with sort(1)",
                    survey.rows
                );
            }
            let mut held = Vec::with_capacity(survey.rows as usize);
            while let Some(line) = rows.next(points)? {
                held.extend(line.row);
            }
            held.sort_by_key(|row| (row.at, row.line));
            ordered.push(Ordered::Sorted(held.into_iter()));
        }
        let mut merged = Merged { files: ordered, heap: BinaryHeap::new() };
        for file in 0..merged.files.len() {
            merged.refill(file, points)?;
        }
        Ok(merged)
    }

    fn refill(&mut self, file: usize, points: &mut Points) -> anyhow::Result<()> {
        if let Some(row) = self.files[file].next(points)? {
            self.heap.push(Reverse(Waiting { file, row }));
        }
        Ok(())
    }

    pub fn next(&mut self, points: &mut Points) -> anyhow::Result<Option<Row>> {
        let Some(Reverse(waiting)) = self.heap.pop() else { return Ok(None) };
        self.refill(waiting.file, points)?;
        Ok(Some(waiting.row))
    }
}
