//! The loop against endpoints on loopback that answer when the test says so.

use super::*;
use crate::catalog::Catalog;
use crate::domain::secret::SigningSecret;
use crate::domain::signature;
use crate::net::shutdown::{self, Stopper};
use crate::net::tasks::Tasks;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::deliver::control::{Filter, control_router, deliveries};
use crate::sandbox::engine::private::{Delivery, DeliveryStatus};
use crate::sandbox::engine::txn::{Site, View};
use crate::sandbox::object;
use crate::sandbox::within::Within;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use std::path::Path;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const START: Timestamp = Timestamp(1_800_000_000);

/// One request as an endpoint saw it; it is answered when the test answers it.
struct Hit {
    headers: HeaderMap,
    body: Bytes,
    reply: oneshot::Sender<Response>,
}

impl Hit {
    fn answer(self, status: u16) {
        let status = StatusCode::from_u16(status).unwrap();
        self.reply.send((status, "thanks").into_response()).unwrap();
    }

    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn signature(&self) -> &str {
        self.headers["stripe-signature"].to_str().unwrap()
    }
}

type Hits = mpsc::UnboundedReceiver<Hit>;

struct Stage {
    engine: Arc<Engine>,
    tasks: Tasks,
    stopper: Stopper,
}

impl Stage {
    fn start(options: impl Into<Options>) -> Self {
        Self::around(Engine::ephemeral(Clock::fixed(START), Entropy::seeded(1), site()), options)
    }

    fn open(path: &Path) -> Engine {
        Engine::open(path, Clock::fixed(START), Entropy::seeded(1), site()).unwrap()
    }

    fn around(engine: Engine, options: impl Into<Options>) -> Self {
        let (engine, tasks) = (Arc::new(engine), Tasks::default());
        let (stopper, stop) = shutdown::pair();
        tasks.spawn(run(Arc::clone(&engine), options.into(), stop));
        Self { engine, tasks, stopper }
    }

    /// An endpoint that is registered for `wanted`: its object, secret included, and what reaches it.
    async fn endpoint(&self, wanted: &str) -> (Value, Hits) {
        let (hits, seen) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(hits);
        self.tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (self.register(&url, wanted).await, seen)
    }

    async fn register(&self, url: &str, wanted: &str) -> Value {
        let params = json!({"url": url, "enabled_events": [wanted]});
        call(&self.engine.default_world(), "POST /v1/webhook_endpoints", &[], params).await
    }

    async fn emit(&self, kind: &str) -> String {
        emit(&self.engine.default_world(), kind).await
    }

    fn advance(&self, seconds: u32) {
        self.engine.clock().advance(seconds);
        self.engine.wake();
    }

    /// Waits until the state is as wanted.
    async fn until(&self, wanted: impl Fn(&View) -> bool) {
        let mut commits = self.engine.commits();
        let settled = async {
            loop {
                commits.borrow_and_update();
                if self.engine.default_world().read(&wanted) {
                    return;
                }
                commits.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), settled).await.unwrap();
    }

    async fn delivery(&self, event: &str) -> Value {
        let filter = Filter { event: Some(event.to_owned()), ..Filter::default() };
        self.engine.default_world().read(|view| deliveries(view, &filter))["data"][0].clone()
    }

    /// Waits until the newest delivery of an event has that many attempts, and returns it.
    async fn attempted(&self, event: &str, count: usize) -> Value {
        self.until(|view| {
            let filter = Filter { event: Some(event.to_owned()), ..Filter::default() };
            let found = deliveries(view, &filter);
            found["data"][0]["attempts"].as_array().unwrap().len() >= count
        })
        .await;
        self.delivery(event).await
    }

    async fn pending(&self, event: &str) -> i64 {
        let world = self.engine.default_world();
        world.read(|view| view.get("event", event).unwrap()["pending_webhooks"].as_i64().unwrap())
    }
}

async fn receive(
    Shared(hits): Shared<mpsc::UnboundedSender<Hit>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (reply, answer) = oneshot::channel();
    hits.send(Hit { headers, body, reply }).map_err(|_| "nobody listens").unwrap();
    answer.await.unwrap_or_else(|_| StatusCode::IM_A_TEAPOT.into_response())
}

async fn next(hits: &mut Hits) -> Hit {
    tokio::time::timeout(Duration::from_secs(20), hits.recv()).await.unwrap().unwrap()
}

fn site() -> Site {
    Site { base_url: "http://127.0.0.1:1".to_owned(), api_version: "2026-10-28.endive".to_owned() }
}

async fn call(world: &World, key: &str, ids: &[&str], params: Value) -> Value {
    let call = Call {
        key: key.to_owned(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        params: params.as_object().cloned().unwrap(),
        version: Version { text: site().api_version, named: false },
    };
    let handler = object::handler(key).unwrap();
    let answer = world.change(Origin::default(), |txn| handler(txn, &call)).await.unwrap();
    let answer = answer.into_document();
    assert_eq!(Catalog::get().check(&answer), Vec::<String>::new(), "{key}");
    answer
}

async fn emit(world: &World, kind: &str) -> String {
    world
        .change(Origin::default(), |txn| {
            let product = json!({
                "id": "prod_1", "active": true, "created": 1, "images": [], "livemode": false,
                "marketing_features": [], "metadata": {}, "name": "Tea", "type": "service",
                "updated": 1,
            });
            txn.emit_about(kind, &Value::Object(object::new("product", product)));
            Ok(txn.newest("event").next().unwrap()["id"].as_str().unwrap().to_owned())
        })
        .await
        .unwrap()
}

fn verifies(hit: &Hit, endpoint: &Value, now: Timestamp) -> bool {
    let secret = SigningSecret::read(endpoint["secret"].as_str().unwrap()).unwrap();
    signature::verify(&hit.body, Some(hit.signature()), &[secret], now, 0).is_ok()
}

#[tokio::test]
async fn an_endpoint_receives_a_signed_event_and_its_answer_is_recorded() {
    let world = Stage::start(Options::default());
    let (endpoint, mut hits) = world.endpoint("*").await;
    let id = world.emit("product.created").await;
    assert_eq!(world.pending(&id).await, 1);
    let hit = next(&mut hits).await;
    assert!(verifies(&hit, &endpoint, START));
    assert_eq!(hit.headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(hit.headers["user-agent"], "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
    let event = hit.event();
    assert_eq!(Catalog::get().check(&event), Vec::<String>::new());
    assert_eq!((&event["id"], &event["type"]), (&json!(id), &json!("product.created")));
    assert_eq!(event["pending_webhooks"], 1);
    hit.answer(204);
    let delivery = world.attempted(&id, 1).await;
    assert_eq!((&delivery["status"], &delivery["due"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(delivery["attempts"][0]["status"], 204);
    assert_eq!(world.pending(&id).await, 0);
}

#[tokio::test]
async fn a_failing_endpoint_is_tried_again_on_schedule_with_fresh_signatures_and_given_up() {
    let world = Stage::start(Options::default());
    let (endpoint, mut hits) = world.endpoint("*").await;
    let id = world.emit("product.created").await;
    let mut seen = Vec::new();
    for (count, wait_s) in [60, 600, 7_200, 0].into_iter().enumerate() {
        let hit = next(&mut hits).await;
        let now = world.engine.clock().now();
        assert!(verifies(&hit, &endpoint, now), "signed at the moment of the attempt");
        seen.push(hit.signature().to_owned());
        hit.answer(500);
        let delivery = world.attempted(&id, count + 1).await;
        let due = (wait_s > 0).then(|| now.0 + wait_s);
        assert_eq!(delivery["due"], json!(due));
        assert_eq!(delivery["attempts"][count]["next_due"], json!(due));
        world.advance(u32::try_from(wait_s).unwrap());
    }
    seen.dedup();
    assert_eq!(seen.len(), 4);
    assert_eq!(world.delivery(&id).await["status"], "failed");
    assert_eq!(world.pending(&id).await, 1);
}

#[tokio::test]
async fn a_slow_endpoint_holds_up_no_other_and_a_retry_no_newer_event() {
    let world = Stage::start(Options::default());
    let (_, mut slow) = world.endpoint("*").await;
    let (_, mut quick) = world.endpoint("*").await;
    let one = world.emit("product.created").await;
    let held = next(&mut slow).await;
    next(&mut quick).await.answer(500);
    let two = world.emit("product.updated").await;
    let hit = next(&mut quick).await;
    assert_eq!(hit.event()["id"], json!(two));
    hit.answer(200);
    held.answer(200);
    assert_eq!(next(&mut slow).await.event()["id"], json!(two));
    world.until(|_| true).await;
    assert_ne!(one, two);
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_gets_its_next_event_all_the_same() {
    let world = Stage::start(Options { patience: Duration::ZERO, ..Options::default() });
    let (_, mut hits) = world.endpoint("*").await;
    world.emit("product.created").await;
    let _held = next(&mut hits).await;
    let two = world.emit("product.updated").await;
    assert_eq!(next(&mut hits).await.event()["id"], json!(two));
}

#[tokio::test]
async fn events_of_an_endpoint_arrive_in_the_order_of_emission() {
    let world = Stage::start(Options::default());
    let (_, mut hits) = world.endpoint("*").await;
    let mut sent = Vec::new();
    for _ in 0..20 {
        sent.push(world.emit("product.updated").await);
    }
    for id in sent {
        let hit = next(&mut hits).await;
        assert_eq!(hit.event()["id"], json!(id));
        hit.answer(200);
    }
}

#[tokio::test]
async fn an_endpoint_that_takes_too_long_has_failed() {
    let timeout = Duration::from_millis(50);
    let world = Stage::start(Options { timeout, ..Options::default() });
    let (_, mut hits) = world.endpoint("*").await;
    let id = world.emit("product.created").await;
    let _held = next(&mut hits).await;
    let delivery = world.attempted(&id, 1).await;
    assert_eq!(delivery["attempts"][0]["error"], "timed out");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let world = Stage::start(RetrySchedule::instant());
    let (_, mut hits) = world.endpoint("*").await;
    let id = world.emit("product.created").await;
    let hit = next(&mut hits).await;
    hit.reply.send(Redirect::temporary("/elsewhere").into_response()).unwrap();
    next(&mut hits).await.answer(200);
    let delivery = world.attempted(&id, 2).await;
    assert_eq!(delivery["attempts"][0]["status"], 307);
    assert_eq!(delivery["attempts"][0]["error"], "redirects are not followed");
    assert_eq!(delivery["status"], "succeeded");
}

#[tokio::test]
async fn an_event_is_sent_again_on_request() {
    let world = Stage::start(Options::default());
    let (endpoint, mut hits) = world.endpoint("product.created").await;
    let id = world.emit("product.created").await;
    next(&mut hits).await.answer(200);
    world.attempted(&id, 1).await;
    for params in [json!({}), json!({"webhook_endpoint": endpoint["id"]})] {
        let event =
            call(&world.engine.default_world(), "POST /v1/events/{id}/retry", &[&id], params).await;
        assert_eq!((&event["id"], &event["pending_webhooks"]), (&json!(id), &json!(0)));
        let hit = next(&mut hits).await;
        assert_eq!(hit.event()["id"], json!(id));
        hit.answer(200);
        world.attempted(&id, 1).await;
    }
}

#[tokio::test]
async fn what_was_pending_is_delivered_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let world = Stage::around(Stage::open(&path), Options::default());
    let (_, mut hits) = world.endpoint("*").await;
    let tried = world.emit("product.created").await;
    next(&mut hits).await.answer(503);
    world.attempted(&tried, 1).await;
    let Stage { engine, tasks, stopper } = world;
    stopper.stop();
    while Arc::strong_count(&engine) > 1 {
        tokio::task::yield_now().await;
    }
    let fresh = emit(&engine.default_world(), "product.updated").await;
    drop(engine);
    let again = Stage::around(Stage::open(&path), Options::default());
    let hit = next(&mut hits).await;
    assert_eq!(hit.event()["id"], json!(fresh));
    hit.answer(200);
    again.attempted(&fresh, 1).await;
    again.advance(60);
    let hit = next(&mut hits).await;
    assert_eq!(hit.event()["id"], json!(tried));
    hit.answer(200);
    assert_eq!(again.attempted(&tried, 2).await["status"], "succeeded");
    drop(tasks);
}

#[tokio::test]
async fn an_endpoint_elsewhere_is_not_called() {
    let world = Stage::start(Options::default());
    world.register("https://shop.example/hook", "*").await;
    let id = world.emit("product.created").await;
    let delivery = world.attempted(&id, 1).await;
    let error = delivery["attempts"][0]["error"].as_str().unwrap();
    assert!(error.contains("loopback"), "{error}");
}

#[tokio::test]
async fn a_disabled_or_deleted_endpoint_ends_its_deliveries() {
    let world = Stage::start(Options::default());
    let (endpoint, mut hits) = world.endpoint("*").await;
    let id = endpoint["id"].as_str().unwrap();
    let one = world.emit("product.created").await;
    next(&mut hits).await.answer(500);
    world.attempted(&one, 1).await;
    let path = "/v1/webhook_endpoints/{webhook_endpoint}";
    call(&world.engine.default_world(), &format!("POST {path}"), &[id], json!({"disabled": true}))
        .await;
    world.advance(60);
    let canceled = |view: &View| {
        let records = view.table(record::KIND).unwrap();
        records
            .all()
            .all(|stored| stored.part::<Delivery>().unwrap().status == DeliveryStatus::Canceled)
    };
    world.until(canceled).await;

    call(&world.engine.default_world(), &format!("POST {path}"), &[id], json!({"disabled": false}))
        .await;
    let two = world.emit("product.created").await;
    next(&mut hits).await.answer(500);
    world.attempted(&two, 1).await;
    call(&world.engine.default_world(), &format!("DELETE {path}"), &[id], json!({})).await;
    assert_eq!(world.delivery(&two).await["status"], "canceled");
    assert_eq!(world.delivery(&two).await["due"], Value::Null);
}

#[tokio::test]
async fn an_event_is_rendered_under_the_version_of_its_endpoint() {
    let world = Stage::start(Options::default());
    let (endpoint, mut hits) = world.endpoint("*").await;
    let id = endpoint["id"].as_str().unwrap().to_owned();
    world
        .engine
        .default_world()
        .change(Origin::default(), |txn| {
            txn.edit("webhook_endpoint", &id, |doc| {
                doc.insert("api_version".to_owned(), json!("2025-03-31.basil"));
            });
            Ok(())
        })
        .await
        .unwrap();
    world.emit("product.created").await;
    assert_eq!(next(&mut hits).await.event()["api_version"], "2025-03-31.basil");
}

#[tokio::test]
async fn deliveries_are_told_by_event_over_http() {
    let world = Stage::start(Options::default());
    let (endpoint, mut hits) = world.endpoint("*").await;
    let one = world.emit("product.created").await;
    next(&mut hits).await.answer(200);
    world.emit("product.updated").await;
    next(&mut hits).await.answer(200);
    world.attempted(&one, 1).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/_stripegym/deliveries", listener.local_addr().unwrap());
    let router = control_router().layer(axum::Extension(Within(world.engine.default_world())));
    world.tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let clients = Clients::build(Duration::from_secs(20)).unwrap();
    let get = async |query: &str| {
        let request = clients.plain().get(format!("{url}?{query}"));
        request.send().await.unwrap()
    };
    let found = get(&format!("event={one}")).await.json::<Value>().await.unwrap();
    let row = &found["data"][0];
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!((&row["event"], &row["type"]), (&json!(one), &json!("product.created")));
    assert_eq!((&row["endpoint"], &row["url"]), (&endpoint["id"], &endpoint["url"]));
    assert_eq!((&row["status"], &row["attempts"][0]["status"]), (&json!("succeeded"), &json!(200)));
    let all = get("limit=1").await.json::<Value>().await.unwrap();
    assert_eq!(
        (&all["has_more"], &all["data"][0]["type"]),
        (&json!(true), &json!("product.updated"))
    );
    assert_eq!(get("events=x").await.status(), 400);
}
