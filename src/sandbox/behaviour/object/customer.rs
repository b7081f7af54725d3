//! Customers: who pays.

use crate::sandbox::behaviour::billing::{clock, leaving, subscription};
use crate::sandbox::behaviour::document::{
    Handler, copy, fill, keep_unsent, merge_hash, merge_metadata, new, text,
};
use crate::sandbox::behaviour::object::discount;
use crate::sandbox::behaviour::payment::{cash, method};
use crate::sandbox::behaviour::saved::wallet;
use crate::sandbox::behaviour::tax_id;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::CustomerPart;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

const INDEX: Index = Index {
    kind: "customer",
    noun: "customers",
    fields: &["created", "email", "metadata", "name", "phone"],
};

/// Members that are parameters of the same name.
const FIELDS: &[&str] = &[
    "address",
    "balance",
    "business_name",
    "description",
    "email",
    "individual_name",
    "invoice_prefix",
    "name",
    "next_invoice_sequence",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
];

/// The behaviour of `/v1/customers`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/customers" => create,
        "GET /v1/customers/{customer}" => retrieve,
        "POST /v1/customers/{customer}" => update,
        "DELETE /v1/customers/{customer}" => delete,
        "GET /v1/customers" => list_all,
        "GET /v1/customers/search" => |txn, call| search::page(txn, call, &INDEX),
        _ => return None,
    })
}

/// The fields that a customer shows only when they are expanded.
pub fn include(txn: &Txn<'_>, customer: &Value, field: &str) -> Option<Value> {
    let id = text(customer, "id");
    match field {
        "invoice_credit_balance" => Some(json!({})),
        "sources" => Some(wallet::list(txn, id)),
        "subscriptions" => Some(subscription::list(txn, id)),
        "tax_ids" => Some(json!({
            "object": "list", "data": [], "has_more": false, "total_count": 0,
            "url": format!("/v1/customers/{id}/{field}"),
        })),
        "tax" => {
            let part = txn.record::<CustomerPart>("customer", id);
            let ip = part.and_then(|part| part.tax_ip_address.clone());
            Some(json!({
                "automatic_tax": "unrecognized_location", "ip_address": ip, "location": null,
                "provider": "stripe",
            }))
        }
        "cash_balance" => Some(cash::shown(txn, id)),
        _ => None,
    }
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    match call.text("test_clock") {
        None => make(txn, call),
        Some(clock) => {
            txn.find(clock::KIND, clock, "test_clock")?;
            clock::ensure_room(txn, clock)?;
            txn.on_timeline(clock, "test_clock", |txn| make(txn, call))
        }
    }
}

fn make(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    check(txn, call, None)?;
    let id = txn.new_id("cus_", 14);
    let prefix = txn.new_id("", 8).to_ascii_uppercase();
    let mut doc = new(
        "customer",
        json!({
            "id": id, "balance": 0, "created": txn.now().0, "delinquent": false,
            "invoice_prefix": prefix, "invoice_settings": {}, "next_invoice_sequence": 1,
            "preferred_locales": [], "tax_exempt": "none", "test_clock": txn.timeline(),
        }),
    );
    write(&mut doc, call, &default_currency(txn));
    let mut customer = match part(call) {
        Some(part) => txn.put_with(doc, part),
        None => txn.put(doc),
    };
    if let Some(sent) = call.hash("cash_balance") {
        cash::set_mode(txn, &id, sent);
    }
    for (at, sent) in call.list("tax_id_data").iter().enumerate() {
        let owner = json!({"type": "customer", "customer": id});
        let param = format!("tax_id_data[{at}][value]");
        tax_id::create(txn, text(sent, "type"), text(sent, "value"), &owner, &param)?;
    }
    if call.sent("coupon") || call.sent("promotion_code") {
        discount::set(txn, call, &id)?;
        customer = txn.get("customer", &id).unwrap_or(customer);
    }
    let (mut saved, mut saved_source) = (None, None);
    if let Some(asked) = call.text("payment_method") {
        let found = method::instantiate_test_method(txn, asked, "payment_method")?;
        let method_id = text(&found, "id").to_owned();
        saved = Some((asked.to_owned(), method_id));
    }
    if let Some(source) = call.text("source") {
        saved_source = Some(wallet::add(txn, &id, source, "source")?);
        let default = saved_source.as_ref().map(|it| text(it, "id").to_owned());
        txn.edit("customer", &id, |doc| {
            doc.insert("default_source".to_owned(), json!(default));
        });
        customer = txn.get("customer", &id).unwrap_or(customer);
    }
    let default = default_method(call).map(str::to_owned);
    if let (Some(default), Some((asked, method_id))) = (default, &saved)
        && &default == asked
    {
        set_default(txn, &id, method_id);
        customer = txn.get("customer", &id).unwrap_or(customer);
    } else if let Some(default) = default_method(call) {
        check_default(txn, &id, default)?;
    }
    txn.emit("customer.created", &customer);
    if let Some(source) = saved_source {
        txn.emit("customer.source.created", &source);
    }
    if let Some((_, method_id)) = saved {
        method::attach(txn, &method_id, &id)?;
    }
    Ok(customer.into())
}

fn default_method(call: &Call) -> Option<&str> {
    call.hash("invoice_settings")?.get("default_payment_method")?.as_str()
}

fn set_default(txn: &mut Txn<'_>, id: &str, method_id: &str) {
    txn.edit("customer", id, |doc| {
        if let Some(Value::Object(settings)) = doc.get_mut("invoice_settings") {
            settings.insert("default_payment_method".to_owned(), json!(method_id));
        }
    });
}

/// A default payment method must be one of the customer's own.
fn check_default(txn: &Txn<'_>, customer: &str, default: &str) -> Result<(), Failure> {
    const PARAM: &str = "invoice_settings[default_payment_method]";
    let found = txn.find("payment_method", default, PARAM)?;
    if text(&found, "customer") == customer {
        return Ok(());
    }
    let message = format!(
        "The customer does not have a payment method with the ID {default}. The payment method must be attached to the customer."
    );
    Err(Failure::invalid(message).code("resource_missing").param(PARAM))
}

/// Letters and digits that a prefix of invoice numbers has at most.
const PREFIX_MAX: usize = 12;

fn check(txn: &Txn<'_>, call: &Call, customer: Option<&str>) -> Result<(), Failure> {
    call.text("invoice_prefix").map_or(Ok(()), |prefix| check_prefix(txn, prefix, customer))
}

/// Invoices are numbered by a prefix that no other customer has.
fn check_prefix(txn: &Txn<'_>, prefix: &str, customer: Option<&str>) -> Result<(), Failure> {
    let is_one = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if prefix.len() > PREFIX_MAX || !prefix.chars().all(is_one) {
        let message = "Invoice number prefix must be 1–12 uppercase letters or numbers.";
        return Err(Failure::invalid(message));
    }
    let holders = txn.having("customer", "invoice_prefix", prefix);
    let mut others = holders.iter().filter(|holder| Some(text(holder, "id")) != customer);
    others.next().map_or(Ok(()), |holder| {
        let message = format!(
            "This invoice number prefix is taken by customer: {}. Please enter a different prefix.",
            text(holder, "id")
        );
        Err(Failure::invalid(message).param("invoice_prefix"))
    })
}

/// The currency in which a customer's balance is counted.
fn default_currency(txn: &Txn<'_>) -> String {
    Settings::of(txn).get("currency").to_owned()
}

/// What is kept of a customer beyond what the API shows, where it was sent.
fn part(call: &Call) -> Option<CustomerPart> {
    let ip = call.get("tax")?.get("ip_address").and_then(Value::as_str).map(str::to_owned);
    Some(CustomerPart { tax_ip_address: ip, ..CustomerPart::default() })
}

/// Writes the sent parameters into a customer, whose first balance settles its currency.
fn write(doc: &mut Doc, call: &Call, currency: &str) {
    let known = ["address", "shipping"].map(|name| (name, doc.get(name).cloned()));
    copy(doc, call, FIELDS);
    for (name, old) in known {
        if let (Some(old), Some(new)) = (old, doc.get_mut(name)) {
            keep_unsent(new, old);
        }
    }
    if call.int("balance").is_some_and(|balance| balance != 0)
        && doc.get("currency").is_none_or(Value::is_null)
    {
        doc.insert("currency".to_owned(), json!(currency));
    }
    if doc.get("preferred_locales").is_some_and(Value::is_null) {
        doc.insert("preferred_locales".to_owned(), json!([]));
    }
    if doc.get("tax_exempt").is_some_and(Value::is_null) {
        doc.insert("tax_exempt".to_owned(), json!("none"));
    }
    merge_hash(doc.get_mut("invoice_settings"), call.hash("invoice_settings"));
    fill(doc, "customer", &["address", "shipping", "invoice_settings"]);
    if let Some(Value::Object(shipping)) = doc.get_mut("shipping") {
        // Nobody carries anything to a customer yet.
        shipping.retain(|name, _| !matches!(name.as_str(), "carrier" | "tracking_number"));
    }
    merge_metadata(doc, &call.params);
}

/// A deleted customer stays retrievable as a stub.
fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.get("customer", call.id(0))
        .map(Body::from)
        .ok_or_else(|| Failure::missing("customer", call.id(0), "id"))
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    txn.find("customer", id, "id")?;
    check(txn, call, Some(id))?;
    if let Some(default) = default_method(call) {
        check_default(txn, id, default)?;
    }
    if let Some(default) = call.text("default_source") {
        wallet::ensure_own(txn, id, default)?;
    }
    let source = replace_source(txn, call, id)?;
    if let Some(sent) = call.hash("cash_balance") {
        cash::set_mode(txn, id, sent);
    }
    let currency = default_currency(txn);
    let Some((before, after)) = txn.edit_with("customer", id, |doc, known: &mut CustomerPart| {
        write(doc, call, &currency);
        copy(doc, call, &["default_source"]);
        if let Some(source) = source {
            doc.insert("default_source".to_owned(), json!(source));
        }
        if let Some(part) = part(call) {
            known.tax_ip_address = part.tax_ip_address;
        }
    }) else {
        return Err(Failure::missing("customer", id, "id"));
    };
    discount::set(txn, call, id)?;
    let after = txn.get("customer", id).unwrap_or(after);
    txn.emit_change("customer.updated", &before, &after);
    Ok(after.into())
}

/// Saves the source that a call sends, in place of the default so far. Returns its id.
fn replace_source(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Option<String>, Failure> {
    let Some(sent) = call.text("source") else { return Ok(None) };
    let added = wallet::add(txn, id, sent, "source")?;
    let known = txn.get("customer", id).map(|it| text(&it, "default_source").to_owned());
    if let Some(known) = known.filter(|known| !known.is_empty()) {
        wallet::discard(txn, id, &known);
    }
    txn.emit("customer.source.created", &added);
    Ok(Some(text(&added, "id").to_owned()))
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let customer = txn.find("customer", call.id(0), "id")?;
    Ok(leaving::remove(txn, &customer).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["email", "test_clock"]);
    filters.extend(list::off_clocks(txn, call, &[]));
    list::page(txn, call, "customer", &filters)
}
