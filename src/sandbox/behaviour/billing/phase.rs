//! Phases of subscription schedules: what is sold in each, how, and from when to when.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::create::DRAFTS;
use crate::sandbox::behaviour::billing::period::Interval;
use crate::sandbox::behaviour::billing::subscription;
use crate::sandbox::behaviour::billing::{items, line, renew, threshold};
use crate::sandbox::behaviour::document::{fit, merge_metadata};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::offer::Offer;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Members of a phase, and of what holds for all phases, that are parameters of the same name.
const FIELDS: &[&str] = &[
    "application_fee_percent",
    "billing_cycle_anchor",
    "collection_method",
    "default_payment_method",
    "description",
    "on_behalf_of",
    "transfer_data",
];

/// Those of them that a subscription takes under the same name.
const PASSED: &[&str] = &[
    "application_fee_percent",
    "collection_method",
    "default_payment_method",
    "description",
    "on_behalf_of",
    "transfer_data",
];

/// Reads phases, each from where the one before it ends.
///
/// Fails for none, and for prices, rates and coupons that are not there.
pub fn read(txn: &mut Txn<'_>, sent: &[Value], start: Timestamp) -> Result<Vec<Value>, Failure> {
    if sent.is_empty() {
        return Err(items::required("phases"));
    }
    let (mut phases, mut next) = (Vec::with_capacity(sent.len()), start);
    for (at, sent) in sent.iter().enumerate() {
        let sent = sent.as_object().cloned().unwrap_or_default();
        let phase = one(txn, &sent, &format!("phases[{at}]"), next)?;
        next = Timestamp(int(&phase, "end_date"));
        phases.push(phase);
    }
    Ok(phases)
}

fn one(
    txn: &mut Txn<'_>,
    sent: &Map<String, Value>,
    at: &str,
    start: Timestamp,
) -> Result<Value, Failure> {
    let sold = sold(txn, sent, at)?;
    let Some((first, _)) = sold.first() else {
        return Err(items::required(&format!("{at}[items]")));
    };
    let end = end(txn, sent, at, (start, first))?;
    let get = |name: &str| sent.get(name).filter(|value| !value.is_null());
    let mut doc = blank(text(first, "currency"));
    for name in FIELDS {
        if let Some(value) = get(name) {
            doc.insert((*name).to_owned(), value.clone());
        }
    }
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("start_date", json!(start.0));
    set("end_date", json!(end.0));
    set("items", sold.into_iter().map(|(_, item)| item).collect());
    set("automatic_tax", automatic_tax(get("automatic_tax")));
    set(threshold::NAME, threshold::shown(get(threshold::NAME), None)?);
    set("discounts", discounts(txn, get("discounts"), &format!("{at}[discounts]"))?);
    let behaviour = get("proration_behavior").cloned();
    set("proration_behavior", behaviour.unwrap_or_else(|| json!("create_prorations")));
    if let Some(rates) = get("default_tax_rates") {
        let at = format!("{at}[default_tax_rates]");
        set("default_tax_rates", json!(items::tax_rates(txn, Some(rates), &at)?));
    }
    if let Some(settings) = get("invoice_settings") {
        set(
            "invoice_settings",
            fit(Some(settings), KIND, &["default_settings", "invoice_settings"]),
        );
    }
    set("trial_end", trial_end(txn, sent, at, end)?);
    let mut added = Vec::new();
    for (n, item) in
        get("add_invoice_items").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        added.push(extra(txn, item, &format!("{at}[add_invoice_items][{n}]"))?);
    }
    set("add_invoice_items", json!(added));
    merge_metadata(&mut doc, sent);
    Ok(Value::Object(doc))
}

/// Refuses phases that sell intervals which do not go together; `is_flexible` says by which rules they are billed.
pub fn ensure_aligned(txn: &Txn<'_>, phases: &[Value], is_flexible: bool) -> Result<(), Failure> {
    for phase in phases {
        let sold = phase.get("items").and_then(Value::as_array).into_iter().flatten();
        let prices: Vec<Arc<Object>> =
            sold.filter_map(|item| txn.get("price", text(item, "price"))).collect();
        items::ensure_aligned(prices.iter().map(|price| &***price), is_flexible)?;
    }
    Ok(())
}

/// The kind of the schedules that phases belong to.
pub const KIND: &str = "subscription_schedule";

fn blank(currency: &str) -> Doc {
    let members = json!({
        "add_invoice_items": [], "application_fee_percent": null, "automatic_tax": null,
        "billing_cycle_anchor": null, "billing_thresholds": null, "collection_method": null,
        "currency": currency, "default_payment_method": null, "default_tax_rates": [],
        "description": null, "discounts": [], "end_date": null, "invoice_settings": null,
        "items": [], "metadata": {}, "on_behalf_of": null,
        "proration_behavior": "create_prorations", "start_date": null, "transfer_data": null,
        "trial_end": null,
    });
    members.as_object().cloned().unwrap_or_default()
}

/// The prices of a phase, and its items as it shows them.
fn sold(
    txn: &mut Txn<'_>,
    sent: &Map<String, Value>,
    at: &str,
) -> Result<Vec<(Arc<Object>, Value)>, Failure> {
    let all = sent.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut sold: Vec<(Arc<Object>, Value)> = Vec::with_capacity(all.len());
    for (n, item) in all.iter().enumerate() {
        let at = format!("{at}[items][{n}]");
        let item = item.as_object().cloned().unwrap_or_default();
        let Some(price) = items::price(txn, &item, &at)? else {
            return Err(items::required(&format!("{at}[price]")));
        };
        items::ensure_recurring(&price, &format!("{at}[price]"))?;
        let rates = items::tax_rates(txn, item.get("tax_rates"), &format!("{at}[tax_rates]"))?;
        let discounts = discounts(txn, item.get("discounts"), &format!("{at}[discounts]"))?;
        let spec = items::Spec { price: Arc::clone(&price), sent: item.clone() };
        let is_metered = spec.quantity().is_none();
        let least = threshold::of_item(item.get(threshold::NAME), is_metered, &at)?;
        let mut doc = Doc::new();
        merge_metadata(&mut doc, &item);
        let id = text(&price, "id");
        let members = json!({
            "billing_thresholds": least, "discounts": discounts,
            "plan": id, "price": id, "quantity": spec.quantity(), "tax_rates": rates,
        });
        doc.extend(members.as_object().cloned().unwrap_or_default());
        if spec.quantity().is_none() {
            doc.remove("quantity");
        }
        sold.push((price, Value::Object(doc)));
    }
    Ok(sold)
}

/// When a phase ends: as it says, else after one interval of what it sells.
fn end(
    txn: &Txn<'_>,
    sent: &Map<String, Value>,
    at: &str,
    (start, price): (Timestamp, &Value),
) -> Result<Timestamp, Failure> {
    let get = |name: &str| sent.get(name).filter(|value| !value.is_null());
    let named =
        ["duration", "end_date", "iterations"].into_iter().filter(|name| get(name).is_some());
    let named: Vec<&str> = named.collect();
    if let [_, _, ..] = named.as_slice() {
        let text = format!("You may only specify one of these parameters: {}.", named.join(", "));
        return Err(Failure::invalid(text).param(at));
    }
    let interval = price.get("recurring").and_then(Interval::read);
    let times = |n: i64| interval.map_or(start, |interval| interval.boundary(start, n));
    let end = match (get("end_date"), get("duration"), get("iterations")) {
        (Some(Value::String(_)), ..) => txn.now(),
        (Some(end), ..) => Timestamp(end.as_i64().unwrap_or(0)),
        (None, Some(duration), _) => {
            Interval::read(duration).map_or(start, |interval| interval.boundary(start, 1))
        }
        (None, None, Some(count)) => times(count.as_i64().unwrap_or(1)),
        (None, None, None) => times(1),
    };
    if end > start {
        return Ok(end);
    }
    // Believed: the sentence.
    let text = "The `end_date` of a phase must be after its `start_date`.";
    Err(Failure::invalid(text).param(format!("{at}[end_date]")))
}

fn trial_end(
    txn: &Txn<'_>,
    sent: &Map<String, Value>,
    at: &str,
    end: Timestamp,
) -> Result<Value, Failure> {
    let asked = sent.get("trial_end").filter(|value| !value.is_null());
    if sent.get("trial") != Some(&json!(true)) {
        let now = asked.filter(|value| value.is_string()).map(|_| json!(txn.now().0));
        return Ok(now.or_else(|| asked.cloned()).unwrap_or_default());
    }
    if asked.is_some() {
        let text = "You may only specify one of these parameters: trial, trial_end.";
        return Err(Failure::invalid(text).param(format!("{at}[trial]")));
    }
    Ok(json!(end.0))
}

/// `automatic_tax` as it is shown.
pub fn automatic_tax(sent: Option<&Value>) -> Value {
    let Some(sent) = sent.filter(|sent| sent.is_object()) else { return Value::Null };
    let enabled = sent.get("enabled") == Some(&json!(true));
    let own = enabled.then(|| json!({"type": "self"}));
    let liability = sent.get("liability").filter(|it| it.is_object()).cloned().or(own);
    json!({"disabled_reason": null, "enabled": enabled, "liability": liability})
}

/// `discounts` as they are shown.
///
/// Fails for what is not there.
pub fn discounts(txn: &Txn<'_>, sent: Option<&Value>, at: &str) -> Result<Value, Failure> {
    let mut shown = Vec::new();
    for (n, entry) in sent.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let at = format!("{at}[{n}]");
        if let Some(id) = entry.get("discount").and_then(Value::as_str) {
            txn.find("discount", id, &format!("{at}[discount]"))?;
        } else {
            Offer::named(txn, entry, &at)?;
        }
        shown.push(json!({
            "coupon": entry.get("coupon"), "discount": entry.get("discount"),
            "promotion_code": entry.get("promotion_code"),
        }));
    }
    Ok(json!(shown))
}

/// One of `add_invoice_items`.
fn extra(txn: &mut Txn<'_>, sent: &Value, at: &str) -> Result<Value, Failure> {
    let sent = sent.as_object().cloned().unwrap_or_default();
    let Some(price) = items::price(txn, &sent, at)? else {
        return Err(items::required(&format!("{at}[price]")));
    };
    let rates = items::tax_rates(txn, sent.get("tax_rates"), &format!("{at}[tax_rates]"))?;
    let discounts = discounts(txn, sent.get("discounts"), &format!("{at}[discounts]"))?;
    let usual = json!({
        "end": {"type": "min_item_period_end"}, "start": {"type": "max_item_period_start"},
    });
    let mut doc = Doc::new();
    merge_metadata(&mut doc, &sent);
    let members = json!({
        "discountable": sent.get("discountable"), "discounts": discounts,
        "period": sent.get("period").cloned().unwrap_or(usual), "price": text(&price, "id"),
        "quantity": sent.get("quantity").cloned().unwrap_or_else(|| json!(1)), "tax_rates": rates,
    });
    doc.extend(members.as_object().cloned().unwrap_or_default());
    Ok(Value::Object(doc))
}

/// `default_settings` after a call; what it does not say stays.
///
/// Fails for thresholds that cannot be.
pub fn settings(known: &Value, sent: Option<&Map<String, Value>>) -> Result<Value, Failure> {
    let mut doc = known.as_object().cloned().unwrap_or_default();
    for (name, value) in sent.into_iter().flatten() {
        let shown = match name.as_str() {
            "automatic_tax" => automatic_tax(Some(value)),
            threshold::NAME => threshold::shown(Some(value), doc.get(name))?,
            "invoice_settings" => {
                let mut all = doc.get(name).cloned().unwrap_or_default();
                if let (Value::Object(all), Value::Object(sent)) = (&mut all, value) {
                    all.extend(sent.clone());
                }
                all
            }
            _ => value.clone(),
        };
        doc.insert(name.clone(), shown);
    }
    Ok(Value::Object(doc))
}

/// `default_settings` where nothing is said.
pub fn usual_settings() -> Value {
    json!({
        "application_fee_percent": null,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
        "billing_cycle_anchor": "automatic", "billing_thresholds": null,
        "collection_method": "charge_automatically", "default_payment_method": null,
        "description": null,
        "invoice_settings": {
            "account_tax_ids": null, "custom_fields": null, "days_until_due": null,
            "description": null, "footer": null, "issuer": {"type": "self"},
        },
        "on_behalf_of": null, "transfer_data": null,
    })
}

/// The one phase that a subscription is in as it is.
pub fn of_subscription(known: &Value) -> Value {
    let all = subscription::items(known);
    let first = all.first().map(subscription::period_of);
    let mut doc = blank(text(known, "currency"));
    for name in
        [threshold::NAME, "collection_method", "default_payment_method", "description", "trial_end"]
    {
        doc.insert(name.to_owned(), known.get(name).cloned().unwrap_or_default());
    }
    let sold: Vec<Value> = all
        .iter()
        .map(|item| {
            let id = item.get("price").and_then(|it| it.get("id"));
            let mut shown = json!({
                "billing_thresholds": item.get("billing_thresholds"), "discounts": [],
                "metadata": item.get("metadata"), "plan": id, "price": id,
                "tax_rates": item.get("tax_rates"),
            });
            if let (Some(shown), Some(quantity)) =
                (shown.as_object_mut(), item.get("quantity").filter(|it| !it.is_null()))
            {
                shown.insert("quantity".to_owned(), quantity.clone());
            }
            shown
        })
        .collect();
    let given: Vec<Value> = line::names(known.get("discounts"))
        .into_iter()
        .map(|id| json!({"coupon": null, "discount": id, "promotion_code": null}))
        .collect();
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("items", json!(sold));
    set("discounts", json!(given));
    set("default_tax_rates", known.get("default_tax_rates").cloned().unwrap_or_default());
    set("start_date", json!(first.map(|period| period.start.0)));
    set("end_date", json!(subscription::period_end(known)));
    Value::Object(doc)
}

/// The call that makes a subscription as a phase of a schedule has it, or changes one so that it is.
pub fn call(txn: &Txn<'_>, schedule: &Value, phase: &Value) -> Call {
    let usual = schedule.get("default_settings").cloned().unwrap_or_default();
    let value = |name: &str| {
        let of = [phase, &usual].into_iter();
        of.filter_map(|of| of.get(name).cloned()).find(|value| !value.is_null())
    };
    let mut params = Map::new();
    for name in PASSED {
        if let Some(value) = value(name) {
            params.insert((*name).to_owned(), value);
        }
    }
    let mut set = |name: &str, value: Value| drop(params.insert(name.to_owned(), value));
    let days = [phase, &usual].into_iter().find_map(|of| {
        of.get("invoice_settings")?.get("days_until_due").filter(|days| !days.is_null()).cloned()
    });
    if let Some(days) = days.filter(|_| value("collection_method") == Some(json!("send_invoice"))) {
        set("days_until_due", days);
    }
    if let Some(tax) = value("automatic_tax") {
        set("automatic_tax", json!({"enabled": tax.get("enabled")}));
    }
    if let Some(Value::Object(mut settings)) = value("invoice_settings") {
        settings.remove("days_until_due");
        settings.retain(|_, value| !value.is_null());
        set("invoice_settings", Value::Object(settings));
    }
    set(threshold::NAME, value(threshold::NAME).unwrap_or_default());
    set("default_tax_rates", ids(phase.get("default_tax_rates")));
    set("discounts", entries(phase.get("discounts")));
    set("items", each(phase, "items"));
    set("add_invoice_items", each(phase, "add_invoice_items"));
    set("metadata", phase.get("metadata").cloned().unwrap_or_default());
    set("proration_behavior", phase.get("proration_behavior").cloned().unwrap_or_default());
    set("schedule", schedule.get("id").cloned().unwrap_or_default());
    let trial = phase.get("trial_end").and_then(Value::as_i64).filter(|end| *end > txn.now().0);
    if let Some(end) = trial {
        set("trial_end", json!(end));
    }
    let version = Version { text: Settings::of(txn).get("api_version").to_owned(), named: true };
    Call { key: DRAFTS.to_owned(), ids: Vec::new(), params, version }
}

/// Ids of tax rates that are shown in whole.
fn ids(rates: Option<&Value>) -> Value {
    let all = rates.and_then(Value::as_array).into_iter().flatten();
    all.map(|rate| rate.get("id").cloned().unwrap_or_else(|| rate.clone())).collect()
}

/// Discounts as parameters name them.
pub fn entries(shown: Option<&Value>) -> Value {
    let all = shown.and_then(Value::as_array).into_iter().flatten();
    all.map(|entry| {
        let mut entry = entry.as_object().cloned().unwrap_or_default();
        entry.retain(|_, value| !value.is_null());
        Value::Object(entry)
    })
    .collect()
}

/// What is sold, as parameters name it.
fn each(phase: &Value, member: &str) -> Value {
    let all = phase.get(member).and_then(Value::as_array).into_iter().flatten();
    all.map(|item| {
        let mut sent = Doc::new();
        for name in ["metadata", "price", "quantity"] {
            if let Some(value) = item.get(name).filter(|value| !value.is_null()) {
                sent.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(least) = item.get(threshold::NAME) {
            sent.insert(threshold::NAME.to_owned(), least.clone());
        }
        sent.insert("tax_rates".to_owned(), ids(item.get("tax_rates")));
        let discounts = entries(item.get("discounts"));
        if discounts.as_array().is_some_and(|all| !all.is_empty()) {
            sent.insert("discounts".to_owned(), discounts);
        }
        Value::Object(sent)
    })
    .collect()
}

/// The items of a call as they replace those of a subscription: an item keeps its price where it can; what is left
/// over on both sides is put in place of one another, and the rest added or taken away.
pub fn replacing(known: &Value, wanted: &[Value]) -> Vec<Value> {
    let price_of = |item: &Value| item.get("price").map(|it| text(it, "id").to_owned());
    let mut olds: Vec<&Value> = subscription::items(known).iter().collect();
    let mut found: Vec<Option<&Value>> = Vec::with_capacity(wanted.len());
    for item in wanted {
        let at = olds.iter().position(|old| price_of(old).as_deref() == Some(text(item, "price")));
        found.push(at.map(|at| olds.remove(at)));
    }
    let mut left = olds.into_iter();
    let mut all = Vec::with_capacity(wanted.len());
    for (item, found) in wanted.iter().zip(found) {
        let mut item = item.clone();
        if let (Some(old), Some(item)) = (found.or_else(|| left.next()), item.as_object_mut()) {
            item.insert("id".to_owned(), old.get("id").cloned().unwrap_or_default());
        }
        all.push(item);
    }
    all.extend(left.map(|old| json!({"id": old.get("id"), "deleted": true})));
    all
}

/// Whether an item's interval is another one than that of the item which it takes the place of.
pub fn moves(old: &Value, new: &Value) -> bool {
    renew::interval_of(old) != renew::interval_of(new)
}
