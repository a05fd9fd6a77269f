//! Raw messages on their way from the reader thread to the decoder.

pub use dcmms_schemas::wire::Format;

/// Messages of one partition in the order of their offsets, their bytes end to end in one arena, so that a batch of
/// thousands costs five allocations.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// The partition's index in the job's sources.
    pub source: u16,
    pub offsets: Vec<i64>,
    /// Message `i` ends before `ends[i]` and starts where the one before it ends.
    pub ends: Vec<u32>,
    pub formats: Vec<Format>,
    pub bytes: Vec<u8>,
}

/// One message of a [`Chunk`].
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub offset: i64,
    pub format: Format,
    pub bytes: &'a [u8],
}

impl Chunk {
    pub fn new(source: u16) -> Chunk {
        Chunk { source, ..Chunk::default() }
    }

    /// Adds a message. The caller starts a new chunk when [`Chunk::has_room`] says so.
    pub fn push(&mut self, offset: i64, format: Format, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(u32::try_from(self.bytes.len()).expect("has_room keeps a chunk below 4 GiB"));
        self.offsets.push(offset);
        self.formats.push(format);
    }

    /// Whether a message of this size still fits.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.bytes.len() + bytes <= u32::MAX as usize
    }

    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Keeps the first `messages` and gives back the rest.
    pub fn split_off(&mut self, messages: usize) -> Chunk {
        let cut = messages.checked_sub(1).map_or(0, |last| self.ends[last]);
        Chunk {
            source: self.source,
            offsets: self.offsets.split_off(messages),
            ends: self.ends.split_off(messages).into_iter().map(|end| end - cut).collect(),
            formats: self.formats.split_off(messages),
            bytes: self.bytes.split_off(cut as usize),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).zip(self.offsets.iter().zip(&self.formats)).map(|((start, end), (offset, format))| Message {
            offset: *offset,
            format: *format,
            bytes: &self.bytes[start as usize..*end as usize],
        })
    }
}
