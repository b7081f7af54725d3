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
use crate::sandbox::creem;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::worlds::World;
use crate::sandbox::fault;
use crate::sandbox::page;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::json::pretty;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// Bytes that the body of an API call may have.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The service that a connection speaks to: calls of the API without a detour, everything else by its route.
#[derive(Clone, Debug)]
pub struct Front(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    default: Arc<World>,
    bound: IpAddr,
    routes: TowerToHyperService<Router<()>>,
}

/// The service of an engine that is reached at the address that was bound.
pub fn service(engine: &Arc<Engine>, bound: IpAddr) -> Front {
    let router = control::router()
        .merge(worlds::router())
        .merge(clock::router())
        .merge(credentials::router())
        .merge(control::delivery::control_router())
        .merge(page::router())
        .merge(control::payment::control_router())
        .merge(control::fault::control_router())
        .merge(control::requests::control_router())
        .merge(creem::control::control_router())
        .merge(creem::page::router())
        .fallback(elsewhere);
    let routes = TowerToHyperService::new(router);
    Front(Arc::new(Inside { default: engine.default_world(), bound, routes }))
}

impl<B> Service<Request<B>> for Front
where
    B: axum::body::HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let inside = Arc::clone(&self.0);
        Box::pin(async move { inside.answer(request.map(Body::new)).await })
    }
}

impl Inside {
    async fn answer(&self, mut request: Request<Body>) -> Result<Response, Infallible> {
        let place = match self.gate(&mut request) {
            Ok(place) => place,
            Err(refusal) => return Ok(*refusal),
        };
        let path = request.uri().path();
        if creem::api::is_its(path, request.headers()) {
            return Ok(second(place, request).await);
        }
        if path.starts_with("/v1/") || path.starts_with("/v2/") {
            return Ok(api(place, request).await);
        }
        request.extensions_mut().insert(Within(Arc::clone(&place.world)));
        request.extensions_mut().insert(place);
        self.routes.call(request).await
    }

    /// Refuses names that are not ours (DNS rebinding), and controls that a foreign page could send. Takes
    /// the world off the path: the routes need not know of it.
    fn gate(&self, request: &mut Request<Body>) -> Result<Place, Box<Response>> {
        let refused = |status, text: &str| Err(Box::new(refusal(status, text)));
        if request.headers().get_all(header::HOST).iter().count() > 1 {
            let text = "The request has more than one Host header.";
            return refused(StatusCode::BAD_REQUEST, text);
        }
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| may_be_called(host, self.bound)) {
            let text = "The sandbox answers only under the name that it listens on (127.0.0.1 or localhost).";
            return refused(StatusCode::FORBIDDEN, text);
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
            return refused(StatusCode::FORBIDDEN, text);
        }
        let authorization = text_of(request.headers(), &header::AUTHORIZATION);
        match within::find(&self.default, by_path.as_deref(), authorization.as_deref()) {
            Ok(world) => Ok(Place { world, is_named: by_path.is_some() }),
            Err(failure) => refused(StatusCode::BAD_REQUEST, &failure.message),
        }
    }
}

/// The world of a request, and whether the path named it.
#[derive(Clone, Debug)]
struct Place {
    world: Arc<World>,
    is_named: bool,
}

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

/// What has no route and is no call of the API is refused as one.
async fn elsewhere(Extension(place): Extension<Place>, request: Request<Body>) -> Response {
    api(place, request).await
}

/// The body of a call, or the answer to one that cannot be read.
async fn read(body: Body) -> Result<Bytes, Response> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| unread(&error))
}

/// A call of the second provider's API.
async fn second(place: Place, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match read(body).await {
        Ok(sent) => creem::api::answer(&place.world, place.is_named, &parts, &sent).await,
        Err(refusal) => refusal,
    }
}

async fn api(place: Place, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        return browser::preflight(&parts.headers);
    }
    let bytes = match read(body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
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
    if browser::is_foreign(&parts.headers) && called.as_deref().is_some_and(browser::is_secret) {
        let text = "A page of another site called the sandbox with a secret key. Secret keys belong on servers: take a publishable key (pk_test_…) in the page.";
        return refusal(StatusCode::FORBIDDEN, text);
    }
    let by_key = key.as_deref().filter(|_| authorization.is_none());
    let world = match within::enter(&place.world, place.is_named, by_key) {
        Ok(world) => world,
        Err(failure) => return refusal(StatusCode::BAD_REQUEST, &failure.message),
    };
    let asked = ApiRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query,
        authorization,
        key,
        account: text(HeaderName::from_static("stripe-account")).or_else(|| {
            text(HeaderName::from_static("stripe-context")).map(|path| in_context(&path))
        }),
        version: text(HeaderName::from_static("stripe-version")),
        idempotency_key: text(HeaderName::from_static("idempotency-key")),
        content_type: text(header::CONTENT_TYPE),
        fault: text(HeaderName::from_static(fault::HEADER)),
        body: bytes,
    };
    let answer = front::answer(&world, asked).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
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

/// The account that a context ends at: a path of accounts, each within the one before it.
fn in_context(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
