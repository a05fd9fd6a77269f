//! What a mapping and its files need to exist before the first reading is sent.

use super::{
    Surveyed,
    map::{Map, RuleMap},
};
use dcmms_api::setup::{Plan, PointPlan, PositionPlan, RulePlan, SitePlan};
use dcmms_schemas::plant::Point;
use std::collections::BTreeMap;

/// Splits `SP1/B03/INV07:ac.power` into site, position and quantity.
pub fn split(key: &str) -> (&str, Option<&str>, Option<&str>) {
    let (place, kind) = key.rsplit_once(':').map_or((key, None), |(place, kind)| (place, Some(kind)));
    match place.split_once('/') {
        Some((site, position)) => (site, Some(position), kind),
        None => (place, None, kind),
    }
}

/// The sites, positions, points and rules of a mapping for the points that its files named.
pub fn plan(found: &Surveyed) -> Plan {
    let mut positions: BTreeMap<(String, String), PositionPlan> = BTreeMap::new();
    let mut points = Vec::with_capacity(found.points.keys.len());
    for (key, (file, place)) in found.points.keys.iter().zip(&found.points.origins) {
        let map = &found.map.files[*file].points[*place];
        let (site, position, kind) = split(key);
        if let Some(position) = position {
            positions.entry((site.into(), position.into())).or_insert_with(|| PositionPlan {
                site: site.into(),
                code: position.into(),
                name: position.into(),
                class: map.class.clone().unwrap_or_else(|| "asset".into()),
                rated_kw: None,
            });
        }
        points.push(PointPlan {
            site: site.into(),
            position: position.map(String::from),
            key: key.clone(),
            kind: map.kind.clone().or(kind.map(String::from)).unwrap_or_default(),
            unit: map.unit.clone(),
            counter: map.counter,
            resolution: *map.resolution.get_ref(),
            horizon_ms: map.horizon_minutes.map_or(Point::HORIZON_MS_DEFAULT, |minutes| minutes * 60_000),
        });
    }
    for named in &found.map.positions {
        let (site, position, _) = split(&named.key);
        let Some(position) = position else { continue };
        let entry = positions.entry((site.into(), position.into())).or_insert_with(|| PositionPlan {
            site: site.into(),
            code: position.into(),
            name: position.into(),
            class: "asset".into(),
            rated_kw: None,
        });
        entry.name = named.name.clone().unwrap_or_else(|| entry.name.clone());
        entry.class = named.class.clone().unwrap_or_else(|| entry.class.clone());
        entry.rated_kw = named.rated_kw;
    }
    // Numbers follow the keys, not the order in which files happened to name them.
    points.sort_by(|a, b| a.key.cmp(&b.key));
    Plan { sites: sites(&found.map), positions: positions.into_values().collect(), points, rules: rules(&found.map.rules) }
}

fn sites(map: &Map) -> Vec<SitePlan> {
    let site = |site: &super::map::SiteMap| SitePlan {
        code: site.code.clone(),
        name: site.name.clone().unwrap_or_else(|| site.code.clone()),
        kind: site.kind.clone().unwrap_or_else(|| "hybrid".into()),
        zone: site.zone.get_ref().clone(),
        latitude: None,
        longitude: None,
        ac_kw: site.ac_kw,
        dc_kwp: site.dc_kwp,
    };
    map.sites.iter().map(site).collect()
}

/// Rules as the API takes them.
pub fn rules(rules: &[RuleMap]) -> Vec<RulePlan> {
    let rule = |rule: &RuleMap| RulePlan {
        name: rule.name.clone(),
        point: rule.scope.point.clone(),
        site: rule.scope.site.clone(),
        class: rule.scope.class.clone(),
        kind: rule.scope.kind.clone(),
        group: rule.group.clone(),
        valid_from: rule.valid_from,
        enabled: rule.enabled,
        severity: rule.severity,
        condition: rule.condition.clone(),
        order: rule.order.clone(),
    };
    rules.iter().map(rule).collect()
}
