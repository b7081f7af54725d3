//! Subscriptions as they are kept: their status, their items, and how they end.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::lifecycle::{self, Turn};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{held, invoice, renew, schedule};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{Billed, InvoicePart, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// Its kind.
pub const KIND: &str = "subscription";

/// The kind of its items.
pub const ITEM: &str = "subscription_item";

/// The items of a subscription, oldest first.
pub fn items(subscription: &Value) -> &[Value] {
    let data = subscription.get("items").and_then(|it| it.get("data")).and_then(Value::as_array);
    data.map_or(&[], Vec::as_slice)
}

/// The period that an item is in.
pub fn period_of(item: &Value) -> Period {
    Period {
        start: Timestamp(int(item, "current_period_start")),
        end: Timestamp(int(item, "current_period_end")),
    }
}

/// The end of the period that ends first.
pub fn period_end(subscription: &Value) -> Option<i64> {
    items(subscription).iter().map(|item| int(item, "current_period_end")).min()
}

/// Puts items into a subscription; with one item it also shows that one's plan and quantity.
pub fn set_items(doc: &mut Doc, items: &[Value]) {
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default();
    let url = format!("/v1/subscription_items?subscription={id}");
    let list = json!({
        "object": "list", "data": items, "has_more": false, "total_count": items.len(), "url": url,
    });
    let only = match items {
        [only] => Some(only),
        _ => None,
    };
    let member = |name: &str| only.and_then(|it| it.get(name).cloned()).unwrap_or_default();
    doc.insert("plan".to_owned(), member("plan"));
    doc.insert("quantity".to_owned(), member("quantity"));
    doc.insert("items".to_owned(), list);
}

/// Stores a subscription, and each of its items beside it where it can be found by its own id.
pub fn store(txn: &mut Txn<'_>, doc: Doc, part: SubscriptionPart) -> Arc<Object> {
    let before = doc.get("id").and_then(Value::as_str).and_then(|id| txn.get(KIND, id));
    let stored = txn.put_with(doc, part);
    if before.is_some_and(|before| before.get("items") == stored.get("items")) {
        return stored;
    }
    let (mut kept, all) = (Vec::new(), items(&stored).to_vec());
    for item in all {
        kept.push(text(&item, "id").to_owned());
        if txn.get(ITEM, text(&item, "id")).is_none_or(|known| **known != item) {
            txn.put(item);
        }
    }
    for known in txn.having(ITEM, "subscription", text(&stored, "id")) {
        let id = text(&known, "id");
        if !kept.iter().any(|it| it == id) {
            txn.remove(ITEM, id);
        }
    }
    stored
}

/// The subscriptions of a customer, as the customer shows them when they are asked for.
pub fn list(txn: &Txn<'_>, customer: &str) -> Value {
    let all = txn.having(KIND, "customer", customer);
    let running = all.iter().filter(|it| !lifecycle::is_over(text(it, "status")));
    let data: Vec<Value> = running.map(|it| it.document()).collect();
    let shown: Vec<&Value> = data.iter().take(10).collect();
    json!({
        "object": "list", "data": shown, "has_more": data.len() > 10, "total_count": data.len(),
        "url": format!("/v1/customers/{customer}/subscriptions"),
    })
}

/// Changes a subscription. Returns it before and after.
pub fn edit(
    txn: &mut Txn<'_>,
    id: &str,
    change: impl FnOnce(&mut Doc, &mut SubscriptionPart),
) -> Option<(Arc<Object>, Arc<Object>)> {
    let before = txn.get(KIND, id)?;
    let mut doc = before.as_object().cloned().unwrap_or_default();
    let mut part = before.part::<SubscriptionPart>().into_owned();
    change(&mut doc, &mut part);
    let after = store(txn, doc, part);
    Some((before, after))
}

/// Tells of a change, unless the subscription itself has not been told of yet.
pub fn tell(txn: &mut Txn<'_>, before: &Object, after: &Object) {
    if !after.part::<SubscriptionPart>().fresh {
        txn.emit_change("customer.subscription.updated", before, after);
    }
}

/// Has the status of a subscription follow a turn of one of its invoices. What concerns the status of a running
/// subscription is its newest invoice.
pub fn follow(txn: &mut Txn<'_>, id: &str, invoice: &str, turn: Turn) {
    let Some(known) = txn.get(KIND, id) else { return };
    let status = lifecycle::known(text(&known, "status"));
    if turn == Turn::Ends {
        end(txn, id, "payment_failed");
        return;
    }
    if held::is_for(&known, invoice) {
        // Until it is paid, it changes nothing.
        if turn == Turn::Paid && status == "paused" {
            renew::restart(txn, id, None);
        } else if turn == Turn::Paid {
            held::take_up(txn, id);
        }
        return;
    }
    let is_newest = text(&known, "latest_invoice") == invoice;
    if turn == Turn::Paid && !is_newest && status != "incomplete" {
        return;
    }
    // Only the invoice with which it is resumed ends a pause.
    if turn == Turn::Paid && status == "paused" {
        return;
    }
    let after = lifecycle::after(status, turn);
    if after != text(&known, "status") {
        set_status(txn, id, after);
    }
}

/// Sets a status and tells of it, where it is another one.
pub fn set_status(txn: &mut Txn<'_>, id: &str, status: &str) {
    let changed = edit(txn, id, |doc, _| drop(doc.insert("status".to_owned(), json!(status))));
    if let Some((before, after)) = changed {
        tell(txn, &before, &after);
    }
}

/// Takes back everything that a subscription was to do by itself.
pub fn forget_jobs(txn: &mut Txn<'_>, subscription: &Object) {
    let part = subscription.part::<SubscriptionPart>().into_owned();
    let jobs = [part.job, part.notice, part.end, part.resume, part.upcoming, part.sweep];
    for job in jobs.into_iter().flatten() {
        txn.unschedule(&job);
    }
    if let Some(job) = part.held.and_then(|held| held.job) {
        txn.unschedule(&job);
    }
}

/// Ends a subscription now; `reason` is told in its `cancellation_details`, where there is none already.
pub fn end(txn: &mut Txn<'_>, id: &str, reason: &str) -> Option<Arc<Object>> {
    let known = txn.get(KIND, id)?;
    if lifecycle::is_over(text(&known, "status")) {
        return None;
    }
    forget_jobs(txn, &known);
    let now = txn.now().0;
    let (_, after) = edit(txn, id, |doc, part| {
        let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
        set("status", json!("canceled"));
        set("ended_at", json!(now));
        set("pause_collection", Value::Null);
        set("pending_update", Value::Null);
        if doc.get("canceled_at").is_none_or(Value::is_null) {
            doc.insert("canceled_at".to_owned(), json!(now));
        }
        if let Some(Value::Object(details)) = doc.get_mut("cancellation_details")
            && details.get("reason").is_none_or(Value::is_null)
        {
            details.insert("reason".to_owned(), json!(reason));
        }
        *part = SubscriptionPart {
            billed: std::mem::take(&mut part.billed),
            used: std::mem::take(&mut part.used),
            ..SubscriptionPart::default()
        };
    })?;
    txn.emit("customer.subscription.deleted", &after);
    schedule::subscription_ended(txn, &after, reason);
    stop_collecting(txn, id);
    Some(after)
}

/// The invoices of a subscription that is over are not collected by themselves any more.
fn stop_collecting(txn: &mut Txn<'_>, id: &str) {
    let open = txn.having(invoice::KIND, "parent.subscription_details.subscription", id);
    for it in open.iter().filter(|it| matches!(text(it, "status"), "draft" | "open")) {
        invoice::forget_job(txn, it);
        let changed = txn.edit(invoice::KIND, text(it, "id"), |doc| {
            doc.insert("auto_advance".to_owned(), json!(false));
            doc.insert("automatically_finalizes_at".to_owned(), Value::Null);
            doc.insert("next_payment_attempt".to_owned(), Value::Null);
        });
        if let Some((before, after)) = changed {
            txn.emit_change("invoice.updated", &before, &after);
        }
    }
}

/// Remembers what an invoice bills of a subscription, so that a part of it can be taken back.
pub fn note_billed(txn: &mut Txn<'_>, id: &str, invoice: &Object) {
    let lines = invoice.part::<InvoicePart>().lines.clone();
    let invoice_id = text(invoice, "id").to_owned();
    let found: Vec<Billed> = lines
        .into_iter()
        .filter_map(|line| {
            let at = text(&line.doc, "id").to_owned();
            line.billed.map(|billed| Billed { line: Some((invoice_id.clone(), at)), ..billed })
        })
        .collect();
    if !found.is_empty() {
        txn.edit_part(KIND, id, |part: &mut SubscriptionPart| {
            for billed in found {
                part.billed.retain(|known| known.item != billed.item);
                part.billed.push(billed);
            }
        });
    }
}
