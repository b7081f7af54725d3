//! What a subscription does by itself: it goes into its next period, ends its trial, ends.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::invoice::{self, Draft};
use crate::sandbox::behaviour::billing::lifecycle::{self, Act, Turn};
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::period::{Interval, Period};
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{
    discount, draft, items, money, pausing, preview, schedule, sweep, trial, usage,
};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{LinePart, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job at the end of a period.
pub const RENEW_JOB: &str = "subscription.renew";
/// The job that ends a subscription at an instant that was asked for.
pub const CANCEL_JOB: &str = "subscription.cancel";
/// The job that ends a subscription whose first payment does not come.
pub const EXPIRE_JOB: &str = "subscription.expire";
/// The job that ends a pause.
pub const RESUME_JOB: &str = "subscription.resume";

/// Seconds for which a first payment is waited for.
pub const EXPIRES_AFTER: i64 = 23 * 3_600;

/// Plans what happens at the end of the period, and at the end that was asked for.
pub fn plan(txn: &mut Txn<'_>, id: &str) {
    let Some(known) = txn.get(KIND, id) else { return };
    let part = known.part::<SubscriptionPart>().into_owned();
    for job in [&part.job, &part.end, &part.upcoming, &part.sweep].into_iter().flatten() {
        txn.unschedule(job);
    }
    if lifecycle::is_over(text(&known, "status")) {
        return;
    }
    let args = json!({"subscription": id});
    let end = subscription::period_end(&known).map(Timestamp);
    let job = end.map(|at| txn.schedule(at.max(txn.now()), RENEW_JOB, &args));
    let cancel = known.get("cancel_at").and_then(Value::as_i64).map(Timestamp);
    let told = end.map(|at| at.plus(-preview::NOTICE)).filter(|at| *at > txn.now());
    let upcoming = told.map(|at| txn.schedule(at, preview::UPCOMING_JOB, &args));
    // At the end of a period it is its own job that ends it.
    let cancel = cancel.filter(|at| Some(*at) != end);
    let ends = cancel.map(|at| txn.schedule(at.max(txn.now()), CANCEL_JOB, &args));
    let sweep = sweep::due(&known).map(|at| txn.schedule(at.max(txn.now()), sweep::JOB, &args));
    txn.edit_part(KIND, id, |part: &mut SubscriptionPart| {
        part.sweep = sweep;
        part.job = job;
        part.end = ends;
        part.upcoming = upcoming;
    });
}

/// The job behind [`RENEW_JOB`].
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "subscription").to_owned();
    if let Some(known) = txn.get(KIND, &id) {
        schedule::before_renewal(txn, &known);
    }
    let Some(known) = txn.get(KIND, &id) else { return };
    let status = lifecycle::known(text(&known, "status"));
    if lifecycle::is_over(status) || status == "incomplete" {
        return;
    }
    let now = txn.now().0;
    if known.get("cancel_at").and_then(Value::as_i64).is_some_and(|at| at <= now) {
        end_with_usage(txn, &id, "cancellation_requested");
        return;
    }
    if status == "paused" {
        return;
    }
    let ends_trial = status == "trialing"
        && known.get("trial_end").and_then(Value::as_i64).is_some_and(|end| end <= now);
    if ends_trial && !goes_on(txn, &known) {
        return;
    }
    renew(txn, &known, ends_trial);
    plan(txn, &id);
}

/// Whether a subscription goes on after its trial: where nobody can be charged, it may end or be paused instead, and is.
pub fn goes_on(txn: &mut Txn<'_>, known: &Arc<Object>) -> bool {
    let id = text(known, "id");
    let automatic = text(known, "collection_method") == "charge_automatically";
    if !automatic || money::method_of(txn, Some(known), text(known, "customer")).is_some() {
        return true;
    }
    let behaviour = known.get("trial_settings").and_then(|it| it.get("end_behavior"));
    match behaviour.map(|it| text(it, "missing_payment_method")) {
        Some("cancel") => {
            subscription::end(txn, id, "cancellation_requested");
            false
        }
        Some("pause") => {
            pause(txn, id);
            false
        }
        _ => true,
    }
}

/// Pauses a subscription at the end of its trial.
pub fn pause(txn: &mut Txn<'_>, id: &str) {
    let now = txn.now().0;
    let details = pausing::paused("trial_end_without_payment_method", txn.now());
    let changed = subscription::edit(txn, id, |doc, _| {
        let status = lifecycle::after("trialing", Turn::TrialEndsUnpayable);
        doc.insert("status".to_owned(), json!(status));
        doc.insert("status_details".to_owned(), details);
        doc.insert("billing_cycle_anchor".to_owned(), json!(now));
        doc.insert("trial_end".to_owned(), json!(now));
        let mut all = items_of(doc);
        for item in all.iter_mut().filter_map(Value::as_object_mut) {
            item.insert("current_period_end".to_owned(), json!(now));
        }
        subscription::set_items(doc, &all);
    });
    let Some((before, after)) = changed else { return };
    if text(&after, "pending_setup_intent").is_empty() {
        let intent = trial::prepare(txn, &after);
        txn.edit(KIND, id, |doc| {
            drop(doc.insert("pending_setup_intent".to_owned(), json!(intent)));
        });
    }
    let after = txn.get(KIND, id).unwrap_or(after);
    subscription::tell(txn, &before, &after);
    txn.emit("customer.subscription.paused", &after);
}

/// The items of a subscription that is being changed.
pub fn items_of(doc: &Doc) -> Vec<Value> {
    doc.get("items").and_then(|it| it.get("data")?.as_array().cloned()).unwrap_or_default()
}

/// The interval of an item.
pub fn interval_of(item: &Value) -> Option<Interval> {
    Interval::read(item.get("price")?.get("recurring")?)
}

/// Takes a subscription into its next period, and drafts the invoice for it.
fn renew(txn: &mut Txn<'_>, known: &Arc<Object>, ends_trial: bool) {
    let (id, now) = (text(known, "id").to_owned(), txn.now());
    let anchor = Timestamp(int(known, "billing_cycle_anchor"));
    let past =
        subscription::items(known).iter().map(subscription::period_of).min_by_key(|it| it.end);
    let mut rolled = Vec::new();
    let mut all = subscription::items(known).to_vec();
    for item in &mut all {
        let running = json!(discount::running(txn, item));
        if let Some(item) = item.as_object_mut() {
            item.insert("discounts".to_owned(), running);
        }
        let Some(interval) = interval_of(item) else { continue };
        if int(item, "current_period_end") > now.0 {
            continue;
        }
        let period = interval.around(anchor, now);
        let used = usage::is_metered(item).then(|| subscription::period_of(item));
        // What is used in a trial is free.
        let used = used.map(|past| if ends_trial { Period::at(past.end) } else { past });
        if let Some(item) = item.as_object_mut() {
            item.insert("current_period_start".to_owned(), json!(period.start.0));
            item.insert("current_period_end".to_owned(), json!(period.end.0));
        }
        rolled.push((item.clone(), used.unwrap_or(period)));
    }
    let invoice = invoice::new_id(txn);
    let running = discount::running(txn, known);
    let changed = subscription::edit(txn, &id, |doc, _| {
        subscription::set_items(doc, &all);
        doc.insert("latest_invoice".to_owned(), json!(invoice));
        doc.insert("discounts".to_owned(), json!(running));
        if ends_trial {
            let status = lifecycle::after("trialing", Turn::TrialEnds);
            doc.insert("status".to_owned(), json!(status));
        }
    });
    let Some((before, after)) = changed else { return };
    subscription::tell(txn, &before, &after);
    let period = past.unwrap_or(Period::at(now));
    draft_cycle(txn, &after, (invoice, period), &rolled);
}

fn draft_cycle(
    txn: &mut Txn<'_>,
    known: &Arc<Object>,
    (invoice, period): (String, Period),
    rolled: &[(Value, Period)],
) {
    let Some(customer) = txn.get("customer", text(known, "customer")) else { return };
    let currency = text(known, "currency").to_owned();
    let id = text(known, "id").to_owned();
    let mut lines: Vec<LinePart> =
        invoice::pending(txn, text(&customer, "id"), &currency, Some(&id));
    for (item, period) in rolled {
        if usage::is_metered(item) {
            lines.push(usage::line(txn, known, item, *period));
            continue;
        }
        let cost = items::cost(txn, item, &currency);
        lines.push(line::regular(txn, known, item, (*period, cost, How::Whole)));
    }
    let is_unpaid = text(known, "status") == "unpaid";
    let mut more = Doc::new();
    more.insert("auto_advance".to_owned(), json!(!is_unpaid));
    let made = invoice::draft(
        txn,
        Draft {
            id: Some(invoice.clone()),
            customer: &customer,
            subscription: Some(known),
            reason: "subscription_cycle",
            period,
            currency: &currency,
            lines,
            more,
        },
    );
    subscription::note_billed(txn, &id, &made);
    discount::settle(txn, &id, &made);
    draft::advance_for(txn, known, &invoice, !is_unpaid);
}

/// Ends a subscription, and bills what was used of it and not billed yet.
pub fn end_with_usage(txn: &mut Txn<'_>, id: &str, reason: &str) {
    let Some(known) = txn.get(KIND, id) else { return };
    if subscription::end(txn, id, reason).is_some() && usage::is_any(&known) {
        let used = usage::so_far(txn, &known);
        draft::bill_pending(txn, &known, used, "subscription_cycle");
    }
}

/// The job behind [`CANCEL_JOB`].
pub fn on_cancel(txn: &mut Txn<'_>, args: &Value) {
    end_with_usage(txn, text(args, "subscription"), "cancellation_requested");
}

/// The job behind [`EXPIRE_JOB`].
pub fn on_expire(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "subscription").to_owned();
    let Some(known) = txn.get(KIND, &id).filter(|it| text(it, "status") == "incomplete") else {
        return;
    };
    subscription::forget_jobs(txn, &known);
    let now = txn.now().0;
    let changed = subscription::edit(txn, &id, |doc, _| {
        let status = lifecycle::after("incomplete", Turn::Expires);
        doc.insert("status".to_owned(), json!(status));
        doc.insert("ended_at".to_owned(), json!(now));
    });
    drop(invoice::close(txn, text(&known, "latest_invoice"), Act::Void));
    if let Some((before, after)) = changed {
        subscription::tell(txn, &before, &after);
    }
}

/// The job behind [`RESUME_JOB`].
pub fn on_resume(txn: &mut Txn<'_>, args: &Value) {
    let changed = subscription::edit(txn, text(args, "subscription"), |doc, part| {
        doc.insert("pause_collection".to_owned(), Value::Null);
        part.resume = None;
    });
    if let Some((before, after)) = changed {
        subscription::tell(txn, &before, &after);
    }
}

/// Goes on with a subscription that was paused, once its invoice is paid: with this anchor, else with the one that it
/// was to keep, else with one of now.
pub fn restart(txn: &mut Txn<'_>, id: &str, anchor: Option<Timestamp>) {
    let now = txn.now();
    let waited = txn.get(KIND, id).and_then(|it| it.part::<SubscriptionPart>().held.clone());
    let kept = waited.as_ref().and_then(|held| held.members.get("billing_cycle_anchor")?.as_i64());
    let anchor = anchor.or(kept.map(Timestamp)).unwrap_or(now);
    if let Some(job) = waited.and_then(|held| held.job) {
        txn.unschedule(&job);
    }
    let changed = subscription::edit(txn, id, |doc, part| {
        part.held = None;
        doc.remove("status_details");
        doc.insert("status".to_owned(), json!(lifecycle::after("paused", Turn::Paid)));
        doc.insert("billing_cycle_anchor".to_owned(), json!(anchor.0));
        doc.insert("pending_update".to_owned(), Value::Null);
        let mut all = items_of(doc);
        for item in &mut all {
            let period = interval_of(item).map(|interval| interval.around(anchor, now));
            if let (Some(period), Some(item)) = (period, item.as_object_mut()) {
                item.insert("current_period_start".to_owned(), json!(period.start.0));
                item.insert("current_period_end".to_owned(), json!(period.end.0));
            }
        }
        subscription::set_items(doc, &all);
    });
    let Some((before, after)) = changed else { return };
    subscription::tell(txn, &before, &after);
    txn.emit("customer.subscription.resumed", &after);
    plan(txn, id);
}
