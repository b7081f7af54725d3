//! Usage: what meters count of a customer, and the lines that bill it at the end of a period.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{plan, subscription};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{LinePart, SubscriptionPart, Used};
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

/// What was billed already of what was used of an item since an instant, before that period was over.
fn billed(txn: &Txn<'_>, subscription: &Value, item: &Value, since: Timestamp) -> Used {
    let known = txn.record::<SubscriptionPart>(subscription::KIND, text(subscription, "id"));
    let all = known.map(|part| part.used.clone()).unwrap_or_default();
    let own = |it: &Used| it.item == text(item, "id") && it.since == since.0;
    all.into_iter().find(own).unwrap_or_default()
}

/// What so much of an item costs.
fn cost(txn: &Txn<'_>, subscription: &Value, item: &Value, quantity: i64) -> i64 {
    let price = item.get("price").cloned().unwrap_or_default();
    plan::cost(txn, &price, text(subscription, "currency"), quantity)
}

/// The line that bills what was used of an item within a period.
pub fn line(txn: &Txn<'_>, subscription: &Value, item: &Value, period: Period) -> LinePart {
    line_of(txn, subscription, item, (period, period))
}

/// The line that bills what was used of an item within one period and shows another; without what was billed already.
/// Tiers go on through all that was used.
fn line_of(
    txn: &Txn<'_>,
    subscription: &Value,
    item: &Value,
    (counted, period): (Period, Period),
) -> LinePart {
    let used = used(txn, text(subscription, "customer"), item, counted);
    let before = billed(txn, subscription, item, counted.start);
    let quantity = (used - before.quantity).max(0);
    let cost = (cost(txn, subscription, item, used) - before.amount).max(0);
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

/// The item of a subscription that a line bills; empty where it bills none.
pub fn item_of(line: &LinePart) -> &str {
    let of = line.doc.get("parent").and_then(|it| it.get("subscription_item_details"));
    of.map_or("", |it| text(it, "subscription_item"))
}

/// The lines of what was used in the running period and not billed yet, with what came in this very second.
pub fn until_now(txn: &Txn<'_>, subscription: &Value) -> Vec<LinePart> {
    let metered = subscription::items(subscription).iter().filter(|item| is_metered(item));
    let lines = metered.map(|item| {
        let whole = subscription::period_of(item);
        line_of(txn, subscription, item, (whole, Period { end: txn.now(), ..whole }))
    });
    lines.filter(|line| int(&line.doc, "quantity") > 0).collect()
}

/// Notes that everything was billed which was used until now. Where the next period begins now, what came in this very
/// second is its own as well, and was billed with the one before.
pub fn note(txn: &mut Txn<'_>, subscription: &Value, begins_anew: bool) {
    let (id, customer) = (text(subscription, "id"), text(subscription, "customer"));
    let metered = subscription::items(subscription).iter().filter(|item| is_metered(item));
    let all: Vec<Used> = metered
        .map(|item| {
            let whole = subscription::period_of(item);
            let start = if begins_anew { txn.now() } else { whole.start };
            let quantity = used(txn, customer, item, Period { start, ..whole });
            let base = if begins_anew { cost(txn, subscription, item, 0) } else { 0 };
            Used {
                item: text(item, "id").to_owned(),
                since: start.0,
                quantity,
                amount: cost(txn, subscription, item, quantity) - base,
            }
        })
        .collect();
    txn.edit_part(subscription::KIND, id, |part: &mut SubscriptionPart| part.used = all);
}
