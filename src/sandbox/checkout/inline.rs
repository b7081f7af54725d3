//! Objects that a session's parameters describe instead of naming: products and prices.

use crate::catalog::Catalog;
use crate::domain::currency::Currency;
use crate::sandbox::checkout::amount;
use crate::sandbox::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Makes the price that `price_data` describes, and its product where that is described too.
///
/// Fails as Stripe does for what excludes each other, is missing, or is no amount. `at` is the path of
/// `price_data` in the request.
pub fn price(
    txn: &mut Txn<'_>,
    data: &Map<String, Value>,
    at: &str,
) -> Result<Arc<Value>, Failure> {
    let currency: Currency = currency(text(data, "currency"), &format!("{at}[currency]"))?;
    let (unit, unit_decimal) = unit_amount(data, currency, at)?;
    let product = match (data.get("product"), data.get("product_data")) {
        (Some(_), Some(_)) => {
            return Err(exclusive("product, product_data", &format!("{at}[product]")));
        }
        (Some(product), None) => {
            let id = product.as_str().unwrap_or_default();
            let product = txn.find("product", id, &format!("{at}[product]"))?;
            if product.get("active") == Some(&Value::Bool(false)) {
                let text = format!(
                    "Product `{id}` is not active, and therefore a new price cannot be created."
                );
                return Err(Failure::invalid(text).param(format!("{at}[product]")));
            }
            id.to_owned()
        }
        (None, Some(described)) => product(txn, described),
        (None, None) => return Err(missing(&format!("{at}[product]"))),
    };
    let recurring = data.get("recurring").filter(|recurring| recurring.is_object());
    let mut doc = Catalog::get().blank("price");
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("object", json!("price"));
    set("id", json!(txn.mint("price_1", 23)));
    // A price of one session is not for sale elsewhere.
    set("active", json!(false));
    set("billing_scheme", json!("per_unit"));
    set("created", json!(txn.now().0));
    set("currency", json!(currency.code()));
    set("livemode", json!(false));
    set("metadata", json!({}));
    set("product", json!(product));
    set("recurring", recurring.map_or(Value::Null, recurring_of));
    set("tax_behavior", data.get("tax_behavior").cloned().unwrap_or(json!("unspecified")));
    set("type", json!(if recurring.is_some() { "recurring" } else { "one_time" }));
    set("unit_amount", json!(unit));
    set("unit_amount_decimal", json!(unit_decimal));
    let doc = txn.put(doc);
    txn.emit("price.created", &doc);
    Ok(doc)
}

/// Makes the product of one session.
fn product(txn: &mut Txn<'_>, described: &Value) -> String {
    let id = txn.mint("prod_", 14);
    let mut doc = Catalog::get().blank("product");
    for (name, value) in described.as_object().into_iter().flatten() {
        doc.insert(name.clone(), value.clone());
    }
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("object", json!("product"));
    set("id", json!(id));
    set("active", json!(false));
    set("created", json!(txn.now().0));
    set("livemode", json!(false));
    set("type", json!("service"));
    set("updated", json!(txn.now().0));
    let doc = txn.put(doc);
    txn.emit("product.created", &doc);
    id
}

/// `unit_amount` and `unit_amount_decimal` as a price shows them; the first is null for a fraction.
fn unit_amount(
    data: &Map<String, Value>,
    currency: Currency,
    at: &str,
) -> Result<(Option<i64>, String), Failure> {
    match (data.get("unit_amount"), data.get("unit_amount_decimal")) {
        (Some(_), Some(_)) => {
            Err(exclusive("unit_amount, unit_amount_decimal", &format!("{at}[unit_amount]")))
        }
        (None, None) => Err(missing(&format!("{at}[unit_amount]"))),
        (Some(unit), None) => {
            let unit = unit.as_i64().unwrap_or(-1);
            let param = format!("{at}[unit_amount]");
            if unit < 0 {
                let text = "Invalid non-negative integer";
                return Err(Failure::invalid(text).code("parameter_invalid_integer").param(param));
            }
            if !amount::precise(unit, currency) {
                let text = format!("Invalid integer: amounts in {currency} must end in 0.");
                return Err(Failure::invalid(text).code("parameter_invalid_integer").param(param));
            }
            Ok((Some(unit), unit.to_string()))
        }
        (None, Some(decimal)) => {
            let text = decimal.as_str().unwrap_or_default();
            let Some(scaled) = amount::decimal(text) else {
                let message = format!("Invalid decimal: {text}");
                return Err(Failure::invalid(message).param(format!("{at}[unit_amount_decimal]")));
            };
            let scale = 10_i128.pow(12);
            let whole = (scaled % scale == 0).then(|| i64::try_from(scaled / scale).ok());
            Ok((whole.flatten(), text.to_owned()))
        }
    }
}

fn recurring_of(sent: &Value) -> Value {
    let get = |name: &str| sent.get(name).cloned();
    json!({
        "interval": get("interval"),
        "interval_count": get("interval_count").unwrap_or(json!(1)),
        "meter": get("meter"),
        "trial_period_days": null,
        "usage_type": get("usage_type").unwrap_or(json!("licensed")),
    })
}

/// Reads a currency's code, or fails with Stripe's list of those that it knows.
pub fn currency(code: &str, param: &str) -> Result<Currency, Failure> {
    code.parse().map_err(|_| {
        let known: Vec<&str> = Currency::all().map(Currency::code).collect();
        let text = format!(
            "Invalid currency: {code}. Stripe currently supports these currencies: {}",
            known.join(", ")
        );
        Failure::invalid(text).param(param)
    })
}

/// `Missing required param: x.`
pub fn missing(param: &str) -> Failure {
    Failure::invalid(format!("Missing required param: {param}."))
        .code("parameter_missing")
        .param(param)
}

/// `You may only specify one of these parameters: a, b.`
pub fn exclusive(names: &str, param: &str) -> Failure {
    Failure::invalid(format!("You may only specify one of these parameters: {names}.")).param(param)
}

fn text<'m>(map: &'m Map<String, Value>, name: &str) -> &'m str {
    map.get(name).and_then(Value::as_str).unwrap_or_default()
}
