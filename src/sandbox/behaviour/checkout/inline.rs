//! Objects that a session's parameters describe instead of naming: products and prices.

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::pricing;
use crate::sandbox::behaviour::total::amount;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Makes the price that `price_data` describes, and its product where that is described too. Neither is
/// for sale elsewhere: both are inactive.
///
/// Fails as Stripe does for what excludes each other, is missing, or is no amount. `at` is the path of
/// `price_data` in the request.
pub fn price(
    txn: &mut Txn<'_>,
    data: &Map<String, Value>,
    at: &str,
) -> Result<Arc<Object>, Failure> {
    let code = data.get("currency").and_then(Value::as_str).unwrap_or_default();
    currency(code, &format!("{at}[currency]"))?;
    let decimal = data.get("unit_amount_decimal").and_then(Value::as_str);
    if let Some(text) = decimal.filter(|text| amount::decimal(text).is_none()) {
        let message = format!("Invalid decimal: {text}");
        return Err(Failure::invalid(message).param(format!("{at}[unit_amount_decimal]")));
    }
    let product = product(txn, data, at)?;
    let mut data = data.clone();
    data.insert("active".to_owned(), json!(false));
    pricing::create_price(txn, &product, &data, at)
}

/// The id of the product that `price_data` names or describes.
fn product(txn: &mut Txn<'_>, data: &Map<String, Value>, at: &str) -> Result<String, Failure> {
    match (data.get("product"), data.get("product_data").and_then(Value::as_object)) {
        (Some(_), Some(_)) => Err(exclusive("product, product_data", &format!("{at}[product]"))),
        (Some(product), None) => {
            let id = product.as_str().unwrap_or_default();
            let product = txn.find("product", id, &format!("{at}[product]"))?;
            if product.get("active") == Some(&Value::Bool(false)) {
                let text = format!(
                    "Product `{id}` is not active, and therefore a new price cannot be created."
                );
                return Err(Failure::invalid(text).param(format!("{at}[product]")));
            }
            Ok(id.to_owned())
        }
        (None, Some(described)) => {
            let mut described = described.clone();
            described.insert("active".to_owned(), json!(false));
            let product = pricing::create_product(txn, &described)?;
            Ok(text(&product, "id").to_owned())
        }
        (None, None) => Err(missing(&format!("{at}[product]"))),
    }
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
