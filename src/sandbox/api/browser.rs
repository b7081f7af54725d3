//! Calls of pages in browsers: keys among the parameters, and the headers that let a page read its answer.

use crate::domain::host::is_loopback;
use crate::domain::secret::{ApiKey, KeyKind};
use crate::wire::form::unescape_segment;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};

/// What a page may read of an answer, and send with a call.
const OPEN: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT, PATCH, POST, DELETE"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Request-Id, Stripe-Should-Retry"),
    (header::ACCESS_CONTROL_MAX_AGE, "300"),
];

/// The answer to a browser that asks whether a page may call; who calls is seen when it does.
pub fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    open(response.headers_mut());
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let allowed = asked.unwrap_or_else(|| HeaderValue::from_static("Authorization, Content-Type"));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    response
}

/// Lets any page read an answer.
pub fn open(headers: &mut HeaderMap) {
    for (name, value) in OPEN {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether a key must not be seen by pages.
pub fn is_secret(key: &str) -> bool {
    ApiKey::read(key).is_some_and(|key| key.kind() != KeyKind::Publishable)
}

/// Whether the call comes from a page that is neither of this machine nor of the sandbox's own address.
pub fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().unwrap_or_default();
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let by_own = own.is_some() && own == origin.split_once("://").map(|(_, authority)| authority);
    !by_own && !is_loopback(origin)
}

/// Takes the API key out of a form or a query, where one stands there as `key`.
pub fn take_key(sent: &mut Vec<u8>) -> Option<String> {
    let text = std::str::from_utf8(sent).ok().filter(|text| text.contains("key="))?;
    let mut found = None;
    let rest: Vec<&str> = text
        .split('&')
        .filter(|pair| {
            let value = pair.strip_prefix("key=").map(unescape_segment);
            let key = value.filter(|value| ApiKey::read(value).is_some());
            let is_key = key.is_some();
            found = key.or(found.take());
            !is_key
        })
        .collect();
    let rest = rest.join("&").into_bytes();
    if found.is_some() {
        *sent = rest;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_out_of_a_form_and_nothing_else_is() {
        let mut form = b"amount=5&key=pk_test_1&currency=jpy".to_vec();
        assert_eq!(take_key(&mut form).as_deref(), Some("pk_test_1"));
        assert_eq!(form, b"amount=5&currency=jpy");
        let mut other = b"key=colour&lookup_key=pk_test_1".to_vec();
        assert_eq!(take_key(&mut other), None);
        assert_eq!(other, b"key=colour&lookup_key=pk_test_1");
    }

    #[test]
    fn a_page_of_this_machine_is_not_foreign() {
        let foreign = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("192.168.0.5:12111"));
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            is_foreign(&headers)
        };
        for own in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:5",
            "http://192.168.0.5:12111",
        ] {
            assert!(!foreign(own), "{own}");
        }
        for other in ["https://example.com", "http://localhost.example.com", "null"] {
            assert!(foreign(other), "{other}");
        }
        assert!(!is_foreign(&HeaderMap::new()));
    }
}
