//! What a key says of its point: `{site code}/{position code}:{quantity}`.

use super::{AdoptInput, NotAdopted};
use crate::points::{PointInput, kinds};
use dcmms_schemas::plant;
use std::collections::HashMap;
use uuid::Uuid;

/// The parts of a key; those that it does not have are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) site: &'a str,
    pub(super) position: &'a str,
    pub(super) kind: &'a str,
}

pub(super) fn parts(key: &str) -> Parts<'_> {
    let (place, kind) = key.split_once(':').unwrap_or((key, ""));
    let (site, position) = place.split_once('/').unwrap_or((place, ""));
    Parts { site, position, kind }
}

/// Sites by code and by id, positions by site and code.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) sites: HashMap<String, Uuid>,
    pub(super) positions: HashMap<(Uuid, String), Uuid>,
}

/// Makes a point of a key, or says what is missing.
pub(super) fn point(key: &str, places: &Places, said: &AdoptInput) -> Result<PointInput, NotAdopted> {
    let refuse = |reason: String| NotAdopted { key: key.to_owned(), reason };
    let parts = parts(key);
    let site = said.site.or_else(|| places.sites.get(parts.site).copied());
    let site = site.ok_or_else(|| refuse(format!("its site code {:?} is no site's; say which site it is of", parts.site)))?;
    let kind = said.kind.clone().unwrap_or_else(|| parts.kind.to_owned());
    if kind.is_empty() {
        return Err(refuse("it names no quantity after a colon; say its kind".into()));
    }
    if said.unit.is_none() && kinds::unit_of(&kind).is_none() {
        return Err(refuse(format!("{kind:?} is not a canonical quantity; say its unit")));
    }
    Ok(PointInput {
        site,
        position: places.positions.get(&(site, parts.position.to_owned())).copied(),
        key: key.to_owned(),
        name: String::new(),
        kind,
        unit: said.unit.clone(),
        counter: said.counter,
        resolution: said.resolution,
        range_min: None,
        range_max: None,
        horizon_ms: plant::Point::HORIZON_MS_DEFAULT,
    })
}

#[cfg(test)]
mod tests;
