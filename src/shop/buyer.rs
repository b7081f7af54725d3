//! What a shop does for its buyers beyond hosted Checkout: payments that the buyer's own page confirms, and the customer
//! of whoever is signed in. Who that is has to be known before, and is taken on trust here.

use crate::domain::locale::Locale;
use crate::domain::money::Money;
use crate::domain::peek::Peek as _;
use crate::shop::answer::{self, Answer};
use crate::shop::page;
use crate::shop::second;
use crate::shop::site::Site;
use crate::shop::till::{Form, FormError, page_of, said};
use crate::store::buyer::Known;
use crate::store::{Ledger, StoreError};
use crate::words::shop::Words;
use hyper::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// What can be read, each for this machine alone.
pub const READS: [&str; 10] = [
    "/access",
    "/credits",
    "/credits/verify",
    "/intents/return",
    "/keys",
    "/keys/thanks",
    "/order",
    ORDERS,
    "/rights",
    "/users/cards",
];

/// What is read and also written to.
pub const ORDERS: &str = "/orders";

/// What one purchase of credits gives.
const CREDITS: &str = "10";

/// What the shop's key must be allowed, page by page, and nothing more.
const RIGHTS: [(&str, &[&str]); 3] = [
    ("checkout", &["checkout_sessions:write"]),
    ("success", &["checkout_sessions:read"]),
    ("portal", &["customers:read", "billing_portal_sessions:write"]),
];

impl Site {
    /// Shows what a path of [`READS`] is about.
    pub async fn read(
        &self,
        path: &str,
        locale: Locale,
        ledger: Arc<Ledger>,
        query: &str,
    ) -> Answer {
        let form = Form(query);
        let shown = match path {
            "/credits" => {
                credits(ledger, &form).await.map(|left| said(&json!({ "credits": left })))
            }
            "/credits/verify" => self.verify(ledger, &form).await,
            "/intents/return" => self.back(locale, &form).await,
            "/keys" => self.keys_of(&form).await,
            "/keys/thanks" => self.key_bought(&form).await,
            "/order" => order(ledger, &form).await,
            ORDERS => second::orders(ledger, &form).await,
            "/rights" => {
                let pages = RIGHTS.iter().map(|(page, rights)| ((*page).to_owned(), json!(rights)));
                Ok(said(&Value::Object(pages.collect())))
            }
            "/users/cards" => self.cards_of(ledger, &form).await,
            _ => return self.access(ledger, query).await,
        };
        shown.unwrap_or_else(FormError::answer)
    }

    /// Begins a payment that the buyer's page confirms. The price is the shop's own; the order's number comes back with
    /// every event, and under it there is one payment, however often the button is pressed.
    pub(super) async fn intent(&self, form: &Form<'_>) -> Result<Answer, FormError> {
        let order = form.number().ok_or(FormError::Form("order"))?;
        let params = json!({
            "amount": self.price.minor,
            "currency": self.price.currency.code(),
            "automatic_payment_methods": { "enabled": true },
            "metadata": { "order": order },
        });
        let key = format!("intent-{order}");
        let path = "/v1/payment_intents";
        let made = self.stripe.call_with_key(Method::POST, path, &params, Some(&key)).await?;
        Ok(said(&json!({
            "payment_intent": made.get("id"), "client_secret": made.get("client_secret"),
        })))
    }

    /// Where the buyer's browser comes back to. The address proves nothing, so the provider is asked, and nothing follows.
    async fn back(&self, locale: Locale, form: &Form<'_>) -> Result<Answer, FormError> {
        let path = format!("/v1/payment_intents/{}", form.id("payment_intent", "pi_")?);
        let intent = self.stripe.get(&path, &Value::Null).await?;
        let words = Words::of(locale);
        let (heading, more) = match intent.text("status") {
            "succeeded" => (words.thanks, None),
            "processing" => (words.waiting, Some(words.waiting_more)),
            _ => (words.not_paid, None),
        };
        let mut facts = vec![(words.status, intent.text("status").to_owned())];
        let amount = intent.get("amount").and_then(Value::as_i64);
        if let (Some(amount), Ok(currency)) = (amount, intent.text("currency").parse()) {
            facts.push((words.amount, Money::new(amount, currency).to_string()));
        }
        Ok(answer::html(StatusCode::OK, page::message(locale, heading, more, &facts)))
    }

    /// Leads a user to the page on which credits are bought, with what a coupon takes off.
    pub(super) async fn buy_credits(
        &self,
        locale: Locale,
        host: &str,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let user = form.user()?;
        let mut params = json!({
            "mode": "payment",
            "client_reference_id": user,
            "metadata": { "credits": CREDITS },
            "locale": locale.code(),
            "success_url": format!("http://{host}/success?session_id={{CHECKOUT_SESSION_ID}}"),
            "cancel_url": format!("http://{host}/cancel"),
            "line_items": [self.line(1)],
        });
        if let (Some(coupon), Some(params)) = (form.get("coupon"), params.as_object_mut()) {
            params.insert("discounts".to_owned(), json!([{ "coupon": coupon }]));
        }
        page_of(&self.stripe.create_session(&params).await?)
    }

    /// How a user's own purchase of credits stands. It gives nothing: whoever has the address can ask.
    async fn verify(&self, ledger: Arc<Ledger>, form: &Form<'_>) -> Result<Answer, FormError> {
        let session = self.stripe.session(form.id("session_id", "cs_")?).await?;
        if session.text("client_reference_id") != form.user()? {
            return Err(FormError::Missing);
        }
        let left = credits(ledger, form).await?;
        Ok(said(&json!({ "status": session.get("payment_status"), "credits": left })))
    }

    /// The customer of a user, made at the first time, with the address that is theirs now. Two at once make one: the
    /// number of those that were deleted is part of the key, so that the next one is a new one.
    pub(super) async fn user(
        &self,
        ledger: Arc<Ledger>,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let (user, email) = (form.user()?, form.email()?);
        let known = known(ledger, user).await?;
        let customer = if let Some(customer) = known.customer {
            customer
        } else {
            let key = format!("user-{user}-{}", known.gone);
            let params = json!({ "metadata": { "user": user } });
            let path = "/v1/customers";
            let made = self.stripe.call_with_key(Method::POST, path, &params, Some(&key));
            made.await?.text("id").to_owned()
        };
        let path = format!("/v1/customers/{customer}");
        self.stripe.post(&path, &json!({ "email": email })).await?;
        Ok(said(&json!({ "customer": customer })))
    }

    /// The cards of a user's own customer, and which of them is used where nothing is said.
    async fn cards_of(&self, ledger: Arc<Ledger>, form: &Form<'_>) -> Result<Answer, FormError> {
        let customer = known(ledger, form.user()?).await?.customer.ok_or(FormError::Missing)?;
        let path = format!("/v1/customers/{customer}");
        let whole = self.stripe.get(&path, &Value::Null).await?;
        let default = whole.pointer("/invoice_settings/default_payment_method");
        let path = format!("{path}/payment_methods");
        let list = self.stripe.get(&path, &json!({ "type": "card" })).await?;
        let cards = list.items("data").iter().map(|it| {
            json!({
                "id": it.get("id"), "brand": it.pointer("/card/brand"), "last4": it.pointer("/card/last4"),
                "default": it.get("id") == default,
            })
        });
        Ok(said(&json!({ "customer": customer, "cards": cards.collect::<Vec<_>>() })))
    }

    /// Makes a card the one that is used where nothing is said; only one of the user's own.
    pub(super) async fn default_card(
        &self,
        ledger: Arc<Ledger>,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let (user, card) = (form.user()?, form.id("card", "pm_")?);
        let customer = known(ledger, user).await?.customer.ok_or(FormError::Missing)?;
        if !self.cards(&customer).await?.iter().any(|it| it == card) {
            return Err(FormError::Missing);
        }
        let params = json!({ "invoice_settings": { "default_payment_method": card } });
        self.stripe.post(&format!("/v1/customers/{customer}"), &params).await?;
        Ok(said(&json!({ "customer": customer, "default": card })))
    }
}

/// What came for an order: what the events say, and nothing else.
async fn order(ledger: Arc<Ledger>, form: &Form<'_>) -> Result<Answer, FormError> {
    let order = form.number().ok_or(FormError::Form("order"))?;
    let paid = asked(move || ledger.paid_for(&order)).await?;
    let status = if paid.is_some() { "paid" } else { "unpaid" };
    Ok(said(&json!({ "status": status, "amount": paid.unwrap_or_default() })))
}

async fn credits(ledger: Arc<Ledger>, form: &Form<'_>) -> Result<i64, FormError> {
    let user = form.user()?.to_owned();
    asked(move || ledger.credits(&user)).await
}

async fn known(ledger: Arc<Ledger>, user: &str) -> Result<Known, FormError> {
    let user = user.to_owned();
    asked(move || ledger.user(&user)).await
}

/// What the ledger says.
pub(super) async fn asked<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, FormError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map_err(|error| FormError::Ledger(Some(error))),
        Err(_) => Err(FormError::Ledger(None)),
    }
}
