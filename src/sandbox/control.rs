//! What only the sandbox has, under `/_stripegym/`: its clock, its request log, what it models.

use crate::catalog::Catalog;
use crate::catalog::route::Endpoint;
use crate::sandbox::engine::Engine;
use crate::sandbox::jobs;
use crate::sandbox::object;
use crate::wire::json::pretty;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows that the request log shows at once.
const LOG_ROWS_SHOWN: usize = 100;

/// The routes; all of them answer JSON.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/_stripegym/status", get(status))
        .route("/_stripegym/endpoints", get(endpoints))
        .route("/_stripegym/clock/advance", post(advance))
        .route("/_stripegym/requests", get(requests))
        .route("/_stripegym/requests/{id}", get(request))
        .with_state(engine)
}

/// JSON with a status.
pub fn reply(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], pretty(value)).into_response()
}

async fn status(State(engine): State<Arc<Engine>>) -> Response {
    let site = engine.site();
    let now = engine.now().0;
    let jobs_due = engine.read(|state| state.due("_job", now)).await.len();
    let body = json!({
        "name": "stripegym", "version": env!("CARGO_PKG_VERSION"),
        "api_version": site.api_version, "now": now, "base_url": site.base_url,
        "jobs_due": jobs_due,
    });
    reply(StatusCode::OK, &body)
}

/// Every endpoint of the API, by whether it has behaviour of its own here.
async fn endpoints() -> Response {
    let all = Catalog::get().routes().all().iter().map(Endpoint::key);
    let (modelled, not_yet): (Vec<&str>, Vec<&str>) =
        all.partition(|key| object::handler(key).is_some());
    reply(StatusCode::OK, &json!({"modelled": modelled, "not_modelled_yet": not_yet}))
}

async fn advance(
    State(engine): State<Arc<Engine>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(seconds) = query.get("seconds").and_then(|text| text.parse::<u32>().ok()) else {
        let body = json!({"error": {"message": "Say how far: ?seconds=N, a whole number."}});
        return reply(StatusCode::BAD_REQUEST, &body);
    };
    engine.clock().advance(seconds);
    jobs::run_due(&engine).await;
    engine.wake();
    reply(StatusCode::OK, &json!({"now": engine.now().0}))
}

async fn requests(State(engine): State<Arc<Engine>>) -> Response {
    let rows = engine.recent_requests(LOG_ROWS_SHOWN, |_| true);
    reply(StatusCode::OK, &json!({"requests": rows}))
}

async fn request(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Response {
    let rows = engine.recent_requests(1, |row| row.id == id);
    if let Some(row) = rows.first() {
        return reply(StatusCode::OK, row);
    }
    let text = format!("No request {id} among the last ones that this process answered.");
    reply(StatusCode::NOT_FOUND, &json!({"error": {"message": text}}))
}
