//! Invoices: drafted, given a number, and closed.

use crate::sandbox::behaviour::billing::lifecycle::{Act, Invoice};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{
    balance, grant, held, hosted, items, line, money, revision, sums,
};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::payment::intent;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{InvoicePart, LinePart};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Its kind.
pub const KIND: &str = "invoice";

/// Seconds that a draft is left before its payment is tried; it gets its number a second later.
pub const DRAFT_FOR: i64 = 3_600;

/// What a new invoice is.
#[derive(Clone, Debug)]
pub struct Draft<'d> {
    /// Its id, where something names it already.
    pub id: Option<String>,
    /// Whose it is.
    pub customer: &'d Object,
    /// What it bills, where it is a subscription.
    pub subscription: Option<&'d Value>,
    /// `billing_reason`.
    pub reason: &'static str,
    /// The time that it looks back on.
    pub period: Period,
    /// Lower-case code.
    pub currency: &'d str,
    /// Its lines.
    pub lines: Vec<LinePart>,
    /// Further members, as they are shown.
    pub more: Doc,
}

/// An id for an invoice.
pub fn new_id(txn: &Txn<'_>) -> String {
    txn.new_id("in_1", 23)
}

/// Writes a draft down and tells of it.
pub fn draft(txn: &mut Txn<'_>, spec: Draft<'_>) -> Arc<Object> {
    let id = spec.id.clone().unwrap_or_else(|| new_id(txn));
    let mut doc = new(KIND, members(txn, &id, &spec));
    if let Some(subscription) = spec.subscription {
        of_subscription(txn, &mut doc, subscription);
    }
    doc.extend(spec.more);
    let mut part = InvoicePart { lines: spec.lines, ..InvoicePart::default() };
    sums::settle(txn, &mut doc, &mut part);
    for line in &part.lines {
        if let Some(item) = line::invoice_item(&line.doc).map(str::to_owned) {
            txn.edit(items::INVOICE_ITEM, &item, |doc| {
                doc.insert("invoice".to_owned(), json!(id));
            });
        }
    }
    let made = txn.put_with(doc, part);
    txn.emit("invoice.created", &made);
    // Whoever is answered sees that it was told of.
    let told = txn.now().0;
    let shown = txn
        .edit(KIND, &id, |doc| drop(doc.insert("webhooks_delivered_at".to_owned(), json!(told))));
    shown.map_or(made, |(_, after)| after)
}

fn members(txn: &Txn<'_>, id: &str, spec: &Draft<'_>) -> Value {
    let customer = spec.customer;
    let member = |name: &str| customer.get(name).cloned().unwrap_or(Value::Null);
    let discounts: Vec<Value> = customer
        .get("discount")
        .filter(|it| it.is_object())
        .map(|it| it["id"].clone())
        .into_iter()
        .collect();
    let shipping = customer.get("shipping").filter(|it| it.is_object()).map(|it| {
        json!({"address": it.get("address"), "name": it.get("name"), "phone": it.get("phone")})
    });
    let tax_ids: Vec<Value> = txn
        .having("tax_id", "customer", text(customer, "id"))
        .iter()
        .map(|it| json!({"type": it.get("type"), "value": it.get("value")}))
        .collect();
    let rendering = json!({
        "amount_tax_display": null, "pdf": {"page_size": "auto"}, "template": null,
        "template_version": null,
    });
    let now = txn.now().0;
    json!({
        "id": id, "account_country": Settings::of(txn).get("country"), "account_name": "stripegym",
        "attempt_count": 0, "attempted": false, "auto_advance": false,
        "automatic_tax": {
            "disabled_reason": null, "enabled": false, "liability": null, "provider": null,
            "status": null,
        },
        "billing_reason": spec.reason, "collection_method": "charge_automatically", "created": now,
        "currency": spec.currency, "customer": text(customer, "id"),
        "customer_address": member("address"), "customer_email": member("email"),
        "customer_name": member("name"), "customer_phone": member("phone"),
        "customer_shipping": shipping, "customer_tax_exempt": member("tax_exempt"),
        "customer_tax_ids": tax_ids, "default_tax_rates": [], "discounts": discounts,
        "issuer": {"type": "self"}, "livemode": false,
        "payment_settings": {
            "default_mandate": null, "payment_method_options": null, "payment_method_types": null,
        },
        "period_end": spec.period.end.0, "period_start": spec.period.start.0,
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0,
        "rendering": if spec.subscription.is_none() { rendering } else { Value::Null },
        "starting_balance": 0, "status": "draft",
        "status_transitions": {
            "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
        },
        "test_clock": customer.get("test_clock"),
    })
}

/// What an invoice takes over from its subscription.
fn of_subscription(txn: &Txn<'_>, doc: &mut Doc, subscription: &Value) {
    doc.insert(
        "parent".to_owned(),
        json!({
            "quote_details": null,
            "subscription_details": {
                "metadata": subscription.get("metadata"), "subscription": text(subscription, "id"),
            },
            "type": "subscription_details",
        }),
    );
    for name in ["collection_method", "default_tax_rates", "on_behalf_of"] {
        if let Some(value) = subscription.get(name) {
            doc.insert(name.to_owned(), value.clone());
        }
    }
    if subscription.get("automatic_tax").and_then(|it| it.get("enabled")) == Some(&json!(true))
        && let Some(Value::Object(automatic)) = doc.get_mut("automatic_tax")
    {
        automatic.insert("enabled".to_owned(), json!(true));
        automatic.insert("liability".to_owned(), json!({"type": "self"}));
    }
    let own = line::names(subscription.get("discounts"));
    if !own.is_empty() {
        doc.insert("discounts".to_owned(), json!(own));
    }
    let settings = subscription.get("payment_settings").cloned().unwrap_or_default();
    if let Some(Value::Object(known)) = doc.get_mut("payment_settings") {
        for name in ["payment_method_options", "payment_method_types"] {
            known.insert(name.to_owned(), settings.get(name).cloned().unwrap_or_default());
        }
    }
    if let Some(days) = subscription.get("days_until_due").and_then(Value::as_i64) {
        doc.insert("due_date".to_owned(), json!(txn.now().0 + days * 86_400));
    }
}

/// The subscription that an invoice bills.
pub fn subscription_of(invoice: &Value) -> Option<&str> {
    let of = invoice.get("parent")?.get("subscription_details")?;
    of.get("subscription")?.as_str()
}

/// Whether an invoice is collected by charging a saved payment method.
pub fn is_automatic(invoice: &Value) -> bool {
    text(invoice, "collection_method") == "charge_automatically"
}

/// The pending items of a customer in a currency, newest first: those that name no other subscription.
pub fn pending(
    txn: &Txn<'_>,
    customer: &str,
    currency: &str,
    subscription: Option<&str>,
) -> Vec<LinePart> {
    let fits = |item: &&Arc<Object>| {
        let of = item.get("parent").and_then(|it| it.get("subscription_details"));
        let of = of.map(|it| text(it, "subscription")).filter(|it| !it.is_empty());
        text(item, "invoice").is_empty()
            && text(item, "currency") == currency
            && of.is_none_or(|of| Some(of) == subscription)
    };
    let all = txn.having(items::INVOICE_ITEM, "customer", customer);
    all.iter().filter(fits).map(|item| line::of_invoice_item(txn, item)).collect()
}

/// Works a draft out anew after its lines or members changed. Returns it before and after.
pub fn edit(
    txn: &mut Txn<'_>,
    id: &str,
    change: impl FnOnce(&mut Doc, &mut InvoicePart),
) -> Option<(Arc<Object>, Arc<Object>)> {
    let before = txn.get(KIND, id)?;
    let mut doc = before.as_object().cloned().unwrap_or_default();
    let mut part = before.part::<InvoicePart>().into_owned();
    change(&mut doc, &mut part);
    if text(&before, "status") == "draft" {
        sums::settle(txn, &mut doc, &mut part);
    }
    let after = txn.put_with(doc, part);
    Some((before, after))
}

/// Gives a draft its number and asks for its payment; what comes to nothing is paid by that.
///
/// Fails for what is no draft.
pub fn finalize(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let invoice = txn.find(KIND, id, "id")?;
    Invoice::read(text(&invoice, "status")).allows(Act::Finalize)?;
    revision::take_place(txn, &invoice)?;
    forget_job(txn, &invoice);
    let invoice = grant::apply(txn, &invoice);
    let settled = balance::apply(txn, &invoice);
    let number = number(txn, &invoice);
    let is_paid = settled.due == 0;
    let now = txn.now().0;
    let links = hosted::links(txn, id);
    let Some((before, after)) = edit_closed(txn, id, |doc| {
        let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
        set("amount_due", json!(settled.due));
        set("amount_remaining", json!(settled.due));
        set("automatically_finalizes_at", Value::Null);
        set("effective_at", json!(now));
        set("ending_balance", json!(settled.ending));
        set("hosted_invoice_url", json!(links.0));
        set("invoice_pdf", json!(links.1));
        set("number", json!(number));
        set("starting_balance", json!(settled.starting));
        set("status", json!(if is_paid { "paid" } else { "open" }));
        set("webhooks_delivered_at", json!(now));
        if is_paid {
            set("attempted", json!(true));
            set("auto_advance", json!(false));
            set("next_payment_attempt", Value::Null);
        }
        stamp(doc, "finalized_at", now);
        if is_paid {
            stamp(doc, "paid_at", now);
        }
        if let Some(Value::Object(pdf)) = doc.get_mut("rendering").and_then(|it| it.get_mut("pdf"))
        {
            pdf.insert("page_size".to_owned(), json!("letter"));
        }
    }) else {
        return Ok(invoice);
    };
    if is_paid {
        txn.emit("invoice.finalized", &after);
        txn.emit_change("invoice.updated", &before, &after);
        txn.emit("invoice.paid", &after);
        txn.emit("invoice.payment_succeeded", &after);
        return Ok(after);
    }
    money::ask(txn, &after);
    let after = txn.get(KIND, id).unwrap_or(after);
    txn.emit("invoice.finalized", &after);
    Ok(after)
}

/// Changes an invoice whose sums stand.
pub fn edit_closed(
    txn: &mut Txn<'_>,
    id: &str,
    change: impl FnOnce(&mut Doc),
) -> Option<(Arc<Object>, Arc<Object>)> {
    txn.edit(KIND, id, change)
}

/// Notes when an invoice came into its status.
pub fn stamp(doc: &mut Doc, name: &str, at: i64) {
    if let Some(Value::Object(transitions)) = doc.get_mut("status_transitions") {
        transitions.insert(name.to_owned(), json!(at));
    }
}

/// The number that a draft has already, or the next one of its customer's.
fn number(txn: &mut Txn<'_>, invoice: &Value) -> String {
    match text(invoice, "number") {
        "" => next_number(txn, text(invoice, "customer")),
        own => own.to_owned(),
    }
}

/// The next number of a customer's invoices.
pub fn next_number(txn: &mut Txn<'_>, customer: &str) -> String {
    let known = txn.get("customer", customer);
    let prefix = known.as_ref().map_or("", |it| text(it, "invoice_prefix")).to_owned();
    let next = known.as_ref().map_or(1, |it| int(it, "next_invoice_sequence").max(1));
    txn.edit("customer", customer, |doc| {
        doc.insert("next_invoice_sequence".to_owned(), json!(next + 1));
    });
    format!("{prefix}-{next:04}")
}

/// Takes back what an invoice was to do by itself.
pub fn forget_job(txn: &mut Txn<'_>, invoice: &Object) {
    if let Some(job) = invoice.part::<InvoicePart>().job.clone() {
        txn.unschedule(&job);
        txn.edit_part(KIND, text(invoice, "id"), |part: &mut InvoicePart| part.job = None);
    }
}

/// Closes an invoice that is not to be paid any more: `void` or `uncollectible`.
///
/// Fails where its status does not allow it.
pub fn close(txn: &mut Txn<'_>, id: &str, act: Act) -> Result<Arc<Object>, Failure> {
    let invoice = txn.find(KIND, id, "id")?;
    Invoice::read(text(&invoice, "status")).allows(act)?;
    forget_job(txn, &invoice);
    let (status, at, event) = match act {
        Act::Void => ("void", "voided_at", "invoice.voided"),
        _ => ("uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible"),
    };
    let now = txn.now().0;
    let changed = edit_closed(txn, id, |doc| {
        doc.insert("status".to_owned(), json!(status));
        doc.insert("next_payment_attempt".to_owned(), Value::Null);
        if act == Act::Void {
            doc.insert("auto_advance".to_owned(), json!(false));
        }
        stamp(doc, at, now);
    });
    let Some((before, after)) = changed else { return Ok(invoice) };
    if act == Act::Void {
        cancel_payment(txn, &after);
        balance::give_back(txn, &after);
        grant::give_back(txn, &after);
    }
    txn.emit_change("invoice.updated", &before, &after);
    txn.emit(event, &after);
    if act == Act::Void {
        held::voided(txn, &after);
    }
    Ok(after)
}

/// Calls the payment of an invoice off.
fn cancel_payment(txn: &mut Txn<'_>, invoice: &Object) {
    let part = invoice.part::<InvoicePart>().into_owned();
    let now = txn.now().0;
    if let Some(payment) = part.payment {
        txn.edit(money::PAYMENT, &payment, |doc| {
            doc.insert("status".to_owned(), json!("canceled"));
            stamp(doc, "canceled_at", now);
        });
    }
    if let Some(pi) = part.intent
        && let Err(failure) = intent::cancel(txn, &pi, Some("void_invoice"))
    {
        tracing::debug!(message = failure.message, "a payment of a void invoice stands");
    }
}

/// Removes a draft. What it had swept stays with it, as recordings show.
///
/// Fails for what is no draft.
pub fn delete(txn: &mut Txn<'_>, id: &str) -> Result<Value, Failure> {
    let invoice = txn.find(KIND, id, "id")?;
    Invoice::read(text(&invoice, "status")).allows(Act::Delete)?;
    forget_job(txn, &invoice);
    let stub = json!({"id": id, "object": KIND, "deleted": true});
    txn.put_with(stub.clone(), InvoicePart::default());
    txn.emit("invoice.deleted", &invoice);
    Ok(stub)
}
