//! Billing thresholds: what is used is billed before its period ends, once there is so much of it.
//!
//! As documented: they hold for running subscriptions, not in a trial and not in the last day of a period; what an
//! invoice would come to counts without taxes, with discounts and prorations; tiers go on through the invoices of one
//! period; an anchor that is reset has the period end as by itself. Believed: that all that was used is billed when one
//! item passes its threshold, that what is paid ahead is given back where an anchor is reset, and the refusals' words.

use crate::sandbox::behaviour::billing::change::Billing;
use crate::sandbox::behaviour::billing::invoice::{self, Draft};
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::period::{DAY, Period};
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{discount, draft, items, prorate, renew, swap, usage};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{LinePart, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The member and the parameter, of subscriptions, their items and phases.
pub const NAME: &str = "billing_thresholds";

/// The least amount that can be one.
const LEAST: i64 = 50;

/// How long before the end of a period thresholds are not looked at any more.
const QUIET: i64 = DAY;

/// Thresholds of a subscription as they are shown, after what was sent of them; what was not sent stays.
///
/// Fails for less than an invoice can be for.
pub fn shown(sent: Option<&Value>, known: Option<&Value>) -> Result<Value, Failure> {
    let Some(sent) = sent.and_then(Value::as_object) else { return Ok(Value::Null) };
    let mut all = Map::new();
    all.insert("amount_gte".to_owned(), Value::Null);
    all.insert("reset_billing_cycle_anchor".to_owned(), json!(false));
    for of in [known.and_then(Value::as_object), Some(sent)].into_iter().flatten() {
        all.extend(of.clone());
    }
    if all.get("amount_gte").and_then(Value::as_i64).is_some_and(|amount| amount < LEAST) {
        let text = format!("`amount_gte` must be at least {LEAST}.");
        return Err(Failure::invalid(text).param(format!("{NAME}[amount_gte]")));
    }
    Ok(Value::Object(all))
}

/// The threshold of an item as it is shown.
///
/// Fails for an item that is not billed by what is used, and for none at all.
pub fn of_item(sent: Option<&Value>, is_metered: bool, at: &str) -> Result<Value, Failure> {
    let Some(sent) = sent.and_then(Value::as_object) else { return Ok(Value::Null) };
    let usage = sent.get("usage_gte").and_then(Value::as_i64).unwrap_or(0);
    let param = if at.is_empty() { NAME.to_owned() } else { format!("{at}[{NAME}]") };
    if !is_metered {
        let text = "`billing_thresholds` can only be set on items whose price has `recurring[usage_type]=metered`.";
        return Err(Failure::invalid(text).param(param));
    }
    if usage < 1 {
        let text = "This value must be greater than or equal to 1.";
        let failure = Failure::invalid(text).code("parameter_invalid_integer");
        return Err(failure.param(format!("{param}[usage_gte]")));
    }
    Ok(json!({ "usage_gte": usage }))
}

/// Writes what was sent of a subscription's thresholds into it.
pub fn write(call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    if call.sent(NAME) {
        let all = shown(call.get(NAME), doc.get(NAME))?;
        doc.insert(NAME.to_owned(), all);
    }
    Ok(())
}

/// Refuses an amount that what is paid ahead reaches by itself.
pub fn ensure_beyond(txn: &Txn<'_>, call: &Call, after: &Doc) -> Result<(), Failure> {
    let amount = call.hash(NAME).and_then(|it| it.get("amount_gte")?.as_i64());
    let Some(amount) = amount else { return Ok(()) };
    let currency = after.get("currency").and_then(Value::as_str).unwrap_or_default();
    let all = renew::items_of(after);
    let ahead = all.iter().filter(|item| !usage::is_metered(item));
    let sum = ahead.fold(0_i64, |sum, item| sum.saturating_add(items::cost(txn, item, currency)));
    if amount > sum {
        return Ok(());
    }
    let text = "`amount_gte` must be greater than the sum of the amounts of all licensed prices of the subscription.";
    Err(Failure::invalid(text).param(format!("{NAME}[amount_gte]")))
}

/// Looks at the thresholds of what a customer's usage was just counted for.
pub fn counted(txn: &mut Txn<'_>, meter: &str, customer: &str) {
    for known in txn.having(KIND, "customer", customer) {
        let counts = |item: &Value| {
            let recurring = item.get("price").and_then(|price| price.get("recurring"));
            recurring.is_some_and(|it| text(it, "meter") == meter)
        };
        if is_set(&known) && subscription::items(&known).iter().any(counts) {
            look(txn, text(&known, "id"));
        }
    }
}

fn usage_gte(item: &Value) -> Option<i64> {
    item.get(NAME)?.get("usage_gte")?.as_i64()
}

fn is_set(known: &Value) -> bool {
    let own = known.get(NAME).is_some_and(Value::is_object);
    own || subscription::items(known).iter().any(|item| usage_gte(item).is_some())
}

/// Bills what was used of a subscription, where that passes a threshold.
pub fn look(txn: &mut Txn<'_>, id: &str) {
    let Some(known) = txn.get(KIND, id).filter(|it| is_set(it)) else { return };
    let is_running = matches!(text(&known, "status"), "active" | "past_due");
    let left = subscription::period_end(&known).map_or(0, |end| end - txn.now().0);
    if !is_running || left <= QUIET {
        return;
    }
    let used = usage::until_now(txn, &known);
    if let Some(passed) = passed(txn, &known, &used) {
        bill(txn, &known, used, &passed);
    }
}

/// Which threshold what was used passes, as `threshold_reason` of an invoice has it.
fn passed(txn: &mut Txn<'_>, known: &Arc<Object>, used: &[LinePart]) -> Option<Value> {
    if used.is_empty() {
        return None;
    }
    let line_of = |item: &Value| used.iter().find(|it| usage::item_of(it) == text(item, "id"));
    let reasons: Vec<Value> = subscription::items(known)
        .iter()
        .filter_map(|item| {
            let (least, line) = (usage_gte(item)?, line_of(item)?);
            (int(&line.doc, "quantity") >= least)
                .then(|| json!({"line_item_ids": [text(&line.doc, "id")], "usage_gte": least}))
        })
        .collect();
    let amount = known.get(NAME).and_then(|it| it.get("amount_gte")?.as_i64());
    let amount = amount.filter(|least| would_be(txn, known, used) >= *least);
    (amount.is_some() || !reasons.is_empty())
        .then(|| json!({"amount_gte": amount, "item_reasons": reasons}))
}

/// What an invoice of that and of what is pending would come to, without taxes.
fn would_be(txn: &mut Txn<'_>, known: &Arc<Object>, used: &[LinePart]) -> i64 {
    txn.supposing(|txn| {
        let made = write_down(txn, known, (used.to_vec(), Period::at(txn.now())), Doc::new());
        made.map_or(0, |it| int(&it, "total_excluding_tax"))
    })
}

/// Drafts an invoice of what is pending and of these lines.
fn write_down(
    txn: &mut Txn<'_>,
    known: &Arc<Object>,
    (own, period): (Vec<LinePart>, Period),
    more: Doc,
) -> Option<Arc<Object>> {
    let customer = txn.get("customer", text(known, "customer"))?;
    let (currency, id) = (text(known, "currency"), text(known, "id"));
    let mut lines = invoice::pending(txn, text(&customer, "id"), currency, Some(id));
    lines.extend(own);
    let draft = Draft {
        id: None,
        customer: &customer,
        subscription: Some(known),
        reason: "subscription_threshold",
        period,
        currency,
        lines,
        more,
    };
    Some(invoice::draft(txn, draft))
}

/// Bills what was used so far; where the thresholds say so, the period ends with it and the next one begins.
fn bill(txn: &mut Txn<'_>, known: &Arc<Object>, mut lines: Vec<LinePart>, passed: &Value) {
    let (id, now) = (text(known, "id").to_owned(), txn.now());
    let first =
        subscription::items(known).iter().map(subscription::period_of).min_by_key(|it| it.end);
    let period = first.map_or(Period::at(now), |it| Period { start: it.start, end: now });
    let flag = known.get(NAME).and_then(|it| it.get("reset_billing_cycle_anchor")?.as_bool());
    let resets = flag == Some(true);
    usage::note(txn, known, resets);
    let after = if resets { begin_anew(txn, known) } else { Arc::clone(known) };
    if resets {
        let ahead = subscription::items(&after).iter().filter(|item| !usage::is_metered(item));
        for item in ahead {
            let cost = items::cost(txn, item, text(&after, "currency"));
            let whole = (subscription::period_of(item), cost, How::Whole);
            lines.push(line::regular(txn, &after, item, whole));
        }
    }
    let mut more = Doc::new();
    more.insert("auto_advance".to_owned(), json!(true));
    more.insert("threshold_reason".to_owned(), passed.clone());
    let Some(made) = write_down(txn, &after, (lines, period), more) else { return };
    let invoice = text(&made, "id").to_owned();
    let changed = subscription::edit(txn, &id, |doc, _| {
        doc.insert("latest_invoice".to_owned(), json!(invoice));
    });
    if let Some((_, after)) = changed {
        subscription::tell(txn, known, &after);
    }
    subscription::note_billed(txn, &id, &made);
    discount::settle(txn, &id, &made);
    draft::advance_for(txn, known, &invoice, true);
    renew::plan(txn, &id);
}

/// Ends the period of a subscription now, gives back what was paid ahead of it, and begins the next one.
fn begin_anew(txn: &mut Txn<'_>, known: &Arc<Object>) -> Arc<Object> {
    let now = txn.now();
    let billing = Billing { prorates: true, at_once: false, at: now, anew: true };
    let plan = swap::plan(txn, known, &[], billing, false);
    let changed = subscription::edit(txn, text(known, "id"), |doc, _: &mut SubscriptionPart| {
        subscription::set_items(doc, &plan.items);
        doc.insert("billing_cycle_anchor".to_owned(), json!(now.0));
    });
    let Some((_, after)) = changed else { return Arc::clone(known) };
    prorate::pend(txn, known, &after, &[], true, billing);
    after
}
