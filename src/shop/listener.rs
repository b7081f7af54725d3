//! The listener: a plain hyper service on one address. `POST /webhook` is the hot path; the pages are only
//! for browsers on this machine.

use crate::domain::secret::SigningSecret;
use crate::net::outbound::OutboundError;
use crate::net::server::{self, Limits};
use crate::net::shutdown::{self, Stopper};
use crate::net::tasks::Tasks;
use crate::os::clock::Clock;
use crate::shop::answer::{self, Answer, BodyFault};
use crate::shop::forward::Forwarder;
use crate::shop::intake::{Intake, Received, Secrets};
use crate::shop::locality;
use crate::shop::seen::{Seen, Sights, Via};
use crate::shop::site::{self, Site};
use crate::store::Ledger;
use crate::store::writer::LedgerBatch;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long stopping waits for deliveries that are being passed on.
const FORWARDS_END: Duration = Duration::from_secs(5);

/// What a listener is made of.
#[derive(Debug)]
pub struct ListenerConfig {
    /// Where to listen; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether another port will do where this one is taken.
    pub or_next: bool,
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
    pub sights: Sights,
}

/// Why a listener did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
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
    secrets: Secrets,
    stopper: Stopper,
    server: Tasks,
    forwards: Tasks,
}

impl Running {
    /// The address that is listened on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The shop's first page.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where deliveries go.
    pub fn webhook_url(&self) -> String {
        format!("http://{}/webhook", self.addr)
    }

    /// Believes one more signing secret from now on.
    pub fn trust(&self, secret: SigningSecret) {
        self.secrets.trust(secret);
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
    sights: Sights,
}

/// Starts a listener; it answers from the moment that this returns.
pub async fn start(config: ListenerConfig) -> Result<Running, StartError> {
    let ListenerConfig { addr, or_next, secrets, tolerance_s, forward_to, .. } = config;
    let forwarder = forward_to.as_deref().map(Forwarder::new).transpose()?;
    let bind = server::bind(addr, or_next).await;
    let listener = bind.map_err(|source| StartError::Bind { addr, source })?;
    let bound = listener.local_addr().map_err(|source| StartError::Bind { addr, source })?;
    let secrets = Secrets::new(secrets);
    let forwards = Tasks::default();
    let desk = Arc::new(Desk {
        bound,
        intake: Intake::new(secrets.clone(), tolerance_s, config.clock, config.batch),
        forwarder,
        forwards: forwards.clone(),
        ledger: config.ledger,
        site: config.site,
        sights: config.sights,
    });
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(route(&desk, request).await) }
    });
    let (stopper, stop) = shutdown::pair();
    let server = Tasks::default();
    server.spawn(server::serve(listener, service, Limits::default(), stop));
    Ok(Running { addr: bound, secrets, stopper, server, forwards })
}

async fn route(desk: &Arc<Desk>, request: Request<Incoming>) -> Answer {
    if request.uri().path() == "/webhook" {
        return webhook(desk, request).await;
    }
    let (parts, body) = request.into_parts();
    let locale = site::locale(&parts.headers);
    let Some(host) = locality::local_host(&parts.headers, desk.bound) else {
        return answer::error(403, "foreign_host", "The Host header does not name this machine.");
    };
    let reading = parts.method == Method::GET || parts.method == Method::HEAD;
    match (parts.uri.path(), &desk.site) {
        ("/ledger", _) if !desk.bound.ip().is_loopback() => {
            answer::error(403, "not_loopback", "The ledger is shown on a loopback address only.")
        }
        ("/ledger", _) if reading => site::ledger(Arc::clone(&desk.ledger), &parts.headers).await,
        ("/", Some(site)) if reading => site.home(locale),
        ("/success", Some(site)) if reading => site.success(locale, parts.uri.query()).await,
        ("/cancel", Some(_)) if reading => site::cancel(locale),
        ("/config", Some(site)) if reading => site.config(),
        ("/ledger" | "/" | "/success" | "/cancel" | "/config", _) if !reading => {
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
        _ => site::not_found(locale),
    }
}

async fn webhook(desk: &Arc<Desk>, request: Request<Incoming>) -> Answer {
    let began = Instant::now();
    if request.method() != Method::POST {
        return rejected(desk, began, "method_not_allowed", answer::method_not_allowed("POST"));
    }
    let (parts, body) = request.into_parts();
    let body = match answer::read_body(body).await {
        Ok(body) => body,
        Err(fault) => {
            let cause = match fault {
                BodyFault::TooLong => "body_too_long",
                BodyFault::TooSlow => "body_too_slow",
                BodyFault::Broken => "body_broken",
            };
            return rejected(desk, began, cause, answer::body_fault(fault));
        }
    };
    let signature = parts.headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    match desk.intake.deliver(signature, &body).await {
        Ok(received) => {
            accepted(desk, began, received, parts.headers, body);
            answer::received()
        }
        Err(refusal) => {
            tracing::debug!(%refusal, "a delivery was refused");
            let text = refusal.to_string();
            let answer = answer::error(refusal.status(), refusal.name(), &text);
            rejected(desk, began, refusal.name(), answer)
        }
    }
}

/// Tells of a delivery once it was also passed on, if it is to be. The sender does not wait for that.
fn accepted(
    desk: &Arc<Desk>,
    began: Instant,
    received: Received,
    headers: HeaderMap,
    body: Vec<u8>,
) {
    let seen = sight(desk, took_ms(began), received);
    let Some(forwarder) = desk.forwarder.clone() else {
        desk.sights.tell(seen);
        return;
    };
    let sights = desk.sights.clone();
    desk.forwards.spawn(async move {
        let outcome = forwarder.pass(headers, body).await;
        sights.tell(with_forward(seen, outcome));
    });
}

fn sight(desk: &Desk, took_ms: u64, received: Received) -> Seen {
    Seen::Accepted {
        at: desk.intake.now(),
        via: Via::Webhook,
        event: received.event,
        kind: received.kind,
        fresh: received.accepted.fresh,
        changes: received.accepted.changes,
        problem: received.accepted.problem,
        took_ms,
        forwarded: None,
    }
}

fn with_forward(mut seen: Seen, outcome: Result<u16, String>) -> Seen {
    if let Seen::Accepted { forwarded, .. } = &mut seen {
        *forwarded = Some(outcome);
    }
    seen
}

fn rejected(desk: &Desk, began: Instant, cause: &'static str, answer: Answer) -> Answer {
    let status = answer.status().as_u16();
    let at = desk.intake.now();
    desk.sights.tell(Seen::Rejected { at, status, cause, took_ms: took_ms(began) });
    answer
}

fn took_ms(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}
