//! One packed file: blocks end to end, then an index of them with their hashes, then its length and a mark.

use super::File;
use dcmms_schemas::checkpoint::Block;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

const MARK: &[u8; 8] = b"dcmmsck1";

/// Where a block lies. Its hash is text, because JSON's numbers are not that wide.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    operator: String,
    shard: u8,
    whole: bool,
    start: u64,
    bytes: u64,
    hash: String,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Damage {
    #[error("it is gone")]
    Gone,
    #[error("it has {found} bytes and should have {expected}")]
    Length { expected: u64, found: u64 },
    #[error("its index is not what was written")]
    Index,
    #[error("shard {shard} of `{operator}` is not what was written")]
    Block { operator: String, shard: u8 },
}

/// Packs a worker's blocks.
pub(super) fn pack(path: String, blocks: &[Block]) -> (File, Vec<u8>) {
    let mut packed = Vec::with_capacity(blocks.iter().map(|block| block.bytes.len()).sum::<usize>() + 96 * blocks.len() + 32);
    let mut index = Vec::with_capacity(blocks.len());
    for block in blocks {
        index.push(Entry {
            operator: block.operator.clone(),
            shard: block.shard,
            whole: block.whole,
            start: packed.len() as u64,
            bytes: block.bytes.len() as u64,
            hash: hash(&block.bytes),
        });
        packed.extend_from_slice(&block.bytes);
    }
    let index = serde_json::to_vec(&index).expect("an index is JSON");
    packed.extend_from_slice(&index);
    packed.extend_from_slice(&(index.len() as u64).to_le_bytes());
    packed.extend_from_slice(MARK);
    (File { path, bytes: packed.len() as u64, hash: hash(&index) }, packed)
}

/// Gives back the blocks that are `wanted`, each checked by its hash.
pub(super) fn unpack(file: &File, packed: &[u8], wanted: impl Fn(&str, u8) -> bool) -> Result<Vec<Block>, Damage> {
    if packed.len() as u64 != file.bytes {
        return Err(Damage::Length { expected: file.bytes, found: packed.len() as u64 });
    }
    let (before, mark) = packed.split_last_chunk::<8>().ok_or(Damage::Index)?;
    let (before, length) = before.split_last_chunk::<8>().ok_or(Damage::Index)?;
    let start = before.len().checked_sub(u64::from_le_bytes(*length) as usize).ok_or(Damage::Index)?;
    let (blocks, index) = before.split_at(start);
    if mark != MARK || hash(index) != file.hash {
        return Err(Damage::Index);
    }
    let index: Vec<Entry> = serde_json::from_slice(index).map_err(|_| Damage::Index)?;
    let mut found = Vec::new();
    for entry in index.into_iter().filter(|entry| wanted(&entry.operator, entry.shard)) {
        let bytes = blocks.get(entry.start as usize..(entry.start + entry.bytes) as usize).ok_or(Damage::Index)?;
        if hash(bytes) != entry.hash {
            return Err(Damage::Block { operator: entry.operator, shard: entry.shard });
        }
        found.push(Block { operator: entry.operator, shard: entry.shard, whole: entry.whole, bytes: bytes.to_vec() });
    }
    Ok(found)
}

fn hash(bytes: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> Vec<Block> {
        let block = |shard: u8, whole, bytes: &[u8]| Block { operator: "points".to_owned(), shard, whole, bytes: bytes.to_vec() };
        vec![block(0, true, b"first"), block(1, false, b"second"), block(2, true, b"")]
    }

    #[test]
    fn what_was_packed_comes_back() {
        let (file, packed) = pack("a".to_owned(), &blocks());
        assert_eq!(unpack(&file, &packed, |_, _| true), Ok(blocks()));
        assert_eq!(unpack(&file, &packed, |_, shard| shard == 1), Ok(blocks()[1..2].to_vec()));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_found() {
        let (file, packed) = pack("a".to_owned(), &blocks());
        for at in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x10;
            assert!(unpack(&file, &damaged, |_, _| true).is_err(), "byte {at}");
            assert!(unpack(&file, &packed[..at], |_, _| true).is_err(), "cut at {at}");
        }
    }
}
