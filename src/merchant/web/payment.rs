//! Buying, and what a buyer is told who comes back. The address proves nothing: the provider is asked, and its answer
//! is worked in like a webhook's, whichever comes first.

use crate::domain::currency::Currency;
use crate::domain::member::{string, text};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::domain::trade::fact::Fact;
use crate::domain::trade::sale::SaleStatus;
use crate::domain::trade::subscription::Mirror;
use crate::merchant::base::order::Order;
use crate::merchant::checkout::{self, Begun, Purchase};
use crate::merchant::creem_checkout;
use crate::merchant::failure::ShopError;
use crate::merchant::projection;
use crate::merchant::provider::{self, ProviderName, stripe};
use crate::merchant::server::Desk;
use crate::merchant::web::page;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::shopfront::{money, sale_status, subscription_status};
use crate::merchant::web::visit::Visit;
use crate::shop::answer;
use crate::shop::creem_api::Creem;
use crate::stripe::failure::Error;
use crate::wire::form::escape;
use crate::words::merchant::Words;
use askama::Template;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The page that a buyer lands on.
pub const LANDING: &str = "/payment/success";

/// The most characters of an id.
const ID_MAX: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    provider: String,
    #[serde(default)]
    stripe_price_id: Option<String>,
    #[serde(default)]
    creem_product_id: Option<String>,
    #[serde(default)]
    coupon_code: Option<String>,
}

/// `POST /api/payment/checkout-session`.
pub async fn checkout_session(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let asked: Asked = serde_json::from_slice(&visit.body)
        .map_err(|_| ShopError::bad(|words| words.error_json))?;
    let provider = provider(&desk, &asked.provider)?;
    let price = match provider {
        ProviderName::Stripe => asked.stripe_price_id,
        ProviderName::Creem => asked.creem_product_id,
    };
    let thing = (Some(provider), price.as_deref().unwrap_or_default());
    let begun = begin(&desk, &visit, thing, asked.coupon_code.as_deref(), None).await?;
    let data = json!({ "sessionId": begun.session, "url": begun.url });
    Ok(answer::json(StatusCode::OK, &json!({ "success": true, "data": data })))
}

/// The form of the prices: the same, and on to the page where it is paid.
pub async fn buy(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let (form, code) = (&visit.form, visit.form.get("code"));
    let thing = (None, form.text("price"));
    let begun = begin(&desk, &visit, thing, code, form.get("number")).await?;
    let odd = Error::Unreadable { status: 200, request_id: None };
    Ok(answer::see_other(&begun.url).ok_or(odd)?)
}

async fn begin(
    desk: &Desk,
    visit: &Visit,
    (provider, price): (Option<ProviderName>, &str),
    code: Option<&str>,
    number: Option<&str>,
) -> Result<Begun, ShopError> {
    let user = visit.signed_in()?;
    may_ask(desk, visit)?;
    let offer = desk.offer(provider, price).ok_or(ShopError::bad(|words| words.error_plan))?;
    let (locale, origin) = (visit.locale, visit.origin.as_str());
    let purchase = Purchase { user, offer, code, number, locale, origin };
    match offer.plan.provider {
        ProviderName::Stripe => checkout::begin(&desk.database, &desk.stripe, &purchase).await,
        ProviderName::Creem => creem_checkout::begin(&desk.database, creem(desk)?, &purchase).await,
    }
}

/// Whether a user may have the provider asked once more.
fn may_ask(desk: &Desk, visit: &Visit) -> Result<(), ShopError> {
    let user = visit.signed_in()?;
    desk.tries.ask.take(&user.id, visit.now).map_err(|wait_s| ShopError::TooOften { wait_s })
}

fn provider(desk: &Desk, name: &str) -> Result<ProviderName, ShopError> {
    let found = ProviderName::read(name);
    if found == Some(ProviderName::Creem) {
        creem(desk)?;
    }
    found.ok_or(ShopError::bad(|words| words.error_provider_name))
}

/// The second provider, where there is one.
fn creem(desk: &Desk) -> Result<&Creem, ShopError> {
    const NOBODY: ShopError =
        ShopError::Refused(StatusCode::NOT_IMPLEMENTED, |words| words.error_creem);
    desk.creem.as_ref().map(|(api, _)| api).ok_or(NOBODY)
}

/// What a checkout has come to.
#[derive(Debug)]
enum Bought {
    Order(Order),
    Subscription(Mirror),
    /// It is complete, and its payment is on its way.
    Coming,
}

/// Finds out what the checkout that the query names has come to, and works it in.
async fn verify(desk: &Desk, visit: &Visit) -> Result<Bought, ShopError> {
    let user = visit.signed_in()?;
    if provider(desk, visit.query.text("provider"))? == ProviderName::Creem {
        return verify_creem(desk, visit).await;
    }
    let id = named(visit, "session_id", "cs_")?;
    may_ask(desk, visit)?;
    let session = retrieve(desk, id).await?;
    let of_metadata = session.pointer("/metadata/userId").and_then(Value::as_str);
    let owner = text(&session, "client_reference_id").or(of_metadata);
    if owner != Some(&user.id) {
        return Err(ShopError::forbidden(|words| words.error_other_user));
    }
    if text(&session, "status") != Some("complete") {
        return Err(ShopError::bad(|words| words.error_not_complete));
    }
    if text(&session, "mode") == Some("subscription") {
        return of_subscription(desk, visit, &session).await;
    }
    learn(desk, visit, ProviderName::Stripe, stripe::of_session(&session)).await?;
    order_of(desk, ProviderName::Stripe, id.to_owned()).await
}

/// The id of a checkout that the query names.
fn named<'v>(visit: &'v Visit, name: &str, prefix: &str) -> Result<&'v str, ShopError> {
    let id = visit.query.text(name);
    let plain = id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    if !id.starts_with(prefix) || !plain || id.len() > ID_MAX {
        return Err(ShopError::bad(|words| words.error_session));
    }
    Ok(id)
}

/// The same for the second provider. A buyer whom it sends back brings its signature; a program of ours that asks names the
/// checkout alone.
async fn verify_creem(desk: &Desk, visit: &Visit) -> Result<Bought, ShopError> {
    let (user, creem) = (visit.signed_in()?, creem(desk)?);
    let id = named(visit, "checkout_id", "ch_")?;
    let is_landing = visit.path == LANDING || visit.query.get("signature").is_some();
    if is_landing && !creem_checkout::is_signed(visit.query.pairs(), creem) {
        return Err(ShopError::bad(|words| words.error_signature));
    }
    may_ask(desk, visit)?;
    let checkout = creem_checkout::completed(creem, id, &user.id).await?;
    let facts = provider::creem::of_checkout(&checkout, visit.now.0);
    learn(desk, visit, ProviderName::Creem, facts).await?;
    if let Some(subscription) = checkout.pointer("/subscription/id").and_then(Value::as_str) {
        return mirror_of(desk, user.id.clone(), subscription.to_owned()).await;
    }
    let order = checkout.pointer("/order/id").and_then(Value::as_str).unwrap_or_default();
    order_of(desk, ProviderName::Creem, order.to_owned()).await
}

async fn order_of(desk: &Desk, name: ProviderName, sale: String) -> Result<Bought, ShopError> {
    let order = desk.database.look(move |base| base.order_of(name.name(), &sale)).await?;
    Ok(order.map_or(Bought::Coming, Bought::Order))
}

async fn mirror_of(desk: &Desk, user: String, id: String) -> Result<Bought, ShopError> {
    let all = desk.database.look(move |base| base.subscriptions(&user)).await?;
    let found = all.into_iter().find(|it| it.subscription == id);
    Ok(found.map_or(Bought::Coming, Bought::Subscription))
}

async fn retrieve(desk: &Desk, id: &str) -> Result<Value, ShopError> {
    let path = format!("/v1/checkout/sessions/{}", escape(id));
    let asked = json!({ "expand": ["subscription"] });
    match desk.stripe.get(&path, &asked).await {
        Err(error) if error.is_missing() => Err(ShopError::missing(|words| words.error_session)),
        other => Ok(other?),
    }
}

async fn of_subscription(desk: &Desk, visit: &Visit, session: &Value) -> Result<Bought, ShopError> {
    let Some(subscription) = session.get("subscription").filter(|it| it.is_object()) else {
        return Ok(Bought::Coming);
    };
    // Seen, not told: as old as the subscription itself, so that every event outweighs it.
    let at = subscription.get("created").and_then(Value::as_i64).unwrap_or_default();
    let mut facts = stripe::of_subscription(subscription, at, "", BTreeMap::new());
    if let Some(invoice) = text(session, "invoice") {
        let path = format!("/v1/invoices/{}", escape(invoice));
        let invoice = desk.stripe.get(&path, &json!({ "expand": ["payments"] })).await?;
        facts.extend(stripe::of_invoice(&invoice));
    }
    learn(desk, visit, ProviderName::Stripe, facts).await?;
    mirror_of(desk, visit.signed_in()?.id.clone(), string(subscription, "id")).await
}

/// Works in what was learnt by asking.
async fn learn(
    desk: &Desk,
    visit: &Visit,
    name: ProviderName,
    facts: Vec<Fact>,
) -> Result<(), ShopError> {
    let now = visit.now;
    let change = desk.database.change(move |base| projection::learn(base, name, &facts, now));
    Ok(change.await?)
}

/// `GET /api/payment/verify-success`.
pub async fn verify_success(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let data = match verify(&desk, &visit).await? {
        Bought::Order(order) => json!({ "order": {
            "id": order.id,
            "status": order.status.name(),
            "amountTotal": plain(order.amount, &order.currency),
            "currency": order.currency.to_uppercase(),
        }}),
        Bought::Subscription(it) => json!({ "subscription": {
            "id": it.subscription,
            "status": it.status,
            "currentPeriodEnd": Timestamp(it.until).rfc3339(),
        }}),
        Bought::Coming => json!({ "order": null }),
    };
    Ok(answer::json(StatusCode::OK, &json!({ "success": true, "data": data })))
}

/// An amount as the answer has it: `29.00`, and `980` where a currency has nothing smaller.
fn plain(minor: i64, currency: &str) -> String {
    match currency.parse::<Currency>() {
        Ok(currency) => Money::new(minor, currency).plain(),
        Err(_) => minor.to_string(),
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ heading }}</h1><p>{{ text }}</p>
{% if !facts.is_empty() %}<dl>{% for (name, value) in facts %}<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>{% endif %}
<p><a class="button" href="/account">{{ words.nav_account }}</a></p></section>"#
)]
struct Success {
    heading: &'static str,
    text: &'static str,
    facts: Vec<(&'static str, String)>,
    words: &'static Words,
}

/// The page that a buyer lands on.
pub async fn success(desk: Arc<Desk>, visit: Visit) -> Outcome {
    if visit.query.get("provider").is_none() {
        let odd = Error::Unreadable { status: 200, request_id: None };
        return Ok(answer::see_other("/pricing").ok_or(odd)?);
    }
    let words = visit.words();
    let bought = verify(&desk, &visit).await?;
    let is_paid = match &bought {
        Bought::Order(order) => !matches!(order.status, SaleStatus::Pending | SaleStatus::Failed),
        Bought::Subscription(it) => it.is_active(),
        Bought::Coming => false,
    };
    let facts = match bought {
        Bought::Order(order) => vec![
            (words.order, order.id.clone()),
            (words.amount, money(order.amount, &order.currency)),
            (words.status, sale_status(words, order.status).to_owned()),
        ],
        Bought::Subscription(it) => vec![
            (words.subscription, it.subscription.clone()),
            (words.status, subscription_status(words, &it.status).to_owned()),
        ],
        Bought::Coming => Vec::new(),
    };
    let (heading, text) = if is_paid {
        (words.success_title, words.success_text)
    } else {
        (words.coming_title, words.coming_text)
    };
    Ok(page::show(&visit, StatusCode::OK, heading, &Success { heading, text, facts, words }))
}
