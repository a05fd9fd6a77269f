//! What an operator writes at a cut, shard by shard.

use dcmms_schemas::checkpoint::{Block, Cut, SHARDS};
use serde::Serialize;

/// The shards of one operator, being written. An entry is its key, the length of its value plus one, and the value; a length of
/// zero says that the key is gone.
#[derive(Debug)]
pub struct Pages {
    operator: &'static str,
    cut: Cut,
    shards: Vec<Vec<u8>>,
}

impl Pages {
    pub fn new(operator: &'static str, cut: Cut) -> Pages {
        Pages { operator, cut, shards: vec![Vec::new(); SHARDS] }
    }

    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// Whether all entries of this shard are wanted, changed or not.
    pub fn wants_all(&self, shard: u8) -> bool {
        self.cut.has_whole(shard)
    }

    /// Writes an entry.
    pub fn put<K: Serialize, V: Serialize + ?Sized>(&mut self, shard: u8, key: &K, value: &V) {
        self.put_with(shard, key, |bytes| write(bytes, value));
    }

    /// Writes an entry whose value is bytes already.
    pub fn put_bytes<K: Serialize>(&mut self, shard: u8, key: &K, value: &[u8]) {
        self.put_with(shard, key, |bytes| bytes.extend_from_slice(value));
    }

    /// Says that a key is gone. A shard that is whole needs no such word.
    pub fn gone<K: Serialize>(&mut self, shard: u8, key: &K) {
        if !self.wants_all(shard) {
            let bytes = &mut self.shards[usize::from(shard)];
            write(bytes, key);
            bytes.extend_from_slice(&0u32.to_le_bytes());
        }
    }

    fn put_with<K: Serialize>(&mut self, shard: u8, key: &K, value: impl FnOnce(&mut Vec<u8>)) {
        let bytes = &mut self.shards[usize::from(shard)];
        write(bytes, key);
        let length_at = bytes.len();
        bytes.extend_from_slice(&[0; 4]);
        value(bytes);
        let length = u32::try_from(bytes.len() - length_at - 4 + 1).expect("an entry is smaller than 4 GiB");
        bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// Shards without a word are left out, unless they are whole: that nothing is left is a word too.
    pub(super) fn into_blocks(self) -> impl Iterator<Item = Block> {
        let Pages { operator, cut, shards } = self;
        let blocks = shards.into_iter().enumerate().map(move |(shard, bytes)| {
            let shard = shard as u8;
            Block { operator: operator.to_owned(), shard, whole: cut.has_whole(shard), bytes }
        });
        blocks.filter(|block| block.whole || !block.bytes.is_empty())
    }
}

/// Appends a value in the format of all keys and values.
fn write<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    let taken = std::mem::take(bytes);
    *bytes = postcard::to_extend(value, taken).expect("memory takes all that is written, and our types have no unknown lengths");
}
