//! Trials: how long one lasts, what prepares the payments after it, and the word before its end.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::DAY;
use crate::sandbox::behaviour::billing::subscription;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::setup::intent;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{SetupIntentPart, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The job that tells of the end of a trial.
pub const NOTICE_JOB: &str = "subscription.trial_will_end";

/// How long before its end that is.
const NOTICE: i64 = 3 * DAY;

/// When the trial that a call asks for ends; `None` where it asks for none.
///
/// Fails for an end that is past and for two ways to say it at once.
pub fn end(txn: &Txn<'_>, call: &Call, price: &Value) -> Result<Option<Timestamp>, Failure> {
    let by_plan = call.flag("trial_from_plan") == Some(true);
    if by_plan && (call.sent("trial_end") || call.sent("trial_period_days")) {
        let text = "You cannot set `trial_end` or `trial_period_days` when `trial_from_plan=true`.";
        return Err(Failure::invalid(text));
    }
    if let Some(at) = call.int("trial_end") {
        ensure_future(txn, "trial_end", at)?;
        return Ok(Some(Timestamp(at)));
    }
    let days = call.int("trial_period_days").or_else(|| {
        let own = price.get("recurring")?.get("trial_period_days")?.as_i64();
        own.filter(|_| by_plan)
    });
    Ok(days.filter(|days| *days > 0).map(|days| txn.now().plus(days * DAY)))
}

/// Refuses a time that is not ahead.
pub fn ensure_future(txn: &Txn<'_>, name: &str, at: i64) -> Result<(), Failure> {
    if at > txn.now().0 {
        return Ok(());
    }
    let text = format!(
        "The parameter `{name}` expects a unix timestamp representing a date and time in the future. You specified the value `{at}` which is in the past."
    );
    Err(Failure::invalid(text).param(name))
}

/// Opens the intent with which a customer says how the payments after a trial are made; its id.
pub fn prepare(txn: &mut Txn<'_>, subscription: &Value) -> String {
    let mut doc = Doc::new();
    let types = vec!["card".to_owned()];
    doc.insert("customer".to_owned(), json!(text(subscription, "customer")));
    doc.insert("payment_method_options".to_owned(), intent::method_options(&types));
    doc.insert("payment_method_types".to_owned(), json!(types));
    let id = text(subscription, "id").to_owned();
    let part = SetupIntentPart { subscription: Some(id), ..SetupIntentPart::default() };
    text(&intent::open(txn, doc, part), "id").to_owned()
}

/// What follows where such an intent succeeded: its method pays for the subscription.
pub fn prepared(txn: &mut Txn<'_>, intent: &Object) {
    let Some(id) = intent.part::<SetupIntentPart>().subscription.clone() else { return };
    let method = text(intent, "payment_method");
    let changed = subscription::edit(txn, &id, |doc, _| {
        doc.insert("pending_setup_intent".to_owned(), Value::Null);
        doc.insert("default_payment_method".to_owned(), json!(method));
    });
    if let Some((before, after)) = changed {
        subscription::tell(txn, &before, &after);
    }
}

/// Plans the word before the end of a trial; in a shorter one it is said at once.
pub fn plan_notice(txn: &mut Txn<'_>, id: &str, end: Timestamp) {
    let due = end.plus(-NOTICE).max(txn.now());
    let job = txn.schedule(due, NOTICE_JOB, &json!({"subscription": id}));
    txn.edit_part(subscription::KIND, id, |part: &mut SubscriptionPart| part.notice = Some(job));
}

/// The job behind [`NOTICE_JOB`].
pub fn on_notice(txn: &mut Txn<'_>, args: &Value) {
    let found = txn.get(subscription::KIND, text(args, "subscription"));
    if let Some(it) = found.filter(|it| text(it, "status") == "trialing") {
        txn.emit("customer.subscription.trial_will_end", &it);
    }
}
