//! `/_stripegym/payment_intents` and `/_stripegym/refunds`: what the customer or a bank would do, done by hand.

use crate::sandbox::control::reply;
use crate::sandbox::engine::Engine;
use crate::sandbox::object::text;
use crate::sandbox::payment::{confirm, refund, settle};
use crate::sandbox::txn::{Origin, Txn};
use crate::wire::failure::Failure;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::Value;
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

/// The routes; each takes `?ok=false` and answers with the object as it is afterwards.
pub fn control_router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/_stripegym/payment_intents/{intent}/settle", post(settle_intent))
        .route("/_stripegym/payment_intents/{intent}/authenticate", post(authenticate_intent))
        .route("/_stripegym/refunds/{refund}/end", post(end_refund))
        .with_state(engine)
}

async fn settle_intent(
    State(engine): State<Arc<Engine>>,
    Path(intent): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    play(&engine, intent, move |txn, intent| settle::settle(txn, intent, verdict.ok)).await
}

async fn authenticate_intent(
    State(engine): State<Arc<Engine>>,
    Path(intent): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    play(&engine, intent, move |txn, intent| {
        confirm::authenticate(txn, intent, verdict.ok).map(drop)
    })
    .await
}

async fn end_refund(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(verdict): Query<Verdict>,
) -> Response {
    act(&engine, move |txn| {
        let found = txn.find("refund", &id, "id")?;
        refund::ensure_open(&found)?;
        refund::end(txn, &id, if verdict.ok { "succeeded" } else { "failed" });
        txn.find("refund", &id, "id")
    })
    .await
}

/// A session has to hear what becomes of its intent, so it is settled itself.
fn ensure_sessionless(txn: &Txn<'_>, id: &str) -> Result<(), Failure> {
    let intent = txn.find("payment_intent", id, "id")?;
    let session = text(&intent, "_session");
    if session.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "This PaymentIntent belongs to a Checkout Session. Use /_stripegym/checkout/{session}/settle, or its page."
    )))
}

/// Does something to an intent that no session waits for.
async fn play(
    engine: &Engine,
    intent: String,
    run: impl FnOnce(&mut Txn<'_>, &str) -> Result<(), Failure> + Send + 'static,
) -> Response {
    act(engine, move |txn| {
        ensure_sessionless(txn, &intent)?;
        run(txn, &intent)?;
        txn.find("payment_intent", &intent, "id")
    })
    .await
}

async fn act(
    engine: &Engine,
    run: impl FnOnce(&mut Txn<'_>) -> Result<Arc<Value>, Failure> + Send + 'static,
) -> Response {
    match engine.change(Origin::default(), run).await {
        Ok(doc) => reply(StatusCode::OK, &doc),
        Err(failure) => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            reply(status, &failure.body())
        }
    }
}
