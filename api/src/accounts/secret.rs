//! Tokens: 256 random bits, known to their holder; we keep the hash.

use rand::RngCore;
use sha2::{Digest, Sha256};

/// Tells a key from a session, and both from other things when one turns up in a log.
pub(super) const KEY_PREFIX: &str = "dck_";
pub(super) const SESSION_PREFIX: &str = "dcs_";

pub(super) fn fresh(prefix: &str) -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("{prefix}{}", hex::encode(bytes))
}

pub(super) fn sha256(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
