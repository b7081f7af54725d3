//! Begins a purchase: makes a Checkout Session and sends the buyer to its page.

use crate::pages;
use crate::settings;
use crate::stripe::{self, Failure};
use axum::extract::Form;
use axum::extract::rejection::FormRejection;
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::collections::HashMap;
use tokio::task::spawn_blocking;

// The shop's own prices. In yen the smallest unit is the yen itself: 500 is ¥500.
pub const NAME: &str = "Green tea, 100 g";
pub const PRICE: i64 = 500;
pub const CURRENCY: &str = "jpy";

type Fields = Result<Form<HashMap<String, String>>, FormRejection>;

pub async fn begin(headers: HeaderMap, form: Fields) -> Response {
    // A form is welcome and not needed: everything that counts is decided here.
    let order = form.ok().and_then(|Form(mut fields)| fields.remove("order"));
    let order = order.filter(|it| is_order(it)).unwrap_or_else(new_order);
    let shop = shop(&headers);
    match spawn_blocking(move || create(&order, &shop)).await {
        Ok(Ok(session)) => {
            let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
            println!("session {} for {} {}", text("id"), session["amount_total"], text("currency"));
            (StatusCode::SEE_OTHER, [(LOCATION, text("url"))]).into_response()
        }
        Ok(Err(failure)) => {
            eprintln!("ERROR no session: {failure}");
            let words = "<p>Please try again later.</p>";
            pages::page(StatusCode::BAD_GATEWAY, "The checkout is closed", words)
        }
        Err(error) => crate::failed(&error.to_string()),
    }
}

fn create(order: &str, shop: &str) -> Result<Value, Failure> {
    let form = [
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", CURRENCY),
        ("line_items[0][price_data][unit_amount]", &PRICE.to_string()),
        ("line_items[0][price_data][product_data][name]", NAME),
        ("line_items[0][quantity]", "1"),
        ("success_url", &format!("{shop}/success?session_id={{CHECKOUT_SESSION_ID}}")),
        ("cancel_url", &format!("{shop}/cancel")),
        ("client_reference_id", order),
    ];
    stripe::create("/v1/checkout/sessions", &form, &format!("checkout-{order}"))
}

/// How the buyer reached the shop, and so will come back to it.
fn shop(headers: &HeaderMap) -> String {
    let settings = settings::get();
    if !settings.public_url.is_empty() {
        return settings.public_url.clone();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match host {
        Some(host) => format!("http://{host}"),
        None => format!("http://127.0.0.1:{}", settings.port),
    }
}

/// A number for a new purchase: 128 random bits, as a UUID of version 4.
pub fn new_order() -> String {
    let random = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
    // A machine without randomness could not even make the connection to Stripe.
    let (high, low) = random.unwrap_or_default();
    let all = (u128::from(high) << 64 | u128::from(low)) & !(0xf << 76 | 0x3 << 62);
    let hex = format!("{:032x}", all | 0x4 << 76 | 0x2 << 62);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn is_order(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_numbered_apart() {
        let (one, other) = (new_order(), new_order());
        assert!(is_order(&one) && is_order(&other) && one != other, "{one} {other}");
        assert!(!is_order("1") && !is_order(&format!("{one}0")));
    }
}
