//! The one street of a webhook: bytes, signature, event, queue, commit. Each step's output is the next
//! step's only input, and nothing is acknowledged before it is durable.

use crate::domain::book::line::{Apart, Line, Source};
use crate::domain::canonical;
use crate::domain::event::{Event, EventError};
use crate::domain::member;
use crate::domain::notice::LedgerState;
use crate::domain::secret::SigningSecret;
use crate::domain::signature::{self, SignatureError, Verified};
use crate::domain::time::Timestamp;
use crate::os::clock::Clock;
use crate::shop::listener_event::{ListenerEvent, Via};
use crate::store::StoreError;
use crate::store::guard::Moved;
use crate::store::writer::{Accepted, LedgerBatch, Write};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// The secrets that are believed. Clones share them; one can be added while deliveries come in, because the
/// provider tells it only once the endpoint is registered.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    believed: Arc<RwLock<Arc<Believed>>>,
    /// How many are being asked for.
    awaited: watch::Sender<usize>,
}

/// As long as it lives, a delivery that no secret fits waits for the one that is being asked for.
#[derive(Debug)]
pub struct Awaited(watch::Sender<usize>);

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.send_modify(|asked| *asked = asked.saturating_sub(1));
    }
}

/// How long a delivery waits for a secret that is being asked for: the provider gives it ten seconds.
const AWAITED: Duration = Duration::from_secs(5);

/// Secrets, and a fingerprint of each.
#[derive(Clone, Debug, Default)]
struct Believed {
    secrets: Vec<SigningSecret>,
    fingerprints: Vec<String>,
}

impl Believed {
    fn new(secrets: Vec<SigningSecret>) -> Self {
        Self { fingerprints: secrets.iter().map(fingerprint).collect(), secrets }
    }
}

impl Secrets {
    /// Believes `secrets` from the start.
    pub fn new(secrets: Vec<SigningSecret>) -> Self {
        let believed = Arc::new(RwLock::new(Arc::new(Believed::new(secrets))));
        Self { believed, awaited: watch::Sender::new(0) }
    }

    /// Has deliveries that no secret fits wait: the provider is being asked for one, and what is due is delivered as
    /// soon as it has made the endpoint, before it is known here.
    pub fn awaiting(&self) -> Awaited {
        self.awaited.send_modify(|asked| *asked += 1);
        Awaited(self.awaited.clone())
    }

    /// Once no secret is being asked for; whether one was.
    async fn told(&self) -> bool {
        let mut awaited = self.awaited.subscribe();
        if *awaited.borrow_and_update() == 0 {
            return false;
        }
        drop(tokio::time::timeout(AWAITED, awaited.wait_for(|asked| *asked == 0)).await);
        true
    }

    /// Believes one more.
    pub fn trust(&self, secret: SigningSecret) {
        let mut all = self.believed.write().unwrap_or_else(PoisonError::into_inner);
        let more = all.secrets.iter().cloned().chain([secret]).collect();
        *all = Arc::new(Believed::new(more));
    }

    /// Believes these secrets and no others from now on.
    pub fn trust_only(&self, secrets: Vec<SigningSecret>) {
        let believed = Arc::new(Believed::new(secrets));
        *self.believed.write().unwrap_or_else(PoisonError::into_inner) = believed;
    }

    fn all(&self) -> Arc<Believed> {
        Arc::clone(&self.believed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every one of them.
    pub fn every(&self) -> Vec<SigningSecret> {
        self.all().secrets.clone()
    }
}

/// How much of a secret's hash tells it from others.
const FINGERPRINT_DIGITS: usize = 12;

/// What tells a secret from others, and does not tell it.
pub fn fingerprint(secret: &SigningSecret) -> String {
    canonical::sha256(secret.reveal()).chars().take(FINGERPRINT_DIGITS).collect()
}

/// Why an event of the other mode is not booked.
const OTHER_MODE: &str = "other_mode: it is kept apart";

/// An event that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `evt_…`.
    pub event: String,
    /// Its type.
    pub kind: String,
    /// Its object in short: id, amount in minor units, currency.
    pub about: String,
    /// What storing it came to.
    pub accepted: Accepted,
    /// The lane that it was stored by.
    pub lane: usize,
}

impl Received {
    /// As it is told to whoever watches.
    pub fn seen(self, at: Timestamp, via: Via, took_ms: u64) -> ListenerEvent {
        ListenerEvent::Accepted {
            at,
            via,
            event: self.event,
            kind: self.kind,
            about: self.about,
            fresh: self.accepted.fresh,
            changes: self.accepted.changes,
            problem: self.accepted.problem,
            took_ms,
            forwarded: None,
        }
    }
}

/// Why a request was not taken. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It is not signed as it should be.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is well signed and no event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// More comes in than can be stored.
    #[error("too many deliveries are waiting; try again")]
    Overloaded,
    /// It could not be stored, by this lane.
    #[error("the ledger could not store the event: {0}")]
    Store(StoreError, usize),
}

impl IntakeError {
    /// The HTTP status that tells the sender whose fault it is, and with that whether to try again.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Signature(_) | Self::Event(_) => 400,
            Self::Overloaded => 503,
            Self::Store(error, _) if error.passes() => 503,
            Self::Store(..) => 500,
        }
    }

    /// What is the matter with the ledger, where it is the ledger, and on which lane.
    pub const fn trouble(&self) -> Option<(usize, LedgerState)> {
        let Self::Store(error, lane) = self else { return None };
        let state = match error {
            StoreError::Busy { .. } | StoreError::Reset { .. } => LedgerState::Busy,
            StoreError::Full { .. } => LedgerState::Full,
            StoreError::Away { .. } => LedgerState::Away,
            StoreError::Moved { how, .. } => match how {
                Moved::Removed => LedgerState::Removed,
                Moved::Rebuilt => LedgerState::Rebuilt,
                Moved::Replaced => LedgerState::Replaced,
                Moved::Adopted => LedgerState::Adopted,
            },
            _ => LedgerState::Failed,
        };
        Some((*lane, state))
    }

    /// A stable name of the cause, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Signature(error) => error.name(),
            Self::Event(error) => error.name(),
            Self::Overloaded => "overloaded",
            Self::Store(StoreError::Busy { .. } | StoreError::Reset { .. }, _) => "ledger_busy",
            Self::Store(StoreError::Moved { .. }, _) => "ledger_moved",
            Self::Store(StoreError::Full { .. }, _) => "disk_full",
            Self::Store(StoreError::Away { .. }, _) => "ledger_away",
            Self::Store(..) => "ledger_failed",
        }
    }
}

/// Takes deliveries into the ledger.
#[derive(Clone)]
pub struct Intake {
    secrets: Secrets,
    tolerance_s: i64,
    clock: Clock,
    batch: Arc<LedgerBatch>,
    live: bool,
}

impl Intake {
    /// An intake that believes `secrets` for `tolerance_s` seconds.
    pub const fn new(
        secrets: Secrets,
        tolerance_s: i64,
        clock: Clock,
        batch: Arc<LedgerBatch>,
    ) -> Self {
        Self { secrets, tolerance_s, clock, batch, live: false }
    }

    /// The same intake for real money where `live`: what is of the other mode is kept apart.
    #[must_use]
    pub const fn for_mode(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// By how many lanes events are stored: one a server of the ledger.
    pub fn lanes(&self) -> usize {
        self.batch.lanes()
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes one delivery; `Ok` means that it is durable.
    pub async fn deliver(
        &self,
        header: Option<&str>,
        body: &[u8],
    ) -> Result<Received, IntakeError> {
        let mut read = self.verify_as(Event::outline, header, body);
        if matches!(read, Err(IntakeError::Signature(_))) && self.secrets.told().await {
            read = self.verify_as(Event::outline, header, body);
        }
        let (event, source) = read?;
        self.store(event, source).await
    }

    /// The event of a delivery, whose sender is proven by its signature; nothing is stored yet.
    pub fn verify(
        &self,
        header: Option<&str>,
        body: &[u8],
    ) -> Result<(Event, Source), IntakeError> {
        self.verify_as(Event::read, header, body)
    }

    fn verify_as<'b>(
        &self,
        read: fn(Verified<'b>) -> Result<Event, EventError>,
        header: Option<&str>,
        body: &'b [u8],
    ) -> Result<(Event, Source), IntakeError> {
        let known = self.secrets.all();
        let payload =
            signature::verify(body, header, &known.secrets, self.now(), self.tolerance_s)?;
        let event = read(payload)?;
        let secret = known.fingerprints.get(payload.secret()).cloned().unwrap_or_default();
        Ok((event, Source::Webhook { signed: payload.signed(), secret }))
    }

    /// Whether an event is of the mode that is booked here.
    pub const fn is_of_mode(&self, event: &Event) -> bool {
        event.livemode == self.live
    }

    /// Stores an event whose sender is proven. What it means is worked out here, before it waits for the writer.
    pub async fn store(&self, event: Event, source: Source) -> Result<Received, IntakeError> {
        let (id, kind) = (event.id.clone(), event.kind.clone());
        let about = about(&event.object);
        let other_mode = !self.is_of_mode(&event);
        let mut line = Line::event(event, self.now(), source);
        if other_mode {
            line = line.apart(Apart::OtherMode);
        }
        let write = Write::line(line);
        let lane = self.batch.lane(&write);
        let ticket = self.batch.submit_each(write).map_err(|_| IntakeError::Overloaded)?;
        let mut accepted = ticket.await.map_err(|error| IntakeError::Store(error, lane))?;
        if other_mode {
            accepted.problem = Some(OTHER_MODE.to_owned());
        }
        Ok(Received { event: id, kind, about, accepted, lane })
    }

    /// Stores up to when a poller has read.
    pub(crate) async fn store_cursor(&self, name: &str, at: Timestamp) -> Result<(), IntakeError> {
        let posting = Write::Cursor(name.to_owned(), at);
        let ticket = self.batch.submit(posting).map_err(|_| IntakeError::Overloaded)?;
        ticket.await.map_err(|error| IntakeError::Store(error, 0))?;
        Ok(())
    }
}

/// An object in short, for a log line: what can be traced and is nobody's secret.
fn about(object: &Value) -> String {
    let amount = object.get("amount_total").or_else(|| object.get("amount"));
    let amount = amount.and_then(Value::as_i64).map(|minor| minor.to_string());
    [member::owned(object, "id"), amount, member::owned(object, "currency")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("tolerance_s", &self.tolerance_s).finish_non_exhaustive()
    }
}
