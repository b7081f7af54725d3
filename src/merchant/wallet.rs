//! A user's cards, and payments by a form of the shop's own: both belong to the one customer that the user is, and
//! neither lets a card's number near the shop.

use crate::domain::canonical::sha256;
use crate::domain::currency::Currency;
use crate::domain::member::{string, text};
use crate::domain::money::Money;
use crate::merchant::base::Database;
use crate::merchant::base::account::User;
use crate::merchant::customer;
use crate::merchant::failure::ShopError;
use crate::merchant::provider::stripe::metadata;
use crate::stripe::Stripe;
use crate::stripe::failure::Error;
use crate::wire::form::escape;
use reqwest::Method;
use serde_json::{Value, json};

/// The least and the most that the form takes, in yen.
pub const AMOUNTS: (i64, i64) = (50, 1_000_000);

/// A card that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// `pm_…`.
    pub id: String,
    /// Its brand.
    pub brand: String,
    /// Its last four digits.
    pub last4: String,
    /// Until when it is valid: `12/2034`.
    pub expiry: String,
    /// Whether renewals are paid with it.
    pub is_default: bool,
}

/// How a payment or a setup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is on its way.
    Waiting,
    /// It was not.
    Failed,
}

/// The wallet of a user at one provider.
#[derive(Clone, Copy, Debug)]
pub struct Wallet<'w> {
    /// The provider.
    pub stripe: &'w Stripe,
    /// Where it is kept which customer a user is.
    pub database: &'w Database,
    /// The user.
    pub user: &'w User,
}

impl Wallet<'_> {
    async fn customer(&self) -> Result<Option<String>, ShopError> {
        customer::known(self.database, self.user).await
    }

    /// The cards that are kept.
    pub async fn cards(&self) -> Result<Vec<Card>, ShopError> {
        let Some(customer) = self.customer().await? else { return Ok(Vec::new()) };
        let path = format!("/v1/customers/{}", escape(&customer));
        let owner = match self.stripe.get(&path, &Value::Null).await {
            Ok(owner) => owner,
            // A provider that was emptied: the user is nobody there until they buy again.
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let default = owner.pointer("/invoice_settings/default_payment_method");
        let default = default.and_then(Value::as_str).unwrap_or_default();
        let asked = json!({"type": "card", "limit": 100});
        let list = self.stripe.get(&format!("{path}/payment_methods"), &asked).await?;
        let cards = list.get("data").and_then(Value::as_array).into_iter().flatten();
        Ok(cards.filter_map(|it| card(it, default)).collect())
    }

    /// Begins to keep a card without charging it: the secret that the browser confirms with.
    pub async fn setup(&self) -> Result<String, ShopError> {
        let asked = json!({
            "usage": "off_session",
            "automatic_payment_methods": {"enabled": true, "allow_redirects": "never"},
        });
        self.begin("/v1/setup_intents", asked, &self.stripe.fresh_key()).await
    }

    /// Makes an intent for the user's customer; its secret.
    async fn begin(&self, path: &str, asked: Value, key: &str) -> Result<String, ShopError> {
        let of_customer = |customer: String| {
            let mut asked = asked.clone();
            if let Some(asked) = asked.as_object_mut() {
                asked.insert("customer".to_owned(), json!(customer));
            }
            asked
        };
        let known = of_customer(customer::of(self.database, self.stripe, self.user).await?);
        let made = match self.stripe.call_with_key(Method::POST, path, &known, Some(key)).await {
            Err(error) if error.is_missing() => {
                // The provider was set back, or the customer was removed there.
                let again = customer::again(self.database, self.stripe, self.user).await?;
                self.stripe.post(path, &of_customer(again)).await?
            }
            made => made?,
        };
        Ok(string(&made, "client_secret"))
    }

    /// What came of a setup of the user's; the first card that is kept pays renewals. `None` where it is not theirs.
    pub async fn added(&self, setup: &str) -> Result<Option<Outcome>, ShopError> {
        let Some(found) = self.own("/v1/setup_intents", setup).await? else { return Ok(None) };
        let outcome = outcome(&found);
        let kept = text(&found, "payment_method").filter(|_| outcome == Outcome::Done);
        if let Some(kept) = kept
            && self.cards().await?.iter().all(|card| !card.is_default)
        {
            self.set_default(kept).await?;
        }
        Ok(Some(outcome))
    }

    /// Has renewals paid with a card of the user's; `false` where it is not theirs.
    pub async fn set_default(&self, card: &str) -> Result<bool, ShopError> {
        let Some(customer) = self.holder(card).await? else { return Ok(false) };
        let asked = json!({"invoice_settings": {"default_payment_method": card}});
        self.stripe.post(&format!("/v1/customers/{}", escape(&customer)), &asked).await?;
        Ok(true)
    }

    /// Forgets a card of the user's; `false` where it is not theirs.
    pub async fn remove(&self, card: &str) -> Result<bool, ShopError> {
        if self.holder(card).await?.is_none() {
            return Ok(false);
        }
        let path = format!("/v1/payment_methods/{}/detach", escape(card));
        self.stripe.post(&path, &Value::Null).await?;
        Ok(true)
    }

    /// The user's customer, where the card is theirs.
    async fn holder(&self, card: &str) -> Result<Option<String>, ShopError> {
        let Some(customer) = self.customer().await?.filter(|_| is_id(card)) else {
            return Ok(None);
        };
        let path = format!("/v1/customers/{}/payment_methods/{}", escape(&customer), escape(card));
        match self.stripe.get(&path, &Value::Null).await {
            Ok(_) => Ok(Some(customer)),
            Err(error) if is_not_theirs(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins a payment: the secret that the browser confirms with. Asked twice under one `order`, it is made once.
    pub async fn pay(&self, yen: i64, order: &str) -> Result<String, ShopError> {
        let asked = json!({
            "amount": yen, "currency": Currency::JPY.code(),
            "automatic_payment_methods": {"enabled": true},
            "metadata": {metadata::USER: self.user.id},
        });
        let key = sha256(&format!("pay-{}-{order}-{yen}", self.user.id));
        self.begin("/v1/payment_intents", asked, &key).await
    }

    /// What came of a payment of the user's; `None` where it is not theirs.
    pub async fn paid(&self, payment: &str) -> Result<Option<(Outcome, Money)>, ShopError> {
        let Some(found) = self.own("/v1/payment_intents", payment).await? else {
            return Ok(None);
        };
        let amount = found.get("amount").and_then(Value::as_i64).unwrap_or_default();
        let currency = string(&found, "currency").parse().unwrap_or(Currency::JPY);
        Ok(Some((outcome(&found), Money::new(amount, currency))))
    }

    /// An object of the provider's, where it belongs to the user's customer.
    async fn own(&self, list: &str, id: &str) -> Result<Option<Value>, ShopError> {
        let Some(customer) = self.customer().await?.filter(|_| is_id(id)) else {
            return Ok(None);
        };
        match self.stripe.get(&format!("{list}/{}", escape(id)), &Value::Null).await {
            Ok(found) if text(&found, "customer") == Some(customer.as_str()) => Ok(Some(found)),
            Ok(_) => Ok(None),
            Err(error) if is_not_theirs(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a text can be an id: what it is put behind stays the path that is asked for.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// Whether the provider says that somebody has no such thing.
fn is_not_theirs(error: &Error) -> bool {
    error.is_missing() || error.api().is_some_and(|it| it.status == 404)
}

fn card(method: &Value, default: &str) -> Option<Card> {
    let id = string(method, "id");
    let card = method.get("card")?;
    let number = |name: &str| card.get(name).and_then(Value::as_i64).unwrap_or_default();
    Some(Card {
        is_default: id == default,
        id,
        brand: string(card, "brand"),
        last4: string(card, "last4"),
        expiry: format!("{:02}/{}", number("exp_month"), number("exp_year")),
    })
}

fn outcome(intent: &Value) -> Outcome {
    match text(intent, "status") {
        Some("succeeded") => Outcome::Done,
        Some("processing" | "requires_capture") => Outcome::Waiting,
        // A voucher that is to be paid at a shop waits for its buyer.
        Some("requires_action")
            if intent.pointer("/next_action/konbini_display_details").is_some() =>
        {
            Outcome::Waiting
        }
        _ => Outcome::Failed,
    }
}
