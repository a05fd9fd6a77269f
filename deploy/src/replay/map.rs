//! The mapping: what the columns of a CSV mean, said in TOML. Every mistake is named with its line.

use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use dcmms_schemas::{
    plant::Point,
    rule::{Condition, OrderTemplate, Severity},
};
use serde::Deserialize;
use std::{ops::Range, path::Path};
use toml::Spanned;

/// A mapping, checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Sites to create where they are missing; the first part of a point's key names its site.
    pub sites: Vec<SiteMap>,
    /// Positions with more to say than their class; others are made from the points' keys.
    #[serde(default)]
    pub positions: Vec<PositionMap>,
    pub files: Vec<FileMap>,
    /// Alarm rules that are created with the points.
    #[serde(default)]
    pub rules: Vec<RuleMap>,
}

/// An alarm rule; its sites are named by their codes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleMap {
    /// Unique; a rule of this name that exists is left as it is.
    pub name: String,
    #[serde(default)]
    pub scope: ScopeMap,
    /// Rules of one group compete for a point; default: the kind of condition.
    pub group: Option<String>,
    /// Since when it holds. A replay of old files needs a moment before them.
    pub valid_from: DateTime<Utc>,
    #[serde(default = "yes")]
    pub enabled: bool,
    pub severity: Severity,
    pub condition: Condition,
    pub order: Option<OrderTemplate>,
}

/// The points that a rule speaks of: those that match every part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeMap {
    pub point: Option<String>,
    /// A site's code.
    pub site: Option<String>,
    pub class: Option<String>,
    pub kind: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteMap {
    pub code: String,
    pub name: Option<String>,
    /// `solar`, `wind`, `bess`, `microgrid`, `substation`, `factory` or (the default) `hybrid`.
    pub kind: Option<String>,
    pub zone: Spanned<String>,
    pub ac_kw: Option<f64>,
    pub dc_kwp: Option<f64>,
}

impl SiteMap {
    pub fn tz(&self) -> Tz {
        self.zone.get_ref().parse().expect("the mapping was checked")
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionMap {
    /// Site and path, as the points' keys begin: `SP1/INV01`.
    pub key: String,
    pub name: Option<String>,
    pub class: Option<String>,
    pub rated_kw: Option<f64>,
}

/// How the files whose name matches are read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMap {
    /// A file name with `*` for any run of characters.
    #[serde(rename = "match")]
    pub pattern: String,
    #[serde(default = "comma")]
    pub delimiter: Spanned<String>,
    #[serde(default = "point")]
    pub decimal: Spanned<String>,
    /// Lines that start with it are not rows.
    pub comment: Option<Spanned<String>>,
    /// Names of the columns of a file without a header line.
    pub columns: Option<Vec<String>>,
    pub time: TimeMap,
    /// Rows in which a column has one of these values are left out and counted apart.
    #[serde(default)]
    pub skip: Vec<SkipMap>,
    /// Cells that say nothing: no reading and no reject.
    #[serde(default = "missing")]
    pub missing: Vec<String>,
    pub points: Vec<PointMap>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeMap {
    pub column: Spanned<String>,
    /// strftime (`%d-%m-%Y %H:%M`), `rfc3339`, `epoch_s` or `epoch_ms`.
    pub format: Spanned<String>,
    /// IANA zone of times that name none; default UTC.
    pub zone: Option<Spanned<String>>,
    /// What a wall time that exists twice means.
    #[serde(default)]
    pub overlap: Overlap,
    /// What becomes of a wall time that does not exist.
    #[serde(default)]
    pub gap: Gap,
}

/// When the clock is put back, an hour comes twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    #[default]
    Earlier,
    Later,
    Reject,
}

/// When the clock is put forward, an hour never comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    #[default]
    Reject,
    /// Read with the offset before the change: the logger's clock was not put forward yet.
    Shift,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipMap {
    pub column: Spanned<String>,
    pub equals: Vec<String>,
}

/// One value column and the points that it fills.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointMap {
    pub column: Spanned<String>,
    /// Key of the point; `{COLUMN}` stands for a cell of the row: `SP1/{SOURCE_KEY}:ac.power`.
    pub point: Spanned<String>,
    /// Canonical quantity; default: what follows the `:` of the key.
    pub kind: Option<String>,
    #[serde(default)]
    pub unit: String,
    /// Class of the position when it has to be created.
    pub class: Option<String>,
    /// value = cell * scale + offset
    #[serde(default = "one")]
    pub scale: f64,
    #[serde(default)]
    pub offset: f64,
    #[serde(default)]
    pub counter: bool,
    #[serde(default = "resolution")]
    pub resolution: Spanned<f64>,
    pub horizon_minutes: Option<i64>,
    pub quality: Option<QualityMap>,
}

/// Which cells of a column say uncertain or bad; everything else is good.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityMap {
    pub column: Spanned<String>,
    #[serde(default)]
    pub uncertain: Vec<String>,
    #[serde(default)]
    pub bad: Vec<String>,
}

fn comma() -> Spanned<String> {
    Spanned::new(0..0, ",".into())
}
fn point() -> Spanned<String> {
    Spanned::new(0..0, ".".into())
}
fn missing() -> Vec<String> {
    vec![String::new()]
}
const fn yes() -> bool {
    true
}
const fn one() -> f64 {
    1.0
}
fn resolution() -> Spanned<f64> {
    Spanned::new(0..0, Point::RESOLUTION_DEFAULT)
}

impl Map {
    pub fn read(path: &Path) -> anyhow::Result<Map> {
        let text = std::fs::read_to_string(path).with_context(|| format!("read the mapping {}", path.display()))?;
        Map::parse(&text).with_context(|| format!("the mapping {}", path.display()))
    }

    pub fn parse(text: &str) -> anyhow::Result<Map> {
        // The library's own message carries line, column and the line itself.
        let map: Map = toml::from_str(text).map_err(|error| anyhow!("{error}"))?;
        map.check().map_err(|(span, what)| match span {
            Some(span) => anyhow!("line {}: {what}", text[..span.start.min(text.len())].lines().count().max(1)),
            None => anyhow!("{what}"),
        })?;
        Ok(map)
    }

    fn check(&self) -> Result<(), (Option<Range<usize>>, String)> {
        if self.files.is_empty() {
            return Err((None, "it has no [[files]]".into()));
        }
        for site in &self.sites {
            check_zone(&site.zone)?;
        }
        for position in &self.positions {
            if !self.knows_site(&position.key) {
                return Err((None, format!("position {:?} does not begin with the code of one of the [[sites]] and '/'", position.key)));
            }
        }
        self.rules.iter().try_for_each(check_rule)?;
        self.files.iter().try_for_each(|file| self.check_file(file))
    }

    fn check_file(&self, file: &FileMap) -> Result<(), (Option<Range<usize>>, String)> {
        let fault = |what: &Spanned<String>, text: String| Err((Some(what.span()), text));
        if one_byte(&file.delimiter).is_none() {
            return fault(&file.delimiter, format!("delimiter {:?} is not one character or \"tab\"", file.delimiter.get_ref()));
        }
        if !matches!(file.decimal.get_ref().as_str(), "." | ",") {
            return fault(&file.decimal, format!("decimal {:?} is neither \".\" nor \",\"", file.decimal.get_ref()));
        }
        if let Some(comment) = file.comment.as_ref().filter(|comment| one_byte(comment).is_none()) {
            return fault(comment, format!("comment {:?} is not one character", comment.get_ref()));
        }
        if let Some(zone) = &file.time.zone {
            check_zone(zone)?;
        }
        super::time::check_format(file.time.format.get_ref()).or_else(|what| fault(&file.time.format, what))?;
        if file.points.is_empty() {
            return Err((None, format!("files {:?} name no [[files.points]]", file.pattern)));
        }
        for point in &file.points {
            Template::parse(point.point.get_ref()).map(drop).or_else(|what| fault(&point.point, what))?;
            if !self.knows_site(point.point.get_ref()) {
                let codes: Vec<&str> = self.sites.iter().map(|site| site.code.as_str()).collect();
                return fault(
                    &point.point,
                    format!("point {:?} does not begin with a site's code ({})", point.point.get_ref(), codes.join(", ")),
                );
            }
            if point.kind.is_none() && !point.point.get_ref().contains(':') {
                return fault(&point.point, format!("point {:?} has no ':' before its quantity and no kind", point.point.get_ref()));
            }
            let resolution = *point.resolution.get_ref();
            if !(resolution > 0.0 && resolution.is_finite()) {
                return Err((Some(point.resolution.span()), format!("resolution {resolution} is not above 0")));
            }
            if !(point.scale.is_finite() && point.offset.is_finite()) {
                return fault(&point.point, "scale and offset must be finite".into());
            }
        }
        Ok(())
    }

    /// The site that a point's or position's key begins with.
    fn knows_site(&self, key: &str) -> bool {
        self.sites.iter().any(|site| key.strip_prefix(site.code.as_str()).is_some_and(|rest| rest.starts_with(['/', ':'])))
    }

    /// The rules for a file of this name.
    pub fn file(&self, name: &str) -> anyhow::Result<&FileMap> {
        let Some(found) = self.files.iter().find(|file| matches(&file.pattern, name)) else {
            let patterns: Vec<&str> = self.files.iter().map(|file| file.pattern.as_str()).collect();
            bail!("no [[files]] of the mapping matches {name:?}; it has match = {patterns:?}");
        };
        Ok(found)
    }
}

pub fn check_rule(rule: &RuleMap) -> Result<(), (Option<Range<usize>>, String)> {
    let ScopeMap { point, site, class, kind } = &rule.scope;
    if [point, site, class, kind].iter().all(|part| part.is_none()) {
        return Err((None, format!("rule {:?} has no scope; name a point, site, class or kind", rule.name)));
    }
    if !rule.condition.limit().is_finite() {
        return Err((None, format!("rule {:?}: its limit is not finite", rule.name)));
    }
    Ok(())
}

fn check_zone(zone: &Spanned<String>) -> Result<(), (Option<Range<usize>>, String)> {
    match zone.get_ref().parse::<Tz>() {
        Ok(_) => Ok(()),
        Err(_) => Err((Some(zone.span()), format!("{:?} is no IANA time zone such as Asia/Kolkata", zone.get_ref()))),
    }
}

/// A delimiter or comment sign as the CSV reader wants it.
pub fn one_byte(text: &Spanned<String>) -> Option<u8> {
    match text.get_ref().as_bytes() {
        b"tab" => Some(b'\t'),
        [byte] => Some(*byte),
        _ => None,
    }
}

/// Whether a file's name fits a pattern with `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// A point's key with the cells that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Column(String),
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').ok_or_else(|| format!("point {text:?} has a '{{' without '}}'"))? + open;
            if open > 0 {
                parts.push(Part::Text(rest[..open].into()));
            }
            parts.push(Part::Column(rest[open + 1..close].into()));
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Template(parts))
    }
}
