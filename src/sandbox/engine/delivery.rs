//! The life of a delivery in the state: pending until it is accepted, given up or canceled.

use crate::domain::secret::SigningSecret;
use crate::domain::time::Timestamp;
use crate::sandbox::engine::Planned;
use crate::sandbox::engine::emit;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::event_text;
use crate::sandbox::engine::object::text;
use crate::sandbox::engine::private::{
    Attempted, Delivery, DeliveryStatus, Envelope, WebhookEndpointPart,
};
use crate::sandbox::engine::schedule::RetrySchedule;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::thin;
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::peek;
use crate::wire::render::{self, pretty_into};
use axum::body::Bytes;
use serde_json::json;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The kind of the records of deliveries.
pub const KIND: &str = "_delivery";

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began, by the sandbox's clock.
    pub at: Timestamp,
    /// The status that the endpoint answered with.
    pub status: Option<u16>,
    /// Why it did not count, where it did not.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The beginning of what the endpoint answered.
    pub response: String,
}

impl Attempt {
    /// Whether the endpoint accepted the event: any 2xx.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }
}

/// Everything that an attempt needs.
#[derive(Clone, Debug)]
pub struct DeliveryRequest {
    /// Where the event goes.
    pub url: String,
    /// What it is signed with.
    pub secret: SigningSecret,
    /// How it is signed.
    pub scheme: Scheme,
    /// The bytes that are signed and sent.
    pub body: Bytes,
    /// How often the delivery was attempted before.
    pub before: usize,
}

/// Whose signature a delivery carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Stripe-Signature`.
    Stripe,
    /// `creem-signature`.
    Creem,
    /// The same, and beside it the headers of the Standard Webhooks for the event of this id.
    CreemAndStandard(String),
}

/// What is to be done about a delivery that is due.
#[derive(Debug)]
pub enum Turn {
    /// Send it.
    Send(DeliveryRequest),
    /// Its endpoint is gone or disabled, or its event is forgotten: it ends.
    Cancel,
    /// It ended already.
    Over,
}

/// Every pending delivery of an account, as they are found when the sandbox starts.
pub fn pending(view: &View) -> Vec<Planned> {
    let deliveries = view.table(KIND).into_iter().flat_map(|table| table.due(i64::MAX));
    deliveries.filter_map(|stored| Planned::of(view.scope(), stored)).collect()
}

/// What is to be done about a delivery now. The event is rendered as it stands, under the API version of the
/// endpoint.
pub fn turn(view: &View, id: &str) -> Turn {
    let delivery = view.record::<Delivery>(KIND, id);
    let Some(delivery) = delivery.filter(|d| d.status == DeliveryStatus::Pending) else {
        return Turn::Over;
    };
    let owner = view.at(&delivery.event_account);
    let event = owner.stored("event", &delivery.event);
    let endpoint = emit::endpoint(view, &delivery.endpoint)
        .filter(|endpoint| text(endpoint, "status") == "enabled");
    let (Some(event), Some(endpoint)) = (event, endpoint) else { return Turn::Cancel };
    let Some(envelope) = event.part::<Envelope>() else { return Turn::Cancel };
    let part = endpoint.part::<WebhookEndpointPart>();
    let Some(secret) = SigningSecret::read(&part.secret) else { return Turn::Cancel };
    let (url, before) = (emit::url(&endpoint).to_owned(), delivery.attempts.len());
    if endpoint.stored().kind == emit::CREEM {
        let scheme = if part.standard {
            Scheme::CreemAndStandard(event.id.to_string())
        } else {
            Scheme::Creem
        };
        let body = creem_text(&event.id, envelope, &event.text).into();
        return Turn::Send(DeliveryRequest { url, secret, scheme, body, before });
    }
    let compact = if emit::is_thin(&endpoint) || thin::is_own(&envelope.kind) {
        thin::text(&event.id, envelope, &event.text, false)
    } else {
        let named = ["api_version", "snapshot_api_version"];
        let version = named.iter().find_map(|name| endpoint.get(*name)?.as_str());
        let version = version.unwrap_or(&envelope.api_version);
        let find = |kind: &str, id: &str| owner.get(kind, id).map(|found| found.document());
        event_text(&event.id, envelope, &event.text, version, &find)
    };
    let mut body = Vec::with_capacity(compact.len() * 3 / 2);
    pretty_into(&mut body, &compact, 0);
    Turn::Send(DeliveryRequest { url, secret, scheme: Scheme::Stripe, body: body.into(), before })
}

/// An event as Creem sends it: its time is in milliseconds.
pub fn creem_text(id: &str, envelope: &Envelope, about: &str) -> String {
    let head =
        json!({"id": id, "eventType": &*envelope.kind, "created_at": envelope.created * 1_000});
    let head = render::compact(&head);
    format!("{},\"object\":{about}}}", head.trim_end_matches('}'))
}

/// What the event of a delivery is about, as a number: equal for events about the same object. That is its
/// place in the order of creation; for what is not stored (the balance), a digest of its id or its kind, kept
/// apart from the places by the highest bit.
pub fn about(view: &View, planned: &Planned) -> u64 {
    let event = view.record::<Delivery>(KIND, &planned.id).and_then(|delivery| {
        let owner = view.scope().at(&delivery.event_account);
        view.state().get(&owner, "event", &delivery.event)
    });
    // Without an event it will be canceled; the delivery's own place is nobody else's.
    let Some(event) = event else { return planned.seq };
    match event.part::<Envelope>() {
        Some(envelope) if envelope.about != 0 => envelope.about,
        _ => {
            let named = |path| peek::member(&event.text, &[path]).and_then(peek::Raw::string);
            let mut hasher = DefaultHasher::new();
            named("id").or_else(|| named("object")).hash(&mut hasher);
            hasher.finish() | 1 << 63
        }
    }
}

/// Writes down an attempt that had `before` others before it; the world's own settings go before `schedule`.
/// Returns when the next one is due; `None` where
/// nothing is left to do.
pub fn settle(
    txn: &mut Txn<'_>,
    id: &str,
    before: usize,
    attempt: &Attempt,
    schedule: &RetrySchedule,
) -> Option<Timestamp> {
    let delivery = txn.record::<Delivery>(KIND, id)?.clone();
    if delivery.attempts.len() > before {
        // It was stored, although the file could not say so at the time.
        return delivery.due.map(Timestamp);
    }
    let pending = delivery.status == DeliveryStatus::Pending;
    let own = Settings::of(txn).webhook_retries();
    let usual = txn.stored(emit::CREEM, &delivery.endpoint).is_some()
        && *schedule == RetrySchedule::default();
    let creem = usual.then(RetrySchedule::creem);
    let schedule = own.as_ref().or(creem.as_ref()).unwrap_or(schedule);
    let wait = schedule.wait_s(delivery.attempts.len() + 1);
    let next =
        wait.filter(|_| pending && !attempt.is_success()).map(|wait_s| txn.now().plus(wait_s));
    txn.edit_record(KIND, id, |delivery: &mut Delivery| {
        delivery.attempts.push(Attempted {
            at: attempt.at.0,
            status: attempt.status,
            error: attempt.error.clone(),
            duration_ms: attempt.duration_ms,
            response: attempt.response.clone(),
            next_due: next.map(|at| at.0),
        });
        delivery.due = next.map(|at| at.0);
        if attempt.is_success() {
            delivery.status = DeliveryStatus::Succeeded;
        } else if next.is_none() && pending {
            delivery.status = DeliveryStatus::Failed;
        }
    });
    if attempt.is_success() {
        let (event, endpoint) = (&delivery.event, &delivery.endpoint);
        txn.in_account(&delivery.event_account, |txn| emit::note(txn, event, endpoint, true));
    }
    next
}

/// Ends a delivery that has not ended yet.
pub fn cancel(txn: &mut Txn<'_>, id: &str) {
    txn.edit_record(KIND, id, |delivery: &mut Delivery| {
        if delivery.status == DeliveryStatus::Pending {
            delivery.status = DeliveryStatus::Canceled;
            delivery.due = None;
        }
    });
}

/// Ends every delivery to an endpoint that has not ended yet.
pub fn cancel_all(txn: &mut Txn<'_>, endpoint_id: &str) {
    let key = index::key("endpoint", endpoint_id);
    let table = txn.table(KIND).into_iter();
    let open: Vec<_> = table
        .flat_map(|table| table.indexed_before(key, u64::MAX))
        .filter(|stored| {
            stored.part::<Delivery>().is_some_and(|delivery| {
                delivery.status == DeliveryStatus::Pending && delivery.endpoint == endpoint_id
            })
        })
        .map(|stored| Arc::clone(&stored.id))
        .collect();
    for id in open {
        cancel(txn, &id);
    }
}
