//! What a draft does by itself: it waits for an hour, gets its number, and is paid or sent.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::invoice::{self, DRAFT_FOR, KIND};
use crate::sandbox::behaviour::billing::lifecycle::{Act, Turn};
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::subscription;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{InvoicePart, LinePart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that takes a draft on.
pub const ADVANCE_JOB: &str = "invoice.advance";

/// The job that notes that an invoice was not paid in time.
pub const OVERDUE_JOB: &str = "invoice.overdue";

/// The times that a draft shows which takes itself on; none where it does not.
pub fn times(doc: &mut Doc, is_advancing: bool) {
    let created = doc.get("created").and_then(Value::as_i64).unwrap_or(0);
    let is_automatic = doc.get("collection_method") == Some(&json!("charge_automatically"));
    let at = |after: i64| if is_advancing { json!(created + after) } else { Value::Null };
    doc.insert("auto_advance".to_owned(), json!(is_advancing));
    doc.insert("automatically_finalizes_at".to_owned(), at(DRAFT_FOR + 1));
    let attempt = if is_automatic { at(DRAFT_FOR) } else { Value::Null };
    doc.insert("next_payment_attempt".to_owned(), attempt);
}

/// Has a draft take itself on once its hour is over, or not any more.
pub fn advance(txn: &mut Txn<'_>, id: &str, is_advancing: bool) -> Option<Arc<Object>> {
    let known = txn.get(KIND, id)?;
    invoice::forget_job(txn, &known);
    let due = Timestamp(int(&known, "created") + DRAFT_FOR).max(txn.now());
    let job = is_advancing.then(|| txn.schedule(due, ADVANCE_JOB, &json!({"invoice": id})));
    txn.edit_part(KIND, id, |part: &mut InvoicePart| part.job = job);
    let changed = invoice::edit_closed(txn, id, |doc| times(doc, is_advancing));
    changed.map(|(_, after)| after)
}

/// The same for a draft that a subscription's time has brought, as its pause of collection has it.
pub fn advance_for(txn: &mut Txn<'_>, subscription: &Value, id: &str, is_advancing: bool) {
    let pause = subscription.get("pause_collection").filter(|it| it.is_object());
    let behaviour = pause.map(|it| text(it, "behavior").to_owned());
    let waits = behaviour.as_deref() == Some("keep_as_draft");
    advance(txn, id, is_advancing && !waits);
    txn.edit_part(KIND, id, |part: &mut InvoicePart| part.paused = behaviour);
}

/// The job behind [`ADVANCE_JOB`].
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "invoice").to_owned();
    let is_draft = |it: &Arc<Object>| text(it, "status") == "draft";
    let Some(known) = txn.get(KIND, &id).filter(is_draft) else { return };
    let paused = known.part::<InvoicePart>().paused.clone();
    if let Err(failure) = finish(txn, &id) {
        tracing::warn!(message = failure.message, "a draft could not be finalized");
        return;
    }
    let act = match paused.as_deref() {
        Some("void") => Act::Void,
        Some("mark_uncollectible") => Act::MarkUncollectible,
        _ => return collect(txn, &id),
    };
    drop(invoice::close(txn, &id, act));
}

/// Gives a draft its number; one that is sent waits for its due date from now on.
pub fn finish(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let after = invoice::finalize(txn, id)?;
    let due = after.get("due_date").and_then(Value::as_i64);
    if let Some(due) = due.filter(|_| text(&after, "status") == "open") {
        let due = Timestamp(due).max(txn.now());
        let job = txn.schedule(due, OVERDUE_JOB, &json!({"invoice": id}));
        txn.edit_part(KIND, id, |part: &mut InvoicePart| part.job = Some(job));
    }
    Ok(txn.get(KIND, id).unwrap_or(after))
}

/// Charges for an invoice that has its number, or sends it.
fn collect(txn: &mut Txn<'_>, id: &str) {
    let Some(known) = txn.get(KIND, id) else { return };
    match text(&known, "status") {
        "paid" => money::follow_paid(txn, &known),
        "open" if invoice::is_automatic(&known) => {
            let how = Try { off_session: true, by_itself: true, method: None };
            if let Err(failure) = money::attempt(txn, id, &how) {
                tracing::debug!(message = failure.message, "an invoice was not paid");
            }
        }
        "open" => txn.emit("invoice.sent", &known),
        _ => {}
    }
}

/// The job behind [`OVERDUE_JOB`].
pub fn on_overdue(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "invoice");
    let Some(known) = txn.get(KIND, id).filter(|it| text(it, "status") == "open") else { return };
    txn.emit("invoice.overdue", &known);
    if let Some(subscription) = invoice::subscription_of(&known) {
        subscription::follow(txn, subscription, id, Turn::Unpaid);
    }
}

/// Drafts an invoice of what is pending for a subscription that has ended, is paused or says how often that is billed,
/// and of what was used of it, where there is anything.
pub fn bill_pending(
    txn: &mut Txn<'_>,
    subscription: &Object,
    used: Vec<LinePart>,
    reason: &'static str,
) {
    let Some(customer) = txn.get("customer", text(subscription, "customer")) else { return };
    let (currency, id) = (text(subscription, "currency"), text(subscription, "id"));
    let mut lines = invoice::pending(txn, text(&customer, "id"), currency, Some(id));
    lines.extend(used);
    if lines.is_empty() {
        return;
    }
    let mut more = Doc::new();
    more.insert("auto_advance".to_owned(), json!(true));
    let made = invoice::draft(
        txn,
        invoice::Draft {
            id: None,
            customer: &customer,
            subscription: Some(subscription),
            reason,
            period: Period::at(txn.now()),
            currency,
            lines,
            more,
        },
    );
    let invoice = text(&made, "id").to_owned();
    advance(txn, &invoice, true);
    txn.edit(subscription::KIND, id, |doc| {
        doc.insert("latest_invoice".to_owned(), json!(invoice));
    });
}
