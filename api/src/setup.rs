//! Sites, positions, points and rules in bulk, as a mapping or the demo names them: what exists is left as it is, what
//! is missing is created with its event, all in the caller's transaction.

use crate::outbox;
use crate::problem::Problem;
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    domain::{Event, Row},
    id::{PointNumber, PositionId, RuleId, SiteId},
    plant::{Point, Position, Site},
    rule::{Condition, OrderTemplate, Rule, RuleVersion, Scope, Severity},
    time::Moment,
};
use sqlx::{PgConnection, PgPool, types::Json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What is to be there afterwards.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub sites: Vec<SitePlan>,
    pub positions: Vec<PositionPlan>,
    pub points: Vec<PointPlan>,
    pub rules: Vec<RulePlan>,
}

#[derive(Clone, Debug)]
pub struct SitePlan {
    pub code: String,
    pub name: String,
    /// `solar`, `wind`, `bess`, `hybrid`, …
    pub kind: String,
    /// IANA.
    pub zone: String,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub ac_kw: Option<f64>,
    pub dc_kwp: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct PositionPlan {
    /// Code of its site.
    pub site: String,
    /// A path; what lies above it is created too where it is missing.
    pub code: String,
    pub name: String,
    pub class: String,
    pub rated_kw: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct PointPlan {
    pub site: String,
    /// Code of its position.
    pub position: Option<String>,
    pub key: String,
    pub kind: String,
    pub unit: String,
    pub counter: bool,
    pub resolution: f64,
    pub horizon_ms: i64,
}

#[derive(Clone, Debug)]
pub struct RulePlan {
    pub name: String,
    pub point: Option<String>,
    /// A site's code.
    pub site: Option<String>,
    pub class: Option<String>,
    pub kind: Option<String>,
    /// Default: the condition's own.
    pub group: Option<String>,
    pub valid_from: DateTime<Utc>,
    pub enabled: bool,
    pub severity: Severity,
    pub condition: Condition,
    pub order: Option<OrderTemplate>,
}

/// What was missing and is there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Created {
    pub sites: usize,
    pub positions: usize,
    pub points: usize,
    pub rules: usize,
    /// The outbox row after which the engine knows all of it; 0 when nothing was missing.
    pub outbox_seq: i64,
}

/// Creates what the plan names and the database lacks.
pub async fn create(connection: &mut PgConnection, plan: &Plan) -> Result<Created, Problem> {
    // Two set-ups at once would both find the same thing missing.
    sqlx::query(include_str!("../queries/setup_lock.sql")).execute(&mut *connection).await?;
    let mut events = Vec::new();
    let mut created = Created::default();
    let sites = sites(connection, &plan.sites, &mut events).await?;
    created.sites = events.len();
    let positions = positions(connection, &plan.positions, &sites, &mut events).await?;
    created.positions = events.len() - created.sites;
    created.points = points(connection, &plan.points, &sites, &positions, &mut events).await?;
    created.rules = rules(connection, &plan.rules, &sites, &mut events).await?;
    created.outbox_seq = outbox::record_all(connection, &events).await?;
    Ok(created)
}

/// Every created row is its first version.
fn event(row: Row) -> Event {
    Event { version: 1, at: Moment::from(Utc::now()), removed: false, row }
}

type Sites = HashMap<String, SiteId>;
type Positions = HashMap<(SiteId, String), PositionId>;

fn site_of(sites: &Sites, code: &str) -> Result<SiteId, Problem> {
    sites.get(code).copied().ok_or_else(|| Problem::conflict("no_site", format!("there is no site {code}")))
}

async fn sites(connection: &mut PgConnection, plans: &[SitePlan], events: &mut Vec<Event>) -> Result<Sites, Problem> {
    for plan in plans {
        let zone = plan.zone.parse().map_err(|_| Problem::conflict("bad_zone", format!("{} is no time zone", plan.zone)))?;
        let created = sqlx::query_as::<_, (Uuid, f64)>(include_str!("../queries/setup_site.sql"))
            .bind(&plan.code)
            .bind(&plan.name)
            .bind(&plan.kind)
            .bind(&plan.zone)
            .bind(plan.latitude)
            .bind(plan.longitude)
            .bind(plan.ac_kw)
            .bind(plan.dc_kwp)
            .fetch_optional(&mut *connection)
            .await?;
        if let Some((id, poa_threshold)) = created {
            let (code, name) = (plan.code.clone(), plan.name.clone());
            let site = Site { id: SiteId(id), code, name, zone, ac_kw: plan.ac_kw, dc_kwp: plan.dc_kwp, poa_threshold };
            events.push(event(Row::Site(site)));
        }
    }
    let known = sqlx::query_as::<_, (String, Uuid)>(include_str!("../queries/setup_sites.sql")).fetch_all(connection).await?;
    Ok(known.into_iter().map(|(code, id)| (code, SiteId(id))).collect())
}

/// The plan's positions and every path above them, parents first.
fn with_ancestors(plans: &[PositionPlan]) -> Vec<PositionPlan> {
    let named: HashSet<(&str, &str)> = plans.iter().map(|plan| (plan.site.as_str(), plan.code.as_str())).collect();
    let mut all: Vec<PositionPlan> = plans.to_vec();
    let mut added = HashSet::new();
    for plan in plans {
        for (end, _) in plan.code.match_indices('/') {
            let above = &plan.code[..end];
            if !named.contains(&(plan.site.as_str(), above)) && added.insert((plan.site.clone(), above.to_owned())) {
                let (site, code) = (plan.site.clone(), above.to_owned());
                all.push(PositionPlan { site, name: code.clone(), code, class: "area".into(), rated_kw: None });
            }
        }
    }
    all.sort_by_key(|plan| plan.code.matches('/').count());
    all
}

async fn positions(
    connection: &mut PgConnection,
    plans: &[PositionPlan],
    sites: &Sites,
    events: &mut Vec<Event>,
) -> Result<Positions, Problem> {
    let known = sqlx::query_as::<_, (Uuid, String, Uuid)>(include_str!("../queries/setup_positions_known.sql"));
    let known = known.fetch_all(&mut *connection).await?;
    let mut positions: Positions = known.into_iter().map(|(site, code, id)| ((SiteId(site), code), PositionId(id))).collect();
    let mut missing = Vec::new();
    for plan in with_ancestors(plans) {
        let site = site_of(sites, &plan.site)?;
        if positions.contains_key(&(site, plan.code.clone())) {
            continue;
        }
        let id = PositionId(Uuid::new_v4());
        let parent = plan.code.rsplit_once('/').and_then(|(above, _)| positions.get(&(site, above.to_owned())).copied());
        positions.insert((site, plan.code.clone()), id);
        missing.push(Position { id, site, parent, code: plan.code, name: plan.name, class: plan.class, rated_kw: plan.rated_kw });
    }
    sqlx::query(include_str!("../queries/setup_positions.sql"))
        .bind(missing.iter().map(|row| row.id.0).collect::<Vec<_>>())
        .bind(missing.iter().map(|row| row.site.0).collect::<Vec<_>>())
        .bind(missing.iter().map(|row| row.parent.map(|parent| parent.0)).collect::<Vec<_>>())
        .bind(missing.iter().map(|row| row.code.clone()).collect::<Vec<_>>())
        .bind(missing.iter().map(|row| row.name.clone()).collect::<Vec<_>>())
        .bind(missing.iter().map(|row| row.class.clone()).collect::<Vec<_>>())
        .bind(missing.iter().map(|row| row.rated_kw).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    events.extend(missing.into_iter().map(|row| event(Row::Position(row))));
    Ok(positions)
}

async fn points(
    connection: &mut PgConnection,
    plans: &[PointPlan],
    sites: &Sites,
    positions: &Positions,
    events: &mut Vec<Event>,
) -> Result<usize, Problem> {
    let mut places = Vec::with_capacity(plans.len());
    for plan in plans {
        let site = site_of(sites, &plan.site)?;
        let position = plan.position.as_ref().and_then(|code| positions.get(&(site, code.clone())));
        places.push((site, position.copied()));
    }
    let created = sqlx::query_as::<_, (Uuid, i32, String)>(include_str!("../queries/setup_points.sql"))
        .bind(places.iter().map(|place| place.0.0).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.1.map(|position| position.0)).collect::<Vec<_>>())
        .bind(plans.iter().map(|plan| plan.key.clone()).collect::<Vec<_>>())
        .bind(plans.iter().map(|plan| plan.kind.clone()).collect::<Vec<_>>())
        .bind(plans.iter().map(|plan| plan.unit.clone()).collect::<Vec<_>>())
        .bind(plans.iter().map(|plan| plan.counter).collect::<Vec<_>>())
        .bind(plans.iter().map(|plan| plan.resolution).collect::<Vec<_>>())
        .bind(plans.iter().map(|plan| plan.horizon_ms).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let by_key: HashMap<&str, (&PointPlan, &(SiteId, Option<PositionId>))> =
        plans.iter().zip(&places).map(|(plan, place)| (plan.key.as_str(), (plan, place))).collect();
    for (id, number, key) in &created {
        let (plan, (site, position)) = by_key[key.as_str()];
        events.push(event(Row::Point(Point {
            id: *id,
            number: PointNumber(u32::try_from(*number).map_err(|_| Problem::internal())?),
            key: key.clone(),
            site: *site,
            position: *position,
            kind: plan.kind.clone(),
            unit: plan.unit.clone(),
            counter: plan.counter,
            resolution: plan.resolution,
            horizon_ms: plan.horizon_ms,
        })));
    }
    Ok(created.len())
}

async fn rules(connection: &mut PgConnection, plans: &[RulePlan], sites: &Sites, events: &mut Vec<Event>) -> Result<usize, Problem> {
    let mut created = 0;
    for plan in plans {
        let site = plan.site.as_ref().map(|code| site_of(sites, code)).transpose()?;
        let group = plan.group.clone().unwrap_or_else(|| plan.condition.group().to_owned());
        let id = sqlx::query_scalar::<_, Uuid>(include_str!("../queries/setup_rule.sql"))
            .bind(&plan.name)
            .bind(&plan.point)
            .bind(site.map(|site| site.0))
            .bind(&plan.class)
            .bind(&plan.kind)
            .bind(&group)
            .bind(plan.valid_from)
            .bind(plan.enabled)
            .bind(plan.severity.name())
            .bind(Json(&plan.condition))
            .bind(plan.order.as_ref().map(Json))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(id) = id else { continue };
        created += 1;
        let version = RuleVersion {
            version: 1,
            valid_from: Moment::from(plan.valid_from),
            enabled: plan.enabled,
            severity: plan.severity,
            condition: plan.condition.clone(),
            order: plan.order.clone(),
        };
        let scope = Scope { point: plan.point.clone(), site, class: plan.class.clone(), kind: plan.kind.clone() };
        events.push(event(Row::Rule(Rule { id: RuleId(id), name: plan.name.clone(), scope, group, versions: vec![version] })));
    }
    Ok(created)
}

/// Whether the relay has published every event up to this outbox row.
pub async fn published(pool: &PgPool, outbox_seq: i64) -> Result<bool, Problem> {
    Ok(sqlx::query_scalar(include_str!("../queries/setup_published.sql")).bind(outbox_seq).fetch_one(pool).await?)
}
