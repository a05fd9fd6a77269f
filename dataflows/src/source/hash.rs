//! What was read, in one number: so that a replay can tell whether it reads the same.

use dcmms_operators::chunk::Chunk;
use std::hash::Hasher as _;
use twox_hash::XxHash3_64;

/// A hash over the offsets, lengths and bytes of messages, however they are cut into chunks.
pub(crate) fn hash(chunks: &[Chunk]) -> u64 {
    let (mut bytes, mut places) = (XxHash3_64::new(), XxHash3_64::new());
    for chunk in chunks {
        bytes.write(&chunk.bytes);
        let mut start = 0;
        let mut of_chunk = Vec::with_capacity(12 * chunk.len());
        for (offset, end) in chunk.offsets.iter().zip(&chunk.ends) {
            of_chunk.extend_from_slice(&offset.to_le_bytes());
            of_chunk.extend_from_slice(&(end - start).to_le_bytes());
            start = *end;
        }
        places.write(&of_chunk);
    }
    places.write_u64(bytes.finish());
    places.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dcmms_operators::chunk::Format;

    fn chunk(messages: &[(i64, &str)]) -> Chunk {
        let mut chunk = Chunk::new(0);
        messages.iter().for_each(|(offset, text)| chunk.push(*offset, Format::Json, text.as_bytes()));
        chunk
    }

    #[test]
    fn only_what_was_read_counts() {
        let whole = hash(&[chunk(&[(1, "one"), (2, "two"), (4, "four")])]);
        assert_eq!(whole, hash(&[chunk(&[(1, "one")]), chunk(&[(2, "two"), (4, "four")])]));
        let mut cut = chunk(&[(1, "one"), (2, "two"), (4, "four")]);
        let rest = cut.split_off(2);
        assert_eq!(whole, hash(&[cut, rest]));
        assert_ne!(whole, hash(&[chunk(&[(1, "one"), (2, "two"), (5, "four")])]));
        assert_ne!(whole, hash(&[chunk(&[(1, "onet"), (2, "wo"), (4, "four")])]));
        assert_ne!(whole, hash(&[chunk(&[(1, "one"), (2, "two")])]));
    }
}
