//! How a subscription is to end, and how it is paused: what a call asks for.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::prorate;
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{
    change, draft, lifecycle, on_clock_of, renew, trial, usage,
};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::SubscriptionPart;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Writes the end that a call asks for, or takes it back.
///
/// Fails for one that is past.
pub fn write(txn: &Txn<'_>, call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    let ends = |doc: &Doc, latest: bool| {
        let all = renew::items_of(doc);
        let ends = all.iter().map(|it| subscription::period_of(it).end.0);
        if latest { ends.max() } else { ends.min() }
    };
    let now = txn.now().0;
    if let Some(at_end) = call.flag("cancel_at_period_end") {
        let was = doc.get("cancel_at_period_end") == Some(&json!(true));
        doc.insert("cancel_at_period_end".to_owned(), json!(at_end));
        if at_end && !was {
            let at = ends(doc, false);
            stamp(doc, at.map(Value::from), now);
        } else if !at_end && was {
            stamp(doc, None, now);
        }
    }
    if call.sent("cancel_at") {
        doc.insert("cancel_at_period_end".to_owned(), json!(false));
        let at = match call.text("cancel_at") {
            Some("min_period_end") => ends(doc, false),
            Some("max_period_end") => ends(doc, true),
            _ => call.int("cancel_at"),
        };
        if let Some(at) = at {
            trial::ensure_future(txn, "cancel_at", at)?;
        }
        stamp(doc, at.map(Value::from), now);
    }
    pause(call, doc);
    Ok(())
}

/// Writes down when a subscription is to end, or that it is not.
pub fn stamp(doc: &mut Doc, at: Option<Value>, now: i64) {
    let asked = at.is_some();
    doc.insert("cancel_at".to_owned(), at.unwrap_or_default());
    doc.insert("canceled_at".to_owned(), if asked { json!(now) } else { Value::Null });
    if let Some(Value::Object(details)) = doc.get_mut("cancellation_details") {
        let reason = if asked { json!("cancellation_requested") } else { Value::Null };
        details.insert("reason".to_owned(), reason);
    }
}

fn pause(call: &Call, doc: &mut Doc) {
    match call.params.get("pause_collection") {
        Some(Value::Object(sent)) => {
            let member = |name: &str| sent.get(name).cloned().unwrap_or_default();
            let shown = json!({"behavior": member("behavior"), "resumes_at": member("resumes_at")});
            doc.insert("pause_collection".to_owned(), shown);
        }
        Some(_) => drop(doc.insert("pause_collection".to_owned(), Value::Null)),
        None => {}
    }
}

/// Plans the end of a pause that says when it ends.
pub fn plan_resume(txn: &mut Txn<'_>, doc: &Doc, part: &mut SubscriptionPart) {
    if let Some(job) = part.resume.take() {
        txn.unschedule(&job);
    }
    let at = doc.get("pause_collection").and_then(|it| it.get("resumes_at")?.as_i64());
    let id = doc.get("id").cloned().unwrap_or_default();
    part.resume = at.map(|at| {
        let due = Timestamp(at).max(txn.now());
        txn.schedule(due, renew::RESUME_JOB, &json!({"subscription": id}))
    });
}

/// Ends a subscription at once, as a call asks.
///
/// Fails for one that is over.
pub fn cancel(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    if lifecycle::is_over(text(&known, "status")) {
        return Err(Failure { status: 404, ..missing(KIND, id, "id") });
    }
    let customer = text(&known, "customer").to_owned();
    on_clock_of(txn, &customer, |txn| {
        // What was left when it was paused is given back already.
        if call.flag("prorate") == Some(true) && text(&known, "status") != "paused" {
            let billing =
                change::Billing { prorates: true, at_once: false, at: txn.now(), anew: false };
            prorate::pend(txn, &known, &known, &[], true, billing);
        }
        txn.edit(KIND, id, |doc| {
            doc.insert("cancel_at_period_end".to_owned(), json!(false));
            doc.insert("cancel_at".to_owned(), Value::Null);
            let details = call.hash("cancellation_details");
            if let Some(Value::Object(shown)) = doc.get_mut("cancellation_details") {
                for (name, value) in details.into_iter().flatten() {
                    shown.insert(name.clone(), value.clone());
                }
            }
        });
        let ended = subscription::end(txn, id, "cancellation_requested");
        if call.flag("invoice_now") == Some(true) {
            let used = usage::so_far(txn, &known);
            draft::bill_pending(txn, &known, used, "subscription_cycle");
        }
        ended.ok_or_else(|| missing(KIND, id, "id"))
    })
}
