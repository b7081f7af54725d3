//! What customers may do in a portal: what is off until it is turned on, and what cannot be turned on.

use crate::sandbox::behaviour::document::{keep_unsent, new, text};
use crate::sandbox::behaviour::portal::CONFIGURATION;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The features of a configuration that names none.
fn off() -> Value {
    json!({
        "customer_update": {"allowed_updates": [], "enabled": false},
        "invoice_history": {"enabled": false},
        "payment_method_update": {"enabled": false, "payment_method_configuration": null},
        "subscription_cancel": {
            "cancellation_reason": {
                "enabled": false, "feedback_options": null,
                "options": [
                    "too_expensive", "missing_features", "switched_service", "unused", "other",
                ],
            },
            "enabled": false, "mode": "at_period_end", "proration_behavior": "none",
        },
        "subscription_pause": {
            "duration": {"interval_options": [], "type": "indefinite"}, "enabled": false,
        },
        "subscription_update": {
            "billing_cycle_anchor": null, "default_allowed_updates": [], "enabled": false,
            "products": null, "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []}, "trial_update_behavior": "end_trial",
        },
    })
}

/// What an account allows that has saved the settings of its portal as they stood.
fn saved() -> Value {
    json!({
        "customer_update": {
            "allowed_updates": ["email", "address", "phone", "tax_id"], "enabled": true,
        },
        "invoice_history": {"enabled": true},
        "payment_method_update": {"enabled": true},
        "subscription_cancel": {"enabled": true},
    })
}

/// Features with what was sent of them; a cleared member is as it was in the beginning.
pub fn merged(known: Option<&Value>, sent: Option<&Map<String, Value>>) -> Value {
    let mut all = Value::Object(sent.cloned().unwrap_or_default());
    if let Some(known) = known {
        keep_unsent(&mut all, known.clone());
    }
    restore(&mut all, off());
    all
}

/// Puts what `beginning` has in the place of what lacks, and of what is null.
fn restore(all: &mut Value, beginning: Value) {
    let (Value::Object(all), Value::Object(beginning)) = (all, beginning) else { return };
    for (name, value) in beginning {
        match all.get_mut(&name) {
            Some(known) if !known.is_null() => restore(known, value),
            _ => drop(all.insert(name, value)),
        }
    }
}

/// The products with what each of them says of its quantity.
pub fn fill_products(features: &mut Value, may_count: bool) {
    let products = features.pointer_mut("/subscription_update/products");
    for product in products.and_then(Value::as_array_mut).into_iter().flatten() {
        let beginning = json!({
            "adjustable_quantity": {"enabled": may_count, "maximum": null, "minimum": 1},
        });
        restore(product, beginning);
    }
}

/// A new configuration without features.
pub fn blank(txn: &Txn<'_>) -> Doc {
    let now = txn.now().0;
    new(
        CONFIGURATION,
        json!({
            "id": txn.new_id("bpc_1", 23), "active": true, "created": now, "is_default": false,
            "business_profile": {
                "headline": null, "privacy_policy_url": null, "terms_of_service_url": null,
            },
            "livemode": false, "login_page": {"enabled": false, "url": null}, "updated": now,
        }),
    )
}

/// The account's own configuration. A sandbox stands for an account whose owner has saved the settings of the portal:
/// it is made where it is first needed, and nobody is told of it.
pub fn default(txn: &mut Txn<'_>) -> Arc<Object> {
    if let Some(known) = txn.newest(CONFIGURATION).find(|it| it["is_default"] == true) {
        return known;
    }
    let mut doc = blank(txn);
    doc.insert("is_default".to_owned(), json!(true));
    doc.insert("features".to_owned(), merged(None, saved().as_object()));
    txn.put(doc)
}

/// Whether a configuration has a feature turned on.
pub fn is_on(configuration: &Value, feature: &str) -> bool {
    configuration.pointer(&format!("/features/{feature}/enabled")) == Some(&json!(true))
}

/// Refuses features that cannot be offered. Believed, but for the objects that do not exist: no recording has it.
pub fn check(txn: &Txn<'_>, features: &Value) -> Result<(), Failure> {
    const AT: &str = "features[subscription_update]";
    let member = |path: &str| features.pointer(path);
    let list = |path: &str| member(path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let on = |feature: &str| member(&format!("/{feature}/enabled")) == Some(&json!(true));
    if on("customer_update") && list("/customer_update/allowed_updates").is_empty() {
        let text = "You must specify at least one allowed update when enabling the customer update feature.";
        return Err(Failure::invalid(text).param("features[customer_update][allowed_updates]"));
    }
    let products = list("/subscription_update/products");
    if on("subscription_update") {
        for (name, text) in [
            (
                "products",
                "You must set at least one product when enabling the subscription update feature.",
            ),
            (
                "default_allowed_updates",
                "You must specify at least one allowed update when enabling the subscription update feature.",
            ),
        ] {
            if list(&format!("/subscription_update/{name}")).is_empty() {
                return Err(Failure::invalid(text).param(format!("{AT}[{name}]")));
            }
        }
    }
    products
        .iter()
        .enumerate()
        .try_for_each(|(at, product)| check_product(txn, product, &format!("{AT}[products][{at}]")))
}

fn check_product(txn: &Txn<'_>, product: &Value, at: &str) -> Result<(), Failure> {
    let id = text(product, "product");
    txn.find("product", id, &format!("{at}[product]"))?;
    let prices = product.get("prices").and_then(Value::as_array);
    let mut rhythms: Vec<(Value, Value)> = Vec::new();
    for (n, price) in prices.into_iter().flatten().enumerate() {
        let param = format!("{at}[prices][{n}]");
        let name = price.as_str().unwrap_or_default();
        let found = txn.find("price", name, &param)?;
        let refuse = |text: String| Err(Failure::invalid(text).param(&param));
        if text(&found, "product") != id {
            return refuse(format!("The price `{name}` does not belong to the product `{id}`."));
        }
        if found.get("active") != Some(&json!(true)) {
            return refuse(format!("The price `{name}` is not active."));
        }
        let Some(recurring) = found.get("recurring").filter(|it| it.is_object()) else {
            return refuse(format!("The price `{name}` is not recurring."));
        };
        let every = json!([recurring["interval"], recurring["interval_count"]]);
        let rhythm = (found.get("currency").cloned().unwrap_or_default(), every);
        if rhythms.contains(&rhythm) {
            return refuse(format!(
                "The product `{id}` has more than one price with the same billing interval."
            ));
        }
        rhythms.push(rhythm);
    }
    Ok(())
}
