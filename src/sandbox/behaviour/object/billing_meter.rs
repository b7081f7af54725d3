//! Billing meters: what is counted of whom, by which name, and what it came to.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::{DAY, Period};
use crate::sandbox::behaviour::billing::usage::{self, METER};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::document::{Handler, copy, new};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The behaviour of `/v1/billing/meters`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/billing/meters" => create,
        "GET /v1/billing/meters" => {
            |txn, call| list::page(txn, call, METER, &list::same(call, &["status"]))
        }
        "GET /v1/billing/meters/{id}" => |txn, call| found(txn, call).map(Body::from),
        "POST /v1/billing/meters/{id}" => update,
        "POST /v1/billing/meters/{id}/deactivate" => |txn, call| turn(txn, call, false),
        "POST /v1/billing/meters/{id}/reactivate" => |txn, call| turn(txn, call, true),
        "GET /v1/billing/meters/{id}/event_summaries" => summaries,
        _ => return None,
    })
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find(METER, call.id(0), "id")
}

/// Refuses a second meter of a name. Believed: the sentence.
fn ensure_free(txn: &Txn<'_>, name: &str) -> Result<(), Failure> {
    let known = txn.having(METER, "event_name", name);
    let Some(known) = known.iter().find(|it| text(it, "status") == "active") else { return Ok(()) };
    let text = format!(
        "There is already an active meter ({}) with the event name `{name}`.",
        text(known, "id")
    );
    Err(Failure::invalid(text).param("event_name"))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    ensure_free(txn, call.text("event_name").unwrap_or_default())?;
    let (id, now) = (txn.new_id("mtr_test_", 32), txn.now().0);
    let mut doc = new(
        METER,
        json!({
            "id": id, "created": now,
            "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
            "livemode": false, "status": "active", "status_transitions": {"deactivated_at": null},
            "updated": now, "value_settings": {"event_payload_key": "value"},
        }),
    );
    let sent = ["default_aggregation", "display_name", "event_name", "event_time_window"];
    copy(&mut doc, call, &sent);
    for name in ["customer_mapping", "value_settings"] {
        if call.hash(name).is_some() {
            copy(&mut doc, call, &[name]);
        }
    }
    let made = txn.put(doc);
    txn.emit("billing.meter.created", &made);
    Ok(made.into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    let now = txn.now().0;
    let changed = txn.edit(METER, text(&known, "id"), |doc| {
        copy(doc, call, &["display_name"]);
        doc.insert("updated".to_owned(), json!(now));
    });
    let Some((before, after)) = changed else { return Ok(known.into()) };
    txn.emit_change("billing.meter.updated", &before, &after);
    Ok(after.into())
}

fn turn(txn: &mut Txn<'_>, call: &Call, on: bool) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    let (status, event) = if on {
        ("active", "billing.meter.reactivated")
    } else {
        ("inactive", "billing.meter.deactivated")
    };
    if text(&known, "status") == status {
        // Believed: the sentence.
        let text = format!("This meter is already {status}.");
        return Err(Failure::invalid(text));
    }
    if on {
        ensure_free(txn, text(&known, "event_name"))?;
    }
    let now = txn.now().0;
    let changed = txn.edit(METER, text(&known, "id"), |doc| {
        doc.insert("status".to_owned(), json!(status));
        let at = if on { Value::Null } else { json!(now) };
        doc.insert("status_transitions".to_owned(), json!({"deactivated_at": at}));
        doc.insert("updated".to_owned(), json!(now));
    });
    let Some((_, after)) = changed else { return Ok(known.into()) };
    txn.emit(event, &after);
    Ok(after.into())
}

/// Most windows that are looked through.
const WINDOWS_MAX: usize = 10_000;

/// What was counted of a customer, newest window first; a window in which nothing was is left out.
fn summaries(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let meter = found(txn, call)?;
    let customer = call.text("customer").unwrap_or_default();
    txn.find("customer", customer, "customer")?;
    let (from, to) = (call.int("start_time").unwrap_or(0), call.int("end_time").unwrap_or(0));
    let step = match call.text("value_grouping_window") {
        Some("hour") => Some(3_600),
        Some(_) => Some(DAY),
        None => None,
    };
    for (name, at) in [("start_time", from), ("end_time", to)] {
        let (unit, word) = match step {
            Some(DAY) => (DAY, "daily"),
            Some(_) => (3_600, "hourly"),
            None => (60, "minute"),
        };
        if at % unit != 0 {
            // Believed: the sentence.
            let text = format!("The `{name}` must be aligned with {word} boundaries.");
            return Err(Failure::invalid(text).param(name));
        }
    }
    if to <= from {
        let text = "The `end_time` must be after the `start_time`.";
        return Err(Failure::invalid(text).param("end_time"));
    }
    let formula = meter.get("default_aggregation").map_or("sum", |it| text(it, "formula"));
    let length = step.unwrap_or(to - from);
    let mut all = Vec::new();
    let mut start = from;
    for _ in 0..WINDOWS_MAX {
        if start >= to {
            break;
        }
        let period = Period { start: Timestamp(start), end: Timestamp((start + length).min(to)) };
        let events = usage::events(txn, text(&meter, "id"), customer, period);
        if !events.is_empty() {
            let tail = text(&meter, "id").rsplit('_').next().unwrap_or_default().to_owned();
            all.push(json!({
                "aggregated_value": usage::aggregate(formula, &events), "end_time": period.end.0,
                "id": format!("mtrusg_test_{}{tail}", period.start.0), "livemode": false,
                "meter": text(&meter, "id"), "object": "billing.meter_event_summary",
                "start_time": period.start.0,
            }));
        }
        start += length;
    }
    all.reverse();
    list::page_of(call, "meter event summary", &all)
}
