//! Pending updates: a change of a subscription that is made once its invoice is paid, or given up after 23 hours.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::invoice;
use crate::sandbox::behaviour::billing::lifecycle::Act;
use crate::sandbox::behaviour::billing::renew;
use crate::sandbox::behaviour::billing::renew::EXPIRES_AFTER;
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{Held, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that gives a pending update up.
pub const EXPIRE_JOB: &str = "subscription.pending_update";

/// What `payment_behavior` says of one.
const BEHAVIOUR: &str = "pending_if_incomplete";

/// Parameters that go with it.
const ALLOWED: &[&str] = &[
    "add_invoice_items",
    "billing_cycle_anchor",
    "discounts",
    "items",
    "off_session",
    "payment_behavior",
    "plan",
    "price",
    "proration_behavior",
    "proration_date",
    "quantity",
    "trial_end",
    "trial_from_plan",
];

/// Members that a change has besides, and that are not what it is about.
const ASIDE: [&str; 3] = ["latest_invoice", "pending_update", "status"];

/// Whether a call asks for a change that waits for its payment.
pub fn is_asked(call: &Call) -> bool {
    call.text("payment_behavior") == Some(BEHAVIOUR)
}

/// Refuses what cannot wait. Believed: the sentence.
pub fn ensure_allowed(call: &Call) -> Result<(), Failure> {
    let other = call.params.keys().find(|name| !ALLOWED.contains(&name.as_str()));
    let Some(other) = other.filter(|_| is_asked(call)) else { return Ok(()) };
    let text = format!(
        "`{other}` cannot be passed when `payment_behavior` is set to `{BEHAVIOUR}`. Only these parameters can: {}.",
        ALLOWED.join(", ")
    );
    Err(Failure::invalid(text).param(other))
}

/// Whether a subscription has a change that waits for an invoice.
pub fn is_for(subscription: &Object, invoice: &str) -> bool {
    subscription.part::<SubscriptionPart>().held.as_ref().is_some_and(|it| it.invoice == invoice)
}

/// Marks that what becomes of an invoice decides on a change that is made in this request.
pub fn begin(part: &mut SubscriptionPart, invoice: &str) {
    part.held = Some(Box::new(Held { invoice: invoice.to_owned(), ..Held::default() }));
}

/// Has a subscription that is paused wait for the invoice with which it goes on, until a job gives that up; with the
/// anchor that it keeps, where it keeps one.
pub fn wait(part: &mut SubscriptionPart, invoice: &str, job: String, anchor: Option<Timestamp>) {
    let mut members = Doc::new();
    if let Some(anchor) = anchor {
        members.insert("billing_cycle_anchor".to_owned(), json!(anchor.0));
    }
    let (invoice, job) = (invoice.to_owned(), Some(job));
    part.held = Some(Box::new(Held { invoice, members, job, ..Held::default() }));
}

/// Settles a change after its invoice was asked for: it stands where that was paid, else it is taken back and waits.
pub fn settle(txn: &mut Txn<'_>, known: &Arc<Object>) {
    let id = text(known, "id").to_owned();
    let Some(made) = txn.get(KIND, &id) else { return };
    let part = made.part::<SubscriptionPart>().into_owned();
    let invoice = text(&made, "latest_invoice").to_owned();
    let is_open = txn.get(invoice::KIND, &invoice).is_some_and(|it| text(&it, "status") == "open");
    if !is_open || !is_for(&made, &invoice) {
        let changed = subscription::edit(txn, &id, |_, part| part.held = None);
        if let Some((_, after)) = changed {
            subscription::tell(txn, known, &after);
        }
        return;
    }
    let members = members(known, &made);
    let now = txn.now();
    let args = json!({"subscription": id, "invoice": invoice});
    let job = txn.schedule(now.plus(EXPIRES_AFTER), EXPIRE_JOB, &args);
    let mut doc = known.as_object().cloned().unwrap_or_default();
    doc.insert("latest_invoice".to_owned(), json!(invoice));
    doc.insert("pending_update".to_owned(), shown(&members, now.0 + EXPIRES_AFTER));
    let mut own = known.part::<SubscriptionPart>().into_owned();
    own.held = Some(Box::new(Held { invoice, members, billed: part.billed, job: Some(job) }));
    (own.job, own.end) = (part.job, part.end);
    let after = subscription::store(txn, doc, own);
    subscription::tell(txn, known, &after);
    renew::plan(txn, &id);
}

/// What a change would make of a subscription, member by member.
fn members(known: &Value, made: &Value) -> Doc {
    let all = made.as_object().into_iter().flatten();
    all.filter(|(name, value)| {
        !ASIDE.contains(&name.as_str()) && known.get(name.as_str()) != Some(*value)
    })
    .map(|(name, value)| (name.clone(), value.clone()))
    .collect()
}

/// `pending_update`.
fn shown(members: &Doc, expires: i64) -> Value {
    let member = |name: &str| members.get(name).cloned().unwrap_or_default();
    let items = members.get("items").and_then(|it| it.get("data")).cloned().unwrap_or_default();
    json!({
        "billing_cycle_anchor": member("billing_cycle_anchor"), "cancel_at_period_end": null,
        "discount": null, "discounts": member("discounts"), "expires_at": expires,
        "metadata": null, "subscription_items": items, "trial_end": member("trial_end"),
        "trial_from_plan": null,
    })
}

/// Makes a change that waited, now that its invoice is paid.
pub fn take_up(txn: &mut Txn<'_>, id: &str) {
    let Some(known) = txn.get(KIND, id) else { return };
    let Some(held) = known.part::<SubscriptionPart>().held.clone() else { return };
    if held.job.is_none() {
        // It is being made in this very request.
        txn.edit_part(KIND, id, |part: &mut SubscriptionPart| part.held = None);
        return;
    }
    let changed = subscription::edit(txn, id, |doc, part| {
        doc.extend(held.members.clone());
        doc.insert("pending_update".to_owned(), Value::Null);
        part.billed.clone_from(&held.billed);
        part.held = None;
    });
    if let Some(job) = &held.job {
        txn.unschedule(job);
    }
    let Some((before, after)) = changed else { return };
    subscription::tell(txn, &before, &after);
    txn.emit("customer.subscription.pending_update_applied", &after);
    renew::plan(txn, id);
}

/// Gives a change up that waits for an invoice which is void, too old or replaced.
pub fn give_up(txn: &mut Txn<'_>, id: &str) {
    let Some(known) = txn.get(KIND, id) else { return };
    let Some(held) = known.part::<SubscriptionPart>().held.clone() else { return };
    if let Some(job) = &held.job {
        txn.unschedule(job);
    }
    let changed = subscription::edit(txn, id, |doc, part| {
        doc.insert("pending_update".to_owned(), Value::Null);
        part.held = None;
    });
    let Some((before, after)) = changed else { return };
    subscription::tell(txn, &before, &after);
    txn.emit("customer.subscription.pending_update_expired", &after);
    let open = txn.get(invoice::KIND, &held.invoice).filter(|it| text(it, "status") == "open");
    if open.is_some() {
        drop(invoice::close(txn, &held.invoice, Act::Void));
    }
}

/// Gives a change up that waits, where a call changes the same: the subscription after that.
pub fn make_way(
    txn: &mut Txn<'_>,
    call: &Call,
    known: Arc<Object>,
) -> Result<Arc<Object>, Failure> {
    let replaces = ["items", "plan", "quantity", "trial_end"].iter().any(|name| call.sent(name));
    if !replaces || known.part::<SubscriptionPart>().held.is_none() {
        return Ok(known);
    }
    give_up(txn, text(&known, "id"));
    txn.find(KIND, text(&known, "id"), "id")
}

/// What a void invoice means for a change that waits for it.
pub fn voided(txn: &mut Txn<'_>, invoice: &Value) {
    let Some(id) = invoice::subscription_of(invoice).map(str::to_owned) else { return };
    let waits = txn.get(KIND, &id).is_some_and(|it| is_for(&it, text(invoice, "id")));
    if waits {
        give_up(txn, &id);
    }
}

/// Whether an invoice is that of a change which waits: its payment is not tried again by itself.
pub fn is_waited_for(txn: &Txn<'_>, invoice: &Value) -> bool {
    let found = invoice::subscription_of(invoice).and_then(|id| txn.get(KIND, id));
    found.is_some_and(|it| is_for(&it, text(invoice, "id")))
}

/// The job behind [`EXPIRE_JOB`].
pub fn on_expire(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "subscription").to_owned();
    if txn.get(KIND, &id).is_some_and(|it| is_for(&it, text(args, "invoice"))) {
        give_up(txn, &id);
    }
}
