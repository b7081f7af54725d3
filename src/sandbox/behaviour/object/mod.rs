//! One file a Stripe object: what the catalog cannot know of it: transitions, amounts, side effects.

pub mod balance;
pub mod balance_transaction;
pub mod cash_balance;
pub mod charge;
pub mod checkout_session;
pub mod coupon;
pub mod credit_note;
pub mod customer;
pub mod customer_balance_transaction;
pub mod discount;
pub mod dispute;
pub mod early_fraud_warning;
pub mod ephemeral_key;
pub mod event;
pub mod event_destination;
pub mod invoice;
pub mod invoice_item;
pub mod invoice_line;
pub mod invoice_payment;
pub mod payment_intent;
pub mod payment_link;
pub mod payment_method;
pub mod payment_method_configuration;
pub mod payment_method_domain;
pub mod payment_page;
pub mod payout;
pub mod plan;
pub mod price;
pub mod product;
pub mod promotion_code;
pub mod refund;
pub mod report_run;
pub mod review;
pub mod setup_intent;
pub mod shipping_rate;
pub mod source;
pub mod subscription;
pub mod subscription_item;
pub mod tax_id;
pub mod tax_rate;
pub mod test_clock;
pub mod thin_event;
pub mod token;
pub mod topup;
pub mod webhook_endpoint;

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Kind};
use crate::catalog::route::Endpoint;
use crate::sandbox::behaviour::billing;
use crate::sandbox::behaviour::checkout;
use crate::sandbox::behaviour::connect;
use crate::sandbox::behaviour::dispute as disputes;
use crate::sandbox::behaviour::offer;
use crate::sandbox::behaviour::payment;
use crate::sandbox::behaviour::payout as payouts;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::object::Doc;
pub use crate::sandbox::engine::object::{int, text};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Answers one endpoint.
pub type Handler = fn(&mut Txn<'_>, &Call) -> Result<Body, Failure>;

/// Runs one scheduled job with its arguments.
pub type Job = fn(&mut Txn<'_>, &Value);

/// The behaviour of an endpoint (`POST /v1/products`), where it is modelled.
pub fn handler(key: &str) -> Option<Handler> {
    static MODELLED: OnceLock<HashMap<&'static str, Handler>> = OnceLock::new();
    let modelled = MODELLED.get_or_init(|| {
        let all = Catalog::get().routes().all().iter().map(Endpoint::key);
        all.filter_map(|key| Some((key, find_handler(key)?))).collect()
    });
    modelled.get(key).copied()
}

fn find_handler(key: &str) -> Option<Handler> {
    const MODELLED: &[fn(&str) -> Option<Handler>] = &[
        balance::handler,
        balance_transaction::handler,
        cash_balance::handler,
        charge::handler,
        checkout_session::handler,
        connect::handler,
        coupon::handler,
        credit_note::handler,
        customer::handler,
        customer_balance_transaction::handler,
        discount::handler,
        dispute::handler,
        early_fraud_warning::handler,
        ephemeral_key::handler,
        event::handler,
        event_destination::handler,
        invoice::handler,
        invoice_item::handler,
        invoice_line::handler,
        invoice_payment::handler,
        payment_intent::handler,
        payment_link::handler,
        payment_method::handler,
        payment_method_configuration::handler,
        payment_method_domain::handler,
        payment_page::handler,
        payout::handler,
        plan::handler,
        price::handler,
        product::handler,
        promotion_code::handler,
        refund::handler,
        report_run::handler,
        review::handler,
        setup_intent::handler,
        shipping_rate::handler,
        source::handler,
        subscription::handler,
        subscription_item::handler,
        tax_id::handler,
        tax_rate::handler,
        test_clock::handler,
        thin_event::handler,
        token::handler,
        topup::handler,
        webhook_endpoint::handler,
    ];
    MODELLED.iter().find_map(|handler| handler(key))
}

/// The job of that name.
pub fn job(name: &str) -> Option<Job> {
    let own: Option<Job> = (name == offer::LAPSE_JOB).then_some(offer::on_due);
    payment::job(name)
        .or_else(|| billing::job(name))
        .or_else(|| checkout::job(name))
        .or_else(|| connect::job(name))
        .or_else(|| disputes::job(name))
        .or_else(|| event::job(name))
        .or_else(|| payouts::job(name))
        .or_else(|| report_run::job(name))
        .or_else(|| tax_id::job(name))
        .or_else(|| topup::job(name))
        .or(own)
}

/// A field that an object shows only when it is expanded (`line_items` of a Checkout Session).
pub fn include(txn: &Txn<'_>, doc: &Value, field: &str) -> Option<Value> {
    match text(doc, "object") {
        checkout::SESSION => checkout_session::include(txn, doc, field),
        "charge" => charge::include(txn, doc, field),
        "coupon" => coupon::include(txn, doc, field),
        "customer" => customer::include(txn, doc, field),
        "invoice" => billing::told::include(txn, doc, field),
        "item" => checkout_session::item_more(txn, doc, field),
        "payment_link" => payment_link::include(txn, doc, field),
        "plan" | "price" => price::include(txn, doc, field),
        _ => None,
    }
}

/// A new object of a kind: every member that the API shows, empty, and those given.
pub fn new(kind: &str, members: Value) -> Doc {
    let mut doc = Catalog::get().blank(kind);
    if let Value::Object(members) = members {
        doc.extend(members);
    }
    doc
}

/// Gives the named hashes of an object, where they are there, the members that they lack, as null.
pub fn fill(doc: &mut Doc, kind: &str, names: &[&str]) {
    let Some(shape) = Catalog::get().object(kind) else { return };
    for name in names {
        let of = grammar::field(&shape.fields, name).map(|field| &field.of.kind);
        if let (Some(value), Some(of)) = (doc.get_mut(*name), of) {
            fill_hash(value, of);
        }
    }
}

/// Takes out of the named hashes what the API does not show of what was sent (a security code's token).
pub fn trim(doc: &mut Doc, kind: &str, names: &[&str]) {
    let Some(shape) = Catalog::get().object(kind) else { return };
    for name in names {
        let of = grammar::field(&shape.fields, name).map(|field| &field.of.kind);
        if let (Some(value), Some(of)) = (doc.get_mut(*name), of) {
            trim_hash(value, of);
        }
    }
}

/// Merges what a call sends for types of payment methods into the `payment_method_options` of an intent.
pub fn merge_options(doc: &mut Doc, intent: &str, call: &Call) {
    const OPTIONS: &str = "payment_method_options";
    let Some(Value::Object(shown)) = doc.get_mut(OPTIONS) else { return };
    for (kind, members) in call.hash(OPTIONS).into_iter().flatten() {
        let at = shown.entry(kind.clone()).or_insert_with(|| json!({}));
        let (Value::Object(at), Value::Object(members)) = (at, members) else { continue };
        at.extend(members.clone());
        // Of a card's mandate, unlike a bank's, what was not said is null.
        if kind == "card"
            && let Some(mandate) = members.get("mandate_options").filter(|sent| sent.is_object())
        {
            let mandate = fit(Some(mandate), intent, &[OPTIONS, "card", "mandate_options"]);
            at.insert("mandate_options".to_owned(), mandate);
        }
    }
    trim(doc, intent, &[OPTIONS]);
}

/// A hash as an object of a kind shows it at a path: without what it does not know, and with null for what it lacks.
pub fn fit(hash: Option<&Value>, kind: &str, path: &[&str]) -> Value {
    let mut value = hash.filter(|hash| hash.is_object()).cloned().unwrap_or_else(|| json!({}));
    let Some(shape) = Catalog::get().object(kind) else { return value };
    let (mut fields, mut found) = (shape.fields.as_slice(), None);
    for name in path {
        found = grammar::field(fields, name).map(|field| &field.of.kind);
        fields = match found {
            Some(Kind::Hash(inner)) => inner,
            _ => &[],
        };
    }
    if let Some(of) = found {
        trim_hash(&mut value, of);
        fill_hash(&mut value, of);
    }
    value
}

fn trim_hash(value: &mut Value, of: &Kind) {
    let (Value::Object(map), Kind::Hash(fields)) = (value, of) else { return };
    map.retain(|name, _| grammar::field(fields, name).is_some());
    for field in fields {
        if let Some(inner) = map.get_mut(field.name) {
            trim_hash(inner, &field.of.kind);
        }
    }
}

fn fill_hash(value: &mut Value, of: &Kind) {
    let (Value::Object(map), Kind::Hash(fields)) = (value, of) else { return };
    for field in fields {
        if field.of.nullable {
            map.entry(field.name).or_insert(Value::Null);
        }
        if let Some(inner) = map.get_mut(field.name) {
            fill_hash(inner, &field.of.kind);
        }
    }
}

/// Copies the named parameters that were sent into an object; a cleared one becomes null.
pub fn copy(doc: &mut Doc, call: &Call, names: &[&str]) {
    for name in names {
        if let Some(value) = call.params.get(*name) {
            doc.insert((*name).to_owned(), value.clone());
        }
    }
}

/// Keeps what a hash had and was not sent anew, at every depth.
///
/// Recordings show it of a customer's address: a line that is sent leaves the others. What is updated leaf by leaf
/// there is believed to be so everywhere, as the API's rule is that a parameter which is not sent changes nothing.
pub fn keep_unsent(new: &mut Value, old: Value) {
    let (Value::Object(new), Value::Object(old)) = (new, old) else { return };
    for (name, old) in old {
        match new.get_mut(&name) {
            Some(new) => keep_unsent(new, old),
            None => drop(new.insert(name, old)),
        }
    }
}

/// Writes a sent hash into one that is there, and keeps of it what was not sent. What is null takes nothing.
pub fn merge_hash(into: Option<&mut Value>, sent: Option<&Map<String, Value>>) {
    if let (Some(into @ Value::Object(_)), Some(sent)) = (into, sent) {
        let old = std::mem::replace(into, Value::Object(sent.clone()));
        keep_unsent(into, old);
    }
}

/// Merges a `metadata` parameter: keys that are not named stay, cleared keys go, a cleared hash empties it.
pub fn merge_metadata(doc: &mut Doc, params: &Map<String, Value>) {
    let merged = merged(doc.get("metadata"), params.get("metadata"));
    doc.insert("metadata".to_owned(), Value::Object(merged));
}

fn merged(old: Option<&Value>, new: Option<&Value>) -> Map<String, Value> {
    let mut merged = old.and_then(Value::as_object).cloned().unwrap_or_default();
    match new {
        Some(Value::Null) => merged.clear(),
        Some(Value::Object(sent)) => {
            for (name, value) in sent {
                if value.is_null() {
                    merged.remove(name);
                } else {
                    merged.insert(name.clone(), value.clone());
                }
            }
        }
        _ => {}
    }
    merged
}

#[cfg(test)]
mod payments_tests;

#[cfg(test)]
mod recorded_tests;

#[cfg(test)]
mod lossless_tests;

#[cfg(test)]
mod selling_tests;

#[cfg(test)]
mod shop_tests;
