//! Keyset pages: a cursor names the last row that was seen, so pages neither skip nor repeat rows that stay.

use crate::problem::Problem;
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

/// Rows of a page unless asked otherwise.
pub const LIMIT_DEFAULT: u16 = 50;
/// Rows of a page at most.
pub const LIMIT_MAX: u16 = 1_000;

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub page: PageInfo,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PageInfo {
    /// Send it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
    pub limit: u16,
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Makes a page of up to `limit + 1` rows. `list` names the list and its order, so that a cursor is good for that only.
    pub fn of<K: Serialize>(mut rows: Vec<T>, limit: u16, list: &str, key: impl Fn(&T) -> K) -> Page<T> {
        let has_more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next_cursor = rows.last().filter(|_| has_more).map(|row| write(list, &key(row)));
        Page { data: rows, page: PageInfo { next_cursor, limit, has_more } }
    }

    /// The same page of other things.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(change).collect(), page: self.page }
    }
}

/// The limit asked for, or the default.
pub fn limit(asked: Option<u16>) -> Result<u16, Problem> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(limit),
        limit => Err(Problem::malformed("bad_limit", format!("limit is 1 to {LIMIT_MAX}, not {limit}"))),
    }
}

fn write(list: &str, key: &impl Serialize) -> String {
    hex::encode(serde_json::to_vec(&(list, key)).unwrap_or_default())
}

/// Reads a cursor of this list; another list's, or a made-up one, is refused.
pub fn cursor<K: DeserializeOwned>(text: Option<&str>, list: &str) -> Result<Option<K>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let read = hex::decode(text).ok().and_then(|bytes| serde_json::from_slice::<(String, K)>(&bytes).ok());
    match read {
        Some((of, key)) if of == list => Ok(Some(key)),
        _ => Err(Problem::malformed("bad_cursor", "cursor is not one of this list; begin again without it")),
    }
}

/// The values of `filter[x]=a,b`; `None` when there is no such filter.
pub fn commas(text: Option<&str>) -> Option<Vec<String>> {
    text.map(|text| text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
}
