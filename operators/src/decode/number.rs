//! JSON numbers, read exactly as `str::parse` would.

/// The powers of ten that a float holds exactly.
const POWERS: [f64; 23] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

/// Reads the number that starts at `bytes[at]` and says where it ends; `None` when it is not a number of JSON's grammar
/// or not of the common kind: no exponent, at most 19 digits, a mantissa below 2^53. Such a mantissa and the power of
/// ten are both exact, so that their quotient is rounded once, as a correct parser rounds (Clinger's fast path).
#[inline]
pub(super) fn decimal(bytes: &[u8], mut at: usize) -> Option<(f64, usize)> {
    let negative = bytes.get(at) == Some(&b'-');
    at += usize::from(negative);
    let start = at;
    let mut mantissa = 0u64;
    (mantissa, at) = digits(bytes, at, mantissa);
    let whole = at - start;
    if whole == 0 || (whole > 1 && bytes[start] == b'0') {
        return None;
    }
    let mut fraction = 0;
    if bytes.get(at) == Some(&b'.') {
        let point = at + 1;
        (mantissa, at) = digits(bytes, point, mantissa);
        fraction = at - point;
        if fraction == 0 {
            return None;
        }
    }
    if whole + fraction > 19 || mantissa >= 1 << 53 || matches!(bytes.get(at), Some(b'e' | b'E')) {
        return None;
    }
    let value = mantissa as f64 / POWERS[fraction];
    Some((if negative { -value } else { value }, at))
}

/// Reads the unsigned integer that starts at `bytes[at]`: no sign, fraction, exponent or leading zero, below 10^18.
#[inline]
pub(super) fn integer(bytes: &[u8], start: usize) -> Option<(u64, usize)> {
    let (value, at) = digits(bytes, start, 0);
    let length = at - start;
    let plain = length > 0 && length <= 18 && (length == 1 || bytes[start] != b'0');
    (plain && !matches!(bytes.get(at), Some(b'.' | b'e' | b'E'))).then_some((value, at))
}

/// Appends digits to a mantissa; beyond 19 it wraps, and the caller refuses it by their number.
#[inline]
fn digits(bytes: &[u8], mut at: usize, mut mantissa: u64) -> (u64, usize) {
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (mantissa, at)
}

#[cfg(test)]
mod tests;
