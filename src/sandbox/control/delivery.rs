//! `/_stripegym/deliveries`: what became of each event, for people and lessons.

use crate::sandbox::api::within::Within;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::list;
use crate::sandbox::engine::delivery::KIND;
use crate::sandbox::engine::emit;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::{Object, Stored};
use crate::sandbox::engine::private::{Delivery, Envelope, WebhookEndpointPart};
use crate::sandbox::engine::txn::View;
use axum::Router;
use axum::extract::Query;
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
pub fn deliveries(view: &View, filter: &Filter) -> Value {
    let fits = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    let accepts = |stored: &&Arc<Stored>| {
        stored.part::<Delivery>().is_some_and(|delivery| {
            fits(&filter.event, &delivery.event)
                && fits(&filter.endpoint, &delivery.endpoint)
                && fits(&filter.status, delivery.status.name())
        })
    };
    let named =
        [("event", &filter.event), ("endpoint", &filter.endpoint), ("status", &filter.status)];
    let key = named.iter().find_map(|(name, value)| Some(index::key(name, value.as_deref()?)));
    let limit = filter.limit.unwrap_or(LIMIT);
    let (found, has_more) = match view.table(KIND) {
        None => (Vec::new(), false),
        Some(table) => list::take(list::walk(table, key, u64::MAX, true).filter(accepts), limit),
    };
    let data: Vec<Value> = found.iter().filter_map(|stored| row(view, stored)).collect();
    json!({"object": "list", "data": data, "has_more": has_more, "url": "/_stripegym/deliveries"})
}

fn row(view: &View, stored: &Stored) -> Option<Value> {
    let delivery = stored.part::<Delivery>()?;
    let owner = view.at(&delivery.event_account);
    let event = owner.record::<Envelope>("event", &delivery.event);
    let endpoint = emit::endpoint(view, &delivery.endpoint);
    Some(json!({
        "id": &*stored.id,
        "event": delivery.event,
        "type": event.map(|event| &event.kind),
        "endpoint": delivery.endpoint,
        "url": endpoint.as_ref().map(|endpoint| emit::url(endpoint)),
        "status": delivery.status.name(),
        "created": delivery.created,
        "due": delivery.due,
        "attempts": delivery.attempts,
    }))
}

/// Serves the deliveries.
pub fn control_router() -> Router {
    Router::new()
        .route("/_stripegym/deliveries", get(answer))
        .route("/_stripegym/secrets", get(secrets))
}

/// The signing secrets of the endpoints, the newest first: whoever forges a delivery needs a genuine one beside it.
async fn secrets(Within(world): Within) -> impl IntoResponse {
    let found = world.read(|view| {
        let row = |endpoint: Arc<Object>| {
            let part = endpoint.part::<WebhookEndpointPart>();
            json!({"id": text(&endpoint, "id"), "url": emit::url(&endpoint), "secret": part.secret})
        };
        let all = emit::ENDPOINTS.iter().flat_map(|kind| view.newest(kind));
        let data: Vec<Value> = all.map(row).collect();
        json!({"object": "list", "data": data})
    });
    ([(CONTENT_TYPE, "application/json")], crate::wire::json::pretty(&found))
}

async fn answer(Within(world): Within, Query(filter): Query<Filter>) -> impl IntoResponse {
    let found = world.read(|view| deliveries(view, &filter));
    ([(CONTENT_TYPE, "application/json")], crate::wire::json::pretty(&found))
}
