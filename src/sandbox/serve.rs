//! The sandbox's one HTTP service: API, pages and controls behind the same gate.

use crate::domain::host::may_be_called;
use crate::net::connection::{ArrivalError, Cut};
use crate::sandbox::api::auth;
use crate::sandbox::api::browser;
use crate::sandbox::api::front::{self, ApiRequest};
use crate::sandbox::api::within::{self, Within};
use crate::sandbox::control;
use crate::sandbox::control::clock;
use crate::sandbox::control::credentials;
use crate::sandbox::control::worlds;
use crate::sandbox::engine::Engine;
use crate::sandbox::fault;
use crate::sandbox::page;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::json::pretty;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper_util::service::TowerToHyperService;
use std::net::IpAddr;
use std::sync::Arc;

/// Bytes that the body of an API call may have.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The service that a connection speaks to.
pub fn service(engine: Arc<Engine>, bound: IpAddr) -> TowerToHyperService<Router<()>> {
    let router = control::router()
        .merge(worlds::router())
        .merge(clock::router())
        .merge(credentials::router())
        .merge(control::delivery::control_router())
        .merge(page::router())
        .merge(control::payment::control_router())
        .merge(control::fault::control_router())
        .merge(control::requests::control_router())
        .fallback(api);
    // Outside of the router: what the gate takes off the path, the routes need not know of.
    let gated =
        Router::new().fallback_service(router).layer(from_fn_with_state((engine, bound), gate));
    TowerToHyperService::new(gated)
}

/// Refuses names that are not ours (DNS rebinding), and controls that a foreign page could send.
async fn gate(
    State((engine, bound)): State<(Arc<Engine>, IpAddr)>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        let text = "The request has more than one Host header.";
        return refusal(StatusCode::BAD_REQUEST, text);
    }
    let host = text_of(request.headers(), &header::HOST);
    if !host.is_some_and(|host| may_be_called(&host, bound)) {
        let text =
            "The sandbox answers only under the name that it listens on (127.0.0.1 or localhost).";
        return refusal(StatusCode::FORBIDDEN, text);
    }
    let by_path = within::split(request.uri());
    let by_path = by_path.map(|(name, inner)| {
        *request.uri_mut() = inner;
        name
    });
    let control = request.uri().path().starts_with("/_stripegym/");
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if control && changes && !request.headers().contains_key("stripegym-control") {
        let text = "Controls of the sandbox need the header `Stripegym-Control: 1`, which no foreign web page can send.";
        return refusal(StatusCode::FORBIDDEN, text);
    }
    let authorization = text_of(request.headers(), &header::AUTHORIZATION);
    let world = match within::find(&engine, by_path.as_deref(), authorization.as_deref()) {
        Ok(world) => world,
        Err(failure) => return refusal(StatusCode::BAD_REQUEST, &failure.message),
    };
    let extensions = request.extensions_mut();
    extensions.insert(Within(world));
    extensions.insert(Named(by_path.is_some()));
    next.run(request).await
}

/// Whether the path named the world.
#[derive(Clone, Copy, Debug)]
struct Named(bool);

fn refusal(status: StatusCode, text: &str) -> Response {
    let failure = Failure::of(status.as_u16(), FailureKind::InvalidRequest, text);
    let body = pretty(&failure.body());
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The answer to a body that was not read to its end: too slow, not written as HTTP writes one, or too long.
fn unread(error: &axum::Error) -> Response {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<ArrivalError>() {
            Some(ArrivalError::Slow) => {
                let text = "The body of the request did not arrive in time.";
                return refusal(StatusCode::REQUEST_TIMEOUT, text);
            }
            Some(ArrivalError::Broken(_)) => {
                let text = "The body of the request could not be read: its chunks or its length are wrong.";
                return refusal(StatusCode::BAD_REQUEST, text);
            }
            None => cause = inner.source(),
        }
    }
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "The body of a request can have up to 1 MiB.")
}

async fn api(Within(world): Within, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        return browser::preflight(&parts.headers);
    }
    let bytes = match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return unread(&error),
    };
    let text = |name: HeaderName| text_of(&parts.headers, &name);
    let mut query = parts.uri.query().unwrap_or_default().to_owned();
    let mut bytes = bytes.to_vec();
    let key = browser::take_key(&mut bytes).or_else(|| {
        let mut sent = query.clone().into_bytes();
        let key = browser::take_key(&mut sent);
        query = String::from_utf8(sent).unwrap_or_default();
        key
    });
    let authorization = text(header::AUTHORIZATION);
    let called = auth::read(authorization.as_deref(), key.as_deref()).ok();
    if called.as_deref().is_some_and(browser::is_secret) && browser::is_foreign(&parts.headers) {
        let text = "A page of another site called the sandbox with a secret key. Secret keys belong on servers: take a publishable key (pk_test_…) in the page.";
        return refusal(StatusCode::FORBIDDEN, text);
    }
    let named = parts.extensions.get::<Named>().is_some_and(|named| named.0);
    let world =
        match within::enter(&world, named, key.as_deref().filter(|_| authorization.is_none())) {
            Ok(world) => world,
            Err(failure) => return refusal(StatusCode::BAD_REQUEST, &failure.message),
        };
    let asked = ApiRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query,
        authorization,
        key,
        account: text(HeaderName::from_static("stripe-account")),
        version: text(HeaderName::from_static("stripe-version")),
        idempotency_key: text(HeaderName::from_static("idempotency-key")),
        content_type: text(header::CONTENT_TYPE),
        fault: text(HeaderName::from_static(fault::HEADER)),
        body: bytes,
    };
    let answer = front::answer(&world, asked).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    if answer.cut {
        response.extensions_mut().insert(Cut);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if called.is_some_and(|key| key.starts_with("pk_")) {
        browser::open(headers);
    }
    response
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
