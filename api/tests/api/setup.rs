use crate::support::Api;
use dcmms_api::setup::{Created, Plan, PointPlan, PositionPlan, RulePlan, SitePlan, create};
use dcmms_schemas::{
    domain::{Event, Row},
    rule::{Condition, Severity},
};

fn plan() -> Plan {
    let point = |code: &str, kind: &str| PointPlan {
        site: "S1".into(),
        position: Some(code.into()),
        key: format!("S1/{code}:{kind}"),
        kind: kind.into(),
        unit: "kW".into(),
        counter: false,
        resolution: 0.001,
        horizon_ms: 900_000,
    };
    Plan {
        sites: vec![SitePlan {
            code: "S1".into(),
            name: "Site one".into(),
            kind: "solar".into(),
            zone: "Asia/Kolkata".into(),
            latitude: None,
            longitude: None,
            ac_kw: Some(100.0),
            dc_kwp: None,
        }],
        positions: vec![PositionPlan {
            site: "S1".into(),
            code: "B01/INV01".into(),
            name: "Inverter".into(),
            class: "inverter".into(),
            rated_kw: Some(50.0),
        }],
        points: vec![point("B01/INV01", "ac.power"), point("B01/INV01", "dc.power")],
        rules: vec![RulePlan {
            name: "hot".into(),
            point: None,
            site: Some("S1".into()),
            class: Some("inverter".into()),
            kind: None,
            group: None,
            valid_from: "2020-01-01T00:00:00Z".parse().unwrap(),
            enabled: true,
            severity: Severity::High,
            condition: Condition::Stale { after_ms: 60_000 },
            order: None,
        }],
    }
}

/// Creates in a transaction of its own.
async fn set_up(api: &Api, plan: &Plan) -> Created {
    let mut transaction = api.database.pool().begin().await.unwrap();
    let created = create(&mut transaction, plan).await.unwrap();
    transaction.commit().await.unwrap();
    created
}

#[tokio::test]
async fn a_plan_is_created_once_with_its_events() {
    let api = Api::start().await;
    let first = set_up(&api, &plan()).await;
    assert_eq!((first.sites, first.positions, first.points, first.rules), (1, 2, 2, 1), "the block above the inverter is made too");
    assert!(first.outbox_seq > 0);
    let payloads: Vec<serde_json::Value> =
        sqlx::query_scalar("select payload from app.outbox order by seq").fetch_all(api.database.pool()).await.unwrap();
    let rows: Vec<Row> = payloads.into_iter().map(|payload| serde_json::from_value::<Event>(payload).unwrap().row).collect();
    let entities: Vec<&str> = rows.iter().map(Row::entity).collect();
    assert_eq!(entities, ["site", "position", "position", "point", "point", "rule"], "what others name comes first");
    let (Row::Position(block), Row::Position(inverter), Row::Point(point)) = (&rows[1], &rows[2], &rows[3]) else { unreachable!() };
    assert_eq!((inverter.parent, point.position), (Some(block.id), Some(inverter.id)));

    assert_eq!(set_up(&api, &plan()).await, Created::default(), "a second time nothing is missing");
    let mut more = plan();
    more.points.push(PointPlan { key: "S1/B01/INV01:inv.temp.cabinet".into(), ..more.points[0].clone() });
    let second = set_up(&api, &more).await;
    assert_eq!((second.sites, second.points), (0, 1), "only what is missing");
    let numbers: Vec<i32> =
        sqlx::query_scalar("select number from app.points order by number").fetch_all(api.database.pool()).await.unwrap();
    assert_eq!(numbers, [1, 2, 3], "points are numbered in the plan's order and no number is lost");
}

#[tokio::test]
async fn a_plan_that_names_an_unknown_site_changes_nothing() {
    let api = Api::start().await;
    let mut wrong = plan();
    wrong.points[1].site = "S2".into();
    let mut transaction = api.database.pool().begin().await.unwrap();
    let problem = create(&mut transaction, &wrong).await.expect_err("no site S2");
    assert_eq!(problem.code, "no_site");
    drop(transaction);
    let sites: i64 = sqlx::query_scalar("select count(*) from app.sites").fetch_one(api.database.pool()).await.unwrap();
    assert_eq!(sites, 0);
}
