//! What calls do to subscription schedules: they are made, changed, released and canceled.
//!
//! The sentences of refusals are believed: no recording has one.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::phase::{self, KIND};
use crate::sandbox::behaviour::billing::schedule::{
    End, close, end_of, is_open, let_go, move_to, note_phase, phase_at, phases, plan, settle_end,
    start_of, turn,
};
use crate::sandbox::behaviour::billing::subscription::{self, KIND as SUBSCRIPTION};
use crate::sandbox::behaviour::billing::{create, ending, items, lifecycle, on_clock_of};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::document::{merge_metadata, new};
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::PlannedPart;
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Fails with 501 for what of any schedule follows nothing yet.
fn ensure_modelled(call: &Call) -> Result<(), Failure> {
    call.ensure_modelled(" of subscription schedules", &["pause_schedules"])
}

/// Makes a schedule, of phases or of a subscription that there is.
///
/// Fails for what its first phase cannot be made of; nothing is kept then.
pub fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    call.ensure_modelled(" of subscription schedules", &["customer_account"])?;
    ensure_modelled(call)?;
    if let Some(id) = call.text("from_subscription") {
        return adopt(txn, call, id);
    }
    let Some(customer) = call.text("customer") else { return Err(items::required("customer")) };
    let found = txn.find("customer", customer, "customer")?;
    on_clock_of(txn, customer, |txn| make(txn, call, &found))
}

fn make(txn: &mut Txn<'_>, call: &Call, customer: &Value) -> Result<Arc<Object>, Failure> {
    let start = match (call.text("start_date"), call.int("start_date")) {
        (Some(_), _) => txn.now(),
        (None, Some(at)) => Timestamp(at),
        (None, None) => return Err(items::required("start_date")),
    };
    let phases = phase::read(txn, call.list("phases"), start)?;
    let mode = create::billing_mode(call, txn.now().0);
    phase::ensure_aligned(txn, &phases, text(&mode, "type") == "flexible")?;
    let settings = phase::settings(&phase::usual_settings(), call.hash("default_settings"))?;
    let id = store(txn, call, (customer, &settings, &phases));
    turn(txn, &id)?;
    retold(txn, &id)
}

/// Writes a schedule down that has not begun, and tells of it.
fn store(
    txn: &mut Txn<'_>,
    call: &Call,
    (customer, settings, phases): (&Value, &Value, &[Value]),
) -> String {
    let (id, now) = (txn.new_id("sub_sched_1", 23), txn.now().0);
    let mode = create::billing_mode(call, now);
    let end = call.text("end_behavior").unwrap_or("release");
    let mut doc = new(
        KIND,
        json!({
            "id": id, "billing_mode": mode, "created": now, "customer": text(customer, "id"),
            "default_settings": settings, "end_behavior": end, "livemode": false, "metadata": {},
            "pause_schedules": [], "phases": phases, "status": "not_started",
            "test_clock": customer.get("test_clock"),
        }),
    );
    merge_metadata(&mut doc, &call.params);
    let made = txn.put_with(doc, PlannedPart::default());
    txn.emit("subscription_schedule.created", &made);
    id
}

/// A new schedule as it is once its first phase has begun; whoever is told of it sees it so.
fn retold(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let made = txn.find(KIND, id, "id")?;
    txn.retell("subscription_schedule.created", &made);
    Ok(made)
}

/// Puts a subscription under a schedule that has it go on as it is until its period ends.
fn adopt(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let other = call.params.keys().find(|name| *name != "from_subscription");
    if let Some(other) = other {
        let text = format!("You cannot set `{other}` if `from_subscription` is set.");
        return Err(Failure::invalid(text).param(other));
    }
    let known = txn.find(SUBSCRIPTION, id, "from_subscription")?;
    if !text(&known, "schedule").is_empty() {
        let text = format!(
            "You cannot migrate a subscription that is already attached to a schedule: {}.",
            text(&known, "schedule")
        );
        return Err(Failure::invalid(text).param("from_subscription"));
    }
    if lifecycle::is_over(text(&known, "status")) {
        let text =
            "You cannot create a subscription schedule from a subscription that is canceled.";
        return Err(Failure::invalid(text).param("from_subscription"));
    }
    let customer = txn.find("customer", text(&known, "customer"), "customer")?;
    on_clock_of(txn, text(&customer, "id"), |txn| {
        let phase = phase::of_subscription(&known);
        let mut settings = phase::usual_settings();
        if let Value::Object(settings) = &mut settings {
            for name in ["collection_method", "default_payment_method", "description"] {
                settings.insert(name.to_owned(), known.get(name).cloned().unwrap_or_default());
            }
        }
        let made = store(txn, call, (&customer, &settings, std::slice::from_ref(&phase)));
        txn.edit(KIND, &made, |doc| {
            doc.insert(
                "billing_mode".to_owned(),
                known.get("billing_mode").cloned().unwrap_or_default(),
            );
            doc.insert("subscription".to_owned(), json!(id));
        });
        if let Some(schedule) = txn.get(KIND, &made) {
            note_phase(txn, &schedule, &phase);
        }
        attach(txn, id, &made);
        plan(txn, &made);
        retold(txn, &made)
    })
}

/// Has a subscription go on as a phase says once its period ends, and be released then. What its schedule had planned
/// for later is given up.
///
/// Fails for one that is over, and for what a phase cannot sell.
pub fn change_later(txn: &mut Txn<'_>, id: &str, phase: &Value) -> Result<Arc<Object>, Failure> {
    let known = txn.find(SUBSCRIPTION, id, "subscription")?;
    let schedule = match text(&known, "schedule") {
        "" => {
            let params = Map::from_iter([("from_subscription".to_owned(), json!(id))]);
            let version = Version { text: txn.site().api_version.clone(), named: true };
            let key = create::DRAFTS.to_owned();
            adopt(txn, &Call { key, ids: Vec::new(), params, version }, id)?
        }
        own => txn.find(KIND, own, "schedule")?,
    };
    on_clock_of(txn, text(&known, "customer"), |txn| {
        let now = txn.now();
        let mut all: Vec<Value> =
            phases(&schedule).iter().filter(|it| start_of(it) <= now.0).cloned().collect();
        let end = all.last().map_or(now.0, end_of);
        all.extend(phase::read(txn, std::slice::from_ref(phase), Timestamp(end))?);
        phase::ensure_aligned(txn, &all, items::is_flexible(&schedule))?;
        let own = text(&schedule, "id").to_owned();
        let changed = txn.edit(KIND, &own, |doc| drop(doc.insert("phases".to_owned(), json!(all))));
        settle_end(txn, &own);
        plan(txn, &own);
        if let Some((before, after)) = changed {
            txn.emit_change("subscription_schedule.updated", &before, &after);
        }
        txn.find(KIND, &own, "schedule")
    })
}

/// The phase that a subscription goes into next, where a schedule has it go into one.
pub fn next_phase(view: &View, subscription: &Value) -> Option<Value> {
    let schedule = view.get(KIND, text(subscription, "schedule")).filter(|it| is_open(it))?;
    let ends = schedule.get("current_phase").filter(|it| it.is_object()).map(end_of)?;
    phases(&schedule).iter().find(|phase| start_of(phase) >= ends).cloned()
}

/// Writes down which schedule a subscription follows.
fn attach(txn: &mut Txn<'_>, subscription: &str, schedule: &str) {
    let changed = subscription::edit(txn, subscription, |doc, _| {
        drop(doc.insert("schedule".to_owned(), json!(schedule)));
    });
    if let Some((before, after)) = changed {
        subscription::tell(txn, &before, &after);
    }
}

fn ensure_open(known: &Value, what: &str) -> Result<(), Failure> {
    if is_open(known) {
        return Ok(());
    }
    let text = format!(
        "You cannot {what} a subscription schedule that is currently in the `{}` status. It can only be done while the schedule's status is `not_started` or `active`.",
        text(known, "status")
    );
    Err(Failure::invalid(text))
}

/// Changes a schedule as a call asks; what that changes of its running phase, it changes of its subscription.
///
/// Fails for one that is over, and for phases without what is running.
pub fn update(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    ensure_open(&known, "update")?;
    ensure_modelled(call)?;
    on_clock_of(txn, text(&known, "customer"), |txn| apply(txn, call, &known))
}

fn apply(txn: &mut Txn<'_>, call: &Call, known: &Arc<Object>) -> Result<Arc<Object>, Failure> {
    let id = text(known, "id").to_owned();
    let phases = if call.sent("phases") {
        let phases = phase::read(txn, call.list("phases"), first_start(txn, call, known)?)?;
        phase::ensure_aligned(txn, &phases, items::is_flexible(known))?;
        Some(phases)
    } else {
        None
    };
    let usual = known.get("default_settings").cloned().unwrap_or_default();
    let settings = phase::settings(&usual, call.hash("default_settings"))?;
    let changed = txn.edit(KIND, &id, |doc| {
        doc.insert("default_settings".to_owned(), settings);
        if let Some(end) = call.text("end_behavior") {
            doc.insert("end_behavior".to_owned(), json!(end));
        }
        if let Some(phases) = &phases {
            doc.insert("phases".to_owned(), json!(phases));
        }
        merge_metadata(doc, &call.params);
    });
    let Some((before, after)) = changed else { return Ok(Arc::clone(known)) };
    if phases.is_some() || call.sent("default_settings") || call.sent("end_behavior") {
        renewed(txn, call, &before, &after)?;
    }
    let after = txn.find(KIND, &id, "id")?;
    if is_open(&after) {
        txn.emit_change("subscription_schedule.updated", &before, &after);
    }
    Ok(after)
}

/// When the first of the phases begins that a call sends: they say so, or it is when the running one began.
fn first_start(txn: &Txn<'_>, call: &Call, known: &Value) -> Result<Timestamp, Failure> {
    let sent = call.list("phases").first().and_then(|phase| phase.get("start_date"));
    let current = known.get("current_phase").filter(|it| it.is_object());
    let own = current.or_else(|| phases(known).first()).map_or(txn.now().0, start_of);
    let start = match sent {
        Some(Value::String(_)) => txn.now().0,
        Some(at) => at.as_i64().unwrap_or(own),
        None => own,
    };
    if current.is_some_and(|current| start > end_of(current) || start > txn.now().0) {
        let text = "The phases of an active subscription schedule must include its current phase.";
        return Err(Failure::invalid(text).param("phases"));
    }
    Ok(Timestamp(start))
}

/// Has a subscription follow what changed of the phase that its schedule is in.
fn renewed(txn: &mut Txn<'_>, call: &Call, before: &Value, after: &Object) -> Result<(), Failure> {
    let (id, now) = (text(after, "id").to_owned(), txn.now().0);
    let own = text(after, "subscription").to_owned();
    let Some(phase) = phase_at(after, now).filter(|_| !own.is_empty()).cloned() else {
        return turn(txn, &id);
    };
    let was = phase_at(before, now).cloned().unwrap_or_default();
    let is_new = start_of(&phase) > start_of(&was);
    if config(&was) != config(&phase) {
        let mut as_sent = phase.clone();
        let behaviour = call.text("proration_behavior").filter(|_| !is_new);
        if let (Some(behaviour), Some(phase)) = (behaviour, as_sent.as_object_mut()) {
            phase.insert("proration_behavior".to_owned(), json!(behaviour));
        }
        move_to(txn, after, &own, &as_sent)?;
    }
    note_phase(txn, after, &phase);
    settle_end(txn, &id);
    plan(txn, &id);
    Ok(())
}

/// What of a phase concerns its subscription.
fn config(phase: &Value) -> Doc {
    let mut all = phase.as_object().cloned().unwrap_or_default();
    for name in ["end_date", "proration_behavior", "start_date"] {
        all.remove(name);
    }
    all
}

/// Has the subscription of a schedule go on without it.
///
/// Fails for one that is over.
pub fn release(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    ensure_open(&known, "release")?;
    on_clock_of(txn, text(&known, "customer"), |txn| {
        let own = text(&known, "subscription").to_owned();
        close(txn, &known, End::Released);
        let_go(txn, &own, call.flag("preserve_cancel_date") == Some(true));
        txn.find(KIND, id, "id")
    })
}

/// Gives a schedule up, and ends its subscription at once.
///
/// Fails for one that is over.
pub fn cancel(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    ensure_open(&known, "cancel")?;
    on_clock_of(txn, text(&known, "customer"), |txn| {
        close(txn, &known, End::Canceled);
        let own = text(&known, "subscription").to_owned();
        if own.is_empty() {
            // What the official CLI triggers it with: one that never began.
            if let Some(after) = txn.get(KIND, id) {
                txn.emit("subscription_schedule.aborted", &after);
            }
        } else {
            let mut params = Map::new();
            for name in ["invoice_now", "prorate"] {
                params.insert(name.to_owned(), json!(call.flag(name).unwrap_or(true)));
            }
            ending::cancel(txn, &Call { params, ..call.clone() }, &own)?;
        }
        txn.find(KIND, id, "id")
    })
}

/// Refuses to have a subscription end otherwise than its schedule says.
pub fn ensure_own_end(call: &Call, subscription: &Value) -> Result<(), Failure> {
    let sent = ["cancel_at", "cancel_at_period_end"].iter().any(|name| call.sent(name));
    let schedule = text(subscription, "schedule");
    if !sent || schedule.is_empty() {
        return Ok(());
    }
    let text = format!(
        "The subscription is managed by the subscription schedule `{schedule}`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead."
    );
    Err(Failure::invalid(text))
}
