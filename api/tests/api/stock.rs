use crate::{
    support::{Answer, Client},
    upkeep::Plant,
};
use dcmms_schemas::access::Role;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

/// A plant with a storekeeper, a store, and ten fans at 30 EUR.
struct Store {
    plant: Plant,
    keeper: Client,
    store: String,
    fan: String,
}

async fn store() -> Store {
    let plant = Plant::start().await;
    let keeper = plant.api.role(Role::InventoryCoordinator).await;
    let store = keeper.post("/stock-locations", json!({"code": "MAIN", "name": "Main store"})).await.expect(201).id();
    let fan = json!({"number": "FAN-24V", "name": "Cabinet fan", "reorder_point": "4", "max_quantity": "12"});
    let fan = keeper.post("/parts", fan).await.expect(201).id();
    receive(&keeper, &fan, &store, "10", "30").await.expect(201);
    Store { plant, keeper, store, fan }
}

async fn receive(keeper: &Client, part: &str, store: &str, quantity: &str, cost: &str) -> Answer {
    keeper.post("/stock-moves", json!({"kind": "receipt", "part": part, "store": store, "quantity": quantity, "unit_cost": cost})).await
}

impl Store {
    async fn order(&self) -> String {
        self.plant.planner.post("/work-orders", self.plant.draft()).await.expect(201).id()
    }

    fn wants(&self, order: &str, quantity: &str) -> Value {
        json!({"work_order": order, "part": self.fan, "store": self.store, "quantity": quantity})
    }

    async fn levels(&self) -> (String, String) {
        let part = self.keeper.get(&format!("/parts/{}", self.fan)).await.expect(200).body;
        let plain = |name: &str| part[name].as_str().unwrap().parse::<Decimal>().unwrap().normalize().to_string();
        (plain("on_hand"), plain("reserved"))
    }
}

async fn does(client: &Client, row: &Answer, verb: &str, body: Value) -> Answer {
    client.act(&format!("/reservations/{}/actions/{verb}", row.id()), &row.etag(), body).await
}

#[tokio::test]
async fn fifty_clients_never_reserve_more_than_there_is() {
    let store = store().await;
    let order = store.order().await;
    let race = (0..50).map(|_| store.plant.planner.post("/reservations", store.wants(&order, "1")));
    let answers = futures::future::join_all(race).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((won.len(), lost.len()), (10, 40));
    for answer in lost {
        let refused = answer.refuses(409, "stock.available");
        assert_eq!(refused.body["type"], "urn:problem:insufficient-stock");
    }
    assert_eq!(store.levels().await, ("10".into(), "10".into()));
    // Fifty at once issue and give up what was promised; the ledger and the levels agree afterwards.
    let (issue, give_up) = won.split_at(5);
    let issues = futures::future::join_all(issue.iter().map(|row| does(&store.keeper, row, "issue", json!({})))).await;
    let releases = futures::future::join_all(give_up.iter().map(|row| does(&store.keeper, row, "release", json!({})))).await;
    assert!(issues.iter().chain(&releases).all(|answer| answer.status == 200));
    assert_eq!(store.levels().await, ("5".into(), "0".into()));
    let sums = "select sum(quantity) = (select sum(on_hand) from app.stock_levels) from app.stock_moves";
    assert!(sqlx::query_scalar::<_, bool>(sums).fetch_one(store.plant.api.pool()).await.unwrap());
    // Not even past the API.
    let oversell = sqlx::query("update app.stock_levels set reserved = on_hand + 1").execute(store.plant.api.pool()).await.unwrap_err();
    assert_eq!(oversell.as_database_error().unwrap().code().as_deref(), Some("23514"));
    let rewrite = sqlx::query("update app.stock_moves set quantity = 1").execute(store.plant.api.pool()).await.unwrap_err();
    assert_eq!(rewrite.as_database_error().unwrap().code().as_deref(), Some("42501"));
}

#[tokio::test]
async fn a_part_goes_from_the_shelf_into_an_order_and_the_rest_comes_back() {
    let store = store().await;
    let order = store.order().await;
    let row = store.plant.planner.post("/reservations", store.wants(&order, "3")).await.expect(201);
    assert_eq!((row.body["status"].as_str(), row.body["part_number"].as_str()), (Some("reserved"), Some("FAN-24V")));
    does(&store.keeper, &row, "consume", json!({})).await.refuses(409, "reservation.consume.state");
    let row = does(&store.keeper, &row, "pick", json!({})).await.expect(200);
    does(&store.keeper, &row, "issue", json!({"colour": "red"})).await.refuses(422, "bad_field");
    let row = does(&store.keeper, &row, "issue", json!({})).await.expect(200);
    assert_eq!(store.levels().await, ("7".into(), "0".into()));
    let used = store.plant.planner.get(&format!("/work-orders/{order}/parts")).await.expect(200).body;
    assert_eq!((used[0]["quantity"].as_str(), used[0]["unit_cost"].as_str()), (Some("3.0000"), Some("30.0000")));
    let refused = does(&store.keeper, &row, "consume", json!({"returned": "3"})).await.refuses(409, "reservation.consume.guard");
    assert_eq!(refused.body["guard"], "returned_within");
    let row = does(&store.keeper, &row, "consume", json!({"returned": "1"})).await.expect(200);
    assert_eq!((row.body["status"].as_str(), row.body["returned"].as_str()), (Some("consumed"), Some("1.0000")));
    assert_eq!(store.levels().await, ("8".into(), "0".into()));
    let used = store.plant.planner.get(&format!("/work-orders/{order}/parts")).await.expect(200).body;
    assert_eq!(used[0]["quantity"], "2.0000");
    let whole = store.plant.planner.post("/reservations", store.wants(&order, "2")).await.expect(201);
    let whole = does(&store.keeper, &whole, "issue", json!({})).await.expect(200);
    does(&store.keeper, &whole, "return", json!({})).await.expect(200);
    assert_eq!(store.levels().await, ("8".into(), "0".into()));
    let used = store.plant.planner.get(&format!("/work-orders/{order}/parts")).await.expect(200).body;
    assert_eq!(used.as_array().unwrap().len(), 1);
    let moves = store.keeper.get(&format!("/stock-moves?filter[work_order]={order}&filter[kind]=issue,return")).await.expect(200).body;
    assert_eq!(moves["data"].as_array().unwrap().len(), 4);
    let technician = store.plant.api.role(Role::FieldTechnician).await;
    let seen = technician.get(&format!("/parts/{}", store.fan)).await.expect(200).body;
    assert_eq!(seen["average_cost"], Value::Null, "technicians see no prices");
    let one = moves["data"][0]["id"].as_str().unwrap();
    assert_eq!(technician.get(&format!("/stock-moves/{one}")).await.expect(200).body["unit_cost"], Value::Null);
    // Nor do they use parts for what is not theirs.
    technician.post("/reservations", store.wants(&order, "1")).await.refuses(422, "validation");
    does(&technician, &row, "pick", json!({})).await.refuses(404, "not_found");
}

#[tokio::test]
async fn cancelling_an_order_gives_its_parts_free_and_completing_wants_them_settled() {
    let store = store().await;
    let order = store.plant.planner.post("/work-orders", store.plant.draft()).await.expect(201);
    let held = store.plant.planner.post("/reservations", store.wants(&order.id(), "6")).await.expect(201);
    store
        .plant
        .manager
        .act(&format!("/work-orders/{}/actions/cancel", order.id()), &order.etag(), json!({"reason": "not needed"}))
        .await
        .expect(200);
    assert_eq!(store.levels().await, ("10".into(), "0".into()));
    let seen = store.keeper.get(&format!("/reservations/{}", held.id())).await.expect(200);
    assert_eq!(seen.body["status"], "released");
    does(&store.keeper, &seen, "reserve", json!({})).await.refuses(409, "reservation.reserve.state");
    let refused = store.plant.planner.post("/reservations", store.wants(&order.id(), "1")).await.refuses(409, "reservation.reserve.guard");
    assert_eq!(refused.body["guard"], "order_open");

    let other = store.order().await;
    store.plant.planner.post("/reservations", store.wants(&other, "1")).await.expect(201);
    sqlx::query("update app.work_orders set status = 'in_progress' where id = $1::uuid")
        .bind(other.parse::<Uuid>().unwrap())
        .execute(store.plant.api.pool())
        .await
        .unwrap();
    let refused =
        store.plant.manager.act(&format!("/work-orders/{other}/actions/complete"), "\"v1\"", json!({"no_parts_used": true})).await;
    let refused = refused.refuses(409, "wo.complete.guard");
    let explained = refused.body["explain"].as_array().unwrap();
    assert!(
        explained.iter().any(|missing| missing["guard"] == "parts_settled" && missing["reason"] == "FAN-24V is reserved"),
        "{explained:?}"
    );
}

#[tokio::test]
async fn what_is_not_there_can_be_waited_for_and_what_expired_is_free() {
    let store = store().await;
    let order = store.order().await;
    let mut all = store.wants(&order, "10");
    all["expires_at"] = json!("2026-01-01T00:00:00Z");
    let first = store.plant.planner.post("/reservations", all).await.expect(201);
    // It has expired, so another order gets it.
    let other = store.order().await;
    store.plant.planner.post("/reservations", store.wants(&other, "9")).await.expect(201);
    assert_eq!(store.keeper.get(&format!("/reservations/{}", first.id())).await.expect(200).body["status"], "expired");
    let history = store.plant.manager.get(&format!("/history/reservations/{}", first.id())).await.expect(200).body;
    assert_eq!((history["data"][0]["event"].as_str(), history["data"][0]["by_name"].as_str()), (Some("expire"), Some("engine")));
    let mut waits = store.wants(&order, "5");
    waits["backorder"] = json!(true);
    let waits = store.plant.planner.post("/reservations", waits).await.expect(201);
    assert_eq!(waits.body["status"], "backordered");
    does(&store.keeper, &waits, "reserve", json!({})).await.refuses(409, "reservation.reserve.guard");
    let suggested = store.keeper.get("/reorder-suggestions").await.expect(200).body;
    let line = &suggested["data"][0];
    let suggested: Decimal = line["suggested"].as_str().unwrap().parse().unwrap();
    assert_eq!((line["number"].as_str(), suggested), (Some("FAN-24V"), Decimal::from(16)), "12 at most, 1 there, 5 waited for");
    store.keeper.get("/reorder-suggestions?cursor=00").await.refuses(400, "bad_cursor");
    receive(&store.keeper, &store.fan, &store.store, "16", "30").await.expect(201);
    let waits = does(&store.keeper, &waits, "reserve", json!({})).await.expect(200);
    assert_eq!(waits.body["status"], "reserved");
    assert_eq!(store.keeper.get("/reorder-suggestions").await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn the_ledger_is_checked_and_values_by_the_moving_average() {
    let store = store().await;
    receive(&store.keeper, &store.fan, &store.store, "10", "40").await.expect(201);
    let part = store.keeper.get(&format!("/parts/{}", store.fan)).await.expect(200);
    assert_eq!(part.body["average_cost"], "35.0000");
    let bin = store.keeper.post("/stock-locations", json!({"code": "VAN-1", "name": "Van", "kind": "vehicle"})).await.expect(201).id();
    let entry =
        |kind: &str, quantity: &str| json!({"kind": kind, "part": store.fan, "store": store.store, "quantity": quantity, "note": "found"});
    let mut transfer = entry("transfer", "4");
    store.keeper.post("/stock-moves", transfer.clone()).await.refuses(422, "validation");
    transfer["to_store"] = json!(bin);
    store.keeper.post("/stock-moves", transfer).await.expect(201);
    store.keeper.post("/stock-moves", entry("adjust", "-1")).await.expect(201);
    let scrapped = store.keeper.post("/stock-moves", entry("scrap", "2")).await.expect(201);
    assert_eq!((scrapped.body["quantity"].as_str(), scrapped.body["unit_cost"].as_str()), (Some("-2.0000"), Some("35.0000")));
    store.keeper.post("/stock-moves", entry("scrap", "99")).await.refuses(409, "stock.available");
    for wrong in [
        entry("issue", "1"),
        entry("scrap", "-1"),
        entry("receipt", "1"),
        entry("adjust", "0"),
        json!({"kind": "scrap", "part": store.fan, "store": store.store, "quantity": "1"}),
    ] {
        store.keeper.post("/stock-moves", wrong).await.refuses(422, "validation");
    }
    let mut nowhere = entry("adjust", "1");
    nowhere["store"] = json!(Uuid::nil());
    store.keeper.post("/stock-moves", nowhere.clone()).await.refuses(422, "validation");
    nowhere["part"] = json!(Uuid::nil());
    store.keeper.post("/stock-moves", nowhere).await.refuses(422, "validation");
    // A plant manager is limited: small values only, and nothing is received by hand.
    store.plant.manager.post("/stock-moves", entry("adjust", "2")).await.expect(201);
    store.plant.manager.post("/stock-moves", entry("adjust", "-30")).await.refuses(403, "forbidden");
    receive(&store.plant.manager, &store.fan, &store.store, "1", "1").await.refuses(403, "forbidden");
    store.plant.planner.post("/stock-moves", entry("adjust", "2")).await.refuses(403, "forbidden");
    let levels = store.keeper.get(&format!("/parts/{}/stock", store.fan)).await.expect(200).body;
    assert_eq!((levels[0]["store_code"].as_str(), levels[0]["on_hand"].as_str()), (Some("MAIN"), Some("15.0000")));
    assert_eq!((levels[1]["store_code"].as_str(), levels[1]["on_hand"].as_str()), (Some("VAN-1"), Some("4.0000")));
    store.keeper.get(&format!("/parts/{}/stock", Uuid::nil())).await.refuses(404, "not_found");
    let part = store.keeper.get(&format!("/parts/{}", store.fan)).await.expect(200);
    store.keeper.delete(&format!("/parts/{}", store.fan), &part.etag()).await.refuses(409, "in_use");
    store.keeper.delete(&format!("/stock-locations/{bin}"), "\"v1\"").await.refuses(409, "in_use");

    let stranger = store.plant.api.stranger(Role::InventoryCoordinator).await;
    stranger.post("/stock-moves", entry("adjust", "1")).await.refuses(422, "validation");
    stranger.get(&format!("/parts/{}", store.fan)).await.refuses(404, "not_found");
    stranger.get(&format!("/stock-moves/{}", scrapped.id())).await.refuses(404, "not_found");
    assert_eq!(stranger.get("/stock-moves").await.expect(200).body["data"], json!([]));
    let theirs = stranger.post("/parts", json!({"number": "FAN-24V", "name": "Fan"})).await.expect(201).id();
    receive(&stranger, &theirs, &store.store, "1", "1").await.refuses(422, "validation");
    stranger.post("/stock-locations", json!({"code": "A", "name": "A", "site": store.plant.site})).await.refuses(422, "validation");
    let engineer = store.plant.api.role(Role::SiteEngineer).await;
    engineer
        .post("/parts", json!({"number": "F 1", "name": "", "reorder_point": "5", "max_quantity": "5"}))
        .await
        .refuses(422, "validation");
    engineer.post("/parts", json!({"number": "FAN-24V", "name": "Fan"})).await.refuses(409, "number_taken");
    engineer.patch(&format!("/parts/{}", store.fan), &part.etag(), json!({"criticality": "Z"})).await.refuses(422, "validation");
    engineer.patch(&format!("/parts/{}", store.fan), &part.etag(), json!({"criticality": "A"})).await.expect(200);
    engineer.delete(&format!("/parts/{theirs}"), "\"v1\"").await.refuses(403, "forbidden");
}

#[tokio::test]
async fn a_count_puts_the_ledger_right_when_somebody_else_approves_it() {
    let store = store().await;
    let path = |row: &Answer, verb: &str| format!("/cycle-counts/{}/actions/{verb}", row.id());
    store.keeper.post("/cycle-counts", json!({"store": store.store, "parts": [store.fan, store.fan]})).await.refuses(422, "validation");
    store.keeper.post("/cycle-counts", json!({"store": store.store, "parts": []})).await.refuses(422, "validation");
    let count = store.keeper.post("/cycle-counts", json!({"store": store.store, "parts": [store.fan]})).await.expect(201);
    store.keeper.act(&path(&count, "count"), &count.etag(), json!({})).await.refuses(409, "cycle_count.count.guard");
    let found = |number: &str| json!({"lines": [{"part": store.fan, "counted": number}]});
    store.keeper.act(&path(&count, "count"), &count.etag(), found("-1")).await.refuses(422, "validation");
    let count = store.keeper.act(&path(&count, "count"), &count.etag(), found("8")).await.expect(200);
    assert_eq!(count.body["lines"][0]["difference"], "-2.0000");
    let refused = store.keeper.act(&path(&count, "approve"), &count.etag(), json!({})).await.refuses(409, "cycle_count.approve.guard");
    assert_eq!(refused.body["guard"], "approver_is_not_counter");
    let count = store.keeper.act(&path(&count, "recount"), &count.etag(), json!({"reason": "moved meanwhile"})).await.expect(200);
    let count = store.keeper.act(&path(&count, "count"), &count.etag(), found("9")).await.expect(200);
    // Less than is promised cannot be left.
    let order = store.order().await;
    let held = store.plant.planner.post("/reservations", store.wants(&order, "10")).await.expect(201);
    let refused =
        store.plant.manager.act(&path(&count, "approve"), &count.etag(), json!({})).await.refuses(409, "cycle_count.approve.guard");
    assert_eq!(refused.body["guard"], "not_oversold");
    does(&store.keeper, &held, "release", json!({})).await.expect(200);
    store.plant.planner.act(&path(&count, "approve"), &count.etag(), json!({})).await.refuses(403, "forbidden");
    store.plant.manager.act(&path(&count, "approve"), &count.etag(), json!({})).await.expect(200);
    assert_eq!(store.levels().await.0, "9");
    let moves = store.keeper.get("/stock-moves?filter[kind]=count_diff").await.expect(200).body;
    assert_eq!((moves["data"][0]["quantity"].as_str(), &moves["data"][0]["cycle_count"]), (Some("-1.0000"), &json!(count.id())));
    let second = store.keeper.post("/cycle-counts", json!({"store": store.store, "parts": [store.fan]})).await.expect(201);
    store.keeper.act(&path(&second, "cancel"), &second.etag(), json!({"reason": "later"})).await.expect(200);
    assert_eq!(store.keeper.get("/cycle-counts?filter[status]=cancelled").await.expect(200).body["data"].as_array().unwrap().len(), 1);
    store.keeper.get(&format!("/cycle-counts/{}", second.id())).await.expect(200);
    store
        .plant
        .api
        .stranger(Role::InventoryCoordinator)
        .await
        .get(&format!("/cycle-counts/{}", second.id()))
        .await
        .refuses(404, "not_found");
}

#[tokio::test]
async fn a_kit_is_reserved_whole_or_not_at_all() {
    let store = store().await;
    let filter = store.keeper.post("/parts", json!({"number": "FILTER", "name": "Filter mat", "serialised": true})).await.expect(201).id();
    receive(&store.keeper, &filter, &store.store, "1", "5").await.expect(201);
    let line = |part: &str, quantity: &str| json!({"part": part, "quantity": quantity});
    store.keeper.post("/kits", json!({"code": "K", "name": "K", "lines": [line(&store.fan, "0")]})).await.refuses(422, "validation");
    store
        .keeper
        .post("/kits", json!({"code": "K", "name": "K", "lines": [line(&Uuid::nil().to_string(), "1")]}))
        .await
        .refuses(422, "validation");
    let kit = json!({"code": "INV-FAN", "name": "Fan exchange", "lines": [line(&store.fan, "2"), line(&filter, "1")]});
    let kit = store.keeper.post("/kits", kit).await.expect(201);
    let order = store.order().await;
    let path = format!("/kits/{}/actions/reserve", kit.id());
    store.plant.planner.post(&path, json!({"work_order": order, "store": store.store, "times": "2"})).await.refuses(409, "stock.available");
    assert_eq!(store.levels().await.1, "0", "none of it was reserved");
    let rows = store.plant.planner.post(&path, json!({"work_order": order, "store": store.store})).await.expect(201).body;
    assert_eq!(rows.as_array().unwrap().len(), 2);
    let row = rows.as_array().unwrap().iter().find(|row| row["part_number"] == "FILTER").unwrap();
    let issue = format!("/reservations/{}/actions/issue", row["id"].as_str().unwrap());
    let refused = store.keeper.act(&issue, "\"v1\"", json!({})).await.refuses(409, "reservation.issue.guard");
    assert_eq!(refused.body["guard"], "serial");
    assert_eq!(store.keeper.act(&issue, "\"v1\"", json!({"serial": "F-7"})).await.expect(200).body["serial"], "F-7");
    store
        .plant
        .planner
        .post(&format!("/kits/{}/actions/reserve", Uuid::nil()), json!({"work_order": order, "store": store.store}))
        .await
        .refuses(404, "not_found");
    let path = format!("/kits/{}", kit.id());
    store.keeper.patch(&path, "\"v1\"", json!({"name": "Fan and filter"})).await.expect(200);
    store.keeper.get("/kits?filter[code]=INV-FAN").await.expect(200);
    store.keeper.delete(&path, "\"v2\"").await.expect(204);
    store.keeper.get(&path).await.refuses(404, "not_found");
}
