//! Subscriptions: how they begin, are shown, end, pause and go on.

use crate::domain::time::Timestamp;
use crate::sandbox::creem::check::{Field, Kind, may, need};
use crate::sandbox::creem::checkout::Price;
use crate::sandbox::creem::document::{
    Asked, all, expand, find, int, iso, new, page, refuse, set, text, touch,
};
use crate::sandbox::creem::product::after_periods;
use crate::sandbox::creem::{renewal, webhook};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of subscriptions.
pub const KIND: &str = "subscription";

/// How one is asked for.
pub const GET: &[Field] = &[need("subscription_id", Kind::Text)];

/// How one is ended.
pub const CANCEL: &[Field] = &[
    may("mode", Kind::OneOf(&["immediate", "scheduled"])),
    may("onExecute", Kind::OneOf(&["cancel", "pause"])),
];

/// What a subscription begins with.
#[derive(Clone, Copy, Debug)]
pub struct Begun<'d> {
    /// The checkout that was paid.
    pub checkout: &'d Object,
    /// What is subscribed to.
    pub product: &'d Value,
    /// Who subscribes.
    pub customer: &'d Value,
    /// The order, `ord_…`.
    pub order: &'d str,
    /// The fingerprint of the card.
    pub card: &'d str,
    /// The discount.
    pub discount: Option<&'d Object>,
    /// What it costs.
    pub price: Price,
}

/// Begins a subscription: its first period is paid, or it is on trial.
pub fn begin(txn: &mut Txn<'_>, begun: &Begun<'_>) -> Arc<Object> {
    let now = txn.now();
    let trial_s = begun.product.get("trial_period_days").and_then(Value::as_i64);
    let trial_s = trial_s.map(|days| days.saturating_mul(86_400));
    let (anchor, periods) = trial_s.map_or((now, 1), |trial_s| (now.plus(trial_s), 0));
    let units = int(begun.checkout, "units").max(1);
    let product = text(begun.product, "id");
    let items = json!([item(txn, product, units)]);
    let members = json!({
        "product": product,
        "customer": text(begun.customer, "id"),
        "items": items,
        "collection_method": "charge_automatically",
        "status": if trial_s.is_some() { "trialing" } else { "active" },
        "canceled_at": null,
        "metadata": begun.checkout.get("metadata").cloned().unwrap_or_else(|| json!({})),
    });
    let mut doc = new(txn, (KIND, "sub_"), members);
    set(&mut doc, "discount", begun.checkout.get("discount").cloned());
    let mut part = CreemPart {
        card: begun.card.to_owned(),
        prices: vec![begun.price.amount / units],
        order: begun.order.to_owned(),
        checkout: text(begun.checkout, "id").to_owned(),
        discount: begun.discount.map(|off| text(off, "id").to_owned()),
        anchor: anchor.0,
        periods,
        began: now.0,
        from: now.0,
        until: after_periods(begun.product, anchor, periods).0,
        ..CreemPart::default()
    };
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    part.job = Some(renewal::plan(txn, &id, Timestamp(part.until)));
    show_period(&mut doc, &part, Some(Timestamp(part.until)));
    txn.put_with(doc, part)
}

/// A new item of a subscription.
pub fn item(txn: &Txn<'_>, product: &str, units: i64) -> Value {
    let price = txn.new_id("pprice_", 22);
    let mut doc = new(
        txn,
        ("subscription_item", "sitem_"),
        json!({"product_id": product, "price_id": price, "units": units}),
    );
    doc.retain(|name, _| !matches!(name.as_str(), "created_at" | "updated_at"));
    Value::Object(doc)
}

/// The current period.
pub const fn period(part: &CreemPart) -> (Timestamp, Timestamp) {
    (Timestamp(part.from), Timestamp(part.until))
}

/// Writes the current period, and when the next payment is due.
pub fn show_period(doc: &mut Doc, part: &CreemPart, next: Option<Timestamp>) {
    let (from, until) = period(part);
    doc.insert("current_period_start_date".to_owned(), iso(from));
    doc.insert("current_period_end_date".to_owned(), iso(until));
    set(doc, "next_transaction_date", next.map(iso));
}

/// Notes the last payment of a subscription.
pub fn paid_by(txn: &mut Txn<'_>, id: &str, transaction: &Object) {
    let now = txn.now();
    txn.edit(KIND, id, |doc| {
        doc.insert("last_transaction_id".to_owned(), json!(text(transaction, "id")));
        doc.insert("last_transaction_date".to_owned(), iso(now));
    });
}

/// Tells that a subscription has begun.
pub fn tell_begun(txn: &mut Txn<'_>, id: &str) {
    let is_trial = txn.get(KIND, id).is_some_and(|it| text(&it, "status") == "trialing");
    let kinds: &[&str] = if is_trial { &["trialing"] } else { &["active", "paid"] };
    for kind in kinds {
        tell(txn, kind, id);
    }
}

/// Tells of a subscription as it is now: `active` stands for `subscription.active`.
pub fn tell(txn: &mut Txn<'_>, kind: &str, id: &str) {
    let Some(found) = txn.get(KIND, id) else { return };
    let shown = show(txn, &found);
    webhook::tell(txn, &format!("subscription.{kind}"), &shown);
}

/// A subscription with its product, its customer and its last transaction.
pub fn show(txn: &Txn<'_>, subscription: &Value) -> Value {
    let mut shown = subscription.clone();
    expand(txn, &mut shown, "product");
    expand(txn, &mut shown, "customer");
    let last = txn.get(super::transaction::KIND, text(subscription, "last_transaction_id"));
    if let (Some(last), Value::Object(doc)) = (last, &mut shown) {
        doc.insert("last_transaction".to_owned(), last.document());
    }
    shown
}

/// `GET /v1/subscriptions`.
pub fn get(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = find(txn, KIND, asked.text("subscription_id").unwrap_or_default())?;
    Ok(show(txn, &found))
}

/// `GET /v1/subscriptions/search`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table, whose others can fail")]
pub fn search(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    Ok(page(asked, &all(txn, KIND, |_| true), |it| show(txn, it)))
}

/// `POST /v1/subscriptions/{id}/cancel`: at once, or at the end of the period; then it may pause instead.
pub fn cancel(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let id = asked.id();
    ensure_one_of(
        txn,
        id,
        &["active", "trialing", "past_due", "unpaid", "paused", "scheduled_cancel"],
    )?;
    if asked.text("mode") == Some("scheduled") {
        ensure_one_of(txn, id, &["active", "trialing", "past_due"])?;
        schedule_end(txn, id, asked.text("onExecute").unwrap_or("cancel"));
    } else {
        end(txn, id);
    }
    shown(txn, id)
}

/// Has the end of the period cancel or pause a subscription.
pub fn schedule_end(txn: &mut Txn<'_>, id: &str, what: &str) {
    let now = txn.now();
    txn.edit_with(KIND, id, |doc, part: &mut CreemPart| {
        part.at_end = Some(what.to_owned());
        doc.insert("status".to_owned(), json!("scheduled_cancel"));
        set(doc, "next_transaction_date", None);
        touch(doc, now);
    });
    tell(txn, "scheduled_cancel", id);
}

/// Ends a subscription now.
pub fn end(txn: &mut Txn<'_>, id: &str) {
    stop(txn, id, "canceled");
}

/// `POST /v1/subscriptions/{id}/pause`.
pub fn pause(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    ensure_one_of(txn, asked.id(), &["active", "trialing"])?;
    stop(txn, asked.id(), "paused");
    shown(txn, asked.id())
}

/// Takes the next payment back: it is canceled or paused, and tells so.
pub fn stop(txn: &mut Txn<'_>, id: &str, status: &str) {
    let now = txn.now();
    let stopped = txn.edit_with(KIND, id, |doc, part: &mut CreemPart| {
        part.at_end = None;
        doc.insert("status".to_owned(), json!(status));
        if status == "canceled" {
            doc.insert("canceled_at".to_owned(), iso(now));
        }
        set(doc, "next_transaction_date", None);
        touch(doc, now);
    });
    let job = stopped.and_then(|(before, _)| before.part::<CreemPart>().job.clone());
    if let Some(job) = job {
        txn.unschedule(&job);
    }
    tell(txn, status, id);
}

/// `POST /v1/subscriptions/{id}/resume`: one that was paused, or that was to end. What a paused one has not paid for
/// is paid now.
pub fn resume(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let id = asked.id();
    ensure_one_of(txn, id, &["paused", "scheduled_cancel"])?;
    go_on(txn, id);
    shown(txn, id)
}

/// See [`resume`].
pub fn go_on(txn: &mut Txn<'_>, id: &str) {
    let now = txn.now();
    let Some(found) = txn.get(KIND, id) else { return };
    let part = found.part::<CreemPart>().into_owned();
    let is_over = part.until <= now.0;
    if let Some(job) = &part.job {
        txn.unschedule(job);
    }
    let job = (!is_over).then(|| renewal::plan(txn, id, Timestamp(part.until)));
    txn.edit_with(KIND, id, |doc, part: &mut CreemPart| {
        part.at_end = None;
        part.job = job;
        if is_over {
            (part.anchor, part.periods, part.until) = (now.0, 0, now.0);
        }
        doc.insert("status".to_owned(), json!("active"));
        show_period(doc, part, Some(Timestamp(part.until)));
        touch(doc, now);
    });
    tell(txn, "update", id);
    if is_over {
        renewal::renew(txn, id);
    }
}

/// Refuses what a subscription in its state cannot do.
pub fn ensure_one_of(txn: &Txn<'_>, id: &str, wanted: &[&str]) -> Result<Arc<Object>, Failure> {
    let found = find(txn, KIND, id)?;
    let status = text(&found, "status").to_owned();
    if wanted.contains(&status.as_str()) {
        return Ok(found);
    }
    Err(refuse(400, format!("Subscription is {status}: it must be one of {}", wanted.join(", "))))
}

/// A subscription as it is now.
pub fn shown(txn: &Txn<'_>, id: &str) -> Result<Value, Failure> {
    let found = find(txn, KIND, id)?;
    Ok(show(txn, &found))
}
