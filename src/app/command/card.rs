//! `stripegym setup` and `stripegym card`: a card is kept for payments to come, charged while its owner is away, let go.

use crate::app::checkout_browser::{Landing, Means, Typed};
use crate::app::context::Context;
use crate::app::payment;
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use crate::stripe::Stripe;
use serde_json::{Value, json};

/// What is done; where nobody is named, to the customer that was made last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardAction {
    /// A customer is made and leaves a card behind on a hosted page.
    Setup {
        /// The customer's address.
        email: String,
        /// The card.
        means: Means,
        /// Where the page leads.
        shop: String,
    },
    /// The cards of a customer.
    List(Option<String>),
    /// A card is charged while its owner is away.
    Charge {
        /// Whose.
        customer: Option<String>,
        /// How much, in minor units.
        amount: i64,
        /// In which currency.
        currency: String,
    },
    /// The cards of a customer are let go of.
    Detach(Option<String>),
}

/// Does it.
pub async fn run(context: &Context, action: &CardAction) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let done = work(context, &provider.stripe, action).await;
    provider.close().await;
    done.map(Report::Control)
}

async fn work(context: &Context, stripe: &Stripe, action: &CardAction) -> Result<Value, Fault> {
    match action {
        CardAction::Setup { email, means, shop } => {
            let customer = stripe.post("/v1/customers", &json!({ "email": email })).await?;
            let params = json!({
                "mode": "setup", "currency": "jpy", "customer": customer.get("id"),
                "success_url": format!("{shop}/success?session_id={{CHECKOUT_SESSION_ID}}"),
                "cancel_url": format!("{shop}/cancel"),
            });
            let session = stripe.create_session(&params).await?;
            let locale = context.config.locale;
            let landed = payment::pay(&session, means, &Typed::with_email(email), locale).await?;
            let id = session.get("id").and_then(Value::as_str).unwrap_or_default();
            let session = stripe.session(id).await?;
            let member = |name: &str| session.get(name).cloned().unwrap_or_default();
            let message = match landed {
                Landing::Refused(said) => Value::String(said),
                Landing::Shop(_) | Landing::Stayed => Value::Null,
            };
            Ok(json!({
                "session": id, "mode": member("mode"), "status": member("status"),
                "customer": member("customer"), "setup_intent": member("setup_intent"), "message": message,
            }))
        }
        CardAction::List(customer) => {
            let cards = cards(stripe, &whose(stripe, customer.as_ref()).await?).await?;
            let card = |it: &Value| {
                let at = |pointer: &str| it.pointer(pointer).cloned().unwrap_or_default();
                json!({ "payment_method": at("/id"), "customer": at("/customer"),
                    "brand": at("/card/brand"), "last4": at("/card/last4") })
            };
            Ok(json!({ "data": cards.iter().map(card).collect::<Vec<_>>() }))
        }
        CardAction::Charge { customer, amount, currency } => {
            let customer = whose(stripe, customer.as_ref()).await?;
            let cards = cards(stripe, &customer).await?;
            let none = || FaultKind::NotFound { what: format!("card of {customer}") };
            let card = cards.first().and_then(|it| it.get("id")).ok_or_else(none)?;
            let params = json!({
                "amount": amount, "currency": currency, "customer": customer,
                "payment_method": card, "off_session": true, "confirm": true,
            });
            let intent = stripe.post("/v1/payment_intents", &params).await?;
            let member = |name: &str| intent.get(name).cloned().unwrap_or_default();
            Ok(json!({
                "payment_intent": member("id"), "amount": member("amount"),
                "currency": member("currency"), "status": member("status"), "customer": customer,
            }))
        }
        CardAction::Detach(customer) => {
            let customer = whose(stripe, customer.as_ref()).await?;
            let cards = cards(stripe, &customer).await?;
            let ids: Vec<&str> = cards.iter().filter_map(|it| it.get("id")?.as_str()).collect();
            for id in &ids {
                let path = format!("/v1/payment_methods/{id}/detach");
                stripe.post(&path, &Value::Null).await?;
            }
            Ok(json!({ "customer": customer, "detached": ids }))
        }
    }
}

async fn whose(stripe: &Stripe, named: Option<&String>) -> Result<String, Fault> {
    if let Some(id) = named {
        return Ok(id.clone());
    }
    let list = stripe.get("/v1/customers", &json!({ "limit": 1 })).await?;
    let id = list.pointer("/data/0/id").and_then(Value::as_str);
    let none = || FaultKind::NotFound { what: "customer".to_owned() };
    Ok(id.ok_or_else(none)?.to_owned())
}

async fn cards(stripe: &Stripe, customer: &str) -> Result<Vec<Value>, Fault> {
    let path = format!("/v1/customers/{customer}/payment_methods");
    let list = stripe.get(&path, &json!({ "type": "card" })).await?;
    Ok(list.get("data").and_then(Value::as_array).cloned().unwrap_or_default())
}
