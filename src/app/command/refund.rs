//! `stripegym refund`: gives a payment back, in whole or in part.

use crate::app::context::Context;
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use crate::stripe::Stripe;
use serde_json::{Value, json};

/// What is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOptions {
    /// The payment, by its session, itself, or its charge.
    pub payment: String,
    /// How much; without it, all.
    pub amount: Option<i64>,
}

/// Gives it back.
pub async fn run(context: &Context, options: &RefundOptions) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(&provider.stripe, options).await;
    provider.close().await;
    let refund = answer?;
    let member = |name: &str| refund.get(name).cloned().unwrap_or_default();
    Ok(Report::Control(json!({
        "refund": member("id"), "amount": member("amount"), "currency": member("currency"),
        "status": member("status"), "payment_intent": member("payment_intent"),
    })))
}

async fn work(stripe: &Stripe, options: &RefundOptions) -> Result<Value, Fault> {
    let mut params = serde_json::Map::new();
    let id = options.payment.as_str();
    let (name, of) = if id.starts_with("ch_") {
        ("charge", id.to_owned())
    } else if id.starts_with("cs_") {
        let session = stripe.session(id).await?;
        let intent = session.get("payment_intent");
        let intent = intent.and_then(|it| it.as_str().or_else(|| it.get("id")?.as_str()));
        let unpaid = || FaultKind::NotFound { what: format!("payment of `{id}`") };
        ("payment_intent", intent.ok_or_else(unpaid)?.to_owned())
    } else {
        ("payment_intent", id.to_owned())
    };
    params.insert(name.to_owned(), json!(of));
    if let Some(amount) = options.amount {
        params.insert("amount".to_owned(), json!(amount));
    }
    Ok(stripe.post("/v1/refunds", &Value::Object(params)).await?)
}
