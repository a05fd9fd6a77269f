//! Making unknown points known, in one transaction.

use super::{
    AdoptInput, Adopted, NotAdopted,
    guess::{self, Places},
};
use crate::{extract::LIMIT_MAX, points, problem::Problem};
use sqlx::PgConnection;
use uuid::Uuid;

/// Makes points of the keys that can be understood, says why the others cannot, and notes that what they had said is to be
/// sent again ([`crate::resend`] does so).
pub async fn adopt(connection: &mut PgConnection, tenant: Uuid, by: &str, input: AdoptInput) -> Result<Adopted, Problem> {
    if input.keys.is_empty() == input.prefix.is_none() {
        return Err(Problem::field("/keys", "one_of", "say either keys or a prefix"));
    }
    if input.keys.len() > usize::from(LIMIT_MAX) {
        return Err(Problem::field("/keys", "length", format!("at most {LIMIT_MAX} keys, not {}", input.keys.len())));
    }
    let mut keys: Vec<String> = sqlx::query_scalar(include_str!("../../queries/unknown_points_adoptable.sql"))
        .bind(tenant)
        .bind(&input.keys)
        .bind(&input.prefix)
        .bind(i64::from(LIMIT_MAX) + 1)
        .fetch_all(&mut *connection)
        .await?;
    let more = keys.len() > usize::from(LIMIT_MAX);
    keys.truncate(usize::from(LIMIT_MAX));
    let unheard = input.keys.iter().filter(|key| !keys.contains(key));
    let mut refused: Vec<NotAdopted> =
        unheard.map(|key| NotAdopted { key: key.clone(), reason: "telemetry has not named it, or it is a point already".into() }).collect();
    let places = places(connection, tenant, &keys, input.site).await?;
    let mut inputs = Vec::with_capacity(keys.len());
    for key in &keys {
        match guess::point(key, &places, &input) {
            Ok(point) => inputs.push(point),
            Err(why) => refused.push(why),
        }
    }
    if inputs.is_empty() {
        return Ok(Adopted { adoption: None, points: Vec::new(), refused, more });
    }
    let points = points::create(connection, tenant, inputs).await?;
    let adoption = note(connection, tenant, by, &points).await?;
    Ok(Adopted { adoption: Some(adoption), points, refused, more })
}

#[derive(sqlx::FromRow)]
struct Place {
    site_code: String,
    site: Uuid,
    position_code: Option<String>,
    position: Option<Uuid>,
}

async fn places(connection: &mut PgConnection, tenant: Uuid, keys: &[String], site: Option<Uuid>) -> Result<Places, Problem> {
    let (sites, positions): (Vec<_>, Vec<_>) = keys.iter().map(|key| (guess::parts(key).site, guess::parts(key).position)).unzip();
    let rows: Vec<Place> = sqlx::query_as(include_str!("../../queries/places.sql"))
        .bind(tenant)
        .bind(sites)
        .bind(positions)
        .bind(site)
        .fetch_all(connection)
        .await?;
    let mut places = Places::default();
    for row in rows {
        places.sites.insert(row.site_code, row.site);
        if let (Some(code), Some(position)) = (row.position_code, row.position) {
            places.positions.insert((row.site, code), position);
        }
    }
    Ok(places)
}

async fn note(connection: &mut PgConnection, tenant: Uuid, by: &str, points: &[points::PointView]) -> Result<Uuid, Problem> {
    let keys: Vec<&str> = points.iter().map(|point| point.point.key.as_str()).collect();
    let seq: i64 = sqlx::query_scalar(include_str!("../../queries/outbox_last.sql"))
        .bind(points.iter().map(|point| point.id).collect::<Vec<_>>())
        .fetch_one(&mut *connection)
        .await?;
    let id = sqlx::query_scalar(include_str!("../../queries/adoption_create.sql"))
        .bind(tenant)
        .bind(keys)
        .bind(i32::try_from(points.len()).unwrap_or(i32::MAX))
        .bind(seq)
        .bind(by)
        .fetch_one(connection)
        .await?;
    Ok(id)
}
