//! Where Stripe tells what happened. Only genuine events come in, and 2xx means: it is written down.
//!
//! The answer decides what Stripe does next. 400 is for what can never be accepted. A failure of the shop's
//! own must become 500, so that the event comes again.

use crate::ledger;
use crate::meaning::{self, Event};
use crate::settings;
use crate::stripe;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::task::spawn_blocking;

pub async fn receive(headers: HeaderMap, body: Bytes) -> Response {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    let event = match genuine(&body, signature.unwrap_or_default()) {
        Ok(event) => event,
        Err(reason) => {
            eprintln!("WARNING refused an event: {reason}");
            return (StatusCode::BAD_REQUEST, "not a genuine event").into_response();
        }
    };
    let label = format!("{} {}", event.id, event.kind);
    if event.livemode != settings::get().live {
        eprintln!("WARNING {label} left alone: it is of the other mode than the key");
        return StatusCode::OK.into_response();
    }
    let Some(fact) = event.fact.clone() else {
        println!("{label} means nothing for the ledger");
        return StatusCode::OK.into_response();
    };
    match spawn_blocking(move || {
        ledger::record(&event.id, &event.kind, &fact).map(|new| (new, fact))
    })
    .await
    {
        Ok(Ok((true, fact))) => println!("{label} recorded: {fact}"),
        Ok(Ok((false, _))) => println!("{label} is already recorded"),
        Ok(Err(error)) => return crate::failed(&format!("{label}: {error}")),
        Err(error) => return crate::failed(&format!("{label}: {error}")),
    }
    StatusCode::OK.into_response()
}

/// The event, if its signature fits the very bytes that came and is at most five minutes old.
fn genuine(body: &[u8], signature: &str) -> Result<Event, &'static str> {
    stripe::verify(body, signature, &settings::get().webhook_secret)?;
    let json = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
    meaning::of(&json).ok_or("it is not an event, or one without what the ledger needs")
}
