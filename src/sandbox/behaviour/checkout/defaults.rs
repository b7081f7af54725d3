//! The members of a new session: what was sent, in the form in which the API shows it, and the defaults of the rest.

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::document::{member, merge_metadata};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Doc;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// Parameters that a session shows as they were sent.
const ECHOED: &[&str] = &[
    "allow_promotion_codes",
    "allowed_payment_method_types",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_account",
    "customer_email",
    "excluded_payment_method_types",
    "integration_identifier",
    "locale",
    "origin_context",
    "return_url",
    "submit_type",
    "success_url",
];

/// Hashes of which the API shows every member: parameter and the members with their defaults.
fn filled() -> Vec<(&'static str, Value)> {
    vec![
        ("adaptive_pricing", json!({"enabled": false})),
        (
            "branding_settings",
            json!({
                "background_color": "#ffffff", "border_style": "rounded", "button_color": "#0074d4",
                "display_name": "stripegym", "font_family": "default", "icon": null, "logo": null,
            }),
        ),
        ("custom_text", custom_text(None)),
        ("managed_payments", json!({"enabled": false})),
        ("phone_number_collection", json!({"enabled": false})),
    ]
}

/// How the buyer's saved payment methods are shown and kept.
fn saved_payment_methods() -> Value {
    json!({
        "allow_redisplay_filters": ["always"], "payment_method_remove": "disabled",
        "payment_method_save": null,
    })
}

/// Hashes that stay null or absent until they are sent, and the members that they show then.
fn optional() -> Vec<(&'static str, Value)> {
    vec![
        (
            "consent_collection",
            json!({
                "payment_method_reuse_agreement": null, "promotions": "none",
                "terms_of_service": "none",
            }),
        ),
        ("name_collection", json!({"business": null, "individual": null})),
        ("permissions", json!({"update_shipping_details": null})),
        ("saved_payment_method_options", saved_payment_methods()),
        ("shipping_address_collection", json!({"allowed_countries": []})),
        ("tax_id_collection", json!({"enabled": false, "required": "never"})),
        ("wallet_options", json!({"link": {"display": "auto"}})),
    ]
}

/// Puts what was sent, and the defaults of what was not, into a blank session.
pub fn fill(doc: &mut Doc, call: &Call) {
    for name in ECHOED {
        if let Some(value) = call.get(name) {
            doc.insert((*name).to_owned(), value.clone());
        }
    }
    for (name, defaults) in filled() {
        doc.insert(name.to_owned(), overlaid(defaults, call.get(name)));
    }
    for (name, members) in optional() {
        // A blank session has those that are null until they are sent; the others are absent.
        if let Some(sent) = call.get(name) {
            doc.insert(name.to_owned(), overlaid(members, Some(sent)));
        }
    }
    if let Some(collected) = doc.get_mut("name_collection").and_then(Value::as_object_mut) {
        for asked in collected.values_mut().filter_map(Value::as_object_mut) {
            asked.entry("optional").or_insert(Value::Bool(false));
        }
    }
    let mode = call.text("mode").unwrap_or_default();
    let saves = mode == "subscription" || (mode == "payment" && call.get("customer").is_some());
    if saves && call.get("saved_payment_method_options").is_none() {
        doc.insert("saved_payment_method_options".to_owned(), saved_payment_methods());
    }
    if let Some(items) = optional_items(call.list("optional_items")) {
        doc.insert("optional_items".to_owned(), items);
    }
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("after_expiration", after_expiration(call.hash("after_expiration")));
    set("automatic_tax", automatic_tax(call.hash("automatic_tax")));
    set("custom_fields", call.list("custom_fields").iter().map(custom_field).collect());
    set("customer_creation", customer_creation(call));
    set(
        "invoice_creation",
        if mode == "payment" {
            invoice_creation(call.get("invoice_creation"))
        } else {
            Value::Null
        },
    );
    set("mode", json!(call.text("mode")));
    set("payment_method_collection", payment_method_collection(call, mode));
    set("discounts", if mode == "setup" { Value::Null } else { json!([]) });
    merge_metadata(doc, &call.params);
}

/// `defaults` with the members of `sent` over them.
pub fn overlaid(defaults: Value, sent: Option<&Value>) -> Value {
    let mut members = defaults;
    if let (Some(members), Some(sent)) = (members.as_object_mut(), sent.and_then(Value::as_object))
    {
        for (name, value) in sent {
            let known = members.remove(name);
            let nested = matches!((&known, value), (Some(Value::Object(_)), Value::Object(_)));
            let value = if nested {
                overlaid(known.unwrap_or_default(), Some(value))
            } else {
                value.clone()
            };
            members.insert(name.clone(), value);
        }
    }
    members
}

fn after_expiration(sent: Option<&Map<String, Value>>) -> Value {
    let Some(recovery) = sent.and_then(|sent| sent.get("recovery")) else { return Value::Null };
    let defaults =
        json!({"allow_promotion_codes": false, "enabled": false, "expires_at": null, "url": null});
    json!({"recovery": overlaid(defaults, Some(recovery))})
}

/// `automatic_tax` as it was sent.
pub fn automatic_tax(sent: Option<&Map<String, Value>>) -> Value {
    let enabled = sent.and_then(|sent| sent.get("enabled")) == Some(&json!(true));
    let liability = sent.and_then(|sent| sent.get("liability")).cloned();
    json!({
        "enabled": enabled,
        "liability": if enabled { liability.unwrap_or(json!({"type": "self"})) } else { Value::Null },
        "provider": if enabled { json!("stripe") } else { Value::Null },
        "status": if enabled { json!("requires_location_inputs") } else { Value::Null },
    })
}

/// One of `custom_fields`, with the members of its type.
pub fn custom_field(sent: &Value) -> Value {
    let kind = sent.get("type").and_then(Value::as_str).unwrap_or("text");
    let mut field = json!({
        "key": member(sent, "key"), "label": member(sent, "label"), "type": kind,
        "optional": sent.get("optional").cloned().unwrap_or(json!(false)),
    });
    let members = if kind == "dropdown" {
        json!({"default_value": null, "options": [], "value": null})
    } else {
        json!({"default_value": null, "maximum_length": null, "minimum_length": null, "value": null})
    };
    if let Some(field) = field.as_object_mut() {
        field.insert(kind.to_owned(), overlaid(members, sent.get(kind)));
    }
    field
}

fn customer_creation(call: &Call) -> Value {
    let own = match call.text("mode") {
        Some("setup") => Value::Null,
        Some("subscription") => json!("always"),
        _ => json!("if_required"),
    };
    if call.get("customer").is_some() {
        return Value::Null;
    }
    call.get("customer_creation").cloned().unwrap_or(own)
}

/// Only a subscription can say that it wants a payment method although nothing is due.
fn payment_method_collection(call: &Call, mode: &str) -> Value {
    let own = if mode == "payment" { "if_required" } else { "always" };
    call.get("payment_method_collection").cloned().unwrap_or(json!(own))
}

/// `invoice_creation` as it was sent, with everything that it says of an invoice.
pub fn invoice_creation(sent: Option<&Value>) -> Value {
    let defaults = json!({
        "enabled": false,
        "invoice_data": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
            "issuer": null, "metadata": {}, "rendering_options": null,
        },
    });
    let mut shown = overlaid(defaults, sent);
    if let Some(options) = shown.pointer_mut("/invoice_data/rendering_options")
        && options.is_object()
    {
        *options = overlaid(json!({"amount_tax_display": null, "template": null}), Some(options));
    }
    shown
}

/// `custom_text` as it was sent.
pub fn custom_text(sent: Option<&Value>) -> Value {
    let defaults = json!({
        "after_submit": null, "shipping_address": null, "submit": null,
        "terms_of_service_acceptance": null,
    });
    overlaid(defaults, sent)
}

fn optional_items(sent: &[Value]) -> Option<Value> {
    if sent.is_empty() {
        return None;
    }
    let item = |item: &Value| {
        json!({
            "adjustable_quantity": item.get("adjustable_quantity"),
            "price": item.get("price"), "quantity": item.get("quantity"),
        })
    };
    Some(sent.iter().map(item).collect())
}

/// The types of payment methods that the page offers: those that were asked for, else what the account
/// has switched on; of these, what fits the currency and the amount.
///
/// Fails where `payment_method_types`, which offers no choice, names one that the currency excludes.
pub fn payment_method_types(
    call: &Call,
    currency: Currency,
    total: i64,
    switched_on: &[String],
) -> Result<Vec<String>, Failure> {
    let fixed = call.list("payment_method_types");
    for kind in fixed.iter().filter_map(Value::as_str) {
        if let Some(only) = only_currency(kind).filter(|only| *only != currency) {
            let text = format!(
                "Invalid currency: {currency}. The payment method `{kind}` only supports the following currencies: {only}."
            );
            return Err(Failure::invalid(text).param("payment_method_types"));
        }
    }
    let switched_on: Vec<Value> = switched_on.iter().map(|kind| json!(kind)).collect();
    let allowed = call.list("allowed_payment_method_types");
    let asked = [fixed, allowed].into_iter().find(|list| !list.is_empty());
    let excluded = call.list("excluded_payment_method_types");
    let fits = |kind: &str| {
        let paid_there = kind != "konbini" || (120..=300_000).contains(&total);
        paid_there && only_currency(kind).is_none_or(|only| only == currency)
    };
    let types = asked.unwrap_or(&switched_on).iter().filter(|kind| !excluded.contains(kind));
    let types = types.filter_map(Value::as_str).filter(|kind| fits(kind));
    Ok(types.map(str::to_owned).collect())
}

/// The one currency in which a method is paid, where there is one.
pub fn only_currency(kind: &str) -> Option<Currency> {
    match kind {
        "konbini" | "paypay" => Some(Currency::JPY),
        "sepa_debit" => Some(Currency::EUR),
        "au_becs_debit" => "aud".parse().ok(),
        "bacs_debit" => "gbp".parse().ok(),
        "us_bank_account" => "usd".parse().ok(),
        _ => None,
    }
}

/// `payment_method_options` for those types, with what was sent.
pub fn payment_method_options(call: &Call, types: &[String]) -> Value {
    let sent = call.hash("payment_method_options");
    let mut options = Map::new();
    for kind in types {
        let defaults = match kind.as_str() {
            "card" => json!({"request_three_d_secure": "automatic"}),
            "konbini" => json!({"expires_after_days": null}),
            "us_bank_account" => json!({
                "financial_connections": {"permissions": ["payment_method"], "prefetch": []},
                "verification_method": "automatic",
            }),
            _ => json!({}),
        };
        options.insert(kind.clone(), overlaid(defaults, sent.and_then(|sent| sent.get(kind))));
    }
    Value::Object(options)
}
