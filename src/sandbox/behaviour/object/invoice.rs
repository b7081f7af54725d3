//! Invoices, as the API makes, changes, closes and shows them.

use crate::sandbox::behaviour::billing::discount::{self, Holder};
use crate::sandbox::behaviour::billing::invoice::{self, Draft, KIND};
use crate::sandbox::behaviour::billing::lifecycle::{Act, Invoice};
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{
    create, draft, items, line, on_clock_of, preview, revision, split, subscription,
};
use crate::sandbox::behaviour::document::{Handler, copy, fill, merge_metadata, text};
use crate::sandbox::behaviour::payment::confirm::Outcome;
use crate::sandbox::behaviour::shipping;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::call::step::known_currency;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::InvoicePart;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

const INDEX: Index = Index {
    kind: KIND,
    noun: "invoices",
    fields: &[
        "created",
        "currency",
        "customer",
        "last_finalization_error_code",
        "last_finalization_error_type",
        "metadata",
        "number",
        "receipt_number",
        "status",
        "subscription",
        "total",
    ],
};

/// Members that are parameters of the same name.
const FIELDS: &[&str] = &[
    "account_tax_ids",
    "collection_method",
    "custom_fields",
    "default_payment_method",
    "default_source",
    "description",
    "due_date",
    "effective_at",
    "footer",
    "number",
    "on_behalf_of",
    "shipping_details",
    "statement_descriptor",
];

/// Parameters that follow nothing yet.
const NOT_YET: &[&str] = &["customer_account"];

/// The behaviour of `/v1/invoices`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/invoices" => make,
        "GET /v1/invoices" => list_all,
        "GET /v1/invoices/search" => |txn, call| search::page(txn, call, &INDEX),
        "POST /v1/invoices/create_preview" => {
            |txn, call| preview::preview(txn, call).map(Body::from)
        }
        "GET /v1/invoices/{invoice}" => |txn, call| found(txn, call).map(Body::from),
        "POST /v1/invoices/{invoice}" => update,
        "DELETE /v1/invoices/{invoice}" => {
            |txn, call| invoice::delete(txn, call.id(0)).map(Body::from)
        }
        "POST /v1/invoices/{invoice}/finalize" => finalize,
        "POST /v1/invoices/{invoice}/pay" => pay,
        "POST /v1/invoices/{invoice}/send" => send,
        "POST /v1/invoices/{invoice}/void" => |txn, call| close(txn, call, Act::Void),
        "POST /v1/invoices/{invoice}/mark_uncollectible" => {
            |txn, call| close(txn, call, Act::MarkUncollectible)
        }
        _ => return None,
    })
}

/// The invoice that a call is about.
fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find(KIND, call.id(0), "id")
}

/// Does something in the time of an invoice's customer.
fn in_time<R>(txn: &mut Txn<'_>, invoice: &Value, work: impl FnOnce(&mut Txn<'_>) -> R) -> R {
    let customer = text(invoice, "customer").to_owned();
    on_clock_of(txn, &customer, work)
}

fn make(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of invoices", NOT_YET)?;
    if let Some(original) = revision::asked(txn, call)? {
        return in_time(txn, &original, |txn| revised(txn, call, &original));
    }
    let of = match call.text("subscription") {
        Some(id) => Some(txn.find(subscription::KIND, id, "subscription")?),
        None => None,
    };
    let customer = call.text("customer").or_else(|| of.as_ref().map(|it| text(it, "customer")));
    let Some(id) = customer.map(str::to_owned) else { return Err(items::required("customer")) };
    let customer = txn.find("customer", &id, "customer")?;
    ensure_collectible(call, &customer)?;
    if let Some(method) = call.text("default_payment_method") {
        create::ensure_own(txn, &id, method)?;
    }
    on_clock_of(txn, &id, |txn| drafted(txn, call, &customer, of.as_ref()))
}

fn drafted(
    txn: &mut Txn<'_>,
    call: &Call,
    customer: &Arc<Object>,
    of: Option<&Arc<Object>>,
) -> Result<Body, Failure> {
    let currency = currency(txn, call, customer)?;
    let sweeps = match call.text("pending_invoice_items_behavior") {
        Some(behaviour) => behaviour == "include",
        // A subscription's invoice is one of what is pending for it.
        None => of.is_some(),
    };
    let own = of.map(|it| text(it, "id"));
    let lines = if sweeps {
        invoice::pending(txn, text(customer, "id"), &currency, own)
    } else {
        Vec::new()
    };
    if of.is_some() && lines.is_empty() {
        let text = format!("Nothing to invoice for subscription {}", own.unwrap_or_default());
        return Err(Failure::invalid(text).code("invoice_no_subscription_line_items"));
    }
    let mut more = Doc::new();
    more.insert("created".to_owned(), json!(txn.now().0));
    more.insert("currency".to_owned(), json!(currency));
    write(txn, call, &mut more)?;
    let id = invoice::new_id(txn);
    let terms = split::of_invoice(txn, call, &Doc::new())?;
    if let Some(sent) = call.params.get("discounts") {
        let holder = Holder {
            member: "invoice",
            id: &id,
            customer: text(customer, "id"),
            currency: &currency,
        };
        let given = discount::read(txn, sent, holder, &[])?;
        more.insert("discounts".to_owned(), json!(given));
    }
    let reason = if of.is_some() { "subscription_update" } else { "manual" };
    let made = invoice::draft(
        txn,
        Draft {
            id: Some(id.clone()),
            customer,
            subscription: of.map(|it| &***it),
            reason,
            period: Period::at(txn.now()),
            currency: &currency,
            lines,
            more,
        },
    );
    txn.edit_part(KIND, &id, |part: &mut InvoicePart| part.terms = terms);
    if call.flag("auto_advance") == Some(true) {
        let advanced = draft::advance(txn, &id, true);
        return Ok(advanced.unwrap_or(made).into());
    }
    Ok(made.into())
}

/// A draft that takes the place of an invoice that has its number.
fn revised(txn: &mut Txn<'_>, call: &Call, original: &Arc<Object>) -> Result<Body, Failure> {
    let mut more = revision::members(txn, original);
    write(txn, call, &mut more)?;
    let terms = split::of_invoice(txn, call, &original.part::<InvoicePart>().terms)?;
    let made = revision::draft(txn, original, more)?;
    let id = text(&made, "id").to_owned();
    txn.edit_part(KIND, &id, |part: &mut InvoicePart| part.terms = terms);
    if call.sent("discounts") {
        let discounts = given(txn, call, &made)?;
        invoice::edit(txn, &id, |doc, _| drop(doc.insert("discounts".to_owned(), discounts)));
    }
    if call.flag("auto_advance") == Some(true) {
        draft::advance(txn, &id, true);
    }
    txn.find(KIND, &id, "id").map(Body::from)
}

/// The discounts that a call sends for an invoice that there is.
fn given(txn: &mut Txn<'_>, call: &Call, known: &Value) -> Result<Value, Failure> {
    let had = line::names(known.get("discounts"));
    let holder = Holder {
        member: "invoice",
        id: text(known, "id"),
        customer: text(known, "customer"),
        currency: text(known, "currency"),
    };
    let sent = call.params.get("discounts").cloned().unwrap_or_default();
    discount::read(txn, &sent, holder, &had).map(|it| json!(it))
}

fn currency(txn: &Txn<'_>, call: &Call, customer: &Value) -> Result<String, Failure> {
    let settings = Settings::of(txn);
    let usual = match text(customer, "currency") {
        "" => settings.get("currency"),
        own => own,
    };
    known_currency(call.text("currency").unwrap_or(usual)).map(|it| it.code().to_owned())
}

/// An invoice is sent with a due date and to an address, or paid by itself.
fn ensure_collectible(call: &Call, customer: &Value) -> Result<(), Failure> {
    let sends = call.text("collection_method") == Some("send_invoice");
    let is_due = call.get("due_date").is_some() || call.get("days_until_due").is_some();
    let refuse = |text: &str| Err(Failure::invalid(text));
    match (sends, is_due) {
        (true, false) => refuse(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
        ),
        (false, true) => refuse(
            "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'.",
        ),
        (true, true) if text(customer, "email").is_empty() => refuse(create::MISSING_EMAIL),
        _ => Ok(()),
    }
}

/// Writes the sent parameters that an invoice shows.
fn write(txn: &mut Txn<'_>, call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    copy(doc, call, FIELDS);
    for (name, value) in
        [("automatic_tax", "liability"), ("rendering", ""), ("payment_settings", "")]
    {
        let Some(sent) = call.hash(name) else { continue };
        let mut shown = doc.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        shown.extend(sent.iter().map(|(name, value)| (name.clone(), value.clone())));
        if !value.is_empty() && shown.get("enabled") == Some(&json!(true)) {
            shown.entry(value).or_insert_with(|| json!({"type": "self"}));
        }
        doc.insert(name.to_owned(), Value::Object(shown));
    }
    fill(doc, KIND, &["automatic_tax", "payment_settings", "rendering", "shipping_details"]);
    ship(txn, call, doc)?;
    if let Some(days) = call.int("days_until_due") {
        let created = doc.get("created").and_then(Value::as_i64).unwrap_or(txn.now().0);
        doc.insert("due_date".to_owned(), json!(created + days * 86_400));
    }
    if call.sent("default_tax_rates") {
        let rates = items::tax_rates(txn, call.get("default_tax_rates"), "default_tax_rates")?;
        doc.insert("default_tax_rates".to_owned(), json!(rates));
    }
    merge_metadata(doc, &call.params);
    Ok(())
}

/// Takes over what it costs to be sent what is billed; it may be cleared.
fn ship(txn: &mut Txn<'_>, call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    const COST: &str = "shipping_cost";
    if !call.sent(COST) {
        return Ok(());
    }
    let cost = match call.get(COST).filter(|it| it.is_object()) {
        Some(sent) => {
            let currency = doc.get("currency").and_then(Value::as_str).unwrap_or_default();
            let currency = known_currency(currency)?;
            shipping::cost(&shipping::option_at(txn, sent, COST, currency)?)
        }
        None => Value::Null,
    };
    doc.insert(COST.to_owned(), cost);
    Ok(())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of invoices", NOT_YET)?;
    let known = found(txn, call)?;
    let status = Invoice::read(text(&known, "status"));
    if call.params.keys().any(|name| !matches!(name.as_str(), "metadata" | "auto_advance")) {
        status.allows(Act::Edit)?;
    }
    let id = text(&known, "id").to_owned();
    let mut doc = known.as_object().cloned().unwrap_or_default();
    write(txn, call, &mut doc)?;
    if call.sent("discounts") {
        let discounts = given(txn, call, &known)?;
        doc.insert("discounts".to_owned(), discounts);
    }
    let terms = split::of_invoice(txn, call, &known.part::<InvoicePart>().terms)?;
    invoice::edit(txn, &id, |kept, part| {
        *kept = doc;
        part.terms = terms;
    });
    if let Some(advances) = call.flag("auto_advance") {
        in_time(txn, &known, |txn| {
            if status == Invoice::Draft {
                draft::advance(txn, &id, advances);
            } else {
                txn.edit(KIND, &id, |doc| {
                    drop(doc.insert("auto_advance".to_owned(), json!(advances)));
                });
            }
        });
    }
    let after = txn.find(KIND, &id, "id")?;
    txn.emit_change("invoice.updated", &known, &after);
    Ok(after.into())
}

fn finalize(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    let id = text(&known, "id").to_owned();
    in_time(txn, &known, |txn| {
        let after = draft::finish(txn, &id)?;
        if let Some(advances) = call.flag("auto_advance") {
            txn.edit(KIND, &id, |doc| drop(doc.insert("auto_advance".to_owned(), json!(advances))));
        }
        Ok(txn.get(KIND, &id).unwrap_or(after).into())
    })
}

fn pay(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    // `forgive` is about sources that hold a balance: a card is charged in whole or not at all.
    let known = found(txn, call)?;
    Invoice::read(text(&known, "status")).allows(Act::Pay)?;
    let id = text(&known, "id").to_owned();
    in_time(txn, &known, |txn| paid(txn, call, &id))
}

fn paid(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Body, Failure> {
    let known = txn.find(KIND, id, "id")?;
    let elsewhere = call.flag("paid_out_of_band") == Some(true);
    let mandated = mandated(txn, call)?;
    let named = call.text("payment_method").or_else(|| call.text("source"));
    let method = named.or(mandated.as_deref());
    if !elsewhere && method.is_none() && money::method(txn, &known).is_none() {
        return Err(money::no_method());
    }
    if text(&known, "status") == "draft" {
        draft::finish(txn, id)?;
    }
    if text(&*txn.find(KIND, id, "id")?, "status") == "paid" {
        return txn.find(KIND, id, "id").map(Body::from);
    }
    if elsewhere {
        return money::paid_elsewhere(txn, id).map(Body::from);
    }
    let off_session = call.flag("off_session") == Some(true);
    let how = Try { method, off_session, by_itself: false };
    if let Outcome::RequiresAction { .. } = money::attempt(txn, id, &how)? {
        // Believed: the sentence. What the attempt wrote down stays.
        let text = "This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice.";
        let failure = Failure::of(402, FailureKind::Card, text);
        return Err(failure.code("invoice_payment_intent_requires_action").keeping_changes());
    }
    txn.find(KIND, id, "id").map(Body::from)
}

/// The payment method that a call names by a mandate for it. Believed: the sentences.
///
/// Fails for one that was given up, and for one of another payment method than is named beside it.
fn mandated(txn: &Txn<'_>, call: &Call) -> Result<Option<String>, Failure> {
    let Some(id) = call.text("mandate") else { return Ok(None) };
    let mandate = txn.find("mandate", id, "mandate")?;
    let method = text(&mandate, "payment_method");
    let refuse = |text: String| Err(Failure::invalid(text).param("mandate"));
    if text(&mandate, "status") != "active" {
        return refuse(format!("The mandate `{id}` is not active and cannot be used."));
    }
    if call.text("payment_method").is_some_and(|named| named != method) {
        return refuse(format!("The mandate `{id}` is not for the payment method provided."));
    }
    Ok(Some(method.to_owned()))
}

fn send(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    Invoice::read(text(&known, "status")).allows(Act::Send)?;
    let id = text(&known, "id").to_owned();
    in_time(txn, &known, |txn| {
        if text(&known, "status") == "draft" {
            draft::finish(txn, &id)?;
        }
        let after = txn.find(KIND, &id, "invoice")?;
        txn.emit("invoice.sent", &after);
        Ok(after.into())
    })
}

fn close(txn: &mut Txn<'_>, call: &Call, act: Act) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    let id = text(&known, "id").to_owned();
    in_time(txn, &known, |txn| invoice::close(txn, &id, act).map(Body::from))
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["customer", "status", "collection_method"]);
    if let Some(id) = call.text("subscription") {
        filters.push(Filter::Is("parent.subscription_details.subscription", id.to_owned()));
    }
    filters.extend(list::within(call, "due_date"));
    list::page(txn, call, KIND, &filters)
}
