//! The life of a delivery in the state: pending until it is accepted, given up or canceled.

use crate::domain::secret::SigningSecret;
use crate::domain::time::Timestamp;
use crate::sandbox::deliver::schedule::RetrySchedule;
use crate::sandbox::emit;
use crate::sandbox::engine::Planned;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::event_text_as;
use crate::sandbox::engine::private::{
    Attempted, Delivery, DeliveryStatus, Envelope, WebhookEndpointPart,
};
use crate::sandbox::engine::txn::{Txn, View};
use crate::sandbox::object::text;
use crate::wire::render::pretty_into;
use serde_json::Value;
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
pub struct Parcel {
    /// Where the event goes.
    pub url: String,
    /// What it is signed with.
    pub secret: SigningSecret,
    /// The bytes that are signed and sent.
    pub body: Vec<u8>,
}

/// What is to be done about a delivery that is due.
#[derive(Debug)]
pub enum Turn {
    /// Send it.
    Send(Parcel),
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
    let endpoint = view
        .get("webhook_endpoint", &delivery.endpoint)
        .filter(|endpoint| text(endpoint, "status") == "enabled");
    let (Some(event), Some(endpoint)) = (event, endpoint) else { return Turn::Cancel };
    let Some(envelope) = event.part::<Envelope>() else { return Turn::Cancel };
    let secret = endpoint.part::<WebhookEndpointPart>();
    let Some(secret) = SigningSecret::read(&secret.secret) else { return Turn::Cancel };
    let version = endpoint.get("api_version").and_then(Value::as_str);
    let version = version.unwrap_or(&envelope.api_version);
    let compact = event_text_as(&event.id, envelope, &event.text, version);
    let mut body = Vec::with_capacity(compact.len() * 3 / 2);
    pretty_into(&mut body, &compact, 0);
    Turn::Send(Parcel { url: text(&endpoint, "url").to_owned(), secret, body })
}

/// Writes an attempt down. Returns when the next one is due; `None` where nothing is left to do.
pub fn settle(
    txn: &mut Txn<'_>,
    id: &str,
    attempt: &Attempt,
    schedule: &RetrySchedule,
) -> Option<Timestamp> {
    let delivery = txn.record::<Delivery>(KIND, id)?.clone();
    let pending = delivery.status == DeliveryStatus::Pending;
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
