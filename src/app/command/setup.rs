//! `stripegym setup`: a customer is made and leaves a card behind on a hosted page, for payments to come. Stripe's own
//! page is a person's to fill in: there its address is shown.

use crate::app::checkout_browser::{Landing, Means, Typed};
use crate::app::context::Context;
use crate::app::payment;
use crate::app::provider::Provider;
use crate::domain::fault::Fault;
use crate::domain::mode::Mode;
use crate::domain::report::Report;
use crate::stripe::Stripe;
use serde_json::{Value, json};

/// Who leaves which card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupOptions {
    /// The customer's address.
    pub email: String,
    /// The card.
    pub means: Means,
    /// Where the page leads.
    pub shop: String,
}

/// Does it.
pub async fn run(context: &Context, options: &SetupOptions) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let done = work(context, &provider.stripe, options).await;
    provider.close().await;
    done.map(Report::Control)
}

async fn work(
    context: &Context,
    stripe: &Stripe,
    SetupOptions { email, means, shop }: &SetupOptions,
) -> Result<Value, Fault> {
    let customer = stripe.post("/v1/customers", &json!({ "email": email })).await?;
    let params = json!({
        "mode": "setup", "currency": "jpy", "customer": customer.get("id"),
        "success_url": format!("{shop}/success?session_id={{CHECKOUT_SESSION_ID}}"),
        "cancel_url": format!("{shop}/cancel"),
    });
    let session = stripe.create_session(&params).await?;
    let mut message = Value::Null;
    if context.config.mode == Mode::Sandbox {
        let locale = context.config.locale;
        let landed = payment::pay(&session, means, &Typed::with_email(email), locale).await?;
        if let Landing::Refused(said) = landed {
            message = Value::String(said);
        }
    }
    let id = session.get("id").and_then(Value::as_str).unwrap_or_default();
    let session = stripe.session(id).await?;
    let member = |name: &str| session.get(name).cloned().unwrap_or_default();
    Ok(json!({
        "session": id, "mode": member("mode"), "status": member("status"),
        "customer": member("customer"), "setup_intent": member("setup_intent"), "url": member("url"),
        "message": message,
    }))
}
