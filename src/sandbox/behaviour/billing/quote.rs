//! Quotes: an offer to a customer that becomes a subscription, a schedule or an invoice once it is accepted.
//!
//! The sentences of refusals are believed: no recording has one.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::create::{self, DRAFTS};
use crate::sandbox::behaviour::billing::invoice::{self, Draft};
use crate::sandbox::behaviour::billing::items::{self, Pending};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{draft, line, on_clock_of, plan, scheduled, totals};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{LinePart, QuotePart};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Its kind.
pub const KIND: &str = "quote";

/// The job that ends a quote which nobody accepts.
pub const EXPIRE_JOB: &str = "quote.expire";

/// Refuses what a quote's status does not allow.
pub fn ensure_status(quote: &Value, what: &str, allowed: &[&str]) -> Result<(), Failure> {
    let status = text(quote, "status");
    if allowed.contains(&status) {
        return Ok(());
    }
    let text = format!(
        "This quote cannot be {what} because it has a status of `{status}`. Only a quote with one of the following statuses can be {what}: {}.",
        allowed.join(", ")
    );
    Err(Failure::invalid(text))
}

/// Changes a quote and its private part, and works its sums out anew. Returns it before and after.
pub fn edit(
    txn: &mut Txn<'_>,
    id: &str,
    change: impl FnOnce(&mut Doc, &mut QuotePart),
) -> Option<(Arc<Object>, Arc<Object>)> {
    let before = txn.get(KIND, id)?;
    let mut doc = before.as_object().cloned().unwrap_or_default();
    let mut part = before.part::<QuotePart>().into_owned();
    change(&mut doc, &mut part);
    totals::settle(txn, &mut doc, &mut part);
    let after = txn.put_with(doc, part);
    Some((before, after))
}

/// `line_items` of a quote, which it shows only when they are expanded.
pub fn include(txn: &Txn<'_>, doc: &Value, field: &str) -> Option<Value> {
    let id = text(doc, "id");
    let part = txn.record::<QuotePart>(KIND, id)?;
    let list = |lines: Vec<Value>, url: String| {
        let shown: Vec<&Value> = lines.iter().take(10).collect();
        json!({"object": "list", "data": shown, "has_more": lines.len() > 10, "url": url})
    };
    match field {
        "line_items" => Some(list(shown(&part.lines), format!("/v1/quotes/{id}/line_items"))),
        _ => None,
    }
}

/// Lines as `item` objects.
pub fn shown(lines: &[LinePart]) -> Vec<Value> {
    lines.iter().map(|line| line.doc.clone()).collect()
}

/// The lines that are paid at once: what is paid once, and the first period of what recurs.
pub fn upfront(quote: &Value, part: &QuotePart) -> Vec<LinePart> {
    let is_free = totals::has_trial(quote);
    let all = part.lines.iter().filter(|line| !(is_free && totals::recurs(&line.doc)));
    all.filter(|line| !totals::is_metered(&line.doc)).cloned().collect()
}

/// Opens a draft: it gets its number, and can be accepted until it expires.
///
/// Fails for one without a customer or without lines.
pub fn finalize(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    ensure_status(&known, "finalized", &["draft"])?;
    let customer = text(&known, "customer").to_owned();
    if customer.is_empty() {
        let text = "A quote must have a `customer` before it can be finalized.";
        return Err(Failure::invalid(text));
    }
    if known.part::<QuotePart>().lines.is_empty() {
        let text = "A quote must have at least one line item before it can be finalized.";
        return Err(Failure::invalid(text));
    }
    txn.find("customer", &customer, "customer")?;
    on_clock_of(txn, &customer, |txn| {
        let number = number(txn, &customer, &known);
        let now = txn.now();
        let expires = call.int("expires_at").unwrap_or_else(|| int(&known, "expires_at"));
        if expires <= now.0 {
            let text = "The `expires_at` of a quote must be in the future.";
            return Err(Failure::invalid(text).param("expires_at"));
        }
        let job = txn.schedule(Timestamp(expires), EXPIRE_JOB, &json!({"quote": id}));
        let changed = edit(txn, id, |doc, part| {
            doc.insert("expires_at".to_owned(), json!(expires));
            doc.insert("number".to_owned(), json!(number));
            doc.insert("status".to_owned(), json!("open"));
            stamp(doc, "finalized_at", now.0);
            part.job = Some(job);
        });
        let Some((_, after)) = changed else { return Ok(Arc::clone(&known)) };
        txn.emit("quote.finalized", &after);
        replace_original(txn, &after);
        Ok(after)
    })
}

/// A revision that is opened takes the place of what it revises.
fn replace_original(txn: &mut Txn<'_>, quote: &Value) {
    let Some(from) = quote.get("from_quote").filter(|it| it.is_object()) else { return };
    let original = text(from, "quote").to_owned();
    let is_open = txn.get(KIND, &original).is_some_and(|it| text(&it, "status") == "open");
    if from.get("is_revision") == Some(&json!(true)) && is_open {
        close(txn, &original);
    }
}

/// The number of a quote that is opened: the customer's prefix, and which of their quotes it is; a revision counts on
/// from what it revises.
fn number(txn: &Txn<'_>, customer: &str, quote: &Value) -> String {
    let from = quote.get("from_quote").filter(|it| it.get("is_revision") == Some(&json!(true)));
    let original = from.and_then(|it| txn.get(KIND, text(it, "quote")));
    if let Some((stem, revision)) =
        original.as_ref().and_then(|it| text(it, "number").rsplit_once('-'))
    {
        return format!("{stem}-{}", revision.parse::<u32>().unwrap_or(0) + 1);
    }
    let prefix = txn.get("customer", customer);
    let prefix = prefix.as_ref().map_or("", |it| text(it, "invoice_prefix")).to_owned();
    let mut stems: Vec<String> = txn
        .having(KIND, "customer", customer)
        .iter()
        .filter_map(|it| Some(text(it, "number").rsplit_once('-')?.0.to_owned()))
        .collect();
    stems.sort();
    stems.dedup();
    format!("QT-{prefix}-{:04}-1", stems.len() + 1)
}

fn stamp(doc: &mut Doc, name: &str, at: i64) {
    if let Some(Value::Object(all)) = doc.get_mut("status_transitions") {
        all.insert(name.to_owned(), json!(at));
    }
}

/// Calls a quote off.
///
/// Fails for one that was accepted or called off.
pub fn cancel(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    ensure_status(&known, "canceled", &["draft", "open"])?;
    on_clock_of(txn, text(&known, "customer"), |txn| close(txn, id));
    txn.find(KIND, id, "id")
}

fn close(txn: &mut Txn<'_>, id: &str) {
    let now = txn.now().0;
    let job = txn.record::<QuotePart>(KIND, id).and_then(|part| part.job.clone());
    if let Some(job) = job {
        txn.unschedule(&job);
    }
    let changed = edit(txn, id, |doc, part| {
        doc.insert("status".to_owned(), json!("canceled"));
        stamp(doc, "canceled_at", now);
        part.job = None;
    });
    if let Some((_, after)) = changed {
        txn.emit("quote.canceled", &after);
    }
}

/// The job behind [`EXPIRE_JOB`].
pub fn on_expire(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "quote").to_owned();
    if txn.get(KIND, &id).is_some_and(|it| text(&it, "status") == "open") {
        close(txn, &id);
    }
}

/// Accepts an open quote: what it offers is made.
///
/// Fails for one that is not open, and for what cannot be made of it; nothing is kept then.
pub fn accept(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    ensure_status(&known, "accepted", &["open"])?;
    let customer = txn.find("customer", text(&known, "customer"), "customer")?;
    on_clock_of(txn, text(&customer, "id"), |txn| {
        let part = known.part::<QuotePart>().into_owned();
        let made = make(txn, (&known, &part), &customer)?;
        let now = txn.now().0;
        if let Some(job) = &part.job {
            txn.unschedule(job);
        }
        let changed = edit(txn, id, |doc, part| {
            doc.extend(made);
            doc.insert("status".to_owned(), json!("accepted"));
            stamp(doc, "accepted_at", now);
            part.job = None;
        });
        if let Some((_, after)) = changed {
            txn.emit("quote.accepted", &after);
        }
        txn.find(KIND, id, "id")
    })
}

/// Makes what a quote offers; the members of the quote that name it.
fn make(
    txn: &mut Txn<'_>,
    (quote, part): (&Object, &QuotePart),
    customer: &Arc<Object>,
) -> Result<Doc, Failure> {
    let mut made = Doc::new();
    if !part.lines.iter().any(|line| totals::recurs(&line.doc)) {
        let invoice = bill(txn, (quote, part), customer)?;
        made.insert("invoice".to_owned(), json!(invoice));
        return Ok(made);
    }
    let data = quote.get("subscription_data").cloned().unwrap_or_default();
    let starts = data.get("effective_date").and_then(Value::as_i64);
    if let Some(start) = starts.filter(|start| *start > txn.now().0) {
        let call = planned(txn, (quote, part), start);
        let schedule = scheduled::create(txn, &call)?;
        made.insert("subscription_schedule".to_owned(), json!(text(&schedule, "id")));
        return Ok(made);
    }
    let call = call(txn, subscription(quote, part));
    let subscription = create::create(txn, &call, text(customer, "id"))?;
    made.insert("subscription".to_owned(), json!(text(&subscription, "id")));
    made.insert("invoice".to_owned(), json!(subscription.get("latest_invoice")));
    Ok(made)
}

fn call(txn: &Txn<'_>, params: Map<String, Value>) -> Call {
    let version = Version { text: Settings::of(txn).get("api_version").to_owned(), named: true };
    Call { key: DRAFTS.to_owned(), ids: Vec::new(), params, version }
}

/// What is sold, as parameters name it: what recurs, or what is paid once.
fn sold(part: &QuotePart, recurring: bool) -> Value {
    let lines = part.lines.iter().filter(|line| totals::recurs(&line.doc) == recurring);
    lines
        .map(|line| {
            let price = line.doc.get("price").and_then(|price| price.get("id"));
            let quantity = line.doc.get("quantity");
            json!({"price": price, "quantity": quantity, "tax_rates": line.rates})
        })
        .collect()
}

/// The parameters of the subscription that a quote offers.
fn subscription(quote: &Value, part: &QuotePart) -> Map<String, Value> {
    let mut params = Map::new();
    let data = quote.get("subscription_data").cloned().unwrap_or_default();
    let of = |from: &Value, name: &str| from.get(name).filter(|value| !value.is_null()).cloned();
    let own = [
        "application_fee_percent",
        "collection_method",
        "default_tax_rates",
        "on_behalf_of",
        "transfer_data",
    ];
    for (from, names) in [
        (quote, own.as_slice()),
        (&data, &["billing_mode", "description", "metadata", "trial_period_days"]),
    ] {
        for name in names {
            if let Some(value) = of(from, name) {
                params.insert((*name).to_owned(), value);
            }
        }
    }
    if text(quote, "collection_method") == "send_invoice" {
        let days = quote.get("invoice_settings").and_then(|it| of(it, "days_until_due"));
        params.insert("days_until_due".to_owned(), days.unwrap_or_else(|| json!(30)));
    }
    let automatic = quote.get("automatic_tax").and_then(|it| it.get("enabled"));
    let mut set = |name: &str, value: Value| drop(params.insert(name.to_owned(), value));
    set("automatic_tax", json!({"enabled": automatic == Some(&json!(true))}));
    set("discounts", json!(part.discounts));
    set("items", sold(part, true));
    set("add_invoice_items", sold(part, false));
    set("currency", quote.get("currency").cloned().unwrap_or_default());
    params
}

/// The call that makes the schedule of a quote whose subscription begins later.
fn planned(txn: &Txn<'_>, (quote, part): (&Value, &QuotePart), start: i64) -> Call {
    let mut phase = subscription(quote, part);
    let customer = quote.get("customer").cloned().unwrap_or_default();
    for name in ["billing_mode", "currency"] {
        phase.remove(name);
    }
    let days = phase.remove("days_until_due");
    if let Some(days) = days {
        phase.insert("invoice_settings".to_owned(), json!({"days_until_due": days}));
    }
    if let Some(days) = phase.remove("trial_period_days").and_then(|days| days.as_i64()) {
        phase.insert("trial_end".to_owned(), json!(start + days * 86_400));
    }
    let params = json!({
        "customer": customer, "end_behavior": "release", "phases": [phase], "start_date": start,
    });
    call(txn, params.as_object().cloned().unwrap_or_default())
}

/// Drafts the invoice of a quote of what is paid once; its id.
fn bill(
    txn: &mut Txn<'_>,
    (quote, part): (&Object, &QuotePart),
    customer: &Arc<Object>,
) -> Result<String, Failure> {
    let currency = text(quote, "currency").to_owned();
    let mut lines = Vec::new();
    for line in &part.lines {
        let price = line.doc.get("price").cloned().unwrap_or_default();
        let quantity = int(&line.doc, "quantity");
        let amount = plan::cost(txn, &price, &currency, quantity);
        let mut more = Doc::new();
        let rates = items::tax_rates(txn, Some(&json!(line.rates)), "line_items")?;
        more.insert("tax_rates".to_owned(), json!(rates));
        let unit = price.get("unit_amount_decimal").cloned().unwrap_or_default();
        let spec = Pending {
            customer,
            amount,
            currency: &currency,
            description: line.doc.get("description").cloned().unwrap_or_default(),
            period: Period::at(txn.now()),
            pricing: line::pricing(&price, &unit),
            quantity,
            more,
        };
        let item = items::put_pending(txn, spec);
        lines.push(line::of_invoice_item(txn, &item));
    }
    let id = invoice::new_id(txn);
    let more = of_quote(txn, (quote, part), &id)?;
    let made = invoice::draft(
        txn,
        Draft {
            id: Some(id.clone()),
            customer,
            subscription: None,
            reason: "quote_accept",
            period: Period::at(txn.now()),
            currency: &currency,
            lines,
            more,
        },
    );
    draft::advance(txn, text(&made, "id"), true);
    Ok(id)
}

/// What an invoice takes over from its quote.
fn of_quote(
    txn: &mut Txn<'_>,
    (quote, part): (&Value, &QuotePart),
    id: &str,
) -> Result<Doc, Failure> {
    use crate::sandbox::behaviour::billing::discount::{self, Holder};
    let mut more = Doc::new();
    let settings = quote.get("invoice_settings").cloned().unwrap_or_default();
    let rates = items::tax_rates(txn, quote.get("default_tax_rates"), "default_tax_rates")?;
    let holder = Holder {
        member: "invoice",
        id,
        customer: text(quote, "customer"),
        currency: text(quote, "currency"),
    };
    let given = discount::read(txn, &json!(part.discounts), holder, &[])?;
    let mut set = |name: &str, value: Value| drop(more.insert(name.to_owned(), value));
    set("default_tax_rates", json!(rates));
    set("discounts", json!(given));
    set(
        "parent",
        json!({
            "quote_details": {"quote": text(quote, "id")}, "subscription_details": null,
            "type": "quote_details",
        }),
    );
    for name in ["collection_method", "on_behalf_of"] {
        set(name, quote.get(name).cloned().unwrap_or_default());
    }
    for name in ["custom_fields", "description", "footer"] {
        set(name, settings.get(name).cloned().unwrap_or_default());
    }
    if text(quote, "collection_method") == "send_invoice" {
        let days = settings.get("days_until_due").and_then(Value::as_i64).unwrap_or(30);
        set("due_date", json!(txn.now().0 + days * 86_400));
    }
    if quote.get("automatic_tax").and_then(|it| it.get("enabled")) == Some(&json!(true)) {
        set(
            "automatic_tax",
            json!({
                "disabled_reason": null, "enabled": true, "liability": {"type": "self"},
                "provider": null, "status": null,
            }),
        );
    }
    Ok(more)
}
