//! `/_stripegym/creem/…`: what one does in Creem's dashboard, and what a buyer, a bank or time would do, done by hand.

use crate::sandbox::api::within::Within;
use crate::sandbox::behaviour::cards::CardEntry;
use crate::sandbox::control::delivery::{Filter, deliveries};
use crate::sandbox::control::{Sent, reply, respond};
use crate::sandbox::creem::check::{self, Field, Kind, may};
use crate::sandbox::creem::document::{all, find, refuse, set, text};
use crate::sandbox::creem::pay::{self, Payer};
use crate::sandbox::creem::{
    ACCOUNT, checkout, licence, renewal, subscription, transaction, webhook,
};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{CreemPart, WebhookEndpointPart};
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::engine::worlds::World;
use crate::wire::failure::Failure;
use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The routes; all of them answer JSON.
pub fn control_router() -> Router {
    Router::new()
        .route("/_stripegym/creem/webhooks", get(webhooks).post(add_webhook))
        .route("/_stripegym/creem/deliveries", get(sent))
        .route("/_stripegym/creem/checkouts/{id}/pay", post(pay_checkout))
        .route("/_stripegym/creem/products/{id}/licences", post(offer_licences))
        .route("/_stripegym/creem/subscriptions/{id}/renew", post(renew))
        .route("/_stripegym/creem/subscriptions/{id}/renewals", post(decide_renewals))
        .route("/_stripegym/creem/transactions/{id}/dispute", post(dispute))
}

/// What a webhook can be registered with beyond what Creem's API takes.
const WEBHOOK: &[Field] = &[
    may("url", Kind::Url),
    may("events", Kind::EachOf(webhook::EVENTS)),
    may("secret", Kind::Text),
    may("signature", Kind::OneOf(&["plain", "both"])),
];

/// The webhooks with their secrets, as the dashboard shows them.
async fn webhooks(Within(world): Within) -> Response {
    let found = world.at(ACCOUNT).read(|view| {
        let shown = |it: &Arc<Object>| {
            let part = it.part::<WebhookEndpointPart>();
            let signature = if part.standard { "both" } else { "plain" };
            json!({"id": text(it, "id"), "url": text(it, "url"), "secret": part.secret, "signature": signature})
        };
        all(view, webhook::KIND, |_| true).iter().map(shown).collect::<Vec<_>>()
    });
    reply(StatusCode::OK, &json!({"webhooks": found}))
}

/// Registers an address: `url`, and where wanted `events`, `secret` and `signature=both`.
async fn add_webhook(Within(world): Within, Sent(sent): Sent) -> Response {
    let sent = named(sent, &["events"]);
    let made = match check::body(WEBHOOK, &sent) {
        Err(faults) => Err(refuse(400, faults.join("; "))),
        Ok(mut sent) => {
            let own = sent.remove("secret").and_then(|it| it.as_str().map(str::to_owned));
            let both = sent.remove("signature").is_some_and(|it| it == "both");
            act(&world, move |txn| {
                let secret = own.unwrap_or_else(|| txn.new_id("whsec_", 32));
                webhook::make(txn, &sent, &secret, both)
            })
            .await
        }
    };
    respond(made)
}

/// Lists that came as text, with commas between their parts.
fn named(mut sent: Map<String, Value>, lists: &[&str]) -> Map<String, Value> {
    for name in lists {
        let parts = sent.get(*name).and_then(Value::as_str);
        let parts = parts.map(|text| json!(text.split(',').map(str::trim).collect::<Vec<_>>()));
        if let Some(parts) = parts {
            sent.insert((*name).to_owned(), parts);
        }
    }
    sent
}

/// What became of each event.
async fn sent(Within(world): Within, Query(filter): Query<Filter>) -> Response {
    reply(StatusCode::OK, &world.at(ACCOUNT).read(|view| deliveries(view, &filter)))
}

/// Pays a checkout as a buyer would: `email` and `card` where they are not the usual ones.
async fn pay_checkout(Within(world): Within, Path(id): Path<String>, sent: Sent) -> Response {
    let only = sent.only(&["email", "name", "card", "discount_code"]);
    let done = match only {
        Err(failure) => Err(failure),
        Ok(()) => {
            act(&world, move |txn| {
                if let Some(code) = sent.text("discount_code") {
                    checkout::choose(txn, &id, &code)?;
                }
                let known = find(txn, checkout::KIND, &id)?.part::<CreemPart>().customer.clone();
                let email = sent.text("email").or(Some(known).filter(|it| !it.is_empty()));
                let card = CardEntry {
                    number: sent.text("card").unwrap_or_else(|| "4242424242424242".to_owned()),
                    exp_month: 12,
                    exp_year: 2050,
                    cvc: Some("123".to_owned()),
                    ..CardEntry::default()
                };
                let payer = Payer {
                    email: email.unwrap_or_else(|| "buyer@example.com".to_owned()),
                    name: sent.text("name"),
                    card: Some(card),
                    ..Payer::default()
                };
                let paid = pay::pay(txn, &id, &payer)?;
                let mut shown = checkout::show(txn, &paid);
                if let Value::Object(doc) = &mut shown {
                    set(doc, "redirect_url", checkout::success(&paid).map(|url| json!(url)));
                }
                Ok(shown)
            })
            .await
        }
    };
    respond(done)
}

/// Has a product issue licence keys: `activations`, 1 where nobody says.
async fn offer_licences(Within(world): Within, Path(id): Path<String>, sent: Sent) -> Response {
    let often = sent.text("activations").map_or(Some(1), |text| text.parse().ok());
    let done = match often.filter(|often| *often > 0) {
        Some(often) => act(&world, move |txn| licence::offer(txn, &id, often)).await,
        None => Err(refuse(400, "activations must be a whole number from 1")),
    };
    respond(done)
}

/// Does now what the end of a subscription's period would: `ok=false` has the payment fail.
async fn renew(Within(world): Within, Path(id): Path<String>, sent: Sent) -> Response {
    respond(match wanted(&sent) {
        Err(failure) => Err(failure),
        Ok(ok) => {
            act(&world, move |txn| {
                let fails = find(txn, subscription::KIND, &id)?.part::<CreemPart>().fails;
                if let Some(ok) = ok {
                    decide(txn, &id, ok);
                }
                renewal::renew(txn, &id);
                decide(txn, &id, !fails);
                subscription::shown(txn, &id)
            })
            .await
        }
    })
}

/// Decides how the payments of a subscription go from now on: `ok=false` fails each, `ok=true` leaves it to the card.
async fn decide_renewals(Within(world): Within, Path(id): Path<String>, sent: Sent) -> Response {
    respond(match wanted(&sent) {
        Err(failure) => Err(failure),
        Ok(ok) => {
            act(&world, move |txn| {
                find(txn, subscription::KIND, &id)?;
                decide(txn, &id, ok.unwrap_or(true));
                subscription::shown(txn, &id)
            })
            .await
        }
    })
}

fn wanted(sent: &Sent) -> Result<Option<bool>, Failure> {
    sent.only(&["ok"])?;
    match sent.text("ok").as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(refuse(400, "ok must be true or false").param("ok")),
    }
}

fn decide(txn: &mut Txn<'_>, id: &str, ok: bool) {
    txn.edit_part(subscription::KIND, id, |part: &mut CreemPart| part.fails = !ok);
}

/// Has the buyer's bank take a transaction back.
async fn dispute(Within(world): Within, Path(id): Path<String>) -> Response {
    respond(act(&world, move |txn| transaction::dispute(txn, &id)).await)
}

async fn act(
    world: &World,
    run: impl FnOnce(&mut Txn<'_>) -> Result<Value, Failure> + Send + 'static,
) -> Result<Value, Failure> {
    world.at(ACCOUNT).change(Origin::default(), run).await
}
