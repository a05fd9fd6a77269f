//! What a start takes over.

use super::domain;
use dcmms_schemas::{
    binding::Binding,
    checkpoint::{Checkpoint, Shards, shard_of},
    domain::Event,
};
use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use std::{hash::Hash, sync::Arc};

/// The state of all operators after one tick. The sink has checked every block by its hash and the job by its fingerprint, so what
/// cannot be read here was never written by us.
#[derive(Debug)]
pub struct Restored {
    pub binding: Binding,
    /// What the domain had said, as far as any operator may still ask for it.
    pub domain: Vec<Arc<Event>>,
    shards: Shards,
}

impl Restored {
    /// # Panics
    /// When the domain's entries are not as this version writes them.
    pub fn new(checkpoint: Checkpoint) -> Restored {
        let Checkpoint { binding, shards, .. } = checkpoint;
        let mut restored = Restored { binding, domain: Vec::new(), shards };
        restored.domain = domain::events(&restored);
        restored
    }

    /// Calls `each` for every key of an operator that is `mine`, with its values from the last whole one on, in the order in which
    /// they were written.
    ///
    /// # Panics
    /// When entries are not as this version writes them.
    pub fn entries<K>(&self, operator: &str, mine: impl Fn(&K) -> bool, mut each: impl FnMut(K, &[&[u8]]))
    where
        K: DeserializeOwned + Eq + Hash,
    {
        for ((_, shard), blocks) in self.shards.0.range((operator.to_owned(), 0)..=(operator.to_owned(), u8::MAX)) {
            let mut found: FxHashMap<K, Vec<&[u8]>> = FxHashMap::default();
            for block in blocks {
                let mut rest = block.as_slice();
                while !rest.is_empty() {
                    let Some((key, value)) = entry::<K>(&mut rest) else {
                        panic!("what `{operator}` kept in shard {shard} is not as this version writes it");
                    };
                    match value {
                        _ if !mine(&key) => {}
                        Some(value) => found.entry(key).or_default().push(value),
                        None => {
                            found.remove(&key);
                        }
                    }
                }
            }
            found.into_iter().for_each(|(key, values)| each(key, &values));
        }
    }

    /// As [`Restored::entries`], where the last value stands for all before it.
    pub fn newest<K, V>(&self, operator: &str, mine: impl Fn(&K) -> bool, mut each: impl FnMut(K, V))
    where
        K: DeserializeOwned + Eq + Hash,
        V: DeserializeOwned,
    {
        self.entries(operator, mine, |key, values| {
            let newest = values.last().expect("a key that was found has a value");
            each(key, read(newest));
        });
    }
}

/// Reads a value in the format of all keys and values.
pub fn read<V: DeserializeOwned>(bytes: &[u8]) -> V {
    postcard::from_bytes(bytes).expect("a checkpoint of this job's fingerprint is in this version's format")
}

/// The shard of what is known by an id.
pub fn shard_of_id(id: uuid::Uuid) -> u8 {
    let id = id.as_u128();
    shard_of(id as u64 ^ (id >> 64) as u64)
}

/// Takes the next entry off; a value of `None` says that the key is gone.
fn entry<'a, K: DeserializeOwned>(rest: &mut &'a [u8]) -> Option<(K, Option<&'a [u8]>)> {
    let (key, after) = postcard::take_from_bytes(rest).ok()?;
    let (length, after) = after.split_first_chunk::<4>()?;
    let Some(length) = u32::from_le_bytes(*length).checked_sub(1) else {
        *rest = after;
        return Some((key, None));
    };
    let (value, after) = after.split_at_checked(length as usize)?;
    *rest = after;
    Some((key, Some(value)))
}
