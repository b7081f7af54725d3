//! Shipping rates: what it costs to be sent something, and how long it takes.

use crate::sandbox::behaviour::object::{Handler, copy, merge_metadata, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The behaviour of `/v1/shipping_rates`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/shipping_rates" => |txn, call| put(txn, &call.params, "").map(Body::from),
        "GET /v1/shipping_rates/{shipping_rate_token}" => {
            |txn, call| txn.find("shipping_rate", call.id(0), "id").map(Body::from)
        }
        "POST /v1/shipping_rates/{shipping_rate_token}" => update,
        "GET /v1/shipping_rates" => list_all,
        _ => return None,
    })
}

/// Makes a rate of parameters, which stand at a path of the request; empty at the top. Nothing tells of it.
///
/// Fails where it has no amount, or none that can be.
pub fn put(
    txn: &mut Txn<'_>,
    params: &Map<String, Value>,
    at: &str,
) -> Result<Arc<Object>, Failure> {
    let param = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}[{name}]") };
    let Some(fixed) = params.get("fixed_amount").and_then(Value::as_object) else {
        let param = param("fixed_amount");
        let text = format!("Missing required param: {param}.");
        return Err(Failure::invalid(text).code("parameter_missing").param(param));
    };
    if fixed.get("amount").and_then(Value::as_i64).is_some_and(|amount| amount < 0) {
        let text = "This value must be greater than or equal to 0.";
        let param = format!("{}[amount]", param("fixed_amount"));
        return Err(Failure::invalid(text).code("parameter_invalid_integer").param(param));
    }
    let behaviour = params.get("tax_behavior").cloned().unwrap_or(json!("unspecified"));
    let mut doc = new(
        "shipping_rate",
        json!({
            "id": txn.new_id("shr_1", 23), "active": true, "created": txn.now().0,
            "delivery_estimate": estimate(params.get("delivery_estimate")),
            "display_name": params.get("display_name"), "fixed_amount": amounts(fixed),
            "livemode": false, "tax_behavior": behaviour, "tax_code": params.get("tax_code"),
            "type": "fixed_amount",
        }),
    );
    merge_metadata(&mut doc, params);
    Ok(txn.put(doc))
}

/// `delivery_estimate` with both its ends.
fn estimate(sent: Option<&Value>) -> Value {
    let Some(sent) = sent.filter(|sent| sent.is_object()) else { return Value::Null };
    json!({"maximum": sent.get("maximum"), "minimum": sent.get("minimum")})
}

/// `fixed_amount` in small letters; what other currencies cost has a tax behaviour of its own.
fn amounts(sent: &Map<String, Value>) -> Value {
    let currency = sent.get("currency").and_then(Value::as_str).unwrap_or_default();
    let mut shown =
        json!({"amount": sent.get("amount"), "currency": currency.to_ascii_lowercase()});
    let options = sent.get("currency_options").and_then(Value::as_object);
    if let (Some(options), Some(shown)) = (options, shown.as_object_mut()) {
        shown.insert("currency_options".to_owned(), Value::Object(with_behaviour(options)));
    }
    shown
}

fn with_behaviour(options: &Map<String, Value>) -> Map<String, Value> {
    let mut options = options.clone();
    for option in options.values_mut().filter_map(Value::as_object_mut) {
        option.entry("tax_behavior").or_insert(json!("unspecified"));
    }
    options
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let rate = txn.find("shipping_rate", id, "id")?;
    let old = text(&rate, "tax_behavior");
    if call.text("tax_behavior").is_some_and(|new| old != "unspecified" && new != old) {
        let text =
            "You cannot change `tax_behavior` once it has been set to `exclusive` or `inclusive`.";
        return Err(Failure::invalid(text).param("tax_behavior"));
    }
    let options = call.hash("fixed_amount").and_then(|it| it.get("currency_options")?.as_object());
    let changed = txn.edit("shipping_rate", id, |doc| {
        copy(doc, call, &["active", "tax_behavior"]);
        merge_metadata(doc, &call.params);
        if let (Some(sent), Some(Value::Object(fixed))) = (options, doc.get_mut("fixed_amount")) {
            let mut all = fixed.remove("currency_options").unwrap_or_else(|| json!({}));
            if let Some(all) = all.as_object_mut() {
                all.extend(with_behaviour(sent));
            }
            fixed.insert("currency_options".to_owned(), all);
        }
    });
    Ok(changed.map_or(rate, |(_, after)| after).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["active"]);
    if let Some(currency) = call.text("currency") {
        filters.push(Filter::IsLike("fixed_amount.currency", currency.to_owned()));
    }
    list::page(txn, call, "shipping_rate", &filters)
}
