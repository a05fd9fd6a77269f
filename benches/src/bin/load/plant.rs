//! The made-up plant under load, told to the job as the relay would tell it.

use crate::arguments::Arguments;
use dcmms_schemas::{
    domain::{Event, Row},
    id::{PointNumber, PositionId, RuleId, SiteId, derived_id},
    plant::{Point, Position, Site},
    rule::{Condition, Rule, RuleVersion, Scope, Severity},
    time::Moment,
    wire::DOMAIN_TOPIC,
};
use rdkafka::{
    ClientConfig,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use std::time::Duration;

/// Above this a reading is an alarm; ordinary values stay below.
pub(crate) const LIMIT: f64 = 10_000.0;

pub(crate) struct Plant {
    pub(crate) points: Vec<Point>,
}

impl Plant {
    pub(crate) fn new(points: u32) -> Plant {
        let site = SiteId(derived_id("load-site", &[]));
        let kinds = ["ac.power", "dc.power", "inv.temp.cabinet", "inv.temp.sink"];
        let point = |index: u32| {
            let kind = kinds[index as usize % kinds.len()];
            let key = format!("LOAD/B{:02}/INV{:04}:{kind}", index / 1_000, index / 4);
            Point {
                id: derived_id("load-point", &[&index.to_be_bytes()]),
                number: PointNumber(index + 1),
                key,
                site,
                position: Some(position_id(index / 4)),
                kind: kind.to_owned(),
                unit: "kW".to_owned(),
                counter: false,
                resolution: 0.001,
                horizon_ms: Point::HORIZON_MS_DEFAULT,
            }
        };
        Plant { points: (0..points).map(point).collect() }
    }
}

fn position_id(inverter: u32) -> PositionId {
    PositionId(derived_id("load-position", &[&inverter.to_be_bytes()]))
}

/// Publishes the site, positions, points and the one rule.
pub(crate) fn announce(arguments: &Arguments, plant: &Plant) -> Result<(), Box<dyn std::error::Error>> {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new().set("bootstrap.servers", &arguments.brokers).create()?;
    let site = plant.points[0].site;
    let mut rows = vec![Row::Site(Site {
        id: site,
        code: "LOAD".into(),
        name: "Load test".into(),
        zone: chrono_tz::Asia::Kolkata,
        ac_kw: Some(100_000.0),
        dc_kwp: Some(120_000.0),
        poa_threshold: 50.0,
    })];
    for inverter in 0..=plant.points.len() as u32 / 4 {
        let code = format!("INV{inverter:04}");
        let position = Position {
            id: position_id(inverter),
            site,
            parent: None,
            name: code.clone(),
            code,
            class: "inverter".into(),
            rated_kw: Some(250.0),
        };
        rows.push(Row::Position(position));
    }
    rows.extend(plant.points.iter().cloned().map(Row::Point));
    let condition = Condition::High { limit: LIMIT, deadband: 0.0, on_delay_ms: 0, off_delay_ms: 0 };
    let version = RuleVersion { version: 1, valid_from: Moment(0), enabled: true, severity: Severity::High, condition, order: None };
    let scope = Scope { site: Some(site), ..Scope::default() };
    let id = RuleId(derived_id("load-rule", &[]));
    rows.push(Row::Rule(Rule { id, name: "too high".into(), scope, group: "high".into(), versions: vec![version] }));
    for row in rows {
        let key = format!("{}:{}", row.entity(), row.id());
        let event = serde_json::to_vec(&Event { version: 1, at: Moment(0), removed: false, row })?;
        let mut record = BaseRecord::to(DOMAIN_TOPIC).key(&key).payload(&event);
        while let Err((error, back)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(rdkafka::types::RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            producer.flush(Duration::from_millis(100)).ok();
            record = back;
        }
    }
    producer.flush(Duration::from_secs(30))?;
    Ok(())
}
