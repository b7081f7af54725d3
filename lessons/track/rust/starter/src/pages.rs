//! What a buyer reads. The pages after Checkout tell how the purchase stands; they never decide it.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

const ZERO_DECIMAL: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
];
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

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

pub async fn success() -> Response {
    // Day 2: look the session up by its id (`stripe::retrieve`), say whether it is paid, still awaited or
    // open, answer 404 where there is none, and lead back to the shop. Reading a page never pays anything.
    page(StatusCode::OK, "Done", "<p>Day 2</p>")
}

pub async fn cancel() -> Response {
    // Day 2: say that nothing was charged, and lead back to the shop.
    page(StatusCode::OK, "Done", "<p>Day 2</p>")
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
