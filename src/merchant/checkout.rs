//! Begins a purchase: a Checkout Session at the provider that says whose it is, for what, and what it takes off.

use crate::domain::canonical::sha256;
use crate::domain::locale::Locale;
use crate::domain::member::{owned, text};
use crate::merchant::base::Database;
use crate::merchant::base::account::User;
use crate::merchant::customer;
use crate::merchant::failure::ShopError;
use crate::merchant::plan::Offer;
use crate::merchant::provider::stripe::metadata;
use crate::stripe::Stripe;
use crate::stripe::failure::Error;
use crate::wire::form::escape;
use hyper::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

/// The most characters of a code.
pub const CODE_MAX: usize = 100;

/// A purchase that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// `cs_…`, or Creem's `ch_…`.
    pub session: String,
    /// The page on which it is paid.
    pub url: String,
}

/// What is to be bought, by whom.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'p> {
    /// The user.
    pub user: &'p User,
    /// What.
    pub offer: &'p Offer,
    /// A coupon's or a promotion code's code.
    pub code: Option<&'p str>,
    /// The number of the page that asks: asked twice under one number, it is begun once.
    pub number: Option<&'p str>,
    /// The language of the page on which it is paid.
    pub locale: Locale,
    /// Where the shop is, as the browser calls it: `http://127.0.0.1:4242`.
    pub origin: &'p str,
}

/// Begins it.
pub async fn begin(
    database: &Database,
    stripe: &Stripe,
    purchase: &Purchase<'_>,
) -> Result<Begun, ShopError> {
    refuse_second(database, purchase).await?;
    let Purchase { user, .. } = *purchase;
    let discount = match purchase.code.map(str::trim).filter(|code| !code.is_empty()) {
        Some(code) => Some(discount(stripe, code).await?),
        None => None,
    };
    let customer = customer::of(database, stripe, user).await?;
    let begun = create(stripe, purchase, &customer, discount.as_ref()).await;
    match begun {
        Err(error) if lacks_customer(&error) => {
            // The provider was set back, or the customer was removed there.
            let customer = customer::again(database, stripe, user).await?;
            create(stripe, purchase, &customer, discount.as_ref()).await
        }
        begun => begun,
    }
    .map_err(refused)
    .and_then(|session| {
        let found = owned(&session, "id").zip(owned(&session, "url"));
        let (session, url) = found.ok_or(Error::Unreadable { status: 200, request_id: None })?;
        Ok(Begun { session, url })
    })
}

/// Refuses to sell somebody what they subscribe to already.
pub async fn refuse_second(database: &Database, purchase: &Purchase<'_>) -> Result<(), ShopError> {
    let Purchase { user, offer, .. } = *purchase;
    if offer.is_recurring() {
        let (id, plan) = (user.id.clone(), offer.plan.id.clone());
        let all = database.look(move |base| base.subscriptions(&id)).await?;
        if all.iter().any(|it| it.plan == plan && it.is_active()) {
            return Err(ShopError::conflict(|words| words.error_subscribed));
        }
    }
    Ok(())
}

async fn create(
    stripe: &Stripe,
    purchase: &Purchase<'_>,
    customer: &str,
    discount: Option<&Value>,
) -> Result<Value, Error> {
    let Purchase { user, offer, locale, origin, .. } = *purchase;
    let about = json!({
        (metadata::USER): user.id,
        (metadata::PLAN): offer.plan.id,
        (metadata::PLAN_NAME): offer.plan.texts(locale).title,
        (metadata::PRICE): offer.price,
        (metadata::CREDITS): offer.plan.credits.to_string(),
    });
    let success = "payment/success?session_id={CHECKOUT_SESSION_ID}&provider=stripe";
    let mut asked = json!({
        "mode": if offer.is_recurring() { "subscription" } else { "payment" },
        "customer": customer,
        "client_reference_id": user.id,
        "line_items": [{ "price": offer.price, "quantity": 1 }],
        "success_url": format!("{origin}/{success}"),
        "cancel_url": format!("{origin}/pricing"),
        "locale": locale.code(),
        "metadata": about,
    });
    // What is said of the session is not said of what it makes, unless that is asked for.
    let carrier = if offer.is_recurring() { "subscription_data" } else { "payment_intent_data" };
    if let Some(asked) = asked.as_object_mut() {
        asked.insert(carrier.to_owned(), json!({ "metadata": about }));
        if let Some(discount) = discount {
            asked.insert("discounts".to_owned(), json!([discount]));
        }
    }
    let key = purchase.number.map(|number| {
        let code = purchase.code.unwrap_or_default();
        format!("shop-{}-{number}-{}-{customer}-{}-{code}", user.id, offer.price, locale.code())
    });
    // A header has no room for whatever somebody typed.
    let key = key.map(|key| sha256(&key));
    let key = key.unwrap_or_else(|| stripe.fresh_key());
    let path = "/v1/checkout/sessions";
    stripe.call_with_key(Method::POST, path, &asked, Some(&key)).await
}

/// What a code takes off: a promotion code's first, for that is what buyers are given.
async fn discount(stripe: &Stripe, code: &str) -> Result<Value, ShopError> {
    const UNKNOWN: ShopError = ShopError::bad(|words| words.error_coupon);
    if code.chars().count() > CODE_MAX {
        return Err(UNKNOWN);
    }
    let asked = json!({ "code": code, "active": true, "limit": 1 });
    let list = stripe.get("/v1/promotion_codes", &asked).await?;
    if let Some(id) = list.pointer("/data/0/id").and_then(Value::as_str) {
        return Ok(json!({ "promotion_code": id }));
    }
    match stripe.get(&format!("/v1/coupons/{}", escape(code)), &Value::Null).await {
        Ok(coupon) if coupon.get("valid").and_then(Value::as_bool) == Some(true) => {
            Ok(json!({ "coupon": text(&coupon, "id").unwrap_or(code) }))
        }
        Ok(_) => Err(UNKNOWN),
        Err(error) if error.is_missing() => Err(UNKNOWN),
        Err(error) => Err(error.into()),
    }
}

fn param(error: &Error) -> &str {
    error.api().and_then(|it| it.param.as_deref()).unwrap_or_default()
}

fn lacks_customer(error: &Error) -> bool {
    error.is_missing() && param(error) == "customer"
}

/// What the provider refuses because of what the buyer has typed, or because a price is no longer sold.
fn refused(error: Error) -> ShopError {
    let asked = error.api().is_some_and(|it| it.status == StatusCode::BAD_REQUEST.as_u16());
    match param(&error) {
        it if asked && it.starts_with("discounts") => ShopError::bad(|words| words.error_coupon),
        it if asked && it.starts_with("line_items") => ShopError::bad(|words| words.error_plan),
        _ => error.into(),
    }
}
