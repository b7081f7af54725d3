//! Begins a purchase: makes a Checkout Session and sends the buyer to its page.

use crate::pages;
use axum::http::StatusCode;
use axum::response::Response;

// The shop's own prices. In yen the smallest unit is the yen itself: 500 is ¥500.
pub const NAME: &str = "Green tea, 100 g";
pub const PRICE: i64 = 500;
pub const CURRENCY: &str = "jpy";

pub async fn begin() -> Response {
    // Day 1: make a Checkout Session with `stripe::create` (mode "payment", one line item, success_url with
    // {CHECKOUT_SESSION_ID}, cancel_url; the prices are the shop's own, whatever a form says) under an
    // idempotency key, and lead the browser to its `url` with 303.
    pages::page(StatusCode::NOT_IMPLEMENTED, "Not written yet", "<p>Day 1</p>")
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
