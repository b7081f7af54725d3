//! `/_stripegym/deliveries`: what became of each event, for people and lessons.

use crate::sandbox::engine::Engine;
use crate::sandbox::object::text;
use crate::sandbox::state::State;
use axum::Router;
use axum::extract::{Query, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many deliveries are told where nobody says how many.
const LIMIT: usize = 100;

/// Which deliveries are wanted; a filter that is not set accepts all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `evt_…`.
    pub event: Option<String>,
    /// `we_…`.
    pub endpoint: Option<String>,
    /// `pending`, `succeeded`, `failed` or `canceled`.
    pub status: Option<String>,
    /// How many at most.
    pub limit: Option<usize>,
}

/// The deliveries that a filter accepts, newest first, each with its event's type, its URL and its attempts.
pub fn deliveries(state: &State, filter: &Filter) -> Value {
    let accepts = |doc: &Value, name: &str, wanted: &Option<String>| {
        wanted.as_deref().is_none_or(|wanted| text(doc, name) == wanted)
    };
    let limit = filter.limit.unwrap_or(LIMIT);
    let mut rows = state.newest("_delivery").filter(|doc| {
        accepts(doc, "event", &filter.event)
            && accepts(doc, "endpoint", &filter.endpoint)
            && accepts(doc, "status", &filter.status)
    });
    let data: Vec<Value> = rows.by_ref().take(limit).map(|doc| row(state, doc)).collect();
    json!({"object": "list", "data": data, "has_more": rows.next().is_some(), "url": "/_stripegym/deliveries"})
}

fn row(state: &State, delivery: &Value) -> Value {
    let member = |kind: &str, id: &str, name: &str| {
        state.get(kind, id).and_then(|doc| doc.get(name)).cloned().unwrap_or(Value::Null)
    };
    json!({
        "id": delivery.get("id"),
        "event": delivery.get("event"),
        "type": member("event", text(delivery, "event"), "type"),
        "endpoint": delivery.get("endpoint"),
        "url": member("webhook_endpoint", text(delivery, "endpoint"), "url"),
        "status": delivery.get("status"),
        "created": delivery.get("created"),
        "due": delivery.get("due"),
        "attempts": delivery.get("attempts"),
    })
}

/// Serves the deliveries.
pub fn control_router(engine: Arc<Engine>) -> Router {
    Router::new().route("/_stripegym/deliveries", get(answer)).with_state(engine)
}

async fn answer(
    Shared(engine): Shared<Arc<Engine>>,
    Query(filter): Query<Filter>,
) -> impl IntoResponse {
    let found = engine.read(|state| deliveries(state, &filter)).await;
    ([(CONTENT_TYPE, "application/json")], crate::wire::json::pretty(&found))
}
