//! A small plant with people, and an engine that says what a test wants it to say.

use crate::support::{Answer, Api, Client};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_api::accounts;
use dcmms_schemas::{
    access::Role,
    command::{Command, Request},
    id::{AlarmId, PointNumber, PositionId, PredictionId, RuleId, SiteId},
    rule::OrderTemplate,
    time::Moment,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) struct Plant {
    pub(crate) api: Api,
    pub(crate) site: Uuid,
    pub(crate) position: Uuid,
    pub(crate) point: i32,
    pub(crate) rule: Uuid,
    pub(crate) manager: Client,
    pub(crate) supervisor: Client,
    pub(crate) planner: Client,
}

pub(crate) const POINT_KEY: &str = "RJ01/B03/INV07:inv.temp.cabinet";

impl Plant {
    pub(crate) async fn start() -> Plant {
        let api = Api::start().await;
        let (site, position, rule) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        let run = |sql: &'static str| sqlx::query(sql);
        run("insert into app.sites (id, code, name, zone) values ($1, 'RJ01', 'Rajasthan 1', 'Asia/Kolkata')")
            .bind(site)
            .execute(api.pool())
            .await
            .unwrap();
        run("insert into app.positions (id, site_id, code, name, class) values ($1, $2, 'B03/INV07', 'Inverter 7', 'inverter')")
            .bind(position)
            .bind(site)
            .execute(api.pool())
            .await
            .unwrap();
        let point = sqlx::query_scalar::<_, i32>(
            "insert into app.points (site_id, position_id, key, kind, unit, resolution) values ($1, $2, $3, 'inv.temp.cabinet', 'Cel', 0.001) returning number",
        )
        .bind(site)
        .bind(position)
        .bind(POINT_KEY)
        .fetch_one(api.pool())
        .await
        .unwrap();
        run("insert into app.rules (id, name, scope_kind, \"group\") values ($1, 'Cabinet hot', 'inv.temp.cabinet', 'high')")
            .bind(rule)
            .execute(api.pool())
            .await
            .unwrap();
        run("insert into app.rule_versions (rule_id, version, severity, condition) values ($1, 3, 'high', '{\"type\": \"high\", \"limit\": 65}')")
            .bind(rule)
            .execute(api.pool())
            .await
            .unwrap();
        let manager = person(&api, Role::PlantManager).await.0;
        let supervisor = person(&api, Role::MaintenanceSupervisor).await.0;
        let planner = person(&api, Role::MaintenancePlanner).await.0;
        Plant { api, site, position, point, rule, manager, supervisor, planner }
    }

    /// A technician with an account, and the skill until that day.
    pub(crate) async fn technician(&self, name: &str, skill_until: &str) -> (Client, String) {
        let (client, user) = person(&self.api, Role::FieldTechnician).await;
        let body = json!({"name": name, "user": user, "skills": [{"skill": "HV switching", "valid_to": skill_until}]});
        let admin = self.api.role(Role::TenantAdmin).await;
        (client, admin.post("/technicians", body).await.expect(201).id())
    }

    pub(crate) fn draft(&self) -> Value {
        json!({"order_type": "corrective", "title": "Replace the fan", "description": "It is loud", "site": self.site,
            "position": self.position, "priority": "high"})
    }

    /// Makes an order and takes it as far as assigned.
    pub(crate) async fn assigned(&self, technician: &str) -> Answer {
        let order = self.planner.post("/work-orders", self.draft()).await.expect(201);
        let order = self.planner.does(&order, "submit", json!({})).await.expect(200);
        let order = self.manager.does(&order, "approve", json!({})).await.expect(200);
        let order = self.planner.does(&order, "schedule", window(1)).await.expect(200);
        self.planner.does(&order, "assign", json!({ "technician": technician })).await.expect(200)
    }

    /// The engine says an alarm, true from a tick on.
    pub(crate) async fn alarm(&self, onset: DateTime<Utc>, cleared: Option<DateTime<Utc>>, from_tick: i64) -> Uuid {
        let id = self.alarm_id(onset);
        sqlx::query(
            "insert into derived.alarms (id, from_tick, rule, version, point, severity, onset, raised, cleared, value, peak, threshold)
            values ($1, $2, $3, 3, $4, 'high', $5, $5, $6, 66, 71, 65)",
        )
        .bind(id)
        .bind(from_tick)
        .bind(self.rule)
        .bind(self.point)
        .bind(onset)
        .bind(cleared)
        .execute(self.api.pool())
        .await
        .unwrap();
        id
    }

    pub(crate) fn alarm_id(&self, onset: DateTime<Utc>) -> Uuid {
        dcmms_schemas::alarm::Alarm::id_of(RuleId(self.rule), PointNumber(self.point as u32), Moment::from(onset)).0
    }

    /// The engine takes the alarm back at a tick.
    pub(crate) async fn retract(&self, alarm: Uuid, tick: i64) {
        let query = sqlx::query("update derived.alarms set upto_tick = $2 where id = $1 and upto_tick is null");
        query.bind(alarm).bind(tick).execute(self.api.pool()).await.unwrap();
    }

    pub(crate) fn raise(&self, alarm: Uuid, onset: DateTime<Utc>, priority: &str) -> Request {
        Request::RaiseOrder {
            alarm: AlarmId(alarm),
            rule: RuleId(self.rule),
            rule_version: 3,
            point: PointNumber(self.point as u32),
            site: SiteId(self.site),
            position: Some(PositionId(self.position)),
            onset: onset.into(),
            template: OrderTemplate {
                order_type: "corrective".into(),
                priority: priority.into(),
                title: "Cabinet hot".into(),
                description: String::new(),
            },
        }
    }

    pub(crate) fn propose(&self, prediction: Uuid, onset: DateTime<Utc>) -> Request {
        Request::ProposeOrder {
            prediction: PredictionId(prediction),
            site: SiteId(self.site),
            position: PositionId(self.position),
            onset: onset.into(),
            probability: 0.87,
            because: "cabinet temperature 9 K above its peers".into(),
            title: "Check the cooling of B03/INV07".into(),
        }
    }

    /// The engine asks for something at a tick.
    pub(crate) async fn command(&self, tick: i64, request: Request) -> Uuid {
        let command = Command::new(Moment::from(Utc::now()).plus(tick), request);
        sqlx::query("insert into derived.commands (id, job, tick, at, request) values ($1, 'main', $2, $3, $4)")
            .bind(command.id.0)
            .bind(tick)
            .bind(command.at.utc())
            .bind(serde_json::to_value(&command.request).unwrap())
            .execute(self.api.pool())
            .await
            .unwrap();
        command.id.0
    }

    /// Orders as `(number, status)`, oldest first.
    pub(crate) async fn orders(&self) -> Vec<(String, String)> {
        sqlx::query_as("select number, status from app.work_orders order by number").fetch_all(self.api.pool()).await.unwrap()
    }

    /// What came of a command.
    pub(crate) async fn outcome(&self, command: Uuid) -> Option<(String, String)> {
        let query = sqlx::query_as("select outcome, detail from app.command_results where command_id = $1");
        query.bind(command).fetch_optional(self.api.pool()).await.unwrap()
    }
}

/// Someone who signs in: a user with a session.
pub(crate) async fn person(api: &Api, role: Role) -> (Client, Uuid) {
    let (id, token) = (Uuid::new_v4(), format!("session-{}", Uuid::new_v4().simple()));
    sqlx::query("insert into app.users (id, tenant_id, email, name, role, password_hash) values ($1, $2, $3, $4, $4, 'none')")
        .bind(id)
        .bind(accounts::TENANT_DEFAULT)
        .bind(format!("{id}@example.org"))
        .bind(role.name())
        .execute(api.pool())
        .await
        .unwrap();
    sqlx::query("insert into app.sessions (token_sha256, user_id, expires_at) values ($1, $2, now() + interval '1 hour')")
        .bind(Sha256::digest(token.as_bytes()).to_vec())
        .bind(id)
        .execute(api.pool())
        .await
        .unwrap();
    (Client { router: api.router.clone(), token: Some(token) }, id)
}

impl Client {
    /// Asks an order, as it was seen, to move.
    pub(crate) async fn does(&self, order: &Answer, verb: &str, body: Value) -> Answer {
        self.act(&format!("/work-orders/{}/actions/{verb}", order.id()), &order.etag(), body).await
    }

    /// Records something on an order.
    pub(crate) async fn records(&self, order: &Answer, what: &str, body: Value) -> Answer {
        self.post(&format!("/work-orders/{}/{what}", order.id()), body).await
    }
}

impl Answer {
    /// Asserts that this guard refused.
    #[track_caller]
    pub(crate) fn guarded(self, guard: &str) -> Answer {
        let answer = self.expect(409);
        assert_eq!(
            (answer.body["type"].as_str(), answer.body["guard"].as_str()),
            (Some("urn:problem:guard-failed"), Some(guard)),
            "{}",
            answer.body
        );
        answer
    }

    #[track_caller]
    pub(crate) fn at(self, status: &str) -> Answer {
        let answer = self.expect(200);
        assert_eq!(answer.body["status"], status);
        answer
    }
}

/// A window of two hours that begins so many hours from now.
pub(crate) fn window(hours: i64) -> Value {
    let from = Utc::now() + TimeDelta::hours(hours);
    json!({"planned_from": from, "planned_to": from + TimeDelta::hours(2)})
}

pub(crate) fn ago(minutes: i64) -> DateTime<Utc> {
    // Whole microseconds, as the database keeps them.
    Moment::from(Utc::now() - TimeDelta::minutes(minutes)).utc()
}
