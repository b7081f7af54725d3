//! What an event means for the ledger. Nothing here depends on which event came before.

use serde_json::Value;
use std::fmt;

pub struct Event {
    pub id: String,
    pub kind: String,
    pub livemode: bool,
    pub fact: Option<Fact>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    Payment(Payment),
    Refund(Refund),
}

/// How a Checkout Session stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    pub session_id: String,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    pub created: i64,
    pub updated: i64,
    pub payment_intent: Option<String>,
}

/// Money that went back: `total` of a charge so far, or one refund that was `sent` or `returned`.
#[derive(Clone, Debug, PartialEq)]
pub struct Refund {
    pub source: String,
    pub payment_intent: String,
    pub amount: i64,
    pub state: &'static str,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment(it) => {
                write!(f, "{} {} {} {}", it.session_id, it.amount, it.currency, it.status)
            }
            Self::Refund(it) => write!(f, "{} {} {}", it.source, it.amount, it.state),
        }
    }
}

/// Reads an event; `None` where it is not one, or lacks what the ledger needs.
pub fn of(event: &Value) -> Option<Event> {
    let thing = event.pointer("/data/object").filter(|it| it.is_object())?;
    if event["object"] != "event" {
        return None;
    }
    let kind = text(event, "type")?;
    Some(Event {
        id: text(event, "id")?,
        livemode: event["livemode"].as_bool().unwrap_or(false),
        fact: fact(&kind, event["created"].as_i64()?, thing)?,
        kind,
    })
}

/// The outer `None` is an object that cannot be read, the inner one an event that means nothing here.
fn fact(kind: &str, at: i64, thing: &Value) -> Option<Option<Fact>> {
    let has_intent = thing["payment_intent"].is_string();
    match kind {
        // Complete is not paid: konbini and bank transfers are paid days later.
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            payment(thing, &text(thing, "payment_status")?, at)
        }
        // Money that goes back finds its session by the payment_intent.
        "charge.refunded" if has_intent => {
            refund(thing, thing["amount_refunded"].as_i64()?, "total").map(Some)
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated"
            if has_intent =>
        {
            let ended = matches!(thing["status"].as_str(), Some("failed" | "canceled"));
            refund(thing, thing["amount"].as_i64()?, if ended { "returned" } else { "sent" })
                .map(Some)
        }
        // Day 5: what does not go well: async_payment_failed, expired.
        _ => Some(None),
    }
}

fn payment(session: &Value, status: &str, at: i64) -> Option<Option<Fact>> {
    if session["amount_total"].is_null() {
        return Some(None); // it saves a card; no money is its subject
    }
    Some(Some(Fact::Payment(Payment {
        session_id: text(session, "id")?,
        amount: session["amount_total"].as_i64()?,
        currency: text(session, "currency")?,
        status: status.to_owned(),
        created: session["created"].as_i64()?,
        updated: at,
        payment_intent: text(session, "payment_intent"),
    })))
}

fn refund(thing: &Value, amount: i64, state: &'static str) -> Option<Fact> {
    Some(Fact::Refund(Refund {
        source: text(thing, "id")?,
        payment_intent: text(thing, "payment_intent")?,
        amount,
        state,
    }))
}

fn text(object: &Value, field: &str) -> Option<String> {
    object[field].as_str().map(str::to_owned)
}
