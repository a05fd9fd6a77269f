//! A refused message or reading at rest: one line of a file of rejects.

use crate::{
    reading::Reason,
    time::{Moment, Tick},
    wire::Format,
};
use serde::{Deserialize, Serialize};

/// One line, a JSON object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Index into the job's sources.
    pub source: u16,
    pub offset: i64,
    /// Which reading of the message; null when the whole message was refused.
    pub index: Option<u32>,
    pub reason: Reason,
    pub detail: String,
    pub tick: Tick,
    /// The binding's clock, in microseconds.
    pub clock: Moment,
    pub point: Option<String>,
    /// What the bytes are; absent: JSON.
    #[serde(default, skip_serializing_if = "is_json")]
    pub format: Format,
    /// The bytes where they are UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The bytes where they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl Line {
    /// Puts bytes where they belong: as (`text`, `base64`).
    pub fn said(bytes: &[u8]) -> (Option<String>, Option<String>) {
        match std::str::from_utf8(bytes) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(base64(bytes))),
        }
    }

    /// What was sent; `None` where the line has no bytes that can be read.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.text, &self.base64) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(base64)) => from_base64(base64),
            (None, None) => None,
        }
    }
}

fn is_json(format: &Format) -> bool {
    *format == Format::Json
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize];
            text.push(if digit <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.as_bytes().chunks(4) {
        let letters = four.iter().take_while(|letter| **letter != b'=').count();
        if four.len() != 4 || letters < 2 || four[letters..].iter().any(|letter| *letter != b'=') {
            return None;
        }
        let mut bits = 0u32;
        for letter in &four[..letters] {
            let digit = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 6 | digit as u32;
        }
        bits <<= 6 * (4 - letters);
        bytes.extend_from_slice(&bits.to_be_bytes()[1..letters]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_in_base64() {
        // RFC 4648, section 10, and a byte with every bit.
        let cases: [(&[u8], &str); 6] =
            [(b"", ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"foobar", "Zm9vYmFy"), (&[255, 254], "//4=")];
        for (bytes, expected) in cases {
            assert_eq!(base64(bytes), expected);
            assert_eq!(from_base64(expected).as_deref(), Some(bytes));
        }
        for broken in ["Z", "Zg=", "Z===", "Zg=a", "Zm9*"] {
            assert_eq!(from_base64(broken), None, "{broken}");
        }
        assert_eq!(Line::said(b"foo"), (Some("foo".into()), None));
        assert_eq!(Line::said(&[255, 254]), (None, Some("//4=".into())));
    }
}
