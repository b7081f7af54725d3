//! A second provider beside the first: purchases that are begun at either of them, Creem's own webhook, and the orders of
//! both, told alike. Who the user is has to be known before, and is taken on trust here.

use crate::domain::book::line::Source;
use crate::domain::creem;
use crate::domain::event::Event;
use crate::domain::locale::Locale;
use crate::domain::peek::Peek as _;
use crate::domain::secret::SigningSecret;
use crate::shop::answer::Answer;
use crate::shop::buyer::asked;
use crate::shop::creem_api::Creem;
use crate::shop::intake::{Intake, IntakeError, Received, fingerprint};
use crate::shop::site::Site;
use crate::shop::till::{Form, FormError, page_of, said};
use crate::store::Ledger;
use crate::store::second::Bought;
use hyper::header::HeaderMap;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where Creem tells what happened.
pub const WEBHOOK: &str = "/webhook/creem";

/// What one purchase gives, whoever is paid.
const CREDITS: i64 = 10;

/// The product at Creem, which takes euros and dollars.
const NAME: &str = "Ten credits";
const PRICE: i64 = 500;
const CURRENCY: &str = "EUR";

/// The second provider.
#[derive(Clone, Debug)]
pub struct Second {
    /// Its client.
    pub api: Creem,
    /// What its webhooks are signed with.
    pub secret: SigningSecret,
}

impl Second {
    /// Takes what Creem tells, if it was signed with Creem's own secret: nothing in the signature says when.
    pub async fn hear(
        &self,
        intake: &Intake,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Received, IntakeError> {
        let given = headers.get("creem-signature").and_then(|value| value.to_str().ok());
        creem::verify(body, given, std::slice::from_ref(&self.secret))?;
        let event = Event::of_creem(body)?;
        let source = Source::Webhook { signed: event.created, secret: fingerprint(&self.secret) };
        intake.store(event, source).await
    }

    /// The product, made where there is none yet.
    async fn product(&self) -> Result<String, FormError> {
        let found = self.api.all("/v1/products/search").await?;
        let known = found.iter().find(|it| it.text("name") == NAME);
        if let Some(known) = known {
            return Ok(known.text("id").to_owned());
        }
        let sent = json!({
            "name": NAME, "price": PRICE, "currency": CURRENCY, "billing_type": "onetime",
        });
        Ok(self.api.post("/v1/products", &sent, None).await?.text("id").to_owned())
    }
}

impl Site {
    /// Begins a purchase at the provider that the form names, unless its cart is paid already, at whichever.
    pub(super) async fn order(
        &self,
        (locale, host): (Locale, &str),
        ledger: Arc<Ledger>,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let (user, cart) = (form.user()?, form.cart()?);
        let bought = bought(ledger, user).await?;
        if bought.iter().any(|it| it.cart == cart) {
            return Err(FormError::Conflict("paid_already"));
        }
        match form.get("provider") {
            Some("stripe") => {
                let params = json!({
                    "mode": "payment",
                    "client_reference_id": user,
                    "metadata": { "cart": cart },
                    "locale": locale.code(),
                    "success_url": format!("http://{host}/success?session_id={{CHECKOUT_SESSION_ID}}"),
                    "cancel_url": format!("http://{host}/cancel"),
                    "line_items": [self.line(1)],
                });
                page_of(&self.stripe.create_session(&params).await?)
            }
            Some("creem") => {
                let second = self.second.as_ref().ok_or(FormError::Form("provider"))?;
                let sent = json!({
                    "product_id": second.product().await?,
                    "units": 1,
                    "success_url": format!("http://{host}/"),
                    // Whose it is, is what is written here: a buyer types any address.
                    "metadata": { "user": user, "cart": cart },
                });
                let made = second.api.post("/v1/checkouts", &sent, None).await?;
                page_of(&json!({ "url": made.get("checkout_url") }))
            }
            _ => Err(FormError::Form("provider")),
        }
    }
}

/// A user's orders, the oldest first of each provider, and the credits that are paid for.
pub(super) async fn orders(ledger: Arc<Ledger>, form: &Form<'_>) -> Result<Answer, FormError> {
    let bought = bought(ledger, form.user()?).await?;
    let credits: i64 = bought.iter().map(left).sum();
    let orders: Vec<Value> = bought.iter().map(told).collect();
    Ok(said(&json!({ "credits": credits, "orders": orders })))
}

async fn bought(ledger: Arc<Ledger>, user: &str) -> Result<Vec<Bought>, FormError> {
    let user = user.to_owned();
    asked(move || ledger.bought(&user)).await
}

fn told(it: &Bought) -> Value {
    json!({
        "provider": if it.is_creem { "creem" } else { "stripe" }, "id": it.id, "cart": it.cart, "paid": true,
        "amount": it.amount, "currency": it.currency, "lost": it.lost,
    })
}

/// What of an order's credits is paid for: in proportion, so that no currency is changed into another.
fn left(it: &Bought) -> i64 {
    CREDITS.saturating_mul((it.amount - it.lost).max(0)).checked_div(it.amount).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_are_a_part_of_what_was_paid_in_any_currency() {
        let of = |amount, lost| {
            left(&Bought {
                is_creem: true,
                id: String::new(),
                cart: String::new(),
                amount,
                currency: "eur".to_owned(),
                lost,
            })
        };
        assert_eq!([of(500, 0), of(500, 300), of(500, 500), of(500, 900)], [10, 4, 0, 0]);
        assert_eq!((of(250, 0), of(0, 0)), (10, 0));
    }
}
