//! Subscription schedules: a subscription that begins, changes and ends by itself, phase by phase.
//!
//! The sentences of refusals are believed: no recording has one.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::DAY;
use crate::sandbox::behaviour::billing::phase::{self, KIND};
use crate::sandbox::behaviour::billing::subscription::{self, KIND as SUBSCRIPTION};
use crate::sandbox::behaviour::billing::{change, create, ending, renew, swap};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PlannedPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that takes a schedule into its next phase, or ends it.
pub const TURN_JOB: &str = "subscription_schedule.turn";
/// The job that tells that a schedule is about to end.
pub const NOTICE_JOB: &str = "subscription_schedule.expiring";

/// How long before its end that is. The documentation says seven days; what the official CLI triggers it with has it
/// by nine days before.
const NOTICE: i64 = 9 * DAY;

/// How a schedule ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its last phase is over.
    Completed,
    /// Its subscription goes on without it.
    Released,
    /// It is given up with its subscription.
    Canceled,
    /// Its subscription was not paid.
    Aborted,
}

impl End {
    /// Its status, when it came into it, and the event that tells of it.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Completed => ("completed", "completed_at", "subscription_schedule.completed"),
            Self::Released => ("released", "released_at", "subscription_schedule.released"),
            Self::Canceled => ("canceled", "canceled_at", "subscription_schedule.canceled"),
            Self::Aborted => ("canceled", "canceled_at", "subscription_schedule.aborted"),
        }
    }
}

/// Whether a schedule still does anything.
pub fn is_open(schedule: &Value) -> bool {
    matches!(text(schedule, "status"), "not_started" | "active")
}

/// The phases of a schedule.
pub fn phases(schedule: &Value) -> &[Value] {
    schedule.get("phases").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// When a phase begins.
pub fn start_of(phase: &Value) -> i64 {
    int(phase, "start_date")
}

/// When a phase ends.
pub fn end_of(phase: &Value) -> i64 {
    int(phase, "end_date")
}

fn last_end(schedule: &Value) -> i64 {
    phases(schedule).last().map_or(0, end_of)
}

/// The phase that an instant is in.
pub fn phase_at(schedule: &Value, now: i64) -> Option<&Value> {
    phases(schedule).iter().find(|phase| start_of(phase) <= now && now < end_of(phase))
}

/// Writes down which phase a schedule is in.
pub fn note_phase(txn: &mut Txn<'_>, known: &Object, phase: &Value) {
    let current = json!({"end_date": end_of(phase), "start_date": start_of(phase)});
    txn.edit(KIND, text(known, "id"), |doc| {
        doc.insert("current_phase".to_owned(), current);
        doc.insert("status".to_owned(), json!("active"));
    });
}

/// Brings a schedule to where it has to be now.
pub fn turn(txn: &mut Txn<'_>, id: &str) -> Result<(), Failure> {
    let Some(known) = txn.get(KIND, id).filter(|it| is_open(it)) else { return Ok(()) };
    let now = txn.now().0;
    if last_end(&known) <= now && text(&known, "status") == "active" {
        finish(txn, &known);
        return Ok(());
    }
    // One that lies wholly in the past begins with its last phase, and ends at once.
    let over = phases(&known).last().filter(|_| last_end(&known) <= now);
    if let Some(phase) = phase_at(&known, now).or(over).cloned()
        && !is_in(&known, &phase)
    {
        match text(&known, "subscription") {
            "" => begin(txn, &known, &phase)?,
            subscription => {
                let subscription = subscription.to_owned();
                move_to(txn, &known, &subscription, &phase)?;
            }
        }
        note_phase(txn, &known, &phase);
        settle_end(txn, id);
        if over_now(txn, id) {
            return turn(txn, id);
        }
    }
    plan(txn, id);
    Ok(())
}

fn over_now(txn: &Txn<'_>, id: &str) -> bool {
    txn.get(KIND, id).is_some_and(|it| is_open(&it) && last_end(&it) <= txn.now().0)
}

fn is_in(schedule: &Value, phase: &Value) -> bool {
    let current = schedule.get("current_phase").filter(|it| it.is_object());
    current.is_some_and(|it| int(it, "start_date") == start_of(phase))
}

/// Makes the subscription of a schedule's first phase.
fn begin(txn: &mut Txn<'_>, known: &Object, phase: &Value) -> Result<(), Failure> {
    let mut call = phase::call(txn, known, phase);
    let start = start_of(phase);
    if start < txn.now().0 {
        call.params.insert("backdate_start_date".to_owned(), json!(start));
    }
    let mode = known.get("billing_mode").cloned().unwrap_or_default();
    call.params.insert("billing_mode".to_owned(), mode);
    let made = create::create(txn, &call, text(known, "customer"))?;
    txn.edit(KIND, text(known, "id"), |doc| {
        doc.insert("subscription".to_owned(), json!(text(&made, "id")));
    });
    Ok(())
}

/// Changes the subscription of a schedule to what a phase says. At the end of a period its renewal bills that; in the
/// middle of one, parts of it are charged and given back as the phase asks.
pub fn move_to(txn: &mut Txn<'_>, known: &Object, id: &str, phase: &Value) -> Result<(), Failure> {
    let Some(subscription) = txn.get(SUBSCRIPTION, id) else { return Ok(()) };
    let mut call = phase::call(txn, known, phase);
    let wanted = phase::replacing(&subscription, call.list("items"));
    call.params.insert("items".to_owned(), json!(wanted));
    let anchor = [Some(phase), known.get("default_settings")];
    let anchor =
        anchor.into_iter().flatten().find_map(|of| of.get("billing_cycle_anchor")?.as_str());
    let anew = anchor == Some("phase_start");
    let at_end = subscription::period_end(&subscription).is_some_and(|end| end <= txn.now().0);
    if at_end && !call.sent("trial_end") {
        return move_at_end(txn, &call, &subscription, anew);
    }
    if at_end {
        call.params.insert("proration_behavior".to_owned(), json!("none"));
    } else if anew {
        call.params.insert("billing_cycle_anchor".to_owned(), json!("now"));
    }
    change::update(txn, &call, id).map(drop)
}

/// Puts what a phase sells in place of what a subscription had in the period that ends now.
fn move_at_end(
    txn: &mut Txn<'_>,
    call: &Call,
    known: &Arc<Object>,
    anew: bool,
) -> Result<(), Failure> {
    let now = txn.now().0;
    let deltas = swap::deltas(txn, known, call.list("items"))?;
    let moves = deltas.iter().any(|delta| match (&delta.old, &delta.new) {
        (Some(old), Some(new)) => phase::moves(old, new),
        _ => false,
    });
    let mut all = swap::replaced(known, &deltas);
    for (item, delta) in deltas.iter().filter_map(|delta| Some((delta.new.as_ref()?, delta))) {
        let found = all.iter_mut().find(|it| text(it, "id") == text(item, "id"));
        let Some(Value::Object(found)) = found else { continue };
        // What was not there before has no period yet: the renewal gives it one.
        if delta.old.is_none() {
            found.insert("current_period_start".to_owned(), json!(now));
        }
        found.insert("current_period_end".to_owned(), json!(now));
    }
    let mut doc = known.as_object().cloned().unwrap_or_default();
    create::write(txn, call, &mut doc)?;
    change::write_more(txn, call, &mut doc, known)?;
    subscription::set_items(&mut doc, &all);
    if anew || moves {
        doc.insert("billing_cycle_anchor".to_owned(), json!(now));
    }
    let customer = txn.find("customer", text(known, "customer"), "customer")?;
    let first = all.first().map(subscription::period_of);
    let period = first.unwrap_or(crate::sandbox::behaviour::billing::period::Period::at(txn.now()));
    let currency = text(known, "currency").to_owned();
    create::added(txn, call, (&customer, text(known, "id"), &currency), period)?;
    let part = known.part::<crate::sandbox::engine::private::SubscriptionPart>().into_owned();
    let after = subscription::store(txn, doc, part);
    subscription::tell(txn, known, &after);
    Ok(())
}

/// Has the subscription of a schedule end with it, where that is asked for.
pub fn settle_end(txn: &mut Txn<'_>, id: &str) {
    let Some(known) = txn.get(KIND, id) else { return };
    let own = text(&known, "subscription").to_owned();
    let (ends, now) = (last_end(&known), txn.now().0);
    let cancels = text(&known, "end_behavior") == "cancel";
    let changed = subscription::edit(txn, &own, |doc, _| {
        let was = doc.get("cancel_at").and_then(Value::as_i64);
        if cancels && was != Some(ends) {
            ending::stamp(doc, Some(json!(ends)), now);
        } else if !cancels && was.is_some() {
            ending::stamp(doc, None, now);
        }
    });
    if let Some((before, after)) = changed {
        if text(&before, "status") != "canceled" {
            subscription::tell(txn, &before, &after);
        }
        renew::plan(txn, &own);
    }
}

/// Ends a schedule whose last phase is over.
fn finish(txn: &mut Txn<'_>, known: &Arc<Object>) {
    let own = text(known, "subscription").to_owned();
    let cancels = text(known, "end_behavior") == "cancel";
    close(txn, known, End::Completed);
    if cancels {
        renew::end_with_usage(txn, &own, "cancellation_requested");
    } else {
        let_go(txn, &own, false);
    }
}

/// Has a subscription go on without its schedule.
pub fn let_go(txn: &mut Txn<'_>, subscription: &str, keeps_end: bool) {
    let now = txn.now().0;
    let changed = subscription::edit(txn, subscription, |doc, _| {
        doc.insert("schedule".to_owned(), Value::Null);
        if !keeps_end && doc.get("cancel_at").is_some_and(|at| !at.is_null()) {
            ending::stamp(doc, None, now);
        }
    });
    if let Some((before, after)) = changed {
        subscription::tell(txn, &before, &after);
        renew::plan(txn, subscription);
    }
}

/// Writes down how a schedule ended, and tells of it.
pub fn close(txn: &mut Txn<'_>, known: &Arc<Object>, end: End) {
    let id = text(known, "id").to_owned();
    forget_jobs(txn, &id);
    let now = txn.now().0;
    let (status, stamp, event) = end.words();
    let changed = txn.edit(KIND, &id, |doc| {
        doc.insert("current_phase".to_owned(), Value::Null);
        doc.insert("status".to_owned(), json!(status));
        doc.insert(stamp.to_owned(), json!(now));
        if end == End::Released {
            let own = doc.insert("subscription".to_owned(), Value::Null).unwrap_or_default();
            doc.insert("released_subscription".to_owned(), own);
        }
    });
    if let Some((_, after)) = changed {
        txn.emit(event, &after);
    }
}

/// What becomes of the schedule of a subscription that has ended.
pub fn subscription_ended(txn: &mut Txn<'_>, subscription: &Value, reason: &str) {
    let found = txn.get(KIND, text(subscription, "schedule"));
    let Some(known) = found.filter(|it| is_open(it)) else { return };
    let is_over = last_end(&known) <= txn.now().0;
    let end = match reason {
        _ if is_over => End::Completed,
        "payment_failed" => End::Aborted,
        _ => End::Canceled,
    };
    close(txn, &known, end);
}

fn forget_jobs(txn: &mut Txn<'_>, id: &str) {
    let jobs = txn.record::<PlannedPart>(KIND, id).map(|part| part.jobs.clone());
    for job in jobs.unwrap_or_default() {
        txn.unschedule(&job);
    }
    txn.edit_part(KIND, id, |part: &mut PlannedPart| part.jobs.clear());
}

/// Plans the next turn of a schedule, and the word before its end.
pub fn plan(txn: &mut Txn<'_>, id: &str) {
    forget_jobs(txn, id);
    let Some(known) = txn.get(KIND, id).filter(|it| is_open(it)) else { return };
    let now = txn.now();
    let next = match known.get("current_phase").filter(|it| it.is_object()) {
        Some(current) => end_of(current),
        None => phases(&known).first().map_or(now.0, start_of),
    };
    let args = json!({"schedule": id});
    let mut jobs = vec![txn.schedule(Timestamp(next).max(now), TURN_JOB, &args)];
    if !known.part::<PlannedPart>().told {
        let due = Timestamp(last_end(&known) - NOTICE).max(now);
        jobs.push(txn.schedule(due, NOTICE_JOB, &args));
    }
    txn.edit_part(KIND, id, |part: &mut PlannedPart| part.jobs = jobs);
}

/// The job behind [`TURN_JOB`].
pub fn on_turn(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "schedule").to_owned();
    let Some(before) = txn.get(KIND, &id) else { return };
    if txn.find("customer", text(&before, "customer"), "customer").is_err() {
        close(txn, &before, End::Canceled);
        return;
    }
    if let Err(failure) = turn(txn, &id) {
        tracing::warn!(message = failure.message, "a schedule could not go into its next phase");
        close(txn, &before, End::Aborted);
        let_go(txn, text(&before, "subscription"), false);
        return;
    }
    if let Some(after) = txn.get(KIND, &id).filter(|it| is_open(it)) {
        txn.emit_change("subscription_schedule.updated", &before, &after);
    }
}

/// The job behind [`NOTICE_JOB`].
pub fn on_notice(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "schedule").to_owned();
    let Some(known) = txn.get(KIND, &id).filter(|it| is_open(it)) else { return };
    txn.edit_part(KIND, &id, |part: &mut PlannedPart| part.told = true);
    txn.emit("subscription_schedule.expiring", &known);
}

/// Has the schedule of a subscription go into the phase that begins with the period which begins now.
pub fn before_renewal(txn: &mut Txn<'_>, subscription: &Value) {
    let Some(known) = txn.get(KIND, text(subscription, "schedule")) else { return };
    let is_due = known
        .get("current_phase")
        .filter(|it| it.is_object())
        .is_some_and(|current| end_of(current) <= txn.now().0);
    if is_due {
        on_turn(txn, &json!({"schedule": text(&known, "id")}));
    }
}
