//! The shop: its front page, what it logs, and the parts that it is put together from.

// What no day has used yet; it goes with the last gap.
#![allow(dead_code)]

mod checkout;
mod ledger;
mod meaning;
mod pages;
mod settings;
mod stripe;
mod webhook;

use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::task::spawn_blocking;

/// No event of Stripe's comes near it. What is larger is refused unread, which a sender may see as a reset.
const BODY_MAX: usize = 4 * 1024 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), String> {
    let settings = settings::get();
    ledger::prepare().map_err(|error| format!("{}: {error}", settings.ledger_db))?;
    let app = Router::new()
        .route("/", get(front_page))
        .route("/config", get(config))
        .route("/ledger", get(show_ledger))
        .route("/checkout", post(checkout::begin))
        .route("/success", get(pages::success))
        .route("/cancel", get(pages::cancel))
        .route("/webhook", post(webhook::receive))
        .route("/webhook/", post(webhook::receive))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(note))
        .into_make_service_with_connect_info::<SocketAddr>();
    let place = (settings.bind.as_str(), settings.port);
    let listener = tokio::net::TcpListener::bind(place).await;
    let listener = listener.map_err(|error| format!("port {}: {error}", settings.port))?;
    let place = listener.local_addr().map_err(|error| error.to_string())?;
    println!("the shop is open on http://{place}");
    axum::serve(listener, app).await.map_err(|error| error.to_string())
}

async fn note(request: Request, next: Next) -> Response {
    // Day 0: write one line for each request, once it is answered: method, address (uri), status.
    next.run(request).await
}

async fn front_page() -> Response {
    // Day 0: greet, and offer the tea by a form that posts to /checkout. Hide a new number in it as `order`:
    // day 1 makes it the idempotency key, so that a double click buys once.
    pages::page(StatusCode::NOT_IMPLEMENTED, "Not written yet", "<p>Day 0</p>")
}

/// What a browser may know: never more than the publishable key.
async fn config() -> Response {
    Json(json!({ "publishableKey": settings::get().publishable_key })).into_response()
}

async fn show_ledger(ConnectInfo(from): ConnectInfo<SocketAddr>, headers: HeaderMap) -> Response {
    let token = &settings::get().ledger_token;
    if token.is_empty() && !(from.ip().is_loopback() && names_this_machine(&headers)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let given = headers.get(AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    if !token.is_empty() && !stripe::same(given, format!("Bearer {token}").as_bytes()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match spawn_blocking(ledger::rows).await.map_err(|error| error.to_string()) {
        Ok(Ok(rows)) => Json(json!({ "rows": rows })).into_response(),
        Ok(Err(error)) => failed(&error.to_string()),
        Err(error) => failed(&error),
    }
}

/// Whether the Host is this machine: anybody's page can let a name of its own point here (DNS rebinding).
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| name.eq_ignore_ascii_case(local))
}

/// The shop's own fault: it is logged, and whoever asked may come again.
pub fn failed(problem: &str) -> Response {
    eprintln!("ERROR {problem}");
    let words = "<p>It is our fault. Please try again.</p>";
    pages::page(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", words)
}
