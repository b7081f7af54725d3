//! What a shop sells that does not name an amount itself: a Product and a Price at the provider.

use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use serde_json::{Value, json};

/// How an application is told the Price, where it is started for the run.
pub const VARIABLE: &str = "STRIPE_PRICE";
/// The name by which every application can look the Price up.
pub const LOOKUP_KEY: &str = "stripegym_tea";

/// Makes a Product and its Price of ¥500; the Price's id.
pub async fn price(provider: &Provider) -> Result<String, Fault> {
    let odd = |what: &str| FaultKind::ProviderOdd { what: format!("{what} without an id") };
    let id = |made: &Value| made.get("id").and_then(Value::as_str).map(str::to_owned);
    let product = provider.stripe.post("/v1/products", &json!({ "name": "Tea" })).await?;
    let product = id(&product).ok_or_else(|| odd("a product"))?;
    let params = json!({
        "product": product, "currency": "jpy", "unit_amount": 500,
        "lookup_key": LOOKUP_KEY, "transfer_lookup_key": true,
    });
    let price = provider.stripe.post("/v1/prices", &params).await?;
    Ok(id(&price).ok_or_else(|| odd("a price"))?)
}
