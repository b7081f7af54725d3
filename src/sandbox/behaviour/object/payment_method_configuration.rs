//! Payment method configurations: which types an integration offers where it names none.

use crate::sandbox::behaviour::document::{Handler, new, text};
use crate::sandbox::behaviour::payment::offer::{self, CONFIGURATION};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The behaviour of `/v1/payment_method_configurations`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/payment_method_configurations" => create,
        "GET /v1/payment_method_configurations" => list_all,
        "GET /v1/payment_method_configurations/{configuration}" => retrieve,
        "POST /v1/payment_method_configurations/{configuration}" => update,
        _ => return None,
    })
}

fn preference(asked: &str) -> Value {
    // `none` follows Stripe's choice: off, where the account has not switched it on.
    let value = if asked == "on" { "on" } else { "off" };
    json!({
        "available": value == "on",
        "display_preference": {"overridable": null, "preference": asked, "value": value},
    })
}

/// Makes the account's own configuration where there is none: with what its settings offer.
fn ensure_default(txn: &mut Txn<'_>) {
    let id = offer::own_id(txn);
    if txn.stored(CONFIGURATION, &id).is_some() {
        return;
    }
    let on = Settings::of(txn).payment_methods(&offer::USUAL);
    let mut doc = new(
        CONFIGURATION,
        json!({"id": id, "active": true, "is_default": true, "name": "Default"}),
    );
    for kind in offer::configurable() {
        let asked = if on.iter().any(|it| it == kind) { "on" } else { "off" };
        doc.insert(kind.to_owned(), preference(asked));
    }
    txn.put(doc);
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    ensure_default(txn);
    let parent = call.owned("parent");
    if let Some(parent) = &parent {
        txn.find(CONFIGURATION, parent, "parent")?;
    }
    let id = txn.new_id("pmc_1", 23);
    let name = call.text("name").unwrap_or("Configuration");
    let mut doc = new(
        CONFIGURATION,
        json!({"id": id, "active": true, "is_default": false, "name": name, "parent": parent}),
    );
    for kind in offer::configurable() {
        doc.insert(kind.to_owned(), preference(if kind == "card" { "on" } else { "off" }));
    }
    write(&mut doc, call);
    Ok(txn.put(doc).into())
}

fn write(doc: &mut Doc, call: &Call) {
    for kind in offer::configurable() {
        let asked = call.get(kind).and_then(|it| it.get("display_preference"));
        if let Some(asked) = asked {
            doc.insert(kind.to_owned(), preference(text(asked, "preference")));
        }
    }
    for name in ["active", "name"] {
        if let Some(value) = call.get(name) {
            doc.insert(name.to_owned(), value.clone());
        }
    }
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    ensure_default(txn);
    txn.find(CONFIGURATION, call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    ensure_default(txn);
    let found = txn.find(CONFIGURATION, call.id(0), "id")?;
    if found.get("is_default") == Some(&json!(true)) && call.flag("active") == Some(false) {
        // Believed: the words of a default that would go.
        let text = "You cannot deactivate the default payment method configuration.";
        return Err(Failure::invalid(text).param("active"));
    }
    let mut switches =
        call.params.keys().filter(|name| offer::configurable().any(|it| it == *name));
    let is_own = call.id(0) == offer::own_id(txn);
    if let (true, Some(name)) = (is_own && offer::is_set(&Settings::of(txn)), switches.next()) {
        let text = "The settings of this sandbox say which payment methods are offered. Empty its setting `payment_methods` first.";
        return Err(Failure::invalid(text).param(name));
    }
    txn.edit(CONFIGURATION, call.id(0), |doc| write(doc, call));
    retrieve(txn, call)
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    ensure_default(txn);
    let mut filters = list::same(call, &["active"]);
    if let Some(application) = call.text("application") {
        filters.push(list::Filter::Is("application", application.to_owned()));
    }
    list::page(txn, call, CONFIGURATION, &filters)
}
