//! Answers of the pages: HTML and redirects, with the headers that keep them to themselves.

use crate::domain::locale::Locale;
use crate::sandbox::api::browser;
use crate::sandbox::page::leave;
use crate::words::accept;
use askama::Template;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

/// Where a page may be shown, and what it may do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By itself alone.
    Alone,
    /// Above a merchant's page, too: what Stripe.js asks of a payer.
    Above,
    /// Within a merchant's page, with a script: an element of Stripe.js.
    Element,
    /// Within a merchant's page, with a form of its own: Checkout.
    Checkout,
}

impl Framing {
    /// No foreign styles, and scripts and frames only where they are needed. `form-action` is left out of pages
    /// with forms: browsers apply it to the redirect that follows a form, which leads to the shop.
    const fn policy(self) -> &'static str {
        match self {
            Self::Alone => {
                "default-src 'none'; style-src 'self'; img-src https: http: data:; base-uri 'none'; frame-ancestors 'none'"
            }
            Self::Above => {
                "default-src 'none'; style-src 'self'; img-src https: http: data:; base-uri 'none'; frame-ancestors *"
            }
            Self::Checkout => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src https: http: data:; base-uri 'none'; frame-ancestors *"
            }
            Self::Element => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
            }
        }
    }
}

const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// A rendered page that is shown by itself.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    page_in(Framing::Alone, status, template)
}

/// A rendered page.
pub fn page_in(framing: Framing, status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            guarded((status, kind, html).into_response(), framing)
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            guarded(StatusCode::INTERNAL_SERVER_ERROR.into_response(), framing)
        }
    }
}

/// JSON that a merchant's page may read, whatever its address.
pub fn open_json(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let mut response = guarded((status, kind, value.to_string()).into_response(), Framing::Alone);
    browser::open(response.headers_mut());
    response
}

/// A file to look at or to keep under a name.
pub fn file(kind: &'static str, name: &str, content: Vec<u8>) -> Response {
    let mut response = guarded((StatusCode::OK, content).into_response(), Framing::Alone);
    let name = format!("inline; filename=\"{}\"", leave::location(name).replace('"', ""));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// Sends the browser on with a GET.
pub fn see_other(url: &str) -> Response {
    let to = HeaderValue::from_str(&leave::location(url));
    let to = to.unwrap_or_else(|_| HeaderValue::from_static("/"));
    guarded((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(), Framing::Alone)
}

/// The stylesheet of every page.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

/// A stylesheet or a script. Any page may load it, also one that checks what it loads.
pub fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, text).into_response()
}

/// The language that a request asks for; `locale` is the session's.
pub fn language(uri: &Uri, headers: &HeaderMap, locale: Option<&str>) -> Locale {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    choose(query(uri, "lang"), locale, accepted)
}

/// The language of a page: asked for in the address, set by the merchant, or preferred by the browser.
fn choose(asked: Option<&str>, locale: Option<&str>, accepted: Option<&str>) -> Locale {
    let named = |text: Option<&str>| text.and_then(Locale::read);
    named(asked)
        .or_else(|| named(locale.filter(|locale| *locale != "auto")))
        .or_else(|| accepted.and_then(accept::preferred))
        .unwrap_or_default()
}

/// A value of the query, as it stands there.
pub fn query<'u>(uri: &'u Uri, name: &str) -> Option<&'u str> {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
}

fn guarded(mut response: Response, framing: Framing) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(framing.policy()));
    if framing == Framing::Alone {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_beats_the_session_beats_the_browser() {
        assert_eq!(choose(Some("ja"), Some("en"), Some("en")), Locale::Ja);
        assert_eq!(choose(None, Some("ja"), Some("en")), Locale::Ja);
        assert_eq!(choose(None, Some("auto"), Some("fr, ja;q=0.8, en;q=0.5")), Locale::Ja);
        assert_eq!(choose(None, None, Some("fr-FR")), Locale::En);
        assert_eq!(choose(None, Some("fr"), None), Locale::En);
    }
}
