//! Checkout Sessions as the commands use them: made, looked at, paid in a person's place.

use crate::app::checkout_browser::{self, Landing, Means, Typed};
use crate::domain::currency::Currency;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::locale::Locale;
use crate::domain::money::Money;
use crate::domain::report::{Checkout, Ending, Place};
use crate::stripe::Stripe;
use serde_json::{Value, json};

/// What is sold, to whom, and where the page leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is paid for.
    pub item: Item,
    /// How many.
    pub quantity: i64,
    /// Metadata of the session.
    pub metadata: Vec<(String, String)>,
    /// E-mail address of the customer, where it is known.
    pub email: Option<String>,
    /// Where the page leads after payment.
    pub success_url: String,
    /// Where the back link leads.
    pub cancel_url: String,
}

/// What is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A price made for this session.
    Inline {
        /// Price of one.
        amount: Money,
        /// What the page calls it.
        name: String,
    },
    /// A price by its id.
    Price(String),
    /// A price by its lookup key.
    LookupKey(String),
}

/// Creates the session of an order.
pub async fn create(stripe: &Stripe, order: &Order) -> Result<Value, Fault> {
    let mut line = match &order.item {
        Item::Inline { amount, name } => json!({ "price_data": {
            "currency": amount.currency.code(),
            "unit_amount": amount.minor,
            "product_data": { "name": name },
        }}),
        Item::Price(id) => json!({ "price": id }),
        Item::LookupKey(key) => json!({ "price": price_of(stripe, key).await? }),
    };
    set(&mut line, "quantity", json!(order.quantity));
    let mut params = json!({
        "mode": "payment",
        "line_items": [line],
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
    });
    if !order.metadata.is_empty() {
        let pairs = order.metadata.iter().map(|(name, value)| (name.clone(), json!(value)));
        set(&mut params, "metadata", Value::Object(pairs.collect()));
    }
    if let Some(email) = &order.email {
        set(&mut params, "customer_email", json!(email));
    }
    let made = stripe.create_session(&params).await;
    made.map_err(|error| {
        let listed = (error.is_missing() && matches!(order.item, Item::Price(_))).then(plans);
        Fault::from(error).followed_by(listed)
    })
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

/// The command that lists prices.
fn plans() -> String {
    "plan list".to_owned()
}

/// The id of the price that has a lookup key.
pub async fn price_of(stripe: &Stripe, key: &str) -> Result<String, Fault> {
    let list = stripe.get("/v1/prices", &json!({ "lookup_keys": [key], "limit": 1 })).await?;
    let id = list.pointer("/data/0/id").and_then(Value::as_str);
    let missing = || {
        let what = format!("price with lookup_key={key}");
        Fault::from(FaultKind::NotFound { what }).followed_by(Some(plans()))
    };
    Ok(id.ok_or_else(missing)?.to_owned())
}

/// Pays (or leaves) the hosted page of `session`; what the page said where the card was refused, and where
/// the page led.
pub async fn pay(
    session: &Value,
    means: &Means,
    typed: &Typed,
    locale: Locale,
) -> Result<Landing, Fault> {
    let odd = || FaultKind::ProviderOdd { what: "a session without `url`".to_owned() };
    let url = session.get("url").and_then(Value::as_str).ok_or_else(odd)?;
    checkout_browser::visit(url, means, typed, locale).await
}

/// What is known of a session now, with how waiting for it ended.
pub fn report(session: &Value, place: Place, ending: Ending) -> Result<Checkout, Fault> {
    let owned = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
    let intent = session.get("payment_intent");
    let intent = intent.and_then(|it| it.as_str().or_else(|| it.get("id")?.as_str()));
    Ok(Checkout {
        place,
        session: owned("id"),
        url: session["url"].as_str().map(str::to_owned),
        page_stays: true,
        total: total(session)?,
        status: owned("status"),
        payment_status: owned("payment_status"),
        payment_intent: intent.map(str::to_owned),
        ending,
        message: None,
    })
}

/// How a session stands: `None` while it is open.
pub fn ending(session: &Value) -> Option<Ending> {
    match (
        session["status"].as_str().unwrap_or_default(),
        session["payment_status"].as_str().unwrap_or_default(),
    ) {
        ("complete", "unpaid") => Some(Ending::Processing),
        ("complete", _) => Some(Ending::Paid),
        ("expired", _) => Some(Ending::Expired),
        _ => None,
    }
}

/// The session's total.
pub fn total(session: &Value) -> Result<Money, Fault> {
    let odd =
        || FaultKind::ProviderOdd { what: "a session without amount and currency".to_owned() };
    let minor = session.get("amount_total").and_then(Value::as_i64).ok_or_else(odd)?;
    let code = session.get("currency").and_then(Value::as_str).ok_or_else(odd)?;
    let currency = code.parse::<Currency>().map_err(|_| odd())?;
    Ok(Money::new(minor, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_it_is_complete_or_expired() {
        let of = |status, paid| ending(&json!({"status": status, "payment_status": paid}));
        assert_eq!(of("open", "unpaid"), None);
        assert_eq!(of("complete", "paid"), Some(Ending::Paid));
        assert_eq!(of("complete", "unpaid"), Some(Ending::Processing));
        assert_eq!(of("complete", "no_payment_required"), Some(Ending::Paid));
        assert_eq!(of("expired", "unpaid"), Some(Ending::Expired));
    }
}
