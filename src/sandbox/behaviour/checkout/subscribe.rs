//! Subscription mode: what a session sells comes again. The subscription is made at the first try to pay, waits for
//! its first invoice to be paid, and later tries pay that same invoice.

use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::{create, invoice, subscription};
use crate::sandbox::behaviour::checkout::SESSION;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::payment::confirm::Outcome;
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{InvoicePart, PaymentIntentPart, SessionPart};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Members of `subscription_data` that a subscription takes under the same name.
const DATA: &[&str] = &[
    "application_fee_percent",
    "billing_cycle_anchor",
    "billing_mode",
    "default_tax_rates",
    "description",
    "invoice_settings",
    "metadata",
    "on_behalf_of",
    "proration_behavior",
    "transfer_data",
    "trial_end",
    "trial_period_days",
    "trial_settings",
];

/// Whether a session sells what comes again.
pub fn is_one(session: &Value) -> bool {
    text(session, "mode") == "subscription"
}

/// Whether a session that sells what comes again wants to know what it is paid with: always, unless it says that it
/// does so only where something is due.
pub fn asks_method(session: &Value) -> bool {
    let only_if_due = text(session, "payment_method_collection") == "if_required";
    is_one(session) && (!only_if_due || int(session, "amount_total") > 0)
}

/// Whether what recurs is free for now.
pub fn has_trial(data: &Doc) -> bool {
    ["trial_end", "trial_period_days"].iter().any(|name| data.get(*name).is_some_and(Value::is_i64))
}

/// Takes what recurs off today's bill, where it begins with a trial.
pub fn free_at_first(part: &mut SessionPart) {
    if !has_trial(&part.subscription_data) {
        return;
    }
    for item in &mut part.line_items {
        let recurs = item.get("price").is_some_and(|it| text(it, "type") == "recurring");
        if let Some(item) = item.as_object_mut().filter(|_| recurs) {
            item.insert("amount_subtotal".to_owned(), json!(0));
            item.insert("amount_total".to_owned(), json!(0));
        }
    }
}

/// Makes the subscription of a session, where no earlier try has, and pays its first invoice; the intent with which
/// it is paid, and how far that came. None is needed where nothing is due yet, and no method where none is asked for.
///
/// Fails with a 402 where the card is refused; what that wrote stays.
pub fn pay(
    txn: &mut Txn<'_>,
    session: &Arc<Object>,
    method: Option<&str>,
) -> Result<Option<(String, Outcome)>, Failure> {
    let id = text(session, "id");
    let part = session.part::<SessionPart>().into_owned();
    let own = Some(text(session, "customer")).filter(|id| !id.is_empty());
    let customer = own.or(part.customer.as_deref()).unwrap_or_default().to_owned();
    if let Some(method) = method {
        method::attach(txn, method, &customer)?;
    }
    let made = match &part.subscription {
        Some(made) => txn.find(subscription::KIND, made, "subscription")?,
        None => open(txn, session, &part, (&customer, method))?,
    };
    let own = text(&made, "id").to_owned();
    if method.is_some() {
        txn.edit(subscription::KIND, &own, |doc| {
            doc.insert("default_payment_method".to_owned(), json!(method));
        });
    }
    txn.edit_part(SESSION, id, |part: &mut SessionPart| part.subscription = Some(own));
    let bill = text(&made, "latest_invoice").to_owned();
    let asked = txn.find(invoice::KIND, &bill, "invoice")?;
    let intent = asked.part::<InvoicePart>().intent.clone();
    let Some(intent) = intent.filter(|_| text(&asked, "status") == "open") else {
        return Ok(None);
    };
    txn.edit_part("payment_intent", &intent, |part: &mut PaymentIntentPart| {
        part.session = Some(id.to_owned());
    });
    let how = Try { method, ..Try::default() };
    Ok(Some((intent, money::attempt(txn, &bill, &how)?)))
}

/// The subscription that a session sells; it waits for its first payment.
fn open(
    txn: &mut Txn<'_>,
    session: &Value,
    part: &SessionPart,
    (customer, method): (&str, Option<&str>),
) -> Result<Arc<Object>, Failure> {
    let mut params = Map::new();
    for name in DATA {
        if let Some(value) = part.subscription_data.get(*name).filter(|it| !it.is_null()) {
            params.insert((*name).to_owned(), value.clone());
        }
    }
    let (mut items, mut once) = (Vec::new(), Vec::new());
    for (line, look) in part.line_items.iter().zip(&part.line_looks) {
        let price = line.get("price").cloned().unwrap_or_default();
        let sold = json!({
            "price": text(&price, "id"), "quantity": line.get("quantity"),
            "tax_rates": look.tax_rates,
        });
        if text(&price, "type") == "recurring" { items.push(sold) } else { once.push(sold) }
    }
    let mut set = |name: &str, value: Value| drop(params.insert(name.to_owned(), value));
    set("items", json!(items));
    set("add_invoice_items", json!(once));
    set("currency", json!(session.get("currency")));
    if method.is_some() {
        set("default_payment_method", json!(method));
    }
    set("payment_behavior", json!("default_incomplete"));
    let automatic = session.get("automatic_tax").and_then(|it| it.get("enabled"));
    set("automatic_tax", json!({"enabled": automatic == Some(&json!(true))}));
    if let Some((discount, _)) = &part.discount {
        set("discounts", json!([{"discount": discount}]));
    }
    let version = Version { text: Settings::of(txn).get("api_version").to_owned(), named: true };
    let key = "POST /v1/subscriptions".to_owned();
    create::create(txn, &Call { key, ids: Vec::new(), params, version }, customer)
}

/// What a complete session says of its subscription: `subscription`, `invoice` and whether it was paid.
pub fn outcome(txn: &Txn<'_>, part: &SessionPart) -> Option<(Value, Value, &'static str)> {
    let made = txn.get(subscription::KIND, part.subscription.as_deref()?)?;
    let bill = txn.get(invoice::KIND, text(&made, "latest_invoice"))?;
    let due = bill.get("amount_due").and_then(Value::as_i64).unwrap_or(0);
    let status = match text(&bill, "status") {
        "paid" if due == 0 => "no_payment_required",
        "paid" => "paid",
        _ => "unpaid",
    };
    Some((json!(text(&made, "id")), json!(text(&bill, "id")), status))
}
