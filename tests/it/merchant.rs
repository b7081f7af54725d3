//! The merchant's parts against a real sandbox in the same process: hear, record, refund, reconcile, poll.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stripegym::parts::{
    ApiKey, Clock, Currency, Entropy, EventSink, FILE, Filter, Gathered, Intake, Keyring, Ledger,
    LedgerBatch, ListenerConfig, ListenerEvent, Money, Poller, Reconciliation, Running, Secrets,
    SigningSecret, Site, Stripe, TOLERANCE_S, Verdict, Window, gather, host, listener, reconcile,
};
use tokio::sync::mpsc;

struct World {
    sandbox: host::Running,
    stripe: Stripe,
    ledger: Arc<Ledger>,
    batch: Arc<LedgerBatch>,
    clock: Clock,
    sink: EventSink,
    seen: mpsc::Receiver<ListenerEvent>,
    folder: tempfile::TempDir,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let mut options = host::Options::new(None, clock.clone(), Entropy::seeded(1));
    options.addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let sandbox = host::start(options).await.unwrap();
    let key = ApiKey::read("sk_test_stripegym0123456789").unwrap();
    let stripe = Stripe::new(sandbox.base_url(), key).unwrap();
    let ledger = Arc::new(Ledger::open(&folder.path().join(FILE)).unwrap());
    let batch = Arc::new(ledger.writer().unwrap().start());
    let (sink, seen) = EventSink::channel();
    World { sandbox, stripe, ledger, batch, clock, sink, seen, folder }
}

impl World {
    /// A listener that the sandbox delivers to.
    async fn listen(&self) -> Running {
        let site = Site {
            stripe: self.stripe.clone(),
            publishable: None,
            product: "Tea".to_owned(),
            price: Money::new(500, Currency::JPY),
            price_id: None,
            second: None,
            keys: Keyring::at(self.folder.path()),
        };
        let running = listener::start(ListenerConfig {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            or_next: false,
            tls: None,
            secrets: Vec::new(),
            tolerance_s: TOLERANCE_S,
            forward_to: None,
            ledger: Arc::clone(&self.ledger),
            batch: Arc::clone(&self.batch),
            clock: self.clock.clone(),
            site: Some(site),
            sink: self.sink.clone(),
        })
        .await
        .unwrap();
        let endpoint = self
            .stripe
            .create_webhook_endpoint(&running.webhook_url(), &["*"], "test", &json!({}))
            .await
            .unwrap();
        running.trust(SigningSecret::read(endpoint["secret"].as_str().unwrap()).unwrap());
        running
    }

    async fn pay(&self) -> Value {
        let params = json!({
            "mode": "payment",
            "success_url": "http://localhost/success",
            "line_items": [{"quantity": 2, "price_data": {"currency": "jpy", "unit_amount": 250,
                "product_data": {"name": "Tea"}}}],
        });
        let session = self.stripe.create_session(&params).await.unwrap();
        let id = session["id"].as_str().unwrap();
        let card = json!({"payment_method": "pm_card_visa", "expected_amount": 500});
        self.stripe.confirm_payment_page(id, &card).await.unwrap();
        self.stripe.session(id).await.unwrap()
    }

    async fn heard(&mut self, wanted: &str) {
        let wait = Duration::from_secs(20);
        loop {
            let seen = tokio::time::timeout(wait, self.seen.recv()).await;
            match seen.unwrap_or_else(|_| panic!("`{wanted}` did not come")).unwrap() {
                ListenerEvent::Accepted { kind, problem, .. } => {
                    assert_eq!(problem, None);
                    if kind == wanted {
                        return;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn statuses(&self) -> Vec<&'static str> {
        let rows = self.ledger.rows(&Filter::default()).unwrap();
        rows.iter().map(|row| row.record.status.name()).collect()
    }

    async fn compare(&self) -> (Gathered, Reconciliation) {
        let gathered = gather(&self.stripe, Window::default(), self.clock.now()).await.unwrap();
        assert!(gathered.unreadable.is_empty(), "{:?}", gathered.unreadable);
        let rows = self.ledger.rows(&Filter::default()).unwrap();
        let ours: Vec<_> = rows.into_iter().map(|row| row.record).collect();
        let found = reconcile(&ours, &gathered.provided.records());
        (gathered, found)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_and_refunded_is_heard_booked_and_found_equal() {
    let mut world = world().await;
    let running = world.listen().await;
    let session = world.pay().await;
    assert_eq!(
        (&session["status"], &session["payment_status"]),
        (&json!("complete"), &json!("paid"))
    );
    world.heard("checkout.session.completed").await;
    assert_eq!(world.statuses(), ["paid"]);
    assert!(world.compare().await.1.is_clean());
    let refund = json!({"payment_intent": session["payment_intent"], "amount": 200});
    world.stripe.post("/v1/refunds", &refund).await.unwrap();
    world.heard("charge.refunded").await;
    assert_eq!(world.statuses(), ["partially_refunded"]);
    assert!(world.compare().await.1.is_clean());
    running.stop().await;
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_heard_is_found_and_repaired() {
    let world = world().await;
    let session = world.pay().await;
    let refund = json!({"payment_intent": session["payment_intent"]});
    let refund = world.stripe.post("/v1/refunds", &refund).await.unwrap();
    let (_, found) = world.compare().await;
    assert_eq!(found.count(Verdict::MissingInLedger), 1);
    // What the provider shows of both, taken in as it stands.
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("shown.jsonl");
    std::fs::write(&shown, format!("{session}\n{refund}\n")).unwrap();
    let done = world
        .ledger
        .import(&stripegym::parts::LedgerPlace::File(shown), world.clock.now())
        .unwrap();
    assert_eq!((done.fresh, done.unreadable.len()), (2, 0));
    assert_eq!(world.statuses(), ["refunded"]);
    assert!(world.compare().await.1.is_clean());
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polling_hears_the_same_as_deliveries() {
    let world = world().await;
    world.pay().await;
    world.pay().await;
    let secrets = Secrets::default();
    let batch = Arc::clone(&world.batch);
    let poller = Poller {
        stripe: world.stripe.clone(),
        ledger: Arc::clone(&world.ledger),
        intake: Intake::new(secrets, TOLERANCE_S, world.clock.clone(), batch),
        cursor: "events".to_owned(),
        sink: world.sink.clone(),
    };
    let first = poller.once().await.unwrap();
    assert!(first.fresh >= 2 && first.unreadable == 0, "{first:?}");
    assert_eq!(world.statuses(), ["paid", "paid"]);
    // What follows a payment later (`charge.updated`) may be new; what was read before is not.
    let second = poller.once().await.unwrap();
    assert!(second.read >= first.read && second.fresh <= second.read - first.read, "{second:?}");
    assert_eq!(world.statuses(), ["paid", "paid"]);
    assert!(world.compare().await.1.is_clean());
    world.sandbox.stop().await;
}
