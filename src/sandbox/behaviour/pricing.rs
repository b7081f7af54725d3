//! The catalogue of what is sold: products and prices as they are made by their endpoints, by
//! `default_price_data`, by `product_data` and by inline `price_data`.

use crate::sandbox::behaviour::document::{fill, member, new, text};
use crate::sandbox::call::step::known_currency;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::PricePart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Members of a product that are parameters of the same name.
pub const PRODUCT_FIELDS: &[&str] = &[
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "tax_details",
    "type",
    "unit_label",
    "url",
];

/// Members of a price that are parameters of the same name.
const PRICE_FIELDS: [&str; 6] =
    ["active", "billing_scheme", "nickname", "tax_behavior", "tiers_mode", "transform_quantity"];

/// Stores a product made from parameters, without telling of it.
///
/// Fails where the id is taken.
pub fn put_product(txn: &mut Txn<'_>, params: &Map<String, Value>) -> Result<Arc<Object>, Failure> {
    let sent = params.get("id").and_then(Value::as_str);
    let id = sent.map_or_else(|| txn.new_id("prod_", 14), str::to_owned);
    if txn.get("product", &id).is_some() {
        return Err(Failure::invalid("Product already exists.").code("resource_already_exists"));
    }
    let now = txn.now().0;
    let members =
        json!({"id": id, "active": true, "created": now, "updated": now, "type": "service"});
    let mut doc = new("product", members);
    for name in PRODUCT_FIELDS {
        if let Some(value) = params.get(*name).filter(|value| !value.is_null()) {
            doc.insert((*name).to_owned(), value.clone());
        }
    }
    put_metadata(&mut doc, params);
    Ok(txn.put(doc))
}

/// Makes a product and tells of it.
pub fn create_product(
    txn: &mut Txn<'_>,
    params: &Map<String, Value>,
) -> Result<Arc<Object>, Failure> {
    let product = put_product(txn, params)?;
    txn.emit("product.created", &product);
    Ok(product)
}

/// Makes a price of a product, as [`put_price`] does, and tells of it.
pub fn create_price(
    txn: &mut Txn<'_>,
    product: &str,
    params: &Map<String, Value>,
    at: &str,
) -> Result<Arc<Object>, Failure> {
    let price = put_price(txn, product, params, at)?;
    txn.emit("price.created", &price);
    Ok(price)
}

/// Stores a price made from `currency`, `unit_amount`, `recurring` and the like, without telling of it.
/// `at` is the path of the parameters (`line_items[0][price_data]`), empty at the top.
///
/// Fails where the amount is missing or said twice, and where the lookup key is another price's.
pub fn put_price(
    txn: &mut Txn<'_>,
    product: &str,
    params: &Map<String, Value>,
    at: &str,
) -> Result<Arc<Object>, Failure> {
    put_price_as(txn, None, product, params, at)
}

/// [`put_price`] under an id of the caller's own, where there is one.
pub fn put_price_as(
    txn: &mut Txn<'_>,
    id: Option<String>,
    product: &str,
    params: &Map<String, Value>,
    at: &str,
) -> Result<Arc<Object>, Failure> {
    let get = |name: &str| params.get(name).filter(|value| !value.is_null());
    let currency = known_currency(get("currency").and_then(Value::as_str).unwrap_or_default())?;
    let amounts = amounts(params, at)?;
    let recurring = recurring(get("recurring"), at)?;
    let id = id.unwrap_or_else(|| txn.new_id("price_1", 23));
    let kind = if recurring.is_null() { "one_time" } else { "recurring" };
    let mut doc = new(
        "price",
        json!({
            "id": id, "active": true, "billing_scheme": "per_unit", "created": txn.now().0,
            "currency": currency.code(), "product": product, "recurring": recurring,
            "tax_behavior": "unspecified", "type": kind,
            "unit_amount": amounts.0, "unit_amount_decimal": amounts.1,
        }),
    );
    for name in PRICE_FIELDS {
        if let Some(value) = get(name) {
            doc.insert(name.to_owned(), value.clone());
        }
    }
    let part = PricePart {
        tiers: get("tiers").cloned(),
        currency_options: get("currency_options").cloned(),
    };
    if let Some(custom) = get("custom_unit_amount") {
        let shown = json!({
            "maximum": member(custom, "maximum"), "minimum": member(custom, "minimum"), "preset": member(custom, "preset"),
        });
        doc.insert("custom_unit_amount".to_owned(), shown);
    }
    put_metadata(&mut doc, params);
    if let Some(key) = get("lookup_key").and_then(Value::as_str) {
        claim_lookup_key(txn, &id, key, get("transfer_lookup_key") == Some(&json!(true)))?;
        doc.insert("lookup_key".to_owned(), json!(key));
    }
    fill(&mut doc, "price", &["recurring"]);
    Ok(txn.put_with(doc, part))
}

/// Gives a lookup key to a price; with `transfer`, its holder loses it.
///
/// Fails where another price has it, an inactive one too.
pub fn claim_lookup_key(
    txn: &mut Txn<'_>,
    price: &str,
    key: &str,
    transfer: bool,
) -> Result<(), Failure> {
    for holder in txn.having("price", "lookup_key", key) {
        let id = text(&holder, "id");
        if id == price {
            continue;
        }
        if !transfer {
            let message = format!("A price (`{id}`) already uses that lookup key.");
            return Err(Failure::invalid(message).param("lookup_key"));
        }
        let changed = txn.edit("price", id, |doc| {
            doc.insert("lookup_key".to_owned(), Value::Null);
        });
        if let Some((before, after)) = changed {
            txn.emit_change("price.updated", &before, &after);
        }
    }
    Ok(())
}

/// A member of the parameters at `at`.
fn path(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}[{name}]") }
}

/// `unit_amount` and `unit_amount_decimal`, from whichever was sent.
fn amounts(params: &Map<String, Value>, at: &str) -> Result<(Value, Value), Failure> {
    let get = |name: &str| params.get(name).filter(|value| !value.is_null());
    let path = |name: &str| path(at, name);
    let decimal = get("unit_amount_decimal").map(|d| match d {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let tiered = get("billing_scheme").and_then(Value::as_str) == Some("tiered");
    let custom = get("custom_unit_amount").is_some();
    match (get("unit_amount").and_then(Value::as_i64), decimal) {
        (amount, decimal) if custom && (amount.is_some() || decimal.is_some()) => {
            Err(Failure::invalid(
                "You may only specify one of these parameters: custom_unit_amount, unit_amount.",
            )
            .param(path("custom_unit_amount")))
        }
        (Some(_), Some(_)) => Err(Failure::invalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
        )
        .param(path("unit_amount"))),
        (Some(amount), None) if amount < 0 => {
            Err(Failure::invalid("This value must be greater than or equal to 0.")
                .code("parameter_invalid_integer")
                .param(path("unit_amount")))
        }
        (Some(amount), None) => Ok((json!(amount), json!(amount.to_string()))),
        (None, Some(decimal)) => Ok((
            decimal.parse::<i64>().map_or(Value::Null, Value::from),
            Value::from(decimal.as_str()),
        )),
        (None, None) if tiered || custom => Ok((Value::Null, Value::Null)),
        (None, None) if at.is_empty() => Err(Failure::invalid(
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
        )),
        (None, None) => {
            let name = path("unit_amount");
            Err(Failure::invalid(format!("Missing required param: {name}."))
                .code("parameter_missing")
                .param(name))
        }
    }
}

/// `recurring` with its defaults, null where the price is paid once.
fn recurring(sent: Option<&Value>, at: &str) -> Result<Value, Failure> {
    let Some(Value::Object(sent)) = sent else { return Ok(Value::Null) };
    let mut shown = sent.clone();
    let count = sent.get("interval_count").and_then(Value::as_i64).unwrap_or(1);
    let most = match sent.get("interval").and_then(Value::as_str) {
        Some("day") => 1_095,
        Some("week") => 156,
        Some("month") => 36,
        _ => 3,
    };
    if !(1..=most).contains(&count) {
        let name = format!("{}[interval_count]", path(at, "recurring"));
        return Err(Failure::invalid(format!(
            "The recurring interval must be between one interval and three years: {count} is not between 1 and {most}."
        ))
        .code("parameter_invalid_integer")
        .param(name));
    }
    shown.insert("interval_count".to_owned(), json!(count));
    shown.entry("usage_type").or_insert_with(|| json!("licensed"));
    Ok(Value::Object(shown))
}

fn put_metadata(doc: &mut Doc, params: &Map<String, Value>) {
    if let Some(Value::Object(sent)) = params.get("metadata") {
        let kept = sent.iter().filter(|(_, value)| !value.is_null());
        let kept: Doc = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        doc.insert("metadata".to_owned(), Value::Object(kept));
    }
}
