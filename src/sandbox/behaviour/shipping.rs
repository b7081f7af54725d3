//! What it costs to be sent something: rates, the options that a session offers, and the one that is chosen until the
//! buyer says otherwise.

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::document::{merge_metadata, new, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The most options that a session offers.
const OPTIONS_MAX: usize = 5;

/// Resolves `shipping_options`: finds or makes the rates, each with its amount in `currency`.
pub fn resolve(
    txn: &mut Txn<'_>,
    sent: &[Value],
    currency: Currency,
) -> Result<Vec<Value>, Failure> {
    if sent.len() > OPTIONS_MAX {
        let text = format!("You can pass up to {OPTIONS_MAX} shipping options.");
        return Err(Failure::invalid(text).param("shipping_options"));
    }
    let mut options = Vec::with_capacity(sent.len());
    for (at, option) in sent.iter().enumerate() {
        options.push(option_at(txn, option, &format!("shipping_options[{at}]"), currency)?);
    }
    Ok(options)
}

/// The option at a path of a request: finds or makes its rate.
///
/// Fails for none, for one that is off, and for one without an amount in the currency.
pub fn option_at(
    txn: &mut Txn<'_>,
    option: &Value,
    path: &str,
    currency: Currency,
) -> Result<Value, Failure> {
    let param = format!("{path}[shipping_rate]");
    let rate = match (option.get("shipping_rate"), option.get("shipping_rate_data")) {
        (Some(_), Some(_)) => {
            let text =
                "You may only specify one of these parameters: shipping_rate, shipping_rate_data.";
            return Err(Failure::invalid(text).param(param));
        }
        (None, None) => return Err(missing(&param)),
        (Some(id), None) => {
            let rate = txn.find("shipping_rate", id.as_str().unwrap_or_default(), &param)?;
            if rate.get("active") == Some(&json!(false)) {
                // Believed: no recording has it.
                let text = "The shipping rate specified is inactive. This field only accepts active shipping rates.";
                return Err(Failure::invalid(text).param(param));
            }
            rate
        }
        (None, Some(data)) => {
            let data = data.as_object().cloned().unwrap_or_default();
            put(txn, &data, &format!("{path}[shipping_rate_data]"))?
        }
    };
    let amount = amount_in(&rate, currency).ok_or_else(|| {
        let text =
            format!("The shipping rate `{}` has no amount in `{currency}`.", text(&rate, "id"));
        Failure::invalid(text).param(path)
    })?;
    Ok(json!({"shipping_amount": amount, "shipping_rate": text(&rate, "id")}))
}

fn missing(param: &str) -> Failure {
    Failure::invalid(format!("Missing required param: {param}."))
        .code("parameter_missing")
        .param(param)
}

/// `shipping_cost` of whoever takes that option.
pub fn cost(option: &Value) -> Value {
    let amount = option.get("shipping_amount");
    json!({
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "shipping_rate": option.get("shipping_rate"),
    })
}

fn amount_in(rate: &Value, currency: Currency) -> Option<i64> {
    let fixed = rate.get("fixed_amount")?;
    if text(fixed, "currency").eq_ignore_ascii_case(currency.code()) {
        return fixed.get("amount")?.as_i64();
    }
    fixed.get("currency_options")?.get(currency.code())?.get("amount")?.as_i64()
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
        return Err(missing(&param("fixed_amount")));
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

/// What other currencies cost, each with a tax behaviour.
pub fn with_behaviour(options: &Map<String, Value>) -> Map<String, Value> {
    let mut options = options.clone();
    for option in options.values_mut().filter_map(Value::as_object_mut) {
        option.entry("tax_behavior").or_insert(json!("unspecified"));
    }
    options
}
