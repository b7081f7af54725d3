//! Meter events: that a customer used something, and that this was an error; as v1 and v2 take them.
//!
//! Stripe counts them a moment later; here they count at once. The sentences of refusals are believed.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::on_clock_of;
use crate::sandbox::behaviour::billing::period::DAY;
use crate::sandbox::behaviour::billing::threshold;
use crate::sandbox::behaviour::billing::usage::{self, EVENT, METER};
use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Seconds that an event may lie back, and ahead.
const BACK: i64 = 35 * DAY;
const AHEAD: i64 = 5 * 60;

/// Seconds in which an identifier is unique, and in which an event can be taken back.
const UNIQUE: i64 = DAY;

/// Seconds for which a session of the stream lasts.
const SESSION: i64 = 15 * 60;

/// The behaviour of `/v1/billing/meter_event*` and `/v2/billing/meter_event*`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/billing/meter_events" => create,
        "POST /v1/billing/meter_event_adjustments" => adjust,
        "POST /v2/billing/meter_events" => create_v2,
        "POST /v2/billing/meter_event_adjustments" => adjust_v2,
        "POST /v2/billing/meter_event_session" => open_session,
        "POST /v2/billing/meter_event_stream" => stream,
        _ => return None,
    })
}

/// An event as it was sent.
struct Sent<'s> {
    name: &'s str,
    payload: &'s Value,
    identifier: Option<&'s str>,
    timestamp: Option<i64>,
    at: &'s str,
}

impl Sent<'_> {
    fn param(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.at) }
    }
}

/// Counts an event. Fails where nothing counts it, and for what it lacks.
fn count(txn: &mut Txn<'_>, sent: &Sent<'_>) -> Result<Arc<Object>, Failure> {
    let meters = txn.having(METER, "event_name", sent.name);
    let Some(meter) = meters.into_iter().find(|it| text(it, "status") == "active") else {
        let text = format!("No active meter found for the event name `{}`.", sent.name);
        return Err(Failure::invalid(text).param(sent.param("event_name")));
    };
    let key_of = |name: &str| meter.get(name).map_or("", |it| text(it, "event_payload_key"));
    let (of, value) = (key_of("customer_mapping"), key_of("value_settings"));
    let Some(customer) = sent.payload.get(of).and_then(Value::as_str) else {
        let text = format!("The payload of this event must have the key `{of}`.");
        return Err(Failure::invalid(text).param(sent.param("payload")));
    };
    let counts = meter.get("default_aggregation").is_some_and(|it| text(it, "formula") == "count");
    let read = sent
        .payload
        .get(value)
        .and_then(|it| it.as_i64().or_else(|| it.as_str()?.trim().parse::<i64>().ok()));
    let Some(amount) = read.or(counts.then_some(1)) else {
        let text = format!("The payload of this event must have a whole number as `{value}`.");
        return Err(Failure::invalid(text).param(sent.param("payload")));
    };
    let customer = customer.to_owned();
    on_clock_of(txn, &customer, |txn| {
        let now = txn.now().0;
        let at = sent.timestamp.unwrap_or(now);
        if at < now - BACK || at > now + AHEAD {
            let text = "The timestamp must be within the past 35 calendar days and no more than 5 minutes in the future.";
            return Err(Failure::invalid(text).param(sent.param("timestamp")));
        }
        let own = txn.new_id("mtrevt_", 24);
        let identifier = sent.identifier.unwrap_or(&own);
        if recent(txn, identifier).is_some() {
            let text = format!("An event already exists with identifier {identifier}.");
            return Err(Failure::invalid(text).code("resource_already_exists"));
        }
        let made = txn.put(json!({
            "id": own, "object": EVENT, "canceled": false, "created": now,
            "event_name": sent.name, "identifier": identifier, "livemode": false,
            "of": usage::of(text(&meter, "id"), &customer), "payload": sent.payload,
            "timestamp": at, "value": amount,
        }));
        threshold::counted(txn, text(&meter, "id"), &customer);
        Ok(made)
    })
}

/// The event of the last day that has an identifier.
fn recent(txn: &Txn<'_>, identifier: &str) -> Option<Arc<Object>> {
    let now = txn.now().0;
    let all = txn.having(EVENT, "identifier", identifier);
    all.into_iter().find(|it| it["created"].as_i64().is_some_and(|at| at > now - UNIQUE))
}

/// Members of an event that are shown.
fn shown(event: &Value) -> Value {
    let mut doc = event.as_object().cloned().unwrap_or_default();
    for name in ["canceled", "id", "of", "value"] {
        doc.remove(name);
    }
    Value::Object(doc)
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let none = json!({});
    let sent = Sent {
        name: call.text("event_name").unwrap_or_default(),
        payload: call.get("payload").unwrap_or(&none),
        identifier: call.text("identifier"),
        timestamp: call.int("timestamp"),
        at: "",
    };
    count(txn, &sent).map(|event| shown(&event).into())
}

/// The instant that v2 writes as text.
fn instant(sent: &Value, at: &str) -> Result<Option<i64>, Failure> {
    let Some(text) = sent.get("timestamp").and_then(Value::as_str) else { return Ok(None) };
    let Some(read) = Timestamp::read(text) else {
        let text = format!("Invalid timestamp: {text}");
        return Err(Failure::invalid(text).param(at));
    };
    Ok(Some(read.0))
}

fn count_v2(txn: &mut Txn<'_>, sent: &Value, at: &str) -> Result<Value, Failure> {
    let none = json!({});
    let event = Sent {
        name: text(sent, "event_name"),
        payload: sent.get("payload").unwrap_or(&none),
        identifier: sent.get("identifier").and_then(Value::as_str),
        timestamp: instant(sent, at)?,
        at,
    };
    let mut doc = shown(&*count(txn, &event)?);
    if let Some(doc) = doc.as_object_mut() {
        for name in ["created", "timestamp"] {
            let at = doc.get(name).and_then(Value::as_i64).unwrap_or(0);
            doc.insert(name.to_owned(), json!(Timestamp(at).rfc3339()));
        }
        doc.insert("object".to_owned(), json!("v2.billing.meter_event"));
    }
    Ok(doc)
}

fn create_v2(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    count_v2(txn, &Value::Object(call.params.clone()), "").map(Body::from)
}

/// Takes many events at once; all of them count, or none.
fn stream(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    for (at, event) in call.list("events").iter().enumerate() {
        count_v2(txn, event, &format!("events[{at}]"))?;
    }
    Ok(json!({}).into())
}

#[expect(clippy::unnecessary_wraps, reason = "as every handler")]
fn open_session(txn: &mut Txn<'_>, _: &Call) -> Result<Body, Failure> {
    let now = txn.now();
    let id = txn.new_id("mes_test_", 32);
    Ok(json!({
        "authentication_token": txn.new_id("token_", 32), "created": now.rfc3339(),
        "expires_at": now.plus(SESSION).rfc3339(), "id": id, "livemode": false,
        "object": "v2.billing.meter_event_session",
    })
    .into())
}

/// Takes an event back; what it counted does not count any more.
fn take_back(txn: &mut Txn<'_>, call: &Call) -> Result<String, Failure> {
    let identifier = call.get("cancel").map_or("", |it| text(it, "identifier"));
    let name = call.text("event_name").unwrap_or_default();
    let meant = txn.having(EVENT, "identifier", identifier);
    let customer = meant.first().map(|it| text(it, "of").rsplit('/').next().unwrap_or_default());
    let customer = customer.unwrap_or_default().to_owned();
    on_clock_of(txn, &customer, |txn| {
        let found = recent(txn, identifier).filter(|it| text(it, "event_name") == name);
        let Some(found) = found else {
            let text = format!(
                "No event with the identifier `{identifier}` was received for `{name}` within the past 24 hours."
            );
            return Err(Failure::invalid(text).param("cancel[identifier]"));
        };
        txn.edit(EVENT, text(&found, "id"), |doc| {
            doc.insert("canceled".to_owned(), json!(true));
        });
        Ok(identifier.to_owned())
    })
}

fn adjust(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let identifier = take_back(txn, call)?;
    Ok(json!({
        "cancel": {"identifier": identifier}, "event_name": call.get("event_name"),
        "livemode": false, "object": "billing.meter_event_adjustment", "status": "complete",
        "type": "cancel",
    })
    .into())
}

fn adjust_v2(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let identifier = take_back(txn, call)?;
    let id = txn.new_id("mtradj_test_", 32);
    Ok(json!({
        "cancel": {"identifier": identifier}, "created": txn.now().rfc3339(),
        "event_name": call.get("event_name"), "id": id, "livemode": false,
        "object": "v2.billing.meter_event_adjustment", "status": "complete", "type": "cancel",
    })
    .into())
}
