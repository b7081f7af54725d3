//! The listener: a plain hyper service on one address. `POST /webhook` is the hot path; the pages are only
//! for browsers on this machine.

use crate::domain::notice::LedgerState;
use crate::domain::secret::SigningSecret;
use crate::net::connection::Arriving;
use crate::net::outbound::OutboundError;
use crate::net::server::{self, Limits};
use crate::net::shutdown::{self, Stopper};
use crate::net::tasks::Tasks;
use crate::net::tls::Identity;
use crate::os::clock::{Clock, Stopwatch};
use crate::shop::answer::{self, Answer, BodyError};
use crate::shop::api_key;
use crate::shop::buyer;
use crate::shop::forward::{FORWARDS_MAX, Forwarder};
use crate::shop::intake::{Intake, Received, Secrets};
use crate::shop::listener_event::{EventSink, ListenerEvent, Via};
use crate::shop::locality;
use crate::shop::metrics::{Ended, Metrics};
use crate::shop::second;
use crate::shop::site::{self, Site};
use crate::shop::till;
use crate::store::Ledger;
use crate::store::writer::LedgerBatch;
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long stopping waits for deliveries that are being passed on.
const FORWARDS_END: Duration = Duration::from_secs(5);

/// What browsers read.
const PAGES: [&str; 5] = ["/", "/success", "/cancel", "/config", "/ledger"];

/// What a listener is made of.
#[derive(Debug)]
pub struct ListenerConfig {
    /// Where to listen; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether another port will do where this one is taken.
    pub or_next: bool,
    /// What it proves itself with over TLS; without it, it speaks plain HTTP.
    pub tls: Option<Identity>,
    /// The signing secrets that are believed from the start.
    pub secrets: Vec<SigningSecret>,
    /// How many seconds old a signature may be.
    pub tolerance_s: i64,
    /// Where deliveries are passed on to, once they are durable.
    pub forward_to: Option<String>,
    /// The ledger, for its page.
    pub ledger: Arc<Ledger>,
    /// The ledger's writer.
    pub batch: Arc<LedgerBatch>,
    /// What time it is.
    pub clock: Clock,
    /// The shop's pages; without them only the webhook and the ledger answer.
    pub site: Option<Site>,
    /// Where it is told what was seen.
    pub sink: EventSink,
}

/// Why a listener did not start.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The address cannot be listened on.
    #[error("{addr} cannot be listened on: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is no client to pass deliveries on with.
    #[error(transparent)]
    Forward(#[from] OutboundError),
}

/// A listener at work. Dropping it asks it to stop; [`Running::stop`] also waits.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    /// Where it also speaks plain HTTP: for the sandbox, which trusts no certificate, and for this machine alone.
    plain: Option<SocketAddr>,
    secrets: Secrets,
    stopper: Stopper,
    server: Tasks,
    forwards: Tasks,
    forwarder: Option<Forwarder>,
}

impl Running {
    /// The address that is listened on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The shop's first page.
    pub fn url(&self) -> String {
        let scheme = if self.plain.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// Where deliveries go.
    pub fn webhook_url(&self) -> String {
        format!("{}/webhook", self.url())
    }

    /// Where deliveries of the sandbox go.
    pub fn sandbox_webhook_url(&self) -> String {
        format!("http://{}/webhook", self.plain.unwrap_or(self.addr))
    }

    /// The secrets that are believed, for whoever changes them.
    pub fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// Believes one more signing secret from now on.
    pub fn trust(&self, secret: SigningSecret) {
        self.secrets.trust(secret);
    }

    /// Believes these signing secrets and no others from now on.
    pub fn trust_only(&self, secrets: Vec<SigningSecret>) {
        self.secrets.trust_only(secrets);
    }

    /// How many deliveries were not passed on, because too many were on their way.
    pub fn forwards_dropped(&self) -> u64 {
        self.forwarder.as_ref().map_or(0, Forwarder::dropped)
    }

    /// Takes no more requests, answers those that are open, and lets deliveries that are being passed on end.
    pub async fn stop(self) {
        self.stopper.stop();
        self.server.finish().await;
        if tokio::time::timeout(FORWARDS_END, self.forwards.finish()).await.is_err() {
            tracing::warn!("a delivery was still being passed on when the listener stopped");
        }
    }
}

struct Desk {
    bound: SocketAddr,
    intake: Intake,
    forwarder: Option<Forwarder>,
    forwards: Tasks,
    ledger: Arc<Ledger>,
    site: Option<Site>,
    sink: EventSink,
    metrics: Metrics,
    /// What was the matter with the ledger at the last delivery, by the lane that it took: a person is told when it changes.
    trouble: Mutex<BTreeMap<usize, LedgerState>>,
}

impl Desk {
    /// Whether the ledger takes what comes, or of several servers one does: nothing was the matter with it at the last
    /// delivery, and it can be read.
    async fn is_ready(&self) -> bool {
        let troubled = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).len();
        let trouble = troubled >= self.intake.lanes();
        let ledger = Arc::clone(&self.ledger);
        let read = tokio::task::spawn_blocking(move || ledger.is_readable()).await;
        !trouble && matches!(read, Ok(true))
    }

    fn stands(&self, lane: usize, now: Option<LedgerState>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match now {
            Some(now) => known.insert(lane, now),
            None => known.remove(&lane),
        };
        if before != now {
            // Where one lane is well again and another is not, that one is told.
            let trouble = now.or_else(|| known.values().next().copied());
            self.sink.tell(ListenerEvent::Ledger { at: self.intake.now(), trouble });
        }
    }
}

/// Starts a listener; it answers from the moment that this returns.
pub async fn start(config: ListenerConfig) -> Result<Running, ListenerError> {
    let ListenerConfig { addr, or_next, secrets, tolerance_s, forward_to, .. } = config;
    let forwarder = forward_to.as_deref().map(Forwarder::new).transpose()?;
    let failed = |source| ListenerError::Bind { addr, source };
    let (listener, bound) = server::bound(addr, or_next).await.map_err(failed)?;
    let beside = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let plain = match &config.tls {
        Some(_) => Some(server::bound(beside, false).await.map_err(failed)?),
        None => None,
    };
    let secrets = Secrets::new(secrets);
    let forwards = Tasks::default();
    let desk = Arc::new(Desk {
        bound,
        intake: Intake::new(secrets.clone(), tolerance_s, config.clock, config.batch)
            .for_mode(config.site.as_ref().is_some_and(|site| site.stripe.is_live())),
        forwarder: forwarder.clone(),
        forwards: forwards.clone(),
        ledger: config.ledger,
        site: config.site,
        sink: config.sink,
        metrics: Metrics::default(),
        trouble: Mutex::default(),
    });
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(route(&desk, request).await) }
    });
    let (stopper, stop) = shutdown::pair();
    let server = Tasks::default();
    let limits = Limits { body_time: answer::BODY_TIME, ..Limits::default() };
    let plain = plain.map(|(listener, addr)| {
        server.spawn(server::serve(listener, service.clone(), limits, stop.clone()));
        addr
    });
    server.spawn(server::serve_as(config.tls, listener, service, limits, stop));
    Ok(Running { addr: bound, plain, secrets, stopper, server, forwards, forwarder })
}

async fn route(desk: &Arc<Desk>, request: Request<Arriving>) -> Answer {
    if request.headers().get_all(HOST).iter().count() > 1 {
        return answer::error(400, "two_hosts", "The request has more than one Host header.");
    }
    if matches!(request.uri().path(), "/webhook" | second::WEBHOOK) {
        return webhook(desk, request).await;
    }
    let reading = request.method() == Method::GET || request.method() == Method::HEAD;
    match request.uri().path() {
        "/healthz" if reading => return answer::plain(200, "ok\n".to_owned()),
        path @ ("/readyz" | "/metrics") if reading => {
            return if path == "/readyz" {
                readiness(desk).await
            } else {
                metrics(desk, request.headers()).await
            };
        }
        _ => {}
    }
    let method = request.method().to_string();
    let target = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let answer = page(desk, request).await;
    let (at, status) = (desk.intake.now(), answer.status().as_u16());
    desk.sink.tell(ListenerEvent::Visited { at, method, target, status });
    answer
}

/// Whether deliveries would be taken.
async fn readiness(desk: &Arc<Desk>) -> Answer {
    if desk.is_ready().await {
        return answer::plain(200, "ready\n".to_owned());
    }
    answer::error(503, "not_ready", "The ledger cannot take deliveries.")
}

/// Counts, for whoever may also see the pages.
async fn metrics(desk: &Arc<Desk>, headers: &HeaderMap) -> Answer {
    if locality::local_host(headers, desk.bound).is_none() {
        return answer::error(403, "foreign_host", "The Host header does not name this machine.");
    }
    let dropped = desk.forwarder.as_ref().map_or(0, Forwarder::dropped);
    answer::plain(200, desk.metrics.text(desk.is_ready().await, dropped))
}

async fn page(desk: &Arc<Desk>, request: Request<Arriving>) -> Answer {
    let (parts, body) = request.into_parts();
    let locale = site::locale(&parts.headers);
    let Some(host) = locality::local_host(&parts.headers, desk.bound) else {
        return answer::error(403, "foreign_host", "The Host header does not name this machine.");
    };
    let reading = parts.method == Method::GET || parts.method == Method::HEAD;
    match (parts.uri.path(), &desk.site) {
        (path, _)
            if (path == "/ledger" || buyer::READS.contains(&path))
                && !desk.bound.ip().is_loopback() =>
        {
            answer::error(403, "not_loopback", "The ledger is shown on a loopback address only.")
        }
        ("/ledger", _) if reading => site::ledger(Arc::clone(&desk.ledger), &parts.headers).await,
        ("/", Some(site)) if reading => site.home(locale),
        ("/success", Some(site)) if reading => site.success(locale, parts.uri.query()).await,
        ("/cancel", Some(_)) if reading => site::cancel(locale),
        ("/config", Some(site)) if reading => site.config(),
        (path, Some(site)) if reading && buyer::READS.contains(&path) => {
            let query = parts.uri.query().unwrap_or_default();
            site.read(path, locale, Arc::clone(&desk.ledger), query).await
        }
        (api_key::API, Some(site)) if reading => {
            site.tea(Arc::clone(&desk.ledger), &parts.headers).await
        }
        (path, _)
            if !reading
                && path != buyer::ORDERS
                && (PAGES.contains(&path) || buyer::READS.contains(&path)) =>
        {
            answer::method_not_allowed("GET, HEAD")
        }
        ("/checkout", Some(_)) if parts.method != Method::POST => {
            answer::method_not_allowed("POST")
        }
        ("/checkout", Some(_)) if !locality::same_origin(&parts.headers, host) => {
            site::foreign_form(locale)
        }
        ("/checkout", Some(site)) => match answer::read_body(body).await {
            Ok(form) => site.checkout(locale, host, &form).await,
            Err(fault) => answer::body_fault(fault),
        },
        (route, Some(site)) if till::ROUTES.contains(&route) => {
            if parts.method != Method::POST {
                return answer::method_not_allowed("POST");
            }
            if !desk.bound.ip().is_loopback() {
                return answer::error(
                    403,
                    "not_loopback",
                    "This is done on a loopback address only.",
                );
            }
            if !locality::same_origin(&parts.headers, host) {
                return site::foreign_form(locale);
            }
            match answer::read_body(body).await {
                Ok(form) => site.till(route, (locale, host), Arc::clone(&desk.ledger), &form).await,
                Err(fault) => answer::body_fault(fault),
            }
        }
        _ => site::not_found(locale),
    }
}

async fn webhook(desk: &Arc<Desk>, request: Request<Arriving>) -> Answer {
    let began = desk.intake.clock().stopwatch();
    if request.method() != Method::POST {
        return rejected(desk, began, "method_not_allowed", answer::method_not_allowed("POST"));
    }
    let (parts, body) = request.into_parts();
    let body = match answer::read_body(body).await {
        Ok(body) => body,
        Err(fault) => {
            let cause = match fault {
                BodyError::TooLong => "body_too_long",
                BodyError::TooSlow => "body_too_slow",
                BodyError::Broken => "body_broken",
            };
            return rejected(desk, began, cause, answer::body_fault(fault));
        }
    };
    let delivered = if parts.uri.path() == second::WEBHOOK {
        let Some(second) = desk.site.as_ref().and_then(|site| site.second.as_ref()) else {
            return answer::error(404, "no_second", "There is no second provider.");
        };
        second.hear(&desk.intake, &parts.headers, &body).await
    } else {
        let signature = parts.headers.get("stripe-signature");
        desk.intake.deliver(signature.and_then(|value| value.to_str().ok()), &body).await
    };
    match delivered {
        Ok(received) => {
            desk.stands(received.lane, None);
            accepted(desk, began, received, parts.headers, body);
            answer::received()
        }
        Err(refusal) => {
            tracing::debug!(%refusal, "a delivery was refused");
            if let Some((lane, trouble)) = refusal.trouble() {
                desk.stands(lane, Some(trouble));
            }
            let text = refusal.to_string();
            let answer = answer::error(refusal.status(), refusal.name(), &text);
            rejected(desk, began, refusal.name(), answer)
        }
    }
}

/// Tells of a delivery once it was also passed on, if it is to be. The sender does not wait for that.
fn accepted(
    desk: &Arc<Desk>,
    began: Stopwatch,
    received: Received,
    headers: HeaderMap,
    body: Vec<u8>,
) {
    let ended = match (&received.accepted.problem, received.accepted.fresh) {
        (_, false) => Ended::Duplicate,
        (Some(_), true) => Ended::NotBooked,
        (None, true) => Ended::Recorded,
    };
    desk.metrics.count(ended, began.ms());
    let seen = sight(desk, began.ms(), received);
    let Some(forwarder) = desk.forwarder.clone() else {
        desk.sink.tell(seen);
        return;
    };
    let sink = desk.sink.clone();
    let Some(place) = forwarder.place() else {
        let cause = format!("{FORWARDS_MAX} deliveries are being passed on already");
        sink.tell(with_forward(seen, Err(cause)));
        return;
    };
    desk.forwards.spawn(async move {
        let outcome = forwarder.pass(headers, body).await;
        drop(place);
        sink.tell(with_forward(seen, outcome));
    });
}

fn sight(desk: &Desk, took_ms: u64, received: Received) -> ListenerEvent {
    received.seen(desk.intake.now(), Via::Webhook, took_ms)
}

fn with_forward(mut seen: ListenerEvent, outcome: Result<u16, String>) -> ListenerEvent {
    if let ListenerEvent::Accepted { forwarded, .. } = &mut seen {
        *forwarded = Some(outcome);
    }
    seen
}

fn rejected(desk: &Desk, began: Stopwatch, cause: &'static str, answer: Answer) -> Answer {
    let status = answer.status().as_u16();
    let at = desk.intake.now();
    desk.metrics.count(Ended::Rejected(cause), began.ms());
    desk.sink.tell(ListenerEvent::Rejected { at, status, cause, took_ms: began.ms() });
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::entry::EntryStatus;
    use crate::domain::money::Money;
    use crate::domain::secret::ApiKey;
    use crate::domain::signature::{TOLERANCE_S, sign};
    use crate::domain::time::Timestamp;
    use crate::net::outbound::{self, Patience, Reach};
    use crate::store::keyring::Keyring;
    use crate::store::{FILE, Filter};
    use crate::stripe::Stripe;
    use crate::stripe::fake::Fake;
    use crate::stripe::retry::Retries;
    use serde_json::{Value, json};
    use tokio::sync::mpsc;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    struct Shop {
        running: Running,
        ledger: Arc<Ledger>,
        seen: mpsc::Receiver<ListenerEvent>,
        http: outbound::Client,
        _folder: tempfile::TempDir,
    }

    fn secret() -> SigningSecret {
        SigningSecret::read("whsec_test").unwrap()
    }

    async fn shop_with(change: impl FnOnce(&mut ListenerConfig)) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::open(&folder.path().join(FILE)).unwrap());
        let batch = Arc::new(ledger.writer().unwrap().start());
        let (sink, seen) = EventSink::channel();
        let mut config = ListenerConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            or_next: false,
            tls: None,
            secrets: vec![secret()],
            tolerance_s: TOLERANCE_S,
            forward_to: None,
            ledger: Arc::clone(&ledger),
            batch,
            clock: Clock::fixed(NOW),
            site: None,
            sink,
        };
        change(&mut config);
        let running = start(config).await.unwrap();
        let http = outbound::client(Reach::Plain, Patience::API).unwrap();
        Shop { running, ledger, seen, http, _folder: folder }
    }

    async fn shop() -> Shop {
        shop_with(|_| {}).await
    }

    #[tokio::test]
    async fn a_watcher_is_told_that_it_runs_whether_it_is_ready_and_what_came() {
        let shop = shop().await;
        let asked = async |path: &str| {
            let answer =
                shop.http.get(format!("{}{path}", shop.running.url())).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(asked("/healthz").await, (200, "ok\n".to_owned()));
        assert_eq!(asked("/readyz").await.0, 200);
        assert_eq!(shop.signed(body("evt_1")).await.0, 200);
        assert_eq!(shop.signed(body("evt_1")).await.0, 200);
        assert_eq!(shop.deliver(Some("t=1,v1=00"), body("evt_2")).await.0, 400);
        let (status, text) = asked("/metrics").await;
        assert_eq!(status, 200);
        for line in [
            "outcome=\"recorded\"} 1",
            "outcome=\"duplicate\"} 1",
            "answer=\"rejected\"",
            "stripegym_ready 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        // A secret that is rolled is believed from the next delivery on, and the old one no more once it is taken out.
        let next = SigningSecret::read("whsec_next").unwrap();
        shop.running.secrets().trust_only(vec![secret(), next.clone()]);
        let header = sign(&next, NOW, &body("evt_3"));
        assert_eq!(shop.deliver(Some(&header), body("evt_3")).await.0, 200);
        assert_eq!(shop.signed(body("evt_4")).await.0, 200);
        shop.running.secrets().trust_only(vec![next]);
        assert_eq!(shop.signed(body("evt_5")).await.0, 400);
        // A ledger that is not there takes nothing.
        std::fs::remove_file(shop.ledger.path()).unwrap();
        assert_eq!(asked("/readyz").await.0, 503);
    }

    fn body(id: &str) -> Vec<u8> {
        json!({"id": id, "object": "event", "type": "checkout.session.completed", "created": 5,
            "data": {"object": {"id": "cs_1", "amount_total": 500, "currency": "jpy", "created": 4,
            "payment_status": "paid", "payment_intent": "pi_1"}}})
        .to_string()
        .into_bytes()
    }

    impl Shop {
        async fn deliver(&self, header: Option<&str>, body: Vec<u8>) -> (u16, Value) {
            let mut request = self.http.post(self.running.webhook_url()).body(body);
            if let Some(header) = header {
                request = request.header("Stripe-Signature", header);
            }
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.json().await.unwrap())
        }

        async fn signed(&self, body: Vec<u8>) -> (u16, Value) {
            let header = sign(&secret(), NOW, &body);
            self.deliver(Some(&header), body).await
        }

        fn get(&self, path: &str) -> reqwest::RequestBuilder {
            self.http.get(format!("{}{path}", self.running.url()))
        }

        fn untouched(&self) -> bool {
            self.ledger.events_count().unwrap() == 0
                && self.ledger.rows(&Filter::default()).unwrap().is_empty()
        }
    }

    #[tokio::test]
    async fn a_signed_event_is_durable_before_it_is_acknowledged() {
        let mut shop = shop().await;
        assert_eq!(shop.signed(body("evt_1")).await, (200, json!({"received": true})));
        assert_eq!(shop.ledger.event("evt_1").unwrap().unwrap().body, body("evt_1"));
        let rows = shop.ledger.rows(&Filter::default()).unwrap();
        assert_eq!((rows.len(), rows[0].record.status), (1, EntryStatus::Paid));
        let Some(ListenerEvent::Accepted { fresh: true, changes, event, .. }) =
            shop.seen.recv().await
        else {
            panic!("the delivery was not told")
        };
        assert_eq!((event.as_str(), changes.len()), ("evt_1", 1));
        shop.running.stop().await;
    }

    #[tokio::test]
    async fn twenty_at_once_and_three_times_over_leave_one_row() {
        let shop = Arc::new(shop().await);
        let mut calls = tokio::task::JoinSet::new();
        for n in 0..60 {
            let shop = Arc::clone(&shop);
            calls.spawn(async move { shop.signed(body(&format!("evt_{}", n % 3))).await.0 });
        }
        while let Some(status) = calls.join_next().await {
            assert_eq!(status.unwrap(), 200);
        }
        assert_eq!(shop.ledger.events_count().unwrap(), 3);
        assert_eq!(shop.ledger.rows(&Filter::default()).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_not_signed_as_it_should_be_is_refused_with_its_cause_and_changes_nothing() {
        let mut shop = shop().await;
        let good = sign(&secret(), NOW, &body("evt_1"));
        let stale = sign(&secret(), NOW.plus(-301), &body("evt_1"));
        let foreign = sign(&SigningSecret::read("whsec_other").unwrap(), NOW, &body("evt_1"));
        let v0 = good.replace("v1=", "v0=");
        let cases = [
            (None, "no_header"),
            (Some("rubbish"), "unparsable"),
            (Some(v0.as_str()), "no_v1_scheme"),
            (Some(foreign.as_str()), "mismatch"),
            (Some(stale.as_str()), "too_old"),
        ];
        for (header, cause) in cases {
            let (status, answer) = shop.deliver(header, body("evt_1")).await;
            assert_eq!((status, answer["error"]["cause"].as_str()), (400, Some(cause)));
            let told = shop.seen.recv().await.unwrap();
            assert!(
                matches!(told, ListenerEvent::Rejected { status: 400, cause: c, .. } if c == cause)
            );
        }
        let (status, answer) = shop.deliver(Some(&good), body("evt_2")).await;
        assert_eq!((status, answer["error"]["cause"].as_str()), (400, Some("mismatch")));
        for (bytes, cause) in [(b"{\"id\":".to_vec(), "not_json"), (b"{}".to_vec(), "not_an_event")]
        {
            let (status, answer) = shop.signed(bytes).await;
            assert_eq!((status, answer["error"]["cause"].as_str()), (400, Some(cause)));
        }
        let (status, _) = shop.signed(vec![b' '; 2 * 1024 * 1024]).await;
        assert_eq!(status, 413);
        let got = shop.get("/webhook").send().await.unwrap();
        assert_eq!(
            (got.status().as_u16(), got.headers()["allow"].to_str().unwrap()),
            (405, "POST")
        );
        assert!(shop.untouched());
    }

    #[tokio::test]
    async fn a_secret_learned_after_the_start_is_believed() {
        let shop = shop_with(|config| config.secrets.clear()).await;
        let (status, answer) = shop.signed(body("evt_1")).await;
        assert_eq!((status, answer["error"]["cause"].as_str()), (400, Some("blank_secret")));
        shop.running.trust(secret());
        assert_eq!(shop.signed(body("evt_1")).await.0, 200);
    }

    #[tokio::test]
    async fn what_comes_before_its_secret_waits_while_that_is_asked_for() {
        let shop = shop_with(|config| config.secrets.clear()).await;
        let awaited = shop.running.secrets().awaiting();
        let mut sent = Box::pin(shop.signed(body("evt_1")));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut sent).await;
        assert!(early.is_err(), "nothing is refused yet");
        shop.running.trust(secret());
        drop(awaited);
        assert_eq!(sent.await.0, 200);
        let awaited = shop.running.secrets().awaiting();
        let forged = sign(&SigningSecret::read("whsec_other").unwrap(), NOW, &body("evt_2"));
        let mut sent = Box::pin(shop.deliver(Some(&forged), body("evt_2")));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut sent).await;
        assert!(early.is_err());
        drop(awaited);
        assert_eq!(sent.await.0, 400, "what no secret fits is refused in the end");
    }

    #[tokio::test]
    async fn a_ledger_that_cannot_store_is_never_acknowledged() {
        let shop = shop().await;
        let saboteur = rusqlite::Connection::open(shop.ledger.path()).unwrap();
        saboteur.execute_batch("DROP TABLE events").unwrap();
        let (status, answer) = shop.signed(body("evt_1")).await;
        assert_eq!(status, 500);
        assert!(answer["error"]["cause"].is_string());
    }

    #[tokio::test]
    async fn deliveries_are_passed_on_as_they_came_and_a_failure_there_is_only_told() {
        let behind = Fake::start(|_, n| (if n == 0 { 200 } else { 500 }, vec![], json!({}))).await;
        let url = format!("{}/hook?x=1", behind.base);
        let mut shop = shop_with(|config| config.forward_to = Some(url)).await;
        for status in [200, 500] {
            assert_eq!(shop.signed(body("evt_1")).await.0, 200);
            let told = shop.seen.recv().await.unwrap();
            assert!(
                matches!(told, ListenerEvent::Accepted { forwarded: Some(Ok(s)), .. } if s == status)
            );
        }
        let asked = behind.asked();
        assert_eq!(asked[0].target, "/hook?x=1");
        assert_eq!(asked[0].body.as_bytes(), body("evt_1"));
        let header = asked[0].header("stripe-signature").unwrap();
        assert_eq!(header, sign(&secret(), NOW, &body("evt_1")));
        let (status, _) = shop.deliver(None, body("evt_2")).await;
        assert_eq!((status, behind.asked().len()), (400, 2), "only what is genuine is passed on");
    }

    #[tokio::test]
    async fn a_target_that_hangs_gets_so_many_deliveries_and_no_more() {
        // Takes connections and never answers.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", silent.local_addr().unwrap());
        let mut shop = shop_with(|config| config.forward_to = Some(url)).await;
        let more = 20;
        for n in 0..FORWARDS_MAX + more {
            assert_eq!(shop.signed(body(&format!("evt_{n}"))).await.0, 200);
        }
        assert_eq!(shop.running.forwards_dropped(), u64::try_from(more).unwrap());
        for _ in 0..more {
            let told = shop.seen.recv().await.unwrap();
            let ListenerEvent::Accepted { forwarded: Some(Err(cause)), .. } = told else {
                panic!("{told:?}")
            };
            assert!(cause.contains("being passed on already"), "{cause}");
        }
    }

    fn site(base: &str) -> Site {
        let key = ApiKey::read("sk_test_secretsecret").unwrap();
        Site {
            stripe: Stripe::with_retries(base, key, Retries::NONE).unwrap(),
            publishable: ApiKey::read("pk_test_publishable"),
            product: "T-shirt <b>".to_owned(),
            price: Money::new(500, Currency::JPY),
            price_id: None,
            second: None,
            keys: Keyring::at(std::path::Path::new("none")),
        }
    }

    async fn shop_of(provider: &Fake) -> Shop {
        let site = site(&provider.base);
        shop_with(|config| config.site = Some(site)).await
    }

    #[tokio::test]
    async fn buying_creates_a_session_and_leads_to_its_page() {
        let provider = Fake::start(|asked, _| match asked.method.as_str() {
            "POST" => (200, vec![], json!({"id": "cs_1", "url": "http://127.0.0.1:1/c/pay/cs_1"})),
            _ => (
                200,
                vec![],
                json!({"id": "cs_1", "status": "complete", "payment_status": "paid",
                "amount_total": 1500, "currency": "jpy"}),
            ),
        })
        .await;
        let shop = shop_of(&provider).await;
        let page = shop.get("/").header("accept-language", "ja").send().await.unwrap();
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        let page = page.text().await.unwrap();
        assert!(page.contains("購入する") && page.contains("¥500") && !page.contains("<b>"));
        let url = format!("{}/checkout", shop.running.url());
        let bought = shop.http.post(&url).body("quantity=3").send().await.unwrap();
        assert_eq!(bought.status().as_u16(), 303);
        assert_eq!(bought.headers()["location"], "http://127.0.0.1:1/c/pay/cs_1");
        let form = provider.asked()[0].body.clone();
        assert!(form.contains("line_items[0][quantity]=3") && form.contains("[unit_amount]=500"));
        assert!(form.contains("success%3Fsession_id%3D%7BCHECKOUT_SESSION_ID%7D"), "{form}");
        let done = shop.get("/success?session_id=cs_1").send().await.unwrap().text().await.unwrap();
        assert!(done.contains("The payment succeeded") && done.contains("¥1,500"));
        let config: Value = shop.get("/config").send().await.unwrap().json().await.unwrap();
        assert_eq!(config, json!({"publishableKey": "pk_test_publishable"}));
        assert_eq!(shop.get("/checkout").send().await.unwrap().status(), 405);
        assert_eq!(shop.get("/cancel").send().await.unwrap().status(), 200);
        assert_eq!(shop.get("/nowhere").send().await.unwrap().status(), 404);
    }

    #[tokio::test]
    async fn other_sites_and_other_names_get_nothing() {
        let provider = Fake::start(|_, _| (200, vec![], json!({}))).await;
        let shop = shop_of(&provider).await;
        for path in ["/", "/ledger", "/config", "/access?email=a%40b", "/users/cards?user=a"] {
            let answer = shop.get(path).header("host", "evil.test").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path}");
        }
        for route in till::ROUTES.into_iter().chain(["/checkout"]) {
            // A user's orders are read at the same address, which has to name the user.
            let unasked = if route == "/orders" { 400 } else { 405 };
            assert_eq!(shop.get(route).send().await.unwrap().status(), unasked, "{route}");
            let url = format!("{}{route}", shop.running.url());
            let odd = [
                ("origin", "http://evil.test"),
                ("origin", "null"),
                ("sec-fetch-site", "cross-site"),
            ];
            for (name, value) in odd {
                let answer = shop.http.post(&url).header(name, value).send().await.unwrap();
                assert_eq!(answer.status(), 403, "{route}: {name}: {value}");
            }
            if route != "/checkout" {
                let empty = shop.http.post(&url).send().await.unwrap();
                assert_eq!(empty.status(), 400, "{route}");
            }
        }
        let url = format!("{}/checkout", shop.running.url());
        let answer = shop.http.post(&url).header("origin", shop.running.url()).body("quantity=0");
        assert_eq!(answer.send().await.unwrap().status(), 400);
        assert!(provider.asked().is_empty());
    }

    #[tokio::test]
    async fn what_is_asked_twice_has_one_key_and_a_refusal_is_said() {
        let provider = Fake::start(|asked, _| match asked.target.split('?').next().unwrap() {
            "/v1/checkout/sessions/cs_1" => {
                (200, vec![], json!({"id": "cs_1", "payment_intent": "pi_1"}))
            }
            "/v1/checkout/sessions/cs_2" => {
                (200, vec![], json!({"id": "cs_2", "payment_intent": null}))
            }
            "/v1/refunds" => (200, vec![], json!({"id": "re_1", "status": "succeeded"})),
            "/v1/disputes/dp_1" => (200, vec![], json!({"id": "dp_1", "status": "under_review"})),
            "/v1/customers" => (200, vec![], json!({"data": [{"id": "cus_1"}]})),
            "/v1/customers/cus_1/payment_methods" => {
                (200, vec![], json!({"data": [{"id": "pm_1"}]}))
            }
            _ => (
                402,
                vec![],
                json!({"error": {"type": "card_error", "code": "authentication_required",
                "message": "Your card was declined."}}),
            ),
        })
        .await;
        let shop = shop_of(&provider).await;
        let post = async |route: &str, form: &str| {
            let url = format!("{}{route}", shop.running.url());
            shop.http.post(&url).body(form.to_owned()).send().await.unwrap().status().as_u16()
        };
        let form = "session_id=cs_1&amount=200&order=0123-abcd";
        assert_eq!((post("/refund", form).await, post("/refund", form).await), (200, 200));
        let keys: Vec<_> = provider
            .asked()
            .iter()
            .filter(|it| it.target == "/v1/refunds")
            .map(|it| {
                assert!(it.body.contains("amount=200"), "{}", it.body);
                it.header("idempotency-key").unwrap().to_owned()
            })
            .collect();
        assert_eq!(keys, ["refund-0123-abcd"; 2]);
        assert_eq!(post("/refund", "session_id=cs_2").await, 409, "nothing was paid");
        assert_eq!(post("/evidence", "dispute=dp_1").await, 409, "nothing is asked");
        let charge = "email=ann%40example.com&amount=700&order=0123-abcd";
        assert_eq!(post("/cards/charge", charge).await, 402);
        let asked = provider.asked();
        let last = asked.last().unwrap();
        assert!(
            last.body.contains("off_session=true") && last.body.contains("payment_method=pm_1")
        );
    }

    #[tokio::test]
    async fn whoever_subscribes_is_led_to_a_page_and_only_to_their_own() {
        let provider = Fake::start(|asked, _| {
            let answer = match asked.target.split('?').next().unwrap() {
                "/v1/customers" if asked.target.contains("ann") => {
                    json!({"data": [{"id": "cus_a"}]})
                }
                "/v1/customers" if asked.target.contains("bea") => {
                    json!({"data": [{"id": "cus_b"}]})
                }
                "/v1/subscriptions" if asked.target.contains("cus_a") => {
                    json!({"data": [{"status": "past_due"}]})
                }
                "/v1/subscriptions" => json!({"data": [{"status": "incomplete"}]}),
                "/v1/checkout/sessions" => {
                    json!({"id": "cs_1", "url": "http://127.0.0.1:1/c/pay/cs_1"})
                }
                "/v1/billing_portal/sessions" => json!({"url": "http://127.0.0.1:1/p/session/x"}),
                _ => json!({"data": []}),
            };
            (200, vec![], answer)
        })
        .await;
        let shop = shop_of(&provider).await;
        let post = async |route: &str, form: &str| {
            let url = format!("{}{route}", shop.running.url());
            shop.http.post(&url).body(form.to_owned()).send().await.unwrap().status().as_u16()
        };
        assert_eq!(post("/subscribe", "email=ann%40example.com").await, 409, "one is enough");
        assert_eq!(post("/subscribe", "email=bea%40example.com").await, 303);
        let begun = provider.asked().last().unwrap().body.clone();
        for wanted in ["mode=subscription", "customer=cus_b", "[recurring][interval]=month"] {
            assert!(begun.contains(wanted), "{begun}");
        }
        assert_eq!(post("/portal", "email=ann%40example.com&customer=cus_b").await, 303);
        let opened = provider.asked().last().unwrap().body.clone();
        assert!(opened.contains("customer=cus_a") && opened.contains("return_url"), "{opened}");
        assert_eq!(post("/portal", "email=eve%40example.com&customer=cus_b").await, 404);
        let access = shop.get("/access?email=bea%40example.com").send().await.unwrap();
        let access: Value = access.json().await.unwrap();
        assert_eq!(access, json!({"access": false, "paid": 0, "total": 0}));
        assert_eq!(shop.get("/access").send().await.unwrap().status(), 400);
    }

    #[tokio::test]
    async fn a_payment_is_the_shops_own_and_a_card_is_only_its_users() {
        let provider = Fake::start(|asked, _| {
            let answer = match asked.target.split('?').next().unwrap() {
                "/v1/payment_intents" => json!({"id": "pi_1", "client_secret": "pi_1_secret_x"}),
                "/v1/payment_intents/pi_1" => {
                    json!({"id": "pi_1", "status": "succeeded", "amount": 500, "currency": "jpy"})
                }
                _ => json!({"id": "cus_1", "data": []}),
            };
            (200, vec![], answer)
        })
        .await;
        let shop = shop_of(&provider).await;
        let post = async |route: &str, form: &str| {
            let url = format!("{}{route}", shop.running.url());
            shop.http.post(&url).body(form.to_owned()).send().await.unwrap()
        };
        let begun = post("/intents", "order=0123-abcd&amount=1&currency=usd").await;
        let begun: Value = begun.json().await.unwrap();
        assert_eq!(begun, json!({"payment_intent": "pi_1", "client_secret": "pi_1_secret_x"}));
        let asked = provider.asked().last().unwrap().clone();
        for wanted in ["amount=500", "currency=jpy", "metadata[order]=0123-abcd"] {
            assert!(asked.body.contains(wanted), "{}", asked.body);
        }
        assert_eq!(asked.header("idempotency-key"), Some("intent-0123-abcd"));
        // Coming back with a word of thanks in the address pays nothing.
        let back = shop.get("/intents/return?payment_intent=pi_1&redirect_status=succeeded");
        assert_eq!(back.send().await.unwrap().status(), 200);
        let order: Value =
            shop.get("/order?order=0123-abcd").send().await.unwrap().json().await.unwrap();
        assert_eq!(order, json!({"status": "unpaid", "amount": 0}));
        assert_eq!(shop.get("/order").send().await.unwrap().status(), 400);
        assert_eq!(post("/order", "").await.status(), 405);
        assert_eq!(post("/users", "user=ann&email=ann%40example.com").await.status(), 200);
        let keys: Vec<_> =
            provider.asked().iter().rev().take(2).map(|it| it.target.clone()).collect();
        assert_eq!(keys, ["/v1/customers/cus_1", "/v1/customers"]);
        // Nothing was told of a customer of theirs yet.
        assert_eq!(post("/users/default", "user=ann&card=pm_1").await.status(), 404);
        assert_eq!(shop.get("/users/cards?user=ann").send().await.unwrap().status(), 404);
    }

    #[tokio::test]
    async fn a_provider_that_fails_is_told_without_secrets() {
        let provider = Fake::start(|_, _| {
            (404, vec![], json!({"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such"}}))
        })
        .await;
        let shop = shop_of(&provider).await;
        let missing = shop.get("/success?session_id=cs_9").send().await.unwrap();
        assert_eq!(missing.status(), 404);
        let failed =
            shop.http.post(format!("{}/checkout", shop.running.url())).send().await.unwrap();
        assert_eq!(failed.status(), 502);
        assert!(!failed.text().await.unwrap().contains("secretsecret"));
    }

    #[tokio::test]
    async fn the_ledger_is_json_for_programs_and_a_table_for_browsers() {
        let shop = shop().await;
        shop.signed(body("evt_1")).await;
        let json: Value = shop.get("/ledger").send().await.unwrap().json().await.unwrap();
        assert_eq!(json["rows"][0]["session_id"], "cs_1");
        assert_eq!(json["totals"][0]["paid"], 500);
        let page = shop.get("/ledger").header("accept", "text/html,*/*").send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains("<table>") && page.contains("¥500") && page.contains("paid"));
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_or_another_port() {
        let first = shop().await;
        let addr = first.running.addr();
        let second = shop_with(|config| {
            config.addr = addr;
            config.or_next = true;
        })
        .await;
        assert_ne!(second.running.addr(), addr);
        second.running.stop().await;
        assert_eq!(first.signed(body("evt_1")).await.0, 200);
    }
}
