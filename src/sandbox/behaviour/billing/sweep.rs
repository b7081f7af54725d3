//! `pending_invoice_item_interval`: what is pending for a subscription is billed at an interval of its own, between its
//! renewals, by an invoice as one would make it by hand.
//!
//! Believed: that the interval counts from when it was asked for, and that nothing is told where nothing was pending.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::{DAY, Interval};
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{draft, lifecycle, renew};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The job that bills what is pending.
pub const JOB: &str = "subscription.sweep";

/// The parameter, which is shown as well.
const INTERVAL: &str = "pending_invoice_item_interval";

/// When that is the next time.
const NEXT: &str = "next_pending_invoice_item_invoice";

/// Writes the interval that a call asks for, or that there is none any more.
///
/// Fails for more than a year. Believed: the sentence.
pub fn write(txn: &Txn<'_>, call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    if !call.sent(INTERVAL) {
        return Ok(());
    }
    let asked = call.get(INTERVAL).and_then(|sent| Some((Interval::read(sent)?, sent)));
    let shown = asked.map(|(_, sent)| {
        let count = sent.get("interval_count").and_then(Value::as_i64).unwrap_or(1);
        json!({"interval": sent.get("interval"), "interval_count": count})
    });
    if asked.is_some_and(|(interval, _)| interval.least() > 366 * DAY) {
        let text = "The `pending_invoice_item_interval` can be one year at most.";
        return Err(Failure::invalid(text).param(INTERVAL));
    }
    let next = asked.map(|(interval, _)| interval.boundary(txn.now(), 1).0);
    doc.insert(INTERVAL.to_owned(), json!(shown));
    doc.insert(NEXT.to_owned(), json!(next));
    Ok(())
}

/// When what is pending for a subscription is billed next.
pub fn due(subscription: &Value) -> Option<Timestamp> {
    subscription.get(NEXT).and_then(Value::as_i64).map(Timestamp)
}

/// The job behind [`JOB`].
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "subscription").to_owned();
    let Some(known) = txn.get(KIND, &id).filter(|it| !lifecycle::is_over(text(it, "status")))
    else {
        return;
    };
    let interval = known.get(INTERVAL).and_then(Interval::read);
    let now = txn.now();
    let next = interval.map(|interval| interval.boundary(due(&known).unwrap_or(now), 1).0);
    subscription::edit(txn, &id, |doc, _| drop(doc.insert(NEXT.to_owned(), json!(next))));
    draft::bill_pending(txn, &known, Vec::new(), "manual");
    let after = txn.get(KIND, &id);
    let is_billed = after.filter(|it| it.get("latest_invoice") != known.get("latest_invoice"));
    if let Some(after) = is_billed {
        subscription::tell(txn, &known, &after);
    }
    renew::plan(txn, &id);
}
