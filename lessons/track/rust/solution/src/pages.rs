//! What a buyer reads. The pages after Checkout tell how the purchase stands; they never decide it.

use crate::stripe::{self, Failure};
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;
use std::collections::HashMap;
use tokio::task::spawn_blocking;

const ZERO_DECIMAL: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
];
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];
const HOME: &str = "<p><a href=\"/\">Back to the shop</a></p>";

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A whole page; `title` is escaped here, `body` is HTML already.
pub fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1>{body}</html>"
    );
    (status, Html(html)).into_response()
}

/// An amount in the currency's smallest unit, as people write it.
pub fn money(amount: i64, currency: &str) -> String {
    let places = match currency {
        _ if ZERO_DECIMAL.contains(&currency) => 0,
        _ if THREE_DECIMAL.contains(&currency) => 3,
        _ => 2,
    };
    let unit = 10_i64.pow(places);
    let mut whole = (amount / unit).to_string();
    let mut at = whole.len();
    while at > 3 {
        at -= 3;
        whole.insert(at, ',');
    }
    if places > 0 {
        let width = places as usize;
        whole = format!("{whole}.{:0width$}", amount % unit);
    }
    if currency == "jpy" {
        format!("¥{whole}")
    } else {
        format!("{whole} {}", currency.to_uppercase())
    }
}

pub async fn success(Query(query): Query<HashMap<String, String>>) -> Response {
    let id = query.get("session_id").cloned().unwrap_or_default();
    let session = match spawn_blocking(move || find(&id)).await {
        Ok(Ok(Some(session))) => session,
        Ok(Ok(None)) => {
            let body = format!("<p>There is nothing to show here.</p>{HOME}");
            return page(StatusCode::NOT_FOUND, "No such purchase", &body);
        }
        Ok(Err(failure)) => {
            eprintln!("ERROR no answer about a session: {failure}");
            let body = format!("<p>We cannot see your purchase just now.</p>{HOME}");
            return page(StatusCode::SERVICE_UNAVAILABLE, "One moment", &body);
        }
        Err(error) => return crate::failed(&error.to_string()),
    };
    let text = |name: &str| session[name].as_str().unwrap_or_default();
    let (title, words) = match (text("status"), text("payment_status")) {
        ("complete", "unpaid") => ("Almost there", "We send the tea once the money has arrived."),
        ("complete", _) => ("Thank you", "The payment has arrived."),
        _ => ("Not paid yet", "The payment is not complete."),
    };
    let amount = money(session["amount_total"].as_i64().unwrap_or(0), text("currency"));
    let body = format!("<p>{words}</p><p>{amount} · {}</p>{HOME}", escape(text("id")));
    page(StatusCode::OK, title, &body)
}

pub async fn cancel() -> Response {
    let body = format!("<p>You came back without paying. Nothing was charged.</p>{HOME}");
    page(StatusCode::OK, "Not bought", &body)
}

/// The session as Stripe has it, `None` where there is none of this id.
fn find(id: &str) -> Result<Option<Value>, Failure> {
    // It becomes a part of an address: nothing but an id may.
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.starts_with("cs_") || !id.bytes().all(is_id) {
        return Ok(None);
    }
    match stripe::retrieve(&format!("/v1/checkout/sessions/{id}")) {
        Ok(session) => Ok(Some(session)),
        Err(Failure::Refused { status: 404, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_places_of_their_currency() {
        assert_eq!(money(500, "jpy"), "¥500");
        assert_eq!(money(1_234_567, "jpy"), "¥1,234,567");
        assert_eq!(money(500, "usd"), "5.00 USD");
        assert_eq!(money(5, "usd"), "0.05 USD");
        assert_eq!(money(5_000_500, "kwd"), "5,000.500 KWD");
    }
}
