//! The life of a delivery in the state: pending until it is accepted, given up or canceled.

use crate::domain::secret::SigningSecret;
use crate::domain::time::Timestamp;
use crate::sandbox::deliver::schedule::RetrySchedule;
use crate::sandbox::emit;
use crate::sandbox::object::{int, text};
use crate::sandbox::state::State;
use crate::sandbox::txn::Txn;
use crate::wire::json;
use serde_json::{Value, json};

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

/// A delivery that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// When it is due, in Unix seconds.
    pub due: i64,
    /// Its place in the order of emission.
    pub seq: u64,
    /// `wd_…`.
    pub id: String,
    /// `we_…`.
    pub endpoint: String,
    /// Whether it was attempted before.
    pub is_retry: bool,
}

/// Everything that an attempt needs.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Where the event goes.
    pub url: String,
    /// What it is signed with.
    pub secret: SigningSecret,
    /// The bytes that are signed and sent.
    pub body: String,
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

/// The pending deliveries that were planned after `seq`, and the place of the last one seen.
pub fn pending_after(state: &State, seq: u64) -> (Vec<Waiting>, u64) {
    let mut last = seq;
    let mut found = Vec::new();
    for delivery in state.from("_delivery", seq, false) {
        let id = text(delivery, "id");
        let Some(record) = state.record("_delivery", id) else { continue };
        last = last.max(record.seq);
        if is_pending(delivery) {
            found.push(Waiting {
                due: int(delivery, "due"),
                seq: record.seq,
                id: id.to_owned(),
                endpoint: text(delivery, "endpoint").to_owned(),
                is_retry: attempts(delivery) > 0,
            });
        }
    }
    (found, last)
}

/// What is to be done about a delivery now. The event is rendered as it stands, under the API version of the
/// endpoint.
pub fn turn(state: &State, id: &str) -> Turn {
    let Some(delivery) = state.get("_delivery", id).filter(|d| is_pending(d)) else {
        return Turn::Over;
    };
    let event = state.get("event", text(delivery, "event"));
    let endpoint = state
        .get("webhook_endpoint", text(delivery, "endpoint"))
        .filter(|endpoint| text(endpoint, "status") == "enabled");
    let (Some(event), Some(endpoint)) = (event, endpoint) else { return Turn::Cancel };
    let Some(secret) = SigningSecret::read(text(endpoint, "_secret")) else { return Turn::Cancel };
    let body = match endpoint.get("api_version") {
        Some(Value::String(version)) if version != text(event, "api_version") => {
            let mut event = (**event).clone();
            if let Some(event) = event.as_object_mut() {
                event.insert("api_version".to_owned(), json!(version));
            }
            json::pretty(&event)
        }
        _ => json::pretty(event),
    };
    Turn::Send(Parcel { url: text(endpoint, "url").to_owned(), secret, body })
}

/// Writes an attempt down. Returns when the next one is due; `None` where nothing is left to do.
pub fn settle(
    txn: &mut Txn<'_>,
    id: &str,
    attempt: &Attempt,
    schedule: &RetrySchedule,
) -> Option<Timestamp> {
    let delivery = txn.get("_delivery", id)?;
    let wait = schedule.wait_s(attempts(&delivery) + 1);
    let next = wait
        .filter(|_| is_pending(&delivery) && !attempt.is_success())
        .map(|wait_s| txn.now().plus(wait_s));
    let entry = json!({
        "at": attempt.at.0,
        "status": attempt.status,
        "error": attempt.error,
        "duration_ms": attempt.duration_ms,
        "response": attempt.response,
        "next_due": next.map(|at| at.0),
    });
    txn.edit("_delivery", id, |doc| {
        if let Some(Value::Array(attempts)) = doc.get_mut("attempts") {
            attempts.push(entry);
        }
        doc.insert("due".to_owned(), json!(next.map(|at| at.0)));
        if attempt.is_success() {
            doc.insert("status".to_owned(), json!("succeeded"));
        } else if next.is_none() && is_pending(&delivery) {
            doc.insert("status".to_owned(), json!("failed"));
        }
    });
    if attempt.is_success() {
        emit::note(txn, text(&delivery, "event"), text(&delivery, "endpoint"), true);
    }
    next
}

/// Ends a delivery that has not ended yet.
pub fn cancel(txn: &mut Txn<'_>, id: &str) {
    if txn.get("_delivery", id).is_some_and(|delivery| is_pending(&delivery)) {
        txn.edit("_delivery", id, |doc| {
            doc.insert("status".to_owned(), json!("canceled"));
            doc.insert("due".to_owned(), Value::Null);
        });
    }
}

/// Ends every delivery to an endpoint that has not ended yet.
pub fn cancel_all(txn: &mut Txn<'_>, endpoint_id: &str) {
    let open = txn.all("_delivery", |delivery| {
        is_pending(delivery) && text(delivery, "endpoint") == endpoint_id
    });
    for delivery in open {
        cancel(txn, text(&delivery, "id"));
    }
}

fn is_pending(delivery: &Value) -> bool {
    text(delivery, "status") == "pending"
}

fn attempts(delivery: &Value) -> usize {
    delivery.get("attempts").and_then(Value::as_array).map_or(0, Vec::len)
}
