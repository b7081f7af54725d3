//! The loop against endpoints on loopback that answer when the test says so.

use super::*;
use crate::catalog::Catalog;
use crate::domain::secret::SigningSecret;
use crate::domain::signature;
use crate::domain::time::Timestamp;
use crate::net::outbound::{self, Patience, Reach};
use crate::net::shutdown::{self, Stopper};
use crate::net::tasks::Tasks;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::api::within::Within;
use crate::sandbox::behaviour::document::new;
use crate::sandbox::behaviour::object::{self, BEHAVIOUR};
use crate::sandbox::call::{Call, Version};
use crate::sandbox::control::delivery::{Filter, control_router, deliveries};
use crate::sandbox::engine::private::{Delivery, DeliveryStatus};
use crate::sandbox::engine::settings::{self, Settings};
use crate::sandbox::engine::txn::{Origin, Site, View};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
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

type Hits = UnboundedReceiver<Hit>;

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

    fn delivery(&self, event: &str) -> Value {
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
        self.delivery(event)
    }

    fn pending(&self, event: &str) -> i64 {
        let world = self.engine.default_world();
        world.read(|view| view.get("event", event).unwrap()["pending_webhooks"].as_i64().unwrap())
    }
}

async fn receive(
    Shared(hits): Shared<UnboundedSender<Hit>>,
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
    Site {
        base_url: "http://127.0.0.1:1".to_owned(),
        api_version: "2026-10-28.endive".to_owned(),
        beyond: Beyond::Nobody,
        behaviour: BEHAVIOUR,
    }
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
            txn.emit_about(kind, &Value::Object(new("product", product)));
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
    assert_eq!(world.pending(&id), 1);
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
    assert_eq!(world.pending(&id), 0);
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
    assert_eq!(world.delivery(&id)["status"], "failed");
    assert_eq!(world.pending(&id), 1);
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
        let records = view.table(delivery::KIND).unwrap();
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
    assert_eq!(world.delivery(&two)["status"], "canceled");
    assert_eq!(world.delivery(&two)["due"], Value::Null);
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
    let client = outbound::client(Reach::Plain, Patience::API).unwrap();
    let get = async |query: &str| {
        let request = client.get(format!("{url}?{query}"));
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

/// Emits `count` events in one change, the `n`th about the object `n % objects`; each carries its number.
async fn emit_many(world: &World, objects: usize, numbers: std::ops::Range<usize>) {
    let emitted = world.change(Origin::default(), |txn| {
        for number in numbers {
            let about = json!({"id": format!("prod_{}", number % objects), "object": "product",
                "metadata": {"number": number}});
            txn.emit_about("product.updated", &about);
        }
        Ok(())
    });
    emitted.await.unwrap();
}

/// The number of an event, and when it came.
struct Came {
    number: usize,
    at: std::time::Instant,
}

impl Came {
    fn now(body: &[u8]) -> Self {
        let at = std::time::Instant::now();
        let event: Value = serde_json::from_slice(body).unwrap();
        let number = event["data"]["object"]["metadata"]["number"].as_u64().unwrap();
        Self { number: usize::try_from(number).unwrap(), at }
    }
}

fn none_pending(view: &View) -> bool {
    view.table(delivery::KIND).unwrap().next_due().is_none()
}

/// An endpoint that answers at once and tells what came, and of how many requests it had at hand.
async fn prompt(stage: &Stage) -> (UnboundedReceiver<Came>, Arc<AtomicUsize>) {
    let (sender, numbers) = mpsc::unbounded_channel();
    let (running, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let highest = Arc::clone(&most);
    let take = move |body: Bytes| {
        let (running, highest, sender) =
            (Arc::clone(&running), Arc::clone(&highest), sender.clone());
        async move {
            highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sender.send(Came::now(&body)).unwrap();
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().fallback(take);
    stage.tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    stage.register(&url, "*").await;
    (numbers, most)
}

async fn gathered(numbers: &mut UnboundedReceiver<Came>, count: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let all = async {
        while found.len() < count {
            found.push(numbers.recv().await.unwrap().number);
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all).await.unwrap();
    found
}

#[tokio::test]
async fn five_thousand_events_to_one_endpoint_arrive_once_each() {
    let stage = Stage::start(Options::default());
    let (mut numbers, most) = prompt(&stage).await;
    let world = stage.engine.default_world();
    for at in (0..5_000).step_by(100) {
        emit_many(&world, 5_000, at..at + 100).await;
    }
    let found = gathered(&mut numbers, 5_000).await;
    stage.until(none_pending).await;
    assert!(numbers.try_recv().is_err(), "nothing twice");
    assert_eq!(found.into_iter().collect::<HashSet<_>>().len(), 5_000);
    assert!((2..=queue::LANE_MAX).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[tokio::test]
async fn events_about_one_object_keep_their_order_beside_others() {
    let stage = Stage::start(Options::default());
    let (mut numbers, most) = prompt(&stage).await;
    emit_many(&stage.engine.default_world(), 40, 0..1_000).await;
    let mut last = vec![None; 40];
    for number in gathered(&mut numbers, 1_000).await {
        assert!(last[number % 40].is_none_or(|last| last < number), "{number}");
        last[number % 40] = Some(number);
    }
    assert!(most.load(Ordering::SeqCst) > 1);
}

#[tokio::test]
async fn results_are_stored_in_groups() {
    let stage = Stage::start(Options::default());
    let (mut numbers, _) = prompt(&stage).await;
    emit_many(&stage.engine.default_world(), 1_000, 0..1_000).await;
    let before = stage.engine.commit_number();
    gathered(&mut numbers, 1_000).await;
    stage.until(none_pending).await;
    let commits = stage.engine.commit_number() - before;
    assert!(commits < 500, "{commits} commits for 1,000 results");
}

/// An endpoint that closes each connection without a word once it has given so many answers.
async fn closing(stage: &Stage, answers: usize) -> UnboundedReceiver<Came> {
    let (sender, numbers) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let tasks = stage.tasks.clone();
    stage.tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tasks.spawn(async move {
                let mut stream = BufReader::new(stream);
                for _ in 0..answers {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let head = head.to_ascii_lowercase();
                    let length = head.split("content-length: ").nth(1).unwrap();
                    let length = length.split("\r\n").next().unwrap().parse().unwrap();
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).await.unwrap();
                    sender.send(Came::now(&body)).unwrap();
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.get_mut().write_all(answer).await.unwrap();
                }
            });
        }
    });
    stage.register(&url, "*").await;
    numbers
}

#[tokio::test]
async fn an_endpoint_that_closes_its_connections_loses_nothing_and_gets_nothing_twice() {
    for answers in [1, 2, 7] {
        let stage = Stage::start(Options::default());
        let mut numbers = closing(&stage, answers).await;
        emit_many(&stage.engine.default_world(), 500, 0..500).await;
        let found = gathered(&mut numbers, 500).await;
        stage.until(none_pending).await;
        assert!(numbers.try_recv().is_err(), "nothing twice");
        assert_eq!(found.into_iter().collect::<HashSet<_>>().len(), 500);
        let failed = |view: &View| {
            let all = view.table(delivery::KIND).unwrap().all();
            all.filter(|it| it.part::<Delivery>().unwrap().attempts.len() != 1).count()
        };
        assert_eq!(stage.engine.default_world().read(failed), 0, "after {answers} answers");
    }
}

#[tokio::test]
async fn an_endpoint_that_hangs_leaves_room_for_others() {
    let stage = Stage::start(Options::default());
    let (_, mut hung) = stage.endpoint("*").await;
    let (mut numbers, _) = prompt(&stage).await;
    emit_many(&stage.engine.default_world(), 100, 0..100).await;
    gathered(&mut numbers, 100).await;
    let mut held = Vec::new();
    for _ in 0..queue::LANE_MAX {
        held.push(next(&mut hung).await);
    }
    assert!(hung.try_recv().is_err(), "no more than its places");
}

#[tokio::test]
async fn a_result_that_cannot_be_stored_yet_is_stored_later_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("sandbox.db"), folder.path().join("aside.db"));
    let engine = Arc::new(Stage::open(&path));
    let world = engine.default_world();
    let params = json!({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]});
    call(&world, "POST /v1/webhook_endpoints", &[], params).await;
    emit(&world, "product.created").await;
    let mut queue = Queue::default();
    for planned in world.read(delivery::pending) {
        queue.add(planned, 1);
    }
    let item = queue.start().unwrap();
    let id = Arc::clone(&item.planned.id);
    std::fs::rename(&path, &aside).unwrap();
    std::fs::write(&path, "somebody else's").unwrap();
    let attempt = Attempt {
        at: START,
        status: Some(200),
        error: None,
        duration_ms: 1,
        response: String::new(),
    };
    let (sender, results) = mpsc::unbounded_channel();
    let (progress, mut heard) = mpsc::unbounded_channel();
    let tasks = Tasks::default();
    tasks.spawn(results::write(results, RetrySchedule::default(), progress));
    let what = What::Attempted(0, attempt);
    sender.send(TurnResult { item, world: Arc::clone(&world), what }).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(100), heard.recv()).await.is_err());
    std::fs::rename(&aside, &path).unwrap();
    assert!(matches!(heard.recv().await, Some(Progress::Written(_, None))));
    drop(sender);
    tasks.finish().await;
    let delivery =
        world.read(|view| view.record::<Delivery>(delivery::KIND, &id).cloned().unwrap());
    assert_eq!((delivery.status, delivery.attempts.len()), (DeliveryStatus::Succeeded, 1));
}

#[tokio::test]
async fn the_same_attempt_is_written_down_once() {
    let engine = Arc::new(Engine::ephemeral(Clock::fixed(START), Entropy::seeded(1), site()));
    let world = engine.default_world();
    let params = json!({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]});
    call(&world, "POST /v1/webhook_endpoints", &[], params).await;
    emit(&world, "product.created").await;
    let id = world.read(delivery::pending).remove(0).id;
    let error = Some("timed out".to_owned());
    let attempt =
        Attempt { at: START, status: None, error, duration_ms: 1, response: String::new() };
    let settle = async || {
        let schedule = RetrySchedule::default();
        let settled = world.change(Origin::default(), |txn| {
            Ok(delivery::settle(txn, &id, 0, &attempt, &schedule))
        });
        settled.await.unwrap()
    };
    assert_eq!((settle().await, settle().await), (Some(START.plus(60)), Some(START.plus(60))));
    let delivery =
        world.read(|view| view.record::<Delivery>(delivery::KIND, &id).cloned().unwrap());
    assert_eq!(delivery.attempts.len(), 1);
}

#[tokio::test]
async fn the_retries_that_an_account_has_set_go_before_those_of_the_sandbox() {
    let engine = Arc::new(Engine::ephemeral(Clock::fixed(START), Entropy::seeded(1), site()));
    let world = engine.default_world();
    let params = json!({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]});
    call(&world, "POST /v1/webhook_endpoints", &[], params).await;
    emit(&world, "product.created").await;
    let id = world.read(delivery::pending).remove(0).id;
    let attempt = Attempt {
        at: START,
        status: Some(500),
        error: None,
        duration_ms: 1,
        response: String::new(),
    };
    let set = world.change(Origin::default(), |txn| {
        let part = Settings::of(txn).with("webhook_retries", "7s").unwrap();
        txn.put_record(settings::RECORD.0, settings::RECORD.1, Arc::from(""), part);
        Ok(())
    });
    set.await.unwrap();
    let settle = async |before: usize| {
        let schedule = RetrySchedule::live();
        let settled = world.change(Origin::default(), |txn| {
            Ok(delivery::settle(txn, &id, before, &attempt, &schedule))
        });
        settled.await.unwrap()
    };
    assert_eq!((settle(0).await, settle(1).await), (Some(START.plus(7)), None));
}

/// By hand: `cargo test --release --lib deliver::tests::speed -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; run by hand on a machine that does nothing else"]
async fn speed() {
    let folder = tempfile::tempdir().unwrap();
    for durable in [false, true] {
        let stage = if durable {
            Stage::around(Stage::open(&folder.path().join("sandbox.db")), Options::default())
        } else {
            Stage::start(Options::default())
        };
        let (mut numbers, _) = prompt(&stage).await;
        let world = stage.engine.default_world();
        for count in [10_000, 100_000] {
            emit_many(&world, count, 0..count).await;
            let begun = std::time::Instant::now();
            for _ in 0..count {
                numbers.recv().await.unwrap();
            }
            let sent = begun.elapsed();
            stage.until(none_pending).await;
            let rate = count * 1_000 / usize::try_from(sent.as_millis()).unwrap().max(1);
            eprintln!(
                "durable {durable}, {count} at once: {rate}/s, stored after {:?}",
                begun.elapsed()
            );
        }
        let mut emitted = Vec::new();
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        for number in 0..5_000 {
            ticks.tick().await;
            emit_many(&world, 5_000, number..number + 1).await;
            emitted.push(std::time::Instant::now());
        }
        let mut waits = Vec::new();
        while waits.len() < emitted.len() {
            let came = numbers.recv().await.unwrap();
            waits.push(came.at.saturating_duration_since(emitted[came.number]));
        }
        waits.sort();
        let took = emitted[4_999] - emitted[0];
        eprintln!(
            "durable {durable}, one by one: 5,000 in {took:?}; from commit to POST p50 {:?}, p99 {:?}",
            waits[2_500], waits[4_950]
        );
    }
}
