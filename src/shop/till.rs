//! What the merchant does beside a sale: gives money back, answers a dispute, charges a card that was kept, and leads a
//! buyer to where a card is kept, a subscription begun or seen to. Only whoever sits at this machine gets here.

use crate::domain::locale::Locale;
use crate::domain::peek::Peek as _;
use crate::shop::answer::{self, Answer};
use crate::shop::buyer::asked;
use crate::shop::site::{self, Site, pairs};
use crate::store::{Ledger, StoreError};
use crate::stripe::failure::{Error, ErrorKind};
use hyper::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// The routes, each of which takes a form.
pub const ROUTES: [&str; 13] = [
    "/cards",
    "/cards/charge",
    "/cards/remove",
    "/refund",
    "/evidence",
    "/subscribe",
    "/portal",
    "/credits/buy",
    "/intents",
    "/keys/buy",
    "/orders",
    "/users",
    "/users/default",
];

/// Statuses of a subscription that does not run: one that waits for its first payment does not yet.
const IDLE: [&str; 3] = ["incomplete", "incomplete_expired", "canceled"];

/// The largest amount that a form may name, in minor units.
const AMOUNT_MAX: i64 = 99_999_999;

impl Site {
    /// Does what a form of one of [`ROUTES`] asks for.
    pub async fn till(
        &self,
        route: &str,
        (locale, host): (Locale, &str),
        ledger: Arc<Ledger>,
        form: &[u8],
    ) -> Answer {
        let form = Form(std::str::from_utf8(form).unwrap_or_default());
        let done = match route {
            "/cards" => self.keep_card(locale, host, &form).await,
            "/cards/charge" => self.charge_card(&form).await,
            "/cards/remove" => self.remove_cards(&form).await,
            "/refund" => self.refund(&form).await,
            "/subscribe" => self.subscribe(locale, host, &form).await,
            "/portal" => self.portal(locale, host, &form).await,
            "/credits/buy" => self.buy_credits(locale, host, &form).await,
            "/intents" => self.intent(&form).await,
            "/keys/buy" => self.buy_key(locale, host, &form).await,
            "/orders" => self.order((locale, host), ledger, &form).await,
            "/users" => self.user(ledger, &form).await,
            "/users/default" => self.default_card(ledger, &form).await,
            _ => self.evidence(&form).await,
        };
        done.unwrap_or_else(FormError::answer)
    }

    /// Gives a payment back, wholly or in part. What is asked twice under one number is done once.
    async fn refund(&self, form: &Form<'_>) -> Result<Answer, FormError> {
        let id = form.id("session_id", "cs_")?;
        let session = self.stripe.session(id).await?;
        let intent = session.get("payment_intent").and_then(Value::as_str);
        let intent = intent.ok_or(FormError::Conflict("not_paid"))?;
        let mut params = json!({ "payment_intent": intent });
        if let (Some(amount), Some(params)) = (form.amount()?, params.as_object_mut()) {
            params.insert("amount".to_owned(), json!(amount));
        }
        let refund = self.once("/v1/refunds", &params, "refund", form).await?;
        Ok(said(&json!({ "refund": refund.get("id"), "status": refund.get("status") })))
    }

    /// Sends what the shop knows of a disputed sale to the buyer's bank, once: there is no second time.
    async fn evidence(&self, form: &Form<'_>) -> Result<Answer, FormError> {
        let path = format!("/v1/disputes/{}", form.id("dispute", "dp_")?);
        let dispute = self.stripe.get(&path, &Value::Null).await?;
        let status = dispute.get("status").and_then(Value::as_str).unwrap_or_default();
        if !status.ends_with("needs_response") {
            return Err(FormError::Conflict("nothing_is_asked"));
        }
        let evidence = json!({ "product_description": self.product });
        let params = json!({ "evidence": evidence, "submit": true });
        // Two at once are one: the key is the dispute's.
        let key = format!("evidence-{path}");
        let sent = self.stripe.call_with_key(Method::POST, &path, &params, Some(&key)).await?;
        Ok(said(&json!({ "dispute": sent.get("id"), "status": sent.get("status") })))
    }

    /// Leads a buyer to the page on which a card is kept, with the buyer's consent, for payments to come.
    async fn keep_card(
        &self,
        locale: Locale,
        host: &str,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let customer = self.welcome(form).await?;
        let params = json!({
            "mode": "setup",
            "currency": self.price.currency.code(),
            "customer": customer,
            "locale": locale.code(),
            "success_url": format!("http://{host}/success?session_id={{CHECKOUT_SESSION_ID}}"),
            "cancel_url": format!("http://{host}/cancel"),
        });
        page_of(&self.stripe.create_session(&params).await?)
    }

    /// Leads a buyer to the page on which a subscription is begun. Whoever has one is not sold a second.
    async fn subscribe(
        &self,
        locale: Locale,
        host: &str,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let customer = self.welcome(form).await?;
        let list = self.stripe.get("/v1/subscriptions", &json!({ "customer": customer })).await?;
        if list.items("data").iter().any(|it| !IDLE.contains(&it.text("status"))) {
            return Err(FormError::Conflict("subscribed_already"));
        }
        let price = json!({
            "currency": self.price.currency.code(),
            "unit_amount": self.price.minor,
            "recurring": { "interval": "month" },
            "product_data": { "name": self.product },
        });
        let params = json!({
            "mode": "subscription",
            "customer": customer,
            "locale": locale.code(),
            "line_items": [{ "quantity": 1, "price_data": price }],
            "success_url": format!("http://{host}/success?session_id={{CHECKOUT_SESSION_ID}}"),
            "cancel_url": format!("http://{host}/cancel"),
        });
        page_of(&self.stripe.create_session(&params).await?)
    }

    /// Leads a buyer to the pages on which they see to their own subscription. Each click makes a session of its own.
    async fn portal(
        &self,
        locale: Locale,
        host: &str,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let customer = self.customer(&form.email()?).await?;
        let params = json!({
            "customer": customer,
            "locale": locale.code(),
            "return_url": format!("http://{host}/"),
        });
        page_of(&self.stripe.post("/v1/billing_portal/sessions", &params).await?)
    }

    /// Whether a buyer has access, and what was paid for it: what the events say that were written down, nothing else.
    pub(super) async fn access(&self, ledger: Arc<Ledger>, query: &str) -> Answer {
        let customer = match Form(query).email() {
            Ok(email) => self.customer(&email).await,
            Err(error) => Err(error),
        };
        let customer = match customer {
            Err(FormError::Missing) => String::new(),
            Err(error) => return error.answer(),
            Ok(customer) => customer,
        };
        match asked(move || ledger.subscriber(&customer)).await {
            Ok(it) => said(&json!({ "access": it.has_access, "paid": it.paid, "total": it.total })),
            Err(error) => error.answer(),
        }
    }

    /// Charges the card that a buyer has kept, while the buyer is away.
    async fn charge_card(&self, form: &Form<'_>) -> Result<Answer, FormError> {
        let amount = form.amount()?.ok_or(FormError::Form("amount"))?;
        let customer = self.customer(&form.email()?).await?;
        let cards = self.cards(&customer).await?;
        let card = cards.first().ok_or(FormError::Conflict("no_card"))?;
        let params = json!({
            "amount": amount,
            "currency": self.price.currency.code(),
            "customer": customer,
            "payment_method": card,
            "off_session": true,
            "confirm": true,
        });
        let intent = self.once("/v1/payment_intents", &params, "charge", form).await?;
        let body = json!({ "payment_intent": intent.get("id"), "status": intent.get("status") });
        match intent.text("status") {
            "succeeded" => Ok(said(&body)),
            _ => Ok(answer::json(StatusCode::PAYMENT_REQUIRED, &body)),
        }
    }

    /// Lets go of every card that a buyer has kept.
    async fn remove_cards(&self, form: &Form<'_>) -> Result<Answer, FormError> {
        let customer = self.customer(&form.email()?).await?;
        let cards = self.cards(&customer).await?;
        for card in &cards {
            let path = format!("/v1/payment_methods/{card}/detach");
            self.stripe.post(&path, &Value::Null).await?;
        }
        Ok(said(&json!({ "removed": cards.len() })))
    }

    /// The one customer of the form's address, made where there is none yet.
    async fn welcome(&self, form: &Form<'_>) -> Result<String, FormError> {
        let email = form.email()?;
        match self.customer(&email).await {
            Err(FormError::Missing) => {
                let made = self.stripe.post("/v1/customers", &json!({ "email": email })).await?;
                Ok(made.text("id").to_owned())
            }
            known => known,
        }
    }

    /// The customer of an address, who is looked up by nothing else.
    async fn customer(&self, email: &str) -> Result<String, FormError> {
        let params = json!({ "email": email, "limit": 1 });
        let list = self.stripe.get("/v1/customers", &params).await?;
        let id = list.pointer("/data/0/id").and_then(Value::as_str);
        Ok(id.ok_or(FormError::Missing)?.to_owned())
    }

    /// The cards of a customer, the newest first.
    pub(super) async fn cards(&self, customer: &str) -> Result<Vec<String>, FormError> {
        let path = format!("/v1/customers/{customer}/payment_methods");
        let list = self.stripe.get(&path, &json!({ "type": "card" })).await?;
        Ok(list.items("data").iter().map(|it| it.text("id").to_owned()).collect())
    }

    /// A POST under the number that the form gives it, so that a double click does it once.
    async fn once(
        &self,
        path: &str,
        params: &Value,
        what: &str,
        form: &Form<'_>,
    ) -> Result<Value, Error> {
        let order = form.number().unwrap_or_else(|| self.stripe.fresh_key());
        let key = format!("{what}-{order}");
        self.stripe.call_with_key(Method::POST, path, params, Some(&key)).await
    }
}

/// Why a form was not done.
pub(super) enum FormError {
    /// A field is lacking or is not what it should be.
    Form(&'static str),
    /// There is no such thing.
    Missing,
    /// It is not so that this could be done.
    Conflict(&'static str),
    /// The provider did not do it.
    Provider(Error),
    /// The ledger could not be read; without an error, reading it was interrupted.
    Ledger(Option<StoreError>),
}

impl From<Error> for FormError {
    fn from(error: Error) -> Self {
        if error.is_missing() { Self::Missing } else { Self::Provider(error) }
    }
}

impl FormError {
    pub(super) fn answer(self) -> Answer {
        let error = match self {
            Self::Form(field) => return answer::error(400, "bad_form", field),
            Self::Missing => return answer::error(404, "missing", "There is no such thing."),
            Self::Conflict(cause) => return answer::error(409, cause, "It cannot be done now."),
            Self::Provider(error) => error,
            Self::Ledger(error) => return site::ledger_failed(error.as_ref()),
        };
        let Some(api) = error.api() else {
            return answer::error(502, "provider_failed", &error.to_string());
        };
        let cause = api.code.as_deref().unwrap_or("refused");
        match api.kind {
            ErrorKind::Card => answer::error(402, cause, &api.message),
            // What the shop's key may not do is no matter of the buyer's: the message names key and right.
            ErrorKind::Permission | ErrorKind::Authentication => {
                tracing::error!(error = %api.message, "the key of the shop does not do");
                answer::error(503, "closed", "The shop cannot do this at the moment.")
            }
            ErrorKind::InvalidRequest | ErrorKind::Idempotency => {
                answer::error(409, cause, &api.message)
            }
            _ => answer::error(502, cause, &api.message),
        }
    }
}

/// The fields of a form, read strictly.
pub(super) struct Form<'f>(pub(super) &'f str);

impl<'f> Form<'f> {
    pub(super) fn get(&self, name: &str) -> Option<&'f str> {
        pairs(self.0).find(|(key, value)| *key == name && !value.is_empty()).map(|it| it.1)
    }

    pub(super) fn id(&self, name: &'static str, prefix: &str) -> Result<&'f str, FormError> {
        let plain = |id: &&str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let id = self.get(name).filter(plain).filter(|id| id.starts_with(prefix));
        id.filter(|id| id.len() <= 255).ok_or(FormError::Form(name))
    }

    /// A whole number of minor units, where one is named.
    fn amount(&self) -> Result<Option<i64>, FormError> {
        let Some(text) = self.get("amount") else { return Ok(None) };
        let amount = text.parse().ok().filter(|amount| (1..=AMOUNT_MAX).contains(amount));
        amount.map(Some).ok_or(FormError::Form("amount"))
    }

    /// An address of plain letters; who it is has to be known before, and is taken on trust here.
    pub(super) fn email(&self) -> Result<String, FormError> {
        let email = self.get("email").unwrap_or_default().replace("%40", "@");
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"@._-".contains(&b);
        let is_one = email.split('@').count() == 2 && email.len() <= 255;
        (is_one && email.bytes().all(plain)).then_some(email).ok_or(FormError::Form("email"))
    }

    /// Who is signed in, as the form says it.
    pub(super) fn user(&self) -> Result<&'f str, FormError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let user = self.get("user").filter(|it| it.len() <= 64 && it.bytes().all(plain));
        user.ok_or(FormError::Form("user"))
    }

    /// Which cart it is.
    pub(super) fn cart(&self) -> Result<&'f str, FormError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let cart = self.get("cart").filter(|it| it.len() <= 64 && it.bytes().all(plain));
        cart.ok_or(FormError::Form("cart"))
    }

    /// The number under which something is done once.
    pub(super) fn number(&self) -> Option<String> {
        let plain = |text: &&str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let number = self.get("order").filter(plain).filter(|it| (8..=64).contains(&it.len()));
        number.map(str::to_owned)
    }
}

/// Leads a browser to the page of what was made.
pub(super) fn page_of(made: &Value) -> Result<Answer, FormError> {
    answer::see_other(made.text("url")).ok_or(FormError::Conflict("no_page"))
}

pub(super) fn said(body: &Value) -> Answer {
    answer::json(StatusCode::OK, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_what_they_should_be_or_refused() {
        let form = Form("session_id=cs_test_a1&amount=200&email=ann%40example.com&order=0123-abcd");
        assert_eq!(form.id("session_id", "cs_").ok(), Some("cs_test_a1"));
        assert_eq!(form.amount().ok(), Some(Some(200)));
        assert_eq!(form.email().ok().as_deref(), Some("ann@example.com"));
        assert_eq!(form.number().as_deref(), Some("0123-abcd"));
        assert_eq!(Form("").amount().ok(), Some(None));
        for text in ["amount=0", "amount=-1", "amount=1.5", "amount=x", "amount=100000000"] {
            assert!(Form(text).amount().is_err(), "{text}");
        }
        for text in ["", "email=ann", "email=a@b@c", "email=a%20b@c", "email=%22@c"] {
            assert!(Form(text).email().is_err(), "{text}");
        }
        assert!(Form("session_id=pi_1").id("session_id", "cs_").is_err());
        assert!(Form("dispute=dp_1/../x").id("dispute", "dp_").is_err());
        assert_eq!(Form("order=1").number(), None);
        assert_eq!(Form("user=ann-1").user().ok(), Some("ann-1"));
        assert!(Form("user=").user().is_err() && Form("user=a%26b").user().is_err());
    }
}
