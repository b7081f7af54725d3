//! Usage: what meters count of a customer, and the lines that bill it at the end of a period.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{plan, subscription};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::LinePart;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of what counts.
pub const METER: &str = "billing.meter";

/// The kind of what is counted.
pub const EVENT: &str = "billing.meter_event";

/// Whether an item is billed by what was used.
pub fn is_metered(item: &Value) -> bool {
    let recurring = item.get("price").and_then(|price| price.get("recurring"));
    recurring.is_some_and(|it| text(it, "usage_type") == "metered")
}

/// Whether any item of a subscription is.
pub fn is_any(subscription: &Value) -> bool {
    subscription::items(subscription).iter().any(is_metered)
}

/// Under which word the events of a meter and a customer are found.
pub fn of(meter: &str, customer: &str) -> String {
    format!("{meter}/{customer}")
}

/// The events of a meter about a customer within a period, oldest first.
pub fn events(txn: &Txn<'_>, meter: &str, customer: &str, period: Period) -> Vec<Arc<Object>> {
    let mut all = txn.having(EVENT, "of", &of(meter, customer));
    all.retain(|event| {
        let at = Timestamp(int(event, "timestamp"));
        period.start <= at && at < period.end && event.get("canceled") != Some(&json!(true))
    });
    all.reverse();
    all.sort_by_key(|event| int(event, "timestamp"));
    all
}

/// What events come to by a meter's formula.
pub fn aggregate(formula: &str, events: &[Arc<Object>]) -> i64 {
    match formula {
        "count" => i64::try_from(events.len()).unwrap_or(i64::MAX),
        "last" => events.last().map_or(0, |event| int(event, "value")),
        _ => events.iter().fold(0, |sum: i64, event| sum.saturating_add(int(event, "value"))),
    }
}

/// How much of a metered item was used within a period; never less than nothing.
fn used(txn: &Txn<'_>, customer: &str, item: &Value, period: Period) -> i64 {
    let recurring = item.get("price").and_then(|price| price.get("recurring"));
    let Some(meter) = recurring.and_then(|it| txn.get(METER, text(it, "meter"))) else { return 0 };
    let formula = meter.get("default_aggregation").map_or("sum", |it| text(it, "formula"));
    let events = events(txn, text(&meter, "id"), customer, period);
    aggregate(formula, &events).max(0)
}

/// The line that bills what was used of an item within a period.
pub fn line(txn: &Txn<'_>, subscription: &Value, item: &Value, period: Period) -> LinePart {
    let quantity = used(txn, text(subscription, "customer"), item, period);
    let price = item.get("price").cloned().unwrap_or_default();
    let cost = plan::cost(txn, &price, text(subscription, "currency"), quantity);
    let mut counted = item.clone();
    if let Some(counted) = counted.as_object_mut() {
        counted.insert("quantity".to_owned(), json!(quantity));
    }
    let line = line::regular(txn, subscription, &counted, (period, cost, How::Whole));
    // What was used is never given back in part.
    LinePart { billed: None, ..line }
}

/// The lines of what was used in the running period, where it was; what was used until a pause is billed with that.
pub fn so_far(txn: &Txn<'_>, subscription: &Value) -> Vec<LinePart> {
    if text(subscription, "status") == "paused" {
        return Vec::new();
    }
    let metered = subscription::items(subscription).iter().filter(|item| is_metered(item));
    let lines = metered.map(|item| {
        let period = subscription::period_of(item);
        line(txn, subscription, item, Period { end: period.end.min(txn.now()), ..period })
    });
    lines.filter(|line| int(&line.doc, "quantity") > 0).collect()
}
