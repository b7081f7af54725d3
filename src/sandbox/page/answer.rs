//! Answers of the pages: HTML and redirects, with the headers that keep them to themselves.

use crate::domain::locale::Locale;
use crate::sandbox::page::leave;
use crate::words::accept;
use askama::Template;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

/// No scripts, no frames, no foreign styles. `form-action` is left out: browsers apply it to the redirect that
/// follows a form, which leads to the shop.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src https: http: data:; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// A rendered page.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            guarded((status, kind, html).into_response())
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            guarded(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

/// A file to look at or to keep under a name.
pub fn file(kind: &'static str, name: &str, content: Vec<u8>) -> Response {
    let mut response = guarded((StatusCode::OK, content).into_response());
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
    guarded((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// The stylesheet of every page.
pub async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("style.css")).into_response()
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

fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
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
