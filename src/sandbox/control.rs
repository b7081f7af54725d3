//! What only the sandbox has, under `/_stripegym/`: its clock, its request log, what it models.

use crate::catalog::Catalog;
use crate::catalog::route::Endpoint;
use crate::sandbox::jobs;
use crate::sandbox::object;
use crate::sandbox::within::Within;
use crate::wire::json::pretty;
use axum::Router;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The routes; all of them answer JSON.
pub fn router() -> Router {
    Router::new()
        .route("/_stripegym/status", get(status))
        .route("/_stripegym/endpoints", get(endpoints))
        .route("/_stripegym/clock/advance", post(advance))
}

/// JSON with a status.
pub fn reply(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], pretty(value)).into_response()
}

async fn status(Within(world): Within) -> Response {
    let site = world.site();
    let now = world.now().0;
    let jobs_due = world.read(|view| view.table("_job").map_or(0, |jobs| jobs.due(now).count()));
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

async fn advance(Within(world): Within, Query(query): Query<HashMap<String, String>>) -> Response {
    let Some(seconds) = query.get("seconds").and_then(|text| text.parse::<u32>().ok()) else {
        let body = json!({"error": {"message": "Say how far: ?seconds=N, a whole number."}});
        return reply(StatusCode::BAD_REQUEST, &body);
    };
    let engine = world.engine();
    engine.clock().advance(seconds);
    jobs::run_due(&world).await;
    engine.wake_all();
    reply(StatusCode::OK, &json!({"now": world.now().0}))
}
