//! `/_stripegym/checkout`, `/_stripegym/payment_intents`, `/_stripegym/payouts`, `/_stripegym/refunds` and
//! `/_stripegym/setup_intents`: what the customer or a bank would do, done by hand.

use crate::sandbox::api::within::Within;
use crate::sandbox::behaviour::checkout::finish;
use crate::sandbox::behaviour::payment::{confirm, refund, settle};
use crate::sandbox::behaviour::payout::machine::Step;
use crate::sandbox::behaviour::payout::send;
use crate::sandbox::behaviour::setup;
use crate::sandbox::control::{Sent, reply, respond};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PaymentIntentPart;
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::engine::worlds::World;
use crate::wire::failure::Failure;
use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use std::sync::Arc;

/// Whether what is done by hand goes well.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    #[serde(default = "well")]
    ok: bool,
}

const fn well() -> bool {
    true
}

/// The routes; each takes `?ok=false` (a session's `outcome=failed`) and answers with the object as it is afterwards.
pub fn control_router() -> Router {
    Router::new()
        .route("/_stripegym/payment_intents/{intent}/settle", post(settle_intent))
        .route("/_stripegym/payment_intents/{intent}/authenticate", post(authenticate_intent))
        .route("/_stripegym/payouts/{payout}/end", post(end_payout))
        .route("/_stripegym/refunds/{refund}/end", post(end_refund))
        .route("/_stripegym/setup_intents/{intent}/authenticate", post(authenticate_setup))
        .route("/_stripegym/checkout/{session}/settle", post(settle_session))
}

async fn settle_intent(
    Within(world): Within,
    Path(intent): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    play(&world, intent, move |txn, intent| settle::settle(txn, intent, verdict.ok)).await
}

async fn authenticate_intent(
    Within(world): Within,
    Path(intent): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    play(&world, intent, move |txn, intent| {
        confirm::authenticate(txn, intent, verdict.ok).map(drop)
    })
    .await
}

async fn authenticate_setup(
    Within(world): Within,
    Path(intent): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    act(&world, move |txn| setup::confirm::authenticate(txn, &intent, verdict.ok)).await
}

/// Has the bank take a payout or send it back, whether or not it was handed to it already.
async fn end_payout(
    Within(world): Within,
    Path(id): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    act(&world, move |txn| {
        let found = txn.find("payout", &id, "id")?;
        let sent = send::go(txn, &id, Step::Send);
        let last = if verdict.ok { Step::Arrive } else { Step::Bounce };
        let ended = send::go(txn, &id, last).or(sent);
        ended.ok_or_else(|| {
            let status = found.get("status").and_then(serde_json::Value::as_str);
            let status = status.unwrap_or_default();
            Failure::invalid(format!("This payout has ended already: it is `{status}`."))
        })
    })
    .await
}

async fn end_refund(
    Within(world): Within,
    Path(id): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    act(&world, move |txn| {
        let found = txn.find("refund", &id, "id")?;
        refund::ensure_open(&found)?;
        refund::end(txn, &id, if verdict.ok { "succeeded" } else { "failed" });
        txn.find("refund", &id, "id")
    })
    .await
}

/// Plays the store or the bank of a session's delayed payment: `outcome=succeeded` or `outcome=failed`.
async fn settle_session(Within(world): Within, Path(id): Path<String>, sent: Sent) -> Response {
    let paid = match sent.text("outcome").as_deref() {
        Some("succeeded") => true,
        Some("failed") => false,
        Some(_) => {
            let text = "Invalid outcome: must be one of succeeded or failed";
            return respond(Err(Failure::invalid(text).param("outcome")));
        }
        None => {
            let failure = Failure::invalid("Missing required param: outcome.");
            return respond(Err(failure.code("parameter_missing").param("outcome")));
        }
    };
    act(&world, move |txn| finish::settle(txn, &id, paid)).await
}

/// A session has to hear what becomes of its intent, so it is settled itself.
fn ensure_sessionless(txn: &Txn<'_>, id: &str) -> Result<(), Failure> {
    let intent = txn.find("payment_intent", id, "id")?;
    let Some(session) = intent.part::<PaymentIntentPart>().session.clone() else { return Ok(()) };
    Err(Failure::invalid(format!(
        "This PaymentIntent belongs to a Checkout Session. Use /_stripegym/checkout/{session}/settle, or its page."
    )))
}

/// Does something to an intent that no session waits for.
async fn play(
    world: &World,
    intent: String,
    run: impl FnOnce(&mut Txn<'_>, &str) -> Result<(), Failure> + Send + 'static,
) -> Response {
    act(world, move |txn| {
        ensure_sessionless(txn, &intent)?;
        run(txn, &intent)?;
        txn.find("payment_intent", &intent, "id")
    })
    .await
}

async fn act(
    world: &World,
    run: impl FnOnce(&mut Txn<'_>) -> Result<Arc<Object>, Failure> + Send + 'static,
) -> Response {
    match world.change(Origin::default(), run).await {
        Ok(doc) => reply(StatusCode::OK, &doc),
        Err(failure) => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            reply(status, &failure.body())
        }
    }
}
