use crate::upkeep::Plant;
use dcmms_api::relay::{Target, relay, run};
use dcmms_schemas::{domain::Event, wire::DOMAIN_TOPIC};
use serde_json::json;
use std::sync::atomic::Ordering;

fn target(topic_id: &str) -> Target {
    Target { cluster_id: "cluster".into(), topic_id: topic_id.into() }
}

/// Entity and version of all that was sent, in order; each message reads as an event under its key.
fn sent(plant: &Plant) -> Vec<(String, i64)> {
    let sent = plant.api.broker.sent.lock().unwrap();
    let read = |(topic, message): &(String, dcmms_api::publish::Message)| {
        assert_eq!((topic.as_str(), message.format), (DOMAIN_TOPIC, None));
        let event: Event = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(message.key, format!("{}:{}", event.row.entity(), event.row.id()));
        (event.row.entity().to_owned(), event.version)
    };
    sent.iter().map(read).collect()
}

async fn unpublished(plant: &Plant) -> i64 {
    sqlx::query_scalar("select count(*) from app.outbox where published_at is null").fetch_one(plant.api.pool()).await.unwrap()
}

#[tokio::test]
async fn events_are_published_in_order_and_marked() {
    let plant = Plant::start().await;
    relay(&plant.api.service, &target("one")).await.unwrap();
    let order = plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    let order = plant.planner.does(&order, "submit", json!({})).await.at("submitted");
    plant.manager.does(&order, "approve", json!({})).await.at("approved");
    assert_eq!(unpublished(&plant).await, 3);
    assert_eq!(relay(&plant.api.service, &target("one")).await.unwrap(), 3);
    assert_eq!(sent(&plant), [("order".to_owned(), 1), ("order".to_owned(), 2), ("order".to_owned(), 3)]);
    assert_eq!((unpublished(&plant).await, relay(&plant.api.service, &target("one")).await.unwrap()), (0, 0));
}

#[tokio::test]
async fn what_the_broker_did_not_take_is_sent_again() {
    let plant = Plant::start().await;
    relay(&plant.api.service, &target("one")).await.unwrap();
    plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    plant.api.broker.down.store(true, Ordering::SeqCst);
    relay(&plant.api.service, &target("one")).await.unwrap_err();
    assert_eq!(unpublished(&plant).await, 1);
    plant.api.broker.down.store(false, Ordering::SeqCst);
    assert_eq!(relay(&plant.api.service, &target("one")).await.unwrap(), 1);
    assert_eq!(unpublished(&plant).await, 0);
}

#[tokio::test]
async fn a_topic_that_is_new_is_told_everything_that_is_there() {
    let plant = Plant::start().await;
    let engineer = plant.api.role(dcmms_schemas::access::Role::TenantAdmin).await;
    let order = plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    plant.planner.does(&order, "submit", json!({})).await.at("submitted");
    engineer.post("/sites", crate::support::site("MH02")).await.expect(201);
    let gone = engineer.post("/sites", crate::support::site("MH03")).await.expect(201);
    engineer.delete(&format!("/sites/{}", gone.id()), &gone.etag()).await.expect(204);
    assert_eq!(relay(&plant.api.service, &target("one")).await.unwrap(), 2);
    assert_eq!(sent(&plant), [("site".to_owned(), 1), ("order".to_owned(), 2)], "the newest of each, what others point at first");
    assert_eq!(unpublished(&plant).await, 0);
    plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    relay(&plant.api.service, &target("one")).await.unwrap();
    plant.api.broker.sent.lock().unwrap().clear();
    assert_eq!(relay(&plant.api.service, &target("two")).await.unwrap(), 3);
    assert_eq!(relay(&plant.api.service, &target("two")).await.unwrap(), 0);
    plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    relay(&plant.api.service, &target("two")).await.unwrap();
    assert_eq!(relay(&plant.api.service, &target("one")).await.unwrap(), 4, "the first one missed what the second one was told");
}

#[tokio::test]
async fn the_relay_hears_of_changes_and_ends_when_asked() {
    let plant = Plant::start().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(run(std::sync::Arc::clone(&plant.api.service), target("one"), stopped));
    plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while unpublished(&plant).await > 0 {
        assert!(std::time::Instant::now() < deadline, "it was not published");
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
}
